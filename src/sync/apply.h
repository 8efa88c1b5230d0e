/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SLB_SYNC_APPLY_H
#define SLB_SYNC_APPLY_H

#include "sync/inbox.h"

/* How it went with one file. */
enum fate {
	FATE_DONE,  /* applied */
	FATE_KNOWN, /* applied before */
	FATE_WAITS, /* something it needs is not here yet */
	FATE_OTHER, /* not for this device */
	FATE_ASIDE, /* does not verify; *why says so */
};

/* A batch of one of one's own spaces. Runs in a transaction; on FATE_ASIDE the caller rolls back. */
enum err batch_receive(struct errctx *ec, struct sync *y, const struct space_row *space, const struct file_header *h,
                       struct bytes file, struct received *r, enum fate *fate, const char **why) MUST_CHECK;

#endif
