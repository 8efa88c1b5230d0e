// SPDX-License-Identifier: EUPL-1.2
// Records and lists as text. One term for one thing, words of the people who use it, a list row on one or two lines.
#include <inttypes.h>
#include <string.h>

#include "app/dates.h"
#include "app/labels.h"
#include "base/tr.h"
#include "base/utf8.h"
#include "render/text.h"

/* Characters of a note in a list. */
#define GIST_LEN 72
/* Room for the label of a field and its name. */
#define FIELD_NAME_LEN 160

static const char *name_of(const struct text *t, const char *list, const char *id)
{
	return label(list, id, lang_name(t->lang));
}

static void day(const struct text *t, int64_t d)
{
	char text[DAY_TEXT_LEN];

	day_text(d, text);
	fprintf(t->out, "%-10s", text);
}

static void number(char out[static 24], size_t n)
{
	snprintf(out, 24, "%zu", n);
}

static void labels(const struct text *t, const char *list, const struct words *w)
{
	for (size_t i = 0; i < w->n; i++) {
		if (i > 0)
			fputs(list == NULL ? ", " : "; ", t->out); // labels have commas of their own
		text_typed(t, list == NULL ? w->word[i] : name_of(t, list, w->word[i]), 0);
	}
}

static void labels_field(const struct text *t, const char *name, const char *list, const struct words *w)
{
	if (w->n == 0)
		return;
	fprintf(t->out, "  %s: ", lang_tr(t->lang, name));
	labels(t, list, w);
	fputc('\n', t->out);
}

/* The beginning of a text on one line. */
static void gist(const struct text *t, const char *typed)
{
	const char *p = typed;
	size_t n = 0;

	while (*p != '\0' && *p != '\n' && n < GIST_LEN) {
		utf8_next(&p);
		n++;
	}
	fprintf(t->out, "    ");
	for (const char *q = typed; q < p;) {
		char one[5] = { 0 };
		const char *from = q;

		utf8_next(&q);
		memcpy(one, from, (size_t)(q - from));
		text_typed(t, one, 0);
	}
	fputs(*p == '\0' ? "\n" : "...\n", t->out);
}

static void two_note(const struct text *t, size_t two)
{
	char n[24];

	number(n, two);
	if (two == 0)
		return;
	fputs("    ", t->out);
	text_line(t,
	          lang_plural(t->lang, two, "Two versions stand side by side in 1 field.",
	                      "Two versions stand side by side in %1 fields."),
	          n, NULL, NULL);
}

static void values(const struct text *t, const char *list, const char *const *value, size_t n)
{
	if (n == 0)
		text_say(t, TR("(taken away)"), NULL, NULL, NULL);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			fputs(" | ", t->out);
		text_typed(t, list == NULL ? value[i] : name_of(t, list, value[i]), 8);
	}
}

static void one_field_versions(const struct text *t, const struct field_versions *f)
{
	for (size_t i = 0; i < f->versions; i++) {
		const struct version *v = &f->version[i];
		char at[TIME_TEXT_LEN];

		time_text(v->at_ms, at);
		at[10] = '\0';
		fprintf(t->out, "    %zu. ", v->n);
		values(t, f->list, v->value, v->values);
		fputs("  (", t->out);
		text_typed(t, v->author, 0);
		fprintf(t->out, ", %s)\n", at);
	}
	if (f->proposal == NULL)
		return;
	fputs("    ", t->out);
	text_say(t, TR("Put together (--keep proposal):"), NULL, NULL, NULL);
	fputs(" ", t->out);
	text_typed(t, f->proposal, 8);
	fputc('\n', t->out);
}

static void choose_hint(const struct text *t)
{
	text_line(t, TR("Choose with: versions pick ID FIELD --keep 1, 2 or both."), NULL, NULL, NULL);
}

