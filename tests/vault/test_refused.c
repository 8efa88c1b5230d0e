// SPDX-License-Identifier: EUPL-1.2
// Goal (V3, V6): whichever call the system, the disk or SQLite refuses, a call of the vault ends in what was asked for
// or in an error with a sentence that speaks of memory or of the disk: never in damage or a wrong passphrase that is
// none. What was acknowledged is there afterwards, once, and verifies.
//
// Calls of our own code are wrapped by the linker, those of SQLite to the disk go through disk.h, those for memory
// through its own methods. Of each kind the n-th call fails, once and from there on; every n at first, then ever fewer,
// all with SLB_SOAK. SLB_REFUSED=name: that flow alone.
//
// Seen to fail when: a failing stat() counts as "not there"; frames_scan() has an error without a sentence;
// first_ledger() gives up where it is interrupted. When it was new it found these three in the vault, and a vault said
// to be there for want of memory.
#include "vault/disk.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/codec.h"
#include "crypto/pwhash.h"
#include "support/short_memory.h"
#include "support/short_sqlite.h"
#include "vault/backup_file.h"
#include "vault/backup_pack.h"
#include "vault/copy.h"
#include "vault/keychange.h"
#include "vault/keyfile.h"
#include "vault/pages.h"
#include "vault/swap.h"
#include "vault/vault_over.h"

/* ---- Calls that are refused ---- */

enum call {
	C_NONE,
	C_MEMORY, /* malloc() and what else gives memory */
	C_KEYS,   /* guarded memory */
	C_SEALING,
	C_SQLITE, /* what SQLite asks for itself */
	C_MAP,
	C_ADVISE,
	C_LOCK,
	C_OPEN,
	C_READ,
	C_PREAD,
	C_WRITE,
	C_SYNC,
	C_FSTAT,
	C_STAT,
	C_UNLINK,
	C_RENAME,
	C_RMDIR,
	C_MKDIR,
	C_FLOCK,
	C_CONFIG, /* SQLite's doors that take a setting */
	C_CONTROL,
	C_REGISTER,
	C_START,
	C_LIMIT,
	C_CORE,
	C_DUMP,
	C_SODIUM,
	C_STOP,
	C_TEXT, /* memory for an answer of SQLite's */
	CALLS
};

static struct {
	enum call kind; /* C_NONE: none is refused */
	bool sticky;
	unsigned left;
	unsigned hits;
	int error;
} blow;

static bool refused(enum call kind)
{
	if (blow.kind != kind)
		return false;
	if (blow.left > 0) {
		blow.left--;
		return false;
	}
	if (!blow.sticky && blow.hits > 0)
		return false;
	blow.hits++;
	errno = blow.error;
	return true;
}

bool memory_is_short(void)
{
	return refused(C_MEMORY);
}

bool keys_are_short(void)
{
	return refused(C_KEYS);
}

/* NAME(ARGS) as the linker knows them: __wrap_NAME is called, __real_NAME is the library's. */
#define WRAP(kind, type, name, parameters, arguments, failure)                                                         \
	type __real_##name parameters;                                                                                 \
	type __wrap_##name parameters;                                                                                 \
	type __wrap_##name parameters                                                                                  \
	{                                                                                                              \
		return refused(kind) ? failure : __real_##name arguments;                                              \
	}

WRAP(C_SEALING, void *, sqlite3_malloc64, (sqlite3_uint64 n), (n), NULL)
WRAP(C_MAP, void *, mmap64, (void *at, size_t n, int prot, int flags, int fd, off_t from),
     (at, n, prot, flags, fd, from), MAP_FAILED)
WRAP(C_ADVISE, int, madvise, (void *at, size_t n, int advice), (at, n, advice), -1)
WRAP(C_READ, ssize_t, read, (int fd, void *out, size_t n), (fd, out, n), -1)
WRAP(C_READ, ssize_t, __read_chk, (int fd, void *out, size_t n, size_t room), (fd, out, n, room), -1)
WRAP(C_PREAD, ssize_t, pread64, (int fd, void *out, size_t n, off_t at), (fd, out, n, at), -1)
WRAP(C_PREAD, ssize_t, __pread64_chk, (int fd, void *out, size_t n, off_t at, size_t room), (fd, out, n, at, room), -1)
WRAP(C_WRITE, ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n), -1)
WRAP(C_SYNC, int, fsync, (int fd), (fd), -1)
WRAP(C_FSTAT, int, fstat64, (int fd, struct stat *out), (fd, out), -1)
WRAP(C_STAT, int, stat64, (const char *path, struct stat *out), (path, out), -1)
WRAP(C_UNLINK, int, unlink, (const char *path), (path), -1)
WRAP(C_RENAME, int, rename, (const char *from, const char *to), (from, to), -1)
WRAP(C_RMDIR, int, rmdir, (const char *path), (path), -1)
WRAP(C_MKDIR, int, mkdir, (const char *path, mode_t mode), (path, mode), -1)
WRAP(C_FLOCK, int, flock, (int fd, int what), (fd, what), -1)
WRAP(C_CONFIG, int, sqlite3_set_authorizer,
     (sqlite3 * db, int (*f)(void *, int, const char *, const char *, const char *, const char *), void *self),
     (db, f, self), SQLITE_NOMEM)
WRAP(C_CONTROL, int, sqlite3_file_control, (sqlite3 * db, const char *name, int op, void *arg), (db, name, op, arg),
     SQLITE_IOERR)
WRAP(C_REGISTER, int, sqlite3_vfs_register, (sqlite3_vfs * vfs, int first), (vfs, first), SQLITE_NOMEM)
WRAP(C_START, int, sqlite3_initialize, (void), (), SQLITE_NOMEM)
WRAP(C_CORE, int, setrlimit64, (int what, const struct rlimit *limit), (what, limit), -1)
WRAP(C_SODIUM, int, sodium_init, (void), (), -1)
WRAP(C_STOP, int, sqlite3_shutdown, (void), (), SQLITE_MISUSE)
WRAP(C_TEXT, const unsigned char *, sqlite3_column_text, (sqlite3_stmt * st, int column), (st, column), NULL)

/* What this process may lock, as it is told: a test machine seldom allows a process to raise its own limit. Then
 * nothing is really locked. 0: as it is. */
static rlim_t told_limit;

int __real_getrlimit64(int what, struct rlimit *out);
int __wrap_getrlimit64(int what, struct rlimit *out);
int __wrap_getrlimit64(int what, struct rlimit *out)
{
	int n = refused(C_LIMIT) ? -1 : __real_getrlimit64(what, out);

	if (told_limit != 0 && what == RLIMIT_MEMLOCK)
		out->rlim_cur = told_limit;
	return n;
}

