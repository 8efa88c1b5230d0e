// SPDX-License-Identifier: EUPL-1.2
// A backup, putting one back, and taking a home off this device.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/restore.h"
#include "app/syncing.h"
#include "app/wipe.h"
#include "base/tr.h"
#include "cli/command.h"
#include "cli/owner.h"
#include "render/doc.h"

#define CLAIM_MS (60 * 1000)

static struct bytes bytes_of(const struct secret_text *s)
{
	return (struct bytes){ (const uint8_t *)s->text, s->len };
}

static void counts_say(struct command_call *call, const struct backup_counts *c)
{
	char contacts[24];
	char edits[24];

	snprintf(contacts, sizeof(contacts), "%" PRIu64, c->contacts);
	snprintf(edits, sizeof(edits), "%" PRIu64, c->edits);
	command_say(call, TR("Conversations in it: %1. Changes in all: %2."), contacts, edits, NULL);
}

static void counts_doc(struct doc *d, const struct backup_counts *c, const char *at)
{
	doc_int(d, "contacts", (int64_t)c->contacts);
	doc_int(d, "edits", (int64_t)c->edits);
	doc_text(d, "at", at);
}

static enum err backup_print(struct command_call *call, const char *path, const struct backup_view *v)
{
	struct doc *d = NULL;

	if (!call->io->json) {
		command_say(call, TR("The backup is saved in %1. It was read back and is whole."), path, NULL, NULL);
		counts_say(call, &v->holds);
		command_say(call,
		            TR("It opens with today's passphrase, also after you change that. Whoever finds the file "
		               "can guess at it for as long as they like."),
		            NULL, NULL, NULL);
		return ERR_OK;
	}
	d = doc_new();
	doc_object(d, NULL);
	doc_text(d, "file", path);
	doc_int(d, "bytes", (int64_t)v->bytes);
	counts_doc(d, &v->holds, v->at);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

/* The file has no name, or none that anybody looks at, before all of it is whole. */
enum err cmd_backup(struct command_call *call)
{
	const char *path = args_pos(call->args, 0);
	struct backup_view view;
	struct io_write w;
	enum err e = ERR_OK;

	if (strcmp(path, "-") == 0)
		return err_set(call->ec, ERR_USAGE, "A backup is read back before it counts. Give the name of a file.",
		               NULL, NULL, NULL);
	e = io_write_begin(call->io, call->ec, path, IO_NEW, &w);
	if (e == ERR_OK)
		e = app_backup(call->ec, call->app, fileno(w.file), path, &view);
	if (e == ERR_OK)
		e = io_write_commit(call->io, call->ec, &w);
	else
		io_write_abort(call->io, &w);
	return e == ERR_OK ? backup_print(call, path, &view) : e;
}

static enum err restored_print(struct command_call *call, const struct restored_view *v)
{
	struct doc *d = NULL;

	if (!call->io->json) {
		char at[32];

		snprintf(at, sizeof(at), "%.10s %.5s UTC", v->at, strlen(v->at) > 11 ? v->at + 11 : "");
		command_say(call, TR("Restored in %1, as it was on %2. It opens with the passphrase of that day."),
		            call->options->home, at, NULL);
		counts_say(call, &v->holds);
		command_say(call,
		            TR("You can read and write here, but not sync. To come back among the others, type: "
		               "sleutelbos rejoin"),
		            NULL, NULL, NULL);
		return ERR_OK;
	}
	d = doc_new();
	doc_object(d, NULL);
	doc_text(d, "home", call->options->home);
	counts_doc(d, &v->holds, v->at);
	doc_bool(d, "restored", true);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

enum err cmd_restore(struct command_call *call)
{
	const char *path = args_pos(call->args, 0);
	struct secret_text *passphrase = NULL;
	struct restoring *r = NULL;
	struct restored_view view;
	int fd = -1;
	enum err e = io_open_read(call->io, call->ec, path, &fd);

