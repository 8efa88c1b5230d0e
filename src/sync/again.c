// SPDX-License-Identifier: EUPL-1.2
// Going on under another id (S7): what nobody else has is written again; nothing is lost, nothing doubled (S3, M2).
#include "sync/again.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/codec.h"
#include "base/try.h"
#include "crypto/secret.h"
#include "model/wire.h"
#include "sync/acts.h"
#include "sync/box_keys.h"
#include "sync/epochs.h"
#include "sync/letters.h"
#include "sync/outbox.h"
#include "sync/redot.h"
#include "sync/refold.h"
#include "sync/removal.h"
#include "sync/restored.h"
#include "sync/snapshot.h"
#include "sync/space.h"
#include "sync/spans.h"

#define KEPT_AGAIN "again"
#define KEPT_KEYS "again:keys"
#define KEPT_FLOOR "again:floor"
#define KEPT_OLD "again:old"

/* ---- The state, as it is kept: [stage, copy, old id, had, made, bundle, signature] ---- */

enum err again_load(struct errctx *ec, struct sync *y, int64_t space, struct again *out)
{
	struct buf b = { 0 };
	struct wire_in in;
	uint64_t stage = 0;
	size_t n = 0;
	enum err e = store_kept_get(ec, y->store, space, KEPT_AGAIN, &b);

	*out = (struct again){ 0 };
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	TRY(e);
	in = wire_in(buf_bytes(&b));
	TRY(wire_get_array(&in, &n));
	TRY(n == 7 ? wire_get_uint(&in, &stage) : ERR_DAMAGED);
	TRY(wire_get_bool(&in, &out->copy));
	TRY(wire_get_exact(&in, out->old.b, DEVICE_ID_LEN));
	TRY(wire_get_uint(&in, &out->had));
	TRY(wire_get_int(&in, &out->made_ms));
	TRY(wire_get_exact(&in, out->bundle, BUNDLE_LEN));
	TRY(wire_get_exact(&in, out->signature, SIGN_LEN));
	out->stage = (enum again_stage)stage;
done:
	buf_free(&b);
	return e;
}

enum err again_save(struct errctx *ec, struct sync *y, int64_t space, const struct again *a)
{
	struct buf b = { 0 };
	enum err e = ERR_OK;

	TRY(wire_put_array(&b, 7));
	TRY(wire_put_uint(&b, a->stage));
	TRY(wire_put_bool(&b, a->copy));
	TRY(wire_put_bytes(&b, a->old.b, DEVICE_ID_LEN));
	TRY(wire_put_uint(&b, a->had));
	TRY(wire_put_int(&b, a->made_ms));
	TRY(wire_put_bytes(&b, a->bundle, BUNDLE_LEN));
	TRY(wire_put_bytes(&b, a->signature, SIGN_LEN));
	TRY(store_kept_put(ec, y->store, space, KEPT_AGAIN, buf_bytes(&b)));
done:
	buf_free(&b);
	return e;
}

enum err again_draw(struct errctx *ec, struct sync *y, const struct space_row *space, struct again *a,
                    struct device_keys **out)
{
	struct device_keys *old = NULL;
	uint8_t hash[HASH_LEN];
	enum err e = device_keys_load(ec, y, space->n, &old);

	*out = e == ERR_OK ? device_keys_make(y->rng) : NULL;
	if (e == ERR_OK && *out == NULL)
		e = ERR_NO_MEMORY;
	if (e == ERR_OK) {
		a->old = space->me;
		bundle_put(&(*out)->public, a->bundle);
		goes_on_hash(space->id, a->old, a->bundle, hash);
		sign_make(old->sign_secret, (struct bytes){ hash, sizeof(hash) }, a->signature);
	}
	device_keys_free(old);
	return e;
}

/* ---- What was written again, and what it was: [[counter, old counter, hash of the edit]...] ---- */

struct was {
	uint64_t counter;
	uint64_t old;
	uint8_t hash[HASH_LEN];
	bool here; /* others have it: it came in as what it was */
};

struct wases {
	struct was *w; /* ascending by both */
	size_t n;
};

static enum err was_add(struct wases *all, const struct was *one)
{
	struct was *w = array_grown(all->w, all->n, sizeof(*w));

	if (w == NULL)
		return ERR_NO_MEMORY;
	all->w = w;
	all->w[all->n++] = *one;
	return ERR_OK;
}

static enum err wases_save(struct errctx *ec, struct sync *y, int64_t space, const struct wases *all)
{
	struct buf b = { 0 };
	enum err e = ERR_OK;

	TRY(wire_put_array(&b, all->n));
	for (size_t i = 0; i < all->n; i++) {
		TRY(wire_put_array(&b, 3));
		TRY(wire_put_uint(&b, all->w[i].counter));
		TRY(wire_put_uint(&b, all->w[i].old));
		TRY(wire_put_bytes(&b, all->w[i].hash, HASH_LEN));
	}
	TRY(store_kept_put(ec, y->store, space, KEPT_OLD, buf_bytes(&b)));
done:
	buf_free(&b);
	return e;
}

