// SPDX-License-Identifier: EUPL-1.2
// Goal: a summary looks as it should in text, CSV and JSON, and a hidden cell is one and the same thing in each (D5).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "render/tables.h"

static struct grid_key rows[] = { { "geld", "Geldzaken", "Money" }, { "total", "Totaal", "Total" } };
static struct grid_key columns[] = { { "stil", "Nog geen antwoord", "No answer yet" },
	                             { "geholpen", "Geholpen", "Helped" },
	                             { "total", "Totaal", "Total" } };
static struct grid_cell cells[] = { { true, 0, 0 },  { false, 12, 5 },  { true, 0, 0 },
	                            { false, 0, 0 }, { false, 120, 5 }, { false, 120, 5 } };

static struct summary sample(struct grid *g)
{
	*g = (struct grid){ .name = "domain_outcome",
		            .nl = "Doorverwijzingen",
		            .en = "Referrals",
		            .level = "fine",
		            .level_nl = "Alle waarden",
		            .level_en = "All values",
		            .dim = { { "domain", "Leefgebied", "Life domain", rows, 2 },
		                     { "outcome", "Uitkomst", "Outcome", columns, 3 } },
		            .cell = cells };
	return (struct summary){ .period = "2026Q3",
		                 .grid = g,
		                 .grids = 1,
		                 .audit = { "passed", "passed", "not_run", "passed" },
		                 .shown = 875,
		                 .band = { 5, 9 },
		                 .checked = true,
		                 .method = "sdc-1" };
}

static char *text_in(enum lang lang, const struct summary *s)
{
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);
	const struct text t = { .out = f, .lang = lang };

	assert_non_null(f);
	tables_summary_text(&t, s);
	fclose(f);
	return out;
}

/* Seen to fail when a hidden count is printed as it is. */
static void text_has_columns_and_dots(void **state)
{
	struct grid g;
	struct summary s = sample(&g);
	char *en = text_in(LANG_EN, &s);
	char *nl = text_in(LANG_NL, &s);

	assert_non_null(strstr(en, "Referrals of 2026Q3, counted over 5-9 circles\n"));
	assert_non_null(strstr(en, "\nReferrals\n"
	                           "                                  No answer       Helped        Total\n"
	                           "                                        yet                          \n"
	                           "Money                                     ·           12            ·\n"
	                           "Total                                     0          120          120\n"));
	assert_non_null(strstr(en, "87 per cent"));
	assert_null(strstr(en, "Unchecked"));
	assert_non_null(strstr(nl, "Geldzaken                                 ·           12            ·\n"));
	free(en);
	free(nl);
	s.checked = false;
	s.grids = 0;
	en = text_in(LANG_EN, &s);
	assert_non_null(strstr(en, "Unchecked"));
	assert_non_null(strstr(en, "too few referrals"));
	free(en);
}

static void csv_has_one_cell_a_row(void **state)
{
	static const char want[] = "\"period\",\"view\",\"table\",\"level\",\"dimension_1\",\"key_1\",\"dimension_2\","
	                           "\"key_2\",\"count\",\"hidden\"\r\n"
	                           "\"2026Q3\",\"coordinator\",\"domain_outcome\",\"fine\",\"domain\",\"geld\","
	                           "\"outcome\",\"stil\",\"\",1\r\n"
	                           "\"2026Q3\",\"coordinator\",\"domain_outcome\",\"fine\",\"domain\",\"geld\","
	                           "\"outcome\",\"geholpen\",12,0\r\n";
	struct grid g;
	struct summary s = sample(&g);
	struct buf out = { 0 };

	assert_int_equal(tables_summary_csv(&s, &out), ERR_OK);
	assert_true(out.len > sizeof(want) - 1);
	assert_memory_equal(out.data, want, sizeof(want) - 1);
	buf_free(&out);
}

static void json_has_null_for_what_is_hidden(void **state)
{
	struct grid g;
	struct summary s = sample(&g);
	struct doc *d = doc_new();
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);

	assert_non_null(f);
	tables_summary_doc(d, &s);
	assert_int_equal(doc_print(NULL, d, f), ERR_OK);
	fclose(f);
	assert_non_null(strstr(out, "\"view\":\"coordinator\""));
	assert_non_null(strstr(out, "\"dimensions\":[\"domain\",\"outcome\"]"));
	assert_non_null(strstr(out, "{\"keys\":[\"geld\",\"stil\"],\"count\":null,\"hidden\":true}"));
	assert_non_null(strstr(out, "{\"keys\":[\"total\",\"total\"],\"count\":120,\"hidden\":false}"));
	assert_non_null(
	    strstr(out, "\"audit\":{\"A\":\"passed\",\"B\":\"passed\",\"C\":\"not_run\",\"D\":\"passed\"}"));
	assert_non_null(strstr(out, "\"shown_share\":0.875"));
	assert_non_null(strstr(out, "\"contributors\":\"5-9\""));
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_has_columns_and_dots),
		cmocka_unit_test(csv_has_one_cell_a_row),
		cmocka_unit_test(json_has_null_for_what_is_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
