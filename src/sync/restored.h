/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Was this home restored from a backup, and has it not come back among the others since? Then it is not the device it
 * was (S7): the device may have gone on after the backup was made, and two of one name would sign different batches
 * with one number. It holds no epoch key and no box secret either. Whatever lets it come back ends this state.
 */
#ifndef SLB_SYNC_RESTORED_H
#define SLB_SYNC_RESTORED_H

#include "sync/keys.h"

struct restored {
	bool is;             /* false: the rest is zero */
	int64_t made_ms;     /* when the backup was made */
	int64_t restored_ms; /* when it was put back */
};

enum err restored_get(struct errctx *ec, struct sync *y, struct restored *out) MUST_CHECK;
/* Within a transaction. */
enum err restored_mark(struct errctx *ec, struct sync *y, int64_t made_ms) MUST_CHECK;
/* ERR_LATER with a sentence that says what to do where it is. Everything that seals, lets in or asks to be let in calls
 * this first. */
enum err restored_refuse(struct errctx *ec, struct sync *y) MUST_CHECK;

/* Has it not come back in this space yet? */
enum err restored_away(struct errctx *ec, struct sync *y, int64_t space, bool *away) MUST_CHECK;
/* It is back in this one, under another id. Within a transaction. */
enum err restored_back(struct errctx *ec, struct sync *y, int64_t space) MUST_CHECK;
/* Ends the state of a restored home where it is back in all its spaces. Within a transaction. */
enum err restored_end(struct errctx *ec, struct sync *y) MUST_CHECK;

#endif
