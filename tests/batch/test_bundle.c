// SPDX-License-Identifier: EUPL-1.2
// Goal: a bundle's bytes are those of docs/FORMAT.md; a bit that changed in one is told, whichever it is; what is read
// is what would be written. Seen to catch: a hash without the number of the part (two parts could change places), zeros
// in the head that are not looked at.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"
#include "batch/batch.h"
#include "batch/bundle.h"

#define VECTOR                                                                                                         \
	"534c4b55010000000000000100000000230a000000000009726566732f68656164732f7275696d74"                             \
	"652f74696a647065726b2f617070617261617461707061726161742d317665727a6567656c6479cf"                             \
	"3f816b56588c78d26ef955fdcb43"

static struct bytes text(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

static struct bundle_part sample(void)
{
	return (struct bundle_part){ text("refs/heads/ruimte/tijdperk/apparaat"), text("apparaat-1"),
		                     text("verzegeld") };
}

static void test_known_bytes(void **state)
{
	struct bundle_part part = sample();
	uint8_t head[BUNDLE_HEAD_LEN];
	struct buf out = { 0 };
	char hex[600];

	(void)state;
	bundle_head_put(1, head);
	assert_int_equal(buf_put(&out, head, sizeof(head)), ERR_OK);
	assert_int_equal(bundle_part_put(0, &part, &out), ERR_OK);
	assert_true(out.len * 2 < sizeof(hex));
	hex_put(out.data, out.len, hex);
	assert_string_equal(hex, VECTOR);
	buf_free(&out);
}

static void test_every_bit_counts(void **state)
{
	struct bundle_part part = sample();
	struct bundle_part read;
	uint8_t head[BUNDLE_HEAD_LEN];
	struct buf out = { 0 };
	uint32_t parts = 0;

	(void)state;
	assert_int_equal(bundle_part_put(3, &part, &out), ERR_OK);
	assert_int_equal(bundle_part_get(3, buf_bytes(&out), &read), ERR_OK);
	assert_int_equal(bytes_cmp(read.file, part.file), 0);
	assert_int_equal(bytes_cmp(read.ref, part.ref), 0);
	assert_int_equal(bytes_cmp(read.name, part.name), 0);
	assert_int_equal(bundle_part_get(4, buf_bytes(&out), &read), ERR_DAMAGED);
	for (size_t i = 0; i < 8 * out.len; i++) {
		out.data[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(bundle_part_get(3, buf_bytes(&out), &read), ERR_DAMAGED);
		out.data[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t n = 0; n < out.len; n++)
		assert_int_equal(bundle_part_get(3, (struct bytes){ out.data, n }, &read), ERR_DAMAGED);
	/* of the head all but the count: that one is missed when the parts end */
	bundle_head_put(7, head);
	for (size_t i = 0; i < 8 * sizeof(head); i++) {
		head[i / 8] ^= (uint8_t)(1u << i % 8);
		if (i / 8 < 8 || i / 8 > 11)
			assert_int_not_equal(bundle_head_get((struct bytes){ head, sizeof(head) }, &parts), ERR_OK);
		head[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	assert_int_equal(bundle_head_get((struct bytes){ head, sizeof(head) }, &parts), ERR_OK);
	assert_int_equal(parts, 7);
	buf_free(&out);
}

static void test_bounds(void **state)
{
	static const char *const bad[] = { "", "A", "a b", "a\n", "../x", "a.b" };
	struct buf out = { 0 };
	uint8_t head[BUNDLE_HEAD_LEN];
	uint8_t huge[BUNDLE_PART_HEAD_LEN] = { 1, 1, 0, 0, 1, 0, 0, 1 }; /* 16 MiB and one byte */
	uint32_t parts = 0;
	size_t len = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bundle_part part = sample();

		part.ref = text(bad[i]);
		assert_int_equal(bundle_part_put(0, &part, &out), ERR_INPUT);
		part = sample();
		part.name = text(bad[i]);
		assert_int_equal(bundle_part_put(0, &part, &out), ERR_INPUT);
	}
	assert_int_equal(out.len, 0);
	assert_int_equal(bundle_part_len(huge, &len), ERR_DAMAGED);
	huge[7] = 0;
	assert_int_equal(bundle_part_len(huge, &len), ERR_OK);
	assert_int_equal(len, FILE_MAX + 2 + BUNDLE_HASH_LEN);
	bundle_head_put(BUNDLE_PARTS_MAX + 1, head);
	assert_int_equal(bundle_head_get((struct bytes){ head, sizeof(head) }, &parts), ERR_DAMAGED);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_bytes),
		cmocka_unit_test(test_every_bit_counts),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
