// SPDX-License-Identifier: EUPL-1.2
// From totals to what everybody may see. Totals, bounds and the difference between primary and secondary cells stay in
// this file's memory and are wiped (D1 to D5).
#include "tally/release.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/wire.h"
#include "tally/get.h"

#define RELEASE_FORMAT 1
#define TABLES_MAX 8
#define LEVELS_MAX 8

void release_free(struct release *r)
{
	free(r->cell);
	*r = (struct release){ .level = RELEASE_NO_LEVEL };
}

void release_band(uint64_t circles, uint32_t band[static 2])
{
	static const uint32_t from[] = { 3, 5, 10, 20, 50, 100, 200, 500, 1000 };
	const size_t last = sizeof(from) / sizeof(from[0]) - 1;
	size_t k = 0;

	while (k < last && circles >= from[k + 1])
		k++;
	band[0] = from[k];
	band[1] = k < last ? from[k + 1] - 1 : 0;
}

/* Every cell that some table shows at this level, in order; returns how many. */
static size_t level_cells(size_t level, struct release_cell *out)
{
	static const struct tally_cell none;
	struct tally_cell all[TALLY_CELLS_MAX] = { none };
	size_t tables = 0;
	size_t levels = 0;
	const struct tally_table_def *table = tally_tables(&tables);
	const struct tally_level_def *at = &tally_levels(&levels)[level];
	size_t cells = tally_cells(all);
	size_t n = 0;

	for (size_t c = 0; c < cells; c++) {
		bool shown = false;

		for (size_t t = 0; !shown && t < tables; t++)
			shown = tally_cell_shown(&table[t], at, &all[c]);
		if (shown)
			out[n++] = (struct release_cell){ .at = all[c] };
	}
	return n;
}

/* --- disclosure control --- */

struct layout {
	struct sdc_dim dim[TALLY_DIMS];
	uint32_t *parent[TALLY_DIMS];
	struct sdc_axis axis[1 + LEVELS_MAX][TABLES_MAX][2]; /* 0: every level with its groups */
	struct sdc_table table[1 + LEVELS_MAX][TABLES_MAX];
	struct sdc_view view[LEVELS_MAX];
	size_t tables;
	size_t levels;
};

static void layout_clear(struct layout *l)
{
	for (size_t d = 0; d < TALLY_DIMS; d++)
		free(l->parent[d]);
}

static enum err layout_fill(struct layout *l)
{
	const struct tally_table_def *table = tally_tables(&l->tables);
	const struct tally_level_def *level = tally_levels(&l->levels);

	for (size_t d = 0; d < TALLY_DIMS; d++) {
		size_t codes = tally_codes((enum tally_dim)d);

		l->parent[d] = calloc(codes, sizeof(*l->parent[d]));
		if (l->parent[d] == NULL)
			return ERR_NO_MEMORY;
		for (uint32_t k = 0; k < codes; k++)
			l->parent[d][k] = tally_code((enum tally_dim)d, k).parent;
		l->dim[d] = (struct sdc_dim){ l->parent[d], codes };
	}
	for (size_t v = 0; v <= l->levels; v++) {
		for (size_t t = 0; t < l->tables; t++) {
			for (size_t a = 0; a < 2; a++) {
				l->axis[v][t][a] = (struct sdc_axis){
					.dim = (uint32_t)table[t].dim[a],
					.depth = v == 0 ? SDC_FINEST : level[v - 1].depth[a],
					.subtotals = v == 0,
				};
			}
			l->table[v][t] = (struct sdc_table){ l->axis[v][t], 2 };
		}
		if (v > 0)
			l->view[v - 1] = (struct sdc_view){ l->table[v], l->tables };
	}
	return ERR_OK;
}

static enum err counts_set(struct sdc_problem *all, const struct totals *totals, struct errctx *ec)
{
	struct tally_cell cell[TALLY_CELLS_MAX];
	size_t cells = tally_cells(cell);
	enum err e = ERR_OK;

	for (size_t c = 0; e == ERR_OK && c < cells; c++) {
		const struct pack_count *n = &totals->cell[c];

		e = sdc_count_set(all, sdc_cell_find(all, cell[c].code),
		                  (struct sdc_count){ .n = n->x, .i = n->i, .c = n->c }, ec);
	}
	return e == ERR_OK ? sdc_problem_close(all, ec) : e;
}

static enum release_check check_of(struct sdc_verdict v)
{
	return v.check == SDC_PASSED ? RELEASE_PASSED : RELEASE_NOT_RUN;
}

/* Copies what may leave: the count of an open cell, and of a hidden one that it is hidden. */
static enum err take_over(const struct sdc_release *from, struct release *r, struct errctx *ec)
{
	const struct sdc_verdict *v[4] = { &from->audit.a, &from->audit.b, &from->audit.c, &from->audit.d };

