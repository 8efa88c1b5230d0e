// SPDX-License-Identifier: EUPL-1.2
// Folding edits into a record (M1, M2, M3). Nothing here knows what a field means, only how its class merges.
#include "model/record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/try.h"
#include "model/wire.h"

void record_init(struct record *r, struct dot id)
{
	*r = (struct record){ .id = id };
}

void record_free(struct record *r)
{
	for (size_t i = 0; i < r->field_count; i++)
		free(r->fields[i].heads);
	for (size_t i = 0; i < r->pool_count; i++)
		free(r->pool[i]);
	free(r->pool);
	free(r->fields);
	free(r->stamps);
	*r = (struct record){ 0 };
}

/* Makes room for one more element; `size` is the element's. */
static enum err grow(void **array, size_t n, size_t *cap, size_t size)
{
	size_t want = *cap == 0 ? 4 : 2 * *cap;
	void *p = NULL;

	if (n < *cap)
		return ERR_OK;
	p = realloc(*array, want * size);
	if (p == NULL)
		return ERR_NO_MEMORY;
	*array = p;
	*cap = want;
	return ERR_OK;
}

static enum err keep(struct record *r, struct bytes value, struct bytes *out)
{
	enum err e = grow((void **)&r->pool, r->pool_count, &r->pool_cap, sizeof(*r->pool));
	uint8_t *copy = e == ERR_OK ? malloc(value.len + 1) : NULL;

	if (copy == NULL)
		return ERR_NO_MEMORY;
	memcpy(copy, value.data, value.len);
	r->pool[r->pool_count++] = copy;
	*out = (struct bytes){ copy, value.len };
	return ERR_OK;
}

enum err record_own(struct record *r, struct buf *bytes)
{
	enum err e = grow((void **)&r->pool, r->pool_count, &r->pool_cap, sizeof(*r->pool));

	if (e != ERR_OK)
		return e;
	r->pool[r->pool_count++] = bytes->data;
	*bytes = (struct buf){ 0 };
	return ERR_OK;
}

const struct field *record_field(const struct record *r, uint32_t tag)
{
	for (size_t i = 0; i < r->field_count; i++) {
		if (r->fields[i].tag == tag)
			return &r->fields[i];
	}
	return NULL;
}

static enum err field_make(struct record *r, uint32_t tag, struct field **out)
{
	size_t i = 0;
	enum err e = ERR_OK;

	while (i < r->field_count && r->fields[i].tag < tag)
		i++;
	if (i < r->field_count && r->fields[i].tag == tag) {
		*out = &r->fields[i];
		return ERR_OK;
	}
	e = grow((void **)&r->fields, r->field_count, &r->field_cap, sizeof(*r->fields));
	if (e != ERR_OK)
		return e;
	memmove(r->fields + i + 1, r->fields + i, (r->field_count - i) * sizeof(*r->fields));
	r->fields[i] = (struct field){ .tag = tag };
	r->field_count++;
	*out = &r->fields[i];
	return ERR_OK;
}

static bool stamp_known(const struct record *r, struct dot d)
{
	for (size_t i = 0; i < r->stamp_count; i++) {
		if (dot_cmp(r->stamps[i].dot, d) == 0)
			return true;
	}
	return false;
}

static enum err head_add(struct record *r, struct field *f, size_t at, uint32_t stamp, struct bytes value)
{
	struct bytes kept = { 0 };
	enum err e = ERR_OK;

	TRY(grow((void **)&f->heads, f->n, &f->cap, sizeof(*f->heads)));
	TRY(keep(r, value, &kept));
	memmove(f->heads + at + 1, f->heads + at, (f->n - at) * sizeof(*f->heads));
	f->heads[at] = (struct head){ stamp, kept };
	f->n++;
done:
	return e;
}

