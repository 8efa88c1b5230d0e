// SPDX-License-Identifier: EUPL-1.2
// Coming back into a space, both sides of the letters (S7, K2).
#include "sync/rejoin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/tr.h"
#include "base/try.h"
#include "crypto/secret.h"
#include "model/wire.h"
#include "sync/acts.h"
#include "sync/epochs.h"
#include "sync/letters.h"
#include "sync/membership.h"
#include "sync/outbox.h"
#include "sync/removal.h"
#include "sync/requests.h"
#include "sync/space.h"

#define KEPT_KEYS "again:keys"
#define KEPT_FLOOR "again:floor"
#define KEPT_REJOIN "rejoin:"
#define REQUESTS_MAX 100
#define DAY_MS (24LL * 60 * 60 * 1000)

/* ---- Asking ---- */

enum err rejoin_alone(struct errctx *ec, struct sync *y, const struct space_row *space, bool *alone)
{
	struct device_row *list = NULL;
	size_t n = 0;
	enum err e = store_device_list(ec, y->store, space->n, &list, &n);

	*alone = true;
	for (size_t i = 0; i < n; i++)
		*alone = *alone && (list[i].state == DEVICE_NAMED || list[i].state == DEVICE_REMOVED ||
		                    device_cmp(list[i].id, space->me) == 0);
	free(list);
	return e;
}

/* The new keys wait beside the old ones until they are let in. */
static enum err keys_keep(struct errctx *ec, struct sync *y, int64_t space, const struct device_keys *k)
{
	struct buf b = { 0 };
	enum err e = buf_put(&b, k->sign_secret, SIGN_SECRET_LEN);

	if (e == ERR_OK)
		e = buf_put(&b, k->box_secret, BOX_SECRET_LEN);
	if (e == ERR_OK)
		e = store_kept_put(ec, y->store, space, KEPT_KEYS, buf_bytes(&b));
	buf_free(&b);
	return e;
}

static enum err keys_kept(struct errctx *ec, struct sync *y, int64_t space, const struct again *a,
                          struct device_keys **out)
{
	struct buf b = { 0 };
	enum err e = store_kept_get(ec, y->store, space, KEPT_KEYS, &b);

	*out = NULL;
	if (e == ERR_OK && b.len != SIGN_SECRET_LEN + BOX_SECRET_LEN)
		e = ERR_DAMAGED;
	if (e == ERR_OK) {
		*out = secret_new(sizeof(**out));
		e = *out == NULL ? ERR_NO_MEMORY : ERR_OK;
	}
	if (e == ERR_OK) {
		bundle_get(a->bundle, &(*out)->public);
		memcpy((*out)->sign_secret, b.data, SIGN_SECRET_LEN);
		memcpy((*out)->box_secret, b.data + SIGN_SECRET_LEN, BOX_SECRET_LEN);
	}
	buf_free(&b);
	return e == ERR_NOT_FOUND ? ERR_DAMAGED : e;
}

static void request_hash(const uint8_t *file, uint8_t out[static HASH_LEN])
{
	hash_bytes("slb rejoin", (struct bytes){ file, REJOIN_LEN - SIGN_LEN }, out);
}

void rejoin_letter(const struct file_header *h, const struct again *a, const struct device_keys *keys,
                   uint8_t out[static REJOIN_LEN])
{
	uint8_t *p = out + FILE_HEADER_LEN;
	uint8_t hash[HASH_LEN];

	file_header_put(h, out);
	memcpy(p, a->old.b, DEVICE_ID_LEN);
	be32_put(p + DEVICE_ID_LEN, (uint32_t)(a->made_ms / DAY_MS));
	memcpy(p + DEVICE_ID_LEN + 4, a->signature, SIGN_LEN);
	memcpy(p + DEVICE_ID_LEN + 4 + SIGN_LEN, a->bundle, BUNDLE_LEN);
	request_hash(out, hash);
	sign_make(keys->sign_secret, (struct bytes){ hash, sizeof(hash) }, out + REJOIN_LEN - SIGN_LEN);
}

