/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Going on from a snapshot that others made: for who joined after it, and for who was away so long that what lies below
 * it is to be had nowhere any more. It is taken up where the member who let this home in named it (sync/floor.h), or
 * where every device known here of which batches came in with it has signed for it. What was written here and is not in
 * it is written again, under another id of this device (sync/again.h); what it says is erased stays so.
 */
#ifndef SLB_SYNC_ADOPT_H
#define SLB_SYNC_ADOPT_H

#include "sync/snapshot.h"

/* All of `bytes`, whose hash is `hash`, in one transaction with the caller's. *taken false: not yet, nobody vouches for
 * it. ERR_DAMAGED without text: it is none of this space. */
enum err snapshot_adopt(struct errctx *ec, struct sync *y, const struct space_row *space, struct bytes bytes,
                        const uint8_t hash[static HASH_LEN], bool *taken) MUST_CHECK;

#endif
