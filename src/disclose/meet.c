// SPDX-License-Identifier: EUPL-1.2
// Hides what a claim needs. For each claim without a witness the cheapest moves that would prove it are found, with a
// cost for every shown cell they touch; those cells are hidden. Costs and the order of everything come from positions
// and the plan's weights; counts enter only where a proof needs them (D1 to D4).
#include "disclose/seeker.h"

#include <math.h>
#include <stdlib.h>

#define REWEIGHTS 3 /* passes that turn "few moves" into "few cells" */

void seeker_clear(struct seeker *s)
{
	lp_close(s->lp);
	flow_free(s->flow);
	prover_free(s->pr);
	free(s->x);
	free(s->price);
	free(s->best);
	free(s->move);
	free(s->change);
	free(s->why);
	free(s->banned);
	free(s->moves);
}

enum err seeker_init(struct seeker *s, const struct sdc_problem *p, const uint8_t *may_hide, int64_t deadline,
                     struct errctx *ec)
{
	enum err e;

	*s = (struct seeker){ .p = p, .reason = UINT32_MAX };
	e = prover_new(p, may_hide, deadline, &s->pr, ec);
	if (e != ERR_OK)
		return e;
	s->pr->knows_rules = true;
	s->x = calloc(2 * p->cells + p->groups + 1, sizeof *s->x);
	s->price = calloc(p->cells, sizeof *s->price);
	s->best = calloc(p->cells, sizeof *s->best);
	s->move = calloc(p->cells, sizeof *s->move);
	s->change = calloc(2 * p->cells + p->groups + 8, sizeof *s->change);
	s->why = calloc(p->cells, sizeof *s->why);
	s->banned = calloc(p->cells, 1);
	s->moves = calloc(p->cells, sizeof *s->moves);
	if (s->moves == NULL || s->banned == NULL || s->why == NULL || s->x == NULL || s->price == NULL ||
	    s->best == NULL || s->move == NULL || s->change == NULL)
		return no_memory(ec);
	return flow_new(p, &s->flow, ec);
}

enum err seeker_solver_ready(struct seeker *s, struct errctx *ec)
{
	struct moves_model m = { 0 };
	enum err e;

	if (s->lp != NULL)
		return ERR_OK;
	e = moves_model_make(s->p, s->pr->col_of, s->pr->cell_cols, true, &m, ec);
	if (e == ERR_OK)
		e = lp_open(&m.lp, &s->p->limits, s->pr->deadline_ms, &s->lp, ec);
	moves_model_clear(&m);
	return e;
}

void seeker_put(struct seeker *s, size_t col, double lower, double upper, double cost)
{
	s->change[s->changes++] =
	    (struct lp_change){ .col = (uint32_t)col, .lower = lower, .upper = upper, .cost = cost };
}

/* A zero is shown unless a group rule needs it hidden. */
static bool usable(const struct seeker *s, uint32_t cell)
{
	return s->pr->hidden[cell] || (!s->banned[cell] && (count_n(s->p, cell) > 0 || s->zeros));
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
		} else if (cell == s->reason) {
			up_most = fmin(up_most, fmax((double)raise_need(p, cell) - 1, 0));
			down_least = fmax(1.0 - (double)raise_need(p, cell), 0);
		}
		if (up_least > up_most || down_least > down_most)
			return false;
		seeker_put(s, 2 * k, up_least, up_most, s->price[cell]);
		seeker_put(s, 2 * k + 1, down_least, down_most, s->price[cell]);
	}
	for (size_t g = 0; g < p->groups; g++) {
		bool asked = c->kind == CLAIM_GROUP && g == c->a;

		seeker_put(s, 2 * pr->cell_cols + g, asked ? (double)group_need(p, &p->group[g]) : -LP_INFINITY,
		           LP_INFINITY, 0);
	}
	return !(c->kind == CLAIM_GROUP && dir < 0);
}

/* The price of a cell's first pass: its weight, with noise that depends on its position and the attempt alone. */
static double first_price(const struct seeker *s, uint32_t cell)
{
	uint64_t h = (cell + 1) * UINT64_C(0x9E3779B97F4A7C15) ^ s->noise * UINT64_C(0xBF58476D1CE4E5B9);

	if (s->pr->hidden[cell])
		return 0.0;
	h ^= h >> 29;
	h *= UINT64_C(0x94D049BB133111EB);
	return s->p->weight[cell] * (s->noise == 0 ? 1.0 : 0.5 + (double)(h >> 44) / (1 << 20));
}

/* The same in a network, where no other cell must be small as well. */
static bool asks_flow(const struct seeker *s, const struct claim *c, struct flow_ask *a)
{
	if (s->flow == NULL || s->reason != UINT32_MAX)
		return false;
	*a =
	    (struct flow_ask){ .cell = c->kind == CLAIM_INSIDER ? c->b : c->a, .group = FLOW_NONE, .fixed = FLOW_NONE };
	if (c->kind == CLAIM_GROUP) {
		a->cell = FLOW_NONE;
		a->group = c->a;
	}
	if (c->kind == CLAIM_INSIDER)
		a->fixed = c->a;
	return flow_can_ask(s->flow, a);
}

