// SPDX-License-Identifier: EUPL-1.2
// Files as a whole. A replace is durable before it is reported (V6).
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum err file_read_fd(struct errctx *ec, int fd, const char *name, size_t max, struct buf *out)
{
	size_t total = 0;

	for (;;) {
		ssize_t n = 0;

		if (buf_reserve(out, 65536) != ERR_OK)
			return err_errno(ec, ENOMEM, name);
		n = read(fd, out->data + out->len, 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(ec, errno, name);
		if (n == 0)
			return ERR_OK;
		out->len += (size_t)n;
		total += (size_t)n;
		if (total > max)
			return err_set(ec, ERR_INPUT, "%1 is too large. Use a smaller file.", name, NULL, NULL);
	}
}

enum err file_read_some(struct errctx *ec, int fd, const char *name, size_t len, struct buf *out)
{
	while (len > 0) {
		size_t step = len < 65536 ? len : 65536;
		ssize_t n = 0;

		if (buf_reserve(out, step) != ERR_OK)
			return err_errno(ec, ENOMEM, name);
		n = read(fd, out->data + out->len, step);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(ec, errno, name);
		if (n == 0)
			return ERR_OK;
		out->len += (size_t)n;
		len -= (size_t)n;
	}
	return ERR_OK;
}

enum err file_read(struct errctx *ec, const char *path, size_t max, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum err e = ERR_OK;

	if (fd < 0)
		return err_errno(ec, errno, path);
	e = file_read_fd(ec, fd, path, max, out);
	close(fd);
	return e;
}

enum err file_write_fd(struct errctx *ec, int fd, const char *name, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(ec, errno, name);
		p += n;
		len -= (size_t)n;
	}
	return ERR_OK;
}

char *file_join(const char *dir, const char *name)
{
	char *out = NULL;

	if (asprintf(&out, "%s/%s", dir, name) < 0)
		return NULL;
	return out;
}

enum err file_sync_parent(struct errctx *ec, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
	int fd = -1;
	enum err e = ERR_OK;

	if (dir == NULL)
		return err_errno(ec, ENOMEM, path);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		e = err_errno(ec, errno, dir);
	if (fd >= 0)
		close(fd);
	free(dir);
	return e;
}

enum err file_replace(struct errctx *ec, const char *path, struct bytes content)
{
	char *tmp = NULL;
	int fd = -1;
	enum err e = ERR_OK;

	if (asprintf(&tmp, "%s.new", path) < 0)
		return err_errno(ec, ENOMEM, path);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		e = err_errno(ec, errno, path);
		goto done;
	}
	e = file_write_fd(ec, fd, path, content.data, content.len);
	if (e == ERR_OK && fsync(fd) != 0)
		e = err_errno(ec, errno, path);
	if (close(fd) != 0 && e == ERR_OK)
		e = err_errno(ec, errno, path);
	if (e == ERR_OK && rename(tmp, path) != 0)
		e = err_errno(ec, errno, path);
	if (e == ERR_OK)
		e = file_sync_parent(ec, path);
	else
		unlink(tmp);
done:
	free(tmp);
	return e;
}

enum err file_make_dir(struct errctx *ec, const char *path)
{
	struct stat st;

	if (mkdir(path, 0700) == 0)
		return ERR_OK;
	if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return ERR_OK;
	return err_errno(ec, errno, path);
}

enum err file_clear_dir(struct errctx *ec, const char *path)
{
	DIR *dir = opendir(path);
	enum err e = dir == NULL ? err_errno(ec, errno, path) : ERR_OK;
	struct dirent *entry = NULL;

	while (e == ERR_OK && (entry = readdir(dir)) != NULL) {
		if (entry->d_type != DT_DIR && unlinkat(dirfd(dir), entry->d_name, 0) != 0 && errno != ENOENT &&
		    errno != EISDIR)
			e = err_errno(ec, errno, path);
	}
	if (dir != NULL)
		closedir(dir);
	return e;
}

enum err file_look(struct errctx *ec, const char *path, bool *there)
{
	struct stat st;

	*there = stat(path, &st) == 0;
	if (*there || errno == ENOENT || errno == ENOTDIR)
		return ERR_OK;
	return err_errno(ec, errno, path);
}

bool file_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}
