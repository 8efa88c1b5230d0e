// SPDX-License-Identifier: EUPL-1.2
// What goes into a bundle, what is remembered of what came by one, and whether views of a repository go together (S5).
#include "sync/bundled.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/codec.h"
#include "base/tr.h"
#include "base/try.h"
#include "crypto/secret.h"
#include "model/wire.h"
#include "sync/again.h"
#include "sync/epochs.h"
#include "sync/outbox.h"

#define LETTERS "refs/heads/join/"
#define KEPT "bundled:"
#define NAME_LEN (sizeof(KEPT) + 2 * DEVICE_ID_LEN)

/* ---- What came by bundle: [from, to, tag, seen there] of a device, kept with its space ---- */

struct bundled {
	struct device_id dev;
	uint64_t from;
	uint64_t to;
	uint64_t viewed; /* up to which somebody says to have seen it at the repository */
	struct tag tag;
};

static void kept_name(struct device_id dev, char out[static NAME_LEN])
{
	memcpy(out, KEPT, sizeof(KEPT));
	hex_put(dev.b, DEVICE_ID_LEN, out + sizeof(KEPT) - 1);
}

static enum err bundled_get(struct bytes kept, struct bundled *b)
{
	struct wire_in in = wire_in(kept);
	size_t four = 0;
	enum err e = wire_get_array(&in, &four);

	TRY(e);
	MUST_BE(four == 4);
	TRY(wire_get_uint(&in, &b->from));
	TRY(wire_get_uint(&in, &b->to));
	TRY(wire_get_uint(&in, &b->viewed));
	TRY(wire_get_exact(&in, b->tag.b, TAG_LEN));
done:
	return e;
}

/* One of which nothing is left goes. */
static enum err bundled_save(struct errctx *ec, struct sync *y, int64_t space, const struct bundled *b)
{
	struct buf out = { 0 };
	char name[NAME_LEN];
	enum err e = ERR_OK;

	kept_name(b->dev, name);
	if (b->from > b->to)
		return store_kept_delete(ec, y->store, space, name);
	TRY(wire_put_array(&out, 4));
	TRY(wire_put_uint(&out, b->from));
	TRY(wire_put_uint(&out, b->to));
	TRY(wire_put_uint(&out, b->viewed));
	TRY(wire_put_bytes(&out, b->tag.b, TAG_LEN));
	TRY(store_kept_put(ec, y->store, space, name, buf_bytes(&out)));
done:
	buf_free(&out);
	return e;
}

struct bundled_list {
	struct bundled *b;
	size_t n;
};

static enum err bundled_add(void *arg, const char *name, struct bytes value)
{
	struct bundled_list *list = arg;
	struct bundled one = { 0 };
	struct bundled *grown = NULL;

	if (strlen(name) != NAME_LEN - 1 ||
	    !hex_get(name + sizeof(KEPT) - 1, 2 * DEVICE_ID_LEN, one.dev.b, DEVICE_ID_LEN) ||
	    bundled_get(value, &one) != ERR_OK)
		return ERR_OK;
	grown = array_grown(list->b, list->n, sizeof(*grown));
	if (grown == NULL)
		return ERR_NO_MEMORY;
	list->b = grown;
	list->b[list->n++] = one;
	return ERR_OK;
}

static enum err bundled_all(struct errctx *ec, struct sync *y, int64_t space, struct bundled_list *out)
{
	*out = (struct bundled_list){ 0 };
	return store_kept_each(ec, y->store, space, KEPT, bundled_add, out);
}

static struct bundled *bundled_of(const struct bundled_list *list, struct device_id dev)
{
	for (size_t i = 0; i < list->n; i++)
		if (device_cmp(list->b[i].dev, dev) == 0)
			return &list->b[i];
	return NULL;
}

enum err bundled_taken(struct errctx *ec, struct sync *y, int64_t space, struct bytes file, const struct received *r)
{
	struct bundled_list list = { 0 };
	struct bundled fresh = { .dev = r->last.dev, .from = r->last.seq, .to = r->last.seq };
	struct bundled *b = NULL;
	struct file_header h;
	enum err e = ERR_OK;

