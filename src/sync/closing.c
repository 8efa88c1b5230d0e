// SPDX-License-Identifier: EUPL-1.2
// Epochs that nobody writes under any more are closed and their keys destroyed (K3); what was written under them, and
// keys that somebody was left without, are handed on.
#include "sync/closing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "crypto/secret.h"
#include "sync/box_keys.h"
#include "sync/carry.h"
#include "sync/compaction.h"
#include "sync/epochs.h"
#include "sync/resting.h"

/* ---- Closing ---- */

static const struct epoch_begun *begun(const struct membership *m, struct epoch_id id)
{
	for (size_t i = 0; i < m->epochs; i++)
		if (memcmp(m->epoch[i].id.b, id.b, EPOCH_ID_LEN) == 0 &&
		    !members_void(&m->members, m->epoch[i].at.author, m->epoch[i].at.seq))
			return &m->epoch[i];
	return NULL;
}

/* Does `what` lie in the past of `at`, or in the same batch? */
static bool saw_or_same(const struct moment *at, const struct moment *what)
{
	return moment_saw(at, what) || (device_cmp(at->author, what->author) == 0 && at->seq == what->seq);
}

/* The batch in which a device named a box key knowing of this epoch; 0: none yet. */
static uint64_t moved_at(const struct membership *m, const struct epoch_begun *epoch, struct device_id dev)
{
	uint64_t seq = 0;

	for (size_t i = 0; i < m->boxes; i++) {
		const struct moment *at = &m->box[i].at;

		if (device_cmp(at->author, dev) == 0 && saw_or_same(at, &epoch->at) && at->seq > seq)
			seq = at->seq;
	}
	return seq;
}

