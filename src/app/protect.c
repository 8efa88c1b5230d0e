// SPDX-License-Identifier: EUPL-1.2
// From names to codes and back: tables by strangers, through the same rules as our own (D1 to D4).
#include "app/protect.h"

#include <stdlib.h>
#include <string.h>

#include "app/patience.h"
#include "disclose/disclose.h"

#define TIME_MS (10 * 60 * 1000)
#define MEMORY_MIB 1024

/* The codes of one dimension; code 0 is the total. */
struct names {
	const char **name;
	uint32_t *parent;
	size_t n;
};

struct protect_work {
	const struct protect_in *in;
	struct protect_out *out;
	struct names dim[PROTECT_DIMS_MAX];
	struct sdc_problem *problem;
};

static int64_t now_ms(void *self)
{
	(void)self;
	return patience_ms();
}

static uint32_t code_find(const struct names *d, const char *name)
{
	for (size_t k = 0; k < d->n; k++) {
		if (strcmp(d->name[k], name) == 0)
			return (uint32_t)k;
	}
	return UINT32_MAX;
}

/* The code of a name, new under the total where it is not known yet. */
static enum err code_add(struct names *d, const char *name, uint32_t *out)
{
	const char **names = NULL;
	uint32_t *parents = NULL;

	*out = code_find(d, name);
	if (*out != UINT32_MAX)
		return ERR_OK;
	if ((d->n & (d->n - 1)) == 0) {
		size_t room = d->n == 0 ? 4 : 4 * d->n;

		names = reallocarray(d->name, room, sizeof(*names));
		d->name = names != NULL ? names : d->name;
		parents = reallocarray(d->parent, room, sizeof(*parents));
		d->parent = parents != NULL ? parents : d->parent;
		if (names == NULL || parents == NULL)
			return ERR_NO_MEMORY;
	}
	d->name[d->n] = name;
	d->parent[d->n] = 0;
	*out = (uint32_t)d->n++;
	return ERR_OK;
}

static enum err parents_read(struct errctx *ec, struct protect_work *w)
{
	for (size_t i = 0; i < w->in->parents; i++) {
		const struct protect_parent *p = &w->in->parent[i];
		uint32_t child = 0;
		uint32_t parent = 0;
		size_t d = 0;
		enum err e = ERR_OK;

		while (d < w->in->dims && strcmp(w->in->dim[d], p->dim) != 0)
			d++;
		if (d == w->in->dims)
			return err_set(ec, ERR_INPUT,
			               "The hierarchy names the dimension \"%1\", and the table has no such column.",
			               p->dim, NULL, NULL);
		e = code_add(&w->dim[d], p->parent, &parent);
		if (e == ERR_OK)
			e = code_add(&w->dim[d], p->child, &child);
		if (e != ERR_OK)
			return e;
		if (child == 0 || w->dim[d].parent[child] != 0)
			return err_set(ec, ERR_INPUT, "The hierarchy gives \"%1\" in \"%2\" two parents.", p->child,
			               p->dim, NULL);
		w->dim[d].parent[child] = parent;
	}
	return ERR_OK;
}

static enum err names_read(struct errctx *ec, struct protect_work *w)
{
	enum err e = ERR_OK;
	uint32_t code = 0;

	for (size_t d = 0; e == ERR_OK && d < w->in->dims; d++)
		e = code_add(&w->dim[d], PROTECT_TOTAL, &code);
	if (e == ERR_OK)
		e = parents_read(ec, w);
	for (size_t r = 0; e == ERR_OK && r < w->in->rows; r++) {
		for (size_t d = 0; e == ERR_OK && d < w->in->dims; d++)
			e = code_add(&w->dim[d], w->in->row[r].code[d], &code);
	}
	return e;
}