/* The word that people see beside a field; NULL for a field of a newer version. */
static const char *field_label(const char *field)
{
	static const struct {
		const char *field;
		const char *label;
	} labels_of[] = {
		{ "date", TR("Date") },
		{ "channel", TR("Where") },
		{ "who", TR("Who came") },
		{ "from_service", TR("Sent by") },
		{ "resident", TR("Resident") },
		{ "text", TR("Note") },
		{ "note", TR("Note") },
		{ "follow_up", TR("Call back on") },
		{ "follow_up_done", TR("Called back") },
		{ "follows", TR("Follows") },
		{ "nick", TR("Name") },
		{ "name", TR("Name") },
		{ "reach", TR("How may I reach you") },
		{ "number", TR("Number") },
		{ "language", TR("Language") },
		{ "contact", TR("Conversation") },
		{ "service", TR("To") },
		{ "service_name", TR("To") },
		{ "group", TR("Group") },
		{ "kind", TR("Kind") },
		{ "domain", TR("About") },
		{ "consent", TR("Consent") },
		{ "consent_what", TR("Consent for") },
		{ "consent_until", TR("Consent until") },
		{ "changed", TR("What changed") },
		{ "organisation", TR("Organisation") },
		{ "description", TR("What you get") },
		{ "eligibility", TR("For whom") },
		{ "documents", TR("Bring along") },
		{ "application", TR("How to apply") },
		{ "phone", TR("Telephone") },
		{ "email", TR("E-mail") },
		{ "website", TR("Website") },
		{ "address", TR("Address") },
		{ "hours", TR("Opening hours") },
		{ "cost", TR("Cost") },
		{ "checked_on", TR("Checked on") },
		{ "wrong", TR("Said to be wrong") },
	};

	for (size_t i = 0; i < sizeof(labels_of) / sizeof(labels_of[0]); i++) {
		if (strcmp(labels_of[i].field, field) == 0)
			return labels_of[i].label;
	}
	return NULL;
}

/* "Where (channel)": the word for people, and what `versions pick` wants to hear. */
static const char *field_name(const struct text *t, const char *field, char out[static FIELD_NAME_LEN])
{
	const char *name = field_label(field);

	if (name != NULL)
		snprintf(out, FIELD_NAME_LEN, "%s (%s)", lang_tr(t->lang, name), field);
	else
		snprintf(out, FIELD_NAME_LEN, "%s", field);
	return out;
}

static void versions(const struct text *t, const struct versions *v)
{
	char name[FIELD_NAME_LEN];

	for (size_t i = 0; i < v->kept_count; i++) {
		fputs("  ", t->out);
		text_say(t, TR("Kept together in %1"), field_name(t, v->kept[i].field, name), NULL, NULL);
		fputs(": ", t->out);
		values(t, v->kept[i].list, v->kept[i].value, v->kept[i].values);
		fputc('\n', t->out);
	}
	for (size_t i = 0; i < v->fields; i++) {
		fputs("  ", t->out);
		text_line(t, TR("Two versions of %1:"), field_name(t, v->field[i].field, name), NULL, NULL);
		one_field_versions(t, &v->field[i]);
	}
	if (v->fields > 0)
		choose_hint(t);
}

/* Why no name stands where one was: what was erased is named nowhere, and never without a word of it. */
static const char *or_erased(const struct text *t, const char *name, bool erased)
{
	return name == NULL && erased ? lang_tr(t->lang, TR("(erased)")) : name;
}

static void id_field(const struct text *t, const char *name, const char *id, bool erased)
{
	if (id == NULL)
		return;
	fprintf(t->out, "  %s: %s", lang_tr(t->lang, name), id);
	if (erased)
		fprintf(t->out, " %s", lang_tr(t->lang, TR("(erased)")));
	fputc('\n', t->out);
}

/* --- contacts --- */

static void contact_row(const struct text *t, const struct contact *c)
{
	day(t, c->date);
	fprintf(t->out, "  %s", c->id);
	if (c->resident != NULL || c->resident_erased) {
		fputs("  ", t->out);
		text_typed(t, or_erased(t, c->resident, c->resident_erased), 0);
	}
	if (c->domains.n > 0) {
		fputs("  ", t->out);
		labels(t, "domain", &c->domains);
	}
	fputc('\n', t->out);
	if (c->follow_up != NO_DAY && !c->follow_up_done)
		text_day_field(t, TR("Call back on"), c->follow_up);
	if (c->text != NULL)
		gist(t, c->text);
	two_note(t, c->two);
}

void text_contacts(const struct text *t, const struct contact_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		contact_row(t, &list->item[i]);
	if (list->n == 0)
		text_line(t, TR("No conversations yet."), NULL, NULL, NULL);
}

