// SPDX-License-Identifier: EUPL-1.2
// Chooses the cells to hide besides the primaries. For each claim without a witness the cheapest moves that would prove
// it are found, with a cost for every shown cell they touch; those cells are hidden. Then what need not be hidden is
// shown again. Costs and the order of everything come from positions and the plan's weights; counts enter only where
// a proof needs them (D1 to D4).
#include "disclose/prover.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define REWEIGHTS 3 /* passes that turn "few moves" into "few cells" */

struct seeker {
	const struct sdc_problem *p;
	struct prover *pr;
	struct lp *lp; /* two columns per cell: up, down */
	double *x;
	double *price; /* per cell: cost per unit of move in this pass */
	double *best;  /* per cell: the moves of the cheapest pass */
	struct lp_change *change;
	size_t changes;
	struct claim *why; /* per cell: the claim it was hidden for */
	struct claim now;  /* the claim that is being met */
	bool zeros;        /* zeros may be hidden now: where the group rule is in force, and nothing else helps */
	bool zero_hidden;  /* one was */
};

static void seeker_clear(struct seeker *s)
{
	lp_close(s->lp);
	prover_free(s->pr);
	free(s->x);
	free(s->price);
	free(s->best);
	free(s->change);
	free(s->why);
}

static enum err seeker_init(struct seeker *s, const struct sdc_problem *p, const uint8_t *may_hide, int64_t deadline,
                            struct errctx *ec)
{
	struct moves_model m = { 0 };
	enum err e;

	*s = (struct seeker){ .p = p };
	e = prover_new(p, may_hide, deadline, &s->pr, ec);
	if (e != ERR_OK)
		return e;
	s->pr->knows_rules = true;
	s->x = calloc(2 * p->cells + p->groups + 1, sizeof *s->x);
	s->price = calloc(p->cells, sizeof *s->price);
	s->best = calloc(p->cells, sizeof *s->best);
	s->change = calloc(2 * p->cells + p->groups + 8, sizeof *s->change);
	s->why = calloc(p->cells, sizeof *s->why);
	if (s->why == NULL || s->x == NULL || s->price == NULL || s->best == NULL || s->change == NULL)
		return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.",
		               NULL, NULL, NULL);
	e = moves_model_make(p, s->pr->col_of, s->pr->cell_cols, true, &m, ec);
	if (e == ERR_OK)
		e = lp_open(&m.lp, &p->limits, deadline, &s->lp, ec);
	moves_model_clear(&m);
	return e;
}

static void put(struct seeker *s, size_t col, double lower, double upper, double cost)
{
	s->change[s->changes++] =
	    (struct lp_change){ .col = (uint32_t)col, .lower = lower, .upper = upper, .cost = cost };
}

/* A zero is shown unless a group rule needs it hidden. */
static bool usable(const struct seeker *s, uint32_t cell)
{
	return s->pr->hidden[cell] || count_n(s->p, cell) > 0 || s->zeros;
}

/* All columns for one claim met in direction dir. False: cannot be met that way. */
static bool columns_put(struct seeker *s, const struct claim *c, int dir)
{
	const struct sdc_problem *p = s->p;
	const struct prover *pr = s->pr;
	uint32_t target = c->kind == CLAIM_INSIDER ? c->b : c->a;

	s->changes = 0;
	for (size_t k = 0; k < pr->cell_cols; k++) {
		uint32_t cell = pr->cell_of[k];
		bool use = usable(s, cell) && !(c->kind == CLAIM_INSIDER && cell == c->a);
		int64_t down = lean_down(pr, cell, s->zeros);
		double up_least = 0, up_most = use ? (double)pr->cap : 0, down_least = 0,
		       down_most = use ? (double)down : 0;

		if (c->kind != CLAIM_GROUP && cell == target) {
			if (dir > 0) {
				up_least = c->kind == CLAIM_RAISE ? (double)raise_need(p, cell) : 1.0;
				down_most = 0;
			} else {
				down_least = 1.0;
				up_most = 0;
			}
			if (up_least > up_most || down_least > down_most)
				return false;
		}
		put(s, 2 * k, up_least, up_most, s->price[cell]);
		put(s, 2 * k + 1, down_least, down_most, s->price[cell]);
	}
	for (size_t g = 0; g < p->groups; g++) {
		bool asked = c->kind == CLAIM_GROUP && g == c->a;

		put(s, 2 * pr->cell_cols + g, asked ? (double)group_need(p, &p->group[g]) : -LP_INFINITY, LP_INFINITY,
		    0);
	}
	return !(c->kind == CLAIM_GROUP && dir < 0);
}

