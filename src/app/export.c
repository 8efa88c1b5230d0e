// SPDX-License-Identifier: EUPL-1.2
// Everything of mine, record by record: memory does not grow with the log. What is told is a list of what may be told,
// so that a new kind of record is left out until somebody puts it in.
#include "app/export.h"

#include <stdlib.h>
#include <string.h>

#include "app/dates.h"
#include "app/links.h"
#include "app/within.h"
#include "base/codec.h"
#include "model/wire.h"

static const uint32_t kinds[EXPORT_KINDS] = { [EXPORT_RESIDENTS] = KIND_resident,
	                                      [EXPORT_CONTACTS] = KIND_contact,
	                                      [EXPORT_REFERRALS] = KIND_referral,
	                                      [EXPORT_SERVICES] = KIND_service };

/* --- spaces --- */

static const char *space_kind(enum space_kind kind)
{
	return kind == SPACE_OWN ? "own" : kind == SPACE_CIRCLE ? "circle" : "neighbourhood";
}

static int space_cmp(const void *a, const void *b)
{
	static const char *const order[] = { "circle", "own", "neighbourhood" };
	const struct export_space *x = a;
	const struct export_space *y = b;
	int c = 0;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && c == 0; i++)
		c = (strcmp(y->kind, order[i]) == 0) - (strcmp(x->kind, order[i]) == 0);
	if (c == 0)
		c = strcasecmp(x->name, y->name);
	return c != 0 ? c : strcmp(x->id, y->id);
}

static void space_view(struct app *app, struct pool *p, const struct space_row *row, struct export_space *out)
{
	char id[2 * SPACE_ID_LEN + 1];
	char of[SPACE_NAME_MAX + 1] = "";

	hex_put(row->id.b, SPACE_ID_LEN, id);
	if (row->kind == SPACE_CIRCLE && row->neighbourhood != 0)
		app_space_name(app, row->neighbourhood, of);
	*out = (struct export_space){ .id = pool_str(p, id),
		                      .name = pool_str(p, row->name),
		                      .kind = space_kind(row->kind),
		                      .neighbourhood = of[0] == '\0' ? NULL : pool_str(p, of),
		                      .n = row->n };
}

enum err export_spaces(struct errctx *ec, struct app *app, struct export_spaces *out)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, app->store, &list, &n);

	*out = (struct export_spaces){ 0 };
	if (e == ERR_OK)
		out->item = pool_take(&out->pool, n * sizeof(*out->item));
	for (size_t i = 0; e == ERR_OK && i < n && out->item != NULL; i++) {
		/* who only asked to join has nothing of that space */
		if (list[i].state != SPACE_MEMBER)
			continue;
		space_view(app, &out->pool, &list[i], &out->item[out->n]);
		if (list[i].kind == SPACE_OWN)
			out->me = out->item[out->n].name;
		out->n++;
	}
	free(list);
	e = within_pool(ec, &out->pool, e);
	if (e == ERR_OK && out->n > 1)
		qsort(out->item, out->n, sizeof(*out->item), space_cmp);
	return e;
}

void export_spaces_free(struct export_spaces *s)
{
	pool_free(&s->pool);
	*s = (struct export_spaces){ 0 };
}

/* --- which records, in which order --- */

static enum err in_order(struct errctx *ec, struct app *app, int64_t space, enum export_kind kind, struct dots *out)
{
	switch (kind) {
	case EXPORT_RESIDENTS:
		return store_residents(ec, app->store, space, out);
	case EXPORT_CONTACTS:
		return store_contacts(ec, app->store, space, NO_DAY, false, out);
	case EXPORT_REFERRALS:
		return store_referrals(ec, app->store, space, false, false, 0, out);
	default:
		return store_services(ec, app->store, space, out);
	}
}

enum err export_count(struct errctx *ec, struct app *app, const struct export_space *space, enum export_kind kind,
                      size_t *out)
{
	struct dots ids = { 0 };
	enum err e = in_order(ec, app, space->n, kind, &ids);

	*out = ids.n;
	dots_free(&ids);
	return e;
}

bool export_is_here(struct app *app, const struct export_space *space, const char *member)
{
	struct loaded l = { 0 };
	struct dot id = { 0 };
	bool here = dot_parse(member, &id) && within_peek(app, id, KIND_member, &l) && l.space == space->n;

	store_loaded_free(&l);
	return here;
}

/* --- the whole state of a record --- */

#define AUTHORS_MAX 64

