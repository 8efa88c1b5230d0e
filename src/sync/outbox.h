/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SLB_SYNC_OUTBOX_H
#define SLB_SYNC_OUTBOX_H

#include "sync/keys.h"

/* Seals what one wrote in this space and has not sealed yet into batches, ready to be sent. Does nothing when there
 * is nothing. ERR_LATER in a restored home (restored.h). Within a transaction; S1: also called before each incoming
 * batch is applied, in the same transaction. */
enum err outbox_seal(struct errctx *ec, struct sync *y, const struct space_row *space) MUST_CHECK;

/* Seals a batch of one's own again, from its signed part, under the epoch of now: the same batch to whoever gets it
 * twice. For repair, where nothing says whether it was sent. Within a transaction. */
enum err outbox_again(struct errctx *ec, struct sync *y, const struct space_row *space, uint64_t seq) MUST_CHECK;

#endif