	if (from->view == SIZE_MAX)
		return ERR_OK;
	if (!sdc_audit_passed(&from->audit))
		return err_set(ec, ERR_REFUSED,
		               "The audit found a hidden count that can be worked out. Nothing is published for this "
		               "period.",
		               NULL, NULL, NULL);
	r->cell = calloc(TALLY_CELLS_MAX, sizeof(*r->cell));
	if (r->cell == NULL)
		return ERR_NO_MEMORY;
	r->level = from->view;
	r->cells = level_cells(r->level, r->cell);
	for (size_t c = 0; c < r->cells; c++) {
		size_t at = sdc_cell_find(from->shown, r->cell[c].at.code);

		r->cell[c].hidden = at == SDC_NO_CELL || from->state[at] != SDC_OPEN;
		r->cell[c].count = r->cell[c].hidden ? 0 : sdc_count(from->shown, at).n;
	}
	for (size_t k = 0; k < 4; k++)
		r->audit[k] = check_of(*v[k]);
	r->shown = sdc_release_share(from);
	return ERR_OK;
}

/* The audit said no: the combiner is told at which cell, nobody else. */
static enum err refuse(const struct sdc_release *from, struct errctx *ec)
{
	char name[160] = "";
	size_t at = 0;

	for (size_t d = 0; d < TALLY_DIMS && at < sizeof(name); d++) {
		if (from->fallen[d] != 0)
			at += (size_t)snprintf(name + at, sizeof(name) - at, "%s%s", at == 0 ? "" : ", ",
			                       tally_code((enum tally_dim)d, from->fallen[d]).id);
	}
	return err_set(ec, ERR_REFUSED,
	               "The audit refused these tables: too much is known of the hidden count of \"%1\".", name, NULL,
	               NULL);
}

enum err release_make(const struct plan *p, const struct release_in *in, struct release *out, struct errctx *ec)
{
	const struct sdc_rules rules = {
		.threshold = p->cap,
		.min_contributors = RELEASE_MIN_CIRCLES,
		.capped = true,
		.group = true,
		.insider = true,
		.share_percent = RELEASE_SHARE_PERCENT,
	};
	struct release r = { .level = RELEASE_NO_LEVEL, .period = p->period, .checked = in->totals->checked };
	struct layout *l = calloc(1, sizeof(*l));
	struct sdc_problem *all = NULL;
	struct sdc_release chosen = { .view = SIZE_MAX };
	enum err e = l == NULL ? ERR_NO_MEMORY : layout_fill(l);

	memcpy(r.plan, p->hash, HASH_LEN);
	memcpy(r.manifest, in->manifest, HASH_LEN);
	release_band(in->circles, r.band);
	if (e == ERR_OK)
		e = sdc_problem_new(l->dim, TALLY_DIMS, l->table[0], l->tables, &rules, &in->limits, &all, ec);
	if (e == ERR_OK)
		e = counts_set(all, in->totals, ec);
	if (e == ERR_OK)
		e = sdc_choose(all, l->view, l->levels, SDC_AUDIT_ALL, &chosen, ec);
	if (e == ERR_OK && chosen.refused && chosen.view == SIZE_MAX)
		e = refuse(&chosen, ec);
	if (e == ERR_OK)
		e = take_over(&chosen, &r, ec);
	sdc_release_clear(&chosen);
	sdc_problem_free(all);
	if (l != NULL)
		layout_clear(l);
	free(l);
	if (e == ERR_OK)
		*out = r;
	else
		release_free(&r);
	return e;
}

/* --- bytes --- */

enum err release_put(const struct release *r, struct buf *body)
{
	char period[QUARTER_TEXT_LEN];
	enum err e = ERR_OK;

	quarter_text(r->period, period);
	buf_reset(body);
	if ((e = wire_put_array(body, 12)) != ERR_OK || (e = wire_put_uint(body, RELEASE_FORMAT)) != ERR_OK ||
	    (e = wire_put_bytes(body, r->plan, HASH_LEN)) != ERR_OK ||
	    (e = wire_put_bytes(body, r->manifest, HASH_LEN)) != ERR_OK ||
	    (e = wire_put_text(body, period, strlen(period))) != ERR_OK ||
	    (e = wire_put_uint(body, TALLY_TABLES_VERSION)) != ERR_OK ||
	    (e = r->level == RELEASE_NO_LEVEL ? wire_put_null(body) : wire_put_uint(body, r->level)) != ERR_OK ||
	    (e = wire_put_array(body, r->cells)) != ERR_OK)
		return e;
	for (size_t c = 0; e == ERR_OK && c < r->cells; c++)
		e = r->cell[c].hidden ? wire_put_null(body) : wire_put_uint(body, r->cell[c].count);
	if (e == ERR_OK)
		e = wire_put_array(body, 4);
	for (size_t k = 0; e == ERR_OK && k < 4; k++)
		e = wire_put_uint(body, r->audit[k]);
	if (e != ERR_OK || (e = wire_put_uint(body, r->shown)) != ERR_OK || (e = wire_put_array(body, 2)) != ERR_OK ||
	    (e = wire_put_uint(body, r->band[0])) != ERR_OK || (e = wire_put_uint(body, r->band[1])) != ERR_OK ||
	    (e = wire_put_bool(body, r->checked)) != ERR_OK)
		return e;
	return wire_put_text(body, RELEASE_METHOD, strlen(RELEASE_METHOD));
}

