// SPDX-License-Identifier: EUPL-1.2
// Members, and those who ask to be: who they are, letting in, and whose six words were compared.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/again.h"
#include "app/spaces.h"
#include "app/sync_of.h"
#include "app/within.h"
#include "base/codec.h"
#include "model/draft.h"
#include "store/store.h"
#include "sync/claims.h"
#include "sync/floor.h"
#include "sync/join.h"
#include "sync/own.h"
#include "sync/rebox.h"
#include "sync/rejoin.h"
#include "sync/resting.h"

struct member_list {
	struct member_view *v;
	size_t n;
	size_t cap;
};

static enum err member_add(struct member_list *l, struct member_view **out)
{
	if (l->n == l->cap) {
		size_t cap = l->cap == 0 ? 8 : 2 * l->cap;
		struct member_view *v = realloc(l->v, cap * sizeof(*v));

		if (v == NULL)
			return ERR_NO_MEMORY;
		l->v = v;
		l->cap = cap;
	}
	*out = &l->v[l->n++];
	**out = (struct member_view){ 0 };
	return ERR_OK;
}

void app_members_free(struct member_view *list, size_t count)
{
	for (size_t i = 0; list != NULL && i < count; i++) {
		free(list[i].devices);
	}
	free(list);
}

static void roles_text(const struct record *r, char *out, size_t size)
{
	struct bytes text = { 0 };
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; record_element_text(r, F_member_role, i, &text); i++) {
		/* everybody is a member; only what goes beyond it is said */
		if (text.len == 6 && memcmp(text.data, "member", 6) == 0)
			continue;
		at += (size_t)snprintf(out + at, at < size ? size - at : 0, "%s%.*s", at > 0 ? "," : "", (int)text.len,
		                       (const char *)text.data);
		if (at >= size)
			return;
	}
	if (at == 0)
		snprintf(out, size, "member");
}

/* --- whom one has met: in the own space --- */

#define MET_NAME_LEN (4 + 2 * SPACE_ID_LEN + 1 + DOT_TEXT_LEN)

/* One statement: a setting of the own space with the member's name there, and the hex of what the words were made of.
 */
struct met_row {
	struct dot setting;
	char name[MET_NAME_LEN];
	char value[2 * FINGERPRINT_LEN + 1];
};

struct met_list {
	int64_t own; /* the space */
	struct met_row *row;
	size_t n;
};

static void met_name(const struct space_row *space, struct dot person, char out[static MET_NAME_LEN])
{
	char id[2 * SPACE_ID_LEN + 1];
	char dot[DOT_TEXT_LEN];

	hex_put(space->id.b, SPACE_ID_LEN, id);
	dot_text(person, dot);
	snprintf(out, MET_NAME_LEN, "met:%s:%s", id, dot);
}

static bool copy_text(const struct record *r, uint32_t tag, char *out, size_t size)
{
	struct bytes t = { 0 };

	if (!record_text(r, tag, &t) || t.len >= size)
		return false;
	memcpy(out, t.data, t.len);
	out[t.len] = '\0';
	return true;
}

static enum err met_load(struct errctx *ec, struct app *app, struct met_list *out)
{
	struct sync y = sync_of(app);
	struct space_row own;
	struct dots ids = { 0 };
	enum err e = own_space(ec, &y, &own);

	*out = (struct met_list){ 0 };
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	out->own = own.n;
	e = store_of_kind(ec, app->store, KIND_setting, own.n, &ids);
	if (e == ERR_OK) {
		out->row = calloc(ids.n + 1, sizeof(*out->row));
		e = out->row == NULL ? ERR_NO_MEMORY : ERR_OK;
	}
	for (size_t i = 0; e == ERR_OK && i < ids.n; i++) {
		struct met_row *row = &out->row[out->n];
		struct loaded l;

		e = store_load(ec, app->store, ids.d[i], &l);
		if (e != ERR_OK)
			break;
		row->setting = ids.d[i];
		out->n += copy_text(&l.record, F_setting_name, row->name, sizeof(row->name)) &&
		          strncmp(row->name, "met:", 4) == 0 &&
		          copy_text(&l.record, F_setting_value, row->value, sizeof(row->value));
		store_loaded_free(&l);
	}
	dots_free(&ids);
	return e;
}

