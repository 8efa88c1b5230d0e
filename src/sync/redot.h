/* SPDX-License-Identifier: EUPL-1.2 */
/* Edits written again under other dots (S7), with whatever names them: what an edit is about, references between
 * records, retractions. Shared by the files of sync/. */
#ifndef SLB_SYNC_REDOT_H
#define SLB_SYNC_REDOT_H

#include "sync/keys.h"

/* What became of an edit's dot. */
struct redot_entry {
	struct dot from;
	struct dot to;
	uint32_t kind; /* of the record that it made; KIND_none */
};
struct redots {
	struct redot_entry *e; /* ascending by `from` within each device */
	size_t n;
};
void redots_free(struct redots *map);
/* In the order of each device's counters. */
enum err redots_add(struct redots *map, struct dot from, struct dot to, uint32_t kind) MUST_CHECK;
/* NULL: it stays what it is. */
const struct redot_entry *redots_find(const struct redots *map, struct dot d);

/* An edit to be written as `dot`, with what it names by the map. */
struct redotting {
	const struct redots *map;
	struct dot dot;
	const struct vv *had;  /* what its author had seen, whole */
	const struct vv *here; /* not NULL: what is here and will stand in its batch; then the edit says what it had not
	                        * seen of that */
};
enum err redot_write(struct errctx *ec, struct sync *y, const struct space_row *space, struct bytes edit,
                     const struct redotting *how, uint32_t *made) MUST_CHECK;

#endif
