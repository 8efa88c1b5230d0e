/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What was sent, and neither the host nor the courier's cache holds any more, is handed over again (S3, S5): batches
 * are carried (sync/carry.h), under the epoch of now; keys of epochs are boxed once more, for everybody who is in;
 * letters about joining go out as they were. Until the host was seen to hold it, it counts as not sent (S2).
 */
#ifndef SLB_SYNC_HANDED_H
#define SLB_SYNC_HANDED_H

#include "sync/keys.h"

/* Files that the host does show on that branch. Letters are told by their bytes as well: what was changed on the way
 * fails its seal for whom it is meant for, and not here. */
struct seen_file {
	char name[FILE_NAME_MAX + 1];
	uint8_t hash[HASH_LEN]; /* of a letter */
};
struct names {
	struct seen_file *file;
	size_t n;
};
/* Those with a longer name are passed over. */
enum err names_add(struct names *list, const char *ref, const char *name, struct bytes file) MUST_CHECK;
bool names_hold(const struct names *list, const char *name);
void names_free(struct names *list);

/* Everything that this device had sent on its branch `ref` and that is not among `shown` goes into the outgoing files
 * again. *again: how many files of it were missing. Within a transaction. */
enum err handed_again(struct errctx *ec, struct sync *y, const char *ref, const struct names *shown,
                      size_t *again) MUST_CHECK;

#endif
