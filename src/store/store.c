// SPDX-License-Identifier: EUPL-1.2
// Opening, migrating, statements, transactions, and the small tables that other layers keep things in.
#include "store/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gen/store_sql.h"
#include "store/inside.h"

static const char *const statements[ST_COUNT] = {
#define STMT(name, sql) [ST_##name] = (sql),
#include "store/statements.def"
#undef STMT
};

/* Append only. */
static const char *const migrations[] = { sql_001_init,    sql_002_undo,   sql_003_sounds,
	                                  sql_004_spare,   sql_005_search, sql_006_awaits,
	                                  sql_007_members, sql_008_forks,  sql_009_erasure };

#define VERSION ((int)(sizeof(migrations) / sizeof(migrations[0])))

enum err failed(struct errctx *ec, struct store *s)
{
	enum err e = vault_sqlite_error(s->vault, ec);

	return e != ERR_OK ? e
	                   : err_set(ec, ERR_IO, "The vault gave no answer. Lock and unlock, then try again.", NULL,
	                             NULL, NULL);
}

sqlite3_stmt *stmt(struct errctx *ec, struct store *s, enum statement which)
{
	/* Where memory or the disk fails SQLite may take a transaction back by itself. Whoever missed that error and
	 * goes on would now write each thing on its own, past what the log and this store think they hold. */
	if (s->in_transaction && sqlite3_get_autocommit(s->db)) {
		(void)err_set(ec, ERR_IO,
		              "What was being saved was taken back, because memory or the disk failed. Nothing of it "
		              "was saved. Try again.",
		              NULL, NULL, NULL);
		return NULL;
	}
	if (s->st[which] == NULL && sqlite3_prepare_v3(s->db, statements[which], -1, SQLITE_PREPARE_PERSISTENT,
	                                               &s->st[which], NULL) != SQLITE_OK) {
		(void)failed(ec, s);
		return NULL;
	}
	sqlite3_reset(s->st[which]);
	sqlite3_clear_bindings(s->st[which]);
	return s->st[which];
}

enum err run(struct errctx *ec, struct store *s, sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);
	enum err e = rc == SQLITE_DONE || rc == SQLITE_ROW ? ERR_OK : failed(ec, s);

	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return e;
}

enum err step(struct errctx *ec, struct store *s, sqlite3_stmt *st, bool *row)
{
	int rc = sqlite3_step(st);
	enum err e = ERR_OK;

	*row = rc == SQLITE_ROW;
	if (rc == SQLITE_ROW)
		return ERR_OK;
	if (rc != SQLITE_DONE)
		e = failed(ec, s);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return e;
}

static enum err odd_row(struct errctx *ec)
{
	return err_set(ec, ERR_DAMAGED, "The vault holds something that cannot be right. Run verify.", NULL, NULL,
	               NULL);
}

enum err column_text(struct errctx *ec, sqlite3_stmt *st, int i, char *out, size_t size)
{
	struct bytes b = column_bytes(st, i);

	if (b.len >= size)
		return odd_row(ec);
	if (b.len > 0)
		memcpy(out, b.data, b.len);
	out[b.len] = '\0';
	return ERR_OK;
}

enum err column_exact(struct errctx *ec, sqlite3_stmt *st, int i, void *out, size_t len)
{
	struct bytes b = column_bytes(st, i);

	if (b.len != len)
		return odd_row(ec);
	memcpy(out, b.data, len);
	return ERR_OK;
}

enum err list_grow(void **list, size_t n, size_t *cap, size_t size)
{
	size_t want = *cap == 0 ? 8 : 2 * *cap;
	void *p = NULL;

	if (n < *cap)
		return ERR_OK;
	p = realloc(*list, want * size);
	if (p == NULL)
		return ERR_NO_MEMORY;
	*list = p;
	*cap = want;
	return ERR_OK;
}

static enum err user_version(struct errctx *ec, struct store *s, int *out)
{
	sqlite3_stmt *st = NULL;
	enum err e = ERR_OK;

	if (sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &st, NULL) != SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_ROW)
		e = failed(ec, s);
	else
		*out = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return e;
}

/* From this version on rows of an earlier one have to be made again: that of 005_search.sql. */
#define ROWS_VERSION 5

/* All steps are one transaction, and rows are made again after the last of them: the code knows only the newest tables.
 */
static enum err migrate_from(struct errctx *ec, struct store *s, int from)
{
	static const char *const versions[] = { "PRAGMA user_version = 1", "PRAGMA user_version = 2",
		                                "PRAGMA user_version = 3", "PRAGMA user_version = 4",
		                                "PRAGMA user_version = 5", "PRAGMA user_version = 6",
		                                "PRAGMA user_version = 7", "PRAGMA user_version = 8",
		                                "PRAGMA user_version = 9" };
	enum err e = ERR_OK;

	_Static_assert(sizeof(versions) / sizeof(versions[0]) == VERSION, "one line for each migration");
	for (int at = from; e == ERR_OK && at < VERSION; at++) {
		if (sqlite3_exec(s->db, migrations[at], NULL, NULL, NULL) != SQLITE_OK ||
		    sqlite3_exec(s->db, versions[at], NULL, NULL, NULL) != SQLITE_OK)
			e = failed(ec, s);
	}
	return e == ERR_OK && from < ROWS_VERSION ? project_again(ec, s) : e;
}

static enum err migrate(struct errctx *ec, struct store *s)
{
	int at = 0;
	enum err e = user_version(ec, s, &at);

