// SPDX-License-Identifier: EUPL-1.2
// Batches that are carried over to an open epoch, and taken out again (K3, S4: one that does not verify stops no
// other).
#include "sync/carry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "crypto/secret.h"
#include "sync/bundled.h"
#include "sync/compaction.h"
#include "sync/lost.h"
#include "sync/refold.h"
#include "sync/snapshot.h"
#include "sync/space.h"

#define KEPT_CARRIES "carries" /* how many such files were made: 8 bytes */
#define CHUNK (1u << 20)       /* bytes of batches in a file, and one batch more */
#define ITEM_HEAD (DEVICE_ID_LEN + TAG_LEN + 8 + 4)

/* ---- Carrying over ---- */

struct item {
	struct device_id dev;
	struct tag tag;
	uint64_t seq;
	uint64_t depth;             /* batches in its causal past */
	const struct fork_row *row; /* it is this one, kept beside the line of its device; NULL: an applied one */
};

struct items {
	struct item *item;
	size_t n;
};

static int item_cmp(const void *x, const void *y)
{
	const struct item *a = x;
	const struct item *b = y;
	int dev = device_cmp(a->dev, b->dev);

	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	return dev != 0 ? dev : (a->seq > b->seq) - (a->seq < b->seq);
}

static enum err item_make(struct refold *f, const struct device_row *device, uint64_t seq, struct item *out)
{
	struct vv seen = { 0 };
	enum err e = refold_context(f, device->id, seq, &seen);

	*out = (struct item){ device->id, device->tag, seq, seq, NULL };
	for (size_t i = 0; i < seen.n; i++)
		out->depth += seen.e[i].seq;
	vv_free(&seen);
	return e;
}

static enum err items_fill(struct refold *f, const struct device_row *list, size_t devices, const struct vv *heads,
                           const struct vv *base, struct items *out)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < devices; i++) {
		const struct vv_entry *head = vv_get(heads, list[i].id);
		const struct vv_entry *from = vv_get(base, list[i].id);

		for (uint64_t seq = from == NULL ? 1 : from->seq + 1; e == ERR_OK && head != NULL && seq <= head->seq;
		     seq++)
			e = item_make(f, &list[i], seq, &out->item[out->n++]);
	}
	if (e == ERR_OK && out->n > 0)
		qsort(out->item, out->n, sizeof(*out->item), item_cmp);
	return e;
}

/* Every batch of the space that is kept whole, causes first; free() the list. */
static enum err items_list(struct errctx *ec, struct sync *y, const struct space_row *space, struct items *out)
{
	struct refold *f = NULL;
	struct device_row *list = NULL;
	struct vv heads = { 0 };
	struct base base = { 0 };
	size_t devices = 0;
	size_t all = 0;
	enum err e = refold_open(ec, y, space, &f);

	if (e == ERR_OK)
		e = store_device_list(ec, y->store, space->n, &list, &devices);
	if (e == ERR_OK)
		e = store_vector(ec, y->store, space->n, &heads);
	if (e == ERR_OK)
		e = store_base(ec, y->store, space->n, &base);
	for (size_t i = 0; e == ERR_OK && i < heads.n; i++)
		all += (size_t)heads.e[i].seq;
	if (e == ERR_OK) {
		out->item = calloc(all + 1, sizeof(*out->item));
		e = out->item == NULL ? ERR_NO_MEMORY : items_fill(f, list, devices, &heads, &base.at, out);
	}
	vv_free(&base.at);
	vv_free(&heads);
	free(list);
	refold_close(f);
	return e;
}

static enum err item_put(struct errctx *ec, struct sync *y, const struct item *i, struct buf *out)
{
	struct buf signed_part = { 0 };
	uint8_t head[ITEM_HEAD];
	enum err e = i->row != NULL ? store_fork_parts(ec, y->store, i->row, &signed_part, NULL)
	                            : store_batch_signed(ec, y->store, i->dev, i->seq, &signed_part);

	memcpy(head, i->dev.b, DEVICE_ID_LEN);
	memcpy(head + DEVICE_ID_LEN, i->tag.b, TAG_LEN);
	be64_put(head + DEVICE_ID_LEN + TAG_LEN, i->seq);
	be32_put(head + DEVICE_ID_LEN + TAG_LEN + 8, (uint32_t)signed_part.len);
	if (e == ERR_OK)
		e = buf_put(out, head, sizeof(head));
	if (e == ERR_OK)
		e = buf_put(out, signed_part.data, signed_part.len);
	buf_free(&signed_part);
	return e;
}

