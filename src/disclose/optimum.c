// SPDX-License-Identifier: EUPL-1.2
// The lightest pattern of a small system, by branch and cut: a linear program chooses cells (0 to 1 each), the attack
// on what it chose gives cuts ("of these cells, so much must be hidden, or this claim fails"), until what it chooses is
// whole and every claim has its witness. After Fischetti and Salazar, "Models and algorithms for the 2-dimensional cell
// suppression problem in statistical disclosure control", Mathematical Programming 84 (1999), and "Solving the cell
// suppression problem on tabular data with linear constraints", Management Science 47 (2001). Ours differs in what a
// claim is (D1 to D4) and in that a pattern counts only when the prover has its witnesses in whole numbers.
//
// A cut is a sum over reduced costs of the attack and holds for every pattern. Where the attack has an answer in
// fractions but the prover none in whole numbers, the pattern is grown while the claim still fails, and one of the
// cells left must be hidden; that cut is as true as the prover's no.
#include "disclose/seeker.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROOT_ROUNDS 60    /* of cuts before the first branch */
#define NODE_ROUNDS 3     /* of cuts before any other */
#define SLOW_ROUNDS 6     /* without a better bound: time to branch */
#define REPAIRS 12        /* patterns that fail are repaired, so many times */
#define FLOWS_A_PROGRAM 8 /* a flow takes this little */
#define WHOLE 1e-5        /* this near to 0 or 1 is 0 or 1 */
#define NOTHING 1e-7      /* a reduced cost this small is none */
#define VIOLATION 1e-3    /* a cut must bite */
#define WIDE 4.0          /* a cell chosen in part may move up to its part of so many times the need */

struct search {
	struct seeker *s;
	struct lp *master; /* a column per candidate */
	uint32_t *cell;    /* per candidate */
	size_t count;
	int32_t *candidate;   /* per cell, or -1 */
	enum sdc_state *base; /* hidden in any case */
	enum sdc_state *trial;
	enum sdc_state *best;
	uint64_t best_weight;
	struct claim *claim; /* of what is hidden in any case */
	size_t claims;
	double *x;     /* per candidate: the part of it that is hidden */
	double *cut;   /* per candidate */
	double *price; /* per column of the attack */
	int *row_col;
	double *row_value;
	uint32_t *list; /* scratch: candidates */
	size_t most;    /* linear programs */
	size_t flows;
	unsigned repairs;
	bool over; /* the budget is */
};

static void search_clear(struct search *o)
{
	lp_close(o->master);
	free(o->cell);
	free(o->candidate);
	free(o->base);
	free(o->trial);
	free(o->claim);
	free(o->x);
	free(o->cut);
	free(o->price);
	free(o->row_col);
	free(o->row_value);
	free(o->list);
}

static size_t spent(const struct search *o)
{
	return o->s->programs + o->s->pr->solved + o->flows / FLOWS_A_PROGRAM;
}

static enum err master_open(struct search *o, int64_t deadline, struct errctx *ec)
{
	size_t n = o->count;
	int *start = calloc(n + 1, sizeof *start), index = 0;
	double *lower = calloc(n + 1, sizeof *lower), *upper = calloc(n + 1, sizeof *upper);
	double *cost = calloc(n + 1, sizeof *cost), none = 0, row[2] = { -LP_INFINITY, LP_INFINITY };
	const struct lp_model m = { n, 1, start, &index, &none, lower, upper, cost, &row[0], &row[1] };
	enum err e = ERR_OK;

	if (start == NULL || lower == NULL || upper == NULL || cost == NULL)
		e = no_memory(ec);
	for (size_t k = 0; e == ERR_OK && k < n; k++) {
		upper[k] = 1.0;
		cost[k] = o->s->p->weight[o->cell[k]];
	}
	if (e == ERR_OK)
		e = lp_open(&m, &o->s->p->limits, deadline, &o->master, ec);
	free(start);
	free(lower);
	free(upper);
	free(cost);
	return e;
}

/* The claims of what is hidden in any case. A small cell that can be raised is not exact. */
static enum err claims_take(struct search *o, struct errctx *ec)
{
	struct prover *pr = o->s->pr;
	unsigned which = SDC_AUDIT_A | SDC_AUDIT_B | (o->s->p->rules.insider ? SDC_AUDIT_C : 0);
	enum err e = prover_pattern_set(pr, o->base, ec);

