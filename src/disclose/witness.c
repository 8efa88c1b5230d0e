// SPDX-License-Identifier: EUPL-1.2
// What counts as proof (D1 to D4). A proposed table is checked in whole numbers against every sum it touches and
// against what a reader who knows the rules would believe; only then does it prove a claim. Who proposed it does not
// matter.
#include "disclose/prover.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define POOL_MOST 6000 /* witnesses carried over from pattern to pattern */

void witness_clear(struct witness *w)
{
	free(w->cell);
	free(w->y);
}

uint32_t tree_root(uint32_t *part_of, uint32_t c)
{
	while (part_of[c] != c) {
		part_of[c] = part_of[part_of[c]];
		c = part_of[c];
	}
	return c;
}

/* Which hidden cells hang together through sums. */
void prover_parts_refresh(struct prover *pr)
{
	const struct sdc_problem *p = pr->p;

	if (pr->parts_fresh)
		return;
	for (uint32_t c = 0; c < p->cells; c++)
		pr->part_of[c] = c;
	for (size_t s = 0; s < p->sums; s++) {
		uint32_t first = UINT32_MAX;

		for (uint32_t k = p->sum[s].start; k < p->sum[s + 1].start; k++) {
			uint32_t c = p->sum_cell[k];

			if (!pr->hidden[c])
				continue;
			if (first == UINT32_MAX)
				first = c;
			else
				pr->part_of[tree_root(pr->part_of, c)] = tree_root(pr->part_of, first);
		}
	}
	for (uint32_t c = 0; c < p->cells; c++)
		pr->part_of[c] = tree_root(pr->part_of, c);
	pr->parts_fresh = true;
}

static int64_t beside_part(const int64_t *y, const struct sdc_group *g)
{
	return y[g->margin] - y[g->part];
}

/* Does the witness in pr->y prove the claim? */
static bool proves(const struct prover *pr, const struct claim *c)
{
	switch ((enum claim_kind)c->kind) {
	case CLAIM_RAISE:
		return pr->y[c->a] >= raise_need(pr->p, c->a);
	case CLAIM_GROUP:
		return beside_part(pr->y, &pr->p->group[c->a]) >= group_need(pr->p, &pr->p->group[c->a]);
	case CLAIM_MOVE:
		return pr->y[c->a] != 0;
	case CLAIM_INSIDER:
		return pr->y[c->a] == 0 && pr->y[c->b] != 0;
	case CLAIM_VOID:
		return true;
	}
	return false;
}

static int64_t value_of(const struct prover *pr, uint32_t cell)
{
	return (int64_t)count_n(pr->p, cell) + pr->y[cell];
}

/* Marks the components in which, at the values of the witness, something is reason to hide. */
static void small_reasons(struct prover *pr, uint8_t mark)
{
	for (uint32_t c = 0; c < pr->p->cells; c++) {
		int64_t v = value_of(pr, c);

		if (pr->hidden[c] && v > 0 && v < (int64_t)pr->p->rules.threshold)
			pr->reason[pr->part_of[c]] |= mark;
	}
}

static void group_reasons(struct prover *pr, uint8_t mark)
{
	const struct sdc_problem *p = pr->p;

	for (size_t s = 0; s < p->sums; s++) {
		int64_t whole = value_of(pr, p->sum_cell[p->sum[s].start]);

		for (uint32_t k = p->sum[s].start + 1; k < p->sum[s + 1].start; k++) {
			uint32_t c = p->sum_cell[k];

			if (pr->hidden[c] && value_of(pr, c) > 0 && value_of(pr, c) + 1 >= whole)
				pr->reason[pr->part_of[c]] |= mark;
		}
	}
}

/* A reader who knows the rules believes only what they would have hidden: in each connected part of hidden cells
 * something is small or makes a group (where contributors count, too few of them can be the reason for any cell that
 * is not 0), and a 0 is hidden beside a group only. A part that would be beyond belief does not move: parts hang
 * together by no sum, so the rest of the witness still holds. */
