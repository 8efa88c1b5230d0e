// SPDX-License-Identifier: EUPL-1.2
// Goal: each rule by known answers: which cells are primary, how tables link, what the audit says of given patterns and
// with which intervals, what a level shows, what the public sees, and what is refused (D1 to D5).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sanitizer.h"
#include "disclose/disclose.h"

static const uint32_t flat[16]; /* every parent is the total */

static const struct sdc_rules plain = { .threshold = 5, .insider = true, .share_percent = 80 };

/* One table of rows x cols from its inner counts, row by row. */
static struct sdc_problem *two_way(size_t rows, size_t cols, const uint64_t *n, const struct sdc_rules *rules,
                                   const struct sdc_limits *limits)
{
	const struct sdc_dim dim[2] = { { flat, rows + 1 }, { flat, cols + 1 } };
	const struct sdc_axis axis[2] = { { 0, SDC_FINEST, true }, { 1, SDC_FINEST, true } };
	const struct sdc_table table = { axis, 2 };
	struct sdc_problem *p = NULL;

	assert_int_equal(sdc_problem_new(dim, 2, &table, 1, rules, limits, &p, NULL), ERR_OK);
	for (uint32_t r = 1; r <= rows; r++) {
		for (uint32_t c = 1; c <= cols; c++) {
			struct sdc_count x = { .n = n[(r - 1) * cols + c - 1] };

			assert_int_equal(sdc_count_set(p, sdc_cell_find(p, (uint32_t[]){ r, c }), x, NULL), ERR_OK);
		}
	}
	assert_int_equal(sdc_problem_close(p, NULL), ERR_OK);
	return p;
}

static size_t at(const struct sdc_problem *p, uint32_t r, uint32_t c)
{
	return sdc_cell_find(p, (uint32_t[]){ r, c });
}

/* Three rows, two columns; the upper 2 x 2 block is hidden. Rows 7 and 3, columns 6 and 4 remain for it: worked out by
 * hand, the intervals are [3,6], [1,4], [0,3], [0,3]. Seen to fail with lower bounds
 * of 1. */
static void the_known_table_has_the_known_intervals(void **state)
{
	static const uint64_t n[] = { 5, 2, 1, 2, 20, 30 };
	static const struct {
		uint32_t r, c;
		uint64_t lo, hi;
	} want[] = { { 1, 1, 3, 6 }, { 1, 2, 1, 4 },   { 2, 1, 0, 3 },   { 2, 2, 0, 3 },
		     { 1, 0, 7, 7 }, { 0, 0, 60, 60 }, { 3, 1, 20, 20 }, { 0, 1, 26, 26 } };
	const struct sdc_rules rules = { .threshold = 3, .share_percent = 80 };
	struct sdc_problem *p = two_way(3, 2, n, &rules, NULL);
	enum sdc_state pattern[12] = { SDC_OPEN };
	struct sdc_bounds b[12];
	struct sdc_audit audit;

	assert_int_equal(sdc_cells(p), 12);
	for (uint32_t r = 1; r <= 2; r++) {
		for (uint32_t c = 1; c <= 2; c++)
			pattern[at(p, r, c)] = SDC_PRIMARY;
	}
	assert_int_equal(sdc_audit(p, pattern, SDC_AUDIT_A, &audit, b, NULL), ERR_OK);
	assert_int_equal(audit.a.check, SDC_PASSED);
	assert_int_equal(audit.b.check, SDC_NOT_RUN);
	for (size_t k = 0; k < sizeof want / sizeof want[0]; k++) {
		assert_int_equal(b[at(p, want[k].r, want[k].c)].lo, want[k].lo);
		assert_int_equal(b[at(p, want[k].r, want[k].c)].hi, want[k].hi);
	}
	assert_int_equal(sdc_audit(p, pattern, SDC_AUDIT_B, &audit, NULL, NULL), ERR_OK);
	assert_int_equal(audit.b.check, SDC_PASSED);
	sdc_problem_free(p);
	/* at T = 4 the row of 3 is small itself, and it is shown */
	p = two_way(3, 2, n, &(struct sdc_rules){ .threshold = 4, .share_percent = 80 }, NULL);
	assert_int_equal(sdc_audit(p, pattern, SDC_AUDIT_A, &audit, NULL, NULL), ERR_OK);
	assert_int_equal(audit.a.check, SDC_FAILED);
	assert_int_equal(audit.a.cell, at(p, 2, 0));
	sdc_problem_free(p);
}

