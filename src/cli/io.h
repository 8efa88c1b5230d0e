/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Where a command reads and writes. A command never touches stdout, stdin or a path of its own accord, so that the
 * same code runs in the process that was typed or in the owner of the open vault (cli/owner.h) for somebody else's
 * terminal: paths are always those of the caller, opened by the caller's process with the caller's rights.
 *
 * `out` and `err` are ordinary streams and binary-safe. Where the command was handed over and the caller has gone,
 * what is written is dropped and nothing fails: the command finishes.
 *
 * A struct io may be copied by value (another language for one line of `run`); copies share everything behind it.
 */
#ifndef SLB_CLI_IO_H
#define SLB_CLI_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "app/secret_text.h"
#include "base/buf.h"
#include "base/err.h"

struct io_ops;

struct io {
	FILE *out;
	FILE *err;
	int in_fd;        /* standard input; read it with io_lines_* or after io_open_read(io, ec, "-", ...) */
	const char *lang; /* "nl", "en", "ar" or "tr"; static storage */
	bool json;
	bool quiet;
	bool in_is_tty;
	bool out_is_tty;
	bool err_is_tty;
	bool handed_over; /* runs in the owner, for another process */
	const struct io_ops *ops;
	void *self;
};

/* The io of this very process: stdout, stderr, descriptor 0. `lang` is static, as lang_name() gives it. */
void io_direct(struct io *io, const char *lang);

/* Opens for reading; "-" is standard input (a duplicate). The caller closes *fd. ERR_NOT_FOUND where there is none,
 * ERR_INPUT where it is a folder, ERR_IO else. *fd is -1 on failure. */
enum err io_open_read(struct io *io, struct errctx *ec, const char *path, int *fd) MUST_CHECK;
/* The same for a folder (O_DIRECTORY; use it with openat). ERR_INPUT where it is not one. */
enum err io_open_dir(struct io *io, struct errctx *ec, const char *path, int *fd) MUST_CHECK;
/* As io_open_read, but either a file or a folder (`service import PATH`); *is_dir tells which. */
enum err io_open_any(struct io *io, struct errctx *ec, const char *path, int *fd, bool *is_dir) MUST_CHECK;
/* Makes one folder, mode 0700, in an existing one; an existing folder is fine. */
enum err io_make_dir(struct io *io, struct errctx *ec, const char *path) MUST_CHECK;

enum io_write_flags {
	IO_REPLACE = 0, /* an existing regular file is replaced as a whole at commit, and keeps its mode */
	IO_NEW = 1,     /* an existing file is ERR_REFUSED, at begin or, where it appeared meanwhile, at commit */
	IO_HELD = 2,    /* io_write_place() makes it durable under its name; an abort after that removes it again */
};

/* A file being written. Until the commit nothing of it is visible under its name; a new file has mode 0600.
 * Pipes and devices are written through directly. "-" is `io->out`. */
struct io_write {
	FILE *file; /* write here; never close it yourself */
	char *path; /* as given, for error texts */
	int token;  /* -1: standard output */
};

/* On failure *w is empty, and abort of an empty one does nothing. */
enum err io_write_begin(struct io *io, struct errctx *ec, const char *path, enum io_write_flags flags,
                        struct io_write *w) MUST_CHECK;
/* Flushes, fsyncs, puts it under its name, fsyncs the folder; *w is empty afterwards, also on failure (then the old
 * file is still there). */
enum err io_write_commit(struct io *io, struct errctx *ec, struct io_write *w) MUST_CHECK;
void io_write_abort(struct io *io, struct io_write *w);
/* For a file of which the worth is decided by what follows (IO_HELD with IO_NEW): flushes, fsyncs, puts it under its
 * name, fsyncs the folder, and leaves *w for io_write_commit(), which keeps it, or io_write_abort(). After a failure
 * only the abort is left. */
enum err io_write_place(struct io *io, struct errctx *ec, struct io_write *w) MUST_CHECK;

/* A folder with several files, all of it or nothing: write each with io_write_begin(part/NAME, IO_NEW) and commit it,
 * then commit the folder. Until then it does not exist under its name; it has mode 0700. */
struct io_dir {
	char *path; /* as given, for error texts */
	char *part; /* where its files are written meanwhile: the name with ".part" behind it */
};

/* ERR_REFUSED where the folder is there and not empty, where a file has its name, or where the part of an earlier run
 * is still there. On failure *d is empty, and abort of an empty one does nothing. */
enum err io_dir_begin(struct io *io, struct errctx *ec, const char *path, struct io_dir *d) MUST_CHECK;
/* *d is empty afterwards; after a failure nothing is left behind. */
enum err io_dir_commit(struct io *io, struct errctx *ec, struct io_dir *d) MUST_CHECK;
void io_dir_abort(struct io *io, struct io_dir *d);

/* Lines of a text from a descriptor, each at most IO_LINE_MAX bytes, as they arrive: works for a pipe somebody writes
 * into one line at a time. */
#define IO_LINE_MAX (1024 * 1024)
struct io_lines {
	int fd;           /* borrowed */
	const char *name; /* for error texts, borrowed */
	unsigned line;    /* number of the line given last, from 1 */
	struct buf buf;
	size_t pos;
	bool end;
};
/* Start with `struct io_lines l = { .fd = fd, .name = name }`. *text is without its newline (LF or CR LF), followed by
 * a NUL, and valid until the next call; *more is false at the end of the input. ERR_INPUT for a line too long, a NUL
 * byte or text that is not UTF-8. Where the caller has gone the input ends. */
enum err io_lines_next(struct io *io, struct errctx *ec, struct io_lines *l, char **text, bool *more) MUST_CHECK;
void io_lines_clear(struct io_lines *l);

/* True once the caller is gone (Ctrl-C there, a closed terminal): long work stops at its next safe point. In a direct
 * run always false: there Ctrl-C simply ends the process. */
bool io_caller_gone(struct io *io);

/* Last step of every run, in the process that was typed: flushes `out`, and where what was printed did not arrive
 * (full disk) says so in `ec` and gives exit status 9 in place of a 0 or 1. Returns the exit status. */
int io_finish(struct io *io, struct errctx *ec, int status);

#endif
