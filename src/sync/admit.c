// SPDX-License-Identifier: EUPL-1.2
// Joining, the side that lets in: a request is authenticated by the invitation's secret, once and in time, or by six
// words; the answer goes in a box to the joiner's fresh keys.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/tr.h"
#include "crypto/secret.h"
#include "model/wire.h"
#include "sync/invite.h"
#include "sync/join.h"
#include "sync/letters.h"
#include "sync/outbox.h"
#include "sync/space.h"

#define KEPT_REQUEST "request:"
#define KEPT_USED "used:"
#define OPEN_REQUESTS_MAX 100

#define TRY(x)                                                                                                         \
	do {                                                                                                           \
		e = (x);                                                                                               \
		if (e != ERR_OK)                                                                                       \
			goto done;                                                                                     \
	} while (0)
#define MUST_BE(x) TRY((x) ? ERR_OK : ERR_DAMAGED)

/* --- admitting --- */

/* A joiner in one space. */
struct joiner {
	struct space_row space;
	uint8_t bundle[BUNDLE_LEN];
};

/* [[epoch id, key, recipients, parents, rank, creator] / [epoch id of a closed one, creator]...] of a space */
static enum err epochs_put(struct errctx *ec, struct sync *y, int64_t space, struct buf *out)
{
	struct epoch_row *list = NULL;
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	size_t n = 0;
	enum err e = secret == NULL ? ERR_NO_MEMORY : store_epoch_list(ec, y->store, space, &list, &n);

	if (e != ERR_OK)
		goto done;
	TRY(wire_put_array(out, n));
	for (size_t i = 0; i < n; i++) {
		if (list[i].state == EPOCH_CLOSED) { /* its key is destroyed, and nothing under it is waited for */
			TRY(wire_put_array(out, 2));
			TRY(wire_put_bytes(out, list[i].id.b, EPOCH_ID_LEN));
			TRY(wire_put_bytes(out, list[i].creator.b, DEVICE_ID_LEN));
			continue;
		}
		TRY(epoch_key_load(ec, y, space, list[i].id, secret));
		TRY(wire_put_array(out, 6));
		TRY(wire_put_bytes(out, list[i].id.b, EPOCH_ID_LEN));
		TRY(wire_put_bytes(out, secret->key, EPOCH_KEY_LEN));
		TRY(wire_put_bytes(out, secret->recipients, 32));
		TRY(wire_put_bytes(out, secret->parents, 32));
		TRY(wire_put_uint(out, list[i].rank));
		TRY(wire_put_bytes(out, list[i].creator.b, DEVICE_ID_LEN));
	}
done:
	secret_free(secret);
	free(list);
	return e;
}

/* [[device, seq, hash8]...]: what the joiner must come to hold before it believes what it sees */
static enum err heads_put(struct errctx *ec, struct sync *y, int64_t space, struct buf *out)
{
	struct vv v = { 0 };
	enum err e = ERR_OK;

	TRY(store_vector(ec, y->store, space, &v));
	TRY(wire_put_array(out, v.n));
	for (size_t i = 0; i < v.n; i++) {
		TRY(wire_put_array(out, 3));
		TRY(wire_put_bytes(out, v.e[i].dev.b, DEVICE_ID_LEN));
		TRY(wire_put_uint(out, v.e[i].seq));
		TRY(wire_put_bytes(out, v.e[i].hash, VV_HASH_LEN));
	}
done:
	vv_free(&v);
	return e;
}

/* The founder's genesis and bundle: the registry of devices starts there. */
static enum err founder_put(struct errctx *ec, struct sync *y, int64_t space, struct buf *out)
{
	struct buf genesis = { 0 };
	struct device_row *list = NULL;
	struct wire_in in;
	uint64_t kind = 0;
	size_t n = 0;
	uint8_t sign[SIGN_PUBLIC_LEN];
	uint8_t bytes[BUNDLE_LEN];
	bool found = false;
	enum err e = ERR_OK;

