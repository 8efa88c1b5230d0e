// SPDX-License-Identifier: EUPL-1.2
// Goal: one file carries what is shared, also where there is no host at all: everything arrives once, nothing of it
// counts as sent (S2), a damaged or foreign one costs nothing, and a repository that shows two people two worlds is
// caught as soon as they exchange one file (S5).
// Seen to catch: a hash of a part that is not looked at (a flipped bit went unseen), a count of parts that is not (a
// cut bundle was called whole), views that are compared on one side only (who was merely behind blamed the host), what
// came by bundle that does not go on to the host.
#include "app/bundle.h"

#include <fcntl.h>
#include <unistd.h>

#include "app/noticed.h"
#include "base/file.h"
#include "batch/bundle.h"
#include "model/random.h"
#include "support/asserts.h"
#include "sync/forge.h"

#define CIRCLE "Plein"

static void path_of(const struct world *w, const char *name, char out[static 400])
{
	snprintf(out, 400, "%s/%s", w->dir, name);
}

static struct bundle_made make(struct world *w, size_t i, const char *name)
{
	char path[400];
	struct bundle_made made;
	FILE *f = NULL;

	path_of(w, name, path);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_ok(app_bundle_export(ec, w->app[i], NULL, f, &made));
	assert_int_equal(fclose(f), 0);
	return made;
}

static enum err take_err(struct world *w, size_t i, const char *name, struct bundle_taken *t)
{
	char path[400];
	int fd = -1;
	struct errctx ec = { 0 };
	enum err e = ERR_OK;

	path_of(w, name, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	e = app_bundle_import(&ec, w->app[i], fd, name, t);
	close(fd);
	return e;
}

static struct bundle_taken take(struct world *w, size_t i, const char *name)
{
	struct bundle_taken t;

	assert_int_equal(take_err(w, i, name, &t), ERR_OK);
	assert_false(t.cut);
	assert_int_equal(t.damaged, 0);
	return t;
}

static uint64_t unsent(struct world *w, size_t i)
{
	struct status_view s;
	uint64_t n = 0;

	assert_ok(app_status(ec, w->app[i], &s));
	n = s.unsent;
	app_status_free(&s);
	return n;
}

enum { COORDINATOR, ANNA, BRAM, CEES };

/* Anna and Bram share a circle, of which a third may be; all of it is at the repository. */
static void begin(struct world *w, bool third)
{
	static const char *const nick[] = { "Coos", "Anna", "Bram", "Cees" };

	world_begin(w);
	for (size_t i = 0; i < (third ? 4 : 3); i++)
		world_home(w, nick[i]);
	assert_ok(app_found_neighbourhood(ec, w->app[COORDINATOR], "West", w->remote));
	world_sync(w, COORDINATOR);
	world_invite(w, COORDINATOR, ANNA, NULL, NULL);
	assert_ok(app_found_circle(ec, w->app[ANNA], CIRCLE));
	world_sync(w, ANNA);
	world_invite(w, ANNA, BRAM, CIRCLE, NULL);
	if (third)
		world_invite(w, ANNA, CEES, CIRCLE, NULL);
	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < w->n; i++)
			world_sync(w, i);
}

