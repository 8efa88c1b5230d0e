// SPDX-License-Identifier: EUPL-1.2
// What is still free when some cells are shown (D1), by elimination modulo a prime. The free tables are the span of the
// columns of a matrix with a row for each cell; showing a cell makes its row 0 by adding one column to the others and
// dropping it.
#include "disclose/rank.h"

#include <stdlib.h>
#include <string.h>

#define PRIME UINT64_C(2147483647)     /* 2^31 - 1 */
#define ENTRIES_MOST ((size_t)1 << 27) /* 4 bytes each */

struct rank {
	size_t cells, columns;
	size_t width;    /* columns there were at first */
	uint32_t *entry; /* cells x width, row by row; the first `columns` of each count */
};

void rank_free(struct rank *r)
{
	if (r == NULL)
		return;
	free(r->entry);
	free(r);
}

static uint32_t times(uint32_t a, uint32_t b)
{
	return (uint32_t)((uint64_t)a * b % PRIME);
}

static uint32_t less(uint32_t a, uint32_t b)
{
	return a >= b ? a - b : (uint32_t)(a + PRIME - b);
}

/* By Fermat. */
static uint32_t inverse(uint32_t a)
{
	uint32_t out = 1;

	for (uint64_t e = PRIME - 2; e > 0; e >>= 1) {
		if (e & 1)
			out = times(out, a);
		a = times(a, a);
	}
	return out;
}

static uint32_t *row_of(const struct rank *r, size_t cell)
{
	return r->entry + cell * r->width;
}

/* Makes the row of a cell 0: its first entry that is not takes the others with it, and that column goes. `row` is the
 * cell's own row or any other combination of columns that must be 0. */
static void row_vanish(struct rank *r, const uint32_t *row)
{
	size_t pivot = 0, last = r->columns - 1;
	uint32_t *factor, *at, inv;
	size_t count = 0;

	while (pivot < r->columns && row[pivot] == 0)
		pivot++;
	if (pivot == r->columns)
		return;
	factor = calloc(2 * r->columns, sizeof *factor);
	if (factor == NULL)
		return; /* the cell stays free: more is hidden than need be, and the audit judges */
	at = factor + r->columns;
	inv = inverse(row[pivot]);
	for (size_t k = 0; k < r->columns; k++) {
		if (k != pivot && row[k] != 0) {
			factor[count] = times(row[k], inv);
			at[count++] = (uint32_t)k;
		}
	}
	for (size_t c = 0; c < r->cells; c++) {
		uint32_t *to = row_of(r, c), with = to[pivot];

		for (size_t k = 0; with != 0 && k < count; k++)
			to[at[k]] = less(to[at[k]], times(factor[k], with));
		to[pivot] = to[last];
		to[last] = 0;
	}
	free(factor);
	r->columns--;
}

/* Rows of cells that are the whole of no sum are units; every other cell is the sum of the parts of one of its sums. */
static bool row_fill(struct rank *r, const struct sdc_problem *p, uint32_t cell, uint8_t *done)
{
	size_t s = SIZE_MAX;

	for (uint32_t k = p->in_start[cell]; s == SIZE_MAX && k < p->in_start[cell + 1]; k++) {
		if (p->sum_cell[p->sum[p->in_sum[k]].start] == cell)
			s = p->in_sum[k];
	}
	if (s == SIZE_MAX) {
		row_of(r, cell)[r->columns++] = 1;
		done[cell] = 1;
		return true;
	}
	for (uint32_t k = p->sum[s].start + 1; k < p->sum[s + 1].start; k++) {
		if (!done[p->sum_cell[k]])
			return false;
	}
	for (uint32_t k = p->sum[s].start + 1; k < p->sum[s + 1].start; k++) {
		const uint32_t *part = row_of(r, p->sum_cell[k]);

		for (size_t j = 0; j < r->columns; j++)
			row_of(r, cell)[j] = less(part[j], less(0, row_of(r, cell)[j]));
	}
	done[cell] = 1;
	return true;
}

/* Sums that were not used to fill rows must hold too. */
static bool sums_hold(struct rank *r, const struct sdc_problem *p)
{
	uint32_t *gap = calloc(r->width + 1, sizeof *gap);

	if (gap == NULL)
		return false;
	for (size_t s = 0; s < p->sums; s++) {
		memcpy(gap, row_of(r, p->sum_cell[p->sum[s].start]), r->columns * sizeof *gap);
		for (uint32_t k = p->sum[s].start + 1; k < p->sum[s + 1].start; k++) {
			for (size_t j = 0; j < r->columns; j++)
				gap[j] = less(gap[j], row_of(r, p->sum_cell[k])[j]);
		}
		row_vanish(r, gap);
	}
	free(gap);
	return true;
}

enum err rank_new(const struct sdc_problem *p, struct rank **out, struct errctx *ec)
{
	struct rank *r = calloc(1, sizeof *r);
	uint8_t *done = calloc(p->cells, 1);
	bool again = true, fine = r != NULL && done != NULL;

	*out = NULL;
	for (uint32_t c = 0; fine && c < p->cells; c++) {
		bool whole = false;

		for (uint32_t k = p->in_start[c]; k < p->in_start[c + 1]; k++)
			whole |= p->sum_cell[p->sum[p->in_sum[k]].start] == c;
		r->width += !whole;
	}
	if (fine && p->cells * r->width > ENTRIES_MOST) {
		rank_free(r);
		free(done);
		return ERR_OK; /* *out stays NULL: there are other ways to begin */
	}
	if (fine) {
		r->cells = p->cells;
		r->entry = calloc(p->cells * r->width + 1, sizeof *r->entry);
		fine = r->entry != NULL;
	}
	while (fine && again) {
		again = false;
		for (uint32_t c = (uint32_t)p->cells; c-- > 0;)
			again |= !done[c] && row_fill(r, p, c, done);
	}
	fine = fine && sums_hold(r, p);
	free(done);
	if (!fine) {
		rank_free(r);
		return no_memory(ec);
	}
	*out = r;
	return ERR_OK;
}

bool rank_exact(const struct rank *r, uint32_t cell)
{
	const uint32_t *row = row_of(r, cell);

	for (size_t k = 0; k < r->columns; k++) {
		if (row[k] != 0)
			return false;
	}
	return true;
}

bool rank_tied(const struct rank *r, uint32_t a, uint32_t b)
{
	const uint32_t *x = row_of(r, a), *y = row_of(r, b);
	size_t first = 0;

	while (first < r->columns && x[first] == 0 && y[first] == 0)
		first++;
	if (first == r->columns || x[first] == 0 || y[first] == 0)
		return first == r->columns;
	for (size_t k = first + 1; k < r->columns; k++) {
		if ((x[k] == 0) != (y[k] == 0) || times(x[k], y[first]) != times(y[k], x[first]))
			return false;
	}
	return true;
}

void rank_show(struct rank *r, uint32_t cell)
{
	if (r->columns > 0)
		row_vanish(r, row_of(r, cell));
}

bool rank_gives_away(const struct rank *r, const enum sdc_state *state, uint32_t cell)
{
	if (rank_exact(r, cell))
		return false;
	for (uint32_t q = 0; q < r->cells; q++) {
		if (state[q] == SDC_PRIMARY && rank_tied(r, q, cell))
			return true;
	}
	return false;
}
