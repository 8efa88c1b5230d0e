// SPDX-License-Identifier: EUPL-1.2
// Claims and the witnesses that prove them (D1 to D4). What counts is prover_offer: it checks a proposed witness in
// integers against every sum it touches. The rest of the file only proposes.
#include "disclose/prover.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BRANCH_NODES 24  /* linear programs spent on making one witness whole */
#define EXPLAIN_TRIES 12 /* other small cells tried to explain a hidden part */
#define POOL_MOST 6000   /* witnesses carried over from pattern to pattern */
#define SWEEP_GAIN 4     /* a sweep that proves fewer claims is the last */

static enum err no_memory(struct errctx *ec)
{
	return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.", NULL, NULL,
	               NULL);
}

static void witness_clear(struct witness *w)
{
	free(w->cell);
	free(w->y);
}

void prover_free(struct prover *pr)
{
	if (pr == NULL)
		return;
	lp_close(pr->lp);
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
static enum err bounds_usual(struct prover *pr, uint32_t cell, double push, struct errctx *ec)
{
	if (!pr->hidden[cell])
		return net_put(pr, cell, 0.0, 0.0, push, ec);
	return net_put(pr, cell, -(double)room_down(pr, cell), (double)pr->cap, push, ec);
}

enum err prover_new(const struct sdc_problem *p, const uint8_t *may_hide, int64_t deadline_ms, struct prover **out,
                    struct errctx *ec)
{
	struct prover *pr = calloc(1, sizeof *pr);
	struct moves_model model = { 0 };
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
	e = moves_model_make(p, pr->col_of, pr->cell_cols, true, &model, ec);
	if (e == ERR_OK)
		e = lp_open(&model.lp, &p->limits, deadline_ms, &pr->lp, ec);
	moves_model_clear(&model);
	if (e != ERR_OK) {
		prover_free(pr);
		return e;
	}
	*out = pr;
	return ERR_OK;
}

/* -- the pattern ------------------------------------------------------------------------------------------------ */

enum err prover_hide(struct prover *pr, uint32_t cell, struct errctx *ec)
{
	pr->hidden[cell] = 1;
	pr->parts_fresh = false;
	return bounds_usual(pr, cell, 0.0, ec);
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

static uint32_t part_root(uint32_t *part_of, uint32_t c)
{
	while (part_of[c] != c) {
		part_of[c] = part_of[part_of[c]];
		c = part_of[c];
	}
	return c;
}

/* Which hidden cells hang together through sums. */
static void parts_refresh(struct prover *pr)
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
				pr->part_of[part_root(pr->part_of, c)] = part_root(pr->part_of, first);
		}
	}
	for (uint32_t c = 0; c < p->cells; c++)
		pr->part_of[c] = part_root(pr->part_of, c);
	pr->parts_fresh = true;
}

/* -- claims ----------------------------------------------------------------------------------------------------- */

enum err prover_claim(struct prover *pr, enum claim_kind kind, uint32_t a, uint32_t b, struct errctx *ec)
{
	if (pr->claims == pr->claim_room) {
		size_t room = pr->claim_room == 0 ? 64 : 2 * pr->claim_room;
		struct claim *more;

		if (room > (size_t)1 << 24)
			return err_set(ec, ERR_REFUSED,
			               "These tables take too long to protect. Use coarser values or fewer tables.",
			               NULL, NULL, NULL);
		more = realloc(pr->claim, room * sizeof *more);
		if (more == NULL)
			return no_memory(ec);
		pr->claim = more;
		pr->claim_room = room;
	}
	pr->claim[pr->claims++] = (struct claim){ (uint8_t)kind, a, b, -1 };
	return ERR_OK;
}

/* A margin and its one part that is not a shown zero are the same people: who knows one knows the other from the zeros
 * alone. tie[] gets one number for all cells tied to each other. */
static void ties_find(const struct prover *pr, uint32_t *tie)
{
	const struct sdc_problem *p = pr->p;

	for (uint32_t c = 0; c < p->cells; c++)
		tie[c] = c;
	for (size_t s = 0; s < p->sums; s++) {
		uint32_t from = p->sum[s].start, only = UINT32_MAX;
		size_t others = 0;

		for (uint32_t k = from + 1; k < p->sum[s + 1].start; k++) {
			if (count_n(p, p->sum_cell[k]) > 0 || pr->hidden[p->sum_cell[k]]) {
				only = p->sum_cell[k];
				others++;
			}
		}
		if (others == 1)
			tie[part_root(tie, only)] = part_root(tie, p->sum_cell[from]);
	}
	for (uint32_t c = 0; c < p->cells; c++)
		tie[c] = part_root(tie, c);
}

static enum err insider_claims(struct prover *pr, struct errctx *ec)
{
	const struct sdc_problem *p = pr->p;
	uint32_t *tie = calloc(p->cells, sizeof *tie);
	enum sdc_state *primary = calloc(p->cells, sizeof *primary);
	enum err e = ERR_OK;

