// SPDX-License-Identifier: EUPL-1.2
// A vault from opening to closing: who owns it, which file id it bears, how SQLite is set, when it may be written.
#include "vault/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "vault/swap.h"
#include "vault/vault_over.h"

static const char OPEN_SQL[] = "PRAGMA locking_mode=EXCLUSIVE;" /* before the first access: no shared memory file */
                               "PRAGMA journal_mode=WAL;"
                               "PRAGMA synchronous=FULL;"
                               "PRAGMA temp_store=MEMORY;"
                               "PRAGMA secure_delete=ON;"
                               "PRAGMA foreign_keys=ON;"
                               "PRAGMA cache_spill=OFF;"
                               "PRAGMA cache_size=-8192;"
                               "PRAGMA cell_size_check=ON;"
                               "PRAGMA journal_size_limit=67108864;"
                               "PRAGMA wal_autocheckpoint=4000;";

/* Locked page cache from which on there is more to lock for pages of the log. */
#define REMEMBER_MIN ((uint64_t)4 << 20)

/* ---- Parts ---- */

static enum err paths_make(struct vault *v, struct errctx *ec, const char *dir)
{
	v->db_path = file_join(dir, "vault.db");
	v->log_path = file_join(dir, "vault.db-wal");
	v->new_path = file_join(dir, "vault.new");
	v->mark_path = file_join(dir, "vault.mark");
	if (v->db_path == NULL || v->log_path == NULL || v->new_path == NULL || v->mark_path == NULL)
		return err_errno(ec, ENOMEM, dir);
	return ERR_OK;
}

static enum err presence_check(const struct vault *v, struct errctx *ec, const char *dir, enum vault_mode mode)
{
	struct stat st = { 0 };
	bool log = false;
	bool there = stat(v->db_path, &st) == 0;
	enum err e = there || errno == ENOENT ? file_look(ec, v->log_path, &log) : err_errno(ec, errno, v->db_path);

	if (e != ERR_OK)
		return e;
	if (mode == VAULT_CREATE && (there || log))
		return err_set(ec, ERR_REFUSED, "There is a vault in %1 already. It was left as it is.", dir, NULL,
		               NULL);
	if (mode != VAULT_CREATE && !there)
		return err_set(ec, ERR_NOT_FOUND, "There is no vault in %1.", dir, NULL, NULL);
	if (mode != VAULT_CREATE && st.st_size < VAULT_PAGE_SIZE && !(mode == VAULT_SALVAGE && log))
		return err_set(ec, ERR_DAMAGED, "The vault in %1 is cut off: nothing of it is left. Restore a backup.",
		               dir, NULL, NULL);
	return ERR_OK;
}

/* The locked file is still the one that bears the name: a swap may have replaced it meanwhile. */
static bool lock_current(const struct vault *v)
{
	struct stat locked;
	struct stat named;

	return fstat(v->lock, &locked) == 0 && stat(v->mark_path, &named) == 0 && locked.st_dev == named.st_dev &&
	       locked.st_ino == named.st_ino;
}

/* One owner: the lock lies on vault.mark. Only its holder ever replaces that file, and moves the lock along. */
static enum err owner_lock(struct vault *v, struct errctx *ec)
{
	v->lock = open(v->mark_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (v->lock < 0)
		return err_errno(ec, errno, v->mark_path);
	if (flock(v->lock, LOCK_EX | LOCK_NB) == 0 && lock_current(v))
		return ERR_OK;
	if (errno == EWOULDBLOCK || !lock_current(v))
		return err_set(ec, ERR_LATER, "Another program has the vault open. Close it there, or wait.", NULL,
		               NULL, NULL);
	return err_errno(ec, errno, v->mark_path);
}

static enum err mark_open(struct vault *v, struct errctx *ec)
{
	sqlite3_file *file = calloc(1, (size_t)v->under->szOsFile);
	int rc = SQLITE_OK;

	if (file == NULL)
		return err_errno(ec, ENOMEM, v->mark_path);
	rc = v->under->xOpen(v->under, v->mark_path, file, SQLITE_OPEN_WAL | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
	                     NULL);
	if (rc != SQLITE_OK) {
		if (file->pMethods != NULL)
			file->pMethods->xClose(file);
		free(file);
		return vault_result(v, ec, rc);
	}
	v->mark = file;
	v->ledger.file = file;
	v->ledger.nonces = v->nonces;
	return ERR_OK;
}

/* What a process that died had written to the log may not lie on the disk yet. What people see from here on must not go
 * with a power loss (V3). */
static enum err log_sync(struct vault *v, struct errctx *ec)
{
	sqlite3_file *file = NULL;
	int there = 0;
	int rc = v->under->xAccess(v->under, v->log_path, SQLITE_ACCESS_EXISTS, &there);

