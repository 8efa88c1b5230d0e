// SPDX-License-Identifier: EUPL-1.2
// Questions to the log: lists of ids, search, the canonical dump.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/sounds.h"
#include "store/inside.h"

void dots_free(struct dots *d)
{
	free(d->d);
	*d = (struct dots){ 0 };
}

static enum err dots_add(struct dots *d, struct dot dot)
{
	enum err e = list_grow((void **)&d->d, d->n, &d->cap, sizeof(*d->d));

	if (e == ERR_OK)
		d->d[d->n++] = dot;
	return e;
}

/* The keys that a bound statement gives in its first column, as dots. */
static enum err dots_of(struct errctx *ec, struct store *s, sqlite3_stmt *st, struct dots *out)
{
	bool row = false;
	enum err e = ERR_OK;

	*out = (struct dots){ 0 };
	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		struct dot d = { 0 };

		if ((e = dot_of(ec, s, sqlite3_column_int64(st, 0), &d)) != ERR_OK || (e = dots_add(out, d)) != ERR_OK)
			break;
	}
	sqlite3_reset(st);
	if (e != ERR_OK)
		dots_free(out);
	return e;
}

/* The first of them; ERR_NOT_FOUND without text. */
static enum err dot_one(struct errctx *ec, struct store *s, sqlite3_stmt *st, struct dot *out)
{
	struct dots list;
	enum err e = dots_of(ec, s, st, &list);

	if (e == ERR_OK && list.n == 0)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		*out = list.d[0];
	dots_free(&list);
	return e;
}

enum err store_of_kind(struct errctx *ec, struct store *s, uint32_t kind, int64_t space, struct dots *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_record_of_kind);

	NEED(st);
	sqlite3_bind_int64(st, 1, kind);
	sqlite3_bind_int64(st, 2, space);
	return dots_of(ec, s, st, out);
}

enum err store_records_known(struct errctx *ec, struct store *s, int64_t space, struct dots *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_record_known);

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	return dots_of(ec, s, st, out);
}

enum err store_contacts(struct errctx *ec, struct store *s, int64_t space, int64_t since_day, bool open_only,
                        struct dots *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_contacts);

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	sqlite3_bind_int64(st, 2, since_day);
	sqlite3_bind_int(st, 3, open_only);
	return dots_of(ec, s, st, out);
}

enum err store_follow_ups(struct errctx *ec, struct store *s, int64_t until_day, struct dots *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_follow_ups);

	NEED(st);
	sqlite3_bind_int64(st, 1, until_day);
	return dots_of(ec, s, st, out);
}

enum err store_referrals(struct errctx *ec, struct store *s, int64_t space, bool open_only, bool silent_only,
                         int64_t silent_before, struct dots *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_referrals);

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	sqlite3_bind_int(st, 2, open_only);
	sqlite3_bind_int(st, 3, silent_only);
	sqlite3_bind_int64(st, 4, silent_before);
	return dots_of(ec, s, st, out);
}

enum err store_referrals_sent(struct errctx *ec, struct store *s, int64_t space, int64_t from_day, int64_t to_day,
                              struct dots *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_referrals_sent);

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	sqlite3_bind_int64(st, 2, from_day);
	sqlite3_bind_int64(st, 3, to_day);
	return dots_of(ec, s, st, out);
}

enum err store_referrals_of(struct errctx *ec, struct store *s, struct dot contact, struct dots *out)
{
	sqlite3_stmt *st = NULL;
	int64_t key = 0;
	enum err e = key_find(ec, s, contact, &key);

	*out = (struct dots){ 0 };
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	st = stmt(ec, s, ST_referrals_of_contact);
	NEED(st);
	sqlite3_bind_int64(st, 1, key);
	return dots_of(ec, s, st, out);
}

enum err store_referral_by_code(struct errctx *ec, struct store *s, const char *code, struct dot *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_referral_by_code);

	NEED(st);
	bind_text(st, 1, code);
	return dot_one(ec, s, st, out);
}

enum err store_services(struct errctx *ec, struct store *s, int64_t space, struct dots *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_services);

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	return dots_of(ec, s, st, out);
}

enum err store_service_by_source(struct errctx *ec, struct store *s, int64_t space, const char *source, struct dot *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_service_by_source);

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	bind_text(st, 2, source);
	return dot_one(ec, s, st, out);
}

enum err store_residents(struct errctx *ec, struct store *s, int64_t space, struct dots *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_residents);

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	return dots_of(ec, s, st, out);
}

enum err store_resident_by_nick(struct errctx *ec, struct store *s, int64_t space, const char *nick, struct dot *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_resident_by_nick);

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	bind_text(st, 2, nick);
	return dot_one(ec, s, st, out);
}

enum err store_residents_sounding(struct errctx *ec, struct store *s, int64_t space, const char *nick, struct dots *out)
{
	sqlite3_stmt *st = NULL;
	struct buf keys = { 0 };
	enum err e = sounds_put((struct bytes){ (const uint8_t *)nick, strlen(nick) }, &keys);