/* Two laptops at one table, and never a host: founded, invited, joined, written on both. */
static void test_two_laptops_and_no_host(void **state)
{
	struct world w;
	struct invite_view v;
	struct join_view asked;
	struct bundle_taken t;
	uint64_t before = 0;

	(void)state;
	world_begin(&w);
	world_home(&w, "Anna");
	world_home(&w, "Bram");
	assert_ok(app_found_neighbourhood(ec, w.app[0], "West", w.remote));
	assert_ok(app_found_circle(ec, w.app[0], CIRCLE));
	assert_int_equal(system(strcat(strcpy((char[400]){ 0 }, "rm -r "), w.remote)), 0);
	contact_in(&w, 0, CIRCLE, (struct dot){ 0 }, "van Anna");
	assert_ok(app_invite(ec, w.app[0], &(struct invite_ask){ .space = CIRCLE }, &v));
	assert_ok(app_join(ec, w.app[1], (const char *)v.text.data, v.text.len, false, &asked));
	buf_free(&v.text);
	before = unsent(&w, 0);
	make(&w, 1, "vraag");
	t = take(&w, 0, "vraag");
	assert_int_equal(t.v.admitted, 1);
	make(&w, 0, "antwoord");
	assert_true(unsent(&w, 0) >= before);
	t = take(&w, 1, "antwoord");
	assert_int_equal(t.v.joined, 2); /* the circle and its neighbourhood */
	expect_same(&w, 0, 1, CIRCLE);
	contact_in(&w, 1, CIRCLE, (struct dot){ 0 }, "van Bram");
	contact_in(&w, 0, CIRCLE, (struct dot){ 0 }, "nog een van Anna");
	make(&w, 1, "heen");
	make(&w, 0, "terug");
	take(&w, 0, "heen");
	take(&w, 1, "terug");
	expect_same(&w, 0, 1, CIRCLE);
	/* the same once more is nothing new */
	t = take(&w, 1, "terug");
	assert_int_equal(t.v.received + t.v.fresh + t.v.changed + t.v.set_aside, 0);
	/* nothing of all this was sent */
	assert_true(unsent(&w, 0) > 0 && unsent(&w, 1) > 0);
	world_end(&w);
}

/* Who has no connection is carried along by who has. */
static void test_it_reaches_the_host_through_another(void **state)
{
	struct world w;
	struct noticed_view *list = NULL;
	size_t n = 0;

	(void)state;
	begin(&w, true);
	contact_in(&w, 1, CIRCLE, (struct dot){ 0 }, "zonder verbinding");
	make(&w, 1, "stick");
	take(&w, 2, "stick");
	assert_true(unsent(&w, 1) > 0);
	world_sync(&w, 2);
	world_sync(&w, 3);
	expect_same(&w, 1, 3, CIRCLE);
	/* nobody said that the host had it, so nobody is blamed */
	assert_ok(app_noticed(ec, w.app[2], 0, &list, &n));
	assert_int_equal(n, 0);
	free(list);
	world_sync(&w, 1);
	assert_int_equal(unsent(&w, 1), 0);
	world_end(&w);
}

/* The host shows two worlds; both have sent everything; one file between them is enough. */
static void test_two_worlds_are_caught_by_one_file(void **state)
{
	struct world w;
	struct noticed_view *list = NULL;
	struct bundle_taken t;
	char other[1400];
	size_t n = 0;

	(void)state;
	begin(&w, false);
	snprintf(other, sizeof(other), "cp -r %s %s.b", w.remote, w.remote);
	assert_int_equal(system(other), 0);
	contact_in(&w, 1, CIRCLE, (struct dot){ 0 }, "in de ene");
	world_sync(&w, 1);
	snprintf(other, sizeof(other), "mv %s %s.a && mv %s.b %s", w.remote, w.remote, w.remote, w.remote);
	assert_int_equal(system(other), 0);
	contact_in(&w, 2, CIRCLE, (struct dot){ 0 }, "in de andere");
	world_sync(&w, 2);
	assert_int_equal(unsent(&w, 1) + unsent(&w, 2), 0);

	make(&w, 1, "stick");
	t = take(&w, 2, "stick");
	assert_true(t.worlds);
	assert_ok(app_noticed(ec, w.app[2], t.v.began_ms, &list, &n));
	assert_int_equal(n, 1);
	assert_int_equal(list[0].n.what, NOTICED_WORLDS);
	assert_string_equal(list[0].healed, "");
	/* both heads: a number and the start of a hash */
	assert_non_null(strstr(list[0].n.had, "batch "));
	assert_non_null(strstr(list[0].n.shown, "batch "));
	assert_string_not_equal(list[0].n.had, list[0].n.shown);
	free(list);
	/* what the one world lacks goes there */
	world_sync(&w, 2);
	assert_ok(app_noticed(ec, w.app[2], INT64_MAX, &list, &n));
	assert_int_equal(n, 0);
	free(list);
	world_home(&w, "Nieuw");
	world_invite(&w, 2, w.n - 1, CIRCLE, NULL);
	expect_same(&w, 2, w.n - 1, CIRCLE);
	world_end(&w);
}

