// SPDX-License-Identifier: EUPL-1.2
// Goal: a joiner takes part only when all is here that was promised (S5): until then nothing is written or sealed in
// the space, that is said, and nothing typed gets lost by it; its first batch has seen its own admission; what the host
// shows in the place of a promised batch is set aside, and the real one is still taken. Seen to catch: an admission
// sealed after the answer was made, a floor that only its own branch reaches, writing that is let through by one of the
// use cases, a batch of the same number taken for the promised one.
#include "sync/forge.h"

#include "app/contacts.h"
#include "base/codec.h"
#include "sync/floor.h"
#include "sync/invite.h"

/* Hands over those outgoing files of a home whose name begins with `start`, or all others. */
static struct received hand(struct world *w, size_t from, size_t to, const char *start, bool others)
{
	struct errctx ec = { 0 };
	struct file_row *list = NULL;
	struct received sum = { 0 };
	struct sync y = sync_of_home(w, to);
	size_t n = 0;

	seal_home(w, from);
	assert_int_equal(store_outgoing_list(&ec, w->app[from]->store, &list, &n), ERR_OK);
	for (size_t k = 0; k < n; k++) {
		if ((strncmp(list[k].name, start, strlen(start)) == 0) == !others)
			assert_int_equal(inbox_file(&ec, &y, list[k].ref, list[k].name, buf_bytes(&list[k].file), &sum),
			                 ERR_OK);
	}
	store_files_free(list, n);
	assert_int_equal(inbox_retry(&ec, &y, &sum), ERR_OK);
	return sum;
}

static bool open_at(struct world *w, size_t i, const char *space)
{
	struct sync y = sync_of_home(w, i);
	struct errctx ec = { 0 };
	bool open = false;

	assert_int_equal(floor_open(&ec, &y, space_named(w, i, space).n, &open), ERR_OK);
	return open;
}

static void join_by(struct world *w, size_t by, size_t who)
{
	struct errctx ec = { 0 };
	struct invite_view v;
	struct join_view asked;

	assert_int_equal(app_invite(&ec, w->app[by], &(struct invite_ask){ .space = "Plein" }, &v), ERR_OK);
	assert_int_equal(app_join(&ec, w->app[who], (const char *)v.text.data, v.text.len, false, &asked), ERR_OK);
	assert_int_equal(pump(w, who, by).admitted, 1);
	buf_free(&v.text);
}

static enum err log_one(struct world *w, size_t i, const char *text, struct errctx *ec)
{
	char id[ID_TEXT_LEN];

	return contact_add(ec, w->app[i], "Plein", &(struct contact_fields){ .text = text }, id);
}

static void expect_coming_in(struct world *w, size_t i, size_t spaces)
{
	struct status_view s;
	struct errctx ec = { 0 };
	size_t n = 0;

	assert_int_equal(app_status(&ec, w->app[i], &s), ERR_OK);
	for (size_t k = 0; k < s.space_count; k++)
		n += s.spaces[k].coming_in;
	assert_int_equal(n, spaces);
	app_status_free(&s);
}

