// SPDX-License-Identifier: EUPL-1.2
// Goal: what was written apart stands side by side, newest first, until a person picks one or keeps both; nothing is
// lost by it (M2). Seen to fail with: version numbers from 0, `both` writing only the first text, a pick that does not
// see the other version.
#include "desk.h"

#include "app/versions.h"

/* A contact of which channel and text were changed here ("huis", "hier") and there ("straat", "daar"). */
static void apart(struct desk *d, char id[ID_TEXT_LEN])
{
	struct draft draft = { 0 };
	char same[ID_TEXT_LEN];

	assert_int_equal(
	    contact_add(&d->ec, d->app, NULL, &(struct contact_fields){ .channel = "mail", .text = "eerst" }, id),
	    ERR_OK);
	assert_int_equal(
	    contact_edit(&d->ec, d->app, id, &(struct contact_fields){ .channel = "huis", .text = "hier" }, same),
	    ERR_OK);
	draft_text(&draft, F_contact_channel, "straat");
	draft_long_text(&draft, F_contact_text, "eerst", "daar");
	d->now_ms += 60000;
	desk_other(d, id, 9, 1, &draft);
}

static void listed(void **state)
{
	struct desk *d = *state;
	struct two_versions_list l;
	struct contact_list c;
	char id[ID_TEXT_LEN];

	assert_int_equal(versions_list(&d->ec, d->app, &l), ERR_OK);
	assert_int_equal(l.n, 0);
	two_versions_free(&l);
	apart(d, id);
	assert_int_equal(versions_list(&d->ec, d->app, &l), ERR_OK);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.item[0].id, id);
	assert_string_equal(l.item[0].kind, "contact");
	assert_string_equal(l.item[0].field->field, "channel");
	assert_int_equal(l.item[0].field->versions, 2);
	assert_int_equal(l.item[0].field->version[0].n, 1);
	assert_string_equal(l.item[0].field->version[0].value[0], "straat"); /* a minute later, so it comes first */
	assert_string_equal(l.item[0].field->version[1].value[0], "huis");
	assert_string_equal(l.item[0].field->version[1].author, "Fatma");
	assert_true(l.item[0].field->version[0].at_ms > l.item[0].field->version[1].at_ms);
	assert_string_equal(l.item[1].field->field, "text");
	two_versions_free(&l);
	assert_int_equal(contact_show(&d->ec, d->app, id, &c), ERR_OK);
	assert_int_equal(c.item[0].two, 2);
	assert_int_equal(c.item[0].versions.fields, 2);
	assert_string_equal(c.item[0].text, "daar");
	contact_list_free(&c);
}

static void picked(void **state)
{
	struct desk *d = *state;
	struct two_versions_list l;
	struct contact_list c;
	char id[ID_TEXT_LEN];
	char same[ID_TEXT_LEN];

	apart(d, id);
	assert_int_equal(versions_pick(&d->ec, d->app, id, "channel", "2", same), ERR_OK);
	assert_string_equal(same, id);
	assert_int_equal(versions_pick(&d->ec, d->app, id, "text", "1", same), ERR_OK);
	assert_int_equal(contact_show(&d->ec, d->app, id, &c), ERR_OK);
	assert_string_equal(c.item[0].channel, "huis");
	assert_string_equal(c.item[0].text, "daar");
	assert_int_equal(c.item[0].two, 0);
	assert_int_equal(c.item[0].versions.kept_count, 0);
	contact_list_free(&c);
	assert_int_equal(versions_list(&d->ec, d->app, &l), ERR_OK);
	assert_int_equal(l.n, 0);
	two_versions_free(&l);
}

