// SPDX-License-Identifier: EUPL-1.2
// The one cipher. The type tag leads the associated data, so a page cannot pass for a batch, nor a batch for a key.
#include "crypto/aead.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "base/codec.h"

_Static_assert(AEAD_KEY_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key length");
_Static_assert(AEAD_NONCE_LEN == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce length");
_Static_assert(AEAD_TAG_LEN == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag length");

struct typed_ad {
	uint8_t data[4 + AEAD_AD_MAX];
	size_t len;
};

static void typed_ad_init(struct typed_ad *t, enum seal_type type, struct bytes ad)
{
	assert(ad.len <= AEAD_AD_MAX);
	be32_put(t->data, (uint32_t)type);
	if (ad.len > 0)
		memcpy(t->data + 4, ad.data, ad.len);
	t->len = 4 + ad.len;
}

void aead_seal_detached(enum seal_type type, const uint8_t key[static AEAD_KEY_LEN],
                        const uint8_t nonce[static AEAD_NONCE_LEN], struct bytes ad, uint8_t *data, size_t len,
                        uint8_t tag[static AEAD_TAG_LEN])
{
	struct typed_ad t;

	typed_ad_init(&t, type, ad);
	crypto_aead_xchacha20poly1305_ietf_encrypt_detached(data, tag, NULL, data, len, t.data, t.len, NULL, nonce,
	                                                    key);
}

enum err aead_unseal_detached(enum seal_type type, const uint8_t key[static AEAD_KEY_LEN],
                              const uint8_t nonce[static AEAD_NONCE_LEN], struct bytes ad, uint8_t *data, size_t len,
                              const uint8_t tag[static AEAD_TAG_LEN])
{
	struct typed_ad t;

	typed_ad_init(&t, type, ad);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt_detached(data, NULL, data, len, tag, t.data, t.len, nonce,
	                                                        key) == 0)
		return ERR_OK;
	sodium_memzero(data, len);
	return ERR_DAMAGED;
}

enum err aead_seal(enum seal_type type, const uint8_t key[static AEAD_KEY_LEN], struct bytes ad, struct bytes plain,
                   const struct rng *rng, struct buf *out)
{
	enum err e = buf_reserve(out, plain.len + AEAD_OVERHEAD);
	uint8_t *p = NULL;

	if (e != ERR_OK)
		return e;
	p = out->data + out->len;
	rng_fill(rng, p, AEAD_NONCE_LEN);
	if (plain.len > 0)
		memcpy(p + AEAD_NONCE_LEN, plain.data, plain.len);
	aead_seal_detached(type, key, p, ad, p + AEAD_NONCE_LEN, plain.len, p + AEAD_NONCE_LEN + plain.len);
	out->len += plain.len + AEAD_OVERHEAD;
	return ERR_OK;
}

enum err aead_unseal(enum seal_type type, const uint8_t key[static AEAD_KEY_LEN], struct bytes ad, struct bytes sealed,
                     struct buf *out)
{
	size_t len = 0;
	uint8_t *p = NULL;
	enum err e = ERR_OK;

	if (sealed.len < AEAD_OVERHEAD)
		return ERR_DAMAGED;
	len = sealed.len - AEAD_OVERHEAD;
	e = buf_reserve(out, len + 1);
	if (e != ERR_OK)
		return e;
	p = out->data + out->len;
	if (len > 0)
		memcpy(p, sealed.data + AEAD_NONCE_LEN, len);
	e = aead_unseal_detached(type, key, sealed.data, ad, p, len, sealed.data + AEAD_NONCE_LEN + len);
	if (e == ERR_OK)
		out->len += len;
	return e;
}
