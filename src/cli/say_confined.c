// SPDX-License-Identifier: EUPL-1.2
// How each process is confined on this computer: what is active and, in the same breath, what is not.
#include "cli/say_confined.h"

#include <inttypes.h>
#include <stdio.h>

#include "app/confined.h"
#include "base/tr.h"

static bool courier_asked(struct command_call *call, struct confinement *out)
{
	return app_courier_confined(NULL, call->app, out) == ERR_OK && (out->privileges || out->unseen);
}

static void one_doc(struct doc *d, const char *process, bool keys, const struct confinement *c)
{
	doc_object(d, NULL);
	doc_text(d, "process", process);
	doc_bool(d, "keys", keys);
	if (c->files == 0)
		doc_null(d, "landlock");
	else
		doc_int(d, "landlock", (int64_t)c->files);
	doc_bool(d, "files", c->files != 0);
	doc_bool(d, "ports", c->ports);
	doc_bool(d, "signals", c->scoped);
	doc_bool(d, "calls", c->calls);
	doc_bool(d, "privileges", c->privileges);
	doc_bool(d, "unseen", c->unseen);
	if (c->memory == 0)
		doc_null(d, "memory_mib");
	else
		doc_int(d, "memory_mib", (int64_t)(c->memory >> 20));
	doc_end(d);
}

void confined_doc(struct command_call *call, struct doc *d)
{
	struct confinement none = { 0 };
	struct confinement starter = { .unseen = true }; /* as every process of this program */
	struct confinement courier = { 0 };

	(void)courier_asked(call, &courier);
	doc_array(d, "confinement");
	one_doc(d, call->io->handed_over ? "owner" : "command", true, call->confined != NULL ? call->confined : &none);
	one_doc(d, "starter", false, &starter);
	one_doc(d, "courier", false, &courier);
	doc_end(d);
}

static void say_keys(struct command_call *call, const struct confinement *c)
{
	if (c->files != 0 && c->calls)
		command_say(call,
		            TR("The process with the keys is confined: this home, no network, no other programs."),
		            NULL, NULL, NULL);
	if (c->files == 0)
		command_say(call,
		            TR("The process with the keys can reach files outside this home: the system of this "
		               "computer lacks Landlock."),
		            NULL, NULL, NULL);
	if (!c->calls)
		command_say(call,
		            TR("The process with the keys can use the network and other programs: the system of this "
		               "computer lacks seccomp."),
		            NULL, NULL, NULL);
}

static void say_courier(struct command_call *call, const struct confinement *c)
{
	char mib[24];

	snprintf(mib, sizeof(mib), "%" PRIu64, c->memory >> 20);
	if (c->files != 0 && c->calls && c->memory != 0)
		command_say(
		    call,
		    TR("The courier is confined: what it exchanges, no other programs, at most %1 MiB of memory."), mib,
		    NULL, NULL);
	if (c->files == 0)
		command_say(call,
		            TR("The courier, which talks to the repository, can reach all your files: the system of "
		               "this computer lacks Landlock."),
		            NULL, NULL, NULL);
	if (!c->calls)
		command_say(call,
		            TR("The courier, which talks to the repository, can start other programs: the system of "
		               "this computer lacks seccomp."),
		            NULL, NULL, NULL);
	if (c->memory == 0)
		command_say(call, TR("The memory of the courier is not limited."), NULL, NULL, NULL);
}

void confined_say(struct command_call *call)
{
	struct confinement none = { 0 };
	struct confinement courier = { 0 };

	say_keys(call, call->confined != NULL ? call->confined : &none);
	if (courier_asked(call, &courier))
		say_courier(call, &courier);
	else
		command_say(call, TR("The courier could not be asked how it is confined."), NULL, NULL, NULL);
}