static enum err wases_load(struct errctx *ec, struct sync *y, int64_t space, struct wases *all)
{
	struct buf b = { 0 };
	struct wire_in in;
	size_t n = 0;
	size_t three = 0;
	enum err e = store_kept_get(ec, y->store, space, KEPT_OLD, &b);

	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	TRY(e);
	in = wire_in(buf_bytes(&b));
	TRY(wire_get_array(&in, &n));
	for (size_t i = 0; i < n; i++) {
		struct was one = { 0 };

		TRY(wire_get_array(&in, &three));
		TRY(three == 3 ? wire_get_uint(&in, &one.counter) : ERR_DAMAGED);
		TRY(wire_get_uint(&in, &one.old));
		TRY(wire_get_exact(&in, one.hash, HASH_LEN));
		TRY(was_add(all, &one));
	}
done:
	buf_free(&b);
	return e;
}

static struct was *was_of(const struct wases *all, uint64_t counter)
{
	size_t from = 0;
	size_t to = all->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (all->w[mid].counter < counter)
			from = mid + 1;
		else
			to = mid;
	}
	return from < all->n && all->w[from].counter == counter ? &all->w[from] : NULL;
}

/* ---- Taking out ---- */

/* Controls that go along: who was removed, who goes on, whose box key is another. An epoch that was begun is begun anew
 * where one is needed. */
static enum err control_again(struct errctx *ec, struct sync *y, int64_t space, const struct control *c)
{
	if (c->type != CONTROL_CUT && c->type != CONTROL_GOES_ON && c->type != CONTROL_REBOX)
		return ERR_OK;
	return control_add(ec, y, space, c->type, c->payload);
}

struct line {
	struct spans spans; /* of the old counters */
	struct vv at;       /* the context of the last batch that stays */
	struct vv_entry last;
};

static void line_free(struct line *l)
{
	spans_free(&l->spans);
	vv_free(&l->at);
}

static enum err delta_apply(struct errctx *ec, struct sync *y, const struct body *body, struct vv *context)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < body->context_count; i++) {
		const struct context_entry *c = &body->context[i];
		struct vv_entry entry = { .dev = c->dev, .seq = c->seq };
		uint8_t hash[HASH_LEN];

		e = store_batch_get(ec, y->store, c->dev, c->seq, &entry.counter, hash);
		if (e == ERR_OK) {
			memcpy(entry.hash, c->hash, VV_HASH_LEN);
			e = vv_set(context, entry);
		}
	}
	return e == ERR_NOT_FOUND ? ERR_DAMAGED : e;
}

/* One batch of the line, in order. Of those that are taken back, what they said goes into the next batch. */
static enum err line_batch(struct errctx *ec, struct sync *y, const struct space_row *space,
                           const struct device_row *old, uint64_t seq, uint64_t common, struct vv *context,
                           struct line *l)
{
	struct batch_author author = { space->id, old->id, seq };
	struct buf signed_part = { 0 };
	struct buf cbor = { 0 };
	struct body body = { 0 };
	uint8_t hash[HASH_LEN];
	uint64_t counter = 0;
	enum err e = ERR_OK;

	TRY(store_batch_get(ec, y->store, old->id, seq, &counter, hash));
	TRY(store_batch_signed(ec, y->store, old->id, seq, &signed_part));
	TRY(batch_open(y->zip, &author, old->sign, buf_bytes(&signed_part), &cbor, hash));
	TRY(body_parse(buf_bytes(&cbor), old->id, &body));
	TRY(delta_apply(ec, y, &body, context));
	if (seq == common) {
		l->last = (struct vv_entry){ old->id, seq, counter, { 0 } };
		memcpy(l->last.hash, hash, VV_HASH_LEN);
		TRY(vv_copy(context, &l->at));
	}
	if (seq <= common)
		goto done;
	TRY(spans_add(&l->spans, counter, context));
	for (size_t i = 0; i < body.control_count; i++)
		TRY(control_again(ec, y, space->n, &body.controls[i]));
done:
	body_free(&body);
	buf_free(&cbor);
	buf_free(&signed_part);
	return e == ERR_NOT_FOUND ? ERR_DAMAGED : e;
}

/* What the next batch was to say already stays, behind the introduction; what tells of epochs whose keys are left
 * behind does not, nor the founding, which only the founder's own key can say. */
struct pending {
	struct errctx *ec;
	struct buf *b;
	char (*name)[64];
	size_t n;
};

static enum err pending_one(void *arg, const char *name, struct bytes value)
{
	struct pending *p = arg;
	struct buf *b = realloc(p->b, (p->n + 1) * sizeof(*b));
	char(*names)[64] = NULL;

