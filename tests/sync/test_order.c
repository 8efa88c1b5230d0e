// SPDX-License-Identifier: EUPL-1.2
// Goal: in whatever order, however often and with whatever interruptions batches come in, homes end the same (M1, S3);
// a context never claims what its author had not seen (S1); nothing is called sent that the remote does not hold (S2);
// a clock that is years off drags no other along (M4).
#include "sync/forge.h"

#include <stdbool.h>
#include <sys/stat.h>

#include "base/file.h"

#define DAY (24LL * 60 * 60 * 1000)

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

/* S1: an edit that lies unsealed when a batch comes in was made without it. Without the sealing in batch_receive()
 * its context would claim the batch, and at home 1 it would overwrite what it never saw. */
static void test_unsealed_edit_is_concurrent(void **state)
{
	struct world w;
	struct dot id;

	(void)state;
	forge_world(&w);
	id = contact_in(&w, 1, "Plein", (struct dot){ 0 }, "begin");
	pump(&w, 1, 2);
	contact_in(&w, 2, "Plein", id, "van twee");
	contact_in(&w, 1, "Plein", id, "van een");
	pump(&w, 1, 2);
	assert_int_equal(versions_of(&w, 2, id), 2);
	pump(&w, 2, 1);
	assert_int_equal(versions_of(&w, 1, id), 2);
	expect_same(&w, 1, 2, "Plein");
	/* and one that is written now has seen both */
	contact_in(&w, 2, "Plein", id, "samen");
	pump(&w, 2, 1);
	assert_int_equal(versions_of(&w, 1, id), 1);
	expect_same(&w, 1, 2, "Plein");
	world_end(&w);
}

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* The record, or the latest one before it that this home has. */
static struct dot known_to(struct world *w, size_t i, const struct dot *ids, size_t which)
{
	struct loaded l;

	while (store_load(NULL, w->app[i]->store, ids[which], &l) != ERR_OK) {
		assert_true(which > 0);
		which--;
	}
	store_loaded_free(&l);
	return ids[which];
}

/* 1 and 2 write and exchange; five fresh members get all files in five orders, some twice. */
static void test_any_order(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct file_row *list[3] = { NULL, NULL, NULL };
	struct dot ids[64];
	size_t n[3] = { 0, 0, 0 };
	size_t contacts = 0;
	uint32_t seed = 7;

	(void)state;
	forge_world(&w);
	for (size_t i = 3; i < HOMES_MAX; i++) {
		assert_int_equal(world_home(&w, "Later"), i);
		invite_by_hand(&w, 1, i, "Plein");
	}
	for (int i = 0; i < 24; i++) {
		size_t who = 1 + next(&seed) % 2;
		char text[32];

		snprintf(text, sizeof(text), "tekst %d", i);
		if (next(&seed) % 3 == 0 || contacts == 0)
			ids[contacts++] = contact_in(&w, who, "Plein", (struct dot){ 0 }, text);
		else
			contact_in(&w, who, "Plein", known_to(&w, who, ids, next(&seed) % contacts), text);
		seal_home(&w, who);
		if (i % 3 == 2 || contacts == 1) {
			pump(&w, 1, 2);
			pump(&w, 2, 1);
		}
	}
	pump(&w, 1, 2);
	pump(&w, 2, 1);
	expect_same(&w, 1, 2, "Plein");
	for (size_t k = 0; k < 3; k++)
		assert_int_equal(store_outgoing_list(&ec, w.app[k]->store, &list[k], &n[k]), ERR_OK);
	for (size_t i = 3; i < HOMES_MAX; i++) {
		size_t total = n[0] + n[1] + n[2];
		size_t *order = malloc(total * sizeof(*order));
		struct sync y = sync_of_home(&w, i);
		struct received r = { 0 };

		assert_non_null(order);
		for (size_t k = 0; k < total; k++)
			order[k] = k;
		for (size_t k = total; k > 1; k--) {
			size_t j = i == 3 ? total - k : next(&seed) % k; /* the first: simply turned round */
			size_t t = order[k - 1];

			if (i == 3 && j >= k - 1)
				break;
			order[k - 1] = order[j];
			order[j] = t;
		}
		for (size_t k = 0; k < total; k++) {
			size_t at = order[k];
			size_t whose = at < n[0] ? 0 : at < n[0] + n[1] ? 1 : 2;
			const struct file_row *f = &list[whose][at - (whose > 0 ? n[0] : 0) - (whose > 1 ? n[1] : 0)];

			for (uint32_t times = 1 + next(&seed) % 2; times > 0; times--)
				assert_int_equal(inbox_file(&ec, &y, f->ref, f->name, buf_bytes(&f->file), &r), ERR_OK);
			if (k % 10 == 9)
				assert_int_equal(inbox_retry(&ec, &y, &r), ERR_OK);
		}
		assert_int_equal(inbox_retry(&ec, &y, &r), ERR_OK);
		assert_int_equal(stock_of(&w, i).waiting, 0);
		assert_int_equal(stock_of(&w, i).aside, 0);
		expect_same(&w, 1, i, "Plein");
		free(order);
	}
	for (size_t k = 0; k < 3; k++)
		store_files_free(list[k], n[k]);
	world_end(&w);
}

