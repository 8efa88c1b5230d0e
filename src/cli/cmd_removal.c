// SPDX-License-Identifier: EUPL-1.2
// Removing a member or a device, and turning down who asks to be one.
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
	doc_text(d, "device", args_get(call->args, "device"));
	doc_int(d, "devices", (int64_t)v->devices);
	doc_text(d, "still_in", v->still_in[0] == '\0' ? NULL : v->still_in);
	doc_text(d, "still_id", v->still_id[0] == '\0' ? NULL : v->still_id);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

/* A circle is one thing, its neighbourhood another. */
static void say_still_in(struct command_call *call, const struct removed_view *v)
{
	if (v->still_in[0] == '\0')
		return;
	if (v->still_id[0] == '\0')
		command_say(
		    call,
		    TR("Somebody called %1 is still in the neighbourhood %2. A coordinator can remove that one there."),
		    v->name, v->still_in, NULL);
	else
		command_say(
		    call,
		    TR("%1 is still in the neighbourhood %2. A coordinator can remove that one there: sleutelbos "
		       "member remove %3 --yes"),
		    v->name, v->still_in, v->still_id);
}

static enum err device_said(struct command_call *call, const struct removed_view *v)
{
	if (call->io->json)
		return removed_doc(call, v);
	command_say(
	    call,
	    TR("That device of %1 is removed from %2. Sync now: until the others have synced too, they still write "
	       "for it. What it has already, nobody can take back."),
	    v->name, v->space, NULL);
	if (v->me)
		command_say(
		    call,
		    TR("Every circle and neighbourhood, and what is yours alone, has its own list of devices. See "
		       "member list, and remove it there too."),
		    NULL, NULL, NULL);
	return ERR_OK;
}

enum err cmd_member_decline(struct command_call *call)
{
	char name[APP_NAME_MAX] = "";
	enum err e = app_decline(call->ec, call->app, args_pos(call->args, 0), name);

	if (e != ERR_OK)
		return e;
	if (call->io->json) {
		struct doc *d = doc_new();

		doc_object(d, NULL);
		doc_text(d, "declined", args_pos(call->args, 0));
		doc_text(d, "name", name[0] == '\0' ? NULL : name);
		doc_end(d);
		return doc_print(call->ec, d, call->io->out);
	}
	command_say(call, TR("Turned down here. The one who asks is not told, and other members can still say yes."),
	            NULL, NULL, NULL);
	return ERR_OK;
}

enum err cmd_member_remove(struct command_call *call)
{
	const char *id = args_pos(call->args, 0);
	const char *device = args_get(call->args, "device");
	struct removed_view v;
	enum err e = ERR_OK;

	if (!args_flag(call->args, "yes") && device != NULL)
		return err_set(call->ec, ERR_USAGE,
		               "Removing a device is final: it keeps what it has, and gets nothing new. To do that, "
		               "type it in full: "
		               "sleutelbos member remove %1 --device %2 --yes",
		               id, device, NULL);
	if (!args_flag(call->args, "yes"))
		return err_set(
		    call->ec, ERR_USAGE,
		    "Removing somebody is final: they keep what they have, and get nothing new. To do that, type "
		    "it in full: sleutelbos member remove %1 --yes",
		    id, NULL, NULL);
	e = device != NULL ? app_device_remove(call->ec, call->app, id, device, &v)
	                   : app_member_remove(call->ec, call->app, id, &v);
	if (e != ERR_OK)
		return e;
	if (device != NULL)
		return device_said(call, &v);
	if (call->io->json)
		return removed_doc(call, &v);
	command_say(call,
	            v.me ? TR("You have left %2. What is here can still be read. Sync now, so that the others know.")
	                 : TR("%1 is removed from %2. Sync now: until the others have synced too, they still write for "
	                      "%1. What %1 has already, nobody can take back."),
	            v.name, v.space, NULL);
	if (!v.me)
		say_still_in(call, &v);
	return ERR_OK;
}
