// SPDX-License-Identifier: EUPL-1.2
// The courier's limits on itself. It talks to hosts that may lie, drip or send bombs (S5): whatever they do, it ends
// within a bounded time and a bounded memory, and the job can be run again (S3).
#include "courier/watchdog.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "courier/job.h"

static time_t last_busy;

static void end_with(const char *line, size_t len)
{
	ssize_t n = write(STDOUT_FILENO, line, len);

	_exit(n < 0 ? 1 : grade_exit_status(GRADE_LATER));
}

static void on_signal(int sig)
{
	static const char idle[] =
	    "fail\tlater\ttimeout\tThe repository did not answer for a minute. Try again later.\n";
	static const char cpu[] = "fail\tlater\tcpu\tThe exchange took more work than is allowed. Try again later.\n";

	if (sig == SIGALRM)
		end_with(idle, sizeof(idle) - 1);
	end_with(cpu, sizeof(cpu) - 1);
}

static enum err limit(struct errctx *ec, int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit now;

	if (getrlimit(resource, &now) != 0)
		return err_errno(ec, errno, "getrlimit");
	if (now.rlim_max != RLIM_INFINITY && now.rlim_max < hard)
		hard = now.rlim_max;
	now.rlim_cur = soft < hard ? soft : hard;
	now.rlim_max = hard;
	return setrlimit(resource, &now) == 0 ? ERR_OK : err_errno(ec, errno, "setrlimit");
}

enum err watchdog_start(struct errctx *ec, struct confinement *active)
{
	struct sigaction on = { .sa_handler = on_signal };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	enum err e = ERR_OK;

	/* a host that closes its end is a failure to tell, not the end of the courier */
	if (sigaction(SIGALRM, &on, NULL) != 0 || sigaction(SIGXCPU, &on, NULL) != 0 ||
	    sigaction(SIGXFSZ, &ignore, NULL) != 0 || sigaction(SIGPIPE, &ignore, NULL) != 0)
		return err_errno(ec, errno, "sigaction");
	e = limit(ec, RLIMIT_CPU, WATCHDOG_CPU_S, WATCHDOG_CPU_S + 5);
	if (e == ERR_OK)
		e = limit(ec, RLIMIT_FSIZE, WATCHDOG_FILE, WATCHDOG_FILE);
	if (e == ERR_OK)
		e = confine(ec, &(struct confine_wish){ .memory = WATCHDOG_MEMORY }, active);
	watchdog_kick();
	return e;
}

void watchdog_kick(void)
{
	struct timespec now = { 0 };

	alarm(WATCHDOG_IDLE_S);
	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0 || now.tv_sec - last_busy < WATCHDOG_BUSY_S)
		return;
	if (last_busy != 0 && write(STDOUT_FILENO, "busy\n", 5) < 0)
		_exit(1);
	last_busy = now.tv_sec;
}