	TRY(store_kept_get(ec, y->store, space, "genesis", &genesis));
	in = wire_in(buf_bytes(&genesis));
	TRY(wire_get_array(&in, &n));
	TRY(wire_get_uint(&in, &kind));
	TRY(wire_get_exact(&in, sign, sizeof(sign)));
	TRY(store_device_list(ec, y->store, space, &list, &n));
	for (size_t i = 0; i < n && !found; i++) {
		struct bundle b = { .tag = list[i].tag };

		found = list[i].state != DEVICE_NAMED && memcmp(list[i].sign, sign, sizeof(sign)) == 0;
		memcpy(b.sign, list[i].sign, SIGN_PUBLIC_LEN);
		memcpy(b.box, list[i].box, BOX_PUBLIC_LEN);
		bundle_put(&b, bytes);
	}
	MUST_BE(found);
	TRY(buf_put(out, genesis.data, genesis.len));
	TRY(wire_put_bytes(out, bytes, sizeof(bytes)));
done:
	free(list);
	buf_free(&genesis);
	return e;
}

/* [space id, kind, tag, name, genesis, founder's bundle, epochs, heads] */
enum err answer_entry(struct errctx *ec, struct sync *y, const struct space_row *s, struct buf *out)
{
	enum err e = ERR_OK;

	TRY(wire_put_array(out, 8));
	TRY(wire_put_bytes(out, s->id.b, SPACE_ID_LEN));
	TRY(wire_put_uint(out, s->kind));
	TRY(wire_put_bytes(out, s->tag.b, TAG_LEN));
	TRY(wire_put_text(out, s->name, strlen(s->name)));
	TRY(founder_put(ec, y, s->n, out));
	TRY(epochs_put(ec, y, s->n, out));
	TRY(heads_put(ec, y, s->n, out));
done:
	return e;
}

/* Writes the memberships, seals them, and answers; signed with the key of the first space. */
static enum err admit(struct errctx *ec, struct sync *y, const uint8_t id[static INVITATION_ID_LEN],
                      const struct joiner *j, size_t n, const char *nick, const char *role)
{
	const char *roles[] = { "member", role };
	struct file_header h = { .type = FILE_JOIN_ANSWER };
	struct device_keys *keys = NULL;
	struct buf plain = { 0 };
	struct buf file = { 0 };
	struct bundle first;
	uint8_t hash[HASH_LEN];
	uint8_t signature[SIGN_LEN];
	char ref[REF_MAX + 1];
	enum err e = ERR_OK;

	for (size_t k = 0; k < n; k++) {
		/* a role such as coordinator belongs to the neighbourhood */
		bool more = strcmp(role, "member") != 0 && j[k].space.kind == SPACE_NEIGHBOURHOOD;
		struct admission a = { j[k].space.n, nick, roles, more ? 2 : 1, NULL };
		struct bundle b;
		struct dot person = { 0 };

		bundle_get(j[k].bundle, &b);
		a.device = &b;
		TRY(member_write(ec, y, &a, &person));
		TRY(outbox_seal(ec, y, &j[k].space)); /* registers the device, as every member's copy will */
	}
	TRY(device_keys_load(ec, y, j[0].space.n, &keys));
	TRY(wire_put_array(&plain, 3));
	TRY(wire_put_uint(&plain, 1));
	TRY(wire_put_bytes(&plain, id, INVITATION_ID_LEN));
	TRY(wire_put_array(&plain, n));
	for (size_t k = 0; k < n; k++)
		TRY(answer_entry(ec, y, &j[k].space, &plain));
	answer_hash(j[0].bundle, buf_bytes(&plain), hash);
	sign_make(keys->sign_secret, (struct bytes){ hash, sizeof(hash) }, signature);
	TRY(buf_put(&plain, keys->public.sign, SIGN_PUBLIC_LEN));
	TRY(buf_put(&plain, signature, sizeof(signature)));
	bundle_get(j[0].bundle, &first);
	TRY(mailbox(ec, y, j[0].space.neighbourhood, ref, &h.device));
	h.space = j[0].space.tag;
	TRY(join_seal(&h, BOX_JOIN_ANSWER, first.box, buf_bytes(&plain), &file));
	TRY(letter_send(ec, y, j[0].space.neighbourhood, "answer", buf_bytes(&file)));
done:
	device_keys_free(keys);
	buf_free(&plain);
	buf_free(&file);
	return e;
}

