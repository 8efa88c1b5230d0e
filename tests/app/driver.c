// SPDX-License-Identifier: EUPL-1.2
// One action about backups on one home in a process of its own, for tests that kill it or make its disk fail. Homes are
// opened by their master key, so that an action costs milliseconds; everything else is what the released program does.
//
// usage: driver KEY make HOME N      a home with N conversations
//        driver KEY backup HOME FILE
//        driver KEY restore HOME FILE
//        driver KEY wipe HOME
//        driver KEY check HOME       reads all of it; says how many conversations, and "restored" where it is
//
// KEY is the byte that the master key repeats. The exit status is that of the released program, and the sentence on
// standard error too.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/backup_kit.h"
#include "app/contacts.h"
#include "app/syncing.h"
#include "app/wipe.h"
#include "base/tree.h"
#include "cli/io.h"

static enum err make(struct errctx *ec, const struct app_options *o, const uint8_t *key, int count)
{
	struct app *app = NULL;
	enum err e = tree_make(ec, o->home);

	if (e == ERR_OK)
		e = app_open_with_key(ec, o, key, true, "Noor", &app);
	for (int i = 0; e == ERR_OK && i < count; i++) {
		char text[80];
		char id[ID_TEXT_LEN];
		struct contact_fields f = { .text = text };

		snprintf(text, sizeof(text), "gesprek nummer %d over een brief van de gemeente", i);
		e = contact_add(ec, app, NULL, &f, id);
	}
	app_close(app);
	return e == ERR_OK ? kit_key_file(o->home, key) : e;
}

/* As the command does it. */
static enum err backup(struct errctx *ec, const struct app_options *o, const uint8_t *key, const char *path)
{
	struct backup_view v;
	struct io io;
	struct io_write w;
	struct app *app = NULL;
	enum err e = app_open_with_key(ec, o, key, false, NULL, &app);

	io_direct(&io, "en");
	if (e == ERR_OK)
		e = io_write_begin(&io, ec, path, IO_NEW, &w);
	if (e == ERR_OK) {
		e = app_backup(ec, app, fileno(w.file), path, &v);
		if (e == ERR_OK)
			e = io_write_commit(&io, ec, &w);
		else
			io_write_abort(&io, &w);
	}
	app_close(app);
	return e;
}

static enum err check(struct errctx *ec, const struct app_options *o, const uint8_t *key)
{
	struct contact_query q = { 0 };
	struct contact_list list = { 0 };
	struct verify_view v = { 0 };
	struct status_view s = { 0 };
	struct app *app = NULL;
	enum err e = app_open_with_key(ec, o, key, false, NULL, &app);

	if (e == ERR_OK)
		e = app_verify(ec, app, &v);
	if (e == ERR_OK)
		e = app_status(ec, app, &s);
	if (e == ERR_OK)
		e = contact_list_some(ec, app, &q, &list);
	if (e == ERR_OK)
		printf("%zu%s\n", list.n, s.restored[0] != '\0' ? " restored" : "");
	contact_list_free(&list);
	app_status_free(&s);
	app_close(app);
	return e;
}

int main(int argc, char **argv)
{
	struct app_options o = { .home = argc > 3 ? argv[3] : NULL };
	struct restored_view restored;
	struct wiped_view wiped;
	struct errctx ec = { 0 };
	uint8_t key[32];
	char text[1024];
	const char *what = argc > 3 ? argv[2] : "";
	enum err e = argc > 3 ? app_start() : ERR_USAGE;

	memset(key, argc > 3 ? atoi(argv[1]) : 0, sizeof(key));
	if (e != ERR_OK)
		return err_exit_status(e);
	if (strcmp(what, "make") == 0 && argc > 4)
		e = make(&ec, &o, key, atoi(argv[4]));
	else if (strcmp(what, "backup") == 0 && argc > 4)
		e = backup(&ec, &o, key, argv[4]);
	else if (strcmp(what, "restore") == 0 && argc > 4)
		e = kit_restore(&ec, &o, argv[4], key, &restored);
	else if (strcmp(what, "wipe") == 0)
		e = app_wipe(&ec, &o, &wiped);
	else if (strcmp(what, "check") == 0)
		e = check(&ec, &o, key);
	else
		e = ERR_USAGE;
	if (e != ERR_OK)
		fprintf(stderr, "%s\n", ec.code == ERR_OK ? "" : err_text(&ec, NULL, text, sizeof(text)));
	return err_exit_status(e);
}