static enum err problem_new(struct errctx *ec, struct protect_work *w)
{
	static const struct clock clock = { now_ms, NULL };
	const struct sdc_rules rules = {
		.threshold = w->in->threshold, .group = true, .insider = true, .share_percent = 80
	};
	const struct sdc_limits limits = { .clock = &clock, .time_ms = TIME_MS, .memory_mib = MEMORY_MIB };
	struct sdc_dim dim[PROTECT_DIMS_MAX];
	struct sdc_axis axis[PROTECT_DIMS_MAX];
	const struct sdc_table table = { axis, w->in->dims };

	for (size_t d = 0; d < w->in->dims; d++) {
		dim[d] = (struct sdc_dim){ w->dim[d].parent, w->dim[d].n };
		axis[d] = (struct sdc_axis){ .dim = (uint32_t)d, .depth = SDC_FINEST, .subtotals = true };
	}
	return sdc_problem_new(dim, w->in->dims, &table, 1, &rules, &limits, &w->problem, ec);
}

/* The cell that a row names, or SDC_NO_CELL. */
static size_t cell_of(const struct protect_work *w, const struct protect_row *row)
{
	uint32_t code[PROTECT_DIMS_MAX];

	for (size_t d = 0; d < w->in->dims; d++) {
		code[d] = code_find(&w->dim[d], row->code[d]);
		if (code[d] == UINT32_MAX)
			return SDC_NO_CELL;
	}
	return sdc_cell_find(w->problem, code);
}

static enum err row_unknown(struct errctx *ec, const struct protect_row *row)
{
	return err_set(ec, ERR_INPUT,
	               "The row of \"%1\" is not an inner cell of the table. Give only the finest codes.", row->code[0],
	               NULL, NULL);
}

static enum err counts_set(struct errctx *ec, struct protect_work *w)
{
	bool *given = calloc(sdc_cells(w->problem), sizeof(*given));
	enum err e = given == NULL ? ERR_NO_MEMORY : ERR_OK;

	for (size_t r = 0; e == ERR_OK && r < w->in->rows; r++) {
		const struct protect_row *row = &w->in->row[r];
		size_t cell = cell_of(w, row);

		if (cell == SDC_NO_CELL || !sdc_cell_is_inner(w->problem, cell, 0)) {
			e = row_unknown(ec, row);
		} else if (given[cell]) {
			e = err_set(ec, ERR_INPUT, "Two rows of the table give the same cell, \"%1\".", row->code[0],
			            NULL, NULL);
		} else {
			given[cell] = true;
			e = sdc_count_set(w->problem, cell, (struct sdc_count){ .n = row->freq }, ec);
		}
	}
	free(given);
	return e == ERR_OK ? sdc_problem_close(w->problem, ec) : e;
}

/* The pattern to audit: what was asked for, with primaries told apart from secondaries by the rules. */
static enum err pattern_read(struct errctx *ec, struct protect_work *w, enum sdc_state *state)
{
	size_t cells = sdc_cells(w->problem);
	enum sdc_state *primary = calloc(cells, sizeof(*primary));
	enum err e = primary == NULL ? ERR_NO_MEMORY : ERR_OK;

	if (e == ERR_OK)
		sdc_primaries(w->problem, primary);
	for (size_t r = 0; e == ERR_OK && r < w->in->patterns; r++) {
		const struct protect_row *row = &w->in->pattern[r];
		size_t cell = cell_of(w, row);

		if (cell == SDC_NO_CELL)
			e = err_set(ec, ERR_INPUT, "The pattern has a row of \"%1\" that is no cell of the table.",
			            row->code[0], NULL, NULL);
		else if (row->hidden)
			state[cell] = primary[cell] == SDC_PRIMARY ? SDC_PRIMARY : SDC_SECONDARY;
	}
	free(primary);
	return e;
}

static const char *check_name(enum sdc_check c)
{
	return c == SDC_PASSED ? "passed" : c == SDC_FAILED ? "failed" : "not_run";
}

