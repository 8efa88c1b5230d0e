// SPDX-License-Identifier: EUPL-1.2
// Goal: a whole tally through stores and a repository: planned by a coordinator, answered by three tellers, six circles
// in, counted, combined, read by all; what somebody had no right to write, or wrote twice, changes nothing (T2, K4).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/contacts.h"
#include "app/referrals.h"
#include "app/tally.h"
#include "app/tally_case.h"
#include "app/within.h"
#include "crypto/secret.h"
#include "model/draft.h"
#include "support/asserts.h"
#include "sync/homes.h"

/* Anna is a key figure too, with as many circles as the test wants. */
enum { COORDINATOR, TELLER_A, TELLER_B, TELLER_C, HOMES, FIGURE = TELLER_A };

#define PERIOD "2025Q2"
#define BEFORE INT64_C(1752000000000) /* 8 July 2025: the tally opens on 30 July */
#define AFTER INT64_C(1754784000000)  /* 10 August 2025 */

static void neighbourhood(struct world *w)
{
	static const char *const names[] = { "Coos", "Anna", "Bram", "Cor" };

	world_begin(w);
	w->now_ms = BEFORE;
	for (size_t i = 0; i < HOMES; i++)
		world_home(w, names[i]);
	assert_err(app_found_neighbourhood(ec, w->app[COORDINATOR], "West", w->remote), ERR_OK);
	world_sync(w, COORDINATOR);
	for (size_t i = TELLER_A; i <= TELLER_C; i++)
		world_invite(w, COORDINATOR, i, "West", "teller");
}

static const char *circle_name(size_t n)
{
	static char name[16];

	snprintf(name, sizeof(name), "Kring %zu", n);
	return name;
}

/* Twelve referrals of a circle: about money, housing and work, each to its own kind of organisation; of four about one
 * thing two got help in June and two are still silent. Asked about in May. */
static void referrals(struct world *w, const char *circle)
{
	static const char *const about[][2] = { { "geld", "schulden" }, { "wonen", "wonen" }, { "werk", "werk" } };
	const struct contact_fields c = { .date = "2025-05-01", .channel = "spreekuur" };
	struct app *app = w->app[FIGURE];
	char contact[ID_TEXT_LEN];
	char id[ID_TEXT_LEN];

	assert_err(contact_add(ec, app, circle, &c, contact), ERR_OK);
	for (unsigned i = 0; i < 12; i++) {
		const struct referral_fields f = { .service_name = "Dienst",
			                           .group = about[i / 4][1],
			                           .domain = about[i / 4][0],
			                           .kind = "mee",
			                           .date = "2025-05-02" };
		const struct status_change helped = { .status = "geholpen", .date = "2025-06-03" };
		struct referral_made made;
		struct referral_made next;

		assert_err(referral_add(ec, app, contact, &f, &made), ERR_OK);
		if (i % 2 == 0)
			assert_err(referral_status(ec, app, made.id, &helped, id, &next), ERR_OK);
	}
}

/* What `from` has goes to all. */
static void spread(struct world *w, size_t from)
{
	world_sync(w, from);
	for (size_t i = 0; i < HOMES; i++) {
		if (i != from)
			world_sync(w, i);
	}
}

/* The plan goes out, the tellers' keys come back. */
static void answer_plan(struct world *w)
{
	spread(w, COORDINATOR);
	spread(w, TELLER_C);
}

static enum err plan(struct world *w, size_t who, const char *tellers, struct errctx *ec)
{
	const struct tally_ask ask = { .period = PERIOD, .tellers = tellers };
	struct tally_planned out = { 0 };
	enum err e = app_tally_plan(ec, w->app[who], &ask, &out);

	app_tally_planned_free(&out);
	return e;
}

static enum err contribute(struct world *w, size_t who, const char *circle, struct errctx *ec)
{
	struct tally_preview out = { 0 };
	enum err e = app_tally_contribute(ec, w->app[who], NULL, circle, &out);

	app_tally_preview_free(&out);
	return e;
}

static enum err count(struct world *w, size_t who, bool *done, struct errctx *ec)
{
	struct tally_counted out = { 0 };
	enum err e = app_tally_count(ec, w->app[who], PERIOD, &out);

	if (done != NULL)
		*done = out.done;
	app_tally_counted_free(&out);
	return e;
}

static enum err combine(struct world *w, size_t who, struct errctx *ec)
{
	struct tally_combined out = { 0 };
	enum err e = app_tally_combine(ec, w->app[who], PERIOD, &out);

	app_tally_combined_free(&out);
	return e;
}

static struct tally_status status(struct world *w, size_t who)
{
	struct tally_status out = { 0 };

	assert_err(app_tally_status(ec, w->app[who], NULL, &out), ERR_OK);
	return out;
}