static const struct met_row *met_find(const struct met_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->row[i].name, name) == 0)
			return &list->row[i];
	}
	return NULL;
}

/* Two devices of one person may each have said so, of the same words or of others: one that fits is enough. */
static void met_look(const struct met_list *list, const struct space_row *space, struct dot person,
                     struct member_view *v)
{
	char name[MET_NAME_LEN];
	char now[2 * FINGERPRINT_LEN + 1];

	met_name(space, person, name);
	hex_put(v->fingerprint, FINGERPRINT_LEN, now);
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->row[i].name, name) != 0)
			continue;
		v->met = v->met || strcmp(list->row[i].value, now) == 0;
		v->words_changed = true;
	}
	v->words_changed = v->words_changed && !v->met;
}

/* --- the list --- */

static const char *status_text(enum device_state s)
{
	return s == DEVICE_RESTING ? "resting" : s == DEVICE_REMOVED ? "removed" : "member";
}

static void iso_day(int64_t ms, char out[static 11])
{
	char at[APP_UTC_LEN];

	app_utc(ms, at);
	snprintf(out, 11, "%.10s", at);
}

/* One device: how it stands, since when, and when it was heard of. */
static enum err device_look(struct errctx *ec, struct app *app, const struct space_row *space, const struct claim *c,
                            const struct record_log *log, struct member_device *out)
{
	struct sync y = sync_of(app);
	struct device_row row;
	struct bundle b;
	int64_t day = 0;
	bool rests = false;
	enum err e = store_device_by_id(ec, app->store, c->dev, &row);

	bundle_get(c->bundle, &b);
	device_text(c->dev, out->id);
	out->me = device_cmp(c->dev, space->me) == 0;
	out->sheet = (b.incarnation & INCARNATION_PAPER) != 0;
	for (size_t i = 0; i < log->n; i++)
		if (dot_cmp(log->item[i].edit.dot, c->edit) == 0)
			iso_day((int64_t)log->item[i].edit.clock.ms, out->since);
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e == ERR_OK && !out->me)
		e = device_is_resting(ec, &y, &row, &rests);
	if (e == ERR_OK && !out->me)
		e = device_seen_day(ec, &y, c->dev, &day);
	out->quiet = -1;
	if (e == ERR_OK && !out->me)
		e = device_quiet_days(ec, &y, c->dev, &out->quiet);
	if (day > 0)
		iso_day(day * 24 * 60 * 60 * 1000, out->heard);
	strcpy(out->status, status_text(rests && !out->sheet ? DEVICE_RESTING : row.state));
	return e;
}

static enum err member_devices(struct errctx *ec, struct app *app, const struct space_row *space,
                               const struct claims *people, struct dot person, struct member_view *v)
{
	const struct claim *claim = NULL;
	size_t n = claims_devices(people, person, &claim);
	struct record_log log = { 0 };
	bool any = false;
	enum err e = store_log_of(ec, app->store, person, &log);

	strcpy(v->status, "member");
	v->devices = calloc(n + 1, sizeof(*v->devices));
	if (v->devices == NULL)
		e = ERR_NO_MEMORY;
	(void)claims_fingerprint(people, person, v->fingerprint);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct member_device *d = &v->devices[v->device_count++];

		e = device_look(ec, app, space, &claim[i], &log, d);
		v->me = v->me || d->me;
		/* one device that takes part is a member who does */
		if (d->status[0] != '\0' && (!any || strcmp(d->status, "member") == 0))
			strcpy(v->status, d->status);
		any = any || d->status[0] != '\0';
	}
	store_log_free(&log);
	return e;
}

struct member_space {
	const struct space_row *space;
	struct claims people;
	const struct met_list *met;
};

static enum err member_of(struct errctx *ec, struct app *app, const struct member_space *in, struct dot person,
                          struct member_list *all)
{
	struct member_view *v = NULL;
	struct loaded l;
	enum err e = ERR_OK;

