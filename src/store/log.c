// SPDX-License-Identifier: EUPL-1.2
// The log of edits as history and undo read it: one record's edits in order, the batches they came in, and which of
// them this device has taken back.
#include <stdlib.h>

#include "store/inside.h"

void store_log_free(struct record_log *log)
{
	for (size_t i = 0; i < log->n; i++) {
		body_free(&log->item[i].pool);
		buf_free(&log->item[i].bytes);
	}
	free(log->item);
	*log = (struct record_log){ 0 };
}

static enum err log_add(struct record_log *log, sqlite3_stmt *st)
{
	struct logged *l = NULL;
	enum err e = list_grow((void **)&log->item, log->n, &log->cap, sizeof(*log->item));

	if (e != ERR_OK)
		return e;
	l = &log->item[log->n++];
	*l = (struct logged){ .past = (uint64_t)sqlite3_column_int64(st, 1),
		              .seq = (uint64_t)sqlite3_column_int64(st, 2),
		              .undoes = sqlite3_column_int(st, 3) != 0,
		              .undone = sqlite3_column_int(st, 4) != 0,
		              .is_void = sqlite3_column_int(st, 5) != 0 };
	e = buf_put(&l->bytes, column_bytes(st, 0).data, column_bytes(st, 0).len);
	return e != ERR_OK ? e : edit_parse(buf_bytes(&l->bytes), &l->edit, &l->pool);
}

enum err store_log_of(struct errctx *ec, struct store *s, struct dot record, struct record_log *out)
{
	sqlite3_stmt *st = NULL;
	int64_t key = 0;
	bool row = false;
	enum err e = key_find(ec, s, record, &key);

	*out = (struct record_log){ 0 };
	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, ST_edit_of_record);
	NEED(st);
	sqlite3_bind_int64(st, 1, key);
	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		if ((e = log_add(out, st)) != ERR_OK)
			break;
	}
	sqlite3_reset(st);
	if (e != ERR_OK)
		store_log_free(out);
	return e;
}

enum err store_batch_signed(struct errctx *ec, struct store *s, struct device_id dev, uint64_t seq, struct buf *out)
{
	int64_t key = 0;
	sqlite3_stmt *st = NULL;
	bool row = false;
	enum err e = key_find(ec, s, (struct dot){ dev, seq }, &key);

	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, ST_batch_signed);
	NEED(st);
	sqlite3_bind_int64(st, 1, key);
	e = step(ec, s, st, &row);
	if (e != ERR_OK || !row)
		return e != ERR_OK ? e : ERR_NOT_FOUND;
	e = buf_put(out, column_bytes(st, 0).data, column_bytes(st, 0).len);
	sqlite3_reset(st);
	return e;
}

enum err store_own_last(struct errctx *ec, struct store *s, struct dot record, struct dot *edit, struct dot *of)
{
	sqlite3_stmt *st = NULL;
	int64_t key = 0;
	int64_t last[2] = { 0, 0 };
	bool row = false;
	enum err e = dot_is_none(record) ? ERR_OK : key_find(ec, s, record, &key);

	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, ST_edit_own_last);
	NEED(st);
	sqlite3_bind_int64(st, 1, key);
	e = step(ec, s, st, &row);
	if (e != ERR_OK || !row)
		return e != ERR_OK ? e : ERR_NOT_FOUND;
	last[0] = sqlite3_column_int64(st, 0);
	last[1] = sqlite3_column_int64(st, 1);
	sqlite3_reset(st);
	e = dot_of(ec, s, last[0], edit);
	return e != ERR_OK ? e : dot_of(ec, s, last[1], of);
}

enum err store_undo_put(struct errctx *ec, struct store *s, struct dot edit, struct dot undone)
{
	sqlite3_stmt *st = NULL;
	int64_t key[2] = { 0, 0 };
	enum err e = key_find(ec, s, edit, &key[0]);

	if (e == ERR_OK)
		e = key_find(ec, s, undone, &key[1]);
	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, ST_undo_put);
	NEED(st);
	sqlite3_bind_int64(st, 1, key[0]);
	sqlite3_bind_int64(st, 2, key[1]);
	return run(ec, s, st);
}
