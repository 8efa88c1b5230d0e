/* SPDX-License-Identifier: EUPL-1.2 */
/* The inside of a problem, for the other files of this folder: cells in order of their codes, and the sums between
 * them. */
#ifndef SLB_DISCLOSE_PROBLEM_H
#define SLB_DISCLOSE_PROBLEM_H

#include "disclose/disclose.h"

/* One sum: the first cell of the run equals the others together. */
struct sdc_sum {
	uint32_t start; /* into sum_cell; the run ends where the next begins */
};

/* A part that is all, or all but one, of its margin (group disclosure): |margin| - 1 <= |part|. */
struct sdc_group {
	uint32_t margin, part;
	uint32_t sum; /* the sum they stand in */
};

/* Another table that fits a pattern, as its difference from the real one: cells in order, and their moves. */
struct witness {
	uint32_t *cell;
	int64_t *y;
	size_t len;
	uint32_t off; /* 0, or the trial that made it useless: see prover_show */
};

/* Witnesses that the last sdc_solve found for its pattern. The audit checks them like any other before it believes
 * them; they save it from searching what was found already. */
struct sdc_hints {
	struct witness *witness;
	size_t count;
};
void hints_clear(struct sdc_hints *h);

struct sdc_own_dim {
	uint32_t *parent;
	uint32_t *depth; /* 0 for the root */
	bool *leaf;
	size_t codes;
	uint32_t deepest;
};

struct sdc_own_table {
	struct sdc_axis axis[SDC_DIMS_MAX];
	size_t axes;
};

struct sdc_problem {
	struct sdc_rules rules;
	struct sdc_limits limits;
	struct sdc_own_dim *dim;
	size_t dims;
	struct sdc_own_table *table;
	size_t tables;

	size_t cells;
	uint32_t *code; /* cells x dims, in lexicographic order */
	struct sdc_count *count;
	uint32_t *weight;
	uint8_t *given;  /* enum sdc_given */
	uint8_t *is_set; /* a count was given */

	size_t sums;
	struct sdc_sum *sum; /* sums + 1, the last one closes the list */
	uint32_t *sum_cell;
	/* the sums each cell stands in: in_sum[in_start[c] .. in_start[c + 1]) */
	uint32_t *in_start;
	uint32_t *in_sum;

	size_t groups;
	struct sdc_group *group;
	struct sdc_hints *hints; /* owned; changes behind a const problem */
	bool closed;
};

static inline uint64_t count_n(const struct sdc_problem *p, size_t cell)
{
	return p->count[cell].n;
}

/* ERR_NO_MEMORY with its sentence. */
enum err no_memory(struct errctx *ec) MUST_CHECK;

/* When this call must be over, in the time of the limits' clock; 0: never. */
int64_t sdc_deadline(const struct sdc_problem *p);
/* ERR_REFUSED, with its sentence, when that time has come. */
enum err sdc_in_time(const struct sdc_problem *p, int64_t deadline_ms, struct errctx *ec) MUST_CHECK;

/* sdc_solve, but when there is no way to protect these tables that is an answer, not an error: *possible is false. */
enum err sdc_solve_try(const struct sdc_problem *p, enum sdc_state *state, bool *possible,
                       struct errctx *ec) MUST_CHECK;

#endif
