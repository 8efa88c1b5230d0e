// SPDX-License-Identifier: EUPL-1.2
// Coming back among the others (S7): what a person asks for and approves, and what a sync does about it.
#include "app/again.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/sync_of.h"
#include "app/within.h"
#include "sync/rebox.h"
#include "sync/rejoin.h"
#include "sync/restored.h"

static enum err rejoin_one(struct errctx *ec, struct sync *y, struct space_row *space, const struct restored *r,
                           struct rejoin_view *v, bool *shown)
{
	bool away = false;
	enum err e = restored_away(ec, y, space->n, &away);

	*v = (struct rejoin_view){ 0 };
	*shown = e == ERR_OK && away;
	if (e != ERR_OK || !away)
		return e;
	snprintf(v->space, sizeof(v->space), "%s", space->name);
	e = rejoin_alone(ec, y, space, &v->alone);
	if (e != ERR_OK)
		return e;
	*shown = !v->alone || space->kind != SPACE_OWN;
	return v->alone ? again_alone(ec, y, space, r->made_ms) : rejoin_ask(ec, y, space, r->made_ms, v->fingerprint);
}

/* One space of a home that was not restored. */
static enum err keys_one(struct errctx *ec, struct sync *y, const struct space_row *space, struct rejoin_view *v,
                         bool *asked)
{
	*v = (struct rejoin_view){ .keys = true };
	snprintf(v->space, sizeof(v->space), "%s", space->name);
	return rebox_ask(ec, y, space, v->fingerprint, asked);
}

/* Where one space refuses and another one does not, it asks in that one. */
static enum err keys_ask(struct errctx *ec, struct app *app, struct rejoin_view **out, size_t *count)
{
	struct sync y = sync_of(app);
	struct space_row *list = NULL;
	size_t n = 0;
	bool refused = false;
	enum err e = store_space_list(ec, app->store, &list, &n);

	if (e == ERR_OK) {
		*out = calloc(n + 1, sizeof(**out));
		e = *out == NULL ? ERR_NO_MEMORY : store_begin(ec, app->store);
	}
	if (e != ERR_OK)
		goto done;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		bool asked = false;

		e = keys_one(ec, &y, &list[i], &(*out)[*count], &asked);
		*count += e == ERR_OK && asked;
		refused = refused || e == ERR_REFUSED;
		e = e == ERR_REFUSED ? ERR_OK : e;
	}
	e = within_end(ec, app, e);
	if (e == ERR_OK && *count > 0)
		err_clear(ec);
	if (e == ERR_OK && *count == 0)
		e = refused
		        ? ERR_REFUSED
		        : err_set(ec, ERR_REFUSED,
		                  "This home was not restored from a backup, and lacks no key: it is among the others "
		                  "already. Sync as always.",
		                  NULL, NULL, NULL);
done:
	free(list);
	if (e != ERR_OK) {
		free(*out);
		*out = NULL;
		*count = 0;
	}
	return e;
}

enum err app_rejoin(struct errctx *ec, struct app *app, struct rejoin_view **out, size_t *count)
{
	struct sync y = sync_of(app);
	struct restored r;
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = restored_get(ec, &y, &r);

	*out = NULL;
	*count = 0;
	if (e == ERR_OK && !r.is)
		return keys_ask(ec, app, out, count);
	if (e == ERR_OK)
		e = store_space_list(ec, app->store, &list, &n);
	if (e == ERR_OK) {
		*out = calloc(n + 1, sizeof(**out));
		e = *out == NULL ? ERR_NO_MEMORY : store_begin(ec, app->store);
	}
	if (e != ERR_OK)
		goto done;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		bool shown = false;

		if (list[i].state != SPACE_MEMBER)
			continue;
		e = rejoin_one(ec, &y, &list[i], &r, &(*out)[*count], &shown);
		*count += shown;
	}
	if (e == ERR_OK)
		e = restored_end(ec, &y);
	e = within_end(ec, app, e);
done:
	free(list);
	if (e != ERR_OK) {
		free(*out);
		*out = NULL;
		*count = 0;
	}
	return e;
}

enum err again_away(struct errctx *ec, struct store *store, int64_t space, bool *away)
{
	struct sync y = { .store = store };
	struct again a;
	enum err e = restored_away(ec, &y, space, away);

