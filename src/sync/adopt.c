// SPDX-License-Identifier: EUPL-1.2
// Taking up a snapshot (K3, M2, S7): nothing that a person wrote here is lost, nothing erased comes back.
#include "sync/adopt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/codec.h"
#include "base/tr.h"
#include "base/try.h"
#include "batch/zip.h"
#include "crypto/secret.h"
#include "sync/again.h"
#include "sync/epochs.h"
#include "sync/floor.h"
#include "sync/spans.h"

#define KEPT_PART "snap:"

/* ---- Who vouches for it ---- */

struct vouching {
	struct errctx *ec;
	struct sync *y;
	const struct space_row *space;
	const uint8_t *hash;
	uint64_t round;
	struct device_row *device; /* known before it came */
	size_t n;
	bool *came;  /* a batch of this device waits here */
	bool *voted; /* and one of them says that the snapshot is right */
};

static enum err batch_look(struct vouching *v, size_t author, struct bytes cbor)
{
	struct body body = { 0 };
	enum err e = body_parse(cbor, v->device[author].id, &body);

	if (e != ERR_OK)
		return e == ERR_DAMAGED ? ERR_OK : e;
	v->came[author] = true;
	for (size_t i = 0; i < body.control_count; i++) {
		struct vote vote = { 0 };

		if (body.controls[i].type == CONTROL_SNAPSHOT && vote_get(body.controls[i].payload, &vote) == ERR_OK)
			v->voted[author] =
			    v->voted[author] || (vote.round == v->round && memcmp(vote.hash, v->hash, HASH_LEN) == 0);
		vv_free(&vote.upto);
	}
	body_free(&body);
	return ERR_OK;
}

/* One file that waits: whose batch is it, by its signature? */
static enum err file_look(struct vouching *v, struct bytes file)
{
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	struct buf signed_part = { 0 };
	struct file_header h;
	enum err e = secret == NULL ? ERR_NO_MEMORY : file_header_get(file, &h);

	if (e == ERR_OK && h.type != FILE_BATCH)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		e = epoch_key_load(v->ec, v->y, v->space->n, h.epoch, secret);
	if (e == ERR_OK)
		e = batch_unseal(file, secret->key, &signed_part);
	for (size_t i = 0; e == ERR_OK && i < v->n; i++) {
		struct batch_author author = { v->space->id, v->device[i].id, h.seq };
		struct buf cbor = { 0 };
		uint8_t hash[HASH_LEN];

		if (v->device[i].state == DEVICE_ACTIVE && memcmp(v->device[i].tag.b, h.device.b, TAG_LEN) == 0 &&
		    batch_open(v->y->zip, &author, v->device[i].sign, buf_bytes(&signed_part), &cbor, hash) == ERR_OK)
			e = batch_look(v, i, buf_bytes(&cbor));
		buf_free(&cbor);
	}
	buf_free(&signed_part);
	secret_free(secret);
	return e == ERR_NOT_FOUND || e == ERR_DAMAGED ? ERR_OK : e;
}

static enum err files_look(struct vouching *v)
{
	struct waiting_rows rows = { 0 };
	enum err e = store_waiting_list(v->ec, v->y->store, v->space->n, &rows);

	for (size_t i = 0; e == ERR_OK && i < rows.count; i++) {
		struct file_row row;

		e = store_waiting_get(v->ec, v->y->store, rows.n[i], &row);
		if (e != ERR_OK)
			break;
		e = file_look(v, buf_bytes(&row.file));
		buf_free(&row.file);
	}
	free(rows.n);
	return e;
}

/* Every device that is known here and has written beyond the snapshot signed for it, and there is one at least. */
static enum err known_vouch(struct errctx *ec, struct sync *y, const struct space_row *space, uint64_t round,
                            const uint8_t hash[static HASH_LEN], bool *yes)
{
	struct vouching v = { .ec = ec, .y = y, .space = space, .hash = hash, .round = round };
	size_t voted = 0;
	bool all = true;
	enum err e = store_device_list(ec, y->store, space->n, &v.device, &v.n);

	v.came = calloc(v.n + 1, sizeof(*v.came));
	v.voted = calloc(v.n + 1, sizeof(*v.voted));
	if (e == ERR_OK && (v.came == NULL || v.voted == NULL))
		e = ERR_NO_MEMORY;
	if (e == ERR_OK)
		e = files_look(&v);
	for (size_t i = 0; e == ERR_OK && i < v.n; i++) {
		if (device_cmp(v.device[i].id, space->me) == 0)
			continue;
		voted += v.voted[i];
		all = all && (!v.came[i] || v.voted[i]);
	}
	*yes = e == ERR_OK && all && voted > 0;
	free(v.came);
	free(v.voted);
	free(v.device);
	return e;
}

