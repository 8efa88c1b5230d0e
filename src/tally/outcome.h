/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a referral counts as. It counts once, ever: in the quarter in which it was first sent (`verstuurd`), by its
 * state 30 days after the last day of that quarter; so later news never changes a table that is out, and the quarters
 * share no referral.
 */
#ifndef SLB_TALLY_OUTCOME_H
#define SLB_TALLY_OUTCOME_H

#include "model/record.h"

/* The day of the first `verstuurd` that stands; false when it was never sent. */
bool outcome_sent(const struct event *events, size_t count, int64_t *day);
/* The id of list `outcome` for the state on `day`; NULL when it was not sent by then. `events` as record_events()
 * sorts them. A refusal counts for the side of its reason; `anders` and no reason at all count for the organisation,
 * as does sending on to another one. Statuses of a newer version and `plan` change nothing. */
const char *outcome_at(const struct event *events, size_t count, int64_t day);

#endif
