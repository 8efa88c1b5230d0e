/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Goal: whatever people, clocks, disks and hosts do, and in whatever order, no acknowledged edit is lost (M2), all
 * members of a space end with the same bytes (M1), and these are what a model says that shares no code with the
 * program.
 *
 * Each seed plays 2 to 6 devices, one in five up to 10, one in fifty up to 30 (docs/TESTING.md, "The simulator").
 * SLB_SOAK=n plays n times as many seeds, SLB_SIM_FROM=n those from n on, SLB_SIM_SEED=n only that one, told step by
 * step.
 */
#ifndef SLB_TESTS_SIM_SEEDS_H
#define SLB_TESTS_SIM_SEEDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/random.h"
#include "sim/play.h"

#define SEEDS 1000

static uint64_t seeds_part;
static uint64_t seeds_parts;

static void every_seed_ends_equal(void **state)
{
	const char *end = getenv("SLB_SIM_SEEDS");
	const char *from = getenv("SLB_SIM_FROM");
	uint64_t first = 1 + seeds_part;

	(void)state;
	while (from != NULL && first < strtoull(from, NULL, 10))
		first += seeds_parts;
	play_seeds(first, seeds_parts, 1 + (end != NULL ? strtoull(end, NULL, 10) : SEEDS * random_soak()));
}

static int seeds_main(uint64_t part, uint64_t parts)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_seed_ends_equal) };

	seeds_part = part;
	seeds_parts = parts;
	world_start();
	return cmocka_run_group_tests_name("sim/seeds", tests, NULL, NULL);
}

#endif
