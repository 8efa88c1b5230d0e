// SPDX-License-Identifier: EUPL-1.2
// Goal: people who log apart and sync through a repository they do not trust end equal, lose nothing, and are told
// the truth about what was sent (M1, M2, S1, S2, S3, S4, K4's registry). The courier is the real one, over a path.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "model/draft.h"
#include "sync/homes.h"

static void expect_equal(struct world *w, size_t a, size_t b, const char *space)
{
	struct buf x = world_dump(w, a, space);
	struct buf y = world_dump(w, b, space);

	assert_true(x.len > 100);
	assert_int_equal(bytes_cmp(buf_bytes(&x), buf_bytes(&y)), 0);
	buf_free(&x);
	buf_free(&y);
}

static int64_t circle_of(struct world *w, size_t i)
{
	struct errctx ec = { 0 };
	int64_t space = 0;

	assert_int_equal(app_circle(&ec, w->app[i], NULL, &space), ERR_OK);
	return space;
}

/* One contact with a text, straight through the store. */
static struct dot write_contact(struct world *w, size_t i, struct dot target, const char *base, const char *text)
{
	struct draft d = { 0 };
	struct change c = { .space = circle_of(w, i),
		            .kind = dot_is_none(target) ? KIND_contact : KIND_none,
		            .target = target };
	struct errctx ec = { 0 };
	struct dot id = { 0 };

	if (dot_is_none(target))
		draft_int(&d, F_contact_date, 20000);
	draft_long_text(&d, F_contact_text, base, text);
	assert_int_equal(draft_writes(&d, &c.writes, &c.write_count), ERR_OK);
	assert_int_equal(store_begin(&ec, w->app[i]->store), ERR_OK);
	assert_int_equal(store_write(&ec, w->app[i]->store, &c, clock_now(&w->clock), &id), ERR_OK);
	assert_int_equal(store_commit(&ec, w->app[i]->store), ERR_OK);
	draft_free(&d);
	return id;
}

static size_t versions_of(struct world *w, size_t i, struct dot id)
{
	struct loaded l;
	struct errctx ec = { 0 };
	size_t n = 0;

	assert_int_equal(store_load(&ec, w->app[i]->store, id, &l), ERR_OK);
	n = record_versions(&l.record, F_contact_text);
	store_loaded_free(&l);
	return n;
}

static uint64_t unsent(struct world *w, size_t i)
{
	struct status_view s;
	struct errctx ec = { 0 };
	uint64_t n = 0;

	assert_int_equal(app_status(&ec, w->app[i], &s), ERR_OK);
	n = s.unsent;
	app_status_free(&s);
	return n;
}

/* A neighbourhood with a coordinator (0), a circle with two key figures (1, 2). */
static void neighbourhood(struct world *w)
{
	struct errctx ec = { 0 };

	world_begin(w);
	world_home(w, "Coordinator");
	world_home(w, "Een");
	world_home(w, "Twee");
	assert_int_equal(app_found_neighbourhood(&ec, w->app[0], "West", w->remote), ERR_OK);
	world_sync(w, 0);
	world_invite(w, 0, 1, NULL, NULL);
	assert_int_equal(app_found_circle(&ec, w->app[1], "Plein"), ERR_OK);
	world_sync(w, 1);
	world_invite(w, 1, 2, "Plein", NULL);
	world_sync(w, 0);
	world_sync(w, 1);
}

