// SPDX-License-Identifier: EUPL-1.2
// Epochs: written under, begun, and destroyed when nobody writes under them any more (K1, K3).
#include "sync/epochs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "crypto/secret.h"
#include "model/wire.h"
#include "sync/carry.h"
#include "sync/resting.h"

#define KEPT_BOX_USED "boxused" /* a box came to the newest one */
#define KEPT_BOXED "boxed"      /* the epoch under which the newest box key was named */
#define KEPT_OLD_BOX "box:"     /* the secrets of earlier box keys */
#define OLD_BOX_NAME_LEN (sizeof(KEPT_OLD_BOX) + 16)

/* ---- Writing under one ---- */

/* Is everybody who is out now out in the eyes of whoever began it? A removal that was known there may have been
 * answered then, and count again since. */
static enum err out_then(const struct membership *m, const struct moment *at, bool *all)
{
	struct members then = { .kind = m->members.kind, .founder = m->members.founder };
	enum err e = ERR_OK;

	then.act = calloc(m->members.acts + 1, sizeof(*then.act));
	if (then.act == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < m->members.acts; i++)
		if (moment_saw(at, &m->members.act[i].at))
			then.act[then.acts++] = m->members.act[i];
	e = members_settle(&then);
	for (size_t i = 0; e == ERR_OK && i < m->members.devices; i++) {
		const struct standing *now = &m->members.device[i];
		const struct standing *was = members_find(&then, now->device);

		if (now->in && now->keep == UINT64_MAX)
			continue;
		*all = *all && (was == NULL || !was->in || was->keep != UINT64_MAX);
	}
	members_free(&then);
	free(then.act);
	return e;
}

/* May it be written under? Where somebody was removed of whom its author did not know, that one has its key. Of one's
 * own whose record is not sealed yet the number of removals tells. */
static enum err epoch_usable(const struct membership *m, const struct epoch_row *row, struct device_id me,
                             uint64_t removals, bool *usable)
{
	for (size_t i = 0; i < m->epochs; i++) {
		const struct moment *at = &m->epoch[i].at;

		if (memcmp(m->epoch[i].id.b, row->id.b, EPOCH_ID_LEN) == 0 &&
		    device_cmp(at->author, row->creator) == 0) {
			*usable =
			    !members_void(&m->members, at->author, at->seq) && members_knew_removals(&m->members, at);
			return *usable && m->removals > 0 ? out_then(m, at, usable) : ERR_OK;
		}
	}
	*usable = removals == (device_cmp(row->creator, me) == 0 ? row->removals_seen : 0);
	return ERR_OK;
}

static enum err removals_count(struct errctx *ec, struct sync *y, const struct space_row *space, uint64_t *out)
{
	struct device_row *list = NULL;
	size_t n = 0;
	enum err e = store_device_list(ec, y->store, space->n, &list, &n);

	*out = 0;
	for (size_t i = 0; i < n; i++)
		*out += list[i].state == DEVICE_REMOVED;
	free(list);
	return e;
}

enum err epoch_choose(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id *out)
{
	struct membership m = { 0 };
	struct epoch_row *list = NULL;
	uint64_t removals = 0;
	size_t n = 0;
	enum err e = membership_load(ec, y, space, &m);

	if (e == ERR_OK)
		e = removals_count(ec, y, space, &removals);
	if (e == ERR_OK)
		e = store_epoch_list(ec, y->store, space->n, &list, &n);
	if (e == ERR_OK)
		e = ERR_NOT_FOUND;
	for (size_t i = 0; i < n && e == ERR_NOT_FOUND; i++) {
		bool usable = false;
		enum err looked =
		    list[i].state != EPOCH_OPEN ? ERR_OK : epoch_usable(&m, &list[i], space->me, removals, &usable);

		if (looked != ERR_OK) {
			e = looked;
		} else if (usable) {
			*out = list[i].id;
			e = ERR_OK;
		}
	}
	free(list);
	membership_free(&m);
	return e;
}

enum err epoch_state_of(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id id,
                        enum epoch_state *out)
{
	struct epoch_row *list = NULL;
	size_t n = 0;
	enum err e = store_epoch_list(ec, y->store, space->n, &list, &n);

