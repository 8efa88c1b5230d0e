// SPDX-License-Identifier: EUPL-1.2
// The VFS itself: opens files by role, and passes on what is not content. In a vault only the database and its
// write-ahead log ever reach the disk: journals are refused, so a planted one is never played back (V5).
#include "vault/vfs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"

union any_file {
	struct main_file main;
	struct wal_file wal;
	struct block_file block;
	long double align;
};

static struct vfs *self(sqlite3_vfs *base)
{
	return (struct vfs *)base;
}

/* ---- Files ---- */

static enum file_role role_of(int flags)
{
	if (flags & SQLITE_OPEN_MAIN_DB)
		return ROLE_MAIN;
	if (flags & SQLITE_OPEN_WAL)
		return ROLE_WAL;
	if (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL))
		return ROLE_JOURNAL;
	return ROLE_TEMP;
}

static bool role_allowed(const struct vfs *vfs, enum file_role role)
{
	switch (role) {
	case ROLE_MAIN:
		return vfs->policy == VFS_LOOSE || vfs->opened == NULL;
	case ROLE_JOURNAL:
		return vfs->policy == VFS_LOOSE;
	case ROLE_WAL:
	case ROLE_TEMP:
		break;
	}
	return true;
}

static int role_open(struct vault_file *f, const char *name)
{
	switch (f->role) {
	case ROLE_MAIN:
		return main_open((struct main_file *)f, name);
	case ROLE_WAL:
		return wal_open((struct wal_file *)f, name);
	case ROLE_JOURNAL:
	case ROLE_TEMP:
		break;
	}
	return block_open((struct block_file *)f);
}

static int vfs_open(sqlite3_vfs *base, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	struct vfs *vfs = self(base);
	struct vault_file *f = (struct vault_file *)file;
	int rc = SQLITE_OK;

	memset(f, 0, sizeof(union any_file));
	f->vfs = vfs;
	f->role = role_of(flags);
	f->under = (sqlite3_file *)((char *)file + sizeof(union any_file));
	if (!role_allowed(vfs, f->role))
		return SQLITE_CANTOPEN;
	f->under->pMethods = NULL;
	rc = vfs->under->xOpen(vfs->under, name, f->under, flags, out_flags);
	if (rc == SQLITE_OK)
		rc = role_open(f, name);
	if (rc != SQLITE_OK) {
		f->base.pMethods = NULL;
		file_close_under(f); /* which may be open even so */
	}
	return rc;
}

static bool is_log(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && strcmp(name + len - 4, "-wal") == 0;
}

static int vfs_delete(sqlite3_vfs *base, const char *name, int sync_dir)
{
	struct vfs *vfs = self(base);

	if (vfs->latched)
		return SQLITE_IOERR_DELETE;
	if (vfs->ledger != NULL && is_log(name)) {
		int rc = vfs_ledger_result(vfs, ledger_retire(vfs->ledger));

		if (rc != SQLITE_OK)
			return rc;
	}
	return vfs->under->xDelete(vfs->under, name, sync_dir);
}

static int vfs_access(sqlite3_vfs *base, const char *name, int flags, int *out)
{
	struct vfs *vfs = self(base);

	if (vfs->policy != VFS_LOOSE && flags == SQLITE_ACCESS_EXISTS && !is_log(name)) {
		*out = 0;
		return SQLITE_OK;
	}
	return vfs->under->xAccess(vfs->under, name, flags, out);
}

/* ---- Passed on ---- */

static int vfs_full_path(sqlite3_vfs *base, const char *name, int len, char *out)
{
	sqlite3_vfs *u = self(base)->under;

	return u->xFullPathname(u, name, len, out);
}

static void *vfs_dl_open(sqlite3_vfs *base, const char *name)
{
	sqlite3_vfs *u = self(base)->under;

	return u->xDlOpen(u, name);
}

static void vfs_dl_error(sqlite3_vfs *base, int len, char *out)
{
	sqlite3_vfs *u = self(base)->under;

	u->xDlError(u, len, out);
}

static void (*vfs_dl_sym(sqlite3_vfs *base, void *library, const char *name))(void)
{
	sqlite3_vfs *u = self(base)->under;

	return u->xDlSym(u, library, name);
}

static void vfs_dl_close(sqlite3_vfs *base, void *library)
{
	sqlite3_vfs *u = self(base)->under;

	u->xDlClose(u, library);
}

static int vfs_randomness(sqlite3_vfs *base, int len, char *out)
{
	rng_fill(self(base)->rng, out, (size_t)len);
	return len;
}

static int vfs_sleep(sqlite3_vfs *base, int microseconds)
{
	sqlite3_vfs *u = self(base)->under;

	return u->xSleep(u, microseconds);
}

