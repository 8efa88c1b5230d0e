// SPDX-License-Identifier: EUPL-1.2
// Plain tables and the search index: what queries need of a record, and nothing that cannot be made again from it.
#include <stdlib.h>
#include <string.h>

#include "model/sounds.h"
#include "store/inside.h"

/* The shown text of a field in a search entry, with a space before it. */
static enum err add_text(struct buf *out, const struct record *r, uint32_t tag)
{
	struct bytes text = { 0 };
	enum err e = ERR_OK;

	for (size_t n = 0; e == ERR_OK && record_kept_text(r, tag, n, &text); n++) {
		if (out->len > 0)
			e = buf_put_byte(out, ' ');
		if (e == ERR_OK)
			e = buf_put(out, text.data, text.len);
	}
	return e;
}

static enum err add_texts(struct buf *out, const struct record *r, const uint32_t *tags, size_t count)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < count; i++)
		e = add_text(out, r, tags[i]);
	return e;
}

static void bind_bytes_text(sqlite3_stmt *st, int i, struct bytes b)
{
	sqlite3_bind_text64(st, i, b.len == 0 ? "" : (const char *)b.data, b.len, SQLITE_STATIC, SQLITE_UTF8);
}

static void bind_field_text(sqlite3_stmt *st, int i, const struct record *r, uint32_t tag)
{
	struct bytes text = { 0 };

	if (!record_text(r, tag, &text))
		text = (struct bytes){ 0 };
	bind_bytes_text(st, i, text);
}

/* The key of the record that a field refers to; 0 for none or one that nobody here has heard of. */
static enum err ref_key(struct errctx *ec, struct store *s, const struct record *r, uint32_t tag, int64_t *out)
{
	struct dot ref = { 0 };
	enum err e = ERR_OK;

	*out = 0;
	if (!record_ref(r, tag, &ref))
		return ERR_OK;
	e = key_find(ec, s, ref, out);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* What of a record is searched. */
struct entry {
	struct buf title;
	struct buf body;
	struct buf sound; /* keys of names */
};

static void bind_entry(sqlite3_stmt *st, int64_t key, const struct entry *entry)
{
	sqlite3_bind_int64(st, 1, key);
	bind_bytes_text(st, 2, buf_bytes(&entry->title));
	bind_bytes_text(st, 3, buf_bytes(&entry->body));
	bind_bytes_text(st, 4, buf_bytes(&entry->sound));
}

/* Most edits change nothing that is searched, and an entry costs more than all the rest of an edit. */
static enum err is_searched_so(struct errctx *ec, struct store *s, int64_t key, const struct entry *entry, bool *same)
{
	sqlite3_stmt *st = stmt(ec, s, ST_search_same);
	bool row = false;
	enum err e = ERR_OK;

	NEED(st);
	bind_entry(st, key, entry);
	e = step(ec, s, st, &row);
	*same = e == ERR_OK && row && sqlite3_column_int(st, 0) != 0;
	sqlite3_reset(st);
	return e;
}

static enum err put_search(struct errctx *ec, struct store *s, int64_t key, const struct entry *entry, bool fresh)
{
	sqlite3_stmt *st = NULL;
	bool same = false;
	enum err e = ERR_OK;

	if (!fresh) {
		e = is_searched_so(ec, s, key, entry, &same);
		if (e != ERR_OK || same)
			return e;
		st = stmt(ec, s, ST_search_delete);
		NEED(st);
		sqlite3_bind_int64(st, 1, key);
		e = run(ec, s, st);
	}
	if (e != ERR_OK || (entry->title.len == 0 && entry->body.len == 0))
		return e;
	st = stmt(ec, s, ST_search_put);
	NEED(st);
	bind_entry(st, key, entry);
	return run(ec, s, st);
}

static enum err nick_of(struct errctx *ec, struct store *s, int64_t resident, struct buf *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_nick_get);
	bool row = false;
	enum err e = ERR_OK;

	NEED(st);
	sqlite3_bind_int64(st, 1, resident);
	e = step(ec, s, st, &row);
	if (e == ERR_OK && row)
		e = buf_put(out, column_bytes(st, 0).data, column_bytes(st, 0).len);
	sqlite3_reset(st);
	return e;
}

static enum err project_contact(struct errctx *ec, struct store *s, int64_t space, int64_t key, const struct record *r,
                                struct entry *entry)
{
	int64_t date = 0;
	int64_t follow_up = 0;
	int64_t resident = 0;
	int64_t follows = 0;
	bool done = false;
	bool open = record_int(r, F_contact_follow_up, &follow_up);
	sqlite3_stmt *st = NULL;
	enum err e = ref_key(ec, s, r, F_contact_resident, &resident);

