// SPDX-License-Identifier: EUPL-1.2
// What sync works out membership from, and which edits do not count for it.
#include <assert.h>

#include "store/inside.h"

enum err store_acts_put(struct errctx *ec, struct store *s, int64_t space, struct device_id dev, uint64_t seq,
                        const struct vv *context, struct bytes acts)
{
	struct buf seen = { 0 };
	sqlite3_stmt *st = NULL;
	int64_t key = 0;
	enum err e = key_of(ec, s, space, (struct dot){ dev, seq }, &key);

	assert(s->in_transaction);
	if (e == ERR_OK)
		e = context_put(context, &seen);
	if (e == ERR_OK) {
		st = stmt(ec, s, ST_act_put);
		e = st == NULL ? ERR_IO : ERR_OK;
	}
	if (e == ERR_OK) {
		sqlite3_bind_int64(st, 1, key);
		sqlite3_bind_int64(st, 2, space);
		bind_blob(st, 3, acts.data, acts.len);
		bind_blob(st, 4, seen.data, seen.len);
		e = run(ec, s, st);
	}
	buf_free(&seen);
	return e;
}

enum err store_acts_each(struct errctx *ec, struct store *s, int64_t space, store_acts_fn each, void *arg)
{
	sqlite3_stmt *st = stmt(ec, s, ST_act_list);
	struct vv context = { 0 };
	bool row = false;
	enum err e = ERR_OK;

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	while (e == ERR_OK && (e = step(ec, s, st, &row)) == ERR_OK && row) {
		struct dot batch = { 0 };

		context.n = 0;
		e = dot_of(ec, s, sqlite3_column_int64(st, 0), &batch);
		if (e == ERR_OK)
			e = context_get(column_bytes(st, 2), &context);
		if (e == ERR_OK)
			e = each(arg, batch.dev, batch.counter, &context, column_bytes(st, 1));
	}
	sqlite3_reset(st);
	vv_free(&context);
	return e;
}

enum err store_void_set(struct errctx *ec, struct store *s, struct dot edit, bool is_void)
{
	sqlite3_stmt *st = NULL;
	int64_t key = 0;
	enum err e = key_find(ec, s, edit, &key);

	assert(s->in_transaction);
	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, is_void ? ST_void_put : ST_void_delete);
	NEED(st);
	sqlite3_bind_int64(st, 1, key);
	return run(ec, s, st);
}

/* ---- Contexts ---- */

enum err store_seen_put(struct errctx *ec, struct store *s, int64_t space, struct dot batch, struct dot names)
{
	sqlite3_stmt *st = NULL;
	int64_t author = 0;
	int64_t of = 0;
	enum err e = key_of(ec, s, space, batch, &author);

	assert(s->in_transaction);
	if (e == ERR_OK)
		e = key_of(ec, s, space, names, &of);
	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, ST_seen_put);
	NEED(st);
	sqlite3_bind_int64(st, 1, device_of(author));
	sqlite3_bind_int64(st, 2, device_of(of));
	sqlite3_bind_int64(st, 3, (int64_t)batch.counter);
	sqlite3_bind_int64(st, 4, (int64_t)names.counter);
	return run(ec, s, st);
}

enum err store_seen_note(struct errctx *ec, struct store *s, const struct applied_batch *b)
{
	struct vv before = { 0 };
	enum err e = store_context(ec, s, b->dev, &before);

	for (size_t i = 0; e == ERR_OK && i < b->context->n; i++) {
		const struct vv_entry *now = &b->context->e[i];
		const struct vv_entry *was = vv_get(&before, now->dev);

		if (device_cmp(now->dev, b->dev) != 0 && (was == NULL || was->seq != now->seq))
			e = store_seen_put(ec, s, b->space, (struct dot){ b->dev, b->seq },
			                   (struct dot){ now->dev, now->seq });
	}
	vv_free(&before);
	return e;
}

enum err store_seen_at(struct errctx *ec, struct store *s, struct device_id author, uint64_t seq, struct device_id of,
                       uint64_t *out)
{
	sqlite3_stmt *st = NULL;
	int64_t a = 0;
	int64_t b = 0;
	bool row = false;
	enum err e = key_find(ec, s, (struct dot){ author, seq }, &a);

	*out = 0;
	if (e == ERR_OK)
		e = key_find(ec, s, (struct dot){ of, 0 }, &b);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	st = stmt(ec, s, ST_seen_at);
	NEED(st);
	sqlite3_bind_int64(st, 1, device_of(a));
	sqlite3_bind_int64(st, 2, device_of(b));
	sqlite3_bind_int64(st, 3, (int64_t)seq);
	e = step(ec, s, st, &row);
	if (e == ERR_OK && row)
		*out = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return e;
}

/* The next edits behind *n, as many as the statement gives. */
static enum err edits_some(struct errctx *ec, struct store *s, int64_t space, int64_t *n, store_space_edit_fn each,
                           void *arg, bool *more)
{
	sqlite3_stmt *st = stmt(ec, s, ST_space_edits);
	bool row = false;
	enum err e = ERR_OK;

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	sqlite3_bind_int64(st, 2, *n);
	*more = false;
	while (e == ERR_OK && (e = step(ec, s, st, &row)) == ERR_OK && row) {
		struct space_edit edit = { .seq = (uint64_t)sqlite3_column_int64(st, 2),
			                   .is_void = sqlite3_column_int(st, 4) != 0,
			                   .bytes = column_bytes(st, 3) };
		struct dot dot = { 0 };

		*more = true;
		*n = sqlite3_column_int64(st, 5);
		e = dot_of(ec, s, sqlite3_column_int64(st, 0), &dot);
		if (e == ERR_OK)
			e = dot_of(ec, s, sqlite3_column_int64(st, 1), &edit.record);
		if (e == ERR_OK)
			e = each(arg, dot, &edit);
	}
	sqlite3_reset(st);
	return e;
}

enum err store_space_edits(struct errctx *ec, struct store *s, int64_t space, store_space_edit_fn each, void *arg)
{
	int64_t n = 0;
	bool more = true;
	enum err e = ERR_OK;

	while (e == ERR_OK && more)
		e = edits_some(ec, s, space, &n, each, arg, &more);
	return e;
}

/* The edit that made it was compacted. */
static enum err kind_at_base(struct errctx *ec, struct store *s, struct dot id, uint32_t *kind)
{
	struct buf state = { 0 };
	struct record r = { 0 };
	enum err e = store_base_state(ec, s, id, &state);

	if (e == ERR_OK)
		e = record_get(buf_bytes(&state), &r);
	if (e == ERR_OK)
		*kind = r.kind;
	record_free(&r);
	buf_free(&state);
	return e;
}

enum err store_kind_made(struct errctx *ec, struct store *s, struct dot record, uint32_t *kind)
{
	sqlite3_stmt *st = NULL;
	int64_t key = 0;
	bool row = false;
	enum err e = key_find(ec, s, record, &key);

	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, ST_edit_made);
	NEED(st);
	sqlite3_bind_int64(st, 1, key);
	e = step(ec, s, st, &row);
	if (e == ERR_OK && row) {
		struct edit edit;
		struct body pool;

		e = edit_parse(column_bytes(st, 0), &edit, &pool);
		if (e == ERR_OK) {
			*kind = edit.kind;
			body_free(&pool);
		}
	}
	sqlite3_reset(st);
	return e == ERR_OK && !row ? kind_at_base(ec, s, record, kind) : e;
}
