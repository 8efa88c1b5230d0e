// SPDX-License-Identifier: EUPL-1.2
// Devices of a simulated world: opening, dying and coming back, and the eyes of the model on their logs.
#include "sim/world.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "sim/act.h"
#include "sim/must.h"
#include "sync/epochs.h"
#include "sync/keys.h"
#include "vault/vault.h"

#define START_MS INT64_C(1760000000000)

static struct random sodium_chance;

// ---- Chance and time ----

static uint32_t sodium_next(void)
{
	return (uint32_t)random_next(&sodium_chance);
}

static void fill(struct random *from, void *out, size_t len)
{
	uint8_t *p = out;

	while (len > 0) {
		uint64_t v = random_next(from);
		size_t n = len < sizeof(v) ? len : sizeof(v);

		memcpy(p, &v, n);
		p += n;
		len -= n;
	}
}

static void sodium_fill(void *out, size_t len)
{
	fill(&sodium_chance, out, len);
}

static const char *sodium_name(void)
{
	return "sim";
}

static void player_fill(void *self, void *out, size_t len)
{
	fill(self, out, len);
}

static int64_t player_now(void *self)
{
	struct player *p = self;
	int64_t now = p->w->now_ms + p->skew;

	if (now > p->latest)
		p->latest = now;
	return now;
}

static void master_key(uint8_t out[static 32])
{
	memset(out, 7, 32);
}

/* A vault with its tables and nothing in it: what every new home here starts from. */
static void template_make(void)
{
	static struct random chance = { 99 };
	static const struct rng rng = { player_fill, &chance };
	struct errctx ec = { 0 };
	struct vault *vault = NULL;
	struct store *store = NULL;
	uint8_t master[32];

	master_key(master);
	disk_new(0);
	must(vault_open(&ec, "/sim/0", master, VAULT_CREATE, &rng, &vault) == ERR_OK, "the template cannot be made");
	must(store_open(&ec, vault, &store) == ERR_OK, "the template cannot be made");
	store_close(store);
	vault_close(vault);
}

void world_start(void)
{
	static struct randombytes_implementation chance = { .implementation_name = sodium_name,
		                                            .random = sodium_next,
		                                            .buf = sodium_fill };

	must(randombytes_set_implementation(&chance) == 0, "libsodium does not take our chance");
	must(app_start() == ERR_OK, "the program does not start");
	disks_start();
	template_make();
}

void world_reseed(uint64_t seed)
{
	sodium_chance.state = seed ^ UINT64_C(0x50d1);
}

