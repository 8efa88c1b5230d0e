// SPDX-License-Identifier: EUPL-1.2
// One action on one home in a process of its own, for tests that kill it or make its disk fail. The home is opened by
// its master key, so that an action costs milliseconds; everything else is what the released program does.
//
// usage: driver HOME KEY COURIER MS add TEXT...    logs conversations; "ACK id" is said once one is durable
//        driver HOME KEY COURIER MS sync           "SENT n" is said once the sync came to its end
//
// KEY is the byte that the master key repeats, MS the time at which its clock starts. The exit status is that of the
// released program, and the sentence on standard error too.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/contacts.h"
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

static enum err sync_home(struct errctx *ec, struct app *app)
{
	struct sync_view v;
	enum err e = app_sync(ec, app, &v);

	if (e != ERR_OK)
		return e;
	if (v.result != SYNC_DONE)
		return err_set(ec, ERR_LATER, "%1", v.why[0] == '\0' ? v.notice : v.why, NULL, NULL);
	dprintf(1, "SENT %llu\n", (unsigned long long)v.sent);
	return ERR_OK;
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
		e = strcmp(argv[5], "add") == 0 ? add(&ec, app, argv + 6) : sync_home(&ec, app);
	app_close(app);
	if (e != ERR_OK)
		fprintf(stderr, "%s\n", ec.code == ERR_OK ? "" : err_text(&ec, NULL, text, sizeof(text)));
	return err_exit_status(e);
}
