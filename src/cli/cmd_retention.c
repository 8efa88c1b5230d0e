// SPDX-License-Identifier: EUPL-1.2
// retention show, set, run.
#include "app/dates.h"
#include "app/retention.h"
#include "base/tr.h"
#include "cli/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void number(char out[static 24], size_t n)
{
	snprintf(out, 24, "%zu", n);
}

/* ---- The rule ---- */

static void months_doc(struct doc *d, const char *key, int months)
{
	if (months == RETENTION_NEVER)
		doc_null(d, key);
	else
		doc_int(d, key, months);
}

static void rule_doc(struct doc *d, const struct retention_rule *r)
{
	months_doc(d, "remind_months", r->remind);
	months_doc(d, "erase_months", r->erase);
	doc_bool(d, "set", r->set);
	doc_text(d, "set_by", r->set ? r->by : NULL);
	doc_time(d, "set_at", r->set ? r->at_ms : 0);
	doc_bool(d, "disputed", r->disputed);
}

static void rule_text(const struct text *t, const char *circle, const struct retention_rule *r)
{
	char day[DAY_TEXT_LEN];
	char n[24];

	if (circle != NULL)
		text_line(t, "%1", circle, NULL, NULL);
	number(n, (size_t)r->remind);
	text_line(t,
	          r->remind == RETENTION_NEVER
	              ? TR("  You are never reminded.")
	              : lang_plural(t->lang, (uint64_t)r->remind, "  After 1 month you are reminded.",
	                            "  After %1 months you are reminded."),
	          n, NULL, NULL);
	number(n, (size_t)r->erase);
	text_line(t,
	          r->erase == RETENTION_NEVER
	              ? TR("  Nothing is erased for its age.")
	              : lang_plural(t->lang, (uint64_t)r->erase, "  After 1 month it may be erased.",
	                            "  After %1 months it may be erased."),
	          n, NULL, NULL);
	day_text(app_day_of(r->at_ms), day);
	if (!r->set)
		text_line(t, TR("  Nobody set this: it is what holds at first. Change it with: retention set"), NULL,
		          NULL, NULL);
	else
		text_line(t, TR("  Set by %1 on %2."), r->by, day, NULL);
	if (r->disputed)
		text_line(t,
		          TR("  Two people set it apart from each other. The longer time counts until somebody sets it "
		             "again."),
		          NULL, NULL, NULL);
}

enum err cmd_retention_show(struct command_call *call)
{
	struct retention_list list = { 0 };
	struct text t = show_text(call);
	enum err e = retention_show(call->ec, call->app, args_get(call->args, "circle"), &list);

	if (e == ERR_OK && call->io->json) {
		struct doc *d = doc_new();

		doc_array(d, NULL);
		for (size_t i = 0; i < list.n; i++) {
			doc_object(d, NULL);
			doc_text(d, "circle", list.item[i].circle);
			rule_doc(d, &list.item[i].rule);
			doc_int(d, "reminded", (int64_t)list.item[i].reminded);
			doc_int(d, "due", (int64_t)list.item[i].due);
			doc_end(d);
		}
		doc_end(d);
		e = doc_print(call->ec, d, call->io->out);
	}
	for (size_t i = 0; e == ERR_OK && !call->io->json && i < list.n; i++) {
		rule_text(&t, list.item[i].circle, &list.item[i].rule);
		text_retention(&t, &list.item[i]);
	}
	retention_list_free(&list);
	return e;
}

enum err cmd_retention_set(struct command_call *call)
{
	const char *remind = args_get(call->args, "remind");
	const char *erase = args_get(call->args, "erase");
	struct retention_rule rule;
	struct text t = show_text(call);
	enum err e = ERR_OK;

	if (remind == NULL && erase == NULL)
		return err_set(call->ec, ERR_USAGE,
		               "Say after how long: retention set --remind 1y --erase 2y. Both may be never.", NULL,
		               NULL, NULL);
	e = retention_set(call->ec, call->app, args_get(call->args, "circle"), remind, erase, &rule);
	if (e != ERR_OK)
		return e;
	if (call->io->json) {
		struct doc *d = doc_new();

		doc_object(d, NULL);
		rule_doc(d, &rule);
		doc_end(d);
		return doc_print(call->ec, d, call->io->out);
	}
	command_say(call, TR("Saved. Nothing is erased by itself: somebody types retention run and says yes."), NULL,
	            NULL, NULL);
	if (!call->io->quiet)
		rule_text(&t, NULL, &rule);
	return ERR_OK;
}