static enum err request_send(struct errctx *ec, struct sync *y, const struct space_row *space, const struct again *a,
                             const struct device_keys *keys)
{
	struct file_header h = { .type = FILE_JOIN_REQUEST, .space = space->tag, .seq = REJOIN_SEQ };
	uint8_t bytes[REJOIN_LEN];
	char ref[REF_MAX + 1];
	enum err e = mailbox(ec, y, space->neighbourhood, ref, &h.device);

	if (e != ERR_OK)
		return e;
	rejoin_letter(&h, a, keys, bytes);
	return letter_send(ec, y, space->neighbourhood, "rejoin", (struct bytes){ bytes, sizeof(bytes) });
}

enum err rejoin_ask(struct errctx *ec, struct sync *y, const struct space_row *space, int64_t made_ms,
                    uint8_t fingerprint[static HASH_LEN])
{
	struct again a;
	struct device_keys *keys = NULL;
	enum err e = again_load(ec, y, space->n, &a);

	if (e == ERR_OK && a.stage == AGAIN_NONE) {
		a = (struct again){ .stage = AGAIN_ASKED, .made_ms = made_ms };
		/* what the host has of it is not followed before it is let in */
		e = store_branch_forget(ec, y->store, space->neighbourhood);
		if (e == ERR_OK)
			e = mailbox_renew(ec, y, space->neighbourhood);
		if (e == ERR_OK)
			e = again_draw(ec, y, space, &a, &keys);
		if (e == ERR_OK)
			e = keys_keep(ec, y, space->n, keys);
		if (e == ERR_OK)
			e = again_save(ec, y, space->n, &a);
		if (e == ERR_OK)
			e = request_send(ec, y, space, &a, keys);
	}
	if (e == ERR_OK) {
		struct bundle b;

		bundle_get(a.bundle, &b);
		bundle_fingerprint(&b, fingerprint);
	}
	device_keys_free(keys);
	return e;
}

/* ---- A request comes in ---- */

static void row_get(const uint8_t *p, struct rejoin_row *row)
{
	memcpy(row->old.b, p, DEVICE_ID_LEN);
	row->made_day = be32_get(p + DEVICE_ID_LEN);
	memcpy(row->signature, p + DEVICE_ID_LEN + 4, SIGN_LEN);
	bundle_get(p + DEVICE_ID_LEN + 4 + SIGN_LEN, &row->bundle);
}

static enum err count_one(void *arg, const char *name, struct bytes value)
{
	(void)name;
	(void)value;
	(*(size_t *)arg)++;
	return ERR_OK;
}

/* Both keys signed, and the old device is in. *fate is set where that is not so. */
static enum err request_holds(struct errctx *ec, struct sync *y, const struct space_row *space,
                              const struct rejoin_row *row, const uint8_t *file, enum fate *fate, const char **why)
{
	struct device_row old;
	struct device_row new;
	uint8_t bundle[BUNDLE_LEN];
	uint8_t hash[HASH_LEN];
	struct device_id id = device_id_make(space->id, row->bundle.sign, row->bundle.incarnation);
	enum err e = ERR_OK;

	*why = TR("A request to come back is damaged or not from whom it says.");
	request_hash(file, hash);
	if (!sign_check(row->bundle.sign, (struct bytes){ hash, sizeof(hash) }, file + REJOIN_LEN - SIGN_LEN)) {
		*fate = FATE_ASIDE;
		return ERR_OK;
	}
	e = store_device_by_id(ec, y->store, id, &new);
	if (device_cmp(id, space->me) == 0 || (e == ERR_OK && new.state != DEVICE_NAMED)) {
		*fate = FATE_KNOWN;
		return ERR_OK;
	}
	e = e == ERR_NOT_FOUND ? ERR_OK : e;
	if (e == ERR_OK)
		e = store_device_by_id(ec, y->store, row->old, &old);
	if (e == ERR_NOT_FOUND || (e == ERR_OK && (old.state == DEVICE_NAMED || old.space != space->n))) {
		*fate = FATE_WAITS;
		return ERR_OK;
	}
	if (e != ERR_OK)
		return e;
	bundle_put(&row->bundle, bundle);
	goes_on_hash(space->id, row->old, bundle, hash);
	if (!sign_check(old.sign, (struct bytes){ hash, sizeof(hash) }, row->signature)) {
		*fate = FATE_ASIDE;
	} else if (old.state == DEVICE_REMOVED) {
		*fate = FATE_ASIDE;
		*why = TR("A device that was removed asks to come back.");
	}
	return ERR_OK;
}

