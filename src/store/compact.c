// SPDX-License-Identifier: EUPL-1.2
// Where the log of a space begins: what lay below was replaced by what its records came to (K3).
#include <assert.h>
#include <stdlib.h>

#include "model/wire.h"
#include "store/inside.h"

/* Kept per space: [round, hash, [[device, seq, counter, first 8 bytes of the batch's hash]...]]. */
#define KEPT_BASE "base"

/* ---- The base ---- */

static enum err base_get(struct bytes bytes, struct base *out)
{
	struct wire_in in = wire_in(bytes);
	struct bytes at = { 0 };
	size_t n = 0;
	enum err e = wire_get_array(&in, &n);

	if (e == ERR_OK && n != 3)
		e = ERR_DAMAGED;
	if (e == ERR_OK)
		e = wire_get_uint(&in, &out->round);
	if (e == ERR_OK)
		e = wire_get_exact(&in, out->hash, sizeof(out->hash));
	if (e == ERR_OK)
		e = wire_get_bytes(&in, &at);
	if (e == ERR_OK)
		e = context_get(at, &out->at);
	out->is = e == ERR_OK;
	return e;
}

enum err store_base(struct errctx *ec, struct store *s, int64_t space, struct base *out)
{
	struct buf b = { 0 };
	enum err e = store_kept_get(ec, s, space, KEPT_BASE, &b);

	*out = (struct base){ 0 };
	if (e == ERR_OK)
		e = base_get(buf_bytes(&b), out);
	buf_free(&b);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err base_put(struct errctx *ec, struct store *s, int64_t space, const struct base *base)
{
	struct buf at = { 0 };
	struct buf b = { 0 };
	enum err e = context_put(&base->at, &at);

	if (e == ERR_OK)
		e = wire_put_array(&b, 3);
	if (e == ERR_OK)
		e = wire_put_uint(&b, base->round);
	if (e == ERR_OK)
		e = wire_put_bytes(&b, base->hash, sizeof(base->hash));
	if (e == ERR_OK)
		e = wire_put_bytes(&b, at.data, at.len);
	if (e == ERR_OK)
		e = store_kept_put(ec, s, space, KEPT_BASE, buf_bytes(&b));
	buf_free(&at);
	buf_free(&b);
	return e;
}

enum err store_base_state(struct errctx *ec, struct store *s, struct dot record, struct buf *out)
{
	return blob_of(ec, s, ST_base_get, record, out);
}

enum err store_base_each(struct errctx *ec, struct store *s, int64_t space, store_base_fn each, void *arg)
{
	sqlite3_stmt *st = stmt(ec, s, ST_base_list);
	bool row = false;
	enum err e = ERR_OK;

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	while (e == ERR_OK && (e = step(ec, s, st, &row)) == ERR_OK && row) {
		struct dot record = { 0 };

		e = dot_of(ec, s, sqlite3_column_int64(st, 0), &record);
		if (e == ERR_OK)
			e = each(arg, record, column_bytes(st, 1));
	}
	sqlite3_reset(st);
	return e;
}

/* ---- Cutting ---- */

static enum err run_range(struct errctx *ec, struct store *s, enum statement which, int64_t from, int64_t to)
{
	sqlite3_stmt *st = stmt(ec, s, which);

	NEED(st);
	sqlite3_bind_int64(st, 1, from);
	sqlite3_bind_int64(st, 2, to);
	return run(ec, s, st);
}

/* Edits and batches of one device up to the base. */
static enum err device_cut(struct errctx *ec, struct store *s, const struct vv_entry *upto)
{
	static const enum statement by_edit[] = { ST_cut_edits, ST_cut_void, ST_cut_undo, ST_erasure_words_drop };
	int64_t from = 0;
	enum err e = key_find(ec, s, (struct dot){ upto->dev, 1 }, &from);

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_DAMAGED : e;
	for (size_t i = 0; e == ERR_OK && i < sizeof(by_edit) / sizeof(by_edit[0]); i++)
		e = run_range(ec, s, by_edit[i], from, from - 1 + (int64_t)upto->counter);
	return e == ERR_OK ? run_range(ec, s, ST_cut_batches, from, from - 1 + (int64_t)upto->seq) : e;
}

static enum err first_of(struct errctx *ec, struct store *s, int64_t space, int64_t *n)
{
	sqlite3_stmt *st = stmt(ec, s, ST_cut_first);
	bool row = false;
	enum err e = ERR_OK;

	*n = 0;
	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	e = step(ec, s, st, &row);
	if (e == ERR_OK && row)
		*n = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return e;
}

static enum err states_put(struct errctx *ec, struct store *s, int64_t space, const struct base_item *item, size_t n)
{
	sqlite3_stmt *st = stmt(ec, s, ST_base_clear);
	enum err e = ERR_OK;

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	e = run(ec, s, st);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		int64_t key = 0;

		e = key_of(ec, s, space, item[i].record, &key);
		if (e != ERR_OK)
			break;
		st = stmt(ec, s, ST_base_put);
		NEED(st);
		sqlite3_bind_int64(st, 1, key);
		sqlite3_bind_int64(st, 2, space);
		bind_blob(st, 3, item[i].state.data, item[i].state.len);
		e = run(ec, s, st);
	}
	return e;
}

