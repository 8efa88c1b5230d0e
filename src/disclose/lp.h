/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Linear programs, solved by COIN-OR Clp in a child process: the one door to the solver. The child has no file but its
 * socket, leaves no core dump, dies with its parent, and is killed when time or memory run out. Its answers are in
 * floating point and are never believed: who asks rounds them and checks them in integers.
 *
 *   minimise cost . x   where   row_lower <= A x <= row_upper,  lower <= x <= upper
 *
 * The same calls in the same order give the same answers.
 */
#ifndef SLB_DISCLOSE_LP_H
#define SLB_DISCLOSE_LP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "disclose/disclose.h"

#define LP_INFINITY 1e30

/* Read during lp_open only. The matrix stands by columns: the entries of column j are index[start[j]] ..
 * index[start[j + 1] - 1]. */
struct lp_model {
	size_t cols, rows;
	const int *start; /* cols + 1 */
	const int *index; /* row of each entry */
	const double *value;
	const double *lower, *upper, *cost;  /* cols */
	const double *row_lower, *row_upper; /* rows */
};

/* New bounds and cost of a column; they stay until changed again. */
struct lp_change {
	uint32_t col;
	uint32_t zero; /* padding that crosses the socket: 0 */
	double lower, upper, cost;
};

/* One more row: what the named columns add up to, each times its value, is at least `lower`. */
struct lp_row {
	size_t count;
	const int *col;
	const double *value;
	double lower;
};

enum lp_status { LP_OPTIMAL = 0, LP_INFEASIBLE = 1, LP_UNBOUNDED = 2, LP_GAVE_UP = 3 };

struct lp;

/* Starts the child. `deadline_ms` is a time of limits->clock (0: none). ERR_IO if no child can be had. */
enum err lp_open(const struct lp_model *model, const struct sdc_limits *limits, int64_t deadline_ms, struct lp **out,
                 struct errctx *ec) MUST_CHECK;
/* `x` gets the cols values if LP_OPTIMAL. ERR_REFUSED when the time is over, ERR_IO when the child is gone. */
enum err lp_solve(struct lp *lp, const struct lp_change *changes, size_t count, enum lp_status *status, double *x,
                  struct errctx *ec) MUST_CHECK;
/* After LP_OPTIMAL: what the cost would rise by for each unit of a column (its reduced cost), cols values. */
enum err lp_prices(struct lp *lp, double *price, struct errctx *ec) MUST_CHECK;
/* Adds a row for all further calls. */
enum err lp_row_add(struct lp *lp, const struct lp_row *row, struct errctx *ec) MUST_CHECK;
void lp_close(struct lp *lp); /* ends the child; accepts NULL */

#endif