enum err rejoin_request_receive(struct errctx *ec, struct sync *y, const struct file_header *h, struct bytes file,
                                enum fate *fate, const char **why)
{
	struct space_row space;
	struct rejoin_row row;
	struct again mine;
	uint8_t fingerprint[HASH_LEN];
	char name[sizeof(KEPT_REJOIN) + 16];
	size_t open = 0;
	bool declined = false;
	enum err e = ERR_OK;

	*fate = FATE_ASIDE;
	*why = TR("A request to come back is damaged or not from whom it says.");
	if (file.len != REJOIN_LEN)
		return ERR_OK;
	e = space_by_tag(ec, y, h->space, &space);
	if (e != ERR_OK || space.state != SPACE_MEMBER) {
		*fate = FATE_OTHER;
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	e = again_load(ec, y, space.n, &mine);
	if (e != ERR_OK || mine.stage != AGAIN_NONE) { /* one's own, or not a home that could answer now */
		*fate = FATE_OTHER;
		return e;
	}
	row_get(file.data + FILE_HEADER_LEN, &row);
	*fate = FATE_DONE;
	e = request_holds(ec, y, &space, &row, file.data, fate, why);
	if (e != ERR_OK || *fate != FATE_DONE)
		return e;
	e = store_kept_each(ec, y->store, space.n, KEPT_REJOIN, count_one, &open);
	if (e == ERR_OK && open >= REQUESTS_MAX) {
		*fate = FATE_ASIDE;
		*why = TR("There are too many requests to join. Approve those that you know.");
		return ERR_OK;
	}
	bundle_fingerprint(&row.bundle, fingerprint);
	memcpy(name, KEPT_REJOIN, sizeof(KEPT_REJOIN) - 1);
	hex_put(fingerprint, 8, name + sizeof(KEPT_REJOIN) - 1);
	if (e == ERR_OK)
		e = declined_get(ec, y, name + sizeof(KEPT_REJOIN) - 1, &declined);
	if (declined)
		*fate = FATE_KNOWN;
	if (e != ERR_OK || declined)
		return e;
	return store_kept_put(ec, y->store, space.n, name,
	                      (struct bytes){ file.data + FILE_HEADER_LEN, REJOIN_LEN - FILE_HEADER_LEN - SIGN_LEN });
}

/* ---- Those that are open ---- */

struct rows {
	struct rejoin_row *list;
	size_t n;
	int64_t space;
};

static enum err row_one(void *arg, const char *name, struct bytes value)
{
	struct rows *all = arg;
	struct rejoin_row *list = realloc(all->list, (all->n + 1) * sizeof(*list));

	if (list == NULL)
		return ERR_NO_MEMORY;
	all->list = list;
	if (value.len != REJOIN_LEN - FILE_HEADER_LEN - SIGN_LEN)
		return ERR_DAMAGED;
	list[all->n] = (struct rejoin_row){ .space = all->space };
	snprintf(list[all->n].id, sizeof(list[all->n].id), "%s", name + strlen(KEPT_REJOIN));
	row_get(value.data, &list[all->n++]);
	return ERR_OK;
}

/* Another member let it in meanwhile. */
static enum err is_in(struct errctx *ec, struct sync *y, const struct rejoin_row *row, bool *in)
{
	struct space_row space;
	struct device_row dev;
	enum err e = store_space_get(ec, y->store, row->space, &space);

