// SPDX-License-Identifier: EUPL-1.2
// The slots of a key file (V4). A passphrase is stretched, within bounds that are checked before anything is derived;
// a sheet's 160 random bits need no stretching, so the master key is sealed to its public key. That key stands in the
// file for anybody to seal to, so the slot also proves that who sealed had the sheet or a master key of its home.
#include "vault/keyslot.h"

#include <string.h>

#include "base/codec.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

/* Body of a passphrase slot: ops 8, mem 8, salt 16, nonce 24, wrapped key 32, tag 16. */
#define PASS_COST_LEN (8 + 8 + PWHASH_SALT_LEN)
#define PASS_BODY_LEN (PASS_COST_LEN + AEAD_NONCE_LEN + MASTER_KEY_LEN + AEAD_TAG_LEN)
#define CALIBRATE_ROUNDS 3

/* Body of a sheet's slot: number 4, day 4, public key 32, box, sealed author key, check 32; then up to PAST_MAX times
 * number 4, key's beginning 16. In the box: key id 16, number 4, master key 32. */
#define SHEET_PLAIN_LEN (KEY_ID_LEN + 4 + MASTER_KEY_LEN)
#define SHEET_BOX_LEN (SHEET_PLAIN_LEN + 4 + BOX_OVERHEAD)
#define SHEET_BOX_AT (4 + 4 + BOX_PUBLIC_LEN)
#define SHEET_AUTHOR_AT (SHEET_BOX_AT + SHEET_BOX_LEN)
#define SHEET_CHECK_AT (SHEET_AUTHOR_AT + AEAD_NONCE_LEN + SHEET_AUTHOR_LEN + AEAD_TAG_LEN)
#define SHEET_BODY_LEN (SHEET_CHECK_AT + HASH_LEN)
#define PAST_KEY_LEN 16
#define PAST_LEN (4 + PAST_KEY_LEN)
#define PAST_MAX 16

bool slot_body_sound(uint32_t type, struct bytes body)
{
	if (type == SLOT_PASSPHRASE)
		return body.len == PASS_BODY_LEN;
	if (type == SLOT_SHEET)
		return body.len >= SHEET_BODY_LEN && body.len <= SHEET_BODY_LEN + PAST_MAX * PAST_LEN &&
		       (body.len - SHEET_BODY_LEN) % PAST_LEN == 0;
	return true;
}

/* ---- Passphrase ---- */

static struct bytes slot_ad(const uint8_t *key_id, const uint8_t *body,
                            uint8_t out[static KEY_ID_LEN + 4 + PASS_COST_LEN])
{
	memcpy(out, key_id, KEY_ID_LEN);
	be32_put(out + KEY_ID_LEN, SLOT_PASSPHRASE);
	memcpy(out + KEY_ID_LEN + 4, body, PASS_COST_LEN);
	return (struct bytes){ out, KEY_ID_LEN + 4 + PASS_COST_LEN };
}

enum err derive_error(struct errctx *ec, enum err e)
{
	if (e == ERR_REFUSED)
		return err_set(ec, e,
		               "The key file asks for a key derivation that this program does not do: too cheap to be "
		               "safe, or too costly. It was not written by this program.",
		               NULL, NULL, NULL);
	return err_set(ec, e,
	               "There is not enough memory to open the key file: it takes 256 MiB. Close other programs.", NULL,
	               NULL, NULL);
}

/* Passes until one derivation takes KEYFILE_DERIVE_MS. A clock that stands still or runs back tells nothing: the
 * floor stays. */
static enum err derive_calibrated(struct errctx *ec, struct bytes passphrase, const struct clock *clock,
                                  const uint8_t salt[static PWHASH_SALT_LEN], struct key_cost *cost,
                                  uint8_t kek[static PWHASH_KEY_LEN])
{
	*cost = (struct key_cost){ KEY_COST_FLOOR_OPS, KEY_COST_FLOOR_MEM };
	for (int round = 0;; round++) {
		int64_t start = clock_now(clock);
		enum err e = pwhash_derive(passphrase, salt, *cost, kek);
		int64_t took = clock_now(clock) - start;
		uint64_t ops = 0;

		if (e != ERR_OK)
			return derive_error(ec, e);
		if (took <= 0 || took >= KEYFILE_DERIVE_MS || round == CALIBRATE_ROUNDS)
			return ERR_OK;
		ops = cost->ops * KEYFILE_DERIVE_MS / (uint64_t)took + 1;
		if (ops > KEY_COST_CEILING_OPS)
			ops = KEY_COST_CEILING_OPS;
		if (ops == cost->ops)
			return ERR_OK;
		cost->ops = ops;
	}
}

