// SPDX-License-Identifier: EUPL-1.2
// A vault's pages without SQLite (V2, V5): each opens by itself, so that one that does not costs nothing else. Reads
// only; the log is judged as opening judges it, except that what lies beyond its damage is read too.
#include "vault/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"
#include "crypto/secret.h"
#include "vault/vault_over.h"

#define FRAME_LEN (WAL_FRAME_HEADER + VAULT_PAGE_SIZE)

_Static_assert(PAGES_SIZE == VAULT_PAGE_SIZE && PAGES_USABLE == VAULT_PAGE_SIZE - PAGE_RESERVE, "pages as they are");

struct vault_pages {
	struct vault *v;
	int db;
	int log; /* -1: there is none, or an old one */
	struct wal_id id;
	uint32_t count;
	uint32_t file_pages;
	uint32_t log_frames; /* that the file has room for */
	uint32_t whole;      /* frames up to the last commit before any damage */
	uint32_t *frame_of;  /* by page: the frame that holds its newest image; 0: the database does */
	struct pages_report report;
};

/* ---- The log ---- */

/* *first: where its transaction begins. */
static bool frame_read(const struct vault_pages *p, uint32_t frame, uint8_t *out, uint32_t *first)
{
	off_t at = WAL_HEADER_DISK + (off_t)(frame - 1) * FRAME_LEN;

	return pread(p->log, out, FRAME_LEN, at) == (ssize_t)FRAME_LEN &&
	       frame_unseal(p->v->ring, &p->id, frame, out, FRAME_LEN, first) == ERR_OK;
}

/* SQLite's chain of checksums: a frame that opens and does not continue it is of a transaction taken back. */
static bool frame_follows(const uint8_t *frame, bool big, uint32_t sum[static 2])
{
	wal_checksum(frame, 8, big, sum);
	wal_checksum(frame + WAL_FRAME_HEADER, VAULT_PAGE_SIZE, big, sum);
	return sum[0] == be32_get(frame + 16) && sum[1] == be32_get(frame + 20);
}

static enum err frame_note(struct vault_pages *p, struct errctx *ec, uint32_t frame, const uint8_t *data)
{
	struct ledger_frame_note note = { be32_get(data), be32_get(data + 4) };

	if (ledger_frame(&p->v->ledger, frame, note) != SQLITE_OK)
		return err_errno(ec, ENOMEM, p->v->log_path);
	if (note.db_pages != 0) {
		ledger_commit(&p->v->ledger, frame);
		p->whole = frame;
		p->count = note.db_pages;
	}
	return ERR_OK;
}

static enum err frames_scan(struct vault_pages *p, struct errctx *ec, const uint8_t plain[static WAL_HEADER_LEN])
{
	uint32_t sum[2] = { be32_get(plain + 24), be32_get(plain + 28) };
	bool big = (plain[3] & 1) != 0;
	uint8_t frame[FRAME_LEN];
	uint32_t first = 0;
	uint32_t i = 1;
	enum err e = ERR_OK;

	for (; e == ERR_OK && i <= p->log_frames; i++) {
		if (!frame_read(p, i, frame, &first) || !frame_follows(frame, big, sum))
			break;
		p->report.frames++;
		e = frame_note(p, ec, i, frame);
	}
	/* A transaction that began further on was only begun once this frame was synced: then it is no torn tail. What
	 * else opens there is of the same transaction, or of one that was taken back. */
	for (uint32_t k = i + 1; e == ERR_OK && k <= p->log_frames; k++) {
		if (!frame_read(p, k, frame, &first) || first <= i)
			continue;
		p->report.frames++;
		p->report.log_cut = true;
	}
	p->report.bad_frames = p->report.log_cut || i <= ledger_claim(&p->v->ledger) ? 1 : 0;
	secret_wipe(frame, sizeof(frame));
	return e;
}

static enum err log_open(struct vault_pages *p, struct errctx *ec)
{
	struct ledger *l = &p->v->ledger;
	uint8_t disk[WAL_HEADER_DISK];
	uint8_t plain[WAL_HEADER_LEN];
	struct stat st = { 0 };
	bool found = false;
	enum err e = ERR_OK;

	p->log = open(p->v->log_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (p->log < 0 && errno != ENOENT)
		e = err_errno(ec, errno, p->v->log_path);
	if (p->log >= 0 && fstat(p->log, &st) != 0)
		e = err_errno(ec, errno, p->v->log_path);
	if (e != ERR_OK)
		return e;
	if (p->log >= 0 && pread(p->log, disk, sizeof(disk), 0) == (ssize_t)sizeof(disk))
		found = wal_header_unseal(p->v->ring, disk, plain, &p->id.generation) == ERR_OK;
	if (found && !l->missing && p->id.generation <= ledger_base(l))
		found = false; /* of the past */
	else if (found && !l->missing && p->id.generation > ledger_base(l) + 1)
		p->report.log_cut = true; /* vault.mark is an older copy */
	if (found) {
		memcpy(p->id.salts, plain + 16, WAL_SALT_LEN);
		ledger_log_found(l, &p->id);
		p->log_frames = (uint32_t)((st.st_size - WAL_HEADER_DISK) / FRAME_LEN);
		e = frames_scan(p, ec, plain);
	}
	if (!l->missing && p->whole < ledger_claim(l))
		p->report.log_cut = true;
	p->report.mark_missing = l->missing || l->mark_lost;
	return e;
}

/* ---- Opening ---- */

static enum err frames_index(struct vault_pages *p, struct errctx *ec)
{
	p->frame_of = calloc((size_t)p->count + 1, sizeof(*p->frame_of));
	if (p->frame_of == NULL)
		return err_errno(ec, ENOMEM, "");
	for (uint32_t i = 1; i <= p->whole; i++) {
		uint32_t page = p->v->ledger.frame[i - 1].page;

		if (page <= p->count)
			p->frame_of[page] = i;
	}
	return ERR_OK;
}

static enum err files_open(struct vault_pages *p, struct errctx *ec)
{
	struct stat st = { 0 };
	enum err e = ERR_OK;

