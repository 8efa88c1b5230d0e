// SPDX-License-Identifier: EUPL-1.2
// Goal: search finds what is written like the words first, then names that sound like them, and a home of an earlier
// version finds them too once it is opened; a new resident is told of others whose name sounds alike. Seen to fail
// with: the passes of a search the other way round, the sound column left out of the filter for what is written, rows
// not made again after the migration, a resident listed as similar to themselves.
#include "desk.h"

#include <sqlite3.h>

#include "app/finding.h"
#include "vault/vault.h"

static int open_desk(void **state)
{
	struct desk *d = test_calloc(1, sizeof(*d));

	desk_open(d);
	desk_space(d, SPACE_CIRCLE, "Tafel", NULL);
	*state = d;
	return 0;
}

static int close_desk(void **state)
{
	struct desk *d = *state;

	desk_close(d);
	test_free(d);
	return 0;
}

static void person(struct desk *d, const char *nick, char id[ID_TEXT_LEN])
{
	assert_int_equal(resident_add(&d->ec, d->app, NULL, &(struct resident_fields){ .nick = nick }, id), ERR_OK);
}

static void talk(struct desk *d, const char *nick, const char *text)
{
	char id[ID_TEXT_LEN];

	assert_int_equal(
	    contact_add(&d->ec, d->app, NULL, &(struct contact_fields){ .resident = nick, .text = text }, id), ERR_OK);
}

/* The snippets that a search gives, one after the other, without their marks. */
static void expect_found(struct desk *d, const char *words, const char *want)
{
	struct found_list l;
	char text[1024] = "";
	size_t n = 0;

	assert_int_equal(finding_search(&d->ec, d->app, words, 50, &l), ERR_OK);
	for (size_t i = 0; i < l.n; i++) {
		for (const char *p = l.item[i].snippet; *p != '\0'; p++) {
			if (*p != FOUND_BEGIN && *p != FOUND_END)
				text[n++] = *p;
		}
		text[n++] = ';';
	}
	text[n] = '\0';
	if (strcmp(text, want) != 0)
		fail_msg("%s: found \"%s\", want \"%s\"", words, text, want);
	found_list_free(&l);
}

static const struct {
	const char *words;
	const char *found;
} searches[] = {
	{ "fatiema", "Fatma;" },
	{ "fatima brief", "" },
	{ "muhamad brief", "brief van de gemeente;" },
	{ "yilmas", "Mw. Yılmaz-Jansen;" },
	{ "yilmaz janssen", "Mw. Yılmaz-Jansen;" },
	{ "gemeentes", "" },   /* text is found as it is written, not as it sounds */
	{ "moh", "Mohamed;" }, /* a key is found whole only: "mohmt" does not begin with what was typed */
	{ "jelm", "" },
	{ "fatma -", "Fatma;" },
	{ "- \"", "" },
};

static void fill(struct desk *d)
{
	char id[ID_TEXT_LEN];

	talk(d, "Muhammed", "brief van de gemeente");
	person(d, "Mohamed", id);
	person(d, "Fatma", id);
	person(d, "Mw. Yılmaz-Jansen", id);
}

static void by_sound(void **state)
{
	struct desk *d = *state;

	fill(d);
	for (size_t i = 0; i < sizeof(searches) / sizeof(searches[0]); i++)
		expect_found(d, searches[i].words, searches[i].found);
}

/* What is written so comes first, at whatever place it has in the index. */
static void written_first(void **state)
{
	struct desk *d = *state;
	static const char *const names[] = { "Mohammed", "Muhammed", "Mohamed", "Muhammad" };
	char id[ID_TEXT_LEN];

	for (size_t i = 0; i < 4; i++)
		person(d, names[i], id);
	for (size_t i = 0; i < 4; i++) {
		struct found_list l;

		assert_int_equal(finding_search(&d->ec, d->app, names[i], 50, &l), ERR_OK);
		assert_int_equal(l.n, 4);
		assert_int_equal(l.item[0].snippet[0], FOUND_BEGIN);
		assert_memory_equal(l.item[0].snippet + 1, names[i], strlen(names[i]));
		found_list_free(&l);
		/* and a limit holds for both together */
		assert_int_equal(finding_search(&d->ec, d->app, names[i], 2, &l), ERR_OK);
		assert_int_equal(l.n, 2);
		found_list_free(&l);
	}
}

/* Even far down in a long note, where a short name that sounds alike has the higher rank. */
static void long_note(void **state)
{
	struct desk *d = *state;
	struct found_list l;
	char id[ID_TEXT_LEN];
	char text[4096] = "";

	for (size_t i = 0; i < 200; i++)
		strcat(text, i % 2 == 0 ? "huur " : "werk ");
	strcat(text, "yusuf");
	person(d, "Youssef", id);
	talk(d, NULL, text);
	assert_int_equal(finding_search(&d->ec, d->app, "yusuf", 50, &l), ERR_OK);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.item[0].kind, "contact");
	assert_string_equal(l.item[1].kind, "resident");
	found_list_free(&l);
}