/* Had the author of `edit` seen the edit `d`? w.counter <= e.context[w.device]; one's own earlier edits always. */
static bool seen(const struct edit *edit, struct context ctx, struct dot d)
{
	const struct vv_entry *v = NULL;

	if (device_cmp(d.dev, edit->dot.dev) == 0)
		return d.counter < edit->dot.counter;
	v = vv_get(ctx.seen, d.dev);
	return v != NULL && d.counter <= v->counter;
}

/* Of the heads from `from` up to `to`, drops those that the edit had seen. */
static void drop_seen(struct record *r, struct field *f, const struct edit *edit, struct context ctx, size_t from,
                      size_t to)
{
	size_t kept = from;

	for (size_t i = from; i < to; i++) {
		if (!seen(edit, ctx, r->stamps[f->heads[i].stamp].dot))
			f->heads[kept++] = f->heads[i];
	}
	if (kept < to)
		memmove(f->heads + kept, f->heads + to, (f->n - to) * sizeof(*f->heads));
	f->n -= to - kept;
}

/* Where the heads of an element begin in a SET, or would. */
static size_t element_place(const struct field *f, struct bytes element)
{
	size_t lo = 0;
	size_t hi = f->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (bytes_cmp(f->heads[mid].value, element) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Drops the heads of one element that the edit had seen; returns where they began. */
static size_t drop_element(struct record *r, struct field *f, const struct edit *edit, struct context ctx,
                           struct bytes element)
{
	size_t from = element_place(f, element);
	size_t to = from;

	while (to < f->n && bytes_cmp(f->heads[to].value, element) == 0)
		to++;
	if (to > from)
		drop_seen(r, f, edit, ctx, from, to);
	return from;
}

static enum err apply_set(struct record *r, struct field *f, const struct edit *edit, struct context ctx,
                          uint32_t stamp, struct bytes value)
{
	struct wire_in in = wire_in(value);
	struct bytes item = { 0 };
	size_t n = 0;
	enum err e = ERR_OK;

	TRY(wire_get_array(&in, &n));
	TRY(wire_get_array(&in, &n));
	for (size_t i = 0; i < n; i++) {
		TRY(wire_get_raw(&in, &item));
		TRY(head_add(r, f, drop_element(r, f, edit, ctx, item), stamp, item));
	}
	TRY(wire_get_array(&in, &n));
	for (size_t i = 0; i < n; i++) {
		TRY(wire_get_raw(&in, &item));
		drop_element(r, f, edit, ctx, item);
	}
done:
	return e;
}

bool event_retracts(struct bytes event, struct dot *named)
{
	struct wire_in in = wire_in(event);
	struct bytes word = { 0 };
	struct bytes ref = { 0 };
	size_t n = 0;

	return wire_get_array(&in, &n) == ERR_OK && n == 2 && wire_get_text(&in, &word) == ERR_OK && word.len == 4 &&
	       memcmp(word.data, "fout", 4) == 0 && wire_get_bytes(&in, &ref) == ERR_OK &&
	       dot_ref_get(ref.data, ref.len, named);
}

static enum err apply_write(struct record *r, const struct edit *edit, struct context ctx, uint32_t stamp,
                            const struct write *w)
{
	struct field *f = NULL;
	struct dot named = { 0 };
	enum err e = ERR_OK;

	TRY(field_make(r, w->tag, &f));
	switch (tag_class(w->tag)) {
	case CLASS_REG:
	case CLASS_TEXT:
		drop_seen(r, f, edit, ctx, 0, f->n);
		TRY(head_add(r, f, f->n, stamp, w->value));
		break;
	case CLASS_SET:
		TRY(apply_set(r, f, edit, ctx, stamp, w->value));
		break;
	case CLASS_EVENTS:
		/* nobody takes back what he has not read (M2) */
		if (event_retracts(w->value, &named) && !seen(edit, ctx, named))
			break;
		TRY(head_add(r, f, f->n, stamp, w->value));
		break;
	case CLASS_ERASE:
		TRY(head_add(r, f, f->n, stamp, w->value));
		break;
	}
done:
	return e;
}

/* An erased record keeps its id, its kind and who erased it. */
static void forget_fields(struct record *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->field_count; i++) {
		if (tag_class(r->fields[i].tag) == CLASS_ERASE)
			r->fields[kept++] = r->fields[i];
		else
			free(r->fields[i].heads);
	}
	r->field_count = kept;
}

enum err record_apply(struct record *r, const struct edit *edit, struct context ctx)
{
	uint32_t stamp = (uint32_t)r->stamp_count;
	enum err e = ERR_OK;

	assert(dot_cmp(r->id, edit->target) == 0);
	if (edit->kind != KIND_none)
		r->kind = edit->kind;
	r->uncounted = false;
	if (stamp_known(r, edit->dot))
		return ERR_OK;
	TRY(grow((void **)&r->stamps, r->stamp_count, &r->stamp_cap, sizeof(*r->stamps)));
	r->stamps[r->stamp_count++] = (struct stamp){ edit->dot, edit->clock, ctx.past };
	for (size_t i = 0; i < edit->write_count; i++)
		TRY(apply_write(r, edit, ctx, stamp, &edit->writes[i]));
	if (record_is_erased(r))
		forget_fields(r);
done:
	return e;
}

bool record_is_erased(const struct record *r)
{
	for (size_t i = 0; i < r->field_count; i++) {
		if (tag_class(r->fields[i].tag) == CLASS_ERASE && r->fields[i].n > 0)
			return true;
	}
	return false;
}

/* --- encoding --- */

struct order {
	uint32_t old;
	struct dot dot;
};

static int order_cmp(const void *a, const void *b)
{
	const struct order *x = a;
	const struct order *y = b;

	return dot_cmp(x->dot, y->dot);
}

static int head_cmp(const void *a, const void *b)
{
	const struct head *x = a;
	const struct head *y = b;

	if (x->stamp != y->stamp)
		return x->stamp < y->stamp ? -1 : 1;
	return bytes_cmp(x->value, y->value);
}

/* The stamps in use, sorted by dot; *place[old index] = its new index. */
static enum err stamps_sorted(const struct record *r, struct order **sorted, uint32_t **place, size_t *count)
{
	size_t n = 0;
	bool *used = calloc(r->stamp_count + 1, sizeof(*used));

	*sorted = calloc(r->stamp_count + 1, sizeof(**sorted));
	*place = calloc(r->stamp_count + 1, sizeof(**place));
	if (used == NULL || *sorted == NULL || *place == NULL) {
		free(used);
		return ERR_NO_MEMORY;
	}
	for (size_t i = 0; i < r->field_count; i++) {
		for (size_t k = 0; k < r->fields[i].n; k++)
			used[r->fields[i].heads[k].stamp] = true;
	}
	for (size_t i = 0; i < r->stamp_count; i++) {
		if (used[i])
			(*sorted)[n++] = (struct order){ (uint32_t)i, r->stamps[i].dot };
	}
	qsort(*sorted, n, sizeof(**sorted), order_cmp);
	for (size_t i = 0; i < n; i++)
		(*place)[(*sorted)[i].old] = (uint32_t)i;
	free(used);
	*count = n;
	return ERR_OK;
}

static enum err stamp_put(const struct stamp *s, struct buf *out)
{
	enum err e = ERR_OK;

	TRY(wire_put_array(out, 5));
	TRY(wire_put_bytes(out, s->dot.dev.b, DEVICE_ID_LEN));
	TRY(wire_put_uint(out, s->dot.counter));
	TRY(wire_put_uint(out, s->clock.ms));
	TRY(wire_put_uint(out, s->clock.count));
	TRY(wire_put_uint(out, s->past));
done:
	return e;
}

static enum err field_put(const struct field *f, const uint32_t *place, struct buf *out)
{
	struct head *heads = malloc((f->n + 1) * sizeof(*heads));
	enum err e = heads == NULL ? ERR_NO_MEMORY : ERR_OK;

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < f->n; i++)
		heads[i] = (struct head){ place[f->heads[i].stamp], f->heads[i].value };
	qsort(heads, f->n, sizeof(*heads), head_cmp);
	TRY(wire_put_uint(out, f->tag));
	TRY(wire_put_array(out, f->n));
	for (size_t i = 0; i < f->n; i++) {
		TRY(wire_put_array(out, 2));
		TRY(wire_put_uint(out, heads[i].stamp));
		TRY(buf_put(out, heads[i].value.data, heads[i].value.len));
	}
done:
	free(heads);
	return e;
}

