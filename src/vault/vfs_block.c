// SPDX-License-Identifier: EUPL-1.2
// Journals and temporary files: a run of bytes over sealed blocks, each `block` bytes and 40 more on disk; the last
// may be shorter. A vault keeps both off the disk; what is opened all the same never holds plaintext (V1).
#include "vault/vfs.h"

#include <string.h>

#include "base/codec.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

#define JOURNAL_BLOCK 512
#define TEMP_BLOCK 4096

static struct block_file *self(sqlite3_file *file)
{
	return (struct block_file *)file;
}

int block_open(struct block_file *b)
{
	struct bytes none = { NULL, 0 };
	enum file_role role = b->f.role;

	b->block = role == ROLE_JOURNAL ? JOURNAL_BLOCK : TEMP_BLOCK;
	b->key = secret_new(AEAD_KEY_LEN);
	b->scratch = sqlite3_malloc64(b->block + AEAD_OVERHEAD);
	if (b->key == NULL || b->scratch == NULL) {
		secret_free(b->key);
		sqlite3_free(b->scratch);
		return SQLITE_NOMEM;
	}
	/* One key for all journals: to see whether a super-journal is still needed, SQLite opens those that it names as
	 * if they were super-journals, without their databases. */
	if (role == ROLE_JOURNAL)
		key_derive(b->f.vfs->master, "sleutelbos vault journal 1", none, b->key);
	else
		rng_fill(b->f.vfs->rng, b->key, AEAD_KEY_LEN);
	b->f.base.pMethods = &block_methods;
	return SQLITE_OK;
}

static int block_close(sqlite3_file *file)
{
	struct block_file *b = self(file);

	secret_wipe(b->scratch, b->block + AEAD_OVERHEAD);
	sqlite3_free(b->scratch);
	secret_free(b->key);
	return file_close_under(&b->f);
}

/* ---- Sizes: disk and content stand for each other one to one ---- */

static sqlite3_int64 content_size(const struct block_file *b, sqlite3_int64 disk)
{
	sqlite3_int64 rest = disk % (b->block + AEAD_OVERHEAD);

	return disk / (b->block + AEAD_OVERHEAD) * b->block + (rest > AEAD_OVERHEAD ? rest - AEAD_OVERHEAD : 0);
}

static int block_size(sqlite3_file *file, sqlite3_int64 *out)
{
	struct block_file *b = self(file);
	int rc = under_size(&b->f, out);

	if (rc == SQLITE_OK)
		*out = content_size(b, *out);
	return rc;
}

/* ---- One block ---- */

static enum seal_type seal_of(const struct block_file *b)
{
	return b->f.role == ROLE_JOURNAL ? SEAL_JOURNAL : SEAL_TEMP;
}

static struct bytes block_ad(uint64_t number, uint8_t out[static 8])
{
	be64_put(out, number);
	return (struct bytes){ out, 8 };
}

/* The `len` bytes of a block into the scratch; a block that was never written reads as zeros. */
static int block_load(struct block_file *b, uint64_t number, uint32_t len)
{
	uint8_t ad[8];
	uint8_t any = 0;
	uint8_t *tail = b->scratch + len;
	int rc = under_read(&b->f, b->scratch, (int)(len + AEAD_OVERHEAD),
	                    (sqlite3_int64)number * (b->block + AEAD_OVERHEAD));

	if (rc != SQLITE_OK)
		return rc;
	for (uint32_t i = 0; i < len + AEAD_OVERHEAD; i++)
		any |= b->scratch[i];
	if (any == 0)
		return SQLITE_OK;
	if (aead_unseal_detached(seal_of(b), b->key, tail, block_ad(number, ad), b->scratch, len,
	                         tail + AEAD_NONCE_LEN) == ERR_OK)
		return SQLITE_OK;
	return SQLITE_IOERR_DATA;
}

static int block_store(struct block_file *b, uint64_t number, uint32_t len)
{
	uint8_t ad[8];
	uint8_t *tail = b->scratch + len;

	nonce_take(b->f.vfs->nonces, tail);
	aead_seal_detached(seal_of(b), b->key, tail, block_ad(number, ad), b->scratch, len, tail + AEAD_NONCE_LEN);
	return under_write(&b->f, b->scratch, (int)(len + AEAD_OVERHEAD),
	                   (sqlite3_int64)number * (b->block + AEAD_OVERHEAD));
}

