// SPDX-License-Identifier: EUPL-1.2
// The body of a batch and the edits in it. The parser is pure, bounded by its input, and takes one spelling only.
#include "model/edit.h"

#include <stdlib.h>
#include <string.h>

#include "base/try.h"
#include "model/wire.h"

#define BODY_VERSION 1
#define BODY_ITEMS 8
#define EDIT_FIXED 3

/* The devices a body names, in the order in which they come up; index 0 is the author. */
struct names {
	struct device_id *dev;
	uint16_t *sorted; /* indices, ascending by device */
	size_t n;
	size_t cap;
};

_Static_assert(BODY_NAMES_MAX <= UINT16_MAX, "an index fits 16 bits");

static void names_free(struct names *t)
{
	free(t->dev);
	free(t->sorted);
}

static enum err names_grow(struct names *t)
{
	size_t cap = t->cap == 0 ? 8 : 2 * t->cap;
	struct device_id *dev = NULL;
	uint16_t *sorted = NULL;

	if (t->n < t->cap)
		return ERR_OK;
	dev = realloc(t->dev, cap * sizeof(*dev));
	if (dev == NULL)
		return ERR_NO_MEMORY;
	t->dev = dev;
	sorted = realloc(t->sorted, cap * sizeof(*sorted));
	if (sorted == NULL)
		return ERR_NO_MEMORY;
	t->sorted = sorted;
	t->cap = cap;
	return ERR_OK;
}

static enum err names_add(struct names *t, struct device_id dev, size_t *index)
{
	size_t lo = 0;
	size_t hi = t->n;
	enum err e = ERR_OK;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = device_cmp(t->dev[t->sorted[mid]], dev);

		if (c == 0) {
			*index = t->sorted[mid];
			return ERR_OK;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (t->n == BODY_NAMES_MAX)
		return ERR_DAMAGED;
	e = names_grow(t);
	if (e != ERR_OK)
		return e;
	memmove(t->sorted + lo + 1, t->sorted + lo, (t->n - lo) * sizeof(*t->sorted));
	t->sorted[lo] = (uint16_t)t->n;
	t->dev[t->n] = dev;
	*index = t->n++;
	return ERR_OK;
}

static enum err text_check(struct wire_in *in, size_t n)
{
	struct bytes text = { 0 };

	if (n < 2 || (wire_peek(in) == WIRE_NULL ? wire_get_null(in) : wire_get_text(in, &text)) != ERR_OK)
		return ERR_DAMAGED;
	for (size_t i = 1; i < n; i++) {
		if (wire_get_text(in, &text) != ERR_OK)
			return ERR_DAMAGED;
	}
	return ERR_OK;
}

static enum err elements_check(struct wire_in *in)
{
	struct bytes last = { 0 };
	struct bytes item = { 0 };
	size_t n = 0;

	if (wire_get_array(in, &n) != ERR_OK)
		return ERR_DAMAGED;
	for (size_t i = 0; i < n; i++) {
		if (wire_get_raw(in, &item) != ERR_OK || (i > 0 && bytes_cmp(last, item) >= 0))
			return ERR_DAMAGED;
		last = item;
	}
	return ERR_OK;
}

enum err write_check(uint32_t tag, struct bytes value)
{
	struct wire_in in = wire_in(value);
	struct wire_in whole = in;
	struct bytes item = { 0 };
	bool list = wire_peek(&in) == WIRE_ARRAY;
	size_t n = 0;
	bool yes = false;

	if (wire_get_raw(&whole, &item) != ERR_OK || wire_at_end(&whole) != ERR_OK)
		return ERR_DAMAGED;
	if ((tag & 7) > CLASS_ERASE)
		return ERR_OK;
	if (list && wire_get_array(&in, &n) != ERR_OK)
		return ERR_DAMAGED;
	switch (tag_class(tag)) {
	case CLASS_REG:
		return list && n < 2 ? ERR_DAMAGED : ERR_OK;
	case CLASS_TEXT:
		return text_check(&in, n);
	case CLASS_SET:
		return n != 2 || elements_check(&in) != ERR_OK ? ERR_DAMAGED : elements_check(&in);
	case CLASS_EVENTS:
		return n == 0 ? ERR_DAMAGED : ERR_OK;
	case CLASS_ERASE:
		return list || wire_get_bool(&in, &yes) != ERR_OK || !yes ? ERR_DAMAGED : ERR_OK;
	}
	return ERR_DAMAGED;
}

/* What holds for every edit, wherever it is written down. */
static enum err edit_check(const struct edit *edit)
{
	struct dot d = edit->dot;
	struct dot t = edit->target;
	bool creates = dot_cmp(d, t) == 0;