	if (b == NULL)
		return ERR_NO_MEMORY;
	p->b = b;
	names = realloc(p->name, (p->n + 1) * sizeof(*names));
	if (names == NULL)
		return ERR_NO_MEMORY;
	p->name = names;
	p->b[p->n] = (struct buf){ 0 };
	snprintf(p->name[p->n], sizeof(p->name[p->n]), "%s", name);
	return buf_put(&p->b[p->n++], value.data, value.len);
}

static enum err goes_on_add(struct errctx *ec, struct sync *y, const struct space_row *space, const struct again *a)
{
	struct goes_on g = { .device = a->old };
	struct buf b = { 0 };
	enum err e = ERR_OK;

	memcpy(g.bundle, a->bundle, BUNDLE_LEN);
	memcpy(g.signature, a->signature, SIGN_LEN);
	e = goes_on_put(&g, &b);
	if (e == ERR_OK)
		e = control_add(ec, y, space->n, CONTROL_GOES_ON, buf_bytes(&b));
	buf_free(&b);
	return e;
}

/* The next batch begins with the introduction, where there is one. */
static enum err controls_renew(struct errctx *ec, struct sync *y, const struct space_row *space, const struct again *a)
{
	struct pending p = { .ec = ec };
	enum err e = store_kept_each(ec, y->store, space->n, "control:", pending_one, &p);

	for (size_t i = 0; e == ERR_OK && i < p.n; i++)
		e = store_kept_delete(ec, y->store, space->n, p.name[i]);
	if (e == ERR_OK && a->copy)
		e = goes_on_add(ec, y, space, a);
	for (size_t i = 0; e == ERR_OK && i < p.n; i++) {
		struct wire_in in = wire_in(buf_bytes(&p.b[i]));
		uint64_t type = 0;

		e = wire_get_uint(&in, &type);
		if (e == ERR_OK)
			e = control_again(ec, y, space->n,
			                  &(struct control){ (uint32_t)type, { in.p, (size_t)(in.end - in.p) } });
	}
	for (size_t i = 0; i < p.n; i++)
		buf_free(&p.b[i]);
	free(p.b);
	free(p.name);
	return e;
}

/* An epoch that one began and never told anybody of is none. */
static enum err epochs_back(struct errctx *ec, struct sync *y, const struct space_row *space, struct device_id old,
                            uint64_t common)
{
	struct membership m = { 0 };
	struct epoch_row *list = NULL;
	size_t n = 0;
	enum err e = membership_load(ec, y, space, &m);

	if (e == ERR_OK)
		e = store_epoch_list(ec, y->store, space->n, &list, &n);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		bool told = device_cmp(list[i].creator, old) != 0;

		for (size_t k = 0; k < m.epochs; k++)
			told = told || (memcmp(m.epoch[k].id.b, list[i].id.b, EPOCH_ID_LEN) == 0 &&
			                device_cmp(m.epoch[k].at.author, old) == 0 && m.epoch[k].at.seq <= common);
		if (told || list[i].state != EPOCH_OPEN)
			continue;
		list[i].state = EPOCH_KEY_ONLY;
		e = store_epoch_put(ec, y->store, &list[i]);
	}
	free(list);
	membership_free(&m);
	return e;
}

/* Below where the log was cut off the tables tell what the line had seen. */
static enum err line_base(struct errctx *ec, struct sync *y, const struct space_row *space, uint64_t common,
                          struct vv *context, struct line *l, uint64_t *from)
{
	struct base base = { 0 };
	const struct vv_entry *mine = NULL;
	enum err e = store_base(ec, y->store, space->n, &base);

	mine = vv_get(&base.at, space->me);
	*from = mine == NULL ? 0 : mine->seq;
	for (size_t i = 0; e == ERR_OK && *from > 0 && i < base.at.n; i++) {
		struct vv_entry entry = { .dev = base.at.e[i].dev };
		uint8_t hash[HASH_LEN];

		if (device_cmp(entry.dev, space->me) == 0)
			continue;
		e = store_seen_at(ec, y->store, space->me, *from, entry.dev, &entry.seq);
		if (e != ERR_OK || entry.seq == 0)
			continue;
		e = store_batch_get(ec, y->store, entry.dev, entry.seq, &entry.counter, hash);
		memcpy(entry.hash, hash, VV_HASH_LEN);
		if (e == ERR_OK)
			e = vv_set(context, entry);
	}
	if (e == ERR_OK && *from > 0 && common == *from) {
		l->last = *mine;
		e = vv_copy(context, &l->at);
	}
	vv_free(&base.at);
	return e == ERR_NOT_FOUND ? ERR_DAMAGED : e;
}

