/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the parts of sync/compaction.h share: the council that every step looks at, and what each part does for another.
 *
 *   compaction.c        the steps, in order: votes, proposals
 *   compaction_council.c   who is waited for, who voted for what; what others ask
 *   compaction_upto.c   up to where the log may be cut
 *   compaction_cut.c    cutting it
 *   compaction_done.c   acknowledging, saying that it is done, and how far it has come
 */
#ifndef SLB_SYNC_COMPACTION_INSIDE_H
#define SLB_SYNC_COMPACTION_INSIDE_H

#include "base/try.h"
#include "sync/compaction.h"
#include "sync/snapshot.h"

#define KEPT_REFUSED "refused:" /* a snapshot that is not what the edits here come to */
#define KEPT_TOLD "told-done"   /* hash of the snapshot of which it was said that it is done here */
#define KEPT_CUT_AT "base-at"   /* when the log was cut here: 8 bytes, ms since 1970 */

/* What every step looks at. */
struct council {
	struct errctx *ec;
	struct sync *y;
	const struct space_row *space;
	struct membership m;
	struct base base;
	struct erasure *erasure;
	size_t erasures;
	struct device_id *waited; /* others who are waited for */
	size_t n;
	bool forked; /* batches beside the line of some device of the space are kept */
};

/* `v` holds ec, y and space, and nothing else yet. council_free() it, also after an error. */
enum err council_load(struct council *v) MUST_CHECK;
void council_free(struct council *v);
/* Are batches beside the line of some device kept? They are whole, and stay when a log is cut. */
enum err council_forked(struct errctx *ec, struct sync *y, int64_t space, bool *out) MUST_CHECK;

/* Does the batch lie at or below the vector? */
bool upto_holds(const struct vv *upto, struct device_id dev, uint64_t seq);
/* Is this device, of those who are waited for, the one that joined first? */
bool council_is_first(const struct council *v);
/* Did that device say that the compaction with this hash is done there? */
bool council_told_done(const struct membership *m, struct device_id dev, const uint8_t hash[static HASH_LEN]);

/* By round, then by hash: a device votes for something higher than before, or not at all. */
int council_vote_cmp(uint64_t round_a, const uint8_t *a, uint64_t round_b, const uint8_t *b);
/* Is it about the base of now, by somebody whose word counts? */
bool council_vote_counts(const struct council *v, const struct vote *x);
/* The last vote of a device on the base of now; NULL: none. Borrowed from the council. */
const struct vote *council_last_vote(const struct council *v, struct device_id dev);
/* Did everybody else who is waited for vote for it? */
bool council_others_agree(const struct council *v, const struct vote *what);
/* Makes the snapshot that was voted for. *same: it is that one; snapshot_free() it in any case. */
enum err council_make_same(struct council *v, const struct vote *x, struct snapshot *s, bool *same) MUST_CHECK;

/* Was this snapshot refused here? And under which name that is kept. */
enum err council_refused(struct council *v, const uint8_t hash[static HASH_LEN], bool *out) MUST_CHECK;
void council_refused_name(const uint8_t hash[static HASH_LEN], char out[static 64]);

/* As compaction_choose(). */
enum err upto_choose(struct council *v, struct vv *upto, enum compaction_wait *wait) MUST_CHECK;
/* Is everything within the vote's vector acknowledged by all, and may be final, as this device sees it? */
enum err upto_agreed(struct council *v, const struct vote *x, bool *yes) MUST_CHECK;

/* Everybody voted for what this device voted for last: the log is cut there. */
enum err cut_agreed(struct council *v, bool *cut) MUST_CHECK;

/* Says so in the next batch where there is something that one's own last batch had not seen, and others wait for it. */
enum err done_acknowledge(struct council *v) MUST_CHECK;

#endif
