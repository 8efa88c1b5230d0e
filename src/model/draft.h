/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Collects the field writes of one edit, in any order, and gives them as the sorted array that an edit needs.
 * Zero-initialised it is empty. Errors stick: the add functions return nothing, draft_writes() reports.
 */
#ifndef SLB_MODEL_DRAFT_H
#define SLB_MODEL_DRAFT_H

#include "base/buf.h"
#include "base/err.h"
#include "model/edit.h"

#define DRAFT_FIELDS 32

struct draft {
	struct buf bytes[DRAFT_FIELDS]; /* one value each */
	struct write writes[DRAFT_FIELDS];
	size_t count;
	enum err failed;
};

void draft_free(struct draft *d);

/* REG fields. A tag that is added twice keeps the last value. */
void draft_text(struct draft *d, uint32_t tag, const char *text);
void draft_int(struct draft *d, uint32_t tag, int64_t v); /* also days */
void draft_bool(struct draft *d, uint32_t tag, bool v);
void draft_ref(struct draft *d, uint32_t tag, struct dot ref);
void draft_bytes(struct draft *d, uint32_t tag, struct bytes v);
void draft_null(struct draft *d, uint32_t tag);
/* Any value as CBOR, of any class: the caller's own encoding of the whole write. */
void draft_raw(struct draft *d, uint32_t tag, struct bytes cbor);
/* TEXT fields: `base` is the text that the person started from, NULL for none. */
void draft_long_text(struct draft *d, uint32_t tag, const char *base, const char *text);
/* SET fields of text elements, in any order, doubles dropped. */
void draft_set(struct draft *d, uint32_t tag, const char *const *add, size_t adds, const char *const *remove,
               size_t removes);
/* One element that is CBOR already, added. */
void draft_set_add_raw(struct draft *d, uint32_t tag, struct bytes element);
/* References to edits or records, in any order, added. */
void draft_refs_add(struct draft *d, uint32_t tag, const struct dot *refs, size_t n);
/* EVENTS: one event; `reason` may be NULL. */
void draft_event(struct draft *d, uint32_t tag, const char *status, int64_t date, const char *reason);
/* EVENTS: takes back the event that edit `which` wrote. */
void draft_retract(struct draft *d, uint32_t tag, struct dot which);

/* The writes, ascending by tag; they live until draft_free(). */
enum err draft_writes(struct draft *d, const struct write **writes, size_t *count) MUST_CHECK;

#endif
