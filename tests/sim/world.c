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
static struct world *in_use;

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
	in_use = w;
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
	world_backups_free(w);
	hosts_free(w->hosts);
	model_free(w->model);
	for (size_t i = 0; i < w->gifts; i++)
		buf_free(&w->gift[i].file);
	free(w->gift);
	free(w->file);
	in_use = NULL;
	free(w);
}

/* What an edit had read when it was written is not to be seen any more once it was written again. */
void world_committed(const struct store *store)
{
	for (size_t i = 0; in_use != NULL && i < in_use->players; i++) {
		struct player *p = &in_use->player[i];

		if (p->app == NULL || p->app->store != store || !(p->twin || in_use->compacts) || p->spied ||
		    disk_dead(p->disk))
			continue;
		p->spied = true;
		world_watch(p);
		p->spied = false;
	}
}

bool world_compacts(void)
{
	return in_use != NULL && in_use->compacts;
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

void world_open_or_fail(struct player *p, bool create)
{
	struct errctx ec = { 0 };
	char text[512];
	enum err e = open_home(p, create, &ec);

	if (e != ERR_OK)
		must_fail("device %u does not open (%d): %s", p->number, (int)e,
		          ec.code == ERR_OK ? "" : err_text(&ec, NULL, text, sizeof(text)));
}

struct player *world_player(struct world *w)
{
	struct player *p = &w->player[w->players];

	must(w->players < WORLD_DEVICES, "too many devices");
	*p = (struct player){ .w = w, .number = (unsigned)w->players++ };
	p->disk = disk_new(1 + p->number);
	p->chance.state = random_next(&w->rnd);
	p->clock = (struct clock){ player_now, p };
	p->rng = (struct rng){ player_fill, &p->chance };
	snprintf(p->home, sizeof(p->home), "/sim/%u", 1 + p->number);
	snprintf(p->courier, sizeof(p->courier), "sim:%u", p->number);
	snprintf(p->nick, sizeof(p->nick), "P%u", p->number);
	hosts_device(w->hosts, p->number, p->disk);
	return p;
}

size_t world_join(struct world *w)
{
	struct player *p = world_player(w);

	world_open_or_fail(p, true);
	world_watch(p);
	return p->number;
}

bool world_given_up(const struct player *p)
{
	return p->rogue != NULL || p->lost;
}

void world_reopen(struct player *p)
{
	app_close(p->app);
	p->app = NULL;
	world_open_or_fail(p, false);
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
	p->hold[p->holds] = (struct holding){ .space = space, .cut = MODEL_UNCUT };
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

void world_recover(struct player *p, bool power_loss)
{
	struct world *w = p->w;

	app_close(p->app);
	p->app = NULL;
	w->crashes++;
	w->losses += power_loss;
	disk_revive(p->disk, power_loss ? &w->rnd : NULL);
	world_say(w, "  device %u died%s and comes back", p->number, power_loss ? " of a power loss" : "");
	world_open_or_fail(p, false);
	world_log_again(p);
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
