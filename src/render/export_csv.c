// SPDX-License-Identifier: EUPL-1.2
// The CSV files of an export, one a kind. Their columns are the names that --json has.
#include <string.h>

#include "app/dates.h"
#include "render/csv.h"
#include "render/export_parts.h"

/* --- one row in the making --- */

struct line {
	struct buf text;
	bool begun;
	enum err e;
};

static void cell(struct line *l, const char *text)
{
	if (l->e == ERR_OK)
		l->e = csv_put_text(&l->text, text == NULL ? "" : text, !l->begun);
	l->begun = true;
}

static void day_cell(struct line *l, int64_t day)
{
	char text[DAY_TEXT_LEN];

	day_text(day, text);
	cell(l, text);
}

static void yes_cell(struct line *l, bool yes)
{
	cell(l, yes ? "true" : "false");
}

static void number_cell(struct line *l, size_t n)
{
	if (l->e == ERR_OK)
		l->e = csv_put_number(&l->text, (int64_t)n, !l->begun);
	l->begun = true;
}

static void words_cell(struct line *l, const struct words *w)
{
	struct buf all = { 0 };

	for (size_t i = 0; i < w->n && l->e == ERR_OK; i++) {
		l->e = i > 0 ? buf_put_byte(&all, ',') : ERR_OK;
		if (l->e == ERR_OK)
			l->e = buf_put_str(&all, w->word[i]);
	}
	if (l->e == ERR_OK)
		l->e = buf_terminate(&all);
	cell(l, l->e == ERR_OK ? (const char *)all.data : "");
	buf_free(&all);
}

/* Writes the row and frees it. */
static enum err put(struct export_sink *s, enum export_file f, struct line *l)
{
	enum err e = l->e == ERR_OK ? csv_put_end(&l->text) : l->e;

	if (e == ERR_OK) {
		fwrite(l->text.data, 1, l->text.len, s->file[f]);
		s->rows[f]++;
	}
	buf_free(&l->text);
	return e;
}

/* --- headers --- */

static const char *const log_columns[] = { "id",
	                                   "date",
	                                   "channel",
	                                   "who",
	                                   "from_service",
	                                   "domains",
	                                   "did",
	                                   "resident",
	                                   "text",
	                                   "follow_up",
	                                   "follow_up_done",
	                                   "follows",
	                                   "circle",
	                                   "service",
	                                   "service_name",
	                                   "group",
	                                   "kind",
	                                   "referral_domain",
	                                   "referral_date",
	                                   "status",
	                                   "status_date",
	                                   "reason",
	                                   "consent",
	                                   "consent_what",
	                                   "consent_until",
	                                   "changed",
	                                   "referral_text",
	                                   NULL };
static const char *const contact_columns[] = { "id",           "date",    "channel",   "who",
	                                       "from_service", "domains", "did",       "resident",
	                                       "resident_id",  "text",    "follow_up", "follow_up_done",
	                                       "follows",      "circle",  "versions",  NULL };
static const char *const referral_columns[] = {
	"id",     "code",     "contact", "resident", "service",      "service_name",
	"group",  "kind",     "domain",  "consent",  "consent_what", "consent_until",
	"date",   "status",   "outcome", "since",    "reason",       "silent",
	"tried",  "reached",  "helped",  "changed",  "text",         "follows",
	"circle", "versions", NULL
};
static const char *const event_columns[] = { "referral", "code", "n", "status", "date", "reason", "author", NULL };
static const char *const resident_columns[] = { "id",   "nick",   "reach",    "number", "language",
	                                        "note", "circle", "versions", NULL };
static const char *const service_columns[] = {
	"id",          "neighbourhood", "name",      "organisation", "kind",       "group",      "domains",
	"description", "eligibility",   "documents", "application",  "phone",      "email",      "website",
	"address",     "hours",         "languages", "cost",         "checked_on", "checked_by", "wrong",
	"note",        "successor_of",  "source",    "versions",     NULL
};
static const char *const member_columns[] = { "id", "name", "space", "role", "status", "met", "me", NULL };
static const char *const version_columns[] = { "id", "kind", "field", "n", "value", "author", "at", NULL };

enum err export_csv_heads(struct export_sink *s)
{
	static const char *const *const heads[EXPORT_FILES] = {
		[EXPORT_LOG] = log_columns,
		[EXPORT_CONTACTS_CSV] = contact_columns,
		[EXPORT_REFERRALS_CSV] = referral_columns,
		[EXPORT_EVENTS_CSV] = event_columns,
		[EXPORT_RESIDENTS_CSV] = resident_columns,
		[EXPORT_SERVICES_CSV] = service_columns,
		[EXPORT_MEMBERS_CSV] = member_columns,
		[EXPORT_VERSIONS_CSV] = version_columns,
	};
	enum err e = ERR_OK;

