/* SPDX-License-Identifier: EUPL-1.2 */
/* Fuzz targets behind a seal: somebody who holds the key makes the seal, the signature or the checksum fit, so that the
 * parser behind it is what is tried. The keys are those of tests/batch/sample.h. The first byte of an input chooses the
 * layer. See targets.h. */
#ifndef SLB_TESTS_FUZZ_SEALED_H
#define SLB_TESTS_FUZZ_SEALED_H

#include "base/codec.h"
#include "base/utf8.h"
#include "batch/sample.h"
#include "crypto/aead.h"
#include "crypto/secret.h"
#include "fuzz/must.h"
#include "model/merge3.h"
#include "sync/join.h"

struct sealed_world {
	struct sample sample;
	struct zip *zip;
	struct rng rng;
	uint8_t next;
};

static inline struct sealed_world *sealed_world(void)
{
	static struct sealed_world w;

	if (w.zip == NULL) {
		must(crypto_start() == ERR_OK && zip_new(&w.zip) == ERR_OK);
		sample_init(&w.sample);
		w.rng = (struct rng){ counting_fill, &w.next };
	}
	w.next = 0;
	return &w;
}

/* The plaintext of a seal as a forger fills it: `plain` is sealed as it is. */
static inline void sealed_by_hand(struct sealed_world *w, struct bytes plain, struct buf *file)
{
	uint8_t head[FILE_HEADER_LEN];
	uint8_t key[AEAD_KEY_LEN];

	file_header_put(&w->sample.header, head);
	key_derive(w->sample.secret.key, "slb batch key", (struct bytes){ w->sample.epoch.b, EPOCH_ID_LEN }, key);
	must(buf_put(file, head, sizeof(head)) == ERR_OK);
	must(aead_seal(SEAL_BATCH, key, (struct bytes){ head, sizeof(head) }, plain, &w->rng, file) == ERR_OK);
}

/* Signs a deflated body as its author would, whatever is in it. */
static inline void signed_by_hand(struct sealed_world *w, struct bytes deflated, struct buf *out)
{
	const struct batch_author *a = &w->sample.author;
	uint8_t seq[8];
	uint8_t hash[HASH_LEN];
	uint8_t signature[SIGN_LEN];
	const struct bytes parts[] = {
		{ a->space.b, SPACE_ID_LEN }, { a->dev.b, DEVICE_ID_LEN }, { seq, sizeof(seq) }, deflated
	};

	be64_put(seq, a->seq);
	hash_parts("slb batch", NULL, parts, 4, hash, HASH_LEN);
	sign_make(w->sample.dev[0].sign_secret, (struct bytes){ hash, HASH_LEN }, signature);
	must(buf_put(out, signature, SIGN_LEN) == ERR_OK && buf_put(out, deflated.data, deflated.len) == ERR_OK);
}

/* A whole file the way of a reader: unseal, open, parse; what is taken is written again as the same body. */
static inline void batch_read(struct sealed_world *w, struct bytes file)
{
	const struct sample_device *dev = &w->sample.dev[0];
	struct buf part = { 0 };
	struct buf cbor = { 0 };
	struct buf again = { 0 };
	struct body body;
	uint8_t hash[HASH_LEN];

	if (batch_unseal(file, w->sample.secret.key, &part) != ERR_OK) {
		must(part.len == 0);
		return;
	}
	if (batch_open(w->zip, &w->sample.author, dev->sign_public, buf_bytes(&part), &cbor, hash) != ERR_OK) {
		must(cbor.len == 0);
	} else if (body_parse(buf_bytes(&cbor), dev->id, &body) == ERR_OK) {
		must(body_put(&body, dev->id, &again) == ERR_OK);
		must_equal(&again, buf_bytes(&cbor));
		body_free(&body);
	}
	buf_free(&part);
	buf_free(&cbor);
}

