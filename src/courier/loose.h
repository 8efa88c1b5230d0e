/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A look at a loose object before libgit2 reads it. libgit2 1.5 believes the size in the header of a loose object: it
 * takes the object's first 64 inflated bytes, makes room for that size and copies what follows the header, so a header
 * that says too little makes it write past its room.
 */
#ifndef SLB_COURIER_LOOSE_H
#define SLB_COURIER_LOOSE_H

#include <git2.h>
#include <stdbool.h>

/* True when `id` does not lie as a loose object in the bare repository at `path` (then it is libgit2's own business),
 * or when it may be read. */
bool loose_sound(const char *path, const git_oid *id);

#endif
