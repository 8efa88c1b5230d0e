// SPDX-License-Identifier: EUPL-1.2
// A resident's page. One walk through what is known, written as text or as HTML; what people typed is escaped, and
// isolated in its own direction.
#include "render/resident_page.h"

#include <string.h>
#include <strings.h>

#include "app/dates.h"
#include "app/labels.h"
#include "base/tr.h"
#include "render/html.h"
#include "render/json.h"
#include "render/text.h"

static const char style[] =
    "body{margin:0 auto;padding:1rem;max-width:44rem;font:1.0625rem/1.5 system-ui,sans-serif;color:#1d2b2a;"
    "background:#fff;overflow-wrap:anywhere}h1{font-size:1.7rem}h2{font-size:1.3rem;margin-block-start:2rem;"
    "border-block-end:.15rem solid #2f6f62}h3{font-size:1.1rem;margin:1.2rem 0 .3rem}p{margin:.25rem 0}"
    ".f{color:#52615e}@media print{body{max-width:none;font-size:11pt;padding:0}h2,h3{break-after:avoid}}";

struct sink {
	FILE *out;
	bool html;
	struct text t;
};

static void typed(const struct sink *s, const char *value)
{
	if (s->html) {
		fputs("<bdi>", s->out);
		html_put(s->out, value);
		fputs("</bdi>", s->out);
	} else {
		text_typed(&s->t, value, 4);
	}
}

/* A sentence of ours, with what somebody may have typed in it. */
static void sentence(const struct sink *s, const char *msg, const char *a1, const char *a2)
{
	const char *args[2] = { a1, a2 };

	for (const char *p = lang_tr(s->t.lang, msg); *p != '\0'; p++) {
		char one[2] = { *p, '\0' };

		if (p[0] == '%' && (p[1] == '1' || p[1] == '2')) {
			typed(s, args[p[1] - '1'] == NULL ? "" : args[p[1] - '1']);
			p++;
		} else if (s->html && (*p == '<' || *p == '>' || *p == '&')) {
			html_put(s->out, one);
		} else {
			fputc(*p, s->out);
		}
	}
}

static void line(const struct sink *s, const char *msg, const char *a1, const char *a2)
{
	fputs(s->html ? "<p>" : "", s->out);
	sentence(s, msg, a1, a2);
	fputs(s->html ? "</p>\n" : "\n", s->out);
}

static void heading(const struct sink *s, int level, const char *msg, const char *a1, const char *a2)
{
	if (s->html)
		fprintf(s->out, "<h%d>", level);
	else
		fputs(level < 3 ? "\n" : "", s->out);
	sentence(s, msg, a1, a2);
	if (s->html)
		fprintf(s->out, "</h%d>\n", level);
	else
		fputc('\n', s->out);
}

static void fact(const struct sink *s, const char *name, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	fputs(s->html ? "<p><span class=\"f\">" : "  ", s->out);
	sentence(s, name, NULL, NULL);
	fputs(s->html ? ":</span> " : ": ", s->out);
	if (s->html) {
		fputs("<bdi dir=\"auto\" style=\"white-space:pre-wrap\">", s->out);
		html_put(s->out, value);
		fputs("</bdi></p>\n", s->out);
	} else {
		text_typed(&s->t, value, 4);
		fputc('\n', s->out);
	}
}

static const char *name_of(const struct sink *s, const char *list, const char *id)
{
	return label(list, id, lang_name(s->t.lang));
}

static void fact_words(const struct sink *s, const char *name, const char *list, const struct words *w)
{
	char all[1000] = "";

	for (size_t i = 0; i < w->n; i++) {
		const char *one = name_of(s, list, w->word[i]);

		if (strlen(all) + strlen(one) + 3 < sizeof(all)) {
			strcat(all, i > 0 ? ", " : "");
			strcat(all, one);
		}
	}
	fact(s, name, all);
}

static void fact_day(const struct sink *s, const char *name, int64_t day)
{
	char text[DAY_TEXT_LEN];

	day_text(day, text);
	fact(s, name, text);
}

static void written(const struct sink *s, const struct page_note *n)
{
	char day[DAY_TEXT_LEN];

	day_text(n->last_day, day);
	fact(s, TR("Written by"), n->by);
	if (n->last_by != NULL) {
		fputs(s->html ? "<p><span class=\"f\">" : "  ", s->out);
		sentence(s, TR("Last changed by %1, on %2."), n->last_by, day);
		fputs(s->html ? "</span></p>\n" : "\n", s->out);
	}
}

