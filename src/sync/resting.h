/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Devices of which nothing new was taken in here for 60 days rest: nobody waits for them. It is this device's own
 * view, by its own clock, and ends with the next batch of theirs; what counts does not depend on it (M1).
 */
#ifndef SLB_SYNC_RESTING_H
#define SLB_SYNC_RESTING_H

#include "sync/keys.h"

#define RESTING_DAYS 60

/* A batch of it was applied just now. Written once a day at most. Within a transaction. */
enum err device_was_seen(struct errctx *ec, struct sync *y, struct device_id dev) MUST_CHECK;
/* It is waited for: where it never wrote, its 60 days begin. Within a transaction. */
enum err device_was_named(struct errctx *ec, struct sync *y, struct device_id dev) MUST_CHECK;
/* The day on which a batch of it was applied last, since 1970-01-01; 0: never. */
enum err device_seen_day(struct errctx *ec, struct sync *y, struct device_id dev, int64_t *day) MUST_CHECK;
/* Nothing of it was taken in for RESTING_DAYS, or nothing at all in so many days after it was waited for first. One
 * that is not active does not rest. */
enum err device_is_resting(struct errctx *ec, struct sync *y, const struct device_row *device, bool *out) MUST_CHECK;

/* Days since the last news of a device came; -1: none ever did. */
enum err device_quiet_days(struct errctx *ec, struct sync *y, struct device_id dev, int64_t *days) MUST_CHECK;

#endif