static enum err line_back(struct errctx *ec, struct sync *y, const struct space_row *space, uint64_t head,
                          uint64_t common, struct line *l)
{
	struct device_row old;
	struct spans kept = { 0 };
	struct vv context = { 0 };
	struct vv now = { 0 };
	enum err e = ERR_OK;

	l->last = (struct vv_entry){ .dev = space->me };
	if (head > common) {
		uint64_t from = 0;

		TRY(store_device_by_id(ec, y->store, space->me, &old));
		TRY(line_base(ec, y, space, common, &context, l, &from));
		for (uint64_t seq = from + 1; seq <= head; seq++)
			TRY(line_batch(ec, y, space, &old, seq, common, &context, l));
		TRY(epochs_back(ec, y, space, space->me, common));
		TRY(store_unpublish(ec, y->store, space->n, &l->last, &l->at));
	}
	TRY(spans_load(ec, y, space->n, &kept));
	for (size_t i = 0; i < kept.n; i++)
		TRY(spans_add(&l->spans, kept.s[i].upto, &kept.s[i].seen));
	TRY(store_vector(ec, y->store, space->n, &now));
	TRY(spans_add(&l->spans, UINT64_MAX, &now));
	if (head > common && common > 0)
		for (size_t i = 0; i < l->spans.n; i++)
			TRY(vv_set(&l->spans.s[i].seen, l->last));
	TRY(spans_drop(ec, y, space->n));
done:
	spans_free(&kept);
	vv_free(&context);
	vv_free(&now);
	return e;
}

static int record_order(const void *a, const void *b)
{
	return dot_cmp(*(const struct dot *)a, *(const struct dot *)b);
}

/* The records that the edits were about, as they are without them. */
static enum err records_back(struct errctx *ec, struct sync *y, const struct space_row *space,
                             const struct taken_edit *taken, size_t n)
{
	struct refold *f = NULL;
	struct dot *target = calloc(n + 1, sizeof(*target));
	enum err e = target == NULL ? ERR_NO_MEMORY : n == 0 ? ERR_OK : refold_open(ec, y, space, &f);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct edit edit;
		struct body pool = { 0 };

		e = edit_parse(buf_bytes(&taken[i].bytes), &edit, &pool);
		if (e == ERR_OK)
			target[i] = edit.target;
		body_free(&pool);
	}
	if (e == ERR_OK)
		qsort(target, n, sizeof(*target), record_order);
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		if (i == 0 || dot_cmp(target[i - 1], target[i]) != 0)
			e = refold_write(ec, f, target[i]);
	refold_close(f);
	free(target);
	return e;
}

/* ---- Writing again ---- */

struct writing {
	const struct space_row *space;
	const struct spans *had; /* of the counters that the edits had */
	struct redots map;
	struct wases was;     /* out */
	struct spans spans;   /* out */
	const struct vv *now; /* not NULL: they are sealed next */
	uint64_t counter;
};

static void writing_free(struct writing *w)
{
	redots_free(&w->map);
	free(w->was.w);
	spans_free(&w->spans);
}

static enum err write_one(struct errctx *ec, struct sync *y, struct writing *w, struct dot from, struct bytes bytes,
                          const struct vv *had)
{
	struct redotting how = { &w->map, { w->space->me, w->counter + 1 }, had, w->now };
	uint32_t made = KIND_none;
	enum err e = redot_write(ec, y, w->space, bytes, &how, &made);

	if (e == ERR_OK)
		e = redots_add(&w->map, from, how.dot, made);
	if (e == ERR_OK)
		e = spans_add(&w->spans, how.dot.counter, had);
	w->counter++;
	return e;
}

static enum err undo_again(struct errctx *ec, struct sync *y, const struct writing *w, const struct taken_edit *t)
{
	const struct redot_entry *edit = redots_find(&w->map, t->dot);
	const struct redot_entry *undone = redots_find(&w->map, t->undone);

	if (dot_is_none(t->undone) || edit == NULL)
		return ERR_OK;
	return store_undo_put(ec, y->store, edit->to, undone == NULL ? t->undone : undone->to);
}

static enum err write_again(struct errctx *ec, struct sync *y, struct writing *w, const struct taken_edit *taken,
                            size_t n)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct was was = { .counter = w->counter + 1, .old = taken[i].dot.counter };

		hash_bytes("slb edit", buf_bytes(&taken[i].bytes), was.hash);
		e = write_one(ec, y, w, taken[i].dot, buf_bytes(&taken[i].bytes),
		              spans_at(w->had, taken[i].dot.counter));
		if (e == ERR_OK)
			e = was_add(&w->was, &was);
		if (e == ERR_OK)
			e = undo_again(ec, y, w, &taken[i]);
	}
	return e;
}

static enum err files_back(struct errctx *ec, struct sync *y, const struct space_row *space)
{
	char tag[TAG_TEXT_LEN];
	char prefix[TAG_TEXT_LEN + 1];

	tag_text(space->my_tag, tag);
	snprintf(prefix, sizeof(prefix), "%s-", tag);
	return store_outgoing_drop(ec, y->store, space->n, prefix);
}

