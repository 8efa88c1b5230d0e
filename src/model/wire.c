// SPDX-License-Identifier: EUPL-1.2
// Deterministic CBOR. Bytes here may come from anybody: nothing is allocated, nothing is believed before it is checked.
#include "model/wire.h"

#include <string.h>

#include <cbor.h>

#include "base/utf8.h"

struct token {
	enum wire_type type;
	uint64_t value; /* integer, length or count */
	const uint8_t *data;
	bool flag;
};

#define ON_UINT(name, ctype)                                                                                           \
	static void on_##name(void *ctx, ctype v)                                                                      \
	{                                                                                                              \
		*(struct token *)ctx = (struct token){ .type = WIRE_UINT, .value = v };                                \
	}
#define ON_NEGINT(name, ctype)                                                                                         \
	static void on_##name(void *ctx, ctype v)                                                                      \
	{                                                                                                              \
		*(struct token *)ctx = (struct token){ .type = WIRE_NEGINT, .value = v };                              \
	}
ON_UINT(uint8, uint8_t)
ON_UINT(uint16, uint16_t)
ON_UINT(uint32, uint32_t)
ON_UINT(uint64, uint64_t)
ON_NEGINT(negint8, uint8_t)
ON_NEGINT(negint16, uint16_t)
ON_NEGINT(negint32, uint32_t)
ON_NEGINT(negint64, uint64_t)

static void on_bytes(void *ctx, cbor_data data, size_t len)
{
	*(struct token *)ctx = (struct token){ .type = WIRE_BYTES, .value = len, .data = data };
}

static void on_text(void *ctx, cbor_data data, size_t len)
{
	*(struct token *)ctx = (struct token){ .type = WIRE_TEXT, .value = len, .data = data };
}

static void on_array(void *ctx, size_t count)
{
	*(struct token *)ctx = (struct token){ .type = WIRE_ARRAY, .value = count };
}

static void on_map(void *ctx, size_t count)
{
	*(struct token *)ctx = (struct token){ .type = WIRE_MAP, .value = count };
}

static void on_bool(void *ctx, bool v)
{
	*(struct token *)ctx = (struct token){ .type = WIRE_BOOL, .flag = v };
}

static void on_null(void *ctx)
{
	*(struct token *)ctx = (struct token){ .type = WIRE_NULL };
}

/* What stands on a null callback leaves the token at WIRE_BAD: tags, floats, indefinite lengths, undefined. */
static const struct cbor_callbacks callbacks = {
	.uint8 = on_uint8,
	.uint16 = on_uint16,
	.uint32 = on_uint32,
	.uint64 = on_uint64,
	.negint8 = on_negint8,
	.negint16 = on_negint16,
	.negint32 = on_negint32,
	.negint64 = on_negint64,
	.byte_string = on_bytes,
	.byte_string_start = cbor_null_byte_string_start_callback,
	.string = on_text,
	.string_start = cbor_null_string_start_callback,
	.array_start = on_array,
	.indef_array_start = cbor_null_indef_array_start_callback,
	.map_start = on_map,
	.indef_map_start = cbor_null_indef_map_start_callback,
	.tag = cbor_null_tag_callback,
	.float2 = cbor_null_float2_callback,
	.float4 = cbor_null_float4_callback,
	.float8 = cbor_null_float8_callback,
	.undefined = cbor_null_undefined_callback,
	.null = on_null,
	.boolean = on_bool,
	.indef_break = cbor_null_indef_break_callback,
};

