// SPDX-License-Identifier: EUPL-1.2
// A command in the owner, and its caller. Output goes back in frames and not through the caller's descriptors: what a
// command still prints after Ctrl-C must not appear on the terminal, and a pager that waits must not hold up others.
#include "cli/handed.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/io_ops.h"

// What a caller may be behind in reading before its command waits for it.
#define UNSENT_MAX (8u * 1024 * 1024)
#define OUT_STEP 65536u

// ---- In the owner: what is printed ----

static ssize_t print(struct handed *h, enum frame kind, const char *data, size_t len)
{
	struct wire *w = h->w;

	for (size_t at = 0; at < len && !w->gone; at += OUT_STEP) {
		size_t n = len - at < OUT_STEP ? len - at : OUT_STEP;

		if (wire_put(w, kind, (struct bytes){ (const uint8_t *)data + at, n }, -1) != ERR_OK)
			w->gone = true;
	}
	wire_send(w);
	if (!w->gone && wire_unsent(w) > UNSENT_MAX)
		wire_send_down_to(w, UNSENT_MAX / 2, h->limits.person_ms, h->stop);
	return (ssize_t)len;
}

static ssize_t print_out(void *self, const char *data, size_t len)
{
	return print(self, FRAME_OUT, data, len);
}

static ssize_t print_err(void *self, const char *data, size_t len)
{
	return print(self, FRAME_ERR, data, len);
}

// ---- In the owner: what is asked of the caller ----

// Sends a question and waits for its answer; false where none comes. On success the caller drops *f.
static bool ask(struct handed *h, enum frame kind, const struct buf *body, int ms, struct frame_in *f)
{
	struct wire *w = h->w;
	struct pollfd stop = { .fd = h->stop, .events = POLLIN };

	if (w->gone || h->stopping || wire_put(w, kind, buf_bytes(body), -1) != ERR_OK)
		return false;
	if (!wire_next(w, ms, h->stop, f)) {
		if (!w->gone && poll(&stop, 1, 0) == 1)
			h->stopping = true;
		else
			w->gone = true;
		return false;
	}
	if (f->kind == FRAME_ANSWER)
		return true;
	if (f->fd >= 0)
		close(f->fd);
	wire_drop(w, f);
	w->gone = true;
	return false;
}

// The simple question: a path (NULL: none) and a number; the answer: an errno, a number and perhaps a descriptor.
struct question {
	enum frame kind;
	const char *path;
	uint32_t number;
};
struct answer {
	uint32_t number;
	int fd;
};

static int ask_simple(struct handed *h, const struct question *q, struct answer *a)
{
	struct buf body = { 0 };
	struct frame_in f;
	int result = ECANCELED;

	*a = (struct answer){ .fd = -1 };
	if (frame_put_int(&body, q->number) != ERR_OK ||
	    frame_put_text(&body, q->path != NULL ? q->path : "") != ERR_OK)
		result = ENOMEM;
	else if (ask(h, q->kind, &body, h->limits.answer_ms, &f)) {
		uint32_t errnum = frame_get_int(&f);

		a->number = frame_get_int(&f);
		a->fd = f.fd;
		result = frame_ended(&f) && errnum < 4096 ? (int)errnum : EPROTO;
		wire_drop(h->w, &f);
	}
	if (result != 0 && a->fd >= 0) {
		close(a->fd);
		a->fd = -1;
	}
	buf_free(&body);
	return result;
}

static int far_open(void *self, const char *path, enum files_kind kind, int *fd, bool *is_dir)
{
	struct question q = { FRAME_OPEN, path, (uint32_t)kind };
	struct answer a;
	int e = ask_simple(self, &q, &a);

	*fd = a.fd;
	*is_dir = a.number != 0;
	return e == 0 && a.fd < 0 ? EPROTO : e;
}

static int far_make_dir(void *self, const char *path)
{
	struct question q = { FRAME_MAKE_DIR, path, 0 };
	struct answer a;

	return ask_simple(self, &q, &a);
}

