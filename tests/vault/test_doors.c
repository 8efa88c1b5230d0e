// SPDX-License-Identifier: EUPL-1.2
// Goal (V1, V2, V6): what SQLite never does, the VFS does not let happen either: writes of another size or in another
// place, frames of another log, pages that no log holds, a second database, a journal. Nothing on disk changes by it,
// and the vault is whole afterwards. After a sync that failed nothing is written. Each result code has its sentence.
//
// Seen to fail when: main_write() does not compare the size; frame_part_write() takes any salts; ledger_frame() lets a
// frame be left out; under_truncate() does not look at the latch.
#include "vault/disk.h"

#include <errno.h>

#include "base/codec.h"
#include "vault/vault_over.h"

static struct seed seed = { 8128 };
static struct rng rng = { seed_fill, &seed };

struct scene {
	char *dir;
	struct disk *disk;
	struct vault *v;
	sqlite3_file *main;
	sqlite3_file *log;
	struct buf db; /* as they are on disk */
	struct buf wal;
};

static void scene_begin(struct scene *s)
{
	*s = (struct scene){ .dir = kit_dir(), .disk = disk_new() };
	assert_int_equal(vault_open_over(NULL, s->dir, KIT_MASTER, VAULT_CREATE, &rng, &s->disk->base, &s->v), ERR_OK);
	kit_fill(s->v, 4);
	assert_int_equal(vault_checkpoint(s->v, NULL, false), ERR_OK);
	kit_fill(s->v, 4);
	assert_int_equal(sqlite3_file_control(vault_db(s->v), "main", SQLITE_FCNTL_FILE_POINTER, &s->main), SQLITE_OK);
	assert_int_equal(sqlite3_file_control(vault_db(s->v), "main", SQLITE_FCNTL_JOURNAL_POINTER, &s->log),
	                 SQLITE_OK);
	s->db = kit_read(s->dir, "vault.db");
	s->wal = kit_read(s->dir, "vault.db-wal");
}

static void assert_unchanged(const struct scene *s)
{
	struct buf db = kit_read(s->dir, "vault.db");
	struct buf wal = kit_read(s->dir, "vault.db-wal");

	assert_int_equal(bytes_cmp(buf_bytes(&db), buf_bytes(&s->db)), 0);
	assert_int_equal(bytes_cmp(buf_bytes(&wal), buf_bytes(&s->wal)), 0);
	buf_free(&db);
	buf_free(&wal);
}

static void scene_end(struct scene *s)
{
	struct vault *v = NULL;
	struct vault_report r;

	vault_close(s->v);
	v = kit_open(s->dir, VAULT_OPEN, &rng);
	assert_int_equal(kit_number(v, "SELECT count(*) FROM t"), 8);
	assert_int_equal(vault_verify(v, NULL, &r), ERR_OK);
	vault_close(v);
	buf_free(&s->db);
	buf_free(&s->wal);
	kit_dir_free(s->dir);
	disk_free(s->disk);
}

/* ---- Writes that are none of SQLite's ---- */

static void odd_writes_are_refused(void **state)
{
	static const struct {
		bool log;
		int len;
		sqlite3_int64 at;
	} cases[] = {
		{ false, 100, 0 },  { false, 256, 0 },    { false, 3000, 0 },       { false, 4096, 100 },
		{ false, 8192, 0 }, { false, 131072, 0 }, { false, 4096, 4096000 }, { true, 24, 5 },
		{ true, 0, 32 },    { true, -1, 32 },     { true, 24, 36 },         { true, 23, 32 },
		{ true, 4096, 32 }, { true, 2048, 56 },   { true, 31, 0 },          { true, 4096, 60 },
	};
	static uint8_t data[131072];
	struct scene s;

	(void)state;
	scene_begin(&s);
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
	scene_begin(&s);
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
	scene_begin(&s);
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
	scene_begin(&s);
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
	scene_begin(&s);
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
		cmocka_unit_test(odd_writes_are_refused),           cmocka_unit_test(odd_reads_are_refused),
		cmocka_unit_test(files_that_a_vault_does_not_have), cmocka_unit_test(a_failed_sync_shuts_every_door),
		cmocka_unit_test(the_ledger_notes_no_gap),          cmocka_unit_test(every_code_has_its_sentence),
	};

	return vault_start() != ERR_OK ? 1 : cmocka_run_group_tests_name("vault/doors", tests, NULL, NULL);
}
