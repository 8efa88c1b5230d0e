// SPDX-License-Identifier: EUPL-1.2
// Goal: sums are exact and come from one set of circles that enough tellers agreed on, or do not come at all. Tellers
// that are late, miss things, lie or sign twice, circles that send twice or send rubbish: each is a test (T1 to T3).
#include "tally/world.h"

#include <time.h>

/* --- sums --- */

/* Totals of the tellers in `who` (a bit each), for all contributions. */
static enum err totals_of(const struct world *w, const struct hash_set *set, unsigned who, struct totals *out)
{
	struct buf body[PLAN_TELLERS_MAX] = { { 0 } };
	struct teller_sum sum[PLAN_TELLERS_MAX];
	size_t n = 0;
	enum err e = ERR_OK;

	for (uint32_t k = 0; k < w->plan.n; k++) {
		if ((who >> k & 1) == 0)
			continue;
		world_sum(w, k, set, &body[k]);
		assert_int_equal(sum_parse(&w->plan, w->key, buf_bytes(&body[k]), &sum[n++], NULL), ERR_OK);
	}
	e = sum_combine(&w->plan, sum, n, set->n, out, NULL);
	for (uint32_t k = 0; k < w->plan.n; k++)
		buf_free(&body[k]);
	return e;
}

static void assert_exact(const struct world *w, const struct totals *t)
{
	for (size_t c = 0; c < w->cells; c++)
		assert_int_equal(t->cell[c].x, w->total[c]);
}

/* Any t of n; fewer give nothing; one more than t is checked. Seen to fail with share numbers from 0. */
static void any_t_tellers_give_the_exact_sums(void **state)
{
	static const struct share_scheme schemes[] = { { .t = 2, .n = 3 }, { .t = 3, .n = 5 }, { .t = 2, .n = 2 } };

	for (size_t s = 0; s < sizeof(schemes) / sizeof(schemes[0]); s++) {
		struct world w;
		struct hash_set set = { 0 };

		world_open(&w, 10 + s, schemes[s].n, schemes[s].t, 3);
		world_circles(&w, 6, 30);
		world_all(&w, &set);
		for (unsigned who = 0; who < 1u << schemes[s].n; who++) {
			const unsigned tellers = (unsigned)__builtin_popcount(who);
			struct totals t = { 0 };

			if (tellers < schemes[s].t) {
				assert_int_equal(totals_of(&w, &set, who, &t), ERR_LATER);
				continue;
			}
			assert_int_equal(totals_of(&w, &set, who, &t), ERR_OK);
			assert_exact(&w, &t);
			assert_int_equal(t.checked, tellers > schemes[s].t);
			totals_free(&t);
		}
		hash_set_free(&set);
		world_close(&w);
	}
}

/* i and c: how many circles put something in, and at most T each. */
static void indicators_and_caps_add_up(void **state)
{
	struct world w;
	struct hash_set set = { 0 };
	struct totals t = { 0 };
	uint64_t x[TALLY_CELLS_MAX];
	uint64_t i[TALLY_CELLS_MAX] = { 0 };
	uint64_t c[TALLY_CELLS_MAX] = { 0 };

	world_open(&w, 20, 3, 2, 3);
	for (size_t circle = 0; circle < 5; circle++) {
		world_counts(&w, (unsigned)(40 * circle), x);
		world_contribute(&w, circle, x);
		for (size_t k = 0; k < w.cells; k++) {
			i[k] += x[k] > 0;
			c[k] += x[k] < 5 ? x[k] : 5;
		}
	}
	world_all(&w, &set);
	assert_int_equal(totals_of(&w, &set, 7, &t), ERR_OK);
	for (size_t k = 0; k < w.cells; k++) {
		assert_int_equal(t.cell[k].i, i[k]);
		assert_int_equal(t.cell[k].c, c[k]);
	}
	totals_free(&t);
	hash_set_free(&set);
	world_close(&w);
}

/* A tape of numbers in place of chance, as share_split() draws them: 8 bytes a coefficient. */
struct tape {
	const uint64_t *next;
};

static void tape_fill(void *self, void *out, size_t len)
{
	struct tape *t = self;

	assert_int_equal(len, 8);
	memcpy(out, t->next++, 8);
}

/* T1: for whatever counts a circle has, there is chance that gives teller 1 the very same shares; so these say nothing.
 * With t = 2, f(x) = v + a x: with other counts v', a' = a + v - v' keeps f(1). Seen to fail with t = 1. */
