/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The attacker of attacker.h with a solver of his own: GLPK, exact in its answers to about 1e-7, in this process. No
 * line and no library is shared with src/disclose. What he sees is an atk_view; what he can be sure of is the range of
 * each hidden cell, plainly or as somebody who knows one of them; and what any pattern must cost at least is a mixed
 * integer program with one table per small cell.
 */
#ifndef SLB_TESTS_SOLVER_H
#define SLB_TESTS_SOLVER_H

#include <glpk.h>
#include <math.h>
#include <stdlib.h>

#include "disclose/attacker.h"

#define SOLVER_NEAR 1e-6

/* A column for each hidden cell that may differ, at most `far`; a row for each sum. */
struct solver {
	glp_prob *lp;
	const struct atk_view *v;
	int *column; /* per cell, from 1; 0: none */
};

static inline void solver_close(struct solver *s)
{
	glp_delete_prob(s->lp);
	free(s->column);
}

static inline void solver_open(struct solver *s, const struct atk_view *v)
{
	const struct atk_world *w = v->w;
	int columns = 0;

	glp_term_out(GLP_OFF);
	s->v = v;
	s->lp = glp_create_prob();
	s->column = calloc((size_t)w->cells, sizeof *s->column);
	for (int c = 0; c < w->cells; c++) {
		if (!v->hidden[c])
			continue;
		s->column[c] = ++columns;
		glp_add_cols(s->lp, 1);
		glp_set_col_bnds(s->lp, columns, GLP_LO, (double)v->lo[c], 0);
	}
	for (int k = 0; k < w->sums; k++) {
		int index[ATK_PARTS + 2], n = 0;
		double value[ATK_PARTS + 2], shown = 0;

		for (int j = -1; j < w->parts[k]; j++) {
			int c = j < 0 ? w->whole[k] : w->part[k][j];

			if (v->hidden[c]) {
				index[++n] = s->column[c];
				value[n] = j < 0 ? -1 : 1;
			} else {
				shown += j < 0 ? -(double)w->n[c] : (double)w->n[c];
			}
		}
		if (n > 0) {
			int row = glp_add_rows(s->lp, 1);

			glp_set_row_bnds(s->lp, row, GLP_FX, -shown, -shown);
			glp_set_mat_row(s->lp, row, n, index, value);
		}
	}
}

/* The least or largest value of a hidden cell; INFINITY where there is no bound, NAN where nothing fits. */
static inline double solver_reach(struct solver *s, int cell, bool largest)
{
	glp_smcp how;
	double out = NAN;

	glp_init_smcp(&how);
	how.msg_lev = GLP_MSG_OFF;
	how.meth = GLP_PRIMAL;
	glp_set_obj_dir(s->lp, largest ? GLP_MAX : GLP_MIN);
	glp_set_obj_coef(s->lp, s->column[cell], 1);
	if (glp_simplex(s->lp, &how) == 0) {
		int status = glp_get_status(s->lp);

		out = status == GLP_OPT ? glp_get_obj_val(s->lp) : status == GLP_UNBND ? INFINITY : NAN;
	}
	glp_set_obj_coef(s->lp, s->column[cell], 0);
	return out;
}

/* Somebody knows this hidden cell; or no longer. */
static inline void solver_know(struct solver *s, int cell, bool knows)
{
	glp_set_col_bnds(s->lp, s->column[cell], knows ? GLP_FX : GLP_LO,
	                 (double)(knows ? s->v->w->n[cell] : s->v->lo[cell]), (double)s->v->w->n[cell]);
}

/* Is the cell certain, even in fractions? */
static inline bool solver_certain(struct solver *s, int cell)
{
	double lo = solver_reach(s, cell, false), hi = solver_reach(s, cell, true);

	return !(hi - lo > SOLVER_NEAR); /* NAN is certain too: something is wrong then */
}

/* -- the least that any pattern hides ----------------------------------------------------------------------------- */

/* What every pattern that keeps each small cell's bound at `t` or more must hide, by weight, when hidden cells are
 * known to be at least `floor` (0, or 1 for a reader who knows that zeros are shown): for each small cell one table
 * that differs only where x is 1. Fractions are allowed in the tables, so this is a lower bound; -1 when the time was
 * not enough for it. */
static inline double solver_least(const struct atk_world *w, const bool *primary, const double *weight, long t,
                                  long floor, int seconds)
{
	glp_prob *mip = glp_create_prob();
	int *x = calloc((size_t)w->cells, sizeof *x), *y = calloc((size_t)w->cells, sizeof *y);
	double far = 4.0 * (double)t, least = -1;
	glp_iocp how;

	glp_term_out(GLP_OFF);
	glp_set_obj_dir(mip, GLP_MIN);
	for (int c = 0; c < w->cells; c++) {
		if (primary[c] || w->n[c] == 0)
			continue;
		x[c] = glp_add_cols(mip, 1);
		glp_set_col_kind(mip, x[c], GLP_BV);
		glp_set_obj_coef(mip, x[c], weight[c]);
	}
	for (int p = 0; p < w->cells; p++) {
		if (!primary[p] || w->n[p] >= t)
			continue;
		for (int c = 0; c < w->cells; c++) {
			double down = w->n[c] - floor < far ? (double)(w->n[c] - floor) : far,
			       need = (double)(t - w->n[p]);

			y[c] = 0;
			if (w->n[c] == 0)
				continue;
			y[c] = glp_add_cols(mip, 1);
			glp_set_col_bnds(mip, y[c], GLP_DB, c == p ? need : -down, far);
			if (c == p)
				glp_set_col_bnds(mip, y[c], GLP_FX, need, need);
			else if (down <= 0)
				glp_set_col_bnds(mip, y[c], GLP_DB, 0, far);
			if (primary[c])
				continue;
			for (int side = 0; side < 2; side++) {
				int row = glp_add_rows(mip, 1), index[3] = { 0, y[c], x[c] };
				double value[3] = { 0, 1, side == 0 ? -far : down };

				glp_set_row_bnds(mip, row, side == 0 ? GLP_UP : GLP_LO, 0, 0);
				glp_set_mat_row(mip, row, 2, index, value);
			}
		}
		for (int k = 0; k < w->sums; k++) {
			int index[ATK_PARTS + 2], n = 0, row;
			double value[ATK_PARTS + 2];

			for (int j = -1; j < w->parts[k]; j++) {
				int c = j < 0 ? w->whole[k] : w->part[k][j];

				if (y[c] != 0) {
					index[++n] = y[c];
					value[n] = j < 0 ? -1 : 1;
				}
			}
			if (n == 0)
				continue;
			row = glp_add_rows(mip, 1);
			glp_set_row_bnds(mip, row, GLP_FX, 0, 0);
			glp_set_mat_row(mip, row, n, index, value);
		}
	}
	glp_init_iocp(&how);
	how.msg_lev = GLP_MSG_OFF;
	how.presolve = GLP_ON;
	how.mir_cuts = GLP_ON;
	how.cov_cuts = GLP_ON;
	how.tm_lim = seconds * 1000;
	if (glp_intopt(mip, &how) == 0 && glp_mip_status(mip) == GLP_OPT)
		least = glp_mip_obj_val(mip);
	glp_delete_prob(mip);
	free(x);
	free(y);
	return least;
}

#endif