	*out = (struct dots){ 0 };
	for (size_t from = 0; e == ERR_OK && from < keys.len;) {
		size_t len = 0;
		char word[128]; /* one key with a blank around it */
		struct dots found = { 0 };

		while (keys.data[from + len] != ' ')
			len++;
		snprintf(word, sizeof(word), " %.*s ", (int)len, (const char *)keys.data + from);
		from += len + 1;
		st = stmt(ec, s, ST_residents_sounding);
		e = st == NULL ? ERR_IO : ERR_OK;
		if (e == ERR_OK) {
			sqlite3_bind_int64(st, 1, space);
			bind_text(st, 2, word);
			e = dots_of(ec, s, st, &found);
		}
		for (size_t i = 0; e == ERR_OK && i < found.n; i++) {
			bool there = false;

			for (size_t k = 0; k < out->n; k++)
				there = there || dot_cmp(out->d[k], found.d[i]) == 0;
			if (!there)
				e = dots_add(out, found.d[i]);
		}
		dots_free(&found);
	}
	buf_free(&keys);
	if (e != ERR_OK)
		dots_free(out);
	return e;
}

enum err store_two_versions(struct errctx *ec, struct store *s, struct dots *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_record_two);

	NEED(st);
	return dots_of(ec, s, st, out);
}

/* --- ids that people type --- */

static enum err ambiguous(struct errctx *ec, const char *text)
{
	return err_set(ec, ERR_USAGE, "More than one record starts with %1. Type a few more characters.", text, NULL,
	               NULL);
}

static enum err unknown(struct errctx *ec, const char *text)
{
	return err_set(ec, ERR_NOT_FOUND, "There is nothing with the id %1 here.", text, NULL, NULL);
}

/* All records whose counter is `counter`. */
static enum err by_counter(struct errctx *ec, struct store *s, uint64_t counter, uint32_t kind, struct dots *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_by_counter);

	NEED(st);
	sqlite3_bind_int64(st, 1, (int64_t)counter);
	sqlite3_bind_int64(st, 2, kind);
	return dots_of(ec, s, st, out);
}

enum err store_find(struct errctx *ec, struct store *s, const char *text, uint32_t kind, struct dot *out)
{
	size_t digits = strspn(text, "0123456789");
	size_t len = strlen(text);
	struct dots list = { 0 };
	struct dot match = { 0 };
	size_t found = 0;
	char whole[DOT_TEXT_LEN];
	enum err e = ERR_OK;

	if (digits == 0 || digits > 12 || (text[digits] != '\0' && text[digits] != '-') || len >= DOT_TEXT_LEN)
		return unknown(ec, text);
	e = by_counter(ec, s, strtoull(text, NULL, 10), kind, &list);
	for (size_t i = 0; e == ERR_OK && i < list.n; i++) {
		dot_text(list.d[i], whole);
		if (text[digits] == '\0' || strncasecmp(whole, text, len) == 0) {
			match = list.d[i];
			found++;
		}
	}
	if (e == ERR_OK && found == 0 && text[digits] == '\0') {
		dots_free(&list);
		e = kind == 0 ? ERR_OK : store_of_kind(ec, s, kind, 0, &list);
		for (size_t i = 0; e == ERR_OK && i < list.n; i++) {
			dot_text(list.d[i], whole);
			if (strncmp(whole, text, len) == 0) {
				match = list.d[i];
				found++;
			}
		}
	}
	dots_free(&list);
	if (e != ERR_OK)
		return e;
	*out = match;
	return found == 0 ? unknown(ec, text) : found > 1 ? ambiguous(ec, text) : ERR_OK;
}

/* --- search --- */

#define SEARCH_WORDS_MAX 64 /* FTS5 takes seconds over a whole page that was pasted */

/* Is there anything in a word that the index would keep? */
static bool is_word(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (isalnum((unsigned char)p[i]) || (unsigned char)p[i] >= 0x80)
			return true;
	}
	return false;
}

/* Every word in quotes with a star: a prefix each, and none of FTS5's own syntax gets through. */
static enum err prefix_put(const char *word, size_t len, struct buf *out)
{
	enum err e = buf_put_str(out, "{title body} : \"");

	if (e == ERR_OK)
		e = buf_put(out, word, len);
	return e == ERR_OK ? buf_put_str(out, "\"*") : e;
}

/* The same, or a name that sounds like it; *any tells whether the word has a key. One with a hyphen has several, which
 * follow each other. */
static enum err sounding_put(const char *word, size_t len, struct buf *out, bool *any)
{
	struct buf keys = { 0 };
	enum err e = sounds_put((struct bytes){ (const uint8_t *)word, len }, &keys);

	if (e == ERR_OK)
		e = buf_put_str(out, out->len > 0 ? " AND (" : "(");
	if (e == ERR_OK)
		e = prefix_put(word, len, out);
	if (e == ERR_OK && keys.len > 0) {
		*any = true;
		e = buf_put_str(out, " OR sound : \"");
		if (e == ERR_OK)
			e = buf_put(out, keys.data, keys.len);
		if (e == ERR_OK)
			e = buf_put_str(out, "\"");
	}
	buf_free(&keys);
	return e == ERR_OK ? buf_put_str(out, ")") : e;
}

