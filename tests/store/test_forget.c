// SPDX-License-Identifier: EUPL-1.2
// Goal (K3, V1): a key that was destroyed, by deleting or replacing what was kept of it, is in no file of the vault any
// more once store_forget() said so: not in a page, used or free, not in the gaps of one, not in a frame of the log, not
// in the spare of page 1; nor where the power fails in that moment. What was not destroyed is all there. Broken off
// anywhere, the wish stays.
//
// The files are read here as somebody with the master key would: each sealed piece is deciphered whether or not its tag
// holds, so that frames of earlier logs count too. This shares no code with the vault but the derivation of its keys.
//
// Seen to fail when: secure_delete is off; rows are taken out one by one instead of all together; the log is moved but
// not cut off; the wish ends before the log is cut off; it ends in the transaction that writes what is kept anew; an
// opening leaves a wish where it was.
#include "vault/disk.h"

#include <sodium.h>

#include "app/session.h"
#include "store/store.h"
#include "vault/keyring.h"
#include "vault/ledger.h"
#include "vault/page.h"
#include "vault/vault_over.h"

#define ROWS 60
#define ROUNDS 3
#define PIECE 8 /* every eighth offset is looked for: 15 bytes in a row are always found */
#define SEEDS 12
#define STATES 100

static unsigned soak(void)
{
	const char *n = getenv("SLB_SOAK");

	return n == NULL ? 1 : (unsigned)atoi(n);
}

/* ---- What was destroyed, and the search for it ---- */

struct gone {
	uint64_t *piece; /* sorted before a search */
	size_t n;
	size_t room;
	bool sorted;
	bool may[1 << 20]; /* most positions end here */
};

static uint64_t piece_at(const uint8_t *p)
{
	uint64_t out = 0;

	memcpy(&out, p, PIECE);
	return out;
}

static void gone_add(struct gone *g, const uint8_t *bytes, size_t len)
{
	for (size_t at = 0; at + PIECE <= len; at += PIECE) {
		if (g->n == g->room) {
			g->room = g->room == 0 ? 4096 : 2 * g->room;
			g->piece = realloc(g->piece, g->room * sizeof(*g->piece));
			assert_non_null(g->piece);
		}
		g->piece[g->n++] = piece_at(bytes + at);
		g->may[piece_at(bytes + at) >> 44] = true;
	}
	g->sorted = false;
}

static int piece_order(const void *a, const void *b)
{
	const uint64_t *x = a;
	const uint64_t *y = b;

	return *x < *y ? -1 : *x > *y;
}

static size_t found_in(struct gone *g, const uint8_t *plain, size_t len)
{
	size_t found = 0;

	if (!g->sorted && g->n > 0)
		qsort(g->piece, g->n, sizeof(*g->piece), piece_order);
	g->sorted = true;
	for (size_t at = 0; at + PIECE <= len && g->n > 0; at++) {
		uint64_t p = piece_at(plain + at);

		found += g->may[p >> 44] && p != 0 && bsearch(&p, g->piece, g->n, sizeof(p), piece_order) != NULL;
	}
	return found;
}

/* A sealed piece without its seal: nonce and tag lie behind it, and the tag is not asked. */
static size_t found_sealed(struct gone *g, const uint8_t *key, const uint8_t *sealed, size_t len)
{
	uint8_t plain[VAULT_PAGE_SIZE];
	uint8_t subkey[32];
	const uint8_t *nonce = sealed + len;

	assert_true(len <= sizeof(plain));
	crypto_core_hchacha20(subkey, nonce, key, NULL);
	crypto_stream_chacha20_xor_ic(plain, sealed, len, nonce + 16, 1, subkey);
	return found_in(g, plain, len);
}

struct found {
	size_t pages;
	size_t frames;
	size_t spare;
	size_t clear; /* as they are, in any file */
};

static size_t found_all(struct found f)
{
	return f.pages + f.frames + f.spare + f.clear;
}

static size_t found_page(struct gone *g, const struct keyring *ring, const uint8_t *page, bool first)
{
	size_t skip = first ? FILE_ID_LEN : 0;

	return found_sealed(g, ring->page, page + skip, VAULT_PAGE_SIZE - PAGE_RESERVE - skip);
}