enum err pass_slot_put(struct errctx *ec, struct slot_key key, struct bytes passphrase, const struct clock *clock,
                       const struct rng *rng, struct buf *out)
{
	uint8_t body[PASS_BODY_LEN] = { 0 };
	uint8_t ad[KEY_ID_LEN + 4 + PASS_COST_LEN];
	uint8_t *nonce = body + PASS_COST_LEN;
	uint8_t *kek = secret_new(PWHASH_KEY_LEN);
	struct key_cost cost = { 0, 0 };
	enum err e = kek == NULL ? derive_error(ec, ERR_NO_MEMORY) : ERR_OK;

	if (e != ERR_OK)
		return e;
	rng_fill(rng, body + 16, PWHASH_SALT_LEN);
	rng_fill(rng, nonce, AEAD_NONCE_LEN);
	e = derive_calibrated(ec, passphrase, clock, body + 16, &cost, kek);
	if (e == ERR_OK) {
		be64_put(body, cost.ops);
		be64_put(body + 8, cost.mem);
		memcpy(nonce + AEAD_NONCE_LEN, key.master, MASTER_KEY_LEN);
		aead_seal_detached(SEAL_KEYSLOT, kek, nonce, slot_ad(key.key_id, body, ad), nonce + AEAD_NONCE_LEN,
		                   MASTER_KEY_LEN, nonce + AEAD_NONCE_LEN + MASTER_KEY_LEN);
		e = buf_put(out, body, sizeof(body));
		if (e != ERR_OK)
			e = derive_error(ec, e);
	}
	secret_free(kek);
	return e;
}

enum err pass_slot_open(struct errctx *ec, const uint8_t *key_id, struct bytes body, struct bytes passphrase,
                        uint8_t *master)
{
	uint8_t ad[KEY_ID_LEN + 4 + PASS_COST_LEN];
	const uint8_t *nonce = body.data + PASS_COST_LEN;
	struct key_cost cost = { be64_get(body.data), be64_get(body.data + 8) };
	uint8_t *kek = secret_new(PWHASH_KEY_LEN);
	enum err e = kek == NULL ? ERR_NO_MEMORY : pwhash_derive(passphrase, body.data + 16, cost, kek);

	if (e != ERR_OK) {
		secret_free(kek);
		return derive_error(ec, e);
	}
	memcpy(master, nonce + AEAD_NONCE_LEN, MASTER_KEY_LEN);
	e = aead_unseal_detached(SEAL_KEYSLOT, kek, nonce, slot_ad(key_id, body.data, ad), master, MASTER_KEY_LEN,
	                         nonce + AEAD_NONCE_LEN + MASTER_KEY_LEN);
	secret_free(kek);
	return e == ERR_OK ? ERR_OK : ERR_LOCKED;
}

/* ---- Sheet ---- */

struct sheet_slot sheet_slot_get(struct bytes body)
{
	return (struct sheet_slot){
		.number = be32_get(body.data),
		.day = be32_get(body.data + 4),
		.public = body.data + 8,
		.box = { body.data + SHEET_BOX_AT, SHEET_BOX_LEN },
		.past = { body.data + SHEET_BODY_LEN, body.len - SHEET_BODY_LEN },
	};
}

/* Over what a sheet must be able to trust once it opened the box. */
static void check_make(struct slot_key key, const uint8_t *body, const uint8_t *author, uint8_t out[static HASH_LEN])
{
	const struct bytes parts[] = {
		{ key.key_id, KEY_ID_LEN },     { body, 4 }, { body + 4, 4 }, { body + 8, BOX_PUBLIC_LEN },
		{ key.master, MASTER_KEY_LEN },
	};

	hash_parts("sleutelbos sheet slot 1", author, parts, sizeof(parts) / sizeof(parts[0]), out, HASH_LEN);
}

