// SPDX-License-Identifier: EUPL-1.2
// Goal: whatever bytes a stranger's CSV has, it is read as rows of text or refused with its place; and nothing we
// write is taken for a formula.
// Seen to catch: LF after CR counted as a row, `<` for `<=` at the limits, a bad cell passed on, the mark left out
// before "=" or before an apostrophe and "=", divider() looking at the whole file.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "render/csv.h"

static struct bytes text(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

/* Rows divided by "/", cells by "|", with the number of each row in front. */
static char *shown(const struct csv_table *t)
{
	struct buf out = { 0 };
	char number[16];

	for (size_t i = 0; i < t->rows; i++) {
		snprintf(number, sizeof(number), "%s%zu:", i > 0 ? "/" : "", t->row[i].number);
		assert_int_equal(buf_put_str(&out, number), ERR_OK);
		for (size_t k = 0; k < t->row[i].count; k++) {
			assert_int_equal(buf_put_str(&out, k > 0 ? "|" : ""), ERR_OK);
			assert_int_equal(buf_put_str(&out, csv_table_cell(t, i, k)), ERR_OK);
		}
	}
	assert_int_equal(buf_terminate(&out), ERR_OK);
	return (char *)out.data;
}

static void rows_and_cells(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} cases[] = {
		{ "", "" },
		{ "a", "1:a" },
		{ "a,b\n", "1:a|b" },
		{ "a,b\nc,d", "1:a|b/2:c|d" },
		{ "a,b\r\nc,d\r\n", "1:a|b/2:c|d" },
		{ "a\rb\r", "1:a/2:b" },
		{ "\xEF\xBB\xBF"
		  "a,b\n",
		  "1:a|b" },
		{ "a\n\nb\n", "1:a/3:b" },
		{ "a\r\n\r\nb\r\n", "1:a/3:b" },
		{ "a,,\n", "1:a||" },
		{ " a , b \n", "1:a|b" },
		{ "\" a \",\"b,c\"\n", "1: a |b,c" },
		{ "\"a \"\"b\"\"\"\n", "1:a \"b\"" },
		{ "\"two\nlines\",x\ny\n", "1:two\nlines|x/2:y" },
		{ "a;b,c;d\n1;2,3;4\n", "1:a|b,c|d/2:1|2,3|4" },
		{ "a\tb\nc,d\te\n", "1:a|b/2:c,d|e" },
		{ "a,b\n1;2;3;4\n", "1:a|b/2:1;2;3;4" },
		{ "caf\xC3\xA9\n", "1:caf\xC3\xA9" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct csv_table t = { 0 };
		char *s = NULL;

		assert_int_equal(csv_table_parse(NULL, "x.csv", text(cases[i].in), &t), ERR_OK);
		s = shown(&t);
		assert_string_equal(s, cases[i].out);
		free(s);
		csv_table_free(&t);
	}
}

static void columns_by_name(void **state)
{
	struct csv_table t = { 0 };

	assert_int_equal(csv_table_parse(NULL, "x.csv", text("id,Name\n7\n"), &t), ERR_OK);
	assert_int_equal(csv_table_column(&t, "name"), 1);
	assert_int_equal(csv_table_column(&t, "none"), SIZE_MAX);
	assert_string_equal(csv_table_cell(&t, 1, 0), "7");
	assert_string_equal(csv_table_cell(&t, 1, 1), "");
	assert_string_equal(csv_table_cell(&t, 1, SIZE_MAX), "");
	assert_string_equal(csv_table_cell(&t, 9, 0), "");
	csv_table_free(&t);
}

static void what_is_not_text_is_marked(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		size_t bad;
	} cases[] = {
		{ "a,b\nc,\xFF", 7, 2 },             /* never in UTF-8 */
		{ "a,b\nc,\xC0\xAF", 8, 2 },         /* overlong */
		{ "a,b\n\xED\xA0\x80,d", 9, 1 },     /* a surrogate */
		{ "a,b\nc\0,d", 8, 1 },              /* NUL */
		{ "a,b\n\"\xC3\",\"\xA9\"", 11, 1 }, /* one character over two cells */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct csv_table t = { 0 };

		assert_int_equal(
		    csv_table_parse(NULL, "x.csv", (struct bytes){ (const uint8_t *)cases[i].in, cases[i].len }, &t),
		    ERR_OK);
		assert_int_equal(t.rows, 2);
		assert_int_equal(t.row[0].bad, 0);
		assert_int_equal(t.row[1].bad, cases[i].bad);
		assert_string_equal(csv_table_cell(&t, 1, cases[i].bad - 1), "");
		csv_table_free(&t);
	}
}

