/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Epochs of a space (K1, K3): which key is written under, when a new one begins, and when an old one is destroyed.
 *
 * An epoch is written under while whoever began it knew of every removal that is known here, and gave its key to every
 * member it knew of. A device names a new box key in its first batch under each epoch; from then on it is the newest,
 * and the next epochs' keys come to that one. An old epoch is closed here once every member that is waited for has
 * written under a better one and has seen the new box key of this device: then nothing is ever sealed under the old one
 * again, and no box comes to the old box key. Its key goes, and the old box secrets with it, or the boxes that a host
 * keeps would bring it back; what was written under it is in the vault, and goes out once more under the new one
 * (sync/carry.h) for those who join later.
 */
#ifndef SLB_SYNC_EPOCHS_H
#define SLB_SYNC_EPOCHS_H

#include "sync/membership.h"

/* The epoch to write under: of those that may be, the newest. ERR_NOT_FOUND without text when there is none (K1). */
enum err epoch_choose(struct errctx *ec, struct sync *y, const struct space_row *space,
                      struct epoch_id *out) MUST_CHECK;

/* EPOCH_KEY_ONLY where nothing is known of it. */
enum err epoch_state_of(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id id,
                        enum epoch_state *out) MUST_CHECK;

/* Begins a new epoch of the space for all active devices: key, row, boxes in the outgoing files where there are
 * others, and the record that goes into the next batch. Within a transaction. */
enum err epoch_begin(struct errctx *ec, struct sync *y, const struct space_row *space, const struct device_keys *keys,
                     struct epoch_id *id) MUST_CHECK;

/* The record of an epoch in a batch, [epoch id, [[device, box key]...], [parents...]], is taken up. *good false: it is
 * none, and the batch is refused by everybody. */
enum err epoch_record_take(struct errctx *ec, struct sync *y, const struct space_row *space, const struct moment *at,
                           struct bytes payload, bool *good) MUST_CHECK;

/* Names a new box key in the next batch, unless that was done under this epoch; batches of one's own that somebody has
 * not seen go out under it once more, since others may close the one before. Within a transaction. */
enum err box_key_renew(struct errctx *ec, struct sync *y, const struct space_row *space,
                       struct epoch_id epoch) MUST_CHECK;
/* The box key of now is the one for this epoch: it was told with the device itself. */
enum err box_key_named(struct errctx *ec, struct sync *y, const struct space_row *space,
                       struct epoch_id epoch) MUST_CHECK;
/* The device goes on under another id with keys of its own: it names a box key in its first batch. `old`: what the keys
 * it had may still be used for; NULL: their secret is gone. Within a transaction. */
enum err box_keys_follow(struct errctx *ec, struct sync *y, const struct space_row *space,
                         const struct device_keys *old) MUST_CHECK;
/* A box came to the box key of now: it is renewed with the next batch, so that it goes when that epoch is closed. */
enum err box_key_used(struct errctx *ec, struct sync *y, const struct space_row *space) MUST_CHECK;
/* The key pairs that a box may be for, newest first: calls `each` until it returns anything but ERR_NOT_FOUND. */
typedef enum err (*box_pair_fn)(void *arg, const uint8_t public[static BOX_PUBLIC_LEN],
                                const uint8_t secret[static BOX_SECRET_LEN]);
enum err box_pairs_try(struct errctx *ec, struct sync *y, const struct space_row *space, box_pair_fn each,
                       void *arg) MUST_CHECK;

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
