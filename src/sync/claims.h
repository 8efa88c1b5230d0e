/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Whose device a device is, in one space, where several member records name it: two members may approve the same
 * request at the same moment, without knowing of each other. The record that named it first has it: the one whose edit
 * has the fewest edits in its causal past, and of those the one with the lower dot. So whoever had seen that a device
 * was somebody's cannot take it over, and all devices come to the same answer in whatever order they learn of it (M1).
 * Where membership has decided (model/members.h), that holds. A record that named devices and has none of them left is
 * nobody.
 */
#ifndef SLB_SYNC_CLAIMS_H
#define SLB_SYNC_CLAIMS_H

#include "sync/keys.h"

struct claim {
	struct device_id dev;
	uint8_t bundle[BUNDLE_LEN];
	struct dot person;
	struct dot edit; /* that named it */
	uint64_t past;
	bool holds; /* membership says so (model/members.h) */
};

struct claims {
	struct claim *device; /* one for each device: the claim that holds; by person, then by bundle */
	size_t n;
	struct dot *named; /* every record that names a device, ascending */
	size_t named_n;
};

/* claims_free() it, after a failure too. */
enum err claims_load(struct errctx *ec, struct sync *y, const struct space_row *space, struct claims *out) MUST_CHECK;
void claims_free(struct claims *p);

/* The person behind a device; none where no record names it. */
struct dot claims_of(const struct claims *p, struct device_id dev);
/* The devices of a person: their number, and the first of them. */
size_t claims_devices(const struct claims *p, struct dot person, const struct claim **first);
/* Did this record name devices, all of which are another's? */
bool claims_nobody(const struct claims *p, struct dot person);

/* BLAKE2b over all whole bundles of a person in a space, in the order of their bytes: what six words are made of. False
 * where there is no device. */
bool claims_fingerprint(const struct claims *p, struct dot person, uint8_t out[static HASH_LEN]);

#endif