/* --- broken off --- */

static bool remote_holds(struct world *w, const char *name)
{
	char command[700];

	snprintf(command, sizeof(command), "git -C '%s' log --all --name-only --format= | grep -qx -- '%s'", w->remote,
	         name);
	return system(command) == 0;
}

/* A courier of which only `lines` lines of the report arrive. */
static void cut_courier(struct world *w, size_t i, const char *real, int lines)
{
	char path[400];
	char script[1200];

	snprintf(path, sizeof(path), "%s/courier-%d", w->dir, lines);
	snprintf(script, sizeof(script), "#!/bin/sh\n'%s' \"$@\" | head -n %d\n", real, lines);
	assert_int_equal(file_replace(NULL, path, (struct bytes){ (uint8_t *)script, strlen(script) }), ERR_OK);
	assert_int_equal(chmod(path, 0700), 0);
	free(w->app[i]->courier);
	w->app[i]->courier = strdup(path);
	assert_non_null(w->app[i]->courier);
}

static void test_broken_off(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	char *real = NULL;
	size_t expected = 0;
	bool whole = false;

	(void)state;
	forge_world(&w);
	for (size_t i = 0; i < 3; i++)
		world_sync(&w, i);
	for (size_t i = 0; i < 3; i++)
		world_sync(&w, i);
	real = realpath(w.app[2]->courier, NULL);
	assert_non_null(real);
	for (int lines = 0; lines < 30 && !whole; lines++) {
		struct file_row *before = NULL;
		struct file_row *after = NULL;
		struct sync_view v;
		struct dots contacts = { 0 };
		size_t n = 0;
		size_t left = 0;

		contact_in(&w, 1, "Plein", (struct dot){ 0 }, "van een");
		contact_in(&w, 2, "Plein", (struct dot){ 0 }, "van twee");
		expected += 2;
		world_sync(&w, 1);
		seal_home(&w, 2);
		assert_int_equal(store_outgoing_list(&ec, w.app[2]->store, &before, &n), ERR_OK);
		cut_courier(&w, 2, real, lines);
		err_clear(&ec);
		whole = app_sync(&ec, w.app[2], &v) == ERR_OK && v.result == SYNC_DONE;
		err_clear(&ec);
		/* S2 */
		assert_int_equal(store_outgoing_list(&ec, w.app[2]->store, &after, &left), ERR_OK);
		for (size_t k = 0; k < n; k++) {
			bool still = false;

			for (size_t j = 0; j < left; j++)
				still = still || after[j].n == before[k].n;
			assert_true(still || remote_holds(&w, before[k].name));
		}
		store_files_free(before, n);
		store_files_free(after, left);
		/* S3 */
		world_reopen(&w, 2);
		world_sync(&w, 2);
		world_sync(&w, 1);
		expect_same(&w, 1, 2, "Plein");
		assert_int_equal(store_of_kind(&ec, w.app[2]->store, KIND_contact, 0, &contacts), ERR_OK);
		assert_int_equal(contacts.n, expected);
		dots_free(&contacts);
		assert_int_equal(store_outgoing_list(&ec, w.app[2]->store, &after, &left), ERR_OK);
		assert_int_equal(left, 0);
		store_files_free(after, left);
		assert_int_equal(stock_of(&w, 2).waiting + stock_of(&w, 2).aside, 0);
	}
	assert_true(whole); /* every number of lines up to all of them */
	free(real);
	world_end(&w);
}