static void fewer_than_t_tellers_learn_nothing(void **state)
{
	struct world w;
	uint64_t v[2][TALLY_CELLS_MAX];
	uint64_t a[2][TALLY_CELLS_MAX];
	uint64_t x[TALLY_CELLS_MAX];
	uint64_t *shares[2] = { NULL, NULL };

	world_open(&w, 30, 3, 2, 3);
	for (size_t input = 0; input < 2; input++) {
		world_counts(&w, input == 0 ? 0 : 100, x); /* a circle with nothing, and a busy one */
		for (size_t c = 0; c < w.cells; c++)
			assert_int_equal(pack_put(x[c], 5, &v[input][c], NULL), ERR_OK);
	}
	for (size_t c = 0; c < w.cells; c++) {
		a[0][c] = chance_next(&w.seed) % SHARE_P;
		a[1][c] = (a[0][c] + v[0][c] + SHARE_P - v[1][c]) % SHARE_P;
	}
	for (size_t input = 0; input < 2; input++) {
		struct tape tape = { a[input] };
		const struct rng rng = { tape_fill, &tape };

		shares[input] = calloc(3 * w.cells, sizeof(*shares[input]));
		assert_non_null(shares[input]);
		assert_int_equal(contribution_split(&w.plan, v[input], &rng, shares[input], NULL), ERR_OK);
	}
	assert_memory_equal(shares[0], shares[1], w.cells * sizeof(uint64_t));
	assert_memory_not_equal(shares[0] + w.cells, shares[1] + w.cells, w.cells * sizeof(uint64_t));
	free(shares[0]);
	free(shares[1]);
	world_close(&w);
}

/* Nothing in the clear tells a busy circle from one without a referral. */
static void zero_contributions_look_like_any_other(void **state)
{
	struct world w;
	struct buf zero = { 0 };
	struct buf busy = { 0 };
	uint64_t x[TALLY_CELLS_MAX];

	world_open(&w, 31, 3, 2, 3);
	world_counts(&w, 0, x);
	world_body(&w, 1, x, &zero);
	world_counts(&w, 500, x);
	world_body(&w, 1, x, &busy);
	assert_int_equal(zero.len, busy.len);
	assert_true(zero.len < 32 * 1024);
	buf_free(&zero);
	buf_free(&busy);
	world_close(&w);
}

static void a_count_too_large_is_refused(void **state)
{
	struct world w;
	struct circle_key circle;
	struct buf body = { 0 };
	uint64_t x[TALLY_CELLS_MAX] = { 0 };

	world_open(&w, 32, 3, 2, 3);
	circle_key_make(&w.plan, world_circle(1), &circle);
	x[7] = PACK_X + 1;
	assert_int_equal(
	    contribution_make(&w.plan, &(struct contribution_in){ &circle, "K", w.key, x }, &w.rng, &body, NULL),
	    ERR_REFUSED);
	assert_int_equal(body.len, 0);
	world_close(&w);
}

/* A teller that gives a wrong sum: with two more than t it is named and left out, with one more it is noticed. */
static void a_wrong_sum_is_noticed_or_named(void **state)
{
	static const struct {
		uint32_t n;
		enum err want;
	} cases[] = { { 3, ERR_DAMAGED }, { 4, ERR_OK } };

	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct world w;
		struct hash_set set = { 0 };
		struct totals t = { 0 };
		struct buf body[4] = { { 0 } };
		struct teller_sum sum[4];
		uint64_t lie[TALLY_CELLS_MAX];
		uint8_t hash[HASH_LEN];

		world_open(&w, 40 + k, cases[k].n, 2, 3);
		world_circles(&w, 5, 30);
		world_all(&w, &set);
		manifest_hash(&w.plan, &set, hash);
		for (uint32_t i = 0; i < cases[k].n; i++)
			world_sum(&w, i, &set, &body[i]);
		for (size_t c = 0; c < w.cells; c++)
			lie[c] = chance_next(&w.seed) % SHARE_P;
		assert_int_equal(sum_make(&w.plan, 1, &w.secret[1], hash, lie, &body[1]), ERR_OK);
		for (uint32_t i = 0; i < cases[k].n; i++)
			assert_int_equal(sum_parse(&w.plan, w.key, buf_bytes(&body[i]), &sum[i], NULL), ERR_OK);
		assert_int_equal(sum_combine(&w.plan, sum, cases[k].n, set.n, &t, NULL), cases[k].want);
		if (cases[k].want == ERR_OK) {
			assert_exact(&w, &t);
			assert_true(t.wrong[1] && !t.wrong[0] && !t.wrong[2] && !t.wrong[3] && t.checked);
		}
		totals_free(&t);
		for (uint32_t i = 0; i < cases[k].n; i++)
			buf_free(&body[i]);
		hash_set_free(&set);
		world_close(&w);
	}
}

