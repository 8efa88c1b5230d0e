// SPDX-License-Identifier: EUPL-1.2
// Goal: a body or an edit is read back as it was written, byte for byte, and nothing else is taken for one: every cut
// and every changed byte is refused or is another body that writes itself the same way.
// Mutations seen to fail here: edits not held to first_counter; the order of context, seen or tags not checked; a kind
// without a new record, or a target still to be made, let through; shapes of values not checked; no bound on names or
// counters; what was parsed not compared with what it writes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "model/edit.h"
#include "model/wire.h"

#define DEV(n) ((struct device_id){ { (n), 1, 2, 3, 4, 5, 6, 7 } })
#define V(...)                                                                                                         \
	{                                                                                                              \
		(const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })                             \
	}

enum { REG = FIELD_TAG(1, CLASS_REG), TEXT = FIELD_TAG(2, CLASS_TEXT), SET = FIELD_TAG(3, CLASS_SET) };
enum { EVENTS = FIELD_TAG(4, CLASS_EVENTS), ERASE = FIELD_TAG(5, CLASS_ERASE), NEWER = FIELD_TAG(6, 7) };

/* One of everything; `edits` etc. point into static memory that a case may bend. */
static struct write writes[] = {
	{ REG, V(0x82, 0x01, 0x02) },
	{ TEXT, V(0x82, 0xf6, 0x61, 'a') },
	{ SET, V(0x82, 0x82, 0x01, 0x61, 'b', 0x81, 0x03) },
	{ EVENTS, V(0x83, 0x64, 'p', 'l', 'a', 'n', 0x01, 0xf6) },
	{ ERASE, V(0xf5) },
	{ NEWER, V(0x80) },
};
static struct seen seen[2];
static struct context_entry context[2];
static struct edit edits[3];
static struct control controls[1] = { { CONTROL_CUT, V(0x81, 0x01) } };

static struct body sample(void)
{
	seen[0] = (struct seen){ DEV(3), 0 };
	seen[1] = (struct seen){ DEV(9), 4 };
	context[0] = (struct context_entry){ DEV(3), 2, { 1, 1, 1, 1, 1, 1, 1, 1 } };
	context[1] = (struct context_entry){ DEV(9), 5, { 2 } };
	edits[0] = (struct edit){ .dot = { DEV(5), 300 },
		                  .target = { DEV(5), 300 },
		                  .kind = 4,
		                  .clock = { 1000, 2 },
		                  .writes = writes,
		                  .write_count = 6 };
	edits[1] = (struct edit){ .dot = { DEV(5), 301 },
		                  .target = { DEV(5), 300 },
		                  .clock = { 1000, 3 },
		                  .seen = seen,
		                  .seen_count = 2,
		                  .writes = writes,
		                  .write_count = 1 };
	edits[2] = (struct edit){ .dot = { DEV(5), 302 }, .target = { DEV(7), 1 }, .clock = { 70000, 0 } };
	controls[0].payload.len = 2;
	return (struct body){ .prev = { 0xaa },
		              .first_counter = 300,
		              .context = context,
		              .context_count = 2,
		              .edits = edits,
		              .edit_count = 3,
		              .controls = controls,
		              .control_count = 1 };
}

/* The bytes of sample(), for ever. */
static const uint8_t golden[] = {
	0x88, 0x01, 0x58, 0x20, 0xaa, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x19, 0x01, 0x2c, 0x19, 0x03, 0xe8, 0x83, 0x48, 0x03, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x48, 0x09,
	0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x48, 0x07, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x82, 0x83,
	0x01, 0x02, 0x48, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x83, 0x02, 0x05, 0x48, 0x02, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x83, 0x8f, 0x04, 0x82, 0x00, 0x02, 0xf6, 0x08, 0x82, 0x01, 0x02, 0x11, 0x82,
	0xf6, 0x61, 0x61, 0x18, 0x1a, 0x82, 0x82, 0x01, 0x61, 0x62, 0x81, 0x03, 0x18, 0x23, 0x83, 0x64, 0x70, 0x6c,
	0x61, 0x6e, 0x01, 0xf6, 0x18, 0x2c, 0xf5, 0x18, 0x37, 0x80, 0x85, 0x82, 0x00, 0x19, 0x01, 0x2c, 0x82, 0x00,
	0x03, 0x82, 0x82, 0x01, 0x00, 0x82, 0x02, 0x04, 0x08, 0x82, 0x01, 0x02, 0x83, 0x82, 0x03, 0x01, 0x1a, 0x00,
	0x01, 0x0d, 0x88, 0xf6, 0x81, 0x82, 0x03, 0x81, 0x01
};

