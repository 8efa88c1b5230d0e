/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SLB_SYNC_APPLY_H
#define SLB_SYNC_APPLY_H

#include "sync/inbox.h"

/* How it went with one file. */
enum fate {
	FATE_DONE,  /* applied */
	FATE_KNOWN, /* applied before */
	FATE_WAITS, /* something it needs is not here yet; received.awaits says what */
	FATE_OTHER, /* not for this device */
	FATE_ASIDE, /* does not verify; *why says so */
	FATE_COPY,  /* a copy of this device wrote it; the caller rolls back */
	FATE_LINE,  /* its device went another way too: kept beside what is applied. *why: that was not known before */
};

/* A batch of one of one's own spaces. Runs in a transaction; on FATE_ASIDE the caller rolls back. */
enum err batch_receive(struct errctx *ec, struct sync *y, const struct space_row *space, const struct file_header *h,
                       struct bytes file, struct received *r, enum fate *fate, const char **why) MUST_CHECK;

/* The same for a batch that was applied here before, from its signed part: the store is being made again. */
struct signed_batch {
	const struct device_row *author;
	uint64_t seq;
	struct bytes signed_part;
};
enum err batch_again(struct errctx *ec, struct sync *y, const struct space_row *space, const struct signed_batch *batch,
                     struct received *r, enum fate *fate, const char **why) MUST_CHECK;

/* A batch that is set aside: where its signature holds and it follows on a known one, it is kept as evidence, for
 * others may build on it. In a transaction; nothing where it does not. */
enum err batch_evidence(struct errctx *ec, struct sync *y, const struct space_row *space, const struct file_header *h,
                        struct bytes file) MUST_CHECK;

#endif
