/* SPDX-License-Identifier: EUPL-1.2 */
/* Fetches what a repository holds once more, into a store that is being made again. Private to app/. */
#ifndef SLB_APP_FETCH_AGAIN_H
#define SLB_APP_FETCH_AGAIN_H

#include "app/session.h"
#include "sync/rebuild.h"

struct fetch_again {
	struct sync *y;
	int64_t neighbourhood;
	const char *remote;        /* a repository, or the courier's cache of one */
	struct received *received; /* with `rebuilding` set */
	struct shown_files *shown; /* NULL: not the repository itself; then nothing is noted about it */
	bool whole;                /* set: it could be read to its end */
	char why[240];             /* else: an English sentence, the key of its translation */
};

/* Errors are those of this machine; a repository that cannot be reached is none. */
enum err fetch_again(struct errctx *ec, struct app *app, struct fetch_again *f) MUST_CHECK;

#endif
