// SPDX-License-Identifier: EUPL-1.2
// search, today.
#include <stdlib.h>

#include "app/finding.h"
#include "app/today.h"
#include "cli/show.h"
#include "render/json.h"

#define FOUND_MAX 50

enum err cmd_search(struct command_call *call)
{
	struct found_list list = { 0 };
	struct text t = show_text(call);
	char *words = show_words(call->args);
	enum err e = words == NULL ? ERR_NO_MEMORY : finding_search(call->ec, call->app, words, FOUND_MAX, &list);

	if (e == ERR_OK && call->io->json) {
		struct doc *d = doc_new();

		json_found(d, NULL, &list);
		e = doc_print(call->ec, d, call->io->out);
	} else if (e == ERR_OK) {
		text_found(&t, &list);
	}
	free(words);
	found_list_free(&list);
	return e;
}

enum err cmd_today(struct command_call *call)
{
	struct today today;
	struct text t = show_text(call);
	enum err e = today_read(call->ec, call->app, &today);

	if (e == ERR_OK && call->io->json) {
		struct doc *d = doc_new();

		json_today(d, NULL, &today);
		e = doc_print(call->ec, d, call->io->out);
	} else if (e == ERR_OK) {
		text_today(&t, &today);
	}
	today_free(&today);
	return e;
}
