// SPDX-License-Identifier: EUPL-1.2
// The database file: page in, sealed page out (V1, V2). A checkpoint's pages come in order, so neighbours are
// gathered into one write.
#include "vault/vfs.h"

#include <string.h>

#include "crypto/secret.h"

static struct main_file *self(sqlite3_file *file)
{
	return (struct main_file *)file;
}

static sqlite3_int64 offset_of(const struct main_file *m, uint32_t page)
{
	return (sqlite3_int64)(page - 1) * m->size;
}

static bool all_zero(const uint8_t *p, size_t len)
{
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= p[i];
	return any == 0;
}

/* ---- LOOSE: every file has an id of its own, and any page size ---- */

static int ring_set(struct main_file *m, const uint8_t id[static FILE_ID_LEN])
{
	struct keyring *ring = keyring_new(m->f.vfs->master, id);

	if (ring == NULL)
		return SQLITE_IOERR_NOMEM;
	keyring_free(m->own);
	m->own = ring;
	m->ring = ring;
	return SQLITE_OK;
}

/* Takes the id from the file, or draws one for a file without a page 1: an empty one, or one whose first transaction
 * was so large that later pages came first (their hole reads as zeros). */
static int ring_find(struct main_file *m)
{
	uint8_t id[FILE_ID_LEN] = { 0 };
	int rc = under_read(&m->f, id, sizeof(id), 0);

	if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ)
		return rc;
	if (rc == SQLITE_OK && !all_zero(id, sizeof(id))) {
		m->fresh = false;
		if (m->ring != NULL && memcmp(m->ring->file_id, id, sizeof(id)) == 0)
			return SQLITE_OK;
		return ring_set(m, id);
	}
	if (m->ring != NULL && m->fresh)
		return SQLITE_OK;
	m->fresh = true;
	rng_fill(m->f.vfs->rng, id, sizeof(id));
	return ring_set(m, id);
}

/* The page size that opens page 1, else 0. */
static uint32_t size_find(struct main_file *m)
{
	for (uint32_t size = 512; size <= PAGE_SIZE_MAX; size *= 2) {
		if (under_read(&m->f, m->scratch, (int)size, 0) != SQLITE_OK)
			break;
		if (page_unseal(m->ring, 1, m->scratch, size) == ERR_OK)
			return size;
	}
	return 0;
}

int main_refresh(struct main_file *m)
{
	int rc = ring_find(m);

	if (rc == SQLITE_OK && !m->fresh)
		m->size = size_find(m);
	return rc;
}

/* ---- Opening and closing ---- */

static void mains_put(struct main_file *m)
{
	pthread_mutex_lock(&m->f.vfs->mutex);
	m->next = m->f.vfs->mains;
	m->f.vfs->mains = m;
	pthread_mutex_unlock(&m->f.vfs->mutex);
}

static void mains_remove(struct main_file *m)
{
	pthread_mutex_lock(&m->f.vfs->mutex);
	for (struct main_file **p = &m->f.vfs->mains; *p != NULL; p = &(*p)->next)
		if (*p == m) {
			*p = m->next;
			break;
		}
	pthread_mutex_unlock(&m->f.vfs->mutex);
}

/* SQLite's own sqlite3_database_file_object() gives the file of the outermost VFS, which need not be this one. */
struct main_file *main_of_log(struct vfs *vfs, const char *log)
{
	const char *name = sqlite3_filename_database(log);
	struct main_file *m = (struct main_file *)vfs->opened;

	if (vfs->policy != VFS_LOOSE)
		return m;
	pthread_mutex_lock(&vfs->mutex);
	for (m = vfs->mains; m != NULL && m->name != name;)
		m = m->next;
	pthread_mutex_unlock(&vfs->mutex);
	return m;
}

int main_open(struct main_file *m, const char *name)
{
	struct vfs *vfs = m->f.vfs;
	int rc = SQLITE_OK;

	m->scratch = sqlite3_malloc64(vfs->policy == VFS_LOOSE ? PAGE_SIZE_MAX : RUN_PAGES * VAULT_PAGE_SIZE);
	if (m->scratch == NULL)
		return SQLITE_NOMEM;
	m->ring = vfs->ring;
	m->size = VAULT_PAGE_SIZE;
	m->name = name;
	if (vfs->policy == VFS_LOOSE)
		rc = main_refresh(m);
	else
		vfs->opened = &m->f;
	if (rc != SQLITE_OK) {
		sqlite3_free(m->scratch);
		keyring_free(m->own);
		return rc;
	}
	if (vfs->policy == VFS_LOOSE)
		mains_put(m);
	if (vfs->ledger != NULL) {
		vfs->ledger->db = m->f.under;
		ledger_spare_renew(vfs->ledger);
	}
	m->f.base.pMethods = &main_methods;
	return SQLITE_OK;
}

