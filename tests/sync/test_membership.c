// SPDX-License-Identifier: EUPL-1.2
// Goal (K1, K4, M1), with real homes: a removal reaches everybody whatever the order, and comes to the same; what the
// removed device sealed beyond it does not count anywhere, and does so again when the removal is answered; a record
// that somebody else worked on lives; what a role does not allow counts nowhere, on the own device either; what is
// sealed after a removal cannot be opened with any key that the removed home has; a home that was removed learns it,
// also where an epoch had to begin with that, and seals nothing more. After each scene every home is folded again from
// its log, and nothing differs.
#include "app/history.h"
#include "app/within.h"
#include "model/random.h"
#include "sync/forge.h"
#include "sync/membership.h"
#include "sync/refold.h"
#include "sync/removal.h"

#define CIRCLE "Plein"
#define TOWN "West"

/* Home 1 founded the circle and let in 2, 3 and 4, in this order; all know of all. */
static void circle_of_four(struct world *w)
{
	forge_world(w);
	invite_third(w, 1);
	assert_int_equal(world_home(w, "Vier"), 4);
	invite_by_hand(w, 1, 4, CIRCLE);
	for (size_t to = 2; to <= 4; to++)
		for (size_t from = 1; from <= 4; from++)
			if (from != to)
				pump(w, from, to);
	for (size_t from = 2; from <= 4; from++)
		pump(w, from, 1);
}

static struct device_row device_seen(struct world *w, size_t at, size_t who, const char *space)
{
	struct errctx ec = { 0 };
	struct device_row row;

	assert_int_equal(store_device_by_id(&ec, w->app[at]->store, space_named(w, who, space).me, &row), ERR_OK);
	return row;
}

static void remove_by(struct world *w, size_t by, size_t who, const char *space)
{
	struct sync y = sync_of_home(w, by);
	struct errctx ec = { 0 };
	struct space_row row = space_named(w, by, space);
	struct dot person = device_seen(w, by, who, space).member;
	size_t devices = 0;

	assert_false(dot_is_none(person));
	assert_int_equal(store_begin(&ec, y.store), ERR_OK);
	assert_int_equal(member_remove(&ec, &y, &row, person, &devices), ERR_OK);
	assert_int_equal(store_commit(&ec, y.store), ERR_OK);
	assert_int_equal(devices, 1);
}

static bool removed_at(struct world *w, size_t at, size_t who)
{
	return device_seen(w, at, who, CIRCLE).state == DEVICE_REMOVED;
}

/* The text of a contact; "" where there is no such record. */
static void text_at(struct world *w, size_t i, struct dot id, char out[static 64])
{
	struct errctx ec = { 0 };
	struct loaded l = { 0 };
	struct bytes text = { 0 };
	enum err e = store_load(&ec, w->app[i]->store, id, &l);

	out[0] = '\0';
	if (e == ERR_NOT_FOUND)
		return;
	assert_int_equal(e, ERR_OK);
	assert_int_equal(l.record.kind, KIND_contact);
	if (record_text(&l.record, F_contact_text, &text))
		snprintf(out, 64, "%.*s", (int)text.len, (const char *)text.data);
	store_loaded_free(&l);
}

static void expect_text(struct world *w, size_t i, struct dot id, const char *text)
{
	char is[64];

	text_at(w, i, id, is);
	if (strcmp(is, text) != 0)
		fail_msg("home %zu shows '%s', not '%s'", i, is, text);
}

/* Every record is what its edits come to, and the log is as it was written. */
static void expect_whole(struct world *w, size_t i, const char *name)
{
	struct sync y = sync_of_home(w, i);
	struct space_row space = space_named(w, i, name);
	struct refolded out = { 0 };
	struct refold *f = NULL;
	struct errctx ec = { 0 };
	uint64_t edits = 0;
	uint64_t bad = 0;

	assert_int_equal(store_verify(&ec, y.store, &edits, &bad), ERR_OK);
	assert_int_equal(bad, 0);
	assert_int_equal(refold_open(&ec, &y, &space, &f), ERR_OK);
	assert_int_equal(refold_space(&ec, f, false, &out), ERR_OK);
	refold_close(f);
	assert_true(out.records > 0);
	assert_int_equal(out.differing, 0);
	assert_int_equal(out.damaged, 0);
}

