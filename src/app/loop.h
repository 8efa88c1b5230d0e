/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What became of a referral, read from its events: pure, for lists as well as for counting.
 *
 * "Referred" is not "helped": three facts with their dates. Tried: it was sent. Reached: the service gave any answer;
 * a refusal is one, silence is not, nor is a reason on the resident's side. Helped: the resident got help.
 */
#ifndef SLB_APP_LOOP_H
#define SLB_APP_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A referral that waits longer than this for an answer is silent. */
#define SILENT_DAYS 14

enum reason_side { SIDE_NONE, SIDE_SERVICE, SIDE_RESIDENT };

/* An event as it stands; texts are ids of the lists `status` and `reason`, or an id from a newer version. */
struct loop_event {
	const char *status;
	int64_t day;
	const char *reason; /* NULL: none */
};

struct loop {
	const char *status;  /* of the latest event; NULL without events */
	const char *reason;  /* of the latest event */
	const char *outcome; /* id of the list `outcome`; NULL: not sent, or a status from a newer version */
	bool silent;
	int64_t since;   /* the day of the latest event; NO_DAY without events */
	int64_t tried;   /* NO_DAY: not yet; so are the next two */
	int64_t reached; /* the first answer */
	int64_t helped;
};

/* Events in their order (model/record.h); borrowed texts. `today` decides on silence. */
struct loop loop_read(const struct loop_event *events, size_t count, int64_t today);

enum reason_side loop_reason_side(const char *reason);
/* As what a referral in this state counts. `doorgestuurd` and a reason that is on nobody's side count with the
 * service, which did not take the resident in. */
const char *loop_outcome(const char *status, const char *reason);
/* May an event of this status end the loop? */
bool loop_ends(const char *status);

#endif
