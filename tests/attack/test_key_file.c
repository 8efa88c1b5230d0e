// SPDX-License-Identifier: EUPL-1.2
// Goal (V4): a key file that somebody wrote anew, with a checksum that fits, cannot make the program work for hours. A
// derivation takes 0.6 s and 256 MiB; this program makes two.
//
// Seen to fail when: the number of passphrase slots is not bounded.
#include "vault/kit.h"

#include "base/codec.h"
#include "crypto/hash.h"
#include "vault/keyfile.h"

#define HEAD 32    /* magic 8, length 4, slots 4, id 16 */
#define SLOT 112   /* type 4, length 4, body 104 */
#define TRAILER 64 /* keyed check, checksum */
#define SLOTS_MANY 64

static struct seed seed = { 99 };
static struct rng rng = { seed_fill, &seed };

static int64_t still(void *self)
{
	return 0;
}

static const struct clock clock_still = { still, NULL };
static const struct bytes RIGHT = { (const uint8_t *)"right", 5 };
static const struct bytes WRONG = { (const uint8_t *)"wrong", 5 };

/* The file as it was made, with its one slot `count` times. */
static struct buf with_slots(const struct buf *file, uint32_t count)
{
	struct buf copy = { 0 };
	struct buf twice = { 0 };
	uint8_t sum[HASH_LEN];

	assert_int_equal(file->len, 2 * (HEAD + SLOT + TRAILER));
	assert_int_equal(buf_put(&copy, file->data, HEAD), ERR_OK);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(buf_put(&copy, file->data + HEAD, SLOT), ERR_OK);
	assert_int_equal(buf_put(&copy, file->data + HEAD + SLOT, TRAILER), ERR_OK);
	be32_put(copy.data + 8, (uint32_t)copy.len);
	be32_put(copy.data + 12, count);
	hash_bytes("sleutelbos key file checksum 1", (struct bytes){ copy.data, copy.len - HASH_LEN }, sum);
	memcpy(copy.data + copy.len - HASH_LEN, sum, HASH_LEN);
	for (int i = 0; i < 2; i++)
		assert_int_equal(buf_put(&twice, copy.data, copy.len), ERR_OK);
	buf_free(&copy);
	return twice;
}

static void many_slots_are_not_tried(void **state)
{
	uint8_t master[MASTER_KEY_LEN];
	char *dir = kit_dir();
	char *path = file_join(dir, "keys");
	struct buf file = { 0 };
	struct buf many = { 0 };
	struct buf same = { 0 };

	assert_int_equal(keyfile_create(NULL, path, RIGHT, &clock_still, &rng, master), ERR_OK);
	file = kit_read(dir, "keys");
	same = with_slots(&file, 1);
	assert_int_equal(same.len, file.len);
	assert_memory_equal(same.data, file.data, file.len); /* so the forger's checksum is the right one */
	many = with_slots(&file, SLOTS_MANY);
	kit_write(dir, "keys", many.data, many.len);
	assert_int_equal(keyfile_unlock(NULL, path, WRONG, master), ERR_DAMAGED);
	kit_write(dir, "keys", file.data, file.len);
	assert_int_equal(keyfile_unlock(NULL, path, RIGHT, master), ERR_OK);
	buf_free(&file);
	buf_free(&many);
	buf_free(&same);
	free(path);
	kit_dir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_slots_are_not_tried),
	};

	if (vault_start() != ERR_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
