// SPDX-License-Identifier: EUPL-1.2
// One file with what is shared, out and in: for a stick, a mail, or two laptops at one table.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/bundle.h"
#include "base/tr.h"
#include "cli/command.h"
#include "cli/say_noticed.h"
#include "render/doc.h"

static void number(uint64_t n, char out[static 24])
{
	snprintf(out, 24, "%" PRIu64, n);
}

static enum err export_print(struct command_call *call, const char *path, const struct bundle_made *made)
{
	struct doc *d = NULL;
	char n[24];

	if (!call->io->json) {
		command_say(call,
		            TR("The bundle is in %1. Who is in the same circles can take it in: bundle import FILE."),
		            path, NULL, NULL);
		number(made->unsent, n);
		if (made->unsent > 0)
			command_say(call, TR("It does not count as sent. Not sent yet: %1."), n, NULL, NULL);
		return ERR_OK;
	}
	d = doc_new();
	doc_object(d, NULL);
	doc_text(d, "file", path);
	doc_int(d, "bytes", (int64_t)made->bytes);
	doc_int(d, "parts", (int64_t)made->parts);
	doc_int(d, "unsent", (int64_t)made->unsent);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

enum err cmd_bundle_export(struct command_call *call)
{
	const char *path = args_pos(call->args, 0);
	struct bundle_made made;
	struct io_write w;
	enum err e = ERR_OK;

	if (strcmp(path, "-") == 0)
		return err_set(call->ec, ERR_USAGE, "A bundle is a file. Give the name of one.", NULL, NULL, NULL);
	e = io_write_begin(call->io, call->ec, path, IO_REPLACE, &w);
	if (e == ERR_OK)
		e = app_bundle_export(call->ec, call->app, args_get(call->args, "space"), w.file, &made);
	if (e == ERR_OK)
		e = io_write_commit(call->io, call->ec, &w);
	else
		io_write_abort(call->io, &w);
	return e == ERR_OK ? export_print(call, path, &made) : e;
}

static enum err import_doc(struct command_call *call, const struct bundle_taken *t)
{
	struct doc *d = doc_new();

	doc_object(d, NULL);
	doc_int(d, "received", (int64_t)t->v.received);
	doc_int(d, "new", (int64_t)t->v.fresh);
	doc_int(d, "changed", (int64_t)t->v.changed);
	doc_int(d, "two_versions", (int64_t)t->v.two_versions);
	doc_int(d, "set_aside", (int64_t)t->v.set_aside);
	doc_int(d, "joined", (int64_t)t->v.joined);
	doc_int(d, "admitted", (int64_t)t->v.admitted);
	doc_int(d, "asking", (int64_t)t->v.asking);
	doc_int(d, "parts", (int64_t)t->parts);
	doc_int(d, "damaged", (int64_t)t->damaged);
	doc_bool(d, "cut", t->cut);
	doc_text(d, "notice", t->v.notice[0] == '\0' ? NULL : lang_tr(call->lang, t->v.notice));
	noticed_doc(call, d, t->v.began_ms);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

static void import_text(struct command_call *call, const struct bundle_taken *t)
{
	char a[24];
	char b[24];

	number(t->v.fresh, a);
	number(t->v.changed, b);
	command_say(call, TR("New here: %1. Changed here: %2."), a, b, NULL);
	number(t->v.admitted, a);
	if (t->v.admitted > 0)
		command_say(
		    call,
		    TR("People you let in: %1. Give them a bundle of yours, or sync, so that they get the answer."), a,
		    NULL, NULL);
	number(t->v.asking, a);
	if (t->v.asking > 0)
		command_say(call,
		            lang_plural(call->lang, t->v.asking,
		                        "1 asks to be let in. Compare the six words of member list. Then type: member "
		                        "approve ID",
		                        "%1 ask to be let in. Compare the six words of member list. Then type: member "
		                        "approve ID"),
		            a, NULL, NULL);
	if (t->v.joined > 0)
		command_say(call, TR("You have joined."), NULL, NULL, NULL);
	number(t->v.two_versions, a);
	if (t->v.two_versions > 0)
		command_say(call,
		            lang_plural(call->lang, t->v.two_versions,
		                        "1 field has two versions. Look with: versions list.",
		                        "%1 fields have two versions. Look with: versions list."),
		            a, NULL, NULL);
	number(t->v.set_aside, a);
	if (t->v.set_aside > 0)
		command_say(call, TR("Set aside, because it does not verify: %1. See status."), a, NULL, NULL);
	if (t->foreign)
		command_say(call, TR("Nothing in this bundle is for this home."), NULL, NULL, NULL);
	if (t->v.notice[0] != '\0')
		command_say(call, t->v.notice, NULL, NULL, NULL);
}

enum err cmd_bundle_import(struct command_call *call)
{
	const char *path = args_pos(call->args, 0);
	struct bundle_taken t = { 0 };
	char damaged[24];
	int fd = -1;
	enum err e = io_open_read(call->io, call->ec, path, &fd);

	if (e != ERR_OK)
		return e;
	e = app_bundle_import(call->ec, call->app, fd, path, &t);
	close(fd);
	if (e != ERR_OK)
		return e;
	if (call->io->json) {
		e = import_doc(call, &t);
	} else {
		import_text(call, &t);
		noticed_say(call, t.v.began_ms);
	}
	call->printed = true;
	number(t.damaged, damaged);
	if (e == ERR_OK && t.cut)
		return err_set(
		    call->ec, ERR_DAMAGED,
		    "%1 ends before its end. What came before that was taken in; nothing is lost. Ask for the "
		    "bundle again.",
		    path, NULL, NULL);
	if (e == ERR_OK && t.damaged > 0)
		return err_set(
		    call->ec, ERR_DAMAGED,
		    "Parts of %1 are damaged: %2. The others were taken in; nothing is lost. Ask for the bundle "
		    "again.",
		    path, damaged, NULL);
	call->look = t.v.two_versions > 0 || t.v.set_aside > 0 || t.v.asking > 0 || t.worlds;
	return e;
}
