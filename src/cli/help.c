// SPDX-License-Identifier: EUPL-1.2
// What can be typed.
#include <string.h>

#include "base/tr.h"
#include "cli/commands.h"
#include "cli/program.h"
#include "render/doc.h"
#include "render/text.h"

#define VERSION "0.1.0"

int version_print(struct io *io)
{
	struct errctx ec = { 0 };
	struct doc *d = NULL;

	if (!io->json) {
		fprintf(io->out, "sleutelbos %s\n", VERSION);
		return 0;
	}
	d = doc_new();
	doc_object(d, NULL);
	doc_text(d, "name", "sleutelbos");
	doc_text(d, "version", VERSION);
	doc_end(d);
	return err_exit_status(doc_print(&ec, d, io->out));
}

/* Commands of which the words begin with what was asked. */
static bool asked_for(const struct args *a, const struct arg_command *c)
{
	const char *w1 = a->command->id == CMD_HELP ? args_pos(a, 0) : a->command->word1;
	const char *w2 = a->command->id == CMD_HELP ? (w1 == NULL ? NULL : args_pos(a, 1)) : a->command->word2;

	if (w1 == NULL)
		return true;
	return strcmp(c->word1, w1) == 0 && (w2 == NULL || (c->word2 != NULL && strcmp(c->word2, w2) == 0));
}

int help_print(const struct args *a, struct io *io)
{
	struct text t = { .out = io->json ? io->err : io->out, .lang = LANG_NL };
	struct doc *d = io->json ? doc_new() : NULL;
	struct errctx ec = { 0 };
	bool any = false;
	enum err e = ERR_OK;

	if (lang_parse(io->lang, &t.lang) != ERR_OK)
		t.lang = LANG_NL;
	doc_array(d, NULL);
	for (const struct arg_command *c = commands; c->word1 != NULL && e == ERR_OK; c++) {
		struct buf line = { 0 };

		if (!asked_for(a, c))
			continue;
		e = args_usage(c, &line);
		if (e == ERR_OK)
			e = buf_terminate(&line);
		if (e == ERR_OK && !any && !io->json)
			text_line(&t, TR("How to write it:"), NULL, NULL, NULL);
		if (e == ERR_OK && io->json)
			doc_text(d, NULL, (const char *)line.data);
		else if (e == ERR_OK)
			fprintf(io->out, "  sleutelbos %s\n", (const char *)line.data);
		any = true;
		buf_free(&line);
	}
	doc_end(d);
	if (!any) {
		doc_free(d);
		return run_failed(io, &ec,
		                  err_set(&ec, ERR_NOT_FOUND, "There is no command %1. Type: sleutelbos help",
		                          args_pos(a, 0), NULL, NULL));
	}
	if (io->json)
		return err_exit_status(e == ERR_OK ? doc_print(&ec, d, io->out) : e);
	text_line(&t,
	          TR("Everywhere: --home DIR, --neighbourhood NAME, --lang nl or en, --json, --quiet, "
	             "--passphrase-file FILE."),
	          NULL, NULL, NULL);
	return err_exit_status(e);
}
