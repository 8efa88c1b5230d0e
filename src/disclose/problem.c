// SPDX-License-Identifier: EUPL-1.2
// Lays out the cells of linked tables and the sums between them, and takes in the counts. Tables over the same people
// meet in cells with the same codes, so margins are shared and one linear system holds them all (D4).
#include "disclose/problem.h"

#include <stdlib.h>
#include <string.h>

enum err no_memory(struct errctx *ec)
{
	return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.", NULL, NULL,
	               NULL);
}

static void wiped_free(void *p, size_t len)
{
	if (p != NULL)
		explicit_bzero(p, len);
	free(p);
}

void hints_clear(struct sdc_hints *h)
{
	for (size_t k = 0; k < h->count; k++) {
		wiped_free(h->witness[k].y, h->witness[k].len * sizeof *h->witness[k].y);
		free(h->witness[k].cell);
	}
	free(h->witness);
	*h = (struct sdc_hints){ 0 };
}

void sdc_problem_free(struct sdc_problem *p)
{
	if (p == NULL)
		return;
	for (size_t d = 0; p->dim != NULL && d < p->dims; d++) {
		free(p->dim[d].parent);
		free(p->dim[d].depth);
		free(p->dim[d].leaf);
	}
	free(p->dim);
	free(p->table);
	free(p->code);
	wiped_free(p->count, p->cells * sizeof *p->count);
	free(p->weight);
	free(p->given);
	free(p->is_set);
	free(p->sum);
	free(p->sum_cell);
	free(p->in_start);
	free(p->in_sum);
	free(p->group);
	if (p->hints != NULL)
		hints_clear(p->hints);
	free(p->hints);
	free(p);
}

size_t sdc_cells(const struct sdc_problem *p)
{
	return p->cells;
}

size_t sdc_dims(const struct sdc_problem *p)
{
	return p->dims;
}

const uint32_t *sdc_cell_codes(const struct sdc_problem *p, size_t cell)
{
	return p->code + cell * p->dims;
}

struct sdc_count sdc_count(const struct sdc_problem *p, size_t cell)
{
	return p->count[cell];
}

static int codes_cmp(const uint32_t *a, const uint32_t *b, size_t dims)
{
	for (size_t d = 0; d < dims; d++) {
		if (a[d] != b[d])
			return a[d] < b[d] ? -1 : 1;
	}
	return 0;
}

size_t sdc_cell_find(const struct sdc_problem *p, const uint32_t *code)
{
	size_t lo = 0, hi = p->cells;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = codes_cmp(sdc_cell_codes(p, mid), code, p->dims);

		if (c == 0)
			return mid;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return SDC_NO_CELL;
}

/* The tree of one dimension: depths and leaves. A code that never reaches the root is on a circle. */
static enum err dim_copy(const struct sdc_dim *in, struct sdc_own_dim *out, struct errctx *ec)
{
	out->codes = in->codes;
	if (in->codes < 2 || in->codes > SDC_CELLS_MAX)
		return err_set(ec, ERR_INPUT, "A dimension of a table needs at least one value beside its total.", NULL,
		               NULL, NULL);
	out->parent = calloc(in->codes, sizeof *out->parent);
	out->depth = calloc(in->codes, sizeof *out->depth);
	out->leaf = calloc(in->codes, sizeof *out->leaf);
	if (out->parent == NULL || out->depth == NULL || out->leaf == NULL)
		return no_memory(ec);
	for (size_t k = 0; k < in->codes; k++)
		out->leaf[k] = true;
	for (size_t k = 1; k < in->codes; k++) {
		if (in->parent[k] >= in->codes)
			return err_set(ec, ERR_INPUT, "A hierarchy names a parent that does not exist.", NULL, NULL,
			               NULL);
		out->parent[k] = in->parent[k];
		out->leaf[in->parent[k]] = false;
	}
	for (size_t k = 1; k < in->codes; k++) {
		uint32_t steps = 0;

		for (uint32_t at = (uint32_t)k; at != 0; at = out->parent[at]) {
			if (++steps > in->codes)
				return err_set(ec, ERR_INPUT, "A hierarchy goes round in a circle.", NULL, NULL, NULL);
		}
		out->depth[k] = steps;
		if (steps > out->deepest)
			out->deepest = steps;
	}
	return ERR_OK;
}

