// SPDX-License-Identifier: EUPL-1.2
// Sealed files: batches, boxes of epoch keys, join files. Authenticate, then inflate, then (elsewhere) parse.
#include "batch/batch.h"

#include <string.h>

#include "base/codec.h"
#include "batch/zip.h"
#include "crypto/aead.h"
#include "crypto/secret.h"

static const uint8_t magic[4] = { 'S', 'L', 'K', 'B' };

#define STEP 2048u
#define STEPS_UP_TO 16384u
#define BOX_PLAIN (FILE_HEADER_LEN + SPACE_ID_LEN + EPOCH_KEY_LEN + 32 + 32)
#define BOX_LEN (BOX_PLAIN + 4 + BOX_OVERHEAD)
#define BOX_KEY_AT (FILE_HEADER_LEN + SPACE_ID_LEN)
#define BATCH_BARE (FILE_HEADER_LEN + AEAD_OVERHEAD + 4)
#define JOIN_PLAIN_AT (4 + FILE_HEADER_LEN)
#define JOIN_BARE (FILE_HEADER_LEN + 4 + BOX_OVERHEAD + 4 + FILE_HEADER_LEN)

void file_header_put(const struct file_header *h, uint8_t out[static FILE_HEADER_LEN])
{
	memset(out, 0, FILE_HEADER_LEN);
	memcpy(out, magic, sizeof(magic));
	out[4] = FILE_FORMAT;
	out[5] = (uint8_t)h->type;
	memcpy(out + 8, h->space.b, TAG_LEN);
	memcpy(out + 13, h->device.b, TAG_LEN);
	memcpy(out + 18, h->epoch.b, EPOCH_ID_LEN);
	be64_put(out + 50, h->seq);
}

enum err file_header_get(struct bytes file, struct file_header *out)
{
	uint8_t again[FILE_HEADER_LEN];

	if (file.len < FILE_HEADER_LEN || file.len > FILE_MAX)
		return ERR_DAMAGED;
	if (file.data[5] < FILE_BATCH || (file.data[5] > FILE_PAPER && file.data[5] != FILE_VIEW))
		return ERR_DAMAGED;
	out->type = (enum file_type)file.data[5];
	memcpy(out->space.b, file.data + 8, TAG_LEN);
	memcpy(out->device.b, file.data + 13, TAG_LEN);
	memcpy(out->epoch.b, file.data + 18, EPOCH_ID_LEN);
	out->seq = be64_get(file.data + 50);
	file_header_put(out, again);
	return memcmp(again, file.data, FILE_HEADER_LEN) == 0 ? ERR_OK : ERR_DAMAGED;
}

size_t padded_len(size_t len)
{
	unsigned e = 0;
	unsigned s = 0;
	size_t mask = 0;

	if (len <= STEPS_UP_TO)
		return (len + STEP - 1) / STEP * STEP;
	while (len >> (e + 1) != 0)
		e++;
	while (e >> s != 0)
		s++;
	mask = ((size_t)1 << (e - s)) - 1;
	return (len + mask) & ~mask;
}

static void batch_hash(const struct batch_author *a, struct bytes deflated, uint8_t hash[static HASH_LEN])
{
	uint8_t seq[8];
	const struct bytes parts[] = {
		{ a->space.b, SPACE_ID_LEN }, { a->dev.b, DEVICE_ID_LEN }, { seq, sizeof(seq) }, deflated
	};

	be64_put(seq, a->seq);
	hash_parts("slb batch", NULL, parts, 4, hash, HASH_LEN);
}

enum err batch_sign(struct zip *z, const struct batch_author *author, const uint8_t secret[static SIGN_SECRET_LEN],
                    struct bytes body, struct buf *signed_out, uint8_t hash[static HASH_LEN])
{
	size_t at = signed_out->len;
	uint8_t signature[SIGN_LEN] = { 0 };
	enum err e = buf_put(signed_out, signature, SIGN_LEN);

	if (e == ERR_OK)
		e = zip_deflate(z, body, signed_out);
	if (e != ERR_OK) {
		signed_out->len = at;
		return e;
	}
	batch_hash(author, (struct bytes){ signed_out->data + at + SIGN_LEN, signed_out->len - at - SIGN_LEN }, hash);
	sign_make(secret, (struct bytes){ hash, HASH_LEN }, signed_out->data + at);
	return ERR_OK;
}

