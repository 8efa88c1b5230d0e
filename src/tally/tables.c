// SPDX-License-Identifier: EUPL-1.2
// The tables behind schema/tables.def. Only value lists are dimensions: never a person, a circle or a place.
#include "tally/tables.h"

#include <string.h>

#include "model/schema.h"

/* One number for every code of every dimension, in the order of the file: C_domain_total, C_domain_bestaan, ... */
enum {
#define DIM(name, nl, en) C_##name##_total,
#define GROUP(dim, id, nl, en) C_##dim##_##id,
#define LEAF(dim, id, parent) C_##dim##_##id,
#include "schema/tables.def"
	C_COUNT
};

static const struct tally_code codes[C_COUNT] = {
#define DIM(name, nl, en) { "", "Totaal", "Total", 0, false },
#define GROUP(dim, id, nl, en) { #id, nl, en, 0, false },
#define LEAF(dim, id, parent) { #id, NULL, NULL, C_##dim##_##parent - C_##dim##_total, true },
#include "schema/tables.def"
};

static const uint32_t first_code[TALLY_DIMS + 1] = {
#define DIM(name, nl, en) C_##name##_total,
#include "schema/tables.def"
	C_COUNT
};

static const enum list dim_list[TALLY_DIMS] = {
#define DIM(name, nl, en) LIST_##name,
#include "schema/tables.def"
};

static const struct tally_dim_def dims[TALLY_DIMS] = {
#define DIM(name, nl, en) { #name, nl, en },
#include "schema/tables.def"
};

static const struct tally_table_def tables[] = {
#define TABLE(name, first, second, nl, en) { #name, { DIM_##first, DIM_##second }, nl, en },
#include "schema/tables.def"
};

static const struct tally_level_def levels[] = {
#define LEVEL(name, first, second, nl, en) { #name, { first, second }, nl, en },
#include "schema/tables.def"
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const struct tally_dim_def *tally_dim(enum tally_dim dim)
{
	return &dims[dim];
}

size_t tally_codes(enum tally_dim dim)
{
	return first_code[dim + 1] - first_code[dim];
}

struct tally_code tally_code(enum tally_dim dim, uint32_t code)
{
	struct tally_code c = codes[first_code[dim] + code];
	const struct list_item *item = c.leaf ? list_item(dim_list[dim], c.id) : NULL;

	if (item != NULL) {
		c.nl = item->nl;
		c.en = item->en;
	}
	return c;
}

uint32_t tally_depth(enum tally_dim dim, uint32_t code)
{
	uint32_t depth = 0;

	for (; code != 0; code = codes[first_code[dim] + code].parent)
		depth++;
	return depth;
}

const struct tally_table_def *tally_tables(size_t *count)
{
	*count = COUNT(tables);
	return tables;
}

const struct tally_level_def *tally_levels(size_t *count)
{
	*count = COUNT(levels);
	return levels;
}

static bool same(struct bytes a, const char *b)
{
	return a.len == strlen(b) && memcmp(a.data, b, a.len) == 0;
}

static uint32_t leaf_named(enum tally_dim dim, const char *id)
{
	for (uint32_t k = 1; k < tally_codes(dim); k++) {
		const struct tally_code *c = &codes[first_code[dim] + k];

		if (c->leaf && strcmp(c->id, id) == 0)
			return k;
	}
	return 0;
}

uint32_t tally_leaf(enum tally_dim dim, struct bytes id)
{
	static const struct {
		const char *detail;
		const char *rolled;
	} up[] = { { "psyche", "gezond" }, { "lijf", "gezond" }, { "middelen", "gezond" }, { "justitie", "anders" } };

	for (size_t i = 0; dim == DIM_domain && i < COUNT(up); i++) {
		if (same(id, up[i].detail))
			return leaf_named(dim, up[i].rolled);
	}
	for (uint32_t k = 1; k < tally_codes(dim); k++) {
		const struct tally_code *c = &codes[first_code[dim] + k];

		if (c->leaf && same(id, c->id))
			return k;
	}
	return leaf_named(dim, "anders");
}

static int cell_cmp(const struct tally_cell *a, const struct tally_cell *b)
{
	for (size_t d = 0; d < TALLY_DIMS; d++) {
		if (a->code[d] != b->code[d])
			return a->code[d] < b->code[d] ? -1 : 1;
	}
	return 0;
}

/* Does the table have the cell at all: nothing but its two dimensions may be other than the total. */
static bool in_table(const struct tally_table_def *t, const struct tally_cell *cell)
{
	for (size_t d = 0; d < TALLY_DIMS; d++) {
		if (cell->code[d] != 0 && d != (size_t)t->dim[0] && d != (size_t)t->dim[1])
			return false;
	}
	return true;
}

/* The next combination of codes in lexicographic order; false after the last. */
static bool cell_next(struct tally_cell *cell)
{
	for (size_t d = TALLY_DIMS; d-- > 0;) {
		if (++cell->code[d] < tally_codes((enum tally_dim)d))
			return true;
		cell->code[d] = 0;
	}
	return false;
}

size_t tally_cells(struct tally_cell *out)
{
	struct tally_cell cell = { { 0 } };
	size_t count = 0;

	do {
		bool in = false;

		for (size_t t = 0; !in && t < COUNT(tables); t++)
			in = in_table(&tables[t], &cell);
		if (in && out != NULL)
			out[count] = cell;
		count += in;
	} while (cell_next(&cell));
	return count;
}

size_t tally_cell_find(const struct tally_cell *cells, size_t count, const struct tally_cell *cell)
{
	size_t lo = 0;

	while (lo < count) {
		size_t mid = lo + (count - lo) / 2;
		int c = cell_cmp(&cells[mid], cell);

		if (c == 0)
			return mid;
		if (c < 0)
			lo = mid + 1;
		else
			count = mid;
	}
	return SIZE_MAX;
}

/* At the level's depth, or a leaf above it. */
static bool finest(enum tally_dim dim, uint32_t depth, uint32_t code)
{
	uint32_t at = tally_depth(dim, code);

	return at == depth || (at < depth && codes[first_code[dim] + code].leaf);
}

bool tally_cell_inner(const struct tally_table_def *table, const struct tally_level_def *level,
                      const struct tally_cell *cell)
{
	return in_table(table, cell) && finest(table->dim[0], level->depth[0], cell->code[table->dim[0]]) &&
	       finest(table->dim[1], level->depth[1], cell->code[table->dim[1]]);
}

bool tally_cell_shown(const struct tally_table_def *table, const struct tally_level_def *level,
                      const struct tally_cell *cell)
{
	bool shown = in_table(table, cell);

	for (size_t a = 0; shown && a < 2; a++) {
		uint32_t code = cell->code[table->dim[a]];

		shown = code == 0 || finest(table->dim[a], level->depth[a], code);
	}
	return shown;
}
