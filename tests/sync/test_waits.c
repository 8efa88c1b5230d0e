// SPDX-License-Identifier: EUPL-1.2
// Goal: what cannot be applied yet says what it waits for; what arrives wakes those and no others, so that the tries
// grow with the number of files and not with its square; in whatever order files come, and wherever a home is closed in
// between, nothing that could be applied goes on waiting (S3, S4, M1).
// Seen to catch: the previous batch awaited under its own number; nobody woken by a batch, by a box with a key, by a
// device that became known, or by being let in; the reason not changed when a woken file waits for something else; a
// file with the number of an applied batch that goes on waiting; all of what waits tried again at every arrival (with
// 400 batches 40,028 tries instead of 626); the sum of what waits not taken back with a transaction, or not lessened.
#include "sync/epochs.h"
#include "sync/forge.h"

#include <sqlite3.h>

#include "sync/invite.h"

#define MOST 800

/* Files as their authors sealed them, in their authors' order. */
struct pile {
	struct buf file[MOST];
	char ref[MOST][REF_MAX + 1];
	char name[MOST][FILE_NAME_MAX + 1];
	size_t by[MOST];
	size_t n;
	size_t turns; /* from here on: files of 1 and 2 in turn */
};

static void pile_free(struct pile *p)
{
	for (size_t i = 0; i < MOST; i++)
		buf_free(&p->file[i]);
	free(p);
}

/* Everything that a home has not sent goes onto the pile, and counts as sent. */
static void pile_take(struct pile *p, struct world *w, size_t by)
{
	struct errctx ec = { 0 };
	struct store *s = w->app[by]->store;
	struct file_row *list = NULL;
	size_t n = 0;

	seal_home(w, by);
	assert_int_equal(store_outgoing_list(&ec, s, &list, &n), ERR_OK);
	assert_int_equal(store_begin(&ec, s), ERR_OK);
	for (size_t i = 0; i < n; i++) {
		assert_true(p->n < MOST);
		p->by[p->n] = by;
		buf_reset(&p->file[p->n]);
		strcpy(p->ref[p->n], list[i].ref);
		strcpy(p->name[p->n], list[i].name);
		assert_int_equal(buf_put(&p->file[p->n++], list[i].file.data, list[i].file.len), ERR_OK);
		assert_int_equal(store_outgoing_sent(&ec, s, list[i].ref, list[i].name), ERR_OK);
	}
	assert_int_equal(store_commit(&ec, s), ERR_OK);
	store_files_free(list, n);
}

static void pile_give(const struct pile *p, size_t i, struct world *w, size_t to, struct received *r)
{
	struct sync y = sync_of_home(w, to);
	struct errctx ec = { 0 };

	assert_int_equal(inbox_file(&ec, &y, p->ref[i], p->name[i], buf_bytes(&p->file[i]), r), ERR_OK);
	assert_int_equal(ec.code, ERR_OK);
}

static void look_again(struct world *w, size_t i, struct received *r)
{
	struct sync y = sync_of_home(w, i);
	struct errctx ec = { 0 };

	assert_int_equal(inbox_retry(&ec, &y, r), ERR_OK);
}

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void sql(struct world *w, size_t i, const char *text)
{
	assert_int_equal(sqlite3_exec(vault_db(w->app[i]->vault), text, NULL, NULL, NULL), SQLITE_OK);
}

/* How many wait for `what`; and the sum of all is what the store counted along the way, files and bytes. */
static uint64_t waits_for(struct world *w, size_t i, enum awaited what)
{
	struct errctx ec = { 0 };
	uint64_t kinds[AWAITED_KINDS];
	uint64_t files = 0;
	uint64_t bytes = 0;
	uint64_t sum = 0;
	sqlite3_stmt *st = NULL;

	assert_int_equal(store_waiting_kinds(&ec, w->app[i]->store, kinds), ERR_OK);
	for (int k = 0; k < AWAITED_KINDS; k++)
		sum += kinds[k];
	assert_int_equal(store_waiting_size(&ec, w->app[i]->store, &files, &bytes), ERR_OK);
	assert_int_equal(files, sum);
	assert_int_equal(sqlite3_prepare_v2(vault_db(w->app[i]->vault),
	                                    "SELECT count(*), coalesce(sum(length(file)), 0) FROM waiting", -1, &st,
	                                    NULL),
	                 SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int64(st, 0), files);
	assert_int_equal(sqlite3_column_int64(st, 1), bytes);
	sqlite3_finalize(st);
	return kinds[what];
}

/* 1 and 2 write in turn, each having read the other; their files lie on a pile. A fresh member for each order. */
static struct pile *in_turn(struct world *w, size_t turns)
{
	struct pile *p = calloc(1, sizeof(*p));
	struct received r = { 0 };
	size_t from = 0;