	if (e != ERR_OK || at == VERSION)
		return e;
	if (at > VERSION)
		return err_set(ec, ERR_REFUSED, "A newer version of the program made this home. Install that version.",
		               NULL, NULL, NULL);
	e = store_begin(ec, s);
	if (e == ERR_OK)
		e = migrate_from(ec, s, at);
	if (e == ERR_OK)
		return store_commit(ec, s);
	store_rollback(s);
	return e;
}

enum err store_open(struct errctx *ec, struct vault *vault, struct store **out)
{
	struct store *s = calloc(1, sizeof(*s));
	enum err e = ERR_OK;

	*out = NULL;
	if (s == NULL)
		return ERR_NO_MEMORY;
	s->vault = vault;
	s->db = vault_db(vault);
	e = query_start(ec, s);
	if (e == ERR_OK)
		e = migrate(ec, s);
	if (e == ERR_OK)
		e = clock_load(ec, s);
	if (e != ERR_OK) {
		store_close(s);
		return e;
	}
	*out = s;
	return ERR_OK;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	store_rollback(s);
	for (int i = 0; i < ST_COUNT; i++)
		sqlite3_finalize(s->st[i]);
	query_end(s);
	free(s);
}

enum err store_begin(struct errctx *ec, struct store *s)
{
	sqlite3_stmt *st = stmt(ec, s, ST_begin);
	enum err e = ERR_OK;

	assert(!s->in_transaction);
	if (st == NULL)
		return ec != NULL && ec->code != ERR_OK ? ec->code : ERR_IO;
	e = run(ec, s, st);
	s->in_transaction = e == ERR_OK;
	s->clock_before = s->clock;
	s->waiting_before = s->waiting;
	return e;
}

enum err store_commit(struct errctx *ec, struct store *s)
{
	sqlite3_stmt *st = stmt(ec, s, ST_commit);
	enum err e = st == NULL ? ERR_IO : run(ec, s, st);

	if (e != ERR_OK) {
		store_rollback(s);
		return e;
	}
	s->in_transaction = false;
	return ERR_OK;
}

void store_rollback(struct store *s)
{
	/* statements that still stand on a row would keep the transaction open */
	for (int i = 0; i < ST_COUNT; i++) {
		if (s->st[i] != NULL)
			sqlite3_reset(s->st[i]);
	}
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	if (s->in_transaction) {
		s->clock = s->clock_before;
		s->waiting = s->waiting_before;
	}
	s->in_transaction = false;
	s->tail_known = false;
	memset(s->near, 0, sizeof(s->near));
}

/* --- small things --- */

enum err store_meta_put(struct errctx *ec, struct store *s, const char *name, struct bytes value)
{
	sqlite3_stmt *st = stmt(ec, s, ST_meta_put);

	NEED(st);
	bind_text(st, 1, name);
	bind_blob(st, 2, value.data, value.len);
	return run(ec, s, st);
}

/* The first column of the one row that a statement gives, appended to `out`; ERR_NOT_FOUND without text. */
static enum err one_blob(struct errctx *ec, struct store *s, sqlite3_stmt *st, struct buf *out)
{
	bool row = false;
	enum err e = step(ec, s, st, &row);

	if (e != ERR_OK || !row)
		return e != ERR_OK ? e : ERR_NOT_FOUND;
	e = buf_put(out, column_bytes(st, 0).data, column_bytes(st, 0).len);
	sqlite3_reset(st);
	return e;
}

enum err store_meta_get(struct errctx *ec, struct store *s, const char *name, struct buf *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_meta_get);

	NEED(st);
	bind_text(st, 1, name);
	return one_blob(ec, s, st, out);
}

enum err store_kept_put(struct errctx *ec, struct store *s, int64_t space, const char *name, struct bytes value)
{
	sqlite3_stmt *st = stmt(ec, s, ST_kept_put);

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	bind_text(st, 2, name);
	bind_blob(st, 3, value.data, value.len);
	return run(ec, s, st);
}

enum err store_kept_get(struct errctx *ec, struct store *s, int64_t space, const char *name, struct buf *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_kept_get);

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	bind_text(st, 2, name);
	return one_blob(ec, s, st, out);
}

enum err store_kept_delete(struct errctx *ec, struct store *s, int64_t space, const char *name)
{
	sqlite3_stmt *st = stmt(ec, s, ST_kept_delete);

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	bind_text(st, 2, name);
	return run(ec, s, st);
}

struct kept {
	char *name;
	struct buf bytes;
};

static void kept_free(struct kept *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(list[i].name);
		buf_free(&list[i].bytes);
	}
	free(list);
}

/* Collected first, so that `each` may write. */
enum err store_kept_each(struct errctx *ec, struct store *s, int64_t space, const char *prefix, store_kept_fn each,
                         void *arg)
{
	sqlite3_stmt *st = stmt(ec, s, ST_kept_list);
	struct kept *list = NULL;
	size_t n = 0;
	size_t cap = 0;
	bool row = false;
	enum err e = ERR_OK;

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	bind_text(st, 2, prefix);
	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		e = list_grow((void **)&list, n, &cap, sizeof(*list));
		if (e != ERR_OK)
			break;
		list[n] = (struct kept){ strdup((const char *)sqlite3_column_text(st, 0)), { 0 } };
		e = list[n].name == NULL ? ERR_NO_MEMORY
		                         : buf_put(&list[n].bytes, column_bytes(st, 1).data, column_bytes(st, 1).len);
		n++;
		if (e != ERR_OK)
			break;
	}
	sqlite3_reset(st);
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		e = each(arg, list[i].name, buf_bytes(&list[i].bytes));
	kept_free(list, n);
	return e;
}
