// SPDX-License-Identifier: EUPL-1.2
// Exchanges, founding and joining: calls of the program, each of which may be the last of its process.
#include "sim/act.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/again.h"
#include "app/removing.h"
#include "app/spaces.h"
#include "sim/must.h"

void act_arm(struct player *p, uint64_t steps)
{
	uint64_t n = 1 + random_below(&p->w->rnd, steps);

	world_say(p->w, "  (device %u may die at step %llu from here)", p->number, (unsigned long long)n);
	disk_die_after(p->disk, n);
}

static bool loses_power(struct world *w)
{
	return w->loss == 2 || (w->loss == 0 && random_chance(&w->rnd, 60));
}

enum err act_end(struct player *p, enum err e)
{
	struct world *w = p->w;

	if (p->inner) { /* within another call of its own, which deals with what went wrong */
		if (!disk_dead(p->disk))
			world_watch(p);
		return disk_dead(p->disk) ? ERR_IO : e;
	}
	p->busy = false;
	if (disk_dead(p->disk)) {
		world_recover(p, loses_power(w));
		return ERR_IO;
	}
	if (!w->steady)
		disk_die_after(p->disk, 0);
	/* a write that failed may leave the vault closed to writing (V6): people open it again */
	if (disk_was_full(p->disk)) {
		disk_full_after(p->disk, 0);
		world_reopen(p);
		return e;
	}
	disk_full_after(p->disk, 0);
	world_watch(p);
	return e;
}

/* A bug of the program or of the simulator, where nothing was made to fail. */
static void expect(struct player *p, enum err e, const struct errctx *ec, const char *what)
{
	char text[512];

	if (e == ERR_DAMAGED || e == ERR_NO_MEMORY ||
	    ((e == ERR_IO || e == ERR_NO_SPACE) && !disk_dead(p->disk) && !disk_was_full(p->disk)))
		must_fail("device %u, %s: error %d: %s", p->number, what, (int)e,
		          ec->code == ERR_OK ? "" : err_text(ec, NULL, text, sizeof(text)));
}

/* Closing moves the log into the database, and opening reads it: it may die in both. */
void act_reopen(struct player *p)
{
	struct errctx ec = { 0 };
	enum err e = ERR_OK;

	world_say(p->w, "device %u closes and opens", p->number);
	app_close(p->app);
	p->app = NULL;
	e = world_open(p, &ec);
	if (disk_dead(p->disk)) {
		world_recover(p, loses_power(p->w));
		return;
	}
	if (e != ERR_OK && disk_was_full(p->disk)) {
		disk_full_after(p->disk, 0);
		e = world_open(p, &ec);
	}
	expect(p, e, &ec, "open");
	act_end(p, e);
}

enum err act_sync(struct player *p, struct sync_view *view)
{
	struct errctx ec = { 0 };
	struct sync_view v = { 0 };
	enum err e = ERR_OK;

	p->busy = true;
	world_say(p->w, "device %u syncs", p->number);
	e = app_sync(&ec, p->app, &v);
	if (!disk_dead(p->disk) && e == ERR_NOT_FOUND)
		must_fail("device %u, sync: something is missing", p->number);
	if (!disk_dead(p->disk))
		expect(p, e, &ec, "sync");
	world_say(p->w, "  error %d, result %d, received %llu, sent %llu, aside %llu%s%s%s%s", (int)e, (int)v.result,
	          (unsigned long long)v.received, (unsigned long long)v.sent, (unsigned long long)v.set_aside,
	          v.why[0] != '\0' ? ", " : "", v.why, v.notice[0] != '\0' ? ", " : "", v.notice);
	if (view != NULL)
		*view = v;
	return act_end(p, e);
}

bool act_found(struct player *p, const char *name, const char *remote)
{
	struct errctx ec = { 0 };
	enum err e = ERR_OK;

	p->busy = true;
	world_say(p->w, "device %u founds %s", p->number, name);
	e = remote != NULL ? app_found_neighbourhood(&ec, p->app, name, remote) : app_found_circle(&ec, p->app, name);
	if (!disk_dead(p->disk))
		expect(p, e, &ec, "found");
	return act_end(p, e) == ERR_OK;
}

static bool invite(struct player *by, const struct invite_ask *ask, struct invite_view *v)
{
	struct errctx ec = { 0 };
	enum err e = ERR_OK;

	by->busy = true;
	e = app_invite(&ec, by->app, ask, v);
	if (!disk_dead(by->disk))
		expect(by, e, &ec, "invite");
	if (act_end(by, e) == ERR_OK)
		return true;
	if (e == ERR_OK)
		buf_free(&v->text);
	return false;
}

