// SPDX-License-Identifier: EUPL-1.2
// Goal: what a dishonest member could sign, or a host could hand over, is set aside or waits; nobody's records change
// by it, honest batches still come in, and homes stay equal (S4, S5, M1). Each case was seen to fail when the check
// it names was taken out.
#include "sync/epochs.h"
#include "sync/forge.h"

enum outcome { TAKEN, ASIDE, WAITS };

static int failures;

struct subject {
	struct forge f;
	struct draft d;
	struct edit edit;
	struct control control;
	struct buf payload;
	struct dot own;   /* a record that the forger may write about */
	struct dot other; /* one of home 1, in the circle */
};

static struct space_row west(struct subject *s)
{
	return space_named(s->f.w, s->f.by, "West");
}

static void honest(struct subject *s)
{
	(void)s;
}

static void about_known(struct subject *s)
{
	draft_free(&s->d);
	s->edit = forge_edit(&s->f, &s->d, s->other, "erbij");
}

static void tag_of_other(struct subject *s)
{
	struct errctx ec = { 0 };
	struct device_row row;

	assert_int_equal(store_device_by_id(&ec, s->f.w->app[2]->store, s->other.dev, &row), ERR_OK);
	s->f.head.device = row.tag;
}

static void tag_of_nobody(struct subject *s)
{
	memset(s->f.head.device.b, 0x55, TAG_LEN);
}

static void other_space(struct subject *s)
{
	struct sync y = sync_of_home(s->f.w, s->f.by);
	struct errctx ec = { 0 };
	struct space_row w = west(s);

	s->f.head.space = w.tag;
	s->f.head.device = w.my_tag;
	assert_int_equal(epoch_choose(&ec, &y, &w, &s->f.head.epoch), ERR_OK);
	assert_int_equal(epoch_key_load(&ec, &y, w.n, s->f.head.epoch, s->f.secret), ERR_OK);
}

static void unknown_epoch(struct subject *s)
{
	s->f.head.epoch.b[3] ^= 1;
}

static void wrong_key(struct subject *s)
{
	s->f.secret->key[0] ^= 1;
}

static void gap(struct subject *s)
{
	s->f.seq += 3;
}

static void number_zero(struct subject *s)
{
	s->f.seq = 0;
}

static void number_huge(struct subject *s)
{
	s->f.seq = 1ULL << 41;
}

static void number_hugest(struct subject *s)
{
	s->f.seq = UINT64_MAX;
}

static void counter_lie(struct subject *s)
{
	s->f.body.first_counter++;
	s->edit.dot.counter = s->edit.target.counter = s->f.body.first_counter;
}

static void counter_huge(struct subject *s)
{
	s->f.body.first_counter = 1ULL << 41;
	s->edit.dot.counter = s->edit.target.counter = s->f.body.first_counter;
}

static void wrong_prev(struct subject *s)
{
	s->f.body.prev[31] ^= 1;
}

static void context_one(struct subject *s, struct device_id dev, uint64_t seq)
{
	s->f.context[0] = (struct context_entry){ .dev = dev, .seq = seq };
	s->f.body.context_count = 1;
}

/* A device of the neighbourhood, with the right hash, in the context of a batch in the circle. */
static void context_other_space(struct subject *s)
{
	struct sync y = sync_of_home(s->f.w, s->f.by);
	struct errctx ec = { 0 };
	struct space_row row = space_named(s->f.w, 1, "West");
	uint8_t hash[32];

	context_one(s, row.me, 1);
	assert_int_equal(store_batch_get(&ec, y.store, row.me, 1, &(uint64_t){ 0 }, hash), ERR_OK);
	memcpy(s->f.context[0].hash, hash, VV_HASH_LEN);
}

static void context_self(struct subject *s)
{
	context_one(s, s->f.author, s->f.seq + 9);
}

static void context_future(struct subject *s)
{
	context_one(s, s->other.dev, 1000);
}

static void context_huge(struct subject *s)
{
	context_one(s, s->other.dev, 1ULL << 41);
}

static void context_wrong_hash(struct subject *s)
{
	assert_true(s->f.body.context_count > 0);
	s->f.context[0].hash[0] ^= 1;
}

/* What its last batch had seen already. */
static void context_back(struct subject *s)
{
	struct sync y = sync_of_home(s->f.w, s->f.by);
	struct errctx ec = { 0 };
	struct vv before = { 0 };
	const struct vv_entry *was = NULL;
	uint8_t hash[32];

	assert_int_equal(store_context(&ec, y.store, s->f.author, &before), ERR_OK);
	was = vv_get(&before, s->other.dev);
	assert_non_null(was);
	context_one(s, was->dev, was->seq);
	assert_int_equal(store_batch_get(&ec, y.store, was->dev, was->seq, &(uint64_t){ 0 }, hash), ERR_OK);
	memcpy(s->f.context[0].hash, hash, VV_HASH_LEN);
	vv_free(&before);
}

