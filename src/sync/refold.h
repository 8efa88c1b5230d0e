/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Records folded again from the log of edits, with what each author had seen read back from the signed batches: what a
 * record must come to (M1), whatever the tables that are derived from it say (V5).
 */
#ifndef SLB_SYNC_REFOLD_H
#define SLB_SYNC_REFOLD_H

#include "model/record.h"
#include "sync/keys.h"

struct refold;

/* Reads the batches of a space: each is checked by its signature, its number and its hash. ERR_DAMAGED with a sentence
 * where one does not fit or is missing. `y` and `space` are borrowed. */
enum err refold_open(struct errctx *ec, struct sync *y, const struct space_row *space, struct refold **out) MUST_CHECK;
void refold_close(struct refold *f); /* accepts NULL */

/* What the author of a batch had seen, by number and counter (`seq` 0: not sealed yet, all that is here); vv_free() it.
 */
enum err refold_context(struct refold *f, struct device_id dev, uint64_t seq, struct vv *out) MUST_CHECK;

/* What all edits to a record come to that count; record_free() it. ERR_NOT_FOUND without text: there are none.
 * ERR_DAMAGED without text: its edits are not as they were written, or lie in other batches than the log says. */
enum err refold_record(struct errctx *ec, struct refold *f, struct dot id, struct record *out) MUST_CHECK;

/* The same of a part of the edits: those in batches up to a vector, judged by somebody else than the table of void
 * ones. A record of which nothing counts is there as well, empty, if it was made there. */
struct refold_part {
	const struct vv *upto;
	enum err (*judge)(void *arg, const struct logged *l, bool *is_void); /* NULL: as the table has it */
	void *arg;
};
enum err refold_part(struct errctx *ec, struct refold *f, struct dot id, const struct refold_part *part,
                     struct record *out) MUST_CHECK;

struct refolded {
	uint64_t records;
	uint64_t differing; /* are not what their edits come to */
	uint64_t damaged;   /* whose edits cannot be folded */
};

/* Writes a record anew from its edits, with its plain rows and search entry; takes it away where none counts. In a
 * transaction. */
enum err refold_write(struct errctx *ec, struct refold *f, struct dot id) MUST_CHECK;

/* Every record of the space against its edits. `mend`: those that differ are written again, with their plain rows and
 * search entries; in a transaction then. */
enum err refold_space(struct errctx *ec, struct refold *f, bool mend, struct refolded *out) MUST_CHECK;

#endif
