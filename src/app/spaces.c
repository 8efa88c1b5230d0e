// SPDX-License-Identifier: EUPL-1.2
// Neighbourhoods, circles, members, invitations: what a person does with them.
#include "app/spaces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/again.h"
#include "app/syncing.h"
#include "app/within.h"
#include "crypto/secret.h"
#include "model/draft.h"
#include "model/wire.h"
#include "store/store.h"
#include "sync/join.h"
#include "sync/rejoin.h"
#include "sync/space.h"

static struct sync sync_of(struct app *app)
{
	return (struct sync){ app->store, app->zip, app->rng, app->clock };
}

static void date_text(int64_t ms, char *out, size_t size)
{
	time_t t = (time_t)(ms / 1000);
	struct tm tm;

	localtime_r(&t, &tm);
	if (strftime(out, size, "%Y-%m-%d", &tm) == 0)
		out[0] = '\0';
}

/* What the owner of this home is called. */
static enum err own_name(struct errctx *ec, struct app *app, char out[static APP_NAME_MAX])
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, app->store, &list, &n);

	out[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (list[i].kind == SPACE_OWN)
			app_author(app, (struct dot){ list[i].me, 1 }, out);
	}
	free(list);
	return e;
}

static enum err name_check(struct errctx *ec, const char *name)
{
	if (name[0] == '\0' || strlen(name) > SPACE_NAME_MAX)
		return err_set(ec, ERR_INPUT, "A name has 1 to 120 characters.", NULL, NULL, NULL);
	return ERR_OK;
}

/* ERR_REFUSED when there is a space of this kind and name already. */
static enum err name_free(struct errctx *ec, struct app *app, enum space_kind kind, const char *name)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, app->store, &list, &n);

	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		if (list[i].kind == kind && strcasecmp(list[i].name, name) == 0)
			e = err_set(ec, ERR_REFUSED, "%1 exists here already. Choose another name.", name, NULL, NULL);
	}
	free(list);
	return e;
}

static enum err found(struct errctx *ec, struct app *app, const struct founding *what, struct space_row *row)
{
	struct sync y = sync_of(app);
	struct founding f = *what;
	char nick[APP_NAME_MAX];
	enum err e = own_name(ec, app, nick);

	f.nick = nick;
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e != ERR_OK)
		return e;
	e = space_found(ec, &y, &f, row);
	if (e == ERR_OK && f.kind == SPACE_NEIGHBOURHOOD)
		e = spaces_adopt(ec, &y, row->n);
	return within_end(ec, app, e);
}

enum err app_found_neighbourhood(struct errctx *ec, struct app *app, const char *name, const char *remote)
{
	struct founding f = { .kind = SPACE_NEIGHBOURHOOD, .name = name, .role = "coordinator", .remote = remote };
	struct space_row row;
	enum err e = within_not_restored(ec, app);

	if (e == ERR_OK)
		e = name_check(ec, name);
	if (e == ERR_OK && strlen(remote) > REMOTE_MAX)
		e = err_set(ec, ERR_INPUT, "The address of the repository is too long.", NULL, NULL, NULL);
	if (e == ERR_OK)
		e = name_free(ec, app, SPACE_NEIGHBOURHOOD, name);
	if (e == ERR_OK)
		e = app_remote_create(ec, app, remote);
	if (e == ERR_OK)
		e = found(ec, app, &f, &row);
	return e;
}

enum err app_found_circle(struct errctx *ec, struct app *app, const char *name)
{
	struct founding f = { .kind = SPACE_CIRCLE, .name = name, .remote = "" };
	struct errctx none = { 0 };
	struct space_row row;
	enum err e = within_not_restored(ec, app);

	if (e == ERR_OK)
		e = name_check(ec, name);
	if (e == ERR_OK)
		e = name_free(ec, app, SPACE_CIRCLE, name);
	if (e != ERR_OK)
		return e;
	e = app_neighbourhood(&none, app, &f.neighbourhood);
	if (e == ERR_USAGE || (e == ERR_NOT_FOUND && app->neighbourhood != NULL))
		return app_neighbourhood(ec, app, &f.neighbourhood);
	return found(ec, app, &f, &row);
}

/* --- lists --- */

static enum err count_members(struct errctx *ec, struct app *app, int64_t space, size_t *out)
{
	struct dots people = { 0 };
	enum err e = store_of_kind(ec, app->store, KIND_member, space, &people);

	*out = people.n;
	dots_free(&people);
	return e;
}

