// SPDX-License-Identifier: EUPL-1.2
// The key file (V4): slots that wrap one master key, a checksum that tells damage from a wrong passphrase before
// anything is derived, and a keyed check over all of it afterwards. Its content stands twice in the file, so that one
// bad sector does not cost everything.
#include "vault/keyfile.h"

#include <string.h>

#include "base/codec.h"
#include "base/file.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

#define MAGIC "SLBKEYS1"
#define MAGIC_LEN 8
#define KEY_ID_LEN 16
#define HEAD_LEN (MAGIC_LEN + 4 + 4 + KEY_ID_LEN)
#define SLOT_HEAD_LEN 8
#define TRAILER_LEN (HASH_LEN + HASH_LEN)
#define FILE_MAX 65536

enum slot_type {
	SLOT_PASSPHRASE = 1,
};

/* Body of a passphrase slot: ops 8, mem 8, salt 16, nonce 24, wrapped key 32, tag 16. */
#define PASS_COST_LEN (8 + 8 + PWHASH_SALT_LEN)
#define PASS_BODY_LEN (PASS_COST_LEN + AEAD_NONCE_LEN + MASTER_KEY_LEN + AEAD_TAG_LEN)
#define CALIBRATE_ROUNDS 3
/* Each costs a derivation before a passphrase is called wrong; a file with more was not written here. */
#define PASS_SLOTS_MAX 4

/* ---- Slots ---- */

static struct bytes slot_ad(const uint8_t *key_id, const uint8_t *body,
                            uint8_t out[static KEY_ID_LEN + 4 + PASS_COST_LEN])
{
	memcpy(out, key_id, KEY_ID_LEN);
	be32_put(out + KEY_ID_LEN, SLOT_PASSPHRASE);
	memcpy(out + KEY_ID_LEN + 4, body, PASS_COST_LEN);
	return (struct bytes){ out, KEY_ID_LEN + 4 + PASS_COST_LEN };
}

static enum err derive_error(struct errctx *ec, enum err e)
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

static enum err pass_slot_put(struct errctx *ec, struct bytes passphrase, const struct clock *clock,
                              const struct rng *rng, const uint8_t *key_id, const uint8_t *master, struct buf *out)
{
	uint8_t slot[SLOT_HEAD_LEN + PASS_BODY_LEN] = { 0 };
	uint8_t ad[KEY_ID_LEN + 4 + PASS_COST_LEN];
	uint8_t *body = slot + SLOT_HEAD_LEN;
	uint8_t *nonce = body + PASS_COST_LEN;
	uint8_t *kek = secret_new(PWHASH_KEY_LEN);
	struct key_cost cost = { 0, 0 };
	enum err e = kek == NULL ? derive_error(ec, ERR_NO_MEMORY) : ERR_OK;

	if (e != ERR_OK)
		return e;
	be32_put(slot, SLOT_PASSPHRASE);
	be32_put(slot + 4, PASS_BODY_LEN);
	rng_fill(rng, body + 16, PWHASH_SALT_LEN);
	rng_fill(rng, nonce, AEAD_NONCE_LEN);
	e = derive_calibrated(ec, passphrase, clock, body + 16, &cost, kek);
	if (e == ERR_OK) {
		be64_put(body, cost.ops);
		be64_put(body + 8, cost.mem);
		memcpy(nonce + AEAD_NONCE_LEN, master, MASTER_KEY_LEN);
		aead_seal_detached(SEAL_KEYSLOT, kek, nonce, slot_ad(key_id, body, ad), nonce + AEAD_NONCE_LEN,
		                   MASTER_KEY_LEN, nonce + AEAD_NONCE_LEN + MASTER_KEY_LEN);
		e = buf_put(out, slot, sizeof(slot));
	}
	secret_free(kek);
	return e;
}

