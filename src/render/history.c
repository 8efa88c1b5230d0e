// SPDX-License-Identifier: EUPL-1.2
// History and undo for people and for programs.
#include "render/history.h"

#include <string.h>

#include "app/labels.h"
#include "base/tr.h"

/* --- words for fields --- */

const char *field_label(const struct text *t, const char *kind, const char *field)
{
	static const struct {
		const char *kind;
		const char *field;
		const char *label;
	} labels[] = {
		{ "contact", "date", TR("Date") },
		{ "contact", "channel", TR("Where") },
		{ "contact", "who", TR("Who came") },
		{ "contact", "from_service", TR("Sent by") },
		{ "contact", "domains", TR("About") },
		{ "contact", "did", TR("What I did") },
		{ "contact", "resident", TR("Resident") },
		{ "contact", "text", TR("Note") },
		{ "contact", "follow_up", TR("Call back on") },
		{ "contact", "follow_up_done", TR("Called back") },
		{ "contact", "follows", TR("Follows") },
		{ "referral", "contact", TR("Conversation") },
		{ "referral", "service", TR("Directory entry") },
		{ "referral", "service_name", TR("To") },
		{ "referral", "group", TR("Group") },
		{ "referral", "kind", TR("How") },
		{ "referral", "domain", TR("About") },
		{ "referral", "consent", TR("Consent") },
		{ "referral", "consent_what", TR("Consent for") },
		{ "referral", "consent_until", TR("Consent until") },
		{ "referral", "date", TR("Date") },
		{ "referral", "status", TR("Answer") },
		{ "referral", "code", TR("Code") },
		{ "referral", "text", TR("Note") },
		{ "referral", "changed", TR("What changed") },
		{ "referral", "follows", TR("Sent on from") },
		{ "resident", "nick", TR("Name") },
		{ "resident", "reach", TR("How may I reach you") },
		{ "resident", "number", TR("Number") },
		{ "resident", "language", TR("Language") },
		{ "resident", "note", TR("Note") },
		{ "service", "name", TR("Name") },
		{ "service", "organisation", TR("Organisation") },
		{ "service", "kind", TR("Kind") },
		{ "service", "group", TR("Group") },
		{ "service", "domains", TR("About") },
		{ "service", "description", TR("What you get") },
		{ "service", "eligibility", TR("For whom") },
		{ "service", "documents", TR("Bring along") },
		{ "service", "application", TR("How to apply") },
		{ "service", "phone", TR("Telephone") },
		{ "service", "email", TR("E-mail") },
		{ "service", "address", TR("Address") },
		{ "service", "hours", TR("Opening hours") },
		{ "service", "languages", TR("Languages") },
		{ "service", "cost", TR("Cost") },
		{ "service", "checked_on", TR("Checked on") },
		{ "service", "wrong", TR("Said to be wrong") },
		{ "service", "note", TR("Note among us") },
		{ "service", "successor_of", TR("In place of") },
		{ "service", "source", TR("Came from") },
		{ "service", "website", TR("Website") },
	};

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		if (strcmp(labels[i].kind, kind) == 0 && strcmp(labels[i].field, field) == 0)
			return lang_tr(t->lang, labels[i].label);
	}
	return field;
}

/* --- text --- */

static void one_value(const struct text *t, const struct history_change *c, const char *value)
{
	if (c->yes_no)
		value = lang_tr(t->lang, strcmp(value, "true") == 0 ? TR("yes") : TR("no"));
	else if (c->list != NULL)
		value = label(c->list, value, lang_name(t->lang));
	text_typed(t, value, 8);
}

static void some_values(const struct text *t, const struct history_change *c, const char *const *value, size_t n,
                        const char *between)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			fputs(between, t->out);
		one_value(t, c, value[i]);
	}
}

static void erased_note(const struct text *t, bool erased)
{
	if (erased)
		fprintf(t->out, " %s", lang_tr(t->lang, TR("(erased)")));
}

static void value_line(const struct text *t, const struct history_change *c)
{
	if (c->before_name != NULL || c->after_name != NULL) {
		if (c->befores > 0)
			text_typed(t, c->before_name != NULL ? c->before_name : c->before[0], 8);
	} else {
		some_values(t, c, c->before, c->befores, " | ");
	}
	erased_note(t, c->before_erased);
	if (c->befores > 0)
		fputs(" -> ", t->out);
	if (c->after_name != NULL)
		text_typed(t, c->after_name, 8);
	else if (c->afters > 0)
		some_values(t, c, c->after, c->afters, " | ");
	else
		text_say(t, TR("(taken away)"), NULL, NULL, NULL);
	erased_note(t, c->after_erased);
}

/* What a set gained or lost, on a line of its own: labels hold commas. */
static void set_half(const struct text *t, const char *msg, const char *kind, const struct history_change *c,
                     const char *const *value, size_t n)
{
	if (n == 0)
		return;
	fputs("     ", t->out);
	text_say(t, msg, field_label(t, kind, c->field), NULL, NULL);
	fputs(": ", t->out);
	some_values(t, c, value, n, "; ");
	fputc('\n', t->out);
}

/* Status, date and reason. */
static void event(const struct text *t, const char *const *part, size_t n)
{
	text_typed(t, label("status", part[0], lang_name(t->lang)), 8);
	if (n > 1) {
		fputs(", ", t->out);
		text_typed(t, part[1], 8);
	}
	if (n > 2) {
		fputs(", ", t->out);
		text_typed(t, label("reason", part[2], lang_name(t->lang)), 8);
	}
}

