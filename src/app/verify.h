/* SPDX-License-Identifier: EUPL-1.2 */
/* Is everything whole, and if not, what can be made so again (V2, V5)? */
#ifndef SLB_APP_VERIFY_H
#define SLB_APP_VERIFY_H

#include "app/session.h"

struct verify_view {
	uint64_t pages;
	uint64_t bad_pages; /* of the database, and frames of its log */
	uint64_t frames;
	uint64_t edits;
	uint64_t records;
	uint64_t bad_edits;   /* places where the log of edits is not as it was written */
	uint64_t bad_records; /* records that are not what their edits come to */
	bool vault_whole;
	bool log_whole;
	bool sum_known; /* there is a sum over the pages to compare with */
	bool replaced;  /* a page, or the mark, is an older one that was put back */
	char first[160];
};
/* ERR_OK: whole. ERR_DAMAGED: `out` says what is not. */
enum err app_verify(struct errctx *ec, struct app *app, struct verify_view *out) MUST_CHECK;

struct repair_view {
	struct verify_view found; /* what was wrong before */
	bool needed;              /* else everything was whole, and nothing was done */
	bool repaired;            /* the home is whole now */
	uint64_t records_again;   /* records made again from what was written */
	uint64_t fetched;         /* batches fetched again */
	uint64_t edits_kept;      /* written here, not sent yet, and kept */
	uint64_t edits_restored;  /* of what was not sent yet: read back from a record; earlier values of it are gone */
	uint64_t edits_lost;      /* not sent yet, and gone */
	uint64_t batches_lost;    /* were here, and the repository does not have them either */
	char kept[64];            /* the folder in the home with the damaged files; "" when none was needed */
};

/* Finds what is wrong and makes it whole again. `app` may be a home that did not open (app_shell()); its vault is
 * closed and opened again, and stays as it was after an error. A repository that cannot be reached is asked only for
 * what misses here: ERR_LATER then, with nothing changed. Other errors change nothing either. */
enum err app_repair(struct errctx *ec, struct app *app, const uint8_t master[static 32],
                    struct repair_view *out) MUST_CHECK;

/* The same by the passphrase: one derivation. ERR_LOCKED where it is not the one of this home. */
enum err app_repair_unlock(struct errctx *ec, struct app *app, struct bytes passphrase,
                           struct repair_view *out) MUST_CHECK;

#endif
