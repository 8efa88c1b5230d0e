// SPDX-License-Identifier: EUPL-1.2
// Folders with all that is in them. Removing goes by descriptors, so that a link that is put in between leads nowhere.
#include "base/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* Deeper than anything a home holds: a git repository has five levels. */
#define DEPTH_MAX 32

enum err tree_make(struct errctx *ec, const char *path)
{
	char *copy = strdup(path);
	enum err e = copy == NULL ? err_errno(ec, ENOMEM, path) : ERR_OK;

	for (char *p = copy; e == ERR_OK && p != NULL;) {
		p = strchr(p + 1, '/');
		if (p != NULL)
			*p = '\0';
		if (!file_exists(copy)) {
			e = file_make_dir(ec, copy);
			if (e == ERR_OK)
				e = file_sync_parent(ec, copy);
		}
		if (p != NULL)
			*p = '/';
	}
	free(copy);
	return e;
}

/* 0 or an errno. */
static int remove_at(int dir, const char *name, int depth)
{
	struct dirent *entry = NULL;
	DIR *d = NULL;
	int fd = -1;
	int e = 0;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if ((errno != EISDIR && errno != EPERM) || depth > DEPTH_MAX)
		return errno;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (d == NULL) {
		e = errno;
		if (fd >= 0)
			close(fd);
		return e;
	}
	while (e == 0 && (entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			e = remove_at(dirfd(d), entry->d_name, depth + 1);
	}
	closedir(d);
	if (e == 0 && unlinkat(dir, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
		e = errno;
	return e;
}

enum err tree_remove(struct errctx *ec, const char *path)
{
	int e = remove_at(AT_FDCWD, path, 0);

	return e == 0 ? ERR_OK : err_errno(ec, e, path);
}
