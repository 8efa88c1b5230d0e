// SPDX-License-Identifier: EUPL-1.2
// Contacts. What belongs to one action is one transaction. Nobody who asked not to be reached gets a reminder.
#include "app/contacts.h"

#include <string.h>

#include "app/dates.h"
#include "app/drafts.h"
#include "app/residents.h"
#include "app/within.h"

/* A contact as it is being written: its fields with what they refer to looked up. */
struct entry {
	struct editor ed;
	struct loaded earlier; /* what it follows */
	bool follows;
};

static enum err from_service_put(struct editor *ed, const struct contact_fields *f)
{
	struct loaded service = { 0 };
	enum err e = ERR_OK;

	if (f->from_service == NULL || f->from_service[0] == '\0') {
		if (f->from_service != NULL)
			editor_ref(ed, F_contact_from_service, (struct dot){ 0 });
		return ERR_OK;
	}
	if (f->who != NULL && strcmp(f->who, "dienst") != 0)
		return err_set(ed->ec, ERR_USAGE, "An organisation sent the resident only where who is \"dienst\".",
		               NULL, NULL, NULL);
	e = within_load(ed->ec, ed->app, f->from_service, KIND_service, &service);
	if (e == ERR_OK) {
		editor_ref(ed, F_contact_from_service, service.record.id);
		editor_id(ed, F_contact_who, "who", LIST_who, "dienst");
	}
	store_loaded_free(&service);
	return e;
}

static enum err resident_put(struct editor *ed, int64_t space, const char *nick)
{
	struct dot id = { 0 };
	enum err e = ERR_OK;

	if (nick == NULL)
		return ERR_OK;
	if (nick[0] != '\0')
		e = resident_named(ed->ec, ed->app, space, nick, &id);
	if (e == ERR_OK)
		editor_ref(ed, F_contact_resident, id);
	return e;
}

/* May the resident of this contact be reached? The one that is being written, else the one that stands. */
static bool may_remind(struct editor *ed, int64_t space, const char *nick)
{
	struct dot id = { 0 };
	bool never = false;

	if (nick == NULL && ed->old != NULL)
		id = shown_ref(ed->old, F_contact_resident);
	else if (nick != NULL && nick[0] != '\0' &&
	         store_resident_by_nick(NULL, ed->app->store, space, nick, &id) != ERR_OK)
		return true;
	resident_nick(&ed->pool, ed->app, id, &never);
	return !never;
}

static enum err follow_up_put(struct editor *ed, int64_t space, const struct contact_fields *f)
{
	const char *when = f->follow_up;
	int64_t day = NO_DAY;
	enum err e = ERR_OK;

	if (when == NULL)
		return ERR_OK;
	if (strcmp(when, "done") == 0) {
		if (ed->old == NULL || shown_day(ed->old, F_contact_follow_up) == NO_DAY)
			return err_set(ed->ec, ERR_USAGE, "There is no follow-up here that could be done.", NULL, NULL,
			               NULL);
		editor_bool(ed, F_contact_follow_up_done, true);
		return ERR_OK;
	}
	if (when[0] != '\0' && strcmp(when, "none") != 0) {
		e = day_parse(ed->ec, "follow-up", when, app_today(ed->app), &day);
		if (e == ERR_OK && !may_remind(ed, space, f->resident))
			e = err_set(ed->ec, ERR_REFUSED,
			            "This resident asked not to be reached, so no reminder is kept. Change how they "
			            "may be reached first.",
			            NULL, NULL, NULL);
	}
	if (e == ERR_OK) {
		editor_day(ed, F_contact_follow_up, day);
		editor_bool(ed, F_contact_follow_up_done, false);
	}
	return e;
}

static enum err date_put(struct editor *ed, const char *date)
{
	int64_t day = app_today(ed->app);
	enum err e = ERR_OK;

	if (date == NULL && ed->old != NULL)
		return ERR_OK;
	if (date != NULL)
		e = day_parse(ed->ec, "date", date, day, &day);
	if (e == ERR_OK)
		editor_day(ed, F_contact_date, day);
	return e;
}

/* The earlier contact must be of the same circle, and another one. */
static enum err follows_put(struct entry *n, int64_t space, const char *follows)
{
	struct editor *ed = &n->ed;
	enum err e = ERR_OK;

