// SPDX-License-Identifier: EUPL-1.2
// What is kept for other layers, as a whole: for copies that may not hold all of it (V1), and for keys of which nothing
// may be left (K3).
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/inside.h"

void store_kept_free(struct kept_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(rows[i].name);
		buf_free(&rows[i].bytes);
	}
	free(rows);
}

enum err store_kept_all(struct errctx *ec, struct store *s, struct kept_row **out, size_t *count)
{
	sqlite3_stmt *st = stmt(ec, s, ST_kept_all);
	size_t cap = 0;
	bool row = false;
	enum err e = ERR_OK;

	*out = NULL;
	*count = 0;
	NEED(st);
	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		struct kept_row *r = NULL;
		const char *name = (const char *)sqlite3_column_text(st, 1);

		if ((e = list_grow((void **)out, *count, &cap, sizeof(**out))) != ERR_OK)
			break;
		r = &(*out)[(*count)++];
		*r = (struct kept_row){ sqlite3_column_int64(st, 0), name == NULL ? NULL : strdup(name), { 0 } };
		e = r->name == NULL ? ERR_NO_MEMORY
		                    : buf_put(&r->bytes, column_bytes(st, 2).data, column_bytes(st, 2).len);
		if (e != ERR_OK)
			break;
	}
	sqlite3_reset(st);
	if (e != ERR_OK) {
		store_kept_free(*out, *count);
		*out = NULL;
		*count = 0;
	}
	return e;
}

/* Without a condition and without triggers SQLite gives back every page of a table and wipes it (secure_delete), what
 * earlier deletes and splits left in the gaps of its pages included. With triggers it would go row by row, and those
 * gaps stay: so they are off for this, and what they would have done is done by hand. */
static enum err clear_whole(struct errctx *ec, struct store *s)
{
	static const enum statement clear[] = { ST_kept_clear, ST_spare_clear, ST_spare_none };
	enum err e = ERR_OK;

	if (sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL) != SQLITE_OK)
		return failed(ec, s);
	for (size_t i = 0; e == ERR_OK && i < sizeof(clear) / sizeof(clear[0]); i++) {
		sqlite3_stmt *st = stmt(ec, s, clear[i]);

		e = st == NULL ? ERR_IO : run(ec, s, st);
	}
	if (sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 1, NULL) != SQLITE_OK && e == ERR_OK)
		e = failed(ec, s);
	return e;
}

/* The spares of everything else: each row as it is, past the triggers. */
static enum err spares_again(struct errctx *ec, struct store *s)
{
	static const enum statement again[] = { ST_spare_spaces, ST_spare_devices, ST_spare_epochs, ST_spare_undos,
		                                ST_spare_letters };
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < sizeof(again) / sizeof(again[0]); i++) {
		sqlite3_stmt *st = stmt(ec, s, again[i]);

		NEED(st);
		e = run(ec, s, st);
	}
	return e;
}

enum err store_kept_replace(struct errctx *ec, struct store *s, const struct kept_row *rows, size_t count)
{
	enum err e = clear_whole(ec, s);

	for (size_t i = 0; e == ERR_OK && i < count; i++)
		e = store_kept_put(ec, s, rows[i].space, rows[i].name, buf_bytes(&rows[i].bytes));
	return e == ERR_OK ? spares_again(ec, s) : e;
}

/* ---- Forgetting ---- */

#define META_FORGET "forget"

static enum err alone(struct errctx *ec, struct store *s, enum err (*work)(struct errctx *, struct store *))
{
	enum err e = store_begin(ec, s);

	if (e != ERR_OK)
		return e;
	e = work(ec, s);
	if (e == ERR_OK)
		return store_commit(ec, s);
	store_rollback(s);
	return e;
}

enum wish { WISH_NONE = 0, WISH_KEPT = 1, WISH_ALL = 2 };

static enum err asked(struct errctx *ec, struct store *s, enum wish *out)
{
	struct buf b = { 0 };
	enum err e = store_meta_get(ec, s, META_FORGET, &b);

	*out = e != ERR_OK ? WISH_NONE : b.len == 1 && b.data[0] == WISH_ALL ? WISH_ALL : WISH_KEPT;
	buf_free(&b);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err ask(struct errctx *ec, struct store *s, enum wish what)
{
	enum wish was = WISH_NONE;
	enum err e = asked(ec, s, &was);
	uint8_t wish = (uint8_t)(what > was ? what : was);

	assert(s->in_transaction);
	return e == ERR_OK ? store_meta_put(ec, s, META_FORGET, (struct bytes){ &wish, 1 }) : e;
}

enum err store_forget_ask(struct errctx *ec, struct store *s)
{
	return ask(ec, s, WISH_KEPT);
}

enum err store_forget_ask_all(struct errctx *ec, struct store *s)
{
	return ask(ec, s, WISH_ALL);
}

enum err store_forget_due(struct errctx *ec, struct store *s, bool *due)
{
	enum wish was = WISH_NONE;
	enum err e = asked(ec, s, &was);

	*due = was != WISH_NONE;
	return e;
}

/* Every page from its rows anew: what SQLite left in gaps and free pages is in none of them. The new file is built in
 * memory (temporary files never reach the disk) and goes through the log like any change. */
static enum err all_anew(struct errctx *ec, struct store *s)
{
	sqlite3_stmt *st = NULL;
	enum err e = alone(ec, s, store_search_optimize);

	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, ST_vacuum);
	NEED(st);
	return run(ec, s, st);
}

static enum err kept_anew(struct errctx *ec, struct store *s)
{
	struct kept_row *rows = NULL;
	size_t count = 0;
	enum err e = store_kept_all(ec, s, &rows, &count);

	if (e == ERR_OK)
		e = store_kept_replace(ec, s, rows, count);
	store_kept_free(rows, count);
	return e;
}

static enum err wish_end(struct errctx *ec, struct store *s)
{
	sqlite3_stmt *st = stmt(ec, s, ST_meta_delete);

	NEED(st);
	bind_text(st, 1, META_FORGET);
	return run(ec, s, st);
}

/* The wish ends last, when nothing is left of what it was about. */
enum err store_forget(struct errctx *ec, struct store *s)
{
	enum wish due = WISH_NONE;
	enum err e = asked(ec, s, &due);

	assert(!s->in_transaction);
	if (e != ERR_OK || due == WISH_NONE)
		return e;
	e = due == WISH_ALL ? all_anew(ec, s) : alone(ec, s, kept_anew);
	if (e == ERR_OK)
		e = vault_checkpoint(s->vault, ec, true);
	return e == ERR_OK ? alone(ec, s, wish_end) : e;
}