void text_contact(const struct text *t, const struct contact *c)
{
	text_line(t, TR("Conversation %1"), c->id, NULL, NULL);
	text_day_field(t, TR("Date"), c->date);
	text_field(t, TR("Circle"), c->circle);
	text_field(t, TR("Resident"), or_erased(t, c->resident, c->resident_erased));
	text_field(t, TR("Where"), name_of(t, "channel", c->channel));
	text_field(t, TR("Who came"), name_of(t, "who", c->who));
	text_field(t, TR("Sent by"), c->from_service);
	labels_field(t, TR("About"), "domain", &c->domains);
	labels_field(t, TR("What I did"), "did", &c->did);
	text_field(t, TR("Note"), c->text);
	if (c->follow_up != NO_DAY)
		text_day_field(t, c->follow_up_done ? TR("Called back, planned for") : TR("Call back on"),
		               c->follow_up);
	id_field(t, TR("Follows"), c->follows, c->follows_erased);
	versions(t, &c->versions);
}

/* --- referrals --- */

static void referral_state(const struct text *t, const struct referral *r)
{
	if (r->loop.silent)
		text_say(t, TR("No answer yet"), NULL, NULL, NULL);
	else
		text_typed(t, name_of(t, "status", r->loop.status), 0);
	if (r->loop.reason != NULL) {
		fputs(" (", t->out);
		text_typed(t, name_of(t, "reason", r->loop.reason), 0);
		fputc(')', t->out);
	}
}

static void referral_row(const struct text *t, const struct referral *r)
{
	day(t, r->loop.since);
	fprintf(t->out, "  %s  %s  ", r->id, r->code == NULL ? "" : r->code);
	text_typed(t, r->service_name, 0);
	if (r->resident != NULL || r->resident_erased) {
		fputs(" / ", t->out);
		text_typed(t, or_erased(t, r->resident, r->resident_erased), 0);
	}
	fputs("\n    ", t->out);
	referral_state(t, r);
	fputc('\n', t->out);
	two_note(t, r->two);
}

void text_referrals(const struct text *t, const struct referral_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		referral_row(t, &list->item[i]);
	if (list->n == 0)
		text_line(t, TR("No referrals here."), NULL, NULL, NULL);
}

void text_referral(const struct text *t, const struct referral *r)
{
	text_line(t, TR("Referral %1, code %2"), r->id, r->code, NULL);
	text_field(t, TR("To"), r->service_name);
	text_field(t, TR("Group"), name_of(t, "group", r->group));
	text_field(t, TR("Resident"), or_erased(t, r->resident, r->resident_erased));
	id_field(t, TR("Conversation"), r->contact, r->contact_erased);
	text_field(t, TR("How"), name_of(t, "kind", r->kind));
	text_field(t, TR("About"), name_of(t, "domain", r->domain));
	text_field(t, TR("Consent"), name_of(t, "consent", r->consent));
	text_field(t, TR("Consent for"), r->consent_what);
	text_day_field(t, TR("Consent until"), r->consent_until);
	text_day_field(t, TR("Date"), r->date);
	fprintf(t->out, "  %s: ", lang_tr(t->lang, "Now"));
	referral_state(t, r);
	fputc('\n', t->out);
	text_day_field(t, TR("Tried on"), r->loop.tried);
	text_day_field(t, TR("Reached on"), r->loop.reached);
	text_day_field(t, TR("Helped on"), r->loop.helped);
	text_field(t, TR("What changed"), name_of(t, "changed", r->changed));
	text_field(t, TR("Note"), r->text);
	text_field(t, TR("Sent on from"), r->follows);
	for (size_t i = 0; i < r->events; i++) {
		const struct referral_event *e = &r->event[i];

		fprintf(t->out, "    %zu. ", e->n);
		day(t, e->date);
		fputs("  ", t->out);
		text_typed(t, name_of(t, "status", e->status), 0);
		if (e->reason != NULL) {
			fputs(": ", t->out);
			text_typed(t, name_of(t, "reason", e->reason), 0);
		}
		fputs("  (", t->out);
		text_typed(t, e->author, 0);
		fputs(")\n", t->out);
	}
	versions(t, &r->versions);
}

/* --- residents --- */

void text_residents(const struct text *t, const struct resident_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct resident *r = &list->item[i];

		fprintf(t->out, "%s  ", r->id);
		text_typed(t, r->nick, 0);
		if (r->reach != NULL) {
			fputs("  ", t->out);
			text_say(t, TR("Reach: %1"), name_of(t, "reach", r->reach), NULL, NULL);
		}
		fputc('\n', t->out);
		two_note(t, r->two);
	}
	if (list->n == 0)
		text_line(t, TR("No residents yet."), NULL, NULL, NULL);
}

