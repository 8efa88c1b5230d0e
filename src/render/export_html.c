// SPDX-License-Identifier: EUPL-1.2
// Everything of mine as one page for any browser, to read and to print. It has no script and asks for nothing from
// outside, and says so to the browser as well; what people typed is escaped, isolated in its own direction, and never
// in an attribute.
#include <inttypes.h>
#include <string.h>

#include "app/dates.h"
#include "app/labels.h"
#include "base/tr.h"
#include "render/export_parts.h"
#include "render/history.h"
#include "render/html.h"

static const char style[] =
    ":root{color-scheme:light}"
    "*{box-sizing:border-box}"
    "body{margin:0 auto;padding:1rem;max-width:46rem;font:1.0625rem/1.55 system-ui,sans-serif;color:#1d2b2a;"
    "background:#fbfaf6;overflow-wrap:anywhere}"
    "h1{font-size:1.9rem;line-height:1.2;margin:1rem 0 .25rem}"
    "h2{font-size:1.5rem;line-height:1.25;margin:3rem 0 .5rem;padding-block-end:.3rem;border-block-end:.2rem solid "
    "#2f6f62}"
    "h3{font-size:1.2rem;margin:2rem 0 .5rem}"
    "h4{font-size:1.0625rem;margin:0 0 .4rem}"
    "h5{font-size:1rem;margin:0 0 .3rem}"
    "p{margin:.4rem 0}"
    ".warn{border-inline-start:.3rem solid #a3421f;padding:.5rem .8rem;background:#fdf1ea}"
    "nav ul,ul.plain{list-style:none;padding:0;margin:.5rem 0}"
    "nav li{margin:.3rem 0}"
    "a{color:#1f5b50}"
    "article{background:#fff;border:1px solid #d8d5c8;border-radius:.5rem;padding:.8rem 1rem;margin:.8rem 0}"
    "section.ref,section.two{border-inline-start:.25rem solid #8fb7ad;padding-inline-start:.8rem;margin:.8rem 0 0}"
    "section.two{border-inline-start-color:#c98a2b}"
    "dl{margin:.3rem 0;display:grid;grid-template-columns:minmax(0,11rem) minmax(0,1fr);gap:.15rem .8rem}"
    "dl div{display:contents}"
    "dt{color:#52615e}"
    "dd{margin:0}"
    ".typed{white-space:pre-wrap;margin:.5rem 0}"
    "dd .typed{margin:0}"
    ".id{color:#52615e;font-size:.875rem;font-weight:normal}"
    ".record{white-space:nowrap}"
    ".mark{display:inline-block;border:1px solid #a3421f;border-radius:.3rem;padding:0 .4rem;color:#8a3517}"
    "ol,ul{padding-inline-start:1.3rem;margin:.3rem 0}"
    "@media(max-width:34rem){dl{grid-template-columns:minmax(0,1fr);gap:0}dd{margin-block-end:.4rem}}"
    "@media print{body{max-width:none;background:#fff;font-size:11pt;padding:0}nav{display:none}"
    "article{border-color:#999;break-inside:avoid}h2,h3,h4,h5{break-after:avoid}a{color:inherit}}";

/* --- text that is safe in a page --- */

static FILE *page(const struct export_sink *s)
{
	return s->file[EXPORT_HTML];
}

/* Within a tag, where nothing can be marked. */
static void say_plain(const struct export_sink *s, const char *msg)
{
	html_put(page(s), lang_tr(s->lang, msg));
}

/* What has no translation is English: marked, and set apart from a page that runs the other way. */
static bool foreign(const struct export_sink *s, const char *msg)
{
	return s->lang != LANG_EN && lang_tr(s->lang, msg) == msg;
}

static void say(const struct export_sink *s, const char *msg)
{
	fputs(foreign(s, msg) ? "<bdi lang=\"en\">" : "", page(s));
	say_plain(s, msg);
	fputs(foreign(s, msg) ? "</bdi>" : "", page(s));
}

