/* SPDX-License-Identifier: EUPL-1.2 */
/* Forged files: of a host or a stranger, who hold no key; of a member, who holds the epochs' keys; and batches that a
 * member signs with a changed program. What a forgery is worth is for the oracle to say, not for who made it. */
#ifndef SLB_TESTS_ATTACK_FORGERIES_H
#define SLB_TESTS_ATTACK_FORGERIES_H

#include "attack/arena.h"
#include "base/codec.h"
#include "crypto/aead.h"

static inline uint64_t below(struct arena *a, uint64_t n)
{
	return random_below(&a->rnd, n);
}

static inline void noise(struct arena *a, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)random_next(&a->rnd);
}

static inline void put(struct buf *out, const void *p, size_t n)
{
	assert_int_equal(buf_put(out, p, n), ERR_OK);
}

static inline const struct genuine *some(struct arena *a, bool batch)
{
	const struct genuine *g = NULL;

	do
		g = &a->genuine[below(a, a->n)];
	while (batch && g->space == SPACES);
	return g;
}

static inline const struct genuine *copy_of_some(struct arena *a, bool batch, struct buf *out)
{
	const struct genuine *g = some(a, batch);

	put(out, g->file.data, g->file.len);
	return g;
}

/* ---- Without a key ---- */

static inline void one_bit(struct arena *a, struct buf *out)
{
	copy_of_some(a, false, out);
	out->data[below(a, out->len)] ^= (uint8_t)(1u << below(a, 8));
}

/* One field of the header, to another genuine one or to anything. */
static inline void header_field(struct arena *a, struct buf *out)
{
	static const struct {
		size_t at;
		size_t len;
	} fields[] = { { 0, 4 }, { 4, 1 }, { 5, 1 }, { 6, 2 }, { 8, 5 }, { 13, 5 }, { 18, 32 }, { 50, 8 }, { 58, 6 } };
	size_t f = below(a, sizeof(fields) / sizeof(fields[0]));
	const uint8_t *other = NULL;

	copy_of_some(a, false, out);
	other = some(a, false)->file.data;
	if (random_chance(&a->rnd, 50))
		memcpy(out->data + fields[f].at, other + fields[f].at, fields[f].len);
	else if (fields[f].at == 50 && random_chance(&a->rnd, 70))
		out->data[57] = (uint8_t)(out->data[57] + 1 + below(a, 4));
	else if (random_chance(&a->rnd, 20))
		memset(out->data + fields[f].at, random_chance(&a->rnd, 50) ? 0 : 255, fields[f].len);
	else
		noise(a, out->data + fields[f].at, fields[f].len);
}

/* Every type there is, and some that there are not. */
static inline void other_type(struct arena *a, struct buf *out)
{
	copy_of_some(a, false, out);
	out->data[5] = (uint8_t)below(a, 8);
}

/* The header of one, the rest of another. */
static inline void other_header(struct arena *a, struct buf *out)
{
	copy_of_some(a, false, out);
	memcpy(out->data, some(a, false)->file.data, FILE_HEADER_LEN);
}

static inline void cut_short(struct arena *a, struct buf *out)
{
	static const size_t lengths[] = { 0,   1,   4,    5,    6,    8,    13,   18,   50,   58,   63,   64,   65,
		                          66,  87,  88,   89,   103,  104,  107,  108,  109,  111,  112,  172,  2047,
		                          300, 500, 1000, 2000, 2048, 2049, 4095, 4096, 4097, 8192, 1024, 1500, 292 };
	size_t len = random_chance(&a->rnd, 60) ? lengths[below(a, sizeof(lengths) / sizeof(lengths[0]))] : UINT64_MAX;

	copy_of_some(a, false, out);
	if (len >= out->len)
		len = random_chance(&a->rnd, 50) ? out->len - 1 - below(a, 20) : below(a, out->len);
	out->len = len;
}

static inline void made_longer(struct arena *a, struct buf *out)
{
	uint8_t more[2048] = { 0 };

	copy_of_some(a, false, out);
	switch (below(a, 4)) {
	case 0:
		put(out, more, 1 + below(a, 40));
		break;
	case 1:
		put(out, more, sizeof(more));
		break;
	case 2:
		noise(a, more, sizeof(more));
		put(out, more, 1 + below(a, sizeof(more)));
		break;
	default:
		copy_of_some(a, false, out);
	}
}