/* A host that holds back what one wrote, from one who sees what others built on it: told at the second look, with both
 * heads, and quiet once it came. */
static void test_what_is_withheld_shows_by_what_builds_on_it(void **state)
{
	struct world w;
	struct noticed_view *list = NULL;
	struct sync_view v;
	char command[1400];
	size_t n = 0;

	(void)state;
	begin(&w, true);
	snprintf(command, sizeof(command),
	         "git -C %s for-each-ref --format='update %%(refname) %%(objectname)' >%s/refs", w.remote, w.dir);
	assert_int_equal(system(command), 0);
	contact_in(&w, ANNA, CIRCLE, (struct dot){ 0 }, "van Anna");
	world_sync(&w, ANNA);
	world_sync(&w, BRAM);
	/* what Anna sent just now is not shown any more */
	snprintf(command, sizeof(command), "git -C %s update-ref --stdin <%s/refs", w.remote, w.dir);
	assert_int_equal(system(command), 0);
	contact_in(&w, BRAM, CIRCLE, (struct dot){ 0 }, "van Bram, die het zag");
	snprintf(command, sizeof(command), "rm -rf %s/courier/repo-*",
	         w.home[BRAM]); /* so that he cannot push it back */
	assert_int_equal(system(command), 0);
	assert_ok(app_sync(ec, w.app[BRAM], &v));
	for (int i = 0; i < 2; i++) {
		assert_ok(app_sync(ec, w.app[CEES], &v));
		assert_ok(app_noticed(ec, w.app[CEES], INT64_MAX, &list, &n));
		assert_int_equal(n, i); /* the first look might have been between two pushes */
		if (n > 0) {
			assert_int_equal(list[0].n.what, NOTICED_WITHHELD);
			assert_string_equal(list[0].who, "Anna");
			assert_non_null(strstr(list[0].n.had, "batch "));
		}
		free(list);
	}
	world_sync(&w, ANNA);
	world_sync(&w, CEES);
	assert_ok(app_noticed(ec, w.app[CEES], INT64_MAX, &list, &n));
	assert_int_equal(n, 0);
	free(list);
	expect_same(&w, ANNA, CEES, CIRCLE);
	world_end(&w);
}

/* An honest repository, and people who are behind it in any way: nobody is blamed. */
static void test_who_is_merely_behind_blames_nobody(void **state)
{
	struct world w;
	struct bundle_taken t;

	(void)state;
	begin(&w, false);
	for (int i = 0; i < 3; i++) {
		contact_in(&w, 1, CIRCLE, (struct dot){ 0 }, "nieuw");
		world_sync(&w, 1);
		contact_in(&w, 2, CIRCLE, (struct dot){ 0 }, "niet gestuurd");
		make(&w, 1, "van-een");
		make(&w, 2, "van-twee");
		t = take(&w, 2, "van-een");
		assert_false(t.worlds);
		t = take(&w, 1, "van-twee");
		assert_false(t.worlds);
		if (i == 1)
			world_sync(&w, 2);
	}
	for (int i = 0; i < 2; i++) {
		world_sync(&w, 1);
		world_sync(&w, 2);
	}
	expect_same(&w, 1, 2, CIRCLE);
	world_end(&w);
}

/* Cut at any place, one bit flipped at any place: told, nothing lost, what is good is taken; and the whole one after
 * that brings the rest. */
