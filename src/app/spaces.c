// SPDX-License-Identifier: EUPL-1.2
// Neighbourhoods, circles, members, invitations: what a person does with them.
#include "app/spaces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/remotes.h"
#include "app/sync_of.h"
#include "app/within.h"
#include "base/codec.h"
#include "crypto/secret.h"
#include "store/store.h"
#include "sync/claims.h"
#include "sync/floor.h"
#include "sync/invite.h"
#include "sync/join.h"
#include "sync/own.h"
#include "sync/space.h"

static void date_text(int64_t ms, char *out, size_t size)
{
	time_t t = (time_t)(ms / 1000);
	struct tm tm;

	localtime_r(&t, &tm);
	if (strftime(out, size, "%Y-%m-%d", &tm) == 0)
		out[0] = '\0';
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
	enum err e = app_own_name(ec, app, nick);

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

/* Persons, as `member list` shows them. */
static enum err count_members(struct errctx *ec, struct app *app, const struct space_row *space, size_t *out)
{
	struct sync y = sync_of(app);
	struct claims people = { 0 };
	struct dots ids = { 0 };
	enum err e = claims_load(ec, &y, space, &people);

	*out = 0;
	if (e == ERR_OK)
		e = store_of_kind(ec, app->store, KIND_member, space->n, &ids);
	for (size_t i = 0; i < ids.n; i++)
		*out += !claims_nobody(&people, ids.d[i]);
	dots_free(&ids);
	claims_free(&people);
	return e;
}

enum err app_circles(struct errctx *ec, struct app *app, struct circle_view **out, size_t *count)
{
	struct sync y = sync_of(app);
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
		*v = (struct circle_view){ .name = strdup(list[i].name),
			                   .neighbourhood = strdup(name),
			                   .asked = list[i].state == SPACE_ASKED };
		(*count)++;
		e = v->name == NULL || v->neighbourhood == NULL ? ERR_NO_MEMORY
		                                                : count_members(ec, app, &list[i], &v->members);
		if (e == ERR_OK)
			e = floor_open(ec, &y, list[i].n, &v->coming_in);
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

/* For the role that is asked for, the space it is held in, and whether one may give it. */
static enum err person_space(struct errctx *ec, struct app *app, const char *space, const char *role,
                             struct space_row *row)
{
	bool may = true;
	enum err e = ERR_OK;

	if (list_item(LIST_role, role) == NULL)
		return err_set(ec, ERR_INPUT, "%1 is not a role. Choose member, coordinator or teller.", role, NULL,
		               NULL);
	if (strcmp(role, "member") == 0)
		return invite_space(ec, app, space, row);
	/* coordinators and tellers have their role in the neighbourhood, and no place in a circle's log */
	e = invite_neighbourhood(ec, app, space, row);
	if (e == ERR_OK)
		e = within_role(ec, app, row, "coordinator", &may);
	if (e == ERR_OK && !may)
		e = err_set(ec, ERR_REFUSED, "Only a coordinator can invite a coordinator or a teller.", NULL, NULL,
		            NULL);
	return e;
}

/* Another device needs a place where both meet: the neighbourhood's repository. `only`: what is asked for, 0 for all.
 */
static enum err device_space(struct errctx *ec, struct app *app, const struct invite_ask *ask, struct space_row *row,
                             int64_t *only)
{
	struct errctx none = { 0 };
	int64_t n = 0;
	enum err e = ERR_OK;

	*only = 0;
	if (ask->role != NULL)
		return err_set(ec, ERR_USAGE, "Another device of yours has the roles that you have. Leave out --role.",
		               NULL, NULL, NULL);
	if (ask->space != NULL) {
		e = invite_space(ec, app, ask->space, row);
		*only = e == ERR_OK ? row->n : 0;
		n = e == ERR_OK ? row->neighbourhood : 0;
	} else {
		e = app_neighbourhood(&none, app, &n);
		if (e == ERR_USAGE || (e == ERR_NOT_FOUND && app->neighbourhood != NULL))
			e = app_neighbourhood(ec, app, &n);
	}
	if ((e == ERR_OK && n == 0) || (e == ERR_NOT_FOUND && ec->code == ERR_OK))
		return err_set(
		    ec, ERR_REFUSED,
		    "Your devices meet in the repository of a neighbourhood, and you are in none yet. Found "
		    "one (neighbourhood found NAME --remote URL) or use an invitation, and then do this again.",
		    NULL, NULL, NULL);
	return e != ERR_OK ? e : store_space_get(ec, app->store, n, row);
}

enum err app_invite(struct errctx *ec, struct app *app, const struct invite_ask *ask, struct invite_view *out)
{
	struct sync y = sync_of(app);
	struct space_row row;
	struct invitation invitation;
	const char *role = ask->role == NULL ? "member" : ask->role;
	uint8_t id[INVITATION_ID_LEN];
	int64_t only = 0;
	enum err e = within_not_restored(ec, app);

	*out = (struct invite_view){ 0 };
	if (e == ERR_OK)
		e = ask->device ? device_space(ec, app, ask, &row, &only)
		                : person_space(ec, app, ask->space, role, &row);
	if (e == ERR_OK)
		e = within_arrived(ec, app, only != 0 ? only : row.n);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e != ERR_OK)
		return e;
	e = ask->device ? invite_device_make(ec, &y, &row, only, &invitation)
	                : invite_make(ec, &y, &row, role, ask->compare, &invitation);
	if (e == ERR_OK)
		e = invitation_put(&invitation, &out->text);
	invitation_id(invitation.secret, id);
	hex_put(id, sizeof(id), out->id);
	if (e == ERR_OK)
		strcpy(out->space, invitation_main(&invitation)->name);
	out->compare = invitation.compare;
	out->spaces = invitation.spaces;
	out->own_login = invitation.own_login;
	date_text(invitation.expires_ms, out->expires, sizeof(out->expires));
	secret_wipe(&invitation, sizeof(invitation));
	e = within_end(ec, app, e);
	if (e != ERR_OK) {
		buf_free(&out->text);
		return e;
	}
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
		v->device = list[i].device;
		v->compare = list[i].compare;
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

/* This home becomes a device of somebody: what was written in its own space goes to that person's other devices.
 * Whoever made the invitation may be somebody else, so that is only done when it is asked for. */
static enum err own_may_go(struct errctx *ec, struct app *app, const struct invitation *i, bool bring)
{
	struct sync y = sync_of(app);
	struct space_row own;
	struct own_use use;
	enum err e = own_space(ec, &y, &own);

	if (e != ERR_OK || i->space[0].kind != SPACE_OWN || memcmp(own.id.b, i->space[0].id.b, SPACE_ID_LEN) == 0)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	e = own_use(ec, &y, &own, &use);
	if (e == ERR_OK && !use.alone)
		e = err_set(
		    ec, ERR_REFUSED,
		    "This home shares what is yours alone with another device already. Make a new home for this "
		    "invitation: sleutelbos --home DIR init --name NAME",
		    NULL, NULL, NULL);
	if (e == ERR_OK && use.written && !bring)
		e = err_set(
		    ec, ERR_REFUSED,
		    "With this invitation, what you wrote here for yourself alone goes to the other devices of %1. "
		    "Are they yours? Then add: --bring-notes",
		    i->space[0].name, NULL, NULL);
	return e;
}

enum err app_join(struct errctx *ec, struct app *app, const char *text, size_t len, bool bring, struct join_view *out)
{
	struct sync y = sync_of(app);
	struct invitation invitation;
	char nick[APP_NAME_MAX];
	enum err e = within_not_restored(ec, app);

	*out = (struct join_view){ 0 };
	if (e == ERR_OK)
		e = invitation_get(ec, text, len, &invitation);
	if (e == ERR_OK)
		e = app_own_name(ec, app, nick);
	if (e == ERR_OK && invitation.device)
		e = own_may_go(ec, app, &invitation, bring);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e != ERR_OK)
		goto done;
	e = join_ask(ec, &y, &invitation, nick, out->fingerprint);
	e = within_end(ec, app, e);
	if (e != ERR_OK)
		goto done;
	strcpy(out->space, invitation_main(&invitation)->name);
	if (invitation.device && invitation.space[0].kind == SPACE_OWN)
		strcpy(out->person, invitation.space[0].name);
	out->compare = invitation.compare;
done:
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
		e = app_own_name(ec, app, nick);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e != ERR_OK)
		return e;
	e = join_request(ec, &y, remote, nick, fingerprint);
	return within_end(ec, app, e);
}

