// SPDX-License-Identifier: EUPL-1.2
// Goal: the history of a record tells every edit as its author meant it, and undo puts back what stood before one's own
// edit and nothing else (M2). Seen to fail with: a context without what another device had written (past), the fold
// with the edits that were undone before, a field put back where somebody else's value stands beside it, a SET element
// taken out that another added as well, an undo that is not remembered.
#include "desk.h"

#include "app/history.h"
#include "app/spaces.h"
#include "app/syncing.h"
#include "app/undo.h"
#include "app/versions.h"
#include "sync/homes.h"

/* What of a contact the cases look at, as one line. */
static void looks(struct app *app, const char *id, char *out, size_t size)
{
	struct errctx ec = { 0 };
	struct contact_list l;
	const struct contact *c = NULL;
	size_t n = 0;

	assert_int_equal(contact_show(&ec, app, id, &l), ERR_OK);
	c = &l.item[0];
	n = (size_t)snprintf(out, size, "%s %s %s", c->channel == NULL ? "-" : c->channel,
	                     c->text == NULL ? "-" : c->text, c->resident == NULL ? "-" : c->resident);
	for (size_t i = 0; i < c->domains.n; i++)
		n += (size_t)snprintf(out + n, size - n, " %s", c->domains.word[i]);
	snprintf(out + n, size - n, "%s%s", c->follow_up == NO_DAY ? "" : " call", c->follow_up_done ? " done" : "");
	contact_list_free(&l);
}

static void expect_looks(struct app *app, const char *id, const char *want)
{
	char text[256];

	looks(app, id, text, sizeof(text));
	assert_string_equal(text, want);
}

static enum err undo_one(struct app *app, const char *id, size_t *backs, size_t *stays)
{
	struct errctx ec = { 0 };
	struct undone u;
	enum err e = undo_last(&ec, app, id, &u);

	*backs = u.backs;
	*stays = u.stay_count;
	undone_free(&u);
	return e;
}

static void expect_undo(struct app *app, const char *id, enum err want)
{
	size_t backs = 0;
	size_t stays = 0;

	assert_int_equal(undo_one(app, id, &backs, &stays), want);
}

#define START                                                                                                          \
	{                                                                                                              \
		.channel = "mail", .text = "een", .resident = "Noor", .domains = "geld,wonen", .follow_up = "1w"       \
	}

