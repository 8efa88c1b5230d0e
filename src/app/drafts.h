/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Texts that were typed and not saved yet (W3): kept in the vault as they are typed, so that neither a crash nor a lock
 * loses them (W2). A draft is bound to what it is about by its name, and stays in this home; it is not part of the log,
 * and nobody else sees it. What it says is the interface's own affair.
 *
 * A name is "contact/new/x1", "contact/ID", "referral/new/ID", "referral/ID" ...: up to 120 of a-z, 0-9, '/', '-', '.'.
 */
#ifndef SLB_APP_DRAFTS_H
#define SLB_APP_DRAFTS_H

#include "app/pool.h"
#include "app/session.h"

#define DRAFT_NAME_MAX 120
#define DRAFT_MAX (256 * 1024)
/* So many at once; the oldest are never dropped, a new one is refused. */
#define DRAFTS_MAX 200

struct draft_text {
	const char *name;
	int64_t at_ms;
	const char *value;
};

struct draft_list {
	struct pool pool;
	struct draft_text *item;
	size_t n;
};

/* Durable when it returns ERR_OK. ERR_INPUT: the name or its length cannot be used; ERR_REFUSED: too many. */
enum err draft_put(struct errctx *ec, struct app *app, const char *name, const char *value) MUST_CHECK;
/* All of which the name begins so. Free with draft_list_free(), also after a failure. */
enum err draft_list(struct errctx *ec, struct app *app, const char *prefix, struct draft_list *out) MUST_CHECK;
void draft_list_free(struct draft_list *list);
/* Gone; fine where there is none. */
enum err draft_drop(struct errctx *ec, struct app *app, const char *name) MUST_CHECK;

/* --- within app/ --- */

/* The same inside the caller's transaction; NULL is no draft. */
enum err draft_forget(struct errctx *ec, struct app *app, const char *name) MUST_CHECK;

#endif
