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

#include "disclose/world.h"

#define FILE_NAME "tests/data/toronto_outcomes.csv"
#define T 5
#define SCALE 40
#define CODES 13
#define CODE_LEN 4

static char code_name[CODES][CODE_LEN];
static long month_count[3][12][CODES]; /* 2021 to 2023 */

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
		if (sscanf(line, "%d-%d,%3[^,],%ld", &year, &month, code, &n) != 4 || year < 2021 || year > 2023)
			continue;
		month_count[year - 2021][month - 1][code_number(code)] = n / SCALE;
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

static struct atk_world whole, part;
static int whole_map[ATK_CELLS], part_map[ATK_CELLS];
static enum sdc_state state_of[ATK_CELLS];
static bool shown_before[ATK_CELLS]; /* per cell of the year's problem */

/* Releases one quarter and freezes what it says in the year. False: nothing is released. */
static bool quarter_release(struct sdc_problem *year_problem, int year, int quarter)
{
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
	sdc_problem_free(p);
	return e == ERR_OK;
}

static void quarters_and_the_year_together_give_nothing_away(void **state)
{
	static struct atk_view v;
	static bool hidden[ATK_CELLS];
	unsigned years = 0, hidden_cells = 0, year_hidden = 0;

	for (int year = 0; year < 3; year++) {
		struct sdc_problem *p;
		struct sdc_audit audit;
		bool all = true;

		world_of(&whole, year, -1);
		p = problem_of(&whole, whole_map);
		memset(shown_before, 0, sizeof shown_before);
		for (int q = 0; all && q < 4; q++)
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
		atk_look(&v, &whole, hidden, 1, 0);
		for (int c = 0; c < whole.cells; c++) {
			if (!hidden[c]) {
				assert_true(whole.n[c] == 0 || whole.n[c] >= T);
				continue;
			}
			if (atk_uncertain(&v, c, -1) != 1)
				fail_msg("%d: cell %d of %ld is exact", 2021 + year, c, whole.n[c]);
			if (whole.n[c] < T && atk_possible(&v, c, T, ATK_FAR, -1) != 1)
				fail_msg("%d: cell %d of %ld is under T", 2021 + year, c, whole.n[c]);
		}
		sdc_problem_free(p);
	}
	printf("%u years, %u cells hidden, %u of them in the year itself\n", years, hidden_cells, year_hidden);
	assert_true(years >= 2);
	assert_true(hidden_cells > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(quarters_and_the_year_together_give_nothing_away) };

	return cmocka_run_group_tests_name("disclose/quarters", tests, counts_read, NULL);
}