	if (tie == NULL || primary == NULL) {
		e = no_memory(ec);
		goto done;
	}
	ties_find(pr, tie);
	sdc_primaries(p, primary);
	for (uint32_t s = 0; s < p->cells; s++) {
		if (!pr->hidden[s] || count_n(p, s) != 1)
			continue;
		for (uint32_t q = 0; e == ERR_OK && q < p->cells; q++) {
			if (q != s && pr->hidden[q] && primary[q] == SDC_PRIMARY && tie[q] != tie[s])
				e = prover_claim(pr, CLAIM_INSIDER, s, q, ec);
		}
	}
done:
	free(tie);
	free(primary);
	return e;
}

void prover_insiders_drop(struct prover *pr)
{
	size_t kept = 0;

	for (size_t k = 0; k < pr->claims; k++) {
		if (pr->claim[k].kind != CLAIM_INSIDER)
			pr->claim[kept++] = pr->claim[k];
	}
	pr->claims = kept;
}

enum err prover_claims_add(struct prover *pr, unsigned which, struct errctx *ec)
{
	const struct sdc_problem *p = pr->p;
	enum err e = ERR_OK;

	for (uint32_t c = 0; e == ERR_OK && (which & SDC_AUDIT_B) && c < p->cells; c++) {
		if (pr->hidden[c] && small_cell(p, c))
			e = prover_claim(pr, CLAIM_RAISE, c, 0, ec);
	}
	for (uint32_t g = 0; e == ERR_OK && (which & SDC_AUDIT_B) && g < p->groups; g++)
		e = prover_claim(pr, CLAIM_GROUP, g, 0, ec);
	for (uint32_t c = 0; e == ERR_OK && (which & SDC_AUDIT_A) && c < p->cells; c++) {
		if (pr->hidden[c])
			e = prover_claim(pr, CLAIM_MOVE, c, 0, ec);
	}
	if (e == ERR_OK && (which & SDC_AUDIT_C))
		e = insider_claims(pr, ec);
	return e;
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

/* -- witnesses -------------------------------------------------------------------------------------------------- */

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
	parts_refresh(pr);
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
	return bounds_usual(pr, cell, 0.0, ec);
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
			e = bounds_usual(pr, cell, 0.0, ec);
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
static void pool_try(struct prover *pr)
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
		e = bounds_usual(pr, a->bound[k].cell, 0.0, ec);
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
			e = bounds_usual(pr, cell, 0.0, ec);
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

	parts_refresh(pr);
	for (uint32_t q = 0; e == ERR_OK && !*proven && tries < EXPLAIN_TRIES && q < p->cells; q++) {
		struct ask more = *a;
		double least = -(double)room_down(pr, q), most = raise_need(p, q) - 1;
		int budget = BRANCH_NODES;

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

/* Asks for a witness of one claim in one direction: by few moves, by a large one, and with a reason added. */
static enum err search(struct prover *pr, const struct claim *c, const struct ask *a, bool *proven, struct errctx *ec)
{
	enum err e = ERR_OK;

	pr->possible = true;
	for (int push = 0; e == ERR_OK && !*proven && pr->possible && push < 2; push++) {
		int budget = BRANCH_NODES;

		pr->possible = false;
		e = ask_put(pr, a, push, ec);
		if (e == ERR_OK)
			e = branch(pr, c, &budget, proven, ec);
		if (e == ERR_OK)
			e = ask_take_back(pr, a, ec);
	}
	if (e == ERR_OK && !*proven && pr->possible && pr->knows_rules && needs_reason(pr->p))
		e = search_explained(pr, c, a, proven, ec);
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
			e = bounds_usual(pr, pr->cell_of[k], 0.0, ec);
	}
	return e;
}

enum err prover_one(struct prover *pr, size_t claim, bool *proven, struct errctx *ec)
{
	bool deeper = pr->knows_rules && pr->p->rules.group;
	enum err e = ERR_OK;

	*proven = pr->claim[claim].cover >= 0;
	for (int deep = 0; e == ERR_OK && !*proven && deep <= deeper; deep++) {
		if (deep)
			e = deep_set(pr, true, ec);
		for (int dir = 1; e == ERR_OK && !*proven && dir >= -1; dir -= 2) {
			struct ask a;

			if (ask_for(pr, &pr->claim[claim], dir, &a))
				e = search(pr, &pr->claim[claim], &a, proven, ec);
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
		e = bounds_usual(pr, cell, push, ec);
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
			e = bounds_usual(pr, cell, 0.0, ec);
	}
	*gained = open;
	if (e == ERR_OK && fixed != SDC_NO_CELL)
		e = bounds_usual(pr, (uint32_t)fixed, 0.0, ec);
	return e;
}

enum err prover_run(struct prover *pr, size_t *failed, struct errctx *ec)
{
	enum err e = ERR_OK;
	size_t from = 0;

	*failed = SIZE_MAX;
	pool_try(pr);
	while (e == ERR_OK && from < pr->claims) {
		/* a stretch of claims that can be pushed together: all but insiders, or one insider's */
		size_t to = from + 1, gained;
		bool insider = pr->claim[from].kind == CLAIM_INSIDER;

		while (to < pr->claims && (pr->claim[to].kind == CLAIM_INSIDER) == insider &&
		       (!insider || pr->claim[to].a == pr->claim[from].a))
			to++;
		do {
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
