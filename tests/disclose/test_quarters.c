// SPDX-License-Identifier: EUPL-1.2
// Goal: releases that follow each other do not give away together what each hides (D4). Real counts with a real long
// tail (a city's intake line, by month and outcome), divided by 40 to the size of a neighbourhood: each quarter is
// released by itself, and then the year, with the quarters frozen. Everything published is audited and attacked as one.
//
// Seen to fail when the year is released as if the quarters had not been.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "disclose/solver.h"
#include "disclose/world.h"

#define FILE_NAME "tests/data/toronto_outcomes.csv"
#define T 5
#define SCALE 40
#define YEARS 4
#define CODES 13
#define CODE_LEN 4

static char code_name[CODES][CODE_LEN];
static long month_count[YEARS][12][CODES]; /* from 2020, of which there are two months, to 2023 */

static int code_number(const char *name)
{
	int k = 0;

	while (k < CODES && code_name[k][0] != '\0' && strcmp(code_name[k], name) != 0)
		k++;
	assert_true(k < CODES);
	memcpy(code_name[k], name, CODE_LEN);
	return k;
}

static int counts_read(void **state)
{
	FILE *f = fopen(FILE_NAME, "r");
	char line[80], code[CODE_LEN];
	int year, month, rows = 0;
	long n;

	if (f == NULL)
		return -1;
	while (fgets(line, sizeof line, f) != NULL) {
		memset(code, 0, sizeof code);
		if (sscanf(line, "%d-%d,%3[^,],%ld", &year, &month, code, &n) != 4 || year < 2020 || year > 2023)
			continue;
		month_count[year - 2020][month - 1][code_number(code)] = n / SCALE;
		rows++;
	}
	fclose(f);
	return rows >= 3 * 12 * CODES - CODES ? 0 : -1;
}

static const struct sdc_rules rules = { .threshold = T, .insider = true, .share_percent = 80 };

/* Time codes of a year: 0 the year, 1 to 4 quarters, 5 to 16 months; of a quarter: 0 the quarter, 1 to 3 months. */
static struct sdc_problem *problem_of(const struct atk_world *w, int *map)
{
	struct sdc_problem *p = NULL;

	assert_int_equal(world_problem(w, &rules, NULL, &p, map, NULL), ERR_OK);
	return p;
}

static void world_of(struct atk_world *w, int year, int quarter)
{
	int first = quarter < 0 ? 5 : 1, months = quarter < 0 ? 12 : 3;

	memset(w, 0, sizeof *w);
	w->dims = 2;
	w->codes[0] = first + months;
	w->codes[1] = CODES + 1;
	for (int m = 0; quarter < 0 && m < 12; m++)
		w->parent[0][5 + m] = 1 + m / 3;
	w->tables = 1;
	w->table[0] = 3;
	atk_lay_out(w);
	for (int m = 0; m < months; m++) {
		for (int c = 0; c < CODES; c++)
			w->n[w->index[first + m][1 + c][0]] = month_count[year][m + (quarter < 0 ? 0 : 3 * quarter)][c];
	}
	atk_margins(w);
}

static unsigned quarters, insiders;

/* Everything published about these cells, attacked at once: as any reader, as one who knows that zeros are shown, as
 * each hidden 1, by trying and with a solver. */
static void attack(const struct atk_world *w, const bool *hidden, const char *what)
{
	static struct atk_view v;
	static int tie[ATK_CELLS];
	struct solver s;

	atk_ties(w, hidden, tie);
	atk_look(&v, w, hidden, 1, 0);
	solver_open(&s, &v);
	for (int c = 0; c < w->cells; c++) {
		if (!hidden[c]) {
			assert_true(w->n[c] == 0 || w->n[c] >= T);
			continue;
		}
		if (atk_uncertain(&v, c, -1) != 1 || solver_certain(&s, c))
			fail_msg("%s: cell %d of %ld is exact", what, c, w->n[c]);
		if (w->n[c] < T &&
		    (atk_possible(&v, c, T, ATK_FAR, -1) != 1 || solver_reach(&s, c, true) < T - SOLVER_NEAR))
			fail_msg("%s: cell %d of %ld is under T", what, c, w->n[c]);
		if (w->n[c] != 1)
			continue;
		solver_know(&s, c, true);
		for (int q = 0; q < w->cells; q++) {
			if (q == c || !hidden[q] || w->n[q] >= T || tie[q] == tie[c])
				continue;
			if (atk_uncertain(&v, q, c) != 1 || solver_certain(&s, q))
				fail_msg("%s: who is the 1 of cell %d knows cell %d of %ld", what, c, q, w->n[q]);
			insiders++;
		}
		solver_know(&s, c, false);
	}
	solver_close(&s);
}

