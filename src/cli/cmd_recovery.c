// SPDX-License-Identifier: EUPL-1.2
// The recovery sheet, what it is for, and another key for a home (V4, V6). Words go from paper or file into guarded
// memory and nowhere else (V1).
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/comeback.h"
#include "app/recovery.h"
#include "app/rekey.h"
#include "app/remotes.h"
#include "base/file.h"
#include "base/tr.h"
#include "cli/command.h"
#include "cli/owner.h"
#include "render/doc.h"
#include "render/sheet.h"
#include "render/text.h"

static struct bytes bytes_of(const struct secret_text *s)
{
	return (struct bytes){ (const uint8_t *)s->text, s->len };
}

static void number_text(uint64_t n, char out[static 24])
{
	snprintf(out, 24, "%llu", (unsigned long long)n);
}

/* ---- recovery sheet ---- */

struct sheet_file {
	struct command_call *call;
	enum sheet_format format;
	struct io_write *w;
};

static enum err sheet_write(void *arg, struct errctx *ec, const struct sheet_view *sheet)
{
	struct sheet_file *f = arg;
	enum err e = sheet_print(ec, sheet, f->format, f->w->file);

	return e == ERR_OK ? io_write_place(f->call->io, ec, f->w) : e;
}

static enum err file_begin(struct command_call *call, const char *path, enum sheet_format *format, struct io_write *w)
{
	enum err e = sheet_format_of(call->ec, path, format);

	*w = (struct io_write){ .token = -1 };
	if (e == ERR_OK && strcmp(path, "-") == 0)
		e = err_set(call->ec, ERR_INPUT, "A recovery sheet goes to a file. Give the name of a new one.", NULL,
		            NULL, NULL);
	return e == ERR_OK ? io_write_begin(call->io, call->ec, path, IO_NEW | IO_HELD, w) : e;
}

enum err recovery_file_check(struct command_call *call, const char *path)
{
	enum sheet_format format;
	struct io_write w;
	enum err e = file_begin(call, path, &format, &w);

	io_write_abort(call->io, &w);
	return e;
}

static void sheet_say(struct command_call *call, const char *path, const struct sheet_issued *issued)
{
	char n[24];

	number_text(issued->number, n);
	command_say(
	    call,
	    TR("Recovery sheet number %1 is in %2. Print it, keep the paper away from your laptop, and delete the "
	       "file: its words open this home."),
	    n, path, NULL);
	if (issued->noted)
		command_say(call,
		            TR("Sync now. From then on, who has these words and the shared repository has all that you "
		               "can read: you, when this computer is lost, or whoever finds the paper."),
		            NULL, NULL, NULL);
	else
		command_say(
		    call,
		    issued->noted_later
		        ? TR("The vault is open. Type: sleutelbos lock. Then sync: from then on, who has these words "
		             "and the shared repository has all that you can read.")
		        : TR("It opens this home, but cannot bring it back from the shared repository. For that, "
		             "make a new sheet."),
		    NULL, NULL, NULL);
	number_text(issued->before, n);
	if (issued->before > 0)
		command_say(
		    call,
		    TR("Sheet number %1 no longer opens this home: destroy it. Did somebody see it, and may they "
		       "have a copy of this home? Then type: sleutelbos rekey"),
		    n, NULL, NULL);
}

/* The vault, to number the sheet and to know of it from now on. Not where another process is the owner, and where it
 * does not open the sheet is made all the same. app_close() *out and close *claim. */
static void vault_at_hand(struct command_call *call, const struct secret_text *passphrase, struct app **out, int *claim)
{
	*out = NULL;
	if (owner_claim(NULL, call->options->home, 0, claim) == ERR_OK)
		(void)!app_open(NULL, call->options, bytes_of(passphrase), out);
}

enum err recovery_sheet_make(struct command_call *call, const char *path, const struct secret_text *passphrase,
                             uint32_t *number)
{
	struct io_write w = { .token = -1 };
	struct sheet_file f = { .call = call, .w = &w };
	struct sheet_ask ask = { bytes_of(passphrase), call->app, sheet_write, &f };
	struct sheet_issued issued = { .fate = SHEET_NOT_WRITTEN };
	struct app *own = NULL;
	int claim = -1;
	struct sheet_text *buffer = sheet_text_new();
	enum err e = buffer == NULL ? err_errno(call->ec, ENOMEM, path) : file_begin(call, path, &f.format, &w);

	/* The words pass through the stream's buffer. */
	if (e == ERR_OK && setvbuf(w.file, buffer->text, _IOFBF, sizeof(buffer->text)) != 0)
		e = err_errno(call->ec, errno, path);
	if (e == ERR_OK && ask.app == NULL) {
		vault_at_hand(call, passphrase, &own, &claim);
		ask.app = own;
	}
	if (e == ERR_OK)
		e = app_sheet_issue(call->ec, call->options, &ask, &issued);
	app_close(own);
	if (claim >= 0)
		close(claim);
	if (issued.fate == SHEET_OPENS || issued.fate == SHEET_MAY_OPEN) {
		/* It has its name already: there is nothing left that can fail. */
		enum err kept = io_write_commit(call->io, NULL, &w);

		(void)kept;
	}
	io_write_abort(call->io, &w);
	sheet_text_free(buffer);
	if (e != ERR_OK)
		return e;
	*number = issued.number;
	sheet_say(call, path, &issued);
	return ERR_OK;
}

