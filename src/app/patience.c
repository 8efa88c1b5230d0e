// SPDX-License-Identifier: EUPL-1.2
#include "app/patience.h"

#include <time.h>

int64_t patience_ms(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
