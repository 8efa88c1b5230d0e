// SPDX-License-Identifier: EUPL-1.2
// Removing a person or a device (K1, K4): who may, and what is asked before it is done; turning requests down.
#include "app/removing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app/again.h"
#include "app/spaces.h"
#include "app/sync_of.h"
#include "app/within.h"
#include "sync/claims.h"
#include "sync/join.h"
#include "sync/membership.h"
#include "sync/removal.h"

static enum err member_get(struct errctx *ec, struct app *app, const char *id, struct dot *person, struct loaded *l)
{
	enum err e = ERR_OK;

	*l = (struct loaded){ 0 };
	if (!dot_parse(id, person))
		return err_set(ec, ERR_USAGE,
		               "To remove somebody, the whole id is needed. It stands in: member list --json", NULL,
		               NULL, NULL);
	e = store_load(ec, app->store, *person, l);
	if (e == ERR_OK && l->record.kind != KIND_member) {
		store_loaded_free(l);
		*l = (struct loaded){ 0 };
		e = ERR_NOT_FOUND;
	}
	if (e == ERR_NOT_FOUND)
		e = err_set(ec, e, "There is no member %1. See member list.", id, NULL, NULL);
	return e;
}

/* Coordinators with a device that is in. */
static size_t coordinators(const struct members *m, struct dot but)
{
	size_t n = 0;

	for (size_t i = 0; i < m->devices; i++) {
		const struct standing *s = &m->device[i];
		bool again = false;

		for (size_t k = 0; k < i; k++)
			again =
			    again || (m->device[k].keep == UINT64_MAX && dot_cmp(m->device[k].person, s->person) == 0);
		n += standing_in(s) && !again && dot_cmp(s->person, but) != 0 &&
		     (members_roles(m, s->person) & ROLE_COORDINATOR) != 0;
	}
	return n;
}

/* Who does this, and may it be done? `all`: the person goes, not one device of several. */
static enum err may_remove(struct errctx *ec, struct app *app, const struct space_row *space, struct dot person,
                           bool all, bool *me)
{
	struct sync y = sync_of(app);
	struct membership m = { 0 };
	struct device_row own;
	enum err e = store_device_by_id(ec, app->store, space->me, &own);

	if (e == ERR_OK)
		e = membership_load(ec, &y, space, &m);
	if (e != ERR_OK)
		return e;
	*me = dot_cmp(own.member, person) == 0;
	if (m.removed)
		e = store_may_write(ec, app->store, space->n);
	else if (space->kind == SPACE_NEIGHBOURHOOD && !*me &&
	         (members_roles(&m.members, own.member) & ROLE_COORDINATOR) == 0)
		e = err_set(ec, ERR_REFUSED, "In a neighbourhood a coordinator removes members. Ask one.", NULL, NULL,
		            NULL);
	else if (all && space->kind == SPACE_NEIGHBOURHOOD &&
	         (members_roles(&m.members, person) & ROLE_COORDINATOR) != 0 && coordinators(&m.members, person) == 0)
		e = err_set(ec, ERR_REFUSED,
		            "This is the only coordinator of %1. Invite another one first: invite --role coordinator.",
		            space->name, NULL, NULL);
	membership_free(&m);
	return e;
}

/* The neighbourhood of a circle has members of its own; nothing but the name tells that one is the same person. */
static enum err still_in(struct errctx *ec, struct app *app, const struct space_row *circle, struct removed_view *v)
{
	struct member_view *list = NULL;
	struct space_row west;
	size_t n = 0;
	size_t found = 0;
	enum err e = ERR_OK;

	if (circle->kind != SPACE_CIRCLE || circle->neighbourhood == 0)
		return ERR_OK;
	e = store_space_get(ec, app->store, circle->neighbourhood, &west);
	if (e == ERR_OK && west.state == SPACE_MEMBER)
		e = app_members(ec, app, west.name, &list, &n);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		if (strcasecmp(list[i].name, v->name) != 0 || strcmp(list[i].status, "removed") == 0 ||
		    strcmp(list[i].status, "requested") == 0)
			continue;
		found++;
		snprintf(v->still_in, sizeof(v->still_in), "%s", west.name);
		snprintf(v->still_id, sizeof(v->still_id), "%s", found == 1 ? list[i].id : "");
	}
	app_members_free(list, n);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err app_member_remove(struct errctx *ec, struct app *app, const char *id, struct removed_view *out)
{
	struct sync y = sync_of(app);
	struct space_row space;
	struct loaded l = { 0 };
	struct dot person = { 0 };
	struct bytes name = { 0 };
	enum err e = within_not_restored(ec, app);

	*out = (struct removed_view){ 0 };
	if (e == ERR_OK)
		e = member_get(ec, app, id, &person, &l);
	if (e == ERR_OK)
		e = store_space_get(ec, app->store, l.space, &space);
	if (e == ERR_OK && space.kind == SPACE_OWN)
		e = err_set(ec, ERR_REFUSED, "That is you, in what is yours alone. Name one device: --device DEVICE",
		            NULL, NULL, NULL);
	if (e == ERR_OK)
		e = may_remove(ec, app, &space, person, true, &out->me);
	if (e == ERR_OK) {
		snprintf(out->space, sizeof(out->space), "%s", space.name);
		if (record_text(&l.record, F_member_name, &name))
			snprintf(out->name, sizeof(out->name), "%.*s", (int)name.len, (const char *)name.data);
		e = store_begin(ec, app->store);
	}
	if (e == ERR_OK)
		e = within_end(ec, app, member_remove(ec, &y, &space, person, &out->devices));
	store_loaded_free(&l);
	if (e == ERR_OK && out->devices == 0)
		return err_set(ec, ERR_REFUSED, "%1 was removed from %2 before.", out->name, out->space, NULL);
	return e == ERR_OK ? still_in(ec, app, &space, out) : e;
}

