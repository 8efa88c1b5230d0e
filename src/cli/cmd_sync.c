// SPDX-License-Identifier: EUPL-1.2
// Sending and fetching, how things stand, and the canonical dump.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/dates.h"
#include "app/network.h"
#include "app/spaces.h"
#include "app/syncing.h"
#include "app/watch.h"
#include "base/tr.h"
#include "cli/command.h"
#include "cli/say_confined.h"
#include "cli/say_noticed.h"
#include "render/doc.h"
#include "render/dump.h"
#include "render/text.h"
#include "render/words.h"

/* Some 16,000 pages: a tenth of a second. */
#define STATUS_STEPS 64

static const char *result_word(enum sync_result r)
{
	return r == SYNC_DONE ? "done" : r == SYNC_LATER ? "later" : "person";
}

static void number(uint64_t n, char out[static 24])
{
	snprintf(out, 24, "%" PRIu64, n);
}

static enum err sync_doc(struct command_call *call, const struct sync_view *v)
{
	struct doc *d = doc_new();

	doc_object(d, NULL);
	doc_int(d, "sent", (int64_t)v->sent);
	doc_int(d, "received", (int64_t)v->received);
	doc_int(d, "new", (int64_t)v->fresh);
	doc_int(d, "changed", (int64_t)v->changed);
	doc_int(d, "two_versions", (int64_t)v->two_versions);
	doc_int(d, "set_aside", (int64_t)v->set_aside);
	doc_int(d, "joined", (int64_t)v->joined);
	doc_int(d, "admitted", (int64_t)v->admitted);
	doc_int(d, "asking", (int64_t)v->asking);
	doc_int(d, "keyed", (int64_t)v->keyed);
	doc_int(d, "no_key", (int64_t)v->no_key);
	doc_int(d, "carried", (int64_t)v->carried);
	doc_int(d, "healed", (int64_t)v->healed);
	doc_text(d, "notice", v->notice[0] == '\0' ? NULL : lang_tr(call->lang, v->notice));
	noticed_doc(call, d, v->began_ms);
	doc_text(d, "result", result_word(v->result));
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

/* Where an answer is still to come. That this cannot be read is no failure of the sync. */
static void say_asked(struct command_call *call)
{
	struct asked_view *list = NULL;
	size_t n = 0;

	if (app_asked(NULL, call->app, &list, &n) != ERR_OK)
		return;
	for (size_t i = 0; i < n; i++) {
		char words[SIX_WORDS_LEN];

		six_words(list[i].fingerprint, words);
		if (list[i].device)
			command_say(
			    call,
			    TR("This home asked to be another device of yours. On the other computer: sync, look in "
			       "member list, and approve if it shows these six words: %1"),
			    words, NULL, NULL);
		else if (list[i].compare && list[i].space[0] == '\0')
			command_say(call,
			            TR("Your request to join is out. A member approves it who sees these six words in "
			               "member list: %1"),
			            words, NULL, NULL);
		else if (list[i].compare)
			command_say(
			    call,
			    TR("Your request to join %1 is out. Whoever invited you approves it if these six words "
			       "are in member list there: %2"),
			    list[i].space, words, NULL);
		else
			command_say(call,
			            TR("Your request to join %1 is out. Sync again after the one who invited you has "
			               "synced."),
			            list[i].space, NULL, NULL);
	}
	free(list);
}

/* Spaces that one is in and of which not all is here, or not all can be read. */
static size_t say_coming_in(struct command_call *call)
{
	struct status_view s = { 0 };
	size_t n = 0;

	if (app_status(NULL, call->app, &s) != ERR_OK)
		return 0;
	for (size_t i = 0; i < s.space_count; i++) {
		if (s.spaces[i].no_key > 0)
			command_say(
			    call,
			    TR("%1: this home lacks a key, and cannot read all that is new. Sync again later. If it "
			       "stays so, type: sleutelbos rejoin"),
			    s.spaces[i].name, NULL, NULL);
		if (!s.spaces[i].coming_in)
			continue;
		n++;
		command_say(
		    call,
		    TR("%1 is still coming in: the host has not shown everything yet. Nothing can be written there "
		       "until then. Sync again later. If it stays so, ask the one who let you in to sync."),
		    s.spaces[i].name, NULL, NULL);
	}
	app_status_free(&s);
	return n;
}

static void sync_text(struct command_call *call, const struct sync_view *v)
{
	char a[24];
	char b[24];
	char c[24];

	number(v->sent, a);
	number(v->fresh, b);
	number(v->changed, c);
	command_say(call, TR("Sent: %1. New here: %2. Changed here: %3."), a, b, c);
	if (say_coming_in(call) == 0 && v->joined > 0)
		command_say(call, TR("You have joined. Everything that was there has been fetched."), NULL, NULL, NULL);
	if (v->keyed > 0)
		command_say(call, TR("A member gave you the keys again. All that is new can be read here."), NULL, NULL,
		            NULL);
	number(v->carried, a);
	if (v->carried > 0)
		command_say(call, TR("What you wrote here for yourself alone is with your other devices now: %1."), a,
		            NULL, NULL);
	number(v->admitted, a);
	if (v->admitted > 0)
		command_say(call, TR("People you let in: %1."), a, NULL, NULL);
	number(v->asking, a);
	if (v->asking > 0)
		command_say(call,
		            lang_plural(call->lang, v->asking,
		                        "1 asks to be let in. Compare the six words of member list. Then type: member "
		                        "approve ID",
		                        "%1 ask to be let in. Compare the six words of member list. Then type: member "
		                        "approve ID"),
		            a, NULL, NULL);
	number(v->two_versions, a);
	if (v->two_versions > 0)
		command_say(call,
		            lang_plural(call->lang, v->two_versions,
		                        "1 field has two versions. Look with: versions list.",
		                        "%1 fields have two versions. Look with: versions list."),
		            a, NULL, NULL);
	number(v->set_aside, a);
	if (v->set_aside > 0)
		command_say(call, TR("Set aside, because it does not verify: %1. See status."), a, NULL, NULL);
	if (v->notice[0] != '\0')
		command_say(call, v->notice, NULL, NULL, NULL);
	noticed_say(call, v->began_ms);
	if (v->result == SYNC_DONE)
		say_asked(call);
}

/* What went wrong comes from the courier with its values filled in. What does not pass by itself is not for later. */
static enum err sync_later(struct command_call *call, const struct sync_view *v)
{
	const char *why = v->why[0] != '\0' ? v->why : v->notice;
	struct buf said = { 0 };
	enum err e = lang_tr_filled(&said, call->lang, why);