/* Who is behind a device: asked for with every write, and mostly the same few. */
struct authors {
	struct device_id dev[AUTHORS_MAX];
	char name[AUTHORS_MAX][APP_NAME_MAX];
	size_t n;
};

struct walk {
	struct errctx *ec;
	struct app *app;
	const struct links *links;
	struct authors *authors;
	export_fn each;
	void *arg;
};

static const char *author_of(const struct walk *w, struct dot dot)
{
	struct authors *a = w->authors;
	size_t i = 0;

	while (i < a->n && device_cmp(a->dev[i], dot.dev) != 0)
		i++;
	if (i == a->n) {
		i = a->n < AUTHORS_MAX ? a->n++ : AUTHORS_MAX - 1;
		a->dev[i] = dot.dev;
		app_author(w->app, dot, a->name[i]);
	}
	return a->name[i];
}

static const char *raw_text(struct pool *p, struct bytes raw)
{
	char *hex = pool_take(p, 2 * raw.len + 1);

	if (hex != NULL)
		hex_put(raw.data, raw.len, hex);
	return hex;
}

/* Status, date and reason; false where the event has another shape (M3). */
static bool event_parts(struct pool *p, struct bytes event, struct export_head *out)
{
	struct wire_in in = wire_in(event);
	struct bytes status = { 0 };
	struct bytes reason = { 0 };
	int64_t date = 0;
	char text[DAY_TEXT_LEN];
	size_t n = 0;

	if (wire_get_array(&in, &n) != ERR_OK || n != 3 || wire_get_text(&in, &status) != ERR_OK ||
	    wire_get_int(&in, &date) != ERR_OK)
		return false;
	day_text(date, text);
	out->value = pool_take(p, 3 * sizeof(*out->value));
	if (out->value == NULL)
		return false;
	out->value[out->values++] = pool_text(p, status);
	out->value[out->values++] = pool_str(p, text);
	if (wire_get_text(&in, &reason) == ERR_OK)
		out->value[out->values++] = pool_text(p, reason);
	return true;
}

static enum err head_view(const struct walk *w, struct pool *p, const struct record *r, uint32_t tag,
                          const struct head *h, struct export_head *out)
{
	const struct field_def *def = schema_field(r->kind, tag);
	const struct stamp *by = &r->stamps[h->stamp];
	struct dot named = { 0 };
	enum err e = ERR_OK;

	*out = (struct export_head){ .edit = shown_id(p, by->dot),
		                     .author = pool_str(p, author_of(w, by->dot)),
		                     .at_ms = (int64_t)by->clock.ms };
	if (def == NULL || def->type == TYPE_BYTES) {
		out->raw = raw_text(p, h->value);
	} else if (tag_class(tag) == CLASS_EVENTS && event_retracts(h->value, &named)) {
		out->retract = shown_id(p, named);
	} else if (tag_class(tag) == CLASS_EVENTS) {
		if (!event_parts(p, h->value, out))
			out->raw = raw_text(p, h->value);
	} else if (tag_class(tag) == CLASS_SET) {
		out->value = pool_take(p, sizeof(*out->value));
		if (out->value != NULL && (out->value[0] = shown_value(p, def, h->value)) != NULL)
			out->values = 1;
		else
			out->raw = raw_text(p, h->value);
	} else {
		e = shown_values(p, def, tag, h->value, &out->value, &out->values);
	}
	return p->failed ? ERR_NO_MEMORY : e;
}

static enum err whole_view(const struct walk *w, struct pool *p, const struct record *r, struct export_whole *out)
{
	static const char *const merges[] = {
		[CLASS_REG] = "reg", [CLASS_TEXT] = "text", [CLASS_SET] = "set", [CLASS_EVENTS] = "events"
	};
	enum err e = ERR_OK;

	*out = (struct export_whole){ .field = pool_take(p, r->field_count * sizeof(*out->field)) };
	if (p->failed)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < r->field_count && e == ERR_OK; i++) {
		const struct field *f = &r->fields[i];
		struct export_field *to = &out->field[out->fields];

		if (tag_class(f->tag) == CLASS_ERASE)
			continue;
		out->fields++;
		*to = (struct export_field){ .field = shown_field(p, schema_field(r->kind, f->tag), f->tag),
			                     .merge = merges[tag_class(f->tag)],
			                     .head = pool_take(p, f->n * sizeof(*to->head)) };
		for (size_t k = 0; k < f->n && to->head != NULL && e == ERR_OK; k++)
			e = head_view(w, p, r, f->tag, &f->heads[k], &to->head[to->heads++]);
	}
	return p->failed ? ERR_NO_MEMORY : e;
}