enum err batch_open(struct zip *z, const struct batch_author *author, const uint8_t public[static SIGN_PUBLIC_LEN],
                    struct bytes signed_part, struct buf *body, uint8_t hash[static HASH_LEN])
{
	struct bytes deflated = { 0 };

	if (signed_part.len < SIGN_LEN)
		return ERR_DAMAGED;
	deflated = (struct bytes){ signed_part.data + SIGN_LEN, signed_part.len - SIGN_LEN };
	batch_hash(author, deflated, hash);
	if (!sign_check(public, (struct bytes){ hash, HASH_LEN }, signed_part.data))
		return ERR_DAMAGED;
	return zip_inflate(z, deflated, BATCH_BODY_MAX, body);
}

enum err batch_peek(struct zip *z, struct bytes signed_part, struct buf *body)
{
	if (signed_part.len < SIGN_LEN)
		return ERR_DAMAGED;
	return zip_inflate(z, (struct bytes){ signed_part.data + SIGN_LEN, signed_part.len - SIGN_LEN }, BATCH_BODY_MAX,
	                   body);
}

static void cipher_key(const uint8_t key[static EPOCH_KEY_LEN], struct epoch_id epoch, uint8_t out[static AEAD_KEY_LEN])
{
	key_derive(key, "slb batch key", (struct bytes){ epoch.b, EPOCH_ID_LEN }, out);
}

/* length 4 | content | zeros, sealed under an epoch; for each type of file with a type tag of its own. */
static enum err content_seal(enum seal_type type, const struct file_header *h, const uint8_t key[static EPOCH_KEY_LEN],
                             struct bytes content, const struct rng *rng, struct buf *file)
{
	size_t bare = BATCH_BARE + content.len;
	size_t plain_len = padded_len(bare) - FILE_HEADER_LEN - AEAD_OVERHEAD;
	uint8_t head[FILE_HEADER_LEN];
	uint8_t k[AEAD_KEY_LEN];
	struct buf plain = { 0 };
	enum err e = ERR_OK;

	if (padded_len(bare) > FILE_MAX)
		return ERR_INPUT;
	e = buf_reserve(&plain, plain_len);
	if (e != ERR_OK)
		return e;
	be32_put(plain.data, (uint32_t)content.len);
	memset(plain.data + 4, 0, plain_len - 4);
	if (content.len > 0)
		memcpy(plain.data + 4, content.data, content.len);
	plain.len = plain_len;
	file_header_put(h, head);
	cipher_key(key, h->epoch, k);
	e = buf_put(file, head, sizeof(head));
	if (e == ERR_OK)
		e = aead_seal(type, k, (struct bytes){ head, sizeof(head) }, buf_bytes(&plain), rng, file);
	secret_wipe(k, sizeof(k));
	buf_free(&plain);
	return e;
}

static bool all_zero(const uint8_t *p, size_t len)
{
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= p[i];
	return any == 0;
}

static enum err content_unseal(enum seal_type type, enum file_type expected, struct bytes file,
                               const uint8_t key[static EPOCH_KEY_LEN], struct buf *out)
{
	struct file_header h;
	uint8_t k[AEAD_KEY_LEN];
	struct buf plain = { 0 };
	uint32_t len = 0;
	enum err e = file_header_get(file, &h);

	if (e != ERR_OK)
		return e;
	if (h.type != expected)
		return ERR_DAMAGED;
	cipher_key(key, h.epoch, k);
	e = aead_unseal(type, k, (struct bytes){ file.data, FILE_HEADER_LEN },
	                (struct bytes){ file.data + FILE_HEADER_LEN, file.len - FILE_HEADER_LEN }, &plain);
	secret_wipe(k, sizeof(k));
	if (e == ERR_OK) {
		len = plain.len < 4 ? 0 : be32_get(plain.data);
		if (plain.len < 4 || len > plain.len - 4 || padded_len(BATCH_BARE + (size_t)len) != file.len ||
		    !all_zero(plain.data + 4 + len, plain.len - 4 - len))
			e = ERR_DAMAGED;
	}
	if (e == ERR_OK)
		e = buf_put(out, plain.data + 4, len);
	buf_free(&plain);
	return e;
}

