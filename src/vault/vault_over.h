/* SPDX-License-Identifier: EUPL-1.2 */
/* What stands behind vault.h: for its own files, and for harnesses that put another VFS beneath a vault to record its
 * writes or to make them fail. */
#ifndef SLB_VAULT_VAULT_OVER_H
#define SLB_VAULT_VAULT_OVER_H

#include <sqlite3.h>

#include "vault/vault.h"
#include "vault/vfs.h"

struct vault {
	sqlite3 *db;
	struct vfs *vfs;
	struct ledger ledger;
	struct keyring *ring;
	struct nonce_pool *nonces;
	sqlite3_file *mark; /* beneath: vault.mark is sealed by the ledger */
	const struct rng *rng;
	sqlite3_vfs *under;
	uint8_t *chain_key; /* guarded */
	int lock;           /* descriptor of vault.mark that holds the owner's lock */
	int build_errno;    /* of the last call that failed while the first pages were written */
	char *db_path;
	char *log_path;
	char *new_path;
	char *mark_path;
};

/* vault_open() with its I/O done by `under`, borrowed until vault_close(). */
enum err vault_open_over(struct errctx *ec, const char *dir, const uint8_t master[static 32], enum vault_mode mode,
                         const struct rng *rng, sqlite3_vfs *under, struct vault **out) MUST_CHECK;

/* A vault.db under a new file id, made at v->new_path and then named: of one page, or (`source` not NULL) with all that
 * another vault holds. Fills the keyring and the first ledger. */
enum err vault_build(struct vault *v, struct errctx *ec, const uint8_t master[static 32],
                     struct vault *source) MUST_CHECK;

/* The parts of opening that a new vault needs too: paths, keys, lock, vault.mark. `v` is new; vault_close() frees it
 * also after a failure. */
enum err vault_prepare(struct vault *v, struct errctx *ec, const char *dir, const uint8_t master[static 32],
                       enum vault_mode mode) MUST_CHECK;
/* Which file id the vault bears, by page 1 or vault.mark: fills the keyring and reads the ledger. */
enum err vault_ring_find(struct vault *v, struct errctx *ec, const uint8_t master[static 32]) MUST_CHECK;
/* A vault with nothing in it yet; NULL when out of memory, or where `under` is NULL. */
struct vault *vault_blank(const struct rng *rng, sqlite3_vfs *under);

/* Around all that a vault does with SQLite: starts it where it is not started. When the last one leaves, the page cache
 * is wiped (start.c). vault_blank() enters, vault_close() leaves. */
enum err vault_enter(void) MUST_CHECK;
void vault_leave(void);

/* A result code with its sentence. Nothing of the database is quoted. */
enum err vault_result(const struct vault *v, struct errctx *ec, int rc);

#endif
