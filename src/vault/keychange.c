// SPDX-License-Identifier: EUPL-1.2
// Changes of the key file (V4, V6): one at a time, atomically, and never called done when it is not.
#include "vault/keychange.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/secret.h"
#include "vault/keycopy.h"
#include "vault/keyslot.h"

struct keychange {
	char *path;
	const struct rng *rng;
	int lock;
	struct buf before; /* the file as it was read */
	struct bytes copy; /* the whole copy in it */
	uint8_t key_id[KEY_ID_LEN];
	uint8_t *master;     /* guarded */
	bool own_passphrase; /* `pass` is the only slot of a passphrase, the old ones are dropped */
	struct buf pass;     /* body */
	struct buf sheet;    /* body of the slot that there will be; empty: none */
	uint32_t sheet_after;
};

static struct slot_key key_of(const struct keychange *kc)
{
	return (struct slot_key){ kc->key_id, kc->master };
}

static enum err no_memory(struct errctx *ec, const struct keychange *kc)
{
	return err_errno(ec, ENOMEM, kc->path);
}

void keychange_free(struct keychange *kc)
{
	if (kc == NULL)
		return;
	if (kc->lock >= 0)
		close(kc->lock);
	secret_free(kc->master);
	buf_free(&kc->before);
	buf_free(&kc->pass);
	buf_free(&kc->sheet);
	free(kc->path);
	free(kc);
}

const uint8_t *keychange_master(const struct keychange *kc)
{
	return kc->master;
}

/* The first slot of a type; an empty body where there is none. */
static struct bytes slot_of(struct bytes copy, uint32_t type)
{
	size_t at = 0;
	struct keyslot s;

	while (keycopy_next(copy, &at, &s))
		if (s.type == type)
			return s.body;
	return (struct bytes){ NULL, 0 };
}

static enum err begin(struct errctx *ec, const char *path, const struct rng *rng, struct keychange **out)
{
	struct keychange *kc = calloc(1, sizeof(*kc));
	struct bytes sheet;
	bool twice = false;
	enum err e = ERR_OK;

	*out = NULL;
	if (kc == NULL)
		return err_errno(ec, ENOMEM, path);
	*out = kc;
	kc->lock = -1;
	kc->rng = rng;
	kc->path = strdup(path);
	kc->master = secret_new(MASTER_KEY_LEN);
	if (kc->path == NULL || kc->master == NULL)
		e = err_errno(ec, ENOMEM, path);
	if (e == ERR_OK)
		e = keycopy_lock(ec, path, &kc->lock);
	if (e == ERR_OK)
		e = keycopy_read(ec, path, &kc->before, &kc->copy, &twice);
	if (e != ERR_OK)
		return e;
	memcpy(kc->key_id, keycopy_id(kc->copy), KEY_ID_LEN);
	sheet = slot_of(kc->copy, SLOT_SHEET);
	return buf_put(&kc->sheet, sheet.data, sheet.len) == ERR_OK ? ERR_OK : no_memory(ec, kc);
}

/* Nothing of a change that could not begin is left. */
static enum err begun(enum err e, struct keychange **out)
{
	if (e != ERR_OK) {
		keychange_free(*out);
		*out = NULL;
	}
	return e;
}

enum err keychange_by_passphrase(struct errctx *ec, const char *path, struct bytes passphrase, const struct rng *rng,
                                 struct keychange **out)
{
	enum err e = begin(ec, path, rng, out);

	if (e == ERR_OK)
		e = keyfile_copy_unlock(ec, (*out)->copy, passphrase, (*out)->master);
	return begun(e, out);
}

enum err keychange_by_sheet(struct errctx *ec, const char *path, const uint8_t secret[static SHEET_SECRET_LEN],
                            const struct rng *rng, uint32_t *replaced, struct keychange **out)
{
	enum err e = begin(ec, path, rng, out);

	*replaced = 0;
	if (e == ERR_OK && (*out)->sheet.len == 0)
		e = ERR_LOCKED;
	if (e == ERR_OK)
		e = sheet_slot_open(ec, (*out)->key_id, buf_bytes(&(*out)->sheet), secret, (*out)->master, replaced);
	if (e == ERR_NO_MEMORY)
		e = err_errno(ec, ENOMEM, path);
	if (e == ERR_OK)
		e = keycopy_check(ec, (*out)->copy, (*out)->master);
	return begun(e, out);
}

