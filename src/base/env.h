/* SPDX-License-Identifier: EUPL-1.2 */
/* Time and chance, handed in from above: below app/ nothing reads a clock or a random source of its own, so that
 * every test is deterministic. */
#ifndef SLB_BASE_ENV_H
#define SLB_BASE_ENV_H

#include <stddef.h>
#include <stdint.h>

struct clock {
	int64_t (*now_ms)(void *self); /* milliseconds since 1970-01-01 UTC */
	void *self;
};

struct rng {
	void (*fill)(void *self, void *out, size_t len);
	void *self;
};

static inline int64_t clock_now(const struct clock *c)
{
	return c->now_ms(c->self);
}

static inline void rng_fill(const struct rng *r, void *out, size_t len)
{
	r->fill(r->self, out, len);
}

#endif
