// SPDX-License-Identifier: EUPL-1.2
// From a typed command line to its exit status. Keys are in this process only while a command runs without an owner
// (V6); unlocking needs no network (V4).
#include "cli/program.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/recovery.h"
#include "app/watch.h"
#include "base/file.h"
#include "base/tr.h"
#include "cli/command.h"
#include "cli/hands.h"
#include "cli/owner.h"
#include "render/doc.h"
#include "render/text.h"

#define COURIER_NAME "sleutelbos-courier"

struct program {
	struct args args;
	struct io io;
	struct errctx ec;
	struct app_options options;
	char *home;
	char *courier;
	int argc;
	char **argv;
	const struct program_doors *doors;
	struct confinement confined;
};

/* --- where things are --- */

static char *absolute(char *path)
{
	char cwd[PATH_MAX];
	char *whole = NULL;

	if (path == NULL || path[0] == '/' || getcwd(cwd, sizeof(cwd)) == NULL)
		return path;
	whole = file_join(cwd, path);
	free(path);
	return whole;
}

/* --home, $SLEUTELBOS_HOME, $XDG_DATA_HOME/sleutelbos, ~/.local/share/sleutelbos. */
static char *home_find(const char *given)
{
	const char *env = getenv("SLEUTELBOS_HOME");
	const char *data = getenv("XDG_DATA_HOME");
	const char *user = getenv("HOME");

	if (given != NULL)
		return strdup(given);
	if (env != NULL && env[0] != '\0')
		return strdup(env);
	if (data != NULL && data[0] == '/')
		return file_join(data, "sleutelbos");
	return user != NULL && user[0] != '\0' ? file_join(user, ".local/share/sleutelbos") : NULL;
}

/* Beside this program. */
static char *courier_find(void)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash = NULL;

	if (n <= 0)
		return strdup(COURIER_NAME);
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash != NULL)
		*slash = '\0';
	return file_join(self, COURIER_NAME);
}

static enum err places_find(struct program *p)
{
	p->home = absolute(home_find(p->args.home));
	p->courier = courier_find();
	if (p->courier == NULL)
		return ERR_NO_MEMORY;
	if (p->home == NULL)
		return err_set(&p->ec, ERR_USAGE, "Say where the home is: --home DIR.", NULL, NULL, NULL);
	p->options = (struct app_options){ .home = p->home,
		                           .courier = p->courier,
		                           .agent = getenv("SSH_AUTH_SOCK"),
		                           .neighbourhood = p->args.neighbourhood };
	return ERR_OK;
}

/* On standard error, with every command on a home that was found in such a state. */
static void warn(const struct app *app, const struct io *io)
{
	struct text t = { .out = io->err, .lang = LANG_NL };
	const char *warning = app_is_open(app) ? app_warning(app) : NULL;

	if (warning == NULL)
		return;
	if (lang_parse(io->lang, &t.lang) != ERR_OK)
		t.lang = LANG_NL;
	text_line(&t, warning, NULL, NULL, NULL);
}

/* --- in the owner of an open vault --- */

struct owned {
	struct app *app;
	const struct app_options *options;
	const char *home;
	struct confinement confined;
};

int program_run_owned(struct app *app, const struct app_options *options, const struct confinement *confined, int argc,
                      char **argv, struct io *io)
{
	struct session s = { .app = app, .options = options, .program = argv[0], .confined = confined };
	struct errctx ec = { 0 };
	struct args a = { 0 };
	int status = 0;
	enum err e = args_parse(&ec, commands, argc, argv, &a);

	if (e == ERR_OK)
		e = run_io(&ec, &a, io);
	if (e == ERR_OK)
		warn(app, io);
	s.neighbourhood = a.neighbourhood;
	status = e == ERR_OK ? run_command(&s, &a, io) : run_failed(io, &ec, e);
	args_clear(&a);
	return status;
}

static int owned_run(void *ctx, int argc, char **argv, struct io *io)
{
	struct owned *o = ctx;

	return program_run_owned(o->app, o->options, &o->confined, argc, argv, io);
}

static enum err owned_open(void *ctx, struct errctx *ec, const struct secret_text *passphrase)
{
	struct owned *o = ctx;

	return app_open(ec, o->options, (struct bytes){ (const uint8_t *)passphrase->text, passphrase->len }, &o->app);
}

/* Before the passphrase comes. Files are the callers' to open. */
static enum err owned_confine(void *ctx, struct errctx *ec, const struct confine_place *spare, size_t spares)
{
	struct owned *o = ctx;
	const struct hands h = { .home = o->home, .courier = o->options->courier, .listens = true };
	enum err e = hands_start(ec, &h, NULL);

	return e == ERR_OK ? hands_confine(ec, &h, spare, spares, &o->confined) : e;
}

static bool owned_idle(void *ctx)
{
	struct owned *o = ctx;

	return app_idle_step(o->app);
}

