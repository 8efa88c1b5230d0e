// SPDX-License-Identifier: EUPL-1.2
// Keys by role in guarded memory (V1), and a stock of nonces that a fork empties.
#include "vault/keyring.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "crypto/hash.h"
#include "crypto/secret.h"

/* As many as one call to the system's source gives (256 bytes). Few, because a machine whose memory is copied while it
 * runs, and goes on twice, has the same stock twice. */
#define STOCK_NONCES 10

/* One page of memory of its own, zeroed by the kernel in a child. */
struct stock {
	uint64_t left;
	uint8_t nonce[STOCK_NONCES][AEAD_NONCE_LEN];
};

_Static_assert(sizeof(struct stock) <= 4096, "the stock fits a page");

struct nonce_pool {
	const struct rng *rng;
	struct stock *stock;
};

struct keyring *keyring_new(const uint8_t master[static 32], const uint8_t file_id[static FILE_ID_LEN])
{
	struct bytes id = { file_id, FILE_ID_LEN };
	struct keyring *ring = secret_new(sizeof(*ring));

	if (ring == NULL)
		return NULL;
	memcpy(ring->file_id, file_id, FILE_ID_LEN);
	key_derive(master, "sleutelbos vault page 1", id, ring->page);
	key_derive(master, "sleutelbos vault log 1", id, ring->wal);
	key_derive(master, "sleutelbos vault mark 1", id, ring->mark);
	key_derive(master, "sleutelbos vault sum 1", id, ring->sum);
	return ring;
}

void keyring_free(struct keyring *ring)
{
	secret_free(ring);
}

struct nonce_pool *nonce_pool_new(const struct rng *rng)
{
	struct nonce_pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	pool->rng = rng;
	pool->stock = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pool->stock == MAP_FAILED) {
		free(pool);
		return NULL;
	}
	/* A kernel without it (before 4.14) gets no stock to share: see nonce_take(). */
	if (madvise(pool->stock, 4096, MADV_WIPEONFORK) != 0) {
		munmap(pool->stock, 4096);
		pool->stock = NULL;
	}
	return pool;
}

void nonce_take(struct nonce_pool *pool, uint8_t out[static AEAD_NONCE_LEN])
{
	struct stock *s = pool->stock;

	if (s == NULL) {
		rng_fill(pool->rng, out, AEAD_NONCE_LEN);
		return;
	}
	if (s->left == 0) {
		rng_fill(pool->rng, s->nonce, sizeof(s->nonce));
		s->left = STOCK_NONCES;
	}
	s->left--;
	memcpy(out, s->nonce[s->left], AEAD_NONCE_LEN);
}

void nonce_pool_free(struct nonce_pool *pool)
{
	if (pool == NULL)
		return;
	if (pool->stock != NULL)
		munmap(pool->stock, 4096);
	free(pool);
}
