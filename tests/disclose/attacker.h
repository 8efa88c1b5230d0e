/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * An attacker of our own, who shares no line with src/disclose and no solver: plain integer search with propagation of
 * bounds over "this cell is the sum of those". It lays out cells and sums from the dimensions by itself.
 *
 * Dimensions are trees given by parent[] (code 0 the total). A cell is a code of every dimension; a table is a set of
 * dimensions, all codes published. atk_possible() answers: is there a table of whole numbers that fits everything shown
 * and in which the target lies within [lo, hi]? It tries everything up to a budget.
 */
#ifndef SLB_TESTS_ATTACKER_H
#define SLB_TESTS_ATTACKER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ATK_DIMS 3
#define ATK_CODES 18
#define ATK_CELLS 2048
#define ATK_SUMS 4096
#define ATK_PARTS 16
#define ATK_FAR 1000000

struct atk_world {
	int dims;
	int codes[ATK_DIMS];
	int parent[ATK_DIMS][ATK_CODES];
	/* tables: bit d set: dimension d is in it */
	int tables;
	unsigned table[4];

	int cells;
	int code[ATK_CELLS][ATK_DIMS];
	bool leafy[ATK_CELLS]; /* no sum has it as its whole */
	long n[ATK_CELLS];
	int index[ATK_CODES][ATK_CODES][ATK_CODES]; /* -1: no such cell */

	int sums;
	int whole[ATK_SUMS];
	int parts[ATK_SUMS];
	int part[ATK_SUMS][ATK_PARTS];
	int in_sums[ATK_CELLS];
	int in_sum[ATK_CELLS][8];
};

static inline bool atk_has_cell(const struct atk_world *w, const int *c)
{
	for (int t = 0; t < w->tables; t++) {
		bool in = true;

		for (int d = 0; d < w->dims; d++)
			in &= c[d] == 0 || (w->table[t] >> d & 1);
		if (in)
			return true;
	}
	return false;
}

static inline void atk_sum_add(struct atk_world *w, int cell, int dim)
{
	int s = w->sums, c[ATK_DIMS] = { 0 };

	w->parts[s] = 0;
	for (int k = 1; k < w->codes[dim]; k++) {
		int p;

		if (w->parent[dim][k] != w->code[cell][dim])
			continue;
		memcpy(c, w->code[cell], sizeof c);
		c[dim] = k;
		p = w->index[c[0]][c[1]][c[2]];
		if (p < 0)
			return;
		w->part[s][w->parts[s]++] = p;
	}
	if (w->parts[s] == 0)
		return;
	w->whole[s] = cell;
	w->leafy[cell] = false;
	w->in_sum[cell][w->in_sums[cell]++] = s;
	for (int k = 0; k < w->parts[s]; k++)
		w->in_sum[w->part[s][k]][w->in_sums[w->part[s][k]]++] = s;
	w->sums++;
}

/* Cells and sums from dims and tables. */
static inline void atk_lay_out(struct atk_world *w)
{
	int c[ATK_DIMS];

	w->cells = w->sums = 0;
	for (int d = w->dims; d < ATK_DIMS; d++)
		w->codes[d] = 1;
	memset(w->index, -1, sizeof w->index);
	for (c[0] = 0; c[0] < w->codes[0]; c[0]++) {
		for (c[1] = 0; c[1] < w->codes[1]; c[1]++) {
			for (c[2] = 0; c[2] < w->codes[2]; c[2]++) {
				if (!atk_has_cell(w, c))
					continue;
				memcpy(w->code[w->cells], c, sizeof c);
				w->leafy[w->cells] = true;
				w->in_sums[w->cells] = 0;
				w->n[w->cells] = 0;
				w->index[c[0]][c[1]][c[2]] = w->cells++;
			}
		}
	}
	for (int k = 0; k < w->cells; k++) {
		for (int d = 0; d < w->dims; d++)
			atk_sum_add(w, k, d);
	}
}

/* Fills all margins from the leafy cells; sums stand with their wholes first, so from the back. */
static inline void atk_margins(struct atk_world *w)
{
	for (int round = 0; round < 8; round++) {
		for (int s = w->sums - 1; s >= 0; s--) {
			long sum = 0;

			for (int k = 0; k < w->parts[s]; k++)
				sum += w->n[w->part[s][k]];
			w->n[w->whole[s]] = sum;
		}
	}
}

