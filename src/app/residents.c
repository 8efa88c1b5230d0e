// SPDX-License-Identifier: EUPL-1.2
// Residents. A nickname is enough; two of one name in a circle would be mixed up, so the second is refused.
#include "app/residents.h"

#include <string.h>

#include "app/within.h"

static void fill(struct editor *ed, const struct resident_fields *f)
{
	editor_line(ed, F_resident_nick, "nick", f->nick, BSN_REFUSED);
	editor_id(ed, F_resident_reach, "reach", LIST_reach, f->reach);
	editor_line(ed, F_resident_number, "number", f->number, BSN_FINE);
	editor_line(ed, F_resident_language, "language", f->language, BSN_REFUSED);
	editor_text(ed, F_resident_note, "note", f->note, BSN_REFUSED);
}

enum err resident_nick_free(struct errctx *ec, struct app *app, int64_t space, const char *nick, struct dot self)
{
	struct dot other = { 0 };
	enum err e = ERR_OK;

	if (nick == NULL || nick[strspn(nick, " ")] == '\0')
		return err_set(ec, ERR_INPUT, "Give a name that you both know; a nickname is enough.", NULL, NULL,
		               NULL);
	e = store_resident_by_nick(NULL, app->store, space, nick, &other);
	if (e == ERR_NOT_FOUND || (e == ERR_OK && dot_cmp(other, self) == 0))
		return ERR_OK;
	if (e != ERR_OK)
		return store_resident_by_nick(ec, app->store, space, nick, &other);
	return err_set(ec, ERR_REFUSED, "There is a resident called %1 here already. Use another nickname.", nick, NULL,
	               NULL);
}

static enum err resident_new(struct errctx *ec, struct app *app, int64_t space, const struct resident_fields *f,
                             struct dot *out)
{
	struct editor ed;

	editor_new(&ed, app, ec);
	fill(&ed, f);
	return editor_write(&ed, space, KIND_resident, out);
}

enum err resident_add(struct errctx *ec, struct app *app, const char *circle, const struct resident_fields *f,
                      char out[static ID_TEXT_LEN])
{
	struct dot id = { 0 };
	int64_t space = 0;
	enum err e = app_circle(ec, app, circle, &space);

	if (e == ERR_OK)
		e = resident_nick_free(ec, app, space, f->nick, id);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e != ERR_OK)
		return e;
	e = within_end(ec, app, resident_new(ec, app, space, f, &id));
	if (e == ERR_OK)
		dot_text(id, out);
	return e;
}

enum err resident_edit(struct errctx *ec, struct app *app, const char *id, const struct resident_fields *f,
                       char out[static ID_TEXT_LEN])
{
	struct loaded l = { 0 };
	struct editor ed;
	enum err e = within_load(ec, app, id, KIND_resident, &l);

	if (e == ERR_OK && f->nick != NULL)
		e = resident_nick_free(ec, app, l.space, f->nick, l.record.id);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e == ERR_OK) {
		editor_of(&ed, app, ec, &l.record);
		fill(&ed, f);
		e = within_end(ec, app, editor_write(&ed, l.space, KIND_none, NULL));
	}
	if (e == ERR_OK)
		dot_text(l.record.id, out);
	store_loaded_free(&l);
	return e;
}

enum err resident_named(struct errctx *ec, struct app *app, int64_t space, const char *nick, struct dot *out)
{
	const struct resident_fields f = { .nick = nick };
	enum err e = check_line(ec, "resident", nick, BSN_REFUSED);

	if (e != ERR_OK)
		return e;
	e = store_resident_by_nick(NULL, app->store, space, nick, out);
	return e == ERR_NOT_FOUND ? resident_new(ec, app, space, &f, out) : e;
}

const char *resident_nick(struct pool *p, struct app *app, struct dot id, bool *never)
{
	struct loaded l = { 0 };
	struct bytes reach = { 0 };
	const char *nick = NULL;

	*never = false;
	if (!within_peek(app, id, KIND_resident, &l))
		return NULL;
	nick = shown_text(p, &l.record, F_resident_nick);
	*never =
	    record_text(&l.record, F_resident_reach, &reach) && reach.len == 4 && memcmp(reach.data, "niet", 4) == 0;
	store_loaded_free(&l);
	return nick;
}

static enum err view(struct app *app, struct pool *p, const struct loaded *l, struct resident *out)
{
	const struct record *r = &l->record;

	*out = (struct resident){
		.id = shown_id(p, r->id),
		.nick = shown_text(p, r, F_resident_nick),
		.reach = shown_text(p, r, F_resident_reach),
		.number = shown_text(p, r, F_resident_number),
		.language = shown_text(p, r, F_resident_language),
		.note = shown_text(p, r, F_resident_note),
		.circle = within_space_name(p, app, l->space),
		.two = record_two_versions(r),
	};
	return shown_versions(p, app, r, &out->versions);
}

enum err resident_show(struct errctx *ec, struct app *app, const char *id, struct resident_list *out)
{
	struct loaded l = { 0 };
	enum err e = within_load(ec, app, id, KIND_resident, &l);

	*out = (struct resident_list){ 0 };
	if (e == ERR_OK) {
		out->item = pool_take(&out->pool, sizeof(*out->item));
		out->n = 1;
		e = out->item == NULL ? ERR_NO_MEMORY : view(app, &out->pool, &l, out->item);
	}
	store_loaded_free(&l);
	return within_pool(ec, &out->pool, e);
}