/* ---- What is here and not in it ---- */

/* A batch of somebody else above the snapshot, as it was signed. */
struct held {
	struct device_row author;
	uint64_t seq;
	struct buf signed_part;
	bool done;
};

struct helds {
	struct held *item;
	size_t n;
};

static void helds_free(struct helds *all)
{
	for (size_t i = 0; i < all->n; i++)
		buf_free(&all->item[i].signed_part);
	free(all->item);
}

static uint64_t batches_in(const struct snapshot_parts *p, struct device_id dev)
{
	for (size_t i = 0; i < p->devices; i++)
		if (device_cmp(p->device[i].id, dev) == 0)
			return p->device[i].n;
	return 0;
}

static enum err helds_list(struct errctx *ec, struct sync *y, const struct space_row *space,
                           const struct snapshot_parts *p, struct helds *out)
{
	struct device_row *list = NULL;
	struct vv heads = { 0 };
	size_t n = 0;
	enum err e = store_device_list(ec, y->store, space->n, &list, &n);

	if (e == ERR_OK)
		e = store_vector(ec, y->store, space->n, &heads);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		const struct vv_entry *head = vv_get(&heads, list[i].id);

		for (uint64_t seq = batches_in(p, list[i].id) + 1; e == ERR_OK && head != NULL && seq <= head->seq;
		     seq++) {
			struct held *h = array_grown(out->item, out->n, sizeof(*h));

			if (h == NULL) {
				e = ERR_NO_MEMORY;
				break;
			}
			out->item = h;
			h = &out->item[out->n++];
			*h = (struct held){ .author = list[i], .seq = seq };
			e = store_batch_signed(ec, y->store, list[i].id, seq, &h->signed_part);
		}
	}
	vv_free(&heads);
	free(list);
	return e;
}

/* Those that go on from the snapshot are applied again; what does not fit it comes another way, or not at all. */
static enum err helds_again(struct errctx *ec, struct sync *y, const struct space_row *space, struct helds *all)
{
	bool moved = true;
	enum err e = ERR_OK;

	while (e == ERR_OK && moved) {
		moved = false;
		for (size_t i = 0; e == ERR_OK && i < all->n; i++) {
			struct held *h = &all->item[i];
			struct signed_batch batch = { &h->author, h->seq, buf_bytes(&h->signed_part) };
			struct received r = { .rebuilding = true };
			enum fate fate = FATE_WAITS;
			const char *why = NULL;

			if (h->done)
				continue;
			e = batch_again(ec, y, space, &batch, &r, &fate, &why);
			h->done = fate != FATE_WAITS;
			moved = moved || fate == FATE_DONE;
		}
	}
	return e;
}

/* ---- Putting it in place ---- */

static enum err context_of(const struct snapshot_parts *p, const struct dot *named, size_t n, struct vv *out)
{
	enum err e = ERR_OK;

	out->n = 0;
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		for (size_t k = 0; e == ERR_OK && k < p->devices; k++) {
			const struct snap_batch *b = NULL;
			struct vv_entry entry = { .dev = named[i].dev, .seq = named[i].counter };

			if (device_cmp(p->device[k].id, named[i].dev) != 0)
				continue;
			b = &p->batch[p->device[k].from + named[i].counter - 1];
			entry.counter = b->counter;
			memcpy(entry.hash, b->hash, VV_HASH_LEN);
			e = vv_set(out, entry);
		}
	return e;
}

/* What the last of its batches had seen: of each other device the last step. */
static enum err last_context(const struct snapshot_parts *p, struct device_id dev, struct vv *out)
{
	struct dot *named = calloc(p->devices + 1, sizeof(*named));
	size_t n = 0;
	enum err e = named == NULL ? ERR_NO_MEMORY : ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < p->seens; i++) {
		const struct snap_seen *s = &p->seen[i];

		if (device_cmp(s->at.dev, dev) != 0)
			continue;
		if (n > 0 && device_cmp(named[n - 1].dev, s->names.dev) == 0)
			named[n - 1] = s->names; /* they ascend */
		else
			named[n++] = s->names;
	}
	if (e == ERR_OK)
		e = context_of(p, named, n, out);
	free(named);
	return e;
}

