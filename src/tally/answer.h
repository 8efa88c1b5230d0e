/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What answers a plan: period keys, contributions, views, manifests and sums share one envelope.
 *
 *   offset     size  what
 *   0          len   CBOR array: [type, plan hash, ...], the rest as each type says
 *   len        64    Ed25519 signature over BLAKE2b("slb tally answer"; the CBOR)
 *
 * The key that signs differs: a teller's key of this period, or the key that a circle has for this plan.
 */
#ifndef SLB_TALLY_ANSWER_H
#define SLB_TALLY_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "crypto/sign.h"
#include "model/wire.h"
#include "tally/plan.h"

enum answer_type {
	ANSWER_KEY = 1,
	ANSWER_CONTRIBUTION = 2,
	ANSWER_VIEW = 3,
	ANSWER_MANIFEST = 4,
	ANSWER_SUM = 5,
};

/* Starts a body: the array's head (`items` more than type and hash), type, plan hash. */
enum err answer_begin(const struct plan *p, enum answer_type type, size_t items, struct buf *body) MUST_CHECK;
/* Ends it with the signature. */
enum err answer_sign(const uint8_t secret[static SIGN_SECRET_LEN], struct buf *body) MUST_CHECK;

/* Opens a body: *in stands behind the plan hash. False unless it is of this type and answers this plan. */
bool answer_open(const struct plan *p, enum answer_type type, size_t items, struct bytes body, struct wire_in *in);
/* Is everything read, and does the signature verify? */
bool answer_close(struct bytes body, const struct wire_in *in, const uint8_t public[static SIGN_PUBLIC_LEN]);
/* The type of a body, 0 when it has none. */
uint64_t answer_type(struct bytes body);

bool answer_get_teller(const struct plan *p, struct wire_in *in, uint32_t *out);
/* The one text for all of them; returns ERR_DAMAGED. */
enum err answer_damaged(struct errctx *ec);

#endif
