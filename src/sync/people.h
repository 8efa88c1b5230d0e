/* SPDX-License-Identifier: EUPL-1.2 */
/* Every space of a store and every device of these, by their local numbers: for going through batches of many authors
 * without asking the store for each. */
#ifndef SLB_SYNC_PEOPLE_H
#define SLB_SYNC_PEOPLE_H

#include "store/store.h"
#include "sync/keys.h"

struct people {
	struct space_row *space;
	size_t spaces;
	struct device_row *device; /* of all spaces */
	size_t devices;
};

/* As it is now. `out` is empty before; people_free() it, after an error as well. */
enum err people_load(struct errctx *ec, struct sync *y, struct people *out) MUST_CHECK;
void people_free(struct people *p);
/* NULL: there is none with this local number. Belongs to `p`. */
const struct space_row *people_space(const struct people *p, int64_t n);
const struct device_row *people_device(const struct people *p, int64_t n);

#endif
