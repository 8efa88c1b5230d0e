// SPDX-License-Identifier: EUPL-1.2
// Reading a snapshot that came in: pure. Whether it is true is for sync/adopt.c to find out.
#include "sync/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/try.h"
#include "model/wire.h"

void snapshot_parts_free(struct snapshot_parts *p)
{
	free(p->device);
	free(p->batch);
	free(p->seen);
	free(p->acts);
	free(p->named);
	free(p->item);
	*p = (struct snapshot_parts){ 0 };
}

static enum err batches_get(struct wire_in *in, struct snapshot_parts *p, struct snap_device *d)
{
	uint64_t before = 0;
	size_t two = 0;
	enum err e = ERR_OK;

	d->from = p->batches;
	TRY(wire_get_array(in, &d->n));
	MUST_BE(d->n > 0);
	for (size_t i = 0; i < d->n; i++) {
		struct snap_batch b = { 0 };
		struct bytes hash = { 0 };

		TRY(wire_get_array(in, &two));
		MUST_BE(two == 2);
		TRY(wire_get_uint(in, &b.counter));
		TRY(wire_get_bytes(in, &hash));
		MUST_BE(hash.len == HASH_LEN && b.counter >= before && b.counter <= STORE_NUMBER_MAX);
		before = b.counter;
		b.hash = hash.data;
		TRY(array_grow(&p->batch, p->batches, sizeof(b)));
		p->batch[p->batches++] = b;
	}
done:
	return e;
}

static enum err seen_get(struct wire_in *in, struct snapshot_parts *p, const struct snap_device *d)
{
	size_t n = 0;
	size_t three = 0;
	enum err e = ERR_OK;

	TRY(wire_get_array(in, &n));
	for (size_t i = 0; i < n; i++) {
		struct snap_seen s = { .at = { d->id, 0 } };
		const struct snap_seen *last = i == 0 ? NULL : &p->seen[p->seens - 1];

		TRY(wire_get_array(in, &three));
		MUST_BE(three == 3);
		TRY(wire_get_uint(in, &s.at.counter));
		TRY(wire_get_exact(in, s.names.dev.b, DEVICE_ID_LEN));
		TRY(wire_get_uint(in, &s.names.counter));
		MUST_BE(s.at.counter > 0 && s.at.counter <= d->n && s.names.counter > 0 &&
		        s.names.counter <= STORE_NUMBER_MAX && device_cmp(s.names.dev, d->id) != 0);
		MUST_BE(last == NULL || device_cmp(last->names.dev, s.names.dev) < 0 ||
		        (device_cmp(last->names.dev, s.names.dev) == 0 && last->at.counter < s.at.counter &&
		         last->names.counter < s.names.counter));
		TRY(array_grow(&p->seen, p->seens, sizeof(s)));
		p->seen[p->seens++] = s;
	}
done:
	return e;
}

static enum err act_get(struct wire_in *in, struct snapshot_parts *p, struct snap_acts *a)
{
	size_t three = 0;
	enum err e = ERR_OK;

	TRY(wire_get_array(in, &three));
	MUST_BE(three == 3);
	TRY(wire_get_uint(in, &a->at.counter));
	TRY(wire_get_bytes(in, &a->acts));
	TRY(wire_get_array(in, &a->seen_n));
	a->seen_from = p->nameds;
	for (size_t i = 0; i < a->seen_n; i++) {
		struct dot named = { 0 };

		TRY(wire_get_array(in, &three));
		MUST_BE(three == 2);
		TRY(wire_get_exact(in, named.dev.b, DEVICE_ID_LEN));
		TRY(wire_get_uint(in, &named.counter));
		MUST_BE(named.counter > 0 && named.counter <= STORE_NUMBER_MAX);
		MUST_BE(i == 0 || device_cmp(p->named[p->nameds - 1].dev, named.dev) < 0);
		TRY(array_grow(&p->named, p->nameds, sizeof(named)));
		p->named[p->nameds++] = named;
	}
done:
	return e;
}

static enum err acts_get(struct wire_in *in, struct snapshot_parts *p, const struct snap_device *d)
{
	size_t n = 0;
	enum err e = ERR_OK;

