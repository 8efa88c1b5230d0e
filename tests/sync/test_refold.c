// SPDX-License-Identifier: EUPL-1.2
// Goal (M1, V5): a record folded again from the log, with what each author had seen read back from the batches, is byte
// for byte what folding as it came gave, over random histories of three people with two versions, events, sets and
// forms that were saved late; and what differs is found and written again.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "app/contacts.h"
#include "app/referrals.h"
#include "app/verify.h"
#include "app/versions.h"
#include "model/random.h"
#include "sync/homes.h"
#include "sync/refold.h"

#define SEED 4711
#define PEOPLE 3

static void die(const struct errctx *ec, const char *what)
{
	char text[600];

	fail_msg("%s: %s", what, ec->msg == NULL ? "(no text)" : err_text(ec, NULL, text, sizeof(text)));
}

static void world_of_three(struct world *w)
{
	static const char *const nick[] = { "Een", "Twee", "Drie" };
	struct errctx ec = { 0 };

	world_begin(w);
	for (size_t i = 0; i < PEOPLE; i++)
		world_home(w, nick[i]);
	assert_int_equal(app_found_neighbourhood(&ec, w->app[0], "West", w->remote), ERR_OK);
	assert_int_equal(app_found_circle(&ec, w->app[0], "Plein"), ERR_OK);
	world_sync(w, 0);
	for (size_t i = 1; i < PEOPLE; i++)
		world_invite(w, 0, i, "Plein", NULL);
}

/* One thing that somebody does. */
static void act(struct world *w, struct random *r)
{
	static const char *const texts[] = { "een brief", "een ander verhaal", "gebeld", "niets gehoord" };
	static const char *const domains[] = { "wonen", "geld,wonen", "gezond", "werk,taal,geld" };
	static const char *const statuses[] = { "aangenomen", "afspraak", "wachtlijst", "fout" };
	size_t who = random_below(r, PEOPLE);
	struct app *app = w->app[who];
	struct contact_query q = { .circle = "Plein" };
	struct contact_list list = { 0 };
	struct referral_query rq = { .circle = "Plein" };
	struct referral_list referrals = { 0 };
	struct errctx ec = { 0 };
	char id[ID_TEXT_LEN];
	struct contact_fields f = { .text = texts[random_below(r, 4)], .domains = domains[random_below(r, 4)] };

	assert_int_equal(contact_list_some(&ec, app, &q, &list), ERR_OK);
	assert_int_equal(referral_list_some(&ec, app, &rq, &referrals), ERR_OK);
	switch (random_below(r, 8)) {
	case 0:
	case 1:
		if (contact_add(&ec, app, "Plein", &f, id) != ERR_OK)
			die(&ec, "add");
		break;
	case 2:
	case 3:
	case 4:
		if (list.n > 0 &&
		    contact_edit(&ec, app, list.item[random_below(r, list.n < 3 ? list.n : 3)].id, &f, id) != ERR_OK)
			die(&ec, "edit");
		break;
	case 5:
		if (list.n > 0) {
			struct referral_fields rf = {
				.service_name = "Wijk", .group = "welzijn", .kind = "info", .domain = "geld"
			};
			struct referral_made made;

			if (referral_add(&ec, app, list.item[0].id, &rf, &made) != ERR_OK)
				die(&ec, "referral");
		}
		break;
	case 6:
		if (referrals.n > 0) {
			struct status_change change = { .status = statuses[random_below(r, 4)] };
			struct referral_made made;

			/* some make no sense at the moment, and are refused */
			(void)!referral_status(NULL, app, referrals.item[random_below(r, referrals.n)].id, &change, id,
			                       &made);
		}
		break;
	default:
		world_sync(w, who);
	}
	contact_list_free(&list);
	referral_list_free(&referrals);
}

static struct space_row circle_of(struct app *app)
{
	struct space_row *list = NULL;
	struct space_row out = { 0 };
	size_t n = 0;

	assert_int_equal(store_space_list(NULL, app->store, &list, &n), ERR_OK);
	for (size_t i = 0; i < n; i++) {
		if (list[i].kind == SPACE_CIRCLE)
			out = list[i];
	}
	free(list);
	assert_true(out.n > 0);
	return out;
}

static struct refolded refold(struct app *app, bool mend)
{
	struct sync y = { .store = app->store, .zip = app->zip, .rng = app->rng, .clock = app->clock };
	struct space_row space = circle_of(app);
	struct refolded out = { 0 };
	struct refold *f = NULL;
	struct errctx ec = { 0 };