	*out = EPOCH_KEY_ONLY;
	for (size_t i = 0; i < n; i++)
		if (memcmp(list[i].id.b, id.b, EPOCH_ID_LEN) == 0)
			*out = list[i].state;
	free(list);
	return e;
}

/* ---- Beginning one ---- */

/* [epoch id, [[device id, box key]...], [parent epoch id...]] */
static enum err epoch_record_put(struct epoch_id id, const struct recipient *to, size_t n,
                                 const struct epoch_id *parents, size_t parent_count, struct buf *out)
{
	enum err e = wire_put_array(out, 3);

	if (e == ERR_OK)
		e = wire_put_bytes(out, id.b, EPOCH_ID_LEN);
	if (e == ERR_OK)
		e = wire_put_array(out, n);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		if ((e = wire_put_array(out, 2)) == ERR_OK &&
		    (e = wire_put_bytes(out, to[i].dev.b, DEVICE_ID_LEN)) == ERR_OK)
			e = wire_put_bytes(out, to[i].box_public, BOX_PUBLIC_LEN);
	}
	if (e == ERR_OK)
		e = wire_put_array(out, parent_count);
	for (size_t i = 0; e == ERR_OK && i < parent_count; i++)
		e = wire_put_bytes(out, parents[i].b, EPOCH_ID_LEN);
	return e;
}

static enum err boxes_publish(struct errctx *ec, struct sync *y, const struct space_row *space,
                              const struct device_keys *keys, struct epoch_id id, const struct epoch_secret *secret,
                              const struct recipient *to, size_t n)
{
	struct file_header h = { FILE_BOXES, space->tag, keys->public.tag, id, 0 };
	struct buf file = { 0 };
	char ref[REF_MAX + 1];
	char name[FILE_NAME_MAX + 1];
	char tag[TAG_TEXT_LEN];
	enum err e = boxes_seal(&h, space->id, secret, to, n, &file);

	tag_text(keys->public.tag, tag);
	branch_name(space->tag, id, keys->public.tag, ref);
	snprintf(name, sizeof(name), "%s-boxes", tag);
	if (e == ERR_OK)
		e = store_outgoing_put(ec, y->store, space->n, ref, name, buf_bytes(&file), 0);
	buf_free(&file);
	return e;
}

enum err epoch_begin(struct errctx *ec, struct sync *y, const struct space_row *space, const struct device_keys *keys,
                     struct epoch_id *id)
{
	struct device_row *devices = NULL;
	struct epoch_row *old = NULL;
	struct recipient *to = NULL;
	struct epoch_id *parents = NULL;
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	struct epoch_row row = { .space = space->n, .creator = space->me, .state = EPOCH_OPEN };
	struct buf record = { 0 };
	size_t device_count = 0;
	size_t old_count = 0;
	size_t n = 0;
	enum err e = secret == NULL ? ERR_NO_MEMORY : ERR_OK;

	if (e == ERR_OK)
		e = store_device_list(ec, y->store, space->n, &devices, &device_count);
	if (e == ERR_OK)
		e = store_epoch_list(ec, y->store, space->n, &old, &old_count);
	if (e != ERR_OK)
		goto done;
	to = calloc(device_count + 1, sizeof(*to));
	parents = calloc(old_count + 1, sizeof(*parents));
	if (to == NULL || parents == NULL) {
		e = ERR_NO_MEMORY;
		goto done;
	}
	for (size_t i = 0; i < device_count; i++) {
		if (devices[i].state != DEVICE_ACTIVE)
			continue;
		to[n].dev = devices[i].id;
		memcpy(to[n++].box_public, devices[i].box, BOX_PUBLIC_LEN);
	}
	for (size_t i = 0; i < old_count; i++) {
		parents[i] = old[i].id;
		row.rank = old[i].rank >= row.rank ? old[i].rank + 1 : row.rank;
	}
	for (size_t i = 0; i < device_count; i++)
		row.removals_seen += devices[i].state == DEVICE_REMOVED;
	rng_fill(y->rng, secret->key, EPOCH_KEY_LEN);
	recipients_hash(to, n, secret->recipients);
	parents_hash(parents, old_count, secret->parents);
	row.id = epoch_id_make(secret->key, space->id, secret->recipients, secret->parents);
	*id = row.id;
	e = epoch_key_save(ec, y, space->n, row.id, secret);
	if (e == ERR_OK)
		e = store_epoch_put(ec, y->store, &row);
	if (e == ERR_OK)
		e = epoch_record_put(row.id, to, n, parents, old_count, &record);
	if (e == ERR_OK)
		e = control_add(ec, y, space->n, CONTROL_EPOCH, buf_bytes(&record));
	if (e == ERR_OK && n > 1)
		e = boxes_publish(ec, y, space, keys, row.id, secret, to, n);
done:
	buf_free(&record);
	secret_free(secret);
	free(parents);
	free(to);
	free(old);
	free(devices);
	return e;
}