	if (space == 0 || file_header_get(file, &h) != ERR_OK || h.type != FILE_BATCH || r->rebuilding)
		return ERR_OK;
	e = bundled_all(ec, y, space, &list);
	if (e == ERR_OK && r->bundle) {
		b = bundled_of(&list, r->last.dev);
		fresh.tag = h.device;
		if (b != NULL && b->to + 1 == h.seq)
			b->to = h.seq;
		if (b == NULL || b->to == h.seq)
			e = bundled_save(ec, y, space, b == NULL ? &fresh : b);
	}
	for (size_t i = 0; e == ERR_OK && !r->bundle && i < list.n; i++) {
		b = &list.b[i];
		if (memcmp(b->tag.b, h.device.b, TAG_LEN) != 0 || h.seq < b->from || h.seq > b->to)
			continue;
		b->from = h.seq + 1;
		e = bundled_save(ec, y, space, b);
	}
	free(list.b);
	return e;
}

enum err bundled_seen(struct errctx *ec, struct sync *y, int64_t space, const struct file_header *h, struct received *r)
{
	struct bundled_list list = { 0 };
	enum err e = ERR_OK;

	received_saw(r, h);
	if (r->bundle || r->rebuilding)
		return ERR_OK;
	e = bundled_all(ec, y, space, &list);
	for (size_t i = 0; e == ERR_OK && i < list.n; i++) {
		struct bundled *b = &list.b[i];

		if (memcmp(b->tag.b, h->device.b, TAG_LEN) != 0 || h->seq < b->from || h->seq > b->to)
			continue;
		b->from = h->seq + 1;
		e = store_begin(ec, y->store);
		if (e == ERR_OK)
			e = bundled_save(ec, y, space, b);
		if (e == ERR_OK)
			e = store_commit(ec, y->store);
		if (e != ERR_OK)
			store_rollback(y->store);
	}
	free(list.b);
	return e;
}

/* ---- Views ---- */

struct view_entry {
	struct device_id dev;
	uint64_t seq;
};

struct view {
	struct view_entry *e;
	size_t n;
};

static uint64_t view_of(const struct view *v, struct device_id dev)
{
	for (size_t i = 0; i < v->n; i++)
		if (device_cmp(v->e[i].dev, dev) == 0)
			return v->e[i].seq;
	return 0;
}

/* How far one's own batches were acknowledged: below the first that is not. */
static enum err own_shown(struct errctx *ec, struct sync *y, const struct space_row *space, uint64_t *seq)
{
	struct file_row *list = NULL;
	char tag[TAG_TEXT_LEN];
	size_t n = 0;
	enum err e = store_outgoing_list(ec, y->store, &list, &n);

	tag_text(space->my_tag, tag);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		uint64_t number = strtoull(list[i].name + strlen(tag) + (list[i].name[strlen(tag)] == '-'), NULL, 10);

		if (list[i].space == space->n && strncmp(list[i].name, tag, strlen(tag)) == 0 && number > 0 &&
		    number <= *seq)
			*seq = number - 1;
	}
	store_files_free(list, n);
	return e;
}

/* What the repository was seen to show here. */
static enum err view_here(struct errctx *ec, struct sync *y, const struct space_row *space, struct view *out)
{
	struct bundled_list list = { 0 };
	struct vv now = { 0 };
	enum err e = store_vector(ec, y->store, space->n, &now);

	if (e == ERR_OK)
		e = bundled_all(ec, y, space->n, &list);
	if (e == ERR_OK) {
		out->e = calloc(now.n + 1, sizeof(*out->e));
		e = out->e == NULL ? ERR_NO_MEMORY : ERR_OK;
	}
	for (size_t i = 0; e == ERR_OK && i < now.n; i++) {
		struct view_entry *v = &out->e[out->n++];
		const struct bundled *b = bundled_of(&list, now.e[i].dev);

		*v = (struct view_entry){ now.e[i].dev, now.e[i].seq };
		if (device_cmp(v->dev, space->me) == 0)
			e = own_shown(ec, y, space, &v->seq);
		else if (b != NULL)
			v->seq = b->from - 1;
	}
	free(list.b);
	vv_free(&now);
	return e;
}

static void view_hash(const struct space_row *space, struct bytes cbor, uint8_t out[static HASH_LEN])
{
	const struct bytes parts[] = { { space->id.b, SPACE_ID_LEN }, cbor };

	hash_parts("slb view", NULL, parts, 2, out, HASH_LEN);
}

/* signature 64 | [author, [[device, seq]...]] */
static enum err view_put(struct errctx *ec, struct sync *y, const struct space_row *space, struct buf *out)
{
	struct device_keys *keys = NULL;
	struct view view = { 0 };
	struct buf cbor = { 0 };
	uint8_t hash[HASH_LEN];
	uint8_t signature[SIGN_LEN];
	enum err e = ERR_OK;

