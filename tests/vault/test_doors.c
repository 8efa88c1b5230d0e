// SPDX-License-Identifier: EUPL-1.2
// Goal (V1, V2, V6): what SQLite never does, the VFS does not let happen either: writes of another size or in another
// place, frames of another log, pages that no log holds, a second database, a journal. Nothing on disk changes by it,
// and the vault is whole afterwards. After a sync that failed nothing is written. Each result code has its sentence.
//
// Seen to fail when: main_write() does not compare the size; frame_part_write() takes any salts; ledger_frame() lets a
// frame be left out; under_truncate() does not look at the latch.
#include "vault/scene.h"

#include <errno.h>

#include "base/codec.h"
#include "vault/keycopy.h"
#include "vault/pages.h"
#include "vault/swap.h"

static struct seed seed = { 8128 };
static struct rng rng = { seed_fill, &seed };

/* ---- Writes that are none of SQLite's ---- */

static void odd_writes_are_refused(void **state)
{
	static const struct {
		bool log;
		int len;
		sqlite3_int64 at;
	} cases[] = {
		{ false, 100, 0 },        { false, 256, 0 },     { false, 3000, 0 },    { false, 4096, 100 },
		{ false, 8192, 0 },       { false, 8192, 8192 }, { false, 2048, 2048 }, { false, 131072, 0 },
		{ false, 4096, 4096000 }, { true, 24, 5 },       { true, 0, 32 },       { true, -1, 32 },
		{ true, 24, 36 },         { true, 23, 32 },      { true, 4096, 32 },    { true, 2048, 56 },
		{ true, 31, 0 },          { true, 4096, 60 },
	};
	static uint8_t data[131072];
	struct scene s;

	(void)state;
	scene_begin(&s, &rng);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sqlite3_file *f = cases[i].log ? s.log : s.main;
		int rc = f->pMethods->xWrite(f, data, cases[i].len, cases[i].at);

		if (rc != SQLITE_IOERR_WRITE)
			fail_msg("case %zu: %d", i, rc);
	}
	assert_unchanged(&s);
	/* A page that SQLite would not write: its reserve is not zero. */
	data[4095] = 1;
	assert_int_equal(s.main->pMethods->xWrite(s.main, data, 4096, 4096), SQLITE_IOERR_WRITE);
	assert_int_equal(s.log->pMethods->xWrite(s.log, data, 4096, 32 + 24), SQLITE_IOERR_WRITE);
	data[4095] = 0;
	/* Frames of another log; a log of another page size. */
	memset(data + 8, 7, 8);
	assert_int_equal(s.log->pMethods->xWrite(s.log, data, 24, 32), SQLITE_IOERR_WRITE);
	be32_put(data + 8, 512);
	assert_int_equal(s.log->pMethods->xWrite(s.log, data, 32, 0), SQLITE_IOERR_WRITE);
	memset(data, 0, sizeof(data));
	assert_unchanged(&s);
	scene_end(&s);
}

static void odd_reads_are_refused(void **state)
{
	static const struct {
		int len;
		sqlite3_int64 at;
		int rc;
	} cases[] = {
		{ 24, -8, SQLITE_IOERR_READ },
		{ 0, 32, SQLITE_IOERR_READ },
		{ 16, 24, SQLITE_IOERR_READ },
		{ 4096, 32 + 100, SQLITE_IOERR_READ },
		{ 8, 24, SQLITE_OK },
		{ 4096, 32 + 24, SQLITE_OK },
		{ 24, 32, SQLITE_OK },
		{ 4120, 32, SQLITE_OK },
		{ 4096, 32 + 24 + 4120 * 5000LL, SQLITE_IOERR_DATA },
	};
	uint8_t data[8192];
	struct scene s;

	(void)state;
	scene_begin(&s, &rng);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int rc = s.log->pMethods->xRead(s.log, data, cases[i].len, cases[i].at);

		if (rc != cases[i].rc)
			fail_msg("case %zu: %d", i, rc);
	}
	/* Two pages at once, as SQLite reads where it expects another size: each is opened. */
	assert_int_equal(s.main->pMethods->xRead(s.main, data, 8192, 0), SQLITE_OK);
	assert_memory_equal(data, "SQLite format 3", 16);
	assert_int_equal(s.main->pMethods->xRead(s.main, data, 200, 4000), SQLITE_OK);
	assert_unchanged(&s);
	scene_end(&s);
}

