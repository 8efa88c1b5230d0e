// SPDX-License-Identifier: EUPL-1.2
// Records and lists as JSON.
#include "render/json.h"

#include <stdlib.h>
#include <string.h>

#include "app/dates.h"
#include "render/lang.h"
#include "render/words.h"

void json_words(struct doc *d, const char *key, const struct words *w)
{
	doc_array(d, key);
	for (size_t i = 0; i < w->n; i++)
		doc_text(d, NULL, w->word[i]);
	doc_end(d);
}

/* One value, or a list where somebody kept several together. */
static void json_value(struct doc *d, const char *key, const char *const *value, size_t n)
{
	if (n <= 1) {
		doc_text(d, key, n == 1 ? value[0] : NULL);
		return;
	}
	doc_array(d, key);
	for (size_t i = 0; i < n; i++)
		doc_text(d, NULL, value[i]);
	doc_end(d);
}

static void json_field_values(struct doc *d, const struct field_versions *f)
{
	doc_text(d, "field", f->field);
	doc_array(d, "values");
	for (size_t i = 0; i < f->versions; i++) {
		const struct version *v = &f->version[i];

		doc_object(d, NULL);
		doc_int(d, "n", (int64_t)v->n);
		json_value(d, "value", v->value, v->values);
		doc_text(d, "author", v->author);
		doc_time(d, "at", v->at_ms);
		doc_end(d);
	}
	doc_end(d);
	doc_text(d, "proposal", f->proposal);
}

static void json_versions(struct doc *d, const struct versions *v)
{
	doc_array(d, "field_versions");
	for (size_t i = 0; i < v->fields; i++) {
		doc_object(d, NULL);
		json_field_values(d, &v->field[i]);
		doc_end(d);
	}
	doc_end(d);
}

static void json_kept(struct doc *d, const struct versions *v)
{
	doc_array(d, "kept");
	for (size_t i = 0; i < v->kept_count; i++) {
		doc_object(d, NULL);
		doc_text(d, "field", v->kept[i].field);
		json_value(d, "values", v->kept[i].value, v->kept[i].values);
		doc_end(d);
	}
	doc_end(d);
}

void json_contact(struct doc *d, const char *key, const struct contact *c, enum json_detail detail)
{
	doc_object(d, key);
	doc_text(d, "id", c->id);
	doc_day(d, "date", c->date);
	doc_text(d, "channel", c->channel);
	doc_text(d, "who", c->who);
	doc_text(d, "from_service", c->from_service);
	json_words(d, "domains", &c->domains);
	json_words(d, "did", &c->did);
	doc_text(d, "resident", c->resident);
	doc_text(d, "resident_id", c->resident_id);
	doc_bool(d, "resident_erased", c->resident_erased);
	doc_text(d, "text", c->text);
	doc_day(d, "follow_up", c->follow_up);
	doc_bool(d, "follow_up_done", c->follow_up_done);
	doc_text(d, "follows", c->follows);
	doc_text(d, "circle", c->circle);
	doc_int(d, "versions", (int64_t)c->two);
	json_kept(d, &c->versions);
	if (detail == JSON_WHOLE)
		json_versions(d, &c->versions);
	doc_end(d);
}

void json_referral(struct doc *d, const char *key, const struct referral *r, enum json_detail detail)
{
	doc_object(d, key);
	doc_text(d, "id", r->id);
	doc_text(d, "code", r->code);
	doc_text(d, "contact", r->contact);
	doc_text(d, "resident", r->resident);
	doc_bool(d, "resident_erased", r->resident_erased);
	doc_bool(d, "contact_erased", r->contact_erased);
	doc_text(d, "service", r->service);
	doc_text(d, "service_name", r->service_name);
	doc_text(d, "group", r->group);
	doc_text(d, "kind", r->kind);
	doc_text(d, "domain", r->domain);
	doc_text(d, "consent", r->consent);
	doc_text(d, "consent_what", r->consent_what);
	doc_day(d, "consent_until", r->consent_until);
	doc_day(d, "date", r->date);
	doc_text(d, "status", r->loop.status);
	doc_text(d, "outcome", r->loop.outcome);
	doc_day(d, "since", r->loop.since);
	doc_text(d, "reason", r->loop.reason);
	doc_bool(d, "silent", r->loop.silent);
	doc_day(d, "tried", r->loop.tried);
	doc_day(d, "reached", r->loop.reached);
	doc_day(d, "helped", r->loop.helped);
	doc_text(d, "changed", r->changed);
	doc_text(d, "text", r->text);
	doc_text(d, "follows", r->follows);
	doc_text(d, "circle", r->circle);
	doc_int(d, "versions", (int64_t)r->two);
	doc_array(d, "events");
	for (size_t i = 0; i < r->events; i++) {
		const struct referral_event *e = &r->event[i];

		doc_object(d, NULL);
		doc_int(d, "n", (int64_t)e->n);
		doc_text(d, "status", e->status);
		doc_day(d, "date", e->date);
		doc_text(d, "reason", e->reason);
		doc_text(d, "author", e->author);
		doc_end(d);
	}
	doc_end(d);
	json_kept(d, &r->versions);
	if (detail == JSON_WHOLE)
		json_versions(d, &r->versions);
	doc_end(d);
}