static void refused_with_its_place(void **state)
{
	static const struct {
		const char *in;
		const char *row;
		const char *column;
	} cases[] = {
		{ "a,b\nc,d\"e\n", "2", "2" },
		{ "a\n\n\"b\"c\n", "3", "1" },
		{ "a,\"b\n", "1", "2" },
		{ "\xFF\xFE"
		  "a",
		  "1", "1" },
		{ "a,b\xE9\n", "1", "2" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct errctx ec = { 0 };
		struct csv_table t = { 0 };

		assert_int_equal(csv_table_parse(&ec, "x.csv", text(cases[i].in), &t), ERR_INPUT);
		assert_string_equal(ec.arg[0], "x.csv");
		assert_string_equal(ec.arg[1], cases[i].row);
		assert_string_equal(ec.arg[2], cases[i].column);
		assert_int_equal(t.rows, 0);
		assert_null(t.text.data);
	}
}

/* `count` times `unit`, after `before`. */
static struct buf repeated(const char *before, const char *unit, size_t count)
{
	struct buf b = { 0 };

	assert_int_equal(buf_put_str(&b, before), ERR_OK);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(buf_put_str(&b, unit), ERR_OK);
	return b;
}

static void limits_hold(void **state)
{
	static const struct {
		const char *before;
		const char *unit;
		size_t most;
	} cases[] = {
		{ "", "x", CSV_CELL_MAX },
		{ "x", ",", CSV_COLUMNS_MAX - 1 },
		{ "", "x\n", CSV_ROWS_MAX },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (size_t over = 0; over < 2; over++) {
			struct buf b = repeated(cases[i].before, cases[i].unit, cases[i].most + over);
			struct csv_table t = { 0 };

			assert_int_equal(csv_table_parse(NULL, "x.csv", buf_bytes(&b), &t), over ? ERR_INPUT : ERR_OK);
			csv_table_free(&t);
			buf_free(&b);
		}
	}
	for (size_t over = 0; over < 2; over++) {
		struct buf b = repeated("", "\n", CSV_FILE_MAX + over);
		struct csv_table t = { 0 };

		assert_int_equal(csv_table_parse(NULL, "x.csv", buf_bytes(&b), &t), over ? ERR_INPUT : ERR_OK);
		csv_table_free(&t);
		buf_free(&b);
	}
}

static void no_formula_is_written(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} cases[] = {
		{ "", "\"\"" },
		{ "plain", "\"plain\"" },
		{ "a,b\"c\"\nd", "\"a,b\"\"c\"\"\nd\"" },
		{ "=1+1", "\"'=1+1\"" },
		{ "+31 20 123", "\"'+31 20 123\"" },
		{ "-x", "\"'-x\"" },
		{ "@x", "\"'@x\"" },
		{ "\tx", "\"'\tx\"" },
		{ "\r=x", "\"'\r=x\"" },
		{ "\"=x", "\"\"\"=x\"" },
		{ "x=1", "\"x=1\"" },
		{ "'=1", "\"''=1\"" },
		{ "''-x", "\"'''-x\"" },
		{ "'x", "\"'x\"" },
		{ "'", "\"'\"" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf out = { 0 };
		struct csv_table t = { 0 };

		assert_int_equal(csv_put_text(&out, cases[i].in, true), ERR_OK);
		assert_int_equal(out.len, strlen(cases[i].out));
		assert_memory_equal(out.data, cases[i].out, out.len);
		assert_int_equal(csv_put_number(&out, -7, false), ERR_OK);
		assert_int_equal(csv_put_end(&out), ERR_OK);
		assert_memory_equal(out.data + out.len - 5, ",-7\r\n", 5);

		/* What was written reads back as it was. */
		assert_int_equal(csv_table_parse(NULL, "x.csv", buf_bytes(&out), &t), ERR_OK);
		assert_string_equal(csv_plain(csv_table_cell(&t, 0, 0)), cases[i].in);
		assert_string_equal(csv_table_cell(&t, 0, 1), "-7");
		csv_table_free(&t);
		buf_free(&out);
	}
	assert_string_equal(csv_plain("'t Nieuwe Huis"), "'t Nieuwe Huis");
}

/* Foreign bytes at random, for the sanitizers; and whatever is accepted is text within the limits. */
static void any_bytes_are_read_or_refused(void **state)
{
	static const char *const parts[] = { ",",  ";", "\t", "\"",       "\"\"", "\n", "\r\n",
		                             "\r", " ", "a",  "\xC3\xA9", "\xFF", "\0", "=" };
	uint64_t seed = 20240611;
	size_t accepted = 0;
	const char *soak = getenv("SLB_SOAK");
	unsigned long runs = 20000 * (soak != NULL ? strtoul(soak, NULL, 10) : 1);

	for (unsigned long run = 0; run < runs; run++) {
		struct csv_table t = { 0 };
		struct buf b = { 0 };

		for (unsigned k = 0; k < run % 60; k++) {
			const char *part = NULL;

			seed = seed * 6364136223846793005u + 1442695040888963407u;
			part = parts[(seed >> 33) % (sizeof(parts) / sizeof(*parts))];
			assert_int_equal(buf_put(&b, part, *part == '\0' ? 1 : strlen(part)), ERR_OK);
		}
		if (csv_table_parse(NULL, "x.csv", buf_bytes(&b), &t) == ERR_OK) {
			accepted++;
			for (size_t i = 0; i < t.rows; i++) {
				assert_true(t.row[i].count > 0);
				for (size_t c = 0; c < t.row[i].count; c++) {
					const char *cell = csv_table_cell(&t, i, c);

					assert_true(utf8_valid(cell, strlen(cell)));
				}
			}
		}
		csv_table_free(&t);
		buf_free(&b);
	}
	assert_true(accepted > runs / 20 && accepted < runs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_and_cells),
		cmocka_unit_test(columns_by_name),
		cmocka_unit_test(what_is_not_text_is_marked),
		cmocka_unit_test(refused_with_its_place),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(no_formula_is_written),
		cmocka_unit_test(any_bytes_are_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
