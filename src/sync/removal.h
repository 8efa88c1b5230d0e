/* SPDX-License-Identifier: EUPL-1.2 */
/* Removing a person's devices from a space (K1). What they sealed beyond what is here does not count from then on, for
 * anybody; what is written next goes out under a new epoch whose key they do not get. */
#ifndef SLB_SYNC_REMOVAL_H
#define SLB_SYNC_REMOVAL_H

#include "sync/keys.h"

/* Removes every device of the person that is in, seals that under the epoch of now, so that the removed are told too,
 * and begins the next epoch. *devices: how many; 0 where the person has none left, and nothing was done then. Rights
 * are the caller's to check: what its device is not entitled to counts nowhere. Within a transaction. */
enum err member_remove(struct errctx *ec, struct sync *y, const struct space_row *space, struct dot person,
                       size_t *devices) MUST_CHECK;

/* Puts into the next batch that the device is removed, and nothing more. Within a transaction. */
enum err device_cut(struct errctx *ec, struct sync *y, const struct space_row *space, struct device_id dev) MUST_CHECK;

/* The same as member_remove() for one device; of the own person everybody may. Within a transaction. */
enum err device_remove(struct errctx *ec, struct sync *y, const struct space_row *space,
                       struct device_id dev) MUST_CHECK;

#endif
