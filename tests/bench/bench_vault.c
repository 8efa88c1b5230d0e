// SPDX-License-Identifier: EUPL-1.2
// What sealing costs: conversation-like rows with a full-text index, one durable transaction each, through the vault
// and through plain SQLite with the same settings, in short turns of one run. Counts repeat; a disk that others use
// does not, so the least and the median turn are both given, and the processor's time beside them.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "crypto/secret.h"
#include "vault/vault_over.h"

#define ROUNDS 80
#define ROWS 50 /* in a turn, which ends with a checkpoint, as after each pause of a person */
#define READ_EVERY 8
#define READS 20

static const uint8_t MASTER[32] = "a master key for the bench, 32 b";

/* ---- A VFS that counts, beneath either side ---- */

struct counts {
	uint64_t writes;
	uint64_t syncs;
	uint64_t bytes;
};

struct counting_file {
	sqlite3_file base;
	sqlite3_file *real;
};

static sqlite3_vfs counting;
static struct counts count;

static sqlite3_file *real(sqlite3_file *f)
{
	return ((struct counting_file *)f)->real;
}

static int c_close(sqlite3_file *f)
{
	return real(f)->pMethods->xClose(real(f));
}

static int c_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return real(f)->pMethods->xRead(real(f), p, n, at);
}

static int c_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	count.writes++;
	count.bytes += (uint64_t)n;
	return real(f)->pMethods->xWrite(real(f), p, n, at);
}

static int c_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	return real(f)->pMethods->xTruncate(real(f), n);
}

static int c_sync(sqlite3_file *f, int flags)
{
	count.syncs++;
	return real(f)->pMethods->xSync(real(f), flags);
}

static int c_size(sqlite3_file *f, sqlite3_int64 *n)
{
	return real(f)->pMethods->xFileSize(real(f), n);
}

static int c_lock(sqlite3_file *f, int level)
{
	return real(f)->pMethods->xLock(real(f), level);
}

static int c_unlock(sqlite3_file *f, int level)
{
	return real(f)->pMethods->xUnlock(real(f), level);
}

static int c_reserved(sqlite3_file *f, int *out)
{
	return real(f)->pMethods->xCheckReservedLock(real(f), out);
}

static int c_control(sqlite3_file *f, int op, void *arg)
{
	return real(f)->pMethods->xFileControl(real(f), op, arg);
}

static int c_sector(sqlite3_file *f)
{
	return real(f)->pMethods->xSectorSize(real(f));
}

static int c_device(sqlite3_file *f)
{
	return real(f)->pMethods->xDeviceCharacteristics(real(f));
}

static const sqlite3_io_methods counting_methods = {
	1,         c_close,  c_read,   c_write, c_truncate, c_sync, c_size, c_lock, c_unlock, c_reserved,
	c_control, c_sector, c_device, NULL,    NULL,       NULL,   NULL,   NULL,   NULL,
};

static int c_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct counting_file *c = (struct counting_file *)f;
	sqlite3_vfs *u = vfs->pAppData;
	int rc = SQLITE_OK;

	c->real = (sqlite3_file *)(c + 1);
	c->base.pMethods = NULL;
	rc = u->xOpen(u, name, c->real, flags, out);
	if (c->real->pMethods != NULL)
		c->base.pMethods = &counting_methods;
	return rc;
}

static void counting_start(void)
{
	sqlite3_vfs *u = sqlite3_vfs_find("unix");

	counting = *u;
	counting.zName = "counting";
	counting.pAppData = u;
	counting.xOpen = c_open;
	counting.szOsFile = (int)sizeof(struct counting_file) + u->szOsFile;
	if (sqlite3_vfs_register(&counting, 0) != SQLITE_OK)
		exit(1);
}

/* ---- The work ---- */

static const char SCHEMA[] =
    "CREATE TABLE contact(id INTEGER PRIMARY KEY, day TEXT, place TEXT, minutes INT, note TEXT);"
    "CREATE INDEX contact_day ON contact(day);"
    "CREATE TABLE edit(dev INT, counter INT, body BLOB, chain BLOB, PRIMARY KEY(dev, counter))"
    " WITHOUT ROWID;"
    "CREATE VIRTUAL TABLE find USING fts5(note, content='', tokenize='unicode61 remove_diacritics "
    "2', prefix='2 3');"
    "INSERT INTO find(find, rank) VALUES('pgsz', 4000);";

static void check(sqlite3 *db, int rc)
{
	if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE)
		return;
	fprintf(stderr, "bench_vault: %s\n", sqlite3_errmsg(db));
	exit(1);
}

