/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One cell of a contribution as one field element, so that one sharing carries three sums.
 *
 *   bits 34..59  x, how many referrals of this circle (26 bits)
 *   bits 20..33  i, whether there is any: x > 0 (14 bits)
 *   bits  0..19  c, min(x, T), what the circle counts for at most (20 bits)
 *
 * With at most PACK_CIRCLES circles, x at most PACK_X and T at most PACK_T no part of a sum carries into the next, and
 * a sum stays below 2^60 < p.
 */
#ifndef SLB_TALLY_PACK_H
#define SLB_TALLY_PACK_H

#include <stdint.h>

#include "base/err.h"

#define PACK_CIRCLES 16383
#define PACK_X 4096
#define PACK_T 64

struct pack_count {
	uint64_t x, i, c;
};

/* ERR_REFUSED when x is over PACK_X. `cap` is the plan's T, at most PACK_T. */
enum err pack_put(uint64_t x, uint32_t cap, uint64_t *out, struct errctx *ec) MUST_CHECK;
/* The three sums of a packed sum. ERR_DAMAGED when they cannot come from `circles` contributions: a contribution or a
 * share was not what it should be. */
enum err pack_get(uint64_t packed, uint32_t cap, uint64_t circles, struct pack_count *out,
                  struct errctx *ec) MUST_CHECK;

#endif
