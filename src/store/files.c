// SPDX-License-Identifier: EUPL-1.2
// Sealed files on their way out and in: waiting to be sent (S2), waiting for their causes, set aside (S4).
#include <stdlib.h>
#include <string.h>

#include "store/inside.h"

#define LETTERS "refs/heads/join/"
#define PAPER "paper-"

void store_files_free(struct file_row *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_free(&list[i].file);
	free(list);
}

static enum err file_list(struct errctx *ec, struct store *s, sqlite3_stmt *st, bool edits, struct file_row **out,
                          size_t *count)
{
	size_t cap = 0;
	bool row = false;
	enum err e = ERR_OK;

	*out = NULL;
	*count = 0;
	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		struct file_row *f = NULL;

		if ((e = list_grow((void **)out, *count, &cap, sizeof(**out))) != ERR_OK)
			break;
		f = &(*out)[(*count)++];
		*f = (struct file_row){ .n = sqlite3_column_int64(st, 0), .space = sqlite3_column_int64(st, 1) };
		if (edits)
			f->edits = (uint64_t)sqlite3_column_int64(st, 5);
		if ((e = column_text(ec, st, 2, f->ref, sizeof(f->ref))) != ERR_OK ||
		    (e = column_text(ec, st, 3, f->name, sizeof(f->name))) != ERR_OK ||
		    (e = buf_put(&f->file, column_bytes(st, 4).data, column_bytes(st, 4).len)) != ERR_OK)
			break;
	}
	sqlite3_reset(st);
	if (e != ERR_OK) {
		store_files_free(*out, *count);
		*out = NULL;
		*count = 0;
	}
	return e;
}

static enum err file_put(struct errctx *ec, struct store *s, sqlite3_stmt *st, int64_t space, const char *ref,
                         const char *name, struct bytes file)
{
	sqlite3_bind_int64(st, 1, space);
	bind_text(st, 2, ref);
	bind_text(st, 3, name);
	bind_blob(st, 4, file.data, file.len);
	return run(ec, s, st);
}

enum err store_outgoing_put(struct errctx *ec, struct store *s, int64_t space, const char *ref, const char *name,
                            struct bytes file, uint64_t edits)
{
	sqlite3_stmt *st = stmt(ec, s, ST_outgoing_put);

	NEED(st);
	sqlite3_bind_int64(st, 5, (int64_t)edits);
	return file_put(ec, s, st, space, ref, name, file);
}

enum err store_outgoing_list(struct errctx *ec, struct store *s, struct file_row **out, size_t *count)
{
	sqlite3_stmt *st = stmt(ec, s, ST_outgoing_list);

	NEED(st);
	return file_list(ec, s, st, true, out, count);
}

static enum err by_name(struct errctx *ec, struct store *s, sqlite3_stmt *st, const char *ref, const char *name)
{
	NEED(st);
	bind_text(st, 1, ref);
	bind_text(st, 2, name);
	return run(ec, s, st);
}

enum err store_outgoing_sent(struct errctx *ec, struct store *s, const char *ref, const char *name)
{
	sqlite3_stmt *st = stmt(ec, s, ST_outgoing_sent);

	enum err e = ERR_OK;

	NEED(st);
	sqlite3_bind_int(st, 3, strncmp(ref, LETTERS, strlen(LETTERS)) == 0);
	e = by_name(ec, s, st, ref, name);
	if (e == ERR_OK && strncmp(name, PAPER, strlen(PAPER)) == 0)
		e = by_name(ec, s, stmt(ec, s, ST_letters_older), ref, name);
	return e;
}

enum err store_outgoing_was_sent(struct errctx *ec, struct store *s, const char *ref, struct file_row **out,
                                 size_t *count)
{
	sqlite3_stmt *st = stmt(ec, s, ST_outgoing_was_sent);

	NEED(st);
	bind_text(st, 1, ref);
	return file_list(ec, s, st, true, out, count);
}

enum err store_letters_list(struct errctx *ec, struct store *s, struct file_row **out, size_t *count)
{
	sqlite3_stmt *st = stmt(ec, s, ST_letters_list);

	NEED(st);
	return file_list(ec, s, st, true, out, count);
}

enum err store_outgoing_unsend(struct errctx *ec, struct store *s, const char *ref, const char *name)
{
	return by_name(ec, s, stmt(ec, s, ST_outgoing_unsend), ref, name);
}

