// SPDX-License-Identifier: EUPL-1.2
// Goal: of the sealed files that a host, a stranger or another member can make out of true ones, none is taken for
// what it is not (S4, K1); padding hides sizes in steps; nothing that arrives can fill the memory.
// 20,000 forgeries of a batch, with SLB_SOAK=5 and more the 100,000 of docs/TESTING.md.
// Mutations of src/batch/ seen to fail here: no associated data, a cipher's key that does not depend on the epoch, the
// type not checked, space, device or sequence number left out of the batch's hash, the signature not checked, the
// padded size not checked, the epoch's id of boxes not compared, the header inside boxes or join files not compared, a
// stream with bytes after its end taken, no bound on what comes out of a stream.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/codec.h"
#include "batch/sample.h"
#include "batch/zip.h"
#include "crypto/aead.h"
#include "crypto/secret.h"
#include "model/random.h"

#define FORGERIES 20000

static struct sample sample;
static struct zip *zip;
static struct buf body, signed_part, file;
static uint8_t hash[HASH_LEN];

/* What a reader does with a file: the keys by the header's epoch, the author by its tags, then all checks. */
static enum err take(struct bytes f, struct buf *out)
{
	struct file_header h;
	struct buf inner = { 0 };
	struct batch_author author = { .space = sample.space };
	const struct sample_device *dev = NULL;
	uint8_t got[HASH_LEN];
	enum err e = file_header_get(f, &h);

	if (e != ERR_OK)
		return e;
	for (int d = 0; d < 2; d++) {
		if (memcmp(h.device.b, sample.dev[d].tag.b, TAG_LEN) == 0)
			dev = &sample.dev[d];
	}
	/* the tags and the epoch are looked up only where they are known: try anyway, as the strictest test */
	if (dev == NULL)
		dev = &sample.dev[0];
	author.dev = dev->id;
	author.seq = h.seq;
	e = batch_unseal(f, sample.secret.key, &inner);
	if (e == ERR_OK)
		e = batch_open(zip, &author, dev->sign_public, buf_bytes(&inner), out, got);
	buf_free(&inner);
	return e;
}

static void seal(const struct file_header *h, const uint8_t *key, struct bytes part, struct buf *out)
{
	buf_reset(out);
	assert_int_equal(batch_seal(h, key, part, &crypto_rng, out), ERR_OK);
}

/* One forgery into `out`; every kind comes up often. */
static void forge(struct random *rnd, uint64_t number, struct buf *out)
{
	struct file_header h = sample.header;
	struct batch_author author = sample.author;
	uint8_t key[EPOCH_KEY_LEN], other_hash[HASH_LEN];
	struct buf part = { 0 };
	size_t at = 0;

	memcpy(key, sample.secret.key, sizeof(key));
	buf_reset(out);
	assert_int_equal(buf_put(out, file.data, file.len), ERR_OK);
	switch (number % 12) {
	case 0: /* one bit anywhere */
		at = random_below(rnd, out->len);
		out->data[at] ^= (uint8_t)(1u << random_below(rnd, 8));
		break;
	case 1: /* one byte of the header, every place in turn */
		at = number / 12 % FILE_HEADER_LEN;
		out->data[at] ^= (uint8_t)(1 + random_below(rnd, 255));
		break;
	case 2: /* cut */
		out->len = random_below(rnd, out->len);
		break;
	case 3: /* longer: a few bytes, or a whole step */
		at = random_chance(rnd, 50) ? 2048 : 1 + random_below(rnd, 2048);
		assert_int_equal(buf_reserve(out, at), ERR_OK);
		memset(out->data + out->len, 0, at);
		out->len += at;
		break;
	case 4: /* a member seals another's batch under another number, device or type */
		if (random_chance(rnd, 30))
			h.device = sample.dev[1].tag;
		else
			h.seq = random_chance(rnd, 50) ? random_below(rnd, 7) : random_next(rnd) | 8;
		seal(&h, key, buf_bytes(&signed_part), out);
		break;
	case 5: /* the same, of another type: the box and join types and the snapshot */
		h.type = (enum file_type)(2 + random_below(rnd, 4));
		seal(&h, key, buf_bytes(&signed_part), out);
		break;
	case 6: /* sealed with another key, or for another epoch */
		if (random_chance(rnd, 50))
			key[random_below(rnd, 32)] ^= 1;
		else
			h.epoch.b[random_below(rnd, 32)] ^= 1;
		seal(&h, key, buf_bytes(&signed_part), out);
		/* the reader looks the key up by the epoch's id, so the id must be the true one to get that far */
		memcpy(out->data + 18, sample.epoch.b, EPOCH_ID_LEN);
		break;
	case 7: /* signed by another device as if it were the first */
		assert_int_equal(
		    batch_sign(zip, &author, sample.dev[1].sign_secret, buf_bytes(&body), &part, other_hash), ERR_OK);
		seal(&h, key, buf_bytes(&part), out);
		break;
	case 8: /* signed by the right key for another space, device or number */
		if (random_chance(rnd, 33))
			author.space.b[random_below(rnd, SPACE_ID_LEN)] ^= 1;
		else if (random_chance(rnd, 50))
			author.dev.b[random_below(rnd, DEVICE_ID_LEN)] ^= 1;
		else
			author.seq ^= UINT64_C(1) << random_below(rnd, 63);
		assert_int_equal(
		    batch_sign(zip, &author, sample.dev[0].sign_secret, buf_bytes(&body), &part, other_hash), ERR_OK);
		seal(&h, key, buf_bytes(&part), out);
		break;
	case 9: /* a member who knows the key changes the signed part */
		assert_int_equal(buf_put(&part, signed_part.data, signed_part.len), ERR_OK);
		at = random_below(rnd, part.len);
		part.data[at] ^= (uint8_t)(1 + random_below(rnd, 255));
		if (random_chance(rnd, 20))
			part.len = random_below(rnd, part.len);
		seal(&h, key, buf_bytes(&part), out);
		break;
	case 10: /* two halves of true files: the nonce of one with the rest of another */
		seal(&h, key, buf_bytes(&signed_part), out);
		at = FILE_HEADER_LEN + 8 + random_below(rnd, 17);
		memcpy(out->data, file.data, at);
		break;
	default: /* noise in the right size */
		for (size_t i = random_chance(rnd, 50) ? FILE_HEADER_LEN : 0; i < out->len; i++)
			out->data[i] = (uint8_t)random_next(rnd);
	}
	buf_free(&part);
}

