// SPDX-License-Identifier: EUPL-1.2
// Referrals: making and changing them. Nothing about a resident is shared without the consent that the kind needs.
#include "app/referrals.h"

#include <stdlib.h>
#include <string.h>

#include "app/dates.h"
#include "app/drafts.h"
#include "app/slip.h"
#include "app/within.h"

#define CODE_TRIES 20

_Static_assert(sizeof(((struct referral_made *)0)->code) == SLIP_LEN + 1, "a code fits");

/* A text copied out of a record into the editor's memory; NULL where there is none. */
static const char *kept_text(struct editor *ed, uint32_t tag)
{
	return ed->old == NULL ? NULL : shown_text(&ed->pool, ed->old, tag);
}

/* What the field will say after this edit. */
static const char *after(struct editor *ed, uint32_t tag, const char *given)
{
	if (given != NULL)
		return given[0] == '\0' ? NULL : given;
	return kept_text(ed, tag);
}

static bool is(const char *a, const char *b)
{
	return a != NULL && strcmp(a, b) == 0;
}

enum err referral_consent_rule(struct errctx *ec, const char *kind, const char *consent)
{
	bool written = is(consent, "schriftelijk");

	if (is(kind, "brief") && !written)
		return err_set(ec, ERR_REFUSED,
		               "A letter needs the resident's consent in writing. Ask for it, then give consent "
		               "\"schriftelijk\".",
		               NULL, NULL, NULL);
	if (is(kind, "aangemeld") && !written && !is(consent, "mondeling"))
		return err_set(ec, ERR_REFUSED,
		               "To introduce a resident you need their consent. Ask for it, then give consent "
		               "\"mondeling\" or \"schriftelijk\".",
		               NULL, NULL, NULL);
	return ERR_OK;
}

/* Consent rules; only looked at where kind or consent is given, and taking consent back is always possible. */
static enum err consent_check(struct editor *ed, const struct referral_fields *f, int64_t until, int64_t day)
{
	const char *kind = after(ed, F_referral_kind, f->kind);
	const char *consent = after(ed, F_referral_consent, f->consent);
	enum err e = ERR_OK;

	if (ed->old != NULL && f->kind == NULL && (f->consent == NULL || is(f->consent, "ingetrokken")))
		return ERR_OK;
	e = referral_consent_rule(ed->ec, kind, consent);
	if (e != ERR_OK)
		return e;
	if ((is(kind, "brief") || is(kind, "aangemeld")) && until != NO_DAY && until < day)
		return err_set(ed->ec, ERR_REFUSED, "The resident's consent has ended before this day. Ask again.",
		               NULL, NULL, NULL);
	return ERR_OK;
}

static enum err domain_put(struct editor *ed, const struct loaded *contact, const char *domain)
{
	struct words have = { 0 };

	if (domain == NULL && ed->old != NULL)
		return ERR_OK;
	if (domain == NULL && contact != NULL)
		have = shown_set(&ed->pool, &contact->record, F_contact_domains, LIST_domain);
	if (domain != NULL ? domain[0] == '\0' : have.n == 0)
		return err_set(ed->ec, ERR_USAGE, "A referral has exactly one life domain. Say which: --domain.", NULL,
		               NULL, NULL);
	if (domain != NULL ? strchr(domain, ',') != NULL : have.n > 1)
		return err_set(ed->ec, ERR_USAGE,
		               "A referral has exactly one life domain, and here are several. Say which: --domain.",
		               NULL, NULL, NULL);
	editor_id(ed, F_referral_domain, "domain", LIST_domain, domain != NULL ? domain : have.word[0]);
	return ERR_OK;
}

/* Reference, name and group of the service. */
static enum err service_put(struct editor *ed, const struct referral_fields *f)
{
	struct loaded service = { 0 };
	const char *name = f->service_name;
	const char *group = f->group;
	enum err e = ERR_OK;

