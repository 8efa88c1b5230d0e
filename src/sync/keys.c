// SPDX-License-Identifier: EUPL-1.2
// Keys of one's own devices and of epochs (K1). Every space has its own, so that nobody outside can link them.
#include "sync/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "crypto/secret.h"
#include "model/wire.h"
#include "sync/membership.h"

#define KEPT_DEVICE "device"
#define KEPT_EPOCH "epoch:"
#define KEPT_CONTROL "control:"

void bundle_put(const struct bundle *b, uint8_t out[static BUNDLE_LEN])
{
	memcpy(out, b->tag.b, TAG_LEN);
	memcpy(out + TAG_LEN, b->sign, SIGN_PUBLIC_LEN);
	memcpy(out + TAG_LEN + SIGN_PUBLIC_LEN, b->box, BOX_PUBLIC_LEN);
	be32_put(out + TAG_LEN + SIGN_PUBLIC_LEN + BOX_PUBLIC_LEN, b->incarnation);
}

void bundle_get(const uint8_t in[static BUNDLE_LEN], struct bundle *out)
{
	memcpy(out->tag.b, in, TAG_LEN);
	memcpy(out->sign, in + TAG_LEN, SIGN_PUBLIC_LEN);
	memcpy(out->box, in + TAG_LEN + SIGN_PUBLIC_LEN, BOX_PUBLIC_LEN);
	out->incarnation = be32_get(in + TAG_LEN + SIGN_PUBLIC_LEN + BOX_PUBLIC_LEN);
}

void bundle_fingerprint(const struct bundle *b, uint8_t out[static HASH_LEN])
{
	uint8_t bytes[BUNDLE_LEN];

	bundle_put(b, bytes);
	hash_bytes("slb fingerprint", (struct bytes){ bytes, sizeof(bytes) }, out);
}

struct device_keys *device_keys_make(const struct rng *rng)
{
	struct device_keys *k = secret_new(sizeof(*k));

	if (k == NULL)
		return NULL;
	memset(k, 0, sizeof(*k));
	rng_fill(rng, k->public.tag.b, TAG_LEN);
	sign_keypair(rng, k->public.sign, k->sign_secret);
	box_keypair(rng, k->public.box, k->box_secret);
	return k;
}

void device_keys_free(struct device_keys *k)
{
	secret_free(k);
}

enum err device_keys_save(struct errctx *ec, struct sync *y, int64_t space, const struct device_keys *k)
{
	struct buf b = { 0 };
	uint8_t bundle[BUNDLE_LEN];
	enum err e = ERR_OK;

	bundle_put(&k->public, bundle);
	e = buf_put(&b, bundle, sizeof(bundle));
	if (e == ERR_OK)
		e = buf_put(&b, k->sign_secret, SIGN_SECRET_LEN);
	if (e == ERR_OK)
		e = buf_put(&b, k->box_secret, BOX_SECRET_LEN);
	if (e == ERR_OK)
		e = store_kept_put(ec, y->store, space, KEPT_DEVICE, buf_bytes(&b));
	buf_free(&b);
	return e;
}

enum err device_keys_load(struct errctx *ec, struct sync *y, int64_t space, struct device_keys **out)
{
	struct buf b = { 0 };
	struct device_keys *k = NULL;
	enum err e = store_kept_get(ec, y->store, space, KEPT_DEVICE, &b);

	*out = NULL;
	if (e == ERR_OK && b.len != BUNDLE_LEN + SIGN_SECRET_LEN + BOX_SECRET_LEN)
		e = ERR_DAMAGED;
	if (e != ERR_OK) {
		e = err_set(ec, e, "The keys of this device are missing from the vault. Run verify.", NULL, NULL, NULL);
		goto done;
	}
	k = secret_new(sizeof(*k));
	if (k == NULL) {
		e = ERR_NO_MEMORY;
		goto done;
	}
	bundle_get(b.data, &k->public);
	memcpy(k->sign_secret, b.data + BUNDLE_LEN, SIGN_SECRET_LEN);
	memcpy(k->box_secret, b.data + BUNDLE_LEN + SIGN_SECRET_LEN, BOX_SECRET_LEN);
	*out = k;
done:
	buf_free(&b);
	return e;
}

enum err device_keys_drop_box(struct buf *kept)
{
	if (kept->len != BUNDLE_LEN + SIGN_SECRET_LEN + BOX_SECRET_LEN)
		return ERR_DAMAGED;
	secret_wipe(kept->data + BUNDLE_LEN + SIGN_SECRET_LEN, BOX_SECRET_LEN);
	return ERR_OK;
}

/* --- epochs --- */

#define EPOCH_NAME_LEN (sizeof(KEPT_EPOCH) + 2 * EPOCH_ID_LEN)

