// SPDX-License-Identifier: EUPL-1.2
// A mixed load of the kind that SQLite's speedtest1 makes: bulk and single inserts, indexes built, lookups by key, by
// range and by text, updates, joins, sorting, deletes, replacing at random, a checkpoint. The database outgrows the
// page cache. On plain SQLite, on a vault's connection, and on other builds of SQLite with and without their ciphers,
// in turns, each time on a new database with the vault's settings.
#include <errno.h>
#include <sys/stat.h>

#include "bench/measure.h"
#include "bench/peers.h"
#include "crypto/secret.h"
#include "vault/vault.h"

#define ROUNDS 3
#define ROWS 80000

static const uint8_t MASTER[32] = "a master key for the bench, 32 b";
static char scratch[200];
static const char *settings;

struct load {
	const struct api *a;
	sqlite3 *db;
	uint32_t chance;
};

static uint32_t chance_next(struct load *l)
{
	l->chance = l->chance * 1664525u + 1013904223u;
	return l->chance >> 8;
}

static void run(struct load *l, const char *sql)
{
	api_run(l->a, l->db, sql);
}

static sqlite3_stmt *prepare(struct load *l, const char *sql)
{
	sqlite3_stmt *st = NULL;

	api_check(l->a, l->db, l->a->prepare_v2(l->db, sql, -1, &st, NULL), sql);
	return st;
}

/* All rows of it. */
static void finish(struct load *l, sqlite3_stmt *st)
{
	int rc = SQLITE_OK;

	do {
		rc = l->a->step(st);
	} while (rc == SQLITE_ROW);
	api_check(l->a, l->db, rc, "step");
	l->a->reset(st);
}

/* A number in words, as speedtest1 has them: text of 20 to 60 bytes. */
static void words_of(uint32_t n, char *out, size_t room)
{
	static const char *const digit[] = { "nul",  "een", "twee",  "drie", "vier",
		                             "vijf", "zes", "zeven", "acht", "negen" };
	size_t at = 0;

	do {
		at += (size_t)snprintf(out + at, room - at, "%s%s", at == 0 ? "" : " ", digit[n % 10]);
	} while ((n /= 10) > 0);
}

static void insert_many(struct load *l, const char *sql, uint32_t from, uint32_t count, bool at_random)
{
	sqlite3_stmt *st = prepare(l, sql);
	char text[100];

	for (uint32_t i = from; i < from + count; i++) {
		uint32_t key = at_random ? chance_next(l) % ROWS + 1 : i;

		words_of(chance_next(l) % 1000000, text, sizeof(text));
		l->a->bind_int64(st, 1, key);
		l->a->bind_int64(st, 2, chance_next(l) % ROWS);
		l->a->bind_text(st, 3, text, -1, SQLITE_STATIC);
		finish(l, st);
	}
	l->a->finalize(st);
}

static void ask_many(struct load *l, const char *sql, uint32_t count, uint32_t width)
{
	sqlite3_stmt *st = prepare(l, sql);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = chance_next(l) % ROWS;

		l->a->bind_int64(st, 1, at);
		l->a->bind_int64(st, 2, at + width);
		finish(l, st);
	}
	l->a->finalize(st);
}

static void ask_text(struct load *l, const char *sql, uint32_t count)
{
	sqlite3_stmt *st = prepare(l, sql);
	char text[100];

	for (uint32_t i = 0; i < count; i++) {
		words_of(chance_next(l) % 1000, text, sizeof(text));
		l->a->bind_text(st, 1, text, -1, SQLITE_STATIC);
		finish(l, st);
	}
	l->a->finalize(st);
}

static void writing(struct load *l)
{
	run(l, "CREATE TABLE t1(a INTEGER PRIMARY KEY, b INTEGER, c TEXT);"
	       "CREATE TABLE t2(a INTEGER, b INTEGER, c TEXT);"
	       "CREATE TABLE t3(c TEXT PRIMARY KEY, a INTEGER, b INTEGER) WITHOUT ROWID");
	run(l, "BEGIN");
	insert_many(l, "INSERT INTO t1 VALUES(?1, ?2, ?3)", 1, ROWS, false);
	run(l, "COMMIT; BEGIN");
	insert_many(l, "INSERT INTO t2 VALUES(?1, ?2, ?3)", 1, ROWS, false);
	run(l, "COMMIT; BEGIN");
	insert_many(l, "INSERT OR REPLACE INTO t3 VALUES(?3, ?1, ?2)", 1, ROWS / 2, false);
	run(l, "COMMIT");
	run(l, "CREATE INDEX t1b ON t1(b); CREATE INDEX t2c ON t2(c); CREATE INDEX t2ab ON t2(a, b)");
	for (uint32_t i = 0; i < 60; i++) {
		run(l, "BEGIN");
		insert_many(l, "INSERT OR REPLACE INTO t1 VALUES(?1, ?2, ?3)", ROWS + i * 5, 5, false);
		run(l, "COMMIT");
	}
}

static void asking(struct load *l)
{
	run(l, "BEGIN");
	ask_many(l, "SELECT a, c FROM t1 WHERE a = ?1 OR a = ?2", 10000, 7);
	ask_many(l, "SELECT count(*), avg(b), sum(length(c)) FROM t1 WHERE b BETWEEN ?1 AND ?2", 1500, 20);
	ask_many(l, "SELECT t1.c, t2.c FROM t1 JOIN t2 ON t2.a = t1.a WHERE t1.b BETWEEN ?1 AND ?2", 1500, 10);
	ask_many(l, "SELECT a, c FROM t2 WHERE a BETWEEN ?1 AND ?2 ORDER BY c LIMIT 10", 300, 400);
	ask_text(l, "SELECT count(*) FROM t1 WHERE c LIKE '%' || ?1 || '%'", 8);
	ask_text(l, "SELECT a, b FROM t2 WHERE c >= ?1 ORDER BY c LIMIT 20", 1500);
	ask_text(l, "SELECT a, b FROM t3 WHERE c > ?1 LIMIT 5", 1500);
	run(l, "SELECT b % 100, count(*), max(c) FROM t2 GROUP BY 1 ORDER BY 2 DESC");
	run(l, "SELECT count(*) FROM (SELECT c FROM t1 INTERSECT SELECT c FROM t2)");
	run(l, "COMMIT");
}