static void no_forgery_is_taken(void **state)
{
	struct random rnd = { 1 };
	struct buf forged = { 0 }, out = { 0 };

	assert_int_equal(take(buf_bytes(&file), &out), ERR_OK);
	assert_int_equal(bytes_cmp(buf_bytes(&out), buf_bytes(&body)), 0);
	out.len = 0;
	for (uint64_t n = 0; n < FORGERIES * random_soak(); n++) {
		enum err e = ERR_OK;

		forge(&rnd, n, &forged);
		if (bytes_cmp(buf_bytes(&forged), buf_bytes(&file)) == 0)
			continue; /* nothing was changed after all */
		e = take(buf_bytes(&forged), &out);
		if (e != ERR_DAMAGED)
			print_message("# forgery %llu of kind %llu\n", (unsigned long long)n,
			              (unsigned long long)(n % 12));
		assert_int_equal(e, ERR_DAMAGED);
		assert_int_equal(out.len, 0);
	}
	buf_free(&forged);
	buf_free(&out);
}

/* Every bit of the header, none left to chance. */
static void every_bit_of_the_header_counts(void **state)
{
	struct buf out = { 0 };

	for (size_t bit = 0; bit < 8 * FILE_HEADER_LEN; bit++) {
		file.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(take(buf_bytes(&file), &out), ERR_DAMAGED);
		file.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(take(buf_bytes(&file), &out), ERR_OK);
	buf_free(&out);
}

/* Sealed by hand by somebody who has the key: with `extra` more zeros than the size asks for, or a byte that is none.
 */
static void seal_by_hand(size_t extra, uint8_t last, struct buf *out)
{
	uint8_t head[FILE_HEADER_LEN], key[AEAD_KEY_LEN], len[4];
	struct buf plain = { 0 };

	file_header_put(&sample.header, head);
	key_derive(sample.secret.key, "slb batch key", (struct bytes){ sample.epoch.b, EPOCH_ID_LEN }, key);
	be32_put(len, (uint32_t)signed_part.len);
	assert_int_equal(buf_put(&plain, len, sizeof(len)), ERR_OK);
	assert_int_equal(buf_put(&plain, signed_part.data, signed_part.len), ERR_OK);
	while (plain.len < file.len + extra - FILE_HEADER_LEN - AEAD_OVERHEAD)
		assert_int_equal(buf_put_byte(&plain, 0), ERR_OK);
	plain.data[plain.len - 1] = last;
	out->len = 0;
	assert_int_equal(buf_put(out, head, sizeof(head)), ERR_OK);
	assert_int_equal(
	    aead_seal(SEAL_BATCH, key, (struct bytes){ head, sizeof(head) }, buf_bytes(&plain), &crypto_rng, out),
	    ERR_OK);
	buf_free(&plain);
}

static void padding_has_one_spelling(void **state)
{
	static const struct {
		size_t extra;
		uint8_t last;
		enum err want;
	} cases[] = { { 0, 0, ERR_OK }, { 0, 1, ERR_DAMAGED }, { 2048, 0, ERR_DAMAGED }, { 1, 0, ERR_DAMAGED } };
	struct buf f = { 0 }, out = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		seal_by_hand(cases[i].extra, cases[i].last, &f);
		assert_int_equal(take(buf_bytes(&f), &out), cases[i].want);
	}
	buf_free(&f);
	buf_free(&out);
}

