// SPDX-License-Identifier: EUPL-1.2
// Goal (K3, M1, S3): what was erased is gone once a compaction is done: no page of a home that said so holds a piece of
// it, nor of a batch in which it stood; no key in such a home opens it in anything that the host ever held; and every
// device holds the same as before, goes on with the same numbers, and folds to the same bytes.
// Seen to catch: an erase that was contested taken for final after a cut; a contest between the vote and the cut;
// epochs that are never closed where nobody writes; batches below the cut that keep their text. Not seen to catch:
// pages that are not written anew (what SQLite leaves in gaps takes more rows; tests/store/test_forget.c has them for
// what is kept).
#include "app/compact.h"
#include "app/erase.h"
#include "base/codec.h"
#include "batch/zip.h"
#include "model/erasing.h"
#include "model/random.h"
#include "sync/box_keys.h"
#include "sync/closing.h"
#include "sync/compaction.h"
#include "sync/forge.h"
#include "sync/refold.h"
#include "sync/snapshot.h"
#include "sync/traces.h"

#define CIRCLE "Plein"
#define DAY (24LL * 60 * 60 * 1000)
#define HOMES 5 /* home 0 is in the neighbourhood alone */
#define FILES_MAX 8192

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

/* Did deflate leave it as it is? Then it holds keys and hashes byte by byte, which the skeleton keeps as well. */
static bool is_stored(struct scene *s, size_t i, struct bytes signed_part)
{
	struct buf cbor = { 0 };
	bool stored = false;

	assert_int_equal(batch_peek(s->w.app[i]->zip, signed_part, &cbor), ERR_OK);
	for (size_t at = 0; at + 16 <= cbor.len && !stored; at += 8)
		stored = memmem(signed_part.data, signed_part.len, cbor.data + at, 16) != NULL;
	buf_free(&cbor);
	return stored;
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
			if (!is_stored(s, i, buf_bytes(&b)))
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

/* Words that no other text shares a piece of. */
static void marker_make(struct scene *s, char out[static 120])
{
	for (size_t i = 0; i < 96; i++)
		out[i] = (char)('a' + random_below(&s->rnd, 26));
	out[96] = '\0';
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

/* ---- Random histories ---- */

/* What a home can open with what it holds. */
struct opener {
	struct scene *s;
	size_t home;
	const char *marker;
	struct space_row space;
	struct epoch_secret *secret;
	const struct kept_file *file;
	bool found;
};

static enum err box_open(void *arg, const uint8_t public[static BOX_PUBLIC_LEN],
                         const uint8_t secret[static BOX_SECRET_LEN])
{
	struct opener *o = arg;

	return boxes_unseal(buf_bytes(&o->file->file), o->space.id, public, secret, o->secret);
}

/* The key of an epoch: held, or out of any box that the host kept. */
static bool key_of_epoch(struct opener *o, struct epoch_id epoch)
{
	struct sync y = sync_of_home(&o->s->w, o->home);
	struct errctx ec = { 0 };

	if (epoch_key_load(&ec, &y, o->space.n, epoch, o->secret) == ERR_OK)
		return true;
	for (size_t k = 0; k < o->s->files; k++) {
		struct file_header h;

		o->file = &o->s->file[k];
		assert_int_equal(file_header_get(buf_bytes(&o->file->file), &h), ERR_OK);
		if (h.type == FILE_BOXES && memcmp(h.epoch.b, epoch.b, EPOCH_ID_LEN) == 0 &&
		    memcmp(h.space.b, o->space.tag.b, TAG_LEN) == 0 &&
		    box_pairs_try(&ec, &y, &o->space, box_open, o) == ERR_OK)
			return true;
	}
	return false;
}

static bool holds_text(struct bytes b, const char *marker)
{
	return b.len > 0 && memmem(b.data, b.len, marker, strlen(marker)) != NULL;
}

static bool signed_holds(struct opener *o, struct bytes signed_part)
{
	struct buf cbor = { 0 };
	bool found = batch_peek(o->s->w.app[o->home]->zip, signed_part, &cbor) == ERR_OK &&
	             holds_text(buf_bytes(&cbor), o->marker);

	buf_free(&cbor);
	return found;
}

static bool carry_holds(struct opener *o, struct bytes items)
{
	const size_t head = DEVICE_ID_LEN + TAG_LEN + 12;
	bool found = false;

	while (items.len >= head && !found) {
		size_t len = be32_get(items.data + head - 4);

		assert_true(len <= items.len - head);
		found = signed_holds(o, (struct bytes){ items.data + head, len });
		items = (struct bytes){ items.data + head + len, items.len - head - len };
	}
	return found;
}

/* Does anything that the host ever held open to the text, with any key in this home? */
static bool opens_marker(struct scene *s, size_t home, const char *marker)
{
	struct opener o = { s,    home, marker, space_named(&s->w, home, CIRCLE), secret_new(sizeof(*o.secret)),
		            NULL, false };

	assert_non_null(o.secret);
	for (size_t k = 0; k < s->files && !o.found; k++) {
		struct bytes file = buf_bytes(&s->file[k].file);
		struct file_header h;
		struct buf plain = { 0 };

		assert_int_equal(file_header_get(file, &h), ERR_OK);
		if ((h.type != FILE_BATCH && h.type != FILE_CARRY && h.type != FILE_SNAPSHOT) ||
		    memcmp(h.space.b, o.space.tag.b, TAG_LEN) != 0 || !key_of_epoch(&o, h.epoch))
			continue;
		if (h.type == FILE_BATCH && batch_unseal(file, o.secret->key, &plain) == ERR_OK) {
			o.found = signed_holds(&o, buf_bytes(&plain));
		} else if (h.type == FILE_CARRY && carry_unseal(file, o.secret->key, &plain) == ERR_OK) {
			o.found = carry_holds(&o, buf_bytes(&plain));
		} else if (h.type == FILE_SNAPSHOT && snapshot_unseal(file, o.secret->key, &plain) == ERR_OK) {
			struct buf raw = { 0 };

			assert_int_equal(
			    zip_inflate(s->w.app[home]->zip,
			                (struct bytes){ plain.data + HASH_LEN + 8, plain.len - HASH_LEN - 8 }, 1u << 24,
			                &raw),
			    ERR_OK);
			o.found = holds_text(buf_bytes(&raw), marker);
			buf_free(&raw);
		}
		buf_free(&plain);
	}
	secret_free(o.secret);
	return o.found;
}

#define RECORDS 24

struct written {
	struct dot id;
	char marker[120];
	struct traces t;
	bool erased;
};

/* Something happens to a record that this home has. */
static void touch(struct scene *s, size_t i, struct written *r, uint64_t what)
{
	struct errctx ec = { 0 };
	struct erased_view v;
	struct loaded l;
	char text[DOT_TEXT_LEN];
	bool erased = false;

	if (dot_is_none(r->id) || store_load(&ec, s->w.app[i]->store, r->id, &l) != ERR_OK)
		return;
	erased = record_is_erased(&l.record);
	store_loaded_free(&l);
	dot_text(r->id, text);
	if (what < 40 && !erased && r->t.pieces.len > 0) {
		assert_int_equal(app_erase(&ec, s->w.app[i], text, false, &v), ERR_OK);
	} else if (what < 50 && erased) {
		(void)!app_erase_contest(&ec, s->w.app[i], text, &v);
	} else if (what >= 50) {
		contact_in(&s->w, i, CIRCLE, r->id, "iets anders");
	}
}

static void one_step(struct scene *s, struct written *all, size_t *n)
{
	size_t i = 1 + (size_t)random_below(&s->rnd, s->homes - 1);
	uint64_t what = random_below(&s->rnd, 100);

	if (what < 12 && *n < RECORDS) {
		struct written *r = &all[(*n)++];

		marker_make(s, r->marker);
		r->id = contact_in(&s->w, i, CIRCLE, (struct dot){ 0 }, r->marker);
		seal_home(&s->w, i);
		traces_of(s, i, r->id, r->marker, &r->t);
	} else if (what < 32 && *n > 0) {
		touch(s, i, &all[random_below(&s->rnd, *n)], random_below(&s->rnd, 100));
	} else if (what < 38) {
		s->w.now_ms += (int64_t)random_below(&s->rnd, 9) * DAY;
	} else if (what < 42) {
		world_reopen(&s->w, i);
	} else if (what < 70) {
		take_all(s, i);
	} else {
		send_all(s, i);
	}
}

/* How a home stands, for whoever looks at a failure. */
static void tell(struct scene *s, size_t i)
{
	struct sync y = sync_of_home(&s->w, i);
	struct space_row space = space_named(&s->w, i, CIRCLE);
	struct compaction_progress p = progress(s, i);
	struct epoch_row *list = NULL;
	struct membership m;
	struct erasure *x = NULL;
	struct base base;
	struct vv upto = { 0 };
	enum compaction_wait wait;
	struct errctx ec = { 0 };
	uint64_t waiting = 0;
	uint64_t files = 0;
	uint64_t edits = 0;
	bool boxes = false;
	size_t n = 0;
	size_t xs = 0;

	assert_int_equal(store_base(&ec, y.store, space.n, &base), ERR_OK);
	assert_int_equal(store_epoch_list(&ec, y.store, space.n, &list, &n), ERR_OK);
	assert_int_equal(membership_load(&ec, &y, &space, &m), ERR_OK);
	assert_int_equal(old_boxes_any(&ec, &y, &space, &boxes), ERR_OK);
	assert_int_equal(store_waiting_of(&ec, y.store, space.n, &waiting), ERR_OK);
	assert_int_equal(store_outgoing_count(&ec, y.store, space.n, &files, &edits), ERR_OK);
	assert_int_equal(erasures_list(&ec, &y, &space, &x, &xs), ERR_OK);
	assert_int_equal(compaction_choose(&ec, &y, &space, &upto, &wait), ERR_OK);
	print_message(
	    "home %zu: round %d, done %zu, active %zu, votes %zu, old boxes %d, waiting %d, aside %zu, out %d, "
	    "wait %d; epochs",
	    i, (int)base.round, p.done, p.active, m.votes, boxes, (int)waiting, stock_of(&s->w, i).aside, (int)files,
	    wait);
	for (size_t k = 0; k < n; k++) {
		bool after = false;

		assert_int_equal(compaction_epoch_after(&ec, &y, &space, &m, list[k].id, &after), ERR_OK);
		print_message(" %02x:%d%s", list[k].id.b[0], list[k].state, after ? "" : "!");
	}
	print_message("; erases");
	for (size_t k = 0; k < xs; k++)
		print_message(" %d", x[k].state);
	print_message("; votes");
	for (size_t k = 0; k < m.votes; k++)
		print_message(" %02x-%d:%d:%02x", m.vote[k].at.author.b[0], (int)m.vote[k].at.seq, (int)m.vote[k].round,
		              m.vote[k].hash[0]);
	print_message("\n");
	vv_free(&upto);
	vv_free(&base.at);
	membership_free(&m);
	free(list);
	free(x);
}

/* Without the pieces that stand in batches without edits, which hold no words: where deflate finds nothing to shorten,
 * the ids and hashes that such a batch names come out as in the batch of the record, with the same bits. */
static struct traces words_of(struct scene *s, size_t i, const struct traces *t)
{
	struct space_row space = space_named(&s->w, i, CIRCLE);
	struct traces out = { 0 };
	struct buf wordless = { 0 };
	struct vv heads = { 0 };
	struct errctx ec = { 0 };

	assert_int_equal(store_vector(&ec, s->w.app[i]->store, space.n, &heads), ERR_OK);
	for (size_t k = 0; k < heads.n; k++) {
		for (uint64_t seq = 1; seq <= heads.e[k].seq; seq++) {
			struct buf part = { 0 };
			struct buf cbor = { 0 };
			struct body body = { 0 };

			/* what is left below the cut is no batch any more */
			if (store_batch_signed(&ec, s->w.app[i]->store, heads.e[k].dev, seq, &part) == ERR_OK &&
			    batch_peek(s->w.app[i]->zip, buf_bytes(&part), &cbor) == ERR_OK &&
			    body_parse(buf_bytes(&cbor), heads.e[k].dev, &body) == ERR_OK && body.edit_count == 0)
				assert_int_equal(buf_put(&wordless, part.data, part.len), ERR_OK);
			body_free(&body);
			buf_free(&cbor);
			buf_free(&part);
		}
	}
	for (size_t at = 0; at + TRACE_PIECE <= t->pieces.len; at += TRACE_PIECE)
		if (wordless.len == 0 || memmem(wordless.data, wordless.len, t->pieces.data + at, TRACE_PIECE) == NULL)
			traces_add(&out, t->pieces.data + at, TRACE_PIECE);
	assert_true(out.pieces.len >= t->pieces.len / 2); /* most are left, the words among them */
	vv_free(&heads);
	buf_free(&wordless);
	return out;
}

/* Of a record that is final everywhere: nothing in any file of a home that says so, and nothing that its keys open. */
static size_t expect_gone(struct scene *s, const struct written *r)
{
	struct errctx ec = { 0 };
	size_t gone = 0;

	for (size_t i = 1; i < s->homes; i++) {
		struct space_row space = space_named(&s->w, i, CIRCLE);
		struct erasure_row *list = NULL;
		struct traces t;
		bool final = false;
		size_t n = 0;

		assert_int_equal(store_erasures(&ec, s->w.app[i]->store, space.n, &list, &n), ERR_OK);
		for (size_t k = 0; k < n; k++)
			final = final || (list[k].final && dot_cmp(list[k].record, r->id) == 0);
		free(list);
		if (!final)
			continue;
		gone++;
		t = words_of(s, i, &r->t);
		assert_int_equal(traces_left(&s->w, i, &t), 0);
		buf_free(&t.pieces);
		assert_false(opens_marker(s, i, r->marker));
	}
	return gone;
}

static void history(uint64_t seed, size_t *gone)
{
	struct scene s;
	struct written *all = calloc(RECORDS, sizeof(*all));
	size_t n = 0;
	struct compaction_progress p;

	assert_non_null(all);
	scene_begin(&s, seed, 5);
	for (int k = 0; k < 160; k++)
		one_step(&s, all, &n);
	for (int k = 0; k < 3; k++) {
		settle(&s, 3);
		s.w.now_ms += 15 * DAY;
	}
	settle(&s, 6);
	p = progress(&s, 1);
	print_message("seed %d: %zu records, %zu files, done on %zu\n", (int)seed, n, s.files, p.done);
	for (size_t i = 1; i < s.homes && p.active > 0; i++)
		tell(&s, i);
	assert_int_equal(p.active, 0);
	for (size_t i = 1; i < s.homes; i++) {
		expect_same(&s.w, 1, i, CIRCLE);
		expect_whole(&s, i);
	}
	for (size_t k = 0; k < n; k++) {
		size_t homes = expect_gone(&s, &all[k]);

		assert_true(homes == 0 || homes == s.homes - 1);
		*gone += homes > 0;
		buf_free(&all[k].t.pieces);
	}
	free(all);
	scene_end(&s);
}

static void random_histories(void **state)
{
	const char *only = getenv("SLB_SEED");
	uint64_t seeds = only != NULL ? strtoull(only, NULL, 10) : 3 * random_soak();
	size_t gone = 0;

	(void)state;
	for (uint64_t seed = only != NULL ? seeds : 1; seed <= seeds; seed++)
		history(seed, &gone);
	print_message("%zu records gone for good\n", gone);
	assert_true(only != NULL || gone >= seeds);
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

/* Branches at the host. */
static int branches(struct world *w)
{
	char command[400];
	char out[32] = "";
	FILE *p = NULL;

	snprintf(command, sizeof(command), "git --git-dir='%s' for-each-ref refs/heads/ | grep -vc /join/", w->remote);
	p = popen(command, "r");
	assert_non_null(p);
	assert_non_null(fgets(out, sizeof(out), p));
	pclose(p);
	return atoi(out);
}

/* Branches of closed epochs go when 30 days have passed; nobody brings them back, and nobody is told of a loss. */
static void old_branches_go(void **state)
{
	struct world w;
	struct dot id;
	int before = 0;

	(void)state;
	compacted_world(&w, &id);
	sync_round(&w, 1, 2, 1);
	before = branches(&w);
	w.now_ms += 29 * DAY;
	sync_round(&w, 1, 2, 2);
	assert_int_equal(branches(&w), before);
	w.now_ms += 2 * DAY;
	sync_round(&w, 1, 2, 2);
	assert_true(branches(&w) <= before - 2);
	before = branches(&w);
	for (int k = 0; k < 3; k++)
		for (size_t i = 1; i <= 2; i++) {
			struct sync_view v = world_sync(&w, i);

			assert_int_equal(v.healed, 0);
			assert_string_equal(v.notice, "");
		}
	assert_int_equal(branches(&w), before);
	expect_same(&w, 1, 2, CIRCLE);
	assert_int_equal(world_home(&w, "Drie"), 3);
	world_invite(&w, 1, 3, CIRCLE, NULL);
	expect_same(&w, 1, 3, CIRCLE);
	world_end(&w);
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

/* Home 2 is away for a year with 50 unsent edits; 1 and 3 erase and compact twice meanwhile. */
static void away_for_a_year(void **state)
{
	struct world w;
	struct scene s = { .homes = 4 };
	struct errctx ec = { 0 };
	struct dot gone[2];
	struct dot mine[49];
	struct loaded l;

	(void)state;
	world_begin(&w);
	world_home(&w, "Nul");
	world_home(&w, "Een");
	world_home(&w, "Twee");
	world_home(&w, "Drie");
	assert_int_equal(app_found_neighbourhood(&ec, w.app[0], "West", w.remote), ERR_OK);
	world_invite(&w, 0, 1, "West", NULL);
	assert_int_equal(app_found_circle(&ec, w.app[1], CIRCLE), ERR_OK);
	world_sync(&w, 1);
	world_invite(&w, 1, 2, CIRCLE, NULL);
	world_invite(&w, 1, 3, CIRCLE, NULL);
	gone[0] = contact_in(&w, 1, CIRCLE, (struct dot){ 0 }, "dit moet later weg");
	gone[1] = contact_in(&w, 3, CIRCLE, (struct dot){ 0 }, "en dit ook");
	sync_round(&w, 1, 3, 3);
	/* offline: 49 new ones, and one about what the others erase */
	for (size_t i = 0; i < 49; i++)
		mine[i] = contact_in(&w, 2, CIRCLE, (struct dot){ 0 }, "geschreven zonder net");
	contact_in(&w, 2, CIRCLE, gone[0], "nog iets over wat weg is");
	w.now_ms += 100 * DAY; /* home 2 rests */
	contact_in(&w, 1, CIRCLE, (struct dot){ 0 }, "een gewone dag");
	erase_in(&w, 1, gone[0]);
	for (int k = 0; k < 8; k++) {
		world_sync(&w, 1);
		world_sync(&w, 3);
	}
	erase_in(&w, 3, gone[1]);
	for (int k = 0; k < 8; k++) {
		world_sync(&w, 1);
		world_sync(&w, 3);
	}
	s.w = w;
	assert_int_equal(progress(&s, 1).done, 2);
	assert_int_equal(progress(&s, 1).resting, 1);
	w.now_ms += 265 * DAY;
	for (int k = 0; k < 4; k++) {
		world_sync(&w, 2);
		world_sync(&w, 1);
		world_sync(&w, 3);
	}
	s.w = w;
	for (size_t i = 1; i <= 3; i++)
		tell(&s, i);
	for (size_t i = 1; i <= 3; i++) {
		struct dots all = { 0 };
		size_t n = 0;

		assert_int_equal(store_contacts(&ec, w.app[i]->store, space_named(&w, i, CIRCLE).n, 0, false, &all),
		                 ERR_OK);
		for (size_t k = 0; k < all.n; k++) {
			struct bytes text = { 0 };

			assert_int_equal(store_load(&ec, w.app[i]->store, all.d[k], &l), ERR_OK);
			n += record_text(&l.record, F_contact_text, &text) && text.len == 21 &&
			     memcmp(text.data, "geschreven zonder net", 21) == 0;
			store_loaded_free(&l);
		}
		dots_free(&all);
		assert_int_equal(n, 49);
		for (size_t k = 0; k < 2; k++) {
			assert_int_equal(store_load(&ec, w.app[i]->store, gone[k], &l), ERR_OK);
			assert_true(record_is_erased(&l.record));
			store_loaded_free(&l);
		}
		expect_same(&w, 1, i, CIRCLE);
		expect_whole(&s, i);
	}
	(void)mine;
	world_end(&w);
}

/* The vector of docs/FORMAT.md: a snapshot of one device, one batch and one record without fields. */
static void vector(void **state)
{
	struct buf b = { 0 };
	struct snapshot_parts p;
	uint8_t bytes[HASH_LEN] = { 0 };
	uint8_t hash[HASH_LEN];
	char hex[2 * HASH_LEN + 1];
	struct record r;
	struct buf one = { 0 };

	(void)state;
	record_init(&r, (struct dot){ { { 1, 2, 3, 4, 5, 6, 7, 8 } }, 1 });
	r.kind = KIND_contact;
	assert_int_equal(record_put(&r, &one), ERR_OK);
	assert_int_equal(wire_put_array(&b, 6), ERR_OK);
	assert_int_equal(wire_put_uint(&b, 1), ERR_OK);
	assert_int_equal(wire_put_bytes(&b, bytes, SPACE_ID_LEN), ERR_OK);
	assert_int_equal(wire_put_uint(&b, 3), ERR_OK);
	assert_int_equal(wire_put_bytes(&b, bytes, HASH_LEN), ERR_OK);
	assert_int_equal(wire_put_array(&b, 1), ERR_OK);
	assert_int_equal(wire_put_array(&b, 4), ERR_OK);
	assert_int_equal(wire_put_bytes(&b, r.id.dev.b, DEVICE_ID_LEN), ERR_OK);
	assert_int_equal(wire_put_array(&b, 1), ERR_OK);
	assert_int_equal(wire_put_array(&b, 2), ERR_OK);
	assert_int_equal(wire_put_uint(&b, 1), ERR_OK);
	assert_int_equal(wire_put_bytes(&b, bytes, HASH_LEN), ERR_OK);
	assert_int_equal(wire_put_array(&b, 0), ERR_OK);
	assert_int_equal(wire_put_array(&b, 0), ERR_OK);
	assert_int_equal(wire_put_array(&b, 1), ERR_OK);
	assert_int_equal(wire_put_bytes(&b, one.data, one.len), ERR_OK);
	assert_int_equal(snapshot_parse(buf_bytes(&b), &p), ERR_OK);
	assert_int_equal(p.round, 3);
	assert_int_equal(p.devices, 1);
	assert_int_equal(p.items, 1);
	snapshot_parts_free(&p);
	hash_bytes("slb snapshot", buf_bytes(&b), hash);
	hex_put(hash, HASH_LEN, hex);
	assert_string_equal(hex, "29707361f2ce7401effc800f22c2fa7c196a8978f30113c76f0b29de9bb2a123");
	buf_free(&b);
	buf_free(&one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vector),       cmocka_unit_test(gone_everywhere), cmocka_unit_test(random_histories),
		cmocka_unit_test(joined_after), cmocka_unit_test(old_branches_go), cmocka_unit_test(away_for_a_year),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