/* ---- One that somebody began ---- */

/* Does it go to every member that its author knew of? Else it is not written under: it would leave somebody out. */
static enum err goes_to_all(struct errctx *ec, struct sync *y, const struct space_row *space, const struct moment *at,
                            const struct recipient *to, size_t n, bool *all)
{
	struct membership m = { 0 };
	enum err e = membership_load(ec, y, space, &m);

	*all = true;
	for (size_t i = 0; e == ERR_OK && i < m.members.devices; i++) {
		const struct standing *s = &m.members.device[i];
		bool among = !s->in || s->keep != UINT64_MAX || !members_knew(&m.members, at, s->device);

		for (size_t k = 0; k < n && !among; k++)
			among = device_cmp(to[k].dev, s->device) == 0;
		*all = *all && among;
	}
	membership_free(&m);
	return e;
}

/* [epoch id, [[device, box key]...], [parents...]]: opened where the key that we hold says the same (K1). What is not
 * one is refused by everybody; what the key belies is only not opened. */
enum err epoch_record_take(struct errctx *ec, struct sync *y, const struct space_row *space, const struct moment *at,
                           struct bytes payload, bool *good)
{
	struct wire_in w = wire_in(payload);
	struct epoch_row row = { .space = space->n, .creator = at->author, .state = EPOCH_OPEN };
	struct epoch_row *known = NULL;
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	struct recipient *to = NULL;
	struct epoch_id *parents = NULL;
	uint8_t recipients_sum[32];
	uint8_t parents_sum[32];
	size_t n = 0;
	size_t two = 0;
	size_t parent_count = 0;
	size_t known_count = 0;
	bool again = false;
	bool complete = false;
	enum err e = secret == NULL ? ERR_NO_MEMORY : ERR_OK;

