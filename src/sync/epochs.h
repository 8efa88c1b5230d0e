/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Epochs of a space (K1, K3): which key is written under, and when a new one begins; sync/box_keys.h and
 * sync/closing.h have the rest of their life.
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

/* The same for a caller that has the membership at hand. */
enum err epoch_choose_in(struct errctx *ec, struct sync *y, const struct space_row *space, const struct membership *m,
                         struct epoch_id *out) MUST_CHECK;

/* EPOCH_KEY_ONLY where nothing is known of it. */
enum err epoch_state_of(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id id,
                        enum epoch_state *out) MUST_CHECK;

/* Begins a new epoch of the space for all active devices: key, row, boxes in the outgoing files where there are
 * others or it is not the first, and the record that goes into the next batch. Within a transaction. */
enum err epoch_begin(struct errctx *ec, struct sync *y, const struct space_row *space, const struct device_keys *keys,
                     struct epoch_id *id) MUST_CHECK;

/* The record of an epoch in a batch, [epoch id, [[device, box key]...], [parents...]], is taken up. *good false: it is
 * none, and the batch is refused by everybody. */
enum err epoch_record_take(struct errctx *ec, struct sync *y, const struct space_row *space, const struct moment *at,
                           struct bytes payload, bool *good) MUST_CHECK;

/* The key of an epoch in a file of boxes for these devices, into the outgoing files as TAG-name. Within a transaction.
 */
struct boxing {
	struct epoch_id epoch;
	const struct epoch_secret *secret;
	const struct recipient *to;
	size_t n;
	const char *name;
};
enum err boxes_publish(struct errctx *ec, struct sync *y, const struct space_row *space, const struct device_keys *keys,
                       const struct boxing *b) MUST_CHECK;

#endif