	if (e == ERR_OK)
		e = buf_terminate(&said);
	if (e == ERR_OK)
		why = (const char *)said.data;
	if (v->result == SYNC_PERSON)
		e = err_set(
		    call->ec, ERR_LATER,
		    "Not everything was sent or fetched: %1 Nothing is lost. This does not pass by itself: ask who "
		    "looks after the repository.",
		    why, NULL, NULL);
	else
		e = err_set(call->ec, ERR_LATER,
		            "Not everything was sent or fetched: %1 Nothing is lost. Sync again later.", why, NULL,
		            NULL);
	buf_free(&said);
	return e;
}

enum err cmd_sync(struct command_call *call)
{
	struct sync_view v;
	const struct network_wish wish = { args_get(call->args, "network"), args_flag(call->args, "unmetered") };
	enum err e = network_may(call->ec, &wish);

	if (e != ERR_OK)
		return e;
	e = app_sync(call->ec, call->app, &v);

	if (e != ERR_OK)
		return e;
	if (call->io->json)
		e = sync_doc(call, &v);
	else
		sync_text(call, &v);
	call->printed = true;
	if (e == ERR_OK && v.result != SYNC_DONE)
		return sync_later(call, &v);
	call->look = v.two_versions > 0 || v.set_aside > 0;
	return e;
}

/* For what, and how many. */
static void status_waiting(struct doc *d, const struct waiting_view *w)
{
	doc_object(d, "waiting_for");
	doc_int(d, "key", (int64_t)w->key);
	doc_int(d, "author", (int64_t)w->author);
	doc_int(d, "batch", (int64_t)w->batch);
	doc_int(d, "joining", (int64_t)w->joining);
	doc_int(d, "newer_program", (int64_t)w->newer_program);
	doc_int(d, "unknown", (int64_t)w->unknown);
	doc_end(d);
}

static enum err status_doc(struct command_call *call, const struct status_view *s)
{
	struct doc *d = doc_new();