	if (e == ERR_OK)
		e = store_device_by_id(ec, y->store,
		                       device_id_make(space.id, row->bundle.sign, row->bundle.incarnation), &dev);
	*in = e == ERR_OK && dev.state != DEVICE_NAMED;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err rejoin_list(struct errctx *ec, struct sync *y, struct rejoin_row **out, size_t *count)
{
	struct rows all = { 0 };
	struct space_row *spaces = NULL;
	size_t n = 0;
	size_t kept = 0;
	enum err e = store_space_list(ec, y->store, &spaces, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		all.space = spaces[i].n;
		e = store_kept_each(ec, y->store, spaces[i].n, KEPT_REJOIN, row_one, &all);
	}
	for (size_t i = 0; e == ERR_OK && i < all.n; i++) {
		struct device_row old;
		bool in = false;

		e = is_in(ec, y, &all.list[i], &in);
		if (e == ERR_OK)
			e = store_device_by_id(ec, y->store, all.list[i].old, &old);
		if (e != ERR_OK || in || (old.state != DEVICE_ACTIVE && old.state != DEVICE_RESTING))
			continue;
		all.list[i].person = old.member;
		all.list[kept++] = all.list[i];
	}
	free(spaces);
	if (e != ERR_OK) {
		free(all.list);
		all.list = NULL;
		kept = 0;
	}
	*out = all.list;
	*count = kept;
	return e;
}

/* ---- Letting in ---- */

/* May this device say that the old id is removed? In a neighbourhood a coordinator does, and one's own other device. */
static enum err may_cut(struct errctx *ec, struct sync *y, const struct space_row *space, struct dot person, bool *may)
{
	struct membership m = { 0 };
	struct device_row me;
	enum err e = store_device_by_id(ec, y->store, space->me, &me);

	*may = space->kind != SPACE_NEIGHBOURHOOD;
	if (e != ERR_OK || *may)
		return e;
	e = membership_load(ec, y, space, &m);
	if (e == ERR_OK)
		*may =
		    dot_cmp(me.member, person) == 0 || (members_roles(&m.members, me.member) & ROLE_COORDINATOR) != 0;
	membership_free(&m);
	return e;
}

static enum err acts_seal(struct errctx *ec, struct sync *y, const struct space_row *space,
                          const struct rejoin_row *row)
{
	struct goes_on g = { .device = row->old };
	struct device_keys *keys = NULL;
	struct epoch_id epoch;
	struct buf b = { 0 };
	bool cut = false;
	enum err e = ERR_OK;

	bundle_put(&row->bundle, g.bundle);
	memcpy(g.signature, row->signature, SIGN_LEN);
	TRY(may_cut(ec, y, space, row->person, &cut));
	TRY(goes_on_put(&g, &b));
	TRY(control_add(ec, y, space->n, CONTROL_GOES_ON, buf_bytes(&b)));
	if (cut) /* behind the other: whoever removes a device must have seen where it goes on */
		TRY(device_cut(ec, y, space, row->old));
	TRY(outbox_seal(ec, y, space));
	e = epoch_choose(ec, y, space, &epoch);
	if (e == ERR_NOT_FOUND) { /* the old device has the keys of all that there are */
		TRY(device_keys_load(ec, y, space->n, &keys));
		TRY(epoch_begin(ec, y, space, keys, &epoch));
		TRY(outbox_seal(ec, y, space));
	}
done:
	device_keys_free(keys);
	buf_free(&b);
	return e;
}

enum err rejoin_answer_send(struct errctx *ec, struct sync *y, const struct space_row *space, const struct bundle *to)
{
	struct file_header h = { .type = FILE_JOIN_ANSWER, .space = space->tag };
	struct device_keys *keys = NULL;
	struct buf plain = { 0 };
	struct buf file = { 0 };
	uint8_t bundle[BUNDLE_LEN];
	uint8_t fingerprint[HASH_LEN];
	uint8_t hash[HASH_LEN];
	uint8_t signature[SIGN_LEN];
	char ref[REF_MAX + 1];
	enum err e = ERR_OK;

	bundle_put(to, bundle);
	bundle_fingerprint(to, fingerprint);
	TRY(device_keys_load(ec, y, space->n, &keys));
	TRY(wire_put_array(&plain, 3));
	TRY(wire_put_uint(&plain, 1));
	TRY(wire_put_bytes(&plain, fingerprint, INVITATION_ID_LEN));
	TRY(wire_put_array(&plain, 1));
	TRY(letter_space_put(ec, y, space, &plain));
	answer_hash(bundle, buf_bytes(&plain), hash);
	sign_make(keys->sign_secret, (struct bytes){ hash, sizeof(hash) }, signature);
	TRY(buf_put(&plain, keys->public.sign, SIGN_PUBLIC_LEN));
	TRY(buf_put(&plain, signature, sizeof(signature)));
	TRY(mailbox(ec, y, space->neighbourhood, ref, &h.device));
	TRY(join_seal(&h, BOX_JOIN_ANSWER, to->box, buf_bytes(&plain), &file));
	TRY(letter_send(ec, y, space->neighbourhood, "answer", buf_bytes(&file)));
done:
	device_keys_free(keys);
	buf_free(&plain);
	buf_free(&file);
	return e;
}

enum err rejoin_approve(struct errctx *ec, struct sync *y, const struct rejoin_row *row)
{
	struct space_row space;
	struct device_row old;
	char name[sizeof(KEPT_REJOIN) + 16];
	enum err e = store_space_get(ec, y->store, row->space, &space);

