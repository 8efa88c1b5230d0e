// SPDX-License-Identifier: EUPL-1.2
// The model's eyes on the log of a device: each line that is new, and each batch. Where the device goes on under
// another id (S7), lines go and come again under other names: then the whole log is read, and every edit that was
// acknowledged must stand in it once, as what it was or written again.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/must.h"
#include "sim/world_inside.h"
#include "sync/keys.h"
#include "sync/snapshot.h"

// ---- Whose ids these are ----

static bool is_mine(const struct holding *h, const uint8_t *dev)
{
	for (size_t i = 0; i < h->ids; i++) {
		if (memcmp(h->id[i], dev, DEVICE_ID_LEN) == 0)
			return true;
	}
	return false;
}

static void ids_note(struct player *p, const struct space_row *spaces, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct holding *h = world_holding(p, model_space(p->w->model, spaces[i].id.b));

		h->gone = spaces[i].state == SPACE_GONE;
		memcpy(h->me, spaces[i].me.b, DEVICE_ID_LEN);
		if (is_mine(h, h->me))
			continue;
		must(h->ids < WORLD_IDS, "a device goes on too often");
		memcpy(h->id[h->ids++], h->me, DEVICE_ID_LEN);
	}
}

/* Does the log of a space begin elsewhere than at the last look? */
static bool is_cut(struct player *p, const struct space_row *spaces, size_t n)
{
	bool is = false;

	for (size_t i = 0; i < n && p->w->compacts && !is; i++) {
		size_t s = model_space(p->w->model, spaces[i].id.b);
		struct base base = { 0 };

		must(store_base(NULL, p->app->store, spaces[i].n, &base) == ERR_OK, "a base cannot be read");
		is = base.is && (world_holding(p, s)->cut == MODEL_UNCUT ||
		                 model_cut_find(p->w->model, s, base.hash) != world_holding(p, s)->cut);
		vv_free(&base.at);
	}
	return is;
}

/* Has it written anything again since the last look, or will it? Notes that for the next time. */
static bool moves(struct player *p, const struct space_row *spaces, size_t n)
{
	sqlite3_stmt *st = world_prepare(p, "SELECT 1 FROM kept WHERE name = 'again'");
	bool again = sqlite3_step(st) == SQLITE_ROW;
	bool moves = again || p->again;

	sqlite3_finalize(st);
	for (size_t i = 0; i < n && !moves; i++) {
		struct holding *h = world_holding(p, model_space(p->w->model, spaces[i].id.b));

		moves = h->ids > 0 && memcmp(h->me, spaces[i].me.b, DEVICE_ID_LEN) != 0;
	}
	p->again = again;
	p->twin = p->twin || moves;
	p->put_back = p->put_back && !again;
	return moves;
}

// ---- Lines ----

/* What the author of a new line had read: all that stood in the log, or what its form was opened with. */
static struct set read_before(struct player *p, size_t s, const struct holding *h, const uint8_t *by)
{
	bool form = p->saved_form && p->form.model_space == s;
	struct set past = form ? p->form.has : h->has;

	/* one's own earlier edits are always seen */
	for (size_t i = 0; form && i < model_count(p->w->model, s); i++) {
		uint8_t earlier[DEVICE_ID_LEN];

		if (!set_has(&h->has, i))
			continue;
		model_maker(p->w->model, s, i, earlier);
		if (memcmp(earlier, by, sizeof(earlier)) == 0)
			set_add(&past, i);
	}
	if (form)
		p->saved_form = false;
	return past;
}

static int own_take(struct player *p, size_t s, const struct holding *h, const uint8_t *by, struct bytes bytes)
{
	struct world *w = p->w;
	struct set past = read_before(p, s, h, by);
	int edit = model_add(w->model, s, bytes, &past, p->twin);

	if (edit == MODEL_OTHER)
		must_fail("device %u made two edits of one name", p->number);
	if (w->trace && edit >= 0)
		model_tell(w->model, s, (size_t)edit);
	if (edit >= 0 &&
	    (int64_t)model_clock(w->model, s, (size_t)edit) > p->latest + INT64_C(24) * 60 * 60 * 1000 + 60000)
		must_fail("the clock of device %u was dragged along (M4)", p->number);
	return edit;
}

