/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The tables of a tally as C tables, made from schema/tables.def, and the order of their cells.
 *
 * A cell is one code of every dimension, 0 (total) where a table leaves a dimension out. A contribution holds every
 * cell that some level may show: inner cells, groups and margins, each once, in lexicographic order of (domain, group,
 * outcome). That order is on the wire.
 */
#ifndef SLB_TALLY_TABLES_H
#define SLB_TALLY_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define TALLY_TABLES_VERSION 1

enum tally_dim {
#define DIM(name, nl, en) DIM_##name,
#include "schema/tables.def"
	TALLY_DIMS
};

struct tally_code {
	const char *id; /* "" for the total */
	const char *nl;
	const char *en;
	uint32_t parent;
	bool leaf;
};

struct tally_dim_def {
	const char *name;
	const char *nl;
	const char *en;
};

struct tally_table_def {
	const char *name;
	enum tally_dim dim[2];
	const char *nl;
	const char *en;
};

struct tally_level_def {
	const char *name;
	uint32_t depth[2];
	const char *nl;
	const char *en;
};

const struct tally_dim_def *tally_dim(enum tally_dim dim);
/* How many codes a dimension has, its total included. */
size_t tally_codes(enum tally_dim dim);
struct tally_code tally_code(enum tally_dim dim, uint32_t code);
/* Steps below the total. */
uint32_t tally_depth(enum tally_dim dim, uint32_t code);
const struct tally_table_def *tally_tables(size_t *count);
const struct tally_level_def *tally_levels(size_t *count);

/* The leaf for an id as people chose it: details roll up (psyche, lijf, middelen to gezond; justitie to anders), and
 * what this version does not know counts as anders where the dimension has it. 0 when there is none. */
uint32_t tally_leaf(enum tally_dim dim, struct bytes id);

struct tally_cell {
	uint32_t code[TALLY_DIMS];
};

#define TALLY_CELLS_MAX 2048

/* All cells in their order; returns how many. `out` takes TALLY_CELLS_MAX, or is NULL to count only. */
size_t tally_cells(struct tally_cell *out);
/* The place of a cell in that order, or SIZE_MAX. */
size_t tally_cell_find(const struct tally_cell *cells, size_t count, const struct tally_cell *cell);
/* Does this table show the cell at this level (inner cells and margins)? And is it an inner one? */
bool tally_cell_shown(const struct tally_table_def *table, const struct tally_level_def *level,
                      const struct tally_cell *cell);
bool tally_cell_inner(const struct tally_table_def *table, const struct tally_level_def *level,
                      const struct tally_cell *cell);

#endif
