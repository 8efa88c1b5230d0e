// SPDX-License-Identifier: EUPL-1.2
// Loaded into a program of ours (LD_PRELOAD): at the first call that it makes of SQLite or of libgit2 it does what
// somebody would who had taken it over there (support/tries.h), and leaves in the file SLB_TRIES_OUT one line for each:
// "refused WHAT" or "done WHAT". SLB_TRIES_DIR: the folder with what it tries at; the one it may use is that of the
// file.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/tries.h"

static void try_all(void)
{
	static int once;
	const char *out = getenv("SLB_TRIES_OUT");
	const char *dir = getenv("SLB_TRIES_DIR");
	const char *port = getenv("SLB_TRIES_PORT");
	struct tries t = { .port = port == NULL ? 1 : atoi(port) };
	int fd = out == NULL || dir == NULL || once++ > 0 ? -1 : open(out, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (fd < 0)
		return;
	snprintf(t.folder, sizeof(t.folder), "%s", dir);
	snprintf(t.file, sizeof(t.file), "%.240s/file", dir);
	snprintf(t.inside, sizeof(t.inside), "%s", out);
	*strrchr(t.inside, '/') = '\0';
	for (size_t i = 0; i < tries_count; i++) {
		int e = tries[i].act(&t);

		dprintf(fd, "%s\t%s\t%d\n", e == 0 ? "done" : "refused", tries[i].what, e);
	}
	close(fd);
}

int sqlite3_open_v2(const char *name, void **db, int flags, const char *vfs);
int sqlite3_open_v2(const char *name, void **db, int flags, const char *vfs)
{
	int (*real)(const char *, void **, int, const char *) = NULL;
	void *found = dlsym(RTLD_NEXT, "sqlite3_open_v2");

	memcpy(&real, &found, sizeof(real));
	try_all();
	return real(name, db, flags, vfs);
}

int git_repository_open_bare(void **out, const char *path);
int git_repository_open_bare(void **out, const char *path)
{
	int (*real)(void **, const char *) = NULL;
	void *found = dlsym(RTLD_NEXT, "git_repository_open_bare");

	memcpy(&real, &found, sizeof(real));
	try_all();
	return real(out, path);
}