static void files_that_a_vault_does_not_have(void **state)
{
	static const struct {
		const char *name;
		int flags;
		int rc;
	} cases[] = {
		{ "other.db", SQLITE_OPEN_MAIN_DB, SQLITE_CANTOPEN },
		{ "vault.db-journal", SQLITE_OPEN_MAIN_JOURNAL, SQLITE_CANTOPEN },
		{ "super", SQLITE_OPEN_SUPER_JOURNAL, SQLITE_CANTOPEN },
	};
	struct scene s;
	sqlite3_vfs *vfs = NULL;
	sqlite3_file *f = NULL;
	int there = 1;

	(void)state;
	scene_begin(&s, &rng);
	vfs = &s.v->vfs->base;
	f = calloc(1, (size_t)vfs->szOsFile);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *path = file_join(s.dir, cases[i].name);
		sqlite3_filename name = sqlite3_create_filename(path, "", "", 0, NULL);

		assert_int_equal(
		    vfs->xOpen(vfs, name, f, cases[i].flags | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL),
		    cases[i].rc);
		assert_null(f->pMethods);
		assert_false(file_exists(path));
		/* Nor is one seen that was put there. */
		assert_int_equal(vfs->xAccess(vfs, name, SQLITE_ACCESS_EXISTS, &there), SQLITE_OK);
		assert_int_equal(there, 0);
		sqlite3_free_filename(name);
		free(path);
	}
	/* What is no question of being there is passed on. */
	assert_int_equal(vfs->xAccess(vfs, s.v->db_path, SQLITE_ACCESS_READWRITE, &there), SQLITE_OK);
	assert_int_equal(there, 1);
	assert_int_equal(vfs->xAccess(vfs, "wal", SQLITE_ACCESS_EXISTS, &there), SQLITE_OK);
	assert_int_equal(there, 0);
	free(f);
	scene_end(&s);
}

/* After a sync that failed: nothing is written, cut, synced or removed, by either file, and the error stays. */
static void a_failed_sync_shuts_every_door(void **state)
{
	uint8_t page[4096] = { 0 };
	struct scene s;
	struct errctx ec = { .code = ERR_OK };

	(void)state;
	scene_begin(&s, &rng);
	disk_fault(s.disk, FAULT_SYNC, 0, false);
	assert_int_equal(sqlite3_exec(vault_db(s.v), "INSERT INTO t(x) VALUES('x')", NULL, NULL, NULL),
	                 SQLITE_IOERR_FSYNC);
	assert_int_equal(vault_sqlite_error(s.v, &ec), ERR_IO);
	disk_fault(s.disk, 0, 0, false);
	assert_true(s.v->vfs->latched);
	buf_free(&s.wal);
	s.wal = kit_read(s.dir, "vault.db-wal");
	assert_int_equal(s.main->pMethods->xWrite(s.main, page, 4096, 4096), SQLITE_IOERR_WRITE);
	assert_int_equal(s.main->pMethods->xTruncate(s.main, 0), SQLITE_IOERR_TRUNCATE);
	assert_int_equal(s.main->pMethods->xSync(s.main, SQLITE_SYNC_NORMAL), SQLITE_IOERR_FSYNC);
	assert_int_equal(s.log->pMethods->xWrite(s.log, page, 32, 0), SQLITE_IOERR_WRITE);
	assert_int_equal(s.log->pMethods->xTruncate(s.log, 0), SQLITE_IOERR_TRUNCATE);
	assert_int_equal(s.log->pMethods->xSync(s.log, SQLITE_SYNC_NORMAL), SQLITE_IOERR_FSYNC);
	assert_int_equal(s.v->vfs->base.xDelete(&s.v->vfs->base, s.v->log_path, 0), SQLITE_IOERR_DELETE);
	assert_int_equal(vault_checkpoint(s.v, NULL, true), ERR_IO);
	assert_unchanged(&s);
	vault_close(s.v);
	/* The frames were written, the sync alone failed: here they are there. */
	s.v = kit_open(s.dir, VAULT_OPEN, &rng);
	kit_sql(s.v, "DELETE FROM t WHERE id > 8");
	scene_end(&s);
}

/* ---- The ledger ---- */

static void the_ledger_notes_no_gap(void **state)
{
	uint8_t nonce[AEAD_NONCE_LEN] = { 0 };
	struct scene s;
	struct ledger idle;
	uint32_t frames = 0;

	(void)state;
	scene_begin(&s, &rng);
	frames = s.v->ledger.frame_count;
	assert_true(frames > 0);
	assert_int_equal(ledger_frame(&s.v->ledger, frames + 2, (struct ledger_frame_note){ 1, 0 }),
	                 SQLITE_IOERR_WRITE);
	assert_int_equal(s.v->ledger.frame_count, frames);
	/* No log in use, no commit, fewer frames known than committed: nothing can be moved. */
	idle = s.v->ledger;
	idle.live = false;
	assert_int_equal(ledger_page(&idle, 1, nonce), SQLITE_IOERR_WRITE);
	assert_int_equal(ledger_cut(&idle), SQLITE_IOERR_WRITE);
	assert_int_equal(ledger_retire(&idle), SQLITE_OK);
	ledger_synced(&idle);
	idle = s.v->ledger;
	idle.committed = 0;
	assert_int_equal(ledger_page(&idle, 1, nonce), SQLITE_IOERR_WRITE);
	ledger_synced(&idle);
	idle = s.v->ledger;
	idle.committed = frames + 1;
	assert_int_equal(ledger_cut(&idle), SQLITE_IOERR_WRITE);
	idle = s.v->ledger;
	idle.record.frames = idle.committed + 1;
	assert_int_equal(ledger_cut(&idle), SQLITE_IOERR_WRITE);
	idle = s.v->ledger;
	idle.db = NULL;
	assert_int_equal(ledger_retire(&idle), SQLITE_IOERR);
	assert_false(ledger_covers(&idle, idle.record.pages + 1));
	assert_unchanged(&s);
	scene_end(&s);
}

