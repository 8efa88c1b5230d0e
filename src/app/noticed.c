// SPDX-License-Identifier: EUPL-1.2
// What a repository was noticed to do (S5), kept with its neighbourhood as [what, since, last, healed, had, shown].
#include "app/noticed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/codec.h"
#include "base/tr.h"
#include "base/try.h"
#include "model/wire.h"

#define KEPT "noticed:"
#define DAY_MS (24LL * 60 * 60 * 1000)
#define KEPT_MS (30 * DAY_MS)
#define DEVICES "device/"

static void kept_name(const char *ref, char out[static sizeof(KEPT) + REF_MAX + 1])
{
	snprintf(out, sizeof(KEPT) + REF_MAX + 1, KEPT "%s", ref);
}

static enum err mark_get(struct wire_in *in, char out[static NOTICED_MARK])
{
	struct bytes b = { 0 };
	enum err e = wire_get_text(in, &b);

	if (e == ERR_OK && b.len >= NOTICED_MARK)
		e = ERR_DAMAGED;
	if (e == ERR_OK) {
		if (b.len > 0)
			memcpy(out, b.data, b.len);
		out[b.len] = '\0';
	}
	return e;
}

static enum err row_get(struct bytes kept, struct noticed *n)
{
	struct wire_in in = wire_in(kept);
	uint64_t what = 0;
	size_t six = 0;
	enum err e = ERR_OK;

	TRY(wire_get_array(&in, &six));
	TRY(six == 6 ? wire_get_uint(&in, &what) : ERR_DAMAGED);
	TRY(wire_get_int(&in, &n->since_ms));
	TRY(wire_get_int(&in, &n->last_ms));
	TRY(wire_get_int(&in, &n->healed_ms));
	TRY(mark_get(&in, n->had));
	TRY(mark_get(&in, n->shown));
	n->what = (enum noticed_what)what;
done:
	return e;
}

static enum err row_put(struct errctx *ec, struct app *app, const struct noticed *n)
{
	struct buf b = { 0 };
	char name[sizeof(KEPT) + REF_MAX + 1];
	enum err e = ERR_OK;

	kept_name(n->ref, name);
	TRY(wire_put_array(&b, 6));
	TRY(wire_put_uint(&b, n->what));
	TRY(wire_put_int(&b, n->since_ms));
	TRY(wire_put_int(&b, n->last_ms));
	TRY(wire_put_int(&b, n->healed_ms));
	TRY(wire_put_text(&b, n->had, strlen(n->had)));
	TRY(wire_put_text(&b, n->shown, strlen(n->shown)));
	TRY(store_kept_put(ec, app->store, n->neighbourhood, name, buf_bytes(&b)));
done:
	buf_free(&b);
	return e;
}

/* ERR_NOT_FOUND without text. */
static enum err row_load(struct errctx *ec, struct app *app, int64_t neighbourhood, const char *ref, struct noticed *n)
{
	struct buf b = { 0 };
	char name[sizeof(KEPT) + REF_MAX + 1];
	enum err e = ERR_OK;

	*n = (struct noticed){ .neighbourhood = neighbourhood };
	snprintf(n->ref, sizeof(n->ref), "%s", ref);
	kept_name(ref, name);
	e = store_kept_get(ec, app->store, neighbourhood, name, &b);
	if (e == ERR_OK)
		e = row_get(buf_bytes(&b), n);
	buf_free(&b);
	return e;
}

enum err noticed_put(struct errctx *ec, struct app *app, const struct noticed *n)
{
	struct noticed was;
	struct noticed now = *n;
	enum err e = row_load(ec, app, n->neighbourhood, n->ref, &was);

	now.since_ms = now.last_ms = app_now_ms(app);
	if (e == ERR_OK && was.healed_ms == 0) {
		now.since_ms = was.since_ms;
		memcpy(now.had, was.had, sizeof(now.had));
		now.what = n->what == NOTICED_BACK && was.what == NOTICED_LOST ? was.what : n->what;
	}
	return e == ERR_OK || e == ERR_NOT_FOUND || e == ERR_DAMAGED ? row_put(ec, app, &now) : e;
}