static int run_flush(struct main_file *m)
{
	uint32_t count = m->run_count;

	m->run_count = 0;
	if (count == 0)
		return SQLITE_OK;
	return under_write(&m->f, m->scratch, (int)(count * m->size), offset_of(m, m->run_first));
}

static int main_close(sqlite3_file *file)
{
	struct main_file *m = self(file);
	int rc = run_flush(m);
	int closed = file_close_under(&m->f);

	secret_wipe(m->scratch, m->f.vfs->policy == VFS_LOOSE ? PAGE_SIZE_MAX : RUN_PAGES * VAULT_PAGE_SIZE);
	sqlite3_free(m->scratch);
	keyring_free(m->own);
	if (m->f.vfs->ledger != NULL)
		m->f.vfs->ledger->db = NULL;
	if (m->f.vfs->policy == VFS_LOOSE)
		mains_remove(m);
	if (m->f.vfs->opened == &m->f)
		m->f.vfs->opened = NULL;
	return rc != SQLITE_OK ? rc : closed;
}

/* ---- Reading ---- */

/* Salvage alone, and only where page 1 is lost: the copy of its sealed bytes in vault.mark. */
static bool spare_read(struct main_file *m, uint8_t *out)
{
	struct vfs *vfs = m->f.vfs;

	if (!vfs->salvage || ledger_spare_get(vfs->ledger, out) != SQLITE_OK ||
	    page_unseal(m->ring, 1, out, VAULT_PAGE_SIZE) != ERR_OK)
		return false;
	vfs->salvaged = true;
	return true;
}

/* A whole page into `out`. A vault has no page that was never written, except the one that SQLite leaves for locks;
 * other uses of SQLite leave holes, which read as zeros. */
static int page_read(struct main_file *m, uint32_t page, uint8_t *out, uint32_t size)
{
	struct vfs *vfs = m->f.vfs;
	int rc = under_read(&m->f, out, (int)size, (sqlite3_int64)(page - 1) * size);

	if (rc == SQLITE_IOERR_SHORT_READ) {
		if (page == 1 && spare_read(m, out))
			return SQLITE_OK;
		memset(out, 0, size);
		return vfs->policy == VFS_PRODUCT ? vfs_damaged(vfs, DAMAGE_PAGE_MISSING, page) : rc;
	}
	if (rc != SQLITE_OK)
		return rc;
	if ((vfs->policy == VFS_LOOSE || ledger_page_unused(page)) && all_zero(out, size))
		return SQLITE_OK;
	if (page_unseal(m->ring, page, out, size) == ERR_OK || (page == 1 && spare_read(m, out)))
		return SQLITE_OK;
	return SQLITE_IOERR_DATA;
}

/* The 100 bytes that SQLite reads before it looks at the log: a torn page 1 must not keep it from the log, which may
 * hold the page whole. */
static int header_read(struct main_file *m, uint8_t *out, int len)
{
	int rc = page_read(m, 1, m->scratch, m->size);

	if (rc == SQLITE_IOERR_DATA && m->f.vfs->policy == VFS_PRODUCT) {
		m->f.vfs->damage = (struct vfs_damage){ DAMAGE_NONE, 0 };
		memset(out, 0, (size_t)len);
		return SQLITE_OK;
	}
	memcpy(out, m->scratch, (size_t)len);
	return rc;
}

/* Any bytes, by the pages they lie in: parts of the header, and whole pages of another size, where SQLite has not seen
 * yet which size this file has. */
static int part_read(struct main_file *m, uint8_t *out, int len, sqlite3_int64 at)
{
	int rc = SQLITE_OK;

	memset(out, 0, (size_t)len);
	while (len > 0 && rc == SQLITE_OK) {
		uint32_t skip = (uint32_t)(at % m->size);
		uint32_t take = m->size - skip < (uint32_t)len ? m->size - skip : (uint32_t)len;

		rc = page_read(m, (uint32_t)(at / m->size) + 1, m->scratch, m->size);
		memcpy(out, m->scratch + skip, take);
		out += take;
		at += take;
		len -= (int)take;
	}
	return rc;
}

static int main_read(sqlite3_file *file, void *out, int len, sqlite3_int64 at)
{
	struct main_file *m = self(file);
	struct vfs *vfs = m->f.vfs;
	int rc = run_flush(m);

	if (rc != SQLITE_OK)
		return rc;
	if (vfs->policy == VFS_LOOSE && (m->fresh || m->size == 0)) {
		sqlite3_int64 size = 0;

		rc = main_refresh(m);
		if (rc == SQLITE_OK)
			rc = under_size(&m->f, &size);
		if (rc != SQLITE_OK)
			return rc;
		if (size == 0 || m->size == 0) {
			memset(out, 0, (size_t)len);
			return SQLITE_IOERR_SHORT_READ;
		}
	}
	for (int attempt = 0;; attempt++) {
		if ((uint32_t)len == m->size && at % len == 0)
			rc = page_read(m, (uint32_t)(at / len) + 1, out, (uint32_t)len);
		else if (at == 0 && len == 100)
			rc = header_read(m, out, len);
		else
			rc = part_read(m, out, len, at);
		/* Another connection may have emptied and named the file anew. */
		if (rc != SQLITE_IOERR_DATA || vfs->policy != VFS_LOOSE || attempt > 0)
			break;
		rc = main_refresh(m);
		if (rc != SQLITE_OK)
			return rc;
		if (m->size == 0)
			return SQLITE_IOERR_DATA;
	}
	if (rc == SQLITE_IOERR_DATA)
		(void)vfs_damaged(vfs, DAMAGE_PAGE, (uint32_t)(at / m->size) + 1);
	return rc;
}

