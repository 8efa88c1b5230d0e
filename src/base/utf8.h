/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SLB_BASE_UTF8_H
#define SLB_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Well-formed UTF-8 as Unicode defines it (no surrogates, no overlong forms, at most U+10FFFF), without NUL. */
bool utf8_valid(const void *data, size_t len);

/* Reads one code point of valid UTF-8 and moves *p past it. */
uint32_t utf8_next(const char **p);

#endif
