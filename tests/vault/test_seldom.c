// SPDX-License-Identifier: EUPL-1.2
// Goal (V1, V2, V5, V6): what seldom comes about in a vault is judged as it is: neither damage that is none, nor a word
// of a whole vault that is not. Checkpoints that were cut off, transactions taken back, databases that shrank in their
// log, marks without a sum, torn tails on a disk that fails.
//
// Seen to fail when: a frame of a transaction that was taken back proves damage (it did, without SQLite); the older
// mark that salvage meets is not named (it was not); integrity_check is not asked, or only its error; ledger_retire()
// counts pages that were never moved as moved; sum_without() takes out what an earlier checkpoint had taken out; a file
// that was opened by an opening that failed is not closed; ATTACH looks at names that are written out only.
#include "vault/scene.h"

#include "base/codec.h"
#include "vault/copy.h"
#include "vault/pages.h"

static struct seed seed = { 31415 };
static struct rng rng = { seed_fill, &seed };

/* The files as a kill would leave them, in a folder of their own. */
static char *killed(const struct scene *s)
{
	static const char *const names[] = { "vault.db", "vault.db-wal", "vault.mark" };
	char *dir = kit_dir();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct buf b = kit_read(s->dir, names[i]);

		kit_write(dir, names[i], b.data, b.len);
		buf_free(&b);
	}
	return dir;
}

static struct pages_report pages_of(const char *dir, uint32_t *count)
{
	struct pages_report r = { 0 };
	struct vault_pages *p = NULL;

	assert_int_equal(vault_pages_open(NULL, dir, KIT_MASTER, &rng, &p), ERR_OK);
	assert_int_equal(vault_pages_report(p, &r), ERR_OK);
	*count = vault_pages_count(p);
	vault_pages_close(p);
	return r;
}

/* With SQLite and without it: nothing is said of it, and it holds the scene's rows. */
static void assert_sound(char *dir, bool sum)
{
	uint32_t count = 0;
	struct pages_report r = pages_of(dir, &count);
	struct vault *v = NULL;
	struct vault_report report;

	assert_int_equal(r.bad_pages, 0);
	assert_int_equal(r.bad_frames, 0);
	assert_false(r.log_cut || r.mark_missing);
	assert_true(r.sum_known == sum && r.sum_matches == sum);
	v = kit_open(dir, VAULT_OPEN, &rng);
	assert_int_equal(count, kit_number(v, "PRAGMA page_count"));
	assert_int_equal(kit_number(v, "SELECT count(*) FROM t"), SCENE_ROWS);
	assert_int_equal(vault_verify(v, NULL, &report), ERR_OK);
	vault_close(v);
}

static void flip(const char *dir, const char *name, size_t at)
{
	struct buf b = kit_read(dir, name);
	char *path = file_join(dir, name);
	int fd = open(path, O_RDWR);
	uint8_t byte = 0;

	assert_true(fd >= 0 && at < b.len);
	byte = b.data[at] ^ 1;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
	close(fd);
	free(path);
	buf_free(&b);
}

/* ---- Opening ---- */

static void a_stub_of_a_database(void **state)
{
	struct scene s;
	struct vault *v = NULL;
	char *dir = NULL;

	(void)state;
	scene_begin(&s, &rng);
	dir = killed(&s);
	kit_write(dir, "vault.db", s.db.data, 100);
	assert_int_equal(vault_open(NULL, dir, KIT_MASTER, VAULT_OPEN, &rng, &v), ERR_DAMAGED);
	kit_write(dir, "vault.db-wal", NULL, 0);
	assert_int_equal(vault_open(NULL, dir, KIT_MASTER, VAULT_SALVAGE, &rng, &v), ERR_DAMAGED);
	assert_null(v);
	kit_dir_free(dir);
	scene_end(&s);
}

/* V1: a name that comes as a value is no way to another file either. */
static void no_file_by_a_bound_name(void **state)
{
	struct scene s;
	sqlite3_stmt *st = NULL;
	char *path = NULL;

	(void)state;
	scene_begin(&s, &rng);
	path = file_join(s.dir, "other.db");
	assert_int_equal(sqlite3_prepare_v2(vault_db(s.v), "ATTACH ?1 AS other", -1, &st, NULL), SQLITE_AUTH);
	assert_null(st);
	assert_false(file_exists(path));
	free(path);
	scene_end(&s);
}