/* Every version that stands beside another is about the resident as well. */
static void others(const struct sink *s, const struct versions *v)
{
	for (size_t i = 0; i < v->fields; i++)
		for (size_t k = 1; k < v->field[i].versions; k++)
			for (size_t m = 0; m < v->field[i].version[k].values; m++)
				fact(s, TR("There is another version of this"),
				     v->field[i].list == NULL
				         ? v->field[i].version[k].value[m]
				         : name_of(s, v->field[i].list, v->field[i].version[k].value[m]));
	for (size_t i = 0; i < v->kept_count; i++)
		for (size_t m = 1; m < v->kept[i].values; m++)
			fact(s, TR("There is another version of this"),
			     v->kept[i].list == NULL ? v->kept[i].value[m]
			                             : name_of(s, v->kept[i].list, v->kept[i].value[m]));
}

static void who(const struct sink *s, const struct resident_page *p)
{
	const struct resident *r = p->who.item;

	if (p->who.n == 0)
		return;
	heading(s, 2, TR("Your card"), NULL, NULL);
	fact(s, TR("Name"), r->nick);
	fact(s, TR("How we may reach you"), name_of(s, "reach", r->reach));
	fact(s, TR("Number or address"), r->number);
	fact(s, TR("Language"), r->language);
	fact(s, TR("Note"), r->note);
	others(s, &r->versions);
	written(s, &p->who_note);
}

static void talks(const struct sink *s, const struct resident_page *p)
{
	heading(s, 2, TR("Conversations"), NULL, NULL);
	if (p->talks.n == 0)
		line(s, TR("There are none here."), NULL, NULL);
	for (size_t i = 0; i < p->talks.n; i++) {
		const struct contact *c = &p->talks.item[i];
		char day[DAY_TEXT_LEN];

		day_text(c->date, day);
		heading(s, 3, TR("Conversation of %1"), day, NULL);
		fact(s, TR("Where"), name_of(s, "channel", c->channel));
		fact(s, TR("Who came"), name_of(s, "who", c->who));
		fact_words(s, TR("About"), "domain", &c->domains);
		fact_words(s, TR("What was done"), "did", &c->did);
		fact(s, TR("Note"), c->text);
		if (c->follow_up != NO_DAY)
			fact_day(s, c->follow_up_done ? TR("Called back, planned for") : TR("Call back on"),
			         c->follow_up);
		others(s, &c->versions);
		written(s, &p->talk_note[i]);
	}
}

static void events(const struct sink *s, const struct referral *r)
{
	for (size_t i = 0; i < r->events; i++) {
		char day[DAY_TEXT_LEN];

		day_text(r->event[i].date, day);
		fputs(s->html ? "<p>" : "    ", s->out);
		sentence(s, "%1: %2", day, name_of(s, "status", r->event[i].status));
		if (r->event[i].reason != NULL)
			sentence(s, " (%1)", name_of(s, "reason", r->event[i].reason), NULL);
		sentence(s, TR(" - noted by %1"), r->event[i].author, NULL);
		fputs(s->html ? "</p>\n" : "\n", s->out);
	}
}

static void referrals(const struct sink *s, const struct resident_page *p)
{
	heading(s, 2, TR("Referrals, and which organisation was told"), NULL, NULL);
	if (p->referrals.n == 0)
		line(s, TR("There are none here."), NULL, NULL);
	for (size_t i = 0; i < p->referrals.n; i++) {
		const struct referral *r = &p->referrals.item[i];
		char day[DAY_TEXT_LEN];

		day_text(r->date, day);
		heading(s, 3, "%2, %1", day, r->service_name);
		fact(s, TR("How"), name_of(s, "kind", r->kind));
		fact(s, TR("About"), name_of(s, "domain", r->domain));
		fact(s, TR("Your consent"), name_of(s, "consent", r->consent));
		fact(s, TR("Consent for"), r->consent_what);
		fact_day(s, TR("Consent until"), r->consent_until);
		if (r->consent == NULL || strcmp(r->consent, "niet_nodig") == 0)
			line(s, TR("Nothing was noted that this organisation was told about you."), NULL, NULL);
		fact(s, TR("Code on the slip"), r->code);
		fact(s, TR("Note"), r->text);
		fact(s, TR("What changed"), name_of(s, "changed", r->changed));
		events(s, r);
		others(s, &r->versions);
		written(s, &p->referral_note[i]);
	}
}