enum err app_circles(struct errctx *ec, struct app *app, struct circle_view **out, size_t *count)
{
	struct space_row *list = NULL;
	char name[SPACE_NAME_MAX + 1];
	size_t n = 0;
	enum err e = store_space_list(ec, app->store, &list, &n);

	*count = 0;
	*out = calloc(n + 1, sizeof(**out));
	if (e == ERR_OK && *out == NULL)
		e = ERR_NO_MEMORY;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct circle_view *v = &(*out)[*count];

		if (list[i].kind != SPACE_CIRCLE)
			continue;
		app_space_name(app, list[i].neighbourhood, name);
		*v = (struct circle_view){ strdup(list[i].name), strdup(name), 0, list[i].state == SPACE_ASKED };
		(*count)++;
		e = v->name == NULL || v->neighbourhood == NULL ? ERR_NO_MEMORY
		                                                : count_members(ec, app, list[i].n, &v->members);
	}
	free(list);
	if (e != ERR_OK) {
		app_circles_free(*out, *count);
		*out = NULL;
		*count = 0;
	}
	return e;
}

void app_circles_free(struct circle_view *list, size_t count)
{
	for (size_t i = 0; list != NULL && i < count; i++) {
		free(list[i].name);
		free(list[i].neighbourhood);
	}
	free(list);
}

/* The space that an invitation is for. */
static enum err invite_space(struct errctx *ec, struct app *app, const char *name, struct space_row *out)
{
	struct space_row *list = NULL;
	struct errctx none = { 0 };
	int64_t n = 0;
	size_t count = 0;
	size_t found_ones = 0;
	enum err e = ERR_OK;

	if (name == NULL) {
		e = app_circle(&none, app, NULL, &n);
		if (e == ERR_USAGE)
			return app_circle(ec, app, NULL, &n);
		if (e == ERR_OK)
			e = store_space_get(ec, app->store, n, out);
		if (e == ERR_OK && out->kind == SPACE_CIRCLE)
			return ERR_OK;
		e = app_neighbourhood(ec, app, &n);
		return e != ERR_OK ? e : store_space_get(ec, app->store, n, out);
	}
	e = store_space_list(ec, app->store, &list, &count);
	for (size_t i = 0; i < count; i++) {
		if (list[i].kind == SPACE_OWN || list[i].state != SPACE_MEMBER || strcasecmp(list[i].name, name) != 0)
			continue;
		*out = list[i];
		found_ones++;
	}
	free(list);
	if (e != ERR_OK)
		return e;
	if (found_ones == 0)
		return err_set(ec, ERR_NOT_FOUND, "You are not in a circle or neighbourhood called %1.", name, NULL,
		               NULL);
	if (found_ones > 1)
		return err_set(ec, ERR_USAGE, "More than one circle or neighbourhood is called %1.", name, NULL, NULL);
	return ERR_OK;
}

/* The same for a role that is held in a neighbourhood only. */
static enum err invite_neighbourhood(struct errctx *ec, struct app *app, const char *name, struct space_row *out)
{
	int64_t n = 0;
	enum err e = name != NULL ? invite_space(ec, app, name, out) : app_neighbourhood(ec, app, &n);

	if (e == ERR_OK && name == NULL)
		return store_space_get(ec, app->store, n, out);
	if (e == ERR_OK && out->kind != SPACE_NEIGHBOURHOOD)
		return err_set(ec, ERR_REFUSED,
		               "%1 is a circle: it has members only. Invite a coordinator or a teller to the "
		               "neighbourhood.",
		               name, NULL, NULL);
	return e;
}

/* Has one this role in the space oneself? */
static enum err have_role(struct errctx *ec, struct app *app, const struct space_row *space, const char *role,
                          bool *out)
{
	struct device_row me;
	struct loaded l;
	struct bytes text = { 0 };
	enum err e = store_device_by_id(ec, app->store, space->me, &me);

	*out = false;
	if (e == ERR_OK)
		e = store_load(ec, app->store, me.member, &l);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; record_element_text(&l.record, F_member_role, i, &text); i++)
		*out = *out || (text.len == strlen(role) && memcmp(text.data, role, text.len) == 0);
	store_loaded_free(&l);
	return ERR_OK;
}

enum err app_invite(struct errctx *ec, struct app *app, const char *space, const char *role, struct invite_view *out)
{
	struct sync y = sync_of(app);
	struct space_row row;
	struct invitation invitation;
	bool may = true;
	enum err e = within_not_restored(ec, app);

