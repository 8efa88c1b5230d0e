/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The process that holds keys, and the process that opens files for it.
 *
 * A command that runs without an owner confines itself before a passphrase is typed: then its home is all that it can
 * open. What the person named on the command line is opened by the starter (app/starter.h), which was forked before and
 * holds no key; it opens what was named and nothing else, but for `run`, of which the lines name files that the command
 * line does not.
 */
#ifndef SLB_CLI_HANDS_H
#define SLB_CLI_HANDS_H

#include <stdbool.h>

#include "base/err.h"
#include "cli/io.h"
#include "cli/named.h"
#include "confine/confine.h"

/* What the process is to keep of the disk besides the files that are named. */
enum hands_home {
	HANDS_HOME,  /* the home, which is there */
	HANDS_AROUND /* the folder that the home stands in, or would: it is made, moved or taken away as a whole */
};

struct hands {
	const char *home; /* absolute */
	const char *courier;
	enum hands_home keep;
	struct named named; /* words of this process */
	/* Files with passphrases, which this process reads itself: none passes through the starter. NULL: none. */
	const char *passphrases[2];
	bool listens; /* will serve as owner, at a socket that is open */
};

/* Forks the starter and leads the files of `io`, from io_direct(), through it; NULL: callers bring their own. Then
 * confines this process. */
enum err hands_begin(struct errctx *ec, const struct hands *h, struct io *io, struct confinement *active) MUST_CHECK;
/* The two halves, where something must be opened in between; `spare` are more places. */
enum err hands_start(struct errctx *ec, const struct hands *h, struct io *io) MUST_CHECK;
enum err hands_confine(struct errctx *ec, const struct hands *h, const struct confine_place *spare, size_t spares,
                       struct confinement *active) MUST_CHECK;
/* Before the process ends: waits for the starter. */
void hands_end(void);

#endif