	if (rc != SQLITE_OK || !there)
		return rc == SQLITE_OK ? ERR_OK : vault_result(v, ec, rc);
	file = calloc(1, (size_t)v->under->szOsFile);
	if (file == NULL)
		return err_errno(ec, ENOMEM, v->log_path);
	rc = v->under->xOpen(v->under, v->log_path, file, SQLITE_OPEN_WAL | SQLITE_OPEN_READWRITE, NULL);
	if (rc == SQLITE_OK) /* the mark first: it says how much of the log there is */
		rc = v->mark->pMethods->xSync(v->mark, SQLITE_SYNC_NORMAL);
	if (rc == SQLITE_OK)
		rc = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
	if (file->pMethods != NULL)
		file->pMethods->xClose(file);
	free(file);
	/* nor its name, where the process that made it did not come to its first sync */
	return rc == SQLITE_OK ? file_sync_parent(ec, v->log_path) : vault_result(v, ec, rc);
}

/* ---- Which file is this? ---- */

/* What the file does not have is left as it was. */
static enum err file_part(struct errctx *ec, const char *path, off_t at, uint8_t *out, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : pread(fd, out, len, at);
	enum err e = n < 0 ? err_errno(ec, errno, path) : ERR_OK;

	if (fd >= 0)
		close(fd);
	return e;
}

static enum err ledger_with(struct vault *v, struct errctx *ec, const uint8_t master[static 32],
                            const uint8_t id[static FILE_ID_LEN])
{
	keyring_free(v->ring);
	v->ring = keyring_new(master, id);
	if (v->ring == NULL)
		return err_errno(ec, ENOMEM, v->db_path);
	v->ledger.ring = v->ring;
	return vault_result(v, ec, ledger_load(&v->ledger));
}

/* Whether a page opens under the ring that ledger_with() set. */
static enum err page_opens(const struct vault *v, struct errctx *ec, uint32_t number, bool *out)
{
	uint8_t page[VAULT_PAGE_SIZE] = { 0 };
	enum err e = file_part(ec, v->db_path, (off_t)(number - 1) * VAULT_PAGE_SIZE, page, sizeof(page));

	*out = e == ERR_OK && page_unseal(v->ring, number, page, sizeof(page)) == ERR_OK;
	secret_wipe(page, sizeof(page));
	return e;
}

/* An id under which vault.mark has records; `missing` stays set where there is none. */
static enum err ring_of_mark(struct vault *v, struct errctx *ec, const uint8_t master[static 32])
{
	uint8_t mark[LEDGER_SIZE] = { 0 };
	enum err e = file_part(ec, v->mark_path, 0, mark, sizeof(mark));

	for (unsigned slot = 0; slot < LEDGER_SLOTS && e == ERR_OK && v->ledger.missing; slot++)
		e = ledger_with(v, ec, master, mark + slot * LEDGER_SLOT);
	return e;
}

/* The id stands at the head of vault.db and of every record in vault.mark. Page 1 opens under the right one; where it
 * is torn or damaged, the records say which is. Neither: another key, or nothing left to tell. Both, and two different
 * ones: one of the two files was swapped, and page 2 says which. */
enum err vault_ring_find(struct vault *v, struct errctx *ec, const uint8_t master[static 32])
{
	uint8_t id[FILE_ID_LEN] = { 0 };
	bool first = false;
	bool second = false;
	enum err e = file_part(ec, v->db_path, 0, id, sizeof(id));

	if (e == ERR_OK)
		e = ledger_with(v, ec, master, id);
	if (e == ERR_OK)
		e = page_opens(v, ec, 1, &first);
	if (e != ERR_OK || !v->ledger.missing)
		return e;
	e = ring_of_mark(v, ec, master);
	if (e == ERR_OK && !v->ledger.missing && first)
		e = page_opens(v, ec, 2, &second);
	if (e == ERR_OK && first && !second)
		e = ledger_with(v, ec, master, id);
	else if (e == ERR_OK && v->ledger.missing)
		e = err_set(ec, ERR_DAMAGED,
		            "The vault does not open: it belongs to another key, or its beginning is damaged. "
		            "Restore a backup, or join again from another device.",
		            NULL, NULL, NULL);
	return e;
}

/* ---- Opening ---- */

/* No other file through this connection: what lies outside would not be sealed (V1), and a name that begins with
 * "file:" can ask for another VFS. VACUUM attaches one without a name. */
static int authorise(void *none, int action, const char *name, const char *b, const char *c, const char *d)
{
	return action != SQLITE_ATTACH || (name != NULL && name[0] == '\0') ? SQLITE_OK : SQLITE_DENY;
}

static enum err connect(struct vault *v, struct errctx *ec, const uint8_t master[static 32], bool salvage)
{
	static atomic_uint count;
	char name[40];
	struct vfs_config c = { .name = name,
		                .under = v->under,
		                .policy = VFS_PRODUCT,
		                .rng = v->rng,
		                .master = master,
		                .file_id = v->ring->file_id,
		                .ledger = &v->ledger,
		                .remember = vault_memory().cache_locked >= REMEMBER_MIN };
	int rc = SQLITE_OK;