/* Patterns by hand and the level at which each falls. */
static void the_audit_fails_where_it_must(void **state)
{
	static const struct {
		const char *what;
		size_t rows, cols;
		uint64_t n[9];
		const char *hidden; /* inner cells, then the row totals, then the column totals, then the total */
		bool insider;
		enum sdc_check a, b, c, d;
	} cases[] = {
		{ "a lone primary is its row's difference",
		  2,
		  2,
		  { 3, 20, 15, 30 },
		  "x...|..|..|.",
		  true,
		  SDC_FAILED,
		  SDC_FAILED,
		  SDC_PASSED,
		  SDC_FAILED },
		{ "a block of four protects",
		  2,
		  2,
		  { 3, 20, 15, 30 },
		  "xxxx|..|..|.",
		  true,
		  SDC_PASSED,
		  SDC_PASSED,
		  SDC_PASSED,
		  SDC_PASSED },
		{ "a row of two is not known",
		  2,
		  2,
		  { 3, 20, 15, 30 },
		  "xx..|..|xx|.",
		  true,
		  SDC_PASSED,
		  SDC_PASSED,
		  SDC_PASSED,
		  SDC_PASSED },
		{ "1 and 1 in two sums of 2: exact to who knows that zeros are shown",
		  2,
		  2,
		  { 1, 1, 1, 20 },
		  "xxxx|..|..|.",
		  false,
		  SDC_FAILED,
		  SDC_FAILED,
		  SDC_NOT_RUN,
		  SDC_FAILED },
		{ "2 and 2 in a sum of 4: never 5",
		  2,
		  2,
		  { 2, 2, 2, 20 },
		  "xxxx|..|..|.",
		  false,
		  SDC_FAILED,
		  SDC_FAILED,
		  SDC_NOT_RUN,
		  SDC_FAILED },
		{ "who is the 1 knows the whole block",
		  2,
		  2,
		  { 1, 9, 5, 7 },
		  "xxxx|..|..|.",
		  true,
		  SDC_PASSED,
		  SDC_PASSED,
		  SDC_PASSED,
		  SDC_PASSED },
		{ "who is the 1 knows the 3",
		  2,
		  2,
		  { 1, 9, 12, 3 },
		  "xxxx|..|..|.",
		  true,
		  SDC_PASSED,
		  SDC_PASSED,
		  SDC_FAILED,
		  SDC_FAILED },
		{ "an open primary",
		  2,
		  2,
		  { 3, 20, 15, 30 },
		  "....|..|..|.",
		  true,
		  SDC_FAILED,
		  SDC_FAILED,
		  SDC_PASSED,
		  SDC_FAILED },
	};

	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct sdc_problem *p = two_way(cases[k].rows, cases[k].cols, cases[k].n, &plain, NULL);
		enum sdc_state pattern[16] = { SDC_OPEN };
		struct sdc_audit got;
		const char *h = cases[k].hidden;

		for (uint32_t r = 1; r <= cases[k].rows; r++) {
			for (uint32_t c = 1; c <= cases[k].cols; c++)
				pattern[at(p, r, c)] = *h++ == 'x' ? SDC_PRIMARY : SDC_OPEN;
		}
		h++;
		for (uint32_t r = 1; r <= cases[k].rows; r++)
			pattern[at(p, r, 0)] = *h++ == 'x' ? SDC_SECONDARY : SDC_OPEN;
		h++;
		for (uint32_t c = 1; c <= cases[k].cols; c++)
			pattern[at(p, 0, c)] = *h++ == 'x' ? SDC_SECONDARY : SDC_OPEN;
		assert_int_equal(sdc_audit(p, pattern, cases[k].insider ? SDC_AUDIT_ALL : 11, &got, NULL, NULL),
		                 ERR_OK);
		if (got.a.check != cases[k].a || got.b.check != cases[k].b || got.c.check != cases[k].c ||
		    got.d.check != cases[k].d)
			fail_msg("%s: %d %d %d %d", cases[k].what, got.a.check, got.b.check, got.c.check, got.d.check);
		assert_int_equal(sdc_audit_passed(&got), cases[k].d == SDC_PASSED);
		sdc_problem_free(p);
	}
}