/* The nonce, the tag or a stretch of another. */
static inline void spliced(struct arena *a, struct buf *out)
{
	const struct genuine *g = some(a, true);
	size_t at = 0;
	size_t len = 0;

	copy_of_some(a, true, out);
	switch (below(a, 3)) {
	case 0:
		at = 64;
		len = 24;
		break;
	case 1:
		len = 16;
		memcpy(out->data + out->len - 16, g->file.data + g->file.len - 16, 16);
		return;
	default:
		at = below(a, 1000);
		len = 1 + below(a, 1000);
	}
	memcpy(out->data + at, g->file.data + at, len);
}

static inline void of_noise(struct arena *a, struct buf *out)
{
	copy_of_some(a, false, out);
	if (random_chance(&a->rnd, 50))
		noise(a, out->data, out->len);
	else
		noise(a, out->data + FILE_HEADER_LEN, out->len - FILE_HEADER_LEN);
}

/* As it is: under another name, on another branch, once more. */
static inline void replayed(struct arena *a, struct buf *out)
{
	copy_of_some(a, true, out);
}

/* ---- With an epoch's key ---- */

static inline void seal_under(struct arena *a, size_t epoch, struct file_header *h, struct bytes part, struct buf *out)
{
	memcpy(h->epoch.b, a->book.epoch[epoch].id, EPOCH_ID_LEN);
	assert_int_equal(batch_seal(h, a->book.epoch[epoch].key, part, &crypto_rng, out), ERR_OK);
}

/* The signed part of a genuine batch, its header, and the epoch that it is sealed under. */
static inline void opened(struct arena *a, struct file_header *h, struct buf *part, size_t *epoch)
{
	const struct genuine *g = some(a, true);

	assert_int_equal(file_header_get(buf_bytes(&g->file), h), ERR_OK);
	for (*epoch = 0; memcmp(a->book.epoch[*epoch].id, h->epoch.b, EPOCH_ID_LEN) != 0;)
		assert_true(++*epoch < a->book.epochs);
	assert_int_equal(batch_unseal(buf_bytes(&g->file), a->book.epoch[*epoch].key, part), ERR_OK);
}

static inline struct tag some_tag(struct arena *a)
{
	struct tag t;

	memcpy(t.b, a->book.device[below(a, a->book.devices)].tag, TAG_LEN);
	if (random_chance(&a->rnd, 20))
		noise(a, t.b, TAG_LEN);
	return t;
}

/* A genuine batch sealed again with another header: number, device, space, epoch; or with the same. */
static inline void sealed_again(struct arena *a, struct buf *out)
{
	struct file_header h;
	struct buf part = { 0 };
	size_t epoch = 0;

	opened(a, &h, &part, &epoch);
	switch (below(a, 6)) {
	case 0:
		h.seq = random_chance(&a->rnd, 60) ? below(a, 9) : random_next(&a->rnd) >> below(a, 64);
		break;
	case 1:
		h.device = some_tag(a);
		break;
	case 2:
		epoch = below(a, a->book.epochs);
		memcpy(h.space.b, a->book.space[a->book.epoch[epoch].space].tag, TAG_LEN);
		break;
	case 3:
		memcpy(h.space.b, a->book.space[below(a, SPACES)].tag, TAG_LEN);
		break;
	case 4: /* under the forger's own epoch: the same batch to who has its key */
		epoch = a->own_epoch;
		break;
	default:
		h.type = FILE_BATCH;
	}
	seal_under(a, epoch, &h, buf_bytes(&part), out);
	buf_free(&part);
}

/* Signature, deflated body or length of the signed part changed. */
static inline void signed_part_changed(struct arena *a, struct buf *out)
{
	struct file_header h;
	struct buf part = { 0 };
	struct buf other = { 0 };
	size_t epoch = 0;

	opened(a, &h, &part, &epoch);
	switch (below(a, 5)) {
	case 0:
		part.data[below(a, part.len)] ^= (uint8_t)(1u << below(a, 8));
		break;
	case 1:
		part.data[below(a, SIGN_LEN)] ^= (uint8_t)(1u << below(a, 8));
		break;
	case 2:
		part.len = below(a, part.len);
		break;
	case 3:
		noise(a, part.data + SIGN_LEN, 4);
		put(&part, "abcd", 4);
		break;
	default: /* the signature of one over the body of another */
		opened(a, &h, &other, &epoch);
		memcpy(part.data, other.data, SIGN_LEN);
		buf_free(&other);
	}
	seal_under(a, epoch, &h, buf_bytes(&part), out);
	buf_free(&part);
}

/* Signs a deflated body for any space, device and number. */
static inline void sign_as(struct space_id space, const uint8_t *dev, uint64_t seq, const uint8_t *secret,
                           struct bytes deflated, struct buf *part)
{
	uint8_t number[8];
	uint8_t hash[HASH_LEN];
	uint8_t signature[SIGN_LEN];
	const struct bytes parts[] = {
		{ space.b, SPACE_ID_LEN }, { dev, DEVICE_ID_LEN }, { number, sizeof(number) }, deflated
	};