void world_say(const struct world *w, const char *format, ...)
{
	va_list args;

	if (!w->trace)
		return;
	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

// ---- A world ----

struct world *world_new(uint64_t seed, bool trace)
{
	struct world *w = must_calloc(1, sizeof(*w));

	must_seed = seed;
	world_reseed(seed);
	w->seed = seed;
	w->trace = trace;
	w->rnd.state = seed;
	w->now_ms = START_MS;
	w->hosts = hosts_new(&w->rnd);
	w->model = model_new();
	hosts_trace(w->hosts, trace);
	return w;
}

void world_free(struct world *w)
{
	for (size_t i = 0; i < w->players; i++) {
		struct player *p = &w->player[i];

		rogue_free(p->rogue);
		app_close(p->app);
		world_form_drop(p);
		disk_free(p->disk);
		free(p->row);
	}
	hosts_free(w->hosts);
	model_free(w->model);
	for (size_t i = 0; i < w->gifts; i++)
		buf_free(&w->gift[i].file);
	free(w->gift);
	free(w->file);
	free(w);
}

static enum err open_home(struct player *p, bool create, struct errctx *ec)
{
	struct app_options o = { .home = p->home, .courier = p->courier, .clock = &p->clock, .rng = &p->rng };
	uint8_t master[32];

	master_key(master);
	return app_open_with_key(ec, &o, master, create, create ? p->nick : NULL, &p->app);
}

enum err world_open(struct player *p, struct errctx *ec)
{
	return open_home(p, false, ec);
}

static void open_or_fail(struct player *p, bool create)
{
	struct errctx ec = { 0 };
	char text[512];
	enum err e = open_home(p, create, &ec);

	if (e != ERR_OK)
		must_fail("device %u does not open (%d): %s", p->number, (int)e,
		          ec.code == ERR_OK ? "" : err_text(&ec, NULL, text, sizeof(text)));
}

size_t world_join(struct world *w)
{
	struct player *p = &w->player[w->players];

	must(w->players < WORLD_DEVICES, "too many devices");
	*p = (struct player){ .w = w, .number = (unsigned)w->players };
	p->disk = disk_new(1 + p->number);
	p->chance.state = random_next(&w->rnd);
	p->clock = (struct clock){ player_now, p };
	p->rng = (struct rng){ player_fill, &p->chance };
	snprintf(p->home, sizeof(p->home), "/sim/%u", 1 + p->number);
	snprintf(p->courier, sizeof(p->courier), "sim:%u", p->number);
	snprintf(p->nick, sizeof(p->nick), "P%u", p->number);
	hosts_device(w->hosts, p->number, p->disk);
	open_or_fail(p, true);
	world_watch(p);
	return w->players++;
}

size_t world_clone(struct player *p)
{
	struct world *w = p->w;
	struct player *copy = &w->player[w->players];

	must(w->players < WORLD_DEVICES, "too many devices");
	app_close(p->app);
	p->app = NULL;
	*copy = (struct player){ .w = w, .number = (unsigned)w->players, .skew = p->skew, .latest = p->latest };
	copy->disk = disk_new(1 + copy->number);
	copy->chance.state = random_next(&w->rnd);
	copy->clock = (struct clock){ player_now, copy };
	copy->rng = (struct rng){ player_fill, &copy->chance };
	snprintf(copy->home, sizeof(copy->home), "/sim/%u", 1 + copy->number);
	snprintf(copy->courier, sizeof(copy->courier), "sim:%u", copy->number);
	snprintf(copy->nick, sizeof(copy->nick), "%s", p->nick);
	hosts_device(w->hosts, copy->number, copy->disk);
	disk_copy(copy->disk, p->disk);
	host_cache_copy(w->hosts, p->number, copy->number);
	memcpy(copy->hold, p->hold, sizeof(p->hold));
	copy->holds = p->holds;
	memcpy(copy->read, p->read, sizeof(p->read));
	copy->reads = p->reads;
	copy->row = must_calloc(p->row_cap + 1, sizeof(*copy->row));
	memcpy(copy->row, p->row, p->rows * sizeof(*p->row));
	copy->rows = p->rows;
	copy->row_cap = p->row_cap;
	open_or_fail(p, false);
	open_or_fail(copy, false);
	return w->players++;
}

void world_reopen(struct player *p)
{
	app_close(p->app);
	p->app = NULL;
	open_or_fail(p, false);
	world_watch(p);
}

// ---- The log ----

static struct holding *holding_of(struct player *p, size_t space)
{
	for (size_t i = 0; i < p->holds; i++) {
		if (p->hold[i].space == space)
			return &p->hold[i];
	}
	must(p->holds < WORLD_SPACES, "a device is in too many spaces");
	p->hold[p->holds] = (struct holding){ .space = space };
	return &p->hold[p->holds++];
}

struct space_row *world_spaces(struct player *p, size_t *n)
{
	struct space_row *list = NULL;

	must(store_space_list(NULL, p->app->store, &list, n) == ERR_OK, "the spaces of a device cannot be read");
	return list;
}

bool world_space(struct player *p, const char *name, struct space_row *out)
{
	size_t n = 0;
	struct space_row *list = world_spaces(p, &n);
	bool found = false;

	for (size_t i = 0; i < n && !found; i++) {
		found = strcmp(list[i].name, name) == 0 && list[i].state == SPACE_MEMBER;
		if (found)
			*out = list[i];
	}
	free(list);
	return found;
}

/* One line of the log. */
static struct seen_row row_take(struct player *p, const struct space_row *space, struct bytes bytes)
{
	struct world *w = p->w;
	size_t s = model_space(w->model, space->id.b);
	struct holding *h = holding_of(p, s);
	uint8_t by[DEVICE_ID_LEN];
	int edit = 0;

	model_author(bytes, by);
	if (memcmp(by, space->me.b, sizeof(by)) == 0) {
		bool form = p->saved_form && p->form.model_space == s;
		struct set past = form ? p->form.has : h->has;

		/* one's own earlier edits are always seen */
		for (size_t i = 0; form && i < p->rows; i++) {
			uint8_t earlier[DEVICE_ID_LEN];

			if (p->row[i].space != s)
				continue;
			model_maker(w->model, s, p->row[i].edit, earlier);
			if (memcmp(earlier, by, sizeof(by)) == 0)
				set_add(&past, p->row[i].edit);
		}
		edit = model_add(w->model, s, bytes, &past);
		if (edit == MODEL_OTHER)
			must_fail("device %u made two edits of one name", p->number);
		if (form)
			p->saved_form = false;
		if (w->trace && edit >= 0)
			model_tell(w->model, s, (size_t)edit);
		if (edit >= 0 &&
		    (int64_t)model_clock(w->model, s, (size_t)edit) > p->latest + INT64_C(24) * 60 * 60 * 1000 + 60000)
			must_fail("the clock of device %u was dragged along (M4)", p->number);
	} else {
		edit = model_find(w->model, s, bytes);
		if (edit == MODEL_OTHER)
			must_fail("device %u holds another edit than its author made", p->number);
	}
	if (edit < 0)
		must_fail("device %u holds an edit that nobody made", p->number);
	if (set_has(&h->has, (size_t)edit))
		must_fail("device %u holds an edit twice (S3)", p->number);
	set_add(&h->has, (size_t)edit);
	return (struct seen_row){ (uint32_t)s, (uint32_t)edit };
}

static sqlite3_stmt *prepare(struct player *p, const char *sql)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(vault_db(p->app->vault), sql, -1, &st, NULL) != SQLITE_OK)
		must_fail("device %u: %s", p->number, sqlite3_errmsg(vault_db(p->app->vault)));
	return st;
}

