// SPDX-License-Identifier: EUPL-1.2
// Where a command reads and writes. What can go wrong with a path is put into words here, once, so that a direct run
// and one in the owner say the same.
#include "cli/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cli/handed.h"
#include "cli/io_ops.h"

static enum err path_error(struct errctx *ec, int e, const char *path)
{
	switch (e) {
	case 0:
		return ERR_OK;
	case EISDIR:
		return err_set(ec, ERR_INPUT, "%1 is a folder. Give the name of a file.", path, NULL, NULL);
	case ENOTDIR:
		return err_set(ec, ERR_INPUT, "%1 is not a folder, or a part of this name is not one.", path, NULL,
		               NULL);
	case EEXIST:
		return err_set(ec, ERR_REFUSED, "%1 exists already. Give another name, or move it away first.", path,
		               NULL, NULL);
	case ENOTEMPTY:
		return err_set(ec, ERR_REFUSED,
		               "There is something in the folder %1 already. Give another name, or empty it first.",
		               path, NULL, NULL);
	case EBUSY:
		return err_set(ec, ERR_REFUSED,
		               "%1 is in use, or left by a run that was stopped. Look what it is and remove it.", path,
		               NULL, NULL);
	case EACCES:
	case EPERM:
	case EROFS:
		return err_set(ec, ERR_IO, "%1 may not be read or written with your rights.", path, NULL, NULL);
	case ECANCELED:
		return err_set(ec, ERR_IO, "The terminal that asked for %1 has gone.", path, NULL, NULL);
	default:
		return err_errno(ec, e, path);
	}
}

static bool is_standard(const char *path)
{
	return strcmp(path, "-") == 0;
}

static enum err open_kind(struct io *io, struct errctx *ec, const char *path, enum files_kind kind, int *fd,
                          bool *is_dir)
{
	if (is_standard(path) && kind != FILES_DIR) {
		*is_dir = false;
		*fd = fcntl(io->in_fd, F_DUPFD_CLOEXEC, 3);
		return path_error(ec, *fd < 0 ? errno : 0, path);
	}
	return path_error(ec, io->ops->open(io->self, path, kind, fd, is_dir), path);
}

enum err io_open_read(struct io *io, struct errctx *ec, const char *path, int *fd)
{
	bool is_dir = false;

	return open_kind(io, ec, path, FILES_FILE, fd, &is_dir);
}

enum err io_open_dir(struct io *io, struct errctx *ec, const char *path, int *fd)
{
	bool is_dir = false;

	return open_kind(io, ec, path, FILES_DIR, fd, &is_dir);
}

enum err io_open_any(struct io *io, struct errctx *ec, const char *path, int *fd, bool *is_dir)
{
	return open_kind(io, ec, path, FILES_ANY, fd, is_dir);
}

enum err io_make_dir(struct io *io, struct errctx *ec, const char *path)
{
	return path_error(ec, io->ops->make_dir(io->self, path), path);
}

enum err io_write_begin(struct io *io, struct errctx *ec, const char *path, enum io_write_flags flags,
                        struct io_write *w)
{
	int fd = -1;
	int e = 0;

	*w = (struct io_write){ .token = -1 };
	if (is_standard(path)) {
		w->file = io->out;
		return ERR_OK;
	}
	w->path = strdup(path);
	if (w->path == NULL)
		return err_errno(ec, ENOMEM, path);
	e = io->ops->write_begin(io->self, path, flags, &fd, &w->token);
	if (e == 0) {
		w->file = fdopen(fd, "w");
		if (w->file == NULL) {
			e = errno;
			close(fd);
		}
	}
	if (e != 0)
		io_write_abort(io, w);
	return path_error(ec, e, path);
}

// Everything that was written is with the system.
static enum err write_flush(struct errctx *ec, const struct io_write *w)
{
	// A write that failed earlier leaves only the mark on the stream; then the disk was full or broken.
	if (ferror(w->file) != 0)
		return err_set(ec, ERR_NO_SPACE, "%1 could not be written whole. Is the disk full?", w->path, NULL,
		               NULL);
	return fflush(w->file) != 0 ? path_error(ec, errno, w->path) : ERR_OK;
}

