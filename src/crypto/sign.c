// SPDX-License-Identifier: EUPL-1.2
// Signatures and sealed boxes, thin over libsodium.
#include "crypto/sign.h"

#include <string.h>

#include <sodium.h>

#include "base/codec.h"

_Static_assert(SIGN_PUBLIC_LEN == crypto_sign_PUBLICKEYBYTES, "public signing key");
_Static_assert(SIGN_SECRET_LEN == crypto_sign_SECRETKEYBYTES, "secret signing key");
_Static_assert(SIGN_LEN == crypto_sign_BYTES, "signature");
_Static_assert(BOX_PUBLIC_LEN == crypto_box_PUBLICKEYBYTES, "public box key");
_Static_assert(BOX_SECRET_LEN == crypto_box_SECRETKEYBYTES, "secret box key");
_Static_assert(BOX_OVERHEAD == crypto_box_SEALBYTES, "sealed box");

void sign_keypair(const struct rng *rng, uint8_t public[static SIGN_PUBLIC_LEN], uint8_t secret[static SIGN_SECRET_LEN])
{
	uint8_t seed[crypto_sign_SEEDBYTES];

	rng_fill(rng, seed, sizeof(seed));
	crypto_sign_seed_keypair(public, secret, seed);
	sodium_memzero(seed, sizeof(seed));
}

void sign_keypair_from(const uint8_t seed[static 32], uint8_t public[static SIGN_PUBLIC_LEN],
                       uint8_t secret[static SIGN_SECRET_LEN])
{
	crypto_sign_seed_keypair(public, secret, seed);
}

void sign_make(const uint8_t secret[static SIGN_SECRET_LEN], struct bytes message, uint8_t out[static SIGN_LEN])
{
	crypto_sign_detached(out, NULL, message.data, message.len, secret);
}

bool sign_check(const uint8_t public[static SIGN_PUBLIC_LEN], struct bytes message,
                const uint8_t signature[static SIGN_LEN])
{
	return crypto_sign_verify_detached(signature, message.data, message.len, public) == 0;
}

void box_keypair(const struct rng *rng, uint8_t public[static BOX_PUBLIC_LEN], uint8_t secret[static BOX_SECRET_LEN])
{
	uint8_t seed[crypto_box_SEEDBYTES];

	rng_fill(rng, seed, sizeof(seed));
	crypto_box_seed_keypair(public, secret, seed);
	sodium_memzero(seed, sizeof(seed));
}

void box_public(const uint8_t secret[static BOX_SECRET_LEN], uint8_t out[static BOX_PUBLIC_LEN])
{
	/* fails only where the result would be all zero, which it is for no clamped secret and this base */
	(void)!crypto_scalarmult_base(out, secret);
}

enum err box_seal(enum box_type type, const uint8_t to[static BOX_PUBLIC_LEN], struct bytes plain, struct buf *out)
{
	struct buf tagged = { 0 };
	uint8_t tag[4];
	enum err e = ERR_OK;

	be32_put(tag, (uint32_t)type);
	e = buf_put(&tagged, tag, sizeof(tag));
	if (e == ERR_OK)
		e = buf_put(&tagged, plain.data, plain.len);
	if (e == ERR_OK)
		e = buf_reserve(out, tagged.len + BOX_OVERHEAD);
	if (e == ERR_OK && crypto_box_seal(out->data + out->len, tagged.data, tagged.len, to) != 0)
		e = ERR_DAMAGED;
	if (e == ERR_OK)
		out->len += tagged.len + BOX_OVERHEAD;
	buf_free(&tagged);
	return e;
}

enum err box_unseal(enum box_type type, const uint8_t public[static BOX_PUBLIC_LEN],
                    const uint8_t secret[static BOX_SECRET_LEN], struct bytes sealed, struct buf *out)
{
	struct buf tagged = { 0 };
	enum err e = ERR_OK;

	if (sealed.len < BOX_OVERHEAD + 4)
		return ERR_DAMAGED;
	e = buf_reserve(&tagged, sealed.len - BOX_OVERHEAD);
	if (e != ERR_OK)
		return e;
	tagged.len = sealed.len - BOX_OVERHEAD;
	if (crypto_box_seal_open(tagged.data, sealed.data, sealed.len, public, secret) != 0 ||
	    be32_get(tagged.data) != (uint32_t)type)
		e = ERR_DAMAGED;
	else
		e = buf_put(out, tagged.data + 4, tagged.len - 4);
	buf_free(&tagged);
	return e;
}
