// SPDX-License-Identifier: EUPL-1.2
// Making a backup: a copy of the vault beside it, out of which the keys are taken before a byte leaves the home (V1);
// then the file is written, synced, read back and restored once, and only then called done (V6).
#include "app/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/backup_kept.h"
#include "base/file.h"
#include "base/tree.h"
#include "store/store.h"
#include "vault/backup_pack.h"
#include "vault/vault.h"

/* Longest key file that is read. */
#define KEYS_MAX BACKUP_KEY_FILE_MAX

struct making {
	struct errctx *ec;
	struct app *app;
	int fd;
	const char *name;
	char *part; /* HOME/backup.part */
	char *keys; /* HOME/keys */
	struct buf key_file;
	struct backup_keys *sealed_by;
	struct backup_view *view;
};

void backup_clear(const char *home)
{
	char *part = file_join(home, BACKUP_PART);

	if (part != NULL)
		(void)!tree_remove(NULL, part);
	free(part);
}

enum err backup_look(struct errctx *ec, struct vault *vault, struct backup_counts *out)
{
	struct vault_report report = { 0 };
	struct store *store = NULL;
	struct dots contacts = { 0 };
	uint64_t bad = 0;
	enum err e = store_open(ec, vault, &store);

	*out = (struct backup_counts){ 0 };
	if (e == ERR_OK)
		e = vault_verify(vault, ec, &report);
	if (e == ERR_OK)
		e = store_verify(ec, store, &out->edits, &bad);
	if (e == ERR_OK && bad > 0)
		e = err_set(ec, ERR_DAMAGED, "The log of edits is damaged. Run verify to see how much is.", NULL, NULL,
		            NULL);
	if (e == ERR_OK)
		e = store_contacts(ec, store, 0, INT64_MIN, false, &contacts);
	out->contacts = contacts.n;
	dots_free(&contacts);
	store_close(store);
	return e;
}

static enum err part_begin(struct making *m)
{
	enum err e = tree_remove(m->ec, m->part);

	return e == ERR_OK ? file_make_dir(m->ec, m->part) : e;
}

/* HOME/backup.part holds a closed vault with what may travel. */
static enum err copy_make(struct making *m)
{
	struct vault *copy = NULL;
	struct store *store = NULL;
	enum err e = backup_copy(m->app->vault, m->ec, m->part);

	if (e == ERR_OK)
		e = backup_open_like(m->app->vault, m->ec, m->part, &copy);
	if (e == ERR_OK)
		e = store_open(m->ec, copy, &store);
	if (e == ERR_OK)
		e = backup_kept_strip(m->ec, store);
	store_close(store);
	if (e == ERR_OK)
		e = vault_checkpoint(copy, m->ec, true);
	vault_close(copy);
	return e;
}

/* As a file of HOME/backup.part, in fresh memory. */
static bool log_stands(const struct making *m)
{
	char *log = file_join(m->part, "vault.db-wal");
	bool there = log == NULL || file_exists(log);

	free(log);
	return there;
}

static enum err file_make(struct making *m)
{
	struct backup_parts parts = { buf_bytes(&m->key_file), m->part, app_now_ms(m->app) };

	/* Its pages would be missing from the file. */
	if (log_stands(m))
		return err_errno(m->ec, EIO, m->part);
	app_utc(parts.made_ms, m->view->at);
	return backup_pack(m->ec, m->fd, m->name, m->sealed_by, &parts, m->app->rng, &m->view->bytes);
}

/* What the disk gives back is restored, into the same folder. */
static enum err file_try(struct making *m)
{
	struct backup_list list = { 0 };
	struct vault *vault = NULL;
	struct buf head = { 0 };
	enum err e = part_begin(m);

	/* Best effort: let it come from the disk, not from memory. */
	(void)posix_fadvise(m->fd, 0, 0, POSIX_FADV_DONTNEED);
	if (e == ERR_OK && lseek(m->fd, 0, SEEK_SET) != 0)
		e = err_errno(m->ec, errno, m->name);
	if (e == ERR_OK)
		e = backup_begin(m->ec, m->fd, m->name, &head);
	if (e == ERR_OK)
		e = backup_unpack(m->ec, m->fd, m->name, m->sealed_by, buf_bytes(&head), m->part, &list);
	if (e == ERR_OK)
		e = backup_open_like(m->app->vault, m->ec, m->part, &vault);
	if (e == ERR_OK)
		e = backup_look(m->ec, vault, &m->view->holds);
	vault_close(vault);
	buf_free(&head);
	return e;
}

enum err app_backup(struct errctx *ec, struct app *app, int fd, const char *name, struct backup_view *out)
{
	struct making m = { .ec = ec, .app = app, .fd = fd, .name = name, .view = out };
	enum err e = ERR_OK;

	*out = (struct backup_view){ 0 };
	m.part = file_join(app->home, BACKUP_PART);
	m.keys = file_join(app->home, "keys");
	m.sealed_by = backup_keys_of(app->vault);
	if (m.part == NULL || m.keys == NULL || m.sealed_by == NULL)
		e = err_errno(ec, ENOMEM, name);
	/* A key file of another master key would make a backup that nobody can open. */
	if (e == ERR_OK)
		e = backup_key_file_check(app->vault, ec, m.keys);
	if (e == ERR_OK)
		e = file_read(ec, m.keys, KEYS_MAX, &m.key_file);
	if (e == ERR_OK)
		e = part_begin(&m);
	if (e == ERR_OK)
		e = copy_make(&m);
	if (e == ERR_OK)
		e = file_make(&m);
	if (e == ERR_OK)
		e = file_try(&m);
	if (m.part != NULL)
		(void)!tree_remove(NULL, m.part);
	backup_keys_free(m.sealed_by);
	buf_free(&m.key_file);
	free(m.part);
	free(m.keys);
	return e;
}