	snprintf(name, sizeof(name), KEPT_REJOIN "%s", row->id);
	if (e == ERR_OK)
		e = outbox_seal(ec, y, &space);
	if (e == ERR_OK)
		e = store_device_by_id(ec, y->store, row->old, &old);
	if (e == ERR_OK && old.state != DEVICE_ACTIVE && old.state != DEVICE_RESTING)
		e = err_set(ec, ERR_REFUSED, "This device was removed from %1 and cannot come back like this.",
		            space.name, NULL, NULL);
	if (e == ERR_OK)
		e = acts_seal(ec, y, &space, row);
	if (e == ERR_OK)
		e = rejoin_answer_send(ec, y, &space, &row->bundle);
	return e == ERR_OK ? store_kept_delete(ec, y->store, space.n, name) : e;
}

enum err rejoin_decline(struct errctx *ec, struct sync *y, const struct rejoin_row *row)
{
	char name[sizeof(KEPT_REJOIN) + 16];
	enum err e = ERR_OK;

	snprintf(name, sizeof(name), KEPT_REJOIN "%s", row->id);
	e = store_kept_delete(ec, y->store, row->space, name);
	return e == ERR_OK ? declined_put(ec, y, row->id) : e;
}

/* ---- The answer ---- */

/* Up to which batch of one's own others have seen it: what the member who answers had, and what the authors of batches
 * that are here had. ERR_DAMAGED: the member had another batch of that number. */
static enum err common_find(struct errctx *ec, struct sync *y, const struct space_row *space, struct bytes heads,
                            uint64_t *common)
{
	struct wire_in in = wire_in(heads);
	uint64_t named = 0;
	size_t n = 0;
	size_t three = 0;
	enum err e = ERR_OK;

	*common = 0;
	TRY(wire_get_array(&in, &n));
	for (size_t i = 0; i < n; i++) {
		struct device_id dev;
		uint8_t hash[VV_HASH_LEN];
		uint8_t own[HASH_LEN];
		uint64_t seq = 0;
		uint64_t counter = 0;

		TRY(wire_get_array(&in, &three));
		MUST_BE(three == 3);
		TRY(wire_get_exact(&in, dev.b, DEVICE_ID_LEN));
		TRY(wire_get_uint(&in, &seq));
		TRY(wire_get_exact(&in, hash, VV_HASH_LEN));
		if (device_cmp(dev, space->me) != 0)
			continue;
		*common = seq;
		e = store_batch_get(ec, y->store, dev, seq, &counter, own);
		MUST_BE(e != ERR_OK || memcmp(hash, own, VV_HASH_LEN) == 0);
		e = e == ERR_NOT_FOUND ? ERR_OK : e;
		TRY(e);
	}
	TRY(again_named(ec, y, space, &named));
	*common = named > *common ? named : *common;
done:
	return e;
}

/* Only who was a member when the backup was made is believed: the words that were compared prove this home to the
 * others, and nothing to it. */
static enum err signer_is_known(struct errctx *ec, struct sync *y, const struct space_row *space,
                                const uint8_t sign[static SIGN_PUBLIC_LEN], bool *known)
{
	struct device_row *list = NULL;
	size_t n = 0;
	enum err e = store_device_list(ec, y->store, space->n, &list, &n);

	*known = false;
	for (size_t i = 0; i < n; i++)
		*known = *known ||
		         ((list[i].state == DEVICE_ACTIVE || list[i].state == DEVICE_RESTING) &&
		          device_cmp(list[i].id, space->me) != 0 && memcmp(list[i].sign, sign, SIGN_PUBLIC_LEN) == 0);
	free(list);
	return e;
}

enum err rejoin_answer_read(struct errctx *ec, struct sync *y, const struct space_row *space, struct bytes plain,
                            const uint8_t bundle[static BUNDLE_LEN], struct wire_in *in, bool *known)
{
	size_t tail = SIGN_PUBLIC_LEN + SIGN_LEN;
	struct bytes skip = { 0 };
	struct bundle b;
	struct space_id id;
	uint8_t fingerprint[HASH_LEN];
	uint8_t hash[HASH_LEN];
	uint8_t said[INVITATION_ID_LEN];
	uint64_t version = 0;
	size_t n = 0;
	enum err e = ERR_OK;

	MUST_BE(plain.len > tail);
	answer_hash(bundle, (struct bytes){ plain.data, plain.len - tail }, hash);
	MUST_BE(sign_check(plain.data + plain.len - tail, (struct bytes){ hash, sizeof(hash) },
	                   plain.data + plain.len - SIGN_LEN));
	TRY(signer_is_known(ec, y, space, plain.data + plain.len - tail, known));
	bundle_get(bundle, &b);
	bundle_fingerprint(&b, fingerprint);
	*in = wire_in((struct bytes){ plain.data, plain.len - tail });
	TRY(wire_get_array(in, &n));
	TRY(wire_get_uint(in, &version));
	TRY(wire_get_exact(in, said, sizeof(said)));
	MUST_BE(n == 3 && version == 1 && memcmp(said, fingerprint, sizeof(said)) == 0);
	TRY(wire_get_array(in, &n));
	MUST_BE(n == 1);
	TRY(wire_get_array(in, &n));
	MUST_BE(n == 8);
	TRY(wire_get_exact(in, id.b, SPACE_ID_LEN));
	MUST_BE(memcmp(id.b, space->id.b, SPACE_ID_LEN) == 0);
	for (int i = 0; i < 5; i++) /* kind, tag, name, genesis, founder: known here */
		TRY(wire_get_raw(in, &skip));
done:
	return e;
}

static enum err answer_take(struct errctx *ec, struct sync *y, struct bytes plain, struct space_row *space,
                            struct again *a, const struct device_keys *keys)
{
	struct wire_in in;
	struct bytes heads = { 0 };
	uint64_t common = 0;
	bool known = false;
	enum err e = ERR_OK;