/* One line of the log. */
static struct seen_row row_take(struct player *p, const struct space_row *space, struct bytes bytes)
{
	size_t s = model_space(p->w->model, space->id.b);
	struct holding *h = world_holding(p, s);
	uint8_t by[DEVICE_ID_LEN];
	int edit = 0;

	model_author(bytes, by);
	edit =
	    memcmp(by, space->me.b, sizeof(by)) == 0 ? own_take(p, s, h, by, bytes) : model_find(p->w->model, s, bytes);
	if (edit == MODEL_OTHER)
		must_fail("device %u holds another edit than its author made", p->number);
	if (edit < 0)
		must_fail("device %u holds an edit that nobody made", p->number);
	if (set_has(&h->has, (size_t)edit))
		must_fail("device %u holds an edit twice (S3)", p->number);
	set_add(&h->has, (size_t)edit);
	return (struct seen_row){ (uint32_t)s, (uint32_t)edit };
}

static void row_note(struct player *p, struct seen_row row)
{
	if (p->rows == p->row_cap) {
		p->row_cap = p->row_cap == 0 ? 256 : 2 * p->row_cap;
		p->row = must_realloc(p->row, p->row_cap * sizeof(*p->row));
	}
	p->row[p->rows++] = row;
}

static const struct space_row *row_space(const struct space_row *spaces, size_t n, int64_t local)
{
	size_t i = 0;

	while (i < n && spaces[i].n != local)
		i++;
	must(i < n, "an edit of a space that is not there");
	return &spaces[i];
}

static void lines_take(struct player *p, const struct space_row *spaces, size_t n)
{
	sqlite3_stmt *st = world_prepare(p, "SELECT n, space, bytes FROM edit WHERE n > ?1 ORDER BY n");
	int rc = SQLITE_OK;

	sqlite3_bind_int64(st, 1, (sqlite3_int64)p->rows);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (sqlite3_column_int64(st, 0) != (sqlite3_int64)p->rows + 1)
			must_fail("the log of device %u has a hole", p->number);
		row_note(p, row_take(p, row_space(spaces, n, sqlite3_column_int64(st, 1)), world_column(st, 2)));
	}
	if (rc != SQLITE_DONE)
		must_fail("the log of device %u cannot be read: %s", p->number,
		          sqlite3_errmsg(vault_db(p->app->vault)));
	sqlite3_finalize(st);
}

// ---- Batches ----

static struct read_to *read_of(struct player *p, int64_t device)
{
	for (size_t i = 0; i < p->reads; i++) {
		if (p->read[i].device == device)
			return &p->read[i];
	}
	must(p->reads < WORLD_READ, "a device knows too many devices");
	p->read[p->reads] = (struct read_to){ .device = device };
	return &p->read[p->reads++];
}

/* The file in which one's own batch goes out, for K1. */
static void file_note(struct player *p, const struct space_row *space, size_t s, size_t batch, uint64_t seq)
{
	struct world *w = p->w;
	struct sealed_file *f = NULL;
	char tag[TAG_TEXT_LEN];

	if (w->files == w->file_cap) {
		w->file_cap = w->file_cap == 0 ? 256 : 2 * w->file_cap;
		w->file = must_realloc(w->file, w->file_cap * sizeof(*w->file));
	}
	f = &w->file[w->files++];
	*f = (struct sealed_file){ .player = p->number, .space = s, .batch = batch };
	tag_text(space->my_tag, tag);
	snprintf(f->name, sizeof(f->name), "%s-%llu", tag, (unsigned long long)seq);
}