/* Back below a frame that was a commit: the mark goes first, in both slots, or an error says that it did not. */
static void the_mark_is_lowered_first(void **state)
{
	struct scene s;
	struct ledger l;
	uint32_t frames = 0;

	(void)state;
	scene_begin(&s, &rng);
	frames = s.v->ledger.committed;
	assert_int_equal(s.v->ledger.mark.frames, frames);
	for (unsigned after = 0; after < 2; after++) {
		l = s.v->ledger;
		disk_fault(s.disk, FAULT_WRITE, after, false);
		assert_int_equal(ledger_lower(&l, frames), SQLITE_IOERR_WRITE);
		disk_fault(s.disk, 0, 0, false);
	}
	l = s.v->ledger;
	disk_fault(s.disk, FAULT_SYNC, 0, false);
	assert_int_equal(ledger_lower(&l, frames), SQLITE_IOERR_FSYNC);
	disk_fault(s.disk, 0, 0, false);
	l = s.v->ledger;
	assert_int_equal(ledger_lower(&l, frames), SQLITE_OK);
	assert_true(l.mark.frames < frames && l.committed < frames);
	assert_int_equal(l.mark.sequence, s.v->ledger.mark.sequence + 2);
	/* What the mark does not claim needs no lower one. */
	l = s.v->ledger;
	l.mark.frames = 0;
	assert_int_equal(ledger_lower(&l, 1), SQLITE_OK);
	assert_int_equal(l.committed, 0);
	l = s.v->ledger;
	l.mark.log.generation++;
	assert_int_equal(ledger_lower(&l, frames), SQLITE_OK);
	assert_int_equal(l.mark.frames, frames);
	/* A checkpoint of it was begun: the sum is unknown from here on. */
	l = s.v->ledger;
	l.record.frames = frames;
	disk_fault(s.disk, FAULT_WRITE, 0, false);
	assert_int_equal(ledger_lower(&l, frames), SQLITE_IOERR_WRITE);
	disk_fault(s.disk, 0, 0, false);
	l = s.v->ledger;
	l.record.frames = frames;
	assert_int_equal(ledger_lower(&l, frames), SQLITE_OK);
	assert_false(l.record.known);
	assert_int_equal(l.record.frames, 0);
	scene_drop(&s);
}

/* ---- Looking, on a disk that does not answer ---- */

static void what_cannot_be_read_is_no_damage(void **state)
{
	static const unsigned kinds[] = { FAULT_READ, FAULT_SIZE };
	struct scene s;
	struct vault_report r;
	struct vault_check c;

	(void)state;
	scene_begin(&s, &rng);
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		for (unsigned after = 0; after < 12; after++) {
			struct errctx ec = { .code = ERR_OK };
			enum err e = ERR_OK;

			disk_fault(s.disk, kinds[k], after, false);
			e = vault_verify(s.v, &ec, &r);
			assert_int_equal(e, s.disk->fault_hits > 0 ? ERR_IO : ERR_OK);
			assert_int_equal(ec.code, e);
			disk_fault(s.disk, kinds[k], after, false);
			memset(&c, 0, sizeof(c));
			e = ERR_OK;
			while (e == ERR_OK && !c.done)
				e = vault_check_step(s.v, NULL, &c, 1);
			assert_int_equal(e, s.disk->fault_hits > 0 ? ERR_IO : ERR_OK);
		}
	}
	disk_fault(s.disk, FAULT_READ, 0, false);
	assert_int_equal(vault_sum_check(s.v, NULL), ERR_IO);
	disk_fault(s.disk, 0, 0, false);
	assert_int_equal(vault_sum_check(s.v, NULL), ERR_OK);
	s.v->ledger.record.sum[0]++;
	assert_int_equal(vault_sum_check(s.v, NULL), ERR_DAMAGED);
	s.v->ledger.record.sum[0]--;
	s.v->ledger.record.known = false;
	assert_int_equal(vault_sum_check(s.v, NULL), ERR_OK); /* nothing to compare with */
	s.v->ledger.record.known = true;
	assert_unchanged(&s);
	scene_end(&s);
}

/* More bad pages than a report names: all are counted. */
static void more_bad_pages_than_are_named(void **state)
{
	char *dir = kit_dir();
	struct vault *v = kit_open(dir, VAULT_CREATE, &rng);
	struct vault_check c = { .next = 0 };
	struct buf db = { 0 };
	enum err e = ERR_OK;

	(void)state;
	kit_sql(v, "CREATE TABLE t(x); INSERT INTO t VALUES(randomblob(4096 * 200))");
	vault_close(v);
	db = kit_read(dir, "vault.db");
	for (size_t at = 50 * 4096 + 9; at < 150 * (size_t)4096; at += 4096)
		db.data[at] ^= 1;
	kit_write(dir, "vault.db", db.data, db.len);
	buf_free(&db);
	v = kit_open(dir, VAULT_OPEN, &rng);
	while (e == ERR_OK && !c.done)
		e = vault_check_step(v, NULL, &c, 64);
	assert_int_equal(e, ERR_DAMAGED);
	assert_int_equal(c.report.bad_pages, 100);
	assert_int_equal(c.report.bad_page[0], 51);
	assert_int_equal(c.report.bad_page[VAULT_REPORT_MAX - 1], 50 + VAULT_REPORT_MAX);
	assert_int_equal(vault_accept(v, NULL), ERR_DAMAGED);
	vault_close(v);
	kit_dir_free(dir);
}