/* Erases that counted for nothing there, because somebody contested them, are of the past: the record stands. */
static enum err erasures_tidy(struct errctx *ec, struct store *s, int64_t space)
{
	struct erasure_row *list = NULL;
	size_t n = 0;
	enum err e = store_erasures(ec, s, space, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct buf state = { 0 };
		struct record r = { 0 };
		int64_t key = 0;

		if (!list[i].final)
			continue;
		e = store_base_state(ec, s, list[i].record, &state);
		if (e == ERR_OK)
			e = record_get(buf_bytes(&state), &r);
		if (e == ERR_OK && !record_is_erased(&r)) {
			e = key_find(ec, s, list[i].edit, &key);
			if (e == ERR_OK)
				e = run_range(ec, s, ST_erasure_drop, key, 0);
		}
		e = e == ERR_NOT_FOUND ? ERR_OK : e;
		record_free(&r);
		buf_free(&state);
	}
	free(list);
	return e;
}

enum err store_compact(struct errctx *ec, struct store *s, int64_t space, const struct base *base,
                       const struct base_item *item, size_t n)
{
	int64_t first = 0;
	enum err e = first_of(ec, s, space, &first);

	assert(s->in_transaction);
	for (size_t i = 0; e == ERR_OK && i < base->at.n; i++)
		e = device_cut(ec, s, &base->at.e[i]);
	if (e == ERR_OK)
		e = states_put(ec, s, space, item, n);
	if (e == ERR_OK)
		e = base_put(ec, s, space, base);
	if (e == ERR_OK)
		e = erasures_tidy(ec, s, space);
	if (e == ERR_OK && first > 0)
		e = close_up(ec, s, first);
	return e == ERR_OK ? store_forget_ask_all(ec, s) : e;
}

/* ---- Going on from a snapshot ---- */

static enum err run_space(struct errctx *ec, struct store *s, enum statement which, int64_t space)
{
	sqlite3_stmt *st = stmt(ec, s, which);

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	return run(ec, s, st);
}

static enum err records_delete(struct errctx *ec, struct store *s, int64_t space)
{
	struct dots ids = { 0 };
	enum err e = store_records_known(ec, s, space, &ids);

	for (size_t i = 0; e == ERR_OK && i < ids.n; i++) {
		e = store_record_delete(ec, s, ids.d[i]);
		e = e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	dots_free(&ids);
	return e;
}

enum err store_space_reset(struct errctx *ec, struct store *s, int64_t space)
{
	static const enum statement all[] = { ST_reset_void,   ST_reset_undo,    ST_reset_erasure,
		                              ST_reset_edits,  ST_reset_batches, ST_reset_acts,
		                              ST_reset_vector, ST_reset_seen,    ST_base_clear };
	int64_t first = 0;
	enum err e = first_of(ec, s, space, &first);

	assert(s->in_transaction);
	if (e == ERR_OK)
		e = records_delete(ec, s, space);
	for (size_t i = 0; e == ERR_OK && i < sizeof(all) / sizeof(all[0]); i++)
		e = run_space(ec, s, all[i], space);
	return e == ERR_OK && first > 0 ? close_up(ec, s, first) : e;
}

enum err store_batch_skeleton(struct errctx *ec, struct store *s, int64_t space, struct dot batch, uint64_t counter,
                              const uint8_t hash[static 32])
{
	sqlite3_stmt *st = NULL;
	int64_t key = 0;
	enum err e = key_of(ec, s, space, batch, &key);

	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, ST_batch_put);
	NEED(st);
	sqlite3_bind_int64(st, 1, key);
	sqlite3_bind_int64(st, 2, space);
	sqlite3_bind_int64(st, 3, (int64_t)counter);
	bind_blob(st, 4, hash, 32);
	bind_blob(st, 5, "", 0);
	return run(ec, s, st);
}

enum err store_head_put(struct errctx *ec, struct store *s, int64_t space, const struct vv_entry *head,
                        const struct vv *context)
{
	sqlite3_stmt *st = NULL;
	struct buf seen = { 0 };
	int64_t key = 0;
	enum err e = key_of(ec, s, space, (struct dot){ head->dev, head->seq }, &key);

	if (e == ERR_OK)
		e = context_put(context, &seen);
	if (e == ERR_OK) {
		st = stmt(ec, s, ST_vector_put);
		e = st == NULL ? ERR_IO : ERR_OK;
	}
	if (e == ERR_OK) {
		sqlite3_bind_int64(st, 1, device_of(key));
		sqlite3_bind_int64(st, 2, space);
		sqlite3_bind_int64(st, 3, (int64_t)head->seq);
		sqlite3_bind_int64(st, 4, (int64_t)head->counter);
		bind_blob(st, 5, head->hash, VV_HASH_LEN);
		bind_blob(st, 6, seen.data, seen.len);
		e = run(ec, s, st);
	}
	buf_free(&seen);
	return e;
}

/* ---- What is kept of the batches below ---- */

enum err store_seen_each(struct errctx *ec, struct store *s, struct device_id author, uint64_t upto, store_seen_fn each,
                         void *arg)
{
	sqlite3_stmt *st = NULL;
	int64_t key = 0;
	bool row = false;
	enum err e = key_find(ec, s, (struct dot){ author, 0 }, &key);

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	st = stmt(ec, s, ST_seen_list);
	NEED(st);
	sqlite3_bind_int64(st, 1, device_of(key));
	sqlite3_bind_int64(st, 2, (int64_t)upto);
	while (e == ERR_OK && (e = step(ec, s, st, &row)) == ERR_OK && row) {
		struct dot names = { 0 };

		e = dot_of(ec, s, sqlite3_column_int64(st, 1) << COUNTER_BITS, &names);
		names.counter = (uint64_t)sqlite3_column_int64(st, 3);
		if (e == ERR_OK)
			e = each(arg, (struct dot){ author, (uint64_t)sqlite3_column_int64(st, 2) }, names);
	}
	sqlite3_reset(st);
	return e;
}
