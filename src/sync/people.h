/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Whose device a device is, in one space, where several member records name it: two members may approve the same
 * request at the same moment, without knowing of each other. The record that named it first has it: the one whose edit
 * has the fewest edits in its causal past, and of those the one with the lower dot. So whoever had seen that a device
 * was somebody's cannot take it over, and all devices come to the same answer in whatever order they learn of it (M1).
 * A record that named devices and has none of them left is nobody.
 */
#ifndef SLB_SYNC_PEOPLE_H
#define SLB_SYNC_PEOPLE_H

#include "sync/keys.h"

struct claim {
	struct device_id dev;
	uint8_t bundle[BUNDLE_LEN];
	struct dot person;
	struct dot edit; /* that named it */
	uint64_t past;
};

struct people {
	struct claim *device; /* one for each device: the claim that holds; by person, then by bundle */
	size_t n;
	struct dot *named; /* every record that names a device, ascending */
	size_t named_n;
};

/* people_free() it, after a failure too. */
enum err people_load(struct errctx *ec, struct sync *y, const struct space_row *space, struct people *out) MUST_CHECK;
void people_free(struct people *p);

/* The person behind a device; none where no record names it. */
struct dot people_of(const struct people *p, struct device_id dev);
/* The devices of a person: their number, and the first of them. */
size_t people_devices(const struct people *p, struct dot person, const struct claim **first);
/* Did this record name devices, all of which are another's? */
bool people_nobody(const struct people *p, struct dot person);

/* BLAKE2b over all whole bundles of a person in a space, in the order of their bytes: what six words are made of. False
 * where there is no device. */
bool people_fingerprint(const struct people *p, struct dot person, uint8_t out[static HASH_LEN]);

#endif