static uint32_t len_of(const struct block_file *b, uint64_t number, sqlite3_int64 size)
{
	sqlite3_int64 left = size - (sqlite3_int64)number * b->block;

	return left <= 0 ? 0 : left > b->block ? b->block : (uint32_t)left;
}

/* ---- A run of bytes ---- */

static int block_read(sqlite3_file *file, void *out, int len, sqlite3_int64 at)
{
	struct block_file *b = self(file);
	uint8_t *p = out;
	sqlite3_int64 size = 0;
	int rc = block_size(file, &size);

	memset(out, 0, (size_t)len);
	while (rc == SQLITE_OK && len > 0) {
		uint64_t number = (uint64_t)(at / b->block);
		uint32_t skip = (uint32_t)(at % b->block);
		uint32_t have = len_of(b, number, size);
		uint32_t take = b->block - skip < (uint32_t)len ? b->block - skip : (uint32_t)len;
		uint32_t get = have <= skip ? 0 : have - skip < take ? have - skip : take;

		if (get > 0) {
			rc = block_load(b, number, have);
			if (rc != SQLITE_OK)
				break;
			memcpy(p, b->scratch + skip, get);
		}
		if (get < take)
			return SQLITE_IOERR_SHORT_READ;
		p += take;
		at += take;
		len -= (int)take;
	}
	return rc;
}

/* Makes the content `size` bytes long, which it is not: the last block is sealed anew with its new length. */
static int block_resize(struct block_file *b, sqlite3_int64 from, sqlite3_int64 size)
{
	sqlite3_int64 shorter = from < size ? from : size;
	uint64_t number = (uint64_t)(shorter / b->block);
	uint32_t have = len_of(b, number, from);
	uint32_t want = len_of(b, number, size);
	int rc = SQLITE_OK;

	if (have > 0) {
		rc = block_load(b, number, have);
		if (rc != SQLITE_OK)
			return rc;
		if (want > have)
			memset(b->scratch + have, 0, want - have);
	} else {
		memset(b->scratch, 0, b->block);
	}
	/* A cut block does not open: it goes, and comes back shorter. What ends between is a torn tail, not damage. */
	if (size < from)
		rc = under_truncate(&b->f, (sqlite3_int64)number * (b->block + AEAD_OVERHEAD));
	if (rc == SQLITE_OK && want > 0)
		rc = block_store(b, number, want);
	return rc;
}

static int block_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
	struct block_file *b = self(file);
	const uint8_t *p = data;
	sqlite3_int64 size = 0;
	int rc = block_size(file, &size);

	/* A gap is filled block by block, so that sizes stay exact. */
	while (rc == SQLITE_OK && size < at) {
		sqlite3_int64 next = (size / b->block + 1) * b->block;

		next = next > at ? at : next;
		rc = block_resize(b, size, next);
		size = next;
	}
	while (rc == SQLITE_OK && len > 0) {
		uint64_t number = (uint64_t)(at / b->block);
		uint32_t skip = (uint32_t)(at % b->block);
		uint32_t have = len_of(b, number, size);
		uint32_t take = b->block - skip < (uint32_t)len ? b->block - skip : (uint32_t)len;

		if (have > 0 && (skip > 0 || skip + take < have))
			rc = block_load(b, number, have);
		if (rc != SQLITE_OK)
			break;
		memcpy(b->scratch + skip, p, take);
		rc = block_store(b, number, skip + take > have ? skip + take : have);
		p += take;
		at += take;
		len -= (int)take;
		size = size > at ? size : at;
	}
	return rc;
}

static int block_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct block_file *b = self(file);
	sqlite3_int64 from = 0;
	int rc = block_size(file, &from);

	if (rc == SQLITE_OK && size < from)
		rc = block_resize(b, from, size);
	return rc;
}

static int block_sync(sqlite3_file *file, int flags)
{
	return under_sync(&self(file)->f, flags);
}

const sqlite3_io_methods block_methods = {
	.iVersion = 3,
	.xClose = block_close,
	.xRead = block_read,
	.xWrite = block_write,
	.xTruncate = block_truncate,
	.xSync = block_sync,
	.xFileSize = block_size,
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