/* A sentence with one value in it, which somebody may have typed. */
static void say_of(const struct export_sink *s, const char *msg, const char *value)
{
	const char *translated = lang_tr(s->lang, msg);
	const char *at = strstr(translated, "%1");
	char before[256];

	if (at == NULL || (size_t)(at - translated) >= sizeof(before)) {
		say(s, msg);
		return;
	}
	memcpy(before, translated, (size_t)(at - translated));
	before[at - translated] = '\0';
	fputs(foreign(s, msg) ? "<bdi lang=\"en\">" : "", page(s));
	html_put(page(s), before);
	fputs("<bdi>", page(s));
	html_put(page(s), value == NULL ? "" : value);
	fputs("</bdi>", page(s));
	html_put(page(s), at + 2);
	fputs(foreign(s, msg) ? "</bdi>" : "", page(s));
}

static void typed(const struct export_sink *s, const char *text)
{
	fputs("<bdi>", page(s));
	html_put(page(s), text == NULL ? "" : text);
	fputs("</bdi>", page(s));
}

/* A long text: its lines stay, its direction is its own. */
static void typed_block(const struct export_sink *s, const char *text)
{
	fputs("<div class=\"typed\" dir=\"auto\">", page(s));
	html_put(page(s), text);
	fputs("</div>\n", page(s));
}

static const char *label_of(const struct export_sink *s, const char *list, const char *id)
{
	return label(list, id, lang_name(s->lang));
}

static struct text text_of(const struct export_sink *s)
{
	return (struct text){ .out = page(s), .lang = s->lang };
}

static void date(const struct export_sink *s, int64_t day)
{
	char text[DAY_TEXT_LEN];

	day_text(day, text);
	fprintf(page(s), "<time datetime=\"%s\" dir=\"ltr\">%s</time>", text, text);
}

/* --- one line of a list of facts --- */

static void fact_begin(const struct export_sink *s, const char *kind, const char *field)
{
	struct text t = text_of(s);

	fputs("<div><dt><bdi>", page(s));
	html_put(page(s), field_label(&t, kind, field));
	fputs("</bdi></dt><dd>", page(s));
}

static void fact_end(const struct export_sink *s)
{
	fputs("</dd></div>\n", page(s));
}

static void fact(const struct export_sink *s, const char *kind, const char *field, const char *value)
{
	if (value == NULL)
		return;
	fact_begin(s, kind, field);
	typed(s, value);
	fact_end(s);
}

static void fact_long(const struct export_sink *s, const char *kind, const char *field, const char *value)
{
	if (value == NULL)
		return;
	fact_begin(s, kind, field);
	typed_block(s, value);
	fact_end(s);
}

/* A telephone number or address of a page reads from left to right in every language. */
static void fact_ltr(const struct export_sink *s, const char *kind, const char *field, const char *value)
{
	if (value == NULL)
		return;
	fact_begin(s, kind, field);
	fputs("<bdi dir=\"ltr\">", page(s));
	html_put(page(s), value);
	fputs("</bdi>", page(s));
	fact_end(s);
}

static void fact_id(const struct export_sink *s, const char *kind, const char *field, const char *list, const char *id)
{
	fact(s, kind, field, label_of(s, list, id));
}

static void fact_day(const struct export_sink *s, const char *kind, const char *field, int64_t day)
{
	if (day == NO_DAY)
		return;
	fact_begin(s, kind, field);
	date(s, day);
	fact_end(s);
}

static void fact_words(const struct export_sink *s, const char *kind, const char *field, const char *list,
                       const struct words *w)
{
	if (w->n == 0)
		return;
	fact_begin(s, kind, field);
	for (size_t i = 0; i < w->n; i++) {
		if (i > 0)
			fputs("; ", page(s));
		typed(s, list == NULL ? w->word[i] : label_of(s, list, w->word[i]));
	}
	fact_end(s);
}

/* --- what stands side by side --- */

static void value(const struct export_sink *s, const char *list, const char *const *text, size_t n)
{
	if (n == 0)
		say(s, TR("(taken away)"));
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			fputs(" | ", page(s));
		fputs("<bdi class=\"typed\">", page(s));
		html_put(page(s), list == NULL ? text[i] : label_of(s, list, text[i]));
		fputs("</bdi>", page(s));
	}
}