static void event_line(const struct text *t, const struct history_change *c)
{
	if (c->afters > 0)
		event(t, c->after, c->afters);
	if (c->befores > 0) {
		event(t, c->before, c->befores);
		fputc(' ', t->out);
	}
	if (c->afters == 0)
		text_say(t, TR("(taken back)"), NULL, NULL, NULL);
}

static void edit_lines(const struct text *t, const char *kind, const struct history_edit *e)
{
	fprintf(t->out, "%3zu. %s  ", e->n, e->local);
	text_typed(t, e->author, 0);
	if (e->made)
		fprintf(t->out, "  %s", lang_tr(t->lang, TR("made this")));
	if (e->undoes)
		fprintf(t->out, "  %s", lang_tr(t->lang, TR("put something back")));
	if (e->undone)
		fprintf(t->out, "  %s", lang_tr(t->lang, TR("(taken back)")));
	if (!e->counts)
		fprintf(t->out, "  %s", lang_tr(t->lang, TR("(does not count)")));
	fputc('\n', t->out);
	for (size_t i = 0; i < e->changes; i++) {
		const struct history_change *c = &e->change[i];

		if (c->befores + c->afters == 0 && c->form != CHANGE_VALUE)
			continue;
		if (c->form == CHANGE_SET) {
			set_half(t, TR("%1, added"), kind, c, c->after, c->afters);
			set_half(t, TR("%1, taken out"), kind, c, c->before, c->befores);
			continue;
		}
		fprintf(t->out, "     %s: ", field_label(t, kind, c->field));
		if (c->form == CHANGE_EVENT)
			event_line(t, c);
		else
			value_line(t, c);
		fputc('\n', t->out);
	}
}

void text_history(const struct text *t, const struct history *h)
{
	for (size_t i = 0; i < h->n; i++)
		edit_lines(t, h->kind, &h->edit[i]);
	for (size_t i = 0; i < h->n; i++) {
		if (!h->edit[i].counts) {
			text_line(t,
			          TR("What does not count was written after its author was removed, or by somebody "
			             "without the role for it. It is kept, and changes nothing."),
			          NULL, NULL, NULL);
			break;
		}
	}
}

void text_undone(const struct text *t, const struct undone *u)
{
	text_line(t, TR("Put back in %1:"), u->id, NULL, NULL);
	for (size_t i = 0; i < u->backs; i++)
		fprintf(t->out, "  %s\n", field_label(t, u->kind, u->back[i]));
	if (u->stay_count > 0)
		text_line(t, TR("Changed again since, so it stays as it is:"), NULL, NULL, NULL);
	for (size_t i = 0; i < u->stay_count; i++)
		fprintf(t->out, "  %s\n", field_label(t, u->kind, u->stays[i]));
}

/* --- JSON --- */

static void json_texts(struct doc *d, const char *key, const char *const *text, size_t n)
{
	doc_array(d, key);
	for (size_t i = 0; i < n; i++)
		doc_text(d, NULL, text[i]);
	doc_end(d);
}

static void json_part(struct doc *d, const char *key, const struct history_change *c, const char *const *value,
                      size_t n)
{
	if (c->form == CHANGE_SET || (c->form == CHANGE_VALUE && n > 1)) {
		json_texts(d, key, value, n);
	} else if (n == 0) {
		doc_null(d, key);
	} else if (c->form == CHANGE_EVENT) {
		doc_object(d, key);
		doc_text(d, "status", value[0]);
		doc_text(d, "date", n > 1 ? value[1] : NULL);
		doc_text(d, "reason", n > 2 ? value[2] : NULL);
		doc_end(d);
	} else if (c->yes_no) {
		doc_bool(d, key, strcmp(value[0], "true") == 0);
	} else {
		doc_text(d, key, value[0]);
	}
}

void json_history(struct doc *d, const char *key, const struct history *h)
{
	doc_array(d, key);
	for (size_t i = 0; i < h->n; i++) {
		const struct history_edit *e = &h->edit[i];

		doc_object(d, NULL);
		doc_int(d, "n", (int64_t)e->n);
		doc_time(d, "at", e->at_ms);
		doc_text(d, "author", e->author);
		doc_text(d, "edit", e->edit);
		doc_bool(d, "made", e->made);
		doc_bool(d, "undoes", e->undoes);
		doc_bool(d, "undone", e->undone);
		doc_bool(d, "counts", e->counts);
		doc_array(d, "changes");
		for (size_t k = 0; k < e->changes; k++) {
			const struct history_change *c = &e->change[k];

			doc_object(d, NULL);
			doc_text(d, "field", c->field);
			json_part(d, "before", c, c->before, c->befores);
			json_part(d, "after", c, c->after, c->afters);
			doc_end(d);
		}
		doc_end(d);
		doc_end(d);
	}
	doc_end(d);
}

void json_undone(struct doc *d, const char *key, const struct undone *u)
{
	doc_object(d, key);
	doc_text(d, "id", u->id);
	doc_text(d, "kind", u->kind);
	doc_text(d, "edit", u->edit);
	doc_text(d, "undone", u->undone);
	json_texts(d, "back", u->back, u->backs);
	json_texts(d, "stays", u->stays, u->stay_count);
	doc_end(d);
}
