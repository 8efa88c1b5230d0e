/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SLB_APP_CONFINED_H
#define SLB_APP_CONFINED_H

#include "app/session.h"
#include "confine/confine.h"

/* How a courier that is started now is confined, for the repository of the first neighbourhood: it is started to say so
 * and does nothing else. Zero where it said nothing. ERR_LATER, ERR_NOT_FOUND: it could not be asked. */
enum err app_courier_confined(struct errctx *ec, struct app *app, struct confinement *out) MUST_CHECK;

#endif
