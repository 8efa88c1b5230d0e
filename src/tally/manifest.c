// SPDX-License-Identifier: EUPL-1.2
// Sets of contributions, and what tellers say about them (T2).
#include "tally/manifest.h"

#include <stdlib.h>
#include <string.h>

/* Where a hash is, or would be. */
static size_t place(const struct hash_set *s, const uint8_t *hash, bool *there)
{
	size_t lo = 0;
	size_t hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = memcmp(s->h[mid], hash, HASH_LEN);

		if (c == 0) {
			*there = true;
			return mid;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*there = false;
	return lo;
}

enum err hash_set_add(struct hash_set *s, const uint8_t hash[static HASH_LEN])
{
	bool there = false;
	size_t at = place(s, hash, &there);

	if (there)
		return ERR_OK;
	if (s->n == s->cap) {
		size_t cap = s->cap == 0 ? 16 : 2 * s->cap;
		uint8_t(*h)[HASH_LEN] = reallocarray(s->h, cap, HASH_LEN);

		if (h == NULL)
			return ERR_NO_MEMORY;
		s->h = h;
		s->cap = cap;
	}
	memmove(s->h + at + 1, s->h + at, (s->n - at) * HASH_LEN);
	memcpy(s->h[at], hash, HASH_LEN);
	s->n++;
	return ERR_OK;
}

bool hash_set_has(const struct hash_set *s, const uint8_t hash[static HASH_LEN])
{
	bool there = false;

	place(s, hash, &there);
	return there;
}

bool hash_set_same(const struct hash_set *a, const struct hash_set *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->h, b->h, a->n * HASH_LEN) == 0);
}

enum err hash_set_copy(const struct hash_set *from, struct hash_set *to)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < from->n; i++)
		e = hash_set_add(to, from->h[i]);
	return e;
}

void hash_set_free(struct hash_set *s)
{
	free(s->h);
	*s = (struct hash_set){ 0 };
}

static enum err set_put(const struct hash_set *s, struct buf *body)
{
	enum err e = wire_put_array(body, s->n);

	for (size_t i = 0; e == ERR_OK && i < s->n; i++)
		e = wire_put_bytes(body, s->h[i], HASH_LEN);
	return e;
}

static enum err set_get(struct wire_in *in, struct hash_set *s)
{
	size_t n = 0;

	if (wire_get_array(in, &n) != ERR_OK)
		return ERR_DAMAGED;
	for (size_t i = 0; i < n; i++) {
		uint8_t hash[HASH_LEN];
		enum err e = wire_get_exact(in, hash, HASH_LEN);

		if (e == ERR_OK && s->n > 0 && memcmp(s->h[s->n - 1], hash, HASH_LEN) >= 0)
			e = ERR_DAMAGED;
		if (e == ERR_OK)
			e = hash_set_add(s, hash);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err view_make(const struct plan *p, const struct view *v, const struct teller_secret *secret, struct buf *body)
{
	enum err e = ERR_OK;

	if ((e = answer_begin(p, ANSWER_VIEW, 3, body)) != ERR_OK || (e = wire_put_uint(body, v->teller)) != ERR_OK ||
	    (e = set_put(&v->chosen, body)) != ERR_OK || (e = set_put(&v->spoiled, body)) != ERR_OK)
		return e;
	return answer_sign(secret->sign, body);
}

enum err view_parse(const struct plan *p, const struct teller_key *keys, struct bytes body, struct view *out,
                    struct errctx *ec)
{
	struct view v = { 0 };
	struct wire_in in;
	enum err e = ERR_DAMAGED;

	if (answer_open(p, ANSWER_VIEW, 3, body, &in) && answer_get_teller(p, &in, &v.teller) &&
	    (e = set_get(&in, &v.chosen)) == ERR_OK && (e = set_get(&in, &v.spoiled)) == ERR_OK &&
	    !answer_close(body, &in, keys[v.teller].sign))
		e = ERR_DAMAGED;
	if (e == ERR_OK)
		*out = v;
	else
		view_free(&v);
	return e == ERR_DAMAGED ? answer_damaged(ec) : e;
}

void view_free(struct view *v)
{
	hash_set_free(&v->chosen);
	hash_set_free(&v->spoiled);
}

enum err manifest_make(const struct plan *p, const struct manifest *m, const struct teller_secret *secret,
                       struct buf *body)
{
	enum err e = ERR_OK;

	if ((e = answer_begin(p, ANSWER_MANIFEST, 2, body)) != ERR_OK ||
	    (e = wire_put_uint(body, m->teller)) != ERR_OK || (e = set_put(&m->set, body)) != ERR_OK)
		return e;
	return answer_sign(secret->sign, body);
}

enum err manifest_parse(const struct plan *p, const struct teller_key *keys, struct bytes body, struct manifest *out,
                        struct errctx *ec)
{
	struct manifest m = { 0 };
	struct wire_in in;
	enum err e = ERR_DAMAGED;

	if (answer_open(p, ANSWER_MANIFEST, 2, body, &in) && answer_get_teller(p, &in, &m.teller) &&
	    (e = set_get(&in, &m.set)) == ERR_OK && !answer_close(body, &in, keys[m.teller].sign))
		e = ERR_DAMAGED;
	if (e == ERR_OK)
		*out = m;
	else
		manifest_free(&m);
	return e == ERR_DAMAGED ? answer_damaged(ec) : e;
}

void manifest_free(struct manifest *m)
{
	hash_set_free(&m->set);
}

void manifest_hash(const struct plan *p, const struct hash_set *set, uint8_t out[static HASH_LEN])
{
	const struct bytes parts[] = { { p->hash, HASH_LEN }, { set->n == 0 ? NULL : set->h[0], set->n * HASH_LEN } };

	hash_parts("slb tally manifest", NULL, parts, 2, out, HASH_LEN);
}
