// SPDX-License-Identifier: EUPL-1.2
// What the linker puts in the place of the C library, of SQLite's own VFS and of the courier: calls that concern a
// simulated device go to its disk, all others where they always went.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "app/courier_run.h"
#include "sim/disk.h"
#include "sim/host.h"
#include "sim/must.h"
#include "sim/world.h"
#include "sync/compaction.h"
#include "vault/vault.h"

#define DIRS_MAX 8

/* A folder being read: its names as they were when it was opened. */
struct dir {
	bool used;
	int fd;
	char (*names)[DISK_PATH];
	bool *folders;
	size_t count;
	size_t at;
	struct dirent64 entry;
};

static struct dir dirs[DIRS_MAX];

int __real_open64(const char *path, int flags, ...);
int __real_close(int fd);
ssize_t __real_read(int fd, void *out, size_t len);
ssize_t __real___read_chk(int fd, void *out, size_t len, size_t room);
ssize_t __real_pread64(int fd, void *out, size_t len, off64_t at);
ssize_t __real___pread64_chk(int fd, void *out, size_t len, off64_t at, size_t room);
ssize_t __real_write(int fd, const void *data, size_t len);
int __real_fsync(int fd);
int __real_flock(int fd, int operation);
int __real_fchmod(int fd, mode_t mode);
int __real_rename(const char *from, const char *to);
int __real_unlink(const char *path);
int __real_unlinkat(int fd, const char *path, int flags);
int __real_mkdir(const char *path, mode_t mode);
int __real_rmdir(const char *path);
int __real_stat64(const char *path, struct stat64 *out);
int __real_fstat64(int fd, struct stat64 *out);
DIR *__real_opendir(const char *path);
struct dirent64 *__real_readdir64(DIR *dir);
int __real_closedir(DIR *dir);
int __real_dirfd(DIR *dir);
sqlite3_vfs *__real_sqlite3_vfs_find(const char *name);
enum err __real_vault_open(struct errctx *ec, const char *dir, const uint8_t *master, enum vault_mode mode,
                           const struct rng *rng, struct vault **out);

int __wrap_open64(const char *path, int flags, ...);
int __wrap_close(int fd);
ssize_t __wrap_read(int fd, void *out, size_t len);
ssize_t __wrap___read_chk(int fd, void *out, size_t len, size_t room);
ssize_t __wrap_pread64(int fd, void *out, size_t len, off64_t at);
ssize_t __wrap___pread64_chk(int fd, void *out, size_t len, off64_t at, size_t room);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __wrap_fsync(int fd);
int __wrap_flock(int fd, int operation);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);
int __wrap_unlinkat(int fd, const char *path, int flags);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_rmdir(const char *path);
int __wrap_stat64(const char *path, struct stat64 *out);
int __wrap_fstat64(int fd, struct stat64 *out);
DIR *__wrap_opendir(const char *path);
struct dirent64 *__wrap_readdir64(DIR *dir);
int __wrap_closedir(DIR *dir);
int __wrap_dirfd(DIR *dir);
sqlite3_vfs *__wrap_sqlite3_vfs_find(const char *name);
enum err __wrap_vault_open(struct errctx *ec, const char *dir, const uint8_t *master, enum vault_mode mode,
                           const struct rng *rng, struct vault **out);
enum err __wrap_courier_run(struct errctx *ec, const char *program, const struct job *job, courier_line_fn fn,
                            void *arg);
enum err __real_store_commit(struct errctx *ec, struct store *s);
enum err __wrap_store_commit(struct errctx *ec, struct store *s);
enum err __real_compaction_tend(struct errctx *ec, struct sync *y, const struct space_row *space,
                                const struct compacting *how, bool *cut, enum compaction_wait *wait);
enum err __wrap_compaction_tend(struct errctx *ec, struct sync *y, const struct space_row *space,
                                const struct compacting *how, bool *cut, enum compaction_wait *wait);

/* --- files --- */

int __wrap_open64(const char *path, int flags, ...)
{
	va_list args;
	unsigned mode = 0;

	if (disk_of(path) != NULL)
		return disk_open(path, flags);
	va_start(args, flags);
	mode = va_arg(args, unsigned);
	va_end(args);
	return __real_open64(path, flags, mode);
}

int __wrap_close(int fd)
{
	return disk_fd(fd) ? disk_close(fd) : __real_close(fd);
}

ssize_t __wrap_read(int fd, void *out, size_t len)
{
	return disk_fd(fd) ? disk_read(fd, out, len) : __real_read(fd, out, len);
}

ssize_t __wrap___read_chk(int fd, void *out, size_t len, size_t room)
{
	return disk_fd(fd) ? disk_read(fd, out, len) : __real___read_chk(fd, out, len, room);
}

ssize_t __wrap_pread64(int fd, void *out, size_t len, off64_t at)
{
	return disk_fd(fd) ? disk_pread(fd, out, len, at) : __real_pread64(fd, out, len, at);
}

ssize_t __wrap___pread64_chk(int fd, void *out, size_t len, off64_t at, size_t room)
{
	return disk_fd(fd) ? disk_pread(fd, out, len, at) : __real___pread64_chk(fd, out, len, at, room);
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	return disk_fd(fd) ? disk_write(fd, data, len) : __real_write(fd, data, len);
}

int __wrap_fsync(int fd)
{
	return disk_fd(fd) ? disk_sync(fd) : __real_fsync(fd);
}

int __wrap_flock(int fd, int operation)
{
	return disk_fd(fd) ? disk_lock(fd, operation) : __real_flock(fd, operation);
}

