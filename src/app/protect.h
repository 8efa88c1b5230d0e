/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Disclosure control for a table of counts that somebody brings: which cells to hide, or whether a pattern that
 * somebody chose holds. No home and no vault are needed, nothing is kept.
 */
#ifndef SLB_APP_PROTECT_H
#define SLB_APP_PROTECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/pool.h"
#include "base/err.h"

#define PROTECT_DIMS_MAX 12
#define PROTECT_TOTAL "Total" /* how a margin is written */

/* All texts are borrowed and stay the caller's. */
struct protect_parent {
	const char *dim;
	const char *child;
	const char *parent; /* PROTECT_TOTAL: right under the total */
};

struct protect_row {
	const char *code[PROTECT_DIMS_MAX];
	uint64_t freq; /* of an inner cell */
	bool hidden;   /* of a pattern: is the cell hidden? */
};

struct protect_in {
	const char *dim[PROTECT_DIMS_MAX];
	size_t dims;
	const struct protect_row *row;
	size_t rows;
	const struct protect_parent *parent;
	size_t parents;
	const struct protect_row *pattern; /* NULL: find one; else audit this one, cells it does not name are open */
	size_t patterns;
	uint64_t threshold;
};

enum protect_status { PROTECT_OPEN, PROTECT_PRIMARY, PROTECT_SECONDARY };

struct protect_cell {
	const char *code[PROTECT_DIMS_MAX];
	uint64_t freq;
	enum protect_status status;
	uint64_t lo;
	uint64_t hi;          /* UINT64_MAX: no bound */
	bool in_public;       /* shown in the public view, as */
	uint64_t public_freq; /* this */
};

/* A level of the audit that failed: the cell that falls and, at C, the one that the insider knows. NULL, or codes as in
 * protect_cell. For the person who runs the audit alone. */
struct protect_verdict {
	const char *check; /* "passed", "failed" or "not_run" */
	const struct protect_cell *cell;
	const struct protect_cell *known;
};

struct protect_out {
	struct pool pool;
	struct protect_cell *cell;
	size_t cells;
	struct protect_verdict audit[4]; /* A to D */
	bool passed;
	uint32_t shown; /* thousandths of the count in inner cells */
};

/* Texts of `out` are those of `in`. A failed audit is ERR_OK with out->passed false. ERR_INPUT for a code or parent
 * that does not fit, named in the text. Free `out` after an error too. */
enum err app_protect(struct errctx *ec, const struct protect_in *in, struct protect_out *out) MUST_CHECK;
void app_protect_free(struct protect_out *out);

#endif