static struct bytes column(sqlite3_stmt *st, int i)
{
	return (struct bytes){ sqlite3_column_blob(st, i), (size_t)sqlite3_column_bytes(st, i) };
}

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

/* One batch: what was signed, opened with its author's key. */
static void batch_take(struct player *p, const struct space_row *space, struct device_id dev, uint64_t seq,
                       const uint8_t *sign, struct bytes signed_part)
{
	struct world *w = p->w;
	size_t s = model_space(w->model, space->id.b);
	struct batch_author author = { space->id, dev, seq };
	struct buf body = { 0 };
	uint8_t hash[HASH_LEN];
	int known = model_batch_find(w->model, s, dev.b, seq);
	int batch = 0;

	must(batch_open(p->app->zip, &author, sign, signed_part, &body, hash) == ERR_OK, "a batch does not open");
	if (known < 0 && device_cmp(dev, space->me) != 0)
		must_fail("device %u holds a batch that nobody made", p->number);
	batch = model_batch(w->model, s, dev.b, seq, buf_bytes(&body));
	if (batch == MODEL_OTHER)
		must_fail("device %u holds another batch than its author made", p->number);
	if (batch < 0)
		must_fail("device %u sealed a batch on top of what it did not hold", p->number);
	set_add(&holding_of(p, s)->batches, (size_t)batch);
	if (known < 0)
		file_note(p, space, s, (size_t)batch, seq);
	buf_free(&body);
}

/* The author's batches that are new here. */
static void batches_take(struct player *p, const struct space_row *space, sqlite3_stmt *head)
{
	int64_t n = sqlite3_column_int64(head, 0);
	uint64_t seq = (uint64_t)sqlite3_column_int64(head, 2);
	struct read_to *r = read_of(p, n);
	struct device_id dev;

	memcpy(dev.b, sqlite3_column_blob(head, 3), DEVICE_ID_LEN);
	while (r->seq < seq) {
		sqlite3_stmt *st = prepare(p, "SELECT signed FROM batch WHERE b = ?1");

		sqlite3_bind_int64(st, 1, (sqlite3_int64)((uint64_t)n << 40 | ++r->seq));
		if (sqlite3_step(st) != SQLITE_ROW)
			must_fail("device %u misses a batch below the last one it holds", p->number);
		batch_take(p, space, dev, r->seq, sqlite3_column_blob(head, 4), column(st, 0));
		sqlite3_finalize(st);
	}
}

