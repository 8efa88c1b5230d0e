/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a coordinator says of where the repository is and how to come in there: a setting of the neighbourhood, which
 * every home follows (K4: the setting counts for nobody when somebody else writes it). Only addresses of hosts are
 * said and followed: a folder means something else on each computer. Private to app/.
 *
 * The setting is named "repository"; its value is base32 of the access (sync/access.h; "-" where there is none), a
 * blank, and the address. Of several the first counts.
 */
#ifndef SLB_APP_MOVING_H
#define SLB_APP_MOVING_H

#include "app/session.h"

struct space_row;

/* May this person say so? */
enum err moving_may(struct errctx *ec, struct app *app, const struct space_row *neighbourhood, bool *out) MUST_CHECK;
/* Says it. `acted`: this home does so already; else it follows like everybody, when the setting was sent. */
enum err moving_say(struct errctx *ec, struct app *app, const struct space_row *neighbourhood, const char *url,
                    const struct access *access, bool acted) MUST_CHECK;
/* Follows what was said since the last time. *moved: the address is another one now. A login that is this person's own
 * stays where the address does. */
enum err moving_follow(struct errctx *ec, struct app *app, int64_t neighbourhood, bool *moved) MUST_CHECK;

#endif
