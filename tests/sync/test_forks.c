// SPDX-License-Identifier: EUPL-1.2
// Goal: a device that signs two batches with one number parts nobody (S5, M1), loses nobody else's words (M2), and
// takes nothing back that others had built on (K1). Home 2 forges; files come straight into the inboxes of the others.
#include "sync/forge.h"

#include "app/erase.h"
#include "model/random.h"
#include "sync/compaction.h"
#include "sync/refold.h"

#define CIRCLE "Plein"
#define WEST "West"

static struct errctx *ec = &(struct errctx){ 0 };

/* Two ways that the device of home 2 goes: each a chain of batches with one edit a batch. */
struct ways {
	struct forge way[2];
	struct draft draft[2];
};

static void ways_begin(struct ways *s, struct world *w, const char *space)
{
	*s = (struct ways){ 0 };
	for (int i = 0; i < 2; i++)
		forge_start(&s->way[i], w, 2, space);
}

static void ways_end(struct ways *s)
{
	for (int i = 0; i < 2; i++)
		forge_end(&s->way[i]);
}

/* The next batch on one of the ways: a new contact, or the text of one. *made: the edit's dot. */
static struct buf go(struct ways *s, int way, struct dot target, const char *text, struct dot *made)
{
	struct forge *f = &s->way[way];
	struct draft d = { 0 };
	struct buf file = { 0 };
	struct edit edit = forge_edit(f, &d, target, text);

	f->body.edits = &edit;
	f->body.edit_count = 1;
	forge_make(f, &file);
	if (made != NULL)
		*made = edit.dot;
	forge_next(f);
	draft_free(&d);
	return file;
}

static void hand(struct world *w, size_t to, struct buf *file)
{
	static int n;
	char name[24];

	snprintf(name, sizeof(name), "f%d", n++);
	give(w, to, name, buf_bytes(file));
}

/* Everything to everybody until nothing moves. */
static void mingle(struct world *w, const size_t *who, size_t n)
{
	for (int round = 0; round < 5; round++)
		for (size_t a = 0; a < n; a++)
			for (size_t b = 0; b < n; b++)
				if (a != b)
					pump(w, who[a], who[b]);
}

static bool holds(struct world *w, size_t i, const char *space, const char *text)
{
	struct buf dump = world_dump(w, i, space);
	bool found = memmem(dump.data, dump.len, text, strlen(text)) != NULL;

	buf_free(&dump);
	return found;
}

static enum device_state state_of(struct world *w, size_t i, struct device_id dev)
{
	struct device_row row;

	assert_int_equal(store_device_by_id(ec, w->app[i]->store, dev, &row), ERR_OK);
	return row.state;
}

/* What is in the tables is what the log comes to. */
static void expect_refolds(struct world *w, size_t i, const char *space)
{
	struct sync y = sync_of_home(w, i);
	struct space_row row = space_named(w, i, space);
	struct refold *f = NULL;
	struct refolded r;

	assert_int_equal(refold_open(ec, &y, &row, &f), ERR_OK);
	assert_int_equal(refold_space(ec, f, false, &r), ERR_OK);
	refold_close(f);
	assert_true(r.records > 0);
	assert_int_equal(r.differing + r.damaged, 0);
}

static void expect_one(struct world *w, const size_t *who, size_t n, const char *space)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t waiting = 0;

		assert_int_equal(store_waiting_of(ec, w->app[who[i]]->store, space_named(w, who[i], space).n, &waiting),
		                 ERR_OK);
		assert_int_equal(waiting, 0);
		expect_refolds(w, who[i], space);
		expect_same(w, who[0], who[i], space);
	}
}

/* 1, 3 and 4 are in the circle with the forger. */
static void world_of_five(struct world *w)
{
	forge_world(w);
	invite_third(w, 1);
	assert_int_equal(world_home(w, "Vier"), 4);
	invite_by_hand(w, 1, 4, CIRCLE);
	mingle(w, (const size_t[]){ 1, 2, 3, 4 }, 4);
}

/* ---- Scenes ---- */