static int far_write_begin(void *self, const char *path, enum io_write_flags flags, int *fd, int *token)
{
	struct question q = { FRAME_WRITE_BEGIN, path, (uint32_t)flags };
	struct answer a;
	int e = ask_simple(self, &q, &a);

	*fd = a.fd;
	*token = e == 0 ? (int)(a.number % FILES_MAX) : -1;
	return e == 0 && a.fd < 0 ? EPROTO : e;
}

static int far_write_commit(void *self, int token)
{
	struct question q = { FRAME_WRITE_COMMIT, NULL, (uint32_t)token };
	struct answer a;

	return ask_simple(self, &q, &a);
}

static void far_write_abort(void *self, int token)
{
	struct question q = { FRAME_WRITE_ABORT, NULL, (uint32_t)token };
	struct answer a;

	// Where no answer comes the caller has gone, and its unfinished files with it.
	(void)ask_simple(self, &q, &a);
}

static int far_dir_begin(void *self, const char *path)
{
	struct question q = { FRAME_DIR_BEGIN, path, 0 };
	struct answer a;

	return ask_simple(self, &q, &a);
}

static int far_dir_commit(void *self)
{
	struct question q = { FRAME_DIR_COMMIT, NULL, 0 };
	struct answer a;

	return ask_simple(self, &q, &a);
}

static void far_dir_abort(void *self)
{
	struct question q = { FRAME_DIR_ABORT, NULL, 0 };
	struct answer a;

	// As with a file: where the caller has gone, its unfinished folder went too.
	(void)ask_simple(self, &q, &a);
}

static enum err put_maybe(struct buf *body, const char *s)
{
	enum err e = frame_put_int(body, s != NULL);

	return e == ERR_OK ? frame_put_text(body, s != NULL ? s : "") : e;
}

static struct passphrase_result far_passphrase(void *self, const struct passphrase_ask *a, struct secret_text *out)
{
	struct handed *h = self;
	struct passphrase_result r = { PASSPHRASE_GONE, 0 };
	struct buf body = { 0 };
	struct frame_in f;

	if (put_maybe(&body, a->file) != ERR_OK || put_maybe(&body, a->fd) != ERR_OK ||
	    put_maybe(&body, a->prompt) != ERR_OK || put_maybe(&body, a->again) != ERR_OK) {
		r.problem = PASSPHRASE_MEMORY;
	} else if (ask(h, FRAME_PASSPHRASE, &body, h->limits.person_ms, &f)) {
		uint32_t problem = frame_get_int(&f);
		uint32_t errnum = frame_get_int(&f);
		struct bytes text = frame_get_bytes(&f);

		if (frame_ended(&f) && problem < PASSPHRASE_PROBLEMS && errnum < 4096 && text.len <= SECRET_TEXT_MAX) {
			r = (struct passphrase_result){ (enum passphrase_problem)problem, (int)errnum };
			if (text.len > 0)
				memcpy(out->text, text.data, text.len);
			out->len = text.len;
		}
		if (f.fd >= 0)
			close(f.fd);
		wire_drop(h->w, &f);
	}
	buf_free(&body);
	return r;
}

static bool far_gone(void *self)
{
	struct handed *h = self;
	struct pollfd stop = { .fd = h->stop, .events = POLLIN };

	if (poll(&stop, 1, 0) == 1)
		h->stopping = true;
	wire_receive(h->w);
	return h->stopping || h->w->gone;
}

static bool far_wait_input(void *self, int fd)
{
	struct handed *h = self;

	for (;;) {
		struct pollfd p[3] = { { .fd = fd, .events = POLLIN },
			               { .fd = h->w->fd, .events = POLLIN },
			               { .fd = h->stop, .events = POLLIN } };

		// What was printed so far is due before the next line is awaited.
		wire_send(h->w);
		if (h->stopping || h->w->gone)
			return false;
		if (wire_unsent(h->w) > 0)
			p[1].events |= POLLOUT;
		if (poll(p, 3, -1) < 0)
			continue;
		if (p[0].revents != 0)
			return true;
		if (far_gone(h))
			return false;
	}
}