void json_resident(struct doc *d, const char *key, const struct resident *r, enum json_detail detail)
{
	doc_object(d, key);
	doc_text(d, "id", r->id);
	doc_text(d, "nick", r->nick);
	doc_text(d, "reach", r->reach);
	doc_text(d, "number", r->number);
	doc_text(d, "language", r->language);
	doc_text(d, "note", r->note);
	doc_text(d, "circle", r->circle);
	doc_int(d, "versions", (int64_t)r->two);
	json_kept(d, &r->versions);
	if (detail == JSON_WHOLE)
		json_versions(d, &r->versions);
	doc_end(d);
}

void json_service(struct doc *d, const char *key, const struct service *s, enum json_detail detail)
{
	static const char *const stale[] = { [STALE_NOT] = "fresh",
		                             [STALE_OLD] = "old",
		                             [STALE_VERY_OLD] = "very_old",
		                             [STALE_NEVER_CHECKED] = "never" };

	doc_object(d, key);
	doc_text(d, "id", s->id);
	doc_text(d, "name", s->name);
	doc_text(d, "organisation", s->organisation);
	doc_text(d, "kind", s->kind);
	doc_text(d, "group", s->group);
	json_words(d, "domains", &s->domains);
	doc_day(d, "checked_on", s->checked_on);
	doc_bool(d, "stale", s->stale != STALE_NOT);
	doc_text(d, "age", stale[s->stale]);
	doc_text(d, "wrong", s->wrong);
	doc_text(d, "phone", s->phone);
	doc_text(d, "address", s->address);
	doc_int(d, "versions", (int64_t)s->two);
	if (detail == JSON_WHOLE) {
		doc_text(d, "description", s->description);
		doc_text(d, "eligibility", s->eligibility);
		doc_text(d, "documents", s->documents);
		doc_text(d, "application", s->application);
		doc_text(d, "email", s->email);
		doc_text(d, "website", s->website);
		doc_text(d, "hours", s->hours);
		json_words(d, "languages", &s->languages);
		doc_text(d, "cost", s->cost);
		doc_text(d, "checked_by", s->checked_by);
		doc_text(d, "note", s->note);
		doc_text(d, "successor_of", s->successor_of);
		doc_text(d, "source", s->source);
		json_kept(d, &s->versions);
		json_versions(d, &s->versions);
	}
	doc_end(d);
}

void json_member(struct doc *d, const char *key, const struct member_view *m)
{
	char words[SIX_WORDS_LEN];

	six_words(m->fingerprint, words);
	doc_object(d, key);
	doc_text(d, "id", m->id);
	doc_text(d, "name", m->name[0] == '\0' ? NULL : m->name);
	doc_text(d, "space", m->space[0] == '\0' ? NULL : m->space);
	doc_text(d, "role", m->role);
	doc_text(d, "status", m->status);
	doc_bool(d, "as_device", m->device);
	doc_text(d, "fingerprint", words);
	doc_text(d, "backup", m->backup[0] == '\0' ? NULL : m->backup);
	doc_bool(d, "keys", m->keys);
	doc_bool(d, "met", m->met);
	doc_bool(d, "words_changed", m->words_changed);
	doc_bool(d, "me", m->me);
	doc_array(d, "devices");
	for (size_t i = 0; i < m->device_count; i++)
		doc_text(d, NULL, m->devices[i].id);
	doc_end(d);
	doc_array(d, "device_list");
	for (size_t i = 0; i < m->device_count; i++) {
		const struct member_device *one = &m->devices[i];

		doc_object(d, NULL);
		doc_text(d, "id", one->id);
		doc_text(d, "status", one->status[0] == '\0' ? NULL : one->status);
		doc_text(d, "since", one->since[0] == '\0' ? NULL : one->since);
		doc_text(d, "heard", one->heard[0] == '\0' ? NULL : one->heard);
		doc_bool(d, "me", one->me);
		doc_bool(d, "sheet", one->sheet);
		doc_end(d);
	}
	doc_end(d);
	doc_array(d, "news");
	for (size_t i = 0; i < m->device_count; i++) {
		doc_object(d, NULL);
		doc_text(d, "device", m->devices[i].id);
		if (m->devices[i].quiet < 0)
			doc_null(d, "days");
		else
			doc_int(d, "days", m->devices[i].quiet);
		doc_end(d);
	}
	doc_end(d);
	doc_end(d);
}

