/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Proof that a pattern hides enough, by witnesses.
 *
 * What an attacker could believe is a set of tables of whole numbers that fit everything shown. The real table is one;
 * a *witness* is another, kept as its difference y from the real one (y = 0 on shown cells, and every sum holds for y).
 * A *claim* ("this cell is not exact", "this 2 could be 5") is proven by one witness. Linear programs propose
 * witnesses; each is rounded to integers and checked against the sums in integers before it counts, so floating point
 * and the solver need not be trusted, and tables of three or more dimensions, where linear bounds promise more than
 * whole numbers keep, are judged by whole numbers. A claim without a witness has failed.
 *
 * Internal to disclose/.
 */
#ifndef SLB_DISCLOSE_PROVER_H
#define SLB_DISCLOSE_PROVER_H

#include "disclose/flow.h"
#include "disclose/lp.h"
#include "disclose/problem.h"

enum claim_kind {
	CLAIM_RAISE,   /* cell a could be at least T (D2) */
	CLAIM_GROUP,   /* group a: at least two could be elsewhere in the margin */
	CLAIM_MOVE,    /* cell a could be something else (D1) */
	CLAIM_INSIDER, /* cell b could be something else to one who knows cell a (D3) */
	CLAIM_VOID,    /* nothing: the cell of a former CLAIM_MOVE is shown */
};

struct claim {
	uint8_t kind;
	uint32_t a, b;
	int32_t cover; /* index of the witness that proves it, or -1 */
};

struct prover {
	const struct sdc_problem *p;
	int64_t deadline_ms;
	uint8_t *hidden;   /* per cell; change with prover_hide and prover_show only */
	bool knows_rules;  /* the reader knows what hides what (D4); set before the first prover_hide */
	bool hurried;      /* gives a claim up early: for trials whose failure costs no more than a lighter pattern */
	bool deep;         /* this search may take a cell to 0: see lean_down */
	uint32_t *part_of; /* per cell: connected component of hidden cells; see parts_fresh */
	uint8_t *reason;   /* per component: something small is in it (scratch) */
	bool parts_fresh;
	uint32_t trial;
	bool possible; /* the last search had an answer in fractions */
	int64_t cap;   /* largest move considered */

	struct claim *claim;
	size_t claims, claim_room;
	struct witness *pool;
	size_t pool_len, pool_room;
	int64_t *y; /* scratch, per cell; all 0 between calls */

	struct flow *flow;        /* NULL where the system is no network */
	struct lp *lp;            /* NULL until a claim needs it: see prover_solver_ready */
	size_t cell_cols;         /* variable cells: two columns each, up and down; then one column per group */
	int32_t *col_of;          /* per cell, or -1 */
	uint32_t *cell_of;        /* per cell column */
	double *x;                /* scratch, per column */
	struct lp_change *change; /* waiting for the next call of the solver */
	size_t changes, change_room;
	bool doubt; /* some claim was given up, not refuted; whoever wants to know sets it to false first */
	uint64_t random;
	size_t solved; /* linear programs so far */
};

/* `may_hide` per cell: the cells that can ever be hidden during the prover's life. Nothing is hidden at first. */
enum err prover_new(const struct sdc_problem *p, const uint8_t *may_hide, int64_t deadline_ms, struct prover **out,
                    struct errctx *ec) MUST_CHECK;
void prover_free(struct prover *pr);
/* A prover with the same pattern, claims and witnesses in which only what is hidden now can ever be hidden: its linear
 * programs are smaller. Replaces *pr; unchanged on failure. */
enum err prover_slim(struct prover **pr, struct errctx *ec) MUST_CHECK;

/* Hiding keeps every proof. */
enum err prover_hide(struct prover *pr, uint32_t cell, struct errctx *ec) MUST_CHECK;
/* Shows a hidden cell on trial: witnesses that move it, or that move a part that has no reason any more, are off and
 * their claims open again. prover_show_undo takes back all trials since pr->trial was `mark`; the caller hides the
 * cells again. `before` is a copy of the claims from then (as many as there are). */
enum err prover_show(struct prover *pr, uint32_t cell, struct errctx *ec) MUST_CHECK;
void prover_show_undo(struct prover *pr, uint32_t mark, const struct claim *before);

/* Hides exactly what `state` hides. All claims are forgotten, witnesses that fit the pattern are kept. */
enum err prover_pattern_set(struct prover *pr, const enum sdc_state *state, struct errctx *ec) MUST_CHECK;

