/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The limits the courier sets on itself, because what it reads may be hostile: 60 s of processor time, 60 s without
 * progress, 320 MiB of address space, 2 GiB a file, no core dump. The first two end the process with a last report
 * line "fail later ..." and the exit status that goes with it.
 */
#ifndef SLB_COURIER_WATCHDOG_H
#define SLB_COURIER_WATCHDOG_H

#include "base/err.h"
#include "confine/confine.h"

#define WATCHDOG_CPU_S 60
#define WATCHDOG_IDLE_S 60
#define WATCHDOG_MEMORY (320ull << 20)
#define WATCHDOG_FILE (2048ull << 20)
#define WATCHDOG_BUSY_S 10

/* Once, before anything else is read. *active says what of it is so. */
enum err watchdog_start(struct errctx *ec, struct confinement *active) MUST_CHECK;
/* Something was achieved: an object copied, a commit walked, bytes written. */
void watchdog_kick(void);

#endif
