// SPDX-License-Identifier: EUPL-1.2
// referral add, edit, status, list, show.
#include "app/referrals.h"
#include "base/tr.h"
#include "cli/show.h"
#include "render/json.h"

static struct referral_fields fields_read(const struct args *a)
{
	return (struct referral_fields){ .service = args_get(a, "service"),
		                         .service_name = args_get(a, "service-name"),
		                         .group = args_get(a, "group"),
		                         .kind = args_get(a, "kind"),
		                         .domain = args_get(a, "domain"),
		                         .consent = args_get(a, "consent"),
		                         .consent_what = args_get(a, "consent-what"),
		                         .consent_until = args_get(a, "consent-until"),
		                         .date = args_get(a, "date"),
		                         .text = args_get(a, "text") };
}

enum err cmd_referral_add(struct command_call *call)
{
	const struct referral_fields f = fields_read(call->args);
	struct referral_made made;
	struct doc *d = NULL;
	enum err e = referral_add(call->ec, call->app, args_get(call->args, "contact"), &f, &made);

	if (e != ERR_OK)
		return e;
	if (!call->io->json) {
		command_say(call, TR("Saved. This referral is %1, the code on the slip is %2."), made.id, made.code,
		            NULL);
		return ERR_OK;
	}
	d = doc_new();
	doc_object(d, NULL);
	doc_text(d, "id", made.id);
	doc_text(d, "code", made.code);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

enum err cmd_referral_edit(struct command_call *call)
{
	const struct referral_fields f = fields_read(call->args);
	char id[ID_TEXT_LEN];
	enum err e = referral_edit(call->ec, call->app, args_pos(call->args, 0), &f, id);

	return e == ERR_OK ? show_id(call, TR("Saved: %1."), id) : e;
}

enum err cmd_referral_status(struct command_call *call)
{
	struct status_change s = { .status = args_pos(call->args, 1),
		                   .reason = args_get(call->args, "reason"),
		                   .date = args_get(call->args, "date"),
		                   .event = args_get(call->args, "event"),
		                   .changed = args_get(call->args, "changed"),
		                   .next = fields_read(call->args) };
	struct referral_list list = { 0 };
	struct referral_made made;
	char id[ID_TEXT_LEN];
	enum err e = referral_status(call->ec, call->app, args_pos(call->args, 0), &s, id, &made);

	if (e == ERR_OK)
		e = referral_show(call->ec, call->app, id, &list);
	if (e == ERR_OK && call->io->json) {
		struct doc *d = doc_new();

		doc_object(d, NULL);
		doc_text(d, "id", id);
		doc_text(d, "status", list.item[0].loop.status);
		doc_text(d, "outcome", list.item[0].loop.outcome);
		doc_day(d, "since", list.item[0].loop.since);
		if (made.id[0] != '\0') {
			doc_object(d, "next");
			doc_text(d, "id", made.id);
			doc_text(d, "code", made.code);
			doc_end(d);
		}
		doc_end(d);
		e = doc_print(call->ec, d, call->io->out);
	} else if (e == ERR_OK) {
		command_say(call, TR("Saved: %1."), id, NULL, NULL);
		if (made.id[0] != '\0')
			command_say(call, TR("The next referral is %1, the code on its slip is %2."), made.id,
			            made.code, NULL);
	}
	referral_list_free(&list);
	return e;
}

enum err cmd_referral_list(struct command_call *call)
{
	const struct referral_query q = { .circle = args_get(call->args, "circle"),
		                          .open = args_flag(call->args, "open"),
		                          .silent = args_flag(call->args, "silent") };
	struct referral_list list = { 0 };
	struct text t = show_text(call);
	enum err e = referral_list_some(call->ec, call->app, &q, &list);

	if (e == ERR_OK && call->io->json) {
		struct doc *d = doc_new();

		doc_array(d, NULL);
		for (size_t i = 0; i < list.n; i++)
			json_referral(d, NULL, &list.item[i], JSON_ROW);
		doc_end(d);
		e = doc_print(call->ec, d, call->io->out);
	} else if (e == ERR_OK) {
		text_referrals(&t, &list);
	}
	referral_list_free(&list);
	return e;
}

enum err cmd_referral_show(struct command_call *call)
{
	struct referral_list list = { 0 };
	struct text t = show_text(call);
	enum err e = referral_show(call->ec, call->app, args_pos(call->args, 0), &list);

	if (e == ERR_OK && call->io->json) {
		struct doc *d = doc_new();

		json_referral(d, NULL, &list.item[0], JSON_WHOLE);
		e = doc_print(call->ec, d, call->io->out);
	} else if (e == ERR_OK) {
		text_referral(&t, &list.item[0]);
	}
	referral_list_free(&list);
	return e;
}
