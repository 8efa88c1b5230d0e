/* SPDX-License-Identifier: EUPL-1.2 */
/* What somebody would try who took a process over. Each really does it, and gives 0 where it worked, else the errno. */
#ifndef SLB_TESTS_TRIES_H
#define SLB_TESTS_TRIES_H

#include <stddef.h>

/* What a try works on; absolute. `inside` is a folder the process may use. */
struct tries {
	char inside[256];
	char file[256];   /* a file that exists, outside */
	char folder[256]; /* the folder it stands in */
	int port;         /* at which somebody listens on 127.0.0.1 */
};

enum try_of {
	TRY_FILES = 1, /* Landlock's */
	TRY_CALLS = 2, /* seccomp's */
	TRY_PORTS = 4, /* Landlock's of version 4 */
	TRY_SCOPE = 8, /* Landlock's of version 6 */
	TRY_ROOT = 16, /* works unconfined only for root, or not on every system */
	TRY_ALWAYS = 32
};

struct
try {
	const char *what;
	unsigned of;
	int (*act)(const struct tries *t);
};

extern const struct try tries[];
extern const size_t tries_count;

/* Makes the file, the folder and the listener under `dir`. */
void tries_begin(struct tries *t, const char *dir, const char *inside);
void tries_end(struct tries *t);

#endif
