/* SPDX-License-Identifier: EUPL-1.2 */
/* Is this the passphrase of a home that is open already? */
#ifndef SLB_APP_UNLOCKING_H
#define SLB_APP_UNLOCKING_H

#include "app/session.h"

/* One derivation. ERR_LOCKED where it is not. */
enum err app_passphrase_check(struct errctx *ec, struct app *app, struct bytes passphrase) MUST_CHECK;

#endif