/* One batch: what was signed, opened with its author's key. False: it is one's own and new, and its edits come first.
 */
static bool batch_take(struct player *p, const struct space_row *space, struct device_id dev, uint64_t seq,
                       const uint8_t *sign, struct bytes signed_part, bool own)
{
	struct world *w = p->w;
	size_t s = model_space(w->model, space->id.b);
	struct holding *h = world_holding(p, s);
	const struct model_held held = { &h->has, &h->batches };
	struct batch_author author = { space->id, dev, seq };
	struct buf body = { 0 };
	uint8_t hash[HASH_LEN];
	int batch = 0;
	bool known = false;
	bool mine = false;

	must(batch_open(p->app->zip, &author, sign, signed_part, &body, hash) == ERR_OK, "a batch does not open");
	batch = model_batch_find(w->model, s, dev.b, seq, buf_bytes(&body));
	known = batch >= 0;
	if (known)
		model_batch_hash(w->model, s, (size_t)batch, hash);
	mine = device_cmp(dev, space->me) == 0 || is_mine(h, dev.b);
	if (!known && !own && mine) {
		buf_free(&body);
		return false;
	}
	if (!known && !mine)
		must_fail("device %u holds a batch that nobody made, or another than its author made: %02x%02x-%llu",
		          p->number, dev.b[0], dev.b[1], (unsigned long long)seq);
	if (!known && !p->twin && model_batch_in(w->model, s, dev.b, seq, NULL) >= 0)
		must_fail("device %u sealed two batches of one name", p->number);
	if (!known)
		batch = model_batch(w->model, s, dev.b, seq, buf_bytes(&body), &held);
	if (batch < 0)
		must_fail("device %u sealed a batch on top of what it did not hold", p->number);
	model_batch_hash(w->model, s, (size_t)batch, hash);
	set_add(&h->batches, (size_t)batch);
	if (!known && device_cmp(dev, space->me) == 0)
		file_note(p, space, s, (size_t)batch, seq);
	buf_free(&body);
	return true;
}

/* The author's batches that are new here. */
static void batches_take(struct player *p, const struct space_row *space, sqlite3_stmt *head, bool own)
{
	int64_t n = sqlite3_column_int64(head, 0);
	uint64_t seq = (uint64_t)sqlite3_column_int64(head, 2);
	struct read_to *r = read_of(p, n);
	struct device_id dev;

	memcpy(dev.b, sqlite3_column_blob(head, 3), DEVICE_ID_LEN);
	while (r->seq < seq) {
		sqlite3_stmt *st = world_prepare(p, "SELECT signed FROM batch WHERE b = ?1");

		sqlite3_bind_int64(st, 1, (sqlite3_int64)((uint64_t)n << 40 | ++r->seq));
		if (sqlite3_step(st) != SQLITE_ROW)
			must_fail("device %u misses a batch below the last one it holds", p->number);
		if (!batch_take(p, space, dev, r->seq, sqlite3_column_blob(head, 4), world_column(st, 0), own)) {
			r->seq--;
			seq = 0;
		}
		sqlite3_finalize(st);
	}
}

/* Batches build on one another: those of one's own that are new come last, for they had the others. */
static void batches_watch(struct player *p, const struct space_row *spaces, size_t n, bool own)
{
	sqlite3_stmt *st = world_prepare(p, "SELECT vector.device, vector.space, vector.seq, device.id, device.sign "
	                                    "FROM vector JOIN device ON device.n = vector.device "
	                                    "WHERE vector.seq > 0 ORDER BY vector.device");

	while (sqlite3_step(st) == SQLITE_ROW) {
		for (size_t i = 0; i < n; i++) {
			if (spaces[i].n == sqlite3_column_int64(st, 1))
				batches_take(p, &spaces[i], st, own);
		}
	}
	sqlite3_finalize(st);
}

// ---- Lines that were written again ----

