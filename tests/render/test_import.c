// SPDX-License-Identifier: EUPL-1.2
// Goal: a spreadsheet that somebody kept is read in Dutch and English, whatever its dividers, dates and labels; what
// cannot be used is named by row and column, and nothing is guessed.
// Seen to catch: 22-9-2024 taken for a year first, a label with commas cut at the comma, "fout" let through, the first
// of two columns of one meaning kept, a BSN passed over in a text, cells beyond the header dropped, an apostrophe of
// export kept in a text, blank rows counted.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "render/import.h"

static struct bytes text(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

/* One column by one name, one cell: what it comes to. */
static void cells(void **state)
{
	static const struct {
		const char *in; /* the whole file */
		enum import_column column;
		const char *out; /* NULL: empty */
	} cases[] = {
		{ "datum\n22-9-2024\n", IMPORT_date, "2024-09-22" },
		{ "Date\n2024-02-29\n", IMPORT_date, "2024-02-29" },
		{ "DATUM\n1-2-2024\n", IMPORT_date, "2024-02-01" },
		{ "datum gesprek\n01-12-1999\n", IMPORT_date, "1999-12-01" },
		{ "datum;Kanaal\n1-2-2024;SPREEKUUR\n", IMPORT_channel, "spreekuur" },
		{ "datum;waar\n1-2-2024;Home Visit\n", IMPORT_channel, "huis" },
		{ "datum;wie\n1-2-2024;een organisatie\n", IMPORT_who, "dienst" },
		{ "datum;leefgebied\n1-2-2024;\"Wonen;Geldzaken\"\n", IMPORT_domains, "geld,wonen" },
		{ "datum;leefgebieden\n1-2-2024;Brieven, formulieren, DigiD, geld\n", IMPORT_domains, "geld,papieren" },
		{ "datum;domein\n1-2-2024;taal, taal ,TAAL\n", IMPORT_domains, "taal" },
		{ "datum;domein\n1-2-2024;\" , ; \"\n", IMPORT_domains, NULL },
		{ "datum;gedaan\n1-2-2024;samen opgelost\n", IMPORT_did, "samen_opgelost" },
		{ "date,what I did\n2024-01-02,\"Filled in together, called together\"\n", IMPORT_did,
		  "invullen,bellen" },
		{ "date,resident\n2024-01-02,  Omar \n", IMPORT_resident, "Omar" },
		{ "datum,naam\n2024-01-02,\" Omar\"\n", IMPORT_resident, "Omar" },
		{ "datum,tekst\n2024-01-02,\" twee\r\nregels \"\n", IMPORT_text, " twee\r\nregels " },
		{ "datum,tekst\n2024-01-02,\"'=1+1\"\n", IMPORT_text, "=1+1" },
		{ "datum,tekst\n2024-01-02,\"''=1\"\n", IMPORT_text, "'=1" },
		{ "datum,tekst\n2024-01-02,'t is goed\n", IMPORT_text, "'t is goed" },
		{ "datum,tekst\n2024-01-02,123456789\n", IMPORT_text, "123456789" },
		{ "datum,tekst\n2024-01-02,1234/56782\n", IMPORT_text, "1234/56782" },
		{ "datum,terugbellen\n2024-01-02,9-1-2024\n", IMPORT_follow_up, "2024-01-09" },
		{ "datum,teruggebeld\n2024-01-02,Ja\n", IMPORT_follow_up_done, "true" },
		{ "datum,teruggebeld\n2024-01-02,0\n", IMPORT_follow_up_done, "false" },
		{ "datum,kring\n2024-01-02,Tafel 1\n", IMPORT_circle, "Tafel 1" },
		{ "datum,organisatie\n2024-01-02,De Brug\n", IMPORT_service_name, "De Brug" },
		{ "datum,groep\n2024-01-02,hulp bij schulden\n", IMPORT_group, "schulden" },
		{ "datum,hoe\n2024-01-02,Brief of strook meegegeven\n", IMPORT_kind, "brief" },
		{ "datum,stand\n2024-01-02,Er is een afspraak\n", IMPORT_status, "afspraak" },
		{ "datum,datum_stand\n2024-01-02,3-1-2024\n", IMPORT_status_date, "2024-01-03" },
		{ "datum,reden\n2024-01-02,Geen plek\n", IMPORT_reason, "vol" },
		{ "datum,toestemming\n2024-01-02,In writing\n", IMPORT_consent, "schriftelijk" },
		{ "datum,toestemming voor\n2024-01-02,brief\n", IMPORT_consent_what, "brief" },
		{ "datum,veranderd\n2024-01-02,Weet ik niet\n", IMPORT_changed, "weet_niet" },
		{ "datum,Referral-Domain\n2024-01-02,Police and justice\n", IMPORT_referral_domain, "justitie" },
		{ "\xEF\xBB\xBF"
		  "datum\ttekst\r2024-01-02\t\xD9\x85\r",
		  IMPORT_text, "\xD9\x85" },
		{ "id,date,resident_id,versions,code\n4-aebagbafaydqq,2024-01-02,x,0,K7\n", IMPORT_id,
		  "4-aebagbafaydqq" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct errctx ec = { 0 };
		struct import_log log;
		char said[1024];

		if (import_parse(&ec, "f.csv", text(cases[i].in), &log) != ERR_OK)
			fail_msg("%s: %s", cases[i].in, err_text(&ec, NULL, said, sizeof(said)));
		if (log.unusable > 0)
			fail_msg("%s: %s", cases[i].in, log.problem[0].why);
		assert_int_equal(log.rows, 1);
		assert_non_null(log.header[cases[i].column]);
		if (cases[i].out == NULL)
			assert_null(log.row[0].cell[cases[i].column]);
		else
			assert_string_equal(log.row[0].cell[cases[i].column], cases[i].out);
		import_log_free(&log);
	}
}

/* The vector of docs/FORMAT.md. */
static void the_documented_table(void **state)
{
	static const char file[] =
	    "Datum;Waar;Leefgebied;Bewoner;Tekst;Organisatie;Hoe;Stand;Datum stand;Reden\n"
	    "1-3-2025;Spreekuur;\"Brieven, formulieren, DigiD\";Omar;\"'=1\";De Brug;info;niet gelukt;9-3-2025;Geen "
	    "plek\n";
	static const char *const want[IMPORT_COLUMN_COUNT] = { [IMPORT_date] = "2025-03-01",
		                                               [IMPORT_channel] = "spreekuur",
		                                               [IMPORT_domains] = "papieren",
		                                               [IMPORT_resident] = "Omar",
		                                               [IMPORT_text] = "=1",
		                                               [IMPORT_service_name] = "De Brug",
		                                               [IMPORT_kind] = "info",
		                                               [IMPORT_status] = "niet_gelukt",
		                                               [IMPORT_status_date] = "2025-03-09",
		                                               [IMPORT_reason] = "vol" };
	struct import_log log;

	assert_int_equal(import_parse(NULL, "f.csv", text(file), &log), ERR_OK);
	assert_int_equal(log.rows, 1);
	for (int c = 0; c < IMPORT_COLUMN_COUNT; c++) {
		if (want[c] == NULL)
			assert_null(log.row[0].cell[c]);
		else
			assert_string_equal(log.row[0].cell[c], want[c]);
	}
	import_log_free(&log);
}

/* Every problem of a file: "row/column/word of the sentence" with blanks between them. */
static void problems(void **state)
{
	static const struct {
		const char *in;
		size_t len; /* 0: up to the NUL */
		const char *out;
	} cases[] = {
		{ "datum\n22/9/2024\n", 0, "2/datum/date" },
		{ "datum\n22-9-24\n2024-13-01\n31-4-2024\n2023-02-29\n1-1-1800\nmorgen\n2024-01-01 10:00\n", 0,
		  "2/datum/date 3/datum/date 4/datum/date 5/datum/date 6/datum/date 7/datum/date 8/datum/date" },
		{ "Datum;Tekst\n;hallo\n\n;;\n", 0, "2/Datum/missing" },
		{ "datum,kanaal\n2024-01-02,fax\n2024-01-02,spreekuur huis\n", 0, "2/kanaal/list 3/kanaal/list" },
		{ "datum,domein\n2024-01-02,\"geld, fiets\"\n", 0, "2/domein/list" },
		{ "datum,status\n2024-01-02,fout\n2024-01-02,Verkeerd ingevuld\n", 0, "2/status/list 3/status/list" },
		{ "datum,teruggebeld\n2024-01-02,misschien\n", 0, "2/teruggebeld/yes" },
		{ "datum,tekst\n2024-01-02,nummer 1234 56 782\n", 0, "2/tekst/BSN" },
		{ "datum,bewoner\n2024-01-02,123456782\n", 0, "2/bewoner/BSN" },
		{ "datum,organisatie\n2024-01-02,\"a\nb\"\n", 0, "2/organisatie/line" },
		{ "datum,tekst\n2024-01-02,a,b\n", 0, "2/3/more cells" },
		{ "datum,,tekst\n2024-01-02,x,a\n", 0, "2/2/no name" },
		{ "datum,tekst\n2024-01-02,caf\xE9\n", 0, "2/tekst/letters" },
		{ "datum,tekst\n2024-01-02,a\0b\n", 27, "2/tekst/letters" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct import_log log;
		const char *want = cases[i].out;
		size_t len = cases[i].len == 0 ? strlen(cases[i].in) : cases[i].len;

		assert_int_equal(import_parse(NULL, "f.csv", (struct bytes){ (const uint8_t *)cases[i].in, len }, &log),
		                 ERR_OK);
		for (size_t k = 0; k < log.problems; k++) {
			char place[64];
			char word[16] = "";
			size_t n = 0;

			snprintf(place, sizeof(place), "%zu/%s/", log.problem[k].row, log.problem[k].column);
			if (strncmp(want, place, strlen(place)) != 0)
				fail_msg("%s: %s where %s was due", cases[i].in, place, want);
			want += strlen(place);
			n = strcspn(want, k + 1 < log.problems ? " " : "");
			snprintf(word, sizeof(word), "%.*s", (int)n, want);
			if (strstr(log.problem[k].why, word) == NULL)
				fail_msg("%s: %s", cases[i].in, log.problem[k].why);
			want += n + (want[n] == ' ');
		}
		assert_string_equal(want, "");
		import_log_free(&log);
	}
}

static void files_that_cannot_be_read(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		const char *says;
	} cases[] = {
		{ "", 0, "f.csv is empty" },
		{ "\n\n", 0, "f.csv is empty" },
		{ "tekst\nx\n", 0, "no column for the date" },
		{ "datum,fiets\n2024-01-02,x\n", 0, "row 1: the column fiets is not known here" },
		{ "datum,fiets\n", 0, "In Dutch: datum, kanaal, wie, leefgebied" },
		{ "datum,Dag\n", 0, "the columns datum and Dag mean the same" },
		{ "domein,leefgebied,datum\n", 0, "the columns domein and leefgebied mean the same" },
		{ "datum,\"tek\"st\n", 0, "row 1, column 2" },
		{ "dat\xFFum\n", 0, "row 1, column 1" },
		{ "\xFF\xFE"
		  "d\0a\0",
		  6, "in Excel as CSV UTF-8" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct errctx ec = { 0 };
		struct import_log log;
		char said[2048];
		size_t len = cases[i].len == 0 ? strlen(cases[i].in) : cases[i].len;

		assert_int_equal(import_parse(&ec, "f.csv", (struct bytes){ (const uint8_t *)cases[i].in, len }, &log),
		                 ERR_INPUT);
		assert_int_equal(log.rows, 0);
		err_text(&ec, NULL, said, sizeof(said));
		if (strstr(said, cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].in, said);
	}
}

static void names_of_columns_are_whole(void **state)
{
	struct errctx ec = { 0 };
	struct import_log log;

	assert_int_equal(import_parse(&ec, "f.csv", text("datum,fiets\n"), &log), ERR_INPUT);
	assert_int_equal(strlen(ec.arg[2]) < ERR_ARG_LEN - 1, 1);
	assert_int_equal(strlen(ec.arg[3]) < ERR_ARG_LEN - 1, 1);
	assert_non_null(strstr(ec.arg[2], "consent_until"));
}

/* All problems are counted, and the first ones told. */
static void many_problems(void **state)
{
	struct errctx ec = { 0 };
	struct import_log log;
	struct buf b = { 0 };

	assert_int_equal(buf_put_str(&b, "datum\n"), ERR_OK);
	for (int i = 0; i < 100; i++)
		assert_int_equal(buf_put_str(&b, "x\n"), ERR_OK);
	assert_int_equal(import_parse(NULL, "f.csv", buf_bytes(&b), &log), ERR_OK);
	assert_int_equal(log.unusable, 100);
	assert_int_equal(log.problems, IMPORT_PROBLEMS_MAX);
	assert_int_equal(import_problems_error(&ec, &log), ERR_INPUT);
	assert_string_equal(ec.arg[1], "2");
	assert_string_equal(ec.arg[3], "100");
	import_log_free(&log);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells),
		cmocka_unit_test(the_documented_table),
		cmocka_unit_test(problems),
		cmocka_unit_test(files_that_cannot_be_read),
		cmocka_unit_test(names_of_columns_are_whole),
		cmocka_unit_test(many_problems),
	};

	return cmocka_run_group_tests_name("render/import", tests, NULL, NULL);
}