int __real_mlock(const void *at, size_t n);
int __wrap_mlock(const void *at, size_t n);
int __wrap_mlock(const void *at, size_t n)
{
	if (refused(C_LOCK))
		return -1;
	return told_limit != 0 ? 0 : __real_mlock(at, n);
}

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode = 0;

	if (refused(C_OPEN))
		return -1;
	va_start(args, flags);
	if ((flags & O_CREAT) != 0)
		mode = va_arg(args, mode_t);
	va_end(args);
	return __real_open64(path, flags, mode);
}

int __real_prctl(int what, ...);
int __wrap_prctl(int what, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
int __wrap_prctl(int what, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	return refused(C_DUMP) ? -1 : __real_prctl(what, a, b, c, d);
}

int __real_sqlite3_db_config(sqlite3 *db, int op, ...);
int __wrap_sqlite3_db_config(sqlite3 *db, int op, int on, int *is);
int __wrap_sqlite3_db_config(sqlite3 *db, int op, int on, int *is)
{
	return refused(C_CONFIG) ? SQLITE_NOMEM : __real_sqlite3_db_config(db, op, on, is);
}

int __real_sqlite3_config(int op, ...);
int __wrap_sqlite3_config(int op, ...);
int __wrap_sqlite3_config(int op, ...)
{
	va_list args;
	int rc = SQLITE_MISUSE;

	if (refused(C_CONFIG))
		return SQLITE_MISUSE;
	va_start(args, op);
	if (op == SQLITE_CONFIG_STMTJRNL_SPILL) {
		rc = __real_sqlite3_config(op, va_arg(args, int));
	} else if (op == SQLITE_CONFIG_PAGECACHE) {
		void *at = va_arg(args, void *);
		int size = va_arg(args, int);

		rc = __real_sqlite3_config(op, at, size, va_arg(args, int));
	} else {
		rc = __real_sqlite3_config(op, va_arg(args, void *));
	}
	va_end(args);
	return rc;
}

/* Vaults use the disk that can fail; NULL: SQLite's own. */
static struct disk *disk;
sqlite3_vfs *__real_sqlite3_vfs_find(const char *name);
sqlite3_vfs *__wrap_sqlite3_vfs_find(const char *name);
sqlite3_vfs *__wrap_sqlite3_vfs_find(const char *name)
{
	return disk == NULL ? __real_sqlite3_vfs_find(name) : &disk->base;
}

static bool sqlite_is_short(void)
{
	return refused(C_SQLITE);
}

/* ---- The vault that is dealt with ---- */

static const uint8_t OTHER[32] = "another master key, of 32 bytes.";
static const char PASSPHRASE[] = "drie groene fietsen";
static const char NEW_PASSPHRASE[] = "een blauwe step";

enum { DB, LOG, MARK, KEYS, FILES };
static const char *const NAMES[FILES] = { "vault.db", "vault.db-wal", "vault.mark", "keys" };
#define ROWS 20

struct world {
	struct seed seed;
	struct rng rng;
	struct clock clock;
	struct buf file[FILES]; /* with a log, as a kill leaves it */
	char *content;
	char *dir;
	char *out; /* a second folder */
	char *pack;
	char *keys;
	uint8_t *master; /* of the key file */
	uint8_t *got;
	uint8_t sheet[SHEET_SECRET_LEN];
	bool row; /* the act added a row, and was told so */
	bool done;
};

static int64_t still_ms(void *self)
{
	(void)self;
	return 1760000000000;
}

static struct bytes text_of(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

static void world_begin(struct world *w)
{
	struct vault *v = NULL;
	struct keychange *kc = NULL;
	struct keyfile_sheet sheet;
	enum keys_now now = KEYS_OLD;

	*w = (struct world){ .seed = { 4711 }, .clock = { still_ms, NULL }, .dir = kit_dir(), .out = kit_dir() };
	w->rng = seed_rng(&w->seed);
	w->master = secret_new(MASTER_KEY_LEN);
	w->got = secret_new(MASTER_KEY_LEN);
	assert_true(w->master != NULL && w->got != NULL);
	w->keys = file_join(w->dir, "keys");
	assert_true(asprintf(&w->pack, "%s.backup", w->dir) > 0);
	assert_int_equal(keyfile_create(NULL, w->keys, text_of(PASSPHRASE), &w->clock, &w->rng, w->master), ERR_OK);
	assert_int_equal(keychange_by_passphrase(NULL, w->keys, text_of(PASSPHRASE), &w->rng, &kc), ERR_OK);
	assert_int_equal(keychange_sheet(kc, NULL, 20000, w->sheet, &sheet), ERR_OK);
	assert_int_equal(keychange_commit(kc, NULL, &now), ERR_OK);
	keychange_free(kc);
	v = kit_open(w->dir, VAULT_CREATE, &w->rng);
	kit_fill(v, ROWS / 2);
	assert_int_equal(vault_checkpoint(v, NULL, true), ERR_OK);
	kit_fill(v, ROWS - ROWS / 2);
	w->content = kit_dump(v);
	for (int i = 0; i < FILES; i++)
		w->file[i] = kit_read(w->dir, NAMES[i]);
	assert_true(w->file[LOG].len > 0);
	vault_close(v);
}

static void clean(const char *dir)
{
	swap_give_up(dir);
	for (size_t i = 0; i < KIT_FILE_COUNT; i++)
		kit_write(dir, KIT_FILES[i], NULL, 0);
}

static void world_end(struct world *w)
{
	clean(w->dir);
	clean(w->out);
	kit_dir_free(w->dir);
	kit_dir_free(w->out);
	unlink(w->pack);
	for (int i = 0; i < FILES; i++)
		buf_free(&w->file[i]);
	secret_free(w->master);
	secret_free(w->got);
	free(w->content);
	free(w->pack);
	free(w->keys);
}

static void world_restore(struct world *w)
{
	clean(w->dir);
	clean(w->out);
	unlink(w->pack);
	for (int i = 0; i < FILES; i++)
		kit_write(w->dir, NAMES[i], w->file[i].data, w->file[i].len);
	w->row = false;
	w->done = false;
}

static bool there(const char *dir, const char *name)
{
	char *p = file_join(dir, name);
	bool yes = file_exists(p);

	free(p);
	return yes;
}

/* The vault opens, holds what it held, and the row where that was acknowledged. */
static void expect_whole(const struct world *w, const char *dir, const uint8_t *master, bool acked)
{
	struct vault *v = NULL;
	struct vault_report r;
	struct errctx ec = { 0 };
	char text[300];

	if (vault_open(&ec, dir, master, VAULT_OPEN, &w->rng, &v) != ERR_OK)
		fail_msg("%s", err_text(&ec, NULL, text, sizeof(text)));
	assert_int_equal(kit_number(v, "SELECT count(*) FROM t WHERE id <= 20"), ROWS);
	assert_true(kit_number(v, "SELECT count(*) FROM t") >= ROWS + acked);
	assert_true(kit_number(v, "SELECT count(*) FROM t") <= ROWS + 1);
	assert_int_equal(vault_verify(v, NULL, &r), ERR_OK);
	vault_close(v);
}

/* ---- What is done ---- */

static enum err sql(struct vault *v, struct errctx *ec, const char *text)
{
	return sqlite3_exec(vault_db(v), text, NULL, NULL, NULL) == SQLITE_OK ? ERR_OK : vault_sqlite_error(v, ec);
}

static enum err act_create(struct world *w, struct errctx *ec)
{
	struct vault *v = NULL;
	enum err e = vault_open(ec, w->out, KIT_MASTER, VAULT_CREATE, &w->rng, &v);

	w->done = e == ERR_OK;
	if (e == ERR_OK)
		e = sql(v, ec, "CREATE TABLE t(id INTEGER PRIMARY KEY, x); INSERT INTO t(x) VALUES('een')");
	w->row = e == ERR_OK;
	if (e == ERR_OK)
		e = vault_checkpoint(v, ec, true);
	vault_close(v);
	return e;
}

static void after_create(struct world *w, enum err e)
{
	struct vault *v = NULL;
	enum err again = ERR_OK;

	(void)e;
	/* A vault or none. */
	if (there(w->out, "vault.db")) {
		v = kit_open(w->out, VAULT_OPEN, &w->rng);
		if (w->row)
			assert_int_equal(kit_number(v, "SELECT count(*) FROM t"), 1);
	} else {
		assert_false(w->done);
		again = vault_open(NULL, w->out, KIT_MASTER, VAULT_CREATE, &w->rng, &v);
		assert_int_equal(again, ERR_OK);
	}
	vault_close(v);
}

static enum err act_use(struct world *w, struct errctx *ec)
{
	struct vault *v = NULL;
	struct vault_report r;
	enum err e = vault_open(ec, w->dir, KIT_MASTER, VAULT_OPEN, &w->rng, &v);

	if (e == ERR_OK)
		e = sql(v, ec, "INSERT INTO t(x) VALUES(printf('%.*c', 300000, 'y'))");
	w->row = e == ERR_OK;
	if (e == ERR_OK)
		e = vault_checkpoint(v, ec, false);
	if (e == ERR_OK)
		e = vault_sum_check(v, ec);
	if (e == ERR_OK)
		e = vault_verify(v, ec, &r);
	if (e == ERR_OK)
		e = vault_accept(v, ec);
	vault_close(v);
	return e;
}

static void after_use(struct world *w, enum err e)
{
	(void)e;
	expect_whole(w, w->dir, KIT_MASTER, w->row);
}

static void log_cut(struct world *w)
{
	kit_write(w->dir, "vault.db-wal", w->file[LOG].data, w->file[LOG].len / 2);
}

/* Its log is cut: what is left is read. */
static enum err act_salvage(struct world *w, struct errctx *ec)
{
	struct vault *v = NULL;
	enum err e = vault_open(ec, w->dir, KIT_MASTER, VAULT_SALVAGE, &w->rng, &v);

	if (e == ERR_OK)
		e = vault_accept(v, ec);
	vault_close(v);
	return e;
}

static void after_salvage(struct world *w, enum err e)
{
	struct vault *v = kit_open(w->dir, e == ERR_OK ? VAULT_OPEN : VAULT_SALVAGE, &w->rng);

	assert_in_range(kit_number(v, "SELECT count(*) FROM t"), ROWS / 2, ROWS - 1);
	vault_close(v);
}

static enum err act_pages(struct world *w, struct errctx *ec)
{
	struct vault_pages *p = NULL;
	struct pages_report r = { 0 };
	uint32_t cursor = 0;
	bool more = true;
	uint8_t page[PAGES_SIZE];
	enum err e = vault_pages_open(ec, w->dir, KIT_MASTER, &w->rng, &p);

	if (e == ERR_OK)
		e = vault_pages_report(p, &r);
	while (e == ERR_OK && more)
		e = vault_pages_stray(p, &cursor, page, &more);
	/* A page that the disk does not give is a bad one, and is counted. */
	w->done = e == ERR_OK && r.pages > 0 && r.bad_pages == 0 && r.sum_matches && !r.log_cut;
	if (e == ERR_OK && blow.kind != C_PREAD)
		assert_true(w->done);
	vault_pages_close(p);
	return e;
}

static enum err act_swap(struct world *w, struct errctx *ec)
{
	struct vault *v = NULL;
	char *side = NULL;
	enum err e = vault_open(ec, w->dir, KIT_MASTER, VAULT_OPEN, &w->rng, &v);

	if (e == ERR_OK)
		e = swap_begin(ec, w->dir, &side);
	if (e == ERR_OK)
		e = vault_copy(v, ec, side, OTHER);
	vault_close(v);
	v = NULL;
	if (e == ERR_OK)
		e = swap_ready(ec, w->dir);
	w->done = e == ERR_OK; /* from here on the other key is the one that is used */
	if (e == ERR_OK)
		e = vault_open(ec, w->dir, OTHER, VAULT_OPEN, &w->rng, &v);
	vault_close(v);
	free(side);
	return e;
}

static void after_swap(struct world *w, enum err e)
{
	(void)e;
	expect_whole(w, w->dir, w->done ? OTHER : KIT_MASTER, false);
	assert_false(there(w->dir, SWAP_DIR));
	assert_false(there(w->dir, SWAP_PART));
}

static void after_give_up(struct world *w, enum err e)
{
	(void)e;
	expect_whole(w, w->dir, KIT_MASTER, false);
	assert_false(there(w->dir, SWAP_DIR));
}

/* A swap that was given up: the key still opens the old vault. */
static enum err act_give_up(struct world *w, struct errctx *ec)
{
	struct vault *v = NULL;
	enum err e = vault_open(ec, w->dir, KIT_MASTER, VAULT_OPEN, &w->rng, &v);

	vault_close(v);
	return e;
}

static void next_waits(struct world *w)
{
	static struct buf copy[2];
	struct vault *v = NULL;
	char *side = NULL;

	assert_int_equal(swap_begin(NULL, w->dir, &side), ERR_OK);
	if (copy[0].len == 0) {
		assert_int_equal(vault_open(NULL, side, OTHER, VAULT_CREATE, &w->rng, &v), ERR_OK);
		vault_close(v);
		copy[0] = kit_read(side, "vault.db");
		copy[1] = kit_read(side, "vault.mark");
	}
	kit_write(side, "vault.db", copy[0].data, copy[0].len);
	kit_write(side, "vault.mark", copy[1].data, copy[1].len);
	assert_int_equal(swap_ready(NULL, w->dir), ERR_OK);
	free(side);
}

static enum err unpack(struct world *w, struct errctx *ec, const struct backup_keys *keys)
{
	struct backup_list list;
	struct buf head = { 0 };
	int fd = __real_open64(w->pack, O_RDONLY | O_CLOEXEC);
	enum err e = backup_begin(ec, fd, w->pack, &head);

	assert_true(fd >= 0);
	if (e == ERR_OK)
		e = backup_unpack(ec, fd, w->pack, keys, buf_bytes(&head), w->out, &list);
	close(fd);
	buf_free(&head);
	return e;
}

static enum err act_backup(struct world *w, struct errctx *ec)
{
	struct vault *v = NULL;
	struct backup_keys *keys = NULL;
	struct backup_parts parts = { buf_bytes(&w->file[KEYS]), w->out, 1760000000000 };
	uint64_t bytes = 0;
	int fd = __real_open64(w->pack, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	enum err e = vault_open(ec, w->dir, KIT_MASTER, VAULT_OPEN, &w->rng, &v);

	assert_true(fd >= 0);
	if (e == ERR_OK)
		e = backup_copy(v, ec, w->out);
	if (e == ERR_OK) {
		keys = backup_keys_of(v);
		e = keys == NULL ? err_errno(ec, ENOMEM, "") : ERR_OK;
	}
	if (e == ERR_OK)
		e = backup_pack(ec, fd, w->pack, keys, &parts, &w->rng, &bytes);
	if (e == ERR_OK) {
		enum call kind = blow.kind;

		blow.kind = C_NONE;
		clean(w->out);
		blow.kind = kind;
		e = unpack(w, ec, keys);
		w->done = e == ERR_OK;
		blow.kind = C_NONE;
		assert_int_equal(there(w->out, "vault.db"), w->done);
		assert_int_equal(there(w->out, "vault.mark"), w->done);
		blow.kind = kind;
	}
	close(fd);
	backup_keys_free(keys);
	vault_close(v);
	return e;
}

static void after_backup(struct world *w, enum err e)
{
	if (e == ERR_OK) /* in its folder, whole */
		expect_whole(w, w->out, KIT_MASTER, false);
	expect_whole(w, w->dir, KIT_MASTER, false);
}

static enum err act_keys(struct world *w, struct errctx *ec)
{
	struct keychange *kc = NULL;
	struct keyfile_sheet sheet;
	enum keys_now now = KEYS_OLD;
	uint8_t secret[SHEET_SECRET_LEN];
	uint32_t replaced = 0;
	char *path = file_join(w->out, "keys");
	enum err e = path == NULL ? err_errno(ec, ENOMEM, "") : ERR_OK;

	if (e == ERR_OK)
		e = keyfile_create(ec, path, text_of(PASSPHRASE), &w->clock, &w->rng, w->got);
	if (e == ERR_OK)
		e = keyfile_check(ec, path, w->got);
	if (e == ERR_OK)
		e = keyfile_change_passphrase(ec, path, text_of(PASSPHRASE), text_of(NEW_PASSPHRASE), &w->clock,
		                              &w->rng);
	free(path);
	if (e == ERR_OK)
		e = keyfile_sheet(ec, w->keys, &sheet);
	if (e == ERR_OK)
		e = keychange_by_sheet(ec, w->keys, w->sheet, &w->rng, &replaced, &kc);
	if (e == ERR_OK)
		e = keychange_sheet(kc, ec, 20001, secret, &sheet);
	if (e == ERR_OK)
		e = keychange_master_key(kc, ec);
	if (e == ERR_OK)
		e = keychange_passphrase(kc, ec, text_of(NEW_PASSPHRASE), &w->clock);
	if (e == ERR_OK)
		e = keychange_commit(kc, ec, &now);
	w->done = e == ERR_OK;
	if (e == ERR_OK)
		assert_int_equal(now, KEYS_NEW);
	else if (now == KEYS_OLD)
		w->row = true; /* the file is said to be the old one */
	keychange_free(kc);
	return e;
}

static void after_keys(struct world *w, enum err e)
{
	struct buf now = kit_read(w->dir, "keys");
	bool old = bytes_cmp(buf_bytes(&now), buf_bytes(&w->file[KEYS])) == 0;

	(void)e;
	if (w->row)
		assert_true(old);
	assert_int_equal(keyfile_unlock(NULL, w->keys, text_of(old ? PASSPHRASE : NEW_PASSPHRASE), w->got), ERR_OK);
	if (old)
		assert_memory_equal(w->got, w->master, MASTER_KEY_LEN);
	else
		assert_memory_not_equal(w->got, w->master, MASTER_KEY_LEN);
	if (w->done)
		assert_false(old);
	buf_free(&now);
}

static void half_damaged(struct world *w)
{
	struct buf b = { 0 };

	assert_int_equal(buf_put(&b, w->file[KEYS].data, w->file[KEYS].len), ERR_OK);
	b.data[30] ^= 1;
	kit_write(w->dir, "keys", b.data, b.len);
	buf_free(&b);
}

/* One copy of two is damaged: the other answers, whether or not it can be put back. */
static enum err act_heal(struct world *w, struct errctx *ec)
{
	enum err e = keyfile_unlock(ec, w->keys, text_of(PASSPHRASE), w->got);

	if (e == ERR_OK)
		assert_memory_equal(w->got, w->master, MASTER_KEY_LEN);
	else
		assert_memory_equal(w->got, (uint8_t[MASTER_KEY_LEN]){ 0 }, MASTER_KEY_LEN);
	return e;
}

static void after_heal(struct world *w, enum err e)
{
	(void)e;
	assert_int_equal(keyfile_unlock(NULL, w->keys, text_of(PASSPHRASE), w->got), ERR_OK);
	assert_memory_equal(w->got, w->master, MASTER_KEY_LEN);
}

/* ---- Any use of SQLite over the VFS ---- */

static const char *loose_mode;

/* A cache of two pages spills into the journal or the log; the index is sorted in temporary files. */
static enum err act_loose(struct world *w, struct errctx *ec)
{
	struct vfs_config c = {
		.name = "loose", .under = &disk->base, .policy = VFS_LOOSE, .rng = &w->rng, .master = KIT_MASTER
	};
	struct vfs *vfs = vfs_new(&c);
	sqlite3 *db = NULL;
	char *path = file_join(w->out, "vault.db");
	char *text = sqlite3_mprintf(
	    "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=%s; PRAGMA temp_store=FILE; PRAGMA cache_size=2;"
	    "INSERT INTO t(x) VALUES('een'); SAVEPOINT a;"
	    "UPDATE t SET x = x || hex(randomblob(300)); ROLLBACK TO a;"
	    "CREATE TEMP TABLE s AS SELECT hex(randomblob(2000)) AS y FROM t, t AS u; CREATE INDEX temp.i ON s(y);"
	    "UPDATE s SET y = substr(y, 7); DELETE FROM s WHERE rowid %% 3 = 0; RELEASE a",
	    loose_mode);
	int rc = vfs == NULL || path == NULL || text == NULL ? SQLITE_NOMEM : SQLITE_OK;

	if (rc == SQLITE_OK)
		rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, "loose");
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, text, NULL, NULL, NULL);
	w->row = rc == SQLITE_OK;
	sqlite3_close(db);
	vfs_free(vfs);
	sqlite3_free(text);
	free(path);
	if (rc == SQLITE_OK)
		return ERR_OK;
	return err_errno(ec, (rc & 0xff) == SQLITE_NOMEM || rc == SQLITE_IOERR_NOMEM ? ENOMEM : EIO, "");
}

static sqlite3 *loose_open(struct world *w, struct vfs **vfs)
{
	struct vfs_config c = {
		.name = "loose-again", .under = &disk->base, .policy = VFS_LOOSE, .rng = &w->rng, .master = KIT_MASTER
	};
	char *path = file_join(w->out, "vault.db");
	sqlite3 *db = NULL;
	int reserve = PAGE_RESERVE;

	*vfs = vfs_new(&c);
	assert_non_null(*vfs);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "loose-again"),
	                 SQLITE_OK);
	assert_int_equal(sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve), SQLITE_OK);
	free(path);
	return db;
}

