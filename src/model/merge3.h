/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A proposal for texts that were changed apart: what each of them changed against the text they started from, put
 * together (three-way merge). Pure.
 *
 * A text is cut into sentences and line ends; each changed text becomes a list of changes (a run of sentences of the
 * base replaced by others), by a longest common subsequence (Hunt and McIlroy 1976; how two such lists are put together
 * follows Khanna, Kunal and Pierce, "A Formal Investigation of Diff3", 2007, but for the points below). Changes to
 * different sentences go together, also where they touch; the same change made twice counts once; what several people
 * added at one place stands there in the order of the texts given. Where one person changed what another changed
 * differently or took out, there is no proposal.
 *
 * It proposes; it never decides. The concurrent texts stay as they are until a person saves something (M2).
 */
#ifndef SLB_MODEL_MERGE3_H
#define SLB_MODEL_MERGE3_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* More sentences than this in one of the texts, or more changes in all of them: no proposal. Bounds time and memory (a
 * table of 2 bytes for each pair).
 */
#define MERGE3_PARTS_MAX 3000
#define MERGE3_TEXTS_MAX 64

/* Appends the merged text to `out` and sets *clean, where there is one; else `out` is unchanged and *clean false. The
 * order of `texts` decides only the order of what was added at one place: pass them in an order that every device
 * agrees on. The bytes of all texts are UTF-8. ERR_NO_MEMORY is the only error. */
enum err merge3(struct bytes base, const struct bytes *texts, size_t count, struct buf *out, bool *clean) MUST_CHECK;

#endif
