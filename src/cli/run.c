// SPDX-License-Identifier: EUPL-1.2
// Runs commands on an open home: one, or one a line.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/unlocking.h"
#include "base/tr.h"
#include "cli/command.h"
#include "cli/passphrase.h"
#include "cli/program.h"
#include "render/doc.h"
#include "render/text.h"

static enum lang lang_of(const struct io *io)
{
	enum lang lang = LANG_NL;

	if (lang_parse(io->lang, &lang) != ERR_OK)
		return LANG_NL;
	return lang;
}

enum err run_io(struct errctx *ec, const struct args *a, struct io *io)
{
	enum lang lang = LANG_NL;

	io->json = io->json || a->json;
	io->quiet = io->quiet || a->quiet;
	if (a->lang == NULL)
		return ERR_OK;
	if (lang_parse(a->lang, &lang) != ERR_OK)
		return err_set(ec, ERR_USAGE, "The language %1 is not here. Choose nl, en, ar or tr.", a->lang, NULL,
		               NULL);
	io->lang = lang_name(lang);
	return ERR_OK;
}

/* What an error says where nobody gave it a text. */
static const char *bare_text(enum err e)
{
	switch (e) {
	case ERR_NOT_FOUND:
		return TR("It was not found.");
	case ERR_NO_MEMORY:
		return TR("There is not enough memory. Close other programs and try again.");
	case ERR_DAMAGED:
		return TR("Something here is damaged. Look with: sleutelbos verify");
	default:
		return TR("It did not work.");
	}
}

/* What is said of a remote has a sentence of the courier among its values. */
static void tr_args(struct errctx *ec, enum lang lang)
{
	for (int i = 0; i < ERR_ARGS; i++) {
		struct buf said = { 0 };

		if (ec->arg[i][0] != '\0' && lang_tr_filled(&said, lang, ec->arg[i]) == ERR_OK &&
		    buf_terminate(&said) == ERR_OK)
			snprintf(ec->arg[i], sizeof(ec->arg[i]), "%s", (const char *)said.data);
		buf_free(&said);
	}
}

int run_failed(struct io *io, const struct errctx *ec, enum err e)
{
	struct errctx said = *ec;
	enum lang lang = lang_of(io);
	char text[4 * ERR_ARG_LEN + 1024];
	struct text t = { .out = io->err, .lang = lang };
	int status = err_exit_status(e);

	if (e == ERR_LATER)
		tr_args(&said, lang);
	err_text(&said, lang_tr(lang, ec->msg != NULL ? ec->msg : bare_text(e)), text, sizeof(text));
	text_typed(&t, text, 0);
	fputc('\n', io->err);
	if (io->json) {
		struct doc *d = doc_new();
		struct errctx ignored = { 0 };

		doc_object(d, NULL);
		doc_object(d, "error");
		doc_int(d, "exit", status);
		doc_text(d, "message", text);
		doc_end(d);
		doc_end(d);
		if (doc_print(&ignored, d, io->out) != ERR_OK)
			status = status == 0 ? 9 : status;
	}
	fflush(io->err);
	return status;
}

void command_say(struct command_call *call, const char *msg, const char *a1, const char *a2, const char *a3)
{
	struct text t = { .out = call->io->out, .lang = call->lang };

	if (!call->io->json && !call->io->quiet)
		text_line(&t, msg, a1, a2, a3);
}

enum err command_passphrase(struct command_call *call, bool fresh, struct secret_text **out)
{
	const struct passphrase_ask ask = {
		.file = call->args->passphrase_file,
		.fd = call->args->passphrase_fd,
		.prompt = lang_tr(call->lang, fresh ? "Choose a long passphrase of a few words: " : "Passphrase: "),
		.again = fresh ? lang_tr(call->lang, "The same once more: ") : NULL,
	};

	return passphrase_read(call->io, call->ec, &ask, out);
}

enum err command_new_passphrase(struct command_call *call, const char *file, struct secret_text **out)
{
	const struct passphrase_ask ask = {
		.file = file,
		.prompt = lang_tr(call->lang, TR("Choose a long passphrase of a few words: ")),
		.again = lang_tr(call->lang, TR("The same once more: ")),
	};

	return passphrase_read(call->io, call->ec, &ask, out);
}

enum err command_line(struct command_call *call, const char *prompt, bool cleared, struct secret_text **out)
{
	const struct passphrase_ask ask = { .prompt = prompt, .look = cleared ? TYPED_CLEARED : TYPED_SHOWN };

	return passphrase_read(call->io, call->ec, &ask, out);
}

/* For commands that let others in: the owner of an open vault asks again, once for a whole `run`. */
static enum err ask_again(struct session *s, struct command_call *call)
{
	struct secret_text *secret = NULL;
	enum err e = ERR_OK;

	if (!call->io->handed_over || s->asked_again || (call->args->command->flags & ASKS_AGAIN) == 0)
		return ERR_OK;
	e = command_passphrase(call, false, &secret);
	if (e == ERR_OK)
		e = app_passphrase_check(call->ec, s->app,
		                         (struct bytes){ (const uint8_t *)secret->text, secret->len });
	secret_text_free(secret);
	s->asked_again = e == ERR_OK;
	return e;
}

/* A vault that was replaced and could not be opened again: nothing more can be done with this session, but for a
 * repair, which needs no open vault. */
static enum err lost_check(const struct session *s, const struct args *a, struct errctx *ec)
{
	bool repair = a->command->id == CMD_VERIFY && args_flag(a, "repair");