static void beliefs_keep(struct prover *pr)
{
	enum { SMALL = 1, GROUP = 2, ZERO = 4 };
	const struct sdc_problem *p = pr->p;
	bool any_reason = !needs_reason(p);

	if (!pr->knows_rules || (any_reason && !p->rules.group))
		return;
	prover_parts_refresh(pr);
	memset(pr->reason, any_reason ? SMALL : 0, p->cells);
	small_reasons(pr, SMALL);
	if (p->rules.group)
		group_reasons(pr, SMALL | GROUP);
	for (uint32_t c = 0; c < p->cells; c++) {
		if (pr->hidden[c] && count_n(p, c) > 0 && value_of(pr, c) == 0)
			pr->reason[pr->part_of[c]] |= ZERO;
	}
	for (uint32_t c = 0; c < p->cells; c++) {
		uint8_t r = pr->reason[pr->part_of[c]];

		if (pr->y[c] != 0 && (!(r & SMALL) || ((r & ZERO) && !(r & GROUP))))
			pr->y[c] = 0;
	}
}

static void scratch_put(struct prover *pr, const struct witness *w)
{
	for (size_t k = 0; k < w->len; k++)
		pr->y[w->cell[k]] = w->y[k];
}

static void scratch_clear(struct prover *pr, const struct witness *w)
{
	for (size_t k = 0; k < w->len; k++)
		pr->y[w->cell[k]] = 0;
}

/* Is a witness found under another pattern as good under this one? */
static bool witness_stands(struct prover *pr, const struct witness *w)
{
	bool fine = true;

	for (size_t k = 0; fine && k < w->len; k++)
		fine = pr->hidden[w->cell[k]];
	if (!fine)
		return false;
	scratch_put(pr, w);
	beliefs_keep(pr);
	for (size_t k = 0; k < w->len; k++)
		fine &= pr->y[w->cell[k]] != 0;
	scratch_clear(pr, w);
	return fine;
}

enum err prover_show(struct prover *pr, uint32_t cell, struct errctx *ec)
{
	pr->hidden[cell] = 0;
	pr->parts_fresh = false;
	pr->trial++;
	for (size_t k = 0; k < pr->pool_len; k++) {
		if (pr->pool[k].off == 0 && !witness_stands(pr, &pr->pool[k]))
			pr->pool[k].off = pr->trial;
	}
	for (size_t k = 0; k < pr->claims; k++) {
		struct claim *c = &pr->claim[k];

		if (c->kind == CLAIM_MOVE && c->a == cell)
			*c = (struct claim){ CLAIM_VOID, cell, 0, 0 };
		else if (c->kind != CLAIM_VOID && c->cover >= 0 && pr->pool[c->cover].off != 0)
			c->cover = -1;
	}
	return prover_bounds_usual(pr, cell, 0.0, ec);
}

void prover_show_undo(struct prover *pr, uint32_t mark, const struct claim *before)
{
	for (size_t k = 0; k < pr->pool_len; k++) {
		if (pr->pool[k].off > mark)
			pr->pool[k].off = 0;
	}
	memcpy(pr->claim, before, pr->claims * sizeof *before);
}

enum err prover_pattern_set(struct prover *pr, const enum sdc_state *state, struct errctx *ec)
{
	enum err e = ERR_OK;
	size_t kept = 0;

	for (size_t k = 0; e == ERR_OK && k < pr->cell_cols; k++) {
		uint32_t cell = pr->cell_of[k];

		if (pr->hidden[cell] != (state[cell] != SDC_OPEN)) {
			pr->hidden[cell] = state[cell] != SDC_OPEN;
			e = prover_bounds_usual(pr, cell, 0.0, ec);
		}
	}
	pr->parts_fresh = false;
	pr->claims = 0;
	pr->trial++;
	for (size_t k = 0; k < pr->pool_len; k++) {
		pr->pool[k].off = witness_stands(pr, &pr->pool[k]) ? 0 : pr->trial;
		if (pr->pool_len < POOL_MOST || pr->pool[k].off == 0)
			pr->pool[kept++] = pr->pool[k];
		else
			witness_clear(&pr->pool[k]);
	}
	pr->pool_len = kept;
	return e;
}