	*out = (struct invite_view){ 0 };
	if (e != ERR_OK)
		return e;
	if (role == NULL)
		role = "member";
	if (list_item(LIST_role, role) == NULL)
		return err_set(ec, ERR_INPUT, "%1 is not a role. Choose member, coordinator or teller.", role, NULL,
		               NULL);
	if (strcmp(role, "member") != 0) {
		/* coordinators and tellers have their role in the neighbourhood, and no place in a circle's log */
		e = invite_neighbourhood(ec, app, space, &row);
		if (e == ERR_OK)
			e = have_role(ec, app, &row, "coordinator", &may);
		if (e == ERR_OK && !may)
			e = err_set(ec, ERR_REFUSED, "Only a coordinator can invite a coordinator or a teller.", NULL,
			            NULL, NULL);
	} else {
		e = invite_space(ec, app, space, &row);
	}
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e != ERR_OK)
		return e;
	e = invite_make(ec, &y, &row, role, &invitation);
	if (e == ERR_OK)
		e = invitation_put(&invitation, &out->text);
	date_text(invitation.expires_ms, out->expires, sizeof(out->expires));
	secret_wipe(&invitation, sizeof(invitation));
	e = within_end(ec, app, e);
	if (e != ERR_OK) {
		buf_free(&out->text);
		return e;
	}
	strcpy(out->space, row.name);
	return ERR_OK;
}

enum err app_invites(struct errctx *ec, struct app *app, struct open_invite **out, size_t *count)
{
	struct sync y = sync_of(app);
	struct invite_row *list = NULL;
	size_t n = 0;
	enum err e = invite_list(ec, &y, &list, &n);

	*count = 0;
	*out = NULL;
	if (e == ERR_OK) {
		*out = calloc(n + 1, sizeof(**out));
		e = *out == NULL ? ERR_NO_MEMORY : ERR_OK;
	}
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct open_invite *v = &(*out)[(*count)++];

		memcpy(v->id, list[i].id, sizeof(v->id));
		snprintf(v->space, sizeof(v->space), "%s", list[i].space);
		memcpy(v->role, list[i].role, sizeof(v->role));
		date_text(list[i].expires_ms, v->expires, sizeof(v->expires));
		strcpy(v->state, list[i].used ? "used" : list[i].expires_ms < clock_now(app->clock) ? "ended" : "open");
	}
	free(list);
	return e;
}

enum err app_invite_withdraw(struct errctx *ec, struct app *app, const char *id)
{
	struct sync y = sync_of(app);
	enum err e = store_begin(ec, app->store);

	if (e != ERR_OK)
		return e;
	e = invite_withdraw(ec, &y, id);
	return within_end(ec, app, e);
}

/* --- joining --- */

enum err app_join(struct errctx *ec, struct app *app, const char *text, size_t len, char *space)
{
	struct sync y = sync_of(app);
	struct invitation invitation;
	char nick[APP_NAME_MAX];
	enum err e = within_not_restored(ec, app);

	if (e == ERR_OK)
		e = invitation_get(ec, text, len, &invitation);
	if (e == ERR_OK)
		e = own_name(ec, app, nick);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e == ERR_OK)
		e = within_end(ec, app, join_ask(ec, &y, &invitation, nick));
	if (e == ERR_OK)
		strcpy(space, invitation.space[0].name);
	secret_wipe(&invitation, sizeof(invitation));
	return e;
}

enum err app_join_request(struct errctx *ec, struct app *app, const char *remote,
                          uint8_t fingerprint[static FINGERPRINT_LEN])
{
	struct sync y = sync_of(app);
	char nick[APP_NAME_MAX];
	enum err e = within_not_restored(ec, app);

	if (e == ERR_OK)
		e = own_name(ec, app, nick);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e != ERR_OK)
		return e;
	e = join_request(ec, &y, remote, nick, fingerprint);
	return within_end(ec, app, e);
}

/* --- members --- */

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
	for (size_t i = 0; list != NULL && i < count; i++)
		free(list[i].devices);
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

static const char *status_text(enum device_state s)
{
	return s == DEVICE_RESTING ? "resting" : s == DEVICE_REMOVED ? "removed" : "member";
}

static enum err member_devices(struct errctx *ec, struct app *app, const struct space_row *space, struct dot person,
                               struct member_view *v)
{
	struct device_row *list = NULL;
	size_t n = 0;
	enum err e = store_device_list(ec, app->store, space->n, &list, &n);

	strcpy(v->status, "member");
	v->devices = calloc(n + 1, sizeof(*v->devices));
	if (e == ERR_OK && v->devices == NULL)
		e = ERR_NO_MEMORY;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct bundle b = { .tag = list[i].tag };