/* One after the other by one person: each undo goes one edit further back. */
static void one_by_one(void **state)
{
	static const struct {
		const char *name;
		struct contact_fields edit[3];
		const char *after[4]; /* what it looks like after 0 to 3 edits */
	} cases[] = {
		{ "value",
		  { { .channel = "huis" }, { .channel = "straat" }, { .channel = "" } },
		  { "mail een Noor geld wonen call", "huis een Noor geld wonen call", "straat een Noor geld wonen call",
		    "- een Noor geld wonen call" } },
		{ "text",
		  { { .text = "twee" }, { .text = "" }, { .text = "drie" } },
		  { "mail een Noor geld wonen call", "mail twee Noor geld wonen call", "mail - Noor geld wonen call",
		    "mail drie Noor geld wonen call" } },
		{ "set",
		  { { .domains = "geld,taal" }, { .domains = "" }, { .domains = "wonen,taal" } },
		  { "mail een Noor geld wonen call", "mail een Noor geld taal call", "mail een Noor call",
		    "mail een Noor wonen taal call" } },
		{ "several fields",
		  { { .channel = "huis", .text = "twee" },
		    { .text = "drie", .follow_up = "none" },
		    { .channel = "mail", .follow_up = "2w", .domains = "werk" } },
		  { "mail een Noor geld wonen call", "huis twee Noor geld wonen call", "huis drie Noor geld wonen",
		    "mail drie Noor werk call" } },
		{ "reference and yes or no",
		  { { .resident = "Ali" }, { .follow_up = "done" }, { .resident = "" } },
		  { "mail een Noor geld wonen call", "mail een Ali geld wonen call",
		    "mail een Ali geld wonen call done", "mail een - geld wonen call done" } },
	};
	struct desk *d = *state;
	char same[ID_TEXT_LEN];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct history h;
		char id[ID_TEXT_LEN];

		assert_int_equal(contact_add(&d->ec, d->app, NULL, &(struct contact_fields)START, id), ERR_OK);
		for (size_t k = 0; k < 3; k++) {
			expect_looks(d->app, id, cases[i].after[k]);
			assert_int_equal(contact_edit(&d->ec, d->app, id, &cases[i].edit[k], same), ERR_OK);
		}
		expect_looks(d->app, id, cases[i].after[3]);
		expect_undo(d->app, i % 2 == 0 ? NULL : id, ERR_OK);
		expect_looks(d->app, id, cases[i].after[2]);
		expect_undo(d->app, id, ERR_OK);
		expect_looks(d->app, id, cases[i].after[1]);
		expect_undo(d->app, NULL, ERR_OK);
		expect_looks(d->app, id, cases[i].after[0]);
		/* then comes making it */
		expect_undo(d->app, id, ERR_REFUSED);
		/* and what is written afterwards is undone first */
		assert_int_equal(contact_edit(&d->ec, d->app, id, &cases[i].edit[0], same), ERR_OK);
		expect_looks(d->app, id, cases[i].after[1]);
		expect_undo(d->app, id, ERR_OK);
		expect_looks(d->app, id, cases[i].after[0]);
		assert_int_equal(history_read(&d->ec, d->app, id, &h), ERR_OK);
		assert_int_equal(h.n, 9);
		assert_true(h.edit[0].made);
		assert_true(h.edit[1].undone && !h.edit[1].undoes);
		assert_true(h.edit[4].undoes && !h.edit[4].undone);
		history_free(&h);
	}
}

static void nothing_left(void **state)
{
	struct desk *d = *state;
	char id[ID_TEXT_LEN];

	expect_undo(d->app, NULL, ERR_NOT_FOUND);
	expect_undo(d->app, "77", ERR_NOT_FOUND);
	assert_int_equal(resident_add(&d->ec, d->app, NULL, &(struct resident_fields){ .nick = "Noor" }, id), ERR_OK);
	expect_undo(d->app, NULL, ERR_REFUSED);
	expect_undo(d->app, id, ERR_REFUSED);
}

static void told(void **state)
{
	struct desk *d = *state;
	struct history h;
	char id[ID_TEXT_LEN];
	char same[ID_TEXT_LEN];
	const struct history_change *c = NULL;

	assert_int_equal(contact_add(&d->ec, d->app, NULL, &(struct contact_fields)START, id), ERR_OK);
	d->now_ms += 3600000;
	assert_int_equal(contact_edit(&d->ec, d->app, id,
	                              &(struct contact_fields){ .channel = "huis", .domains = "geld,taal" }, same),
	                 ERR_OK);
	assert_int_equal(contact_edit(&d->ec, d->app, id, &(struct contact_fields){ .follow_up = "none" }, same),
	                 ERR_OK);
	assert_int_equal(history_read(&d->ec, d->app, id, &h), ERR_OK);
	assert_string_equal(h.id, id);
	assert_string_equal(h.kind, "contact");
	assert_int_equal(h.n, 3);
	assert_true(h.edit[0].made);
	assert_string_equal(h.edit[0].edit, id);
	assert_string_equal(h.edit[0].author, "Fatma");
	assert_string_equal(h.edit[0].local, "2026-11-22 10:00");
	assert_string_equal(h.edit[1].local, "2026-11-22 11:00");
	assert_true(h.edit[1].at_ms - h.edit[0].at_ms >= 3600000);
	assert_int_equal(h.edit[1].changes, 2);
	c = &h.edit[1].change[0];
	assert_string_equal(c->field, "channel");
	assert_string_equal(c->list, "channel");
	assert_int_equal(c->befores, 1);
	assert_string_equal(c->before[0], "mail");
	assert_int_equal(c->afters, 1);
	assert_string_equal(c->after[0], "huis");
	c = &h.edit[1].change[1];
	assert_int_equal(c->form, CHANGE_SET);
	assert_int_equal(c->afters, 1);
	assert_string_equal(c->after[0], "taal");
	assert_int_equal(c->befores, 1);
	assert_string_equal(c->before[0], "wonen");
	c = &h.edit[2].change[0];
	assert_string_equal(c->field, "follow_up");
	assert_string_equal(c->before[0], "2026-11-29");
	assert_int_equal(c->afters, 0);
	for (size_t i = 0; i < h.edit[0].changes; i++) {
		if (strcmp(h.edit[0].change[i].field, "resident") == 0)
			assert_string_equal(h.edit[0].change[i].after_name, "Noor");
	}
	history_free(&h);
}

