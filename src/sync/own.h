/* SPDX-License-Identifier: EUPL-1.2 */
/* A person's own space on several devices: what the own space becomes that a new home began with. */
#ifndef SLB_SYNC_OWN_H
#define SLB_SYNC_OWN_H

#include "sync/keys.h"

/* The own space that is in use: the one that is not still coming in. ERR_NOT_FOUND without text. */
enum err own_space(struct errctx *ec, struct sync *y, struct space_row *out) MUST_CHECK;

/* Did a person write something in this own space (more than its founding)? And has it one device alone? */
struct own_use {
	bool written;
	bool alone;
};
enum err own_use(struct errctx *ec, struct sync *y, const struct space_row *own, struct own_use *out) MUST_CHECK;

/* `joined` is another device's own space, all of it here. What was written in the one that this home began with is
 * written there again, edit by edit in its order, so that records keep their history; in the old space only an erased
 * trace stays, and its state becomes SPACE_GONE. *carried grows by the number of records. Within a transaction. */
enum err own_give_way(struct errctx *ec, struct sync *y, const struct space_row *joined, uint64_t *carried) MUST_CHECK;

#endif
