// SPDX-License-Identifier: EUPL-1.2
// Goal: files of format 1 open for ever, and what is written now is what was written then (docs/FORMAT.md).
// The golden files stay as they are. SLB_GOLDEN_NEW=1 writes them where a new format needs its first ones.
// Mutations seen to fail here: another label in a hash or a key, a byte of the header moved.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/codec.h"
#include "base/file.h"
#include "batch/sample.h"
#include "crypto/secret.h"

#define DIR "tests/data/golden/"

static struct sample sample;

static void golden(const char *path, struct bytes now, struct buf *out)
{
	if (getenv("SLB_GOLDEN_NEW") != NULL)
		assert_int_equal(file_replace(NULL, path, now), ERR_OK);
	assert_int_equal(file_read(NULL, path, FILE_MAX, out), ERR_OK);
}

static void assert_hex(const uint8_t *data, size_t len, const char *want)
{
	char hex[2 * 64 + 1];

	assert_true(len <= 64);
	hex_put(data, len, hex);
	assert_string_equal(hex, want);
}

static void names_are_as_they_were(void **state)
{
	assert_hex(sample.space.b, SPACE_ID_LEN, "7cdb10cdcbc7378e858c16e22a037474");
	assert_hex(sample.dev[0].id.b, DEVICE_ID_LEN, "08f7c2a0a31b5ebc");
	assert_hex(sample.dev[1].id.b, DEVICE_ID_LEN, "eb4fd8795202c4d0");
	assert_hex(sample.secret.recipients, 32, "8e896f0d4c6548c5dfe49979a5899a3252b953ea3a4501f6b5fbf4b6d3fef7c5");
	assert_hex(sample.secret.parents, 32, "f2330f4b20840891e9463ff0acf1d0addc89e69064b050e30dc01addea51cbb5");
	assert_hex(sample.epoch.b, EPOCH_ID_LEN, "95881022bc3f7348d3445f1f4fa1b40faaecbff929414d168c747b3ac570e52d");
}

static void a_batch_of_format_1(void **state)
{
	struct zip *z = NULL;
	struct buf body_now = { 0 }, body = { 0 }, file_now = { 0 }, file = { 0 };
	struct buf signed_now = { 0 }, signed_part = { 0 }, opened = { 0 }, again = { 0 };
	uint8_t hash[HASH_LEN], next = 0x80;
	struct rng rng = { counting_fill, &next };

	assert_int_equal(zip_new(&z), ERR_OK);
	assert_int_equal(sample_body(&sample, &body_now), ERR_OK);
	golden(DIR "batch-1.body", buf_bytes(&body_now), &body);
	assert_int_equal(bytes_cmp(buf_bytes(&body), buf_bytes(&body_now)), 0);

	assert_int_equal(batch_sign(z, &sample.author, sample.dev[0].sign_secret, buf_bytes(&body), &signed_now, hash),
	                 ERR_OK);
	assert_int_equal(batch_seal(&sample.header, sample.secret.key, buf_bytes(&signed_now), &rng, &file_now),
	                 ERR_OK);
	golden(DIR "batch-1.bin", buf_bytes(&file_now), &file);
	assert_int_equal(batch_unseal(buf_bytes(&file), sample.secret.key, &signed_part), ERR_OK);
	assert_int_equal(
	    batch_open(z, &sample.author, sample.dev[0].sign_public, buf_bytes(&signed_part), &opened, hash), ERR_OK);
	assert_int_equal(bytes_cmp(buf_bytes(&opened), buf_bytes(&body)), 0);
	assert_hex(hash, HASH_LEN, "e99b9e0643587c359220806f85a5ba6e56f5094ce422c2df532c57581d841af5");
	/* zlib may deflate otherwise one day; what is sealed around it may not differ */
	next = 0x80;
	assert_int_equal(batch_seal(&sample.header, sample.secret.key, buf_bytes(&signed_part), &rng, &again), ERR_OK);
	assert_int_equal(bytes_cmp(buf_bytes(&again), buf_bytes(&file)), 0);
	zip_free(z);
	buf_free(&body_now);
	buf_free(&body);
	buf_free(&file_now);
	buf_free(&file);
	buf_free(&signed_now);
	buf_free(&signed_part);
	buf_free(&opened);
	buf_free(&again);
}

static void boxes_of_format_1(void **state)
{
	struct file_header h = sample.header;
	struct recipient to[2];
	struct buf now = { 0 }, file = { 0 };
	struct epoch_secret found = { 0 };

	h.type = FILE_BOXES;
	h.seq = 0;
	for (int d = 0; d < 2; d++) {
		to[d].dev = sample.dev[d].id;
		memcpy(to[d].box_public, sample.dev[d].box_public, BOX_PUBLIC_LEN);
	}
	assert_int_equal(boxes_seal(&h, sample.space, &sample.secret, to, 2, &now), ERR_OK);
	golden(DIR "boxes-1.bin", buf_bytes(&now), &file);
	assert_int_equal(file.len, now.len);
	for (int d = 0; d < 2; d++) {
		found = (struct epoch_secret){ 0 };
		assert_int_equal(boxes_unseal(buf_bytes(&file), sample.space, sample.dev[d].box_public,
		                              sample.dev[d].box_secret, &found),
		                 ERR_OK);
		assert_memory_equal(&found, &sample.secret, sizeof(found));
	}
	buf_free(&now);
	buf_free(&file);
}

static void a_join_file_of_format_1(void **state)
{
	static const uint8_t words[] = "drie nieuwe sleutels";
	struct file_header h = { FILE_JOIN_REQUEST, sample.space_tag, sample.dev[1].tag, { { 0 } }, 3 };
	struct bytes plain = { words, sizeof(words) };
	struct buf now = { 0 }, file = { 0 }, out = { 0 };

	assert_int_equal(join_seal(&h, BOX_JOIN_REQUEST, sample.dev[0].box_public, plain, &now), ERR_OK);
	golden(DIR "join-1.bin", buf_bytes(&now), &file);
	assert_int_equal(file.len, now.len);
	assert_int_equal(
	    join_unseal(buf_bytes(&file), BOX_JOIN_REQUEST, sample.dev[0].box_public, sample.dev[0].box_secret, &out),
	    ERR_OK);
	assert_int_equal(bytes_cmp(buf_bytes(&out), plain), 0);
	buf_free(&now);
	buf_free(&file);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_as_they_were),
		cmocka_unit_test(a_batch_of_format_1),
		cmocka_unit_test(boxes_of_format_1),
		cmocka_unit_test(a_join_file_of_format_1),
	};

	if (crypto_start() != ERR_OK)
		return 1;
	sample_init(&sample);
	return cmocka_run_group_tests_name("batch/golden", tests, NULL, NULL);
}
