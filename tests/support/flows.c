// SPDX-License-Identifier: EUPL-1.2
// The flows that are struck, and the questions asked after it.
#include "faults/flows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "app/contacts.h"
#include "app/finding.h"
#include "app/services.h"
#include "support/older.h"
#include "vault/vault.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define IMPORTED "Dienst nummer"

/* ---- Before ---- */

static void edit_channel(struct stage *s, size_t home, const char *text, const char *channel)
{
	struct contact_query q = { 0 };
	struct contact_list list = { 0 };
	struct contact_fields f = { .channel = channel };
	struct errctx ec = { 0 };
	char id[ID_TEXT_LEN];

	assert_int_equal(contact_list_some(&ec, s->w.app[home], &q, &list), ERR_OK);
	for (size_t i = 0; i < list.n; i++) {
		if (strcmp(list.item[i].text, text) == 0)
			assert_int_equal(contact_edit(&ec, s->w.app[home], list.item[i].id, &f, id), ERR_OK);
	}
	contact_list_free(&list);
}

/* Three conversations, two of them unsent. */
static void some_before(struct stage *s, struct flow *f)
{
	stage_log(s, FLOW_A, "verstuurd", &f->before);
	world_sync(&s->w, FLOW_A);
	world_sync(&s->w, FLOW_B);
	stage_log(s, FLOW_A, "nog niet verstuurd", &f->before);
	stage_log(s, FLOW_A, "ook nog niet", &f->before);
	f->unsent = stage_unsent(s, FLOW_A);
	assert_int_equal(f->unsent, 2);
}

static const struct texts three_new = { { "eerste nieuwe", "tweede nieuwe", "derde nieuwe" }, 3 };
#define ADD_THREE "add 'eerste nieuwe' 'tweede nieuwe' 'derde nieuwe'"

void flow_add(struct stage *s, struct flow *f)
{
	*f = (struct flow){ .name = "add", .home = FLOW_A, .action = ADD_THREE, .news = three_new };
	some_before(s, f);
	stage_freeze(s);
}

/* A copy taken while it is open is what kill -9 leaves. */
void flow_resume(struct stage *s, struct flow *f)
{
	*f = (struct flow){ .name = "add after a kill", .home = FLOW_A, .action = ADD_THREE, .news = three_new };
	some_before(s, f);
	stage_close(s, FLOW_A);
	stage_open(s, FLOW_A);
	stage_log(s, FLOW_A, "in het logboek", &f->before);
	stage_log(s, FLOW_A, "ook in het logboek", &f->before);
	f->unsent = stage_unsent(s, FLOW_A);
	stage_shell(NULL, "cp -a %s %s/killed", s->w.home[FLOW_A], s->w.dir);
	stage_close(s, FLOW_A);
	stage_shell(NULL, "cd %s && rm -rf home1 && mv killed home1", s->w.dir);
	stage_freeze(s);
}

void flow_edit(struct stage *s, struct flow *f)
{
	*f = (struct flow){ .name = "edit",
		            .home = FLOW_A,
		            .action = "edit verstuurd telefoon 'ook nog niet' mail verstuurd straat",
		            .edit = { { "verstuurd", "", "telefoon" },
		                      { "ook nog niet", "", "mail" },
		                      { "verstuurd", "telefoon", "straat" } },
		            .edits = 3 };
	some_before(s, f);
	stage_freeze(s);
}

void flow_import(struct stage *s, struct flow *f)
{
	*f = (struct flow){ .name = "import", .home = FLOW_C, .action = "import 60", .services = 60 };
	stage_freeze(s);
}

void flow_take(struct stage *s, struct flow *f)
{
	char path[400];
	FILE *csv = NULL;

	*f = (struct flow){ .name = "import of a table", .home = FLOW_A, .together = true };
	some_before(s, f);
	snprintf(path, sizeof(path), "%s/eerder.csv", s->w.dir);
	snprintf(f->action, sizeof(f->action), "cli import %.300s", path);
	csv = fopen(path, "w");
	assert_non_null(csv);
	fprintf(csv, "date,channel,text\n");
	for (f->news.n = 0; f->news.n < 40; f->news.n++) {
		char *text = f->news.text[f->news.n];

		snprintf(text, sizeof(f->news.text[0]), "van vroeger, nummer %zu", f->news.n);
		fprintf(csv, "2025-03-%02zu,spreekuur,\"%s\"\n", f->news.n % 28 + 1, text);
	}
	assert_int_equal(fclose(csv), 0);
	stage_freeze(s);
}

