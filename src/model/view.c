// SPDX-License-Identifier: EUPL-1.2
// Reading a record for people: what shows, what stands in two versions, which events count (M3: unknown things are
// shown raw elsewhere, never dropped here).
#include <stdlib.h>
#include <string.h>

#include "model/record.h"
#include "model/wire.h"

static const struct stamp *stamp_of(const struct record *r, const struct head *h)
{
	return &r->stamps[h->stamp];
}

/* Is a newer than b? By (clock, device); counter and value only matter where a device gave one stamp twice. */
static bool newer(const struct record *r, const struct head *a, const struct head *b)
{
	const struct stamp *x = stamp_of(r, a);
	const struct stamp *y = stamp_of(r, b);
	int c = hlc_cmp(x->clock, y->clock);

	if (c == 0)
		c = dot_cmp(x->dot, y->dot);
	if (c == 0)
		c = bytes_cmp(a->value, b->value);
	return c > 0;
}

/* The newest head that is older than `than` (NULL: the newest of all). */
static const struct head *next_older(const struct record *r, const struct field *f, const struct head *than)
{
	const struct head *best = NULL;

	for (size_t i = 0; i < f->n; i++) {
		const struct head *h = &f->heads[i];

		if ((than == NULL || newer(r, than, h)) && (best == NULL || newer(r, h, best)))
			best = h;
	}
	return best;
}

const struct head *record_shown(const struct record *r, uint32_t tag)
{
	const struct field *f = record_field(r, tag);

	return f == NULL ? NULL : next_older(r, f, NULL);
}

/* What a write of a REG or TEXT field says, without the text it started from: the n-th of its values. */
static bool value_at(uint32_t tag, struct bytes raw, size_t n, struct bytes *out)
{
	struct wire_in in = wire_in(raw);
	size_t count = 1;

	if (wire_peek(&in) == WIRE_ARRAY && wire_get_array(&in, &count) != ERR_OK)
		return false;
	if (tag_class(tag) == CLASS_TEXT) {
		if (wire_get_raw(&in, out) != ERR_OK)
			return false;
		count--;
	}
	if (n >= count)
		return false;
	for (size_t i = 0; i <= n; i++) {
		if (wire_get_raw(&in, out) != ERR_OK)
			return false;
	}
	return true;
}

/* Two writes say the same when all their values are the same. */
static bool same_values(uint32_t tag, struct bytes a, struct bytes b)
{
	struct bytes x = { 0 };
	struct bytes y = { 0 };

	for (size_t n = 0;; n++) {
		bool more_a = value_at(tag, a, n, &x);
		bool more_b = value_at(tag, b, n, &y);

		if (more_a != more_b)
			return false;
		if (!more_a)
			return true;
		if (bytes_cmp(x, y) != 0)
			return false;
	}
}

/* Is this head the newest of those that say the same? */
static bool leads(const struct record *r, const struct field *f, const struct head *h)
{
	for (size_t k = 0; k < f->n; k++) {
		if (newer(r, &f->heads[k], h) && same_values(f->tag, f->heads[k].value, h->value))
			return false;
	}
	return true;
}

size_t record_versions(const struct record *r, uint32_t tag)
{
	const struct field *f = record_field(r, tag);
	size_t n = 0;

	for (size_t i = 0; f != NULL && i < f->n; i++)
		n += leads(r, f, &f->heads[i]);
	return n;
}

size_t record_two_versions(const struct record *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->field_count; i++) {
		enum field_class c = tag_class(r->fields[i].tag);

		if ((c == CLASS_REG || c == CLASS_TEXT) && record_versions(r, r->fields[i].tag) > 1)
			n++;
	}
	return n;
}

bool record_version(const struct record *r, uint32_t tag, size_t n, struct bytes *value, const struct stamp **by)
{
	const struct field *f = record_field(r, tag);
	const struct head *h = f == NULL ? NULL : next_older(r, f, NULL);
	size_t before = 0;

	for (; h != NULL; h = next_older(r, f, h)) {
		if (!leads(r, f, h))
			continue;
		if (before++ == n) {
			*value = h->value;
			*by = stamp_of(r, h);
			return true;
		}
	}
	return false;
}

bool record_kept(const struct record *r, uint32_t tag, size_t n, struct bytes *value)
{
	const struct head *h = record_shown(r, tag);

	return h != NULL && value_at(tag, h->value, n, value);
}

bool record_kept_text(const struct record *r, uint32_t tag, size_t n, struct bytes *text)
{
	struct bytes value = { 0 };
	struct wire_in in;

	if (!record_kept(r, tag, n, &value))
		return false;
	in = wire_in(value);
	return wire_get_text(&in, text) == ERR_OK;
}