struct atk_view {
	const struct atk_world *w;
	bool hidden[ATK_CELLS];
	long lo[ATK_CELLS], hi[ATK_CELLS];
	/* the reader who knows the rules wants a reason (a value of 1..T-1) in every connected group of hidden cells */
	long reason_under; /* T, or 0 */
	/* zeros can be hidden too, but only where a part is all or all but one of its margin; that is a reason as well
	 */
	bool zeros_by_group;
	int group[ATK_CELLS];
	int attacked;          /* the group being attacked; the others share no sum with it and are left as they are */
	long budget, reach;    /* steps left; how far from its real value a cell is tried */
	bool gave_up, cut;     /* the steps were too few; the reach was */
	long found[ATK_CELLS]; /* the last table found */
};

static inline void atk_groups(struct atk_view *v)
{
	bool again = true;

	for (int c = 0; c < v->w->cells; c++)
		v->group[c] = c;
	while (again) {
		again = false;
		for (int s = 0; s < v->w->sums; s++) {
			int least = v->hidden[v->w->whole[s]] ? v->group[v->w->whole[s]] : ATK_FAR;

			for (int k = 0; k < v->w->parts[s]; k++) {
				int c = v->w->part[s][k];

				if (v->hidden[c] && v->group[c] < least)
					least = v->group[c];
			}
			for (int k = -1; k < v->w->parts[s]; k++) {
				int c = k < 0 ? v->w->whole[s] : v->w->part[s][k];

				if (v->hidden[c] && v->group[c] != least) {
					v->group[c] = least;
					again = true;
				}
			}
		}
	}
}

/* What a reader sees. `least`: what every hidden cell is known to be at least (1 where zeros are never hidden). */
static inline void atk_look(struct atk_view *v, const struct atk_world *w, const bool *hidden, long least,
                            long reason_under)
{
	v->w = w;
	v->reason_under = reason_under;
	v->zeros_by_group = false;
	for (int c = 0; c < w->cells; c++) {
		v->hidden[c] = hidden[c];
		v->lo[c] = hidden[c] ? least : w->n[c];
		v->hi[c] = hidden[c] ? ATK_FAR : w->n[c];
	}
	atk_groups(v);
}

/* Narrows bounds until nothing changes; false: contradiction. */
static inline bool atk_narrow(const struct atk_world *w, long *lo, long *hi, long cap)
{
	bool again = true;

	while (again) {
		again = false;
		for (int s = 0; s < w->sums; s++) {
			long sum_lo = 0, sum_hi = 0;
			int whole = w->whole[s];

			for (int k = 0; k < w->parts[s]; k++) {
				sum_lo += lo[w->part[s][k]];
				sum_hi += hi[w->part[s][k]];
			}
			if (sum_hi > cap)
				sum_hi = cap;
			if (sum_lo > lo[whole]) {
				lo[whole] = sum_lo;
				again = true;
			}
			if (sum_hi < hi[whole]) {
				hi[whole] = sum_hi;
				again = true;
			}
			if (lo[whole] > hi[whole])
				return false;
			sum_hi = 0;
			for (int k = 0; k < w->parts[s]; k++)
				sum_hi += hi[w->part[s][k]];
			for (int k = 0; k < w->parts[s]; k++) {
				int c = w->part[s][k];
				long most = hi[whole] - (sum_lo - lo[c]), least = lo[whole] - (sum_hi - hi[c]);

				if (most < hi[c]) {
					sum_hi -= hi[c] - most;
					hi[c] = most;
					again = true;
				}
				if (least > lo[c]) {
					sum_lo += least - lo[c];
					lo[c] = least;
					again = true;
				}
				if (lo[c] > hi[c])
					return false;
			}
		}
	}
	return true;
}

static inline bool atk_reasonable(const struct atk_view *v, const long *x)
{
	static _Thread_local bool reason[ATK_CELLS], grouped[ATK_CELLS];
	const struct atk_world *w = v->w;

	memset(reason, v->reason_under == 0, sizeof reason);
	memset(grouped, 0, sizeof grouped);
	for (int c = 0; c < w->cells; c++) {
		if (v->hidden[c] && x[c] > 0 && x[c] < v->reason_under)
			reason[v->group[c]] = true;
	}
	for (int s = 0; v->zeros_by_group && s < w->sums; s++) {
		for (int k = 0; k < w->parts[s]; k++) {
			int c = w->part[s][k];

			if (v->hidden[c] && x[c] > 0 && x[c] + 1 >= x[w->whole[s]])
				reason[v->group[c]] = grouped[v->group[c]] = true;
		}
	}
	for (int c = 0; c < w->cells; c++) {
		if (!v->hidden[c] || v->group[c] != v->attacked)
			continue;
		if (!reason[v->group[c]])
			return false;
		if (v->zeros_by_group && x[c] == 0 && w->n[c] > 0 && !grouped[v->group[c]])
			return false;
	}
	return true;
}

