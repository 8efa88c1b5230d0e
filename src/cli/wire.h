/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The conversation between a caller and the owner over a Unix stream socket.
 *
 * A frame is an 8-byte header and a body:
 *
 *   offset  size  what
 *   0       1     kind (enum frame)
 *   1       1     number of descriptors passed with the frame (SCM_RIGHTS), 0 or 1
 *   2       2     WIRE_VERSION, big-endian
 *   4       4     length of the body, big-endian, at most WIRE_BODY_MAX
 *
 * Bodies are fields in the order that the kind prescribes: an integer is 4 bytes big-endian, a text is its length as
 * an integer and its bytes.
 *
 *   caller to owner               owner to caller
 *   RUN, see request.h            STARTED  the command begins now          DONE    exit status; the last frame
 *                                 OUT, ERR bytes for the caller's streams  REFUSED another version of the program
 *   ANSWER to one of these:       OPEN, MAKE_DIR, WRITE_BEGIN, WRITE_COMMIT, WRITE_ABORT, PASSPHRASE,
 *                                 DIR_BEGIN, DIR_COMMIT, DIR_ABORT
 */
#ifndef SLB_CLI_WIRE_H
#define SLB_CLI_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define WIRE_VERSION 2
#define WIRE_HEADER 8
#define WIRE_BODY_MAX (2 * 1024 * 1024)
/* Descriptors that may be waiting for their frames; more is misuse. */
#define WIRE_FDS 4

enum frame {
	FRAME_RUN = 1,
	FRAME_ANSWER,
	FRAME_STARTED,
	FRAME_OUT,
	FRAME_ERR,
	FRAME_DONE,
	FRAME_REFUSED,
	FRAME_OPEN,
	FRAME_MAKE_DIR,
	FRAME_WRITE_BEGIN,
	FRAME_WRITE_COMMIT,
	FRAME_WRITE_ABORT,
	FRAME_PASSPHRASE,
	FRAME_DIR_BEGIN,
	FRAME_DIR_COMMIT,
	FRAME_DIR_ABORT,
	FRAME_KINDS
};

/* Both buffers may hold what somebody typed; they are wiped. Zero-initialise, then set fd (non-blocking). */
struct wire {
	int fd;
	struct buf in;
	struct buf out;
	size_t out_pos; /* sent so far */
	struct {
		size_t at; /* its frame begins here in `out` */
		int fd;
	} out_fd;          /* .fd is -1, or a descriptor to be sent with the frame at `at`; closed once sent */
	int fds[WIRE_FDS]; /* received, not yet claimed by a frame */
	unsigned fd_count;
	bool gone; /* the other end has closed, failed or misbehaved */
};

struct frame_in {
	enum frame kind;
	unsigned version;
	struct bytes body; /* in wire.in; valid until wire_drop() */
	size_t pos;        /* reading position in body */
	int fd;            /* -1, or the descriptor that came along; the reader's */
	bool bad;          /* a field did not fit */
};

void wire_init(struct wire *w, int fd);
/* Closes everything and wipes. */
void wire_clear(struct wire *w);

/* Takes in what is there, without waiting. Sets `gone` at the end, on an error, on a frame that breaks the rules. What
 * came before the end can still be taken. */
void wire_receive(struct wire *w);
/* True where a whole frame is there; *f then borrows from the buffer until wire_drop(). */
bool wire_take(struct wire *w, struct frame_in *f);
void wire_drop(struct wire *w, const struct frame_in *f);

uint32_t frame_get_int(struct frame_in *f);
struct bytes frame_get_bytes(struct frame_in *f);
/* As fresh memory with a NUL; NULL where it is bad, holds a NUL or memory is short. */
char *frame_get_text(struct frame_in *f);
/* True where all fields fitted and nothing is left over. */
bool frame_ended(const struct frame_in *f);

/* Builds a body; then wire_put() queues the frame. */
enum err frame_put_int(struct buf *body, uint32_t v) MUST_CHECK;
enum err frame_put_text(struct buf *body, const char *s) MUST_CHECK;
/* `fd` is -1 or a descriptor that the wire owns from here on, also on failure; at most one waits to be sent. */
enum err wire_put(struct wire *w, enum frame kind, struct bytes body, int fd) MUST_CHECK;
/* Sends what can be sent without waiting. */
void wire_send(struct wire *w);
static inline size_t wire_unsent(const struct wire *w)
{
	return w->out.len - w->out_pos;
}

/* Waits at most `ms` (negative: for ever) for a frame; false where none came: time is up, the other end is gone, or
 * `stop` (a descriptor, or -1) became readable. What is queued is sent meanwhile. */
bool wire_next(struct wire *w, int ms, int stop, struct frame_in *f);
/* Sends until at most `left` bytes are unsent. Waits at most `ms` each time for progress, then false and `gone`. */
bool wire_send_down_to(struct wire *w, size_t left, int ms, int stop);

#endif