/* Reads a request's entries; each must be for a space of the invitation and signed by its own key. */
static enum err joiners_get(struct errctx *ec, struct sync *y, struct wire_in *in, const struct issued *issued,
                            const uint8_t id[static INVITATION_ID_LEN], struct joiner *j, size_t *count)
{
	size_t n = 0;
	enum err e = ERR_OK;

	TRY(wire_get_array(in, &n));
	MUST_BE(n >= 1 && n <= issued->spaces);
	for (size_t k = 0; k < n; k++) {
		struct space_id space;
		struct bundle b;
		uint8_t signature[SIGN_LEN];
		uint8_t hash[HASH_LEN];
		size_t three = 0;
		bool invited = false;

		TRY(wire_get_array(in, &three));
		MUST_BE(three == 3);
		TRY(wire_get_exact(in, space.b, SPACE_ID_LEN));
		TRY(wire_get_exact(in, j[k].bundle, BUNDLE_LEN));
		TRY(wire_get_exact(in, signature, SIGN_LEN));
		for (size_t i = 0; i < issued->spaces && !invited; i++) {
			TRY(store_space_get(ec, y->store, issued->space[i], &j[k].space));
			invited = memcmp(j[k].space.id.b, space.b, SPACE_ID_LEN) == 0;
		}
		MUST_BE(invited);
		for (size_t i = 0; i < k; i++)
			MUST_BE(j[i].space.n != j[k].space.n);
		bundle_get(j[k].bundle, &b);
		possession_hash(j[k].bundle, space, id, hash);
		MUST_BE(sign_check(b.sign, (struct bytes){ hash, sizeof(hash) }, signature));
	}
	*count = n;
done:
	return e;
}

/* Which request an invitation was used by: a host may show the same one again, and then nothing is wrong. */
static void used_name(const uint8_t id[static INVITATION_ID_LEN],
                      char out[static sizeof(KEPT_USED) + 2 * INVITATION_ID_LEN])
{
	memcpy(out, KEPT_USED, sizeof(KEPT_USED) - 1);
	hex_put(id, INVITATION_ID_LEN, out + sizeof(KEPT_USED) - 1);
}

