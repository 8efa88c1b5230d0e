// SPDX-License-Identifier: EUPL-1.2
// Conversations, residents, referrals, organisations, and what stands in two versions. Only what a person changed comes
// in, with the token that the form was read with (M2); what was never asked is NULL and stays as it is.
#include <string.h>

#include "app/contacts.h"
#include "app/finding.h"
#include "app/reading.h"
#include "app/referrals.h"
#include "app/residents.h"
#include "app/services.h"
#include "app/versions.h"
#include "render/json.h"
#include "web/inside.h"

#define FOUND_MAX 40
#define SERVICES_MAX 12
#define RECENT_MAX 50
#define DIRECTORY_MAX 200

static const char *text(const struct web_call *call, const char *key)
{
	return ask_text(call->in, key);
}

static const char *given(const struct web_call *call, const char *key)
{
	const char *v = ask_text(call->in, key);

	return v == NULL ? "" : v;
}

static struct reading reading(const struct web_call *call)
{
	return (struct reading){ text(call, "token"), text(call, "text_was") };
}

/* --- conversations --- */

static enum err api_contact_show(struct web_call *call)
{
	struct contact_list list = { 0 };
	const char *token = NULL;
	enum err e = contact_show(call->ec, call->app, given(call, "id"), &list);

	if (e == ERR_OK)
		e = reading_token(call->ec, call->app, call->pool, list.item[0].id, &token);
	if (e == ERR_OK) {
		json_contact(call->out, "contact", &list.item[0], JSON_WHOLE);
		doc_bool(call->out, "never", list.item[0].resident_never);
		doc_text(call->out, "token", token);
	}
	contact_list_free(&list);
	return e;
}

static enum err api_contact_list(struct web_call *call)
{
	struct contact_list list = { 0 };
	struct contact_query q = { .since = text(call, "since") };
	enum err e = contact_list_some(call->ec, call->app, &q, &list);

	doc_array(call->out, "contacts");
	for (size_t i = 0; e == ERR_OK && i < list.n && i < RECENT_MAX; i++)
		json_contact(call->out, NULL, &list.item[i], JSON_ROW);
	doc_end(call->out);
	contact_list_free(&list);
	return e;
}

static enum err reach_save(struct web_call *call, const char *contact);

static enum err api_contact_save(struct web_call *call)
{
	const char *id = text(call, "id");
	struct contact_fields f = {
		.date = text(call, "date"),
		.channel = text(call, "channel"),
		.who = text(call, "who"),
		.from_service = text(call, "from_service"),
		.domains = ask_list(call->in, call->pool, "domains"),
		.did = ask_list(call->in, call->pool, "did"),
		.resident = text(call, "resident"),
		.text = text(call, "text"),
		.follow_up = text(call, "follow_up"),
		.follows = text(call, "follows"),
		.reading = reading(call),
		.draft = text(call, "draft"),
	};
	char made[ID_TEXT_LEN];
	enum err e = ERR_OK;

	if (id == NULL)
		e = contact_add(call->ec, call->app, text(call, "circle"), &f, made);
	else
		e = contact_edit(call->ec, call->app, id, &f, made);
	if (e == ERR_OK)
		doc_text(call->out, "id", made);
	if (e == ERR_OK && (text(call, "reach") != NULL || text(call, "number") != NULL))
		e = reach_save(call, made);
	return e;
}

static enum err api_contact_followed(struct web_call *call)
{
	const struct contact_fields f = { .follow_up = given(call, "follow_up") };
	char id[ID_TEXT_LEN];

	return contact_edit(call->ec, call->app, given(call, "id"), &f, id);
}

/* --- residents --- */

/* How the resident of a conversation may be reached. */
static enum err reach_save(struct web_call *call, const char *contact)
{
	const struct resident_fields f = { .reach = text(call, "reach"), .number = text(call, "number") };
	struct contact_list list = { 0 };
	char id[ID_TEXT_LEN];
	enum err e = contact_show(call->ec, call->app, contact, &list);

	if (e == ERR_OK && list.item[0].resident_id != NULL)
		e = resident_edit(call->ec, call->app, list.item[0].resident_id, &f, id);
	contact_list_free(&list);
	return e;
}