/* A has three conversations and an edit to send; B sent two conversations and another edit of the same field. */
void flow_sync(struct stage *s, struct flow *f)
{
	*f = (struct flow){ .name = "sync", .home = FLOW_A, .action = "sync" };
	stage_log(s, FLOW_A, "van allebei", &f->before);
	world_sync(&s->w, FLOW_A);
	world_sync(&s->w, FLOW_B);
	stage_log(s, FLOW_B, "een van Twee", &f->theirs);
	stage_log(s, FLOW_B, "nog een van Twee", &f->theirs);
	edit_channel(s, FLOW_B, "van allebei", "telefoon");
	world_sync(&s->w, FLOW_B);
	stage_log(s, FLOW_A, "een van Een", &f->before);
	stage_log(s, FLOW_A, "twee van Een", &f->before);
	stage_log(s, FLOW_A, "drie van Een", &f->before);
	edit_channel(s, FLOW_A, "van allebei", "huis");
	f->unsent = stage_unsent(s, FLOW_A);
	assert_int_equal(f->unsent, 4);
	stage_freeze(s);
}

/* As version 2 left a home: names that sound alike are not in the index yet. */
void flow_migrate(struct stage *s, struct flow *f)
{
	*f = (struct flow){ .name = "migrate", .home = FLOW_A, .action = "open", .found = "brieven" };
	for (int i = 0; i < 40; i++) {
		char text[80];

		snprintf(text, sizeof(text), "over brieven, nummer %d", i);
		stage_log(s, FLOW_A, text, &f->before);
	}
	f->unsent = stage_unsent(s, FLOW_A);
	assert_true(older_make(vault_db(s->w.app[FLOW_A]->vault), 2));
	stage_freeze(s);
}

/* ---- After ---- */

const char *flow_verdict_text(enum flow_verdict v)
{
	static const char *const text[FLOW_VERDICTS] = { "fine", "lost", "doubled", "damaged", "unopenable" };

	return text[v];
}

static enum flow_verdict say(char why[static FLOW_WHY], enum flow_verdict v, const char *what, const struct errctx *ec)
{
	char text[200] = "";

	if (ec != NULL && ec->code != ERR_OK)
		err_text(ec, NULL, text, sizeof(text));
	snprintf(why, FLOW_WHY, "%s: %.60s %s", flow_verdict_text(v), what, text);
	return v;
}

static enum flow_verdict whole(struct stage *s, size_t home, char why[static FLOW_WHY])
{
	struct verify_view v;
	struct errctx ec = { 0 };

	if (app_verify(&ec, s->w.app[home], &v) != ERR_OK)
		return say(why, FLOW_DAMAGED, v.first, &ec);
	if (!v.vault_whole || !v.log_whole || v.bad_pages != 0 || v.bad_edits != 0)
		return say(why, FLOW_DAMAGED, v.first, NULL);
	if (app_warning(s->w.app[home]) != NULL)
		return say(why, FLOW_DAMAGED, app_warning(s->w.app[home]), NULL);
	return FLOW_FINE;
}

static size_t times(const struct contact_list *list, const char *text)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += list->item[i].text != NULL && strcmp(list->item[i].text, text) == 0;
	return n;
}

static enum flow_verdict judge_texts(const struct contact_list *list, const struct flow *f, size_t acknowledged,
                                     struct texts *here, char why[static FLOW_WHY])
{
	size_t known = 0;
	size_t of_news = 0;

