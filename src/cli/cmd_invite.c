// SPDX-License-Identifier: EUPL-1.2
// Invitations: made, listed, withdrawn, used. Each says what comes next, on this computer and on the other.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/labels.h"
#include "app/spaces.h"
#include "base/file.h"
#include "base/tr.h"
#include "cli/command.h"
#include "render/doc.h"
#include "render/qr.h"
#include "render/text.h"
#include "render/words.h"

#define SVG_MM 120
#define PNG_SCALE 8
#define INVITATION_MAX (1u << 20) /* a mail with all its headers */

/* --- as text or as a picture --- */

enum form { FORM_TEXT, FORM_BLOCKS, FORM_SVG, FORM_PNG };

static bool ends_with(const char *path, const char *end)
{
	size_t n = strlen(path);

	return n >= strlen(end) && strcasecmp(path + n - strlen(end), end) == 0;
}

/* What --qr and the end of --out ask for. */
static enum err form_of(struct command_call *call, const char *path, enum form *out)
{
	bool qr = args_flag(call->args, "qr");
	bool svg = path != NULL && ends_with(path, ".svg");
	bool png = path != NULL && ends_with(path, ".png");

	*out = !qr ? FORM_TEXT : path == NULL ? FORM_BLOCKS : svg ? FORM_SVG : FORM_PNG;
	if (!qr && (svg || png))
		return err_set(call->ec, ERR_INPUT,
		               "%1 is the name of a picture. Add --qr to make one, or choose a name that ends in .txt.",
		               path, NULL, NULL);
	if (qr && path != NULL && !svg && !png)
		return err_set(call->ec, ERR_INPUT,
		               "A QR code cannot be made as %1. Give a name that ends in .svg or .png.", path, NULL,
		               NULL);
	if (qr && path == NULL && call->io->json)
		return err_set(call->ec, ERR_USAGE, "With --json, --qr needs --out FILE.svg or FILE.png.", NULL, NULL,
		               NULL);
	return ERR_OK;
}

/* In capitals, which take the least room in the square; `join` takes both. */
static enum err qr_of(struct command_call *call, const struct invite_view *v, enum form form, struct qr **out)
{
	struct buf capitals = { 0 };
	enum err e = ERR_OK;

	for (const char *p = (const char *)v->text.data; e == ERR_OK && *p != '\0'; p++)
		e = buf_put_byte(&capitals, (uint8_t)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p));
	if (e == ERR_OK)
		e = buf_terminate(&capitals);
	if (e == ERR_OK)
		e = qr_new(call->ec, (const char *)capitals.data, form == FORM_BLOCKS ? QR_SCREEN : QR_PAPER, out);
	buf_free(&capitals);
	return e;
}

/* A text file says by itself what it is, and no name in clear (V1): it may lie about for long. */
static void text_file(struct command_call *call, const struct invite_view *v, FILE *out)
{
	const struct text t = { .out = out, .lang = call->lang };

	text_line(&t,
	          args_flag(call->args, "device")
	              ? TR("Sleutelbos: an invitation for another device of mine, until %1.")
	              : TR("Sleutelbos: an invitation, until %1."),
	          v->expires, NULL, NULL);
	text_line(&t, TR("Type, with the name of this file: sleutelbos join --from FILE"), NULL, NULL, NULL);
	fprintf(out, "\n%s\n", (const char *)v->text.data);
}

static enum err form_print(struct command_call *call, const struct invite_view *v, enum form form, FILE *out)
{
	struct qr *qr = NULL;
	enum err e = form == FORM_TEXT ? ERR_OK : qr_of(call, v, form, &qr);

	if (e != ERR_OK)
		return e;
	switch (form) {
	case FORM_TEXT:
		text_file(call, v, out);
		break;
	case FORM_BLOCKS:
		qr_blocks(qr, call->io->out_is_tty, out);
		break;
	case FORM_SVG:
		qr_svg(qr, "Sleutelbos", SVG_MM, out);
		break;
	case FORM_PNG:
		e = qr_png(call->ec, qr, PNG_SCALE, out);
		break;
	}
	qr_free(qr);
	return e;
}

