// SPDX-License-Identifier: EUPL-1.2
// How things stand: what is unsent, set aside and waited for, and in what state spaces, keys and checks are.
#include <stdio.h>
#include <stdlib.h>

#include "app/recovery.h"
#include "app/syncing.h"
#include "app/watch.h"
#include "base/codec.h"
#include "store/store.h"
#include "sync/compaction.h"
#include "sync/epochs.h"
#include "sync/floor.h"
#include "sync/join.h"
#include "sync/paper.h"
#include "sync/rebox.h"
#include "sync/rejoin.h"
#include "sync/restored.h"
#include "vault/vault.h"

#define DAY_MS (24LL * 60 * 60 * 1000)

void app_status_free(struct status_view *s)
{
	free(s->aside);
	free(s->spaces);
	*s = (struct status_view){ 0 };
}

static const char *kind_text(enum space_kind k)
{
	return k == SPACE_OWN ? "own" : k == SPACE_CIRCLE ? "circle" : "neighbourhood";
}

static enum err erased_status(struct errctx *ec, struct app *app, const struct space_row *row,
                              struct space_status *out);

static enum err space_status(struct errctx *ec, struct app *app, const struct space_row *row, struct space_status *out)
{
	struct sync y = { app->store, app->zip, app->rng, app->clock };
	struct device_row *devices = NULL;
	struct epoch_id epoch;
	size_t n = 0;
	uint64_t files = 0;
	uint64_t sealed = 0;
	uint64_t unsealed = 0;
	enum err e = store_device_list(ec, app->store, row->n, &devices, &n);

	*out = (struct space_status){ .asked = row->state == SPACE_ASKED };
	if (e == ERR_OK && row->state == SPACE_MEMBER)
		e = floor_open(ec, &y, row->n, &out->coming_in);
	if (e == ERR_OK && row->state == SPACE_MEMBER)
		e = paper_reaches(ec, &y, row, &out->on_sheet);
	if (e == ERR_OK)
		e = rebox_shut_out(ec, &y, row, &out->no_key);
	snprintf(out->name, sizeof(out->name), "%s", row->name);
	snprintf(out->kind, sizeof(out->kind), "%s", kind_text(row->kind));
	for (size_t i = 0; i < n; i++)
		out->devices += devices[i].state == DEVICE_ACTIVE || devices[i].state == DEVICE_RESTING;
	free(devices);
	if (e == ERR_OK && row->state == SPACE_MEMBER) {
		e = epoch_choose(ec, &y, row, &epoch);
		if (e == ERR_OK)
			epoch_text(epoch, out->epoch);
	}
	if (e == ERR_NOT_FOUND)
		e = ERR_OK;
	if (e == ERR_OK)
		e = store_outgoing_count(ec, app->store, row->n, &files, &sealed);
	if (e == ERR_OK)
		e = store_unsealed_count(ec, app->store, row->n, &unsealed);
	if (e == ERR_OK && row->state == SPACE_MEMBER && !out->coming_in)
		e = erased_status(ec, app, row, out);
	out->unsent = sealed + unsealed;
	return e;
}

/* How far what was erased is gone. */
static enum err erased_status(struct errctx *ec, struct app *app, const struct space_row *row, struct space_status *out)
{
	struct sync y = { app->store, app->zip, app->rng, app->clock };
	struct compaction_progress p = { 0 };
	struct erasure_row *list = NULL;
	size_t n = 0;
	enum err e = store_erasures(ec, app->store, row->n, &list, &n);

	for (size_t i = 0; i < n; i++)
		out->erases_open += !list[i].final && !list[i].is_void && !list[i].contested;
	free(list);
	if (e == ERR_OK)
		e = compaction_progress(ec, &y, row, &p);
	if (e == ERR_OK && p.any) {
		out->compacted = true;
		out->erased_done = p.done;
		out->erased_not_yet = p.active;
		out->erased_resting = p.resting;
		out->erased_removed = p.removed;
	}
	return e;
}

static enum err last_success(struct errctx *ec, struct app *app, struct status_view *out)
{
	struct buf b = { 0 };
	enum err e = store_meta_get(ec, app->store, META_LAST_SYNC, &b);

