// SPDX-License-Identifier: EUPL-1.2
// What a device that goes on under another id takes out of the log again (S7): batches of its own that nobody else has,
// and edits that are in none. The chain is made anew from there (V5), in the same transaction.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/inside.h"

static enum err run_range(struct errctx *ec, struct store *s, enum statement which, int64_t from, int64_t to)
{
	sqlite3_stmt *st = stmt(ec, s, which);

	NEED(st);
	sqlite3_bind_int64(st, 1, from);
	sqlite3_bind_int64(st, 2, to);
	return run(ec, s, st);
}

static enum err vector_back(struct errctx *ec, struct store *s, int64_t space, int64_t device,
                            const struct vv_entry *last, const struct vv *context)
{
	struct buf seen = { 0 };
	sqlite3_stmt *st = stmt(ec, s, last->seq == 0 ? ST_vector_drop : ST_vector_put);
	enum err e = context_put(context, &seen);

	NEED(st);
	if (e == ERR_OK) {
		sqlite3_bind_int64(st, 1, device);
		if (last->seq > 0) {
			sqlite3_bind_int64(st, 2, space);
			sqlite3_bind_int64(st, 3, (int64_t)last->seq);
			sqlite3_bind_int64(st, 4, (int64_t)last->counter);
			bind_blob(st, 5, last->hash, VV_HASH_LEN);
			bind_blob(st, 6, seen.data, seen.len);
		}
		e = run(ec, s, st);
	}
	buf_free(&seen);
	return e;
}

enum err store_unpublish(struct errctx *ec, struct store *s, int64_t space, const struct vv_entry *last,
                         const struct vv *context)
{
	sqlite3_stmt *st = NULL;
	int64_t key = 0;
	int64_t end = 0;
	int64_t device = 0;
	enum err e = key_find(ec, s, (struct dot){ last->dev, last->seq }, &key);

	assert(s->in_transaction);
	if (e != ERR_OK)
		return e;
	device = device_of(key);
	end = (device + 1) << COUNTER_BITS;
	e = run_range(ec, s, ST_batch_drop, key, end);
	if (e == ERR_OK)
		e = run_range(ec, s, ST_act_drop, key, end);
	if (e == ERR_OK)
		e = run_range(ec, s, ST_seen_drop, key, end);
	if (e == ERR_OK) {
		st = stmt(ec, s, ST_edit_unseal);
		NEED(st);
		sqlite3_bind_int64(st, 1, space);
		sqlite3_bind_int64(st, 2, device << COUNTER_BITS);
		sqlite3_bind_int64(st, 3, end);
		sqlite3_bind_int64(st, 4, (int64_t)last->seq);
		e = run(ec, s, st);
	}
	return e == ERR_OK ? vector_back(ec, s, space, device, last, context) : e;
}

/* ---- Out of the log ---- */

void store_taken_free(struct taken_edit *list, size_t count)
{
	for (size_t i = 0; list != NULL && i < count; i++)
		buf_free(&list[i].bytes);
	free(list);
}

static enum err taken_list(struct errctx *ec, struct store *s, int64_t space, struct taken_edit **out, size_t *count)
{
	sqlite3_stmt *st = stmt(ec, s, ST_edit_taken);
	size_t cap = 0;
	bool row = false;
	enum err e = ERR_OK;

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		struct taken_edit *t = NULL;

		if ((e = list_grow((void **)out, *count, &cap, sizeof(**out))) != ERR_OK)
			break;
		t = &(*out)[(*count)++];
		*t = (struct taken_edit){ .n = sqlite3_column_int64(st, 0) };
		if ((e = buf_put(&t->bytes, column_bytes(st, 2).data, column_bytes(st, 2).len)) != ERR_OK ||
		    (e = dot_of(ec, s, sqlite3_column_int64(st, 1), &t->dot)) != ERR_OK)
			break;
		if (sqlite3_column_int64(st, 3) != 0 &&
		    (e = dot_of(ec, s, sqlite3_column_int64(st, 3), &t->undone)) != ERR_OK)
			break;
	}
	sqlite3_reset(st);
	return e;
}

