// SPDX-License-Identifier: EUPL-1.2
// A new device takes in a circle of 100,000 conversations, written by one member in batches of BENCH_BATCH (1,000):
// each batch is opened, verified, folded, indexed and durable, up to 64 of them in a transaction, as a sync does.
// Beside it plain SQLite, the same library, schema, indexes and settings (WAL, synchronous=FULL), gets the very same
// rows in bulk, a transaction for a thousand conversations; and once more in a transaction for each batch, which is
// what durable batches cost by themselves. In turns of a thousand, one side right after the other.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "bench/measure.h"
#include "bench/peers.h"
#include "bench/two_homes.h"
#include "sync/forge.h"

#define CONTACTS_DEFAULT 100000
#define TURN 1000

static unsigned number_of(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text != NULL && atoi(text) > 0 ? (unsigned)atoi(text) : otherwise;
}

/* ---- What is to be taken in ---- */

static void conversations(struct world *w, unsigned count, unsigned each)
{
	static const char *const domains[] = { "geld", "wonen", "papieren", "gezond", "kinderen", "taal" };
	struct store *s = w->app[0]->store;
	int64_t space = space_named(w, 0, "Plein").n;
	struct errctx ec = { 0 };
	uint64_t chance = 7;

	for (unsigned i = 0; i < count; i++) {
		struct draft d = { 0 };
		struct change c = { .space = space, .kind = KIND_contact };
		const char *domain[] = { domains[i % 6] };
		char text[STORY_LEN];
		struct dot id;

		if (i % each == 0)
			assert_int_equal(store_begin(&ec, s), ERR_OK);
		story_make(&chance, text);
		draft_int(&d, F_contact_date, 18000 + i / 20);
		draft_text(&d, F_contact_channel, "spreekuur");
		draft_set(&d, F_contact_domains, domain, 1, NULL, 0);
		draft_long_text(&d, F_contact_text, NULL, text);
		assert_int_equal(draft_writes(&d, &c.writes, &c.write_count), ERR_OK);
		assert_int_equal(store_write(&ec, s, &c, clock_now(&w->clock), &id), ERR_OK);
		draft_free(&d);
		if (i % each == each - 1 || i == count - 1) {
			assert_int_equal(store_commit(&ec, s), ERR_OK);
			seal_home(w, 0);
		}
	}
}

/* ---- The same rows, plain ---- */

/* Read from the home that took them in, from the row where the last turn ended. */
static const struct table {
	const char *read; /* ?1 up to ?2: numbers of edits; a new conversation is one edit */
	const char *write;
} tables[] = {
	{ "SELECT n, dot, record, space, past, seq, bytes, chain FROM edit WHERE n > ?1 AND n <= ?2",
	  "INSERT INTO edit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)" },
	{ "SELECT r, record.space, kind, two, state FROM edit JOIN record ON r = record WHERE n > ?1 AND n <= ?2",
	  "INSERT INTO record VALUES (?1, ?2, ?3, ?4, ?5)" },
	{ "SELECT r, contact.space, date, resident, follow_up, follows FROM edit JOIN contact ON r = record WHERE n > "
	  "?1 "
	  "AND n <= ?2",
	  "INSERT INTO contact VALUES (?1, ?2, ?3, ?4, ?5, ?6)" },
	{ "SELECT search.rowid, title, body, sound FROM edit CROSS JOIN search ON search.rowid = record WHERE n > ?1 "
	  "AND n <= ?2",
	  "INSERT INTO search (rowid, title, body, sound) VALUES (?1, ?2, ?3, ?4)" },
	{ "SELECT b, space, counter, hash, signed FROM batch WHERE b IN (SELECT ((dot >> 40) << 40) | seq FROM edit "
	  "WHERE n > "
	  "?1 AND n <= ?2)",
	  "INSERT INTO batch VALUES (?1, ?2, ?3, ?4, ?5)" },
};
#define TABLES (sizeof(tables) / sizeof(tables[0]))

struct cell {
	sqlite3_value *v;
};

struct plain {
	sqlite3 *db;
	sqlite3_stmt *write[TABLES];
};

static void must(sqlite3 *db, int rc)
{
	if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW)
		fail_msg("%s", sqlite3_errmsg(db));
}