static int vfs_current_time(sqlite3_vfs *base, double *out)
{
	sqlite3_vfs *u = self(base)->under;

	return u->xCurrentTime(u, out);
}

static int vfs_last_error(sqlite3_vfs *base, int len, char *out)
{
	sqlite3_vfs *u = self(base)->under;

	return u->xGetLastError(u, len, out);
}

static int vfs_current_time_64(sqlite3_vfs *base, sqlite3_int64 *out)
{
	sqlite3_vfs *u = self(base)->under;

	return u->xCurrentTimeInt64(u, out);
}

/* In a vault nothing is put between a sealed file and its disk by the name of a system call. SQLite's own tests do just
 * that, so elsewhere it is passed on. */
static sqlite3_vfs *calls_of(sqlite3_vfs *base)
{
	struct vfs *vfs = self(base);

	return vfs->policy == VFS_LOOSE && vfs->under->iVersion >= 3 ? vfs->under : NULL;
}

static int vfs_set_call(sqlite3_vfs *base, const char *name, sqlite3_syscall_ptr call)
{
	sqlite3_vfs *u = calls_of(base);

	return u == NULL ? SQLITE_NOTFOUND : u->xSetSystemCall(u, name, call);
}

static sqlite3_syscall_ptr vfs_get_call(sqlite3_vfs *base, const char *name)
{
	sqlite3_vfs *u = calls_of(base);

	return u == NULL ? NULL : u->xGetSystemCall(u, name);
}

static const char *vfs_next_call(sqlite3_vfs *base, const char *name)
{
	sqlite3_vfs *u = calls_of(base);

	return u == NULL ? NULL : u->xNextSystemCall(u, name);
}

/* ---- What all roles share ---- */

int vfs_damaged(struct vfs *vfs, enum vfs_damage_kind kind, uint32_t number)
{
	if (vfs->damage.kind == DAMAGE_NONE) {
		vfs->damage.kind = kind;
		vfs->damage.number = number;
	}
	return SQLITE_IOERR_DATA;
}

/* errno as the call beneath left it: SQLite asks for it only after it has cleaned up. */
static int remember(struct vfs *vfs, int rc)
{
	if (rc != SQLITE_OK)
		vfs->failed_errno = errno;
	return rc;
}

int vfs_ledger_result(struct vfs *vfs, int rc)
{
	if (rc == SQLITE_IOERR_FSYNC)
		vfs->latched = true;
	return remember(vfs, rc);
}

int under_write(struct vault_file *f, const void *data, int len, sqlite3_int64 at)
{
	if (f->vfs->latched && f->role != ROLE_TEMP)
		return SQLITE_IOERR_WRITE;
	return remember(f->vfs, f->under->pMethods->xWrite(f->under, data, len, at));
}

int under_truncate(struct vault_file *f, sqlite3_int64 size)
{
	if (f->vfs->latched && f->role != ROLE_TEMP)
		return SQLITE_IOERR_TRUNCATE;
	return remember(f->vfs, f->under->pMethods->xTruncate(f->under, size));
}

int under_sync(struct vault_file *f, int flags)
{
	int rc = SQLITE_OK;

	if (f->vfs->latched && f->role != ROLE_TEMP)
		return SQLITE_IOERR_FSYNC;
	rc = remember(f->vfs, f->under->pMethods->xSync(f->under, flags));
	if (rc != SQLITE_OK && f->role != ROLE_TEMP && f->vfs->policy != VFS_LOOSE)
		f->vfs->latched = true;
	return rc;
}

int file_lock(sqlite3_file *file, int level)
{
	sqlite3_file *u = ((struct vault_file *)file)->under;

	return u->pMethods->xLock(u, level);
}

int file_unlock(sqlite3_file *file, int level)
{
	sqlite3_file *u = ((struct vault_file *)file)->under;

	return u->pMethods->xUnlock(u, level);
}

int file_check_reserved(sqlite3_file *file, int *out)
{
	sqlite3_file *u = ((struct vault_file *)file)->under;

	return u->pMethods->xCheckReservedLock(u, out);
}

/* ---- File controls, one by one ---- */

enum answer {
	BENEATH, /* the file beneath knows, and what it says holds for sealed content too */
	NOTHING, /* SQLITE_NOTFOUND, by which SQLite goes on without; a hint or an event that changes nothing here */
	OURS,    /* answered in file_control() */
};

/* What SQLite 3.40 has, and why. What a later one adds is NOTHING until it has been looked at. FILE_POINTER,
 * VFS_POINTER, JOURNAL_POINTER, DATA_VERSION, RESERVE_BYTES and RESET_CACHE SQLite answers itself. */
