// SPDX-License-Identifier: EUPL-1.2
// The write-ahead log. Header and page of a frame are sealed as one; a transaction is one write. While SQLite
// recovers, this file follows the same chain of checksums, so that it knows where SQLite will stop, and asks whether
// that is a torn tail or the loss of something that was synced (V2).
#include "vault/vfs.h"

#include <string.h>

#include "base/codec.h"
#include "crypto/secret.h"

static struct wal_file *self(sqlite3_file *file)
{
	return (struct wal_file *)file;
}

static uint32_t frame_len(const struct wal_file *w)
{
	return WAL_FRAME_HEADER + w->size;
}

static sqlite3_int64 frame_offset(const struct wal_file *w, uint32_t frame)
{
	return WAL_HEADER_DISK + (sqlite3_int64)(frame - 1) * frame_len(w);
}

static bool product(const struct wal_file *w)
{
	return w->f.vfs->ledger != NULL;
}

static int frames_on_disk(struct wal_file *w, uint32_t *out)
{
	sqlite3_int64 size = 0;
	int rc = under_size(&w->f, &size);

	*out = size < WAL_HEADER_DISK ? 0 : (uint32_t)((size - WAL_HEADER_DISK) / frame_len(w));
	return rc;
}

/* A log that should be whole is not. Salvage takes what can be read as all there is. */
static int log_damaged(struct wal_file *w, enum vfs_damage_kind kind, uint32_t number)
{
	struct vfs *vfs = w->f.vfs;

	if (!vfs->salvage)
		return vfs_damaged(vfs, kind, number);
	vfs->salvaged = true;
	vfs->mark_behind = vfs->mark_behind || kind == DAMAGE_LOG_AHEAD;
	ledger_unclaim(vfs->ledger);
	return SQLITE_OK;
}

/* ---- Opening: is this the log that must be there? ---- */

/* SQLITE_OK with *found false: there is no header that opens. */
static int header_find(struct wal_file *w, uint8_t plain[static WAL_HEADER_LEN], uint64_t *generation, bool *found)
{
	uint8_t disk[WAL_HEADER_DISK];
	int rc = under_read(&w->f, disk, sizeof(disk), 0);

	*found = false;
	if (rc == SQLITE_IOERR_SHORT_READ)
		return SQLITE_OK;
	if (rc != SQLITE_OK)
		return rc;
	*found = wal_header_unseal(w->db->ring, disk, plain, generation) == ERR_OK;
	return SQLITE_OK;
}

/* The sum's records were lost: what is left says which generation this is. */
static int ledger_recover(struct wal_file *w, bool found, uint64_t generation)
{
	struct ledger *l = w->f.vfs->ledger;
	sqlite3_int64 size = 0;
	uint64_t base = l->mark.log.generation;
	int rc = under_size(&w->db->f, &size);

	if (rc != SQLITE_OK)
		return rc;
	if (found && generation > 0) {
		base = generation - 1;
	} else if (l->mark.sequence == 0) {
		/* Not a number that an older log could bear. */
		rng_fill(w->f.vfs->rng, &base, sizeof(base));
		base >>= 16;
	}
	return vfs_ledger_result(w->f.vfs, ledger_adopt(l, base, (uint32_t)(size / VAULT_PAGE_SIZE)));
}

static int wal_judge_open(struct wal_file *w)
{
	struct vfs *vfs = w->f.vfs;
	struct ledger *l = vfs->ledger;
	uint8_t plain[WAL_HEADER_LEN];
	uint64_t generation = 0;
	bool found = false;
	uint32_t frames = 0;
	int rc = header_find(w, plain, &generation, &found);

	if (rc == SQLITE_OK)
		rc = frames_on_disk(w, &frames);
	if (rc == SQLITE_OK && l->missing)
		rc = ledger_recover(w, found, generation);
	if (rc != SQLITE_OK)
		return rc;
	if (found && generation <= ledger_base(l)) {
		vfs->old_log = true;
		vfs->old_log_planted = generation < ledger_base(l);
	} else if (found && generation > ledger_base(l) + 1) {
		rc = log_damaged(w, DAMAGE_LOG_AHEAD, 0);
		l->record.generation = generation - 1; /* salvage reads on */
		return rc;
	}
	if (ledger_claim(l) == 0)
		return SQLITE_OK;
	if (!found && frames > 0)
		return log_damaged(w, DAMAGE_LOG_HEADER, 0);
	if (!found || vfs->old_log || frames < ledger_claim(l))
		return log_damaged(w, DAMAGE_LOG_SHORT, frames);
	return SQLITE_OK;
}

