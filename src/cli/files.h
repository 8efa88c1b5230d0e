/* SPDX-License-Identifier: EUPL-1.2 */
/* The files of the person at the keyboard: opened and replaced by the process that was typed, with its rights and its
 * working directory. Every function gives 0 or an errno. */
#ifndef SLB_CLI_FILES_H
#define SLB_CLI_FILES_H

#include <stdbool.h>

#include "cli/io.h"

/* Files being written at once. */
#define FILES_MAX 16

struct files_write {
	int fd;      /* -1: free */
	char *path;  /* what it will be called, symbolic links followed */
	char *temp;  /* NULL: without a name until the commit, or written through directly */
	bool direct; /* a pipe or device: no replacing */
	bool placed; /* IO_HELD: it has its name, and may still be taken back */
	enum io_write_flags flags;
};

struct files {
	struct files_write w[FILES_MAX];
	char *dir; /* the folder that is being made, NULL: none */
};

enum files_kind { FILES_FILE, FILES_DIR, FILES_ANY };

void files_init(struct files *f);
/* Gives up what was not committed. */
void files_clear(struct files *f);

/* EISDIR and ENOTDIR where the kind is another. */
int files_open(const char *path, enum files_kind kind, int *fd, bool *is_dir);
int files_make_dir(const char *path);
/* *fd is the caller's own duplicate; *token names the file until commit or abort. */
int files_write_begin(struct files *f, const char *path, enum io_write_flags flags, int *fd, int *token);
/* The first commit of an IO_HELD file gives it its name, the second keeps it; an abort between them removes it. Where
 * neither comes it stays. */
int files_write_commit(struct files *f, int token);
int files_write_abort(struct files *f, int token);

/* A folder that appears as a whole: what is to stand in it is written to files_part_of(path), which gets its name at
 * the commit. One at a time. Begin: ENOTEMPTY where the folder has something in it, EEXIST where something else has its
 * name, EBUSY where the part is there already and not empty. Nothing is ever overwritten. */
int files_dir_begin(struct files *f, const char *path);
int files_dir_commit(struct files *f);
/* Removes the part with the files in it. */
void files_dir_abort(struct files *f);
/* "out/" becomes "out.part"; fresh memory, NULL when out of it. */
char *files_part_of(const char *path);

#endif
