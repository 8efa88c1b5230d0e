/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What was sent, and neither the host nor the courier's cache holds any more, is handed over again (S3, S5): batches
 * are carried (sync/carry.h), under the epoch of now; keys of epochs are boxed once more, for everybody who is in;
 * letters about joining go out as they were. Until the host was seen to hold it, it counts as not sent (S2).
 */
#ifndef SLB_SYNC_HANDED_H
#define SLB_SYNC_HANDED_H

#include "sync/keys.h"

/* Names of files that the host does show on that branch. */
struct names {
	char (*name)[FILE_NAME_MAX + 1];
	size_t n;
};
enum err names_add(struct names *list, const char *name) MUST_CHECK; /* longer ones are passed over */
bool names_hold(const struct names *list, const char *name);
void names_free(struct names *list);

/* Everything that this device had sent on its branch `ref` and that is not among `shown` goes into the outgoing files
 * again. *again: how many files of it were missing. Within a transaction. */
enum err handed_again(struct errctx *ec, struct sync *y, const char *ref, const struct names *shown,
                      size_t *again) MUST_CHECK;

#endif
