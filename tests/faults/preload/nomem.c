// SPDX-License-Identifier: EUPL-1.2
// Loaded into a program (LD_PRELOAD) whose libraries have no hook for memory: the n-th allocation of the whole process
// fails. SLB_NOMEM_AT=n, or n+ for all from there on; SLB_NOMEM_COUNT=FILE gets the number of allocations when it ends.
// If it crashes, SLB_NOMEM_CRASHED=FILE gets a line with the program or library that did.
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAMES 32

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static unsigned long calls;
static unsigned long at;
static bool armed;
static bool sticky;
/* Opened at the start: later the process can open what it needs and nothing else. */
static int count_fd = -1;
static int crashed_fd = -1;

/* The first frame that is neither this file's nor the C library's. */
static void crashed(int number)
{
	int fd = crashed_fd;
	void *frame[FRAMES];
	int n = backtrace(frame, FRAMES);

	for (int i = 0; i < n; i++) {
		Dl_info where;

		if (dladdr(frame[i], &where) == 0 || where.dli_fname == NULL ||
		    strstr(where.dli_fname, "nomem.so") != NULL || strstr(where.dli_fname, "libc.so") != NULL)
			continue;
		dprintf(fd, "%s\n", where.dli_fname);
		break;
	}
	_exit(128 + number);
}

__attribute__((constructor)) static void begin(void)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
	const char *given = getenv("SLB_NOMEM_AT");
	void *frame[FRAMES];

	/* Its first call needs memory. */
	if (backtrace(frame, FRAMES) < 0)
		return;
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		signal(fatal[i], crashed);
	at = given == NULL ? 0 : strtoul(given, NULL, 10);
	sticky = given != NULL && strchr(given, '+') != NULL;
	if (getenv("SLB_NOMEM_COUNT") != NULL)
		count_fd = open(getenv("SLB_NOMEM_COUNT"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (getenv("SLB_NOMEM_CRASHED") != NULL)
		crashed_fd = open(getenv("SLB_NOMEM_CRASHED"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	calls = 0;
	armed = true;
}

__attribute__((destructor)) static void end(void)
{
	armed = false;
	if (count_fd >= 0 && ftruncate(count_fd, 0) == 0)
		dprintf(count_fd, "%lu\n", calls);
}

static bool fails(void)
{
	if (!armed)
		return false;
	calls++;
	if (at == 0 || calls < at || (calls > at && !sticky))
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t n)
{
	return fails() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return fails() ? NULL : __libc_realloc(p, n);
}

// libseccomp does not look at its own allocations, of which there are thousands: it would end the process each time,
// before the process has opened anything. They are not counted, so that the rest is tried.
void *seccomp_init(unsigned action);
void *seccomp_init(unsigned action)
{
	void *(*real)(unsigned) = NULL;
	void *found = NULL;

	armed = false;
	found = dlsym(RTLD_NEXT, "seccomp_init");
	memcpy(&real, &found, sizeof(real));
	return real(action);
}

void seccomp_release(void *filter);
void seccomp_release(void *filter)
{
	void (*real)(void *) = NULL;
	void *found = dlsym(RTLD_NEXT, "seccomp_release");

	memcpy(&real, &found, sizeof(real));
	real(filter);
	armed = true;
}