/* What FTS5 is asked for; *any as above. */
static enum err match_of(const char *words, bool sounding, struct buf *out, bool *any)
{
	size_t n = 0;
	enum err e = ERR_OK;

	*any = false;
	for (const char *p = words; e == ERR_OK && *p != '\0' && n < SEARCH_WORDS_MAX;) {
		size_t len = strcspn(p, " \t\n\"");

		if (is_word(p, len)) {
			n++;
			if (!sounding && out->len > 0)
				e = buf_put_byte(out, ' ');
			if (e == ERR_OK)
				e = sounding ? sounding_put(p, len, out, any) : prefix_put(p, len, out);
		}
		p += len + (p[len] != '\0');
	}
	return e == ERR_OK ? buf_terminate(out) : e;
}

void store_hits_free(struct hit *hits, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(hits[i].snippet);
	free(hits);
}

static bool has_hit(const struct hit *hits, size_t count, struct dot id)
{
	for (size_t i = 0; i < count; i++) {
		if (dot_cmp(hits[i].id, id) == 0)
			return true;
	}
	return false;
}

struct hits {
	struct hit *list;
	size_t n;
	size_t cap;
};

/* Appends what a search statement finds and is not there yet, up to `limit` in all. */
static enum err hits_add(struct errctx *ec, struct store *s, sqlite3_stmt *st, unsigned limit, struct hits *out)
{
	bool row = false;
	enum err e = ERR_OK;

	while (out->n < limit && (e = step(ec, s, st, &row)) == ERR_OK && row) {
		const char *snippet = (const char *)sqlite3_column_text(st, 2);
		struct hit h = { .kind = (uint32_t)sqlite3_column_int64(st, 1) };

		if ((e = dot_of(ec, s, sqlite3_column_int64(st, 0), &h.id)) != ERR_OK)
			break;
		if (has_hit(out->list, out->n, h.id))
			continue;
		if ((e = list_grow((void **)&out->list, out->n, &out->cap, sizeof(*out->list))) != ERR_OK)
			break;
		h.snippet = strdup(snippet == NULL ? "" : snippet);
		if (h.snippet == NULL) {
			e = ERR_NO_MEMORY;
			break;
		}
		out->list[out->n++] = h;
	}
	sqlite3_reset(st);
	return e;
}

/* First what is written like the words, then what sounds like them. */
enum err store_search(struct errctx *ec, struct store *s, const char *words, uint32_t kind, unsigned limit,
                      struct hit **out, size_t *count)
{
	static const enum statement statements[] = { ST_search, ST_search_sound };
	struct hits hits = { 0 };
	enum err e = ERR_OK;

	for (int pass = 0; pass < 2 && e == ERR_OK && hits.n < limit; pass++) {
		struct buf match = { 0 };
		sqlite3_stmt *st = NULL;
		bool any = false;

		e = match_of(words, pass == 1, &match, &any);
		if (e == ERR_OK && match.len > 0 && (pass == 0 || any)) {
			st = stmt(ec, s, statements[pass]);
			e = st == NULL ? ERR_IO : ERR_OK;
		}
		if (st != NULL) {
			bind_text(st, 1, (const char *)match.data);
			sqlite3_bind_int64(st, 2, kind);
			/* those that the first pass found may come first again */
			sqlite3_bind_int64(st, 3, (int64_t)limit + (int64_t)hits.n);
			e = hits_add(ec, s, st, limit, &hits);
			sqlite3_clear_bindings(st);
		}
		buf_free(&match);
	}
	if (e != ERR_OK) {
		store_hits_free(hits.list, hits.n);
		hits = (struct hits){ 0 };
	}
	*out = hits.list;
	*count = hits.n;
	return e;
}

/* --- the dump --- */

struct entry {
	struct dot id;
	struct buf state;
};

static int entry_cmp(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;

	return dot_cmp(x->id, y->id);
}

enum err store_dump(struct errctx *ec, struct store *s, int64_t space, struct buf *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_record_of_space);
	struct entry *list = NULL;
	size_t n = 0;
	size_t cap = 0;
	bool row = false;
	enum err e = ERR_OK;

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		if ((e = list_grow((void **)&list, n, &cap, sizeof(*list))) != ERR_OK)
			break;
		list[n] = (struct entry){ 0 };
		n++;
		if ((e = dot_of(ec, s, sqlite3_column_int64(st, 0), &list[n - 1].id)) != ERR_OK ||
		    (e = buf_put(&list[n - 1].state, column_bytes(st, 1).data, column_bytes(st, 1).len)) != ERR_OK)
			break;
	}
	sqlite3_reset(st);
	if (n > 1)
		qsort(list, n, sizeof(*list), entry_cmp);
	for (size_t i = 0; i < n; i++) {
		if (e == ERR_OK)
			e = buf_put(out, list[i].state.data, list[i].state.len);
		buf_free(&list[i].state);
	}
	free(list);
	return e;
}
