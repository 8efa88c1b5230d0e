// SPDX-License-Identifier: EUPL-1.2
// Goal: the words of a recovery sheet are those of docs/FORMAT.md, are read back however a person types them, and a
// slip is told as what it is before anything is tried.
//
// Seen to fail when: the checksum is not compared; capitals are not read; a word that is not in the list counts as
// word 0; what stands before the mark is read too.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"
#include "crypto/secret.h"
#include "crypto/sheet.h"

static uint64_t seed = 20261130;

static uint64_t next(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * 0x2545F4914F6CDD1DULL;
}

#define WORDS "bada boda nafo boda kadu bata fadi falo bosa ladu jata duni bala nola jufi joda"

static void counted(uint8_t secret[static SHEET_SECRET_LEN])
{
	for (int i = 0; i < SHEET_SECRET_LEN; i++)
		secret[i] = (uint8_t)i;
}

static void text_of(const uint8_t *secret, char out[static SHEET_WORDS * 5])
{
	struct sheet_words w;

	sheet_words_put(secret, &w);
	for (int i = 0; i < SHEET_WORDS; i++)
		snprintf(out + 5 * i, 6, "%.4s%s", w.word[i], i + 1 < SHEET_WORDS ? " " : "");
}

static struct bytes bytes_of(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

static void the_vector_of_the_format(void **state)
{
	uint8_t secret[SHEET_SECRET_LEN];
	uint8_t public[BOX_PUBLIC_LEN];
	uint8_t box[BOX_SECRET_LEN];
	uint8_t author[SHEET_AUTHOR_LEN];
	char text[SHEET_WORDS * 5];
	char hex[2 * BOX_PUBLIC_LEN + 1];

	(void)state;
	counted(secret);
	text_of(secret, text);
	assert_string_equal(text, WORDS);
	sheet_keypair(secret, public, box);
	hex_put(public, sizeof(public), hex);
	assert_string_equal(hex, "195935faf1a605cf40177086759ba0664b0e4f1bc631a4c66c82d6db2c09a80f");
	sheet_author_key(secret, author);
	hex_put(author, sizeof(author), hex);
	assert_string_equal(hex, "9f9c756eac82dcedc1c14c3095e06e59e0f2749acff6a8d7e6b27e1100b7db32");
}

/* Made with Python's hashlib and libsodium alone. */
static void the_devices_of_the_format(void **state)
{
	static const struct {
		unsigned number;
		const char *tag;
		const char *sign;
		const char *box;
	} wanted[] = {
		{ 0, "01fbb3ac2e", "de3b762c1ba4b7fd2b2c1b13a493bb7bda348dc3b33c2e77b4a0d95892ac9e99",
		  "bdeaa546225157715ae4746970410e61eacc16933b176c63418a0cde411a2f29" },
		{ 63, "bcd6611763", "627919f5c451b24b4c7e47a609231ce976234f481a771f649cb6f367a5d160de",
		  "cad0a687ab16fa1347545fcbcc4c8f5a71c26d17fbbd9c9d0eb311b825037052" },
	};
	uint8_t secret[SHEET_SECRET_LEN];
	uint8_t public[BOX_PUBLIC_LEN];
	uint8_t box[BOX_SECRET_LEN];
	uint8_t author[SHEET_AUTHOR_LEN];
	char hex[2 * BOX_PUBLIC_LEN + 1];

	(void)state;
	counted(secret);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct sheet_device d;
		uint8_t sig[SIGN_LEN];

		sheet_device(secret, wanted[i].number, &d);
		hex_put(d.tag, sizeof(d.tag), hex);
		assert_string_equal(hex, wanted[i].tag);
		hex_put(d.sign, sizeof(d.sign), hex);
		assert_string_equal(hex, wanted[i].sign);
		hex_put(d.box, sizeof(d.box), hex);
		assert_string_equal(hex, wanted[i].box);
		sign_make(d.sign_secret, bytes_of("a batch"), sig);
		assert_true(sign_check(d.sign, bytes_of("a batch"), sig));
	}
	sheet_letter_keys(secret, public, box, author);
	hex_put(public, sizeof(public), hex);
	assert_string_equal(hex, "d706bc6112fdb765ea126e7ca0a64c1982405bd3a3fc0fdca3335e483ce23b74");
	hex_put(author, sizeof(author), hex);
	assert_string_equal(hex, "4225c2bfaf991b39d8e8a8cc563aa3b9d3c88cc104672dcdd042887d8521d57d");
}

static void every_word_of_the_list_comes_back(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 2048; n++) {
		char w[WORD_LEN];
		unsigned back = 4096;

		word_put(n, w);
		assert_true(word_get(w, &back));
		assert_int_equal(back, n);
	}
}