/* Every sum that y touches holds, shown cells do not move, and no cell falls lower than can be believed. */
static bool witness_holds(struct prover *pr)
{
	const struct sdc_problem *p = pr->p;

	for (uint32_t c = 0; c < p->cells; c++) {
		if (pr->y[c] == 0)
			continue;
		if (!pr->hidden[c] || pr->y[c] < -lean_down(pr, c, true) || pr->y[c] > INT64_C(1) << 44)
			return false;
		for (uint32_t k = p->in_start[c]; k < p->in_start[c + 1]; k++) {
			size_t s = p->in_sum[k];
			int64_t sum = -pr->y[p->sum_cell[p->sum[s].start]];

			for (uint32_t j = p->sum[s].start + 1; j < p->sum[s + 1].start; j++)
				sum += pr->y[p->sum_cell[j]];
			if (sum != 0)
				return false;
		}
	}
	return true;
}

static enum err pool_put(struct prover *pr, struct errctx *ec)
{
	struct witness w = { .off = 0 };
	size_t at = 0;

	if (pr->pool_len == pr->pool_room) {
		size_t room = pr->pool_room == 0 ? 64 : 2 * pr->pool_room;
		struct witness *more = realloc(pr->pool, room * sizeof *more);

		if (more == NULL)
			return no_memory(ec);
		pr->pool = more;
		pr->pool_room = room;
	}
	for (size_t c = 0; c < pr->p->cells; c++)
		w.len += pr->y[c] != 0;
	w.cell = calloc(w.len + 1, sizeof *w.cell);
	w.y = calloc(w.len + 1, sizeof *w.y);
	if (w.cell == NULL || w.y == NULL) {
		free(w.cell);
		free(w.y);
		return no_memory(ec);
	}
	for (uint32_t c = 0; c < pr->p->cells; c++) {
		if (pr->y[c] != 0) {
			w.cell[at] = c;
			w.y[at++] = pr->y[c];
		}
	}
	pr->pool[pr->pool_len++] = w;
	return ERR_OK;
}

enum err prover_offer(struct prover *pr, bool *useful, struct errctx *ec)
{
	enum err e = ERR_OK;

	*useful = false;
	beliefs_keep(pr);
	if (witness_holds(pr)) {
		for (size_t k = 0; k < pr->claims; k++) {
			if (pr->claim[k].cover < 0 && proves(pr, &pr->claim[k])) {
				pr->claim[k].cover = (int32_t)pr->pool_len;
				*useful = true;
			}
		}
		if (*useful)
			e = pool_put(pr, ec);
	}
	memset(pr->y, 0, pr->p->cells * sizeof *pr->y);
	return e;
}

enum err prover_hints_try(struct prover *pr, const struct sdc_hints *hints, struct errctx *ec)
{
	enum err e = ERR_OK;
	bool useful;

	for (size_t k = 0; e == ERR_OK && k < hints->count; k++) {
		scratch_put(pr, &hints->witness[k]);
		e = prover_offer(pr, &useful, ec);
	}
	return e;
}

enum err prover_hints_take(struct prover *pr, struct sdc_hints *out, struct errctx *ec)
{
	bool *used = calloc(pr->pool_len + 1, sizeof *used);
	struct witness *w = calloc(pr->pool_len + 1, sizeof *w);
	size_t kept = 0;

	if (used == NULL || w == NULL) {
		free(used);
		free(w);
		return no_memory(ec);
	}
	for (size_t k = 0; k < pr->claims; k++) {
		if (pr->claim[k].kind != CLAIM_VOID && pr->claim[k].cover >= 0)
			used[pr->claim[k].cover] = true;
	}
	for (size_t k = 0; k < pr->pool_len; k++) {
		if (!used[k]) {
			witness_clear(&pr->pool[k]);
			continue;
		}
		w[kept++] = pr->pool[k];
	}
	free(used);
	pr->pool_len = 0;
	pr->claims = 0;
	hints_clear(out);
	*out = (struct sdc_hints){ w, kept };
	return ERR_OK;
}

/* Tries the witnesses at hand. */
void prover_pool_try(struct prover *pr)
{
	for (size_t w = 0; w < pr->pool_len; w++) {
		if (pr->pool[w].off != 0)
			continue;
		scratch_put(pr, &pr->pool[w]);
		for (size_t k = 0; k < pr->claims; k++) {
			if (pr->claim[k].cover < 0 && proves(pr, &pr->claim[k]))
				pr->claim[k].cover = (int32_t)w;
		}
		scratch_clear(pr, &pr->pool[w]);
	}
}
