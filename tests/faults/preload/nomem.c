// SPDX-License-Identifier: EUPL-1.2
// Loaded into a program (LD_PRELOAD) whose libraries have no hook for memory: the n-th allocation of the whole process
// fails. SLB_NOMEM_AT=n, or n+ for all from there on; SLB_NOMEM_COUNT=FILE gets the number of allocations when it ends.
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static unsigned long calls;
static unsigned long at;
static bool armed;
static bool sticky;

__attribute__((constructor)) static void begin(void)
{
	const char *given = getenv("SLB_NOMEM_AT");

	at = given == NULL ? 0 : strtoul(given, NULL, 10);
	sticky = given != NULL && strchr(given, '+') != NULL;
	calls = 0;
	armed = true;
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("SLB_NOMEM_COUNT");
	FILE *f = NULL;

	armed = false;
	f = path == NULL ? NULL : fopen(path, "w");
	if (f != NULL) {
		fprintf(f, "%lu\n", calls);
		fclose(f);
	}
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
