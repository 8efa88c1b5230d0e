/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A table of earlier conversations (CSV, see render/csv.h) as rows for app/import.h. Pure: the same bytes give the same
 * rows.
 *
 * Columns may be called as ours are or by one of the English and Dutch words in import.c, in any order; capitals,
 * blanks, dashes and underscores do not count. `resident_id`, `versions` and `code` of our own files are read over. A
 * value is an id of its list or one of its labels, capitals do not count; several stand with semicolons or commas
 * between them. Dates: 2026-11-22 or 22-11-2026. Empty rows are passed over.
 *
 * Bytes that are not UTF-8 are refused with how to save the file, and never guessed: nothing in a file tells whether it
 * was written with the letters of western, Turkish or Arabic Windows, and a wrong guess changes people's names without
 * a word.
 */
#ifndef SLB_RENDER_IMPORT_H
#define SLB_RENDER_IMPORT_H

#include "app/import.h"
#include "base/buf.h"
#include "base/err.h"

/* `name` is the file's, for the texts. ERR_INPUT where the bytes are no CSV or the header cannot be used; *out is empty
 * then. Cells that cannot be used are out->problem, with ERR_OK. Free with import_log_free(). */
enum err import_parse(struct errctx *ec, const char *name, struct bytes content, struct import_log *out) MUST_CHECK;

#endif