static struct found search(struct gone *g, const struct buf *db, const struct buf *log, const struct buf *mark)
{
	const size_t frame = WAL_FRAME_HEADER + VAULT_PAGE_SIZE;
	struct keyring *ring = NULL;
	struct found f = { 0 };

	assert_true(db->len >= VAULT_PAGE_SIZE);
	ring = keyring_new(KIT_MASTER, db->data);
	for (size_t at = 0; at + VAULT_PAGE_SIZE <= db->len; at += VAULT_PAGE_SIZE)
		f.pages += found_page(g, ring, db->data + at, at == 0);
	for (size_t at = WAL_HEADER_DISK; at + frame <= log->len; at += frame)
		f.frames += found_sealed(g, ring->wal, log->data + at, frame - PAGE_RESERVE);
	if (mark->len >= LEDGER_SPARE_AT + VAULT_PAGE_SIZE)
		f.spare = found_page(g, ring, mark->data + LEDGER_SPARE_AT, true);
	f.clear =
	    found_in(g, db->data, db->len) + found_in(g, log->data, log->len) + found_in(g, mark->data, mark->len);
	keyring_free(ring);
	return f;
}

static struct found search_dir(struct gone *g, const char *dir)
{
	struct buf db = kit_read(dir, "vault.db");
	struct buf log = kit_read(dir, "vault.db-wal");
	struct buf mark = kit_read(dir, "vault.mark");
	struct found f = search(g, &db, &log, &mark);

	buf_free(&db);
	buf_free(&log);
	buf_free(&mark);
	return f;
}

/* What the disk had to keep, whatever of the rest a power cut leaves. */
static struct found search_durable(struct gone *g, struct disk *d)
{
	static const struct buf none = { 0 };
	const struct buf *part[3] = { &none, &none, &none };
	static const char *const name[3] = { "vault.db", "vault.db-wal", "vault.mark" };

	for (size_t i = 0; i < d->file_count; i++)
		for (size_t k = 0; k < 3; k++)
			if (strcmp(d->file[i].name, name[k]) == 0 && d->file[i].durable.exists)
				part[k] = &d->file[i].durable.bytes;
	return search(g, part[0], part[1], part[2]);
}

/* As the vault itself gives them. */
static size_t search_open(struct gone *g, struct vault *v)
{
	sqlite3_file *f = NULL;
	sqlite3_int64 size = 0;
	uint8_t page[VAULT_PAGE_SIZE];
	size_t found = 0;

	assert_int_equal(sqlite3_file_control(vault_db(v), "main", SQLITE_FCNTL_FILE_POINTER, &f), SQLITE_OK);
	assert_int_equal(f->pMethods->xFileSize(f, &size), SQLITE_OK);
	assert_true(size > 0);
	for (sqlite3_int64 at = 0; at < size; at += VAULT_PAGE_SIZE) {
		assert_int_equal(f->pMethods->xRead(f, page, VAULT_PAGE_SIZE, at), SQLITE_OK);
		found += found_in(g, page, sizeof(page));
	}
	return found;
}

/* ---- A vault in which keys come and go ---- */

struct world {
	char *dir;
	struct disk *disk;
	struct vault *vault;
	struct store *store;
	struct seed seed;
	struct rng rng;
	struct gone gone;
	/* what is kept; length 0: not there */
	struct {
		uint8_t bytes[6000];
		size_t len;
	} row[ROWS];
};

static void world_open(struct world *w, enum vault_mode mode)
{
	assert_int_equal(vault_open_over(NULL, w->dir, KIT_MASTER, mode, &w->rng, &w->disk->base, &w->vault), ERR_OK);
	assert_int_equal(store_open(NULL, w->vault, &w->store), ERR_OK);
}

static void world_close(struct world *w)
{
	store_close(w->store);
	vault_close(w->vault);
	w->store = NULL;
	w->vault = NULL;
}

static struct world *world_new(uint64_t seed)
{
	struct world *w = calloc(1, sizeof(*w));

	w->seed.state = seed;
	w->rng = seed_rng(&w->seed);
	w->dir = kit_dir();
	w->disk = disk_new();
	world_open(w, VAULT_CREATE);
	return w;
}

