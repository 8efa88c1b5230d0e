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
	sqlite3_stmt *st = stmt(ec, s, kind == KIND_contact ? ST_record_contacts : ST_record_of_kind);

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

enum err store_contacts_old(struct errctx *ec, struct store *s, int64_t space, int64_t until_day, uint64_t *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_contacts_old);
	bool row = false;
	enum err e = ERR_OK;

	*out = 0;
	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	sqlite3_bind_int64(st, 2, until_day);
	e = step(ec, s, st, &row);
	if (e == ERR_OK && row)
		*out = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return e;
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

enum err store_contacts_of(struct errctx *ec, struct store *s, struct dot resident, struct dots *out)
{
	sqlite3_stmt *st = NULL;
	int64_t key = 0;
	enum err e = key_find(ec, s, resident, &key);

	*out = (struct dots){ 0 };
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	st = stmt(ec, s, ST_contacts_of_resident);
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

enum where { WRITTEN, IN_TITLES, SOUNDING };

/* Every word in quotes with a star: a prefix each, and none of FTS5's own syntax gets through. */
static enum err prefix_put(const char *word, size_t len, enum where where, struct buf *out)
{
	enum err e = buf_put_str(out, where == IN_TITLES ? "{title} : \"" : "{title body} : \"");

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
		e = prefix_put(word, len, SOUNDING, out);
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
static enum err match_of(const char *words, enum where where, struct buf *out, bool *any)
{
	size_t n = 0;
	enum err e = ERR_OK;

