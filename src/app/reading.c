// SPDX-License-Identifier: EUPL-1.2
// Tokens of what a form was read with (M2). A device and the number of its last batch look like a dot, and are written
// as one.
#include "app/reading.h"

#include <string.h>

#include "app/within.h"
#include "model/edit.h"
#include "store/store.h"

#define TOKEN_DEVICES 4096

enum err reading_token(struct errctx *ec, struct app *app, struct pool *p, const char *id, const char **out)
{
	struct loaded l = { 0 };
	struct vv v = { 0 };
	struct dot d = { 0 };
	char *text = NULL;
	size_t len = 0;
	enum err e = dot_parse(id, &d) ? ERR_OK : ERR_NOT_FOUND;

	*out = NULL;
	if (e == ERR_OK)
		e = store_load(ec, app->store, d, &l);
	if (e == ERR_OK)
		e = store_vector(ec, app->store, l.space, &v);
	if (e == ERR_OK) {
		text = pool_take(p, v.n * (DOT_TEXT_LEN + 1) + 1);
		e = text == NULL ? within_no_memory(ec) : ERR_OK;
	}
	for (size_t i = 0; e == ERR_OK && i < v.n; i++) {
		if (v.e[i].seq == 0)
			continue;
		if (len > 0)
			text[len++] = ' ';
		dot_text((struct dot){ v.e[i].dev, v.e[i].seq }, text + len);
		len += strlen(text + len);
	}
	*out = text;
	vv_free(&v);
	store_loaded_free(&l);
	return e;
}

enum err reading_parse(struct errctx *ec, struct pool *p, const char *token, const struct seen **out, size_t *count)
{
	struct seen *list = NULL;
	size_t parts = 1;
	enum err e = ERR_OK;

	*out = NULL;
	*count = 0;
	if (token == NULL)
		return ERR_OK;
	for (const char *c = token; *c != '\0'; c++)
		parts += *c == ' ';
	list = parts <= TOKEN_DEVICES ? pool_take(p, parts * sizeof(*list)) : NULL;
	if (parts <= TOKEN_DEVICES && list == NULL)
		return within_no_memory(ec);
	for (const char *c = token; list != NULL && *c != '\0';) {
		size_t len = strcspn(c, " ");
		char part[DOT_TEXT_LEN];
		struct dot d = { 0 };

		if (len >= sizeof(part)) {
			list = NULL;
			break;
		}
		memcpy(part, c, len);
		part[len] = '\0';
		if (!dot_parse(part, &d)) {
			list = NULL;
			break;
		}
		list[(*count)++] = (struct seen){ d.dev, d.counter };
		c += len + (c[len] == ' ');
	}
	if (list == NULL)
		e = err_set(ec, ERR_INPUT, "What was to be saved cannot be read. Open it again and repeat the change.",
		            NULL, NULL, NULL);
	*out = list;
	return e;
}
