// SPDX-License-Identifier: EUPL-1.2
// Goal: the sealing VFS answers every call that SQLite may make, for each role of a file, and none of them lets sealed
// bytes pass for content or content pass for sealed bytes (V1): no shared memory, no mappings, no room given ahead,
// what is beyond the end is zero; headers and checksums of journals and logs are sealed like the pages, names in a
// super-journal too.
//
// Seen to fail when: xShmMap is there and refuses (a log is begun that nobody can read); a mapping is granted;
// CHUNK_SIZE is passed on; a block read past the end leaves the caller's bytes; each database's journal has a key of
// its own (SQLite opens those that a super-journal names without their databases); system calls are passed on in a
// vault; a log takes SQLite's file for its database's (it crashed).
#include "vault/disk.h"

#include <dirent.h>

#include "base/codec.h"
#include "vault/vault_over.h"

static struct seed seed = { 577 };
static struct rng rng = { seed_fill, &seed };

static struct vfs *loose_vfs(sqlite3_vfs *under)
{
	struct vfs_config c = {
		.name = "loose", .under = under, .policy = VFS_LOOSE, .rng = &rng, .master = KIT_MASTER
	};
	struct vfs *vfs = vfs_new(&c);

	assert_non_null(vfs);
	return vfs;
}

static sqlite3 *loose_open(const char *path)
{
	sqlite3 *db = NULL;
	int reserve = PAGE_RESERVE;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "loose"), SQLITE_OK);
	assert_int_equal(sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve), SQLITE_OK);
	return db;
}

static void sql(sqlite3 *db, const char *text)
{
	char *msg = NULL;

	if (sqlite3_exec(db, text, NULL, NULL, &msg) != SQLITE_OK)
		fail_msg("%s: %s (%d)", text, msg, sqlite3_extended_errcode(db));
}