/* A new name, or none any more, and the contacts with it are found by the new one. */
static void renamed(void **state)
{
	struct desk *d = *state;
	struct resident_list l;
	char same[ID_TEXT_LEN];

	talk(d, "Fatma", "over werk");
	assert_int_equal(resident_list_all(&d->ec, d->app, NULL, &l), ERR_OK);
	assert_int_equal(
	    resident_edit(&d->ec, d->app, l.item[0].id, &(struct resident_fields){ .nick = "Yusuf" }, same), ERR_OK);
	resident_list_free(&l);
	expect_found(d, "fatima", "");
	expect_found(d, "joesoef werk", "over werk;");
}

/* Of version 4. */
static const char *const later_triggers[] = {
	"spare_added",  "spare_gone",    "kept_added",    "kept_changed", "kept_gone",
	"space_added",  "space_changed", "space_gone",    "device_added", "device_changed",
	"device_gone",  "epoch_added",   "epoch_changed", "epoch_gone",   "undo_added",
	"undo_changed", "undo_gone",     "letter_added",  "letter_sent",  "letter_gone",
};

/* A home as version 2 left it. */
static void earlier_version(void **state)
{
	static const uint8_t master[32] = { 7 };
	struct desk *d = *state;
	struct app_options o = { .home = d->home, .clock = &d->clock, .rng = &d->rng };
	struct resident_list l;
	char id[ID_TEXT_LEN];

	fill(d);
	for (size_t i = 0; i < sizeof(later_triggers) / sizeof(later_triggers[0]); i++) {
		char sql[80];

		snprintf(sql, sizeof(sql), "DROP TRIGGER %s", later_triggers[i]);
		assert_int_equal(sqlite3_exec(vault_db(d->app->vault), sql, NULL, NULL, NULL), SQLITE_OK);
	}
	assert_int_equal(sqlite3_exec(vault_db(d->app->vault),
	                              "DROP TABLE spare; DROP TABLE spare_mark; DROP TABLE search; CREATE VIRTUAL "
	                              "TABLE search USING fts5 (title, body);"
	                              "ALTER TABLE resident DROP COLUMN sound; PRAGMA user_version = 2;",
	                              NULL, NULL, NULL),
	                 SQLITE_OK);
	app_close(d->app);
	assert_int_equal(app_open_with_key(&d->ec, &o, master, false, NULL, &d->app), ERR_OK);
	for (size_t i = 0; i < sizeof(searches) / sizeof(searches[0]); i++)
		expect_found(d, searches[i].words, searches[i].found);
	person(d, "Fatima", id);
	assert_int_equal(resident_similar(&d->ec, d->app, id, &l), ERR_OK);
	assert_int_equal(l.n, 1);
	resident_list_free(&l);
}

static void similar(void **state)
{
	static const struct {
		const char *nick;
		const char *similar[3];
	} cases[] = {
		{ "Mohamed", { NULL } },      { "Muhammed", { "Mohamed" } },
		{ "Fatma", { NULL } },        { "Mohammad A.", { "Mohamed", "Muhammed" } },
		{ "Farid", { NULL } },        { "Jansen, Piet", { NULL } },
		{ "Piter Visser", { NULL } }, { "Pieter", { "Piter Visser" } },
	};
	struct desk *d = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct resident_list l;
		char id[ID_TEXT_LEN];
		size_t n = 0;

		person(d, cases[i].nick, id);
		assert_int_equal(resident_similar(&d->ec, d->app, id, &l), ERR_OK);
		while (n < 3 && cases[i].similar[n] != NULL)
			n++;
		assert_int_equal(l.n, n);
		for (size_t k = 0; k < n; k++)
			assert_string_equal(l.item[k].nick, cases[i].similar[k]);
		resident_list_free(&l);
	}
	/* only within a circle */
	desk_space(d, SPACE_CIRCLE, "Andere", NULL);
	{
		struct resident_list l;
		char id[ID_TEXT_LEN];

		assert_int_equal(
		    resident_add(&d->ec, d->app, "Andere", &(struct resident_fields){ .nick = "Mohamed" }, id), ERR_OK);
		assert_int_equal(resident_similar(&d->ec, d->app, id, &l), ERR_OK);
		assert_int_equal(l.n, 0);
		resident_list_free(&l);
	}
}

#define DESK_TEST(f) cmocka_unit_test_setup_teardown(f, open_desk, close_desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(by_sound), DESK_TEST(written_first),   DESK_TEST(long_note),
		DESK_TEST(renamed),  DESK_TEST(earlier_version), DESK_TEST(similar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