enum err prover_claim(struct prover *pr, enum claim_kind kind, uint32_t a, uint32_t b, struct errctx *ec) MUST_CHECK;
/* The claims of rules D1, D2 and the group rule (which & SDC_AUDIT_A, _B) and of D3 (SDC_AUDIT_C) for what is hidden.
 */
enum err prover_claims_add(struct prover *pr, unsigned which, struct errctx *ec) MUST_CHECK;

void prover_insiders_drop(struct prover *pr); /* the claims of D3, to be made anew */

/* Searches witnesses until every claim has one. *failed is the first claim without, or SIZE_MAX. */
enum err prover_run(struct prover *pr, size_t *failed, struct errctx *ec) MUST_CHECK;
/* One claim alone. */
enum err prover_one(struct prover *pr, size_t claim, bool *proven, struct errctx *ec) MUST_CHECK;
/* The witnesses that prove something, moved into `out`; the prover is not used after that. */
enum err prover_hints_take(struct prover *pr, struct sdc_hints *out, struct errctx *ec) MUST_CHECK;
/* Offers each hint. */
enum err prover_hints_try(struct prover *pr, const struct sdc_hints *hints, struct errctx *ec) MUST_CHECK;
/* Offers pr->y (moves per cell) as a witness; it joins the pool if it holds and proves an open claim. Clears pr->y. */
enum err prover_offer(struct prover *pr, bool *useful, struct errctx *ec) MUST_CHECK;

/* The attack in whole numbers on the part of hidden cells around `cell`, which is to move by `least` to `most`, while
 * `fixed` (or FLOW_NONE) stays. *decided: c->cover says whether there is a witness; else there are too many tables. */
struct whole_ask {
	uint32_t cell, fixed;
	int64_t least, most;
};
enum err prover_whole(struct prover *pr, const struct claim *c, const struct whole_ask *a, bool *decided,
                      struct errctx *ec) MUST_CHECK;

/* Starts the solver if that has not happened. Before, changes of bounds go nowhere. */
enum err prover_solver_ready(struct prover *pr, struct errctx *ec) MUST_CHECK;

/* Shared by the files of the prover: the ordinary bounds of a cell's move in the next linear program (`push` 0 for few
 * moves, under 0 for a large one up, over 0 for a large one down); which hidden cells hang together (part_of); the
 * witnesses at hand tried on open claims; the root of a cell in a forest of joined cells. */
enum err prover_bounds_usual(struct prover *pr, uint32_t cell, double push, struct errctx *ec) MUST_CHECK;
void prover_parts_refresh(struct prover *pr);
void prover_pool_try(struct prover *pr);
uint32_t tree_root(uint32_t *parent, uint32_t c);
void witness_clear(struct witness *w);

/* The columns of the moves y of the cells that may be hidden, with the sums between them; shared with the search for
 * cells to hide. `split`: two columns per cell, up and down. Arrays are owned by the result. */
struct moves_model {
	struct lp_model lp;
	int *start, *index;
	double *value, *lower, *upper, *cost, *row_lower, *row_upper;
};
enum err moves_model_make(const struct sdc_problem *p, const int32_t *col_of, size_t cell_cols, bool split,
                          struct moves_model *out, struct errctx *ec) MUST_CHECK;
void moves_model_clear(struct moves_model *m);

/* How far a hidden cell can go down before a reader would no longer believe it. One who knows the rules knows that what
 * is hidden is not 0 - unless the group rule is in force, which hides zeros too; then 0 can be believed beside a group
 * (see beliefs_keep). `deep` false asks for the former in any case: such witnesses are found more easily. */
static inline int64_t lean_down(const struct prover *pr, uint32_t cell, bool deep)
{
	int64_t n = (int64_t)count_n(pr->p, cell);

	return n > 0 && pr->knows_rules && !(deep && pr->p->rules.group) ? n - 1 : n;
}

/* Where contributors are not counted, only smallness and groups are reasons to hide. */
static inline bool needs_reason(const struct sdc_problem *p)
{
	return p->rules.min_contributors == 0 && !p->rules.capped;
}

/* How far a cell must go up for D2. */
static inline int64_t raise_need(const struct sdc_problem *p, uint32_t cell)
{
	return (int64_t)p->rules.threshold - (int64_t)count_n(p, cell);
}

/* How many more must be possible beside the part of a group. */
static inline int64_t group_need(const struct sdc_problem *p, const struct sdc_group *g)
{
	return 2 - ((int64_t)count_n(p, g->margin) - (int64_t)count_n(p, g->part));
}

static inline bool small_cell(const struct sdc_problem *p, uint32_t cell)
{
	return count_n(p, cell) > 0 && count_n(p, cell) < p->rules.threshold;
}

#endif