/* One claim in one direction: the cells to hide for it, by moves in s->best; their total weight in *weight, INFINITY if
 * there is no way. */
static enum err cheapest_moves(struct seeker *s, const struct claim *c, int dir, double *weight, struct errctx *ec)
{
	const struct sdc_problem *p = s->p;
	const struct prover *pr = s->pr;
	enum err e = ERR_OK;

	*weight = INFINITY;
	for (size_t k = 0; k < pr->cell_cols; k++)
		s->price[pr->cell_of[k]] = pr->hidden[pr->cell_of[k]] ? 0.0 : p->weight[pr->cell_of[k]];
	for (int pass = 0; pass < REWEIGHTS; pass++) {
		enum lp_status status;
		double total = 0;
		size_t touched = 0;

		if (!columns_put(s, c, dir))
			return ERR_OK;
		e = lp_solve(s->lp, s->change, s->changes, &status, s->x, ec);
		if (e != ERR_OK || status != LP_OPTIMAL)
			return e;
		for (size_t k = 0; k < pr->cell_cols; k++) {
			uint32_t cell = pr->cell_of[k];
			double move = s->x[2 * k] - s->x[2 * k + 1];

			if (!pr->hidden[cell] && fabs(move) > 1e-6) {
				total += p->weight[cell];
				touched++;
			}
		}
		if (total < *weight) {
			*weight = total;
			for (size_t k = 0; k < pr->cell_cols; k++)
				s->best[pr->cell_of[k]] = s->x[2 * k] - s->x[2 * k + 1];
		}
		if (touched <= 1)
			break;
		for (size_t k = 0; k < pr->cell_cols; k++) {
			uint32_t cell = pr->cell_of[k];

			if (!pr->hidden[cell])
				s->price[cell] = p->weight[cell] / (fabs(s->x[2 * k] - s->x[2 * k + 1]) + 0.3);
		}
	}
	return ERR_OK;
}

/* Hides one more cell, and claims that it is not exact. */
static enum err hide(struct seeker *s, uint32_t cell, enum sdc_state *state, struct errctx *ec)
{
	enum err e = prover_hide(s->pr, cell, ec);

	state[cell] = SDC_SECONDARY;
	s->why[cell] = s->now;
	s->zero_hidden |= count_n(s->p, cell) == 0;
	if (e == ERR_OK)
		e = prover_claim(s->pr, CLAIM_MOVE, cell, 0, ec);
	return e;
}

/* Hides what the moves in s->best touch. */
static enum err hide_moved(struct seeker *s, enum sdc_state *state, struct errctx *ec)
{
	const struct prover *pr = s->pr;
	enum err e = ERR_OK;
	bool useful;

	for (size_t k = 0; e == ERR_OK && k < pr->cell_cols; k++) {
		uint32_t cell = pr->cell_of[k];

		if (pr->hidden[cell] || fabs(s->best[cell]) <= 1e-6)
			continue;
		e = hide(s, cell, state, ec);
	}
	for (size_t k = 0; k < pr->cell_cols; k++)
		pr->y[pr->cell_of[k]] = (int64_t)nearbyint(s->best[pr->cell_of[k]]);
	if (e == ERR_OK)
		e = prover_offer(s->pr, &useful, ec);
	return e;
}

/* When moves in fractions, or a reader who knows the rules, leave a claim unproven: hide the cheapest shown cell that
 * stands in a sum with a hidden one, first by weight, then by position. False: nothing is left. */
