// SPDX-License-Identifier: EUPL-1.2
// One vault in the place of another (V3, V6): the order of renames and syncs is the whole point, see the header.
#include "vault/swap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/secret.h"
#include "vault/keyring.h"
#include "vault/page.h"

static const char *const FILES[] = { "vault.db-wal", "vault.new", "vault.db", "vault.mark" };

/* DIR/SUB/NAME. */
struct place {
	char path[4096];
};

/* Asked once at each door: from there on every name fits. */
static enum err dir_check(struct errctx *ec, const char *dir)
{
	return strlen(dir) + sizeof("/" SWAP_PART "/vault.db-wal") <= sizeof(struct place)
	           ? ERR_OK
	           : err_errno(ec, ENAMETOOLONG, dir);
}

static struct place place(const char *dir, const char *sub, const char *name)
{
	struct place out;

	snprintf(out.path, sizeof(out.path), "%s%s%s%s%s", dir, sub[0] == '\0' ? "" : "/", sub,
	         name[0] == '\0' ? "" : "/", name);
	return out;
}

/* ERR_OK also where there was nothing. A link goes, what it leads to stays: it may be another home. */
static enum err folder_remove(struct errctx *ec, const char *dir, const char *sub)
{
	struct place folder = place(dir, sub, "");
	struct stat st;

	if (lstat(folder.path, &st) == 0 && S_ISLNK(st.st_mode))
		return unlink(folder.path) == 0 ? ERR_OK : err_errno(ec, errno, folder.path);
	for (size_t i = 0; i < sizeof(FILES) / sizeof(FILES[0]); i++) {
		struct place p = place(dir, sub, FILES[i]);

		if (unlink(p.path) != 0 && errno != ENOENT && errno != ENOTDIR)
			return err_errno(ec, errno, p.path);
	}
	return rmdir(folder.path) == 0 || errno == ENOENT ? ERR_OK : err_errno(ec, errno, folder.path);
}

static enum err folder_sync(struct errctx *ec, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err e = fd < 0 || fsync(fd) != 0 ? err_errno(ec, errno, path) : ERR_OK;

	if (fd >= 0)
		close(fd);
	return e;
}

enum err swap_begin(struct errctx *ec, const char *dir, char **out)
{
	bool there = false;
	enum err e = dir_check(ec, dir);
	struct place part = place(dir, SWAP_PART, "");

	*out = NULL;
	if (e == ERR_OK)
		e = file_look(ec, place(dir, SWAP_DIR, "vault.db").path, &there);
	if (there)
		return err_set(ec, ERR_LATER,
		               "An earlier change of the vault was not finished. Lock and unlock, then try again.",
		               NULL, NULL, NULL);
	if (e == ERR_OK)
		e = folder_remove(ec, dir, SWAP_DIR);
	if (e == ERR_OK)
		e = folder_remove(ec, dir, SWAP_PART);
	if (e == ERR_OK)
		e = file_make_dir(ec, part.path);
	if (e != ERR_OK)
		return e;
	*out = strdup(part.path);
	return *out == NULL ? err_errno(ec, ENOMEM, dir) : ERR_OK;
}

enum err swap_ready(struct errctx *ec, const char *dir)
{
	struct place part = place(dir, SWAP_PART, "");
	struct place next = place(dir, SWAP_DIR, "");
	enum err e = dir_check(ec, dir);

	if (e == ERR_OK)
		e = folder_sync(ec, part.path);
	if (e == ERR_OK && rename(part.path, next.path) != 0)
		e = err_errno(ec, errno, next.path);
	return e == ERR_OK ? folder_sync(ec, dir) : e;
}

void swap_give_up(const char *dir)
{
	if (dir_check(NULL, dir) != ERR_OK)
		return;
	(void)!folder_remove(NULL, dir, SWAP_PART);
	(void)!folder_remove(NULL, dir, SWAP_DIR);
}

