/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Bundles: what a home holds of its spaces, in sealed files that go by stick or mail (batch/bundle.h). They are the
 * same batches as at the repository, carried (sync/carry.h), with keys of epochs boxed for everybody who is in, letters
 * about joining, and what the repository was seen to show here. Nothing counts as sent for having been in one (S2).
 *
 * What came by a bundle and is not at the repository, as far as that shows itself here, is put there by whoever has it
 * (S5): so one who has no connection is carried along, and what a host withholds from some reaches them.
 *
 * A view says, signed by its device, how far the repository was seen to show the batches of each device. Views of an
 * honest repository go together: one of two is nowhere behind the other. Where each is behind somewhere, the repository
 * shows two people different things.
 */
#ifndef SLB_SYNC_BUNDLED_H
#define SLB_SYNC_BUNDLED_H

#include "sync/apply.h"
#include "sync/carry.h"

/* Seals what is unsealed in the shared spaces (n: in that one; 0: in all), begins epochs where there is none to write
 * under. Within a transaction, before bundle_each(). */
enum err bundle_begin(struct errctx *ec, struct sync *y, int64_t space) MUST_CHECK;
/* Each file of a bundle, in the order in which it is best taken in. Changes nothing. */
enum err bundle_each(struct errctx *ec, struct sync *y, int64_t space, carried_fn fn, void *arg) MUST_CHECK;

/* A batch was applied that came by bundle, so it may not be at the repository; or one came from there. In the
 * transaction in which that happened. */
enum err bundled_taken(struct errctx *ec, struct sync *y, int64_t space, struct bytes file,
                       const struct received *r) MUST_CHECK;

/* The same for a batch that is known and came once more among others (sync/carry.h): in a transaction of its own. */
enum err bundled_seen(struct errctx *ec, struct sync *y, int64_t space, const struct file_header *h,
                      struct received *r) MUST_CHECK;

/* Somebody's view, from a bundle. */
enum err view_receive(struct errctx *ec, struct sync *y, const struct space_row *space, const struct file_header *h,
                      struct bytes file, struct received *r, enum fate *fate, const char **why) MUST_CHECK;

/* After an exchange in which the repository showed all it has: batches that came by bundle and that it does not show go
 * into the outgoing files, by `each`, which may be NULL, told first. Within a transaction. */
struct not_shown {
	struct device_id dev;
	uint64_t from; /* batches `from` to `to` are not shown here */
	uint64_t to;
	uint64_t viewed; /* up to which somebody has seen it there; 0: nobody said so */
};
typedef enum err (*not_shown_fn)(void *arg, const struct not_shown *what);
enum err bundled_hand_on(struct errctx *ec, struct sync *y, const struct space_row *space, not_shown_fn each,
                         void *arg) MUST_CHECK;

#endif
