// SPDX-License-Identifier: EUPL-1.2
// Looks for witnesses with linear programs (D1 to D4): one claim at a time, or many at once. It only proposes; what
// counts as proof is decided in witness.c.
#include "disclose/prover.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BRANCH_NODES 24  /* linear programs spent on making one witness whole */
#define EXPLAIN_TRIES 12 /* other small cells tried to explain a hidden part */
#define HURRIED_NODES 4  /* the same for a search that may give up early */
#define HURRIED_TRIES 3
#define FEW_CELLS 100 /* with fewer, claims are proven one by one */
#define SWEEP_GAIN 4  /* a sweep that proves fewer claims is the last */

void prover_free(struct prover *pr)
{
	if (pr == NULL)
		return;
	lp_close(pr->lp);
	flow_free(pr->flow);
	for (size_t k = 0; k < pr->pool_len; k++)
		witness_clear(&pr->pool[k]);
	free(pr->pool);
	free(pr->hidden);
	free(pr->part_of);
	free(pr->reason);
	free(pr->claim);
	free(pr->y);
	free(pr->col_of);
	free(pr->cell_of);
	free(pr->x);
	free(pr->change);
	free(pr);
}

static enum err change_push(struct prover *pr, size_t col, double lower, double upper, double cost, struct errctx *ec)
{
	if (pr->lp == NULL)
		return ERR_OK; /* prover_solver_ready tells all */
	if (pr->changes == pr->change_room) {
		size_t room = pr->change_room == 0 ? 64 : 2 * pr->change_room;
		struct lp_change *more = realloc(pr->change, room * sizeof *more);

		if (more == NULL)
			return no_memory(ec);
		pr->change = more;
		pr->change_room = room;
	}
	pr->change[pr->changes++] =
	    (struct lp_change){ .col = (uint32_t)col, .lower = lower, .upper = upper, .cost = cost };
	return ERR_OK;
}

static int64_t room_down(const struct prover *pr, uint32_t cell)
{
	return lean_down(pr, cell, pr->deep);
}

/* Bounds of a cell's net move: two columns, up and down. `push` 0 asks for few moves, under 0 for a large one up, over
 * 0 for a large one down. */
static enum err net_put(struct prover *pr, uint32_t cell, double least, double most, double push, struct errctx *ec)
{
	size_t col = 2 * (size_t)pr->col_of[cell];
	enum err e = change_push(pr, col, fmax(least, 0.0), fmax(most, 0.0), push == 0.0 ? 1.0 : push, ec);

	if (e == ERR_OK)
		e = change_push(pr, col + 1, fmax(-most, 0.0), fmax(-least, 0.0), push == 0.0 ? 1.0 : -push, ec);
	return e;
}

/* The ordinary bounds. */
enum err prover_bounds_usual(struct prover *pr, uint32_t cell, double push, struct errctx *ec)
{
	if (pr->flow != NULL)
		flow_room_set(pr->flow, cell, pr->hidden[cell] ? pr->cap : 0,
		              pr->hidden[cell] ? room_down(pr, cell) : 0);
	if (!pr->hidden[cell])
		return net_put(pr, cell, 0.0, 0.0, push, ec);
	return net_put(pr, cell, -(double)room_down(pr, cell), (double)pr->cap, push, ec);
}

enum err prover_new(const struct sdc_problem *p, const uint8_t *may_hide, int64_t deadline_ms, struct prover **out,
                    struct errctx *ec)
{
	struct prover *pr = calloc(1, sizeof *pr);
	uint64_t largest = 0;
	enum err e;