static void verdict_take(const struct protect_out *out, const struct sdc_verdict *v, struct protect_verdict *to)
{
	bool failed = v->check == SDC_FAILED;

	to->check = check_name(v->check);
	to->cell = failed && v->cell < out->cells ? &out->cell[v->cell] : NULL;
	to->known = failed && v->known < out->cells ? &out->cell[v->known] : NULL;
}

static enum err answer(struct protect_work *w, const enum sdc_state *state, const struct sdc_audit *audit,
                       const struct sdc_bounds *bounds)
{
	static const enum protect_status status[] = {
		[SDC_OPEN] = PROTECT_OPEN, [SDC_PRIMARY] = PROTECT_PRIMARY, [SDC_SECONDARY] = PROTECT_SECONDARY
	};
	const struct sdc_verdict *verdict[4] = { &audit->a, &audit->b, &audit->c, &audit->d };
	struct protect_out *out = w->out;
	uint64_t all = 0;
	uint64_t open = 0;

	out->cells = sdc_cells(w->problem);
	out->cell = pool_take(&out->pool, out->cells * sizeof(*out->cell));
	if (out->cell == NULL)
		return ERR_NO_MEMORY;
	for (size_t c = 0; c < out->cells; c++) {
		const uint32_t *code = sdc_cell_codes(w->problem, c);
		struct protect_cell *cell = &out->cell[c];

		for (size_t d = 0; d < w->in->dims; d++)
			cell->code[d] = w->dim[d].name[code[d]];
		cell->freq = sdc_count(w->problem, c).n;
		cell->status = status[state[c]];
		cell->lo = bounds[c].lo;
		cell->hi = bounds[c].hi;
		cell->in_public = sdc_public(state[c], cell->freq, &cell->public_freq);
		if (sdc_cell_is_inner(w->problem, c, 0)) {
			all += cell->freq;
			open += state[c] == SDC_OPEN ? cell->freq : 0;
		}
	}
	for (size_t k = 0; k < 4; k++)
		verdict_take(out, verdict[k], &out->audit[k]);
	out->passed = sdc_audit_passed(audit);
	out->shown = all == 0 ? 1000 : (uint32_t)(open * 1000 / all);
	return ERR_OK;
}

enum err app_protect(struct errctx *ec, const struct protect_in *in, struct protect_out *out)
{
	struct protect_work w = { .in = in, .out = out };
	struct sdc_audit audit = { 0 };
	struct sdc_bounds *bounds = NULL;
	enum sdc_state *state = NULL;
	enum err e = ERR_OK;

	*out = (struct protect_out){ 0 };
	e = names_read(ec, &w);
	if (e == ERR_OK)
		e = problem_new(ec, &w);
	if (e == ERR_OK)
		e = counts_set(ec, &w);
	if (e == ERR_OK) {
		state = calloc(sdc_cells(w.problem), sizeof(*state));
		bounds = calloc(sdc_cells(w.problem), sizeof(*bounds));
		e = state == NULL || bounds == NULL ? ERR_NO_MEMORY : ERR_OK;
	}
	if (e == ERR_OK)
		e = in->pattern != NULL ? pattern_read(ec, &w, state) : sdc_solve(w.problem, state, ec);
	if (e == ERR_OK)
		e = sdc_audit(w.problem, state, SDC_AUDIT_ALL, &audit, bounds, ec);
	if (e == ERR_OK)
		e = answer(&w, state, &audit, bounds);
	free(state);
	free(bounds);
	sdc_problem_free(w.problem);
	for (size_t d = 0; d < in->dims; d++) {
		free(w.dim[d].name);
		free(w.dim[d].parent);
	}
	return e == ERR_NO_MEMORY
	           ? err_set(ec, e, "There is not enough memory. Close other programs and try again.", NULL, NULL, NULL)
	           : e;
}

void app_protect_free(struct protect_out *out)
{
	pool_free(&out->pool);
}