	if (s->app == NULL || app_is_open(s->app) || repair)
		return ERR_OK;
	return err_set(ec, ERR_IO,
	               "The vault was closed, because the disk failed while it was replaced. Check the disk. Then lock "
	               "and unlock.",
	               NULL, NULL, NULL);
}

/* The passphrase itself, for those that need it. *own is the caller's to free. */
static enum err passphrase_give(const struct session *s, struct command_call *call, struct secret_text **own)
{
	if ((call->args->command->flags & USES_PASSPHRASE) == 0)
		return ERR_OK;
	if (s->typed == NULL) {
		enum err e = command_passphrase(call, false, own);

		if (e != ERR_OK)
			return e;
	}
	call->passphrase = s->typed != NULL ? s->typed : *own;
	return ERR_OK;
}

/* What could not be read on the way, and was left out of what was printed, makes a command fail all the same. */
static enum err handled(const struct session *s, struct command_call *call, command_fn handler)
{
	enum err e = handler(call);

	if (s->app == NULL)
		return e;
	if (e != ERR_OK) {
		(void)!app_unread(NULL, s->app);
		return e;
	}
	e = app_unread(call->ec, s->app);
	call->printed = e != ERR_OK;
	return e;
}

int run_command(struct session *s, const struct args *a, struct io *io)
{
	struct errctx ec = { 0 };
	struct command_call call = { .app = s->app,
		                     .args = a,
		                     .io = io,
		                     .ec = &ec,
		                     .lang = lang_of(io),
		                     .options = s->options,
		                     .confined = s->confined };
	command_fn handler = command_handler(a->command->id);
	const char *neighbourhood = a->neighbourhood != NULL ? a->neighbourhood : s->neighbourhood;
	struct secret_text *own = NULL;
	enum err e = ERR_OK;

	if (a->help || a->command->id == CMD_HELP)
		return help_print(a, io);
	if (a->command->id == CMD_VERSION)
		return version_print(io);
	if (a->command->id == CMD_RUN)
		return run_lines(s, a, io);
	if (handler == NULL)
		e = err_set(&ec, ERR_USAGE, "This command cannot be used here.", NULL, NULL, NULL);
	if (e == ERR_OK)
		e = lost_check(s, a, &ec);
	if (e == ERR_OK && s->app != NULL)
		e = app_choose_neighbourhood(s->app, neighbourhood);
	if (e == ERR_OK && s->app != NULL)
		e = ask_again(s, &call);
	if (e == ERR_OK)
		e = passphrase_give(s, &call, &own);
	if (e == ERR_OK)
		e = handled(s, &call, handler);
	secret_text_free(own);
	if (e != ERR_OK) {
		struct io told = *io;

		told.json = io->json && !call.printed;
		return run_failed(&told, &ec, e);
	}
	return call.look && (a->command->flags & PERSON_MAY_LOOK) != 0 ? 1 : 0;
}

/* One line of `run`. */
static int run_line(struct session *s, const struct args_place *at, const char *text, const struct io *whole)
{
	struct io io = *whole;
	struct args_line line = { 0 };
	struct args a = { 0 };
	struct errctx ec = { 0 };
	int status = 0;
	enum err e = args_split(&ec, at, text, &line);

	if (e == ERR_OK && line.argc > 1) {
		e = args_parse(&ec, commands, line.argc, line.argv, &a);
		if (e == ERR_OK)
			e = run_io(&ec, &a, &io);
		if (e == ERR_OK &&
		    (a.command->id == CMD_RUN || a.command->id == CMD_UNLOCK || a.command->id == CMD_LOCK ||
		     a.command->id == CMD_RESTORE || a.command->id == CMD_WIPE ||
		     (a.command->flags & NEW_PASSPHRASE) != 0 || a.home != NULL))
			e = err_set(&ec, ERR_USAGE, "%1 works on one open home; this line does not fit in it.", "run",
			            NULL, NULL);
		if (e == ERR_OK)
			status = run_command(s, &a, &io);
	}
	if (e != ERR_OK)
		status = run_failed(&io, &ec, e);
	fflush(io.out);
	args_clear(&a);
	args_line_clear(&line);
	return status;
}

int run_lines(struct session *s, const struct args *a, struct io *io)
{
	const char *name = args_pos(a, 0);
	bool keep_going = args_flag(a, "keep-going");
	struct errctx ec = { 0 };
	struct io_lines lines = { .fd = -1, .name = name };
	int fd = -1;
	int worst = 0;
	enum err e = io_open_read(io, &ec, name, &fd);

	lines.fd = fd;
	while (e == ERR_OK && !io_caller_gone(io)) {
		struct args_place at = { .program = s->program, .name = name };
		char *text = NULL;
		bool more = false;
		int status = 0;

		e = io_lines_next(io, &ec, &lines, &text, &more);
		if (e != ERR_OK || !more)
			break;
		at.line = lines.line;
		status = run_line(s, &at, text, io);
		if (status > worst)
			worst = status;
		if (status > 1) {
			struct text t = { .out = io->err, .lang = lang_of(io) };
			char number[16];

			snprintf(number, sizeof(number), "%u", at.line);
			text_line(&t, TR("That was line %1 of %2."), number, name, NULL);
			if (!keep_going)
				break;
		}
	}
	io_lines_clear(&lines);
	if (fd >= 0)
		close(fd);
	return e == ERR_OK ? worst : run_failed(io, &ec, e);
}
