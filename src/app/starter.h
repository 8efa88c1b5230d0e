/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The starter: a small process that is forked before anybody has typed a passphrase, so that it never holds a key. It
 * starts the courier, watches over its end and ends it when asked to, because the process that holds the keys confines
 * itself (confine/confine.h) and may start nothing; and since what is confined hands that down to its children, the
 * courier would be confined to what keys need and not to what a courier needs. A program that is to be shown something,
 * such as a browser, is started from here too.
 *
 * It ends with the process it was forked from, whatever ends that. There is one for each process; without one the
 * process does itself what it would ask.
 */
#ifndef SLB_APP_STARTER_H
#define SLB_APP_STARTER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* A second errand, done in the starter: opening files for the person. `fd` is the starter's end of its own socket. */
struct starter_errand {
	int fd;
	/* Called where `fd` can be read; false: there is nothing more to come. */
	bool (*serve)(void *ctx, int fd);
	void (*end)(void *ctx); /* before the starter ends */
	void *ctx;
};

/* Forks it. `courier` is the one program it starts; `errand` may be NULL, and of it the starter has a copy. */
enum err starter_begin(struct errctx *ec, const char *courier, const struct starter_errand *errand) MUST_CHECK;
/* Waits for its end. Nothing where there is none. */
void starter_end(void);

/* Starts the courier with these two as standard input and output; it gets nothing else but standard error. `program` is
 * its path where there is no starter, which knows it. 0 or an errno. */
int starter_start(const char *program, int in, int out, pid_t *pid);
/* Starts nmcli, to ask which network this is, with `out` as standard output: 0 or an errno. */
int starter_network(int out, pid_t *pid);
void starter_kill(pid_t pid);
/* Waits for the end of one that was started, and ends it where it takes more than ten seconds. 1: it has ended, *status
 * as of waitpid(). 0: it is stuck, and left. -1: nothing is known of it. */
int starter_reap(pid_t pid, int *status);

#endif