static void an_opening_that_fails_late(void **state)
{
	struct scene s;
	unsigned failed = 0;

	(void)state;
	scene_begin(&s, &rng);
	vault_close(s.v);
	s.v = NULL;
	for (unsigned after = 0;; after++) {
		struct errctx ec = { .code = ERR_OK };
		enum err e = ERR_OK;

		disk_fault(s.disk, FAULT_OPENED, after, false);
		e = vault_open_over(&ec, s.dir, KIT_MASTER, VAULT_OPEN, &rng, &s.disk->base, &s.v);
		vault_close(s.v);
		s.v = NULL;
		assert_int_equal(s.disk->files, 0);
		if (s.disk->fault_hits == 0) {
			assert_int_equal(e, ERR_OK);
			break;
		}
		assert_int_equal(e, ERR_IO);
		assert_int_equal(ec.code, ERR_IO);
		failed++;
	}
	assert_true(failed >= 2); /* the mark, the database */
	disk_fault(s.disk, 0, 0, false);
	scene_end(&s);
}

/* The records of the sum are lost, those of the mark are not; and the disk may fail while that is found out. */
static void marks_without_a_sum(void **state)
{
	struct scene s;
	struct buf mark = { 0 };
	struct vault *v = NULL;
	uint64_t generation = 0;
	unsigned failed = 0;

	(void)state;
	scene_begin(&s, &rng);
	generation = s.v->ledger.log.generation;
	vault_close(s.v);
	s.v = NULL;
	mark = kit_read(s.dir, "vault.mark");
	memset(mark.data + 2 * LEDGER_SLOT, 0, 4 * LEDGER_SLOT);
	for (unsigned after = 0;; after++) {
		enum err e = ERR_OK;

		kit_write(s.dir, "vault.mark", mark.data, mark.len);
		disk_fault(s.disk, FAULT_SIZE, after, false);
		e = vault_open_over(NULL, s.dir, KIT_MASTER, VAULT_OPEN, &rng, &s.disk->base, &v);
		assert_true(e == ERR_OK || (e == ERR_IO && s.disk->fault_hits > 0));
		failed += e != ERR_OK;
		if (s.disk->fault_hits == 0)
			break;
		vault_close(v);
		v = NULL;
	}
	assert_true(failed > 0);
	disk_fault(s.disk, 0, 0, false);
	assert_true(vault_notice(v).mark_missing);
	/* It goes on after what the marks name, not after nothing. */
	assert_int_equal(v->ledger.record.generation, generation);
	assert_false(v->ledger.record.known);
	assert_int_equal(vault_accept(v, NULL), ERR_OK);
	vault_close(v);
	buf_free(&mark);
	scene_end(&s);
}

static void an_older_mark_is_named(void **state)
{
	struct scene s;
	struct buf mark = { 0 };
	struct errctx ec = { .code = ERR_OK };
	struct vault *v = NULL;
	char *dir = NULL;
	char text[300];

	(void)state;
	scene_begin(&s, &rng);
	mark = kit_read(s.dir, "vault.mark");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(vault_checkpoint(s.v, NULL, true), ERR_OK);
		kit_sql(s.v, "UPDATE t SET x = x || 'y'");
	}
	dir = killed(&s);
	kit_write(dir, "vault.mark", mark.data, mark.len);
	assert_int_equal(vault_open(&ec, dir, KIT_MASTER, VAULT_OPEN, &rng, &v), ERR_DAMAGED);
	assert_non_null(strstr(err_text(&ec, NULL, text, sizeof(text)), "vault.mark"));
	v = kit_open(dir, VAULT_SALVAGE, &rng);
	assert_true(vault_notice(v).mark_behind && vault_notice(v).salvaged);
	assert_int_equal(kit_number(v, "SELECT count(*) FROM t WHERE x LIKE '%yy'"), SCENE_ROWS);
	assert_int_equal(vault_accept(v, NULL), ERR_OK);
	vault_close(v);
	v = kit_open(dir, VAULT_OPEN, &rng);
	assert_false(vault_notice(v).mark_behind || vault_notice(v).salvaged);
	vault_close(v);
	buf_free(&mark);
	kit_dir_free(dir);
	scene_end(&s);
}

