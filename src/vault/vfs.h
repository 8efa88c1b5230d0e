/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The sealing VFS: one sqlite3_vfs per vault, over another one that does the real I/O (SQLite's own, or one that
 * records or fails, in tests). Everything SQLite writes passes page.h first.
 *
 * Files by role: vfs_main.c the database, vfs_wal.c the write-ahead log, vfs_block.c journals and temporary files.
 */
#ifndef SLB_VAULT_VFS_H
#define SLB_VAULT_VFS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/env.h"
#include "base/err.h"
#include "vault/keyring.h"
#include "vault/ledger.h"
#include "vault/page.h"

enum vfs_policy {
	VFS_PRODUCT, /* an existing vault: write-ahead log only, no journal, the ledger decides what must be there */
	VFS_BUILD,   /* the first pages of a new vault: no log, no ledger */
	VFS_LOOSE,   /* any SQLite use (SQLite's own tests): all journal modes and page sizes, no ledger */
};

enum vfs_damage_kind {
	DAMAGE_NONE,
	DAMAGE_PAGE,         /* a page does not open */
	DAMAGE_PAGE_MISSING, /* the file ends before it */
	DAMAGE_FRAME,        /* a frame that was synced does not open */
	DAMAGE_LOG_SHORT,    /* the log ends before the mark, or is gone */
	DAMAGE_LOG_HEADER,
	DAMAGE_LOG_AHEAD, /* the mark is older than the log */
};

struct vfs_damage {
	enum vfs_damage_kind kind;
	uint32_t number; /* page or frame */
};

struct vfs {
	sqlite3_vfs base; /* first, so that SQLite's pointer is ours */
	sqlite3_vfs *under;
	enum vfs_policy policy;
	const struct rng *rng;
	uint8_t *master; /* guarded */
	struct nonce_pool *nonces;
	struct keyring *ring;      /* PRODUCT, BUILD: the one database's; LOOSE: NULL, every file has its own */
	struct ledger *ledger;     /* PRODUCT; borrowed */
	bool salvage;              /* a damaged log counts as its end */
	bool old_log;              /* the log on disk is of the past: it reads as empty */
	bool old_log_planted;      /* and no crash can have left it there */
	bool salvaged;             /* salvage dropped something */
	bool mark_behind;          /* salvage met a log that the mark is older than */
	bool latched;              /* a sync failed: nothing is written any more (V6) */
	bool remember;             /* pages of the log may be kept for the checkpoint (struct recent) */
	bool moving;               /* a checkpoint is being made, and nothing else */
	int failed_errno;          /* of the last call beneath that failed */
	struct vfs_damage damage;  /* the first that was met */
	struct vault_file *opened; /* PRODUCT, BUILD: the one database file */
	struct main_file *mains;   /* LOOSE: all that are open, under the mutex */
	pthread_mutex_t mutex;     /* not SQLite's, which end with a shutdown of it */
	char name[40];
};

struct vfs_config {
	const char *name; /* of the new VFS, unique in the process */
	sqlite3_vfs *under;
	enum vfs_policy policy;
	const struct rng *rng;
	const uint8_t *master;
	const uint8_t *file_id; /* NULL: LOOSE */
	struct ledger *ledger;
	bool remember;
};

/* Registers it. `master` is copied into guarded memory. NULL when out of memory. */
struct vfs *vfs_new(const struct vfs_config *config);
void vfs_free(struct vfs *vfs); /* unregisters; all files are closed; accepts NULL */

/* ---- Shared by the roles ---- */

enum file_role { ROLE_MAIN, ROLE_WAL, ROLE_JOURNAL, ROLE_TEMP };

struct vault_file {
	sqlite3_file base;
	struct vfs *vfs;
	enum file_role role;
	sqlite3_file *under;
};

/* SQLite's own VFS takes fewer than 128 KiB in one write. */
#define RUN_PAGES 31
#define PENDING_FRAMES 31

struct main_file {
	struct vault_file f;
	struct keyring *own;    /* LOOSE: freed with the file */
	const char *name;       /* as SQLite gave it; the same pointer for its log */
	struct main_file *next; /* LOOSE */
	const struct keyring *ring;
	bool fresh;         /* LOOSE: the file was empty, another connection may name it first */
	uint32_t size;      /* bytes in a page, 0 before LOOSE knows */
	uint8_t *scratch;   /* RUN_PAGES pages, or one of the largest size */
	uint32_t run_first; /* pages sealed in `scratch` and not yet written, in order */
	uint32_t run_count;
};

