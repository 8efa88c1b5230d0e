// SPDX-License-Identifier: EUPL-1.2
// A restored home is not the device it was (S7).
#include "sync/restored.h"

#include <stdlib.h>

#include "base/codec.h"

#define META_RESTORED "restored"
#define KEPT_BACK "back"

enum err restored_get(struct errctx *ec, struct sync *y, struct restored *out)
{
	struct buf b = { 0 };
	enum err e = store_meta_get(ec, y->store, META_RESTORED, &b);

	*out = (struct restored){ .is = e == ERR_OK && b.len > 0 }; /* empty: it was, and came back */
	if (e == ERR_OK && b.len == 16) {
		out->made_ms = (int64_t)be64_get(b.data);
		out->restored_ms = (int64_t)be64_get(b.data + 8);
	}
	buf_free(&b);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err restored_mark(struct errctx *ec, struct sync *y, int64_t made_ms)
{
	struct space_row *list = NULL;
	size_t n = 0;
	uint8_t b[16];
	enum err e = store_space_list(ec, y->store, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++)
		e = store_kept_delete(ec, y->store, list[i].n, KEPT_BACK);
	free(list);
	if (e != ERR_OK)
		return e;
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
	               "write here, but not sync. To come back among the others, type: sleutelbos rejoin",
	               NULL, NULL, NULL);
}

enum err restored_away(struct errctx *ec, struct sync *y, int64_t space, bool *away)
{
	struct restored r;
	struct buf b = { 0 };
	enum err e = restored_get(ec, y, &r);

	*away = false;
	if (e != ERR_OK || !r.is)
		return e;
	e = store_kept_get(ec, y->store, space, KEPT_BACK, &b);
	*away = e == ERR_NOT_FOUND;
	buf_free(&b);
	return *away ? ERR_OK : e;
}

enum err restored_back(struct errctx *ec, struct sync *y, int64_t space)
{
	static const uint8_t yes = 1;

	return store_kept_put(ec, y->store, space, KEPT_BACK, (struct bytes){ &yes, sizeof(yes) });
}

enum err restored_end(struct errctx *ec, struct sync *y)
{
	struct restored r;
	struct space_row *list = NULL;
	bool all = true;
	size_t n = 0;
	enum err e = restored_get(ec, y, &r);

	if (e != ERR_OK || !r.is)
		return e;
	e = store_space_list(ec, y->store, &list, &n);
	for (size_t i = 0; e == ERR_OK && i < n && all; i++) {
		bool away = false;

		if (list[i].state != SPACE_MEMBER)
			continue;
		e = restored_away(ec, y, list[i].n, &away);
		all = !away;
	}
	for (size_t i = 0; e == ERR_OK && i < n && all; i++)
		e = store_kept_delete(ec, y->store, list[i].n, KEPT_BACK);
	if (e == ERR_OK && all)
		e = store_meta_put(ec, y->store, META_RESTORED, (struct bytes){ (const uint8_t *)"", 0 });
	free(list);
	return e;
}