/* Against the contract: a statement that was left open does not keep the vault, or its lock. */
static void a_statement_left_open(void **state)
{
	struct scene s;
	sqlite3_stmt *st[2];

	(void)state;
	scene_begin(&s, &rng);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sqlite3_prepare_v2(vault_db(s.v), "SELECT x FROM t", -1, &st[i], NULL), SQLITE_OK);
		assert_int_equal(sqlite3_step(st[i]), SQLITE_ROW);
	}
	vault_close(s.v);
	s.v = kit_open(s.dir, VAULT_OPEN, &rng);
	scene_end(&s);
}

/* Beneath the doors is one more lock. */
static void the_latch_holds_beneath(void **state)
{
	uint8_t page[4096] = { 0 };
	struct scene s;
	struct vault_file *f = NULL;
	enum file_role role = ROLE_MAIN;

	(void)state;
	scene_begin(&s, &rng);
	f = (struct vault_file *)s.main;
	role = f->role;
	s.v->vfs->latched = true;
	assert_int_equal(under_write(f, page, 4096, 0), SQLITE_IOERR_WRITE);
	assert_int_equal(under_truncate(f, 0), SQLITE_IOERR_TRUNCATE);
	assert_int_equal(under_sync(f, SQLITE_SYNC_NORMAL), SQLITE_IOERR_FSYNC);
	assert_unchanged(&s);
	/* A temporary file holds nothing that is to be kept: the statement goes on. */
	f->role = ROLE_TEMP;
	assert_int_equal(under_write(f, s.db.data, (int)s.db.len, 0), SQLITE_OK);
	assert_int_equal(under_truncate(f, (sqlite3_int64)s.db.len), SQLITE_OK);
	disk_fault(s.disk, FAULT_SYNC, 0, false);
	assert_int_equal(under_sync(f, SQLITE_SYNC_NORMAL), SQLITE_IOERR_FSYNC);
	disk_fault(s.disk, 0, 0, false);
	f->role = role;
	assert_unchanged(&s);
	s.v->vfs->latched = false;
	scene_end(&s);
}

/* ---- Two handles of one log, as SQLite's own tests have them ---- */

static void frame_make(uint8_t out[static 24 + 4096], const uint8_t *salts, uint8_t fill)
{
	memset(out, 0, 24 + 4096);
	be32_put(out, 2);
	be32_put(out + 4, 2);
	memcpy(out + 8, salts, 8);
	memset(out + 24, fill, 4096 - PAGE_RESERVE);
}

static void log_begin(sqlite3_file *f, uint8_t salt)
{
	uint8_t header[32] = { 0x37, 0x7f, 0x06, 0x82 };
	uint8_t frame[24 + 4096];

	be32_put(header + 8, 4096);
	memset(header + 16, salt, 8);
	frame_make(frame, header + 16, salt);
	assert_int_equal(f->pMethods->xWrite(f, header, 32, 0), SQLITE_OK);
	assert_int_equal(f->pMethods->xWrite(f, frame, 24, 32), SQLITE_OK);
	assert_int_equal(f->pMethods->xWrite(f, frame + 24, 4096, 32 + 24), SQLITE_OK);
}