static bool check_holds(struct slot_key key, const uint8_t *body, const uint8_t *author)
{
	uint8_t check[HASH_LEN];

	check_make(key, body, author, check);
	return hash_equal(check, body + SHEET_CHECK_AT, HASH_LEN);
}

/* The author key is sealed under a key of its own, so that the master key serves no cipher here. */
static uint8_t *author_kek(struct slot_key key, const uint8_t *body, uint8_t ad[static KEY_ID_LEN + 4 + 4])
{
	uint8_t *kek = secret_new(AEAD_KEY_LEN);

	if (kek == NULL)
		return NULL;
	key_derive(key.master, "sleutelbos sheet author 1", (struct bytes){ NULL, 0 }, kek);
	memcpy(ad, key.key_id, KEY_ID_LEN);
	be32_put(ad + KEY_ID_LEN, SLOT_SHEET);
	memcpy(ad + KEY_ID_LEN + 4, body, 4);
	return kek;
}

static enum err author_seal(struct slot_key key, const uint8_t *author, const struct rng *rng, uint8_t *body)
{
	uint8_t ad[KEY_ID_LEN + 4 + 4];
	uint8_t *nonce = body + SHEET_AUTHOR_AT;
	uint8_t *sealed = nonce + AEAD_NONCE_LEN;
	uint8_t *kek = author_kek(key, body, ad);

	if (kek == NULL)
		return ERR_NO_MEMORY;
	rng_fill(rng, nonce, AEAD_NONCE_LEN);
	memcpy(sealed, author, SHEET_AUTHOR_LEN);
	aead_seal_detached(SEAL_SHEET_AUTHOR, kek, nonce, (struct bytes){ ad, sizeof(ad) }, sealed, SHEET_AUTHOR_LEN,
	                   sealed + SHEET_AUTHOR_LEN);
	secret_free(kek);
	return ERR_OK;
}

enum err sheet_slot_author(struct slot_key key, struct bytes body, uint8_t *author)
{
	uint8_t ad[KEY_ID_LEN + 4 + 4];
	const uint8_t *nonce = body.data + SHEET_AUTHOR_AT;
	const uint8_t *sealed = nonce + AEAD_NONCE_LEN;
	uint8_t *kek = author_kek(key, body.data, ad);
	enum err e = ERR_OK;

	if (kek == NULL)
		return ERR_NO_MEMORY;
	memcpy(author, sealed, SHEET_AUTHOR_LEN);
	e = aead_unseal_detached(SEAL_SHEET_AUTHOR, kek, nonce, (struct bytes){ ad, sizeof(ad) }, author,
	                         SHEET_AUTHOR_LEN, sealed + SHEET_AUTHOR_LEN);
	secret_free(kek);
	if (e == ERR_OK && !check_holds(key, body.data, author)) {
		secret_wipe(author, SHEET_AUTHOR_LEN);
		e = ERR_DAMAGED;
	}
	return e;
}

/* Key id, number and master key, sealed to the sheet. */
static enum err box_make(struct slot_key key, const struct sheet_new *sheet, struct buf *out)
{
	uint8_t *plain = secret_new(SHEET_PLAIN_LEN);
	enum err e = plain == NULL ? ERR_NO_MEMORY : ERR_OK;

	if (e != ERR_OK)
		return e;
	memcpy(plain, key.key_id, KEY_ID_LEN);
	be32_put(plain + KEY_ID_LEN, sheet->number);
	memcpy(plain + KEY_ID_LEN + 4, key.master, MASTER_KEY_LEN);
	e = box_seal(BOX_RECOVERY, sheet->public, (struct bytes){ plain, SHEET_PLAIN_LEN }, out);
	secret_free(plain);
	return e;
}

/* All but the earlier sheets. */
static enum err sheet_put(struct slot_key key, const struct sheet_new *sheet, const struct rng *rng, struct buf *out)
{
	uint8_t body[SHEET_BODY_LEN];
	struct buf box = { 0 };
	enum err e = box_make(key, sheet, &box);

	if (e == ERR_OK) {
		be32_put(body, sheet->number);
		be32_put(body + 4, sheet->day);
		memcpy(body + 8, sheet->public, BOX_PUBLIC_LEN);
		memcpy(body + SHEET_BOX_AT, box.data, SHEET_BOX_LEN);
		e = author_seal(key, sheet->author, rng, body);
	}
	if (e == ERR_OK) {
		check_make(key, body, sheet->author, body + SHEET_CHECK_AT);
		e = buf_put(out, body, sizeof(body));
	}
	buf_free(&box);
	return e;
}

