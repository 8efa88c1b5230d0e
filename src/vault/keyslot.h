/* SPDX-License-Identifier: EUPL-1.2 */
/* The slots of a key file: what each holds, and how it gives the master key (docs/FORMAT.md, "Key file"). Only the key
 * file's own files include this. */
#ifndef SLB_VAULT_KEYSLOT_H
#define SLB_VAULT_KEYSLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "crypto/sheet.h"
#include "crypto/sign.h"
#include "vault/keyfile.h"

#define KEY_ID_LEN 16

enum slot_type {
	SLOT_PASSPHRASE = 1,
	SLOT_SHEET = 2,
};

/* Is this body one of its type? Bodies of unknown types are. */
bool slot_body_sound(uint32_t type, struct bytes body);

/* Which master key, in a file of which id. */
struct slot_key {
	const uint8_t *key_id; /* KEY_ID_LEN */
	const uint8_t *master; /* MASTER_KEY_LEN, guarded */
};

/* Appends the body of a passphrase slot; one derivation or, to find out what half a second takes, a few. */
enum err pass_slot_put(struct errctx *ec, struct slot_key key, struct bytes passphrase, const struct clock *clock,
                       const struct rng *rng, struct buf *out) MUST_CHECK;
/* One derivation. ERR_LOCKED without text: the passphrase is not this slot's. ERR_REFUSED for a cost out of bounds. */
enum err pass_slot_open(struct errctx *ec, const uint8_t *key_id, struct bytes body, struct bytes passphrase,
                        uint8_t *master) MUST_CHECK;

/* The sheet that a body belongs to, as it stands there. */
struct sheet_slot {
	uint32_t number;
	uint32_t day;
	const uint8_t *public; /* BOX_PUBLIC_LEN, inside the body */
	struct bytes box;
	struct bytes past; /* earlier sheets */
};
struct sheet_slot sheet_slot_get(struct bytes body);

/* Appends the body for a sheet that follows on `before` (an empty body: none), with the master key sealed to it. */
struct sheet_new {
	uint32_t number;
	uint32_t day;
	const uint8_t *public; /* BOX_PUBLIC_LEN */
	const uint8_t *author; /* SHEET_AUTHOR_LEN, guarded */
	struct bytes before;
};
enum err sheet_slot_put(struct slot_key key, const struct sheet_new *sheet, const struct rng *rng,
                        struct buf *out) MUST_CHECK;

/* The author key of a slot's sheet, by the master key that the slot was written with; `author` is guarded memory of
 * SHEET_AUTHOR_LEN. ERR_DAMAGED without text: that master key did not write this slot. */
enum err sheet_slot_author(struct slot_key key, struct bytes body, uint8_t *author) MUST_CHECK;
/* The same sheet with another master key sealed to it: no words are needed. */
enum err sheet_slot_again(struct slot_key key, struct bytes body, const uint8_t *author, const struct rng *rng,
                          struct buf *out) MUST_CHECK;

/* ERR_LOCKED without text: another sheet; *replaced is its number where it is one of the earlier ones, else 0.
 * ERR_DAMAGED: the right sheet, but what was sealed to it does not open, or was sealed by somebody who had neither the
 * sheet nor a master key of its home. ERR_NO_MEMORY without text. `master` is zeroed on failure. */
enum err sheet_slot_open(struct errctx *ec, const uint8_t *key_id, struct bytes body,
                         const uint8_t secret[static SHEET_SECRET_LEN], uint8_t *master, uint32_t *replaced) MUST_CHECK;

/* The sentence for a derivation that failed. */
enum err derive_error(struct errctx *ec, enum err e);

#endif