	if (e != ERR_OK || !*away)
		return e;
	e = again_load(ec, &y, space, &a);
	*away = a.stage != AGAIN_LEFT;
	return e;
}

enum err again_may_sync(struct errctx *ec, struct app *app)
{
	struct sync y = sync_of(app);
	struct restored r;
	struct space_row *list = NULL;
	size_t n = 0;
	bool asked = false;
	enum err e = restored_get(ec, &y, &r);

	if (e != ERR_OK || !r.is)
		return e;
	e = store_space_list(ec, app->store, &list, &n);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct again a;

		e = again_load(ec, &y, list[i].n, &a);
		asked = asked || a.stage != AGAIN_NONE;
	}
	free(list);
	return e != ERR_OK || asked ? e : restored_refuse(ec, &y);
}

enum err again_after_round(struct errctx *ec, struct app *app, bool *more)
{
	struct sync y = sync_of(app);
	size_t settled = 0;
	enum err e = store_begin(ec, app->store);

	if (e == ERR_OK)
		e = within_end(ec, app, again_settle(ec, &y, &settled));
	*more = settled > 0;
	return e;
}

/* One who wants to come back, by a letter of either sort: the other number is the place in its list. */
struct comer {
	bool keys;
	size_t at;
	size_t matches;
};

static void comer_look(struct comer *c, bool keys, size_t at, const char *full, const char *id)
{
	if (strncmp(full, id, strlen(id)) != 0)
		return;
	c->keys = keys;
	c->at = at;
	c->matches++;
}

struct comers {
	struct rejoin_row *again;
	struct rebox_row *keys;
	size_t again_count;
	size_t key_count;
};

static enum err comers_find(struct errctx *ec, struct sync *y, const char *id, struct comers *all, struct comer *one)
{
	enum err e = rejoin_list(ec, y, &all->again, &all->again_count);

	*one = (struct comer){ 0 };
	if (e == ERR_OK)
		e = rebox_list(ec, y, &all->keys, &all->key_count);
	for (size_t i = 0; e == ERR_OK && i < all->again_count; i++)
		comer_look(one, false, i, all->again[i].id, id);
	for (size_t i = 0; e == ERR_OK && i < all->key_count; i++)
		comer_look(one, true, i, all->keys[i].id, id);
	if (e == ERR_OK && one->matches > 1)
		e = err_set(ec, ERR_USAGE, "More than one record starts with %1. Type a few more characters.", id, NULL,
		            NULL);
	return e;
}

static void comers_free(struct comers *all)
{
	free(all->again);
	free(all->keys);
}

enum err again_approve(struct errctx *ec, struct app *app, const char *id, char name[static APP_NAME_MAX], bool *found)
{
	struct sync y = sync_of(app);
	struct comers all = { 0 };
	struct comer one;
	enum err e = comers_find(ec, &y, id, &all, &one);

	*found = one.matches > 0;
	if (e == ERR_OK && *found) {
		struct device_id dev = one.keys ? all.keys[one.at].device : all.again[one.at].old;

		app_author(app, (struct dot){ dev, 1 }, name);
		e = store_may_write(ec, app->store, one.keys ? all.keys[one.at].space : all.again[one.at].space);
		if (e == ERR_OK)
			e = store_begin(ec, app->store);
		if (e == ERR_OK)
			e = within_end(ec, app,
			               one.keys ? rebox_approve(ec, &y, &all.keys[one.at])
			                        : rejoin_approve(ec, &y, &all.again[one.at]));
	}
	comers_free(&all);
	return e;
}

enum err again_decline(struct errctx *ec, struct app *app, const char *id, char name[static APP_NAME_MAX], bool *found)
{
	struct sync y = sync_of(app);
	struct comers all = { 0 };
	struct comer one;
	enum err e = comers_find(ec, &y, id, &all, &one);

	*found = one.matches > 0;
	if (e == ERR_OK && *found) {
		struct device_id dev = one.keys ? all.keys[one.at].device : all.again[one.at].old;

		app_author(app, (struct dot){ dev, 1 }, name);
		e = store_begin(ec, app->store);
		if (e == ERR_OK)
			e = within_end(ec, app,
			               one.keys ? rebox_decline(ec, &y, &all.keys[one.at])
			                        : rejoin_decline(ec, &y, &all.again[one.at]));
	}
	comers_free(&all);
	return e;
}
