// SPDX-License-Identifier: EUPL-1.2
// Reading and replacing the files of the person at the keyboard. A file that is being written has no name at all where
// the file system can do that, so that Ctrl-C leaves nothing behind; it gets its name when it is whole and durable
// (V6).
#include "cli/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void files_init(struct files *f)
{
	for (int i = 0; i < FILES_MAX; i++)
		f->w[i] = (struct files_write){ .fd = -1 };
	f->dir = NULL;
}

static void write_clear(struct files_write *w)
{
	if (w->fd >= 0)
		close(w->fd);
	if (w->temp != NULL)
		unlink(w->temp);
	free(w->temp);
	free(w->path);
	*w = (struct files_write){ .fd = -1 };
}

void files_clear(struct files *f)
{
	for (int i = 0; i < FILES_MAX; i++)
		write_clear(&f->w[i]);
	files_dir_abort(f);
}

int files_open(const char *path, enum files_kind kind, int *fd, bool *is_dir)
{
	struct stat st;
	int got = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int e = 0;

	*fd = -1;
	*is_dir = false;
	if (got < 0)
		return errno;
	if (fstat(got, &st) != 0)
		e = errno;
	else if (S_ISDIR(st.st_mode) && kind == FILES_FILE)
		e = EISDIR;
	else if (!S_ISDIR(st.st_mode) && kind == FILES_DIR)
		e = ENOTDIR;
	if (e != 0) {
		close(got);
		return e;
	}
	*is_dir = S_ISDIR(st.st_mode);
	*fd = got;
	return 0;
}

int files_make_dir(const char *path)
{
	struct stat st;

	if (mkdir(path, 0700) == 0)
		return 0;
	if (errno == EEXIST && stat(path, &st) == 0)
		return S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
	return errno;
}