enum err cmd_recovery_sheet(struct command_call *call)
{
	const char *path = args_pos(call->args, 0);
	struct secret_text *passphrase = NULL;
	struct doc *d = NULL;
	uint32_t number = 0;
	enum err e = recovery_file_check(call, path);

	if (e == ERR_OK)
		e = command_passphrase(call, false, &passphrase);
	if (e == ERR_OK)
		e = recovery_sheet_make(call, path, passphrase, &number);
	secret_text_free(passphrase);
	if (e != ERR_OK || !call->io->json)
		return e;
	d = doc_new();
	doc_object(d, NULL);
	doc_int(d, "number", number);
	doc_text(d, "file", path);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

/* ---- recover ---- */

static enum err words_from_file(struct command_call *call, const char *path, struct sheet_text *out)
{
	int fd = -1;
	ssize_t n = 0;
	enum err e = io_open_read(call->io, call->ec, path, &fd);

	while (e == ERR_OK) {
		n = read(fd, out->text + out->len, sizeof(out->text) - out->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			e = err_errno(call->ec, errno, path);
		if (n <= 0)
			break;
		out->len += (size_t)n;
		if (out->len == sizeof(out->text))
			e = err_set(call->ec, ERR_INPUT,
			            "%1 is too large for the words of a sheet. Put only the 16 words in it.", path,
			            NULL, NULL);
	}
	if (fd >= 0)
		close(fd);
	return e;
}

static struct bytes text_bytes(const struct sheet_text *t)
{
	return (struct bytes){ (const uint8_t *)t->text, t->len };
}

/* A row of the sheet at a time, so that a slip is noticed in the row where it was made. An empty row ends it. */
static enum err words_from_person(struct command_call *call, struct sheet_text *out)
{
	const struct text t = { .out = call->io->err, .lang = call->lang };
	unsigned words = 0;

	while (words < SHEET_WORD_COUNT) {
		struct secret_text *row = NULL;
		struct sheet_so_far typed;
		char prompt[160];
		char n[24];
		const char *args[1] = { n };
		struct buf said = { 0 };
		enum err e = ERR_OK;

		number_text(words + 1, n);
		e = lang_fill(&said, lang_tr(call->lang, TR("Words of the sheet, from number %1: ")), args, 1);
		snprintf(prompt, sizeof(prompt), "%.*s", (int)said.len, e == ERR_OK ? (const char *)said.data : "");
		buf_free(&said);
		if (e == ERR_OK)
			e = command_line(call, prompt, true, &row);
		if (e == ERR_INPUT) {
			err_clear(call->ec);
			return ERR_OK;
		}
		if (e != ERR_OK)
			return e;
		typed = app_sheet_so_far(bytes_of(row));
		number_text(words + typed.odd, n);
		if (typed.odd > 0) {
			text_line(&t, TR("Word %1 is not a word of a recovery sheet. Type this row again."), n, NULL,
			          NULL);
		} else if (out->len + row->len + 1 < sizeof(out->text)) {
			memcpy(out->text + out->len, row->text, row->len);
			out->len += row->len;
			out->text[out->len++] = ' ';
			words = app_sheet_so_far(text_bytes(out)).words;
		}
		secret_text_free(row);
	}
	return ERR_OK;
}

static enum err words_read(struct command_call *call, struct sheet_text *out)
{
	const char *file = args_get(call->args, "words-file");
	enum err e = file != NULL ? words_from_file(call, file, out) : words_from_person(call, out);

	if (e != ERR_LOCKED)
		return e;
	err_clear(call->ec);
	return err_set(call->ec, e,
	               "The words of the recovery sheet are needed, and there is no terminal to type them on. Give "
	               "--words-file.",
	               NULL, NULL, NULL);
}

static enum err recover(struct command_call *call, struct sheet_text *words)
{
	struct secret_text *passphrase = NULL;
	enum err e = words_read(call, words);

