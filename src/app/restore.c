// SPDX-License-Identifier: EUPL-1.2
// Putting a backup back: everything is read before it counts (V2, V5), nothing is there by halves (V3, V6), and what
// comes of it does not pass for the device it was (S7).
#include "app/restore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/tree.h"
#include "crypto/secret.h"
#include "store/store.h"
#include "sync/restored.h"
#include "vault/backup_pack.h"
#include "vault/copy.h"
#include "vault/keyfile.h"
#include "vault/vault.h"

struct restoring {
	const struct app_options *options;
	int fd;
	const char *name;
	struct buf head;
	char *home; /* where it goes; links followed */
	char *part; /* home.part */
	char *in;   /* home.part/in: as it came out of the file */
	char *keys; /* home.part/keys */
	int claim;  /* of home.part, locked; -1: not ours */
};

/* ---- The place ---- */

/* ERR_OK where there is nothing, or an empty folder. */
static enum err place_free(struct errctx *ec, const char *home)
{
	struct dirent *entry = NULL;
	DIR *d = opendir(home);
	bool empty = true;

	if (d == NULL)
		return errno == ENOENT ? ERR_OK : err_errno(ec, errno, home);
	while (empty && (entry = readdir(d)) != NULL)
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	closedir(d);
	if (empty)
		return ERR_OK;
	if (app_home_exists(home))
		return err_set(ec, ERR_REFUSED, "There is a home in %1 already. Choose another place with --home.",
		               home, NULL, NULL);
	return err_set(ec, ERR_REFUSED,
	               "The folder %1 is not empty. Choose another place with --home. Nothing was changed.", home, NULL,
	               NULL);
}

/* Without the slashes at its end; where it is there already, as it is really called. */
static char *place_name(const char *home)
{
	char *name = realpath(home, NULL);
	size_t len = 0;

	if (name != NULL || errno == ENOMEM)
		return name;
	name = strdup(home);
	for (len = name == NULL ? 0 : strlen(name); len > 1 && name[len - 1] == '/'; len--)
		name[len - 1] = '\0';
	return name;
}

/* What an attempt makes, from the inside out. */
static void part_clear(const struct restoring *r)
{
	static const char *const files[] = {
		"in/vault.db", "in/vault.db-wal", "in/vault.mark", "in/vault.new", "in",       "keys",
		"keys.new",    "vault.db",        "vault.db-wal",  "vault.mark",   "vault.new"
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char *path = file_join(r->part, files[i]);

		if (path != NULL && unlink(path) != 0 && errno == EISDIR)
			rmdir(path);
		free(path);
	}
}

/* Makes home.part or takes over what an earlier attempt left; only one at a time. */
static enum err part_claim(struct errctx *ec, struct restoring *r)
{
	struct stat st;
	char *slash = strrchr(r->part, '/');
	enum err e = ERR_OK;

	if (slash != NULL && slash != r->part) {
		*slash = '\0';
		e = tree_make(ec, r->part);
		*slash = '/';
	}
	if (e == ERR_OK && mkdir(r->part, 0700) != 0 && errno != EEXIST)
		e = err_errno(ec, errno, r->part);
	if (e != ERR_OK)
		return e;
	r->claim = open(r->part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (r->claim < 0 || fstat(r->claim, &st) != 0)
		return err_errno(ec, errno, r->part);
	if (flock(r->claim, LOCK_EX | LOCK_NB) != 0) {
		close(r->claim);
		r->claim = -1;
		return err_set(ec, ERR_LATER, "Another command is at work in this home. Try again when it is done.",
		               NULL, NULL, NULL);
	}
	/* FAT has no such rights to take away. */
	if (st.st_uid != geteuid() || ((st.st_mode & 077) != 0 && fchmod(r->claim, S_IRWXU) != 0 && errno != EPERM))
		return err_set(ec, ERR_REFUSED, "The folder %1 belongs to somebody else. Choose another with --home.",
		               r->part, NULL, NULL);
	part_clear(r);
	e = place_free(ec, r->part);
	return e == ERR_OK ? file_make_dir(ec, r->in) : e;
}

void app_restore_free(struct restoring *r)
{
	if (r == NULL)
		return;
	if (r->claim >= 0) {
		part_clear(r);
		rmdir(r->part);
		close(r->claim);
	}
	buf_free(&r->head);
	free(r->home);
	free(r->part);
	free(r->in);
	free(r->keys);
	free(r);
}

enum err app_restore_begin(struct errctx *ec, const struct app_options *o, int fd, const char *name,
                           struct restoring **out)
{
	struct restoring *r = calloc(1, sizeof(*r));
	enum err e = r == NULL ? err_errno(ec, ENOMEM, name) : ERR_OK;