	TRY(view_here(ec, y, space, &view));
	TRY(device_keys_load(ec, y, space->n, &keys));
	TRY(wire_put_array(&cbor, 2));
	TRY(wire_put_bytes(&cbor, space->me.b, DEVICE_ID_LEN));
	TRY(wire_put_array(&cbor, view.n));
	for (size_t i = 0; i < view.n; i++) {
		TRY(wire_put_array(&cbor, 2));
		TRY(wire_put_bytes(&cbor, view.e[i].dev.b, DEVICE_ID_LEN));
		TRY(wire_put_uint(&cbor, view.e[i].seq));
	}
	view_hash(space, buf_bytes(&cbor), hash);
	sign_make(keys->sign_secret, (struct bytes){ hash, sizeof(hash) }, signature);
	TRY(buf_put(out, signature, sizeof(signature)));
	TRY(buf_put(out, cbor.data, cbor.len));
done:
	free(view.e);
	buf_free(&cbor);
	device_keys_free(keys);
	return e;
}

/* ERR_DAMAGED: not signed by a device of the space, or not of that form. */
static enum err view_get(struct errctx *ec, struct sync *y, const struct space_row *space, struct bytes content,
                         struct view *out)
{
	struct wire_in in = { 0 };
	struct device_row author;
	struct bytes cbor = { 0 };
	uint8_t hash[HASH_LEN];
	size_t n = 0;
	enum err e = ERR_OK;

	MUST_BE(content.len > SIGN_LEN);
	cbor = (struct bytes){ content.data + SIGN_LEN, content.len - SIGN_LEN };
	in = wire_in(cbor);
	TRY(wire_get_array(&in, &n));
	MUST_BE(n == 2);
	TRY(wire_get_exact(&in, author.id.b, DEVICE_ID_LEN));
	e = store_device_by_id(ec, y->store, author.id, &author);
	MUST_BE(e != ERR_NOT_FOUND);
	TRY(e);
	view_hash(space, cbor, hash);
	MUST_BE(author.space == space->n && author.state != DEVICE_NAMED &&
	        sign_check(author.sign, (struct bytes){ hash, sizeof(hash) }, content.data));
	TRY(wire_get_array(&in, &n));
	MUST_BE(n <= cbor.len);
	out->e = calloc(n + 1, sizeof(*out->e));
	TRY(out->e == NULL ? ERR_NO_MEMORY : ERR_OK);
	for (size_t i = 0; i < n; i++) {
		size_t two = 0;

		TRY(wire_get_array(&in, &two));
		MUST_BE(two == 2);
		TRY(wire_get_exact(&in, out->e[i].dev.b, DEVICE_ID_LEN));
		TRY(wire_get_uint(&in, &out->e[i].seq));
		out->n++;
	}
	MUST_BE(in.p == in.end);
done:
	return e;
}

/* Where one is ahead of the other; NULL: nowhere. */
static const struct view_entry *ahead(const struct view *a, const struct view *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->e[i].seq > view_of(b, a->e[i].dev))
			return &a->e[i];
	return NULL;
}

/* Is each of the two behind the other somewhere? */
static void views_compare(const struct space_row *space, const struct view *theirs, const struct view *here,
                          struct received *r)
{
	const struct view_entry *more = ahead(theirs, here);

	if (more == NULL || ahead(here, theirs) == NULL)
		return;
	r->worlds++;
	r->world.space = space->n;
	r->world.dev = more->dev;
	r->world.theirs = more->seq;
	r->world.here = view_of(here, more->dev);
}

/* Notes up to where somebody saw what came here by bundle. */
static enum err view_note(struct errctx *ec, struct sync *y, const struct space_row *space, const struct view *theirs)
{
	struct bundled_list list = { 0 };
	enum err e = bundled_all(ec, y, space->n, &list);

	for (size_t i = 0; e == ERR_OK && i < list.n; i++) {
		uint64_t seen = view_of(theirs, list.b[i].dev);

		if (seen <= list.b[i].viewed)
			continue;
		list.b[i].viewed = seen;
		e = bundled_save(ec, y, space->n, &list.b[i]);
	}
	free(list.b);
	return e;
}

enum err view_receive(struct errctx *ec, struct sync *y, const struct space_row *space, const struct file_header *h,
                      struct bytes file, struct received *r, enum fate *fate, const char **why)
{
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	struct view theirs = { 0 };
	struct view here = { 0 };
	struct buf content = { 0 };
	uint64_t waiting = 0;
	enum err e = secret == NULL ? ERR_NO_MEMORY : epoch_key_load(ec, y, space->n, h->epoch, secret);