/* Each rule alone, at its edge. Seen to fail with <= for < at T and at 3 circles, and with T for 2T. */
static void primaries_are_what_the_rules_say(void **state)
{
	static const struct {
		struct sdc_count x;
		bool threshold, contributors, capped;
	} cases[] = {
		{ { 0, 0, 0 }, false, false, false }, { { 1, 1, 1 }, true, true, true },
		{ { 4, 3, 4 }, true, false, true },   { { 5, 3, 5 }, false, false, true },
		{ { 9, 2, 9 }, false, true, true },   { { 10, 2, 10 }, false, true, false },
		{ { 40, 3, 9 }, false, false, true }, { { 40, 3, 10 }, false, false, false },
		{ { 40, 1, 5 }, false, true, true },
	};
	const struct sdc_dim dim = { flat, 3 };
	const struct sdc_axis axis = { 0, SDC_FINEST, true };
	const struct sdc_table table = { &axis, 1 };

	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		for (int rule = 0; rule < 3; rule++) {
			struct sdc_rules r = { .threshold = rule == 0 ? 5 : 2 };
			bool want = rule == 0   ? cases[k].threshold
			            : rule == 1 ? cases[k].contributors
			                        : cases[k].capped;
			enum sdc_state s[3];
			struct sdc_problem *p;

			if (rule == 1)
				r.min_contributors = 3;
			if (rule == 2) {
				r.threshold = 5;
				r.capped = true;
				want = want || cases[k].threshold;
			}
			assert_int_equal(sdc_problem_new(&dim, 1, &table, 1, &r, NULL, &p, NULL), ERR_OK);
			assert_int_equal(sdc_count_set(p, 1, cases[k].x, NULL), ERR_OK);
			assert_int_equal(sdc_count_set(p, 2, (struct sdc_count){ 100, 20, 100 }, NULL), ERR_OK);
			assert_int_equal(sdc_problem_close(p, NULL), ERR_OK);
			sdc_primaries(p, s);
			assert_int_equal(s[1], want ? SDC_PRIMARY : SDC_OPEN);
			assert_int_equal(s[2], SDC_OPEN);
			/* the total that nobody set has at least as many contributors as its largest part */
			assert_int_equal(sdc_count(p, 0).n, cases[k].x.n + 100);
			assert_int_equal(sdc_count(p, 0).i, 20);
			sdc_problem_free(p);
		}
	}
}

/* Group disclosure: a part that is all of its margin, or all but one, is primary, and then zeros are hidden too: the
 * row (12, 0, 0) must not say that all 12 are in one column. */
static void a_group_hides_zeros(void **state)
{
	static const uint64_t n[] = { 12, 0, 0, 20, 30, 40, 15, 25, 35 };
	struct sdc_rules rules = plain;
	struct sdc_problem *p = two_way(3, 3, n, &rules, NULL);
	enum sdc_state s[16];
	struct sdc_audit audit;
	unsigned zeros = 0;

	assert_int_equal(sdc_solve(p, s, NULL), ERR_OK);
	for (size_t c = 0; c < 16; c++)
		assert_int_equal(s[c], SDC_OPEN);
	sdc_problem_free(p);

	rules.group = true;
	p = two_way(3, 3, n, &rules, NULL);
	assert_int_equal(sdc_solve(p, s, NULL), ERR_OK);
	assert_int_equal(s[at(p, 1, 1)], SDC_PRIMARY);
	zeros += s[at(p, 1, 2)] == SDC_SECONDARY;
	zeros += s[at(p, 1, 3)] == SDC_SECONDARY;
	assert_true(zeros > 0);
	assert_int_equal(sdc_audit(p, s, SDC_AUDIT_ALL, &audit, NULL, NULL), ERR_OK);
	assert_true(sdc_audit_passed(&audit));
	/* a structural zero protects nobody: the other one must do it */
	sdc_given_set(p, at(p, 1, 2), SDC_KNOWN);
	assert_int_equal(sdc_problem_close(p, NULL), ERR_OK);
	assert_int_equal(sdc_solve(p, s, NULL), ERR_OK);
	assert_int_equal(s[at(p, 1, 2)], SDC_OPEN);
	assert_int_equal(s[at(p, 1, 3)], SDC_SECONDARY);
	/* where all else is impossible there is no group to protect */
	sdc_given_set(p, at(p, 1, 3), SDC_KNOWN);
	assert_int_equal(sdc_problem_close(p, NULL), ERR_OK);
	sdc_primaries(p, s);
	assert_int_equal(s[at(p, 1, 1)], SDC_OPEN);
	sdc_problem_free(p);
}