static struct epoch_id epoch_next(struct world *w, size_t i)
{
	struct sync y = sync_of_home(w, i);
	struct space_row space = space_named(w, i, CIRCLE);
	struct epoch_id id = { { 0 } };
	struct errctx ec = { 0 };

	assert_int_equal(epoch_choose(&ec, &y, &space, &id), ERR_OK);
	return id;
}

static bool has_key(struct world *w, size_t i, struct epoch_id id)
{
	struct sync y = sync_of_home(w, i);
	struct errctx ec = { 0 };
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	enum err e = ERR_OK;

	assert_non_null(secret);
	e = epoch_key_load(&ec, &y, space_named(w, i, CIRCLE).n, id, secret);
	assert_true(e == ERR_OK || e == ERR_NOT_FOUND);
	secret_free(secret);
	return e == ERR_OK;
}

/* ---- A removal comes in any order ---- */

static void test_any_order(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4 * random_soak(); seed++) {
		struct random r = { seed };
		struct world w;
		struct dot before;
		struct dot beyond;
		struct dot other;

		circle_of_four(&w);
		before = contact_in(&w, 3, CIRCLE, (struct dot){ 0 }, "ervoor");
		pump(&w, 3, 1);
		remove_by(&w, 1, 3, CIRCLE);
		contact_in(&w, 3, CIRCLE, before, "ervoor, veranderd");
		beyond = contact_in(&w, 3, CIRCLE, (struct dot){ 0 }, "erna");
		other = contact_in(&w, 2, CIRCLE, (struct dot){ 0 }, "van twee");
		for (size_t n = 0; n < 30; n++) { /* some of it, in whatever order */
			size_t from = 1 + (size_t)random_below(&r, 4);
			size_t to = 1 + (size_t)random_below(&r, 4);

			if (from != to && to != 3)
				pump(&w, from, to);
		}
		for (size_t round = 0; round < 2; round++)
			for (size_t from = 1; from <= 4; from++)
				for (size_t to = 1; to <= 4; to++)
					if (from != to && to != 3)
						pump(&w, from, to);
		for (size_t i = 1; i <= 4; i++) {
			if (i == 3)
				continue;
			assert_true(removed_at(&w, i, 3));
			expect_text(&w, i, before, "ervoor");
			expect_text(&w, i, beyond, "");
			expect_text(&w, i, other, "van twee");
			expect_whole(&w, i, CIRCLE);
		}
		expect_same(&w, 1, 2, CIRCLE);
		expect_same(&w, 1, 4, CIRCLE);
		world_end(&w);
	}
}

/* ---- An answer to a removal ---- */

static void test_answered(void **state)
{
	struct world w;
	struct dot beyond;

	(void)state;
	circle_of_four(&w);
	remove_by(&w, 2, 3, CIRCLE); /* which home 1 does not know when it removes 2 */
	beyond = contact_in(&w, 3, CIRCLE, (struct dot){ 0 }, "erna");
	pump(&w, 2, 4);
	pump(&w, 3, 4);
	assert_true(removed_at(&w, 4, 3));
	expect_text(&w, 4, beyond, "");
	remove_by(&w, 1, 2, CIRCLE);
	pump(&w, 1, 4);
	assert_false(removed_at(&w, 4, 3));
	assert_true(removed_at(&w, 4, 2));
	expect_text(&w, 4, beyond, "erna");
	pump(&w, 3, 1);
	pump(&w, 2, 1);
	pump(&w, 4, 1);
	pump(&w, 1, 4);
	expect_text(&w, 1, beyond, "erna");
	expect_same(&w, 1, 4, CIRCLE);
	expect_whole(&w, 1, CIRCLE);
	expect_whole(&w, 4, CIRCLE);
	world_end(&w);
}

/* ---- What somebody else worked on ---- */

