// SPDX-License-Identifier: EUPL-1.2
// Settings of this home, beside the log: they are nobody else's affair.
#include "app/settings.h"

#include <stdio.h>
#include <string.h>

#include "app/within.h"
#include "base/codec.h"
#include "store/store.h"

static const struct setting {
	const char *name;
	int64_t least;
	int64_t most;
} settings[] = {
	{ SETTING_LOCK, 1, 240 },
};

static const struct setting *find(const char *name)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (strcmp(settings[i].name, name) == 0)
			return &settings[i];
	}
	return NULL;
}

static void meta_name(const char *name, char out[static 64])
{
	snprintf(out, 64, "setting:%s", name);
}

int64_t setting_get(struct app *app, const char *name, int64_t otherwise)
{
	const struct setting *s = find(name);
	struct buf b = { 0 };
	char meta[64];
	int64_t value = otherwise;

	meta_name(name, meta);
	if (s != NULL && store_meta_get(NULL, app->store, meta, &b) == ERR_OK && b.len == 8)
		value = (int64_t)be64_get(b.data);
	buf_free(&b);
	return s == NULL || value < s->least || value > s->most ? otherwise : value;
}

enum err setting_put(struct errctx *ec, struct app *app, const char *name, int64_t value)
{
	const struct setting *s = find(name);
	char meta[64];
	uint8_t raw[8];
	enum err e = ERR_OK;

	if (s == NULL)
		return err_set(ec, ERR_NOT_FOUND, "There is no setting called %1.", name, NULL, NULL);
	if (value < s->least || value > s->most)
		return err_set(ec, ERR_INPUT, "Choose between 1 and 240 minutes.", NULL, NULL, NULL);
	meta_name(name, meta);
	be64_put(raw, (uint64_t)value);
	e = store_begin(ec, app->store);
	if (e == ERR_OK)
		e = within_end(ec, app, store_meta_put(ec, app->store, meta, (struct bytes){ raw, sizeof(raw) }));
	return e;
}
