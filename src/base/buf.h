/* SPDX-License-Identifier: EUPL-1.2 */
/* A growable run of bytes. Zero-initialised it is empty and valid; buf_free() makes it so again. */
#ifndef SLB_BASE_BUF_H
#define SLB_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf {
	uint8_t *data;
	size_t len;
	size_t cap;
};

/* Borrowed bytes: never freed, valid as long as what they point into. */
struct bytes {
	const uint8_t *data;
	size_t len;
};

/* Room for `more` further bytes. ERR_NO_MEMORY leaves the buffer unchanged. */
enum err buf_reserve(struct buf *b, size_t more) MUST_CHECK;
enum err buf_put(struct buf *b, const void *data, size_t len) MUST_CHECK;
enum err buf_put_byte(struct buf *b, uint8_t byte) MUST_CHECK;
enum err buf_put_str(struct buf *b, const char *s) MUST_CHECK;
/* A trailing NUL that does not count in len, so that data is a C string. */
enum err buf_terminate(struct buf *b) MUST_CHECK;
void buf_reset(struct buf *b); /* len = 0, memory kept and wiped */
void buf_free(struct buf *b);  /* wiped and freed; accepts an empty buffer */

static inline struct bytes buf_bytes(const struct buf *b)
{
	return (struct bytes){ b->data, b->len };
}

/* -1, 0, 1 as memcmp, the shorter first where one is a prefix of the other. */
int bytes_cmp(struct bytes a, struct bytes b);

#endif