	if (claims_nobody(&in->people, person)) /* two let the same one in: it stands under the other record */
		return ERR_OK;
	e = store_load(ec, app->store, person, &l);
	if (e != ERR_OK)
		return e;
	e = member_add(all, &v);
	if (e == ERR_OK) {
		dot_text(person, v->id);
		(void)copy_text(&l.record, F_member_name, v->name, sizeof(v->name));
		snprintf(v->space, sizeof(v->space), "%s", in->space->name);
		v->own = in->space->kind == SPACE_OWN;
		roles_text(&l.record, v->role, sizeof(v->role));
		e = member_devices(ec, app, in->space, &in->people, person, v);
		met_look(in->met, in->space, person, v);
	}
	store_loaded_free(&l);
	return e;
}

static enum err members_of(struct errctx *ec, struct app *app, const struct space_row *space,
                           const struct met_list *met, struct member_list *all)
{
	struct sync y = sync_of(app);
	struct member_space in = { .space = space, .met = met };
	struct dots ids = { 0 };
	enum err e = claims_load(ec, &y, space, &in.people);

	if (e == ERR_OK)
		e = store_of_kind(ec, app->store, KIND_member, space->n, &ids);
	for (size_t k = 0; e == ERR_OK && k < ids.n; k++)
		e = member_of(ec, app, &in, ids.d[k], all);
	dots_free(&ids);
	claims_free(&in.people);
	return e;
}

/* Whoever asks here to be let in. */
static enum err requests_of(struct errctx *ec, struct app *app, const char *space, struct member_list *all)
{
	struct sync y = sync_of(app);
	struct request_row *list = NULL;
	size_t n = 0;
	enum err e = request_list(ec, &y, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct member_view *v = NULL;

		if (space != NULL && list[i].invited && strcasecmp(space, list[i].space) != 0)
			continue;
		e = member_add(all, &v);
		if (e != ERR_OK)
			break;
		memcpy(v->id, list[i].id, sizeof(list[i].id));
		snprintf(v->name, sizeof(v->name), "%s", list[i].nick);
		snprintf(v->space, sizeof(v->space), "%s", list[i].space);
		strcpy(v->status, "requested");
		strcpy(v->role, "member");
		v->device = list[i].device;
		memcpy(v->fingerprint, list[i].words, FINGERPRINT_LEN);
	}
	free(list);
	return e;
}

/* What one asked for oneself, where there are words to be read to somebody. */
static enum err own_requests(struct errctx *ec, struct app *app, const char *space, struct member_list *all)
{
	struct asked_view *list = NULL;
	char nick[APP_NAME_MAX];
	size_t n = 0;
	enum err e = app_own_name(ec, app, nick);

	if (e == ERR_OK)
		e = app_asked(ec, app, &list, &n);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct member_view *v = NULL;

		if (!list[i].compare || (space != NULL && strcasecmp(space, list[i].space) != 0))
			continue;
		e = member_add(all, &v);
		if (e != ERR_OK)
			break;
		hex_put(list[i].fingerprint, INVITATION_ID_LEN, v->id);
		snprintf(v->name, sizeof(v->name), "%s", nick);
		snprintf(v->space, sizeof(v->space), "%s", list[i].space);
		strcpy(v->status, "requested");
		strcpy(v->role, "member");
		v->device = list[i].device;
		v->me = true;
		memcpy(v->fingerprint, list[i].fingerprint, FINGERPRINT_LEN);
	}
	free(list);
	return e;
}

/* One of a person who is in: `v` has its id, words and what it wants. */
static void comer_fill(struct app *app, const struct space_row *space, struct dot person, struct member_view *v)
{
	struct loaded l;

	strcpy(v->status, "requested");
	strcpy(v->role, "member");
	snprintf(v->space, sizeof(v->space), "%s", space->name);
	if (store_load(NULL, app->store, person, &l) != ERR_OK)
		return;
	(void)copy_text(&l.record, F_member_name, v->name, sizeof(v->name));
	roles_text(&l.record, v->role, sizeof(v->role));
	store_loaded_free(&l);
}

