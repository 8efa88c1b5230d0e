// SPDX-License-Identifier: EUPL-1.2
// Homes, neighbourhoods, circles, members, and where the repository is.
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
#include "render/json.h"
#include "render/text.h"
#include "render/words.h"

static enum err init_doc(struct command_call *call, uint32_t sheet)
{
	struct doc *d = doc_new();

	doc_object(d, NULL);
	doc_text(d, "home", call->options->home);
	doc_text(d, "name", args_get(call->args, "name"));
	if (sheet == 0)
		doc_null(d, "sheet");
	else
		doc_int(d, "sheet", sheet);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

/* The home is there; a sheet that could not be made is told after that. */
static enum err init_sheet(struct command_call *call, const char *file, const struct secret_text *passphrase,
                           uint32_t *sheet)
{
	enum err printed = ERR_OK;
	enum err e = ERR_OK;

	command_say(call, TR("Your home is ready in %1. Remember your passphrase: nobody can give it back to you."),
	            call->options->home, NULL, NULL);
	if (file == NULL)
		command_say(call,
		            TR("Make a recovery sheet too. With that paper you choose a new passphrase when you forget "
		               "this one. Type: sleutelbos recovery sheet FILE.html"),
		            NULL, NULL, NULL);
	else
		e = recovery_sheet_make(call, file, passphrase, sheet);
	if (call->io->json) {
		printed = init_doc(call, *sheet);
		call->printed = true;
	}
	return e != ERR_OK ? e : printed;
}

enum err cmd_init(struct command_call *call)
{
	struct secret_text *passphrase = NULL;
	struct app *app = NULL;
	const char *name = args_get(call->args, "name");
	const char *file = args_get(call->args, "recovery-sheet");
	uint32_t sheet = 0;
	enum err e = ERR_OK;

	if (app_home_exists(call->options->home))
		return err_set(call->ec, ERR_REFUSED,
		               "There is a home in %1 already. Choose another place with --home.", call->options->home,
		               NULL, NULL);
	if (name[0] == '\0' || strlen(name) > 120)
		return err_set(call->ec, ERR_INPUT, "A name has 1 to 120 characters.", NULL, NULL, NULL);
	if (file != NULL)
		e = recovery_file_check(call, file);
	if (e == ERR_OK)
		e = command_passphrase(call, true, &passphrase);
	if (e == ERR_OK)
		e = app_init(call->ec, call->options,
		             (struct bytes){ (const uint8_t *)passphrase->text, passphrase->len }, name, &app);
	app_close(app);
	if (e == ERR_OK)
		e = init_sheet(call, file, passphrase, &sheet);
	secret_text_free(passphrase);
	return e;
}

static enum err say_name(struct command_call *call, const char *key, const char *value, const char *text)
{
	struct doc *d = NULL;

	if (!call->io->json) {
		command_say(call, text, value, NULL, NULL);
		return ERR_OK;
	}
	d = doc_new();
	doc_object(d, NULL);
	doc_text(d, key, value);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

enum err cmd_neighbourhood_found(struct command_call *call)
{
	const char *name = args_pos(call->args, 0);
	char *remote = NULL;
	enum err e = remote_address(call, args_get(call->args, "remote"), &remote);

	if (e == ERR_OK)
		e = remote_host_known(call, remote);
	if (e == ERR_OK)
		e = app_found_neighbourhood(call->ec, call->app, name, remote);
	free(remote);
	return e != ERR_OK ? e
	                   : say_name(call, "neighbourhood", name, TR("The neighbourhood %1 is founded. Now sync."));
}

enum err cmd_circle_found(struct command_call *call)
{
	const char *name = args_pos(call->args, 0);
	enum err e = app_found_circle(call->ec, call->app, name);

	return e != ERR_OK ? e : say_name(call, "circle", name, TR("The circle %1 is founded."));
}

enum err cmd_circle_list(struct command_call *call)
{
	struct circle_view *list = NULL;
	struct doc *d = NULL;
	size_t n = 0;
	enum err e = app_circles(call->ec, call->app, &list, &n);

