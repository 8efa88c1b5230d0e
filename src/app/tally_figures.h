/* SPDX-License-Identifier: EUPL-1.2 */
/* The figures of one circle for one quarter, and tables as people see them. Private to app/. */
#ifndef SLB_APP_TALLY_FIGURES_H
#define SLB_APP_TALLY_FIGURES_H

#include "app/tally.h"
#include "app/tally_case.h"
#include "tally/tables.h"

/* How many referrals of a circle fall in each cell (x[] of plan->cells): those first sent in the quarter, each once,
 * by their state on the day the tally opens. *referrals receives their number. */
enum err tally_figures(struct errctx *ec, struct app *app, int64_t circle, const struct plan *plan, uint64_t *x,
                       uint64_t *referrals) MUST_CHECK;

/* All tables at a level, empty, the first alone where the level leaves the first dimension out; the memory is the
 * pool's. */
enum err tally_grids(struct pool *pool, size_t level, struct grid **out, size_t *count) MUST_CHECK;
/* The cell of a table at (row, column), as a cell of the tally. */
struct tally_cell tally_grid_cell(size_t table, size_t level, size_t row, size_t column);

#endif
