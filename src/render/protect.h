/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The files of `protect`.
 *
 * Table: columns of dimensions and `freq`, one row for each inner cell (a cell that is missing is 0).
 * Hierarchy: columns dimension, child, parent; a parent "Total" is the top, and a code that is no child stands there.
 * Pattern, as written and as read back: columns of dimensions (a margin is "Total"), freq, status (open, primary,
 * secondary), lo, hi; hi is empty where an attacker has no upper bound.
 * Released: dimensions and freq, empty where hidden. Public: the same from the released one, where 7 or less is hidden
 * too and the rest is rounded to 5 (D5). Both may be published, also together.
 */
#ifndef SLB_RENDER_PROTECT_H
#define SLB_RENDER_PROTECT_H

#include "app/protect.h"
#include "base/buf.h"
#include "render/csv.h"
#include "render/doc.h"

/* A file as it was read: its name for error texts, and its cells. */
struct protect_file {
	const char *name;
	struct csv_table table;
};

/* Fills dims and rows; the texts are the file's, the arrays the pool's. ERR_INPUT names file, row and column. */
enum err protect_read_table(struct errctx *ec, const struct protect_file *f, struct pool *pool,
                            struct protect_in *in) MUST_CHECK;
enum err protect_read_hierarchy(struct errctx *ec, const struct protect_file *f, struct pool *pool,
                                struct protect_in *in) MUST_CHECK;
enum err protect_read_pattern(struct errctx *ec, const struct protect_file *f, struct pool *pool,
                              struct protect_in *in) MUST_CHECK;

enum err protect_put_pattern(const struct protect_in *in, const struct protect_out *p, struct buf *out) MUST_CHECK;
enum err protect_put_released(const struct protect_in *in, const struct protect_out *p, struct buf *out) MUST_CHECK;
enum err protect_put_public(const struct protect_in *in, const struct protect_out *p, struct buf *out) MUST_CHECK;
/* "geld, niet": the codes of a cell, for a sentence; cut off where they do not fit. */
void protect_cell_name(const struct protect_in *in, const struct protect_cell *c, char *out, size_t size);
void protect_doc(struct doc *d, const struct protect_in *in, const struct protect_out *p);

#endif
