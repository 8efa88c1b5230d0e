/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One owner of the open vault.
 *
 * `unlock` leaves a process behind that holds the keys and the only connection to the vault. Any other command is
 * handed to it over a Unix socket and runs there for the caller's terminal: same output, same exit status. The socket
 * stands in a 0700 directory of one's own on a local file system: HOME/owner/ where that works, else a fresh
 * directory under $XDG_RUNTIME_DIR or /tmp that HOME/owner/where names. Both ends check the other's uid. Who owns a
 * home is decided by flock on HOME/owner/lock, held for life, so that what a killed owner left behind is recognised.
 *
 * One command at a time, in order of arrival; no threads. A caller that goes away does not stop its command (see
 * io_caller_gone), and its output is dropped. After owner_stop() returns, the process that held the keys has ended
 * (V6).
 *
 * The owner ignores SIGPIPE and catches SIGTERM, SIGINT and SIGHUP: whoever starts a child from run() gives it the
 * default dispositions.
 */
#ifndef SLB_CLI_OWNER_H
#define SLB_CLI_OWNER_H

#include <stdbool.h>

#include "app/secret_text.h"
#include "base/err.h"
#include "cli/io.h"
#include "confine/confine.h"

/* Longest command that can be handed over. */
#define OWNER_ARGS_MAX 4096
#define OWNER_REQUEST_MAX (1024 * 1024) /* bytes of all arguments together */

/* What the owner does. `ctx` is the caller's; paths in it are absolute, because the owner lives in "/". */
struct owner_job {
	/* Runs one command; argv[argc] is NULL; argv[0] is the program's name. Gives the exit status. */
	int (*run)(void *ctx, int argc, char **argv, struct io *io);
	/* Only for owner_spawn(): confine the new process, before it gets the passphrase; `spare` are places that
	 * serving needs. May be NULL. */
	enum err (*confine)(void *ctx, struct errctx *ec, const struct confine_place *spare, size_t spares);
	/* Only for owner_spawn(): derive the key and open, in the new process. */
	enum err (*open)(void *ctx, struct errctx *ec, const struct secret_text *passphrase);
	/* Only for owner_spawn(): close, before the process ends; called if `open` succeeded. May be NULL. */
	void (*close)(void *ctx);
	/* While nobody asks for anything: a step of a few milliseconds. False: nothing is left to do until the next
	 * command. May be NULL. */
	bool (*idle)(void *ctx);
	/* Somebody else whom this process serves, such as browsers: `also` is called when also_fd can be read, and when
	 * also_wait() milliseconds have passed (-1: no need). False ends the owner. All NULL: nobody. */
	int also_fd;
	bool (*also)(void *ctx);
	int (*also_wait)(void *ctx);
	void *ctx;
};

/* Times in milliseconds; 0 takes the default. */
struct owner_limits {
	int idle_ms;    /* without a command, then it ends; suspended time counts. Default: 10 minutes */
	int request_ms; /* for a caller to say what it wants. Default: 10 s */
	int answer_ms;  /* for a caller to open a file. Default: 30 s */
	int person_ms;  /* for a person to type a passphrase. Default: 5 minutes */
};

/* Longest `unlock --minutes`: a day. */
#define OWNER_MINUTES_MAX 1440

/* Becomes the one owner or says who is: takes HOME/owner/lock, waiting at most wait_ms for a command that runs just
 * now. A direct run holds it too while it has the vault open; *fd is closed to give it back (or at the end of the
 * process). ERR_REFUSED where it stays taken. The directory HOME must exist. */
enum err owner_claim(struct errctx *ec, const char *home, int wait_ms, int *fd) MUST_CHECK;

/* Serves until it is stopped (owner_stop, SIGTERM, SIGINT, SIGHUP) or idle; ERR_OK then. The caller holds the claim of
 * the home, before and after. For a process that has the vault open already, such as the web interface. */
enum err owner_serve(struct errctx *ec, const char *home, const struct owner_limits *limits,
                     const struct owner_job *job) MUST_CHECK;

/* Within a job: was this owner asked to end (owner_stop, a signal)? For work that goes on for long. */
bool owner_stopping(void);

/* Asks for the passphrase in the first process, after the owner's process exists. */
struct owner_asker {
	enum err (*ask)(void *ctx, struct errctx *ec, struct secret_text **out);
	void *ctx;
};

/* Starts an owner in the background: forks first, so that no memory of this process ever holds a key; the new process
 * has no terminal, no open descriptor of this one, no core dumps and a session of its own; it gets the passphrase over
 * a pipe, opens and serves. Returns when it listens, or with its error. ERR_REFUSED where there is an owner. */
enum err owner_spawn(struct errctx *ec, const char *home, const struct owner_limits *limits,
                     const struct owner_job *job, const struct owner_asker *asker) MUST_CHECK;

struct owner_request {
	const char *home;
	struct io *io; /* of this process, from io_direct() */
	int argc;      /* the whole command line, argv[0] included */
	char *const *argv;
	int wait_ms;         /* for the owner to begin; 0: two minutes */
	bool keeps_to_words; /* the owner gets files that `argv` names, and no others (cli/named.h) */
};

/* Where there is an owner, runs the command there. *handled is false where there is none (or it ended before it began
 * this command): then nothing happened, and the caller goes on by itself. ERR_LATER where the owner does not get to it
 * in time; ERR_IO where it ended halfway. *status is set where the result is ERR_OK and *handled. */
enum err owner_call(struct errctx *ec, const struct owner_request *rq, int *status, bool *handled) MUST_CHECK;

/* Ends the owner, after the command it is busy with, and waits for the end of its process: at most wait_ms (0: two
 * minutes), then ERR_LATER. *was_there is false where there was none. */
enum err owner_stop(struct errctx *ec, const char *home, int wait_ms, bool *was_there) MUST_CHECK;

#endif
