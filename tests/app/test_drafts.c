// SPDX-License-Identifier: EUPL-1.2
// Goal: what is typed and not saved yet is kept, bound to its record, and goes with the save in one transaction (W3); a
// form counts as having seen only what it was read with (M2); names that sound alike are asked about once; settings
// keep to their bounds. Seen to fail: a save that leaves its draft; a token that is not handed on to the store; a
// refused save that drops the draft.
#include "desk.h"

#include "app/drafts.h"
#include "app/reading.h"
#include "app/settings.h"
#include "app/versions.h"

static size_t drafts(struct desk *d, const char *prefix)
{
	struct draft_list l;
	size_t n = 0;

	assert_int_equal(draft_list(&d->ec, d->app, prefix, &l), ERR_OK);
	n = l.n;
	draft_list_free(&l);
	return n;
}

static void kept(void **state)
{
	struct desk *d = *state;
	struct draft_list l;

	assert_int_equal(draft_put(&d->ec, d->app, "contact/new/a", "een"), ERR_OK);
	assert_int_equal(draft_put(&d->ec, d->app, "contact/new/b", "twee"), ERR_OK);
	assert_int_equal(draft_put(&d->ec, d->app, "contact/new/a", "een en een half"), ERR_OK);
	assert_int_equal(draft_list(&d->ec, d->app, "contact/new/a", &l), ERR_OK);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.item[0].name, "contact/new/a");
	assert_string_equal(l.item[0].value, "een en een half");
	assert_true(l.item[0].at_ms > 0);
	draft_list_free(&l);
	assert_int_equal(drafts(d, ""), 2);
	assert_int_equal(draft_drop(&d->ec, d->app, "contact/new/a"), ERR_OK);
	assert_int_equal(draft_drop(&d->ec, d->app, "contact/new/a"), ERR_OK);
	assert_int_equal(drafts(d, ""), 1);
}

static void refused(void **state)
{
	static const struct {
		const char *name;
		const char *value;
		enum err e;
	} cases[] = {
		{ "", "x", ERR_INPUT },
		{ "contact/Nieuw", "x", ERR_INPUT },
		{ "contact new", "x", ERR_INPUT },
		{ "contact/new/x", "\xff", ERR_INPUT },
	};
	struct desk *d = *state;
	char *long_one = malloc(DRAFT_MAX + 2);

	assert_non_null(long_one);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(draft_put(&d->ec, d->app, cases[i].name, cases[i].value), cases[i].e);
		desk_clear(d);
	}
	memset(long_one, 'a', DRAFT_MAX + 1);
	long_one[DRAFT_MAX + 1] = '\0';
	assert_int_equal(draft_put(&d->ec, d->app, "contact/new/x", long_one), ERR_INPUT);
	desk_clear(d);
	long_one[DRAFT_MAX] = '\0';
	assert_int_equal(draft_put(&d->ec, d->app, "contact/new/x", long_one), ERR_OK);
	free(long_one);
	for (int i = 1; i < DRAFTS_MAX; i++) {
		char name[32];

		snprintf(name, sizeof(name), "contact/new/n%d", i);
		assert_int_equal(draft_put(&d->ec, d->app, name, "x"), ERR_OK);
	}
	assert_int_equal(draft_put(&d->ec, d->app, "contact/new/one-more", "x"), ERR_REFUSED);
	desk_clear(d);
	assert_int_equal(draft_put(&d->ec, d->app, "contact/new/n1", "still"), ERR_OK);
}

/* Saving takes the place of the draft; a save that is refused leaves it. */
static void saved(void **state)
{
	struct desk *d = *state;
	char id[ID_TEXT_LEN];
	struct referral_made made;

	assert_int_equal(draft_put(&d->ec, d->app, "contact/new/a", "x"), ERR_OK);
	assert_int_equal(contact_add(&d->ec, d->app, NULL,
	                             &(struct contact_fields){ .text = "BSN 111222333", .draft = "contact/new/a" }, id),
	                 ERR_INPUT);
	desk_clear(d);
	assert_int_equal(drafts(d, ""), 1);
	assert_int_equal(
	    contact_add(&d->ec, d->app, NULL,
	                &(struct contact_fields){ .text = "Huur", .domains = "wonen", .draft = "contact/new/a" }, id),
	    ERR_OK);
	assert_int_equal(drafts(d, ""), 0);
	assert_int_equal(draft_put(&d->ec, d->app, "referral/new/b", "x"), ERR_OK);
	assert_int_equal(
	    referral_add(&d->ec, d->app, id,
	                 &(struct referral_fields){
	                     .service_name = "Raad", .group = "recht", .kind = "info", .draft = "referral/new/b" },
	                 &made),
	    ERR_OK);
	assert_int_equal(drafts(d, ""), 0);
}