/* Cheapest moves in a network. False: none. */
static bool moves_by_flow(struct seeker *s, const struct claim *c, int dir, struct flow_ask *a)
{
	const struct prover *pr = s->pr;

	if (c->kind == CLAIM_GROUP && dir < 0)
		return false;
	a->dir = dir;
	a->most = c->kind == CLAIM_RAISE   ? raise_need(s->p, c->a)
	          : c->kind == CLAIM_GROUP ? group_need(s->p, &s->p->group[c->a])
	                                   : 1;
	for (size_t k = 0; k < pr->cell_cols; k++) {
		uint32_t cell = pr->cell_of[k];
		bool use = usable(s, cell);

		flow_room_set(s->flow, cell, use ? pr->cap : 0, use ? lean_down(pr, cell, s->zeros) : 0);
	}
	return flow_cheapest(s->flow, a, s->price, s->moves);
}

/* The moves that meet a claim at the least price, as doubles per cell in s->move; *found: there are any. */
static enum err moves_find(struct seeker *s, const struct claim *c, int dir, bool *found, struct errctx *ec)
{
	const struct prover *pr = s->pr;
	enum lp_status status;
	struct flow_ask a;
	enum err e = sdc_in_time(s->p, pr->deadline_ms, ec);

	*found = false;
	if (e != ERR_OK)
		return e;
	if (asks_flow(s, c, &a)) {
		*found = moves_by_flow(s, c, dir, &a);
		for (size_t k = 0; *found && k < pr->cell_cols; k++)
			s->move[pr->cell_of[k]] = (double)s->moves[pr->cell_of[k]];
		return ERR_OK;
	}
	e = seeker_solver_ready(s, ec);
	if (e != ERR_OK || !columns_put(s, c, dir))
		return e;
	e = lp_solve(s->lp, s->change, s->changes, &status, s->x, ec);
	s->programs++;
	*found = e == ERR_OK && status == LP_OPTIMAL;
	for (size_t k = 0; *found && k < pr->cell_cols; k++)
		s->move[pr->cell_of[k]] = s->x[2 * k] - s->x[2 * k + 1];
	return e;
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
		s->price[pr->cell_of[k]] = first_price(s, pr->cell_of[k]);
	for (int pass = 0; pass < REWEIGHTS; pass++) {
		double total = 0;
		size_t touched = 0;
		bool found;

		e = moves_find(s, c, dir, &found, ec);
		if (e != ERR_OK || !found)
			return e;
		for (size_t k = 0; k < pr->cell_cols; k++) {
			uint32_t cell = pr->cell_of[k];

			if (!pr->hidden[cell] && fabs(s->move[cell]) > 1e-6) {
				total += p->weight[cell];
				touched++;
			}
		}
		if (total < *weight) {
			*weight = total;
			for (size_t k = 0; k < pr->cell_cols; k++)
				s->best[pr->cell_of[k]] = s->move[pr->cell_of[k]];
		}
		if (touched <= 1)
			break;
		for (size_t k = 0; k < pr->cell_cols; k++) {
			uint32_t cell = pr->cell_of[k];

			if (!pr->hidden[cell])
				s->price[cell] = p->weight[cell] / (fabs(s->move[cell]) + 0.3);
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

/* The moves that prove a claim to a reader who knows the rules: something small must remain beside it. Tries each cell
 * that could be that, and hides for the cheapest. */
static enum err meet_with_reason(struct seeker *s, const struct claim *c, enum sdc_state *state, struct errctx *ec)
{
	const struct prover *pr = s->pr;
	double least = INFINITY, weight;
	uint32_t pick = UINT32_MAX;
	enum err e = ERR_OK;

	for (size_t k = 0; e == ERR_OK && k < pr->cell_cols; k++) {
		uint32_t cell = pr->cell_of[k];

		if (!usable(s, cell) || count_n(s->p, cell) == 0)
			continue;
		s->reason = cell;
		e = cheapest_way(s, c, &weight, ec);
		if (e == ERR_OK && weight < least) {
			least = weight;
			pick = cell;
		}
	}
	s->reason = pick;
	if (e == ERR_OK && pick != UINT32_MAX) {
		e = cheapest_way(s, c, &weight, ec);
		if (e == ERR_OK)
			e = hide_moved(s, state, ec);
	}
	s->reason = UINT32_MAX;
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
	if (e == ERR_OK && !isinf(weight) && weight > 0)
		e = hide_moved(s, state, ec);
	if (e == ERR_OK)
		e = prover_one(s->pr, at, &proven, ec);
	if (e == ERR_OK && !proven && !isinf(weight) && s->p->cells < LARGE_CELLS && needs_reason(s->p)) {
		e = meet_with_reason(s, &c, state, ec);
		if (e == ERR_OK)
			e = prover_one(s->pr, at, &proven, ec);
	}
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

enum err seeker_meet(struct seeker *s, enum sdc_state *state, bool *possible, struct errctx *ec)
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