/* One shows 1 the one way and 3 the other; both build on what they were shown. 4 hears of it last. */
static void each_was_shown_another(void **state)
{
	static const size_t who[] = { 1, 3, 4 };
	struct world w;
	struct ways s;
	struct dot made[2];
	struct dot early;
	struct device_id dev;
	struct buf file;

	(void)state;
	world_of_five(&w);
	early = contact_in(&w, 2, CIRCLE, (struct dot){ 0 }, "van voor de splitsing");
	mingle(&w, (const size_t[]){ 1, 2, 3, 4 }, 4);
	dev = space_named(&w, 2, CIRCLE).me;
	ways_begin(&s, &w, CIRCLE);
	for (int i = 0; i < 2; i++) {
		file = go(&s, i, (struct dot){ 0 }, i == 0 ? "langs de ene weg" : "langs de andere weg", &made[i]);
		hand(&w, i == 0 ? 1 : 3, &file);
		buf_free(&file);
		file = go(&s, i, early, i == 0 ? "zus" : "zo", NULL);
		hand(&w, i == 0 ? 1 : 3, &file);
		buf_free(&file);
	}
	assert_int_equal(dot_cmp(made[0], made[1]), 0);
	assert_true(holds(&w, 1, CIRCLE, "langs de ene weg"));
	assert_true(holds(&w, 3, CIRCLE, "langs de andere weg"));
	contact_in(&w, 1, CIRCLE, made[0], "een schrijft daar verder");
	contact_in(&w, 3, CIRCLE, made[1], "drie schrijft daar verder");
	contact_in(&w, 1, CIRCLE, (struct dot){ 0 }, "eigen van een");
	contact_in(&w, 3, CIRCLE, (struct dot){ 0 }, "eigen van drie");
	contact_in(&w, 1, CIRCLE, early, "een over vroeger");
	contact_in(&w, 3, CIRCLE, early, "drie over vroeger");
	mingle(&w, who, 3);
	expect_one(&w, who, 3, CIRCLE);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(state_of(&w, who[i], dev), DEVICE_REMOVED);
		assert_false(holds(&w, who[i], CIRCLE, "langs de"));
		assert_true(holds(&w, who[i], CIRCLE, "eigen van een"));
		assert_true(holds(&w, who[i], CIRCLE, "eigen van drie"));
		assert_true(holds(&w, who[i], CIRCLE, "een over vroeger"));
		assert_true(holds(&w, who[i], CIRCLE, "drie over vroeger"));
		assert_true(stock_of(&w, who[i]).aside > 0); /* it is told, with the evidence */
	}
	ways_end(&s);
	world_end(&w);
}

/* What was written and erased by home 1, with everything that a sync does for a compaction, for some rounds. */
static void compact_some(struct world *w, const size_t *who, size_t n, enum compaction_wait *wait)
{
	for (int round = 0; round < 8; round++) {
		for (size_t i = 0; i < n; i++) {
			struct sync y = sync_of_home(w, who[i]);
			struct space_row space = space_named(w, who[i], CIRCLE);
			struct compacting how = { .fetched = true, .asked = true };
			bool cut = false;

			assert_int_equal(store_begin(ec, y.store), ERR_OK);
			assert_int_equal(compaction_tend(ec, &y, &space, &how, &cut, &wait[i]), ERR_OK);
			assert_int_equal(compaction_aside_seen(ec, &y, &space), ERR_OK);
			assert_int_equal(outbox_seal(ec, &y, &space), ERR_OK);
			assert_int_equal(store_commit(ec, y.store), ERR_OK);
		}
		mingle(w, who, n);
	}
}

static bool is_cut(struct world *w, size_t i)
{
	struct base base;

	assert_int_equal(store_base(ec, w->app[i]->store, space_named(w, i, CIRCLE).n, &base), ERR_OK);
	vv_free(&base.at);
	return base.is;
}

static void erase_own(struct world *w, size_t i, struct dot id)
{
	struct erased_view v;
	char text[DOT_TEXT_LEN];

	dot_text(id, text);
	assert_int_equal(app_erase(ec, w->app[i], text, false, &v), ERR_OK);
}

/* K3: batches beside the line of a device are kept whole, and would stay when a log is cut: so none is. The same steps
 * without them cut it. */
static void no_log_is_cut(void **state)
{
	static const size_t who[] = { 1, 3, 4, 2 };

	(void)state;
	for (int forks = 0; forks < 2; forks++) {
		size_t n = forks ? 3 : 4; /* who forked is removed */
		enum compaction_wait wait[4];
		struct world w;
		struct ways s;
		struct dot id;

		world_of_five(&w);
		id = contact_in(&w, 1, CIRCLE, (struct dot){ 0 }, "dit moet weg");
		mingle(&w, (const size_t[]){ 1, 2, 3, 4 }, 4);
		ways_begin(&s, &w, CIRCLE);
		for (int i = 0; forks && i < 2; i++) {
			struct buf file = go(&s, i, (struct dot){ 0 }, i == 0 ? "de ene weg" : "de andere", NULL);

			hand(&w, i == 0 ? 1 : 3, &file);
			buf_free(&file);
		}
		mingle(&w, who, n);
		erase_own(&w, 1, id);
		mingle(&w, who, n);
		compact_some(&w, who, n, wait);
		expect_one(&w, who, n, CIRCLE);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(is_cut(&w, who[i]), !forks);
			if (forks)
				assert_int_equal(wait[i], COMPACTION_FORK);
		}
		ways_end(&s);
		world_end(&w);
	}
}

