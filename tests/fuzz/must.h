/* SPDX-License-Identifier: EUPL-1.2 */
/* A broken promise aborts, which both the fuzzer and an ordinary test run notice. */
#ifndef SLB_TESTS_FUZZ_MUST_H
#define SLB_TESTS_FUZZ_MUST_H

#include <stdlib.h>

#include "base/buf.h"

static inline void must(int holds)
{
	if (!holds)
		abort();
}

/* Frees `again`. */
static inline void must_equal(struct buf *again, struct bytes in)
{
	must(bytes_cmp(buf_bytes(again), in) == 0);
	buf_free(again);
}

#endif