	assert_non_null(p);
	forge_world(w);
	for (size_t i = 3; i < HOMES_MAX; i++) {
		assert_int_equal(world_home(w, "Later"), i);
		invite_by_hand(w, 1, i, "Plein");
	}
	for (size_t i = 0; i < 3; i++) {
		for (size_t k = 0; k < 3; k++) {
			if (i != k)
				pump(w, i, k);
		}
	}
	for (size_t i = 0; i < 3; i++)
		pile_take(p, w, i);
	from = p->turns = p->n;
	for (size_t i = 0; i < turns; i++) {
		size_t who = 1 + i % 2;
		char text[32];

		snprintf(text, sizeof(text), "beurt %zu", i);
		contact_in(w, who, "Plein", (struct dot){ 0 }, text);
		pile_take(p, w, who);
		for (; from < p->n; from++)
			pile_give(p, from, w, 3 - who, &r);
	}
	assert_int_equal(stock_of(w, 1).waiting + stock_of(w, 2).waiting, 0);
	return p;
}

enum order { BY_AUTHOR, BACKWARDS, SHUFFLED };

static void order_make(const struct pile *p, enum order order, uint32_t seed, size_t *out)
{
	size_t at = 0;

	for (size_t who = 0; order == BY_AUTHOR && who <= 2; who++) {
		for (size_t i = 0; i < p->n; i++) {
			if (p->by[i] == who)
				out[at++] = i;
		}
	}
	for (size_t i = 0; order != BY_AUTHOR && i < p->n; i++)
		out[at++] = p->n - 1 - i;
	for (size_t i = p->n; order == SHUFFLED && i > 1; i--) {
		size_t j = next(&seed) % i;
		size_t t = out[i - 1];

		out[i - 1] = out[j];
		out[j] = t;
	}
	assert_int_equal(at, p->n);
}

/* The count that is linear: each file is looked into when it comes, and once for each thing that it waited for. With
 * two devices that is at most two things. */
static void the_tries_grow_with_the_files(void **state)
{
	static const struct {
		const char *name;
		enum order order;
		uint32_t seed;
		bool closed; /* and opened again, now and then */
	} rows[] = {
		{ "by author", BY_AUTHOR, 0, false },        { "backwards", BACKWARDS, 0, false },
		{ "shuffled, 11", SHUFFLED, 11, false },     { "shuffled, 12", SHUFFLED, 12, true },
		{ "by author, closed", BY_AUTHOR, 0, true },
	};
	struct world w;
	struct pile *p = in_turn(&w, 200);
	size_t *order = calloc(p->n, sizeof(*order));

	(void)state;
	assert_non_null(order);
	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		struct received r = { 0 };
		size_t home = 3 + row;

		order_make(p, rows[row].order, rows[row].seed, order);
		for (size_t i = 0; i < p->n; i++) {
			pile_give(p, order[i], &w, home, &r);
			if (rows[row].closed && i % 50 == 49) {
				world_reopen(&w, home);
				look_again(&w, home, &r);
			}
		}
		print_message("# %s: %llu files, looked into %llu times\n", rows[row].name, (unsigned long long)r.files,
		              (unsigned long long)r.tried);
		assert_int_equal(waits_for(&w, home, AWAITS_BATCH), 0);
		assert_int_equal(stock_of(&w, home).waiting + stock_of(&w, home).aside, 0);
		assert_true(r.tried <= 3 * r.files);
		expect_same(&w, 1, home, "Plein");
		/* nothing is left to do, and that costs nothing */
		r = (struct received){ 0 };
		look_again(&w, home, &r);
		assert_int_equal(r.tried, 0);
	}
	free(order);
	pile_free(p);
	world_end(&w);
}

/* What a home of an earlier version left, or one that died between applying a batch and waking who waited for it. */
static void what_nobody_woke_is_found(void **state)
{
	static const struct {
		const char *what;
		const char *change; /* to half of what waits */
	} rows[] = {
		{ "of an earlier version", "UPDATE awaits SET what = 0, id = x'', seq = 0, author = x'', number = 0" },
		{ "died before anybody was woken", "UPDATE awaits SET what = 3, seq = 1, id = (SELECT id FROM device "
		                                   "JOIN batch ON batch.b >> 40 = device.n "
		                                   "WHERE device.space = awaits.space LIMIT 1)" },
		{ "opened by this version for the first time",
		  "DROP TABLE fork; DROP TABLE claim; DROP TABLE telling; DROP TABLE erasure; DROP TABLE base; DROP "
		  "TABLE seen; DROP TABLE act; DROP TABLE void; DROP TABLE "
		  "awaits; PRAGMA user_version = 5" },
	};
	struct world w;
	struct pile *p = in_turn(&w, 40);

	(void)state;
	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		size_t home = 3 + row;
		struct received r = { 0 };

		for (size_t i = 0; i < p->n; i++) { /* all but the first that counts */
			if (i != p->turns)
				pile_give(p, i, &w, home, &r);
		}
		assert_true(stock_of(&w, home).waiting > 30);
		sql(&w, home, rows[row].change);
		world_reopen(&w, home);
		assert_true(waits_for(&w, home, AWAITS_UNKNOWN) > 30 || row == 1);
		pile_give(p, p->turns, &w, home, &r);
		look_again(&w, home, &r);
		print_message("# %s: looked into %llu times\n", rows[row].what, (unsigned long long)r.tried);
		assert_int_equal(stock_of(&w, home).waiting + stock_of(&w, home).aside, 0);
		expect_same(&w, 1, home, "Plein");
	}
	pile_free(p);
	world_end(&w);
}

