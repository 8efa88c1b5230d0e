/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Making a store again from what could be read of a damaged one (V5), and from batches that are fetched again.
 *
 * In this order: rebuild_begin() puts back keys, spaces and devices; rebuild_local() applies the signed batches that
 * were kept; rebuild_gaps() tells what misses still, and then the caller may hand in files with inbox_file(), with
 * `rebuilding` set in what it counts; rebuild_end() appends what was written here and never sealed, and sees to what is
 * still to be sent. No call is made inside a transaction.
 *
 * Batches of one's own come back too: they are signed with one's own key, so nobody else can have made them. As to a
 * copy of the home that went on by itself (S7): a batch of its own under a number that is known here is set aside as
 * ever; one that goes beyond what is known here is taken in, since what is known here may be what was lost.
 */
#ifndef SLB_SYNC_REBUILD_H
#define SLB_SYNC_REBUILD_H

#include "store/salvage.h"
#include "sync/inbox.h"

struct rebuilt {
	uint64_t batches;      /* applied again from what was kept here */
	uint64_t edits;        /* written here, never sealed, and kept as they were */
	uint64_t restored;     /* the same, read back from the record that they made: what they replaced is gone */
	uint64_t lost_edits;   /* the same, and gone */
	uint64_t lost_batches; /* that were here and are to be had nowhere */
};

/* A file that the remote was seen to hold. */
struct shown_file {
	char ref[REF_MAX + 1];
	char name[FILE_NAME_MAX + 1];
};
struct shown_files {
	struct shown_file *file;
	size_t n;
	size_t cap;
};

enum err rebuild_begin(struct errctx *ec, struct sync *y, const struct salvage *old) MUST_CHECK;
enum err rebuild_local(struct errctx *ec, struct sync *y, const struct salvage *old, struct received *r,
                       struct rebuilt *out) MUST_CHECK;
/* Batches that were applied here once and are not now. */
enum err rebuild_gaps(struct errctx *ec, struct sync *y, const struct salvage *old, uint64_t *missing) MUST_CHECK;
/* `shown`: what the remote holds; NULL: it was not asked, and what is not known to be sent is sent again. ERR_LATER:
 * this device sent batches that are nowhere now, or may have sent them, and would give their numbers to others; whoever
 * has them must sync first. */
enum err rebuild_end(struct errctx *ec, struct sync *y, const struct salvage *old, const struct shown_files *shown,
                     struct rebuilt *out) MUST_CHECK;

#endif