	*out = NULL;
	if (e != ERR_OK)
		return e;
	*r = (struct restoring){ .options = o, .fd = fd, .name = name, .claim = -1, .home = place_name(o->home) };
	if (r->home == NULL || asprintf(&r->part, "%s.part", r->home) < 0)
		r->part = NULL;
	r->in = r->part == NULL ? NULL : file_join(r->part, "in");
	r->keys = r->part == NULL ? NULL : file_join(r->part, "keys");
	if (r->in == NULL || r->keys == NULL)
		e = err_errno(ec, ENOMEM, name);
	if (e == ERR_OK)
		e = place_free(ec, r->home);
	if (e == ERR_OK)
		e = backup_begin(ec, fd, name, &r->head);
	if (e != ERR_OK) {
		app_restore_free(r);
		return e;
	}
	*out = r;
	return ERR_OK;
}

/* ---- The vault ---- */

/* The file's parts lie in home.part; nothing of it was opened before its trailer held. */
static enum err unpack(struct errctx *ec, const struct restoring *r, const uint8_t *master, struct backup_list *list)
{
	struct backup_keys *keys = backup_keys_new(master);
	enum err e = keys == NULL ? err_errno(ec, ENOMEM, r->name) : ERR_OK;

	if (e == ERR_OK)
		e = backup_unpack(ec, r->fd, r->name, keys, buf_bytes(&r->head), r->in, list);
	backup_keys_free(keys);
	return e;
}

/* home.part gets the vault under a file id of its own, so that two homes of one backup share no page. */
static enum err copy_in(struct errctx *ec, const struct restoring *r, const uint8_t *master, const struct rng *rng)
{
	struct vault *from = NULL;
	enum err e = vault_open(ec, r->in, master, VAULT_OPEN, rng, &from);

	if (e == ERR_OK)
		e = vault_copy(from, ec, r->part, master);
	vault_close(from);
	return e == ERR_OK ? tree_remove(ec, r->in) : e;
}

static enum err mark(struct errctx *ec, struct app *app, int64_t made_ms)
{
	struct sync y = { app->store, app->zip, app->rng, app->clock };
	enum err e = store_begin(ec, app->store);

	if (e != ERR_OK)
		return e;
	e = restored_mark(ec, &y, made_ms);
	if (e == ERR_OK)
		e = store_commit(ec, app->store);
	if (e != ERR_OK)
		store_rollback(app->store);
	return e;
}

/* Opens it as the home it will be, which brings its schema up to date, marks it, reads all of it, closes it. */
static enum err rehearse(struct errctx *ec, const struct restoring *r, const uint8_t *master, int64_t made_ms,
                         struct backup_counts *holds)
{
	struct app_options o = *r->options;
	struct app *app = NULL;
	enum err e = ERR_OK;

