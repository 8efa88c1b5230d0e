// SPDX-License-Identifier: EUPL-1.2
// Goal: the order of cells, the days of a quarter and the packing of three sums in one number are what is written down,
// because they are on the wire and in published tables.
#include "tally/world.h"

#include "model/schema.h"
#include "tally/pack.h"

/* Seen to fail when a group is added to schema/tables.def: then the tables' version must change. */
static void cells_have_a_fixed_order(void **state)
{
	static struct tally_cell cell[TALLY_CELLS_MAX];
	const size_t cells = tally_cells(cell);
	static const struct {
		size_t place;
		struct tally_cell cell;
	} known[] = {
		{ 0, { { 0, 0, 0 } } },    { 1, { { 0, 0, 1 } } },   { 9, { { 0, 0, 9 } } },    { 10, { { 0, 1, 0 } } },
		{ 159, { { 0, 15, 9 } } }, { 160, { { 1, 0, 0 } } }, { 299, { { 14, 0, 9 } } },
	};

	assert_int_equal(cells, 300);
	for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
		assert_memory_equal(&cell[known[k].place], &known[k].cell, sizeof(cell[0]));
		assert_int_equal(tally_cell_find(cell, cells, &known[k].cell), known[k].place);
	}
	assert_int_equal(tally_cell_find(cell, cells, &(struct tally_cell){ { 1, 1, 0 } }), SIZE_MAX);
	for (size_t c = 1; c < cells; c++)
		assert_int_equal(tally_cell_find(cell, cells, &cell[c]), c);
}

static void every_leaf_has_its_words(void **state)
{
	static const enum list lists[TALLY_DIMS] = { LIST_domain, LIST_group, LIST_outcome };

	for (size_t d = 0; d < TALLY_DIMS; d++) {
		size_t leaves = 0;

		for (uint32_t k = 1; k < tally_codes((enum tally_dim)d); k++) {
			struct tally_code c = tally_code((enum tally_dim)d, k);

			assert_non_null(c.nl);
			assert_non_null(c.en);
			assert_int_equal(tally_depth((enum tally_dim)d, k), c.parent == 0 ? 1 : 2);
			leaves += c.leaf;
			if (c.leaf)
				assert_non_null(list_item(lists[d], c.id));
		}
		assert_int_equal(leaves, d == DIM_domain ? 10 : d == DIM_group ? 11 : 7);
	}
}

static struct bytes text(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

/* Seen to fail without the rolling up: psyche would count as anders. */
static void details_roll_up(void **state)
{
	static const struct {
		const char *id;
		const char *counts_as;
	} cases[] = { { "geld", "geld" },       { "psyche", "gezond" },   { "lijf", "gezond" },
		      { "middelen", "gezond" }, { "justitie", "anders" }, { "anders", "anders" },
		      { "", "anders" },         { "bestaan", "anders" },  { "unheard_of", "anders" } };

	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
		assert_string_equal(tally_code(DIM_domain, tally_leaf(DIM_domain, text(cases[k].id))).id,
		                    cases[k].counts_as);
	assert_int_equal(tally_leaf(DIM_outcome, text("unheard_of")), 0);
	assert_string_equal(tally_code(DIM_group, tally_leaf(DIM_group, text("schulden"))).id, "schulden");
}

static void quarters_are_calendar_quarters(void **state)
{
	static const struct {
		const char *text;
		int64_t first, last, opens;
	} cases[] = {
		{ "1970Q1", 0, 89, 119 },          { "2024Q1", 19723, 19813, 19843 }, { "2026Q3", 20635, 20726, 20756 },
		{ "2026Q4", 20727, 20818, 20848 }, { "2000Q1", 10957, 11047, 11077 },
	};
	static const char *const none[] = { "",     "2026",    "2026Q0",  "2026Q5", "2026q3",
		                            "26Q3", "2026Q31", " 2026Q3", "1969Q4", "2026-3" };
	struct quarter q = { 0 };
	char back[QUARTER_TEXT_LEN];

	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		assert_true(quarter_parse(cases[k].text, &q));
		quarter_text(q, back);
		assert_string_equal(back, cases[k].text);
		assert_int_equal(quarter_first_day(q), cases[k].first);
		assert_int_equal(quarter_last_day(q), cases[k].last);
		assert_int_equal(quarter_opens(q), cases[k].opens);
	}
	for (size_t k = 0; k < sizeof(none) / sizeof(none[0]); k++)
		assert_false(quarter_parse(none[k], &q));
}

/* Seen to fail with a shift of 19 for i. */
static void three_sums_fit_in_one(void **state)
{
	uint64_t v = 0;
	uint64_t sum = 0;
	struct pack_count c = { 0 };

	assert_int_equal(pack_put(0, 5, &v, NULL), ERR_OK);
	assert_int_equal(v, 0);
	assert_int_equal(pack_put(3, 5, &v, NULL), ERR_OK);
	assert_int_equal(v, UINT64_C(3) << 34 | UINT64_C(1) << 20 | 3);
	assert_int_equal(pack_put(7, 5, &v, NULL), ERR_OK);
	assert_int_equal(v, UINT64_C(7) << 34 | UINT64_C(1) << 20 | 5);
	assert_int_equal(pack_put(PACK_X + 1, 5, &v, NULL), ERR_REFUSED);
	/* as many circles as there may be, each with as much as it may have */
	assert_int_equal(pack_put(PACK_X, PACK_T, &v, NULL), ERR_OK);
	for (unsigned k = 0; k < PACK_CIRCLES; k++)
		sum = share_add(sum, v);
	assert_int_equal(pack_get(sum, PACK_T, PACK_CIRCLES, &c, NULL), ERR_OK);
	assert_int_equal(c.x, (uint64_t)PACK_CIRCLES * PACK_X);
	assert_int_equal(c.i, PACK_CIRCLES);
	assert_int_equal(c.c, (uint64_t)PACK_CIRCLES * PACK_T);
}

/* What cannot come from so many circles is no sum: a spoiled contribution shows. */
static void impossible_sums_are_refused(void **state)
{
	static const struct {
		uint64_t x, i, c, circles;
		enum err want;
	} cases[] = {
		{ 0, 0, 0, 5, ERR_OK },      { 9, 2, 6, 5, ERR_OK },          { 9, 6, 9, 5, ERR_DAMAGED },
		{ 9, 2, 1, 5, ERR_DAMAGED }, { 9, 1, 6, 5, ERR_DAMAGED },     { 3, 2, 4, 5, ERR_DAMAGED },
		{ 4, 0, 0, 5, ERR_DAMAGED }, { 25000, 5, 9, 5, ERR_DAMAGED },
	};
	struct pack_count c;

	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
		assert_int_equal(
		    pack_get(cases[k].x << 34 | cases[k].i << 20 | cases[k].c, 5, cases[k].circles, &c, NULL),
		    cases[k].want);
	assert_int_equal(pack_get(UINT64_C(1) << 60, 5, 5, &c, NULL), ERR_DAMAGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_have_a_fixed_order), cmocka_unit_test(every_leaf_has_its_words),
		cmocka_unit_test(details_roll_up),          cmocka_unit_test(quarters_are_calendar_quarters),
		cmocka_unit_test(three_sums_fit_in_one),    cmocka_unit_test(impossible_sums_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