static struct atk_world whole, part;
static int whole_map[ATK_CELLS], part_map[ATK_CELLS];
static enum sdc_state state_of[ATK_CELLS];
static bool shown_before[ATK_CELLS]; /* per cell of the year's problem */

/* Releases one quarter and freezes what it says in the year. False: nothing is released. */
static bool quarter_release(struct sdc_problem *year_problem, int year, int quarter)
{
	static bool hidden[ATK_CELLS];
	struct sdc_problem *p;
	enum err e;

	world_of(&part, year, quarter);
	p = problem_of(&part, part_map);
	e = sdc_solve(p, state_of, NULL);
	for (size_t c = 0; e == ERR_OK && c < sdc_cells(p); c++) {
		uint32_t time = sdc_cell_codes(p, c)[0], code = sdc_cell_codes(p, c)[1];
		uint32_t in_year[2] = { time == 0 ? 1 + (uint32_t)quarter : 4 + 3 * (uint32_t)quarter + time, code };

		size_t cell = sdc_cell_find(year_problem, in_year);

		shown_before[cell] = state_of[c] == SDC_OPEN;
		sdc_given_set(year_problem, cell, state_of[c] == SDC_OPEN ? SDC_KNOWN : SDC_HIDDEN_BEFORE);
	}
	for (size_t c = 0; e == ERR_OK && c < sdc_cells(p); c++)
		hidden[part_map[c]] = state_of[c] != SDC_OPEN;
	if (e == ERR_OK)
		attack(&part, hidden, "quarter");
	quarters += e == ERR_OK;
	sdc_problem_free(p);
	return e == ERR_OK;
}

static void quarters_and_the_year_together_give_nothing_away(void **state)
{
	static bool hidden[ATK_CELLS];
	unsigned years = 0, hidden_cells = 0, year_hidden = 0;

	for (int year = 0; year < YEARS; year++) {
		struct sdc_problem *p;
		struct sdc_audit audit;
		bool all = true;

		world_of(&whole, year, -1);
		p = problem_of(&whole, whole_map);
		memset(shown_before, 0, sizeof shown_before);
		for (int q = year == 0 ? 3 : 0; all && q < 4; q++)
			all = quarter_release(p, year, q);
		assert_int_equal(sdc_problem_close(p, NULL), ERR_OK);
		if (!all || sdc_solve(p, state_of, NULL) != ERR_OK) {
			sdc_problem_free(p);
			continue;
		}
		years++;
		assert_int_equal(sdc_audit(p, state_of, SDC_AUDIT_ALL, &audit, NULL, NULL), ERR_OK);
		assert_true(sdc_audit_passed(&audit));
		for (size_t c = 0; c < sdc_cells(p); c++) {
			/* what one release hides and another shows is known */
			hidden[whole_map[c]] = state_of[c] != SDC_OPEN && !shown_before[c];
			hidden_cells += state_of[c] != SDC_OPEN;
			year_hidden += state_of[c] != SDC_OPEN && sdc_cell_codes(p, c)[0] == 0;
		}
		attack(&whole, hidden, "year");
		sdc_problem_free(p);
	}
	printf("%u quarters, %u years, %u cells hidden, %u of them in the year itself, %u insiders\n", quarters, years,
	       hidden_cells, year_hidden, insiders);
	assert_int_equal(quarters, 13);
	assert_true(years >= 3);
	assert_true(hidden_cells > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(quarters_and_the_year_together_give_nothing_away) };

	return cmocka_run_group_tests_name("disclose/quarters", tests, counts_read, NULL);
}