/* Domain x outcome and group x outcome: outcome margins and the total are one cell each; a sum that differs is damage.
 * Seen to fail without the check in sdc_problem_close. */
static void linked_tables_share_their_margins(void **state)
{
	const struct sdc_dim dim[3] = { { flat, 11 }, { flat, 12 }, { flat, 8 } };
	const struct sdc_axis a[2] = { { 0, SDC_FINEST, false }, { 2, SDC_FINEST, false } };
	const struct sdc_axis b[2] = { { 1, SDC_FINEST, false }, { 2, SDC_FINEST, false } };
	const struct sdc_table table[2] = { { a, 2 }, { b, 2 } };
	struct errctx ec = { 0 };
	enum sdc_state *s = NULL;
	struct sdc_problem *p = NULL;
	struct sdc_audit audit;
	size_t inner[2] = { 0, 0 };

	assert_int_equal(sdc_problem_new(dim, 3, table, 2, &plain, NULL, &p, NULL), ERR_OK);
	/* 77 + 84 inner, 10 + 11 row totals less what is shared: 8 outcome margins with the total */
	assert_int_equal(sdc_cells(p), 70 + 77 + 10 + 11 + 7 + 1);
	for (uint32_t d = 1; d <= 10; d++) {
		for (uint32_t o = 1; o <= 7; o++)
			assert_int_equal(sdc_count_set(p, sdc_cell_find(p, (uint32_t[]){ d, 0, o }),
			                               (struct sdc_count){ .n = d * o % 11 + (d == o) }, NULL),
			                 ERR_OK);
	}
	for (uint32_t o = 1; o <= 7; o++) {
		uint64_t left = 0;

		for (uint32_t d = 1; d <= 10; d++)
			left += d * o % 11 + (d == o);
		for (uint32_t g = 1; g <= 11; g++) {
			uint64_t n = g == 11 ? left : left / 3;

			left -= n;
			assert_int_equal(sdc_count_set(p, sdc_cell_find(p, (uint32_t[]){ 0, g, o }),
			                               (struct sdc_count){ .n = n }, NULL),
			                 ERR_OK);
		}
	}
	assert_int_equal(sdc_problem_close(p, NULL), ERR_OK);
	for (size_t c = 0; c < sdc_cells(p); c++) {
		inner[0] += sdc_cell_is_inner(p, c, 0);
		inner[1] += sdc_cell_is_inner(p, c, 1);
		assert_false(sdc_cell_is_inner(p, c, 0) && sdc_cell_is_inner(p, c, 1));
	}
	assert_int_equal(inner[0], 70);
	assert_int_equal(inner[1], 77);
	assert_true(sdc_cell_in_table(p, sdc_cell_find(p, (uint32_t[]){ 0, 0, 3 }), 0));
	assert_true(sdc_cell_in_table(p, sdc_cell_find(p, (uint32_t[]){ 0, 0, 3 }), 1));
	assert_false(sdc_cell_in_table(p, sdc_cell_find(p, (uint32_t[]){ 4, 0, 3 }), 1));
	s = calloc(sdc_cells(p), sizeof *s);
	assert_non_null(s);
	assert_int_equal(sdc_solve(p, s, NULL), ERR_OK);
	assert_int_equal(sdc_audit(p, s, SDC_AUDIT_ALL, &audit, NULL, NULL), ERR_OK);
	assert_true(sdc_audit_passed(&audit));
	free(s);

	assert_int_equal(
	    sdc_count_set(p, sdc_cell_find(p, (uint32_t[]){ 0, 3, 3 }), (struct sdc_count){ .n = 99 }, NULL), ERR_OK);
	assert_int_equal(sdc_problem_close(p, &ec), ERR_DAMAGED);
	assert_non_null(ec.msg);
	sdc_problem_free(p);
}

