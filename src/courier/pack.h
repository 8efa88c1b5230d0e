/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Keeps the number of files in a repository bounded: every exchange adds a pack, and libgit2 never joins them. Small
 * packs and loose objects are joined into one new pack; a pack larger than all smaller ones together is left alone, so
 * that the work stays in proportion to what is new. Nothing is ever dropped, reachable or not.
 */
#ifndef SLB_COURIER_PACK_H
#define SLB_COURIER_PACK_H

#include <stdbool.h>

#include "base/err.h"
#include "courier/bare.h"

#define PACKS_MAX 50
#define LOOSE_MAX 240 /* eighty small syncs */

/* More than PACKS_MAX packs or LOOSE_MAX loose objects, and nobody else's maintenance (a multi-pack-index) in place. */
bool pack_needed(const struct bare *b);
/* Hold bare_lock(). The new pack is whole and durable before the first old file goes. */
enum err pack_run(struct errctx *ec, const struct bare *b) MUST_CHECK;

#endif
