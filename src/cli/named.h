/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Which files a command line names. Whoever opens files for a process that holds keys opens these alone: if that
 * process were taken over, it could not have others opened.
 */
#ifndef SLB_CLI_NAMED_H
#define SLB_CLI_NAMED_H

#include <stdbool.h>

struct named {
	int argc;
	char *const *argv; /* borrowed */
	bool any;          /* names stand elsewhere, as in the lines of `run` */
};

/* A word, or what stands behind "=" in one; a file in a folder of that name, or in the ".part" it is made in; and the
 * folder that a named path stands in, to be looked up (`open_dir`). */
bool named_has(const struct named *n, const char *path, bool open_dir);

#endif