/* Sums over different sets, or two of one teller, are never combined. */
static void sums_over_different_sets_are_refused(void **state)
{
	struct world w;
	struct hash_set all = { 0 };
	struct hash_set fewer = { 0 };
	struct buf body[2] = { { 0 } };
	struct teller_sum sum[2];
	struct totals t = { 0 };

	world_open(&w, 50, 3, 2, 3);
	world_circles(&w, 5, 30);
	world_all(&w, &all);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(hash_set_add(&fewer, all.h[i]), ERR_OK);
	world_sum(&w, 0, &all, &body[0]);
	world_sum(&w, 1, &fewer, &body[1]);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(sum_parse(&w.plan, w.key, buf_bytes(&body[i]), &sum[i], NULL), ERR_OK);
	assert_int_equal(sum_combine(&w.plan, sum, 2, all.n, &t, NULL), ERR_DAMAGED);
	sum[1] = sum[0];
	assert_int_equal(sum_combine(&w.plan, sum, 2, all.n, &t, NULL), ERR_DAMAGED);
	for (size_t i = 0; i < 2; i++)
		buf_free(&body[i]);
	hash_set_free(&all);
	hash_set_free(&fewer);
	world_close(&w);
}

/* --- what a teller does next --- */

/* A teller with all it has heard; what it gives is appended for all to hear. */
struct hall {
	struct view view[64];
	size_t views;
	struct manifest manifest[64];
	size_t manifests;
	struct hash_set signed_set[PLAN_TELLERS_MAX];
	bool has_signed[PLAN_TELLERS_MAX];
	bool summed[PLAN_TELLERS_MAX];
};

static enum teller_step decide(const struct world *w, const struct hall *h, const struct held *held, size_t count,
                               uint32_t me, struct teller_decision *d)
{
	const struct teller_knows k = { .plan = &w->plan,
		                        .me = me,
		                        .held = held,
		                        .held_count = count,
		                        .views = h->view,
		                        .view_count = h->views,
		                        .manifests = h->manifest,
		                        .manifest_count = h->manifests,
		                        .signed_set = h->has_signed[me] ? &h->signed_set[me] : NULL,
		                        .summed = h->summed[me] };

	teller_decision_free(d);
	assert_int_equal(teller_decide(&k, d), ERR_OK);
	return d->step;
}

static void hear_view(struct hall *h, uint32_t who, const struct hash_set *chosen, const struct hash_set *spoiled)
{
	struct view *v = &h->view[h->views++];

	v->teller = who;
	assert_int_equal(hash_set_copy(chosen, &v->chosen), ERR_OK);
	assert_int_equal(hash_set_copy(spoiled, &v->spoiled), ERR_OK);
}

static void hear_manifest(struct hall *h, uint32_t who, const struct hash_set *set)
{
	struct manifest *m = &h->manifest[h->manifests++];

	m->teller = who;
	assert_int_equal(hash_set_copy(set, &m->set), ERR_OK);
}

/* Acts until it has to wait; returns the step it waits in. */
static enum teller_step act(const struct world *w, struct hall *h, const struct held *held, size_t count, uint32_t me,
                            struct teller_decision *d)
{
	for (;;) {
		enum teller_step step = decide(w, h, held, count, me, d);

		if (step == STEP_VIEW) {
			hear_view(h, me, &d->set, &d->spoiled);
		} else if (step == STEP_SIGN) {
			assert_false(h->has_signed[me]);
			hear_manifest(h, me, &d->set);
			assert_int_equal(hash_set_copy(&d->set, &h->signed_set[me]), ERR_OK);
			h->has_signed[me] = true;
		} else if (step == STEP_SUM) {
			assert_false(h->summed[me]);
			h->summed[me] = true;
		} else {
			return step;
		}
	}
}

