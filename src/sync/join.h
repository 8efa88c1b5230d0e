/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Joining a space.
 *
 * An invitation names the repository, the spaces, the inviting device's public keys and a one-time secret that only
 * authenticates. The joiner posts fresh public keys, with a MAC under the secret, in a box for the inviting device;
 * that device accepts once and in time, writes the membership, and answers in a box with the epochs' keys and the
 * state below which the joiner accepts nothing. Nothing is encrypted under the secret.
 * Without an invitation, a joiner posts bare public keys; a member compares six words and approves.
 */
#ifndef SLB_SYNC_JOIN_H
#define SLB_SYNC_JOIN_H

#include "sync/apply.h"

#define INVITATION_ID_LEN 8
#define INVITE_SECRET_LEN 32
#define INVITE_SPACES 2
#define INVITE_DAYS 14

struct invited_space {
	struct space_id id;
	enum space_kind kind;
	struct tag tag;
	char name[SPACE_NAME_MAX + 1];
	uint8_t sign[SIGN_PUBLIC_LEN]; /* of the inviting device there */
	uint8_t box[BOX_PUBLIC_LEN];
};

struct invitation {
	uint8_t secret[INVITE_SECRET_LEN];
	int64_t expires_ms;
	char remote[REMOTE_MAX + 1];
	struct invited_space space[INVITE_SPACES]; /* the first is the one it is for; then its neighbourhood */
	size_t spaces;
};

/* Issues an invitation to a space (and its neighbourhood). `role` is an id of the list `role`. In a transaction. */
enum err invite_make(struct errctx *ec, struct sync *y, const struct space_row *space, const char *role,
                     struct invitation *out) MUST_CHECK;
/* As text: "sleutelbos-" and base32 with a checksum; appended to `out`. */
enum err invitation_put(const struct invitation *i, struct buf *out) MUST_CHECK;
/* White space inside is skipped. ERR_DAMAGED with a sentence when it is cut or changed. */
enum err invitation_get(struct errctx *ec, const char *text, size_t len, struct invitation *out) MUST_CHECK;

/* Open invitations of one's own. */
struct invite_row {
	char id[2 * INVITATION_ID_LEN + 1];
	char space[SPACE_NAME_MAX + 1];
	char role[16];
	int64_t expires_ms;
	bool used;
};
enum err invite_list(struct errctx *ec, struct sync *y, struct invite_row **out, size_t *count) MUST_CHECK;
/* By its id or the start of it: ERR_NOT_FOUND, or ERR_USAGE when several fit, with a sentence. In a transaction. */
enum err invite_withdraw(struct errctx *ec, struct sync *y, const char *id) MUST_CHECK;

/* Makes the spaces of an invitation one's own, as asked for, and puts the request into the outgoing files. ERR_REFUSED
 * when one is a member already, or asked with this very invitation; ERR_LATER when the invitation's time is over. In a
 * transaction. */
enum err join_ask(struct errctx *ec, struct sync *y, const struct invitation *i, const char *nick) MUST_CHECK;
/* The same without an invitation: bare keys, for a neighbourhood at `remote`; `fingerprint` is for six words. */
enum err join_request(struct errctx *ec, struct sync *y, const char *remote, const char *nick,
                      uint8_t fingerprint[static HASH_LEN]) MUST_CHECK;

/* Bare requests that came in. */
struct request_row {
	char id[2 * INVITATION_ID_LEN + 1];
	struct bundle bundle;
};
enum err request_list(struct errctx *ec, struct sync *y, struct request_row **out, size_t *count) MUST_CHECK;
/* Lets the joiner into the neighbourhood as a member. In a transaction. */
enum err request_approve(struct errctx *ec, struct sync *y, const struct space_row *neighbourhood,
                         const struct request_row *request, const char *name) MUST_CHECK;

enum err join_request_receive(struct errctx *ec, struct sync *y, const struct file_header *h, struct bytes file,
                              struct received *r, enum fate *fate, const char **why) MUST_CHECK;
enum err join_answer_receive(struct errctx *ec, struct sync *y, struct bytes file, struct received *r, enum fate *fate,
                             const char **why) MUST_CHECK;

#endif
