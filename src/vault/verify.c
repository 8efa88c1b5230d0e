// SPDX-License-Identifier: EUPL-1.2
// Looking at every page and frame (V2, V5): what opens, whether the sum over all pages is the one of the last
// checkpoint, and what SQLite thinks of it.
#include "vault/vault_over.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"

_Static_assert(SUM_LANES == 4, "struct vault_check holds the sum");

/* What a page of the database is worth. */
enum page_state { PAGE_WHOLE, PAGE_BAD, PAGE_SKIPPED };

static int page_look(struct vault *v, uint32_t page, uint64_t sum[static SUM_LANES], enum page_state *out)
{
	uint8_t data[VAULT_PAGE_SIZE];
	uint8_t nonce[AEAD_NONCE_LEN];
	int rc = SQLITE_OK;

	*out = PAGE_SKIPPED;
	if (!ledger_covers(&v->ledger, page))
		return SQLITE_OK;
	*out = PAGE_BAD;
	rc = under_read(v->vfs->opened, data, sizeof(data), (sqlite3_int64)(page - 1) * VAULT_PAGE_SIZE);
	if (rc == SQLITE_IOERR_SHORT_READ)
		return SQLITE_OK;
	if (rc != SQLITE_OK)
		return rc;
	memcpy(nonce, data + sizeof(data) - PAGE_RESERVE, sizeof(nonce));
	ledger_sum(v->ring, page, nonce, true, sum);
	if (page_unseal(v->ring, page, data, sizeof(data)) == ERR_OK)
		*out = PAGE_WHOLE;
	secret_wipe(data, sizeof(data));
	return SQLITE_OK;
}

/* The log's frames; they are few. A log that is not in use has none. */
static int frames_look(struct vault *v, struct vault_report *r)
{
	uint8_t page[VAULT_PAGE_SIZE];
	sqlite3_file *log = NULL;
	int rc = sqlite3_file_control(v->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);

	if (rc != SQLITE_OK || log->pMethods != &wal_methods)
		return rc;
	for (uint32_t i = 1; i <= v->ledger.committed; i++) {
		int read = log->pMethods->xRead(
		    log, page, sizeof(page),
		    WAL_HEADER_LEN + (sqlite3_int64)(i - 1) * (WAL_FRAME_HEADER + VAULT_PAGE_SIZE) + WAL_FRAME_HEADER);

		r->frames++;
		if (read == SQLITE_IOERR_DATA)
			r->bad_frames++;
		else if (read != SQLITE_OK)
			return read;
	}
	secret_wipe(page, sizeof(page));
	return SQLITE_OK;
}

static bool sum_comparable(const struct vault *v)
{
	return v->ledger.record.known && v->ledger.record.frames <= v->ledger.frame_count;
}

static int check_end(struct vault *v, struct vault_check *c)
{
	const struct sum_record *record = &v->ledger.record;
	sqlite3_int64 size = 0;
	int rc = under_size(v->vfs->opened, &size);

	/* While a checkpoint that was cut off waits to be repeated, the file may have any size. */
	c->report.size_matches = record->frames > 0 || size == (sqlite3_int64)record->pages * VAULT_PAGE_SIZE;
	c->report.sum_known = sum_comparable(v);
	c->report.sum_matches = c->report.sum_known && memcmp(c->sum, record->sum, sizeof(c->sum)) == 0;
	if (rc == SQLITE_OK)
		rc = frames_look(v, &c->report);
	c->done = rc == SQLITE_OK;
	return rc;
}

static bool report_sound(const struct vault_report *r)
{
	return r->bad_pages == 0 && r->bad_frames == 0 && r->size_matches && r->sum_matches;
}

enum err vault_check_step(struct vault *v, struct errctx *ec, struct vault_check *c, unsigned pages)
{
	int rc = SQLITE_OK;

	if (c->next == 0 || c->era != v->ledger.era) {
		memset(c, 0, sizeof(*c));
		c->era = v->ledger.era;
		c->next = 1;
	}
	for (; pages > 0 && c->next <= v->ledger.record.pages && rc == SQLITE_OK; pages--, c->next++) {
		enum page_state state = PAGE_SKIPPED;

		rc = page_look(v, (uint32_t)c->next, c->sum, &state);
		c->report.pages += state != PAGE_SKIPPED;
		if (state != PAGE_BAD || rc != SQLITE_OK)
			continue;
		if (c->report.bad_pages < VAULT_REPORT_MAX)
			c->report.bad_page[c->report.bad_pages] = (uint32_t)c->next;
		c->report.bad_pages++;
	}
	if (rc == SQLITE_OK && c->next > v->ledger.record.pages && !c->done)
		rc = check_end(v, c);
	if (rc != SQLITE_OK)
		return vault_result(v, ec, rc);
	if (!c->done || report_sound(&c->report))
		return ERR_OK;
	return err_set(ec, ERR_DAMAGED,
	               "Parts of the vault are damaged or were replaced. Make it whole again with: verify --repair",
	               NULL, NULL, NULL);
}

