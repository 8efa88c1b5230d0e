/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The keys of one's own device in a space, and the keys of its epochs. They are kept in the vault; in memory they
 * live in guarded pages only as long as they are used.
 */
#ifndef SLB_SYNC_KEYS_H
#define SLB_SYNC_KEYS_H

#include "batch/batch.h"
#include "store/store.h"

/* What the functions of sync/ work with; everything is the caller's. */
struct sync {
	struct store *store;
	struct zip *zip;
	const struct rng *rng;
	const struct clock *clock;
};

/* A device's public side, as its member record holds it (one element of `devices`, a byte string):
 *   tag 5 | signing key 32 | box key 32 | incarnation 4, big-endian */
#define BUNDLE_LEN (TAG_LEN + SIGN_PUBLIC_LEN + BOX_PUBLIC_LEN + 4)

struct bundle {
	struct tag tag;
	uint8_t sign[SIGN_PUBLIC_LEN];
	uint8_t box[BOX_PUBLIC_LEN];
	uint32_t incarnation;
};

/* The bundle of a recovery sheet has this bit in its incarnation, and the number of the sheet below it: it never writes
 * by itself and is not waited for. */
#define INCARNATION_PAPER 0x80000000u

void bundle_put(const struct bundle *b, uint8_t out[static BUNDLE_LEN]);
void bundle_get(const uint8_t in[static BUNDLE_LEN], struct bundle *out);

/* BLAKE2b over a whole bundle: what six words are made of. */
void bundle_fingerprint(const struct bundle *b, uint8_t out[static HASH_LEN]);

struct device_keys {
	struct bundle public;
	uint8_t sign_secret[SIGN_SECRET_LEN];
	uint8_t box_secret[BOX_SECRET_LEN];
};

/* Fresh keys and a fresh tag in guarded memory; device_keys_free() it. NULL when out of memory. */
struct device_keys *device_keys_make(const struct rng *rng);
void device_keys_free(struct device_keys *k);
enum err device_keys_save(struct errctx *ec, struct sync *y, int64_t space, const struct device_keys *k) MUST_CHECK;
enum err device_keys_load(struct errctx *ec, struct sync *y, int64_t space, struct device_keys **out) MUST_CHECK;

/* Are they those of a recovery sheet? Then this home is bringing the space back with it (sync/paper.h). */
enum err device_is_paper(struct errctx *ec, struct sync *y, int64_t space, bool *out) MUST_CHECK;

/* Wipes the box secret in the bytes of a device's keys as they are kept; the rest stays as it is. ERR_DAMAGED where
 * these are no such keys. */
enum err device_keys_drop_box(struct buf *kept) MUST_CHECK;

/* Epoch keys. ERR_NOT_FOUND without text when the key is not held. */
enum err epoch_key_save(struct errctx *ec, struct sync *y, int64_t space, struct epoch_id id,
                        const struct epoch_secret *secret) MUST_CHECK;
enum err epoch_key_load(struct errctx *ec, struct sync *y, int64_t space, struct epoch_id id,
                        struct epoch_secret *out) MUST_CHECK;

/* What a file under this epoch waits for where its key is not held. */
void epoch_key_awaits(struct epoch_id id, struct awaits *out);

/* Takes a key away; for good once store_forget() has run. */
enum err epoch_key_destroy(struct errctx *ec, struct sync *y, int64_t space, struct epoch_id id) MUST_CHECK;

/* A control item that the next batch of this space will carry. */
enum err control_add(struct errctx *ec, struct sync *y, int64_t space, uint32_t type, struct bytes payload) MUST_CHECK;

/* refs/heads/SPACE/EPOCH/DEVICE; `out` takes REF_MAX + 1 bytes. */
void branch_name(struct tag space, struct epoch_id epoch, struct tag device, char *out);

#endif
