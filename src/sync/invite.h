/* SPDX-License-Identifier: EUPL-1.2 */
/* What an inviting device remembers of its invitations. Shared by the files of sync/. */
#ifndef SLB_SYNC_INVITE_H
#define SLB_SYNC_INVITE_H

#include "sync/join.h"

#define KEPT_INVITE "invite:"
#define INVITE_NAME_LEN (sizeof(KEPT_INVITE) + 2 * INVITATION_ID_LEN)

struct issued {
	uint8_t secret[INVITE_SECRET_LEN];
	int64_t expires_ms;
	bool used;
	char role[16];
	int64_t space[INVITE_SPACES];
	size_t spaces;
	bool device;
	bool compare;
	/* Requests are sealed to a pair of the invitation's own: a device's box keys are renewed under each epoch, and
	 * the old ones destroyed. All zeros: it was made by an earlier version, or ended long ago. */
	uint8_t box[BOX_PUBLIC_LEN];
	uint8_t box_secret[BOX_SECRET_LEN];
};

/* The first eight bytes of BLAKE2b over the secret. */
void invitation_id(const uint8_t secret[static INVITE_SECRET_LEN], uint8_t out[static INVITATION_ID_LEN]);
void invite_kept_name(const uint8_t id[static INVITATION_ID_LEN], char out[static INVITE_NAME_LEN]);
enum err issued_save(struct errctx *ec, struct sync *y, const struct issued *i) MUST_CHECK;
enum err issued_get(struct bytes bytes, struct issued *out) MUST_CHECK;
/* Opens a request to join, of those that name this space first, with the pair of each invitation that was issued for
 * it; one of an earlier version has none, and its requests are for a box key of the device. ERR_NOT_FOUND without text:
 * it is for another device. */
enum err invite_unseal(struct errctx *ec, struct sync *y, const struct space_row *space, struct bytes file,
                       struct buf *plain) MUST_CHECK;
/* What an issued invitation and its text say in one number. */
uint64_t invite_flags(bool device, bool compare);
/* ERR_DAMAGED for a number that invite_flags() does not give. */
enum err invite_flags_get(uint64_t flags, bool *device, bool *compare) MUST_CHECK;

#endif