static char *text_of(sqlite3 *db, const char *query)
{
	sqlite3_stmt *s = NULL;
	char *out = NULL;

	assert_int_equal(sqlite3_prepare_v2(db, query, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	out = strdup((const char *)sqlite3_column_text(s, 0));
	sqlite3_finalize(s);
	return out;
}

static void assert_text(sqlite3 *db, const char *query, const char *want)
{
	char *got = text_of(db, query);

	assert_string_equal(got, want);
	free(got);
}

static sqlite3_file *file_of(sqlite3 *db, int op)
{
	sqlite3_file *f = NULL;

	assert_int_equal(sqlite3_file_control(db, "main", op, &f), SQLITE_OK);
	assert_non_null(f->pMethods);
	return f;
}

static void dir_empty(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e = NULL;

	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			kit_write(dir, e->d_name, NULL, 0);
	closedir(d);
}

/* ---- Every role: version 3, no shared memory, no mapping ---- */

static void assert_role(sqlite3_file *f)
{
	const sqlite3_io_methods *m = f->pMethods;
	int out = 1;
	void *page = &out;

	assert_int_equal(m->iVersion, 3);
	assert_null(m->xShmMap);
	assert_int_equal(m->xShmLock(f, 0, 1, SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE), SQLITE_IOERR_SHMLOCK);
	m->xShmBarrier(f);
	assert_int_equal(m->xShmUnmap(f, 0), SQLITE_OK);
	assert_int_equal(m->xFetch(f, 0, 4096, &page), SQLITE_OK);
	assert_null(page);
	assert_int_equal(m->xUnfetch(f, 0, NULL), SQLITE_OK);
	assert_int_equal(m->xSectorSize(f), 4096);
	assert_int_equal(m->xDeviceCharacteristics(f), SQLITE_IOCAP_POWERSAFE_OVERWRITE);
}

/* A file that SQLite itself would not leave open for a look: temporary, or a super-journal. */
static sqlite3_file *opened(struct vfs *vfs, const char *name, int flags)
{
	sqlite3_file *f = calloc(1, (size_t)vfs->base.szOsFile);

	assert_int_equal(vfs->base.xOpen(&vfs->base, name, f,
	                                 flags | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE,
	                                 NULL),
	                 SQLITE_OK);
	return f;
}

static void closed(sqlite3_file *f)
{
	f->pMethods->xClose(f);
	free(f);
}

static void every_role_is_of_version_three(void **state)
{
	char *dir = kit_dir();
	char *path = file_join(dir, "a.db");
	char *super = file_join(dir, "a.db-mj1");
	struct vfs *vfs = loose_vfs(sqlite3_vfs_find("unix"));
	sqlite3 *db = loose_open(path);
	sqlite3_file *f = NULL;
	struct vault *v = NULL;

	(void)state;
	assert_int_equal(vfs->base.iVersion, 3);
	sql(db, "CREATE TABLE t(x); BEGIN; INSERT INTO t VALUES(1)");
	assert_role(file_of(db, SQLITE_FCNTL_FILE_POINTER));
	assert_role(file_of(db, SQLITE_FCNTL_JOURNAL_POINTER));
	sql(db, "COMMIT; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; INSERT INTO t VALUES(2)");
	assert_role(file_of(db, SQLITE_FCNTL_JOURNAL_POINTER));
	f = opened(vfs, NULL, SQLITE_OPEN_TEMP_DB | SQLITE_OPEN_DELETEONCLOSE);
	assert_role(f);
	closed(f);
	f = opened(vfs, super, SQLITE_OPEN_SUPER_JOURNAL);
	assert_role(f);
	closed(f);
	sqlite3_close(db);
	vfs_free(vfs);
	dir_empty(dir);

	v = kit_open(dir, VAULT_CREATE, &rng);
	kit_fill(v, 1);
	assert_role(file_of(vault_db(v), SQLITE_FCNTL_FILE_POINTER));
	assert_role(file_of(vault_db(v), SQLITE_FCNTL_JOURNAL_POINTER));
	vault_close(v);
	free(path);
	free(super);
	kit_dir_free(dir);
}

/* Several connections on one log need shared memory, and that there is none is said before anything is changed. */
static void a_log_without_one_owner_is_refused(void **state)
{
	char *dir = kit_dir();
	char *path = file_join(dir, "a.db");
	struct vfs *vfs = loose_vfs(sqlite3_vfs_find("unix"));
	sqlite3 *db = loose_open(path);

	(void)state;
	sql(db, "CREATE TABLE t(x)");
	assert_text(db, "PRAGMA journal_mode=WAL", "delete");
	sql(db, "INSERT INTO t VALUES(1)");
	assert_text(db, "SELECT count(*) FROM t", "1");
	/* One that lies there is not opened without the lock either. */
	sql(db, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; INSERT INTO t VALUES(2)");
	sqlite3_close(db);
	db = loose_open(path);
	assert_int_equal(sqlite3_exec(db, "SELECT * FROM t", NULL, NULL, NULL), SQLITE_CANTOPEN);
	sql(db, "PRAGMA locking_mode=EXCLUSIVE");
	assert_text(db, "SELECT count(*) FROM t", "2");
	sqlite3_close(db);
	vfs_free(vfs);
	dir_empty(dir);
	free(path);
	kit_dir_free(dir);
}

/* ---- Another VFS above ---- */

static sqlite3_vfs *below(sqlite3_vfs *vfs)
{
	return ((struct disk *)vfs)->real;
}

static int above_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	return below(vfs)->xAccess(below(vfs), name, flags, out);
}

static int above_full_path(sqlite3_vfs *vfs, const char *name, int len, char *out)
{
	return below(vfs)->xFullPathname(below(vfs), name, len, out);
}

static int above_randomness(sqlite3_vfs *vfs, int len, char *out)
{
	return below(vfs)->xRandomness(below(vfs), len, out);
}

static int above_time(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
	return below(vfs)->xCurrentTimeInt64(below(vfs), out);
}

/* SQLite's tests put VFSs of their own on top: the file that SQLite knows is not ours then, and a log still finds its
 * database. */
static void a_log_finds_its_database_under_another_vfs(void **state)
{
	char *dir = kit_dir();
	char *path = file_join(dir, "a.db");
	struct vfs *vfs = loose_vfs(sqlite3_vfs_find("unix"));
	struct disk *above = disk_new();
	int reserve = PAGE_RESERVE;
	sqlite3 *db = NULL;

	(void)state;
	above->real = &vfs->base;
	above->base.zName = "above";
	above->base.szOsFile = (int)sizeof(struct disk_file) + vfs->base.szOsFile;
	above->base.xAccess = above_access;
	above->base.xFullPathname = above_full_path;
	above->base.xRandomness = above_randomness;
	above->base.xCurrentTimeInt64 = above_time;
	assert_int_equal(sqlite3_vfs_register(&above->base, 0), SQLITE_OK);
	for (int round = 1; round <= 2; round++) {
		char want[2] = { (char)('0' + round), 0 };

		assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "above"),
		                 SQLITE_OK);
		assert_int_equal(sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve), SQLITE_OK);
		sql(db, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; CREATE TABLE IF NOT EXISTS t(x);"
		        "INSERT INTO t VALUES(1)");
		assert_text(db, "PRAGMA journal_mode", "wal");
		assert_text(db, "SELECT count(*) FROM t", want);
		sqlite3_close(db);
	}
	sqlite3_vfs_unregister(&above->base);
	disk_free(above);
	vfs_free(vfs);
	dir_empty(dir);
	free(path);
	kit_dir_free(dir);
}