/* A tail that a power loss tore is dropped; where the disk does not let it be looked at, that is said instead. */
static void a_torn_tail_on_a_failing_disk(void **state)
{
	static const unsigned kinds[] = { FAULT_READ, FAULT_SIZE };
	struct scene s;
	struct buf log = { 0 };
	uint8_t junk[3 * (WAL_FRAME_HEADER + VAULT_PAGE_SIZE)];
	unsigned failed = 0;

	(void)state;
	scene_begin(&s, &rng);
	seed_fill(&seed, junk, sizeof(junk));
	assert_int_equal(buf_put(&log, s.wal.data, s.wal.len), ERR_OK);
	assert_int_equal(buf_put(&log, junk, sizeof(junk)), ERR_OK);
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		for (unsigned after = 0;; after++) {
			char *dir = killed(&s);
			struct vault *v = NULL;
			enum err e = ERR_OK;
			bool hit = false;

			kit_write(dir, "vault.db-wal", log.data, log.len);
			disk_fault(s.disk, kinds[k], after, false);
			e = vault_open_over(NULL, dir, KIT_MASTER, VAULT_OPEN, &rng, &s.disk->base, &v);
			hit = s.disk->fault_hits > 0;
			disk_fault(s.disk, 0, 0, false);
			if (e != ERR_OK && (e != ERR_IO || !hit))
				fail_msg("kind %u, call %u: %d", kinds[k], after, e);
			failed += e != ERR_OK;
			vault_close(v);
			assert_sound(dir, true);
			kit_dir_free(dir);
			if (!hit)
				break;
		}
	}
	assert_true(failed > 10);
	buf_free(&log);
	scene_end(&s);
}

/* ---- Looking ---- */

static void a_vault_of_many_pages(void **state)
{
	struct scene s;
	struct vault_report r;
	struct vault *copy = NULL;
	char *side = kit_dir();

	(void)state;
	scene_begin(&s, &rng);
	kit_sql(s.v, "CREATE TABLE big(x); INSERT INTO big VALUES(randomblob(5000000))");
	assert_int_equal(vault_checkpoint(s.v, NULL, true), ERR_OK);
	assert_int_equal(vault_verify(s.v, NULL, &r), ERR_OK);
	assert_true(r.pages > 1220);
	/* the last of them is looked at too */
	flip(s.dir, "vault.db", (size_t)r.pages * VAULT_PAGE_SIZE - 2000);
	assert_int_equal(vault_verify(s.v, NULL, &r), ERR_DAMAGED);
	assert_int_equal(r.bad_pages, 1);
	flip(s.dir, "vault.db", (size_t)r.pages * VAULT_PAGE_SIZE - 2000);
	assert_int_equal(vault_copy(s.v, NULL, side, KIT_MASTER), ERR_OK);
	copy = kit_open(side, VAULT_OPEN, &rng);
	assert_int_equal(kit_number(copy, "SELECT length(x) FROM big"), 5000000);
	assert_int_equal(vault_verify(copy, NULL, &r), ERR_OK);
	vault_close(copy);
	kit_dir_free(side);
	scene_end(&s);
}

/* Every page opens, the sum is right, and what they hold contradicts itself. */
static void whole_pages_that_make_no_sense(void **state)
{
	struct scene s;
	struct vault_report r;

	(void)state;
	scene_begin(&s, &rng);
	kit_sql(s.v, "CREATE TABLE c(a CHECK(a > 0)); PRAGMA ignore_check_constraints=ON; INSERT INTO c VALUES(-1);"
	             "PRAGMA ignore_check_constraints=OFF");
	assert_int_equal(vault_verify(s.v, NULL, &r), ERR_DAMAGED);
	assert_true(r.bad_pages == 0 && r.bad_frames == 0 && r.sum_matches && !r.consistent);
	assert_non_null(strstr(r.first, "CHECK"));
	kit_sql(s.v, "DROP TABLE c");
	assert_int_equal(vault_verify(s.v, NULL, &r), ERR_OK);
	assert_string_equal(r.first, "");
	scene_end(&s);
}

static void cut_off_while_open(void **state)
{
	struct scene s;
	char *path = NULL;

	(void)state;
	scene_begin(&s, &rng);
	assert_int_equal(vault_checkpoint(s.v, NULL, true), ERR_OK);
	scene_look(&s);
	path = file_join(s.dir, "vault.db");
	assert_int_equal(vault_sum_check(s.v, NULL), ERR_OK);
	assert_int_equal(truncate(path, (off_t)s.db.len / 2), 0);
	assert_int_equal(vault_sum_check(s.v, NULL), ERR_DAMAGED);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(vault_sum_check(s.v, NULL), ERR_DAMAGED);
	free(path);
	scene_drop(&s);
}

