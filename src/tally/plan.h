/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The plan of a tally: one calendar quarter, which tables, who counts, and the floors under it (T1, T2).
 *
 * Body (CBOR, model/wire.h):
 *   [1, period, tables version, [[member device, member counter, device]...], t, floor, T, nonce]
 *   period "2026Q3"; members and devices as in model/id.h; nonce 16 bytes
 * The hash of a plan is BLAKE2b("slb tally plan"; id of the neighbourhood's space, body): it names the plan in
 * everything that answers it, so that no answer can be moved to another plan.
 */
#ifndef SLB_TALLY_PLAN_H
#define SLB_TALLY_PLAN_H

#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "crypto/hash.h"
#include "crypto/share.h"
#include "model/id.h"
#include "tally/quarter.h"

#define PLAN_TELLERS_MAX SHARE_MAX
#define PLAN_NONCE_LEN 16

/* Compiled in: no plan goes below these. */
#define PLAN_THRESHOLD_MIN 2 /* t: with one teller alone there would be nothing to share */
#define PLAN_FLOOR_MIN 3
#define PLAN_FLOOR_DEFAULT 5
#define PLAN_CAP_MIN 5 /* T */
#define PLAN_CAP_MAX 64

struct plan_teller {
	struct dot member; /* the person's record in the neighbourhood */
	struct device_id device;
};

struct plan {
	struct quarter period;
	struct plan_teller teller[PLAN_TELLERS_MAX]; /* teller k holds share k + 1 */
	uint32_t n;                                  /* tellers */
	uint32_t t;                                  /* of them, that suffice */
	uint32_t floor;                              /* fewest circles that are ever counted together */
	uint32_t cap;                                /* T, also the threshold of disclosure control */
	uint32_t cells;                              /* in a contribution; follows from the tables */
	uint8_t nonce[PLAN_NONCE_LEN];
	uint8_t hash[HASH_LEN];
};

/* Writes the body of a new plan, and fills in what follows: nonce, cells, hash. ERR_REFUSED for one that breaks a
 * minimum, ERR_INPUT for tellers that cannot be (none, twice the same, more than 16, or fewer than t). */
enum err plan_make(struct plan *p, struct space_id space, const struct rng *rng, struct buf *body,
                   struct errctx *ec) MUST_CHECK;
/* ERR_DAMAGED for bytes that plan_make() would not write, a plan below a minimum included; ERR_LATER for tables that a
 * newer version defines. */
enum err plan_parse(struct bytes body, struct space_id space, struct plan *out, struct errctx *ec) MUST_CHECK;

/* Which teller a device is, or UINT32_MAX. */
uint32_t plan_teller_of(const struct plan *p, struct device_id device);
/* q = ceil((n + t) / 2): so many tellers sign one manifest before any sum is given. Two different manifests would need
 * t tellers who sign both. */
uint32_t plan_quorum(const struct plan *p);

#endif
