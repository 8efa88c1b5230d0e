/* SPDX-License-Identifier: EUPL-1.2 */
/* Letters about joining: where they go, and what in them is signed or authenticated. Shared by both sides of joining
 * (join.c asks, admit.c answers). */
#ifndef SLB_SYNC_LETTERS_H
#define SLB_SYNC_LETTERS_H

#include "model/wire.h"
#include "sync/join.h"

/* A request without an invitation: header | bundle | signature over both, told by its sequence number. */
#define OPEN_REQUEST_SEQ 1
#define OPEN_REQUEST_LEN (FILE_HEADER_LEN + BUNDLE_LEN + SIGN_LEN)

/* The branch on which this home leaves its letters in a neighbourhood's repository; its random tag goes into headers.
 * Within a transaction. */
enum err mailbox(struct errctx *ec, struct sync *y, int64_t neighbourhood, char ref[static REF_MAX + 1],
                 struct tag *tag) MUST_CHECK;
/* Another branch for letters from now on, also for those that were not sent yet: a copy of this home may write to the
 * one there was. Within a transaction. */
enum err mailbox_renew(struct errctx *ec, struct sync *y, int64_t neighbourhood) MUST_CHECK;
/* A letter goes into the outgoing files under a name that no other has: `what` and the start of its hash. */
enum err letter_send(struct errctx *ec, struct sync *y, int64_t neighbourhood, const char *what,
                     struct bytes file) MUST_CHECK;

/* A space as one tells it to somebody who comes in: [space id, kind, tag, name, genesis, founder's bundle, epochs,
 * heads]. */
enum err letter_space_put(struct errctx *ec, struct sync *y, const struct space_row *s, struct buf *out) MUST_CHECK;
/* The last four of these, for a space that is there now: the founder is registered, the keys are kept, and the heads
 * are the floor. ERR_DAMAGED where they do not fit its id. Within a transaction. */
enum err letter_space_take(struct errctx *ec, struct sync *y, const struct space_row *s, struct wire_in *in) MUST_CHECK;

/* Proof that the joiner holds the secret of each key it shows: signed with that key. */
void possession_hash(const uint8_t bundle[static BUNDLE_LEN], struct space_id space,
                     const uint8_t id[static INVITATION_ID_LEN], uint8_t out[static HASH_LEN]);
/* What both sides make six words of: the invitation, and for each space that is asked for, in the request's order, its
 * id, the inviting device's signing key and the joiner's whole bundle. Who stands between them changed one of these. */
struct words_part {
	struct space_id space;
	const uint8_t *sign;   /* SIGN_PUBLIC_LEN bytes */
	const uint8_t *bundle; /* BUNDLE_LEN bytes */
};
void request_words(const uint8_t id[static INVITATION_ID_LEN], const struct words_part *parts, size_t count,
                   uint8_t out[static HASH_LEN]);
/* BLAKE2b over the request, keyed with the invitation's secret. */
void request_mac(const uint8_t secret[static INVITE_SECRET_LEN], struct bytes request, uint8_t out[static HASH_LEN]);
/* What the admitting device signs: the answer, for this joiner. */
void answer_hash(const uint8_t joiner[static BUNDLE_LEN], struct bytes answer, uint8_t out[static HASH_LEN]);
/* Takes up its epochs: each must be what its id says. ERR_DAMAGED without text. */
enum err answer_epochs(struct errctx *ec, struct sync *y, const struct space_row *space, struct wire_in *in) MUST_CHECK;

#endif