static void owned_close(void *ctx)
{
	struct owned *o = ctx;

	if (app_is_open(o->app))
		app_sheet_note(o->app); /* one that was made meanwhile */
	app_close(o->app);
	o->app = NULL;
	hands_end();
}

/* --- unlock, lock --- */

static struct command_call call_of(struct program *p)
{
	struct command_call call = { .args = &p->args, .io = &p->io, .ec = &p->ec, .options = &p->options };

	if (lang_parse(p->io.lang, &call.lang) != ERR_OK)
		call.lang = LANG_NL;
	return call;
}

static enum err asker(void *ctx, struct errctx *ec, struct secret_text **out)
{
	struct command_call call = call_of(ctx);

	call.ec = ec;
	return command_passphrase(&call, false, out);
}

static enum err say_state(struct program *p, bool unlocked, const char *msg, const char *a1)
{
	struct command_call call = call_of(p);
	struct doc *d = NULL;

	if (!p->io.json) {
		command_say(&call, msg, a1, NULL, NULL);
		return ERR_OK;
	}
	d = doc_new();
	doc_object(d, NULL);
	doc_bool(d, "unlocked", unlocked);
	doc_end(d);
	return doc_print(&p->ec, d, p->io.out);
}

static enum err unlock(struct program *p)
{
	struct owned owned = { .options = &p->options, .home = p->home };
	struct owner_job job = { .run = owned_run,
		                 .confine = owned_confine,
		                 .open = owned_open,
		                 .close = owned_close,
		                 .idle = owned_idle,
		                 .ctx = &owned };
	struct owner_asker ask = { .ask = asker, .ctx = p };
	struct owner_limits limits = { 0 };
	const char *given = args_get(&p->args, "minutes");
	char *end = NULL;
	long minutes = strtol(given, &end, 10);
	enum err e = ERR_OK;

	if (given[0] < '0' || given[0] > '9' || *end != '\0' || minutes < 1 || minutes > OWNER_MINUTES_MAX)
		return err_set(&p->ec, ERR_USAGE, "%1 is not a number of minutes. Give 1 to 1440.", given, NULL, NULL);
	limits.idle_ms = (int)minutes * 60 * 1000;
	e = owner_spawn(&p->ec, p->home, &limits, &job, &ask);
	return e != ERR_OK ? e : say_state(p, true, TR("Open. It locks after %1 minutes without use."), given);
}

static enum err lock(struct program *p)
{
	bool was_there = false;
	enum err e = owner_stop(&p->ec, p->home, 0, &was_there);

	if (e != ERR_OK)
		return e;
	return say_state(p, false, was_there ? TR("Locked.") : TR("It was locked already."), NULL);
}

/* --- open --- */

static enum err number_of(struct program *p, const char *option, long most, int *out)
{
	const char *given = args_get(&p->args, option);
	char *end = NULL;
	long n = given == NULL ? 0 : strtol(given, &end, 10);

	*out = (int)n;
	if (given != NULL && (given[0] < '0' || given[0] > '9' || *end != '\0' || n < 1 || n > most))
		return err_set(&p->ec, ERR_USAGE, "%1 is not a number that --%2 can have.", given, option, NULL);
	return ERR_OK;
}

static enum err say_opened(struct program *p, const struct program_opened *o)
{
	struct command_call call = call_of(p);
	struct doc *d = NULL;

	if (!p->io.json) {
		if (o->opened)
			command_say(&call, TR("Sleutelbos is open in your browser."), NULL, NULL, NULL);
		else
			command_say(&call, TR("Open this file in your browser, within half a minute: file://%1"),
			            o->file, NULL, NULL);
		return ERR_OK;
	}
	d = doc_new();
	doc_object(d, NULL);
	doc_text(d, "file", o->file);
	doc_int(d, "port", o->port);
	doc_bool(d, "was_running", o->was_running);
	doc_bool(d, "browser", o->opened);
	doc_end(d);
	return doc_print(&p->ec, d, p->io.out);
}

static enum err open_web(struct program *p)
{
	struct program_open call = { .options = &p->options,
		                     .lang = p->io.lang,
		                     .browser = !args_flag(&p->args, "no-browser") };
	struct program_opened opened = { 0 };
	enum err e = number_of(p, "port", 65535, &call.port);

	if (e == ERR_OK)
		e = number_of(p, "minutes", OWNER_MINUTES_MAX, &call.minutes);
	if (e == ERR_OK)
		e = p->doors->open(&p->ec, &call, &opened);
	if (e == ERR_OK)
		e = say_opened(p, &opened);
	free(opened.file);
	return e;
}

/* --- a command on its own --- */

