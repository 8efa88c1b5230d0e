/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A vault that takes the place of another, whole (rekey, repair).
 *
 * The new one is made in DIR/next.part, out of sight. swap_ready() makes it durable and gives the folder the name
 * DIR/next. From then on, whoever opens DIR by a master key that opens DIR/next/vault.db finds it moved into place
 * first: vault.mark and vault.db are renamed over the old ones, the old write-ahead log is removed. A DIR/next that the
 * key does not open, beside a vault that it does, is the rest of an attempt that was given up (the key file was never
 * replaced): it is removed. Where the key opens neither, nothing is touched.
 *
 * So with the master key unchanged swap_ready() is the moment that decides; with a new one it is the replacement of the
 * key file afterwards. A crash or a power loss at any write leaves either the old vault or the new one, whole.
 */
#ifndef SLB_VAULT_SWAP_H
#define SLB_VAULT_SWAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define SWAP_DIR "next"
#define SWAP_PART "next.part"

/* Makes DIR/next.part, empty, and removes what earlier attempts left there. *out is its path, to free(). ERR_LATER when
 * a DIR/next waits: open DIR first, which settles it. */
enum err swap_begin(struct errctx *ec, const char *dir, char **out) MUST_CHECK;

/* DIR/next.part, whose vault is closed, becomes DIR/next, durably. */
enum err swap_ready(struct errctx *ec, const char *dir) MUST_CHECK;

/* Removes DIR/next.part, and DIR/next too where it did not come to be used; best effort, for the way out after an
 * error before the deciding moment. */
void swap_give_up(const char *dir);

/* What vault_open() does first, while it holds the lock `*lock` on DIR/vault.mark: see above. When vault.mark is
 * replaced the lock moves to the new one. */
enum err swap_settle(struct errctx *ec, const char *dir, const uint8_t master[static 32], int *lock) MUST_CHECK;

#endif