/* Does page 1 of that vault open under the key? ERR_OK also when the file is not there (*opens false). */
static enum err file_opens(struct errctx *ec, const char *path, const uint8_t master[static 32], bool *opens)
{
	uint8_t page[VAULT_PAGE_SIZE];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd < 0 ? 0 : pread(fd, page, sizeof(page), 0);
	struct keyring *ring = NULL;
	enum err e = ERR_OK;

	*opens = false;
	if (fd < 0 && errno == ENOENT)
		return ERR_OK;
	if (fd < 0 || n < 0) {
		e = err_errno(ec, errno, path);
	} else if (n == (ssize_t)sizeof(page)) {
		ring = keyring_new(master, page);
		e = ring == NULL ? err_errno(ec, ENOMEM, path) : ERR_OK;
		*opens = e == ERR_OK && page_unseal(ring, 1, page, sizeof(page)) == ERR_OK;
		secret_wipe(page, sizeof(page));
	}
	keyring_free(ring);
	if (fd >= 0)
		close(fd);
	return e;
}

/* The new vault.mark takes the old one's name, locked before anybody can see it there. */
static enum err mark_move(struct errctx *ec, const char *dir, int *lock)
{
	struct place from = place(dir, SWAP_DIR, "vault.mark");
	struct place to = place(dir, "", "vault.mark");
	int fd = open(from.path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0) /* moved before the crash */
		return errno == ENOENT ? ERR_OK : err_errno(ec, errno, from.path);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 || rename(from.path, to.path) != 0) {
		enum err e = err_errno(ec, errno, to.path);

		close(fd);
		return e;
	}
	close(*lock);
	*lock = fd;
	return ERR_OK;
}

static enum err forward(struct errctx *ec, const char *dir, int *lock)
{
	struct place log = place(dir, "", "vault.db-wal");
	struct place from = place(dir, SWAP_DIR, "vault.db");
	struct place to = place(dir, "", "vault.db");
	enum err e = ERR_OK;

	/* The log goes first and for good: it belongs to the old file. */
	if (unlink(log.path) != 0 && errno != ENOENT)
		return err_errno(ec, errno, log.path);
	e = folder_sync(ec, dir);
	if (e == ERR_OK)
		e = mark_move(ec, dir, lock);
	if (e == ERR_OK)
		e = folder_sync(ec, dir);
	if (e == ERR_OK && rename(from.path, to.path) != 0)
		e = err_errno(ec, errno, to.path);
	if (e == ERR_OK)
		e = folder_sync(ec, dir);
	return e == ERR_OK ? folder_remove(ec, dir, SWAP_DIR) : e;
}

enum err swap_settle(struct errctx *ec, const char *dir, const uint8_t master[static 32], int *lock)
{
	struct place next = place(dir, SWAP_DIR, "");
	struct stat st;
	bool next_opens = false;
	bool now_opens = false;
	bool there = false;
	enum err e = dir_check(ec, dir);

	if (e == ERR_OK)
		e = file_look(ec, place(dir, SWAP_PART, "").path, &there);
	if (e == ERR_OK && there)
		e = folder_remove(ec, dir, SWAP_PART);
	if (e == ERR_OK)
		e = file_look(ec, next.path, &there);
	if (e != ERR_OK || !there)
		return e;
	if (lstat(next.path, &st) == 0 && S_ISLNK(st.st_mode)) /* not made here */
		return folder_remove(ec, dir, SWAP_DIR);
	e = file_opens(ec, place(dir, SWAP_DIR, "vault.db").path, master, &next_opens);
	if (e == ERR_OK && next_opens)
		return forward(ec, dir, lock);
	if (e == ERR_OK)
		e = file_opens(ec, place(dir, "", "vault.db").path, master, &now_opens);
	return e == ERR_OK && now_opens ? folder_remove(ec, dir, SWAP_DIR) : e;
}
