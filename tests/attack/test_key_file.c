// SPDX-License-Identifier: EUPL-1.2
// Goal (V4): a key file that somebody wrote anew, with a checksum that fits, cannot make the program work for hours;
// and the words of a sheet open no file of somebody who had only the file: not with a master key of their own, sealed
// to the public key that stands there for all to see. A derivation takes 0.6 s and 256 MiB; this program makes five.
//
// Seen to fail when: the number of passphrase slots is not bounded; the check in a sheet's slot is not looked at; it is
// looked at under a key that stands in the file.
#include "vault/kit.h"

#include "base/codec.h"
#include "crypto/hash.h"
#include "vault/keychange.h"
#include "vault/keycopy.h"
#include "vault/keyslot.h"

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

/* ---- A file of somebody else's for the sheet of this home ---- */

/* The home before anybody came: its key file, master key and sheet. */
struct home {
	char *dir;
	char *path;
	uint8_t *master;
	uint8_t secret[SHEET_SECRET_LEN];
	struct buf file;
};

static void home_make(struct home *h)
{
	struct keychange *kc = NULL;
	struct keyfile_sheet sheet;
	enum keys_now now = KEYS_OLD;

	*h = (struct home){ .dir = kit_dir(), .master = secret_new(MASTER_KEY_LEN) };
	h->path = file_join(h->dir, "keys");
	assert_int_equal(keyfile_create(NULL, h->path, RIGHT, &clock_still, &rng, h->master), ERR_OK);
	assert_int_equal(keychange_by_passphrase(NULL, h->path, RIGHT, &rng, &kc), ERR_OK);
	assert_int_equal(keychange_sheet(kc, NULL, 20000, h->secret, &sheet), ERR_OK);
	assert_int_equal(keychange_commit(kc, NULL, &now), ERR_OK);
	keychange_free(kc);
	h->file = kit_read(h->dir, "keys");
}

static void home_free(struct home *h)
{
	secret_free(h->master);
	buf_free(&h->file);
	free(h->path);
	kit_dir_free(h->dir);
}

/* What a forger has to choose. All of them know the file, number, day and public key of the sheet, and write a whole
 * file with a master key of their own, sealed to that public key. */
enum forgery {
	OWN_AUTHOR,     /* an author key of their own */
	NO_AUTHOR,      /* zeros */
	AUTHOR_IS_KEY,  /* the public key itself */
	GENUINE_AUTHOR, /* the author part of the genuine slot, under the genuine key id */
	OTHER_NUMBER,   /* a number and a day of their own as well */
	FORGERIES,
};

#define AUTHOR_AT 144
#define BODY_LEN 248

static void forge(const struct home *h, enum forgery how, const uint8_t *master)
{
	size_t at = 0;
	struct keyslot s = { 0 };
	struct bytes genuine = { h->file.data, h->file.len / 2 };
	uint8_t author[SHEET_AUTHOR_LEN] = { 0 };
	uint8_t key_id[KEY_ID_LEN];
	struct slot_key key = { key_id, master };
	struct sheet_new sheet = { .author = author };
	struct buf body = { 0 };
	struct buf copy = { 0 };
	struct buf file = { 0 };

	while (s.type != SLOT_SHEET)
		assert_true(keycopy_next(genuine, &at, &s));
	sheet.number = sheet_slot_get(s.body).number + (how == OTHER_NUMBER);
	sheet.day = sheet_slot_get(s.body).day + (how == OTHER_NUMBER);
	sheet.public = sheet_slot_get(s.body).public;
	rng_fill(&rng, key_id, sizeof(key_id));
	if (how == GENUINE_AUTHOR)
		memcpy(key_id, keycopy_id(genuine), KEY_ID_LEN);
	if (how == OWN_AUTHOR || how == OTHER_NUMBER)
		rng_fill(&rng, author, sizeof(author));
	if (how == AUTHOR_IS_KEY)
		memcpy(author, sheet.public, sizeof(author));
	assert_int_equal(sheet_slot_put(key, &sheet, &rng, &body), ERR_OK);
	assert_int_equal(body.len, BODY_LEN);
	if (how == GENUINE_AUTHOR)
		memcpy(body.data + AUTHOR_AT, s.body.data + AUTHOR_AT, BODY_LEN - AUTHOR_AT);
	assert_int_equal(keycopy_begin(&copy, key_id), ERR_OK);
	assert_int_equal(keycopy_slot(&copy, SLOT_SHEET, buf_bytes(&body)), ERR_OK);
	assert_int_equal(keycopy_end(&copy, master, &file), ERR_OK);
	kit_write(h->dir, "keys", file.data, file.len);
	buf_free(&body);
	buf_free(&copy);
	buf_free(&file);
}

static void a_sheet_opens_no_file_of_somebody_else(void **state)
{
	struct home h;
	uint8_t master[MASTER_KEY_LEN];
	char said[500];

	home_make(&h);
	for (enum forgery how = 0; how < FORGERIES; how++) {
		struct keychange *kc = NULL;
		struct errctx ec = { 0 };
		uint32_t replaced = 0;
		enum err e = ERR_OK;

		rng_fill(&rng, master, sizeof(master));
		forge(&h, how, master);
		/* Whole, as anybody can tell. */
		assert_int_equal(keyfile_check(NULL, h.path, master), ERR_OK);
		e = keychange_by_sheet(&ec, h.path, h.secret, &rng, &replaced, &kc);
		if (e != ERR_DAMAGED)
			fail_msg("forgery %d: %d", how, e);
		assert_null(kc);
		assert_int_equal(err_exit_status(e), 7);
		assert_non_null(strstr(err_text(&ec, NULL, said, sizeof(said)), "does not come from your home"));
	}
	/* The genuine one still opens. */
	kit_write(h.dir, "keys", h.file.data, h.file.len);
	{
		struct keychange *kc = NULL;
		uint32_t replaced = 0;

		assert_int_equal(keychange_by_sheet(NULL, h.path, h.secret, &rng, &replaced, &kc), ERR_OK);
		assert_memory_equal(keychange_master(kc), h.master, MASTER_KEY_LEN);
		keychange_free(kc);
	}
	home_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_slots_are_not_tried),
		cmocka_unit_test(a_sheet_opens_no_file_of_somebody_else),
	};

	if (vault_start() != ERR_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
