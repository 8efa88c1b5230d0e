// SPDX-License-Identifier: EUPL-1.2
// An owner in the background. The process that will hold the keys is forked before anybody has typed a passphrase, so
// that the keys exist in one process only; it leaves the terminal, closes what it inherited, confines itself, and
// cannot dump core (V1).
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/owner.h"
#include "cli/owner_parts.h"
#include "cli/owner_place.h"

// For a command that has the vault open just now.
#define CLAIM_MS 5000

// Descriptors 3 and 4 of the new process.
enum { FD_PASSPHRASE = 3, FD_REPORT = 4 };

// The report is a struct errctx as it stands in memory: both ends are one program, forked, so that the address of the
// sentence in it is good in both. Two reports come: the home is claimed; the owner listens.
static bool report_put(const struct errctx *ec)
{
	return write(FD_REPORT, ec, sizeof(*ec)) == (ssize_t)sizeof(*ec);
}

static enum err report_get(struct errctx *ec, int fd)
{
	struct errctx got;
	ssize_t n = 0;

	do {
		n = read(fd, &got, sizeof(got));
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(got))
		return err_set(ec, ERR_IO, "The process that should keep the vault open has ended. Try again.", NULL,
		               NULL, NULL);
	if (got.code == ERR_OK)
		return ERR_OK;
	return err_set(ec, got.code, got.msg, got.arg[0], got.arg[1], got.arg[2]);
}

// ---- The new process ----

static void report_ready(void *ctx)
{
	struct errctx *ec = ctx;

	report_put(ec);
	close(FD_REPORT);
}

// Passphrase as it comes through the pipe: its bytes, then the end. False where nobody typed one.
static bool passphrase_receive(struct secret_text *s)
{
	size_t room = SECRET_TEXT_MAX + 1;
	ssize_t n = 0;

	while (s->len < room) {
		n = read(FD_PASSPHRASE, s->text + s->len, room - s->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		s->len += (size_t)n;
	}
	return n == 0 && s->len > 0 && s->len <= SECRET_TEXT_MAX;
}

static void leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR);
	struct rlimit none = { 0, 0 };
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t nothing;

	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		_exit(1);
	if (close_range(FD_REPORT + 1, ~0u, 0) != 0 || chdir("/") != 0)
		_exit(1);
	umask(077);
	if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
		_exit(1);
	sigemptyset(&nothing);
	sigprocmask(SIG_SETMASK, &nothing, NULL);
	for (int i = 1; i < NSIG; i++)
		sigaction(i, &plain, NULL);
}

static _Noreturn void be_owner(const char *home, const struct owner_limits *limits, const struct owner_job *job)
{
	struct errctx ec = { .code = ERR_OK };
	struct owner_ready ready = { report_ready, &ec };
	struct secret_text *passphrase = NULL;
	struct owner_place place = { .listener = -1 };
	struct confine_place reach[OWNER_PLACES];
	enum err e = ERR_OK;
	bool opened = false;
	int claim = -1;

	leave_terminal();
	e = owner_claim(&ec, home, CLAIM_MS, &claim);
	if (e == ERR_OK)
		e = owner_place_make(&ec, home, &place);
	if (e == ERR_OK && job->confine != NULL)
		e = job->confine(job->ctx, &ec, reach, owner_place_reach(&place, reach));
	if (e != ERR_OK)
		owner_place_close(&place);
	if (!report_put(&ec) || e != ERR_OK)
		_exit(1);
	passphrase = secret_text_new();
	if (passphrase == NULL)
		e = err_errno(&ec, ENOMEM, home);
	else if (!passphrase_receive(passphrase)) {
		owner_place_close(&place);
		_exit(1);
	}
	close(FD_PASSPHRASE);
	if (e == ERR_OK) {
		e = job->open(job->ctx, &ec, passphrase);
		opened = e == ERR_OK;
	}
	secret_text_free(passphrase);
	if (e == ERR_OK)
		e = owner_serve_from(&ec, home, limits, job, &ready, &place);
	owner_place_close(&place);
	if (opened && job->close != NULL)
		job->close(job->ctx);
	// Where it never listened, the first process still waits for the reason.
	if (e != ERR_OK) {
		ec.code = e;
		report_put(&ec);
	}
	_exit(e == ERR_OK ? 0 : 1);
}