	if (follows == NULL)
		return ERR_OK;
	if (follows[0] == '\0') {
		editor_ref(ed, F_contact_follows, (struct dot){ 0 });
		return ERR_OK;
	}
	e = within_load(ed->ec, ed->app, follows, KIND_contact, &n->earlier);
	if (e != ERR_OK)
		return e;
	if (n->earlier.space != space)
		return err_set(ed->ec, ERR_USAGE, "%1 stands in another circle.", follows, NULL, NULL);
	if (ed->old != NULL && dot_cmp(ed->old->id, n->earlier.record.id) == 0)
		return err_set(ed->ec, ERR_USAGE, "A conversation cannot follow itself.", NULL, NULL, NULL);
	n->follows = true;
	editor_ref(ed, F_contact_follows, n->earlier.record.id);
	return ERR_OK;
}

/* Everything that may be refused, then the writes; inside a transaction. */
static enum err entry_write(struct entry *n, int64_t space, const struct contact_fields *f, struct dot *id)
{
	struct editor *ed = &n->ed;
	struct app *app = ed->app;
	struct errctx *ec = ed->ec;
	bool is_new = ed->old == NULL;
	enum err e = date_put(ed, f->date);

	editor_read_with(ed, &f->reading);
	editor_id(ed, F_contact_channel, "channel", LIST_channel, f->channel);
	editor_id(ed, F_contact_who, "who", LIST_who, f->who);
	editor_set(ed, F_contact_domains, "domain", LIST_domain, f->domains);
	editor_set(ed, F_contact_did, "did", LIST_did, f->did);
	editor_text(ed, F_contact_text, "text", f->text, BSN_REFUSED);
	if (e == ERR_OK)
		e = ed->failed;
	if (e == ERR_OK)
		e = from_service_put(ed, f);
	if (e == ERR_OK)
		e = follow_up_put(ed, space, f);
	if (e == ERR_OK)
		e = follows_put(n, space, f->follows);
	if (e == ERR_OK)
		e = resident_put(ed, space, f->resident);
	/* who is followed up is the same person, unless somebody else is named */
	if (e == ERR_OK && is_new && f->resident == NULL && n->follows &&
	    !dot_is_none(shown_ref(&n->earlier.record, F_contact_resident)))
		editor_ref(ed, F_contact_resident, shown_ref(&n->earlier.record, F_contact_resident));
	if (e != ERR_OK) {
		editor_free(ed);
		return e;
	}
	e = editor_write(ed, space, is_new ? KIND_contact : KIND_none, id);
	if (e == ERR_OK && n->follows && shown_day(&n->earlier.record, F_contact_follow_up) != NO_DAY) {
		struct editor done;

		editor_of(&done, app, ec, &n->earlier.record);
		editor_bool(&done, F_contact_follow_up_done, true);
		e = editor_write(&done, space, KIND_none, NULL);
	}
	return e == ERR_OK ? draft_forget(ec, app, f->draft) : e;
}

static enum err entry_save(struct entry *n, int64_t space, const struct contact_fields *f, struct dot *id)
{
	struct app *app = n->ed.app;
	struct errctx *ec = n->ed.ec;
	enum err e = store_begin(ec, app->store);

	if (e == ERR_OK)
		e = within_end(ec, app, entry_write(n, space, f, id));
	else
		editor_free(&n->ed);
	store_loaded_free(&n->earlier);
	return e;
}

enum err contact_make(struct errctx *ec, struct app *app, int64_t space, const struct contact_fields *f,
                      struct dot *out)
{
	struct entry n = { 0 };
	enum err e = ERR_OK;

	editor_new(&n.ed, app, ec);
	e = entry_write(&n, space, f, out);
	store_loaded_free(&n.earlier);
	return e;
}

enum err contact_add(struct errctx *ec, struct app *app, const char *circle, const struct contact_fields *f,
                     char out[static ID_TEXT_LEN])
{
	struct entry n = { 0 };
	struct dot id = { 0 };
	int64_t space = 0;
	enum err e = app_circle(ec, app, circle, &space);

	if (e != ERR_OK)
		return e;
	editor_new(&n.ed, app, ec);
	e = entry_save(&n, space, f, &id);
	if (e == ERR_OK)
		dot_text(id, out);
	return e;
}

