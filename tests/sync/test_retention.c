// SPDX-License-Identifier: EUPL-1.2
// Goal (K3, K4, M1, M4): a clock that is ten years off, or a coordinator, empties no circle by its retention rule; of
// two rules that were set apart the longer counts, on every device alike; what goes under a rule can be contested for
// 14 days whoever wrote it, and much at once waits for another person's yes.
// Seen to catch: years that nobody witnessed counting whole; no time passing up to a day on which something was
// written; the later of two rules counting; a date of long ago not counting because it was typed in today; one's own
// records going at once. Not caught: today by the own clock alone, since a gap counts little as well.
#include "app/contacts.h"
#include "app/dates.h"
#include "app/erase.h"
#include "app/retention.h"
#include "sync/erased.h"

#define CIRCLE "Plein"
#define DAY (24LL * 60 * 60 * 1000)
#define TEN_YEARS 3653

static struct clock wrong;

static int64_t wrong_now(void *arg)
{
	struct world *w = arg;

	return w->now_ms + TEN_YEARS * DAY;
}

/* This home's clock runs ten years ahead from now on. */
static void run_ahead(struct world *w, size_t i)
{
	wrong = (struct clock){ wrong_now, w };
	w->app[i]->clock = &wrong;
}

static struct dot talk(struct world *w, size_t i, const char *text)
{
	struct errctx ec = { 0 };
	char id[ID_TEXT_LEN];
	struct dot d = { 0 };

	assert_int_equal(contact_add(&ec, w->app[i], CIRCLE, &(struct contact_fields){ .text = text }, id), ERR_OK);
	assert_true(dot_parse(id, &d));
	return d;
}

static void exchange(struct world *w, size_t a, size_t b)
{
	pump(w, a, b);
	pump(w, b, a);
	pump(w, a, b);
}

static struct retention_run look(struct world *w, size_t i, bool yes, size_t count, enum err want)
{
	struct errctx ec = { 0 };
	struct retention_run r;

	assert_int_equal(
	    retention_run(&ec, w->app[i], &(struct retention_how){ .circle = CIRCLE, .yes = yes, .count = count }, &r),
	    want);
	return r;
}

static size_t go(struct world *w, size_t i)
{
	struct retention_run r = look(w, i, false, 0, ERR_OK);
	size_t n = r.go;

	retention_run_free(&r);
	return n;
}

static struct retention_rule rule(struct world *w, size_t i)
{
	struct errctx ec = { 0 };
	struct retention_list list;
	struct retention_rule r;

	assert_int_equal(retention_show(&ec, w->app[i], CIRCLE, &list), ERR_OK);
	assert_int_equal(list.n, 1);
	r = list.item[0].rule;
	retention_list_free(&list);
	return r;
}

static void set(struct world *w, size_t i, const char *erase)
{
	struct errctx ec = { 0 };
	struct retention_rule r;

	assert_int_equal(retention_set(&ec, w->app[i], CIRCLE, "6m", erase, &r), ERR_OK);
}

/* Two years of talks of 1 and 2, one in each month, of which each knows. */
static void two_years(struct world *w, struct dot *first)
{
	for (int month = 0; month < 26; month++) {
		struct dot d = talk(w, 1 + (size_t)month % 2, "een gesprek");

		if (month == 0)
			*first = d;
		w->now_ms += 30 * DAY;
	}
	exchange(w, 1, 2);
}

/* What is old goes, the same for both; not what is young. */
static void old_goes(void **state)
{
	struct world w;
	struct dot first;
	struct retention_run r;

	(void)state;
	forge_world(&w);
	two_years(&w, &first);
	assert_int_equal(go(&w, 1), 2);
	assert_int_equal(go(&w, 2), 2);
	r = look(&w, 1, true, 0, ERR_OK);
	assert_true(r.erased && r.go == 2);
	retention_run_free(&r);
	/* of 1 itself, and yet it waits */
	assert_int_equal(erasure_in(&w, 1, CIRCLE, first), ERASURE_WAITS);
	exchange(&w, 1, 2);
	expect_same(&w, 1, 2, CIRCLE);
	assert_int_equal(erasure_in(&w, 2, CIRCLE, first), ERASURE_WAITS);
	w.now_ms += 15 * DAY;
	assert_int_equal(erasure_in(&w, 2, CIRCLE, first), ERASURE_DUE);
	world_end(&w);
}

