/* SPDX-License-Identifier: EUPL-1.2 */
/* Random worlds for the tests of disclosure control, and the bridge from the attacker's layout to a problem. */
#ifndef SLB_TESTS_WORLD_H
#define SLB_TESTS_WORLD_H

#include <stdlib.h>

#include "disclose/attacker.h"
#include "disclose/disclose.h"

static uint64_t world_random;

static inline uint32_t draw(uint32_t under)
{
	world_random ^= world_random << 13;
	world_random ^= world_random >> 7;
	world_random ^= world_random << 17;
	return (uint32_t)(world_random >> 11) % under;
}

static inline void draw_seed(uint64_t seed)
{
	world_random = UINT64_C(88172645463325252) ^ (seed + 1) * UINT64_C(0x9E3779B97F4A7C15);
	for (int k = 0; k < 10; k++)
		draw(2);
}

struct world_kind {
	const char *name;
	int dims;
	bool hierarchy; /* the first dimension has two groups between total and leaves */
	bool linked;    /* two tables, (0, 1) and (1, 2), instead of one */
	int values;     /* most values of a dimension */
};

static inline bool world_is_leaf(const struct atk_world *w, int dim, int code)
{
	for (int k = 1; k < w->codes[dim]; k++) {
		if (w->parent[dim][k] == code)
			return false;
	}
	return true;
}

/* Small counts with zeros and ones and a long tail. */
static inline long draw_count(uint32_t scale)
{
	long v = draw(4) == 0 ? 0 : (long)draw(scale);

	return v * v / (long)scale;
}

static inline void world_make(struct atk_world *w, const struct world_kind *kind, uint64_t seed)
{
	uint32_t scale;

	draw_seed(seed);
	memset(w, 0, sizeof *w);
	w->dims = kind->dims;
	for (int d = 0; d < w->dims; d++) {
		w->codes[d] = 3 + (int)draw((uint32_t)kind->values - 1);
		if (kind->hierarchy && d == 0) {
			w->codes[0] = 5 + (int)draw((uint32_t)kind->values);
			for (int k = 3; k < w->codes[0]; k++)
				w->parent[0][k] = 1 + k % 2;
		}
	}
	w->tables = kind->linked ? 2 : 1;
	w->table[0] = kind->linked ? 3 : (1U << w->dims) - 1;
	w->table[1] = 6;
	atk_lay_out(w);
	scale = 3 + draw(25);
	if (kind->linked) {
		for (int a = 1; a < w->codes[0]; a++) {
			for (int b = 1; b < w->codes[1]; b++) {
				for (int c = 1; c < w->codes[2] && world_is_leaf(w, 0, a); c++) {
					long v = draw_count(scale);

					w->n[w->index[a][b][0]] += v;
					w->n[w->index[0][b][c]] += v;
				}
			}
		}
	} else {
		for (int c = 0; c < w->cells; c++)
			w->n[c] = w->leafy[c] ? draw_count(scale) : 0;
	}
	atk_margins(w);
}

/* A problem over the same cells; map[cell of the problem] = cell of the world. Where the rules count contributors each
 * inner cell gets some. */
static inline enum err world_problem(const struct atk_world *w, const struct sdc_rules *rules,
                                     const struct sdc_limits *limits, struct sdc_problem **out, int *map,
                                     struct errctx *ec)
{
	uint32_t parent[ATK_DIMS][ATK_CODES];
	struct sdc_dim dim[ATK_DIMS];
	struct sdc_axis axis[4][ATK_DIMS];
	struct sdc_table table[4];
	enum err e;

	for (int d = 0; d < w->dims; d++) {
		for (int k = 0; k < w->codes[d]; k++)
			parent[d][k] = (uint32_t)w->parent[d][k];
		dim[d] = (struct sdc_dim){ parent[d], (size_t)w->codes[d] };
	}
	for (int t = 0; t < w->tables; t++) {
		size_t axes = 0;

		for (int d = 0; d < w->dims; d++) {
			if (w->table[t] >> d & 1)
				axis[t][axes++] = (struct sdc_axis){ (uint32_t)d, SDC_FINEST, true };
		}
		table[t] = (struct sdc_table){ axis[t], axes };
	}
	e = sdc_problem_new(dim, (size_t)w->dims, table, (size_t)w->tables, rules, limits, out, ec);
	for (size_t c = 0; e == ERR_OK && c < sdc_cells(*out); c++) {
		int code[ATK_DIMS] = { 0 };
		uint64_t n;
		struct sdc_count count;

		for (int d = 0; d < w->dims; d++)
			code[d] = (int)sdc_cell_codes(*out, c)[d];
		map[c] = w->index[code[0]][code[1]][code[2]];
		if (!w->leafy[map[c]])
			continue;
		n = (uint64_t)w->n[map[c]];
		count = (struct sdc_count){ .n = n };
		if (rules->min_contributors > 0 && n > 0) {
			count.i = 1 + draw(n > 6 ? 6 : (uint32_t)n);
			count.c = count.i * rules->threshold < n ? count.i * rules->threshold : n;
		}
		e = sdc_count_set(*out, c, count, ec);
	}
	if (e == ERR_OK)
		e = sdc_problem_close(*out, ec);
	return e;
}

#endif
