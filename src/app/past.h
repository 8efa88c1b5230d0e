/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A record's edits folded again from the log, with what each author had seen; history and undo stand on it.
 *
 * Only devices that wrote to this record matter, so a context here holds just those. Where the log was compacted, a
 * record begins with what it came to there: earlier steps are gone.
 * Private to app/.
 */
#ifndef SLB_APP_PAST_H
#define SLB_APP_PAST_H

#include "app/session.h"
#include "model/erasing.h"
#include "store/store.h"

struct past {
	struct record_log log; /* causes first */
	struct vv *seen;       /* one for each edit, of the devices in this log */
	struct device_id *dev; /* the devices that wrote to the record */
	size_t devs;
	struct buf base; /* what the record came to where its log begins; empty: the log is whole */
	struct contests contests;
};

/* Of a record that was loaded. ERR_DAMAGED where the edits do not come to what the record holds: then nothing may be
 * concluded from them. Free with past_free(), also after a failure. */
enum err past_read(struct errctx *ec, struct app *app, const struct loaded *l, struct past *out) MUST_CHECK;
void past_free(struct past *p);

/* What `r` is before the first of these edits: nothing, or what stood where the log was compacted. `r` borrows from the
 * past. */
enum err past_begin(const struct past *p, struct dot id, struct record *r) MUST_CHECK;
/* Applies the i-th edit to `r`, which all edits before it (that are wanted) were applied to. One that does not count
 * changes nothing. */
enum err past_apply(const struct past *p, size_t i, struct record *r) MUST_CHECK;

#endif
