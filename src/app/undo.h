/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Undo: a new edit that puts back what stood before one of one's own.
 *
 * What is undone: the newest edit made on this device to a resident, contact, referral or service that was not undone
 * yet. An undo is not undone itself: a second undo goes one edit further back, as people know it from writing programs.
 * Which edits are undos is remembered on this device alone; to everybody else an undo is an edit like any other.
 *
 * Only a field in which the undone edit alone stands goes back (M2): where somebody changed it afterwards, or apart
 * from it, it stays as it is and is named in `stays`. REG, TEXT  what the edit replaced. Where that was two versions,
 * they are kept together, as "keep both" does. SET        elements it added go, elements it took out come back. EVENTS
 * the event is taken back; an event that it took back is written again. The edit that made a record cannot be undone:
 * that would be erasing.
 */
#ifndef SLB_APP_UNDO_H
#define SLB_APP_UNDO_H

#include "app/pool.h"
#include "app/session.h"
#include "app/shown.h"

struct undone {
	struct pool pool;
	const char *id;     /* the record */
	const char *kind;   /* "contact" and so on */
	const char *edit;   /* the edit that was made */
	const char *undone; /* the edit it takes back */
	const char **back;  /* fields that went back */
	size_t backs;
	const char **stays; /* fields of the undone edit that others changed, and that stay as they are */
	size_t stay_count;
};

/* `id` NULL: the newest edit to anything. ERR_NOT_FOUND: nothing of one's own is left to undo. ERR_REFUSED: it made the
 * record, every field was changed since, or what would come back is against a rule. Free with undone_free(), also
 * after a failure. */
enum err undo_last(struct errctx *ec, struct app *app, const char *id, struct undone *out) MUST_CHECK;
void undone_free(struct undone *u);

#endif