static bool get_text(struct wire_in *in, const char *want)
{
	struct bytes t = { 0 };

	return wire_get_text(in, &t) == ERR_OK && t.len == strlen(want) && memcmp(t.data, want, t.len) == 0;
}

static bool get_level(struct wire_in *in, size_t *out)
{
	uint32_t level = 0;
	size_t levels = 0;

	tally_levels(&levels);
	if (wire_peek(in) == WIRE_NULL) {
		*out = RELEASE_NO_LEVEL;
		return wire_get_null(in) == ERR_OK;
	}
	if (!get_small(in, (uint32_t)levels - 1, &level))
		return false;
	*out = level;
	return true;
}

/* The cells must be just those of the level. */
static bool get_cells(struct wire_in *in, struct release *r)
{
	size_t n = 0;

	r->cells = r->level == RELEASE_NO_LEVEL ? 0 : level_cells(r->level, r->cell);
	if (wire_get_array(in, &n) != ERR_OK || n != r->cells)
		return false;
	for (size_t c = 0; c < n; c++) {
		r->cell[c].hidden = wire_peek(in) == WIRE_NULL;
		if ((r->cell[c].hidden ? wire_get_null(in) : wire_get_uint(in, &r->cell[c].count)) != ERR_OK)
			return false;
	}
	return true;
}

static bool get_audit(struct wire_in *in, struct release *r)
{
	size_t n = 0;
	uint32_t check = 0;

	if (wire_get_array(in, &n) != ERR_OK || n != 4)
		return false;
	for (size_t k = 0; k < 4; k++) {
		if (!get_small(in, RELEASE_PASSED, &check))
			return false;
		r->audit[k] = (enum release_check)check;
	}
	return r->level == RELEASE_NO_LEVEL || r->audit[0] == RELEASE_PASSED;
}

static bool get_rest(struct wire_in *in, struct release *r)
{
	uint32_t again[2] = { 0 };
	size_t two = 0;

	if (!get_small(in, 1000, &r->shown) || wire_get_array(in, &two) != ERR_OK || two != 2 ||
	    !get_small(in, UINT32_MAX, &r->band[0]) || !get_small(in, UINT32_MAX, &r->band[1]) ||
	    wire_get_bool(in, &r->checked) != ERR_OK || !get_text(in, RELEASE_METHOD) || wire_at_end(in) != ERR_OK)
		return false;
	release_band(r->band[0], again);
	return again[0] == r->band[0] && again[1] == r->band[1];
}

enum err release_parse(struct bytes body, struct release *out, struct errctx *ec)
{
	struct release r = { .cell = calloc(TALLY_CELLS_MAX, sizeof(*r.cell)) };
	struct wire_in in = wire_in(body);
	uint32_t format = 0;
	uint32_t tables = 0;
	size_t n = 0;

	if (r.cell == NULL)
		return ERR_NO_MEMORY;
	if (wire_get_array(&in, &n) != ERR_OK || n != 12 || !get_small(&in, UINT32_MAX, &format) ||
	    format != RELEASE_FORMAT || wire_get_exact(&in, r.plan, HASH_LEN) != ERR_OK ||
	    wire_get_exact(&in, r.manifest, HASH_LEN) != ERR_OK || !get_quarter(&in, &r.period) ||
	    !get_small(&in, UINT32_MAX, &tables))
		goto damaged;
	if (tables != TALLY_TABLES_VERSION) {
		release_free(&r);
		return err_set(ec, ERR_LATER,
		               "The summary has tables that this version does not know. Install the newer version.",
		               NULL, NULL, NULL);
	}
	if (!get_level(&in, &r.level) || !get_cells(&in, &r) || !get_audit(&in, &r) || !get_rest(&in, &r))
		goto damaged;
	*out = r;
	return ERR_OK;
damaged:
	release_free(&r);
	return answer_damaged(ec);
}
