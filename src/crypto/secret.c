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

/* Deeper than anything here goes; a thread has 8 MiB, a process 8 MiB or what its limit says. */
#define STACK_USED ((size_t)256 * 1024)

void secret_wipe_stack(void)
{
	sodium_stackzero(STACK_USED);
}

static void system_fill(void *self, void *out, size_t len)
{
	(void)self;
	randombytes_buf(out, len);
}

const struct rng crypto_rng = { system_fill, NULL };
