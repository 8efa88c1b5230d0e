/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The search for a pattern, shared by the files that do it: solve.c (the whole), meet.c (hides what one claim needs),
 * tidy.c (shows again what need not be hidden), optimum.c (the lightest pattern of a small system).
 *
 * Internal to disclose/.
 */
#ifndef SLB_DISCLOSE_SEEKER_H
#define SLB_DISCLOSE_SEEKER_H

#include "disclose/prover.h"

#define LARGE_CELLS 400 /* from here on one pattern must do */

struct seeker {
	const struct sdc_problem *p;
	struct prover *pr;
	struct flow *flow; /* NULL where the system is no network */
	int64_t *moves;    /* per cell, of the flow */
	struct lp *lp;     /* two columns per cell: up, down; NULL until it is needed */
	double *x;
	double *price; /* per cell: cost per unit of move in this pass */
	double *move;  /* per cell: the moves of this pass */
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

/* `may_hide` per cell. seeker_clear() also after an error. */
enum err seeker_init(struct seeker *s, const struct sdc_problem *p, const uint8_t *may_hide, int64_t deadline,
                     struct errctx *ec) MUST_CHECK;
void seeker_clear(struct seeker *s);

/* Starts the solver if that has not happened. */
enum err seeker_solver_ready(struct seeker *s, struct errctx *ec) MUST_CHECK;
/* Adds a change of one column to those for the next call of s->lp. */
void seeker_put(struct seeker *s, size_t col, double lower, double upper, double cost);

/* Proves every claim, hiding what that takes. Hiding adds claims at the end. */
enum err seeker_meet(struct seeker *s, enum sdc_state *state, bool *possible, struct errctx *ec) MUST_CHECK;

/* Sorts cells: the dearest first, then from the last position to the first. */
void seeker_dearest_first(const struct sdc_problem *p, uint32_t *cell, size_t count);

/* Shows again what need not be hidden, the dearest first. */
enum err seeker_tidy(struct seeker *s, enum sdc_state *state, struct errctx *ec) MUST_CHECK;

/* From what `state` hides to a pattern that proves everything and has nothing superfluous. */
enum err seeker_complete(struct seeker *s, enum sdc_state *state, bool *possible, struct errctx *ec) MUST_CHECK;

/* Completes `trial` and keeps it as the best pattern if it is lighter. */
enum err seeker_compete(struct seeker *s, enum sdc_state *trial, enum sdc_state *best, uint64_t *best_weight,
                        struct errctx *ec) MUST_CHECK;

struct optimum_limits {
	size_t programs; /* linear programs it may take */
	int64_t deadline_ms;
};
/* From a pattern that holds to the lightest there is. *proven: it is that; else the budget ended first, and `best` is
 * as light as was found. */
enum err seeker_optimum(struct seeker *s, enum sdc_state *best, const struct optimum_limits *l, bool *proven,
                        struct errctx *ec) MUST_CHECK;

/* What the secondary cells weigh together. */
uint64_t seeker_weight(const struct sdc_problem *p, const enum sdc_state *state);

#endif