// ---- The first process ----

struct pipes {
	int passphrase[2];
	int report[2];
};

static void pipes_close(struct pipes *p)
{
	int *all[] = { &p->passphrase[0], &p->passphrase[1], &p->report[0], &p->report[1] };

	for (size_t i = 0; i < 4; i++) {
		if (*all[i] >= 0)
			close(*all[i]);
		*all[i] = -1;
	}
}

// Puts the two ends where the new process wants them. Both are moved out of the way first, because either may stand
// where the other belongs.
static void pipes_place(const struct pipes *p)
{
	int in = fcntl(p->passphrase[0], F_DUPFD, 10);
	int out = fcntl(p->report[1], F_DUPFD, 10);

	if (in < 0 || out < 0 || dup2(in, FD_PASSPHRASE) < 0 || dup2(out, FD_REPORT) < 0)
		_exit(1);
}

// Forks twice: the process between is the leader of the new session and ends at once, so that the owner can never get a
// terminal and nobody has to wait for its end.
static enum err fork_owner(struct errctx *ec, const struct pipes *p, const char *home,
                           const struct owner_limits *limits, const struct owner_job *job)
{
	pid_t between = -1;
	int status = 0;

	fflush(NULL);
	between = fork();
	if (between < 0)
		return err_errno(ec, errno, "fork");
	if (between == 0) {
		pid_t child = setsid() < 0 ? -1 : fork();

		if (child != 0)
			_exit(child < 0 ? 1 : 0);
		pipes_place(p);
		be_owner(home, limits, job);
	}
	while (waitpid(between, &status, 0) < 0 && errno == EINTR)
		;
	return ERR_OK;
}

static enum err hand_passphrase(struct errctx *ec, int fd, const struct owner_asker *asker)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction before;
	struct secret_text *s = NULL;
	enum err e = asker->ask(asker->ctx, ec, &s);

	if (e != ERR_OK)
		return e;
	// Where the new process has ended its report says why; the pipe need not.
	sigaction(SIGPIPE, &ignore, &before);
	if (write(fd, s->text, s->len) != (ssize_t)s->len)
		e = ERR_IO;
	sigaction(SIGPIPE, &before, NULL);
	secret_text_free(s);
	return e == ERR_IO ? ERR_OK : e;
}

enum err owner_spawn(struct errctx *ec, const char *home, const struct owner_limits *limits,
                     const struct owner_job *job, const struct owner_asker *asker)
{
	struct pipes p = { { -1, -1 }, { -1, -1 } };
	char *real = realpath(home, NULL);
	int fd = -1;
	int pid = 0;
	enum err e = real == NULL ? err_errno(ec, errno, home) : owner_place_connect(ec, real, &fd, &pid);

	if (e == ERR_OK && fd >= 0)
		e = err_set(ec, ERR_REFUSED,
		            "The vault is open already. To begin anew, first type \"sleutelbos lock\".", NULL, NULL,
		            NULL);
	if (fd >= 0)
		close(fd);
	if (e == ERR_OK && (pipe2(p.passphrase, O_CLOEXEC) != 0 || pipe2(p.report, O_CLOEXEC) != 0))
		e = err_errno(ec, errno, "pipe");
	if (e == ERR_OK)
		e = fork_owner(ec, &p, real, limits, job);
	if (e == ERR_OK) {
		close(p.passphrase[0]);
		close(p.report[1]);
		p.passphrase[0] = p.report[1] = -1;
		e = report_get(ec, p.report[0]);
	}
	if (e == ERR_OK)
		e = hand_passphrase(ec, p.passphrase[1], asker);
	if (p.passphrase[1] >= 0)
		close(p.passphrase[1]);
	p.passphrase[1] = -1;
	if (e == ERR_OK)
		e = report_get(ec, p.report[0]);
	pipes_close(&p);
	free(real);
	return e;
}
