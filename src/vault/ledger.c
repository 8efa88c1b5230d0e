// SPDX-License-Identifier: EUPL-1.2
// vault.mark: the mark that tells a torn tail from damage (V2) and the running sum over all pages (V5).
// The order of writes is the whole point: see the header.
#include "vault/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

#define SLOT_HEAD (FILE_ID_LEN + AEAD_NONCE_LEN)
#define SLOT_AD_LEN (FILE_ID_LEN + 4)
#define MARK_LEN (8 + 8 + WAL_SALT_LEN + 4)
#define SUM_LEN (8 + 8 + 4 + 4 + 1 + 8 * SUM_LANES)
#define SLOT_MAX (SLOT_HEAD + SUM_LEN + AEAD_TAG_LEN)
/* The byte at 1 GiB, SQLite's PENDING_BYTE. */
#define LOCK_PAGE (0x40000000 / VAULT_PAGE_SIZE + 1)

bool ledger_page_unused(uint32_t page)
{
	return page == LOCK_PAGE;
}

void ledger_sum(const struct keyring *ring, uint32_t page, const uint8_t nonce[static AEAD_NONCE_LEN], bool add,
                uint64_t sum[static SUM_LANES])
{
	uint8_t number[4];
	uint8_t out[HASH_LEN];
	struct bytes parts[2] = { { number, sizeof(number) }, { nonce, AEAD_NONCE_LEN } };

	be32_put(number, page);
	hash_parts("sleutelbos page sum 1", ring->sum, parts, 2, out, sizeof(out));
	for (int i = 0; i < SUM_LANES; i++) {
		uint64_t v = be64_get(out + 8 * i);

		sum[i] += add ? v : (uint64_t)0 - v;
	}
}

/* ---- Slots ---- */

/* A slot's number is bound, so that an older mark cannot stand in the place of the newest: to do away with one, one has
 * to damage it, and that is seen. */
static struct bytes slot_ad(const struct ledger *l, unsigned slot, uint8_t out[static SLOT_AD_LEN])
{
	memcpy(out, l->ring->file_id, FILE_ID_LEN);
	be32_put(out + FILE_ID_LEN, slot);
	return (struct bytes){ out, SLOT_AD_LEN };
}

static int slot_write(struct ledger *l, enum seal_type type, unsigned slot, const uint8_t *plain, size_t len)
{
	uint8_t ad[SLOT_AD_LEN];
	uint8_t out[SLOT_MAX];

	memcpy(out, l->ring->file_id, FILE_ID_LEN);
	nonce_take(l->nonces, out + FILE_ID_LEN);
	memcpy(out + SLOT_HEAD, plain, len);
	aead_seal_detached(type, l->ring->mark, out + FILE_ID_LEN, slot_ad(l, slot, ad), out + SLOT_HEAD, len,
	                   out + SLOT_HEAD + len);
	return l->file->pMethods->xWrite(l->file, out, (int)(SLOT_HEAD + len + AEAD_TAG_LEN), slot * LEDGER_SLOT);
}

static bool slot_read(const struct ledger *l, enum seal_type type, unsigned slot, const uint8_t *in, uint8_t *plain,
                      size_t len)
{
	uint8_t ad[SLOT_AD_LEN];

	if (memcmp(in, l->ring->file_id, FILE_ID_LEN) != 0)
		return false;
	memcpy(plain, in + SLOT_HEAD, len);
	return aead_unseal_detached(type, l->ring->mark, in + FILE_ID_LEN, slot_ad(l, slot, ad), plain, len,
	                            in + SLOT_HEAD + len) == ERR_OK;
}

static int mark_write(struct ledger *l, const struct mark_record *m)
{
	uint8_t p[MARK_LEN];

	be64_put(p, m->sequence);
	be64_put(p + 8, m->log.generation);
	memcpy(p + 16, m->log.salts, WAL_SALT_LEN);
	be32_put(p + 24, m->frames);
	return slot_write(l, SEAL_MARK, (unsigned)(m->sequence % 2), p, sizeof(p));
}

static void mark_read(struct ledger *l, unsigned slot, const uint8_t *in)
{
	uint8_t p[MARK_LEN];

	if (!slot_read(l, SEAL_MARK, slot, in, p, sizeof(p))) {
		l->mark_lost = true;
		return;
	}
	if (be64_get(p) <= l->mark.sequence)
		return;
	l->mark.sequence = be64_get(p);
	l->mark.log.generation = be64_get(p + 8);
	memcpy(l->mark.log.salts, p + 16, WAL_SALT_LEN);
	l->mark.frames = be32_get(p + 24);
}

