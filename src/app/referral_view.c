// SPDX-License-Identifier: EUPL-1.2
// Referrals as people read them.
#include <stdlib.h>

#include "app/dates.h"
#include "app/referrals.h"
#include "app/residents.h"
#include "app/within.h"

static enum err events_view(struct app *app, struct pool *p, const struct record *r, struct referral *out)
{
	struct event *events = NULL;
	struct loop_event *loop = NULL;
	size_t count = 0;
	enum err e = record_events(r, F_referral_status, &events, &count);

	if (e == ERR_OK && count > 0) {
		out->event = pool_take(p, count * sizeof(*out->event));
		loop = pool_take(p, count * sizeof(*loop));
		e = p->failed ? ERR_NO_MEMORY : ERR_OK;
	}
	for (size_t i = 0; i < count && e == ERR_OK; i++) {
		struct referral_event *to = &out->event[i];
		char name[APP_NAME_MAX];

		app_author(app, events[i].dot, name);
		*to = (struct referral_event){ .n = i + 1,
			                       .status = pool_text(p, events[i].status),
			                       .date = events[i].date,
			                       .author = pool_str(p, name) };
		if (events[i].reason.len > 0)
			to->reason = pool_text(p, events[i].reason);
		e = p->failed ? ERR_NO_MEMORY : ERR_OK;
		loop[i] = (struct loop_event){ .status = to->status, .day = to->date, .reason = to->reason };
	}
	free(events);
	if (e == ERR_OK) {
		out->events = count;
		out->loop = loop_read(loop, count, app_today(app));
	}
	return e;
}

static enum err view(struct app *app, struct pool *p, const struct loaded *l, struct referral *out)
{
	const struct record *r = &l->record;
	struct loaded contact = { 0 };
	bool never = false;
	enum err e = ERR_OK;

	*out = (struct referral){
		.id = shown_id(p, r->id),
		.code = shown_text(p, r, F_referral_code),
		.contact = shown_ref_id(p, r, F_referral_contact),
		.service = shown_ref_id(p, r, F_referral_service),
		.service_name = shown_text(p, r, F_referral_service_name),
		.group = shown_text(p, r, F_referral_group),
		.kind = shown_text(p, r, F_referral_kind),
		.domain = shown_text(p, r, F_referral_domain),
		.consent = shown_text(p, r, F_referral_consent),
		.consent_what = shown_text(p, r, F_referral_consent_what),
		.consent_until = shown_day(r, F_referral_consent_until),
		.date = shown_day(r, F_referral_date),
		.text = shown_text(p, r, F_referral_text),
		.changed = shown_text(p, r, F_referral_changed),
		.follows = shown_ref_id(p, r, F_referral_follows),
		.circle = within_space_name(p, app, l->space),
		.two = record_two_versions(r),
	};
	if (within_peek(app, shown_ref(r, F_referral_contact), KIND_contact, &contact)) {
		out->resident = resident_nick(p, app, shown_ref(&contact.record, F_contact_resident), &never);
		out->resident_erased =
		    out->resident == NULL && within_gone(app, shown_ref(&contact.record, F_contact_resident));
		store_loaded_free(&contact);
	} else {
		out->contact_erased = within_gone(app, shown_ref(r, F_referral_contact));
	}
	e = events_view(app, p, r, out);
	return e != ERR_OK ? e : shown_versions(p, app, r, &out->versions);
}

enum err referral_show(struct errctx *ec, struct app *app, const char *id, struct referral_list *out)
{
	struct loaded l = { 0 };
	enum err e = referral_load(ec, app, id, &l);

	*out = (struct referral_list){ 0 };
	if (e == ERR_OK) {
		out->item = pool_take(&out->pool, sizeof(*out->item));
		out->n = 1;
		e = out->item == NULL ? ERR_NO_MEMORY : view(app, &out->pool, &l, out->item);
	}
	store_loaded_free(&l);
	return within_pool(ec, &out->pool, e);
}

enum err referral_list_of(struct errctx *ec, struct app *app, const struct dots *ids, struct referral_list *out)
{
	enum err e = ERR_OK;

	*out = (struct referral_list){ 0 };
	if (ids->n == 0)
		return ERR_OK;
	out->item = pool_take(&out->pool, ids->n * sizeof(*out->item));
	e = out->item == NULL ? ERR_NO_MEMORY : ERR_OK;
	for (size_t i = 0; i < ids->n && e == ERR_OK; i++) {
		struct loaded l = { 0 };

		if (within_peek(app, ids->d[i], KIND_referral, &l)) {
			e = view(app, &out->pool, &l, &out->item[out->n++]);
			store_loaded_free(&l);
		}
	}
	return within_pool(ec, &out->pool, e);
}

enum err referral_list_some(struct errctx *ec, struct app *app, const struct referral_query *q,
                            struct referral_list *out)
{
	struct dots ids = { 0 };
	int64_t space = 0;
	enum err e = within_circle_filter(ec, app, q->circle, &space);

	*out = (struct referral_list){ 0 };
	if (e == ERR_OK)
		e = store_referrals(ec, app->store, space, q->open, q->silent, app_today(app) - SILENT_DAYS - 1, &ids);
	if (e == ERR_OK)
		e = referral_list_of(ec, app, &ids, out);
	dots_free(&ids);
	return e;
}

void referral_list_free(struct referral_list *list)
{
	pool_free(&list->pool);
	*list = (struct referral_list){ 0 };
}