/* ERR_LOCKED: the passphrase is not this slot's. */
static enum err pass_slot_open(struct errctx *ec, const uint8_t *key_id, const uint8_t *body, struct bytes passphrase,
                               uint8_t *master)
{
	uint8_t ad[KEY_ID_LEN + 4 + PASS_COST_LEN];
	const uint8_t *nonce = body + PASS_COST_LEN;
	struct key_cost cost = { be64_get(body), be64_get(body + 8) };
	uint8_t *kek = secret_new(PWHASH_KEY_LEN);
	enum err e = kek == NULL ? ERR_NO_MEMORY : pwhash_derive(passphrase, body + 16, cost, kek);

	if (e != ERR_OK) {
		secret_free(kek);
		return derive_error(ec, e);
	}
	memcpy(master, nonce + AEAD_NONCE_LEN, MASTER_KEY_LEN);
	e = aead_unseal_detached(SEAL_KEYSLOT, kek, nonce, slot_ad(key_id, body, ad), master, MASTER_KEY_LEN,
	                         nonce + AEAD_NONCE_LEN + MASTER_KEY_LEN);
	secret_free(kek);
	return e == ERR_OK ? ERR_OK : ERR_LOCKED;
}

/* ---- The file ---- */

/* One slot of a copy whose checksum holds. */
struct slot {
	uint32_t type;
	struct bytes body;
};

/* Moves *at past the slot; false at the end of the slots. */
static bool slot_next(struct bytes copy, size_t *at, struct slot *out)
{
	size_t end = copy.len - TRAILER_LEN;
	size_t len = 0;

	if (*at + SLOT_HEAD_LEN > end)
		return false;
	len = be32_get(copy.data + *at + 4);
	if (len > end - *at - SLOT_HEAD_LEN)
		return false;
	out->type = be32_get(copy.data + *at);
	out->body = (struct bytes){ copy.data + *at + SLOT_HEAD_LEN, len };
	*at += SLOT_HEAD_LEN + len;
	return true;
}

static bool slots_whole(struct bytes copy)
{
	uint32_t count = be32_get(copy.data + MAGIC_LEN + 4);
	size_t at = HEAD_LEN;
	unsigned passphrases = 0;
	struct slot s;

	for (; count > 0; count--) {
		if (!slot_next(copy, &at, &s))
			return false;
		if (s.type == SLOT_PASSPHRASE && (s.body.len != PASS_BODY_LEN || ++passphrases > PASS_SLOTS_MAX))
			return false;
	}
	return at == copy.len - TRAILER_LEN;
}

static void mac_make(const uint8_t *master, struct bytes covered, uint8_t out[static HASH_LEN])
{
	hash_parts("sleutelbos key file 1", master, &covered, 1, out, HASH_LEN);
}

static void checksum_make(struct bytes covered, uint8_t out[static HASH_LEN])
{
	hash_bytes("sleutelbos key file checksum 1", covered, out);
}

static bool copy_whole(struct bytes copy)
{
	uint8_t sum[HASH_LEN];

	if (copy.len < HEAD_LEN + TRAILER_LEN || memcmp(copy.data, MAGIC, MAGIC_LEN) != 0 ||
	    be32_get(copy.data + MAGIC_LEN) != copy.len)
		return false;
	checksum_make((struct bytes){ copy.data, copy.len - HASH_LEN }, sum);
	return hash_equal(sum, copy.data + copy.len - HASH_LEN, HASH_LEN) && slots_whole(copy);
}

/* The whole one of the two copies; `twice` is false when the other is not the same. */
static bool copy_find(struct bytes file, struct bytes *out, bool *twice)
{
	struct bytes first = { file.data, 0 };
	struct bytes half = { file.data + file.len / 2, file.len - file.len / 2 };

	if (file.len >= HEAD_LEN)
		first.len = be32_get(file.data + MAGIC_LEN);
	if (first.len > file.len)
		first.len = 0;
	*out = copy_whole(first) ? first : half;
	*twice = file.len % 2 == 0 && memcmp(file.data, half.data, half.len) == 0;
	return copy_whole(*out);
}

static enum err copy_read(struct errctx *ec, const char *path, struct buf *file, struct bytes *copy, bool *twice)
{
	enum err e = file_read(ec, path, FILE_MAX, file);

