// SPDX-License-Identifier: EUPL-1.2
// Compacting (K3): the steps of sync/compaction.h in the order in which a sync, or a person, takes them.
#include "app/compact.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/again.h"
#include "app/sync_of.h"
#include "app/within.h"
#include "base/tr.h"
#include "sync/closing.h"
#include "sync/compaction.h"
#include "sync/outbox.h"

#define KEPT_ASKED "compact-asked" /* a person asked for it, and it was not proposed yet */
#define LOCAL_ROUNDS 6             /* of a space that nobody else has */

enum err compact_before_seal(struct errctx *ec, struct sync *y, const struct space_row *space)
{
	struct compacting how = { false, false };
	enum compaction_wait wait = COMPACTION_GOES_ON;
	bool cut = false;
	enum err e = compaction_tend(ec, y, space, &how, &cut, &wait);

	return e == ERR_OK ? compaction_tell(ec, y, space) : e;
}

static enum err is_asked(struct errctx *ec, struct app *app, int64_t space, bool *out)
{
	struct buf b = { 0 };
	enum err e = store_kept_get(ec, app->store, space, KEPT_ASKED, &b);

	*out = e == ERR_OK;
	buf_free(&b);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* One space, within a transaction. */
static enum err space_step(struct errctx *ec, struct app *app, const struct space_row *space, bool fetched, bool *cut,
                           enum compaction_wait *wait)
{
	struct sync y = sync_of(app);
	struct compacting how = { .fetched = fetched };
	size_t closed = 0;
	enum err e = is_asked(ec, app, space->n, &how.asked);

	if (e == ERR_OK)
		e = compaction_tend(ec, &y, space, &how, cut, wait);
	if (e == ERR_OK && how.asked && fetched && (*cut || *wait == COMPACTION_NOTHING))
		e = store_kept_delete(ec, app->store, space->n, KEPT_ASKED);
	if (e == ERR_OK)
		e = compaction_tell(ec, &y, space);
	if (e == ERR_OK)
		e = epochs_tend(ec, &y, space, &closed);
	return e == ERR_OK ? outbox_seal(ec, &y, space) : e;
}

/* Is there anything to do with it? */
static enum err is_touched(struct errctx *ec, struct app *app, const struct space_row *space, bool *out)
{
	struct erasure_row *list = NULL;
	struct base base = { 0 };
	bool away = false;
	size_t n = 0;
	enum err e = again_away(ec, app->store, space->n, &away);

	*out = false;
	if (e != ERR_OK || away || space->state != SPACE_MEMBER)
		return e;
	e = store_erasures(ec, app->store, space->n, &list, &n);
	if (e == ERR_OK)
		e = store_base(ec, app->store, space->n, &base);
	*out = e == ERR_OK && (n > 0 || base.is);
	vv_free(&base.at);
	free(list);
	return e;
}

static enum err one_space(struct errctx *ec, struct app *app, const struct space_row *space, bool fetched,
                          struct compact_space *out)
{
	static const char *const why[] = {
		[COMPACTION_GOES_ON] = NULL,
		[COMPACTION_NOTHING] = TR("Nothing was erased there since the last time."),
		[COMPACTION_CONTEST] = TR("What was erased can still be contested, or waits for a yes."),
		[COMPACTION_DEVICES] = TR("Not every device has seen yet what was erased."),
		[COMPACTION_ASIDE] =
		    TR("Something waits there, or was set aside. Look at it with status, then: compact --aside-seen"),
		[COMPACTION_REMOVAL] = TR("Not every device knows yet who was removed."),
		[COMPACTION_FORK] = TR("A device wrote two different things under one number there. As long as that is "
		                       "kept as evidence, nothing is taken away."),
	};
	enum compaction_wait wait = COMPACTION_GOES_ON;
	bool touched = false;
	bool cut = false;
	enum err e = is_touched(ec, app, space, &touched);