	if (d.counter == 0 || d.counter > COUNTER_MAX || t.counter == 0 || t.counter > COUNTER_MAX ||
	    edit->clock.ms > HLC_MS_MAX)
		return ERR_DAMAGED;
	/* a device cannot change what it has not made yet */
	if (creates != (edit->kind != KIND_none) || (device_cmp(d.dev, t.dev) == 0 && t.counter > d.counter))
		return ERR_DAMAGED;
	for (size_t i = 0; i < edit->seen_count; i++) {
		if (edit->seen[i].seq > COUNTER_MAX ||
		    (i > 0 && device_cmp(edit->seen[i - 1].dev, edit->seen[i].dev) >= 0))
			return ERR_DAMAGED;
	}
	for (size_t i = 0; i < edit->write_count; i++) {
		if ((i > 0 && edit->writes[i - 1].tag >= edit->writes[i].tag) ||
		    write_check(edit->writes[i].tag, edit->writes[i].value) != ERR_OK)
			return ERR_DAMAGED;
	}
	return ERR_OK;
}

static enum err body_check(const struct body *body, struct device_id author)
{
	if (body->first_counter == 0 || body->edit_count > BODY_EDITS_MAX || body->control_count > BODY_CONTROLS_MAX ||
	    body->first_counter > COUNTER_MAX - body->edit_count)
		return ERR_DAMAGED;
	for (size_t i = 0; i < body->context_count; i++) {
		const struct context_entry *c = &body->context[i];

		if (c->seq == 0 || c->seq > COUNTER_MAX || (i > 0 && device_cmp(body->context[i - 1].dev, c->dev) >= 0))
			return ERR_DAMAGED;
	}
	for (size_t i = 0; i < body->edit_count; i++) {
		struct dot want = { author, body->first_counter + i };

		if (dot_cmp(body->edits[i].dot, want) != 0 || edit_check(&body->edits[i]) != ERR_OK)
			return ERR_DAMAGED;
	}
	for (size_t i = 0; i < body->control_count; i++) {
		struct wire_in in = wire_in(body->controls[i].payload);
		struct bytes item = { 0 };

		if (wire_get_raw(&in, &item) != ERR_OK || wire_at_end(&in) != ERR_OK)
			return ERR_DAMAGED;
	}
	return ERR_OK;
}

static enum err clock_put(struct hlc *last, struct hlc now, struct buf *out)
{
	uint64_t delta = 0;
	enum err e = ERR_OK;

	if (hlc_cmp(now, *last) < 0)
		return ERR_DAMAGED;
	delta = now.ms - last->ms;
	*last = now;
	if (now.count == 0)
		return wire_put_uint(out, delta);
	TRY(wire_put_array(out, 2));
	TRY(wire_put_uint(out, delta));
	TRY(wire_put_uint(out, now.count));
done:
	return e;
}

static enum err clock_get(struct wire_in *in, struct hlc *last, struct hlc *out)
{
	uint64_t delta = 0;
	uint64_t count = 0;
	size_t n = 0;
	struct hlc now = { 0 };

	if (wire_peek(in) == WIRE_ARRAY) {
		if (wire_get_array(in, &n) != ERR_OK || n != 2 || wire_get_uint(in, &delta) != ERR_OK ||
		    wire_get_uint(in, &count) != ERR_OK || count == 0 || count > UINT32_MAX)
			return ERR_DAMAGED;
	} else if (wire_get_uint(in, &delta) != ERR_OK) {
		return ERR_DAMAGED;
	}
	if (delta > HLC_MS_MAX - last->ms)
		return ERR_DAMAGED;
	now = (struct hlc){ last->ms + delta, (uint32_t)count };
	if (hlc_cmp(now, *last) < 0)
		return ERR_DAMAGED;
	*last = now;
	*out = now;
	return ERR_OK;
}

static enum err writes_put(const struct edit *edit, struct buf *out)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < edit->write_count; i++) {
		const struct write *w = &edit->writes[i];

