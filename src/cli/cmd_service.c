// SPDX-License-Identifier: EUPL-1.2
// service import, search, list, show, add, edit, check.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/services.h"
#include "base/file.h"
#include "base/tr.h"
#include "cli/show.h"
#include "render/csv.h"
#include "render/flat.h"
#include "render/hsds.h"
#include "render/json.h"

#define FOUND_MAX 50

/* A borrowed argument in a struct whose members can be freed; nobody frees these. */
static char *borrowed(const struct args *a, const char *name)
{
	const char *value = args_get(a, name);
	char *out = NULL;

	memcpy(&out, &value, sizeof(out));
	return out;
}

static struct service_fields fields_read(const struct args *a)
{
	return (struct service_fields){
		.entry = { .name = borrowed(a, "name"),
		           .organisation = borrowed(a, "organisation"),
		           .kind = borrowed(a, "kind"),
		           .group = borrowed(a, "group"),
		           .domains = borrowed(a, "domain"),
		           .description = borrowed(a, "description"),
		           .eligibility = borrowed(a, "eligibility"),
		           .documents = borrowed(a, "documents"),
		           .application = borrowed(a, "application"),
		           .phone = borrowed(a, "phone"),
		           .email = borrowed(a, "email"),
		           .website = borrowed(a, "website"),
		           .address = borrowed(a, "address"),
		           .hours = borrowed(a, "hours"),
		           .languages = borrowed(a, "language"),
		           .cost = borrowed(a, "cost") },
		.note = args_get(a, "note"),
		.successor_of = args_get(a, "successor-of"),
	};
}

enum err cmd_service_add(struct command_call *call)
{
	const struct service_fields f = fields_read(call->args);
	char id[ID_TEXT_LEN];
	enum err e = service_add(call->ec, call->app, &f, id);

	return e == ERR_OK ? show_id(call, TR("Saved. This entry is %1."), id) : e;
}

enum err cmd_service_edit(struct command_call *call)
{
	const struct service_fields f = fields_read(call->args);
	char id[ID_TEXT_LEN];
	enum err e = service_edit(call->ec, call->app, args_pos(call->args, 0), &f, id);

	return e == ERR_OK ? show_id(call, TR("Saved: %1."), id) : e;
}

enum err cmd_service_check(struct command_call *call)
{
	char id[ID_TEXT_LEN];
	enum err e = service_check(call->ec, call->app, args_pos(call->args, 0), args_get(call->args, "wrong"), id);

	return e == ERR_OK ? show_id(call, TR("Saved: %1."), id) : e;
}

enum err cmd_service_show(struct command_call *call)
{
	struct service_list list = { 0 };
	struct text t = show_text(call);
	enum err e = service_show(call->ec, call->app, args_pos(call->args, 0), &list);

	if (e == ERR_OK && call->io->json) {
		struct doc *d = doc_new();

		json_service(d, NULL, &list.item[0], JSON_WHOLE);
		e = doc_print(call->ec, d, call->io->out);
	} else if (e == ERR_OK) {
		text_service(&t, &list.item[0]);
	}
	service_list_free(&list);
	return e;
}

static enum err print_list(struct command_call *call, const struct service_list *list)
{
	struct text t = show_text(call);
	struct doc *d = NULL;

	if (!call->io->json) {
		text_services(&t, list);
		return ERR_OK;
	}
	d = doc_new();
	doc_array(d, NULL);
	for (size_t i = 0; i < list->n; i++)
		json_service(d, NULL, &list->item[i], JSON_ROW);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

enum err cmd_service_list(struct command_call *call)
{
	struct service_list list = { 0 };
	enum err e = service_list_all(call->ec, call->app, &list);

	if (e == ERR_OK)
		e = print_list(call, &list);
	service_list_free(&list);
	return e;
}

enum err cmd_service_search(struct command_call *call)
{
	struct service_list list = { 0 };
	char *words = show_words(call->args);
	enum err e = words == NULL ? ERR_NO_MEMORY : service_search(call->ec, call->app, words, FOUND_MAX, &list);

	if (e == ERR_OK)
		e = print_list(call, &list);
	free(words);
	service_list_free(&list);
	return e;
}

static bool stop_asked(void *ctx)
{
	return io_caller_gone(ctx);
}

struct import_folder {
	struct io *io;
	const char *path;
};

static enum err import_open(void *ctx, struct errctx *ec, const char *name, int *fd)
{
	struct import_folder *f = ctx;
	char *path = file_join(f->path, name);
	struct errctx why = { 0 };
	enum err e = path == NULL ? err_errno(&why, ENOMEM, name) : io_open_read(f->io, &why, path, fd);

	free(path);
	if (e == ERR_NOT_FOUND || e == ERR_OK)
		return ERR_OK;
	return err_set(ec, e, why.msg, why.arg[0], why.arg[1], why.arg[2]);
}

/* Reads a folder (HSDS 1.x) or a file (flat CSV). */
static enum err import_read(struct command_call *call, const char *path, struct directory_import *import)
{
	struct import_folder folder = { call->io, path };
	const char *format = args_get(call->args, "format");
	struct buf content = { 0 };
	bool is_dir = false;
	int fd = -1;
	enum err e = ERR_OK;

	if (format != NULL && strcmp(format, "hsds-csv") != 0 && strcmp(format, "csv") != 0)
		return err_set(call->ec, ERR_USAGE, "The format %1 cannot be read here. Choose hsds-csv or csv.",
		               format, NULL, NULL);
	e = io_open_any(call->io, call->ec, path, &fd, &is_dir);
	if (e == ERR_OK && format != NULL && is_dir != (strcmp(format, "hsds-csv") == 0))
		e = err_set(call->ec, ERR_INPUT, "%1: hsds-csv is a folder of files, csv is one file.", path, NULL,
		            NULL);
	if (e == ERR_OK && is_dir)
		e = hsds_import(call->ec, &(struct hsds_folder){ import_open, &folder }, import);
	else if (e == ERR_OK && (e = file_read_fd(call->ec, fd, path, CSV_FILE_MAX, &content)) == ERR_OK)
		e = flat_import(call->ec, path, buf_bytes(&content), import);
	if (fd >= 0)
		close(fd);
	buf_free(&content);
	return e;
}

enum err cmd_service_import(struct command_call *call)
{
	struct directory_import import = { 0 };
	struct import_counts counts = { 0 };
	struct text t = show_text(call);
	enum err e = import_read(call, args_pos(call->args, 0), &import);

	if (e == ERR_OK)
		e = service_import(call->ec, call->app, &import, stop_asked, call->io, &counts);
	if (e == ERR_OK && call->io->json) {
		struct doc *d = doc_new();

		json_import(d, NULL, &counts, &import);
		e = doc_print(call->ec, d, call->io->out);
	} else if (e == ERR_OK && !call->io->quiet) {
		text_import(&t, &counts, &import);
	}
	call->look = import.rejects > 0;
	directory_import_clear(&import);
	return e;
}