static void both(void **state)
{
	struct desk *d = *state;
	struct contact_list c;
	char id[ID_TEXT_LEN];
	char same[ID_TEXT_LEN];

	apart(d, id);
	assert_int_equal(versions_pick(&d->ec, d->app, id, "text", "both", same), ERR_OK);
	assert_int_equal(versions_pick(&d->ec, d->app, id, "channel", "both", same), ERR_OK);
	assert_int_equal(contact_show(&d->ec, d->app, id, &c), ERR_OK);
	assert_int_equal(c.item[0].two, 0);
	assert_int_equal(c.item[0].versions.kept_count, 2);
	assert_string_equal(c.item[0].versions.kept[1].field, "text");
	assert_int_equal(c.item[0].versions.kept[1].values, 2);
	assert_string_equal(c.item[0].versions.kept[1].value[0], "daar");
	assert_string_equal(c.item[0].versions.kept[1].value[1], "hier");
	assert_string_equal(c.item[0].text, "daar");
	assert_string_equal(c.item[0].channel, "straat");
	contact_list_free(&c);
	/* and an edit puts one text in their place */
	assert_int_equal(contact_edit(&d->ec, d->app, id, &(struct contact_fields){ .text = "daar" }, same), ERR_OK);
	assert_int_equal(contact_show(&d->ec, d->app, id, &c), ERR_OK);
	assert_int_equal(c.item[0].versions.kept_count, 1);
	contact_list_free(&c);
}

/* Taken away here, changed there: both are versions, and both together is what is left. */
static void taken_away(void **state)
{
	struct desk *d = *state;
	struct draft draft = { 0 };
	struct two_versions_list l;
	struct contact_list c;
	char id[ID_TEXT_LEN];
	char same[ID_TEXT_LEN];

	assert_int_equal(contact_add(&d->ec, d->app, NULL, &(struct contact_fields){ .follow_up = "1w" }, id), ERR_OK);
	assert_int_equal(contact_edit(&d->ec, d->app, id, &(struct contact_fields){ .follow_up = "none" }, same),
	                 ERR_OK);
	draft_int(&draft, F_contact_follow_up, DESK_TODAY + 2);
	desk_other(d, id, 9, 1, &draft);
	assert_int_equal(versions_list(&d->ec, d->app, &l), ERR_OK);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.item[0].field->version[0].value[0], "2026-11-24");
	assert_int_equal(l.item[0].field->version[1].values, 0);
	two_versions_free(&l);
	assert_int_equal(versions_pick(&d->ec, d->app, id, "follow_up", "both", same), ERR_OK);
	assert_int_equal(contact_show(&d->ec, d->app, id, &c), ERR_OK);
	assert_int_equal(c.item[0].follow_up, DESK_TODAY + 2);
	assert_int_equal(c.item[0].two, 0);
	contact_list_free(&c);
}

static void wrong_use(void **state)
{
	struct desk *d = *state;
	char id[ID_TEXT_LEN];
	char same[ID_TEXT_LEN];
	static const struct {
		const char *field;
		const char *keep;
		enum err want;
	} cases[] = {
		{ "channel", "0", ERR_USAGE },    { "channel", "3", ERR_USAGE },   { "channel", "x", ERR_USAGE },
		{ "channel", "", ERR_USAGE },     { "channel", "1x", ERR_USAGE },  { "who", "1", ERR_USAGE },
		{ "domains", "1", ERR_USAGE },    { "kleur", "1", ERR_NOT_FOUND }, { "#99", "1", ERR_NOT_FOUND },
		{ "channel", "9999", ERR_USAGE },
	};

	apart(d, id);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		desk_clear(d);
		assert_int_equal(versions_pick(&d->ec, d->app, id, cases[i].field, cases[i].keep, same), cases[i].want);
	}
	desk_clear(d);
	assert_int_equal(versions_pick(&d->ec, d->app, "99999", "channel", "1", same), ERR_NOT_FOUND);
}

/* Three people, three versions, numbered by time. */
static void three(void **state)
{
	struct desk *d = *state;
	struct draft draft = { 0 };
	struct two_versions_list l;
	struct contact_list c;
	char id[ID_TEXT_LEN];
	char same[ID_TEXT_LEN];

	apart(d, id);
	draft_text(&draft, F_contact_channel, "telefoon");
	desk_other(d, id, 8, 5000, &draft);
	assert_int_equal(versions_list(&d->ec, d->app, &l), ERR_OK);
	assert_int_equal(l.item[0].field->versions, 3);
	assert_string_equal(l.item[0].field->version[0].value[0], "telefoon");
	assert_string_equal(l.item[0].field->version[2].value[0], "huis");
	two_versions_free(&l);
	assert_int_equal(versions_pick(&d->ec, d->app, id, "channel", "both", same), ERR_OK);
	assert_int_equal(contact_show(&d->ec, d->app, id, &c), ERR_OK);
	assert_int_equal(c.item[0].versions.kept[0].values, 3);
	contact_list_free(&c);
}

