/* SPDX-License-Identifier: EUPL-1.2 */
/* How spaces, devices, tags and epochs get their names: each commits to the keys behind it. */
#ifndef SLB_BATCH_NAMES_H
#define SLB_BATCH_NAMES_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "crypto/sign.h"
#include "model/id.h"

#define SPACE_NONCE_LEN 16
#define EPOCH_KEY_LEN 32

/* BLAKE2b("slb space"; kind, founder's signing key, nonce): whoever knows the id can check the founder. */
struct space_id space_id_make(enum space_kind kind, const uint8_t founder[static SIGN_PUBLIC_LEN],
                              const uint8_t nonce[static SPACE_NONCE_LEN]);

/* BLAKE2b("slb device"; space, signing key, incarnation), 8 bytes. */
struct device_id device_id_make(struct space_id space, const uint8_t sign_public[static SIGN_PUBLIC_LEN],
                                uint32_t incarnation);

struct recipient {
	struct device_id dev;
	uint8_t box_public[BOX_PUBLIC_LEN];
};

/* BLAKE2b over the recipients, sorted by device (sorts the array in place), and over the sorted parents. */
void recipients_hash(struct recipient *recipients, size_t count, uint8_t out[static 32]);
void parents_hash(struct epoch_id *parents, size_t count, uint8_t out[static 32]);

/* The epoch's id: BLAKE2b(key; space, recipients hash, parents hash). It commits to the key, which
 * XChaCha20-Poly1305 does not. */
struct epoch_id epoch_id_make(const uint8_t key[static EPOCH_KEY_LEN], struct space_id space,
                              const uint8_t recipients[static 32], const uint8_t parents[static 32]);

#endif