		TRY(wire_put_uint(out, w->tag));
		TRY(buf_put(out, w->value.data, w->value.len));
	}
done:
	return e;
}

static enum err edit_in_body_put(const struct edit *edit, struct names *t, struct hlc *last, struct buf *out)
{
	size_t index = 0;
	enum err e = wire_put_array(out, EDIT_FIXED + 2 * edit->write_count);

	if (e != ERR_OK)
		return e;
	if (edit->kind != KIND_none) {
		TRY(wire_put_uint(out, edit->kind));
	} else {
		TRY(names_add(t, edit->target.dev, &index));
		TRY(wire_put_array(out, 2));
		TRY(wire_put_uint(out, index));
		TRY(wire_put_uint(out, edit->target.counter));
	}
	TRY(clock_put(last, edit->clock, out));
	if (edit->seen == NULL) {
		TRY(wire_put_null(out));
	} else {
		TRY(wire_put_array(out, edit->seen_count));
		for (size_t i = 0; i < edit->seen_count; i++) {
			TRY(names_add(t, edit->seen[i].dev, &index));
			TRY(wire_put_array(out, 2));
			TRY(wire_put_uint(out, index));
			TRY(wire_put_uint(out, edit->seen[i].seq));
		}
	}
	TRY(writes_put(edit, out));
done:
	return e;
}

static enum err context_put(const struct body *body, struct names *t, struct buf *out)
{
	size_t index = 0;
	enum err e = wire_put_array(out, body->context_count);

	for (size_t i = 0; e == ERR_OK && i < body->context_count; i++) {
		const struct context_entry *c = &body->context[i];

		TRY(names_add(t, c->dev, &index));
		TRY(wire_put_array(out, 3));
		TRY(wire_put_uint(out, index));
		TRY(wire_put_uint(out, c->seq));
		TRY(wire_put_bytes(out, c->hash, VV_HASH_LEN));
	}
done:
	return e;
}

static enum err body_write(const struct body *body, struct device_id author, struct buf *out)
{
	struct names t = { 0 };
	struct buf context = { 0 };
	struct buf edits = { 0 };
	struct hlc last = { body->edit_count > 0 ? body->edits[0].clock.ms : 0, 0 };
	uint64_t base_ms = last.ms;
	size_t index = 0;
	enum err e = ERR_OK;

	TRY(names_add(&t, author, &index));
	TRY(context_put(body, &t, &context));
	TRY(wire_put_array(&edits, body->edit_count));
	for (size_t i = 0; i < body->edit_count; i++)
		TRY(edit_in_body_put(&body->edits[i], &t, &last, &edits));
	TRY(wire_put_array(out, BODY_ITEMS));
	TRY(wire_put_uint(out, BODY_VERSION));
	TRY(wire_put_bytes(out, body->prev, BODY_HASH_LEN));
	TRY(wire_put_uint(out, body->first_counter));
	TRY(wire_put_uint(out, base_ms));
	TRY(wire_put_array(out, t.n - 1));
	for (size_t i = 1; i < t.n; i++)
		TRY(wire_put_bytes(out, t.dev[i].b, DEVICE_ID_LEN));
	TRY(buf_put(out, context.data, context.len));
	TRY(buf_put(out, edits.data, edits.len));
	TRY(wire_put_array(out, body->control_count));
	for (size_t i = 0; i < body->control_count; i++) {
		TRY(wire_put_array(out, 2));
		TRY(wire_put_uint(out, body->controls[i].type));
		TRY(buf_put(out, body->controls[i].payload.data, body->controls[i].payload.len));
	}
done:
	buf_free(&context);
	buf_free(&edits);
	names_free(&t);
	return e;
}

enum err body_put(const struct body *body, struct device_id author, struct buf *out)
{
	enum err e = body_check(body, author);

	return e != ERR_OK ? e : body_write(body, author, out);
}

static enum err names_get(struct wire_in *in, struct device_id author, struct names *t)
{
	size_t n = 0;
	size_t index = 0;
	enum err e = wire_get_array(in, &n);

	if (e != ERR_OK)
		return e;
	TRY(names_add(t, author, &index));
	for (size_t i = 0; i < n; i++) {
		struct device_id dev;

		TRY(wire_get_exact(in, dev.b, DEVICE_ID_LEN));
		TRY(names_add(t, dev, &index));
		if (index != i + 1) { /* named twice */
			e = ERR_DAMAGED;
			goto done;
		}
	}
done:
	return e;
}