/* The history tells of both edits, and which of them does not count. */
static void expect_history(struct world *w, size_t i, struct dot id)
{
	struct errctx ec = { 0 };
	struct history h;
	char text[DOT_TEXT_LEN + 1];

	dot_text(id, text);
	assert_int_equal(history_read(&ec, w->app[i], text, &h), ERR_OK);
	assert_int_equal(h.n, 2);
	assert_true(h.edit[0].made && !h.edit[0].counts);
	assert_true(!h.edit[1].made && h.edit[1].counts);
	assert_true(h.edit[1].changes == 1 && h.edit[1].change[0].afters == 1);
	assert_string_equal(h.edit[1].change[0].after[0], "van vier");
	history_free(&h);
}

static void test_worked_on(void **state)
{
	struct world w;
	struct dot beyond;
	struct dot left;

	(void)state;
	circle_of_four(&w);
	beyond = contact_in(&w, 3, CIRCLE, (struct dot){ 0 }, "van drie");
	left = contact_in(&w, 3, CIRCLE, (struct dot){ 0 }, "ook van drie");
	pump(&w, 3, 4);
	contact_in(&w, 4, CIRCLE, beyond, "van vier");
	remove_by(&w, 1, 3, CIRCLE); /* which has not seen either */
	pump(&w, 1, 2);
	pump(&w, 3, 2);
	expect_text(&w, 2, beyond, "");
	pump(&w, 4, 2);
	pump(&w, 1, 4);
	pump(&w, 3, 1);
	pump(&w, 4, 1);
	pump(&w, 2, 1);
	pump(&w, 1, 2);
	pump(&w, 2, 4);
	pump(&w, 4, 2);
	pump(&w, 4, 1);
	for (size_t i = 1; i <= 4; i++) {
		if (i == 3)
			continue;
		expect_text(&w, i, beyond, "van vier");
		expect_text(&w, i, left, "");
		expect_whole(&w, i, CIRCLE);
	}
	expect_same(&w, 1, 2, CIRCLE);
	expect_same(&w, 1, 4, CIRCLE);
	for (size_t i = 1; i <= 4; i++)
		if (i != 3)
			expect_history(&w, i, beyond);
	world_end(&w);
}

/* ---- Roles ---- */

static struct dot service_in(struct world *w, size_t i, const char *name)
{
	struct draft d = { 0 };
	struct errctx ec = { 0 };
	struct dot id = { 0 };
	struct change c = { .space = space_named(w, i, TOWN).n, .kind = KIND_service };

	draft_text(&d, F_service_name, name);
	assert_int_equal(draft_writes(&d, &c.writes, &c.write_count), ERR_OK);
	assert_int_equal(store_begin(&ec, w->app[i]->store), ERR_OK);
	assert_int_equal(store_write(&ec, w->app[i]->store, &c, clock_now(&w->clock), &id), ERR_OK);
	assert_int_equal(store_commit(&ec, w->app[i]->store), ERR_OK);
	draft_free(&d);
	return id;
}

static bool here(struct world *w, size_t i, struct dot id)
{
	struct errctx ec = { 0 };
	struct loaded l = { 0 };
	enum err e = store_load(&ec, w->app[i]->store, id, &l);

	assert_true(e == ERR_OK || e == ERR_NOT_FOUND);
	store_loaded_free(&l);
	return e == ERR_OK;
}

static void test_directory(void **state)
{
	struct world w;
	struct dot plain;
	struct dot good;

	(void)state;
	forge_world(&w);
	plain = service_in(&w, 1, "Loket van een lid");
	good = service_in(&w, 0, "Loket van de coordinator");
	seal_home(&w, 1);
	assert_false(here(&w, 1, plain)); /* not on the own device either */
	pump(&w, 1, 0);
	pump(&w, 0, 1);
	assert_false(here(&w, 0, plain));
	assert_true(here(&w, 0, good));
	assert_true(here(&w, 1, good));
	expect_same(&w, 0, 1, TOWN);
	expect_whole(&w, 0, TOWN);
	expect_whole(&w, 1, TOWN);
	world_end(&w);
}

/* ---- Who can read on ---- */