	*out = NULL;
	if (pr == NULL)
		return no_memory(ec);
	pr->p = p;
	pr->deadline_ms = deadline_ms;
	pr->random = UINT64_C(0x9E3779B97F4A7C15);
	pr->hidden = calloc(p->cells, 1);
	pr->part_of = calloc(p->cells, sizeof *pr->part_of);
	pr->reason = calloc(p->cells, 1);
	pr->y = calloc(p->cells, sizeof *pr->y);
	pr->col_of = calloc(p->cells, sizeof *pr->col_of);
	pr->cell_of = calloc(p->cells, sizeof *pr->cell_of);
	pr->x = calloc(2 * p->cells + p->groups + 1, sizeof *pr->x);
	if (pr->hidden == NULL || pr->part_of == NULL || pr->reason == NULL || pr->y == NULL || pr->col_of == NULL ||
	    pr->cell_of == NULL || pr->x == NULL) {
		prover_free(pr);
		return no_memory(ec);
	}
	for (uint32_t c = 0; c < p->cells; c++) {
		pr->col_of[c] = -1;
		if (may_hide[c]) {
			pr->cell_of[pr->cell_cols] = c;
			pr->col_of[c] = (int32_t)pr->cell_cols++;
		}
		largest = count_n(p, c) > largest ? count_n(p, c) : largest;
	}
	pr->cap = (int64_t)(2 * largest + 4 * p->rules.threshold);
	e = flow_new(p, &pr->flow, ec);
	if (e != ERR_OK) {
		prover_free(pr);
		return e;
	}
	*out = pr;
	return ERR_OK;
}

enum err prover_solver_ready(struct prover *pr, struct errctx *ec)
{
	struct moves_model model = { 0 };
	enum err e = ERR_OK;

	if (pr->lp != NULL)
		return ERR_OK;
	e = moves_model_make(pr->p, pr->col_of, pr->cell_cols, true, &model, ec);
	if (e == ERR_OK)
		e = lp_open(&model.lp, &pr->p->limits, pr->deadline_ms, &pr->lp, ec);
	moves_model_clear(&model);
	for (size_t k = 0; e == ERR_OK && k < pr->cell_cols; k++)
		e = prover_bounds_usual(pr, pr->cell_of[k], 0.0, ec);
	return e;
}

enum err prover_hide(struct prover *pr, uint32_t cell, struct errctx *ec)
{
	pr->hidden[cell] = 1;
	pr->parts_fresh = false;
	return prover_bounds_usual(pr, cell, 0.0, ec);
}

enum err prover_slim(struct prover **pr, struct errctx *ec)
{
	struct prover *old = *pr, *slim = NULL;
	enum err e = prover_new(old->p, old->hidden, old->deadline_ms, &slim, ec);

	if (e != ERR_OK)
		return e;
	slim->knows_rules = old->knows_rules;
	for (uint32_t c = 0; e == ERR_OK && c < old->p->cells; c++) {
		if (old->hidden[c])
			e = prover_hide(slim, c, ec);
	}
	if (e != ERR_OK) {
		prover_free(slim);
		return e;
	}
	slim->claim = old->claim;
	slim->claims = old->claims;
	slim->claim_room = old->claim_room;
	slim->pool = old->pool;
	slim->pool_len = old->pool_len;
	slim->pool_room = old->pool_room;
	slim->trial = old->trial;
	slim->solved = old->solved;
	old->claim = NULL;
	old->pool = NULL;
	old->pool_len = 0;
	prover_free(old);
	*pr = slim;
	return ERR_OK;
}

/* The net move of column pair k in the solver's answer. */
static double net(const struct prover *pr, size_t k)
{
	return pr->x[2 * k] - pr->x[2 * k + 1];
}

/* pr->y from the solver's answer, rounded. Returns the pair furthest from a whole number, or -1 if all are whole. */
static long answer_round(struct prover *pr)
{
	double worst = 1e-6;
	long at = -1;

	for (size_t k = 0; k < pr->cell_cols; k++) {
		double r = nearbyint(net(pr, k)), off = fabs(net(pr, k) - r);

		pr->y[pr->cell_of[k]] = (int64_t)r;
		if (off > worst) {
			worst = off;
			at = (long)k;
		}
	}
	return at;
}

