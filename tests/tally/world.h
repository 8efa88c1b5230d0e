/* SPDX-License-Identifier: EUPL-1.2 */
/* A tally without a store: a plan, its tellers with their keys, circles with counts, all from one seed. */
#ifndef SLB_TESTS_TALLY_WORLD_H
#define SLB_TESTS_TALLY_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "tally/contribution.h"
#include "tally/decide.h"
#include "tally/release.h"
#include "tally/sum.h"
#include "tally/tables.h"

/* splitmix64: S. Vigna, public domain. */
static inline uint64_t chance_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline void chance_fill(void *self, void *out, size_t len)
{
	uint8_t *p = out;

	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)chance_next(self);
}

struct world {
	uint64_t seed;
	struct rng rng;
	struct space_id space;
	struct plan plan;
	struct buf plan_body;
	struct teller_secret secret[PLAN_TELLERS_MAX];
	struct teller_key key[PLAN_TELLERS_MAX];
	struct tally_cell cell[TALLY_CELLS_MAX];
	size_t cells;
	struct buf *body; /* of contributions */
	struct contribution *contribution;
	struct held *held; /* as every teller sees them, while none is told otherwise */
	size_t count;
	uint64_t *total; /* x of all contributions, cell by cell */
};

static inline void world_plan(struct world *w, uint32_t n, uint32_t t, uint32_t floor)
{
	w->plan = (struct plan){ .period = { 2026, 3 }, .n = n, .t = t, .floor = floor, .cap = 5 };
	for (uint32_t k = 0; k < n; k++) {
		memset(w->plan.teller[k].device.b, (int)(10 + k), DEVICE_ID_LEN);
		memset(w->plan.teller[k].member.dev.b, 7, DEVICE_ID_LEN);
		w->plan.teller[k].member.counter = 100 + k;
	}
	assert_int_equal(plan_make(&w->plan, w->space, &w->rng, &w->plan_body, NULL), ERR_OK);
}

static inline void world_open(struct world *w, uint64_t seed, uint32_t n, uint32_t t, uint32_t floor)
{
	struct buf body = { 0 };

	assert_int_equal(crypto_start(), ERR_OK);
	memset(w, 0, sizeof(*w));
	w->seed = seed;
	w->rng = (struct rng){ chance_fill, &w->seed };
	memset(w->space.b, 3, SPACE_ID_LEN);
	world_plan(w, n, t, floor);
	w->cells = tally_cells(w->cell);
	w->total = calloc(w->cells, sizeof(*w->total));
	assert_non_null(w->total);
	for (uint32_t k = 0; k < n; k++) {
		assert_int_equal(teller_key_make(&w->plan, k, &w->rng, &w->secret[k], &body), ERR_OK);
		assert_int_equal(teller_key_parse(&w->plan, buf_bytes(&body), &w->key[k], NULL), ERR_OK);
	}
	buf_free(&body);
}

/* One referral in every cell it belongs to. */
static inline void world_referral(const struct world *w, uint32_t domain, uint32_t group, uint32_t outcome, uint64_t *x)
{
	const uint32_t leaf[TALLY_DIMS] = { domain, group, outcome };

	for (size_t c = 0; c < w->cells; c++) {
		bool in = true;

		for (size_t d = 0; d < TALLY_DIMS; d++) {
			uint32_t at = leaf[d];

			while (at != w->cell[c].code[d] && at != 0)
				at = tally_code((enum tally_dim)d, at).parent;
			in = in && at == w->cell[c].code[d];
		}
		x[c] += in;
	}
}

static inline uint32_t world_leaf(struct world *w, enum tally_dim dim)
{
	for (;;) {
		uint32_t k = (uint32_t)(chance_next(&w->seed) % tally_codes(dim));

		if (tally_code(dim, k).leaf)
			return k;
	}
}

/* `referrals` at random; x takes w->cells and is cleared first. */
static inline void world_counts(struct world *w, unsigned referrals, uint64_t *x)
{
	memset(x, 0, w->cells * sizeof(*x));
	for (unsigned r = 0; r < referrals; r++)
		world_referral(w, world_leaf(w, DIM_domain), world_leaf(w, DIM_group), world_leaf(w, DIM_outcome), x);
}

