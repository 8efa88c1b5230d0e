// SPDX-License-Identifier: EUPL-1.2
// The directory. Coordinators edit it (K4); everyone may mark an entry right or wrong.
#include "app/services.h"

#include <string.h>

#include "app/dates.h"
#include "app/within.h"

enum err service_may_edit(struct errctx *ec, struct app *app, int64_t space)
{
	struct space_row row = { 0 };
	struct device_row device = { 0 };
	struct loaded me = { 0 };
	struct pool pool = { 0 };
	struct words roles = { 0 };
	bool yes = false;
	enum err e = store_space_get(ec, app->store, space, &row);

	if (e == ERR_OK)
		e = store_device_by_id(ec, app->store, row.me, &device);
	if (e == ERR_OK && within_peek(app, device.member, KIND_member, &me)) {
		roles = shown_set(&pool, &me.record, F_member_role, LIST_role);
		yes = words_have(&roles, "coordinator");
		store_loaded_free(&me);
	}
	e = within_pool(ec, &pool, e == ERR_NOT_FOUND ? ERR_OK : e);
	pool_free(&pool);
	if (e == ERR_OK && !yes)
		e = app_unread(ec, app);
	if (e != ERR_OK || yes)
		return e;
	return err_set(ec, ERR_REFUSED,
	               "Only a coordinator changes the directory. You can mark an entry right or wrong: service check.",
	               NULL, NULL, NULL);
}

static enum err checked_on_put(struct editor *ed, const char *date)
{
	int64_t day = NO_DAY;
	enum err e = ERR_OK;

	if (date == NULL)
		return ERR_OK;
	if (date[0] != '\0')
		e = day_parse(ed->ec, "checked_on", date, app_today(ed->app), &day);
	if (e == ERR_OK)
		editor_day(ed, F_service_checked_on, day);
	return e;
}

static enum err entry_put(struct editor *ed, const struct directory_entry *e)
{
	editor_line(ed, F_service_name, "name", e->name, BSN_FINE);
	editor_line(ed, F_service_organisation, "organisation", e->organisation, BSN_FINE);
	editor_id(ed, F_service_kind, "kind", LIST_service_kind, e->kind);
	editor_id(ed, F_service_group, "group", LIST_group, e->group);
	editor_set(ed, F_service_domains, "domain", LIST_domain, e->domains);
	editor_text(ed, F_service_description, "description", e->description, BSN_FINE);
	editor_text(ed, F_service_eligibility, "eligibility", e->eligibility, BSN_FINE);
	editor_text(ed, F_service_documents, "documents", e->documents, BSN_FINE);
	editor_text(ed, F_service_application, "application", e->application, BSN_FINE);
	editor_line(ed, F_service_phone, "phone", e->phone, BSN_FINE);
	editor_line(ed, F_service_email, "email", e->email, BSN_FINE);
	editor_line(ed, F_service_website, "website", e->website, BSN_FINE);
	editor_line(ed, F_service_address, "address", e->address, BSN_FINE);
	editor_text(ed, F_service_hours, "hours", e->hours, BSN_FINE);
	editor_set(ed, F_service_languages, "language", LIST_none, e->languages);
	editor_line(ed, F_service_cost, "cost", e->cost, BSN_FINE);
	editor_line(ed, F_service_source, "source", e->source, BSN_FINE);
	return ed->failed != ERR_OK ? ed->failed : checked_on_put(ed, e->checked_on);
}

enum err service_fields_put(struct editor *ed, const struct service_fields *f)
{
	struct loaded earlier = { 0 };
	const char *name = f->entry.name;
	enum err e = ERR_OK;