static void field_versions(const struct export_sink *s, const char *kind, const struct field_versions *f)
{
	struct text t = text_of(s);

	fputs("<section class=\"two\"><h5>", page(s));
	say_of(s, TR("Two versions of %1:"), field_label(&t, kind, f->field));
	fputs("</h5><ol>\n", page(s));
	for (size_t i = 0; i < f->versions; i++) {
		char at[TIME_TEXT_LEN];

		time_text(f->version[i].at_ms, at);
		at[10] = '\0';
		fputs("<li>", page(s));
		value(s, f->list, f->version[i].value, f->version[i].values);
		fputs(" <span class=\"id\">(", page(s));
		typed(s, f->version[i].author);
		fprintf(page(s), ", <time datetime=\"%s\" dir=\"ltr\">%s</time>)</span></li>\n", at, at);
	}
	fputs("</ol></section>\n", page(s));
}

static void versions(const struct export_sink *s, const char *kind, const struct versions *v)
{
	struct text t = text_of(s);

	for (size_t i = 0; i < v->kept_count; i++) {
		fputs("<section class=\"two\"><h5>", page(s));
		say_of(s, TR("Kept together in %1"), field_label(&t, kind, v->kept[i].field));
		fputs("</h5><ul>\n", page(s));
		for (size_t k = 0; k < v->kept[i].values; k++) {
			fputs("<li>", page(s));
			value(s, v->kept[i].list, &v->kept[i].value[k], 1);
			fputs("</li>\n", page(s));
		}
		fputs("</ul></section>\n", page(s));
	}
	for (size_t i = 0; i < v->fields; i++)
		field_versions(s, kind, &v->field[i]);
}

/* Behind a heading: the id by which the program and the other files know the record. */
static void id_note(const struct export_sink *s, const char *id)
{
	fprintf(page(s), " <span class=\"id record\" dir=\"ltr\">%s</span>", id);
}

/* --- records --- */

static void events(const struct export_sink *s, const struct referral *r)
{
	if (r->events == 0)
		return;
	fputs("<ol>\n", page(s));
	for (size_t i = 0; i < r->events; i++) {
		const struct referral_event *e = &r->event[i];

		fputs("<li>", page(s));
		date(s, e->date);
		fputs(" ", page(s));
		typed(s, label_of(s, "status", e->status));
		if (e->reason != NULL) {
			fputs(": ", page(s));
			typed(s, label_of(s, "reason", e->reason));
		}
		fputs("</li>\n", page(s));
	}
	fputs("</ol>\n", page(s));
}

static void referral_facts(const struct export_sink *s, const struct referral *r)
{
	if (r->loop.silent) {
		fputs("<p><span class=\"mark\">", page(s));
		say(s, TR("No answer yet"));
		fputs("</span></p>\n", page(s));
	}
	fputs("<dl>\n", page(s));
	fact_day(s, "referral", "date", r->date);
	fact_id(s, "referral", "group", "group", r->group);
	fact_id(s, "referral", "kind", "kind", r->kind);
	fact_id(s, "referral", "domain", "domain", r->domain);
	fact_id(s, "referral", "consent", "consent", r->consent);
	fact(s, "referral", "consent_what", r->consent_what);
	fact_day(s, "referral", "consent_until", r->consent_until);
	fact_ltr(s, "referral", "code", r->code);
	fact_long(s, "referral", "text", r->text);
	fact_id(s, "referral", "changed", "changed", r->changed);
	fact(s, "referral", "follows", r->follows);
	fputs("</dl>\n", page(s));
	events(s, r);
	versions(s, "referral", &r->versions);
}

static void referral_part(const struct export_sink *s, const struct referral *r)
{
	fputs("<section class=\"ref\"><h5>", page(s));
	say_of(s, TR("Referral to %1"), r->service_name);
	id_note(s, r->id);
	fputs("</h5>\n", page(s));
	referral_facts(s, r);
	fputs("</section>\n", page(s));
}