/* A thief of an old laptop signs its first batch once more, years later: nothing of what it wrote goes. */
static void a_late_second_first_batch(void **state)
{
	static const size_t who[] = { 1, 3, 4 };
	struct world w;
	struct ways s;
	struct device_id dev;
	struct buf file;
	struct dot made;

	(void)state;
	world_of_five(&w);
	made = contact_in(&w, 2, CIRCLE, (struct dot){ 0 }, "van toen het nog eerlijk was");
	mingle(&w, (const size_t[]){ 1, 2, 3, 4 }, 4);
	contact_in(&w, 3, CIRCLE, made, "drie vulde aan");
	mingle(&w, (const size_t[]){ 1, 2, 3, 4 }, 4);
	dev = space_named(&w, 2, CIRCLE).me;
	ways_begin(&s, &w, CIRCLE);
	s.way[1].seq = s.way[1].body.first_counter = 1;
	memset(s.way[1].body.prev, 0, HASH_LEN);
	file = go(&s, 1, (struct dot){ 0 }, "van de dief", NULL);
	hand(&w, 3, &file);
	buf_free(&file);
	mingle(&w, who, 3);
	expect_one(&w, who, 3, CIRCLE);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(state_of(&w, who[i], dev), DEVICE_REMOVED);
		assert_true(holds(&w, who[i], CIRCLE, "drie vulde aan"));
		assert_false(holds(&w, who[i], CIRCLE, "van de dief"));
	}
	/* what it says from now on counts for nobody, and is not even applied */
	file = go(&s, 0, (struct dot){ 0 }, "en gewoon verder", &made);
	for (size_t i = 0; i < 3; i++)
		hand(&w, who[i], &file);
	buf_free(&file);
	expect_one(&w, who, 3, CIRCLE);
	for (size_t i = 0; i < 3; i++) {
		struct store *store = w.app[who[i]]->store;
		uint8_t hash[HASH_LEN];
		uint64_t counter = 0;

		assert_false(holds(&w, who[i], CIRCLE, "en gewoon verder"));
		assert_int_equal(store_batch_get(ec, store, dev, s.way[0].seq - 1, &counter, hash), ERR_NOT_FOUND);
	}
	ways_end(&s);
	world_end(&w);
}

/* Plain members of a neighbourhood remove nobody, but for this. */
static void in_a_neighbourhood(void **state)
{
	static const size_t who[] = { 0, 1 };
	struct world w;
	struct ways s;
	struct device_id dev;
	struct buf file;

	(void)state;
	forge_world(&w);
	dev = space_named(&w, 2, WEST).me;
	ways_begin(&s, &w, WEST);
	for (int i = 0; i < 2; i++) {
		file = go(&s, i, (struct dot){ 0 }, i == 0 ? "aan nul" : "aan een", NULL);
		hand(&w, who[i], &file);
		buf_free(&file);
	}
	contact_in(&w, 0, WEST, (struct dot){ 0 }, "van nul");
	contact_in(&w, 1, WEST, (struct dot){ 0 }, "van een");
	mingle(&w, who, 2);
	expect_one(&w, who, 2, WEST);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(state_of(&w, i, dev), DEVICE_REMOVED);
		assert_false(holds(&w, i, WEST, "aan "));
	}
	ways_end(&s);
	world_end(&w);
}

/* Of the two one writes where it may not: whoever was shown that one first sets it aside, and still comes to the same.
 */
