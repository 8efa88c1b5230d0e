/* SPDX-License-Identifier: EUPL-1.2 */
/* Taking a home off this device. */
#ifndef SLB_APP_WIPE_H
#define SLB_APP_WIPE_H

#include "app/session.h"

/* Is this the passphrase of the home? One derivation; nothing is opened. ERR_LOCKED where it is not. */
enum err app_wipe_check(struct errctx *ec, const char *home, struct bytes passphrase) MUST_CHECK;

/* Was a wipe of this home begun and cut off after its key file went? Then it has no keys any more and app_wipe() can go
 * on without a passphrase. */
bool app_wipe_begun(const char *home);

struct wiped_view {
	uint64_t files_left; /* in the home's folder, that are not of this program; the folder stays then */
};

/* The key file goes first, for good; what is left is noise from then on. Then everything that belongs to a home, and
 * the folder where nothing else is in it. No vault of it may be open. Killed in between, the same call ends it. */
enum err app_wipe(struct errctx *ec, const struct app_options *o, struct wiped_view *out) MUST_CHECK;

#endif
