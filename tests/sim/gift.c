// SPDX-License-Identifier: EUPL-1.2
// Files of homes that were given up: nobody hands them over again when a host loses them, so the simulator does.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/must.h"
#include "sim/world_inside.h"
#include "sync/keys.h"

/* The address of the repository of a space. */
static void remote_of(struct player *p, int64_t neighbourhood, char out[static 32])
{
	size_t n = 0;
	struct space_row *list = world_spaces(p, &n);

	out[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (list[i].n == neighbourhood)
			snprintf(out, 32, "%s", list[i].remote);
	}
	free(list);
}

static void gift_add(struct world *w, const struct gift *g)
{
	w->gift = must_realloc(w->gift, (w->gifts + 1) * sizeof(*w->gift));
	w->gift[w->gifts++] = *g;
	host_push(w->hosts, g->remote, g->ref, g->name, buf_bytes(&g->file));
}

void world_push(struct player *p, const struct space_row *space, const struct gift *gift)
{
	struct gift g = *gift;

	remote_of(p, space->neighbourhood, g.remote);
	gift_add(p->w, &g);
}

void world_push_all(struct player *p, bool sent)
{
	sqlite3_stmt *st =
	    world_prepare(p, "SELECT ref, outgoing.name, file, space.neighbourhood FROM outgoing JOIN space "
	                     "ON space.n = outgoing.space WHERE space.neighbourhood <> 0 AND outgoing.state >= ?1 "
	                     "ORDER BY outgoing.n");

	sqlite3_bind_int(st, 1, sent);
	while (sqlite3_step(st) == SQLITE_ROW) {
		struct gift g = { 0 };
		struct bytes file = world_column(st, 2);

		if (file.len == 0 && !host_pushed(p->w->hosts, (const char *)sqlite3_column_text(st, 1), &file))
			continue;
		snprintf(g.ref, sizeof(g.ref), "%s", (const char *)sqlite3_column_text(st, 0));
		snprintf(g.name, sizeof(g.name), "%s", (const char *)sqlite3_column_text(st, 1));
		must(buf_put(&g.file, file.data, file.len) == ERR_OK, "out of memory");
		remote_of(p, sqlite3_column_int64(st, 3), g.remote);
		gift_add(p->w, &g);
	}
	sqlite3_finalize(st);
}

void world_push_again(struct world *w)
{
	for (size_t i = 0; i < w->gifts; i++)
		host_push(w->hosts, w->gift[i].remote, w->gift[i].ref, w->gift[i].name, buf_bytes(&w->gift[i].file));
}