int wal_open(struct wal_file *w, const char *name)
{
	bool loose = w->f.vfs->policy == VFS_LOOSE;
	int rc = SQLITE_OK;

	w->db = main_of_log(w->f.vfs, name);
	if (w->db == NULL)
		return SQLITE_CANTOPEN;
	w->size = VAULT_PAGE_SIZE;
	w->scratch = sqlite3_malloc64(WAL_FRAME_HEADER + (loose ? PAGE_SIZE_MAX : VAULT_PAGE_SIZE));
	w->pending_room = loose ? 1 : PENDING_FRAMES;
	w->pending = sqlite3_malloc64(w->pending_room * (WAL_FRAME_HEADER + (loose ? PAGE_SIZE_MAX : VAULT_PAGE_SIZE)));
	if (w->scratch == NULL || w->pending == NULL)
		rc = SQLITE_NOMEM;
	if (rc == SQLITE_OK && product(w))
		rc = wal_judge_open(w);
	if (rc != SQLITE_OK) {
		sqlite3_free(w->scratch);
		sqlite3_free(w->pending);
		return rc;
	}
	w->f.base.pMethods = &wal_methods;
	return SQLITE_OK;
}

static int wal_close(sqlite3_file *file)
{
	struct wal_file *w = self(file);

	/* What is pending here belongs to no commit. */
	secret_wipe(w->scratch, WAL_FRAME_HEADER + w->size);
	sqlite3_free(w->scratch);
	sqlite3_free(w->pending);
	recent_free(w->recent);
	return file_close_under(&w->f);
}

/* ---- Header ---- */

static void header_take(struct wal_file *w, const uint8_t plain[static WAL_HEADER_LEN], uint64_t generation)
{
	w->known = true;
	memcpy(w->plain, plain, WAL_HEADER_LEN);
	w->big = (plain[3] & 1) != 0;
	w->size = be32_get(plain + 8);
	w->log.generation = generation;
	memcpy(w->log.salts, plain + 16, WAL_SALT_LEN);
	w->last_commit = 0;
	w->pending_count = 0;
	w->has_header = false;
	if (w->recent != NULL)
		recent_forget(w->recent);
}

static int header_read(struct wal_file *w, uint8_t *out)
{
	uint64_t generation = 0;
	bool found = false;
	int rc = header_find(w, out, &generation, &found);

	if (rc == SQLITE_OK && !found && !product(w)) { /* the database may bear another id by now */
		rc = main_refresh(w->db);
		if (rc == SQLITE_OK)
			rc = header_find(w, out, &generation, &found);
	}
	if (rc != SQLITE_OK)
		return rc;
	if (!found) /* zeros: an empty log. wal_judge_open() has seen that nothing was claimed of it */
		return SQLITE_OK;
	header_take(w, out, generation);
	if (product(w)) {
		ledger_log_found(w->f.vfs->ledger, &w->log);
		w->chain_next = 1;
		w->chain[0] = be32_get(out + 24);
		w->chain[1] = be32_get(out + 28);
	}
	return SQLITE_OK;
}

static int header_write(struct wal_file *w, const uint8_t *data)
{
	struct vfs *vfs = w->f.vfs;
	struct wal_id log = { 0, { 0 } };
	uint8_t disk[WAL_HEADER_DISK];
	uint8_t nonce[AEAD_NONCE_LEN];
	int rc = SQLITE_OK;

	if (product(w)) {
		if (be32_get(data + 8) != VAULT_PAGE_SIZE)
			return SQLITE_IOERR_WRITE;
		rc = vfs_ledger_result(vfs, ledger_log_new(vfs->ledger, data + 16, &log));
		if (rc != SQLITE_OK)
			return rc;
		vfs->old_log = false;
	}
	nonce_take(vfs->nonces, nonce);
	header_take(w, data, log.generation);
	w->chain_next = 0;
	wal_header_seal(w->db->ring, data, log.generation, nonce, disk);
	return under_write(&w->f, disk, sizeof(disk), 0);
}