static void one_of_them_is_no_good(void **state)
{
	static const size_t who[] = { 1, 3, 4 };
	struct world w;
	struct ways s;
	struct buf file;

	(void)state;
	world_of_five(&w);
	ways_begin(&s, &w, CIRCLE);
	file = go(&s, 0, (struct dot){ space_named(&w, 1, CIRCLE).me, 9999 }, "nergens over", NULL);
	hand(&w, 3, &file);
	assert_int_equal(stock_of(&w, 3).aside, 1);
	assert_int_equal(state_of(&w, 3, s.way[0].author), DEVICE_ACTIVE);
	buf_free(&file);
	file = go(&s, 1, (struct dot){ 0 }, "wel goed", NULL);
	hand(&w, 1, &file);
	hand(&w, 4, &file);
	contact_in(&w, 1, CIRCLE, (struct dot){ 0 }, "van een");
	contact_in(&w, 4, CIRCLE, (struct dot){ 0 }, "van vier");
	hand(&w, 3, &file);
	buf_free(&file);
	contact_in(&w, 3, CIRCLE, (struct dot){ 0 }, "van drie");
	mingle(&w, who, 3);
	expect_one(&w, who, 3, CIRCLE);
	assert_int_equal(state_of(&w, 3, s.way[0].author), DEVICE_REMOVED);
	assert_true(holds(&w, 3, CIRCLE, "van vier"));
	ways_end(&s);
	world_end(&w);
}

/* Who joins afterwards, and is shown the way first that nobody counts, stands where the others stand. */
static void who_joins_afterwards(void **state)
{
	static const size_t who[] = { 1, 3, 4, 5 };
	struct world w;
	struct ways s;
	struct buf file[2][2] = { 0 };

	(void)state;
	world_of_five(&w);
	contact_in(&w, 2, CIRCLE, (struct dot){ 0 }, "van voor de splitsing");
	mingle(&w, (const size_t[]){ 1, 2, 3, 4 }, 4);
	ways_begin(&s, &w, CIRCLE);
	for (int way = 0; way < 2; way++)
		for (int i = 0; i < 2; i++)
			file[way][i] = go(&s, way, (struct dot){ 0 }, way == 0 ? "ene weg" : "andere weg", NULL);
	hand(&w, 1, &file[0][0]);
	hand(&w, 1, &file[0][1]);
	hand(&w, 4, &file[0][0]);
	contact_in(&w, 1, CIRCLE, (struct dot){ 0 }, "van een");
	hand(&w, 3, &file[1][0]); /* three never hears of the first way by itself */
	contact_in(&w, 3, CIRCLE, (struct dot){ 0 }, "van drie");
	mingle(&w, who, 3);
	expect_one(&w, who, 3, CIRCLE);
	assert_int_equal(world_home(&w, "Vijf"), 5);
	{
		struct invite_view v;
		struct join_view asked;

		assert_int_equal(app_invite(ec, w.app[1], &(struct invite_ask){ .space = CIRCLE }, &v), ERR_OK);
		assert_int_equal(app_join(ec, w.app[5], (const char *)v.text.data, v.text.len, false, &asked), ERR_OK);
		buf_free(&v.text);
		assert_int_equal(pump(&w, 5, 1).admitted, 1);
		for (int i = 0; i < 2; i++)
			hand(&w, 5, &file[1][i]);
		assert_true(pump(&w, 1, 5).joined >= 1);
		for (int i = 0; i < 2; i++)
			hand(&w, 5, &file[1][i]);
	}
	mingle(&w, who, 4);
	expect_one(&w, who, 4, CIRCLE);
	contact_in(&w, 5, CIRCLE, (struct dot){ 0 }, "van vijf");
	mingle(&w, who, 4);
	expect_one(&w, who, 4, CIRCLE);
	assert_true(holds(&w, 1, CIRCLE, "van vijf"));
	for (int i = 0; i < 4; i++)
		buf_free(&file[i / 2][i % 2]);
	ways_end(&s);
	world_end(&w);
}

/* Only the letters about joining. */
static size_t letters_to(struct world *w, size_t from, size_t to)
{
	struct file_row *list = NULL;
	size_t joined = 0;
	size_t n = 0;

	seal_home(w, from);
	assert_int_equal(store_outgoing_list(ec, w->app[from]->store, &list, &n), ERR_OK);
	for (size_t i = 0; i < n; i++)
		if (strncmp(list[i].ref, "refs/heads/join/", 16) == 0)
			joined += give(w, to, list[i].name, buf_bytes(&list[i].file)).joined;
	store_files_free(list, n);
	return joined;
}

/* Who joins is shown the way that nobody counts before anything else: it waits for its author, and is tried as soon as
 * that one and the batch before it are known. The answer names the first batch of the other way. */