static int sync_file(struct ledger *l)
{
	return l->file->pMethods->xSync(l->file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
}

/* Durable when it returns SQLITE_OK; otherwise the record in memory stays what the disk may still hold. */
static int record_write(struct ledger *l, struct sum_record *r)
{
	uint8_t p[SUM_LEN];
	int rc = SQLITE_OK;

	r->sequence = l->record.sequence + 1;
	be64_put(p, r->sequence);
	be64_put(p + 8, r->generation);
	be32_put(p + 16, r->frames);
	be32_put(p + 20, r->pages);
	p[24] = r->known;
	for (int i = 0; i < SUM_LANES; i++)
		be64_put(p + 25 + 8 * i, r->sum[i]);
	for (unsigned copy = 0; copy < 2 && rc == SQLITE_OK; copy++)
		rc = slot_write(l, SEAL_SUM, 2 + 2 * (unsigned)(r->sequence % 2) + copy, p, sizeof(p));
	if (rc == SQLITE_OK)
		rc = sync_file(l);
	if (rc == SQLITE_OK)
		l->record = *r;
	return rc;
}

static void record_read(struct ledger *l, unsigned slot, const uint8_t *in)
{
	uint8_t p[SUM_LEN];

	if (!slot_read(l, SEAL_SUM, slot, in, p, sizeof(p)) || be64_get(p) <= l->record.sequence)
		return;
	l->record.sequence = be64_get(p);
	l->record.generation = be64_get(p + 8);
	l->record.frames = be32_get(p + 16);
	l->record.pages = be32_get(p + 20);
	l->record.known = p[24] != 0;
	for (int i = 0; i < SUM_LANES; i++)
		l->record.sum[i] = be64_get(p + 25 + 8 * i);
}

int ledger_load(struct ledger *l)
{
	uint8_t all[LEDGER_SIZE] = { 0 };
	int rc = l->file->pMethods->xRead(l->file, all, sizeof(all), 0);

	if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ)
		return rc;
	l->mark = (struct mark_record){ .sequence = 0 };
	l->record = (struct sum_record){ .sequence = 0 };
	l->mark_lost = false;
	for (unsigned slot = 0; slot < LEDGER_SLOTS; slot++) {
		if (slot < 2)
			mark_read(l, slot, all + slot * LEDGER_SLOT);
		else
			record_read(l, slot, all + slot * LEDGER_SLOT);
	}
	l->missing = l->record.sequence == 0;
	return SQLITE_OK;
}

int ledger_create(struct ledger *l, uint32_t pages, const uint64_t sum[static SUM_LANES])
{
	static const uint8_t zero[LEDGER_SIZE];
	struct sum_record r = { .pages = pages, .known = true };
	struct mark_record m = { .sequence = 0 };
	int rc = l->file->pMethods->xTruncate(l->file, 0);

	memcpy(r.sum, sum, sizeof(r.sum));
	if (rc == SQLITE_OK)
		rc = l->file->pMethods->xWrite(l->file, zero, sizeof(zero), 0);
	/* Marks that claim nothing: from now on both slots open, and one that does not was lost. */
	while (rc == SQLITE_OK && m.sequence < 2) {
		m.sequence++;
		rc = mark_write(l, &m);
		if (rc == SQLITE_OK)
			l->mark = m;
	}
	if (rc == SQLITE_OK)
		rc = record_write(l, &r);
	return rc;
}

/* ---- The spare of page 1 ---- */

int ledger_spare_get(struct ledger *l, uint8_t out[static VAULT_PAGE_SIZE])
{
	return l->file->pMethods->xRead(l->file, out, VAULT_PAGE_SIZE, LEDGER_SPARE_AT);
}

static bool page_one_opens(const struct ledger *l, const uint8_t *sealed)
{
	uint8_t plain[VAULT_PAGE_SIZE];
	bool opens = false;

	memcpy(plain, sealed, sizeof(plain));
	opens = page_unseal(l->ring, 1, plain, sizeof(plain)) == ERR_OK;
	secret_wipe(plain, sizeof(plain));
	return opens;
}

/* The bytes as they are: no new encryption, so no second ciphertext of one content. What does not open never takes the
 * place of a spare that does. A failure is no reason to refuse what the vault itself holds. */