static void test_still_coming_in(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct invite_view v;
	struct space_row plein;
	struct vv context = { 0 };
	const struct vv_entry *seen = NULL;
	struct vv here = { 0 };
	uint64_t unsealed = 0;
	uint64_t files = 0;
	uint64_t edits = 0;

	(void)state;
	forge_world(&w);
	contact_in(&w, 2, "Plein", (struct dot){ 0 }, "van twee");
	pump(&w, 2, 1);
	assert_int_equal(world_home(&w, "Drie"), 3);
	join_by(&w, 1, 3);
	assert_int_equal(hand(&w, 1, 3, "answer", false).joined, 2);
	expect_coming_in(&w, 3, 2);
	for (int step = 0; step < 2; step++) {
		assert_true(open_at(&w, 3, "Plein"));
		assert_int_equal(log_one(&w, 3, "te vroeg", &ec), ERR_LATER);
		assert_non_null(strstr(ec.msg, "coming in"));
		err_clear(&ec);
		assert_int_equal(app_invite(&ec, w.app[3], &(struct invite_ask){ .space = "Plein" }, &v), ERR_LATER);
		err_clear(&ec);
		plein = space_named(&w, 3, "Plein");
		seal_home(&w, 3);
		assert_int_equal(store_unsealed_count(&ec, w.app[3]->store, plein.n, &unsealed), ERR_OK);
		assert_int_equal(store_outgoing_count(&ec, w.app[3]->store, plein.n, &files, &edits), ERR_OK);
		assert_int_equal(unsealed + files, 0);
		if (step == 0) /* all of the one who let it in, and that is not all */
			(void)hand(&w, 1, 3, "answer", true);
	}
	/* what one keeps to oneself is not held up */
	assert_int_equal(hand(&w, 2, 3, "answer", true).arrived, 1);
	assert_false(open_at(&w, 3, "Plein"));
	expect_coming_in(&w, 3, 1);
	assert_int_equal(pump(&w, 0, 3).arrived, 1);
	expect_coming_in(&w, 3, 0);
	world_reopen(&w, 3);
	assert_int_equal(log_one(&w, 3, "nu wel", &ec), ERR_OK);
	/* its first batch has seen everything up to its own admission */
	pump(&w, 3, 1);
	plein = space_named(&w, 1, "Plein");
	assert_int_equal(store_vector(&ec, w.app[1]->store, plein.n, &here), ERR_OK);
	assert_int_equal(store_context(&ec, w.app[1]->store, space_named(&w, 3, "Plein").me, &context), ERR_OK);
	seen = vv_get(&context, plein.me);
	assert_non_null(seen);
	assert_int_equal(seen->seq, vv_get(&here, plein.me)->seq);
	expect_same(&w, 1, 3, "Plein");
	vv_free(&here);
	vv_free(&context);
	world_end(&w);
}

/* Member 2 signs two batches with one number, and the host shows the joiner the other one. */
static void test_another_history(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct forge f;
	struct draft d = { 0 };
	struct edit e = { 0 };
	struct buf other = { 0 };
	struct aside_row *aside = NULL;
	size_t n = 0;
	char name[40];
	char tag[TAG_TEXT_LEN];

	(void)state;
	forge_world(&w);
	forge_start(&f, &w, 2, "Plein");
	e = forge_edit(&f, &d, (struct dot){ 0 }, "wat de host laat zien");
	f.body.edits = &e;
	f.body.edit_count = 1;
	forge_make(&f, &other);
	tag_text(f.space.my_tag, tag);
	snprintf(name, sizeof(name), "%s-%llu", tag, (unsigned long long)f.seq);
	contact_in(&w, 2, "Plein", (struct dot){ 0 }, "wat er echt staat");
	pump(&w, 2, 1);
	assert_int_equal(world_home(&w, "Drie"), 3);
	join_by(&w, 1, 3);
	(void)pump(&w, 1, 3);
	(void)pump(&w, 0, 3);
	(void)hand(&w, 2, 3, name, true);
	assert_true(open_at(&w, 3, "Plein"));
	assert_int_equal(give(&w, 3, name, buf_bytes(&other)).set_aside, 1);
	assert_int_equal(store_aside_list(&ec, w.app[3]->store, &aside, &n), ERR_OK);
	assert_int_equal(n, 1);
	assert_non_null(strstr(aside[0].why, "another history"));
	free(aside);
	assert_true(open_at(&w, 3, "Plein"));
	assert_int_equal(log_one(&w, 3, "te vroeg", &ec), ERR_LATER);
	err_clear(&ec);
	assert_int_equal(hand(&w, 2, 3, name, false).arrived, 1);
	expect_same(&w, 1, 3, "Plein");
	assert_int_equal(log_one(&w, 3, "nu wel", &ec), ERR_OK);
	draft_free(&d);
	buf_free(&other);
	forge_end(&f);
	world_end(&w);
}

