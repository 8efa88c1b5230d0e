/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Which erases of a space may become final (K3; docs/SYNC.md, "Erasure and compaction").
 *
 * Where there is one person in the space, or one's own record was erased by its maker, an erase is final with the next
 * compaction; not so one under the retention rule, which nobody chose for just that record: it may be contested for 14
 * days by everybody, also where one is alone. Any other one may be contested for 14 days from the day on which it came
 * here, by this home's own clock: an author's clock decides nothing. Of more than 20 in one batch, in a space of
 * several people, none is final before another person than their author agreed.
 */
#ifndef SLB_SYNC_ERASING_H
#define SLB_SYNC_ERASING_H

#include "sync/membership.h"

#define CONTEST_DAYS 14
#define ERASE_MANY 20

enum erasure_state {
	ERASURE_WAITS = 1, /* it may be contested until `due_ms` */
	ERASURE_ASKS,      /* one of many at once: another person must agree */
	ERASURE_DUE,       /* nothing stands in the way of compaction */
	ERASURE_CONTESTED, /* it counts for nothing: the record is shown */
	ERASURE_FINAL,     /* compacted here: the contents are gone from this home */
	ERASURE_VOID,      /* its author might not: it counts for nothing */
};

struct erasure {
	struct erasure_row row;
	enum erasure_state state;
	struct dot by;  /* the person who erased it; none: not known here */
	int64_t due_ms; /* of one that another person may contest; else 0 */
};

/* Every erase of a space, in the order in which they came; free() the list. */
enum err erasures_list(struct errctx *ec, struct sync *y, const struct space_row *space, struct erasure **out,
                       size_t *count) MUST_CHECK;

/* How many persons are in the space. */
enum err persons_in(struct errctx *ec, struct sync *y, const struct space_row *space, size_t *out) MUST_CHECK;

#endif