	o.home = r->part;
	e = app_open_with_key(ec, &o, master, false, NULL, &app);
	if (e == ERR_OK)
		e = mark(ec, app, made_ms);
	if (e == ERR_OK)
		e = vault_checkpoint(app->vault, ec, true);
	if (e == ERR_OK)
		e = backup_look(ec, app->vault, holds);
	app_close(app);
	return e;
}

/* Everything in home.part reaches the disk, then it gets its name. */
static enum err name_it(struct errctx *ec, struct restoring *r)
{
	static const char *const files[] = { "keys", "vault.db", "vault.mark" };
	enum err e = ERR_OK;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && e == ERR_OK; i++) {
		int fd = openat(r->claim, files[i], O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

		if (fd < 0 || fsync(fd) != 0)
			e = err_errno(ec, errno, r->part);
		if (fd >= 0)
			close(fd);
	}
	if (e == ERR_OK && fsync(r->claim) != 0)
		e = err_errno(ec, errno, r->part);
	/* Onto nothing or onto an empty folder: a rename refuses any other. */
	if (e == ERR_OK && rename(r->part, r->home) != 0) {
		int why = errno;

		e = place_free(ec, r->home);
		return e != ERR_OK ? e : err_errno(ec, why, r->home);
	}
	if (e != ERR_OK)
		return e;
	close(r->claim);
	r->claim = -1;
	return file_sync_parent(ec, r->home);
}

static enum err finish(struct errctx *ec, struct restoring *r, const uint8_t *master, struct restored_view *out)
{
	const struct rng *rng = r->options->rng != NULL ? r->options->rng : &crypto_rng;
	struct backup_list list = { 0 };
	enum err e = unpack(ec, r, master, &list);

	if (e == ERR_OK)
		e = copy_in(ec, r, master, rng);
	if (e == ERR_OK)
		e = rehearse(ec, r, master, list.made_ms, &out->holds);
	/* keyfile_unlock() may have mended its copy: as it was, it comes from the file */
	if (e == ERR_OK)
		e = file_replace(ec, r->keys, backup_key_file(&r->head));
	if (e == ERR_OK)
		e = name_it(ec, r);
	app_utc(list.made_ms, out->at);
	return e;
}

enum err app_restore_finish_by(struct errctx *ec, struct restoring *r, restore_unlock_fn unlock, void *ctx,
                               struct restored_view *out)
{
	uint8_t *master = secret_new(MASTER_KEY_LEN);
	enum err e = master == NULL ? err_errno(ec, ENOMEM, r->name) : part_claim(ec, r);

	*out = (struct restored_view){ 0 };
	if (e == ERR_OK)
		e = file_replace(ec, r->keys, backup_key_file(&r->head));
	if (e == ERR_OK)
		e = unlock(ctx, ec, r->keys, master);
	if (e == ERR_OK)
		e = finish(ec, r, master, out);
	secret_free(master);
	return e;
}

/* ---- By passphrase ---- */

struct with_passphrase {
	struct bytes passphrase;
	const char *name;
};

static enum err by_passphrase(void *ctx, struct errctx *ec, const char *key_file, uint8_t *master)
{
	const struct with_passphrase *w = ctx;
	struct errctx why = { 0 };
	enum err e = keyfile_unlock(&why, key_file, w->passphrase, master);

	if (e == ERR_LOCKED)
		return err_set(ec, e,
		               "That passphrase does not open this backup. It takes the passphrase of the day on which "
		               "it was made. Check capitals and the keyboard's language, and try again.",
		               NULL, NULL, NULL);
	if (e == ERR_DAMAGED)
		return err_set(ec, e,
		               "%1 was damaged or changed since the backup was made. Use another copy of it. Nothing "
		               "was changed.",
		               w->name, NULL, NULL);
	if (e != ERR_OK && ec != NULL && ec->code == ERR_OK)
		*ec = why;
	return e;
}

enum err app_restore_finish(struct errctx *ec, struct restoring *r, struct bytes passphrase, struct restored_view *out)
{
	struct with_passphrase w = { passphrase, r->name };

	return app_restore_finish_by(ec, r, by_passphrase, &w, out);
}
