// SPDX-License-Identifier: EUPL-1.2
// Goal: a sentence is always shown, in the language that was chosen or else in English, with its values in place
// and in the plural form that the language asks for.
// Seen to catch: `<` for `<=` in form_arabic(), a table sorted by its escaped msgids, `%%` printed as two signs,
// `own > most` turned round and FILLED_OWN at 0 in lang.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gen/lang_tables.h"
#include "render/lang.h"

static void names_are_read(void **state)
{
	static const struct {
		const char *name;
		enum err e;
		enum lang lang;
	} cases[] = {
		{ "nl", ERR_OK, LANG_NL },
		{ "en", ERR_OK, LANG_EN },
		{ "ar", ERR_OK, LANG_AR },
		{ "tr", ERR_OK, LANG_TR },
		{ "nl_NL.UTF-8", ERR_OK, LANG_NL },
		{ "en-GB", ERR_OK, LANG_EN },
		{ "", ERR_NOT_FOUND, LANG_COUNT },
		{ "n", ERR_NOT_FOUND, LANG_COUNT },
		{ "nlx", ERR_NOT_FOUND, LANG_COUNT },
		{ "de", ERR_NOT_FOUND, LANG_COUNT },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		enum lang lang = LANG_COUNT;

		assert_int_equal(lang_parse(cases[i].name, &lang), cases[i].e);
		assert_int_equal(lang, cases[i].lang);
		if (cases[i].e == ERR_OK)
			assert_int_equal(strncmp(lang_name(lang), cases[i].name, 2), 0);
	}
	assert_true(lang_is_rtl(LANG_AR));
	assert_false(lang_is_rtl(LANG_TR));
}

static void a_missing_translation_is_english(void **state)
{
	static const char msgid[] = "No table has this sentence.";

	for (int i = 0; i < LANG_COUNT; i++)
		assert_ptr_equal(lang_tr((enum lang)i, msgid), msgid);
	assert_string_equal(lang_plural(LANG_AR, 1, "one thing", "%1 things"), "one thing");
	assert_string_equal(lang_plural(LANG_AR, 3, "one thing", "%1 things"), "%1 things");
	assert_string_equal(lang_plural(LANG_NL, 0, "one thing", "%1 things"), "%1 things");
}

/* Every message of every table is found by its msgid: the order of the build is the order of strcmp(). */
static void every_entry_is_found(void **state)
{
	static const struct {
		const struct lang_entry *entry;
		const size_t *count;
	} tables[LANG_COUNT] = {
		[LANG_NL] = { lang_table_nl, &lang_table_nl_len },
		[LANG_EN] = { lang_table_en, &lang_table_en_len },
		[LANG_AR] = { lang_table_ar, &lang_table_ar_len },
		[LANG_TR] = { lang_table_tr, &lang_table_tr_len },
	};

	assert_true(lang_table_nl_len > 0);
	for (int l = 0; l < LANG_COUNT; l++) {
		for (size_t i = 0; i < *tables[l].count; i++)
			assert_ptr_equal(lang_tr((enum lang)l, tables[l].entry[i].id), tables[l].entry[i].form[0]);
		assert_null(tables[l].entry[*tables[l].count].id);
	}
}

/* What a table holds is what is said: each form of each message under the numbers that ask for it. */
static void plural_forms_follow_the_language(void **state)
{
	static const uint64_t numbers[] = { 0, 1, 2, 5, 11, 21, 100, 101 };

	for (size_t i = 0; i < lang_table_nl_len; i++) {
		const struct lang_entry *e = &lang_table_nl[i];

		for (size_t k = 0; e->form[1] != NULL && k < sizeof(numbers) / sizeof(*numbers); k++)
			assert_ptr_equal(lang_plural(LANG_NL, numbers[k], e->id, "unused"), e->form[numbers[k] != 1]);
	}
	assert_int_equal(lang_form(LANG_EN, 1), 0);
	assert_int_equal(lang_form(LANG_EN, 21), 1);
	assert_int_equal(lang_form(LANG_TR, 0), 1);
}

/* The source of the expectations: Unicode CLDR, cardinal rules for Arabic. */
static void arabic_has_six_forms(void **state)
{
	static const struct {
		uint64_t n;
		unsigned form;
	} cases[] = {
		{ 0, 0 },   { 1, 1 },   { 2, 2 },   { 3, 3 },   { 10, 3 },  { 11, 4 },   { 99, 4 },
		{ 100, 5 }, { 101, 5 }, { 102, 5 }, { 103, 3 }, { 111, 4 }, { 1000, 5 }, { 1003, 3 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(lang_form(LANG_AR, cases[i].n), cases[i].form);
}

static void values_are_filled_in(void **state)
{
	static const char *const args[] = { "A", "", "c%1" };
	static const struct {
		const char *template;
		const char *text;
	} cases[] = {
		{ "", "" },
		{ "%1", "A" },
		{ "%3 %1%1", "c%1 AA" }, /* a value is not read as a template */
		{ "[%2]", "[]" },
		{ "100 %% of %1", "100 % of A" },
		{ "%4 stays", "%4 stays" },
		{ "%", "%" },
		{ "%x", "%x" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf out = { 0 };

		assert_int_equal(lang_fill(&out, cases[i].template, args, 3), ERR_OK);
		assert_int_equal(buf_terminate(&out), ERR_OK);
		assert_string_equal((char *)out.data, cases[i].text);
		buf_free(&out);
	}
}

/* What the courier reports has its values in it already. */
static void a_filled_sentence_is_told_again(void **state)
{
	static const struct {
		const char *english;
		const char *dutch;
	} cases[] = {
		{ "/srv/hof.git was not found.", "/srv/hof.git is niet gevonden." },
		{ "The repository /a %1 b is damaged: x: y.", "De gedeelde opslag /a %1 b is beschadigd: x: y." },
		{ "It did not work.", "Het is niet gelukt." },
		{ "one, two: three", "one, two: three" }, // fits "%1, %2: %3", which has hardly a word of its own
		{ "Nobody ever wrote this.", "Nobody ever wrote this." },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (int in_dutch = 0; in_dutch <= 1; in_dutch++) {
			struct buf out = { 0 };

			assert_int_equal(lang_tr_filled(&out, in_dutch ? LANG_NL : LANG_EN, cases[i].english), ERR_OK);
			assert_int_equal(buf_terminate(&out), ERR_OK);
			assert_string_equal(out.data, in_dutch ? cases[i].dutch : cases[i].english);
			buf_free(&out);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_read),
		cmocka_unit_test(a_missing_translation_is_english),
		cmocka_unit_test(every_entry_is_found),
		cmocka_unit_test(plural_forms_follow_the_language),
		cmocka_unit_test(arabic_has_six_forms),
		cmocka_unit_test(values_are_filled_in),
		cmocka_unit_test(a_filled_sentence_is_told_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