/* Known here as a device of the same person, so that one can go on writing; the others learn it by a batch. */
static enum err introduce(struct errctx *ec, struct sync *y, const struct space_row *space, const struct again *a)
{
	struct device_row old;
	struct bundle b;
	enum err e = store_device_by_id(ec, y->store, a->old, &old);

	bundle_get(a->bundle, &b);
	return e != ERR_OK ? e : device_register(ec, y, space, &b, old.member);
}

enum err again_leave(struct errctx *ec, struct sync *y, struct space_row *space, struct again *a,
                     const struct device_keys *keys, uint64_t common)
{
	struct line line = { .spans = { 0 } };
	struct writing w = { .space = space, .had = &line.spans };
	struct taken_edit *taken = NULL;
	struct device_keys *before = NULL;
	struct vv now = { 0 };
	const struct vv_entry *head = NULL;
	size_t n = 0;
	enum err e = ERR_OK;

	TRY(store_vector(ec, y->store, space->n, &now));
	head = vv_get(&now, space->me);
	a->old = space->me;
	a->had = head == NULL ? 0 : head->seq;
	common = common < a->had ? common : a->had;
	TRY(line_back(ec, y, space, a->had, common, &line));
	a->had = common; /* what comes in above is a copy's, or written again already */
	TRY(files_back(ec, y, space));
	TRY(store_take_out(ec, y->store, space->n, &taken, &n));
	TRY(records_back(ec, y, space, taken, n));
	space->me = device_id_make(space->id, keys->public.sign, keys->public.incarnation);
	space->my_tag = keys->public.tag;
	if (a->made_ms == 0)
		TRY(device_keys_load(ec, y, space->n, &before));
	TRY(box_keys_follow(ec, y, space, before));
	TRY(store_space_update(ec, y->store, space));
	TRY(device_keys_save(ec, y, space->n, keys));
	TRY(introduce(ec, y, space, a));
	TRY(write_again(ec, y, &w, taken, n));
	TRY(spans_save(ec, y, space->n, &w.spans));
	TRY(wases_save(ec, y, space->n, &w.was));
	a->stage = AGAIN_LEFT;
	TRY(controls_renew(ec, y, space, a));
	TRY(again_save(ec, y, space->n, a));
	TRY(store_kept_delete(ec, y->store, space->n, KEPT_KEYS));
done:
	device_keys_free(before);
	vv_free(&now);
	writing_free(&w);
	store_taken_free(taken, n);
	line_free(&line);
	return e;
}

enum err again_named(struct errctx *ec, struct sync *y, const struct space_row *space, uint64_t *seq)
{
	struct vv now = { 0 };
	struct vv context = { 0 };
	enum err e = store_vector(ec, y->store, space->n, &now);

	*seq = 0;
	for (size_t i = 0; e == ERR_OK && i < now.n; i++) {
		const struct vv_entry *mine = NULL;

		if (device_cmp(now.e[i].dev, space->me) == 0)
			continue;
		e = store_context(ec, y->store, now.e[i].dev, &context);
		mine = vv_get(&context, space->me);
		*seq = e == ERR_OK && mine != NULL && mine->seq > *seq ? mine->seq : *seq;
	}
	vv_free(&now);
	vv_free(&context);
	return e;
}

enum err again_copy(struct errctx *ec, struct sync *y, int64_t n, uint64_t seq)
{
	struct again a = { .copy = true };
	struct space_row space;
	struct device_keys *keys = NULL;
	enum err e = store_space_get(ec, y->store, n, &space);

	if (e == ERR_OK && space.neighbourhood != 0)
		e = mailbox_renew(ec, y, space.neighbourhood);
	if (e == ERR_OK)
		e = again_draw(ec, y, &space, &a, &keys);
	if (e == ERR_OK)
		e = again_leave(ec, y, &space, &a, keys, seq - 1);
	device_keys_free(keys);
	return e;
}

/* ---- Settling ---- */

/* What the log holds of the old id. */
struct looking {
	struct again *a;
	struct wases *was;
	size_t next; /* of `was`: those before it were looked for */
	struct taken_edit *left_out;
	size_t n;
};

/* Others have it where the same stands in the log under the old dot; and where it does not count there (beyond the
 * cut), the person's words are to be written again. */
static enum err look_one(void *arg, struct dot dot, const struct space_edit *edit)
{
	struct looking *l = arg;
	uint8_t hash[HASH_LEN];

	if (device_cmp(dot.dev, l->a->old) != 0)
		return ERR_OK;
	if (edit->is_void && edit->seq <= l->a->had) {
		struct taken_edit *t = array_grown(l->left_out, l->n, sizeof(*t));

		if (t == NULL)
			return ERR_NO_MEMORY;
		l->left_out = t;
		t = &l->left_out[l->n++];
		*t = (struct taken_edit){ .n = (int64_t)edit->seq, .dot = dot };
		return buf_put(&t->bytes, edit->bytes.data, edit->bytes.len);
	}
	while (l->next < l->was->n && l->was->w[l->next].old < dot.counter)
		l->next++;
	if (edit->is_void || l->next == l->was->n || l->was->w[l->next].old != dot.counter)
		return ERR_OK;
	hash_bytes("slb edit", edit->bytes, hash);
	l->was->w[l->next].here = memcmp(hash, l->was->w[l->next].hash, HASH_LEN) == 0;
	return ERR_OK;
}