static int integrity_check(struct vault *v, struct vault_report *r)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(v->db, "PRAGMA integrity_check(1)", -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(s, 0);

		/* no memory for the answer is not an answer */
		rc = text == NULL ? SQLITE_NOMEM : SQLITE_OK;
		r->consistent = text != NULL && strcmp(text, "ok") == 0;
		if (text != NULL && !r->consistent)
			snprintf(r->first, sizeof(r->first), "%s", text);
	}
	sqlite3_finalize(s);
	return rc;
}

enum err vault_verify(struct vault *v, struct errctx *ec, struct vault_report *out)
{
	struct vault_check c = { .next = 0 };
	enum err e = ERR_OK;
	int rc = SQLITE_OK;

	memset(out, 0, sizeof(*out));
	do {
		e = vault_check_step(v, NULL, &c, 1024);
	} while (e == ERR_OK && !c.done);
	*out = c.report;
	if (e != ERR_OK && e != ERR_DAMAGED)
		return err_set(ec, e, "The vault could not be read to its end. Check the disk and try again.", NULL,
		               NULL, NULL);
	rc = integrity_check(v, out);
	if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_CORRUPT && rc != SQLITE_IOERR_DATA)
		return vault_result(v, ec, rc);
	if (report_sound(out) && out->consistent)
		return ERR_OK;
	return err_set(
	    ec, ERR_DAMAGED,
	    "Parts of the vault are damaged or were replaced by older ones. Make it whole again with: verify "
	    "--repair",
	    NULL, NULL, NULL);
}

#define SUM_PAGES 128

/* The pages from `page` on, a run of them at a time. */
static int seals_add(struct vault *v, uint8_t *run, uint32_t page, uint32_t count, uint64_t sum[static SUM_LANES])
{
	int rc = under_read(v->vfs->opened, run, (int)(count * VAULT_PAGE_SIZE),
	                    (sqlite3_int64)(page - 1) * VAULT_PAGE_SIZE);

	/* what is missing was read as zeros: no seal that was ever written */
	if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ)
		return rc;
	for (uint32_t i = 0; i < count; i++) {
		if (ledger_covers(&v->ledger, page + i))
			ledger_sum(v->ring, page + i, run + (size_t)(i + 1) * VAULT_PAGE_SIZE - PAGE_RESERVE, true,
			           sum);
	}
	return SQLITE_OK;
}

enum err vault_sum_check(struct vault *v, struct errctx *ec)
{
	const struct sum_record *record = &v->ledger.record;
	uint64_t sum[SUM_LANES] = { 0 };
	uint8_t *run = malloc((size_t)SUM_PAGES * VAULT_PAGE_SIZE);
	int rc = run == NULL ? SQLITE_NOMEM : SQLITE_OK;

	for (uint32_t page = 1; rc == SQLITE_OK && sum_comparable(v) && page <= record->pages; page += SUM_PAGES)
		rc = seals_add(v, run, page,
		               record->pages - page + 1 < SUM_PAGES ? record->pages - page + 1 : SUM_PAGES, sum);
	free(run);
	if (rc != SQLITE_OK)
		return vault_result(v, ec, rc);
	return !sum_comparable(v) || memcmp(sum, record->sum, sizeof(sum)) == 0 ? ERR_OK : ERR_DAMAGED;
}

uint64_t vault_page_count(const struct vault *v)
{
	return v->ledger.record.pages;
}

enum err vault_accept(struct vault *v, struct errctx *ec)
{
	uint64_t sum[SUM_LANES] = { 0 };
	sqlite3_int64 size = 0;
	enum err e = vault_checkpoint(v, ec, true);
	int rc = SQLITE_OK;

	if (e != ERR_OK)
		return e;
	rc = under_size(v->vfs->opened, &size);
	v->ledger.record.pages = (uint32_t)(size / VAULT_PAGE_SIZE);
	for (uint32_t page = 1; page <= v->ledger.record.pages && rc == SQLITE_OK; page++) {
		enum page_state state = PAGE_SKIPPED;

		rc = page_look(v, page, sum, &state);
		if (rc == SQLITE_OK && state == PAGE_BAD)
			rc = vfs_damaged(v->vfs, DAMAGE_PAGE, page);
	}
	if (rc == SQLITE_OK)
		rc = vfs_ledger_result(v->vfs, ledger_rebase(&v->ledger, v->ledger.record.pages, sum));
	return vault_result(v, ec, rc);
}
