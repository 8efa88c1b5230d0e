// SPDX-License-Identifier: EUPL-1.2
// Making a snapshot (K3): the same bytes on every device that holds the edits (M1).
#include "sync/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/codec.h"
#include "base/try.h"
#include "batch/zip.h"
#include "model/wire.h"
#include "sync/carry.h"
#include "sync/refold.h"

void snapshot_free(struct snapshot *s)
{
	buf_free(&s->bytes);
	buf_free(&s->states);
	vv_free(&s->at);
	free(s->item);
	*s = (struct snapshot){ 0 };
}

/* ---- The skeleton ---- */

struct seen_row {
	struct device_id other;
	uint64_t at;
	uint64_t seq;
};

struct act_row {
	struct device_id dev;
	uint64_t seq;
	struct buf acts;
	struct vv seen;
};

struct making {
	struct errctx *ec;
	struct sync *y;
	const struct space_row *space;
	const struct vv *upto;
	struct snapshot *out;
	struct seen_row *seen; /* of one device */
	size_t seens;
	struct act_row *act; /* of all */
	size_t acts;
};

static void making_free(struct making *m)
{
	for (size_t i = 0; i < m->acts; i++) {
		buf_free(&m->act[i].acts);
		vv_free(&m->act[i].seen);
	}
	free(m->act);
	free(m->seen);
}

static enum err seen_add(void *arg, struct dot batch, struct dot names)
{
	struct making *m = arg;
	struct seen_row *s = array_grown(m->seen, m->seens, sizeof(*s));

	if (s == NULL)
		return ERR_NO_MEMORY;
	m->seen = s;
	m->seen[m->seens++] = (struct seen_row){ names.dev, batch.counter, names.counter };
	return ERR_OK;
}

static int seen_order(const void *a, const void *b)
{
	const struct seen_row *x = a;
	const struct seen_row *y = b;
	int c = device_cmp(x->other, y->other);

	return c != 0 ? c : (x->at > y->at) - (x->at < y->at);
}

static enum err act_add(void *arg, struct device_id dev, uint64_t seq, const struct vv *context, struct bytes acts)
{
	struct making *m = arg;
	const struct vv_entry *upto = vv_get(m->upto, dev);
	struct act_row *a = NULL;
	enum err e = ERR_OK;

	if (upto == NULL || seq > upto->seq)
		return ERR_OK;
	a = array_grown(m->act, m->acts, sizeof(*a));
	if (a == NULL)
		return ERR_NO_MEMORY;
	m->act = a;
	a = &m->act[m->acts++];
	*a = (struct act_row){ .dev = dev, .seq = seq };
	e = buf_put(&a->acts, acts.data, acts.len);
	return e == ERR_OK ? vv_copy(context, &a->seen) : e;
}

static enum err act_put(const struct act_row *a, struct buf *out)
{
	size_t n = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; i < a->seen.n; i++)
		n += device_cmp(a->seen.e[i].dev, a->dev) != 0 && a->seen.e[i].seq > 0;
	TRY(wire_put_array(out, 3));
	TRY(wire_put_uint(out, a->seq));
	TRY(wire_put_bytes(out, a->acts.data, a->acts.len));
	TRY(wire_put_array(out, n));
	for (size_t i = 0; i < a->seen.n; i++) {
		const struct vv_entry *v = &a->seen.e[i];

		if (device_cmp(v->dev, a->dev) == 0 || v->seq == 0)
			continue;
		TRY(wire_put_array(out, 2));
		TRY(wire_put_bytes(out, v->dev.b, DEVICE_ID_LEN));
		TRY(wire_put_uint(out, v->seq));
	}
done:
	return e;
}

static enum err acts_put(const struct making *m, struct device_id dev, struct buf *out)
{
	size_t n = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; i < m->acts; i++)
		n += device_cmp(m->act[i].dev, dev) == 0;
	TRY(wire_put_array(out, n));
	for (size_t i = 0; i < m->acts; i++) /* kept by device and number */
		if (device_cmp(m->act[i].dev, dev) == 0)
			TRY(act_put(&m->act[i], out));
done:
	return e;
}