	if (e == ERR_OK && !touched)
		wait = COMPACTION_NOTHING;
	if (e == ERR_OK && touched)
		e = store_begin(ec, app->store);
	if (e == ERR_OK && touched)
		e = within_end(ec, app, space_step(ec, app, space, fetched, &cut, &wait));
	if (e == ERR_OK && touched)
		e = store_forget(ec, app->store);
	if (out != NULL) {
		out->cut = out->cut || cut;
		out->why = out->cut ? NULL : why[wait];
		out->under_way = out->why == NULL;
	}
	return e;
}

enum err compact_step(struct errctx *ec, struct app *app, int64_t neighbourhood, bool fetched)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, app->store, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++)
		if (list[i].neighbourhood == neighbourhood && list[i].state == SPACE_MEMBER)
			e = one_space(ec, app, &list[i], fetched, NULL);
	free(list);
	return e;
}

/* ---- When a person asks ---- */

static enum err ask(struct errctx *ec, struct app *app, const struct space_row *space, bool aside_seen)
{
	struct sync y = sync_of(app);
	static const uint8_t yes = 1;
	enum err e = store_begin(ec, app->store);

	if (e != ERR_OK)
		return e;
	e = store_kept_put(ec, app->store, space->n, KEPT_ASKED, (struct bytes){ &yes, 1 });
	if (e == ERR_OK && aside_seen)
		e = compaction_aside_seen(ec, &y, space);
	return within_end(ec, app, e);
}

/* Nobody else can have it: everything is done at once. */
static enum err local_space(struct errctx *ec, struct app *app, const struct space_row *space,
                            struct compact_space *out)
{
	enum err e = ERR_OK;

	for (int i = 0; e == ERR_OK && i < LOCAL_ROUNDS; i++)
		e = one_space(ec, app, space, true, out);
	return e;
}

static enum err ask_all(struct errctx *ec, struct app *app, const struct space_row *list, size_t n, bool aside_seen,
                        struct compact_view *out, bool *remote)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct compact_space *s = &out->space[out->n];
		bool touched = false;

		e = is_touched(ec, app, &list[i], &touched);
		if (e != ERR_OK || !touched)
			continue;
		s->cut = false;
		snprintf(s->name, sizeof(s->name), "%s", list[i].name);
		out->n++;
		e = ask(ec, app, &list[i], aside_seen);
		if (e == ERR_OK && list[i].neighbourhood == 0)
			e = local_space(ec, app, &list[i], s);
		*remote = *remote || list[i].neighbourhood != 0;
	}
	return e;
}

/* How each of those stands that sync. */
static enum err look_again(struct errctx *ec, struct app *app, const struct space_row *list, size_t n,
                           struct compact_view *out)
{
	size_t at = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < n && at < out->n; i++) {
		bool touched = false;

		e = is_touched(ec, app, &list[i], &touched);
		if (e != ERR_OK || !touched)
			continue;
		if (list[i].neighbourhood != 0)
			e = one_space(ec, app, &list[i], false, &out->space[at]);
		at++;
	}
	return e;
}

enum err app_compact(struct errctx *ec, struct app *app, bool aside_seen, struct compact_view *out)
{
	struct space_row *list = NULL;
	size_t n = 0;
	bool remote = false;
	enum err e = within_not_restored(ec, app);

	*out = (struct compact_view){ 0 };
	if (e == ERR_OK)
		e = store_space_list(ec, app->store, &list, &n);
	if (e == ERR_OK) {
		out->space = calloc(n + 1, sizeof(*out->space));
		e = out->space == NULL ? ERR_NO_MEMORY : ERR_OK;
	}
	if (e == ERR_OK)
		e = ask_all(ec, app, list, n, aside_seen, out, &remote);
	if (e == ERR_OK && remote) {
		out->synced = true;
		e = app_sync(ec, app, &out->sync);
	}
	if (e == ERR_OK && remote)
		e = look_again(ec, app, list, n, out);
	free(list);
	return e;
}

void compact_view_free(struct compact_view *v)
{
	free(v->space);
	*v = (struct compact_view){ 0 };
}