/* SQLite's way to do without a log ends at the first page that it would write past it. Until the vault is opened again
 * it has none, and its pages can be looked at. */
static void a_vault_does_not_leave_its_log(void **state)
{
	struct scene s;
	struct vault_check c = { .next = 0 };
	sqlite3_file *log = NULL;

	(void)state;
	scene_begin(&s, &rng);
	assert_int_equal(sqlite3_exec(vault_db(s.v), "PRAGMA journal_mode=MEMORY", NULL, NULL, NULL),
	                 SQLITE_IOERR_WRITE);
	assert_int_equal(sqlite3_file_control(vault_db(s.v), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log), SQLITE_OK);
	assert_ptr_not_equal(log->pMethods, &wal_methods);
	while (!c.done)
		assert_int_equal(vault_check_step(s.v, NULL, &c, 64), ERR_OK);
	assert_true(c.report.pages > 0 && c.report.sum_matches);
	assert_int_equal(c.report.frames, 0);
	scene_end(&s);
}

/* ---- Checkpoints ---- */

/* Cut off at every write and every read, and ended after the database shrank meanwhile: what the sum covers in between
 * is right at each moment, in the process and for whoever finds the files. */
static void a_checkpoint_cut_off(void **state)
{
	static const unsigned kinds[] = { FAULT_WRITE, FAULT_READ };
	unsigned halves = 0;
	unsigned cut = 0;

	(void)state;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		for (unsigned after = 0;; after++) {
			struct scene s;
			struct vault_report r;
			struct pages_report pages;
			char *dir = NULL;
			uint32_t count = 0;
			bool hit = false;

			scene_begin(&s, &rng);
			kit_sql(s.v, "CREATE TABLE big(x); INSERT INTO big VALUES(randomblob(400000))");
			disk_fault(s.disk, kinds[k], after, false);
			(void)!vault_checkpoint(s.v, NULL, false);
			hit = s.disk->fault_hits > 0;
			disk_fault(s.disk, 0, 0, false);
			halves += s.v->ledger.record.frames > 0;
			assert_int_equal(vault_sum_check(s.v, NULL), ERR_OK);
			assert_int_equal(vault_verify(s.v, NULL, &r), ERR_OK);
			dir = killed(&s);
			if (s.v->ledger.record.frames > 0) {
				/* without its log nothing can be compared, and the log is missed; unless all was
				 * moved, and one of two copies of the record says so */
				char *alone = killed(&s);

				kit_write(alone, "vault.db-wal", NULL, 0);
				pages = pages_of(alone, &count);
				assert_true(pages.log_cut ? !pages.sum_known
				                          : pages.sum_matches && pages.bad_pages == 0);
				cut += pages.log_cut;
				kit_dir_free(alone);
			}
			assert_sound(dir, true);
			kit_dir_free(dir);
			/* Shorter than what was being moved, while the disk fails once more. */
			kit_sql(s.v, "DROP TABLE big; VACUUM");
			disk_fault(s.disk, FAULT_READ, after, false);
			(void)!vault_checkpoint(s.v, NULL, false);
			disk_fault(s.disk, 0, 0, false);
			assert_int_equal(vault_sum_check(s.v, NULL), ERR_OK);
			assert_int_equal(vault_checkpoint(s.v, NULL, true), ERR_OK);
			assert_int_equal(vault_sum_check(s.v, NULL), ERR_OK);
			scene_end(&s);
			if (!hit)
				break;
		}
	}
	assert_true(halves > 5 && cut > 5);
}

/* SQLite may take back its last commit after the log was thought to be moved: pages that were not, and a file that is
 * longer than that commit said, count as they lie on the disk. */
