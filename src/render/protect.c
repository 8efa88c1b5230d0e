// SPDX-License-Identifier: EUPL-1.2
// Tables, hierarchies and patterns as CSV. The pattern is for the statistician alone; what goes to readers is the
// public file, where everything hidden looks the same (D5).
#include "render/protect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err bad_cell(struct errctx *ec, const struct protect_file *f, size_t row, const char *column)
{
	char number[24];

	snprintf(number, sizeof(number), "%zu", f->table.row[row].number);
	return err_set(ec, ERR_INPUT,
	               "%1, row %2, column \"%3\": this cell cannot be used. Type a code or a whole number.", f->name,
	               number, column);
}

static enum err no_column(struct errctx *ec, const struct protect_file *f, const char *column)
{
	return err_set(ec, ERR_INPUT, "%1 has no column \"%2\". Add it to the first row.", f->name, column, NULL);
}

static bool number_get(const char *text, uint64_t *out)
{
	char *end = NULL;

	if (text[0] < '0' || text[0] > '9' || strlen(text) > 12)
		return false;
	*out = strtoull(text, &end, 10);
	return *end == '\0';
}

/* The codes of a row; column[d] is where dimension d stands. */
static enum err codes_get(struct errctx *ec, const struct protect_file *f, size_t row, const struct protect_in *in,
                          const size_t *column, struct protect_row *out)
{
	for (size_t d = 0; d < in->dims; d++) {
		out->code[d] = csv_table_cell(&f->table, row, column[d]);
		if (out->code[d][0] == '\0')
			return bad_cell(ec, f, row, in->dim[d]);
	}
	return ERR_OK;
}

enum err protect_read_table(struct errctx *ec, const struct protect_file *f, struct pool *pool, struct protect_in *in)
{
	const size_t freq = csv_table_column(&f->table, "freq");
	size_t column[PROTECT_DIMS_MAX] = { 0 };
	struct protect_row *row = NULL;
	enum err e = ERR_OK;

	if (freq == SIZE_MAX)
		return no_column(ec, f, "freq");
	for (size_t c = 0; c < f->table.row[0].count; c++) {
		if (c == freq)
			continue;
		if (in->dims == PROTECT_DIMS_MAX)
			return err_set(ec, ERR_INPUT, "%1 has more than 12 dimensions. Take some columns out.", f->name,
			               NULL, NULL);
		column[in->dims] = c;
		in->dim[in->dims++] = csv_table_cell(&f->table, 0, c);
	}
	if (in->dims == 0 || f->table.rows < 2)
		return err_set(ec, ERR_INPUT, "%1 needs at least one column beside freq, and one row.", f->name, NULL,
		               NULL);
	row = pool_take(pool, (f->table.rows - 1) * sizeof(*row));
	if (row == NULL)
		return ERR_NO_MEMORY;
	for (size_t r = 1; e == ERR_OK && r < f->table.rows; r++) {
		e = codes_get(ec, f, r, in, column, &row[r - 1]);
		if (e == ERR_OK && !number_get(csv_table_cell(&f->table, r, freq), &row[r - 1].freq))
			e = bad_cell(ec, f, r, "freq");
	}
	in->row = row;
	in->rows = f->table.rows - 1;
	return e;
}

enum err protect_read_hierarchy(struct errctx *ec, const struct protect_file *f, struct pool *pool,
                                struct protect_in *in)
{
	static const char *const names[] = { "dimension", "child", "parent" };
	struct protect_parent *parent = pool_take(pool, (in->parents + f->table.rows) * sizeof(*parent));
	size_t column[3];

	if (parent == NULL)
		return ERR_NO_MEMORY;
	if (in->parents > 0)
		memcpy(parent, in->parent, in->parents * sizeof(*parent));
	for (size_t k = 0; k < 3; k++) {
		column[k] = f->table.rows > 0 ? csv_table_column(&f->table, names[k]) : SIZE_MAX;
		if (column[k] == SIZE_MAX)
			return no_column(ec, f, names[k]);
	}
	for (size_t r = 1; r < f->table.rows; r++) {
		const char *cell[3];

		for (size_t k = 0; k < 3; k++) {
			cell[k] = csv_table_cell(&f->table, r, column[k]);
			if (cell[k][0] == '\0')
				return bad_cell(ec, f, r, names[k]);
		}
		parent[in->parents++] = (struct protect_parent){ cell[0], cell[1], cell[2] };
	}
	in->parent = parent;
	return ERR_OK;
}

enum err protect_read_pattern(struct errctx *ec, const struct protect_file *f, struct pool *pool, struct protect_in *in)
{
	const size_t status = f->table.rows > 0 ? csv_table_column(&f->table, "status") : SIZE_MAX;
	struct protect_row *row = pool_take(pool, (f->table.rows + 1) * sizeof(*row));
	size_t column[PROTECT_DIMS_MAX];
	enum err e = ERR_OK;

	if (row == NULL)
		return ERR_NO_MEMORY;
	if (status == SIZE_MAX)
		return no_column(ec, f, "status");
	for (size_t d = 0; d < in->dims; d++) {
		column[d] = csv_table_column(&f->table, in->dim[d]);
		if (column[d] == SIZE_MAX)
			return no_column(ec, f, in->dim[d]);
	}
	for (size_t r = 1; e == ERR_OK && r < f->table.rows; r++) {
		const char *word = csv_table_cell(&f->table, r, status);

		e = codes_get(ec, f, r, in, column, &row[r - 1]);
		row[r - 1].hidden = strcmp(word, "open") != 0;
		if (e == ERR_OK && row[r - 1].hidden && strcmp(word, "primary") != 0 && strcmp(word, "secondary") != 0)
			e = bad_cell(ec, f, r, "status");
	}
	in->pattern = row;
	in->patterns = f->table.rows - 1;
	return e;
}

