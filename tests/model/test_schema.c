// SPDX-License-Identifier: EUPL-1.2
// Goal: numbers and ids that are on the wire never change, never return and never stand for two things.
// Seen to fail here: a field renumbered, a class changed, a field taken out, an id used twice in one list.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/schema.h"

/* Every field ever released, by kind and number. A line here is never changed or taken out; new fields are added with
 * the release that has them first. */
static const struct {
	uint32_t kind;
	uint32_t number;
	enum field_class class;
	const char *name;
} released[] = {
	{ 1, 1, CLASS_REG, "name" },
	{ 1, 2, CLASS_SET, "role" },
	{ 1, 3, CLASS_SET, "devices" },
	{ 1, 4, CLASS_SET, "met" },
	{ 2, 1, CLASS_REG, "nick" },
	{ 2, 2, CLASS_REG, "reach" },
	{ 2, 3, CLASS_REG, "number" },
	{ 2, 4, CLASS_REG, "language" },
	{ 2, 5, CLASS_TEXT, "note" },
	{ 3, 1, CLASS_REG, "date" },
	{ 3, 2, CLASS_REG, "channel" },
	{ 3, 3, CLASS_REG, "who" },
	{ 3, 4, CLASS_REG, "from_service" },
	{ 3, 5, CLASS_SET, "domains" },
	{ 3, 6, CLASS_SET, "did" },
	{ 3, 7, CLASS_REG, "resident" },
	{ 3, 8, CLASS_TEXT, "text" },
	{ 3, 9, CLASS_REG, "follow_up" },
	{ 3, 10, CLASS_REG, "follow_up_done" },
	{ 3, 11, CLASS_REG, "follows" },
	{ 4, 1, CLASS_REG, "contact" },
	{ 4, 2, CLASS_REG, "service" },
	{ 4, 3, CLASS_REG, "service_name" },
	{ 4, 4, CLASS_REG, "group" },
	{ 4, 5, CLASS_REG, "kind" },
	{ 4, 6, CLASS_REG, "domain" },
	{ 4, 7, CLASS_REG, "consent" },
	{ 4, 8, CLASS_REG, "consent_what" },
	{ 4, 9, CLASS_REG, "consent_until" },
	{ 4, 10, CLASS_REG, "date" },
	{ 4, 11, CLASS_EVENTS, "status" },
	{ 4, 12, CLASS_REG, "code" },
	{ 4, 13, CLASS_TEXT, "text" },
	{ 4, 14, CLASS_REG, "changed" },
	{ 4, 15, CLASS_REG, "follows" },
	{ 5, 1, CLASS_REG, "name" },
	{ 5, 2, CLASS_REG, "organisation" },
	{ 5, 3, CLASS_REG, "kind" },
	{ 5, 4, CLASS_REG, "group" },
	{ 5, 5, CLASS_SET, "domains" },
	{ 5, 6, CLASS_TEXT, "description" },
	{ 5, 7, CLASS_TEXT, "eligibility" },
	{ 5, 8, CLASS_TEXT, "documents" },
	{ 5, 9, CLASS_TEXT, "application" },
	{ 5, 10, CLASS_REG, "phone" },
	{ 5, 11, CLASS_REG, "email" },
	{ 5, 12, CLASS_REG, "address" },
	{ 5, 13, CLASS_TEXT, "hours" },
	{ 5, 14, CLASS_SET, "languages" },
	{ 5, 15, CLASS_REG, "cost" },
	{ 5, 16, CLASS_REG, "checked_on" },
	{ 5, 17, CLASS_REG, "wrong" },
	{ 5, 18, CLASS_TEXT, "note" },
	{ 5, 19, CLASS_REG, "successor_of" },
	{ 5, 20, CLASS_REG, "source" },
	{ 5, 21, CLASS_REG, "website" },
	{ 6, 1, CLASS_REG, "period" },
	{ 6, 2, CLASS_REG, "body" },
	{ 7, 1, CLASS_REG, "plan" },
	{ 7, 2, CLASS_REG, "body" },
	{ 8, 1, CLASS_REG, "plan" },
	{ 8, 2, CLASS_REG, "body" },
	{ 9, 1, CLASS_REG, "plan" },
	{ 9, 2, CLASS_REG, "body" },
	{ 10, 1, CLASS_REG, "plan" },
	{ 10, 2, CLASS_REG, "body" },
	{ 11, 1, CLASS_REG, "plan" },
	{ 11, 2, CLASS_REG, "period" },
	{ 11, 3, CLASS_REG, "body" },
	{ 12, 1, CLASS_REG, "name" },
	{ 12, 2, CLASS_REG, "value" },
	{ 0, 0, CLASS_ERASE, "erased" },
	{ 0, 1000, CLASS_SET, "contests" },
	{ 0, 1001, CLASS_SET, "agrees" },
	{ 0, 1002, CLASS_REG, "term" },
};