/* No file of home `from` that is under this epoch opens with any key of home `to`. */
static void expect_sealed_from(struct world *w, size_t from, size_t to, struct epoch_id epoch)
{
	struct sync y = sync_of_home(w, to);
	struct errctx ec = { 0 };
	struct file_row *list = NULL;
	struct epoch_row *epochs = NULL;
	struct space_row *spaces = NULL;
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	size_t n = 0;
	size_t epoch_count = 0;
	size_t space_count = 0;
	size_t batches = 0;

	assert_non_null(secret);
	assert_int_equal(store_outgoing_list(&ec, w->app[from]->store, &list, &n), ERR_OK);
	assert_int_equal(store_space_list(&ec, y.store, &spaces, &space_count), ERR_OK);
	for (size_t i = 0; i < n; i++) {
		struct file_header h;

		assert_int_equal(file_header_get(buf_bytes(&list[i].file), &h), ERR_OK);
		if (h.type != FILE_BATCH || memcmp(h.epoch.b, epoch.b, EPOCH_ID_LEN) != 0)
			continue;
		batches++;
		for (size_t k = 0; k < space_count; k++) {
			assert_int_equal(store_epoch_list(&ec, y.store, spaces[k].n, &epochs, &epoch_count), ERR_OK);
			for (size_t m = 0; m < epoch_count; m++) {
				struct buf plain = { 0 };
				enum err e = epoch_key_load(&ec, &y, spaces[k].n, epochs[m].id, secret);

				if (e == ERR_OK)
					assert_int_equal(batch_unseal(buf_bytes(&list[i].file), secret->key, &plain),
					                 ERR_DAMAGED);
				buf_free(&plain);
			}
			free(epochs);
			epochs = NULL;
		}
	}
	assert_true(batches > 0);
	store_files_free(list, n);
	free(spaces);
	secret_free(secret);
}

static void test_epochs(void **state)
{
	struct world w;
	struct epoch_id old;
	struct epoch_id next;
	struct dot unknowing;
	struct dot after[5] = { { { { 0 } }, 0 } };

	(void)state;
	circle_of_four(&w);
	old = epoch_next(&w, 3);
	remove_by(&w, 1, 3, CIRCLE);
	unknowing = contact_in(&w, 4, CIRCLE, (struct dot){ 0 }, "weet het nog niet");
	assert_memory_equal(epoch_next(&w, 4).b, old.b, EPOCH_ID_LEN);
	pump(&w, 4, 2);
	pump(&w, 4, 3);
	expect_text(&w, 3, unknowing, "weet het nog niet");
	pump(&w, 1, 2);
	pump(&w, 2, 4);
	pump(&w, 1, 4);
	for (size_t i = 1; i <= 4; i++)
		if (i != 3)
			after[i] = contact_in(&w, i, CIRCLE, (struct dot){ 0 }, "daarna");
	next = epoch_next(&w, 1);
	for (size_t i = 1; i <= 4; i++) {
		if (i == 3)
			continue;
		assert_memory_equal(epoch_next(&w, i).b, next.b, EPOCH_ID_LEN);
		assert_true(has_key(&w, i, next));
		pump(&w, i, 3);
	}
	assert_memory_not_equal(next.b, old.b, EPOCH_ID_LEN);
	assert_false(has_key(&w, 3, next));
	for (size_t i = 1; i <= 4; i++) {
		if (i == 3)
			continue;
		expect_text(&w, 3, after[i], "");
		expect_sealed_from(&w, i, 3, next);
	}
	world_end(&w);
}

/* One who answers a removal loses the role, or is removed: whoever was put out by it may not read under an epoch that
 * was begun when it was answered. */
static void test_epochs_of_an_answer(void **state)
{
	struct world w;

	(void)state;
	circle_of_four(&w);
	remove_by(&w, 2, 3, CIRCLE);
	remove_by(&w, 1, 2, CIRCLE); /* not knowing of it: 3 is in again */
	pump(&w, 2, 1);
	pump(&w, 1, 4);
	pump(&w, 2, 4);
	pump(&w, 1, 3);
	contact_in(&w, 4, CIRCLE, (struct dot){ 0 }, "voor drie ook");
	pump(&w, 4, 1);
	assert_false(removed_at(&w, 1, 3));
	assert_false(removed_at(&w, 4, 3));
	assert_true(has_key(&w, 4, epoch_next(&w, 1)));
	assert_true(has_key(&w, 3, epoch_next(&w, 1)));
	assert_false(has_key(&w, 2, epoch_next(&w, 1)));
	world_end(&w);
}