	*fate = FATE_OTHER;
	if (e == ERR_NOT_FOUND || !r->bundle) { /* it is about now: there is no use in waiting for its key */
		e = e == ERR_NOT_FOUND ? ERR_OK : e;
		goto done;
	}
	TRY(e);
	TRY(view_unseal(file, secret->key, &content));
	TRY(view_get(ec, y, space, buf_bytes(&content), &theirs));
	TRY(view_here(ec, y, space, &here));
	TRY(store_waiting_of(ec, y->store, space->n, &waiting));
	*fate = FATE_KNOWN;
	if (waiting == 0) /* what waits here was shown, too */
		views_compare(space, &theirs, &here, r);
	TRY(view_note(ec, y, space, &theirs));
done:
	if (e == ERR_DAMAGED) {
		*fate = FATE_ASIDE;
		*why = TR("A bundle says what the repository showed, and it is damaged or not from whom it says.");
		e = ERR_OK;
	}
	free(theirs.e);
	free(here.e);
	buf_free(&content);
	secret_free(secret);
	return e;
}

enum err bundled_hand_on(struct errctx *ec, struct sync *y, const struct space_row *space, not_shown_fn each, void *arg)
{
	struct bundled_list list = { 0 };
	struct epoch_id epoch;
	enum err e = bundled_all(ec, y, space->n, &list);

	if (e == ERR_OK && list.n > 0)
		e = epoch_choose(ec, y, space, &epoch);
	for (size_t i = 0; e == ERR_OK && i < list.n; i++) {
		struct bundled *b = &list.b[i];
		struct not_shown what = { b->dev, b->from, b->to, b->viewed };
		struct device_row author;

		e = store_device_by_id(ec, y->store, b->dev, &author);
		if (e == ERR_OK && each != NULL)
			e = each(arg, &what);
		if (e == ERR_OK && device_cmp(b->dev, space->me) != 0)
			e = carry_some(ec, y, space, epoch, &author, b->from, b->to);
		b->from = b->to + 1;
		if (e == ERR_OK)
			e = bundled_save(ec, y, space->n, b);
	}
	free(list.b);
	return e == ERR_NOT_FOUND ? ERR_OK : e; /* no epoch to write under now: the next time */
}

/* ---- Making one ---- */

static bool is_meant(const struct space_row *s, int64_t space)
{
	return s->state == SPACE_MEMBER && s->neighbourhood != 0 && (space == 0 || s->n == space);
}

/* May this device seal there now? */
static enum err may_tell(struct errctx *ec, struct sync *y, const struct space_row *space, bool *may)
{
	struct device_row me;
	bool holds = false;
	enum err e = store_device_by_id(ec, y->store, space->me, &me);

	*may = false;
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e == ERR_OK)
		e = again_holds(ec, y, space, &holds);
	*may = e == ERR_OK && !holds && me.state == DEVICE_ACTIVE;
	return e;
}

enum err bundle_begin(struct errctx *ec, struct sync *y, int64_t space)
{
	struct space_row *list = NULL;
	struct device_keys *keys = NULL;
	struct epoch_id epoch;
	size_t n = 0;
	enum err e = store_space_list(ec, y->store, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		bool may = false;

		if (!is_meant(&list[i], space))
			continue;
		e = may_tell(ec, y, &list[i], &may);
		if (e != ERR_OK || !may)
			continue;
		e = outbox_seal(ec, y, &list[i]);
		if (e == ERR_OK)
			e = epoch_choose(ec, y, &list[i], &epoch);
		if (e == ERR_NOT_FOUND) {
			e = device_keys_load(ec, y, list[i].n, &keys);
			if (e == ERR_OK)
				e = epoch_begin(ec, y, &list[i], keys, &epoch);
			if (e == ERR_OK)
				e = outbox_seal(ec, y, &list[i]);
			device_keys_free(keys);
			keys = NULL;
		}
	}
	free(list);
	return e;
}

static enum err letters_each(struct errctx *ec, struct sync *y, int64_t neighbourhood, carried_fn fn, void *arg)
{
	struct file_row *list = NULL;
	size_t n = 0;
	enum err e = store_letters_list(ec, y->store, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++)
		if (neighbourhood == 0 || list[i].space == neighbourhood)
			e = fn(arg, list[i].ref, list[i].name, buf_bytes(&list[i].file));
	store_files_free(list, n);
	return e;
}