/* ---- What falls under it ---- */

static enum err run_doc(struct command_call *call, const struct retention_run *r)
{
	struct doc *d = doc_new();

	doc_object(d, NULL);
	doc_text(d, "circle", r->circle);
	rule_doc(d, &r->rule);
	doc_day(d, "today", r->today);
	doc_bool(d, "held_back", r->held_back);
	doc_bool(d, "erased", r->erased);
	doc_int(d, "count", (int64_t)r->go);
	for (int stays = 0; stays < 2; stays++) {
		doc_array(d, stays ? "stays" : "goes");
		for (size_t i = 0; i < r->n; i++) {
			const struct retention_item *x = &r->item[i];

			if ((x->why != NULL) != (stays == 1))
				continue;
			doc_object(d, NULL);
			doc_text(d, "id", x->id);
			doc_text(d, "kind", x->kind);
			doc_day(d, "date", x->day);
			doc_text(d, "resident", x->resident);
			if (stays)
				doc_text(d, "why", x->why);
			doc_end(d);
		}
		doc_end(d);
	}
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

static void item_text(const struct text *t, const struct retention_item *x)
{
	char day[DAY_TEXT_LEN];

	day_text(x->day, day);
	fputs("  ", t->out);
	text_column(t, day, 10);
	text_column(t, lang_tr(t->lang, text_kind(x->kind)), 16);
	text_column(t, x->resident == NULL ? "" : x->resident, 20);
	text_say(t, "%1", x->id, NULL, NULL);
	if (x->why != NULL) {
		fputs("  ", t->out);
		text_say(t, x->why, NULL, NULL, NULL);
	}
	fputc('\n', t->out);
}

static void run_text(const struct text *t, const struct retention_run *r)
{
	char n[24];
	char day[DAY_TEXT_LEN];

	rule_text(t, r->circle, &r->rule);
	day_text(r->today, day);
	if (r->held_back)
		text_line(t,
		          TR("Counted as if today were %1: the others wrote nothing since. Sync first, and look at "
		             "the date of this computer."),
		          day, NULL, NULL);
	if (r->go > 0 && !r->erased)
		text_line(t, TR("This would go:"), NULL, NULL, NULL);
	for (size_t i = 0; i < r->n && !r->erased; i++)
		if (r->item[i].why == NULL)
			item_text(t, &r->item[i]);
	if (r->stay > 0)
		text_line(t, TR("This is old enough, and stays because something is open:"), NULL, NULL, NULL);
	for (size_t i = 0; i < r->n; i++)
		if (r->item[i].why != NULL)
			item_text(t, &r->item[i]);
	number(n, r->go);
	if (r->go == 0)
		text_line(t, TR("Nothing is to be erased."), NULL, NULL, NULL);
	else if (!r->erased)
		text_line(t,
		          lang_plural(t->lang, r->go,
		                      "Nothing was erased yet. To erase this 1 record: retention run --yes",
		                      "Nothing was erased yet. To erase these %1 records: retention run --yes"),
		          n, NULL, NULL);
	else
		text_line(t, lang_plural(t->lang, r->go, "1 record is hidden now.", "%1 records are hidden now."), n,
		          NULL, NULL);
	if (r->erased)
		text_line(t,
		          TR("It can be taken back for 14 days, with: erase contest ID. After that it goes from each "
		             "device. See: erase list"),
		          NULL, NULL, NULL);
	if (r->erased && r->others && r->go > 20)
		text_line(t, TR("Because it is much at once, another person must say yes first: erase confirm"), NULL,
		          NULL, NULL);
}

enum err cmd_retention_run(struct command_call *call)
{
	struct retention_how how = { .circle = args_get(call->args, "circle"), .yes = args_flag(call->args, "yes") };
	const char *count = args_get(call->args, "count");
	struct retention_run r = { 0 };
	struct text t = show_text(call);
	char *end = NULL;
	enum err e = ERR_OK;

	if (count != NULL) {
		how.count = (size_t)strtoul(count, &end, 10);
		if (count[0] < '0' || count[0] > '9' || *end != '\0')
			return err_set(call->ec, ERR_USAGE, "--count is the number that retention run showed.", NULL,
			               NULL, NULL);
	}
	e = retention_run(call->ec, call->app, &how, &r);
	if (e == ERR_OK && call->io->json)
		e = run_doc(call, &r);
	else if (e == ERR_OK && !call->io->quiet)
		run_text(&t, &r);
	retention_run_free(&r);
	return e;
}