	*good = false;
	if (e != ERR_OK)
		return e;
	if (wire_get_array(&w, &n) != ERR_OK || n != 3 || wire_get_exact(&w, row.id.b, EPOCH_ID_LEN) != ERR_OK ||
	    wire_get_array(&w, &n) != ERR_OK)
		goto done;
	to = calloc(n + 1, sizeof(*to));
	if (to == NULL) {
		e = ERR_NO_MEMORY;
		goto done;
	}
	for (size_t i = 0; i < n; i++) {
		if (wire_get_array(&w, &two) != ERR_OK || two != 2 ||
		    wire_get_exact(&w, to[i].dev.b, DEVICE_ID_LEN) != ERR_OK ||
		    wire_get_exact(&w, to[i].box_public, BOX_PUBLIC_LEN) != ERR_OK)
			goto done;
	}
	if (wire_get_array(&w, &parent_count) != ERR_OK)
		goto done;
	parents = calloc(parent_count + 1, sizeof(*parents));
	if (parents == NULL) {
		e = ERR_NO_MEMORY;
		goto done;
	}
	for (size_t i = 0; i < parent_count; i++) {
		if (wire_get_exact(&w, parents[i].b, EPOCH_ID_LEN) != ERR_OK)
			goto done;
	}
	if (wire_at_end(&w) != ERR_OK)
		goto done;
	recipients_hash(to, n, recipients_sum);
	parents_hash(parents, parent_count, parents_sum);
	e = epoch_key_load(ec, y, space->n, row.id, secret);
	if (e == ERR_NOT_FOUND) { /* not one of its recipients: its batches will wait */
		*good = true;
		e = ERR_OK;
		goto done;
	}
	if (e != ERR_OK)
		goto done;
	*good = true;
	if (memcmp(recipients_sum, secret->recipients, 32) != 0 || memcmp(parents_sum, secret->parents, 32) != 0)
		goto done; /* a lie that only holders of the key can see: they pass over it like the others (M1) */
	e = store_epoch_list(ec, y->store, space->n, &known, &known_count);
	if (e == ERR_OK)
		e = goes_to_all(ec, y, space, at, to, n, &complete);
	if (!complete)
		row.state = EPOCH_KEY_ONLY;
	for (size_t i = 0; i < known_count; i++) {
		again = again || (memcmp(known[i].id.b, row.id.b, EPOCH_ID_LEN) == 0 &&
		                  (complete || device_cmp(known[i].creator, at->author) != 0));
		for (size_t k = 0; k < parent_count; k++) {
			if (memcmp(known[i].id.b, parents[k].b, EPOCH_ID_LEN) == 0 && known[i].rank >= row.rank)
				row.rank = known[i].rank + 1;
		}
	}
	if (e == ERR_OK && !again) /* whoever names it a second time neither made it nor opens it again */
		e = store_epoch_put(ec, y->store, &row);
done:
	free(known);
	free(parents);
	free(to);
	secret_free(secret);
	return e;
}

/* ---- Box keys ---- */

enum err box_key_named(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch)
{
	return store_kept_put(ec, y->store, space->n, KEPT_BOXED, (struct bytes){ epoch.b, EPOCH_ID_LEN });
}

/* Boxes may still come to it. */
static enum err pair_keep(struct errctx *ec, struct sync *y, int64_t space, const struct device_keys *keys)
{
	char name[OLD_BOX_NAME_LEN];

	memcpy(name, KEPT_OLD_BOX, sizeof(KEPT_OLD_BOX) - 1);
	hex_put(keys->public.box, 8, name + sizeof(KEPT_OLD_BOX) - 1);
	return store_kept_put(ec, y->store, space, name, (struct bytes){ keys->box_secret, BOX_SECRET_LEN });
}

enum err box_keys_follow(struct errctx *ec, struct sync *y, const struct space_row *space,
                         const struct device_keys *old)
{
	enum err e = store_kept_delete(ec, y->store, space->n, KEPT_BOXED);

	return e == ERR_OK && old != NULL ? pair_keep(ec, y, space->n, old) : e;
}

enum err box_key_used(struct errctx *ec, struct sync *y, const struct space_row *space)
{
	static const uint8_t yes = 1;

	return store_kept_put(ec, y->store, space->n, KEPT_BOX_USED, (struct bytes){ &yes, 1 });
}

/* Is a new box key due? *moved: because another epoch is written under now. */
static enum err renewal_due(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch,
                            bool *due, bool *moved)
{
	struct buf boxed = { 0 };
	struct buf used = { 0 };
	enum err e = store_kept_get(ec, y->store, space->n, KEPT_BOXED, &boxed);

	*moved = e == ERR_OK && (boxed.len != EPOCH_ID_LEN || memcmp(boxed.data, epoch.b, EPOCH_ID_LEN) != 0);
	*due = *moved || e == ERR_NOT_FOUND;
	if (e == ERR_OK || e == ERR_NOT_FOUND)
		e = store_kept_get(ec, y->store, space->n, KEPT_BOX_USED, &used);
	*due = *due || e == ERR_OK;
	buf_free(&boxed);
	buf_free(&used);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* How far each of those who are in has seen one's own batches: the least. */
static enum err own_seen_by_all(struct errctx *ec, struct sync *y, const struct space_row *space, uint64_t *seq)
{
	struct device_row *list = NULL;
	struct vv seen = { 0 };
	size_t n = 0;
	enum err e = store_device_list(ec, y->store, space->n, &list, &n);

	*seq = UINT64_MAX;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		const struct vv_entry *me = NULL;

		if (list[i].state != DEVICE_ACTIVE || device_cmp(list[i].id, space->me) == 0)
			continue;
		e = store_context(ec, y->store, list[i].id, &seen);
		me = vv_get(&seen, space->me);
		if (me == NULL || me->seq < *seq)
			*seq = me == NULL ? 0 : me->seq;
	}
	vv_free(&seen);
	free(list);
	return e;
}