/* Is code k at the finest level of an axis: at its depth, or a leaf above it? */
static bool axis_finest(const struct sdc_own_dim *d, const struct sdc_axis *a, uint32_t k)
{
	return d->depth[k] == a->depth || (d->leaf[k] && d->depth[k] < a->depth);
}

static bool axis_has(const struct sdc_own_dim *d, const struct sdc_axis *a, uint32_t k)
{
	return k == 0 || axis_finest(d, a, k) || (a->subtotals && d->depth[k] < a->depth);
}

static enum err tables_copy(struct sdc_problem *p, const struct sdc_table *tables, struct errctx *ec)
{
	for (size_t t = 0; t < p->tables; t++) {
		bool used[SDC_DIMS_MAX] = { false };

		p->table[t].axes = tables[t].axes;
		if (tables[t].axes > p->dims)
			return err_set(ec, ERR_INPUT, "A table uses a dimension twice.", NULL, NULL, NULL);
		for (size_t a = 0; a < tables[t].axes; a++) {
			struct sdc_axis x = tables[t].axis[a];

			if (x.dim >= p->dims)
				return err_set(ec, ERR_INPUT, "A table names a dimension that does not exist.", NULL,
				               NULL, NULL);
			if (used[x.dim])
				return err_set(ec, ERR_INPUT, "A table uses a dimension twice.", NULL, NULL, NULL);
			used[x.dim] = true;
			if (x.depth > p->dim[x.dim].deepest)
				x.depth = p->dim[x.dim].deepest;
			p->table[t].axis[a] = x;
		}
	}
	return ERR_OK;
}

bool sdc_cell_in_table(const struct sdc_problem *p, size_t cell, size_t table)
{
	const uint32_t *code = sdc_cell_codes(p, cell);
	const struct sdc_own_table *t = &p->table[table];
	bool used[SDC_DIMS_MAX] = { false };

	for (size_t a = 0; a < t->axes; a++) {
		used[t->axis[a].dim] = true;
		if (!axis_has(&p->dim[t->axis[a].dim], &t->axis[a], code[t->axis[a].dim]))
			return false;
	}
	for (size_t d = 0; d < p->dims; d++) {
		if (!used[d] && code[d] != 0)
			return false;
	}
	return true;
}

bool sdc_cell_is_inner(const struct sdc_problem *p, size_t cell, size_t table)
{
	const uint32_t *code = sdc_cell_codes(p, cell);
	const struct sdc_own_table *t = &p->table[table];

	if (!sdc_cell_in_table(p, cell, table))
		return false;
	for (size_t a = 0; a < t->axes; a++) {
		uint32_t k = code[t->axis[a].dim];

		if (k == 0 && t->axis[a].depth > 0)
			return false;
		if (!axis_finest(&p->dim[t->axis[a].dim], &t->axis[a], k))
			return false;
	}
	return true;
}

static int codes_qsort_cmp(const void *a, const void *b, void *dims)
{
	return codes_cmp(a, b, *(const size_t *)dims);
}

/* Appends the codes of every cell of one table; `*used` counts rows of p->code. */
static enum err table_cells(struct sdc_problem *p, const struct sdc_own_table *t, size_t *used, size_t *room,
                            struct errctx *ec)
{
	uint32_t at[SDC_DIMS_MAX] = { 0 };

