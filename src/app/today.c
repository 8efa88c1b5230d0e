// SPDX-License-Identifier: EUPL-1.2
// The first screen. Follow-up is the main job, so it comes first.
#include "app/today.h"

#include <stdlib.h>
#include <string.h>

#include "app/within.h"

/* Keeps what `keep` says, in order. */
static void keep_reachable(struct contact_list *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (!list->item[i].resident_never)
			list->item[n++] = list->item[i];
	}
	list->n = n;
}

static void keep_due_plans(struct referral_list *list, int64_t day)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		const struct referral *r = &list->item[i];

		if (r->loop.status != NULL && strcmp(r->loop.status, "plan") == 0 && r->date <= day)
			list->item[n++] = *r;
	}
	list->n = n;
}

static void keep_old(struct retention_list *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		if (list->item[i].reminded > 0 || list->item[i].due > 0)
			list->item[n++] = list->item[i];
	list->n = n;
}

enum err today_read(struct errctx *ec, struct app *app, struct today *out)
{
	struct dots due = { 0 };
	struct dots two = { 0 };
	struct aside_row *aside = NULL;
	enum err e = ERR_OK;

	*out = (struct today){ .day = app_today(app) };
	e = store_follow_ups(ec, app->store, out->day, &due);
	if (e == ERR_OK)
		e = contact_list_of(ec, app, &due, &out->follow_ups);
	if (e == ERR_OK)
		e = referral_list_some(ec, app, &(struct referral_query){ .open = true }, &out->plans);
	if (e == ERR_OK)
		e = referral_list_some(ec, app, &(struct referral_query){ .silent = true }, &out->silent);
	if (e == ERR_OK)
		e = store_two_versions(ec, app->store, &two);
	if (e == ERR_OK)
		e = store_aside_list(ec, app->store, &aside, &out->set_aside);
	if (e == ERR_OK)
		e = retention_show(ec, app, NULL, &out->retention);
	if (e == ERR_OK) {
		keep_reachable(&out->follow_ups);
		keep_due_plans(&out->plans, out->day);
		keep_old(&out->retention);
		out->two_versions = two.n;
	}
	free(aside);
	dots_free(&due);
	dots_free(&two);
	return e;
}

void today_free(struct today *t)
{
	contact_list_free(&t->follow_ups);
	referral_list_free(&t->plans);
	referral_list_free(&t->silent);
	retention_list_free(&t->retention);
	*t = (struct today){ 0 };
}
