// SPDX-License-Identifier: EUPL-1.2
// A command that runs in the owner, seen from the process that was typed: it prints what comes back, opens what is
// asked for, and ends with the same exit status. Before the owner says that it has begun, nothing has happened.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/handed.h"
#include "cli/owner.h"
#include "cli/owner_place.h"
#include "cli/request.h"
#include "cli/wire.h"

#define WAIT_MS (2 * 60 * 1000)

static enum err no_answer(struct errctx *ec, int pid)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", pid);
	return err_set(
	    ec, ERR_LATER,
	    "The vault is kept open by process %1, which is busy or does not answer. Try again later; if that "
	    "does not help, end it with: kill -9 %1",
	    number, NULL, NULL);
}

// The caller's standard input, for the owner to read; an empty one where it is closed.
static int input_copy(const struct io *io)
{
	int fd = fcntl(io->in_fd, F_DUPFD_CLOEXEC, 3);

	return fd >= 0 ? fd : open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static enum err send_request(struct errctx *ec, struct wire *w, const struct owner_request *rq)
{
	char id[OWNER_HOME_ID_LEN];
	struct buf body = { 0 };
	enum err e = owner_home_id(ec, rq->home, id);

	if (e == ERR_OK)
		e = request_put(ec, rq, id, &body);
	if (e == ERR_OK) {
		e = wire_put(w, FRAME_RUN, buf_bytes(&body), input_copy(rq->io));
		if (e != ERR_OK)
			err_errno(ec, ENOMEM, rq->home);
	}
	buf_free(&body);
	return e;
}

// Waits for the owner to begin; *begun is false where it ended first.
static enum err await_start(struct errctx *ec, struct wire *w, int wait_ms, bool *begun)
{
	struct frame_in f;
	enum err e = ERR_OK;

	*begun = false;
	if (!wire_next(w, wait_ms, -1, &f))
		return w->gone ? ERR_OK : ERR_LATER;
	*begun = f.kind == FRAME_STARTED;
	if (f.kind == FRAME_REFUSED)
		e = err_set(
		    ec, ERR_LATER,
		    "The vault is kept open by another version of this program. Type \"sleutelbos lock\" and try "
		    "again.",
		    NULL, NULL, NULL);
	wire_drop(w, &f);
	return e;
}

static void print(FILE *to, const struct frame_in *f)
{
	// A failure stays on the stream, where io_finish() finds it, as in a direct run.
	if (fwrite(f->body.data, 1, f->body.len, to) == f->body.len)
		fflush(to);
}

static enum err follow(struct errctx *ec, struct wire *w, const struct owner_request *rq, struct files *files,
                       int *status)
{
	const struct named named = { rq->argc, rq->argv, !rq->keeps_to_words };
	struct io *io = rq->io;
	struct frame_in f;

	while (wire_next(w, -1, -1, &f)) {
		bool done = f.kind == FRAME_DONE;
		bool known = true;

		if (f.kind == FRAME_OUT)
			print(io->out, &f);
		else if (f.kind == FRAME_ERR)
			print(io->err, &f);
		else if (done)
			*status = (int)(frame_get_int(&f) & 0xFF);
		else
			known = handed_answer(w, &f, io, files, &named);
		if (f.fd >= 0)
			close(f.fd);
		wire_drop(w, &f);
		if (done)
			return ERR_OK;
		if (!known)
			break;
	}
	return err_set(
	    ec, ERR_IO,
	    "The process that kept the vault open ended before it answered. Look whether this was done before "
	    "you do it again.",
	    NULL, NULL, NULL);
}

enum err owner_call(struct errctx *ec, const struct owner_request *rq, int *status, bool *handled)
{
	struct files files;
	struct wire w;
	bool begun = false;
	int fd = -1;
	int pid = 0;
	enum err e = owner_place_connect(ec, rq->home, &fd, &pid);

	*handled = false;
	if (e != ERR_OK || fd < 0)
		return e;
	wire_init(&w, fd);
	files_init(&files);
	e = send_request(ec, &w, rq);
	if (e == ERR_OK)
		e = await_start(ec, &w, rq->wait_ms > 0 ? rq->wait_ms : WAIT_MS, &begun);
	if (e == ERR_LATER)
		no_answer(ec, pid); // unless the reason was told already
	if (e == ERR_OK && begun) {
		*handled = true;
		e = follow(ec, &w, rq, &files, status);
	}
	files_clear(&files);
	wire_clear(&w);
	return e;
}

// ---- Ending it ----

// Waits for the end of a process; false where it still lives after `ms`.
static bool await_end(int pidfd, int ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int n = 0;

	do {
		n = poll(&p, 1, ms);
	} while (n < 0 && errno == EINTR);
	return n == 1;
}

static bool still_connected(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 0;
}

enum err owner_stop(struct errctx *ec, const char *home, int wait_ms, bool *was_there)
{
	int fd = -1;
	int pid = 0;
	int pidfd = -1;
	enum err e = owner_place_connect(ec, home, &fd, &pid);

	*was_there = false;
	if (e != ERR_OK || fd < 0)
		return e;
	pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	// Connected still: then the number belonged to the owner when it was looked up, and to nobody since.
	if (pidfd >= 0 && still_connected(fd)) {
		*was_there = true;
		if (syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0) != 0 && errno != ESRCH)
			e = err_errno(ec, errno, "kill");
		else if (!await_end(pidfd, wait_ms > 0 ? wait_ms : WAIT_MS))
			e = no_answer(ec, pid);
	} else if (still_connected(fd)) {
		*was_there = true;
		e = no_answer(ec, pid);
	}
	if (pidfd >= 0)
		close(pidfd);
	close(fd);
	return e;
}
