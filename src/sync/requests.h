/* SPDX-License-Identifier: EUPL-1.2 */
/* Requests to join that wait for a person's word, and letting in. Shared by the files of sync/. */
#ifndef SLB_SYNC_REQUESTS_H
#define SLB_SYNC_REQUESTS_H

#include "sync/apply.h"
#include "sync/invite.h"

/* A joiner in one space. */
struct joiner {
	struct space_row space;
	uint8_t bundle[BUNDLE_LEN];
};

/* What is to be said of somebody who is let in. */
struct letting_in {
	const uint8_t *id; /* of the invitation, or of the bare request */
	const struct joiner *joiner;
	size_t spaces;
	const char *nick;
	const char *role; /* besides member; an id of the list `role` */
	bool device;      /* as another device of the person of this home */
};

/* Writes the memberships, seals them, and answers (admit.c). Whoever is in already, with these very keys, gets an
 * answer and no second membership. ERR_DAMAGED without text where keys are known and do not fit. In a transaction. */
enum err let_in(struct errctx *ec, struct sync *y, const struct letting_in *who) MUST_CHECK;

/* A bare request, as it came. */
enum err open_request_receive(struct errctx *ec, struct sync *y, struct bytes file, struct received *r, enum fate *fate,
                              const char **why) MUST_CHECK;

/* A request by an invitation that asks for six words: authenticated, in time, and kept until somebody approves. */
struct held {
	uint8_t id[INVITATION_ID_LEN]; /* of the invitation */
	uint8_t mac[HASH_LEN];
	uint8_t words[HASH_LEN];
	char nick[SPACE_NAME_MAX + 1];
	struct joiner joiner[INVITE_SPACES];
	size_t spaces;
};
enum err request_hold(struct errctx *ec, struct sync *y, const struct held *h, struct received *r, enum fate *fate,
                      const char **why) MUST_CHECK;

/* Was a request with this id (hex of the first 8 bytes of what its words are made of) turned down here? And noting
 * that; within a transaction. */
enum err declined_get(struct errctx *ec, struct sync *y, const char *id, bool *out) MUST_CHECK;
enum err declined_put(struct errctx *ec, struct sync *y, const char *id) MUST_CHECK;

/* Forgets what is held by one invitation, by the hex of its id. In a transaction. */
enum err requests_drop(struct errctx *ec, struct sync *y, const char *invitation) MUST_CHECK;

/* Remembers which request an invitation was used by. In a transaction. */
enum err invite_used(struct errctx *ec, struct sync *y, struct issued *issued,
                     const uint8_t mac[static HASH_LEN]) MUST_CHECK;
/* Was it used by this very one? */
enum err invite_used_by(struct errctx *ec, struct sync *y, const uint8_t id[static INVITATION_ID_LEN],
                        const uint8_t mac[static HASH_LEN], bool *same) MUST_CHECK;

#endif
