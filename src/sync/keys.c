// SPDX-License-Identifier: EUPL-1.2
// Keys of one's own devices and of epochs (K1). Every space has its own, so that nobody outside can link them.
#include "sync/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "crypto/secret.h"
#include "model/wire.h"

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

enum err device_is_paper(struct errctx *ec, struct sync *y, int64_t space, bool *out)
{
	struct device_keys *keys = NULL;
	enum err e = device_keys_load(ec, y, space, &keys);

	*out = e == ERR_OK && (keys->public.incarnation & INCARNATION_PAPER) != 0;
	device_keys_free(keys);
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

enum err epoch_key_destroy(struct errctx *ec, struct sync *y, int64_t space, struct epoch_id id)
{
	char name[EPOCH_NAME_LEN];

	epoch_kept_name(id, name);
	return store_kept_delete(ec, y->store, space, name);
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
