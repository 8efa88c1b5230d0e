// SPDX-License-Identifier: EUPL-1.2
// A sentence for each thing that a repository was noticed to do (S5), with since when, evidence, and what became of it.
#include "cli/say_noticed.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/noticed.h"
#include "base/tr.h"

#define SAID_MAX 8

void noticed_doc(struct command_call *call, struct doc *d, int64_t from_ms)
{
	struct noticed_view *list = NULL;
	size_t n = 0;

	if (app_noticed(NULL, call->app, from_ms, &list, &n) != ERR_OK)
		n = 0;
	doc_array(d, "noticed");
	for (size_t i = 0; i < n; i++) {
		const struct noticed_view *v = &list[i];

		doc_object(d, NULL);
		doc_text(d, "what", noticed_word(v->n.what));
		doc_text(d, "branch", v->n.ref);
		doc_text(d, "space", v->space[0] == '\0' ? NULL : v->space);
		doc_text(d, "who", v->who[0] == '\0' ? NULL : v->who);
		doc_bool(d, "own", v->own);
		doc_text(d, "since", v->since);
		doc_text(d, "had", v->n.had[0] == '\0' ? NULL : v->n.had);
		doc_text(d, "shown", v->n.shown[0] == '\0' ? NULL : v->n.shown);
		doc_bool(d, "healed", v->healed[0] != '\0');
		doc_text(d, "healed_at", v->healed[0] == '\0' ? NULL : v->healed);
		doc_end(d);
	}
	doc_end(d);
	free(list);
}

static void say_one(struct command_call *call, const struct noticed_view *v)
{
	const char *who = v->own              ? lang_tr(call->lang, TR("this device"))
	                  : v->who[0] != '\0' ? v->who
	                                      : lang_tr(call->lang, TR("somebody"));
	const char *space = v->space[0] != '\0' ? v->space : lang_tr(call->lang, TR("those who join"));
	char since[32];
	char had[16];
	char shown[16];

	snprintf(since, sizeof(since), "%.10s", v->since);
	snprintf(had, sizeof(had), "%.12s", v->n.had[0] == '\0' ? "-" : v->n.had);
	snprintf(shown, sizeof(shown), "%.12s", v->n.shown[0] == '\0' ? "-" : v->n.shown);
	command_say(call, noticed_sentence(v->n.what), who, space, NULL);
	command_say(call, TR("  Noticed on %1. It was %2, it became %3."), since, had, shown);
	command_say(call,
	            v->healed[0] != '\0'
	                ? TR("  It is put right.")
	                : TR("  It is not put right yet. Nothing is lost here. Sync again later; whoever has it pushes "
	                     "it back."),
	            NULL, NULL, NULL);
}

size_t noticed_say(struct command_call *call, int64_t from_ms)
{
	struct noticed_view *list = NULL;
	char more[24];
	size_t n = 0;

	if (app_noticed(NULL, call->app, from_ms, &list, &n) != ERR_OK)
		return 0;
	for (size_t i = 0; i < n && i < SAID_MAX; i++)
		say_one(call, &list[i]);
	snprintf(more, sizeof(more), "%zu", n > SAID_MAX ? n - SAID_MAX : 0);
	if (n > SAID_MAX)
		command_say(call, TR("And %1 more like these: status --json has them all."), more, NULL, NULL);
	free(list);
	return n;
}
