// SPDX-License-Identifier: EUPL-1.2
// Goal (K3, S4): no member can make the others cut their log at something that is not what was written. A snapshot in
// which a field was dropped, a value forged or an edit withheld has another hash than the edits come to: it is refused
// with a sentence and evidence, and nothing is taken away; an honest one goes through afterwards. Nor does a vote below
// what others acknowledged, or above what can still be contested, get theirs. Whoever joins takes no snapshot that the
// member who let them in did not name.
// Seen to catch: a vote for whatever hash is proposed; a proposal taken without looking at the 14 days.
#include "app/compact.h"
#include "app/erase.h"
#include "base/codec.h"
#include "batch/zip.h"
#include "sync/closing.h"
#include "sync/compaction.h"
#include "sync/forge.h"
#include "sync/snapshot.h"

#define CIRCLE "Plein"
#define DAY (24LL * 60 * 60 * 1000)

static void step(struct world *w, size_t i)
{
	struct errctx ec = { 0 };

	assert_int_equal(compact_step(&ec, w->app[i], space_named(w, i, CIRCLE).neighbourhood, true), ERR_OK);
}

static void rounds(struct world *w, int n)
{
	for (int k = 0; k < n; k++) {
		pump(w, 1, 2);
		step(w, 2);
		pump(w, 2, 1);
		step(w, 1);
	}
}

static bool was_cut(struct world *w, size_t i)
{
	struct errctx ec = { 0 };
	struct base base;

	assert_int_equal(store_base(&ec, w->app[i]->store, space_named(w, i, CIRCLE).n, &base), ERR_OK);
	vv_free(&base.at);
	return base.is;
}

static void erase_in(struct world *w, size_t i, struct dot id)
{
	struct errctx ec = { 0 };
	struct erased_view v;
	char text[DOT_TEXT_LEN];

	dot_text(id, text);
	assert_int_equal(app_erase(&ec, w->app[i], text, false, &v), ERR_OK);
}

/* A vote for this hash at this vector, in a batch of home `by`. */
static void forge_vote(struct world *w, size_t by, uint64_t round, const uint8_t hash[static HASH_LEN],
                       const struct vv *upto, struct buf *file)
{
	struct forge f;
	struct buf payload = { 0 };
	struct control control = { .type = CONTROL_SNAPSHOT };

	forge_start(&f, w, by, CIRCLE);
	assert_int_equal(wire_put_array(&payload, 3), ERR_OK);
	assert_int_equal(wire_put_uint(&payload, round), ERR_OK);
	assert_int_equal(wire_put_bytes(&payload, hash, HASH_LEN), ERR_OK);
	assert_int_equal(wire_put_array(&payload, upto->n), ERR_OK);
	for (size_t i = 0; i < upto->n; i++) {
		assert_int_equal(wire_put_array(&payload, 2), ERR_OK);
		assert_int_equal(wire_put_bytes(&payload, upto->e[i].dev.b, DEVICE_ID_LEN), ERR_OK);
		assert_int_equal(wire_put_uint(&payload, upto->e[i].seq), ERR_OK);
	}
	control.payload = buf_bytes(&payload);
	f.body.controls = &control;
	f.body.control_count = 1;
	forge_make(&f, file);
	buf_free(&payload);
	forge_end(&f);
}

/* Votes that home 1 has given, for anything. */
static size_t votes_of(struct world *w, size_t i)
{
	struct sync y = sync_of_home(w, i);
	struct space_row space = space_named(w, i, CIRCLE);
	struct membership m;
	struct errctx ec = { 0 };
	size_t n = 0;

	assert_int_equal(membership_load(&ec, &y, &space, &m), ERR_OK);
	for (size_t k = 0; k < m.votes; k++)
		n += device_cmp(m.vote[k].at.author, space.me) == 0;
	membership_free(&m);
	return n;
}

enum lie { FIELD_DROPPED, VALUE_FORGED, EDIT_WITHHELD, RECORD_ADDED, LIES };

