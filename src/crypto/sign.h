/* SPDX-License-Identifier: EUPL-1.2 */
/* Ed25519 signatures and X25519 sealed boxes, as libsodium documents them. */
#ifndef SLB_CRYPTO_SIGN_H
#define SLB_CRYPTO_SIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"

#define SIGN_PUBLIC_LEN 32
#define SIGN_SECRET_LEN 64
#define SIGN_LEN 64
#define BOX_PUBLIC_LEN 32
#define BOX_SECRET_LEN 32
#define BOX_OVERHEAD 48

void sign_keypair(const struct rng *rng, uint8_t public[static SIGN_PUBLIC_LEN],
                  uint8_t secret[static SIGN_SECRET_LEN]);
/* The pair that is made from this seed. */
void sign_keypair_from(const uint8_t seed[static 32], uint8_t public[static SIGN_PUBLIC_LEN],
                       uint8_t secret[static SIGN_SECRET_LEN]);
void sign_make(const uint8_t secret[static SIGN_SECRET_LEN], struct bytes message, uint8_t out[static SIGN_LEN]);
bool sign_check(const uint8_t public[static SIGN_PUBLIC_LEN], struct bytes message,
                const uint8_t signature[static SIGN_LEN]);

void box_keypair(const struct rng *rng, uint8_t public[static BOX_PUBLIC_LEN], uint8_t secret[static BOX_SECRET_LEN]);

/* The public key that belongs to a secret one. */
void box_public(const uint8_t secret[static BOX_SECRET_LEN], uint8_t out[static BOX_PUBLIC_LEN]);

/* What a sealed box is for. A sealed box has no associated data, so the tag is the first four bytes of what is
 * sealed, checked before anything else is read. */
enum box_type {
	BOX_EPOCH_KEY = 0x53424531,    /* an epoch key for a member device */
	BOX_JOIN_REQUEST = 0x53424a31, /* from a joiner to the device that invited */
	BOX_JOIN_ANSWER = 0x53424a32,  /* from the device that admits to the joiner */
	BOX_PAPER = 0x53425031,        /* "SBP1": a letter of a home for its recovery sheet */
	BOX_SHARE = 0x53425431,        /* a share of a tally contribution for a teller */
	BOX_RECOVERY = 0x53425231,     /* "SBR1": a vault's master key for a recovery sheet */
};

/* crypto_box_seal of type | plain to `to`, appended to `out`: plain.len + 4 + BOX_OVERHEAD bytes. It is anonymous:
 * what it holds must be signed or checked in another way. The ephemeral key comes from libsodium's own source. */
enum err box_seal(enum box_type type, const uint8_t to[static BOX_PUBLIC_LEN], struct bytes plain,
                  struct buf *out) MUST_CHECK;
/* Appends the plaintext without its tag; ERR_DAMAGED when it is not for this key or of another type. */
enum err box_unseal(enum box_type type, const uint8_t public[static BOX_PUBLIC_LEN],
                    const uint8_t secret[static BOX_SECRET_LEN], struct bytes sealed, struct buf *out) MUST_CHECK;

#endif
