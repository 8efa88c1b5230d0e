// SPDX-License-Identifier: EUPL-1.2
// versions list, pick.
#include "app/versions.h"
#include "base/tr.h"
#include "cli/show.h"
#include "render/json.h"

enum err cmd_versions_list(struct command_call *call)
{
	struct two_versions_list list = { 0 };
	struct text t = show_text(call);
	enum err e = versions_list(call->ec, call->app, &list);

	if (e == ERR_OK && call->io->json) {
		struct doc *d = doc_new();

		json_two_versions(d, NULL, &list);
		e = doc_print(call->ec, d, call->io->out);
	} else if (e == ERR_OK) {
		text_two_versions(&t, &list);
	}
	two_versions_free(&list);
	return e;
}

enum err cmd_versions_pick(struct command_call *call)
{
	char id[ID_TEXT_LEN];
	enum err e = versions_pick(call->ec, call->app, args_pos(call->args, 0), args_pos(call->args, 1),
	                           args_get(call->args, "keep"), id);

	return e == ERR_OK ? show_id(call, TR("Saved: %1."), id) : e;
}