/* Who comes back after a rest may have sent batches under an epoch that others closed meanwhile: what somebody who is
 * in has not seen yet goes out once more. */
static enum err own_carry(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch)
{
	struct device_row me;
	struct vv heads = { 0 };
	const struct vv_entry *head = NULL;
	uint64_t seen = 0;
	enum err e = store_device_by_id(ec, y->store, space->me, &me);

	if (e == ERR_OK)
		e = own_seen_by_all(ec, y, space, &seen);
	if (e == ERR_OK)
		e = store_vector(ec, y->store, space->n, &heads);
	head = vv_get(&heads, space->me);
	if (e == ERR_OK && head != NULL && seen < head->seq)
		e = carry_some(ec, y, space, epoch, &me, seen + 1, head->seq);
	vv_free(&heads);
	return e == ERR_NOT_FOUND ? ERR_OK : e; /* an epoch without a key is written under by nobody */
}

enum err box_key_renew(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch)
{
	struct device_keys *keys = NULL;
	struct buf payload = { 0 };
	bool due = false;
	bool moved = false;
	enum err e = renewal_due(ec, y, space, epoch, &due, &moved);

	if (e == ERR_OK && due)
		e = device_keys_load(ec, y, space->n, &keys);
	if (e != ERR_OK || !due || (keys->public.incarnation & INCARNATION_PAPER) != 0) /* what is on paper stays */
		goto done;
	e = pair_keep(ec, y, space->n, keys);
	box_keypair(y->rng, keys->public.box, keys->box_secret);
	if (e == ERR_OK)
		e = device_keys_save(ec, y, space->n, keys);
	if (e == ERR_OK)
		e = wire_put_bytes(&payload, keys->public.box, BOX_PUBLIC_LEN);
	if (e == ERR_OK)
		e = control_add(ec, y, space->n, CONTROL_BOX_KEY, buf_bytes(&payload));
	if (e == ERR_OK)
		e = box_key_named(ec, y, space, epoch);
	if (e == ERR_OK)
		e = store_kept_delete(ec, y->store, space->n, KEPT_BOX_USED);
	if (e == ERR_OK && moved)
		e = own_carry(ec, y, space, epoch);
done:
	device_keys_free(keys);
	buf_free(&payload);
	return e;
}

struct pairs {
	box_pair_fn each;
	void *arg;
	enum err e; /* of the last one tried */
};

static enum err pair_try(void *arg, const char *name, struct bytes value)
{
	struct pairs *p = arg;
	uint8_t public[BOX_PUBLIC_LEN];

	(void)name;
	if (value.len != BOX_SECRET_LEN)
		return ERR_DAMAGED;
	if (p->e != ERR_NOT_FOUND)
		return ERR_OK;
	box_public(value.data, public);
	p->e = p->each(p->arg, public, value.data);
	return ERR_OK;
}

enum err box_pairs_try(struct errctx *ec, struct sync *y, const struct space_row *space, box_pair_fn each, void *arg)
{
	struct pairs p = { each, arg, ERR_NOT_FOUND };
	struct device_keys *keys = NULL;
	enum err e = device_keys_load(ec, y, space->n, &keys);

	if (e == ERR_OK)
		p.e = each(arg, keys->public.box, keys->box_secret);
	device_keys_free(keys);
	if (e == ERR_OK && p.e == ERR_NOT_FOUND)
		e = store_kept_each(ec, y->store, space->n, KEPT_OLD_BOX, pair_try, &p);
	return e == ERR_OK ? p.e : e;
}

/* ---- Closing ---- */