/* As people type and machines scan. */
static void typed_in_any_way(void **state)
{
	static const char *const typed[] = {
		WORDS,
		"BADA BODA NAFO BODA KADU BATA FADI FALO BOSA LADU JATA DUNI BALA NOLA JUFI JODA\n",
		"  Bada boda\tnafo   boda\r\nkadu bata fadi falo\n\nbosa, ladu, jata, duni;\nbala nola jufi joda.  ",
		"1. bada 2. boda 3. nafo 4. boda 5 kadu 6 bata 7 fadi 8 falo (9) bosa 10) ladu 11:jata 12=duni 13bala "
		"14nola 15-jufi 16/joda",
		"bada-boda-nafo-boda-kadu-bata-fadi-falo-bosa-ladu-jata-duni-bala-nola-jufi-joda",
		"\xEF\xBB\xBF" WORDS,
		"bada\xC2\xA0"
		"boda nafo boda kadu bata fadi falo bosa ladu jata duni bala nola jufi joda",
		"SLBSHEET1 3 BADA BODA NAFO BODA KADU BATA FADI FALO BOSA LADU JATA DUNI BALA NOLA JUFI JODA",
		"slbsheet1\n" WORDS,
		"Herstelblad nummer 3\nTyp deze woorden.\n\nSLBSHEET1 3 " WORDS "\n\nRecovery sheet number 3\n",
	};
	uint8_t want[SHEET_SECRET_LEN];

	(void)state;
	counted(want);
	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
		uint8_t got[SHEET_SECRET_LEN];
		struct errctx ec = { .code = ERR_OK };

		if (sheet_words_get(&ec, bytes_of(typed[i]), got) != ERR_OK)
			fail_msg("case %zu: %s %s", i, ec.msg, ec.arg[0]);
		assert_memory_equal(got, want, sizeof(want));
	}
}

static void a_slip_is_told(void **state)
{
	static const struct {
		const char *typed;
		const char *told; /* the beginning of the sentence */
		const char *value;
	} cases[] = {
		{ "", "There are %1 words", "0" },
		{ "bada boda", "There are %1 words", "2" },
		{ WORDS " bada", "There are more than 16", "" },
		{ WORDS " " WORDS, "There are more than 16", "" },
		{ "bada boda nafo boda kadu bata fadi falo bosa ladu jata duni bala nola jufi", "There are %1 words",
		  "15" },
		{ "bada boda nafo boda kadu bata fadi falo bosa ladu jata duni bala nola jufi jodo", "One of the words",
		  "" },
		/* two changed places */
		{ "boda bada nafo boda kadu bata fadi falo bosa ladu jata duni bala nola jufi joda", "One of the words",
		  "" },
		/* not in the list: another letter, too long, too short, an accent */
		{ "bada boda nafo boda keda bata fadi falo bosa ladu jata duni bala nola jufi joda", "Word %1", "5" },
		{ "bada boda nafo boda kadu bata fadi falo bosa ladu jata duni bala nola jufi jodaa", "Word %1", "16" },
		{ "bad boda nafo boda kadu bata fadi falo bosa ladu jata duni bala nola jufi joda", "Word %1", "1" },
		{ "bada b\xC3\xB3"
		  "da nafo boda kadu bata fadi falo bosa ladu jata duni bala nola jufi joda",
		  "Word %1", "2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static const uint8_t zero[SHEET_SECRET_LEN];
		uint8_t got[SHEET_SECRET_LEN] = { 1 };
		struct errctx ec = { .code = ERR_OK };

		assert_int_equal(sheet_words_get(&ec, bytes_of(cases[i].typed), got), ERR_INPUT);
		if (strncmp(ec.msg, cases[i].told, strlen(cases[i].told)) != 0)
			fail_msg("case %zu: %s", i, ec.msg);
		assert_string_equal(ec.arg[0], cases[i].value);
		assert_memory_equal(got, zero, sizeof(zero));
	}
}

/* One word in another's place passes the checksum once in 65,536 times: of 5,000 at most two, and none with this seed.
 */
static void another_word_does_not_pass(void **state)
{
	unsigned passed = 0;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		uint8_t secret[SHEET_SECRET_LEN];
		uint8_t got[SHEET_SECRET_LEN];
		char text[SHEET_WORDS * 5];
		char was[WORD_LEN];
		size_t at = next() % SHEET_WORDS * 5;

		for (int k = 0; k < SHEET_SECRET_LEN; k++)
			secret[k] = (uint8_t)(next() >> 30);
		text_of(secret, text);
		assert_int_equal(sheet_words_get(NULL, bytes_of(text), got), ERR_OK);
		assert_memory_equal(got, secret, sizeof(got));
		memcpy(was, text + at, WORD_LEN);
		do {
			word_put(next() >> 20 & 2047, text + at);
		} while (memcmp(was, text + at, WORD_LEN) == 0);
		passed += sheet_words_get(NULL, bytes_of(text), got) == ERR_OK;
	}
	assert_true(passed <= 2);
}

/* Anything may be fed to it. */
static void any_bytes(void **state)
{
	static const char parts[][12] = {
		"bada", " ", "SLBSHEET1", "\n", "1", "\xC2", "\xA0", "\xEF\xBB", "joda ", "zz"
	};

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint8_t in[300];
		uint8_t got[SHEET_SECRET_LEN];
		size_t len = 0;
		size_t want = next() % 280;

		while (len < want) {
			const char *part = parts[next() % 10];

			if (next() % 4 == 0) {
				in[len++] = (uint8_t)(next() >> 40);
			} else {
				memcpy(in + len, part, strlen(part));
				len += strlen(part);
			}
		}
		assert_int_equal(sheet_words_get(NULL, (struct bytes){ in, len }, got), ERR_INPUT);
		assert_true(sheet_words_look((struct bytes){ in, len }).count <= SHEET_WORDS + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_devices_of_the_format),
		cmocka_unit_test(the_vector_of_the_format),
		cmocka_unit_test(every_word_of_the_list_comes_back),
		cmocka_unit_test(typed_in_any_way),
		cmocka_unit_test(a_slip_is_told),
		cmocka_unit_test(another_word_does_not_pass),
		cmocka_unit_test(any_bytes),
	};

	return crypto_start() != ERR_OK ? 1 : cmocka_run_group_tests_name("crypto/sheet", tests, NULL, NULL);
}
