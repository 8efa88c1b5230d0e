// SPDX-License-Identifier: EUPL-1.2
// Goal: see tests/sim/seeds.h; this program plays the seeds with remainder 1 modulo 2.
#include "sim/seeds.h"

int main(void)
{
	return seeds_main(1, 2);
}
