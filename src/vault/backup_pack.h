/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Writing and reading a backup file (backup_file.h), and the copy of a vault that goes into one.
 *
 * Files come as open descriptors at their beginning; `name` is for sentences. Nothing here decides what may travel: the
 * caller makes the copy, takes out what has to stay, closes it, and packs what is left.
 */
#ifndef SLB_VAULT_BACKUP_PACK_H
#define SLB_VAULT_BACKUP_PACK_H

#include <stdint.h>

#include "base/env.h"
#include "vault/backup_file.h"

struct vault;

/* vault_copy() under v's own master key: into `dir`, which exists and holds no vault. */
enum err backup_copy(struct vault *v, struct errctx *ec, const char *dir) MUST_CHECK;
/* Opens a vault that has the master key of `v`. */
enum err backup_open_like(struct vault *v, struct errctx *ec, const char *dir, struct vault **out) MUST_CHECK;
/* The keys of the backups of this vault; NULL when out of memory. */
struct backup_keys *backup_keys_of(const struct vault *v);
/* Is `keys_path` a whole key file of this vault's master key? ERR_DAMAGED where it is not. */
enum err backup_key_file_check(const struct vault *v, struct errctx *ec, const char *keys_path) MUST_CHECK;

struct backup_parts {
	struct bytes key_file;
	const char *dir; /* of the closed vault: vault.db and vault.mark, no log */
	int64_t made_ms;
};
/* Writes the whole file to `fd` and syncs it. ERR_NO_SPACE, ERR_IO: what was written is of no use. *bytes: its size. */
enum err backup_pack(struct errctx *ec, int fd, const char *name, const struct backup_keys *keys,
                     const struct backup_parts *parts, const struct rng *rng, uint64_t *bytes) MUST_CHECK;

/* Reads head and key file into `head`, which is empty. ERR_DAMAGED with a sentence where this is no backup, or one that
 * is cut off (where the size of the file can tell). */
enum err backup_begin(struct errctx *ec, int fd, const char *name, struct buf *head) MUST_CHECK;
/* The key file in a head that backup_begin() gave. */
struct bytes backup_key_file(const struct buf *head);
/* Reads on: writes DIR/vault.db and DIR/vault.mark and syncs them. ERR_OK only where the trailer holds and the file
 * ends there; on failure neither file is left. */
enum err backup_unpack(struct errctx *ec, int fd, const char *name, const struct backup_keys *keys, struct bytes head,
                       const char *dir, struct backup_list *out) MUST_CHECK;

#endif