static void assert_step(struct world *w, size_t who, const char *step)
{
	struct tally_status s = status(w, who);

	assert_string_equal(s.step, step);
	app_tally_status_free(&s);
}

static const struct grid_cell *cell(const struct grid *g, const char *row, const char *column)
{
	size_t r = 0;
	size_t c = 0;

	while (strcmp(g->dim[0].key[r].id, row) != 0)
		r++;
	while (strcmp(g->dim[1].key[c].id, column) != 0)
		c++;
	return &g->cell[r * g->dim[1].keys + c];
}

/* A record of the tally written by somebody's own program, past all checks of app/. */
static void forge(struct world *w, size_t who, uint32_t kind, uint32_t tag, struct bytes body)
{
	struct app *app = w->app[who];
	struct draft d = { 0 };
	struct change change = { .kind = kind };
	struct space_row space;
	struct dot id;

	assert_err(tally_space(ec, app, &space), ERR_OK);
	change.space = space.n;
	draft_bytes(&d, tag, body);
	assert_int_equal(draft_writes(&d, &change.writes, &change.write_count), ERR_OK);
	assert_err(store_begin(ec, app->store), ERR_OK);
	assert_err(within_end(ec, app, store_write(ec, app->store, &change, app_now_ms(app), &id)), ERR_OK);
	draft_free(&d);
}

static bool kept(struct world *w, size_t who, const char *what)
{
	struct space_row space;
	struct buf value = { 0 };
	char name[TALLY_KEPT_LEN];
	bool there = false;

	assert_err(tally_space(ec, w->app[who], &space), ERR_OK);
	tally_kept(what, (struct quarter){ 2025, 2 }, name);
	there = store_kept_get(NULL, w->app[who]->store, space.n, name, &value) == ERR_OK;
	buf_free(&value);
	return there;
}

/* The plan that a member makes with a program of their own: they would count alone with two friends. */
static void forged_plan(struct world *w, size_t who)
{
	struct tally_case c = { 0 };
	struct buf body = { 0 };
	struct plan p;

	assert_err(tally_case_load(ec, w->app[who], PERIOD, &c), ERR_OK);
	p = c.plan;
	p.floor = 3;
	assert_int_equal(plan_make(&p, c.space.id, &crypto_rng, &body, NULL), ERR_OK);
	forge(w, who, KIND_plan, F_plan_body, buf_bytes(&body));
	buf_free(&body);
	tally_case_free(&c);
}

static size_t plans_that_count(struct world *w, size_t who)
{
	struct tally_found *list = NULL;
	struct space_row space;
	size_t n = 0;

	assert_err(tally_space(ec, w->app[who], &space), ERR_OK);
	assert_err(tally_plans(ec, w->app[who], &space, &list, &n), ERR_OK);
	free(list);
	return n;
}

