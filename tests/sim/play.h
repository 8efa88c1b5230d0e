/* SPDX-License-Identifier: EUPL-1.2 */
/* One seed, from an empty world to the end in which all must be equal. */
#ifndef SLB_TESTS_SIM_PLAY_H
#define SLB_TESTS_SIM_PLAY_H

#include "sim/world.h"

/* What all seeds of a run together saw: a simulator in which nothing happens proves nothing. */
struct play_counts {
	uint64_t seeds, devices, members, edits, syncs, crashes, losses, checks, two_rounds;
	uint64_t cuts, gone, tried, compacted;
	struct host_counts host;
};

/* Ends the process with the seed's number on a failure. Returns a digest of all that the hosts ever got. */
uint64_t play_seed(uint64_t seed, bool trace, struct play_counts *counts);
/* Seeds first, first + every, ... below `end`; SLB_SIM_SEED=n plays only that one, with a trace. Prints the counts. */
void play_seeds(uint64_t first, uint64_t every, uint64_t end);

#endif