enum err io_write_place(struct io *io, struct errctx *ec, struct io_write *w)
{
	enum err e = w->token < 0 ? ERR_OK : write_flush(ec, w);

	return e == ERR_OK && w->token >= 0 ? path_error(ec, io->ops->write_commit(io->self, w->token), w->path) : e;
}

enum err io_write_commit(struct io *io, struct errctx *ec, struct io_write *w)
{
	enum err e = ERR_OK;

	if (w->token < 0) {
		*w = (struct io_write){ .token = -1 };
		return ERR_OK;
	}
	e = write_flush(ec, w);
	if (e == ERR_OK) {
		e = path_error(ec, io->ops->write_commit(io->self, w->token), w->path);
		w->token = -1;
	}
	io_write_abort(io, w);
	return e;
}

void io_write_abort(struct io *io, struct io_write *w)
{
	if (w->file != NULL && w->path != NULL)
		fclose(w->file);
	if (w->token >= 0 && w->path != NULL)
		io->ops->write_abort(io->self, w->token);
	free(w->path);
	*w = (struct io_write){ .token = -1 };
}

enum err io_dir_begin(struct io *io, struct errctx *ec, const char *path, struct io_dir *d)
{
	int e = 0;

	*d = (struct io_dir){ 0 };
	d->path = strdup(path);
	d->part = files_part_of(path);
	if (d->path == NULL || d->part == NULL)
		e = ENOMEM;
	else
		e = io->ops->dir_begin(io->self, path);
	if (e == 0)
		return ERR_OK;
	e = (int)path_error(ec, e, e == EBUSY ? d->part : path);
	free(d->path);
	free(d->part);
	*d = (struct io_dir){ 0 };
	return (enum err)e;
}

enum err io_dir_commit(struct io *io, struct errctx *ec, struct io_dir *d)
{
	enum err e = path_error(ec, io->ops->dir_commit(io->self), d->path);

	if (e != ERR_OK) {
		io_dir_abort(io, d);
		return e;
	}
	free(d->path);
	free(d->part);
	*d = (struct io_dir){ 0 };
	return ERR_OK;
}

void io_dir_abort(struct io *io, struct io_dir *d)
{
	if (d->path != NULL)
		io->ops->dir_abort(io->self);
	free(d->path);
	free(d->part);
	*d = (struct io_dir){ 0 };
}

// Reads on; at the end of the input sets l->end.
static enum err lines_fill(struct io *io, struct errctx *ec, struct io_lines *l)
{
	ssize_t n = 0;

	if (l->pos > 0) {
		l->buf.len -= l->pos;
		memmove(l->buf.data, l->buf.data + l->pos, l->buf.len);
		l->pos = 0;
	}
	if (buf_reserve(&l->buf, 65536 + 1) != ERR_OK)
		return err_errno(ec, ENOMEM, l->name);
	if (!io->ops->wait_input(io->self, l->fd)) {
		l->buf.len = 0;
		l->end = true;
		return ERR_OK;
	}
	n = read(l->fd, l->buf.data + l->buf.len, 65536);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? ERR_OK : path_error(ec, errno, l->name);
	l->buf.len += (size_t)n;
	l->end = n == 0;
	return ERR_OK;
}

// The line that begins at l->pos and is `len` bytes long; ends it with a NUL over its newline.
static enum err line_give(struct errctx *ec, struct io_lines *l, size_t len, char **text)
{
	char *s = (char *)l->buf.data + l->pos;
	char number[16];

	l->line++;
	snprintf(number, sizeof(number), "%u", l->line);
	if (len > 0 && s[len - 1] == '\r')
		len--;
	s[len] = '\0';
	if (!utf8_valid(s, len))
		return err_set(ec, ERR_INPUT, "%1, line %2: this is not readable text. Save the file as UTF-8.",
		               l->name, number, NULL);
	*text = s;
	return ERR_OK;
}

enum err io_lines_next(struct io *io, struct errctx *ec, struct io_lines *l, char **text, bool *more)
{
	size_t seen = 0;