static void spare_write(struct ledger *l)
{
	uint8_t page[VAULT_PAGE_SIZE];

	if (l->db->pMethods->xRead(l->db, page, sizeof(page), 0) != SQLITE_OK || !page_one_opens(l, page))
		return;
	l->spare_unwritten = l->file->pMethods->xWrite(l->file, page, sizeof(page), LEDGER_SPARE_AT) != SQLITE_OK;
}

void ledger_spare_renew(struct ledger *l)
{
	uint8_t page[VAULT_PAGE_SIZE];

	if (ledger_spare_get(l, page) != SQLITE_OK || !page_one_opens(l, page))
		spare_write(l);
}

void ledger_clear(struct ledger *l)
{
	sqlite3_free(l->frame);
	sqlite3_free(l->moved);
	l->frame = NULL;
	l->moved = NULL;
}

uint64_t ledger_base(const struct ledger *l)
{
	return l->record.frames == 0 ? l->record.generation : l->record.generation - 1;
}

uint32_t ledger_claim(const struct ledger *l)
{
	uint64_t live = ledger_base(l) + 1;
	uint32_t claim = l->record.frames;

	if (l->mark.log.generation == live && l->mark.frames > claim)
		claim = l->mark.frames;
	return claim;
}

/* ---- The log in use ---- */

void ledger_log_found(struct ledger *l, const struct wal_id *log)
{
	l->live = true;
	l->log = *log;
	l->committed = 0;
	l->frame_count = 0;
}

int ledger_log_new(struct ledger *l, const uint8_t salts[static WAL_SALT_LEN], struct wal_id *out)
{
	int rc = ledger_retire(l);

	if (rc != SQLITE_OK)
		return rc;
	out->generation = ledger_base(l) + 1;
	memcpy(out->salts, salts, WAL_SALT_LEN);
	ledger_log_found(l, out);
	return SQLITE_OK;
}

int ledger_frame(struct ledger *l, uint32_t frame, struct ledger_frame_note note)
{
	if (frame > l->frame_room) {
		uint32_t room = l->frame_room == 0 ? 256 : l->frame_room;
		struct ledger_frame_note *grown = NULL;

		while (room < frame)
			room *= 2;
		grown = sqlite3_realloc64(l->frame, room * sizeof(*grown));
		if (grown == NULL)
			return SQLITE_IOERR_NOMEM;
		l->frame = grown;
		l->frame_room = room;
	}
	/* SQLite writes its log without gaps. */
	if (frame > l->frame_count + 1)
		return SQLITE_IOERR_WRITE;
	l->frame[frame - 1] = note;
	l->frame_count = frame;
	return SQLITE_OK;
}

void ledger_commit(struct ledger *l, uint32_t frame)
{
	l->committed = frame;
}

/* Size of the database after the last commit; there is one. */
static uint32_t db_pages(const struct ledger *l)
{
	return l->frame[l->committed - 1].db_pages;
}

void ledger_synced(struct ledger *l)
{
	struct mark_record m = { l->mark.sequence, l->log, l->committed };

	if (!l->live || l->committed == 0)
		return;
	if (l->mark.log.generation == m.log.generation && l->mark.frames == m.frames)
		return;
	/* Where a slot was lost both are written, so that the next opening finds two again. */
	for (int i = 0; i < (l->mark_lost ? 2 : 1); i++) {
		m.sequence++;
		if (mark_write(l, &m) == SQLITE_OK)
			l->mark = m;
		else
			l->mark_unwritten = true;
	}
}

int ledger_lower(struct ledger *l, uint32_t frame)
{
	struct mark_record m = { l->mark.sequence + 1, l->log, frame - 1 };
	int rc = SQLITE_OK;

	/* Back to the last commit before it. */
	for (l->committed = frame - 1; l->committed > 0 && db_pages(l) == 0;)
		l->committed--;
	if (l->record.frames >= frame) {
		/* A checkpoint of what is now taken back was begun and failed: the sum no longer fits. */
		struct sum_record r = l->record;

		r.known = false;
		r.frames = 0;
		r.generation--;
		rc = record_write(l, &r);
	}
	if (rc != SQLITE_OK || l->mark.log.generation != l->log.generation || l->mark.frames < frame)
		return rc;
	/* Both slots, or the other one would go on claiming. */
	for (int i = 0; i < 2 && rc == SQLITE_OK; i++) {
		rc = mark_write(l, &m);
		if (rc == SQLITE_OK)
			l->mark = m;
		m.sequence++;
	}
	return rc == SQLITE_OK ? sync_file(l) : rc;
}

/* ---- Moving pages into the database ---- */

