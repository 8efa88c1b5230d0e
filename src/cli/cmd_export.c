// SPDX-License-Identifier: EUPL-1.2
// export, import. What is exported leaves the vault in plain text, so the passphrase is asked again and a sentence says
// so; a folder appears whole or not at all (V6).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/import.h"
#include "base/file.h"
#include "base/tr.h"
#include "cli/files.h"
#include "cli/show.h"
#include "render/csv.h"
#include "render/export.h"
#include "render/import.h"

/* --- export --- */

struct export_progress {
	struct io *io;
	const struct export_sink *sink;
	bool shown;
};

/* How many records were written, on a terminal; and whether to stop. */
static bool export_step(void *ctx)
{
	struct export_progress *p = ctx;

	if (p->io->err_is_tty && !p->io->quiet && p->sink->rows[EXPORT_JSON] > 0) {
		fprintf(p->io->err, "\r%zu", p->sink->rows[EXPORT_JSON]);
		p->shown = true;
	}
	return io_caller_gone(p->io);
}

/* What a person must know although it went well; with --json too, because then it is on the other stream. */
static void warn(struct command_call *call, const char *dir)
{
	struct text t = { .out = call->io->err, .lang = call->lang };

	if (!call->io->quiet)
		text_line(
		    &t,
		    TR("The files in %1 are not locked: whoever opens them can read everything. Keep them safe, and "
		       "throw them away when you no longer need them."),
		    dir, NULL, NULL);
}

static enum err export_report(struct command_call *call, const char *dir, const struct export_sink *s)
{
	struct text t = show_text(call);
	struct doc *d = NULL;

	if (!call->io->json) {
		for (int f = 0; f < EXPORT_FILES && !call->io->quiet; f++) {
			char rows[24] = "";

			if (export_file_counts((enum export_file)f))
				snprintf(rows, sizeof(rows), "%zu", s->rows[f]);
			fprintf(t.out, "%-16s%8s  ", export_file_name((enum export_file)f), rows);
			text_line(&t, export_file_about((enum export_file)f), NULL, NULL, NULL);
		}
		return ERR_OK;
	}
	d = doc_new();
	doc_object(d, NULL);
	doc_text(d, "dir", dir);
	doc_array(d, "files");
	for (int f = 0; f < EXPORT_FILES; f++) {
		doc_object(d, NULL);
		doc_text(d, "name", export_file_name((enum export_file)f));
		if (export_file_counts((enum export_file)f))
			doc_int(d, "rows", (int64_t)s->rows[f]);
		else
			doc_null(d, "rows");
		doc_end(d);
	}
	doc_end(d);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

/* All files are open until all are written: until then none of them has a name. */
static enum err files_begin(struct command_call *call, const struct io_dir *dir, struct io_write *w,
                            struct export_sink *s)
{
	enum err e = ERR_OK;

	for (int f = 0; f < EXPORT_FILES && e == ERR_OK; f++) {
		char *path = file_join(dir->part, export_file_name((enum export_file)f));

		e = path == NULL ? ERR_NO_MEMORY : io_write_begin(call->io, call->ec, path, IO_NEW, &w[f]);
		s->file[f] = w[f].file;
		free(path);
	}
	return e;
}

enum err cmd_export(struct command_call *call)
{
	const char *path = args_pos(call->args, 0);
	struct export_progress progress = { .io = call->io };
	struct export_sink s = { .lang = call->lang, .stop = export_step, .ctx = &progress };
	struct io_write w[EXPORT_FILES] = { { 0 } };
	struct io_dir dir = { 0 };
	enum err e = ERR_OK;

