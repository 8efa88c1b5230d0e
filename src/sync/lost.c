// SPDX-License-Identifier: EUPL-1.2
// Other devices' branches that host and caches lost are handed on from the vault (S5), by one who looks first and not
// by all.
#include "sync/lost.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/try.h"
#include "crypto/secret.h"
#include "model/wire.h"
#include "sync/again.h"
#include "sync/carry.h"
#include "sync/compaction.h"
#include "sync/epochs.h"
#include "sync/floor.h"
#include "sync/space.h"

#define KEPT_LOST "lost:"
#define KEPT_CARRIER "carrier:"
#define NAME_LEN (sizeof(KEPT_CARRIER) + REF_MAX)
#define WAIT_MS (INT64_C(86400000) * LOST_DAYS)

static void kept_name(const char *what, const char *ref, char out[static NAME_LEN])
{
	snprintf(out, NAME_LEN, "%s%s", what, ref);
}

/* ---- The list ---- */

static void one_free(struct lost *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->range[i].came);
	free(l->range);
	*l = (struct lost){ 0 };
}

void lost_free(struct lost_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		one_free(&list->lost[i]);
	free(list->lost);
	free(list->seen);
	*list = (struct lost_list){ 0 };
}

static struct lost *find(const struct lost_list *list, const char *ref)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->lost[i].ref, ref) == 0)
			return &list->lost[i];
	return NULL;
}

static enum err list_add(struct lost_list *list, int64_t space, const char *ref, struct lost **out)
{
	struct lost *grown = array_grown(list->lost, list->n, sizeof(*grown));

	if (grown == NULL)
		return ERR_NO_MEMORY;
	list->lost = grown;
	*out = &list->lost[list->n++];
	**out = (struct lost){ .space = space };
	snprintf((*out)->ref, sizeof((*out)->ref), "%s", ref);
	return ERR_OK;
}

static enum err range_add(struct lost *l, const struct device_row *device, uint64_t from, uint64_t to)
{
	struct lost_range *grown = NULL;

	if (from > to)
		return ERR_OK;
	grown = array_grown(l->range, l->n, sizeof(*grown));
	if (grown == NULL)
		return ERR_NO_MEMORY;
	l->range = grown;
	grown = &l->range[l->n];
	*grown =
	    (struct lost_range){ device->id, device->tag, from, to, calloc((size_t)(to - from) + 1, sizeof(bool)) };
	if (grown->came == NULL)
		return ERR_NO_MEMORY;
	l->n++;
	return ERR_OK;
}

static void came(struct lost *l, struct tag tag, uint64_t seq)
{
	for (size_t k = 0; k < l->n; k++) {
		struct lost_range *r = &l->range[k];

		if (memcmp(r->tag.b, tag.b, TAG_LEN) != 0 || seq < r->from || seq > r->to)
			continue;
		r->came[seq - r->from] = true;
		l->came = true;
	}
}

void lost_came(struct lost_list *list, const struct file_header *h)
{
	struct lost_seen *seen =
	    h->type == FILE_BATCH ? array_grown(list->seen, list->seen_count, sizeof(*seen)) : NULL;

	if (seen != NULL) {
		list->seen = seen;
		list->seen[list->seen_count++] = (struct lost_seen){ h->device, h->seq };
	}
	for (size_t i = 0; h->type == FILE_BATCH && i < list->n; i++)
		came(&list->lost[i], h->device, h->seq);
}

/* From the first that is missing to the last. */
static bool is_missing(const struct lost_range *r, uint64_t *from, uint64_t *to)
{
	bool any = false;

	for (uint64_t seq = r->from; seq <= r->to; seq++) {
		if (r->came[seq - r->from])
			continue;
		*from = any ? *from : seq;
		*to = seq;
		any = true;
	}
	return any;
}

/* ---- As it is kept ---- */

static enum err row_get(struct errctx *ec, struct sync *y, struct bytes kept, struct lost *l)
{
	struct wire_in in = wire_in(kept);
	size_t n = 0;
	enum err e = wire_get_array(&in, &n);

	TRY(e);
	MUST_BE(n == 2);
	TRY(wire_get_int(&in, &l->since_ms));
	TRY(wire_get_array(&in, &n));
	for (size_t i = 0; i < n; i++) {
		struct device_row device;
		struct device_id dev;
		uint64_t from = 0;
		uint64_t to = 0;
		size_t three = 0;

		TRY(wire_get_array(&in, &three));
		MUST_BE(three == 3);
		TRY(wire_get_exact(&in, dev.b, DEVICE_ID_LEN));
		TRY(wire_get_uint(&in, &from));
		TRY(wire_get_uint(&in, &to));
		TRY(store_device_by_id(ec, y->store, dev, &device));
		TRY(range_add(l, &device, from, to));
	}
done:
	return e;
}

