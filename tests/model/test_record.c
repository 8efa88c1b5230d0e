// SPDX-License-Identifier: EUPL-1.2
// Goal: what people are shown of a record is what its writes say: versions newest first, kept lists, elements, events
// in their order and without those taken back; and a state has one spelling. Also where large or hostile states must
// cost little, and what clocks and vectors may and may not do (M2, M4).
// Mutations seen to fail here: newer() by device before clock, equal values counted as two versions, retractions
// passed over, events sorted by clock before causal past, elements not told apart, record_get() without one of its
// checks (order of stamps, heads, fields; stamps that nobody uses; shapes; erased and yet with fields), a clock dragged
// along by one from next year, a count that overflows.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "model/record.h"
#include "model/wire.h"

#define DEV(n) ((struct device_id){ { (n), 1, 2, 3, 4, 5, 6, 7 } })
#define V(...) ((struct bytes){ (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }) })

enum { REG = FIELD_TAG(1, CLASS_REG), TEXT = FIELD_TAG(2, CLASS_TEXT), SET = FIELD_TAG(3, CLASS_SET) };
enum { EVENTS = FIELD_TAG(4, CLASS_EVENTS), ERASE = FIELD_TAG(0, CLASS_ERASE), NEWER = FIELD_TAG(6, 7) };

static const struct dot id = { { { 1, 1, 2, 3, 4, 5, 6, 7 } }, 1 };

/* One write by device `dev`, counter `counter` at `ms`, having seen nothing of others but `saw` of `from`. */
struct by {
	uint8_t dev;
	uint64_t counter;
	uint64_t ms;
	uint64_t past;
	uint8_t from;
	uint64_t saw;
};

static void put(struct record *r, struct by by, uint32_t tag, struct bytes value)
{
	struct write w = { tag, value };
	struct edit e = { .dot = { DEV(by.dev), by.counter },
		          .target = r->id,
		          .clock = { by.ms, 0 },
		          .writes = &w,
		          .write_count = 1 };
	struct vv seen = { 0 };

	if (by.saw > 0)
		assert_int_equal(vv_set(&seen, (struct vv_entry){ DEV(by.from), 1, by.saw, { 0 } }), ERR_OK);
	assert_int_equal(record_apply(r, &e, (struct context){ &seen, by.past }), ERR_OK);
	vv_free(&seen);
}

static void versions_come_newest_first(void **state)
{
	struct record r;
	struct bytes v = { 0 };
	const struct stamp *by = NULL;
	int64_t n = 0;

	record_init(&r, id);
	assert_int_equal(record_versions(&r, REG), 0);
	assert_null(record_shown(&r, REG));
	put(&r, (struct by){ .dev = 3, .counter = 1, .ms = 50 }, REG, V(0x07));
	put(&r, (struct by){ .dev = 4, .counter = 1, .ms = 70 }, REG, V(0x08));
	put(&r, (struct by){ .dev = 2, .counter = 1, .ms = 70 }, REG, V(0x09));
	put(&r, (struct by){ .dev = 5, .counter = 1, .ms = 10 }, REG, V(0x08)); /* says the same as 4 */
	assert_int_equal(record_versions(&r, REG), 3);
	assert_int_equal(record_two_versions(&r), 1);
	assert_true(record_int(&r, REG, &n) && n == 8);
	assert_true(record_version(&r, REG, 0, &v, &by) && v.data[0] == 8 && by->dot.dev.b[0] == 4);
	assert_true(record_version(&r, REG, 1, &v, &by) && v.data[0] == 9 && by->dot.dev.b[0] == 2);
	assert_true(record_version(&r, REG, 2, &v, &by) && v.data[0] == 7);
	assert_false(record_version(&r, REG, 3, &v, &by));
	/* a pick that had seen one of them leaves the others */
	put(&r, (struct by){ .dev = 6, .counter = 1, .ms = 1, .from = 4, .saw = 1 }, REG, V(0x0a));
	assert_int_equal(record_versions(&r, REG), 4);
	assert_true(record_int(&r, REG, &n) && n == 9);
	record_free(&r);
}

