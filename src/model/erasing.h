/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Erasing, and contesting that. Pure.
 *
 * An edit that erases a record leaves only its id, kind and who did it. Another edit of the same record may *contest*
 * it: it names the erasing edit, which its author had seen, in the set `contests`. A contested erase counts for
 * nothing: whoever folds leaves it out, so that the record is what all its other edits come to (M1: that depends on the
 * set of edits alone, since who contests has seen what it names). `agrees` names erases in the same way and changes
 * nothing; it is the yes that many erases at once wait for (sync/erasing.h).
 */
#ifndef SLB_MODEL_ERASING_H
#define SLB_MODEL_ERASING_H

#include "model/record.h"

bool edit_erases(const struct edit *edit);
bool edit_writes(const struct edit *edit, uint32_t tag);

/* Calls `each` for every edit that a write of `edit` to the set `tag` (contests or agrees) adds; stops at an error.
 * What is no reference is passed over (M3). */
typedef enum err (*named_fn)(void *arg, struct dot named);
enum err edit_names(const struct edit *edit, uint32_t tag, named_fn each, void *arg) MUST_CHECK;

/* Had the author of `edit`, which was written with this context, seen the edit `d`? */
bool edit_saw(const struct edit *edit, struct context ctx, struct dot d);

/* The erasing edits of one record that are contested. */
struct contests {
	struct dot *d;
	size_t n;
};
void contests_free(struct contests *c);
/* Takes up what an edit that counts contests. */
enum err contests_note(struct contests *c, const struct edit *edit, struct context ctx) MUST_CHECK;
/* Is this an erase that is contested? Then it is not folded. */
bool contests_stop(const struct contests *c, const struct edit *edit);

#endif
