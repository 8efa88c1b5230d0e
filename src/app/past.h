/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A record's edits folded again from the log, with what each author had seen; history and undo stand on it.
 *
 * What an author had seen is not kept with an edit: it is in the batches. Only devices that wrote to this record
 * matter, so a context here holds just those, found by reading a device's batches backwards until one names the other
 * device (a batch's context is the change against the one before). Where one device wrote everything, no batch is read.
 * Private to app/.
 */
#ifndef SLB_APP_PAST_H
#define SLB_APP_PAST_H

#include "app/session.h"
#include "store/store.h"

struct past {
	struct record_log log; /* causes first */
	struct vv *seen;       /* one for each edit, of the devices in this log */
	struct device_id *dev; /* the devices that wrote to the record */
	size_t devs;
	bool forks; /* some device forked: contexts may name batches of another line */
};

/* Of a record that was loaded. ERR_DAMAGED where the edits do not come to what the record holds: then nothing may be
 * concluded from them. Free with past_free(), also after a failure. */
enum err past_read(struct errctx *ec, struct app *app, const struct loaded *l, struct past *out) MUST_CHECK;
void past_free(struct past *p);

/* Applies the i-th edit to `r`, which all edits before it (that are wanted) were applied to. One that does not count
 * changes nothing. */
enum err past_apply(const struct past *p, size_t i, struct record *r) MUST_CHECK;

#endif
