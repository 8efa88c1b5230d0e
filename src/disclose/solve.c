// SPDX-License-Identifier: EUPL-1.2
// Chooses the cells to hide besides the primaries. For each claim without a witness the cheapest moves that would prove
// it are found, with a cost for every shown cell they touch; those cells are hidden. Then what need not be hidden is
// shown again. Costs and the order of everything come from positions and the plan's weights; counts enter only where
// a proof needs them (D1 to D4).
#include "disclose/prover.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define REWEIGHTS 3     /* passes that turn "few moves" into "few cells" */
#define ATTEMPTS 5      /* patterns made from the primaries, each with other noise on the prices */
#define PROGRAMS 3000   /* linear programs after which no lighter pattern is looked for */
#define LARGE_CELLS 400 /* from here on one pattern must do */

struct seeker {
	const struct sdc_problem *p;
	struct prover *pr;
	struct lp *lp; /* two columns per cell: up, down */
	double *x;
	double *price; /* per cell: cost per unit of move in this pass */
	double *best;  /* per cell: the moves of the cheapest pass */
	struct lp_change *change;
	size_t changes;
	uint8_t *banned;   /* per cell: not to be hidden in this attempt */
	unsigned noise;    /* the attempt; 0: none */
	uint32_t reason;   /* a cell that must be small in the witness, or UINT32_MAX */
	size_t programs;   /* linear programs of the search */
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
	free(s->banned);
}

static enum err seeker_init(struct seeker *s, const struct sdc_problem *p, const uint8_t *may_hide, int64_t deadline,
                            struct errctx *ec)
{
	struct moves_model m = { 0 };
	enum err e;

	*s = (struct seeker){ .p = p, .reason = UINT32_MAX };
	e = prover_new(p, may_hide, deadline, &s->pr, ec);
	if (e != ERR_OK)
		return e;
	s->pr->knows_rules = true;
	s->x = calloc(2 * p->cells + p->groups + 1, sizeof *s->x);
	s->price = calloc(p->cells, sizeof *s->price);
	s->best = calloc(p->cells, sizeof *s->best);
	s->change = calloc(2 * p->cells + p->groups + 8, sizeof *s->change);
	s->why = calloc(p->cells, sizeof *s->why);
	s->banned = calloc(p->cells, 1);
	if (s->banned == NULL || s->why == NULL || s->x == NULL || s->price == NULL || s->best == NULL ||
	    s->change == NULL)
		return no_memory(ec);
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
		enum lp_status status;
		double total = 0;
		size_t touched = 0;

		if (!columns_put(s, c, dir))
			return ERR_OK;
		e = lp_solve(s->lp, s->change, s->changes, &status, s->x, ec);
		s->programs++;
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

/* Shows again what need not be hidden, the dearest first. */
static enum err clean_up(struct seeker *s, enum sdc_state *state, struct errctx *ec)
{
	const struct sdc_problem *p = s->p;
	struct by_weight *order = calloc(p->cells, sizeof *order);
	struct trial t = { .before = calloc(s->pr->claims + 1, sizeof *t.before),
		           .shown = calloc(p->cells, sizeof *t.shown) };
	size_t count = 0;
	enum err e = p->cells < LARGE_CELLS ? ERR_OK : prover_slim(&s->pr, ec);

	if (order == NULL || t.before == NULL || t.shown == NULL)
		e = no_memory(ec);
	for (uint32_t c = 0; e == ERR_OK && c < p->cells; c++) {
		if (state[c] == SDC_SECONDARY && p->given[c] != SDC_HIDDEN_BEFORE)
			order[count++] = (struct by_weight){ c, p->weight[c] };
	}
	if (e == ERR_OK && count > 0)
		qsort(order, count, sizeof *order, by_weight_cmp);
	for (size_t k = 0; e == ERR_OK && k < count; k++) {
		if (state[order[k].cell] == SDC_SECONDARY)
			e = try_showing(s, &t, order[k].cell, state, ec);
	}
	free(order);
	free(t.before);
	free(t.shown);
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

/* From what `state` hides to a pattern that proves everything and has nothing superfluous. */
static enum err complete(struct seeker *s, enum sdc_state *state, bool *possible, struct errctx *ec)
{
	enum err e = prover_pattern_set(s->pr, state, ec);