static void world_free(struct world *w)
{
	world_close(w);
	disk_free(w->disk);
	kit_dir_free(w->dir);
	free(w->gone.piece);
	free(w);
}

static void row_name(size_t i, char out[static 24])
{
	snprintf(out, 24, "key/%08x", (unsigned)(i * 2654435761u));
}

static void row_ends(struct world *w, size_t i)
{
	gone_add(&w->gone, w->row[i].bytes, w->row[i].len);
	w->row[i].len = 0;
}

static void row_put(struct world *w, size_t i)
{
	static const size_t lengths[] = { 32, 96, 300, 300, 900, 900, 900, 6000 };
	size_t len = lengths[seed_below(&w->seed, 8)];
	char name[24];

	row_name(i, name);
	row_ends(w, i);
	seed_fill(&w->seed, w->row[i].bytes, len);
	w->row[i].len = len;
	assert_int_equal(store_kept_put(NULL, w->store, 1, name, (struct bytes){ w->row[i].bytes, len }), ERR_OK);
}

static void row_delete(struct world *w, size_t i)
{
	char name[24];

	row_name(i, name);
	row_ends(w, i);
	assert_int_equal(store_kept_delete(NULL, w->store, 1, name), ERR_OK);
}

/* Puts, replaces and deletes, in transactions of some; checkpoints and sessions in between. All that went is to be
 * forgotten, and that wish is part of the last transaction. */
static void churn(struct world *w, unsigned transactions)
{
	for (unsigned t = 0; t < transactions; t++) {
		assert_int_equal(store_begin(NULL, w->store), ERR_OK);
		for (unsigned k = seed_below(&w->seed, 6); k < 6; k++) {
			size_t i = seed_below(&w->seed, ROWS);

			if (seed_below(&w->seed, 3) == 0)
				row_delete(w, i);
			else
				row_put(w, i);
		}
		if (t + 1 == transactions)
			assert_int_equal(store_forget_ask(NULL, w->store), ERR_OK);
		assert_int_equal(store_commit(NULL, w->store), ERR_OK);
		if (seed_below(&w->seed, 8) == 0)
			assert_int_equal(vault_checkpoint(w->vault, NULL, false), ERR_OK);
		if (seed_below(&w->seed, 16) == 0) {
			world_close(w);
			world_open(w, VAULT_OPEN);
		}
	}
}

static void all_the_rest_is_there(struct world *w)
{
	struct kept_row *rows = NULL;
	struct vault_report report;
	size_t n = 0;
	size_t there = 0;

	for (size_t i = 0; i < ROWS; i++) {
		struct buf got = { 0 };
		char name[24];

		row_name(i, name);
		assert_int_equal(store_kept_get(NULL, w->store, 1, name, &got),
		                 w->row[i].len > 0 ? ERR_OK : ERR_NOT_FOUND);
		assert_int_equal(got.len, w->row[i].len);
		if (got.len > 0)
			assert_memory_equal(got.data, w->row[i].bytes, got.len);
		there += got.len > 0;
		buf_free(&got);
	}
	assert_int_equal(store_kept_all(NULL, w->store, &rows, &n), ERR_OK);
	assert_int_equal(n, there);
	store_kept_free(rows, n);
	/* with its spares, as the triggers would have them */
	assert_int_equal(kit_number(w->vault,
	                            "SELECT count(*) FROM spare s JOIN kept k ON s.k1 = k.space AND s.k2 = k.name "
	                            "AND s.c1 = k.bytes WHERE s.what = 'kept'"),
	                 there);
	assert_int_equal(kit_number(w->vault, "SELECT (SELECT count(*) = m.rows AND total(n) = m.sum FROM spare) "
	                                      "FROM spare_mark m"),
	                 1);
	assert_int_equal(vault_verify(w->vault, NULL, &report), ERR_OK);
}

static bool wished(struct vault *v)
{
	return kit_number(v, "SELECT count(*) FROM meta WHERE name = 'forget'") == 1;
}

