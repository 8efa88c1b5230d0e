/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Letters of a member who can open no epoch any more (DESIGN: "away and gone"): it was away so long that the others
 * closed the epochs it has, and the keys of the newer ones went to a box key of which it has no secret. It stays the
 * device that it is: what it wrote keeps its dots.
 *
 * It draws a new box key and tells it in a letter that its signing key signed (docs/FORMAT.md). A member compares six
 * words with the person and approves: the member's next batch tells all others that box key, so that the keys of epochs
 * come to it from whoever has them (sync/closing.h), and an answer holds those of now. A letter is of no use any more
 * as soon as a later batch of that device is known, so that showing it again does nothing. A device that was removed
 * stays out; nothing but the words tells whether somebody else holds the signing key.
 */
#ifndef SLB_SYNC_REBOX_H
#define SLB_SYNC_REBOX_H

#include "sync/acts.h"
#include "sync/apply.h"

/* Header with this number | number 8 | bundle | signature 64, as struct rebox has them. */
#define REBOX_SEQ 17
#define REBOX_SAID_LEN (8 + BUNDLE_LEN + SIGN_LEN)
#define REBOX_LEN (FILE_HEADER_LEN + REBOX_SAID_LEN)

/* The letter; `h`: its space and the tag of the branch it will lie on. */
void rebox_letter(const struct file_header *h, const struct rebox *said, uint8_t out[static REBOX_LEN]);

/* How many files of this space wait for the key of an epoch, where it is this home's to ask for it? A member who is
 * away itself may have begun that one. */
enum err rebox_lacks(struct errctx *ec, struct sync *y, const struct space_row *space, uint64_t *files) MUST_CHECK;
/* The same, and 0 where somebody else was heard of within two weeks of whom everything can be read: then it is that one
 * author who has to come back, and not this home. */
enum err rebox_shut_out(struct errctx *ec, struct sync *y, const struct space_row *space, uint64_t *files) MUST_CHECK;
/* Asks for the keys, where some are lacking: puts the letter into the outgoing files; asked again, says the same.
 * `fingerprint` is for six words. *asked false: there is nothing to ask for. ERR_REFUSED with a sentence where this
 * device was removed. Within a transaction. */
enum err rebox_ask(struct errctx *ec, struct sync *y, const struct space_row *space,
                   uint8_t fingerprint[static HASH_LEN], bool *asked) MUST_CHECK;

/* Letters of others that came in and wait for somebody's word, of devices that are in. free() the list. */
struct rebox_row {
	char id[17];
	int64_t space;
	struct device_id device;
	struct dot person;
	struct rebox said;
};
enum err rebox_list(struct errctx *ec, struct sync *y, struct rebox_row **out, size_t *count) MUST_CHECK;
/* Within a transaction. ERR_REFUSED with a sentence where the device was removed meanwhile. */
enum err rebox_approve(struct errctx *ec, struct sync *y, const struct rebox_row *row) MUST_CHECK;
/* Takes the letter from the list, and remembers that. Within a transaction. */
enum err rebox_decline(struct errctx *ec, struct sync *y, const struct rebox_row *row) MUST_CHECK;

enum err rebox_request_receive(struct errctx *ec, struct sync *y, const struct file_header *h, struct bytes file,
                               struct received *r, enum fate *fate, const char **why) MUST_CHECK;
/* FATE_OTHER: not an answer to a letter of this home. FATE_WAITS: whoever signed it is not known here yet. */
enum err rebox_answer_receive(struct errctx *ec, struct sync *y, struct bytes file, struct received *r, enum fate *fate,
                              const char **why) MUST_CHECK;

#endif
