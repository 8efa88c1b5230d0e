/* SPDX-License-Identifier: EUPL-1.2 */
/* What the author of edits had seen that wait for their device to be let in again (sync/again.h): nothing is sealed
 * while others' batches come in, so it is kept beside them (S1, M2). Shared by the files of sync/. */
#ifndef SLB_SYNC_SPANS_H
#define SLB_SYNC_SPANS_H

#include "sync/keys.h"

struct span {
	uint64_t upto;  /* the last counter of one's own of which it holds; from behind the span before */
	struct vv seen; /* whole, by counter and hash too */
};
struct spans {
	struct span *s; /* ascending */
	size_t n;
};

void spans_free(struct spans *spans);
/* Copies `seen`; lengthens the last span where it is the same. */
enum err spans_add(struct spans *spans, uint64_t upto, const struct vv *seen) MUST_CHECK;
/* NULL: none covers it, so it had seen all that is here. */
const struct vv *spans_at(const struct spans *spans, uint64_t counter);

/* None kept: none. */
enum err spans_load(struct errctx *ec, struct sync *y, int64_t space, struct spans *out) MUST_CHECK;
enum err spans_save(struct errctx *ec, struct sync *y, int64_t space, const struct spans *spans) MUST_CHECK;
enum err spans_drop(struct errctx *ec, struct sync *y, int64_t space) MUST_CHECK;
/* Before something comes in: what was written since the last span had seen what is here now. */
enum err spans_note(struct errctx *ec, struct sync *y, const struct space_row *space) MUST_CHECK;

#endif
