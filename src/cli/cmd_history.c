// SPDX-License-Identifier: EUPL-1.2
// history, undo.
#include "cli/show.h"
#include "render/history.h"

enum err cmd_history(struct command_call *call)
{
	struct history h = { 0 };
	struct text t = show_text(call);
	enum err e = history_read(call->ec, call->app, args_pos(call->args, 0), &h);

	if (e == ERR_OK && call->io->json) {
		struct doc *d = doc_new();

		json_history(d, NULL, &h);
		e = doc_print(call->ec, d, call->io->out);
	} else if (e == ERR_OK) {
		text_history(&t, &h);
	}
	history_free(&h);
	return e;
}

enum err cmd_undo(struct command_call *call)
{
	struct undone u = { 0 };
	struct text t = show_text(call);
	const char *id = call->args->pos_count > 0 ? args_pos(call->args, 0) : NULL;
	enum err e = undo_last(call->ec, call->app, id, &u);

	if (e == ERR_OK && call->io->json) {
		struct doc *d = doc_new();

		json_undone(d, NULL, &u);
		e = doc_print(call->ec, d, call->io->out);
	} else if (e == ERR_OK && !call->io->quiet) {
		text_undone(&t, &u);
	}
	undone_free(&u);
	return e;
}