enum err keychange_passphrase(struct keychange *kc, struct errctx *ec, struct bytes passphrase,
                              const struct clock *clock)
{
	if (passphrase.len == 0)
		return err_set(ec, ERR_INPUT, "The passphrase is empty. Choose one of at least a few words.", NULL,
		               NULL, NULL);
	buf_reset(&kc->pass);
	kc->own_passphrase = true;
	return pass_slot_put(ec, key_of(kc), passphrase, clock, kc->rng, &kc->pass);
}

void keychange_sheet_after(struct keychange *kc, uint32_t number)
{
	kc->sheet_after = number;
}

/* A slot for this sheet takes the place of an earlier one. */
static enum err sheet_slot_make(struct keychange *kc, struct errctx *ec, struct sheet_new *sheet,
                                const uint8_t secret[static SHEET_SECRET_LEN])
{
	uint8_t public[BOX_PUBLIC_LEN];
	uint8_t *box_secret = secret_new(BOX_SECRET_LEN);
	uint8_t *author = secret_new(SHEET_AUTHOR_LEN);
	struct buf body = { 0 };
	enum err e = box_secret == NULL || author == NULL ? ERR_NO_MEMORY : ERR_OK;

	if (e == ERR_OK) {
		sheet_keypair(secret, public, box_secret);
		sheet_author_key(secret, author);
		sheet->public = public;
		sheet->author = author;
		e = sheet_slot_put(key_of(kc), sheet, kc->rng, &body);
	}
	if (e == ERR_OK) {
		buf_free(&kc->sheet);
		kc->sheet = body;
	} else {
		buf_free(&body);
		e = no_memory(ec, kc);
	}
	secret_free(box_secret);
	secret_free(author);
	return e;
}

enum err keychange_sheet(struct keychange *kc, struct errctx *ec, int64_t day, uint8_t secret[static SHEET_SECRET_LEN],
                         struct keyfile_sheet *out)
{
	struct sheet_new sheet = { .number = 1, .day = day < 0 ? 0 : (uint32_t)day };
	enum err e = ERR_OK;

	rng_fill(kc->rng, secret, SHEET_SECRET_LEN);
	if (kc->sheet.len > 0) {
		sheet.before = buf_bytes(&kc->sheet);
		sheet.number = sheet_slot_get(sheet.before).number + 1;
	}
	if (sheet.number <= kc->sheet_after && kc->sheet_after < UINT32_MAX)
		sheet.number = kc->sheet_after + 1;
	e = sheet_slot_make(kc, ec, &sheet, secret);
	if (e == ERR_OK)
		*out = (struct keyfile_sheet){ sheet.number, sheet.day };
	else
		secret_wipe(secret, SHEET_SECRET_LEN);
	return e;
}

enum err keychange_sheet_again(struct keychange *kc, struct errctx *ec, const struct keyfile_sheet *which,
                               const uint8_t secret[static SHEET_SECRET_LEN])
{
	struct sheet_new sheet = { .number = which->number, .day = which->day < 0 ? 0 : (uint32_t)which->day };

	return sheet_slot_make(kc, ec, &sheet, secret);
}

static bool unknown_slots(struct bytes copy)
{
	size_t at = 0;
	struct keyslot s;

	while (keycopy_next(copy, &at, &s))
		if (s.type != SLOT_PASSPHRASE && s.type != SLOT_SHEET)
			return true;
	return false;
}

/* The sheet's slot was written with the master key that there still is. */
static enum err author_of(struct errctx *ec, const struct keychange *kc, uint8_t *author)
{
	enum err e = author == NULL ? ERR_NO_MEMORY : ERR_OK;