	out->days_since = -1;
	if (e == ERR_OK && b.len == 8) {
		int64_t ms = (int64_t)be64_get(b.data);

		app_utc(ms, out->last_success);
		out->days_since = (app_now_ms(app) - ms) / DAY_MS;
	}
	buf_free(&b);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err aside_status(struct errctx *ec, struct app *app, struct status_view *out)
{
	struct aside_row *list = NULL;
	size_t n = 0;
	enum err e = store_aside_list(ec, app->store, &list, &n);

	out->aside = calloc(n + 1, sizeof(*out->aside));
	if (e == ERR_OK && out->aside == NULL)
		e = ERR_NO_MEMORY;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct aside_view *v = &out->aside[out->aside_count++];

		snprintf(v->what, sizeof(v->what), "%s", list[i].what);
		snprintf(v->why, sizeof(v->why), "%s", list[i].why);
	}
	free(list);
	return e;
}

static enum err waiting_status(struct errctx *ec, struct app *app, struct waiting_view *out)
{
	uint64_t kinds[AWAITED_KINDS];
	enum err e = store_waiting_kinds(ec, app->store, kinds);

	*out = (struct waiting_view){ .key = kinds[AWAITS_KEPT],
		                      .author = kinds[AWAITS_AUTHOR],
		                      .batch = kinds[AWAITS_BATCH] + kinds[AWAITS_LINE],
		                      .joining = kinds[AWAITS_SPACE],
		                      .newer_program = kinds[AWAITS_PROGRAM],
		                      .unknown = kinds[AWAITS_UNKNOWN] };
	return e;
}

/* A key file that went bad is told, not a reason to say nothing of the rest. */
static void sheet_status(struct app *app, struct status_view *out)
{
	struct sheet_known sheet;

	out->key_file_whole = app_sheet_known(NULL, app->home, &sheet) == ERR_OK;
	out->sheet = sheet.number;
	out->sheet_day = sheet.day;
}

enum err app_asking(struct errctx *ec, struct app *app, uint64_t *out)
{
	struct sync y = { app->store, app->zip, app->rng, app->clock };
	struct request_row *list = NULL;
	struct rejoin_row *again = NULL;
	struct rebox_row *keys = NULL;
	size_t n = 0;
	size_t coming = 0;
	size_t lacking = 0;
	enum err e = request_list(ec, &y, &list, &n);

	if (e == ERR_OK)
		e = rejoin_list(ec, &y, &again, &coming);
	if (e == ERR_OK)
		e = rebox_list(ec, &y, &keys, &lacking);
	*out = n + coming + lacking;
	free(list);
	free(again);
	free(keys);
	return e;
}

enum err app_status(struct errctx *ec, struct app *app, struct status_view *out)
{
	struct vault_memory memory = vault_memory();
	struct watch_view watch = app_watch(app);
	struct sync y = { app->store, app->zip, app->rng, app->clock };
	struct restored restored = { 0 };
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, app->store, &list, &n);

	*out = (struct status_view){ .keys_locked = memory.keys_locked, .cache_locked = memory.cache_locked };
	snprintf(out->check, sizeof(out->check), "%s",
	         watch.state == WATCH_WHOLE     ? "whole"
	         : watch.state == WATCH_DAMAGED ? "damaged"
	                                        : "running");
	if (watch.at_ms != 0)
		app_utc(watch.at_ms, out->check_at);
	out->spaces = calloc(n + 1, sizeof(*out->spaces));
	if (e == ERR_OK && out->spaces == NULL)
		e = ERR_NO_MEMORY;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct space_status *one = &out->spaces[out->space_count];

		if (list[i].state == SPACE_GONE)
			continue;
		e = space_status(ec, app, &list[i], one);
		out->space_count++;
		out->unsent += one->unsent;
	}
	free(list);
	if (e == ERR_OK)
		e = app_asking(ec, app, &out->asking);
	if (e == ERR_OK)
		e = last_success(ec, app, out);
	if (e == ERR_OK)
		e = aside_status(ec, app, out);
	if (e == ERR_OK)
		e = store_waiting_count(ec, app->store, &out->waiting);
	if (e == ERR_OK)
		e = waiting_status(ec, app, &out->waiting_for);
	sheet_status(app, out);
	if (e == ERR_OK)
		e = restored_get(ec, &y, &restored);
	if (restored.is)
		app_utc(restored.made_ms, out->restored);
	if (e != ERR_OK)
		app_status_free(out);
	return e;
}
