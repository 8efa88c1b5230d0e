// SPDX-License-Identifier: EUPL-1.2
// Goal: the bytes of a backup are those of docs/FORMAT.md; whatever is flipped, cut or does not fit is told (V2), by
// pure functions.
// Seen to catch: a list whose associated data leaves the key file out; sizes that are not steps; a trailer without the
// length.
#include "kit.h"

#include "base/codec.h"
#include "vault/backup_file.h"

static uint8_t master[32];
static uint8_t nonce[AEAD_NONCE_LEN];
static struct backup_keys *keys;

static struct bytes head_of(const char *key_file, struct buf *b)
{
	uint8_t head[BACKUP_HEAD_LEN];

	backup_head_put((uint32_t)strlen(key_file), head);
	assert_int_equal(buf_put(b, head, sizeof(head)), ERR_OK);
	assert_int_equal(buf_put_str(b, key_file), ERR_OK);
	return buf_bytes(b);
}

static void expect_hex(const uint8_t *data, size_t len, const char *want)
{
	char text[2 * 128 + 1];

	assert_true(len <= 128);
	hex_put(data, len, text);
	assert_string_equal(text, want);
}

/* The vectors of docs/FORMAT.md. */
static void vectors(void **state)
{
	struct buf b = { 0 };
	struct bytes head = head_of("a key file", &b);
	struct backup_list list = backup_list_of(10, 8192, 3072, 1760000000000);
	struct backup_list back;
	struct backup_sum *sum = malloc(sizeof(*sum));
	uint8_t sealed[BACKUP_LIST_SEALED];
	uint8_t trailer[BACKUP_TRAILER_LEN];

	(void)state;
	assert_int_equal(list.total, 65536);
	expect_hex(head.data, head.len, "534c424241434b310000000a0000000061206b65792066696c65");
	backup_list_seal(keys, head, &list, nonce, sealed);
	expect_hex(sealed + AEAD_NONCE_LEN, BACKUP_LIST_LEN + AEAD_TAG_LEN,
	           "5d49ab9da071d5fd0bb404e55439967d57a9c06e212d1d832790dea0e334f754"
	           "1884e90009b5995a64ae4b8224a76791");
	assert_int_equal(backup_list_unseal(keys, head, sealed, &back), ERR_OK);
	assert_true(back.total == list.total && back.db_len == 8192 && back.mark_len == 3072 &&
	            back.made_ms == 1760000000000);
	backup_sum_start(sum, keys);
	for (unsigned i = 0; i < 100000; i++) {
		uint8_t byte = (uint8_t)(i % 251);

		backup_sum_add(sum, (struct bytes){ &byte, 1 });
	}
	backup_sum_end(sum, trailer);
	expect_hex(trailer, sizeof(trailer), "f6fff600764bc49e70caddca9cce622d4e91c23cd64cc7d2b7ba0ef450718eb2");
	free(sum);
	buf_free(&b);
}