	p->db = open(p->v->db_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (p->db < 0 || fstat(p->db, &st) != 0)
		return err_errno(ec, errno, p->v->db_path);
	p->file_pages = (uint32_t)(st.st_size / VAULT_PAGE_SIZE);
	/* an older vault.mark may say less than there is; a page too many only has rows that are known */
	p->count = p->v->ledger.record.pages;
	if (p->v->ledger.missing || p->count < p->file_pages)
		p->count = p->file_pages;
	e = log_open(p, ec);
	return e == ERR_OK ? frames_index(p, ec) : e;
}

enum err vault_pages_open(struct errctx *ec, const char *dir, const uint8_t master[static 32], const struct rng *rng,
                          struct vault_pages **out)
{
	struct vault_pages *p = calloc(1, sizeof(*p));
	enum err e = p == NULL ? err_errno(ec, ENOMEM, dir) : ERR_OK;

	*out = NULL;
	if (e != ERR_OK)
		return e;
	p->db = -1;
	p->log = -1;
	p->v = vault_blank(rng, sqlite3_vfs_find("unix"));
	e = p->v == NULL ? err_errno(ec, ENOMEM, dir) : vault_prepare(p->v, ec, dir, master, VAULT_SALVAGE);
	if (e == ERR_OK)
		e = vault_ring_find(p->v, ec, master);
	if (e == ERR_OK)
		e = files_open(p, ec);
	if (e != ERR_OK)
		vault_pages_close(p);
	else
		*out = p;
	return e;
}

void vault_pages_close(struct vault_pages *p)
{
	if (p == NULL)
		return;
	if (p->db >= 0)
		close(p->db);
	if (p->log >= 0)
		close(p->log);
	free(p->frame_of);
	vault_close(p->v);
	free(p);
}

/* ---- Reading ---- */

uint32_t vault_pages_count(const struct vault_pages *p)
{
	return p->count;
}

enum err vault_pages_get(struct vault_pages *p, uint32_t number, uint8_t out[static PAGES_SIZE])
{
	uint8_t frame[FRAME_LEN];
	uint32_t first = 0;
	enum err e = ERR_DAMAGED;

	memset(out, 0, PAGES_SIZE);
	if (number == 0 || number > p->count)
		return ERR_DAMAGED;
	if (p->frame_of[number] != 0) {
		if (frame_read(p, p->frame_of[number], frame, &first)) {
			memcpy(out, frame + WAL_FRAME_HEADER, VAULT_PAGE_SIZE);
			e = ERR_OK;
		}
		secret_wipe(frame, sizeof(frame));
		return e;
	}
	if (pread(p->db, out, VAULT_PAGE_SIZE, (off_t)(number - 1) * VAULT_PAGE_SIZE) == VAULT_PAGE_SIZE)
		e = page_unseal(p->v->ring, number, out, VAULT_PAGE_SIZE);
	if (e != ERR_OK)
		memset(out, 0, PAGES_SIZE);
	return e;
}

enum err vault_pages_stray(struct vault_pages *p, uint32_t *cursor, uint8_t out[static PAGES_SIZE], bool *more)
{
	uint8_t frame[FRAME_LEN];
	uint32_t first = 0;

	*more = false;
	if (*cursor < p->whole)
		*cursor = p->whole;
	while (!*more && *cursor < p->log_frames) {
		(*cursor)++;
		*more = frame_read(p, *cursor, frame, &first);
	}
	if (*more)
		memcpy(out, frame + WAL_FRAME_HEADER, VAULT_PAGE_SIZE);
	secret_wipe(frame, sizeof(frame));
	return ERR_OK;
}

/* Whether the pages in the database are those of the last checkpoint. */
static void sum_compare(struct vault_pages *p)
{
	const struct ledger *l = &p->v->ledger;
	uint64_t sum[SUM_LANES] = { 0 };
	uint8_t nonce[AEAD_NONCE_LEN];

	p->report.sum_known = !l->missing && l->record.known && l->record.frames <= l->frame_count;
	for (uint32_t page = 1; p->report.sum_known && page <= l->record.pages; page++) {
		off_t at = (off_t)page * VAULT_PAGE_SIZE - PAGE_RESERVE;

		if (ledger_covers(l, page) && pread(p->db, nonce, sizeof(nonce), at) == (ssize_t)sizeof(nonce))
			ledger_sum(p->v->ring, page, nonce, true, sum);
	}
	p->report.sum_matches = p->report.sum_known && memcmp(sum, l->record.sum, sizeof(sum)) == 0;
}

enum err vault_pages_report(struct vault_pages *p, struct pages_report *out)
{
	uint8_t page[PAGES_SIZE];

	p->report.pages = p->count;
	p->report.bad_pages = 0;
	for (uint32_t i = 1; i <= p->count; i++)
		p->report.bad_pages += !ledger_page_unused(i) && vault_pages_get(p, i, page) != ERR_OK;
	secret_wipe(page, sizeof(page));
	sum_compare(p);
	*out = p->report;
	return ERR_OK;
}