/* -- searching one claim ---------------------------------------------------------------------------------------- */

/* What is asked of the solver beyond the usual bounds. */
struct ask {
	struct {
		uint32_t cell;
		double least, most;
	} bound[3];
	size_t bounds;
	size_t group; /* or SIZE_MAX: this group needs ... */
	double group_least;
	double push; /* of the first cell, when few moves led nowhere */
};

static enum err ask_put(struct prover *pr, const struct ask *a, bool push, struct errctx *ec)
{
	enum err e = ERR_OK;

	for (size_t k = 0; e == ERR_OK && k < a->bounds; k++)
		e = net_put(pr, a->bound[k].cell, a->bound[k].least, a->bound[k].most, push && k == 0 ? a->push : 0.0,
		            ec);
	if (e == ERR_OK && a->group != SIZE_MAX)
		e = change_push(pr, 2 * pr->cell_cols + a->group, a->group_least, LP_INFINITY, 0.0, ec);
	return e;
}

static enum err ask_take_back(struct prover *pr, const struct ask *a, struct errctx *ec)
{
	enum err e = ERR_OK;

	for (size_t k = 0; e == ERR_OK && k < a->bounds; k++)
		e = prover_bounds_usual(pr, a->bound[k].cell, 0.0, ec);
	if (e == ERR_OK && a->group != SIZE_MAX)
		e = change_push(pr, 2 * pr->cell_cols + a->group, -LP_INFINITY, LP_INFINITY, 0.0, ec);
	return e;
}

static enum err solve(struct prover *pr, enum lp_status *status, struct errctx *ec)
{
	enum err e = lp_solve(pr->lp, pr->change, pr->changes, status, pr->x, ec);

	pr->changes = 0;
	pr->solved++;
	return e;
}

/* The solver's answer times 2 or 3, where that makes a vertex of fractions whole. */
static enum err offer_multiples(struct prover *pr, bool *useful, struct errctx *ec)
{
	enum err e = ERR_OK;

	*useful = false;
	for (int m = 2; e == ERR_OK && !*useful && m <= 3; m++) {
		for (size_t k = 0; k < pr->cell_cols; k++)
			pr->y[pr->cell_of[k]] = (int64_t)nearbyint(net(pr, k) * m);
		e = prover_offer(pr, useful, ec);
	}
	return e;
}

/* Depth first over the fractional columns, within a budget of linear programs. The bounds that a branch sets are taken
 * back before it returns. */
static enum err branch(struct prover *pr, const struct claim *c, int *budget, bool *proven, struct errctx *ec)
{
	enum lp_status status;
	bool useful;
	enum err e = solve(pr, &status, ec);
	long col;
	double at;
	uint32_t cell;

	if (e != ERR_OK || status != LP_OPTIMAL)
		return e;
	pr->possible = true;
	col = answer_round(pr);
	at = col >= 0 ? net(pr, (size_t)col) : 0.0;
	e = prover_offer(pr, &useful, ec);
	*proven = c->cover >= 0;
	if (e == ERR_OK && !*proven && col >= 0) {
		e = offer_multiples(pr, &useful, ec);
		*proven = c->cover >= 0;
	}
	if (e != ERR_OK || *proven || col < 0)
		return e;
	cell = pr->cell_of[col];
	for (int side = 0; e == ERR_OK && !*proven && *budget > 0 && side < 2; side++) {
		bool up = (at - floor(at) > 0.5) == (side == 0);

		--*budget;
		e = net_put(pr, cell, up ? ceil(at) : -(double)room_down(pr, cell), up ? (double)pr->cap : floor(at),
		            0.0, ec);
		if (e == ERR_OK)
			e = branch(pr, c, budget, proven, ec);
		if (e == ERR_OK)
			e = prover_bounds_usual(pr, cell, 0.0, ec);
	}
	return e;
}

