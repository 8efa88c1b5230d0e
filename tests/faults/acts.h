/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One action on an open home, by its name, as people would do it: for the driver (a process that is killed, or whose
 * disk fails) and for tests that let memory run out in their own process. An action that is added to the table in
 * acts.c is there for both.
 *
 *   add TEXT...               logs conversations
 *   edit TEXT CHANNEL ...     gives the conversations of these texts another channel
 *   import N                  takes N entries into the directory, in one transaction
 *   open                      nothing more: opening brings an older home up to date
 *   sync                      all of it must come through
 *   passphrase OLD NEW        of the key file of this home
 *   verify
 *   cli WORDS...              a command line
 */
#ifndef SLB_TESTS_FAULTS_ACTS_H
#define SLB_TESTS_FAULTS_ACTS_H

#include <stdio.h>

#include "app/session.h"

/* Called when something is durable. `what` is one word or more, without a line feed. */
struct act_ack {
	void (*say)(void *self, const char *what);
	void *self;
	FILE *out; /* where `cli` prints; NULL: nowhere */
};

/* `arg` ends with NULL. A failure of an action named `cli` has its exit status's error and no text. */
enum err act(struct errctx *ec, struct app *app, char **arg, const struct act_ack *ack) MUST_CHECK;

/* Divides a line at blanks, as a shell does; 'some words' are one. The words stand in `line`, which is changed. */
void act_words(char *line, char **out, size_t max);

#endif