	doc_object(d, NULL);
	doc_int(d, "unsent", (int64_t)s->unsent);
	doc_text(d, "last_success", s->last_success[0] == '\0' ? NULL : s->last_success);
	doc_bool(d, "restored", s->restored[0] != '\0');
	doc_text(d, "restored_from", s->restored[0] == '\0' ? NULL : s->restored);
	doc_int(d, "waiting", (int64_t)s->waiting);
	status_waiting(d, &s->waiting_for);
	doc_int(d, "asking", (int64_t)s->asking);
	noticed_doc(call, d, INT64_MIN);
	doc_array(d, "set_aside");
	for (size_t i = 0; i < s->aside_count; i++) {
		doc_object(d, NULL);
		doc_text(d, "what", s->aside[i].what);
		doc_text(d, "why", lang_tr(call->lang, s->aside[i].why));
		doc_end(d);
	}
	doc_end(d);
	doc_array(d, "spaces");
	for (size_t i = 0; i < s->space_count; i++) {
		doc_object(d, NULL);
		doc_text(d, "name", s->spaces[i].name);
		doc_text(d, "kind", s->spaces[i].kind);
		doc_text(d, "epoch", s->spaces[i].epoch[0] == '\0' ? NULL : s->spaces[i].epoch);
		doc_int(d, "devices", (int64_t)s->spaces[i].devices);
		doc_int(d, "unsent", (int64_t)s->spaces[i].unsent);
		doc_int(d, "no_key", (int64_t)s->spaces[i].no_key);
		doc_bool(d, "on_sheet", s->spaces[i].on_sheet);
		doc_text(d, "state", s->spaces[i].asked ? "asked" : s->spaces[i].coming_in ? "coming_in" : "member");
		doc_int(d, "erases_open", (int64_t)s->spaces[i].erases_open);
		if (s->spaces[i].compacted) {
			doc_object(d, "erased");
			doc_int(d, "done", (int64_t)s->spaces[i].erased_done);
			doc_int(d, "not_yet", (int64_t)s->spaces[i].erased_not_yet);
			doc_int(d, "resting", (int64_t)s->spaces[i].erased_resting);
			doc_int(d, "removed", (int64_t)s->spaces[i].erased_removed);
			doc_end(d);
		}
		doc_end(d);
	}
	doc_end(d);
	if (s->sheet == 0) {
		doc_null(d, "sheet");
	} else {
		doc_object(d, "sheet");
		doc_int(d, "number", s->sheet);
		doc_day(d, "date", s->sheet_day);
		doc_end(d);
	}
	doc_bool(d, "key_file_whole", s->key_file_whole);
	doc_object(d, "check");
	doc_text(d, "state", s->check);
	doc_text(d, "at", s->check_at[0] == '\0' ? NULL : s->check_at);
	doc_end(d);
	doc_object(d, "memory");
	doc_bool(d, "keys_locked", s->keys_locked);
	doc_int(d, "cache_locked", (int64_t)s->cache_locked);
	doc_end(d);
	confined_doc(call, d);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

static const char *space_kind(const char *kind)
{
	return strcmp(kind, "own") == 0      ? TR("Mine alone")
	       : strcmp(kind, "circle") == 0 ? TR("Circle")
	                                     : TR("Neighbourhood");
}

static void status_spaces(struct command_call *call, const struct status_view *s)
{
	const struct text t = { .out = call->io->out, .lang = call->lang };
	char n[24];
	int kinds = 0;
	int names = 0;

	for (size_t i = 0; i < s->space_count; i++) {
		const int kind = text_width(lang_tr(call->lang, space_kind(s->spaces[i].kind)));
		const int name = text_width(s->spaces[i].name);

		kinds = kind > kinds ? kind : kinds;
		names = name > names ? name : names;
	}
	for (size_t i = 0; i < s->space_count; i++) {
		fputs("  ", t.out);
		text_column(&t, lang_tr(call->lang, space_kind(s->spaces[i].kind)), kinds);
		text_column(&t, s->spaces[i].name, names);
		number(s->spaces[i].unsent, n);
		if (s->spaces[i].asked)
			text_line(&t, TR("asked, no answer yet"), NULL, NULL, NULL);
		else if (s->spaces[i].coming_in)
			text_line(&t, TR("still coming in: sync again"), NULL, NULL, NULL);
		else if (s->spaces[i].no_key > 0)
			text_line(&t, TR("lacks a key: type sleutelbos rejoin if it stays so"), NULL, NULL, NULL);
		else if (s->spaces[i].unsent > 0)
			text_line(&t, TR("not sent yet: %1"), n, NULL, NULL);
		else
			text_line(&t, TR("all sent"), NULL, NULL, NULL);
	}
}

/* "2026-11-22T04:12:48Z" as people write it. */
static void moment(const char *iso, char out[static 32])
{
	snprintf(out, 32, "%.10s %.5s UTC", iso, strlen(iso) > 11 ? iso + 11 : "");
}

/* What the sheet brings back from the repository alone, and what it does not yet. */
static void status_on_sheet(struct command_call *call, const struct status_view *s, const char *number_of,
                            const char *day)
{
	bool shared = false; /* in no neighbourhood there is no repository to come back from */

	command_say(call, TR("Recovery sheet: number %1, made on %2."), number_of, day, NULL);
	for (size_t i = 0; i < s->space_count; i++)
		shared = shared || (!s->spaces[i].asked && strcmp(s->spaces[i].kind, "neighbourhood") == 0);
	for (size_t i = 0; i < s->space_count; i++)
		if (shared && !s->spaces[i].asked && !s->spaces[i].on_sheet)
			command_say(
			    call,
			    TR("That sheet does not bring %1 back if this computer is lost. Sync; if it stays so, make "
			       "a new sheet."),
			    s->spaces[i].name, NULL, NULL);
}

static void status_sheet(struct command_call *call, const struct status_view *s)
{
	char n[24];
	char day[DAY_TEXT_LEN];

	number(s->sheet, n);
	day_text(s->sheet_day, day);
	if (!s->key_file_whole)
		command_say(call, TR("The key file cannot be read. Put back a copy of it before you lock this home."),
		            NULL, NULL, NULL);
	else if (s->sheet > 0)
		status_on_sheet(call, s, n, day);
	else
		command_say(call, TR("There is no recovery sheet. Make one: sleutelbos recovery sheet FILE.html"), NULL,
		            NULL, NULL);
}

static void status_text(struct command_call *call, const struct status_view *s)
{
	char n[24];
	char days[24];
	char at[32];

	if (s->restored[0] != '\0') {
		moment(s->restored, at);
		command_say(call,
		            TR("Restored from a backup of %1. You can read and write here, but not sync: use an "
		               "invitation in a new home for that."),
		            at, NULL, NULL);
	}
	number(s->unsent, n);
	command_say(call, s->unsent == 0 ? TR("Everything is sent.") : TR("Not sent yet: %1."), n, NULL, NULL);
	number(s->days_since < 0 ? 0 : (uint64_t)s->days_since, days);
	moment(s->last_success, at);
	if (s->days_since < 0)
		command_say(call, TR("This home has never synced."), NULL, NULL, NULL);
	else if (s->days_since > 7)
		command_say(call, TR("Last synced %1, that is %2 days ago. Please sync; nothing is lost."), at, days,
		            NULL);
	else
		command_say(call, TR("Last synced %1."), at, NULL, NULL);
	number(s->waiting, n);
	if (s->waiting > 0)
		command_say(call, TR("Waiting for something that is not here yet: %1."), n, NULL, NULL);
	number(s->waiting_for.newer_program, n);
	if (s->waiting_for.newer_program > 0)
		command_say(call, TR("Waiting for a newer version of the program: %1. Install it, then sync."), n, NULL,
		            NULL);
	number(s->asking, n);
	if (s->asking > 0)
		command_say(call, TR("Ask to be let in: %1. See member list."), n, NULL, NULL);
	for (size_t i = 0; i < s->aside_count; i++)
		command_say(call, TR("Set aside: %1. %2"), s->aside[i].what, lang_tr(call->lang, s->aside[i].why),
		            NULL);
	noticed_say(call, INT64_MAX);
	status_spaces(call, s);
	status_sheet(call, s);
	if (!s->keys_locked)
		command_say(call, TR("Keys could not be kept out of swap on this computer."), NULL, NULL, NULL);
	confined_say(call);
}

enum err cmd_status(struct command_call *call)
{
	struct status_view s;
	enum err e = ERR_OK;

	/* the owner of an open vault looks when it has nothing else to do; without one this is the moment */
	for (int i = 0; !call->io->handed_over && i < STATUS_STEPS && app_watch_step(call->app); i++)
		;
	e = app_status(call->ec, call->app, &s);
	if (e != ERR_OK)
		return e;
	if (call->io->json)
		e = status_doc(call, &s);
	else if (!call->io->quiet)
		status_text(call, &s);
	app_status_free(&s);
	return e;
}

enum err cmd_dump(struct command_call *call)
{
	struct dump_space *list = NULL;
	size_t n = 0;
	enum err e = app_dump(call->ec, call->app, args_get(call->args, "space"), &list, &n);

	if (e == ERR_OK)
		e = dump_print(call->ec, list, n, call->io->out);
	app_dump_free(list, n);
	return e;
}
