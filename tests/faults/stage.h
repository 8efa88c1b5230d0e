/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A prepared neighbourhood for tests that break things: homes and a repository that are put back to the same bytes
 * before each blow, and the questions that are asked after it. Homes are those of sync/homes.h: 0 a coordinator, 1 and
 * up the key figures of one circle.
 */
#ifndef SLB_TESTS_FAULTS_STAGE_H
#define SLB_TESTS_FAULTS_STAGE_H

#include <limits.h>
#include <stdbool.h>

#include "sync/homes.h"

#define CIRCLE "Plein"
#define TEXTS_MAX 64

/* Texts that must be there, each once. */
struct texts {
	char text[TEXTS_MAX][80];
	size_t n;
};

struct stage {
	struct world w;
	char base[32]; /* the directory that holds the world's, where it is in memory */
	char driver[PATH_MAX];
	char courier[PATH_MAX];
};

/* A circle of `members` key figures, joined and in step; everything open. Skips the test where strace cannot trace. */
void stage_begin(struct stage *s, size_t members);
void stage_end(struct stage *s);

/* Closes all homes and keeps a copy of everything; stage_restore() puts it back. */
void stage_freeze(struct stage *s);
void stage_restore(struct stage *s);

/* Opens a home; a damaged one is no failure of the test. */
enum err stage_try_open(struct stage *s, size_t home, struct errctx *ec);
void stage_open(struct stage *s, size_t home);
void stage_close(struct stage *s, size_t home);

/* Logs a conversation and notes its text in `t` (may be NULL). */
void stage_log(struct stage *s, size_t home, const char *text, struct texts *t);
/* How often a text stands in the list of contacts. */
size_t stage_count(struct stage *s, size_t home, const char *text);
size_t stage_contacts(struct stage *s, size_t home);
uint64_t stage_unsent(struct stage *s, size_t home);
/* Nothing but these texts, each of them once. */
void stage_expect(struct stage *s, size_t home, const struct texts *t);
/* The vault and its log are whole. */
void stage_verify(struct stage *s, size_t home);
void stage_expect_equal(struct stage *s, size_t a, size_t b);

/* Output of a shell command without its last line feed, in memory of its own until the next call. `status` NULL: the
 * test fails where it exits otherwise than 0. */
const char *stage_shell(int *status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* SLB_SOAK: everything, not a sample. */
bool stage_full(void);

#endif