enum err batch_seal(const struct file_header *h, const uint8_t key[static EPOCH_KEY_LEN], struct bytes signed_part,
                    const struct rng *rng, struct buf *file)
{
	return content_seal(SEAL_BATCH, h, key, signed_part, rng, file);
}

enum err batch_unseal(struct bytes file, const uint8_t key[static EPOCH_KEY_LEN], struct buf *signed_out)
{
	return content_unseal(SEAL_BATCH, FILE_BATCH, file, key, signed_out);
}

enum err carry_seal(const struct file_header *h, const uint8_t key[static EPOCH_KEY_LEN], struct bytes items,
                    const struct rng *rng, struct buf *file)
{
	return content_seal(SEAL_CARRY, h, key, items, rng, file);
}

enum err carry_unseal(struct bytes file, const uint8_t key[static EPOCH_KEY_LEN], struct buf *items)
{
	return content_unseal(SEAL_CARRY, FILE_CARRY, file, key, items);
}

enum err snapshot_seal(const struct file_header *h, const uint8_t key[static EPOCH_KEY_LEN], struct bytes part,
                       const struct rng *rng, struct buf *file)
{
	return content_seal(SEAL_SNAPSHOT, h, key, part, rng, file);
}

enum err snapshot_unseal(struct bytes file, const uint8_t key[static EPOCH_KEY_LEN], struct buf *part)
{
	return content_unseal(SEAL_SNAPSHOT, FILE_SNAPSHOT, file, key, part);
}

enum err view_seal(const struct file_header *h, const uint8_t key[static EPOCH_KEY_LEN], struct bytes content,
                   const struct rng *rng, struct buf *file)
{
	return content_seal(SEAL_VIEW, h, key, content, rng, file);
}

enum err view_unseal(struct bytes file, const uint8_t key[static EPOCH_KEY_LEN], struct buf *content)
{
	return content_unseal(SEAL_VIEW, FILE_VIEW, file, key, content);
}

enum err boxes_seal(const struct file_header *h, struct space_id space, const struct epoch_secret *secret,
                    const struct recipient *to, size_t count, struct buf *file)
{
	uint8_t head[FILE_HEADER_LEN];
	uint8_t plain[BOX_PLAIN];
	uint8_t n[2];
	enum err e = ERR_OK;

	file_header_put(h, head);
	be16_put(n, (uint16_t)count);
	memcpy(plain, head, FILE_HEADER_LEN);
	memcpy(plain + FILE_HEADER_LEN, space.b, SPACE_ID_LEN);
	memcpy(plain + BOX_KEY_AT, secret->key, EPOCH_KEY_LEN);
	memcpy(plain + BOX_KEY_AT + EPOCH_KEY_LEN, secret->recipients, 32);
	memcpy(plain + BOX_KEY_AT + EPOCH_KEY_LEN + 32, secret->parents, 32);
	e = count > UINT16_MAX ? ERR_INPUT : buf_put(file, head, sizeof(head));
	if (e == ERR_OK)
		e = buf_put(file, n, sizeof(n));
	for (size_t i = 0; e == ERR_OK && i < count; i++)
		e = box_seal(BOX_EPOCH_KEY, to[i].box_public, (struct bytes){ plain, sizeof(plain) }, file);
	secret_wipe(plain, sizeof(plain));
	return e;
}

