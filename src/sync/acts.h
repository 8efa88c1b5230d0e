/* SPDX-License-Identifier: EUPL-1.2 */
/* What a batch says of who belongs to its space, picked out of it. Shared by the files of sync/. */
#ifndef SLB_SYNC_ACTS_H
#define SLB_SYNC_ACTS_H

#include "sync/membership.h"

/* Beside the acts of model/members.h, what of a batch must be found again with its context. */
enum told_type {
	TOLD_ADMIT = 1,
	TOLD_GRANT = 2,
	TOLD_TAKE = 3,
	TOLD_CUT = 4,
	TOLD_EPOCH = 5,
	TOLD_BOX_KEY = 6,
	TOLD_GOES_ON = 7,   /* a device, under another id */
	TOLD_REBOX = 8,     /* another device's new box key */
	TOLD_FORK = 9,      /* a cut, with proof */
	TOLD_SNAPSHOT = 10, /* a vote for a snapshot (sync/compaction.h) */
	TOLD_DONE = 11      /* it is in force at the author's, and the keys before it are destroyed */
};

/* Controls come first in the order of a batch, by their place; then its edits, by this and their counters. */
#define TOLD_EDITS_FROM BODY_CONTROLS_MAX

struct told {
	enum told_type type;
	uint64_t order;
	struct bundle bundle;    /* ADMIT, GOES_ON, REBOX */
	struct dot person;       /* ADMIT, GRANT, TAKE */
	unsigned roles;          /* GRANT, TAKE */
	struct device_id device; /* CUT, FORK; GOES_ON: the one that signed */
	uint64_t from;           /* FORK: the number that two batches have */
	struct epoch_id epoch;   /* EPOCH */
	uint64_t number;         /* REBOX */
	uint8_t key[BOX_PUBLIC_LEN];
	struct bytes raw; /* SNAPSHOT, DONE: the payload, borrowed from the batch or from what was kept */
};

struct told_list {
	struct told *item;
	size_t n;
};
void told_free(struct told_list *list);

/* What a device signs that goes on under another id: BLAKE2b("slb goes on"; space, its own id, the other bundle). */
void goes_on_hash(struct space_id space, struct device_id dev, const uint8_t bundle[static BUNDLE_LEN],
                  uint8_t out[static HASH_LEN]);
/* [device id, bundle, signature]: the payload of CONTROL_GOES_ON. ERR_DAMAGED: not of that shape. The signature is not
 * checked. */
struct goes_on {
	struct device_id device;
	uint8_t bundle[BUNDLE_LEN];
	uint8_t signature[SIGN_LEN];
};
enum err goes_on_put(const struct goes_on *g, struct buf *out) MUST_CHECK;
enum err goes_on_get(struct bytes payload, struct goes_on *out) MUST_CHECK;

/* A device's new box key, signed by itself, because a batch of its own reaches nobody: [number, bundle, signature], the
 * payload of CONTROL_REBOX. `number`: its last batch then; a box key that it names in a later one is newer. The
 * signature is by the key in the bundle over BLAKE2b("slb new box key"; space, number 8, bundle). ERR_DAMAGED: not of
 * that shape, or not signed so. */
struct rebox {
	uint64_t number;
	uint8_t bundle[BUNDLE_LEN];
	uint8_t signature[SIGN_LEN];
};
void rebox_hash(struct space_id space, const struct rebox *r, uint8_t out[static HASH_LEN]);
enum err rebox_put(const struct rebox *r, struct buf *out) MUST_CHECK;
enum err rebox_get(struct space_id space, struct bytes payload, struct rebox *out) MUST_CHECK;

/* Appends what the batch says. ERR_DAMAGED without text where a control item is not of its shape. */
enum err told_from_batch(struct errctx *ec, struct sync *y, const struct batch_told *batch,
                         struct told_list *out) MUST_CHECK;
/* The same of parts of one that is not applied here: a control item CONTROL_GOES_ON; an edit of a member record. */
enum err told_from_goes_on(struct errctx *ec, struct sync *y, const struct space_row *space, const struct control *c,
                           uint64_t order, struct told_list *out) MUST_CHECK;
enum err told_from_edit(const struct edit *edit, struct told_list *out) MUST_CHECK;
/* May an edit say something of members, if it is about a record of one? */
bool tells_of_members(const struct edit *edit);
/* As the store keeps it. */
enum err told_put(const struct told_list *list, struct buf *out) MUST_CHECK;
enum err told_get(struct bytes in, struct told_list *out) MUST_CHECK;

/* ROLE_COORDINATOR and so on by the id of a role; 0 for one that gives no right. */
unsigned role_of(struct bytes id);

/* The kind of a record: as it is here, or as the edit in the log that made it says. KIND_none: not known here. */
enum err record_kind(struct errctx *ec, struct sync *y, struct dot record, uint32_t *kind) MUST_CHECK;
/* Of the record that an edit of this batch is about; an earlier edit of it may have made that. */
enum err target_kind(struct errctx *ec, struct sync *y, const struct batch_told *batch, const struct edit *edit,
                     uint32_t *kind) MUST_CHECK;

#endif
