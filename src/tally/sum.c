// SPDX-License-Identifier: EUPL-1.2
// Sums of shares are shares of sums: t of them give the totals of the circles, exactly, and nothing else (T1, T3).
#include "tally/sum.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "crypto/secret.h"

void sum_add(uint64_t *sum, const uint64_t *shares, uint32_t cells)
{
	for (uint32_t i = 0; i < cells; i++)
		sum[i] = share_add(sum[i], shares[i]);
}

enum err sum_make(const struct plan *p, uint32_t teller, const struct teller_secret *secret,
                  const uint8_t manifest[static HASH_LEN], const uint64_t *sum, struct buf *body)
{
	struct buf values = { 0 };
	uint8_t number[8];
	enum err e = ERR_OK;

	for (uint32_t i = 0; e == ERR_OK && i < p->cells; i++) {
		be64_put(number, sum[i]);
		e = buf_put(&values, number, sizeof(number));
	}
	if (e == ERR_OK && (e = answer_begin(p, ANSWER_SUM, 3, body)) == ERR_OK &&
	    (e = wire_put_uint(body, teller)) == ERR_OK && (e = wire_put_bytes(body, manifest, HASH_LEN)) == ERR_OK &&
	    (e = wire_put_bytes(body, values.data, values.len)) == ERR_OK)
		e = answer_sign(secret->sign, body);
	buf_free(&values);
	return e;
}

enum err sum_parse(const struct plan *p, const struct teller_key *keys, struct bytes body, struct teller_sum *out,
                   struct errctx *ec)
{
	struct teller_sum s = { 0 };
	struct wire_in in;

	if (!answer_open(p, ANSWER_SUM, 3, body, &in) || !answer_get_teller(p, &in, &s.teller) ||
	    wire_get_exact(&in, s.manifest, HASH_LEN) != ERR_OK || wire_get_bytes(&in, &s.sum) != ERR_OK ||
	    s.sum.len != (size_t)p->cells * 8 || !answer_close(body, &in, keys[s.teller].sign))
		return answer_damaged(ec);
	*out = s;
	return ERR_OK;
}

void totals_free(struct totals *t)
{
	if (t->cell != NULL)
		secret_wipe(t->cell, t->cells * sizeof(*t->cell));
	free(t->cell);
	*t = (struct totals){ 0 };
}

/* The points of one cell, of the sums that are not left out. */
static size_t points_of(const struct teller_sum *sums, size_t count, const bool *out, uint32_t cell,
                        struct share_point *points, uint32_t *teller)
{
	size_t n = 0;

	for (size_t k = 0; k < count; k++) {
		if (out[sums[k].teller])
			continue;
		teller[n] = sums[k].teller;
		points[n++] = (struct share_point){ sums[k].teller + 1, be64_get(sums[k].sum.data + (size_t)cell * 8) };
	}
	return n;
}

/* Do all sums lie on polynomials? Those that can be named as wrong are. */
static enum err compare(const struct plan *p, const struct teller_sum *sums, size_t count, struct totals *t,
                        struct errctx *ec)
{
	static const bool nobody[PLAN_TELLERS_MAX] = { false };
	struct share_point points[PLAN_TELLERS_MAX];
	uint32_t teller[PLAN_TELLERS_MAX];

	for (uint32_t cell = 0; cell < p->cells; cell++) {
		enum share_verdict verdict = SHARE_UNCHECKED;
		bool wrong[PLAN_TELLERS_MAX] = { false };
		size_t n = points_of(sums, count, nobody, cell, points, teller);
		enum err e = share_check(points, n, p->t, &verdict, wrong, ec);

		if (e != ERR_OK)
			return e;
		if (verdict == SHARE_DISAGREE)
			return err_set(ec, ERR_DAMAGED,
			               "The tellers' sums do not agree, and nobody can tell whose is wrong. Nothing is "
			               "published for this period.",
			               NULL, NULL, NULL);
		for (size_t k = 0; verdict == SHARE_NAMED && k < n; k++)
			t->wrong[teller[k]] = t->wrong[teller[k]] || wrong[k];
	}
	return ERR_OK;
}

static enum err one_sum_each(const struct teller_sum *sums, size_t count, struct errctx *ec)
{
	for (size_t a = 0; a < count; a++) {
		for (size_t b = 0; b < a; b++) {
			if (sums[a].teller == sums[b].teller ||
			    !hash_equal(sums[a].manifest, sums[b].manifest, HASH_LEN))
				return answer_damaged(ec);
		}
	}
	return ERR_OK;
}

static enum err too_few(struct errctx *ec)
{
	return err_set(ec, ERR_LATER, "Too few tellers have given their sum. Ask them to sync and count.", NULL, NULL,
	               NULL);
}

enum err sum_combine(const struct plan *p, const struct teller_sum *sums, size_t count, uint64_t circles,
                     struct totals *out, struct errctx *ec)
{
	struct totals t = { .cell = calloc(p->cells, sizeof(*t.cell)), .cells = p->cells };
	struct share_point points[PLAN_TELLERS_MAX];
	uint32_t teller[PLAN_TELLERS_MAX];
	uint64_t factor[PLAN_TELLERS_MAX];
	uint64_t x[PLAN_TELLERS_MAX];
	uint64_t y[PLAN_TELLERS_MAX];
	enum err e = t.cell == NULL ? ERR_NO_MEMORY : one_sum_each(sums, count, ec);
	size_t n = 0;

	if (e == ERR_OK && count < p->t)
		e = too_few(ec);
	if (e == ERR_OK)
		e = compare(p, sums, count, &t, ec);
	for (uint32_t cell = 0; e == ERR_OK && cell < p->cells; cell++) {
		n = points_of(sums, count, t.wrong, cell, points, teller);
		for (size_t k = 0; k < n; k++) {
			x[k] = points[k].x;
			y[k] = points[k].y;
		}
		if (n < p->t)
			e = too_few(ec);
		else if (cell == 0)
			e = share_factors(x, p->t, factor, ec);
		if (e == ERR_OK)
			e = pack_get(share_dot(factor, y, p->t), p->cap, circles, &t.cell[cell], ec);
	}
	t.checked = n > p->t;
	if (e == ERR_OK)
		*out = t;
	else
		totals_free(&t);
	return e;
}