/* Batches build on one another: those whose author's own device is this one come last, for they had the others. */
static void batches_watch(struct player *p, const struct space_row *spaces, size_t n)
{
	for (int own = 0; own < 2; own++) {
		sqlite3_stmt *st = prepare(p, "SELECT vector.device, vector.space, vector.seq, device.id, device.sign "
		                              "FROM vector JOIN device ON device.n = vector.device "
		                              "WHERE vector.seq > 0 ORDER BY vector.device");

		while (sqlite3_step(st) == SQLITE_ROW) {
			for (size_t i = 0; i < n; i++) {
				bool me = memcmp(sqlite3_column_blob(st, 3), spaces[i].me.b, DEVICE_ID_LEN) == 0;

				if (spaces[i].n == sqlite3_column_int64(st, 1) && me == (own == 1))
					batches_take(p, &spaces[i], st);
			}
		}
		sqlite3_finalize(st);
	}
}

void world_watch(struct player *p)
{
	sqlite3_stmt *st = prepare(p, "SELECT n, space, bytes FROM edit WHERE n > ?1 ORDER BY n");
	size_t n = 0;
	struct space_row *spaces = world_spaces(p, &n);
	int rc = SQLITE_OK;

	sqlite3_bind_int64(st, 1, (sqlite3_int64)p->rows);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		size_t i = 0;

		if (sqlite3_column_int64(st, 0) != (sqlite3_int64)p->rows + 1)
			must_fail("the log of device %u has a hole", p->number);
		while (i < n && spaces[i].n != sqlite3_column_int64(st, 1))
			i++;
		must(i < n, "an edit of a space that is not there");
		if (p->rows == p->row_cap) {
			p->row_cap = p->row_cap == 0 ? 256 : 2 * p->row_cap;
			p->row = must_realloc(p->row, p->row_cap * sizeof(*p->row));
		}
		p->row[p->rows] = row_take(p, &spaces[i], column(st, 2));
		p->rows++;
	}
	if (rc != SQLITE_DONE)
		must_fail("the log of device %u cannot be read: %s", p->number,
		          sqlite3_errmsg(vault_db(p->app->vault)));
	sqlite3_finalize(st);
	batches_watch(p, spaces, n);
	free(spaces);
	p->saved_form = false;
}

/* What was seen in the log before must stand there still (M2, V3). */
static void log_again(struct player *p)
{
	sqlite3_stmt *st =
	    prepare(p, "SELECT edit.n, space.id, edit.bytes FROM edit JOIN space ON space.n = edit.space "
	               "ORDER BY edit.n");
	size_t at = 0;

	while (at < p->rows && sqlite3_step(st) == SQLITE_ROW) {
		size_t s = model_space(p->w->model, sqlite3_column_blob(st, 1));
		int edit = model_find(p->w->model, s, column(st, 2));

		if (p->row[at].space != s || edit != (int)p->row[at].edit)
			must_fail("device %u: line %zu of the log is another one than before", p->number, at + 1);
		at++;
	}
	sqlite3_finalize(st);
	if (at < p->rows)
		must_fail("device %u lost %zu of %zu acknowledged edits (M2)", p->number, p->rows - at, p->rows);
}

void world_recover(struct player *p, bool power_loss)
{
	struct world *w = p->w;

	app_close(p->app);
	p->app = NULL;
	w->crashes++;
	w->losses += power_loss;
	disk_revive(p->disk, power_loss ? &w->rnd : NULL);
	world_say(w, "  device %u died%s and comes back", p->number, power_loss ? " of a power loss" : "");
	open_or_fail(p, false);
	log_again(p);
	world_watch(p);
}

// ---- Forms ----

void world_form_drop(struct player *p)
{
	free(p->form.seen);
	p->form = (struct form){ 0 };
}

void world_form(struct player *p, const struct space_row *space)
{
	struct vv now = { 0 };

	world_form_drop(p);
	must(store_vector(NULL, p->app->store, space->n, &now) == ERR_OK, "a vector cannot be read");
	p->form.open = true;
	p->form.space = space->n;
	p->form.model_space = model_space(p->w->model, space->id.b);
	p->form.has = holding_of(p, p->form.model_space)->has;
	p->form.seen = must_calloc(now.n + 1, sizeof(*p->form.seen));
	for (size_t i = 0; i < now.n; i++) {
		if (device_cmp(now.e[i].dev, space->me) != 0)
			p->form.seen[p->form.seen_count++] = (struct seen){ now.e[i].dev, now.e[i].seq };
	}
	vv_free(&now);
}