static void a_checkpoint_that_moved_nothing(void **state)
{
	struct scene s;
	uint64_t sequence = 0;
	unsigned failed = 0;

	(void)state;
	scene_begin(&s, &rng);
	kit_sql(s.v, "CREATE TABLE big(x); INSERT INTO big VALUES(randomblob(100000))");
	assert_int_equal(vault_checkpoint(s.v, NULL, true), ERR_OK);
	kit_sql(s.v, "DROP TABLE big; VACUUM");
	scene_look(&s);
	assert_int_equal(ledger_cut(&s.v->ledger), SQLITE_OK);
	for (unsigned after = 0;; after++) {
		int rc = SQLITE_OK;

		sequence = s.v->ledger.record.sequence;
		disk_fault(s.disk, FAULT_READ, after, false);
		rc = ledger_retire(&s.v->ledger);
		if (s.disk->fault_hits == 0) {
			assert_int_equal(rc, SQLITE_OK);
			break;
		}
		assert_int_equal(rc, SQLITE_IOERR_READ);
		assert_int_equal(s.v->ledger.record.sequence, sequence);
		failed++;
	}
	disk_fault(s.disk, 0, 0, false);
	assert_true(failed > 10);
	assert_int_equal(s.v->ledger.record.sequence, sequence + 1);
	assert_int_equal(s.v->ledger.record.pages * (size_t)VAULT_PAGE_SIZE, s.db.len);
	assert_int_equal(vault_sum_check(s.v, NULL), ERR_OK);
	flip(s.dir, "vault.db", s.db.len - AEAD_TAG_LEN - 1); /* the nonce of a page that no frame held */
	assert_int_equal(vault_sum_check(s.v, NULL), ERR_DAMAGED);
	flip(s.dir, "vault.db", s.db.len - AEAD_TAG_LEN - 1);
	/* What is in the database already is not put there again. */
	s.v->ledger.committed = 1;
	sequence = s.v->ledger.record.sequence;
	assert_int_equal(ledger_retire(&s.v->ledger), SQLITE_OK);
	assert_int_equal(s.v->ledger.record.sequence, sequence);
	scene_drop(&s);
}

/* A record of a checkpoint that has more frames than there are: nothing to compare with, and no damage by itself. */
static void a_sum_of_frames_that_are_gone(void **state)
{
	struct scene s;
	uint32_t frames = 0;

	(void)state;
	scene_begin(&s, &rng);
	frames = s.v->ledger.record.frames;
	s.v->ledger.record.frames = s.v->ledger.frame_count + 1;
	s.v->ledger.record.sum[0]++;
	assert_int_equal(vault_sum_check(s.v, NULL), ERR_OK);
	s.v->ledger.record.frames = frames;
	assert_int_equal(vault_sum_check(s.v, NULL), ERR_DAMAGED);
	s.v->ledger.record.sum[0]--;
	assert_int_equal(vault_sum_check(s.v, NULL), ERR_OK);
	scene_end(&s);
}

/* ---- Logs ---- */

/* More pages than the cache holds were written to the log and taken back. Their frames open, and prove nothing. */
static void a_transaction_taken_back(void **state)
{
	struct scene s;
	char *dir = NULL;
	uint32_t committed = 0;

	(void)state;
	scene_begin(&s, &rng);
	kit_sql(s.v, "PRAGMA cache_size=10; PRAGMA cache_spill=1; BEGIN; CREATE TABLE big(x);"
	             "WITH n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 150)"
	             " INSERT INTO big SELECT randomblob(3900) FROM n; ROLLBACK");
	kit_sql(s.v, "UPDATE t SET x = x || 'z' WHERE id = 1");
	committed = s.v->ledger.committed;
	scene_look(&s);
	assert_true(s.wal.len > WAL_HEADER_DISK + (committed + 20) * (size_t)(WAL_FRAME_HEADER + VAULT_PAGE_SIZE));
	dir = killed(&s);
	assert_sound(dir, true);
	kit_dir_free(dir);
	/* A later transaction after damage does prove it. */
	dir = killed(&s);
	flip(dir, "vault.db-wal", WAL_HEADER_DISK + 1000);
	{
		uint32_t count = 0;
		struct pages_report r = pages_of(dir, &count);

		assert_true(r.log_cut && r.bad_frames == 1 && r.frames > 1);
	}
	kit_dir_free(dir);
	scene_end(&s);
}

static void a_database_that_shrank_in_its_log(void **state)
{
	struct scene s;
	char *dir = NULL;

	(void)state;
	scene_begin(&s, &rng);
	kit_sql(s.v, "CREATE TABLE big(x); INSERT INTO big VALUES(randomblob(400000))");
	kit_sql(s.v, "DROP TABLE big; VACUUM");
	dir = killed(&s);
	assert_sound(dir, true);
	kit_dir_free(dir);
	scene_end(&s);
}