void text_resident(const struct text *t, const struct resident *r)
{
	text_line(t, TR("Resident %1"), r->id, NULL, NULL);
	text_field(t, TR("Name"), r->nick);
	text_field(t, TR("Circle"), r->circle);
	text_field(t, TR("How may I reach you"), name_of(t, "reach", r->reach));
	text_field(t, TR("Number"), r->number);
	text_field(t, TR("Language"), r->language);
	text_field(t, TR("Note"), r->note);
	versions(t, &r->versions);
}

/* --- the directory --- */

static const char *stale_text(enum staleness s)
{
	switch (s) {
	case STALE_OLD:
		return TR("checked more than half a year ago");
	case STALE_VERY_OLD:
		return TR("checked more than a year ago");
	case STALE_NEVER_CHECKED:
		return TR("never checked by a person");
	default:
		return NULL;
	}
}

static void service_row(const struct text *t, const struct service *s)
{
	fprintf(t->out, "%s  ", s->id);
	text_typed(t, s->name, 0);
	if (s->organisation != NULL && (s->name == NULL || strcmp(s->organisation, s->name) != 0)) {
		fputs(" / ", t->out);
		text_typed(t, s->organisation, 0);
	}
	fputs("\n    ", t->out);
	text_typed(t, name_of(t, "group", s->group), 0);
	if (s->phone != NULL) {
		fputs("  ", t->out);
		text_typed(t, s->phone, 0);
	}
	if (stale_text(s->stale) != NULL)
		fprintf(t->out, "  (%s)", lang_tr(t->lang, stale_text(s->stale)));
	fputc('\n', t->out);
	text_field(t, TR("Said to be wrong"), s->wrong);
	two_note(t, s->two);
}

void text_services(const struct text *t, const struct service_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		service_row(t, &list->item[i]);
	if (list->n == 0)
		text_line(t, TR("Nothing found in the directory."), NULL, NULL, NULL);
}

void text_service(const struct text *t, const struct service *s)
{
	text_line(t, TR("Directory entry %1"), s->id, NULL, NULL);
	text_field(t, TR("Name"), s->name);
	text_field(t, TR("Organisation"), s->organisation);
	text_field(t, TR("Kind"), name_of(t, "service_kind", s->kind));
	text_field(t, TR("Group"), name_of(t, "group", s->group));
	labels_field(t, TR("About"), "domain", &s->domains);
	text_field(t, TR("What you get"), s->description);
	text_field(t, TR("For whom"), s->eligibility);
	text_field(t, TR("Bring along"), s->documents);
	text_field(t, TR("How to apply"), s->application);
	text_field(t, TR("Telephone"), s->phone);
	text_field(t, TR("E-mail"), s->email);
	text_field(t, TR("Website"), s->website);
	text_field(t, TR("Address"), s->address);
	text_field(t, TR("Opening hours"), s->hours);
	labels_field(t, TR("Languages"), NULL, &s->languages);
	text_field(t, TR("Cost"), s->cost);
	text_day_field(t, TR("Checked on"), s->checked_on);
	text_field(t, TR("Checked by"), s->checked_by);
	if (stale_text(s->stale) != NULL)
		fprintf(t->out, "  (%s)\n", lang_tr(t->lang, stale_text(s->stale)));
	text_field(t, TR("Said to be wrong"), s->wrong);
	text_field(t, TR("Note among us"), s->note);
	text_field(t, TR("In place of"), s->successor_of);
	text_field(t, TR("Came from"), s->source);
	versions(t, &s->versions);
}

/* --- search, today, versions, import --- */

const char *text_kind(const char *kind)
{
	static const struct {
		const char *kind;
		const char *label;
	} kinds[] = { { "contact", TR("Conversation") },
		      { "referral", TR("Referral") },
		      { "resident", TR("Resident") },
		      { "service", TR("Directory entry") } };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].kind, kind) == 0)
			return kinds[i].label;
	}
	return kind;
}

void text_found(const struct text *t, const struct found_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct found *f = &list->item[i];

		day(t, f->date);
		fprintf(t->out, "  %s  %s\n    ", f->id, lang_tr(t->lang, text_kind(f->kind)));
		for (const char *p = f->snippet; p != NULL && *p != '\0';) {
			char part[256];
			size_t n = strcspn(p, "\2\3");

			n = n < sizeof(part) - 1 ? n : sizeof(part) - 1;
			while (n > 0 && ((unsigned char)p[n] & 0xC0) == 0x80)
				n--;
			memcpy(part, p, n);
			part[n] = '\0';
			text_typed(t, part, 4);
			p += n;
			if (*p == FOUND_BEGIN || *p == FOUND_END) {
				if (t->bold)
					fputs(*p == FOUND_BEGIN ? "\033[1m" : "\033[0m", t->out);
				p++;
			} else if (n == 0) {
				break;
			}
		}
		fputc('\n', t->out);
	}
	if (list->n == 0)
		text_line(t, TR("Nothing found."), NULL, NULL, NULL);
}

