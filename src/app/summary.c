// SPDX-License-Identifier: EUPL-1.2
// The published tables, from the release record alone: nobody's records are read for it. The public view is made from
// what is released, so what is hidden there stays hidden (D5).
#include <stdlib.h>

#include "app/tally.h"
#include "app/tally_figures.h"
#include "app/within.h"
#include "disclose/disclose.h"

static struct grid_cell shown(const struct release *r, const struct tally_cell *at, bool public_view)
{
	struct grid_cell out = { .hidden = true };

	for (size_t c = 0; c < r->cells; c++) {
		bool same = true;

		for (size_t d = 0; d < TALLY_DIMS; d++)
			same = same && r->cell[c].at.code[d] == at->code[d];
		if (!same)
			continue;
		out.hidden = r->cell[c].hidden;
		out.count = r->cell[c].count;
		if (public_view)
			out.hidden = !sdc_public(out.hidden ? SDC_SECONDARY : SDC_OPEN, r->cell[c].count, &out.count);
	}
	return out;
}

static enum err fill(const struct release *r, struct summary *out)
{
	char text[QUARTER_TEXT_LEN];
	enum err e = ERR_OK;

	quarter_text(r->period, text);
	out->period = pool_str(&out->pool, text);
	for (size_t k = 0; k < 4; k++)
		out->audit[k] = r->audit[k] == RELEASE_PASSED ? "passed" : "not_run";
	out->shown = r->shown;
	out->band[0] = r->band[0];
	out->band[1] = r->band[1];
	out->checked = r->checked;
	out->method = RELEASE_METHOD;
	if (r->level == RELEASE_NO_LEVEL)
		return ERR_OK;
	e = tally_grids(&out->pool, r->level, &out->grid, &out->grids);
	for (size_t t = 0; e == ERR_OK && t < out->grids; t++) {
		struct grid *g = &out->grid[t];
		size_t columns = g->dim[1].keys;

		for (size_t k = 0; k < g->dim[0].keys * columns; k++) {
			struct tally_cell at = tally_grid_cell(t, r->level, k / columns, k % columns);

			g->cell[k] = shown(r, &at, out->public_view);
		}
	}
	return e;
}

static int newest_first(const void *a, const void *b)
{
	const struct tally_found *x = a;
	const struct tally_found *y = b;

	if (x->plan.period.year != y->plan.period.year)
		return x->plan.period.year > y->plan.period.year ? -1 : 1;
	return (x->plan.period.quarter < y->plan.period.quarter) - (x->plan.period.quarter > y->plan.period.quarter);
}

/* The newest case that has a release; where none has, the newest plan's. */
static enum err newest(struct errctx *ec, struct app *app, struct tally_case *out)
{
	struct space_row space = { 0 };
	struct tally_found *list = NULL;
	size_t count = 0;
	bool found = false;
	enum err e = tally_space(ec, app, &space);

	if (e == ERR_OK)
		e = tally_plans(ec, app, &space, &list, &count);
	if (e == ERR_OK && count > 0)
		qsort(list, count, sizeof(*list), newest_first);
	for (size_t i = 0; e == ERR_OK && !found && i < count; i++) {
		char period[QUARTER_TEXT_LEN];

		quarter_text(list[i].plan.period, period);
		e = tally_case_load(ec, app, period, out);
		found = e == ERR_OK && !dot_is_none(out->release_id);
		if (!found)
			tally_case_free(out);
	}
	free(list);
	return e == ERR_OK && !found ? tally_case_load(ec, app, NULL, out) : e;
}

enum err app_summary(struct errctx *ec, struct app *app, const char *period, bool public_view, struct summary *out)
{
	struct tally_case c = { 0 };
	char text[QUARTER_TEXT_LEN];
	enum err e = ERR_OK;

	*out = (struct summary){ .public_view = public_view };
	e = period == NULL ? newest(ec, app, &c) : tally_case_load(ec, app, period, &c);
	if (e == ERR_OK && dot_is_none(c.release_id)) {
		quarter_text(c.plan.period, text);
		e = err_set(ec, ERR_LATER,
		            "There is no summary of %1 yet: the tellers are not ready. See: tally status.", text, NULL,
		            NULL);
	}
	if (e == ERR_OK)
		e = fill(&c.release, out);
	tally_case_free(&c);
	return within_pool(ec, &out->pool, e);
}

void app_summary_free(struct summary *s)
{
	pool_free(&s->pool);
}