/* 2's clock runs ten years ahead: 1, who wrote last, holds it back. */
static void clock_ahead_of_two(void **state)
{
	struct world w;
	struct dot first;

	(void)state;
	forge_world(&w);
	two_years(&w, &first);
	run_ahead(&w, 2);
	assert_true(go(&w, 2) <= 4); /* 62 days ahead of 1 at most */
	talk(&w, 2, "over tien jaar");
	exchange(&w, 1, 2);
	assert_int_equal(go(&w, 1), 2);
	assert_true(go(&w, 2) <= 4);
	world_end(&w);
}

/* One alone: the years that nobody saw pass do not count, whatever is written after. */
static void clock_ahead_of_one(void **state)
{
	struct errctx ec = { 0 };
	struct world w;
	struct retention_run r;
	char id[ID_TEXT_LEN];

	(void)state;
	world_begin(&w);
	world_home(&w, "Alleen");
	for (int i = 0; i < 30; i++) {
		assert_int_equal(contact_add(&ec, w.app[0], NULL, &(struct contact_fields){ .text = "x" }, id), ERR_OK);
		w.now_ms += 7 * DAY;
	}
	run_ahead(&w, 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(retention_run(&ec, w.app[0], &(struct retention_how){ .yes = true }, &r), ERR_OK);
		assert_int_equal(r.go, 0);
		assert_int_equal(r.all, 30 + i);
		retention_run_free(&r);
		assert_int_equal(contact_add(&ec, w.app[0], NULL, &(struct contact_fields){ .text = "y" }, id), ERR_OK);
		w.now_ms += 7 * DAY;
	}
	world_end(&w);
}

/* An old list that was typed in today is as old as its dates. */
static void typed_in_late(void **state)
{
	struct errctx ec = { 0 };
	struct world w;
	struct retention_run r;
	char id[ID_TEXT_LEN];
	char day[DAY_TEXT_LEN];

	(void)state;
	world_begin(&w);
	world_home(&w, "Alleen");
	day_text(app_today(w.app[0]) - 800, day);
	for (int i = 0; i < 30; i++)
		assert_int_equal(
		    contact_add(&ec, w.app[0], NULL, &(struct contact_fields){ .text = "x", .date = day }, id), ERR_OK);
	assert_int_equal(retention_run(&ec, w.app[0], &(struct retention_how){ .yes = true }, &r), ERR_USAGE);
	assert_int_equal(r.go, 30);
	assert_false(r.erased);
	retention_run_free(&r);
	err_clear(&ec);
	assert_int_equal(retention_run(&ec, w.app[0], &(struct retention_how){ .yes = true, .count = 29 }, &r),
	                 ERR_USAGE);
	retention_run_free(&r);
	err_clear(&ec);
	assert_int_equal(retention_run(&ec, w.app[0], &(struct retention_how){ .yes = true, .count = 30 }, &r), ERR_OK);
	assert_true(r.erased);
	retention_run_free(&r);
	world_end(&w);
}

/* Set apart: the longer counts on both, whoever's clock is ahead; set again by one who saw both: that one. */
static void two_rules(void **state)
{
	struct world w;

	(void)state;
	for (int order = 0; order < 2; order++) {
		forge_world(&w);
		assert_int_equal(rule(&w, 1).erase, RETENTION_ERASE);
		if (order == 1)
			run_ahead(&w, 2);
		set(&w, 1, "5y");
		set(&w, 2, order == 0 ? "2y" : "8m");
		exchange(&w, 1, 2);
		expect_same(&w, 1, 2, CIRCLE);
		assert_int_equal(rule(&w, 1).erase, 60);
		assert_int_equal(rule(&w, 2).erase, 60);
		assert_true(rule(&w, 1).disputed);
		set(&w, 1, "18m");
		exchange(&w, 1, 2);
		assert_int_equal(rule(&w, 2).erase, 18);
		assert_false(rule(&w, 2).disputed);
		world_end(&w);
	}
}