static inline bool atk_search(struct atk_view *v, const long *lo_in, const long *hi_in, int depth)
{
	long lo[ATK_CELLS], hi[ATK_CELLS], from, to;
	int pick = -1;

	if (--v->budget < 0) {
		v->gave_up = true;
		return false;
	}
	memcpy(lo, lo_in, (size_t)v->w->cells * sizeof *lo);
	memcpy(hi, hi_in, (size_t)v->w->cells * sizeof *hi);
	if (!atk_narrow(v->w, lo, hi, ATK_FAR))
		return false;
	for (int c = 0; c < v->w->cells; c++) {
		if (lo[c] < hi[c] && (pick < 0 || hi[c] - lo[c] < hi[pick] - lo[pick]))
			pick = c;
	}
	if (pick < 0) {
		memcpy(v->found, lo, (size_t)v->w->cells * sizeof *lo);
		return atk_reasonable(v, lo);
	}
	/* near the real value first, then outwards */
	from = lo[pick] > v->w->n[pick] - v->reach ? lo[pick] : v->w->n[pick] - v->reach;
	to = hi[pick] < v->w->n[pick] + v->reach ? hi[pick] : v->w->n[pick] + v->reach;
	v->cut |= from > lo[pick] || to < hi[pick];
	for (long off = 0; off <= v->reach && !v->gave_up; off++) {
		for (int side = 0; side < (off == 0 ? 1 : 2); side++) {
			long t = side == 0 ? v->w->n[pick] + off : v->w->n[pick] - off;
			long save_lo = lo[pick], save_hi = hi[pick];

			if (t < from || t > to)
				continue;
			lo[pick] = hi[pick] = t;
			if (atk_search(v, lo, hi, depth + 1))
				return true;
			lo[pick] = save_lo;
			hi[pick] = save_hi;
		}
	}
	return false;
}

/* 1: there is such a table; 0: there is none; -1: the budget ran out. `known` (or -1) is a hidden cell the attacker
 * knows to be its real value. */
static inline int atk_possible(struct atk_view *v, int target, long least, long most, int known)
{
	static _Thread_local long lo[ATK_CELLS], hi[ATK_CELLS];

	v->attacked = v->group[target];
	for (int c = 0; c < v->w->cells; c++) {
		bool left = v->hidden[c] && v->group[c] != v->attacked;

		lo[c] = left ? v->w->n[c] : v->lo[c];
		hi[c] = left ? v->w->n[c] : v->hi[c];
	}
	if (least > lo[target])
		lo[target] = least;
	if (most < hi[target])
		hi[target] = most;
	if (lo[target] > hi[target])
		return 0;
	if (known >= 0)
		lo[known] = hi[known] = v->w->n[known];
	/* most questions take a few steps nearby; the few that do not get all they need */
	for (int again = 0; again < 2; again++) {
		v->budget = again ? 20000000 : 20000;
		v->reach = again ? 2000 : 40;
		v->gave_up = v->cut = false;
		if (atk_search(v, lo, hi, 0))
			return 1;
		if (!v->gave_up && !v->cut)
			return 0;
	}
	return -1;
}

/* Could the hidden cell be anything but what it is? */
static inline int atk_uncertain(struct atk_view *v, int cell, int known)
{
	int up = atk_possible(v, cell, v->w->n[cell] + 1, ATK_FAR, known), down;

	if (up == 1)
		return 1;
	down = v->w->n[cell] == 0 ? 0 : atk_possible(v, cell, 0, v->w->n[cell] - 1, known);
	return down == 1 ? 1 : (up < 0 || down < 0) ? -1 : 0;
}

/* Margin and part that the published zeros make one: somebody who is in one is in the other. */
static inline void atk_ties(const struct atk_world *w, const bool *hidden, int *tie)
{
	bool again = true;

	for (int c = 0; c < w->cells; c++)
		tie[c] = c;
	while (again) {
		again = false;
		for (int s = 0; s < w->sums; s++) {
			int live = 0, only = -1;

			for (int k = 0; k < w->parts[s]; k++) {
				int c = w->part[s][k];

				if (w->n[c] > 0 || hidden[c]) {
					live++;
					only = c;
				}
			}
			if (live == 1 && tie[only] != tie[w->whole[s]]) {
				int least = tie[only] < tie[w->whole[s]] ? tie[only] : tie[w->whole[s]];

				tie[only] = tie[w->whole[s]] = least;
				again = true;
			}
		}
	}
}

#endif
