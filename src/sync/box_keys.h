/* SPDX-License-Identifier: EUPL-1.2 */
/* The box keys of one's own device in a space: to the newest come the keys of epochs (sync/epochs.h). */
#ifndef SLB_SYNC_BOX_KEYS_H
#define SLB_SYNC_BOX_KEYS_H

#include "sync/keys.h"

/* Names a new box key in the next batch, unless that was done under this epoch; batches of one's own that somebody has
 * not seen go out under it once more, since others may close the one before. Within a transaction. */
enum err box_key_renew(struct errctx *ec, struct sync *y, const struct space_row *space,
                       struct epoch_id epoch) MUST_CHECK;
/* A new box key from now on, which the next batch names as well; boxes may still come to the one before. *keys: with
 * it, device_keys_free() them. Within a transaction. */
enum err box_key_draw(struct errctx *ec, struct sync *y, const struct space_row *space,
                      struct device_keys **keys) MUST_CHECK;
/* Somebody goes on from a copy of this home, and so has the secret of its box key: another one from now on, or boxes
 * would open to the copy after its removal (K1). Within a transaction. */
enum err box_key_copied(struct errctx *ec, struct sync *y, const struct space_row *space) MUST_CHECK;
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
/* Are there earlier ones whose secret is kept? */
enum err old_boxes_any(struct errctx *ec, struct sync *y, const struct space_row *space, bool *any) MUST_CHECK;
/* Their secrets go; for good once store_forget() has run. Within a transaction. */
enum err old_boxes_destroy(struct errctx *ec, struct sync *y, const struct space_row *space) MUST_CHECK;
/* Was the box key of now named under this epoch? *known false: it is not known under which, or none was named yet. */
enum err boxed_under(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch,
                     bool *known, bool *same) MUST_CHECK;

#endif