/* The device of this person with that id. */
static enum err device_find(struct errctx *ec, struct app *app, const struct space_row *space, struct dot person,
                            const char *text, struct device_row *out)
{
	struct sync y = sync_of(app);
	struct claims people = { 0 };
	const struct claim *claim = NULL;
	size_t others = 0;
	size_t n = 0;
	bool found = false;
	enum err e = claims_load(ec, &y, space, &people);

	n = e == ERR_OK ? claims_devices(&people, person, &claim) : 0;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct device_row row;
		struct bundle b;
		char id[DEVICE_TEXT_LEN];

		device_text(claim[i].dev, id);
		bundle_get(claim[i].bundle, &b);
		e = store_device_by_id(ec, app->store, claim[i].dev, &row);
		if (e == ERR_OK && strcmp(id, text) == 0) {
			*out = row;
			found = true;
		} else if (e == ERR_OK && row.state == DEVICE_ACTIVE && (b.incarnation & INCARNATION_PAPER) == 0) {
			others++;
		}
		e = e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	claims_free(&people);
	if (e == ERR_OK && !found)
		e = err_set(ec, ERR_NOT_FOUND,
		            "There is no device %1 there. The whole id of each stands in: member list --json", text,
		            NULL, NULL);
	if (e == ERR_OK && device_cmp(out->id, space->me) == 0)
		e = err_set(ec, ERR_REFUSED,
		            "That is the device you are typing on. Remove it from another one of yours.", NULL, NULL,
		            NULL);
	if (e == ERR_OK && others == 0)
		e = err_set(ec, ERR_REFUSED,
		            "That is the only device there is. To remove the person, leave --device out.", NULL, NULL,
		            NULL);
	return e;
}

enum err app_device_remove(struct errctx *ec, struct app *app, const char *id, const char *device,
                           struct removed_view *out)
{
	struct sync y = sync_of(app);
	struct space_row space;
	struct device_row row = { 0 };
	struct loaded l = { 0 };
	struct dot person = { 0 };
	struct bytes name = { 0 };
	enum err e = within_not_restored(ec, app);

	*out = (struct removed_view){ 0 };
	if (e == ERR_OK)
		e = member_get(ec, app, id, &person, &l);
	if (e == ERR_OK)
		e = store_space_get(ec, app->store, l.space, &space);
	if (e == ERR_OK)
		e = device_find(ec, app, &space, person, device, &row);
	if (e == ERR_OK)
		e = may_remove(ec, app, &space, person, false, &out->me);
	if (e == ERR_OK) {
		snprintf(out->space, sizeof(out->space), "%s", space.name);
		if (record_text(&l.record, F_member_name, &name))
			snprintf(out->name, sizeof(out->name), "%.*s", (int)name.len, (const char *)name.data);
	}
	store_loaded_free(&l);
	if (e == ERR_OK && row.state == DEVICE_REMOVED)
		e = err_set(ec, ERR_REFUSED, "That device was removed from %1 before.", out->space, NULL, NULL);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e == ERR_OK)
		e = within_end(ec, app, device_remove(ec, &y, &space, row.id));
	out->devices = e == ERR_OK;
	return e;
}

enum err app_decline(struct errctx *ec, struct app *app, const char *id, char name[static APP_NAME_MAX])
{
	struct sync y = sync_of(app);
	struct request_row *list = NULL;
	size_t n = 0;
	size_t at = 0;
	size_t matches = 0;
	bool again = false;
	enum err e = again_decline(ec, app, id, name, &again);

	if (e != ERR_OK || again)
		return e;
	e = request_list(ec, &y, &list, &n);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		if (strncmp(list[i].id, id, strlen(id)) == 0) {
			at = i;
			matches++;
		}
	}
	if (e == ERR_OK && matches == 0)
		e = err_set(ec, ERR_NOT_FOUND, "Nobody with the id %1 asks to join. See member list.", id, NULL, NULL);
	if (e == ERR_OK && matches > 1)
		e = err_set(ec, ERR_USAGE, "More than one record starts with %1. Type a few more characters.", id, NULL,
		            NULL);
	if (e == ERR_OK) {
		snprintf(name, APP_NAME_MAX, "%s", list[at].nick);
		e = store_begin(ec, app->store);
	}
	if (e == ERR_OK)
		e = within_end(ec, app, request_decline(ec, &y, &list[at]));
	free(list);
	return e;
}
