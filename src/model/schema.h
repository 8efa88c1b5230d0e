/* SPDX-License-Identifier: EUPL-1.2 */
/* Kinds, fields and value lists as C constants and tables, made from schema/records.def and schema/lists.def. */
#ifndef SLB_MODEL_SCHEMA_H
#define SLB_MODEL_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* How concurrent writes to a field merge; the low three bits of a field's tag on the wire, so that a reader that
 * does not know the field still merges it rightly (M3). Numbers 5 to 7 are kept as REG. */
enum field_class { CLASS_REG = 0, CLASS_TEXT = 1, CLASS_SET = 2, CLASS_EVENTS = 3, CLASS_ERASE = 4 };

enum field_type { TYPE_TEXT, TYPE_LINE, TYPE_ID, TYPE_DATE, TYPE_REF, TYPE_BYTES, TYPE_INT, TYPE_BOOL, TYPE_EVENT };

enum kind_place { PLACE_any, PLACE_circle, PLACE_neighbourhood };

#define FIELD_TAG(number, class) (((uint32_t)(number) << 3) | (uint32_t)(class))

static inline enum field_class tag_class(uint32_t tag)
{
	uint32_t c = tag & 7;

	return c > CLASS_ERASE ? CLASS_REG : (enum field_class)c;
}

/* KIND_contact = 3, ... */
enum kind {
	KIND_none = 0,
#define KIND(number, name, place) KIND_##name = (number),
#define FIELD(kind, number, name, class, type, list)
#include "schema/records.def"
#undef KIND
#undef FIELD
};

/* F_contact_text = its tag, ... */
enum {
#define KIND(number, name, place)
#define FIELD(kind, number, name, class, type, list) F_##kind##_##name = FIELD_TAG(number, CLASS_##class),
#include "schema/records.def"
#undef KIND
#undef FIELD
};

enum list {
	LIST_none,
#define LIST(name) LIST_##name,
#define ITEM(list, id, nl, en)
#include "schema/lists.def"
#undef LIST
#undef ITEM
	LIST_COUNT
};

struct field_def {
	uint32_t kind; /* KIND_none: every kind */
	uint32_t tag;
	const char *name;
	enum field_type type;
	enum list list;
};

struct kind_def {
	uint32_t kind;
	const char *name;
	enum kind_place place;
};

struct list_item {
	enum list list;
	const char *id;
	const char *nl;
	const char *en;
};

/* NULL when this version does not know it. */
const struct kind_def *schema_kind(uint32_t kind);
const struct field_def *schema_field(uint32_t kind, uint32_t tag);
const struct field_def *schema_field_named(uint32_t kind, const char *name);

/* The fields of all kinds in the order of the file; *count receives how many. */
const struct field_def *schema_fields(size_t *count);

const struct list_item *list_item(enum list list, const char *id);
/* The items of one list, in their order; *count receives how many. */
const struct list_item *list_items(enum list list, size_t *count);
const char *list_name(enum list list);

#endif
