// SPDX-License-Identifier: EUPL-1.2
// What happened to a referral: one event at a time, never overwriting another; a mistake is taken back by an event.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/dates.h"
#include "app/referrals.h"
#include "app/within.h"

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* May these go together? */
static enum err form_check(struct errctx *ec, const struct status_change *s)
{
	const struct referral_fields *n = &s->next;
	enum err e = check_id(ec, "status", LIST_status, s->status);
	bool onward = false;

	if (e != ERR_OK)
		return e;
	onward = is(s->status, "doorgestuurd");
	if (is(s->status, "niet_gelukt") && s->reason == NULL)
		return err_set(ec, ERR_USAGE, "Say why it did not work: --reason.", NULL, NULL, NULL);
	if (!is(s->status, "niet_gelukt") && s->reason != NULL)
		return err_set(ec, ERR_USAGE, "A reason goes only with the status \"niet_gelukt\".", NULL, NULL, NULL);
	if (!is(s->status, "fout") && s->event != NULL)
		return err_set(ec, ERR_USAGE, "The number of an event goes only with the status \"fout\".", NULL, NULL,
		               NULL);
	if (is(s->status, "fout") && (s->date != NULL || s->changed != NULL || n->text != NULL))
		return err_set(ec, ERR_USAGE, "\"fout\" takes an event back; it has no date or text of its own.", NULL,
		               NULL, NULL);
	if (s->changed != NULL && !loop_ends(s->status))
		return err_set(ec, ERR_USAGE, "Ask what changed when it ends: with \"%1\" it goes on.", s->status, NULL,
		               NULL);
	if (onward && n->service == NULL && (n->service_name == NULL || n->group == NULL))
		return err_set(ec, ERR_USAGE, "Say to which organisation: --service, or --service-name and --group.",
		               NULL, NULL, NULL);
	if (!onward && (n->service != NULL || n->service_name != NULL || n->group != NULL || n->kind != NULL ||
	                n->domain != NULL || n->consent != NULL || n->consent_what != NULL || n->consent_until != NULL))
		return err_set(ec, ERR_USAGE,
		               "Another organisation, domain or consent goes only with \"doorgestuurd\". Change this "
		               "referral with referral edit.",
		               NULL, NULL, NULL);
	if (s->reason != NULL)
		e = check_id(ec, "reason", LIST_reason, s->reason);
	return e;
}

/* Event number `text` of those that stand, the last one where it is NULL. */
static enum err event_find(struct errctx *ec, const struct record *r, const char *text, struct dot *out)
{
	struct event *events = NULL;
	size_t count = 0;
	size_t n = 0;
	char last[24];
	enum err e = record_events(r, F_referral_status, &events, &count);

	if (e != ERR_OK)
		return within_no_memory(ec);
	n = count;
	if (text != NULL) {
		n = 0;
		for (const char *p = text; *p != '\0'; p++) {
			if (*p < '0' || *p > '9' || n > count) {
				n = 0;
				break;
			}
			n = n * 10 + (size_t)(*p - '0');
		}
	}
	snprintf(last, sizeof(last), "%zu", count);
	if (count == 0)
		e = err_set(ec, ERR_USAGE, "This referral has no events that could be taken back.", NULL, NULL, NULL);
	else if (n == 0 || n > count)
		e = err_set(ec, ERR_NOT_FOUND, "There is no event %1. The events are numbered from 1 to %2.",
		            text == NULL ? "" : text, last, NULL);
	else
		*out = events[n - 1].dot;
	free(events);
	return e;
}

static enum err event_write(struct errctx *ec, struct app *app, const struct loaded *l, const struct status_change *s,
                            int64_t day)
{
	struct dot wrong = { 0 };
	struct editor ed;
	enum err e = ERR_OK;

	editor_of(&ed, app, ec, &l->record);
	if (is(s->status, "fout")) {
		e = event_find(ec, &l->record, s->event, &wrong);
		if (e == ERR_OK)
			editor_retract(&ed, F_referral_status, wrong);
	} else {
		editor_event(&ed, F_referral_status, s->status, day, s->reason);
		editor_id(&ed, F_referral_changed, "changed", LIST_changed, s->changed);
		if (!is(s->status, "doorgestuurd"))
			editor_text(&ed, F_referral_text, "text", s->next.text, BSN_REFUSED);
	}
	if (e != ERR_OK) {
		editor_free(&ed);
		return e;
	}
	return editor_write(&ed, l->space, KIND_none, NULL);
}

/* The referral to the organisation that it was sent on to. Consent was given for another organisation, so it does not
 * carry over; without a kind it is `info`, which needs none. */
static enum err next_write(struct errctx *ec, struct app *app, const struct loaded *l, const struct status_change *s,
                           int64_t day, struct referral_made *made)
{
	struct pool pool = { 0 };
	struct loaded contact = { 0 };
	bool has_contact = within_peek(app, shown_ref(&l->record, F_referral_contact), KIND_contact, &contact);
	struct referral_fields f = s->next;
	struct referral_origin from = {
		.contact = has_contact ? &contact : NULL, .space = l->space, .follows = &l->record.id, .day = day
	};
	enum err e = ERR_OK;

	if (f.kind == NULL)
		f.kind = "info";
	if (f.domain == NULL)
		f.domain = shown_text(&pool, &l->record, F_referral_domain);
	e = within_pool(ec, &pool, e);
	if (e == ERR_OK)
		e = referral_make(ec, app, &from, &f, made);
	store_loaded_free(&contact);
	pool_free(&pool);
	return e;
}

enum err referral_status(struct errctx *ec, struct app *app, const char *id, const struct status_change *s,
                         char out[static ID_TEXT_LEN], struct referral_made *made)
{
	struct loaded l = { 0 };
	int64_t day = app_today(app);
	enum err e = form_check(ec, s);

	*made = (struct referral_made){ 0 };
	if (e == ERR_OK && s->date != NULL)
		e = day_parse(ec, "date", s->date, day, &day);
	if (e == ERR_OK)
		e = referral_load(ec, app, id, &l);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e == ERR_OK) {
		e = event_write(ec, app, &l, s, day);
		if (e == ERR_OK && is(s->status, "doorgestuurd"))
			e = next_write(ec, app, &l, s, day, made);
		e = within_end(ec, app, e);
	}
	if (e == ERR_OK)
		dot_text(l.record.id, out);
	store_loaded_free(&l);
	return e;
}
