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
#include "sim/world_inside.h"
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

struct holding *world_holding(struct player *p, size_t space)
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
	struct holding *h = world_holding(p, s);
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

sqlite3_stmt *world_prepare(struct player *p, const char *sql)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(vault_db(p->app->vault), sql, -1, &st, NULL) != SQLITE_OK)
		must_fail("device %u: %s", p->number, sqlite3_errmsg(vault_db(p->app->vault)));
	return st;
}

struct bytes world_column(sqlite3_stmt *st, int i)
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
	set_add(&world_holding(p, s)->batches, (size_t)batch);
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
		sqlite3_stmt *st = world_prepare(p, "SELECT signed FROM batch WHERE b = ?1");

		sqlite3_bind_int64(st, 1, (sqlite3_int64)((uint64_t)n << 40 | ++r->seq));
		if (sqlite3_step(st) != SQLITE_ROW)
			must_fail("device %u misses a batch below the last one it holds", p->number);
		batch_take(p, space, dev, r->seq, sqlite3_column_blob(head, 4), world_column(st, 0));
		sqlite3_finalize(st);
	}
}

/* Batches build on one another: those whose author's own device is this one come last, for they had the others. */
static void batches_watch(struct player *p, const struct space_row *spaces, size_t n)
{
	for (int own = 0; own < 2; own++) {
		sqlite3_stmt *st =
		    world_prepare(p, "SELECT vector.device, vector.space, vector.seq, device.id, device.sign "
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
	sqlite3_stmt *st = world_prepare(p, "SELECT n, space, bytes FROM edit WHERE n > ?1 ORDER BY n");
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
		p->row[p->rows] = row_take(p, &spaces[i], world_column(st, 2));
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
	    world_prepare(p, "SELECT edit.n, space.id, edit.bytes FROM edit JOIN space ON space.n = edit.space "
	                     "ORDER BY edit.n");
	size_t at = 0;

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
	p->form.has = world_holding(p, p->form.model_space)->has;
	p->form.seen = must_calloc(now.n + 1, sizeof(*p->form.seen));
	for (size_t i = 0; i < now.n; i++) {
		if (device_cmp(now.e[i].dev, space->me) != 0)
			p->form.seen[p->form.seen_count++] = (struct seen){ now.e[i].dev, now.e[i].seq };
	}
	vv_free(&now);
}

// ---- What it holds ----

/* The space of this id on a device; false where it is not there. */
bool world_space_of(struct player *p, size_t s, struct space_row *out)
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

const struct set *world_batches(struct player *p, size_t model_space)
{
	return &world_holding(p, model_space)->batches;
}

bool world_holds_control(struct player *p, int64_t space)
{
	sqlite3_stmt *st = world_prepare(p, "SELECT 1 FROM kept WHERE space = ?1 AND name LIKE 'control:%'");
	bool some = false;

	sqlite3_bind_int64(st, 1, space);
	some = sqlite3_step(st) == SQLITE_ROW;
	sqlite3_finalize(st);
	return some;
}

bool world_newest_epoch(struct player *p, int64_t space, struct epoch_id *out)
{
	sqlite3_stmt *st = world_prepare(p, "SELECT id FROM epoch WHERE space = ?1 ORDER BY at DESC, id");
	bool some = false;

	sqlite3_bind_int64(st, 1, space);
	some = sqlite3_step(st) == SQLITE_ROW;
	if (some)
		memcpy(out->b, sqlite3_column_blob(st, 0), sizeof(out->b));
	sqlite3_finalize(st);
	return some;
}

bool world_is_in(struct player *p, const struct space_row *space)
{
	size_t s = model_space(p->w->model, space->id.b);

	return model_is_in(p->w->model, s, &world_holding(p, s)->batches, space->me.b);
}