/* ---- The home that was removed ---- */

/* Nothing is written that would reach nobody, whoever asks the store. */
static void refuses_to_write(struct world *w, size_t i)
{
	struct errctx ec = { 0 };
	struct draft d = { 0 };
	struct change c = { .space = space_named(w, i, CIRCLE).n, .kind = KIND_contact };
	struct dot id = { 0 };

	draft_int(&d, F_contact_date, 20000);
	assert_int_equal(draft_writes(&d, &c.writes, &c.write_count), ERR_OK);
	assert_int_equal(store_begin(&ec, w->app[i]->store), ERR_OK);
	assert_int_equal(store_write(&ec, w->app[i]->store, &c, clock_now(&w->clock), &id), ERR_REFUSED);
	store_rollback(w->app[i]->store);
	draft_free(&d);
}

static void test_removed_home(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct sync y;
	struct space_row space;
	struct file_row *list = NULL;
	struct dot own;
	size_t files = 0;
	size_t now = 0;
	bool removed = false;

	(void)state;
	circle_of_four(&w);
	own = contact_in(&w, 3, CIRCLE, (struct dot){ 0 }, "van mij");
	remove_by(&w, 1, 3, CIRCLE);
	y = sync_of_home(&w, 3);
	space = space_named(&w, 3, CIRCLE);
	assert_int_equal(membership_removed(&ec, &y, &space, &removed), ERR_OK);
	assert_false(removed);
	pump(&w, 1, 3);
	assert_int_equal(membership_removed(&ec, &y, &space, &removed), ERR_OK);
	assert_true(removed);
	assert_int_equal(store_may_write(&ec, w.app[3]->store, space.n), ERR_REFUSED);
	err_clear(&ec);
	expect_text(&w, 3, own, "van mij"); /* nothing goes from the own screen */
	assert_int_equal(store_outgoing_list(&ec, y.store, &list, &files), ERR_OK);
	store_files_free(list, files);
	refuses_to_write(&w, 3);
	seal_home(&w, 3);
	assert_int_equal(store_outgoing_list(&ec, y.store, &list, &now), ERR_OK);
	store_files_free(list, now);
	assert_int_equal(now, files);
	expect_whole(&w, 3, CIRCLE);
	world_reopen(&w, 3);
	expect_text(&w, 3, own, "van mij");
	world_end(&w);
}

/* Where a role was taken, nobody writes under the epoch of before, and one begins with what is written next. If that is
 * a removal, whoever is removed is told of it all the same. */
static void test_told_of_it(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct draft d = { 0 };
	struct dot id = { 0 };
	const char *role = "coordinator";
	struct change c = { 0 };

	(void)state;
	forge_world(&w);
	c = (struct change){ .space = space_named(&w, 0, TOWN).n, .target = device_seen(&w, 0, 1, TOWN).member };
	draft_set(&d, F_member_role, NULL, 0, &role, 1);
	assert_int_equal(draft_writes(&d, &c.writes, &c.write_count), ERR_OK);
	assert_int_equal(store_begin(&ec, w.app[0]->store), ERR_OK);
	assert_int_equal(store_write(&ec, w.app[0]->store, &c, clock_now(&w.clock), &id), ERR_OK);
	assert_int_equal(store_commit(&ec, w.app[0]->store), ERR_OK);
	draft_free(&d);
	seal_home(&w, 0);
	remove_by(&w, 0, 1, TOWN);
	pump(&w, 0, 1);
	assert_int_equal(device_seen(&w, 1, 1, TOWN).state, DEVICE_REMOVED);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_order),    cmocka_unit_test(test_answered),
		cmocka_unit_test(test_worked_on),    cmocka_unit_test(test_directory),
		cmocka_unit_test(test_epochs),       cmocka_unit_test(test_epochs_of_an_answer),
		cmocka_unit_test(test_removed_home), cmocka_unit_test(test_told_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