static void a_log_begun_anew_by_another(void **state)
{
	struct disk *disk = disk_new();
	char *dir = kit_dir();
	char *path = file_join(dir, "vault.db");
	struct vfs_config c = {
		.name = "loose", .under = &disk->base, .policy = VFS_LOOSE, .rng = &rng, .master = KIT_MASTER
	};
	struct vfs *vfs = vfs_new(&c);
	char *wal = sqlite3_mprintf("%s-wal", path);
	sqlite3_filename db = sqlite3_create_filename(path, "", wal, 0, NULL);
	const char *log = NULL;
	sqlite3_file *f[3];
	uint8_t page[4096] = "SQLite format 3";
	uint8_t got[4096];
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;

	(void)state;
	assert_non_null(vfs);
	log = sqlite3_filename_wal(db);
	for (int i = 0; i < 3; i++)
		f[i] = calloc(1, (size_t)vfs->base.szOsFile);
	/* The log of a database that is not open here is nobody's. */
	kit_write(dir, "vault.db", (const uint8_t *)"", 0);
	assert_int_equal(vfs->base.xOpen(&vfs->base, log, f[1], flags | SQLITE_OPEN_WAL, NULL), SQLITE_CANTOPEN);
	assert_int_equal(vfs->base.xOpen(&vfs->base, db, f[0], flags | SQLITE_OPEN_MAIN_DB, NULL), SQLITE_OK);
	assert_int_equal(f[0]->pMethods->xWrite(f[0], page, 4096, 0), SQLITE_OK);
	for (int i = 1; i < 3; i++)
		assert_int_equal(vfs->base.xOpen(&vfs->base, log, f[i], flags | SQLITE_OPEN_WAL, NULL), SQLITE_OK);
	/* No log yet: nothing to read, and no frame can be written. */
	assert_int_equal(f[2]->pMethods->xRead(f[2], got, 4096, 56), SQLITE_IOERR_READ);
	assert_int_equal(f[2]->pMethods->xWrite(f[2], got, 24, 32), SQLITE_IOERR_WRITE);
	log_begin(f[1], 1);
	assert_int_equal(f[2]->pMethods->xRead(f[2], got, 4096, 56), SQLITE_OK);
	assert_int_equal(got[0], 1);
	/* Begun anew: what f[2] knows of it no longer opens, and it looks again. */
	log_begin(f[1], 2);
	assert_int_equal(f[2]->pMethods->xRead(f[2], got, 4096, 56), SQLITE_OK);
	assert_int_equal(got[0], 2);
	for (unsigned after = 0; after < 3; after++) {
		log_begin(f[1], (uint8_t)(3 + after));
		disk_fault(disk, FAULT_READ, after, false);
		assert_int_equal(f[2]->pMethods->xRead(f[2], got, 4096, 56),
		                 after == 1 ? SQLITE_OK : SQLITE_IOERR_READ);
		disk_fault(disk, 0, 0, false);
	}
	/* A page or a header alone is a change to a frame that is there; and a call of any kind settles it first. */
	memset(got, 9, sizeof(got));
	memset(got + 4096 - PAGE_RESERVE, 0, PAGE_RESERVE);
	log_begin(f[1], 9);
	assert_int_equal(f[1]->pMethods->xWrite(f[1], got, 4096, 56), SQLITE_OK);
	for (unsigned call = 0; call < 4; call++) {
		for (unsigned kind = FAULT_READ; kind <= FAULT_SIZE; kind *= 2) {
			for (unsigned after = 0; after < 3; after++) {
				uint8_t head[24];
				int rc = SQLITE_OK;

				log_begin(f[1], 9);
				be32_put(head, 2);
				be32_put(head + 4, 2);
				memset(head + 8, 9, 16);
				assert_int_equal(f[1]->pMethods->xWrite(f[1], head, 24, 32), SQLITE_OK);
				disk_fault(disk, kind, after, false);
				if (call == 0)
					rc = f[1]->pMethods->xRead(f[1], page, 4096, 56);
				else if (call == 1)
					rc = f[1]->pMethods->xTruncate(f[1], 32 + 24 + 4096);
				else if (call == 2)
					rc = f[1]->pMethods->xSync(f[1], SQLITE_SYNC_NORMAL);
				else
					rc = f[1]->pMethods->xWrite(f[1], got, 4096, 32 + 4120 + 24);
				/* A frame that is not there cannot be changed. */
				if (disk->fault_hits > 0)
					assert_int_not_equal(rc, SQLITE_OK);
				else
					assert_int_equal(rc == SQLITE_OK, call != 3);
				disk_fault(disk, 0, 0, false);
			}
		}
	}
	assert_int_equal(f[1]->pMethods->xTruncate(f[1], 10), SQLITE_OK);
	for (int i = 2; i >= 0; i--) {
		assert_int_equal(f[i]->pMethods->xClose(f[i]), SQLITE_OK);
		free(f[i]);
	}
	vfs_free(vfs);
	sqlite3_free_filename(db);
	sqlite3_free(wal);
	free(path);
	kit_dir_free(dir);
	disk_free(disk);
}

/* Another handle empties the database and names it anew; or its pages go bad. */
static void a_database_under_two_handles(void **state)
{
	struct disk *disk = disk_new();
	char *dir = kit_dir();
	char *path = file_join(dir, "vault.db");
	sqlite3_filename name = sqlite3_create_filename(path, "", "", 0, NULL);
	struct vfs_config c = {
		.name = "loose", .under = &disk->base, .policy = VFS_LOOSE, .rng = &rng, .master = KIT_MASTER
	};
	struct vfs *vfs = vfs_new(&c);
	sqlite3_file *f[2];
	uint8_t page[4096] = "SQLite format 3";
	uint8_t got[4096];
	struct buf raw = { 0 };
	int rc = SQLITE_OK;

	(void)state;
	assert_non_null(vfs);
	page[16] = 4096 / 256;
	for (int i = 0; i < 2; i++) {
		f[i] = calloc(1, (size_t)vfs->base.szOsFile);
		assert_int_equal(vfs->base.xOpen(&vfs->base, name, f[i],
		                                 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB,
		                                 NULL),
		                 SQLITE_OK);
	}
	/* Where the disk does not tell whether somebody named it, nobody names it anew. */
	disk_fault(disk, FAULT_READ, 0, false);
	assert_int_equal(f[0]->pMethods->xWrite(f[0], page, 4096, 0), SQLITE_IOERR_READ);
	disk_fault(disk, 0, 0, false);
	assert_int_equal(f[0]->pMethods->xWrite(f[0], page, 4096, 0), SQLITE_OK);
	assert_int_equal(f[1]->pMethods->xRead(f[1], got, 4096, 0), SQLITE_OK);
	assert_memory_equal(got, page, 4096);
	raw = kit_read(dir, "vault.db");
	/* A page that does not open is looked at once more, under the id that the file has by then. */
	{
		uint8_t byte = raw.data[100] ^ 1;
		int fd = open(path, O_RDWR);

		assert_int_equal(pwrite(fd, &byte, 1, 100), 1);
		close(fd);
	}
	assert_int_equal(f[1]->pMethods->xRead(f[1], got, 4096, 0), SQLITE_IOERR_DATA);
	for (unsigned after = 0; after < 3; after++) {
		disk_fault(disk, FAULT_READ, after, false);
		rc = f[1]->pMethods->xRead(f[1], got, 4096, 0);
		assert_int_not_equal(rc, SQLITE_OK);
		disk_fault(disk, 0, 0, false);
	}
	/* The same handle, once the page is as it was. */
	{
		int fd = open(path, O_RDWR);

		assert_int_equal(pwrite(fd, raw.data, raw.len, 0), (ssize_t)raw.len);
		close(fd);
	}
	assert_int_equal(f[1]->pMethods->xRead(f[1], got, 4096, 0), SQLITE_OK);
	assert_memory_equal(got, page, 4096);
	assert_int_equal(f[0]->pMethods->xTruncate(f[0], 0), SQLITE_OK);
	assert_int_equal(f[1]->pMethods->xRead(f[1], got, 100, 0), SQLITE_IOERR_SHORT_READ);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(f[i]->pMethods->xClose(f[i]), SQLITE_OK);
		free(f[i]);
	}
	vfs_free(vfs);
	buf_free(&raw);
	sqlite3_free_filename(name);
	free(path);
	kit_dir_free(dir);
	disk_free(disk);
}

