/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A key from a passphrase: Argon2id version 1.3 (RFC 9106) as libsodium's crypto_pwhash computes it, one lane.
 *
 * The floor and the ceiling are compiled in. Nothing below the floor is ever derived, so that no file and no caller
 * can talk the program into a cheap key; nothing above the ceiling, so that no file can exhaust the machine.
 */
#ifndef SLB_CRYPTO_PWHASH_H
#define SLB_CRYPTO_PWHASH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define PWHASH_SALT_LEN 16
#define PWHASH_KEY_LEN 32

struct key_cost {
	uint64_t ops; /* passes over the memory */
	uint64_t mem; /* bytes */
};

#define KEY_COST_FLOOR_OPS 3u
#define KEY_COST_FLOOR_MEM ((uint64_t)256 << 20)
#define KEY_COST_CEILING_OPS 64u
#define KEY_COST_CEILING_MEM ((uint64_t)1 << 30)

/* Within floor and ceiling, both counts. */
bool key_cost_allowed(struct key_cost cost);

/* Takes about 0.6 s and 256 MiB at the floor. ERR_REFUSED for a cost that is not allowed (nothing is derived then),
 * ERR_NO_MEMORY when the memory is not to be had. `out` is zeroed on failure. */
enum err pwhash_derive(struct bytes passphrase, const uint8_t salt[static PWHASH_SALT_LEN], struct key_cost cost,
                       uint8_t out[static PWHASH_KEY_LEN]) MUST_CHECK;

#endif
