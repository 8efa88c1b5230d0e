/* SPDX-License-Identifier: EUPL-1.2 */
/* Backups of homes that tests open by their master key: a key file without a slot, and a way to restore by key. */
#ifndef SLB_TESTS_APP_BACKUP_KIT_H
#define SLB_TESTS_APP_BACKUP_KIT_H

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/restore.h"
#include "base/codec.h"
#include "base/file.h"
#include "crypto/hash.h"

/* HOME/keys as docs/FORMAT.md has it, with no slot in it: whole, of this master key, and no passphrase opens it. */
static inline enum err kit_key_file(const char *home, const uint8_t master[static 32])
{
	uint8_t half[32 + 2 * HASH_LEN] = "SLBKEYS1";
	struct bytes before = { half, 32 };
	struct buf file = { 0 };
	char *path = file_join(home, "keys");
	enum err e = path == NULL ? ERR_NO_MEMORY : ERR_OK;

	be32_put(half + 8, sizeof(half));
	memset(half + 16, 0x5A, 16);
	hash_parts("sleutelbos key file 1", master, &before, 1, half + 32, HASH_LEN);
	hash_bytes("sleutelbos key file checksum 1", (struct bytes){ half, 32 + HASH_LEN }, half + 32 + HASH_LEN);
	for (int i = 0; i < 2 && e == ERR_OK; i++)
		e = buf_put(&file, half, sizeof(half));
	if (e == ERR_OK)
		e = file_replace(NULL, path, buf_bytes(&file));
	buf_free(&file);
	free(path);
	return e;
}

/* As the command does it: a new file, which is gone after an error. */
static inline enum err kit_backup(struct errctx *ec, struct app *app, const char *path, struct backup_view *out)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	enum err e = fd < 0 ? ERR_IO : app_backup(ec, app, fd, path, out);

	if (fd >= 0)
		close(fd);
	if (e != ERR_OK && fd >= 0)
		unlink(path);
	return e;
}

static inline enum err kit_unlock(void *ctx, struct errctx *ec, const char *key_file, uint8_t *master)
{
	(void)ec;
	memcpy(master, ctx, 32);
	return file_exists(key_file) ? ERR_OK : ERR_NOT_FOUND;
}

static inline enum err kit_restore(struct errctx *ec, const struct app_options *o, const char *path,
                                   const uint8_t master[static 32], struct restored_view *out)
{
	struct restoring *r = NULL;
	uint8_t key[32];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum err e = fd < 0 ? ERR_NOT_FOUND : app_restore_begin(ec, o, fd, path, &r);

	memcpy(key, master, sizeof(key));
	if (e == ERR_OK)
		e = app_restore_finish_by(ec, r, kit_unlock, key, out);
	app_restore_free(r);
	if (fd >= 0)
		close(fd);
	return e;
}

#endif