/* Those who are in, but for oneself, sheets of paper, and who rests. */
enum err device_is_waited_for(struct errctx *ec, struct sync *y, const struct space_row *space,
                              const struct membership *m, const struct standing *s, bool *out)
{
	struct device_row row;
	bool rests = false;
	enum err e = ERR_OK;

	*out = standing_in(s) && device_cmp(s->device, space->me) != 0 && !membership_is_paper(m, s->device);
	if (!*out)
		return ERR_OK;
	e = store_device_by_id(ec, y->store, s->device, &row);
	if (e == ERR_OK)
		e = device_is_resting(ec, y, &row, &rests);
	*out = !rests;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Is the box key of now the one that this batch named? Else a newer one is not even sealed yet. */
static enum err box_key_told(struct errctx *ec, struct sync *y, const struct space_row *space,
                             const struct membership *m, uint64_t seq, bool *out)
{
	struct device_keys *keys = NULL;
	enum err e = device_keys_load(ec, y, space->n, &keys);

	*out = false;
	for (size_t i = 0; e == ERR_OK && i < m->boxes; i++)
		*out = *out || (device_cmp(m->box[i].at.author, space->me) == 0 && m->box[i].at.seq == seq &&
		                memcmp(m->box[i].key, keys->public.box, BOX_PUBLIC_LEN) == 0);
	device_keys_free(keys);
	return e;
}

/* Has everybody who is waited for written under this epoch, and seen the box key that this device named there? */
static enum err all_moved(struct errctx *ec, struct sync *y, const struct space_row *space, const struct membership *m,
                          const struct epoch_begun *epoch, bool *all)
{
	uint64_t mine = moved_at(m, epoch, space->me);
	struct vv seen = { 0 };
	bool told = false;
	enum err e = box_key_told(ec, y, space, m, mine, &told);

	*all = mine > 0 && told;
	for (size_t i = 0; e == ERR_OK && *all && i < m->members.devices; i++) {
		const struct standing *s = &m->members.device[i];
		const struct vv_entry *me = NULL;
		bool waited = false;

		e = device_is_waited_for(ec, y, space, m, s, &waited);
		if (e != ERR_OK || !waited)
			continue;
		*all = moved_at(m, epoch, s->device) > 0;
		if (*all)
			e = store_context(ec, y->store, s->device, &seen);
		me = vv_get(&seen, space->me);
		*all = *all && e == ERR_OK && me != NULL && me->seq >= mine;
	}
	vv_free(&seen);
	return e;
}

/* Is a device with this tag waited for? Tags are everybody's own choice, and two may have one. */
static enum err tag_is_waited_for(struct errctx *ec, struct sync *y, const struct space_row *space,
                                  const struct membership *m, const struct device_row *list, size_t n, struct tag tag,
                                  bool *out)
{
	enum err e = ERR_OK;

	*out = false;
	for (size_t i = 0; e == ERR_OK && i < n && !*out; i++) {
		const struct standing *s = members_find(&m->members, list[i].id);

		if (s != NULL && memcmp(list[i].tag.b, tag.b, TAG_LEN) == 0)
			e = device_is_waited_for(ec, y, space, m, s, out);
	}
	return e;
}

/* The first device with its tag: files are counted by tag. One that is only named has none yet. */
static bool is_first_of_tag(const struct device_row *list, size_t i)
{
	bool first = list[i].state != DEVICE_NAMED;

	for (size_t k = 0; k < i; k++)
		first = first && memcmp(list[k].tag.b, list[i].tag.b, TAG_LEN) != 0;
	return first;
}

/* How many files wait here that closing would leave unread? Those sealed under an epoch that is closed then, by a
 * device that is waited for, or by a copy of this one. No others: what has no key here gets none by waiting, for
 * whoever writes under it gives it for the box key of now; who is not waited for carries its own over when it comes
 * back; and of whom nobody has heard, nobody who is waited for let in, for those have all moved on. So what a host
 * makes up, or a member seals without a name, holds nothing up (K3). */
static enum err left_unread(struct errctx *ec, struct sync *y, const struct space_row *space,
                            const struct membership *m, struct epoch_id chosen, uint64_t *out)
{
	struct device_row *list = NULL;
	size_t n = 0;
	enum err e = store_device_list(ec, y->store, space->n, &list, &n);

	*out = 0;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		uint64_t files = 0;
		bool waited = memcmp(list[i].tag.b, space->my_tag.b, TAG_LEN) == 0;

		if (!is_first_of_tag(list, i))
			continue;
		if (!waited)
			e = tag_is_waited_for(ec, y, space, m, list, n, list[i].tag, &waited);
		if (e == ERR_OK && waited)
			e = store_waiting_causes_of(ec, y->store, space->n, list[i].tag, chosen, &files);
		*out += files;
	}
	free(list);
	return e;
}

/* How many files wait for a key under which somebody writes who is not waited for? No key that is held here opens them,
 * and whoever comes back gives theirs for the box keys of then. */
static enum err waiting_in_vain(struct errctx *ec, struct sync *y, const struct space_row *space,
                                const struct membership *m, uint64_t *out)
{
	struct device_row *list = NULL;
	size_t n = 0;
	enum err e = store_device_list(ec, y->store, space->n, &list, &n);

	*out = 0;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		uint64_t files = 0;
		bool waited = false;

		if (!is_first_of_tag(list, i) || device_cmp(list[i].id, space->me) == 0)
			continue;
		e = tag_is_waited_for(ec, y, space, m, list, n, list[i].tag, &waited);
		if (e == ERR_OK && !waited)
			e = store_waiting_keys_of(ec, y->store, space->n, list[i].tag, &files);
		*out += files;
	}
	free(list);
	return e;
}

enum err space_awaits(struct errctx *ec, struct sync *y, const struct space_row *space, const struct membership *m,
                      bool *some)
{
	uint64_t waiting = 0;
	uint64_t in_vain = 0;
	enum err e = store_waiting_of(ec, y->store, space->n, &waiting);

	if (e == ERR_OK && waiting > 0)
		e = waiting_in_vain(ec, y, space, m, &in_vain);
	*some = waiting > in_vain;
	return e;
}