/* Seen to fail: without the roles in plan_found(); with an opening day a month later. */
static void a_tally_from_plan_to_summary(void **state)
{
	struct world w;
	struct tally_status s;
	struct tally_preview p = { 0 };
	struct summary sum = { 0 };
	unsigned rounds = 0;
	bool done[3] = { false };

	neighbourhood(&w);
	for (size_t k = 0; k < 6; k++) {
		assert_err(app_found_circle(ec, w.app[FIGURE], circle_name(k)), ERR_OK);
		referrals(&w, circle_name(k));
	}
	/* before there is a plan */
	assert_err(app_summary(ec, w.app[FIGURE], NULL, false, &sum), ERR_NOT_FOUND);
	app_summary_free(&sum);
	assert_err(plan(&w, TELLER_B, NULL, ec), ERR_REFUSED);
	assert_err(plan(&w, COORDINATOR, "Anna,Bram,Coos", ec), ERR_REFUSED);
	assert_err(plan(&w, COORDINATOR, "Anna,Bram,Niemand", ec), ERR_NOT_FOUND);
	assert_err(plan(&w, COORDINATOR, NULL, ec), ERR_OK);
	assert_err(plan(&w, COORDINATOR, NULL, ec), ERR_REFUSED);
	world_sync(&w, COORDINATOR);
	world_sync(&w, FIGURE);
	assert_step(&w, FIGURE, "keys");

	/* too early, then keys are missing */
	assert_err(contribute(&w, FIGURE, circle_name(0), ec), ERR_LATER);
	w.now_ms = AFTER;
	assert_err(contribute(&w, FIGURE, circle_name(0), ec), ERR_LATER);
	answer_plan(&w);
	assert_step(&w, FIGURE, "open");
	assert_true(kept(&w, TELLER_A, "secret"));

	assert_err(app_tally_preview(ec, w.app[FIGURE], NULL, circle_name(0), &p), ERR_OK);
	assert_int_equal(p.referrals, 12);
	assert_int_equal(cell(&p.grid[0], "geld", "geholpen")->count, 2);
	assert_int_equal(cell(&p.grid[0], "geld", "stil")->count, 2);
	assert_int_equal(cell(&p.grid[1], "schulden", "total")->count, 4);
	assert_int_equal(cell(&p.grid[1], "total", "total")->capped, 5);
	app_tally_preview_free(&p);

	/* four circles are too few */
	for (size_t k = 0; k < 4; k++)
		assert_err(contribute(&w, FIGURE, circle_name(k), ec), ERR_OK);
	assert_err(contribute(&w, FIGURE, circle_name(0), ec), ERR_REFUSED);
	assert_err(app_found_circle(ec, w.app[COORDINATOR], "Kring van Coos"), ERR_OK);
	assert_err(contribute(&w, COORDINATOR, "Kring van Coos", ec), ERR_REFUSED);
	assert_err(count(&w, TELLER_A, NULL, ec), ERR_REFUSED);
	assert_err(count(&w, COORDINATOR, NULL, ec), ERR_REFUSED);
	assert_err(combine(&w, TELLER_A, ec), ERR_LATER);

	/* a plan by a member who is no coordinator changes nothing for anybody */
	forged_plan(&w, FIGURE);
	for (size_t k = 4; k < 6; k++)
		assert_err(contribute(&w, FIGURE, circle_name(k), ec), ERR_OK);
	spread(&w, FIGURE);
	assert_int_equal(plans_that_count(&w, COORDINATOR), 1);
	s = status(&w, COORDINATOR);
	assert_int_equal(s.circles, 6);
	assert_non_null(s.circle);
	assert_string_equal(s.circle[0], "Kring 0");
	assert_int_equal(s.floor, 5);
	app_tally_status_free(&s);
	s = status(&w, FIGURE);
	assert_int_equal(s.circles, 6);
	assert_null(s.circle);
	app_tally_status_free(&s);

	for (; rounds < 4 && !(done[0] && done[1] && done[2]); rounds++) {
		for (size_t k = 0; k < 3; k++) {
			struct errctx ec = { 0 };
			enum err e = ERR_OK;

			world_sync(&w, TELLER_A + k);
			e = count(&w, TELLER_A + k, &done[k], &ec);
			assert_true(e == ERR_OK || e == ERR_LATER);
			world_sync(&w, TELLER_A + k);
		}
	}
	assert_true(done[0] && done[1] && done[2]);
	assert_true(rounds <= 3);
	assert_false(kept(&w, TELLER_A, "secret"));
	assert_true(kept(&w, TELLER_A, "summed"));
	assert_err(contribute(&w, FIGURE, circle_name(5), ec), ERR_REFUSED);
	assert_err(app_summary(ec, w.app[FIGURE], NULL, false, &sum), ERR_LATER);
	app_summary_free(&sum);
	world_sync(&w, COORDINATOR);
	assert_err(combine(&w, COORDINATOR, ec), ERR_REFUSED);
	world_sync(&w, TELLER_B);
	assert_err(combine(&w, TELLER_B, ec), ERR_OK);
	assert_err(combine(&w, TELLER_B, ec), ERR_REFUSED);
	spread(&w, TELLER_B);
	assert_err(combine(&w, TELLER_A, ec), ERR_REFUSED);

	for (size_t who = 0; who < HOMES; who++) {
		assert_err(app_summary(ec, w.app[who], NULL, false, &sum), ERR_OK);
		assert_string_equal(sum.period, PERIOD);
		assert_string_equal(sum.audit[0], "passed");
		assert_true(sum.checked);
		assert_int_equal(sum.band[0], 5);
		assert_int_equal(sum.band[1], 9);
		assert_int_equal(sum.shown, 1000);
		assert_int_equal(sum.grids, 2);
		assert_string_equal(sum.grid[0].level, "fine");
		assert_int_equal(cell(&sum.grid[0], "total", "total")->count, 72);
		assert_int_equal(cell(&sum.grid[0], "wonen", "stil")->count, 12);
		assert_int_equal(cell(&sum.grid[1], "schulden", "geholpen")->count, 12);
		assert_int_equal(cell(&sum.grid[1], "recht", "total")->count, 0);
		app_summary_free(&sum);
		assert_err(app_summary(ec, w.app[who], PERIOD, true, &sum), ERR_OK);
		assert_int_equal(cell(&sum.grid[0], "total", "total")->count, 70);
		assert_int_equal(cell(&sum.grid[0], "wonen", "stil")->count, 10);
		assert_true(cell(&sum.grid[0], "taal", "stil")->hidden);
		app_summary_free(&sum);
	}
	world_end(&w);
}