	TRY(wire_get_array(in, &n));
	for (size_t i = 0; i < n; i++) {
		struct snap_acts a = { .at = { d->id, 0 } };

		TRY(act_get(in, p, &a));
		MUST_BE(a.at.counter > 0 && a.at.counter <= d->n &&
		        (i == 0 || p->acts[p->acts_n - 1].at.counter < a.at.counter));
		TRY(array_grow(&p->acts, p->acts_n, sizeof(a)));
		p->acts[p->acts_n++] = a;
	}
done:
	return e;
}

static enum err devices_get(struct wire_in *in, struct snapshot_parts *p)
{
	size_t n = 0;
	size_t four = 0;
	enum err e = ERR_OK;

	TRY(wire_get_array(in, &n));
	for (size_t i = 0; i < n; i++) {
		struct snap_device d = { 0 };

		TRY(wire_get_array(in, &four));
		MUST_BE(four == 4);
		TRY(wire_get_exact(in, d.id.b, DEVICE_ID_LEN));
		MUST_BE(i == 0 || device_cmp(p->device[i - 1].id, d.id) < 0);
		TRY(batches_get(in, p, &d));
		TRY(seen_get(in, p, &d));
		TRY(acts_get(in, p, &d));
		TRY(array_grow(&p->device, p->devices, sizeof(d)));
		p->device[p->devices++] = d;
	}
done:
	return e;
}

static enum err records_get(struct wire_in *in, struct snapshot_parts *p)
{
	size_t n = 0;
	enum err e = ERR_OK;

	TRY(wire_get_array(in, &n));
	for (size_t i = 0; i < n; i++) {
		struct base_item item = { 0 };
		struct record r = { 0 };

		TRY(wire_get_bytes(in, &item.state));
		TRY(record_get(item.state, &r));
		item.record = r.id;
		record_free(&r);
		MUST_BE(i == 0 || dot_cmp(p->item[p->items - 1].record, item.record) < 0);
		TRY(array_grow(&p->item, p->items, sizeof(item)));
		p->item[p->items++] = item;
	}
done:
	return e;
}

/* Is everything that is named in it also there? */
static const struct snap_device *device_in(const struct snapshot_parts *p, struct device_id id)
{
	for (size_t i = 0; i < p->devices; i++)
		if (device_cmp(p->device[i].id, id) == 0)
			return &p->device[i];
	return NULL;
}

static bool holds_together(const struct snapshot_parts *p)
{
	for (size_t i = 0; i < p->seens; i++) {
		const struct snap_device *d = device_in(p, p->seen[i].names.dev);

		if (d == NULL || p->seen[i].names.counter > d->n)
			return false;
	}
	for (size_t i = 0; i < p->nameds; i++) {
		const struct snap_device *d = device_in(p, p->named[i].dev);

		if (d == NULL || p->named[i].counter > d->n)
			return false;
	}
	for (size_t i = 0; i < p->items; i++) {
		const struct snap_device *d = device_in(p, p->item[i].record.dev);

		if (d == NULL || p->item[i].record.counter > p->batch[d->from + d->n - 1].counter)
			return false;
	}
	return true;
}

enum err snapshot_parse(struct bytes bytes, struct snapshot_parts *out)
{
	struct wire_in in = wire_in(bytes);
	uint64_t version = 0;
	size_t n = 0;
	enum err e = ERR_OK;

	*out = (struct snapshot_parts){ 0 };
	TRY(wire_get_array(&in, &n));
	MUST_BE(n == 6);
	TRY(wire_get_uint(&in, &version));
	MUST_BE(version == 1);
	TRY(wire_get_exact(&in, out->space.b, SPACE_ID_LEN));
	TRY(wire_get_uint(&in, &out->round));
	TRY(wire_get_exact(&in, out->parent, HASH_LEN));
	TRY(devices_get(&in, out));
	TRY(records_get(&in, out));
	TRY(wire_at_end(&in));
	MUST_BE(holds_together(out));
done:
	if (e != ERR_OK)
		snapshot_parts_free(out);
	return e;
}