static enum err put_head(const struct protect_in *in, const char *const *more, size_t count, struct buf *out)
{
	enum err e = ERR_OK;

	for (size_t d = 0; e == ERR_OK && d < in->dims; d++)
		e = csv_put_text(out, in->dim[d], d == 0);
	for (size_t k = 0; e == ERR_OK && k < count; k++)
		e = csv_put_text(out, more[k], false);
	return e == ERR_OK ? csv_put_end(out) : e;
}

static enum err put_codes(const struct protect_in *in, const struct protect_cell *c, struct buf *out)
{
	enum err e = ERR_OK;

	for (size_t d = 0; e == ERR_OK && d < in->dims; d++)
		e = csv_put_text(out, c->code[d], d == 0);
	return e;
}

enum err protect_put_pattern(const struct protect_in *in, const struct protect_out *p, struct buf *out)
{
	static const char *const more[] = { "freq", "status", "lo", "hi" };
	static const char *const status[] = {
		[PROTECT_OPEN] = "open", [PROTECT_PRIMARY] = "primary", [PROTECT_SECONDARY] = "secondary"
	};
	enum err e = put_head(in, more, 4, out);

	for (size_t c = 0; e == ERR_OK && c < p->cells; c++) {
		const struct protect_cell *cell = &p->cell[c];

		if ((e = put_codes(in, cell, out)) != ERR_OK ||
		    (e = csv_put_number(out, (int64_t)cell->freq, false)) != ERR_OK ||
		    (e = csv_put_text(out, status[cell->status], false)) != ERR_OK ||
		    (e = csv_put_number(out, (int64_t)cell->lo, false)) != ERR_OK ||
		    (e = cell->hi == UINT64_MAX ? csv_put_text(out, "", false)
		                                : csv_put_number(out, (int64_t)cell->hi, false)) != ERR_OK)
			break;
		e = csv_put_end(out);
	}
	return e;
}

static enum err put_shown(const struct protect_in *in, const struct protect_out *p, bool rounded, struct buf *out)
{
	static const char *const more[] = { "freq" };
	enum err e = put_head(in, more, 1, out);

	for (size_t c = 0; e == ERR_OK && c < p->cells; c++) {
		const struct protect_cell *cell = &p->cell[c];
		bool shown = rounded ? cell->in_public : cell->status == PROTECT_OPEN;

		e = put_codes(in, cell, out);
		if (e == ERR_OK)
			e = shown ? csv_put_number(out, (int64_t)(rounded ? cell->public_freq : cell->freq), false)
			          : csv_put_text(out, "", false);
		if (e == ERR_OK)
			e = csv_put_end(out);
	}
	return e;
}

enum err protect_put_released(const struct protect_in *in, const struct protect_out *p, struct buf *out)
{
	return put_shown(in, p, false, out);
}

enum err protect_put_public(const struct protect_in *in, const struct protect_out *p, struct buf *out)
{
	return put_shown(in, p, true, out);
}

void protect_cell_name(const struct protect_in *in, const struct protect_cell *c, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t d = 0; d < in->dims && at < size; d++)
		at += (size_t)snprintf(out + at, size - at, "%s%s", d == 0 ? "" : ", ", c->code[d]);
}

static void put_cell(struct doc *d, const char *key, const struct protect_in *in, const struct protect_cell *c)
{
	doc_object(d, key);
	for (size_t k = 0; k < in->dims; k++)
		doc_text(d, in->dim[k], c->code[k]);
	doc_end(d);
}

/* Which cell falls at each level that failed. */
static void put_failed(struct doc *d, const struct protect_in *in, const struct protect_out *p,
                       const char *const *letter)
{
	doc_array(d, "failed");
	for (size_t k = 0; k < 4; k++) {
		const struct protect_verdict *v = &p->audit[k];

		if (v->cell == NULL)
			continue;
		doc_object(d, NULL);
		doc_text(d, "level", letter[k]);
		put_cell(d, "cell", in, v->cell);
		if (v->known != NULL)
			put_cell(d, "known", in, v->known);
		doc_end(d);
	}
	doc_end(d);
}

void protect_doc(struct doc *d, const struct protect_in *in, const struct protect_out *p)
{
	static const char *const letter[] = { "A", "B", "C", "D" };
	size_t count[3] = { 0 };

	for (size_t c = 0; c < p->cells; c++)
		count[p->cell[c].status]++;
	doc_object(d, NULL);
	doc_int(d, "threshold", (int64_t)in->threshold);
	doc_int(d, "cells", (int64_t)p->cells);
	doc_int(d, "open", (int64_t)count[PROTECT_OPEN]);
	doc_int(d, "primary", (int64_t)count[PROTECT_PRIMARY]);
	doc_int(d, "secondary", (int64_t)count[PROTECT_SECONDARY]);
	doc_real(d, "shown_share", (double)p->shown / 1000);
	doc_bool(d, "passed", p->passed);
	doc_object(d, "audit");
	for (size_t k = 0; k < 4; k++)
		doc_text(d, letter[k], p->audit[k].check);
	doc_end(d);
	put_failed(d, in, p, letter);
	doc_end(d);
}