/* The last batch of the old id that holds nothing but what was written here: that one had been seen. */
static enum err own_until(struct errctx *ec, struct sync *y, const struct wases *was, struct vv_entry *last)
{
	uint64_t counter = last->counter;
	enum err e = ERR_OK;

	for (size_t i = 0; i < was->n && was->w[i].here && was->w[i].old == counter + 1; i++)
		counter++;
	while (e == ERR_OK) {
		struct vv_entry next = { .dev = last->dev, .seq = last->seq + 1 };
		uint8_t hash[HASH_LEN];

		e = store_batch_get(ec, y->store, next.dev, next.seq, &next.counter, hash);
		if (e != ERR_OK || next.counter > counter)
			break;
		memcpy(next.hash, hash, VV_HASH_LEN);
		*last = next;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* What an edit that does not count there had seen: its batch's context, and the batches before it. */
static enum err left_out_had(struct errctx *ec, struct sync *y, struct refold *f, const struct again *a, uint64_t seq,
                             struct vv *out)
{
	enum err e = refold_context(f, a->old, seq, out);
	struct vv_entry before = { .dev = a->old, .seq = seq - 1 };

	for (size_t i = 0; e == ERR_OK && i < out->n; i++) {
		uint8_t hash[HASH_LEN];

		e = store_batch_get(ec, y->store, out->e[i].dev, out->e[i].seq, &out->e[i].counter, hash);
		if (e == ERR_OK)
			memcpy(out->e[i].hash, hash, VV_HASH_LEN);
	}
	if (e == ERR_OK && before.seq > 0) {
		uint8_t hash[HASH_LEN];

		e = store_batch_get(ec, y->store, a->old, before.seq, &before.counter, hash);
		if (e == ERR_OK) {
			memcpy(before.hash, hash, VV_HASH_LEN);
			e = vv_set(out, before);
		}
	}
	return e;
}

static enum err left_out_again(struct errctx *ec, struct sync *y, const struct again *a, const struct looking *l,
                               struct writing *w)
{
	struct refold *f = NULL;
	struct vv had = { 0 };
	enum err e = l->n == 0 ? ERR_OK : refold_open(ec, y, w->space, &f);

	for (size_t i = 0; e == ERR_OK && i < l->n; i++) {
		had.n = 0;
		e = left_out_had(ec, y, f, a, (uint64_t)l->left_out[i].n, &had);
		if (e == ERR_OK)
			e = write_one(ec, y, w, l->left_out[i].dot, buf_bytes(&l->left_out[i].bytes), &had);
	}
	refold_close(f);
	vv_free(&had);
	return e;
}

/* What was written again, once more and for good: less what others have, after what does not count any more. */
static enum err rewrite(struct errctx *ec, struct sync *y, const struct space_row *space, struct again *a)
{
	struct wases was = { 0 };
	struct looking look = { .a = a, .was = &was };
	struct spans spans = { 0 };
	struct vv now = { 0 };
	struct writing w = { .space = space, .had = &spans, .now = &now };
	struct taken_edit *taken = NULL;
	size_t n = 0;
	enum err e = ERR_OK;

	TRY(wases_load(ec, y, space->n, &was));
	TRY(store_space_edits(ec, y->store, space->n, look_one, &look));
	TRY(spans_note(ec, y, space));
	TRY(spans_load(ec, y, space->n, &spans));
	for (size_t i = 0; i < spans.n; i++) {
		const struct vv_entry *old = vv_get(&spans.s[i].seen, a->old);
		struct vv_entry until = old == NULL ? (struct vv_entry){ .dev = a->old } : *old;

		TRY(own_until(ec, y, &was, &until));
		if (until.seq > 0)
			TRY(vv_set(&spans.s[i].seen, until));
	}
	TRY(spans_drop(ec, y, space->n));
	TRY(store_take_out(ec, y->store, space->n, &taken, &n));
	TRY(records_back(ec, y, space, taken, n));
	TRY(store_vector(ec, y->store, space->n, &now));
	TRY(left_out_again(ec, y, a, &look, &w));
	for (size_t i = 0; i < n; i++) {
		const struct was *it = was_of(&was, taken[i].dot.counter);

		if (it != NULL && it->here)
			TRY(redots_add(&w.map, taken[i].dot, (struct dot){ a->old, it->old }, KIND_none));
		else
			TRY(write_one(ec, y, &w, taken[i].dot, buf_bytes(&taken[i].bytes),
			              spans_at(&spans, taken[i].dot.counter)));
		TRY(undo_again(ec, y, &w, &taken[i]));
	}
done:
	store_taken_free(look.left_out, look.n);
	free(was.w);
	vv_free(&now);
	writing_free(&w);
	spans_free(&spans);
	store_taken_free(taken, n);
	return e;
}

/* Is all here that the member who let this home in had? */
static enum err floor_reached(struct errctx *ec, struct sync *y, int64_t space, bool *reached)
{
	static const struct device_id none = { { 0 } };
	struct buf b = { 0 };
	struct wire_in in;
	struct vv now = { 0 };
	size_t n = 0;
	size_t three = 0;
	enum err e = store_kept_get(ec, y->store, space, KEPT_FLOOR, &b);

	*reached = true;
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	TRY(e);
	TRY(store_vector(ec, y->store, space, &now));
	in = wire_in(buf_bytes(&b));
	TRY(wire_get_array(&in, &n));
	for (size_t i = 0; i < n; i++) {
		struct device_id dev;
		struct bytes hash = { 0 };
		uint64_t seq = 0;

		TRY(wire_get_array(&in, &three));
		TRY(wire_get_exact(&in, dev.b, DEVICE_ID_LEN));
		TRY(wire_get_uint(&in, &seq));
		TRY(wire_get_bytes(&in, &hash));
		if (device_cmp(dev, none) == 0) /* names a snapshot */
			continue;
		*reached = *reached && vv_get(&now, dev) != NULL && vv_get(&now, dev)->seq >= seq;
	}
done:
	buf_free(&b);
	vv_free(&now);
	return e;
}

/* The old id ends: nobody writes under it any more who is this device. */
static enum err old_ends(struct errctx *ec, struct sync *y, const struct space_row *space, struct device_id old)
{
	struct device_row row;
	enum err e = store_device_by_id(ec, y->store, old, &row);

	return e != ERR_OK || row.state == DEVICE_REMOVED ? e : device_cut(ec, y, space, old);
}

static enum err state_drop(struct errctx *ec, struct sync *y, int64_t space)
{
	static const char *const names[] = { KEPT_AGAIN, KEPT_KEYS, KEPT_FLOOR, KEPT_OLD };
	enum err e = spans_drop(ec, y, space);

	for (size_t i = 0; e == ERR_OK && i < sizeof(names) / sizeof(names[0]); i++)
		e = store_kept_delete(ec, y->store, space, names[i]);
	return e;
}

static enum err settle_one(struct errctx *ec, struct sync *y, const struct space_row *space, size_t *settled)
{
	struct again a;
	struct device_row me;
	bool may = true;
	enum err e = again_load(ec, y, space->n, &a);

	if (e != ERR_OK || a.stage != AGAIN_LEFT)
		return e;
	if (!a.copy) {
		e = store_device_by_id(ec, y->store, space->me, &me);
		may = e == ERR_OK && me.state == DEVICE_ACTIVE;
		if (e == ERR_NOT_FOUND)
			e = ERR_OK;
		if (e == ERR_OK && may)
			e = floor_reached(ec, y, space->n, &may);
	}
	if (e != ERR_OK || !may)
		return e;
	e = rewrite(ec, y, space, &a);
	if (e == ERR_OK && !a.copy)
		e = old_ends(ec, y, space, a.old);
	if (e == ERR_OK)
		e = state_drop(ec, y, space->n);
	if (e == ERR_OK && !a.copy)
		e = restored_back(ec, y, space->n);
	if (e == ERR_OK)
		e = outbox_seal(ec, y, space);
	(*settled)++;
	return e;
}

enum err again_settle(struct errctx *ec, struct sync *y, size_t *settled)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, y->store, &list, &n);

