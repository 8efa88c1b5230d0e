// SPDX-License-Identifier: EUPL-1.2
// Goal (K3, M1, S3): what was erased is gone once a compaction is done: no page of a home that said so holds a piece of
// it, nor of a batch in which it stood; no key in such a home opens it in anything that the host ever held; and every
// device holds the same as before, goes on with the same numbers, and folds to the same bytes.
#include "app/compact.h"
#include "app/erase.h"
#include "model/erasing.h"
#include "model/random.h"
#include "sync/box_keys.h"
#include "sync/closing.h"
#include "sync/compaction.h"
#include "sync/forge.h"
#include "sync/refold.h"
#include "sync/traces.h"

#define CIRCLE "Plein"
#define DAY (24LL * 60 * 60 * 1000)
#define HOMES 5 /* home 0 is in the neighbourhood alone */
#define FILES_MAX 8192
#define MARK "geheim-van-de-bewoner-die-weg-wilde-%08x-%08x-%08x"

struct kept_file {
	char ref[REF_MAX + 1];
	char name[FILE_NAME_MAX + 1];
	struct buf file;
};

struct scene {
	struct world w;
	struct random rnd;
	struct kept_file *file;
	size_t files;
	size_t given[HOMES];
	size_t homes;
};

static void scene_begin(struct scene *s, uint64_t seed, size_t homes)
{
	*s = (struct scene){ .rnd = { seed }, .file = calloc(FILES_MAX, sizeof(struct kept_file)), .homes = homes };
	assert_non_null(s->file);
	forge_world(&s->w);
	if (homes > 3)
		invite_third(&s->w, 1);
	if (homes > 4) {
		assert_int_equal(world_home(&s->w, "Vier"), 4);
		invite_by_hand(&s->w, 1, 4, CIRCLE);
	}
}

static void scene_end(struct scene *s)
{
	for (size_t k = 0; k < s->files; k++)
		buf_free(&s->file[k].file);
	free(s->file);
	world_end(&s->w);
}

/* What is ready goes to the host, which keeps every file for ever. */
static void send_all(struct scene *s, size_t i)
{
	struct sync y = sync_of_home(&s->w, i);
	struct space_row space = space_named(&s->w, i, CIRCLE);
	struct file_row *list = NULL;
	struct errctx ec = { 0 };
	size_t n = 0;

	assert_int_equal(store_begin(&ec, y.store), ERR_OK);
	assert_int_equal(compact_before_seal(&ec, &y, &space), ERR_OK);
	assert_int_equal(epochs_tend(&ec, &y, &space, &n), ERR_OK);
	assert_int_equal(outbox_seal(&ec, &y, &space), ERR_OK);
	assert_int_equal(store_commit(&ec, y.store), ERR_OK);
	assert_int_equal(store_forget(&ec, y.store), ERR_OK);
	assert_int_equal(store_outgoing_list(&ec, y.store, &list, &n), ERR_OK);
	assert_int_equal(store_begin(&ec, y.store), ERR_OK);
	for (size_t k = 0; k < n; k++) {
		struct kept_file *f = &s->file[s->files++];

		assert_true(s->files < FILES_MAX);
		snprintf(f->ref, sizeof(f->ref), "%s", list[k].ref);
		snprintf(f->name, sizeof(f->name), "%s", list[k].name);
		assert_int_equal(buf_put(&f->file, list[k].file.data, list[k].file.len), ERR_OK);
		assert_int_equal(store_outgoing_sent(&ec, y.store, f->ref, f->name), ERR_OK);
	}
	assert_int_equal(store_commit(&ec, y.store), ERR_OK);
	store_files_free(list, n);
}

static void take_all(struct scene *s, size_t i)
{
	struct sync y = sync_of_home(&s->w, i);
	struct space_row space = space_named(&s->w, i, CIRCLE);
	struct received r = { 0 };
	struct errctx ec = { 0 };

	for (; s->given[i] < s->files; s->given[i]++) {
		struct kept_file *f = &s->file[s->given[i]];

		assert_int_equal(inbox_file(&ec, &y, f->ref, f->name, buf_bytes(&f->file), &r), ERR_OK);
	}
	assert_int_equal(inbox_retry(&ec, &y, &r), ERR_OK);
	assert_int_equal(compact_step(&ec, s->w.app[i], space.neighbourhood, true), ERR_OK);
}

/* Everybody, again and again, until nothing new comes. */
static void settle(struct scene *s, int rounds)
{
	for (int round = 0; round < rounds; round++)
		for (size_t i = 1; i < s->homes; i++) {
			send_all(s, i);
			take_all(s, i);
			send_all(s, i);
		}
}

static struct compaction_progress progress(struct scene *s, size_t i)
{
	struct sync y = sync_of_home(&s->w, i);
	struct space_row space = space_named(&s->w, i, CIRCLE);
	struct compaction_progress p;
	struct errctx ec = { 0 };

	assert_int_equal(compaction_progress(&ec, &y, &space, &p), ERR_OK);
	return p;
}

static void erase_in(struct world *w, size_t i, struct dot id)
{
	struct errctx ec = { 0 };
	struct erased_view v;
	char text[DOT_TEXT_LEN];

	dot_text(id, text);
	assert_int_equal(app_erase(&ec, w->app[i], text, false, &v), ERR_OK);
}