static void hall_close(struct hall *h, struct teller_decision *d)
{
	for (size_t i = 0; i < h->views; i++)
		view_free(&h->view[i]);
	for (size_t i = 0; i < h->manifests; i++)
		manifest_free(&h->manifest[i]);
	for (size_t k = 0; k < PLAN_TELLERS_MAX; k++)
		hash_set_free(&h->signed_set[k]);
	teller_decision_free(d);
	memset(h, 0, sizeof(*h));
}

static void tellers_agree_and_sum_once(void **state)
{
	struct world w;
	struct hall h = { 0 };
	struct teller_decision d = { 0 };
	bool done = false;

	world_open(&w, 60, 3, 2, 5);
	world_circles(&w, 6, 9);
	assert_int_equal(act(&w, &h, w.held, w.count, 0, &d), STEP_WAIT_VIEWS);
	assert_true(!d.waits[0] && d.waits[1] && d.waits[2]);
	assert_int_equal(act(&w, &h, w.held, w.count, 1, &d), STEP_WAIT_VIEWS);
	assert_int_equal(act(&w, &h, w.held, w.count, 2, &d), STEP_WAIT_MANIFEST);
	for (unsigned round = 0; round < 3 && !done; round++) {
		done = true;
		for (uint32_t k = 0; k < 3; k++)
			done = act(&w, &h, w.held, w.count, k, &d) == STEP_DONE && done;
	}
	assert_true(done);
	assert_int_equal(h.manifests, 3);
	for (uint32_t k = 0; k < 3; k++)
		assert_int_equal(h.signed_set[k].n, 6);
	hall_close(&h, &d);
	world_close(&w);
}

/* T2. Seen to fail without the floor in supported() and before_signing(). */
static void below_the_floor_nobody_signs(void **state)
{
	struct world w;
	struct hall h = { 0 };
	struct teller_decision d = { 0 };
	struct hash_set all = { 0 };
	const struct hash_set none = { 0 };

	world_open(&w, 61, 3, 2, 5);
	world_circles(&w, 4, 9);
	world_all(&w, &all);
	assert_int_equal(act(&w, &h, w.held, w.count, 0, &d), STEP_BELOW_FLOOR);
	assert_int_equal(h.views, 0);
	/* not even when the two others, and I before, would have it so */
	for (uint32_t k = 0; k < 3; k++)
		hear_view(&h, k, &all, &none);
	hear_manifest(&h, 1, &all);
	assert_int_equal(decide(&w, &h, w.held, w.count, 0, &d), STEP_BELOW_FLOOR);
	hash_set_free(&all);
	hall_close(&h, &d);
	world_close(&w);
}

/* One manifest for ever: after signing, nothing that others show makes a teller sign or sum anything else. */
static void a_signed_manifest_is_the_only_one(void **state)
{
	struct world w;
	struct hall h = { 0 };
	struct teller_decision d = { 0 };
	struct hash_set fewer = { 0 };

	world_open(&w, 62, 3, 2, 3);
	world_circles(&w, 6, 9);
	act(&w, &h, w.held, w.count, 0, &d);
	act(&w, &h, w.held, w.count, 1, &d);
	assert_int_equal(act(&w, &h, w.held, w.count, 2, &d), STEP_WAIT_MANIFEST);
	assert_int_equal(act(&w, &h, w.held, w.count, 0, &d), STEP_WAIT_MANIFEST);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(hash_set_add(&fewer, h.signed_set[0].h[i]), ERR_OK);
	hear_manifest(&h, 1, &fewer); /* the last one signs another set */
	assert_int_equal(decide(&w, &h, w.held, w.count, 0, &d), STEP_CANNOT);
	hear_manifest(&h, 1, &h.signed_set[0]); /* and then this one too: two of one teller count for none */
	assert_int_equal(decide(&w, &h, w.held, w.count, 0, &d), STEP_CANNOT);
	assert_null(manifest_agreed(&w.plan, h.manifest, h.manifests));
	hash_set_free(&fewer);
	hall_close(&h, &d);
	world_close(&w);
}