static enum err used_by(struct errctx *ec, struct sync *y, const uint8_t id[static INVITATION_ID_LEN],
                        const uint8_t mac[static HASH_LEN], bool *same)
{
	char name[sizeof(KEPT_USED) + 2 * INVITATION_ID_LEN];
	struct buf kept = { 0 };
	enum err e = ERR_OK;

	used_name(id, name);
	e = store_kept_get(ec, y->store, 0, name, &kept);
	*same = e == ERR_OK && kept.len == HASH_LEN && memcmp(kept.data, mac, HASH_LEN) == 0;
	buf_free(&kept);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The plaintext of a request that is for one of this device's invitations. */
static enum err request_admit(struct errctx *ec, struct sync *y, struct bytes plain, struct received *r,
                              enum fate *fate, const char **why)
{
	struct wire_in in;
	struct issued issued = { 0 };
	struct joiner j[INVITE_SPACES];
	struct buf kept = { 0 };
	struct bytes nick = { 0 };
	uint8_t id[INVITATION_ID_LEN];
	uint8_t mac[HASH_LEN];
	char name[INVITE_NAME_LEN];
	char used[sizeof(KEPT_USED) + 2 * INVITATION_ID_LEN];
	char nick_text[SPACE_NAME_MAX + 1] = "";
	uint64_t version = 0;
	size_t n = 0;
	enum err e = ERR_OK;

	*fate = FATE_ASIDE;
	*why = TR("A request to join does not fit an invitation of this device.");
	if (plain.len < HASH_LEN)
		return ERR_OK;
	in = wire_in((struct bytes){ plain.data, plain.len - HASH_LEN });
	TRY(wire_get_array(&in, &n));
	TRY(wire_get_uint(&in, &version));
	MUST_BE(n == 4 && version == 1);
	TRY(wire_get_exact(&in, id, sizeof(id)));
	TRY(wire_get_text(&in, &nick));
	MUST_BE(nick.len <= SPACE_NAME_MAX);
	memcpy(nick_text, nick.data, nick.len);
	invite_kept_name(id, name);
	e = store_kept_get(ec, y->store, 0, name, &kept);
	if (e == ERR_NOT_FOUND) { /* withdrawn, or another device's */
		e = ERR_OK;
		*why = TR("A request to join uses an invitation that was withdrawn.");
		goto done;
	}
	TRY(e);
	TRY(issued_get(buf_bytes(&kept), &issued));
	request_mac(issued.secret, (struct bytes){ plain.data, plain.len - HASH_LEN }, mac);
	MUST_BE(hash_equal(mac, plain.data + plain.len - HASH_LEN, HASH_LEN));
	if (issued.used) {
		bool same = false;

		TRY(used_by(ec, y, id, mac, &same));
		*fate = same ? FATE_KNOWN : FATE_ASIDE;
		*why = TR("A request to join uses an invitation that was used before.");
		goto done;
	}
	if (clock_now(y->clock) > issued.expires_ms) {
		*why = TR("A request to join came after the invitation had ended.");
		goto done;
	}
	TRY(joiners_get(ec, y, &in, &issued, id, j, &n));
	TRY(wire_at_end(&in));
	issued.used = true;
	TRY(issued_save(ec, y, &issued));
	used_name(id, used);
	TRY(store_kept_put(ec, y->store, 0, used, (struct bytes){ mac, HASH_LEN }));
	TRY(admit(ec, y, id, j, n, nick_text, issued.role));
	r->admitted++;
	*fate = FATE_DONE;
done:
	secret_wipe(&issued, sizeof(issued));
	buf_free(&kept);
	return e == ERR_DAMAGED && (ec == NULL || ec->code == ERR_OK) ? ERR_OK : e;
}

/* Is there a device with this key in one of the spaces here? Then the request was approved, or is one's own. */
static enum err key_is_known(struct errctx *ec, struct sync *y, const uint8_t sign[static SIGN_PUBLIC_LEN], bool *known)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, y->store, &list, &n);

	*known = false;
	for (size_t i = 0; e == ERR_OK && i < n && !*known; i++) {
		struct device_id dev = device_id_make(list[i].id, sign, 0);
		struct device_row row;

		*known = device_cmp(dev, list[i].me) == 0;
		if (*known)
			break;
		e = store_device_by_id(ec, y->store, dev, &row);
		*known = e == ERR_OK && row.state != DEVICE_NAMED;
		e = e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	free(list);
	return e;
}

static enum err count_one(void *arg, const char *name, struct bytes value)
{
	(void)name;
	(void)value;
	(*(size_t *)arg)++;
	return ERR_OK;
}

/* A bare request waits until a member approves it. */
static enum err open_request(struct errctx *ec, struct sync *y, struct bytes file, enum fate *fate, const char **why)
{
	struct bundle b;
	uint8_t hash[HASH_LEN];
	uint8_t fingerprint[HASH_LEN];
	char name[sizeof(KEPT_REQUEST) + 2 * INVITATION_ID_LEN];
	size_t open = 0;
	bool known = false;
	enum err e = ERR_OK;

