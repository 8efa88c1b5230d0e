/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Statistical disclosure control for tables of counts (D1 to D5): which cells must be hidden so that what is shown
 * gives nothing away, and a proof of it that can refuse. Counts in, counts out: it has never heard of a record. It does
 * no input or output, reads no clock but the one handed in, and the same input gives the same output.
 *
 * The shape of a problem
 *   A *dimension* is a tree of codes; code 0 is its root, the total. A *table* takes some dimensions, each at a depth.
 *   A *cell* is one code of every dimension of the problem, code 0 where a table leaves a dimension out; so tables over
 *   the same people share their margins by themselves (referrals by domain x outcome and by group x outcome share every
 *   outcome margin and the grand total), and all cells of all tables form one linear system: a cell equals the sum of
 *   the cells below it, along each dimension.
 *   For a cell, n is the count; i how many contributors (circles) put something in; c the sum over contributors of
 *   min(x, T).
 *
 * In use
 *   sdc_problem_new, sdc_count_set for the inner cells at least, sdc_problem_close;
 *   then sdc_solve and sdc_audit, or sdc_choose for both over several levels; sdc_public for the public view.
 *
 * All arrays "per cell" have sdc_cells() elements and belong to the caller unless said otherwise.
 */
#ifndef SLB_DISCLOSE_DISCLOSE_H
#define SLB_DISCLOSE_DISCLOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"

#define SDC_DIMS_MAX 12
#define SDC_TABLES_MAX 64
#define SDC_CELLS_MAX 20000
#define SDC_COUNT_MAX (UINT64_C(1) << 40) /* a larger count is refused: sums stay exact in a double */
#define SDC_NO_CELL SIZE_MAX
#define SDC_FINEST UINT32_MAX
#define SDC_NO_BOUND UINT64_MAX /* an attacker's upper bound that does not exist */

/* parent[k] is the code above code k, for k = 1..codes-1, in any order; parent[0] is not read. A plain list of values
 * has 0 everywhere. */
struct sdc_dim {
	const uint32_t *parent;
	size_t codes;
};

/* How a table takes a dimension: the codes at `depth` below the root (or the leaves above it), 1 being the coarsest,
 * SDC_FINEST the leaves; the total always; and what lies between the two if `subtotals`. */
struct sdc_axis {
	uint32_t dim;
	uint32_t depth;
	bool subtotals;
};

struct sdc_table {
	const struct sdc_axis *axis;
	size_t axes;
};

struct sdc_rules {
	uint64_t threshold;        /* T: 0 < n < T is hidden; at least 2 */
	uint64_t min_contributors; /* n > 0 and i under this is hidden; 0 where contributors are not counted */
	bool capped;               /* n > 0 and c < 2T is hidden: n without any one contributor stays at T or more */
	bool group;                /* |margin| - 1 <= |cell| is hidden, and zeros beside it may be */
	bool insider;              /* solve against rule D3 (C) too */
	unsigned share_percent;    /* sdc_choose: how much of the count a level must show; 80 */
};

/* Beyond these a problem is refused with ERR_REFUSED; it is never half done. */
struct sdc_limits {
	const struct clock *clock; /* NULL: no limit of time */
	int64_t time_ms;           /* for one call */
	size_t memory_mib;         /* of the child process that solves linear programs; 0: no limit */
	size_t programs;           /* linear programs after which no lighter pattern is looked for; 0: 3,000 */
};

struct sdc_count {
	uint64_t n, i, c;
};

/* The order matters: what is not SDC_OPEN is hidden. Readers get one symbol for both kinds (D5). */
enum sdc_state { SDC_OPEN = 0, SDC_PRIMARY, SDC_SECONDARY };

/* What an earlier release or the world already says about a cell. */
enum sdc_given {
	SDC_FREE = 0,      /* ours to show or hide */
	SDC_KNOWN,         /* published before, or a structural zero: shown, can protect nothing */
	SDC_HIDDEN_BEFORE, /* hidden before: stays hidden */
};

struct sdc_problem;

/* Lays out the cells of all tables and their sums. Dimensions and tables are copied. ERR_INPUT for a tree that is none
 * or a table that names no such dimension; ERR_REFUSED beyond SDC_CELLS_MAX. */
enum err sdc_problem_new(const struct sdc_dim *dims, size_t dim_count, const struct sdc_table *tables,
                         size_t table_count, const struct sdc_rules *rules, const struct sdc_limits *limits,
                         struct sdc_problem **out, struct errctx *ec) MUST_CHECK;
void sdc_problem_free(struct sdc_problem *p); /* wiped; accepts NULL */

size_t sdc_cells(const struct sdc_problem *p);
size_t sdc_dims(const struct sdc_problem *p);

/* The cell with these codes (one per dimension of the problem, 0 = total), or SDC_NO_CELL. */
size_t sdc_cell_find(const struct sdc_problem *p, const uint32_t *code);
/* The codes of a cell, one per dimension; valid as long as the problem. */
const uint32_t *sdc_cell_codes(const struct sdc_problem *p, size_t cell);
/* Is the cell in this table, and is it an inner cell of it (finest code on every axis)? */
bool sdc_cell_in_table(const struct sdc_problem *p, size_t cell, size_t table);
bool sdc_cell_is_inner(const struct sdc_problem *p, size_t cell, size_t table);