/* Another connection may have begun the log anew. */
static int loose_refresh(struct wal_file *w)
{
	uint8_t plain[WAL_HEADER_LEN];
	uint64_t generation = 0;
	bool found = false;
	int rc = header_find(w, plain, &generation, &found);

	if (rc == SQLITE_OK && !found) {
		rc = main_refresh(w->db);
		if (rc == SQLITE_OK)
			rc = header_find(w, plain, &generation, &found);
	}
	if (rc == SQLITE_OK && found)
		header_take(w, plain, generation);
	return rc;
}

/* ---- Frames out ---- */

static int pending_flush(struct wal_file *w)
{
	uint32_t count = w->pending_count;

	w->pending_count = 0;
	if (count == 0)
		return SQLITE_OK;
	w->unsynced = true;
	return under_write(&w->f, w->pending, (int)(count * frame_len(w)), frame_offset(w, w->pending_first));
}

static int pending_place(struct wal_file *w, uint32_t frame, uint8_t **out)
{
	int rc = SQLITE_OK;

	if (w->pending_count > 0 &&
	    (frame != w->pending_first + w->pending_count || w->pending_count == w->pending_room))
		rc = pending_flush(w);
	if (w->pending_count == 0)
		w->pending_first = frame;
	*out = w->pending + (size_t)w->pending_count * frame_len(w);
	return rc;
}

/* For the checkpoint, which reads what was just written. */
static void remember(struct wal_file *w, uint32_t frame, const uint8_t *page)
{
	if (!w->f.vfs->remember || frame < RECENT_FROM)
		return;
	if (w->recent == NULL)
		w->recent = recent_new();
	if (w->recent == NULL)
		w->f.vfs->remember = false;
	else
		recent_put(w->recent, be32_get(w->header), frame, page);
}

static bool remembered(const struct wal_file *w, uint32_t frame, uint8_t *out)
{
	const struct ledger *l = w->f.vfs->ledger;

	return w->recent != NULL && w->f.vfs->moving && frame <= l->frame_count &&
	       recent_get(w->recent, l->frame[frame - 1].page, frame, out);
}

/* Header and page are both there. */
static int frame_write(struct wal_file *w, uint32_t frame, const uint8_t *page)
{
	struct vfs *vfs = w->f.vfs;
	uint8_t nonce[AEAD_NONCE_LEN];
	uint32_t db_pages = be32_get(w->header + 4);
	uint8_t *place = NULL;
	int rc = SQLITE_OK;

	if (product(w) && frame <= w->last_commit) {
		/* SQLite took back what it had committed (out of memory after the sync) and writes it anew. */
		rc = vfs_ledger_result(vfs, ledger_lower(vfs->ledger, frame));
		w->last_commit = frame - 1;
	}
	if (rc == SQLITE_OK && product(w))
		rc = ledger_frame(vfs->ledger, frame, (struct ledger_frame_note){ be32_get(w->header), db_pages });
	if (rc == SQLITE_OK)
		rc = pending_place(w, frame, &place);
	if (rc != SQLITE_OK)
		return rc;
	w->chain_next = 0;
	nonce_take(vfs->nonces, nonce);
	memcpy(place, w->header, WAL_FRAME_HEADER);
	memcpy(place + WAL_FRAME_HEADER, page, w->size);
	frame_seal(w->db->ring, &w->log, frame, w->last_commit + 1, nonce, place, frame_len(w));
	w->pending_count++;
	remember(w, frame, page);
	if (db_pages == 0)
		return product(w) ? SQLITE_OK : pending_flush(w);
	rc = pending_flush(w);
	if (rc != SQLITE_OK)
		return rc;
	w->last_commit = frame;
	if (product(w))
		ledger_commit(vfs->ledger, frame);
	return SQLITE_OK;
}

