/* SPDX-License-Identifier: EUPL-1.2 */
/* Folders with all that is in them. */
#ifndef SLB_BASE_TREE_H
#define SLB_BASE_TREE_H

#include "base/err.h"

/* Makes a folder and those above it, mode 0700, each durable in the one that holds it. An existing one is fine. */
enum err tree_make(struct errctx *ec, const char *path) MUST_CHECK;
/* Removes a file, or a folder with all that is in it; links are removed, never followed. ERR_OK also where there was
 * nothing. */
enum err tree_remove(struct errctx *ec, const char *path) MUST_CHECK;

#endif