/* Pages of a checkpoint are gathered; whatever comes next writes them first, and tells when that fails. */
static void gathered_pages_that_cannot_be_written(void **state)
{
	uint8_t page[4096] = { 0 };
	sqlite3_int64 size = 0;

	(void)state;
	for (int call = 0; call < 5; call++) {
		struct scene s;
		int rc = SQLITE_OK;

		scene_begin(&s, &rng);
		assert_int_equal(s.main->pMethods->xWrite(s.main, page, 4096, 4096), SQLITE_OK);
		disk_fault(s.disk, FAULT_WRITE, 0, false);
		if (call == 0)
			rc = s.main->pMethods->xRead(s.main, page, 4096, 0);
		else if (call == 1)
			rc = s.main->pMethods->xSync(s.main, SQLITE_SYNC_NORMAL);
		else if (call == 2)
			rc = s.main->pMethods->xFileSize(s.main, &size);
		else if (call == 3)
			rc = s.main->pMethods->xTruncate(s.main, (sqlite3_int64)s.db.len);
		else
			rc = s.main->pMethods->xWrite(s.main, page, 4096, 4096);
		assert_int_equal(rc, SQLITE_IOERR_WRITE);
		disk_fault(s.disk, 0, 0, false);
		assert_unchanged(&s);
		scene_end(&s); /* the log has all that was to be moved */
	}
}

/* ---- Journals and temporary files: bytes anywhere, against bytes in memory ---- */

#define BYTES 20000

static void bytes_as_in_memory(sqlite3_vfs *vfs, struct disk *disk, int role, const char *name)
{
	static uint8_t is[BYTES];
	static uint8_t want[BYTES];
	static uint8_t data[BYTES];
	sqlite3_file *f = calloc(1, (size_t)vfs->szOsFile);
	sqlite3_int64 size = 0;
	sqlite3_int64 got = 0;
	unsigned failed = 0;

	assert_int_equal(vfs->xOpen(vfs, name, f,
	                            role | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
	                                (name == NULL ? SQLITE_OPEN_DELETEONCLOSE : 0),
	                            NULL),
	                 SQLITE_OK);
	memset(want, 0, sizeof(want));
	for (unsigned round = 0; round < 400; round++) {
		unsigned at = seed_below(&seed, BYTES - 5000);
		unsigned len = 1 + seed_below(&seed, 5000);
		int rc = SQLITE_OK;

		if (round % 5 == 4) {
			rc = f->pMethods->xTruncate(f, at);
			assert_int_equal(rc, SQLITE_OK);
			if (at < size) {
				memset(want + at, 0, (size_t)size - at);
				size = at;
			}
		} else {
			seed_fill(&seed, data, len);
			rc = f->pMethods->xWrite(f, data, (int)len, at);
			assert_int_equal(rc, SQLITE_OK);
			memcpy(want + at, data, len);
			size = at + len > size ? at + len : size;
		}
		assert_int_equal(f->pMethods->xFileSize(f, &got), SQLITE_OK);
		assert_int_equal(got, size);
		rc = f->pMethods->xRead(f, is, BYTES, 0);
		assert_int_equal(rc, size < BYTES ? SQLITE_IOERR_SHORT_READ : SQLITE_OK);
		assert_memory_equal(is, want, BYTES);
		/* A call that fails says so. Reading changes nothing. */
		disk_fault(disk, round % 2 == 0 ? FAULT_READ : FAULT_SIZE, round % 7, false);
		rc = f->pMethods->xRead(f, is, BYTES, 0);
		assert_true(disk->fault_hits == 0 || (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ));
		failed += disk->fault_hits;
		disk_fault(disk, 0, 0, false);
	}
	assert_true(failed > 100);
	for (unsigned round = 0; round < 200; round++) {
		unsigned at = seed_below(&seed, BYTES - 5000);
		int rc = SQLITE_OK;

		disk_fault(disk, 1u << (round % 7), round % 4, false);
		rc = round % 3 == 0 ? f->pMethods->xTruncate(f, at) : f->pMethods->xWrite(f, data, 3000, at);
		if (disk->fault_hits > 0)
			assert_int_not_equal(rc, SQLITE_OK);
		disk_fault(disk, 0, 0, false);
		if (rc == SQLITE_OK)
			continue;
		/* What an interrupted write left may not open; whole anew it does. */
		assert_int_equal(f->pMethods->xTruncate(f, 0), SQLITE_OK);
		assert_int_equal(f->pMethods->xWrite(f, data, BYTES - 100, 0), SQLITE_OK);
	}
	assert_int_equal(f->pMethods->xTruncate(f, 0), SQLITE_OK);
	assert_int_equal(f->pMethods->xSync(f, SQLITE_SYNC_NORMAL), SQLITE_OK);
	assert_int_equal(f->pMethods->xClose(f), SQLITE_OK);
	free(f);
}