static struct wire_in shown_value(const struct record *r, uint32_t tag)
{
	struct bytes value = { 0 };

	if (!record_kept(r, tag, 0, &value))
		value = (struct bytes){ 0 };
	return wire_in(value);
}

bool record_text(const struct record *r, uint32_t tag, struct bytes *out)
{
	struct wire_in in = shown_value(r, tag);

	return wire_get_text(&in, out) == ERR_OK;
}

bool record_int(const struct record *r, uint32_t tag, int64_t *out)
{
	struct wire_in in = shown_value(r, tag);

	return wire_get_int(&in, out) == ERR_OK;
}

bool record_bool(const struct record *r, uint32_t tag, bool *out)
{
	struct wire_in in = shown_value(r, tag);

	return wire_get_bool(&in, out) == ERR_OK;
}

bool record_bytes(const struct record *r, uint32_t tag, struct bytes *out)
{
	struct wire_in in = shown_value(r, tag);

	return wire_get_bytes(&in, out) == ERR_OK;
}

bool record_ref(const struct record *r, uint32_t tag, struct dot *out)
{
	struct bytes b = { 0 };

	return record_bytes(r, tag, &b) && dot_ref_get(b.data, b.len, out);
}

bool record_element(const struct record *r, uint32_t tag, size_t n, struct bytes *item)
{
	const struct field *f = record_field(r, tag);
	size_t before = 0;

	for (size_t i = 0; f != NULL && i < f->n; i++) {
		if (i > 0 && bytes_cmp(f->heads[i - 1].value, f->heads[i].value) == 0)
			continue;
		if (before++ == n) {
			*item = f->heads[i].value;
			return true;
		}
	}
	return false;
}

bool record_element_text(const struct record *r, uint32_t tag, size_t n, struct bytes *text)
{
	struct bytes item = { 0 };
	struct wire_in in;

	if (!record_element(r, tag, n, &item))
		return false;
	in = wire_in(item);
	return wire_get_text(&in, text) == ERR_OK;
}

static int event_cmp(const void *a, const void *b)
{
	const struct event *x = a;
	const struct event *y = b;
	int c = (x->date > y->date) - (x->date < y->date);

	if (c == 0)
		c = (x->past > y->past) - (x->past < y->past);
	if (c == 0)
		c = hlc_cmp(x->clock, y->clock);
	if (c == 0)
		c = dot_cmp(x->dot, y->dot);
	return c != 0 ? c : bytes_cmp(x->status, y->status);
}

static int dot_order(const void *a, const void *b)
{
	return dot_cmp(*(const struct dot *)a, *(const struct dot *)b);
}

/* [status, date, reason or null] */
static bool event_get(struct bytes raw, struct event *out)
{
	struct wire_in in = wire_in(raw);
	size_t n = 0;

	if (wire_get_array(&in, &n) != ERR_OK || n < 3 || wire_get_text(&in, &out->status) != ERR_OK ||
	    wire_get_int(&in, &out->date) != ERR_OK)
		return false;
	if (wire_peek(&in) == WIRE_NULL)
		return wire_get_null(&in) == ERR_OK;
	return wire_get_text(&in, &out->reason) == ERR_OK;
}

/* The dots of events that were taken back, sorted; *out takes f->n of them. */
static size_t retractions(const struct field *f, struct dot *out)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += event_retracts(f->heads[i].value, &out[n]);
	qsort(out, n, sizeof(*out), dot_order);
	return n;
}

enum err record_events(const struct record *r, uint32_t tag, struct event **out, size_t *count)
{
	const struct field *f = record_field(r, tag);
	struct event *list = NULL;
	struct dot *back = NULL;
	size_t backs = 0;
	size_t n = 0;

	*out = NULL;
	*count = 0;
	if (f == NULL || f->n == 0)
		return ERR_OK;
	list = calloc(f->n, sizeof(*list));
	back = calloc(f->n, sizeof(*back));
	if (list == NULL || back == NULL) {
		free(list);
		free(back);
		return ERR_NO_MEMORY;
	}
	backs = retractions(f, back);
	for (size_t i = 0; i < f->n; i++) {
		const struct stamp *s = stamp_of(r, &f->heads[i]);
		struct event ev = { .dot = s->dot, .clock = s->clock, .past = s->past };

		if (event_get(f->heads[i].value, &ev) &&
		    bsearch(&s->dot, back, backs, sizeof(*back), dot_order) == NULL)
			list[n++] = ev;
	}
	free(back);
	if (n == 0) {
		free(list);
		return ERR_OK;
	}
	qsort(list, n, sizeof(*list), event_cmp);
	*out = list;
	*count = n;
	return ERR_OK;
}