/* The snippet without the marks around what was found. */
static void json_snippet(struct doc *d, const char *snippet)
{
	char *plain = snippet == NULL ? NULL : strdup(snippet);
	char *to = plain;

	for (const char *p = snippet; plain != NULL && *p != '\0'; p++) {
		if (*p != FOUND_BEGIN && *p != FOUND_END)
			*to++ = *p;
	}
	if (plain != NULL)
		*to = '\0';
	doc_text(d, "snippet", plain);
	free(plain);
}

void json_found(struct doc *d, const char *key, const struct found_list *list)
{
	doc_array(d, key);
	for (size_t i = 0; i < list->n; i++) {
		const struct found *f = &list->item[i];

		doc_object(d, NULL);
		doc_text(d, "id", f->id);
		doc_text(d, "kind", f->kind);
		doc_day(d, "date", f->date);
		json_snippet(d, f->snippet);
		doc_end(d);
	}
	doc_end(d);
}

void json_today(struct doc *d, const char *key, const struct today *t)
{
	doc_object(d, key);
	doc_day(d, "date", t->day);
	doc_array(d, "follow_ups");
	for (size_t i = 0; i < t->follow_ups.n; i++)
		json_contact(d, NULL, &t->follow_ups.item[i], JSON_ROW);
	doc_end(d);
	doc_array(d, "plans");
	for (size_t i = 0; i < t->plans.n; i++)
		json_referral(d, NULL, &t->plans.item[i], JSON_ROW);
	doc_end(d);
	doc_array(d, "silent");
	for (size_t i = 0; i < t->silent.n; i++)
		json_referral(d, NULL, &t->silent.item[i], JSON_ROW);
	doc_end(d);
	doc_int(d, "two_versions", (int64_t)t->two_versions);
	doc_int(d, "set_aside", (int64_t)t->set_aside);
	doc_array(d, "retention");
	for (size_t i = 0; i < t->retention.n; i++) {
		doc_object(d, NULL);
		doc_text(d, "circle", t->retention.item[i].circle);
		doc_int(d, "reminded", (int64_t)t->retention.item[i].reminded);
		doc_int(d, "due", (int64_t)t->retention.item[i].due);
		doc_end(d);
	}
	doc_end(d);
	doc_end(d);
}

void json_two_versions(struct doc *d, const char *key, const struct two_versions_list *list)
{
	doc_array(d, key);
	for (size_t i = 0; i < list->n; i++) {
		const struct two_versions *v = &list->item[i];

		doc_object(d, NULL);
		doc_text(d, "id", v->id);
		doc_text(d, "kind", v->kind);
		doc_text(d, "label", v->label);
		json_field_values(d, v->field);
		doc_end(d);
	}
	doc_end(d);
}

void json_import(struct doc *d, const char *key, const struct import_counts *counts,
                 const struct directory_import *import)
{
	doc_object(d, key);
	doc_int(d, "added", (int64_t)counts->added);
	doc_int(d, "changed", (int64_t)counts->changed);
	doc_int(d, "same", (int64_t)counts->same);
	doc_array(d, "rejected");
	for (size_t i = 0; i < import->rejects; i++) {
		const struct directory_reject *r = &import->reject[i];
		const char *args[1] = { r->value == NULL ? "" : r->value };
		struct buf why = { 0 };

		doc_object(d, NULL);
		doc_text(d, "file", r->file);
		if (r->row > 0)
			doc_int(d, "row", (int64_t)r->row);
		else
			doc_null(d, "row");
		doc_text(d, "column", r->column);
		doc_text(d, "value", r->value);
		if (lang_fill(&why, r->why, args, 1) == ERR_OK && buf_terminate(&why) == ERR_OK)
			doc_text(d, "why", (const char *)why.data);
		else
			doc_text(d, "why", r->why);
		buf_free(&why);
		doc_end(d);
	}
	doc_end(d);
	doc_end(d);
}
