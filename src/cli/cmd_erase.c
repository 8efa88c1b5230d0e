// SPDX-License-Identifier: EUPL-1.2
// erase, erase list, contest, confirm.
#include "app/compact.h"
#include "app/dates.h"
#include "app/erase.h"
#include "base/tr.h"
#include "cli/show.h"

#include <stdio.h>
#include <string.h>

static enum err erased_doc(struct command_call *call, const struct erased_view *v)
{
	struct doc *d = doc_new();

	doc_object(d, NULL);
	doc_text(d, "erased", v->id);
	doc_text(d, "kind", v->kind);
	doc_text(d, "space", v->space);
	doc_int(d, "records", (int64_t)v->records);
	doc_bool(d, "may_be_contested", v->may_be_contested);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

enum err cmd_erase(struct command_call *call)
{
	const char *id = args_pos(call->args, 0);
	struct erased_view v;
	enum err e = ERR_OK;

	if (!args_flag(call->args, "yes"))
		return err_set(call->ec, ERR_USAGE,
		               "Erasing is for all devices, and final after a while. To do that, type it in full: "
		               "sleutelbos erase %1 --yes",
		               id, NULL, NULL);
	e = app_erase(call->ec, call->app, id, args_flag(call->args, "along"), &v);
	if (e != ERR_OK)
		return e;
	if (call->io->json)
		return erased_doc(call, &v);
	command_say(call, v.records > 1 ? TR("%1 and what belongs to it is hidden now.") : TR("%1 is hidden now."),
	            v.id, NULL, NULL);
	command_say(call,
	            v.may_be_contested
	                ? TR("Others in %1 can contest that for 14 days. After that it goes from each device that "
	                     "syncs. See: sleutelbos erase list")
	            : v.others ? TR("It goes from each device in %1 when all have synced. See: sleutelbos erase list")
	                       : TR("It goes for good with: sleutelbos compact"),
	            v.space, NULL, NULL);
	return ERR_OK;
}

/* ---- The list ---- */

static void row_doc(struct doc *d, const struct erase_row *r)
{
	doc_object(d, NULL);
	doc_text(d, "id", r->id);
	doc_text(d, "kind", r->kind);
	doc_text(d, "space", r->space);
	doc_text(d, "by", r->by);
	doc_time(d, "at", r->at_ms);
	doc_text(d, "state", r->state);
	doc_day(d, "until", r->until_day);
	doc_end(d);
}

static enum err list_doc(struct command_call *call, const struct erase_list *list)
{
	struct doc *d = doc_new();

	doc_object(d, NULL);
	doc_array(d, "erased");
	for (size_t i = 0; i < list->n; i++)
		row_doc(d, &list->item[i]);
	doc_end(d);
	doc_array(d, "progress");
	for (size_t i = 0; i < list->spaces; i++) {
		const struct erase_space *s = &list->space[i];

		doc_object(d, NULL);
		doc_text(d, "space", s->space);
		doc_time(d, "compacted", s->at_ms);
		doc_int(d, "done", (int64_t)s->done);
		doc_int(d, "not_yet", (int64_t)s->active);
		doc_int(d, "resting", (int64_t)s->resting);
		doc_int(d, "removed", (int64_t)s->removed);
		doc_bool(d, "sheet", s->sheet);
		doc_end(d);
	}
	doc_end(d);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

static const char *state_text(const struct erase_row *r)
{
	static const struct {
		const char *state;
		const char *text;
	} texts[] = {
		{ "waits", TR("%1, by %2: hidden; can be contested until %3") },
		{ "asks", TR("%1, by %2: one of many at once; waits for a yes: sleutelbos erase confirm") },
		{ "due", TR("%1, by %2: hidden; goes when all devices have synced") },
		{ "contested", TR("%1, by %2: contested, so it is shown again") },
		{ "final", TR("%1, by %2: gone from this device") },
		{ "void", TR("%1, by %2: does not count, who did it might not") },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(texts[i].state, r->state) == 0)
			return texts[i].text;
	return TR("%1, by %2");
}

static void number(char out[static 24], size_t n)
{
	snprintf(out, 24, "%zu", n);
}

/* Never plain "complete": somebody may always hold it still. */
static void space_text(const struct text *t, const struct erase_space *s)
{
	char done[24];
	char other[24];
	char resting[24];

	number(done, s->done);
	number(other, s->active);
	number(resting, s->resting);
	text_line(t, lang_plural(t->lang, s->done, "%1: done on 1 device.", "%1: done on %2 devices."), s->space, done,
	          NULL);
	if (s->active > 0)
		text_line(t, lang_plural(t->lang, s->active, "Not yet on 1 device.", "Not yet on %1 devices."), other,
		          NULL, NULL);
	if (s->resting > 0)
		text_line(t,
		          lang_plural(t->lang, s->resting,
		                      "1 device rests: not heard of for 60 days, it still holds it.",
		                      "%1 devices rest: not heard of for 60 days, they still hold it."),
		          resting, NULL, NULL);
	number(other, s->removed);
	if (s->removed > 0)
		text_line(t,
		          lang_plural(t->lang, s->removed, "1 removed device may hold it for ever.",
		                      "%1 removed devices may hold it for ever."),
		          other, NULL, NULL);
	if (s->sheet)
		text_line(t, TR("A recovery sheet on paper may open it still, until you make a new one."), NULL, NULL,
		          NULL);
	text_line(t, TR("Backups and exports that somebody made may hold it as well."), NULL, NULL, NULL);
}

enum err cmd_erase_list(struct command_call *call)
{
	struct erase_list list = { 0 };
	struct text t = show_text(call);
	enum err e = app_erase_list(call->ec, call->app, &list);

