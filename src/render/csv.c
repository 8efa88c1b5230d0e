// SPDX-License-Identifier: EUPL-1.2
// CSV in and out. What is read comes from strangers: sizes are bounded, what is not text is marked and never passed
// on, and what is written starts no formula.
#include "render/csv.h"

#include <csv.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/tr.h"
#include "base/utf8.h"

struct reading {
	struct csv_table *table;
	struct csv_row row;
	int ended_by; /* how the last line ended: LF after CR is the same end */
	enum err e;
	const char *why; /* with ERR_INPUT */
};

static void stop(struct reading *r, enum err e, const char *why)
{
	if (r->e != ERR_OK)
		return;
	r->e = e;
	r->why = why;
}

static void on_cell(void *data, size_t len, void *self)
{
	struct reading *r = self;
	struct csv_table *t = r->table;
	size_t *cell = NULL;

	if (r->e != ERR_OK)
		return;
	if (r->row.count == CSV_COLUMNS_MAX) {
		stop(r, ERR_INPUT, TR("%1, row %2, column %3: there are too many columns. Remove some."));
		return;
	}
	if (len > CSV_CELL_MAX) {
		stop(r, ERR_INPUT, TR("%1, row %2, column %3: this text is too long. Make it shorter."));
		return;
	}
	r->row.count++;
	if (!utf8_valid(data, len)) {
		if (r->row.bad == 0)
			r->row.bad = r->row.count;
		len = 0;
	}
	cell = array_grown(t->cell, t->cells, sizeof(*cell));
	if (cell == NULL) {
		stop(r, ERR_NO_MEMORY, NULL);
		return;
	}
	t->cell = cell;
	t->cell[t->cells++] = t->text.len;
	if (buf_put(&t->text, len == 0 ? "" : data, len) != ERR_OK || buf_put_byte(&t->text, 0) != ERR_OK)
		stop(r, ERR_NO_MEMORY, NULL);
}

static void on_row(int end, void *self)
{
	struct reading *r = self;
	struct csv_table *t = r->table;
	struct csv_row *row = NULL;

	if (r->e != ERR_OK)
		return;
	if (r->row.count == 0 && end == '\n' && r->ended_by == '\r') {
		r->ended_by = end;
		return;
	}
	r->ended_by = end;
	r->row.number++;
	if (r->row.count == 0)
		return;
	if (t->rows == CSV_ROWS_MAX) {
		stop(r, ERR_INPUT, TR("%1, row %2, column %3: there are too many rows. Divide the file in two."));
		return;
	}
	row = array_grown(t->row, t->rows, sizeof(*row));
	if (row == NULL) {
		stop(r, ERR_NO_MEMORY, NULL);
		return;
	}
	t->row = row;
	t->row[t->rows++] = r->row;
	r->row = (struct csv_row){ .number = r->row.number, .first = t->cells };
}

static unsigned char divider(struct bytes content)
{
	static const char dividers[] = ",;\t";
	size_t count[sizeof(dividers)] = { 0 };
	size_t best = 0;

	for (size_t i = 0; i < content.len && content.data[i] != '\n' && content.data[i] != '\r'; i++) {
		const char *d = memchr(dividers, content.data[i], sizeof(dividers) - 1);

		if (d != NULL)
			count[d - dividers]++;
	}
	for (size_t i = 1; i < sizeof(dividers) - 1; i++)
		if (count[i] > count[best])
			best = i;
	return (unsigned char)dividers[best];
}

enum err csv_table_parse(struct errctx *ec, const char *name, struct bytes content, struct csv_table *out)
{
	struct reading r = { .table = out, .ended_by = -1 };
	struct csv_parser parser;
	char row[24];
	char column[24];

	*out = (struct csv_table){ 0 };
	if (content.len > CSV_FILE_MAX)
		return err_set(ec, ERR_INPUT, "%1 is too large. Use a smaller file.", name, NULL, NULL);
	if (content.len >= 3 && memcmp(content.data, "\xEF\xBB\xBF", 3) == 0)
		content = (struct bytes){ content.data + 3, content.len - 3 };
	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL) != 0)
		return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.",
		               NULL, NULL, NULL);
	csv_set_delim(&parser, divider(content));
	if (csv_parse(&parser, content.data, content.len, on_cell, on_row, &r) != content.len ||
	    csv_fini(&parser, on_cell, on_row, &r) != 0) {
		if (csv_error(&parser) == CSV_EPARSE)
			stop(&r, ERR_INPUT,
			     TR("%1, row %2, column %3: a quotation mark is in the wrong place. Write \"\" for a mark "
			        "inside a text."));
		else
			stop(&r, ERR_NO_MEMORY, NULL);
	}
	csv_free(&parser);
	if (r.e == ERR_OK && out->rows > 0 && out->row[0].bad != 0) {
		r.row = out->row[0];
		r.row.number--;
		r.row.count = r.row.bad - 1;
		stop(&r, ERR_INPUT,
		     TR("%1, row %2, column %3: this is not readable text. Save the file as CSV UTF-8."));
	}
	if (r.e == ERR_OK)
		return ERR_OK;
	csv_table_free(out);
	if (r.e == ERR_NO_MEMORY)
		return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.",
		               NULL, NULL, NULL);
	snprintf(row, sizeof(row), "%zu", r.row.number + 1);
	snprintf(column, sizeof(column), "%zu", r.row.count + 1);
	return err_set(ec, r.e, r.why, name, row, column);
}

void csv_table_free(struct csv_table *table)
{
	free(table->row);
	free(table->cell);
	buf_free(&table->text);
	*table = (struct csv_table){ 0 };
}

const char *csv_table_cell(const struct csv_table *table, size_t row, size_t column)
{
	if (row >= table->rows || column >= table->row[row].count)
		return "";
	return (const char *)table->text.data + table->cell[table->row[row].first + column];
}

size_t csv_table_column(const struct csv_table *table, const char *name)
{
	for (size_t i = 0; table->rows > 0 && i < table->row[0].count; i++)
		if (strcasecmp(csv_table_cell(table, 0, i), name) == 0)
			return i;
	return SIZE_MAX;
}

/* Apostrophes in front count too: a text that has one of its own gets another, so that csv_plain() gives it back. */
static bool starts_formula(const char *text)
{
	text += strspn(text, "'");
	return *text != '\0' && strchr("=+-@\t\r", *text) != NULL;
}

enum err csv_put_text(struct buf *out, const char *text, bool first)
{
	enum err e = buf_put_str(out, first ? "\"" : ",\"");

	if (e == ERR_OK && starts_formula(text))
		e = buf_put_byte(out, '\'');
	for (; e == ERR_OK && *text != '\0'; text++) {
		if (*text == '"')
			e = buf_put_byte(out, '"');
		if (e == ERR_OK)
			e = buf_put_byte(out, (uint8_t)*text);
	}
	return e == ERR_OK ? buf_put_byte(out, '"') : e;
}

enum err csv_put_number(struct buf *out, int64_t number, bool first)
{
	char text[32];

	snprintf(text, sizeof(text), "%s%" PRId64, first ? "" : ",", number);
	return buf_put_str(out, text);
}

enum err csv_put_end(struct buf *out)
{
	return buf_put_str(out, "\r\n");
}

const char *csv_plain(const char *text)
{
	return *text == '\'' && starts_formula(text + 1) ? text + 1 : text;
}
