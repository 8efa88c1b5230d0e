/* SPDX-License-Identifier: EUPL-1.2 */
/* A home that was restored from a backup comes back among the others (S7); one that was away so long that it can open
 * nothing new gets the keys again. */
#ifndef SLB_APP_AGAIN_H
#define SLB_APP_AGAIN_H

#include "app/spaces.h"
#include "store/store.h"

struct rejoin_view {
	char space[128];
	bool alone; /* nobody else is in it: it is back */
	bool keys;  /* it was not restored: it stays the device it is, and asks for the keys of what is new */
	uint8_t fingerprint[FINGERPRINT_LEN];
};
/* In every space: asks to be let in again; where nobody else is, it is back at once. In a home that was not restored:
 * asks for the keys in every space where something waits for one. Asked again, it says the same. ERR_REFUSED with a
 * sentence where there is nothing of either. free() the list. */
enum err app_rejoin(struct errctx *ec, struct app *app, struct rejoin_view **out, size_t *count) MUST_CHECK;

/* Private to app/: may this home sync? Not a restored one that did not ask; ERR_LATER with a sentence. */
enum err again_may_sync(struct errctx *ec, struct app *app) MUST_CHECK;
/* Is there nothing to fetch or send in this space: restored, and not let in yet? */
enum err again_away(struct errctx *ec, struct store *store, int64_t space, bool *away) MUST_CHECK;
/* After a round of a sync that went well. *more: it has something to send now. */
enum err again_after_round(struct errctx *ec, struct app *app, bool *more) MUST_CHECK;
/* Lets in whose request to come back has this id, or starts so; *found false: there is none. `name`: of the person. */
enum err again_approve(struct errctx *ec, struct app *app, const char *id, char name[static APP_NAME_MAX],
                       bool *found) MUST_CHECK;
/* Turns it down. */
enum err again_decline(struct errctx *ec, struct app *app, const char *id, char name[static APP_NAME_MAX],
                       bool *found) MUST_CHECK;

#endif
