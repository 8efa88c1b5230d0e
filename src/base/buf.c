// SPDX-License-Identifier: EUPL-1.2
// A growable run of bytes; old memory is wiped, because it may have held what somebody typed (V1).
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

static void wipe(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}

enum err buf_reserve(struct buf *b, size_t more)
{
	size_t cap = b->cap == 0 ? 64 : b->cap;
	uint8_t *data = NULL;

	if (more > SIZE_MAX / 4 || b->len > SIZE_MAX / 4)
		return ERR_NO_MEMORY;
	if (b->len + more <= b->cap)
		return ERR_OK;
	while (cap < b->len + more)
		cap *= 2;
	data = malloc(cap);
	if (data == NULL)
		return ERR_NO_MEMORY;
	if (b->len > 0)
		memcpy(data, b->data, b->len);
	wipe(b->data, b->len);
	free(b->data);
	b->data = data;
	b->cap = cap;
	return ERR_OK;
}

enum err buf_put(struct buf *b, const void *data, size_t len)
{
	enum err e = buf_reserve(b, len);

	if (e == ERR_OK && len > 0) {
		memcpy(b->data + b->len, data, len);
		b->len += len;
	}
	return e;
}

enum err buf_put_byte(struct buf *b, uint8_t byte)
{
	enum err e = buf_reserve(b, 1);

	if (e == ERR_OK)
		b->data[b->len++] = byte;
	return e;
}

enum err buf_put_str(struct buf *b, const char *s)
{
	return buf_put(b, s, strlen(s));
}

enum err buf_terminate(struct buf *b)
{
	enum err e = buf_reserve(b, 1);

	if (e == ERR_OK)
		b->data[b->len] = 0;
	return e;
}

void buf_reset(struct buf *b)
{
	wipe(b->data, b->cap);
	b->len = 0;
}

void buf_free(struct buf *b)
{
	wipe(b->data, b->cap);
	free(b->data);
	*b = (struct buf){ 0 };
}

int bytes_cmp(struct bytes a, struct bytes b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n == 0 ? 0 : memcmp(a.data, b.data, n);

	if (c != 0)
		return c < 0 ? -1 : 1;
	return a.len < b.len ? -1 : a.len > b.len;
}