static const struct {
	int op;
	enum answer answer;
} controls[] = {
	{ SQLITE_FCNTL_VFSNAME, OURS },               /* both names, for who looks */
	{ SQLITE_FCNTL_POWERSAFE_OVERWRITE, OURS },   /* always on: see file_characteristics() */
	{ SQLITE_FCNTL_MMAP_SIZE, OURS },             /* none: a mapping would show ciphertext */
	{ SQLITE_FCNTL_LOCKSTATE, BENEATH },          /* locks are those of the file beneath */
	{ SQLITE_FCNTL_LAST_ERRNO, BENEATH },         /* so are its errors */
	{ SQLITE_FCNTL_PERSIST_WAL, BENEATH },        /* a log that stays reads as empty: its generation is past */
	{ SQLITE_FCNTL_HAS_MOVED, BENEATH },          /* the name is the file's */
	{ SQLITE_FCNTL_TEMPFILENAME, BENEATH },       /* a name, opened through us */
	{ SQLITE_FCNTL_EXTERNAL_READER, BENEATH },    /* asks after shared memory, which only tests have */
	{ SQLITE_FCNTL_SIZE_HINT, NOTHING },          /* room given ahead is read as pages that do not open */
	{ SQLITE_FCNTL_CHUNK_SIZE, NOTHING },         /* the same, in steps */
	{ SQLITE_FCNTL_OVERWRITE, NOTHING },          /* all pages follow anyway */
	{ SQLITE_FCNTL_SYNC, NOTHING },               /* xSync follows */
	{ SQLITE_FCNTL_SYNC_OMITTED, NOTHING },       /* synchronous=OFF promised nothing; a vault is at FULL */
	{ SQLITE_FCNTL_COMMIT_PHASETWO, NOTHING },    /* nothing is held back until then */
	{ SQLITE_FCNTL_CKPT_START, NOTHING },         /* the ledger sees the first page come */
	{ SQLITE_FCNTL_CKPT_DONE, NOTHING },          /* and the cut that ends it; an error here would be lost */
	{ SQLITE_FCNTL_BUSYHANDLER, NOTHING },        /* nothing waits in here */
	{ SQLITE_FCNTL_LOCK_TIMEOUT, NOTHING },       /* nor there: one owner */
	{ SQLITE_FCNTL_WAL_BLOCK, NOTHING },          /* nor on shared memory */
	{ SQLITE_FCNTL_TRACE, NOTHING },              /* its text may hold what was typed (V1) */
	{ SQLITE_FCNTL_PRAGMA, NOTHING },             /* no pragmas of our own: no key goes through SQL */
	{ SQLITE_FCNTL_PDB, NOTHING },                /* no use for the connection */
	{ SQLITE_FCNTL_BEGIN_ATOMIC_WRITE, NOTHING }, /* not promised: a sealed page is a write of its own */
	{ SQLITE_FCNTL_COMMIT_ATOMIC_WRITE, NOTHING },
	{ SQLITE_FCNTL_ROLLBACK_ATOMIC_WRITE, NOTHING },
	{ SQLITE_FCNTL_SIZE_LIMIT, NOTHING }, /* of databases in memory */
	{ SQLITE_FCNTL_CKSM_FILE, NOTHING },  /* of another VFS, as are the next four */
	{ SQLITE_FCNTL_ZIPVFS, NOTHING },
	{ SQLITE_FCNTL_RBU, NOTHING },
	{ SQLITE_FCNTL_GET_LOCKPROXYFILE, NOTHING },
	{ SQLITE_FCNTL_SET_LOCKPROXYFILE, NOTHING },
	{ SQLITE_FCNTL_WIN32_AV_RETRY, NOTHING }, /* of another system */
	{ SQLITE_FCNTL_WIN32_SET_HANDLE, NOTHING },
	{ SQLITE_FCNTL_WIN32_GET_HANDLE, NOTHING },
};

static enum answer answer_to(int op)
{
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
		if (controls[i].op == op)
			return controls[i].answer;
	return NOTHING;
}

int file_control(sqlite3_file *file, int op, void *arg)
{
	struct vault_file *f = (struct vault_file *)file;

	switch (answer_to(op)) {
	case BENEATH:
		return f->under->pMethods->xFileControl(f->under, op, arg);
	case NOTHING:
		return SQLITE_NOTFOUND;
	case OURS:
		break;
	}
	if (op == SQLITE_FCNTL_VFSNAME) {
		*(char **)arg = sqlite3_mprintf("%s/%s", f->vfs->name, f->vfs->under->zName);
		return SQLITE_OK;
	}
	if (op == SQLITE_FCNTL_MMAP_SIZE) {
		*(sqlite3_int64 *)arg = 0;
		return SQLITE_OK;
	}
	*(int *)arg = 1;
	return SQLITE_OK;
}