static void run_sql(sqlite3 *db, const char *sql)
{
	check(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

static uint32_t rnd(uint32_t *s)
{
	*s = *s * 1664525u + 1013904223u;
	return *s >> 8;
}

/* About 300 bytes of words out of a vocabulary of 4,000, so that the index grows as one of speech does. */
static void note_make(uint32_t *s, char *out, size_t size)
{
	size_t n = 0;

	while (n + 16 < size)
		n += (size_t)snprintf(out + n, size - n, "%c%ck%u ", 'a' + (int)(rnd(s) % 26), 'a' + (int)(rnd(s) % 26),
		                      rnd(s) % 6);
}

struct side {
	const char *name;
	sqlite3 *db;
	struct vault *vault; /* NULL: plain */
	sqlite3_stmt *contact;
	sqlite3_stmt *edit;
	sqlite3_stmt *find;
	uint32_t seed;
	int64_t rows;
	double wall[ROUNDS]; /* us per row */
	double cpu[ROUNDS];
	int rounds;
	double best_search;
	double best_scan;
	struct counts counts;
};

static double now_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void side_prepare(struct side *s)
{
	run_sql(s->db, SCHEMA);
	check(s->db, sqlite3_prepare_v2(s->db, "INSERT INTO contact VALUES(?1, ?2, 'buurthuis', ?3, ?4)", -1,
	                                &s->contact, NULL));
	check(s->db, sqlite3_prepare_v2(s->db, "INSERT INTO edit VALUES(1, ?1, ?2, zeroblob(32))", -1, &s->edit, NULL));
	check(s->db, sqlite3_prepare_v2(s->db, "INSERT INTO find(rowid, note) VALUES(?1, ?2)", -1, &s->find, NULL));
}

static void step(struct side *s, sqlite3_stmt *st)
{
	check(s->db, sqlite3_step(st));
	check(s->db, sqlite3_reset(st));
}

static void row_log(struct side *s)
{
	char note[300];
	char day[16];

	note_make(&s->seed, note, sizeof(note));
	s->rows++;
	snprintf(day, sizeof(day), "2026-%02d-%02d", (int)(1 + s->rows / 600 % 12), (int)(1 + s->rows / 20 % 28));
	run_sql(s->db, "BEGIN IMMEDIATE");
	check(s->db, sqlite3_bind_int64(s->contact, 1, s->rows));
	check(s->db, sqlite3_bind_text(s->contact, 2, day, -1, SQLITE_TRANSIENT));
	check(s->db, sqlite3_bind_int(s->contact, 3, (int)(rnd(&s->seed) % 60)));
	check(s->db, sqlite3_bind_text(s->contact, 4, note, -1, SQLITE_TRANSIENT));
	step(s, s->contact);
	check(s->db, sqlite3_bind_int64(s->edit, 1, s->rows));
	check(s->db, sqlite3_bind_blob(s->edit, 2, note, (int)strlen(note), SQLITE_TRANSIENT));
	step(s, s->edit);
	check(s->db, sqlite3_bind_int64(s->find, 1, s->rows));
	check(s->db, sqlite3_bind_text(s->find, 2, note, -1, SQLITE_TRANSIENT));
	step(s, s->find);
	run_sql(s->db, "COMMIT");
}

static void idle(struct side *s)
{
	if (s->vault == NULL)
		check(s->db, sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_FULL, NULL, NULL));
	else if (vault_checkpoint(s->vault, NULL, false) != ERR_OK)
		exit(1);
}

static void side_round(struct side *s)
{
	struct counts before = count;
	double start = now_us(CLOCK_MONOTONIC);
	double cpu = now_us(CLOCK_PROCESS_CPUTIME_ID);

	for (int i = 0; i < ROWS; i++)
		row_log(s);
	idle(s);
	s->wall[s->rounds] = (now_us(CLOCK_MONOTONIC) - start) / ROWS;
	s->cpu[s->rounds] = (now_us(CLOCK_PROCESS_CPUTIME_ID) - cpu) / ROWS;
	s->rounds++;
	s->counts.writes += count.writes - before.writes;
	s->counts.syncs += count.syncs - before.syncs;
	s->counts.bytes += count.bytes - before.bytes;
}

static void query(struct side *s, const char *sql, const char *arg)
{
	sqlite3_stmt *st = NULL;
	int rc = SQLITE_OK;

	check(s->db, sqlite3_prepare_v2(s->db, sql, -1, &st, NULL));
	if (arg != NULL)
		check(s->db, sqlite3_bind_text(st, 1, arg, -1, SQLITE_TRANSIENT));
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		;
	check(s->db, rc);
	sqlite3_finalize(st);
}

static void side_read(struct side *s)
{
	double start = now_us(CLOCK_MONOTONIC);
	double took = 0;

	for (int i = 0; i < READS; i++) {
		char word[16];

		snprintf(word, sizeof(word), "%c%c*", 'a' + i % 26, 'b' + i % 20);
		query(s, "SELECT rowid FROM find WHERE find MATCH ?1 ORDER BY rowid DESC LIMIT 20", word);
	}
	took = (now_us(CLOCK_MONOTONIC) - start) / READS;
	if (s->best_search == 0 || took < s->best_search)
		s->best_search = took;
	run_sql(s->db, "PRAGMA shrink_memory");
	start = now_us(CLOCK_MONOTONIC);
	query(s, "SELECT sum(length(note)) FROM contact", NULL);
	took = now_us(CLOCK_MONOTONIC) - start;
	if (s->best_scan == 0 || took < s->best_scan)
		s->best_scan = took;
}

static void plain_open(struct side *s, const char *path)
{
	check(NULL, sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "counting"));
	run_sql(s->db, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
	               "PRAGMA temp_store=MEMORY; PRAGMA secure_delete=ON; PRAGMA foreign_keys=ON;"
	               "PRAGMA cache_spill=OFF; PRAGMA cache_size=-8192; PRAGMA wal_autocheckpoint=4000;");
}