static enum err api_resident_show(struct web_call *call)
{
	struct resident_list list = { 0 };
	enum err e = resident_show(call->ec, call->app, given(call, "id"), &list);

	if (e == ERR_OK)
		json_resident(call->out, "resident", &list.item[0], JSON_WHOLE);
	resident_list_free(&list);
	return e;
}

static enum err api_resident_sounding(struct web_call *call)
{
	struct resident_list list = { 0 };
	enum err e = resident_sounding(call->ec, call->app, text(call, "circle"), given(call, "nick"), &list);

	doc_array(call->out, "residents");
	for (size_t i = 0; e == ERR_OK && i < list.n; i++)
		json_resident(call->out, NULL, &list.item[i], JSON_ROW);
	doc_end(call->out);
	resident_list_free(&list);
	return e;
}

static enum err api_resident_not_same(struct web_call *call)
{
	return resident_not_same(call->ec, call->app, given(call, "id"), given(call, "nick"));
}

/* --- referrals --- */

static struct referral_fields referral_fields(const struct web_call *call)
{
	return (struct referral_fields){
		.service = text(call, "service"),
		.service_name = text(call, "service_name"),
		.group = text(call, "group"),
		.kind = text(call, "kind"),
		.domain = text(call, "domain"),
		.consent = text(call, "consent"),
		.consent_what = text(call, "consent_what"),
		.consent_until = text(call, "consent_until"),
		.date = text(call, "date"),
		.text = text(call, "text"),
		.reading = reading(call),
		.draft = text(call, "draft"),
	};
}

static enum err api_referral_show(struct web_call *call)
{
	struct referral_list list = { 0 };
	const char *token = NULL;
	enum err e = referral_show(call->ec, call->app, given(call, "id"), &list);

	if (e == ERR_OK)
		e = reading_token(call->ec, call->app, call->pool, list.item[0].id, &token);
	if (e == ERR_OK) {
		json_referral(call->out, "referral", &list.item[0], JSON_WHOLE);
		doc_text(call->out, "token", token);
	}
	referral_list_free(&list);
	return e;
}

static enum err api_referral_list(struct web_call *call)
{
	struct referral_list list = { 0 };
	const struct referral_query q = { .open = ask_flag(call->in, "open"), .silent = ask_flag(call->in, "silent") };
	const char *contact = text(call, "contact");
	size_t n = 0;
	enum err e = referral_list_some(call->ec, call->app, &q, &list);

	doc_array(call->out, "referrals");
	for (size_t i = 0; e == ERR_OK && i < list.n && n < RECENT_MAX; i++) {
		const struct referral *r = &list.item[i];

		if (contact != NULL && (r->contact == NULL || strcmp(r->contact, contact) != 0))
			continue;
		json_referral(call->out, NULL, r, JSON_ROW);
		n++;
	}
	doc_end(call->out);
	referral_list_free(&list);
	return e;
}

static enum err api_referral_save(struct web_call *call)
{
	const struct referral_fields f = referral_fields(call);
	struct referral_made made = { 0 };
	const char *id = text(call, "id");
	enum err e = ERR_OK;

	if (id == NULL)
		e = referral_add(call->ec, call->app, given(call, "contact"), &f, &made);
	else
		e = referral_edit(call->ec, call->app, id, &f, made.id);
	if (e == ERR_OK) {
		doc_text(call->out, "id", made.id);
		doc_text(call->out, "code", made.code[0] == '\0' ? NULL : made.code);
	}
	return e;
}

static enum err api_referral_status(struct web_call *call)
{
	const struct status_change s = {
		.status = given(call, "status"),
		.reason = text(call, "reason"),
		.date = text(call, "date"),
		.event = text(call, "event"),
		.changed = text(call, "changed"),
		.next = referral_fields(call),
	};
	struct status_change plain = s;
	struct referral_made made = { 0 };
	char id[ID_TEXT_LEN];
	enum err e = ERR_OK;

	plain.next.date = NULL;
	plain.next.reading = (struct reading){ 0 };
	e = referral_status(call->ec, call->app, given(call, "id"), &plain, id, &made);
	if (e == ERR_OK) {
		doc_text(call->out, "id", id);
		doc_text(call->out, "next", made.id[0] == '\0' ? NULL : made.id);
	}
	return e;
}