/* 0: a body; 1: a deflated body; 2: what is signed; 3: what is sealed; else a file. */
static inline void fuzz_batch_parse(struct bytes in)
{
	struct sealed_world *w = sealed_world();
	struct buf part = { 0 };
	struct buf file = { 0 };
	struct bytes rest = { in.data + 1, in.len - 1 };
	struct buf deflated = { 0 };
	uint8_t block[5] = { 1 };

	if (in.len == 0)
		return;
	switch (in.data[0]) {
	case 0: /* as one stored block, which costs nothing to make */
		if (rest.len > UINT16_MAX)
			return;
		block[1] = (uint8_t)rest.len;
		block[2] = (uint8_t)(rest.len >> 8);
		block[3] = (uint8_t)~block[1];
		block[4] = (uint8_t)~block[2];
		must(buf_put(&deflated, block, sizeof(block)) == ERR_OK);
		must(buf_put(&deflated, rest.data, rest.len) == ERR_OK);
		signed_by_hand(w, buf_bytes(&deflated), &part);
		break;
	case 1:
		signed_by_hand(w, rest, &part);
		break;
	case 2:
		must(buf_put(&part, rest.data, rest.len) == ERR_OK);
		break;
	case 3:
		sealed_by_hand(w, rest, &file);
		break;
	default:
		must(buf_put(&file, rest.data, rest.len) == ERR_OK);
	}
	if (file.len == 0 && in.data[0] <= 2)
		must(batch_seal(&w->sample.header, w->sample.secret.key, buf_bytes(&part), &w->rng, &file) == ERR_OK);
	batch_read(w, buf_bytes(&file));
	buf_free(&deflated);
	buf_free(&part);
	buf_free(&file);
}

/* A file of boxes. 0: the content of one box that is for the reader; 1: what follows the header, as it is; else a file.
 */
static inline void fuzz_boxes_get(struct bytes in)
{
	struct sealed_world *w = sealed_world();
	const struct sample_device *dev = &w->sample.dev[0];
	struct file_header h = w->sample.header;
	uint8_t head[FILE_HEADER_LEN];
	uint8_t count[2] = { 0, 1 };
	struct epoch_secret out;
	struct buf file = { 0 };
	struct bytes rest = { in.data + 1, in.len - 1 };

	if (in.len == 0)
		return;
	h.type = FILE_BOXES;
	file_header_put(&h, head);
	if (in.data[0] <= 1)
		must(buf_put(&file, head, sizeof(head)) == ERR_OK);
	if (in.data[0] == 0) {
		must(buf_put(&file, count, sizeof(count)) == ERR_OK);
		must(box_seal(BOX_EPOCH_KEY, dev->box_public, rest, &file) == ERR_OK);
	} else {
		must(buf_put(&file, rest.data, rest.len) == ERR_OK);
	}
	if (boxes_unseal(buf_bytes(&file), w->sample.space, dev->box_public, dev->box_secret, &out) == ERR_OK) {
		struct epoch_id id = epoch_id_make(out.key, w->sample.space, out.recipients, out.parents);

		must(file_header_get(buf_bytes(&file), &h) == ERR_OK);
		must(memcmp(id.b, h.epoch.b, EPOCH_ID_LEN) == 0);
	}
	buf_free(&file);
}

/* A letter about joining. 0: what is in its box, padding and all; 1: its plaintext, which must come out; else a file.
 */
static inline void fuzz_letter_get(struct bytes in)
{
	struct sealed_world *w = sealed_world();
	const struct sample_device *dev = &w->sample.dev[1];
	struct file_header h = { .type = FILE_JOIN_ANSWER, .space = w->sample.space_tag, .device = dev->tag, .seq = 3 };
	uint8_t head[FILE_HEADER_LEN];
	struct buf file = { 0 };
	struct buf out = { 0 };
	struct bytes rest = { in.data + 1, in.len - 1 };
	enum err e = ERR_OK;

	if (in.len == 0)
		return;
	file_header_put(&h, head);
	if (in.data[0] == 0) {
		must(buf_put(&file, head, sizeof(head)) == ERR_OK);
		must(box_seal(BOX_JOIN_ANSWER, dev->box_public, rest, &file) == ERR_OK);
	} else if (in.data[0] == 1) {
		must(join_seal(&h, BOX_JOIN_ANSWER, dev->box_public, rest, &file) == ERR_OK);
	} else {
		must(buf_put(&file, rest.data, rest.len) == ERR_OK);
	}
	e = join_unseal(buf_bytes(&file), BOX_JOIN_ANSWER, dev->box_public, dev->box_secret, &out);
	must(e == ERR_OK || out.len == 0);
	if (in.data[0] == 1)
		must(e == ERR_OK && bytes_cmp(buf_bytes(&out), rest) == 0);
	buf_free(&file);
	buf_free(&out);
}