static size_t head_put(const struct token *t, unsigned char out[static 9])
{
	switch (t->type) {
	case WIRE_UINT:
		return cbor_encode_uint(t->value, out, 9);
	case WIRE_NEGINT:
		return cbor_encode_negint(t->value, out, 9);
	case WIRE_BYTES:
		return cbor_encode_bytestring_start((size_t)t->value, out, 9);
	case WIRE_TEXT:
		return cbor_encode_string_start((size_t)t->value, out, 9);
	case WIRE_ARRAY:
		return cbor_encode_array_start((size_t)t->value, out, 9);
	case WIRE_MAP:
		return cbor_encode_map_start((size_t)t->value, out, 9);
	case WIRE_BOOL:
		return cbor_encode_bool(t->flag, out, 9);
	case WIRE_NULL:
		return cbor_encode_null(out, 9);
	default:
		return 0;
	}
}

/* Reads one token; *size is what it covers (for arrays and maps only the head). */
static struct token token_get(const struct wire_in *in, size_t *size)
{
	struct token t = { .type = WIRE_BAD };
	unsigned char head[9];
	size_t head_len = 0;
	size_t left = (size_t)(in->end - in->p);
	struct cbor_decoder_result r = { 0 };

	*size = 0;
	if (left == 0)
		return (struct token){ .type = WIRE_END };
	r = cbor_stream_decode(in->p, left, &callbacks, &t);
	if (r.status != CBOR_DECODER_FINISHED)
		return (struct token){ .type = WIRE_BAD };
	head_len = head_put(&t, head);
	if (head_len == 0 || head_len > left || memcmp(head, in->p, head_len) != 0)
		return (struct token){ .type = WIRE_BAD };
	left -= head_len;
	if ((t.type == WIRE_ARRAY && t.value > left) || (t.type == WIRE_MAP && t.value > left / 2))
		return (struct token){ .type = WIRE_BAD };
	*size = r.read;
	return t;
}

enum wire_type wire_peek(const struct wire_in *in)
{
	size_t size = 0;

	return token_get(in, &size).type;
}

static enum err get(struct wire_in *in, enum wire_type want, struct token *t)
{
	size_t size = 0;

	*t = token_get(in, &size);
	if (t->type != want)
		return ERR_DAMAGED;
	in->p += size;
	return ERR_OK;
}

enum err wire_get_uint(struct wire_in *in, uint64_t *v)
{
	struct token t;
	enum err e = get(in, WIRE_UINT, &t);

	if (e == ERR_OK)
		*v = t.value;
	return e;
}

enum err wire_get_int(struct wire_in *in, int64_t *v)
{
	size_t size = 0;
	struct token t = token_get(in, &size);

	if ((t.type != WIRE_UINT && t.type != WIRE_NEGINT) || t.value > INT64_MAX)
		return ERR_DAMAGED;
	in->p += size;
	*v = t.type == WIRE_UINT ? (int64_t)t.value : -1 - (int64_t)t.value;
	return ERR_OK;
}

enum err wire_get_bytes(struct wire_in *in, struct bytes *v)
{
	struct token t;
	enum err e = get(in, WIRE_BYTES, &t);

	if (e == ERR_OK)
		*v = (struct bytes){ t.data, (size_t)t.value };
	return e;
}

enum err wire_get_exact(struct wire_in *in, void *out, size_t len)
{
	struct wire_in at = *in;
	struct bytes b = { 0 };
	enum err e = wire_get_bytes(&at, &b);

	if (e == ERR_OK && b.len != len)
		e = ERR_DAMAGED;
	if (e == ERR_OK) {
		memcpy(out, b.data, len);
		*in = at;
	}
	return e;
}

enum err wire_get_text(struct wire_in *in, struct bytes *v)
{
	size_t size = 0;
	struct token t = token_get(in, &size);

	if (t.type != WIRE_TEXT || !utf8_valid(t.data, (size_t)t.value))
		return ERR_DAMAGED;
	in->p += size;
	*v = (struct bytes){ t.data, (size_t)t.value };
	return ERR_OK;
}

enum err wire_get_array(struct wire_in *in, size_t *count)
{
	struct token t;
	enum err e = get(in, WIRE_ARRAY, &t);

	if (e == ERR_OK)
		*count = (size_t)t.value;
	return e;
}