	if (e == ERR_OK)
		e = prover_claims_add(pr, which, ec);
	if (e != ERR_OK)
		return e;
	o->claim = calloc(pr->claims + 1, sizeof *o->claim);
	if (o->claim == NULL)
		return no_memory(ec);
	for (size_t k = 0; k < pr->claims; k++) {
		if (pr->claim[k].kind != CLAIM_MOVE || !small_cell(o->s->p, pr->claim[k].a))
			o->claim[o->claims++] = pr->claim[k];
	}
	return ERR_OK;
}

/* Candidates: what may be hidden, is not 0, and is not hidden in any case. A zero that the pattern at hand hides stays
 * hidden: groups needed it. */
static enum err search_init(struct search *o, struct seeker *s, enum sdc_state *best, int64_t deadline,
                            struct errctx *ec)
{
	const struct sdc_problem *p = s->p;
	size_t cols = 2 * s->pr->cell_cols + p->groups + 1;

	o->s = s;
	o->best = best;
	o->best_weight = seeker_weight(p, best);
	o->cell = calloc(p->cells, sizeof *o->cell);
	o->candidate = calloc(p->cells, sizeof *o->candidate);
	o->base = calloc(p->cells, sizeof *o->base);
	o->trial = calloc(p->cells, sizeof *o->trial);
	o->x = calloc(p->cells, sizeof *o->x);
	o->cut = calloc(p->cells, sizeof *o->cut);
	o->price = calloc(cols, sizeof *o->price);
	o->row_col = calloc(p->cells, sizeof *o->row_col);
	o->row_value = calloc(p->cells, sizeof *o->row_value);
	o->list = calloc(p->cells, sizeof *o->list);
	if (o->cell == NULL || o->candidate == NULL || o->base == NULL || o->trial == NULL || o->x == NULL ||
	    o->cut == NULL || o->price == NULL || o->row_col == NULL || o->row_value == NULL || o->list == NULL)
		return no_memory(ec);
	sdc_primaries(p, o->base);
	for (uint32_t c = 0; c < p->cells; c++) {
		o->candidate[c] = -1;
		if (o->base[c] == SDC_OPEN && best[c] != SDC_OPEN && count_n(p, c) == 0)
			o->base[c] = SDC_SECONDARY;
		if (o->base[c] == SDC_OPEN && s->pr->col_of[c] >= 0 && count_n(p, c) > 0) {
			o->candidate[c] = (int32_t)o->count;
			o->cell[o->count++] = c;
		}
	}
	return master_open(o, deadline, ec);
}

/* -- cuts --------------------------------------------------------------------------------------------------------- */

static double need_of(const struct sdc_problem *p, const struct claim *c)
{
	if (c->kind == CLAIM_GROUP)
		return (double)group_need(p, &p->group[c->a]);
	return c->kind == CLAIM_RAISE ? (double)raise_need(p, c->a) : 1.0;
}

/* How much of a cell is hidden. */
static double part_of_cell(const struct search *o, uint32_t cell)
{
	if (o->base[cell] != SDC_OPEN)
		return 1.0;
	return o->candidate[cell] < 0 ? 0.0 : o->x[o->candidate[cell]];
}

/* The column of the attack that a claim pushes. */
static size_t column_pushed(const struct search *o, const struct claim *c, int dir)
{
	const struct prover *pr = o->s->pr;

	if (c->kind == CLAIM_GROUP)
		return 2 * pr->cell_cols + c->a;
	return 2 * (size_t)pr->col_of[c->kind == CLAIM_INSIDER ? c->b : c->a] + (dir < 0);
}

/* How far column `col` can go: all of a cell, or the part of it that is hidden. */
static double reach(const struct search *o, const struct claim *c, size_t col, bool whole)
{
	const struct prover *pr = o->s->pr;
	uint32_t cell = pr->cell_of[col / 2];
	double part = whole ? 1.0 : part_of_cell(o, cell);
	double down = part * (double)lean_down(pr, cell, true);

	if (c->kind == CLAIM_INSIDER && cell == c->a)
		return 0.0;
	if (col % 2 == 1)
		return down;
	return part > 1.0 - WHOLE ? (double)pr->cap : part * WIDE * need_of(o->s->p, c);
}