enum err record_put(const struct record *r, struct buf *out)
{
	struct order *sorted = NULL;
	uint32_t *place = NULL;
	size_t n = 0;
	size_t live = 0;
	enum err e = ERR_OK;

	TRY(stamps_sorted(r, &sorted, &place, &n));
	TRY(wire_put_array(out, r->uncounted ? 2 : 4));
	TRY(wire_put_array(out, 2));
	TRY(wire_put_bytes(out, r->id.dev.b, DEVICE_ID_LEN));
	TRY(wire_put_uint(out, r->id.counter));
	TRY(wire_put_uint(out, r->kind));
	if (r->uncounted)
		goto done;
	TRY(wire_put_array(out, n));
	for (size_t i = 0; i < n; i++)
		TRY(stamp_put(&r->stamps[sorted[i].old], out));
	for (size_t i = 0; i < r->field_count; i++)
		live += r->fields[i].n > 0;
	TRY(wire_put_map(out, live));
	for (size_t i = 0; i < r->field_count; i++) {
		if (r->fields[i].n > 0)
			TRY(field_put(&r->fields[i], place, out));
	}
done:
	free(sorted);
	free(place);
	return e;
}

static enum err stamp_get(struct wire_in *in, struct stamp *s)
{
	size_t n = 0;
	uint64_t count = 0;