/* ---- File controls ---- */

static void file_controls_do_what_the_table_says(void **state)
{
	static const struct {
		int op;
		sqlite3_int64 arg;
		int rc;
		sqlite3_int64 after; /* -1: not looked at */
	} cases[] = {
		{ SQLITE_FCNTL_POWERSAFE_OVERWRITE, -1, SQLITE_OK, 1 },
		{ SQLITE_FCNTL_POWERSAFE_OVERWRITE, 0, SQLITE_OK, 1 },
		{ SQLITE_FCNTL_MMAP_SIZE, 1 << 30, SQLITE_OK, 0 },
		{ SQLITE_FCNTL_LAST_ERRNO, 7, SQLITE_OK, 0 },
		{ SQLITE_FCNTL_HAS_MOVED, 7, SQLITE_OK, 0 },
		{ SQLITE_FCNTL_EXTERNAL_READER, 7, SQLITE_OK, 0 },
		{ SQLITE_FCNTL_SIZE_HINT, 1 << 24, SQLITE_NOTFOUND, -1 },
		{ SQLITE_FCNTL_CHUNK_SIZE, 1 << 24, SQLITE_NOTFOUND, -1 },
		{ SQLITE_FCNTL_SYNC, 0, SQLITE_NOTFOUND, -1 },
		{ SQLITE_FCNTL_COMMIT_PHASETWO, 0, SQLITE_NOTFOUND, -1 },
		{ SQLITE_FCNTL_BEGIN_ATOMIC_WRITE, 0, SQLITE_NOTFOUND, -1 },
		{ SQLITE_FCNTL_TRACE, 0, SQLITE_NOTFOUND, -1 },
		{ SQLITE_FCNTL_SIZE_LIMIT, 1, SQLITE_NOTFOUND, 1 },
		{ SQLITE_FCNTL_CKSM_FILE, 1, SQLITE_NOTFOUND, 1 },
		{ 12345, 1, SQLITE_NOTFOUND, 1 },
	};
	char *dir = kit_dir();
	struct vault *v = kit_open(dir, VAULT_CREATE, &rng);
	struct vault_report r;
	char *name = NULL;
	struct buf file = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sqlite3_int64 arg = cases[i].arg;
		int rc = sqlite3_file_control(vault_db(v), "main", cases[i].op, &arg);

		if (rc != cases[i].rc || (cases[i].after >= 0 && (int)arg != cases[i].after))
			fail_msg("control %d: %d, %lld", cases[i].op, rc, (long long)arg);
	}
	assert_int_equal(sqlite3_file_control(vault_db(v), "main", SQLITE_FCNTL_VFSNAME, &name), SQLITE_OK);
	assert_non_null(strstr(name, "sleutelbos"));
	assert_non_null(strstr(name, "/unix"));
	sqlite3_free(name);
	/* No mapping and no room ahead, whatever was asked for above. */
	assert_int_equal(kit_number(v, "PRAGMA mmap_size=1073741824"), 0);
	kit_fill(v, 300);
	assert_int_equal(vault_checkpoint(v, NULL, true), ERR_OK);
	assert_int_equal(kit_number(v, "SELECT count(*) FROM t"), 300);
	file = kit_read(dir, "vault.db");
	assert_int_equal(file.len, 4096 * kit_number(v, "PRAGMA page_count"));
	buf_free(&file);
	assert_int_equal(vault_verify(v, NULL, &r), ERR_OK);
	vault_close(v);
	kit_dir_free(dir);
}