static void released_fields_keep_their_numbers(void **state)
{
	for (size_t i = 0; i < sizeof(released) / sizeof(released[0]); i++) {
		uint32_t tag = FIELD_TAG(released[i].number, released[i].class);
		const struct field_def *f = schema_field(released[i].kind, tag);

		assert_non_null(f);
		assert_int_equal(f->kind, released[i].kind);
		assert_string_equal(f->name, released[i].name);
		assert_ptr_equal(schema_field_named(released[i].kind, released[i].name), f);
	}
}

static void every_field_is_pinned(void **state)
{
	size_t n = 0;

	(void)schema_fields(&n);
	assert_int_equal(n, sizeof(released) / sizeof(released[0]));
}

static void numbers_and_names_are_unique(void **state)
{
	size_t n = 0;
	const struct field_def *f = schema_fields(&n);

	for (size_t i = 0; i < n; i++) {
		assert_true(f[i].kind == KIND_none || schema_kind(f[i].kind) != NULL);
		for (size_t k = 0; k < i; k++) {
			bool meet = f[i].kind == f[k].kind || f[i].kind == KIND_none || f[k].kind == KIND_none;

			assert_false(meet && f[i].tag >> 3 == f[k].tag >> 3);
			assert_false(meet && strcmp(f[i].name, f[k].name) == 0);
		}
	}
	assert_null(schema_kind(0));
	assert_null(schema_kind(4000));
	assert_null(schema_field(KIND_contact, FIELD_TAG(4000, CLASS_REG)));
	assert_non_null(schema_field(4000, F_any_erased)); /* unknown kinds can be erased too */
}

static void list_ids_are_unique_and_found(void **state)
{
	assert_string_equal(list_name(LIST_domain), "domain");
	assert_string_equal(list_name(LIST_COUNT), "");
	for (enum list l = LIST_none + 1; l < LIST_COUNT; l++) {
		size_t n = 0;
		const struct list_item *item = list_items(l, &n);

		assert_true(n > 0);
		assert_true(strlen(list_name(l)) > 0);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(item[i].list, l); /* one run in the file */
			assert_ptr_equal(list_item(l, item[i].id), &item[i]);
			assert_true(strlen(item[i].nl) > 0 && strlen(item[i].en) > 0);
		}
		assert_null(list_item(l, "bestaat niet"));
	}
	/* a field with a list has the type of an id or of events, and the other way round */
	size_t n = 0;
	const struct field_def *f = schema_fields(&n);

	for (size_t i = 0; i < n; i++)
		assert_int_equal(f[i].list != LIST_none, f[i].type == TYPE_ID || f[i].type == TYPE_EVENT);
}

/* Classes that this version does not know merge as REG (M3). */
static void unknown_classes_merge_as_reg(void **state)
{
	for (uint32_t c = 0; c < 8; c++)
		assert_int_equal(tag_class(FIELD_TAG(77, c)), c <= 4 ? c : 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(released_fields_keep_their_numbers), cmocka_unit_test(every_field_is_pinned),
		cmocka_unit_test(numbers_and_names_are_unique),       cmocka_unit_test(list_ids_are_unique_and_found),
		cmocka_unit_test(unknown_classes_merge_as_reg),
	};

	return cmocka_run_group_tests_name("model/schema", tests, NULL, NULL);
}
