// SPDX-License-Identifier: EUPL-1.2
// Is the log whole, link by link, and can every record be read (V5)?
#include <string.h>

#include "store/inside.h"

static enum err chain_check(struct errctx *ec, struct store *s, uint64_t *edits, uint64_t *bad)
{
	sqlite3_stmt *st = stmt(ec, s, ST_edit_all);
	uint8_t link[VAULT_CHAIN_LEN] = { 0 };
	bool row = false;
	enum err e = ERR_OK;

	NEED(st);
	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		struct bytes kept = column_bytes(st, 2);
		uint8_t next[VAULT_CHAIN_LEN];

		vault_chain(s->vault, link, column_bytes(st, 1), next);
		(*edits)++;
		if (kept.len != sizeof(next) || memcmp(kept.data, next, sizeof(next)) != 0 ||
		    sqlite3_column_int64(st, 0) != (int64_t)*edits)
			(*bad)++;
		if (kept.len == sizeof(link))
			memcpy(link, kept.data, sizeof(link));
	}
	sqlite3_reset(st);
	return e;
}

static enum err records_check(struct errctx *ec, struct store *s, uint64_t *bad)
{
	sqlite3_stmt *st = stmt(ec, s, ST_record_every);
	bool row = false;
	enum err e = ERR_OK;

	NEED(st);
	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		struct record r;

		e = record_get(column_bytes(st, 0), &r);
		if (e == ERR_OK)
			record_free(&r);
		else if (e == ERR_NO_MEMORY)
			break;
		else
			(*bad)++;
	}
	sqlite3_reset(st);
	return e;
}

/* Does the search index hold what its own rows say? In a transaction that is taken back, for it asks by an INSERT. */
static enum err search_check(struct errctx *ec, struct store *s, uint64_t *bad)
{
	sqlite3_stmt *st = NULL;
	int rc = SQLITE_OK;
	enum err e = store_begin(ec, s);

	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, ST_search_check);
	rc = st == NULL ? SQLITE_ERROR : sqlite3_step(st);
	if (rc != SQLITE_DONE && st != NULL && (rc & 0xff) == SQLITE_CORRUPT)
		(*bad)++;
	else if (rc != SQLITE_DONE)
		e = failed(ec, s);
	store_rollback(s);
	return e;
}

enum err store_verify(struct errctx *ec, struct store *s, uint64_t *edits, uint64_t *bad)
{
	enum err e = ERR_OK;

	*edits = 0;
	*bad = 0;
	e = chain_check(ec, s, edits, bad);
	if (e == ERR_OK)
		e = records_check(ec, s, bad);
	return e == ERR_OK ? search_check(ec, s, bad) : e;
}
