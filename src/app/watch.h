/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The check in the background (V5): every page and every link of the chain over the edits, in small steps while nothing
 * else is to be done. It never blocks, starts over when a checkpoint has moved pages, and goes on where edits were
 * added. What it finds stands until the home is opened anew or repaired; nothing is sealed or sent meanwhile.
 */
#ifndef SLB_APP_WATCH_H
#define SLB_APP_WATCH_H

#include <stdbool.h>

#include "app/session.h"

enum watch_state { WATCH_RUNNING, WATCH_WHOLE, WATCH_DAMAGED };

struct watch_view {
	enum watch_state state;
	int64_t at_ms; /* when it was last found whole, or damaged; 0: not yet */
};
struct watch_view app_watch(const struct app *app);

/* One step of a few milliseconds. False: there is nothing left to do for now. */
bool app_watch_step(struct app *app);

/* What an owner does while nothing else is to be done: moves the log into the database when it has grown, so that no
 * later commit has to, then a step of the check. False: there is nothing left to do for now. */
bool app_idle_step(struct app *app);

/* What one command can afford, with no owner that stays: the seals of all pages where they are few, the end of the
 * chain in any case. */
void app_watch_glance(struct app *app);

/* Before anything is sealed or sent: nothing that was found damaged, no page put back since the last checkpoint, the
 * end of the chain, and one's own newest batches, which no older page may take back. ERR_DAMAGED with what to do. */
enum err app_watch_before_sync(struct errctx *ec, struct app *app) MUST_CHECK;

#endif