/* Asked to, SQLite leaves the log where it is when it closes: what it held is in the database. */
static void a_log_that_stays_is_of_the_past(void **state)
{
	char *dir = kit_dir();
	struct vault *v = kit_open(dir, VAULT_CREATE, &rng);
	char *log = file_join(dir, "vault.db-wal");
	struct vault_report r;

	(void)state;
	for (int64_t round = 1; round <= 3; round++) {
		int on = 1;

		assert_int_equal(sqlite3_file_control(vault_db(v), "main", SQLITE_FCNTL_PERSIST_WAL, &on), SQLITE_OK);
		if (round == 2)
			kit_sql(v, "PRAGMA journal_size_limit=-1");
		kit_fill(v, 10);
		vault_close(v);
		assert_true(file_exists(log));
		v = kit_open(dir, VAULT_OPEN, &rng);
		assert_int_equal(kit_number(v, "SELECT count(*) FROM t"), 10 * round);
		assert_false(vault_notice(v).old_wal_ignored);
		assert_int_equal(vault_verify(v, NULL, &r), ERR_OK);
	}
	vault_close(v);
	free(log);
	kit_dir_free(dir);
}

static void system_calls_are_not_exchanged_in_a_vault(void **state)
{
	char *dir = kit_dir();
	struct vault *v = kit_open(dir, VAULT_CREATE, &rng);
	sqlite3_vfs *sealed = &v->vfs->base;
	sqlite3_vfs *real = sqlite3_vfs_find("unix");
	struct vfs *loose = loose_vfs(real);

	(void)state;
	assert_int_equal(sealed->xSetSystemCall(sealed, "open", NULL), SQLITE_NOTFOUND);
	assert_null(sealed->xGetSystemCall(sealed, "open"));
	assert_null(sealed->xNextSystemCall(sealed, NULL));
	assert_true(loose->base.xGetSystemCall(&loose->base, "open") == real->xGetSystemCall(real, "open"));
	assert_string_equal(loose->base.xNextSystemCall(&loose->base, NULL), real->xNextSystemCall(real, NULL));
	assert_int_equal(loose->base.xSetSystemCall(&loose->base, "open", NULL), SQLITE_OK);
	vfs_free(loose);
	vault_close(v);
	kit_dir_free(dir);
}

/* ---- Beyond the end ---- */

/* `have` of them are there. */
static void assert_short(sqlite3_file *f, int len, sqlite3_int64 at, int have)
{
	uint8_t out[8192];

	memset(out, 0xaa, sizeof(out));
	assert_int_equal(f->pMethods->xRead(f, out, len, at), SQLITE_IOERR_SHORT_READ);
	for (int i = have; i < len; i++)
		assert_int_equal(out[i], 0);
	assert_int_equal(out[len], 0xaa);
}