static bool join(struct player *who, struct bytes text, bool bring)
{
	struct errctx ec = { 0 };
	struct join_view name;
	enum err e = ERR_OK;

	who->busy = true;
	e = app_join(&ec, who->app, (const char *)text.data, text.len, bring, &name);
	if (!disk_dead(who->disk))
		expect(who, e, &ec, "join");
	return act_end(who, e) == ERR_OK;
}

bool act_invite(struct player *by, struct player *who, const char *space)
{
	struct invite_view v = { 0 };
	bool done = false;

	if (!invite(by, &(struct invite_ask){ .space = space }, &v))
		return false;
	done = join(who, buf_bytes(&v.text), false);
	who->in_vain = who->in_vain && !done;
	world_say(by->w, "device %u invited device %u to %s: %s", by->number, who->number, space,
	          done ? "asked" : "not used");
	buf_free(&v.text);
	return done;
}

bool act_invite_device(struct player *by, struct player *who)
{
	struct invite_view v = { 0 };
	bool done = false;

	if (!invite(by, &(struct invite_ask){ .device = true }, &v))
		return false;
	done = join(who, buf_bytes(&v.text), true);
	world_say(by->w, "device %u is to be another one of device %u's person: %s", who->number, by->number,
	          done ? "asked" : "not used");
	buf_free(&v.text);
	return done;
}

/* The ids of a device's open invitations to a space (NULL: to any); how many. */
static size_t open_invites(struct player *by, const char *space, char (*ids)[17], size_t room)
{
	struct open_invite *list = NULL;
	size_t n = 0;
	size_t open = 0;

	must(app_invites(NULL, by->app, &list, &n) == ERR_OK, "invitations cannot be listed");
	for (size_t i = 0; i < n && open < room; i++) {
		if ((space == NULL || strcmp(list[i].space, space) == 0) && strcmp(list[i].state, "open") == 0)
			strcpy(ids[open++], list[i].id);
	}
	free(list);
	return open;
}

bool act_invites_open(struct player *by)
{
	char ids[1][17];

	return open_invites(by, NULL, ids, 1) > 0;
}

bool act_invite_withdrawn(struct player *by, struct player *who, const char *space)
{
	struct errctx ec = { 0 };
	char ids[2][17];
	bool first = open_invites(by, space, ids, 2) == 0;
	enum err e = ERR_OK;

	if (!act_invite(by, who, space))
		return false;
	if (!first || open_invites(by, space, ids, 2) != 1)
		return true;
	by->w->refusals = true;
	by->busy = true;
	world_say(by->w, "device %u withdraws the invitation %s", by->number, ids[0]);
	e = app_invite_withdraw(&ec, by->app, ids[0]);
	e = act_end(by, e);
	who->in_vain = e == ERR_OK;
	return true;
}

bool act_request(struct player *who, const char *remote)
{
	struct errctx ec = { 0 };
	uint8_t fingerprint[FINGERPRINT_LEN];
	enum err e = ERR_OK;

	who->busy = true;
	world_say(who->w, "device %u asks to join %s", who->number, remote);
	e = app_join_request(&ec, who->app, remote, fingerprint);
	if (!disk_dead(who->disk))
		expect(who, e, &ec, "request");
	return act_end(who, e) == ERR_OK;
}

bool act_rejoin(struct player *p)
{
	struct errctx ec = { 0 };
	struct rejoin_view *list = NULL;
	size_t n = 0;
	enum err e = ERR_OK;

	p->busy = true;
	e = app_rejoin(&ec, p->app, &list, &n);
	world_say(p->w, "device %u asks to come back: %d, %zu spaces", p->number, (int)e, n);
	if (!disk_dead(p->disk) && (e == ERR_NOT_FOUND || e == ERR_LATER))
		must_fail("device %u cannot ask to come back: error %d", p->number, (int)e);
	if (!disk_dead(p->disk))
		expect(p, e, &ec, "rejoin");
	free(list);
	return act_end(p, e) == ERR_OK;
}

/* A restored home believes those alone whom it knew when the backup was made: the answer of another one is set aside
 * there, and nobody can give a second (docs/TESTING.md, `back-by-new`). */