/* --- one record after the other --- */

/* A record as the lists show it, with what belongs to it. */
struct view {
	struct resident_list residents;
	struct contact_list contacts;
	struct referral_list referrals;
	struct service_list services;
};

static void view_free(struct view *v)
{
	resident_list_free(&v->residents);
	contact_list_free(&v->contacts);
	referral_list_free(&v->referrals);
	service_list_free(&v->services);
}

static enum err contact_view(const struct walk *w, struct dot id, struct view *v, struct export_row *row)
{
	const struct dots one = { .d = &id, .n = 1 };
	size_t n = 0;
	const struct link *link = links_of(w->links, id, &n);
	struct dots ids = { .d = n == 0 ? NULL : calloc(n, sizeof(*ids.d)), .n = n };
	enum err e = n > 0 && ids.d == NULL ? within_no_memory(w->ec) : ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < n; i++)
		ids.d[i] = link[i].referral;
	if (e == ERR_OK)
		e = contact_list_of(w->ec, w->app, &one, &v->contacts);
	if (e == ERR_OK)
		e = referral_list_of(w->ec, w->app, &ids, &v->referrals);
	free(ids.d);
	row->contact = v->contacts.n == 1 ? v->contacts.item : NULL;
	row->referrals = &v->referrals;
	return e;
}

static enum err referral_view(const struct walk *w, const struct loaded *l, struct view *v, struct export_row *row)
{
	struct dot id = l->record.id;
	const struct dots one = { .d = &id, .n = 1 };
	struct loaded contact = { 0 };
	enum err e = referral_list_of(w->ec, w->app, &one, &v->referrals);

	row->alone = !within_peek(w->app, shown_ref(&l->record, F_referral_contact), KIND_contact, &contact);
	store_loaded_free(&contact);
	row->referral = v->referrals.n == 1 ? v->referrals.item : NULL;
	return e;
}

static enum err one_view(const struct walk *w, const struct loaded *l, struct view *v, struct export_row *row)
{
	struct dot id = l->record.id;
	const struct dots one = { .d = &id, .n = 1 };
	enum err e = ERR_OK;

	switch (row->kind) {
	case EXPORT_RESIDENTS:
		e = resident_list_of(w->ec, w->app, &one, &v->residents);
		row->resident = v->residents.item;
		return e;
	case EXPORT_CONTACTS:
		return contact_view(w, l->record.id, v, row);
	case EXPORT_REFERRALS:
		return referral_view(w, l, v, row);
	default:
		e = service_list_of(w->ec, w->app, &one, &v->services);
		row->service = v->services.item;
		return e;
	}
}

static enum err one(const struct walk *w, struct dot id, struct export_row *row)
{
	struct loaded l = { 0 };
	struct view v = { 0 };
	struct pool pool = { 0 };
	struct export_whole whole = { 0 };
	enum err e = ERR_OK;

	if (!within_peek(w->app, id, kinds[row->kind], &l))
		return ERR_OK;
	e = within_pool(w->ec, &pool, whole_view(w, &pool, &l.record, &whole));
	row->whole = &whole;
	if (e == ERR_OK)
		e = one_view(w, &l, &v, row);
	if (e == ERR_OK)
		e = w->each(w->arg, row);
	view_free(&v);
	pool_free(&pool);
	store_loaded_free(&l);
	return e;
}

enum err export_each(struct errctx *ec, struct app *app, const struct export_space *space, enum export_kind kind,
                     export_fn each, void *arg)
{
	struct links links = { 0 };
	struct authors *authors = calloc(1, sizeof(*authors));
	const struct walk w = { .ec = ec, .app = app, .links = &links, .authors = authors, .each = each, .arg = arg };
	struct dots ids = { 0 };
	enum err e = authors == NULL ? within_no_memory(ec) : in_order(ec, app, space->n, kind, &ids);

	if (e == ERR_OK && kind == EXPORT_CONTACTS)
		e = links_read(ec, app, space->n, &links);
	for (size_t i = 0; i < ids.n && e == ERR_OK; i++) {
		struct export_row row = { .kind = kind, .space = space };

		e = one(&w, ids.d[i], &row);
	}
	links_free(&links);
	dots_free(&ids);
	free(authors);
	return e;
}
