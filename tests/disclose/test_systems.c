// SPDX-License-Identifier: EUPL-1.2
// Goal: what the ways to attack a system say of it, by known answers: which systems are networks and what flows there,
// what is free by sums alone, and what trying every table finds or rules out (D1 to D4).
//
// Seen to fail with sums that follow from others kept (hierarchies and linked tables were no networks) and with rows of
// elimination compared by their first entry alone.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "disclose/prover.h"
#include "disclose/rank.h"

static const uint32_t flat[8];
static const uint32_t tree[8] = { 0, 0, 0, 1, 1, 2, 2, 2 }; /* two groups of two and three */

static const struct sdc_rules rules = { .threshold = 5, .share_percent = 80 };

/* All dimensions in one table, where every inner cell gets 10; or, linked, (0, 1) and (1, 2), without counts. */
static struct sdc_problem *system_of(size_t dims, unsigned trees, bool linked)
{
	struct sdc_dim dim[3] = { 0 };
	struct sdc_axis axis[3], second[2] = { { 1, SDC_FINEST, true }, { 2, SDC_FINEST, true } };
	struct sdc_table table[2] = { { axis, linked ? 2 : dims }, { second, 2 } };
	struct sdc_problem *p = NULL;

	for (uint32_t d = 0; d < dims; d++) {
		bool is_tree = trees >> d & 1;

		dim[d] = (struct sdc_dim){ is_tree ? tree : flat, is_tree ? 8 : 4 };
		axis[d] = (struct sdc_axis){ d, SDC_FINEST, true };
	}
	assert_int_equal(sdc_problem_new(dim, dims, table, linked ? 2 : 1, &rules, NULL, &p, NULL), ERR_OK);
	for (size_t c = 0; !linked && c < sdc_cells(p); c++) {
		if (sdc_cell_is_inner(p, c, 0))
			assert_int_equal(sdc_count_set(p, c, (struct sdc_count){ .n = 10 }, NULL), ERR_OK);
	}
	return p;
}

static void two_dimensions_are_networks_and_three_are_not(void **state)
{
	static const struct {
		const char *what;
		size_t dims;
		unsigned trees;
		bool linked, network;
	} cases[] = {
		{ "one dimension", 1, 0, false, true },
		{ "one hierarchy", 1, 1, false, true },
		{ "two dimensions", 2, 0, false, true },
		{ "the first a hierarchy", 2, 1, false, true },
		{ "the second a hierarchy", 2, 2, false, true },
		{ "both hierarchies", 2, 3, false, false },
		{ "linked by one dimension", 3, 0, true, true },
		{ "linked, an outer one a hierarchy", 3, 1, true, true },
		{ "three dimensions", 3, 0, false, false },
	};

	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct sdc_problem *p = system_of(cases[k].dims, cases[k].trees, cases[k].linked);
		struct flow *f = NULL;

		assert_int_equal(flow_new(p, &f, NULL), ERR_OK);
		if ((f != NULL) != cases[k].network)
			fail_msg("%s", cases[k].what);
		flow_free(f);
		sdc_problem_free(p);
	}
}

static uint32_t at(const struct sdc_problem *p, uint32_t r, uint32_t c)
{
	return (uint32_t)sdc_cell_find(p, (uint32_t[]){ r, c });
}

/* A hidden block of four in 3 x 3 counts of 10: a cell can go up by 10 and down by 10, not with its neighbour fixed. */
static void a_block_of_four_flows_round(void **state)
{
	struct sdc_problem *p = system_of(2, 0, false);
	struct flow *f = NULL;
	int64_t y[16];
	double price[16] = { 0 };
	struct flow_ask a = { .cell = at(p, 1, 1), .group = FLOW_NONE, .dir = 1, .fixed = FLOW_NONE, .most = FLOW_FAR };

	assert_int_equal(sdc_problem_close(p, NULL), ERR_OK);
	assert_int_equal(flow_new(p, &f, NULL), ERR_OK);
	for (uint32_t r = 1; r <= 2; r++) {
		for (uint32_t c = 1; c <= 2; c++)
			flow_room_set(f, at(p, r, c), FLOW_FAR, 10);
	}
	assert_int_equal(flow_push(f, &a, y), 10);
	assert_int_equal(y[at(p, 1, 1)], 10);
	assert_int_equal(y[at(p, 1, 2)], -10);
	assert_int_equal(y[at(p, 2, 1)], -10);
	assert_int_equal(y[at(p, 2, 2)], 10);
	a.dir = -1;
	assert_int_equal(flow_push(f, &a, y), 10);
	a.fixed = at(p, 2, 2);
	assert_int_equal(flow_push(f, &a, y), 0);
	/* a way round by the third column costs less when the second is dear */
	flow_room_set(f, at(p, 1, 3), FLOW_FAR, 10);
	flow_room_set(f, at(p, 2, 3), FLOW_FAR, 10);
	price[at(p, 1, 2)] = 5;
	price[at(p, 1, 3)] = 1;
	a = (struct flow_ask){ .cell = at(p, 1, 1), .group = FLOW_NONE, .dir = 1, .fixed = FLOW_NONE, .most = 3 };
	assert_true(flow_cheapest(f, &a, price, y));
	assert_int_equal(y[at(p, 1, 2)], 0);
	assert_int_equal(y[at(p, 1, 3)], -3);
	a.most = 100;
	assert_false(flow_cheapest(f, &a, price, y));
	flow_free(f);
	sdc_problem_free(p);
}