static void context_unknown_device(struct subject *s)
{
	context_one(s, (struct device_id){ { 1, 2, 3, 4, 5, 6, 7, 8 } }, 1);
}

static void target(struct subject *s, struct dot id)
{
	draft_free(&s->d);
	s->edit = forge_edit(&s->f, &s->d, id, "geschreven waar het niet mag");
}

static void target_other_space(struct subject *s)
{
	target(s, (struct dot){ west(s).me, 1 });
}

/* It is in the other space of the one who receives, and has not been written yet. */
static void target_other_space_later(struct subject *s)
{
	target(s, (struct dot){ space_named(s->f.w, 0, "West").me, 50 });
}

static void target_unknown_device(struct subject *s)
{
	target(s, (struct dot){ { { 9, 9, 9, 9, 9, 9, 9, 9 } }, 1 });
}

static void target_unseen(struct subject *s)
{
	s->f.body.context_count = 0; /* what came in since its last batch is not claimed */
	target(s, (struct dot){ s->other.dev, s->other.counter + 2 });
}

static void target_later(struct subject *s)
{
	target(s, (struct dot){ s->other.dev, 900 });
}

static void target_huge(struct subject *s)
{
	target(s, (struct dot){ s->other.dev, 1ULL << 41 });
}

/* An edit, but not one that made a record. */
static void target_no_record(struct subject *s)
{
	target(s, (struct dot){ s->other.dev, s->other.counter + 1 });
}

/* What a field refers to is not ours to judge: it may be a record that nobody here knows. */
static void reference_huge(struct subject *s)
{
	draft_ref(&s->d, F_contact_resident, (struct dot){ s->other.dev, 1ULL << 50 });
	assert_int_equal(draft_writes(&s->d, &s->edit.writes, &s->edit.write_count), ERR_OK);
}

static void control(struct subject *s, uint32_t type)
{
	s->control = (struct control){ type, buf_bytes(&s->payload) };
	s->f.body.controls = &s->control;
	s->f.body.control_count = 1;
}

static void control_unknown_odd(struct subject *s)
{
	assert_int_equal(wire_put_uint(&s->payload, 1), ERR_OK);
	control(s, 99);
}

static void control_unknown_even(struct subject *s)
{
	assert_int_equal(wire_put_uint(&s->payload, 1), ERR_OK);
	control(s, 98);
}

static void epoch_malformed(struct subject *s)
{
	assert_int_equal(wire_put_uint(&s->payload, 1), ERR_OK);
	control(s, CONTROL_EPOCH);
}

/* The right id with other recipients. */
static void epoch_other_recipients(struct subject *s)
{
	assert_int_equal(wire_put_array(&s->payload, 3), ERR_OK);
	assert_int_equal(wire_put_bytes(&s->payload, s->f.head.epoch.b, EPOCH_ID_LEN), ERR_OK);
	assert_int_equal(wire_put_array(&s->payload, 0), ERR_OK);
	assert_int_equal(wire_put_array(&s->payload, 0), ERR_OK);
	control(s, CONTROL_EPOCH);
}

static void genesis(struct subject *s)
{
	uint8_t nonce[SPACE_NONCE_LEN] = { 0 };

	assert_int_equal(wire_put_array(&s->payload, 3), ERR_OK);
	assert_int_equal(wire_put_uint(&s->payload, SPACE_CIRCLE), ERR_OK);
	assert_int_equal(wire_put_bytes(&s->payload, s->f.keys->public.sign, SIGN_PUBLIC_LEN), ERR_OK);
	assert_int_equal(wire_put_bytes(&s->payload, nonce, sizeof(nonce)), ERR_OK);
	control(s, CONTROL_GENESIS);
}

