/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a caller asks of the owner: body of FRAME_RUN, with the caller's standard input as its descriptor.
 *
 *   integer  enum request_flags
 *   text     language, as lang_name()
 *   text     which home, as home_id()
 *   integer  argc, 1 to OWNER_ARGS_MAX
 *   text     argv[0] to argv[argc - 1]
 */
#ifndef SLB_CLI_REQUEST_H
#define SLB_CLI_REQUEST_H

#include "cli/owner.h"
#include "cli/wire.h"

enum request_flags {
	REQUEST_JSON = 1,
	REQUEST_QUIET = 2,
	REQUEST_IN_TTY = 4,
	REQUEST_OUT_TTY = 8,
	REQUEST_ERR_TTY = 16,
};

/* Zero-initialised it is empty. */
struct request {
	unsigned flags;
	const char *lang; /* static */
	char *home;
	int argc;
	char **argv; /* argv[argc] is NULL */
	int in_fd;   /* -1 or the request's own */
};

/* ERR_INPUT where the command line is too long to hand over. */
enum err request_put(struct errctx *ec, const struct owner_request *rq, const char *home_id,
                     struct buf *body) MUST_CHECK;
/* Takes the descriptor of the frame. False where the frame is not a request; *r is then empty. */
bool request_get(struct frame_in *f, struct request *r);
/* Wipes the words. */
void request_clear(struct request *r);

#endif
