// SPDX-License-Identifier: EUPL-1.2
// resident page.
#include <string.h>

#include "base/tr.h"
#include "cli/show.h"
#include "render/resident_page.h"

static enum err to_file(struct command_call *call, const struct resident_page *page, enum lang lang, const char *path)
{
	const char *end = strrchr(path, '.');
	struct io_write w = { .token = -1 };
	enum err e = io_write_begin(call->io, call->ec, path, IO_NEW, &w);

	if (e != ERR_OK)
		return e;
	resident_page_print(page, lang, end == NULL || strcmp(end, ".txt") != 0, w.file);
	e = io_write_commit(call->io, call->ec, &w);
	io_write_abort(call->io, &w);
	if (e == ERR_OK && !call->io->json)
		command_say(call,
		            TR("Written to %1. Anybody who has this file can read it: give it to the resident, and "
		               "remove it."),
		            path, NULL, NULL);
	return e;
}

enum err cmd_resident_page(struct command_call *call)
{
	const char *path = args_get(call->args, "out");
	const char *asked = args_get(call->args, "page-lang");
	struct resident_page page = { 0 };
	enum lang lang = LANG_NL;
	enum err e = resident_page(call->ec, call->app, args_pos(call->args, 0), &page);

	if (e == ERR_OK)
		lang = resident_page_lang(&page);
	if (e == ERR_OK && asked != NULL && lang_parse(asked, &lang) != ERR_OK)
		e = err_set(call->ec, ERR_USAGE, "There is no language %1. Type nl or en.", asked, NULL, NULL);
	if (e == ERR_OK && path != NULL)
		e = to_file(call, &page, lang, path);
	if (e == ERR_OK && call->io->json) {
		struct doc *d = doc_new();

		resident_page_doc(d, NULL, &page);
		e = doc_print(call->ec, d, call->io->out);
	} else if (e == ERR_OK && path == NULL) {
		resident_page_print(&page, lang, false, call->io->out);
	}
	resident_page_free(&page);
	return e;
}
