/* SPDX-License-Identifier: EUPL-1.2 */
/* The part of sync/rebuild.h that writes again what was written here and never sealed. */
#ifndef SLB_SYNC_UNSEALED_H
#define SLB_SYNC_UNSEALED_H

#include "sync/people.h"
#include "sync/rebuild.h"

struct unsealed_job {
	const struct salvage *old;
	const struct people *people;
	const struct space_row *space;
	const struct device_row *me; /* this device in that space */
	uint64_t head;               /* the last edit of its own that a batch brought back; 0: none */
};

/* Every edit of this device beyond `head` that anything readable names, in order; counts them in `out`. In a
 * transaction. ERR_DAMAGED with a sentence: the first edit of the device is gone, on which all others stand. */
enum err unsealed_again(struct errctx *ec, struct sync *y, const struct unsealed_job *job,
                        struct rebuilt *out) MUST_CHECK;

#endif
