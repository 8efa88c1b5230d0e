/* SPDX-License-Identifier: EUPL-1.2 */
/* Where keys live: guarded, locked memory that is wiped when freed (V1). */
#ifndef SLB_CRYPTO_SECRET_H
#define SLB_CRYPTO_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/env.h"
#include "base/err.h"

/* Starts libsodium; call once before anything else in crypto/. Safe to call again. */
enum err crypto_start(void) MUST_CHECK;

/* Guarded memory of `len` bytes, or NULL. */
void *secret_new(size_t len);
/* Wipes and frees; accepts NULL. */
void secret_free(void *p);
/* Wipes memory of the caller's (a stack copy, a buffer). */
void secret_wipe(void *p, size_t len);

/* Wipes what the functions that have returned left below on the stack. */
void secret_wipe_stack(void);
/* Does this program wipe all memory that is freed, by whatever library (crypto/heap.c)? Not under a sanitizer. */
bool secret_heap(void);

/* The system's random source. */
extern const struct rng crypto_rng;

#endif
