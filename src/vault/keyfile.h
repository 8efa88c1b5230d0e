/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The key file: a random 32-byte master key, wrapped once in each slot (docs/FORMAT.md, "Key file"). A slot is a
 * passphrase's or a recovery sheet's. How a file is changed stands in keychange.h.
 *
 * Key derivation (here) and opening by master key (vault.h) are two functions: what needs a vault without a
 * passphrase links vault.h alone. Nothing here writes or reads a slot below the floor of crypto/pwhash.h.
 * A passphrase is bytes as typed; it is never normalised, stored or logged.
 */
#ifndef SLB_VAULT_KEYFILE_H
#define SLB_VAULT_KEYFILE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "crypto/pwhash.h"

#define MASTER_KEY_LEN 32
/* What one derivation takes at least, measured by `clock` when a slot is written. */
#define KEYFILE_DERIVE_MS 500

/* Draws a master key and writes `path` (0600, durable when this returns) with one passphrase slot. ERR_REFUSED when
 * `path` exists, ERR_INPUT for an empty passphrase. `master` is the caller's guarded memory; zeroed on failure. */
enum err keyfile_create(struct errctx *ec, const char *path, struct bytes passphrase, const struct clock *clock,
                        const struct rng *rng, uint8_t master[static MASTER_KEY_LEN]) MUST_CHECK;

/* One derivation. ERR_LOCKED: the file is whole and the passphrase is not its own. ERR_DAMAGED: bytes were changed
 * (told without a derivation wherever the checksum tells it). ERR_REFUSED: a cost below the floor or above the
 * ceiling, never derived with. ERR_NOT_FOUND: no such file. `master` is zeroed on failure.
 * The file holds its content twice; a damaged half is replaced from the whole one, best effort. */
enum err keyfile_unlock(struct errctx *ec, const char *path, struct bytes passphrase,
                        uint8_t master[static MASTER_KEY_LEN]) MUST_CHECK;

/* Rewrites the passphrase slot by an atomic replace: at every instant either the old or the new file is there whole
 * and opens the same master key. Other slots are kept as they are. Two derivations. */
enum err keyfile_change_passphrase(struct errctx *ec, const char *path, struct bytes old_passphrase,
                                   struct bytes new_passphrase, const struct clock *clock,
                                   const struct rng *rng) MUST_CHECK;

/* Of the recovery sheet that opens this file; number 0: there is none. Read without a key: the checksum holds, but only
 * opening tells that nobody wrote the file anew. ERR_DAMAGED, ERR_NOT_FOUND. */
struct keyfile_sheet {
	uint32_t number; /* from 1 */
	int64_t day;     /* of issue, days since 1970-01-01 */
};
enum err keyfile_sheet(struct errctx *ec, const char *path, struct keyfile_sheet *out) MUST_CHECK;

/* For keychange.h: keyfile_unlock() of a copy that was read. */
enum err keyfile_copy_unlock(struct errctx *ec, struct bytes copy, struct bytes passphrase, uint8_t *master) MUST_CHECK;
/* Is `path` a whole key file of this master key? No derivation. ERR_DAMAGED with a sentence where it is not. */
enum err keyfile_check(struct errctx *ec, const char *path, const uint8_t master[static MASTER_KEY_LEN]) MUST_CHECK;

#endif
