// SPDX-License-Identifier: EUPL-1.2
// Goal: nothing that sdc_solve leaves open gives a hidden count away (D1 to D4), judged by an attacker who shares no
// line and no solver with it; and the audit refuses every pattern with one secondary cell uncovered.
//
// Quick by itself. As a soak: test_attack SEEDS [FROM [PROGRAMS]], or SLB_SOAK=times. PROGRAMS bounds the
// search for lighter patterns; what is attacked is the same.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "disclose/solver.h"
#include "disclose/world.h"

#define T 5

/* Quick: little time is spent on lighter patterns; the soak spends what a user's run does. */
static struct sdc_limits effort = { .programs = 150 };
static uint64_t seeds = 9; /* per kind and rule set: 216 tables */
static uint64_t seed_from;

static const struct world_kind kinds[] = {
	{ "two dimensions", 2, false, false, 5 },   { "two dimensions, hierarchy", 2, true, false, 5 },
	{ "three dimensions", 3, false, false, 3 }, { "three dimensions, hierarchy", 3, true, false, 2 },
	{ "linked tables", 3, false, true, 4 },     { "linked tables, hierarchy", 3, true, true, 3 },
};

static const struct sdc_rules rule_sets[] = {
	{ .threshold = T, .share_percent = 80 },
	{ .threshold = T, .insider = true, .share_percent = 80 },
	{ .threshold = T, .insider = true, .group = true, .share_percent = 80 },
	{ .threshold = T, .insider = true, .group = true, .min_contributors = 3, .capped = true, .share_percent = 80 },
};

#define KINDS (sizeof kinds / sizeof kinds[0])
#define RULES (sizeof rule_sets / sizeof rule_sets[0])

/* Could two or more of a margin be outside this part of it? */
static bool group_open(struct atk_view *v, int s, int part)
{
	const struct atk_world *w = v->w;

	for (int k = 0; k < w->parts[s]; k++) {
		int a = w->part[s][k];

		if (a != part && atk_possible(v, a, 2, ATK_FAR, -1) == 1)
			return true;
		for (int j = 0; j < w->parts[s]; j++) {
			int b = w->part[s][j];
			long keep = v->lo[b];
			bool both;

			if (j == k || a == part || b == part || v->hi[b] < 1)
				continue;
			v->lo[b] = keep < 1 ? 1 : keep;
			both = atk_possible(v, a, 1, ATK_FAR, -1) == 1;
			v->lo[b] = keep;
			if (both)
				return true;
		}
	}
	return false;
}

/* Attacks a pattern; returns the number of cells that fall. What the search cannot decide counts as fallen: budgets are
 * such that it does not happen. */
static int attack(const struct atk_world *w, const bool *hidden, const bool *primary, const struct sdc_rules *rules)
{
	static struct atk_view v;
	static int tie[ATK_CELLS];
	/* without the group rule zeros are never hidden, and without contributors only smallness hides: the reader
	 * knows */
	bool contributors = rules->min_contributors > 0;
	int fallen = 0;

	atk_look(&v, w, hidden, rules->group ? 0 : 1, contributors ? 0 : T);
	v.zeros_by_group = rules->group;
	atk_ties(w, hidden, tie);
	for (int c = 0; c < w->cells; c++) {
		if (w->n[c] > 0 && w->n[c] < T && !hidden[c])
			fallen++;
		if (!hidden[c])
			continue;
		fallen += atk_uncertain(&v, c, -1) != 1;
		if (w->n[c] > 0 && w->n[c] < T)
			fallen += atk_possible(&v, c, T, ATK_FAR, -1) != 1;
		for (int q = 0; rules->insider && w->n[c] == 1 && q < w->cells; q++) {
			if (q != c && hidden[q] && primary[q] && tie[q] != tie[c])
				fallen += atk_uncertain(&v, q, c) != 1;
		}
	}
	for (int s = 0; rules->group && s < w->sums; s++) {
		for (int k = 0; w->parts[s] > 1 && k < w->parts[s]; k++) {
			int part = w->part[s][k];

			if (w->n[part] > 0 && w->n[part] + 1 >= w->n[w->whole[s]])
				fallen += !hidden[part] || !group_open(&v, s, part);
		}
	}
	return fallen;
}

/* The same with a solver: what it is sure of, and whether the audit's bounds are the true ones. Once as any reader, who
 * knows that no count is under 0, and once as one who knows that zeros are shown. */
