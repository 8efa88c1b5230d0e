/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A snapshot of a space at a vector: what all its records come to there, clocks and dots included, and the skeleton of
 * the batches below (numbers, counters, hashes, what each had seen, what each said of membership). Whoever holds the
 * edits makes the same bytes; whoever does not goes on from them. docs/FORMAT.md has the layout and a test vector.
 *
 *   [1, space id, round, hash of the snapshot before it or 32 zero bytes, [device...], [record state...]]
 *   device = [id, [[counter, hash]...] by number from 1, [[at, other device, seq]...], [[seq, acts, [[device,
 * seq]...]]...]] Devices and other devices ascend by id, records by id; a record state is its entry in the canonical
 * dump (of one that was made there and of which nothing counts: id and kind). The hash is BLAKE2b("slb
 * snapshot"; all of it).
 *
 * It travels deflated, in parts of at most SNAPSHOT_PART bytes: hash 32 | number of the part 4 | parts in all 4 |
 * deflated part; files of type 5, sealed under an epoch with the type tag SB10.
 */
#ifndef SLB_SYNC_SNAPSHOT_H
#define SLB_SYNC_SNAPSHOT_H

#include "sync/apply.h"

#define SNAPSHOT_PART (4u << 20)
#define SNAPSHOT_PARTS_MAX 256
#define KEPT_PARENT "base-parent" /* the hash of the snapshot before the one in force */

struct snapshot {
	struct buf bytes;
	uint8_t hash[HASH_LEN];
	struct vv at; /* whole: with counters and hashes */
	struct buf states;
	struct base_item *item; /* borrows from `states` or `bytes` */
	size_t n;
};
void snapshot_free(struct snapshot *s);

/* Made from the edits that are here. `upto` by number. ERR_NOT_FOUND without text: something at or below it is not
 * here, or lies below where the log was cut off. */
enum err snapshot_build(struct errctx *ec, struct sync *y, const struct space_row *space, const struct vv *upto,
                        uint64_t round, struct snapshot *out) MUST_CHECK;

/* The one in force, from what was kept of it: the same bytes as when it was made. ERR_NOT_FOUND: there is none. */
enum err snapshot_now(struct errctx *ec, struct sync *y, const struct space_row *space,
                      struct snapshot *out) MUST_CHECK;
/* Puts the one in force into the outgoing files, under this epoch; does nothing where there is none. Within a
 * transaction. */
enum err snapshot_publish(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch,
                          const struct epoch_secret *secret) MUST_CHECK;

/* The same to somebody else than the outgoing files (sync/carry.h). Changes nothing. */
struct carrying;
enum err snapshot_each(struct errctx *ec, struct sync *y, const struct space_row *space,
                       const struct carrying *to) MUST_CHECK;

/* ---- One that comes in ---- */

struct snap_seen {
	struct dot at;    /* device and number of the batch */
	struct dot names; /* the other device, up to which batch */
};
struct snap_acts {
	struct dot at;
	struct bytes acts;
	size_t seen_from; /* in `seq` of snapshot_parts */
	size_t seen_n;
};
struct snap_batch {
	uint64_t counter;
	const uint8_t *hash; /* 32 bytes */
};
struct snap_device {
	struct device_id id;
	size_t from; /* its batches */
	size_t n;
};
/* Everything borrows from the bytes. */
struct snapshot_parts {
	struct space_id space;
	uint64_t round;
	uint8_t parent[HASH_LEN];
	struct snap_device *device;
	size_t devices;
	struct snap_batch *batch;
	size_t batches;
	struct snap_seen *seen;
	size_t seens;
	struct snap_acts *acts;
	size_t acts_n;
	struct dot *named; /* contexts of acts: device and number */
	size_t nameds;
	struct base_item *item;
	size_t items;
};
/* Pure parser of foreign bytes; ERR_DAMAGED for what snapshot_build() would not write in its shape and order. Whether
 * it is true only its hash and those who signed for it tell. */
enum err snapshot_parse(struct bytes in, struct snapshot_parts *out) MUST_CHECK;
void snapshot_parts_free(struct snapshot_parts *p);

/* One part of one. FATE_DONE: it was kept, or was the last and was taken up; FATE_OTHER: this home needs none. */
enum err snapshot_receive(struct errctx *ec, struct sync *y, const struct space_row *space, const struct file_header *h,
                          struct bytes file, struct received *r, enum fate *fate, const char **why) MUST_CHECK;

#endif
