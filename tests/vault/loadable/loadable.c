// SPDX-License-Identifier: EUPL-1.2
// The sealing VFS as a loadable extension: for running SQLite's own tests and speedtest1 over it, and for nothing
// else. Loading it makes it the default VFS; every connection from then on reserves 40 bytes a page. The key is the
// first 32 bytes of the file that SLB_VFS_KEY names. SLB_VFS=plain only reserves the 40 bytes: what plain SQLite makes
// of them is what the sealed runs are compared with.
//
// A vault has no attached databases. Tests do, and SQLite gives a new one no reserve; so each file that is still empty
// gets it when SQLite first locks it.
//
// A vault needs no shared memory. Tests with several connections in WAL mode do; beneath lies SQLite's "unix-excl",
// which keeps it in this process.
#include "tests/vault/loadable/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "vault/vfs.h"

const sqlite3_api_routines *sqlite3_api;

int sqlite3_extension_init(sqlite3 *db, char **message, const sqlite3_api_routines *api);

static sqlite3_io_methods shared_methods;
static int (*sealed_open)(sqlite3_vfs *, const char *, sqlite3_file *, int, int *);

static sqlite3_file *beneath(sqlite3_file *file)
{
	return ((struct vault_file *)file)->under;
}

static int shm_map(sqlite3_file *file, int index, int size, int extend, void volatile **out)
{
	return beneath(file)->pMethods->xShmMap(beneath(file), index, size, extend, out);
}

static int shm_lock(sqlite3_file *file, int first, int count, int flags)
{
	return beneath(file)->pMethods->xShmLock(beneath(file), first, count, flags);
}

static void shm_barrier(sqlite3_file *file)
{
	beneath(file)->pMethods->xShmBarrier(beneath(file));
}

static int shm_unmap(sqlite3_file *file, int forget)
{
	return beneath(file)->pMethods->xShmUnmap(beneath(file), forget);
}

/* ---- The reserve of attached databases ---- */

/* Which connection has which file, as SQLite tells when it opens one. */
static struct opened {
	sqlite3_file *file;
	sqlite3 **db;
	struct opened *next;
} * all_opened;

static void opened_lock(bool on)
{
	sqlite3_mutex *m = sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_APP1);

	if (on)
		sqlite3_mutex_enter(m);
	else
		sqlite3_mutex_leave(m);
}

static void opened_put(sqlite3_file *file, sqlite3 **db)
{
	struct opened *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return;
	opened_lock(true);
	*o = (struct opened){ file, db, all_opened };
	all_opened = o;
	opened_lock(false);
}

static sqlite3 *opened_get(const sqlite3_file *file)
{
	sqlite3 *db = NULL;

	opened_lock(true);
	for (const struct opened *o = all_opened; o != NULL && db == NULL; o = o->next)
		if (o->file == file)
			db = *o->db;
	opened_lock(false);
	return db;
}

static void opened_remove(const sqlite3_file *file)
{
	opened_lock(true);
	for (struct opened **o = &all_opened; *o != NULL;) {
		struct opened *gone = *o;

		if (gone->file != file) {
			o = &gone->next;
			continue;
		}
		*o = gone->next;
		free(gone);
	}
	opened_lock(false);
}

/* Only attached ones: "main" has it from the opening on, and a test may have changed that. */
static void attached_reserve(sqlite3_file *file)
{
	sqlite3 *db = opened_get(file);
	sqlite3_int64 size = 0;

	if (db == NULL || main_methods.xFileSize(file, &size) != SQLITE_OK || size > 0)
		return;
	for (int i = 2; sqlite3_db_name(db, i) != NULL; i++) {
		int bytes = PAGE_RESERVE;

		/* The same pointer, also where another VFS lies above. */
		if (sqlite3_db_filename(db, sqlite3_db_name(db, i)) == ((struct main_file *)file)->name)
			(void)sqlite3_file_control(db, sqlite3_db_name(db, i), SQLITE_FCNTL_RESERVE_BYTES, &bytes);
	}
}

static int main_lock(sqlite3_file *file, int level)
{
	int rc = main_methods.xLock(file, level);

	if (rc == SQLITE_OK && level == SQLITE_LOCK_SHARED)
		attached_reserve(file);
	return rc;
}

static int main_control(sqlite3_file *file, int op, void *arg)
{
	if (op == SQLITE_FCNTL_PDB)
		opened_put(file, arg);
	return main_methods.xFileControl(file, op, arg);
}

static int main_close(sqlite3_file *file)
{
	opened_remove(file);
	return main_methods.xClose(file);
}

static int open_shared(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
	int rc = sealed_open(vfs, name, file, flags, out);

	if (rc == SQLITE_OK && (flags & SQLITE_OPEN_MAIN_DB))
		file->pMethods = &shared_methods;
	return rc;
}

static int reserve(sqlite3 *db, char **message, const sqlite3_api_routines *api)
{
	int bytes = PAGE_RESERVE;

	(void)message;
	(void)api;
	return sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes);
}

static bool key_read(uint8_t key[static 32])
{
	const char *path = getenv("SLB_VFS_KEY");
	FILE *f = path == NULL ? NULL : fopen(path, "rb");
	bool ok = f != NULL && fread(key, 1, 32, f) == 32;

	if (f != NULL)
		fclose(f);
	return ok;
}

/* Once per process; the library stays. */
static struct vfs *sealed_vfs(char **message)
{
	static struct vfs *vfs;
	struct vfs_config c = { .name = "sleutelbos", .policy = VFS_LOOSE, .rng = &crypto_rng };
	uint8_t key[32];

	if (vfs != NULL)
		return vfs;
	if (!key_read(key)) {
		*message = sqlite3_mprintf("SLB_VFS_KEY must name a file of at least 32 bytes");
		return NULL;
	}
	c.under = sqlite3_vfs_find("unix-excl");
	c.master = key;
	if (crypto_start() == ERR_OK)
		vfs = vfs_new(&c);
	secret_wipe(key, sizeof(key));
	if (vfs == NULL)
		return NULL;
	shared_methods = main_methods;
	shared_methods.xLock = main_lock;
	shared_methods.xFileControl = main_control;
	shared_methods.xClose = main_close;
	shared_methods.xShmMap = shm_map;
	shared_methods.xShmLock = shm_lock;
	shared_methods.xShmBarrier = shm_barrier;
	shared_methods.xShmUnmap = shm_unmap;
	sealed_open = vfs->base.xOpen;
	vfs->base.xOpen = open_shared;
	return vfs;
}

/* Loading it again makes it the default again: SQLite's own tests shut SQLite down now and then, which forgets it. */
int sqlite3_extension_init(sqlite3 *db, char **message, const sqlite3_api_routines *api)
{
	const char *kind = getenv("SLB_VFS");

	SQLITE_EXTENSION_INIT2(api);
	(void)db;
	if (kind == NULL || strcmp(kind, "plain") != 0) {
		struct vfs *vfs = sealed_vfs(message);

		if (vfs == NULL || sqlite3_vfs_register(&vfs->base, 1) != SQLITE_OK)
			return SQLITE_ERROR;
	}
	if (sqlite3_auto_extension((void (*)(void))reserve) != SQLITE_OK)
		return SQLITE_ERROR;
	return SQLITE_OK_LOAD_PERMANENTLY;
}