	if (e == ERR_OK)
		e = ref_key(ec, s, r, F_contact_follows, &follows);
	if (e != ERR_OK)
		return e;
	(void)record_int(r, F_contact_date, &date);
	if (record_bool(r, F_contact_follow_up_done, &done) && done)
		open = false;
	st = stmt(ec, s, ST_contact_put);
	NEED(st);
	sqlite3_bind_int64(st, 1, key);
	sqlite3_bind_int64(st, 2, space);
	sqlite3_bind_int64(st, 3, date);
	sqlite3_bind_int64(st, 4, resident);
	if (open)
		sqlite3_bind_int64(st, 5, follow_up);
	sqlite3_bind_int64(st, 6, follows);
	e = run(ec, s, st);
	if (e == ERR_OK && resident != 0)
		e = nick_of(ec, s, resident, &entry->title);
	if (e == ERR_OK)
		e = sounds_put(buf_bytes(&entry->title), &entry->sound);
	return e != ERR_OK ? e : add_text(&entry->body, r, F_contact_text);
}

static enum err project_referral(struct errctx *ec, struct store *s, int64_t space, int64_t key, const struct record *r,
                                 struct entry *entry)
{
	struct event *events = NULL;
	size_t n = 0;
	int64_t contact = 0;
	bool sent = false;
	int64_t sent_on = 0;
	sqlite3_stmt *st = NULL;
	enum err e = ref_key(ec, s, r, F_referral_contact, &contact);

	if (e == ERR_OK)
		e = record_events(r, F_referral_status, &events, &n);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < n && !sent; i++) {
		sent = events[i].status.len == 9 && memcmp(events[i].status.data, "verstuurd", 9) == 0;
		sent_on = events[i].date;
	}
	st = stmt(ec, s, ST_referral_put);
	if (st == NULL) {
		free(events);
		return ERR_IO;
	}
	sqlite3_bind_int64(st, 1, key);
	sqlite3_bind_int64(st, 2, space);
	sqlite3_bind_int64(st, 3, contact);
	bind_field_text(st, 4, r, F_referral_code);
	bind_bytes_text(st, 5, n > 0 ? events[n - 1].status : (struct bytes){ 0 });
	sqlite3_bind_int64(st, 6, n > 0 ? events[n - 1].date : 0);
	if (sent)
		sqlite3_bind_int64(st, 7, sent_on);
	e = run(ec, s, st);
	free(events);
	if (e == ERR_OK)
		e = add_text(&entry->title, r, F_referral_service_name);
	return e != ERR_OK ? e : add_text(&entry->body, r, F_referral_text);
}

static enum err project_service(struct errctx *ec, struct store *s, int64_t space, int64_t key, const struct record *r,
                                struct entry *entry)
{
	static const uint32_t titles[] = { F_service_name, F_service_organisation };
	static const uint32_t bodies[] = { F_service_description, F_service_eligibility, F_service_documents,
		                           F_service_application, F_service_phone,       F_service_email,
		                           F_service_address,     F_service_hours,       F_service_note };
	sqlite3_stmt *st = stmt(ec, s, ST_service_put);
	enum err e = ERR_OK;

	NEED(st);
	sqlite3_bind_int64(st, 1, key);
	sqlite3_bind_int64(st, 2, space);
	bind_field_text(st, 3, r, F_service_name);
	bind_field_text(st, 4, r, F_service_source);
	e = run(ec, s, st);
	if (e == ERR_OK)
		e = add_texts(&entry->title, r, titles, 2);
	return e != ERR_OK ? e : add_texts(&entry->body, r, bodies, sizeof(bodies) / sizeof(bodies[0]));
}

/* A new nick changes the search entries of the conversations with this resident. */
static enum err reproject_contacts(struct errctx *ec, struct store *s, int64_t resident)
{
	sqlite3_stmt *st = stmt(ec, s, ST_contacts_of_resident);
	int64_t *keys = NULL;
	size_t n = 0;
	size_t cap = 0;
	bool row = false;
	enum err e = ERR_OK;

	NEED(st);
	sqlite3_bind_int64(st, 1, resident);
	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		if ((e = list_grow((void **)&keys, n, &cap, sizeof(*keys))) != ERR_OK)
			break;
		keys[n++] = sqlite3_column_int64(st, 0);
	}
	sqlite3_reset(st);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct loaded l;

		e = load_key(ec, s, keys[i], &l);
		if (e == ERR_OK)
			e = project(ec, s, l.space, keys[i], &l.record, false);
		store_loaded_free(&l);
	}
	free(keys);
	return e;
}

static enum err project_resident(struct errctx *ec, struct store *s, int64_t space, int64_t key, const struct record *r,
                                 struct entry *entry)
{
	static const uint32_t bodies[] = { F_resident_number, F_resident_note };
	struct buf around = { 0 };
	sqlite3_stmt *st = NULL;
	enum err e = add_text(&entry->title, r, F_resident_nick);