static void epoch_kept_name(struct epoch_id id, char out[static EPOCH_NAME_LEN])
{
	memcpy(out, KEPT_EPOCH, sizeof(KEPT_EPOCH) - 1);
	hex_put(id.b, EPOCH_ID_LEN, out + sizeof(KEPT_EPOCH) - 1);
}

_Static_assert(EPOCH_NAME_LEN <= AWAITED_ID_MAX, "the name of a key fits");

void epoch_key_awaits(struct epoch_id id, struct awaits *out)
{
	*out = (struct awaits){ .what = AWAITS_KEPT, .id_len = EPOCH_NAME_LEN - 1 };
	epoch_kept_name(id, (char *)out->id);
}

enum err epoch_key_save(struct errctx *ec, struct sync *y, int64_t space, struct epoch_id id,
                        const struct epoch_secret *secret)
{
	char name[EPOCH_NAME_LEN];
	uint8_t bytes[EPOCH_KEY_LEN + 64];
	enum err e = ERR_OK;

	epoch_kept_name(id, name);
	memcpy(bytes, secret->key, EPOCH_KEY_LEN);
	memcpy(bytes + EPOCH_KEY_LEN, secret->recipients, 32);
	memcpy(bytes + EPOCH_KEY_LEN + 32, secret->parents, 32);
	e = store_kept_put(ec, y->store, space, name, (struct bytes){ bytes, sizeof(bytes) });
	secret_wipe(bytes, sizeof(bytes));
	return e;
}

enum err epoch_key_load(struct errctx *ec, struct sync *y, int64_t space, struct epoch_id id, struct epoch_secret *out)
{
	char name[EPOCH_NAME_LEN];
	struct buf b = { 0 };
	enum err e = ERR_OK;

	epoch_kept_name(id, name);
	e = store_kept_get(ec, y->store, space, name, &b);
	if (e == ERR_OK && b.len != EPOCH_KEY_LEN + 64)
		e = ERR_DAMAGED;
	if (e == ERR_OK) {
		memcpy(out->key, b.data, EPOCH_KEY_LEN);
		memcpy(out->recipients, b.data + EPOCH_KEY_LEN, 32);
		memcpy(out->parents, b.data + EPOCH_KEY_LEN + 32, 32);
	}
	buf_free(&b);
	return e;
}

/* Does somebody who was removed, as far as is known here, have its key? */
static bool epoch_usable(const struct membership *m, const struct epoch_row *row)
{
	const struct moment nothing = { .seen = &(const struct vv){ 0 } };

	for (size_t i = 0; i < m->epochs; i++) {
		const struct moment *at = &m->epoch[i].at;

		if (memcmp(m->epoch[i].id.b, row->id.b, EPOCH_ID_LEN) == 0 && device_cmp(at->author, row->creator) == 0)
			return !members_void(&m->members, at->author, at->seq) &&
			       members_knew_removals(&m->members, at);
	}
	return members_knew_removals(&m->members, &nothing); /* its record is not sealed yet, or not here */
}

enum err epoch_choose(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id *out)
{
	struct membership m = { 0 };
	struct epoch_row *list = NULL;
	size_t n = 0;
	enum err e = membership_load(ec, y, space, &m);

	if (e == ERR_OK)
		e = store_epoch_list(ec, y->store, space->n, &list, &n);
	if (e == ERR_OK)
		e = ERR_NOT_FOUND;
	for (size_t i = 0; i < n && e == ERR_NOT_FOUND; i++) {
		if (list[i].state == EPOCH_OPEN && epoch_usable(&m, &list[i])) {
			*out = list[i].id;
			e = ERR_OK;
		}
	}
	free(list);
	membership_free(&m);
	return e;
}

enum err control_add(struct errctx *ec, struct sync *y, int64_t space, uint32_t type, struct bytes payload)
{
	char name[48];
	struct buf b = { 0 };
	uint64_t n = 0;
	enum err e = ERR_OK;

	/* numbered on, so that they go out in the order in which they came about */
	for (;; n++) {
		snprintf(name, sizeof(name), KEPT_CONTROL "%06llu", (unsigned long long)n);
		buf_reset(&b);
		e = store_kept_get(ec, y->store, space, name, &b);
		if (e != ERR_OK)
			break;
	}
	buf_reset(&b);
	e = e != ERR_NOT_FOUND ? e : wire_put_uint(&b, type);
	if (e == ERR_OK)
		e = buf_put(&b, payload.data, payload.len);
	if (e == ERR_OK)
		e = store_kept_put(ec, y->store, space, name, buf_bytes(&b));
	buf_free(&b);
	return e;
}

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

void branch_name(struct tag space, struct epoch_id epoch, struct tag device, char *out)
{
	char s[TAG_TEXT_LEN];
	char ep[TAG_TEXT_LEN];
	char d[TAG_TEXT_LEN];

	tag_text(space, s);
	epoch_text(epoch, ep);
	tag_text(device, d);
	snprintf(out, REF_MAX + 1, "refs/heads/%s/%s/%s", s, ep, d);
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