static void expect_status(struct desk *d, const char *id, const char *want, size_t events)
{
	struct referral_list l;

	assert_int_equal(referral_show(&d->ec, d->app, id, &l), ERR_OK);
	assert_string_equal(l.item[0].loop.status, want);
	assert_int_equal(l.item[0].events, events);
	referral_list_free(&l);
}

static void status(struct desk *d, const char *id, const char *what)
{
	struct referral_made made;
	char same[ID_TEXT_LEN];

	assert_int_equal(referral_status(&d->ec, d->app, id, &(struct status_change){ .status = what }, same, &made),
	                 ERR_OK);
}

/* An event is taken back; a mistake that was taken back stands again. */
static void events(void **state)
{
	struct desk *d = *state;
	struct referral_made made;
	struct history h;
	char id[ID_TEXT_LEN];

	assert_int_equal(contact_add(&d->ec, d->app, NULL, &(struct contact_fields)START, id), ERR_OK);
	assert_int_equal(
	    referral_add(&d->ec, d->app, id,
	                 &(struct referral_fields){
	                     .service_name = "Loket", .group = "schulden", .kind = "info", .domain = "geld" },
	                 &made),
	    ERR_OK);
	expect_status(d, made.id, "verstuurd", 1);
	status(d, made.id, "aangenomen");
	status(d, made.id, "geholpen");
	status(d, made.id, "fout");
	expect_status(d, made.id, "aangenomen", 2);
	expect_undo(d->app, made.id, ERR_OK); /* the fout */
	expect_status(d, made.id, "geholpen", 3);
	expect_undo(d->app, made.id, ERR_OK); /* geholpen, which stands in its second writing */
	expect_status(d, made.id, "aangenomen", 2);
	expect_undo(d->app, made.id, ERR_OK);
	expect_status(d, made.id, "verstuurd", 1);
	assert_int_equal(history_read(&d->ec, d->app, made.id, &h), ERR_OK);
	assert_int_equal(h.n, 7);
	assert_int_equal(h.edit[3].change[0].form, CHANGE_EVENT);
	assert_int_equal(h.edit[3].change[0].afters, 0);
	assert_string_equal(h.edit[3].change[0].before[0], "geholpen");
	assert_string_equal(h.edit[1].change[0].after[0], "aangenomen");
	assert_string_equal(h.edit[1].change[0].after[1], "2026-11-22");
	history_free(&h);
}

/* What would come back is against a rule that did not matter when it was written. */
static void rules(void **state)
{
	struct desk *d = *state;
	struct resident_list l;
	char id[ID_TEXT_LEN];
	char other[ID_TEXT_LEN];

	assert_int_equal(resident_add(&d->ec, d->app, NULL, &(struct resident_fields){ .nick = "Noor" }, id), ERR_OK);
	assert_int_equal(resident_edit(&d->ec, d->app, id, &(struct resident_fields){ .nick = "Nora" }, other), ERR_OK);
	assert_int_equal(resident_add(&d->ec, d->app, NULL, &(struct resident_fields){ .nick = "Noor" }, other),
	                 ERR_OK);
	expect_undo(d->app, id, ERR_REFUSED);
	assert_int_equal(resident_show(&d->ec, d->app, id, &l), ERR_OK);
	assert_string_equal(l.item[0].nick, "Nora");
	resident_list_free(&l);
	assert_int_equal(resident_edit(&d->ec, d->app, other, &(struct resident_fields){ .nick = "Noortje" }, other),
	                 ERR_OK);
	expect_undo(d->app, id, ERR_OK);
	assert_int_equal(resident_show(&d->ec, d->app, id, &l), ERR_OK);
	assert_string_equal(l.item[0].nick, "Noor");
	resident_list_free(&l);
}

