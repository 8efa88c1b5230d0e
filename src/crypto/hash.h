/* SPDX-License-Identifier: EUPL-1.2 */
/* BLAKE2b (libsodium's crypto_generichash), with a label that separates one use from another. */
#ifndef SLB_CRYPTO_HASH_H
#define SLB_CRYPTO_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define HASH_LEN 32

/* out = BLAKE2b(key; len8(label) | label | for each part: be64 length | bytes). `key` is NULL or 32 bytes; `out_len`
 * is 16 to 64. The lengths inside make the list of parts unambiguous. */
void hash_parts(const char *label, const uint8_t *key, const struct bytes *parts, size_t count, uint8_t *out,
                size_t out_len);

/* One part, no key, 32 bytes. */
void hash_bytes(const char *label, struct bytes in, uint8_t out[static HASH_LEN]);

/* Constant time. */
bool hash_equal(const uint8_t *a, const uint8_t *b, size_t len);

/* A subkey of a 32-byte master key: hash_parts(label, master, {context}). */
void key_derive(const uint8_t master[static 32], const char *label, struct bytes context, uint8_t out[static 32]);

#endif