/* A network is attacked by flows, in thousandths; the smallest cut is the price of what crosses it. */
static bool attack_flow(struct search *o, const struct claim *c, int dir, double *got)
{
	struct seeker *s = o->s;
	const struct prover *pr = s->pr;
	struct flow_ask a = { .cell = c->kind == CLAIM_INSIDER ? c->b : c->a,
		              .group = FLOW_NONE,
		              .dir = dir,
		              .fixed = c->kind == CLAIM_INSIDER ? c->a : FLOW_NONE,
		              .most = (int64_t)need_of(s->p, c) * 1000 };

	if (c->kind == CLAIM_GROUP) {
		a.cell = FLOW_NONE;
		a.group = c->a;
	}
	if (s->flow == NULL || !flow_can_ask(s->flow, &a))
		return false;
	for (size_t k = 0; k < pr->cell_cols; k++)
		flow_room_set(s->flow, pr->cell_of[k], (int64_t)(reach(o, c, 2 * k, false) * 1000),
		              (int64_t)(reach(o, c, 2 * k + 1, false) * 1000));
	o->flows++;
	*got = (double)flow_push(s->flow, &a, s->moves) / 1000;
	for (size_t k = 0; k < pr->cell_cols; k++) {
		o->price[2 * k] = flow_crosses(s->flow, pr->cell_of[k], true) ? -1.0 : 0.0;
		o->price[2 * k + 1] = flow_crosses(s->flow, pr->cell_of[k], false) ? -1.0 : 0.0;
	}
	return true;
}

/* Attacks what x hides, for one claim in one direction. */
static enum err attack(struct search *o, const struct claim *c, int dir, double *got, struct errctx *ec)
{
	struct seeker *s = o->s;
	const struct prover *pr = s->pr;
	size_t pushed = column_pushed(o, c, dir);
	double need = need_of(s->p, c);
	enum lp_status status;
	enum err e = sdc_in_time(s->p, pr->deadline_ms, ec);

	if (e != ERR_OK || attack_flow(o, c, dir, got))
		return e;
	s->programs++;
	e = seeker_solver_ready(s, ec);
	s->changes = 0;
	for (size_t col = 0; col < 2 * pr->cell_cols; col++) {
		double most = reach(o, c, col, false);

		if (col == pushed)
			most = fmin(most, need);
		else if (c->kind != CLAIM_GROUP && col / 2 == pushed / 2)
			most = 0.0;
		seeker_put(s, col, 0.0, most, col == pushed ? -1.0 : 0.0);
	}
	for (size_t g = 0; g < s->p->groups; g++) {
		bool asked = 2 * pr->cell_cols + g == pushed;

		seeker_put(s, 2 * pr->cell_cols + g, -LP_INFINITY, asked ? need : LP_INFINITY, asked ? -1.0 : 0.0);
	}
	if (e == ERR_OK)
		e = lp_solve(s->lp, s->change, s->changes, &status, s->x, ec);
	if (e != ERR_OK)
		return e;
	*got = status == LP_OPTIMAL ? s->x[pushed] : need; /* no answer: no cut */
	if (*got < need - WHOLE)
		e = lp_prices(s->lp, o->price, ec);
	return e;
}

/* From the prices of the last attack: what each candidate could give to it, as a part of what is missing, into
 * o->cut where that is more. False: nothing is missing for certain. */
static bool cut_take(struct search *o, const struct claim *c, int dir)
{
	const struct prover *pr = o->s->pr;
	size_t pushed = column_pushed(o, c, dir);
	double missing = need_of(o->s->p, c);

	for (size_t col = 0; col < 2 * pr->cell_cols; col++) {
		if (col / 2 != pushed / 2 && o->base[pr->cell_of[col / 2]] != SDC_OPEN && o->price[col] < -NOTHING)
			missing += o->price[col] * reach(o, c, col, true);
	}
	if (missing < WHOLE)
		return false;
	for (size_t col = 0; col < 2 * pr->cell_cols; col++) {
		int32_t k = o->candidate[pr->cell_of[col / 2]];

		if (k >= 0 && o->price[col] < -NOTHING)
			o->cut[k] = fmax(o->cut[k], fmin(1.0, -o->price[col] * reach(o, c, col, true) / missing));
	}
	return true;
}

/* Adds the row of o->cut, less what `but` (a candidate, or -1) asks it for. */
static enum err row_put(struct search *o, double lower, struct errctx *ec)
{
	struct lp_row row = { 0, o->row_col, o->row_value, lower };

	for (size_t k = 0; k < o->count; k++) {
		if (o->cut[k] != 0.0) {
			o->row_col[row.count] = (int)k;
			o->row_value[row.count++] = o->cut[k];
		}
	}
	return lp_row_add(o->master, &row, ec);
}

/* One claim: adds a cut if what x hides cannot carry it, and says so. */
static enum err separate(struct search *o, const struct claim *c, bool *added, struct errctx *ec)
{
	bool both = c->kind == CLAIM_MOVE || c->kind == CLAIM_INSIDER;
	double need = need_of(o->s->p, c), got, carried = 0.0;
	enum err e = ERR_OK;