static void nothing_is_left(void **state)
{
	size_t before = 0;
	size_t in_pages = 0;

	(void)state;
	for (unsigned s = 0; s < SEEDS * soak(); s++) {
		struct world *w = world_new(7000 + s);

		for (int round = 0; round < ROUNDS; round++) {
			struct found f;

			churn(w, 40);
			f = search_dir(&w->gone, w->dir);
			assert_int_equal(f.clear, 0);
			before += found_all(f);
			if (round > 0) {
				assert_int_equal(vault_checkpoint(w->vault, NULL, true), ERR_OK);
				in_pages += search_dir(&w->gone, w->dir).pages;
			}
			disk_start(w->disk, w->dir);
			assert_int_equal(store_forget(NULL, w->store), ERR_OK);
			assert_false(wished(w->vault));
			f = search_dir(&w->gone, w->dir);
			if (found_all(f) > 0)
				fail_msg("seed %u: %zu in pages, %zu in the log, %zu in the spare, %zu in clear",
				         7000 + s, f.pages, f.frames, f.spare, f.clear);
			assert_int_equal(found_all(search_durable(&w->gone, w->disk)), 0);
			assert_int_equal(search_open(&w->gone, w->vault), 0);
			w->disk->recording = false;
			all_the_rest_is_there(w);
		}
		world_free(w);
	}
	/* The search finds what is there, and deleting alone leaves something in pages (else none of this were needed).
	 */
	print_message("found before: %zu, and %zu in pages once the log was cut off\n", before, in_pages);
	assert_true(before > 1000 && in_pages > 0);
}

static void nothing_asked_nothing_done(void **state)
{
	struct world *w = world_new(31);
	struct buf before = { 0 };
	struct buf after = { 0 };

	(void)state;
	churn(w, 20);
	assert_int_equal(store_forget(NULL, w->store), ERR_OK);
	before = kit_read(w->dir, "vault.db-wal");
	assert_int_equal(store_forget(NULL, w->store), ERR_OK);
	after = kit_read(w->dir, "vault.db-wal");
	assert_int_equal(bytes_cmp(buf_bytes(&before), buf_bytes(&after)), 0);
	/* A wish that is rolled back never was. */
	assert_int_equal(store_begin(NULL, w->store), ERR_OK);
	assert_int_equal(store_forget_ask(NULL, w->store), ERR_OK);
	store_rollback(w->store);
	assert_false(wished(w->vault));
	buf_free(&before);
	buf_free(&after);
	world_free(w);
}

/* ---- Broken off ---- */

static void a_failing_disk_is_told_and_the_wish_stays(void **state)
{
	static const struct {
		const char *name;
		unsigned kinds;
		bool sticky;
		bool partial;
	} table[] = {
		{ "write", FAULT_WRITE, false, false },
		{ "write, half", FAULT_WRITE, true, true },
		{ "sync", FAULT_SYNC, false, false },
		{ "truncate", FAULT_TRUNCATE, true, false },
		{ "read", FAULT_READ, false, false },
		{ "all", FAULT_WRITE | FAULT_SYNC | FAULT_TRUNCATE, true, true },
	};
	unsigned failed = 0;

	(void)state;
	for (size_t c = 0; c < sizeof(table) / sizeof(table[0]); c++) {
		bool hit = true;

		for (unsigned n = 0; hit; n = n < 12 ? n + 1 : n + n / 4) {
			struct world *w = world_new(100 + n);
			enum err e = ERR_OK;

			churn(w, 12);
			w->disk->fault_partial = table[c].partial;
			disk_fault(w->disk, table[c].kinds, n, table[c].sticky);
			e = store_forget(NULL, w->store);
			hit = w->disk->fault_hits > 0;
			disk_fault(w->disk, 0, 0, false);
			failed += e != ERR_OK;
			if (e == ERR_OK)
				assert_int_equal(found_all(search_dir(&w->gone, w->dir)), 0);
			world_close(w);
			world_open(w, VAULT_OPEN);
			/* Only a wish whose end was refused may be over all the same. */
			if (!wished(w->vault) && found_all(search_dir(&w->gone, w->dir)) > 0)
				fail_msg("%s, call %u: the wish is over, and something is left", table[c].name, n);
			assert_int_equal(store_forget(NULL, w->store), ERR_OK);
			assert_false(wished(w->vault));
			assert_int_equal(found_all(search_dir(&w->gone, w->dir)), 0);
			all_the_rest_is_there(w);
			world_free(w);
		}
	}
	assert_true(failed > 30);
}

