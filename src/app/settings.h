/* SPDX-License-Identifier: EUPL-1.2 */
/* What a person sets for this home. Each has a name, a whole number and bounds. */
#ifndef SLB_APP_SETTINGS_H
#define SLB_APP_SETTINGS_H

#include "app/session.h"

#define SETTING_LOCK "lock-minutes" /* without a person's action, then the interface locks; 1 to 240 */

/* `otherwise` where it was never set. */
int64_t setting_get(struct app *app, const char *name, int64_t otherwise);
/* ERR_INPUT outside its bounds, ERR_NOT_FOUND for a name that is none. */
enum err setting_put(struct errctx *ec, struct app *app, const char *name, int64_t value) MUST_CHECK;

#endif