/* A teller who would count a chosen few alone gets no second signature: others sign only what they would count too. */
static void a_set_chosen_by_one_teller_is_not_signed(void **state)
{
	struct world w;
	struct hall h = { 0 };
	struct teller_decision d = { 0 };
	struct hash_set few = { 0 };
	const struct hash_set none = { 0 };

	world_open(&w, 63, 3, 2, 3);
	world_circles(&w, 6, 9);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(hash_set_add(&few, w.held[i].hash), ERR_OK);
	hear_view(&h, 2, &few, &none);
	hear_manifest(&h, 2, &few);
	assert_int_equal(act(&w, &h, w.held, w.count, 0, &d), STEP_WAIT_VIEWS);
	assert_int_equal(act(&w, &h, w.held, w.count, 1, &d), STEP_WAIT_VIEWS);
	assert_false(h.has_signed[0] || h.has_signed[1]);
	hash_set_free(&few);
	hall_close(&h, &d);
	world_close(&w);
}

/* Tellers who hold different contributions wait for each other, and agree once they hold the same. */
static void a_late_contribution_is_waited_for_or_left_out_by_all(void **state)
{
	struct world w;
	struct hall h = { 0 };
	struct teller_decision d = { 0 };

	world_open(&w, 64, 3, 2, 3);
	world_circles(&w, 6, 9);
	assert_int_equal(act(&w, &h, w.held, 5, 0, &d), STEP_WAIT_VIEWS); /* has not seen the sixth */
	assert_int_equal(act(&w, &h, w.held, 6, 1, &d), STEP_WAIT_VIEWS);
	assert_int_equal(act(&w, &h, w.held, 6, 2, &d), STEP_WAIT_VIEWS);
	assert_true(d.waits[0]);
	assert_int_equal(act(&w, &h, w.held, 6, 0, &d), STEP_WAIT_MANIFEST); /* now it has */
	assert_int_equal(h.signed_set[0].n, 6);
	/* a seventh after somebody signed: the others still sign what they had said */
	{
		uint64_t x[TALLY_CELLS_MAX] = { 0 };

		world_contribute_marked(&w, 99, x);
	}
	assert_int_equal(act(&w, &h, w.held, 7, 1, &d), STEP_WAIT_MANIFEST);
	assert_int_equal(act(&w, &h, w.held, 7, 2, &d), STEP_DONE);
	assert_int_equal(h.signed_set[2].n, 6);
	hall_close(&h, &d);
	world_close(&w);
}

/* T3: with n = 4, t = 2 the quorum is three; one teller may be away all the time. */
static void one_of_four_tellers_may_be_away(void **state)
{
	struct world w;
	struct hall h = { 0 };
	struct teller_decision d = { 0 };

	world_open(&w, 65, 4, 2, 3);
	assert_int_equal(plan_quorum(&w.plan), 3);
	world_circles(&w, 6, 9);
	for (unsigned round = 0; round < 3; round++) {
		for (uint32_t k = 0; k < 3; k++)
			act(&w, &h, w.held, w.count, k, &d);
	}
	for (uint32_t k = 0; k < 3; k++)
		assert_true(h.summed[k]);
	hall_close(&h, &d);
	world_close(&w);
}

/* Of two contributions of one circle the lower hash stands, for everybody the same. */
static void a_second_contribution_of_a_circle_does_not_count(void **state)
{
	struct world w;
	struct hall h = { 0 };
	struct teller_decision d = { 0 };
	uint64_t x[TALLY_CELLS_MAX] = { 0 };
	size_t low = 0;

	world_open(&w, 66, 3, 2, 3);
	world_circles(&w, 4, 9);
	world_contribute_marked(&w, 2, x);
	low = memcmp(w.held[2].hash, w.held[4].hash, HASH_LEN) < 0 ? 2 : 4;
	assert_true(w.held[low].doubled == false && w.held[6 - low].doubled == true);
	assert_int_equal(held_mark_doubles(w.held, w.count), 4);
	act(&w, &h, w.held, w.count, 0, &d);
	act(&w, &h, w.held, w.count, 1, &d);
	assert_int_equal(act(&w, &h, w.held, w.count, 2, &d), STEP_WAIT_MANIFEST);
	assert_true(hash_set_has(&h.signed_set[2], w.held[low].hash));
	assert_false(hash_set_has(&h.signed_set[2], w.held[6 - low].hash));
	hall_close(&h, &d);
	world_close(&w);
}

