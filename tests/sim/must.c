// SPDX-License-Identifier: EUPL-1.2
// A seed that fails says so and ends the program: what comes after it would tell nothing.
#include "sim/must.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

unsigned long long must_seed;

void must_fail(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "# seed %llu: ", must_seed);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n# replay it with SLB_SIM_SEED=%llu\n", must_seed);
	fflush(stderr);
	exit(1);
}

void must(bool holds, const char *what)
{
	if (!holds)
		must_fail("%s", what);
}

void *must_calloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	must(p != NULL, "out of memory");
	return p;
}

void *must_realloc(void *p, size_t size)
{
	void *grown = realloc(p, size);

	must(grown != NULL, "out of memory");
	return grown;
}
