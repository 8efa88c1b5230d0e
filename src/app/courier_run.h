/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Starts the courier, hands it one job and passes on its report line by line while it works. The courier inherits three
 * descriptors and an environment of PATH and LANG, nothing else of this process.
 */
#ifndef SLB_APP_COURIER_RUN_H
#define SLB_APP_COURIER_RUN_H

#include <stdbool.h>

#include "base/err.h"
#include "courier/job.h"

/* Ten seconds more than the courier allows itself without progress, so that it is the one to say why. */
#define COURIER_SILENT_MS 70000
#define COURIER_TOTAL_MS 600000

/* One line of the report, "done" and "busy" excluded; its fields live until the function returns. Anything but ERR_OK
 * ends the courier, and courier_run() returns it. */
typedef enum err (*courier_line_fn)(void *arg, const struct report_line *line);

struct courier_call {
	const char *program; /* path of the courier */
	const struct job *job;
	courier_line_fn fn;
	void *arg;
	int silent_ms; /* killed after this long without a line */
	int total_ms;  /* and after this long in all */
};

/* ERR_OK: it came to its end and said so; failures of single branches, or of the whole job, arrived as "fail" lines.
 * ERR_NOT_FOUND: there is no such program. ERR_LATER: it died, was killed for silence, or spoke out of turn; what was
 * reported until then holds, and the same job can be run again. */
enum err courier_call(struct errctx *ec, const struct courier_call *call) MUST_CHECK;

/* The same with the usual limits. */
enum err courier_run(struct errctx *ec, const char *program, const struct job *job, courier_line_fn fn,
                     void *arg) MUST_CHECK;

/* Whom this process serves while the courier works: `serve` is called between two lines of the report, when `fd` can be
 * read and now and then besides. No transaction is open then, so it may read and write the vault as anybody may between
 * two steps of a sync; only another sync must wait. False breaks the exchange off (ERR_LATER). */
struct courier_meanwhile {
	int fd;
	bool (*serve)(void *ctx);
	void *ctx;
};
/* For the whole process, which has one owner and no threads; NULL: nobody. Borrowed until it is set anew. */
void courier_meanwhile_set(const struct courier_meanwhile *m);

#endif
