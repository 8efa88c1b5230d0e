/* SPDX-License-Identifier: EUPL-1.2 */
/* Erasing a record everywhere, and how far that has come (K3). */
#ifndef SLB_APP_ERASE_H
#define SLB_APP_ERASE_H

#include "app/pool.h"
#include "app/session.h"
#include "app/shown.h"

struct erased_view {
	char id[ID_TEXT_LEN];
	const char *kind;      /* name of the kind */
	char space[128];       /* where */
	size_t records;        /* with those that were erased along */
	bool others;           /* there are other people in the space */
	bool may_be_contested; /* by them, for 14 days */
};

/* The whole id, of a resident, contact, referral or service. `along`: of a resident, their conversations and the
 * referrals of these too; of a conversation its referrals. ERR_USAGE: not a whole id. ERR_REFUSED where this home's
 * person may not. Hidden at once; gone when the space is compacted. */
enum err app_erase(struct errctx *ec, struct app *app, const char *id, bool along, struct erased_view *out) MUST_CHECK;

/* Takes back an erase that is not final: the record is shown again, to everybody. */
enum err app_erase_contest(struct errctx *ec, struct app *app, const char *id, struct erased_view *out) MUST_CHECK;

/* Says yes to many erases at once that somebody else did: to the batch with this record, or (NULL) to all that wait for
 * a yes. *records: how many. */
enum err app_erase_confirm(struct errctx *ec, struct app *app, const char *id, size_t *records) MUST_CHECK;

struct erase_row {
	const char *id;
	const char *kind;
	const char *space;
	const char *by;
	int64_t at_ms;     /* when it came here */
	const char *state; /* waits, asks, due, contested, final, void */
	int64_t until_day; /* for `waits`; else NO_DAY */
	bool by_term;      /* under the retention rule of its space */
};

/* How far the newest compaction of a space has come. */
struct erase_space {
	const char *space;
	size_t done;    /* devices, this one included, on which what is final is gone */
	size_t active;  /* devices that are in use and not done */
	size_t resting; /* not heard of for long: they still hold it */
	size_t removed; /* removed ones may hold it for ever */
	bool sheet;     /* a recovery sheet that was made before opens older keys than now */
	int64_t at_ms;  /* of the compaction; 0: none yet */
};

struct erase_list {
	struct pool pool;
	struct erase_row *item;
	size_t n;
	struct erase_space *space;
	size_t spaces;
	size_t asks; /* how many wait for a yes */
};
enum err app_erase_list(struct errctx *ec, struct app *app, struct erase_list *out) MUST_CHECK;
void erase_list_free(struct erase_list *list);

/* --- within app/ --- */

struct dots;
/* Under the retention rule of a space, which gave them `term` months (app/retention.h): all in one transaction. */
enum err erase_by_term(struct errctx *ec, struct app *app, int64_t space, const struct dots *ids, int term) MUST_CHECK;

#endif
