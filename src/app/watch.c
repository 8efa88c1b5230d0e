// SPDX-License-Identifier: EUPL-1.2
// Looking for damage and for pages that were put back, a little at a time (V5).
#include "app/watch.h"

#include <stdlib.h>
#include <string.h>

#include "store/store.h"
#include "vault/vault.h"

#define STEP_PAGES 256
#define STEP_LINKS 512
#define TAIL_LINKS 256
#define GLANCE_PAGES 4096
/* About twenty conversations. */
#define LOG_FRAMES 400

struct watch {
	struct vault_check pages;
	struct store_walk walk;
	bool seals_seen; /* all of them agreed with the sum, in this session */
	bool damaged;
	int64_t at_ms;
	uint32_t unmoved; /* length of the log when moving it failed; not tried again at that length */
};

static struct watch *watch_of(struct app *app)
{
	if (app->watch == NULL)
		app->watch = calloc(1, sizeof(*app->watch));
	return app->watch;
}

/* Damage stays noted; what could not be looked at (memory, disk) is looked at again another time. */
static enum err took(struct app *app, enum err e)
{
	if (e == ERR_DAMAGED) {
		app->watch->damaged = true;
		app->watch->at_ms = app_now_ms(app);
	}
	return e;
}

struct watch_view app_watch(const struct app *app)
{
	const struct watch *w = app->watch;

	if (w == NULL)
		return (struct watch_view){ WATCH_RUNNING, 0 };
	return (struct watch_view){ w->damaged                        ? WATCH_DAMAGED
		                    : w->pages.done && w->walk.at_end ? WATCH_WHOLE
		                                                      : WATCH_RUNNING,
		                    w->at_ms };
}

bool app_watch_step(struct app *app)
{
	struct watch *w = watch_of(app);
	bool before = false;
	enum err e = ERR_OK;

	if (w == NULL || w->damaged || !app_is_open(app))
		return false;
	before = w->pages.done && w->walk.at_end;
	/* without a sum there is nothing to compare with; that is told apart, and is no new damage */
	e = vault_check_step(app->vault, NULL, &w->pages, STEP_PAGES);
	if (e == ERR_DAMAGED && w->pages.done && w->pages.report.bad_pages == 0 && w->pages.report.bad_frames == 0 &&
	    !w->pages.report.sum_known)
		e = ERR_OK;
	if (took(app, e) == ERR_OK && w->pages.done)
		e = took(app, store_walk_step(NULL, app->store, &w->walk, STEP_LINKS));
	if (e != ERR_OK)
		return false;
	if (!w->pages.done || !w->walk.at_end)
		return true;
	w->seals_seen = true;
	if (!before)
		w->at_ms = app_now_ms(app);
	return false;
}

bool app_idle_step(struct app *app)
{
	struct watch *w = watch_of(app);
	uint32_t frames = app_is_open(app) ? vault_log_frames(app->vault) : 0;

	if (w == NULL || frames < LOG_FRAMES || frames == w->unmoved)
		return app_watch_step(app);
	/* a disk that says no says so again to whoever saves next */
	if (vault_checkpoint(app->vault, NULL, false) != ERR_OK)
		w->unmoved = frames;
	return true;
}

static enum err seals_look(struct app *app)
{
	enum err e = ERR_OK;

	if (app->watch->seals_seen)
		return ERR_OK;
	e = took(app, vault_sum_check(app->vault, NULL));
	app->watch->seals_seen = e == ERR_OK;
	return e;
}

void app_watch_glance(struct app *app)
{
	enum err e = ERR_OK;

	if (watch_of(app) == NULL || app->watch->damaged || !app_is_open(app))
		return;
	if (vault_page_count(app->vault) <= GLANCE_PAGES)
		e = seals_look(app);
	if (e == ERR_OK)
		(void)!took(app, store_tail_check(NULL, app->store, TAIL_LINKS));
}

enum err app_watch_before_sync(struct errctx *ec, struct app *app)
{
	enum err e = watch_of(app) == NULL ? ERR_NO_MEMORY : ERR_OK;

	if (e == ERR_OK && app->watch->damaged)
		e = ERR_DAMAGED;
	if (e == ERR_OK)
		e = seals_look(app);
	if (e == ERR_OK)
		e = took(app, store_tail_check(NULL, app->store, TAIL_LINKS));
	if (e == ERR_DAMAGED)
		return err_set(
		    ec, e,
		    "Something in this home is damaged, or an older piece of it was put back. Nothing was sent. "
		    "Make it whole again with: verify --repair",
		    NULL, NULL, NULL);
	return e == ERR_OK ? e
	                   : err_set(ec, e, "The vault could not be looked at. Check the disk and try again.", NULL,
	                             NULL, NULL);
}