	if (ed->old == NULL ? name == NULL || name[strspn(name, " ")] == '\0' : name != NULL && name[0] == '\0')
		return err_set(ed->ec, ERR_INPUT, "Give the name of the organisation.", NULL, NULL, NULL);
	e = entry_put(ed, &f->entry);
	editor_text(ed, F_service_note, "note", f->note, BSN_FINE);
	if (e == ERR_OK && f->successor_of != NULL) {
		if (f->successor_of[0] != '\0')
			e = within_load(ed->ec, ed->app, f->successor_of, KIND_service, &earlier);
		if (e == ERR_OK)
			editor_ref(ed, F_service_successor_of, earlier.record.id);
		store_loaded_free(&earlier);
	}
	return e != ERR_OK ? e : ed->failed;
}

/* Fills and writes, inside a transaction. */
static enum err fields_write(struct editor *ed, int64_t space, const struct service_fields *f, struct dot *id)
{
	enum err e = service_fields_put(ed, f);

	if (e != ERR_OK) {
		editor_free(ed);
		return e;
	}
	return editor_write(ed, space, ed->old == NULL ? KIND_service : KIND_none, id);
}

enum err service_add(struct errctx *ec, struct app *app, const struct service_fields *f, char out[static ID_TEXT_LEN])
{
	struct editor ed;
	struct dot id = { 0 };
	int64_t space = 0;
	enum err e = app_neighbourhood(ec, app, &space);

	if (e == ERR_OK)
		e = service_may_edit(ec, app, space);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e != ERR_OK)
		return e;
	editor_new(&ed, app, ec);
	e = within_end(ec, app, fields_write(&ed, space, f, &id));
	if (e == ERR_OK)
		dot_text(id, out);
	return e;
}

enum err service_edit(struct errctx *ec, struct app *app, const char *id, const struct service_fields *f,
                      char out[static ID_TEXT_LEN])
{
	struct loaded l = { 0 };
	struct editor ed;
	enum err e = within_load(ec, app, id, KIND_service, &l);

	if (e == ERR_OK)
		e = service_may_edit(ec, app, l.space);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e == ERR_OK) {
		editor_of(&ed, app, ec, &l.record);
		e = within_end(ec, app, fields_write(&ed, l.space, f, NULL));
	}
	if (e == ERR_OK)
		dot_text(l.record.id, out);
	store_loaded_free(&l);
	return e;
}

enum err service_check(struct errctx *ec, struct app *app, const char *id, const char *wrong,
                       char out[static ID_TEXT_LEN])
{
	struct loaded l = { 0 };
	struct editor ed;
	enum err e = within_load(ec, app, id, KIND_service, &l);

	if (e == ERR_OK && wrong != NULL && wrong[strspn(wrong, " ")] == '\0')
		e = err_set(ec, ERR_INPUT, "Say in a few words what is wrong.", NULL, NULL, NULL);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e == ERR_OK) {
		editor_of(&ed, app, ec, &l.record);
		editor_line(&ed, F_service_wrong, "wrong", wrong == NULL ? "" : wrong, BSN_FINE);
		if (wrong == NULL)
			editor_day(&ed, F_service_checked_on, app_today(app));
		e = within_end(ec, app, editor_write(&ed, l.space, KIND_none, NULL));
	}
	if (e == ERR_OK)
		dot_text(l.record.id, out);
	store_loaded_free(&l);
	return e;
}

static enum staleness staleness(int64_t checked_on, int64_t today)
{
	if (checked_on == NO_DAY)
		return STALE_NEVER_CHECKED;
	if (day_add_months(checked_on, VERY_STALE_MONTHS) <= today)
		return STALE_VERY_OLD;
	return day_add_months(checked_on, STALE_MONTHS) <= today ? STALE_OLD : STALE_NOT;
}

static enum err view(struct app *app, struct pool *p, const struct loaded *l, struct service *out)
{
	const struct record *r = &l->record;