enum err sheet_slot_put(struct slot_key key, const struct sheet_new *sheet, const struct rng *rng, struct buf *out)
{
	struct sheet_slot before;
	uint8_t number[4];
	enum err e = sheet_put(key, sheet, rng, out);

	if (e != ERR_OK || sheet->before.len == 0)
		return e;
	before = sheet_slot_get(sheet->before);
	be32_put(number, before.number);
	if (before.past.len == (size_t)PAST_MAX * PAST_LEN)
		before.past.len -= PAST_LEN;
	e = buf_put(out, number, sizeof(number));
	if (e == ERR_OK)
		e = buf_put(out, before.public, PAST_KEY_LEN);
	return e == ERR_OK ? buf_put(out, before.past.data, before.past.len) : e;
}

enum err sheet_slot_again(struct slot_key key, struct bytes body, const uint8_t *author, const struct rng *rng,
                          struct buf *out)
{
	struct sheet_slot was = sheet_slot_get(body);
	struct sheet_new same = { .number = was.number, .day = was.day, .public = was.public, .author = author };
	enum err e = sheet_put(key, &same, rng, out);

	return e == ERR_OK ? buf_put(out, was.past.data, was.past.len) : e;
}

static uint32_t earlier(struct bytes past, const uint8_t public[static BOX_PUBLIC_LEN])
{
	for (size_t at = 0; at < past.len; at += PAST_LEN)
		if (memcmp(past.data + at + 4, public, PAST_KEY_LEN) == 0)
			return be32_get(past.data + at);
	return 0;
}

/* What is in the box, for whoever sealed it. */
static enum err box_open(struct errctx *ec, struct slot_key key, struct sheet_slot s, const uint8_t *box_secret,
                         uint8_t *master)
{
	struct buf plain = { 0 };
	enum err e = box_unseal(BOX_RECOVERY, s.public, box_secret, s.box, &plain);

	if (e == ERR_OK && (plain.len != SHEET_PLAIN_LEN || memcmp(plain.data, key.key_id, KEY_ID_LEN) != 0 ||
	                    be32_get(plain.data + KEY_ID_LEN) != s.number))
		e = ERR_DAMAGED;
	if (e == ERR_OK)
		memcpy(master, plain.data + KEY_ID_LEN + 4, MASTER_KEY_LEN);
	if (e == ERR_DAMAGED)
		e = err_set(ec, e, "The key file was changed by something else. Put back a copy of it.", NULL, NULL,
		            NULL);
	buf_free(&plain);
	return e;
}

enum err sheet_slot_open(struct errctx *ec, const uint8_t *key_id, struct bytes body,
                         const uint8_t secret[static SHEET_SECRET_LEN], uint8_t *master, uint32_t *replaced)
{
	struct sheet_slot s = sheet_slot_get(body);
	struct slot_key key = { key_id, master };
	uint8_t public[BOX_PUBLIC_LEN];
	uint8_t *box_secret = secret_new(BOX_SECRET_LEN);
	uint8_t *author = secret_new(SHEET_AUTHOR_LEN);
	enum err e = box_secret == NULL || author == NULL ? ERR_NO_MEMORY : ERR_OK;

	*replaced = 0;
	if (e == ERR_OK) {
		sheet_keypair(secret, public, box_secret);
		sheet_author_key(secret, author);
		if (memcmp(public, s.public, sizeof(public)) != 0) {
			*replaced = earlier(s.past, public);
			e = ERR_LOCKED;
		}
	}
	if (e == ERR_OK)
		e = box_open(ec, key, s, box_secret, master);
	if (e == ERR_OK && !check_holds(key, body.data, author))
		e = err_set(ec, ERR_DAMAGED,
		            "The words fit, but this key file does not come from your home. Write nothing here: "
		            "others could read it. Put back your own copy of the home, or restore a backup. Nothing "
		            "was changed.",
		            NULL, NULL, NULL);
	if (e != ERR_OK)
		secret_wipe(master, MASTER_KEY_LEN);
	secret_free(box_secret);
	secret_free(author);
	return e;
}