/* --- clocks --- */

static int64_t stamp_of(struct world *w, size_t i, struct dot id)
{
	struct errctx ec = { 0 };
	struct loaded l;
	struct bytes value = { 0 };
	const struct stamp *by = NULL;
	int64_t ms = 0;

	assert_int_equal(store_load(&ec, w->app[i]->store, id, &l), ERR_OK);
	assert_true(record_version(&l.record, F_contact_text, 0, &value, &by));
	ms = (int64_t)by->clock.ms;
	store_loaded_free(&l);
	return ms;
}

static void test_clock_years_off(void **state)
{
	struct world w;
	struct dot id;
	int64_t far = 0;
	int64_t now = 0;

	(void)state;
	forge_world(&w);
	id = contact_in(&w, 1, "Plein", (struct dot){ 0 }, "begin");
	pump(&w, 1, 2);
	w.now_ms += 3650 * DAY;
	contact_in(&w, 2, "Plein", id, "uit de toekomst");
	far = stamp_of(&w, 2, id);
	w.now_ms -= 3650 * DAY;
	contact_in(&w, 1, "Plein", id, "tegelijk");
	pump(&w, 2, 1);
	assert_int_equal(versions_of(&w, 1, id), 2); /* the fast clock wins the tie and overwrites nothing */
	now = w.now_ms;
	contact_in(&w, 1, "Plein", id, "samen");
	assert_true(stamp_of(&w, 1, id) <= now + DAY + 1000);
	pump(&w, 1, 2);
	assert_int_equal(versions_of(&w, 2, id), 1);
	expect_same(&w, 1, 2, "Plein");
	/* its own clock never goes back, not even when the program was closed in between */
	world_reopen(&w, 2);
	contact_in(&w, 2, "Plein", id, "later");
	assert_true(stamp_of(&w, 2, id) >= far);
	seal_home(&w, 2);
	world_reopen(&w, 2);
	contact_in(&w, 2, "Plein", id, "nog later");
	assert_true(stamp_of(&w, 2, id) >= far);
	pump(&w, 2, 1);
	expect_same(&w, 1, 2, "Plein");
	world_end(&w);
}

/* A member of two circles of one neighbourhood; what is written in one stays there. */
static void test_two_circles(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct dots list = { 0 };
	int64_t space = 0;

	(void)state;
	forge_world(&w);
	assert_int_equal(app_found_circle(&ec, w.app[0], "Markt"), ERR_OK);
	invite_by_hand(&w, 0, 1, "Markt");
	contact_in(&w, 1, "Markt", (struct dot){ 0 }, "op de markt");
	contact_in(&w, 1, "Plein", (struct dot){ 0 }, "op het plein");
	pump(&w, 1, 2);
	pump(&w, 1, 0);
	expect_same(&w, 1, 2, "Plein");
	expect_same(&w, 0, 1, "Markt");
	for (size_t i = 0; i < 3; i += 2) {
		assert_int_equal(store_of_kind(&ec, w.app[i]->store, KIND_contact, 0, &list), ERR_OK);
		assert_int_equal(list.n, 1);
		dots_free(&list);
	}
	assert_int_equal(app_circle(&ec, w.app[1], NULL, &space), ERR_USAGE);
	err_clear(&ec);
	assert_int_equal(app_circle(&ec, w.app[1], "markt", &space), ERR_OK);
	/* another circle of the same name, of somebody else: the name alone no longer tells */
	assert_int_equal(app_found_circle(&ec, w.app[2], "Markt"), ERR_OK);
	invite_by_hand(&w, 2, 1, "Markt");
	assert_int_equal(app_circle(&ec, w.app[1], "Markt", &space), ERR_USAGE);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unsealed_edit_is_concurrent),
		cmocka_unit_test(test_any_order),
		cmocka_unit_test(test_broken_off),
		cmocka_unit_test(test_clock_years_off),
		cmocka_unit_test(test_two_circles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