enum err noticed_healed(struct errctx *ec, struct app *app, int64_t neighbourhood, const char *ref)
{
	struct noticed n;
	enum err e = row_load(ec, app, neighbourhood, ref, &n);

	if (e != ERR_OK || n.healed_ms != 0)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	n.healed_ms = app_now_ms(app);
	return row_put(ec, app, &n);
}

enum err noticed_moved(struct errctx *ec, struct app *app, int64_t neighbourhood, const char *ref)
{
	struct noticed n;
	enum err e = row_load(ec, app, neighbourhood, ref, &n);

	if (e != ERR_OK || n.what != NOTICED_OTHER)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	return noticed_healed(ec, app, neighbourhood, ref);
}

/* ---- All of them ---- */

struct rows {
	int64_t neighbourhood;
	struct noticed *n;
	size_t count;
};

static enum err rows_add(void *arg, const char *name, struct bytes value)
{
	struct rows *rows = arg;
	struct noticed *grown = array_grown(rows->n, rows->count, sizeof(*grown));
	struct noticed *n = NULL;

	if (grown == NULL)
		return ERR_NO_MEMORY;
	rows->n = grown;
	n = &rows->n[rows->count];
	*n = (struct noticed){ .neighbourhood = rows->neighbourhood };
	snprintf(n->ref, sizeof(n->ref), "%s", name + strlen(KEPT));
	rows->count += row_get(value, n) == ERR_OK; /* one that cannot be read says nothing */
	return ERR_OK;
}

static enum err rows_load(struct errctx *ec, struct app *app, int64_t neighbourhood, struct rows *out)
{
	out->neighbourhood = neighbourhood;
	return store_kept_each(ec, app->store, neighbourhood, KEPT, rows_add, out);
}

enum err noticed_quiet(struct errctx *ec, struct app *app, int64_t neighbourhood, noticed_still_fn still, void *arg)
{
	struct rows rows = { 0 };
	char name[sizeof(KEPT) + REF_MAX + 1];
	enum err e = rows_load(ec, app, neighbourhood, &rows);

	for (size_t i = 0; e == ERR_OK && i < rows.count; i++) {
		const struct noticed *n = &rows.n[i];

		if (n->healed_ms == 0 && !still(arg, n))
			e = noticed_healed(ec, app, neighbourhood, n->ref);
		kept_name(n->ref, name);
		if (e == ERR_OK && n->healed_ms != 0 && app_now_ms(app) - n->healed_ms > KEPT_MS)
			e = store_kept_delete(ec, app->store, neighbourhood, name);
	}
	free(rows.n);
	return e;
}

void noticed_device(struct device_id dev, char ref[static REF_MAX + 1])
{
	memcpy(ref, DEVICES, sizeof(DEVICES));
	hex_put(dev.b, DEVICE_ID_LEN, ref + sizeof(DEVICES) - 1);
}

void noticed_batch(struct app *app, struct device_id dev, uint64_t seq, char out[static NOTICED_MARK])
{
	uint8_t hash[32];
	uint64_t counter = 0;
	char hex[9] = "";

	if (seq > 0 && store_batch_get(NULL, app->store, dev, seq, &counter, hash) == ERR_OK)
		hex_put(hash, 4, hex);
	snprintf(out, NOTICED_MARK, "batch %llu%s%s", (unsigned long long)seq, hex[0] == '\0' ? "" : " ", hex);
}

/* ---- For those who look ---- */