static void test_join_and_converge(void **state)
{
	struct world w;
	struct sync_view v;
	struct dot id = { 0 };

	(void)state;
	neighbourhood(&w);
	expect_equal(&w, 1, 2, "Plein");
	expect_equal(&w, 0, 2, "West");
	id = write_contact(&w, 1, (struct dot){ 0 }, NULL, "eerste");
	assert_int_equal(unsent(&w, 1), 1);
	v = world_sync(&w, 1);
	assert_int_equal(v.sent, 1);
	assert_int_equal(unsent(&w, 1), 0);
	v = world_sync(&w, 2);
	assert_int_equal(v.fresh, 1);
	/* apart: both change the same text */
	write_contact(&w, 1, id, "eerste", "eerste van een");
	write_contact(&w, 2, id, "eerste", "eerste van twee");
	world_sync(&w, 1);
	v = world_sync(&w, 2);
	assert_int_equal(v.two_versions, 1);
	v = world_sync(&w, 1);
	assert_int_equal(v.two_versions, 1);
	assert_int_equal(versions_of(&w, 1, id), 2);
	assert_int_equal(versions_of(&w, 2, id), 2);
	expect_equal(&w, 1, 2, "Plein");
	/* one picks: an edit that had seen both */
	write_contact(&w, 2, id, "eerste van een", "samen");
	world_sync(&w, 2);
	world_sync(&w, 1);
	assert_int_equal(versions_of(&w, 1, id), 1);
	expect_equal(&w, 1, 2, "Plein");
	/* the coordinator has the neighbourhood and not the circle */
	v = world_sync(&w, 0);
	assert_int_equal(v.fresh, 0);
	world_end(&w);
}

static void test_nothing_new_changes_nothing(void **state)
{
	struct world w;
	struct sync_view v;
	struct buf before;
	struct buf after;

	(void)state;
	neighbourhood(&w);
	write_contact(&w, 1, (struct dot){ 0 }, NULL, "tekst");
	world_sync(&w, 1);
	world_sync(&w, 2);
	before = world_dump(&w, 2, NULL);
	for (int i = 0; i < 3; i++) {
		v = world_sync(&w, 2);
		assert_int_equal(v.sent + v.received + v.fresh + v.changed, 0);
	}
	world_reopen(&w, 2);
	v = world_sync(&w, 2);
	assert_int_equal(v.received, 0);
	after = world_dump(&w, 2, NULL);
	assert_int_equal(bytes_cmp(buf_bytes(&before), buf_bytes(&after)), 0);
	buf_free(&before);
	buf_free(&after);
	world_end(&w);
}

/* The cache of the courier is only a cache. */
static void test_lost_cache(void **state)
{
	struct world w;
	char command[700];
	struct dot id = { 0 };

	(void)state;
	neighbourhood(&w);
	id = write_contact(&w, 1, (struct dot){ 0 }, NULL, "een");
	world_sync(&w, 1);
	snprintf(command, sizeof(command), "rm -rf '%s'/courier/repo-* '%s/spool'", w.home[1], w.home[1]);
	assert_int_equal(system(command), 0);
	write_contact(&w, 1, id, "een", "twee");
	world_sync(&w, 1);
	world_sync(&w, 2);
	expect_equal(&w, 1, 2, "Plein");
	world_end(&w);
}

/* S2: without a remote nothing is called sent; once it is back everything is. */
static void test_missing_remote(void **state)
{
	struct world w;
	struct sync_view v;
	struct errctx ec = { 0 };
	char away[400];

	(void)state;
	neighbourhood(&w);
	write_contact(&w, 1, (struct dot){ 0 }, NULL, "een");
	snprintf(away, sizeof(away), "%s.away", w.remote);
	assert_int_equal(rename(w.remote, away), 0);
	assert_int_equal(app_sync(&ec, w.app[1], &v), ERR_OK);
	assert_int_not_equal(v.result, SYNC_DONE);
	assert_int_equal(v.sent, 0);
	assert_int_equal(unsent(&w, 1), 1);
	assert_false(file_exists(w.remote));
	assert_int_equal(rename(away, w.remote), 0);
	v = world_sync(&w, 1);
	assert_int_equal(v.sent, 1);
	world_sync(&w, 2);
	expect_equal(&w, 1, 2, "Plein");
	world_end(&w);
}