/* ---- One reason each ---- */

static void it_waits_for_a_key(void **state)
{
	struct world w;
	struct pile *p = calloc(1, sizeof(*p));
	struct errctx ec = { 0 };
	struct received r = { 0 };
	struct space_row space;
	struct device_keys *keys = NULL;
	struct sync y;
	size_t boxes = MOST;

	(void)state;
	assert_non_null(p);
	forge_world(&w);
	pump(&w, 1, 2);
	pile_take(p, &w, 1);
	p->n = 0; /* known by now */
	y = sync_of_home(&w, 1);
	space = space_named(&w, 1, "Plein");
	assert_int_equal(device_keys_load(&ec, &y, space.n, &keys), ERR_OK);
	assert_int_equal(store_begin(&ec, y.store), ERR_OK);
	assert_int_equal(epoch_begin(&ec, &y, &space, keys, &(struct epoch_id){ { 0 } }), ERR_OK);
	assert_int_equal(store_commit(&ec, y.store), ERR_OK);
	for (int i = 0; i < 3; i++) {
		contact_in(&w, 1, "Plein", (struct dot){ 0 }, "onder een nieuwe sleutel");
		pile_take(p, &w, 1);
	}
	for (size_t i = 0; i < p->n; i++) {
		if (strstr(p->name[i], "-boxes") != NULL)
			boxes = i;
		else
			pile_give(p, i, &w, 2, &r);
	}
	assert_int_equal(r.batches, 0);
	assert_int_equal(waits_for(&w, 2, AWAITS_KEPT),
	                 4); /* three batches, and what goes out once more with the epoch */
	look_again(&w, 2, &r);
	assert_int_equal(r.tried, 4);
	assert_true(boxes < MOST);
	pile_give(p, boxes, &w, 2, &r);
	assert_int_equal(r.batches, 3);
	assert_int_equal(stock_of(&w, 2).waiting + stock_of(&w, 2).aside, 0);
	expect_same(&w, 1, 2, "Plein");
	device_keys_free(keys);
	pile_free(p);
	world_end(&w);
}

static void it_waits_for_its_author(void **state)
{
	struct world w;
	struct pile *p = calloc(1, sizeof(*p));
	struct received r = { 0 };

	(void)state;
	assert_non_null(p);
	forge_world(&w);
	invite_third(&w, 1);
	contact_in(&w, 3, "Plein", (struct dot){ 0 }, "van de derde");
	pile_take(p, &w, 3);
	for (size_t i = 0; i < p->n; i++)
		pile_give(p, i, &w, 2, &r);
	assert_int_equal(r.batches, 0);
	assert_true(waits_for(&w, 2, AWAITS_AUTHOR) > 0);
	assert_true(pump(&w, 1, 2).batches > 1); /* the admission, and what it woke */
	assert_int_equal(waits_for(&w, 2, AWAITS_AUTHOR), 0);
	for (size_t i = 0; i < p->n; i++)
		pile_give(p, i, &w, 1, &r);
	expect_same(&w, 1, 2, "Plein");
	pile_free(p);
	world_end(&w);
}

static void it_waits_to_be_let_in(void **state)
{
	struct world w;
	struct pile *p = calloc(1, sizeof(*p));
	struct errctx ec = { 0 };
	struct invite_view v;
	struct received r = { 0 };
	struct join_view asked;
	size_t before = 0;

	(void)state;
	assert_non_null(p);
	forge_world(&w);
	assert_int_equal(world_home(&w, "Drie"), 3);
	assert_int_equal(app_invite(&ec, w.app[1], &(struct invite_ask){ .space = "Plein" }, &v), ERR_OK);
	assert_int_equal(app_join(&ec, w.app[3], (const char *)v.text.data, v.text.len, false, &asked), ERR_OK);
	buf_free(&v.text);
	pile_take(p, &w, 1); /* all of the circle so far */
	before = p->n;
	for (size_t i = 0; i < before; i++)
		pile_give(p, i, &w, 3, &r);
	assert_int_equal(r.batches, 0);
	assert_true(waits_for(&w, 3, AWAITS_SPACE) > 1);
	look_again(&w, 3, &r);
	assert_int_equal(r.tried, r.files); /* nobody is tried in vain */
	assert_int_equal(pump(&w, 3, 1).admitted, 1);
	pile_take(p, &w, 1);
	for (size_t i = before; i < p->n; i++)
		pile_give(p, i, &w, 3, &r);
	assert_true(r.joined >= 1);
	assert_true(r.batches > 1);
	assert_int_equal(waits_for(&w, 3, AWAITS_SPACE), 0);
	pile_free(p);
	world_end(&w);
}