int __wrap_fchmod(int fd, mode_t mode)
{
	return disk_fd(fd) ? 0 : __real_fchmod(fd, mode);
}

int __wrap_rename(const char *from, const char *to)
{
	return disk_of(from) != NULL ? disk_rename(from, to) : __real_rename(from, to);
}

int __wrap_unlink(const char *path)
{
	return disk_of(path) != NULL ? disk_unlink(path) : __real_unlink(path);
}

int __wrap_unlinkat(int fd, const char *path, int flags)
{
	char whole[DISK_PATH * 2];

	if (!disk_fd(fd))
		return __real_unlinkat(fd, path, flags);
	snprintf(whole, sizeof(whole), "%s/%s", disk_fd_path(fd), path);
	return disk_unlink(whole);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
	return disk_of(path) != NULL ? disk_mkdir(path) : __real_mkdir(path, mode);
}

int __wrap_rmdir(const char *path)
{
	return disk_of(path) != NULL ? disk_rmdir(path) : __real_rmdir(path);
}

/* With 64-bit offsets everywhere both structs are one. */
_Static_assert(sizeof(struct stat) == sizeof(struct stat64), "files are large");
_Static_assert(sizeof(struct dirent) == sizeof(struct dirent64), "files are large");

int __wrap_stat64(const char *path, struct stat64 *out)
{
	struct stat st;
	int rc = 0;

	if (disk_of(path) == NULL)
		return __real_stat64(path, out);
	rc = disk_stat(path, &st);
	if (rc == 0)
		memcpy(out, &st, sizeof(st));
	return rc;
}

int __wrap_fstat64(int fd, struct stat64 *out)
{
	struct stat st;
	int rc = 0;

	if (!disk_fd(fd))
		return __real_fstat64(fd, out);
	rc = disk_fstat(fd, &st);
	if (rc == 0)
		memcpy(out, &st, sizeof(st));
	return rc;
}

/* --- folders --- */

static struct dir *dir_of(DIR *dir)
{
	for (size_t i = 0; i < DIRS_MAX; i++) {
		if ((void *)&dirs[i] == (void *)dir)
			return &dirs[i];
	}
	return NULL;
}

DIR *__wrap_opendir(const char *path)
{
	struct dir *d = NULL;
	int fd = -1;

	if (disk_of(path) == NULL)
		return __real_opendir(path);
	fd = disk_open(path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return NULL;
	for (size_t i = 0; i < DIRS_MAX && d == NULL; i++)
		d = dirs[i].used ? NULL : &dirs[i];
	must(d != NULL, "too many folders are open");
	*d = (struct dir){ .used = true, .fd = fd };
	for (bool folder = false; disk_entry(path, d->count, &folder) != NULL; d->count++) {
		d->names = must_realloc(d->names, (d->count + 1) * sizeof(*d->names));
		d->folders = must_realloc(d->folders, (d->count + 1) * sizeof(*d->folders));
		snprintf(d->names[d->count], DISK_PATH, "%s", disk_entry(path, d->count, &folder));
		d->folders[d->count] = folder;
	}
	return (DIR *)d;
}

struct dirent64 *__wrap_readdir64(DIR *dir)
{
	struct dir *d = dir_of(dir);

	if (d == NULL)
		return __real_readdir64(dir);
	if (d->at == d->count)
		return NULL;
	d->entry.d_type = d->folders[d->at] ? DT_DIR : DT_REG;
	snprintf(d->entry.d_name, sizeof(d->entry.d_name), "%s", d->names[d->at++]);
	return &d->entry;
}

int __wrap_closedir(DIR *dir)
{
	struct dir *d = dir_of(dir);

	if (d == NULL)
		return __real_closedir(dir);
	d->used = false;
	free(d->names);
	free(d->folders);
	return disk_close(d->fd);
}

int __wrap_dirfd(DIR *dir)
{
	struct dir *d = dir_of(dir);

	return d == NULL ? __real_dirfd(dir) : d->fd;
}

/* --- the vault, the store and the courier --- */

enum err __wrap_store_commit(struct errctx *ec, struct store *s)
{
	enum err e = __real_store_commit(ec, s);

	if (e == ERR_OK)
		world_committed(s);
	return e;
}

sqlite3_vfs *__wrap_sqlite3_vfs_find(const char *name)
{
	return name != NULL && strcmp(name, "unix") == 0 ? disk_vfs() : __real_sqlite3_vfs_find(name);
}

/* A new vault is a copy of one that was made before, with tables and nothing in them. */
enum err __wrap_vault_open(struct errctx *ec, const char *dir, const uint8_t *master, enum vault_mode mode,
                           const struct rng *rng, struct vault **out)
{
	struct disk *template = disk_of("/sim/0");
	struct disk *d = disk_of(dir);

	if (mode == VAULT_CREATE && d != NULL && template != NULL && d != template) {
		disk_copy(d, template);
		mode = VAULT_OPEN;
	}
	return __real_vault_open(ec, dir, master, mode, rng, out);
}

enum err __wrap_courier_run(struct errctx *ec, const char *program, const struct job *job, courier_line_fn fn,
                            void *arg)
{
	return host_courier(ec, program, job, fn, arg);
}

/* Logs are cut off in those worlds alone whose plot has it. */
enum err __wrap_compaction_tend(struct errctx *ec, struct sync *y, const struct space_row *space,
                                const struct compacting *how, bool *cut, enum compaction_wait *wait)
{
	*cut = false;
	*wait = COMPACTION_DEVICES;
	return world_compacts() ? __real_compaction_tend(ec, y, space, how, cut, wait) : ERR_OK;
}
