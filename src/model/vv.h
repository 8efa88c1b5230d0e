/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Version vectors and hybrid logical clocks.
 *
 * A vector says, for each device, up to which of its batches (sequence, from 1) and edits (counter) somebody had
 * applied, with the first 8 bytes of that batch's hash: so a context commits to what was seen, not only how much.
 */
#ifndef SLB_MODEL_VV_H
#define SLB_MODEL_VV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/id.h"

#define VV_HASH_LEN 8

struct vv_entry {
	struct device_id dev;
	uint64_t seq;     /* last batch; 0: none */
	uint64_t counter; /* last edit in it, or before it when the batch had none */
	uint8_t hash[VV_HASH_LEN];
};

/* Sorted by device. Zero-initialised it is the empty vector. */
struct vv {
	struct vv_entry *e;
	size_t n;
	size_t cap;
};

/* NULL when the device is not in it. The pointer lives until the next vv_set(). */
const struct vv_entry *vv_get(const struct vv *v, struct device_id dev);
/* Adds or replaces the entry of entry.dev. */
enum err vv_set(struct vv *v, struct vv_entry entry) MUST_CHECK;
enum err vv_copy(const struct vv *from, struct vv *to) MUST_CHECK;
void vv_free(struct vv *v);
/* The number of edits in the causal past it describes: the sum of all counters, at most UINT64_MAX. */
uint64_t vv_past(const struct vv *v);

/* Hybrid logical clock: milliseconds since 1970 and a count within the millisecond. It only breaks ties between
 * concurrent writes (M4). */
struct hlc {
	uint64_t ms;
	uint32_t count;
};

#define HLC_DRIFT_MS (24LL * 60 * 60 * 1000)
#define HLC_MS_MAX (UINT64_MAX >> 8) /* on the wire and in a record; two million years */

static inline int hlc_cmp(struct hlc a, struct hlc b)
{
	if (a.ms != b.ms)
		return a.ms < b.ms ? -1 : 1;
	return (a.count > b.count) - (a.count < b.count);
}

/* The stamp for a new edit; later than every stamp this clock has given or seen. */
struct hlc hlc_tick(struct hlc *clock, int64_t now_ms);
/* Takes notice of a stamp from elsewhere; one more than 24 h ahead of `now_ms` drags the clock no further (M4). */
void hlc_see(struct hlc *clock, struct hlc seen, int64_t now_ms);

#endif