	for (int f = 0; f < EXPORT_FILES && e == ERR_OK; f++) {
		struct line l = { 0 };

		if (heads[f] == NULL)
			continue;
		for (const char *const *c = heads[f]; *c != NULL; c++)
			cell(&l, *c);
		e = put(s, (enum export_file)f, &l);
		s->rows[f] = 0;
	}
	return e;
}

/* --- versions --- */

static enum err version_row(struct export_sink *s, const char *id, const char *kind, const char *field,
                            const struct version *v, const char *value)
{
	struct line l = { 0 };
	char at[TIME_TEXT_LEN] = "";

	cell(&l, id);
	cell(&l, kind);
	cell(&l, field);
	number_cell(&l, v->n);
	cell(&l, value);
	cell(&l, v->author);
	if (v->at_ms != 0)
		time_text(v->at_ms, at);
	cell(&l, at);
	return put(s, EXPORT_VERSIONS_CSV, &l);
}

/* What stands side by side, newest first; values that were kept together have one number. */
static enum err versions_rows(struct export_sink *s, const char *id, const char *kind, const struct versions *v)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < v->fields; i++) {
		const struct field_versions *f = &v->field[i];

		for (size_t k = 0; k < f->versions && e == ERR_OK; k++) {
			if (f->version[k].values == 0)
				e = version_row(s, id, kind, f->field, &f->version[k], "");
			for (size_t n = 0; n < f->version[k].values && e == ERR_OK; n++)
				e = version_row(s, id, kind, f->field, &f->version[k], f->version[k].value[n]);
		}
	}
	for (size_t i = 0; i < v->kept_count; i++) {
		const struct version one = { .n = 1 };

		for (size_t n = 0; n < v->kept[i].values && e == ERR_OK; n++)
			e = version_row(s, id, kind, v->kept[i].field, &one, v->kept[i].value[n]);
	}
	return e;
}

/* --- records --- */

static enum err contact_row(struct export_sink *s, const struct contact *c)
{
	struct line l = { 0 };
	enum err e = ERR_OK;

	cell(&l, c->id);
	day_cell(&l, c->date);
	cell(&l, c->channel);
	cell(&l, c->who);
	cell(&l, c->from_service);
	words_cell(&l, &c->domains);
	words_cell(&l, &c->did);
	cell(&l, c->resident);
	cell(&l, c->resident_id);
	cell(&l, c->text);
	day_cell(&l, c->follow_up);
	yes_cell(&l, c->follow_up_done);
	cell(&l, c->follows);
	cell(&l, c->circle);
	number_cell(&l, c->two);
	e = put(s, EXPORT_CONTACTS_CSV, &l);
	return e == ERR_OK ? versions_rows(s, c->id, "contact", &c->versions) : e;
}

/* A conversation with one of its referrals, or with none. */
static enum err log_row(struct export_sink *s, const struct contact *c, const struct referral *r)
{
	static const struct referral none = { .date = NO_DAY, .consent_until = NO_DAY, .loop = { .since = NO_DAY } };
	struct line l = { 0 };

	if (r == NULL)
		r = &none;
	cell(&l, c->id);
	day_cell(&l, c->date);
	cell(&l, c->channel);
	cell(&l, c->who);
	cell(&l, c->from_service);
	words_cell(&l, &c->domains);
	words_cell(&l, &c->did);
	cell(&l, c->resident);
	cell(&l, c->text);
	day_cell(&l, c->follow_up);
	cell(&l, c->follow_up == NO_DAY ? "" : c->follow_up_done ? "true" : "false");
	cell(&l, c->follows);
	cell(&l, c->circle);
	cell(&l, r->service);
	cell(&l, r->service_name);
	cell(&l, r->group);
	cell(&l, r->kind);
	cell(&l, r->domain);
	day_cell(&l, r->date);
	cell(&l, r->loop.status);
	day_cell(&l, r->loop.since);
	cell(&l, r->loop.reason);
	cell(&l, r->consent);
	cell(&l, r->consent_what);
	day_cell(&l, r->consent_until);
	cell(&l, r->changed);
	cell(&l, r->text);
	return put(s, EXPORT_LOG, &l);
}

static enum err log_rows(struct export_sink *s, const struct contact *c, const struct referral_list *list)
{
	enum err e = list->n == 0 ? log_row(s, c, NULL) : ERR_OK;