	if (e == ERR_OK)
		e = app_sheet_opens(call->ec, call->options, text_bytes(words));
	if (e == ERR_OK)
		e = command_new_passphrase(call, args_get(call->args, "new-passphrase-file"), &passphrase);
	if (e == ERR_OK)
		e = app_recover(call->ec, call->options, text_bytes(words), bytes_of(passphrase));
	secret_text_free(passphrase);
	return e;
}

/* ---- recover --remote: a lost home comes back ---- */

static enum err back_doc(struct command_call *call, const struct comeback_view *v)
{
	struct doc *d = doc_new();

	doc_object(d, NULL);
	doc_text(d, "home", call->options->home);
	doc_int(d, "sheet", v->number);
	doc_array(d, "spaces");
	for (size_t i = 0; i < v->count; i++) {
		doc_object(d, NULL);
		doc_text(d, "name", v->spaces[i].name);
		doc_text(d, "kind", v->spaces[i].kind);
		doc_text(d, "state",
		         v->spaces[i].coming_in ? "coming_in"
		         : v->spaces[i].removed ? "removed"
		                                : "member");
		doc_end(d);
	}
	doc_end(d);
	doc_text(d, "result", v->sync.result == SYNC_DONE ? "done" : v->sync.result == SYNC_LATER ? "later" : "person");
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

static void back_text(struct command_call *call, const struct comeback_view *v)
{
	for (size_t i = 0; i < v->count; i++) {
		const char *name = v->spaces[i].name;

		if (v->spaces[i].coming_in)
			command_say(
			    call, TR("%1 is still coming in: the host has not shown everything yet. Sync again later."),
			    name, NULL, NULL);
		else if (v->spaces[i].removed)
			command_say(
			    call,
			    TR("%1 is here as it was when this sheet was replaced, or you were removed. What came "
			       "later is not, and what you write there reaches nobody."),
			    name, NULL, NULL);
		else
			command_say(call, TR("%1 is back."), name, NULL, NULL);
	}
	command_say(
	    call,
	    TR("What the lost computer never sent is not among it. The sheet still works: put it away again. May "
	       "somebody have the lost computer, or a copy of the paper? Then make a new sheet and sync: "
	       "sleutelbos recovery sheet FILE.html"),
	    NULL, NULL, NULL);
	if (v->sync.result != SYNC_DONE)
		command_say(call, TR("Not everything was sent or fetched. Sync again later."), NULL, NULL, NULL);
}

static enum err back_new(struct command_call *call, const struct comeback *c, struct app **app, struct comeback_view *v)
{
	struct secret_text *passphrase = NULL;
	const char *file = args_get(call->args, "new-passphrase-file");
	const char *name = args_get(call->args, "name");
	enum err e = ERR_OK;

	if (name == NULL)
		name = comeback_name(c);
	if (name[0] == '\0')
		return err_set(
		    call->ec, ERR_USAGE,
		    "What is yours alone is not in this repository, so what you are called is not known. Add "
		    "--name NAME. Nothing was changed.",
		    NULL, NULL, NULL);
	e = file != NULL ? command_new_passphrase(call, file, &passphrase)
	                 : command_passphrase(call, true, &passphrase);
	if (e == ERR_OK)
		e = comeback_new(call->ec, call->options, c, bytes_of(passphrase), name, app, v);
	secret_text_free(passphrase);
	return e;
}

/* The home as it is, with its own passphrase. */
static enum err back_open(struct command_call *call, struct app **app, int *claim)
{
	struct secret_text *passphrase = NULL;
	enum err e = owner_claim(call->ec, call->options->home, 0, claim);

	if (e == ERR_REFUSED) {
		err_clear(call->ec);
		return err_set(call->ec, ERR_REFUSED,
		               "This home is in use. First type: sleutelbos lock. Then do this again.", NULL, NULL,
		               NULL);
	}
	if (e == ERR_OK)
		e = command_passphrase(call, false, &passphrase);
	if (e == ERR_OK)
		e = app_open(call->ec, call->options, bytes_of(passphrase), app);
	secret_text_free(passphrase);
	return e;
}

static enum err come_back(struct command_call *call, const char *remote, const struct app_options *options)
{
	struct sheet_text *words = sheet_text_new();
	struct comeback *c = NULL;
	struct comeback_view v = { 0 };
	struct app *app = NULL;
	bool there = app_home_exists(call->options->home);
	int claim = -1;
	enum err e = words == NULL ? err_errno(call->ec, ENOMEM, call->options->home) : words_read(call, words);