static enum err next_number(struct errctx *ec, struct sync *y, const struct space_row *space, uint64_t *out)
{
	struct buf kept = { 0 };
	uint8_t bytes[8];
	enum err e = store_kept_get(ec, y->store, space->n, KEPT_CARRIES, &kept);

	*out = 1;
	if (e == ERR_OK && kept.len == sizeof(bytes))
		*out = be64_get(kept.data) + 1;
	be64_put(bytes, *out);
	buf_free(&kept);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	return store_kept_put(ec, y->store, space->n, KEPT_CARRIES, (struct bytes){ bytes, sizeof(bytes) });
}

/* Under this number and name, to whoever takes it. */
static enum err chunk_seal(struct sync *y, const struct space_row *space, const struct carrying *c, uint64_t number,
                           struct bytes items)
{
	struct file_header h = { FILE_CARRY, space->tag, space->my_tag, c->epoch, number };
	struct buf file = { 0 };
	char ref[REF_MAX + 1];
	char name[FILE_NAME_MAX + 1];
	char tag[TAG_TEXT_LEN];
	enum err e = carry_seal(&h, c->secret->key, items, y->rng, &file);

	tag_text(space->my_tag, tag);
	branch_name(space->tag, c->epoch, space->my_tag, ref);
	snprintf(name, sizeof(name), "%s-carry-%llu", tag, (unsigned long long)number);
	if (e == ERR_OK)
		e = c->fn(c->arg, ref, name, buf_bytes(&file));
	buf_free(&file);
	return e;
}

/* What is being put together, file by file. */
struct chunks {
	const struct space_row *space;
	struct carrying to;
	struct epoch_secret *secret; /* owned; NULL: the caller's */
	struct buf chunk;
	uint64_t number; /* of the last file, where they are numbered from 1 */
	bool outgoing;   /* into the outgoing files: numbered on for ever */
	uint64_t edits;  /* of the file in the making, that count as not sent */
};

static enum err chunks_start(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch,
                             struct chunks *c)
{
	*c = (struct chunks){ .space = space, .secret = secret_new(sizeof(*c->secret)), .outgoing = true };
	c->to = (struct carrying){ .epoch = epoch, .secret = c->secret };
	return c->secret == NULL ? ERR_NO_MEMORY : epoch_key_load(ec, y, space->n, epoch, c->secret);
}

struct sending {
	struct errctx *ec;
	struct sync *y;
	int64_t space;
	uint64_t edits;
};

static enum err send_file(void *arg, const char *ref, const char *name, struct bytes file)
{
	struct sending *s = arg;

	return store_outgoing_put(s->ec, s->y->store, s->space, ref, name, file, s->edits);
}

static enum err chunks_send(struct errctx *ec, struct sync *y, struct chunks *c)
{
	struct sending s = { ec, y, c->space->n, c->edits };
	struct carrying to = c->to;
	enum err e = ERR_OK;

	if (c->chunk.len == 0)
		return ERR_OK;
	if (c->outgoing) {
		to.fn = send_file;
		to.arg = &s;
		e = next_number(ec, y, c->space, &c->number);
	} else {
		c->number++;
	}
	if (e == ERR_OK)
		e = chunk_seal(y, c->space, &to, c->number, buf_bytes(&c->chunk));
	buf_reset(&c->chunk);
	c->edits = 0;
	return e;
}

static enum err chunks_add(struct errctx *ec, struct sync *y, struct chunks *c, const struct item *item)
{
	enum err e = item_put(ec, y, item, &c->chunk);

	return e == ERR_OK && c->chunk.len >= CHUNK ? chunks_send(ec, y, c) : e;
}

static enum err row_add(struct errctx *ec, struct sync *y, struct chunks *c, const struct fork_row *row)
{
	struct device_row device;
	enum err e = store_device_by_id(ec, y->store, row->dev, &device);

	return e == ERR_OK ? chunks_add(ec, y, c, &(struct item){ row->dev, device.tag, row->seq, 0, row }) : e;
}

static enum err chunks_end(struct errctx *ec, struct sync *y, struct chunks *c, enum err e)
{
	if (e == ERR_OK)
		e = chunks_send(ec, y, c);
	buf_free(&c->chunk);
	secret_free(c->secret);
	return e;
}