static enum err name_at(struct wire_in *in, const struct names *t, struct device_id *out)
{
	uint64_t index = 0;

	if (wire_get_uint(in, &index) != ERR_OK || index >= t->n)
		return ERR_DAMAGED;
	*out = t->dev[index];
	return ERR_OK;
}

static enum err context_get(struct wire_in *in, const struct names *t, struct body *out)
{
	size_t n = 0;
	size_t three = 0;
	enum err e = wire_get_array(in, &n);

	if (e != ERR_OK)
		return e;
	if (n > t->n)
		return ERR_DAMAGED;
	out->context = calloc(n + 1, sizeof(*out->context));
	if (out->context == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < n; i++) {
		struct context_entry *c = &out->context[i];

		if (wire_get_array(in, &three) != ERR_OK || three != 3 || name_at(in, t, &c->dev) != ERR_OK ||
		    wire_get_uint(in, &c->seq) != ERR_OK || wire_get_exact(in, c->hash, VV_HASH_LEN) != ERR_OK)
			return ERR_DAMAGED;
	}
	out->context_count = n;
	return ERR_OK;
}

/* How many writes and seen entries the edits hold, so that one allocation of each serves them all. */
static enum err edits_measure(struct wire_in in, size_t count, size_t *writes, size_t *seens)
{
	*writes = 0;
	*seens = 0;
	for (size_t i = 0; i < count; i++) {
		struct bytes skipped = { 0 };
		size_t items = 0;
		size_t n = 0;

		if (wire_get_array(&in, &items) != ERR_OK || items < EDIT_FIXED || (items - EDIT_FIXED) % 2 != 0 ||
		    wire_get_raw(&in, &skipped) != ERR_OK || wire_get_raw(&in, &skipped) != ERR_OK)
			return ERR_DAMAGED;
		if (wire_peek(&in) == WIRE_ARRAY) {
			if (wire_get_array(&in, &n) != ERR_OK)
				return ERR_DAMAGED;
			for (size_t k = 0; k < n; k++) {
				if (wire_get_raw(&in, &skipped) != ERR_OK)
					return ERR_DAMAGED;
			}
			*seens += n;
		} else if (wire_get_null(&in) != ERR_OK) {
			return ERR_DAMAGED;
		}
		for (size_t k = EDIT_FIXED; k < items; k++) {
			if (wire_get_raw(&in, &skipped) != ERR_OK)
				return ERR_DAMAGED;
		}
		*writes += (items - EDIT_FIXED) / 2;
	}
	return ERR_OK;
}

static enum err seen_get(struct wire_in *in, const struct names *t, struct seen **pool, struct edit *out)
{
	size_t n = 0;
	size_t two = 0;

	if (wire_peek(in) == WIRE_NULL)
		return wire_get_null(in);
	if (wire_get_array(in, &n) != ERR_OK)
		return ERR_DAMAGED;
	out->seen = *pool;
	out->seen_count = n;
	for (size_t i = 0; i < n; i++, (*pool)++) {
		if (wire_get_array(in, &two) != ERR_OK || two != 2 || name_at(in, t, &(*pool)->dev) != ERR_OK ||
		    wire_get_uint(in, &(*pool)->seq) != ERR_OK)
			return ERR_DAMAGED;
	}
	return ERR_OK;
}

static enum err writes_get(struct wire_in *in, size_t count, struct write **pool, struct edit *out)
{
	out->writes = *pool;
	out->write_count = count;
	for (size_t i = 0; i < count; i++, (*pool)++) {
		uint64_t tag = 0;

		if (wire_get_uint(in, &tag) != ERR_OK || tag > UINT32_MAX ||
		    wire_get_raw(in, &(*pool)->value) != ERR_OK)
			return ERR_DAMAGED;
		(*pool)->tag = (uint32_t)tag;
	}
	return ERR_OK;
}

static enum err target_get(struct wire_in *in, const struct names *t, struct edit *out)
{
	uint64_t kind = 0;
	size_t two = 0;

