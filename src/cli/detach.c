// SPDX-License-Identifier: EUPL-1.2
// Forks twice: the process between is the leader of the new session and ends at once, so that the new one can never get
// a terminal and nobody has to wait for its end.
#include "cli/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Puts the descriptors where the new process wants them, all moved out of the way first, because each may stand where
 * another belongs; all others are closed. */
static void keep_only(const struct detached *d)
{
	int report = fcntl(d->report, F_DUPFD, 10);
	int given = d->given < 0 ? -1 : fcntl(d->given, F_DUPFD, 10);
	int null = open("/dev/null", O_RDWR);

	if (report < 0 || (d->given >= 0 && given < 0) || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(null, 2) < 0 || dup2(report, DETACHED_REPORT) < 0)
		_exit(1);
	if (given >= 0 && dup2(given, DETACHED_GIVEN) < 0)
		_exit(1);
	if (close_range(given >= 0 ? DETACHED_GIVEN + 1 : DETACHED_GIVEN, ~0u, 0) != 0)
		_exit(1);
}

static void begin_anew(void)
{
	struct rlimit none = { 0, 0 };
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t nothing;

	if (chdir("/") != 0)
		_exit(1);
	umask(077);
	if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
		_exit(1);
	sigemptyset(&nothing);
	sigprocmask(SIG_SETMASK, &nothing, NULL);
	for (int i = 1; i < NSIG; i++)
		sigaction(i, &plain, NULL);
}

enum err detach(struct errctx *ec, const struct detached *d)
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
		keep_only(d);
		begin_anew();
		d->main(d->ctx);
		_exit(1);
	}
	while (waitpid(between, &status, 0) < 0 && errno == EINTR)
		;
	return ERR_OK;
}

bool report_put(const struct errctx *ec)
{
	return write(DETACHED_REPORT, ec, sizeof(*ec)) == (ssize_t)sizeof(*ec);
}

enum err report_get(struct errctx *ec, int fd, const char *ended)
{
	struct errctx got;
	ssize_t n = 0;

	do {
		n = read(fd, &got, sizeof(got));
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(got))
		return err_set(ec, ERR_IO, ended, NULL, NULL, NULL);
	return got.code == ERR_OK ? ERR_OK : err_set(ec, got.code, got.msg, got.arg[0], got.arg[1], got.arg[2]);
}