/* One line of the log as it stands now. */
struct line {
	size_t hold;
	int edit; /* -1: not known yet */
	struct buf bytes;
	uint8_t by[DEVICE_ID_LEN];
};

struct log {
	struct player *p;
	struct line *line;
	size_t n;
	struct set had[WORLD_SPACES];  /* by holding: what stood there at the last look */
	struct set know[WORLD_SPACES]; /* what stands there now, as far as it is known by name */
};

static void log_read(struct log *l, const struct space_row *spaces, size_t n)
{
	struct player *p = l->p;
	sqlite3_stmt *st = world_prepare(p, "SELECT n, space, bytes FROM edit ORDER BY n");

	while (sqlite3_step(st) == SQLITE_ROW) {
		const struct space_row *space = row_space(spaces, n, sqlite3_column_int64(st, 1));
		struct line *at = NULL;

		l->line = must_realloc(l->line, (l->n + 1) * sizeof(*l->line));
		at = &l->line[l->n++];
		*at = (struct line){ .edit = -1 };
		at->hold = (size_t)(world_holding(p, model_space(p->w->model, space->id.b)) - p->hold);
		if (sqlite3_column_int64(st, 0) != (sqlite3_int64)l->n)
			must_fail("the log of device %u has a hole", p->number);
		must(buf_put(&at->bytes, world_column(st, 2).data, world_column(st, 2).len) == ERR_OK, "out of memory");
		model_author(world_column(st, 2), at->by);
	}
	sqlite3_finalize(st);
}

static void log_free(struct log *l)
{
	for (size_t i = 0; i < l->n; i++)
		buf_free(&l->line[i].bytes);
	free(l->line);
	free(l);
}

/* ---- Where it begins ---- */

