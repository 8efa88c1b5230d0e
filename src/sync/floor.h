/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The floor under a joiner: how far every device of a space had come when its member let the joiner in, its own
 * admission included. Until all of that is applied the space is *still coming in*: nothing is written or sealed there,
 * so that a joiner's first batch has always seen its own admission, and a host cannot show an older state for the
 * newest. What is shown in the place of a batch of the floor is set aside.
 *
 * Kept per space under "floor", as the answer held it: [[device id, seq, first 8 bytes of the batch's hash]...].
 */
#ifndef SLB_SYNC_FLOOR_H
#define SLB_SYNC_FLOOR_H

#include "sync/inbox.h"

/* Of a space that is joined now. ERR_DAMAGED when `heads` is not such a list. Within a transaction. */
enum err floor_put(struct errctx *ec, struct sync *y, int64_t space, struct bytes heads) MUST_CHECK;

/* Does something of the floor miss here still, or one's own admission? False where there is no floor. */
enum err floor_open(struct errctx *ec, struct sync *y, int64_t space, bool *out) MUST_CHECK;

/* Is this batch another one than the floor names under its number? */
enum err floor_differs(struct errctx *ec, struct sync *y, int64_t space, struct device_id dev, uint64_t seq,
                       const uint8_t hash[static 32], bool *out) MUST_CHECK;

/* Does the floor name this snapshot as one that whoever let this home in stood at, or signed for? It is an entry of no
 * device, with the round of the snapshot and the first 8 bytes of its hash, and promises nothing. */
enum err floor_names(struct errctx *ec, struct sync *y, int64_t space, uint64_t round, const uint8_t hash[static 32],
                     bool *out) MUST_CHECK;

/* Does the floor ask for this batch of the device, or a later one? */
enum err floor_wants(struct errctx *ec, struct sync *y, int64_t space, struct device_id dev, uint64_t seq,
                     bool *out) MUST_CHECK;

/* ERR_LATER with a sentence while a space is still coming in: for whatever writes there. */
enum err floor_refuse(struct errctx *ec, struct sync *y, int64_t space) MUST_CHECK;

/* Takes away each floor that is reached, and lets what stood in for such a space give way (sync/own.h); counts them in
 * r->arrived. Does so in a transaction of its own, where there is something to do. */
enum err floor_settle(struct errctx *ec, struct sync *y, struct received *r) MUST_CHECK;

#endif