/* 3 x 3 with all margins shown: four cells are free, a block hangs on one of them, and three of a row on nothing. */
static void sums_alone_tell_what_is_free(void **state)
{
	struct sdc_problem *p = system_of(2, 0, false);
	struct rank *r = NULL;
	enum sdc_state primary[16] = { SDC_OPEN };

	primary[at(p, 1, 1)] = SDC_PRIMARY;
	assert_int_equal(rank_new(p, &r, NULL), ERR_OK);
	for (uint32_t k = 0; k < 4; k++) {
		rank_show(r, at(p, k, 0));
		rank_show(r, at(p, 0, k));
	}
	for (uint32_t k = 0; k < 81; k++)
		assert_int_equal(rank_tied(r, at(p, 1 + k / 27, 1 + k / 9 % 3), at(p, 1 + k / 3 % 3, 1 + k % 3)),
		                 k / 9 == k % 9);
	for (uint32_t c = 1; c <= 3; c++) {
		assert_false(rank_exact(r, at(p, 1, c)));
		rank_show(r, at(p, 3, c));
	}
	assert_false(rank_gives_away(r, primary, at(p, 1, 2)));
	assert_false(rank_tied(r, at(p, 1, 1), at(p, 1, 2)));
	assert_true(rank_tied(r, at(p, 1, 1), at(p, 2, 1)));
	rank_show(r, at(p, 1, 3));
	assert_true(rank_exact(r, at(p, 2, 3)));
	assert_true(rank_tied(r, at(p, 1, 1), at(p, 2, 2)));
	assert_true(rank_gives_away(r, primary, at(p, 2, 2)));
	rank_show(r, at(p, 2, 2));
	assert_true(rank_exact(r, at(p, 1, 1)));
	rank_free(r);
	sdc_problem_free(p);
}

/* The eight corners of 2 x 2 x 2 hidden in a cube: half of them go up together, the others down. A cell of 10 can be 20
 * and not 21, and nothing moves alone. */
static void trying_finds_or_rules_out(void **state)
{
	static const struct {
		int64_t least, most;
		bool found;
	} cases[] = { { 1, 1, true }, { 10, 10, true }, { 11, 40, false }, { -10, -10, true }, { -40, -11, false } };

	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct sdc_problem *p = system_of(3, 0, false);
		struct prover *pr = NULL;
		uint8_t may[64] = { 0 };
		struct whole_ask a = { .fixed = FLOW_NONE, .least = cases[k].least, .most = cases[k].most };
		bool decided = false;

		assert_int_equal(sdc_problem_close(p, NULL), ERR_OK);
		for (uint32_t c = 0; c < 64; c++) {
			const uint32_t *code = sdc_cell_codes(p, c);

			may[c] = code[0] % 3 > 0 && code[1] % 3 > 0 && code[2] % 3 > 0;
			a.cell = may[c] ? c : a.cell;
		}
		assert_int_equal(prover_new(p, may, 0, &pr, NULL), ERR_OK);
		for (uint32_t c = 0; c < 64; c++) {
			if (may[c])
				assert_int_equal(prover_hide(pr, c, NULL), ERR_OK);
		}
		assert_int_equal(prover_claim(pr, CLAIM_MOVE, a.cell, 0, NULL), ERR_OK);
		assert_int_equal(prover_whole(pr, &pr->claim[0], &a, &decided, NULL), ERR_OK);
		assert_true(decided);
		if ((pr->claim[0].cover >= 0) != cases[k].found)
			fail_msg("%lld to %lld", (long long)cases[k].least, (long long)cases[k].most);
		prover_free(pr);
		sdc_problem_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_dimensions_are_networks_and_three_are_not),
		cmocka_unit_test(a_block_of_four_flows_round),
		cmocka_unit_test(sums_alone_tell_what_is_free),
		cmocka_unit_test(trying_finds_or_rules_out),
	};

	return cmocka_run_group_tests_name("disclose/systems", tests, NULL, NULL);
}