/* May something unheard of undo this removal of a device? Its own answer, if it is senior to whoever removed it and did
 * not know yet (model/cuts.h). Not of one that goes on under another id: it asked for that itself. */
static bool may_be_undone(const struct members *m, const struct standing *t)
{
	bool any = false;

	for (size_t i = 0; i < m->acts; i++) {
		const struct act *a = &m->act[i];
		const struct standing *by = members_find(m, a->at.author);

		if (a->type == ACT_ADMIT && a->counts && device_cmp(a->goes_on, t->device) == 0)
			return false;
		if (a->type != ACT_CUT || !a->counts || device_cmp(a->device, t->device) != 0)
			continue;
		any = true;
		if (by == NULL || by->rank < t->rank || device_cmp(by->device, t->device) == 0)
			return false;
	}
	return any;
}

/* Had it seen a removal of itself when it wrote last? */
static enum err knows_it_is_out(struct errctx *ec, struct sync *y, const struct members *m, const struct standing *t,
                                bool *out)
{
	struct vv seen = { 0 };
	enum err e = store_context(ec, y->store, t->device, &seen);

	*out = false;
	for (size_t i = 0; e == ERR_OK && i < m->acts; i++) {
		const struct act *a = &m->act[i];
		const struct vv_entry *by = vv_get(&seen, a->at.author);

		*out = *out || (a->type == ACT_CUT && a->counts && device_cmp(a->device, t->device) == 0 &&
		                by != NULL && by->seq >= a->at.seq);
	}
	vv_free(&seen);
	return e;
}

/* Is somebody out who may have answered that, which would count? It would come under an epoch of before, and whoever
 * has closed that never learns of it, nor of what those write who do: so it stays until that one rests. */
static enum err answer_awaited(struct errctx *ec, struct sync *y, const struct membership *m, bool *out)
{
	enum err e = ERR_OK;

	*out = false;
	for (size_t i = 0; e == ERR_OK && i < m->members.devices && !*out; i++) {
		const struct standing *t = &m->members.device[i];
		int64_t days = 0;
		bool knows = false;

		if (!t->in || standing_in(t) || !may_be_undone(&m->members, t))
			continue;
		e = device_quiet_days(ec, y, t->device, &days);
		if (e == ERR_OK && days >= 0 && days < RESTING_DAYS)
			e = knows_it_is_out(ec, y, &m->members, t, &knows);
		*out = e == ERR_OK && days >= 0 && days < RESTING_DAYS && !knows;
	}
	return e;
}

/* Does anything of this space still come or go? */
static enum err is_quiet(struct errctx *ec, struct sync *y, const struct space_row *space, const struct membership *m,
                         struct epoch_id chosen, bool *quiet)
{
	uint64_t files = 0;
	uint64_t edits = 0;
	uint64_t waiting = 0;
	uint64_t unread = 0;
	enum err e = store_outgoing_count(ec, y->store, space->n, &files, &edits);

	if (e == ERR_OK)
		e = store_waiting_of(ec, y->store, space->n, &waiting);
	if (e == ERR_OK && waiting > 0)
		e = left_unread(ec, y, space, m, chosen, &unread);
	/* of a space that goes nowhere yet, files wait for ever: what they hold is carried over */
	*quiet = (files == 0 || space->neighbourhood == 0) && unread == 0;
	return e;
}

/* Who carries what was written under the old ones over: the member that joined first, of those that are waited for. */
static enum err carries(struct errctx *ec, struct sync *y, const struct space_row *space, const struct membership *m,
                        bool *out)
{
	const struct standing *first = NULL;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < m->members.devices; i++) {
		const struct standing *s = &m->members.device[i];
		bool among = device_cmp(s->device, space->me) == 0;

		if (!among)
			e = device_is_waited_for(ec, y, space, m, s, &among);
		if (among && (first == NULL || s->rank < first->rank))
			first = s;
	}
	*out = first != NULL && device_cmp(first->device, space->me) == 0;
	return e;
}