static bool widen(struct seeker *s, enum sdc_state *state, enum err *e, struct errctx *ec)
{
	const struct sdc_problem *p = s->p;
	const struct prover *pr = s->pr;
	uint32_t pick = UINT32_MAX;

	for (size_t sum = 0; sum < p->sums; sum++) {
		bool near = false;

		for (uint32_t k = p->sum[sum].start; !near && k < p->sum[sum + 1].start; k++)
			near = pr->hidden[p->sum_cell[k]];
		for (uint32_t k = p->sum[sum].start; near && k < p->sum[sum + 1].start; k++) {
			uint32_t cell = p->sum_cell[k];

			if (pr->hidden[cell] || pr->col_of[cell] < 0 || !usable(s, cell))
				continue;
			if (pick == UINT32_MAX || p->weight[cell] < p->weight[pick] ||
			    (p->weight[cell] == p->weight[pick] && cell < pick))
				pick = cell;
		}
	}
	if (pick == UINT32_MAX)
		return false;
	*e = hide(s, pick, state, ec);
	return true;
}

/* The cheaper direction's moves in s->best; INFINITY in *weight if there is no way. */
static enum err cheapest_way(struct seeker *s, const struct claim *c, double *weight, struct errctx *ec)
{
	double down = INFINITY;
	enum err e = cheapest_moves(s, c, 1, weight, ec);

	if (e == ERR_OK && c->kind != CLAIM_RAISE && c->kind != CLAIM_GROUP && *weight > 0) {
		e = cheapest_moves(s, c, -1, &down, ec);
		if (e == ERR_OK && down >= *weight)
			e = cheapest_moves(s, c, 1, weight, ec);
		else
			*weight = down;
	}
	return e;
}

static enum err claim_meet(struct seeker *s, size_t at, enum sdc_state *state, bool *possible, struct errctx *ec)
{
	const struct claim c = s->pr->claim[at];
	double weight;
	bool proven = false;
	enum err e;

	s->now = c;
	s->zeros = c.kind == CLAIM_GROUP;
	e = cheapest_way(s, &c, &weight, ec);
	if (e == ERR_OK && isinf(weight) && s->p->rules.group && !s->zeros) {
		s->zeros = true;
		e = cheapest_way(s, &c, &weight, ec);
	}
	if (e == ERR_OK && !isinf(weight))
		e = hide_moved(s, state, ec);
	if (e == ERR_OK)
		e = prover_one(s->pr, at, &proven, ec);
	while (e == ERR_OK && !proven) {
		if (!widen(s, state, &e, ec)) {
			*possible = false;
			return ERR_OK;
		}
		if (e == ERR_OK)
			e = prover_one(s->pr, at, &proven, ec);
	}
	return e;
}

/* Proves every claim, hiding what that takes. Hiding adds claims at the end. */
static enum err claims_meet(struct seeker *s, enum sdc_state *state, bool *possible, struct errctx *ec)
{
	enum err e = ERR_OK;
	size_t failed;

	do {
		e = prover_run(s->pr, &failed, ec);
		if (e == ERR_OK && failed != SIZE_MAX)
			e = claim_meet(s, failed, state, possible, ec);
	} while (e == ERR_OK && *possible && failed != SIZE_MAX);
	return e;
}

struct by_weight {
	uint32_t cell, weight;
};

static int by_weight_cmp(const void *a, const void *b)
{
	const struct by_weight *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return x->cell > y->cell ? -1 : x->cell < y->cell;
}

/* Are all claims proven still, now that the cell is shown? The one it was hidden for is the first to be asked. */
static enum err still_proven(struct seeker *s, uint32_t cell, bool *proven, struct errctx *ec)
{
	const struct claim *why = &s->why[cell];
	enum err e = ERR_OK;
	size_t failed;

	*proven = true;
	for (size_t k = 0; e == ERR_OK && *proven && k < s->pr->claims; k++) {
		const struct claim *c = &s->pr->claim[k];

		if (c->kind == why->kind && c->a == why->a && c->b == why->b)
			e = prover_one(s->pr, k, proven, ec);
	}
	if (e != ERR_OK || !*proven)
		return e;
	e = prover_run(s->pr, &failed, ec);
	*proven = failed == SIZE_MAX;
	return e;
}