/* What is taken is within bounds, and written it is read as the same again. Around it a mail may say anything. */
static inline void invitation_again(const struct invitation *i, struct buf *again)
{
	struct invitation other;
	struct buf third = { 0 };

	must(i->spaces >= 1 && i->spaces <= INVITE_SPACES && i->expires_ms > 0);
	must(utf8_valid(i->remote, strlen(i->remote)));
	must(invitation_put(i, again) == ERR_OK);
	must(invitation_get(NULL, (const char *)again->data, again->len, &other) == ERR_OK);
	must(invitation_put(&other, &third) == ERR_OK);
	must(bytes_cmp(buf_bytes(again), buf_bytes(&third)) == 0);
	buf_free(&third);
}

static inline void fuzz_invitation_get(struct bytes in)
{
	struct invitation i;
	struct buf again = { 0 };

	if (invitation_get(NULL, (const char *)in.data, in.len, &i) == ERR_OK)
		invitation_again(&i, &again);
	buf_free(&again);
}

/* The bytes inside, with a checksum that fits. */
static inline void fuzz_invitation_inner(struct bytes in)
{
	struct invitation i;
	struct buf b = { 0 };
	struct buf text = { 0 };
	struct buf again = { 0 };
	uint8_t check[HASH_LEN];

	hash_bytes("slb invitation text", in, check);
	must(buf_put(&b, in.data, in.len) == ERR_OK && buf_put(&b, check, 5) == ERR_OK);
	must(buf_put_str(&text, "sleutelbos-") == ERR_OK && buf_reserve(&text, base32_len(b.len) + 1) == ERR_OK);
	base32_put(b.data, b.len, (char *)text.data + text.len);
	text.len += base32_len(b.len);
	if (invitation_get(NULL, (const char *)text.data, text.len, &i) == ERR_OK) {
		invitation_again(&i, &again);
		must(bytes_cmp(buf_bytes(&again), buf_bytes(&text)) == 0);
	}
	buf_free(&again);
	buf_free(&b);
	buf_free(&text);
}

/* The base and up to seven texts, parted by the byte 0xff, which no text holds. */
static inline void fuzz_merge3(struct bytes in)
{
	struct bytes part[8];
	struct bytes turned[8];
	struct buf out = { 0 };
	struct buf other = { 0 };
	size_t n = 0;
	bool clean = false;
	bool clean_turned = false;
	bool utf8 = true;

	part[0] = (struct bytes){ in.data, 0 };
	for (size_t i = 0; i < in.len; i++) {
		if (in.data[i] != 0xff || n == 7)
			part[n].len++;
		else
			part[++n] = (struct bytes){ in.data + i + 1, 0 };
	}
	for (size_t i = 0; i <= n; i++) {
		utf8 = utf8 && utf8_valid(part[i].data, part[i].len);
		turned[i] = part[i == 0 ? 0 : n + 1 - i];
	}
	must(merge3(part[0], part + 1, n, &out, &clean) == ERR_OK);
	if (n > 1) {
		must(merge3(part[0], turned + 1, n, &other, &clean_turned) == ERR_OK);
		must(clean == clean_turned);
	}
	must(clean || (out.len == 0 && other.len == 0));
	must(!clean || !utf8 || utf8_valid(out.data, out.len));
	if (n == 1 && clean)
		must(bytes_cmp(buf_bytes(&out), part[1]) == 0);
	buf_free(&out);
	buf_free(&other);
}

#endif