	for (;;) {
		bool in = true;
		size_t a;

		for (a = 0; in && a < t->axes; a++)
			in = axis_has(&p->dim[t->axis[a].dim], &t->axis[a], at[t->axis[a].dim]);
		if (in) {
			if (*used == *room) {
				uint32_t *more;

				*room = *room == 0 ? 256 : *room * 2;
				more = realloc(p->code, *room * p->dims * sizeof *more);
				if (more == NULL)
					return no_memory(ec);
				p->code = more;
			}
			if (*used >= (size_t)4 * SDC_CELLS_MAX)
				return err_set(ec, ERR_REFUSED,
				               "These tables have too many cells. Use coarser values or fewer tables.",
				               NULL, NULL, NULL);
			memcpy(p->code + *used * p->dims, at, p->dims * sizeof *at);
			++*used;
		}
		/* the next combination; one that fails at an outer axis is passed over whole */
		for (a = t->axes; a-- > 0;) {
			uint32_t d = t->axis[a].dim;

			if (++at[d] < p->dim[d].codes)
				break;
			at[d] = 0;
		}
		if (a == SIZE_MAX)
			return ERR_OK;
	}
}

static enum err combinations_check(const struct sdc_problem *p, const struct sdc_own_table *t, struct errctx *ec)
{
	size_t product = 1;

	for (size_t a = 0; a < t->axes; a++) {
		product *= p->dim[t->axis[a].dim].codes;
		if (product > (size_t)64 * SDC_CELLS_MAX)
			return err_set(ec, ERR_REFUSED,
			               "These tables have too many cells. Use coarser values or fewer tables.", NULL,
			               NULL, NULL);
	}
	return ERR_OK;
}

static enum err cells_lay_out(struct sdc_problem *p, struct errctx *ec)
{
	size_t used = 0, room = 0, row = p->dims * sizeof *p->code;
	enum err e;

	for (size_t t = 0; t < p->tables; t++) {
		e = combinations_check(p, &p->table[t], ec);
		if (e == ERR_OK)
			e = table_cells(p, &p->table[t], &used, &room, ec);
		if (e != ERR_OK)
			return e;
	}
	qsort_r(p->code, used, row, codes_qsort_cmp, &p->dims);
	for (size_t k = 0; k < used; k++) {
		if (p->cells > 0 && codes_cmp(p->code + (p->cells - 1) * p->dims, p->code + k * p->dims, p->dims) == 0)
			continue;
		memmove(p->code + p->cells * p->dims, p->code + k * p->dims, row);
		p->cells++;
	}
	if (p->cells > SDC_CELLS_MAX)
		return err_set(ec, ERR_REFUSED, "These tables have too many cells. Use coarser values or fewer tables.",
		               NULL, NULL, NULL);
	p->count = calloc(p->cells, sizeof *p->count);
	p->weight = calloc(p->cells, sizeof *p->weight);
	p->given = calloc(p->cells, sizeof *p->given);
	p->is_set = calloc(p->cells, sizeof *p->is_set);
	if (p->count == NULL || p->weight == NULL || p->given == NULL || p->is_set == NULL)
		return no_memory(ec);
	return ERR_OK;
}

/* Is `k` strictly below `above`? */
static bool below(const struct sdc_own_dim *d, uint32_t k, uint32_t above)
{
	while (k != 0) {
		k = d->parent[k];
		if (k == above)
			return true;
	}
	return false;
}

/* The parts of a cell along one dimension at depth `level`, if all of them are cells: their number, else 0. */
static size_t parts_at(const struct sdc_problem *p, size_t cell, size_t dim, uint32_t level, uint32_t *parts)
{
	const struct sdc_own_dim *d = &p->dim[dim];
	uint32_t code[SDC_DIMS_MAX];
	uint32_t above;
	size_t found = 0;

	memcpy(code, sdc_cell_codes(p, cell), p->dims * sizeof *code);
	above = code[dim];
	for (uint32_t k = 1; k < d->codes; k++) {
		size_t part;

		if (!(d->depth[k] == level || (d->leaf[k] && d->depth[k] < level)) || !below(d, k, above))
			continue;
		code[dim] = k;
		part = sdc_cell_find(p, code);
		if (part == SDC_NO_CELL)
			return 0;
		parts[found++] = (uint32_t)part;
	}
	return found;
}