/* --- invite --- */

static enum err invite_doc(struct command_call *call, const struct invite_view *v, const char *path)
{
	struct doc *d = doc_new();

	doc_object(d, NULL);
	doc_text(d, "invitation", path != NULL ? NULL : (const char *)v->text.data);
	doc_text(d, "file", path);
	doc_text(d, "id", v->id);
	doc_text(d, "space", v->space);
	doc_int(d, "spaces", (int64_t)v->spaces);
	doc_text(d, "expires", v->expires);
	doc_bool(d, "device", args_flag(call->args, "device"));
	doc_bool(d, "compare", v->compare);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

static void invite_say(struct command_call *call, const struct invite_view *v, enum form form)
{
	if (v->own_login)
		command_say(
		    call,
		    TR("Your login at the host is yours alone, and not in it. Whoever joins needs a login of their "
		       "own: remote login."),
		    NULL, NULL, NULL);
	if (form == FORM_BLOCKS)
		command_say(
		    call, TR("Does the square not fit? Make the window larger, or make a picture with: --out FILE.png"),
		    NULL, NULL, NULL);
	if (args_flag(call->args, "device")) {
		command_say(
		    call,
		    TR("With this invitation another computer becomes a device of yours. It works once, until %1. "
		       "Keep it to yourself."),
		    v->expires, NULL, NULL);
		command_say(
		    call,
		    TR("On the other computer: make a home (sleutelbos init), use the invitation (sleutelbos join), "
		       "and sync."),
		    NULL, NULL, NULL);
		command_say(
		    call,
		    TR("Then sync here, and look in: member list. Do both screens show the same six words? Then type: "
		       "member approve ID"),
		    NULL, NULL, NULL);
		return;
	}
	if (!v->compare) {
		command_say(call,
		            TR("This invitation to %1 works once, until %2. Give it to one person, face to face."),
		            v->space, v->expires, NULL);
		command_say(
		    call,
		    TR("That person joins and syncs. Then you sync, and the other once more. Will you send it? Make "
		       "one with --compare."),
		    NULL, NULL, NULL);
		return;
	}
	command_say(call, TR("This invitation to %1 works once, until %2. You may send it."), v->space, v->expires,
	            NULL);
	command_say(
	    call,
	    TR("Whoever uses it waits for you. Sync, look in member list, and call that person. Are the six words "
	       "the same? Then type: member approve ID"),
	    NULL, NULL, NULL);
}

/* The file has its place before there is an invitation, and what could not be written is no invitation. */
static enum err invite_into(struct command_call *call, const struct invite_ask *ask, const char *path, enum form form,
                            struct invite_view *v)
{
	struct io_write w = { .token = -1 };
	enum err e = io_write_begin(call->io, call->ec, path, IO_NEW, &w);
	bool made = false;

	if (e == ERR_OK)
		e = app_invite(call->ec, call->app, ask, v);
	made = e == ERR_OK;
	if (e == ERR_OK)
		e = form_print(call, v, form, w.file);
	if (e == ERR_OK)
		e = io_write_commit(call->io, call->ec, &w);
	else
		io_write_abort(call->io, &w);
	if (e != ERR_OK && made && app_invite_withdraw(NULL, call->app, v->id) != ERR_OK)
		return e; /* nobody has it; it ends by itself */
	return e;
}

enum err cmd_invite(struct command_call *call)
{
	const struct invite_ask ask = { args_get(call->args, "space"), args_get(call->args, "role"),
		                        args_flag(call->args, "device"), args_flag(call->args, "compare") };
	const char *path = args_get(call->args, "out");
	struct invite_view v = { 0 };
	enum form form = FORM_TEXT;
	enum err e = form_of(call, path, &form);