/* A small cell in the part that the last answer left without reason: tried in the order of the cells. */
static enum err search_explained(struct prover *pr, const struct claim *c, const struct ask *a, bool *proven,
                                 struct errctx *ec)
{
	const struct sdc_problem *p = pr->p;
	uint32_t cell = c->kind == CLAIM_GROUP ? p->group[c->a].part : c->kind == CLAIM_INSIDER ? c->b : c->a;
	enum err e = ERR_OK;
	int tries = 0;

	prover_parts_refresh(pr);
	for (uint32_t q = 0;
	     e == ERR_OK && !*proven && tries < (pr->hurried ? HURRIED_TRIES : EXPLAIN_TRIES) && q < p->cells; q++) {
		struct ask more = *a;
		double least = -(double)room_down(pr, q), most = raise_need(p, q) - 1;
		int budget = pr->hurried ? HURRIED_NODES : BRANCH_NODES;

		if (!pr->hidden[q] || q == cell || pr->part_of[q] != pr->part_of[cell] || most < least)
			continue;
		if (c->kind == CLAIM_INSIDER && q == c->a)
			continue;
		tries++;
		more.bound[more.bounds].cell = q;
		more.bound[more.bounds].least = least;
		more.bound[more.bounds++].most = most;
		e = ask_put(pr, &more, false, ec);
		if (e == ERR_OK)
			e = branch(pr, c, &budget, proven, ec);
		if (e == ERR_OK)
			e = ask_take_back(pr, &more, ec);
	}
	return e;
}

/* The same in a network: exact. *possible is false if no table at all meets the claim this way. */
static enum err search_flow(struct prover *pr, const struct claim *c, const struct ask *a, int dir, bool *proven,
                            bool *possible, struct errctx *ec)
{
	struct flow_ask f = { .cell = a->bound[0].cell, .group = FLOW_NONE, .dir = dir, .fixed = FLOW_NONE };
	int64_t need = dir > 0 ? (int64_t)a->bound[0].least : (int64_t)-a->bound[0].most;
	enum err e = ERR_OK;
	bool useful;

	if (c->kind == CLAIM_GROUP) {
		f.cell = FLOW_NONE;
		f.group = c->a;
		need = (int64_t)a->group_least;
	}
	if (c->kind == CLAIM_INSIDER)
		f.fixed = c->a;
	if (!flow_can_ask(pr->flow, &f))
		return ERR_OK;
	for (int wide = 0; e == ERR_OK && *possible && !*proven && wide < 2; wide++) {
		f.most = wide ? pr->cap : need;
		*possible = flow_push(pr->flow, &f, pr->y) >= need;
		if (*possible)
			e = prover_offer(pr, &useful, ec);
		else
			memset(pr->y, 0, pr->p->cells * sizeof *pr->y);
		*proven = c->cover >= 0;
	}
	return e;
}

/* The same by trying, where few cells hang together. A group is asked for at a hidden cell of its sum. */
static enum err search_whole(struct prover *pr, const struct claim *c, const struct ask *a, bool *proven, bool *decided,
                             struct errctx *ec)
{
	const struct sdc_problem *p = pr->p;
	struct whole_ask w = { .fixed = c->kind == CLAIM_INSIDER ? c->a : FLOW_NONE };
	enum err e;

	if (c->kind == CLAIM_GROUP) {
		const struct sdc_group *g = &p->group[c->a];

		w.cell = pr->hidden[g->part] ? g->part : g->margin;
		if (!pr->hidden[w.cell])
			return ERR_OK;
	} else {
		w.cell = a->bound[0].cell;
		w.least = (int64_t)a->bound[0].least;
		w.most = (int64_t)a->bound[0].most;
	}
	e = prover_whole(pr, c, &w, decided, ec);
	*proven = c->cover >= 0;
	return e;
}