/* Published before: a known cell protects nothing and stays open, a cell hidden before stays hidden, and a primary that
 * was published before cannot be taken back. */
static void earlier_releases_bind(void **state)
{
	static const uint64_t n[] = { 3, 20, 15, 15, 30, 18, 25, 35, 17 };
	struct sdc_problem *p = two_way(3, 3, n, &plain, NULL);
	enum sdc_state s[16];
	struct sdc_audit audit;

	sdc_given_set(p, at(p, 1, 2), SDC_KNOWN);
	sdc_given_set(p, at(p, 2, 1), SDC_KNOWN);
	sdc_given_set(p, at(p, 3, 3), SDC_HIDDEN_BEFORE);
	assert_int_equal(sdc_solve(p, s, NULL), ERR_OK);
	assert_int_equal(s[at(p, 1, 1)], SDC_PRIMARY);
	assert_int_equal(s[at(p, 1, 2)], SDC_OPEN);
	assert_int_equal(s[at(p, 2, 1)], SDC_OPEN);
	assert_int_equal(s[at(p, 3, 3)], SDC_SECONDARY);
	assert_int_equal(sdc_audit(p, s, SDC_AUDIT_ALL, &audit, NULL, NULL), ERR_OK);
	assert_true(sdc_audit_passed(&audit));
	/* hiding what is known does not count as hiding: a block of four is none when one of it was published */
	memset(s, 0, sizeof s);
	for (uint32_t r = 1; r <= 2; r++) {
		for (uint32_t c = 1; c <= 2; c++)
			s[at(p, r, c)] = SDC_SECONDARY;
	}
	assert_int_equal(sdc_audit(p, s, SDC_AUDIT_A, &audit, NULL, NULL), ERR_OK);
	assert_int_equal(audit.a.check, SDC_FAILED);
	sdc_given_set(p, at(p, 1, 1), SDC_KNOWN);
	assert_int_equal(sdc_solve(p, s, NULL), ERR_REFUSED);
	sdc_problem_free(p);
}

/* Hidden stays hidden, 7 or less is hidden, the rest to 5: a hidden 9 does not become a 10. */
static void the_public_view_adds_nothing(void **state)
{
	static const struct {
		enum sdc_state state;
		uint64_t n, value;
		bool shown;
	} cases[] = {
		{ SDC_OPEN, 0, 0, false },     { SDC_OPEN, 7, 0, false },      { SDC_OPEN, 8, 10, true },
		{ SDC_OPEN, 12, 10, true },    { SDC_OPEN, 13, 15, true },     { SDC_OPEN, 1000, 1000, true },
		{ SDC_PRIMARY, 9, 0, false },  { SDC_SECONDARY, 9, 0, false }, { SDC_SECONDARY, 500, 0, false },
		{ SDC_OPEN, 998, 1000, true },
	};

	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		uint64_t v = 42;

		assert_int_equal(sdc_public(cases[k].state, cases[k].n, &v), cases[k].shown);
		assert_int_equal(v, cases[k].value);
	}
}

/* Ten values in three groups, two outcomes: shown fine where the counts carry it, in groups where they do not, not at
 * all where nothing does. */