/* Reads a whole frame and opens it into `out`. */
static int frame_load(struct wal_file *w, uint32_t frame, uint8_t *out, uint32_t *first)
{
	int rc = SQLITE_OK;

	*first = 0;
	if (w->pending_count > 0 && frame >= w->pending_first && frame < w->pending_first + w->pending_count)
		memcpy(out, w->pending + (size_t)(frame - w->pending_first) * frame_len(w), frame_len(w));
	else
		rc = under_read(&w->f, out, (int)frame_len(w), frame_offset(w, frame));
	if (rc != SQLITE_OK) {
		memset(out, 0, frame_len(w));
		return rc;
	}
	return frame_unseal(w->db->ring, &w->log, frame, out, frame_len(w), first) == ERR_OK ? SQLITE_OK
	                                                                                     : SQLITE_IOERR_DATA;
}

/* SQLite changes a header or a page of a frame that it wrote before (a spilled cache): open, change, seal again. */
static int frame_change(struct wal_file *w, uint32_t frame, const uint8_t *header, const uint8_t *page)
{
	uint8_t nonce[AEAD_NONCE_LEN];
	uint32_t first = 0;
	int rc = pending_flush(w);

	if (w->recent != NULL)
		recent_forget(w->recent);
	if (rc == SQLITE_OK)
		rc = frame_load(w, frame, w->scratch, &first);
	if (rc != SQLITE_OK)
		return rc == SQLITE_IOERR_DATA ? vfs_damaged(w->f.vfs, DAMAGE_FRAME, frame) : rc;
	if (header != NULL)
		memcpy(w->scratch, header, WAL_FRAME_HEADER);
	if (page != NULL)
		memcpy(w->scratch + WAL_FRAME_HEADER, page, w->size);
	w->unsynced = true;
	nonce_take(w->f.vfs->nonces, nonce);
	frame_seal(w->db->ring, &w->log, frame, first, nonce, w->scratch, frame_len(w));
	return under_write(&w->f, w->scratch, (int)frame_len(w), frame_offset(w, frame));
}

/* A buffered header whose page did not come was a change to an earlier frame. */
static int header_settle(struct wal_file *w)
{
	if (!w->has_header)
		return SQLITE_OK;
	w->has_header = false;
	return frame_change(w, w->header_frame, w->header, NULL);
}

static bool log_writable(const struct wal_file *w)
{
	const struct ledger *l = w->f.vfs->ledger;

	/* Frames added to a log whose content counts as moved would be lost. SQLite begins a new log there. */
	return w->known && (l == NULL || w->log.generation > ledger_base(l));
}

static int frame_part_write(struct wal_file *w, const uint8_t *data, uint32_t len, sqlite3_int64 at)
{
	static const uint8_t zero[WAL_SALT_LEN];
	uint32_t frame = (uint32_t)((at - WAL_HEADER_LEN) / frame_len(w)) + 1;
	uint32_t skip = (uint32_t)((at - WAL_HEADER_LEN) % frame_len(w));
	int rc = SQLITE_OK;

	if (skip == 0 && len == WAL_FRAME_HEADER) {
		/* Zeros: SQLite fills in salts and checksum later, for a frame that it still may change. */
		if (memcmp(data + 8, w->log.salts, WAL_SALT_LEN) != 0 && memcmp(data + 8, zero, WAL_SALT_LEN) != 0)
			return SQLITE_IOERR_WRITE;
		rc = header_settle(w);
		memcpy(w->header, data, WAL_FRAME_HEADER);
		w->header_frame = frame;
		w->has_header = rc == SQLITE_OK;
		return rc;
	}
	if (skip != WAL_FRAME_HEADER || len != w->size || !page_sealable(data, len, 0))
		return SQLITE_IOERR_WRITE;
	if (w->has_header && w->header_frame == frame) {
		w->has_header = false;
		return frame_write(w, frame, data);
	}
	rc = header_settle(w);
	return rc == SQLITE_OK ? frame_change(w, frame, NULL, data) : rc;
}

