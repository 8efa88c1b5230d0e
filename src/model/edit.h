/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Edits: what one user action wrote, and the body of a batch, which carries edits between devices.
 *
 * Body of a batch (CBOR, see docs/FORMAT.md and schema/batch.cddl):
 *   [ 1, prev hash, first counter, base clock ms, [device id...], [[device index, seq, hash8]...],
 *     [edit...], [[control type, payload]...] ]
 *   device index 0 is the author, n >= 1 the n-th entry of the list; the context is the change against the
 *   context of the author's previous batch.
 *   edit = [target, clock, seen, tag, value, tag, value, ...]
 *   target: the kind (a new record, whose id is the edit's dot) or [device index, counter]
 *   clock: milliseconds after the previous edit's clock, or [milliseconds, count]
 *   seen: null (the batch's context), or [[device index, seq]...], the devices of which the author had read less when
 *     a form was opened, and how far (0: nothing); whoever folds takes the lower of both
 *   context and seen ascend by device id (not by index), so that each has one spelling and nobody stands in it twice
 */
#ifndef SLB_MODEL_EDIT_H
#define SLB_MODEL_EDIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/id.h"
#include "model/schema.h"
#include "model/vv.h"

/* One field write. `value` is one CBOR item:
 *   REG     the value, or an array of values (both are kept, in one write)
 *   TEXT    [the text the write started from or null, text, text...]
 *   SET     [[elements added], [elements removed]], both ascending, without doubles
 *   EVENTS  one event
 *   ERASE   true */
struct write {
	uint32_t tag;
	struct bytes value;
};

struct seen {
	struct device_id dev;
	uint64_t seq;
};

/* Does `value` (one CBOR item) have the shape of its field's class? ERR_DAMAGED when not. Of a class that this version
 * does not know, any shape will do (M3). */
enum err write_check(uint32_t tag, struct bytes value) MUST_CHECK;

/* Everything is borrowed: from the bytes that were parsed, or from the caller who builds it. */
struct edit {
	struct dot dot;
	struct hlc clock;
	struct dot target;       /* equals `dot` for a new record */
	uint32_t kind;           /* for a new record and only there, else KIND_none */
	const struct seen *seen; /* what lowers the batch's context, ascending by device; NULL: nothing */
	size_t seen_count;
	const struct write *writes; /* ascending by tag */
	size_t write_count;
};

/* Control items of a batch; an odd type must be understood or the batch waits for a newer program, an even one
 * that is unknown is passed over. */
enum control_type {
	CONTROL_EPOCH = 1,   /* [epoch id, [[device id, box key]...], [parent epoch id...]] */
	CONTROL_BOX_KEY = 2, /* a new public box key of the author */
	CONTROL_CUT = 3,     /* device id: removed beyond what the author had seen of it */
	CONTROL_REBOX = 4, /* [number, bundle, signature]: a device's new box key, told by another one (sync/rebox.h) */
	CONTROL_DONE = 6,  /* hash of a snapshot in force here, the keys before it destroyed; empty: only that I saw */
	CONTROL_GOES_ON = 5,  /* [device id, bundle, signature]: that device goes on under another id (S7) */
	CONTROL_SNAPSHOT = 7, /* [round, hash of a snapshot, [[device id, seq]...]]: the author holds it for right */
	CONTROL_GENESIS = 9,  /* [space kind, founder's signing key, nonce]: what the space's id commits to */
	CONTROL_FORK =
	    11, /* [device id, number, hash, hash]: two batches of it with one number; removes it as CUT does */
};

struct control {
	uint32_t type;
	struct bytes payload; /* one CBOR item */
};

struct context_entry {
	struct device_id dev;
	uint64_t seq;
	uint8_t hash[VV_HASH_LEN];
};

#define BODY_HASH_LEN 32
/* So that a body of BATCH_BODY_MAX hostile bytes costs no more than 100 MB and a second. */
#define BODY_NAMES_MAX 10000
#define BODY_EDITS_MAX 1000000
#define BODY_CONTROLS_MAX 10000

/* A parsed body; owns its arrays, borrows values from the parsed bytes. */
struct body {
	uint8_t prev[BODY_HASH_LEN]; /* zero for the first batch of a device */
	uint64_t first_counter;
	struct context_entry *context; /* ascending by device */
	size_t context_count;
	struct edit *edits;
	size_t edit_count;
	struct control *controls;
	size_t control_count;
	struct write *write_pool;
	struct seen *seen_pool;
};

/* Writes the body of a batch of `author`. The edits' counters are first_counter, first_counter + 1, ... and their
 * clocks ascend. ERR_DAMAGED when they do not, or when anything else is not as it stands above (a bug of the
 * caller's); `out` may then hold a part of it. */
enum err body_put(const struct body *body, struct device_id author, struct buf *out) MUST_CHECK;

/* Pure parser of foreign bytes. ERR_DAMAGED for anything body_put() would not have written. On success free it with
 * body_free(); `in` must outlive it. */
enum err body_parse(struct bytes in, struct device_id author, struct body *out) MUST_CHECK;
void body_free(struct body *body);

/* One edit alone, as the store keeps it: the same fields with whole device ids. */
enum err edit_put(const struct edit *edit, struct buf *out) MUST_CHECK;
/* Like body_parse: *out borrows from `in`, *pool is freed with body_free(). */
enum err edit_parse(struct bytes in, struct edit *out, struct body *pool) MUST_CHECK;

#endif