static void plain_open_as(struct plain *p, const char *path, sqlite3 *vault)
{
	sqlite3_stmt *st = NULL;

	p->db = side_open(api_system(), path, NULL, settings_of(vault));
	/* tables before indexes; those of the search make themselves; spares and triggers are no part of what is
	 * compared */
	must(vault,
	     sqlite3_prepare_v2(vault,
	                        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'search_%' "
	                        "AND type IN ('table', 'index') ORDER BY type DESC",
	                        -1, &st, NULL));
	while (sqlite3_step(st) == SQLITE_ROW)
		must(p->db, sqlite3_exec(p->db, (const char *)sqlite3_column_text(st, 0), NULL, NULL, NULL));
	sqlite3_finalize(st);
	must(p->db, sqlite3_exec(p->db, "INSERT INTO search (search, rank) VALUES ('pgsz', 980)", NULL, NULL, NULL));
	for (size_t t = 0; t < TABLES; t++)
		must(p->db, sqlite3_prepare_v2(p->db, tables[t].write, -1, &p->write[t], NULL));
}

static void plain_close(struct plain *p)
{
	for (size_t t = 0; t < TABLES; t++)
		sqlite3_finalize(p->write[t]);
	sqlite3_close(p->db);
}

/* One turn: the rows are read first, untimed; then all of them in one transaction. */
static size_t plain_turn(struct plain *p, sqlite3 *vault, int64_t from, int64_t to, double *wall, double *cpu)
{
	struct cell *cells = NULL;
	size_t n = 0;
	size_t cap = 0;
	size_t rows[TABLES] = { 0 };
	size_t at = 0;
	size_t sum = 0;

	for (size_t t = 0; t < TABLES; t++) {
		sqlite3_stmt *st = NULL;

		must(vault, sqlite3_prepare_v2(vault, tables[t].read, -1, &st, NULL));
		sqlite3_bind_int64(st, 1, from);
		sqlite3_bind_int64(st, 2, to);
		for (; sqlite3_step(st) == SQLITE_ROW; rows[t]++) {
			for (int c = 0; c < sqlite3_column_count(st); c++) {
				if (n == cap) {
					cap = cap == 0 ? 1024 : 2 * cap;
					cells = realloc(cells, cap * sizeof(*cells));
					assert_non_null(cells);
				}
				cells[n++].v = sqlite3_value_dup(sqlite3_column_value(st, c));
			}
		}
		sqlite3_finalize(st);
	}
	*wall = wall_us();
	*cpu = cpu_us();
	must(p->db, sqlite3_exec(p->db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
	for (size_t t = 0; t < TABLES; t++) {
		int columns = sqlite3_bind_parameter_count(p->write[t]);

		for (size_t r = 0; r < rows[t]; r++) {
			for (int c = 0; c < columns; c++)
				sqlite3_bind_value(p->write[t], c + 1, cells[at++].v);
			must(p->db, sqlite3_step(p->write[t]));
			sqlite3_reset(p->write[t]);
		}
	}
	must(p->db, sqlite3_exec(p->db, "COMMIT", NULL, NULL, NULL));
	*wall = wall_us() - *wall;
	*cpu = cpu_us() - *cpu;
	assert_int_equal(at, n);
	for (size_t i = 0; i < n; i++)
		sqlite3_value_free(cells[i].v);
	free(cells);
	for (size_t t = 0; t < TABLES; t++)
		sum += rows[t];
	return sum;
}

static int64_t last_edit(sqlite3 *db)
{
	sqlite3_stmt *st = NULL;
	int64_t n = 0;

	must(db, sqlite3_prepare_v2(db, "SELECT coalesce(max(n), 0) FROM edit", -1, &st, NULL));
	if (sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

/* ---- In turns ---- */

struct sides {
	struct turns wall[3]; /* plain in bulk, vault, plain batch by batch: microseconds */
	struct turns cpu[3];
	double wall_sum[3];
	double cpu_sum[3];
};

static void sides_add(struct sides *s, int side, double wall, double cpu)
{
	turns_add(&s->wall[side], wall);
	turns_add(&s->cpu[side], cpu);
	s->wall_sum[side] += wall;
	s->cpu_sum[side] += cpu;
}

/* As a sync does: so many at once. Returns where the next begin. */
static size_t take_some(struct errctx *ec, struct sync *y, const struct file_row *list, size_t from, size_t to,
                        struct received *r)
{
	struct inbox_item items[INBOX_GROUP];
	size_t bytes = 0;
	size_t n = 0;
	size_t taken = 0;

	while (from + n < to && n < INBOX_GROUP && bytes < INBOX_GROUP_BYTES) {
		const struct file_row *f = &list[from + n];

		items[n++] = (struct inbox_item){ f->ref, f->name, buf_bytes(&f->file) };
		bytes += f->file.len;
	}
	if (n > 1)
		assert_int_equal(inbox_files(ec, y, items, n, r, &taken), ERR_OK);
	if (taken > 0)
		return from + taken;
	assert_int_equal(inbox_file(ec, y, items[0].ref, items[0].name, items[0].file, r), ERR_OK);
	return from + 1;
}

static void take_in(struct world *w, size_t home, struct plain p[static 2], const struct file_row *list, size_t n,
                    unsigned each, struct sides *s)
{
	struct sync y = sync_of_home(w, home);
	sqlite3 *vault = vault_db(w->app[home]->vault);
	struct errctx ec = { 0 };
	struct received r = { 0 };
	size_t files = TURN / each;

	for (size_t at = 0; at < n; at += files) {
		int64_t from = last_edit(vault);
		double wall = wall_us();
		double cpu = cpu_us();

		for (size_t i = at; i < n && i < at + files;)
			i = take_some(&ec, &y, list, i, n < at + files ? n : at + files, &r);
		if (at + files >= n)
			assert_int_equal(inbox_retry(&ec, &y, &r), ERR_OK);
		sides_add(s, 1, wall_us() - wall, cpu_us() - cpu);
		plain_turn(&p[0], vault, from, last_edit(vault), &wall, &cpu);
		sides_add(s, 0, wall, cpu);
		wall = cpu = 0;
		for (int64_t to = last_edit(vault); from < to; from += each) {
			double one_wall = 0;
			double one_cpu = 0;

			plain_turn(&p[1], vault, from, from + each < to ? from + each : to, &one_wall, &one_cpu);
			wall += one_wall;
			cpu += one_cpu;
		}
		sides_add(s, 2, wall, cpu);
	}
	assert_int_equal(stock_of(w, home).waiting + stock_of(w, home).aside, 0);
}

static void bench(void **state)
{
	static struct sides s;
	unsigned contacts = number_of("BENCH_CONTACTS", CONTACTS_DEFAULT);
	unsigned each = number_of("BENCH_BATCH", TURN);
	struct world w;
	struct errctx ec = { 0 };
	struct file_row *list = NULL;
	size_t n = 0;
	struct plain p[2] = { { 0 } };
	char path[400];
	double wall = 0;
	double cpu = 0;

	(void)state;
	world_begin(&w);
	world_home(&w, "Een");
	world_home(&w, "Twee");
	world_home(&w, "Drie");
	assert_int_equal(app_found_neighbourhood(&ec, w.app[0], "West", w.remote), ERR_OK);
	assert_int_equal(app_found_circle(&ec, w.app[0], "Plein"), ERR_OK);
	world_sync(&w, 0);
	world_invite(&w, 0, 1, "Plein", NULL);
	world_sync(&w, 0);
	printf("joining a circle of %u conversations in batches of %u (%s)\n", contacts, each, disk_kind(w.dir));
	conversations(&w, contacts, each);
	assert_int_equal(store_outgoing_list(&ec, w.app[0]->store, &list, &n), ERR_OK);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/plain%d.db", w.dir, i);
		plain_open_as(&p[i], path, vault_db(w.app[1]->vault));
	}
	take_in(&w, 1, p, list, n, each, &s);
	store_files_free(list, n);
	for (int i = 0; i < 2; i++)
		plain_close(&p[i]);
	line_head();
	for (int side = 0; side < 3; side += 2) {
		printf("against plain rows in a transaction for each %s\n", side == 0 ? "thousand" : "batch");
		line_ratio("taking in, all, ms", s.wall_sum[side] / 1e3, s.wall_sum[1] / 1e3,
		           s.wall_sum[1] / s.wall_sum[side], side == 0 ? 3 : 0);
		line_ratio("taking in, all, processor, ms", s.cpu_sum[side] / 1e3, s.cpu_sum[1] / 1e3,
		           s.cpu_sum[1] / s.cpu_sum[side], side == 0 ? 3 : 0);
		line_turns("1,000 conversations, us", &s.wall[side], &s.wall[1], side == 0 ? 3 : 0);
		line_turns("1,000 conversations, processor, us", &s.cpu[side], &s.cpu[1], side == 0 ? 3 : 0);
	}
	expect_same(&w, 0, 1, "Plein");

	wall = wall_us();
	world_sync(&w, 0);
	printf("all of it to the repository: %.1f s\n", (wall_us() - wall) / 1e6);
	wall = wall_us();
	cpu = cpu_us();
	world_invite(&w, 0, 2, "Plein", NULL);
	world_sync(&w, 2);
	printf(
	    "a whole joining, courier and letters included: %.1f s, %.1f s of this processor; plain %.1f s: %.2f x\n",
	    (wall_us() - wall) / 1e6, (cpu_us() - cpu) / 1e6, s.wall_sum[0] / 1e6, (wall_us() - wall) / s.wall_sum[0]);
	world_sync(&w, 0);
	expect_same(&w, 0, 2, "Plein");
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(bench) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