	if (need <= 0.0)
		return ERR_OK;
	memset(o->cut, 0, o->count * sizeof *o->cut);
	for (int dir = 1; dir >= (both ? -1 : 1); dir -= 2) {
		e = attack(o, c, dir, &got, ec);
		if (e != ERR_OK || got >= need - WHOLE || !cut_take(o, c, dir))
			return e;
	}
	for (size_t k = 0; k < o->count; k++)
		carried += o->cut[k] * o->x[k];
	if (carried > 1.0 - VIOLATION)
		return ERR_OK;
	*added = true;
	return row_put(o, 1.0, ec);
}

/* -- whole patterns ----------------------------------------------------------------------------------------------- */

/* Is the claim proven when the pattern of o->trial is hidden? */
static enum err holds(struct search *o, const struct claim *c, bool *proven, struct errctx *ec)
{
	struct prover *pr = o->s->pr;
	enum err e = prover_pattern_set(pr, o->trial, ec);

	if (e == ERR_OK)
		e = prover_claim(pr, (enum claim_kind)c->kind, c->a, c->b, ec);
	if (e == ERR_OK) {
		prover_pool_try(pr);
		e = prover_one(pr, 0, proven, ec);
	}
	return e;
}

/* Hides as many of list[from..to) beside o->trial as the claim does not notice. */
static enum err grow(struct search *o, const struct claim *c, size_t from, size_t to, struct errctx *ec)
{
	bool proven = false;
	enum err e;

	if (from >= to || spent(o) > o->most)
		return ERR_OK;
	for (size_t k = from; k < to; k++)
		o->trial[o->cell[o->list[k]]] = SDC_SECONDARY;
	e = holds(o, c, &proven, ec);
	if (e != ERR_OK || !proven)
		return e;
	for (size_t k = from; k < to; k++)
		o->trial[o->cell[o->list[k]]] = SDC_OPEN;
	if (to - from > 1) {
		e = grow(o, c, from, from + (to - from) / 2, ec);
		if (e == ERR_OK)
			e = grow(o, c, from + (to - from) / 2, to, ec);
	}
	return e;
}

/* o->trial is whole, and claim `c` fails in it: a cut that says what else must be hidden. */
static enum err cut_grown(struct search *o, const struct claim *c, struct errctx *ec)
{
	bool secondary = c->kind == CLAIM_MOVE && o->base[c->a] == SDC_OPEN;
	double left = 0.0, chosen = 0.0;
	size_t len = 0;
	enum err e;

	for (size_t k = 0; k < o->count; k++) {
		if (o->trial[o->cell[k]] == SDC_OPEN)
			o->list[len++] = (uint32_t)k;
	}
	e = grow(o, c, 0, len, ec);
	for (size_t k = 0; k < o->count; k++) {
		o->cut[k] = o->trial[o->cell[k]] == SDC_OPEN;
		left += o->cut[k];
	}
	if (e == ERR_OK && secondary)
		o->cut[o->candidate[c->a]] = -1.0;
	if (e == ERR_OK && left > 0.0)
		return row_put(o, secondary ? 0.0 : 1.0, ec);
	/* the claim holds nowhere: not this pattern, then */
	for (size_t k = 0; e == ERR_OK && k < o->count; k++) {
		o->cut[k] = o->x[k] > 0.5 ? -1.0 : 1.0;
		chosen += o->x[k] > 0.5;
	}
	return e == ERR_OK ? row_put(o, 1.0 - chosen, ec) : e;
}

/* x is whole and no cut is missing: does the pattern hold? Then it is the best so far; else there is one more cut. */
static enum err pattern_try(struct search *o, struct errctx *ec)
{
	struct prover *pr = o->s->pr;
	unsigned which = SDC_AUDIT_A | SDC_AUDIT_B | (o->s->p->rules.insider ? SDC_AUDIT_C : 0);
	size_t failed = SIZE_MAX;
	struct claim c;
	bool doubt;
	enum err e;

