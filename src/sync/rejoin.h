/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Letters about coming back into a space (S7), between a home that was restored and a member.
 *
 * The request lies open on the branch of letters (docs/FORMAT.md): old device, new keys, signed with both. It proves
 * who held the old key, not who asks: a member compares six words with the person. Then the member's next batch says
 * that the old device goes on under the new id and, where the member may, that the old one is removed; and a box for
 * the new keys holds the epochs and how far everybody had come.
 */
#ifndef SLB_SYNC_REJOIN_H
#define SLB_SYNC_REJOIN_H

#include "model/wire.h"
#include "sync/again.h"
#include "sync/apply.h"

/* Request: header with this number | old device 8 | day on which the backup was made 4 | signature of the old key over
 * goes_on_hash() 64 | bundle | signature of the new key over all of it 64. */
#define REJOIN_SEQ 16
#define REJOIN_LEN (FILE_HEADER_LEN + DEVICE_ID_LEN + 4 + SIGN_LEN + BUNDLE_LEN + SIGN_LEN)

/* The letter; `h`: its space and the tag of the branch it will lie on. */
void rejoin_letter(const struct file_header *h, const struct again *a, const struct device_keys *keys,
                   uint8_t out[static REJOIN_LEN]);
/* Asks to be let in again, in a restored home: draws keys, puts the letter into the outgoing files; asked again, says
 * the same. `fingerprint` is for six words. Within a transaction. */
enum err rejoin_ask(struct errctx *ec, struct sync *y, const struct space_row *space, int64_t made_ms,
                    uint8_t fingerprint[static HASH_LEN]) MUST_CHECK;
/* Is nobody else in the space, as far as is known here? */
enum err rejoin_alone(struct errctx *ec, struct sync *y, const struct space_row *space, bool *alone) MUST_CHECK;

/* Requests of others that came in, of devices that are in. */
struct rejoin_row {
	char id[17];
	int64_t space;
	struct device_id old;
	struct dot person;
	int64_t made_day; /* days since 1970-01-01 */
	struct bundle bundle;
	uint8_t signature[SIGN_LEN];
};
enum err rejoin_list(struct errctx *ec, struct sync *y, struct rejoin_row **out, size_t *count) MUST_CHECK;
/* Within a transaction. ERR_REFUSED with a sentence where the device was removed meanwhile. */
enum err rejoin_approve(struct errctx *ec, struct sync *y, const struct rejoin_row *row) MUST_CHECK;

/* Takes it from the list for good. Within a transaction. */
enum err rejoin_decline(struct errctx *ec, struct sync *y, const struct rejoin_row *row) MUST_CHECK;

enum err rejoin_request_receive(struct errctx *ec, struct sync *y, const struct file_header *h, struct bytes file,
                                enum fate *fate, const char **why) MUST_CHECK;
/* The answer for whoever asked with these keys: the epochs and how far everybody had come, in a box for them. */
enum err rejoin_answer_send(struct errctx *ec, struct sync *y, const struct space_row *space,
                            const struct bundle *to) MUST_CHECK;
/* Reads what such a box held up to its epochs; *known: a member signed it who is known here. ERR_DAMAGED: it is no
 * answer about this space to whoever has this bundle. */
enum err rejoin_answer_read(struct errctx *ec, struct sync *y, const struct space_row *space, struct bytes plain,
                            const uint8_t bundle[static BUNDLE_LEN], struct wire_in *in, bool *known) MUST_CHECK;
/* FATE_OTHER: not an answer to a request of this home. */
enum err rejoin_answer_receive(struct errctx *ec, struct sync *y, struct bytes file, struct received *r,
                               enum fate *fate, const char **why) MUST_CHECK;

#endif