/* Shows again what need not be hidden, the dearest first. */
static enum err clean_up(struct seeker *s, enum sdc_state *state, struct errctx *ec)
{
	const struct sdc_problem *p = s->p;
	struct by_weight *order = calloc(p->cells, sizeof *order);
	struct claim *before = calloc(s->pr->claims + 1, sizeof *before);
	size_t count = 0;
	enum err e = prover_slim(&s->pr, ec);

	if (order == NULL || before == NULL)
		e = err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.", NULL,
		            NULL, NULL);
	for (uint32_t c = 0; e == ERR_OK && c < p->cells; c++) {
		if (state[c] == SDC_SECONDARY && p->given[c] != SDC_HIDDEN_BEFORE)
			order[count++] = (struct by_weight){ c, p->weight[c] };
	}
	if (e == ERR_OK && count > 0)
		qsort(order, count, sizeof *order, by_weight_cmp);
	for (size_t k = 0; e == ERR_OK && k < count; k++) {
		bool proven = false;

		memcpy(before, s->pr->claim, s->pr->claims * sizeof *before);
		e = prover_show(s->pr, order[k].cell, ec);
		if (e == ERR_OK)
			e = still_proven(s, order[k].cell, &proven, ec);
		if (e == ERR_OK && proven)
			state[order[k].cell] = SDC_OPEN;
		else if (e == ERR_OK)
			e = prover_show_undo(s->pr, order[k].cell, before, ec);
	}
	free(order);
	free(before);
	return e;
}

/* The primaries that were published before: nothing can hide them any more. */
static bool too_late(const struct sdc_problem *p, const enum sdc_state *state)
{
	bool late = false;

	for (size_t c = 0; c < p->cells; c++)
		late |= state[c] == SDC_PRIMARY && p->given[c] == SDC_KNOWN;
	return late;
}

enum err sdc_solve_try(const struct sdc_problem *p, enum sdc_state *state, bool *possible, struct errctx *ec)
{
	struct seeker s = { 0 };
	uint8_t *may_hide = NULL;
	enum err e = ERR_OK;

	*possible = false;
	if (!p->closed)
		return err_set(ec, ERR_USAGE, "The tables are not complete yet.", NULL, NULL, NULL);
	sdc_primaries(p, state);
	if (too_late(p, state))
		return ERR_OK;
	may_hide = calloc(p->cells, 1);
	if (may_hide == NULL)
		return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.",
		               NULL, NULL, NULL);
	for (uint32_t c = 0; c < p->cells; c++)
		may_hide[c] = p->given[c] != SDC_KNOWN && (count_n(p, c) > 0 || p->rules.group);
	*possible = true;
	e = seeker_init(&s, p, may_hide, sdc_deadline(p), ec);
	for (uint32_t c = 0; e == ERR_OK && c < p->cells; c++) {
		if (state[c] != SDC_OPEN)
			e = prover_hide(s.pr, c, ec);
	}
	if (e == ERR_OK)
		e = prover_claims_add(s.pr, SDC_AUDIT_A | SDC_AUDIT_B, ec);
	if (e == ERR_OK)
		e = claims_meet(&s, state, possible, ec);
	/* a zero that gets hidden unties cells that were one, so that there are more claims to make */
	s.zero_hidden = p->rules.insider;
	while (e == ERR_OK && *possible && s.zero_hidden) {
		s.zero_hidden = false;
		prover_insiders_drop(s.pr);
		e = prover_claims_add(s.pr, SDC_AUDIT_C, ec);
		if (e == ERR_OK)
			e = claims_meet(&s, state, possible, ec);
	}
	if (e == ERR_OK && *possible)
		e = clean_up(&s, state, ec);
	seeker_clear(&s);
	free(may_hide);
	return e;
}

enum err sdc_solve(const struct sdc_problem *p, enum sdc_state *state, struct errctx *ec)
{
	bool possible;
	enum err e = sdc_solve_try(p, state, &possible, ec);

	if (e == ERR_OK && !possible)
		e = err_set(ec, ERR_REFUSED, "These tables cannot be protected: too little in them can be hidden.",
		            NULL, NULL, NULL);
	return e;
}