static enum err device_put(struct making *m, const struct vv_entry *upto)
{
	struct buf *out = &m->out->bytes;
	struct vv_entry at = { .dev = upto->dev, .seq = upto->seq };
	enum err e = ERR_OK;

	TRY(wire_put_array(out, 4));
	TRY(wire_put_bytes(out, upto->dev.b, DEVICE_ID_LEN));
	TRY(wire_put_array(out, (size_t)upto->seq));
	for (uint64_t seq = 1; seq <= upto->seq; seq++) {
		uint8_t hash[HASH_LEN];

		TRY(store_batch_get(m->ec, m->y->store, upto->dev, seq, &at.counter, hash));
		TRY(wire_put_array(out, 2));
		TRY(wire_put_uint(out, at.counter));
		TRY(wire_put_bytes(out, hash, HASH_LEN));
		memcpy(at.hash, hash, VV_HASH_LEN);
	}
	TRY(vv_set(&m->out->at, at));
	m->seens = 0;
	TRY(store_seen_each(m->ec, m->y->store, upto->dev, upto->seq, seen_add, m));
	if (m->seens > 1)
		qsort(m->seen, m->seens, sizeof(*m->seen), seen_order);
	TRY(wire_put_array(out, m->seens));
	for (size_t i = 0; i < m->seens; i++) {
		TRY(wire_put_array(out, 3));
		TRY(wire_put_uint(out, m->seen[i].at));
		TRY(wire_put_bytes(out, m->seen[i].other.b, DEVICE_ID_LEN));
		TRY(wire_put_uint(out, m->seen[i].seq));
	}
	TRY(acts_put(m, upto->dev, out));
done:
	return e;
}

static enum err skeleton_put(struct making *m, uint64_t round, const uint8_t parent[static HASH_LEN])
{
	struct buf *out = &m->out->bytes;
	size_t devices = 0;
	enum err e = ERR_OK;

	TRY(store_acts_each(m->ec, m->y->store, m->space->n, act_add, m));
	for (size_t i = 0; i < m->upto->n; i++)
		devices += m->upto->e[i].seq > 0;
	TRY(wire_put_array(out, 6));
	TRY(wire_put_uint(out, 1));
	TRY(wire_put_bytes(out, m->space->id.b, SPACE_ID_LEN));
	TRY(wire_put_uint(out, round));
	TRY(wire_put_bytes(out, parent, HASH_LEN));
	TRY(wire_put_array(out, devices));
	for (size_t i = 0; i < m->upto->n; i++)
		if (m->upto->e[i].seq > 0)
			TRY(device_put(m, &m->upto->e[i]));
done:
	return e;
}

/* ---- The records ---- */

struct place {
	struct dot record;
	size_t from;
	size_t len;
};

struct places {
	struct place *p;
	size_t n;
};

static enum err place_add(struct places *all, struct dot record, size_t from, size_t len)
{
	struct place *p = array_grown(all->p, all->n, sizeof(*p));

	if (p == NULL)
		return ERR_NO_MEMORY;
	all->p = p;
	all->p[all->n++] = (struct place){ record, from, len };
	return ERR_OK;
}

static enum err id_add(void *arg, struct dot record, struct bytes state)
{
	(void)state;
	return place_add(arg, record, 0, 0);
}

static int place_order(const void *a, const void *b)
{
	return dot_cmp(((const struct place *)a)->record, ((const struct place *)b)->record);
}

/* Every record that the log, the table of records or the base names. */
static enum err ids_list(struct making *m, struct places *out)
{
	struct dots ids = { 0 };
	size_t kept = 0;
	enum err e = store_records_known(m->ec, m->y->store, m->space->n, &ids);

	for (size_t i = 0; e == ERR_OK && i < ids.n; i++)
		e = place_add(out, ids.d[i], 0, 0);
	dots_free(&ids);
	if (e == ERR_OK)
		e = store_base_each(m->ec, m->y->store, m->space->n, id_add, out);
	if (e == ERR_OK && out->n > 1)
		qsort(out->p, out->n, sizeof(*out->p), place_order);
	for (size_t i = 0; e == ERR_OK && i < out->n; i++)
		if (kept == 0 || dot_cmp(out->p[kept - 1].record, out->p[i].record) != 0)
			out->p[kept++] = out->p[i];
	out->n = kept;
	return e;
}

