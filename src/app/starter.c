// SPDX-License-Identifier: EUPL-1.2
// The process without keys that starts the courier for the one with keys. What it is asked is a number and two
// descriptors: whoever took the other end over can have a courier started with a job of its own making, or nmcli asked
// which network this is, and nothing else; the programs are named before.
#include "app/starter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "app/network.h"
#include "app/patience.h"

#define CHILDREN_MAX 8
#define REAP_MS 10000

enum op { OP_START = 1, OP_NETWORK, OP_ENDED, OP_KILL };
/* Descriptors of the starter: its socket, and that of its errand. */
enum { FD_ASKED = 3, FD_ERRAND = 4 };

struct question {
	enum op op;
	pid_t pid;
};

struct answer {
	int result; /* an errno; of OP_ENDED 1, 0 or -1 */
	pid_t pid;
	int status;
};

static int asker = -1;
static pid_t starter = -1;

static int courier_spawn(const char *program, int in, int out, pid_t *pid)
{
	static char path[] = "PATH=/usr/bin:/bin", lang[] = "LANG=C", name[] = "sleutelbos-courier";
	char *const argv[] = { name, NULL };
	char *const env[] = { path, lang, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc = posix_spawn_file_actions_init(&files);

	if (rc != 0)
		return rc;
	rc = posix_spawnattr_init(&attr);
	if (rc != 0) {
		posix_spawn_file_actions_destroy(&files);
		return rc;
	}
	sigemptyset(&none);
	sigfillset(&all);
	rc = posix_spawnattr_setsigmask(&attr, &none);
	if (rc == 0)
		rc = posix_spawnattr_setsigdefault(&attr, &all);
	if (rc == 0)
		rc = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	if (rc == 0)
		rc = posix_spawn(pid, program, &files, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

// ---- The starter ----

struct started {
	const char *courier;
	pid_t child[CHILDREN_MAX]; /* 0: free; those that have not been waited for */
};

static pid_t *child_of(struct started *s, pid_t pid)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (s->child[i] == pid)
			return &s->child[i];
	return NULL;
}

static void do_start(struct started *s, enum op op, const int fd[2], struct answer *a)
{
	pid_t *room = child_of(s, 0);

	a->result = room == NULL             ? EAGAIN
	            : fd[0] < 0 || fd[1] < 0 ? EBADF
	            : op == OP_NETWORK       ? network_spawn(fd[1], &a->pid)
	                                     : courier_spawn(s->courier, fd[0], fd[1], &a->pid);
	if (a->result == 0)
		*room = a->pid;
}

static void do_ended(struct started *s, pid_t pid, struct answer *a)
{
	pid_t *child = pid > 0 ? child_of(s, pid) : NULL;
	pid_t got = child == NULL ? -1 : waitpid(pid, &a->status, WNOHANG);

	a->result = got == pid ? 1 : got == 0 ? 0 : -1;
	if (child != NULL && got != 0)
		*child = 0;
}

/* A message with at most two descriptors; -1 in place of those that did not come. False at the end. */
static bool receive(struct question *q, int fd[2])
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct iovec v = { q, sizeof(*q) };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	struct cmsghdr *c = NULL;
	ssize_t n = 0;

	fd[0] = fd[1] = -1;
	do {
		n = recvmsg(FD_ASKED, &m, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(2 * sizeof(int)))
		memcpy(fd, CMSG_DATA(c), 2 * sizeof(int));
	return n == (ssize_t)sizeof(*q);
}

static bool answer_one(struct started *s)
{
	struct question q;
	struct answer a = { .result = EINVAL };
	int fd[2];
	bool more = receive(&q, fd);

	if (more && (q.op == OP_START || q.op == OP_NETWORK))
		do_start(s, q.op, fd, &a);
	else if (more && q.op == OP_ENDED)
		do_ended(s, q.pid, &a);
	else if (more && q.op == OP_KILL && q.pid > 0 && child_of(s, q.pid) != NULL)
		a.result = kill(q.pid, SIGKILL) == 0 ? 0 : errno;
	for (int i = 0; i < 2; i++)
		if (fd[i] >= 0)
			close(fd[i]);
	return more && send(FD_ASKED, &a, sizeof(a), MSG_NOSIGNAL) == (ssize_t)sizeof(a);
}

static _Noreturn void be_starter(const char *courier, const struct starter_errand *errand)
{
	struct started s = { .courier = courier };
	struct pollfd p[2] = { { .fd = FD_ASKED, .events = POLLIN },
		               { .fd = errand == NULL ? -1 : FD_ERRAND, .events = POLLIN } };

	for (;;) {
		if (poll(p, 2, -1) < 0) {
			if (errno != EINTR)
				break;
			continue;
		}
		if (p[1].revents != 0 && !errand->serve(errand->ctx, FD_ERRAND))
			p[1].fd = -1;
		if (p[0].revents != 0 && !answer_one(&s))
			break;
	}
	if (errand != NULL && errand->end != NULL)
		errand->end(errand->ctx);
	_exit(0);
}

/* Only the two sockets and standard error are left of what was open: no lock of a home, no end of a pipe that somebody
 * waits for, nothing of the terminal's input. */
static void keep_only(int asked, int errand)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int first = fcntl(asked, F_DUPFD_CLOEXEC, 10);
	int second = errand < 0 ? -1 : fcntl(errand, F_DUPFD_CLOEXEC, 10);

	if (null < 0 || first < 0 || (errand >= 0 && second < 0) || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 || dup3(first, FD_ASKED, O_CLOEXEC) < 0)
		_exit(1);
	if (second >= 0 && dup3(second, FD_ERRAND, O_CLOEXEC) < 0)
		_exit(1);
	if (close_range(second >= 0 ? FD_ERRAND + 1 : FD_ERRAND, ~0u, 0) != 0)
		_exit(1);
}

enum err starter_begin(struct errctx *ec, const char *courier, const struct starter_errand *errand)
{
	int fd[2] = { -1, -1 };

	if (asker >= 0)
		return ERR_OK;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) != 0)
		return err_errno(ec, errno, "socketpair");
	starter = fork();
	if (starter == 0) {
		asker = -1;
		keep_only(fd[1], errand == NULL ? -1 : errand->fd);
		be_starter(courier, errand);
	}
	close(fd[1]);
	if (starter < 0) {
		close(fd[0]);
		return err_errno(ec, errno, "fork");
	}
	asker = fd[0];
	return ERR_OK;
}