	if (e == ERR_OK)
		e = app_restore_begin(call->ec, call->options, fd, path, &r);
	if (e == ERR_OK)
		e = command_passphrase(call, false, &passphrase);
	if (e == ERR_OK)
		e = app_restore_finish(call->ec, r, bytes_of(passphrase), &view);
	secret_text_free(passphrase);
	app_restore_free(r);
	if (fd >= 0)
		close(fd);
	return e == ERR_OK ? restored_print(call, &view) : e;
}

/* --- wipe --- */

/* How much no other replica has. A vault that does not open cannot tell; then only --unsent-too goes on. */
static enum err wipe_unsent(struct command_call *call, struct bytes passphrase, bool unsent_too, uint64_t *unsent)
{
	struct status_view s = { 0 };
	struct errctx why = { 0 };
	struct app *app = NULL;
	enum err e = app_open(&why, call->options, passphrase, &app);

	*unsent = 0;
	if (e == ERR_OK)
		e = app_status(&why, app, &s);
	if (e == ERR_OK)
		*unsent = s.unsent;
	app_status_free(&s);
	app_close(app);
	if (e == ERR_DAMAGED && unsent_too)
		return ERR_OK;
	if (e != ERR_OK)
		*call->ec = why;
	return e;
}

static enum err wipe_allowed(struct command_call *call, struct bytes passphrase, uint64_t *unsent)
{
	bool unsent_too = args_flag(call->args, "unsent-too");
	char n[24];
	enum err e = wipe_unsent(call, passphrase, unsent_too, unsent);

	if (e != ERR_OK || *unsent == 0 || unsent_too)
		return e;
	snprintf(n, sizeof(n), "%" PRIu64, *unsent);
	return err_set(call->ec, ERR_REFUSED,
	               "Changes that are only here, because they were not sent: %1. Sync first, or make a backup: "
	               "sleutelbos backup FILE. To wipe them too, add --unsent-too. Nothing was wiped.",
	               n, NULL, NULL);
}

static enum err wipe_print(struct command_call *call, uint64_t unsent, const struct wiped_view *v)
{
	struct doc *d = NULL;
	char n[24];

	if (!call->io->json) {
		snprintf(n, sizeof(n), "%" PRIu64, v->files_left);
		command_say(call,
		            TR("This home is wiped from this device. Backups and copies of it still open with their "
		               "passphrase."),
		            NULL, NULL, NULL);
		if (v->files_left > 0)
			command_say(call, TR("Left in %1, because it is not of this program: %2."), call->options->home,
			            n, NULL);
		return ERR_OK;
	}
	d = doc_new();
	doc_object(d, NULL);
	doc_text(d, "home", call->options->home);
	doc_bool(d, "wiped", true);
	doc_int(d, "unsent", (int64_t)unsent);
	doc_int(d, "files_left", (int64_t)v->files_left);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

/* The passphrase first: who does not have it does not even lock the home. */
static enum err wipe_begin(struct command_call *call, uint64_t *unsent, int *claim)
{
	const char *home = call->options->home;
	struct secret_text *passphrase = NULL;
	bool was_there = false;
	enum err e = command_passphrase(call, false, &passphrase);

	if (e == ERR_OK)
		e = app_wipe_check(call->ec, home, bytes_of(passphrase));
	if (e == ERR_OK)
		e = owner_stop(call->ec, home, 0, &was_there);
	if (e == ERR_OK)
		e = owner_claim(call->ec, home, CLAIM_MS, claim);
	if (e == ERR_OK)
		e = wipe_allowed(call, bytes_of(passphrase), unsent);
	secret_text_free(passphrase);
	return e;
}

enum err cmd_wipe(struct command_call *call)
{
	const char *home = call->options->home;
	struct wiped_view view;
	uint64_t unsent = 0;
	int claim = -1;
	enum err e = ERR_OK;

	if (!args_flag(call->args, "yes"))
		return err_set(call->ec, ERR_USAGE,
		               "This removes the home in %1 from this device, for good. To do that, type it in full: "
		               "sleutelbos wipe --yes",
		               home, NULL, NULL);
	if (app_home_exists(home))
		e = wipe_begin(call, &unsent, &claim);
	else if (!app_wipe_begun(home))
		e = err_set(call->ec, ERR_NOT_FOUND, "There is no home in %1, so there is nothing to wipe.", home, NULL,
		            NULL);
	if (e == ERR_OK)
		e = app_wipe(call->ec, call->options, &view);
	if (claim >= 0)
		close(claim);
	return e == ERR_OK ? wipe_print(call, unsent, &view) : e;
}
