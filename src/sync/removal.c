// SPDX-License-Identifier: EUPL-1.2
// Removing somebody (K1): a cut for each device, then an epoch without them.
#include "sync/removal.h"
#include "sync/epochs.h"

#include <stdlib.h>

#include "model/wire.h"
#include "sync/membership.h"
#include "sync/outbox.h"

enum err device_cut(struct errctx *ec, struct sync *y, const struct space_row *space, struct device_id dev)
{
	struct buf b = { 0 };
	enum err e = wire_put_bytes(&b, dev.b, DEVICE_ID_LEN);

	if (e == ERR_OK)
		e = control_add(ec, y, space->n, CONTROL_CUT, buf_bytes(&b));
	buf_free(&b);
	return e;
}

/* Begins an epoch, and seals what there is to tell under it. */
static enum err next_begin(struct errctx *ec, struct sync *y, const struct space_row *space)
{
	struct device_keys *keys = NULL;
	struct epoch_id epoch;
	enum err e = device_keys_load(ec, y, space->n, &keys);

	if (e == ERR_OK)
		e = epoch_begin(ec, y, space, keys, &epoch);
	if (e == ERR_OK)
		e = outbox_seal(ec, y, space);
	device_keys_free(keys);
	return e;
}

/* Whom it removes is to read that, so it goes under an epoch of which that one has the key. Where none may be written
 * under any more, one begins before the removal: an epoch that began in the same batch would leave it out (K1). */
static enum err epoch_ready(struct errctx *ec, struct sync *y, const struct space_row *space)
{
	struct epoch_id epoch;
	enum err e = epoch_choose(ec, y, space, &epoch);

	return e == ERR_NOT_FOUND ? next_begin(ec, y, space) : e;
}

/* Tells it under the epoch of now, and begins the next: but for one's own leaving, for then the others do. */
static enum err removed_tell(struct errctx *ec, struct sync *y, const struct space_row *space)
{
	bool left = false;
	enum err e = outbox_seal(ec, y, space);

	if (e == ERR_OK)
		e = membership_removed(ec, y, space, &left);
	return e == ERR_OK && !left ? next_begin(ec, y, space) : e;
}

enum err device_remove(struct errctx *ec, struct sync *y, const struct space_row *space, struct device_id dev)
{
	enum err e = epoch_ready(ec, y, space);

	if (e == ERR_OK)
		e = device_cut(ec, y, space, dev);
	return e == ERR_OK ? removed_tell(ec, y, space) : e;
}

enum err member_remove(struct errctx *ec, struct sync *y, const struct space_row *space, struct dot person,
                       size_t *devices)
{
	struct device_row *list = NULL;
	size_t n = 0;
	enum err e = store_device_list(ec, y->store, space->n, &list, &n);

	*devices = 0;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		if (list[i].state != DEVICE_ACTIVE || dot_cmp(list[i].member, person) != 0)
			continue;
		if (*devices == 0)
			e = epoch_ready(ec, y, space);
		if (e == ERR_OK)
			e = device_cut(ec, y, space, list[i].id);
		(*devices)++;
	}
	free(list);
	return e != ERR_OK || *devices == 0 ? e : removed_tell(ec, y, space);
}
