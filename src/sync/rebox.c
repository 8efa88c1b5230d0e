// SPDX-License-Identifier: EUPL-1.2
// A member who can open no epoch any more gets their keys under a new box key, and stays the device it is (K2, S7).
#include "sync/rebox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/codec.h"
#include "base/tr.h"
#include "base/try.h"
#include "crypto/secret.h"
#include "sync/again.h"
#include "sync/box_keys.h"
#include "sync/epochs.h"
#include "sync/floor.h"
#include "sync/letters.h"
#include "sync/outbox.h"
#include "sync/rejoin.h"
#include "sync/requests.h"
#include "sync/resting.h"
#include "sync/restored.h"
#include "sync/space.h"

#define KEPT_ASKED "rebox"
#define KEPT_REQUEST "rebox:"
#define KEPT_NAME_LEN (sizeof(KEPT_REQUEST) + 16)
#define REQUESTS_MAX 100
#define HEARD_DAYS 14
#define DAY_MS (24LL * 60 * 60 * 1000)

static void said_put(const struct rebox *said, uint8_t out[static REBOX_SAID_LEN])
{
	be64_put(out, said->number);
	memcpy(out + 8, said->bundle, BUNDLE_LEN);
	memcpy(out + 8 + BUNDLE_LEN, said->signature, SIGN_LEN);
}

static void said_get(const uint8_t in[static REBOX_SAID_LEN], struct rebox *said)
{
	said->number = be64_get(in);
	memcpy(said->bundle, in + 8, BUNDLE_LEN);
	memcpy(said->signature, in + 8 + BUNDLE_LEN, SIGN_LEN);
}

static bool said_holds(struct space_id space, const struct rebox *said)
{
	struct bundle b;
	uint8_t hash[HASH_LEN];

	bundle_get(said->bundle, &b);
	rebox_hash(space, said, hash);
	return said->number <= STORE_NUMBER_MAX &&
	       sign_check(b.sign, (struct bytes){ hash, HASH_LEN }, said->signature);
}

static struct device_id said_device(struct space_id space, const struct rebox *said)
{
	struct bundle b;

	bundle_get(said->bundle, &b);
	return device_id_make(space, b.sign, b.incarnation);
}

static void said_name(const char *prefix, const struct rebox *said, char out[static KEPT_NAME_LEN])
{
	struct bundle b;
	uint8_t fingerprint[HASH_LEN];
	char hex[17];

	bundle_get(said->bundle, &b);
	bundle_fingerprint(&b, fingerprint);
	hex_put(fingerprint, 8, hex);
	snprintf(out, KEPT_NAME_LEN, "%s%s", prefix, hex);
}

void rebox_letter(const struct file_header *h, const struct rebox *said, uint8_t out[static REBOX_LEN])
{
	file_header_put(h, out);
	said_put(said, out + FILE_HEADER_LEN);
}

/* ---- Asking ---- */

/* The last batch of a device that is known here; 0: none. */
static enum err last_batch(struct errctx *ec, struct sync *y, int64_t space, struct device_id dev, uint64_t *seq)
{
	struct vv heads = { 0 };
	const struct vv_entry *entry = NULL;
	enum err e = store_vector(ec, y->store, space, &heads);

	entry = e == ERR_OK ? vv_get(&heads, dev) : NULL;
	*seq = entry == NULL ? 0 : entry->seq;
	vv_free(&heads);
	return e;
}

