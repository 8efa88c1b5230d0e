// SPDX-License-Identifier: EUPL-1.2
// Which records were erased, by whom, and what was said of it since; and folding a record again where an erase turns
// out not to count (M1, M2).
#include <stdlib.h>

#include "model/erasing.h"
#include "store/inside.h"

enum err erasure_note(struct errctx *ec, struct store *s, int64_t space, int64_t key, int64_t record,
                      const struct edit *edit)
{
	sqlite3_stmt *st = NULL;
	int what = edit_erases(edit) ? (edit_writes(edit, F_any_term) ? ERASURE_BY_TERM : ERASURE_ERASES)
	           : edit_writes(edit, F_any_contests) ? ERASURE_CONTESTS
	           : edit_writes(edit, F_any_agrees)   ? ERASURE_AGREES
	                                               : 0;

	if (what == 0)
		return ERR_OK;
	st = stmt(ec, s, ST_erasure_put);
	NEED(st);
	sqlite3_bind_int64(st, 1, key);
	sqlite3_bind_int64(st, 2, space);
	sqlite3_bind_int64(st, 3, record);
	sqlite3_bind_int64(st, 4, what);
	sqlite3_bind_int64(st, 5, s->now_ms);
	return run(ec, s, st);
}

enum err store_search_optimize(struct errctx *ec, struct store *s)
{
	sqlite3_stmt *st = stmt(ec, s, ST_search_optimize);

	NEED(st);
	return run(ec, s, st);
}

/* ---- Folding again ---- */

enum err store_logged_context(struct errctx *ec, struct store *s, int64_t space, const struct logged *l, struct vv *out)
{
	struct vv heads = { 0 };
	enum err e = store_vector(ec, s, space, &heads);

	out->n = 0;
	for (size_t i = 0; e == ERR_OK && i < heads.n; i++) {
		struct vv_entry entry = { .dev = heads.e[i].dev, .seq = heads.e[i].seq };
		uint8_t hash[32];

		if (device_cmp(entry.dev, l->edit.dot.dev) == 0)
			continue;
		if (l->seq != 0)
			e = store_seen_at(ec, s, l->edit.dot.dev, l->seq, entry.dev, &entry.seq);
		for (size_t k = 0; k < l->edit.seen_count; k++)
			if (device_cmp(l->edit.seen[k].dev, entry.dev) == 0 && l->edit.seen[k].seq < entry.seq)
				entry.seq = l->edit.seen[k].seq;
		if (e != ERR_OK || entry.seq == 0)
			continue;
		e = store_batch_get(ec, s, entry.dev, entry.seq, &entry.counter, hash);
		if (e == ERR_OK)
			e = vv_set(out, entry);
	}
	vv_free(&heads);
	return e == ERR_NOT_FOUND ? ERR_DAMAGED : e;
}

/* Of each edit what its author had seen, and what is contested. */
static enum err contexts_load(struct errctx *ec, struct store *s, int64_t space, const struct record_log *log,
                              struct vv *seen, struct contests *contests)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < log->n; i++) {
		const struct logged *l = &log->item[i];

		if (l->is_void)
			continue;
		e = store_logged_context(ec, s, space, l, &seen[i]);
		if (e == ERR_OK)
			e = contests_note(contests, &l->edit, (struct context){ &seen[i], l->past });
	}
	return e;
}

static enum err log_fold(const struct record_log *log, const struct vv *seen, const struct contests *contests,
                         struct record *r, size_t *counted)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < log->n; i++) {
		const struct logged *l = &log->item[i];

		if (l->edit.kind != KIND_none)
			r->kind = l->edit.kind;
		if (l->is_void || contests_stop(contests, &l->edit))
			continue;
		e = record_apply(r, &l->edit, (struct context){ &seen[i], l->past });
		(*counted)++;
	}
	return e;
}

enum err fold_all(struct errctx *ec, struct store *s, int64_t space, struct dot id, struct loaded *out)
{
	struct record_log log = { 0 };
	struct contests contests = { 0 };
	struct vv *seen = NULL;
	size_t counted = 0;
	enum err e = store_base_state(ec, s, id, &out->bytes);

	*out = (struct loaded){ .space = space, .bytes = out->bytes };
	if (e == ERR_OK) {
		e = record_get(buf_bytes(&out->bytes), &out->record);
		counted = !out->record.uncounted;
	} else if (e == ERR_NOT_FOUND) {
		record_init(&out->record, id);
		e = ERR_OK;
	}
	if (e == ERR_OK)
		e = store_log_of(ec, s, id, &log);
	seen = calloc(log.n + 1, sizeof(*seen));
	if (e == ERR_OK && seen == NULL)
		e = ERR_NO_MEMORY;
	if (e == ERR_OK)
		e = contexts_load(ec, s, space, &log, seen, &contests);
	if (e == ERR_OK)
		e = log_fold(&log, seen, &contests, &out->record, &counted);
	if (e == ERR_OK && counted == 0)
		e = ERR_NOT_FOUND;
	for (size_t i = 0; seen != NULL && i < log.n; i++)
		vv_free(&seen[i]);
	free(seen);
	contests_free(&contests);
	store_log_free(&log);
	if (e != ERR_OK)
		store_loaded_free(out);
	return e;
}