static void one_mark_of_two(void **state)
{
	struct scene s;
	char *dir = NULL;
	uint32_t count = 0;

	(void)state;
	scene_begin(&s, &rng);
	for (size_t slot = 0; slot < 2; slot++) {
		struct vault *v = NULL;

		dir = killed(&s);
		flip(dir, "vault.mark", slot * LEDGER_SLOT + 60);
		assert_true(pages_of(dir, &count).mark_missing);
		v = kit_open(dir, VAULT_OPEN, &rng);
		assert_true(vault_notice(v).mark_missing);
		assert_int_equal(kit_number(v, "SELECT count(*) FROM t"), SCENE_ROWS);
		vault_close(v);
		kit_dir_free(dir);
	}
	scene_end(&s);
}

/* What salvage could not read is not accepted by itself: until then there is no sum to believe. */
static void salvage_that_was_not_accepted(void **state)
{
	struct scene s;
	struct vault *v = NULL;
	char *dir = NULL;
	uint32_t count = 0;

	(void)state;
	scene_begin(&s, &rng);
	dir = killed(&s);
	kit_write(dir, "vault.db-wal", s.wal.data, s.wal.len / 2);
	assert_true(pages_of(dir, &count).log_cut);
	v = kit_open(dir, VAULT_SALVAGE, &rng);
	assert_true(vault_notice(v).salvaged && !vault_notice(v).mark_behind);
	vault_close(v);
	assert_false(pages_of(dir, &count).sum_known);
	v = kit_open(dir, VAULT_OPEN, &rng);
	assert_int_equal(vault_accept(v, NULL), ERR_OK);
	vault_close(v);
	assert_true(pages_of(dir, &count).sum_matches);
	kit_dir_free(dir);
	scene_end(&s);
}

/* The log of an earlier day: it reads as empty, whoever asks. */
static void a_log_of_the_past(void **state)
{
	struct scene s;
	struct buf log = { 0 };
	uint8_t data[VAULT_PAGE_SIZE];
	sqlite3_file *f = NULL;

	(void)state;
	scene_begin(&s, &rng);
	assert_int_equal(buf_put(&log, s.wal.data, s.wal.len), ERR_OK);
	vault_close(s.v);
	kit_write(s.dir, "vault.db-wal", log.data, log.len);
	s.v = kit_open(s.dir, VAULT_OPEN, &rng);
	assert_int_equal(sqlite3_file_control(vault_db(s.v), "main", SQLITE_FCNTL_JOURNAL_POINTER, &f), SQLITE_OK);
	memset(data, 7, sizeof(data));
	assert_int_equal(f->pMethods->xRead(f, data, WAL_HEADER_LEN, 0), SQLITE_IOERR_SHORT_READ);
	assert_int_equal(data[0] | data[WAL_HEADER_LEN - 1], 0);
	assert_int_equal(f->pMethods->xRead(f, data, VAULT_PAGE_SIZE, 56), SQLITE_IOERR_SHORT_READ);
	assert_int_equal(f->pMethods->xWrite(f, data, WAL_FRAME_HEADER, WAL_HEADER_LEN), SQLITE_IOERR_WRITE);
	buf_free(&log);
	scene_end(&s);
}

/* A spare of page 1 that is not there helps nobody, and is no reason to believe in a page of zeros. */
static void page_one_and_its_spare_lost(void **state)
{
	struct scene s;
	struct buf mark = { 0 };
	struct vault *v = NULL;
	char *dir = NULL;

	(void)state;
	scene_begin(&s, &rng);
	assert_int_equal(vault_checkpoint(s.v, NULL, true), ERR_OK);
	dir = killed(&s);
	mark = kit_read(dir, "vault.mark");
	assert_true(mark.len > LEDGER_SPARE_AT);
	flip(dir, "vault.db", 500);
	v = kit_open(dir, VAULT_SALVAGE, &rng);
	assert_int_equal(kit_number(v, "SELECT count(*) FROM t"), SCENE_ROWS);
	vault_close(v);
	v = NULL;
	kit_write(dir, "vault.mark", mark.data, LEDGER_SIZE);
	assert_int_equal(vault_open(NULL, dir, KIT_MASTER, VAULT_SALVAGE, &rng, &v), ERR_DAMAGED);
	assert_null(v);
	buf_free(&mark);
	kit_dir_free(dir);
	scene_end(&s);
}

/* ---- The log, by hand ---- */

static void frame_of(const struct scene *s, uint8_t out[static WAL_FRAME_HEADER + VAULT_PAGE_SIZE])
{
	memset(out, 0, WAL_FRAME_HEADER + VAULT_PAGE_SIZE);
	be32_put(out, 2);
	memcpy(out + 8, ((struct wal_file *)s->log)->log.salts, WAL_SALT_LEN);
}

