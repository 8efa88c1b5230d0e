// SPDX-License-Identifier: EUPL-1.2
// The attack in whole numbers, by trying: for a small part of hidden cells, every table that fits, nearest to the real
// one first, with bounds narrowed after each step until nothing changes. It finds a witness or knows that there is none
// (D1 to D4); where there are too many tables it says neither.
#include "disclose/prover.h"

#include <stdlib.h>
#include <string.h>

#define CELLS_MOST 64   /* in one part */
#define NODES_MOST 3000 /* steps for one claim */
#define ROWS_MOST 400

/* One sum over the cells of the part, with a sign each; all together 0, or, for a group, at least `least`. */
struct row {
	uint16_t start, end; /* into term */
	bool open;           /* may be more than `least` */
	int64_t least;
};

struct bounds {
	int64_t lo[CELLS_MOST], hi[CELLS_MOST];
};

struct whole {
	struct prover *pr;
	const struct claim *claim;
	uint32_t cell[CELLS_MOST];
	size_t cells;
	struct row row[ROWS_MOST];
	size_t rows;
	struct {
		uint8_t at;
		int8_t sign;
	} term[CELLS_MOST * 16];
	size_t terms;
	size_t nodes;
	bool gave_up;
};

static int at_of(const struct whole *w, uint32_t cell)
{
	for (size_t k = 0; k < w->cells; k++) {
		if (w->cell[k] == cell)
			return (int)k;
	}
	return -1;
}

static bool term_put(struct whole *w, uint32_t cell, int sign)
{
	int at = at_of(w, cell);

	if (at < 0)
		return true; /* shown: does not move */
	if (w->terms == sizeof w->term / sizeof w->term[0])
		return false;
	w->term[w->terms].at = (uint8_t)at;
	w->term[w->terms++].sign = (int8_t)sign;
	return true;
}

static bool row_end(struct whole *w, size_t start, bool open, int64_t least)
{
	if (w->terms == start && !open)
		return true;
	if (w->rows == ROWS_MOST)
		return false;
	w->row[w->rows++] = (struct row){ (uint16_t)start, (uint16_t)w->terms, open, least };
	return true;
}

/* The part around `cell` and its sums. False: too large for this. */
static bool part_take(struct whole *w, uint32_t cell)
{
	struct prover *pr = w->pr;
	const struct sdc_problem *p = pr->p;
	bool fits = true;

	prover_parts_refresh(pr);
	for (uint32_t c = 0; c < p->cells; c++) {
		if (!pr->hidden[c] || pr->part_of[c] != pr->part_of[cell])
			continue;
		if (w->cells == CELLS_MOST)
			return false;
		w->cell[w->cells++] = c;
	}
	for (size_t k = 0; fits && k < w->cells; k++) {
		for (uint32_t i = p->in_start[w->cell[k]]; fits && i < p->in_start[w->cell[k] + 1]; i++) {
			size_t s = p->in_sum[i], start = w->terms;
			bool first = true;

			/* each sum once: at the first of its cells */
			for (uint32_t j = p->sum[s].start; first && j < p->sum[s + 1].start; j++) {
				int at = at_of(w, p->sum_cell[j]);

				first = at < 0 || (size_t)at >= k;
			}
			for (uint32_t j = p->sum[s].start; first && fits && j < p->sum[s + 1].start; j++)
				fits = term_put(w, p->sum_cell[j], j == p->sum[s].start ? -1 : 1);
			if (first && fits)
				fits = row_end(w, start, false, 0);
		}
	}
	return fits;
}

static void narrow_one(struct bounds *b, size_t at, int sign, int64_t least, int64_t most, bool *changed)
{
	int64_t lo = sign > 0 ? least : -most, hi = sign > 0 ? most : -least;

	if (lo > b->lo[at]) {
		b->lo[at] = lo;
		*changed = true;
	}
	if (hi < b->hi[at]) {
		b->hi[at] = hi;
		*changed = true;
	}
}

