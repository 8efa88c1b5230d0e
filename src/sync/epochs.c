// SPDX-License-Identifier: EUPL-1.2
// Epochs: which is written under, and how one begins (K1).
#include "sync/epochs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "model/wire.h"

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

		if (!standing_in(now))
			*all = *all && (was == NULL || !standing_in(was));
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

/* The devices of a space; whom the next batch removes is out already, for an epoch that begins now stands behind that
 * in it (K1): who goes on under another id begins one with the removal of the old, and a lost computer may still have
 * that one's box key. */
struct removing {
	struct device_row *devices;
	size_t n;
};

static enum err removing_one(void *arg, const char *name, struct bytes value)
{
	struct removing *r = arg;
	struct wire_in in = wire_in(value);
	struct device_id dev;
	uint64_t type = 0;
	enum err e = wire_get_uint(&in, &type);

	(void)name;
	if (e != ERR_OK || type != CONTROL_CUT)
		return e;
	e = wire_get_exact(&in, dev.b, DEVICE_ID_LEN);
	for (size_t i = 0; e == ERR_OK && i < r->n; i++)
		if (device_cmp(r->devices[i].id, dev) == 0)
			r->devices[i].state = DEVICE_REMOVED;
	return e;
}

static enum err devices_now(struct errctx *ec, struct sync *y, const struct space_row *space, struct device_row **out,
                            size_t *n)
{
	enum err e = store_device_list(ec, y->store, space->n, out, n);

	return e != ERR_OK
	           ? e
	           : store_kept_each(ec, y->store, space->n, "control:", removing_one, &(struct removing){ *out, *n });
}

static enum err removals_count(struct errctx *ec, struct sync *y, const struct space_row *space, uint64_t *out)
{
	struct device_row *list = NULL;
	size_t n = 0;
	enum err e = devices_now(ec, y, space, &list, &n);

	*out = 0;
	for (size_t i = 0; i < n; i++)
		*out += list[i].state == DEVICE_REMOVED;
	free(list);
	return e;
}

enum err epoch_choose_in(struct errctx *ec, struct sync *y, const struct space_row *space, const struct membership *m,
                         struct epoch_id *out)
{
	struct epoch_row *list = NULL;
	uint64_t removals = 0;
	size_t n = 0;
	enum err e = removals_count(ec, y, space, &removals);

	if (e == ERR_OK)
		e = store_epoch_list(ec, y->store, space->n, &list, &n);
	if (e == ERR_OK)
		e = ERR_NOT_FOUND;
	for (size_t i = 0; i < n && e == ERR_NOT_FOUND; i++) {
		bool usable = false;
		enum err looked =
		    list[i].state != EPOCH_OPEN ? ERR_OK : epoch_usable(m, &list[i], space->me, removals, &usable);

		if (looked != ERR_OK) {
			e = looked;
		} else if (usable) {
			*out = list[i].id;
			e = ERR_OK;
		}
	}
	free(list);
	return e;
}

enum err epoch_choose(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id *out)
{
	struct membership m = { 0 };
	enum err e = membership_load(ec, y, space, &m);

	if (e == ERR_OK)
		e = epoch_choose_in(ec, y, space, &m, out);
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

enum err boxes_publish(struct errctx *ec, struct sync *y, const struct space_row *space, const struct device_keys *keys,
                       const struct boxing *b)
{
	struct file_header h = { FILE_BOXES, space->tag, keys->public.tag, b->epoch, 0 };
	struct buf file = { 0 };
	char ref[REF_MAX + 1];
	char name[FILE_NAME_MAX + 1];
	char tag[TAG_TEXT_LEN];
	enum err e = boxes_seal(&h, space->id, b->secret, b->to, b->n, &file);

	tag_text(keys->public.tag, tag);
	branch_name(space->tag, b->epoch, keys->public.tag, ref);
	snprintf(name, sizeof(name), "%s-%s", tag, b->name);
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
		e = devices_now(ec, y, space, &devices, &device_count);
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
		bool mine = device_cmp(devices[i].id, space->me) == 0;

		to[n].dev = devices[i].id; /* one's own newest may not have been told yet */
		memcpy(to[n++].box_public, mine ? keys->public.box : devices[i].box, BOX_PUBLIC_LEN);
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
	/* a later one in a box for this device too, where it is alone: a copy of this home must be able to read on (S7)
	 */
	if (e == ERR_OK && (n > 1 || old_count > 0))
		e = boxes_publish(ec, y, space, keys, &(struct boxing){ row.id, secret, to, n, "boxes" });
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
		bool among = !standing_in(s) || !members_knew(&m.members, at, s->device);

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