// ---- Checks ----

static void tell_difference(const struct buf *is, const struct buf *should)
{
	size_t at = 0;

	while (at < is->len && at < should->len && is->data[at] == should->data[at])
		at++;
	fprintf(stderr, "# the dumps (%zu and %zu bytes) differ from byte %zu on\n#   is:     ", is->len, should->len,
	        at);
	at = at < 24 ? 0 : at - 24;
	for (size_t i = at; i < at + 64 && i < is->len; i++)
		fprintf(stderr, "%02x", is->data[i]);
	fprintf(stderr, "\n#   should: ");
	for (size_t i = at; i < at + 64 && i < should->len; i++)
		fprintf(stderr, "%02x", should->data[i]);
	fprintf(stderr, "\n");
}

static void check_dump(struct player *p, const struct space_row *space)
{
	size_t s = model_space(p->w->model, space->id.b);
	struct holding *h = holding_of(p, s);
	struct buf is = { 0 };
	struct buf should = { 0 };

	if (!model_closed(p->w->model, s, &h->has))
		must_fail("device %u holds an edit without its causes in %s", p->number, space->name);
	must(store_dump(NULL, p->app->store, space->n, &is) == ERR_OK, "a dump cannot be made");
	model_dump(p->w->model, s, &h->has, &h->batches, &should);
	if (bytes_cmp(buf_bytes(&is), buf_bytes(&should)) != 0) {
		tell_difference(&is, &should);
		must_fail("device %u: %s is not what the model says (M1, M2)", p->number, space->name);
	}
	free(is.data);
	free(should.data);
}

/* The devices of a space, whose they are and whether they are in, are as the batches say. */
static void check_members(struct player *p, const struct space_row *space)
{
	sqlite3_stmt *st =
	    prepare(p, "SELECT d.state, o.id, d.member & 1099511627775 FROM device d "
	               "LEFT JOIN device o ON d.member <> 0 AND o.n = d.member >> 40 WHERE d.space = ?1 AND d.id = ?2");
	size_t s = model_space(p->w->model, space->id.b);
	struct model_devices should = { 0 };

	model_members(p->w->model, s, &holding_of(p, s)->batches, &should);
	for (size_t i = 0; i < should.n; i++) {
		const struct model_device *d = &should.d[i];
		const void *person = NULL;
		int state = 0;

		sqlite3_reset(st);
		sqlite3_bind_int64(st, 1, space->n);
		sqlite3_bind_blob(st, 2, d->id, 8, SQLITE_STATIC);
		if (sqlite3_step(st) != SQLITE_ROW)
			must_fail("device %u: a device of %s is missing", p->number, space->name);
		state = sqlite3_column_int(st, 0);
		if ((state == DEVICE_ACTIVE) != d->in || (!d->in && state != DEVICE_REMOVED))
			must_fail("device %u: a device of %s is %s, and has state %d", p->number, space->name,
			          d->in ? "in" : "out", state);
		person = sqlite3_column_blob(st, 1);
		if (d->person_counter != 0 &&
		    (person == NULL || memcmp(person, d->person, 8) != 0 ||
		     (uint64_t)sqlite3_column_int64(st, 2) != d->person_counter))
			must_fail("device %u: a device of %s is somebody else's", p->number, space->name);
	}
	sqlite3_finalize(st);
	free(should.d);
}

/* --- K1 --- */

/* The space of this id on a device; false where it is not there. */
static bool space_of(struct player *p, size_t s, struct space_row *out)
{
	size_t n = 0;
	struct space_row *list = world_spaces(p, &n);
	bool found = false;

	for (size_t i = 0; i < n && !found; i++) {
		found = model_space(p->w->model, list[i].id.b) == s;
		if (found)
			*out = list[i];
	}
	free(list);
	return found;
}

struct box_at {
	struct bytes file;
	struct space_id space;
};

static enum err box_opens(void *arg, const uint8_t public[static BOX_PUBLIC_LEN],
                          const uint8_t box_secret[static BOX_SECRET_LEN])
{
	const struct box_at *b = arg;
	struct epoch_secret secret;

	return boxes_unseal(b->file, b->space, public, box_secret, &secret);
}