// The folder that holds `path`, in fresh memory.
static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static int open_unnamed(const char *dir)
{
	if (access("/proc/self/fd", X_OK) != 0) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static int open_new(struct files_write *w, const char *dir)
{
	w->fd = open_unnamed(dir);
	if (w->fd >= 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return errno;
	if (asprintf(&w->temp, "%s/.sleutelbos-XXXXXX", dir) < 0) {
		w->temp = NULL;
		return ENOMEM;
	}
	w->fd = mkostemp(w->temp, O_CLOEXEC);
	if (w->fd < 0) {
		int e = errno;

		free(w->temp);
		w->temp = NULL;
		return e;
	}
	return 0;
}

static int write_open(struct files_write *w, const char *path)
{
	struct stat st;
	bool there = stat(path, &st) == 0;
	char *dir = NULL;
	int e = 0;

	if (path[0] == '\0')
		return ENOENT;
	if (there && S_ISDIR(st.st_mode))
		return EISDIR;
	if (there && (w->flags & IO_NEW) != 0)
		return EEXIST;
	if (there && !S_ISREG(st.st_mode)) {
		w->direct = true;
		w->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		return w->fd < 0 ? errno : 0;
	}
	if (there && access(path, W_OK) != 0)
		return errno;
	w->path = there ? realpath(path, NULL) : strdup(path);
	dir = w->path == NULL ? NULL : parent_of(w->path);
	if (dir == NULL)
		return errno != 0 ? errno : ENOMEM;
	e = open_new(w, dir);
	free(dir);
	if (e == 0 && there && fchmod(w->fd, st.st_mode & 0777) != 0)
		e = errno;
	return e;
}

int files_write_begin(struct files *f, const char *path, enum io_write_flags flags, int *fd, int *token)
{
	struct files_write *w = NULL;
	int e = 0;

	*fd = -1;
	*token = -1;
	for (int i = 0; i < FILES_MAX && w == NULL; i++)
		if (f->w[i].fd < 0)
			w = &f->w[i];
	if (w == NULL)
		return EMFILE;
	w->flags = flags;
	e = write_open(w, path);
	if (e == 0) {
		*fd = fcntl(w->fd, F_DUPFD_CLOEXEC, 3);
		if (*fd < 0)
			e = errno;
	}
	if (e != 0) {
		write_clear(w);
		return e;
	}
	*token = (int)(w - f->w);
	return 0;
}

// Gives the unnamed file a name of its own beside its goal, in w->temp.
static int name_it(struct files_write *w, const char *dir, const char *source)
{
	for (unsigned n = 0; n < 1000; n++) {
		if (asprintf(&w->temp, "%s/.sleutelbos-%ld-%u", dir, (long)getpid(), n) < 0) {
			w->temp = NULL;
			return ENOMEM;
		}
		if (linkat(AT_FDCWD, source, AT_FDCWD, w->temp, AT_SYMLINK_FOLLOW) == 0)
			return 0;
		free(w->temp);
		w->temp = NULL;
		if (errno != EEXIST)
			return errno;
	}
	return EEXIST;
}

// Puts the whole file under its name. Where it must be new, a link does it, because a link never replaces.
static int place_it(struct files_write *w, const char *dir)
{
	char source[40];
	int e = 0;

	snprintf(source, sizeof(source), "/proc/self/fd/%d", w->fd);
	if ((w->flags & IO_NEW) != 0) {
		if (linkat(AT_FDCWD, w->temp != NULL ? w->temp : source, AT_FDCWD, w->path, AT_SYMLINK_FOLLOW) == 0)
			return 0;
		// FAT knows no links; there the moment between look and rename stays.
		if (errno != EPERM || w->temp == NULL)
			return errno;
		if (access(w->path, F_OK) == 0)
			return EEXIST;
	}
	if (w->temp == NULL)
		e = name_it(w, dir, source);
	if (e == 0 && rename(w->temp, w->path) != 0)
		e = errno;
	if (e == 0) {
		free(w->temp);
		w->temp = NULL;
	}
	return e;
}

static int sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int e = fd < 0 || fsync(fd) != 0 ? errno : 0;

	if (fd >= 0)
		close(fd);
	return e;
}

static struct files_write *by_token(struct files *f, int token)
{
	return token >= 0 && token < FILES_MAX && f->w[token].fd >= 0 ? &f->w[token] : NULL;
}

// Whole, durable, under its name.
static int place_durably(struct files_write *w)
{
	char *dir = parent_of(w->path);
	int e = dir == NULL ? ENOMEM : fsync(w->fd) != 0 ? errno : place_it(w, dir);

	if (e == 0) {
		e = sync_dir(dir);
		// What is held is not left behind half.
		if (e != 0 && (w->flags & IO_HELD) != 0)
			unlink(w->path);
	}
	free(dir);
	return e;
}

int files_write_commit(struct files *f, int token)
{
	struct files_write *w = by_token(f, token);
	int e = 0;

	if (w == NULL)
		return EBADF;
	if (!w->direct && !w->placed) {
		e = place_durably(w);
		if (e == 0 && (w->flags & IO_HELD) != 0) {
			w->placed = true;
			return 0;
		}
	}
	write_clear(w);
	return e;
}

int files_write_abort(struct files *f, int token)
{
	struct files_write *w = by_token(f, token);

	if (w == NULL)
		return EBADF;
	if (w->placed)
		unlink(w->path);
	write_clear(w);
	return 0;
}

// ---- A folder that appears as a whole ----

// Length without slashes at the end; 0 where the name is no name of its own ("/", ".", "a/..").
static size_t plain_len(const char *path)
{
	size_t len = strlen(path);
	size_t from = 0;

	while (len > 0 && path[len - 1] == '/')
		len--;
	for (from = len; from > 0 && path[from - 1] != '/';)
		from--;
	if ((len - from == 1 && path[from] == '.') || (len - from == 2 && memcmp(path + from, "..", 2) == 0))
		return 0;
	return len;
}

char *files_part_of(const char *path)
{
	char *part = NULL;

	return asprintf(&part, "%.*s.part", (int)plain_len(path), path) < 0 ? NULL : part;
}

// 0 where there is no such folder or it is empty.
static int dir_empty(const char *path)
{
	struct stat st;
	struct dirent *entry = NULL;
	DIR *d = NULL;
	int e = 0;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0 : errno;
	if (!S_ISDIR(st.st_mode))
		return EEXIST;
	d = opendir(path);
	if (d == NULL)
		return errno;
	errno = 0;
	while (e == 0 && (entry = readdir(d)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			e = ENOTEMPTY;
	if (e == 0)
		e = errno;
	closedir(d);
	return e;
}

int files_dir_begin(struct files *f, const char *path)
{
	size_t len = plain_len(path);
	char *part = NULL;
	int e = 0;

	if (f->dir != NULL)
		return EMFILE;
	if (path[0] == '\0')
		return ENOENT;
	if (len == 0)
		return EEXIST;
	f->dir = strndup(path, len);
	part = files_part_of(path);
	e = f->dir == NULL || part == NULL ? ENOMEM : dir_empty(f->dir);
	// An empty part is what Ctrl-C leaves behind.
	if (e == 0 && rmdir(part) != 0 && errno != ENOENT)
		e = errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR ? EBUSY : errno;
	if (e == 0 && mkdir(part, 0700) != 0)
		e = errno;
	if (e != 0) {
		free(f->dir);
		f->dir = NULL;
	}
	free(part);
	return e;
}

int files_dir_commit(struct files *f)
{
	char *part = f->dir == NULL ? NULL : files_part_of(f->dir);
	char *parent = f->dir == NULL ? NULL : parent_of(f->dir);
	int e = f->dir == NULL ? EBADF : part == NULL || parent == NULL ? ENOMEM : sync_dir(part);

	// A rename takes the place of an empty folder and of nothing else.
	if (e == 0 && rename(part, f->dir) != 0)
		e = errno == EEXIST ? ENOTEMPTY : errno;
	if (e == 0) {
		e = sync_dir(parent);
		free(f->dir);
		f->dir = NULL;
	}
	free(part);
	free(parent);
	return e;
}

void files_dir_abort(struct files *f)
{
	char *part = f->dir == NULL ? NULL : files_part_of(f->dir);
	int fd = part == NULL ? -1 : open(part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry = NULL;

	if (d == NULL && fd >= 0)
		close(fd);
	// It was made here and is nobody else's; folders in it would stay.
	while (d != NULL && (entry = readdir(d)) != NULL)
		unlinkat(dirfd(d), entry->d_name, 0);
	if (d != NULL)
		closedir(d);
	if (part != NULL)
		rmdir(part);
	free(part);
	free(f->dir);
	f->dir = NULL;
}
