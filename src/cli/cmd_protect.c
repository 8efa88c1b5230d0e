// SPDX-License-Identifier: EUPL-1.2
// protect: disclosure control for a table that somebody brings. Works without a home.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/tr.h"
#include "cli/command.h"
#include "render/protect.h"

#define HIERARCHIES_MAX 12
#define FILES (2 + HIERARCHIES_MAX)

struct protect_run {
	struct command_call *call;
	struct protect_file file[FILES];
	size_t files;
	struct pool pool;
	struct protect_in in;
	struct protect_out out;
};

static enum err read_input(struct protect_run *r, const char *path, struct protect_file **out)
{
	struct protect_file *f = &r->file[r->files];
	struct errctx *ec = r->call->ec;
	struct buf content = { 0 };
	int fd = -1;
	enum err e = io_open_read(r->call->io, ec, path, &fd);

	if (e == ERR_OK)
		e = file_read_fd(ec, fd, path, CSV_FILE_MAX, &content);
	if (fd >= 0)
		close(fd);
	f->name = path;
	if (e == ERR_OK)
		e = csv_table_parse(ec, path, buf_bytes(&content), &f->table);
	r->files += e == ERR_OK;
	buf_free(&content);
	*out = f;
	return e;
}

static enum err threshold_read(struct protect_run *r)
{
	const char *text = args_get(r->call->args, "threshold");
	char *end = NULL;

	r->in.threshold = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || r->in.threshold < 2 || r->in.threshold > 1000000)
		return err_set(r->call->ec, ERR_INPUT,
		               "\"%1\" is not a threshold. Type a whole number from 2, such as 5.", text, NULL, NULL);
	return ERR_OK;
}

static enum err files_read(struct protect_run *r)
{
	const struct args *a = r->call->args;
	struct errctx *ec = r->call->ec;
	struct protect_file *f = NULL;
	enum err e = read_input(r, args_pos(a, 0), &f);

	if (e == ERR_OK)
		e = protect_read_table(ec, f, &r->pool, &r->in);
	for (unsigned n = 0; e == ERR_OK && args_get_nth(a, "hierarchy", n) != NULL; n++) {
		if (n == HIERARCHIES_MAX)
			return err_set(ec, ERR_USAGE, "At most 12 files of hierarchies can be given.", NULL, NULL,
			               NULL);
		e = read_input(r, args_get_nth(a, "hierarchy", n), &f);
		if (e == ERR_OK)
			e = protect_read_hierarchy(ec, f, &r->pool, &r->in);
	}
	if (e == ERR_OK && args_get(a, "audit-only") != NULL) {
		e = read_input(r, args_get(a, "audit-only"), &f);
		if (e == ERR_OK)
			e = protect_read_pattern(ec, f, &r->pool, &r->in);
	}
	return e;
}

enum what { WHAT_PATTERN, WHAT_RELEASED, WHAT_PUBLIC, WHAT_AUDIT };

/* One file of the folder. */
static enum err write_output(struct protect_run *r, const char *name, enum what what)
{
	const char *dir = args_get(r->call->args, "out");
	size_t size = strlen(dir) + strlen(name) + 2;
	char *path = malloc(size);
	struct io_write w = { 0 };
	struct buf csv = { 0 };
	enum err e = path == NULL ? ERR_NO_MEMORY : ERR_OK;

	if (e == ERR_OK) {
		snprintf(path, size, "%s/%s", dir, name);
		e = io_write_begin(r->call->io, r->call->ec, path, IO_REPLACE, &w);
	}
	if (e == ERR_OK && what == WHAT_AUDIT) {
		struct doc *d = doc_new();

		protect_doc(d, &r->in, &r->out);
		e = doc_print(r->call->ec, d, w.file);
	} else if (e == ERR_OK) {
		e = what == WHAT_PATTERN    ? protect_put_pattern(&r->in, &r->out, &csv)
		    : what == WHAT_RELEASED ? protect_put_released(&r->in, &r->out, &csv)
		                            : protect_put_public(&r->in, &r->out, &csv);
		if (e == ERR_OK)
			fwrite(csv.data, 1, csv.len, w.file);
	}
	if (e == ERR_OK)
		e = io_write_commit(r->call->io, r->call->ec, &w);
	else
		io_write_abort(r->call->io, &w);
	buf_free(&csv);
	free(path);
	return e;
}

static enum err report(struct protect_run *r)
{
	char share[16];

	if (r->call->io->json) {
		struct doc *d = doc_new();

		protect_doc(d, &r->in, &r->out);
		return doc_print(r->call->ec, d, r->call->io->out);
	}
	snprintf(share, sizeof(share), "%u", (unsigned)(r->out.shown / 10));
	command_say(r->call, TR("The audit passed; %1 per cent of the count is shown. The files are in %2."), share,
	            args_get(r->call->args, "out"), NULL);
	return ERR_OK;
}

/* Names the first cell that falls: to the person who asked, in no file that is published. */
static enum err refuse(struct protect_run *r)
{
	char cell[200] = "", known[200] = "";
	const struct protect_verdict *v = NULL;

	for (size_t k = 0; v == NULL && k < 4; k++)
		v = r->out.audit[k].cell != NULL ? &r->out.audit[k] : NULL;
	if (v != NULL)
		protect_cell_name(&r->in, v->cell, cell, sizeof(cell));
	if (v != NULL && v->known != NULL) {
		protect_cell_name(&r->in, v->known, known, sizeof(known));
		return err_set(
		    r->call->ec, ERR_REFUSED,
		    "The audit failed: who knows the count of \"%2\" can work out that of \"%1\". See audit.json.",
		    cell, known, NULL);
	}
	return err_set(r->call->ec, ERR_REFUSED,
	               "The audit failed: too much is known of the hidden count of \"%1\". See audit.json.", cell, NULL,
	               NULL);
}

/* Everything is worked out before the first file is touched; nothing public is written where the audit failed. */
enum err cmd_protect(struct command_call *call)
{
	struct protect_run r = { .call = call };
	enum err e = threshold_read(&r);

	if (e == ERR_OK)
		e = files_read(&r);
	if (e == ERR_OK)
		e = app_protect(call->ec, &r.in, &r.out);
	if (e == ERR_OK)
		e = io_make_dir(call->io, call->ec, args_get(call->args, "out"));
	if (e == ERR_OK)
		e = write_output(&r, "pattern.csv", WHAT_PATTERN);
	if (e == ERR_OK)
		e = write_output(&r, "audit.json", WHAT_AUDIT);
	if (e == ERR_OK && r.out.passed)
		e = write_output(&r, "released.csv", WHAT_RELEASED);
	if (e == ERR_OK && r.out.passed)
		e = write_output(&r, "public.csv", WHAT_PUBLIC);
	if (e == ERR_OK && !r.out.passed)
		e = refuse(&r);
	if (e == ERR_OK)
		e = report(&r);
	app_protect_free(&r.out);
	pool_free(&r.pool);
	for (size_t k = 0; k < r.files; k++)
		csv_table_free(&r.file[k].table);
	return e;
}