	_Static_assert(EXPORT_FILES <= FILES_MAX, "all files are open at once");
	progress.sink = &s;
	for (int f = 0; f < EXPORT_FILES; f++)
		w[f].token = -1;
	e = io_dir_begin(call->io, call->ec, path, &dir);
	if (e == ERR_OK)
		e = files_begin(call, &dir, w, &s);
	if (e == ERR_OK)
		e = export_write(call->ec, call->app, &s);
	if (progress.shown)
		fputc('\n', call->io->err);
	for (int f = 0; f < EXPORT_FILES; f++) {
		if (e == ERR_OK)
			e = io_write_commit(call->io, call->ec, &w[f]);
		else
			io_write_abort(call->io, &w[f]);
	}
	if (e == ERR_OK)
		e = io_dir_commit(call->io, call->ec, &dir);
	else
		io_dir_abort(call->io, &dir);
	if (e == ERR_OK)
		e = export_report(call, path, &s);
	if (e == ERR_OK)
		warn(call, path);
	return e;
}

/* --- import --- */

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/* Every cell that cannot be used on a line of its own; the error tells where the first is, and how many there are. */
static void problems_say(struct command_call *call, const struct import_log *log)
{
	struct text t = { .out = call->io->err, .lang = call->lang };

	if (log->unusable < 2)
		return;
	for (size_t i = 0; i < log->problems; i++) {
		const struct import_problem *p = &log->problem[i];
		struct errctx one = { 0 };
		char row[24];
		char text[4 * ERR_ARG_LEN + 1024];

		snprintf(row, sizeof(row), "%zu", p->row);
		if (err_set_4(&one, ERR_INPUT, p->why, &(struct err_args){ { log->file, row, p->column, p->more } }) ==
		    ERR_OK)
			continue;
		err_text(&one, lang_tr(call->lang, p->why), text, sizeof(text));
		text_typed(&t, text, 0);
		fputc('\n', t.out);
	}
}

struct progress {
	struct command_call *call;
	bool shown;
};

static bool import_step(void *ctx, size_t done, size_t all)
{
	struct progress *p = ctx;
	struct io *io = p->call->io;

	if (io->err_is_tty && !io->quiet && done > 0) {
		fprintf(io->err, "\r%zu / %zu", done, all);
		p->shown = true;
	}
	return !io_caller_gone(io);
}

static enum err import_report(struct command_call *call, const struct import_made *made)
{
	struct text t = show_text(call);
	struct doc *d = NULL;
	char n[4][24];

	if (!call->io->json) {
		snprintf(n[0], sizeof(n[0]), "%zu", made->contacts);
		snprintf(n[1], sizeof(n[1]), "%zu", made->referrals);
		snprintf(n[2], sizeof(n[2]), "%zu", made->residents);
		snprintf(n[3], sizeof(n[3]), "%zu", made->known);
		if (call->io->quiet)
			return ERR_OK;
		text_line(&t, TR("Saved. New conversations: %1, referrals: %2, residents: %3."), n[0], n[1], n[2]);
		if (made->known > 0)
			text_line(&t, TR("Rows that were here already: %1. Those were left as they are."), n[3], NULL,
			          NULL);
		return ERR_OK;
	}
	d = doc_new();
	doc_object(d, NULL);
	doc_int(d, "rows", (int64_t)made->rows);
	doc_int(d, "contacts", (int64_t)made->contacts);
	doc_int(d, "referrals", (int64_t)made->referrals);
	doc_int(d, "residents", (int64_t)made->residents);
	doc_int(d, "known", (int64_t)made->known);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

enum err cmd_import(struct command_call *call)
{
	const char *path = args_pos(call->args, 0);
	struct progress progress = { .call = call };
	struct import_log log = { 0 };
	struct import_made made = { 0 };
	struct buf content = { 0 };
	int fd = -1;
	enum err e = io_open_read(call->io, call->ec, path, &fd);

	if (e == ERR_OK)
		e = file_read_fd(call->ec, fd, path, CSV_FILE_MAX, &content);
	if (fd >= 0)
		close(fd);
	if (e == ERR_OK)
		e = import_parse(call->ec, last_part(path), buf_bytes(&content), &log);
	buf_free(&content);
	if (e == ERR_OK)
		e = import_run(call->ec, call->app, &log, args_get(call->args, "circle"), import_step, &progress,
		               &made);
	if (progress.shown)
		fputc('\n', call->io->err);
	if (e == ERR_INPUT)
		problems_say(call, &log);
	import_log_free(&log);
	return e == ERR_OK ? import_report(call, &made) : e;
}
