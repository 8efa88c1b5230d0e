// SPDX-License-Identifier: EUPL-1.2
// Goal: a seed is a whole story: played again, after others, it is the same to the last byte that reached a host. Else
// a failure could not be looked at.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/play.h"

#define SEEDS 12

static void a_seed_replays_exactly(void **state)
{
	struct play_counts counts = { 0 };
	uint64_t first[SEEDS];

	(void)state;
	for (uint64_t i = 0; i < SEEDS; i++)
		first[i] = play_seed(1 + i, false, &counts);
	for (uint64_t i = SEEDS; i-- > 0;)
		assert_int_equal(play_seed(1 + i, false, &counts), first[i]);
	for (uint64_t i = 1; i < SEEDS; i++)
		assert_int_not_equal(first[i], first[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_seed_replays_exactly) };

	world_start();
	return cmocka_run_group_tests_name("sim/replay", tests, NULL, NULL);
}
