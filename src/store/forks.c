// SPDX-License-Identifier: EUPL-1.2
// Signed batches that are not on the line of their device which is applied here, and who says to have seen them (S5).
#include <assert.h>

#include "store/inside.h"

enum err store_fork_put(struct errctx *ec, struct store *s, int64_t space, const struct fork_row *row,
                        const struct vv *context, struct bytes signed_part)
{
	sqlite3_stmt *st = NULL;
	struct buf seen = { 0 };
	int64_t key = 0;
	enum err e = key_of(ec, s, space, (struct dot){ row->dev, row->seq }, &key);

	assert(s->in_transaction);
	if (e == ERR_OK)
		e = context_put(context, &seen);
	st = e == ERR_OK ? stmt(ec, s, ST_fork_put) : NULL;
	if (st == NULL) {
		buf_free(&seen);
		return e != ERR_OK ? e : ERR_IO;
	}
	sqlite3_bind_int64(st, 1, device_of(key));
	sqlite3_bind_int64(st, 2, (int64_t)row->seq);
	bind_blob(st, 3, row->hash, sizeof(row->hash));
	bind_blob(st, 4, row->prev, sizeof(row->prev));
	sqlite3_bind_int64(st, 5, (int64_t)row->common);
	sqlite3_bind_int64(st, 6, (int64_t)row->counter);
	bind_blob(st, 7, seen.data, seen.len);
	bind_blob(st, 8, signed_part.data, signed_part.len);
	e = run(ec, s, st);
	buf_free(&seen);
	return e;
}

enum err store_fork_any(struct errctx *ec, struct store *s, bool *any)
{
	sqlite3_stmt *st = stmt(ec, s, ST_fork_any);
	enum err e = ERR_OK;

	NEED(st);
	e = step(ec, s, st, any);
	sqlite3_reset(st);
	return e;
}

static enum err row_read(struct errctx *ec, struct store *s, sqlite3_stmt *st, struct fork_row *out)
{
	struct dot dot = { 0 };
	enum err e = dot_of(ec, s, (int64_t)((uint64_t)sqlite3_column_int64(st, 0) << COUNTER_BITS), &dot);

	*out = (struct fork_row){ .dev = dot.dev,
		                  .seq = (uint64_t)sqlite3_column_int64(st, 1),
		                  .common = (uint64_t)sqlite3_column_int64(st, 4),
		                  .counter = (uint64_t)sqlite3_column_int64(st, 5) };
	if (e == ERR_OK)
		e = column_exact(ec, st, 2, out->hash, sizeof(out->hash));
	return e == ERR_OK ? column_exact(ec, st, 3, out->prev, sizeof(out->prev)) : e;
}

enum err store_fork_get(struct errctx *ec, struct store *s, struct device_id dev, uint64_t seq, struct bytes hash,
                        struct fork_row *out)
{
	sqlite3_stmt *st = NULL;
	int64_t key = 0;
	bool row = false;
	enum err e = key_find(ec, s, (struct dot){ dev, seq }, &key);

	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, ST_fork_get);
	NEED(st);
	sqlite3_bind_int64(st, 1, device_of(key));
	sqlite3_bind_int64(st, 2, (int64_t)seq);
	bind_blob(st, 3, hash.data, hash.len);
	e = step(ec, s, st, &row);
	if (e == ERR_OK)
		e = row ? row_read(ec, s, st, out) : ERR_NOT_FOUND;
	sqlite3_reset(st);
	return e;
}

enum err store_fork_parts(struct errctx *ec, struct store *s, const struct fork_row *which, struct buf *signed_part,
                          struct vv *context)
{
	sqlite3_stmt *st = NULL;
	int64_t key = 0;
	bool row = false;
	enum err e = key_find(ec, s, (struct dot){ which->dev, which->seq }, &key);

	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, ST_fork_parts);
	NEED(st);
	sqlite3_bind_int64(st, 1, device_of(key));
	sqlite3_bind_int64(st, 2, (int64_t)which->seq);
	bind_blob(st, 3, which->hash, sizeof(which->hash));
	e = step(ec, s, st, &row);
	if (e == ERR_OK)
		e = row ? ERR_OK : ERR_NOT_FOUND;
	if (e == ERR_OK && signed_part != NULL)
		e = buf_put(signed_part, column_bytes(st, 0).data, column_bytes(st, 0).len);
	if (e == ERR_OK && context != NULL) {
		context->n = 0;
		e = context_get(column_bytes(st, 1), context);
	}
	sqlite3_reset(st);
	return e;
}

enum err store_fork_list(struct errctx *ec, struct store *s, int64_t space, struct fork_row **out, size_t *count)
{
	sqlite3_stmt *st = stmt(ec, s, ST_fork_list);
	void *list = NULL;
	size_t cap = 0;
	bool row = false;
	enum err e = ERR_OK;