// ---- The other end ----

void starter_end(void)
{
	if (asker < 0)
		return;
	close(asker);
	asker = -1;
	while (waitpid(starter, NULL, 0) < 0 && errno == EINTR)
		;
	starter = -1;
}

/* Asks and waits for the answer, which comes at once. 0 or an errno. */
static int ask(const struct question *q, const int fd[2], struct answer *a)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = { .bytes = { 0 } };
	struct question copy = *q;
	struct iovec v = { &copy, sizeof(copy) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	ssize_t n = 0;

	*a = (struct answer){ .result = -1 };
	if (fd != NULL) {
		struct cmsghdr *c = NULL;

		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(2 * sizeof(int));
		memcpy(CMSG_DATA(c), fd, 2 * sizeof(int));
	}
	do {
		n = sendmsg(asker, &m, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno;
	do {
		n = recv(asker, a, sizeof(*a), 0);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*a) ? 0 : ECHILD;
}

static int start(enum op op, int in, int out, pid_t *pid)
{
	const int fd[2] = { in, out };
	struct question q = { .op = op };
	struct answer a;
	int e = ask(&q, fd, &a);

	*pid = a.pid;
	return e != 0 ? e : a.result;
}

int starter_start(const char *program, int in, int out, pid_t *pid)
{
	return asker >= 0 ? start(OP_START, in, out, pid) : courier_spawn(program, in, out, pid);
}

int starter_network(int out, pid_t *pid)
{
	return asker >= 0 ? start(OP_NETWORK, out, out, pid) : network_spawn(out, pid);
}

void starter_kill(pid_t pid)
{
	struct question q = { .op = OP_KILL, .pid = pid };
	struct answer a;

	if (asker >= 0)
		(void)ask(&q, NULL, &a);
	else
		kill(pid, SIGKILL);
}

/* 1: it has ended; 0: not yet; -1: nothing is known of it. */
static int has_ended(pid_t pid, int *status)
{
	struct question q = { .op = OP_ENDED, .pid = pid };
	struct answer a;
	pid_t got = 0;

	if (asker >= 0) {
		if (ask(&q, NULL, &a) != 0)
			return -1;
		*status = a.status;
		return a.result;
	}
	got = waitpid(pid, status, WNOHANG);
	return got == pid ? 1 : got < 0 && errno == ECHILD ? -1 : 0;
}

int starter_reap(pid_t pid, int *status)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	int64_t end = patience_ms() + REAP_MS;
	bool killed = false;

	for (;;) {
		int got = has_ended(pid, status);

		if (got != 0)
			return got;
		if (patience_ms() > end) {
			if (killed)
				return 0;
			starter_kill(pid);
			killed = true;
			end = patience_ms() + REAP_MS;
		}
		nanosleep(&pause, NULL);
	}
}
