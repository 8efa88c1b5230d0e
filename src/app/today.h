/* SPDX-License-Identifier: EUPL-1.2 */
/* The first screen: whom do I still have to call, which organisations do not answer, what waits for a person. */
#ifndef SLB_APP_TODAY_H
#define SLB_APP_TODAY_H

#include "app/contacts.h"
#include "app/referrals.h"
#include "app/retention.h"

struct today {
	int64_t day;
	struct contact_list
	    follow_ups;              /* due today or earlier, longest ago first; nobody who asked not to be reached */
	struct referral_list plans;  /* still to send, and the planned day has come */
	struct referral_list silent; /* more than SILENT_DAYS without an answer */
	size_t two_versions;         /* records */
	size_t set_aside;
	struct retention_list retention; /* of circles where something is older than its rule */
};

/* Free with today_free(), also after a failure. */
enum err today_read(struct errctx *ec, struct app *app, struct today *out) MUST_CHECK;
void today_free(struct today *t);

#endif