#define KEPT_CLOSED "closed:"

static void closed_name(struct epoch_id id, char out[static 64])
{
	snprintf(out, 64, KEPT_CLOSED);
	hex_put(id.b, 16, out + strlen(KEPT_CLOSED));
}

static enum err closed_note(struct errctx *ec, struct sync *y, int64_t space, struct epoch_id id)
{
	char name[64];
	uint8_t now[8];

	closed_name(id, name);
	be64_put(now, (uint64_t)clock_now(y->clock));
	return store_kept_put(ec, y->store, space, name, (struct bytes){ now, sizeof(now) });
}

enum err epoch_closed_at(struct errctx *ec, struct store *s, int64_t space, struct epoch_id id, int64_t *at_ms)
{
	char name[64];
	struct buf b = { 0 };
	enum err e = ERR_OK;

	closed_name(id, name);
	e = store_kept_get(ec, s, space, name, &b);
	*at_ms = e == ERR_OK && b.len == 8 ? (int64_t)be64_get(b.data) : 0;
	buf_free(&b);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Closes all epochs but the one that is written under. */
static enum err close_others(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id but,
                             size_t *closed)
{
	struct epoch_row *list = NULL;
	size_t n = 0;
	enum err e = store_epoch_list(ec, y->store, space->n, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		if (list[i].state == EPOCH_CLOSED || memcmp(list[i].id.b, but.b, EPOCH_ID_LEN) == 0)
			continue;
		list[i].state = EPOCH_CLOSED;
		e = store_epoch_put(ec, y->store, &list[i]);
		if (e == ERR_OK)
			e = epoch_key_destroy(ec, y, space->n, list[i].id);
		if (e == ERR_OK)
			e = store_waiting_drop(ec, y->store, space->n, list[i].id);
		if (e == ERR_OK)
			e = closed_note(ec, y, space->n, list[i].id);
		(*closed)++;
	}
	free(list);
	return e;
}

static enum err some_to_close(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id but,
                              bool *some)
{
	struct epoch_row *list = NULL;
	size_t n = 0;
	enum err e = old_boxes_any(ec, y, space, some); /* a box of a closed epoch may have come late to one */

	if (e == ERR_OK)
		e = store_epoch_list(ec, y->store, space->n, &list, &n);
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		*some = *some || (list[i].state != EPOCH_CLOSED && memcmp(list[i].id.b, but.b, EPOCH_ID_LEN) != 0);
	free(list);
	return e;
}

static enum err epochs_close(struct errctx *ec, struct sync *y, const struct space_row *space,
                             const struct membership *m, struct epoch_id chosen, size_t *closed)
{
	const struct epoch_begun *epoch = begun(m, chosen);
	bool good = false;
	bool mine = false;
	enum err e = some_to_close(ec, y, space, chosen, &good);

	if (e == ERR_OK && good)
		e = is_quiet(ec, y, space, m, chosen, &good);
	if (e == ERR_OK && good) { /* else what is erased would go out once more, under a key that stays */
		bool pending = false;

		e = compaction_pending(ec, y, space, &pending);
		good = !pending;
	}
	good = good && epoch != NULL;
	if (e == ERR_OK && good) {
		bool awaited = false;

		e = answer_awaited(ec, y, m, &awaited);
		good = !awaited;
	}
	if (e == ERR_OK && good)
		e = all_moved(ec, y, space, m, epoch, &good);
	if (e == ERR_OK && good)
		e = close_others(ec, y, space, chosen, closed);
	if (e == ERR_OK && good)
		e = old_boxes_destroy(ec, y, space);
	if (e == ERR_OK && *closed > 0)
		e = carries(ec, y, space, m, &mine);
	if (e == ERR_OK && mine)
		e = carry_all(ec, y, space, chosen);
	return e == ERR_OK && good ? store_forget_ask(ec, y->store) : e;
}

/* ---- Handing on ---- */

/* Did this member not get the key from whoever began the epoch, nor from whoever let it in? It was removed in the eyes
 * of the one, by a removal that does not count (any more); or neither of them knew what the other did. */
static bool lacks_key(const struct members *m, const struct epoch_begun *epoch, struct device_id dev)
{
	bool told = device_cmp(dev, m->founder) == 0;

	for (size_t i = 0; i < m->acts; i++) {
		const struct act *a = &m->act[i];

		if (a->type != ACT_CUT && a->type != ACT_ADMIT)
			continue;
		if (device_cmp(a->device, dev) != 0 || a->counts == (a->type == ACT_CUT))
			continue;
		if (a->type == ACT_CUT && saw_or_same(&epoch->at, &a->at))
			return true;
		told = told ||
		       (a->type == ACT_ADMIT && (saw_or_same(&epoch->at, &a->at) || moment_saw(&a->at, &epoch->at)));
	}
	return !told;
}

/* Did two let it in, of whom one knew nothing of the epoch? It may have come in by the answer of that one. */
static bool let_in_twice(const struct members *m, const struct epoch_begun *epoch, struct device_id dev)
{
	for (size_t i = 0; i < m->acts; i++) {
		const struct act *a = &m->act[i];

		if (a->type == ACT_ADMIT && a->counts && device_cmp(a->device, dev) == 0 &&
		    !moment_saw(&epoch->at, &a->at) && !moment_saw(&a->at, &epoch->at) &&
		    device_cmp(a->at.author, epoch->at.author) != 0)
			return true;
	}
	return false;
}

/* Did this member name another box key, or have another one told, when neither knew of the other? It may not have the
 * one any more that the epoch's key came to. */
static bool renewed_meanwhile(const struct membership *m, const struct epoch_begun *epoch, struct device_id dev)
{
	bool renewed = false;
	for (size_t i = 0; i < m->boxes; i++) {
		const struct moment *at = &m->box[i].at;

		if (device_cmp(at->author, dev) != 0)
			continue;
		if (moment_saw(at, &epoch->at))
			return false;
		renewed = renewed || !moment_saw(&epoch->at, at);
	}
	for (size_t i = 0; i < m->reboxes; i++)
		renewed =
		    renewed || (device_cmp(m->rebox[i].device, dev) == 0 && !saw_or_same(&epoch->at, &m->rebox[i].at));
	return renewed && device_cmp(dev, epoch->at.author) != 0;
}

/* The newest box key that a device named, whether that counts or not; false: it named none. */
static bool box_named_last(const struct membership *m, struct device_id dev, uint8_t out[static BOX_PUBLIC_LEN])
{
	uint64_t seq = 0;

	for (size_t i = 0; i < m->boxes; i++) {
		if (device_cmp(m->box[i].at.author, dev) != 0 || m->box[i].at.seq < seq)
			continue;
		seq = m->box[i].at.seq;
		memcpy(out, m->box[i].key, BOX_PUBLIC_LEN);
	}
	return seq > 0;
}

/* Is it in need of the key? Whoever took in the batch with which the epoch began had it then, and may have closed it
 * since. */
static enum err needs_key(struct errctx *ec, struct sync *y, const struct membership *m,
                          const struct epoch_begun *epoch, struct device_id dev, bool *out)
{
	struct vv seen = { 0 };
	const struct vv_entry *e = NULL;
	enum err result = ERR_OK;

	*out = lacks_key(&m->members, epoch, dev);
	if (*out || (!renewed_meanwhile(m, epoch, dev) && !let_in_twice(&m->members, epoch, dev)))
		return ERR_OK;
	result = store_context(ec, y->store, dev, &seen);
	e = vv_get(&seen, epoch->at.author);
	*out = e == NULL || e->seq < epoch->at.seq;
	vv_free(&seen);
	return result;
}

/* Does this removal leave out the device, by name or with the one that let it in? */
static bool leaves_out(const struct members *m, const struct act *cut, struct device_id dev)
{
	if (cut->type != ACT_CUT || !cut->counts)
		return false;
	for (size_t i = 0; i < m->acts; i++) {
		const struct act *a = &m->act[i];

		if (a->type == ACT_ADMIT && device_cmp(a->device, dev) == 0 &&
		    device_cmp(a->at.author, cut->device) == 0 && !moment_saw(&cut->at, &a->at))
			return true;
	}
	return device_cmp(cut->device, dev) == 0;
}

/* Is it out, without the key, and did whoever began the epoch know of no removal that leaves it out? It may have been
 * told of one under that. */
static bool lacks_the_news(const struct members *m, const struct epoch_begun *epoch, struct device_id dev)
{
	bool out = false;

	for (size_t i = 0; i < m->acts; i++) {
		const struct act *a = &m->act[i];

		if (a->type == ACT_ADMIT && device_cmp(a->device, dev) == 0 &&
		    (saw_or_same(&epoch->at, &a->at) || moment_saw(&a->at, &epoch->at)))
			return false; /* it has the key */
		if (!leaves_out(m, a, dev))
			continue;
		if (saw_or_same(&epoch->at, &a->at))
			return false;
		out = true;
	}
	return out && device_cmp(dev, m->founder) != 0;
}

/* The name of such a file: once for each device, and once more for each box key that others told of it. (Not for each
 * that it names itself: it names another one after every box that comes.) */
#define HANDED_NAME_LEN (4 + 2 * DEVICE_ID_LEN + 1 + 8 + 1)
static void handed_name(const struct membership *m, struct device_id to, char out[static HANDED_NAME_LEN])
{
	const struct reboxed *last = NULL;
	char dev[2 * DEVICE_ID_LEN + 1];
	char key[9] = "";

	for (size_t i = 0; i < m->reboxes; i++)
		if (device_cmp(m->rebox[i].device, to) == 0 && (last == NULL || m->rebox[i].number >= last->number))
			last = &m->rebox[i];
	hex_put(to.b, DEVICE_ID_LEN, dev);
	if (last != NULL)
		hex_put(last->key, 4, key);
	snprintf(out, HANDED_NAME_LEN, "for-%s%s%s", dev, last != NULL ? "-" : "", key);
}

static enum err hand_on(struct errctx *ec, struct sync *y, const struct space_row *space, const struct membership *m,
                        const struct device_keys *keys, struct epoch_id id, struct device_id to)
{
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	struct device_row device;
	struct recipient r = { .dev = to };
	char name[HANDED_NAME_LEN];
	enum err e = secret == NULL ? ERR_NO_MEMORY : store_device_by_id(ec, y->store, to, &device);

	if (e == ERR_OK)
		e = epoch_key_load(ec, y, space->n, id, secret);
	if (e == ERR_OK) {
		handed_name(m, to, name);
		if (device.state != DEVICE_REMOVED || !box_named_last(m, to, r.box_public))
			memcpy(r.box_public, device.box, BOX_PUBLIC_LEN);
		e = boxes_publish(ec, y, space, keys, &(struct boxing){ id, secret, &r, 1, name }); /* once */
	}
	secret_free(secret);
	return e == ERR_NOT_FOUND ? ERR_OK : e; /* destroyed: what was written under it is carried over */
}

/* Members get the keys of epochs that began without them: others read what was written there, and build on it. So does
 * a device that is out, up to where it reads that: whoever knows of the removal writes under none of those (K1). */
static enum err epochs_hand_on(struct errctx *ec, struct sync *y, const struct space_row *space,
                               const struct membership *m)
{
	struct device_keys *keys = NULL;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && (m->removals + m->reboxes > 0 || m->epochs > 1) && i < m->epochs; i++) {
		for (size_t k = 0; e == ERR_OK && k < m->members.devices; k++) {
			const struct standing *s = &m->members.device[k];
			bool needs = false;

			if (device_cmp(s->device, space->me) == 0)
				continue;
			needs = !standing_in(s) && lacks_the_news(&m->members, &m->epoch[i], s->device);
			if (standing_in(s))
				e = needs_key(ec, y, m, &m->epoch[i], s->device, &needs);
			if (e != ERR_OK || !needs)
				continue;
			e = keys != NULL ? ERR_OK : device_keys_load(ec, y, space->n, &keys);
			if (e == ERR_OK)
				e = hand_on(ec, y, space, m, keys, m->epoch[i].id, s->device);
		}
	}
	device_keys_free(keys);
	return e;
}

