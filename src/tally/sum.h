/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A teller's sum of its shares, and the totals that t of them give (T3).
 *
 * Body: [5, plan hash, teller, manifest hash, 8 bytes big-endian for each cell] and a signature by the teller's period
 * key (tally/answer.h).
 */
#ifndef SLB_TALLY_SUM_H
#define SLB_TALLY_SUM_H

#include "tally/manifest.h"
#include "tally/pack.h"

/* Adds one contribution's shares to the running sum of `cells` field elements. */
void sum_add(uint64_t *sum, const uint64_t *shares, uint32_t cells);

enum err sum_make(const struct plan *p, uint32_t teller, const struct teller_secret *secret,
                  const uint8_t manifest[static HASH_LEN], const uint64_t *sum, struct buf *body) MUST_CHECK;

struct teller_sum {
	uint32_t teller;
	uint8_t manifest[HASH_LEN];
	struct bytes sum; /* borrowed from the body */
};
enum err sum_parse(const struct plan *p, const struct teller_key *keys, struct bytes body, struct teller_sum *out,
                   struct errctx *ec) MUST_CHECK;

struct totals {
	struct pack_count *cell;
	uint32_t cells;
	bool checked;                 /* more than t sums agreed */
	bool wrong[PLAN_TELLERS_MAX]; /* tellers whose sum does not fit the others'; it was left out */
};

/* Totals from sums over one manifest of `circles` contributions, one sum a teller. ERR_LATER with fewer than t;
 * ERR_DAMAGED when they disagree and nobody can tell who is wrong, or when the totals are none. */
enum err sum_combine(const struct plan *p, const struct teller_sum *sums, size_t count, uint64_t circles,
                     struct totals *out, struct errctx *ec) MUST_CHECK;
void totals_free(struct totals *t); /* wiped */

#endif
