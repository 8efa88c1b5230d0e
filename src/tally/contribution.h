/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What one circle puts in: for each teller a sealed box with that teller's share of every cell (T1). A circle without
 * any referral sends as many bytes as another.
 *
 * Body: [2, plan hash, circle, name, [box...]] and a signature by the circle's key for this plan (tally/answer.h).
 *   circle  the public key; its seed is BLAKE2b("slb tally circle"; id of the circle's space, plan hash), so that all
 *           members of a circle have the same one, nobody else has it, and two plans cannot be linked by it
 *   name    of the circle, so that coordinators see which circles took part
 *   box     box_seal(BOX_SHARE) to the teller's period key of
 *             0   1      format, 1
 *             1   32     plan hash
 *             33  32     circle
 *             65  1      teller
 *             66  8 x n  share of each cell, big-endian, below p
 */
#ifndef SLB_TALLY_CONTRIBUTION_H
#define SLB_TALLY_CONTRIBUTION_H

#include "tally/key.h"

#define CIRCLE_NAME_MAX 120

struct circle_key {
	uint8_t public[SIGN_PUBLIC_LEN];
	uint8_t secret[SIGN_SECRET_LEN];
};
void circle_key_make(const struct plan *p, struct space_id circle, struct circle_key *out);

struct contribution {
	uint8_t hash[HASH_LEN]; /* BLAKE2b("slb tally contribution"; body) */
	uint8_t circle[SIGN_PUBLIC_LEN];
	struct bytes name; /* borrowed from the body */
	struct bytes box[PLAN_TELLERS_MAX];
};

/* The shares of packed cells (tally/pack.h): shares[k * p->cells + cell] is teller k's. */
enum err contribution_split(const struct plan *p, const uint64_t *packed, const struct rng *rng, uint64_t *shares,
                            struct errctx *ec) MUST_CHECK;

struct contribution_in {
	const struct circle_key *circle;
	const char *name;             /* at most CIRCLE_NAME_MAX bytes */
	const struct teller_key *key; /* of every teller, in the plan's order */
	const uint64_t *x;            /* the count of each cell */
};
/* Counts to body. ERR_REFUSED for a count that is too large; nothing is written then. */
enum err contribution_make(const struct plan *p, const struct contribution_in *c, const struct rng *rng,
                           struct buf *body, struct errctx *ec) MUST_CHECK;
enum err contribution_parse(const struct plan *p, struct bytes body, struct contribution *out,
                            struct errctx *ec) MUST_CHECK;
/* Teller k's shares of it. ERR_DAMAGED when the box is not one that contribution_make() would seal for this teller. */
enum err contribution_open(const struct plan *p, const struct contribution *c, uint32_t teller,
                           const struct teller_secret *secret, uint64_t *shares, struct errctx *ec) MUST_CHECK;

#endif