static enum err device_install(struct errctx *ec, struct sync *y, int64_t space, const struct snapshot_parts *p,
                               const struct snap_device *d, struct vv *at)
{
	struct vv context = { 0 };
	struct vv_entry head = { .dev = d->id, .seq = d->n };
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < d->n; i++) {
		const struct snap_batch *b = &p->batch[d->from + i];

		head.counter = b->counter;
		memcpy(head.hash, b->hash, VV_HASH_LEN);
		e = store_batch_skeleton(ec, y->store, space, (struct dot){ d->id, i + 1 }, b->counter, b->hash);
	}
	if (e == ERR_OK)
		e = last_context(p, d->id, &context);
	if (e == ERR_OK)
		e = store_head_put(ec, y->store, space, &head, &context);
	if (e == ERR_OK)
		e = vv_set(at, head);
	vv_free(&context);
	return e;
}

static enum err skeleton_install(struct errctx *ec, struct sync *y, int64_t space, const struct snapshot_parts *p,
                                 struct vv *at)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < p->devices; i++)
		e = device_install(ec, y, space, p, &p->device[i], at);
	for (size_t i = 0; e == ERR_OK && i < p->seens; i++)
		e = store_seen_put(ec, y->store, space, p->seen[i].at, p->seen[i].names);
	for (size_t i = 0; e == ERR_OK && i < p->acts_n; i++) {
		const struct snap_acts *a = &p->acts[i];
		struct vv seen = { 0 };

		e = context_of(p, p->named + a->seen_from, a->seen_n, &seen);
		if (e == ERR_OK)
			e = store_acts_put(ec, y->store, space, a->at.dev, a->at.counter, &seen, a->acts);
		vv_free(&seen);
	}
	return e;
}

static enum err records_install(struct errctx *ec, struct sync *y, int64_t space, const struct snapshot_parts *p)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < p->items; i++) {
		struct record r = { 0 };

		e = record_get(p->item[i].state, &r);
		if (e == ERR_OK && !r.uncounted)
			e = store_record_put(ec, y->store, space, &r);
		record_free(&r);
	}
	return e;
}

static enum err install(struct errctx *ec, struct sync *y, const struct space_row *space,
                        const struct snapshot_parts *p, const uint8_t hash[static HASH_LEN])
{
	struct base base = { .is = true, .round = p->round };
	uint8_t now[8];
	enum err e = ERR_OK;

	memcpy(base.hash, hash, HASH_LEN);
	be64_put(now, (uint64_t)clock_now(y->clock));
	TRY(store_space_reset(ec, y->store, space->n));
	TRY(skeleton_install(ec, y, space->n, p, &base.at));
	TRY(store_kept_put(ec, y->store, space->n, KEPT_PARENT, (struct bytes){ p->parent, HASH_LEN }));
	TRY(store_kept_put(ec, y->store, space->n, "base-at", (struct bytes){ now, sizeof(now) }));
	TRY(store_compact(ec, y->store, space->n, &base, p->item, p->items));
	TRY(records_install(ec, y, space->n, p));
	TRY(membership_renew(ec, y, space));
done:
	vv_free(&base.at);
	return e;
}

/* ---- One's own ---- */

/* Is there something of this device that the snapshot does not hold? */
static enum err own_beyond(struct errctx *ec, struct sync *y, const struct space_row *space,
                           const struct snapshot_parts *p, bool *any)
{
	struct vv heads = { 0 };
	const struct vv_entry *mine = NULL;
	uint64_t unsealed = 0;
	enum err e = store_vector(ec, y->store, space->n, &heads);

	if (e == ERR_OK)
		e = store_unsealed_count(ec, y->store, space->n, &unsealed);
	mine = vv_get(&heads, space->me);
	*any = unsealed > 0 || (mine != NULL && mine->seq > batches_in(p, space->me));
	vv_free(&heads);
	return e;
}

static enum err own_leave(struct errctx *ec, struct sync *y, struct space_row *space, const struct snapshot_parts *p)
{
	struct again a = { .copy = true };
	struct device_keys *keys = NULL;
	enum err e = again_draw(ec, y, space, &a, &keys);

	if (e == ERR_OK)
		e = again_leave(ec, y, space, &a, keys, batches_in(p, space->me));
	device_keys_free(keys);
	return e;
}