static enum err row_save(struct errctx *ec, struct sync *y, const struct lost *l)
{
	char name[NAME_LEN];
	struct buf b = { 0 };
	size_t n = 0;
	uint64_t from = 0;
	uint64_t to = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; i < l->n; i++)
		n += is_missing(&l->range[i], &from, &to);
	kept_name(KEPT_LOST, l->ref, name);
	TRY(wire_put_array(&b, 2));
	TRY(wire_put_int(&b, l->since_ms));
	TRY(wire_put_array(&b, n));
	for (size_t i = 0; i < l->n; i++) {
		if (!is_missing(&l->range[i], &from, &to))
			continue;
		TRY(wire_put_array(&b, 3));
		TRY(wire_put_bytes(&b, l->range[i].dev.b, DEVICE_ID_LEN));
		TRY(wire_put_uint(&b, from));
		TRY(wire_put_uint(&b, to));
	}
	TRY(store_kept_put(ec, y->store, l->space, name, buf_bytes(&b)));
done:
	buf_free(&b);
	return e;
}

static enum err row_drop(struct errctx *ec, struct sync *y, const struct lost *l)
{
	char name[NAME_LEN];

	kept_name(KEPT_LOST, l->ref, name);
	return store_kept_delete(ec, y->store, l->space, name);
}

struct loading {
	struct errctx *ec;
	struct sync *y;
	int64_t space;
	struct lost_list *list;
};

static enum err row_load(void *arg, const char *name, struct bytes value)
{
	struct loading *l = arg;
	struct lost *one = NULL;
	enum err e = ERR_OK;

	if (strlen(name) - strlen(KEPT_LOST) > REF_MAX)
		return ERR_OK;
	e = list_add(l->list, l->space, name + strlen(KEPT_LOST), &one);
	if (e == ERR_OK)
		e = row_get(l->ec, l->y, value, one);
	if (e == ERR_DAMAGED || e == ERR_NOT_FOUND) { /* it says nothing, then */
		one_free(one);
		l->list->n--;
		e = ERR_OK;
	}
	return e;
}

enum err lost_load(struct errctx *ec, struct sync *y, int64_t neighbourhood, struct lost_list *out)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, y->store, &list, &n);

	*out = (struct lost_list){ 0 };
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct loading l = { ec, y, list[i].n, out };

		if (list[i].neighbourhood == neighbourhood && list[i].state == SPACE_MEMBER)
			e = store_kept_each(ec, y->store, list[i].n, KEPT_LOST, row_load, &l);
	}
	free(list);
	return e;
}

/* ---- A branch is gone ---- */

static enum err is_carrier(struct errctx *ec, struct sync *y, int64_t space, const char *ref, bool *is)
{
	char name[NAME_LEN];
	struct buf b = { 0 };
	enum err e = ERR_OK;

	kept_name(KEPT_CARRIER, ref, name);
	e = store_kept_get(ec, y->store, space, name, &b);
	*is = e == ERR_OK;
	buf_free(&b);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Everything that is here of whoever wrote there; where batches of others lay there too, of all. What such a branch
 * held exactly, nobody wrote down. */
static enum err ranges_of(struct errctx *ec, struct sync *y, const struct space_row *space, struct lost *l)
{
	struct device_row *list = NULL;
	struct vv heads = { 0 };
	size_t n = 0;
	enum err e = store_device_list(ec, y->store, space->n, &list, &n);

	if (e == ERR_OK)
		e = store_vector(ec, y->store, space->n, &heads);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		const struct vv_entry *head = vv_get(&heads, list[i].id);

		if (head != NULL && (l->carried || branch_is_of(l->ref, list[i].tag)))
			e = range_add(l, &list[i], 1, head->seq);
	}
	vv_free(&heads);
	free(list);
	return e;
}

/* Was everybody removed who writes there? */
static enum err is_removed(struct errctx *ec, struct sync *y, const struct space_row *space, struct lost *l)
{
	struct device_row *list = NULL;
	size_t n = 0;
	bool in = false;
	bool any = false;
	enum err e = store_device_list(ec, y->store, space->n, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		if (!branch_is_of(l->ref, list[i].tag) || list[i].state == DEVICE_NAMED)
			continue;
		any = true;
		in = in || list[i].state != DEVICE_REMOVED;
	}
	l->removed = any && !in;
	free(list);
	return e;
}