	if (e != ERR_OK)
		return e;
	if (call->io->json) {
		d = doc_new();
		doc_array(d, NULL);
		for (size_t i = 0; i < n; i++) {
			doc_object(d, NULL);
			doc_text(d, "name", list[i].name);
			doc_text(d, "neighbourhood", list[i].neighbourhood[0] == '\0' ? NULL : list[i].neighbourhood);
			doc_int(d, "members", (int64_t)list[i].members);
			doc_text(d, "state", list[i].asked ? "asked" : list[i].coming_in ? "coming_in" : "member");
			doc_end(d);
		}
		doc_end(d);
		e = doc_print(call->ec, d, call->io->out);
	} else {
		for (size_t i = 0; i < n; i++) {
			char members[24];

			snprintf(members, sizeof(members), "%zu", list[i].members);
			if (list[i].asked)
				command_say(call, TR("%1 (asked, no answer yet)"), list[i].name, NULL, NULL);
			else if (list[i].coming_in)
				command_say(call, TR("%1 (still coming in: sync again)"), list[i].name, NULL, NULL);
			else
				command_say(call, TR("%1 (members: %2) %3"), list[i].name, members,
				            list[i].neighbourhood);
		}
		if (n == 0)
			command_say(call, TR("You are not in a circle yet. Found one, or use an invitation."), NULL,
			            NULL, NULL);
	}
	app_circles_free(list, n);
	return e;
}

#define ROLES_LEN 160

/* The labels of several roles; that of a plain member only where there is no other. */
static void role_labels(const char *roles, enum lang lang, char out[static ROLES_LEN])
{
	char copy[sizeof(((struct member_view *)0)->role)];
	char *rest = NULL;
	size_t used = 0;

	snprintf(copy, sizeof(copy), "%s", roles);
	out[0] = '\0';
	for (char *one = strtok_r(copy, ", ", &rest); one != NULL; one = strtok_r(NULL, ", ", &rest)) {
		if (strcmp(one, "member") == 0 && strcmp(roles, "member") != 0)
			continue;
		if (used < ROLES_LEN)
			used += (size_t)snprintf(out + used, ROLES_LEN - used, "%s%s", used > 0 ? ", " : "",
			                         label("role", one, lang_name(lang)));
	}
}

static const char *member_status(const char *status)
{
	static const struct {
		const char *id;
		const char *text;
	} texts[] = { { "requested", TR("asks to join") },
		      { "member", "" },
		      { "resting", TR("resting") },
		      { "removed", TR("removed") } };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(texts[i].id, status) == 0)
			return texts[i].text;
	}
	return status;
}

#define NOTE_LEN 120

#define QUIET_SAID 7

/* Days since anything came from this person; -1: nothing ever did. */
static int64_t quiet_days(const struct member_view *m)
{
	int64_t days = -1;

	for (size_t i = 0; i < m->device_count; i++)
		if (m->devices[i].quiet >= 0 && (days < 0 || m->devices[i].quiet < days))
			days = m->devices[i].quiet;
	return days;
}

static bool quiet_note(int64_t days, enum lang lang, char out[static NOTE_LEN])
{
	char number[24];
	const char *args[1] = { number };
	struct buf said = { 0 };
	bool done = false;

	snprintf(number, sizeof(number), "%lld", (long long)days);
	done = lang_fill(&said, lang_tr(lang, TR("last news: %1 days ago")), args, 1) == ERR_OK;
	snprintf(out, NOTE_LEN, "%.*s", (int)said.len, said.data == NULL ? "" : (const char *)said.data);
	buf_free(&said);
	return done;
}

/* What there is to say about a member in a few words, in the reader's language. */
static void member_note(const struct member_view *m, enum lang lang, char out[static NOTE_LEN])
{
	bool asks = strcmp(m->status, "requested") == 0;
	const char *note = asks && m->me                                ? TR("you asked: read out these words")
	                   : asks && m->device                          ? TR("asks to be another device of yours")
	                   : m->me                                      ? TR("you")
	                   : m->backup[0] != '\0'                       ? TR("wants to come back, from a backup")
	                   : m->keys                                    ? TR("was away long, and asks for the keys")
	                   : m->words_changed                           ? TR("other words than you compared")
	                   : strcmp(m->status, "member") == 0 && m->met ? TR("words compared")
	                                                                : member_status(m->status);
	char devices[24];
	struct buf said = { 0 };
	const char *args[1] = { devices };

	snprintf(devices, sizeof(devices), "%zu", m->device_count);
	if (note[0] == '\0' && quiet_days(m) >= QUIET_SAID && quiet_note(quiet_days(m), lang, out))
		note = out;
	else
		snprintf(out, NOTE_LEN, "%s", note[0] == '\0' ? "" : lang_tr(lang, note));
	if (m->device_count < 2 || lang_fill(&said, lang_tr(lang, TR("%1 devices")), args, 1) != ERR_OK) {
		buf_free(&said);
		return;
	}
	snprintf(out + strlen(out), NOTE_LEN - strlen(out), "%s%.*s", note[0] == '\0' ? "" : ", ", (int)said.len,
	         (const char *)said.data);
	buf_free(&said);
}

