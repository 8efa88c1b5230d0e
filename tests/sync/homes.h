/* SPDX-License-Identifier: EUPL-1.2 */
/* Homes and a repository in a directory of their own, for tests that sync for real: vaults opened by master key, the
 * real courier over a path. Time is a counter that the test moves. */
#ifndef SLB_TESTS_SYNC_HOMES_H
#define SLB_TESTS_SYNC_HOMES_H

#include "app/session.h"
#include "app/spaces.h"
#include "app/syncing.h"
#include "store/store.h"

#define HOMES_MAX 8

struct world {
	char dir[256];
	char remote[300];
	struct app *app[HOMES_MAX];
	char home[HOMES_MAX][300];
	size_t n;
	int64_t now_ms;
	struct clock clock;
};

/* Makes an empty directory in $TMPDIR or /tmp; world_end() removes it. */
void world_begin(struct world *w);
void world_end(struct world *w);
/* One more home, open; returns its index. */
size_t world_home(struct world *w, const char *nick);
/* Closes and opens again. */
void world_reopen(struct world *w, size_t i);
/* Syncs and expects that all went well. */
struct sync_view world_sync(struct world *w, size_t i);
/* `a` invites to `space` (NULL: default) with a role, `b` joins; both sync until `b` is in. */
void world_invite(struct world *w, size_t a, size_t b, const char *space, const char *role);
/* The canonical dump of the shared spaces called `space` as bytes; buf_free() it. */
struct buf world_dump(struct world *w, size_t i, const char *space);

#endif