/* Asks for a witness of one claim in one direction: by few moves, by a large one, and with a reason added. */
static enum err search(struct prover *pr, const struct claim *c, const struct ask *a, int dir, bool *proven,
                       struct errctx *ec)
{
	bool possible = true, decided = false;
	enum err e = ERR_OK;

	if (pr->flow != NULL)
		e = search_flow(pr, c, a, dir, proven, &possible, ec);
	if (e == ERR_OK && !*proven && possible)
		e = search_whole(pr, c, a, proven, &decided, ec);
	if (e == ERR_OK && !*proven && possible && !decided)
		e = prover_solver_ready(pr, ec);
	if (e != ERR_OK || *proven || !possible || decided)
		return e;
	pr->possible = true;
	for (int push = 0; e == ERR_OK && !*proven && pr->possible && push < 2; push++) {
		int budget = pr->hurried ? HURRIED_NODES : BRANCH_NODES;

		pr->possible = false;
		e = ask_put(pr, a, push, ec);
		if (e == ERR_OK)
			e = branch(pr, c, &budget, proven, ec);
		if (e == ERR_OK)
			e = ask_take_back(pr, a, ec);
	}
	if (e == ERR_OK && !*proven && pr->possible && pr->knows_rules && needs_reason(pr->p))
		e = search_explained(pr, c, a, proven, ec);
	pr->doubt |= !*proven && pr->possible;
	return e;
}

/* The ask that a claim makes; dir is +1 or -1 for the claims that can be met both ways. False: not in this direction.
 */
static bool ask_for(const struct prover *pr, const struct claim *c, int dir, struct ask *a)
{
	const struct sdc_problem *p = pr->p;
	uint32_t cell = c->kind == CLAIM_INSIDER ? c->b : c->a;

	*a = (struct ask){ .group = SIZE_MAX };
	if (c->kind == CLAIM_GROUP) {
		a->group = c->a;
		a->group_least = (double)group_need(p, &p->group[c->a]);
		return dir > 0;
	}
	if (pr->col_of[cell] < 0 || !pr->hidden[cell] || (c->kind == CLAIM_RAISE && dir < 0))
		return false;
	a->bound[0].cell = cell;
	if (dir < 0) {
		a->bound[0].least = -(double)room_down(pr, cell);
		a->bound[0].most = -1.0;
	} else {
		a->bound[0].least = c->kind == CLAIM_RAISE ? (double)raise_need(p, cell) : 1.0;
		a->bound[0].most = (double)pr->cap;
	}
	a->bounds = 1;
	a->push = dir < 0 ? 100.0 : -100.0;
	if (c->kind == CLAIM_INSIDER)
		a->bound[a->bounds++].cell = c->a; /* stays: 0 to 0 */
	return a->bound[0].least <= a->bound[0].most;
}

/* Lets all hidden cells go to 0, or no longer. */
static enum err deep_set(struct prover *pr, bool deep, struct errctx *ec)
{
	enum err e = ERR_OK;

	pr->deep = deep;
	for (size_t k = 0; e == ERR_OK && k < pr->cell_cols; k++) {
		if (pr->hidden[pr->cell_of[k]])
			e = prover_bounds_usual(pr, pr->cell_of[k], 0.0, ec);
	}
	return e;
}

enum err prover_one(struct prover *pr, size_t claim, bool *proven, struct errctx *ec)
{
	bool deeper = pr->knows_rules && pr->p->rules.group;
	enum err e = sdc_in_time(pr->p, pr->deadline_ms, ec);

	*proven = pr->claim[claim].cover >= 0;
	for (int deep = 0; e == ERR_OK && !*proven && deep <= deeper; deep++) {
		if (deep)
			e = deep_set(pr, true, ec);
		for (int dir = 1; e == ERR_OK && !*proven && dir >= -1; dir -= 2) {
			struct ask a;

			if (ask_for(pr, &pr->claim[claim], dir, &a))
				e = search(pr, &pr->claim[claim], &a, dir, proven, ec);
		}
		if (e == ERR_OK && deep)
			e = deep_set(pr, false, ec);
	}
	return e;
}