/* Bytes of the batch in which a record was written, as home `i` keeps them. */
static void traces_of(struct scene *s, size_t i, struct dot id, const char *marker, struct traces *t)
{
	struct record_log log = { 0 };
	struct errctx ec = { 0 };

	traces_add(t, marker, strlen(marker));
	assert_int_equal(store_log_of(&ec, s->w.app[i]->store, id, &log), ERR_OK);
	for (size_t k = 0; k < log.n; k++) {
		struct buf b = { 0 };

		if (log.item[k].seq > 0 && !edit_erases(&log.item[k].edit)) {
			assert_int_equal(
			    store_batch_signed(&ec, s->w.app[i]->store, log.item[k].edit.dot.dev, log.item[k].seq, &b),
			    ERR_OK);
			traces_add(t, b.data + SIGN_LEN, b.len - SIGN_LEN);
		}
		buf_free(&b);
	}
	store_log_free(&log);
}

/* Everything folds again to what is there. */
static void expect_whole(struct scene *s, size_t i)
{
	struct sync y = sync_of_home(&s->w, i);
	struct space_row space = space_named(&s->w, i, CIRCLE);
	struct refold *f = NULL;
	struct refolded out;
	struct errctx ec = { 0 };
	uint64_t edits = 0;
	uint64_t bad = 0;

	assert_int_equal(refold_open(&ec, &y, &space, &f), ERR_OK);
	assert_int_equal(refold_space(&ec, f, false, &out), ERR_OK);
	assert_int_equal(out.differing, 0);
	assert_int_equal(out.damaged, 0);
	refold_close(f);
	assert_int_equal(store_verify(&ec, y.store, &edits, &bad), ERR_OK);
	assert_int_equal(bad, 0);
}

static void marker_make(struct scene *s, char out[static 120])
{
	snprintf(out, 120, MARK, (unsigned)random_below(&s->rnd, UINT32_MAX),
	         (unsigned)random_below(&s->rnd, UINT32_MAX), (unsigned)random_below(&s->rnd, UINT32_MAX));
}

static void gone_everywhere(void **state)
{
	struct scene s;
	struct traces t = { 0 };
	struct buf before = { 0 };
	struct buf after = { 0 };
	char marker[120];
	struct dot id;

	(void)state;
	scene_begin(&s, 1, 4);
	marker_make(&s, marker);
	contact_in(&s.w, 1, CIRCLE, (struct dot){ 0 }, "wat blijft");
	id = contact_in(&s.w, 1, CIRCLE, (struct dot){ 0 }, marker);
	settle(&s, 2);
	contact_in(&s.w, 2, CIRCLE, id, "een andere tekst");
	settle(&s, 2);
	traces_of(&s, 1, id, marker, &t);
	for (size_t i = 1; i < s.homes; i++)
		assert_true(traces_left(&s.w, i, &t) > 0);
	erase_in(&s.w, 1, id);
	settle(&s, 6);
	/* numbers run on, and what is written now goes the usual way */
	contact_in(&s.w, 3, CIRCLE, (struct dot){ 0 }, "daarna");
	contact_in(&s.w, 3, CIRCLE, id, "aan wat er niet meer is");
	settle(&s, 2);
	after = world_dump(&s.w, 2, CIRCLE);
	assert_true(after.len > before.len);
	for (size_t i = 1; i < s.homes; i++) {
		expect_same(&s.w, 1, i, CIRCLE);
		expect_whole(&s, i);
	}
	buf_free(&before);
	buf_free(&after);
	buf_free(&t.pieces);
	scene_end(&s);
}

/* ---- Over a real host ---- */

static void sync_round(struct world *w, size_t from, size_t to, int rounds)
{
	for (int k = 0; k < rounds; k++)
		for (size_t i = from; i <= to; i++)
			world_sync(w, i);
}

/* Found, joined, written, erased, compacted: with the courier and a repository. */
static void compacted_world(struct world *w, struct dot *id)
{
	struct errctx ec = { 0 };

	world_begin(w);
	world_home(w, "Nul");
	world_home(w, "Een");
	world_home(w, "Twee");
	assert_int_equal(app_found_neighbourhood(&ec, w->app[0], "West", w->remote), ERR_OK);
	world_invite(w, 0, 1, "West", NULL);
	assert_int_equal(app_found_circle(&ec, w->app[1], CIRCLE), ERR_OK);
	world_sync(w, 1);
	world_invite(w, 1, 2, CIRCLE, NULL);
	contact_in(w, 1, CIRCLE, (struct dot){ 0 }, "dit blijft staan");
	*id = contact_in(w, 2, CIRCLE, (struct dot){ 0 }, "dit moet weg");
	sync_round(w, 1, 2, 2);
	erase_in(w, 2, *id);
	sync_round(w, 1, 2, 6);
}

static void joined_after(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct loaded l;
	struct dot id;
	struct scene s = { .homes = 4 };

	(void)state;
	compacted_world(&w, &id);
	s.w = w;
	assert_int_equal(progress(&s, 1).done, 2);
	assert_int_equal(progress(&s, 2).done, 2);
	expect_same(&w, 1, 2, CIRCLE);
	assert_int_equal(world_home(&w, "Drie"), 3);
	world_invite(&w, 1, 3, CIRCLE, NULL);
	sync_round(&w, 1, 3, 2);
	expect_same(&w, 1, 3, CIRCLE);
	assert_int_equal(store_load(&ec, w.app[3]->store, id, &l), ERR_OK);
	assert_true(record_is_erased(&l.record));
	store_loaded_free(&l);
	/* it takes part, and the next compaction has it among those that agree */
	id = contact_in(&w, 3, CIRCLE, (struct dot){ 0 }, "van de nieuwe");
	sync_round(&w, 1, 3, 2);
	expect_same(&w, 2, 3, CIRCLE);
	erase_in(&w, 3, id);
	sync_round(&w, 1, 3, 8);
	s.w = w;
	for (size_t i = 1; i <= 3; i++) {
		assert_int_equal(progress(&s, i).done, 3);
		expect_whole(&s, i);
		expect_same(&w, 1, i, CIRCLE);
	}
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gone_everywhere),
		cmocka_unit_test(joined_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
