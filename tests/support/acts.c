// SPDX-License-Identifier: EUPL-1.2
// One action on an open home, by its name.
#include "faults/acts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/contacts.h"
#include "app/services.h"
#include "app/syncing.h"
#include "cli/command.h"
#include "cli/program.h"

#define ARGS_MAX 24

static void say(const struct act_ack *ack, const char *what)
{
	ack->say(ack->self, what);
}

static enum err add(struct errctx *ec, struct app *app, char **text, const struct act_ack *ack)
{
	for (; *text != NULL; text++) {
		struct contact_fields f = { .text = *text };
		char id[ID_TEXT_LEN];
		enum err e = contact_add(ec, app, NULL, &f, id);

		if (e != ERR_OK)
			return e;
		say(ack, id);
	}
	return ERR_OK;
}

static enum err edit(struct errctx *ec, struct app *app, char **arg, const struct act_ack *ack)
{
	struct contact_query q = { 0 };
	struct contact_list list = { 0 };
	enum err e = contact_list_some(ec, app, &q, &list);

	for (; e == ERR_OK && arg[0] != NULL && arg[1] != NULL; arg += 2) {
		struct contact_fields f = { .channel = arg[1] };
		char id[ID_TEXT_LEN] = "";

		for (size_t i = 0; e == ERR_OK && i < list.n; i++)
			if (strcmp(list.item[i].text, arg[0]) == 0)
				e = contact_edit(ec, app, list.item[i].id, &f, id);
		if (e == ERR_OK && id[0] == '\0')
			e = err_set(ec, ERR_NOT_FOUND, "%1 was not found.", arg[0], NULL, NULL);
		if (e == ERR_NOT_FOUND && app->unread.code != ERR_OK)
			e = app->unread.code;
		if (e == ERR_OK)
			say(ack, id);
	}
	contact_list_free(&list);
	return e;
}

static enum err entry(struct directory_import *import, long n)
{
	struct directory_entry d = { 0 };

	if (asprintf(&d.name, "Dienst nummer %ld", n) < 0)
		d.name = NULL;
	if (asprintf(&d.source, "test:%ld", n) < 0)
		d.source = NULL;
	if (d.name != NULL && d.source != NULL)
		return directory_import_add(import, &d);
	directory_entry_clear(&d);
	return ERR_NO_MEMORY;
}

static enum err import(struct errctx *ec, struct app *app, char **arg, const struct act_ack *ack)
{
	struct directory_import import = { 0 };
	struct import_counts counts;
	enum err e = ERR_OK;

	for (long i = 1; e == ERR_OK && i <= strtol(arg[0], NULL, 10); i++)
		e = entry(&import, i);
	if (e == ERR_OK)
		e = service_import(ec, app, &import, NULL, NULL, &counts);
	if (e == ERR_OK)
		say(ack, "import");
	directory_import_clear(&import);
	return e;
}

static enum err only_open(struct errctx *ec, struct app *app, char **arg, const struct act_ack *ack)
{
	(void)ec;
	(void)app;
	(void)arg;
	say(ack, "open");
	return ERR_OK;
}

static enum err sync_home(struct errctx *ec, struct app *app, char **arg, const struct act_ack *ack)
{
	struct sync_view v;
	enum err e = app_sync(ec, app, &v);

	(void)arg;
	if (e != ERR_OK)
		return e;
	if (v.result != SYNC_DONE)
		return err_set(ec, ERR_LATER, "%1", v.why[0] == '\0' ? v.notice : v.why, NULL, NULL);
	say(ack, "sync");
	return ERR_OK;
}

static struct bytes text_bytes(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

static enum err passphrase(struct errctx *ec, struct app *app, char **arg, const struct act_ack *ack)
{
	struct app_options o = { .home = app->home, .clock = app->clock, .rng = app->rng };
	enum err e = app_change_passphrase(ec, &o, text_bytes(arg[0]), text_bytes(arg[1]));

	if (e == ERR_OK)
		say(ack, "passphrase");
	return e;
}

static enum err verify(struct errctx *ec, struct app *app, char **arg, const struct act_ack *ack)
{
	struct verify_view v;
	enum err e = app_verify(ec, app, &v);

	(void)arg;
	if (e == ERR_OK)
		say(ack, "verify");
	return e;
}

static enum err from_status(int status)
{
	static const enum err e[] = { ERR_OK,    ERR_OK,    ERR_USAGE,   ERR_LOCKED,  ERR_NOT_FOUND,
		                      ERR_INPUT, ERR_LATER, ERR_DAMAGED, ERR_REFUSED, ERR_IO };

	return status >= 0 && (size_t)status < sizeof(e) / sizeof(e[0]) ? e[status] : ERR_IO;
}

static enum err cli(struct errctx *ec, struct app *app, char **arg, const struct act_ack *ack)
{
	struct app_options o = { .home = app->home };
	struct session s = { .app = app, .options = &o, .program = "sleutelbos" };
	static char name[] = "sleutelbos";
	char *argv[ARGS_MAX + 1] = { name };
	struct args a = { 0 };
	struct io io;
	FILE *nowhere = fopen("/dev/null", "w");
	int argc = 1;
	enum err e = nowhere == NULL ? ERR_NO_MEMORY : ERR_OK;

	for (; *arg != NULL && argc < ARGS_MAX; arg++)
		argv[argc++] = *arg;
	io_direct(&io, "nl");
	io.out = ack->out != NULL ? ack->out : nowhere;
	io.err = nowhere;
	if (e == ERR_OK)
		e = args_parse(ec, commands, argc, argv, &a);
	if (e == ERR_OK)
		e = run_io(ec, &a, &io);
	if (e == ERR_OK)
		e = from_status(run_command(&s, &a, &io));
	args_clear(&a);
	if (nowhere != NULL)
		fclose(nowhere);
	if (e == ERR_OK)
		say(ack, "cli");
	return e;
}

static const struct {
	const char *name;
	enum err (*run)(struct errctx *ec, struct app *app, char **arg, const struct act_ack *ack);
} acts[] = {
	{ "add", add },        { "edit", edit },      { "import", import },
	{ "open", only_open }, { "sync", sync_home }, { "passphrase", passphrase },
	{ "verify", verify },  { "cli", cli },
};

enum err act(struct errctx *ec, struct app *app, char **arg, const struct act_ack *ack)
{
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (strcmp(acts[i].name, arg[0]) == 0) {
			enum err e = acts[i].run(ec, app, arg + 1, ack);

			return e == ERR_OK ? app_unread(ec, app) : e;
		}
	return err_set(ec, ERR_USAGE, "There is no action %1.", arg[0], NULL, NULL);
}

void act_words(char *line, char **out, size_t max)
{
	size_t n = 0;

	while (*line != '\0') {
		char end = ' ';

		while (*line == ' ')
			line++;
		if (*line == '\0')
			break;
		if (*line == '\'') {
			end = '\'';
			line++;
		}
		assert(n + 1 < max);
		out[n++] = line;
		while (*line != '\0' && *line != end)
			line++;
		if (*line != '\0')
			*line++ = '\0';
	}
	out[n] = NULL;
}
