// SPDX-License-Identifier: EUPL-1.2
// Taking a home off this device. The key file is written over, removed, and its removal made durable before anything
// else is touched: whatever happens then, what remains opens no more. What is not of this program stays.
#include "app/wipe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/backup.h"
#include "app/courier_job.h"
#include "base/file.h"
#include "base/tree.h"
#include "crypto/secret.h"
#include "vault/keyfile.h"

/* Written before the key file goes, removed last. */
#define MARKER "wipe.begun"

static const char *const KEY_FILES[] = { "keys",          "keys.new",   "keys.init",
	                                 "keys.init.new", "sheet.note", "sheet.note.new" };
static const char *const OTHERS[] = { "vault.db",  "vault.db-wal", "vault.mark", "vault.new", "next",
	                              "next.part", BACKUP_PART,    "spool",      "owner",     COURIER_FOLDER };
/* Where caches of the courier stood before they had a folder: repo-1, repo-2 ... */
#define REPO "repo-"

enum err app_wipe_check(struct errctx *ec, const char *home, struct bytes passphrase)
{
	uint8_t *master = secret_new(MASTER_KEY_LEN);
	char *keys = file_join(home, "keys");
	enum err e =
	    master == NULL || keys == NULL ? err_errno(ec, ENOMEM, home) : keyfile_unlock(ec, keys, passphrase, master);

	secret_free(master);
	free(keys);
	return e;
}

bool app_wipe_begun(const char *home)
{
	char *marker = file_join(home, MARKER);
	bool yes = marker != NULL && file_exists(marker);

	free(marker);
	return yes;
}

/* Random bytes over what stood there, as far as the disk lets one; then it goes. */
static enum err key_destroy(struct errctx *ec, const char *path, const struct rng *rng)
{
	uint8_t noise[4096];
	struct stat st = { 0 };
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		for (off_t left = st.st_size; left > 0; left -= (off_t)sizeof(noise)) {
			rng_fill(rng, noise, sizeof(noise));
			if (file_write_fd(NULL, fd, path, noise, left < 4096 ? (size_t)left : sizeof(noise)) != ERR_OK)
				break;
		}
		/* A disk that cannot write any more can still forget the name. */
		(void)!fsync(fd);
	}
	if (fd >= 0)
		close(fd);
	return unlink(path) == 0 || errno == ENOENT ? ERR_OK : err_errno(ec, errno, path);
}

static enum err in_home(struct errctx *ec, const char *home, const char *name, char **out)
{
	*out = file_join(home, name);
	return *out == NULL ? err_errno(ec, ENOMEM, home) : ERR_OK;
}

static enum err keys_destroy(struct errctx *ec, const char *home, const struct rng *rng)
{
	char *path = NULL;
	enum err e = in_home(ec, home, MARKER, &path);

	/* Best effort: on a full disk there must be a way to wipe. */
	if (e == ERR_OK)
		(void)!file_replace(NULL, path, (struct bytes){ NULL, 0 });
	free(path);
	path = NULL;
	for (size_t i = 0; e == ERR_OK && i < sizeof(KEY_FILES) / sizeof(KEY_FILES[0]); i++) {
		e = in_home(ec, home, KEY_FILES[i], &path);
		if (e == ERR_OK)
			e = key_destroy(ec, path, rng);
		if (e == ERR_OK)
			e = file_sync_parent(ec, path);
		free(path);
		path = NULL;
	}
	return e;
}

static enum err remove_in(struct errctx *ec, const char *home, const char *name)
{
	char *path = NULL;
	enum err e = in_home(ec, home, name, &path);

	if (e == ERR_OK)
		e = tree_remove(ec, path);
	free(path);
	return e;
}

static bool is_repo(const char *name)
{
	size_t len = strlen(REPO);

	return strncmp(name, REPO, len) == 0 && name[len] != '\0' &&
	       name[len + strspn(name + len, "0123456789")] == '\0';
}

/* The caches go; *left counts what nobody here knows. */
static enum err caches_remove(struct errctx *ec, const char *home, uint64_t *left)
{
	struct dirent *entry = NULL;
	DIR *d = opendir(home);
	enum err e = d == NULL ? err_errno(ec, errno, home) : ERR_OK;

	*left = 0;
	while (e == ERR_OK && (entry = readdir(d)) != NULL) {
		if (is_repo(entry->d_name))
			e = remove_in(ec, home, entry->d_name);
		else if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		         strcmp(entry->d_name, MARKER) != 0)
			(*left)++;
	}
	if (d != NULL)
		closedir(d);
	return e;
}

enum err app_wipe(struct errctx *ec, const struct app_options *o, struct wiped_view *out)
{
	const char *home = o->home;
	enum err e = keys_destroy(ec, home, o->rng != NULL ? o->rng : &crypto_rng);

	*out = (struct wiped_view){ 0 };
	for (size_t i = 0; e == ERR_OK && i < sizeof(OTHERS) / sizeof(OTHERS[0]); i++)
		e = remove_in(ec, home, OTHERS[i]);
	if (e == ERR_OK)
		e = caches_remove(ec, home, &out->files_left);
	if (e == ERR_OK)
		e = remove_in(ec, home, MARKER);
	if (e == ERR_OK && out->files_left == 0 && rmdir(home) != 0 && errno != ENOTEMPTY && errno != EBUSY)
		e = err_errno(ec, errno, home);
	if (e == ERR_OK)
		e = file_sync_parent(ec, home);
	return e;
}