	*possible = true;
	if (e == ERR_OK)
		e = prover_claims_add(s->pr, SDC_AUDIT_A | SDC_AUDIT_B, ec);
	if (e == ERR_OK)
		e = claims_meet(s, state, possible, ec);
	/* a zero that gets hidden unties cells that were one, so that there are more claims to make */
	s->zero_hidden = s->p->rules.insider;
	while (e == ERR_OK && *possible && s->zero_hidden) {
		s->zero_hidden = false;
		prover_insiders_drop(s->pr);
		e = prover_claims_add(s->pr, SDC_AUDIT_C, ec);
		if (e == ERR_OK)
			e = claims_meet(s, state, possible, ec);
	}
	if (e == ERR_OK && *possible)
		e = clean_up(s, state, ec);
	return e;
}

static uint64_t weight_of(const struct sdc_problem *p, const enum sdc_state *state)
{
	uint64_t w = 0;

	for (size_t c = 0; c < p->cells; c++)
		w += state[c] == SDC_SECONDARY ? p->weight[c] : 0;
	return w;
}

static bool enough_tried(const struct seeker *s)
{
	size_t most = s->p->limits.programs == 0 ? PROGRAMS : s->p->limits.programs;

	return s->p->cells >= LARGE_CELLS || s->programs + s->pr->solved > most;
}

/* Completes `trial` and keeps it as the best pattern if it is lighter. */
static enum err compete(struct seeker *s, enum sdc_state *trial, enum sdc_state *best, uint64_t *best_weight,
                        struct errctx *ec)
{
	bool possible;
	enum err e = complete(s, trial, &possible, ec);

	if (e == ERR_OK && possible && weight_of(s->p, trial) < *best_weight) {
		memcpy(best, trial, s->p->cells * sizeof *best);
		*best_weight = weight_of(s->p, trial);
	}
	return e;
}

/* Other patterns: from the primaries with noise on the prices, then from the best one without one of its cells. */
static enum err improve(struct seeker *s, enum sdc_state *best, struct errctx *ec)
{
	const struct sdc_problem *p = s->p;
	enum sdc_state *trial = calloc(p->cells, sizeof *trial);
	uint64_t best_weight = weight_of(p, best);
	enum err e = ERR_OK;

	if (trial == NULL)
		return no_memory(ec);
	for (s->noise = 1; e == ERR_OK && best_weight > 0 && s->noise < ATTEMPTS && !enough_tried(s); s->noise++) {
		sdc_primaries(p, trial);
		e = compete(s, trial, best, &best_weight, ec);
	}
	s->noise = 0;
	for (uint32_t c = 0; e == ERR_OK && c < p->cells && !enough_tried(s); c++) {
		if (best[c] != SDC_SECONDARY || p->given[c] == SDC_HIDDEN_BEFORE)
			continue;
		memcpy(trial, best, p->cells * sizeof *trial);
		trial[c] = SDC_OPEN;
		s->banned[c] = 1;
		e = compete(s, trial, best, &best_weight, ec);
		s->banned[c] = 0;
	}
	free(trial);
	return e;
}

/* Proves the chosen pattern once more and leaves the witnesses for the audit. */
static enum err hints_leave(struct seeker *s, const enum sdc_state *state, bool *possible, struct errctx *ec)
{
	unsigned which = SDC_AUDIT_A | SDC_AUDIT_B | (s->p->rules.insider ? SDC_AUDIT_C : 0);
	size_t failed = SIZE_MAX;
	enum err e = prover_pattern_set(s->pr, state, ec);

	if (e == ERR_OK)
		e = prover_claims_add(s->pr, which, ec);
	if (e == ERR_OK)
		e = prover_run(s->pr, &failed, ec);
	*possible = failed == SIZE_MAX;
	if (e == ERR_OK && *possible)
		e = prover_hints_take(s->pr, s->p->hints, ec);
	return e;
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
		return no_memory(ec);
	for (uint32_t c = 0; c < p->cells; c++)
		may_hide[c] = p->given[c] != SDC_KNOWN && (count_n(p, c) > 0 || p->rules.group);
	e = seeker_init(&s, p, may_hide, sdc_deadline(p), ec);
	if (e == ERR_OK)
		e = complete(&s, state, possible, ec);
	if (e == ERR_OK && *possible)
		e = improve(&s, state, ec);
	if (e == ERR_OK && *possible)
		e = hints_leave(&s, state, possible, ec);
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
