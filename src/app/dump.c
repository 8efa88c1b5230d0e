// SPDX-License-Identifier: EUPL-1.2
// The canonical dump: equal states give equal bytes (M1).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/syncing.h"
#include "base/codec.h"
#include "model/wire.h"
#include "store/store.h"

void app_dump_free(struct dump_space *list, size_t count)
{
	for (size_t i = 0; list != NULL && i < count; i++)
		buf_free(&list[i].state);
	free(list);
}

static int dump_cmp(const void *a, const void *b)
{
	const struct dump_space *x = a;
	const struct dump_space *y = b;

	return strcmp(x->id, y->id);
}

enum err app_dump(struct errctx *ec, struct app *app, const char *space, struct dump_space **out, size_t *count)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, app->store, &list, &n);

	*count = 0;
	*out = calloc(n + 1, sizeof(**out));
	if (e == ERR_OK && *out == NULL)
		e = ERR_NO_MEMORY;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct dump_space *d = &(*out)[*count];
		bool named = space != NULL && (list[i].kind == SPACE_OWN ? strcmp(space, "own") == 0
		                                                         : strcasecmp(space, list[i].name) == 0);

		if (list[i].state != SPACE_MEMBER || (space == NULL ? list[i].kind == SPACE_OWN : !named))
			continue;
		(*count)++;
		snprintf(d->name, sizeof(d->name), "%s", list[i].name);
		hex_put(list[i].id.b, SPACE_ID_LEN, d->id);
		e = store_dump(ec, app->store, list[i].n, &d->state);
	}
	free(list);
	if (e == ERR_OK && space != NULL && *count == 0)
		e = err_set(ec, ERR_NOT_FOUND, "You are not in a circle or neighbourhood called %1.", space, NULL,
		            NULL);
	if (e == ERR_OK && *count > 1)
		qsort(*out, *count, sizeof(**out), dump_cmp);
	if (e != ERR_OK) {
		app_dump_free(*out, *count);
		*out = NULL;
		*count = 0;
	}
	return e;
}

enum err app_dump_walk(struct bytes state, dump_fn item, void *arg)
{
	struct wire_in in = wire_in(state);

	for (;;) {
		struct dump_item d = { DUMP_NULL, 0, { NULL, 0 } };
		size_t count = 0;
		bool yes = false;
		enum err e = ERR_OK;

		switch (wire_peek(&in)) {
		case WIRE_END:
			return ERR_OK;
		case WIRE_UINT:
		case WIRE_NEGINT:
			d.type = DUMP_INT;
			e = wire_get_int(&in, &d.number);
			break;
		case WIRE_BYTES:
			d.type = DUMP_BYTES;
			e = wire_get_bytes(&in, &d.bytes);
			break;
		case WIRE_TEXT:
			d.type = DUMP_TEXT;
			e = wire_get_text(&in, &d.bytes);
			break;
		case WIRE_ARRAY:
			d.type = DUMP_ARRAY;
			e = wire_get_array(&in, &count);
			d.number = (int64_t)count;
			break;
		case WIRE_MAP:
			d.type = DUMP_MAP;
			e = wire_get_map(&in, &count);
			d.number = (int64_t)count;
			break;
		case WIRE_BOOL:
			d.type = DUMP_BOOL;
			e = wire_get_bool(&in, &yes);
			d.number = yes;
			break;
		case WIRE_NULL:
			e = wire_get_null(&in);
			break;
		case WIRE_BAD:
			return ERR_DAMAGED;
		}
		if (e != ERR_OK)
			return e;
		if (!item(arg, &d))
			return ERR_OK;
	}
}
