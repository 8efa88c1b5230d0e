// SPDX-License-Identifier: EUPL-1.2
// Builds the writes of one edit in the one spelling that the wire allows.
#include "model/draft.h"

#include <stdlib.h>
#include <string.h>

#include "model/wire.h"

void draft_free(struct draft *d)
{
	for (size_t i = 0; i < DRAFT_FIELDS; i++)
		buf_free(&d->bytes[i]);
	*d = (struct draft){ 0 };
}

static void note(struct draft *d, enum err e)
{
	if (d->failed == ERR_OK)
		d->failed = e;
}

/* The emptied buffer for a tag's value. */
static struct buf *slot(struct draft *d, uint32_t tag)
{
	size_t i = 0;

	while (i < d->count && d->writes[i].tag != tag)
		i++;
	if (i == DRAFT_FIELDS) {
		note(d, ERR_USAGE);
		i = 0;
	}
	if (i == d->count)
		d->count++;
	d->writes[i].tag = tag;
	d->bytes[i].len = 0;
	return &d->bytes[i];
}

void draft_text(struct draft *d, uint32_t tag, const char *text)
{
	note(d, wire_put_text(slot(d, tag), text, strlen(text)));
}

void draft_int(struct draft *d, uint32_t tag, int64_t v)
{
	note(d, wire_put_int(slot(d, tag), v));
}

void draft_bool(struct draft *d, uint32_t tag, bool v)
{
	note(d, wire_put_bool(slot(d, tag), v));
}

void draft_null(struct draft *d, uint32_t tag)
{
	note(d, wire_put_null(slot(d, tag)));
}

void draft_bytes(struct draft *d, uint32_t tag, struct bytes v)
{
	note(d, wire_put_bytes(slot(d, tag), v.data, v.len));
}

void draft_ref(struct draft *d, uint32_t tag, struct dot ref)
{
	uint8_t b[DOT_REF_MAX];
	size_t len = dot_ref_put(ref, b);

	draft_bytes(d, tag, (struct bytes){ b, len });
}

void draft_raw(struct draft *d, uint32_t tag, struct bytes cbor)
{
	note(d, buf_put(slot(d, tag), cbor.data, cbor.len));
}

void draft_long_text(struct draft *d, uint32_t tag, const char *base, const char *text)
{
	struct buf *b = slot(d, tag);

	note(d, wire_put_array(b, 2));
	note(d, base == NULL ? wire_put_null(b) : wire_put_text(b, base, strlen(base)));
	note(d, wire_put_text(b, text, strlen(text)));
}

/* As the encoded elements sort: shorter first, then by bytes. */
static int element_cmp(const void *a, const void *b)
{
	const char *x = *(const char *const *)a;
	const char *y = *(const char *const *)b;
	size_t lx = strlen(x);
	size_t ly = strlen(y);

	return lx != ly ? (lx < ly ? -1 : 1) : strcmp(x, y);
}

static void set_half(struct draft *d, struct buf *b, const char *const *in, size_t n)
{
	const char **sorted = malloc((n + 1) * sizeof(*sorted));
	size_t kept = 0;

	if (sorted == NULL) {
		note(d, ERR_NO_MEMORY);
		return;
	}
	for (size_t i = 0; i < n; i++)
		sorted[i] = in[i];
	qsort(sorted, n, sizeof(*sorted), element_cmp);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || strcmp(sorted[kept - 1], sorted[i]) != 0)
			sorted[kept++] = sorted[i];
	}
	note(d, wire_put_array(b, kept));
	for (size_t i = 0; i < kept; i++)
		note(d, wire_put_text(b, sorted[i], strlen(sorted[i])));
	free(sorted);
}

void draft_set(struct draft *d, uint32_t tag, const char *const *add, size_t adds, const char *const *remove,
               size_t removes)
{
	struct buf *b = slot(d, tag);

	note(d, wire_put_array(b, 2));
	set_half(d, b, add, adds);
	set_half(d, b, remove, removes);
}

void draft_set_add_raw(struct draft *d, uint32_t tag, struct bytes element)
{
	struct buf *b = slot(d, tag);

	note(d, wire_put_array(b, 2));
	note(d, wire_put_array(b, 1));
	note(d, buf_put(b, element.data, element.len));
	note(d, wire_put_array(b, 0));
}

static int ref_cmp(const void *a, const void *b)
{
	uint8_t x[DOT_REF_MAX];
	uint8_t y[DOT_REF_MAX];
	size_t lx = dot_ref_put(*(const struct dot *)a, x);
	size_t ly = dot_ref_put(*(const struct dot *)b, y);

	return lx != ly ? (lx < ly ? -1 : 1) : memcmp(x, y, lx);
}

void draft_refs_add(struct draft *d, uint32_t tag, const struct dot *refs, size_t n)
{
	struct dot *sorted = malloc((n + 1) * sizeof(*sorted));
	struct buf *b = slot(d, tag);
	size_t kept = 0;

	if (sorted == NULL) {
		note(d, ERR_NO_MEMORY);
		return;
	}
	for (size_t i = 0; i < n; i++)
		sorted[i] = refs[i];
	qsort(sorted, n, sizeof(*sorted), ref_cmp);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || dot_cmp(sorted[kept - 1], sorted[i]) != 0)
			sorted[kept++] = sorted[i];
	note(d, wire_put_array(b, 2));
	note(d, wire_put_array(b, kept));
	for (size_t i = 0; i < kept; i++) {
		uint8_t ref[DOT_REF_MAX];
		size_t len = dot_ref_put(sorted[i], ref);

		note(d, wire_put_bytes(b, ref, len));
	}
	note(d, wire_put_array(b, 0));
	free(sorted);
}

void draft_event(struct draft *d, uint32_t tag, const char *status, int64_t date, const char *reason)
{
	struct buf *b = slot(d, tag);

	note(d, wire_put_array(b, 3));
	note(d, wire_put_text(b, status, strlen(status)));
	note(d, wire_put_int(b, date));
	note(d, reason == NULL ? wire_put_null(b) : wire_put_text(b, reason, strlen(reason)));
}

void draft_retract(struct draft *d, uint32_t tag, struct dot which)
{
	struct buf *b = slot(d, tag);
	uint8_t ref[DOT_REF_MAX];
	size_t len = dot_ref_put(which, ref);

	note(d, wire_put_array(b, 2));
	note(d, wire_put_text(b, "fout", 4));
	note(d, wire_put_bytes(b, ref, len));
}

static int write_cmp(const void *a, const void *b)
{
	const struct write *x = a;
	const struct write *y = b;

	return (x->tag > y->tag) - (x->tag < y->tag);
}

enum err draft_writes(struct draft *d, const struct write **writes, size_t *count)
{
	if (d->failed != ERR_OK)
		return d->failed;
	/* the values first, while a write and its buffer still share an index; nothing is added after this */
	for (size_t i = 0; i < d->count; i++)
		d->writes[i].value = buf_bytes(&d->bytes[i]);
	qsort(d->writes, d->count, sizeof(*d->writes), write_cmp);
	*writes = d->writes;
	*count = d->count;
	return ERR_OK;
}
