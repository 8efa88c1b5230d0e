/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One file with what is in the shared spaces, sealed, for a stick or a mail, or between two laptops without any
 * repository (sync/bundled.h). What was in one does not count as sent (S2).
 */
#ifndef SLB_APP_BUNDLE_H
#define SLB_APP_BUNDLE_H

#include <stdio.h>

#include "app/syncing.h"

struct bundle_made {
	uint64_t parts;
	uint64_t bytes;
	uint64_t unsent; /* changes in it that the repository was not seen to hold */
};
/* Writes it to `out`, which can seek; the caller makes it durable under its name. `space`: NULL for all that is shared.
 * ERR_NOT_FOUND: no such space; ERR_LATER: there is nothing shared yet, or a restored home; the text says so. */
enum err app_bundle_export(struct errctx *ec, struct app *app, const char *space, FILE *out,
                           struct bundle_made *made) MUST_CHECK;

struct bundle_taken {
	uint64_t parts;
	uint64_t damaged;   /* parts that do not fit their hash: not looked into */
	bool cut;           /* it ends before it says it does */
	bool foreign;       /* nothing in it was for this home */
	bool worlds;        /* whoever made it is shown other things by the repository than this home */
	struct sync_view v; /* as of a sync; nothing is sent */
};
/* Takes in what is good, file by file, each in a transaction of its own: broken off, it is begun again. `name` is for
 * texts. ERR_DAMAGED: not a bundle; ERR_INPUT: of a newer program; ERR_LATER: a restored home. Nothing was taken in
 * then. Memory is bounded by the largest part. */
enum err app_bundle_import(struct errctx *ec, struct app *app, int fd, const char *name,
                           struct bundle_taken *out) MUST_CHECK;

#endif