	be64_put(number, seq);
	hash_parts("slb batch", NULL, parts, 4, hash, HASH_LEN);
	sign_make(secret, (struct bytes){ hash, HASH_LEN }, signature);
	put(part, signature, SIGN_LEN);
	put(part, deflated.data, deflated.len);
}

/* Another's batch signed with the forger's key, as that other or as himself, as the next or in its place. */
static inline void signed_again(struct arena *a, struct buf *out)
{
	struct file_header h;
	struct buf part = { 0 };
	struct buf mine = { 0 };
	size_t epoch = 0;
	size_t space = 0;
	size_t dev = 0;

	opened(a, &h, &part, &epoch);
	space = a->book.epoch[epoch].space;
	do
		dev = below(a, a->book.devices);
	while (a->book.device[dev].space != space);
	if (random_chance(&a->rnd, 50))
		h.seq += below(a, 3);
	if (dev != a->device[TWEE][space] || random_chance(&a->rnd, 50))
		memcpy(h.device.b, a->book.device[dev].tag, TAG_LEN);
	else
		h.seq = (book_last(&a->book, dev) == NULL ? 0 : book_last(&a->book, dev)->seq) + 1;
	sign_as(a->row[TWEE][space].id, a->book.device[dev].id, h.seq, a->keys[TWEE][space]->sign_secret,
	        (struct bytes){ part.data + SIGN_LEN, part.len - SIGN_LEN }, &mine);
	seal_under(a, epoch, &h, buf_bytes(&mine), out);
	buf_free(&part);
	buf_free(&mine);
}

/* Length and zeros behind the signed part as they are not made. */
static inline void padded_otherwise(struct arena *a, struct buf *out)
{
	struct file_header h;
	struct buf part = { 0 };
	struct buf plain = { 0 };
	uint8_t head[FILE_HEADER_LEN];
	uint8_t key[AEAD_KEY_LEN];
	uint8_t len[4];
	size_t epoch = 0;

	opened(a, &h, &part, &epoch);
	be32_put(len, (uint32_t)(random_chance(&a->rnd, 50) ? part.len : below(a, 5000)));
	put(&plain, len, 4);
	put(&plain, part.data, part.len);
	while (plain.len < 2048 * (1 + below(a, 4)) - FILE_HEADER_LEN - AEAD_OVERHEAD)
		put(&plain, "", 1);
	if (random_chance(&a->rnd, 50))
		plain.data[plain.len - 1 - below(a, 8)] ^= (uint8_t)(1u << below(a, 8));
	file_header_put(&h, head);
	key_derive(a->book.epoch[epoch].key, "slb batch key", (struct bytes){ h.epoch.b, EPOCH_ID_LEN }, key);
	put(out, head, sizeof(head));
	assert_int_equal(aead_seal(random_chance(&a->rnd, 90) ? SEAL_BATCH : SEAL_PAGE, key,
	                           (struct bytes){ head, sizeof(head) }, buf_bytes(&plain), &crypto_rng, out),
	                 ERR_OK);
	buf_free(&part);
	buf_free(&plain);
}

/* Boxes for an epoch that is known, or for one that they do not fit. */
static inline void boxes_forged(struct arena *a, struct buf *out)
{
	struct file_header h = { FILE_BOXES, a->row[TWEE][PLEIN].tag, some_tag(a), { { 0 } }, below(a, 3) };
	struct recipient to = { a->row[EEN][PLEIN].me, { 0 } };
	struct epoch_secret s;

	memcpy(to.box_public, a->keys[random_chance(&a->rnd, 80) ? EEN : DRIE][PLEIN]->public.box, BOX_PUBLIC_LEN);
	memcpy(h.epoch.b, a->book.epoch[below(a, a->book.epochs)].id, EPOCH_ID_LEN);
	noise(a, (uint8_t *)&s, sizeof(s));
	if (random_chance(&a->rnd, 50))
		h.epoch.b[below(a, EPOCH_ID_LEN)] ^= 1;
	assert_int_equal(boxes_seal(&h, a->row[TWEE][random_chance(&a->rnd, 80) ? PLEIN : WEST].id, &s, &to, 1, out),
	                 ERR_OK);
	if (random_chance(&a->rnd, 30))
		out->data[FILE_HEADER_LEN + below(a, out->len - FILE_HEADER_LEN)] ^= 1;
}

#endif