	*settled = 0;
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		if (list[i].state == SPACE_MEMBER)
			e = settle_one(ec, y, &list[i], settled);
	free(list);
	return e != ERR_OK ? e : restored_end(ec, y);
}

/* ---- Alone ---- */

/* One batch, sealed with a key that is held, on the branch of this device. */
static enum err publish_again(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch,
                              const struct device_row *author, uint64_t seq)
{
	struct file_header h = { FILE_BATCH, space->tag, author->tag, epoch, seq };
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	struct buf signed_part = { 0 };
	struct buf file = { 0 };
	char ref[REF_MAX + 1];
	char name[FILE_NAME_MAX + 1];
	char tag[TAG_TEXT_LEN];
	enum err e = secret == NULL ? ERR_NO_MEMORY : epoch_key_load(ec, y, space->n, epoch, secret);

	if (e == ERR_OK)
		e = store_batch_signed(ec, y->store, author->id, seq, &signed_part);
	if (e == ERR_OK)
		e = batch_seal(&h, secret->key, buf_bytes(&signed_part), y->rng, &file);
	tag_text(author->tag, tag);
	snprintf(name, sizeof(name), "%s-%llu", tag, (unsigned long long)seq);
	branch_name(space->tag, epoch, space->my_tag, ref);
	if (e == ERR_OK)
		e = store_outgoing_put(ec, y->store, space->n, ref, name, buf_bytes(&file), 0);
	buf_free(&file);
	buf_free(&signed_part);
	secret_free(secret);
	return e;
}

