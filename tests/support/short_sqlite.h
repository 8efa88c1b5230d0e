/* SPDX-License-Identifier: EUPL-1.2 */
/* SQLite's own memory, that runs out where a test says so. */
#ifndef SLB_TESTS_SHORT_SQLITE_H
#define SLB_TESTS_SHORT_SQLITE_H

#include <stdbool.h>

/* From now on SQLite gets no memory where `is_short` says so; before SQLite starts. An SQLite result code. */
int sqlite_through(bool (*is_short)(void));

#endif