static enum err run_one(struct errctx *ec, struct store *s, enum statement which, int64_t n)
{
	sqlite3_stmt *st = stmt(ec, s, which);

	NEED(st);
	sqlite3_bind_int64(st, 1, n);
	return run(ec, s, st);
}

static enum err link_before(struct errctx *ec, struct store *s, int64_t n, uint8_t link[static VAULT_CHAIN_LEN])
{
	sqlite3_stmt *st = stmt(ec, s, ST_edit_link);
	bool row = false;
	enum err e = ERR_OK;

	memset(link, 0, VAULT_CHAIN_LEN);
	NEED(st);
	sqlite3_bind_int64(st, 1, n);
	e = step(ec, s, st, &row);
	if (e == ERR_OK && row)
		e = column_exact(ec, st, 0, link, VAULT_CHAIN_LEN);
	sqlite3_reset(st);
	return e;
}

enum err close_up(struct errctx *ec, struct store *s, int64_t first)
{
	uint8_t link[VAULT_CHAIN_LEN];
	int64_t last = first - 1;
	int64_t next = first;
	bool row = true;
	enum err e = link_before(ec, s, first - 1, link);

	while (e == ERR_OK && row) {
		sqlite3_stmt *st = stmt(ec, s, ST_edit_after);
		uint8_t made[VAULT_CHAIN_LEN];

		NEED(st);
		sqlite3_bind_int64(st, 1, last);
		e = step(ec, s, st, &row);
		if (e != ERR_OK || !row)
			break;
		last = sqlite3_column_int64(st, 0);
		vault_chain(s->vault, link, column_bytes(st, 1), made);
		sqlite3_reset(st);
		memcpy(link, made, sizeof(link));
		st = stmt(ec, s, ST_edit_move);
		NEED(st);
		sqlite3_bind_int64(st, 1, last);
		sqlite3_bind_int64(st, 2, next++);
		bind_blob(st, 3, link, sizeof(link));
		e = run(ec, s, st);
	}
	s->tail_known = false;
	s->chains++;
	return e;
}

enum err store_take_out(struct errctx *ec, struct store *s, int64_t space, struct taken_edit **out, size_t *count)
{
	enum err e = ERR_OK;

	assert(s->in_transaction);
	*out = NULL;
	*count = 0;
	e = taken_list(ec, s, space, out, count);
	for (size_t i = 0; e == ERR_OK && i < *count; i++) {
		struct taken_edit *t = &(*out)[i];
		int64_t key = 0;

		e = store_void_set(ec, s, t->dot, false);
		if (e == ERR_OK)
			e = key_find(ec, s, t->dot, &key);
		if (e == ERR_OK)
			e = run_one(ec, s, ST_undo_drop, key);
		if (e == ERR_OK)
			e = run_one(ec, s, ST_edit_delete, t->n);
	}
	if (e == ERR_OK && *count > 0)
		e = close_up(ec, s, (*out)[0].n);
	if (e != ERR_OK) {
		store_taken_free(*out, *count);
		*out = NULL;
		*count = 0;
	}
	return e;
}

enum err store_outgoing_drop(struct errctx *ec, struct store *s, int64_t space, const char *prefix)
{
	sqlite3_stmt *st = stmt(ec, s, ST_outgoing_drop);

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	bind_text(st, 2, prefix);
	return run(ec, s, st);
}

enum err store_branch_forget(struct errctx *ec, struct store *s, int64_t neighbourhood)
{
	return run_one(ec, s, ST_branch_forget, neighbourhood);
}

enum err store_outgoing_drop_one(struct errctx *ec, struct store *s, int64_t space, const char *name)
{
	sqlite3_stmt *st = stmt(ec, s, ST_outgoing_drop_one);

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	bind_text(st, 2, name);
	return run(ec, s, st);
}
