/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Forks (S5, S7): one device, two signed batches with one number. A copy of a home does that by mishap, a member with a
 * changed program or a stolen key on purpose.
 *
 * Of each device one *line* of batches, each following on the one before it by hash, is applied here: the one whose
 * batches came first. A signed batch that follows on a known one and is not on that line is kept beside it and never
 * applied. It is not in the way of others who had applied it: what their batches say to have seen is read along the
 * line that they followed (sync/context.h).
 *
 * Once two batches with one number are known, nothing more of that device is applied here, and this device tells it: a
 * control item names both (CONTROL_FORK), which removes the device above what was applied here, with the right of
 * whoever holds the proof, in a neighbourhood too; and both go out again, so that everybody can judge it. So who had
 * applied the one line and who had applied the other come to the same: what the device wrote from that number on counts
 * for nobody. Where everybody had applied the same line, that line counts up to where the first of them learned of the
 * other. Nothing before the fork is touched, whoever comes with a second batch however late: that is why it is a
 * removal, with an author who had seen what it keeps, and not a rule of its own.
 */
#ifndef SLB_SYNC_FORKS_H
#define SLB_SYNC_FORKS_H

#include "sync/keys.h"

/* What waits for a batch of the line that is applied here; for this very batch. */
void batch_awaits(struct device_id dev, uint64_t seq, struct awaits *out);
void fork_awaits(struct device_id dev, uint64_t seq, const uint8_t hash[static VV_HASH_LEN], struct awaits *out);

/* A batch as a context names it. */
struct named {
	bool applied;     /* on the line that is applied here */
	uint64_t counter; /* of its last edit */
	struct vv_entry
	    own; /* on the line that is applied here: itself, or the last one that both lines share (seq 0: none) */
};
/* ERR_NOT_FOUND without text: not here; *awaits says what to wait for. */
enum err fork_named(struct errctx *ec, struct sync *y, const struct vv_entry *which, struct named *out,
                    struct awaits *awaits) MUST_CHECK;
/* Does `later` (number and hash) follow on `earlier`? Both are here. */
enum err fork_follows(struct errctx *ec, struct sync *y, const struct vv_entry *earlier, const struct vv_entry *later,
                      bool *out) MUST_CHECK;
/* The last counter of batch `seq`, at or before batch `of`, on that one's line; `of` is here. */
enum err fork_counter(struct errctx *ec, struct sync *y, const struct vv_entry *of, uint64_t seq,
                      uint64_t *counter) MUST_CHECK;

/* Up to where the author of a batch that is not applied here had seen another device. */
enum err fork_seen(struct errctx *ec, struct sync *y, const struct vv_entry *of, struct device_id dev,
                   uint64_t *seq) MUST_CHECK;

/* A batch whose signature holds. */
struct fork_batch {
	struct device_id dev;
	uint64_t seq;
	const uint8_t *hash; /* 32 bytes */
	const struct body *body;
	struct bytes signed_part;
};
/* Keeps it beside the line that is applied here, if it follows on a batch that is known. In a transaction. Whom it let
 * in is known from now on, and out: others applied that line, know those devices, and build on what they sealed.
 * ERR_NOT_FOUND without text: it does not follow. */
enum err fork_keep(struct errctx *ec, struct sync *y, const struct space_row *space,
                   const struct fork_batch *b) MUST_CHECK;
/* Was this device let in on a line of which `line` names a batch, and which is not applied here? */
enum err fork_let_in(struct errctx *ec, struct sync *y, const struct space_row *space, const struct vv *line,
                     struct device_id dev, bool *out) MUST_CHECK;

/* Payload of CONTROL_FORK: [device id, number, hash, hash], the lower hash first. */
struct fork_proof {
	struct device_id dev;
	uint64_t seq;
	uint8_t one[HASH_LEN];
	uint8_t two[HASH_LEN];
};
/* ERR_DAMAGED without text: not of that shape. */
enum err fork_proof_get(struct bytes payload, struct fork_proof *out) MUST_CHECK;
/* ERR_NOT_FOUND without text: one of the two is not here; *awaits says which. */
enum err fork_proof_here(struct errctx *ec, struct sync *y, const struct fork_proof *p,
                         struct awaits *awaits) MUST_CHECK;

/* A member builds on a batch of the device that is not here, under a number that is; up to before `from` both had the
 * same. Perhaps neither has both: so what is applied here from there on is to go out. Within a transaction. */
enum err fork_doubt(struct errctx *ec, struct sync *y, int64_t space, struct device_id dev, uint64_t from) MUST_CHECK;

/* Puts what is to be told of forks into the next batch; *files: something is to be handed out. Within a transaction. */
enum err forks_tell(struct errctx *ec, struct sync *y, const struct space_row *space, bool *files) MUST_CHECK;
/* After that, with the epoch that is written under: what was applied here from the fork on, and what proves it, goes
 * into the outgoing files. */
enum err forks_hand_out(struct errctx *ec, struct sync *y, const struct space_row *space,
                        struct epoch_id epoch) MUST_CHECK;

#endif