static void journals_are_runs_of_bytes(void **state)
{
	struct disk *disk = disk_new();
	char *dir = kit_dir();
	char *path = file_join(dir, "vault.new");
	sqlite3_filename name = sqlite3_create_filename(path, "", "", 0, NULL);
	struct vfs_config c = {
		.name = "loose", .under = &disk->base, .policy = VFS_LOOSE, .rng = &rng, .master = KIT_MASTER
	};
	struct vfs *vfs = vfs_new(&c);

	(void)state;
	assert_non_null(vfs);
	bytes_as_in_memory(&vfs->base, disk, SQLITE_OPEN_SUPER_JOURNAL, name);
	bytes_as_in_memory(&vfs->base, disk, SQLITE_OPEN_TEMP_DB, NULL);
	vfs_free(vfs);
	sqlite3_free_filename(name);
	free(path);
	kit_dir_free(dir);
	disk_free(disk);
}

static void what_opening_noticed(void **state)
{
	struct scene s;
	struct ledger huge;
	struct vault_pages *p = NULL;
	uint8_t page[PAGES_SIZE];

	(void)state;
	scene_begin(&s, &rng);
	assert_false(vault_notice(s.v).mark_unwritten);
	s.v->ledger.spare_unwritten = true;
	assert_true(vault_notice(s.v).mark_unwritten);
	s.v->ledger.spare_unwritten = false;
	s.v->ledger.mark_unwritten = true;
	assert_true(vault_notice(s.v).mark_unwritten);
	s.v->ledger.mark_unwritten = false;
	/* The page that holds SQLite's lock bytes is in no sum. */
	huge = s.v->ledger;
	huge.record.pages = 300000;
	huge.record.frames = 0;
	assert_true(ledger_covers(&huge, 262144));
	assert_false(ledger_covers(&huge, 262145));
	assert_true(ledger_covers(&huge, 262146));
	vault_close(s.v);
	assert_int_equal(vault_pages_open(NULL, s.dir, KIT_MASTER, &rng, &p), ERR_OK);
	assert_int_equal(vault_pages_get(p, 0, page), ERR_DAMAGED);
	assert_int_equal(vault_pages_get(p, vault_pages_count(p) + 1, page), ERR_DAMAGED);
	assert_int_equal(vault_pages_get(p, vault_pages_count(p), page), ERR_OK);
	vault_pages_close(p);
	vault_pages_close(NULL);
	s.v = kit_open(s.dir, VAULT_OPEN, &rng);
	scene_end(&s);
}

/* ---- Names ---- */

static void a_folder_whose_name_is_too_long(void **state)
{
	static char dir[4200];
	char *out = NULL;
	int lock = -1;

	(void)state;
	memset(dir, 'a', sizeof(dir) - 1);
	for (size_t len = 4060; len < 4100; len++) {
		struct errctx ec = { .code = ERR_OK };

		dir[len] = '\0';
		/* No single name may be that long: whether this program or the system says so, nothing is made. */
		assert_int_equal(swap_begin(&ec, dir, &out), ERR_IO);
		assert_int_equal(ec.code, ERR_IO);
		assert_null(out);
		assert_int_equal(swap_ready(NULL, dir), ERR_IO);
		assert_int_equal(swap_settle(NULL, dir, KIT_MASTER, &lock), ERR_IO);
		swap_give_up(dir);
		dir[len] = 'a';
	}
}

static void a_key_file_without_a_folder(void **state)
{
	char *dir = kit_dir();
	char before[4096];
	int fd[2] = { -1, -1 };

	(void)state;
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(keycopy_lock(NULL, "keys", &fd[0]), ERR_OK);
	assert_int_equal(keycopy_lock(NULL, "keys", &fd[1]), ERR_LATER);
	assert_int_equal(fd[1], -1);
	close(fd[0]);
	assert_int_equal(keycopy_lock(NULL, "/keys", &fd[0]), ERR_OK);
	close(fd[0]);
	assert_int_equal(chdir(before), 0);
	kit_dir_free(dir);
}

/* ---- Sentences ---- */