		if (list[i].state == DEVICE_NAMED || dot_cmp(list[i].member, person) != 0)
			continue;
		memcpy(b.sign, list[i].sign, sizeof(b.sign));
		memcpy(b.box, list[i].box, sizeof(b.box));
		if (v->device_count == 0)
			bundle_fingerprint(&b, v->fingerprint);
		device_text(list[i].id, v->devices[v->device_count++]);
		strcpy(v->status, status_text(list[i].state));
		v->me = v->me || device_cmp(list[i].id, space->me) == 0;
	}
	free(list);
	return e;
}

static enum err member_of(struct errctx *ec, struct app *app, const struct space_row *space, struct dot person,
                          struct member_list *all)
{
	struct member_view *v = NULL;
	struct loaded l;
	struct bytes name = { 0 };
	struct bytes met = { 0 };
	enum err e = store_load(ec, app->store, person, &l);

	if (e != ERR_OK)
		return e;
	e = member_add(all, &v);
	if (e == ERR_OK) {
		dot_text(person, v->id);
		if (record_text(&l.record, F_member_name, &name))
			snprintf(v->name, sizeof(v->name), "%.*s", (int)name.len, (const char *)name.data);
		snprintf(v->space, sizeof(v->space), "%s", space->name);
		roles_text(&l.record, v->role, sizeof(v->role));
		v->met = record_element(&l.record, F_member_met, 0, &met);
		e = member_devices(ec, app, space, person, v);
	}
	store_loaded_free(&l);
	return e;
}

static enum err requests_of(struct errctx *ec, struct app *app, struct member_list *all)
{
	struct sync y = sync_of(app);
	struct request_row *list = NULL;
	size_t n = 0;
	enum err e = request_list(ec, &y, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct member_view *v = NULL;

		e = member_add(all, &v);
		if (e != ERR_OK)
			break;
		snprintf(v->id, sizeof(v->id), "%s", list[i].id);
		strcpy(v->status, "requested");
		strcpy(v->role, "member");
		bundle_fingerprint(&list[i].bundle, v->fingerprint);
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
		struct loaded l;
		struct bytes name = { 0 };

		if (list[i].space != space->n)
			continue;
		e = member_add(all, &v);
		if (e != ERR_OK)
			break;
		snprintf(v->id, sizeof(v->id), "%s", list[i].id);
		strcpy(v->status, "requested");
		strcpy(v->role, "member");
		snprintf(v->space, sizeof(v->space), "%s", space->name);
		date_text(list[i].made_day * 24 * 60 * 60 * 1000, v->backup, sizeof(v->backup));
		bundle_fingerprint(&list[i].bundle, v->fingerprint);
		if (store_load(NULL, app->store, list[i].person, &l) != ERR_OK)
			continue;
		if (record_text(&l.record, F_member_name, &name))
			snprintf(v->name, sizeof(v->name), "%.*s", (int)name.len, (const char *)name.data);
		roles_text(&l.record, v->role, sizeof(v->role));
		store_loaded_free(&l);
	}
	free(list);
	return e;
}

enum err app_members(struct errctx *ec, struct app *app, const char *space, struct member_view **out, size_t *count)
{
	struct member_list all = { 0 };
	struct space_row *list = NULL;
	bool any = space == NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, app->store, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct dots people = { 0 };

		if (list[i].kind == SPACE_OWN || (space != NULL && strcasecmp(space, list[i].name) != 0))
			continue;
		any = true;
		e = store_of_kind(ec, app->store, KIND_member, list[i].n, &people);
		for (size_t k = 0; e == ERR_OK && k < people.n; k++)
			e = member_of(ec, app, &list[i], people.d[k], &all);
		dots_free(&people);
		if (e == ERR_OK)
			e = rejoins_of(ec, app, &list[i], &all);
		if (e == ERR_OK && list[i].kind == SPACE_NEIGHBOURHOOD)
			e = requests_of(ec, app, &all);
	}
	free(list);
	if (e == ERR_OK && !any)
		e = err_set(ec, ERR_NOT_FOUND, "You are not in a circle or neighbourhood called %1.", space, NULL,
		            NULL);
	if (e != ERR_OK) {
		app_members_free(all.v, all.n);
		all = (struct member_list){ 0 };
	}
	*out = all.v;
	*count = all.n;
	return e;
}

enum err app_approve(struct errctx *ec, struct app *app, const char *id, const char *name)
{
	struct sync y = sync_of(app);
	struct request_row *list = NULL;
	struct request_row chosen = { 0 };
	struct space_row neighbourhood;
	int64_t space = 0;
	size_t n = 0;
	size_t matches = 0;
	bool again = false;
	enum err e = within_not_restored(ec, app);

