/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Joining a space.
 *
 * An invitation names the repository, the spaces, the inviting device's signing keys, a box key of its own and a
 * one-time secret that only authenticates. The joiner posts fresh public keys, with a MAC under the secret, in a box
 * for that key; the inviting device accepts once and in time, writes the membership, and answers in a box with the
 * epochs' keys and the state below which the joiner accepts nothing. Nothing is encrypted under the secret. Without an
 * invitation, a joiner posts bare public keys; a member compares six words and approves.
 */
#ifndef SLB_SYNC_JOIN_H
#define SLB_SYNC_JOIN_H

#include "sync/access.h"
#include "sync/apply.h"

#define INVITATION_ID_LEN 8
#define INVITE_SECRET_LEN 32
#define INVITE_SPACES 16
#define INVITE_DAYS 14

struct invited_space {
	struct space_id id;
	enum space_kind kind;
	struct tag tag;
	char name[SPACE_NAME_MAX + 1];
	uint8_t sign[SIGN_PUBLIC_LEN]; /* of the inviting device there */
	uint8_t box[BOX_PUBLIC_LEN];   /* of the invitation itself; an earlier version's: of that device */
};

struct invitation {
	uint8_t secret[INVITE_SECRET_LEN];
	int64_t expires_ms;
	char remote[REMOTE_MAX + 1];
	struct access access; /* how to come in there */
	bool own_login;       /* when it was made: the inviting person's login is theirs alone, and not in it */
	/* The last is the neighbourhood. For a person: what it is for comes first, and they are at most two. For a
	 * device: its person's own space comes first, if that syncs there. */
	struct invited_space space[INVITE_SPACES];
	size_t spaces;
	bool device;  /* for another device of the inviting person */
	bool compare; /* who uses it is let in only after six words were compared; so it is for every device */
};

/* The space by which people know what an invitation is for: the first that is nobody's own. */
const struct invited_space *invitation_main(const struct invitation *i);

/* Issues an invitation to a space (and its neighbourhood). `role` is an id of the list `role`. In a transaction. */
enum err invite_make(struct errctx *ec, struct sync *y, const struct space_row *space, const char *role, bool compare,
                     struct invitation *out) MUST_CHECK;
/* For another device of the person whose home this is: for everything of theirs that syncs with this neighbourhood, or
 * (`only` not 0) for that space alone, and for the neighbourhood itself. ERR_REFUSED with a sentence when that is too
 * much for one. */
enum err invite_device_make(struct errctx *ec, struct sync *y, const struct space_row *neighbourhood, int64_t only,
                            struct invitation *out) MUST_CHECK;
/* As text: "sleutelbos-" and base32 with a checksum; appended to `out`. */
enum err invitation_put(const struct invitation *i, struct buf *out) MUST_CHECK;
/* The invitation that stands somewhere in a text: a mail around it, lines that were broken in it and marks of a reply
 * before each line do no harm. ERR_DAMAGED with a sentence when there is none or it is cut or changed, ERR_INPUT when
 * there are several. Pure. */
enum err invitation_get(struct errctx *ec, const char *text, size_t len, struct invitation *out) MUST_CHECK;
/* The bytes in it. Pure parser of foreign bytes; ERR_DAMAGED for anything invitation_put() would not write. */
enum err invitation_parse(struct bytes bytes, struct invitation *out) MUST_CHECK;

/* Open invitations of one's own. */
struct invite_row {
	char id[2 * INVITATION_ID_LEN + 1];
	char space[SPACE_NAME_MAX + 1];
	char role[16];
	int64_t expires_ms;
	bool used;
	bool device;
	bool compare;
};
enum err invite_list(struct errctx *ec, struct sync *y, struct invite_row **out, size_t *count) MUST_CHECK;
/* By its id or the start of it: ERR_NOT_FOUND, or ERR_USAGE when several fit, with a sentence. Who asked with it and
 * was not let in yet no longer asks. In a transaction. */
enum err invite_withdraw(struct errctx *ec, struct sync *y, const char *id) MUST_CHECK;
/* Once in each sync. What opens requests by an invitation goes when the invitation ended INVITE_DAYS ago: until then
 * one that comes late, or second, is still told of. In a transaction. */
enum err invites_tend(struct errctx *ec, struct sync *y) MUST_CHECK;

/* Makes the spaces of an invitation one's own, as asked for, and puts the request into the outgoing files. ERR_REFUSED
 * when one is a member already, or asked with this very invitation; ERR_LATER when the invitation's time is over. In a
 * transaction. `words`: what both sides make six words of; for an invitation that asks for that. */
enum err join_ask(struct errctx *ec, struct sync *y, const struct invitation *i, const char *nick,
                  uint8_t words[static HASH_LEN]) MUST_CHECK;
/* The same without an invitation: bare keys, for a neighbourhood at `remote`; `fingerprint` is for six words. */
enum err join_request(struct errctx *ec, struct sync *y, const char *remote, const char *nick,
                      uint8_t fingerprint[static HASH_LEN]) MUST_CHECK;

/* What one asked for and got no answer to yet. */
struct asked_row {
	int64_t space;
	uint8_t id[INVITATION_ID_LEN]; /* of the invitation, or of the bare request */
	bool device;
	bool compare; /* `words` are to be compared */
	uint8_t words[HASH_LEN];
};
enum err asked_list(struct errctx *ec, struct sync *y, struct asked_row **out, size_t *count) MUST_CHECK;

/* Requests that came in and wait for somebody's word: bare ones, and those by an invitation that asks for six words. A
 * request of somebody who is let in meanwhile is none any more. */
struct request_row {
	char id[2 * INVITATION_ID_LEN + 1];
	uint8_t words[HASH_LEN];
	bool invited;                  /* by an invitation of this device */
	bool device;                   /* as another device of this person */
	char nick[SPACE_NAME_MAX + 1]; /* what an invited one calls itself; else "" */
	char space[SPACE_NAME_MAX + 1];
	struct bundle bundle; /* of a bare one */
};
enum err request_list(struct errctx *ec, struct sync *y, struct request_row **out, size_t *count) MUST_CHECK;
/* Lets the joiner in: a bare one into the neighbourhood as a member, an invited one where its invitation says.
 * `name` NULL: what an invited one calls itself, or "?". In a transaction. */
enum err request_approve(struct errctx *ec, struct sync *y, const struct space_row *neighbourhood,
                         const struct request_row *request, const char *name) MUST_CHECK;

/* Takes it from the list for good: the same one is not shown again. In a transaction. */
enum err request_decline(struct errctx *ec, struct sync *y, const struct request_row *request) MUST_CHECK;

enum err join_request_receive(struct errctx *ec, struct sync *y, const struct file_header *h, struct bytes file,
                              struct received *r, enum fate *fate, const char **why) MUST_CHECK;
enum err join_answer_receive(struct errctx *ec, struct sync *y, struct bytes file, struct received *r, enum fate *fate,
                             const char **why) MUST_CHECK;

#endif