	snprintf(name, sizeof(name), "sleutelbos-%u", atomic_fetch_add(&count, 1));
	v->vfs = vfs_new(&c);
	if (v->vfs == NULL)
		return err_errno(ec, ENOMEM, v->db_path);
	v->vfs->salvage = salvage;
	rc = sqlite3_open_v2(v->db_path, &v->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE,
	                     v->vfs->name);
	if (v->db == NULL)
		return err_errno(ec, ENOMEM, v->db_path);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(v->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_set_authorizer(v->db, authorise, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(v->db, OPEN_SQL, NULL, NULL, NULL);
	return rc == SQLITE_OK ? ERR_OK : vault_result(v, ec, rc);
}

/* Page 1 says how long the database is, and an older one that was put back says something else; SQLite would believe it
 * and write over what lies beyond. Where a log is in use, that says it. */
static enum err length_check(struct vault *v, struct errctx *ec)
{
	const struct ledger *l = &v->ledger;
	sqlite3_stmt *st = NULL;
	int64_t pages = 0;
	int rc = sqlite3_prepare_v2(v->db, "PRAGMA page_count", -1, &st, NULL);

	if (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW)
		pages = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	if (rc != SQLITE_ROW)
		return vault_result(v, ec, rc);
	if (l->missing || l->record.frames > 0 || (l->live && l->committed > 0) || pages == l->record.pages)
		return ERR_OK;
	return vault_result(v, ec, vfs_damaged(v->vfs, DAMAGE_PAGE, 1));
}

/* After a damaged log was taken for what it is: what was read of it goes into the database, and the claim that there
 * was more ends. The sum stays unknown until vault_accept(). */
static enum err salvage_settle(struct vault *v, struct errctx *ec)
{
	enum err e = vault_checkpoint(v, ec, true);
	sqlite3_int64 size = 0;
	uint32_t pages = v->ledger.record.pages;

	if (e != ERR_OK || !v->vfs->salvaged)
		return e;
	e = vault_result(v, ec, under_size(v->vfs->opened, &size));
	/* What is missing at the end stays missing, for the next look. */
	if (size / VAULT_PAGE_SIZE > pages)
		pages = (uint32_t)(size / VAULT_PAGE_SIZE);
	if (e == ERR_OK)
		e = vault_result(v, ec, ledger_rebase(&v->ledger, pages, NULL));
	return e;
}

enum err vault_prepare(struct vault *v, struct errctx *ec, const char *dir, const uint8_t master[static 32],
                       enum vault_mode mode)
{
	struct bytes none = { NULL, 0 };
	enum err e = paths_make(v, ec, dir);

	v->chain_key = secret_new(32);
	v->nonces = nonce_pool_new(v->rng);
	if (e == ERR_OK && (v->chain_key == NULL || v->nonces == NULL))
		e = err_errno(ec, ENOMEM, dir);
	if (e != ERR_OK)
		return e;
	key_derive(master, "sleutelbos vault chain 1", none, v->chain_key);
	e = presence_check(v, ec, dir, mode);
	if (e == ERR_OK)
		e = owner_lock(v, ec);
	if (e == ERR_OK) /* again, now that nobody else can create it */
		e = presence_check(v, ec, dir, mode);
	if (e == ERR_OK && mode != VAULT_CREATE)
		e = swap_settle(ec, dir, master, &v->lock);
	return e == ERR_OK ? mark_open(v, ec) : e;
}

static enum err open_parts(struct vault *v, struct errctx *ec, const char *dir, const uint8_t master[static 32],
                           enum vault_mode mode)
{
	enum err e = vault_prepare(v, ec, dir, master, mode);

	if (e == ERR_OK)
		e = mode == VAULT_CREATE ? vault_build(v, ec, master, NULL) : vault_ring_find(v, ec, master);
	if (e == ERR_OK)
		e = connect(v, ec, master, mode == VAULT_SALVAGE);
	if (e == ERR_OK && mode == VAULT_OPEN)
		e = log_sync(v, ec);
	if (e == ERR_OK && mode == VAULT_OPEN)
		e = length_check(v, ec);
	if (e == ERR_OK && mode == VAULT_SALVAGE)
		e = salvage_settle(v, ec);
	return e;
}

struct vault *vault_blank(const struct rng *rng, sqlite3_vfs *under)
{
	struct vault *v = under == NULL ? NULL : calloc(1, sizeof(*v));

	if (v == NULL || vault_enter() != ERR_OK) {
		free(v);
		return NULL;
	}
	v->lock = -1;
	v->rng = rng;
	v->under = under;
	return v;
}

enum err vault_open_over(struct errctx *ec, const char *dir, const uint8_t master[static 32], enum vault_mode mode,
                         const struct rng *rng, sqlite3_vfs *under, struct vault **out)
{
	struct vault *v = vault_blank(rng, under);
	enum err e = ERR_OK;

	*out = NULL;
	if (v == NULL)
		return err_errno(ec, ENOMEM, dir);
	e = open_parts(v, ec, dir, master, mode);
	if (e != ERR_OK)
		vault_close(v);
	else
		*out = v;
	return e;
}

enum err vault_open(struct errctx *ec, const char *dir, const uint8_t master[static 32], enum vault_mode mode,
                    const struct rng *rng, struct vault **out)
{
	/* No "unix": SQLite could not start. */
	return vault_open_over(ec, dir, master, mode, rng, sqlite3_vfs_find("unix"), out);
}

void vault_close(struct vault *v)
{
	sqlite3_stmt *s = NULL;

	if (v == NULL)
		return;
	if (v->vfs != NULL)
		v->vfs->moving = true;
	if (sqlite3_close(v->db) == SQLITE_BUSY) {
		/* A statement left open, against the contract, would keep the connection, and with it the keys. */
		while ((s = sqlite3_next_stmt(v->db, NULL)) != NULL)
			sqlite3_finalize(s);
		sqlite3_close(v->db);
	}
	vfs_free(v->vfs);
	ledger_clear(&v->ledger);
	if (v->mark != NULL)
		v->mark->pMethods->xClose(v->mark);
	free(v->mark);
	keyring_free(v->ring);
	nonce_pool_free(v->nonces);
	secret_free(v->chain_key);
	if (v->lock >= 0)
		close(v->lock);
	free(v->db_path);
	free(v->log_path);
	free(v->new_path);
	free(v->mark_path);
	free(v);
	vault_leave();
	secret_wipe_stack();
}

/* ---- While open ---- */

struct sqlite3 *vault_db(struct vault *v)
{
	return v->db;
}

void vault_chain(const struct vault *v, const uint8_t prev[static VAULT_CHAIN_LEN], struct bytes entry,
                 uint8_t out[static VAULT_CHAIN_LEN])
{
	struct bytes parts[2] = { { prev, VAULT_CHAIN_LEN }, entry };

	hash_parts("sleutelbos edit chain 1", v->chain_key, parts, 2, out, VAULT_CHAIN_LEN);
}

enum err vault_checkpoint(struct vault *v, struct errctx *ec, bool truncate)
{
	int frames = 0;
	int moved = 0;
	int rc = SQLITE_OK;

	v->vfs->moving = true;
	rc = sqlite3_wal_checkpoint_v2(v->db, "main", truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_FULL,
	                               &frames, &moved);
	v->vfs->moving = false;

	/* What a failed sync left in the log is in doubt: it stays for the next opening to judge. */
	if (rc == SQLITE_OK && v->vfs->latched)
		rc = SQLITE_IOERR_FSYNC;
	if (rc != SQLITE_OK)
		return vault_result(v, ec, rc);
	if (frames != moved)
		return err_set(ec, ERR_LATER, "The vault is busy. Try again.", NULL, NULL, NULL);
	/* Now rather than inside the next commit. */
	return vault_result(v, ec, vfs_ledger_result(v->vfs, ledger_retire(&v->ledger)));
}

uint32_t vault_log_frames(const struct vault *v)
{
	return v->ledger.committed;
}

struct vault_notice vault_notice(const struct vault *v)
{
	return (struct vault_notice){
		.mark_missing = v->ledger.missing || v->ledger.mark_lost,
		.mark_behind = v->vfs->mark_behind,
		.old_wal_ignored = v->vfs->old_log_planted,
		.salvaged = v->vfs->salvaged,
		.mark_unwritten = v->ledger.mark_unwritten || v->ledger.spare_unwritten,
	};
}