/* Every cell is the sum of the nearest complete level below it, along every dimension. */
static enum err sums_lay_out(struct sdc_problem *p, struct errctx *ec)
{
	size_t used = 0, room = 0, sum_room = 0;
	uint32_t *parts = calloc(SDC_CELLS_MAX, sizeof *parts);
	enum err e = ERR_OK;

	if (parts == NULL)
		return no_memory(ec);
	for (size_t c = 0; c < p->cells; c++) {
		for (size_t d = 0; d < p->dims; d++) {
			uint32_t at = sdc_cell_codes(p, c)[d];
			size_t found = 0;

			for (uint32_t l = p->dim[d].depth[at] + 1; found == 0 && l <= p->dim[d].deepest; l++)
				found = parts_at(p, c, d, l, parts);
			if (found == 0)
				continue;
			if (p->sums + 2 > sum_room) {
				struct sdc_sum *more;

				sum_room = sum_room == 0 ? 128 : 2 * sum_room;
				more = realloc(p->sum, sum_room * sizeof *more);
				if (more == NULL)
					goto no_room;
				p->sum = more;
			}
			if (used + found + 1 > room) {
				uint32_t *more;

				room = 2 * (used + found + 1);
				more = realloc(p->sum_cell, room * sizeof *more);
				if (more == NULL)
					goto no_room;
				p->sum_cell = more;
			}
			p->sum[p->sums++].start = (uint32_t)used;
			p->sum_cell[used++] = (uint32_t)c;
			memcpy(p->sum_cell + used, parts, found * sizeof *parts);
			used += found;
			p->sum[p->sums].start = (uint32_t)used;
		}
	}
	free(parts);
	return ERR_OK;
no_room:
	e = no_memory(ec);
	free(parts);
	return e;
}

/* For each cell the list of its sums. */
static enum err sums_index(struct sdc_problem *p, struct errctx *ec)
{
	size_t total = p->sums == 0 ? 0 : p->sum[p->sums].start;

	p->in_start = calloc(p->cells + 2, sizeof *p->in_start);
	p->in_sum = calloc(total + 1, sizeof *p->in_sum);
	if (p->in_start == NULL || p->in_sum == NULL)
		return no_memory(ec);
	for (size_t k = 0; k < total; k++)
		p->in_start[p->sum_cell[k] + 2]++;
	for (size_t c = 2; c < p->cells + 2; c++)
		p->in_start[c] += p->in_start[c - 1];
	for (size_t s = 0; s < p->sums; s++) {
		for (uint32_t k = p->sum[s].start; k < p->sum[s + 1].start; k++)
			p->in_sum[p->in_start[p->sum_cell[k] + 1]++] = (uint32_t)s;
	}
	return ERR_OK;
}

/* The cost of hiding a cell, by position: the finest combinations under it, 1 for an inner cell of the finest table. */
static void weights_by_position(struct sdc_problem *p)
{
	for (size_t c = 0; c < p->cells; c++) {
		uint64_t w = 1;

		for (size_t d = 0; d < p->dims; d++) {
			uint32_t at = sdc_cell_codes(p, c)[d];
			uint64_t leaves = p->dim[d].leaf[at];

			for (uint32_t k = 1; !p->dim[d].leaf[at] && k < p->dim[d].codes; k++)
				leaves += p->dim[d].leaf[k] && below(&p->dim[d], k, at);
			w *= leaves;
			if (w > 1000000)
				w = 1000000;
		}
		p->weight[c] = (uint32_t)w;
	}
}

enum err sdc_problem_new(const struct sdc_dim *dims, size_t dim_count, const struct sdc_table *tables,
                         size_t table_count, const struct sdc_rules *rules, const struct sdc_limits *limits,
                         struct sdc_problem **out, struct errctx *ec)
{
	struct sdc_problem *p = NULL;
	enum err e = ERR_OK;

