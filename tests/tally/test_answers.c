// SPDX-License-Identifier: EUPL-1.2
// Goal: plans and everything that answers them are read strictly. Cut short, lengthened or with one bit turned they are
// damage, and what answers one plan answers no other (T2).
#include "tally/world.h"

#include "tally/release.h"

typedef enum err (*parse_fn)(const struct world *w, const struct plan *p, struct bytes body);

static enum err parse_key(const struct world *w, const struct plan *p, struct bytes body)
{
	struct teller_key out;

	return teller_key_parse(p, body, &out, NULL);
}

static enum err parse_contribution(const struct world *w, const struct plan *p, struct bytes body)
{
	struct contribution out;

	return contribution_parse(p, body, &out, NULL);
}

static enum err parse_view(const struct world *w, const struct plan *p, struct bytes body)
{
	struct view out = { 0 };
	enum err e = view_parse(p, w->key, body, &out, NULL);

	view_free(&out);
	return e;
}

static enum err parse_manifest(const struct world *w, const struct plan *p, struct bytes body)
{
	struct manifest out = { 0 };
	enum err e = manifest_parse(p, w->key, body, &out, NULL);

	manifest_free(&out);
	return e;
}

static enum err parse_sum(const struct world *w, const struct plan *p, struct bytes body)
{
	struct teller_sum out;

	return sum_parse(p, w->key, body, &out, NULL);
}

/* The body in memory of exactly its size, so that reading past the end is seen by the sanitizer. */
static enum err parse_copy(parse_fn parse, const struct world *w, const struct plan *p, const uint8_t *data, size_t len)
{
	uint8_t *exact = malloc(len == 0 ? 1 : len);
	enum err e = ERR_OK;

	assert_non_null(exact);
	memcpy(exact, data, len);
	e = parse(w, p, (struct bytes){ exact, len });
	free(exact);
	return e;
}

/* Every cut, one more byte, and a turned bit in every byte (all eight of short bodies). Seen to fail when
 * answer_close() does not look at the signature. */
static void strict(const struct world *w, parse_fn parse, const struct buf *body)
{
	struct plan other = w->plan;
	const size_t step = body->len > 2000 ? 37 : 1;
	const unsigned bits = body->len > 2000 ? 1 : 8;
	uint8_t *copy = malloc(body->len + 1);

	assert_non_null(copy);
	memcpy(copy, body->data, body->len);
	copy[body->len] = 0;
	assert_int_equal(parse_copy(parse, w, &w->plan, copy, body->len), ERR_OK);
	assert_int_equal(parse_copy(parse, w, &w->plan, copy, body->len + 1), ERR_DAMAGED);
	for (size_t len = 0; len < body->len; len += step)
		assert_int_equal(parse_copy(parse, w, &w->plan, copy, len), ERR_DAMAGED);
	for (size_t i = 0; i < body->len; i += i < 400 || i + 400 > body->len ? 1 : step) {
		for (unsigned b = 0; b < bits; b++) {
			copy[i] ^= (uint8_t)(1u << ((i + b) % 8));
			assert_int_equal(parse_copy(parse, w, &w->plan, copy, body->len), ERR_DAMAGED);
			copy[i] ^= (uint8_t)(1u << ((i + b) % 8));
		}
	}
	other.hash[0] ^= 1;
	assert_int_equal(parse(w, &other, buf_bytes(body)), ERR_DAMAGED);
	free(copy);
}

static void answers_are_read_strictly(void **state)
{
	struct world w;
	struct buf body = { 0 };
	struct hash_set set = { 0 };
	struct teller_secret fresh;
	struct view v = { .teller = 1 };
	uint64_t x[TALLY_CELLS_MAX];

	world_open(&w, 1, 3, 2, 3);
	assert_int_equal(teller_key_make(&w.plan, 2, &w.rng, &fresh, &body), ERR_OK);
	strict(&w, parse_key, &body);
	world_counts(&w, 20, x);
	world_body(&w, 1, x, &body);
	strict(&w, parse_contribution, &body);
	world_circles(&w, 4, 9);
	world_all(&w, &set);
	v.chosen = set;
	assert_int_equal(hash_set_add(&v.spoiled, w.plan.hash), ERR_OK);
	assert_int_equal(view_make(&w.plan, &v, &w.secret[1], &body), ERR_OK);
	strict(&w, parse_view, &body);
	hash_set_free(&v.spoiled);
	assert_int_equal(manifest_make(&w.plan, &(struct manifest){ 1, set }, &w.secret[1], &body), ERR_OK);
	strict(&w, parse_manifest, &body);
	world_sum(&w, 0, &set, &body);
	strict(&w, parse_sum, &body);
	hash_set_free(&set);
	buf_free(&body);
	world_close(&w);
}

/* Signed by a teller, but not the one it names: no teller speaks for another. */
static void nobody_answers_for_another(void **state)
{
	struct world w;
	struct buf body = { 0 };
	struct hash_set set = { 0 };

	world_open(&w, 2, 3, 2, 3);
	world_circles(&w, 3, 3);
	world_all(&w, &set);
	assert_int_equal(manifest_make(&w.plan, &(struct manifest){ 0, set }, &w.secret[1], &body), ERR_OK);
	assert_int_equal(parse_manifest(&w, &w.plan, buf_bytes(&body)), ERR_DAMAGED);
	memset(w.key[2].sign, 0, SIGN_PUBLIC_LEN); /* a teller without a key */
	assert_int_equal(manifest_make(&w.plan, &(struct manifest){ 2, set }, &w.secret[2], &body), ERR_OK);
	assert_int_equal(parse_manifest(&w, &w.plan, buf_bytes(&body)), ERR_DAMAGED);
	hash_set_free(&set);
	buf_free(&body);
	world_close(&w);
}