	for (size_t i = 0; i < list->n && e == ERR_OK; i++)
		e = log_row(s, c, &list->item[i]);
	return e;
}

static enum err events_rows(struct export_sink *s, const struct referral *r)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < r->events && e == ERR_OK; i++) {
		const struct referral_event *v = &r->event[i];
		struct line l = { 0 };

		cell(&l, r->id);
		cell(&l, r->code);
		number_cell(&l, v->n);
		cell(&l, v->status);
		day_cell(&l, v->date);
		cell(&l, v->reason);
		cell(&l, v->author);
		e = put(s, EXPORT_EVENTS_CSV, &l);
	}
	return e;
}

static enum err referral_row(struct export_sink *s, const struct referral *r)
{
	struct line l = { 0 };
	enum err e = ERR_OK;

	cell(&l, r->id);
	cell(&l, r->code);
	cell(&l, r->contact);
	cell(&l, r->resident);
	cell(&l, r->service);
	cell(&l, r->service_name);
	cell(&l, r->group);
	cell(&l, r->kind);
	cell(&l, r->domain);
	cell(&l, r->consent);
	cell(&l, r->consent_what);
	day_cell(&l, r->consent_until);
	day_cell(&l, r->date);
	cell(&l, r->loop.status);
	cell(&l, r->loop.outcome);
	day_cell(&l, r->loop.since);
	cell(&l, r->loop.reason);
	yes_cell(&l, r->loop.silent);
	day_cell(&l, r->loop.tried);
	day_cell(&l, r->loop.reached);
	day_cell(&l, r->loop.helped);
	cell(&l, r->changed);
	cell(&l, r->text);
	cell(&l, r->follows);
	cell(&l, r->circle);
	number_cell(&l, r->two);
	e = put(s, EXPORT_REFERRALS_CSV, &l);
	if (e == ERR_OK)
		e = events_rows(s, r);
	return e == ERR_OK ? versions_rows(s, r->id, "referral", &r->versions) : e;
}

static enum err resident_row(struct export_sink *s, const struct resident *r)
{
	struct line l = { 0 };
	enum err e = ERR_OK;

	cell(&l, r->id);
	cell(&l, r->nick);
	cell(&l, r->reach);
	cell(&l, r->number);
	cell(&l, r->language);
	cell(&l, r->note);
	cell(&l, r->circle);
	number_cell(&l, r->two);
	e = put(s, EXPORT_RESIDENTS_CSV, &l);
	return e == ERR_OK ? versions_rows(s, r->id, "resident", &r->versions) : e;
}

static enum err service_row(struct export_sink *s, const struct service *v, const char *neighbourhood)
{
	struct line l = { 0 };
	enum err e = ERR_OK;

	cell(&l, v->id);
	cell(&l, neighbourhood);
	cell(&l, v->name);
	cell(&l, v->organisation);
	cell(&l, v->kind);
	cell(&l, v->group);
	words_cell(&l, &v->domains);
	cell(&l, v->description);
	cell(&l, v->eligibility);
	cell(&l, v->documents);
	cell(&l, v->application);
	cell(&l, v->phone);
	cell(&l, v->email);
	cell(&l, v->website);
	cell(&l, v->address);
	cell(&l, v->hours);
	words_cell(&l, &v->languages);
	cell(&l, v->cost);
	day_cell(&l, v->checked_on);
	cell(&l, v->checked_by);
	cell(&l, v->wrong);
	cell(&l, v->note);
	cell(&l, v->successor_of);
	cell(&l, v->source);
	number_cell(&l, v->two);
	e = put(s, EXPORT_SERVICES_CSV, &l);
	return e == ERR_OK ? versions_rows(s, v->id, "service", &v->versions) : e;
}

enum err export_csv_row(struct export_sink *s, const struct export_row *row)
{
	enum err e = ERR_OK;

	if (row->resident != NULL)
		return resident_row(s, row->resident);
	if (row->service != NULL)
		return service_row(s, row->service, row->space->name);
	if (row->referral != NULL)
		return referral_row(s, row->referral);
	if (row->contact == NULL)
		return ERR_OK;
	e = contact_row(s, row->contact);
	return e == ERR_OK ? log_rows(s, row->contact, row->referrals) : e;
}

enum err export_csv_member(struct export_sink *s, const struct member_view *m)
{
	struct line l = { 0 };

	cell(&l, m->id);
	cell(&l, m->name);
	cell(&l, m->space);
	cell(&l, m->role);
	cell(&l, m->status);
	yes_cell(&l, m->met);
	yes_cell(&l, m->me);
	return put(s, EXPORT_MEMBERS_CSV, &l);
}
