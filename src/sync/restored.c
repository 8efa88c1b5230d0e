// SPDX-License-Identifier: EUPL-1.2
// A restored home is not the device it was (S7).
#include "sync/restored.h"

#include "base/codec.h"

#define META_RESTORED "restored"

enum err restored_get(struct errctx *ec, struct sync *y, struct restored *out)
{
	struct buf b = { 0 };
	enum err e = store_meta_get(ec, y->store, META_RESTORED, &b);

	*out = (struct restored){ .is = e == ERR_OK };
	if (e == ERR_OK && b.len == 16) {
		out->made_ms = (int64_t)be64_get(b.data);
		out->restored_ms = (int64_t)be64_get(b.data + 8);
	}
	buf_free(&b);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err restored_mark(struct errctx *ec, struct sync *y, int64_t made_ms)
{
	uint8_t b[16];

	be64_put(b, (uint64_t)made_ms);
	be64_put(b + 8, (uint64_t)clock_now(y->clock));
	return store_meta_put(ec, y->store, META_RESTORED, (struct bytes){ b, sizeof(b) });
}

enum err restored_refuse(struct errctx *ec, struct sync *y)
{
	struct restored r;
	enum err e = restored_get(ec, y, &r);

	if (e != ERR_OK || !r.is)
		return e;
	return err_set(ec, ERR_LATER,
	               "This home was restored from a backup and is no longer the device it was. You can read and "
	               "write here, but not sync. To sync again, ask a member for an invitation and use it in a new "
	               "home.",
	               NULL, NULL, NULL);
}