/* The text of the conversation as it was, and two people who changed another sentence of it each; one of them twice. */
static void put_together(void **state)
{
	static const char start[] = "Omar belde. De brief is van de bank.";
	static const char third[] = "Omar belde. De brief is van de bank. Vrijdag terugbellen.";
	struct desk *d = *state;
	struct draft draft = { 0 };
	struct two_versions_list l;
	struct contact_list c;
	char id[ID_TEXT_LEN];
	char same[ID_TEXT_LEN];

	assert_int_equal(contact_add(&d->ec, d->app, NULL, &(struct contact_fields){ .text = start }, id), ERR_OK);
	assert_int_equal(contact_edit(&d->ec, d->app, id,
	                              &(struct contact_fields){ .text = "Omar belt. De brief is van de bank." }, same),
	                 ERR_OK);
	assert_int_equal(
	    contact_edit(&d->ec, d->app, id,
	                 &(struct contact_fields){ .text = "Omar belde om drie uur. De brief is van de bank." }, same),
	    ERR_OK);
	draft_long_text(&draft, F_contact_text, start, "Omar belde. De brief is van het energiebedrijf.");
	d->now_ms += 60000;
	desk_other(d, id, 9, 1, &draft);
	assert_int_equal(versions_list(&d->ec, d->app, &l), ERR_OK);
	assert_int_equal(l.item[0].field->versions, 2);
	assert_string_equal(l.item[0].field->proposal, "Omar belde om drie uur. De brief is van het energiebedrijf.");
	two_versions_free(&l);
	/* it is offered, not made: what shows is still the newest version */
	assert_int_equal(contact_show(&d->ec, d->app, id, &c), ERR_OK);
	assert_string_equal(c.item[0].text, "Omar belde. De brief is van het energiebedrijf.");
	assert_int_equal(c.item[0].two, 1);
	contact_list_free(&c);
	assert_int_equal(versions_pick(&d->ec, d->app, id, "text", "proposal", same), ERR_OK);
	assert_int_equal(contact_show(&d->ec, d->app, id, &c), ERR_OK);
	assert_string_equal(c.item[0].text, "Omar belde om drie uur. De brief is van het energiebedrijf.");
	assert_int_equal(c.item[0].two, 0);
	contact_list_free(&c);
	/* somebody who had seen none of it comes late: what was put together starts from the same text as hers */
	draft_long_text(&draft, F_contact_text, start, third);
	desk_other(d, id, 8, 5, &draft);
	assert_int_equal(versions_list(&d->ec, d->app, &l), ERR_OK);
	assert_int_equal(l.item[0].field->versions, 2);
	assert_string_equal(l.item[0].field->proposal,
	                    "Omar belde om drie uur. De brief is van het energiebedrijf. Vrijdag terugbellen.");
	two_versions_free(&l);
}

/* Where both changed one sentence, or started from different texts, a person must choose. */
static void not_put_together(void **state)
{
	struct desk *d = *state;
	struct two_versions_list l;
	char id[ID_TEXT_LEN];
	char same[ID_TEXT_LEN];

	apart(d, id);
	assert_int_equal(versions_list(&d->ec, d->app, &l), ERR_OK);
	assert_null(l.item[0].field->proposal); /* channel */
	assert_null(l.item[1].field->proposal);
	two_versions_free(&l);
	assert_int_equal(versions_pick(&d->ec, d->app, id, "text", "proposal", same), ERR_USAGE);
	desk_clear(d);
	assert_int_equal(versions_pick(&d->ec, d->app, id, "channel", "proposal", same), ERR_USAGE);
	desk_clear(d);
	/* nothing was written by that */
	assert_int_equal(versions_list(&d->ec, d->app, &l), ERR_OK);
	assert_int_equal(l.n, 2);
	two_versions_free(&l);
}

#define DESK_TEST(f) cmocka_unit_test_setup_teardown(f, open_desk, close_desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(listed),    DESK_TEST(picked), DESK_TEST(both),         DESK_TEST(taken_away),
		DESK_TEST(wrong_use), DESK_TEST(three),  DESK_TEST(put_together), DESK_TEST(not_put_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