	if (f->together && acknowledged > 0)
		acknowledged = f->news.n;
	*here = (struct texts){ .n = 0 };
	for (size_t i = 0; i < f->before.n + f->news.n + f->theirs.n; i++) {
		bool before = i < f->before.n;
		bool news = !before && i < f->before.n + f->news.n;
		size_t k = before ? i : news ? i - f->before.n : i - f->before.n - f->news.n;
		const char *text = before ? f->before.text[k] : news ? f->news.text[k] : f->theirs.text[k];
		size_t n = times(list, text);

		if (n > 1)
			return say(why, FLOW_DOUBLED, text, NULL);
		if (n == 0 && (before || (news && k < acknowledged)))
			return say(why, FLOW_LOST, text, NULL);
		known += n;
		of_news += news ? n : 0;
		if (n == 1 && here->n < TEXTS_MAX && (before || news))
			memcpy(here->text[here->n++], text, sizeof(here->text[0]));
	}
	if (f->together && of_news != 0 && of_news != f->news.n)
		return say(why, FLOW_LOST, "half of what belongs together", NULL);
	return known == list->n ? FLOW_FINE : say(why, FLOW_DOUBLED, "something that was never written", NULL);
}

/* Of the edits of one conversation the last that is there shows; no acknowledged one is missing. */
static enum flow_verdict judge_edits(const struct contact_list *list, const struct flow *f, size_t acknowledged,
                                     char why[static FLOW_WHY])
{
	for (size_t i = 0; i < list->n; i++) {
		const char *channel = list->item[i].channel == NULL ? "" : list->item[i].channel;
		const char *must = NULL;
		bool may = false;

		for (size_t k = 0; k < f->edits; k++) {
			if (strcmp(f->edit[k].text, list->item[i].text) != 0)
				continue;
			if (must == NULL)
				must = f->edit[k].from;
			if (k < acknowledged)
				must = f->edit[k].to;
			else
				may = may || strcmp(channel, f->edit[k].to) == 0;
		}
		if (must != NULL && !may && strcmp(channel, must) != 0)
			return say(why, FLOW_LOST, list->item[i].text, NULL);
	}
	return FLOW_FINE;
}

static enum flow_verdict judge_services(struct stage *s, const struct flow *f, size_t acknowledged,
                                        char why[static FLOW_WHY])
{
	struct service_list list = { 0 };
	struct errctx ec = { 0 };
	size_t n = 0;

	if (f->services == 0)
		return FLOW_FINE;
	if (service_list_all(&ec, s->w.app[f->home], &list) != ERR_OK) {
		service_list_free(&list);
		return say(why, FLOW_DAMAGED, "the directory", &ec);
	}
	n = list.n;
	service_list_free(&list);
	if (n > f->services)
		return say(why, FLOW_DOUBLED, "entries", NULL);
	if (n != f->services && (n != 0 || acknowledged > 0))
		return say(why, FLOW_LOST, n == 0 ? "an acknowledged import" : "half an import", NULL);
	return FLOW_FINE;
}

static enum flow_verdict judge_search(struct stage *s, const struct flow *f, char why[static FLOW_WHY])
{
	struct found_list list = { 0 };
	struct errctx ec = { 0 };
	size_t n = 0;

	if (f->found == NULL)
		return FLOW_FINE;
	if (finding_search(&ec, s->w.app[f->home], f->found, 1000, &list) != ERR_OK) {
		found_list_free(&list);
		return say(why, FLOW_DAMAGED, "the search", &ec);
	}
	n = list.n;
	found_list_free(&list);
	return n >= f->before.n ? FLOW_FINE : say(why, FLOW_LOST, "what a search finds", NULL);
}

enum flow_verdict flow_judge(struct stage *s, const struct flow *f, size_t acknowledged, struct texts *here,
                             char why[static FLOW_WHY])
{
	struct contact_query q = { 0 };
	struct contact_list list = { 0 };
	struct texts there;
	struct errctx ec = { 0 };
	enum flow_verdict v = FLOW_FINE;

	why[0] = '\0';
	if (stage_try_open(s, f->home, &ec) != ERR_OK)
		return say(why, FLOW_UNOPENABLE, "", &ec);
	v = whole(s, f->home, why);
	if (v != FLOW_FINE)
		return v;
	if (contact_list_some(&ec, s->w.app[f->home], &q, &list) != ERR_OK)
		v = say(why, FLOW_DAMAGED, "the list", &ec);
	if (v == FLOW_FINE)
		v = judge_texts(&list, f, acknowledged, here != NULL ? here : &there, why);
	if (v == FLOW_FINE)
		v = judge_edits(&list, f, acknowledged, why);
	contact_list_free(&list);
	if (v == FLOW_FINE)
		v = judge_services(s, f, acknowledged, why);
	return v == FLOW_FINE ? judge_search(s, f, why) : v;
}
