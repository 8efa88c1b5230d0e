/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Compaction (K3): the log of a space begins anew at a snapshot, and what was erased before it is gone.
 *
 * 1. A device proposes a vector: up to where everybody who is waited for has acknowledged everything, and below every
 *    erase that may still be contested. It votes for the snapshot there: a control item of its next batch.
 * 2. Each of the others makes the same snapshot from its own edits, and votes for it if the hash is the same and no
 *    erase in it may still be contested as this device sees it. What differs is refused, kept as evidence and told.
 * 3. Where everybody who is waited for voted for the same, the log is cut off there, on each device by itself; the
 * device that joined first begins the next epoch, under which the snapshot and every batch above it go out
 * (sync/carry.h). Old epochs are closed as ever, and their keys destroyed (sync/closing.h).
 * 4. A device says so when nothing of it is left in its files (CONTROL_DONE).
 *
 * A device votes only for a higher (round, hash) than it voted for before, and cuts only at what it voted for last: so
 * two different snapshots on one parent never both get all votes (docs/SYNC.md). A snapshot names its parent, so none
 * is right for who stands at another.
 */
#ifndef SLB_SYNC_COMPACTION_H
#define SLB_SYNC_COMPACTION_H

#include "sync/erasing.h"

/* Why nothing is proposed. */
enum compaction_wait {
	COMPACTION_GOES_ON = 0, /* it was proposed, is under way, or just done */
	COMPACTION_NOTHING,     /* nothing was erased since the last time */
	COMPACTION_CONTEST,     /* what was erased may still be contested, or waits for a yes */
	COMPACTION_DEVICES,     /* some device has not acknowledged it yet */
	COMPACTION_ASIDE,       /* something of the space waits, or was set aside without a person's word */
	COMPACTION_REMOVAL,     /* a removal is not known to everybody yet */
	COMPACTION_FORK,        /* batches of a device that forked are kept, and would stay */
};

struct compacting {
	bool fetched; /* everything that the host shows was taken in just now; or there is no host */
	bool asked; /* a person asked for it: propose also where it is not this device's turn, and where nothing is due
	             */
};

/* Once in each sync, before epochs are tended: acknowledges erases, proposes, votes, cuts. *cut: the log was cut, and
 * store_forget() is due after the commit. Within a transaction. */
enum err compaction_tend(struct errctx *ec, struct sync *y, const struct space_row *space, const struct compacting *how,
                         bool *cut, enum compaction_wait *wait) MUST_CHECK;

/* Did this device sign for a snapshot in which this edit, of batch `seq`, lies? Then it cannot be contested here any
 * more: others may have taken it away already. */
enum err compaction_signed(struct errctx *ec, struct sync *y, const struct space_row *space, struct dot edit,
                           uint64_t seq, bool *out) MUST_CHECK;
/* The snapshot in force here, and the one that this device voted for last; at most two. */
struct snapshot_named {
	uint64_t round;
	uint8_t hash[HASH_LEN];
};
enum err compaction_named(struct errctx *ec, struct sync *y, int64_t space, struct snapshot_named out[static 2],
                          size_t *n) MUST_CHECK;
/* Is a snapshot agreed at which the log was not cut here yet, or may some other device stand on one already, which
 * waited for nobody? Then nothing is closed or carried over: what is erased there would go out once more, under a key
 * that stays. */
enum err compaction_pending(struct errctx *ec, struct sync *y, const struct space_row *space, bool *pending) MUST_CHECK;
/* Up to which batch of a device nothing is handed on as it is any more: the log was cut there, this device voted for
 * that, or an epoch began by somebody who knew such a vote. */
enum err compaction_floor(struct errctx *ec, struct sync *y, const struct space_row *space, struct device_id dev,
                          uint64_t *seq) MUST_CHECK;

/* After store_forget(): says that it is done here, in the next batch, where it is. Within a transaction. */
enum err compaction_tell(struct errctx *ec, struct sync *y, const struct space_row *space) MUST_CHECK;

/* How far the newest one has come, as known here. */
struct compaction_progress {
	bool any;      /* the log was cut once */
	int64_t at_ms; /* when, here */
	size_t done;   /* devices that said so; this one where it is true */
	size_t active; /* others that are in use */
	size_t resting;
	size_t removed;
	bool paper; /* a recovery sheet is a device here */
};
enum err compaction_progress(struct errctx *ec, struct sync *y, const struct space_row *space,
                             struct compaction_progress *out) MUST_CHECK;

/* What was set aside of a space was seen by a person: it stands in the way no more. Within a transaction. */
enum err compaction_aside_seen(struct errctx *ec, struct sync *y, const struct space_row *space) MUST_CHECK;

/* The vector at which it may be cut now: everything at or below is acknowledged and may be final. Empty: nowhere. For
 * tests as well. vv_free() it. */
enum err compaction_choose(struct errctx *ec, struct sync *y, const struct space_row *space, struct vv *out,
                           enum compaction_wait *wait) MUST_CHECK;

/* Of an epoch: did whoever began it know that the snapshot in force has all votes? True where there is none. */
enum err compaction_epoch_after(struct errctx *ec, struct sync *y, const struct space_row *space,
                                const struct membership *m, struct epoch_id epoch, bool *after) MUST_CHECK;

#endif