	*out = (struct service){
		.id = shown_id(p, r->id),
		.name = shown_text(p, r, F_service_name),
		.organisation = shown_text(p, r, F_service_organisation),
		.kind = shown_text(p, r, F_service_kind),
		.group = shown_text(p, r, F_service_group),
		.domains = shown_set(p, r, F_service_domains, LIST_domain),
		.description = shown_text(p, r, F_service_description),
		.eligibility = shown_text(p, r, F_service_eligibility),
		.documents = shown_text(p, r, F_service_documents),
		.application = shown_text(p, r, F_service_application),
		.phone = shown_text(p, r, F_service_phone),
		.email = shown_text(p, r, F_service_email),
		.website = shown_text(p, r, F_service_website),
		.address = shown_text(p, r, F_service_address),
		.hours = shown_text(p, r, F_service_hours),
		.languages = shown_set(p, r, F_service_languages, LIST_none),
		.cost = shown_text(p, r, F_service_cost),
		.checked_on = shown_day(r, F_service_checked_on),
		.wrong = shown_text(p, r, F_service_wrong),
		.note = shown_text(p, r, F_service_note),
		.successor_of = shown_ref_id(p, r, F_service_successor_of),
		.source = shown_text(p, r, F_service_source),
		.two = record_two_versions(r),
	};
	out->stale = staleness(out->checked_on, app_today(app));
	if (out->checked_on != NO_DAY)
		out->checked_by = shown_author(p, app, r, F_service_checked_on);
	return shown_versions(p, app, r, &out->versions);
}

enum err service_show(struct errctx *ec, struct app *app, const char *id, struct service_list *out)
{
	struct loaded l = { 0 };
	enum err e = within_load(ec, app, id, KIND_service, &l);

	*out = (struct service_list){ 0 };
	if (e == ERR_OK) {
		out->item = pool_take(&out->pool, sizeof(*out->item));
		out->n = 1;
		e = out->item == NULL ? ERR_NO_MEMORY : view(app, &out->pool, &l, out->item);
	}
	store_loaded_free(&l);
	return within_pool(ec, &out->pool, e);
}

static enum err add_one(struct app *app, struct dot id, struct service_list *out)
{
	struct loaded l = { 0 };
	enum err e = ERR_OK;

	if (within_peek(app, id, KIND_service, &l)) {
		e = view(app, &out->pool, &l, &out->item[out->n++]);
		store_loaded_free(&l);
	}
	return e;
}

enum err service_list_of(struct errctx *ec, struct app *app, const struct dots *ids, struct service_list *out)
{
	enum err e = ERR_OK;

	*out = (struct service_list){ 0 };
	out->item = pool_take(&out->pool, ids->n * sizeof(*out->item));
	for (size_t i = 0; i < ids->n && e == ERR_OK && out->item != NULL; i++)
		e = add_one(app, ids->d[i], out);
	return within_pool(ec, &out->pool, e);
}

enum err service_list_all(struct errctx *ec, struct app *app, struct service_list *out)
{
	struct dots ids = { 0 };
	int64_t space = 0;
	enum err e = app_neighbourhood(ec, app, &space);

	*out = (struct service_list){ 0 };
	if (e == ERR_OK)
		e = store_services(ec, app->store, space, &ids);
	if (e == ERR_OK)
		e = service_list_of(ec, app, &ids, out);
	dots_free(&ids);
	return e;
}

enum err service_search(struct errctx *ec, struct app *app, const char *words, unsigned limit, struct service_list *out)
{
	struct hit *hits = NULL;
	size_t count = 0;
	enum err e = check_text(ec, "search", words, BSN_FINE);

	*out = (struct service_list){ 0 };
	if (e == ERR_OK)
		e = store_search(ec, app->store, words, KIND_service, limit, &hits, &count);
	if (e != ERR_OK)
		return e;
	out->item = pool_take(&out->pool, count * sizeof(*out->item));
	for (size_t i = 0; i < count && e == ERR_OK && out->item != NULL; i++)
		e = add_one(app, hits[i].id, out);
	store_hits_free(hits, count);
	return within_pool(ec, &out->pool, e);
}

void service_list_free(struct service_list *list)
{
	pool_free(&list->pool);
	*list = (struct service_list){ 0 };
}