	if (wire_peek(in) == WIRE_UINT) {
		if (wire_get_uint(in, &kind) != ERR_OK || kind == KIND_none || kind > UINT32_MAX)
			return ERR_DAMAGED;
		out->kind = (uint32_t)kind;
		out->target = out->dot;
		return ERR_OK;
	}
	if (wire_get_array(in, &two) != ERR_OK || two != 2 || name_at(in, t, &out->target.dev) != ERR_OK ||
	    wire_get_uint(in, &out->target.counter) != ERR_OK)
		return ERR_DAMAGED;
	return ERR_OK;
}

static enum err edits_get(struct wire_in *in, const struct names *t, struct device_id author, struct hlc last,
                          struct body *out)
{
	size_t n = 0;
	size_t writes = 0;
	size_t seens = 0;
	struct write *write_at = NULL;
	struct seen *seen_at = NULL;
	enum err e = wire_get_array(in, &n);

	if (e == ERR_OK && n > BODY_EDITS_MAX)
		e = ERR_DAMAGED;
	if (e == ERR_OK)
		e = edits_measure(*in, n, &writes, &seens);
	if (e != ERR_OK)
		return e;
	out->edits = calloc(n + 1, sizeof(*out->edits));
	out->write_pool = calloc(writes + 1, sizeof(*out->write_pool));
	out->seen_pool = calloc(seens + 1, sizeof(*out->seen_pool));
	if (out->edits == NULL || out->write_pool == NULL || out->seen_pool == NULL)
		return ERR_NO_MEMORY;
	write_at = out->write_pool;
	seen_at = out->seen_pool;
	for (size_t i = 0; i < n; i++) {
		struct edit *edit = &out->edits[i];
		size_t items = 0;

		edit->dot = (struct dot){ author, out->first_counter + i };
		if (wire_get_array(in, &items) != ERR_OK || target_get(in, t, edit) != ERR_OK ||
		    clock_get(in, &last, &edit->clock) != ERR_OK || seen_get(in, t, &seen_at, edit) != ERR_OK ||
		    writes_get(in, (items - EDIT_FIXED) / 2, &write_at, edit) != ERR_OK)
			return ERR_DAMAGED;
	}
	out->edit_count = n;
	return ERR_OK;
}

static enum err controls_get(struct wire_in *in, struct body *out)
{
	size_t n = 0;
	size_t two = 0;
	enum err e = wire_get_array(in, &n);

	if (e == ERR_OK && n > BODY_CONTROLS_MAX)
		e = ERR_DAMAGED;
	if (e != ERR_OK)
		return e;
	out->controls = calloc(n + 1, sizeof(*out->controls));
	if (out->controls == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < n; i++) {
		uint64_t type = 0;

		if (wire_get_array(in, &two) != ERR_OK || two != 2 || wire_get_uint(in, &type) != ERR_OK ||
		    type > UINT32_MAX || wire_get_raw(in, &out->controls[i].payload) != ERR_OK)
			return ERR_DAMAGED;
		out->controls[i].type = (uint32_t)type;
	}
	out->control_count = n;
	return ERR_OK;
}

/* One value has one spelling: what was parsed must be what body_put() writes. */
static enum err body_recheck(const struct body *body, struct device_id author, struct bytes in)
{
	struct buf again = { 0 };
	enum err e = body_check(body, author);

	if (e == ERR_OK)
		e = body_write(body, author, &again);
	if (e == ERR_OK && bytes_cmp(buf_bytes(&again), in) != 0)
		e = ERR_DAMAGED;
	buf_free(&again);
	return e;
}

enum err body_parse(struct bytes in_bytes, struct device_id author, struct body *out)
{
	struct wire_in in = wire_in(in_bytes);
	struct names t = { 0 };
	uint64_t version = 0;
	struct hlc last = { 0 };
	size_t items = 0;
	enum err e = ERR_OK;

	*out = (struct body){ 0 };
	TRY(wire_get_array(&in, &items));
	TRY(items == BODY_ITEMS ? ERR_OK : ERR_DAMAGED);
	TRY(wire_get_uint(&in, &version));
	TRY(version == BODY_VERSION ? ERR_OK : ERR_DAMAGED);
	TRY(wire_get_exact(&in, out->prev, BODY_HASH_LEN));
	TRY(wire_get_uint(&in, &out->first_counter));
	TRY(wire_get_uint(&in, &last.ms));
	TRY(last.ms <= HLC_MS_MAX ? ERR_OK : ERR_DAMAGED);
	TRY(names_get(&in, author, &t));
	TRY(context_get(&in, &t, out));
	TRY(edits_get(&in, &t, author, last, out));
	TRY(controls_get(&in, out));
	TRY(wire_at_end(&in));
	TRY(body_recheck(out, author, in_bytes));
done:
	names_free(&t);
	if (e != ERR_OK)
		body_free(out);
	return e;
}