static int64_t device_number(struct player *p, struct device_id dev)
{
	sqlite3_stmt *st = world_prepare(p, "SELECT n FROM device WHERE id = ?1");
	int64_t n = 0;

	sqlite3_bind_blob(st, 1, dev.b, DEVICE_ID_LEN, SQLITE_STATIC);
	must(sqlite3_step(st) == SQLITE_ROW, "a device below a cut is not known");
	n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

/* The batches of one device below the cut: numbers and hashes are left, and nothing that was signed. */
static void skeleton_take(struct player *p, size_t s, const struct vv_entry *at, struct set *batches)
{
	sqlite3_stmt *st = world_prepare(p, "SELECT hash, length(signed) FROM batch WHERE b = ?1");
	int64_t n = device_number(p, at->dev);

	for (uint64_t seq = 1; seq <= at->seq; seq++) {
		int batch = 0;

		sqlite3_reset(st);
		sqlite3_bind_int64(st, 1, (sqlite3_int64)((uint64_t)n << 40 | seq));
		if (sqlite3_step(st) != SQLITE_ROW || sqlite3_column_bytes(st, 0) != HASH_LEN)
			must_fail("device %u misses a batch below the cut", p->number);
		if (sqlite3_column_int64(st, 1) != 0)
			must_fail("device %u keeps a batch below the cut (K3)", p->number);
		batch = model_batch_hashed(p->w->model, s, sqlite3_column_blob(st, 0));
		if (batch < 0)
			must_fail("device %u was cut below a batch that nobody made", p->number);
		set_add(batches, (size_t)batch);
	}
	read_of(p, n)->seq = at->seq;
	sqlite3_finalize(st);
}

static enum err state_take(void *arg, struct dot record, struct bytes state)
{
	(void)record;
	return buf_put(arg, state.data, state.len);
}

/* What is kept of the records at the cut is what the model says of it; what counts for nothing is there empty. */
static void check_base(struct player *p, const struct space_row *space, size_t s, int cut)
{
	struct buf is = { 0 };
	struct buf should = { 0 };
	struct buf states = { 0 };

	must(store_base_each(NULL, p->app->store, space->n, state_take, &states) == ERR_OK, "a base cannot be read");
	model_cut_dump(p->w->model, s, cut, &should);
	model_states(buf_bytes(&states), &is);
	if (bytes_cmp(buf_bytes(&is), buf_bytes(&should)) != 0)
		must_fail("device %u: %s was cut at something that is not what was written (K3)", p->number,
		          space->name);
	buf_free(&is);
	buf_free(&should);
	buf_free(&states);
}

/* The cut of one space, and all that lies below it. */
static void cut_take(struct log *l, const struct space_row *space)
{
	struct player *p = l->p;
	struct world *w = p->w;
	size_t s = model_space(w->model, space->id.b);
	struct holding *h = world_holding(p, s);
	struct set batches = { 0 };
	struct base base = { 0 };
	struct buf parent = { 0 };
	int cut = MODEL_UNCUT;

	must(store_base(NULL, p->app->store, space->n, &base) == ERR_OK, "a base cannot be read");
	for (size_t i = 0; i < base.at.n; i++)
		skeleton_take(p, s, &base.at.e[i], &batches);
	if (base.is) {
		must(store_kept_get(NULL, p->app->store, space->n, KEPT_PARENT, &parent) == ERR_OK &&
		         parent.len == HASH_LEN,
		     "a cut has nothing before it");
		cut = model_cut_find(w->model, s, base.hash);
		if (cut == MODEL_UNCUT) {
			cut = model_cut(w->model, s, base.hash, model_cut_find(w->model, s, parent.data), &batches);
			w->gone += model_cut_erases(w->model, s, cut);
		}
		if (cut != h->cut) {
			world_say(w, "  device %u begins %s at cut %d", p->number, space->name, cut);
			w->cuts++;
			check_base(p, space, s, cut);
		}
		h->batches = batches;
		h->has = *model_cut_edits(w->model, s, cut);
		l->know[h - p->hold] = h->has;
	}
	h->cut = cut;
	vv_free(&base.at);
	buf_free(&parent);
}

/* What others made, and what stood there before. */
static void lines_known(struct log *l)
{
	struct player *p = l->p;

	for (size_t i = 0; i < l->n; i++) {
		struct line *line = &l->line[i];
		const struct holding *h = &p->hold[line->hold];

		line->edit = model_find(p->w->model, h->space, buf_bytes(&line->bytes));
		if (line->edit < 0 && !is_mine(h, line->by))
			must_fail("device %u holds an edit that nobody made", p->number);
		if (line->edit >= 0)
			set_add(&l->know[line->hold], (size_t)line->edit);
	}
}

/* What is called as before, and had read what is called otherwise now, was written again like the rest. */
static void lines_unknown(struct log *l)
{
	struct player *p = l->p;

	for (size_t i = 0; i < l->n; i++) {
		struct line *line = &l->line[i];
		const struct holding *h = &p->hold[line->hold];
		struct set *know = &l->know[line->hold];

		if (line->edit < 0 || memcmp(line->by, h->me, DEVICE_ID_LEN) != 0 ||
		    set_holds(know, model_past(p->w->model, h->space, (size_t)line->edit)))
			continue;
		set_drop(know, (size_t)line->edit);
		line->edit = -1;
	}
}

/* An edit of one's own that this line was: it stood there at the last look and is gone, or it stands there and does not
 * count any more. A copy may have written the same at the same moment. */
static bool was_find(const struct log *l, const struct line *line, size_t *was)
{
	const struct holding *h = &l->p->hold[line->hold];
	struct model *m = l->p->w->model;
	size_t all = model_count(m, h->space);

	for (size_t i = 0; i < 2 * all; i++) {
		uint8_t by[DEVICE_ID_LEN];
		bool gone = i < all;

		*was = i % all;
		if (set_has(&l->know[line->hold], *was) == gone || (gone && !set_has(&l->had[line->hold], *was)))
			continue;
		model_maker(m, h->space, *was, by);
		if (is_mine(h, by) && model_same(m, h->space, buf_bytes(&line->bytes), *was))
			return true;
	}
	return false;
}

/* What its author had read of all this, by the names that it has now: as much of it as a context can say, which names
 * whole batches, and what was written under this id before. */
static struct set past_now(const struct log *l, const struct line *line, size_t was)
{
	const struct holding *h = &l->p->hold[line->hold];
	struct model *m = l->p->w->model;
	const struct set *before = model_past(m, h->space, was);
	const struct set *know = &l->know[line->hold];
	struct set past = { 0 };

	for (size_t i = 0; i < model_count(m, h->space); i++) {
		if (!set_has(before, i))
			continue;
		if (set_has(know, i))
			set_add(&past, i);
		for (size_t k = 0; !set_has(know, i) && k < model_count(m, h->space); k++) {
			if (set_has(know, k) && model_origin(m, h->space, k) == model_origin(m, h->space, i))
				set_add(&past, k);
		}
	}
	model_whole_batches(m, h->space, line->by, &h->batches, &past);
	for (size_t i = 0; i < model_count(m, h->space); i++) {
		uint8_t by[DEVICE_ID_LEN];

		model_maker(m, h->space, i, by);
		if (set_has(&h->has, i) && memcmp(by, line->by, sizeof(by)) == 0)
			set_add(&past, i);
	}
	return past;
}

/* A line that is new under this id: written again, or just written. */
static void line_new(struct log *l, struct line *line)
{
	struct player *p = l->p;
	struct holding *h = &p->hold[line->hold];
	size_t was = 0;

	if (was_find(l, line, &was)) {
		struct set past = past_now(l, line, was);

		line->edit = model_again(p->w->model, h->space, buf_bytes(&line->bytes), &past, was);
		if (line->edit < 0)
			must_fail("device %u wrote edit %zu again as no edit", p->number, was);
		world_say(p->w, "    edit %zu again:", was);
		if (p->w->trace)
			model_tell(p->w->model, h->space, (size_t)line->edit);
	} else {
		line->edit = own_take(p, h->space, h, line->by, buf_bytes(&line->bytes));
		if (line->edit < 0)
			must_fail("device %u wrote what is no edit", p->number);
	}
	set_add(&l->know[line->hold], (size_t)line->edit);
}

/* Everything that stood in the log stands there still, or was written again. */
static void nothing_lost(const struct log *l, size_t hold)
{
	struct player *p = l->p;
	struct model *m = p->w->model;
	const struct holding *h = &p->hold[hold];

	for (size_t i = 0; i < model_count(m, h->space); i++) {
		bool there = set_has(&h->has, i) || !set_has(&l->had[hold], i);

		for (size_t k = 0; !there && k < model_count(m, h->space); k++)
			there = set_has(&h->has, k) && model_origin(m, h->space, k) == model_origin(m, h->space, i);
		if (there)
			continue;
		model_tell(m, h->space, i);
		must_fail("device %u lost an acknowledged edit as it went on under another id (M2)", p->number);
	}
}

/* Reads the whole log: first what is known by name, so that names can be followed; then, in order, what is new. */
static void log_follow(struct player *p, const struct space_row *spaces, size_t n)
{
	struct log *l = must_calloc(1, sizeof(*l));

	l->p = p;
	ids_note(p, spaces, n);
	for (size_t i = 0; i < p->holds; i++) {
		l->had[i] = p->hold[i].has;
		p->hold[i].has = (struct set){ 0 };
		p->hold[i].batches = (struct set){ 0 };
	}
	p->reads = 0;
	for (size_t i = 0; i < n; i++)
		cut_take(l, &spaces[i]);
	log_read(l, spaces, n);
	lines_known(l);
	lines_unknown(l);
	batches_watch(p, spaces, n, false);
	p->rows = 0;
	for (size_t i = 0; i < l->n; i++) {
		struct line *line = &l->line[i];
		struct holding *h = &p->hold[line->hold];

		if (line->edit < 0)
			line_new(l, line);
		if (set_has(&h->has, (size_t)line->edit))
			must_fail("device %u holds an edit twice (S3)", p->number);
		set_add(&h->has, (size_t)line->edit);
		row_note(p, (struct seen_row){ (uint32_t)h->space, (uint32_t)line->edit });
	}
	for (size_t i = 0; i < p->holds; i++)
		nothing_lost(l, i);
	log_free(l);
}

// ---- Own spaces that give way ----

/* What a home wrote in the own space that it began with stands in the one of its person's other devices. */
static void carried_over(struct player *p, const struct space_row *spaces, size_t n, const struct holding *old,
                         const struct set *had)
{
	struct model *m = p->w->model;
	const struct space_row *joined = NULL;

	for (size_t i = 0; i < n; i++) {
		if (spaces[i].kind == SPACE_OWN && spaces[i].state == SPACE_MEMBER)
			joined = &spaces[i];
	}
	must(joined != NULL, "an own space gave way to none");
	for (size_t i = 0; i < model_count(m, old->space); i++) {
		size_t to = model_space(m, joined->id.b);

		if (!set_has(had, i) || !model_personal(m, old->space, i) || model_erased(m, old->space, had, i))
			continue;
		if (!model_carried(m, old->space, i, to, &world_holding(p, to)->has, joined->me.b))
			must_fail("device %u lost what it had written before it became another's device (M2)",
			          p->number);
	}
}

// ---- The whole ----

void world_watch(struct player *p)
{
	size_t n = 0;
	struct space_row *spaces = world_spaces(p, &n);
	struct holding before[WORLD_SPACES];
	size_t holds = p->holds;

	memcpy(before, p->hold, sizeof(before));
	if (holds == 0)
		ids_note(p, spaces, n);
	if (moves(p, spaces, n)) {
		world_form_drop(p);
		log_follow(p, spaces, n);
	} else if (is_cut(p, spaces, n)) {
		log_follow(p, spaces, n);
	} else {
		lines_take(p, spaces, n);
		batches_watch(p, spaces, n, false);
	}
	batches_watch(p, spaces, n, true);
	ids_note(p, spaces, n);
	for (size_t i = 0; i < holds; i++) {
		if (p->hold[i].gone && !before[i].gone)
			carried_over(p, spaces, n, &p->hold[i], &before[i].has);
	}
	free(spaces);
	p->saved_form = false;
}

/* What was seen in the log before must stand there still (M2, V3); where the device went on under another id, that is
 * for world_watch() to see. */
void world_log_again(struct player *p)
{
	size_t n = 0;
	struct space_row *spaces = world_spaces(p, &n);
	bool moved = moves(p, spaces, n);
	bool cut = !moved && is_cut(p, spaces, n); /* world_watch() looks at all of it */
	sqlite3_stmt *st = NULL;
	size_t at = 0;

	free(spaces);
	if (moved) {
		p->again = true;
		return;
	}
	if (cut)
		return;
	st = world_prepare(p, "SELECT edit.n, space.id, edit.bytes FROM edit JOIN space ON space.n = edit.space "
	                      "ORDER BY edit.n");
	while (at < p->rows && sqlite3_step(st) == SQLITE_ROW) {
		size_t s = model_space(p->w->model, sqlite3_column_blob(st, 1));
		int edit = model_find(p->w->model, s, world_column(st, 2));

		if (p->row[at].space != s || edit != (int)p->row[at].edit)
			must_fail("device %u: line %zu of the log is another one than before", p->number, at + 1);
		at++;
	}
	sqlite3_finalize(st);
	if (at < p->rows)
		must_fail("device %u lost %zu of %zu acknowledged edits (M2)", p->number, p->rows - at, p->rows);
}