	if (e == ERR_OK)
		e = again_approve(ec, app, id, &again);
	if (e == ERR_OK && again)
		return ERR_OK;
	if (e == ERR_OK)
		e = app_neighbourhood(ec, app, &space);
	if (e == ERR_OK)
		e = store_space_get(ec, app->store, space, &neighbourhood);
	if (e == ERR_OK)
		e = request_list(ec, &y, &list, &n);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		if (strncmp(list[i].id, id, strlen(id)) == 0) {
			chosen = list[i];
			matches++;
		}
	}
	free(list);
	if (e == ERR_OK && matches == 0)
		e = err_set(ec, ERR_NOT_FOUND, "Nobody with the id %1 asks to join. See member list.", id, NULL, NULL);
	if (e == ERR_OK && matches > 1)
		e = err_set(ec, ERR_USAGE, "More than one record starts with %1. Type a few more characters.", id, NULL,
		            NULL);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e != ERR_OK)
		return e;
	e = request_approve(ec, &y, &neighbourhood, &chosen, name == NULL ? "?" : name);
	return within_end(ec, app, e);
}

enum err app_met(struct errctx *ec, struct app *app, const char *id)
{
	struct draft d = { 0 };
	struct change c = { 0 };
	struct loaded l = { 0 };
	struct space_row space;
	struct device_row me;
	struct dot person = { 0 };
	struct dot written = { 0 };
	uint8_t ref[DOT_REF_MAX];
	struct buf element = { 0 };
	enum err e = store_find(ec, app->store, id, KIND_member, &person);

	if (e == ERR_OK)
		e = store_load(ec, app->store, person, &l);
	if (e == ERR_OK)
		e = store_space_get(ec, app->store, l.space, &space);
	if (e == ERR_OK)
		e = store_device_by_id(ec, app->store, space.me, &me);
	if (e == ERR_OK && dot_cmp(me.member, person) == 0)
		e = err_set(ec, ERR_REFUSED, "This is you. Compare the six words with someone else.", NULL, NULL, NULL);
	if (e == ERR_OK)
		e = wire_put_bytes(&element, ref, dot_ref_put(me.member, ref));
	if (e != ERR_OK)
		goto done;
	draft_set_add_raw(&d, F_member_met, buf_bytes(&element));
	c = (struct change){ .space = l.space, .target = person };
	e = draft_writes(&d, &c.writes, &c.write_count);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e != ERR_OK)
		goto done;
	e = store_write(ec, app->store, &c, app_now_ms(app), &written);
	e = within_end(ec, app, e);
done:
	store_loaded_free(&l);
	buf_free(&element);
	draft_free(&d);
	return e;
}

/* --- remote --- */

/* The neighbourhood whose remote is meant: one that asked to join may have to say where the repository is, too. */
static enum err remote_space(struct errctx *ec, struct app *app, struct space_row *out)
{
	struct errctx none = { 0 };
	struct space_row *list = NULL;
	int64_t space = 0;
	size_t count = 0;
	size_t asked = 0;
	enum err e = app_neighbourhood(&none, app, &space);

	if (e == ERR_OK)
		return store_space_get(ec, app->store, space, out);
	if (e != ERR_NOT_FOUND)
		return app_neighbourhood(ec, app, &space);
	e = store_space_list(ec, app->store, &list, &count);
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		if (list[i].kind != SPACE_NEIGHBOURHOOD || list[i].state != SPACE_ASKED)
			continue;
		if (app->neighbourhood != NULL && strcasecmp(app->neighbourhood, list[i].name) != 0)
			continue;
		*out = list[i];
		asked++;
	}
	free(list);
	return e != ERR_OK || asked == 1 ? e : app_neighbourhood(ec, app, &space);
}

enum err app_remote_show(struct errctx *ec, struct app *app, struct remote_view *out)
{
	struct space_row row;
	enum err e = remote_space(ec, app, &row);

	if (e != ERR_OK)
		return e;
	snprintf(out->neighbourhood, sizeof(out->neighbourhood), "%s", row.name);
	snprintf(out->url, sizeof(out->url), "%s", row.remote);
	return ERR_OK;
}

enum err app_remote_set(struct errctx *ec, struct app *app, const char *url)
{
	struct space_row row;
	enum err e = remote_space(ec, app, &row);

	if (e == ERR_OK && (url[0] == '\0' || strlen(url) > REMOTE_MAX))
		e = err_set(ec, ERR_INPUT, "The address of the repository is too long.", NULL, NULL, NULL);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e != ERR_OK)
		return e;
	strcpy(row.remote, url);
	e = store_space_update(ec, app->store, &row);
	return within_end(ec, app, e);
}