void body_free(struct body *body)
{
	free(body->context);
	free(body->edits);
	free(body->controls);
	free(body->write_pool);
	free(body->seen_pool);
	*body = (struct body){ 0 };
}

static enum err dot_put(struct dot d, struct buf *out)
{
	enum err e = ERR_OK;

	TRY(wire_put_array(out, 2));
	TRY(wire_put_bytes(out, d.dev.b, DEVICE_ID_LEN));
	TRY(wire_put_uint(out, d.counter));
done:
	return e;
}

static enum err dot_get(struct wire_in *in, struct dot *out)
{
	size_t two = 0;

	if (wire_get_array(in, &two) != ERR_OK || two != 2 || wire_get_exact(in, out->dev.b, DEVICE_ID_LEN) != ERR_OK ||
	    wire_get_uint(in, &out->counter) != ERR_OK)
		return ERR_DAMAGED;
	return ERR_OK;
}

enum err edit_put(const struct edit *edit, struct buf *out)
{
	enum err e = edit_check(edit);

	if (e != ERR_OK)
		return e;
	TRY(wire_put_array(out, 6 + 2 * edit->write_count));
	TRY(dot_put(edit->dot, out));
	TRY(dot_put(edit->target, out));
	TRY(wire_put_uint(out, edit->kind));
	TRY(wire_put_uint(out, edit->clock.ms));
	TRY(wire_put_uint(out, edit->clock.count));
	if (edit->seen == NULL) {
		TRY(wire_put_null(out));
	} else {
		TRY(wire_put_array(out, edit->seen_count));
		for (size_t i = 0; i < edit->seen_count; i++)
			TRY(dot_put((struct dot){ edit->seen[i].dev, edit->seen[i].seq }, out));
	}
	TRY(writes_put(edit, out));
done:
	return e;
}

enum err edit_parse(struct bytes bytes, struct edit *out, struct body *pool)
{
	struct wire_in in = wire_in(bytes);
	struct write *write_at = NULL;
	size_t items = 0;
	size_t n = 0;
	uint64_t kind = 0;
	uint64_t count = 0;
	enum err e = ERR_OK;

	*out = (struct edit){ 0 };
	*pool = (struct body){ 0 };
	TRY(wire_get_array(&in, &items));
	TRY(items >= 6 && items % 2 == 0 ? ERR_OK : ERR_DAMAGED);
	TRY(dot_get(&in, &out->dot));
	TRY(dot_get(&in, &out->target));
	TRY(wire_get_uint(&in, &kind));
	TRY(wire_get_uint(&in, &out->clock.ms));
	TRY(wire_get_uint(&in, &count));
	TRY(kind <= UINT32_MAX && count <= UINT32_MAX ? ERR_OK : ERR_DAMAGED);
	out->kind = (uint32_t)kind;
	out->clock.count = (uint32_t)count;
	if (wire_peek(&in) == WIRE_NULL) {
		TRY(wire_get_null(&in));
	} else {
		TRY(wire_get_array(&in, &n));
		pool->seen_pool = calloc(n + 1, sizeof(*pool->seen_pool));
		TRY(pool->seen_pool == NULL ? ERR_NO_MEMORY : ERR_OK);
		for (size_t i = 0; i < n; i++) {
			struct dot d = { 0 };

			TRY(dot_get(&in, &d));
			pool->seen_pool[i] = (struct seen){ d.dev, d.counter };
		}
		out->seen = pool->seen_pool;
		out->seen_count = n;
	}
	pool->write_pool = calloc((items - 6) / 2 + 1, sizeof(*pool->write_pool));
	TRY(pool->write_pool == NULL ? ERR_NO_MEMORY : ERR_OK);
	write_at = pool->write_pool;
	TRY(writes_get(&in, (items - 6) / 2, &write_at, out));
	TRY(wire_at_end(&in));
	TRY(edit_check(out));
done:
	if (e != ERR_OK)
		body_free(pool);
	return e;
}
