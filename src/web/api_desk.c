// SPDX-License-Identifier: EUPL-1.2
// The desk itself: locked or open, what is left to do today, drafts, settings, the words of the lists.
#include <stdlib.h>
#include <string.h>

#include "app/drafts.h"
#include "app/labels.h"
#include "app/recovery.h"
#include "app/residents.h"
#include "app/settings.h"
#include "app/spaces.h"
#include "app/today.h"
#include "render/json.h"
#include "web/inside.h"

#define MINUTE_MS (60LL * 1000)

/* --- locked and open --- */

static enum err api_state(struct web_call *call)
{
	const struct web *w = call->w;

	doc_bool(call->out, "home", app_home_exists(w->o.home));
	doc_bool(call->out, "locked", w->app == NULL);
	doc_int(call->out, "lock_minutes", w->lock_ms / MINUTE_MS);
	if (call->app == NULL)
		return ERR_OK;
	doc_day(call->out, "today", app_today(call->app));
	return web_sync_state(call);
}

enum err web_passphrase(struct web_call *call, struct secret_text **out)
{
	const char *typed = ask_text(call->in, "passphrase");

	*out = NULL;
	if (typed == NULL || typed[0] == '\0' || strlen(typed) > SECRET_TEXT_MAX)
		return err_set(call->ec, ERR_LOCKED, "Type your passphrase.", NULL, NULL, NULL);
	*out = secret_text_new();
	if (*out == NULL)
		return err_set(call->ec, ERR_NO_MEMORY,
		               "There is not enough memory. Close other programs and try again.", NULL, NULL, NULL);
	(*out)->len = strlen(typed);
	memcpy((*out)->text, typed, (*out)->len);
	return ERR_OK;
}

/* Makes the home that is not there yet. */
static enum err api_begin(struct web_call *call)
{
	struct web *w = call->w;
	const char *nick = ask_text(call->in, "nick");
	struct secret_text *secret = NULL;
	enum err e = ERR_OK;

	if (nick == NULL || nick[strspn(nick, " ")] == '\0')
		return err_set(call->ec, ERR_INPUT, "Type the name that others know you by.", NULL, NULL, NULL);
	e = web_passphrase(call, &secret);
	if (e == ERR_OK)
		e = w->o.host.begin(w->o.host.ctx, call->ec, secret, nick, &w->app);
	secret_text_free(secret);
	return e;
}

static enum err api_unlock(struct web_call *call)
{
	struct web *w = call->w;
	struct secret_text *secret = NULL;
	enum err e = ERR_OK;

	if (w->app != NULL)
		return ERR_OK;
	e = web_passphrase(call, &secret);
	if (e == ERR_OK)
		e = w->o.host.unlock(w->o.host.ctx, call->ec, secret, &w->app);
	secret_text_free(secret);
	if (e == ERR_OK && w->o.lock_minutes == 0)
		w->lock_ms = setting_get(w->app, SETTING_LOCK, w->lock_ms / MINUTE_MS) * MINUTE_MS;
	if (e == ERR_OK)
		web_touch(w);
	return e;
}

static enum err api_lock(struct web_call *call)
{
	if (call->w->app != NULL)
		call->w->end = WEB_LOCK;
	return ERR_OK;
}

static enum err api_quit(struct web_call *call)
{
	call->w->end = WEB_QUIT;
	return ERR_OK;
}

static enum err api_alive(struct web_call *call)
{
	return ERR_OK; /* that it was asked is all: a person is there */
}

/* --- the recovery sheet --- */

/* It counts as written when the page has it; one that never got there is replaced by the next. */
static enum err sheet_keep(void *arg, struct errctx *ec, const struct sheet_view *sheet)
{
	struct web_call *call = arg;

	doc_int(call->out, "number", sheet->number);
	doc_day(call->out, "day", sheet->day);
	doc_array(call->out, "words");
	for (int i = 0; i < SHEET_WORD_COUNT; i++)
		doc_text(call->out, NULL, sheet->word[i]);
	doc_end(call->out);
	return ERR_OK;
}

static enum err api_sheet(struct web_call *call)
{
	struct sheet_issued issued = { 0 };
	struct secret_text *secret = NULL;
	enum err e = web_passphrase(call, &secret);

	if (e == ERR_OK) {
		const struct sheet_ask ask = { .passphrase = { (const uint8_t *)secret->text, secret->len },
			                       .app = call->app,
			                       .write = sheet_keep,
			                       .arg = call };

		e = app_sheet_issue(call->ec, call->w->o.app, &ask, &issued);
	}
	secret_text_free(secret);
	return e;
}

/* --- words --- */

