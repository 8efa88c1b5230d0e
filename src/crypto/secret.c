// SPDX-License-Identifier: EUPL-1.2
// Guarded memory for keys (V1): libsodium places guard pages around it, locks it and wipes it.
#include "crypto/secret.h"

#include <sodium.h>

enum err crypto_start(void)
{
	return sodium_init() < 0 ? ERR_IO : ERR_OK;
}

void *secret_new(size_t len)
{
	return sodium_malloc(len);
}

void secret_free(void *p)
{
	sodium_free(p);
}

void secret_wipe(void *p, size_t len)
{
	sodium_memzero(p, len);
}

static void system_fill(void *self, void *out, size_t len)
{
	(void)self;
	randombytes_buf(out, len);
}

const struct rng crypto_rng = { system_fill, NULL };
