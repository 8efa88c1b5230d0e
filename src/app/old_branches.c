// SPDX-License-Identifier: EUPL-1.2
// Which branches are of the past. One is removed by a device that carried over what was written there, when all of that
// was seen at the remote.
#include "app/old_branches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/codec.h"
#include "store/store.h"
#include "sync/closing.h"

#define DAY_MS (24LL * 60 * 60 * 1000)

/* Did this device carry over what was written under closed epochs, and is all of it at the remote? */
static enum err carried_and_sent(struct errctx *ec, struct app *app, int64_t space, bool *out)
{
	struct buf carries = { 0 };
	uint64_t files = 0;
	uint64_t edits = 0;
	enum err e = store_kept_get(ec, app->store, space, "carries", &carries);

	*out = e == ERR_OK;
	buf_free(&carries);
	if (e == ERR_OK)
		e = store_outgoing_count(ec, app->store, space, &files, &edits);
	*out = *out && files == 0;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err epoch_add(struct errctx *ec, struct app *app, const struct space_row *space,
                          const struct epoch_row *epoch, bool may, struct old_branches *o)
{
	struct old_epoch *list = array_grown(o->epoch, o->n, sizeof(*list));
	char space_tag[TAG_TEXT_LEN];
	char epoch_tag[TAG_TEXT_LEN];
	int64_t at_ms = 0;
	enum err e = list == NULL ? ERR_NO_MEMORY : epoch_closed_at(ec, app->store, space->n, epoch->id, &at_ms);

	if (list == NULL)
		return e;
	o->epoch = list;
	tag_text(space->tag, space_tag);
	epoch_text(epoch->id, epoch_tag);
	list = &o->epoch[o->n++];
	*list = (struct old_epoch){ .go = may && at_ms > 0 && app_now_ms(app) - at_ms >= OLD_BRANCH_DAYS * DAY_MS };
	snprintf(list->prefix, sizeof(list->prefix), "refs/heads/%s/%s/", space_tag, epoch_tag);
	return e;
}

static enum err space_add(struct errctx *ec, struct app *app, const struct space_row *space, struct old_branches *o)
{
	struct epoch_row *list = NULL;
	size_t n = 0;
	bool may = false;
	enum err e = store_epoch_list(ec, app->store, space->n, &list, &n);

	if (e == ERR_OK)
		e = carried_and_sent(ec, app, space->n, &may);
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		if (list[i].state == EPOCH_CLOSED)
			e = epoch_add(ec, app, space, &list[i], may, o);
	free(list);
	return e;
}

enum err old_branches_load(struct errctx *ec, struct app *app, int64_t neighbourhood, struct old_branches *out)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, app->store, &list, &n);

	*out = (struct old_branches){ 0 };
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		if (list[i].neighbourhood == neighbourhood && list[i].state == SPACE_MEMBER)
			e = space_add(ec, app, &list[i], out);
	free(list);
	return e;
}

void old_branches_free(struct old_branches *o)
{
	free(o->epoch);
	*o = (struct old_branches){ 0 };
}

const struct old_epoch *old_branches_find(const struct old_branches *o, const char *ref)
{
	for (size_t i = 0; i < o->n; i++)
		if (strncmp(ref, o->epoch[i].prefix, strlen(o->epoch[i].prefix)) == 0)
			return &o->epoch[i];
	return NULL;
}