	if (e == ERR_OK && kc->sheet.len > 0)
		e = sheet_slot_author(key_of(kc), buf_bytes(&kc->sheet), author);
	if (e == ERR_NO_MEMORY)
		return no_memory(ec, kc);
	if (e == ERR_DAMAGED)
		return err_set(ec, e, "The key file was changed by something else. Put back a copy of it.", NULL, NULL,
		               NULL);
	return e;
}

enum err keychange_master_key(struct keychange *kc, struct errctx *ec)
{
	uint8_t *author = NULL;
	struct buf body = { 0 };
	enum err e = ERR_OK;

	if (unknown_slots(kc->copy))
		return err_set(ec, ERR_REFUSED,
		               "A newer version of the program made another way to open this home. Change the key with "
		               "that version.",
		               NULL, NULL, NULL);
	author = secret_new(SHEET_AUTHOR_LEN);
	e = author_of(ec, kc, author);
	if (e != ERR_OK)
		goto done;
	rng_fill(kc->rng, kc->key_id, KEY_ID_LEN);
	rng_fill(kc->rng, kc->master, MASTER_KEY_LEN);
	kc->own_passphrase = true;
	buf_reset(&kc->pass);
	if (kc->sheet.len == 0)
		goto done;
	if (sheet_slot_again(key_of(kc), buf_bytes(&kc->sheet), author, kc->rng, &body) != ERR_OK) {
		buf_free(&body);
		e = no_memory(ec, kc);
		goto done;
	}
	buf_free(&kc->sheet);
	kc->sheet = body;
done:
	secret_free(author);
	return e;
}

/* Slots of passphrases first, then the sheet's, then what is not known here. */
static enum err slots_put(const struct keychange *kc, struct buf *out)
{
	size_t at = 0;
	struct keyslot s;
	enum err e = kc->pass.len > 0 ? keycopy_slot(out, SLOT_PASSPHRASE, buf_bytes(&kc->pass)) : ERR_OK;

	while (e == ERR_OK && !kc->own_passphrase && keycopy_next(kc->copy, &at, &s))
		if (s.type == SLOT_PASSPHRASE)
			e = keycopy_slot(out, s.type, s.body);
	if (e == ERR_OK && kc->sheet.len > 0)
		e = keycopy_slot(out, SLOT_SHEET, buf_bytes(&kc->sheet));
	at = 0;
	while (e == ERR_OK && keycopy_next(kc->copy, &at, &s))
		if (s.type != SLOT_PASSPHRASE && s.type != SLOT_SHEET)
			e = keycopy_slot(out, s.type, s.body);
	return e;
}

/* After a failure: which of the two bears the name? What bears it now may not for long, where the directory was not
 * synced; but the old one is the old one, nothing was renamed then. */
static enum keys_now look_again(const struct keychange *kc)
{
	struct buf now = { 0 };
	enum keys_now which = KEYS_UNKNOWN;

	if (file_read(NULL, kc->path, 2 * kc->before.len + 65536, &now) == ERR_OK &&
	    bytes_cmp(buf_bytes(&now), buf_bytes(&kc->before)) == 0)
		which = KEYS_OLD;
	buf_free(&now);
	return which;
}

enum err keychange_commit(struct keychange *kc, struct errctx *ec, enum keys_now *now)
{
	struct buf copy = { 0 };
	struct buf file = { 0 };
	enum err e = keycopy_begin(&copy, kc->key_id);

	*now = KEYS_OLD;
	assert(kc->pass.len > 0 || kc->sheet.len > 0 || !kc->own_passphrase);
	if (e == ERR_OK)
		e = slots_put(kc, &copy);
	if (e == ERR_OK)
		e = keycopy_end(&copy, kc->master, &file);
	if (e != ERR_OK) {
		e = no_memory(ec, kc);
	} else {
		e = file_replace(ec, kc->path, buf_bytes(&file));
		*now = e == ERR_OK ? KEYS_NEW : look_again(kc);
	}
	buf_free(&copy);
	buf_free(&file);
	return e;
}