enum err wire_get_map(struct wire_in *in, size_t *count)
{
	struct token t;
	enum err e = get(in, WIRE_MAP, &t);

	if (e == ERR_OK)
		*count = (size_t)t.value;
	return e;
}

enum err wire_get_bool(struct wire_in *in, bool *v)
{
	struct token t;
	enum err e = get(in, WIRE_BOOL, &t);

	if (e == ERR_OK)
		*v = t.flag;
	return e;
}

enum err wire_get_null(struct wire_in *in)
{
	struct token t;

	return get(in, WIRE_NULL, &t);
}

static enum err skip(struct wire_in *in, int depth)
{
	size_t size = 0;
	struct token t = token_get(in, &size);
	struct bytes last_key = { NULL, 0 };

	if (t.type == WIRE_BAD || t.type == WIRE_END || depth == 0)
		return ERR_DAMAGED;
	if (t.type == WIRE_TEXT && !utf8_valid(t.data, (size_t)t.value))
		return ERR_DAMAGED;
	in->p += size;
	for (uint64_t i = 0; t.type == WIRE_ARRAY && i < t.value; i++) {
		if (skip(in, depth - 1) != ERR_OK)
			return ERR_DAMAGED;
	}
	for (uint64_t i = 0; t.type == WIRE_MAP && i < t.value; i++) {
		struct bytes key = { in->p, 0 };

		if (skip(in, depth - 1) != ERR_OK)
			return ERR_DAMAGED;
		key.len = (size_t)(in->p - key.data);
		if (last_key.data != NULL && bytes_cmp(last_key, key) >= 0)
			return ERR_DAMAGED;
		last_key = key;
		if (skip(in, depth - 1) != ERR_OK)
			return ERR_DAMAGED;
	}
	return ERR_OK;
}

enum err wire_get_raw(struct wire_in *in, struct bytes *item)
{
	struct wire_in at = *in;

	if (skip(&at, WIRE_DEPTH) != ERR_OK)
		return ERR_DAMAGED;
	*item = (struct bytes){ in->p, (size_t)(at.p - in->p) };
	*in = at;
	return ERR_OK;
}

enum err wire_at_end(const struct wire_in *in)
{
	return in->p == in->end ? ERR_OK : ERR_DAMAGED;
}

static enum err put_head(struct buf *b, struct token t)
{
	unsigned char head[9];
	size_t len = head_put(&t, head);

	return buf_put(b, head, len);
}

enum err wire_put_uint(struct buf *b, uint64_t v)
{
	return put_head(b, (struct token){ .type = WIRE_UINT, .value = v });
}

enum err wire_put_int(struct buf *b, int64_t v)
{
	if (v >= 0)
		return wire_put_uint(b, (uint64_t)v);
	return put_head(b, (struct token){ .type = WIRE_NEGINT, .value = (uint64_t)(-1 - v) });
}

enum err wire_put_bytes(struct buf *b, const void *data, size_t len)
{
	enum err e = put_head(b, (struct token){ .type = WIRE_BYTES, .value = len });

	return e != ERR_OK ? e : buf_put(b, data, len);
}

enum err wire_put_text(struct buf *b, const char *data, size_t len)
{
	enum err e = put_head(b, (struct token){ .type = WIRE_TEXT, .value = len });

	return e != ERR_OK ? e : buf_put(b, data, len);
}

enum err wire_put_array(struct buf *b, size_t count)
{
	return put_head(b, (struct token){ .type = WIRE_ARRAY, .value = count });
}

enum err wire_put_map(struct buf *b, size_t count)
{
	return put_head(b, (struct token){ .type = WIRE_MAP, .value = count });
}

enum err wire_put_bool(struct buf *b, bool v)
{
	return put_head(b, (struct token){ .type = WIRE_BOOL, .flag = v });
}

enum err wire_put_null(struct buf *b)
{
	return put_head(b, (struct token){ .type = WIRE_NULL });
}
