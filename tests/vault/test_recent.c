// SPDX-License-Identifier: EUPL-1.2
// Goal: a checkpoint may take from memory the pages that were just written to the log, and nobody can tell but by the
// time: what it moves is what the log holds, in whatever order pages are written, rolled back, spilled and moved, and a
// look for damage reads the disk all the same. Only one vault of the process has such memory, so the other one of two
// that do the same is the witness. Seen to fail with: the frame not compared, a changed frame not forgotten, the memory
// asked by verify too, kept for the next vault without being wiped, inherited by a child.
#include "kit.h"

#include <sys/wait.h>

#include "vault/vault_over.h"

#define STEPS 600

static struct vault *create(const char *dir)
{
	struct vault *v = NULL;

	assert_int_equal(vault_open(NULL, dir, KIT_MASTER, VAULT_CREATE, &crypto_rng, &v), ERR_OK);
	kit_sql(v, "CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB, c INT); CREATE INDEX tc ON t(c)");
	return v;
}

static void need_locked_memory(void)
{
	assert_int_equal(vault_start(), ERR_OK);
	if (vault_memory().cache_locked < (uint64_t)4 << 20) {
		print_message("# too little memory can be locked here\n");
		skip();
	}
}

static bool has_memory(struct vault *v)
{
	sqlite3_file *log = NULL;

	assert_int_equal(sqlite3_file_control(vault_db(v), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log), SQLITE_OK);
	return ((struct wal_file *)log)->recent != NULL;
}

/* Rows of a page each. */
static void big_rows(struct vault *v, int from, int count)
{
	char sql[200];

	snprintf(sql, sizeof(sql),
	         "WITH n(i) AS (VALUES(%d) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %d)"
	         " INSERT INTO t SELECT i, zeroblob(3900), i FROM n",
	         from, from + count);
	kit_sql(v, sql);
}

static void flip(const char *dir, uint32_t frame)
{
	char *path = file_join(dir, "vault.db-wal");
	int fd = open(path, O_RDWR);
	off_t at = WAL_HEADER_DISK + (off_t)(frame - 1) * (WAL_FRAME_HEADER + VAULT_PAGE_SIZE) + 1000;
	uint8_t byte = 0;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
	free(path);
}

/* What lies damaged in the log is seen by who looks for it, and mended by the checkpoint where it is remembered. */
static void damage_is_seen(void **state)
{
	char *dir = kit_dir();
	struct vault *v = NULL;
	struct vault_report r;

	(void)state;
	need_locked_memory();
	v = create(dir);
	big_rows(v, 1, 60);
	big_rows(v, 100, 60);
	assert_true(has_memory(v));
	flip(dir, v->ledger.committed - 10);
	assert_int_equal(vault_verify(v, NULL, &r), ERR_DAMAGED);
	assert_int_equal(r.bad_frames, 1);
	assert_int_equal(vault_checkpoint(v, NULL, true), ERR_OK);
	assert_int_equal(vault_verify(v, NULL, &r), ERR_OK);
	assert_int_equal(kit_number(v, "SELECT sum(c) FROM t"), 60 * 61 / 2 + 60 * (100 + 159) / 2);
	/* the first frames of a log are not remembered */
	big_rows(v, 1000, 120);
	flip(dir, 20);
	assert_int_equal(vault_checkpoint(v, NULL, false), ERR_DAMAGED);
	vault_close(v);
	kit_dir_free(dir);
}

static void step(struct seed *s, char *sql, size_t size)
{
	unsigned a = seed_below(s, 400);

	switch (seed_below(s, 10)) {
	case 0:
		snprintf(sql, size, "BEGIN; UPDATE t SET c = c + 1 WHERE a BETWEEN %u AND %u; ROLLBACK", a, a + 40);
		break;
	case 1:
		snprintf(sql, size, "DELETE FROM t WHERE a BETWEEN %u AND %u", a, a + 10);
		break;
	case 2: /* more than the cache holds: spilled into the log before it is committed, and there changed again */
		snprintf(sql, size,
		         "PRAGMA cache_size=10; PRAGMA cache_spill=1; BEGIN; UPDATE t SET c = c + %u; UPDATE t SET c = "
		         "c + 1;"
		         "COMMIT",
		         a);
		break;
	case 3:
		snprintf(sql, size, "PRAGMA cache_size=2000; UPDATE t SET b = zeroblob(%u) WHERE a %% 7 = %u", 100 + a,
		         a % 7);
		break;
	default:
		snprintf(sql, size,
		         "REPLACE INTO t VALUES(%u, zeroblob(%u), %u); REPLACE INTO t VALUES(%u, x'%04x', 5)", a,
		         seed_below(s, 6000), a, seed_below(s, 400), a);
	}
}