/* -- many claims at once ---------------------------------------------------------------------------------------- */

static double random_push(struct prover *pr)
{
	pr->random ^= pr->random << 13;
	pr->random ^= pr->random >> 7;
	pr->random ^= pr->random << 17;
	return 100.0 + (double)(pr->random % 1000) / 5.0;
}

/* Pushes the cells of all open claims between `from` and `to` at once, each by a different strength; one answer often
 * proves many. `fixed` stays where it is (the insider's cell), or SDC_NO_CELL. */
static enum err sweep(struct prover *pr, size_t from, size_t to, size_t fixed, size_t *gained, struct errctx *ec)
{
	enum lp_status status = LP_GAVE_UP;
	enum err e = ERR_OK;
	size_t open = 0;
	bool useful;

	*gained = 0;
	for (size_t k = from; e == ERR_OK && k < to; k++) {
		const struct claim *c = &pr->claim[k];
		uint32_t cell = c->kind == CLAIM_INSIDER ? c->b : c->a;
		double push = -random_push(pr);

		if (c->cover >= 0 || c->kind == CLAIM_GROUP || pr->col_of[cell] < 0)
			continue;
		if (c->kind != CLAIM_RAISE && (pr->random >> 20 & 1))
			push = -push;
		open++;
		e = prover_bounds_usual(pr, cell, push, ec);
	}
	if (e == ERR_OK && fixed != SDC_NO_CELL)
		e = net_put(pr, (uint32_t)fixed, 0.0, 0.0, 0.0, ec);
	if (e == ERR_OK && open > 0)
		e = solve(pr, &status, ec);
	if (e == ERR_OK && status == LP_OPTIMAL) {
		answer_round(pr);
		e = prover_offer(pr, &useful, ec);
	}
	for (size_t k = from; e == ERR_OK && k < to; k++) {
		const struct claim *c = &pr->claim[k];
		uint32_t cell = c->kind == CLAIM_INSIDER ? c->b : c->a;

		open -= open > 0 && c->cover < 0 && c->kind != CLAIM_GROUP && pr->col_of[cell] >= 0;
		if (c->kind != CLAIM_GROUP && pr->col_of[cell] >= 0)
			e = prover_bounds_usual(pr, cell, 0.0, ec);
	}
	*gained = open;
	if (e == ERR_OK && fixed != SDC_NO_CELL)
		e = prover_bounds_usual(pr, (uint32_t)fixed, 0.0, ec);
	return e;
}

enum err prover_run(struct prover *pr, size_t *failed, struct errctx *ec)
{
	enum err e = ERR_OK;
	size_t from = 0;

	*failed = SIZE_MAX;
	prover_pool_try(pr);
	while (e == ERR_OK && from < pr->claims) {
		/* a stretch of claims that can be pushed together: all but insiders, or one insider's */
		size_t to = from + 1, gained;
		bool insider = pr->claim[from].kind == CLAIM_INSIDER;

		while (to < pr->claims && (pr->claim[to].kind == CLAIM_INSIDER) == insider &&
		       (!insider || pr->claim[to].a == pr->claim[from].a))
			to++;
		gained = 0;
		do {
			if (pr->flow != NULL || pr->p->cells < FEW_CELLS)
				break; /* one by one is quicker there */
			e = prover_solver_ready(pr, ec);
			if (e == ERR_OK)
				e = sweep(pr, from, to, insider ? pr->claim[from].a : SDC_NO_CELL, &gained, ec);
		} while (e == ERR_OK && gained >= SWEEP_GAIN);
		for (size_t k = from; e == ERR_OK && k < to; k++) {
			bool proven;

			e = prover_one(pr, k, &proven, ec);
			if (e == ERR_OK && !proven) {
				*failed = k;
				return ERR_OK;
			}
		}
		from = to;
	}
	return e;
}