/* It is looked into once in each sync, in case the program is that newer one by now. */
static void it_waits_for_a_newer_program(void **state)
{
	struct world w;
	struct forge f;
	struct buf file = { 0 };
	struct control c = { 99, { (const uint8_t *)"\xf6", 1 } };
	struct received r = { 0 };

	(void)state;
	forge_world(&w);
	forge_start(&f, &w, 2, "Plein");
	f.body.controls = &c;
	f.body.control_count = 1;
	forge_make(&f, &file);
	give(&w, 1, "nieuw", buf_bytes(&file));
	assert_int_equal(waits_for(&w, 1, AWAITS_PROGRAM), 1);
	look_again(&w, 1, &r);
	assert_int_equal(r.tried, 1);
	assert_int_equal(waits_for(&w, 1, AWAITS_PROGRAM), 1);
	forge_end(&f);
	buf_free(&file);
	world_end(&w);
}

/* S5: one that waits, and whose number was taken by another meanwhile, is evidence and not for ever on its way. */
static void one_number_twice_is_told_at_once(void **state)
{
	struct world w;
	struct pile *p = calloc(1, sizeof(*p));
	struct received r = { 0 };
	struct forge f;
	struct buf file = { 0 };

	(void)state;
	assert_non_null(p);
	forge_world(&w);
	pump(&w, 2, 1);
	pile_take(p, &w, 2);
	p->n = 0; /* known by now */
	forge_start(&f, &w, 2, "Plein");
	f.context[0] = (struct context_entry){ .dev = space_named(&w, 1, "Plein").me, .seq = 70 };
	f.body.context_count = 1;
	forge_make(&f, &file);
	give(&w, 1, "ooit", buf_bytes(&file));
	assert_int_equal(waits_for(&w, 1, AWAITS_BATCH), 1);
	contact_in(&w, 2, "Plein", (struct dot){ 0 }, "het echte");
	pile_take(p, &w, 2);
	assert_int_equal(p->n, 1);
	pile_give(p, 0, &w, 1, &r);
	assert_int_equal(r.batches, 1);
	assert_int_equal(r.set_aside, 1);
	assert_int_equal(stock_of(&w, 1).waiting, 0);
	pile_free(p);
	forge_end(&f);
	buf_free(&file);
	world_end(&w);
}

/* What is taken back never waited. */
static void the_sum_goes_with_the_transaction(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct store *s = NULL;
	bool other = false;
	struct waiting_put put = { .space = 1, .ref = FORGE_REF, .name = "x", .file = { (const uint8_t *)"abc", 3 } };

	(void)state;
	forge_world(&w);
	s = w.app[1]->store;
	for (int known = 0; known < 2; known++) {
		assert_int_equal(store_begin(&ec, s), ERR_OK);
		assert_int_equal(store_waiting_put(&ec, s, &put, &other), ERR_OK);
		store_rollback(s);
		assert_int_equal(waits_for(&w, 1, AWAITS_UNKNOWN), 0);
	}
	assert_int_equal(store_begin(&ec, s), ERR_OK);
	assert_int_equal(store_waiting_put(&ec, s, &put, &other), ERR_OK);
	assert_int_equal(store_waiting_put(&ec, s, &put, &other), ERR_OK);
	assert_int_equal(store_commit(&ec, s), ERR_OK);
	assert_int_equal(waits_for(&w, 1, AWAITS_UNKNOWN), 1);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tries_grow_with_the_files),
		cmocka_unit_test(what_nobody_woke_is_found),
		cmocka_unit_test(it_waits_for_a_key),
		cmocka_unit_test(it_waits_for_its_author),
		cmocka_unit_test(it_waits_to_be_let_in),
		cmocka_unit_test(it_waits_for_a_newer_program),
		cmocka_unit_test(one_number_twice_is_told_at_once),
		cmocka_unit_test(the_sum_goes_with_the_transaction),
	};

	return cmocka_run_group_tests_name("sync/waits", tests, NULL, NULL);
}
