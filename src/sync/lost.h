/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What others had sent, and neither the host nor the cache of this computer has any more (S5). The device whose branch
 * it was sends it again by itself (sync/handed.h), and others push it back from their caches. Where it was removed, or
 * nobody did so for a week, whoever looks first hands it on from the vault: batches carried under the epoch of now
 * (sync/carry.h), the key of the branch's epoch for those who never showed that they have it. The same signed batches:
 * whoever takes them in checks the author's signature as ever.
 *
 * It stays bounded: only batches that no file of this exchange brought are handed on, so whoever looks next finds them
 * and does nothing. Kept rows of a space: "lost:REF" [since when, [[device, from, to]...]] and "carrier:REF", empty: on
 * that branch lie batches of others, which its loss takes along.
 */
#ifndef SLB_SYNC_LOST_H
#define SLB_SYNC_LOST_H

#include "batch/batch.h"
#include "sync/keys.h"

#define LOST_DAYS 7 /* so long its own device, and others' caches, have the time to put it back */

/* Batches of one device that were on a branch, or may have been. */
struct lost_range {
	struct device_id dev;
	struct tag tag;
	uint64_t from; /* batch */
	uint64_t to;
	bool *came; /* of each of them: a file of this exchange brought it; owned */
};

/* A branch. */
struct lost {
	int64_t space;
	char ref[REF_MAX + 1];
	int64_t since_ms;
	bool fresh;   /* not kept yet */
	bool came;    /* some of it, in this exchange */
	bool removed; /* nobody is behind it any more */
	bool carried; /* it held batches of others as well */
	bool over;    /* out: nothing of it is missing any more */
	struct lost_range *range;
	size_t n;
};

struct lost_list {
	struct lost *lost;
	size_t n;
	struct lost_seen { /* what came in this exchange, since a branch may be told to be gone after that */
		struct tag tag;
		uint64_t seq;
	} * seen;
	size_t seen_count;
};

/* What earlier exchanges missed in the spaces of this neighbourhood. lost_free() it, after a failure too. */
enum err lost_load(struct errctx *ec, struct sync *y, int64_t neighbourhood, struct lost_list *out) MUST_CHECK;
void lost_free(struct lost_list *list);

/* A branch of another device is gone, or back at an older state, and was not pushed back from here. What it may have
 * held is missing from now on. Does nothing for a branch of this device, or of no space of this home. */
enum err lost_add(struct errctx *ec, struct sync *y, const char *ref, struct lost_list *list) MUST_CHECK;
/* It is back after all. In a transaction. */
enum err lost_back(struct errctx *ec, struct sync *y, const char *ref, struct lost_list *list) MUST_CHECK;
/* A batch with this header came from the repository. Where there is no memory to note it, it is handed on once more. */
void lost_came(struct lost_list *list, const struct file_header *h);

/* After an exchange; where it was a whole one, hands on what is due. Keeps the rest, and says what is `over`. In a
 * transaction. */
enum err lost_end(struct errctx *ec, struct sync *y, struct lost_list *list, bool whole) MUST_CHECK;

/* Batches of others came on this branch. In a transaction of its own, the first time. */
enum err lost_carrier(struct errctx *ec, struct sync *y, int64_t space, const char *ref) MUST_CHECK;

#endif
