/* SPDX-License-Identifier: EUPL-1.2 */
/* The keys of one database file, derived from the master key and the file's random id, and the nonces they use. */
#ifndef SLB_VAULT_KEYRING_H
#define SLB_VAULT_KEYRING_H

#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "crypto/aead.h"

#define FILE_ID_LEN 16

/* Lives in guarded memory. Each role has its own key, so that no ciphertext of one can stand in for another. */
struct keyring {
	uint8_t file_id[FILE_ID_LEN];
	uint8_t page[AEAD_KEY_LEN];
	uint8_t wal[AEAD_KEY_LEN];
	uint8_t mark[AEAD_KEY_LEN];
	uint8_t sum[32];
};

/* NULL when out of memory. */
struct keyring *keyring_new(const uint8_t master[static 32], const uint8_t file_id[static FILE_ID_LEN]);
void keyring_free(struct keyring *ring); /* accepts NULL */

/* A stock of random nonces: one call to the random source fills many. The kernel wipes it in a child process (fork),
 * which then draws its own, so that two processes never share a nonce. */
struct nonce_pool;

/* `rng` is borrowed. NULL when out of memory. */
struct nonce_pool *nonce_pool_new(const struct rng *rng);
void nonce_take(struct nonce_pool *pool, uint8_t out[static AEAD_NONCE_LEN]);
void nonce_pool_free(struct nonce_pool *pool); /* accepts NULL */

#endif