enum err store_outgoing_forget(struct errctx *ec, struct store *s, const char *ref, const char *name)
{
	return by_name(ec, s, stmt(ec, s, ST_outgoing_forget), ref, name);
}

/* ---- Waiting ---- */

static void awaits_bind(sqlite3_stmt *st, int first, const struct awaits *a)
{
	sqlite3_bind_int(st, first, (int)a->what);
	bind_blob(st, first + 1, a->id, a->id_len);
	sqlite3_bind_int64(st, first + 2, (int64_t)a->seq);
}

static enum err awaits_put(struct errctx *ec, struct store *s, int64_t n, const struct waiting_put *put)
{
	sqlite3_stmt *st = stmt(ec, s, ST_awaits_put);
	enum err e = ERR_OK;

	NEED(st);
	sqlite3_bind_int64(st, 1, n);
	sqlite3_bind_int64(st, 2, put->space);
	awaits_bind(st, 3, &put->awaits);
	bind_blob(st, 6, put->author.b, TAG_LEN);
	sqlite3_bind_int64(st, 7, (int64_t)put->number);
	sqlite3_bind_int64(st, 8, (int64_t)put->file.len);
	e = run(ec, s, st);
	s->waiting.files += e == ERR_OK;
	s->waiting.bytes += e == ERR_OK ? put->file.len : 0;
	return e;
}

enum err store_waiting_put(struct errctx *ec, struct store *s, const struct waiting_put *put, bool *other)
{
	sqlite3_stmt *st = stmt(ec, s, ST_waiting_put);
	bool row = false;
	enum err e = ERR_OK;

	*other = false;
	NEED(st);
	e = file_put(ec, s, st, put->space, put->ref, put->name, put->file);
	if (e != ERR_OK)
		return e;
	if (sqlite3_changes(s->db) > 0)
		return awaits_put(ec, s, sqlite3_last_insert_rowid(s->db), put);
	st = stmt(ec, s, ST_waiting_same);
	NEED(st);
	bind_text(st, 1, put->ref);
	bind_text(st, 2, put->name);
	bind_blob(st, 3, put->file.data, put->file.len);
	e = step(ec, s, st, &row);
	sqlite3_reset(st);
	*other = e == ERR_OK && !row;
	return e;
}

enum err store_waiting_for(struct errctx *ec, struct store *s, int64_t n, const struct awaits *awaits)
{
	sqlite3_stmt *st = stmt(ec, s, ST_awaits_change);

	NEED(st);
	sqlite3_bind_int64(st, 1, n);
	awaits_bind(st, 2, awaits);
	return run(ec, s, st);
}

enum err store_waiting_get(struct errctx *ec, struct store *s, int64_t n, struct file_row *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_waiting_get);
	struct file_row *list = NULL;
	size_t count = 0;
	enum err e = ERR_OK;

	*out = (struct file_row){ 0 };
	NEED(st);
	sqlite3_bind_int64(st, 1, n);
	e = file_list(ec, s, st, false, &list, &count);
	if (e == ERR_OK && count == 0)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		*out = list[0];
	free(list);
	return e;
}

enum err store_waiting_delete(struct errctx *ec, struct store *s, int64_t n)
{
	sqlite3_stmt *st = stmt(ec, s, ST_awaits_size);
	bool row = false;
	enum err e = ERR_OK;

	NEED(st);
	sqlite3_bind_int64(st, 1, n);
	e = step(ec, s, st, &row);
	if (e == ERR_OK && row && s->waiting.known) {
		s->waiting.files--;
		s->waiting.bytes -= (uint64_t)sqlite3_column_int64(st, 0);
	}
	sqlite3_reset(st);
	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, ST_awaits_delete);
	NEED(st);
	sqlite3_bind_int64(st, 1, n);
	e = run(ec, s, st);
	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, ST_waiting_delete);
	NEED(st);
	sqlite3_bind_int64(st, 1, n);
	return run(ec, s, st);
}

enum err store_waiting_size(struct errctx *ec, struct store *s, uint64_t *files, uint64_t *bytes)
{
	bool row = false;
	enum err e = ERR_OK;

	if (!s->waiting.known) {
		sqlite3_stmt *st = stmt(ec, s, ST_awaits_sum);

		NEED(st);
		e = step(ec, s, st, &row);
		if (e == ERR_OK && row)
			s->waiting = (struct waiting_sum){ true, (uint64_t)sqlite3_column_int64(st, 0),
				                           (uint64_t)sqlite3_column_int64(st, 1) };
		sqlite3_reset(st);
	}
	*files = s->waiting.files;
	*bytes = s->waiting.bytes;
	return e;
}