/* The honest snapshot with one lie in it: its hash. */
static void lying_hash(struct world *w, enum lie lie, const struct vv *upto, uint8_t hash[static HASH_LEN])
{
	struct sync y = sync_of_home(w, 2);
	struct space_row space = space_named(w, 2, CIRCLE);
	struct snapshot s;
	struct errctx ec = { 0 };
	struct buf b = { 0 };

	assert_int_equal(snapshot_build(&ec, &y, &space, upto, 1, &s), ERR_OK);
	assert_int_equal(buf_put(&b, s.bytes.data, s.bytes.len), ERR_OK);
	switch (lie) {
	case VALUE_FORGED:
	case FIELD_DROPPED: {
		uint8_t *at = memmem(b.data, b.len, "woorden", 7);

		assert_non_null(at);
		memcpy(at, lie == VALUE_FORGED ? "andere." : "\0\0\0\0\0\0\0", 7);
		break;
	}
	case EDIT_WITHHELD:
		b.len -= s.item[s.n - 1].state.len + 1;
		break;
	default:
		assert_int_equal(buf_put(&b, s.item[0].state.data, s.item[0].state.len), ERR_OK);
	}
	hash_bytes("slb snapshot", buf_bytes(&b), hash);
	assert_int_not_equal(memcmp(hash, s.hash, HASH_LEN), 0);
	buf_free(&b);
	snapshot_free(&s);
}

/* Home 2 lies; home 1 has everything. */
static void a_lie_is_refused(void **state)
{
	(void)state;
	for (enum lie lie = 0; lie < LIES; lie++) {
		struct world w;
		struct vv upto = { 0 };
		struct buf file = { 0 };
		struct dot id;
		struct sync y;
		struct space_row space;
		struct errctx ec = { 0 };
		struct aside_row *aside = NULL;
		enum compaction_wait wait;
		uint8_t hash[HASH_LEN];
		size_t n = 0;

		forge_world(&w);
		contact_in(&w, 1, CIRCLE, (struct dot){ 0 }, "woorden die blijven");
		id = contact_in(&w, 2, CIRCLE, (struct dot){ 0 }, "wat weg moet");
		erase_in(&w, 2, id);
		pump(&w, 1, 2);
		pump(&w, 2, 1);
		pump(&w, 1, 2);
		y = sync_of_home(&w, 2);
		space = space_named(&w, 2, CIRCLE);
		assert_int_equal(compaction_choose(&ec, &y, &space, &upto, &wait), ERR_OK);
		assert_true(upto.n > 0);
		lying_hash(&w, lie, &upto, hash);
		forge_vote(&w, 2, 1, hash, &upto, &file);
		assert_int_equal(give(&w, 1, "forged", buf_bytes(&file)).batches, 1);
		n = votes_of(&w, 1);
		step(&w, 1);
		seal_home(&w, 1);
		assert_int_equal(store_aside_list(&ec, w.app[1]->store, &aside, &n), ERR_OK);
		assert_int_equal(n, 1);
		assert_non_null(strstr(aside[0].why, "It was refused"));
		free(aside);
		assert_false(was_cut(&w, 1));
		/* nothing of its own has that hash, so whatever comes next is not that */
		for (int k = 0; k < 3; k++) {
			w.now_ms += DAY;
			step(&w, 1);
			seal_home(&w, 1);
			assert_false(was_cut(&w, 1));
		}
		vv_free(&upto);
		buf_free(&file);
		world_end(&w);
	}
}

/* What home 1 wrote, home 2 erased a minute ago, and home 2 proposes at once. */
static void not_before_its_time(void **state)
{
	struct world w;
	struct vv upto = { 0 };
	struct buf file = { 0 };
	struct snapshot s;
	struct sync y;
	struct space_row space;
	struct errctx ec = { 0 };
	struct dot id;

	(void)state;
	forge_world(&w);
	id = contact_in(&w, 1, CIRCLE, (struct dot){ 0 }, "woorden van een ander");
	rounds(&w, 1);
	erase_in(&w, 2, id);
	rounds(&w, 2);
	y = sync_of_home(&w, 2);
	space = space_named(&w, 2, CIRCLE);
	assert_int_equal(store_vector(&ec, y.store, space.n, &upto), ERR_OK);
	for (size_t i = 0; i < upto.n; i++) { /* the last of each is not acknowledged */
		if (device_cmp(upto.e[i].dev, space.me) != 0) {
			uint64_t seq = 0;

			assert_int_equal(
			    store_seen_at(&ec, y.store, space.me, vv_get(&upto, space.me)->seq, upto.e[i].dev, &seq),
			    ERR_OK);
			upto.e[i].seq = seq;
		}
	}
	assert_int_equal(snapshot_build(&ec, &y, &space, &upto, 7, &s), ERR_OK);
	forge_vote(&w, 2, 7, s.hash, &upto, &file);
	assert_int_equal(give(&w, 1, "forged", buf_bytes(&file)).batches, 1);
	step(&w, 1);
	seal_home(&w, 1);
	assert_int_equal(votes_of(&w, 1), 0);
	assert_false(was_cut(&w, 1));
	w.now_ms += 15 * DAY; /* then it is right */
	step(&w, 1);
	seal_home(&w, 1);
	assert_true(votes_of(&w, 1) > 0);
	snapshot_free(&s);
	vv_free(&upto);
	buf_free(&file);
	world_end(&w);
}

