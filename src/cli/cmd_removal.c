// SPDX-License-Identifier: EUPL-1.2
// Removing a member.
#include "app/removing.h"
#include "base/tr.h"
#include "cli/command.h"
#include "render/doc.h"

static enum err removed_doc(struct command_call *call, const struct removed_view *v)
{
	struct doc *d = doc_new();

	doc_object(d, NULL);
	doc_text(d, "removed", args_pos(call->args, 0));
	doc_text(d, "name", v->name);
	doc_text(d, "space", v->space);
	doc_int(d, "devices", (int64_t)v->devices);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

enum err cmd_member_remove(struct command_call *call)
{
	const char *id = args_pos(call->args, 0);
	struct removed_view v;
	enum err e = ERR_OK;

	if (!args_flag(call->args, "yes"))
		return err_set(
		    call->ec, ERR_USAGE,
		    "Removing somebody is final: they keep what they have, and get nothing new. To do that, type "
		    "it in full: sleutelbos member remove %1 --yes",
		    id, NULL, NULL);
	e = app_member_remove(call->ec, call->app, id, &v);
	if (e != ERR_OK)
		return e;
	if (call->io->json)
		return removed_doc(call, &v);
	command_say(call,
	            v.me ? TR("You have left %2. What is here can still be read. Sync now, so that the others know.")
	                 : TR("%1 is removed from %2. Sync now: until the others have synced too, they still write for "
	                      "%1. What %1 has already, nobody can take back."),
	            v.name, v.space, NULL);
	return ERR_OK;
}
