// SPDX-License-Identifier: EUPL-1.2
// Joining, the side that lets in: a request is authenticated by the invitation's secret, once and in time; the answer
// goes in a box to the joiner's fresh keys. What waits for six words is in requests.c.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/tr.h"
#include "base/try.h"
#include "crypto/secret.h"
#include "model/wire.h"
#include "sync/claims.h"
#include "sync/compaction.h"
#include "sync/floor.h"
#include "sync/invite.h"
#include "sync/join.h"
#include "sync/letters.h"
#include "sync/outbox.h"
#include "sync/requests.h"
#include "sync/space.h"

#define KEPT_USED "used:"

/* --- admitting --- */

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

/* The heads, and of each device that forked the first batch on the way that counts here: so the joiner takes that one,
 * whatever it is shown first. */
static enum err floor_entries(struct errctx *ec, struct sync *y, int64_t space, struct vv_entry **out, size_t *count)
{
	struct vv v = { 0 };
	enum err e = store_vector(ec, y->store, space, &v);

	*out = calloc(2 * v.n + 1, sizeof(**out));
	*count = 0;
	if (e == ERR_OK && *out == NULL)
		e = ERR_NO_MEMORY;
	for (size_t i = 0; e == ERR_OK && i < v.n; i++) {
		struct vv_entry first = { .dev = v.e[i].dev };
		uint8_t hash[HASH_LEN];

		(*out)[(*count)++] = v.e[i];
		e = store_forked(ec, y->store, first.dev, &first.seq);
		if (e != ERR_OK || first.seq == 0 || first.seq >= v.e[i].seq)
			continue;
		e = store_batch_get(ec, y->store, first.dev, first.seq, &first.counter, hash);
		memcpy(first.hash, hash, VV_HASH_LEN);
		(*out)[(*count)++] = first;
	}
	vv_free(&v);
	return e;
}

/* [[device, seq, hash8]...]: what the joiner must come to hold before it believes what it sees; first, under the name
 * of no device, the snapshots that this device stands at or signed for */
static enum err heads_put(struct errctx *ec, struct sync *y, int64_t space, struct buf *out)
{
	static const struct device_id none = { { 0 } };
	struct snapshot_named named[2];
	struct vv_entry *list = NULL;
	size_t n = 0;
	size_t names = 0;
	enum err e = floor_entries(ec, y, space, &list, &n);