/* --- organisations --- */

static enum err api_service_search(struct web_call *call)
{
	struct service_list list = { 0 };
	const char *words = given(call, "words");
	enum err e = words[strspn(words, " ")] == '\0'
	                 ? ERR_OK
	                 : service_search(call->ec, call->app, words, SERVICES_MAX, &list);

	doc_array(call->out, "services");
	for (size_t i = 0; e == ERR_OK && i < list.n; i++)
		json_service(call->out, NULL, &list.item[i], JSON_ROW);
	doc_end(call->out);
	service_list_free(&list);
	if (e == ERR_NOT_FOUND) { /* no neighbourhood yet, so no directory: a name can be typed */
		err_clear(call->ec);
		e = ERR_OK;
	}
	return e;
}

/* The whole directory, or what fits the words; with everything, because it is read at the table. */
static enum err api_service_list(struct web_call *call)
{
	struct service_list list = { 0 };
	const char *words = given(call, "words");
	enum err e = words[strspn(words, " ")] == '\0'
	                 ? service_list_all(call->ec, call->app, &list)
	                 : service_search(call->ec, call->app, words, DIRECTORY_MAX, &list);

	doc_array(call->out, "services");
	for (size_t i = 0; e == ERR_OK && i < list.n && i < DIRECTORY_MAX; i++)
		json_service(call->out, NULL, &list.item[i], JSON_WHOLE);
	doc_end(call->out);
	service_list_free(&list);
	if (e == ERR_NOT_FOUND) {
		err_clear(call->ec);
		e = ERR_OK;
	}
	return e;
}

static enum err api_service_check(struct web_call *call)
{
	char id[ID_TEXT_LEN];

	return service_check(call->ec, call->app, given(call, "id"), text(call, "wrong"), id);
}

static enum err api_service_show(struct web_call *call)
{
	struct service_list list = { 0 };
	enum err e = service_show(call->ec, call->app, given(call, "id"), &list);

	if (e == ERR_OK)
		json_service(call->out, "service", &list.item[0], JSON_WHOLE);
	service_list_free(&list);
	return e;
}

/* --- finding, and two versions --- */

static enum err api_search(struct web_call *call)
{
	struct found_list list = { 0 };
	const char *words = given(call, "words");
	enum err e =
	    words[strspn(words, " ")] == '\0' ? ERR_OK : finding_search(call->ec, call->app, words, FOUND_MAX, &list);

	if (e == ERR_OK)
		json_found(call->out, "found", &list);
	found_list_free(&list);
	return e;
}

static enum err api_versions_list(struct web_call *call)
{
	struct two_versions_list list = { 0 };
	enum err e = versions_list(call->ec, call->app, &list);

	if (e == ERR_OK)
		json_two_versions(call->out, "versions", &list);
	two_versions_free(&list);
	return e;
}

static enum err api_versions_pick(struct web_call *call)
{
	char id[ID_TEXT_LEN];

	return versions_pick(call->ec, call->app, given(call, "id"), given(call, "field"), given(call, "keep"), id);
}

const struct web_handler web_api_records[] = {
	{ "contact/show", api_contact_show, false, true },
	{ "contact/list", api_contact_list, false, true },
	{ "contact/save", api_contact_save, false, true },
	{ "contact/followed", api_contact_followed, false, true },
	{ "resident/show", api_resident_show, false, true },
	{ "resident/sounding", api_resident_sounding, false, true },
	{ "resident/not-same", api_resident_not_same, false, true },
	{ "referral/show", api_referral_show, false, true },
	{ "referral/list", api_referral_list, false, true },
	{ "referral/save", api_referral_save, false, true },
	{ "referral/status", api_referral_status, false, true },
	{ "service/search", api_service_search, false, true },
	{ "service/list", api_service_list, false, true },
	{ "service/check", api_service_check, false, true },
	{ "service/show", api_service_show, false, true },
	{ "search", api_search, false, true },
	{ "versions/list", api_versions_list, false, true },
	{ "versions/pick", api_versions_pick, false, true },
	{ NULL, NULL, false, false },
};