/* --- two homes --- */

static void both_sync(struct world *w)
{
	world_sync(w, 0);
	world_sync(w, 1);
	world_sync(w, 0);
}

static void begin_two(struct world *w, char id[ID_TEXT_LEN])
{
	struct errctx ec = { 0 };

	world_begin(w);
	world_home(w, "Fatma");
	world_home(w, "Joke");
	assert_int_equal(app_found_neighbourhood(&ec, w->app[0], "West", w->remote), ERR_OK);
	assert_int_equal(app_found_circle(&ec, w->app[0], "Plein"), ERR_OK);
	world_sync(w, 0);
	world_invite(w, 0, 1, "Plein", NULL);
	assert_int_equal(contact_add(&ec, w->app[0], "Plein", &(struct contact_fields)START, id), ERR_OK);
	both_sync(w);
}

static void change(struct world *w, size_t i, const char *id, struct contact_fields f)
{
	struct errctx ec = { 0 };
	char same[ID_TEXT_LEN];

	w->now_ms += 60000;
	assert_int_equal(contact_edit(&ec, w->app[i], id, &f, same), ERR_OK);
}

static void expect_same(struct world *w)
{
	struct buf x = world_dump(w, 0, "Plein");
	struct buf y = world_dump(w, 1, "Plein");

	assert_int_equal(bytes_cmp(buf_bytes(&x), buf_bytes(&y)), 0);
	buf_free(&x);
	buf_free(&y);
}

/* Changes apart: each case is what 0 and 1 write without having seen the other, what 0 undoes after both synced, and
 * what then stands on both. */
static void apart(void **state)
{
	enum { CASES = 5 };
	static const struct {
		const char *name;
		struct contact_fields mine;
		struct contact_fields theirs;
		enum err want;
		size_t backs;
		size_t stays;
		size_t two; /* fields in two versions afterwards */
		const char *looks;
	} cases[CASES] = {
		{ "different fields: mine goes back",
		  { .channel = "huis" },
		  { .text = "twee" },
		  ERR_OK,
		  1,
		  0,
		  0,
		  "mail twee Noor geld wonen call" },
		{ "the same field: theirs stands beside it, so both stay",
		  { .channel = "huis" },
		  { .channel = "straat" },
		  ERR_REFUSED,
		  0,
		  1,
		  1,
		  "straat een Noor geld wonen call" },
		{ "one of two: that one goes back",
		  { .channel = "huis", .text = "mijn" },
		  { .text = "hun" },
		  ERR_OK,
		  1,
		  1,
		  1,
		  "mail hun Noor geld wonen call" },
		{ "an element that both added stays",
		  { .domains = "geld,wonen,taal,werk" },
		  { .domains = "geld,wonen,taal" },
		  ERR_OK,
		  1,
		  1,
		  0,
		  "mail een Noor geld wonen taal call" },
		{ "an element that both took out stays out",
		  { .domains = "wonen" },
		  { .domains = "wonen,werk" },
		  ERR_REFUSED,
		  0,
		  1,
		  0,
		  "mail een Noor wonen werk call" },
	};

	struct world w;
	struct errctx ec = { 0 };
	char id[CASES][ID_TEXT_LEN];

	(void)state;
	begin_two(&w, id[0]);
	for (size_t i = 1; i < CASES; i++)
		assert_int_equal(contact_add(&ec, w.app[0], "Plein", &(struct contact_fields)START, id[i]), ERR_OK);
	both_sync(&w);
	for (size_t i = 0; i < CASES; i++) {
		change(&w, 0, id[i], cases[i].mine);
		change(&w, 1, id[i], cases[i].theirs);
	}
	both_sync(&w);
	expect_same(&w);
	for (size_t i = 0; i < CASES; i++) {
		size_t backs = 0;
		size_t stays = 0;

		assert_int_equal(undo_one(w.app[0], id[i], &backs, &stays), cases[i].want);
		/* one who may not is refused on either side, whoever comes first in a field */
		if (cases[i].two > 0 && cases[i].want == ERR_REFUSED)
			expect_undo(w.app[1], id[i], ERR_REFUSED);
		assert_int_equal(backs, cases[i].backs);
		assert_int_equal(stays, cases[i].stays);
	}
	both_sync(&w);
	expect_same(&w);
	for (size_t i = 0; i < CASES; i++) {
		struct contact_list l;

		expect_looks(w.app[0], id[i], cases[i].looks);
		expect_looks(w.app[1], id[i], cases[i].looks);
		assert_int_equal(contact_show(&ec, w.app[1], id[i], &l), ERR_OK);
		assert_int_equal(l.item[0].two, cases[i].two);
		contact_list_free(&l);
	}
	world_end(&w);
}