/* Keys of the epochs that are open here, for everybody who is in: who has them already loses nothing by it. */
static enum err boxes_each(struct errctx *ec, struct sync *y, const struct space_row *space, carried_fn fn, void *arg)
{
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	struct device_row *devices = NULL;
	struct epoch_row *epochs = NULL;
	struct recipient *to = NULL;
	char ref[REF_MAX + 1];
	char name[FILE_NAME_MAX + 1];
	char tag[TAG_TEXT_LEN];
	size_t n = 0;
	size_t all = 0;
	size_t some = 0;
	enum err e = secret == NULL ? ERR_NO_MEMORY : ERR_OK;

	TRY(e);
	TRY(store_device_list(ec, y->store, space->n, &devices, &all));
	TRY(store_epoch_list(ec, y->store, space->n, &epochs, &n));
	to = calloc(all + 1, sizeof(*to));
	TRY(to == NULL ? ERR_NO_MEMORY : ERR_OK);
	for (size_t i = 0; i < all; i++) {
		if (devices[i].state != DEVICE_ACTIVE && devices[i].state != DEVICE_RESTING)
			continue;
		to[some].dev = devices[i].id;
		memcpy(to[some++].box_public, devices[i].box, BOX_PUBLIC_LEN);
	}
	tag_text(space->my_tag, tag);
	snprintf(name, sizeof(name), "%s-boxes", tag);
	for (size_t i = 0; i < n; i++) {
		struct file_header h = { FILE_BOXES, space->tag, space->my_tag, epochs[i].id, 0 };
		struct buf file = { 0 };

		if (epochs[i].state != EPOCH_OPEN || epoch_key_load(NULL, y, space->n, epochs[i].id, secret) != ERR_OK)
			continue;
		branch_name(space->tag, epochs[i].id, space->my_tag, ref);
		e = boxes_seal(&h, space->id, secret, to, some, &file);
		if (e == ERR_OK)
			e = fn(arg, ref, name, buf_bytes(&file));
		buf_free(&file);
		TRY(e);
	}
done:
	free(to);
	free(epochs);
	free(devices);
	secret_free(secret);
	return e;
}

static enum err space_each(struct errctx *ec, struct sync *y, const struct space_row *space, carried_fn fn, void *arg)
{
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	struct file_header h = { FILE_VIEW, space->tag, space->my_tag, { { 0 } }, 0 };
	struct carrying c = { .secret = secret, .fn = fn, .arg = arg };
	struct buf view = { 0 };
	struct buf file = { 0 };
	char ref[REF_MAX + 1];
	char name[FILE_NAME_MAX + 1];
	char tag[TAG_TEXT_LEN];
	enum err e = secret == NULL ? ERR_NO_MEMORY : epoch_choose(ec, y, space, &c.epoch);

	TRY(e);
	TRY(epoch_key_load(ec, y, space->n, c.epoch, secret));
	TRY(boxes_each(ec, y, space, fn, arg));
	TRY(carry_each(ec, y, space, &c));
	h.epoch = c.epoch;
	TRY(view_put(ec, y, space, &view));
	TRY(view_seal(&h, secret->key, buf_bytes(&view), y->rng, &file));
	tag_text(space->my_tag, tag);
	branch_name(space->tag, c.epoch, space->my_tag, ref);
	snprintf(name, sizeof(name), "%s-view", tag);
	TRY(fn(arg, ref, name, buf_bytes(&file)));
done:
	buf_free(&view);
	buf_free(&file);
	secret_free(secret);
	return e == ERR_NOT_FOUND ? ERR_OK : e; /* nothing to seal it with */
}

enum err bundle_each(struct errctx *ec, struct sync *y, int64_t space, carried_fn fn, void *arg)
{
	struct space_row *list = NULL;
	int64_t neighbourhood = 0;
	size_t n = 0;
	enum err e = store_space_list(ec, y->store, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++)
		neighbourhood = space != 0 && list[i].n == space ? list[i].neighbourhood : neighbourhood;
	if (e == ERR_OK)
		e = letters_each(ec, y, neighbourhood, fn, arg);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		bool may = false;

		if (!is_meant(&list[i], space))
			continue;
		e = may_tell(ec, y, &list[i], &may);
		if (e == ERR_OK && may)
			e = space_each(ec, y, &list[i], fn, arg);
	}
	free(list);
	return e;
}
