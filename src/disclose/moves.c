// SPDX-License-Identifier: EUPL-1.2
// The linear system of moves: what can be added to and taken from hidden cells while every sum holds. Used to look for
// witnesses and to look for cells to hide.
#include "disclose/prover.h"

#include <stdlib.h>

void moves_model_clear(struct moves_model *m)
{
	free(m->start);
	free(m->index);
	free(m->value);
	free(m->lower);
	free(m->upper);
	free(m->cost);
	free(m->row_lower);
	free(m->row_upper);
	*m = (struct moves_model){ 0 };
}

/* Rows that hold no variable cell say nothing and are left out: row_of is -1 for them. */
static size_t rows_number(const struct sdc_problem *p, const int32_t *col_of, int *row_of)
{
	size_t rows = 0;

	for (size_t s = 0; s < p->sums; s++) {
		row_of[s] = -1;
		for (uint32_t k = p->sum[s].start; row_of[s] < 0 && k < p->sum[s + 1].start; k++) {
			if (col_of[p->sum_cell[k]] >= 0)
				row_of[s] = (int)rows;
		}
		rows += row_of[s] >= 0;
	}
	return rows;
}

/* +1 for a part of sum s, -1 for its whole. */
static double sign_in(const struct sdc_problem *p, size_t s, size_t cell)
{
	return p->sum_cell[p->sum[s].start] == cell ? -1.0 : 1.0;
}

/* The entries of one cell's column: its sums, and the groups it stands beside. */
static size_t column_put(const struct sdc_problem *p, uint32_t cell, const int *row_of, size_t rows, double factor,
                         struct moves_model *m, size_t at)
{
	for (uint32_t k = p->in_start[cell]; k < p->in_start[cell + 1]; k++) {
		m->index[at] = row_of[p->in_sum[k]];
		m->value[at++] = factor * sign_in(p, p->in_sum[k], cell);
	}
	for (size_t g = 0; g < p->groups; g++) {
		if (cell != p->group[g].margin && cell != p->group[g].part)
			continue;
		m->index[at] = (int)(rows + g);
		m->value[at++] = cell == p->group[g].margin ? -factor : factor;
	}
	return at;
}

enum err moves_model_make(const struct sdc_problem *p, const int32_t *col_of, size_t cell_cols, bool split,
                          struct moves_model *out, struct errctx *ec)
{
	struct moves_model m = { 0 };
	size_t width = split ? 2 : 1, cols = cell_cols * width + p->groups;
	int *row_of = calloc(p->sums + 1, sizeof *row_of);
	size_t rows, entries = 0, at = 0, made = 0;

	for (size_t c = 0; c < p->cells; c++)
		entries += (p->in_start[c + 1] - p->in_start[c]) * width;
	entries += p->groups * (2 * width + 1) + 1;
	m.start = calloc(cols + 1, sizeof *m.start);
	m.index = calloc(entries, sizeof *m.index);
	m.value = calloc(entries, sizeof *m.value);
	m.lower = calloc(cols + 1, sizeof *m.lower);
	m.upper = calloc(cols + 1, sizeof *m.upper);
	m.cost = calloc(cols + 1, sizeof *m.cost);
	m.row_lower = calloc(p->sums + p->groups + 1, sizeof *m.row_lower);
	m.row_upper = calloc(p->sums + p->groups + 1, sizeof *m.row_upper);
	if (row_of == NULL || m.start == NULL || m.index == NULL || m.value == NULL || m.lower == NULL ||
	    m.upper == NULL || m.cost == NULL || m.row_lower == NULL || m.row_upper == NULL) {
		free(row_of);
		moves_model_clear(&m);
		return no_memory(ec);
	}
	rows = rows_number(p, col_of, row_of);
	for (uint32_t c = 0; c < p->cells; c++) {
		if (col_of[c] < 0)
			continue;
		for (size_t w = 0; w < width; w++) {
			m.start[made++] = (int)at;
			at = column_put(p, c, row_of, rows, w == 0 ? 1.0 : -1.0, &m, at);
		}
	}
	/* the move of a margin less that of its part: what moves beside the part */
	for (size_t g = 0; g < p->groups; g++) {
		m.start[made] = (int)at;
		m.lower[made] = -LP_INFINITY;
		m.upper[made++] = LP_INFINITY;
		m.index[at] = (int)(rows + g);
		m.value[at++] = 1.0;
	}
	m.start[made] = (int)at;
	m.lp = (struct lp_model){ .cols = cols,
		                  .rows = rows + p->groups,
		                  .start = m.start,
		                  .index = m.index,
		                  .value = m.value,
		                  .lower = m.lower,
		                  .upper = m.upper,
		                  .cost = m.cost,
		                  .row_lower = m.row_lower,
		                  .row_upper = m.row_upper };
	free(row_of);
	*out = m;
	return ERR_OK;
}