static enum err all_add(struct errctx *ec, struct sync *y, struct chunks *c)
{
	struct items all = { 0 };
	struct fork_row *rows = NULL;
	size_t n = 0;
	enum err e = c->outgoing ? snapshot_publish(ec, y, c->space, c->to.epoch, c->to.secret)
	                         : snapshot_each(ec, y, c->space, &c->to);

	if (e == ERR_OK)
		e = items_list(ec, y, c->space, &all);
	for (size_t i = 0; e == ERR_OK && i < all.n; i++)
		e = chunks_add(ec, y, c, &all.item[i]);
	if (e == ERR_OK)
		e = store_fork_list(ec, y->store, c->space->n, &rows, &n);
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		e = row_add(ec, y, c, &rows[i]);
	free(all.item);
	free(rows);
	return e;
}

enum err carry_each(struct errctx *ec, struct sync *y, const struct space_row *space, const struct carrying *to)
{
	struct chunks c = { .space = space, .to = *to };

	return chunks_end(ec, y, &c, all_add(ec, y, &c));
}

enum err carry_all(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch)
{
	struct chunks c;
	enum err e = chunks_start(ec, y, space, epoch, &c);

	if (e == ERR_OK)
		e = all_add(ec, y, &c);
	return chunks_end(ec, y, &c, e);
}

/* What the log was cut off at is in the snapshot, and what this device voted for may be gone elsewhere. */
static enum err above_floor(struct errctx *ec, struct sync *y, const struct space_row *space, struct device_id dev,
                            uint64_t *from)
{
	uint64_t below = 0;
	enum err e = compaction_floor(ec, y, space, dev, &below);

	if (*from <= below)
		*from = below + 1;
	return e;
}

static enum err some_add(struct errctx *ec, struct sync *y, struct chunks *c, const struct device_row *author,
                         uint64_t from, uint64_t to)
{
	enum err e = above_floor(ec, y, c->space, author->id, &from);

	for (uint64_t seq = from; e == ERR_OK && seq <= to; seq++)
		e = chunks_add(ec, y, c, &(struct item){ author->id, author->tag, seq, 0, NULL });
	return e;
}

enum err carry_some(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch,
                    const struct device_row *author, uint64_t from, uint64_t to)
{
	struct chunks c;
	enum err e = chunks_start(ec, y, space, epoch, &c);

	if (e == ERR_OK)
		e = some_add(ec, y, &c, author, from, to);
	return chunks_end(ec, y, &c, e);
}

enum err carry_device(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch,
                      const struct device_row *author, uint64_t from, uint64_t to)
{
	struct chunks c;
	struct fork_row *rows = NULL;
	size_t n = 0;
	enum err e = chunks_start(ec, y, space, epoch, &c);

	if (e == ERR_OK)
		e = some_add(ec, y, &c, author, from, to);
	if (e == ERR_OK)
		e = store_fork_list(ec, y->store, space->n, &rows, &n);
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		if (device_cmp(rows[i].dev, author->id) == 0)
			e = row_add(ec, y, &c, &rows[i]);
	free(rows);
	return chunks_end(ec, y, &c, e);
}

/* The last edit of a device up to a batch of it. */
static enum err counter_at(struct errctx *ec, struct sync *y, struct device_id dev, uint64_t seq, uint64_t *out)
{
	uint8_t hash[HASH_LEN];

	*out = 0;
	return seq == 0 ? ERR_OK : store_batch_get(ec, y->store, dev, seq, out, hash);
}

enum err carry_lost(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch,
                    uint64_t from, uint64_t to)
{
	struct chunks c;
	uint64_t before = 0;
	uint64_t counter = 0;
	enum err e = chunks_start(ec, y, space, epoch, &c);

	if (e == ERR_OK)
		e = above_floor(ec, y, space, space->me, &from);
	if (e == ERR_OK)
		e = counter_at(ec, y, space->me, from - 1, &before);
	for (uint64_t seq = from; e == ERR_OK && seq <= to; seq++) {
		e = counter_at(ec, y, space->me, seq, &counter);
		c.edits += counter - before;
		before = counter;
		if (e == ERR_OK)
			e = chunks_add(ec, y, &c, &(struct item){ space->me, space->my_tag, seq, 0, NULL });
	}
	return chunks_end(ec, y, &c, e);
}