	*out = NULL;
	if (dim_count < 1 || dim_count > SDC_DIMS_MAX || table_count < 1 || table_count > SDC_TABLES_MAX)
		return err_set(ec, ERR_REFUSED, "These tables have too many dimensions, or none.", NULL, NULL, NULL);
	if (rules->threshold < 2 || rules->threshold > SDC_COUNT_MAX)
		return err_set(ec, ERR_INPUT, "The threshold must be 2 or more.", NULL, NULL, NULL);
	p = calloc(1, sizeof *p);
	if (p == NULL)
		return no_memory(ec);
	p->rules = *rules;
	if (limits != NULL)
		p->limits = *limits;
	p->dims = dim_count;
	p->tables = table_count;
	p->dim = calloc(dim_count, sizeof *p->dim);
	p->table = calloc(table_count, sizeof *p->table);
	p->hints = calloc(1, sizeof *p->hints);
	if (p->dim == NULL || p->table == NULL || p->hints == NULL)
		e = no_memory(ec);
	for (size_t d = 0; e == ERR_OK && d < dim_count; d++)
		e = dim_copy(&dims[d], &p->dim[d], ec);
	if (e == ERR_OK)
		e = tables_copy(p, tables, ec);
	if (e == ERR_OK)
		e = cells_lay_out(p, ec);
	if (e == ERR_OK)
		e = sums_lay_out(p, ec);
	if (e == ERR_OK)
		e = sums_index(p, ec);
	if (e == ERR_OK) {
		weights_by_position(p);
		*out = p;
	} else {
		sdc_problem_free(p);
	}
	return e;
}

enum err sdc_count_set(struct sdc_problem *p, size_t cell, struct sdc_count count, struct errctx *ec)
{
	if (cell >= p->cells)
		return err_set(ec, ERR_INPUT, "A count belongs to no cell of these tables.", NULL, NULL, NULL);
	if (count.n > SDC_COUNT_MAX || count.i > count.n || count.c > count.n)
		return err_set(ec, ERR_DAMAGED,
		               "A sum cannot be right: it is too large, or has more contributors than counts.", NULL,
		               NULL, NULL);
	p->count[cell] = count;
	p->is_set[cell] = 1;
	p->closed = false;
	return ERR_OK;
}

enum err sdc_weight_set(struct sdc_problem *p, size_t cell, uint32_t weight, struct errctx *ec)
{
	if (cell >= p->cells || weight < 1)
		return err_set(ec, ERR_INPUT, "A weight must be 1 or more and belong to a cell.", NULL, NULL, NULL);
	p->weight[cell] = weight;
	return ERR_OK;
}

void sdc_given_set(struct sdc_problem *p, size_t cell, enum sdc_given given)
{
	p->given[cell] = (uint8_t)given;
}

/* The parts of sum s added up; i and c as the least they can be for the whole: the largest of the parts. False while a
 * part is unknown. */
static bool parts_add(const struct sdc_problem *p, size_t s, const uint8_t *known, struct sdc_count *out)
{
	struct sdc_count whole = { 0, 0, 0 };

	for (uint32_t k = p->sum[s].start + 1; k < p->sum[s + 1].start; k++) {
		const struct sdc_count *part = &p->count[p->sum_cell[k]];

		if (!known[p->sum_cell[k]])
			return false;
		whole.n += part->n;
		whole.i = part->i > whole.i ? part->i : whole.i;
		whole.c = part->c > whole.c ? part->c : whole.c;
	}
	*out = whole;
	return true;
}

/* Margins nobody set, from the finest up. */
static enum err margins_fill(struct sdc_problem *p, struct errctx *ec)
{
	uint8_t *known = calloc(p->cells, 1);
	bool again = true;