	memcpy(o->trial, o->base, o->s->p->cells * sizeof *o->trial);
	for (size_t k = 0; k < o->count; k++) {
		if (o->x[k] > 0.5)
			o->trial[o->cell[k]] = SDC_SECONDARY;
	}
	e = prover_pattern_set(pr, o->trial, ec);
	if (e == ERR_OK)
		e = prover_claims_add(pr, which, ec);
	if (e == ERR_OK)
		e = prover_run(pr, &failed, ec);
	if (e != ERR_OK)
		return e;
	if (failed == SIZE_MAX) {
		uint64_t weight = seeker_weight(o->s->p, o->trial);

		if (weight < o->best_weight) {
			o->best_weight = weight;
			memcpy(o->best, o->trial, o->s->p->cells * sizeof *o->best);
		}
		return ERR_OK;
	}
	c = pr->claim[failed];
	c.cover = -1;
	doubt = pr->doubt;
	if (o->repairs < REPAIRS) {
		enum sdc_state *again = calloc(o->s->p->cells, sizeof *again);

		o->repairs++;
		if (again == NULL)
			return no_memory(ec);
		memcpy(again, o->trial, o->s->p->cells * sizeof *again);
		e = seeker_compete(o->s, again, o->best, &o->best_weight, ec);
		pr->doubt = doubt; /* about its claims it does not matter */
		free(again);
	}
	return e == ERR_OK ? cut_grown(o, &c, ec) : e;
}

/* -- branches ----------------------------------------------------------------------------------------------------- */

static enum err master_bound(struct search *o, size_t k, double lower, double upper, struct errctx *ec)
{
	const struct lp_change ch = { (uint32_t)k, 0, lower, upper, o->s->p->weight[o->cell[k]] };
	enum lp_status status;

	/* told with the next question; asked here so that the order of calls stays simple */
	return lp_solve(o->master, &ch, 1, &status, o->x, ec);
}

/* Solves the master; *bound is what every pattern below this node weighs at least. */
static enum err master_solve(struct search *o, double *bound, long *fraction, struct errctx *ec)
{
	enum lp_status status;
	enum err e = lp_solve(o->master, NULL, 0, &status, o->x, ec);
	double worst = WHOLE;

	*bound = INFINITY;
	*fraction = -1;
	o->s->programs++;
	if (e != ERR_OK || status == LP_INFEASIBLE)
		return e;
	o->over |= status != LP_OPTIMAL;
	*bound = 0.0;
	for (size_t k = 0; k < o->count; k++) {
		double off = fmin(o->x[k], 1.0 - o->x[k]);

		*bound += o->x[k] * o->s->p->weight[o->cell[k]];
		if (off > worst) {
			worst = off;
			*fraction = (long)k;
		}
		if (off <= WHOLE)
			o->x[k] = nearbyint(o->x[k]);
	}
	return ERR_OK;
}

static bool pruned(const struct search *o, double bound)
{
	return o->over || ceil(bound - 1e-4) >= (double)o->best_weight;
}

static enum err node(struct search *o, unsigned depth, struct errctx *ec)
{
	double bound = 0.0, before = -1.0;
	long at = -1;
	unsigned slow = 0;
	enum err e = ERR_OK;

	for (unsigned round = 0; e == ERR_OK; round++) {
		bool added = false;

		e = master_solve(o, &bound, &at, ec);
		o->over |= spent(o) > o->most;
		if (e != ERR_OK || pruned(o, bound))
			return e;
		slow = bound > before + 1e-3 * (double)o->best_weight ? 0 : slow + 1;
		before = bound;
		if (at >= 0 && (round >= (depth == 0 ? ROOT_ROUNDS : NODE_ROUNDS) || slow > SLOW_ROUNDS))
			break;
		for (size_t k = 0; e == ERR_OK && k < o->claims && !o->over; k++) {
			e = separate(o, &o->claim[k], &added, ec);
			o->over |= spent(o) > o->most;
		}
		if (e == ERR_OK && !added && at < 0 && !o->over)
			e = pattern_try(o, ec);
		else if (!added && at >= 0)
			break;
	}
	for (int side = 0; e == ERR_OK && side < 2 && !o->over; side++) {
		e = master_bound(o, (size_t)at, side == 0 ? 1.0 : 0.0, side == 0 ? 1.0 : 0.0, ec);
		if (e == ERR_OK)
			e = node(o, depth + 1, ec);
		if (e == ERR_OK)
			e = master_bound(o, (size_t)at, 0.0, 1.0, ec);
	}
	return e;
}

enum err seeker_optimum(struct seeker *s, enum sdc_state *best, const struct optimum_limits *l, bool *proven,
                        struct errctx *ec)
{
	struct search o = { .most = s->programs + s->pr->solved + l->programs };
	enum err e = search_init(&o, s, best, l->deadline_ms, ec);

	*proven = false;
	s->pr->doubt = false;
	if (e == ERR_OK)
		e = claims_take(&o, ec);
	if (e == ERR_OK)
		e = node(&o, 0, ec);
	*proven = e == ERR_OK && !o.over && !s->pr->doubt;
	search_clear(&o);
	return e;
}
