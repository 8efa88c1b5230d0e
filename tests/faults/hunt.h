/* SPDX-License-Identifier: EUPL-1.2 */
/* Goes through a recording (faults/crash.h), draws states that the disk may be in, and has each distinct one judged. */
#ifndef SLB_TESTS_FAULTS_HUNT_H
#define SLB_TESTS_FAULTS_HUNT_H

#include "faults/crash.h"
#include "faults/flows.h"

/* Judges the state drawn last; `self` is the caller's. */
typedef enum flow_verdict (*judge_fn)(void *self, struct crash *c, char why[static FLOW_WHY]);

struct hunt {
	judge_fn judge;
	void *self;
	size_t states;      /* to be judged */
	bool stop_at_first; /* that is not fine */
};

struct tally {
	size_t states;
	size_t found[FLOW_VERDICTS];
	char first[FLOW_WHY + 200]; /* the first that was not fine */
};

/* Rounds over the whole recording until there are as many states as were asked for, or no more to be had. */
struct tally hunt_run(struct crash *c, const struct hunt *h);
/* Not fine, of whatever kind. */
size_t hunt_lost(const struct tally *t);
/* Prints the figures; fails the test where anything was lost. */
void hunt_say(const char *name, const struct crash *c, const struct tally *t);
/* Leaves out one sync after the other. Returns how many of them were missed. */
size_t hunt_leave_out_each(struct crash *c, const struct hunt *h, const char *name);

#endif
