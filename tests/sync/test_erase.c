// SPDX-License-Identifier: EUPL-1.2
// Goal (K3, M1, M2): an erase hides at once and everywhere; another person can contest it, and then what it hid is
// there again, with what was written meanwhile, the same bytes on every device whatever came first; many at once wait
// for another person's yes; who may say what is decided by what its author had seen. Seen to catch: a contest that
// counts without having seen what it names, or that is judged by its author's batch before; one's own yes counting for
// one's own erases.
#include "app/erase.h"
#include "model/erasing.h"
#include "sync/erased.h"

#define CIRCLE "Plein"
#define DAY (24LL * 60 * 60 * 1000)

static void erase_in(struct world *w, size_t i, struct dot id)
{
	struct errctx ec = { 0 };
	struct erased_view v;
	char text[DOT_TEXT_LEN];

	dot_text(id, text);
	assert_int_equal(app_erase(&ec, w->app[i], text, false, &v), ERR_OK);
}

static enum err contest_in(struct world *w, size_t i, struct dot id)
{
	struct errctx ec = { 0 };
	struct erased_view v;
	char text[DOT_TEXT_LEN];

	dot_text(id, text);
	return app_erase_contest(&ec, w->app[i], text, &v);
}

/* What a record's text is; "" where it is erased, "?" where it has several. */
static const char *text_in(struct world *w, size_t i, struct dot id)
{
	static char out[200];
	struct errctx ec = { 0 };
	struct loaded l;
	struct bytes b = { 0 };

	out[0] = '\0';
	assert_int_equal(store_load(&ec, w->app[i]->store, id, &l), ERR_OK);
	if (record_versions(&l.record, F_contact_text) > 1)
		snprintf(out, sizeof(out), "?");
	else if (record_text(&l.record, F_contact_text, &b))
		snprintf(out, sizeof(out), "%.*s", (int)b.len, (const char *)b.data);
	store_loaded_free(&l);
	return out;
}

static void exchange(struct world *w, size_t a, size_t b)
{
	pump(w, a, b);
	pump(w, b, a);
	pump(w, a, b);
}

/* 1 wrote it, 2 erases it, 1 contests, while 2 wrote on about another thing. */
static void contested(void **state)
{
	struct world w;
	struct dot id;

	(void)state;
	forge_world(&w);
	id = contact_in(&w, 1, CIRCLE, (struct dot){ 0 }, "eerste woorden");
	exchange(&w, 1, 2);
	erase_in(&w, 2, id);
	assert_string_equal(text_in(&w, 2, id), "");
	contact_in(&w, 1, CIRCLE, id, "tweede woorden"); /* not having seen the erase */
	assert_int_equal(erasure_in(&w, 2, CIRCLE, id), ERASURE_WAITS);
	exchange(&w, 1, 2);
	expect_same(&w, 1, 2, CIRCLE);
	assert_string_equal(text_in(&w, 1, id), "");
	assert_int_equal(erasure_in(&w, 1, CIRCLE, id), ERASURE_WAITS);
	w.now_ms += 13 * DAY;
	assert_int_equal(erasure_in(&w, 1, CIRCLE, id), ERASURE_WAITS);
	assert_int_equal(contest_in(&w, 1, id), ERR_OK);
	assert_string_equal(text_in(&w, 1, id), "tweede woorden");
	exchange(&w, 1, 2);
	assert_string_equal(text_in(&w, 2, id), "tweede woorden");
	assert_int_equal(erasure_in(&w, 2, CIRCLE, id), ERASURE_CONTESTED);
	expect_same(&w, 1, 2, CIRCLE);
	/* twice is refused, and what was contested may be erased again by another edit */
	assert_int_equal(contest_in(&w, 1, id), ERR_REFUSED);
	contact_in(&w, 2, CIRCLE, id, "derde woorden");
	erase_in(&w, 2, id);
	exchange(&w, 1, 2);
	expect_same(&w, 1, 2, CIRCLE);
	assert_string_equal(text_in(&w, 1, id), "");
	w.now_ms += 15 * DAY;
	assert_int_equal(erasure_in(&w, 1, CIRCLE, id), ERASURE_DUE);
	world_end(&w);
}

/* Of one's own there is nothing to wait for. */
static void own_record(void **state)
{
	struct world w;
	struct dot id;

	(void)state;
	forge_world(&w);
	id = contact_in(&w, 1, CIRCLE, (struct dot){ 0 }, "van mij");
	erase_in(&w, 1, id);
	assert_int_equal(erasure_in(&w, 1, CIRCLE, id), ERASURE_DUE);
	exchange(&w, 1, 2);
	assert_int_equal(erasure_in(&w, 2, CIRCLE, id), ERASURE_DUE);
	world_end(&w);
}

