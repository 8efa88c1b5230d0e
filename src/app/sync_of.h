/* SPDX-License-Identifier: EUPL-1.2 */
/* What the functions of sync/ work with, of a home that is open. Private to app/. */
#ifndef SLB_APP_SYNC_OF_H
#define SLB_APP_SYNC_OF_H

#include "app/session.h"
#include "sync/keys.h"

static inline struct sync sync_of(struct app *app)
{
	return (struct sync){ app->store, app->zip, app->rng, app->clock };
}

#endif
