/* SPDX-License-Identifier: EUPL-1.2 */
/* What of the secrets and notes that other layers keep in a vault may travel in a backup. Private to app/. */
#ifndef SLB_APP_BACKUP_KEPT_H
#define SLB_APP_BACKUP_KEPT_H

#include "store/store.h"

enum backup_class {
	BACKUP_GOES,     /* a key, or nothing that this program knows: it is not in any backup */
	BACKUP_STAYS,    /* no secret */
	BACKUP_SIGN_ONLY /* the keys of a device: the signing key stays, the box secret goes */
};

/* By the name under which it is kept. */
enum backup_class backup_class_of(const char *name);

/* Takes out of this store, of a copy, what may not travel; the log must be truncated afterwards. */
enum err backup_kept_strip(struct errctx *ec, struct store *s) MUST_CHECK;

#endif