static void a_kept_list_is_one_version(void **state)
{
	struct record r;
	struct bytes v = { 0 };

	record_init(&r, id);
	put(&r, (struct by){ .dev = 2, .counter = 1, .ms = 5 }, REG, V(0x82, 0x61, 'a', 0x61, 'b'));
	put(&r, (struct by){ .dev = 3, .counter = 1, .ms = 4 }, TEXT, V(0x83, 0x61, 'x', 0x61, 'c', 0x61, 'd'));
	put(&r, (struct by){ .dev = 4, .counter = 1, .ms = 3 }, TEXT, V(0x83, 0xf6, 0x61, 'c', 0x61, 'd'));
	assert_int_equal(record_versions(&r, REG), 1);
	assert_int_equal(record_versions(&r, TEXT), 1); /* the text it started from does not count */
	assert_true(record_text(&r, REG, &v) && v.len == 1 && v.data[0] == 'a');
	assert_true(record_kept(&r, REG, 1, &v) && v.data[1] == 'b');
	assert_false(record_kept(&r, REG, 2, &v));
	assert_true(record_text(&r, TEXT, &v) && v.data[0] == 'c');
	assert_true(record_kept(&r, TEXT, 1, &v) && v.data[1] == 'd');
	assert_false(record_kept(&r, TEXT, 2, &v));
	/* a class of a later version, of any shape, is kept and shown raw */
	put(&r, (struct by){ .dev = 2, .counter = 2, .ms = 6 }, NEWER, V(0x80));
	assert_int_equal(record_versions(&r, NEWER), 1);
	assert_false(record_text(&r, NEWER, &v));
	record_free(&r);
}

static void elements_are_told_once(void **state)
{
	struct record r;
	struct bytes v = { 0 };

	record_init(&r, id);
	put(&r, (struct by){ .dev = 2, .counter = 1 }, SET, V(0x82, 0x82, 0x05, 0x62, 'n', 'l', 0x80));
	put(&r, (struct by){ .dev = 3, .counter = 1 }, SET, V(0x82, 0x82, 0x04, 0x62, 'n', 'l', 0x80));
	/* takes away what it had seen: the add of 2, not that of 3 */
	put(&r, (struct by){ .dev = 4, .counter = 1, .from = 2, .saw = 1 }, SET,
	    V(0x82, 0x80, 0x82, 0x05, 0x62, 'n', 'l'));
	assert_true(record_element(&r, SET, 0, &v) && v.data[0] == 4);
	assert_true(record_element_text(&r, SET, 1, &v) && v.len == 2);
	assert_false(record_element(&r, SET, 2, &v));
	assert_false(record_element_text(&r, SET, 0, &v));
	/* added and taken away in one edit: the add wins */
	put(&r, (struct by){ .dev = 2, .counter = 2 }, SET, V(0x82, 0x81, 0x01, 0x81, 0x01));
	assert_true(record_element(&r, SET, 0, &v) && v.data[0] == 1);
	record_free(&r);
}

static struct bytes event(struct buf *b, const char *status, int64_t date)
{
	b->len = 0;
	assert_int_equal(wire_put_array(b, 3), ERR_OK);
	assert_int_equal(wire_put_text(b, status, strlen(status)), ERR_OK);
	assert_int_equal(wire_put_int(b, date), ERR_OK);
	assert_int_equal(wire_put_null(b), ERR_OK);
	return buf_bytes(b);
}

static struct bytes retraction(struct buf *b, struct dot d)
{
	uint8_t ref[DOT_REF_MAX];

	b->len = 0;
	assert_int_equal(wire_put_array(b, 2), ERR_OK);
	assert_int_equal(wire_put_text(b, "fout", 4), ERR_OK);
	assert_int_equal(wire_put_bytes(b, ref, dot_ref_put(d, ref)), ERR_OK);
	return buf_bytes(b);
}

static void assert_events(const struct record *r, const char *want)
{
	struct event *list = NULL;
	size_t n = 0;
	char got[64] = "";

	assert_int_equal(record_events(r, EVENTS, &list, &n), ERR_OK);
	for (size_t i = 0; i < n; i++)
		strncat(got, (const char *)list[i].status.data, list[i].status.len);
	assert_string_equal(got, want);
	assert_true((n == 0) == (list == NULL));
	free(list);
}