/* Inner cells that are never set are 0. A margin may be set or left: see sdc_problem_close. */
enum err sdc_count_set(struct sdc_problem *p, size_t cell, struct sdc_count count, struct errctx *ec) MUST_CHECK;
/* The cost of hiding a cell, 1 or more. Default: by position, the number of finest combinations under the cell. A
 * weight must come from the plan; a weight taken from the counts makes the choice of cells speak of them. */
enum err sdc_weight_set(struct sdc_problem *p, size_t cell, uint32_t weight, struct errctx *ec) MUST_CHECK;
void sdc_given_set(struct sdc_problem *p, size_t cell, enum sdc_given given);

/* Adds up margins that were not set (n exactly; i and c to the largest of the parts, the least they can be) and checks
 * every sum of those that were. ERR_DAMAGED if tables disagree over a margin: a sum was tampered with. */
enum err sdc_problem_close(struct sdc_problem *p, struct errctx *ec) MUST_CHECK;
struct sdc_count sdc_count(const struct sdc_problem *p, size_t cell);

/* Which cells to hide: state[] per cell. Every pattern it returns has passed the audit at A, B, D and, if
 * rules.insider, C. ERR_REFUSED if a limit is reached or what was published before leaves no way. */
enum err sdc_solve(const struct sdc_problem *p, enum sdc_state *state, struct errctx *ec) MUST_CHECK;

/* Only the primaries. */
void sdc_primaries(const struct sdc_problem *p, enum sdc_state *state);

enum sdc_check { SDC_NOT_RUN = 0, SDC_PASSED, SDC_FAILED };

struct sdc_verdict {
	enum sdc_check check;
	size_t cell;  /* if failed: the cell that falls (for the combiner's eyes only) ... */
	size_t known; /* ... and, at C, the cell of 1 that the insider knows; else SDC_NO_CELL */
};

/* What an attacker with the open cells, the sums and n >= 0 can be sure of. Open: lo = hi = n. Never published (D5). */
struct sdc_bounds {
	uint64_t lo, hi;
};

struct sdc_audit {
	struct sdc_verdict a; /* D1: no hidden cell has one possible value */
	struct sdc_verdict b; /* D2: each cell of 1..T-1 could be T or more */
	struct sdc_verdict c; /* D3: nor does one who knows a hidden 1 find another primary */
	struct sdc_verdict d; /* D4: A, B (and C if run) against a reader who knows these rules */
};

#define SDC_AUDIT_A 1u
#define SDC_AUDIT_B 2u
#define SDC_AUDIT_C 4u
#define SDC_AUDIT_D 8u
#define SDC_AUDIT_ALL 15u

/* Audits any pattern (ours or another's) at the levels in `which`. A level is passed only when for every claim a
 * different table of whole numbers was found and re-checked in integers; what cannot be proven fails. A primary that
 * `state` leaves open fails at A. `bounds` per cell, or NULL. Returns ERR_OK also when a level failed: read `out`. */
enum err sdc_audit(const struct sdc_problem *p, const enum sdc_state *state, unsigned which, struct sdc_audit *out,
                   struct sdc_bounds *bounds, struct errctx *ec) MUST_CHECK;
/* True if no level that was run has failed, and at least A was run. */
bool sdc_audit_passed(const struct sdc_audit *audit);

/* One level: the tables as they would be published. */
struct sdc_view {
	const struct sdc_table *tables;
	size_t count;
};

/* The finest level that shows at least rules.share_percent of the count in its inner cells, pattern and audit with it.
 * `all` holds the counts of every cell that any view needs (its own tables: all depths, with subtotals). `views` go
 * from fine to coarse, as the plan says. */
struct sdc_release {
	size_t view; /* index into views, or SIZE_MAX: no level shows enough, nothing is released, all below is empty */
	struct sdc_problem *shown; /* the cells of that view; owned */
	enum sdc_state *state;     /* per cell of `shown`; owned */
	struct sdc_audit audit;
	uint64_t open_count, full_count; /* inner cells of all tables: counts shown, counts in all */
	bool refused;                    /* the audit refused a level that shows enough (the last such one): */
	uint32_t fallen[SDC_DIMS_MAX];   /* codes of the cell that falls, for the combiner's eyes only */
};
enum err sdc_choose(const struct sdc_problem *all, const struct sdc_view *views, size_t view_count, unsigned which,
                    struct sdc_release *out, struct errctx *ec) MUST_CHECK;
void sdc_release_clear(struct sdc_release *r);
/* The share shown, in thousandths, as it may be published: exact where the grand total is shown (then anybody can work
 * it out); where that is hidden only that it is share_percent or more, since the exact share would give the total away.
 */
unsigned sdc_release_share(const struct sdc_release *r);

/* The public view of a released cell: what is hidden stays hidden, 7 or less is hidden, the rest is rounded to 5.
 * False: hidden, `value` is 0. */
bool sdc_public(enum sdc_state state, uint64_t n, uint64_t *value);

#endif
