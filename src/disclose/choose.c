// SPDX-License-Identifier: EUPL-1.2
// The finest level that shows enough, and the public view. Every level is solved and audited from the counts alone;
// the order of levels is the plan's (D4, D5).
#include "disclose/problem.h"

#include <stdlib.h>
#include <string.h>

#define PUBLIC_HIDES 7 /* and less */
#define PUBLIC_STEP 5

bool sdc_public(enum sdc_state state, uint64_t n, uint64_t *value)
{
	bool shown = state == SDC_OPEN && n > PUBLIC_HIDES;

	*value = shown ? (n + PUBLIC_STEP / 2) / PUBLIC_STEP * PUBLIC_STEP : 0;
	return shown;
}

void sdc_release_clear(struct sdc_release *r)
{
	if (r->state != NULL && r->shown != NULL)
		explicit_bzero(r->state, sdc_cells(r->shown) * sizeof *r->state);
	free(r->state);
	sdc_problem_free(r->shown);
	*r = (struct sdc_release){ .view = SIZE_MAX };
}

unsigned sdc_release_share(const struct sdc_release *r)
{
	const uint32_t total[SDC_DIMS_MAX] = { 0 };
	size_t cell = sdc_cell_find(r->shown, total);

	if (cell == SDC_NO_CELL || r->state[cell] != SDC_OPEN || r->full_count == 0)
		return r->shown->rules.share_percent * 10;
	return (unsigned)(r->open_count * 1000 / r->full_count);
}

/* A problem with the cells of one view and the counts, weights and history of `all`. */
static enum err view_make(const struct sdc_problem *all, const struct sdc_view *view, struct sdc_problem **out,
                          struct errctx *ec)
{
	struct sdc_dim dim[SDC_DIMS_MAX];
	struct sdc_problem *p = NULL;
	enum err e;

	for (size_t d = 0; d < all->dims; d++)
		dim[d] = (struct sdc_dim){ all->dim[d].parent, all->dim[d].codes };
	e = sdc_problem_new(dim, all->dims, view->tables, view->count, &all->rules, &all->limits, &p, ec);
	for (size_t c = 0; e == ERR_OK && c < p->cells; c++) {
		size_t from = sdc_cell_find(all, sdc_cell_codes(p, c));

		if (from == SDC_NO_CELL) {
			e = err_set(ec, ERR_INPUT, "A level of the tables asks for cells that were not counted.", NULL,
			            NULL, NULL);
			break;
		}
		p->count[c] = all->count[from];
		p->weight[c] = all->weight[from];
		p->given[c] = all->given[from];
		p->is_set[c] = 1;
	}
	if (e == ERR_OK)
		e = sdc_problem_close(p, ec);
	if (e == ERR_OK)
		*out = p;
	else
		sdc_problem_free(p);
	return e;
}

/* How much of the count the inner cells of all tables show. */
static void shown_add(struct sdc_release *r)
{
	const struct sdc_problem *p = r->shown;

	r->open_count = r->full_count = 0;
	for (size_t t = 0; t < p->tables; t++) {
		for (size_t c = 0; c < p->cells; c++) {
			if (!sdc_cell_is_inner(p, c, t))
				continue;
			r->full_count += count_n(p, c);
			r->open_count += r->state[c] == SDC_OPEN ? count_n(p, c) : 0;
		}
	}
}

/* Notes the cell for which the audit refused. */
static void refusal_note(struct sdc_release *r)
{
	const struct sdc_verdict *v[4] = { &r->audit.a, &r->audit.b, &r->audit.c, &r->audit.d };
	size_t k = 0;

	while (k < 4 && v[k]->check != SDC_FAILED)
		k++;
	r->refused = true;
	if (k < 4 && v[k]->cell < r->shown->cells)
		memcpy(r->fallen, sdc_cell_codes(r->shown, v[k]->cell), r->shown->dims * sizeof *r->fallen);
}

enum err sdc_choose(const struct sdc_problem *all, const struct sdc_view *views, size_t view_count, unsigned which,
                    struct sdc_release *out, struct errctx *ec)
{
	struct sdc_release note = { .refused = false };
	enum err e = ERR_OK;

	*out = (struct sdc_release){ .view = SIZE_MAX };
	if (!all->closed)
		return err_set(ec, ERR_USAGE, "The tables are not complete yet.", NULL, NULL, NULL);
	for (size_t v = 0; v < view_count; v++) {
		bool possible;

		sdc_release_clear(out);
		e = view_make(all, &views[v], &out->shown, ec);
		if (e != ERR_OK)
			break;
		out->state = calloc(out->shown->cells, sizeof *out->state);
		if (out->state == NULL) {
			e = no_memory(ec);
			break;
		}
		e = sdc_solve_try(out->shown, out->state, &possible, ec);
		if (e != ERR_OK)
			break;
		shown_add(out);
		if (!possible || out->open_count * 100 < out->full_count * all->rules.share_percent)
			continue;
		e = sdc_audit(out->shown, out->state, which, &out->audit, NULL, ec);
		if (e != ERR_OK)
			break;
		if (sdc_audit_passed(&out->audit)) {
			out->view = v;
			return ERR_OK;
		}
		refusal_note(out);
		note = *out;
	}
	sdc_release_clear(out);
	out->refused = e == ERR_OK && note.refused;
	memcpy(out->fallen, note.fallen, sizeof out->fallen);
	return e;
}