static const struct io_ops far_ops = {
	.open = far_open,
	.make_dir = far_make_dir,
	.write_begin = far_write_begin,
	.write_commit = far_write_commit,
	.write_abort = far_write_abort,
	.dir_begin = far_dir_begin,
	.dir_commit = far_dir_commit,
	.dir_abort = far_dir_abort,
	.passphrase = far_passphrase,
	.wait_input = far_wait_input,
	.gone = far_gone,
};

void handed_files(struct io_ops *ops)
{
	ops->open = far_open;
	ops->make_dir = far_make_dir;
	ops->write_begin = far_write_begin;
	ops->write_commit = far_write_commit;
	ops->write_abort = far_write_abort;
	ops->dir_begin = far_dir_begin;
	ops->dir_commit = far_dir_commit;
	ops->dir_abort = far_dir_abort;
}

enum err handed_open(struct handed *h, const struct request *rq, struct io *io)
{
	cookie_io_functions_t out = { .write = print_out };
	cookie_io_functions_t err = { .write = print_err };

	*io = (struct io){ .in_fd = rq->in_fd,
		           .lang = rq->lang,
		           .json = (rq->flags & REQUEST_JSON) != 0,
		           .quiet = (rq->flags & REQUEST_QUIET) != 0,
		           .in_is_tty = (rq->flags & REQUEST_IN_TTY) != 0,
		           .out_is_tty = (rq->flags & REQUEST_OUT_TTY) != 0,
		           .err_is_tty = (rq->flags & REQUEST_ERR_TTY) != 0,
		           .handed_over = true,
		           .ops = &far_ops,
		           .self = h };
	io->out = fopencookie(h, "w", out);
	io->err = fopencookie(h, "w", err);
	if (io->out == NULL || io->err == NULL) {
		handed_close(io);
		return ERR_NO_MEMORY;
	}
	// As the standard streams of a process are, so that both arrive in the order of a direct run.
	if (io->out_is_tty)
		setvbuf(io->out, h->out_buffer, _IOLBF, 1024);
	else
		setvbuf(io->out, h->out_buffer, _IOFBF, sizeof(h->out_buffer));
	setvbuf(io->err, NULL, _IONBF, 0);
	return ERR_OK;
}

void handed_close(struct io *io)
{
	struct handed *h = io->self;

	if (io->out != NULL)
		fclose(io->out);
	if (io->err != NULL)
		fclose(io->err);
	io->out = NULL;
	io->err = NULL;
	explicit_bzero(h->out_buffer, sizeof(h->out_buffer));
}

// ---- In the caller ----

static void answer_simple(struct wire *w, int errnum, uint32_t number, int fd)
{
	struct buf body = { 0 };

	if (frame_put_int(&body, (uint32_t)errnum) != ERR_OK || frame_put_int(&body, number) != ERR_OK) {
		w->gone = true;
		if (fd >= 0)
			close(fd);
	} else if (wire_put(w, FRAME_ANSWER, buf_bytes(&body), fd) != ERR_OK) {
		w->gone = true;
	}
	buf_free(&body);
}

// Frames that name a file of the person's.
static bool allowed(const struct frame_in *f, const char *path, uint32_t number, const struct named *named)
{
	if (f->kind == FRAME_OPEN)
		return named_has(named, path, number % 3 == FILES_DIR);
	if (f->kind == FRAME_MAKE_DIR || f->kind == FRAME_WRITE_BEGIN || f->kind == FRAME_DIR_BEGIN)
		return named_has(named, path, false);
	return true;
}