/* A file that says to be a snapshot, from a member who has the epoch's key, for a joiner whose inviter named none. */
static void a_joiner_takes_none_that_was_not_named(void **state)
{
	struct world w;
	struct sync y;
	struct space_row space;
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	struct errctx ec = { 0 };
	struct vv upto = { 0 };
	struct snapshot s;
	struct file_header h = { .type = FILE_SNAPSHOT };
	struct buf plain = { 0 };
	struct buf file = { 0 };
	uint8_t head[HASH_LEN + 8];

	(void)state;
	assert_non_null(secret);
	forge_world(&w);
	contact_in(&w, 1, CIRCLE, (struct dot){ 0 }, "woorden");
	invite_third(&w, 1);
	pump(&w, 1, 2);
	y = sync_of_home(&w, 2);
	space = space_named(&w, 2, CIRCLE);
	assert_int_equal(store_vector(&ec, y.store, space.n, &upto), ERR_OK);
	assert_int_equal(snapshot_build(&ec, &y, &space, &upto, 1, &s), ERR_OK);
	assert_int_equal(epoch_choose(&ec, &y, &space, &h.epoch), ERR_OK);
	assert_int_equal(epoch_key_load(&ec, &y, space.n, h.epoch, secret), ERR_OK);
	h.space = space.tag;
	h.device = space.my_tag;
	/* one byte is other: it is not what home 3 has */
	*(uint8_t *)memmem(s.bytes.data, s.bytes.len, "woorden", 7) = 'W';
	hash_bytes("slb snapshot", buf_bytes(&s.bytes), s.hash);
	memcpy(head, s.hash, HASH_LEN);
	be32_put(head + HASH_LEN, 0);
	be32_put(head + HASH_LEN + 4, 1);
	assert_int_equal(buf_put(&plain, head, sizeof(head)), ERR_OK);
	assert_int_equal(zip_deflate(y.zip, buf_bytes(&s.bytes), &plain), ERR_OK);
	assert_int_equal(snapshot_seal(&h, secret->key, buf_bytes(&plain), y.rng, &file), ERR_OK);
	give(&w, 3, "snap-0", buf_bytes(&file));
	assert_false(was_cut(&w, 3));
	expect_same(&w, 1, 3, CIRCLE);
	/* bytes that are none at all are set aside, and stop nothing */
	for (size_t at = FILE_HEADER_LEN; at < file.len; at += file.len / 9) {
		struct buf bad = { 0 };

		assert_int_equal(buf_put(&bad, file.data, file.len), ERR_OK);
		bad.data[at] ^= 1;
		assert_int_equal(give(&w, 3, "snap-bad", buf_bytes(&bad)).set_aside, 1);
		buf_free(&bad);
	}
	snapshot_free(&s);
	secret_free(secret);
	vv_free(&upto);
	buf_free(&plain);
	buf_free(&file);
	world_end(&w);
}

/* Whatever bytes the parser gets, it says what they are not. */
static void parser_bears_anything(void **state)
{
	struct world w;
	struct sync y;
	struct space_row space;
	struct errctx ec = { 0 };
	struct vv upto = { 0 };
	struct snapshot s;

	(void)state;
	forge_world(&w);
	contact_in(&w, 1, CIRCLE, (struct dot){ 0 }, "woorden");
	pump(&w, 1, 2);
	y = sync_of_home(&w, 2);
	space = space_named(&w, 2, CIRCLE);
	assert_int_equal(store_vector(&ec, y.store, space.n, &upto), ERR_OK);
	assert_int_equal(snapshot_build(&ec, &y, &space, &upto, 1, &s), ERR_OK);
	for (size_t len = 0; len < s.bytes.len; len += 1 + len / 50) {
		struct snapshot_parts p;

		assert_int_equal(snapshot_parse((struct bytes){ s.bytes.data, len }, &p), ERR_DAMAGED);
	}
	for (size_t at = 0; at < s.bytes.len; at++) {
		struct snapshot_parts p;
		uint8_t was = s.bytes.data[at];

		s.bytes.data[at] ^= (uint8_t)(1u << (at % 8));
		if (snapshot_parse(buf_bytes(&s.bytes), &p) == ERR_OK)
			snapshot_parts_free(&p);
		s.bytes.data[at] = was;
	}
	snapshot_free(&s);
	vv_free(&upto);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lie_is_refused),
		cmocka_unit_test(not_before_its_time),
		cmocka_unit_test(a_joiner_takes_none_that_was_not_named),
		cmocka_unit_test(parser_bears_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
