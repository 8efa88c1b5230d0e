// SPDX-License-Identifier: EUPL-1.2
// Shows again what need not be hidden: cell by cell, the dearest first, as long as every claim can still be proven
// (D1 to D4). What is left has no superfluous cell.
#include "disclose/rank.h"
#include "disclose/seeker.h"

#include <stdlib.h>
#include <string.h>

static int dearest_cmp(const void *a, const void *b, void *arg)
{
	const struct sdc_problem *p = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (p->weight[x] != p->weight[y])
		return p->weight[x] > p->weight[y] ? -1 : 1;
	return x > y ? -1 : x < y;
}

void seeker_dearest_first(const struct sdc_problem *p, uint32_t *cell, size_t count)
{
	struct sdc_problem look = { .weight = p->weight };

	if (count > 0)
		qsort_r(cell, count, sizeof *cell, dearest_cmp, &look);
}

/* One trial of showing a cell again, and with it the secondary cells that this makes exact. */
struct trial {
	uint32_t mark;
	struct claim *before; /* room for all claims */
	uint32_t *shown;      /* room for all cells */
	size_t count;
};

static enum err trial_show(struct seeker *s, struct trial *t, uint32_t cell, enum sdc_state *state, struct errctx *ec)
{
	t->shown[t->count++] = cell;
	state[cell] = SDC_OPEN;
	return prover_show(s->pr, cell, ec);
}

static enum err trial_undo(struct seeker *s, struct trial *t, enum sdc_state *state, struct errctx *ec)
{
	enum err e = ERR_OK;

	prover_show_undo(s->pr, t->mark, t->before);
	for (size_t k = 0; e == ERR_OK && k < t->count; k++) {
		state[t->shown[k]] = SDC_SECONDARY;
		e = prover_hide(s->pr, t->shown[k], ec);
	}
	return e;
}

/* Asks for the claim that the cell was hidden for, if it is open now. */
static enum err ask_why(struct seeker *s, uint32_t cell, bool *proven, struct errctx *ec)
{
	const struct claim *why = &s->why[cell];
	enum err e = ERR_OK;

	*proven = true;
	for (size_t k = 0; e == ERR_OK && *proven && k < s->pr->claims; k++) {
		const struct claim *c = &s->pr->claim[k];

		if (c->kind == why->kind && c->a == why->a && c->b == why->b && c->kind != CLAIM_MOVE)
			e = prover_one(s->pr, k, proven, ec);
	}
	return e;
}

/* Shows the cell if every claim can still be proven. A secondary cell that becomes exact is shown too. */
static enum err try_showing(struct seeker *s, struct trial *t, uint32_t cell, enum sdc_state *state, struct errctx *ec)
{
	bool proven = false;
	size_t failed = 0;
	enum err e;

	t->mark = s->pr->trial;
	t->count = 0;
	memcpy(t->before, s->pr->claim, s->pr->claims * sizeof *t->before);
	e = trial_show(s, t, cell, state, ec);
	if (e == ERR_OK)
		e = ask_why(s, cell, &proven, ec);
	while (e == ERR_OK && proven && failed != SIZE_MAX) {
		const struct claim *c;

		e = prover_run(s->pr, &failed, ec);
		if (e != ERR_OK || failed == SIZE_MAX)
			break;
		c = &s->pr->claim[failed];
		proven =
		    c->kind == CLAIM_MOVE && state[c->a] == SDC_SECONDARY && s->p->given[c->a] != SDC_HIDDEN_BEFORE;
		if (proven)
			e = trial_show(s, t, c->a, state, ec);
	}
	if (e == ERR_OK && !proven)
		e = trial_undo(s, t, state, ec);
	return e;
}

/* What the shown cells of a large system already say by sums alone: which trials need not be made. NULL elsewhere. */
static enum err rank_of(const struct seeker *s, const enum sdc_state *state, struct rank **out, struct errctx *ec)
{
	enum err e;

	*out = NULL;
	if (s->p->cells < LARGE_CELLS || s->flow != NULL)
		return ERR_OK;
	e = rank_new(s->p, out, ec);
	for (uint32_t c = 0; e == ERR_OK && *out != NULL && c < s->p->cells; c++) {
		if (state[c] == SDC_OPEN)
			rank_show(*out, c);
	}
	return e;
}

enum err seeker_tidy(struct seeker *s, enum sdc_state *state, struct errctx *ec)
{
	const struct sdc_problem *p = s->p;
	uint32_t *order = calloc(p->cells + 1, sizeof *order);
	struct trial t = { .before = calloc(s->pr->claims + 1, sizeof *t.before),
		           .shown = calloc(p->cells, sizeof *t.shown) };
	struct rank *r = NULL;
	size_t count = 0;
	enum err e = p->cells < LARGE_CELLS ? ERR_OK : prover_slim(&s->pr, ec);

	s->pr->hurried = p->cells >= LARGE_CELLS;
	if (order == NULL || t.before == NULL || t.shown == NULL)
		e = no_memory(ec);
	if (e == ERR_OK)
		e = rank_of(s, state, &r, ec);
	for (uint32_t c = 0; e == ERR_OK && c < p->cells; c++) {
		if (state[c] == SDC_SECONDARY && p->given[c] != SDC_HIDDEN_BEFORE)
			order[count++] = c;
	}
	if (e == ERR_OK)
		seeker_dearest_first(p, order, count);
	for (size_t k = 0; e == ERR_OK && k < count; k++) {
		if (state[order[k]] != SDC_SECONDARY || (r != NULL && rank_gives_away(r, state, order[k])))
			continue;
		e = try_showing(s, &t, order[k], state, ec);
		for (size_t j = 0; r != NULL && j < t.count; j++) {
			if (state[t.shown[j]] == SDC_OPEN)
				rank_show(r, t.shown[j]);
		}
	}
	s->pr->hurried = false;
	rank_free(r);
	free(order);
	free(t.before);
	free(t.shown);
	return e;
}
