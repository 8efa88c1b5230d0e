// SPDX-License-Identifier: EUPL-1.2
// What edits had seen that cannot be sealed yet, kept beside them: [[upto, [[device, seq]...]]...].
#include "sync/spans.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "model/wire.h"

#define KEPT_SPANS "again:spans"

void spans_free(struct spans *spans)
{
	for (size_t i = 0; i < spans->n; i++)
		vv_free(&spans->s[i].seen);
	free(spans->s);
	*spans = (struct spans){ 0 };
}

static bool same(const struct vv *a, const struct vv *b)
{
	for (size_t i = 0; a->n == b->n && i < a->n; i++)
		if (device_cmp(a->e[i].dev, b->e[i].dev) != 0 || a->e[i].seq != b->e[i].seq)
			return false;
	return a->n == b->n;
}

enum err spans_add(struct spans *spans, uint64_t upto, const struct vv *seen)
{
	struct span *s = NULL;

	if (spans->n > 0 && same(&spans->s[spans->n - 1].seen, seen)) {
		spans->s[spans->n - 1].upto = upto;
		return ERR_OK;
	}
	s = array_grown(spans->s, spans->n, sizeof(*s));
	if (s == NULL)
		return ERR_NO_MEMORY;
	spans->s = s;
	s = &spans->s[spans->n++];
	*s = (struct span){ .upto = upto };
	return vv_copy(seen, &s->seen);
}

const struct vv *spans_at(const struct spans *spans, uint64_t counter)
{
	for (size_t i = 0; i < spans->n; i++)
		if (counter <= spans->s[i].upto)
			return &spans->s[i].seen;
	return NULL;
}

static enum err seen_get(struct errctx *ec, struct sync *y, struct wire_in *in, struct vv *out)
{
	size_t n = 0;
	size_t two = 0;
	enum err e = wire_get_array(in, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct vv_entry entry = { 0 };
		uint8_t hash[HASH_LEN];

		e = wire_get_array(in, &two);
		if (e == ERR_OK)
			e = two == 2 ? wire_get_exact(in, entry.dev.b, DEVICE_ID_LEN) : ERR_DAMAGED;
		if (e == ERR_OK)
			e = wire_get_uint(in, &entry.seq);
		if (e == ERR_OK)
			e = store_batch_get(ec, y->store, entry.dev, entry.seq, &entry.counter, hash);
		if (e == ERR_OK) {
			memcpy(entry.hash, hash, VV_HASH_LEN);
			e = vv_set(out, entry);
		}
	}
	return e == ERR_NOT_FOUND ? ERR_DAMAGED : e;
}

enum err spans_load(struct errctx *ec, struct sync *y, int64_t space, struct spans *out)
{
	struct buf b = { 0 };
	struct wire_in in;
	size_t n = 0;
	size_t two = 0;
	enum err e = store_kept_get(ec, y->store, space, KEPT_SPANS, &b);

	*out = (struct spans){ 0 };
	in = wire_in(buf_bytes(&b));
	if (e == ERR_OK)
		e = wire_get_array(&in, &n);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct vv seen = { 0 };
		uint64_t upto = 0;

		e = wire_get_array(&in, &two);
		if (e == ERR_OK)
			e = two == 2 ? wire_get_uint(&in, &upto) : ERR_DAMAGED;
		if (e == ERR_OK)
			e = seen_get(ec, y, &in, &seen);
		if (e == ERR_OK)
			e = spans_add(out, upto, &seen);
		vv_free(&seen);
	}
	buf_free(&b);
	if (e != ERR_OK)
		spans_free(out);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err spans_save(struct errctx *ec, struct sync *y, int64_t space, const struct spans *spans)
{
	struct buf b = { 0 };
	enum err e = wire_put_array(&b, spans->n);

	for (size_t i = 0; e == ERR_OK && i < spans->n; i++) {
		const struct vv *seen = &spans->s[i].seen;

		if ((e = wire_put_array(&b, 2)) == ERR_OK && (e = wire_put_uint(&b, spans->s[i].upto)) == ERR_OK)
			e = wire_put_array(&b, seen->n);
		for (size_t k = 0; e == ERR_OK && k < seen->n; k++)
			if ((e = wire_put_array(&b, 2)) == ERR_OK &&
			    (e = wire_put_bytes(&b, seen->e[k].dev.b, DEVICE_ID_LEN)) == ERR_OK)
				e = wire_put_uint(&b, seen->e[k].seq);
	}
	if (e == ERR_OK)
		e = store_kept_put(ec, y->store, space, KEPT_SPANS, buf_bytes(&b));
	buf_free(&b);
	return e;
}

enum err spans_drop(struct errctx *ec, struct sync *y, int64_t space)
{
	return store_kept_delete(ec, y->store, space, KEPT_SPANS);
}

enum err spans_note(struct errctx *ec, struct sync *y, const struct space_row *space)
{
	struct spans spans = { 0 };
	struct dot next = { 0 };
	struct vv now = { 0 };
	uint64_t covered = 0;
	enum err e = spans_load(ec, y, space->n, &spans);

	if (e == ERR_OK)
		e = store_next_dot(ec, y->store, space->n, &next);
	covered = spans.n == 0 ? 0 : spans.s[spans.n - 1].upto;
	if (e == ERR_OK && next.counter > covered + 1) {
		e = store_vector(ec, y->store, space->n, &now);
		if (e == ERR_OK)
			e = spans_add(&spans, next.counter - 1, &now);
		if (e == ERR_OK)
			e = spans_save(ec, y, space->n, &spans);
	}
	vv_free(&now);
	spans_free(&spans);
	return e;
}