	if (f->service != NULL) {
		e = within_load(ed->ec, ed->app, f->service, KIND_service, &service);
		if (e != ERR_OK)
			return e;
		editor_ref(ed, F_referral_service, service.record.id);
		name = shown_text(&ed->pool, &service.record, F_service_name);
		if (group == NULL)
			group = shown_text(&ed->pool, &service.record, F_service_group);
		if (group == NULL)
			group = "anders";
		store_loaded_free(&service);
	} else if (name != NULL) {
		if (name[strspn(name, " ")] == '\0')
			return err_set(ed->ec, ERR_INPUT, "Give the name of the organisation.", NULL, NULL, NULL);
		editor_ref(ed, F_referral_service, (struct dot){ 0 });
	} else if (ed->old == NULL) {
		return err_set(ed->ec, ERR_USAGE,
		               "Say to which organisation: --service, or --service-name and --group.", NULL, NULL,
		               NULL);
	}
	if (group != NULL ? group[0] == '\0' : ed->old == NULL)
		return err_set(ed->ec, ERR_USAGE, "An organisation by name needs its group: --group.", NULL, NULL,
		               NULL);
	/* a name from the directory, where any number is fine, was not typed here */
	editor_line(ed, F_referral_service_name, "service-name", name, f->service != NULL ? BSN_FINE : BSN_REFUSED);
	editor_id(ed, F_referral_group, "group", LIST_group, group);
	return ERR_OK;
}

/* Every field but date, events and code. `day`: on which the referral is made. */
static enum err fields_put(struct editor *ed, const struct loaded *contact, const struct referral_fields *f,
                           int64_t day)
{
	int64_t until = ed->old == NULL ? NO_DAY : shown_day(ed->old, F_referral_consent_until);
	enum err e = ERR_OK;

	if (ed->old == NULL ? f->kind == NULL || f->kind[0] == '\0' : is(f->kind, ""))
		return err_set(ed->ec, ERR_USAGE, "Say how you referred: --kind.", NULL, NULL, NULL);
	editor_id(ed, F_referral_kind, "kind", LIST_kind, f->kind);
	editor_id(ed, F_referral_consent, "consent", LIST_consent, f->consent);
	editor_line(ed, F_referral_consent_what, "consent-what", f->consent_what, BSN_REFUSED);
	editor_text(ed, F_referral_text, "text", f->text, BSN_REFUSED);
	if (f->consent_until != NULL) {
		until = NO_DAY;
		if (f->consent_until[0] != '\0')
			e = day_parse(ed->ec, "consent-until", f->consent_until, app_today(ed->app), &until);
		if (e == ERR_OK)
			editor_day(ed, F_referral_consent_until, until);
	}
	if (e == ERR_OK)
		e = domain_put(ed, contact, f->domain);
	if (e == ERR_OK)
		e = service_put(ed, f);
	if (e == ERR_OK)
		e = ed->failed;
	return e != ERR_OK ? e : consent_check(ed, f, until, day);
}

/* A code that no referral here has. */
static enum err code_new(struct errctx *ec, struct app *app, char out[static SLIP_LEN + 1])
{
	struct dot other = { 0 };

	for (int i = 0; i < CODE_TRIES; i++) {
		enum err e = ERR_OK;

		slip_new(app->rng, out);
		e = store_referral_by_code(ec, app->store, out, &other);
		if (e != ERR_OK)
			return e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	return err_set(ec, ERR_LATER, "No free slip code was found. Try again.", NULL, NULL, NULL);
}

enum err referral_make(struct errctx *ec, struct app *app, const struct referral_origin *from,
                       const struct referral_fields *f, struct referral_made *out)
{
	int64_t today = app_today(app);
	bool ahead = from->day > today;
	bool plan = ahead || from->plan;
	struct dot id = { 0 };
	struct editor ed;
	enum err e = ERR_OK;

	editor_new(&ed, app, ec);
	e = fields_put(&ed, from->contact, f, ahead ? today : from->day);
	if (e == ERR_OK)
		e = code_new(ec, app, out->code);
	if (e != ERR_OK) {
		editor_free(&ed);
		return e;
	}
	editor_line(&ed, F_referral_code, "code", out->code, BSN_FINE);
	editor_day(&ed, F_referral_date, from->day);
	if (from->contact != NULL)
		editor_ref(&ed, F_referral_contact, from->contact->record.id);
	if (from->follows != NULL)
		editor_ref(&ed, F_referral_follows, *from->follows);
	editor_event(&ed, F_referral_status, plan ? "plan" : "verstuurd", ahead ? today : from->day, NULL);
	e = editor_write(&ed, from->space, KIND_referral, &id);
	if (e == ERR_OK)
		dot_text(id, out->id);
	return e == ERR_OK ? draft_forget(ec, app, f->draft) : e;
}

enum err referral_add(struct errctx *ec, struct app *app, const char *contact, const struct referral_fields *f,
                      struct referral_made *out)
{
	struct loaded l = { 0 };
	struct referral_origin from = { .contact = &l, .day = app_today(app) };
	enum err e = within_load(ec, app, contact, KIND_contact, &l);

