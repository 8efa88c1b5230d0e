// SPDX-License-Identifier: EUPL-1.2
// One action on one home in a process of its own, for tests that kill it or make its disk fail. The home is opened by
// its master key, so that an action costs milliseconds; everything else is what the released program does.
//
// usage: driver HOME KEY COURIER MS ACTION...
//   add TEXT...               logs conversations
//   edit TEXT CHANNEL ...     gives the conversations of these texts another channel
//   import N                  takes N entries into the directory, in one transaction
//   open                      only opens, which brings an older home up to date
//   sync                      "SENT n" is said once the sync came to its end
//
// "ACK ..." is said once one of these is durable. KEY is the byte that the master key repeats, MS the time at which its
// clock starts. The exit status is that of the released program, and the sentence on standard error too.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/contacts.h"
#include "app/services.h"
#include "app/session.h"
#include "app/syncing.h"

static int64_t tick(void *self)
{
	return (*(int64_t *)self)++;
}

static enum err add(struct errctx *ec, struct app *app, char **text)
{
	for (; *text != NULL; text++) {
		struct contact_fields f = { .text = *text };
		char id[ID_TEXT_LEN];
		enum err e = contact_add(ec, app, NULL, &f, id);

		if (e != ERR_OK)
			return e;
		dprintf(1, "ACK %s\n", id);
	}
	return ERR_OK;
}

static enum err edit(struct errctx *ec, struct app *app, char **arg)
{
	struct contact_query q = { 0 };
	struct contact_list list = { 0 };
	enum err e = contact_list_some(ec, app, &q, &list);

	for (; e == ERR_OK && arg[0] != NULL && arg[1] != NULL; arg += 2) {
		struct contact_fields f = { .channel = arg[1] };
		char id[ID_TEXT_LEN];

		for (size_t i = 0; e == ERR_OK && i < list.n; i++)
			if (strcmp(list.item[i].text, arg[0]) == 0)
				e = contact_edit(ec, app, list.item[i].id, &f, id);
		if (e == ERR_OK)
			dprintf(1, "ACK %s %s\n", id, arg[1]);
	}
	contact_list_free(&list);
	return e;
}

static enum err entry(struct directory_import *import, long n)
{
	struct directory_entry d = { 0 };

	if (asprintf(&d.name, "Dienst nummer %ld", n) < 0 || asprintf(&d.source, "test:%ld", n) < 0 ||
	    asprintf(&d.description, "Hulp bij formulieren en brieven, loket %ld", n) < 0)
		return ERR_NO_MEMORY;
	return directory_import_add(import, &d);
}

static enum err import(struct errctx *ec, struct app *app, char **arg)
{
	struct directory_import import = { 0 };
	struct import_counts counts;
	enum err e = ERR_OK;

	for (long i = 1; e == ERR_OK && i <= strtol(arg[0], NULL, 10); i++)
		e = entry(&import, i);
	if (e == ERR_OK)
		e = service_import(ec, app, &import, NULL, NULL, &counts);
	if (e == ERR_OK)
		dprintf(1, "ACK %zu\n", counts.added);
	directory_import_clear(&import);
	return e;
}

static enum err only_open(struct errctx *ec, struct app *app, char **arg)
{
	(void)ec;
	(void)app;
	(void)arg;
	dprintf(1, "ACK open\n");
	return ERR_OK;
}

static enum err sync_home(struct errctx *ec, struct app *app, char **arg)
{
	struct sync_view v;
	enum err e = app_sync(ec, app, &v);

	(void)arg;
	if (e != ERR_OK)
		return e;
	if (v.result != SYNC_DONE)
		return err_set(ec, ERR_LATER, "%1", v.why[0] == '\0' ? v.notice : v.why, NULL, NULL);
	dprintf(1, "SENT %llu\n", (unsigned long long)v.sent);
	return ERR_OK;
}

static const struct {
	const char *name;
	enum err (*run)(struct errctx *ec, struct app *app, char **arg);
} actions[] = {
	{ "add", add }, { "edit", edit }, { "import", import }, { "open", only_open }, { "sync", sync_home },
};

static enum err act(struct errctx *ec, struct app *app, char **arg)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(actions[i].name, arg[0]) == 0)
			return actions[i].run(ec, app, arg + 1);
	return err_set(ec, ERR_USAGE, "There is no action %1.", arg[0], NULL, NULL);
}

int main(int argc, char **argv)
{
	int64_t now = argc > 5 ? strtoll(argv[4], NULL, 10) : 0;
	const struct clock clock = { tick, &now };
	struct app_options o = { .clock = &clock };
	struct app *app = NULL;
	struct errctx ec = { 0 };
	uint8_t master[32];
	char text[1024];
	enum err e = ERR_USAGE;

	if (argc > 5) {
		o.home = argv[1];
		o.courier = argv[3];
		memset(master, atoi(argv[2]), sizeof(master));
		e = app_start();
	}
	if (e == ERR_OK)
		e = app_open_with_key(&ec, &o, master, false, NULL, &app);
	if (e == ERR_OK)
		e = act(&ec, app, argv + 5);
	app_close(app);
	if (e != ERR_OK)
		fprintf(stderr, "%s\n", ec.code == ERR_OK ? "" : err_text(&ec, NULL, text, sizeof(text)));
	return err_exit_status(e);
}
