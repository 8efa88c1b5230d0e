/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * XChaCha20-Poly1305-IETF (libsodium), the only cipher in the program.
 *
 * Every kind of ciphertext has a type tag, the first four bytes of the associated data, so that no sealed thing
 * can stand in for one of another kind. Nonces are random, 24 bytes; they come from `rng`.
 */
#ifndef SLB_CRYPTO_AEAD_H
#define SLB_CRYPTO_AEAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"

#define AEAD_KEY_LEN 32
#define AEAD_NONCE_LEN 24
#define AEAD_TAG_LEN 16
#define AEAD_OVERHEAD (AEAD_NONCE_LEN + AEAD_TAG_LEN)

/* Type tags; the number is written to disk and wire and never changes meaning. */
enum seal_type {
	SEAL_PAGE = 0x53423031,     /* "SB01" a page of the vault's main database */
	SEAL_WAL_HEAD = 0x53423032, /* a header of the write-ahead log */
	SEAL_WAL_FRAME = 0x53423033,
	SEAL_JOURNAL = 0x53423034, /* a block of a rollback journal */
	SEAL_TEMP = 0x53423035,    /* a block of a temporary file, under an ephemeral key */
	SEAL_MARK = 0x53423036,    /* how far the write-ahead log was synced */
	SEAL_SUM = 0x53423037,     /* the sum over all pages, at a checkpoint */
	SEAL_KEYSLOT = 0x53423038, /* the master key, wrapped by a passphrase */
	SEAL_BATCH = 0x53423039,
	SEAL_SNAPSHOT = 0x53423130,
	SEAL_BACKUP = 0x53423131,
	SEAL_CARRY = 0x53423133,        /* batches that are carried over to another epoch */
	SEAL_VIEW = 0x53423139,         /* "SB19": what a repository was seen to show */
	SEAL_SHEET_NOTE = 0x53423134,   /* "SB14": what a vault is to know of a sheet that was made beside it */
	SEAL_SHEET_AUTHOR = 0x53423132, /* "SB12": what tells a recovery sheet who wrote its slot */
};

/* out = nonce | ciphertext | tag, AEAD_OVERHEAD bytes longer than the plaintext, appended to `out`. */
enum err aead_seal(enum seal_type type, const uint8_t key[static AEAD_KEY_LEN], struct bytes ad, struct bytes plain,
                   const struct rng *rng, struct buf *out) MUST_CHECK;
/* Appends the plaintext to `out`; ERR_DAMAGED (and `out` unchanged) when it does not verify. */
enum err aead_unseal(enum seal_type type, const uint8_t key[static AEAD_KEY_LEN], struct bytes ad, struct bytes sealed,
                     struct buf *out) MUST_CHECK;

/* In place, for pages: `data` is overwritten by ciphertext of the same length, nonce is the caller's, tag is written.
 */
void aead_seal_detached(enum seal_type type, const uint8_t key[static AEAD_KEY_LEN],
                        const uint8_t nonce[static AEAD_NONCE_LEN], struct bytes ad, uint8_t *data, size_t len,
                        uint8_t tag[static AEAD_TAG_LEN]);
/* In place. ERR_DAMAGED leaves `data` zeroed. */
enum err aead_unseal_detached(enum seal_type type, const uint8_t key[static AEAD_KEY_LEN],
                              const uint8_t nonce[static AEAD_NONCE_LEN], struct bytes ad, uint8_t *data, size_t len,
                              const uint8_t tag[static AEAD_TAG_LEN]) MUST_CHECK;

/* Associated data longer than this is a bug (it is copied to the stack beside the type tag). */
#define AEAD_AD_MAX 252

#endif
