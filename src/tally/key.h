/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A teller's keys for one period. They answer the plan: with them the teller has signed it, and what is sealed to them
 * can be opened until the sum is given; then they are destroyed (T2).
 *
 * Body: [1, plan hash, teller, box public key, sign public key] and a signature by that sign key (tally/answer.h).
 */
#ifndef SLB_TALLY_KEY_H
#define SLB_TALLY_KEY_H

#include <stdint.h>

#include "tally/answer.h"

struct teller_key {
	uint32_t teller;
	uint8_t box[BOX_PUBLIC_LEN];
	uint8_t sign[SIGN_PUBLIC_LEN];
};

/* Lives in secret_new() memory; as bytes it is what the device keeps. */
struct teller_secret {
	uint8_t sign[SIGN_SECRET_LEN];
	uint8_t box[BOX_SECRET_LEN];
	uint8_t box_public[BOX_PUBLIC_LEN];
};

enum err teller_key_make(const struct plan *p, uint32_t teller, const struct rng *rng, struct teller_secret *secret,
                         struct buf *body) MUST_CHECK;
enum err teller_key_parse(const struct plan *p, struct bytes body, struct teller_key *out,
                          struct errctx *ec) MUST_CHECK;

#endif