static void same_rows(struct vault *a, struct vault *b)
{
	static const char sql[] = "SELECT a, b, c FROM t ORDER BY a";
	sqlite3_stmt *x = NULL;
	sqlite3_stmt *y = NULL;

	assert_int_equal(sqlite3_prepare_v2(vault_db(a), sql, -1, &x, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(vault_db(b), sql, -1, &y, NULL), SQLITE_OK);
	while (sqlite3_step(x) == SQLITE_ROW) {
		assert_int_equal(sqlite3_step(y), SQLITE_ROW);
		assert_int_equal(sqlite3_column_int64(x, 0), sqlite3_column_int64(y, 0));
		assert_int_equal(sqlite3_column_bytes(x, 1), sqlite3_column_bytes(y, 1));
		assert_int_equal(sqlite3_column_int64(x, 2), sqlite3_column_int64(y, 2));
	}
	assert_int_equal(sqlite3_step(y), SQLITE_DONE);
	sqlite3_finalize(x);
	sqlite3_finalize(y);
}

static void like_without(void **state)
{
	const char *given = getenv("SLB_SEED");
	struct seed s = { given != NULL ? strtoull(given, NULL, 0) : 20261130 };
	char *dir[2] = { kit_dir(), kit_dir() };
	struct vault *v[2] = { NULL, NULL };
	struct vault_report r;
	bool used = false;

	(void)state;
	need_locked_memory();
	print_message("# seed %llu\n", (unsigned long long)s.state);
	for (int k = 0; k < 2; k++)
		v[k] = create(dir[k]);
	for (unsigned i = 0; i < STEPS; i++) {
		char sql[300];

		step(&s, sql, sizeof(sql));
		kit_sql(v[0], sql);
		kit_sql(v[1], sql);
		used = used || has_memory(v[0]);
		assert_false(has_memory(v[1]));
		if (seed_below(&s, 12) != 0)
			continue;
		for (int k = 0; k < 2; k++) {
			assert_int_equal(vault_checkpoint(v[k], NULL, i % 3 == 0), ERR_OK);
			kit_sql(v[k], "PRAGMA shrink_memory"); /* what is asked next comes from the file */
		}
		same_rows(v[0], v[1]);
	}
	assert_true(used);
	for (int k = 0; k < 2; k++) {
		assert_int_equal(vault_verify(v[k], NULL, &r), ERR_OK);
		vault_close(v[k]);
	}
	for (int k = 0; k < 2; k++) {
		assert_int_equal(vault_open(NULL, dir[k], KIT_MASTER, VAULT_OPEN, &crypto_rng, &v[k]), ERR_OK);
		assert_int_equal(vault_verify(v[k], NULL, &r), ERR_OK);
	}
	same_rows(v[0], v[1]);
	for (int k = 0; k < 2; k++) {
		vault_close(v[k]);
		kit_dir_free(dir[k]);
	}
}

/* The memory goes with its vault, and the next one may have it. */
static void handed_on(void **state)
{
	uint8_t page[VAULT_PAGE_SIZE] = "typed";
	uint8_t out[VAULT_PAGE_SIZE] = { 0 };
	struct recent *r = NULL;

	(void)state;
	need_locked_memory();
	r = recent_new();
	assert_non_null(r);
	assert_null(recent_new());
	recent_put(r, 7, 70, page);
	assert_true(recent_get(r, 7, 70, out));
	assert_memory_equal(out, page, sizeof(page));
	assert_false(recent_get(r, 7, 71, out));
	assert_false(recent_get(r, 7 + 512, 70, out));
	recent_forget(r);
	assert_false(recent_get(r, 7, 70, out));
	recent_free(r);
	r = recent_new();
	assert_non_null(r);
	assert_false(recent_get(r, 7, 70, out));
	recent_free(r);
	recent_free(NULL);
}

/* A process that was forked off finds none of it, and keeps none: what is locked here is not locked there (V1). */
static void not_in_a_child(void **state)
{
	uint8_t page[VAULT_PAGE_SIZE] = "typed";
	uint8_t out[VAULT_PAGE_SIZE] = { 0 };
	struct recent *r = NULL;
	int status = 0;
	pid_t child = -1;

	(void)state;
	need_locked_memory();
	r = recent_new();
	assert_non_null(r);
	recent_put(r, 7, 70, page);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		bool found = recent_get(r, 7, 70, out);

		recent_put(r, 7, 70, page);
		exit(found ? 2 : recent_get(r, 7, 70, out) ? 3 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(recent_get(r, 7, 70, out));
	recent_free(r);
}

/* A checkpoint that asks for a frame past the last one gets none from memory either. */
static void not_past_the_end(void **state)
{
	char *dir = kit_dir();
	struct vault *v = NULL;
	sqlite3_file *log = NULL;
	uint8_t out[VAULT_PAGE_SIZE];
	sqlite3_int64 at = 0;

	(void)state;
	need_locked_memory();
	v = create(dir);
	big_rows(v, 0, 120);
	assert_true(has_memory(v));
	assert_int_equal(sqlite3_file_control(vault_db(v), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log), SQLITE_OK);
	at = WAL_HEADER_LEN + WAL_FRAME_HEADER +
	     (sqlite3_int64)v->ledger.frame_count * (WAL_FRAME_HEADER + VAULT_PAGE_SIZE);
	v->vfs->moving = true;
	assert_int_equal(log->pMethods->xRead(log, out, VAULT_PAGE_SIZE, at), SQLITE_IOERR_DATA);
	at -= WAL_FRAME_HEADER + VAULT_PAGE_SIZE;
	assert_int_equal(log->pMethods->xRead(log, out, VAULT_PAGE_SIZE, at), SQLITE_OK);
	v->vfs->moving = false;
	vault_close(v);
	kit_dir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damage_is_seen), cmocka_unit_test(like_without),     cmocka_unit_test(handed_on),
		cmocka_unit_test(not_in_a_child), cmocka_unit_test(not_past_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
