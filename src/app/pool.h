/* SPDX-License-Identifier: EUPL-1.2 */
/* Memory of one answer: many small pieces, freed (and wiped) together. Zero-initialised it is empty. */
#ifndef SLB_APP_POOL_H
#define SLB_APP_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct pool_block;

struct pool {
	struct pool_block *blocks;
	bool failed; /* memory ran out once; what was asked for then is NULL */
};

/* Zeroed memory, aligned for any type; NULL when out of memory or for 0 bytes. */
void *pool_take(struct pool *p, size_t size);
/* A copy with a NUL at its end; NULL when out of memory. */
const char *pool_text(struct pool *p, struct bytes text);
const char *pool_str(struct pool *p, const char *text); /* NULL stays NULL */
void pool_free(struct pool *p);

#endif