static const struct epoch_begun *begun(const struct membership *m, struct epoch_id id)
{
	for (size_t i = 0; i < m->epochs; i++)
		if (memcmp(m->epoch[i].id.b, id.b, EPOCH_ID_LEN) == 0 &&
		    !members_void(&m->members, m->epoch[i].at.author, m->epoch[i].at.seq))
			return &m->epoch[i];
	return NULL;
}

/* The batch in which a device named a box key knowing of this epoch; 0: none yet. */
static uint64_t moved_at(const struct membership *m, const struct epoch_begun *epoch, struct device_id dev)
{
	uint64_t seq = 0;

	for (size_t i = 0; i < m->boxes; i++) {
		const struct moment *at = &m->box[i].at;
		bool same = device_cmp(at->author, epoch->at.author) == 0 && at->seq == epoch->at.seq;

		if (device_cmp(at->author, dev) == 0 && (same || moment_saw(at, &epoch->at)) && at->seq > seq)
			seq = at->seq;
	}
	return seq;
}

/* Those who are in, but for oneself, sheets of paper, and who rests. */
static enum err is_waited_for(struct errctx *ec, struct sync *y, const struct space_row *space,
                              const struct membership *m, const struct standing *s, bool *out)
{
	struct device_row row;
	bool rests = false;
	enum err e = ERR_OK;

	*out = s->in && s->keep == UINT64_MAX && device_cmp(s->device, space->me) != 0 &&
	       !membership_is_paper(m, s->device);
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

		e = is_waited_for(ec, y, space, m, s, &waited);
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

/* Does anything of this space still come or go? */
static enum err is_quiet(struct errctx *ec, struct sync *y, const struct space_row *space, bool *quiet)
{
	uint64_t files = 0;
	uint64_t edits = 0;
	uint64_t waiting = 0;
	enum err e = store_outgoing_count(ec, y->store, space->n, &files, &edits);

	if (e == ERR_OK)
		e = store_waiting_of(ec, y->store, space->n, &waiting);
	*quiet = files == 0 && waiting == 0;
	return e;
}

static enum err names_list(void *arg, const char *name, struct bytes value)
{
	(void)value;
	return buf_put(arg, name, strlen(name) + 1);
}

/* The old box keys go. */
static enum err old_boxes_destroy(struct errctx *ec, struct sync *y, const struct space_row *space)
{
	struct buf names = { 0 };
	enum err e = store_kept_each(ec, y->store, space->n, KEPT_OLD_BOX, names_list, &names);

	for (size_t at = 0; e == ERR_OK && at < names.len; at += strlen((char *)names.data + at) + 1)
		e = store_kept_delete(ec, y->store, space->n, (char *)names.data + at);
	buf_free(&names);
	return e;
}

/* Who carries what was written under the old ones over: the member that joined first, of those that are waited for. */
static bool carries(const struct membership *m, struct device_id me)
{
	const struct standing *first = NULL;

	for (size_t i = 0; i < m->members.devices; i++) {
		const struct standing *s = &m->members.device[i];

		if (s->in && s->keep == UINT64_MAX && !membership_is_paper(m, s->device) &&
		    (first == NULL || s->rank < first->rank))
			first = s;
	}
	return first != NULL && device_cmp(first->device, me) == 0;
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
		(*closed)++;
	}
	free(list);
	return e;
}

static enum err some_to_close(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id but,
                              bool *some)
{
	struct epoch_row *list = NULL;
	struct buf names = { 0 };
	size_t n = 0;
	enum err e = store_epoch_list(ec, y->store, space->n, &list, &n);

	*some = false;
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		*some = *some || (list[i].state != EPOCH_CLOSED && memcmp(list[i].id.b, but.b, EPOCH_ID_LEN) != 0);
	free(list);
	if (e == ERR_OK) /* or an old box key, to which a box of a closed epoch came late */
		e = store_kept_each(ec, y->store, space->n, KEPT_OLD_BOX, names_list, &names);
	*some = *some || names.len > 0;
	buf_free(&names);
	return e;
}