static void heading(const struct text *t, const char *msg)
{
	fprintf(t->out, "%s%s%s\n", t->bold ? "\033[1m" : "", lang_tr(t->lang, msg), t->bold ? "\033[0m" : "");
}

void text_retention(const struct text *t, const struct retention_row *r)
{
	char n[24];

	number(n, r->due);
	if (r->due > 0)
		text_line(t,
		          lang_plural(t->lang, r->due,
		                      "1 conversation is older than it is to be kept. Look with: retention run",
		                      "%1 conversations are older than they are to be kept. Look with: retention run"),
		          n, NULL, NULL);
	number(n, r->reminded - r->due);
	if (r->reminded > r->due)
		text_line(t,
		          lang_plural(t->lang, r->reminded - r->due,
		                      "1 conversation is so old that you may ask if it is still needed.",
		                      "%1 conversations are so old that you may ask if they are still needed."),
		          n, NULL, NULL);
}

void text_today(const struct text *t, const struct today *today)
{
	char n[24];

	heading(t, TR("Whom do I still have to call?"));
	if (today->follow_ups.n == 0)
		text_line(t, TR("Nobody today."), NULL, NULL, NULL);
	for (size_t i = 0; i < today->follow_ups.n; i++)
		contact_row(t, &today->follow_ups.item[i]);
	if (today->plans.n > 0) {
		heading(t, TR("Referrals that are still to be done"));
		text_referrals(t, &today->plans);
	}
	if (today->silent.n > 0) {
		heading(t, TR("No answer yet after two weeks"));
		text_referrals(t, &today->silent);
	}
	number(n, today->two_versions);
	if (today->two_versions > 0)
		text_line(t,
		          lang_plural(t->lang, today->two_versions,
		                      "1 record has two versions. Look with: versions list.",
		                      "%1 records have two versions. Look with: versions list."),
		          n, NULL, NULL);
	number(n, today->set_aside);
	if (today->set_aside > 0)
		text_line(t,
		          lang_plural(t->lang, today->set_aside, "1 message was set aside. Look with: status.",
		                      "%1 messages were set aside. Look with: status."),
		          n, NULL, NULL);
	for (size_t i = 0; i < today->retention.n; i++) {
		if (today->retention.item[i].circle != NULL)
			text_line(t, TR("%1, what is old:"), today->retention.item[i].circle, NULL, NULL);
		text_retention(t, &today->retention.item[i]);
	}
}

void text_two_versions(const struct text *t, const struct two_versions_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct two_versions *v = &list->item[i];
		char name[FIELD_NAME_LEN];

		fprintf(t->out, "%s  %s", v->id, lang_tr(t->lang, text_kind(v->kind)));
		if (v->label != NULL) {
			fputs("  ", t->out);
			text_typed(t, v->label, 0);
		}
		fprintf(t->out, "  %s\n", field_name(t, v->field->field, name));
		one_field_versions(t, v->field);
	}
	if (list->n == 0)
		text_line(t, TR("Nothing stands in two versions."), NULL, NULL, NULL);
	else
		choose_hint(t);
}

void text_import(const struct text *t, const struct import_counts *counts, const struct directory_import *import)
{
	char n[3][24];

	number(n[0], counts->added);
	number(n[1], counts->changed);
	number(n[2], counts->same);
	text_line(t, TR("New: %1. Changed: %2. The same: %3."), n[0], n[1], n[2]);
	for (size_t i = 0; i < import->rejects; i++) {
		const struct directory_reject *r = &import->reject[i];

		text_typed(t, r->file, 0);
		if (r->row > 0) {
			number(n[0], r->row);
			fputs(", ", t->out);
			text_say(t, TR("row %1"), n[0], NULL, NULL);
		}
		if (r->column != NULL && r->column[0] != '\0') {
			fputs(", ", t->out);
			text_typed(t, r->column, 0);
		}
		fputs(": ", t->out);
		text_line(t, r->why, r->value, NULL, NULL);
	}
}