static int wal_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
	struct wal_file *w = self(file);

	if (w->f.vfs->latched)
		return SQLITE_IOERR_WRITE;
	if (at == 0 && len == WAL_HEADER_LEN)
		return header_write(w, data);
	if (!product(w) && !w->has_header) {
		int rc = loose_refresh(w);

		if (rc != SQLITE_OK)
			return rc;
	}
	if (at < WAL_HEADER_LEN || len <= 0 || !log_writable(w))
		return SQLITE_IOERR_WRITE;
	return frame_part_write(w, data, (uint32_t)len, at);
}

/* ---- Frames in ---- */

/* Recovery met a frame that ends the chain. Torn tail, or damage? It is damage when the frame lies at or below the
 * mark, or when a frame of a transaction that began after it opens: that one was only begun once this was synced.
 * Frames of the same transaction prove nothing: unsynced writes reach the disk in any order. */
static int end_judge(struct wal_file *w, uint32_t frame)
{
	struct ledger *l = w->f.vfs->ledger;
	uint32_t last = 0;
	int rc = frames_on_disk(w, &last);

	w->chain_next = 0;
	if (rc == SQLITE_OK && frame <= ledger_claim(l))
		return log_damaged(w, DAMAGE_FRAME, frame);
	for (uint32_t i = frame + 1; rc == SQLITE_OK && i <= last; i++) {
		uint32_t first = 0;

		rc = frame_load(w, i, w->scratch, &first);
		if (rc == SQLITE_OK && first > frame)
			return log_damaged(w, DAMAGE_FRAME, frame);
		if (rc == SQLITE_IOERR_DATA)
			rc = SQLITE_OK;
	}
	return rc;
}

/* One step along SQLite's own chain; false where SQLite will stop. */
static bool chain_step(struct wal_file *w, const uint8_t *frame)
{
	uint32_t sum[2] = { w->chain[0], w->chain[1] };

	wal_checksum(frame, 8, w->big, sum);
	wal_checksum(frame + WAL_FRAME_HEADER, w->size, w->big, sum);
	if (be32_get(frame) == 0 || be32_get(frame + 16) != sum[0] || be32_get(frame + 20) != sum[1])
		return false;
	memcpy(w->chain, sum, sizeof(sum));
	return true;
}

static int frame_recover(struct wal_file *w, uint8_t *out)
{
	struct ledger *l = w->f.vfs->ledger;
	uint32_t frame = w->chain_next;
	uint32_t first = 0;
	int rc = frame_load(w, frame, out, &first);

	if (rc == SQLITE_OK && chain_step(w, out)) {
		w->chain_next++;
		rc = ledger_frame(l, frame, (struct ledger_frame_note){ be32_get(out), be32_get(out + 4) });
		if (rc == SQLITE_OK && be32_get(out + 4) != 0) {
			w->last_commit = frame;
			ledger_commit(l, frame);
		}
		return rc;
	}
	if (rc != SQLITE_OK && rc != SQLITE_IOERR_DATA && rc != SQLITE_IOERR_SHORT_READ)
		return rc;
	memset(out, 0, frame_len(w));
	return end_judge(w, frame);
}

static int frame_part_read(struct wal_file *w, uint8_t *out, uint32_t len, sqlite3_int64 at)
{
	uint32_t frame = (uint32_t)((at - WAL_HEADER_LEN) / frame_len(w)) + 1;
	uint32_t skip = (uint32_t)((at - WAL_HEADER_LEN) % frame_len(w));
	uint32_t first = 0;
	int rc = SQLITE_OK;

	if (skip + len > frame_len(w))
		return SQLITE_IOERR_READ;
	if (frame == w->chain_next && skip == 0 && len == frame_len(w))
		return frame_recover(w, out);
	if (skip == WAL_FRAME_HEADER && len == w->size && remembered(w, frame, out))
		return SQLITE_OK;
	rc = frame_load(w, frame, w->scratch, &first);
	memcpy(out, w->scratch + skip, len);
	return rc;
}

