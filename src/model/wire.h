/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Deterministic CBOR (RFC 8949, section 4.2.1 core) over libcbor's streaming calls.
 *
 * The reader takes only what the writer would have written: shortest heads, definite lengths, and of the simple
 * values false, true and null. No tags, no floats. Counts are bounded by the bytes that remain and depth by
 * WIRE_DEPTH, so a few hostile bytes cost nothing. Every _get_ returns ERR_DAMAGED and leaves the position
 * unchanged when the next item is not what was asked for.
 */
#ifndef SLB_MODEL_WIRE_H
#define SLB_MODEL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define WIRE_DEPTH 16

enum wire_type {
	WIRE_END,
	WIRE_UINT,
	WIRE_NEGINT,
	WIRE_BYTES,
	WIRE_TEXT,
	WIRE_ARRAY,
	WIRE_MAP,
	WIRE_BOOL,
	WIRE_NULL,
	WIRE_BAD
};

enum err wire_put_uint(struct buf *b, uint64_t v) MUST_CHECK;
enum err wire_put_int(struct buf *b, int64_t v) MUST_CHECK;
enum err wire_put_bytes(struct buf *b, const void *data, size_t len) MUST_CHECK;
enum err wire_put_text(struct buf *b, const char *data, size_t len) MUST_CHECK;
enum err wire_put_array(struct buf *b, size_t count) MUST_CHECK;
enum err wire_put_map(struct buf *b, size_t count) MUST_CHECK;
enum err wire_put_bool(struct buf *b, bool v) MUST_CHECK;
enum err wire_put_null(struct buf *b) MUST_CHECK;

struct wire_in {
	const uint8_t *p;
	const uint8_t *end;
};

static inline struct wire_in wire_in(struct bytes b)
{
	return (struct wire_in){ b.data, b.len == 0 ? b.data : b.data + b.len };
}

/* What comes next; WIRE_END at the end of the bytes, WIRE_BAD for anything the writer would not write. */
enum wire_type wire_peek(const struct wire_in *in);
enum err wire_get_uint(struct wire_in *in, uint64_t *v) MUST_CHECK;
enum err wire_get_int(struct wire_in *in, int64_t *v) MUST_CHECK;
/* Borrowed from the input. */
enum err wire_get_bytes(struct wire_in *in, struct bytes *v) MUST_CHECK;
/* The same, of exactly `len` bytes, copied. */
enum err wire_get_exact(struct wire_in *in, void *out, size_t len) MUST_CHECK;
/* Valid UTF-8 without NUL; borrowed, not terminated. */
enum err wire_get_text(struct wire_in *in, struct bytes *v) MUST_CHECK;
enum err wire_get_array(struct wire_in *in, size_t *count) MUST_CHECK;
enum err wire_get_map(struct wire_in *in, size_t *count) MUST_CHECK;
enum err wire_get_bool(struct wire_in *in, bool *v) MUST_CHECK;
enum err wire_get_null(struct wire_in *in) MUST_CHECK;
/* One whole item of any type, checked through, as the bytes it is written in. Map keys must ascend. */
enum err wire_get_raw(struct wire_in *in, struct bytes *item) MUST_CHECK;
/* ERR_DAMAGED unless everything was read. */
enum err wire_at_end(const struct wire_in *in) MUST_CHECK;

#endif