/* A batch may be sealed again under another epoch without becoming another batch. */
static void sealing_again_keeps_the_hash(void **state)
{
	struct file_header h = sample.header;
	uint8_t key[EPOCH_KEY_LEN] = { 9 }, again[HASH_LEN] = { 0 };
	struct buf other = { 0 }, part = { 0 }, out = { 0 };

	memset(h.epoch.b, 0x33, EPOCH_ID_LEN);
	seal(&h, key, buf_bytes(&signed_part), &other);
	assert_int_equal(batch_unseal(buf_bytes(&other), sample.secret.key, &part), ERR_DAMAGED);
	assert_int_equal(batch_unseal(buf_bytes(&other), key, &part), ERR_OK);
	assert_int_equal(batch_open(zip, &sample.author, sample.dev[0].sign_public, buf_bytes(&part), &out, again),
	                 ERR_OK);
	assert_memory_equal(again, hash, HASH_LEN);
	assert_int_equal(bytes_cmp(buf_bytes(&out), buf_bytes(&body)), 0);
	buf_free(&other);
	buf_free(&part);
	buf_free(&out);
}

static void sizes_go_in_steps(void **state)
{
	static const struct {
		size_t len;
		size_t padded;
	} cases[] = {
		{ 1, 2048 },      { 2048, 2048 },   { 2049, 4096 },   { 4096, 4096 },     { 10000, 10240 },
		{ 16383, 16384 }, { 16384, 16384 }, { 16385, 17408 }, { 17408, 17408 },   { 17409, 18432 },
		{ 32768, 32768 }, { 32769, 34816 }, { 65536, 65536 }, { 100000, 100352 }, { 1000000, 1015808 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(padded_len(cases[i].len), cases[i].padded);
	for (size_t n = 1; n < 300000; n += 7) {
		size_t p = padded_len(n);

		assert_true(p >= n && padded_len(p) == p);
		/* never more than an eighth above 16 KiB */
		assert_true(n <= 16384 || p - n <= n / 8);
	}
}

static void boxes_commit_to_key_and_header(void **state)
{
	struct file_header h = sample.header;
	struct epoch_secret wrong, out = { 0 };
	struct recipient to = { sample.dev[0].id, { 0 } };
	struct space_id other = sample.space;
	struct buf f = { 0 };
	const struct sample_device *d = &sample.dev[0];

	memcpy(to.box_public, d->box_public, BOX_PUBLIC_LEN);
	h.type = FILE_BOXES;
	assert_int_equal(boxes_seal(&h, sample.space, &sample.secret, &to, 1, &f), ERR_OK);
	assert_int_equal(boxes_unseal(buf_bytes(&f), sample.space, d->box_public, d->box_secret, &out), ERR_OK);
	assert_memory_equal(&out, &sample.secret, sizeof(out));
	assert_int_equal(
	    boxes_unseal(buf_bytes(&f), sample.space, sample.dev[1].box_public, sample.dev[1].box_secret, &out),
	    ERR_NOT_FOUND);
	other.b[0] ^= 1;
	assert_int_equal(boxes_unseal(buf_bytes(&f), other, d->box_public, d->box_secret, &out), ERR_DAMAGED);
	for (size_t i = 0; i < f.len; i++) {
		enum err e = ERR_OK;

		f.data[i] ^= 0x10;
		e = boxes_unseal(buf_bytes(&f), sample.space, d->box_public, d->box_secret, &out);
		assert_true(e == ERR_DAMAGED || (e == ERR_NOT_FOUND && i >= FILE_HEADER_LEN));
		f.data[i] ^= 0x10;
	}
	f.len--;
	assert_int_equal(boxes_unseal(buf_bytes(&f), sample.space, d->box_public, d->box_secret, &out), ERR_DAMAGED);
	/* a key, recipients or parents that do not give the id in the header (K1) */
	for (size_t at = 0; at < sizeof(wrong); at += 8) {
		memcpy(&wrong, &sample.secret, sizeof(wrong));
		((uint8_t *)&wrong)[at] ^= 1;
		buf_reset(&f);
		memset(&out, 0x55, sizeof(out));
		assert_int_equal(boxes_seal(&h, sample.space, &wrong, &to, 1, &f), ERR_OK);
		assert_int_equal(boxes_unseal(buf_bytes(&f), sample.space, d->box_public, d->box_secret, &out),
		                 ERR_DAMAGED);
		assert_int_equal(out.key[0], 0x55); /* nothing came out */
	}
	buf_free(&f);
}

static void join_files_are_whole_or_nothing(void **state)
{
	struct file_header h = { FILE_JOIN_ANSWER, sample.space_tag, sample.dev[1].tag, { { 0 } }, 3 };
	static const uint8_t text[3000] = "een antwoord";
	static const size_t sizes[] = { 0, 1, 1800, 3000 };
	const struct sample_device *d = &sample.dev[1];
	struct buf f = { 0 }, out = { 0 };

	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		struct bytes plain = { text, sizes[k] };

		buf_reset(&f);
		out.len = 0;
		assert_int_equal(join_seal(&h, BOX_JOIN_ANSWER, d->box_public, plain, &f), ERR_OK);
		assert_int_equal(f.len % 2048, 0);
		assert_int_equal(join_unseal(buf_bytes(&f), BOX_JOIN_ANSWER, d->box_public, d->box_secret, &out),
		                 ERR_OK);
		assert_int_equal(out.len, sizes[k]);
		assert_memory_equal(out.data, text, sizes[k]);
		out.len = 0;
		for (size_t i = 0; i < f.len; i += i < 200 ? 1 : 37) {
			f.data[i] ^= 0x04;
			assert_int_equal(
			    join_unseal(buf_bytes(&f), BOX_JOIN_ANSWER, d->box_public, d->box_secret, &out),
			    ERR_DAMAGED);
			f.data[i] ^= 0x04;
		}
		assert_int_equal(out.len, 0);
	}
	assert_int_equal(join_unseal(buf_bytes(&f), BOX_JOIN_REQUEST, d->box_public, d->box_secret, &out), ERR_DAMAGED);
	assert_int_equal(join_seal(&h, BOX_JOIN_REQUEST, d->box_public, (struct bytes){ text, 1 }, &f), ERR_INPUT);
	buf_free(&f);
	buf_free(&out);
}

/* A small stream that would come out at 64 MiB ends at the bound, and so does one that lies about its end. */
static void streams_are_bounded(void **state)
{
	struct buf zeros = { 0 }, small = { 0 }, out = { 0 };

	assert_int_equal(buf_reserve(&zeros, BATCH_BODY_MAX), ERR_OK);
	memset(zeros.data, 0, BATCH_BODY_MAX);
	zeros.len = BATCH_BODY_MAX;
	assert_int_equal(zip_deflate(zip, buf_bytes(&zeros), &small), ERR_OK);
	assert_true(small.len < 64 * 1024);
	assert_int_equal(zip_inflate(zip, buf_bytes(&small), 1000, &out), ERR_DAMAGED);
	assert_true(out.len == 0 && out.cap < (1u << 20));
	assert_int_equal(zip_inflate(zip, buf_bytes(&small), BATCH_BODY_MAX - 1, &out), ERR_DAMAGED);
	assert_int_equal(out.len, 0);
	assert_int_equal(zip_inflate(zip, buf_bytes(&small), BATCH_BODY_MAX, &out), ERR_OK);
	assert_int_equal(out.len, BATCH_BODY_MAX);
	out.len = 0;
	small.len--;
	assert_int_equal(zip_inflate(zip, buf_bytes(&small), BATCH_BODY_MAX, &out), ERR_DAMAGED);
	small.len++;
	assert_int_equal(buf_put_byte(&small, 0), ERR_OK);
	assert_int_equal(zip_inflate(zip, buf_bytes(&small), BATCH_BODY_MAX, &out), ERR_DAMAGED);
	buf_free(&zeros);
	buf_free(&small);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_forgery_is_taken),
		cmocka_unit_test(every_bit_of_the_header_counts),
		cmocka_unit_test(padding_has_one_spelling),
		cmocka_unit_test(sealing_again_keeps_the_hash),
		cmocka_unit_test(sizes_go_in_steps),
		cmocka_unit_test(boxes_commit_to_key_and_header),
		cmocka_unit_test(join_files_are_whole_or_nothing),
		cmocka_unit_test(streams_are_bounded),
	};

	if (crypto_start() != ERR_OK || zip_new(&zip) != ERR_OK)
		return 1;
	sample_init(&sample);
	if (sample_body(&sample, &body) != ERR_OK ||
	    batch_sign(zip, &sample.author, sample.dev[0].sign_secret, buf_bytes(&body), &signed_part, hash) !=
	        ERR_OK ||
	    batch_seal(&sample.header, sample.secret.key, buf_bytes(&signed_part), &crypto_rng, &file) != ERR_OK)
		return 1;
	return cmocka_run_group_tests_name("batch/forged", tests, NULL, NULL);
}