/* Neither the epoch's key nor a box with it came to a device that was removed. */
static void secret_kept(struct player *by, struct player *gone, const struct space_row *there, struct epoch_id epoch)
{
	struct sync y = { gone->app->store, gone->app->zip, gone->app->rng, gone->app->clock };
	struct epoch_secret secret;
	struct bytes file = { 0 };
	const char *name = NULL;

	by->w->secrets++;
	if (epoch_key_load(NULL, &y, there->n, epoch, &secret) == ERR_OK)
		must_fail("device %u wrote under an epoch whose key device %u has, which was removed (K1)", by->number,
		          gone->number);
	for (size_t i = 0; (name = host_file(by->w->hosts, i, &file)) != NULL; i++) {
		struct box_at box = { file, there->id };

		if (file.len > 64 && file.data[5] == FILE_BOXES && memcmp(file.data + 18, epoch.b, EPOCH_ID_LEN) == 0 &&
		    box_pairs_try(NULL, &y, there, box_opens, &box) == ERR_OK)
			must_fail("%s holds a box for device %u, which was removed (K1)", name, gone->number);
	}
}

static void secret_check(struct world *w, const struct sealed_file *f)
{
	const struct set *past = model_batch_past(w->model, f->space, f->batch);
	struct model_devices known;
	struct bytes file = { 0 };
	struct epoch_id epoch;

	if (!model_removes(w->model, f->space, past) || !host_pushed(w->hosts, f->name, &file))
		return;
	memcpy(epoch.b, file.data + 18, EPOCH_ID_LEN);
	model_members(w->model, f->space, past, &known);
	for (size_t i = 0; i < w->players; i++) {
		struct player *p = &w->player[i];
		struct space_row space;

		if (i == f->player || p->app == NULL || disk_dead(p->disk) || !space_of(p, f->space, &space))
			continue;
		for (size_t k = 0; k < known.n; k++) {
			if (!known.d[k].in && memcmp(known.d[k].id, space.me.b, 8) == 0)
				secret_kept(&w->player[f->player], p, &space, epoch);
		}
	}
	free(known.d);
}

void world_secrets(struct world *w)
{
	for (size_t i = 0; i < w->files; i++)
		secret_check(w, &w->file[i]);
}

const struct set *world_batches(struct player *p, size_t model_space)
{
	return &holding_of(p, model_space)->batches;
}

bool world_holds_control(struct player *p, int64_t space)
{
	sqlite3_stmt *st = prepare(p, "SELECT 1 FROM kept WHERE space = ?1 AND name LIKE 'control:%'");
	bool some = false;

	sqlite3_bind_int64(st, 1, space);
	some = sqlite3_step(st) == SQLITE_ROW;
	sqlite3_finalize(st);
	return some;
}

bool world_newest_epoch(struct player *p, int64_t space, struct epoch_id *out)
{
	sqlite3_stmt *st = prepare(p, "SELECT id FROM epoch WHERE space = ?1 ORDER BY at DESC, id");
	bool some = false;

	sqlite3_bind_int64(st, 1, space);
	some = sqlite3_step(st) == SQLITE_ROW;
	if (some)
		memcpy(out->b, sqlite3_column_blob(st, 0), sizeof(out->b));
	sqlite3_finalize(st);
	return some;
}

/* --- files that nobody hands over again --- */

/* The address of the repository of a space. */
static void remote_of(struct player *p, int64_t neighbourhood, char out[static 32])
{
	size_t n = 0;
	struct space_row *list = world_spaces(p, &n);

	out[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (list[i].n == neighbourhood)
			snprintf(out, 32, "%s", list[i].remote);
	}
	free(list);
}

static void gift_add(struct world *w, const struct gift *g)
{
	w->gift = must_realloc(w->gift, (w->gifts + 1) * sizeof(*w->gift));
	w->gift[w->gifts++] = *g;
	host_push(w->hosts, g->remote, g->ref, g->name, buf_bytes(&g->file));
}

void world_push(struct player *p, const struct space_row *space, const struct gift *gift)
{
	struct gift g = *gift;

	remote_of(p, space->neighbourhood, g.remote);
	gift_add(p->w, &g);
}