/* Before a passphrase is typed. What a command does to a home as a whole, it does in the folder around it. */
static enum err confine_command(struct program *p)
{
	enum command id = p->args.command->id;
	bool whole = id == CMD_INIT || id == CMD_RESTORE || id == CMD_RECOVER;
	bool fresh = id == CMD_PASSPHRASE_CHANGE || id == CMD_RECOVER;
	const struct hands h = { .home = p->home,
		                 .courier = p->courier,
		                 .passphrases = { p->args.passphrase_file,
		                                  fresh ? args_get(&p->args, "new-passphrase-file") : NULL },
		                 .keep = whole ? HANDS_AROUND : HANDS_HOME,
		                 .named = { p->argc, p->argv, id == CMD_RUN } };

	/* wipe ends an owner; demo starts this program. Neither opens what it is given. */
	if (id == CMD_WIPE || id == CMD_DEMO)
		return ERR_OK;
	return hands_begin(&p->ec, &h, &p->io, &p->confined);
}

static enum err run_opened(struct program *p, int *status)
{
	struct session s = { .options = &p->options,
		             .program = p->argv[0],
		             .neighbourhood = p->args.neighbourhood,
		             .asked_again = true,
		             .confined = &p->confined };
	struct command_call call = call_of(p);
	struct secret_text *secret = NULL;
	int claim = -1;
	/* what is to be repaired may not open; the command asks for itself */
	bool shut = p->args.command->id == CMD_VERIFY && args_flag(&p->args, "repair");
	enum err e = confine_command(p);

	if (e == ERR_OK)
		e = owner_claim(&p->ec, p->home, 60 * 1000, &claim);
	if (e == ERR_OK && shut)
		e = app_shell(&p->options, &s.app);
	if (e == ERR_OK && !shut)
		e = command_passphrase(&call, false, &secret);
	if (e == ERR_OK && !shut)
		e = app_open(&p->ec, &p->options, (struct bytes){ (const uint8_t *)secret->text, secret->len }, &s.app);
	if ((p->args.command->flags & USES_PASSPHRASE) != 0) {
		s.typed = secret;
	} else {
		secret_text_free(secret);
		secret = NULL;
	}
	if (e == ERR_OK) {
		if (!shut)
			app_watch_glance(s.app);
		warn(s.app, &p->io);
		*status = run_command(&s, &p->args, &p->io);
	}
	secret_text_free(secret);
	app_close(s.app);
	if (claim >= 0)
		close(claim);
	return e;
}

static enum err run_somewhere(struct program *p, int *status)
{
	struct session s = { .options = &p->options, .program = p->argv[0] };
	struct owner_request rq = { .home = p->home,
		                    .io = &p->io,
		                    .argc = p->argc,
		                    .argv = p->argv,
		                    .keeps_to_words = p->args.command->id != CMD_RUN };
	unsigned flags = p->args.command->flags;
	bool handled = false;
	enum err e = ERR_OK;

	if ((flags & NEEDS_HOME) != 0 && !app_home_exists(p->home))
		return err_set(&p->ec, ERR_NOT_FOUND,
		               "There is no home in %1. Make one with: sleutelbos init --name NAME", p->home, NULL,
		               NULL);
	if (p->args.command->id == CMD_UNLOCK)
		return unlock(p);
	if (p->args.command->id == CMD_LOCK)
		return lock(p);
	if (p->args.command->id == CMD_OPEN)
		return open_web(p);
	if ((flags & NEEDS_VAULT) == 0) {
		e = confine_command(p);
		if (e == ERR_OK)
			*status = run_command(&s, &p->args, &p->io);
		return e;
	}
	e = owner_call(&p->ec, &rq, status, &handled);
	return e != ERR_OK || handled ? e : run_opened(p, status);
}

int program_main(int argc, char **argv, const struct program_doors *doors)
{
	struct program p = { .argc = argc, .argv = argv, .doors = doors };
	struct session s = { .program = argc > 0 ? argv[0] : "" };
	int status = 0;
	enum err e = ERR_OK;

	io_direct(&p.io, lang_name(LANG_NL));
	e = args_parse(&p.ec, commands, argc, argv, &p.args);
	if (e == ERR_OK)
		e = run_io(&p.ec, &p.args, &p.io);
	else if (run_io(NULL, &p.args, &p.io) != ERR_OK)
		p.io.lang = lang_name(LANG_NL);
	if (e == ERR_OK && (p.args.help || p.args.command->id == CMD_HELP || p.args.command->id == CMD_VERSION)) {
		status = run_command(&s, &p.args, &p.io);
	} else if (e == ERR_OK) {
		e = places_find(&p);
		if (e == ERR_OK)
			e = run_somewhere(&p, &status);
	}
	if (e != ERR_OK)
		status = run_failed(&p.io, &p.ec, e);
	err_clear(&p.ec);
	status = io_finish(&p.io, &p.ec, status);
	if (p.ec.code != ERR_OK)
		run_failed(&p.io, &p.ec, p.ec.code);
	hands_end();
	args_clear(&p.args);
	free(p.home);
	free(p.courier);
	return status;
}