static void events_in_order_without_those_taken_back(void **state)
{
	struct record r;
	struct buf b = { 0 };

	record_init(&r, id);
	assert_events(&r, "");
	put(&r, (struct by){ .dev = 2, .counter = 1, .ms = 90, .past = 0 }, EVENTS, event(&b, "c", 10));
	put(&r, (struct by){ .dev = 3, .counter = 1, .ms = 10, .past = 5 }, EVENTS, event(&b, "d", 10));
	put(&r, (struct by){ .dev = 4, .counter = 1, .ms = 99, .past = 9 }, EVENTS, event(&b, "a", -3));
	put(&r, (struct by){ .dev = 6, .counter = 1, .ms = 20, .past = 5 }, EVENTS, event(&b, "f", 10));
	put(&r, (struct by){ .dev = 5, .counter = 1, .ms = 20, .past = 5 }, EVENTS, event(&b, "e", 10));
	put(&r, (struct by){ .dev = 5, .counter = 2, .ms = 20, .past = 6 }, EVENTS,
	    V(0x81, 0x00)); /* of a later version */
	assert_events(&r, "acdef");
	/* one that its author had not read stays; so does one taken back before it was written */
	put(&r, (struct by){ .dev = 7, .counter = 1 }, EVENTS, retraction(&b, (struct dot){ DEV(3), 1 }));
	put(&r, (struct by){ .dev = 7, .counter = 2 }, EVENTS, retraction(&b, (struct dot){ DEV(7), 3 }));
	put(&r, (struct by){ .dev = 7, .counter = 3, .ms = 1, .past = 90 }, EVENTS, event(&b, "g", 10));
	assert_events(&r, "acdefg");
	put(&r, (struct by){ .dev = 7, .counter = 4, .from = 3, .saw = 1 }, EVENTS,
	    retraction(&b, (struct dot){ DEV(3), 1 }));
	assert_events(&r, "acefg");
	/* a retraction cannot be taken back: write the event again */
	put(&r, (struct by){ .dev = 7, .counter = 5 }, EVENTS, retraction(&b, (struct dot){ DEV(7), 4 }));
	assert_events(&r, "acefg");
	buf_free(&b);
	record_free(&r);
}

static void an_erased_record_holds_nothing_else(void **state)
{
	struct record r, again;
	struct buf b = { 0 };

	record_init(&r, id);
	put(&r, (struct by){ .dev = 2, .counter = 1 }, REG, V(0x01));
	put(&r, (struct by){ .dev = 3, .counter = 1 }, ERASE, V(0xf5));
	put(&r, (struct by){ .dev = 4, .counter = 1 }, REG, V(0x02));
	put(&r, (struct by){ .dev = 4, .counter = 2 }, ERASE, V(0xf5));
	assert_true(record_is_erased(&r));
	assert_null(record_shown(&r, REG));
	assert_int_equal(record_put(&r, &b), ERR_OK);
	assert_int_equal(record_get(buf_bytes(&b), &again), ERR_OK);
	assert_int_equal(again.field_count, 1);
	assert_int_equal(again.fields[0].n, 2);
	record_free(&again);
	record_free(&r);
	buf_free(&b);
}

/* Every cut and every changed byte of a state is refused or writes itself the same way. */
static void a_state_has_one_spelling(void **state)
{
	struct record r, again;
	struct buf b = { 0 }, c = { 0 }, ev = { 0 };

	record_init(&r, id);
	r.kind = 4;
	put(&r, (struct by){ .dev = 2, .counter = 1, .ms = 900 }, REG, V(0x01));
	put(&r, (struct by){ .dev = 3, .counter = 1, .ms = 800, .past = 3 }, REG, V(0x82, 0x01, 0x02));
	put(&r, (struct by){ .dev = 2, .counter = 2 }, SET, V(0x82, 0x82, 0x05, 0x62, 'n', 'l', 0x80));
	put(&r, (struct by){ .dev = 4, .counter = 1 }, SET, V(0x82, 0x82, 0x04, 0x62, 'n', 'l', 0x80));
	put(&r, (struct by){ .dev = 5, .counter = 1 }, TEXT, V(0x82, 0xf6, 0x61, 'a'));
	put(&r, (struct by){ .dev = 5, .counter = 2 }, EVENTS, event(&ev, "plan", 20000));
	assert_int_equal(record_put(&r, &b), ERR_OK);
	for (size_t cut = 0; cut < b.len; cut++)
		assert_int_equal(record_get((struct bytes){ b.data, cut }, &again), ERR_DAMAGED);
	for (size_t i = 0; i < b.len; i++) {
		uint8_t was = b.data[i];

		for (unsigned v = 0; v < 256; v++) {
			b.data[i] = (uint8_t)v;
			if (record_get(buf_bytes(&b), &again) != ERR_OK)
				continue;
			c.len = 0;
			assert_int_equal(record_put(&again, &c), ERR_OK);
			assert_int_equal(bytes_cmp(buf_bytes(&c), buf_bytes(&b)), 0);
			record_free(&again);
		}
		b.data[i] = was;
	}
	record_free(&r);
	buf_free(&b);
	buf_free(&c);
	buf_free(&ev);
}