	TRY(e);
	TRY(compaction_named(ec, y, space, named, &names));
	TRY(wire_put_array(out, names + n));
	for (size_t i = 0; i < names; i++) {
		TRY(wire_put_array(out, 3));
		TRY(wire_put_bytes(out, none.b, DEVICE_ID_LEN));
		TRY(wire_put_uint(out, named[i].round));
		TRY(wire_put_bytes(out, named[i].hash, VV_HASH_LEN));
	}
	for (size_t i = 0; i < n; i++) {
		TRY(wire_put_array(out, 3));
		TRY(wire_put_bytes(out, list[i].dev.b, DEVICE_ID_LEN));
		TRY(wire_put_uint(out, list[i].seq));
		TRY(wire_put_bytes(out, list[i].hash, VV_HASH_LEN));
	}
done:
	free(list);
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
enum err letter_space_put(struct errctx *ec, struct sync *y, const struct space_row *s, struct buf *out)
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

/* Is the joiner a device of the space already? Its request came twice then, or somebody else let it in meanwhile, and
 * it may have another box key by now. What does not fit what is known of it is nobody to let in. */
static enum err is_in(struct errctx *ec, struct sync *y, const struct space_row *space, const struct bundle *b,
                      bool *in)
{
	struct device_row row;
	enum err e = store_device_by_id(ec, y->store, device_id_make(space->id, b->sign, b->incarnation), &row);

	*in = e == ERR_OK && row.state != DEVICE_NAMED;
	if (*in && (row.space != space->n || row.state == DEVICE_REMOVED || memcmp(row.tag.b, b->tag.b, TAG_LEN) != 0))
		return ERR_DAMAGED;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The membership in one space, sealed: so that how far this device has come, which the answer says, includes it. */
static enum err let_in_one(struct errctx *ec, struct sync *y, const struct letting_in *who, const struct joiner *j)
{
	const char *roles[] = { "member", who->role };
	/* a role such as coordinator belongs to the neighbourhood */
	bool more = strcmp(who->role, "member") != 0 && j->space.kind == SPACE_NEIGHBOURHOOD;
	struct admission a = { j->space.n, who->nick, roles, more ? 2 : 1, NULL };
	struct claims people = { 0 };
	struct bundle b;
	struct dot person = { 0 };
	bool in = false;
	enum err e = ERR_OK;

	bundle_get(j->bundle, &b);
	a.device = &b;
	TRY(is_in(ec, y, &j->space, &b, &in));
	if (!in && who->device) {
		TRY(claims_load(ec, y, &j->space, &people));
		person = claims_of(&people, j->space.me);
		MUST_BE(!dot_is_none(person));
		a.name = NULL;
		a.role_count = 0;
	}
	if (!in)
		TRY(member_write(ec, y, &a, &person));
	TRY(outbox_seal(ec, y, &j->space)); /* registers the device, as every member's copy will */
done:
	claims_free(&people);
	return e;
}

/* Signed with the key of the first space. */
enum err let_in(struct errctx *ec, struct sync *y, const struct letting_in *who)
{
	const struct joiner *j = who->joiner;
	struct file_header h = { .type = FILE_JOIN_ANSWER };
	struct device_keys *keys = NULL;
	struct buf plain = { 0 };
	struct buf file = { 0 };
	struct bundle first;
	uint8_t hash[HASH_LEN];
	uint8_t signature[SIGN_LEN];
	char ref[REF_MAX + 1];
	enum err e = ERR_OK;

	for (size_t k = 0; k < who->spaces; k++)
		TRY(let_in_one(ec, y, who, &j[k]));
	TRY(device_keys_load(ec, y, j[0].space.n, &keys));
	TRY(wire_put_array(&plain, 3));
	TRY(wire_put_uint(&plain, 1));
	TRY(wire_put_bytes(&plain, who->id, INVITATION_ID_LEN));
	TRY(wire_put_array(&plain, who->spaces));
	for (size_t k = 0; k < who->spaces; k++)
		TRY(letter_space_put(ec, y, &j[k].space, &plain));
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

enum err invite_used_by(struct errctx *ec, struct sync *y, const uint8_t id[static INVITATION_ID_LEN],
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

enum err invite_used(struct errctx *ec, struct sync *y, struct issued *issued, const uint8_t mac[static HASH_LEN])
{
	char name[sizeof(KEPT_USED) + 2 * INVITATION_ID_LEN];
	uint8_t id[INVITATION_ID_LEN];
	enum err e = ERR_OK;

	issued->used = true;
	e = issued_save(ec, y, issued);
	invitation_id(issued->secret, id);
	used_name(id, name);
	return e != ERR_OK ? e : store_kept_put(ec, y->store, 0, name, (struct bytes){ mac, HASH_LEN });
}

/* What the request of `h` is compared by, on both sides. */
static enum err held_words(struct errctx *ec, struct sync *y, struct held *h)
{
	struct words_part parts[INVITE_SPACES];
	struct device_keys *keys[INVITE_SPACES] = { NULL };
	enum err e = ERR_OK;

	for (size_t k = 0; k < h->spaces; k++) {
		TRY(device_keys_load(ec, y, h->joiner[k].space.n, &keys[k]));
		parts[k] = (struct words_part){ h->joiner[k].space.id, keys[k]->public.sign, h->joiner[k].bundle };
	}
	request_words(h->id, parts, h->spaces, h->words);
done:
	for (size_t k = 0; k < h->spaces; k++)
		device_keys_free(keys[k]);
	return e;
}

/* What a request says of the one who asks, before its spaces. */
static enum err request_head(struct wire_in *in, struct held *h)
{
	struct bytes nick = { 0 };
	uint64_t version = 0;
	size_t n = 0;
	enum err e = ERR_OK;

	TRY(wire_get_array(in, &n));
	TRY(wire_get_uint(in, &version));
	MUST_BE(n == 4 && version == 1);
	TRY(wire_get_exact(in, h->id, sizeof(h->id)));
	TRY(wire_get_text(in, &nick));
	MUST_BE(nick.len <= SPACE_NAME_MAX);
	memcpy(h->nick, nick.data, nick.len);
	h->nick[nick.len] = '\0';
done:
	return e;
}

/* Does the invitation let this request in? *fate is FATE_DONE then, else it says how the request ends. */
static enum err invitation_allows(struct errctx *ec, struct sync *y, const struct issued *issued, const struct held *h,
                                  enum fate *fate, const char **why)
{
	bool same = false;
	enum err e = ERR_OK;

	*fate = FATE_ASIDE;
	if (issued->used) {
		e = invite_used_by(ec, y, h->id, h->mac, &same);
		*fate = same ? FATE_KNOWN : FATE_ASIDE;
		*why = TR("A request to join uses an invitation that was used before.");
	} else if (clock_now(y->clock) > issued->expires_ms) {
		*why = TR("A request to join came after the invitation had ended.");
	} else {
		*fate = FATE_DONE;
	}
	return e;
}

/* Is all that this device was promised itself here, in every space that is asked for? */
static enum err all_here(struct errctx *ec, struct sync *y, const struct held *h, bool *out)
{
	enum err e = ERR_OK;

	*out = true;
	for (size_t k = 0; e == ERR_OK && k < h->spaces && *out; k++) {
		bool open = false;

		e = floor_open(ec, y, h->joiner[k].space.n, &open);
		*out = !open;
	}
	return e;
}

/* A home that was removed lets nobody in: what it writes reaches no one. One that is not in yet may later. */
static enum err may_admit(struct errctx *ec, struct sync *y, const struct held *h, enum fate *fate)
{
	enum err e = ERR_OK;

	*fate = FATE_DONE;
	for (size_t k = 0; e == ERR_OK && k < h->spaces && *fate != FATE_ASIDE; k++) {
		struct device_row me = { .state = DEVICE_NAMED };

		e = store_device_by_id(ec, y->store, h->joiner[k].space.me, &me);
		e = e == ERR_NOT_FOUND ? ERR_OK : e;
		if (me.state == DEVICE_REMOVED)
			*fate = FATE_ASIDE;
		else if (me.state == DEVICE_NAMED)
			*fate = FATE_WAITS;
	}
	return e;
}

/* The plaintext of a request that is for one of this device's invitations. */
static enum err request_admit(struct errctx *ec, struct sync *y, struct bytes plain, struct received *r,
                              enum fate *fate, const char **why)
{
	struct wire_in in;
	struct issued issued = { 0 };
	struct held *h = calloc(1, sizeof(*h));
	struct letting_in who = { 0 };
	struct buf kept = { 0 };
	char name[INVITE_NAME_LEN];
	enum fate may = FATE_ASIDE;
	bool here = true;
	enum err e = h == NULL ? ERR_NO_MEMORY : ERR_OK;

	*fate = FATE_ASIDE;
	*why = TR("A request to join does not fit an invitation of this device.");
	if (e != ERR_OK || plain.len < HASH_LEN)
		goto done;
	in = wire_in((struct bytes){ plain.data, plain.len - HASH_LEN });
	TRY(request_head(&in, h));
	invite_kept_name(h->id, name);
	e = store_kept_get(ec, y->store, 0, name, &kept);
	if (e == ERR_NOT_FOUND) { /* of an earlier version, and withdrawn; or changed */
		e = ERR_OK;
		*why = TR("A request to join uses an invitation that was withdrawn.");
		goto done;
	}
	TRY(e);
	TRY(issued_get(buf_bytes(&kept), &issued));
	request_mac(issued.secret, (struct bytes){ plain.data, plain.len - HASH_LEN }, h->mac);
	MUST_BE(hash_equal(h->mac, plain.data + plain.len - HASH_LEN, HASH_LEN));
	TRY(invitation_allows(ec, y, &issued, h, &may, why));
	if (may != FATE_DONE) {
		*fate = may;
		goto done;
	}
	TRY(joiners_get(ec, y, &in, &issued, h->id, h->joiner, &h->spaces));
	TRY(wire_at_end(&in));
	TRY(all_here(ec, y, h, &here));
	if (here)
		TRY(may_admit(ec, y, h, &may));
	if (may != FATE_DONE) {
		*fate = may;
		*why = TR("A request to join came to a home that was removed itself.");
		goto done;
	}
	if (!here) { /* nothing is written in a space that is still coming in, no membership either */
		*fate = FATE_WAITS;
		goto done;
	}
	if (issued.compare) {
		TRY(held_words(ec, y, h));
		TRY(request_hold(ec, y, h, r, fate, why));
		goto done;
	}
	TRY(invite_used(ec, y, &issued, h->mac));
	who = (struct letting_in){ h->id, h->joiner, h->spaces, h->nick, issued.role, issued.device };
	TRY(let_in(ec, y, &who));
	r->admitted++;
	*fate = FATE_DONE;
done:
	secret_wipe(&issued, sizeof(issued));
	buf_free(&kept);
	free(h);
	return e == ERR_DAMAGED && (ec == NULL || ec->code == ERR_OK) ? ERR_OK : e;
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
		return open_request_receive(ec, y, file, r, fate, why);
	TRY(store_space_list(ec, y->store, &list, &n));
	for (size_t i = 0; i < n && *fate == FATE_OTHER; i++) {
		if (list[i].state != SPACE_MEMBER || memcmp(list[i].tag.b, h->space.b, TAG_LEN) != 0)
			continue;
		buf_reset(&plain);
		e = invite_unseal(ec, y, &list[i], file, &plain);
		if (e == ERR_OK)
			e = request_admit(ec, y, buf_bytes(&plain), r, fate, why);
		else if (e == ERR_NOT_FOUND)
			e = ERR_OK; /* for another device of the space */
		TRY(e);
	}
done:
	free(list);
	buf_free(&plain);
	return e;
}
