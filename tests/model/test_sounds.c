// SPDX-License-Identifier: EUPL-1.2
// Goal: names that people write in several ways have one key, and names that are not alike have different ones. The
// names are common ones of no person in particular. Seen to fail with: ch as s at the start, d kept within a word,
// the class of the first vowel left out, doubled letters kept, accents that divide a word.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/sounds.h"

static void key(const char *text, struct buf *out)
{
	*out = (struct buf){ 0 };
	assert_int_equal(sounds_put((struct bytes){ (const uint8_t *)text, strlen(text) }, out), ERR_OK);
	assert_int_equal(buf_terminate(out), ERR_OK);
}

/* Each row is one name in its spellings. */
static void alike(void **state)
{
	static const char *const names[][6] = {
		{ "Mohammed", "Mohamed", "Muhammed", "Mohammad", "Muhammad", "mohamed" },
		{ "Fatima", "Fatma", "Fatimah", "FATIMA", "Fátima", "Fatiema" },
		{ "Noûr", "Nour", "Noer", "Nur", "Noor", "Nu\xCC\x82r" },
		{ "Yusuf", "Youssef", "Joesoef", "Yousef", "Jusuf", "Yoesoef" },
		{ "Ayşe", "Aisja", "Aicha", "Ayse", "Aïcha", "Aysha" },
		{ "Khadija", "Chadisja", "Hatice", "Khadidja", "Chadija" },
		{ "Çetin", "Cetin", "Setin", "Tsjetin" },
		{ "Jansen", "Janssen", "Janszen", "Yansen" },
		{ "Pieter", "Piter", "Peter", "Pietter" },
		{ "Ahmed", "Ahmet" },
		{ "Hussein", "Hoessein", "Huseyin", "Houssein" },
		{ "Zeynep", "Zainab", "Zeineb", "Zaynab" },
		{ "Abdullah", "Abdoellah", "Abdellah", "Abdallah" },
		{ "Rachid", "Rashid", "Rasjid", "Raşit" },
		{ "Bouchra", "Bushra", "Boesjra", "Büşra" },
		{ "Ibrahim", "Ebrahim", "Ibrahiem", "İbrahim" },
		{ "Wafa", "Ouafa", "Waffa", "Ouaffa" },
		{ "Anwar", "Anouar" },
		{ "Şeyma", "Seyma", "Shayma", "Sjeyma" },
		{ "Sa'id", "Said", "Saïd", "Sayid" },
		{ "Sara", "Sarah", "Zara" },
		{ "Philip", "Filip", "Fillip", "Phillip" },
		{ "Kees", "Kes" },
		{ "Marijke", "Marike", "Mareike" },
		{ "Yılmaz", "Yilmaz", "Jilmaz", "Yillmaz" },
		{ "Vincent", "Finsent", "Vinsent" },
		{ "Eyüp", "Eyub", "Eyup" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct buf first = { 0 };

		key(names[i][0], &first);
		assert_true(first.len > 1);
		for (size_t k = 1; k < 6 && names[i][k] != NULL; k++) {
			struct buf other = { 0 };

			key(names[i][k], &other);
			if (strcmp((const char *)first.data, (const char *)other.data) != 0)
				fail_msg("%s is %s, %s is %s", names[i][0], (const char *)first.data, names[i][k],
				         (const char *)other.data);
			buf_free(&other);
		}
		buf_free(&first);
	}
}

static void apart(void **state)
{
	static const char *const pairs[][2] = {
		{ "Fatima", "Farida" },  { "Mohammed", "Mahmoud" }, { "Ali", "Ella" },        { "Ali", "Lia" },
		{ "Jan", "Jos" },        { "Jan", "Joan" },         { "Hassan", "Hussein" },  { "Dina", "Tina" },
		{ "Ahmed", "Hamed" },    { "Noor", "Naar" },        { "Pieter", "Pepijn" },   { "Karim", "Karima" },
		{ "Yusuf", "Yasser" },   { "Omar", "Amar" },        { "Emine", "Amina" },     { "Jansen", "Hansen" },
		{ "Rachid", "Rachida" }, { "Samira", "Samir" },     { "Bart", "Mart" },       { "Nadia", "Naima" },
		{ "Khalid", "Walid" },   { "Linda", "Lisa" },       { "Mehmet", "Mohammed" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct buf a = { 0 };
		struct buf b = { 0 };

		key(pairs[i][0], &a);
		key(pairs[i][1], &b);
		if (strcmp((const char *)a.data, (const char *)b.data) == 0)
			fail_msg("%s and %s are both %s", pairs[i][0], pairs[i][1], (const char *)a.data);
		buf_free(&a);
		buf_free(&b);
	}
}

/* What is no name, and names of more than one word. */
static void words(void **state)
{
	static const struct {
		const char *text;
		const char *keys;
	} cases[] = {
		{ "", "" },
		{ " - 12 .", "" },
		{ "B.", "" },
		{ "Oe", "" },
		{ "Ali", "ala " },
		{ "Mw. Yılmaz-Jansen (2)", "jelms jansn " },
		{ "Abu Bakr", "aba bakr " },
		{ "محمد", "" },
		{ "Max", "maks " },
		{ "aziz", "ass " },
		{ "\xFF\xFE", "" },
		{ "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm", "" },
		{ "xaxaxaxaxaxaxaxaxaxaxaxaxaxaxaxaxaxaxaxaxaxaxaxaxaxaxaxaxaxaxaxaxaxaxaxa",
		  "ksaksksksksksksksksksksksksksksksksksksksksksksksa " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf k = { 0 };

		key(cases[i].text, &k);
		assert_string_equal((const char *)k.data, cases[i].keys);
		buf_free(&k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(alike), cmocka_unit_test(apart), cmocka_unit_test(words) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