/* A contribution whose box only one teller cannot open: that teller says so, and all leave it out, by name. */
static void a_spoiled_share_is_named_and_left_out_by_all(void **state)
{
	struct world w;
	struct hall h = { 0 };
	struct teller_decision d = { 0 };
	struct held mine[6];

	world_open(&w, 67, 3, 2, 3);
	world_circles(&w, 6, 9);
	memcpy(mine, w.held, sizeof(mine));
	mine[3].opens = false; /* as teller 2 sees it */
	act(&w, &h, w.held, 6, 0, &d);
	act(&w, &h, w.held, 6, 1, &d);
	assert_int_equal(act(&w, &h, mine, 6, 2, &d), STEP_WAIT_VIEWS);
	assert_true(hash_set_has(&d.spoiled, w.held[3].hash));
	assert_int_equal(act(&w, &h, w.held, 6, 0, &d), STEP_WAIT_VIEWS);
	assert_int_equal(act(&w, &h, w.held, 6, 1, &d), STEP_WAIT_MANIFEST);
	assert_int_equal(h.signed_set[1].n, 5);
	assert_false(hash_set_has(&h.signed_set[1], w.held[3].hash));
	act(&w, &h, mine, 6, 2, &d);
	assert_true(hash_set_same(&h.signed_set[1], &h.signed_set[2]));
	hall_close(&h, &d);
	world_close(&w);
}

/* What a circle may wreck at worst: totals that are none are refused, never published. */
static void a_contribution_of_rubbish_spoils_no_more_than_the_period(void **state)
{
	struct world w;
	struct hash_set set = { 0 };
	struct totals t = { 0 };
	struct circle_key circle;
	struct buf body = { 0 };
	uint64_t *shares = NULL;
	uint64_t packed[TALLY_CELLS_MAX];

	world_open(&w, 68, 3, 2, 3);
	world_circles(&w, 4, 9);
	circle_key_make(&w.plan, world_circle(50), &circle);
	shares = calloc(3 * w.cells, sizeof(*shares));
	assert_non_null(shares);
	for (size_t c = 0; c < w.cells; c++)
		packed[c] = UINT64_C(1) << 60; /* no count at all */
	assert_int_equal(contribution_split(&w.plan, packed, &w.rng, shares, NULL), ERR_OK);
	/* sealed by hand, as a program that keeps to no rule would */
	assert_int_equal(answer_begin(&w.plan, ANSWER_CONTRIBUTION, 3, &body), ERR_OK);
	assert_int_equal(wire_put_bytes(&body, circle.public, SIGN_PUBLIC_LEN), ERR_OK);
	assert_int_equal(wire_put_text(&body, "x", 1), ERR_OK);
	assert_int_equal(wire_put_array(&body, 3), ERR_OK);
	for (uint32_t k = 0; k < 3; k++) {
		struct buf plain = { 0 };
		struct buf box = { 0 };

		assert_int_equal(buf_put_byte(&plain, 1), ERR_OK);
		assert_int_equal(buf_put(&plain, w.plan.hash, HASH_LEN), ERR_OK);
		assert_int_equal(buf_put(&plain, circle.public, SIGN_PUBLIC_LEN), ERR_OK);
		assert_int_equal(buf_put_byte(&plain, (uint8_t)k), ERR_OK);
		for (size_t c = 0; c < w.cells; c++) {
			for (int byte = 7; byte >= 0; byte--)
				assert_int_equal(buf_put_byte(&plain, (uint8_t)(shares[k * w.cells + c] >> (8 * byte))),
				                 ERR_OK);
		}
		assert_int_equal(box_seal(BOX_SHARE, w.key[k].box, buf_bytes(&plain), &box), ERR_OK);
		assert_int_equal(wire_put_bytes(&body, box.data, box.len), ERR_OK);
		buf_free(&plain);
		buf_free(&box);
	}
	assert_int_equal(answer_sign(circle.secret, &body), ERR_OK);
	world_take(&w, &body);
	world_all(&w, &set);
	assert_int_equal(totals_of(&w, &set, 7, &t), ERR_DAMAGED);
	free(shares);
	hash_set_free(&set);
	world_close(&w);
}

/* Pseudonyms: the same for all members of a circle, another one in every plan and for every circle. */
static void a_circle_is_known_within_one_plan_only(void **state)
{
	struct world w;
	struct circle_key a, b;

	world_open(&w, 69, 3, 2, 3);
	circle_key_make(&w.plan, world_circle(1), &a);
	circle_key_make(&w.plan, world_circle(1), &b);
	assert_memory_equal(a.public, b.public, SIGN_PUBLIC_LEN);
	circle_key_make(&w.plan, world_circle(2), &b);
	assert_memory_not_equal(a.public, b.public, SIGN_PUBLIC_LEN);
	w.plan.hash[0] ^= 1;
	circle_key_make(&w.plan, world_circle(1), &b);
	assert_memory_not_equal(a.public, b.public, SIGN_PUBLIC_LEN);
	world_close(&w);
}