static sqlite3_int64 place_of(uint32_t frame)
{
	return WAL_HEADER_LEN + (sqlite3_int64)(frame - 1) * (WAL_FRAME_HEADER + VAULT_PAGE_SIZE);
}

static int log_write(struct scene *s, const void *data, int len, sqlite3_int64 at)
{
	return s->log->pMethods->xWrite(s->log, data, len, at);
}

/* A frame without a commit lies in memory: what else is asked of the log writes it first, and says where that fails. */
static void frames_that_wait_for_their_commit(void **state)
{
	struct scene s;
	uint8_t frame[WAL_FRAME_HEADER + VAULT_PAGE_SIZE];
	uint8_t got[VAULT_PAGE_SIZE];
	sqlite3_int64 size = 0;
	uint32_t next = 0;

	(void)state;
	scene_begin(&s, &rng);
	next = s.v->ledger.frame_count + 1;
	frame_of(&s, frame);
	memset(frame + WAL_FRAME_HEADER, 5, 100);
	for (int call = 0; call < 2; call++) {
		assert_int_equal(log_write(&s, frame, WAL_FRAME_HEADER, place_of(next)), SQLITE_OK);
		assert_int_equal(log_write(&s, frame + WAL_FRAME_HEADER, VAULT_PAGE_SIZE, place_of(next) + 24),
		                 SQLITE_OK);
		assert_unchanged(&s);
		/* it is read from there, and the one after it from nowhere */
		assert_int_equal(s.log->pMethods->xRead(s.log, got, VAULT_PAGE_SIZE, place_of(next) + 24), SQLITE_OK);
		assert_memory_equal(got, frame + WAL_FRAME_HEADER, VAULT_PAGE_SIZE);
		assert_int_equal(s.log->pMethods->xRead(s.log, got, VAULT_PAGE_SIZE, place_of(next + 1) + 24),
		                 SQLITE_IOERR_DATA);
		s.v->vfs->damage = (struct vfs_damage){ DAMAGE_NONE, 0 };
		disk_fault(s.disk, FAULT_WRITE, 0, false);
		if (call == 0)
			assert_int_equal(s.log->pMethods->xFileSize(s.log, &size), SQLITE_IOERR_WRITE);
		else
			assert_int_equal(log_write(&s, frame + WAL_FRAME_HEADER, VAULT_PAGE_SIZE, place_of(1) + 24),
			                 SQLITE_IOERR_WRITE);
		assert_int_equal(s.disk->fault_hits, 1);
		disk_fault(s.disk, 0, 0, false);
		assert_unchanged(&s);
	}
	/* A header alone is a change to a frame, which is not there. */
	assert_int_equal(log_write(&s, frame, WAL_FRAME_HEADER, place_of(next + 9)), SQLITE_OK);
	assert_int_equal(s.log->pMethods->xFileSize(s.log, &size), SQLITE_IOERR_SHORT_READ);
	assert_unchanged(&s);
	scene_end(&s);
}

/* A frame that was a commit is written anew only once the mark no longer claims it. */
static void a_commit_written_anew(void **state)
{
	struct scene s;
	uint8_t frame[WAL_FRAME_HEADER + VAULT_PAGE_SIZE];
	uint32_t claimed = 0;

	(void)state;
	scene_begin(&s, &rng);
	claimed = s.v->ledger.mark.frames;
	frame_of(&s, frame);
	assert_int_equal(log_write(&s, frame, WAL_FRAME_HEADER, place_of(claimed)), SQLITE_OK);
	disk_fault(s.disk, FAULT_WRITE, 0, false);
	assert_int_equal(log_write(&s, frame + WAL_FRAME_HEADER, VAULT_PAGE_SIZE, place_of(claimed) + 24),
	                 SQLITE_IOERR_WRITE);
	assert_int_equal(s.disk->fault_hits, 1);
	disk_fault(s.disk, 0, 0, false);
	assert_int_equal(s.v->ledger.mark.frames, claimed);
	assert_unchanged(&s);
	scene_end(&s);
}

