// SPDX-License-Identifier: EUPL-1.2
// Goal: we hide hardly more than the best pattern there is. The yardstick tries every set of cells that could be
// lighter than ours and asks the attacker of attacker.h whether it holds, at the same levels (A, B and D); it shares no
// line with src/disclose. Over all tables the weight hidden is within 2 % of the optimum; no pattern of ours is lighter
// than it.
//
// Seen to fail without improve() (8 % over) and without clean_up() (6 % over).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "disclose/social.h"
#include "disclose/solver.h"
#include "disclose/world.h"

#define T 5
#define CANDIDATES 15 /* cells that may be hidden besides the primaries: 2^15 patterns at most */

static uint64_t wanted = 12; /* tables per kind and kind of weight */

struct yardstick {
	struct atk_world w;
	int map[ATK_CELLS];
	bool hidden[ATK_CELLS];
	int candidate[CANDIDATES];
	uint64_t weight[CANDIDATES];
	int candidates;
	uint64_t best;
};

static struct yardstick y;

/* Does the pattern hold against the reader who knows that zeros are shown and that something small is in each part? */
static bool holds(void)
{
	static struct atk_view v;

	atk_look(&v, &y.w, y.hidden, 1, T);
	for (int c = 0; c < y.w.cells; c++) {
		if (y.hidden[c] && y.w.n[c] < T && atk_possible(&v, c, T, ATK_FAR, -1) != 1)
			return false;
	}
	for (int c = 0; c < y.w.cells; c++) {
		if (y.hidden[c] && y.w.n[c] >= T && atk_uncertain(&v, c, -1) != 1)
			return false;
	}
	return true;
}

/* Every subset lighter than the best so far, the heavy candidates decided first. */
static void try_all(int k, uint64_t weight)
{
	if (weight >= y.best)
		return;
	if (k == y.candidates) {
		if (holds())
			y.best = weight;
		return;
	}
	try_all(k + 1, weight);
	y.hidden[y.candidate[k]] = true;
	try_all(k + 1, weight + y.weight[k]);
	y.hidden[y.candidate[k]] = false;
}

/* The finest combinations under a cell, as the default weight has it; counted here from the attacker's own trees. */
static uint64_t weight_by_position(int cell)
{
	uint64_t weight = 1;

	for (int d = 0; d < y.w.dims; d++) {
		uint64_t leaves = 0;

		for (int k = 1; k < y.w.codes[d]; k++) {
			int at = k;

			if (!world_is_leaf(&y.w, d, k))
				continue;
			while (at != y.w.code[cell][d] && at != 0)
				at = y.w.parent[d][at];
			leaves += at == y.w.code[cell][d];
		}
		weight *= leaves;
	}
	return weight;
}

static void candidate_put(int cell, uint64_t weight)
{
	int at = y.candidates++;

	for (; at > 0 && y.weight[at - 1] < weight; at--) {
		y.weight[at] = y.weight[at - 1];
		y.candidate[at] = y.candidate[at - 1];
	}
	y.weight[at] = weight;
	y.candidate[at] = cell;
}

/* One table: our weight and the optimum. False: too large for the yardstick, or nothing to protect. */
static bool compare(const struct world_kind *kind, uint64_t seed, bool by_count, uint64_t *ours, uint64_t *best)
{
	const struct sdc_rules rules = { .threshold = T, .share_percent = 80 };
	static enum sdc_state state[ATK_CELLS];
	struct sdc_problem *p = NULL;
	int free_cells = 0, primaries = 0;
	bool use;

	world_make(&y.w, kind, seed);
	assert_int_equal(world_problem(&y.w, &rules, NULL, &p, y.map, NULL), ERR_OK);
	sdc_primaries(p, state);
	for (int c = 0; c < y.w.cells; c++) {
		primaries += state[c] == SDC_PRIMARY;
		free_cells += state[c] == SDC_OPEN && y.w.n[y.map[c]] > 0;
	}
	use = primaries > 0 && free_cells > 5 && free_cells <= CANDIDATES;
	y.candidates = 0;
	for (int c = 0; use && c < y.w.cells; c++) {
		uint64_t n = (uint64_t)y.w.n[y.map[c]], weight = by_count ? n : weight_by_position(y.map[c]);

		y.hidden[y.map[c]] = state[c] == SDC_PRIMARY;
		if (by_count && n > 0)
			assert_int_equal(sdc_weight_set(p, (size_t)c, (uint32_t)n, NULL), ERR_OK);
		if (state[c] == SDC_OPEN && n > 0)
			candidate_put(y.map[c], weight);
	}
	if (use)
		use = sdc_solve(p, state, NULL) == ERR_OK;
	*ours = 0;
	for (int c = 0; use && c < y.w.cells; c++) {
		if (state[c] == SDC_SECONDARY)
			*ours += by_count ? (uint64_t)y.w.n[y.map[c]] : weight_by_position(y.map[c]);
	}
	y.best = *ours + 1;
	if (use)
		try_all(0, 0);
	*best = y.best;
	sdc_problem_free(p);
	return use;
}

