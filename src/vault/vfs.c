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

static int role_open(struct vault_file *f, const char *name, int flags)
{
	switch (f->role) {
	case ROLE_MAIN:
		return main_open((struct main_file *)f, flags);
	case ROLE_WAL:
		return wal_open((struct wal_file *)f, sqlite3_database_file_object(name));
	case ROLE_JOURNAL:
		if (flags & SQLITE_OPEN_MAIN_JOURNAL) {
			struct main_file *db = (struct main_file *)sqlite3_database_file_object(name);

			return block_open((struct block_file *)f, db->ring, ROLE_JOURNAL);
		}
		break;
	case ROLE_TEMP:
		break;
	}
	return block_open((struct block_file *)f, NULL, f->role);
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
	rc = vfs->under->xOpen(vfs->under, name, f->under, flags, out_flags);
	if (rc != SQLITE_OK)
		return rc;
	rc = role_open(f, name, flags);
	if (rc != SQLITE_OK) {
		f->base.pMethods = NULL;
		file_close_under(f);
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

int file_control(sqlite3_file *file, int op, void *arg)
{
	struct vault_file *f = (struct vault_file *)file;

	switch (op) {
	case SQLITE_FCNTL_VFSNAME:
		*(char **)arg = sqlite3_mprintf("%s/%s", f->vfs->name, f->vfs->under->zName);
		return SQLITE_OK;
	case SQLITE_FCNTL_LOCKSTATE:
	case SQLITE_FCNTL_LAST_ERRNO:
	case SQLITE_FCNTL_PERSIST_WAL:
	case SQLITE_FCNTL_HAS_MOVED:
	case SQLITE_FCNTL_TEMPFILENAME:
		return f->under->pMethods->xFileControl(f->under, op, arg);
	case SQLITE_FCNTL_POWERSAFE_OVERWRITE:
		if (*(int *)arg < 0)
			*(int *)arg = 1;
		return SQLITE_OK;
	default: /* sizes and mappings of the file beneath are not those of the content */
		return SQLITE_NOTFOUND;
	}
}

int file_sector_size(sqlite3_file *file)
{
	return 4096;
}

/* Without POWERSAFE_OVERWRITE each commit would add a padding frame. Nothing else of what lies beneath holds for
 * sealed content. */
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
	snprintf(vfs->name, sizeof(vfs->name), "%s", c->name);
	vfs->base = (sqlite3_vfs){
		.iVersion = 2,
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
	free(vfs);
}