enum err epochs_tend(struct errctx *ec, struct sync *y, const struct space_row *space, size_t *closed)
{
	struct membership m = { 0 };
	struct device_row me;
	struct epoch_id chosen;
	bool paper = false;
	bool none = false;
	enum err e = store_device_by_id(ec, y->store, space->me, &me);

	*closed = 0;
	if (e != ERR_OK || me.state != DEVICE_ACTIVE)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	e = device_is_paper(ec, y, space->n, &paper);
	if (e != ERR_OK || paper) /* it closes nothing and names nothing: another device takes its place at once */
		return e;
	e = membership_load(ec, y, space, &m);
	if (e == ERR_OK)
		e = epochs_hand_on(ec, y, space, &m);
	if (e == ERR_OK)
		e = epoch_choose_in(ec, y, space, &m, &chosen);
	none = e == ERR_NOT_FOUND; /* one begins with the next thing that is written */
	if (e == ERR_OK)
		e = box_key_renew(ec, y, space, chosen);
	if (e == ERR_OK)
		e = epochs_close(ec, y, space, &m, chosen, closed);
	membership_free(&m);
	return none ? ERR_OK : e;
}

/* ---- Batches under an epoch that others may have closed ---- */

static enum err is_stray(struct errctx *ec, struct sync *y, const struct space_row *space, const struct membership *m,
                         struct epoch_id chosen, const struct device_row *author, uint64_t seq, bool *out)
{
	const struct epoch_begun *epoch = begun(m, chosen);
	const struct standing *s = members_find(&m->members, author->id);
	uint64_t moved = 0;
	bool waited = false;
	enum err e = ERR_OK;

