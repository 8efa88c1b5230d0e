// SPDX-License-Identifier: EUPL-1.2
// The box keys of one's own device: renewed under each epoch, old ones destroyed when it is closed (K1, K3).
#include "sync/box_keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "model/wire.h"
#include "sync/carry.h"

#define KEPT_BOX_USED "boxused" /* a box came to the newest one */
#define KEPT_BOXED "boxed"      /* the epoch under which the newest box key was named */
#define KEPT_OLD_BOX "box:"     /* the secrets of earlier box keys */
#define OLD_BOX_NAME_LEN (sizeof(KEPT_OLD_BOX) + 16)

enum err box_key_named(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch)
{
	return store_kept_put(ec, y->store, space->n, KEPT_BOXED, (struct bytes){ epoch.b, EPOCH_ID_LEN });
}

enum err boxed_under(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch,
                     bool *known, bool *same)
{
	struct buf boxed = { 0 };
	enum err e = store_kept_get(ec, y->store, space->n, KEPT_BOXED, &boxed);

	*known = e == ERR_OK;
	*same = *known && boxed.len == EPOCH_ID_LEN && memcmp(boxed.data, epoch.b, EPOCH_ID_LEN) == 0;
	buf_free(&boxed);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
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
	struct buf used = { 0 };
	bool known = false;
	bool same = false;
	enum err e = boxed_under(ec, y, space, epoch, &known, &same);

	if (e == ERR_OK)
		e = store_kept_get(ec, y->store, space->n, KEPT_BOX_USED, &used);
	*moved = known && !same;
	*due = !same || e == ERR_OK;
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

/* Names a new one with the next batch. */
static enum err pair_draw(struct errctx *ec, struct sync *y, const struct space_row *space, struct device_keys *keys)
{
	struct buf payload = { 0 };
	enum err e = pair_keep(ec, y, space->n, keys);

	box_keypair(y->rng, keys->public.box, keys->box_secret);
	if (e == ERR_OK)
		e = device_keys_save(ec, y, space->n, keys);
	if (e == ERR_OK)
		e = wire_put_bytes(&payload, keys->public.box, BOX_PUBLIC_LEN);
	if (e == ERR_OK)
		e = control_add(ec, y, space->n, CONTROL_BOX_KEY, buf_bytes(&payload));
	if (e == ERR_OK)
		e = store_kept_delete(ec, y->store, space->n, KEPT_BOX_USED);
	buf_free(&payload);
	return e;
}

enum err box_key_renew(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch)
{
	struct device_keys *keys = NULL;
	bool due = false;
	bool moved = false;
	enum err e = renewal_due(ec, y, space, epoch, &due, &moved);

	if (e == ERR_OK && due)
		e = device_keys_load(ec, y, space->n, &keys);
	if (e != ERR_OK || !due || (keys->public.incarnation & INCARNATION_PAPER) != 0) /* what is on paper stays */
		goto done;
	e = pair_draw(ec, y, space, keys);
	if (e == ERR_OK)
		e = box_key_named(ec, y, space, epoch);
	if (e == ERR_OK && moved)
		e = own_carry(ec, y, space, epoch);
done:
	device_keys_free(keys);
	return e;
}

enum err box_key_draw(struct errctx *ec, struct sync *y, const struct space_row *space, struct device_keys **keys)
{
	enum err e = device_keys_load(ec, y, space->n, keys);

	return e == ERR_OK ? pair_draw(ec, y, space, *keys) : e;
}

enum err box_key_copied(struct errctx *ec, struct sync *y, const struct space_row *space)
{
	struct device_keys *keys = NULL;
	enum err e = device_keys_load(ec, y, space->n, &keys);

	if (e == ERR_OK && (keys->public.incarnation & INCARNATION_PAPER) == 0) /* what is on paper stays */
		e = pair_draw(ec, y, space, keys);
	device_keys_free(keys);
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

/* ---- Old ones ---- */

static enum err names_list(void *arg, const char *name, struct bytes value)
{
	(void)value;
	return buf_put(arg, name, strlen(name) + 1);
}

enum err old_boxes_destroy(struct errctx *ec, struct sync *y, const struct space_row *space)
{
	struct buf names = { 0 };
	enum err e = store_kept_each(ec, y->store, space->n, KEPT_OLD_BOX, names_list, &names);

	for (size_t at = 0; e == ERR_OK && at < names.len; at += strlen((char *)names.data + at) + 1)
		e = store_kept_delete(ec, y->store, space->n, (char *)names.data + at);
	buf_free(&names);
	return e;
}

enum err old_boxes_any(struct errctx *ec, struct sync *y, const struct space_row *space, bool *any)
{
	struct buf names = { 0 };
	enum err e = store_kept_each(ec, y->store, space->n, KEPT_OLD_BOX, names_list, &names);

	*any = names.len > 0;
	buf_free(&names);
	return e;
}
