/* SPDX-License-Identifier: EUPL-1.2 */
/* Which referrals hang on which contact, for code that goes through all of a space: no query for each contact.
 * Private to app/. */
#ifndef SLB_APP_LINKS_H
#define SLB_APP_LINKS_H

#include "app/session.h"
#include "store/store.h"

struct link {
	struct dot contact;
	struct dot referral;
};

struct links {
	struct link *item; /* ascending by contact, then referral */
	size_t n;
};

/* Of every referral in a space that is not erased; one without a contact has the dot none. Free with links_free(), also
 * after a failure. */
enum err links_read(struct errctx *ec, struct app *app, int64_t space, struct links *out) MUST_CHECK;
void links_free(struct links *l);

/* The run of links of one contact; *n is 0 where there are none. */
const struct link *links_of(const struct links *l, struct dot contact, size_t *n);

#endif