	*out = false;
	if (epoch == NULL || s == NULL || moved_at(m, epoch, space->me) == 0)
		return ERR_OK;
	moved = moved_at(m, epoch, author->id);
	e = device_is_waited_for(ec, y, space, m, s, &waited);
	*out = !waited || (moved > 0 && seq > moved);
	return e;
}

enum err epoch_stray(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch,
                     const struct device_row *author, uint64_t seq)
{
	struct membership m = { 0 };
	struct epoch_id chosen;
	bool known = false;
	bool same = false;
	bool none = false;
	bool stray = false;
	enum err e = boxed_under(ec, y, space, epoch, &known, &same);

	if (e != ERR_OK || !known || same || device_cmp(author->id, space->me) == 0)
		return e;
	e = membership_load(ec, y, space, &m);
	if (e == ERR_OK)
		e = epoch_choose_in(ec, y, space, &m, &chosen);
	none = e == ERR_NOT_FOUND;
	if (e == ERR_OK && memcmp(chosen.b, epoch.b, EPOCH_ID_LEN) != 0)
		e = is_stray(ec, y, space, &m, chosen, author, seq, &stray);
	if (e == ERR_OK && stray)
		e = carry_some(ec, y, space, chosen, author, seq, seq);
	membership_free(&m);
	return none ? ERR_OK : e;
}