enum err store_waiting_count(struct errctx *ec, struct store *s, uint64_t *out)
{
	uint64_t bytes = 0;

	return store_waiting_size(ec, s, out, &bytes);
}

enum err store_waiting_kinds(struct errctx *ec, struct store *s, uint64_t out[static AWAITED_KINDS])
{
	sqlite3_stmt *st = stmt(ec, s, ST_awaits_kinds);
	bool row = false;
	enum err e = ERR_OK;

	memset(out, 0, AWAITED_KINDS * sizeof(out[0]));
	NEED(st);
	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		int64_t what = sqlite3_column_int64(st, 0);

		out[what > 0 && what < AWAITED_KINDS ? what : AWAITS_UNKNOWN] += (uint64_t)sqlite3_column_int64(st, 1);
	}
	sqlite3_reset(st);
	return e;
}

static enum err number_of(struct errctx *ec, struct store *s, sqlite3_stmt *st, uint64_t *out)
{
	bool row = false;
	enum err e = step(ec, s, st, &row);

	*out = e == ERR_OK && row ? (uint64_t)sqlite3_column_int64(st, 0) : 0;
	sqlite3_reset(st);
	return e;
}

enum err store_waiting_keys(struct errctx *ec, struct store *s, int64_t space, uint64_t *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_awaits_keys);

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	return number_of(ec, s, st, out);
}

enum err store_waiting_keys_of(struct errctx *ec, struct store *s, int64_t space, struct tag author, uint64_t *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_awaits_keys_of);

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	bind_blob(st, 2, author.b, TAG_LEN);
	return number_of(ec, s, st, out);
}

enum err store_waiting_causes_of(struct errctx *ec, struct store *s, int64_t space, struct tag author,
                                 struct epoch_id but, uint64_t *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_awaits_causes_of);

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	bind_blob(st, 2, author.b, TAG_LEN);
	bind_blob(st, 3, but.b, EPOCH_ID_LEN);
	return number_of(ec, s, st, out);
}

enum err store_waiting_in_vain(struct errctx *ec, struct store *s, int64_t space, const struct awaits *awaits)
{
	sqlite3_stmt *st = stmt(ec, s, ST_awaits_in_vain);

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	awaits_bind(st, 2, awaits);
	return run(ec, s, st);
}

static enum err rows_add(struct errctx *ec, struct store *s, sqlite3_stmt *st, struct waiting_rows *out)
{
	bool row = false;
	enum err e = ERR_OK;

	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		if ((e = list_grow((void **)&out->n, out->count, &out->cap, sizeof(*out->n))) != ERR_OK)
			break;
		out->n[out->count++] = sqlite3_column_int64(st, 0);
	}
	sqlite3_reset(st);
	return e;
}

enum err store_waiting_on(struct errctx *ec, struct store *s, const struct awaits *awaits, struct waiting_rows *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_awaits_for);

	NEED(st);
	awaits_bind(st, 1, awaits);
	return rows_add(ec, s, st, out);
}

enum err store_waiting_list(struct errctx *ec, struct store *s, int64_t space, struct waiting_rows *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_waiting_list);

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	return rows_add(ec, s, st, out);
}

enum err store_waiting_drop(struct errctx *ec, struct store *s, int64_t space, struct epoch_id epoch)
{
	sqlite3_stmt *st = stmt(ec, s, ST_waiting_under);
	struct waiting_rows rows = { 0 };
	enum err e = ERR_OK;

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	bind_blob(st, 2, epoch.b, EPOCH_ID_LEN);
	e = rows_add(ec, s, st, &rows);
	for (size_t i = 0; e == ERR_OK && i < rows.count; i++)
		e = store_waiting_delete(ec, s, rows.n[i]);
	free(rows.n);
	return e;
}

enum err store_waiting_same(struct errctx *ec, struct store *s, struct tag author, uint64_t number,
                            struct waiting_rows *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_awaits_same);

	NEED(st);
	bind_blob(st, 1, author.b, TAG_LEN);
	sqlite3_bind_int64(st, 2, (int64_t)number);
	return rows_add(ec, s, st, out);
}

enum err store_waiting_authors(struct errctx *ec, struct store *s, struct waiting_rows *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_awaits_author);

	NEED(st);
	return rows_add(ec, s, st, out);
}