static enum err records_fold(struct making *m, struct places *all)
{
	const struct refold_part part = { .upto = m->upto };
	struct refold *f = NULL;
	size_t kept = 0;
	enum err e = refold_open(m->ec, m->y, m->space, &f);

	for (size_t i = 0; e == ERR_OK && i < all->n; i++) {
		struct record r = { 0 };
		size_t from = m->out->states.len;

		e = refold_part(m->ec, f, all->p[i].record, &part, &r);
		if (e == ERR_NOT_FOUND) { /* made above the vector */
			e = ERR_OK;
			continue;
		}
		if (e == ERR_OK)
			e = record_put(&r, &m->out->states);
		record_free(&r);
		all->p[kept++] = (struct place){ all->p[i].record, from, m->out->states.len - from };
	}
	all->n = e == ERR_OK ? kept : 0;
	refold_close(f);
	return e;
}

static enum err records_put(struct making *m, const struct places *all)
{
	struct snapshot *s = m->out;
	enum err e = ERR_OK;

	s->item = calloc(all->n + 1, sizeof(*s->item));
	TRY(s->item == NULL ? ERR_NO_MEMORY : ERR_OK);
	TRY(wire_put_array(&s->bytes, all->n));
	for (size_t i = 0; i < all->n; i++) {
		s->item[i] = (struct base_item){ all->p[i].record, { s->states.data + all->p[i].from, all->p[i].len } };
		TRY(wire_put_bytes(&s->bytes, s->item[i].state.data, s->item[i].state.len));
	}
	s->n = all->n;
	hash_bytes("slb snapshot", buf_bytes(&s->bytes), s->hash);
done:
	return e;
}

/* Does everything at or below lie here, and nothing of it below the base? */
static enum err is_here(struct errctx *ec, struct sync *y, int64_t space, const struct vv *upto,
                        const struct base *base, bool *here)
{
	struct vv now = { 0 };
	enum err e = store_vector(ec, y->store, space, &now);

	*here = true;
	for (size_t i = 0; i < upto->n; i++) {
		const struct vv_entry *v = vv_get(&now, upto->e[i].dev);

		*here = *here && v != NULL && v->seq >= upto->e[i].seq;
	}
	for (size_t i = 0; i < base->at.n; i++) {
		const struct vv_entry *v = vv_get(upto, base->at.e[i].dev);

		*here = *here && v != NULL && v->seq >= base->at.e[i].seq;
	}
	vv_free(&now);
	return e;
}

enum err snapshot_build(struct errctx *ec, struct sync *y, const struct space_row *space, const struct vv *upto,
                        uint64_t round, struct snapshot *out)
{
	struct making m = { ec, y, space, upto, out, NULL, 0, NULL, 0 };
	struct places all = { 0 };
	struct base base = { 0 };
	bool here = false;
	enum err e = store_base(ec, y->store, space->n, &base);

	*out = (struct snapshot){ 0 };
	if (e == ERR_OK)
		e = is_here(ec, y, space->n, upto, &base, &here);
	if (e == ERR_OK && !here)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		e = skeleton_put(&m, round, base.hash);
	if (e == ERR_OK)
		e = ids_list(&m, &all);
	if (e == ERR_OK)
		e = records_fold(&m, &all);
	if (e == ERR_OK)
		e = records_put(&m, &all);
	making_free(&m);
	free(all.p);
	vv_free(&base.at);
	if (e != ERR_OK)
		snapshot_free(out);
	return e;
}

/* ---- The one in force ---- */

struct gathering {
	struct places all;
	struct buf *states;
};

static enum err state_add(void *arg, struct dot record, struct bytes state)
{
	struct gathering *g = arg;
	size_t from = g->states->len;
	enum err e = buf_put(g->states, state.data, state.len);

	return e == ERR_OK ? place_add(&g->all, record, from, state.len) : e;
}

