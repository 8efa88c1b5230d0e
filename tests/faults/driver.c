// SPDX-License-Identifier: EUPL-1.2
// One action on one home in a process of its own, for tests that kill it or make its disk fail. The home is opened by
// its master key, so that an action costs milliseconds; everything else is what the released program does.
//
// usage: driver HOME KEY COURIER MS ACTION...
//
// The actions are those of faults/acts.h; "ACK ..." is said once something is durable. KEY is the byte that the master
// key repeats, MS the time at which its clock starts. The exit status is that of the released program, and the sentence
// on standard error too.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults/acts.h"

static int64_t tick(void *self)
{
	return (*(int64_t *)self)++;
}

static void say(void *self, const char *what)
{
	(void)self;
	dprintf(1, "ACK %s\n", what);
}

int main(int argc, char **argv)
{
	int64_t now = argc > 5 ? strtoll(argv[4], NULL, 10) : 0;
	const struct clock clock = { tick, &now };
	const struct act_ack ack = { say, NULL, NULL };
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
		e = act(&ec, app, argv + 5, &ack);
	app_close(app);
	if (e != ERR_OK)
		fprintf(stderr, "%s\n", ec.code == ERR_OK ? "" : err_text(&ec, NULL, text, sizeof(text)));
	return err_exit_status(e);
}