static enum err epochs_close(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id chosen,
                             size_t *closed)
{
	struct membership m = { 0 };
	const struct epoch_begun *epoch = NULL;
	bool good = false;
	enum err e = some_to_close(ec, y, space, chosen, &good);

	if (e == ERR_OK && good)
		e = is_quiet(ec, y, space, &good);
	if (e != ERR_OK || !good)
		return e;
	e = membership_load(ec, y, space, &m);
	epoch = e == ERR_OK ? begun(&m, chosen) : NULL;
	good = epoch != NULL;
	if (e == ERR_OK && good)
		e = all_moved(ec, y, space, &m, epoch, &good);
	if (e == ERR_OK && good)
		e = close_others(ec, y, space, chosen, closed);
	if (e == ERR_OK && good)
		e = old_boxes_destroy(ec, y, space);
	if (e == ERR_OK && *closed > 0 && carries(&m, space->me))
		e = carry_all(ec, y, space, chosen);
	if (e == ERR_OK && good)
		e = store_forget_ask(ec, y->store);
	membership_free(&m);
	return e;
}

/* ---- Handing on ---- */

/* Did this member not get the key from whoever began the epoch, nor from whoever let it in? It was removed in the eyes
 * of the one, by a removal that does not count (any more); or neither of them knew what the other did. */
static bool lacks_key(const struct members *m, const struct epoch_begun *epoch, struct device_id dev)
{
	bool told = device_cmp(dev, m->founder) == 0;

	for (size_t i = 0; i < m->acts; i++) {
		const struct act *a = &m->act[i];
		bool same = device_cmp(a->at.author, epoch->at.author) == 0 && a->at.seq == epoch->at.seq;

		if (a->type != ACT_CUT && a->type != ACT_ADMIT)
			continue;
		if (device_cmp(a->device, dev) != 0 || a->counts == (a->type == ACT_CUT))
			continue;
		if (a->type == ACT_CUT && (same || moment_saw(&epoch->at, &a->at)))
			return true;
		told = told || (a->type == ACT_ADMIT &&
		                (same || moment_saw(&epoch->at, &a->at) || moment_saw(&a->at, &epoch->at)));
	}
	return !told;
}

/* Did this member name another box key, when neither knew of the other? It may have destroyed the one that the epoch's
 * key came to. */
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
	return renewed && device_cmp(dev, epoch->at.author) != 0;
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
	if (*out || !renewed_meanwhile(m, epoch, dev))
		return ERR_OK;
	result = store_context(ec, y->store, dev, &seen);
	e = vv_get(&seen, epoch->at.author);
	*out = e == NULL || e->seq < epoch->at.seq;
	vv_free(&seen);
	return result;
}

static enum err hand_on(struct errctx *ec, struct sync *y, const struct space_row *space,
                        const struct device_keys *keys, struct epoch_id id, struct device_id to)
{
	struct file_header h = { FILE_BOXES, space->tag, keys->public.tag, id, 0 };
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	struct device_row device;
	struct recipient r = { .dev = to };
	struct buf file = { 0 };
	char ref[REF_MAX + 1];
	char name[FILE_NAME_MAX + 1];
	char tag[TAG_TEXT_LEN];
	char dev[2 * DEVICE_ID_LEN + 1];
	enum err e = secret == NULL ? ERR_NO_MEMORY : store_device_by_id(ec, y->store, to, &device);

	if (e == ERR_OK)
		e = epoch_key_load(ec, y, space->n, id, secret);
	if (e == ERR_OK) {
		memcpy(r.box_public, device.box, BOX_PUBLIC_LEN);
		e = boxes_seal(&h, space->id, secret, &r, 1, &file);
	}
	tag_text(keys->public.tag, tag);
	hex_put(to.b, DEVICE_ID_LEN, dev);
	snprintf(name, sizeof(name), "%s-for-%s", tag, dev);
	branch_name(space->tag, id, keys->public.tag, ref);
	if (e == ERR_OK)
		e = store_outgoing_put(ec, y->store, space->n, ref, name, buf_bytes(&file), 0); /* once */
	secret_free(secret);
	buf_free(&file);
	return e == ERR_NOT_FOUND ? ERR_OK : e; /* destroyed: what was written under it is carried over */
}

