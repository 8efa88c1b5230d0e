// SPDX-License-Identifier: EUPL-1.2
// Takes a directory in. An entry is found again by its source, so that a second import changes only what differs.
#include <string.h>

#include "app/dates.h"
#include "app/services.h"
#include "app/within.h"
#include "base/tr.h"

/* Entries in one transaction: few enough that others get their turn, many enough that the disk does not wait. */
#define PORTION 200

/* A copy of which the empty texts are NULL: what is empty in a file is unknown, not taken away. */
static struct service_fields known_fields(struct directory_entry *e)
{
	struct service_fields f = { .entry = *e };

	for (size_t i = 0; i < DIRECTORY_FIELD_COUNT; i++) {
		char **field = directory_field(&f.entry, i);

		if (*field != NULL && (*field)[0] == '\0')
			*field = NULL;
	}
	return f;
}

enum outcome { ADDED, CHANGED, SAME };

static enum err one(struct errctx *ec, struct app *app, int64_t space, struct directory_entry *entry,
                    enum outcome *outcome)
{
	struct service_fields f = known_fields(entry);
	struct loaded old = { 0 };
	struct dot id = { 0 };
	struct editor ed;
	enum err e = ERR_NOT_FOUND;

	if (f.entry.source != NULL)
		e = store_service_by_source(NULL, app->store, space, f.entry.source, &id);
	if (e == ERR_OK && within_peek(app, id, KIND_service, &old))
		editor_of(&ed, app, ec, &old.record);
	else
		editor_new(&ed, app, ec);
	e = service_fields_put(&ed, &f);
	*outcome = ed.old == NULL ? ADDED : editor_changed(&ed) ? CHANGED : SAME;
	if (e == ERR_OK)
		e = editor_write(&ed, space, ed.old == NULL ? KIND_service : KIND_none, NULL);
	else
		editor_free(&ed);
	store_loaded_free(&old);
	return e;
}

/* An entry that the checks refuse is reported and passed over. Its own row and file are not known here any more; its
 * source is what the person can look for. */
static enum err portion(struct errctx *ec, struct app *app, int64_t space, struct directory_import *import, size_t from,
                        struct import_counts *out)
{
	size_t to = from + PORTION < import->entries ? from + PORTION : import->entries;

	for (size_t i = from; i < to; i++) {
		struct directory_entry *entry = &import->entry[i];
		struct errctx why = { 0 };
		enum outcome outcome = SAME;
		enum err e = one(&why, app, space, entry, &outcome);

		if (e == ERR_INPUT) {
			e = directory_import_reject(import, entry->source == NULL ? "" : entry->source, 0, why.arg[0],
			                            TR("This entry cannot be used: %1."), entry->name);
			if (e != ERR_OK)
				return within_no_memory(ec);
			continue;
		}
		if (e != ERR_OK) {
			if (ec->code == ERR_OK)
				*ec = why;
			return e;
		}
		out->added += outcome == ADDED;
		out->changed += outcome == CHANGED;
		out->same += outcome == SAME;
	}
	return ERR_OK;
}

enum err service_import(struct errctx *ec, struct app *app, struct directory_import *import, import_stop_fn stop,
                        void *ctx, struct import_counts *out)
{
	int64_t space = 0;
	enum err e = app_neighbourhood(ec, app, &space);

	*out = (struct import_counts){ 0 };
	if (e == ERR_OK)
		e = service_may_edit(ec, app, space);
	for (size_t i = 0; i < import->entries && e == ERR_OK; i += PORTION) {
		if (stop != NULL && stop(ctx))
			return err_set(ec, ERR_LATER, "The import was stopped halfway. Run it again to go on.", NULL,
			               NULL, NULL);
		e = store_begin(ec, app->store);
		if (e == ERR_OK)
			e = within_end(ec, app, portion(ec, app, space, import, i, out));
	}
	return e;
}