	*fate = FATE_ASIDE;
	*why = TR("A request to join is damaged.");
	if (file.len != OPEN_REQUEST_LEN)
		return ERR_OK;
	bundle_get(file.data + FILE_HEADER_LEN, &b);
	hash_bytes("slb open request", (struct bytes){ file.data, FILE_HEADER_LEN + BUNDLE_LEN }, hash);
	if (!sign_check(b.sign, (struct bytes){ hash, sizeof(hash) }, file.data + FILE_HEADER_LEN + BUNDLE_LEN))
		return ERR_OK;
	bundle_fingerprint(&b, fingerprint);
	memcpy(name, KEPT_REQUEST, sizeof(KEPT_REQUEST) - 1);
	hex_put(fingerprint, INVITATION_ID_LEN, name + sizeof(KEPT_REQUEST) - 1);
	e = key_is_known(ec, y, b.sign, &known);
	if (e != ERR_OK || known) {
		*fate = FATE_KNOWN;
		return e;
	}
	e = store_kept_each(ec, y->store, 0, KEPT_REQUEST, count_one, &open);
	if (e == ERR_OK && open >= OPEN_REQUESTS_MAX) {
		*why = TR("There are too many requests to join. Approve those that you know.");
		return ERR_OK;
	}
	*fate = FATE_DONE;
	return e != ERR_OK
	           ? e
	           : store_kept_put(ec, y->store, 0, name, (struct bytes){ file.data + FILE_HEADER_LEN, BUNDLE_LEN });
}

enum err join_request_receive(struct errctx *ec, struct sync *y, const struct file_header *h, struct bytes file,
                              struct received *r, enum fate *fate, const char **why)
{
	struct space_row *list = NULL;
	struct buf plain = { 0 };
	size_t n = 0;
	enum err e = ERR_OK;

	*fate = FATE_OTHER;
	if (h->seq == OPEN_REQUEST_SEQ)
		return open_request(ec, y, file, fate, why);
	TRY(store_space_list(ec, y->store, &list, &n));
	for (size_t i = 0; i < n && *fate == FATE_OTHER; i++) {
		struct device_keys *keys = NULL;

		if (list[i].state != SPACE_MEMBER || memcmp(list[i].tag.b, h->space.b, TAG_LEN) != 0)
			continue;
		TRY(device_keys_load(ec, y, list[i].n, &keys));
		e = join_unseal(file, BOX_JOIN_REQUEST, keys->public.box, keys->box_secret, &plain);
		device_keys_free(keys);
		if (e == ERR_OK)
			e = request_admit(ec, y, buf_bytes(&plain), r, fate, why);
		else if (e == ERR_DAMAGED)
			e = ERR_OK; /* for another device of the space */
		TRY(e);
	}
done:
	free(list);
	buf_free(&plain);
	return e;
}

/* --- bare requests, for those who approve --- */

struct requests {
	struct request_row *list;
	size_t n;
};

static enum err request_one(void *arg, const char *name, struct bytes value)
{
	struct requests *all = arg;
	struct request_row *list = realloc(all->list, (all->n + 1) * sizeof(*list));

	if (list == NULL)
		return ERR_NO_MEMORY;
	all->list = list;
	if (value.len != BUNDLE_LEN)
		return ERR_DAMAGED;
	snprintf(list[all->n].id, sizeof(list[all->n].id), "%s", name + strlen(KEPT_REQUEST));
	bundle_get(value.data, &list[all->n].bundle);
	all->n++;
	return ERR_OK;
}

enum err request_list(struct errctx *ec, struct sync *y, struct request_row **out, size_t *count)
{
	struct requests all = { 0 };
	enum err e = store_kept_each(ec, y->store, 0, KEPT_REQUEST, request_one, &all);

	if (e != ERR_OK) {
		free(all.list);
		all = (struct requests){ 0 };
	}
	*out = all.list;
	*count = all.n;
	return e;
}

enum err request_approve(struct errctx *ec, struct sync *y, const struct space_row *neighbourhood,
                         const struct request_row *request, const char *name)
{
	struct joiner j = { .space = *neighbourhood };
	uint8_t fingerprint[HASH_LEN];
	char kept[sizeof(KEPT_REQUEST) + 2 * INVITATION_ID_LEN];
	enum err e = ERR_OK;

	bundle_put(&request->bundle, j.bundle);
	bundle_fingerprint(&request->bundle, fingerprint);
	snprintf(kept, sizeof(kept), KEPT_REQUEST "%s", request->id);
	TRY(admit(ec, y, fingerprint, &j, 1, name, "member"));
	TRY(store_kept_delete(ec, y->store, 0, kept));
done:
	return e;
}
