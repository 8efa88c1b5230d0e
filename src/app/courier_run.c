// SPDX-License-Identifier: EUPL-1.2
// Starts and watches the courier from outside: it gets no descriptor, no environment and no memory of ours, and it is
// ended when it is silent or takes too long. What it says is parsed strictly, because it has talked to strangers.
#include "app/courier_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/patience.h"
#include "app/starter.h"
#include "base/file.h"

/* How long somebody who is served meanwhile waits at most for a turn that no descriptor announces. */
#define MEANWHILE_MS 100

static const struct courier_meanwhile *meanwhile;

void courier_meanwhile_set(const struct courier_meanwhile *m)
{
	meanwhile = m;
}

/* The job as a file in memory: a pipe could block, or kill us, when the courier dies early. */
static enum err job_file(struct errctx *ec, const struct job *job, int *out)
{
	struct buf text = { 0 };
	enum err e = job_write(ec, job, &text);
	int fd = -1;

	if (e == ERR_OK) {
		fd = memfd_create("courier-job", MFD_CLOEXEC);
		if (fd < 0)
			e = err_errno(ec, errno, "the courier's job");
	}
	if (e == ERR_OK)
		e = file_write_fd(ec, fd, "the courier's job", text.data, text.len);
	if (e == ERR_OK && lseek(fd, 0, SEEK_SET) != 0)
		e = err_errno(ec, errno, "the courier's job");
	if (e != ERR_OK && fd >= 0) {
		close(fd);
		fd = -1;
	}
	*out = fd;
	buf_free(&text);
	return e;
}

/* Waits for the end of a courier that closed its report or was killed. True where it ended with a status of its own
 * choosing; false of one that is stuck in the kernel. */
static bool reap(pid_t pid)
{
	int status = 0;
	int got = starter_reap(pid, &status);

	if (got < 0)
		return true; /* reaped by somebody else: nothing is known against it */
	return got == 1 && WIFEXITED(status) &&
	       (WEXITSTATUS(status) == 0 || (WEXITSTATUS(status) >= grade_exit_status(GRADE_NOW) &&
	                                     WEXITSTATUS(status) <= grade_exit_status(GRADE_PERSON)));
}

static enum err broke_off(struct errctx *ec, const char *why)
{
	return err_set(ec, ERR_LATER, "The exchange with the repository broke off (%1). Try again later.", why, NULL,
	               NULL);
}

struct reader {
	char line[REPORT_LINE_MAX];
	size_t len;
	bool done;
};

/* Acts on each whole line; what follows the last line feed stays for the next time. */
static enum err take_lines(struct errctx *ec, struct reader *r, const struct courier_call *call)
{
	char *start = r->line, *end = NULL;
	enum err e = ERR_OK;

	while (e == ERR_OK && (end = memchr(start, '\n', r->len - (size_t)(start - r->line))) != NULL) {
		struct report_line line;

		*end = '\0';
		/* after its last word it may still pack, and says now and then that it lives */
		if (strlen(start) != (size_t)(end - start) || report_parse(start, &line) != ERR_OK ||
		    (r->done && line.kind != REPORT_BUSY))
			e = broke_off(ec, "the courier's report cannot be read");
		else if (line.kind == REPORT_DONE)
			r->done = true;
		else if (line.kind != REPORT_BUSY)
			e = call->fn(call->arg, &line);
		start = end + 1;
	}
	r->len -= (size_t)(start - r->line);
	memmove(r->line, start, r->len);
	if (e == ERR_OK && r->len == sizeof(r->line))
		e = broke_off(ec, "the courier's report cannot be read");
	return e;
}

/* Waits for the report at most `left` milliseconds, and serves whoever is to be served meanwhile. 1: it can be read; 0:
 * it is silent; -1: errno; -2: broken off. */
static int wait_report(int fd, int64_t left)
{
	int64_t end = patience_ms() + left;

	for (;;) {
		struct pollfd p[2] = { { .fd = fd, .events = POLLIN },
			               { .fd = meanwhile != NULL ? meanwhile->fd : -1, .events = POLLIN } };
		int64_t rest = end - patience_ms();
		int ready = 0;

		if (rest <= 0)
			return 0;
		ready = poll(p, 2, meanwhile != NULL && rest > MEANWHILE_MS ? MEANWHILE_MS : (int)rest);
		if (ready < 0 && errno != EINTR)
			return -1;
		if (meanwhile != NULL && !meanwhile->serve(meanwhile->ctx))
			return -2;
		if (ready > 0 && p[0].revents != 0)
			return 1;
	}
}

static enum err read_report(struct errctx *ec, int fd, const struct courier_call *call)
{
	struct reader *r = calloc(1, sizeof(*r));
	int64_t start = patience_ms(), heard = start;
	enum err e = r == NULL ? err_errno(ec, ENOMEM, "the courier's report") : ERR_OK;

	while (e == ERR_OK) {
		int64_t silent = heard + call->silent_ms - patience_ms(),
		        total = start + call->total_ms - patience_ms();
		int64_t left = silent < total ? silent : total;
		int ready = left <= 0 ? 0 : wait_report(fd, left);
		ssize_t n = 0;

		if (ready == -2) {
			e = err_set(ec, ERR_LATER, "Sending was stopped. Nothing is lost; do it again later.", NULL,
			            NULL, NULL);
			break;
		}
		if (ready == 0) {
			e = broke_off(ec, "it took too long");
			break;
		}
		n = ready < 0 ? -1 : read(fd, r->line + r->len, sizeof(r->line) - r->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			e = err_errno(ec, errno, "the courier's report");
		if (n <= 0)
			break;
		heard = patience_ms();
		r->len += (size_t)n;
		e = take_lines(ec, r, call);
	}
	if (e == ERR_OK && !(r->done && r->len == 0))
		e = broke_off(ec, "the courier ended early");
	free(r);
	return e;
}

enum err courier_call(struct errctx *ec, const struct courier_call *call)
{
	int in = -1, report[2] = { -1, -1 };
	pid_t pid = -1;
	enum err e = job_file(ec, call->job, &in);
	int rc = 0;

	if (e != ERR_OK)
		return e;
	if (pipe2(report, O_CLOEXEC) != 0) {
		e = err_errno(ec, errno, "the courier's report");
		goto done;
	}
	rc = starter_start(call->program, in, report[1], &pid);
	if (rc != 0) {
		e = err_errno(ec, rc, call->program);
		goto done;
	}
	close(report[1]);
	report[1] = -1;
	e = read_report(ec, report[0], call);
	if (e != ERR_OK)
		starter_kill(pid);
	if (!reap(pid) && e == ERR_OK)
		e = broke_off(ec, "the courier ended early");
done:
	close(in);
	for (int i = 0; i < 2; i++) {
		if (report[i] >= 0)
			close(report[i]);
	}
	return e;
}

enum err courier_run(struct errctx *ec, const char *program, const struct job *job, courier_line_fn fn, void *arg)
{
	struct courier_call call = { program, job, fn, arg, COURIER_SILENT_MS, COURIER_TOTAL_MS };

	return courier_call(ec, &call);
}
