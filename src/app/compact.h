/* SPDX-License-Identifier: EUPL-1.2 */
/* Compacting: what was erased goes from every device (K3). By itself in every sync, or when a person asks. */
#ifndef SLB_APP_COMPACT_H
#define SLB_APP_COMPACT_H

#include "app/session.h"
#include "app/syncing.h"

struct compact_space {
	char name[128];
	bool cut;        /* the log was cut here just now */
	bool under_way;  /* proposed or agreed: the next syncs finish it */
	const char *why; /* an English sentence, the key of its translation; NULL: it goes on */
};
struct compact_view {
	struct compact_space *space;
	size_t n;
	bool synced; /* `sync` tells how that went */
	struct sync_view sync;
};
/* Asks for it in every space where something was erased, and takes the steps that can be taken now: with a sync where
 * the space has others. `aside_seen`: what was set aside there does not matter. Free with compact_view_free(), also
 * after a failure. */
enum err app_compact(struct errctx *ec, struct app *app, bool aside_seen, struct compact_view *out) MUST_CHECK;
void compact_view_free(struct compact_view *v);

/* --- within app/ --- */

/* The steps of every space that syncs with this neighbourhood. `fetched`: everything that the host shows was taken in
 * just now. In transactions of its own. */
enum err compact_step(struct errctx *ec, struct app *app, int64_t neighbourhood, bool fetched) MUST_CHECK;

struct sync;
struct space_row;
/* Before the outbox of a space is sealed: says what is to be said of erases and of the last compaction. Within a
 * transaction. */
enum err compact_before_seal(struct errctx *ec, struct sync *y, const struct space_row *space) MUST_CHECK;

#endif
