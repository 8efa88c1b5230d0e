// SPDX-License-Identifier: EUPL-1.2
// Hashes and subkeys, each use under its own label.
#include "crypto/hash.h"

#include <string.h>

#include <sodium.h>

#include "base/codec.h"

static void update_counted(crypto_generichash_state *st, struct bytes part)
{
	uint8_t len[8];

	be64_put(len, part.len);
	crypto_generichash_update(st, len, sizeof(len));
	if (part.len > 0)
		crypto_generichash_update(st, part.data, part.len);
}

void hash_parts(const char *label, const uint8_t *key, const struct bytes *parts, size_t count, uint8_t *out,
                size_t out_len)
{
	crypto_generichash_state st;
	uint8_t label_len = (uint8_t)strlen(label);

	crypto_generichash_init(&st, key, key == NULL ? 0 : 32, out_len);
	crypto_generichash_update(&st, &label_len, 1);
	crypto_generichash_update(&st, (const uint8_t *)label, label_len);
	for (size_t i = 0; i < count; i++)
		update_counted(&st, parts[i]);
	crypto_generichash_final(&st, out, out_len);
	sodium_memzero(&st, sizeof(st));
}

void hash_bytes(const char *label, struct bytes in, uint8_t out[static HASH_LEN])
{
	hash_parts(label, NULL, &in, 1, out, HASH_LEN);
}

bool hash_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}

void key_derive(const uint8_t master[static 32], const char *label, struct bytes context, uint8_t out[static 32])
{
	hash_parts(label, master, &context, 1, out, 32);
	/* libsodium leaves a copy of the result below. */
	sodium_stackzero(4096);
}
