// SPDX-License-Identifier: EUPL-1.2
// The tables behind schema/records.def and schema/lists.def.
#include "model/schema.h"

#include <string.h>

enum { KIND_any = 0 };

static const struct kind_def kinds[] = {
#define KIND(number, name, place) { KIND_##name, #name, PLACE_##place },
#define FIELD(kind, number, name, class, type, list)
#include "schema/records.def"
#undef KIND
#undef FIELD
};

static const struct field_def fields[] = {
#define KIND(number, name, place)
#define FIELD(kind, number, name, class, type, list)                                                                   \
	{ KIND_##kind, FIELD_TAG(number, CLASS_##class), #name, TYPE_##type, LIST_##list },
#include "schema/records.def"
#undef KIND
#undef FIELD
};

static const struct list_item items[] = {
#define LIST(name)
#define ITEM(list, id, nl, en) { LIST_##list, #id, nl, en },
#include "schema/lists.def"
#undef LIST
#undef ITEM
};

static const char *const list_names[LIST_COUNT] = {
	[LIST_none] = "",
#define LIST(name) [LIST_##name] = #name,
#define ITEM(list, id, nl, en)
#include "schema/lists.def"
#undef LIST
#undef ITEM
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const struct kind_def *schema_kind(uint32_t kind)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (kinds[i].kind == kind)
			return &kinds[i];
	}
	return NULL;
}

const struct field_def *schema_field(uint32_t kind, uint32_t tag)
{
	for (size_t i = 0; i < COUNT(fields); i++) {
		if (fields[i].tag == tag && (fields[i].kind == kind || fields[i].kind == KIND_none))
			return &fields[i];
	}
	return NULL;
}

const struct field_def *schema_field_named(uint32_t kind, const char *name)
{
	for (size_t i = 0; i < COUNT(fields); i++) {
		if (fields[i].kind == kind && strcmp(fields[i].name, name) == 0)
			return &fields[i];
	}
	return NULL;
}

const struct field_def *schema_fields(size_t *count)
{
	*count = COUNT(fields);
	return fields;
}

const struct list_item *list_item(enum list list, const char *id)
{
	for (size_t i = 0; i < COUNT(items); i++) {
		if (items[i].list == list && strcmp(items[i].id, id) == 0)
			return &items[i];
	}
	return NULL;
}

const struct list_item *list_items(enum list list, size_t *count)
{
	const struct list_item *first = NULL;

	*count = 0;
	for (size_t i = 0; i < COUNT(items); i++) {
		if (items[i].list != list)
			continue;
		if (first == NULL)
			first = &items[i];
		(*count)++;
	}
	return first;
}

const char *list_name(enum list list)
{
	return (unsigned)list < LIST_COUNT ? list_names[list] : "";
}
