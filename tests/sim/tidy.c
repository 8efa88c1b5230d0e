// SPDX-License-Identifier: EUPL-1.2
// What people do about what must go: erasing, contesting that, saying yes to it, compacting (K3).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/compact.h"
#include "app/erase.h"
#include "sim/act.h"
#include "sim/must.h"

static enum err tidy_end(struct player *p, const char *what, const struct errctx *ec, size_t rows, enum err e)
{
	char text[512];

	world_say(p->w, "device %u: %s: %d %s", p->number, what, (int)e,
	          ec->code == ERR_OK ? "" : err_text(ec, NULL, text, sizeof(text)));
	if ((e == ERR_DAMAGED || e == ERR_IO || e == ERR_NO_MEMORY || e == ERR_NO_SPACE) && !disk_dead(p->disk) &&
	    !disk_was_full(p->disk))
		must_fail("device %u: %s fails with error %d: %s", p->number, what, (int)e,
		          ec->code == ERR_OK ? "" : err_text(ec, NULL, text, sizeof(text)));
	if (e != ERR_OK && !disk_dead(p->disk) && !disk_was_full(p->disk)) {
		act_end(p, e);
		if (p->rows != rows)
			must_fail("device %u: %s was refused and wrote all the same (V6)", p->number, what);
		return e;
	}
	return act_end(p, e);
}

bool act_erase(struct player *p)
{
	static const uint32_t kinds[] = { KIND_contact, KIND_contact, KIND_resident, KIND_referral };
	char id[DOT_TEXT_LEN];
	struct erased_view v = { 0 };
	struct errctx ec = { 0 };
	size_t rows = p->rows;

	if (!act_some_id(p, kinds[random_below(&p->w->rnd, 4)],
	                 random_chance(&p->w->rnd, 80) ? SPACE_CIRCLE : SPACE_OWN, id))
		return act_end(p, ERR_NOT_FOUND) == ERR_OK;
	p->busy = true;
	return tidy_end(p, "erase", &ec, rows, app_erase(&ec, p->app, id, random_chance(&p->w->rnd, 30), &v)) == ERR_OK;
}

bool act_contest(struct player *p)
{
	struct erase_list list = { 0 };
	struct erased_view v = { 0 };
	struct errctx ec = { 0 };
	char id[ID_TEXT_LEN] = "";
	uint64_t fit = 0;
	size_t rows = p->rows;

	if (app_erase_list(&ec, p->app, &list) != ERR_OK)
		return act_end(p, ERR_IO) == ERR_OK;
	for (size_t i = 0; i < list.n; i++) {
		if (strcmp(list.item[i].state, "final") != 0 && strcmp(list.item[i].state, "void") != 0 &&
		    random_below(&p->w->rnd, ++fit) == 0)
			snprintf(id, sizeof(id), "%s", list.item[i].id);
	}
	erase_list_free(&list);
	if (fit == 0)
		return act_end(p, ERR_NOT_FOUND) == ERR_OK;
	p->busy = true;
	return tidy_end(p, "erase contest", &ec, rows, app_erase_contest(&ec, p->app, id, &v)) == ERR_OK;
}

bool act_confirm(struct player *p)
{
	struct errctx ec = { 0 };
	size_t records = 0;
	size_t rows = p->rows;

	p->busy = true;
	return tidy_end(p, "erase confirm", &ec, rows, app_erase_confirm(&ec, p->app, NULL, &records)) == ERR_OK;
}

bool act_compact(struct player *p)
{
	struct compact_view v = { 0 };
	struct errctx ec = { 0 };
	enum err e = ERR_OK;
	char text[512];

	p->busy = true;
	world_say(p->w, "device %u compacts", p->number);
	if (p->away)
		return act_end(p, ERR_LATER) == ERR_OK;
	e = app_compact(&ec, p->app, false, &v);
	if ((e == ERR_DAMAGED || e == ERR_NO_MEMORY) && !disk_dead(p->disk))
		must_fail("device %u: compact fails with error %d: %s", p->number, (int)e,
		          ec.code == ERR_OK ? "" : err_text(&ec, NULL, text, sizeof(text)));
	compact_view_free(&v);
	return act_end(p, e) == ERR_OK;
}