	if (e == ERR_OK)
		e = path != NULL ? invite_into(call, &ask, path, form, &v) : app_invite(call->ec, call->app, &ask, &v);
	if (e == ERR_OK && call->io->json)
		e = invite_doc(call, &v, path);
	else if (e == ERR_OK && path == NULL && form == FORM_TEXT)
		fprintf(call->io->out, "%s\n", (const char *)v.text.data);
	else if (e == ERR_OK && path == NULL)
		e = form_print(call, &v, form, call->io->out);
	if (e == ERR_OK && !call->io->json)
		invite_say(call, &v, form);
	buf_free(&v.text);
	return e;
}

/* --- what was made --- */

static const char *invite_state(const char *state)
{
	return strcmp(state, "open") == 0   ? TR("open")
	       : strcmp(state, "used") == 0 ? TR("used")
	                                    : TR("no longer valid");
}

/* Whom it is for: another device, or a role. */
static const char *invite_for(const struct open_invite *i, enum lang lang)
{
	return i->device ? lang_tr(lang, TR("another device")) : label("role", i->role, lang_name(lang));
}

static void invites_text(struct command_call *call, const struct open_invite *list, size_t n)
{
	const struct text t = { .out = call->io->out, .lang = call->lang };
	int names = 0;
	int roles = 0;

	for (size_t i = 0; i < n; i++) {
		const int name = text_width(list[i].space);
		const int role = text_width(invite_for(&list[i], call->lang));

		names = name > names ? name : names;
		roles = role > roles ? role : roles;
	}
	for (size_t i = 0; i < n; i++) {
		text_column(&t, list[i].id, 0);
		text_column(&t, list[i].space, names);
		text_column(&t, invite_for(&list[i], call->lang), roles);
		text_say(&t, TR("until %1"), list[i].expires, NULL, NULL);
		fputs("  ", t.out);
		text_line(&t, invite_state(list[i].state), NULL, NULL, NULL);
	}
	if (n == 0)
		command_say(call, TR("No invitations."), NULL, NULL, NULL);
}

enum err cmd_invite_list(struct command_call *call)
{
	struct open_invite *list = NULL;
	const char *space = args_get(call->args, "space");
	struct doc *d = NULL;
	size_t all = 0;
	size_t n = 0;
	enum err e = app_invites(call->ec, call->app, &list, &all);

	for (size_t i = 0; e == ERR_OK && i < all; i++) {
		if (space == NULL || strcasecmp(space, list[i].space) == 0)
			list[n++] = list[i];
	}
	if (e == ERR_OK && call->io->json) {
		d = doc_new();
		doc_array(d, NULL);
		for (size_t i = 0; i < n; i++) {
			doc_object(d, NULL);
			doc_text(d, "id", list[i].id);
			doc_text(d, "space", list[i].space);
			doc_text(d, "role", list[i].role);
			doc_text(d, "expires", list[i].expires);
			doc_text(d, "state", list[i].state);
			doc_bool(d, "device", list[i].device);
			doc_bool(d, "compare", list[i].compare);
			doc_end(d);
		}
		doc_end(d);
		e = doc_print(call->ec, d, call->io->out);
	} else if (e == ERR_OK) {
		invites_text(call, list, n);
	}
	free(list);
	return e;
}

enum err cmd_invite_withdraw(struct command_call *call)
{
	const char *id = args_pos(call->args, 0);
	struct doc *d = NULL;
	enum err e = app_invite_withdraw(call->ec, call->app, id);

	if (e != ERR_OK)
		return e;
	if (!call->io->json) {
		command_say(call, TR("Invitation %1 is withdrawn. Whoever has it cannot use it any more."), id, NULL,
		            NULL);
		return ERR_OK;
	}
	d = doc_new();
	doc_object(d, NULL);
	doc_text(d, "withdrawn", id);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

/* --- join --- */

/* A picture or a document that a program draws: the square in it is for a telephone. */
static bool is_picture(struct bytes file)
{
	static const struct {
		const char *start;
		size_t len;
	} starts[] = { { "\x89PNG", 4 }, { "\xff\xd8\xff", 3 }, { "GIF8", 4 }, { "%PDF", 4 }, { "RIFF", 4 } };

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (file.len >= starts[i].len && memcmp(file.data, starts[i].start, starts[i].len) == 0)
			return true;
	}
	return file.len > 0 && memmem(file.data, file.len < 1024 ? file.len : 1024, "<svg", 4) != NULL;
}

static enum err join_doc(struct command_call *call, const struct join_view *v, const char *words)
{
	struct doc *d = doc_new();