enum err lost_add(struct errctx *ec, struct sync *y, const char *ref, struct lost_list *list)
{
	struct space_row space;
	struct lost *l = find(list, ref);
	enum err e = l != NULL ? ERR_NOT_FOUND : space_by_branch(ec, y, ref, &space);

	if (e == ERR_OK && (space.state != SPACE_MEMBER || branch_is_of(ref, space.my_tag)))
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		e = list_add(list, space.n, ref, &l);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	l->fresh = true;
	l->since_ms = clock_now(y->clock);
	e = is_carrier(ec, y, space.n, ref, &l->carried);
	if (e == ERR_OK)
		e = ranges_of(ec, y, &space, l);
	for (size_t i = 0; e == ERR_OK && i < list->seen_count; i++)
		came(l, list->seen[i].tag, list->seen[i].seq);
	return e;
}

enum err lost_back(struct errctx *ec, struct sync *y, const char *ref, struct lost_list *list)
{
	struct lost *l = find(list, ref);
	enum err e = l == NULL ? ERR_OK : row_drop(ec, y, l);

	if (l == NULL)
		return ERR_OK;
	one_free(l);
	*l = list->lost[--list->n];
	return e;
}

/* ---- Handing on ---- */

/* May this device write there now, and put batches into files of its own? */
static enum err may_hand_on(struct errctx *ec, struct sync *y, const struct space_row *space, bool *may)
{
	struct device_row me;
	bool not = false;
	enum err e = store_device_by_id(ec, y->store, space->me, &me);

	*may = e == ERR_OK && me.state == DEVICE_ACTIVE;
	if (e == ERR_OK && *may)
		e = again_holds(ec, y, space, &not );
	*may = *may && !not ;
	if (e == ERR_OK && *may)
		e = floor_open(ec, y, space->n, &not );
	*may = *may && !not ;
	if (e == ERR_OK && *may) /* what is erased would go out once more */
		e = compaction_pending(ec, y, space, &not );
	*may = *may && !not ;
	if (e == ERR_OK && *may)
		e = device_is_paper(ec, y, space->n, &not );
	*may = *may && !not ;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The epoch of the branch, where it is open here. ERR_NOT_FOUND without text. */
static enum err epoch_of(struct errctx *ec, struct sync *y, const struct space_row *space, const struct lost *l,
                         const struct membership *m, const struct epoch_begun **out)
{
	struct epoch_row *list = NULL;
	size_t n = 0;
	enum err e = store_epoch_list(ec, y->store, space->n, &list, &n);

	*out = NULL;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		char name[REF_MAX + 1];

		branch_name(space->tag, list[i].id, space->my_tag, name);
		if (list[i].state != EPOCH_OPEN || strncmp(name, l->ref, strlen(name) - TAG_TEXT_LEN + 1) != 0)
			continue;
		for (size_t k = 0; k < m->epochs; k++)
			if (memcmp(m->epoch[k].id.b, list[i].id.b, EPOCH_ID_LEN) == 0)
				*out = &m->epoch[k];
	}
	free(list);
	return e != ERR_OK || *out != NULL ? e : ERR_NOT_FOUND;
}

/* Has this device shown that it read what began the epoch? Then it had the key. */
static enum err knows_epoch(struct errctx *ec, struct sync *y, const struct epoch_begun *epoch, struct device_id dev,
                            bool *out)
{
	struct vv seen = { 0 };
	const struct vv_entry *entry = NULL;
	enum err e = store_context(ec, y->store, dev, &seen);

	entry = vv_get(&seen, epoch->at.author);
	*out = device_cmp(dev, epoch->at.author) == 0 || (entry != NULL && entry->seq >= epoch->at.seq);
	vv_free(&seen);
	return e;
}

/* The key went with the branch: whoever did not read it in time gets it from here. */
static enum err key_hand_on(struct errctx *ec, struct sync *y, const struct space_row *space, const struct lost *l)
{
	struct membership m = { 0 };
	const struct epoch_begun *epoch = NULL;
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	struct device_keys *keys = NULL;
	struct recipient *to = NULL;
	struct device_row device;
	char name[8 + TAG_TEXT_LEN];
	size_t n = 0;
	enum err e = secret == NULL ? ERR_NO_MEMORY : membership_load(ec, y, space, &m);

