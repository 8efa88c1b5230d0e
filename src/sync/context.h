/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the author of a batch had applied when it was sealed, read from the batch: may it say so, and what does it come
 * to here (S1, M1)?
 */
#ifndef SLB_SYNC_CONTEXT_H
#define SLB_SYNC_CONTEXT_H

#include "sync/keys.h"

/* A whole context. Where a device forked and the author had followed another line than the one that is applied here,
 * `here` has the last batch that both lines share, and `line` the one that it named. */
struct had {
	struct vv here;
	struct vv line;
};
void had_free(struct had *h);

/* What the author's last applied batch had seen. */
enum err had_load(struct errctx *ec, struct sync *y, struct device_id author, struct had *out) MUST_CHECK;
/* Keeps what another line tells: in the transaction that applies the author's batch. */
enum err had_note(struct errctx *ec, struct sync *y, int64_t space, struct device_id author,
                  const struct had *h) MUST_CHECK;

enum context_fate {
	CONTEXT_GOOD,
	CONTEXT_WAITS,    /* something in it is not here; *awaits says what */
	CONTEXT_BACK,     /* it goes back, or leaves a line that it followed */
	CONTEXT_STRANGE,  /* it names itself, or a device of another space */
	CONTEXT_UNCLOSED, /* it leaves out what it must have seen */
};
/* Adds what a batch of `author` says. `h` is what the one before it had seen. */
enum err context_read(struct errctx *ec, struct sync *y, const struct space_row *space, struct device_id author,
                      const struct body *body, struct had *h, enum context_fate *fate,
                      struct awaits *awaits) MUST_CHECK;

/* What the author of an edit had seen: that of its batch, lowered by what the edit itself says, in the form that
 * folding takes. */
enum err edit_had(struct errctx *ec, struct sync *y, const struct had *batch, const struct edit *edit,
                  struct had *out) MUST_CHECK;
/* Edits in the causal past of this one, along the lines that its author followed: the same number everywhere. */
uint64_t had_past(const struct had *h, struct dot dot);

#endif