static enum err own_again(struct errctx *ec, struct sync *y, const struct space_row *space,
                          const struct taken_edit *taken, size_t n)
{
	struct spans spans = { 0 };
	struct vv all = { 0 };
	enum err e = spans_load(ec, y, space->n, &spans);

	if (e == ERR_OK)
		e = store_vector(ec, y->store, space->n, &all);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		const struct vv *had = spans_at(&spans, taken[i].dot.counter);
		struct edit edit;
		struct body pool = { 0 };

		e = edit_parse(buf_bytes(&taken[i].bytes), &edit, &pool);
		if (e == ERR_OK)
			e = store_write_seen(ec, y->store, space->n, &edit, had == NULL ? &all : had);
		body_free(&pool);
	}
	spans_free(&spans);
	vv_free(&all);
	return e;
}

static enum err adopt(struct errctx *ec, struct sync *y, const struct space_row *before, const struct snapshot_parts *p,
                      const uint8_t hash[static HASH_LEN])
{
	struct space_row space = *before;
	struct helds others = { 0 };
	struct taken_edit *taken = NULL;
	size_t n = 0;
	bool beyond = false;
	enum err e = own_beyond(ec, y, &space, p, &beyond);

	if (e == ERR_OK && beyond)
		e = own_leave(ec, y, &space, p);
	if (e == ERR_OK)
		e = helds_list(ec, y, &space, p, &others);
	if (e == ERR_OK)
		e = store_take_out(ec, y->store, space.n, &taken, &n);
	if (e == ERR_OK)
		e = install(ec, y, &space, p, hash);
	if (e == ERR_OK)
		e = helds_again(ec, y, &space, &others);
	if (e == ERR_OK)
		e = own_again(ec, y, &space, taken, n);
	if (e == ERR_OK)
		e = store_forget_ask_all(ec, y->store);
	store_taken_free(taken, n);
	helds_free(&others);
	return e;
}

/* Does this home hold all of it, so that it makes the same itself and signs for it? */
static enum err holds_it(struct errctx *ec, struct sync *y, const struct space_row *space,
                         const struct snapshot_parts *p, bool *all)
{
	struct base base = { 0 };
	struct vv heads = { 0 };
	enum err e = store_base(ec, y->store, space->n, &base);

	if (e == ERR_OK)
		e = store_vector(ec, y->store, space->n, &heads);
	*all = memcmp(base.hash, p->parent, HASH_LEN) == 0;
	for (size_t i = 0; i < p->devices; i++) {
		const struct vv_entry *head = vv_get(&heads, p->device[i].id);

		*all = *all && head != NULL && head->seq >= p->device[i].n;
	}
	*all = *all || (base.is && base.round >= p->round); /* an earlier one */
	vv_free(&heads);
	vv_free(&base.at);
	return e;
}

enum err snapshot_adopt(struct errctx *ec, struct sync *y, const struct space_row *space, struct bytes bytes,
                        const uint8_t hash[static HASH_LEN], bool *taken)
{
	struct snapshot_parts p = { 0 };
	bool holds = false;
	bool vouched = false;
	enum err e = snapshot_parse(bytes, &p);

	*taken = false;
	if (e == ERR_OK && memcmp(p.space.b, space->id.b, SPACE_ID_LEN) != 0)
		e = ERR_DAMAGED;
	if (e == ERR_OK)
		e = holds_it(ec, y, space, &p, &holds);
	if (e == ERR_OK && holds) {
		*taken = true;
		goto done;
	}
	if (e == ERR_OK)
		e = floor_names(ec, y, space->n, p.round, hash, &vouched);
	if (e == ERR_OK && !vouched)
		e = known_vouch(ec, y, space, p.round, hash, &vouched);
	if (e == ERR_OK && vouched)
		e = adopt(ec, y, space, &p, hash);
	*taken = e == ERR_OK && vouched;
done:
	snapshot_parts_free(&p);
	return e;
}

/* ---- Parts that come in ---- */

struct part {
	uint8_t hash[HASH_LEN];
	uint32_t k;
	uint32_t n;
	struct bytes deflated;
};

static void part_name(const uint8_t hash[static HASH_LEN], uint32_t k, char out[static 64])
{
	char mark[2 * 16 + 1];

	hex_put(hash, 16, mark);
	snprintf(out, 64, KEPT_PART "%s:%08x", mark, k);
}