/* States written by hand: one write of device 1, then the map of fields. */
static void states_that_no_fold_gives(void **state)
{
	static const uint8_t head[] = { 0x84, 0x82, 0x48, 1, 1, 2, 3, 4, 5, 6, 7,    0x01, 0x04, 0x81,
		                        0x85, 0x48, 1,    1, 2, 3, 4, 5, 6, 7, 0x01, 0,    0,    0 };
	const struct {
		struct bytes fields;
		enum err want;
	} cases[] = {
		{ V(0xa1, 0x08, 0x81, 0x82, 0x00, 0x07), ERR_OK },
		{ V(0xa2, 0x08, 0x81, 0x82, 0x00, 0x07, 0x10, 0x81, 0x82, 0x00, 0x07), ERR_OK },
		{ V(0xa2, 0x10, 0x81, 0x82, 0x00, 0x07, 0x08, 0x81, 0x82, 0x00, 0x07), ERR_DAMAGED }, /* order */
		{ V(0xa2, 0x08, 0x81, 0x82, 0x00, 0x07, 0x08, 0x81, 0x82, 0x00, 0x07), ERR_DAMAGED }, /* twice */
		{ V(0xa1, 0x04, 0x81, 0x82, 0x00, 0xf5), ERR_OK },
		{ V(0xa2, 0x04, 0x81, 0x82, 0x00, 0xf5, 0x08, 0x81, 0x82, 0x00, 0x07), ERR_DAMAGED }, /* erased */
		{ V(0xa1, 0x08, 0x81, 0x82, 0x00, 0x80), ERR_DAMAGED },                               /* shape */
		{ V(0xa1, 0x08, 0x80), ERR_DAMAGED },                                                 /* empty field */
		{ V(0xa1, 0x08, 0x81, 0x82, 0x01, 0x07), ERR_DAMAGED }, /* no such stamp */
		{ V(0xa0), ERR_DAMAGED },                               /* unused stamp */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = { 0 };
		struct record r;

		assert_int_equal(buf_put(&b, head, sizeof(head)), ERR_OK);
		assert_int_equal(buf_put(&b, cases[i].fields.data, cases[i].fields.len), ERR_OK);
		assert_int_equal(record_get(buf_bytes(&b), &r), cases[i].want);
		if (cases[i].want == ERR_OK)
			record_free(&r);
		buf_free(&b);
	}
}

static void the_same_edit_again(void **state)
{
	struct record r;
	struct buf a = { 0 }, b = { 0 };

	record_init(&r, id);
	for (int k = 0; k < 2; k++) {
		put(&r, (struct by){ .dev = 2, .counter = 1 }, REG, V(0x01));
		put(&r, (struct by){ .dev = 3, .counter = 1, .from = 2, .saw = 1 }, REG, V(0x02));
		assert_int_equal(record_put(&r, k == 0 ? &a : &b), ERR_OK);
	}
	assert_int_equal(bytes_cmp(buf_bytes(&a), buf_bytes(&b)), 0);
	record_free(&r);
	buf_free(&a);
	buf_free(&b);
}

/* 10,000 elements in one edit, 10,000 events with retractions, a text of 1 MB: seconds are too long. */
static void large_records_cost_little(void **state)
{
	enum { N = 10000 };
	struct record r, again;
	struct buf b = { 0 }, state_now = { 0 };
	struct bytes v = { 0 };
	struct event *list = NULL;
	size_t n = 0;
	clock_t start = clock();

	record_init(&r, id);
	assert_int_equal(wire_put_array(&b, 2), ERR_OK);
	assert_int_equal(wire_put_array(&b, N), ERR_OK);
	for (uint64_t i = 0; i < N; i++)
		assert_int_equal(wire_put_uint(&b, i), ERR_OK);
	assert_int_equal(wire_put_array(&b, 0), ERR_OK);
	put(&r, (struct by){ .dev = 2, .counter = 1 }, SET, buf_bytes(&b));
	put(&r, (struct by){ .dev = 3, .counter = 1 }, SET, buf_bytes(&b));
	for (size_t i = 0; i < N; i += 50)
		assert_true(record_element(&r, SET, i, &v));
	assert_false(record_element(&r, SET, N, &v));
	for (uint64_t i = 1; i <= N; i++)
		put(&r, (struct by){ .dev = 4, .counter = i }, EVENTS,
		    i % 2 == 0 ? retraction(&b, (struct dot){ DEV(4), i - 1 }) : event(&b, "plan", (int64_t)(i % 30)));
	assert_int_equal(record_events(&r, EVENTS, &list, &n), ERR_OK);
	assert_int_equal(n, 0);
	free(list);
	b.len = 0;
	assert_int_equal(wire_put_array(&b, 2), ERR_OK);
	assert_int_equal(wire_put_null(&b), ERR_OK);
	{
		char *text = malloc(1 << 20);

		assert_non_null(text);
		memset(text, 'x', 1 << 20);
		assert_int_equal(wire_put_text(&b, text, 1 << 20), ERR_OK);
		free(text);
	}
	put(&r, (struct by){ .dev = 5, .counter = 1 }, TEXT, buf_bytes(&b));
	assert_int_equal(record_put(&r, &state_now), ERR_OK);
	assert_int_equal(record_get(buf_bytes(&state_now), &again), ERR_OK);
	assert_true(record_text(&again, TEXT, &v) && v.len == 1 << 20);
	assert_true((clock() - start) / CLOCKS_PER_SEC < 5);
	record_free(&again);
	record_free(&r);
	buf_free(&b);
	buf_free(&state_now);
}