	if (e == ERR_INPUT || (e == ERR_OK && !copy_find(buf_bytes(file), copy, twice)))
		return err_set(ec, ERR_DAMAGED,
		               "The key file %1 is damaged. Put back a copy of it, or use the recovery sheet.", path,
		               NULL, NULL);
	return e;
}

/* Head and slots stand in `content`; adds the trailer and writes it twice. */
static enum err content_write(struct errctx *ec, const char *path, const uint8_t *master, struct buf *content)
{
	uint8_t hash[HASH_LEN];
	struct buf twice = { 0 };
	enum err e = ERR_OK;

	be32_put(content->data + MAGIC_LEN, (uint32_t)(content->len + TRAILER_LEN));
	mac_make(master, buf_bytes(content), hash);
	e = buf_put(content, hash, sizeof(hash));
	if (e == ERR_OK) {
		checksum_make(buf_bytes(content), hash);
		e = buf_put(content, hash, sizeof(hash));
	}
	for (int i = 0; i < 2 && e == ERR_OK; i++)
		e = buf_put(&twice, content->data, content->len);
	e = e == ERR_OK ? file_replace(ec, path, buf_bytes(&twice)) : derive_error(ec, e);
	buf_free(&twice);
	return e;
}

static enum err head_put(struct buf *out, uint32_t slots, const uint8_t key_id[static KEY_ID_LEN])
{
	uint8_t head[HEAD_LEN] = { 0 };

	memcpy(head, MAGIC, MAGIC_LEN);
	be32_put(head + MAGIC_LEN + 4, slots);
	memcpy(head + MAGIC_LEN + 8, key_id, KEY_ID_LEN);
	return buf_put(out, head, sizeof(head));
}

/* Each passphrase slot in turn; then the keyed check over the whole file. */
static enum err copy_unlock(struct errctx *ec, struct bytes copy, struct bytes passphrase, uint8_t *master)
{
	const uint8_t *key_id = copy.data + MAGIC_LEN + 8;
	uint8_t mac[HASH_LEN];
	size_t at = HEAD_LEN;
	struct slot s;
	enum err e = ERR_LOCKED;

	while (e == ERR_LOCKED && slot_next(copy, &at, &s))
		if (s.type == SLOT_PASSPHRASE)
			e = pass_slot_open(ec, key_id, s.body.data, passphrase, master);
	if (e == ERR_LOCKED)
		return err_set(ec, e,
		               "That passphrase does not open this home. Check capitals and the keyboard's language, "
		               "and try again.",
		               NULL, NULL, NULL);
	if (e != ERR_OK)
		return e;
	mac_make(master, (struct bytes){ copy.data, copy.len - TRAILER_LEN }, mac);
	if (hash_equal(mac, copy.data + copy.len - TRAILER_LEN, HASH_LEN))
		return ERR_OK;
	return err_set(ec, ERR_DAMAGED, "The key file was changed by something else. Put back a copy of it.", NULL,
	               NULL, NULL);
}

static enum err passphrase_check(struct errctx *ec, struct bytes passphrase)
{
	if (passphrase.len > 0)
		return ERR_OK;
	return err_set(ec, ERR_INPUT, "The passphrase is empty. Choose one of at least a few words.", NULL, NULL, NULL);
}

/* ---- What the header promises ---- */

enum err keyfile_create(struct errctx *ec, const char *path, struct bytes passphrase, const struct clock *clock,
                        const struct rng *rng, uint8_t master[static MASTER_KEY_LEN])
{
	struct buf content = { 0 };
	uint8_t key_id[KEY_ID_LEN];
	enum err e = passphrase_check(ec, passphrase);

	secret_wipe(master, MASTER_KEY_LEN);
	if (e == ERR_OK && file_exists(path))
		e = err_set(ec, ERR_REFUSED, "There is a key file %1 already. It was left as it is.", path, NULL, NULL);
	if (e != ERR_OK)
		return e;
	rng_fill(rng, key_id, sizeof(key_id));
	rng_fill(rng, master, MASTER_KEY_LEN);
	e = head_put(&content, 1, key_id);
	if (e == ERR_OK)
		e = pass_slot_put(ec, passphrase, clock, rng, key_id, master, &content);
	if (e == ERR_OK)
		e = content_write(ec, path, master, &content);
	if (e != ERR_OK)
		secret_wipe(master, MASTER_KEY_LEN);
	buf_free(&content);
	return e;
}

