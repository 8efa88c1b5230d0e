// SPDX-License-Identifier: EUPL-1.2
// Memory of one answer. It holds what people typed, so it is wiped before it goes back.
#include "app/pool.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 4096

struct pool_block {
	struct pool_block *next;
	size_t size;
	size_t used;
	alignas(max_align_t) unsigned char bytes[];
};

static struct pool_block *block_new(struct pool *p, size_t size)
{
	struct pool_block *b = calloc(1, sizeof(*b) + size);

	if (b == NULL) {
		p->failed = true;
		return NULL;
	}
	b->size = size;
	b->next = p->blocks;
	p->blocks = b;
	return b;
}

void *pool_take(struct pool *p, size_t size)
{
	struct pool_block *b = p->blocks;
	size_t whole = (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
	void *at = NULL;

	if (size == 0)
		return NULL;
	if (b == NULL || b->size - b->used < whole)
		b = block_new(p, whole > BLOCK_SIZE ? whole : BLOCK_SIZE);
	if (b == NULL)
		return NULL;
	at = b->bytes + b->used;
	b->used += whole;
	return at;
}

const char *pool_text(struct pool *p, struct bytes text)
{
	char *copy = pool_take(p, text.len + 1);

	if (copy != NULL && text.len > 0)
		memcpy(copy, text.data, text.len);
	return copy;
}

const char *pool_str(struct pool *p, const char *text)
{
	if (text == NULL)
		return NULL;
	return pool_text(p, (struct bytes){ (const uint8_t *)text, strlen(text) });
}

void pool_free(struct pool *p)
{
	while (p->blocks != NULL) {
		struct pool_block *b = p->blocks;

		p->blocks = b->next;
		explicit_bzero(b, sizeof(*b) + b->size);
		free(b);
	}
	p->failed = false;
}