/* Random orders, with a teller that now and then is away: either all who sum have summed the same set of at least the
 * floor, or nobody has. */
static void whatever_the_order_there_is_one_set(void **state)
{
	unsigned seeds = 40;
	unsigned agreed = 0;

	if (getenv("SLB_SOAK") != NULL)
		seeds *= (unsigned)atoi(getenv("SLB_SOAK"));
	for (unsigned seed = 0; seed < seeds; seed++) {
		struct world w;
		struct hall h = { 0 };
		struct teller_decision d = { 0 };
		const struct hash_set *summed = NULL;
		size_t seen[4];

		world_open(&w, 1000 + seed, 3 + seed % 2, 2, 3);
		world_circles(&w, 5, 1);
		for (uint32_t k = 0; k < w.plan.n; k++)
			seen[k] = 2 + chance_next(&w.seed) % 4;
		for (unsigned step = 0; step < 24 && h.views < 60; step++) {
			uint32_t k = (uint32_t)(chance_next(&w.seed) % w.plan.n);

			act(&w, &h, w.held, seen[k], k, &d);
			if (seen[k] < 5 && chance_next(&w.seed) % 2 == 0)
				seen[k]++;
		}
		for (uint32_t k = 0; k < w.plan.n; k++) {
			if (!h.summed[k])
				continue;
			assert_true(h.signed_set[k].n >= 3);
			if (summed != NULL)
				assert_true(hash_set_same(summed, &h.signed_set[k]));
			summed = &h.signed_set[k];
		}
		agreed += summed != NULL;
		hall_close(&h, &d);
		world_close(&w);
	}
	assert_true(agreed > seeds / 2);
}

/* 1,000 circles: a teller's work in seconds of this processor, and what a circle sends. */
static void a_thousand_circles_take_seconds(void **state)
{
	struct world w;
	struct hash_set set = { 0 };
	struct buf sum = { 0 };
	struct hall h = { 0 };
	struct teller_decision d = { 0 };
	clock_t start;
	double seconds = 0;

	world_open(&w, 70, 3, 2, 5);
	world_circles(&w, 1000, 3);
	world_all(&w, &set);
	start = clock();
	assert_int_equal(act(&w, &h, w.held, w.count, 0, &d), STEP_WAIT_VIEWS);
	world_sum(&w, 0, &set, &sum);
	seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
	print_message("1000 circles of %zu cells: %.2f s of teller time, %zu bytes a circle\n", w.cells, seconds,
	              w.body[0].len);
	assert_true(seconds < 5);
	assert_true(w.body[0].len <= 32 * 1024);
	hash_set_free(&set);
	buf_free(&sum);
	hall_close(&h, &d);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_t_tellers_give_the_exact_sums),
		cmocka_unit_test(indicators_and_caps_add_up),
		cmocka_unit_test(fewer_than_t_tellers_learn_nothing),
		cmocka_unit_test(zero_contributions_look_like_any_other),
		cmocka_unit_test(a_count_too_large_is_refused),
		cmocka_unit_test(a_wrong_sum_is_noticed_or_named),
		cmocka_unit_test(sums_over_different_sets_are_refused),
		cmocka_unit_test(tellers_agree_and_sum_once),
		cmocka_unit_test(below_the_floor_nobody_signs),
		cmocka_unit_test(a_signed_manifest_is_the_only_one),
		cmocka_unit_test(a_set_chosen_by_one_teller_is_not_signed),
		cmocka_unit_test(a_late_contribution_is_waited_for_or_left_out_by_all),
		cmocka_unit_test(one_of_four_tellers_may_be_away),
		cmocka_unit_test(a_second_contribution_of_a_circle_does_not_count),
		cmocka_unit_test(a_spoiled_share_is_named_and_left_out_by_all),
		cmocka_unit_test(a_contribution_of_rubbish_spoils_no_more_than_the_period),
		cmocka_unit_test(a_circle_is_known_within_one_plan_only),
		cmocka_unit_test(whatever_the_order_there_is_one_set),
		cmocka_unit_test(a_thousand_circles_take_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