	if (e == ERR_OK)
		e = sounds_put(buf_bytes(&entry->title), &entry->sound);
	if (e == ERR_OK)
		e = buf_put_byte(&around, ' ');
	if (e == ERR_OK)
		e = buf_put(&around, entry->sound.data, entry->sound.len);
	if (e == ERR_OK) {
		st = stmt(ec, s, ST_resident_put);
		e = st == NULL ? ERR_IO : ERR_OK;
	}
	if (e == ERR_OK) {
		sqlite3_bind_int64(st, 1, key);
		sqlite3_bind_int64(st, 2, space);
		bind_field_text(st, 3, r, F_resident_nick);
		bind_bytes_text(st, 4, buf_bytes(&around));
		e = run(ec, s, st);
	}
	buf_free(&around);
	return e != ERR_OK ? e : add_texts(&entry->body, r, bodies, 2);
}

/* What is erased leaves every plain table. */
enum err unproject(struct errctx *ec, struct store *s, int64_t key)
{
	static const enum statement deletes[] = { ST_contact_delete, ST_referral_delete, ST_service_delete,
		                                  ST_resident_delete, ST_search_delete };
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < sizeof(deletes) / sizeof(deletes[0]); i++) {
		sqlite3_stmt *st = stmt(ec, s, deletes[i]);

		NEED(st);
		sqlite3_bind_int64(st, 1, key);
		e = run(ec, s, st);
	}
	return e;
}

/* The row that a record has in the table of its kind, if any. */
static enum err plain_delete(struct errctx *ec, struct store *s, int64_t key, uint32_t kind)
{
	static const struct {
		uint32_t kind;
		enum statement delete;
	} tables[] = { { KIND_contact, ST_contact_delete },
		       { KIND_referral, ST_referral_delete },
		       { KIND_service, ST_service_delete },
		       { KIND_resident, ST_resident_delete } };
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < sizeof(tables) / sizeof(tables[0]); i++) {
		sqlite3_stmt *st = NULL;

		if (tables[i].kind != kind)
			continue;
		st = stmt(ec, s, tables[i].delete);
		NEED(st);
		sqlite3_bind_int64(st, 1, key);
		e = run(ec, s, st);
	}
	return e;
}

enum err project(struct errctx *ec, struct store *s, int64_t space, int64_t key, const struct record *r, bool fresh)
{
	struct entry entry = { 0 };
	bool searched = true;
	enum err e = ERR_OK;

	if (record_is_erased(r))
		return unproject(ec, s, key);
	e = plain_delete(ec, s, key, r->kind);
	if (e != ERR_OK)
		return e;
	switch (r->kind) {
	case KIND_contact:
		e = project_contact(ec, s, space, key, r, &entry);
		break;
	case KIND_referral:
		e = project_referral(ec, s, space, key, r, &entry);
		break;
	case KIND_service:
		e = project_service(ec, s, space, key, r, &entry);
		break;
	case KIND_resident:
		e = project_resident(ec, s, space, key, r, &entry);
		break;
	default:
		searched = false;
	}
	if (e == ERR_OK && searched)
		e = put_search(ec, s, key, &entry, fresh);
	if (e == ERR_OK && r->kind == KIND_resident && !fresh)
		e = reproject_contacts(ec, s, key);
	buf_free(&entry.title);
	buf_free(&entry.body);
	buf_free(&entry.sound);
	return e;
}

enum err project_again(struct errctx *ec, struct store *s)
{
	sqlite3_stmt *st = stmt(ec, s, ST_record_keys);
	int64_t *keys = NULL;
	size_t n = 0;
	size_t cap = 0;
	bool row = false;
	enum err e = ERR_OK;

	NEED(st);
	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		if ((e = list_grow((void **)&keys, n, &cap, sizeof(*keys))) != ERR_OK)
			break;
		keys[n++] = sqlite3_column_int64(st, 0);
	}
	sqlite3_reset(st);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct loaded l;

		e = load_key(ec, s, keys[i], &l);
		if (e == ERR_OK)
			e = project(ec, s, l.space, keys[i], &l.record, true);
		store_loaded_free(&l);
	}
	free(keys);
	return e;
}

enum err store_project_again(struct errctx *ec, struct store *s)
{
	static const enum statement clears[] = { ST_contact_clear, ST_referral_clear, ST_service_clear,
		                                 ST_resident_clear, ST_search_clear };
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < sizeof(clears) / sizeof(clears[0]); i++) {
		sqlite3_stmt *st = stmt(ec, s, clears[i]);

		NEED(st);
		e = run(ec, s, st);
	}
	return e == ERR_OK ? project_again(ec, s) : e;
}