/* Plans carry no signature of their own: a turned bit is damage or another plan, never this one. */
static void plans_are_read_strictly(void **state)
{
	struct world w;
	struct plan p;

	world_open(&w, 3, 3, 2, 5);
	assert_int_equal(plan_parse(buf_bytes(&w.plan_body), w.space, &p, NULL), ERR_OK);
	assert_memory_equal(&p, &w.plan, sizeof(p));
	for (size_t len = 0; len < w.plan_body.len; len++)
		assert_int_equal(plan_parse((struct bytes){ w.plan_body.data, len }, w.space, &p, NULL), ERR_DAMAGED);
	for (size_t bit = 0; bit < w.plan_body.len * 8; bit++) {
		enum err e = ERR_OK;

		w.plan_body.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		e = plan_parse(buf_bytes(&w.plan_body), w.space, &p, NULL);
		assert_true(e != ERR_OK || memcmp(p.hash, w.plan.hash, HASH_LEN) != 0);
		w.plan_body.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	w.space.b[0] ^= 1; /* the same bytes in another neighbourhood are another plan */
	assert_int_equal(plan_parse(buf_bytes(&w.plan_body), w.space, &p, NULL), ERR_OK);
	assert_memory_not_equal(p.hash, w.plan.hash, HASH_LEN);
	world_close(&w);
}

/* Compiled-in minimums hold for those who make and for those who read. Seen to fail with PLAN_FLOOR_MIN 2. */
static void plans_keep_the_minimums(void **state)
{
	static const struct {
		uint32_t n, t, floor, cap;
		enum err want;
	} cases[] = {
		{ 3, 2, 3, 5, ERR_OK },       { 3, 1, 5, 5, ERR_REFUSED }, { 3, 2, 2, 5, ERR_REFUSED },
		{ 3, 2, 5, 4, ERR_REFUSED },  { 3, 4, 5, 5, ERR_INPUT },   { 2, 2, 3, 64, ERR_OK },
		{ 3, 2, 5, 65, ERR_REFUSED },
	};
	struct world w;

	world_open(&w, 4, 3, 2, 5);
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct plan p = w.plan;
		struct buf body = { 0 };

		p.n = cases[k].n;
		p.t = cases[k].t;
		p.floor = cases[k].floor;
		p.cap = cases[k].cap;
		assert_int_equal(plan_make(&p, w.space, &w.rng, &body, NULL), cases[k].want);
		buf_free(&body);
	}
	w.plan.teller[1].member = w.plan.teller[0].member; /* one person, two shares */
	assert_int_equal(plan_make(&w.plan, w.space, &w.rng, &w.plan_body, NULL), ERR_INPUT);
	world_close(&w);
}

/* A floor of 2 written by somebody else's program. */
static void a_plan_below_the_floor_is_no_plan(void **state)
{
	struct world w;
	struct plan p;
	size_t at = 0;

	world_open(&w, 5, 3, 2, 3);
	at = w.plan_body.len - PLAN_NONCE_LEN - 1 - 2; /* floor, T, head of the nonce */
	assert_int_equal(w.plan_body.data[at], 3);
	w.plan_body.data[at] = 2;
	assert_int_equal(plan_parse(buf_bytes(&w.plan_body), w.space, &p, NULL), ERR_DAMAGED);
	world_close(&w);
}

/* Known answer, worked out elsewhere from the body as the header has it: the hash names a plan for ever. */
static void a_plan_has_a_known_hash(void **state)
{
	static const uint8_t want[] = { 0x70, 0xd3, 0x1d, 0x1a, 0xf5, 0xc7, 0xfb, 0xc4 };
	struct world w;

	world_open(&w, 6, 3, 2, 5);
	assert_memory_equal(w.plan.hash, want, sizeof(want));
	world_close(&w);
}

/* The box names plan, circle and teller inside. Seen to fail without the comparison of each. */
static void a_box_is_for_one_teller_of_one_plan(void **state)
{
	struct world w;
	struct contribution c;
	uint64_t x[TALLY_CELLS_MAX];
	uint64_t shares[TALLY_CELLS_MAX];

	world_open(&w, 7, 3, 2, 3);
	world_counts(&w, 5, x);
	world_contribute(&w, 1, x);
	world_contribute(&w, 2, x);
	c = w.contribution[0];
	assert_int_equal(contribution_open(&w.plan, &c, 0, &w.secret[0], shares, NULL), ERR_OK);
	assert_int_equal(contribution_open(&w.plan, &c, 0, &w.secret[1], shares, NULL), ERR_DAMAGED);
	c.box[0] = w.contribution[1].box[0]; /* another circle's box */
	assert_int_equal(contribution_open(&w.plan, &c, 0, &w.secret[0], shares, NULL), ERR_DAMAGED);
	c = w.contribution[0];
	c.box[1] = c.box[0]; /* another teller's, though the key fits */
	assert_int_equal(contribution_open(&w.plan, &c, 1, &w.secret[0], shares, NULL), ERR_DAMAGED);
	w.plan.hash[0] ^= 1;
	assert_int_equal(contribution_open(&w.plan, &w.contribution[0], 0, &w.secret[0], shares, NULL), ERR_DAMAGED);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_read_strictly),
		cmocka_unit_test(nobody_answers_for_another),
		cmocka_unit_test(plans_are_read_strictly),
		cmocka_unit_test(plans_keep_the_minimums),
		cmocka_unit_test(a_plan_below_the_floor_is_no_plan),
		cmocka_unit_test(a_plan_has_a_known_hash),
		cmocka_unit_test(a_box_is_for_one_teller_of_one_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
