/* SPDX-License-Identifier: EUPL-1.2 */
/* What may not go wrong in the simulator itself: it ends there, with the seed. */
#ifndef SLB_TESTS_SIM_MUST_H
#define SLB_TESTS_SIM_MUST_H

#include <stdbool.h>
#include <stddef.h>

/* The seed under way, printed with every failure. */
extern unsigned long long must_seed;

/* Prints the sentence and ends the process. */
void must(bool holds, const char *what);
__attribute__((noreturn, format(printf, 1, 2))) void must_fail(const char *format, ...);

void *must_calloc(size_t n, size_t size);
void *must_realloc(void *p, size_t size);

#endif
