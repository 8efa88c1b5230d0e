// SPDX-License-Identifier: EUPL-1.2
// Is the log whole, link by link, and can every record be read (V5)?
#include <stdlib.h>
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

/* ---- In steps, and the end alone ---- */

enum err store_walk_step(struct errctx *ec, struct store *s, struct store_walk *w, unsigned links)
{
	sqlite3_stmt *st = stmt(ec, s, ST_edit_from);
	unsigned seen = 0;
	bool row = false;
	bool good = true;
	enum err e = ERR_OK;

	NEED(st);
	if (w->chains != s->chains)
		*w = (struct store_walk){ .chains = s->chains };
	sqlite3_bind_int64(st, 1, w->next);
	sqlite3_bind_int64(st, 2, links);
	while (good && (e = step(ec, s, st, &row)) == ERR_OK && row) {
		struct bytes kept = column_bytes(st, 2);
		uint8_t next[VAULT_CHAIN_LEN];

		vault_chain(s->vault, w->link, column_bytes(st, 1), next);
		good = sqlite3_column_int64(st, 0) == w->next + 1 && kept.len == sizeof(next) &&
		       memcmp(kept.data, next, sizeof(next)) == 0;
		memcpy(w->link, next, sizeof(next));
		w->next++;
		seen++;
	}
	sqlite3_reset(st);
	w->at_end = e == ERR_OK && good && seen < links;
	return e == ERR_OK && !good ? ERR_DAMAGED : e;
}

/* The walk begins where the link before is taken as it stands. */
static enum err tail_links(struct errctx *ec, struct store *s, unsigned links)
{
	struct store_walk w = { .chains = s->chains };
	sqlite3_stmt *st = stmt(ec, s, ST_edit_tail);
	bool row = false;
	enum err e = ERR_OK;

	NEED(st);
	e = step(ec, s, st, &row);
	if (e == ERR_OK && row && sqlite3_column_int64(st, 0) > (int64_t)links)
		w.next = sqlite3_column_int64(st, 0) - (int64_t)links;
	sqlite3_reset(st);
	if (e == ERR_OK && w.next > 0) {
		st = stmt(ec, s, ST_edit_link);
		NEED(st);
		sqlite3_bind_int64(st, 1, w.next);
		e = step(ec, s, st, &row);
		if (e == ERR_OK && (!row || column_bytes(st, 0).len != sizeof(w.link)))
			e = ERR_DAMAGED;
		if (e == ERR_OK)
			memcpy(w.link, column_bytes(st, 0).data, sizeof(w.link));
		sqlite3_reset(st);
	}
	return e == ERR_OK ? store_walk_step(ec, s, &w, links + 1) : e;
}

/* The last batch of one's own that is kept, 0 for none. */
static enum err batch_last(struct errctx *ec, struct store *s, int64_t device, uint64_t *seq)
{
	sqlite3_stmt *st = stmt(ec, s, ST_batch_last);
	bool row = false;
	enum err e = ERR_OK;

	*seq = 0;
	NEED(st);
	sqlite3_bind_int64(st, 1, device << COUNTER_BITS);
	e = step(ec, s, st, &row);
	if (e == ERR_OK && row)
		*seq = (uint64_t)sqlite3_column_int64(st, 0) & STORE_NUMBER_MAX;
	sqlite3_reset(st);
	return e;
}

static enum err unsealed_fit(struct errctx *ec, struct store *s, int64_t space, int64_t device, uint64_t counter)
{
	sqlite3_stmt *st = stmt(ec, s, ST_edit_unsealed_own);
	int64_t first = (device << COUNTER_BITS) + (int64_t)counter + 1;
	bool row = false;
	bool good = true;
	enum err e = ERR_OK;

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	e = step(ec, s, st, &row);
	if (e == ERR_OK && row && sqlite3_column_int64(st, 0) > 0)
		good = sqlite3_column_int64(st, 1) == first &&
		       sqlite3_column_int64(st, 2) == first + sqlite3_column_int64(st, 0) - 1;
	sqlite3_reset(st);
	return e == ERR_OK && !good ? ERR_DAMAGED : e;
}

static enum err own_head(struct errctx *ec, struct store *s, const struct space_row *space)
{
	struct device_row me;
	struct vv v = { 0 };
	const struct vv_entry *head = NULL;
	uint8_t hash[32];
	uint64_t counter = 0;
	uint64_t last = 0;
	enum err e = store_device_by_id(ec, s, space->me, &me);

	if (e == ERR_NOT_FOUND) /* asked to join */
		return ERR_OK;
	if (e == ERR_OK)
		e = store_vector(ec, s, space->n, &v);
	if (e == ERR_OK)
		head = vv_get(&v, space->me);
	if (e == ERR_OK)
		e = batch_last(ec, s, me.n, &last);
	if (e == ERR_OK && last != (head == NULL ? 0 : head->seq))
		e = ERR_DAMAGED;
	if (e == ERR_OK && head != NULL) {
		e = store_batch_get(ec, s, space->me, head->seq, &counter, hash);
		if (e == ERR_NOT_FOUND ||
		    (e == ERR_OK && (counter != head->counter || memcmp(hash, head->hash, VV_HASH_LEN) != 0)))
			e = ERR_DAMAGED;
	}
	if (e == ERR_OK)
		e = unsealed_fit(ec, s, space->n, me.n, head == NULL ? 0 : head->counter);
	vv_free(&v);
	return e;
}

enum err store_tail_check(struct errctx *ec, struct store *s, unsigned links)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = tail_links(ec, s, links);

	if (e == ERR_OK)
		e = store_space_list(ec, s, &list, &n);
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		e = own_head(ec, s, &list[i]);
	free(list);
	return e;
}