enum err store_waiting_ready(struct errctx *ec, struct store *s, struct waiting_rows *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_awaits_ready);

	NEED(st);
	return rows_add(ec, s, st, out);
}

enum err store_awaited_batches(struct errctx *ec, struct store *s, struct awaited_batch **out, size_t *count)
{
	sqlite3_stmt *st = stmt(ec, s, ST_awaits_batches);
	size_t cap = 0;
	bool row = false;
	enum err e = ERR_OK;

	*out = NULL;
	*count = 0;
	NEED(st);
	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		struct awaited_batch *b = NULL;

		if ((e = list_grow((void **)out, *count, &cap, sizeof(**out))) != ERR_OK)
			break;
		b = &(*out)[*count];
		*b = (struct awaited_batch){ .space = sqlite3_column_int64(st, 0),
			                     .seq = (uint64_t)sqlite3_column_int64(st, 2) };
		if ((e = column_exact(ec, st, 1, b->dev.b, DEVICE_ID_LEN)) != ERR_OK)
			break;
		(*count)++;
	}
	sqlite3_reset(st);
	if (e != ERR_OK) {
		free(*out);
		*out = NULL;
		*count = 0;
	}
	return e;
}

/* ---- Set aside ---- */

enum err store_aside_put(struct errctx *ec, struct store *s, const char *what, const char *why, int64_t now_ms,
                         struct bytes file, bool *added)
{
	sqlite3_stmt *st = stmt(ec, s, ST_aside_put);
	enum err e = ERR_OK;

	NEED(st);
	bind_text(st, 1, what);
	bind_text(st, 2, why);
	sqlite3_bind_int64(st, 3, now_ms);
	bind_blob(st, 4, file.data, file.len);
	e = run(ec, s, st);
	*added = e == ERR_OK && sqlite3_changes(s->db) > 0;
	return e;
}

enum err store_aside_list(struct errctx *ec, struct store *s, struct aside_row **out, size_t *count)
{
	sqlite3_stmt *st = stmt(ec, s, ST_aside_list);
	size_t cap = 0;
	bool row = false;
	enum err e = ERR_OK;

	*out = NULL;
	*count = 0;
	NEED(st);
	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		struct aside_row *r = NULL;

		if ((e = list_grow((void **)out, *count, &cap, sizeof(**out))) != ERR_OK)
			break;
		r = &(*out)[*count];
		if ((e = column_text(ec, st, 0, r->what, sizeof(r->what))) != ERR_OK ||
		    (e = column_text(ec, st, 1, r->why, sizeof(r->why))) != ERR_OK)
			break;
		r->at_ms = sqlite3_column_int64(st, 2);
		(*count)++;
	}
	sqlite3_reset(st);
	if (e != ERR_OK) {
		free(*out);
		*out = NULL;
		*count = 0;
	}
	return e;
}

enum err store_branch_put(struct errctx *ec, struct store *s, int64_t neighbourhood, const char *ref, const char *oid)
{
	sqlite3_stmt *st = stmt(ec, s, ST_branch_put);

	NEED(st);
	sqlite3_bind_int64(st, 1, neighbourhood);
	bind_text(st, 2, ref);
	bind_text(st, 3, oid);
	return run(ec, s, st);
}

enum err store_branch_delete(struct errctx *ec, struct store *s, int64_t neighbourhood, const char *ref)
{
	sqlite3_stmt *st = stmt(ec, s, ST_branch_delete);

	NEED(st);
	sqlite3_bind_int64(st, 1, neighbourhood);
	bind_text(st, 2, ref);
	return run(ec, s, st);
}

enum err store_branch_list(struct errctx *ec, struct store *s, int64_t neighbourhood, struct branch_row **out,
                           size_t *count)
{
	sqlite3_stmt *st = stmt(ec, s, ST_branch_list);
	size_t cap = 0;
	bool row = false;
	enum err e = ERR_OK;

	*out = NULL;
	*count = 0;
	NEED(st);
	sqlite3_bind_int64(st, 1, neighbourhood);
	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		if ((e = list_grow((void **)out, *count, &cap, sizeof(**out))) != ERR_OK ||
		    (e = column_text(ec, st, 0, (*out)[*count].ref, REF_MAX + 1)) != ERR_OK ||
		    (e = column_text(ec, st, 1, (*out)[*count].oid, 65)) != ERR_OK)
			break;
		(*count)++;
	}
	sqlite3_reset(st);
	if (e != ERR_OK) {
		free(*out);
		*out = NULL;
		*count = 0;
	}
	return e;
}