static int compare_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The distinct pages of the first `frames` frames, in order; sqlite3_free() it. *count is their number. */
static uint32_t *pages_of_frames(const struct ledger *l, uint32_t frames, uint32_t *count)
{
	uint32_t *p = sqlite3_malloc64((frames + 1) * sizeof(*p));
	uint32_t n = 0;

	*count = 0;
	if (p == NULL)
		return NULL;
	for (uint32_t i = 0; i < frames; i++)
		p[i] = l->frame[i].page;
	qsort(p, frames, sizeof(*p), compare_number);
	for (uint32_t i = 0; i < frames; i++)
		if (n == 0 || p[n - 1] != p[i])
			p[n++] = p[i];
	*count = n;
	return p;
}

static bool has_page(const uint32_t *pages, uint32_t count, uint32_t page)
{
	return count > 0 && bsearch(&page, pages, count, sizeof(*pages), compare_number) != NULL;
}

/* Adds or takes away what the page on disk stands for now. A page that is not there stands for nothing, so that the
 * sum shows its absence. */
static int sum_disk(struct ledger *l, uint32_t page, bool add, uint64_t sum[static SUM_LANES])
{
	uint8_t nonce[AEAD_NONCE_LEN];
	int rc = SQLITE_OK;

	if (ledger_page_unused(page))
		return SQLITE_OK;
	rc = l->db->pMethods->xRead(l->db, nonce, sizeof(nonce), (sqlite3_int64)page * VAULT_PAGE_SIZE - PAGE_RESERVE);
	if (rc == SQLITE_IOERR_SHORT_READ)
		return SQLITE_OK;
	if (rc == SQLITE_OK)
		ledger_sum(l->ring, page, nonce, add, sum);
	return rc;
}

static struct moved_page *moved_find(struct moved_page *moved, uint32_t count, uint32_t page)
{
	uint32_t lo = 0;
	uint32_t hi = count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (moved[mid].number < page)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < count && moved[lo].number == page ? &moved[lo] : NULL;
}

/* Takes out of the sum every page that the record covers and the coming record will not. */
static int sum_without(struct ledger *l, const uint32_t *now, uint32_t now_count, uint64_t sum[static SUM_LANES])
{
	uint32_t before_count = 0;
	uint32_t *before = pages_of_frames(l, l->record.frames, &before_count);
	int rc = before == NULL ? SQLITE_IOERR_NOMEM : SQLITE_OK;

	for (uint32_t i = 0; i < now_count && rc == SQLITE_OK; i++)
		if (now[i] <= l->record.pages && !has_page(before, before_count, now[i]))
			rc = sum_disk(l, now[i], false, sum);
	for (uint32_t p = db_pages(l) + 1; p <= l->record.pages && rc == SQLITE_OK; p++)
		if (!has_page(now, now_count, p)) /* nor was it then: those frames are among these */
			rc = sum_disk(l, p, false, sum);
	sqlite3_free(before);
	return rc;
}

static int move_begin(struct ledger *l)
{
	struct sum_record r = l->record;
	struct moved_page *moved = NULL;
	uint32_t count = 0;
	uint32_t *pages = NULL;
	int rc = SQLITE_OK;

	if (!l->live || l->committed == 0 || l->frame_count < l->committed || l->record.frames > l->committed)
		return SQLITE_IOERR_WRITE;
	pages = pages_of_frames(l, l->committed, &count);
	moved = pages == NULL ? NULL : sqlite3_malloc64(count * sizeof(*moved));
	if (moved == NULL) {
		rc = SQLITE_IOERR_NOMEM;
		goto done;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct moved_page *old = moved_find(l->moved, l->moved_count, pages[i]);

		moved[i] = old != NULL ? *old : (struct moved_page){ .number = pages[i] };
	}
	if (r.known)
		rc = sum_without(l, pages, count, r.sum);
	r.generation = l->log.generation;
	r.frames = l->committed;
	r.pages = db_pages(l);
	if (rc == SQLITE_OK)
		rc = record_write(l, &r);
	if (rc != SQLITE_OK)
		goto done;
	sqlite3_free(l->moved);
	l->moved = moved;
	l->moved_count = count;
	l->moving = true;
	l->moving_frames = l->committed;
	moved = NULL;
done:
	sqlite3_free(moved);
	sqlite3_free(pages);
	return rc;
}

static int move_ready(struct ledger *l)
{
	if (l->moving && l->moving_frames == l->committed)
		return SQLITE_OK;
	return move_begin(l);
}