static void the_golden_body(void **state)
{
	struct body b = sample(), got;
	struct buf out = { 0 };

	assert_int_equal(body_put(&b, DEV(5), &out), ERR_OK);
	assert_int_equal(out.len, sizeof(golden));
	assert_memory_equal(out.data, golden, sizeof(golden));
	assert_int_equal(body_parse((struct bytes){ golden, sizeof(golden) }, DEV(5), &got), ERR_OK);
	assert_int_equal(got.edit_count, 3);
	assert_int_equal(got.context[1].seq, 5);
	assert_int_equal(got.edits[1].seen_count, 2);
	assert_int_equal(got.edits[1].seen[1].seq, 4);
	assert_true(got.edits[0].seen == NULL);
	assert_true(dot_cmp(got.edits[0].target, got.edits[0].dot) == 0 && got.edits[0].kind == 4);
	assert_true(got.edits[2].target.counter == 1 && device_cmp(got.edits[2].target.dev, DEV(7)) == 0);
	assert_true(got.edits[2].clock.ms == 70000 && got.edits[2].clock.count == 0);
	assert_true(got.edits[1].clock.ms == 1000 && got.edits[1].clock.count == 3);
	assert_int_equal(got.controls[0].type, CONTROL_CUT);
	body_free(&got);
	buf_free(&out);
}

static void check_body(const uint8_t *p, size_t len)
{
	struct body got;
	struct buf again = { 0 };

	if (body_parse((struct bytes){ p, len }, DEV(5), &got) != ERR_OK)
		return;
	assert_int_equal(body_put(&got, DEV(5), &again), ERR_OK);
	assert_int_equal(again.len, len);
	assert_memory_equal(again.data, p, len);
	body_free(&got);
	buf_free(&again);
}

static void every_changed_byte_of_a_body(void **state)
{
	uint8_t p[sizeof(golden) + 1];
	struct body got;

	for (size_t cut = 0; cut < sizeof(golden); cut++)
		assert_int_equal(body_parse((struct bytes){ golden, cut }, DEV(5), &got), ERR_DAMAGED);
	memcpy(p, golden, sizeof(golden));
	p[sizeof(golden)] = 0;
	assert_int_equal(body_parse((struct bytes){ p, sizeof(p) }, DEV(5), &got), ERR_DAMAGED);
	for (size_t i = 0; i < sizeof(golden); i++) {
		for (unsigned v = 0; v < 256; v++) {
			p[i] = (uint8_t)v;
			check_body(p, sizeof(golden));
		}
		p[i] = golden[i];
	}
}

static void every_changed_byte_of_an_edit(void **state)
{
	struct body b = sample();

	for (size_t k = 0; k < b.edit_count; k++) {
		struct buf out = { 0 }, again = { 0 };
		struct edit got;
		struct body pool;

		assert_int_equal(edit_put(&b.edits[k], &out), ERR_OK);
		for (size_t cut = 0; cut < out.len; cut++)
			assert_int_equal(edit_parse((struct bytes){ out.data, cut }, &got, &pool), ERR_DAMAGED);
		for (size_t i = 0; i < out.len; i++) {
			uint8_t was = out.data[i];

			for (unsigned v = 0; v < 256; v++) {
				out.data[i] = (uint8_t)v;
				if (edit_parse(buf_bytes(&out), &got, &pool) != ERR_OK)
					continue;
				again.len = 0;
				assert_int_equal(edit_put(&got, &again), ERR_OK);
				assert_int_equal(bytes_cmp(buf_bytes(&again), buf_bytes(&out)), 0);
				body_free(&pool);
			}
			out.data[i] = was;
		}
		assert_int_equal(edit_parse(buf_bytes(&out), &got, &pool), ERR_OK);
		assert_int_equal(got.write_count, b.edits[k].write_count);
		assert_int_equal(dot_cmp(got.target, b.edits[k].target), 0);
		body_free(&pool);
		buf_free(&out);
		buf_free(&again);
	}
}