static void the_weight_hidden_is_near_the_optimum(void **state)
{
	static const struct world_kind kinds[] = {
		{ "two dimensions", 2, false, false, 4 },
		{ "two dimensions, hierarchy", 2, true, false, 3 },
		{ "three dimensions", 3, false, false, 2 },
		{ "linked tables", 3, false, true, 2 },
	};
	uint64_t all_ours = 0, all_best = 0, tables = 0;

	for (int by_count = 0; by_count < 2; by_count++) {
		for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
			uint64_t ours, best, sum_ours = 0, sum_best = 0, met = 0, done = 0;

			for (uint64_t seed = 1; done < wanted; seed++) {
				if (!compare(&kinds[k], seed, by_count == 1, &ours, &best))
					continue;
				if (best > ours)
					fail_msg("%s, seed %llu: our pattern does not hold", kinds[k].name,
					         (unsigned long long)seed);
				sum_ours += ours;
				sum_best += best;
				met += ours == best;
				done++;
			}
			printf("%s, weights by %s: %llu hidden, optimum %llu, met in %llu of %llu\n", kinds[k].name,
			       by_count ? "count" : "position", (unsigned long long)sum_ours,
			       (unsigned long long)sum_best, (unsigned long long)met, (unsigned long long)done);
			all_ours += sum_ours;
			all_best += sum_best;
			tables += done;
		}
	}
	printf("%llu tables: %.2f %% over the optimum\n", (unsigned long long)tables,
	       100.0 * (double)(all_ours - all_best) / (double)all_best);
	assert_true(tables >= 40);
	assert_true(all_ours * 100 <= all_best * 102);
}

/* Two tables that others measure with, weights by count. A mixed integer program of another solver says what every
 * pattern must hide at least; ours hides just that. */
static void known_tables_are_hidden_at_the_proven_least(void **state)
{
	static const struct {
		bool hierarchy;
		int cells, primaries;
		uint64_t least,
		    unaware; /* for a reader who does not know that zeros are shown: others measured the same */
	} cases[] = { { false, 45, 4, 35, 35 }, { true, 90, 10, 201, 130 } };
	const struct sdc_rules rules = { .threshold = T, .share_percent = 80 };

	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		static enum sdc_state s[ATK_CELLS];
		static double weight[ATK_CELLS];
		static bool primary[ATK_CELLS];
		struct sdc_problem *p = NULL;
		uint64_t hidden = 0;
		int primaries = 0;

		assert_true(social_read(&y.w, cases[k].hierarchy));
		assert_int_equal(y.w.cells, cases[k].cells);
		assert_int_equal(world_problem(&y.w, &rules, NULL, &p, y.map, NULL), ERR_OK);
		for (int c = 0; c < y.w.cells; c++) {
			long n = y.w.n[y.map[c]];

			weight[y.map[c]] = (double)n;
			primary[y.map[c]] = n > 0 && n < T;
			primaries += n > 0 && n < T;
			if (n > 0)
				assert_int_equal(sdc_weight_set(p, (size_t)c, (uint32_t)n, NULL), ERR_OK);
		}
		assert_int_equal(primaries, cases[k].primaries);
		assert_int_equal(sdc_solve(p, s, NULL), ERR_OK);
		for (int c = 0; c < y.w.cells; c++)
			hidden += s[c] == SDC_SECONDARY ? (uint64_t)y.w.n[y.map[c]] : 0;
		assert_int_equal(hidden, cases[k].least);
		assert_true(fabs(solver_least(&y.w, primary, weight, T, 1, 300) - (double)hidden) < 0.5);
		assert_true(fabs(solver_least(&y.w, primary, weight, T, 0, 300) - (double)cases[k].unaware) < 0.5);
		sdc_problem_free(p);
	}
	glp_free_env();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_weight_hidden_is_near_the_optimum),
		                            cmocka_unit_test(known_tables_are_hidden_at_the_proven_least) };
	const char *times = getenv("SLB_SOAK");

	if (argc > 1)
		wanted = strtoull(argv[1], NULL, 10);
	else if (times != NULL)
		wanted *= strtoull(times, NULL, 10);
	return cmocka_run_group_tests_name("disclose/optimum", tests, NULL, NULL);
}