static int wal_read(sqlite3_file *file, void *out, int len, sqlite3_int64 at)
{
	struct wal_file *w = self(file);
	uint32_t frame = 0;
	int rc = SQLITE_OK;

	memset(out, 0, (size_t)len);
	if (w->f.vfs->old_log)
		return SQLITE_IOERR_SHORT_READ;
	if (at == 0 && len == WAL_HEADER_LEN)
		return header_read(w, out);
	if (!w->known && !product(w))
		rc = loose_refresh(w);
	if (rc == SQLITE_OK)
		rc = header_settle(w);
	if (rc != SQLITE_OK)
		return rc;
	if (at < 0 || len <= 0 || !w->known)
		return SQLITE_IOERR_READ;
	if (at + len <= WAL_HEADER_LEN) { /* the checksum that the first frame's starts from */
		memcpy(out, w->plain + at, (size_t)len);
		return SQLITE_OK;
	}
	if (at < WAL_HEADER_LEN)
		return SQLITE_IOERR_READ;
	frame = (uint32_t)((at - WAL_HEADER_LEN) / frame_len(w)) + 1;
	rc = frame_part_read(w, out, (uint32_t)len, at);
	if (!product(w)) {
		if (rc == SQLITE_IOERR_DATA && loose_refresh(w) == SQLITE_OK)
			rc = frame_part_read(w, out, (uint32_t)len, at);
		/* A torn tail, or frames of an earlier log: SQLite finds the salts wrong. */
		return rc == SQLITE_IOERR_DATA ? SQLITE_OK : rc;
	}
	if (rc == SQLITE_IOERR_DATA || rc == SQLITE_IOERR_SHORT_READ)
		rc = vfs_damaged(w->f.vfs, DAMAGE_FRAME, frame);
	return rc;
}

/* ---- The rest ---- */

static int wal_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct wal_file *w = self(file);
	int rc = header_settle(w);

	if (rc == SQLITE_OK)
		rc = pending_flush(w);
	if (rc == SQLITE_OK && w->f.vfs->latched)
		rc = SQLITE_IOERR_TRUNCATE;
	if (rc == SQLITE_OK && size == 0 && product(w))
		rc = vfs_ledger_result(w->f.vfs, ledger_retire(w->f.vfs->ledger));
	if (rc == SQLITE_OK)
		rc = under_truncate(&w->f, size < WAL_HEADER_LEN ? 0 : size - WAL_HEADER_LEN + WAL_HEADER_DISK);
	if (rc != SQLITE_OK || size > 0)
		return rc;
	w->known = false;
	/* The bytes shall be gone for good when a key was destroyed. */
	return under_sync(&w->f, SQLITE_SYNC_NORMAL);
}

/* SQLite syncs a new header by itself, lest old frames be read under it, and the whole log before a checkpoint. Here
 * old frames do not open under a new header, nor new ones under the old, which bears a generation of the past; so a
 * vault syncs when there are frames to be made safe, once a commit. */
static int wal_sync(sqlite3_file *file, int flags)
{
	struct wal_file *w = self(file);
	int rc = header_settle(w);

	if (rc == SQLITE_OK)
		rc = pending_flush(w);
	if (rc == SQLITE_OK && product(w) && !w->unsynced)
		return w->f.vfs->latched ? SQLITE_IOERR_FSYNC : SQLITE_OK;
	if (rc == SQLITE_OK)
		rc = under_sync(&w->f, flags);
	if (rc != SQLITE_OK)
		return rc;
	w->unsynced = false;
	if (product(w))
		ledger_synced(w->f.vfs->ledger);
	return SQLITE_OK;
}

static int wal_size(sqlite3_file *file, sqlite3_int64 *out)
{
	struct wal_file *w = self(file);
	int rc = header_settle(w);

	if (rc == SQLITE_OK)
		rc = pending_flush(w);
	if (rc == SQLITE_OK)
		rc = under_size(&w->f, out);
	if (rc != SQLITE_OK)
		return rc;
	if (w->f.vfs->old_log || *out < WAL_HEADER_DISK)
		*out = 0;
	else
		*out -= WAL_HEADER_DISK - WAL_HEADER_LEN;
	return SQLITE_OK;
}

const sqlite3_io_methods wal_methods = {
	.iVersion = 3,
	.xClose = wal_close,
	.xRead = wal_read,
	.xWrite = wal_write,
	.xTruncate = wal_truncate,
	.xSync = wal_sync,
	.xFileSize = wal_size,
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