static void what_is_beyond_the_end_is_zero(void **state)
{
	char *dir = kit_dir();
	char *path = file_join(dir, "a.db");
	struct vfs *vfs = loose_vfs(sqlite3_vfs_find("unix"));
	sqlite3 *db = loose_open(path);
	sqlite3_file *f = file_of(db, SQLITE_FCNTL_FILE_POINTER);
	sqlite3_int64 size = 0;
	uint8_t data[1000];

	(void)state;
	assert_short(f, 100, 0, 0); /* an empty file */
	assert_short(f, 16, 24, 0);
	sql(db, "CREATE TABLE t(x)");
	assert_int_equal(f->pMethods->xFileSize(f, &size), SQLITE_OK);
	assert_short(f, 4096, size, 0);
	assert_short(f, 4096, size + 40960, 0);
	assert_short(f, 16, size + 24, 0);
	sql(db, "BEGIN; INSERT INTO t VALUES(zeroblob(9000))");
	f = file_of(db, SQLITE_FCNTL_JOURNAL_POINTER);
	assert_int_equal(f->pMethods->xFileSize(f, &size), SQLITE_OK);
	assert_true(size > 512);
	assert_short(f, 28, size, 0);
	assert_short(f, 28, size - 10, 10);
	assert_short(f, 4096, size - 513, 513);
	sql(db, "COMMIT; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; INSERT INTO t VALUES(2)");
	f = file_of(db, SQLITE_FCNTL_JOURNAL_POINTER);
	assert_int_equal(f->pMethods->xFileSize(f, &size), SQLITE_OK);
	assert_short(f, 24, size, 0);
	assert_short(f, 4096, size + 24, 0);
	assert_short(f, 4120, size + 4120, 0);
	f = opened(vfs, NULL, SQLITE_OPEN_TEMP_DB | SQLITE_OPEN_DELETEONCLOSE);
	memset(data, 7, sizeof(data));
	assert_short(f, 10, 0, 0);
	/* A gap reads as zeros, and so does the end. */
	assert_int_equal(f->pMethods->xWrite(f, data, sizeof(data), 10000), SQLITE_OK);
	assert_int_equal(f->pMethods->xRead(f, data, sizeof(data), 9000), SQLITE_OK);
	for (size_t i = 0; i < sizeof(data); i++)
		assert_int_equal(data[i], 0);
	assert_short(f, 1000, 10500, 500);
	assert_short(f, 1000, 11000, 0);
	closed(f);
	sqlite3_close(db);
	vfs_free(vfs);
	dir_empty(dir);
	free(path);
	kit_dir_free(dir);
}

/* A journal is cut inside a block and the program ends there: what is left reads as a torn tail, which SQLite knows
 * what to do with. */
static void a_cut_that_ends_halfway_leaves_a_torn_tail(void **state)
{
	char *dir = kit_dir();
	char *path = file_join(dir, "a.db-mj1");
	struct disk *disk = disk_new();
	struct vfs *vfs = loose_vfs(&disk->base);
	sqlite3_file *f = opened(vfs, path, SQLITE_OPEN_SUPER_JOURNAL);
	uint8_t data[2000];
	sqlite3_int64 size = 0;

	(void)state;
	memset(data, 9, sizeof(data));
	assert_int_equal(f->pMethods->xWrite(f, data, sizeof(data), 0), SQLITE_OK);
	disk_fault(disk, FAULT_WRITE, 0, true);
	assert_int_equal(f->pMethods->xTruncate(f, 700), SQLITE_IOERR_WRITE);
	disk_fault(disk, 0, 0, false);
	assert_int_equal(f->pMethods->xFileSize(f, &size), SQLITE_OK);
	assert_int_equal(size, 512);
	assert_short(f, 700, 0, 512);
	closed(f);
	vfs_free(vfs);
	disk_free(disk);
	dir_empty(dir);
	free(path);
	kit_dir_free(dir);
}

/* ---- Headers and checksums (V1) ---- */

static struct buf content_of(sqlite3_file *f)
{
	struct buf b = { 0 };
	sqlite3_int64 size = 0;