/* False: contradiction. */
static bool narrow(const struct whole *w, struct bounds *b)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (size_t r = 0; r < w->rows; r++) {
			const struct row *row = &w->row[r];
			int64_t lo = 0, hi = 0, top = row->open ? INT64_C(1) << 50 : row->least;

			for (size_t k = row->start; k < row->end; k++) {
				size_t at = w->term[k].at;

				lo += w->term[k].sign > 0 ? b->lo[at] : -b->hi[at];
				hi += w->term[k].sign > 0 ? b->hi[at] : -b->lo[at];
			}
			if (hi < row->least || lo > top)
				return false;
			for (size_t k = row->start; k < row->end; k++) {
				size_t at = w->term[k].at;
				int sign = w->term[k].sign;
				int64_t own_lo = sign > 0 ? b->lo[at] : -b->hi[at];
				int64_t own_hi = sign > 0 ? b->hi[at] : -b->lo[at];

				narrow_one(b, at, sign, row->least - (hi - own_hi), top - (lo - own_lo), &changed);
				if (b->lo[at] > b->hi[at])
					return false;
				/* the sums of the row move with it */
				lo += (sign > 0 ? b->lo[at] : -b->hi[at]) - own_lo;
				hi += (sign > 0 ? b->hi[at] : -b->lo[at]) - own_hi;
			}
		}
	}
	return true;
}

/* All cells are fixed: a table. */
static enum err offer(struct whole *w, const struct bounds *b, struct errctx *ec)
{
	bool useful;

	for (size_t k = 0; k < w->cells; k++)
		w->pr->y[w->cell[k]] = b->lo[k];
	return prover_offer(w->pr, &useful, ec);
}

static enum err try_values(struct whole *w, const struct bounds *from, struct errctx *ec);

static enum err try_from(struct whole *w, const struct bounds *b, size_t at, int64_t value, struct errctx *ec)
{
	struct bounds next = *b;

	if (value < b->lo[at] || value > b->hi[at])
		return ERR_OK;
	next.lo[at] = next.hi[at] = value;
	return try_values(w, &next, ec);
}

static enum err try_values(struct whole *w, const struct bounds *from, struct errctx *ec)
{
	struct bounds b = *from;
	size_t pick = SIZE_MAX;
	int64_t near;
	enum err e = ERR_OK;

	if (w->nodes++ == NODES_MOST)
		w->gave_up = true;
	if (w->gave_up || !narrow(w, &b))
		return ERR_OK;
	for (size_t k = 0; k < w->cells; k++) {
		if (b.lo[k] < b.hi[k] && (pick == SIZE_MAX || b.hi[k] - b.lo[k] < b.hi[pick] - b.lo[pick]))
			pick = k;
	}
	if (pick == SIZE_MAX)
		return offer(w, &b, ec);
	near = b.lo[pick] > 0 ? b.lo[pick] : b.hi[pick] < 0 ? b.hi[pick] : 0;
	for (int64_t off = 0; e == ERR_OK && !w->gave_up && w->claim->cover < 0; off++) {
		if (near + off > b.hi[pick] && near - off < b.lo[pick])
			break;
		e = try_from(w, &b, pick, near + off, ec);
		if (e == ERR_OK && off > 0 && w->claim->cover < 0)
			e = try_from(w, &b, pick, near - off, ec);
	}
	return e;
}

enum err prover_whole(struct prover *pr, const struct claim *c, const struct whole_ask *a, bool *decided,
                      struct errctx *ec)
{
	const struct sdc_problem *p = pr->p;
	uint32_t cell = a->cell;
	struct whole *w = calloc(1, sizeof *w);
	struct bounds b = { 0 };
	enum err e = ERR_OK;

	*decided = false;
	if (w == NULL)
		return no_memory(ec);
	w->pr = pr;
	w->claim = c;
	if (!part_take(w, cell))
		goto done;
	if (c->kind == CLAIM_GROUP) {
		size_t start = w->terms;

		if (!term_put(w, p->group[c->a].margin, 1) || !term_put(w, p->group[c->a].part, -1) ||
		    !row_end(w, start, true, group_need(p, &p->group[c->a])))
			goto done;
	}
	for (size_t k = 0; k < w->cells; k++) {
		b.lo[k] = -lean_down(pr, w->cell[k], pr->deep);
		b.hi[k] = pr->cap;
		if (w->cell[k] == a->fixed)
			b.lo[k] = b.hi[k] = 0;
		if (c->kind != CLAIM_GROUP && w->cell[k] == cell) {
			b.lo[k] = a->least > b.lo[k] ? a->least : b.lo[k];
			b.hi[k] = a->most < b.hi[k] ? a->most : b.hi[k];
		}
	}
	e = try_values(w, &b, ec);
	*decided = !w->gave_up;
done:
	free(w);
	return e;
}