/* Back and forth over several batches: the contexts are found in the batches, and an undo that comes after somebody has
 * built on one's words leaves those. */
static void in_turn(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct history h;
	struct two_versions_list l;
	char id[ID_TEXT_LEN];
	char same[ID_TEXT_LEN];

	(void)state;
	begin_two(&w, id);
	change(&w, 0, id, (struct contact_fields){ .text = "twee" });
	both_sync(&w);
	change(&w, 1, id, (struct contact_fields){ .text = "drie", .channel = "huis" });
	both_sync(&w);
	change(&w, 0, id, (struct contact_fields){ .channel = "straat" });
	both_sync(&w);
	/* mine over hers over the start: hers comes back */
	expect_undo(w.app[0], id, ERR_OK);
	expect_looks(w.app[0], id, "huis drie Noor geld wonen call");
	/* "twee" was read and changed by her: it stays */
	expect_undo(w.app[0], id, ERR_REFUSED);
	both_sync(&w);
	expect_same(&w);
	/* hers: her text alone is hers, her channel was put back by me */
	assert_int_equal(history_read(&ec, w.app[1], id, &h), ERR_OK);
	assert_int_equal(h.n, 5);
	assert_string_equal(h.edit[2].author, "Joke");
	assert_string_equal(h.edit[2].change[1].before[0], "twee");
	assert_string_equal(h.edit[4].author, "Fatma");
	assert_false(h.edit[4].undoes); /* only Fatma's device knows that */
	history_free(&h);
	expect_undo(w.app[1], id, ERR_OK);
	expect_looks(w.app[1], id, "huis twee Noor geld wonen call");
	/* a pick between two versions that is undone keeps both, and the first writing tells which */
	change(&w, 0, id, (struct contact_fields){ .text = "links" });
	change(&w, 1, id, (struct contact_fields){ .text = "rechts" });
	both_sync(&w);
	assert_int_equal(versions_pick(&ec, w.app[0], id, "text", "2", same), ERR_OK);
	expect_undo(w.app[0], id, ERR_OK);
	assert_int_equal(versions_list(&ec, w.app[0], &l), ERR_OK);
	assert_int_equal(l.n, 0);
	two_versions_free(&l);
	assert_int_equal(history_read(&ec, w.app[0], id, &h), ERR_OK);
	assert_int_equal(h.edit[h.n - 1].change[0].afters, 2);
	assert_int_equal(h.edit[h.n - 2].change[0].befores, 2);
	history_free(&h);
	both_sync(&w);
	expect_same(&w);
	world_end(&w);
}

#define DESK_TEST(f) cmocka_unit_test_setup_teardown(f, open_desk, close_desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(one_by_one), DESK_TEST(nothing_left), DESK_TEST(told),           DESK_TEST(events),
		DESK_TEST(rules),      cmocka_unit_test(apart), cmocka_unit_test(in_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
