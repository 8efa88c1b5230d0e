/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Batches carried over from epochs whose keys are destroyed, and handed on whole: their signed parts, many in a file,
 * sealed under an epoch that is open (batch/batch.h, FILE_CARRY). They are the same batches: the same numbers, hashes
 * and signatures. So who joins later, or makes a damaged home whole again, still finds everything.
 */
#ifndef SLB_SYNC_CARRY_H
#define SLB_SYNC_CARRY_H

#include "sync/inbox.h"

/* Puts every batch of the space that is here into the outgoing files, under this epoch, causes first; then those that
 * are kept beside the line of their device. Within a transaction. */
enum err carry_all(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch) MUST_CHECK;

/* The same to somebody else than the outgoing files, one file after the other: `fn` gets the branch and the name that
 * it would have there, numbered from 1. Changes nothing. */
typedef enum err (*carried_fn)(void *arg, const char *ref, const char *name, struct bytes file);
struct carrying {
	struct epoch_id epoch;
	const struct epoch_secret *secret;
	carried_fn fn;
	void *arg;
};
enum err carry_each(struct errctx *ec, struct sync *y, const struct space_row *space,
                    const struct carrying *c) MUST_CHECK;

/* The same as carry_all() with batches `from` to `to` of one device. */
enum err carry_some(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch,
                    const struct device_row *author, uint64_t from, uint64_t to) MUST_CHECK;

/* The same, and what is kept beside the line of that device. */
enum err carry_device(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch,
                      const struct device_row *author, uint64_t from, uint64_t to) MUST_CHECK;

/* The same with what shows that a device forked: its batches `from` to `to` that are applied here, and those of `row`
 * (all of that device that are kept beside them) with the number `from`. */
struct forked {
	struct device_id dev;
	uint64_t from;
	uint64_t to; /* under `from`: none */
	const struct fork_row *row;
	size_t rows;
};
enum err carry_forked(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch,
                      const struct forked *f) MUST_CHECK;
/* The same with batches of one's own that were sent and are lost: they count as not sent until this is. */
enum err carry_lost(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch,
                    uint64_t from, uint64_t to) MUST_CHECK;

/* Where it is such a file and its key is here: each batch in it that is not known is taken in as a file of its own, by
 * inbox_file(). Does nothing for any other file. Outside a transaction. */
enum err carry_take(struct errctx *ec, struct sync *y, const char *ref, struct bytes file,
                    struct received *r) MUST_CHECK;

#endif
