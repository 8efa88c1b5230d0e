/* SPDX-License-Identifier: EUPL-1.2 */
/* A process in the background that outlives the command that began it: without a terminal, with nothing of what was
 * open, and without a memory image (V1). It reports to the one that waits how it began. */
#ifndef SLB_CLI_DETACH_H
#define SLB_CLI_DETACH_H

#include <stdbool.h>

#include "base/err.h"

/* Its descriptors: where it reports, and the one that it was given. */
enum { DETACHED_REPORT = 3, DETACHED_GIVEN = 4 };

struct detached {
	int report; /* the end to write to */
	int given;  /* -1: none */
	void (*main)(
	    void *ctx); /* in the new process; its signals are as at the start of a program. Ends with _exit() */
	void *ctx;
};

/* Forks it; the descriptors stay open here. Nobody has to wait for its end. */
enum err detach(struct errctx *ec, const struct detached *d) MUST_CHECK;

/* In the new process: how it went. The report is a struct errctx as it stands in memory: both ends are one program,
 * forked, so that the address of the sentence in it is good in both. False where nobody listens any more. */
bool report_put(const struct errctx *ec);
/* The next report from `fd`; `ended`, a sentence for people, where it ended without one. */
enum err report_get(struct errctx *ec, int fd, const char *ended) MUST_CHECK;

#endif