enum err snapshot_now(struct errctx *ec, struct sync *y, const struct space_row *space, struct snapshot *out)
{
	struct base base = { 0 };
	struct making m = { ec, y, space, &base.at, out, NULL, 0, NULL, 0 };
	struct gathering g = { .states = &out->states };
	struct buf parent = { 0 };
	enum err e = store_base(ec, y->store, space->n, &base);

	*out = (struct snapshot){ 0 };
	if (e == ERR_OK && !base.is)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		e = store_kept_get(ec, y->store, space->n, KEPT_PARENT, &parent);
	if (e == ERR_OK && parent.len != HASH_LEN)
		e = ERR_DAMAGED;
	if (e == ERR_OK)
		e = skeleton_put(&m, base.round, parent.data);
	if (e == ERR_OK)
		e = store_base_each(ec, y->store, space->n, state_add, &g);
	if (e == ERR_OK && g.all.n > 1)
		qsort(g.all.p, g.all.n, sizeof(*g.all.p), place_order);
	if (e == ERR_OK)
		e = records_put(&m, &g.all);
	if (e == ERR_OK && memcmp(out->hash, base.hash, HASH_LEN) != 0)
		e = err_set(ec, ERR_DAMAGED, "The vault holds something that cannot be right. Run verify.", NULL, NULL,
		            NULL);
	making_free(&m);
	free(g.all.p);
	buf_free(&parent);
	vv_free(&base.at);
	if (e != ERR_OK)
		snapshot_free(out);
	return e;
}

static enum err part_publish(struct sync *y, const struct space_row *space, const struct file_header *h,
                             const struct carrying *to, struct bytes part, const struct snapshot *s, uint32_t parts)
{
	struct buf plain = { 0 };
	struct buf file = { 0 };
	char ref[REF_MAX + 1];
	char name[FILE_NAME_MAX + 1];
	char tag[TAG_TEXT_LEN];
	char mark[17];
	uint8_t head[HASH_LEN + 8];
	enum err e = ERR_OK;

	memcpy(head, s->hash, HASH_LEN);
	be32_put(head + HASH_LEN, (uint32_t)h->seq);
	be32_put(head + HASH_LEN + 4, parts);
	hex_put(s->hash, 8, mark);
	tag_text(space->my_tag, tag);
	branch_name(space->tag, h->epoch, space->my_tag, ref);
	snprintf(name, sizeof(name), "%s-snap-%s-%llu", tag, mark, (unsigned long long)h->seq);
	TRY(buf_put(&plain, head, sizeof(head)));
	TRY(zip_deflate(y->zip, part, &plain));
	TRY(snapshot_seal(h, to->secret->key, buf_bytes(&plain), y->rng, &file));
	TRY(to->fn(to->arg, ref, name, buf_bytes(&file)));
done:
	buf_free(&plain);
	buf_free(&file);
	return e;
}

enum err snapshot_each(struct errctx *ec, struct sync *y, const struct space_row *space, const struct carrying *to)
{
	struct file_header h = { FILE_SNAPSHOT, space->tag, space->my_tag, to->epoch, 0 };
	struct snapshot s = { 0 };
	uint32_t parts = 0;
	enum err e = snapshot_now(ec, y, space, &s);

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	parts = (uint32_t)((s.bytes.len + SNAPSHOT_PART - 1) / SNAPSHOT_PART);
	for (h.seq = 0; e == ERR_OK && h.seq < parts; h.seq++) {
		size_t from = (size_t)h.seq * SNAPSHOT_PART;
		size_t len = s.bytes.len - from < SNAPSHOT_PART ? s.bytes.len - from : SNAPSHOT_PART;

		e = part_publish(y, space, &h, to, (struct bytes){ s.bytes.data + from, len }, &s, parts);
	}
	snapshot_free(&s);
	return e;
}

struct sending {
	struct errctx *ec;
	struct sync *y;
	int64_t space;
};

static enum err send_part(void *arg, const char *ref, const char *name, struct bytes file)
{
	struct sending *s = arg;

	return store_outgoing_put(s->ec, s->y->store, s->space, ref, name, file, 0);
}

enum err snapshot_publish(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch,
                          const struct epoch_secret *secret)
{
	struct sending s = { ec, y, space->n };

	return snapshot_each(ec, y, space, &(struct carrying){ epoch, secret, send_part, &s });
}