static void put_list(struct web_call *call, const char *list)
{
	doc_array(call->out, list);
	for (size_t i = 0; label_id(list, i) != NULL; i++) {
		const char *id = label_id(list, i);
		const char *text =
		    call->lang == LANG_NL ? label(list, id, "nl") : lang_tr(call->lang, label(list, id, "en"));

		doc_object(call->out, NULL);
		doc_text(call->out, "id", id);
		doc_text(call->out, "label", text);
		if (call->lang != LANG_NL)
			doc_text(call->out, "nl", label(list, id, "nl"));
		doc_end(call->out);
	}
	doc_end(call->out);
}

static enum err api_lists(struct web_call *call)
{
	static const char *const lists[] = { "domain",  "channel",      "who",     "did",    "kind",
		                             "group",   "service_kind", "consent", "status", "reason",
		                             "changed", "reach",        "role" };

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		put_list(call, lists[i]);
	return ERR_OK;
}

/* --- today --- */

/* Whom to call, and how: once each. */
static enum err put_residents(struct web_call *call, const struct contact_list *of)
{
	enum err e = ERR_OK;

	doc_array(call->out, "residents");
	for (size_t i = 0; e == ERR_OK && i < of->n; i++) {
		const char *id = of->item[i].resident_id;
		struct resident_list list = { 0 };
		bool again = id == NULL;

		for (size_t k = 0; !again && k < i; k++)
			again = of->item[k].resident_id != NULL && strcmp(of->item[k].resident_id, id) == 0;
		if (again)
			continue;
		e = resident_show(NULL, call->app, id, &list);
		if (e == ERR_OK)
			json_resident(call->out, NULL, &list.item[0], JSON_ROW);
		else if (e == ERR_NOT_FOUND) /* erased since */
			e = ERR_OK;
		resident_list_free(&list);
	}
	doc_end(call->out);
	return e;
}

static enum err api_today(struct web_call *call)
{
	struct today t = { 0 };
	struct circle_view *circles = NULL;
	size_t n = 0;
	enum err e = today_read(call->ec, call->app, &t);

	if (e == ERR_OK)
		e = app_circles(call->ec, call->app, &circles, &n);
	if (e == ERR_OK) {
		json_today(call->out, "today", &t);
		e = put_residents(call, &t.follow_ups);
	}
	if (e == ERR_OK) {
		doc_array(call->out, "circles");
		for (size_t i = 0; i < n; i++) {
			if (!circles[i].asked && !circles[i].coming_in)
				doc_text(call->out, NULL, circles[i].name);
		}
		doc_end(call->out);
	}
	app_circles_free(circles, n);
	today_free(&t);
	return e;
}

/* --- drafts --- */

static const char *draft_name(struct web_call *call)
{
	const char *name = ask_text(call->in, "name");

	return name == NULL ? "" : name;
}

static enum err api_draft_put(struct web_call *call)
{
	const char *value = ask_text(call->in, "value");

	return draft_put(call->ec, call->app, draft_name(call), value == NULL ? "" : value);
}

static enum err api_draft_list(struct web_call *call)
{
	struct draft_list list = { 0 };
	enum err e = draft_list(call->ec, call->app, draft_name(call), &list);

	doc_array(call->out, "drafts");
	for (size_t i = 0; e == ERR_OK && i < list.n; i++) {
		doc_object(call->out, NULL);
		doc_text(call->out, "name", list.item[i].name);
		doc_time(call->out, "at", list.item[i].at_ms);
		doc_text(call->out, "value", list.item[i].value);
		doc_end(call->out);
	}
	doc_end(call->out);
	draft_list_free(&list);
	return e;
}

static enum err api_draft_drop(struct web_call *call)
{
	return draft_drop(call->ec, call->app, draft_name(call));
}

static enum err api_settings_put(struct web_call *call)
{
	int64_t minutes = ask_number(call->in, "lock_minutes", 0);
	enum err e = setting_put(call->ec, call->app, SETTING_LOCK, minutes);

	if (e == ERR_OK)
		call->w->lock_ms = minutes * MINUTE_MS;
	return e;
}

const struct web_handler web_api_desk[] = {
	{ "state", api_state, true, false },
	{ "begin", api_begin, true, true },
	{ "unlock", api_unlock, true, true },
	{ "sheet", api_sheet, false, true },
	{ "lock", api_lock, true, false },
	{ "quit", api_quit, true, false },
	{ "alive", api_alive, true, true },
	{ "lists", api_lists, true, false },
	{ "today", api_today, false, true },
	{ "draft/put", api_draft_put, false, true },
	{ "draft/list", api_draft_list, false, true },
	{ "draft/drop", api_draft_drop, false, true },
	{ "settings/put", api_settings_put, false, true },
	{ NULL, NULL, false, false },
};