static void loose_made(struct world *w)
{
	static struct buf made;
	struct vfs *vfs = NULL;
	sqlite3 *db = NULL;

	if (made.len == 0) {
		db = loose_open(w, &vfs);
		assert_int_equal(
		    sqlite3_exec(db,
		                 "CREATE TABLE t(id INTEGER PRIMARY KEY, x); INSERT INTO t(x) VALUES('a'), ('b'),"
		                 "('c'), ('d'), ('e'), ('f'), ('g'), ('h'); UPDATE t SET x = hex(randomblob(3000))",
		                 NULL, NULL, NULL),
		    SQLITE_OK);
		sqlite3_close(db);
		vfs_free(vfs);
		made = kit_read(w->out, "vault.db");
	}
	kit_write(w->out, "vault.db", made.data, made.len);
}

static void loose_journal(struct world *w)
{
	loose_mode = "DELETE";
	loose_made(w);
}

static void loose_log(struct world *w)
{
	loose_mode = "WAL";
	loose_made(w);
}

static void after_loose(struct world *w, enum err e)
{
	struct vfs *vfs = NULL;
	sqlite3 *db = loose_open(w, &vfs);
	sqlite3_stmt *st = NULL;

	(void)e;
	assert_int_equal(sqlite3_exec(db, "PRAGMA locking_mode=EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(db, "SELECT count(*), (SELECT * FROM pragma_integrity_check) FROM t", -1, &st, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_in_range(sqlite3_column_int(st, 0), 8 + w->row, 9);
	assert_string_equal((const char *)sqlite3_column_text(st, 1), "ok");
	sqlite3_finalize(st);
	sqlite3_close(db);
	vfs_free(vfs);
	{
		char *journal = file_join(w->out, "vault.db-journal");

		unlink(journal);
		free(journal);
	}
}

/* ---- All of it ---- */

struct flow {
	const char *name;
	void (*before)(struct world *w);
	enum err (*act)(struct world *w, struct errctx *ec);
	void (*after)(struct world *w, enum err e);
};

static const struct flow FLOWS[] = {
	{ "create", NULL, act_create, after_create },
	{ "use", NULL, act_use, after_use },
	{ "salvage", log_cut, act_salvage, after_salvage },
	{ "pages", NULL, act_pages, after_use },
	{ "swap", NULL, act_swap, after_swap },
	{ "a swap given up", next_waits, act_give_up, after_give_up },
	{ "backup", NULL, act_backup, after_backup },
	{ "keys", NULL, act_keys, after_keys },
	{ "keys, one half damaged", half_damaged, act_heal, after_heal },
	{ "loose, a journal", loose_journal, act_loose, after_loose },
	{ "loose, a log", loose_log, act_loose, after_loose },
};

struct tally {
	unsigned tried;
	unsigned refused; /* told with an error */
	unsigned made;    /* done all the same */
};

/* True where a call was refused: there may be another. */
static bool blow_one(struct world *w, const struct flow *f, unsigned disk_kind, struct tally *t)
{
	struct errctx ec = { .code = ERR_OK };
	char text[400];
	enum call kind = blow.kind;
	unsigned at = blow.left;
	bool hit = false;
	enum err e = ERR_OK;

	blow.kind = C_NONE;
	world_restore(w);
	if (f->before != NULL)
		f->before(w);
	disk_fault(disk, disk_kind, at, blow.sticky);
	blow.kind = kind;
	blow.hits = 0;
	e = f->act(w, &ec);
	blow.kind = C_NONE;
	hit = disk_kind == 0 ? blow.hits > 0 : disk->fault_hits > 0;
	disk_fault(disk, 0, 0, false);
	err_text(&ec, NULL, text, sizeof(text));
	if (e == ERR_OK ? ec.code != ERR_OK : ec.code != e || text[0] == '\0')
		fail_msg("%s, call %d/%u, number %u: told %d, with %d: %s", f->name, kind, disk_kind, at, e, ec.code,
		         text);
	if (e != ERR_OK && (!hit || (e != ERR_NO_MEMORY && e != ERR_IO && e != ERR_NO_SPACE && e != ERR_LATER)))
		fail_msg("%s, call %d/%u, number %u: told %d: %s", f->name, kind, disk_kind, at, e, text);
	f->after(w, e);
	blow.kind = kind;
	blow.left = at;
	t->tried += hit;
	t->refused += hit && e != ERR_OK;
	t->made += hit && e == ERR_OK;
	return hit;
}

static void blows(struct world *w, const struct flow *f, enum call kind, unsigned disk_kind, int error)
{
	struct tally t = { 0 };
	bool all = getenv("SLB_SOAK") != NULL;

	/* A call that is always interrupted never ends. */
	for (int sticky = 0; sticky < (error == EINTR ? 1 : 2); sticky++) {
		unsigned step = 1;

		blow.sticky = sticky == 1;
		blow.error = error;
		blow.kind = kind;
		for (unsigned n = 0;; n += step) {
			blow.kind = kind;
			blow.left = n;
			if (!blow_one(w, f, disk_kind, &t))
				break;
			step = all || (n < 40 && kind != C_SQLITE) ? 1 : 1 + n / (kind == C_SQLITE ? 4 : 12);
		}
	}
	blow.kind = C_NONE;
	if (error == EINTR)
		assert_int_equal(t.refused, 0); /* it is made again */
	if (t.tried > 0)
		print_message("# %s, call %d/%u: %u refused, %u told, %u done all the same\n", f->name, kind, disk_kind,
		              t.tried, t.refused, t.made);
}

static void any_call_refused(void **state)
{
	static const unsigned disk_kinds[] = { FAULT_READ,   FAULT_WRITE, FAULT_SYNC, FAULT_TRUNCATE,
		                               FAULT_DELETE, FAULT_OPEN,  FAULT_SIZE };
	struct world w;
	const char *only = getenv("SLB_REFUSED");

	(void)state;
	disk = disk_new();
	world_begin(&w);
	for (size_t i = 0; i < sizeof(FLOWS) / sizeof(FLOWS[0]); i++) {
		if (only != NULL && strcmp(only, FLOWS[i].name) != 0)
			continue;
		for (int kind = C_NONE + 1; kind < CALLS; kind++)
			blows(&w, &FLOWS[i], kind, 0, kind <= C_SQLITE ? ENOMEM : kind == C_WRITE ? ENOSPC : EIO);
		blows(&w, &FLOWS[i], C_READ, 0, EINTR);
		blows(&w, &FLOWS[i], C_WRITE, 0, EINTR);
		for (size_t k = 0; k < sizeof(disk_kinds) / sizeof(disk_kinds[0]); k++)
			blows(&w, &FLOWS[i], C_NONE, disk_kinds[k], EIO);
	}
	world_end(&w);
	disk_free(disk);
	disk = NULL;
}

/* ---- Keys, with a clock that is told ---- */

struct told_clock {
	int64_t took; /* each derivation, in ms, for each pass */
	int64_t now;
	bool second;
};

static int64_t told_ms(void *self)
{
	struct told_clock *c = self;

	if (c->second)
		c->now += c->took;
	c->second = !c->second;
	return c->now;
}

/* How many passes a new key file asks for, on machines of all kinds; and never above the ceiling. */
static void passes_by_the_clock(void **state)
{
	static const struct {
		int64_t took;
		uint64_t ops;
	} cases[] = {
		{ 0, KEY_COST_FLOOR_OPS },   { -5, KEY_COST_FLOOR_OPS },     { KEYFILE_DERIVE_MS, KEY_COST_FLOOR_OPS },
		{ 1, KEY_COST_CEILING_OPS }, { 100000, KEY_COST_FLOOR_OPS },
	};
	struct seed seed = { 99 };
	struct rng rng = seed_rng(&seed);
	uint8_t *master = secret_new(MASTER_KEY_LEN);
	char *dir = kit_dir();
	char *path = file_join(dir, "keys");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct told_clock told = { .took = cases[i].took };
		struct clock clock = { told_ms, &told };
		struct buf b = { 0 };

		assert_int_equal(keyfile_create(NULL, path, text_of(PASSPHRASE), &clock, &rng, master), ERR_OK);
		b = kit_read(dir, "keys");
		assert_int_equal(be64_get(b.data + 40), cases[i].ops);
		assert_int_equal(keyfile_unlock(NULL, path, text_of(PASSPHRASE), master), ERR_OK);
		buf_free(&b);
		unlink(path);
	}
	secret_free(master);
	free(path);
	kit_dir_free(dir);
}

static void what_a_change_is_asked_for(void **state)
{
	struct seed seed = { 98 };
	struct rng rng = seed_rng(&seed);
	struct clock clock = { still_ms, NULL };
	uint8_t *master = secret_new(MASTER_KEY_LEN);
	uint8_t secret[SHEET_SECRET_LEN] = { 0 };
	uint32_t replaced = 7;
	enum keys_now now = KEYS_OLD;
	struct keyfile_sheet sheet;
	struct keychange *kc = NULL;
	char *dir = kit_dir();
	char *path = file_join(dir, "keys");

	(void)state;
	assert_int_equal(keyfile_create(NULL, path, text_of(""), &clock, &rng, master), ERR_INPUT);
	assert_false(file_exists(path));
	assert_int_equal(keyfile_create(NULL, path, text_of(PASSPHRASE), &clock, &rng, master), ERR_OK);
	assert_int_equal(keyfile_create(NULL, path, text_of(PASSPHRASE), &clock, &rng, master), ERR_REFUSED);
	assert_int_equal(keychange_by_sheet(NULL, path, secret, &rng, &replaced, &kc), ERR_LOCKED);
	assert_int_equal(replaced, 0);
	assert_int_equal(keychange_by_passphrase(NULL, path, text_of(PASSPHRASE), &rng, &kc), ERR_OK);
	assert_int_equal(keychange_passphrase(kc, NULL, text_of(""), &clock), ERR_INPUT);
	assert_int_equal(keychange_master_key(kc, NULL), ERR_OK); /* without a sheet */
	assert_int_equal(keychange_sheet(kc, NULL, -3, secret, &sheet), ERR_OK);
	assert_int_equal(sheet.day, 0);
	assert_int_equal(keychange_commit(kc, NULL, &now), ERR_OK);
	keychange_free(kc);
	/* Only the sheet opens it now. */
	assert_int_equal(keyfile_unlock(NULL, path, text_of(PASSPHRASE), master), ERR_LOCKED);
	assert_int_equal(keychange_by_sheet(NULL, path, secret, &rng, &replaced, &kc), ERR_OK);
	keychange_free(kc);
	secret_free(master);
	free(path);
	kit_dir_free(dir);
}

/* ---- A backup of what is not one ---- */

static void a_backup_needs_its_parts(void **state)
{
	static uint8_t key_file[BACKUP_KEY_FILE_MAX + 1];
	static const struct {
		size_t key_len;
		size_t mark_len;
		size_t db_len;
		enum err e;
	} cases[] = {
		{ 0, 512, 4096, ERR_IO },       { sizeof(key_file), 512, 4096, ERR_IO },
		{ 10, 0, 4096, ERR_NOT_FOUND }, { 10, 512, 0, ERR_NOT_FOUND },
		{ 10, 512, 4096, ERR_OK },
	};
	struct seed seed = { 97 };
	struct rng rng = seed_rng(&seed);
	struct backup_keys *keys = backup_keys_new(KIT_MASTER);
	char *dir = kit_dir();
	char *path = file_join(dir, "keys.new");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct backup_parts parts = { { key_file, cases[i].key_len }, dir, 1760000000000 };
		struct errctx ec = { .code = ERR_OK };
		uint64_t bytes = 0;
		int fd = __real_open64(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		/* 0: the file is not there */
		kit_write(dir, "vault.mark", cases[i].mark_len == 0 ? NULL : key_file, cases[i].mark_len);
		kit_write(dir, "vault.db", cases[i].db_len == 0 ? NULL : key_file, cases[i].db_len);
		assert_int_equal(backup_pack(&ec, fd, path, keys, &parts, &rng, &bytes), cases[i].e);
		assert_int_equal(ec.code, cases[i].e);
		close(fd);
	}
	backup_keys_free(keys);
	free(path);
	kit_dir_free(dir);
}

/* Every allocation of packing and unpacking, one after the other. */
static void a_backup_without_memory(void **state)
{
	static const enum call kinds[] = { C_MEMORY, C_KEYS, C_SEALING };
	struct world w;
	struct vault *v = NULL;
	struct backup_keys *keys = NULL;
	struct backup_parts parts;
	unsigned told = 0;

	(void)state;
	world_begin(&w);
	world_restore(&w);
	v = kit_open(w.dir, VAULT_OPEN, &w.rng);
	assert_int_equal(backup_copy(v, NULL, w.out), ERR_OK);
	keys = backup_keys_of(v);
	assert_non_null(keys);
	parts = (struct backup_parts){ buf_bytes(&w.file[KEYS]), w.out, 1760000000000 };
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		for (unsigned n = 0, hits = 1; hits > 0; n++) {
			struct errctx ec = { .code = ERR_OK };
			uint64_t bytes = 0;
			int fd = __real_open64(w.pack, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
			enum err e = ERR_OK;

			blow.left = n;
			blow.sticky = false;
			blow.error = ENOMEM;
			blow.hits = 0;
			blow.kind = kinds[k];
			e = backup_pack(&ec, fd, w.pack, keys, &parts, &w.rng, &bytes);
			blow.kind = C_NONE;
			hits = blow.hits;
			assert_int_equal(e, hits > 0 ? ERR_NO_MEMORY : ERR_OK);
			assert_int_equal(ec.code, e);
			told += hits;
			close(fd);
		}
		clean(w.out);
		for (unsigned n = 0, hits = 1; hits > 0; n++) {
			struct errctx ec = { .code = ERR_OK };
			enum err e = ERR_OK;

			blow.left = n;
			blow.hits = 0;
			blow.kind = kinds[k];
			e = unpack(&w, &ec, keys);
			blow.kind = C_NONE;
			hits = blow.hits;
			assert_int_equal(e, hits > 0 ? ERR_NO_MEMORY : ERR_OK);
			assert_int_equal(ec.code, e);
			assert_int_equal(there(w.out, "vault.db"), e == ERR_OK);
			told += hits;
		}
	}
	assert_true(told > 10);
	backup_keys_free(keys);
	vault_close(v);
	world_end(&w);
}

/* ---- Looking without memory ---- */

static int sum_of(struct vault *v, struct errctx *ec)
{
	return vault_sum_check(v, ec);
}

static int verify_of(struct vault *v, struct errctx *ec)
{
	struct vault_report r;

	return vault_verify(v, ec, &r);
}

/* No memory is not damage: every allocation of a look, and that of SQLite's answer. */
static void looking_needs_memory(void **state)
{
	static const enum call kinds[] = { C_MEMORY, C_SQLITE, C_TEXT };
	static int (*const looks[])(struct vault *, struct errctx *) = { sum_of, verify_of };
	struct world w;
	struct vault *v = NULL;
	unsigned told[CALLS] = { 0 };

	(void)state;
	world_begin(&w);
	world_restore(&w);
	v = kit_open(w.dir, VAULT_OPEN, &w.rng);
	for (size_t i = 0; i < 2 * sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (unsigned n = 0, hits = 1; hits > 0; n++) {
			struct errctx ec = { .code = ERR_OK };
			int e = ERR_OK;

			blow.left = n;
			blow.sticky = true;
			blow.hits = 0;
			blow.kind = kinds[i / 2];
			e = looks[i % 2](v, &ec);
			blow.kind = C_NONE;
			hits = blow.hits;
			assert_true(e == ERR_NO_MEMORY ? hits > 0 : e == ERR_OK);
			assert_int_equal(ec.code, e);
			told[kinds[i / 2]] += e != ERR_OK;
		}
	}
	assert_true(told[C_MEMORY] > 0 && told[C_SQLITE] > 0 && told[C_TEXT] > 0);
	vault_close(v);
	world_end(&w);
}

/* A log is read again frame by frame when a vault is opened: at every allocation of that. */
static void opening_needs_memory(void **state)
{
	struct world w;
	unsigned told = 0;

	(void)state;
	world_begin(&w);
	for (unsigned n = 0, hits = 1; hits > 0; n++) {
		struct errctx ec = { .code = ERR_OK };
		struct vault *v = NULL;
		enum err e = ERR_OK;

		world_restore(&w);
		blow.left = n;
		blow.sticky = false;
		blow.hits = 0;
		blow.kind = C_SQLITE;
		e = vault_open(&ec, w.dir, KIT_MASTER, VAULT_OPEN, &w.rng, &v);
		blow.kind = C_NONE;
		hits = blow.hits;
		if (e != ERR_OK && (e != ERR_NO_MEMORY || hits == 0))
			fail_msg("allocation %u: %d", n, e);
		told += e != ERR_OK;
		vault_close(v);
		expect_whole(&w, w.dir, KIT_MASTER, false);
	}
	assert_true(told > 50);
	world_end(&w);
}

/* ---- Seals without memory ---- */

static void seals_need_memory(void **state)
{
	static const uint8_t key[AEAD_KEY_LEN] = "a key";
	struct seed seed = { 96 };
	struct rng rng = seed_rng(&seed);
	struct bytes none = { NULL, 0 };
	struct bytes plain = { key, sizeof(key) };
	struct buf sealed = { 0 };
	struct buf out = { 0 };

	(void)state;
	blow.left = 0;
	blow.sticky = true;
	blow.hits = 0;
	blow.kind = C_MEMORY;
	assert_int_equal(aead_seal(SEAL_BATCH, key, none, plain, &rng, &sealed), ERR_NO_MEMORY);
	blow.kind = C_NONE;
	assert_int_equal(sealed.len, 0);
	assert_int_equal(aead_seal(SEAL_BATCH, key, none, plain, &rng, &sealed), ERR_OK);
	blow.kind = C_MEMORY;
	assert_int_equal(aead_unseal(SEAL_BATCH, key, none, buf_bytes(&sealed), &out), ERR_NO_MEMORY);
	blow.kind = C_NONE;
	assert_int_equal(out.len, 0);
	buf_free(&sealed);
	buf_free(&out);
}

/* ---- A process that begins ---- */

static void in_child(void (*f)(void))
{
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		f();
		exit(0); /* not _exit(): coverage is written on the way out */
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

#define LESS ((uint64_t)4 << 20)
#define MOST ((uint64_t)16 << 20)

static const struct beginning {
	enum call kind;
	unsigned at;
	enum err e;
	bool keys_locked;
	bool no_core;
	uint64_t cache; /* bytes */
	rlim_t limit;   /* of locked memory */
} BEGINNINGS[] = {
	{ C_NONE, 0, ERR_OK, true, true, MOST, RLIM_INFINITY },
	{ C_NONE, 0, ERR_OK, true, true, MOST, 64 << 20 },
	{ C_NONE, 0, ERR_OK, true, true, LESS, 8 << 20 },
	{ C_NONE, 0, ERR_OK, true, true, 3 * LESS, 24 << 20 },
	{ C_NONE, 0, ERR_OK, true, true, 0, 1 << 20 },
	{ C_CORE, 0, ERR_OK, true, false, MOST, RLIM_INFINITY },
	{ C_DUMP, 0, ERR_OK, true, false, MOST, RLIM_INFINITY },
	{ C_LIMIT, 0, ERR_OK, true, true, 0, RLIM_INFINITY },
	{ C_MAP, 0, ERR_OK, false, true, MOST, RLIM_INFINITY },
	{ C_MAP, 1, ERR_OK, true, true, 0, RLIM_INFINITY },
	{ C_LOCK, 0, ERR_OK, false, true, MOST, RLIM_INFINITY },
	{ C_LOCK, 1, ERR_OK, true, true, 0, RLIM_INFINITY },
	{ C_ADVISE, 0, ERR_OK, true, true, 0, RLIM_INFINITY },
	{ C_CONFIG, 0, ERR_REFUSED, true, true, 0, RLIM_INFINITY },
	{ C_CONFIG, 1, ERR_OK, true, true, 0, RLIM_INFINITY },
	{ C_CONFIG, 2, ERR_OK, true, true, 0, RLIM_INFINITY },
	{ C_START, 0, ERR_NO_MEMORY, true, true, MOST, RLIM_INFINITY },
	{ C_SODIUM, 0, ERR_IO, false, false, 0, RLIM_INFINITY },
};
static const struct beginning *beginning;

/* The last vault that goes takes SQLite with it, where nobody else uses it and where it lets itself be stopped. Either
 * way the next one can come. */
static void vaults_come_and_go(void)
{
	static const enum call kinds[] = { C_NONE, C_STOP };
	sqlite3 *other = NULL;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (vault_enter() != ERR_OK || vault_enter() != ERR_OK)
			exit(5);
		vault_leave();
		blow.kind = kinds[i];
		blow.left = 0;
		blow.hits = 0;
		vault_leave();
		blow.kind = C_NONE;
		if (blow.hits != (kinds[i] == C_STOP && vault_memory().cache_locked > 0))
			exit(6);
	}
	if (sqlite3_open(":memory:", &other) != SQLITE_OK || vault_enter() != ERR_OK)
		exit(7);
	blow.kind = C_STOP;
	blow.left = 0;
	blow.hits = 0;
	vault_leave();
	blow.kind = C_NONE;
	if (blow.hits > 0)
		exit(9);
	if (sqlite3_exec(other, "CREATE TABLE t(x)", NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_close(other) != SQLITE_OK)
		exit(8);
}

/* Plain exits: a failed assertion would go back into the parent's run of tests. */
static void begin_as_told(void)
{
	struct vault_memory m;

	told_limit = beginning->limit;
	blow.kind = beginning->kind;
	blow.left = beginning->at;
	blow.sticky = false;
	blow.hits = 0;
	blow.error = EPERM;
	if (vault_start() != beginning->e || (beginning->kind != C_NONE && blow.hits == 0))
		exit(2);
	blow.kind = C_NONE;
	m = vault_memory();
	if (m.keys_locked != beginning->keys_locked || m.no_core != beginning->no_core ||
	    m.cache_locked != beginning->cache)
		exit(3);
	/* Again: what failed is tried again, what was done is not done twice. */
	if (vault_start() != ERR_OK)
		exit(4);
	vaults_come_and_go();
}

/* What the system does not give is told in vault_memory(), and no reason not to begin. In main(), before this process
 * has begun. */
static void a_process_begins(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(BEGINNINGS) / sizeof(BEGINNINGS[0]); i++) {
		beginning = &BEGINNINGS[i];
		in_child(begin_as_told);
	}
}

static int this_one_begins(void **state)
{
	(void)state;
	return sqlite_through(sqlite_is_short) != SQLITE_OK || vault_start() != ERR_OK;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_begins),
		cmocka_unit_test_setup(passes_by_the_clock, this_one_begins),
		cmocka_unit_test(what_a_change_is_asked_for),
		cmocka_unit_test(seals_need_memory),
		cmocka_unit_test(a_backup_needs_its_parts),
		cmocka_unit_test(a_backup_without_memory),
		cmocka_unit_test(looking_needs_memory),
		cmocka_unit_test(opening_needs_memory),
		cmocka_unit_test(any_call_refused),
	};

	return cmocka_run_group_tests_name("vault/refused", tests, NULL, NULL);
}