static void test_damaged_ones(void **state)
{
	struct world w;
	struct buf whole = { 0 };
	char path[400];
	struct random rnd = { 7 };

	(void)state;
	begin(&w, false);
	for (int i = 0; i < 3; i++)
		contact_in(&w, 1, CIRCLE, (struct dot){ 0 }, "iets");
	make(&w, 1, "heel");
	path_of(&w, "heel", path);
	assert_int_equal(file_read(NULL, path, 64u << 20, &whole), ERR_OK);
	for (int i = 0; i < 60; i++) {
		struct bundle_taken t = { 0 };
		struct buf copy = { 0 };
		size_t at = (size_t)random_below(&rnd, whole.len);
		enum err e = ERR_OK;

		assert_int_equal(buf_put(&copy, whole.data, i % 2 == 0 ? at : whole.len), ERR_OK);
		if (i % 2 == 1)
			copy.data[at] ^= (uint8_t)(1u << random_below(&rnd, 8));
		path_of(&w, "stuk", path);
		assert_int_equal(file_replace(NULL, path, buf_bytes(&copy)), ERR_OK);
		buf_free(&copy);
		e = take_err(&w, 2, "stuk", &t);
		if (e == ERR_OK && !t.cut && t.damaged == 0)
			fail_msg("%s at %zu went unseen", i % 2 == 0 ? "a cut" : "a bit", at);
		assert_int_equal(t.v.set_aside, 0);
		assert_true(e == ERR_OK || at < BUNDLE_HEAD_LEN);
	}
	take(&w, 2, "heel");
	expect_same(&w, 1, 2, CIRCLE);
	buf_free(&whole);
	world_end(&w);
}

/* Of another neighbourhood; no bundle at all; a part that says to be larger than anything. */
static void test_foreign_ones(void **state)
{
	static const uint8_t huge[BUNDLE_PART_HEAD_LEN] = { 9, 9, 0, 0, 0xff, 0xff, 0xff, 0xff };
	struct world w;
	struct world other;
	struct bundle_taken t;
	struct buf b = { 0 };
	uint8_t head[BUNDLE_HEAD_LEN];
	char path[400];
	char command[1400];

	(void)state;
	begin(&w, false);
	world_begin(&other);
	world_home(&other, "Vreemd");
	assert_ok(app_found_neighbourhood(ec, other.app[0], "Oost", other.remote));
	make(&other, 0, "vreemd");
	snprintf(command, sizeof(command), "cp %s/vreemd %s/vreemd", other.dir, w.dir);
	assert_int_equal(system(command), 0);
	t = take(&w, 1, "vreemd");
	assert_true(t.foreign);
	assert_int_equal(t.v.received + t.v.set_aside, 0);

	path_of(&w, "geen", path);
	assert_int_equal(file_replace(NULL, path, (struct bytes){ (const uint8_t *)"een brief", 9 }), ERR_OK);
	assert_int_equal(take_err(&w, 1, "geen", &t), ERR_DAMAGED);

	bundle_head_put(1, head);
	assert_int_equal(buf_put(&b, head, sizeof(head)), ERR_OK);
	assert_int_equal(buf_put(&b, huge, sizeof(huge)), ERR_OK);
	assert_int_equal(file_replace(NULL, path, buf_bytes(&b)), ERR_OK);
	assert_int_equal(take_err(&w, 1, "geen", &t), ERR_OK);
	assert_true(t.cut);
	b.data[4] = 2; /* a newer format */
	assert_int_equal(file_replace(NULL, path, buf_bytes(&b)), ERR_OK);
	assert_int_equal(take_err(&w, 1, "geen", &t), ERR_INPUT);
	buf_free(&b);
	world_end(&other);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_laptops_and_no_host),
		cmocka_unit_test(test_it_reaches_the_host_through_another),
		cmocka_unit_test(test_two_worlds_are_caught_by_one_file),
		cmocka_unit_test(test_what_is_withheld_shows_by_what_builds_on_it),
		cmocka_unit_test(test_who_is_merely_behind_blames_nobody),
		cmocka_unit_test(test_damaged_ones),
		cmocka_unit_test(test_foreign_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