static void sizes(void **state)
{
	static const struct {
		uint64_t used;
		uint64_t size;
	} cases[] = {
		{ 1, 65536 },
		{ 65536, 65536 },
		{ 65537, 131072 },
		{ 500000, 524288 },
		{ 524288, 524288 },
		{ 524289, 589824 },
		{ 1048577, 1179648 },
		{ 100000000, 100663296 },
		{ 134217728, 134217728 },
		{ 134217729, 150994944 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(backup_size(cases[i].used), cases[i].size);
		assert_true(backup_size_possible(cases[i].size));
		assert_false(backup_size_possible(cases[i].size - 1));
		assert_false(backup_size_possible(cases[i].size + 1));
		assert_true(cases[i].size - cases[i].used <= 65536 ||
		            cases[i].size - cases[i].used <= cases[i].used / 8);
	}
	assert_false(backup_size_possible(0));
	assert_false(backup_size_possible(UINT64_MAX));
	/* no size is given that is not one of the steps */
	for (uint64_t used = 1; used < 1ULL << 40; used += used / 7 + 1)
		assert_true(backup_size_possible(backup_size(used)));
}

static void heads(void **state)
{
	uint8_t head[BACKUP_HEAD_LEN];
	uint32_t len = 0;

	(void)state;
	backup_head_put(416, head);
	assert_int_equal(backup_head_get(head, &len), ERR_OK);
	assert_int_equal(len, 416);
	for (size_t bit = 0; bit < 8 * sizeof(head); bit++) {
		enum err e = ERR_OK;

		head[bit / 8] ^= (uint8_t)(1u << bit % 8);
		e = backup_head_get(head, &len);
		/* a wrong length is told by the list, which is bound to all of the head */
		assert_true(e == ERR_DAMAGED || (bit / 8 >= 8 && bit / 8 < 12 && len != 416));
		head[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	backup_head_put(0, head);
	assert_int_equal(backup_head_get(head, &len), ERR_DAMAGED);
	backup_head_put(BACKUP_KEY_FILE_MAX + 1, head);
	assert_int_equal(backup_head_get(head, &len), ERR_DAMAGED);
}

/* Every bit of list and head. */
static void flipped_lists(void **state)
{
	struct buf b = { 0 };
	struct bytes head = head_of("a key file", &b);
	struct backup_list list = backup_list_of(10, 8192, 3072, 1760000000000);
	struct backup_list out;
	uint8_t sealed[BACKUP_LIST_SEALED];

	(void)state;
	backup_list_seal(keys, head, &list, nonce, sealed);
	for (size_t bit = 0; bit < 8 * sizeof(sealed); bit++) {
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(backup_list_unseal(keys, head, sealed, &out), ERR_DAMAGED);
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t bit = 0; bit < 8 * b.len; bit++) {
		b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(backup_list_unseal(keys, head, sealed, &out), ERR_DAMAGED);
		b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(backup_list_unseal(keys, (struct bytes){ head.data, BACKUP_HEAD_LEN }, sealed, &out),
	                 ERR_DAMAGED);
	buf_free(&b);
}

/* Sealed by whoever has the key, and yet of no backup: nothing is allocated or written by such numbers. */
static void lists_that_do_not_fit(void **state)
{
	const struct backup_list good = backup_list_of(10, 8192, 3072, 0);
	const struct backup_list bad[] = {
		{ good.total - 65536, 8192, 3072, 0 },
		{ good.total + 65536, 8192, 3072, 0 },
		{ good.total, 8191, 3072, 0 },
		{ good.total, 0, 3072, 0 },
		{ good.total, 8192, 0, 0 },
		{ good.total, 1ULL << 62, 3072, 0 },
		{ good.total, UINT64_MAX & ~4095ULL, 3072, 0 },
		backup_list_of(10, 8192, BACKUP_MARK_MAX + 1, 0),
		backup_list_of(70000, 8192, 3072, 0),
	};
	struct buf b = { 0 };
	struct bytes head = head_of("a key file", &b);
	uint8_t sealed[BACKUP_LIST_SEALED];
	struct backup_list out;

	(void)state;
	backup_list_seal(keys, head, &good, nonce, sealed);
	assert_int_equal(backup_list_unseal(keys, head, sealed, &out), ERR_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		backup_list_seal(keys, head, &bad[i], nonce, sealed);
		assert_int_equal(backup_list_unseal(keys, head, sealed, &out), ERR_DAMAGED);
	}
	buf_free(&b);
}

static void sum_of(const uint8_t *data, size_t len, struct seed *seed, uint8_t out[static BACKUP_TRAILER_LEN])
{
	struct backup_sum *sum = malloc(sizeof(*sum));

	backup_sum_start(sum, keys);
	while (len > 0) {
		size_t n = seed == NULL ? len : 1 + seed_below(seed, 40000);

		n = n < len ? n : len;
		backup_sum_add(sum, (struct bytes){ data, n });
		data += n;
		len -= n;
	}
	backup_sum_end(sum, out);
	free(sum);
}

static void sums(void **state)
{
	size_t len = 3 * BACKUP_BLOCK;
	uint8_t *data = malloc(len);
	struct seed seed = { 4711 };
	uint8_t whole[BACKUP_TRAILER_LEN];
	uint8_t other[BACKUP_TRAILER_LEN];

	(void)state;
	seed_fill(&seed, data, len);
	sum_of(data, len, NULL, whole);
	for (int i = 0; i < 5; i++) { /* in whatever pieces it came */
		sum_of(data, len, &seed, other);
		assert_memory_equal(whole, other, sizeof(whole));
	}
	for (int i = 0; i < 200; i++) {
		size_t bit = seed_below(&seed, (unsigned)(8 * len));

		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		sum_of(data, len, NULL, other);
		assert_memory_not_equal(whole, other, sizeof(whole));
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t cut = 0; cut < len; cut = cut < 4 ? cut + 1 : cut * 2) {
		sum_of(data, len - 1 - cut, NULL, other);
		assert_memory_not_equal(whole, other, sizeof(whole));
	}
	sum_of(data, len - BACKUP_BLOCK, NULL, other);
	assert_memory_not_equal(whole, other, sizeof(whole));
	/* two blocks that change places */
	for (size_t i = 0; i < BACKUP_BLOCK; i++) {
		uint8_t x = data[i];

		data[i] = data[BACKUP_BLOCK + i];
		data[BACKUP_BLOCK + i] = x;
	}
	sum_of(data, len, NULL, other);
	assert_memory_not_equal(whole, other, sizeof(whole));
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(sizes),
		cmocka_unit_test(heads),
		cmocka_unit_test(flipped_lists),
		cmocka_unit_test(lists_that_do_not_fit),
		cmocka_unit_test(sums),
	};
	int failed = 0;

	assert_int_equal(crypto_start(), ERR_OK);
	for (int i = 0; i < 32; i++)
		master[i] = (uint8_t)i;
	for (int i = 0; i < AEAD_NONCE_LEN; i++)
		nonce[i] = (uint8_t)(0x40 + i);
	keys = backup_keys_new(master);
	assert_non_null(keys);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	backup_keys_free(keys);
	return failed;
}
