/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The byte formats of the vault's files (docs/FORMAT.md, "Vault pages, WAL, journal, mark"): pure functions from
 * plain bytes to sealed bytes and back. Page numbers and frame numbers count from 1, as in SQLite.
 *
 * A page of `size` bytes ends in PAGE_RESERVE bytes that SQLite leaves zero: on disk they hold nonce and tag.
 */
#ifndef SLB_VAULT_PAGE_H
#define SLB_VAULT_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "vault/keyring.h"

#define VAULT_PAGE_SIZE 4096
#define PAGE_RESERVE AEAD_OVERHEAD
#define PAGE_SIZE_MAX 65536

#define WAL_HEADER_LEN 32 /* as SQLite sees it */
#define WAL_HEADER_DISK 80
#define WAL_FRAME_HEADER 24
#define WAL_SALT_LEN 8

/* Which write-ahead log a frame belongs to. */
struct wal_id {
	uint64_t generation; /* counts the logs of one vault, each greater than the one before */
	uint8_t salts[WAL_SALT_LEN];
};

/* What SQLite may hand to page_seal(): the reserve is zero, and page 1 opens with SQLite's 16-byte magic. */
bool page_sealable(const uint8_t *page, size_t size, uint32_t number);

/* In place. Page 1 shows the file id in place of the magic, which is a constant. */
void page_seal(const struct keyring *ring, uint32_t number, const uint8_t nonce[static AEAD_NONCE_LEN], uint8_t *page,
               size_t size);
/* In place; magic and zero reserve restored. ERR_DAMAGED leaves the page zeroed. */
enum err page_unseal(const struct keyring *ring, uint32_t number, uint8_t *page, size_t size) MUST_CHECK;

/* SQLite's 32-byte header and our generation. */
void wal_header_seal(const struct keyring *ring, const uint8_t plain[static WAL_HEADER_LEN], uint64_t generation,
                     const uint8_t nonce[static AEAD_NONCE_LEN], uint8_t out[static WAL_HEADER_DISK]);
enum err wal_header_unseal(const struct keyring *ring, const uint8_t in[static WAL_HEADER_DISK],
                           uint8_t plain[static WAL_HEADER_LEN], uint64_t *generation) MUST_CHECK;

/* A frame is WAL_FRAME_HEADER bytes and a page, `size` bytes in all, sealed as one. `first` is the number of the
 * first frame of its transaction; it travels where SQLite repeats the salts. */
void frame_seal(const struct keyring *ring, const struct wal_id *log, uint32_t number, uint32_t first,
                const uint8_t nonce[static AEAD_NONCE_LEN], uint8_t *frame, size_t size);
enum err frame_unseal(const struct keyring *ring, const struct wal_id *log, uint32_t number, uint8_t *frame,
                      size_t size, uint32_t *first) MUST_CHECK;

/* SQLite's checksum of log headers and frames: `sum` goes on from what it holds. `len` is a multiple of 8;
 * `big` is the word order that the log's magic names. */
void wal_checksum(const uint8_t *data, size_t len, bool big, uint32_t sum[static 2]);

#endif