/* An invitation works once, and a changed one not at all. */
static void test_invitation_once(void **state)
{
	struct world w;
	struct invite_view v;
	struct errctx ec = { 0 };
	struct sync_view s;
	struct join_view asked;
	size_t third = 0;
	size_t fourth = 0;

	(void)state;
	neighbourhood(&w);
	third = world_home(&w, "Drie");
	fourth = world_home(&w, "Vier");
	assert_int_equal(app_invite(&ec, w.app[1], &(struct invite_ask){ .space = "Plein" }, &v), ERR_OK);
	assert_int_equal(app_join(&ec, w.app[third], (char *)v.text.data, v.text.len, false, &asked), ERR_OK);
	assert_int_equal(app_join(&ec, w.app[fourth], (char *)v.text.data, v.text.len, false, &asked), ERR_OK);
	world_sync(&w, third);
	world_sync(&w, 1);
	world_sync(&w, fourth);
	s = world_sync(&w, 1);
	assert_int_equal(s.admitted, 0);
	assert_int_equal(s.set_aside, 1);
	s = world_sync(&w, third);
	assert_int_equal(s.joined, 2);
	s = world_sync(&w, fourth);
	assert_int_equal(s.joined, 0);
	expect_equal(&w, 1, third, "Plein");
	for (size_t i = 0; i < v.text.len; i++) {
		uint8_t was = v.text.data[i];

		err_clear(&ec);
		v.text.data[i] = was == 'b' ? 'c' : 'b';
		assert_int_equal(app_join(&ec, w.app[fourth], (char *)v.text.data, v.text.len, false, &asked),
		                 ERR_DAMAGED);
		v.text.data[i] = was;
	}
	buf_free(&v.text);
	world_end(&w);
}

/* Without an invitation: a request, six words, an approval. */
static void test_request(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct member_view *list = NULL;
	struct sync_view s;
	uint8_t fingerprint[FINGERPRINT_LEN];
	char id[40] = "";
	char name[128];
	size_t third = 0;
	size_t n = 0;

	(void)state;
	neighbourhood(&w);
	third = world_home(&w, "Drie");
	assert_int_equal(app_join_request(&ec, w.app[third], w.remote, fingerprint), ERR_OK);
	world_sync(&w, third);
	world_sync(&w, 0);
	assert_int_equal(app_members(&ec, w.app[0], "West", &list, &n), ERR_OK);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].status, "requested") == 0) {
			strcpy(id, list[i].id);
			assert_memory_equal(list[i].fingerprint, fingerprint, FINGERPRINT_LEN);
		}
	}
	app_members_free(list, n);
	assert_int_not_equal(strlen(id), 0);
	assert_int_equal(app_approve(&ec, w.app[0], id, "Drie", name), ERR_OK);
	world_sync(&w, 0);
	s = world_sync(&w, third);
	assert_int_equal(s.joined, 1);
	expect_equal(&w, 0, third, "West");
	world_end(&w);
}

/* Two neighbourhoods in one home: nothing of one reaches the repository of the other. */
static void test_two_neighbourhoods(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	char second[400];
	char command[1200];

	(void)state;
	neighbourhood(&w);
	snprintf(second, sizeof(second), "%.200s/second.git", w.dir);
	assert_int_equal(app_found_neighbourhood(&ec, w.app[1], "Oost", second), ERR_OK);
	for (int i = 0; i < 3; i++) {
		write_contact(&w, 1, (struct dot){ 0 }, NULL, "tekst");
		world_sync(&w, 1);
	}
	snprintf(command, sizeof(command),
	         "cd '%.250s' && for r in remote second; do git -C $r.git for-each-ref --format='%%(refname)' >$r.refs;"
	         " test -s $r.refs || exit 2; done; test -z \"$(sort remote.refs second.refs | uniq -d)\"",
	         w.dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(app_choose_neighbourhood(w.app[1], "Oost"), ERR_OK);
	assert_int_equal(app_circle(&ec, w.app[1], "Plein", &(int64_t){ 0 }), ERR_OK);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_neighbourhoods),
		cmocka_unit_test(test_join_and_converge),
		cmocka_unit_test(test_nothing_new_changes_nothing),
		cmocka_unit_test(test_lost_cache),
		cmocka_unit_test(test_missing_remote),
		cmocka_unit_test(test_invitation_once),
		cmocka_unit_test(test_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
