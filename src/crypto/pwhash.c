// SPDX-License-Identifier: EUPL-1.2
// Argon2id between a compiled-in floor and ceiling (V4): the check stands in the one function that derives.
#include "crypto/pwhash.h"

#include <sodium.h>

_Static_assert(PWHASH_SALT_LEN == crypto_pwhash_SALTBYTES, "salt length");
_Static_assert(KEY_COST_FLOOR_OPS >= crypto_pwhash_OPSLIMIT_MODERATE, "libsodium's MODERATE is the floor");
_Static_assert(KEY_COST_FLOOR_MEM >= crypto_pwhash_MEMLIMIT_MODERATE, "libsodium's MODERATE is the floor");

bool key_cost_allowed(struct key_cost cost)
{
	return cost.ops >= KEY_COST_FLOOR_OPS && cost.ops <= KEY_COST_CEILING_OPS && cost.mem >= KEY_COST_FLOOR_MEM &&
	       cost.mem <= KEY_COST_CEILING_MEM;
}

enum err pwhash_derive(struct bytes passphrase, const uint8_t salt[static PWHASH_SALT_LEN], struct key_cost cost,
                       uint8_t out[static PWHASH_KEY_LEN])
{
	int rc = 0;

	sodium_memzero(out, PWHASH_KEY_LEN);
	if (!key_cost_allowed(cost))
		return ERR_REFUSED;
	rc = crypto_pwhash(out, PWHASH_KEY_LEN, (const char *)passphrase.data, passphrase.len, salt, cost.ops,
	                   (size_t)cost.mem, crypto_pwhash_ALG_ARGON2ID13);
	/* libsodium leaves a copy of the result below. */
	sodium_stackzero(16384);
	if (rc == 0)
		return ERR_OK;
	sodium_memzero(out, PWHASH_KEY_LEN);
	return ERR_NO_MEMORY;
}