	*text = NULL;
	*more = false;
	for (;;) {
		size_t have = l->buf.len - l->pos;
		const uint8_t *nl = have == seen ? NULL : memchr(l->buf.data + l->pos + seen, '\n', have - seen);
		size_t len = nl != NULL ? (size_t)(nl - (l->buf.data + l->pos)) : have;
		enum err e = ERR_OK;

		if (len > IO_LINE_MAX)
			return err_set(ec, ERR_INPUT, "%1 has a line of more than one million bytes.", l->name, NULL,
			               NULL);
		if (nl != NULL || (l->end && have > 0)) {
			*more = true;
			e = line_give(ec, l, len, text);
			l->pos += nl != NULL ? len + 1 : len;
			return e;
		}
		if (l->end)
			return ERR_OK;
		seen = have;
		e = lines_fill(io, ec, l);
		if (e != ERR_OK)
			return e;
	}
}

void io_lines_clear(struct io_lines *l)
{
	buf_free(&l->buf);
}

bool io_caller_gone(struct io *io)
{
	return io->ops->gone(io->self);
}

int io_finish(struct io *io, struct errctx *ec, int status)
{
	if (fflush(io->out) == 0 && ferror(io->out) == 0)
		return status;
	if (status > 1)
		return status;
	err_clear(ec);
	return err_exit_status(
	    err_set(ec, ERR_IO, "Not everything that was printed arrived. Is the disk full?", NULL, NULL, NULL));
}

// ---- In the process that was typed ----

static int direct_open(void *self, const char *path, enum files_kind kind, int *fd, bool *is_dir)
{
	return files_open(path, kind, fd, is_dir);
}

static int direct_make_dir(void *self, const char *path)
{
	return files_make_dir(path);
}

static int direct_write_begin(void *self, const char *path, enum io_write_flags flags, int *fd, int *token)
{
	return files_write_begin(self, path, flags, fd, token);
}

static int direct_write_commit(void *self, int token)
{
	return files_write_commit(self, token);
}

static void direct_write_abort(void *self, int token)
{
	files_write_abort(self, token);
}

static int direct_dir_begin(void *self, const char *path)
{
	return files_dir_begin(self, path);
}

static int direct_dir_commit(void *self)
{
	return files_dir_commit(self);
}

static void direct_dir_abort(void *self)
{
	files_dir_abort(self);
}

static struct passphrase_result direct_passphrase(void *self, const struct passphrase_ask *ask, struct secret_text *out)
{
	return passphrase_fetch(ask, out);
}

static bool direct_wait_input(void *self, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	// What cannot be polled says so when it is read.
	while (poll(&p, 1, -1) < 0 && errno == EINTR)
		;
	return true;
}

static bool direct_gone(void *self)
{
	return false;
}

static const struct io_ops direct_ops = {
	.open = direct_open,
	.make_dir = direct_make_dir,
	.write_begin = direct_write_begin,
	.write_commit = direct_write_commit,
	.write_abort = direct_write_abort,
	.dir_begin = direct_dir_begin,
	.dir_commit = direct_dir_commit,
	.dir_abort = direct_dir_abort,
	.passphrase = direct_passphrase,
	.wait_input = direct_wait_input,
	.gone = direct_gone,
};

// The files of another process, the terminal and the passphrases of this one.
void io_through(struct io *io, struct handed *h)
{
	static struct io_ops ops;

	ops = direct_ops;
	handed_files(&ops);
	io->ops = &ops;
	io->self = h;
}

// A descriptor below 3 that was closed would be given to the next file opened, which then got the printed text.
static void fill_standard(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			abort();
}

void io_direct(struct io *io, const char *lang)
{
	static struct files of_this_process;
	static bool begun;

	if (!begun) {
		fill_standard();
		files_init(&of_this_process);
		begun = true;
	}
	*io = (struct io){ .out = stdout,
		           .err = stderr,
		           .in_fd = STDIN_FILENO,
		           .lang = lang,
		           .in_is_tty = isatty(STDIN_FILENO) != 0,
		           .out_is_tty = isatty(STDOUT_FILENO) != 0,
		           .err_is_tty = isatty(STDERR_FILENO) != 0,
		           .ops = &direct_ops,
		           .self = &of_this_process };
}
