/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Who belongs to a space as this device knows it: the acts of the batches that are here, and what follows from them for
 * the registry of devices and for edits that do not count (K1, K4; model/members.h decides).
 */
#ifndef SLB_SYNC_MEMBERSHIP_H
#define SLB_SYNC_MEMBERSHIP_H

#include "model/members.h"
#include "sync/keys.h"

/* A batch that is about to be applied, or was just sealed: everything in its context is here. */
struct batch_told {
	const struct space_row *space;
	struct device_id author;
	uint64_t seq;
	const struct vv *seen; /* its whole context */
	const struct body *body;
};

/* When an epoch began. */
struct epoch_begun {
	struct epoch_id id;
	struct moment at;
};

/* A box key that a device named, and when. */
struct box_told {
	struct moment at;
	uint8_t key[BOX_PUBLIC_LEN];
};

/* A box key of a device that another member told, with its signature (sync/rebox.h): newer than those that it named up
 * to its batch `number`. */
struct reboxed {
	struct moment at;
	struct device_id device;
	uint64_t number;
	uint8_t key[BOX_PUBLIC_LEN];
};

/* The keys with which a device was let in. */
struct admitted {
	struct moment at;
	struct bundle bundle;
	struct device_id device;
};

/* A device that was proven to have forked: what it wrote from there on, and how much of that counts here. */
struct forked_device {
	struct device_id dev;
	uint64_t from;   /* the lowest number under which it signed two batches */
	uint64_t before; /* its last edit before that */
	uint64_t kept;   /* its last edit that counts */
};

/* A device holds a snapshot for right: what all records come to at `upto` (sync/compaction.h). */
struct vote {
	struct moment at;
	uint64_t round;
	uint8_t hash[HASH_LEN];
	struct vv upto; /* by number only */
};
/* The payload of CONTROL_SNAPSHOT; vv_free() `upto`, after a failure too. ERR_DAMAGED: not of that shape. */
enum err vote_get(struct bytes payload, struct vote *out) MUST_CHECK;

/* A device says that a snapshot is in force at it, and the keys before it are destroyed there. */
struct done_told {
	struct moment at;
	uint8_t hash[HASH_LEN];
};

struct membership {
	struct members members; /* settled. The own device counts as it did, also where others removed it: nothing that
	                         * a person wrote goes from the own screen (M2) */
	bool removed;           /* the own device was */
	struct epoch_begun *epoch;
	size_t epochs;
	struct box_told *box;
	size_t boxes;
	struct reboxed *rebox;
	size_t reboxes;
	struct admitted *bundle;
	size_t bundles;
	struct forked_device *forked;
	size_t forks;
	bool lines; /* of some device batches are known that are not applied here (sync/forks.h) */
	struct vote *vote;
	size_t votes;
	struct done_told *done;
	size_t dones;
	struct vv **seen; /* contexts that the acts borrow */
	size_t seen_count;
	size_t removals; /* acts that remove, whether they count or not */
};

enum err membership_load(struct errctx *ec, struct sync *y, const struct space_row *space,
                         struct membership *out) MUST_CHECK;
/* The same as it was at a vector: by the acts of batches up to there, and the own device like any other. */
enum err membership_load_upto(struct errctx *ec, struct sync *y, const struct space_row *space, const struct vv *upto,
                              struct membership *out) MUST_CHECK;
void membership_free(struct membership *m);
/* Is it a recovery sheet? */
bool membership_is_paper(const struct membership *m, struct device_id dev);

/* Takes up what a batch says of membership, and everything that follows: devices are registered, removed or back, and
 * records that edits of theirs count for no more (or again) are folded again. Before the batch's own edits are folded;
 * within a transaction. ERR_DAMAGED without text: it says something that cannot be. */
enum err membership_note(struct errctx *ec, struct sync *y, const struct batch_told *batch) MUST_CHECK;

/* Works out again what follows from the acts that are kept: registry, and which edits count. Within a transaction. */
enum err membership_renew(struct errctx *ec, struct sync *y, const struct space_row *space) MUST_CHECK;
/* Reads the acts of batches that an earlier version applied and did not keep any of. Once after opening; outside a
 * transaction. */
enum err membership_catch_up(struct errctx *ec, struct sync *y) MUST_CHECK;

/* Which roles an edit needs, one of them (0: a member is enough). `own`: it is about the author's own member record. */
unsigned edit_needs(enum space_kind space, uint32_t kind, const struct edit *edit, bool own);

/* Tells of each edit of a batch whether it counts. Freed by judge_free(). */
struct judge {
	bool all; /* every one does; the rest is not used */
	struct membership known;
	struct moment at;
};
enum err judge_make(struct errctx *ec, struct sync *y, const struct batch_told *batch, struct judge *out) MUST_CHECK;
/* `kind`: of the record that the edit is about. */
bool judge_counts(const struct judge *j, const struct edit *edit, uint32_t kind);
void judge_free(struct judge *j);

/* Was the author of this batch let in by what it had seen? ERR_NOT_FOUND without text: it was not. */
enum err membership_admitted(struct errctx *ec, struct sync *y, const struct batch_told *batch) MUST_CHECK;
/* After a batch of one's own was sealed: takes up what it says, and takes out what its author was not entitled to. */
enum err membership_sealed(struct errctx *ec, struct sync *y, const struct batch_told *batch) MUST_CHECK;

/* Was the own device removed from this space? */
enum err membership_removed(struct errctx *ec, struct sync *y, const struct space_row *space, bool *out) MUST_CHECK;

#endif
