// SPDX-License-Identifier: EUPL-1.2
// The log of edits under another key (V5): its chain is made anew, and the copy is held against what it was copied
// from. Both walk the tables row by row, so that their memory does not depend on how much was logged.
#include <string.h>

#include "store/inside.h"

/* Everything that a home keeps, with the search index's own tables; tests/store/test_rechain.c holds the list to the
 * schema. The columns of `edit` are named, because its chain is what differs. */
static const char *const everything[] = {
	"SELECT * FROM meta ORDER BY name",
	"SELECT * FROM space ORDER BY n",
	"SELECT * FROM kept ORDER BY space, name",
	"SELECT * FROM device ORDER BY n",
	"SELECT * FROM vector ORDER BY device",
	"SELECT * FROM batch ORDER BY b",
	"SELECT n, dot, record, space, past, seq, bytes FROM edit ORDER BY n",
	"SELECT * FROM epoch ORDER BY id",
	"SELECT * FROM outgoing ORDER BY n",
	"SELECT * FROM waiting ORDER BY n",
	"SELECT * FROM awaits ORDER BY file",
	"SELECT * FROM set_aside ORDER BY n",
	"SELECT * FROM branch ORDER BY neighbourhood, ref",
	"SELECT * FROM record ORDER BY r",
	"SELECT * FROM contact ORDER BY r",
	"SELECT * FROM referral ORDER BY r",
	"SELECT * FROM service ORDER BY r",
	"SELECT * FROM resident ORDER BY r",
	"SELECT * FROM undo ORDER BY edit",
	"SELECT * FROM seen ORDER BY author, device, at",
	"SELECT * FROM act ORDER BY b",
	"SELECT * FROM void ORDER BY edit",
	"SELECT * FROM fork ORDER BY device, seq, hash",
	"SELECT * FROM claim ORDER BY author, device",
	"SELECT * FROM telling ORDER BY device",
	"SELECT * FROM erasure ORDER BY edit",
	"SELECT * FROM base ORDER BY r",
	"SELECT * FROM spare ORDER BY n",
	"SELECT * FROM spare_mark ORDER BY n",
	"SELECT * FROM search_data ORDER BY id",
	"SELECT * FROM search_idx ORDER BY segid, term",
	"SELECT * FROM search_content ORDER BY id",
	"SELECT * FROM search_docsize ORDER BY id",
	"SELECT * FROM search_config ORDER BY k",
	"SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name",
};

/* ---- The chain ---- */

/* The links of the next edits; *n is the last one that has its link, *more whether there may be others. */
static enum err links_some(struct errctx *ec, struct store *s, int64_t *n, uint8_t link[static VAULT_CHAIN_LEN],
                           bool *more)
{
	sqlite3_stmt *read = stmt(ec, s, ST_edit_after);
	enum err e = ERR_OK;

	NEED(read);
	sqlite3_bind_int64(read, 1, *n);
	*more = false;
	while (e == ERR_OK) {
		sqlite3_stmt *write = NULL;
		uint8_t next[VAULT_CHAIN_LEN];
		bool row = false;

		e = step(ec, s, read, &row);
		if (e != ERR_OK || !row)
			break;
		*more = true;
		*n = sqlite3_column_int64(read, 0);
		vault_chain(s->vault, link, column_bytes(read, 1), next);
		memcpy(link, next, sizeof(next));
		write = stmt(ec, s, ST_edit_relink);
		NEED(write);
		sqlite3_bind_int64(write, 1, *n);
		bind_blob(write, 2, next, sizeof(next));
		e = run(ec, s, write);
	}
	sqlite3_reset(read);
	return e;
}

static enum err stopped(struct errctx *ec)
{
	return err_set(ec, ERR_LATER, "It was stopped. Nothing was changed.", NULL, NULL, NULL);
}

enum err store_rechain(struct errctx *ec, struct store *s, store_step_fn told, void *arg)
{
	uint8_t link[VAULT_CHAIN_LEN] = { 0 };
	int64_t n = 0;
	bool more = true;
	enum err e = ERR_OK;

	while (e == ERR_OK && more) {
		e = store_begin(ec, s);
		if (e != ERR_OK)
			return e;
		e = links_some(ec, s, &n, link, &more);
		if (e == ERR_OK)
			e = store_commit(ec, s);
		else
			store_rollback(s);
		if (e == ERR_OK && told != NULL && !told(arg, (uint64_t)n))
			e = stopped(ec);
	}
	s->tail_known = false;
	return e;
}

/* ---- Two stores side by side ---- */

static bool value_same(sqlite3_stmt *a, sqlite3_stmt *b, int i)
{
	int type = sqlite3_column_type(a, i);

	if (type != sqlite3_column_type(b, i))
		return false;
	switch (type) {
	case SQLITE_NULL:
		return true;
	case SQLITE_INTEGER:
		return sqlite3_column_int64(a, i) == sqlite3_column_int64(b, i);
	case SQLITE_FLOAT: {
		double x = sqlite3_column_double(a, i);
		double y = sqlite3_column_double(b, i);

		return memcmp(&x, &y, sizeof(x)) == 0;
	}
	default:
		return bytes_cmp(column_bytes(a, i), column_bytes(b, i)) == 0;
	}
}

static bool row_same(sqlite3_stmt *a, sqlite3_stmt *b)
{
	int n = sqlite3_column_count(a);

	if (n != sqlite3_column_count(b))
		return false;
	for (int i = 0; i < n; i++)
		if (!value_same(a, b, i))
			return false;
	return true;
}

struct pair {
	struct store *store;
	sqlite3_stmt *st;
	bool row;
};

static enum err pair_step(struct errctx *ec, struct pair *p)
{
	int rc = sqlite3_step(p->st);

	p->row = rc == SQLITE_ROW;
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK : failed(ec, p->store);
}

struct told {
	store_step_fn step;
	void *arg;
	uint64_t rows;
};

static enum err table_same(struct errctx *ec, struct pair pair[static 2], struct told *t)
{
	enum err e = ERR_OK;

	do {
		e = pair_step(ec, &pair[0]);
		if (e == ERR_OK)
			e = pair_step(ec, &pair[1]);
		if (e == ERR_OK && (pair[0].row != pair[1].row || (pair[0].row && !row_same(pair[0].st, pair[1].st))))
			e = err_set(
			    ec, ERR_DAMAGED,
			    "The copy of the vault is not the same as the vault. Nothing was changed. Check the "
			    "disk, then try again.",
			    NULL, NULL, NULL);
		if (e == ERR_OK && ++t->rows % 2000 == 0 && t->step != NULL && !t->step(t->arg, t->rows))
			e = stopped(ec);
	} while (e == ERR_OK && pair[0].row);
	return e;
}

enum err store_same(struct errctx *ec, struct store *a, struct store *b, store_step_fn told, void *arg)
{
	struct told t = { told, arg, 0 };
	enum err e = ERR_OK;

	for (size_t i = 0; i < sizeof(everything) / sizeof(everything[0]) && e == ERR_OK; i++) {
		struct pair pair[2] = { { a, NULL, false }, { b, NULL, false } };

		for (int k = 0; k < 2 && e == ERR_OK; k++)
			if (sqlite3_prepare_v2(pair[k].store->db, everything[i], -1, &pair[k].st, NULL) != SQLITE_OK)
				e = failed(ec, pair[k].store);
		if (e == ERR_OK)
			e = table_same(ec, pair, &t);
		for (int k = 0; k < 2; k++)
			sqlite3_finalize(pair[k].st);
	}
	return e;
}