	assert_int_equal(f->pMethods->xFileSize(f, &size), SQLITE_OK);
	assert_int_equal(buf_reserve(&b, (size_t)size), ERR_OK);
	b.len = (size_t)size;
	return b;
}

static void read_at(sqlite3_file *f, struct buf *b, size_t at, size_t len)
{
	assert_true(at + len <= b->len);
	assert_int_equal(f->pMethods->xRead(f, b->data + at, (int)len, (sqlite3_int64)at), SQLITE_OK);
}

static void assert_sealed(const struct buf *raw, const uint8_t *content, size_t len)
{
	static const uint8_t zero[16];

	assert_memory_not_equal(content, zero, len);
	assert_null(memmem(raw->data, raw->len, content, len));
}

static void headers_and_checksums_are_sealed(void **state)
{
	static const uint8_t magic[8] = { 0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7 };
	char *dir = kit_dir();
	char *path = file_join(dir, "a.db");
	struct vfs *vfs = loose_vfs(sqlite3_vfs_find("unix"));
	sqlite3 *db = loose_open(path);
	sqlite3_file *f = NULL;
	struct buf plain = { 0 };
	struct buf raw = { 0 };
	size_t records = 0;

	(void)state;
	sql(db, "CREATE TABLE t(x); INSERT INTO t VALUES(hex(randomblob(30000)));"
	        "PRAGMA cache_size=2; BEGIN; UPDATE t SET x = hex(randomblob(30000))");
	f = file_of(db, SQLITE_FCNTL_JOURNAL_POINTER);
	plain = content_of(f);
	read_at(f, &plain, 0, plain.len);
	raw = kit_read(dir, "a.db-journal");
	assert_memory_equal(plain.data, magic, sizeof(magic));
	assert_sealed(&raw, plain.data, 8);
	assert_sealed(&raw, plain.data + 12, 4); /* what its checksums start from */
	/* As many as it had when it was first synced, because pages were about to be overwritten. */
	for (records = 0; records < be32_get(plain.data + 8); records++)
		assert_sealed(&raw, plain.data + 512 + 4104 * records + 4100, 4);
	assert_true(records > 0);
	buf_free(&plain);
	buf_free(&raw);

	sql(db, "COMMIT; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; UPDATE t SET x = x || 'more'");
	f = file_of(db, SQLITE_FCNTL_JOURNAL_POINTER);
	plain = content_of(f);
	raw = kit_read(dir, "a.db-wal");
	read_at(f, &plain, 0, 32);
	assert_sealed(&raw, plain.data + 16, 8); /* salts */
	assert_sealed(&raw, plain.data + 24, 8);
	records = 0;
	for (size_t at = 32; at + 4120 <= plain.len; at += 4120, records++) {
		read_at(f, &plain, at, 4120);
		assert_memory_equal(plain.data + at + 8, plain.data + 16, 8);
		assert_sealed(&raw, plain.data + at + 16, 8);
	}
	assert_true(records > 8);
	buf_free(&plain);
	buf_free(&raw);
	sqlite3_close(db);
	vfs_free(vfs);
	dir_empty(dir);
	free(path);
	kit_dir_free(dir);
}

/* ---- A transaction over two databases ---- */

#define SNAPS 200
#define SNAP_FILES 8

struct snap {
	char name[SNAP_FILES][256];
	struct buf content[SNAP_FILES];
	size_t files;
};

struct watch {
	const char *dir;
	struct snap snap[SNAPS];
	size_t count;
	unsigned super; /* of them, with a super-journal */
	unsigned names; /* bytes written that show a journal's name */
};

static void watch_change(void *self)
{
	struct watch *w = self;
	struct snap *s = &w->snap[w->count];
	DIR *d = opendir(w->dir);
	struct dirent *e = NULL;
	bool super = false;

	assert_true(w->count < SNAPS);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		assert_true(s->files < SNAP_FILES);
		snprintf(s->name[s->files], sizeof(s->name[0]), "%s", e->d_name);
		s->content[s->files++] = kit_read(w->dir, e->d_name);
		super = super || strstr(e->d_name, "-mj") != NULL;
	}
	closedir(d);
	w->super += super;
	w->count++;
}

