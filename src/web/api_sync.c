// SPDX-License-Identifier: EUPL-1.2
// Sending and fetching in the background. Pressing the button is a wish that stands until it came through: where the
// network was away it is tried again by itself. While the courier is on its way, questions are answered
// (app/courier_run.h). Nothing is called sent but what the repository was seen to hold (S2).
#include <stdlib.h>
#include <string.h>

#include "app/courier_run.h"
#include "app/spaces.h"
#include "base/tr.h"
#include "render/words.h"
#include "web/inside.h"

#define AGAIN_MS (60LL * 1000)

static bool serve(void *ctx)
{
	struct web *w = ctx;

	/* the sync runs in web_turn() and not in an answer, so that answers may be given */
	return web_answer(w) == WEB_GOES_ON && !w->o.host.stopping(w->o.host.ctx);
}

void web_sync_turn(struct web *w)
{
	const struct courier_meanwhile m = { web_fd(w), serve, w };
	enum err e = ERR_OK;

	if (w->app == NULL || w->wish == SYNC_AT_WORK)
		return;
	if (w->wish == SYNC_AGAIN_LATER && web_boot_ms() >= w->sync_next_ms)
		w->wish = SYNC_ASKED;
	if (w->wish != SYNC_ASKED)
		return;
	w->wish = SYNC_AT_WORK;
	err_clear(&w->sync_why);
	courier_meanwhile_set(&m);
	e = app_sync(&w->sync_why, w->app, &w->sync);
	courier_meanwhile_set(NULL);
	w->sync_at_ms = clock_now(w->clock);
	w->sync_runs++;
	w->sync_failed = e;
	w->wish = SYNC_ENDED;
	if (e == ERR_LATER || (e == ERR_OK && w->sync.result == SYNC_LATER)) {
		w->wish = SYNC_AGAIN_LATER;
		w->sync_next_ms = web_boot_ms() + AGAIN_MS;
	}
}

static const char *said(struct web_call *call, const char *sentence)
{
	struct buf b = { 0 };
	const char *text = NULL;

	if (sentence[0] != '\0' && lang_tr_filled(&b, call->lang, sentence) == ERR_OK)
		text = pool_text(call->pool, buf_bytes(&b));
	buf_free(&b);
	return text;
}

/* In words and numbers, while it goes as well. */
static void put_last(struct web_call *call)
{
	static const char *const wishes[] = { [SYNC_NOT_ASKED] = "none",
		                              [SYNC_ASKED] = "running",
		                              [SYNC_AT_WORK] = "running",
		                              [SYNC_ENDED] = "ended",
		                              [SYNC_AGAIN_LATER] = "again" };
	static const char *const results[] = { [SYNC_DONE] = "done", [SYNC_LATER] = "later", [SYNC_PERSON] = "person" };
	const struct web *w = call->w;
	char why[4 * ERR_ARG_LEN + 1024];

	doc_object(call->out, "sync");
	doc_text(call->out, "wish", wishes[w->wish]);
	doc_int(call->out, "runs", (int64_t)w->sync_runs);
	doc_int(call->out, "sent", (int64_t)w->sync.sent);
	doc_int(call->out, "received", (int64_t)w->sync.received);
	doc_int(call->out, "new", (int64_t)w->sync.fresh);
	doc_int(call->out, "changed", (int64_t)w->sync.changed);
	doc_int(call->out, "two_versions", (int64_t)w->sync.two_versions);
	doc_int(call->out, "set_aside", (int64_t)w->sync.set_aside);
	doc_text(call->out, "notice", said(call, w->sync.notice));
	doc_text(call->out, "result", w->sync_failed != ERR_OK ? "failed" : results[w->sync.result]);
	if (w->sync_failed != ERR_OK && w->sync_why.msg != NULL) {
		struct errctx ec = w->sync_why;

		for (int i = 0; i < ERR_ARGS; i++) {
			const char *arg = said(call, ec.arg[i]);

			if (arg != NULL)
				snprintf(ec.arg[i], sizeof(ec.arg[i]), "%s", arg);
		}
		doc_text(call->out, "why", err_text(&ec, lang_tr(call->lang, ec.msg), why, sizeof(why)));
	} else {
		doc_text(call->out, "why", said(call, w->sync.why));
	}
	doc_time(call->out, "at", w->sync_at_ms);
	doc_end(call->out);
}

enum err web_sync_state(struct web_call *call)
{
	struct status_view s = { 0 };
	bool remote = false;
	enum err e = app_status(call->ec, call->app, &s);

	if (e == ERR_OK) {
		doc_int(call->out, "unsent", (int64_t)s.unsent);
		doc_text(call->out, "last_success", s.last_success[0] == '\0' ? NULL : s.last_success);
		doc_int(call->out, "days_since", s.days_since);
		doc_int(call->out, "asking", (int64_t)s.asking);
		doc_int(call->out, "waiting", (int64_t)s.waiting);
		for (size_t i = 0; i < s.space_count; i++)
			remote = remote || strcmp(s.spaces[i].kind, "neighbourhood") == 0;
		doc_bool(call->out, "neighbourhood", remote);
		doc_text(call->out, "check", s.check);
		put_last(call);
	}
	app_status_free(&s);
	return e;
}

static enum err api_sync(struct web_call *call)
{
	if (call->w->wish != SYNC_AT_WORK)
		call->w->wish = SYNC_ASKED;
	return ERR_OK;
}

static enum err api_status(struct web_call *call)
{
	struct status_view s = { 0 };
	enum err e = app_status(call->ec, call->app, &s);

	doc_array(call->out, "set_aside");
	for (size_t i = 0; e == ERR_OK && i < s.aside_count; i++) {
		doc_object(call->out, NULL);
		doc_text(call->out, "what", s.aside[i].what);
		doc_text(call->out, "why", said(call, s.aside[i].why));
		doc_end(call->out);
	}
	doc_end(call->out);
	doc_array(call->out, "spaces");
	for (size_t i = 0; e == ERR_OK && i < s.space_count; i++) {
		const struct space_status *x = &s.spaces[i];

		doc_object(call->out, NULL);
		doc_text(call->out, "name", x->name);
		doc_text(call->out, "kind", x->kind);
		doc_int(call->out, "devices", (int64_t)x->devices);
		doc_int(call->out, "unsent", (int64_t)x->unsent);
		doc_bool(call->out, "coming_in", x->coming_in || x->asked);
		doc_end(call->out);
	}
	doc_end(call->out);
	app_status_free(&s);
	return e;
}

/* Uses an invitation, and sends at once. */
static enum err api_join(struct web_call *call)
{
	const char *text = ask_text(call->in, "invitation");
	struct join_view v = { 0 };
	char words[SIX_WORDS_LEN];
	enum err e = ERR_OK;

	if (text == NULL || text[0] == '\0')
		return err_set(call->ec, ERR_INPUT, "Paste the whole invitation.", NULL, NULL, NULL);
	e = app_join(call->ec, call->app, text, strlen(text), false, &v);
	if (e != ERR_OK)
		return e;
	six_words(v.fingerprint, words);
	doc_text(call->out, "space", v.space);
	doc_text(call->out, "words", v.compare ? words : NULL);
	return api_sync(call);
}

const struct web_handler web_api_sync[] = {
	{ "join", api_join, false, true },
	{ "sync", api_sync, false, true },
	{ "status", api_status, false, true },
	{ NULL, NULL, false, false },
};
