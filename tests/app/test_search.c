// SPDX-License-Identifier: EUPL-1.2
// Goal: search finds what is written like the words first, then names that sound like them, and a home of an earlier
// version finds them too once it is opened; a new resident is told of others whose name sounds alike. Seen to fail
// with: the passes of a search the other way round, the sound column left out of the filter for what is written, rows
// not made again after the migration, a resident listed as similar to themselves; and where nearly everything fits: the
// best of all ranked again, one too many or too few ranked, no names before the newest, no kind for a hit, keys shown.
#include "desk.h"

#include "support/older.h"

#include <sqlite3.h>

#include "app/finding.h"
#include "vault/vault.h"

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

/* A home as version 2 left it. */
static void earlier_version(void **state)
{
	static const uint8_t master[32] = { 7 };
	struct desk *d = *state;
	struct app_options o = { .home = d->home, .clock = &d->clock, .rng = &d->rng };
	struct resident_list l;
	char id[ID_TEXT_LEN];

	fill(d);
	assert_true(older_make(vault_db(d->app->vault), 2));
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

/* `count` contacts with this resident, in one transaction; text n of them says "brief n" and is long, but for the
 * first. */
static void talk_often(struct desk *d, const char *nick, size_t count)
{
	struct dots people = { 0 };
	int64_t space = 0;

	assert_int_equal(app_circle(&d->ec, d->app, NULL, &space), ERR_OK);
	assert_int_equal(store_residents_sounding(&d->ec, d->app->store, space, nick, &people), ERR_OK);
	assert_int_equal(people.n, 1);
	assert_int_equal(store_begin(&d->ec, d->app->store), ERR_OK);
	for (size_t i = 0; i < count; i++) {
		struct change c = { .space = space, .kind = KIND_contact };
		struct draft draft = { 0 };
		struct dot id;
		char text[100];

		snprintf(text, sizeof(text), "brief %zu%s", i,
		         i == 0 ? "" : " van de gemeente over de huur en het werk");
		draft_ref(&draft, F_contact_resident, people.d[0]);
		draft_long_text(&draft, F_contact_text, NULL, text);
		assert_int_equal(draft_writes(&draft, &c.writes, &c.write_count), ERR_OK);
		assert_int_equal(store_write(&d->ec, d->app->store, &c, d->now_ms++, &id), ERR_OK);
		draft_free(&draft);
	}
	assert_int_equal(store_commit(&d->ec, d->app->store), ERR_OK);
	dots_free(&people);
}

/* Hit `i` of 50 is of this kind and its snippet starts so, marks aside. */
static void expect_hit(struct desk *d, const char *words, size_t i, const char *kind, const char *start)
{
	struct found_list l;
	char text[400] = "";
	size_t n = 0;

	assert_int_equal(finding_search(&d->ec, d->app, words, 50, &l), ERR_OK);
	assert_int_equal(l.n, 50);
	for (const char *p = l.item[i].snippet; *p != '\0'; p++) {
		if (*p != FOUND_BEGIN && *p != FOUND_END)
			text[n++] = *p;
	}
	if (strcmp(l.item[i].kind, kind) != 0 || strncmp(text, start, strlen(start)) != 0)
		fail_msg("%s: hit %zu is a %s, \"%s\"", words, i, l.item[i].kind, text);
	found_list_free(&l);
}

/* Up to 500 that fit are ranked; of more, those who are called so come first, then the newest. */
static void nearly_everywhere(void **state)
{
	struct desk *d = *state;
	char id[ID_TEXT_LEN];

	person(d, "Mohammed", id);
	talk_often(d, "Mohammed", 499);
	person(d, "Briefje", id);
	expect_hit(d, "brief", 0, "resident", "Briefje");
	expect_hit(d, "brief", 1, "contact", "brief 0");
	/* one more: no longer ranked */
	talk(d, NULL, "brief 499");
	expect_hit(d, "brief", 0, "resident", "Briefje");
	expect_hit(d, "brief", 1, "contact", "brief 499");
	expect_hit(d, "brief", 2, "contact", "brief 498 van");
	expect_hit(d, "bri", 1, "contact", "brief 499");
	expect_hit(d, "brief van", 0, "contact", "brief"); /* 498 */
	/* by sound: 499 contacts and their resident, then one more */
	expect_hit(d, "muhamad", 0, "resident", "Mohammed");
	talk(d, "Mohammed", "nieuw");
	expect_hit(d, "muhamad", 0, "contact", "Mohammed");
	/* what is written so comes before it, however much sounds alike */
	person(d, "Muhamad", id);
	expect_hit(d, "muhamad", 0, "resident", "Muhamad");
	expect_hit(d, "muhamad", 1, "contact", "Mohammed");
}

#define DESK_TEST(f) cmocka_unit_test_setup_teardown(f, open_desk, close_desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(by_sound),        DESK_TEST(written_first), DESK_TEST(long_note),         DESK_TEST(renamed),
		DESK_TEST(earlier_version), DESK_TEST(similar),       DESK_TEST(nearly_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
