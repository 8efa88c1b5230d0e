/* SPDX-License-Identifier: EUPL-1.2 */
/* A small random source for tests that one seed replays exactly: splitmix64 (Steele, Lea and Flood, 2014). */
#ifndef SLB_TESTS_MODEL_RANDOM_H
#define SLB_TESTS_MODEL_RANDOM_H

#include <stdint.h>
#include <stdlib.h>

struct random {
	uint64_t state;
};

static inline uint64_t random_next(struct random *r)
{
	uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* 0 to n - 1 */
static inline uint64_t random_below(struct random *r, uint64_t n)
{
	return random_next(r) % n;
}

/* True about `percent` times in a hundred. */
static inline int random_chance(struct random *r, unsigned percent)
{
	return random_below(r, 100) < percent;
}

/* How many times the usual number of seeds: SLB_SOAK, else 1. */
static inline uint64_t random_soak(void)
{
	const char *s = getenv("SLB_SOAK");
	unsigned long n = s == NULL ? 1 : strtoul(s, NULL, 10);

	return n == 0 ? 1 : n;
}

#endif