/* Each bends one thing of the sample. */
static void bend_counter(struct body *b)
{
	b->first_counter = 301;
}
static void bend_zero(struct body *b)
{
	b->first_counter = 0;
}
static void bend_author(struct body *b)
{
	b->edits[1].dot.dev = DEV(6);
}
static void bend_gap(struct body *b)
{
	b->edits[1].dot.counter = 305;
}
static void bend_clock(struct body *b)
{
	b->edits[1].clock.count = 1;
}
static void bend_far_clock(struct body *b)
{
	b->edits[2].clock.ms = HLC_MS_MAX + 1;
}
static void bend_context(struct body *b)
{
	b->context[1].dev = DEV(3);
}
static void bend_context_order(struct body *b)
{
	b->context[0].dev = DEV(10);
}
static void bend_context_zero(struct body *b)
{
	b->context[0].seq = 0;
}
static void bend_context_far(struct body *b)
{
	b->context[0].seq = COUNTER_MAX + 1;
}
static void bend_seen_order(struct body *b)
{
	seen[0].dev = DEV(10);
}
static void bend_seen_twice(struct body *b)
{
	seen[0].dev = DEV(9);
}
static void bend_kind(struct body *b)
{
	b->edits[1].kind = 3;
}
static void bend_no_kind(struct body *b)
{
	b->edits[0].kind = KIND_none;
}
static void bend_future(struct body *b)
{
	b->edits[1].target.counter = 302;
}
static void bend_target_zero(struct body *b)
{
	b->edits[2].target.counter = 0;
}
static void bend_target_far(struct body *b)
{
	b->edits[2].target.counter = COUNTER_MAX + 1;
}
static void bend_payload(struct body *b)
{
	b->controls[0].payload.len = 1;
}
static void bend_order(struct body *b)
{
	static struct write two[2];

	two[0] = writes[1];
	two[1] = writes[0];
	b->edits[0].writes = two;
	b->edits[0].write_count = 2;
}
static void bend_far_counter(struct body *b)
{
	b->first_counter = COUNTER_MAX - 1;
	for (size_t i = 0; i < b->edit_count; i++)
		b->edits[i].dot.counter = b->first_counter + i;
	b->edits[0].target.counter = b->first_counter;
}

static void bend_shape(struct body *b)
{
	static const struct write bad = { TEXT, { (const uint8_t *)"\xf6", 1 } };

	b->edits[0].writes = &bad;
	b->edits[0].write_count = 1;
}

static void bend_no_edits(struct body *b)
{
	b->first_counter = COUNTER_MAX + 1;
	b->edit_count = 0;
}

static void what_is_not_as_written_down_is_not_written(void **state)
{
	static void (*const bends[])(struct body *) = {
		bend_counter, bend_zero,          bend_author,       bend_gap,         bend_clock,      bend_far_clock,
		bend_context, bend_context_order, bend_context_zero, bend_context_far, bend_seen_order, bend_seen_twice,
		bend_kind,    bend_no_kind,       bend_future,       bend_target_zero, bend_target_far, bend_payload,
		bend_order,   bend_far_counter,   bend_shape,        bend_no_edits,
	};

	for (size_t i = 0; i < sizeof(bends) / sizeof(bends[0]); i++) {
		struct body b = sample();
		struct buf out = { 0 };

		bends[i](&b);
		assert_int_equal(body_put(&b, DEV(5), &out), ERR_DAMAGED);
		buf_free(&out);
	}
}