struct cut {
	struct world *w;
	struct seed seed;
	char *dir;
	unsigned states;
	unsigned over; /* of these, the wish was fulfilled */
};

/* The power fails at this change: what is then on the disk either still says that something is to be forgotten, and
 * then it can be, or holds nothing of it. */
static void power_fails(void *self)
{
	struct cut *c = self;
	struct rng rng = seed_rng(&c->seed);
	struct vault *v = NULL;
	struct store *s = NULL;
	size_t left = 0;

	disk_crash(c->w->disk, &c->seed, c->dir);
	c->states++;
	left = found_all(search_dir(&c->w->gone, c->dir));
	v = kit_open(c->dir, VAULT_OPEN, &rng);
	assert_int_equal(store_open(NULL, v, &s), ERR_OK);
	if (!wished(v) && left > 0)
		fail_msg("state %u: the wish is over, and %zu are left", c->states, left);
	c->over += !wished(v);
	assert_int_equal(store_forget(NULL, s), ERR_OK);
	assert_int_equal(found_all(search_dir(&c->w->gone, c->dir)), 0);
	store_close(s);
	vault_close(v);
}

static void the_power_fails_at_every_change(void **state)
{
	struct cut c = { .seed = { 1953 }, .dir = kit_dir() };

	(void)state;
	for (unsigned s = 0; c.states < STATES * soak(); s++) {
		c.w = world_new(500 + s);
		churn(c.w, 10);
		disk_start(c.w->disk, c.w->dir);
		c.w->disk->on_change = power_fails;
		c.w->disk->on_change_self = &c;
		assert_int_equal(store_forget(NULL, c.w->store), ERR_OK);
		power_fails(&c);
		c.w->disk->recording = false;
		all_the_rest_is_there(c.w);
		world_free(c.w);
	}
	print_message("%u states, in %u of them the wish was over\n", c.states, c.over);
	assert_true(c.over > 0 && c.over < c.states);
	kit_dir_free(c.dir);
}

/* A home that is opened makes an end of it. */
static void the_next_opening_makes_an_end_of_it(void **state)
{
	char *dir = kit_dir();
	struct app_options o = { .home = dir };
	struct gone *gone = calloc(1, sizeof(*gone));
	struct app *app = NULL;
	uint8_t key[32];

	(void)state;
	randombytes_buf(key, sizeof(key));
	gone_add(gone, key, sizeof(key));
	assert_int_equal(app_open_with_key(NULL, &o, KIT_MASTER, true, "Noor", &app), ERR_OK);
	assert_int_equal(store_begin(NULL, app->store), ERR_OK);
	assert_int_equal(store_kept_put(NULL, app->store, 1, "a key", (struct bytes){ key, sizeof(key) }), ERR_OK);
	assert_int_equal(store_commit(NULL, app->store), ERR_OK);
	assert_int_equal(store_begin(NULL, app->store), ERR_OK);
	assert_int_equal(store_kept_delete(NULL, app->store, 1, "a key"), ERR_OK);
	assert_int_equal(store_forget_ask(NULL, app->store), ERR_OK);
	assert_int_equal(store_commit(NULL, app->store), ERR_OK);
	assert_true(found_all(search_dir(gone, dir)) > 0);
	app_close(app);
	assert_int_equal(app_open_with_key(NULL, &o, KIT_MASTER, false, NULL, &app), ERR_OK);
	assert_false(wished(app->vault));
	assert_int_equal(found_all(search_dir(gone, dir)), 0);
	app_close(app);
	free(gone->piece);
	free(gone);
	kit_dir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_left),
		cmocka_unit_test(nothing_asked_nothing_done),
		cmocka_unit_test(a_failing_disk_is_told_and_the_wish_stays),
		cmocka_unit_test(the_power_fails_at_every_change),
		cmocka_unit_test(the_next_opening_makes_an_end_of_it),
	};

	return app_start() != ERR_OK ? 1 : cmocka_run_group_tests_name("store/forget", tests, NULL, NULL);
}