static void watch_bytes(void *self, const uint8_t *data, size_t len)
{
	struct watch *w = self;

	w->names += memmem(data, len, "db-journal", 10) != NULL || memmem(data, len, "db-mj", 5) != NULL;
}

static sqlite3 *pair_open(const char *dir)
{
	char *path = file_join(dir, "a.db");
	char *other = file_join(dir, "b.db");
	char text[300];
	sqlite3 *db = loose_open(path);

	snprintf(text, sizeof(text), "ATTACH '%s' AS o", other);
	sql(db, text);
	free(path);
	free(other);
	return db;
}

/* The program ends at any change of any file while a commit over two databases is on its way: both have it or neither,
 * as the super-journal, sealed too, says. */
static void a_super_journal_binds_two_databases(void **state)
{
	char *dir = kit_dir();
	char *other = file_join(dir, "b.db");
	struct watch *w = calloc(1, sizeof(*w));
	struct disk *disk = disk_new();
	struct vfs *vfs = loose_vfs(&disk->base);
	sqlite3 *db = loose_open(other);
	unsigned both = 0;

	(void)state;
	sql(db, "CREATE TABLE u(x); INSERT INTO u VALUES('before')");
	sqlite3_close(db);
	db = pair_open(dir);
	sql(db, "CREATE TABLE t(x); INSERT INTO t VALUES('before')");
	w->dir = dir;
	disk_start(disk, dir);
	disk->on_change = watch_change;
	disk->on_change_self = w;
	disk->on_bytes = watch_bytes;
	disk->on_bytes_self = w;
	sql(db, "BEGIN; UPDATE t SET x = 'after'; UPDATE o.u SET x = 'after'; COMMIT");
	disk->on_change = NULL;
	disk->recording = false;
	sqlite3_close(db);
	assert_true(w->super > 3);
	assert_int_equal(w->names, 0);
	for (size_t i = 0; i < w->count; i++) {
		struct snap *s = &w->snap[i];
		char *t = NULL;
		char *u = NULL;

		dir_empty(dir);
		for (size_t k = 0; k < s->files; k++)
			kit_write(dir, s->name[k], s->content[k].len == 0 ? (const uint8_t *)"" : s->content[k].data,
			          s->content[k].len);
		db = pair_open(dir);
		t = text_of(db, "SELECT x FROM t");
		u = text_of(db, "SELECT x FROM o.u");
		if (strcmp(t, u) != 0)
			fail_msg("at change %zu of %zu: %s, %s", i, w->count, t, u);
		both += strcmp(t, "after") == 0;
		free(t);
		free(u);
		sqlite3_close(db);
		for (size_t k = 0; k < s->files; k++)
			buf_free(&s->content[k]);
	}
	print_message("%zu moments, %u with a super-journal; %u had the change\n", w->count, w->super, both);
	assert_true(both > 0 && both < w->count);
	vfs_free(vfs);
	disk_free(disk);
	dir_empty(dir);
	free(w);
	free(other);
	kit_dir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_role_is_of_version_three),
		cmocka_unit_test(a_log_without_one_owner_is_refused),
		cmocka_unit_test(a_log_finds_its_database_under_another_vfs),
		cmocka_unit_test(file_controls_do_what_the_table_says),
		cmocka_unit_test(a_log_that_stays_is_of_the_past),
		cmocka_unit_test(system_calls_are_not_exchanged_in_a_vault),
		cmocka_unit_test(what_is_beyond_the_end_is_zero),
		cmocka_unit_test(a_cut_that_ends_halfway_leaves_a_torn_tail),
		cmocka_unit_test(headers_and_checksums_are_sealed),
		cmocka_unit_test(a_super_journal_binds_two_databases),
	};

	return vault_start() != ERR_OK ? 1 : cmocka_run_group_tests_name("vault/vfs", tests, NULL, NULL);
}
