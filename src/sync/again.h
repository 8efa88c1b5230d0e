/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Going on under another id (S7).
 *
 * A home that was restored from a backup, or that finds work of its own device at the host which it did not do (a copy
 * of it wrote there), is not the device it was. In each space it leaves the old id: what nobody else has goes out of
 * the log (batches of its own above the last one that others have, edits that are in none) and is written again under a
 * new id, that the old key signed for. Nothing of it is sealed until the device knows what the old one had published
 * and, where it was restored, until a member let it in. Then what others turn out to have is dropped, references follow
 * what they named, and each edit says what its author had not seen of what came in meanwhile.
 */
#ifndef SLB_SYNC_AGAIN_H
#define SLB_SYNC_AGAIN_H

#include "sync/keys.h"

enum again_stage {
	AGAIN_NONE = 0,
	AGAIN_ASKED = 1, /* a letter asks to be let in again; the id is still the old one */
	AGAIN_LEFT = 2,  /* under the new id, nothing sealed yet */
};

struct again {
	enum again_stage stage;
	bool copy;            /* it holds the keys of the epochs, so that it introduces itself */
	struct device_id old; /* the id that was left, or will be */
	uint64_t had;         /* batches of the old id that stay; what is above them is written again */
	int64_t made_ms;      /* when the backup was made; 0: a copy */
	uint8_t bundle[BUNDLE_LEN];
	uint8_t signature[SIGN_LEN]; /* by the old key: goes_on_hash() */
};

/* AGAIN_NONE where there is nothing of the kind. */
enum err again_load(struct errctx *ec, struct sync *y, int64_t space, struct again *out) MUST_CHECK;
enum err again_save(struct errctx *ec, struct sync *y, int64_t space, const struct again *a) MUST_CHECK;

/* Draws keys and signs for them with the old ones. secret memory: device_keys_free(). */
enum err again_draw(struct errctx *ec, struct sync *y, const struct space_row *space, struct again *a,
                    struct device_keys **out) MUST_CHECK;
/* Leaves the old id: everything of it above batch `common` and what is in no batch is written again under the new one.
 * `space` is brought up to date. Within a transaction. */
enum err again_leave(struct errctx *ec, struct sync *y, struct space_row *space, struct again *a,
                     const struct device_keys *keys, uint64_t common) MUST_CHECK;

/* The same in one for a home that found that its device sent another batch `seq` than it did; 0: where others have
 * both, so that nothing that was sent can be taken back. Within a transaction. */
enum err again_copy(struct errctx *ec, struct sync *y, int64_t space, uint64_t seq) MUST_CHECK;

/* Up to which batch of one's own the authors of batches that are here had seen it: those cannot be taken back. */
enum err again_named(struct errctx *ec, struct sync *y, const struct space_row *space, uint64_t *seq) MUST_CHECK;

/* After a round of a sync, when all that the last one brought was taken in: seals what was written again in each space
 * whose device may, and ends the state of a restored home where that was the last. Within a transaction. */
enum err again_settle(struct errctx *ec, struct sync *y, size_t *settled) MUST_CHECK;

/* Nobody else is in the space: begins an epoch, and everything of it goes out again, sealed with that key, since the
 * keys of all others are gone. Within a transaction. */
enum err again_alone(struct errctx *ec, struct sync *y, struct space_row *space, int64_t made_ms) MUST_CHECK;

/* May nothing be sealed in this space now? Where the device left its id, what was written so far is marked with what
 * it had seen. ERR_LATER with a sentence in a restored home that did not ask or was not answered. */
enum err again_holds(struct errctx *ec, struct sync *y, const struct space_row *space, bool *holds) MUST_CHECK;

#endif