/* ---- Shared memory and mappings ---- */

/* There is no xShmMap: by that SQLite knows that a log can only be used by one connection that keeps its index to
 * itself (locking_mode=EXCLUSIVE), and refuses it otherwise before anything is changed. An index in a file would show
 * page numbers and checksums of plain content (V1). What follows is never called then. */
int file_shm_lock(sqlite3_file *file, int first, int count, int flags)
{
	(void)file;
	(void)first;
	(void)count;
	(void)flags;
	return SQLITE_IOERR_SHMLOCK;
}

void file_shm_barrier(sqlite3_file *file)
{
	(void)file;
}

int file_shm_unmap(sqlite3_file *file, int forget)
{
	(void)file;
	(void)forget;
	return SQLITE_OK;
}

/* Not mapped: SQLite reads through xRead then, which is where pages are opened. */
int file_fetch(sqlite3_file *file, sqlite3_int64 at, int len, void **out)
{
	(void)file;
	(void)at;
	(void)len;
	*out = NULL;
	return SQLITE_OK;
}

int file_unfetch(sqlite3_file *file, sqlite3_int64 at, void *page)
{
	(void)file;
	(void)at;
	(void)page;
	return SQLITE_OK;
}

/* ---- What the disk promises ---- */

/* For journals that want to keep torn sectors apart; the page size of a vault, and of nearly every disk. */
int file_sector_size(sqlite3_file *file)
{
	return 4096;
}

/* POWERSAFE_OVERWRITE, or each commit would add a padding frame: a write changes no bytes beside it. That holds for
 * pages and frames, which are always written whole; a block of a journal is longer than what SQLite changes in it, but
 * a vault has no journal. Nothing else: no write is atomic or appended safely, as one change of content is a longer
 * write; files can be deleted while they are open, and change. */
int file_characteristics(sqlite3_file *file)
{
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int file_close_under(struct vault_file *f)
{
	int rc = SQLITE_OK;

	if (f->under->pMethods != NULL)
		rc = f->under->pMethods->xClose(f->under);
	return rc;
}

/* ---- Registration ---- */

struct vfs *vfs_new(const struct vfs_config *c)
{
	struct vfs *vfs = calloc(1, sizeof(*vfs));

	if (vfs == NULL)
		return NULL;
	vfs->under = c->under;
	vfs->policy = c->policy;
	vfs->rng = c->rng;
	vfs->ledger = c->ledger;
	vfs->remember = c->remember;
	vfs->master = secret_new(32);
	vfs->nonces = nonce_pool_new(c->rng);
	if (vfs->master != NULL)
		memcpy(vfs->master, c->master, 32);
	if (c->file_id != NULL)
		vfs->ring = keyring_new(c->master, c->file_id);
	pthread_mutex_init(&vfs->mutex, NULL);
	snprintf(vfs->name, sizeof(vfs->name), "%s", c->name);
	vfs->base = (sqlite3_vfs){
		.iVersion = 3,
		.szOsFile = (int)sizeof(union any_file) + c->under->szOsFile,
		.mxPathname = c->under->mxPathname,
		.zName = vfs->name,
		.xOpen = vfs_open,
		.xDelete = vfs_delete,
		.xAccess = vfs_access,
		.xFullPathname = vfs_full_path,
		.xDlOpen = vfs_dl_open,
		.xDlError = vfs_dl_error,
		.xDlSym = vfs_dl_sym,
		.xDlClose = vfs_dl_close,
		.xRandomness = vfs_randomness,
		.xSleep = vfs_sleep,
		.xCurrentTime = vfs_current_time,
		.xGetLastError = vfs_last_error,
		.xCurrentTimeInt64 = vfs_current_time_64,
		.xSetSystemCall = vfs_set_call,
		.xGetSystemCall = vfs_get_call,
		.xNextSystemCall = vfs_next_call,
	};
	if (vfs->master != NULL && vfs->nonces != NULL && (c->file_id == NULL || vfs->ring != NULL) &&
	    sqlite3_vfs_register(&vfs->base, 0) == SQLITE_OK)
		return vfs;
	vfs_free(vfs);
	return NULL;
}

void vfs_free(struct vfs *vfs)
{
	if (vfs == NULL)
		return;
	sqlite3_vfs_unregister(&vfs->base);
	keyring_free(vfs->ring);
	nonce_pool_free(vfs->nonces);
	secret_free(vfs->master);
	pthread_mutex_destroy(&vfs->mutex);
	free(vfs);
}