static bool part_get(struct bytes plain, struct part *out)
{
	if (plain.len < HASH_LEN + 8)
		return false;
	memcpy(out->hash, plain.data, HASH_LEN);
	out->k = be32_get(plain.data + HASH_LEN);
	out->n = be32_get(plain.data + HASH_LEN + 4);
	out->deflated = (struct bytes){ plain.data + HASH_LEN + 8, plain.len - HASH_LEN - 8 };
	return out->n > 0 && out->n <= SNAPSHOT_PARTS_MAX && out->k < out->n;
}

/* All parts together; ERR_NOT_FOUND: one is missing still. */
static enum err parts_join(struct errctx *ec, struct sync *y, int64_t space, const struct part *last, struct buf *out)
{
	uint8_t hash[HASH_LEN];
	enum err e = ERR_OK;

	for (uint32_t k = 0; e == ERR_OK && k < last->n; k++) {
		struct buf deflated = { 0 };
		char name[64];

		part_name(last->hash, k, name);
		e = k == last->k ? buf_put(&deflated, last->deflated.data, last->deflated.len)
		                 : store_kept_get(ec, y->store, space, name, &deflated);
		if (e == ERR_OK)
			e = zip_inflate(y->zip, buf_bytes(&deflated), SNAPSHOT_PART, out);
		buf_free(&deflated);
	}
	if (e != ERR_OK)
		return e;
	hash_bytes("slb snapshot", buf_bytes(out), hash);
	return memcmp(hash, last->hash, HASH_LEN) == 0 ? ERR_OK : ERR_DAMAGED;
}

static enum err parts_drop(struct errctx *ec, struct sync *y, int64_t space, const struct part *last)
{
	enum err e = ERR_OK;

	for (uint32_t k = 0; e == ERR_OK && last->n > 1 && k < last->n; k++) {
		char name[64];

		part_name(last->hash, k, name);
		e = store_kept_delete(ec, y->store, space, name);
	}
	return e;
}

/* The last part that comes waits where nobody vouches for it yet; the others are kept. */
static enum err part_take(struct errctx *ec, struct sync *y, const struct space_row *space, const struct part *part,
                          struct received *r, enum fate *fate)
{
	struct buf all = { 0 };
	char name[64];
	bool taken = false;
	enum err e = parts_join(ec, y, space->n, part, &all);

	*fate = FATE_DONE;
	if (e == ERR_NOT_FOUND) {
		part_name(part->hash, part->k, name);
		return store_kept_put(ec, y->store, space->n, name, part->deflated);
	}
	if (e == ERR_OK)
		e = snapshot_adopt(ec, y, space, buf_bytes(&all), part->hash, &taken);
	if (e == ERR_OK && !taken) {
		r->awaits = (struct awaits){ .what = AWAITS_UNKNOWN };
		*fate = FATE_WAITS;
	} else if (e == ERR_OK) {
		e = parts_drop(ec, y, space->n, part);
	}
	buf_free(&all);
	return e;
}

enum err snapshot_receive(struct errctx *ec, struct sync *y, const struct space_row *space, const struct file_header *h,
                          struct bytes file, struct received *r, enum fate *fate, const char **why)
{
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	struct buf plain = { 0 };
	struct base base = { 0 };
	struct part part;
	enum epoch_state state = EPOCH_OPEN;
	enum err e = secret == NULL ? ERR_NO_MEMORY : epoch_key_load(ec, y, space->n, h->epoch, secret);

	*fate = FATE_KNOWN;
	if (e == ERR_NOT_FOUND) {
		epoch_key_awaits(h->epoch, &r->awaits);
		e = epoch_state_of(ec, y, space, h->epoch, &state);
		*fate = state == EPOCH_CLOSED ? FATE_OTHER : FATE_WAITS;
		goto done;
	}
	if (e == ERR_OK)
		e = snapshot_unseal(file, secret->key, &plain);
	if (e == ERR_OK && !part_get(buf_bytes(&plain), &part))
		e = ERR_DAMAGED;
	if (e == ERR_OK)
		e = store_base(ec, y->store, space->n, &base);
	if (e == ERR_OK && !(base.is && memcmp(base.hash, part.hash, HASH_LEN) == 0))
		e = part_take(ec, y, space, &part, r, fate);
	if (e == ERR_DAMAGED) {
		err_clear(ec);
		*fate = FATE_ASIDE;
		*why = TR("A snapshot is damaged, or not one of this space.");
		e = ERR_OK;
	}
done:
	vv_free(&base.at);
	buf_free(&plain);
	secret_free(secret);
	return e;
}
