// SPDX-License-Identifier: EUPL-1.2
// Sealed files on their way out and in: waiting to be sent (S2), waiting for their causes, set aside (S4).
#include <stdlib.h>
#include <string.h>

#include "store/inside.h"

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

enum err store_outgoing_sent(struct errctx *ec, struct store *s, const char *ref, const char *name)
{
	sqlite3_stmt *st = stmt(ec, s, ST_outgoing_sent);

	NEED(st);
	bind_text(st, 1, ref);
	bind_text(st, 2, name);
	return run(ec, s, st);
}

enum err store_waiting_put(struct errctx *ec, struct store *s, int64_t space, const char *ref, const char *name,
                           struct bytes file, bool *other)
{
	sqlite3_stmt *st = stmt(ec, s, ST_waiting_put);
	bool row = false;
	enum err e = ERR_OK;

	*other = false;
	NEED(st);
	e = file_put(ec, s, st, space, ref, name, file);
	if (e != ERR_OK || sqlite3_changes(s->db) > 0)
		return e;
	st = stmt(ec, s, ST_waiting_same);
	NEED(st);
	bind_text(st, 1, ref);
	bind_text(st, 2, name);
	bind_blob(st, 3, file.data, file.len);
	e = step(ec, s, st, &row);
	sqlite3_reset(st);
	*other = e == ERR_OK && !row;
	return e;
}

enum err store_waiting_list(struct errctx *ec, struct store *s, struct file_row **out, size_t *count)
{
	sqlite3_stmt *st = stmt(ec, s, ST_waiting_list);

	NEED(st);
	return file_list(ec, s, st, false, out, count);
}

enum err store_waiting_delete(struct errctx *ec, struct store *s, int64_t n)
{
	sqlite3_stmt *st = stmt(ec, s, ST_waiting_delete);

	NEED(st);
	sqlite3_bind_int64(st, 1, n);
	return run(ec, s, st);
}

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