/* The devices of somebody who has several, so that one can be named. */
static void devices_text(struct command_call *call, const struct member_view *m)
{
	const struct text t = { .out = call->io->out, .lang = call->lang };

	for (size_t i = 0; m->device_count > 1 && i < m->device_count; i++) {
		const struct member_device *d = &m->devices[i];
		const char *what = d->me                               ? TR("this device")
		                   : strcmp(d->status, "removed") == 0 ? TR("removed")
		                   : d->sheet                          ? TR("recovery sheet")
		                                                       : TR("not heard of yet");
		const char *since = d->since[0] == '\0' ? "?" : d->since; /* it goes on for another: nobody let it in */

		fputs("    ", t.out);
		text_column(&t, d->id, (int)sizeof(d->id));
		if (d->heard[0] != '\0' && !d->me && strcmp(d->status, "removed") != 0)
			text_line(&t, TR("since %1, last heard of %2"), since, d->heard, NULL);
		else
			text_line(&t, TR("since %1, %2"), since, lang_tr(call->lang, what), NULL);
	}
}

static const char *space_label(const struct member_view *m, enum lang lang)
{
	return m->own ? lang_tr(lang, TR("Mine alone")) : m->space;
}

static void members_text(struct command_call *call, const struct member_view *list, size_t n)
{
	const struct text t = { .out = call->io->out, .lang = call->lang };
	char words[SIX_WORDS_LEN];
	char roles[ROLES_LEN];
	char note[NOTE_LEN];
	int width[5] = { 0 };

	for (size_t i = 0; i < n; i++) {
		member_note(&list[i], call->lang, note);
		role_labels(list[i].role, call->lang, roles);
		const int w[5] = { text_width(list[i].id), text_width(list[i].name),
			           text_width(space_label(&list[i], call->lang)), text_width(roles), text_width(note) };
		for (size_t k = 0; k < 5; k++)
			width[k] = w[k] > width[k] ? w[k] : width[k];
	}
	for (size_t i = 0; i < n; i++) {
		member_note(&list[i], call->lang, note);
		role_labels(list[i].role, call->lang, roles);
		six_words(list[i].fingerprint, words);
		text_column(&t, list[i].id, width[0]);
		text_column(&t, list[i].name, width[1]);
		text_column(&t, space_label(&list[i], call->lang), width[2]);
		text_column(&t, roles, width[3]);
		if (width[4] > 0)
			text_column(&t, note, width[4]);
		text_line(&t, "%1", words, NULL, NULL);
		devices_text(call, &list[i]);
	}
	if (n == 0)
		command_say(call, TR("You share nothing with anybody yet. Found a circle, or use an invitation."), NULL,
		            NULL, NULL);
}

enum err cmd_member_list(struct command_call *call)
{
	struct member_view *list = NULL;
	struct doc *d = NULL;
	size_t n = 0;
	enum err e = app_members(call->ec, call->app, args_get(call->args, "space"), &list, &n);

	if (e != ERR_OK)
		return e;
	if (call->io->json) {
		d = doc_new();
		doc_array(d, NULL);
		for (size_t i = 0; i < n; i++)
			json_member(d, NULL, &list[i]);
		doc_end(d);
		e = doc_print(call->ec, d, call->io->out);
	} else {
		members_text(call, list, n);
	}
	app_members_free(list, n);
	return e;
}

enum err cmd_member_approve(struct command_call *call)
{
	char name[128] = "";
	enum err e = app_approve(call->ec, call->app, args_pos(call->args, 0), args_get(call->args, "name"), name);

	return e != ERR_OK
	           ? e
	           : say_name(call, "approved", args_pos(call->args, 0),
	                      TR("Approved. Sync now, so that the answer goes out. The other one syncs after that."));
}

enum err cmd_member_met(struct command_call *call)
{
	char name[128] = "";
	struct doc *d = NULL;
	enum err e = app_met(call->ec, call->app, args_pos(call->args, 0), name);

	if (e != ERR_OK)
		return e;
	if (!call->io->json) {
		command_say(call, TR("Noted: you compared the six words with %1."), name, NULL, NULL);
		return ERR_OK;
	}
	d = doc_new();
	doc_object(d, NULL);
	doc_text(d, "met", args_pos(call->args, 0));
	doc_text(d, "name", name);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}
