// SPDX-License-Identifier: EUPL-1.2
// From referrals to counts: what a circle would put into a tally. Nothing else about a referral is read.
#include "app/tally_figures.h"

#include <stdlib.h>
#include <string.h>

#include "app/loop.h"
#include "app/within.h"

/* The group of a referral: its own, else that of the directory's entry. */
static uint32_t group_of(struct app *app, const struct record *r)
{
	struct bytes id = { 0 };
	struct dot service = { 0 };
	struct loaded entry = { 0 };
	uint32_t code = 0;

	if (record_text(r, F_referral_group, &id))
		return tally_leaf(DIM_group, id);
	if (record_ref(r, F_referral_service, &service) && within_peek(app, service, KIND_service, &entry) &&
	    record_text(&entry.record, F_service_group, &id))
		code = tally_leaf(DIM_group, id);
	store_loaded_free(&entry);
	return code != 0 ? code : tally_leaf(DIM_group, (struct bytes){ (const uint8_t *)"", 0 });
}

/* The outcome by the state on a day, as a code; 0 when it was not first sent between the two days. */
static enum err outcome_of(struct pool *pool, const struct record *r, const struct plan *plan, uint32_t *code)
{
	struct event *ev = NULL;
	size_t n = 0;
	int64_t opens = quarter_opens(plan->period);
	int64_t sent = INT64_MAX;
	const char *outcome = NULL;
	enum err e = record_events(r, F_referral_status, &ev, &n);

	*code = 0;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		const char *status = pool_text(pool, ev[i].status);
		const char *reason = ev[i].reason.len > 0 ? pool_text(pool, ev[i].reason) : NULL;
		const char *now = status == NULL ? NULL : loop_outcome(status, reason);

		if (status != NULL && strcmp(status, "verstuurd") == 0 && ev[i].date < sent)
			sent = ev[i].date;
		if (now != NULL && ev[i].date <= opens)
			outcome = now; /* they come sorted by date */
	}
	if (outcome != NULL && sent >= quarter_first_day(plan->period) && sent <= quarter_last_day(plan->period))
		*code = tally_leaf(DIM_outcome, (struct bytes){ (const uint8_t *)outcome, strlen(outcome) });
	free(ev);
	return e;
}

/* Adds one referral to every cell it belongs to: itself, the groups above it and the margins, in both tables. */
static void add(const struct tally_cell *cells, size_t count, const uint32_t leaf[static TALLY_DIMS], uint64_t *x)
{
	for (size_t c = 0; c < count; c++) {
		bool in = true;

		for (size_t d = 0; in && d < TALLY_DIMS; d++) {
			uint32_t at = leaf[d];

			while (at != cells[c].code[d] && at != 0)
				at = tally_code((enum tally_dim)d, at).parent;
			in = at == cells[c].code[d];
		}
		x[c] += in;
	}
}

enum err tally_figures(struct errctx *ec, struct app *app, int64_t circle, const struct plan *plan, uint64_t *x,
                       uint64_t *referrals)
{
	struct tally_cell cell[TALLY_CELLS_MAX];
	size_t cells = tally_cells(cell);
	struct pool pool = { 0 };
	struct dots ids = { 0 };
	enum err e = store_referrals_sent(ec, app->store, circle, quarter_first_day(plan->period),
	                                  quarter_last_day(plan->period), &ids);

	memset(x, 0, plan->cells * sizeof(*x));
	*referrals = 0;
	for (size_t i = 0; e == ERR_OK && i < ids.n; i++) {
		struct loaded l = { 0 };
		struct bytes domain = { 0 };
		uint32_t leaf[TALLY_DIMS] = { 0 };

		e = store_load(ec, app->store, ids.d[i], &l);
		if (e == ERR_OK && !record_is_erased(&l.record)) {
			record_text(&l.record, F_referral_domain, &domain);
			leaf[DIM_domain] = tally_leaf(DIM_domain, domain);
			leaf[DIM_group] = group_of(app, &l.record);
			e = outcome_of(&pool, &l.record, plan, &leaf[DIM_outcome]);
			if (e == ERR_OK && leaf[DIM_outcome] != 0) {
				add(cell, cells, leaf, x);
				++*referrals;
			}
		}
		store_loaded_free(&l);
	}
	dots_free(&ids);
	e = within_pool(ec, &pool, e);
	pool_free(&pool);
	return e;
}

/* The code of a dimension's n-th key at a level: finest codes in their order, then the total. */
static uint32_t key_code(enum tally_dim dim, uint32_t depth, size_t n)
{
	size_t at = 0;

	for (uint32_t k = 1; k < tally_codes(dim); k++) {
		uint32_t d = tally_depth(dim, k);

		if ((d == depth || (d < depth && tally_code(dim, k).leaf)) && at++ == n)
			return k;
	}
	return 0;
}

struct tally_cell tally_grid_cell(size_t table, size_t level, size_t row, size_t column)
{
	size_t unused = 0;
	const struct tally_table_def *t = &tally_tables(&unused)[table];
	const struct tally_level_def *l = &tally_levels(&unused)[level];
	struct tally_cell cell = { { 0 } };

	cell.code[t->dim[0]] = key_code(t->dim[0], l->depth[0], row);
	cell.code[t->dim[1]] = key_code(t->dim[1], l->depth[1], column);
	return cell;
}

static enum err fill_dim(struct pool *pool, enum tally_dim dim, uint32_t depth, struct grid_dim *out)
{
	const struct tally_dim_def *def = tally_dim(dim);
	uint32_t code = 0;

	*out = (struct grid_dim){ .name = def->name, .nl = def->nl, .en = def->en };
	out->key = pool_take(pool, tally_codes(dim) * sizeof(*out->key));
	if (out->key == NULL)
		return ERR_NO_MEMORY;
	do {
		struct tally_code c;

		code = key_code(dim, depth, out->keys);
		c = tally_code(dim, code);
		out->key[out->keys++] = (struct grid_key){ code == 0 ? "total" : c.id, c.nl, c.en };
	} while (code != 0);
	return ERR_OK;
}

enum err tally_grids(struct pool *pool, size_t level, struct grid **out, size_t *count)
{
	size_t levels = 0;
	const struct tally_level_def *l = &tally_levels(&levels)[level];
	const struct tally_table_def *t = tally_tables(count);
	enum err e = ERR_OK;

	if (l->depth[0] == 0)
		*count = 1; /* the total of one first dimension is that of the others */
	*out = pool_take(pool, *count * sizeof(**out));
	if (*out == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; e == ERR_OK && i < *count; i++) {
		struct grid *g = &(*out)[i];

		*g = (struct grid){ .name = t[i].name,
			            .nl = t[i].nl,
			            .en = t[i].en,
			            .level = l->name,
			            .level_nl = l->nl,
			            .level_en = l->en };
		for (size_t a = 0; e == ERR_OK && a < 2; a++)
			e = fill_dim(pool, t[i].dim[a], l->depth[a], &g->dim[a]);
		if (e == ERR_OK) {
			g->cell = pool_take(pool, g->dim[0].keys * g->dim[1].keys * sizeof(*g->cell));
			e = g->cell == NULL ? ERR_NO_MEMORY : ERR_OK;
		}
	}
	return e;
}