/* M4. Clocks: a day ahead is followed, a year is not; whatever happens, one's own stamps rise. */
static void clocks_follow_for_a_day_only(void **state)
{
	const int64_t now = 1780000000000;
	struct hlc clock = { 0 }, last = { 0 };

	last = hlc_tick(&clock, now);
	assert_true(last.ms == (uint64_t)now && last.count == 0);
	hlc_see(&clock, (struct hlc){ (uint64_t)(now + HLC_DRIFT_MS), 4 }, now);
	last = hlc_tick(&clock, now);
	assert_true(last.ms == (uint64_t)(now + HLC_DRIFT_MS) && last.count == 5);
	hlc_see(&clock, (struct hlc){ (uint64_t)(now + HLC_DRIFT_MS + 1), 0 }, now);
	hlc_see(&clock, (struct hlc){ UINT64_MAX, 0 }, now);
	assert_true(hlc_tick(&clock, now).ms == (uint64_t)(now + HLC_DRIFT_MS));
	/* a clock put back, by ten years or to before 1970 */
	last = clock;
	assert_true(hlc_cmp(hlc_tick(&clock, now - INT64_C(315360000000)), last) > 0);
	last = clock;
	assert_true(hlc_cmp(hlc_tick(&clock, -5), last) > 0);
	clock.count = UINT32_MAX;
	last = clock;
	assert_true(hlc_cmp(hlc_tick(&clock, now), last) > 0);
}

static void vectors_keep_the_last_entry_of_each(void **state)
{
	struct vv v = { 0 }, w = { 0 };

	assert_null(vv_get(&v, DEV(1)));
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(vv_set(&v, (struct vv_entry){ DEV((uint8_t)(i * 37 % 25)), i, i, { 0 } }), ERR_OK);
	assert_int_equal(v.n, 25);
	for (size_t i = 1; i < v.n; i++)
		assert_true(device_cmp(v.e[i - 1].dev, v.e[i].dev) < 0);
	assert_int_equal(vv_get(&v, DEV(0))->seq, 25);
	assert_int_equal(vv_past(&v), 25 * 37); /* 25 + 26 + ... + 49 */
	assert_int_equal(vv_copy(&v, &w), ERR_OK);
	assert_int_equal(vv_past(&w), vv_past(&v));
	assert_int_equal(vv_set(&w, (struct vv_entry){ DEV(0), 1, UINT64_MAX - 3, { 0 } }), ERR_OK);
	assert_true(vv_past(&w) == UINT64_MAX);
	vv_free(&v);
	vv_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_come_newest_first),
		cmocka_unit_test(a_kept_list_is_one_version),
		cmocka_unit_test(elements_are_told_once),
		cmocka_unit_test(events_in_order_without_those_taken_back),
		cmocka_unit_test(an_erased_record_holds_nothing_else),
		cmocka_unit_test(a_state_has_one_spelling),
		cmocka_unit_test(states_that_no_fold_gives),
		cmocka_unit_test(the_same_edit_again),
		cmocka_unit_test(large_records_cost_little),
		cmocka_unit_test(clocks_follow_for_a_day_only),
		cmocka_unit_test(vectors_keep_the_last_entry_of_each),
	};

	return cmocka_run_group_tests_name("model/record", tests, NULL, NULL);
}