/* A floor that is none lets nobody in: an answer with an empty one, or with something else there, is set aside. */
static void test_no_floor(void **state)
{
	static const uint8_t none[] = { 0x80 };
	static const uint8_t text[] = { 0x61, 'x' };
	static const uint8_t seq_zero[] = { 0x81, 0x83, 0x48, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0x48, 1, 2, 3, 4, 5, 6, 7, 8 };
	const struct bytes bad[] = { { none, sizeof(none) }, { text, sizeof(text) }, { seq_zero, sizeof(seq_zero) } };
	struct world w;
	struct errctx ec = { 0 };
	struct sync y;
	bool open = true;

	(void)state;
	forge_world(&w);
	y = sync_of_home(&w, 1);
	assert_int_equal(store_begin(&ec, y.store), ERR_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(floor_put(&ec, &y, space_named(&w, 1, "Plein").n, bad[i]), ERR_DAMAGED);
	store_rollback(y.store);
	assert_int_equal(floor_open(&ec, &y, space_named(&w, 1, "Plein").n, &open), ERR_OK);
	assert_false(open);
	world_end(&w);
}

/* As an earlier version made it: with the box keys of the device. */
static void as_before(struct world *w, size_t by, struct buf *text)
{
	static const char *const names[] = { "Plein", "West" };
	struct errctx ec = { 0 };
	struct sync y = sync_of_home(w, by);
	struct device_keys *keys = NULL;
	struct invitation i;

	assert_int_equal(invitation_get(&ec, (const char *)text->data, text->len, &i), ERR_OK);
	assert_int_equal(i.spaces, 2);
	for (size_t k = 0; k < 2; k++) {
		assert_int_equal(device_keys_load(&ec, &y, space_named(w, by, names[k]).n, &keys), ERR_OK);
		memcpy(i.space[k].box, keys->public.box, BOX_PUBLIC_LEN);
		device_keys_free(keys);
	}
	buf_reset(text);
	assert_int_equal(invitation_put(&i, text), ERR_OK);
}

/* What the first version kept of an invitation and of a request is still understood: both were on their way. */
static void test_older_rows(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct invite_view v;
	struct join_view asked;
	struct sync joiner;
	struct sync inviter;
	struct buf b = { 0 };
	char name[64];

	(void)state;
	forge_world(&w);
	assert_int_equal(world_home(&w, "Drie"), 3);
	assert_int_equal(app_invite(&ec, w.app[1], &(struct invite_ask){ .space = "Plein" }, &v), ERR_OK);
	as_before(&w, 1, &v.text);
	assert_int_equal(app_join(&ec, w.app[3], (const char *)v.text.data, v.text.len, false, &asked), ERR_OK);
	joiner = sync_of_home(&w, 3);
	inviter = sync_of_home(&w, 1);
	assert_int_equal(store_begin(&ec, joiner.store), ERR_OK);
	for (int k = 0; k < 2; k++) {
		int64_t n = space_named(&w, 3, k == 0 ? "Plein" : "West").n;

		snprintf(name, sizeof(name), "ask:%s", v.id);
		buf_reset(&b);
		assert_int_equal(store_kept_get(&ec, joiner.store, n, name, &b), ERR_OK);
		assert_int_equal(b.data[0], 0x85); /* [sign, nick, id, flags, words] */
		b.data[0] = 0x83;
		b.len -= 2; /* 0, empty byte string */
		assert_int_equal(store_kept_put(&ec, joiner.store, n, "ask", buf_bytes(&b)), ERR_OK);
		assert_int_equal(store_kept_delete(&ec, joiner.store, n, name), ERR_OK);
	}
	assert_int_equal(store_commit(&ec, joiner.store), ERR_OK);
	assert_int_equal(store_begin(&ec, inviter.store), ERR_OK);
	snprintf(name, sizeof(name), "invite:%s", v.id);
	buf_reset(&b);
	assert_int_equal(store_kept_get(&ec, inviter.store, 0, name, &b), ERR_OK);
	assert_int_equal(b.data[0], 0x88); /* [secret, end, used, role, spaces, flags, box key, its secret] */
	b.data[0] = 0x85;
	b.len -= 1 + 2 + BOX_PUBLIC_LEN + 2 + BOX_SECRET_LEN;
	assert_int_equal(store_kept_put(&ec, inviter.store, 0, name, buf_bytes(&b)), ERR_OK);
	assert_int_equal(store_commit(&ec, inviter.store), ERR_OK);
	assert_int_equal(pump(&w, 3, 1).admitted, 1);
	assert_int_equal(pump(&w, 1, 3).joined, 2);
	pump(&w, 2, 3);
	pump(&w, 0, 3);
	assert_false(open_at(&w, 3, "Plein"));
	expect_same(&w, 1, 3, "Plein");
	buf_free(&b);
	buf_free(&v.text);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_still_coming_in),
		cmocka_unit_test(test_another_history),
		cmocka_unit_test(test_no_floor),
		cmocka_unit_test(test_older_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