static double per_row(uint64_t n)
{
	return (double)n / (ROUNDS * ROWS);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Sorted, so that [0] is the least and [ROUNDS / 2] the median. */
static void side_sort(struct side *s)
{
	qsort(s->wall, ROUNDS, sizeof(s->wall[0]), compare);
	qsort(s->cpu, ROUNDS, sizeof(s->cpu[0]), compare);
}

static void row_print(const char *what, double plain, double vault, const char *unit)
{
	printf("%-42s %10.2f %10.2f %s %8.2f x\n", what, plain, vault, unit, vault / plain);
}

int main(void)
{
	char dir[] = "build/bench-vault-XXXXXX";
	char path[64];
	struct side plain = { .name = "plain", .seed = 7 };
	struct side sealed = { .name = "vault", .seed = 7 };
	static const char *const files[] = { "plain.db", "plain.db-wal", "vault.db", "vault.db-wal", "vault.mark" };

	if (vault_start() != ERR_OK || mkdtemp(dir) == NULL)
		return 1;
	counting_start();
	snprintf(path, sizeof(path), "%s/plain.db", dir);
	plain_open(&plain, path);
	if (vault_open_over(NULL, dir, MASTER, VAULT_CREATE, &crypto_rng, &counting, &sealed.vault) != ERR_OK)
		return 1;
	sealed.db = vault_db(sealed.vault);
	side_prepare(&plain);
	side_prepare(&sealed);
	for (int round = 0; round < ROUNDS; round++) {
		side_round(round % 2 ? &plain : &sealed);
		side_round(round % 2 ? &sealed : &plain);
		if (round % READ_EVERY == READ_EVERY - 1) {
			side_read(&plain);
			side_read(&sealed);
		}
	}
	side_sort(&plain);
	side_sort(&sealed);
	printf("%d conversations, full-text index, a checkpoint every %d      plain      vault\n", ROUNDS * ROWS, ROWS);
	row_print("durable insert, least turn", plain.wall[0], sealed.wall[0], "us");
	row_print("durable insert, median turn", plain.wall[ROUNDS / 2], sealed.wall[ROUNDS / 2], "us");
	row_print("processor time per insert, median turn", plain.cpu[ROUNDS / 2], sealed.cpu[ROUNDS / 2], "us");
	row_print("fsyncs per insert, checkpoints included", per_row(plain.counts.syncs), per_row(sealed.counts.syncs),
	          "  ");
	row_print("writes per insert", per_row(plain.counts.writes), per_row(sealed.counts.writes), "  ");
	row_print("bytes written per insert", per_row(plain.counts.bytes), per_row(sealed.counts.bytes), "B ");
	row_print("search while typing, warm", plain.best_search, sealed.best_search, "us");
	row_print("scan of all rows, cache dropped", plain.best_scan, sealed.best_scan, "us");
	for (struct side *s = &plain; s != NULL; s = s == &plain ? &sealed : NULL) {
		sqlite3_finalize(s->contact);
		sqlite3_finalize(s->edit);
		sqlite3_finalize(s->find);
	}
	sqlite3_close(plain.db);
	vault_close(sealed.vault);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	return rmdir(dir) == 0 ? 0 : 1;
}