static const struct forged_case {
	const char *what;
	void (*change)(struct subject *s);
	enum outcome outcome;
} cases[] = {
	{ "as an honest program makes it", honest, TAKEN },
	{ "about a record that it has seen", about_known, TAKEN },
	{ "under another member's tag", tag_of_other, WAITS }, /* somebody may have it, too */
	{ "under a tag that nobody has", tag_of_nobody, WAITS },
	{ "of the circle, as the neighbourhood's", other_space, WAITS },
	{ "under an epoch that is not known", unknown_epoch, WAITS },
	{ "under another key", wrong_key, ASIDE },
	{ "with a gap in the numbers", gap, WAITS },
	{ "number zero", number_zero, ASIDE },
	{ "a number past 2^40", number_huge, ASIDE },
	{ "the highest number", number_hugest, ASIDE },
	{ "first counter one too high", counter_lie, ASIDE },
	{ "first counter past 2^40", counter_huge, ASIDE },
	{ "another previous batch", wrong_prev, ASIDE },
	{ "a context with a device of another space", context_other_space, ASIDE },
	{ "a context with its own device", context_self, ASIDE },
	{ "a context that is not here yet", context_future, WAITS },
	{ "a context past 2^40", context_huge, ASIDE },
	{ "a context with another history", context_wrong_hash, WAITS }, /* the device may have forked */
	{ "a context that goes back", context_back, ASIDE },
	{ "a context with a device that nobody knows", context_unknown_device, WAITS },
	{ "about a record of another space", target_other_space, ASIDE },
	{ "about a record of another space, before it is", target_other_space_later, ASIDE },
	{ "about a record of a device never seen", target_unknown_device, ASIDE },
	{ "about a record outside its context", target_unseen, ASIDE },
	{ "about a record that is not there", target_later, ASIDE },
	{ "about a record past 2^40", target_huge, ASIDE },
	{ "about an edit that made no record", target_no_record, ASIDE },
	{ "with a reference past 2^40", reference_huge, TAKEN },
	{ "with a control that must be understood", control_unknown_odd, WAITS },
	{ "with a control that may be passed over", control_unknown_even, TAKEN },
	{ "with a malformed epoch record", epoch_malformed, ASIDE },
	{ "with other recipients than the epoch's", epoch_other_recipients, TAKEN }, /* not opened: test_hostile.c */
	{ "with another genesis", genesis, ASIDE },
};

static void subject_start(struct subject *s, struct world *w, struct dot other)
{
	*s = (struct subject){ .other = other };
	forge_start(&s->f, w, 2, "Plein");
	s->edit = forge_edit(&s->f, &s->d, (struct dot){ 0 }, "tekst");
	s->f.body.edits = &s->edit;
	s->f.body.edit_count = 1;
}

static void subject_end(struct subject *s)
{
	draft_free(&s->d);
	buf_free(&s->payload);
	forge_end(&s->f);
}

/* 1 wrote two edits about one contact, and 2 has them. */
static struct dot case_world(struct world *w)
{
	struct dot other;

	forge_world(w);
	other = contact_in(w, 1, "Plein", (struct dot){ 0 }, "van een");
	contact_in(w, 1, "Plein", other, "van een, verder");
	pump(w, 1, 2);
	contact_in(w, 2, "Plein", (struct dot){ 0 }, "van twee");
	pump(w, 2, 1);
	contact_in(w, 1, "Plein", (struct dot){ 0 }, "nog een van een");
	pump(w, 1, 2);
	return other;
}

static void run_case(struct world *w, struct dot other, const struct forged_case *c, const char *name)
{
	struct subject s;
	struct buf file = { 0 };
	struct buf before = world_dump(w, 1, NULL);
	struct buf after;
	struct stock was = stock_of(w, 1);
	struct stock is;
	struct received r;
	bool good = false;

	subject_start(&s, w, other);
	c->change(&s);
	forge_make(&s.f, &file);
	r = give(w, 1, name, buf_bytes(&file));
	after = world_dump(w, 1, NULL);
	is = stock_of(w, 1);
	good = c->outcome == TAKEN ? r.batches == 1
	                           : r.batches == 0 && bytes_cmp(buf_bytes(&before), buf_bytes(&after)) == 0;
	good =
	    good && is.aside - was.aside == (c->outcome == ASIDE) && is.waiting - was.waiting == (c->outcome == WAITS);
	if (!good) {
		failures++;
		print_error("%s: applied %d, aside +%d, waiting +%d\n", c->what, (int)r.batches,
		            (int)(is.aside - was.aside), (int)(is.waiting - was.waiting));
	}
	buf_free(&file);
	buf_free(&before);
	buf_free(&after);
	subject_end(&s);
}

/* What is refused leaves nothing behind, and the others work on. Each in a world of its own: two batches with one
 * number would be a fork (test_forks.c). */
static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w;
		struct dot other;

		if (cases[i].outcome == TAKEN)
			continue;
		other = case_world(&w);
		run_case(&w, other, &cases[i], "f");
		assert_int_equal(failures, 0);
		contact_in(&w, 1, "Plein", other, "van een");
		contact_in(&w, 0, "West", (struct dot){ 0 }, "van nul");
		pump(&w, 1, 2);
		assert_int_equal(pump(&w, 0, 1).set_aside, 0);
		pump(&w, 0, 2);
		expect_same(&w, 1, 2, "Plein");
		expect_same(&w, 0, 1, "West");
		world_end(&w);
	}
}

static void test_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w;

		if (cases[i].outcome != TAKEN)
			continue;
		run_case(&w, case_world(&w), &cases[i], "f");
		assert_int_equal(failures, 0);
		contact_in(&w, 1, "Plein", (struct dot){ 0 }, "en verder");
		seal_home(&w, 1);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
