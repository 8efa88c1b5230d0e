// SPDX-License-Identifier: EUPL-1.2
// Edits under other dots (S7). What their author had seen stays what it was (S1, M2): where more will stand in the
// context of their batch, each says so itself.
#include "sync/redot.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "model/wire.h"
#include "sync/acts.h"

void redots_free(struct redots *map)
{
	free(map->e);
	*map = (struct redots){ 0 };
}

enum err redots_add(struct redots *map, struct dot from, struct dot to, uint32_t kind)
{
	struct redot_entry *e = array_grown(map->e, map->n, sizeof(*e));

	if (e == NULL)
		return ERR_NO_MEMORY;
	map->e = e;
	map->e[map->n++] = (struct redot_entry){ from, to, kind };
	return ERR_OK;
}

const struct redot_entry *redots_find(const struct redots *map, struct dot d)
{
	size_t from = 0;

	/* a few runs, one for each device, each ascending */
	while (from < map->n) {
		struct device_id dev = map->e[from].from.dev;
		size_t to = from;
		size_t lo = from;

		while (to < map->n && device_cmp(map->e[to].from.dev, dev) == 0)
			to++;
		from = to;
		if (device_cmp(dev, d.dev) != 0)
			continue;
		while (lo < to) {
			size_t mid = lo + (to - lo) / 2;

			if (map->e[mid].from.counter < d.counter)
				lo = mid + 1;
			else
				to = mid;
		}
		if (lo < map->n && dot_cmp(map->e[lo].from, d) == 0)
			return &map->e[lo];
	}
	return NULL;
}

/* ---- Values ---- */

/* Bytes that are a reference to something in the map become one to what it became; anything else is copied. */
static enum err item_copy(const struct redots *map, struct wire_in *in, struct buf *out)
{
	struct bytes bytes = { 0 };
	struct dot d = { 0 };
	const struct redot_entry *to = NULL;
	uint8_t ref[DOT_REF_MAX];
	size_t n = 0;
	enum err e = ERR_OK;

	switch (wire_peek(in)) {
	case WIRE_ARRAY:
		e = wire_get_array(in, &n);
		if (e == ERR_OK)
			e = wire_put_array(out, n);
		for (size_t i = 0; e == ERR_OK && i < n; i++)
			e = item_copy(map, in, out);
		return e;
	case WIRE_BYTES:
		e = wire_get_bytes(in, &bytes);
		if (e == ERR_OK && dot_ref_get(bytes.data, bytes.len, &d))
			to = redots_find(map, d);
		if (e == ERR_OK && to != NULL)
			return wire_put_bytes(out, ref, dot_ref_put(to->to, ref));
		return e != ERR_OK ? e : wire_put_bytes(out, bytes.data, bytes.len);
	default:
		e = wire_get_raw(in, &bytes);
		return e != ERR_OK ? e : buf_put(out, bytes.data, bytes.len);
	}
}

static int buf_cmp(const void *a, const void *b)
{
	return bytes_cmp(buf_bytes(a), buf_bytes(b));
}

/* One of the two lists of a SET write, in its order again. */
static enum err elements_copy(const struct redots *map, struct wire_in *in, struct buf *out)
{
	struct buf *list = NULL;
	size_t n = 0;
	size_t kept = 0;
	enum err e = wire_get_array(in, &n);

	if (e == ERR_OK) {
		list = calloc(n + 1, sizeof(*list));
		e = list == NULL ? ERR_NO_MEMORY : ERR_OK;
	}
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		e = item_copy(map, in, &list[i]);
	if (e == ERR_OK && n > 0)
		qsort(list, n, sizeof(*list), buf_cmp);
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		kept += i == 0 || buf_cmp(&list[i - 1], &list[i]) != 0;
	if (e == ERR_OK)
		e = wire_put_array(out, kept);
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		if (i == 0 || buf_cmp(&list[i - 1], &list[i]) != 0)
			e = buf_put(out, list[i].data, list[i].len);
	for (size_t i = 0; list != NULL && i < n; i++)
		buf_free(&list[i]);
	free(list);
	return e;
}

