/* SPDX-License-Identifier: EUPL-1.2 */
/* For functions that read or write one thing after the other and clean up at the end: they have `enum err e` and the
 * label `done`. */
#ifndef SLB_BASE_TRY_H
#define SLB_BASE_TRY_H

#include "base/err.h"

/* Goes to `done` with the error, if it is one. */
#define TRY(x)                                                                                                         \
	do {                                                                                                           \
		e = (x);                                                                                               \
		if (e != ERR_OK)                                                                                       \
			goto done;                                                                                     \
	} while (0)

/* The same with ERR_DAMAGED where something read is not as it must be. */
#define MUST_BE(x) TRY((x) ? ERR_OK : ERR_DAMAGED)

#endif
