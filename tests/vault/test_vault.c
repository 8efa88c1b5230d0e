// SPDX-License-Identifier: EUPL-1.2
// Goal: a vault is an ordinary SQLite database to who holds it, one owner's at a time, and nothing but noise on disk
// (V1). Opening, refusing, creating, round trips with full-text search, rollback, vacuum, spilled transactions.
//
// Seen to fail when: page 1 keeps SQLite's magic; temporary files are passed through; a spilled frame's header is
// dropped instead of sealed anew; journals are let through. (Without the lock on vault.mark SQLite's own still holds.)
#include "vault/disk.h"

#include <sys/wait.h>

#include "vault/vault_over.h"

static struct seed seed = { 20260101 };
static struct rng rng = { seed_fill, &seed };

static enum err open_code(const char *dir, const uint8_t *master, enum vault_mode mode)
{
	struct vault *v = NULL;
	enum err e = vault_open(NULL, dir, master, mode, &rng, &v);

	assert_true((v != NULL) == (e == ERR_OK));
	vault_close(v);
	return e;
}

static void opening_and_refusing(void **state)
{
	uint8_t other[32] = "another key";
	char *dir = kit_dir();
	char *db = file_join(dir, "vault.db");
	struct vault *v = NULL;
	struct stat st;

	(void)state;
	assert_int_equal(open_code(dir, KIT_MASTER, VAULT_OPEN), ERR_NOT_FOUND);
	assert_int_equal(open_code("/nonexistent/place", KIT_MASTER, VAULT_CREATE), ERR_NOT_FOUND);
	kit_write(dir, "vault.new", (const uint8_t *)"left over", 9);
	assert_int_equal(open_code(dir, KIT_MASTER, VAULT_CREATE), ERR_OK);
	assert_int_equal(open_code(dir, KIT_MASTER, VAULT_CREATE), ERR_REFUSED);
	assert_int_equal(open_code(dir, KIT_MASTER, VAULT_OPEN), ERR_OK);
	assert_int_equal(open_code(dir, other, VAULT_OPEN), ERR_DAMAGED);
	assert_int_equal(stat(db, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	v = kit_open(dir, VAULT_OPEN, &rng);
	assert_int_equal(open_code(dir, KIT_MASTER, VAULT_OPEN), ERR_LATER);
	assert_int_equal(open_code(dir, KIT_MASTER, VAULT_CREATE), ERR_REFUSED);
	vault_close(v);
	vault_close(NULL);
	/* A log without its database is somebody's data too. */
	unlink(db);
	kit_write(dir, "vault.db-wal", (const uint8_t *)"x", 1);
	assert_int_equal(open_code(dir, KIT_MASTER, VAULT_CREATE), ERR_REFUSED);
	free(db);
	kit_dir_free(dir);
}

/* Another process, and a process that died while it held the vault. */
static void one_owner(void **state)
{
	char *dir = kit_dir();
	struct vault *v = kit_open(dir, VAULT_CREATE, &rng);
	int status = 0;
	pid_t child = fork();

	(void)state;
	if (child == 0)
		_exit(open_code(dir, KIT_MASTER, VAULT_OPEN) == ERR_LATER ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	vault_close(v);

	child = fork();
	if (child == 0) {
		v = kit_open(dir, VAULT_OPEN, &rng);
		kit_fill(v, 5);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	v = kit_open(dir, VAULT_OPEN, &rng);
	assert_int_equal(kit_number(v, "SELECT count(*) FROM t"), 5);
	vault_close(v);
	kit_dir_free(dir);
}

static void many_at_once(void **state)
{
	enum { COUNT = 30 };
	struct vault *v[COUNT];
	char *dir[COUNT];

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		dir[i] = kit_dir();
		v[i] = kit_open(dir[i], VAULT_CREATE, &rng);
	}
	for (int i = 0; i < COUNT; i++)
		kit_fill(v[i], i + 1);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(kit_number(v[i], "SELECT count(*) FROM f WHERE f MATCH 'gesprek'"), i + 1);
		vault_close(v[i]);
		kit_dir_free(dir[i]);
	}
}

static void assert_whole(struct vault *v)
{
	struct vault_report r;
	struct errctx ec = { .code = ERR_OK };

	if (vault_verify(v, &ec, &r) != ERR_OK)
		fail_msg("pages %llu bad %llu, frames %llu bad %llu, sum %d %d, size %d: %s",
		         (unsigned long long)r.pages, (unsigned long long)r.bad_pages, (unsigned long long)r.frames,
		         (unsigned long long)r.bad_frames, r.sum_known, r.sum_matches, r.size_matches, r.first);
}

static void what_is_written_comes_back(void **state)
{
	char *dir = kit_dir();
	struct vault *v = kit_open(dir, VAULT_CREATE, &rng);
	char *before = NULL;
	char *after = NULL;

	(void)state;
	assert_int_equal(kit_number(v, "PRAGMA page_size"), 4096);
	assert_int_equal(kit_number(v, "PRAGMA synchronous"), 2);
	assert_int_equal(kit_number(v, "PRAGMA secure_delete"), 1);
	assert_int_equal(kit_number(v, "PRAGMA foreign_keys"), 1);
	assert_int_equal(kit_number(v, "PRAGMA temp_store"), 2);
	kit_fill(v, 300);
	before = kit_dump(v);
	kit_sql(v, "BEGIN; DELETE FROM t; DELETE FROM f; ROLLBACK");
	after = kit_dump(v);
	assert_string_equal(before, after);
	free(after);
	assert_whole(v);
	vault_close(v);

	v = kit_open(dir, VAULT_OPEN, &rng);
	kit_sql(v, "VACUUM");
	after = kit_dump(v);
	assert_string_equal(before, after);
	free(after);
	assert_whole(v);
	/* Shorter again: pages leave the end of the file, and the sum. */
	kit_sql(v, "DELETE FROM t WHERE id > 10; DELETE FROM f WHERE rowid > 10; INSERT INTO f(f) VALUES('optimize');"
	           "VACUUM");
	assert_int_equal(vault_checkpoint(v, NULL, false), ERR_OK);
	assert_whole(v);
	kit_fill(v, 20);
	assert_whole(v);
	assert_int_equal(vault_checkpoint(v, NULL, true), ERR_OK);
	assert_whole(v);
	vault_close(v);
	v = kit_open(dir, VAULT_OPEN, &rng);
	assert_int_equal(kit_number(v, "SELECT count(*) FROM t"), 30);
	assert_whole(v);
	vault_close(v);
	free(before);
	kit_dir_free(dir);
}

/* With the cache allowed to spill, SQLite writes pages before the commit, again in place, and changes frame headers
 * afterwards: each of these opens and seals a frame anew. */
static void a_transaction_larger_than_the_cache(void **state)
{
	static const char *const names[] = { "vault.db", "vault.db-wal", "vault.mark" };
	char *dir = kit_dir();
	char *crashed = kit_dir();
	struct vault *v = kit_open(dir, VAULT_CREATE, &rng);
	struct vault *again = NULL;

	(void)state;
	kit_sql(v, "PRAGMA cache_size=20; PRAGMA cache_spill=10;"
	           "CREATE TABLE t(id INTEGER PRIMARY KEY, x); CREATE INDEX i ON t(x);"
	           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) "
	           "INSERT INTO t(id, x) SELECT i, printf('%d%.*c', i * 7919 % 4000, i % 300, 'z') FROM n;");
	kit_sql(v, "BEGIN; UPDATE t SET x = x || 'more'; UPDATE t SET x = substr(x, 1, 20) WHERE id % 3 = 0;"
	           "SAVEPOINT s; DELETE FROM t; ROLLBACK TO s; COMMIT");
	kit_sql(v, "BEGIN; DELETE FROM t WHERE id % 2 = 0; UPDATE t SET x = 'lost'; ROLLBACK");
	assert_int_equal(kit_number(v, "SELECT count(*) FROM t"), 4000);
	assert_int_equal(kit_number(v, "SELECT count(*) FROM t WHERE x LIKE '%more' OR id % 3 = 0"), 4000);
	assert_whole(v);
	/* The log as it lies there is read back by another opening. */
	for (size_t i = 0; i < 3; i++) {
		struct buf b = kit_read(dir, names[i]);

		kit_write(crashed, names[i], b.data, b.len);
		buf_free(&b);
	}
	again = kit_open(crashed, VAULT_OPEN, &rng);
	assert_int_equal(kit_number(again, "SELECT count(*) FROM t WHERE x LIKE '%more' OR id % 3 = 0"), 4000);
	assert_whole(again);
	vault_close(again);
	kit_dir_free(crashed);
	assert_int_equal(vault_checkpoint(v, NULL, false), ERR_OK);
	kit_sql(v, "UPDATE t SET x = 'short'");
	assert_whole(v);
	vault_close(v);
	v = kit_open(dir, VAULT_OPEN, &rng);
	assert_int_equal(kit_number(v, "SELECT count(*) FROM t WHERE x = 'short'"), 4000);
	assert_whole(v);
	vault_close(v);
	kit_dir_free(dir);
}

/* The process ends without closing: the log is read back, and the sum carries on. */
static void left_open(void **state)
{
	char *dir = kit_dir();
	int status = 0;

	(void)state;
	vault_close(kit_open(dir, VAULT_CREATE, &rng));
	for (int round = 1; round <= 4; round++) {
		pid_t child = fork();
		struct vault *v = NULL;

		if (child == 0) {
			v = kit_open(dir, VAULT_OPEN, &crypto_rng);
			kit_fill(v, 30);
			if (round % 2 == 0 && vault_checkpoint(v, NULL, false) != ERR_OK)
				_exit(1);
			kit_fill(v, 10);
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		v = kit_open(dir, VAULT_OPEN, &rng);
		assert_int_equal(kit_number(v, "SELECT count(*) FROM t"), 40 * round);
		assert_whole(v);
		vault_close(v);
	}
	kit_dir_free(dir);
}

/* SQLite may run out of memory between the sync of a commit and its own note of it; then it writes the same frames
 * anew. The mark goes below them first, on disk, or a power loss would look like damage. Here that is done by hand. */
static void a_commit_that_sqlite_takes_back(void **state)
{
	enum { FRAME = WAL_FRAME_HEADER + VAULT_PAGE_SIZE };
	char *dir = kit_dir();
	struct vault *v = kit_open(dir, VAULT_CREATE, &rng);
	struct ledger *l = &v->ledger;
	sqlite3_file *log = NULL;
	uint8_t frame[FRAME];
	uint32_t last = 0;
	uint64_t sequence = 0;

	(void)state;
	kit_fill(v, 10);
	assert_int_equal(sqlite3_file_control(vault_db(v), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log), SQLITE_OK);
	last = l->committed;
	assert_int_equal(l->mark.frames, last);
	sequence = l->mark.sequence;
	assert_int_equal(log->pMethods->xRead(log, frame, FRAME, WAL_HEADER_LEN + (sqlite3_int64)(last - 1) * FRAME),
	                 SQLITE_OK);
	assert_int_equal(
	    log->pMethods->xWrite(log, frame, WAL_FRAME_HEADER, WAL_HEADER_LEN + (sqlite3_int64)(last - 1) * FRAME),
	    SQLITE_OK);
	assert_int_equal(log->pMethods->xWrite(log, frame + WAL_FRAME_HEADER, VAULT_PAGE_SIZE,
	                                       WAL_HEADER_LEN + (sqlite3_int64)(last - 1) * FRAME + WAL_FRAME_HEADER),
	                 SQLITE_OK);
	assert_int_equal(l->mark.frames, last - 1);
	assert_int_equal(l->mark.sequence, sequence + 2);
	assert_int_equal(l->committed, last);
	assert_int_equal(log->pMethods->xSync(log, SQLITE_SYNC_NORMAL), SQLITE_OK);
	assert_int_equal(l->mark.frames, last);
	assert_int_equal(kit_number(v, "SELECT count(*) FROM t"), 10);
	assert_whole(v);
	vault_close(v);
	v = kit_open(dir, VAULT_OPEN, &rng);
	assert_int_equal(kit_number(v, "SELECT count(*) FROM t"), 10);
	assert_whole(v);
	vault_close(v);
	kit_dir_free(dir);
}

/* ---- V1: nothing readable on disk, at any time ---- */

#define MARKER "Noordermarkt"

/* What must not be seen: typed text, names of tables, SQLite's own constants. */
static const char *const telltale[] = { MARKER, "noordermarkt", "t_secret", "SQLite format 3", "CREATE TABLE", "fts5" };

struct watch {
	uint64_t bytes;
	unsigned hits;
};

static void watch_bytes(void *self, const uint8_t *data, size_t len)
{
	struct watch *w = self;

	w->bytes += len;
	for (size_t i = 0; i < sizeof(telltale) / sizeof(telltale[0]); i++)
		w->hits += memmem(data, len, telltale[i], strlen(telltale[i])) != NULL;
}

static void fill_secret(struct vault *v)
{
	kit_sql(v, "CREATE TABLE t_secret(id INTEGER PRIMARY KEY, x, y);"
	           "CREATE VIRTUAL TABLE f USING fts5(x);"
	           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
	           "INSERT INTO t_secret(x, y) SELECT '" MARKER " ' || i, i * 7919 % 3000 FROM n;"
	           "INSERT INTO f SELECT x FROM t_secret;");
	kit_sql(v, "UPDATE t_secret SET x = x || '" MARKER "' WHERE id % 5 = 0; VACUUM;");
}

static void nothing_readable_is_ever_written(void **state)
{
	char *dir = kit_dir();
	struct watch w = { 0, 0 };
	struct vault *v = NULL;
	struct disk *disk = disk_new();

	(void)state;
	disk->on_bytes = watch_bytes;
	disk->on_bytes_self = &w;
	assert_int_equal(vault_open_over(NULL, dir, KIT_MASTER, VAULT_CREATE, &rng, &disk->base, &v), ERR_OK);
	fill_secret(v);
	/* Against the settings: a sort and a temporary table that go to files. */
	kit_sql(v, "PRAGMA temp_store=FILE; PRAGMA cache_size=10; PRAGMA temp.cache_size=10; PRAGMA cache_spill=ON;"
	           "CREATE TEMP TABLE copy AS SELECT id, x || printf('%.*c', 900, 'q') AS x, y FROM t_secret ORDER BY "
	           "2 DESC; CREATE INDEX temp.i ON copy(x, y);"
	           "SAVEPOINT s; UPDATE copy SET x = x || 'more'; UPDATE t_secret SET x = 'less'; ROLLBACK TO s; "
	           "RELEASE s; SELECT x, count(*) FROM t_secret GROUP BY substr(x, 5) ORDER BY 2, 1;");
	assert_int_equal(kit_number(v, "SELECT count(*) FROM copy WHERE x LIKE '" MARKER "%'"), 3000);
	assert_whole(v);
	vault_close(v);
	print_message("%llu bytes looked at, %u writes to temporary files\n", (unsigned long long)w.bytes,
	              disk->temp_writes);
	assert_true(w.bytes > 1000000);
	assert_true(disk->temp_writes > 10);
	assert_int_equal(w.hits, 0);
	for (size_t i = 0; i < KIT_FILE_COUNT; i++) {
		struct buf b = kit_read(dir, KIT_FILES[i]);

		watch_bytes(&w, b.data == NULL ? (const uint8_t *)"" : b.data, b.len);
		buf_free(&b);
	}
	assert_int_equal(w.hits, 0);
	disk_free(disk);
	kit_dir_free(dir);
}

/* Without the marker's own encryption the watch above would be blind: it sees them in a plain database. */
static void the_watch_can_see(void **state)
{
	struct watch w = { 0, 0 };

	(void)state;
	watch_bytes(&w, (const uint8_t *)"xx" MARKER "xx", strlen(MARKER) + 4);
	assert_int_equal(w.hits, 1);
}

/* A journal put beside the vault is not played back, and not touched. */
static void a_planted_journal_is_not_read(void **state)
{
	char *dir = kit_dir();
	struct vault *v = kit_open(dir, VAULT_CREATE, &rng);
	uint8_t junk[2048];
	struct buf b = { 0 };
	char *path = file_join(dir, "vault.db-journal");

	(void)state;
	kit_fill(v, 10);
	vault_close(v);
	memset(junk, 0xd9, sizeof(junk));
	kit_write(dir, "vault.db-journal", junk, sizeof(junk));
	v = kit_open(dir, VAULT_OPEN, &rng);
	assert_int_equal(kit_number(v, "SELECT count(*) FROM t"), 10);
	assert_int_equal(
	    sqlite3_exec(vault_db(v), "PRAGMA journal_mode=DELETE; INSERT INTO t(x) VALUES(1)", NULL, NULL, NULL),
	    SQLITE_CANTOPEN);
	vault_close(v);
	b = kit_read(dir, "vault.db-journal");
	assert_int_equal(b.len, sizeof(junk));
	buf_free(&b);
	unlink(path);
	free(path);
	kit_dir_free(dir);
}

static void the_chain_is_the_documented_hash(void **state)
{
	static const uint8_t zero[VAULT_CHAIN_LEN];
	uint8_t master[32];
	uint8_t link[VAULT_CHAIN_LEN];
	uint8_t next[VAULT_CHAIN_LEN];
	char hex[65];
	char *dir = kit_dir();
	struct vault *v = NULL;
	struct bytes entry = { (const uint8_t *)"entry", 5 };

	(void)state;
	for (int i = 0; i < 32; i++)
		master[i] = (uint8_t)i;
	assert_int_equal(vault_open(NULL, dir, master, VAULT_CREATE, &rng, &v), ERR_OK);
	vault_chain(v, zero, entry, link);
	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", link[i]);
	assert_string_equal(hex, "a8965a98779a6b0c338831819792dfac452fa05b434853fe7b6984ae080717d3");
	vault_chain(v, link, entry, next);
	assert_memory_not_equal(link, next, sizeof(next));
	vault_close(v);
	kit_dir_free(dir);
}

/* Emptied, the log holds nothing any more: the end of destroying a key. */
static void a_truncating_checkpoint_empties_the_log(void **state)
{
	char *dir = kit_dir();
	struct vault *v = kit_open(dir, VAULT_CREATE, &rng);
	struct buf b = { 0 };

	(void)state;
	kit_fill(v, 10);
	b = kit_read(dir, "vault.db-wal");
	assert_true(b.len > 10 * 4120);
	buf_free(&b);
	assert_int_equal(vault_checkpoint(v, NULL, true), ERR_OK);
	b = kit_read(dir, "vault.db-wal");
	assert_int_equal(b.len, 0);
	buf_free(&b);
	kit_sql(v, "BEGIN");
	assert_int_equal(vault_checkpoint(v, NULL, true), ERR_OK);
	kit_sql(v, "INSERT INTO t(x) VALUES(1)");
	assert_int_equal(vault_checkpoint(v, NULL, true), ERR_LATER);
	kit_sql(v, "COMMIT");
	assert_whole(v);
	vault_close(v);
	kit_dir_free(dir);
}

static void a_background_check_starts_over_after_a_checkpoint(void **state)
{
	char *dir = kit_dir();
	struct vault *v = kit_open(dir, VAULT_CREATE, &rng);
	struct vault_check c = { .done = false };
	unsigned steps = 0;

	(void)state;
	kit_fill(v, 200);
	assert_int_equal(vault_checkpoint(v, NULL, false), ERR_OK);
	assert_int_equal(vault_check_step(v, NULL, &c, 10), ERR_OK);
	assert_int_equal(c.report.pages, 10);
	kit_fill(v, 20);
	assert_int_equal(vault_checkpoint(v, NULL, false), ERR_OK);
	for (; !c.done; steps++)
		assert_int_equal(vault_check_step(v, NULL, &c, 10), ERR_OK);
	assert_int_equal(c.report.pages, kit_number(v, "PRAGMA page_count"));
	assert_true(steps >= c.report.pages / 10);
	assert_true(c.report.sum_matches);
	vault_close(v);
	kit_dir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opening_and_refusing),
		cmocka_unit_test(one_owner),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(what_is_written_comes_back),
		cmocka_unit_test(a_transaction_larger_than_the_cache),
		cmocka_unit_test(left_open),
		cmocka_unit_test(a_commit_that_sqlite_takes_back),
		cmocka_unit_test(nothing_readable_is_ever_written),
		cmocka_unit_test(the_watch_can_see),
		cmocka_unit_test(a_planted_journal_is_not_read),
		cmocka_unit_test(the_chain_is_the_documented_hash),
		cmocka_unit_test(a_truncating_checkpoint_empties_the_log),
		cmocka_unit_test(a_background_check_starts_over_after_a_checkpoint),
	};

	return vault_start() != ERR_OK ? 1 : cmocka_run_group_tests_name("vault/vault", tests, NULL, NULL);
}
