// SPDX-License-Identifier: EUPL-1.2
// Signatures and boxes for the fuzzer alone (make fuzz), which then tries ten times as many inputs: a signature is a
// keyed hash under the public key, a box is its plaintext behind the key it is for. What stands in for libsodium here
// is tested elsewhere; the ordinary run of the corpora (test_corpora.c) uses the true ones.
#include <string.h>

#include "crypto/hash.h"
#include "crypto/sign.h"

void __wrap_sign_make(const uint8_t secret[static SIGN_SECRET_LEN], struct bytes message, uint8_t out[static SIGN_LEN]);
bool __wrap_sign_check(const uint8_t public[static SIGN_PUBLIC_LEN], struct bytes message,
                       const uint8_t signature[static SIGN_LEN]);
enum err __wrap_box_seal(enum box_type type, const uint8_t to[static BOX_PUBLIC_LEN], struct bytes plain,
                         struct buf *out);
enum err __wrap_box_unseal(enum box_type type, const uint8_t public[static BOX_PUBLIC_LEN],
                           const uint8_t secret[static BOX_SECRET_LEN], struct bytes sealed, struct buf *out);

static void mark(const uint8_t public[static SIGN_PUBLIC_LEN], struct bytes message, uint8_t out[static SIGN_LEN])
{
	memset(out, 0, SIGN_LEN);
	hash_parts("fuzz", public, &message, 1, out, 32);
}

/* The second half of an Ed25519 secret key is the public one. */
void __wrap_sign_make(const uint8_t secret[static SIGN_SECRET_LEN], struct bytes message, uint8_t out[static SIGN_LEN])
{
	mark(secret + SIGN_SECRET_LEN - SIGN_PUBLIC_LEN, message, out);
}

bool __wrap_sign_check(const uint8_t public[static SIGN_PUBLIC_LEN], struct bytes message,
                       const uint8_t signature[static SIGN_LEN])
{
	uint8_t want[SIGN_LEN];

	mark(public, message, want);
	return memcmp(want, signature, SIGN_LEN) == 0;
}

enum err __wrap_box_seal(enum box_type type, const uint8_t to[static BOX_PUBLIC_LEN], struct bytes plain,
                         struct buf *out)
{
	uint8_t head[BOX_OVERHEAD + 4] = { 0 };
	enum err e = ERR_OK;

	memcpy(head, to, BOX_PUBLIC_LEN);
	memcpy(head + BOX_OVERHEAD, &type, 4);
	e = buf_put(out, head, sizeof(head));
	return e == ERR_OK ? buf_put(out, plain.data, plain.len) : e;
}

enum err __wrap_box_unseal(enum box_type type, const uint8_t public[static BOX_PUBLIC_LEN],
                           const uint8_t secret[static BOX_SECRET_LEN], struct bytes sealed, struct buf *out)
{
	(void)secret;
	if (sealed.len < BOX_OVERHEAD + 4 || memcmp(sealed.data, public, BOX_PUBLIC_LEN) != 0 ||
	    memcmp(sealed.data + BOX_OVERHEAD, &type, 4) != 0)
		return ERR_DAMAGED;
	return buf_put(out, sealed.data + BOX_OVERHEAD + 4, sealed.len - BOX_OVERHEAD - 4);
}