static int attack_with_solver(const struct atk_world *w, const bool *hidden, const bool *primary,
                              const struct sdc_rules *rules, const struct sdc_bounds *bounds)
{
	static struct atk_view v;
	static int tie[ATK_CELLS];
	int fallen = 0;

	atk_ties(w, hidden, tie);
	for (long least = 0; least <= (rules->group ? 0 : 1); least++) {
		struct solver s;

		atk_look(&v, w, hidden, least, 0);
		solver_open(&s, &v);
		for (int c = 0; c < w->cells; c++) {
			double lo, hi;

			if (!hidden[c])
				continue;
			lo = solver_reach(&s, c, false);
			hi = solver_reach(&s, c, true);
			fallen += !(hi - lo > SOLVER_NEAR);
			fallen += w->n[c] > 0 && w->n[c] < T && hi < T - SOLVER_NEAR;
			if (least == 0) {
				assert_true((double)bounds[c].lo == ceil(lo - SOLVER_NEAR));
				assert_true(isinf(hi) ? bounds[c].hi == SDC_NO_BOUND
				                      : (double)bounds[c].hi == floor(hi + SOLVER_NEAR));
			}
			if (!rules->insider || w->n[c] != 1)
				continue;
			solver_know(&s, c, true);
			for (int q = 0; q < w->cells; q++) {
				if (q != c && hidden[q] && primary[q] && tie[q] != tie[c])
					fallen += solver_certain(&s, q);
			}
			solver_know(&s, c, false);
		}
		solver_close(&s);
	}
	return fallen;
}

struct solved {
	struct atk_world w;
	struct sdc_problem *p;
	enum sdc_state state[ATK_CELLS];
	int map[ATK_CELLS];
	bool hidden[ATK_CELLS], primary[ATK_CELLS];
	struct sdc_bounds bounds[ATK_CELLS]; /* of the audit, per cell of the world */
	bool possible;
};

static struct solved now;
static bool bounds_too = true;

static void solve_world(struct solved *s, size_t kind, size_t rules, uint64_t seed)
{
	struct errctx ec = { 0 };
	enum err e;

	world_make(&s->w, &kinds[kind], seed * 1000 + kind * 10 + rules);
	e = world_problem(&s->w, &rule_sets[rules], &effort, &s->p, s->map, &ec);
	if (e != ERR_OK)
		fail_msg("%s, seed %llu: %s", kinds[kind].name, (unsigned long long)seed, ec.msg);
	assert_int_equal(sdc_cells(s->p), s->w.cells);
	e = sdc_solve(s->p, s->state, &ec);
	s->possible = e == ERR_OK;
	if (e != ERR_OK)
		assert_int_equal(e, ERR_REFUSED);
	for (int c = 0; c < s->w.cells; c++) {
		s->hidden[s->map[c]] = s->state[c] != SDC_OPEN;
		s->primary[s->map[c]] = s->state[c] == SDC_PRIMARY;
	}
	if (s->possible && bounds_too) {
		static struct sdc_bounds b[ATK_CELLS];
		struct sdc_audit audit;

		assert_int_equal(sdc_audit(s->p, s->state, SDC_AUDIT_A, &audit, b, &ec), ERR_OK);
		for (int c = 0; c < s->w.cells; c++)
			s->bounds[s->map[c]] = b[c];
	}
}

static unsigned uncovered; /* secondary cells, one at a time */

/* One secondary uncovered: the audit says no and names a cell, every time. It says yes to the pattern itself. */
static void uncover_each_secondary(size_t kind, size_t rules, uint64_t seed)
{
	unsigned which = rule_sets[rules].insider ? SDC_AUDIT_ALL : SDC_AUDIT_ALL & ~SDC_AUDIT_C;
	struct sdc_audit audit;

	assert_int_equal(sdc_audit(now.p, now.state, which, &audit, NULL, NULL), ERR_OK);
	if (!sdc_audit_passed(&audit))
		fail_msg("%s, rules %zu, seed %llu: its own audit", kinds[kind].name, rules, (unsigned long long)seed);
	assert_int_equal(audit.c.check, rule_sets[rules].insider ? SDC_PASSED : SDC_NOT_RUN);
	for (int c = 0; c < now.w.cells; c++) {
		if (now.state[c] != SDC_SECONDARY)
			continue;
		now.state[c] = SDC_OPEN;
		assert_int_equal(sdc_audit(now.p, now.state, which, &audit, NULL, NULL), ERR_OK);
		if (sdc_audit_passed(&audit))
			fail_msg("%s, rules %zu, seed %llu: cell %d uncovered unnoticed", kinds[kind].name, rules,
			         (unsigned long long)seed, c);
		assert_true(audit.d.cell < (size_t)now.w.cells);
		now.state[c] = SDC_SECONDARY;
		uncovered++;
	}
}