enum err keyfile_unlock(struct errctx *ec, const char *path, struct bytes passphrase,
                        uint8_t master[static MASTER_KEY_LEN])
{
	struct buf file = { 0 };
	struct buf content = { 0 };
	struct bytes copy = { NULL, 0 };
	bool twice = false;
	enum err e = ERR_OK;

	secret_wipe(master, MASTER_KEY_LEN);
	e = copy_read(ec, path, &file, &copy, &twice);
	if (e == ERR_OK)
		e = copy_unlock(ec, copy, passphrase, master);
	if (e == ERR_OK && !twice && buf_put(&content, copy.data, copy.len - TRAILER_LEN) == ERR_OK) {
		/* Best effort: what was read is good either way. */
		enum err healed = content_write(NULL, path, master, &content);

		(void)healed;
	}
	if (e != ERR_OK)
		secret_wipe(master, MASTER_KEY_LEN);
	buf_free(&content);
	buf_free(&file);
	return e;
}

/* All slots but those of a passphrase, as they are. */
static enum err other_slots_put(struct bytes copy, struct buf *out, uint32_t *count)
{
	size_t at = HEAD_LEN;
	struct slot s;
	enum err e = ERR_OK;

	while (e == ERR_OK && slot_next(copy, &at, &s)) {
		if (s.type == SLOT_PASSPHRASE)
			continue;
		e = buf_put(out, s.body.data - SLOT_HEAD_LEN, SLOT_HEAD_LEN + s.body.len);
		(*count)++;
	}
	return e;
}

enum err keyfile_change_passphrase(struct errctx *ec, const char *path, struct bytes old_passphrase,
                                   struct bytes new_passphrase, const struct clock *clock, const struct rng *rng)
{
	struct buf file = { 0 };
	struct buf content = { 0 };
	struct bytes copy = { NULL, 0 };
	uint8_t *master = secret_new(MASTER_KEY_LEN);
	uint32_t slots = 1;
	bool twice = false;
	enum err e = passphrase_check(ec, new_passphrase);

	if (e == ERR_OK && master == NULL)
		e = derive_error(ec, ERR_NO_MEMORY);
	if (e == ERR_OK)
		e = copy_read(ec, path, &file, &copy, &twice);
	if (e == ERR_OK)
		e = copy_unlock(ec, copy, old_passphrase, master);
	if (e != ERR_OK)
		goto done;
	e = head_put(&content, 0, copy.data + MAGIC_LEN + 8);
	if (e == ERR_OK)
		e = pass_slot_put(ec, new_passphrase, clock, rng, copy.data + MAGIC_LEN + 8, master, &content);
	if (e == ERR_OK)
		e = other_slots_put(copy, &content, &slots);
	if (e == ERR_OK) {
		be32_put(content.data + MAGIC_LEN + 4, slots);
		e = content_write(ec, path, master, &content);
	}
done:
	secret_free(master);
	buf_free(&content);
	buf_free(&file);
	return e;
}

enum err keyfile_check(struct errctx *ec, const char *path, const uint8_t master[static MASTER_KEY_LEN])
{
	struct buf file = { 0 };
	struct bytes copy = { NULL, 0 };
	uint8_t mac[HASH_LEN];
	bool twice = false;
	enum err e = copy_read(ec, path, &file, &copy, &twice);

	if (e == ERR_OK) {
		mac_make(master, (struct bytes){ copy.data, copy.len - TRAILER_LEN }, mac);
		if (!hash_equal(mac, copy.data + copy.len - TRAILER_LEN, HASH_LEN))
			e = err_set(ec, ERR_DAMAGED,
			            "The key file was changed by something else. Put back a copy of it.", NULL, NULL,
			            NULL);
	}
	buf_free(&file);
	return e;
}