	*out = (struct referral_made){ 0 };
	if (e == ERR_OK && f->date != NULL)
		e = day_parse(ec, "date", f->date, from.day, &from.day);
	from.space = l.space;
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e == ERR_OK)
		e = within_end(ec, app, referral_make(ec, app, &from, f, out));
	store_loaded_free(&l);
	return e;
}

enum err referral_load(struct errctx *ec, struct app *app, const char *id, struct loaded *out)
{
	char code[SLIP_LEN + 1];
	struct dot d = { 0 };
	enum slip_reading reading = slip_read(id, code);
	struct errctx other = { 0 };
	enum err e = ERR_OK;

	*out = (struct loaded){ 0 };
	if (reading == SLIP_CODE && store_referral_by_code(NULL, app->store, code, &d) == ERR_OK) {
		e = store_load(ec, app->store, d, out);
		if (e == ERR_OK && record_is_erased(&out->record)) {
			store_loaded_free(out);
			e = err_set(ec, ERR_NOT_FOUND, "%1 has been erased.", id, NULL, NULL);
		}
		return e;
	}
	e = within_load(&other, app, id, KIND_referral, out);
	if (e == ERR_NOT_FOUND && reading == SLIP_CODE)
		return err_set(ec, e,
		               "No referral here has the code %1. Perhaps it was made on another device; sync first.",
		               code, NULL, NULL);
	if (e == ERR_NOT_FOUND && reading == SLIP_MISTYPED)
		return err_set(ec, ERR_INPUT, "There is a typing error in the code %1. Look at the slip again.", id,
		               NULL, NULL);
	if (e != ERR_OK && ec->code == ERR_OK)
		*ec = other;
	return e;
}

/* A wrong date is put right in the first event too, because that is what is counted. An edit carries one event, so
 * the old one is taken back by an edit of its own. */
static enum err date_move(struct errctx *ec, struct app *app, const struct loaded *l, int64_t day)
{
	struct event *events = NULL;
	size_t count = 0;
	bool ahead = day > app_today(app);
	struct editor ed;
	enum err e = record_events(&l->record, F_referral_status, &events, &count);

	editor_of(&ed, app, ec, &l->record);
	if (e == ERR_OK && count > 0 && !ahead && events[0].status.len == 9 &&
	    memcmp(events[0].status.data, "verstuurd", 9) == 0 &&
	    events[0].date == shown_day(&l->record, F_referral_date)) {
		editor_retract(&ed, F_referral_status, events[0].dot);
		e = editor_write(&ed, l->space, KIND_none, NULL);
		editor_of(&ed, app, ec, &l->record);
		editor_event(&ed, F_referral_status, "verstuurd", day, NULL);
	}
	free(events);
	if (e != ERR_OK) {
		editor_free(&ed);
		return e == ERR_NO_MEMORY ? within_no_memory(ec) : e;
	}
	editor_day(&ed, F_referral_date, day);
	return editor_write(&ed, l->space, KIND_none, NULL);
}

static enum err edit_write(struct errctx *ec, struct app *app, const struct loaded *l, const struct referral_fields *f)
{
	int64_t today = app_today(app);
	int64_t day = NO_DAY;
	struct editor ed;
	enum err e = ERR_OK;

	editor_of(&ed, app, ec, &l->record);
	editor_read_with(&ed, &f->reading);
	e = fields_put(&ed, NULL, f, today);
	if (e == ERR_OK && f->date != NULL)
		e = day_parse(ec, "date", f->date, today, &day);
	if (e != ERR_OK) {
		editor_free(&ed);
		return e;
	}
	e = editor_write(&ed, l->space, KIND_none, NULL);
	if (e == ERR_OK && day != NO_DAY && day != shown_day(&l->record, F_referral_date))
		e = date_move(ec, app, l, day);
	return e == ERR_OK ? draft_forget(ec, app, f->draft) : e;
}

enum err referral_edit(struct errctx *ec, struct app *app, const char *id, const struct referral_fields *f,
                       char out[static ID_TEXT_LEN])
{
	struct loaded l = { 0 };
	enum err e = referral_load(ec, app, id, &l);

	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e == ERR_OK)
		e = within_end(ec, app, edit_write(ec, app, &l, f));
	if (e == ERR_OK)
		dot_text(l.record.id, out);
	store_loaded_free(&l);
	return e;
}
