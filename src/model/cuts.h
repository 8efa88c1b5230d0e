/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Which removals count (K1). Pure: a function of the set of cuts and what each of their authors had seen, never of the
 * order in which they came, so that all members decide alike.
 *
 * A *cut* stands in a batch and removes a device: what that device sealed above number `keep` is void. `keep` is what
 * the cut's author had applied of it. A cut that itself stands above another cut of its author is in doubt: that other
 * one *answers* it.
 *   1. Who had seen the own removal removes nobody any more: an answer that the author had seen always wins, if it
 * counts.
 *   2. Of two cuts that answer each other, the one whose author joined first wins.
 *   3. Any other answer wins, if it counts.
 *   4. Where the answers go round in a circle of three or more, the cut of the one who joined first counts, of those
 *      whose author had seen no answer to it of that circle, and what answers it does not. Cuts that only follow from
 *      a circle have no say in it.
 * So a device that was removed cannot remove a third one by pretending that it did not know; a device that joined later
 * cannot strike back at the one that removed it; one that joined earlier can, which is the price of never leaving a
 * circle without members (docs/MERGE.md, "Removals"). Of several cuts of one device that count, the lowest `keep`
 * holds.
 */
#ifndef SLB_MODEL_CUTS_H
#define SLB_MODEL_CUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/vv.h"

struct cut {
	struct device_id author;
	uint64_t seq; /* of the author's batch that holds it */
	struct device_id target;
	uint64_t keep; /* the last batch of the target that counts; 0: none */
	const struct vv
	    *seen;     /* the whole context of that batch; borrowed. The author's own earlier batches count as seen */
	uint64_t rank; /* seniority of the author: the lower, the earlier it joined; equal ranks go by device id */
	bool counts;   /* out */
};

/* Sets `counts` of each. The same cut may stand there twice. Time grows with the cube of `count` at worst;
 * ERR_NO_MEMORY is the only error.
 * `answers`: where cuts also leave out what rests on what they name: count * count, [k * count + i] where k leaves out
 * i. NULL: k answers i where it removes the author of i below the batch of i, and nothing else. */
enum err cuts_settle(struct cut *cuts, size_t count, const bool *answers) MUST_CHECK;

/* After cuts_settle(): the last batch of the device that counts; UINT64_MAX where it was not removed. */
uint64_t cuts_keep(const struct cut *cuts, size_t count, struct device_id dev);

#endif