	*any = false;
	for (const char *p = words; e == ERR_OK && *p != '\0' && n < SEARCH_WORDS_MAX;) {
		size_t len = strcspn(p, " \t\n\"");

		if (is_word(p, len)) {
			n++;
			if (where != SOUNDING && out->len > 0)
				e = buf_put_byte(out, ' ');
			if (e == ERR_OK)
				e = where == SOUNDING ? sounding_put(p, len, out, any) : prefix_put(p, len, where, out);
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

/* Appends it unless it is there; takes its snippet, also when it fails. */
static enum err hits_move(struct hits *out, struct hit *h)
{
	enum err e = ERR_OK;

	if (!has_hit(out->list, out->n, h->id))
		e = list_grow((void **)&out->list, out->n, &out->cap, sizeof(*out->list));
	else
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		out->list[out->n++] = *h;
	else
		free(h->snippet);
	h->snippet = NULL;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Appends what a search statement finds and is not there yet, up to `limit` in all. */
static enum err hits_take(struct errctx *ec, struct store *s, sqlite3_stmt *st, unsigned limit, struct hits *out)
{
	bool row = false;
	enum err e = ERR_OK;

	while (out->n < limit && (e = step(ec, s, st, &row)) == ERR_OK && row) {
		const char *snippet = (const char *)sqlite3_column_text(st, 2);
		struct hit h = { .kind = (uint32_t)sqlite3_column_int64(st, 1) };

		if ((e = dot_of(ec, s, sqlite3_column_int64(st, 0), &h.id)) != ERR_OK)
			break;
		h.snippet = strdup(snippet == NULL ? "" : snippet);
		if (h.snippet == NULL)
			e = ERR_NO_MEMORY;
		else
			e = hits_move(out, &h);
		if (e != ERR_OK)
			break;
	}
	return e;
}

static enum err hits_add(struct errctx *ec, struct store *s, sqlite3_stmt *st, unsigned limit, struct hits *out)
{
	enum err e = hits_take(ec, s, st, limit, out);

	sqlite3_reset(st);
	return e;
}

/* SQL: whether more is wanted of a row than that it is there. Asked at each step. */
static void wanted(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct store *s = sqlite3_user_data(ctx);

	(void)n;
	(void)args;
	sqlite3_result_int(ctx, s->wanted);
}

enum err query_start(struct errctx *ec, struct store *s)
{
	return sqlite3_create_function(s->db, "wanted", 0, SQLITE_UTF8 | SQLITE_DIRECTONLY, s, wanted, NULL, NULL) ==
	               SQLITE_OK
	           ? ERR_OK
	           : failed(ec, s);
}

void query_end(struct store *s)
{
	(void)sqlite3_create_function(s->db, "wanted", 0, SQLITE_UTF8 | SQLITE_DIRECTONLY, NULL, NULL, NULL, NULL);
}

/* More than so many are not ranked: that takes 2 us each, and says little of words that are nearly everywhere. */
#define RANKED_MAX 500

static enum err ranked(struct errctx *ec, struct store *s, enum statement which, const struct buf *match, uint32_t kind,
                       unsigned limit, struct hits *out)
{
	sqlite3_stmt *st = stmt(ec, s, which);
	enum err e = ERR_OK;

	NEED(st);
	bind_text(st, 1, (const char *)match->data);
	sqlite3_bind_int64(st, 2, kind);
	/* those that the first pass found may come first again */
	sqlite3_bind_int64(st, 3, (int64_t)limit + (int64_t)out->n);
	e = hits_add(ec, s, st, limit, out);
	sqlite3_clear_bindings(st);
	return e;
}

static enum err unranked(struct errctx *ec, struct store *s, enum statement which, const struct buf *match,
                         unsigned limit, struct hits *out)
{
	sqlite3_stmt *st = stmt(ec, s, which);
	enum err e = ERR_OK;

	NEED(st);
	bind_text(st, 1, (const char *)match->data);
	sqlite3_bind_int64(st, 2, (int64_t)limit + (int64_t)out->n);
	e = hits_add(ec, s, st, limit, out);
	sqlite3_clear_bindings(st);
	return e;
}

/* The newest `limit` of what fits; *broad tells whether more than RANKED_MAX do. One statement for both, since FTS5
 * goes through all the words that a prefix fits each time it is asked. */
static enum err newest(struct errctx *ec, struct store *s, enum statement which, const struct buf *match,
                       unsigned limit, struct hits *out, bool *broad)
{
	sqlite3_stmt *st = stmt(ec, s, which);
	bool row = true;
	size_t n = 0;
	enum err e = ERR_OK;

	NEED(st);
	bind_text(st, 1, (const char *)match->data);
	sqlite3_bind_int64(st, 2, RANKED_MAX + 1 > limit ? RANKED_MAX + 1 : (int64_t)limit);
	s->wanted = true;
	e = hits_take(ec, s, st, limit, out);
	s->wanted = false;
	n = out->n;
	row = n == limit;
	while (e == ERR_OK && row && n <= RANKED_MAX && (e = step(ec, s, st, &row)) == ERR_OK && row)
		n++;
	*broad = n > RANKED_MAX;
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return e;
}

/* Found nearly everywhere: first those who are called so, then the newest. */
static enum err named(struct errctx *ec, struct store *s, const char *words, unsigned limit, struct hits *out)
{
	struct buf titles = { 0 };
	bool any = false;
	enum err e = match_of(words, IN_TITLES, &titles, &any);

	if (e == ERR_OK)
		e = unranked(ec, s, ST_search_named, &titles, limit, out);
	buf_free(&titles);
	return e;
}

static enum err search_all(struct errctx *ec, struct store *s, const char *words, const struct buf *match,
                           bool sounding, unsigned limit, struct hits *out)
{
	struct hits recent = { 0 };
	bool broad = false;
	enum err e = newest(ec, s, sounding ? ST_search_newest_sound : ST_search_newest, match, limit, &recent, &broad);

	if (e == ERR_OK && broad && !sounding)
		e = named(ec, s, words, limit, out);
	for (size_t i = 0; e == ERR_OK && broad && i < recent.n && out->n < limit; i++)
		e = hits_move(out, &recent.list[i]);
	store_hits_free(recent.list, recent.n);
	if (e != ERR_OK || broad)
		return e;
	return ranked(ec, s, sounding ? ST_search_sound : ST_search, match, KIND_none, limit, out);
}

static enum err search_pass(struct errctx *ec, struct store *s, const char *words, bool sounding, uint32_t kind,
                            unsigned limit, struct hits *out)
{
	struct buf match = { 0 };
	bool any = false;
	enum err e = match_of(words, sounding ? SOUNDING : WRITTEN, &match, &any);

	if (e != ERR_OK || match.len == 0 || (sounding && !any))
		goto done;
	if (kind == KIND_none)
		e = search_all(ec, s, words, &match, sounding, limit, out);
	else if (kind != KIND_service)
		e = ranked(ec, s, sounding ? ST_search_sound : ST_search, &match, kind, limit, out);
	else if (!sounding) /* nothing in a service is found by its sound */
		e = unranked(ec, s, ST_search_services, &match, limit, out);
done:
	buf_free(&match);
	return e;
}

/* First what is written like the words, then what sounds like them. */
enum err store_search(struct errctx *ec, struct store *s, const char *words, uint32_t kind, unsigned limit,
                      struct hit **out, size_t *count)
{
	struct hits hits = { 0 };
	enum err e = search_pass(ec, s, words, false, kind, limit, &hits);

	if (e == ERR_OK && hits.n < limit)
		e = search_pass(ec, s, words, true, kind, limit, &hits);
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
