/* SPDX-License-Identifier: EUPL-1.2 */
/* The history of a record and what an undo did, as text and as JSON. */
#ifndef SLB_RENDER_HISTORY_H
#define SLB_RENDER_HISTORY_H

#include "app/history.h"
#include "app/undo.h"
#include "render/doc.h"
#include "render/text.h"

/* The words by which people know a field; its name where this version knows none. Static, or `field`. */
const char *field_label(const struct text *t, const char *kind, const char *field);

void text_history(const struct text *t, const struct history *h);
void text_undone(const struct text *t, const struct undone *u);

/* An array of {n, at, author, edit, made, undoes, undone, changes[] {field, before, after}}. A value is a text, null
 * or, where several were kept together, an array; of a set, arrays; of an event, {status, date, reason}. */
void json_history(struct doc *d, const char *key, const struct history *h);
void json_undone(struct doc *d, const char *key, const struct undone *u);

#endif
