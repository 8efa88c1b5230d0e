/* SPDX-License-Identifier: EUPL-1.2 */
/* Branches of epochs that are closed here (K3): nobody pushes them back, and in time they are removed at the remote. */
#ifndef SLB_APP_OLD_BRANCHES_H
#define SLB_APP_OLD_BRANCHES_H

#include "app/session.h"

/* So long another epoch of the space has been in use before a branch is removed: who rests can still read it till then,
 * and a host with a check of its own (scripts/) allows it. */
#define OLD_BRANCH_DAYS 30

struct old_branches {
	struct old_epoch {
		char prefix[48]; /* refs/heads/SPACE/EPOCH/ */
		bool go;         /* it may be removed */
	} * epoch;
	size_t n;
};
/* Of every space that syncs with this neighbourhood. old_branches_free() it, after a failure too. */
enum err old_branches_load(struct errctx *ec, struct app *app, int64_t neighbourhood,
                           struct old_branches *out) MUST_CHECK;
void old_branches_free(struct old_branches *o);
/* NULL: of no epoch that is closed. */
const struct old_epoch *old_branches_find(const struct old_branches *o, const char *ref);

#endif