/* Two contest without knowing of each other, a third erases without knowing either: in any order the same. */
static void any_order(void **state)
{
	(void)state;
	for (int order = 0; order < 6; order++) {
		static const size_t orders[6][3] = { { 1, 2, 3 }, { 1, 3, 2 }, { 2, 1, 3 },
			                             { 2, 3, 1 }, { 3, 1, 2 }, { 3, 2, 1 } };
		struct world w;
		struct dot id;

		forge_world(&w);
		invite_third(&w, 1);
		id = contact_in(&w, 1, CIRCLE, (struct dot){ 0 }, "woorden");
		for (size_t a = 1; a <= 3; a++)
			for (size_t b = 1; b <= 3; b++)
				if (a != b)
					pump(&w, a, b);
		erase_in(&w, 2, id);
		pump(&w, 2, 1);
		pump(&w, 2, 3);
		assert_int_equal(contest_in(&w, 1, id), ERR_OK);
		assert_int_equal(contest_in(&w, 3, id), ERR_OK);
		contact_in(&w, 3, CIRCLE, id, "meer woorden");
		contact_in(&w, 2, CIRCLE, id, "na het verwijderen");
		for (int round = 0; round < 2; round++)
			for (size_t i = 0; i < 3; i++)
				for (size_t to = 1; to <= 3; to++)
					if (orders[order][i] != to)
						pump(&w, orders[order][i], to);
		expect_same(&w, 1, 2, CIRCLE);
		expect_same(&w, 1, 3, CIRCLE);
		assert_string_equal(text_in(&w, 1, id), "?");
		world_end(&w);
	}
}

/* Who names an erase that it has not seen contests nothing: a forged edit. */
static void unseen(void **state)
{
	struct world w;
	struct forge f;
	struct draft d = { 0 };
	struct buf file = { 0 };
	struct edit edit;
	struct dot id;
	struct dot erasing;
	struct errctx ec = { 0 };
	struct erasure_row *list = NULL;
	size_t n = 0;

	(void)state;
	forge_world(&w);
	id = contact_in(&w, 1, CIRCLE, (struct dot){ 0 }, "woorden");
	exchange(&w, 1, 2);
	erase_in(&w, 1, id);
	assert_int_equal(store_erasures(&ec, w.app[1]->store, space_named(&w, 1, CIRCLE).n, &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	erasing = list[0].edit;
	free(list);
	seal_home(&w, 1);
	forge_start(&f, &w, 2, CIRCLE);
	edit = (struct edit){ .dot = { f.author, f.body.first_counter },
		              .clock = { (uint64_t)w.now_ms, 0 },
		              .target = id };
	draft_refs_add(&d, F_any_contests, &erasing, 1);
	assert_int_equal(draft_writes(&d, &edit.writes, &edit.write_count), ERR_OK);
	f.body.edits = &edit;
	f.body.edit_count = 1;
	forge_make(&f, &file);
	assert_int_equal(give(&w, 1, "forged-1", buf_bytes(&file)).batches, 1);
	assert_string_equal(text_in(&w, 1, id), "");
	assert_int_equal(erasure_in(&w, 1, CIRCLE, id), ERASURE_DUE);
	draft_free(&d);
	buf_free(&file);
	forge_end(&f);
	world_end(&w);
}

static void many_at_once(void **state)
{
	struct world w;
	struct dot id[ERASE_MANY + 1];
	struct errctx ec = { 0 };
	size_t records = 0;

	(void)state;
	forge_world(&w);
	for (size_t i = 0; i <= ERASE_MANY; i++)
		id[i] = contact_in(&w, 1, CIRCLE, (struct dot){ 0 }, "een van veel");
	exchange(&w, 1, 2);
	for (size_t i = 0; i <= ERASE_MANY; i++)
		erase_in(&w, 1, id[i]);
	exchange(&w, 1, 2);
	assert_string_equal(text_in(&w, 2, id[3]), "");
	assert_int_equal(erasure_in(&w, 2, CIRCLE, id[3]), ERASURE_ASKS);
	/* who erased them cannot say yes for the others */
	assert_int_equal(app_erase_confirm(&ec, w.app[1], NULL, &records), ERR_OK);
	assert_int_equal(erasure_in(&w, 1, CIRCLE, id[3]), ERASURE_ASKS);
	exchange(&w, 1, 2);
	assert_int_equal(erasure_in(&w, 2, CIRCLE, id[3]), ERASURE_ASKS);
	ec = (struct errctx){ 0 };
	assert_int_equal(app_erase_confirm(&ec, w.app[2], NULL, &records), ERR_OK);
	assert_int_equal(records, ERASE_MANY + 1);
	exchange(&w, 1, 2);
	assert_int_equal(erasure_in(&w, 1, CIRCLE, id[3]), ERASURE_DUE);
	assert_int_equal(erasure_in(&w, 2, CIRCLE, id[3]), ERASURE_DUE);
	expect_same(&w, 1, 2, CIRCLE);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contested), cmocka_unit_test(own_record),   cmocka_unit_test(any_order),
		cmocka_unit_test(unseen),    cmocka_unit_test(many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