static bool may_answer(struct player *by, const struct member_view *m)
{
	bool may = true;

	for (size_t i = 0; i < by->w->players && m->backup[0] != '\0' && may; i++) {
		struct player *back = &by->w->player[i];
		struct space_row here;
		struct space_row there;
		struct device_row row;

		if (!world_given_up(back) && world_space(by, m->space, &here) && world_space(back, m->space, &there) &&
		    world_away(back, &there))
			may = store_device_by_id(NULL, back->app->store, here.me, &row) == ERR_OK &&
			      row.state == DEVICE_ACTIVE;
	}
	return may;
}

/* Does somebody ask with these six words? Else two people would compare different ones. */
static bool words_asked(struct world *w, const uint8_t *words)
{
	bool found = false;

	for (size_t i = 0; i < w->players && !found; i++) {
		struct asked_view *list = NULL;
		size_t n = 0;

		if (w->player[i].app == NULL || disk_dead(w->player[i].disk))
			continue;
		must(app_asked(NULL, w->player[i].app, &list, &n) == ERR_OK, "what was asked for cannot be listed");
		for (size_t k = 0; k < n; k++)
			found = found || memcmp(list[k].fingerprint, words, FINGERPRINT_LEN) == 0;
		free(list);
	}
	return found;
}

bool act_approve(struct player *by)
{
	struct errctx ec = { 0 };
	struct member_view *list = NULL;
	char name[128];
	size_t n = 0;
	bool any = false;
	enum err e = ERR_OK;

	by->busy = true;
	e = app_members(&ec, by->app, NULL, &list, &n);
	for (size_t i = 0; e == ERR_OK && i < n && !any; i++) {
		if (strcmp(list[i].status, "requested") != 0 || list[i].me || !may_answer(by, &list[i]))
			continue;
		world_say(by->w, "device %u approves %s", by->number, list[i].id);
		any = true;
		if (list[i].device && !by->w->forged && !words_asked(by->w, list[i].fingerprint))
			must_fail("device %u: nobody asked with these six words", by->number);
		e = app_approve(&ec, by->app, list[i].id, "Gast", name);
	}
	if (!disk_dead(by->disk))
		expect(by, e, &ec, "approve");
	app_members_free(list, n);
	return act_end(by, e) == ERR_OK && any;
}

/* --- removing --- */

static bool remove_member(struct player *by, const struct member_view *m)
{
	struct errctx ec = { 0 };
	struct removed_view v = { 0 };
	char text[512];
	enum err e = ERR_OK;

	by->busy = true;
	e = app_member_remove(&ec, by->app, m->id, &v);
	world_say(by->w, "device %u removes %s (%s) from %s: %d %s", by->number, m->id, m->name, m->space, (int)e,
	          ec.code == ERR_OK ? "" : err_text(&ec, NULL, text, sizeof(text)));
	if (!disk_dead(by->disk))
		expect(by, e, &ec, "remove");
	if (e == ERR_OK && by->w->removals_left > 0)
		by->w->removals_left--;
	by->w->refusals = true;
	return act_end(by, e) == ERR_OK;
}

bool act_remove(struct player *by)
{
	struct errctx ec = { 0 };
	struct member_view *list = NULL;
	size_t n = 0;
	size_t fit = 0;
	size_t pick = 0;
	bool done = false;

	/* a copy of it may be all that is left: `twins-apart` */
	if (world_unsure(by) || app_members(&ec, by->app, NULL, &list, &n) != ERR_OK)
		return false;
	for (size_t i = 0; i < n; i++) {
		/* oneself seldom */
		if (strcmp(list[i].status, "member") == 0 && (!list[i].me || random_chance(&by->w->rnd, 15)) &&
		    random_below(&by->w->rnd, ++fit) == 0)
			pick = i;
	}
	done = fit > 0 && remove_member(by, &list[pick]);
	app_members_free(list, n);
	return done;
}

bool act_remove_from(struct player *by, struct player *who, const char *space)
{
	struct errctx ec = { 0 };
	struct member_view *list = NULL;
	struct space_row row;
	size_t n = 0;
	bool done = false;

	if (world_unsure(by) || !world_space(who, space, &row) || app_members(&ec, by->app, space, &list, &n) != ERR_OK)
		return false;
	for (size_t i = 0; i < n && !done; i++) {
		struct dot id;
		struct device_row dev;

		if (dot_parse(list[i].id, &id) && store_device_by_id(NULL, by->app->store, row.me, &dev) == ERR_OK &&
		    dot_cmp(dev.member, id) == 0) {
			done = remove_member(by, &list[i]);
			break;
		}
	}
	app_members_free(list, n);
	return done;
}