static void values_have_the_shape_of_their_class(void **state)
{
	const struct {
		uint32_t tag;
		struct bytes value;
		enum err want;
	} cases[] = {
		{ REG, V(0xf6), ERR_OK },
		{ REG, V(0xa0), ERR_OK },
		{ REG, V(0x80), ERR_DAMAGED },
		{ REG, V(0x81, 0x01), ERR_DAMAGED },
		{ REG, V(0x83, 0x01, 0x02, 0x03), ERR_OK },
		{ REG, V(0x01, 0x02), ERR_DAMAGED },
		{ TEXT, V(0x61, 'a'), ERR_DAMAGED },
		{ TEXT, V(0x81, 0xf6), ERR_DAMAGED },
		{ TEXT, V(0x82, 0xf6, 0xf6), ERR_DAMAGED },
		{ TEXT, V(0x83, 0x60, 0x61, 'a', 0x60), ERR_OK },
		{ SET, V(0x82, 0x80, 0x80), ERR_OK },
		{ SET, V(0x81, 0x80), ERR_DAMAGED },
		{ SET, V(0x82, 0x82, 0x02, 0x01, 0x80), ERR_DAMAGED },
		{ SET, V(0x82, 0x80, 0x82, 0x01, 0x01), ERR_DAMAGED },
		{ SET, V(0x82, 0x01, 0x80), ERR_DAMAGED },
		{ EVENTS, V(0x81, 0x00), ERR_OK },
		{ EVENTS, V(0x80), ERR_DAMAGED },
		{ EVENTS, V(0x01), ERR_DAMAGED },
		{ ERASE, V(0xf5), ERR_OK },
		{ ERASE, V(0xf4), ERR_DAMAGED },
		{ ERASE, V(0x81, 0xf5), ERR_DAMAGED },
		{ NEWER, V(0x81, 0x01), ERR_OK }, /* a class of a later version (M3) */
		{ NEWER, V(0x81), ERR_DAMAGED },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(write_check(cases[i].tag, cases[i].value), cases[i].want);
}

/* 10,000 devices, each named once, then edits that name the last: within a second, and one more is refused. */
static void many_names_cost_little(void **state)
{
	enum { N = BODY_NAMES_MAX, EDITS = 100000 };
	struct edit *many = calloc(EDITS, sizeof(*many));
	struct seen *all = calloc(N, sizeof(*all));
	struct body b = { .first_counter = 1, .edits = many, .edit_count = EDITS }, got;
	struct buf out = { 0 };
	clock_t start = clock();

	assert_true(many != NULL && all != NULL);
	for (size_t i = 0; i < N; i++)
		all[i] = (struct seen){ { { 1, (uint8_t)(i >> 8), (uint8_t)i } }, i };
	for (size_t i = 0; i < EDITS; i++)
		many[i] = (struct edit){ .dot = { DEV(5), i + 1 }, .target = { all[N - 2].dev, 1 } };
	many[0].seen = all;
	many[0].seen_count = N - 1;
	assert_int_equal(body_put(&b, DEV(5), &out), ERR_OK);
	assert_int_equal(body_parse(buf_bytes(&out), DEV(5), &got), ERR_OK);
	body_free(&got);
	many[0].seen_count = N;
	out.len = 0;
	assert_int_equal(body_put(&b, DEV(5), &out), ERR_DAMAGED);
	assert_true((clock() - start) / CLOCKS_PER_SEC < 5);
	buf_free(&out);
	free(many);
	free(all);
}

static void dots_as_text_and_as_references(void **state)
{
	static const uint64_t counters[] = { 1, 255, 256, 1000000, COUNTER_MAX };
	static const char *const bad[] = { "",
		                           "0-aebagbafaydqq",
		                           "17",
		                           "17-",
		                           "17-aebagbafaydq",
		                           "01-aebagbafaydqq",
		                           "-1-aebagbafaydqq",
		                           "9223372036854775808-aebagbafaydqq",
		                           "18446744073709551617-aebagbafaydqq" };
	struct dot d;

	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		struct dot in = { DEV(200), counters[i] };
		uint8_t ref[DOT_REF_MAX];
		char text[DOT_TEXT_LEN];

		dot_text(in, text);
		assert_true(dot_parse(text, &d) && dot_cmp(d, in) == 0);
		assert_true(dot_ref_get(ref, dot_ref_put(in, ref), &d) && dot_cmp(d, in) == 0);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(dot_parse(bad[i], &d));
	assert_false(dot_ref_get((const uint8_t[]){ 1, 2, 3, 4, 5, 6, 7, 8, 0, 1 }, 10, &d));
	assert_false(dot_ref_get((const uint8_t[]){ 1, 2, 3, 4, 5, 6, 7, 8 }, 8, &d));
	assert_false(dot_ref_get((const uint8_t[16]){ [8] = 0x80 }, 16, &d));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_golden_body),
		cmocka_unit_test(every_changed_byte_of_a_body),
		cmocka_unit_test(every_changed_byte_of_an_edit),
		cmocka_unit_test(what_is_not_as_written_down_is_not_written),
		cmocka_unit_test(values_have_the_shape_of_their_class),
		cmocka_unit_test(many_names_cost_little),
		cmocka_unit_test(dots_as_text_and_as_references),
	};

	return cmocka_run_group_tests_name("model/edit", tests, NULL, NULL);
}