enum err boxes_unseal(struct bytes file, struct space_id space, const uint8_t public[static BOX_PUBLIC_LEN],
                      const uint8_t box_secret[static BOX_SECRET_LEN], struct epoch_secret *out)
{
	struct file_header h;
	struct buf plain = { 0 };
	struct epoch_secret found;
	struct epoch_id id;
	size_t count = 0;
	enum err e = file_header_get(file, &h);

	if (e != ERR_OK)
		return e;
	if (h.type != FILE_BOXES || file.len < FILE_HEADER_LEN + 2)
		return ERR_DAMAGED;
	count = be16_get(file.data + FILE_HEADER_LEN);
	if (file.len != FILE_HEADER_LEN + 2 + count * BOX_LEN)
		return ERR_DAMAGED;
	e = ERR_NOT_FOUND;
	for (size_t i = 0; i < count && e == ERR_NOT_FOUND; i++) {
		struct bytes box = { file.data + FILE_HEADER_LEN + 2 + i * BOX_LEN, BOX_LEN };

		e = box_unseal(BOX_EPOCH_KEY, public, box_secret, box, &plain);
		if (e == ERR_DAMAGED)
			e = ERR_NOT_FOUND; /* for somebody else */
	}
	if (e == ERR_OK && (plain.len != BOX_PLAIN || memcmp(plain.data, file.data, FILE_HEADER_LEN) != 0 ||
	                    memcmp(plain.data + FILE_HEADER_LEN, space.b, SPACE_ID_LEN) != 0))
		e = ERR_DAMAGED;
	if (e == ERR_OK) {
		memcpy(found.key, plain.data + BOX_KEY_AT, EPOCH_KEY_LEN);
		memcpy(found.recipients, plain.data + BOX_KEY_AT + EPOCH_KEY_LEN, 32);
		memcpy(found.parents, plain.data + BOX_KEY_AT + EPOCH_KEY_LEN + 32, 32);
		id = epoch_id_make(found.key, space, found.recipients, found.parents);
		if (memcmp(id.b, h.epoch.b, EPOCH_ID_LEN) != 0)
			e = ERR_DAMAGED;
		else
			*out = found;
		secret_wipe(&found, sizeof(found));
	}
	buf_free(&plain);
	return e;
}

static enum file_type join_file_type(enum box_type type)
{
	if (type == BOX_PAPER)
		return FILE_PAPER;
	return type == BOX_JOIN_REQUEST ? FILE_JOIN_REQUEST : FILE_JOIN_ANSWER;
}

enum err join_seal(const struct file_header *h, enum box_type type, const uint8_t to[static BOX_PUBLIC_LEN],
                   struct bytes plain, struct buf *file)
{
	size_t room = padded_len(JOIN_BARE + plain.len) - FILE_HEADER_LEN - 4 - BOX_OVERHEAD;
	uint8_t head[FILE_HEADER_LEN];
	struct buf padded = { 0 };
	enum err e = ERR_OK;

	if (plain.len > FILE_MAX / 2 || h->type != join_file_type(type))
		return ERR_INPUT;
	e = buf_reserve(&padded, room);
	if (e != ERR_OK)
		return e;
	memset(padded.data, 0, room);
	be32_put(padded.data, (uint32_t)plain.len);
	file_header_put(h, head);
	memcpy(padded.data + 4, head, FILE_HEADER_LEN);
	if (plain.len > 0)
		memcpy(padded.data + JOIN_PLAIN_AT, plain.data, plain.len);
	padded.len = room;
	e = buf_put(file, head, sizeof(head));
	if (e == ERR_OK)
		e = box_seal(type, to, buf_bytes(&padded), file);
	buf_free(&padded);
	return e;
}

enum err join_unseal(struct bytes file, enum box_type type, const uint8_t public[static BOX_PUBLIC_LEN],
                     const uint8_t box_secret[static BOX_SECRET_LEN], struct buf *plain)
{
	struct file_header h;
	struct buf padded = { 0 };
	uint32_t len = 0;
	enum err e = file_header_get(file, &h);

	if (e != ERR_OK)
		return e;
	if (h.type != join_file_type(type))
		return ERR_DAMAGED;
	e = box_unseal(type, public, box_secret,
	               (struct bytes){ file.data + FILE_HEADER_LEN, file.len - FILE_HEADER_LEN }, &padded);
	if (e == ERR_OK) {
		len = padded.len < JOIN_PLAIN_AT ? 0 : be32_get(padded.data);
		if (padded.len < JOIN_PLAIN_AT || len > padded.len - JOIN_PLAIN_AT ||
		    memcmp(padded.data + 4, file.data, FILE_HEADER_LEN) != 0 ||
		    padded_len(JOIN_BARE + (size_t)len) != file.len ||
		    !all_zero(padded.data + JOIN_PLAIN_AT + len, padded.len - JOIN_PLAIN_AT - len))
			e = ERR_DAMAGED;
		else
			e = buf_put(plain, padded.data + JOIN_PLAIN_AT, len);
	}
	buf_free(&padded);
	return e;
}
