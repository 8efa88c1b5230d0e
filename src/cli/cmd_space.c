// SPDX-License-Identifier: EUPL-1.2
// Homes, neighbourhoods, circles, invitations, members, and where the repository is.
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

/* A path as the caller means it, made absolute; an address with a scheme as it is. free() it. */
static enum err remote_address(struct command_call *call, const char *typed, char **out)
{
	char link[64];
	char dir[4096];
	const char *slash = strrchr(typed, '/');
	const char *last = slash == NULL ? typed : slash + 1;
	char *parent = NULL;
	ssize_t n = 0;
	int fd = -1;
	enum err e = ERR_OK;

	*out = NULL;
	if (typed[0] == '\0')
		return err_set(call->ec, ERR_INPUT, "The address of the repository is empty.", NULL, NULL, NULL);
	if (typed[0] == '/' || strstr(typed, "://") != NULL) {
		*out = strdup(typed);
		return *out == NULL ? ERR_NO_MEMORY : ERR_OK;
	}
	parent = slash == NULL ? strdup(".") : strndup(typed, (size_t)(slash - typed));
	if (parent == NULL)
		return ERR_NO_MEMORY;
	e = io_open_dir(call->io, call->ec, parent, &fd);
	free(parent);
	if (e == ERR_NOT_FOUND)
		return ERR_LATER;
	if (e != ERR_OK)
		return e;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, dir, sizeof(dir) - 1);
	close(fd);
	if (n < 0)
		return err_errno(call->ec, errno, typed);
	dir[n] = '\0';
	*out = file_join(dir, last);
	return *out == NULL ? ERR_NO_MEMORY : ERR_OK;
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
			doc_text(d, "state", list[i].asked ? "asked" : "member");
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

static enum err invitation_write(struct command_call *call, const struct invite_view *v, const char *path)
{
	struct io_write w = { 0 };
	enum err e = io_write_begin(call->io, call->ec, path, IO_REPLACE, &w);

	if (e != ERR_OK)
		return e;
	if (fprintf(w.file, "%s\n", (const char *)v->text.data) < 0) {
		e = err_errno(call->ec, errno, path);
		io_write_abort(call->io, &w);
		return e;
	}
	return io_write_commit(call->io, call->ec, &w);
}

enum err cmd_invite(struct command_call *call)
{
	struct invite_view v;
	const char *path = args_get(call->args, "out");
	enum err e = app_invite(call->ec, call->app, args_get(call->args, "space"), args_get(call->args, "role"), &v);

	if (e != ERR_OK)
		return e;
	if (path != NULL)
		e = invitation_write(call, &v, path);
	if (e == ERR_OK && call->io->json) {
		struct doc *d = doc_new();

		doc_object(d, NULL);
		doc_text(d, "invitation", path != NULL ? NULL : (const char *)v.text.data);
		doc_text(d, "file", path);
		doc_text(d, "space", v.space);
		doc_text(d, "expires", v.expires);
		doc_end(d);
		e = doc_print(call->ec, d, call->io->out);
	} else if (e == ERR_OK) {
		if (path == NULL)
			fprintf(call->io->out, "%s\n", (const char *)v.text.data);
		command_say(call,
		            TR("This invitation to %1 works once, until %2. Give it to one person, face to face."),
		            v.space, v.expires, NULL);
	}
	buf_free(&v.text);
	return e;
}

static const char *invite_state(const char *state)
{
	return strcmp(state, "open") == 0   ? TR("open")
	       : strcmp(state, "used") == 0 ? TR("used")
	                                    : TR("no longer valid");
}

