/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * vault.mark: what must be on disk, kept apart from the disk's own account of it.
 *
 * Two kinds of sealed records, each in slots written in turn; the valid one with the highest sequence counts:
 *   mark   after each successful sync of the log, unsynced: generation and salts of the log, frames synced (V2).
 *   sum    synced, before pages are moved out of the log and before a log is thrown away: up to which generation all
 *          is in the database, and the keyed sum over (page, nonce) of its pages (V5).
 *
 * The sum is kept by difference. It covers the pages 1 to `pages`; while the first `frames` frames of a log are being
 * moved into the database it leaves out the pages they hold, so that a checkpoint cut off at any write leaves a sum
 * that still holds for the rest. Everything a record says was true before it was written, so a power loss that keeps
 * an older record never makes a sound vault look damaged.
 *
 * Behind the slots lies a spare of page 1: its sealed bytes as they were at the last checkpoint. Salvage alone reads
 * it, where page 1 of the database does not open; so it may be stale or torn and harms nothing.
 *
 * All calls return SQLite result codes, since they are made from inside its I/O.
 */
#ifndef SLB_VAULT_LEDGER_H
#define SLB_VAULT_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "vault/keyring.h"
#include "vault/page.h"

#define LEDGER_SLOT 512
/* Slots 0 and 1 hold marks; 2 and 3 one record of the sum twice, 4 and 5 another, so that no single bad sector loses
 * what was synced. */
#define LEDGER_SLOTS 6
#define LEDGER_SIZE (LEDGER_SLOTS * LEDGER_SLOT)
#define LEDGER_SPARE_AT 4096 /* VAULT_PAGE_SIZE bytes */
#define SUM_LANES 4

struct sum_record {
	uint64_t sequence;
	uint64_t generation; /* frames == 0: logs up to this one are in the database; else: the log being moved */
	uint32_t frames;
	uint32_t pages;
	bool known; /* false: the sum was lost, only the generation counts */
	uint64_t sum[SUM_LANES];
};

struct mark_record {
	uint64_t sequence; /* 0: none */
	struct wal_id log;
	uint32_t frames; /* frames 1 to this were synced */
};

struct moved_page {
	uint32_t number;
	bool written;
	uint64_t value[SUM_LANES];
};

struct ledger_frame_note {
	uint32_t page;
	uint32_t db_pages; /* size of the database after this commit; 0: no commit */
};

struct ledger {
	const struct keyring *ring; /* borrowed */
	struct nonce_pool *nonces;  /* borrowed */
	sqlite3_file *file;         /* vault.mark; borrowed */
	sqlite3_file *db;           /* the sealed database, while it is open; borrowed */
	struct sum_record record;   /* as on disk */
	struct mark_record mark;
	bool missing;        /* no record of the sum could be read */
	bool mark_lost;      /* a mark's slot does not open; in a sound vault both do, whatever a power loss left out */
	bool mark_unwritten; /* a mark failed to be written; the older one stays, which is safe */
	bool spare_unwritten; /* the spare of page 1 failed to be written */

	/* the log in use */
	bool live; /* a header of generation ledger_base() + 1 was written or found */
	struct wal_id log;
	uint32_t committed; /* frames up to the last commit that was written; SQLite may have taken that one back */
	struct ledger_frame_note *frame; /* frame i at [i - 1] */
	uint32_t frame_room;             /* elements allocated */
	uint32_t frame_count;            /* elements in use */

	/* a checkpoint in progress */
	bool moving;
	uint32_t moving_frames;
	struct moved_page *moved; /* sorted by number */
	uint32_t moved_count;

	uint64_t era; /* changes whenever pages of the database do */
};

/* Reads the records. SQLITE_OK also when there are none (`missing`). */
int ledger_load(struct ledger *l) MUST_CHECK;
/* The first records of a new vault, durable. */
int ledger_create(struct ledger *l, uint32_t pages, const uint64_t sum[static SUM_LANES]) MUST_CHECK;
void ledger_clear(struct ledger *l); /* frees what it allocated */

/* Where there is no spare of page 1 that opens: takes page 1 as it lies in the database, if that does. */
void ledger_spare_renew(struct ledger *l);
/* The spare as it lies there, sealed; SQLITE_IOERR_SHORT_READ where there is none. */
int ledger_spare_get(struct ledger *l, uint8_t out[static VAULT_PAGE_SIZE]) MUST_CHECK;

/* The last generation that is wholly in the database. */
uint64_t ledger_base(const struct ledger *l);
/* How many frames a log of generation ledger_base() + 1 must hold. */
uint32_t ledger_claim(const struct ledger *l);

/* A log of this identity was found on disk, or is about to be written. */
void ledger_log_found(struct ledger *l, const struct wal_id *log);
/* Gives a new log its generation, after what the last one held is known to be in the database. */
int ledger_log_new(struct ledger *l, const uint8_t salts[static WAL_SALT_LEN], struct wal_id *out) MUST_CHECK;
int ledger_frame(struct ledger *l, uint32_t frame, struct ledger_frame_note note) MUST_CHECK;
/* That frame is a commit, and written. */
void ledger_commit(struct ledger *l, uint32_t frame);
/* The log was synced. */
void ledger_synced(struct ledger *l);
/* Frames from `frame` on will be written anew: the mark goes below them first, durably. */
int ledger_lower(struct ledger *l, uint32_t frame) MUST_CHECK;
/* A page of the database is about to be written under this nonce, by a checkpoint. */
int ledger_page(struct ledger *l, uint32_t page, const uint8_t nonce[static AEAD_NONCE_LEN]) MUST_CHECK;
/* The database is about to be cut to its new size, at the end of a checkpoint. */
int ledger_cut(struct ledger *l) MUST_CHECK;
/* All frames are in the synced database: the log may go. */
int ledger_retire(struct ledger *l) MUST_CHECK;
/* The records of the sum are lost: goes on from this generation without one. */
int ledger_adopt(struct ledger *l, uint64_t base, uint32_t pages) MUST_CHECK;
/* For salvage: nothing is claimed of the log any more, and the sum is unknown. In memory only. */
void ledger_unclaim(struct ledger *l);
/* A new base, with a sum counted afresh (`sum` NULL: unknown); for repair. */
int ledger_rebase(struct ledger *l, uint32_t pages, const uint64_t *sum) MUST_CHECK;

/* Whether the record's sum covers the page: for comparing. */
bool ledger_covers(const struct ledger *l, uint32_t page);
/* sum += (add) or -= the keyed value of (page, nonce). */
void ledger_sum(const struct keyring *ring, uint32_t page, const uint8_t nonce[static AEAD_NONCE_LEN], bool add,
                uint64_t sum[static SUM_LANES]);
/* SQLite never writes the page that holds its lock bytes. */
bool ledger_page_unused(uint32_t page);

#endif