static void every_code_has_its_sentence(void **state)
{
	static const struct {
		int rc;
		enum vfs_damage_kind kind;
		int failed; /* errno of the call beneath */
		enum err e;
		const char *says;
	} cases[] = {
		{ SQLITE_OK, DAMAGE_NONE, 0, ERR_OK, "" },
		{ SQLITE_ROW, DAMAGE_NONE, 0, ERR_OK, "" },
		{ SQLITE_DONE, DAMAGE_NONE, 0, ERR_OK, "" },
		{ SQLITE_CORRUPT, DAMAGE_NONE, 0, ERR_DAMAGED, "The vault is damaged." },
		{ SQLITE_NOTADB, DAMAGE_PAGE, 0, ERR_DAMAGED, "Page 3 of the vault is damaged" },
		{ SQLITE_IOERR_DATA, DAMAGE_PAGE, 0, ERR_DAMAGED, "Page 3 of the vault is damaged" },
		{ SQLITE_IOERR_DATA, DAMAGE_PAGE_MISSING, 0, ERR_DAMAGED, "The vault is cut off: page 3" },
		{ SQLITE_IOERR_DATA, DAMAGE_FRAME, 0, ERR_DAMAGED,
		  "The vault's log of recent edits is damaged at place 3" },
		{ SQLITE_IOERR_DATA, DAMAGE_LOG_SHORT, 0, ERR_DAMAGED, "The vault's log of recent edits is missing" },
		{ SQLITE_IOERR_DATA, DAMAGE_LOG_HEADER, 0, ERR_DAMAGED,
		  "The vault's log of recent edits is damaged at its beginning" },
		{ SQLITE_IOERR_DATA, DAMAGE_LOG_AHEAD, 0, ERR_DAMAGED, "An older copy of vault.mark was put back" },
		{ SQLITE_FULL, DAMAGE_NONE, 0, ERR_NO_SPACE, "The disk is full" },
		{ SQLITE_IOERR_WRITE, DAMAGE_NONE, ENOSPC, ERR_NO_SPACE, "The disk is full" },
		{ SQLITE_IOERR_WRITE, DAMAGE_NONE, EDQUOT, ERR_NO_SPACE, "The disk is full" },
		{ SQLITE_IOERR_WRITE, DAMAGE_NONE, EFBIG, ERR_NO_SPACE, "The disk is full" },
		{ SQLITE_IOERR_WRITE, DAMAGE_NONE, EIO, ERR_IO, "The disk failed" },
		{ SQLITE_CANTOPEN, DAMAGE_NONE, EIO, ERR_IO, "The disk failed" },
		{ SQLITE_READONLY, DAMAGE_NONE, ENOSPC, ERR_NO_SPACE, "The disk is full" },
		{ SQLITE_NOMEM, DAMAGE_NONE, 0, ERR_NO_MEMORY, "" },
		{ SQLITE_IOERR_NOMEM, DAMAGE_NONE, 0, ERR_NO_MEMORY, "" },
		{ SQLITE_BUSY, DAMAGE_NONE, 0, ERR_LATER, "Another program has the vault open" },
		{ SQLITE_LOCKED, DAMAGE_NONE, 0, ERR_LATER, "Another program has the vault open" },
		{ SQLITE_MISUSE, DAMAGE_NONE, 0, ERR_IO, "The vault could not do what was asked" },
	};
	struct vfs vfs = { .damage = { DAMAGE_NONE, 0 } };
	struct vault v = { .vfs = &vfs };
	struct vault building = { .vfs = NULL };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct errctx ec = { .code = ERR_OK };
		char text[300] = "";

		vfs.damage.kind = cases[i].kind;
		vfs.damage.number = 3;
		vfs.failed_errno = cases[i].failed;
		assert_int_equal(vault_result(&v, &ec, cases[i].rc), cases[i].e);
		if (cases[i].e == ERR_OK)
			continue;
		err_text(&ec, NULL, text, sizeof(text));
		if (strncmp(text, cases[i].says, strlen(cases[i].says)) != 0)
			fail_msg("%d: %s", cases[i].rc, text);
		/* Before it has a VFS nothing is known of the damage, and as much of the disk. */
		building.build_errno = cases[i].failed;
		assert_int_equal(vault_result(&building, NULL, cases[i].rc), cases[i].e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(odd_writes_are_refused),
		cmocka_unit_test(odd_reads_are_refused),
		cmocka_unit_test(files_that_a_vault_does_not_have),
		cmocka_unit_test(a_failed_sync_shuts_every_door),
		cmocka_unit_test(the_ledger_notes_no_gap),
		cmocka_unit_test(the_latch_holds_beneath),
		cmocka_unit_test(the_mark_is_lowered_first),
		cmocka_unit_test(what_cannot_be_read_is_no_damage),
		cmocka_unit_test(more_bad_pages_than_are_named),
		cmocka_unit_test(a_statement_left_open),
		cmocka_unit_test(a_log_begun_anew_by_another),
		cmocka_unit_test(journals_are_runs_of_bytes),
		cmocka_unit_test(what_opening_noticed),
		cmocka_unit_test(a_database_under_two_handles),
		cmocka_unit_test(gathered_pages_that_cannot_be_written),
		cmocka_unit_test(a_folder_whose_name_is_too_long),
		cmocka_unit_test(a_key_file_without_a_folder),
		cmocka_unit_test(every_code_has_its_sentence),
	};

	return vault_start() != ERR_OK ? 1 : cmocka_run_group_tests_name("vault/doors", tests, NULL, NULL);
}