	*out = NULL;
	*count = 0;
	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	while (e == ERR_OK && (e = step(ec, s, st, &row)) == ERR_OK && row) {
		e = list_grow(&list, *count, &cap, sizeof(**out));
		if (e == ERR_OK)
			e = row_read(ec, s, st, (struct fork_row *)list + (*count)++);
	}
	sqlite3_reset(st);
	*out = list;
	return e;
}

enum err store_forked(struct errctx *ec, struct store *s, struct device_id dev, uint64_t *from)
{
	sqlite3_stmt *st = NULL;
	int64_t key = 0;
	bool row = false;
	enum err e = key_find(ec, s, (struct dot){ dev, 0 }, &key);

	*from = 0;
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	st = stmt(ec, s, ST_fork_from);
	NEED(st);
	sqlite3_bind_int64(st, 1, device_of(key));
	e = step(ec, s, st, &row);
	if (e == ERR_OK && row)
		*from = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return e;
}

enum err store_fork_told(struct errctx *ec, struct store *s, struct device_id dev, struct fork_told *out)
{
	sqlite3_stmt *st = NULL;
	int64_t key = 0;
	bool row = false;
	enum err e = key_find(ec, s, (struct dot){ dev, 0 }, &key);

	*out = (struct fork_told){ 0 };
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	st = stmt(ec, s, ST_telling_get);
	NEED(st);
	sqlite3_bind_int64(st, 1, device_of(key));
	e = step(ec, s, st, &row);
	if (e == ERR_OK && row)
		*out = (struct fork_told){ (uint64_t)sqlite3_column_int64(st, 0), (uint64_t)sqlite3_column_int64(st, 1),
			                   (uint64_t)sqlite3_column_int64(st, 2) };
	sqlite3_reset(st);
	return e;
}

enum err store_fork_tell(struct errctx *ec, struct store *s, int64_t space, struct device_id dev,
                         const struct fork_told *t)
{
	sqlite3_stmt *st = NULL;
	int64_t key = 0;
	enum err e = key_of(ec, s, space, (struct dot){ dev, 0 }, &key);

	assert(s->in_transaction);
	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, ST_telling_put);
	NEED(st);
	sqlite3_bind_int64(st, 1, device_of(key));
	sqlite3_bind_int64(st, 2, space);
	sqlite3_bind_int64(st, 3, (int64_t)t->proven);
	sqlite3_bind_int64(st, 4, (int64_t)t->first);
	sqlite3_bind_int64(st, 5, (int64_t)t->handed);
	return run(ec, s, st);
}

enum err store_fork_owed(struct errctx *ec, struct store *s, int64_t space, struct device_id **out, size_t *count)
{
	sqlite3_stmt *st = stmt(ec, s, ST_telling_owed);
	void *list = NULL;
	size_t cap = 0;
	bool row = false;
	enum err e = ERR_OK;

	*out = NULL;
	*count = 0;
	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	while (e == ERR_OK && (e = step(ec, s, st, &row)) == ERR_OK && row) {
		e = list_grow(&list, *count, &cap, sizeof(**out));
		if (e == ERR_OK)
			e = column_exact(ec, st, 0, ((struct device_id *)list)[(*count)++].b, DEVICE_ID_LEN);
	}
	sqlite3_reset(st);
	*out = list;
	return e;
}

enum err store_claim_put(struct errctx *ec, struct store *s, int64_t space, struct device_id author,
                         const struct vv_entry *of)
{
	sqlite3_stmt *st = NULL;
	int64_t a = 0;
	int64_t d = 0;
	enum err e = key_of(ec, s, space, (struct dot){ author, 0 }, &a);

	assert(s->in_transaction);
	if (e == ERR_OK)
		e = key_of(ec, s, space, (struct dot){ of->dev, 0 }, &d);
	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, ST_claim_put);
	NEED(st);
	sqlite3_bind_int64(st, 1, device_of(a));
	sqlite3_bind_int64(st, 2, device_of(d));
	sqlite3_bind_int64(st, 3, (int64_t)of->seq);
	bind_blob(st, 4, of->hash, VV_HASH_LEN);
	return run(ec, s, st);
}

enum err store_claims(struct errctx *ec, struct store *s, struct device_id author, struct vv *out)
{
	sqlite3_stmt *st = NULL;
	int64_t key = 0;
	bool row = false;
	enum err e = key_find(ec, s, (struct dot){ author, 0 }, &key);

	out->n = 0;
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	st = stmt(ec, s, ST_claim_list);
	NEED(st);
	sqlite3_bind_int64(st, 1, device_of(key));
	while (e == ERR_OK && (e = step(ec, s, st, &row)) == ERR_OK && row) {
		struct vv_entry entry = { .seq = (uint64_t)sqlite3_column_int64(st, 1) };

		e = column_exact(ec, st, 0, entry.dev.b, DEVICE_ID_LEN);
		if (e == ERR_OK)
			e = column_exact(ec, st, 2, entry.hash, VV_HASH_LEN);
		if (e == ERR_OK)
			e = vv_set(out, entry);
	}
	sqlite3_reset(st);
	return e;
}
