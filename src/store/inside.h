/* SPDX-License-Identifier: EUPL-1.2 */
/* What the files of store/ share. Nobody else includes this. */
#ifndef SLB_STORE_INSIDE_H
#define SLB_STORE_INSIDE_H

#include <sqlite3.h>

#include "store/store.h"

enum statement {
#define STMT(name, sql) ST_##name,
#include "store/statements.def"
#undef STMT
	ST_COUNT
};

#define NEAR_DEVICES 16

struct store {
	struct vault *vault;
	sqlite3 *db;
	sqlite3_stmt *st[ST_COUNT];
	bool in_transaction;
	/* the end of the log, kept so that a bulk of edits does not look it up each time; forgotten on rollback */
	bool tail_known;
	int64_t tail_n;
	uint8_t tail[VAULT_CHAIN_LEN];
	uint64_t chains; /* how often links were made anew: a walk that began before begins again */
	struct hlc clock;
	struct hlc clock_before; /* as it was when the transaction began: what is rolled back never was */
	/* devices looked up last; forgotten on rollback */
	struct {
		struct device_id id;
		int64_t n; /* 0: empty */
	} near[NEAR_DEVICES];
	unsigned near_next;
	/* what waits, counted once and kept up; the second is what it was when the transaction began */
	struct waiting_sum {
		bool known;
		uint64_t files;
		uint64_t bytes;
	} waiting, waiting_before;
	int64_t now_ms;        /* as the caller said last */
	uint64_t devices_seen; /* how often a device got its keys here, for who waits for one */
	bool wanted;           /* rows of a search are wanted whole, not only counted */
};

/* What query.c's statements need of the connection. */
enum err query_start(struct errctx *ec, struct store *s) MUST_CHECK;
void query_end(struct store *s);

/* Notes an edit that says something about erasing; one that does not leaves no trace. */
enum err erasure_note(struct errctx *ec, struct store *s, int64_t space, int64_t key, int64_t record,
                      const struct edit *edit) MUST_CHECK;
/* What all edits in the log that count make of a record, on its base: for where folding the last one is not enough.
 * ERR_NOT_FOUND without text: nothing. */
enum err fold_all(struct errctx *ec, struct store *s, int64_t space, struct dot record, struct loaded *out) MUST_CHECK;
/* Numbers the edits behind a gap on, and makes their links anew: a row moves down only, to where none is left. */
enum err close_up(struct errctx *ec, struct store *s, int64_t first) MUST_CHECK;

/* Takes up the clock where it was left. */
enum err clock_load(struct errctx *ec, struct store *s) MUST_CHECK;

#define COUNTER_BITS 40
_Static_assert(STORE_NUMBER_MAX == (1ULL << COUNTER_BITS) - 1, "a number fits its bits");

/* A statement, reset, with nothing bound. NULL: could not be prepared; the error is in `ec`. */
sqlite3_stmt *stmt(struct errctx *ec, struct store *s, enum statement which);
/* Leaves the function when a statement could not be prepared; `ec` is the function's. */
#define NEED(st)                                                                                                       \
	do {                                                                                                           \
		if ((st) == NULL)                                                                                      \
			return ec != NULL && ec->code != ERR_OK ? ec->code : ERR_IO;                                   \
	} while (0)
/* Runs a statement that gives no rows. */
enum err run(struct errctx *ec, struct store *s, sqlite3_stmt *st) MUST_CHECK;
/* One step: *row tells whether there is one. When there is none the statement is reset. */
enum err step(struct errctx *ec, struct store *s, sqlite3_stmt *st, bool *row) MUST_CHECK;
/* The connection's last error. */
enum err failed(struct errctx *ec, struct store *s);

static inline void bind_blob(sqlite3_stmt *st, int i, const void *data, size_t len)
{
	sqlite3_bind_blob64(st, i, len == 0 ? "" : data, len, SQLITE_STATIC);
}

static inline void bind_text(sqlite3_stmt *st, int i, const char *text)
{
	sqlite3_bind_text(st, i, text, -1, SQLITE_STATIC);
}

static inline struct bytes column_bytes(sqlite3_stmt *st, int i)
{
	return (struct bytes){ sqlite3_column_blob(st, i), (size_t)sqlite3_column_bytes(st, i) };
}

/* Copies a text column into a fixed field; longer text is damage. */
enum err column_text(struct errctx *ec, sqlite3_stmt *st, int i, char *out, size_t size) MUST_CHECK;
/* Copies a blob column of exactly `len` bytes. */
enum err column_exact(struct errctx *ec, sqlite3_stmt *st, int i, void *out, size_t len) MUST_CHECK;

/* Makes room for one more element of a malloc()ed list. */
enum err list_grow(void **list, size_t n, size_t *cap, size_t size) MUST_CHECK;

/* A dot as one integer. The device is added to the table when it is new (`space` as its space). */
enum err key_of(struct errctx *ec, struct store *s, int64_t space, struct dot d, int64_t *key) MUST_CHECK;
/* The same where the device must be known: ERR_NOT_FOUND without text, also for a number that no dot can have. */
enum err key_find(struct errctx *ec, struct store *s, struct dot d, int64_t *key) MUST_CHECK;
/* The device in such an integer, by its local number. */
static inline int64_t device_of(int64_t key)
{
	return (int64_t)((uint64_t)key >> COUNTER_BITS);
}
enum err dot_of(struct errctx *ec, struct store *s, int64_t key, struct dot *out) MUST_CHECK;

/* Appends the one column that the statement gives for a dot. ERR_NOT_FOUND without text. */
enum err blob_of(struct errctx *ec, struct store *s, enum statement which, struct dot d, struct buf *out) MUST_CHECK;

/* A vector as it is kept: CBOR, with counters and hashes. */
enum err context_put(const struct vv *v, struct buf *out) MUST_CHECK;
enum err context_get(struct bytes bytes, struct vv *out) MUST_CHECK;

/* Writes the plain rows and the search entry of a record; `fresh`: it had none before. */
enum err project(struct errctx *ec, struct store *s, int64_t space, int64_t key, const struct record *r,
                 bool fresh) MUST_CHECK;
/* Takes a record out of every plain table and the search index. */
enum err unproject(struct errctx *ec, struct store *s, int64_t key) MUST_CHECK;
/* Writes the plain rows and the search entries of every record, where there are no search entries yet. */
enum err project_again(struct errctx *ec, struct store *s) MUST_CHECK;
/* Reads the state of a record by its key; ERR_NOT_FOUND without text. */
enum err load_key(struct errctx *ec, struct store *s, int64_t key, struct loaded *out) MUST_CHECK;

#endif