/* Plain copies of pages that were written to the log, by page, each with the frame that held it. Never the only one:
 * what is not here is read from the log. NULL where no locked memory can be had. */
struct recent;
struct recent *recent_new(void);
void recent_free(struct recent *r); /* wipes; accepts NULL */
void recent_put(struct recent *r, uint32_t page, uint32_t frame, const uint8_t *data);
/* False: not here, `out` is unchanged. */
bool recent_get(const struct recent *r, uint32_t page, uint32_t frame, uint8_t *out);
void recent_forget(struct recent *r); /* frames will mean something else */
/* Frames of a log before there is such memory: it takes longer to get than few pages take to open. */
#define RECENT_FROM 64

struct wal_file {
	struct vault_file f;
	struct main_file *db;          /* whose log it is */
	bool known;                    /* `log` and `plain` are set */
	uint8_t plain[WAL_HEADER_LEN]; /* the header */
	struct wal_id log;
	bool big;         /* word order of the checksums */
	uint32_t size;    /* bytes in a page */
	uint8_t *scratch; /* one frame */

	/* frames sealed and not yet written: one write per transaction */
	uint8_t *pending;
	uint32_t pending_first;
	uint32_t pending_count;
	uint32_t pending_room;
	bool has_header; /* a frame header whose page has not come yet */
	uint32_t header_frame;
	uint8_t header[WAL_FRAME_HEADER];
	uint32_t last_commit;
	bool unsynced; /* frames were written since the last sync */
	struct recent *recent;

	/* recovery reads the frames in order; the chain of checksums says where the log ends */
	uint32_t chain_next; /* 0: not recovering */
	uint32_t chain[2];
};

struct block_file {
	struct vault_file f;
	uint8_t *key; /* guarded */
	uint32_t block;
	uint8_t *scratch;
};

int main_open(struct main_file *m, const char *name) MUST_CHECK;
/* The database that a log of this name belongs to; NULL where this VFS has not opened it. */
struct main_file *main_of_log(struct vfs *vfs, const char *log);
/* LOOSE: finds id and page size anew, as another connection may have written them. */
int main_refresh(struct main_file *m) MUST_CHECK;
int wal_open(struct wal_file *w, const char *name) MUST_CHECK;
int block_open(struct block_file *b) MUST_CHECK;

extern const sqlite3_io_methods main_methods;
extern const sqlite3_io_methods wal_methods;
extern const sqlite3_io_methods block_methods;

static inline int under_read(struct vault_file *f, void *out, int len, sqlite3_int64 at)
{
	return f->under->pMethods->xRead(f->under, out, len, at);
}

/* SQLITE_IOERR_WRITE once a sync failed. */
int under_write(struct vault_file *f, const void *data, int len, sqlite3_int64 at) MUST_CHECK;
int under_truncate(struct vault_file *f, sqlite3_int64 size) MUST_CHECK;
/* A failure latches the vault: what the disk holds is unknown from then on. */
int under_sync(struct vault_file *f, int flags) MUST_CHECK;

static inline int under_size(struct vault_file *f, sqlite3_int64 *out)
{
	return f->under->pMethods->xFileSize(f->under, out);
}

/* Records damage (the first wins) and returns SQLITE_IOERR_DATA. */
int vfs_damaged(struct vfs *vfs, enum vfs_damage_kind kind, uint32_t number);
/* A ledger call failed: when it may have been its sync, the vault is latched. Returns rc. */
int vfs_ledger_result(struct vfs *vfs, int rc) MUST_CHECK;

/* io methods that are the same for all roles */
int file_lock(sqlite3_file *file, int level);
int file_unlock(sqlite3_file *file, int level);
int file_check_reserved(sqlite3_file *file, int *out);
int file_control(sqlite3_file *file, int op, void *arg);
int file_sector_size(sqlite3_file *file);
int file_characteristics(sqlite3_file *file);
int file_shm_lock(sqlite3_file *file, int first, int count, int flags);
void file_shm_barrier(sqlite3_file *file);
int file_shm_unmap(sqlite3_file *file, int forget);
int file_fetch(sqlite3_file *file, sqlite3_int64 at, int len, void **out);
int file_unfetch(sqlite3_file *file, sqlite3_int64 at, void *page);
/* Closes what is under; the role frees its own. */
int file_close_under(struct vault_file *f);

#endif