static void a_frame_that_is_changed_and_does_not_open(void **state)
{
	struct scene s;
	uint8_t frame[WAL_FRAME_HEADER + VAULT_PAGE_SIZE];

	(void)state;
	scene_begin(&s, &rng);
	frame_of(&s, frame);
	flip(s.dir, "vault.db-wal", WAL_HEADER_DISK + 1000);
	scene_look(&s);
	assert_int_equal(log_write(&s, frame + WAL_FRAME_HEADER, VAULT_PAGE_SIZE, place_of(1) + 24), SQLITE_IOERR_DATA);
	assert_int_equal(s.v->vfs->damage.kind, DAMAGE_FRAME);
	assert_int_equal(s.v->vfs->damage.number, 1);
	assert_unchanged(&s);
	scene_drop(&s);
}

/* Parts of what is there, and places where nothing is. */
static void reads_of_other_sizes(void **state)
{
	struct scene s;
	uint8_t whole[VAULT_PAGE_SIZE];
	uint8_t got[VAULT_PAGE_SIZE];
	uint8_t frame[WAL_FRAME_HEADER + VAULT_PAGE_SIZE];

	(void)state;
	scene_begin(&s, &rng);
	assert_int_equal(s.log->pMethods->xRead(s.log, whole, VAULT_PAGE_SIZE, place_of(1) + 24), SQLITE_OK);
	assert_int_equal(s.log->pMethods->xRead(s.log, got, 100, place_of(1) + 24), SQLITE_OK);
	assert_memory_equal(got, whole, 100);
	assert_int_equal(s.log->pMethods->xRead(s.log, got, 16, 0), SQLITE_OK);
	assert_int_equal(be32_get(got + 8), VAULT_PAGE_SIZE);
	/* a page's worth of the database that is no page of it */
	assert_int_equal(s.main->pMethods->xRead(s.main, whole, VAULT_PAGE_SIZE, 0), SQLITE_OK);
	assert_int_equal(s.main->pMethods->xRead(s.main, got, VAULT_PAGE_SIZE, 100), SQLITE_OK);
	assert_memory_equal(got, whole + 100, VAULT_PAGE_SIZE - 100);
	/* the sum is asked before the log goes, and only then */
	assert_int_not_equal(s.v->vfs->base.xDelete(&s.v->vfs->base, "/no/such/file", 0), SQLITE_OK);
	assert_true(s.v->ledger.committed > 0);
	/* all is moved: what would be added to that log would be lost */
	frame_of(&s, frame);
	assert_int_equal(vault_checkpoint(s.v, NULL, false), ERR_OK);
	scene_look(&s);
	assert_int_equal(log_write(&s, frame, WAL_FRAME_HEADER, place_of(1)), SQLITE_IOERR_WRITE);
	assert_unchanged(&s);
	/* there is no log */
	assert_int_equal(vault_checkpoint(s.v, NULL, true), ERR_OK);
	assert_int_equal(s.log->pMethods->xRead(s.log, got, VAULT_PAGE_SIZE, place_of(1) + 24), SQLITE_IOERR_READ);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stub_of_a_database),
		cmocka_unit_test(no_file_by_a_bound_name),
		cmocka_unit_test(an_opening_that_fails_late),
		cmocka_unit_test(marks_without_a_sum),
		cmocka_unit_test(an_older_mark_is_named),
		cmocka_unit_test(a_torn_tail_on_a_failing_disk),
		cmocka_unit_test(a_vault_of_many_pages),
		cmocka_unit_test(whole_pages_that_make_no_sense),
		cmocka_unit_test(cut_off_while_open),
		cmocka_unit_test(a_vault_does_not_leave_its_log),
		cmocka_unit_test(a_checkpoint_cut_off),
		cmocka_unit_test(a_checkpoint_that_moved_nothing),
		cmocka_unit_test(a_sum_of_frames_that_are_gone),
		cmocka_unit_test(a_transaction_taken_back),
		cmocka_unit_test(a_database_that_shrank_in_its_log),
		cmocka_unit_test(one_mark_of_two),
		cmocka_unit_test(salvage_that_was_not_accepted),
		cmocka_unit_test(a_log_of_the_past),
		cmocka_unit_test(page_one_and_its_spare_lost),
		cmocka_unit_test(frames_that_wait_for_their_commit),
		cmocka_unit_test(a_commit_written_anew),
		cmocka_unit_test(a_frame_that_is_changed_and_does_not_open),
		cmocka_unit_test(reads_of_other_sizes),
	};

	return vault_start() != ERR_OK ? 1 : cmocka_run_group_tests_name("vault/seldom", tests, NULL, NULL);
}