enum err contact_edit(struct errctx *ec, struct app *app, const char *id, const struct contact_fields *f,
                      char out[static ID_TEXT_LEN])
{
	struct loaded l = { 0 };
	struct entry n = { 0 };
	enum err e = within_load(ec, app, id, KIND_contact, &l);

	if (e == ERR_OK) {
		dot_text(l.record.id, out);
		editor_of(&n.ed, app, ec, &l.record);
		e = entry_save(&n, l.space, f, NULL);
	}
	store_loaded_free(&l);
	return e;
}

static enum err view(struct app *app, struct pool *p, const struct loaded *l, struct contact *out)
{
	const struct record *r = &l->record;

	*out = (struct contact){
		.id = shown_id(p, r->id),
		.date = shown_day(r, F_contact_date),
		.channel = shown_text(p, r, F_contact_channel),
		.who = shown_text(p, r, F_contact_who),
		.from_service = shown_ref_id(p, r, F_contact_from_service),
		.domains = shown_set(p, r, F_contact_domains, LIST_domain),
		.did = shown_set(p, r, F_contact_did, LIST_did),
		.resident_id = shown_ref_id(p, r, F_contact_resident),
		.text = shown_text(p, r, F_contact_text),
		.follow_up = shown_day(r, F_contact_follow_up),
		.follow_up_done = shown_bool(r, F_contact_follow_up_done),
		.follows = shown_ref_id(p, r, F_contact_follows),
		.circle = within_space_name(p, app, l->space),
		.two = record_two_versions(r),
	};
	out->resident = resident_nick(p, app, shown_ref(r, F_contact_resident), &out->resident_never);
	out->resident_erased = out->resident == NULL && within_gone(app, shown_ref(r, F_contact_resident));
	out->follows_erased = within_gone(app, shown_ref(r, F_contact_follows));
	return shown_versions(p, app, r, &out->versions);
}

enum err contact_show(struct errctx *ec, struct app *app, const char *id, struct contact_list *out)
{
	struct loaded l = { 0 };
	enum err e = within_load(ec, app, id, KIND_contact, &l);

	*out = (struct contact_list){ 0 };
	if (e == ERR_OK) {
		out->item = pool_take(&out->pool, sizeof(*out->item));
		out->n = 1;
		e = out->item == NULL ? ERR_NO_MEMORY : view(app, &out->pool, &l, out->item);
	}
	store_loaded_free(&l);
	return within_pool(ec, &out->pool, e);
}

enum err contact_list_of(struct errctx *ec, struct app *app, const struct dots *ids, struct contact_list *out)
{
	enum err e = ERR_OK;

	*out = (struct contact_list){ 0 };
	if (ids->n == 0)
		return ERR_OK;
	out->item = pool_take(&out->pool, ids->n * sizeof(*out->item));
	e = out->item == NULL ? ERR_NO_MEMORY : ERR_OK;
	for (size_t i = 0; i < ids->n && e == ERR_OK; i++) {
		struct loaded l = { 0 };

		if (within_peek(app, ids->d[i], KIND_contact, &l)) {
			e = view(app, &out->pool, &l, &out->item[out->n++]);
			store_loaded_free(&l);
		}
	}
	return within_pool(ec, &out->pool, e);
}

enum err contact_list_some(struct errctx *ec, struct app *app, const struct contact_query *q, struct contact_list *out)
{
	struct dots ids = { 0 };
	int64_t space = 0;
	int64_t since = NO_DAY;
	enum err e = within_circle_filter(ec, app, q->circle, &space);

	*out = (struct contact_list){ 0 };
	if (e == ERR_OK && q->since != NULL)
		e = day_parse(ec, "since", q->since, app_today(app), &since);
	if (e == ERR_OK)
		e = store_contacts(ec, app->store, space, since, q->open, &ids);
	if (e == ERR_OK)
		e = contact_list_of(ec, app, &ids, out);
	dots_free(&ids);
	return e;
}

void contact_list_free(struct contact_list *list)
{
	pool_free(&list->pool);
	*list = (struct contact_list){ 0 };
}