/* One line for each invitation that was used, under the name of the first of its spaces: those that are nobody's own
 * say more, so they are looked at first. */
static enum err asked_add(struct errctx *ec, struct app *app, const struct asked_row *row, bool own,
                          struct asked_view *list, size_t *count)
{
	struct asked_view *v = &list[*count];
	struct space_row space;
	char id[17];
	enum err e = store_space_get(ec, app->store, row->space, &space);

	if (e != ERR_OK || (space.kind == SPACE_OWN) != own)
		return e;
	hex_put(row->id, INVITATION_ID_LEN, id);
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(list[i].id, id) == 0)
			return ERR_OK;
	}
	*v = (struct asked_view){ .device = row->device, .compare = row->compare };
	memcpy(v->id, id, sizeof(id));
	snprintf(v->space, sizeof(v->space), "%s", space.name);
	memcpy(v->fingerprint, row->words, FINGERPRINT_LEN);
	(*count)++;
	return ERR_OK;
}

enum err app_asked(struct errctx *ec, struct app *app, struct asked_view **out, size_t *count)
{
	struct sync y = sync_of(app);
	struct asked_row *list = NULL;
	size_t n = 0;
	enum err e = asked_list(ec, &y, &list, &n);

	*count = 0;
	*out = NULL;
	if (e == ERR_OK) {
		*out = calloc(n + 1, sizeof(**out));
		e = *out == NULL ? ERR_NO_MEMORY : ERR_OK;
	}
	for (size_t i = 0; e == ERR_OK && i < 2 * n; i++)
		e = asked_add(ec, app, &list[i % n], i >= n, *out, count);
	free(list);
	if (e != ERR_OK) {
		free(*out);
		*out = NULL;
		*count = 0;
	}
	return e;
}