static void answer_file(struct wire *w, struct frame_in *f, struct files *files, const struct named *named)
{
	uint32_t number = frame_get_int(f);
	char *path = frame_get_text(f);
	int token = -1;
	int fd = -1;
	bool is_dir = false;
	int e = EPROTO;

	if (path == NULL || !frame_ended(f)) {
		answer_simple(w, e, 0, -1);
	} else if (!allowed(f, path, number, named)) {
		answer_simple(w, EACCES, 0, -1);
	} else if (f->kind == FRAME_OPEN) {
		e = files_open(path, (enum files_kind)(number % 3), &fd, &is_dir);
		answer_simple(w, e, is_dir, fd);
	} else if (f->kind == FRAME_MAKE_DIR) {
		answer_simple(w, files_make_dir(path), 0, -1);
	} else if (f->kind == FRAME_WRITE_BEGIN) {
		e = files_write_begin(files, path, (enum io_write_flags)(number & (IO_NEW | IO_HELD)), &fd, &token);
		answer_simple(w, e, (uint32_t)token, fd);
	} else if (f->kind == FRAME_DIR_BEGIN) {
		answer_simple(w, files_dir_begin(files, path), 0, -1);
	} else if (f->kind == FRAME_DIR_COMMIT) {
		answer_simple(w, files_dir_commit(files), 0, -1);
	} else if (f->kind == FRAME_DIR_ABORT) {
		files_dir_abort(files);
		answer_simple(w, 0, 0, -1);
	} else if (f->kind == FRAME_WRITE_COMMIT) {
		answer_simple(w, files_write_commit(files, (int)(number & 0xFFFF)), 0, -1);
	} else {
		answer_simple(w, files_write_abort(files, (int)(number & 0xFFFF)), 0, -1);
	}
	free(path);
}

// A text or NULL, as put_maybe() wrote it; *own is to be freed.
static const char *get_maybe(struct frame_in *f, char **own)
{
	bool there = frame_get_int(f) != 0;

	*own = frame_get_text(f);
	return there ? *own : NULL;
}

static void answer_passphrase(struct wire *w, struct frame_in *f, struct io *io, const struct named *named)
{
	struct secret_text *s = secret_text_new();
	struct passphrase_result r = { PASSPHRASE_MEMORY, 0 };
	struct passphrase_ask a = { .look = TYPED_HIDDEN };
	struct buf body = { 0 };
	char *own[4] = { NULL };
	enum err e = ERR_OK;

	a.file = get_maybe(f, &own[0]);
	a.fd = get_maybe(f, &own[1]);
	a.prompt = get_maybe(f, &own[2]);
	a.again = get_maybe(f, &own[3]);
	if (a.file != NULL && !named_has(named, a.file, false))
		r = (struct passphrase_result){ PASSPHRASE_SOURCE, EACCES };
	else if (s != NULL && frame_ended(f) && a.prompt != NULL)
		r = io->ops->passphrase(io->self, &a, s);
	e = frame_put_int(&body, (uint32_t)r.problem);
	if (e == ERR_OK)
		e = frame_put_int(&body, (uint32_t)r.errnum);
	if (e == ERR_OK)
		e = frame_put_text(&body, r.problem == PASSPHRASE_FINE ? s->text : "");
	if (e != ERR_OK || wire_put(w, FRAME_ANSWER, buf_bytes(&body), -1) != ERR_OK)
		w->gone = true;
	for (int i = 0; i < 4; i++)
		free(own[i]);
	buf_free(&body);
	secret_text_free(s);
}

bool handed_answer(struct wire *w, struct frame_in *f, struct io *io, struct files *files, const struct named *named)
{
	switch (f->kind) {
	case FRAME_OPEN:
	case FRAME_MAKE_DIR:
	case FRAME_WRITE_BEGIN:
	case FRAME_WRITE_COMMIT:
	case FRAME_WRITE_ABORT:
	case FRAME_DIR_BEGIN:
	case FRAME_DIR_COMMIT:
	case FRAME_DIR_ABORT:
		answer_file(w, f, files, named);
		return true;
	case FRAME_PASSPHRASE:
		answer_passphrase(w, f, io, named);
		return true;
	default:
		return false;
	}
}
