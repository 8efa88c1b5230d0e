/* SPDX-License-Identifier: EUPL-1.2 */
/* Shared by those who look into the stores of simulated devices. */
#ifndef SLB_TESTS_SIM_WORLD_INSIDE_H
#define SLB_TESTS_SIM_WORLD_INSIDE_H

#include <sqlite3.h>

#include "sim/world.h"

/* One more device, with an empty disk and no home. */
struct player *world_player(struct world *w);
void world_open_or_fail(struct player *p, bool create);
void world_backups_free(struct world *w);

/* What a device holds of a space of the model. */
struct holding *world_holding(struct player *p, size_t space);
/* The space of the model as it is on a device; false where it is not there. */
bool world_space_of(struct player *p, size_t s, struct space_row *out);

/* The batches of a space that those who are in it hold together. */
void world_together(struct world *w, size_t s, struct set *batches);

/* A query on a device's store, to be finalized; fails the seed where it is none. */
sqlite3_stmt *world_prepare(struct player *p, const char *sql);
struct bytes world_column(sqlite3_stmt *st, int i);

#endif