static enum err value_copy(const struct redots *map, uint32_t kind, const struct write *w, struct buf *out)
{
	const struct field_def *f = schema_field(kind, w->tag);
	struct wire_in in = wire_in(w->value);
	size_t two = 0;
	enum err e = ERR_OK;

	if (f == NULL || (f->type != TYPE_REF && f->type != TYPE_EVENT))
		return buf_put(out, w->value.data, w->value.len);
	if (tag_class(w->tag) != CLASS_SET)
		return item_copy(map, &in, out);
	e = wire_get_array(&in, &two);
	if (e == ERR_OK)
		e = wire_put_array(out, two);
	for (size_t i = 0; e == ERR_OK && i < two; i++)
		e = elements_copy(map, &in, out);
	return e;
}

/* ---- Edits ---- */

/* What of `here` the author had not seen; free() it. */
static enum err seen_make(const struct redotting *how, const struct edit *was, struct seen **out, size_t *count)
{
	const struct vv *here = how->here;

	*out = calloc(here->n + 1, sizeof(**out));
	*count = 0;
	if (*out == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < here->n; i++) {
		const struct vv_entry *had = vv_get(how->had, here->e[i].dev);
		uint64_t seq = had == NULL ? 0 : had->seq;

		if (device_cmp(here->e[i].dev, how->dot.dev) == 0)
			continue;
		for (size_t k = 0; k < was->seen_count; k++)
			if (device_cmp(was->seen[k].dev, here->e[i].dev) == 0 && was->seen[k].seq < seq)
				seq = was->seen[k].seq;
		if (seq < here->e[i].seq)
			(*out)[(*count)++] = (struct seen){ here->e[i].dev, seq };
	}
	return ERR_OK;
}

static enum err writes_copy(const struct redots *map, uint32_t kind, const struct edit *was, struct write *writes,
                            struct buf *values)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < was->write_count; i++) {
		e = value_copy(map, kind, &was->writes[i], &values[i]);
		writes[i] = (struct write){ was->writes[i].tag, buf_bytes(&values[i]) };
	}
	return e;
}

enum err redot_write(struct errctx *ec, struct sync *y, const struct space_row *space, struct bytes bytes,
                     const struct redotting *how, uint32_t *made)
{
	struct edit was;
	struct edit edit;
	struct body pool = { 0 };
	const struct redot_entry *to = NULL;
	struct write *writes = NULL;
	struct buf *values = NULL;
	struct seen *seen = NULL;
	uint32_t kind = KIND_none;
	enum err e = edit_parse(bytes, &was, &pool);

	if (e != ERR_OK)
		return e;
	edit = was;
	edit.dot = how->dot;
	*made = was.kind;
	to = redots_find(how->map, was.target);
	edit.target = was.kind != KIND_none ? how->dot : to != NULL ? to->to : was.target;
	kind = was.kind != KIND_none ? was.kind : to != NULL ? to->kind : KIND_none;
	if (kind == KIND_none)
		e = record_kind(ec, y, edit.target, &kind);
	writes = calloc(was.write_count + 1, sizeof(*writes));
	values = calloc(was.write_count + 1, sizeof(*values));
	if (e == ERR_OK && (writes == NULL || values == NULL))
		e = ERR_NO_MEMORY;
	if (e == ERR_OK)
		e = writes_copy(how->map, kind, &was, writes, values);
	edit.writes = writes;
	if (e == ERR_OK && how->here != NULL) {
		e = seen_make(how, &was, &seen, &edit.seen_count);
		edit.seen = edit.seen_count > 0 ? seen : NULL;
	}
	if (e == ERR_OK)
		e = store_write_seen(ec, y->store, space->n, &edit, how->had);
	for (size_t i = 0; values != NULL && i < was.write_count; i++)
		buf_free(&values[i]);
	free(values);
	free(writes);
	free(seen);
	body_free(&pool);
	return e;
}