static void invites_text(struct command_call *call, const struct open_invite *list, size_t n)
{
	const struct text t = { .out = call->io->out, .lang = call->lang };
	int names = 0;
	int roles = 0;

	for (size_t i = 0; i < n; i++) {
		const int name = text_width(list[i].space);
		const int role = text_width(label("role", list[i].role, lang_name(call->lang)));

		names = name > names ? name : names;
		roles = role > roles ? role : roles;
	}
	for (size_t i = 0; i < n; i++) {
		text_column(&t, list[i].id, 0);
		text_column(&t, list[i].space, names);
		text_column(&t, label("role", list[i].role, lang_name(call->lang)), roles);
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

#define INVITATION_MAX 16384

static enum err join_invitation(struct command_call *call, const char *text, const char *from)
{
	struct buf file = { 0 };
	char space[128] = "";
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
	if (e == ERR_OK)
		e = app_join(call->ec, call->app, (const char *)file.data, file.len, space);
	buf_free(&file);
	return e != ERR_OK
	           ? e
	           : say_name(
	                 call, "asked", space,
	                 TR("You asked to join %1. Sync now, and again after the one who invited you has synced."));
}

enum err cmd_join(struct command_call *call)
{
	uint8_t fingerprint[FINGERPRINT_LEN];
	char words[SIX_WORDS_LEN];
	char *remote = NULL;
	enum err e = ERR_OK;

	if (!args_flag(call->args, "request")) {
		if (args_get(call->args, "remote") != NULL)
			return err_set(call->ec, ERR_USAGE,
			               "--remote goes with --request: an invitation names it itself.", NULL, NULL,
			               NULL);
		return join_invitation(call, args_pos(call->args, 0), args_get(call->args, "from"));
	}
	if (args_get(call->args, "remote") == NULL)
		return err_set(call->ec, ERR_USAGE, "Say where the repository is, with --remote.", NULL, NULL, NULL);
	e = remote_address(call, args_get(call->args, "remote"), &remote);
	if (e == ERR_OK)
		e = app_join_request(call->ec, call->app, remote, fingerprint);
	free(remote);
	if (e != ERR_OK)
		return e;
	six_words(fingerprint, words);
	return say_name(call, "fingerprint", words,
	                TR("Sync now. Then read these six words to a member, who approves you: %1"));
}

static void member_doc(struct doc *d, const struct member_view *m, const char *words)
{
	doc_object(d, NULL);
	doc_text(d, "id", m->id);
	doc_text(d, "name", m->name);
	doc_text(d, "space", m->space);
	doc_text(d, "role", m->role);
	doc_text(d, "status", m->status);
	doc_text(d, "fingerprint", words);
	doc_text(d, "backup", m->backup[0] == '\0' ? NULL : m->backup);
	doc_bool(d, "met", m->met);
	doc_bool(d, "me", m->me);
	doc_array(d, "devices");
	for (size_t i = 0; i < m->device_count; i++)
		doc_text(d, NULL, m->devices[i]);
	doc_end(d);
	doc_end(d);
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

/* What there is to say about a member in a word. */
static const char *member_note(const struct member_view *m)
{
	return m->me                                        ? TR("you")
	       : m->backup[0] != '\0'                       ? TR("wants to come back, from a backup")
	       : strcmp(m->status, "member") == 0 && m->met ? TR("words compared")
	                                                    : member_status(m->status);
}

static void members_text(struct command_call *call, const struct member_view *list, size_t n)
{
	const struct text t = { .out = call->io->out, .lang = call->lang };
	char words[SIX_WORDS_LEN];
	char roles[ROLES_LEN];
	int width[5] = { 0 };

	for (size_t i = 0; i < n; i++) {
		const char *note = member_note(&list[i]);

		role_labels(list[i].role, call->lang, roles);
		const int w[5] = { text_width(list[i].id), text_width(list[i].name), text_width(list[i].space),
			           text_width(roles), note[0] == '\0' ? 0 : text_width(lang_tr(call->lang, note)) };
		for (size_t k = 0; k < 5; k++)
			width[k] = w[k] > width[k] ? w[k] : width[k];
	}
	for (size_t i = 0; i < n; i++) {
		const char *note = member_note(&list[i]);

		role_labels(list[i].role, call->lang, roles);
		six_words(list[i].fingerprint, words);
		text_column(&t, list[i].id, width[0]);
		text_column(&t, list[i].name, width[1]);
		text_column(&t, list[i].space, width[2]);
		text_column(&t, roles, width[3]);
		if (width[4] > 0)
			text_column(&t, note[0] == '\0' ? "" : lang_tr(call->lang, note), width[4]);
		text_line(&t, "%1", words, NULL, NULL);
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
		for (size_t i = 0; i < n; i++) {
			char words[SIX_WORDS_LEN];

			six_words(list[i].fingerprint, words);
			member_doc(d, &list[i], words);
		}
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
	const char *id = args_pos(call->args, 0);
	enum err e = app_approve(call->ec, call->app, id, args_get(call->args, "name"));

	return e != ERR_OK ? e : say_name(call, "approved", id, TR("Approved. Sync now, so that the answer goes out."));
}

enum err cmd_member_met(struct command_call *call)
{
	const char *id = args_pos(call->args, 0);
	enum err e = app_met(call->ec, call->app, id);

	return e != ERR_OK ? e : say_name(call, "met", id, TR("Noted: you compared the six words with %1."));
}

enum err cmd_remote_show(struct command_call *call)
{
	struct remote_view v;
	struct doc *d = NULL;
	enum err e = app_remote_show(call->ec, call->app, &v);

	if (e != ERR_OK)
		return e;
	if (!call->io->json) {
		fprintf(call->io->out, "%s  %s\n", v.neighbourhood, v.url);
		return ERR_OK;
	}
	d = doc_new();
	doc_object(d, NULL);
	doc_text(d, "neighbourhood", v.neighbourhood);
	doc_text(d, "remote", v.url);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

enum err cmd_remote_set(struct command_call *call)
{
	char *remote = NULL;
	enum err e = remote_address(call, args_pos(call->args, 0), &remote);

	if (e == ERR_OK)
		e = app_remote_set(call->ec, call->app, remote);
	if (e == ERR_OK)
		e = say_name(call, "remote", remote, TR("From now on this home syncs with %1."));
	free(remote);
	return e;
}