static enum err publish_all(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch)
{
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	struct device_row row;
	struct base base = { 0 };
	struct vv now = { 0 };
	enum err e = secret == NULL ? ERR_NO_MEMORY : epoch_key_load(ec, y, space->n, epoch, secret);

	if (e == ERR_OK) /* what lies below where the log was cut off */
		e = snapshot_publish(ec, y, space, epoch, secret);
	if (e == ERR_OK)
		e = store_base(ec, y->store, space->n, &base);
	if (e == ERR_OK)
		e = store_vector(ec, y->store, space->n, &now);
	for (size_t i = 0; e == ERR_OK && i < now.n; i++) {
		const struct vv_entry *below = vv_get(&base.at, now.e[i].dev);

		e = store_device_by_id(ec, y->store, now.e[i].dev, &row);
		for (uint64_t seq = below == NULL ? 1 : below->seq + 1; e == ERR_OK && seq <= now.e[i].seq; seq++)
			e = publish_again(ec, y, space, epoch, &row, seq);
	}
	vv_free(&now);
	vv_free(&base.at);
	secret_free(secret);
	return e;
}

/* The keys of all others are gone for good: nothing under them is waited for, and no joiner is promised one. */
static enum err others_close(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id but)
{
	struct epoch_row *list = NULL;
	size_t n = 0;
	enum err e = store_epoch_list(ec, y->store, space->n, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		if (memcmp(list[i].id.b, but.b, EPOCH_ID_LEN) == 0)
			continue;
		list[i].state = EPOCH_CLOSED;
		e = store_epoch_put(ec, y->store, &list[i]);
	}
	free(list);
	return e;
}

/* Nothing was ever sealed: the id can stay, with a box key of which the secret is held. */
static enum err begin_anew(struct errctx *ec, struct sync *y, const struct space_row *space)
{
	struct device_keys *keys = NULL;
	struct pending p = { .ec = ec };
	struct epoch_id epoch;
	enum err e = ERR_OK;

	TRY(device_keys_load(ec, y, space->n, &keys));
	TRY(store_kept_each(ec, y->store, space->n, "control:", pending_one, &p));
	for (size_t i = 0; i < p.n; i++) {
		struct wire_in in = wire_in(buf_bytes(&p.b[i]));
		uint64_t type = 0;

		TRY(wire_get_uint(&in, &type));
		if (type == CONTROL_EPOCH || type == CONTROL_BOX_KEY)
			TRY(store_kept_delete(ec, y->store, space->n, p.name[i]));
	}
	box_keypair(y->rng, keys->public.box, keys->box_secret);
	TRY(device_keys_save(ec, y, space->n, keys));
	TRY(epoch_begin(ec, y, space, keys, &epoch)); /* the next batch names the box key */
	TRY(others_close(ec, y, space, epoch));
done:
	for (size_t i = 0; i < p.n; i++)
		buf_free(&p.b[i]);
	free(p.b);
	free(p.name);
	device_keys_free(keys);
	return e;
}

enum err again_alone(struct errctx *ec, struct sync *y, struct space_row *space, int64_t made_ms)
{
	struct again a = { .copy = true, .made_ms = made_ms };
	struct device_keys *keys = NULL;
	struct epoch_id epoch;
	struct vv now = { 0 };
	enum err e = ERR_OK;

	TRY(store_vector(ec, y->store, space->n, &now));
	if (vv_get(&now, space->me) == NULL) {
		TRY(begin_anew(ec, y, space));
		TRY(restored_back(ec, y, space->n));
		goto done;
	}
	TRY(again_draw(ec, y, space, &a, &keys));
	TRY(again_leave(ec, y, space, &a, keys, UINT64_MAX));
	TRY(rewrite(ec, y, space, &a));
	TRY(old_ends(ec, y, space, a.old));
	TRY(epoch_begin(ec, y, space, keys, &epoch));
	TRY(others_close(ec, y, space, epoch));
	TRY(publish_all(ec, y, space, epoch));
	TRY(state_drop(ec, y, space->n));
	TRY(restored_back(ec, y, space->n));
	TRY(outbox_seal(ec, y, space));
done:
	vv_free(&now);
	device_keys_free(keys);
	return e;
}

enum err again_holds(struct errctx *ec, struct sync *y, const struct space_row *space, bool *holds)
{
	struct again a;
	bool away = false;
	enum err e = again_load(ec, y, space->n, &a);

	*holds = a.stage == AGAIN_LEFT;
	if (e != ERR_OK)
		return e;
	if (*holds)
		return spans_note(ec, y, space);
	e = restored_away(ec, y, space->n, &away);
	return e == ERR_OK && away ? restored_refuse(ec, y) : e;
}