	if (e == ERR_OK && call->io->json) {
		e = list_doc(call, &list);
	} else if (e == ERR_OK) {
		if (list.n == 0)
			text_line(&t, TR("Nothing was erased."), NULL, NULL, NULL);
		for (size_t i = 0; i < list.n; i++) {
			char day[DAY_TEXT_LEN];

			day_text(list.item[i].until_day, day);
			text_line(&t, state_text(&list.item[i]), list.item[i].id, list.item[i].by, day);
		}
		for (size_t i = 0; i < list.spaces; i++)
			space_text(&t, &list.space[i]);
	}
	erase_list_free(&list);
	return e;
}

/* ---- What is said of it ---- */

enum err cmd_erase_contest(struct command_call *call)
{
	struct erased_view v;
	enum err e = app_erase_contest(call->ec, call->app, args_pos(call->args, 0), &v);

	return e == ERR_OK ? show_id(call, TR("%1 is shown again. Everybody sees that you contest erasing it."), v.id)
	                   : e;
}

enum err cmd_erase_confirm(struct command_call *call)
{
	size_t records = 0;
	char n[24];
	const char *id = call->args->pos_count > 0 ? args_pos(call->args, 0) : NULL;
	enum err e = app_erase_confirm(call->ec, call->app, id, &records);

	if (e != ERR_OK)
		return e;
	number(n, records);
	if (call->io->json) {
		struct doc *d = doc_new();

		doc_object(d, NULL);
		doc_int(d, "confirmed", (int64_t)records);
		doc_end(d);
		return doc_print(call->ec, d, call->io->out);
	}
	command_say(call,
	            lang_plural(call->lang, records, "You said yes to erasing 1 record.",
	                        "You said yes to erasing %1 records."),
	            n, NULL, NULL);
	return ERR_OK;
}

/* ---- Compacting ---- */

static enum err compact_doc(struct command_call *call, const struct compact_view *v)
{
	struct doc *d = doc_new();

	doc_array(d, NULL);
	for (size_t i = 0; i < v->n; i++) {
		doc_object(d, NULL);
		doc_text(d, "space", v->space[i].name);
		doc_bool(d, "cut", v->space[i].cut);
		doc_bool(d, "under_way", v->space[i].under_way);
		doc_text(d, "why", v->space[i].why);
		doc_end(d);
	}
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

static void compact_text(struct command_call *call, const struct compact_view *v)
{
	struct text t = show_text(call);

	if (v->n == 0)
		command_say(call, TR("Nothing was erased."), NULL, NULL, NULL);
	for (size_t i = 0; i < v->n && !call->io->quiet; i++) {
		const struct compact_space *s = &v->space[i];

		if (s->cut)
			text_line(&t, TR("%1: what was erased is gone from this device."), s->name, NULL, NULL);
		else if (s->why != NULL)
			text_line(&t, TR("%1: nothing was taken away."), s->name, NULL, NULL);
		else
			text_line(&t, TR("%1: it goes on with the next syncs, when the others have agreed."), s->name,
			          NULL, NULL);
		if (!s->cut && s->why != NULL)
			text_line(&t, s->why, NULL, NULL, NULL);
	}
}

enum err cmd_compact(struct command_call *call)
{
	struct compact_view v = { 0 };
	enum err e = app_compact(call->ec, call->app, args_flag(call->args, "aside-seen"), &v);

	if (e == ERR_OK && call->io->json)
		e = compact_doc(call, &v);
	else if (e == ERR_OK)
		compact_text(call, &v);
	if (e == ERR_OK && v.synced && v.sync.result != SYNC_DONE) {
		call->printed = true;
		e = err_set(call->ec, ERR_LATER, "Syncing did not come through, so it goes on with the next one: %1",
		            v.sync.why, NULL, NULL);
	}
	compact_view_free(&v);
	return e;
}