/* ---- Writing ---- */

static int page_write(struct main_file *m, uint32_t page, const uint8_t *data)
{
	struct vfs *vfs = m->f.vfs;
	uint8_t nonce[AEAD_NONCE_LEN];
	uint8_t *slot = NULL;
	bool gather = vfs->policy == VFS_PRODUCT;
	int rc = SQLITE_OK;

	if (vfs->latched)
		return SQLITE_IOERR_WRITE;
	if (m->run_count > 0 && (page != m->run_first + m->run_count || m->run_count == RUN_PAGES)) {
		rc = run_flush(m);
		if (rc != SQLITE_OK)
			return rc;
	}
	nonce_take(vfs->nonces, nonce);
	if (vfs->ledger != NULL) {
		rc = vfs_ledger_result(vfs, ledger_page(vfs->ledger, page, nonce));
		if (rc != SQLITE_OK)
			return rc;
	}
	if (m->run_count == 0)
		m->run_first = page;
	slot = m->scratch + (size_t)m->run_count * m->size;
	memcpy(slot, data, m->size);
	page_seal(m->ring, page, nonce, slot, m->size);
	m->run_count++;
	return gather ? SQLITE_OK : run_flush(m);
}

static int main_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
	struct main_file *m = self(file);
	struct vfs *vfs = m->f.vfs;
	uint32_t page = 0;

	if (len < 512 || len > PAGE_SIZE_MAX || (len & (len - 1)) != 0 || at % len != 0)
		return SQLITE_IOERR_WRITE;
	if (vfs->policy == VFS_LOOSE) {
		int rc = m->fresh ? ring_find(m) : SQLITE_OK;

		if (rc != SQLITE_OK)
			return rc;
		m->size = (uint32_t)len;
	}
	page = (uint32_t)(at / len) + 1;
	if ((uint32_t)len != m->size || !page_sealable(data, (size_t)len, page))
		return SQLITE_IOERR_WRITE;
	return page_write(m, page, data);
}

static int main_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct main_file *m = self(file);
	struct vfs *vfs = m->f.vfs;
	int rc = vfs->latched ? SQLITE_IOERR_TRUNCATE : run_flush(m);

	if (rc == SQLITE_OK && vfs->ledger != NULL)
		rc = vfs_ledger_result(vfs, ledger_cut(vfs->ledger));
	if (rc == SQLITE_OK)
		rc = under_truncate(&m->f, size);
	return rc;
}

static int main_sync(sqlite3_file *file, int flags)
{
	struct main_file *m = self(file);
	int rc = run_flush(m);

	return rc == SQLITE_OK ? under_sync(&m->f, flags) : rc;
}

/* SQLite opens no file that is shorter than its header says, and removes the log of an empty one. The pages that are
 * there can be read. (While a checkpoint that was cut off waits to be repeated, the log has those that are not.) */
static sqlite3_int64 salvage_size(const struct ledger *l)
{
	uint32_t pages = l->record.frames > 0 ? 0 : l->record.pages;

	return (sqlite3_int64)(pages == 0 ? 1 : pages) * VAULT_PAGE_SIZE;
}

static int main_size(sqlite3_file *file, sqlite3_int64 *out)
{
	struct main_file *m = self(file);
	struct vfs *vfs = m->f.vfs;
	int rc = run_flush(m);

	if (rc == SQLITE_OK)
		rc = under_size(&m->f, out);
	if (rc == SQLITE_OK && vfs->salvage && *out < salvage_size(vfs->ledger)) {
		*out = salvage_size(vfs->ledger);
		vfs->salvaged = true;
	}
	return rc;
}

const sqlite3_io_methods main_methods = {
	.iVersion = 3,
	.xClose = main_close,
	.xRead = main_read,
	.xWrite = main_write,
	.xTruncate = main_truncate,
	.xSync = main_sync,
	.xFileSize = main_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_check_reserved,
	.xFileControl = file_control,
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_characteristics,
	.xShmMap = NULL, /* see file_shm_lock() */
	.xShmLock = file_shm_lock,
	.xShmBarrier = file_shm_barrier,
	.xShmUnmap = file_shm_unmap,
	.xFetch = file_fetch,
	.xUnfetch = file_unfetch,
};