static void the_finest_level_that_shows_enough_is_chosen(void **state)
{
	static const uint32_t parent[14] = { 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3 };
	static const struct {
		uint64_t each; /* count of each of the twenty inner cells */
		uint64_t odd;  /* but one in three has this */
		size_t view;
	} cases[] = { { 40, 30, 0 }, { 9, 2, 1 }, { 1, 0, SIZE_MAX } };
	const struct sdc_dim dim[2] = { { parent, 14 }, { flat, 3 } };
	const struct sdc_axis full[2] = { { 0, SDC_FINEST, true }, { 1, SDC_FINEST, true } };
	const struct sdc_axis fine[2] = { { 0, SDC_FINEST, false }, { 1, SDC_FINEST, false } };
	const struct sdc_axis coarse[2] = { { 0, 1, false }, { 1, SDC_FINEST, false } };
	const struct sdc_table all = { full, 2 }, f = { fine, 2 }, g = { coarse, 2 };
	const struct sdc_view views[2] = { { &f, 1 }, { &g, 1 } };

	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct sdc_problem *p = NULL;
		struct sdc_release r;

		assert_int_equal(sdc_problem_new(dim, 2, &all, 1, &plain, NULL, &p, NULL), ERR_OK);
		for (uint32_t d = 4; d < 14; d++) {
			for (uint32_t o = 1; o <= 2; o++) {
				struct sdc_count x = { .n = (d + o) % 3 == 0 ? cases[k].odd : cases[k].each };

				assert_int_equal(sdc_count_set(p, sdc_cell_find(p, (uint32_t[]){ d, o }), x, NULL),
				                 ERR_OK);
			}
		}
		assert_int_equal(sdc_problem_close(p, NULL), ERR_OK);
		assert_int_equal(sdc_choose(p, views, 2, SDC_AUDIT_ALL, &r, NULL), ERR_OK);
		assert_int_equal(r.view, cases[k].view);
		if (r.view != SIZE_MAX) {
			assert_true(sdc_audit_passed(&r.audit));
			assert_true(r.open_count * 100 >= r.full_count * 80);
			/* exact only where the total is shown; else it would tell the total */
			assert_int_equal(sdc_release_share(&r), r.open_count * 1000 / r.full_count);
			r.state[0] = SDC_SECONDARY;
			assert_int_equal(sdc_release_share(&r), 800);
			assert_int_equal(sdc_cells(r.shown), r.view == 0 ? 11 * 3 : 4 * 3);
			assert_int_equal(sdc_cell_find(r.shown, (uint32_t[]){ r.view == 0 ? 1 : 4, 1 }), SDC_NO_CELL);
		} else {
			assert_null(r.shown);
			assert_null(r.state);
		}
		sdc_release_clear(&r);
		sdc_problem_free(p);
	}
}

static int64_t stepping(void *self)
{
	int64_t *t = self;

	return *t += 10;
}