void world_push_all(struct player *p)
{
	sqlite3_stmt *st = prepare(p, "SELECT ref, outgoing.name, file, space.neighbourhood FROM outgoing JOIN space "
	                              "ON space.n = outgoing.space WHERE space.neighbourhood <> 0 ORDER BY outgoing.n");

	while (sqlite3_step(st) == SQLITE_ROW) {
		struct gift g = { 0 };
		struct bytes file = column(st, 2);

		if (file.len == 0 && !host_pushed(p->w->hosts, (const char *)sqlite3_column_text(st, 1), &file))
			continue;
		snprintf(g.ref, sizeof(g.ref), "%s", (const char *)sqlite3_column_text(st, 0));
		snprintf(g.name, sizeof(g.name), "%s", (const char *)sqlite3_column_text(st, 1));
		must(buf_put(&g.file, file.data, file.len) == ERR_OK, "out of memory");
		remote_of(p, sqlite3_column_int64(st, 3), g.remote);
		gift_add(p->w, &g);
	}
	sqlite3_finalize(st);
}

void world_push_again(struct world *w)
{
	for (size_t i = 0; i < w->gifts; i++)
		host_push(w->hosts, w->gift[i].remote, w->gift[i].ref, w->gift[i].name, buf_bytes(&w->gift[i].file));
}

bool world_is_in(struct player *p, const struct space_row *space)
{
	size_t s = model_space(p->w->model, space->id.b);

	return model_is_in(p->w->model, s, &holding_of(p, s)->batches, space->me.b);
}

/* S2: what is called sent was at the host. */
static void check_sent(struct player *p)
{
	sqlite3_stmt *st = prepare(p, "SELECT ref, name FROM outgoing WHERE state = 1");

	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(st, 1);

		if (!host_held(p->w->hosts, (const char *)sqlite3_column_text(st, 0), name))
			must_fail("device %u calls %s sent, and the host never had it (S2)", p->number, name);
	}
	sqlite3_finalize(st);
}

/* S4: what is set aside was forged, or asked with an invitation that had come to nothing. */
static void check_aside(struct player *p)
{
	sqlite3_stmt *st = prepare(p, "SELECT what, why, file FROM set_aside");

	while (sqlite3_step(st) == SQLITE_ROW) {
		struct bytes file = column(st, 2);

		if (p->w->refusals && file.len > 5 && file.data[5] == 3)
			continue;
		if (!p->w->forged || !host_forged(p->w->hosts, file))
			must_fail("device %u set aside what a device made: %s: %s", p->number,
			          (const char *)sqlite3_column_text(st, 0), (const char *)sqlite3_column_text(st, 1));
	}
	sqlite3_finalize(st);
}

void world_check(struct player *p)
{
	size_t n = 0;
	struct space_row *list = world_spaces(p, &n);

	p->w->checks++;
	for (size_t i = 0; i < n; i++) {
		if (list[i].state != SPACE_MEMBER)
			continue;
		if (world_is_in(p, &list[i]))
			check_dump(p, &list[i]);
		check_members(p, &list[i]);
	}
	check_sent(p);
	check_aside(p);
	free(list);
}

// ---- The end ----

/* Who is still in a space, by all that those know together. */
struct circle {
	size_t space;
	bool in[WORLD_DEVICES];
	struct set batches;
	struct set edits;
};

static void circle_of(struct world *w, size_t s, struct circle *out)
{
	bool again = true;
	struct space_row row[WORLD_DEVICES];

	*out = (struct circle){ .space = s };
	for (size_t i = 0; i < w->players; i++)
		out->in[i] = w->player[i].rogue == NULL && space_of(&w->player[i], s, &row[i]) && row[i].state == SPACE_MEMBER;
	while (again) {
		again = false;
		out->batches = (struct set){ 0 };
		out->edits = (struct set){ 0 };
		for (size_t i = 0; i < w->players; i++) {
			if (!out->in[i])
				continue;
			set_join(&out->batches, &holding_of(&w->player[i], s)->batches);
			set_join(&out->edits, &holding_of(&w->player[i], s)->has);
		}
		for (size_t i = 0; i < w->players; i++) {
			if (out->in[i] && !model_is_in(w->model, s, &out->batches, row[i].me.b)) {
				out->in[i] = false;
				again = true;
			}
		}
	}
}