static void contact_part(const struct export_sink *s, const struct contact *c, const struct referral_list *referrals)
{
	fputs("<article><h4>", page(s));
	if (c->date != NO_DAY)
		date(s, c->date);
	if (c->resident != NULL) {
		fputs(" ", page(s));
		typed(s, c->resident);
	} else if (c->resident_erased) {
		fputs(" ", page(s));
		say(s, TR("(erased)"));
	}
	id_note(s, c->id);
	fputs("</h4>\n<dl>\n", page(s));
	fact_id(s, "contact", "channel", "channel", c->channel);
	fact_id(s, "contact", "who", "who", c->who);
	fact(s, "contact", "from_service", c->from_service);
	fact_words(s, "contact", "domains", "domain", &c->domains);
	fact_words(s, "contact", "did", "did", &c->did);
	if (c->follow_up != NO_DAY)
		fact_day(s, "contact", c->follow_up_done ? "follow_up_done" : "follow_up", c->follow_up);
	fact(s, "contact", "follows", c->follows);
	fputs("</dl>\n", page(s));
	if (c->text != NULL)
		typed_block(s, c->text);
	versions(s, "contact", &c->versions);
	for (size_t i = 0; i < referrals->n; i++)
		referral_part(s, &referrals->item[i]);
	fputs("</article>\n", page(s));
}

static void referral_alone(const struct export_sink *s, const struct referral *r)
{
	fputs("<article><h4>", page(s));
	say_of(s, TR("Referral to %1"), r->service_name);
	id_note(s, r->id);
	fputs("</h4>\n<p>", page(s));
	say(s, TR("The conversation is not here."));
	fputs("</p>\n", page(s));
	referral_facts(s, r);
	fputs("</article>\n", page(s));
}

static void resident_part(const struct export_sink *s, const struct resident *r)
{
	fputs("<article><h4>", page(s));
	typed(s, r->nick);
	id_note(s, r->id);
	fputs("</h4>\n<dl>\n", page(s));
	fact_id(s, "resident", "reach", "reach", r->reach);
	fact_ltr(s, "resident", "number", r->number);
	fact(s, "resident", "language", r->language);
	fact_long(s, "resident", "note", r->note);
	fputs("</dl>\n", page(s));
	versions(s, "resident", &r->versions);
	fputs("</article>\n", page(s));
}

static void service_part(const struct export_sink *s, const struct service *v)
{
	fputs("<article><h4>", page(s));
	typed(s, v->name);
	id_note(s, v->id);
	fputs("</h4>\n<dl>\n", page(s));
	fact(s, "service", "organisation", v->organisation);
	fact_id(s, "service", "kind", "service_kind", v->kind);
	fact_id(s, "service", "group", "group", v->group);
	fact_words(s, "service", "domains", "domain", &v->domains);
	fact_long(s, "service", "description", v->description);
	fact_long(s, "service", "eligibility", v->eligibility);
	fact_long(s, "service", "documents", v->documents);
	fact_long(s, "service", "application", v->application);
	fact_ltr(s, "service", "phone", v->phone);
	fact_ltr(s, "service", "email", v->email);
	fact_ltr(s, "service", "website", v->website);
	fact(s, "service", "address", v->address);
	fact_long(s, "service", "hours", v->hours);
	fact_words(s, "service", "languages", NULL, &v->languages);
	fact(s, "service", "cost", v->cost);
	fact_day(s, "service", "checked_on", v->checked_on);
	fact(s, "service", "wrong", v->wrong);
	fact(s, "service", "source", v->source);
	fact(s, "service", "successor_of", v->successor_of);
	fputs("</dl>\n", page(s));
	if (v->note != NULL) {
		fputs("<p><span class=\"mark\">", page(s));
		say(s, TR("Note among us, not for others"));
		fputs("</span></p>\n", page(s));
		typed_block(s, v->note);
	}
	versions(s, "service", &v->versions);
	fputs("</article>\n", page(s));
}

void export_html_row(const struct export_sink *s, const struct export_row *row)
{
	if (row->resident != NULL)
		resident_part(s, row->resident);
	else if (row->contact != NULL)
		contact_part(s, row->contact, row->referrals);
	else if (row->service != NULL)
		service_part(s, row->service);
	else if (row->referral != NULL && row->alone)
		referral_alone(s, row->referral);
}