/* Beyond its limits a problem is refused with a sentence; it is never half done. */
static void limits_and_nonsense_are_refused(void **state)
{
	static const uint32_t circle[4] = { 0, 2, 3, 1 }, outside[3] = { 0, 0, 9 };
	static const struct {
		struct sdc_dim dim;
		struct sdc_axis axis[2];
		size_t axes;
		enum err want;
	} cases[] = {
		{ { circle, 4 }, { { 0, SDC_FINEST, true } }, 1, ERR_INPUT },
		{ { outside, 3 }, { { 0, SDC_FINEST, true } }, 1, ERR_INPUT },
		{ { flat, 1 }, { { 0, SDC_FINEST, true } }, 1, ERR_INPUT },
		{ { flat, 3 }, { { 1, SDC_FINEST, true } }, 1, ERR_INPUT },
		{ { flat, 3 }, { { 0, SDC_FINEST, true }, { 0, 1, true } }, 2, ERR_INPUT },
		{ { flat, 3 }, { { 0, SDC_FINEST, true } }, 1, ERR_OK },
	};
	uint32_t *many = calloc(400, sizeof *many);
	struct sdc_dim wide[3] = { { many, 400 }, { many, 400 }, { many, 400 } };
	struct sdc_axis axis[3] = { { 0, SDC_FINEST, true }, { 1, SDC_FINEST, true }, { 2, SDC_FINEST, true } };
	struct sdc_table cube = { axis, 3 };
	struct sdc_problem *p = NULL;
	enum sdc_state s[32];
	int64_t t = 0;
	struct clock clock = { stepping, &t };
	struct sdc_limits limits = { .clock = &clock, .time_ms = 5 };
	static const uint64_t n[] = { 3, 20, 15, 15, 30, 18, 25, 35, 17 };

	assert_non_null(many);
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct sdc_table table = { cases[k].axis, cases[k].axes };
		struct errctx ec = { 0 };

		assert_int_equal(sdc_problem_new(&cases[k].dim, 1, &table, 1, &plain, NULL, &p, &ec), cases[k].want);
		assert_true((ec.msg == NULL) == (cases[k].want == ERR_OK));
		sdc_problem_free(p);
	}
	assert_int_equal(sdc_problem_new(wide, 3, &cube, 1, &plain, NULL, &p, NULL), ERR_REFUSED);
	assert_null(p);
	cube.axes = 2;
	assert_int_equal(sdc_problem_new(wide, 3, &cube, 1, &plain, NULL, &p, NULL), ERR_REFUSED);
	free(many);

	p = two_way(3, 3, n, &plain, &limits);
	assert_int_equal(sdc_solve(p, s, NULL), ERR_REFUSED);
	assert_int_equal(sdc_count_set(p, 1000, (struct sdc_count){ 1, 1, 1 }, NULL), ERR_INPUT);
	assert_int_equal(sdc_count_set(p, 0, (struct sdc_count){ 5, 6, 5 }, NULL), ERR_DAMAGED);
	assert_int_equal(sdc_count_set(p, 0, (struct sdc_count){ SDC_COUNT_MAX + 1, 1, 1 }, NULL), ERR_DAMAGED);
	assert_int_equal(sdc_weight_set(p, 0, 0, NULL), ERR_INPUT);
	sdc_problem_free(p);
}

/* A solver that runs out of memory, or is gone, is a no; it takes nobody with it. */
static void a_solver_that_fails_is_a_refusal(void **state)
{
	static const uint64_t n[] = { 3, 20, 15, 15, 30, 18, 25, 35, 17 };
	const struct sdc_limits limits = { .memory_mib = 1 };
	struct sdc_problem *p = two_way(3, 3, n, &plain, &limits);
	struct errctx ec = { 0 };
	enum sdc_state s[16];

#ifdef UNDER_SANITIZER
	sdc_problem_free(p);
	skip(); /* limits on address space do not go with this sanitizer */
#endif
	assert_int_equal(sdc_solve(p, s, &ec), ERR_REFUSED);
	assert_non_null(strstr(ec.msg, "helper process"));
	sdc_problem_free(p);
}

/* Nothing can hide the one small cell of a table that is nothing else: the answer is no, in a sentence. */
static void what_cannot_be_protected_is_refused(void **state)
{
	static const uint64_t n[] = { 3, 0, 0, 0 };
	struct sdc_problem *p = two_way(2, 2, n, &plain, NULL);
	struct errctx ec = { 0 };
	enum sdc_state s[9];

	assert_int_equal(sdc_solve(p, s, &ec), ERR_REFUSED);
	assert_non_null(strstr(ec.msg, "cannot be protected"));
	sdc_problem_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_known_table_has_the_known_intervals),
		cmocka_unit_test(the_audit_fails_where_it_must),
		cmocka_unit_test(primaries_are_what_the_rules_say),
		cmocka_unit_test(a_group_hides_zeros),
		cmocka_unit_test(linked_tables_share_their_margins),
		cmocka_unit_test(earlier_releases_bind),
		cmocka_unit_test(the_public_view_adds_nothing),
		cmocka_unit_test(the_finest_level_that_shows_enough_is_chosen),
		cmocka_unit_test(limits_and_nonsense_are_refused),
		cmocka_unit_test(what_cannot_be_protected_is_refused),
		cmocka_unit_test(a_solver_that_fails_is_a_refusal),
	};

	return cmocka_run_group_tests_name("disclose/rules", tests, NULL, NULL);
}
