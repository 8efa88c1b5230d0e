/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The byte format of a backup (docs/FORMAT.md, "Backup"): pure functions, bytes in, bytes or an error out. What writes
 * and reads such a file is backup_pack.h.
 */
#ifndef SLB_VAULT_BACKUP_FILE_H
#define SLB_VAULT_BACKUP_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "crypto/aead.h"
#include "crypto/hash.h"

#define BACKUP_HEAD_LEN 16
#define BACKUP_KEY_FILE_MAX 65536
#define BACKUP_LIST_LEN 32
#define BACKUP_LIST_SEALED (AEAD_OVERHEAD + BACKUP_LIST_LEN)
#define BACKUP_MARK_MAX 65536
#define BACKUP_BLOCK 65536
#define BACKUP_TRAILER_LEN HASH_LEN

/* ---- In clear ---- */

void backup_head_put(uint32_t key_file_len, uint8_t out[static BACKUP_HEAD_LEN]);
/* ERR_DAMAGED without text where it is not the head of a backup. */
enum err backup_head_get(const uint8_t in[static BACKUP_HEAD_LEN], uint32_t *key_file_len) MUST_CHECK;

/* What a file of `used` bytes is filled up to, the trailer counted in; at most an eighth more or 64 KiB. */
uint64_t backup_size(uint64_t used);
/* Is this a size that a whole backup can have? */
bool backup_size_possible(uint64_t size);

/* ---- Under keys ---- */

/* Lives in guarded memory. */
struct backup_keys {
	uint8_t list[AEAD_KEY_LEN];
	uint8_t end[32];
};
/* NULL when out of memory. */
struct backup_keys *backup_keys_new(const uint8_t master[static 32]);
void backup_keys_free(struct backup_keys *keys); /* accepts NULL */

struct backup_list {
	uint64_t total;    /* bytes of the whole file */
	uint64_t db_len;   /* of vault.db: whole pages, one at least */
	uint64_t mark_len; /* of vault.mark: 1 to BACKUP_MARK_MAX */
	int64_t made_ms;   /* since 1970-01-01 UTC */
};

/* The list of a backup with these parts; `total` follows from them. */
struct backup_list backup_list_of(uint32_t key_file_len, uint64_t db_len, uint64_t mark_len, int64_t made_ms);
/* `head` is all that stands before it: the head and the key file. */
void backup_list_seal(const struct backup_keys *keys, struct bytes head, const struct backup_list *list,
                      const uint8_t nonce[static AEAD_NONCE_LEN], uint8_t out[static BACKUP_LIST_SEALED]);
/* ERR_DAMAGED without text: it does not open, or its numbers do not fit each other or this key file. */
enum err backup_list_unseal(const struct backup_keys *keys, struct bytes head,
                            const uint8_t in[static BACKUP_LIST_SEALED], struct backup_list *out) MUST_CHECK;

/* The trailer as it grows: all bytes of the file before it, in order, in pieces of any size. */
struct backup_sum {
	const struct backup_keys *keys; /* borrowed */
	uint8_t link[HASH_LEN];
	uint64_t total;
	size_t have;
	uint8_t block[BACKUP_BLOCK];
};
void backup_sum_start(struct backup_sum *s, const struct backup_keys *keys);
void backup_sum_add(struct backup_sum *s, struct bytes bytes);
void backup_sum_end(struct backup_sum *s, uint8_t out[static BACKUP_TRAILER_LEN]);

#endif