static void gone(const struct sink *s, const struct resident_page *p)
{
	char n[24];

	if (p->who.n > 0 && p->gone_n == 0)
		return;
	heading(s, 2, TR("What was erased"), NULL, NULL);
	if (p->who.n == 0)
		line(s, TR("Your card was erased. Only this number is left of it: %1"), p->id, NULL);
	for (size_t i = 0; i < p->gone_n; i++) {
		const struct erase_row *r = p->gone[i];
		char day[DAY_TEXT_LEN];
		char until[DAY_TEXT_LEN];

		day_text(app_day_of(r->at_ms), day);
		day_text(r->until_day, until);
		heading(s, 3, text_kind(r->kind), NULL, NULL);
		line(s, TR("Erased by %1. It came here on %2."), r->by, day);
		if (r->by_term)
			line(s, TR("Because it was older than the circle keeps things."), NULL, NULL);
		if (strcmp(r->state, "final") == 0)
			line(s, TR("It is gone from this device."), NULL, NULL);
		else if (r->until_day != NO_DAY)
			line(s, TR("It is hidden. Until %1 a member of the circle can bring it back."), until, NULL);
		else
			line(s, TR("It is hidden, and goes when all devices of the circle have synced."), NULL, NULL);
	}
	if (p->progress != NULL) {
		snprintf(n, sizeof(n), "%zu", p->progress->done);
		line(s,
		     lang_plural(s->t.lang, p->progress->done, "What is gone is gone from 1 device of the circle.",
		                 "What is gone is gone from %1 devices of the circle."),
		     n, NULL);
		snprintf(n, sizeof(n), "%zu", p->progress->active + p->progress->resting);
		if (p->progress->active + p->progress->resting > 0)
			line(s,
			     lang_plural(s->t.lang, p->progress->active + p->progress->resting,
			                 "1 other device holds it still.", "%1 other devices hold it still."),
			     n, NULL);
	}
	line(s, TR("Backups, exports and paper that somebody made may hold it as well."), NULL, NULL);
}

enum lang resident_page_lang(const struct resident_page *page)
{
	const char *l = page->who.n > 0 ? page->who.item[0].language : NULL;

	if (l != NULL && (strcasecmp(l, "en") == 0 || strcasecmp(l, "Engels") == 0 || strcasecmp(l, "English") == 0))
		return LANG_EN;
	return LANG_NL;
}

void resident_page_print(const struct resident_page *page, enum lang lang, bool html, FILE *out)
{
	const struct sink s = { out, html, { .out = out, .lang = lang } };
	char day[DAY_TEXT_LEN];

	day_text(page->today, day);
	if (html) {
		fprintf(out,
		        "<!DOCTYPE html>\n<html lang=\"%s\" dir=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
		        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
		        "'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>",
		        lang_name(lang), lang_is_rtl(lang) ? "rtl" : "ltr");
		html_put(out, lang_tr(lang, TR("Everything that is here about you")));
		fprintf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n", style);
	}
	heading(&s, 1, TR("Everything that is here about you"), NULL, NULL);
	line(&s, TR("Made on %1, by %2."), day, page->me);
	if (page->circle != NULL)
		line(&s, TR("Members of the circle %1 can read this. Nobody else can."), page->circle, NULL);
	line(&s, TR("You may ask to change or erase what is here. It is your information."), NULL, NULL);
	who(&s, page);
	talks(&s, page);
	referrals(&s, page);
	gone(&s, page);
	if (html)
		fputs("</body>\n</html>\n", out);
}

static void note_doc(struct doc *d, const struct page_note *n)
{
	doc_text(d, "written_by", n->by);
	doc_text(d, "changed_by", n->last_by);
	doc_day(d, "changed_on", n->last_day);
}

void resident_page_doc(struct doc *d, const char *key, const struct resident_page *p)
{
	doc_object(d, key);
	doc_text(d, "id", p->id);
	doc_text(d, "circle", p->circle);
	doc_bool(d, "erased", p->who.n == 0);
	if (p->who.n > 0)
		json_resident(d, "resident", &p->who.item[0], JSON_WHOLE);
	note_doc(d, &p->who_note);
	doc_array(d, "contacts");
	for (size_t i = 0; i < p->talks.n; i++) {
		doc_object(d, NULL);
		json_contact(d, "contact", &p->talks.item[i], JSON_WHOLE);
		note_doc(d, &p->talk_note[i]);
		doc_end(d);
	}
	doc_end(d);
	doc_array(d, "referrals");
	for (size_t i = 0; i < p->referrals.n; i++) {
		doc_object(d, NULL);
		json_referral(d, "referral", &p->referrals.item[i], JSON_WHOLE);
		note_doc(d, &p->referral_note[i]);
		doc_end(d);
	}
	doc_end(d);
	doc_array(d, "gone");
	for (size_t i = 0; i < p->gone_n; i++) {
		doc_object(d, NULL);
		doc_text(d, "id", p->gone[i]->id);
		doc_text(d, "kind", p->gone[i]->kind);
		doc_text(d, "by", p->gone[i]->by);
		doc_time(d, "at", p->gone[i]->at_ms);
		doc_bool(d, "by_retention", p->gone[i]->by_term);
		doc_text(d, "state", p->gone[i]->state);
		doc_day(d, "until", p->gone[i]->until_day);
		doc_end(d);
	}
	doc_end(d);
	doc_end(d);
}