/* ---- Listing ---- */

/* One row of the table. */
struct listed {
	struct erasure_row row;
	enum erasure_what what;
};

static bool erases(const struct listed *l)
{
	return l->what == ERASURE_ERASES || l->what == ERASURE_BY_TERM;
}

static enum err listed_load(struct errctx *ec, struct store *s, int64_t space, struct listed **out, size_t *count)
{
	sqlite3_stmt *st = stmt(ec, s, ST_erasure_list);
	size_t cap = 0;
	bool row = false;
	enum err e = ERR_OK;

	*out = NULL;
	*count = 0;
	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		struct listed *l = NULL;

		if ((e = list_grow((void **)out, *count, &cap, sizeof(**out))) != ERR_OK)
			break;
		l = &(*out)[(*count)++];
		*l = (struct listed){ .what = (enum erasure_what)sqlite3_column_int(st, 2),
			              .row = { .at_ms = sqlite3_column_int64(st, 3),
			                       .seq = (uint64_t)sqlite3_column_int64(st, 4),
			                       .final = sqlite3_column_int(st, 5) != 0,
			                       .is_void = sqlite3_column_int(st, 6) != 0 } };
		l->row.by_term = l->what == ERASURE_BY_TERM;
		if ((e = dot_of(ec, s, sqlite3_column_int64(st, 0), &l->row.edit)) != ERR_OK ||
		    (e = dot_of(ec, s, sqlite3_column_int64(st, 1), &l->row.record)) != ERR_OK)
			break;
	}
	sqlite3_reset(st);
	if (e != ERR_OK) {
		free(*out);
		*out = NULL;
	}
	return e;
}

struct words {
	struct word_row *w;
	size_t n;
	size_t cap;
	struct word_row next;
	const struct edit *edit;
	struct context ctx;
};

static enum err word_add(void *arg, struct dot named)
{
	struct words *w = arg;
	enum err e = ERR_OK;

	if (!edit_saw(w->edit, w->ctx, named))
		return ERR_OK;
	e = list_grow((void **)&w->w, w->n, &w->cap, sizeof(*w->w));
	if (e == ERR_OK) {
		w->w[w->n] = w->next;
		w->w[w->n++].named = named;
	}
	return e;
}

/* What one edit says, found in the log of its record. */
static enum err words_of(struct errctx *ec, struct store *s, int64_t space, const struct listed *l, struct words *w)
{
	struct record_log log = { 0 };
	struct vv seen = { 0 };
	enum err e = store_log_of(ec, s, l->row.record, &log);

	w->next = (struct word_row){ .by = l->row.edit, .seq = l->row.seq, .contests = l->what == ERASURE_CONTESTS };
	for (size_t i = 0; e == ERR_OK && i < log.n; i++) {
		if (dot_cmp(log.item[i].edit.dot, l->row.edit) != 0)
			continue;
		e = store_logged_context(ec, s, space, &log.item[i], &seen);
		w->edit = &log.item[i].edit;
		w->ctx = (struct context){ &seen, log.item[i].past };
		if (e == ERR_OK)
			e = edit_names(w->edit, w->next.contests ? F_any_contests : F_any_agrees, word_add, w);
	}
	vv_free(&seen);
	store_log_free(&log);
	return e;
}

static enum err words_load(struct errctx *ec, struct store *s, int64_t space, const struct listed *l, size_t n,
                           struct words *w)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < n; i++)
		if (!erases(&l[i]) && !l[i].row.is_void && !l[i].row.final)
			e = words_of(ec, s, space, &l[i], w);
	return e;
}

enum err store_erasure_words(struct errctx *ec, struct store *s, int64_t space, struct word_row **out, size_t *count)
{
	struct listed *l = NULL;
	struct words w = { 0 };
	size_t n = 0;
	enum err e = listed_load(ec, s, space, &l, &n);

	if (e == ERR_OK)
		e = words_load(ec, s, space, l, n, &w);
	free(l);
	*out = w.w;
	*count = w.n;
	return e;
}

enum err store_erasures(struct errctx *ec, struct store *s, int64_t space, struct erasure_row **out, size_t *count)
{
	struct listed *l = NULL;
	struct words w = { 0 };
	size_t n = 0;
	enum err e = listed_load(ec, s, space, &l, &n);

	*count = 0;
	*out = calloc(n + 1, sizeof(**out));
	if (e == ERR_OK && *out == NULL)
		e = ERR_NO_MEMORY;
	if (e == ERR_OK)
		e = words_load(ec, s, space, l, n, &w);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		if (!erases(&l[i]))
			continue;
		for (size_t k = 0; k < w.n; k++)
			l[i].row.contested =
			    l[i].row.contested || (w.w[k].contests && dot_cmp(w.w[k].named, l[i].row.edit) == 0);
		(*out)[(*count)++] = l[i].row;
	}
	free(w.w);
	free(l);
	return e;
}