	if (wire_get_array(in, &n) != ERR_OK || n != 5 || wire_get_exact(in, s->dot.dev.b, DEVICE_ID_LEN) != ERR_OK ||
	    wire_get_uint(in, &s->dot.counter) != ERR_OK || wire_get_uint(in, &s->clock.ms) != ERR_OK ||
	    wire_get_uint(in, &count) != ERR_OK || count > UINT32_MAX || wire_get_uint(in, &s->past) != ERR_OK)
		return ERR_DAMAGED;
	s->clock.count = (uint32_t)count;
	return s->dot.counter == 0 || s->dot.counter > COUNTER_MAX || s->clock.ms > HLC_MS_MAX ? ERR_DAMAGED : ERR_OK;
}

static enum err stamps_get(struct wire_in *in, struct record *out)
{
	size_t n = 0;

	if (wire_get_array(in, &n) != ERR_OK || n > UINT32_MAX)
		return ERR_DAMAGED;
	out->stamps = calloc(n + 1, sizeof(*out->stamps));
	if (out->stamps == NULL)
		return ERR_NO_MEMORY;
	out->stamp_cap = n + 1;
	for (size_t i = 0; i < n; i++) {
		if (stamp_get(in, &out->stamps[i]) != ERR_OK ||
		    (i > 0 && dot_cmp(out->stamps[i - 1].dot, out->stamps[i].dot) >= 0))
			return ERR_DAMAGED;
	}
	out->stamp_count = n;
	return ERR_OK;
}

static int element_cmp(const void *a, const void *b)
{
	const struct head *x = a;
	const struct head *y = b;
	int c = bytes_cmp(x->value, y->value);

	return c != 0 ? c : (x->stamp > y->stamp) - (x->stamp < y->stamp);
}

static enum err field_get(struct wire_in *in, size_t stamps, bool *used, struct field *f)
{
	uint64_t tag = 0;
	uint64_t stamp = 0;
	size_t n = 0;
	size_t two = 0;

