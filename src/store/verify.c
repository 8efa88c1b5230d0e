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

enum err store_verify(struct errctx *ec, struct store *s, uint64_t *edits, uint64_t *bad)
{
	enum err e = ERR_OK;

	*edits = 0;
	*bad = 0;
	e = chain_check(ec, s, edits, bad);
	return e != ERR_OK ? e : records_check(ec, s, bad);
}
