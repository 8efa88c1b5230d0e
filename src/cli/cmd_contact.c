// SPDX-License-Identifier: EUPL-1.2
// contact add, edit, show, list.
#include "app/contacts.h"
#include "base/tr.h"
#include "cli/show.h"
#include "render/json.h"

static enum err fields_read(struct command_call *call, struct buf *own, struct contact_fields *f)
{
	const struct args *a = call->args;

	*f = (struct contact_fields){
		.date = args_get(a, "date"),
		.channel = args_get(a, "channel"),
		.who = args_get(a, "who"),
		.from_service = args_get(a, "from-service"),
		.domains = args_get(a, "domain"),
		.did = args_get(a, "did"),
		.resident = args_get(a, "resident"),
		.follow_up = args_get(a, "follow-up"),
		.follows = args_get(a, "follows"),
	};
	return show_text_given(call, own, &f->text);
}

enum err cmd_contact_add(struct command_call *call)
{
	struct contact_fields f;
	struct buf own = { 0 };
	char id[ID_TEXT_LEN];
	enum err e = fields_read(call, &own, &f);

	if (e == ERR_OK)
		e = contact_add(call->ec, call->app, args_get(call->args, "circle"), &f, id);
	buf_free(&own);
	return e == ERR_OK ? show_id(call, TR("Saved. This conversation is %1."), id) : e;
}

enum err cmd_contact_edit(struct command_call *call)
{
	struct contact_fields f;
	struct buf own = { 0 };
	char id[ID_TEXT_LEN];
	enum err e = ERR_OK;

	if (args_get(call->args, "circle") != NULL)
		return err_set(call->ec, ERR_USAGE, "A conversation stays in the circle where it was written.", NULL,
		               NULL, NULL);
	e = fields_read(call, &own, &f);
	if (e == ERR_OK)
		e = contact_edit(call->ec, call->app, args_pos(call->args, 0), &f, id);
	buf_free(&own);
	return e == ERR_OK ? show_id(call, TR("Saved: %1."), id) : e;
}

enum err cmd_contact_show(struct command_call *call)
{
	struct contact_list list = { 0 };
	struct text t = show_text(call);
	enum err e = contact_show(call->ec, call->app, args_pos(call->args, 0), &list);

	if (e == ERR_OK && call->io->json) {
		struct doc *d = doc_new();

		json_contact(d, NULL, &list.item[0], JSON_WHOLE);
		e = doc_print(call->ec, d, call->io->out);
	} else if (e == ERR_OK) {
		text_contact(&t, &list.item[0]);
	}
	contact_list_free(&list);
	return e;
}

enum err cmd_contact_list(struct command_call *call)
{
	const struct contact_query q = { .circle = args_get(call->args, "circle"),
		                         .since = args_get(call->args, "since"),
		                         .open = args_flag(call->args, "open") };
	struct contact_list list = { 0 };
	struct text t = show_text(call);
	enum err e = contact_list_some(call->ec, call->app, &q, &list);

	if (e == ERR_OK && call->io->json) {
		struct doc *d = doc_new();

		doc_array(d, NULL);
		for (size_t i = 0; i < list.n; i++)
			json_contact(d, NULL, &list.item[i], JSON_ROW);
		doc_end(d);
		e = doc_print(call->ec, d, call->io->out);
	} else if (e == ERR_OK) {
		text_contacts(&t, &list);
	}
	contact_list_free(&list);
	return e;
}