/* Members get the keys of epochs that began without them: others read what was written there, and build on it. */
static enum err epochs_hand_on(struct errctx *ec, struct sync *y, const struct space_row *space)
{
	struct membership m = { 0 };
	struct device_keys *keys = NULL;
	enum err e = membership_load(ec, y, space, &m);

	for (size_t i = 0; e == ERR_OK && m.removals > 0 && i < m.epochs; i++) {
		for (size_t k = 0; e == ERR_OK && k < m.members.devices; k++) {
			const struct standing *s = &m.members.device[k];

			bool needs = false;

			if (!s->in || s->keep != UINT64_MAX || device_cmp(s->device, space->me) == 0)
				continue;
			e = needs_key(ec, y, &m, &m.epoch[i], s->device, &needs);
			if (e != ERR_OK || !needs)
				continue;
			e = keys != NULL ? ERR_OK : device_keys_load(ec, y, space->n, &keys);
			if (e == ERR_OK)
				e = hand_on(ec, y, space, keys, m.epoch[i].id, s->device);
		}
	}
	device_keys_free(keys);
	membership_free(&m);
	return e;
}

enum err epochs_tend(struct errctx *ec, struct sync *y, const struct space_row *space, size_t *closed)
{
	struct device_row me;
	struct epoch_id chosen;
	bool paper = false;
	enum err e = store_device_by_id(ec, y->store, space->me, &me);

	*closed = 0;
	if (e != ERR_OK || me.state != DEVICE_ACTIVE)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	e = device_is_paper(ec, y, space->n, &paper);
	if (e != ERR_OK || paper) /* it closes nothing and names nothing: another device takes its place at once */
		return e;
	e = epochs_hand_on(ec, y, space);
	if (e == ERR_OK)
		e = epoch_choose(ec, y, space, &chosen);
	if (e == ERR_NOT_FOUND) /* one begins with the next thing that is written */
		return ERR_OK;
	if (e == ERR_OK)
		e = box_key_renew(ec, y, space, chosen);
	return e == ERR_OK ? epochs_close(ec, y, space, chosen, closed) : e;
}

/* ---- Batches under an epoch that others may have closed ---- */

static enum err is_stray(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id chosen,
                         struct device_id author, uint64_t seq, bool *out)
{
	struct membership m = { 0 };
	const struct epoch_begun *epoch = NULL;
	const struct standing *s = NULL;
	bool waited = false;
	enum err e = membership_load(ec, y, space, &m);

	*out = false;
	if (e != ERR_OK)
		return e;
	epoch = begun(&m, chosen);
	s = members_find(&m.members, author);
	if (epoch != NULL && s != NULL && moved_at(&m, epoch, space->me) > 0) {
		uint64_t moved = moved_at(&m, epoch, author);

		e = is_waited_for(ec, y, space, &m, s, &waited);
		*out = !waited || (moved > 0 && seq > moved);
	}
	membership_free(&m);
	return e;
}

enum err epoch_stray(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch,
                     const struct device_row *author, uint64_t seq)
{
	struct buf boxed = { 0 };
	struct epoch_id chosen;
	bool stray = false;
	enum err e = store_kept_get(ec, y->store, space->n, KEPT_BOXED, &boxed);

	stray = e == ERR_OK && (boxed.len != EPOCH_ID_LEN || memcmp(boxed.data, epoch.b, EPOCH_ID_LEN) != 0) &&
	        device_cmp(author->id, space->me) != 0;
	buf_free(&boxed);
	if (!stray)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	e = epoch_choose(ec, y, space, &chosen);
	if (e == ERR_NOT_FOUND || (e == ERR_OK && memcmp(chosen.b, epoch.b, EPOCH_ID_LEN) == 0))
		return ERR_OK;
	if (e == ERR_OK)
		e = is_stray(ec, y, space, chosen, author->id, seq, &stray);
	return e == ERR_OK && stray ? carry_some(ec, y, space, chosen, author, seq, seq) : e;
}
