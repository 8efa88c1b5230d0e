// SPDX-License-Identifier: EUPL-1.2
// Everything of mine as one JSON document. It is streamed record by record, because a log can be large; each record is
// a document of its own that libjansson writes, so that only the brackets between them are ours.
#include <stdlib.h>
#include <string.h>

#include "app/dates.h"
#include "render/export_parts.h"
#include "render/json.h"

/* Prints a document without its line end, and without its last `cut` bytes. */
static enum err print_cut(struct errctx *ec, struct doc *d, size_t cut, FILE *out)
{
	char *text = NULL;
	size_t len = 0;
	FILE *memory = open_memstream(&text, &len);
	enum err e = ERR_NO_MEMORY;

	if (memory == NULL) {
		doc_free(d);
		return err_set(ec, e, "There is not enough memory. Close other programs and try again.", NULL, NULL,
		               NULL);
	}
	e = doc_print(ec, d, memory);
	if (fclose(memory) != 0 && e == ERR_OK)
		e = err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.", NULL,
		            NULL, NULL);
	if (e == ERR_OK && len > cut)
		fwrite(text, 1, len - cut - 1, out);
	if (text != NULL)
		explicit_bzero(text, len);
	free(text);
	return e;
}

static void head_doc(struct doc *d, const struct export_head *h)
{
	doc_object(d, NULL);
	doc_text(d, "edit", h->edit);
	doc_text(d, "author", h->author);
	doc_time(d, "at", h->at_ms);
	if (h->raw != NULL) {
		doc_text(d, "raw", h->raw);
	} else if (h->retract != NULL) {
		doc_text(d, "takes_back", h->retract);
	} else if (h->values <= 1) {
		doc_text(d, "value", h->values == 1 ? h->value[0] : NULL);
	} else {
		doc_array(d, "value");
		for (size_t i = 0; i < h->values; i++)
			doc_text(d, NULL, h->value[i]);
		doc_end(d);
	}
	doc_end(d);
}

static struct doc *whole_doc(const struct export_whole *w)
{
	struct doc *d = doc_new();

	doc_array(d, NULL);
	for (size_t i = 0; i < w->fields; i++) {
		doc_object(d, NULL);
		doc_text(d, "field", w->field[i].field);
		doc_text(d, "merge", w->field[i].merge);
		doc_array(d, "writes");
		for (size_t k = 0; k < w->field[i].heads; k++)
			head_doc(d, &w->field[i].head[k]);
		doc_end(d);
		doc_end(d);
	}
	doc_end(d);
	return d;
}

static void next_item(struct export_json *j)
{
	fputs(j->first_item ? "\n" : ",\n", j->out);
	j->first_item = false;
}

enum err export_json_begin(struct export_json *j, const struct export_spaces *all, int64_t today)
{
	struct doc *d = doc_new();
	enum err e = ERR_OK;

	doc_object(d, NULL);
	doc_text(d, "format", "sleutelbos-export");
	doc_int(d, "version", 1);
	doc_day(d, "made_on", today);
	doc_text(d, "name", all->me);
	doc_end(d);
	e = print_cut(j->ec, d, 1, j->out);
	fputs(",\n\"spaces\":[", j->out);
	j->first_space = true;
	return e;
}

enum err export_json_space(struct export_json *j, const struct export_space *space)
{
	struct doc *d = doc_new();

	fputs(j->first_space ? "\n" : ",\n", j->out);
	j->first_space = false;
	doc_object(d, NULL);
	doc_text(d, "id", space->id);
	doc_text(d, "name", space->name);
	doc_text(d, "kind", space->kind);
	doc_text(d, "neighbourhood", space->neighbourhood);
	doc_end(d);
	return print_cut(j->ec, d, 1, j->out);
}

void export_json_list(struct export_json *j, const char *name)
{
	fprintf(j->out, ",\n\"%s\":[", name);
	j->first_item = true;
}

enum err export_json_row(struct export_json *j, const struct export_row *row)
{
	struct doc *d = doc_new();
	enum err e = ERR_OK;

	if (row->resident != NULL)
		json_resident(d, NULL, row->resident, JSON_WHOLE);
	else if (row->contact != NULL)
		json_contact(d, NULL, row->contact, JSON_WHOLE);
	else if (row->referral != NULL)
		json_referral(d, NULL, row->referral, JSON_WHOLE);
	else
		json_service(d, NULL, row->service, JSON_WHOLE);
	next_item(j);
	e = print_cut(j->ec, d, 1, j->out);
	fputs(",\"fields\":", j->out);
	if (e == ERR_OK)
		e = print_cut(j->ec, whole_doc(row->whole), 0, j->out);
	fputc('}', j->out);
	return e;
}

enum err export_json_member(struct export_json *j, const struct member_view *m)
{
	struct doc *d = doc_new();

	doc_object(d, NULL);
	doc_text(d, "id", m->id);
	doc_text(d, "name", m->name);
	doc_text(d, "role", m->role);
	doc_text(d, "status", m->status);
	doc_bool(d, "met", m->met);
	doc_bool(d, "me", m->me);
	doc_array(d, "devices");
	for (size_t i = 0; i < m->device_count; i++)
		doc_text(d, NULL, m->devices[i].id);
	doc_end(d);
	doc_end(d);
	next_item(j);
	return print_cut(j->ec, d, 0, j->out);
}

void export_json_list_end(struct export_json *j)
{
	fputs("]", j->out);
}

void export_json_space_end(struct export_json *j)
{
	fputs("}", j->out);
}

void export_json_end(struct export_json *j)
{
	fputs("\n]}\n", j->out);
}