/* A plan of the same quarter that sorts before the first, written past all checks: only what devices remember speaks
 * against it. */
static void forged_second_plan(struct world *w, uint8_t first[static HASH_LEN])
{
	struct tally_case c = { 0 };
	struct buf body = { 0 };
	struct plan second;

	assert_err(tally_case_load(ec, w->app[COORDINATOR], PERIOD, &c), ERR_OK);
	memcpy(first, c.plan.hash, HASH_LEN);
	second = c.plan;
	second.floor = 3;
	do
		assert_int_equal(plan_make(&second, c.space.id, &crypto_rng, &body, NULL), ERR_OK);
	while (memcmp(second.hash, first, HASH_LEN) > 0);
	forge(w, COORDINATOR, KIND_plan, F_plan_body, buf_bytes(&body));
	buf_free(&body);
	tally_case_free(&c);
}

/* A contribution of a coordinator's own circle, sealed as it should be; keys for Cor's place by Bram; a copy of a
 * contribution that is there. Fills in the public half of the false keys. */
static void forged_answers(struct world *w, struct teller_secret *false_keys)
{
	struct tally_case c = { 0 };
	struct circle_key circle;
	struct buf body = { 0 };
	uint64_t x[2048] = { 0 };
	struct loaded l = { 0 };
	struct dots ids = { 0 };
	struct bytes copy = { 0 };

	assert_err(tally_case_load(ec, w->app[COORDINATOR], PERIOD, &c), ERR_OK);
	circle_key_make(&c.plan, (struct space_id){ { 9 } }, &circle);
	assert_int_equal(contribution_make(&c.plan, &(struct contribution_in){ &circle, "Coos", c.key, x }, &crypto_rng,
	                                   &body, NULL),
	                 ERR_OK);
	forge(w, COORDINATOR, KIND_contribution, F_contribution_body, buf_bytes(&body));
	assert_int_equal(teller_key_make(&c.plan, 2, &crypto_rng, false_keys, &body), ERR_OK);
	forge(w, TELLER_B, KIND_teller_key, F_teller_key_body, buf_bytes(&body));
	assert_err(store_of_kind(ec, w->app[TELLER_B]->store, KIND_contribution, c.space.n, &ids), ERR_OK);
	assert_int_equal(ids.n, 1);
	assert_err(store_load(ec, w->app[TELLER_B]->store, ids.d[0], &l), ERR_OK);
	assert_true(record_bytes(&l.record, F_contribution_body, &copy));
	forge(w, TELLER_B, KIND_contribution, F_contribution_body, copy);
	store_loaded_free(&l);
	dots_free(&ids);
	buf_free(&body);
	tally_case_free(&c);
}

/* Seen to fail: without the coordinator's strike in contribution_found(), without the device in key_found(). */
static void what_nobody_may_write_is_passed_over(void **state)
{
	struct world w;
	struct tally_preview p = { 0 };
	struct tally_case c = { 0 };
	struct teller_secret false_keys;
	uint8_t first[HASH_LEN];

	neighbourhood(&w);
	w.now_ms = AFTER;
	assert_err(app_found_circle(ec, w.app[FIGURE], "Kring 0"), ERR_OK);
	assert_err(app_found_circle(ec, w.app[FIGURE], "Kring 1"), ERR_OK);
	assert_err(plan(&w, COORDINATOR, NULL, ec), ERR_OK);
	answer_plan(&w);
	/* one circle is in, one says that it takes no part, once and for all */
	assert_err(contribute(&w, FIGURE, "Kring 0", ec), ERR_OK);
	assert_err(app_tally_skip(ec, w.app[FIGURE], NULL, "Kring 1", &p), ERR_OK);
	app_tally_preview_free(&p);
	assert_err(contribute(&w, FIGURE, "Kring 1", ec), ERR_REFUSED);
	assert_err(app_tally_skip(ec, w.app[FIGURE], NULL, "Kring 0", &p), ERR_REFUSED);
	app_tally_preview_free(&p);
	spread(&w, FIGURE);

	forged_answers(&w, &false_keys);
	forged_second_plan(&w, first);
	world_sync(&w, TELLER_B);
	spread(&w, COORDINATOR);
	for (size_t who = 0; who < HOMES; who++) {
		assert_err(tally_case_load(ec, w.app[who], PERIOD, &c), ERR_OK);
		assert_memory_equal(c.plan.hash, first, HASH_LEN);
		assert_int_equal(c.contributions, 1);
		assert_memory_not_equal(c.key[2].box, false_keys.box_public, BOX_PUBLIC_LEN);
		tally_case_free(&c);
	}
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tally_from_plan_to_summary),
		cmocka_unit_test(what_nobody_may_write_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