/* --- the page around them --- */

static void space_title(const struct export_sink *s, const struct export_space *space)
{
	if (strcmp(space->kind, "own") == 0)
		say(s, TR("My own notes"));
	else if (strcmp(space->kind, "circle") == 0)
		say_of(s, TR("Circle %1"), space->name);
	else
		say_of(s, TR("Neighbourhood %1"), space->name);
}

void export_html_begin(const struct export_sink *s, const struct export_spaces *all, int64_t today)
{
	FILE *out = page(s);

	fprintf(out,
	        "<!DOCTYPE html>\n<html lang=\"%s\" dir=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
	        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
	        "base-uri 'none'; form-action 'none'\">\n"
	        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	        "<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"robots\" content=\"noindex\">\n<title>",
	        lang_name(s->lang), lang_is_rtl(s->lang) ? "rtl" : "ltr");
	say_plain(s, TR("Everything of mine"));
	fprintf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n<header>\n<h1>", style);
	say(s, TR("Everything of mine"));
	fputs("</h1>\n<p>", out);
	typed(s, all->me);
	fputs(", ", out);
	date(s, today);
	fputs("</p>\n<p class=\"warn\">", out);
	say(s, TR("This page is not locked: whoever opens it can read everything. Keep it where nobody else comes."));
	fputs("</p>\n</header>\n<nav aria-label=\"", out);
	say_plain(s, TR("On this page"));
	fputs("\">\n<ul>\n", out);
	for (size_t i = 0; i < all->n; i++) {
		fprintf(out, "<li><a href=\"#s-%s\">", all->item[i].id);
		space_title(s, &all->item[i]);
		fputs("</a></li>\n", out);
	}
	fputs("</ul>\n</nav>\n<main>\n", out);
}

void export_html_space(const struct export_sink *s, const struct export_space *space, bool empty)
{
	fprintf(page(s), "<section>\n<h2 id=\"s-%s\">", space->id);
	space_title(s, space);
	fputs("</h2>\n", page(s));
	if (!empty)
		return;
	fputs("<p>", page(s));
	say(s, TR("There is nothing here."));
	fputs("</p>\n", page(s));
}

void export_html_list(const struct export_sink *s, enum export_kind kind, size_t count)
{
	static const char *const titles[EXPORT_KINDS] = { [EXPORT_RESIDENTS] = TR("Residents"),
		                                          [EXPORT_CONTACTS] = TR("Conversations"),
		                                          [EXPORT_SERVICES] = TR("The directory") };

	if (count == 0 || titles[kind] == NULL)
		return;
	fputs("<section>\n<h3>", page(s));
	say(s, titles[kind]);
	fputs("</h3>\n", page(s));
}

void export_html_list_end(const struct export_sink *s, enum export_kind kind, size_t count)
{
	if (count > 0 && kind != EXPORT_REFERRALS)
		fputs("</section>\n", page(s));
}

void export_html_members(const struct export_sink *s, const struct member_view *list, size_t n)
{
	if (n == 0)
		return;
	fputs("<section>\n<h3>", page(s));
	say(s, TR("Members"));
	fputs("</h3>\n<ul>\n", page(s));
	for (size_t i = 0; i < n; i++) {
		char roles[sizeof(list[i].role)];
		char *next = NULL;

		fputs("<li>", page(s));
		typed(s, list[i].name);
		snprintf(roles, sizeof(roles), "%s", list[i].role);
		for (char *role = strtok_r(roles, ",", &next); role != NULL; role = strtok_r(NULL, ",", &next)) {
			fputs(", ", page(s));
			typed(s, label_of(s, "role", role));
		}
		fputs("</li>\n", page(s));
	}
	fputs("</ul>\n</section>\n", page(s));
}

void export_html_space_end(const struct export_sink *s)
{
	fputs("</section>\n", page(s));
}

void export_html_end(const struct export_sink *s)
{
	fputs("</main>\n</body>\n</html>\n", page(s));
}
