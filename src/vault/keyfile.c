// SPDX-License-Identifier: EUPL-1.2
// The key file (V4): made, opened, and healed where one of its two copies went bad.
#include "vault/keyfile.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/secret.h"
#include "vault/keychange.h"
#include "vault/keycopy.h"
#include "vault/keyslot.h"

enum err keyfile_copy_unlock(struct errctx *ec, struct bytes copy, struct bytes passphrase, uint8_t *master)
{
	size_t at = 0;
	struct keyslot s;
	enum err e = ERR_LOCKED;

	/* Each passphrase slot in turn; then the keyed check over the whole file. */
	while (e == ERR_LOCKED && keycopy_next(copy, &at, &s))
		if (s.type == SLOT_PASSPHRASE)
			e = pass_slot_open(ec, keycopy_id(copy), s.body, passphrase, master);
	if (e == ERR_LOCKED)
		return err_set(ec, e,
		               "That passphrase does not open this home. Check capitals and the keyboard's language, "
		               "and try again.",
		               NULL, NULL, NULL);
	return e == ERR_OK ? keycopy_check(ec, copy, master) : e;
}

static enum err passphrase_check(struct errctx *ec, struct bytes passphrase)
{
	if (passphrase.len > 0)
		return ERR_OK;
	return err_set(ec, ERR_INPUT, "The passphrase is empty. Choose one of at least a few words.", NULL, NULL, NULL);
}

enum err keyfile_create(struct errctx *ec, const char *path, struct bytes passphrase, const struct clock *clock,
                        const struct rng *rng, uint8_t master[static MASTER_KEY_LEN])
{
	uint8_t key_id[KEY_ID_LEN];
	struct slot_key key = { key_id, master };
	struct buf body = { 0 };
	struct buf copy = { 0 };
	struct buf file = { 0 };
	bool there = false;
	enum err e = passphrase_check(ec, passphrase);

	secret_wipe(master, MASTER_KEY_LEN);
	if (e == ERR_OK)
		e = file_look(ec, path, &there);
	if (e == ERR_OK && there)
		e = err_set(ec, ERR_REFUSED, "There is a key file %1 already. It was left as it is.", path, NULL, NULL);
	if (e != ERR_OK)
		return e;
	rng_fill(rng, key_id, sizeof(key_id));
	rng_fill(rng, master, MASTER_KEY_LEN);
	e = pass_slot_put(ec, key, passphrase, clock, rng, &body);
	if (e == ERR_OK && (keycopy_begin(&copy, key_id) != ERR_OK ||
	                    keycopy_slot(&copy, SLOT_PASSPHRASE, buf_bytes(&body)) != ERR_OK ||
	                    keycopy_end(&copy, master, &file) != ERR_OK))
		e = err_errno(ec, ENOMEM, path);
	if (e == ERR_OK)
		e = file_replace(ec, path, buf_bytes(&file));
	if (e != ERR_OK)
		secret_wipe(master, MASTER_KEY_LEN);
	buf_free(&body);
	buf_free(&copy);
	buf_free(&file);
	return e;
}

/* The whole copy twice, best effort: what was read is good either way. Not beside a change, and not where one has come
 * between. */
static void heal(const char *path, const struct buf *was, struct bytes copy)
{
	struct buf now = { 0 };
	struct buf file = { 0 };
	int lock = -1;
	enum err e = keycopy_lock(NULL, path, &lock);

	if (e == ERR_OK)
		e = file_read(NULL, path, was->len, &now);
	if (e == ERR_OK && bytes_cmp(buf_bytes(&now), buf_bytes(was)) != 0)
		e = ERR_LATER;
	for (int i = 0; i < 2 && e == ERR_OK; i++)
		e = buf_put(&file, copy.data, copy.len);
	if (e == ERR_OK)
		e = file_replace(NULL, path, buf_bytes(&file));
	(void)e;
	if (lock >= 0)
		close(lock);
	buf_free(&now);
	buf_free(&file);
}

enum err keyfile_unlock(struct errctx *ec, const char *path, struct bytes passphrase,
                        uint8_t master[static MASTER_KEY_LEN])
{
	struct buf file = { 0 };
	struct bytes copy = { NULL, 0 };
	bool twice = false;
	enum err e = ERR_OK;

	secret_wipe(master, MASTER_KEY_LEN);
	e = keycopy_read(ec, path, &file, &copy, &twice);
	if (e == ERR_OK)
		e = keyfile_copy_unlock(ec, copy, passphrase, master);
	if (e == ERR_OK && !twice)
		heal(path, &file, copy);
	if (e != ERR_OK)
		secret_wipe(master, MASTER_KEY_LEN);
	buf_free(&file);
	return e;
}

enum err keyfile_change_passphrase(struct errctx *ec, const char *path, struct bytes old_passphrase,
                                   struct bytes new_passphrase, const struct clock *clock, const struct rng *rng)
{
	struct keychange *kc = NULL;
	enum keys_now now = KEYS_OLD;
	enum err e = passphrase_check(ec, new_passphrase);

	if (e == ERR_OK)
		e = keychange_by_passphrase(ec, path, old_passphrase, rng, &kc);
	if (e == ERR_OK)
		e = keychange_passphrase(kc, ec, new_passphrase, clock);
	if (e == ERR_OK)
		e = keychange_commit(kc, ec, &now);
	keychange_free(kc);
	if (e == ERR_OK || now != KEYS_UNKNOWN)
		return e;
	err_clear(ec);
	return err_set(ec, ERR_IO,
	               "The disk failed while the key file was replaced. Try the new passphrase first, then the old "
	               "one.",
	               NULL, NULL, NULL);
}

enum err keyfile_sheet(struct errctx *ec, const char *path, struct keyfile_sheet *out)
{
	struct buf file = { 0 };
	struct bytes copy = { NULL, 0 };
	bool twice = false;
	size_t at = 0;
	struct keyslot s;
	enum err e = keycopy_read(ec, path, &file, &copy, &twice);

	*out = (struct keyfile_sheet){ 0, 0 };
	while (e == ERR_OK && keycopy_next(copy, &at, &s)) {
		if (s.type != SLOT_SHEET)
			continue;
		out->number = sheet_slot_get(s.body).number;
		out->day = sheet_slot_get(s.body).day;
	}
	buf_free(&file);
	return e;
}

enum err keyfile_check(struct errctx *ec, const char *path, const uint8_t master[static MASTER_KEY_LEN])
{
	struct buf file = { 0 };
	struct bytes copy = { NULL, 0 };
	bool twice = false;
	enum err e = keycopy_read(ec, path, &file, &copy, &twice);

	if (e == ERR_OK)
		e = keycopy_check(ec, copy, master);
	buf_free(&file);
	return e;
}
