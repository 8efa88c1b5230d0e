// SPDX-License-Identifier: EUPL-1.2
// How far a compaction has come (K3): saying what was seen, saying that nothing is left here, and counting who said so.
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "model/wire.h"
#include "sync/box_keys.h"
#include "sync/closing.h"
#include "sync/compaction_inside.h"
#include "sync/epochs.h"
#include "sync/resting.h"

/* ---- Acknowledging ---- */

/* Is every device that is waited for done with the compaction before? */
static bool all_done(const struct council *v)
{
	bool all = !v->base.is || council_told_done(&v->m, v->space->me, v->base.hash);

	for (size_t i = 0; i < v->n; i++)
		all = all && (!v->base.is || council_told_done(&v->m, v->waited[i], v->base.hash));
	return all;
}

/* As long as a compaction goes on: has somebody named a box key under the epoch of now that one's last batch had not
 * seen? Old keys are destroyed when all have seen it, and people may not write for long. */
static enum err box_unseen(struct council *v, const struct vv *seen, bool *out)
{
	const struct epoch_begun *begun = NULL;
	struct epoch_id id;
	enum err e = all_done(v) ? ERR_NOT_FOUND : epoch_choose_in(v->ec, v->y, v->space, &v->m, &id);

	for (size_t i = 0; e == ERR_OK && i < v->m.epochs; i++)
		if (memcmp(v->m.epoch[i].id.b, id.b, EPOCH_ID_LEN) == 0)
			begun = &v->m.epoch[i];
	for (size_t i = 0; begun != NULL && i < v->m.boxes; i++) {
		const struct moment *at = &v->m.box[i].at;
		bool under = moment_saw(at, &begun->at) ||
		             (device_cmp(at->author, begun->at.author) == 0 && at->seq == begun->at.seq);

		*out = *out ||
		       (under && device_cmp(at->author, v->space->me) != 0 && !upto_holds(seen, at->author, at->seq));
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Is there an erase that one's own last batch had not seen? Then one says so. */
static enum err unacknowledged(struct council *v, bool *out)
{
	struct vv seen = { 0 };
	enum err e = store_context(v->ec, v->y->store, v->space->me, &seen);

	*out = false;
	for (size_t i = 0; e == ERR_OK && i < v->erasures; i++) {
		const struct erasure_row *row = &v->erasure[i].row;

		*out = *out || (!row->final && row->seq > 0 && device_cmp(row->edit.dev, v->space->me) != 0 &&
		                !upto_holds(&seen, row->edit.dev, row->seq));
	}
	if (e == ERR_OK)
		e = box_unseen(v, &seen, out);
	vv_free(&seen);
	return e;
}

enum err done_acknowledge(struct council *v)
{
	struct buf b = { 0 };
	bool due = false;
	enum err e = unacknowledged(v, &due);

	if (e == ERR_OK && due)
		e = wire_put_bytes(&b, "", 0);
	if (e == ERR_OK && due)
		e = control_add(v->ec, v->y, v->space->n, CONTROL_DONE, buf_bytes(&b));
	buf_free(&b);
	return e;
}

/* ---- Done here ---- */

enum err compaction_epoch_after(struct errctx *ec, struct sync *y, const struct space_row *space,
                                const struct membership *m, struct epoch_id epoch, bool *after)
{
	struct base base = { 0 };
	const struct epoch_begun *begun = NULL;
	enum err e = store_base(ec, y->store, space->n, &base);

	for (size_t i = 0; i < m->epochs; i++)
		if (memcmp(m->epoch[i].id.b, epoch.b, EPOCH_ID_LEN) == 0 &&
		    !members_void(&m->members, m->epoch[i].at.author, m->epoch[i].at.seq))
			begun = &m->epoch[i];
	*after = !base.is;
	/* of one whose record is not sealed yet nothing is known: it is one's own, of just now */
	if (e == ERR_OK && base.is) {
		*after = true;
		for (size_t i = 0; begun != NULL && i < m->votes; i++)
			if (m->vote[i].round == base.round && memcmp(m->vote[i].hash, base.hash, HASH_LEN) == 0)
				*after = *after && moment_saw(&begun->at, &m->vote[i].at);
	}
	vv_free(&base.at);
	return e;
}

/* Are all keys gone that are older than the snapshot in force, and every trace of what it took away? */
static enum err is_done(struct errctx *ec, struct sync *y, const struct space_row *space, const struct membership *m,
                        bool *done)
{
	struct epoch_row *list = NULL;
	size_t n = 0;
	bool old = false;
	enum err e = store_forget_due(ec, y->store, &old);

	*done = !old;
	if (e == ERR_OK) /* such a batch may hold what was erased */
		e = council_forked(ec, y, space->n, &old);
	*done = *done && !old;
	if (e == ERR_OK)
		e = old_boxes_any(ec, y, space, &old);
	*done = *done && !old;
	if (e == ERR_OK)
		e = store_epoch_list(ec, y->store, space->n, &list, &n);
	for (size_t i = 0; e == ERR_OK && *done && i < n; i++)
		if (list[i].state != EPOCH_CLOSED)
			e = compaction_epoch_after(ec, y, space, m, list[i].id, done);
	free(list);
	return e;
}

enum err compaction_tell(struct errctx *ec, struct sync *y, const struct space_row *space)
{
	struct membership m = { 0 };
	struct base base = { 0 };
	struct buf told = { 0 };
	struct buf b = { 0 };
	bool done = false;
	enum err e = store_base(ec, y->store, space->n, &base);

	if (e == ERR_OK && base.is) {
		e = store_kept_get(ec, y->store, space->n, KEPT_TOLD, &told);
		done = told.len == HASH_LEN && memcmp(told.data, base.hash, HASH_LEN) == 0;
		e = e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	if (e != ERR_OK || !base.is || done)
		goto end;
	e = membership_load(ec, y, space, &m);
	if (e == ERR_OK)
		e = is_done(ec, y, space, &m, &done);
	if (e == ERR_OK && done)
		e = wire_put_bytes(&b, base.hash, HASH_LEN);
	if (e == ERR_OK && done)
		e = control_add(ec, y, space->n, CONTROL_DONE, buf_bytes(&b));
	if (e == ERR_OK && done)
		e = store_kept_put(ec, y->store, space->n, KEPT_TOLD, (struct bytes){ base.hash, HASH_LEN });
end:
	membership_free(&m);
	vv_free(&base.at);
	buf_free(&told);
	buf_free(&b);
	return e;
}

static enum err count_device(struct errctx *ec, struct sync *y, const struct membership *m, const struct base *base,
                             const struct standing *s, struct compaction_progress *out)
{
	struct device_row row;
	bool rests = false;
	enum err e = ERR_OK;

	if (membership_is_paper(m, s->device)) {
		out->paper = out->paper || standing_in(s);
		return ERR_OK;
	}
	if (!standing_in(s)) {
		out->removed += s->in;
		return ERR_OK;
	}
	if (base->is && council_told_done(m, s->device, base->hash)) {
		out->done++;
		return ERR_OK;
	}
	e = store_device_by_id(ec, y->store, s->device, &row);
	if (e == ERR_OK)
		e = device_is_resting(ec, y, &row, &rests);
	out->resting += rests;
	out->active += !rests;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err compaction_progress(struct errctx *ec, struct sync *y, const struct space_row *space,
                             struct compaction_progress *out)
{
	struct membership m = { 0 };
	struct base base = { 0 };
	struct buf at = { 0 };
	enum err e = store_base(ec, y->store, space->n, &base);

	*out = (struct compaction_progress){ .any = base.is };
	if (e == ERR_OK)
		e = membership_load(ec, y, space, &m);
	if (e == ERR_OK) {
		e = store_kept_get(ec, y->store, space->n, KEPT_CUT_AT, &at);
		out->at_ms = at.len == 8 ? (int64_t)be64_get(at.data) : 0;
		e = e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	for (size_t i = 0; e == ERR_OK && i < m.members.devices; i++)
		e = count_device(ec, y, &m, &base, &m.members.device[i], out);
	membership_free(&m);
	vv_free(&base.at);
	buf_free(&at);
	return e;
}