/* What was asked last, where that is still what this device would say. */
static enum err asked_load(struct errctx *ec, struct sync *y, const struct space_row *space, struct rebox *said,
                           bool *found)
{
	struct buf b = { 0 };
	enum err e = store_kept_get(ec, y->store, space->n, KEPT_ASKED, &b);

	*found = e == ERR_OK && b.len == REBOX_SAID_LEN;
	if (*found) {
		said_get(b.data, said);
		*found = device_cmp(said_device(space->id, said), space->me) == 0;
	}
	buf_free(&b);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Is it the box key of now, of which the secret is held? */
static enum err is_current(struct errctx *ec, struct sync *y, const struct space_row *space, const struct rebox *said,
                           bool *out)
{
	struct device_keys *keys = NULL;
	struct bundle b;
	enum err e = device_keys_load(ec, y, space->n, &keys);

	bundle_get(said->bundle, &b);
	*out = e == ERR_OK && memcmp(keys->public.box, b.box, BOX_PUBLIC_LEN) == 0;
	device_keys_free(keys);
	return e;
}

static enum err letter_make(struct errctx *ec, struct sync *y, const struct space_row *space, struct rebox *said)
{
	struct file_header h = { .type = FILE_JOIN_REQUEST, .space = space->tag, .seq = REBOX_SEQ };
	struct device_keys *keys = NULL;
	uint8_t letter[REBOX_LEN];
	uint8_t hash[HASH_LEN];
	char ref[REF_MAX + 1];
	enum err e = last_batch(ec, y, space->n, space->me, &said->number);

	if (e == ERR_OK)
		e = box_key_draw(ec, y, space, &keys);
	/* a copy of this home may write to the branch of letters that there was */
	if (e == ERR_OK)
		e = mailbox_renew(ec, y, space->neighbourhood);
	if (e == ERR_OK)
		e = mailbox(ec, y, space->neighbourhood, ref, &h.device);
	if (e == ERR_OK) {
		bundle_put(&keys->public, said->bundle);
		rebox_hash(space->id, said, hash);
		sign_make(keys->sign_secret, (struct bytes){ hash, sizeof(hash) }, said->signature);
		rebox_letter(&h, said, letter);
		e = letter_send(ec, y, space->neighbourhood, "rejoin", (struct bytes){ letter, sizeof(letter) });
	}
	if (e == ERR_OK)
		e = store_kept_put(ec, y->store, space->n, KEPT_ASKED,
		                   (struct bytes){ letter + FILE_HEADER_LEN, REBOX_SAID_LEN });
	device_keys_free(keys);
	return e;
}

/* Does this device take part here as the one it is, as far as it knows? One that is on its way in or back gets the keys
 * otherwise. *state: of the device. */
static enum err takes_part(struct errctx *ec, struct sync *y, const struct space_row *space, bool *out,
                           enum device_state *state)
{
	struct device_row me;
	struct again again;
	bool paper = false;
	bool coming_in = false;
	bool restored = false;
	enum err e = store_device_by_id(ec, y->store, space->me, &me);

	*out = false;
	if (e == ERR_OK)
		e = again_load(ec, y, space->n, &again);
	if (e == ERR_OK)
		e = restored_away(ec, y, space->n, &restored);
	if (e == ERR_OK)
		e = device_is_paper(ec, y, space->n, &paper);
	if (e == ERR_OK)
		e = floor_open(ec, y, space->n, &coming_in);
	if (e == ERR_OK) {
		*out = again.stage == AGAIN_NONE && !restored && !paper && !coming_in;
		*state = me.state;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err lacks(struct errctx *ec, struct sync *y, const struct space_row *space, uint64_t *files,
                      enum device_state *state)
{
	bool part = false;
	enum err e = ERR_OK;

	*files = 0;
	*state = DEVICE_NAMED;
	if (space->state != SPACE_MEMBER)
		return ERR_OK;
	e = store_waiting_keys(ec, y->store, space->n, files);
	if (e == ERR_OK && *files > 0)
		e = takes_part(ec, y, space, &part, state);
	*files = part ? *files : 0;
	return e;
}

enum err rebox_lacks(struct errctx *ec, struct sync *y, const struct space_row *space, uint64_t *files)
{
	enum device_state state = DEVICE_NAMED;
	enum err e = lacks(ec, y, space, files, &state);

	*files = state == DEVICE_ACTIVE ? *files : 0;
	return e;
}

/* Is there somebody whom one reads: heard of lately, and with nothing that waits for a key? */
static enum err somebody_is_read(struct errctx *ec, struct sync *y, const struct space_row *space, bool *out)
{
	struct device_row *list = NULL;
	int64_t today = clock_now(y->clock) / DAY_MS;
	size_t n = 0;
	enum err e = store_device_list(ec, y->store, space->n, &list, &n);

	*out = false;
	for (size_t i = 0; e == ERR_OK && i < n && !*out; i++) {
		uint64_t waits = 0;
		int64_t day = 0;

		if (list[i].state != DEVICE_ACTIVE || device_cmp(list[i].id, space->me) == 0)
			continue;
		e = device_seen_day(ec, y, list[i].id, &day);
		if (e == ERR_OK && day > 0 && today - day < HEARD_DAYS)
			e = store_waiting_keys_of(ec, y->store, space->n, list[i].tag, &waits);
		*out = e == ERR_OK && day > 0 && today - day < HEARD_DAYS && waits == 0;
	}
	free(list);
	return e;
}

enum err rebox_shut_out(struct errctx *ec, struct sync *y, const struct space_row *space, uint64_t *files)
{
	bool read = false;
	enum err e = rebox_lacks(ec, y, space, files);

	if (e == ERR_OK && *files > 0)
		e = somebody_is_read(ec, y, space, &read);
	*files = read ? 0 : *files;
	return e;
}

/* Is there anything to ask for, and may it be asked? */
static enum err may_ask(struct errctx *ec, struct sync *y, const struct space_row *space, bool *may)
{
	enum device_state state = DEVICE_NAMED;
	uint64_t files = 0;
	enum err e = lacks(ec, y, space, &files, &state);

	*may = e == ERR_OK && files > 0 && state == DEVICE_ACTIVE;
	if (e == ERR_OK && files > 0 && state == DEVICE_REMOVED)
		return err_set(ec, ERR_REFUSED,
		               "You were removed from %1, and get nothing new of it. A member can invite you anew.",
		               space->name, NULL, NULL);
	return e;
}

enum err rebox_ask(struct errctx *ec, struct sync *y, const struct space_row *space,
                   uint8_t fingerprint[static HASH_LEN], bool *asked)
{
	struct rebox said = { 0 };
	struct bundle b;
	bool found = false;
	enum err e = may_ask(ec, y, space, asked);

	if (e != ERR_OK || !*asked)
		return e;
	e = asked_load(ec, y, space, &said, &found);
	if (e == ERR_OK && found)
		e = is_current(ec, y, space, &said, &found);
	if (e == ERR_OK && !found)
		e = letter_make(ec, y, space, &said);
	bundle_get(said.bundle, &b);
	bundle_fingerprint(&b, fingerprint);
	return e;
}

/* ---- A letter comes in ---- */

/* Does it still ask for something: is its device in, and nothing newer known of it? *in false where it is no device of
 * this space. */
static enum err still_asks(struct errctx *ec, struct sync *y, const struct space_row *space, const struct rebox *said,
                           struct device_row *device, bool *in, bool *asks)
{
	struct bundle b;
	uint64_t last = 0;
	enum err e = store_device_by_id(ec, y->store, said_device(space->id, said), device);

	bundle_get(said->bundle, &b);
	*in = e == ERR_OK && device->state != DEVICE_NAMED && device->space == space->n;
	*asks = false;
	if (!*in)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	e = last_batch(ec, y, space->n, device->id, &last);
	*asks = last <= said->number && memcmp(device->box, b.box, BOX_PUBLIC_LEN) != 0;
	return e;
}

static enum err count_one(void *arg, const char *name, struct bytes value)
{
	(void)name;
	(void)value;
	(*(size_t *)arg)++;
	return ERR_OK;
}

static enum err is_kept(struct errctx *ec, struct sync *y, int64_t space, const char *name, bool *out)
{
	struct buf b = { 0 };
	enum err e = store_kept_get(ec, y->store, space, name, &b);

	*out = e == ERR_OK;
	buf_free(&b);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err request_keep(struct errctx *ec, struct sync *y, const struct space_row *space, struct bytes said,
                             const char *name, struct received *r, enum fate *fate, const char **why)
{
	size_t open = 0;
	enum err e = store_kept_each(ec, y->store, space->n, KEPT_REQUEST, count_one, &open);

	if (e == ERR_OK && open >= REQUESTS_MAX) {
		*fate = FATE_ASIDE;
		*why = TR("There are too many requests to join. Approve those that you know.");
		return ERR_OK;
	}
	if (e == ERR_OK)
		e = store_kept_put(ec, y->store, space->n, name, said);
	r->asking += e == ERR_OK;
	return e;
}

enum err rebox_request_receive(struct errctx *ec, struct sync *y, const struct file_header *h, struct bytes file,
                               struct received *r, enum fate *fate, const char **why)
{
	struct space_row space;
	struct device_row device;
	struct again mine;
	struct rebox said;
	char name[KEPT_NAME_LEN];
	bool in = false;
	bool asks = false;
	bool kept = false;
	bool declined = false;
	enum err e = ERR_OK;

	*fate = FATE_ASIDE;
	*why = TR("A request to come back is damaged or not from whom it says.");
	if (file.len != REBOX_LEN)
		return ERR_OK;
	e = space_by_tag(ec, y, h->space, &space);
	if (e == ERR_OK)
		e = again_load(ec, y, space.n, &mine);
	if (e != ERR_OK || space.state != SPACE_MEMBER || mine.stage != AGAIN_NONE) {
		*fate = FATE_OTHER;
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	said_get(file.data + FILE_HEADER_LEN, &said);
	if (!said_holds(space.id, &said))
		return ERR_OK;
	*fate = FATE_KNOWN;
	if (device_cmp(said_device(space.id, &said), space.me) == 0)
		return ERR_OK;
	said_name(KEPT_REQUEST, &said, name);
	TRY(still_asks(ec, y, &space, &said, &device, &in, &asks));
	TRY(is_kept(ec, y, space.n, name, &kept));
	TRY(declined_get(ec, y, name + strlen(KEPT_REQUEST), &declined));
	if (!in) { /* who let it in is not here yet */
		*fate = FATE_WAITS;
	} else if (device.state == DEVICE_REMOVED) {
		*fate = FATE_ASIDE;
		*why = TR("A device that was removed asks to come back.");
	} else if (asks && !kept && !declined) {
		*fate = FATE_DONE;
		e = request_keep(ec, y, &space, (struct bytes){ file.data + FILE_HEADER_LEN, REBOX_SAID_LEN }, name, r,
		                 fate, why);
	}
done:
	return e;
}

/* ---- Those that are open ---- */

struct rows {
	struct rebox_row *list;
	size_t n;
	int64_t space;
};

static enum err row_one(void *arg, const char *name, struct bytes value)
{
	struct rows *all = arg;
	struct rebox_row *list = array_grown(all->list, all->n, sizeof(*list));

	if (list == NULL)
		return ERR_NO_MEMORY;
	all->list = list;
	if (value.len != REBOX_SAID_LEN)
		return ERR_DAMAGED;
	list[all->n] = (struct rebox_row){ .space = all->space };
	snprintf(list[all->n].id, sizeof(list[all->n].id), "%s", name + strlen(KEPT_REQUEST));
	said_get(value.data, &list[all->n++].said);
	return ERR_OK;
}

enum err rebox_list(struct errctx *ec, struct sync *y, struct rebox_row **out, size_t *count)
{
	struct rows all = { 0 };
	struct space_row *spaces = NULL;
	size_t n = 0;
	size_t kept = 0;
	enum err e = store_space_list(ec, y->store, &spaces, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		size_t from = all.n;

		all.space = spaces[i].n;
		e = store_kept_each(ec, y->store, spaces[i].n, KEPT_REQUEST, row_one, &all);
		for (size_t k = from; e == ERR_OK && k < all.n; k++) {
			struct device_row device;
			bool in = false;
			bool asks = false;

			e = still_asks(ec, y, &spaces[i], &all.list[k].said, &device, &in, &asks);
			if (e != ERR_OK || !asks || (device.state != DEVICE_ACTIVE && device.state != DEVICE_RESTING))
				continue;
			all.list[k].device = device.id;
			all.list[k].person = device.member;
			all.list[kept++] = all.list[k];
		}
		all.n = kept;
	}
	free(spaces);
	if (e != ERR_OK) {
		free(all.list);
		all = (struct rows){ 0 };
	}
	*out = all.list;
	*count = all.n;
	return e;
}

enum err rebox_approve(struct errctx *ec, struct sync *y, const struct rebox_row *row)
{
	struct space_row space;
	struct device_row device;
	struct bundle b;
	struct buf payload = { 0 };
	char name[KEPT_NAME_LEN];
	enum err e = ERR_OK;

	TRY(store_space_get(ec, y->store, row->space, &space));
	TRY(outbox_seal(ec, y, &space));
	TRY(store_device_by_id(ec, y->store, row->device, &device));
	if (device.state != DEVICE_ACTIVE && device.state != DEVICE_RESTING) {
		e = err_set(ec, ERR_REFUSED, "This device was removed from %1 and cannot come back like this.",
		            space.name, NULL, NULL);
		goto done;
	}
	TRY(rebox_put(&row->said, &payload));
	TRY(control_add(ec, y, space.n, CONTROL_REBOX, buf_bytes(&payload)));
	TRY(outbox_seal(ec, y, &space));
	bundle_get(row->said.bundle, &b);
	TRY(rejoin_answer_send(ec, y, &space, &b));
	said_name(KEPT_REQUEST, &row->said, name);
	TRY(store_kept_delete(ec, y->store, space.n, name));
done:
	buf_free(&payload);
	return e;
}

enum err rebox_decline(struct errctx *ec, struct sync *y, const struct rebox_row *row)
{
	char name[KEPT_NAME_LEN];
	enum err e = ERR_OK;

	said_name(KEPT_REQUEST, &row->said, name);
	e = store_kept_delete(ec, y->store, row->space, name);
	return e == ERR_OK ? declined_put(ec, y, row->id) : e;
}

/* ---- The answer ---- */

struct opening {
	struct bytes file;
	struct buf *plain;
};

static enum err answer_open(void *arg, const uint8_t public[static BOX_PUBLIC_LEN],
                            const uint8_t secret[static BOX_SECRET_LEN])
{
	struct opening *o = arg;
	enum err e = ERR_OK;

	buf_reset(o->plain);
	e = join_unseal(o->file, BOX_JOIN_ANSWER, public, secret, o->plain);
	return e == ERR_DAMAGED ? ERR_NOT_FOUND : e;
}

/* One epoch, [id, key, recipients, parents, rank, creator] or, where it is closed, [id, creator]. Which are written
 * under is told by their signed records; one that was closed here stays so, and one that is here is closed here. */
static enum err epoch_take(struct errctx *ec, struct sync *y, const struct space_row *space, struct wire_in *in,
                           struct epoch_secret *secret)
{
	struct epoch_row row = { .space = space->n, .state = EPOCH_CLOSED };
	struct epoch_secret *held = secret_new(sizeof(*held));
	enum epoch_state state = EPOCH_KEY_ONLY;
	struct epoch_id id;
	struct awaits awaits;
	size_t n = 0;
	bool have = false;
	enum err e = held == NULL ? ERR_NO_MEMORY : ERR_OK;

	TRY(e);
	TRY(wire_get_array(in, &n));
	MUST_BE(n == 6 || n == 2);
	TRY(wire_get_exact(in, row.id.b, EPOCH_ID_LEN));
	TRY(epoch_state_of(ec, y, space, row.id, &state));
	e = epoch_key_load(ec, y, space->n, row.id, held);
	have = e == ERR_OK;
	TRY(e == ERR_NOT_FOUND ? ERR_OK : e);
	if (n == 6) {
		TRY(wire_get_exact(in, secret->key, EPOCH_KEY_LEN));
		TRY(wire_get_exact(in, secret->recipients, 32));
		TRY(wire_get_exact(in, secret->parents, 32));
		TRY(wire_get_uint(in, &row.rank));
		id = epoch_id_make(secret->key, space->id, secret->recipients, secret->parents);
		MUST_BE(memcmp(id.b, row.id.b, EPOCH_ID_LEN) == 0);
	}
	TRY(wire_get_exact(in, row.creator.b, DEVICE_ID_LEN));
	if (have || state == EPOCH_CLOSED)
		goto done;
	if (n == 6) {
		TRY(epoch_key_save(ec, y, space->n, row.id, secret));
		goto done;
	}
	TRY(store_epoch_put(ec, y->store, &row));
	epoch_key_awaits(row.id, &awaits); /* it will not come: what counts of it comes under another */
	TRY(store_waiting_in_vain(ec, y->store, space->n, &awaits));
done:
	secret_free(held);
	return e;
}

static enum err answer_take(struct errctx *ec, struct sync *y, const struct space_row *space, struct wire_in *in)
{
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	struct bytes heads = { 0 };
	size_t n = 0;
	enum err e = secret == NULL ? ERR_NO_MEMORY : ERR_OK;

	TRY(e);
	TRY(wire_get_array(in, &n));
	for (size_t i = 0; i < n; i++)
		TRY(epoch_take(ec, y, space, in, secret));
	TRY(wire_get_raw(in, &heads)); /* what others have comes in as always */
	TRY(wire_at_end(in));
	TRY(box_key_used(ec, y, space));
	TRY(store_kept_delete(ec, y->store, space->n, KEPT_ASKED));
	TRY(store_branch_forget(ec, y->store, space->neighbourhood)); /* what found no room to wait is told again */
done:
	secret_free(secret);
	return e;
}

enum err rebox_answer_receive(struct errctx *ec, struct sync *y, struct bytes file, struct received *r, enum fate *fate,
                              const char **why)
{
	struct space_row *list = NULL;
	struct buf plain = { 0 };
	size_t n = 0;
	enum err e = ERR_OK;

	*fate = FATE_OTHER;
	TRY(store_space_list(ec, y->store, &list, &n));
	for (size_t i = 0; i < n && *fate == FATE_OTHER; i++) {
		struct opening o = { file, &plain };
		struct rebox said;
		struct wire_in in;
		bool asked = false;
		bool known = false;

		TRY(asked_load(ec, y, &list[i], &said, &asked));
		if (!asked)
			continue;
		e = box_pairs_try(ec, y, &list[i], answer_open, &o);
		if (e == ERR_NOT_FOUND)
			continue;
		if (e == ERR_OK)
			e = rejoin_answer_read(ec, y, &list[i], buf_bytes(&plain), said.bundle, &in, &known);
		if (e == ERR_OK && known)
			e = answer_take(ec, y, &list[i], &in);
		*fate = e != ERR_OK ? FATE_ASIDE : known ? FATE_DONE : FATE_WAITS;
		*why =
		    TR("The answer to your request to come back is damaged, or from somebody whom this home does not "
		       "know.");
		r->keyed += e == ERR_OK && known;
		TRY(e == ERR_DAMAGED ? ERR_OK : e);
	}
	e = e == ERR_NOT_FOUND ? ERR_OK : e;
done:
	free(list);
	buf_free(&plain);
	return e;
}