/* Devices that were away so long that they lack the keys. */
static enum err reboxes_of(struct errctx *ec, struct app *app, const struct space_row *space, struct member_list *all)
{
	struct sync y = sync_of(app);
	struct rebox_row *list = NULL;
	size_t n = 0;
	enum err e = rebox_list(ec, &y, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct member_view *v = NULL;
		struct bundle b;

		if (list[i].space != space->n)
			continue;
		e = member_add(all, &v);
		if (e != ERR_OK)
			break;
		snprintf(v->id, sizeof(v->id), "%s", list[i].id);
		v->keys = true;
		bundle_get(list[i].said.bundle, &b);
		bundle_fingerprint(&b, v->fingerprint);
		comer_fill(app, space, list[i].person, v);
	}
	free(list);
	return e;
}

/* Devices that want to come back from a backup. */
static enum err rejoins_of(struct errctx *ec, struct app *app, const struct space_row *space, struct member_list *all)
{
	struct sync y = sync_of(app);
	struct rejoin_row *list = NULL;
	size_t n = 0;
	enum err e = rejoin_list(ec, &y, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct member_view *v = NULL;
		char at[24];

		if (list[i].space != space->n)
			continue;
		e = member_add(all, &v);
		if (e != ERR_OK)
			break;
		snprintf(v->id, sizeof(v->id), "%s", list[i].id);
		app_utc(list[i].made_day * 24 * 60 * 60 * 1000, at);
		snprintf(v->backup, sizeof(v->backup), "%.10s", at);
		bundle_fingerprint(&list[i].bundle, v->fingerprint);
		comer_fill(app, space, list[i].person, v);
	}
	free(list);
	return e;
}

/* One's own space is shown where another computer is in it, or was: to be able to name that. */
static void own_alone(struct member_list *all, size_t from)
{
	size_t computers = 0;

	for (size_t i = from; i < all->n; i++)
		for (size_t k = 0; k < all->v[i].device_count; k++)
			computers += !all->v[i].devices[k].sheet;
	while (computers < 2 && all->n > from)
		free(all->v[--all->n].devices);
}

enum err app_members(struct errctx *ec, struct app *app, const char *space, struct member_view **out, size_t *count)
{
	struct member_list all = { 0 };
	struct met_list met = { 0 };
	struct space_row *list = NULL;
	bool any = space == NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, app->store, &list, &n);

	if (e == ERR_OK)
		e = met_load(ec, app, &met);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		size_t from = all.n;

		if (space != NULL && (list[i].kind == SPACE_OWN || strcasecmp(space, list[i].name) != 0))
			continue;
		if (list[i].state == SPACE_GONE)
			continue;
		any = true;
		e = members_of(ec, app, &list[i], &met, &all);
		if (list[i].kind == SPACE_OWN)
			own_alone(&all, from);
		if (e == ERR_OK)
			e = rejoins_of(ec, app, &list[i], &all);
		if (e == ERR_OK)
			e = reboxes_of(ec, app, &list[i], &all);
	}
	free(list);
	free(met.row);
	if (e == ERR_OK && !any)
		e = err_set(ec, ERR_NOT_FOUND, "You are not in a circle or neighbourhood called %1.", space, NULL,
		            NULL);
	if (e == ERR_OK)
		e = requests_of(ec, app, space, &all);
	if (e == ERR_OK)
		e = own_requests(ec, app, space, &all);
	if (e != ERR_OK) {
		app_members_free(all.v, all.n);
		all = (struct member_list){ 0 };
	}
	*out = all.v;
	*count = all.n;
	return e;
}

/* --- letting in, and meeting --- */

static enum err request_find(struct errctx *ec, struct app *app, const char *id, struct request_row *out)
{
	struct sync y = sync_of(app);
	struct request_row *list = NULL;
	size_t n = 0;
	size_t matches = 0;
	enum err e = request_list(ec, &y, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		if (strncmp(list[i].id, id, strlen(id)) == 0) {
			*out = list[i];
			matches++;
		}
	}
	free(list);
	if (e == ERR_OK && matches == 0)
		e = err_set(ec, ERR_NOT_FOUND, "Nobody with the id %1 asks to join. See member list.", id, NULL, NULL);
	if (e == ERR_OK && matches > 1)
		e = err_set(ec, ERR_USAGE, "More than one record starts with %1. Type a few more characters.", id, NULL,
		            NULL);
	return e;
}