int ledger_page(struct ledger *l, uint32_t page, const uint8_t nonce[static AEAD_NONCE_LEN])
{
	struct moved_page *m = NULL;
	int rc = move_ready(l);

	if (rc != SQLITE_OK)
		return rc;
	m = moved_find(l->moved, l->moved_count, page);
	if (m == NULL) /* a page that no frame of the log holds: nothing but a checkpoint writes here */
		return SQLITE_IOERR_WRITE;
	memset(m->value, 0, sizeof(m->value));
	ledger_sum(l->ring, page, nonce, true, m->value);
	m->written = true;
	l->era++;
	return SQLITE_OK;
}

int ledger_cut(struct ledger *l)
{
	l->era++;
	return move_ready(l);
}

static void moved_forget(struct ledger *l)
{
	sqlite3_free(l->moved);
	l->moved = NULL;
	l->moved_count = 0;
	l->moving = false;
}

/* The sum over all pages: what the record covers, and every other page as it now is. SQLite may have moved less than
 * was thought, where it took its last commit back; those pages count as they are on disk. */
static int sum_whole(struct ledger *l, uint32_t pages, struct sum_record *r)
{
	int rc = SQLITE_OK;

	for (uint32_t i = 0; i < l->moved_count && rc == SQLITE_OK; i++) {
		const struct moved_page *m = &l->moved[i];

		if (m->number > pages)
			continue;
		if (!m->written)
			rc = sum_disk(l, m->number, true, r->sum);
		for (int lane = 0; lane < SUM_LANES; lane++)
			r->sum[lane] += m->value[lane];
	}
	for (uint32_t p = r->pages + 1; p <= pages && rc == SQLITE_OK; p++)
		if (moved_find(l->moved, l->moved_count, p) == NULL)
			rc = sum_disk(l, p, true, r->sum);
	return rc;
}

static bool page_one_moved(const struct ledger *l)
{
	const struct moved_page *one = moved_find(l->moved, l->moved_count, 1);

	return one != NULL && one->written;
}

int ledger_retire(struct ledger *l)
{
	struct sum_record r;
	sqlite3_int64 size = 0;
	uint32_t pages = 0;
	int rc = SQLITE_OK;

	if (!l->live || l->committed == 0 || l->log.generation <= ledger_base(l))
		return SQLITE_OK;
	rc = l->db == NULL ? SQLITE_IOERR : move_ready(l);
	if (rc == SQLITE_OK)
		rc = l->db->pMethods->xFileSize(l->db, &size);
	if (rc != SQLITE_OK)
		return rc;
	pages = (uint32_t)(size / VAULT_PAGE_SIZE);
	r = l->record;
	if (r.known)
		rc = sum_whole(l, pages, &r);
	r.frames = 0;
	r.pages = pages;
	if (rc != SQLITE_OK)
		return rc;
	/* The database is synced; the record's sync is the spare's too. */
	if (page_one_moved(l))
		spare_write(l);
	rc = record_write(l, &r);
	if (rc != SQLITE_OK)
		return rc;
	moved_forget(l);
	l->committed = 0;
	l->frame_count = 0;
	l->era++;
	return SQLITE_OK;
}

int ledger_adopt(struct ledger *l, uint64_t base, uint32_t pages)
{
	struct sum_record r = { .generation = base, .pages = pages };

	return record_write(l, &r);
}

void ledger_unclaim(struct ledger *l)
{
	l->record.generation = ledger_base(l);
	l->record.frames = 0;
	l->record.known = false;
	l->mark.frames = 0;
}

int ledger_rebase(struct ledger *l, uint32_t pages, const uint64_t *sum)
{
	struct sum_record r = { .pages = pages, .known = sum != NULL };

	r.generation = ledger_base(l);
	if (l->live && l->log.generation > r.generation)
		r.generation = l->log.generation;
	if (l->mark.log.generation > r.generation)
		r.generation = l->mark.log.generation;
	if (sum != NULL)
		memcpy(r.sum, sum, sizeof(r.sum));
	moved_forget(l);
	l->era++;
	return record_write(l, &r);
}

bool ledger_covers(const struct ledger *l, uint32_t page)
{
	uint32_t frames = l->record.frames < l->frame_count ? l->record.frames : l->frame_count;

	if (page > l->record.pages || ledger_page_unused(page))
		return false;
	for (uint32_t i = 0; i < frames; i++)
		if (l->frame[i].page == page)
			return false;
	return true;
}
