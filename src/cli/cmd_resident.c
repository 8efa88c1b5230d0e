// SPDX-License-Identifier: EUPL-1.2
// resident add, edit, show, list.
#include "app/residents.h"
#include "base/tr.h"
#include "cli/show.h"
#include "render/json.h"

static struct resident_fields fields_read(const struct args *a, const char *nick)
{
	return (struct resident_fields){ .nick = nick,
		                         .reach = args_get(a, "reach"),
		                         .number = args_get(a, "number"),
		                         .language = args_get(a, "language"),
		                         .note = args_get(a, "note") };
}

static enum err added_json(struct command_call *call, const char *id, const struct resident_list *similar)
{
	struct doc *d = doc_new();

	doc_object(d, NULL);
	doc_text(d, "id", id);
	doc_array(d, "similar");
	for (size_t i = 0; i < similar->n; i++) {
		doc_object(d, NULL);
		doc_text(d, "id", similar->item[i].id);
		doc_text(d, "nick", similar->item[i].nick);
		doc_end(d);
	}
	doc_end(d);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

static void added_say(struct command_call *call, const char *id, const struct resident_list *similar)
{
	command_say(call, TR("Saved. This resident is %1."), id, NULL, NULL);
	for (size_t i = 0; i < similar->n; i++)
		command_say(call, TR("There is a resident with a name like it: %1 (%2). Is that the same person?"),
		            similar->item[i].nick, similar->item[i].id, NULL);
}

enum err cmd_resident_add(struct command_call *call)
{
	const struct resident_fields f = fields_read(call->args, args_pos(call->args, 0));
	char id[ID_TEXT_LEN];
	struct resident_list similar = { 0 };
	enum err e = resident_add(call->ec, call->app, args_get(call->args, "circle"), &f, id);

	if (e != ERR_OK)
		return e;
	// it is saved: what goes wrong from here on only costs the hint
	if (resident_similar(NULL, call->app, id, &similar) != ERR_OK)
		similar.n = 0;
	if (call->io->json)
		e = added_json(call, id, &similar);
	else
		added_say(call, id, &similar);
	resident_list_free(&similar);
	return e;
}

enum err cmd_resident_edit(struct command_call *call)
{
	const struct resident_fields f = fields_read(call->args, args_get(call->args, "nick"));
	char id[ID_TEXT_LEN];
	enum err e = resident_edit(call->ec, call->app, args_pos(call->args, 0), &f, id);

	return e == ERR_OK ? show_id(call, TR("Saved: %1."), id) : e;
}

enum err cmd_resident_show(struct command_call *call)
{
	struct resident_list list = { 0 };
	struct text t = show_text(call);
	enum err e = resident_show(call->ec, call->app, args_pos(call->args, 0), &list);

	if (e == ERR_OK && call->io->json) {
		struct doc *d = doc_new();

		json_resident(d, NULL, &list.item[0], JSON_WHOLE);
		e = doc_print(call->ec, d, call->io->out);
	} else if (e == ERR_OK) {
		text_resident(&t, &list.item[0]);
	}
	resident_list_free(&list);
	return e;
}

enum err cmd_resident_list(struct command_call *call)
{
	struct resident_list list = { 0 };
	struct text t = show_text(call);
	enum err e = resident_list_all(call->ec, call->app, args_get(call->args, "circle"), &list);

	if (e == ERR_OK && call->io->json) {
		struct doc *d = doc_new();

		doc_array(d, NULL);
		for (size_t i = 0; i < list.n; i++)
			json_resident(d, NULL, &list.item[i], JSON_ROW);
		doc_end(d);
		e = doc_print(call->ec, d, call->io->out);
	} else if (e == ERR_OK) {
		text_residents(&t, &list);
	}
	resident_list_free(&list);
	return e;
}