	doc_object(d, NULL);
	doc_text(d, "asked", v->space);
	doc_text(d, "device_of", v->person[0] == '\0' ? NULL : v->person);
	doc_bool(d, "compare", v->compare);
	doc_text(d, "fingerprint", v->compare ? words : NULL);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

static enum err join_say(struct command_call *call, const struct join_view *v)
{
	char words[SIX_WORDS_LEN];

	six_words(v->fingerprint, words);
	if (call->io->json)
		return join_doc(call, v, words);
	if (v->person[0] != '\0') {
		command_say(call, TR("This home becomes a device of %1, as soon as that is approved there. Sync now."),
		            v->person, NULL, NULL);
		command_say(
		    call,
		    TR("Then sync on the other computer, and look in: member list. Approve only if it shows these "
		       "six words: %1"),
		    words, NULL, NULL);
	} else if (v->compare) {
		command_say(call, TR("You asked to join %1. Sync now, and call the one who invited you."), v->space,
		            NULL, NULL);
		command_say(call, TR("Read out these six words. If the other sees the same, you are let in: %1"), words,
		            NULL, NULL);
	} else {
		command_say(call,
		            TR("You asked to join %1. Sync now, and again after the one who invited you has synced."),
		            v->space, NULL, NULL);
	}
	return ERR_OK;
}

static enum err join_invitation(struct command_call *call, const char *text, const char *from)
{
	struct buf file = { 0 };
	struct join_view v;
	int fd = -1;
	enum err e = ERR_OK;

	if (from != NULL) {
		e = io_open_read(call->io, call->ec, from, &fd);
		if (e == ERR_OK)
			e = file_read_fd(call->ec, fd, from, INVITATION_MAX, &file);
		if (fd >= 0)
			close(fd);
	} else {
		e = buf_put_str(&file, text);
	}
	if (e == ERR_OK && from != NULL && is_picture(buf_bytes(&file)))
		e = err_set(
		    call->ec, ERR_INPUT,
		    "%1 is a picture. Scan the square in it with a telephone, send the text to this computer, and "
		    "use that.",
		    from, NULL, NULL);
	if (e == ERR_OK)
		e = app_join(call->ec, call->app, (const char *)file.data, file.len,
		             args_flag(call->args, "bring-notes"), &v);
	buf_free(&file);
	return e != ERR_OK ? e : join_say(call, &v);
}

static enum err join_request(struct command_call *call)
{
	uint8_t fingerprint[FINGERPRINT_LEN];
	char words[SIX_WORDS_LEN];
	char *remote = NULL;
	struct doc *d = NULL;
	enum err e = ERR_OK;

	if (args_get(call->args, "remote") == NULL)
		return err_set(call->ec, ERR_USAGE, "Say where the repository is, with --remote.", NULL, NULL, NULL);
	if (args_flag(call->args, "bring-notes"))
		return err_set(call->ec, ERR_USAGE,
		               "--bring-notes goes with an invitation for another device of yours.", NULL, NULL, NULL);
	e = remote_address(call, args_get(call->args, "remote"), &remote);
	if (e == ERR_OK)
		e = remote_host_known(call, remote);
	if (e == ERR_OK)
		e = app_join_request(call->ec, call->app, remote, fingerprint);
	free(remote);
	if (e != ERR_OK)
		return e;
	six_words(fingerprint, words);
	if (!call->io->json) {
		command_say(call, TR("Sync now. Then read these six words to a member, who approves you: %1"), words,
		            NULL, NULL);
		return ERR_OK;
	}
	d = doc_new();
	doc_object(d, NULL);
	doc_text(d, "fingerprint", words);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

enum err cmd_join(struct command_call *call)
{
	if (args_flag(call->args, "request"))
		return join_request(call);
	if (args_get(call->args, "remote") != NULL)
		return err_set(call->ec, ERR_USAGE, "--remote goes with --request: an invitation names it itself.",
		               NULL, NULL, NULL);
	return join_invitation(call, args_pos(call->args, 0), args_get(call->args, "from"));
}