	if (wire_get_uint(in, &tag) != ERR_OK || tag > UINT32_MAX || wire_get_array(in, &n) != ERR_OK || n == 0)
		return ERR_DAMAGED;
	f->tag = (uint32_t)tag;
	f->heads = calloc(n, sizeof(*f->heads));
	if (f->heads == NULL)
		return ERR_NO_MEMORY;
	f->cap = n;
	for (size_t i = 0; i < n; i++) {
		struct head *h = &f->heads[i];

		if (wire_get_array(in, &two) != ERR_OK || two != 2 || wire_get_uint(in, &stamp) != ERR_OK ||
		    stamp >= stamps || wire_get_raw(in, &h->value) != ERR_OK)
			return ERR_DAMAGED;
		h->stamp = (uint32_t)stamp;
		used[stamp] = true;
		f->n = i + 1;
		if ((i > 0 && head_cmp(h - 1, h) >= 0) ||
		    (tag_class(f->tag) != CLASS_SET && write_check(f->tag, h->value) != ERR_OK))
			return ERR_DAMAGED;
	}
	if (tag_class(f->tag) == CLASS_SET)
		qsort(f->heads, f->n, sizeof(*f->heads), element_cmp);
	return ERR_OK;
}

static enum err fields_get(struct wire_in *in, bool *used, struct record *out)
{
	size_t n = 0;
	size_t erased = 0;

	if (wire_get_map(in, &n) != ERR_OK)
		return ERR_DAMAGED;
	out->fields = calloc(n + 1, sizeof(*out->fields));
	if (out->fields == NULL)
		return ERR_NO_MEMORY;
	out->field_cap = n + 1;
	for (size_t i = 0; i < n; i++) {
		enum err e = ERR_OK;

		out->field_count = i + 1;
		e = field_get(in, out->stamp_count, used, &out->fields[i]);
		if (e != ERR_OK)
			return e;
		if (i > 0 && out->fields[i].tag <= out->fields[i - 1].tag)
			return ERR_DAMAGED;
		erased += tag_class(out->fields[i].tag) == CLASS_ERASE;
	}
	return erased > 0 && erased < n ? ERR_DAMAGED : ERR_OK;
}

enum err record_get(struct bytes bytes, struct record *out)
{
	struct wire_in in = wire_in(bytes);
	size_t n = 0;
	uint64_t kind = 0;
	bool *used = NULL;
	enum err e = ERR_OK;

	*out = (struct record){ 0 };
	TRY(wire_get_array(&in, &n));
	TRY(n == 4 || n == 2 ? ERR_OK : ERR_DAMAGED);
	out->uncounted = n == 2;
	TRY(wire_get_array(&in, &n));
	TRY(n == 2 ? ERR_OK : ERR_DAMAGED);
	TRY(wire_get_exact(&in, out->id.dev.b, DEVICE_ID_LEN));
	TRY(wire_get_uint(&in, &out->id.counter));
	TRY(wire_get_uint(&in, &kind));
	TRY(kind <= UINT32_MAX ? ERR_OK : ERR_DAMAGED);
	out->kind = (uint32_t)kind;
	TRY(out->id.counter == 0 || out->id.counter > COUNTER_MAX ? ERR_DAMAGED : ERR_OK);
	if (out->uncounted) {
		e = wire_at_end(&in);
		goto done;
	}
	TRY(stamps_get(&in, out));
	used = calloc(out->stamp_count + 1, sizeof(*used));
	TRY(used == NULL ? ERR_NO_MEMORY : ERR_OK);
	TRY(fields_get(&in, used, out));
	for (size_t i = 0; i < out->stamp_count; i++)
		TRY(used[i] ? ERR_OK : ERR_DAMAGED);
	TRY(wire_at_end(&in));
done:
	free(used);
	if (e != ERR_OK)
		record_free(out);
	return e;
}
