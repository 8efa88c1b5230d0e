/* SPDX-License-Identifier: EUPL-1.2 */
/* All chance from one seed, libsodium's too: a seed replays to the last byte. */
#ifndef SLB_TESTS_ATTACK_CHANCE_H
#define SLB_TESTS_ATTACK_CHANCE_H

#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>

#include "model/random.h"

static struct random chance_state;

static inline void chance_fill(void *out, size_t len)
{
	uint8_t *p = out;

	while (len-- > 0)
		*p++ = (uint8_t)random_next(&chance_state);
}

static inline uint32_t chance_next(void)
{
	return (uint32_t)random_next(&chance_state);
}

static inline const char *chance_name(void)
{
	return "one seed";
}

static inline void chance_seed(uint64_t seed)
{
	chance_state.state = seed ^ UINT64_C(0x50d1);
}

/* Before anything of libsodium is used. */
static inline bool chance_start(void)
{
	static struct randombytes_implementation from = { .implementation_name = chance_name,
		                                          .random = chance_next,
		                                          .buf = chance_fill };

	return randombytes_set_implementation(&from) == 0;
}

static inline uint64_t chance_first_seed(void)
{
	const char *s = getenv("SLB_SEED");

	return s == NULL ? 1 : strtoull(s, NULL, 10);
}

#endif