	if (known == NULL)
		return no_memory(ec);
	memset(known, 1, p->cells);
	for (size_t s = 0; s < p->sums; s++) {
		uint32_t whole = p->sum_cell[p->sum[s].start];

		known[whole] = p->is_set[whole];
	}
	while (again) {
		again = false;
		for (size_t s = p->sums; s-- > 0;) {
			uint32_t whole = p->sum_cell[p->sum[s].start];
			struct sdc_count sum;

			if (p->is_set[whole] || !parts_add(p, s, known, &sum))
				continue;
			if (!known[whole]) {
				p->count[whole] = sum;
				known[whole] = 1;
				again = true;
			} else if (sum.i > p->count[whole].i || sum.c > p->count[whole].c) {
				p->count[whole].i = sum.i > p->count[whole].i ? sum.i : p->count[whole].i;
				p->count[whole].c = sum.c > p->count[whole].c ? sum.c : p->count[whole].c;
				again = true;
			}
		}
	}
	free(known);
	return ERR_OK;
}

/* Parts that are all but one or more of their margin, in sums where something else could be more than it is. */
static enum err groups_find(struct sdc_problem *p, struct errctx *ec)
{
	size_t room = 0;

	p->groups = 0;
	for (size_t s = 0; p->rules.group && s < p->sums; s++) {
		uint32_t from = p->sum[s].start, to = p->sum[s + 1].start;
		uint32_t whole = p->sum_cell[from];

		for (uint32_t k = from + 1; k < to; k++) {
			uint32_t part = p->sum_cell[k];
			bool other_free = false;

			if (count_n(p, part) == 0 || count_n(p, part) + 1 < count_n(p, whole))
				continue;
			for (uint32_t o = from + 1; o < to; o++)
				other_free |= o != k && p->given[p->sum_cell[o]] != SDC_KNOWN;
			if (!other_free)
				continue;
			if (p->groups == room) {
				struct sdc_group *more;

				room = room == 0 ? 32 : 2 * room;
				more = realloc(p->group, room * sizeof *more);
				if (more == NULL)
					return no_memory(ec);
				p->group = more;
			}
			p->group[p->groups++] = (struct sdc_group){ whole, part, (uint32_t)s };
		}
	}
	return ERR_OK;
}

enum err sdc_problem_close(struct sdc_problem *p, struct errctx *ec)
{
	enum err e = margins_fill(p, ec);

	hints_clear(p->hints);
	if (e != ERR_OK)
		return e;
	for (size_t s = 0; s < p->sums; s++) {
		uint64_t sum = 0;

		for (uint32_t k = p->sum[s].start + 1; k < p->sum[s + 1].start; k++)
			sum += count_n(p, p->sum_cell[k]);
		if (sum != count_n(p, p->sum_cell[p->sum[s].start]) || sum > SDC_COUNT_MAX)
			return err_set(ec, ERR_DAMAGED,
			               "The tables disagree over a total: a sum was damaged or tampered with.", NULL,
			               NULL, NULL);
	}
	e = groups_find(p, ec);
	p->closed = e == ERR_OK;
	return e;
}

void sdc_primaries(const struct sdc_problem *p, enum sdc_state *state)
{
	const struct sdc_rules *r = &p->rules;

	for (size_t c = 0; c < p->cells; c++) {
		const struct sdc_count *x = &p->count[c];
		bool hide = x->n > 0 && (x->n < r->threshold || x->i < r->min_contributors ||
		                         (r->capped && x->c < 2 * r->threshold));

		state[c] = hide ? SDC_PRIMARY : SDC_OPEN;
	}
	for (size_t g = 0; g < p->groups; g++)
		state[p->group[g].part] = SDC_PRIMARY;
	for (size_t c = 0; c < p->cells; c++) {
		if (state[c] == SDC_OPEN && p->given[c] == SDC_HIDDEN_BEFORE)
			state[c] = SDC_SECONDARY;
	}
}