/* Those of the ids that are here, but for `self`. */
static enum err views(struct app *app, const struct dots *ids, struct dot self, struct resident_list *out)
{
	enum err e = ERR_OK;

	if (ids->n == 0)
		return ERR_OK;
	out->item = pool_take(&out->pool, ids->n * sizeof(*out->item));
	e = out->item == NULL ? ERR_NO_MEMORY : ERR_OK;
	for (size_t i = 0; i < ids->n && e == ERR_OK; i++) {
		struct loaded l = { 0 };

		if (dot_cmp(ids->d[i], self) != 0 && within_peek(app, ids->d[i], KIND_resident, &l)) {
			e = view(app, &out->pool, &l, &out->item[out->n++]);
			store_loaded_free(&l);
		}
	}
	return e;
}

enum err resident_list_of(struct errctx *ec, struct app *app, const struct dots *ids, struct resident_list *out)
{
	*out = (struct resident_list){ 0 };
	return within_pool(ec, &out->pool, views(app, ids, (struct dot){ 0 }, out));
}

enum err resident_list_all(struct errctx *ec, struct app *app, const char *circle, struct resident_list *out)
{
	struct dots ids = { 0 };
	int64_t space = 0;
	enum err e = within_circle_filter(ec, app, circle, &space);

	*out = (struct resident_list){ 0 };
	if (e == ERR_OK)
		e = store_residents(ec, app->store, space, &ids);
	if (e == ERR_OK)
		e = views(app, &ids, (struct dot){ 0 }, out);
	dots_free(&ids);
	return within_pool(ec, &out->pool, e);
}

enum err resident_similar(struct errctx *ec, struct app *app, const char *id, struct resident_list *out)
{
	struct loaded l = { 0 };
	struct dots ids = { 0 };
	const char *nick = NULL;
	enum err e = within_load(ec, app, id, KIND_resident, &l);

	*out = (struct resident_list){ 0 };
	if (e == ERR_OK)
		nick = shown_text(&out->pool, &l.record, F_resident_nick);
	if (e == ERR_OK && nick != NULL)
		e = store_residents_sounding(ec, app->store, l.space, nick, &ids);
	if (e == ERR_OK)
		e = views(app, &ids, l.record.id, out);
	dots_free(&ids);
	store_loaded_free(&l);
	return within_pool(ec, &out->pool, e);
}

#define KEPT_NOT_SAME "notsame:"

/* "notsame:ID/" and the name as it was typed; what is kept under it says nothing. */
static const char *not_same_name(struct pool *p, struct dot id, const char *nick)
{
	struct buf b = { 0 };
	char text[ID_TEXT_LEN];
	const char *name = NULL;

	dot_text(id, text);
	if (buf_put_str(&b, KEPT_NOT_SAME) == ERR_OK && buf_put_str(&b, text) == ERR_OK &&
	    buf_put_str(&b, "/") == ERR_OK && buf_put_str(&b, nick) == ERR_OK)
		name = pool_text(p, buf_bytes(&b));
	buf_free(&b);
	return name;
}

/* Those whom nobody called somebody else. */
static enum err keep_maybe_same(struct errctx *ec, struct app *app, const char *nick, struct dots *ids, struct pool *p)
{
	size_t n = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < ids->n; i++) {
		struct buf nothing = { 0 };
		const char *name = not_same_name(p, ids->d[i], nick);

		if (name == NULL)
			return within_no_memory(ec);
		e = store_kept_get(NULL, app->store, 0, name, &nothing);
		if (e == ERR_NOT_FOUND) {
			ids->d[n++] = ids->d[i];
			e = ERR_OK;
		}
		buf_free(&nothing);
	}
	ids->n = n;
	return e;
}

enum err resident_sounding(struct errctx *ec, struct app *app, const char *circle, const char *nick,
                           struct resident_list *out)
{
	struct dots ids = { 0 };
	int64_t space = 0;
	enum err e = app_circle(ec, app, circle, &space);

	*out = (struct resident_list){ 0 };
	if (e == ERR_OK)
		e = check_line(ec, "resident", nick, BSN_REFUSED);
	if (e == ERR_OK)
		e = store_residents_sounding(ec, app->store, space, nick, &ids);
	if (e == ERR_OK)
		e = keep_maybe_same(ec, app, nick, &ids, &out->pool);
	if (e == ERR_OK)
		e = views(app, &ids, (struct dot){ 0 }, out);
	dots_free(&ids);
	return within_pool(ec, &out->pool, e);
}

enum err resident_not_same(struct errctx *ec, struct app *app, const char *id, const char *nick)
{
	struct loaded l = { 0 };
	struct pool p = { 0 };
	const uint8_t said = 1;
	const char *name = NULL;
	enum err e = within_load(ec, app, id, KIND_resident, &l);

	if (e == ERR_OK)
		e = check_line(ec, "resident", nick, BSN_REFUSED);
	if (e == ERR_OK)
		name = not_same_name(&p, l.record.id, nick);
	if (e == ERR_OK && name == NULL)
		e = within_no_memory(ec);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e == ERR_OK)
		e = within_end(ec, app, store_kept_put(ec, app->store, 0, name, (struct bytes){ &said, 1 }));
	store_loaded_free(&l);
	pool_free(&p);
	return e;
}

void resident_list_free(struct resident_list *list)
{
	pool_free(&list->pool);
	*list = (struct resident_list){ 0 };
}