/* Every pattern, every attacker; and every third pattern with each secondary cell uncovered. Mutations of src/disclose
 * seen to fail here: T - 1 for T in raise_need, the reader who knows the rules taken for one who does not, claims of
 * cells, groups or insiders left out, ties taken the wrong way round, an insider's own cell that moves. */
static void nothing_hidden_falls(void **state)
{
	unsigned tables = 0, refused = 0, cells = 0, hidden = 0;

	for (size_t kind = 0; kind < KINDS; kind++) {
		for (size_t rules = 0; rules < RULES; rules++) {
			for (uint64_t seed = seed_from; seed < seed_from + seeds; seed++) {
				int fallen;

				solve_world(&now, kind, rules, seed);
				tables++;
				refused += !now.possible;
				fallen = now.possible ? attack(&now.w, now.hidden, now.primary, &rule_sets[rules]) : 0;
				if (now.possible)
					fallen += attack_with_solver(&now.w, now.hidden, now.primary, &rule_sets[rules],
					                             now.bounds);
				if (now.possible && seed % 3 == 0)
					uncover_each_secondary(kind, rules, seed);
				for (int c = 0; c < now.w.cells; c++)
					hidden += now.hidden[c];
				cells += (unsigned)now.w.cells;
				sdc_problem_free(now.p);
				if (fallen > 0)
					fail_msg("%s, rules %zu, seed %llu: %d fall", kinds[kind].name, rules,
					         (unsigned long long)seed, fallen);
			}
		}
	}
	printf("attacked %u tables, %u cells, %u hidden; %u refused; uncovered %u secondary cells, all refused\n",
	       tables, cells, hidden, refused, uncovered);
	assert_true(hidden > cells / 10);
	assert_true(refused * 10 < tables);
	assert_true(uncovered > tables || seeds < 3);
}

/* A primary left open is refused too, whoever made the pattern. */
static void an_open_primary_is_refused(void **state)
{
	unsigned tried = 0;

	for (uint64_t seed = 0; seed < seeds; seed++) {
		struct sdc_audit audit;

		solve_world(&now, 0, 0, seed);
		for (int c = 0; now.possible && c < now.w.cells; c++) {
			if (now.state[c] != SDC_PRIMARY)
				continue;
			now.state[c] = SDC_OPEN;
			assert_int_equal(sdc_audit(now.p, now.state, SDC_AUDIT_A, &audit, NULL, NULL), ERR_OK);
			assert_int_equal(audit.a.check, SDC_FAILED);
			assert_int_equal(audit.a.cell, c);
			assert_int_equal(audit.d.check, SDC_NOT_RUN);
			now.state[c] = SDC_PRIMARY;
			tried++;
		}
		sdc_problem_free(now.p);
	}
	assert_true(tried > seeds);
}

static void the_same_input_gives_the_same_pattern(void **state)
{
	static enum sdc_state first[ATK_CELLS];

	for (size_t kind = 0; kind < KINDS; kind++) {
		for (uint64_t seed = 0; seed < 3; seed++) {
			solve_world(&now, kind, RULES - 1, seed);
			memcpy(first, now.state, sizeof first);
			sdc_problem_free(now.p);
			solve_world(&now, kind, RULES - 1, seed);
			assert_memory_equal(first, now.state, (size_t)now.w.cells * sizeof *first);
			sdc_problem_free(now.p);
		}
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_hidden_falls),
		cmocka_unit_test(an_open_primary_is_refused),
		cmocka_unit_test(the_same_input_gives_the_same_pattern),
	};
	const char *times = getenv("SLB_SOAK");

	if (argc > 1)
		seeds = strtoull(argv[1], NULL, 10);
	else if (times != NULL)
		seeds *= strtoull(times, NULL, 10);
	if (argc > 2)
		seed_from = strtoull(argv[2], NULL, 10);
	if (argc > 1 || times != NULL)
		effort.programs = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
	return cmocka_run_group_tests_name("disclose/attack", tests, NULL, NULL);
}