static void who_joins_and_is_shown_the_other_first(void **state)
{
	static const size_t who[] = { 1, 3, 4, 5 };
	struct world w;
	struct ways s;
	struct buf file[2][2] = { 0 };
	struct invite_view v;
	struct join_view asked;

	(void)state;
	world_of_five(&w);
	contact_in(&w, 2, CIRCLE, (struct dot){ 0 }, "van voor de splitsing");
	mingle(&w, (const size_t[]){ 1, 2, 3, 4 }, 4);
	ways_begin(&s, &w, CIRCLE);
	for (int way = 0; way < 2; way++)
		for (int i = 0; i < 2; i++)
			file[way][i] = go(&s, way, (struct dot){ 0 }, way == 0 ? "ene weg" : "andere weg", NULL);
	for (int i = 0; i < 2; i++) /* all follow the one way, and one hears of the other */
		for (size_t k = 0; k < 3; k++)
			hand(&w, who[k], &file[0][i]);
	hand(&w, 3, &file[1][0]);
	mingle(&w, who, 3);
	expect_one(&w, who, 3, CIRCLE);
	assert_int_equal(world_home(&w, "Vijf"), 5);
	assert_int_equal(app_invite(ec, w.app[1], &(struct invite_ask){ .space = CIRCLE }, &v), ERR_OK);
	assert_int_equal(app_join(ec, w.app[5], (const char *)v.text.data, v.text.len, false, &asked), ERR_OK);
	buf_free(&v.text);
	assert_int_equal(pump(&w, 5, 1).admitted, 1);
	assert_true(letters_to(&w, 1, 5) >= 1);
	for (int i = 0; i < 2; i++)
		hand(&w, 5, &file[1][i]);
	pump(&w, 2, 5);
	pump(&w, 1, 5);
	mingle(&w, who, 4);
	expect_one(&w, who, 4, CIRCLE);
	for (int i = 0; i < 4; i++)
		buf_free(&file[i / 2][i % 2]);
	ways_end(&s);
	world_end(&w);
}

/* A plain member of a neighbourhood says that somebody forked, with a batch that nobody signed. */
static void a_proof_that_is_none(void **state)
{
	struct world w;
	struct forge f;
	struct buf payload = { 0 };
	struct buf file = { 0 };
	struct control c = { .type = CONTROL_FORK };
	struct device_id victim;
	uint8_t hash[2][HASH_LEN];
	uint64_t counter = 0;

	(void)state;
	forge_world(&w);
	seal_home(&w, 1);
	for (int round = 0; round < 3; round++) {
		pump(&w, 1, 0);
		pump(&w, 0, 1);
		pump(&w, 1, 2);
		pump(&w, 0, 2);
	}
	victim = space_named(&w, 0, WEST).me;
	assert_int_equal(store_batch_get(ec, w.app[1]->store, victim, 1, &counter, hash[0]), ERR_OK);
	memset(hash[1], 0xff, HASH_LEN);
	forge_start(&f, &w, 2, WEST);
	assert_int_equal(wire_put_array(&payload, 4), ERR_OK);
	assert_int_equal(wire_put_bytes(&payload, victim.b, DEVICE_ID_LEN), ERR_OK);
	assert_int_equal(wire_put_uint(&payload, 1), ERR_OK);
	for (int i = 0; i < 2; i++)
		assert_int_equal(wire_put_bytes(&payload, hash[i], HASH_LEN), ERR_OK);
	c.payload = buf_bytes(&payload);
	f.body.controls = &c;
	f.body.control_count = 1;
	forge_make(&f, &file);
	hand(&w, 1, &file);
	assert_int_equal(state_of(&w, 1, victim), DEVICE_ACTIVE);
	assert_int_equal(stock_of(&w, 1).waiting, 1); /* for the batch that it names */
	buf_free(&file);
	buf_free(&payload);
	forge_end(&f);
	world_end(&w);
}

/* On the one way it lets somebody in, who writes, and on whose words another one builds; on the other way it does not.
 * Who followed that one knows that newcomer from nowhere else, and still reads on. */
