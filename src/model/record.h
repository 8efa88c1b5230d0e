/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A record: what all edits to it come to. Folding is independent of the order in which edits arrive, as long as
 * causes come first and each edit comes once (M1; the vector of what was applied sees to that), and no live value
 * disappears without an edit that had seen it, or an erase (M2).
 *
 * Encoded state (CBOR), which is also the record's entry in the canonical dump and in a snapshot:
 *   [ [device, counter], kind, [stamp...], { tag: [[stamp index, value]...] } ]
 *   stamp = [device, counter, clock ms, clock count, past]; ascending by dot; only stamps that are used
 *   tags ascend; the values of a field ascend by (stamp index, value bytes)
 * A field holds: REG, TEXT the maximal concurrent writes; SET the live adds, one element each; EVENTS all events, but
 * for retractions of what their author had not seen; ERASE true. A record with a live ERASE holds nothing else.
 * Kind 0 means the creating edit has not come yet.
 */
#ifndef SLB_MODEL_RECORD_H
#define SLB_MODEL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/edit.h"

struct stamp {
	struct dot dot;
	struct hlc clock;
	uint64_t past; /* edits in the causal past of the edit */
};

struct head {
	uint32_t stamp; /* index into record.stamps */
	struct bytes value;
};

struct field {
	uint32_t tag;
	struct head *heads; /* of a SET: ascending by value */
	size_t n;
	size_t cap;
};

struct record {
	struct dot id;
	uint32_t kind;
	bool uncounted; /* it was made, and none of its edits counts: it stands in snapshots alone */
	struct stamp *stamps;
	size_t stamp_count;
	size_t stamp_cap;
	struct field *fields; /* ascending by tag */
	size_t field_count;
	size_t field_cap;
	/* memory of values that outlive the edit they came from */
	uint8_t **pool;
	size_t pool_count;
	size_t pool_cap;
};

/* What the author of an edit had seen: a vector for every device but the author's own, whose earlier edits are
 * always seen. `past` counts the edits in it, the author's own included. */
struct context {
	const struct vv *seen;
	uint64_t past;
};

void record_init(struct record *r, struct dot id);
void record_free(struct record *r);

/* Applies one edit (copies what it keeps). Applying it again changes nothing as long as the record holds something of
 * it; the caller sees to it that an edit which the vector covers is not applied a second time. */
enum err record_apply(struct record *r, const struct edit *edit, struct context ctx) MUST_CHECK;

/* The bytes that record_get() was given become the record's: it frees them. `bytes` is empty then. */
enum err record_own(struct record *r, struct buf *bytes) MUST_CHECK;

enum err record_put(const struct record *r, struct buf *out) MUST_CHECK;
/* Values borrow from `in`, which must outlive the record. ERR_DAMAGED when not as record_put() writes it. */
enum err record_get(struct bytes in, struct record *out) MUST_CHECK;

/* Is this event ["fout", ref], which takes back the event that `*named` wrote? */
bool event_retracts(struct bytes event, struct dot *named);

bool record_is_erased(const struct record *r);
const struct field *record_field(const struct record *r, uint32_t tag);

/* --- reading a record for people --- */

/* The head that shows: highest (clock, device). NULL when the field has no value. For REG and TEXT. */
const struct head *record_shown(const struct record *r, uint32_t tag);
/* How many different values stand side by side in a REG or TEXT field: 0, 1, or more (then a person picks). A list
 * that somebody kept on purpose counts as one. */
size_t record_versions(const struct record *r, uint32_t tag);
/* The number of fields of the record with two versions. */
size_t record_two_versions(const struct record *r);

/* The n-th different value (from 0), newest (clock, device) first, with the stamp of its newest write; false past
 * the end. */
bool record_version(const struct record *r, uint32_t tag, size_t n, struct bytes *value, const struct stamp **by);

/* The shown value of a REG or TEXT field by type. Text is borrowed and not terminated; a value that was kept as a
 * list shows its first entry (record_kept() tells the others). False when there is none or it is of another type. */
bool record_text(const struct record *r, uint32_t tag, struct bytes *out);
bool record_int(const struct record *r, uint32_t tag, int64_t *out);
bool record_bool(const struct record *r, uint32_t tag, bool *out);
bool record_ref(const struct record *r, uint32_t tag, struct dot *out);
bool record_bytes(const struct record *r, uint32_t tag, struct bytes *out);
/* The n-th value that a "keep both" holds (n from 0; 0 is what shows). */
bool record_kept(const struct record *r, uint32_t tag, size_t n, struct bytes *value);
bool record_kept_text(const struct record *r, uint32_t tag, size_t n, struct bytes *text);

/* The n-th different element of a SET, ascending by its bytes (a CBOR item); false past the end. */
bool record_element(const struct record *r, uint32_t tag, size_t n, struct bytes *item);
bool record_element_text(const struct record *r, uint32_t tag, size_t n, struct bytes *text);

/* Events that stand (not retracted), sorted by (date, causal past, clock, device). */
struct event {
	struct dot dot; /* the edit that wrote it: what a retraction names */
	struct bytes status;
	int64_t date;
	struct bytes reason; /* empty: none */
	struct hlc clock;
	uint64_t past;
};
/* *out is malloc()ed (free it), NULL when there are none. Events of a shape this version does not know are left out. */
enum err record_events(const struct record *r, uint32_t tag, struct event **out, size_t *count) MUST_CHECK;

#endif