	TRY(e);
	TRY(epoch_of(ec, y, space, l, &m, &epoch));
	TRY(epoch_key_load(ec, y, space->n, epoch->id, secret));
	to = calloc(m.members.devices + 1, sizeof(*to));
	TRY(to == NULL ? ERR_NO_MEMORY : device_keys_load(ec, y, space->n, &keys));
	for (size_t i = 0; i < m.members.devices; i++) {
		const struct standing *s = &m.members.device[i];
		bool knows = true;

		if (!standing_in(s) || device_cmp(s->device, space->me) == 0)
			continue;
		TRY(knows_epoch(ec, y, epoch, s->device, &knows));
		if (knows)
			continue;
		TRY(store_device_by_id(ec, y->store, s->device, &device));
		to[n].dev = s->device;
		memcpy(to[n++].box_public, device.box, BOX_PUBLIC_LEN);
	}
	snprintf(name, sizeof(name), "lost-%.*s", TAG_TEXT_LEN - 1, strrchr(l->ref, '/') + 1);
	if (n > 0)
		TRY(boxes_publish(ec, y, space, keys, &(struct boxing){ epoch->id, secret, to, n, name }));
done:
	free(to);
	device_keys_free(keys);
	secret_free(secret);
	membership_free(&m);
	return e == ERR_NOT_FOUND ? ERR_OK : e; /* closed: what was written under it is carried */
}

static enum err batches_hand_on(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch,
                                const struct lost *l)
{
	struct device_row author;
	uint64_t from = 0;
	uint64_t to = 0;
	enum err e = ERR_OK;

	if (l->carried)
		return carry_all(ec, y, space, epoch);
	for (size_t i = 0; e == ERR_OK && i < l->n; i++) {
		if (!is_missing(&l->range[i], &from, &to))
			continue;
		e = store_device_by_id(ec, y->store, l->range[i].dev, &author);
		if (e == ERR_OK)
			e = carry_device(ec, y, space, epoch, &author, from, to);
	}
	return e;
}

static enum err hand_on(struct errctx *ec, struct sync *y, const struct space_row *space, const struct lost *l)
{
	struct device_keys *keys = NULL;
	struct epoch_id epoch;
	enum err e = epoch_choose(ec, y, space, &epoch);

	if (e == ERR_NOT_FOUND) { /* the one there was went to somebody who was removed since */
		e = device_keys_load(ec, y, space->n, &keys);
		if (e == ERR_OK)
			e = epoch_begin(ec, y, space, keys, &epoch);
	}
	if (e == ERR_OK)
		e = batches_hand_on(ec, y, space, epoch, l);
	if (e == ERR_OK)
		e = key_hand_on(ec, y, space, l);
	device_keys_free(keys);
	return e;
}

static enum err end_one(struct errctx *ec, struct sync *y, struct lost *l, bool whole)
{
	struct space_row space;
	int64_t age = clock_now(y->clock) - l->since_ms;
	bool some = false;
	bool may = false;
	uint64_t from = 0;
	uint64_t to = 0;
	enum err e = store_space_get(ec, y->store, l->space, &space);

	for (size_t i = 0; i < l->n && !some; i++)
		some = is_missing(&l->range[i], &from, &to);
	if (e == ERR_OK && some && whole)
		e = is_removed(ec, y, &space, l);
	if (e == ERR_OK && some && whole && (l->removed || age >= WAIT_MS))
		e = may_hand_on(ec, y, &space, &may);
	if (e == ERR_OK && may)
		e = hand_on(ec, y, &space, l);
	if (e != ERR_OK)
		return e;
	l->over = may || !some;
	if (l->over)
		return row_drop(ec, y, l);
	return l->fresh || l->came ? row_save(ec, y, l) : ERR_OK;
}

enum err lost_end(struct errctx *ec, struct sync *y, struct lost_list *list, bool whole)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < list->n; i++)
		e = end_one(ec, y, &list->lost[i], whole);
	return e;
}

/* ---- Who carries for others ---- */

enum err lost_carrier(struct errctx *ec, struct sync *y, int64_t space, const char *ref)
{
	char name[NAME_LEN];
	bool known = false;
	enum err e = strlen(ref) > REF_MAX ? ERR_OK : is_carrier(ec, y, space, ref, &known);

	if (e != ERR_OK || known || strlen(ref) > REF_MAX)
		return e;
	kept_name(KEPT_CARRIER, ref, name);
	e = store_begin(ec, y->store);
	if (e == ERR_OK)
		e = store_kept_put(ec, y->store, space, name, (struct bytes){ 0 });
	if (e == ERR_OK)
		return store_commit(ec, y->store);
	store_rollback(y->store);
	return e;
}
