/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The encrypted local log: one SQLite database under a VFS that seals every page (docs/FORMAT.md).
 *
 * A vault is a directory with vault.db, vault.mark and, while in use, vault.db-wal. It is opened by its master key;
 * how that key comes out of a passphrase is keyfile.h's business. One vault is one connection with one owner: a
 * second opening, from this process or another, is refused. Any number of different vaults may be open at once, each
 * used by one thread at a time.
 */
#ifndef SLB_VAULT_VAULT_H
#define SLB_VAULT_VAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"

struct sqlite3;
struct vault;

enum vault_mode {
	VAULT_CREATE, /* a new, empty vault; ERR_REFUSED where one exists */
	VAULT_OPEN, /* an existing one; ERR_NOT_FOUND where there is none, ERR_DAMAGED where acknowledged edits miss */
	/* As VAULT_OPEN, but a damaged or missing log of recent edits counts as its end, the spare in vault.mark stands
	 * in for a first page that does not open, and of a file that is cut off the rest is read. For reading out what
	 * is left: the spare may be older than the pages it speaks of. */
	VAULT_SALVAGE,
};

#define VAULT_CHAIN_LEN 32

/* Once per process, before any other call and before anything else uses SQLite. No core dumps, no tracing by other
 * processes of the same user, the page cache in locked memory where the limit allows, statement journals in memory.
 * Safe to call again. */
enum err vault_start(void) MUST_CHECK;

/* What vault_start() could get from the system. */
struct vault_memory {
	bool keys_locked;      /* memory of keys is kept out of swap */
	uint64_t cache_locked; /* bytes of page cache kept out of swap; 0: the cache is ordinary memory */
	bool no_core;          /* a crash leaves no memory image */
};
struct vault_memory vault_memory(void);

/* Opens dir/vault.db: WAL, synchronous=FULL, one owner, secure_delete, nothing temporary on disk, foreign keys on.
 * `dir` exists. `master` is copied into guarded memory; `rng` is borrowed until vault_close().
 * ERR_LATER: another program has it open. ERR_DAMAGED: damage, or the key is not this vault's (a key file tells the
 * two apart before). On failure *out is NULL. */
enum err vault_open(struct errctx *ec, const char *dir, const uint8_t master[static 32], enum vault_mode mode,
                    const struct rng *rng, struct vault **out) MUST_CHECK;

/* The connection; belongs to the vault. Statements must be finalised before vault_close(). */
struct sqlite3 *vault_db(struct vault *v);

/* out = keyed hash over (prev, entry): the next link of the chain over the log of edits (V5). The first link takes 32
 * zero bytes as prev. It depends on the master key alone, so a backup under the same key continues the chain. */
void vault_chain(const struct vault *v, const uint8_t prev[static VAULT_CHAIN_LEN], struct bytes entry,
                 uint8_t out[static VAULT_CHAIN_LEN]);

/* Moves the write-ahead log into the database; call it when idle, not inside a transaction. `truncate`: the log's
 * bytes leave the disk too, which makes the destruction of a key final. */
enum err vault_checkpoint(struct vault *v, struct errctx *ec, bool truncate) MUST_CHECK;

/* Frames of the write-ahead log that no checkpoint has moved yet; a conversation is about 20. */
uint32_t vault_log_frames(const struct vault *v);

/* What opening noticed that is no reason to refuse. */
struct vault_notice {
	bool mark_missing;    /* vault.mark is gone, or a mark in it unreadable: a cut log would not be noticed */
	bool mark_behind;     /* vault.mark is older than the log: an older copy was put back */
	bool old_wal_ignored; /* an older write-ahead log was put back; it was not read */
	bool salvaged;        /* VAULT_SALVAGE dropped a damaged log of recent edits, took the spare for page 1, or
	                       * went on where the file ends too soon */
	bool mark_unwritten;  /* the mark, or the spare of page 1, could not be written in this session */
};
struct vault_notice vault_notice(const struct vault *v);

#define VAULT_REPORT_MAX 16

struct vault_report {
	uint64_t pages;                      /* pages of the database that were read */
	uint64_t bad_pages;                  /* of those, that do not open */
	uint32_t bad_page[VAULT_REPORT_MAX]; /* the first of them, from 1 */
	uint64_t frames;                     /* frames of the write-ahead log that were read */
	uint64_t bad_frames;
	bool sum_known;    /* there is a sum to compare with */
	bool sum_matches;  /* no page was replaced by an older one (V5) */
	bool size_matches; /* no page is missing at the end */
	bool consistent;   /* SQLite's integrity_check; false also when it could not run */
	char first[160];   /* its first complaint, else "" */
};

/* Reads everything: every page opens, the sum over all pages is the one of the last checkpoint, SQLite's own
 * integrity check. ERR_OK: whole. ERR_DAMAGED: `out` says what. Another error: the check could not be finished. */
enum err vault_verify(struct vault *v, struct errctx *ec, struct vault_report *out) MUST_CHECK;

/* The first half of vault_verify() in steps of at most `pages` pages, for use in the background. `check` starts
 * zeroed; a step after a checkpoint starts over by itself. */
struct vault_check {
	struct vault_report report; /* valid when done; `consistent` is not looked at */
	bool done;
	uint64_t next; /* private from here on */
	uint64_t era;
	uint64_t sum[4];
};
enum err vault_check_step(struct vault *v, struct errctx *ec, struct vault_check *check, unsigned pages) MUST_CHECK;

/* The sum alone (V5): the seal of every page is read, none is opened, which finds a page that was put back at a
 * fraction of the cost. ERR_OK also where there is no sum to compare with. ERR_DAMAGED without text. */
enum err vault_sum_check(struct vault *v, struct errctx *ec) MUST_CHECK;
/* Pages of the database as of the last checkpoint. */
uint64_t vault_page_count(const struct vault *v);

/* Takes the pages as they are for the new base of the sum, after damage was repaired or its loss accepted.
 * Checkpoints. ERR_DAMAGED while a page does not open. */
enum err vault_accept(struct vault *v, struct errctx *ec) MUST_CHECK;

/* Turns the connection's last error into ours, with a sentence (ERR_OK when there was none). Damage that a page or
 * frame showed is named, whatever SQLite made of it. */
enum err vault_sqlite_error(struct vault *v, struct errctx *ec) MUST_CHECK;

/* Checkpoints, closes, wipes; accepts NULL. A vault whose disk failed is closed without writing. */
void vault_close(struct vault *v);

#endif
