/* SPDX-License-Identifier: EUPL-1.2 */
/* The io of a command that runs in the owner: what it prints travels in frames, what it opens is opened by the caller
 * (serve side), and the caller's half of that (answer side). */
#ifndef SLB_CLI_HANDED_H
#define SLB_CLI_HANDED_H

#include "cli/files.h"
#include "cli/io_ops.h"
#include "cli/named.h"
#include "cli/owner.h"
#include "cli/request.h"
#include "cli/wire.h"

struct handed {
	struct wire *w; /* borrowed */
	struct owner_limits limits;
	int stop;      /* descriptor that becomes readable when the owner must end */
	bool stopping; /* it did while this command ran: the caller counts as gone */
	char out_buffer[4096];
};

/* Opens the streams of *io over the wire; `rq` and `h` live as long as *io. ERR_NO_MEMORY. */
enum err handed_open(struct handed *h, const struct request *rq, struct io *io) MUST_CHECK;
/* Queues what is still in the streams, closes them, wipes the buffer. */
void handed_close(struct io *io);

/* Leads the files of these operations over the wire, for a `self` that is a struct handed. */
void handed_files(struct io_ops *ops);

/* The caller's half: does what one frame asks and queues the answer. Files that `named` does not have are refused
 * (EACCES); `io` is asked for passphrases alone. False where the frame is none of these. */
bool handed_answer(struct wire *w, struct frame_in *f, struct io *io, struct files *files, const struct named *named);

#endif