enum err app_approve(struct errctx *ec, struct app *app, const char *id, const char *name, char *out)
{
	struct sync y = sync_of(app);
	struct request_row chosen = { 0 };
	struct space_row neighbourhood = { 0 };
	int64_t space = 0;
	bool again = false;
	enum err e = within_not_restored(ec, app);

	if (e == ERR_OK)
		e = again_approve(ec, app, id, out, &again);
	if (e == ERR_OK && again)
		return ERR_OK;
	if (e == ERR_OK)
		e = request_find(ec, app, id, &chosen);
	if (e == ERR_OK && !chosen.invited)
		e = app_neighbourhood(ec, app, &space);
	if (e == ERR_OK && !chosen.invited)
		e = store_space_get(ec, app->store, space, &neighbourhood);
	if (e == ERR_OK && name != NULL && (name[0] == '\0' || strlen(name) > SPACE_NAME_MAX))
		e = err_set(ec, ERR_INPUT, "A name has 1 to 120 characters.", NULL, NULL, NULL);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e != ERR_OK)
		return e;
	snprintf(out, APP_NAME_MAX, "%s", name != NULL ? name : chosen.nick[0] != '\0' ? chosen.nick : "?");
	e = request_approve(ec, &y, &neighbourhood, &chosen, name);
	return within_end(ec, app, e);
}

/* The statement, in the own space: a new one, or these words in the place of those that were compared before. */
static enum err met_write(struct errctx *ec, struct app *app, const char *name, const char *value)
{
	struct sync y = sync_of(app);
	struct draft d = { 0 };
	struct change c = { .kind = KIND_setting };
	struct met_list met = { 0 };
	const struct met_row *before = NULL;
	struct dot written = { 0 };
	enum err e = met_load(ec, app, &met);

	if (e == ERR_OK && met.own == 0)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		e = floor_refuse(ec, &y, met.own);
	before = met_find(&met, name);
	if (before == NULL)
		draft_text(&d, F_setting_name, name);
	else
		c = (struct change){ .target = before->setting };
	c.space = met.own;
	draft_text(&d, F_setting_value, value);
	if (e == ERR_OK)
		e = draft_writes(&d, &c.writes, &c.write_count);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e == ERR_OK)
		e = within_end(ec, app, store_write(ec, app->store, &c, app_now_ms(app), &written));
	free(met.row);
	draft_free(&d);
	return e;
}

enum err app_met(struct errctx *ec, struct app *app, const char *id, char *out)
{
	struct sync y = sync_of(app);
	struct claims people = { 0 };
	struct loaded l = { 0 };
	struct space_row space;
	struct dot person = { 0 };
	uint8_t fingerprint[FINGERPRINT_LEN];
	char name[MET_NAME_LEN];
	char value[2 * FINGERPRINT_LEN + 1];
	enum err e = store_find(ec, app->store, id, KIND_member, &person);

	if (e == ERR_OK)
		e = store_load(ec, app->store, person, &l);
	if (e == ERR_OK)
		e = store_space_get(ec, app->store, l.space, &space);
	if (e == ERR_OK)
		e = claims_load(ec, &y, &space, &people);
	if (e == ERR_OK && (space.kind == SPACE_OWN || dot_cmp(claims_of(&people, space.me), person) == 0))
		e = err_set(ec, ERR_REFUSED, "This is you. Compare the six words with someone else.", NULL, NULL, NULL);
	if (e == ERR_OK && !claims_fingerprint(&people, person, fingerprint))
		e = err_set(ec, ERR_NOT_FOUND, "%1 has no device here whose words can be compared.", id, NULL, NULL);
	if (e != ERR_OK)
		goto done;
	snprintf(out, APP_NAME_MAX, "%s", id);
	(void)copy_text(&l.record, F_member_name, out, APP_NAME_MAX);
	met_name(&space, person, name);
	hex_put(fingerprint, FINGERPRINT_LEN, value);
	e = met_write(ec, app, name, value);
done:
	store_loaded_free(&l);
	claims_free(&people);
	return e;
}