static void changing(struct load *l)
{
	run(l, "BEGIN");
	ask_many(l, "UPDATE t1 SET b = b + 1 WHERE a = ?1 OR a = ?2", 4000, 11);
	ask_many(l, "UPDATE t2 SET c = c || ' en' WHERE a BETWEEN ?1 AND ?2", 300, 8);
	run(l, "COMMIT; BEGIN");
	insert_many(l, "REPLACE INTO t1 VALUES(?1, ?2, ?3)", 0, 8000, true);
	run(l, "COMMIT; BEGIN");
	ask_many(l, "DELETE FROM t2 WHERE a BETWEEN ?1 AND ?2", 200, 30);
	run(l, "DELETE FROM t1 WHERE a % 10 = 3; COMMIT; BEGIN");
	run(l, "INSERT INTO t1 SELECT a * 10 + 1000003, b, c FROM t2 WHERE a < 5000; COMMIT");
}

/* ---- Sides ---- */

struct side {
	const char *name;
	const struct api *a;
	const char *key; /* NULL: none */
	bool vault;
	struct turns wall; /* ms */
	struct turns cpu;
};

static struct side sides[7];
static size_t side_count;

static void side_add(const char *name, const struct api *a, const char *key, bool vault)
{
	if (a != NULL)
		sides[side_count++] = (struct side){ .name = name, .a = a, .key = key, .vault = vault };
}

static void side_round(struct side *s, size_t round)
{
	struct load l = { .a = s->a, .chance = 7 };
	struct vault *v = NULL;
	struct errctx ec = { 0 };
	char path[300];
	double wall = 0;
	double cpu = 0;

	snprintf(path, sizeof(path), "%s/%zu-%zu", scratch, (size_t)(s - sides), round);
	if (s->vault &&
	    (mkdir(path, 0700) != 0 || vault_open(&ec, path, MASTER, VAULT_CREATE, &crypto_rng, &v) != ERR_OK))
		exit(1);
	l.db = s->vault ? vault_db(v) : side_open(s->a, path, s->key, settings);
	if (settings == NULL)
		settings = settings_of(l.db);
	wall = wall_us();
	cpu = cpu_us();
	writing(&l);
	asking(&l);
	changing(&l);
	if (v == NULL)
		api_check(s->a, l.db, s->a->wal_checkpoint_v2(l.db, "main", SQLITE_CHECKPOINT_FULL, NULL, NULL),
		          "checkpoint");
	else if (vault_checkpoint(v, &ec, false) != ERR_OK)
		exit(1);
	turns_add(&s->wall, (wall_us() - wall) / 1000);
	turns_add(&s->cpu, (cpu_us() - cpu) / 1000);
	if (v != NULL)
		vault_close(v);
	else
		s->a->close(l.db);
}

static void line(const char *name, const struct side *plain, const struct side *other, double goal)
{
	char text[64];

	line_turns(name, &plain->wall, &other->wall, goal);
	snprintf(text, sizeof(text), "%s, processor", name);
	line_ratio(text, turns_median(&plain->cpu), turns_median(&other->cpu), turns_paired(&plain->cpu, &other->cpu),
	           0);
}

int main(void)
{
	char command[300];
	const char *build = getenv("BUILD");
	const struct api *mc = api_mc();
	const struct api *cipher = api_sqlcipher();

	snprintf(scratch, sizeof(scratch), "%.150s/bench-mixed-XXXXXX", build != NULL ? build : "build");
	if (vault_start() != ERR_OK || mkdtemp(scratch) == NULL)
		return 1;
	side_add("vault", api_system(), NULL, true); /* first, for its settings */
	side_add("plain", api_system(), NULL, false);
	side_add("SQLite3MC, no cipher", mc, NULL, false);
	side_add("SQLite3MC, ChaCha20", mc, MC_CHACHA20, false);
	side_add("SQLite3MC, SQLCipher 4 format", mc, MC_SQLCIPHER4, false);
	side_add("SQLCipher 3.4.1, no key", cipher, NULL, false);
	side_add("SQLCipher 3.4.1", cipher, SQLCIPHER3, false);
	for (size_t round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < side_count; i++)
			side_round(&sides[round == 0 ? i : (i + round * 3) % side_count], round);
	printf("A mixed load over three tables of %d rows, %d rounds, on %s; ms\n", ROWS, ROUNDS, disk_kind(scratch));
	line_head();
	line("mixed load", &sides[1], &sides[0], 1.8);
	if (mc == NULL)
		printf("SQLite3MultipleCiphers was not built (scripts/bench-peers): left out.\n");
	if (cipher == NULL)
		printf("libsqlcipher0 is not installed: SQLCipher is left out.\n");
	for (size_t i = 2, plain = 2; i < side_count; i++) {
		if (sides[i].key == NULL) {
			plain = i;
			continue;
		}
		printf("%s against its own library without a cipher\n", sides[i].name);
		line("mixed load", &sides[plain], &sides[i], 0);
	}
	snprintf(command, sizeof(command), "rm -rf '%s'", scratch);
	return system(command) == 0 ? 0 : 1;
}
