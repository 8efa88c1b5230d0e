/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The directory as one flat CSV: a header with the field names of app/directory.h in any order, a row for each entry.
 * This is the file to keep by hand in a spreadsheet. Only the column `name` must be there; a column that is not one
 * of ours is left alone.
 */
#ifndef SLB_RENDER_FLAT_H
#define SLB_RENDER_FLAT_H

#include "app/directory.h"
#include "base/buf.h"
#include "base/err.h"

/* `name` is the file's, for error texts and rejects. A row without a name, with too many cells or with bytes that are
 * no text is reported and not used; an id or date that is none is reported and left empty (a group becomes
 * "anders", a kind "formal"). ERR_INPUT where the bytes are no CSV or there is no column `name`; *out is empty then. */
enum err flat_import(struct errctx *ec, const char *name, struct bytes content,
                     struct directory_import *out) MUST_CHECK;

/* Appends the header and all entries. */
enum err flat_export(struct directory_entry *entry, size_t entries, struct buf *out) MUST_CHECK;

#endif