/* A form is open; somebody else's words come in; it is saved: both stand. */
static void form_was_open(void **state)
{
	struct desk *d = *state;
	struct pool pool = { 0 };
	struct draft other = { 0 };
	struct contact_list c;
	const char *token = NULL;
	char id[ID_TEXT_LEN];

	assert_int_equal(contact_add(&d->ec, d->app, NULL, &(struct contact_fields){ .text = "eerst" }, id), ERR_OK);
	assert_int_equal(reading_token(&d->ec, d->app, &pool, id, &token), ERR_OK);
	draft_long_text(&other, F_contact_text, "eerst", "daar");
	desk_other(d, id, 9, 1, &other);
	assert_int_equal(contact_edit(&d->ec, d->app, id,
	                              &(struct contact_fields){ .text = "hier", .reading = { token, "eerst" } }, id),
	                 ERR_OK);
	assert_int_equal(contact_show(&d->ec, d->app, id, &c), ERR_OK);
	assert_int_equal(c.item[0].two, 1);
	contact_list_free(&c);
	/* read anew, the next save has seen both */
	assert_int_equal(reading_token(&d->ec, d->app, &pool, id, &token), ERR_OK);
	assert_int_equal(contact_edit(&d->ec, d->app, id,
	                              &(struct contact_fields){ .text = "hier en daar", .reading = { token, "hier" } },
	                              id),
	                 ERR_OK);
	assert_int_equal(contact_show(&d->ec, d->app, id, &c), ERR_OK);
	assert_int_equal(c.item[0].two, 0);
	assert_string_equal(c.item[0].text, "hier en daar");
	contact_list_free(&c);
	pool_free(&pool);
}

static void no_token(void **state)
{
	static const char *const bad[] = { "x",
		                           "1",
		                           "1-",
		                           "1-aaaaaaaaaaaaa 2",
		                           "0-aaaaaaaaaaaaa",
		                           "1-aaaaaaaaaaaaa  1-aaaaaaaaaaaaa",
		                           "11111111111111111111111111111111111111111-aaaaaaaaaaaaa" };
	struct desk *d = *state;
	char id[ID_TEXT_LEN];

	assert_int_equal(contact_add(&d->ec, d->app, NULL, &(struct contact_fields){ .text = "eerst" }, id), ERR_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(contact_edit(&d->ec, d->app, id,
		                              &(struct contact_fields){ .text = "x", .reading = { bad[i], NULL } }, id),
		                 ERR_INPUT);
		desk_clear(d);
	}
}

static size_t sounding(struct desk *d, const char *nick)
{
	struct resident_list l;
	size_t n = 0;

	assert_int_equal(resident_sounding(&d->ec, d->app, NULL, nick, &l), ERR_OK);
	n = l.n;
	resident_list_free(&l);
	return n;
}

static void sounds_alike(void **state)
{
	struct desk *d = *state;
	char id[ID_TEXT_LEN];

	assert_int_equal(resident_add(&d->ec, d->app, NULL, &(struct resident_fields){ .nick = "Mohammed" }, id),
	                 ERR_OK);
	assert_int_equal(sounding(d, "Muhamed"), 1);
	assert_int_equal(sounding(d, "Fatma"), 0);
	assert_int_equal(resident_not_same(&d->ec, d->app, id, "Muhamed"), ERR_OK);
	assert_int_equal(sounding(d, "Muhamed"), 0);
	assert_int_equal(sounding(d, "Mohamad"), 1); /* of another name nothing was said */
	assert_int_equal(sounding(d, "Mohammed"), 1);
	assert_int_equal(resident_not_same(&d->ec, d->app, "9-none", "x"), ERR_NOT_FOUND);
	desk_clear(d);
}

static void settings(void **state)
{
	struct desk *d = *state;

	assert_int_equal(setting_get(d->app, SETTING_LOCK, 10), 10);
	assert_int_equal(setting_put(&d->ec, d->app, SETTING_LOCK, 5), ERR_OK);
	assert_int_equal(setting_get(d->app, SETTING_LOCK, 10), 5);
	assert_int_equal(setting_put(&d->ec, d->app, SETTING_LOCK, 0), ERR_INPUT);
	desk_clear(d);
	assert_int_equal(setting_put(&d->ec, d->app, SETTING_LOCK, 241), ERR_INPUT);
	desk_clear(d);
	assert_int_equal(setting_put(&d->ec, d->app, "colour", 1), ERR_NOT_FOUND);
	desk_clear(d);
	assert_int_equal(setting_get(d->app, SETTING_LOCK, 10), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(kept, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(refused, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(saved, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(form_was_open, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(no_token, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(sounds_alike, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(settings, open_desk, close_desk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
