// SPDX-License-Identifier: EUPL-1.2
// Goal: words and hours of foreign directories become our ids and one way of writing, and what is not understood is
// said to be so.
// Seen to catch: a word matched inside another ("network" for work), ties going to the last group, 12 am as noon.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "render/hours.h"
#include "render/terms.h"

static void words_become_ids(void **state)
{
	static const struct {
		const char *terms[4];
		const char *group;
		const char *domains;
	} cases[] = {
		{ { NULL }, "anders", "" },
		{ { "Underwater basket weaving" }, "anders", "" },
		{ { "Debt counselling" }, "schulden", "geld" },
		{ { "HOUSING" }, "wonen", "wonen" },
		{ { "Support Network" }, "welzijn", "meedoen" },
		{ { "Emergency Shelter", "Help Pay for Housing" }, "wonen", "geld,wonen" },
		{ { "Legal", "Housing" }, "wonen", "wonen" }, /* of equals the first in lists.def */
		{ { "Legal", "Advocacy & Legal Aid", "Housing" }, "recht", "wonen" },
		{ { "Hulp bij schulden" }, "schulden", "geld" },
		{ { "Buurtteam" }, "buurtteam", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct terms terms = { 0 };
		struct buf domains = { 0 };

		for (size_t k = 0; k < 4 && cases[i].terms[k] != NULL; k++)
			terms_hear(&terms, cases[i].terms[k], strlen(cases[i].terms[k]));
		assert_string_equal(terms_group(&terms), cases[i].group);
		assert_int_equal(terms_domains(&terms, &domains), ERR_OK);
		assert_int_equal(buf_terminate(&domains), ERR_OK);
		assert_string_equal((char *)domains.data, cases[i].domains);
		buf_free(&domains);
	}
}

/* TERMS_GROUPS and TERMS_DOMAINS are the lengths of the lists. */
static void the_lists_are_whole(void **state)
{
	size_t groups = 0;
	size_t domains = 0;

#define LIST(list)
#define ITEM(list, id, dutch, english)                                                                                 \
	if (strcmp(#list, "group") == 0 || strcmp(#list, "domain") == 0) {                                             \
		if (*#list == 'g')                                                                                     \
			groups++;                                                                                      \
		else                                                                                                   \
			domains++;                                                                                     \
		assert_true(terms_is_id(#list, #id, strlen(#id)));                                                     \
	}
#include "schema/lists.def"
#undef LIST
#undef ITEM
	assert_int_equal(groups, TERMS_GROUPS);
	assert_int_equal(domains, TERMS_DOMAINS);
	assert_false(terms_is_id("group", "wone", 4));
	assert_false(terms_is_id("group", "geld", 4));
	assert_false(terms_is_id("none", "geld", 4));
}

static void languages_become_codes(void **state)
{
	static const struct {
		const char *name;
		const char *code;
	} cases[] = {
		{ "Spanish", "es" },  { "Chinese (Mandarin)", "cmn" },
		{ "arabisch", "ar" }, { "TR", "tr" },
		{ "Span", NULL },     { "", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *code = terms_language(cases[i].name, strlen(cases[i].name));

		if (cases[i].code == NULL)
			assert_null(code);
		else
			assert_string_equal(code, cases[i].code);
	}
}

static void days_and_times_are_read(void **state)
{
	static const struct {
		const char *text;
		int day;
	} days[] = {
		{ "Monday", 0 }, { "tue", 1 }, { "WE", 2 },       { "donderdag", 3 },
		{ "Zo", 6 },     { "S", -1 },  { "Mondays", -1 }, { "", -1 },
	};
	static const struct {
		const char *text;
		int minutes;
	} times[] = {
		{ "08:00", 480 },   { "8.30", 510 },  { "24:00", 1440 },  { "24:01", -1 }, { "9am", 540 },
		{ "3pm", 900 },     { "12 AM", 0 },   { "12:15pm", 735 }, { "13pm", -1 },  { "0am", -1 },
		{ "4:00 PM", 960 }, { "9", -1 },      { "9:5", -1 },      { "09:60", -1 }, { "", -1 },
		{ "noon", -1 },     { "123:00", -1 }, { "08:00x", -1 },   { "-1:00", -1 }, { "8:", -1 },
	};

	for (size_t i = 0; i < sizeof(days) / sizeof(*days); i++)
		assert_int_equal(hours_weekday(days[i].text), days[i].day);
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++)
		assert_int_equal(hours_time(times[i].text), times[i].minutes);
}

static void a_week_is_one_line(void **state)
{
	struct hours hours = { 0 };
	struct buf out = { 0 };

	assert_int_equal(hours_put(&hours, &out), ERR_OK);
	assert_int_equal(out.len, 0);
	for (int day = 0; day < 5; day++)
		assert_int_equal(hours_add(&hours, day, 540, 1020), ERR_OK);
	assert_int_equal(hours_add(&hours, 2, 480, 500), ERR_OK); /* added later, opens earlier */
	assert_int_equal(hours_add(&hours, 6, 0, 1440), ERR_OK);
	assert_int_equal(hours_put(&hours, &out), ERR_OK);
	assert_int_equal(buf_terminate(&out), ERR_OK);
	assert_string_equal((char *)out.data,
	                    "Mo-Tu 09:00-17:00; We 08:00-08:20,09:00-17:00; Th-Fr 09:00-17:00; Su 00:00-24:00");
	buf_free(&out);
	for (int i = 0; i < HOURS_PER_DAY; i++)
		assert_int_equal(hours_add(&hours, 5, i, i + 1), ERR_OK);
	assert_int_equal(hours_add(&hours, 5, 9, 10), ERR_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_become_ids),       cmocka_unit_test(the_lists_are_whole),
		cmocka_unit_test(languages_become_codes), cmocka_unit_test(days_and_times_are_read),
		cmocka_unit_test(a_week_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