enum err carry_forked(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch,
                      const struct forked *f)
{
	struct chunks c;
	struct device_row device;
	uint64_t from = f->from;
	enum err e = chunks_start(ec, y, space, epoch, &c);

	if (e == ERR_OK)
		e = store_device_by_id(ec, y->store, f->dev, &device);
	if (e == ERR_OK)
		e = above_floor(ec, y, space, f->dev, &from);
	for (uint64_t seq = from; e == ERR_OK && seq <= f->to; seq++)
		e = chunks_add(ec, y, &c, &(struct item){ device.id, device.tag, seq, 0, NULL });
	for (size_t i = 0; e == ERR_OK && i < f->rows; i++)
		if (f->row[i].seq == f->from)
			e = row_add(ec, y, &c, &f->row[i]);
	return chunks_end(ec, y, &c, e);
}

/* ---- Taking out ---- */

struct opened {
	struct space_row space;
	struct file_header head;
	struct epoch_secret *secret;
	struct buf items;
};

/* ERR_NOT_FOUND: not such a file, or its space or key is not here; ERR_DAMAGED: it does not verify. */
static enum err carry_open(struct errctx *ec, struct sync *y, struct bytes file, struct opened *o)
{
	enum err e = file_header_get(file, &o->head);

	if (e != ERR_OK || o->head.type != FILE_CARRY)
		return ERR_NOT_FOUND;
	e = space_by_tag(ec, y, o->head.space, &o->space);
	if (e == ERR_OK && o->space.state != SPACE_MEMBER)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK) {
		o->secret = secret_new(sizeof(*o->secret));
		e = o->secret == NULL ? ERR_NO_MEMORY : epoch_key_load(ec, y, o->space.n, o->head.epoch, o->secret);
	}
	return e == ERR_OK ? carry_unseal(file, o->secret->key, &o->items) : e;
}

/* One batch as a file of its own, as its author might have sealed it under this epoch. */
static enum err item_take(struct errctx *ec, struct sync *y, const struct opened *o, const char *ref,
                          const struct item *i, struct bytes signed_part, struct received *r)
{
	struct file_header h = { FILE_BATCH, o->space.tag, i->tag, o->head.epoch, i->seq };
	struct buf file = { 0 };
	struct buf known = { 0 };
	bool same = false;
	char name[FILE_NAME_MAX + 1];
	char tag[TAG_TEXT_LEN];
	enum err e = store_batch_signed(ec, y->store, i->dev, i->seq, &known);

	same = e == ERR_OK && bytes_cmp(buf_bytes(&known), signed_part) == 0;
	buf_free(&known);
	if (same)
		return bundled_seen(ec, y, o->space.n, &h, r);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	tag_text(i->tag, tag);
	snprintf(name, sizeof(name), "%s-%llu", tag, (unsigned long long)i->seq);
	e = batch_seal(&h, o->secret->key, signed_part, y->rng, &file);
	if (e == ERR_OK)
		e = inbox_file(ec, y, ref, name, buf_bytes(&file), r);
	buf_free(&file);
	return e == ERR_INPUT ? ERR_OK : e; /* longer than any batch: not one */
}

static enum err items_take(struct errctx *ec, struct sync *y, const struct opened *o, const char *ref,
                           struct received *r)
{
	const uint8_t *p = o->items.data;
	size_t left = o->items.len;
	enum err e = ERR_OK;

	while (e == ERR_OK && left >= ITEM_HEAD) {
		struct item i = { .seq = be64_get(p + DEVICE_ID_LEN + TAG_LEN) };
		size_t len = be32_get(p + DEVICE_ID_LEN + TAG_LEN + 8);

		memcpy(i.dev.b, p, DEVICE_ID_LEN);
		memcpy(i.tag.b, p + DEVICE_ID_LEN, TAG_LEN);
		p += ITEM_HEAD;
		left -= ITEM_HEAD;
		if (len > left)
			break; /* a member cut it off: what stood before is good */
		e = item_take(ec, y, o, ref, &i, (struct bytes){ p, len }, r);
		p += len;
		left -= len;
	}
	return e;
}

enum err carry_take(struct errctx *ec, struct sync *y, const char *ref, struct bytes file, struct received *r)
{
	struct opened o = { 0 };
	enum err e = carry_open(ec, y, file, &o);

	if (e == ERR_OK && !r->bundle && !r->rebuilding)
		e = lost_carrier(ec, y, o.space.n, ref);
	if (e == ERR_OK)
		e = items_take(ec, y, &o, ref, r);
	else if (e == ERR_NOT_FOUND || e == ERR_DAMAGED)
		e = ERR_OK; /* the inbox tells what becomes of it */
	secret_free(o.secret);
	buf_free(&o.items);
	return e;
}