static void whom_it_let_in(void **state)
{
	static const size_t who[] = { 1, 3, 4 };
	static const size_t all[] = { 5, 1, 3, 4 };
	struct world w;
	struct ways s;
	struct buf file;
	struct dot made;
	struct device_id five;

	(void)state;
	world_of_five(&w);
	ways_begin(&s, &w, CIRCLE);
	file = go(&s, 0, (struct dot){ 0 }, "zonder vijf", NULL);
	hand(&w, 3, &file);
	buf_free(&file);
	assert_int_equal(world_home(&w, "Vijf"), 5);
	invite_by_hand(&w, 2, 5, CIRCLE);
	for (size_t i = 0; i < 5; i++) /* all that five was promised */
		pump(&w, i, 5);
	five = space_named(&w, 5, CIRCLE).me;
	made = contact_in(&w, 5, CIRCLE, (struct dot){ 0 }, "van vijf");
	pump(&w, 2, 1);
	pump(&w, 5, 1);
	assert_true(holds(&w, 1, CIRCLE, "van vijf"));
	contact_in(&w, 1, CIRCLE, made, "een vult vijf aan");
	contact_in(&w, 1, CIRCLE, (struct dot){ 0 }, "eigen van een");
	contact_in(&w, 3, CIRCLE, (struct dot){ 0 }, "eigen van drie");
	mingle(&w, all, 4);
	expect_one(&w, who, 3, CIRCLE);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(state_of(&w, who[i], five), DEVICE_REMOVED);
		assert_true(holds(&w, who[i], CIRCLE, "eigen van een"));
		assert_true(holds(&w, who[i], CIRCLE, "eigen van drie"));
		assert_false(holds(&w, who[i], CIRCLE, "van vijf"));
	}
	ways_end(&s);
	world_end(&w);
}

/* ---- Histories ---- */

/* Three write, edit each other's, and are shown batches of two ways in any order; at last everybody gets everything. */
static void history(uint64_t seed)
{
	static const size_t who[] = { 1, 3, 4 };
	struct random r = { seed };
	struct world w;
	struct ways s;
	struct buf file[2][6] = { 0 };
	struct dot known[64];
	size_t n = 0;
	int made[2] = { 0, 0 };

	world_of_five(&w);
	known[n++] = contact_in(&w, 2, CIRCLE, (struct dot){ 0 }, "begin");
	mingle(&w, (const size_t[]){ 1, 2, 3, 4 }, 4);
	ways_begin(&s, &w, CIRCLE);
	for (int step = 0; step < 40; step++) {
		int way = (int)random_below(&r, 2);
		size_t i = who[random_below(&r, 3)];
		char text[40];

		snprintf(text, sizeof(text), "stap %d", step);
		switch (random_below(&r, 5)) {
		case 0:
			if (made[way] < 6) {
				struct dot target = random_below(&r, 2) == 0 ? known[0] : (struct dot){ 0 };

				file[way][made[way]++] = go(&s, way, target, text, n < 64 ? &known[n] : NULL);
				n += n < 64;
			}
			break;
		case 1: /* one file of a way, whether it follows or not */
			if (made[way] > 0)
				hand(&w, i, &file[way][random_below(&r, (uint64_t)made[way])]);
			break;
		case 2:
			if (n < 64)
				known[n++] = contact_in(&w, i, CIRCLE, (struct dot){ 0 }, text);
			break;
		case 3: { /* about something, if it is there */
			struct dot target = known[random_below(&r, n)];
			struct loaded l;

			if (store_load(ec, w.app[i]->store, target, &l) == ERR_OK) {
				bool contact = l.record.kind == KIND_contact;

				store_loaded_free(&l);
				if (contact)
					contact_in(&w, i, CIRCLE, target, text);
			}
			break;
		}
		default:
			pump(&w, i, who[random_below(&r, 3)]);
		}
	}
	for (size_t i = 0; i < 3; i++)
		for (int way = 0; way < 2; way++)
			for (int k = 0; k < made[way]; k++)
				hand(&w, who[i], &file[way][k]);
	mingle(&w, who, 3);
	expect_one(&w, who, 3, CIRCLE);
	for (int i = 0; i < 12; i++)
		buf_free(&file[i / 6][i % 6]);
	ways_end(&s);
	world_end(&w);
}

static void histories(void **state)
{
	uint64_t seeds = 12 * random_soak();

	(void)state;
	for (uint64_t seed = 1; seed <= seeds; seed++) {
		fprintf(stderr, "# seed %llu\n", (unsigned long long)seed);
		history(seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_was_shown_another),
		cmocka_unit_test(a_late_second_first_batch),
		cmocka_unit_test(in_a_neighbourhood),
		cmocka_unit_test(one_of_them_is_no_good),
		cmocka_unit_test(who_joins_afterwards),
		cmocka_unit_test(whom_it_let_in),
		cmocka_unit_test(a_proof_that_is_none),
		cmocka_unit_test(who_joins_and_is_shown_the_other_first),
		cmocka_unit_test(histories),
		cmocka_unit_test(no_log_is_cut),
	};

	return cmocka_run_group_tests_name("sync/forks", tests, NULL, NULL);
}
