/* SPDX-License-Identifier: EUPL-1.2 */
/* Closing epochs that nobody writes under any more (sync/epochs.h tells when), and what that asks for. */
#ifndef SLB_SYNC_CLOSING_H
#define SLB_SYNC_CLOSING_H

#include "sync/membership.h"

/* Is this device, another one than one's own, one that closing and compacting wait for? It is in, no sheet of paper,
 * and does not rest. */
enum err device_is_waited_for(struct errctx *ec, struct sync *y, const struct space_row *space,
                              const struct membership *m, const struct standing *s, bool *out) MUST_CHECK;

/* Does a file of the space wait that may still be read? Not counted is what waits for a key and comes from who is not
 * waited for. */
enum err space_awaits(struct errctx *ec, struct sync *y, const struct space_row *space, const struct membership *m,
                      bool *some) MUST_CHECK;

/* When this home closed an epoch, ms since 1970; 0: not known, or not yet. */
enum err epoch_closed_at(struct errctx *ec, struct store *s, int64_t space, struct epoch_id id,
                         int64_t *at_ms) MUST_CHECK;

/* A batch was applied that came under this epoch. Where its author is not waited for, or wrote under the one of now
 * before, others may have closed that epoch and will never read it: then it goes out once more under the one of now.
 * Within a transaction. */
enum err epoch_stray(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch,
                     const struct device_row *author, uint64_t seq) MUST_CHECK;

/* Once in each sync, before the outbox is sealed: gives members the keys of epochs that began without them, because of
 * a removal that does not count or before their author knew of them; names a new box key where one is due; closes
 * epochs that nobody writes under any more. *closed: how many; then store_forget() is due after the commit. Within a
 * transaction. */
enum err epochs_tend(struct errctx *ec, struct sync *y, const struct space_row *space, size_t *closed) MUST_CHECK;

#endif