	assert_int_equal(store_begin(&ec, app->store), ERR_OK);
	if (refold_open(&ec, &y, &space, &f) != ERR_OK || refold_space(&ec, f, mend, &out) != ERR_OK)
		die(&ec, "refold");
	refold_close(f);
	assert_int_equal(store_commit(&ec, app->store), ERR_OK);
	return out;
}

static void test_as_it_came(void **state)
{
	size_t two = 0;
	uint64_t records = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 6 * random_soak(); seed++) {
		struct random r = { SEED + seed };
		struct world w;

		world_of_three(&w);
		for (int i = 0; i < 60; i++)
			act(&w, &r);
		for (size_t i = 0; i < PEOPLE; i++) {
			struct refolded found = refold(w.app[i], false);
			struct dots list = { 0 };

			if (found.differing + found.damaged > 0)
				fail_msg("seed %d, home %zu: %llu differ, %llu damaged", (int)(SEED + seed), i,
				         (unsigned long long)found.differing, (unsigned long long)found.damaged);
			records += found.records;
			assert_int_equal(store_two_versions(NULL, w.app[i]->store, &list), ERR_OK);
			two += list.n;
			dots_free(&list);
		}
		world_end(&w);
	}
	print_message("# %llu records folded again, %zu of them with two versions\n", (unsigned long long)records, two);
	assert_true(two > 0);
}

static void sql(struct app *app, const char *text)
{
	assert_int_equal(sqlite3_exec(vault_db(app->vault), text, NULL, NULL, NULL), SQLITE_OK);
}

/* Rows that say something else than the edits do: found by verify, put right by repair, without another vault. */
static void test_mend(void **state)
{
	static const char *const harm[] = {
		"UPDATE record SET state = (SELECT state FROM record WHERE kind = 3 ORDER BY r LIMIT 1) WHERE kind = 3",
		"DELETE FROM record WHERE kind = 3",
		"UPDATE record SET state = x'00' WHERE kind = 4",
	};
	struct random r = { SEED };
	struct world w;
	struct buf before = { 0 };

	(void)state;
	world_of_three(&w);
	for (int i = 0; i < 80; i++)
		act(&w, &r);
	before = world_dump(&w, 0, "Plein");
	for (size_t i = 0; i < sizeof(harm) / sizeof(harm[0]); i++) {
		struct verify_view v;
		struct repair_view rv;
		struct buf after = { 0 };
		struct errctx ec = { 0 };
		uint8_t master[32];

		memset(master, 1, sizeof(master));
		sql(w.app[0], harm[i]);
		assert_int_equal(app_verify(NULL, w.app[0], &v), ERR_DAMAGED);
		assert_true(v.bad_records > 0);
		if (app_repair(&ec, w.app[0], master, &rv) != ERR_OK)
			die(&ec, "repair");
		assert_true(rv.needed && rv.repaired);
		after = world_dump(&w, 0, "Plein");
		assert_int_equal(bytes_cmp(buf_bytes(&after), buf_bytes(&before)), 0);
		buf_free(&after);
		assert_int_equal(app_verify(NULL, w.app[0], &v), ERR_OK);
		world_sync(&w, 0);
	}
	buf_free(&before);
	world_end(&w);
}

/* What stands in the log about a batch that is not so. */
static void test_log_lies(void **state)
{
	static const char *const lies[] = {
		"UPDATE edit SET seq = seq + 1 WHERE seq > 0 AND n = 8",
		"UPDATE edit SET record = (SELECT record FROM edit WHERE n = 3) WHERE n = 9",
		"UPDATE edit SET past = past + 1 WHERE n = 9",
		"UPDATE batch SET hash = zeroblob(32) WHERE b = (SELECT max(b) FROM batch)",
		"DELETE FROM batch WHERE b = (SELECT max(b) FROM batch)",
	};
	struct random r = { SEED };
	struct world w;

	(void)state;
	world_of_three(&w);
	for (int i = 0; i < 60; i++)
		act(&w, &r);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct verify_view v;
		struct repair_view rv;
		struct errctx ec = { 0 };
		uint8_t master[32];

		memset(master, 1, sizeof(master));
		sql(w.app[0], lies[i]);
		if (app_verify(NULL, w.app[0], &v) != ERR_DAMAGED)
			fail_msg("not found: %s", lies[i]);
		if (app_repair(&ec, w.app[0], master, &rv) != ERR_OK)
			die(&ec, "repair");
		assert_int_equal(app_verify(NULL, w.app[0], &v), ERR_OK);
		world_sync(&w, 0);
	}
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_it_came),
		cmocka_unit_test(test_mend),
		cmocka_unit_test(test_log_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
