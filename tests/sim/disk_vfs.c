// SPDX-License-Identifier: EUPL-1.2
// SQLite's files on the disks in memory: a VFS over the calls of disk.h, and SQLite's default one, so that its own
// chance and time are the simulator's too.
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "sim/disk.h"
#include "sim/must.h"

static sqlite3_vfs vfs;
static struct random chance;

struct vfs_file {
	sqlite3_file base;
	int fd;
	const char *made; /* its name is synced with its content, as SQLite's own VFS does; NULL: it was there */
};

static struct vfs_file *vfs_file(sqlite3_file *f)
{
	return (struct vfs_file *)f;
}

static int f_close(sqlite3_file *f)
{
	f->pMethods = NULL;
	return disk_close(vfs_file(f)->fd) == 0 ? SQLITE_OK : SQLITE_IOERR_CLOSE;
}

static int f_read(sqlite3_file *f, void *out, int len, sqlite3_int64 at)
{
	ssize_t n = disk_pread(vfs_file(f)->fd, out, (size_t)len, at);

	if (n < 0)
		return SQLITE_IOERR_READ;
	if (n == len)
		return SQLITE_OK;
	memset((char *)out + n, 0, (size_t)(len - n));
	return SQLITE_IOERR_SHORT_READ;
}

static int f_write(sqlite3_file *f, const void *data, int len, sqlite3_int64 at)
{
	if (disk_pwrite(vfs_file(f)->fd, data, (size_t)len, at) == len)
		return SQLITE_OK;
	return errno == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return disk_cut(vfs_file(f)->fd, size) == 0 ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

static int f_sync(sqlite3_file *f, int flags)
{
	(void)flags;
	if (disk_sync(vfs_file(f)->fd) != 0)
		return SQLITE_IOERR_FSYNC;
	if (vfs_file(f)->made != NULL)
		disk_sync_names(vfs_file(f)->made);
	vfs_file(f)->made = NULL;
	return SQLITE_OK;
}

static int f_size(sqlite3_file *f, sqlite3_int64 *out)
{
	struct stat st;

	if (disk_fstat(vfs_file(f)->fd, &st) != 0)
		return SQLITE_IOERR_FSTAT;
	*out = st.st_size;
	return SQLITE_OK;
}
static int f_lock(sqlite3_file *f, int level)
{
	(void)f;
	(void)level;
	return SQLITE_OK;
}

static int f_reserved(sqlite3_file *f, int *out)
{
	(void)f;
	*out = 0;
	return SQLITE_OK;
}

static int f_control(sqlite3_file *f, int op, void *arg)
{
	(void)f;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int f_sector(sqlite3_file *f)
{
	(void)f;
	return 4096;
}

static int f_device(sqlite3_file *f)
{
	(void)f;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = f_close,
	.xRead = f_read,
	.xWrite = f_write,
	.xTruncate = f_truncate,
	.xSync = f_sync,
	.xFileSize = f_size,
	.xLock = f_lock,
	.xUnlock = f_lock,
	.xCheckReservedLock = f_reserved,
	.xFileControl = f_control,
	.xSectorSize = f_sector,
	.xDeviceCharacteristics = f_device,
};

static int v_open(sqlite3_vfs *v, const char *path, sqlite3_file *f, int flags, int *out)
{
	struct vfs_file *mine = vfs_file(f);
	struct stat st;
	bool there = false;

	(void)v;
	*mine = (struct vfs_file){ .fd = -1 };
	/* nothing temporary may reach a disk (V1) */
	if (disk_of(path) == NULL)
		return SQLITE_CANTOPEN;
	there = disk_stat(path, &st) == 0;
	mine->fd = disk_open(path, O_RDWR | ((flags & SQLITE_OPEN_CREATE) != 0 ? O_CREAT : 0));
	if (mine->fd < 0)
		return SQLITE_CANTOPEN;
	mine->made = there ? NULL : disk_fd_path(mine->fd);
	mine->base.pMethods = &methods;
	if (out != NULL)
		*out = flags;
	return SQLITE_OK;
}

static int v_delete(sqlite3_vfs *v, const char *path, int sync_dir)
{
	(void)v;
	if (disk_unlink(path) != 0)
		return errno == ENOENT ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
	if (sync_dir != 0)
		disk_sync_names(path);
	return SQLITE_OK;
}

static int v_access(sqlite3_vfs *v, const char *path, int flags, int *out)
{
	struct stat st;

	(void)v;
	(void)flags;
	*out = disk_stat(path, &st) == 0;
	return *out == 0 && errno == EIO ? SQLITE_IOERR_ACCESS : SQLITE_OK;
}

static int v_full_path(sqlite3_vfs *v, const char *path, int len, char *out)
{
	(void)v;
	sqlite3_snprintf(len, out, "%s", path);
	return SQLITE_OK;
}

static int v_randomness(sqlite3_vfs *v, int len, char *out)
{
	(void)v;
	for (int i = 0; i < len; i++)
		out[i] = (char)random_next(&chance);
	return len;
}

static int v_sleep(sqlite3_vfs *v, int us)
{
	(void)v;
	return us;
}

static int v_time(sqlite3_vfs *v, double *out)
{
	(void)v;
	*out = 2460000.5;
	return SQLITE_OK;
}

static int v_time_64(sqlite3_vfs *v, sqlite3_int64 *out)
{
	(void)v;
	*out = INT64_C(212544000000000);
	return SQLITE_OK;
}

static int v_error(sqlite3_vfs *v, int len, char *out)
{
	(void)v;
	if (len > 0)
		out[0] = '\0';
	return 0;
}

sqlite3_vfs *disk_vfs(void)
{
	return &vfs;
}

void disks_start(void)
{
	vfs = (sqlite3_vfs){ .iVersion = 2,
		             .szOsFile = sizeof(struct vfs_file),
		             .mxPathname = DISK_PATH,
		             .zName = "sim",
		             .xOpen = v_open,
		             .xDelete = v_delete,
		             .xAccess = v_access,
		             .xFullPathname = v_full_path,
		             .xRandomness = v_randomness,
		             .xSleep = v_sleep,
		             .xCurrentTime = v_time,
		             .xGetLastError = v_error,
		             .xCurrentTimeInt64 = v_time_64 };
	must(sqlite3_vfs_register(&vfs, 1) == SQLITE_OK, "the VFS could not be registered");
}