static inline struct space_id world_circle(size_t number)
{
	struct space_id id = { { 0 } };

	id.b[0] = (uint8_t)number;
	id.b[1] = (uint8_t)(number >> 8);
	id.b[2] = 0xC1;
	return id;
}

/* The body of circle `number` with these counts. */
static inline void world_body(struct world *w, size_t number, const uint64_t *x, struct buf *body)
{
	struct circle_key circle;

	circle_key_make(&w->plan, world_circle(number), &circle);
	assert_int_equal(
	    contribution_make(&w->plan, &(struct contribution_in){ &circle, "Kring", w->key, x }, &w->rng, body, NULL),
	    ERR_OK);
}

/* Takes over the body. */
static inline void world_take(struct world *w, struct buf *body)
{
	size_t i = w->count++;

	w->body = realloc(w->body, w->count * sizeof(*w->body));
	w->contribution = realloc(w->contribution, w->count * sizeof(*w->contribution));
	w->held = realloc(w->held, w->count * sizeof(*w->held));
	assert_true(w->body != NULL && w->contribution != NULL && w->held != NULL);
	w->body[i] = *body;
	*body = (struct buf){ 0 };
	assert_int_equal(contribution_parse(&w->plan, buf_bytes(&w->body[i]), &w->contribution[i], NULL), ERR_OK);
	w->held[i] = (struct held){ .opens = true };
	memcpy(w->held[i].hash, w->contribution[i].hash, HASH_LEN);
	memcpy(w->held[i].circle, w->contribution[i].circle, SIGN_PUBLIC_LEN);
}

static inline void world_contribute(struct world *w, size_t number, const uint64_t *x)
{
	struct buf body = { 0 };

	world_body(w, number, x, &body);
	world_take(w, &body);
	for (size_t c = 0; c < w->cells; c++)
		w->total[c] += x[c];
}

/* A circle's first contribution or a further one: `held` is marked. */
static inline void world_contribute_marked(struct world *w, size_t number, const uint64_t *x)
{
	world_contribute(w, number, x);
	held_mark_doubles(w->held, w->count);
}

/* `circles` circles with up to `referrals` referrals each. */
static inline void world_circles(struct world *w, size_t circles, unsigned referrals)
{
	uint64_t x[TALLY_CELLS_MAX];

	for (size_t i = 0; i < circles; i++) {
		world_counts(w, (unsigned)(chance_next(&w->seed) % (referrals + 1)), x);
		world_contribute(w, i, x);
	}
	held_mark_doubles(w->held, w->count);
}

static inline void world_all(const struct world *w, struct hash_set *set)
{
	for (size_t i = 0; i < w->count; i++) {
		if (!w->held[i].doubled && w->held[i].opens)
			assert_int_equal(hash_set_add(set, w->held[i].hash), ERR_OK);
	}
}

/* Teller k's sum over a set, as the body it publishes. */
static inline void world_sum(const struct world *w, uint32_t k, const struct hash_set *set, struct buf *body)
{
	uint64_t sum[TALLY_CELLS_MAX] = { 0 };
	uint64_t shares[TALLY_CELLS_MAX];
	uint8_t hash[HASH_LEN];

	for (size_t i = 0; i < w->count; i++) {
		if (!hash_set_has(set, w->contribution[i].hash))
			continue;
		assert_int_equal(contribution_open(&w->plan, &w->contribution[i], k, &w->secret[k], shares, NULL),
		                 ERR_OK);
		sum_add(sum, shares, w->plan.cells);
	}
	manifest_hash(&w->plan, set, hash);
	assert_int_equal(sum_make(&w->plan, k, &w->secret[k], hash, sum, body), ERR_OK);
}

static inline void world_close(struct world *w)
{
	for (size_t i = 0; i < w->count; i++)
		buf_free(&w->body[i]);
	free(w->body);
	free(w->contribution);
	free(w->held);
	free(w->total);
	buf_free(&w->plan_body);
	memset(w, 0, sizeof(*w));
}

#endif