	TRY(rejoin_answer_read(ec, y, space, plain, a->bundle, &in, &known));
	MUST_BE(known);
	TRY(answer_epochs(ec, y, space, &in));
	TRY(wire_get_raw(&in, &heads));
	TRY(wire_at_end(&in));
	TRY(common_find(ec, y, space, heads, &common));
	TRY(again_leave(ec, y, space, a, keys, common));
	TRY(store_kept_put(ec, y->store, space->n, KEPT_FLOOR, heads));
	TRY(store_branch_forget(ec, y->store, space->neighbourhood));
done:
	return e;
}

enum err rejoin_answer_receive(struct errctx *ec, struct sync *y, struct bytes file, struct received *r,
                               enum fate *fate, const char **why)
{
	struct space_row *list = NULL;
	struct buf plain = { 0 };
	size_t n = 0;
	enum err e = ERR_OK;

	*fate = FATE_OTHER;
	TRY(store_space_list(ec, y->store, &list, &n));
	for (size_t i = 0; i < n && *fate == FATE_OTHER; i++) {
		struct device_keys *keys = NULL;
		struct again a;

		TRY(again_load(ec, y, list[i].n, &a));
		if (a.stage != AGAIN_ASKED)
			continue;
		TRY(keys_kept(ec, y, list[i].n, &a, &keys));
		buf_reset(&plain);
		e = join_unseal(file, BOX_JOIN_ANSWER, keys->public.box, keys->box_secret, &plain);
		if (e == ERR_OK) {
			e = answer_take(ec, y, buf_bytes(&plain), &list[i], &a, keys);
			*fate = e == ERR_OK ? FATE_DONE : FATE_ASIDE;
			*why = TR("The answer to your request to come back is damaged, or from somebody whom this home "
			          "does not know.");
			r->joined += e == ERR_OK;
		}
		device_keys_free(keys);
		if (e == ERR_DAMAGED)
			e = ERR_OK;
		TRY(e);
	}
done:
	free(list);
	buf_free(&plain);
	return e;
}
