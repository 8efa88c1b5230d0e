// SPDX-License-Identifier: EUPL-1.2
// Unfinished texts, kept encrypted like everything else (V1, W2, W3).
#include "app/drafts.h"

#include <stdio.h>
#include <string.h>

#include "app/within.h"
#include "base/codec.h"
#include "base/utf8.h"
#include "store/store.h"

#define KEPT_DRAFT "draft:"

static enum err kept_name(struct errctx *ec, const char *name, char out[static DRAFT_NAME_MAX + 8])
{
	size_t len = strlen(name);

	if (len == 0 || len > DRAFT_NAME_MAX || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789/-.") != len)
		return err_set(ec, ERR_INPUT, "This draft has a name that cannot be used.", NULL, NULL, NULL);
	snprintf(out, DRAFT_NAME_MAX + 8, KEPT_DRAFT "%s", name);
	return ERR_OK;
}

struct counting {
	size_t n;
};

static enum err count_one(void *arg, const char *name, struct bytes value)
{
	((struct counting *)arg)->n++;
	return ERR_OK;
}

static enum err put(struct errctx *ec, struct app *app, const char *name, struct bytes value)
{
	struct counting c = { 0 };
	struct buf before = { 0 };
	enum err e = store_kept_get(NULL, app->store, 0, name, &before);

	buf_free(&before);
	if (e == ERR_NOT_FOUND) {
		e = store_kept_each(ec, app->store, 0, KEPT_DRAFT, count_one, &c);
		if (e == ERR_OK && c.n >= DRAFTS_MAX)
			e = err_set(ec, ERR_REFUSED, "There are too many drafts. Save or remove one first.", NULL, NULL,
			            NULL);
	}
	return e == ERR_OK ? store_kept_put(ec, app->store, 0, name, value) : e;
}

enum err draft_put(struct errctx *ec, struct app *app, const char *name, const char *value)
{
	char kept[DRAFT_NAME_MAX + 8];
	struct buf b = { 0 };
	uint8_t at[8];
	size_t len = strlen(value);
	enum err e = kept_name(ec, name, kept);

	if (e == ERR_OK && (len > DRAFT_MAX || !utf8_valid((const uint8_t *)value, len)))
		e = err_set(ec, ERR_INPUT, "This is too long to be kept. Save it in parts.", NULL, NULL, NULL);
	be64_put(at, (uint64_t)app_now_ms(app));
	if (e == ERR_OK && (buf_put(&b, at, sizeof(at)) != ERR_OK || buf_put_str(&b, value) != ERR_OK))
		e = within_no_memory(ec);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e == ERR_OK)
		e = within_end(ec, app, put(ec, app, kept, buf_bytes(&b)));
	buf_free(&b);
	return e;
}

static enum err list_one(void *arg, const char *name, struct bytes value)
{
	struct draft_list *out = arg;
	struct draft_text *d = &out->item[out->n];

	if (out->n == DRAFTS_MAX || value.len < 8)
		return ERR_OK;
	d->name = pool_str(&out->pool, name + strlen(KEPT_DRAFT));
	d->at_ms = (int64_t)be64_get(value.data);
	d->value = pool_text(&out->pool, (struct bytes){ value.data + 8, value.len - 8 });
	out->n++;
	return ERR_OK;
}

enum err draft_list(struct errctx *ec, struct app *app, const char *prefix, struct draft_list *out)
{
	char kept[DRAFT_NAME_MAX + 8];
	enum err e = ERR_OK;

	*out = (struct draft_list){ 0 };
	if (prefix[0] != '\0')
		e = kept_name(ec, prefix, kept);
	else
		snprintf(kept, sizeof(kept), KEPT_DRAFT);
	if (e == ERR_OK) {
		out->item = pool_take(&out->pool, DRAFTS_MAX * sizeof(*out->item));
		e = out->item == NULL ? within_no_memory(ec) : ERR_OK;
	}
	if (e == ERR_OK)
		e = store_kept_each(ec, app->store, 0, kept, list_one, out);
	return within_pool(ec, &out->pool, e);
}

void draft_list_free(struct draft_list *list)
{
	pool_free(&list->pool);
	*list = (struct draft_list){ 0 };
}

enum err draft_forget(struct errctx *ec, struct app *app, const char *name)
{
	char kept[DRAFT_NAME_MAX + 8];
	enum err e = name == NULL ? ERR_OK : kept_name(ec, name, kept);

	return e == ERR_OK && name != NULL ? store_kept_delete(ec, app->store, 0, kept) : e;
}

enum err draft_drop(struct errctx *ec, struct app *app, const char *name)
{
	enum err e = store_begin(ec, app->store);

	return e == ERR_OK ? within_end(ec, app, draft_forget(ec, app, name)) : e;
}
