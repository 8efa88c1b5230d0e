// SPDX-License-Identifier: EUPL-1.2
// Removing a person (K1, K4): who may, and what is asked before it is done.
#include "app/removing.h"

#include <stdio.h>

#include "app/within.h"
#include "sync/membership.h"
#include "sync/removal.h"

static struct sync sync_of(struct app *app)
{
	return (struct sync){ app->store, app->zip, app->rng, app->clock };
}

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

/* Who does this, and may it be done? */
static enum err may_remove(struct errctx *ec, struct app *app, const struct space_row *space, struct dot person,
                           bool *me)
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
	else if (space->kind == SPACE_NEIGHBOURHOOD && (members_roles(&m.members, person) & ROLE_COORDINATOR) != 0 &&
	         coordinators(&m.members, person) == 0)
		e = err_set(ec, ERR_REFUSED,
		            "This is the only coordinator of %1. Invite another one first: invite --role coordinator.",
		            space->name, NULL, NULL);
	membership_free(&m);
	return e;
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
	if (e == ERR_OK)
		e = may_remove(ec, app, &space, person, &out->me);
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
	return e;
}