/* The one setting with that name, written by somebody with a changed program. */
static void forged_rule(struct world *w, size_t i, const char *space, const char *value)
{
	struct draft d = { 0 };
	struct errctx ec = { 0 };
	struct dot id = { 0 };
	struct change c = { .space = space_named(w, i, space).n, .kind = KIND_setting };

	draft_text(&d, F_setting_name, "retention");
	draft_text(&d, F_setting_value, value);
	assert_int_equal(draft_writes(&d, &c.writes, &c.write_count), ERR_OK);
	assert_int_equal(store_begin(&ec, w->app[i]->store), ERR_OK);
	assert_int_equal(store_write(&ec, w->app[i]->store, &c, clock_now(&w->clock), &id), ERR_OK);
	assert_int_equal(store_commit(&ec, w->app[i]->store), ERR_OK);
	draft_free(&d);
}

/* A coordinator's rule is none of a circle's, and a rule that is none erases nothing. */
static void not_a_rule(void **state)
{
	static const char *const values[] = { "", "1", "1 1", "1 0", "12 5", "x y", "12 24 36", "12 601", "-1 -1" };
	struct world w;
	struct dot first;

	(void)state;
	forge_world(&w);
	two_years(&w, &first);
	forged_rule(&w, 0, "West", "1 6");
	pump(&w, 0, 1);
	assert_false(rule(&w, 1).set);
	assert_int_equal(go(&w, 1), 2);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		forged_rule(&w, 2, CIRCLE, values[i]);
		exchange(&w, 1, 2);
		assert_int_equal(rule(&w, 1).erase, RETENTION_NEVER);
		assert_int_equal(go(&w, 1), 0);
		set(&w, 1, "2y");
		assert_int_equal(go(&w, 1), 2);
	}
	world_end(&w);
}

/* Much at once: another person's yes is needed, whatever the clock of who did it says. */
static void much_at_once(void **state)
{
	struct world w;
	struct dot first = { 0 };
	struct retention_run r;
	struct errctx ec = { 0 };
	size_t records = 0;

	(void)state;
	forge_world(&w);
	for (int i = 0; i < 25; i++)
		first = talk(&w, 2, "veel");
	exchange(&w, 1, 2);
	for (int i = 0; i < 30; i++) {
		w.now_ms += 30 * DAY;
		talk(&w, 1, "later");
		talk(&w, 1, "en nog een");
		exchange(&w, 1, 2);
	}
	r = look(&w, 2, true, 0, ERR_OK);
	assert_true(r.erased && r.go >= 25);
	retention_run_free(&r);
	seal_home(&w, 2);
	assert_int_equal(erasure_in(&w, 2, CIRCLE, first), ERASURE_ASKS);
	run_ahead(&w, 2);
	assert_int_equal(erasure_in(&w, 2, CIRCLE, first), ERASURE_ASKS);
	exchange(&w, 1, 2);
	assert_int_equal(app_erase_confirm(&ec, w.app[1], NULL, &records), ERR_OK);
	exchange(&w, 1, 2);
	expect_same(&w, 1, 2, CIRCLE);
	assert_int_equal(erasure_in(&w, 1, CIRCLE, first), ERASURE_WAITS);
	world_end(&w);
}

/* Contested: it is there again, with everybody, and stays contested for that run alone. */
static void contested(void **state)
{
	struct world w;
	struct dot first;
	struct retention_run r;
	struct errctx ec = { 0 };
	struct erased_view v;
	char id[DOT_TEXT_LEN];

	(void)state;
	forge_world(&w);
	two_years(&w, &first);
	r = look(&w, 1, true, 0, ERR_OK);
	retention_run_free(&r);
	exchange(&w, 1, 2);
	dot_text(first, id);
	assert_int_equal(app_erase_contest(&ec, w.app[2], id, &v), ERR_OK);
	exchange(&w, 1, 2);
	assert_int_equal(erasure_in(&w, 1, CIRCLE, first), ERASURE_CONTESTED);
	assert_int_equal(go(&w, 1), 1);
	expect_same(&w, 1, 2, CIRCLE);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_goes),           cmocka_unit_test(clock_ahead_of_two),
		cmocka_unit_test(clock_ahead_of_one), cmocka_unit_test(typed_in_late),
		cmocka_unit_test(two_rules),          cmocka_unit_test(not_a_rule),
		cmocka_unit_test(much_at_once),       cmocka_unit_test(contested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
