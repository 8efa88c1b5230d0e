// SPDX-License-Identifier: EUPL-1.2
// Goal: CBOR has one spelling here. What the writer writes is read back; any other spelling, any cut, any head that
// promises more than there is, is refused without moving the reader or taking memory.
// Mutations seen to fail here: heads not compared with their shortest form, counts not bounded by what remains, no
// depth, map keys not compared, text not checked.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/random.h"
#include "model/wire.h"

#define B(...)                                                                                                         \
	{                                                                                                              \
		(const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })                             \
	}

static void other_spellings_are_refused(void **state)
{
	const struct bytes bad[] = {
		B(0x18, 0x17),                   /* 23 in two bytes */
		B(0x19, 0x00, 0xff),             /* 255 in three */
		B(0x1a, 0x00, 0x00, 0xff, 0xff), /* 65535 in five */
		B(0x1b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff),
		B(0x38, 0x00),                                           /* -1 in two */
		B(0x58, 0x01, 0x00),                                     /* a byte string with a long head */
		B(0x78, 0x01, 'a'),                                      /* a text with one */
		B(0x98, 0x01, 0x00),                                     /* an array with one */
		B(0x5f, 0x41, 0x00, 0xff),                               /* indefinite: bytes */
		B(0x7f, 0x61, 'a', 0xff),                                /* text */
		B(0x9f, 0x00, 0xff),                                     /* array */
		B(0xbf, 0x00, 0x00, 0xff),                               /* map */
		B(0xff),                                                 /* break */
		B(0xc0, 0x00),                                           /* tag */
		B(0xd8, 0x20, 0x00),                                     /* tag */
		B(0xf7),                                                 /* undefined */
		B(0xe0),                                                 /* simple 0 */
		B(0xf8, 0x14),                                           /* false in two bytes */
		B(0xf8, 0xff),                                           /* simple 255 */
		B(0xf9, 0x3c, 0x00),                                     /* half float */
		B(0xfa, 0, 0, 0, 0),                                     /* float */
		B(0xfb, 0, 0, 0, 0, 0, 0, 0, 0),                         /* double */
		B(0x1c),                                                 /* reserved */
		B(0x61, 0xff),                                           /* not UTF-8 */
		B(0x61, 0x00),                                           /* NUL in text */
		B(0x62, 0xc0, 0x80),                                     /* NUL, overlong */
		B(0x63, 0xed, 0xa0, 0x80),                               /* a surrogate */
		B(0x81),                                                 /* one item promised */
		B(0x82, 0x00),                                           /* two, one there */
		B(0xa1, 0x00),                                           /* a key without a value */
		B(0xa2, 0x01, 0x00, 0x00, 0x00),                         /* keys that fall */
		B(0xa2, 0x00, 0x00, 0x00, 0x00),                         /* a key twice */
		B(0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), /* 2^64 - 1 items */
		B(0xbb, 0x80, 0, 0, 0, 0, 0, 0, 0),
		B(0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		B(0x7b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		B(0x9a, 0x00, 0x01, 0x00, 0x00, 0x00),
		{ (const uint8_t *)"", 0 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct wire_in in = wire_in(bad[i]);
		struct bytes item = { 0 };

		assert_int_equal(wire_get_raw(&in, &item), ERR_DAMAGED);
		assert_ptr_equal(in.p, bad[i].data);
	}
}

static void heads_promise_no_more_than_there_is(void **state)
{
	const struct bytes bad[] = { B(0x82, 0x00), B(0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		                     B(0xa2, 0, 0, 0) };
	size_t n = 0;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct wire_in in = wire_in(bad[i]);

		assert_int_equal(wire_get_array(&in, &n), ERR_DAMAGED);
		assert_int_equal(wire_get_map(&in, &n), ERR_DAMAGED);
		assert_int_equal(wire_peek(&in), WIRE_BAD);
	}
}

static void depth_ends_at_16(void **state)
{
	uint8_t nested[WIRE_DEPTH + 1];

	for (size_t depth = 1; depth <= sizeof(nested); depth++) {
		struct wire_in in = wire_in((struct bytes){ nested, depth });
		struct bytes item = { 0 };

		memset(nested, 0x81, sizeof(nested));
		nested[depth - 1] = 0x80;
		assert_int_equal(wire_get_raw(&in, &item), depth <= WIRE_DEPTH ? ERR_OK : ERR_DAMAGED);
	}
}

static void numbers_come_back(void **state)
{
	static const int64_t ints[] = { 0,         1,          23,     24,    255,   256,       65535,
		                        65536,     -1,         -24,    -25,   -256,  -257,      INT64_MAX,
		                        INT64_MIN, 4294967295, -65536, 65537, 10000, 4294967296 };
	static const uint8_t below[] = { 0x3b, 0x80, 0, 0, 0, 0, 0, 0, 0 }; /* -2^63 - 1 */
	static const uint8_t above[] = { 0x1b, 0x80, 0, 0, 0, 0, 0, 0, 0 }; /* 2^63 */
	struct wire_in in = wire_in((struct bytes){ below, sizeof(below) });
	int64_t v = 7;
	uint64_t u = 7;

	assert_int_equal(wire_get_int(&in, &v), ERR_DAMAGED);
	in = wire_in((struct bytes){ above, sizeof(above) });
	assert_int_equal(wire_get_int(&in, &v), ERR_DAMAGED);
	assert_int_equal(v, 7);
	assert_int_equal(wire_get_uint(&in, &u), ERR_OK);
	assert_true(u == UINT64_C(1) << 63);
	for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
		struct buf b = { 0 };

		assert_int_equal(wire_put_int(&b, ints[i]), ERR_OK);
		in = wire_in(buf_bytes(&b));
		assert_int_equal(wire_get_int(&in, &v), ERR_OK);
		assert_true(v == ints[i]);
		assert_int_equal(wire_at_end(&in), ERR_OK);
		buf_free(&b);
	}
}

/* A value of another type is refused and stays there to be read. */
static void a_wrong_type_does_not_move_the_reader(void **state)
{
	static const uint8_t one[][2] = {
		{ 0x01 }, { 0x20 }, { 0x40 }, { 0x60 }, { 0x80 }, { 0xa0 }, { 0xf5 }, { 0xf6 }
	};
	static const enum wire_type type[] = { WIRE_UINT,  WIRE_NEGINT, WIRE_BYTES, WIRE_TEXT,
		                               WIRE_ARRAY, WIRE_MAP,    WIRE_BOOL,  WIRE_NULL };

	for (size_t i = 0; i < 8; i++) {
		struct wire_in in = wire_in((struct bytes){ one[i], 1 });
		struct bytes b = { 0 };
		uint64_t u = 0;
		size_t n = 0;
		bool yes = false;

		assert_int_equal(wire_peek(&in), type[i]);
		assert_int_equal(type[i] != WIRE_UINT && wire_get_uint(&in, &u) == ERR_OK, 0);
		assert_int_equal(type[i] != WIRE_BYTES && wire_get_bytes(&in, &b) == ERR_OK, 0);
		assert_int_equal(type[i] != WIRE_TEXT && wire_get_text(&in, &b) == ERR_OK, 0);
		assert_int_equal(type[i] != WIRE_ARRAY && wire_get_array(&in, &n) == ERR_OK, 0);
		assert_int_equal(type[i] != WIRE_MAP && wire_get_map(&in, &n) == ERR_OK, 0);
		assert_int_equal(type[i] != WIRE_BOOL && wire_get_bool(&in, &yes) == ERR_OK, 0);
		assert_int_equal(type[i] != WIRE_NULL && wire_get_null(&in) == ERR_OK, 0);
		assert_ptr_equal(in.p, one[i]);
		assert_int_equal(wire_get_raw(&in, &b), ERR_OK);
		assert_int_equal(wire_peek(&in), WIRE_END);
	}
}

static void item_put(struct random *rnd, int depth, struct buf *b)
{
	static const char text[] = "Zoë is ’t";
	size_t n = random_below(rnd, 4);

	switch (random_below(rnd, depth > 0 ? 7 : 5)) {
	case 0:
		assert_int_equal(wire_put_uint(b, random_next(rnd) >> random_below(rnd, 64)), ERR_OK);
		break;
	case 1:
		assert_int_equal(wire_put_int(b, -(int64_t)(random_next(rnd) >> (1 + random_below(rnd, 63)))), ERR_OK);
		break;
	case 2:
		assert_int_equal(wire_put_bytes(b, text, n), ERR_OK);
		break;
	case 3:
		assert_int_equal(wire_put_text(b, text, random_chance(rnd, 50) ? 2 : sizeof(text) - 1), ERR_OK);
		break;
	case 4:
		assert_int_equal(random_chance(rnd, 30) ? wire_put_null(b) : wire_put_bool(b, n > 1), ERR_OK);
		break;
	case 5:
		assert_int_equal(wire_put_array(b, n), ERR_OK);
		while (n-- > 0)
			item_put(rnd, depth - 1, b);
		break;
	default:
		assert_int_equal(wire_put_map(b, n), ERR_OK);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(wire_put_uint(b, i * 30), ERR_OK);
			item_put(rnd, depth - 1, b);
		}
	}
}

/* What is written is one whole item; cut anywhere it is none. */
static void whatever_is_written_is_read(void **state)
{
	struct random rnd = { 5 };

	for (int k = 0; k < 5000; k++) {
		struct buf b = { 0 };
		struct bytes item = { 0 };
		struct wire_in in;

		item_put(&rnd, 6, &b);
		in = wire_in(buf_bytes(&b));
		assert_int_equal(wire_get_raw(&in, &item), ERR_OK);
		assert_int_equal(item.len, b.len);
		for (size_t cut = 0; cut < b.len; cut++) {
			in = wire_in((struct bytes){ b.data, cut });
			assert_int_equal(wire_get_raw(&in, &item), ERR_DAMAGED);
		}
		buf_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_spellings_are_refused),
		cmocka_unit_test(heads_promise_no_more_than_there_is),
		cmocka_unit_test(depth_ends_at_16),
		cmocka_unit_test(numbers_come_back),
		cmocka_unit_test(a_wrong_type_does_not_move_the_reader),
		cmocka_unit_test(whatever_is_written_is_read),
	};

	return cmocka_run_group_tests_name("model/wire", tests, NULL, NULL);
}
