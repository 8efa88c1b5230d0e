/* SPDX-License-Identifier: EUPL-1.2 */
/* Tables of a tally: as text in columns, as CSV with one cell a row, as JSON. A hidden cell is one and the same thing
 * everywhere: a dot in text, an empty count and hidden = 1 in CSV, null and true in JSON (D5). */
#ifndef SLB_RENDER_TABLES_H
#define SLB_RENDER_TABLES_H

#include "app/tally.h"
#include "base/buf.h"
#include "render/doc.h"
#include "render/text.h"

/* Title, tables, and under them how they were made. */
void tables_summary_text(const struct text *t, const struct summary *s);
/* Columns: period, view, table, level, dimension_1, key_1, dimension_2, key_2, count, hidden. */
enum err tables_summary_csv(const struct summary *s, struct buf *out) MUST_CHECK;
void tables_summary_doc(struct doc *d, const struct summary *s);

/* What a circle would put in: every count that is not zero, in words. */
void tables_preview_text(const struct text *t, const struct tally_preview *p);
/* The members of an object that is open already. */
void tables_preview_doc(struct doc *d, const struct tally_preview *p);

#endif