/* A batch by a device that is out, under an epoch that it began without this one: that may wait for good. */
static bool from_outside(struct player *p, const struct space_row *space, struct bytes file)
{
	struct sync y = { p->app->store, p->app->zip, p->app->rng, p->app->clock };
	struct device_row *list = NULL;
	struct file_header h;
	struct epoch_secret secret;
	size_t n = 0;
	bool out = false;

	if (file_header_get(file, &h) != ERR_OK || (h.type != FILE_BATCH && h.type != FILE_CARRY) ||
	    epoch_key_load(NULL, &y, space->n, h.epoch, &secret) == ERR_OK)
		return false;
	must(store_device_list(NULL, p->app->store, space->n, &list, &n) == ERR_OK, "devices cannot be listed");
	for (size_t i = 0; i < n; i++)
		out = out || (list[i].state == DEVICE_REMOVED && memcmp(list[i].tag.b, h.device.b, TAG_LEN) == 0);
	free(list);
	return out;
}

/* Of one space of a device that is in it. */
static bool short_in(struct player *p, const struct space_row *space, const struct circle *c, bool wholly,
                     char out[static 256])
{
	struct holding *h = holding_of(p, c->space);
	size_t here = set_size(&h->has);
	size_t all = set_size(&c->edits);
	uint64_t unsealed = 0;
	sqlite3_stmt *st = NULL;
	bool some = false;

	must(store_unsealed_count(NULL, p->app->store, space->n, &unsealed) == ERR_OK, "the store fails");
	some = here != all || (wholly && set_size(&h->batches) != set_size(&c->batches)) ||
	       (unsealed > 0 && space->neighbourhood != 0);
	if (some)
		snprintf(out, 256, "device %u holds %zu of %zu edits of %s, %zu of %zu batches, %llu edits unsealed",
		         p->number, here, all, space->name, set_size(&h->batches), set_size(&c->batches),
		         (unsigned long long)unsealed);
	st = prepare(p, "SELECT ref, name, state FROM outgoing WHERE space = ?1");
	sqlite3_bind_int64(st, 1, space->n);
	while (!some && space->neighbourhood != 0 && sqlite3_step(st) == SQLITE_ROW) {
		const char *ref = (const char *)sqlite3_column_text(st, 0);
		const char *name = (const char *)sqlite3_column_text(st, 1);
		bool sent = sqlite3_column_int(st, 2) == 1;

		some = !sent || !host_holds(p->w->hosts, ref, name);
		snprintf(out, 256, sent ? "what device %u sent, %s, is no longer at the host (S5)"
		                        : "device %u has not sent %s",
		         p->number, name);
	}
	sqlite3_finalize(st);
	st = prepare(p, "SELECT name, file FROM waiting WHERE space = ?1");
	sqlite3_bind_int64(st, 1, space->n);
	while (!some && sqlite3_step(st) == SQLITE_ROW) {
		some = !host_forged(p->w->hosts, column(st, 1)) && !from_outside(p, space, column(st, 1));
		snprintf(out, 256, "device %u lets %s wait", p->number, (const char *)sqlite3_column_text(st, 0));
	}
	sqlite3_finalize(st);
	return some;
}

/* How a device falls short of the end, as a sentence; NULL: it does not. Where it was removed, nothing is asked of it. */
static const char *shortfall(struct player *p, bool wholly, char out[static 256])
{
	size_t n = 0;
	struct space_row *list = world_spaces(p, &n);
	struct circle *c = must_calloc(1, sizeof(*c));
	bool some = false;

	for (size_t i = 0; i < n && !some && p->rogue == NULL; i++) {
		if (list[i].state != SPACE_MEMBER)
			continue;
		circle_of(p->w, model_space(p->w->model, list[i].id.b), c);
		some = c->in[p->number] && short_in(p, &list[i], c, wholly, out);
	}
	free(c);
	free(list);
	return some ? out : NULL;
}

bool world_is_settled(struct world *w, bool wholly)
{
	char text[256];

	for (size_t i = 0; i < w->players; i++) {
		if (shortfall(&w->player[i], wholly, text) != NULL)
			return false;
	}
	return true;
}

void world_settled(struct world *w)
{
	char text[256];

	for (size_t i = 0; i < w->players; i++) {
		if (shortfall(&w->player[i], true, text) != NULL)
			must_fail("%s", text);
		if (w->player[i].rogue == NULL)
			world_check(&w->player[i]);
	}
	world_secrets(w);
}