	if (e == ERR_OK && there)
		e = back_open(call, &app, &claim);
	if (e == ERR_OK)
		e = comeback_fetch(call->ec, options, text_bytes(words), remote, &c);
	sheet_text_free(words);
	if (e == ERR_OK)
		e = there ? comeback_into(call->ec, app, c, &v) : back_new(call, c, &app, &v);
	comeback_free(c);
	app_close(app);
	if (claim >= 0)
		close(claim);
	if (e == ERR_OK && call->io->json)
		e = back_doc(call, &v);
	else if (e == ERR_OK)
		back_text(call, &v);
	comeback_view_free(&v);
	return e;
}

static enum err recover_home(struct command_call *call)
{
	struct sheet_text *words = NULL;
	struct doc *d = NULL;
	enum err e = ERR_OK;

	if (!app_home_exists(call->options->home))
		return err_set(
		    call->ec, ERR_NOT_FOUND,
		    "There is no home in %1 that a recovery sheet could open. Put its files back there first. Are "
		    "they gone? Then bring it back from the shared repository: sleutelbos recover --remote URL",
		    call->options->home, NULL, NULL);
	words = sheet_text_new();
	e = words == NULL ? err_errno(call->ec, ENOMEM, call->options->home) : recover(call, words);
	sheet_text_free(words);
	if (e != ERR_OK)
		return e;
	if (!call->io->json) {
		command_say(
		    call,
		    TR("Your new passphrase opens this home from now on. The recovery sheet still does too: put it "
		       "away again."),
		    NULL, NULL, NULL);
		return ERR_OK;
	}
	d = doc_new();
	doc_object(d, NULL);
	doc_bool(d, "changed", true);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

enum err cmd_recover(struct command_call *call)
{
	const char *typed = args_get(call->args, "remote");
	struct app_options options = *call->options;
	struct access *access = NULL;
	char *remote = NULL;
	enum err e = ERR_OK;

	if (typed == NULL)
		return recover_home(call);
	e = remote_address(call, typed, &remote);
	if (e == ERR_OK)
		e = remote_access_read(call, remote, &access);
	options.access = access;
	if (e == ERR_OK)
		e = come_back(call, remote, &options);
	app_access_free(access);
	free(remote);
	return e;
}

/* ---- rekey ---- */

static const char *const step_text[] = {
	[REKEY_CHECKING] = TR("1 of 5: looking whether the vault is whole."),
	[REKEY_COPYING] = TR("2 of 5: copying it under the new key."),
	[REKEY_LINKING] = TR("3 of 5: linking the edits, %1 per cent."),
	[REKEY_COMPARING] = TR("4 of 5: comparing the copy with the vault."),
	[REKEY_REPLACING] = TR("5 of 5: putting the copy in its place."),
};

/* On a terminal, one line that is written over. */
static bool rekey_told(void *arg, enum rekey_step step, uint64_t done, uint64_t of)
{
	struct command_call *call = arg;
	const struct text t = { .out = call->io->err, .lang = call->lang };
	char percent[24];

	if (call->io->err_is_tty && !call->io->quiet) {
		number_text(of == 0 ? 0 : done >= of ? 100 : done * 100 / of, percent);
		fputs("\r\033[K", t.out);
		text_say(&t, step_text[step], step == REKEY_LINKING ? percent : NULL, NULL, NULL);
		fflush(t.out);
	}
	return !io_caller_gone(call->io);
}

static enum err rekey_doc(struct command_call *call, const struct rekey_view *v)
{
	struct doc *d = doc_new();

	doc_object(d, NULL);
	doc_bool(d, "done", true);
	doc_int(d, "pages", (int64_t)v->pages);
	doc_int(d, "edits", (int64_t)v->edits);
	if (v->sheet == 0)
		doc_null(d, "sheet");
	else
		doc_int(d, "sheet", v->sheet);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

enum err cmd_rekey(struct command_call *call)
{
	const struct rekey_told told = { rekey_told, call };
	struct rekey_view v;
	char n[24];
	enum err e = app_rekey(call->ec, call->app, bytes_of(call->passphrase), &told, &v);

	if (call->io->err_is_tty && !call->io->quiet)
		fputs("\r\033[K", call->io->err);
	if (e != ERR_OK || call->io->json)
		return e != ERR_OK ? e : rekey_doc(call, &v);
	number_text(v.edits, n);
	command_say(call,
	            TR("This home has a new key, and an old key file opens nothing here any more. All %1 edits were "
	               "compared. A whole copy from before still opens with the old one."),
	            n, NULL, NULL);
	number_text(v.sheet, n);
	if (v.sheet > 0)
		command_say(call, TR("Recovery sheet number %1 opens the new one too."), n, NULL, NULL);
	return ERR_OK;
}
