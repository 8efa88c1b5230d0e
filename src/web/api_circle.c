// SPDX-License-Identifier: EUPL-1.2
// Kring: who is in it, inviting, letting in by six words, removing. What lets others in asks for the passphrase again.
#include <stdlib.h>
#include <string.h>

#include "app/removing.h"
#include "app/spaces.h"
#include "app/unlocking.h"
#include "render/json.h"
#include "render/qr.h"
#include "web/inside.h"

#define QR_MM 70

static const char *given(const struct web_call *call, const char *key)
{
	const char *v = ask_text(call->in, key);

	return v == NULL ? "" : v;
}

/* Is it she? One derivation. */
static enum err ask_again(struct web_call *call)
{
	struct secret_text *secret = NULL;
	enum err e = web_passphrase(call, &secret);

	if (e == ERR_OK)
		e = app_passphrase_check(call->ec, call->app,
		                         (struct bytes){ (const uint8_t *)secret->text, secret->len });
	secret_text_free(secret);
	/* the home stays open: it is the question that is refused */
	return e == ERR_LOCKED ? ERR_REFUSED : e;
}

static enum err api_members(struct web_call *call)
{
	struct member_view *list = NULL;
	size_t n = 0;
	enum err e = app_members(call->ec, call->app, NULL, &list, &n);

	doc_array(call->out, "members");
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		json_member(call->out, NULL, &list[i]);
	doc_end(call->out);
	app_members_free(list, n);
	return e;
}

/* The invitation as a picture; capitals take the least room. */
static enum err put_qr(struct web_call *call, const struct buf *text)
{
	struct buf capitals = { 0 };
	struct qr *qr = NULL;
	char *svg = NULL;
	size_t len = 0;
	FILE *f = NULL;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < text->len && text->data[i] != '\0'; i++) {
		uint8_t c = text->data[i];

		e = buf_put_byte(&capitals, c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c);
	}
	if (e == ERR_OK)
		e = buf_terminate(&capitals);
	if (e == ERR_OK)
		e = qr_new(call->ec, (const char *)capitals.data, QR_PAPER, &qr);
	f = e == ERR_OK ? open_memstream(&svg, &len) : NULL;
	if (f != NULL) {
		qr_svg(qr, "Sleutelbos", QR_MM, f);
		if (fclose(f) == 0)
			doc_text(call->out, "qr", svg);
	}
	free(svg);
	qr_free(qr);
	buf_free(&capitals);
	return e;
}

static enum err api_invite(struct web_call *call)
{
	const struct invite_ask ask = { .space = ask_text(call->in, "space"),
		                        .compare = ask_flag(call->in, "compare") };
	struct invite_view v = { 0 };
	enum err e = ask_again(call);

	if (e == ERR_OK)
		e = app_invite(call->ec, call->app, &ask, &v);
	if (e == ERR_OK) {
		doc_text(call->out, "invitation", (const char *)v.text.data);
		doc_text(call->out, "space", v.space);
		doc_text(call->out, "expires", v.expires);
		/* one that is too long for a square goes as text alone */
		if (put_qr(call, &v.text) == ERR_INPUT)
			err_clear(call->ec);
	}
	buf_free(&v.text);
	return e;
}

static enum err api_approve(struct web_call *call)
{
	char name[128] = "";
	enum err e = ask_again(call);

	if (e == ERR_OK)
		e = app_approve(call->ec, call->app, given(call, "id"), NULL, name);
	if (e == ERR_OK)
		doc_text(call->out, "name", name);
	return e;
}

static enum err api_decline(struct web_call *call)
{
	char name[APP_NAME_MAX] = "";
	enum err e = ask_again(call);

	return e == ERR_OK ? app_decline(call->ec, call->app, given(call, "id"), name) : e;
}

static enum err api_remove(struct web_call *call)
{
	struct removed_view v = { 0 };
	enum err e = ask_again(call);

	if (e == ERR_OK)
		e = app_member_remove(call->ec, call->app, given(call, "id"), &v);
	if (e == ERR_OK)
		doc_text(call->out, "name", v.name);
	return e;
}

const struct web_handler web_api_circle[] = {
	{ "members", api_members, false, true },      { "invite", api_invite, false, true },
	{ "approve", api_approve, false, true },      { "decline", api_decline, false, true },
	{ "member/remove", api_remove, false, true }, { NULL, NULL, false, false },
};