static const struct {
	const char *word;
	const char *sentence;
} texts[] = {
	[NOTICED_GONE] = { "gone", TR("The repository no longer shows what %1 sent to %2.") },
	[NOTICED_BACK] = { "went_back", TR("The repository went back to an older state of what %1 sent to %2.") },
	[NOTICED_OTHER] = { "other", TR("The repository shows something else in place of what %1 sent to %2.") },
	[NOTICED_LOST] = { "lost", TR("The repository lost what %1 sent to %2, and so did the copy of it here.") },
	[NOTICED_WITHHELD] = { "withheld",
	                       TR("Somebody has seen more of what %1 wrote in %2 than the repository shows here.") },
	[NOTICED_WORLDS] = { "two_worlds",
	                     TR("The repository shows different people different things of what %1 wrote in %2.") },
};

static bool is_known(enum noticed_what what)
{
	return (size_t)what < sizeof(texts) / sizeof(texts[0]) && texts[what].word != NULL;
}

const char *noticed_sentence(enum noticed_what what)
{
	return is_known(what) ? texts[what].sentence : "";
}

const char *noticed_word(enum noticed_what what)
{
	return is_known(what) ? texts[what].word : "";
}

/* "refs/heads/SPACE/EPOCH/DEVICE", or "device/ID": whose it is. */
static void view_whose(struct app *app, const struct space_row *spaces, size_t n, struct noticed_view *v)
{
	const char *last = strrchr(v->n.ref, '/');

	for (size_t i = 0; i < n && v->space[0] == '\0'; i++) {
		struct device_row *list = NULL;
		char tag[TAG_TEXT_LEN];
		char start[TAG_TEXT_LEN + 16];
		size_t count = 0;
		bool by_id = strncmp(v->n.ref, DEVICES, strlen(DEVICES)) == 0;

		tag_text(spaces[i].tag, tag);
		snprintf(start, sizeof(start), "refs/heads/%s/", tag);
		if ((!by_id && strncmp(v->n.ref, start, strlen(start)) != 0) ||
		    store_device_list(NULL, app->store, spaces[i].n, &list, &count) != ERR_OK)
			continue;
		if (!by_id)
			snprintf(v->space, sizeof(v->space), "%s", spaces[i].name);
		for (size_t k = 0; k < count && last != NULL && v->who[0] == '\0'; k++) {
			char hex[2 * DEVICE_ID_LEN + 1];

			tag_text(list[k].tag, tag);
			hex_put(list[k].id.b, DEVICE_ID_LEN, hex);
			if (list[k].state == DEVICE_NAMED || strcmp(last + 1, by_id ? hex : tag) != 0)
				continue;
			v->own = device_cmp(list[k].id, spaces[i].me) == 0;
			app_author(app, (struct dot){ list[k].id, 1 }, v->who);
			snprintf(v->space, sizeof(v->space), "%s", spaces[i].name);
		}
		free(list);
	}
}

enum err app_noticed(struct errctx *ec, struct app *app, int64_t from_ms, struct noticed_view **out, size_t *count)
{
	struct space_row *list = NULL;
	struct rows rows = { 0 };
	size_t n = 0;
	enum err e = store_space_list(ec, app->store, &list, &n);

	*out = NULL;
	*count = 0;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		if (list[i].kind == SPACE_NEIGHBOURHOOD)
			e = rows_load(ec, app, list[i].n, &rows);
	}
	if (e == ERR_OK) {
		*out = calloc(rows.count + 1, sizeof(**out));
		e = *out == NULL ? ERR_NO_MEMORY : ERR_OK;
	}
	for (size_t i = 0; e == ERR_OK && i < rows.count; i++) {
		struct noticed_view *v = &(*out)[*count];

		if (rows.n[i].healed_ms != 0 && rows.n[i].last_ms < from_ms && rows.n[i].healed_ms < from_ms)
			continue;
		*v = (struct noticed_view){ .n = rows.n[i] };
		app_utc(v->n.since_ms, v->since);
		if (v->n.healed_ms != 0)
			app_utc(v->n.healed_ms, v->healed);
		view_whose(app, list, n, v);
		(*count)++;
	}
	free(list);
	free(rows.n);
	return e;
}
