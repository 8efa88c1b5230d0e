// SPDX-License-Identifier: EUPL-1.2
// Goal: any t shares give the value back, fewer say nothing, sums of shares are shares of sums, and a wrong share among
// more than t is noticed and, where mathematics allows, named (T1, T3).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/secret.h"
#include "crypto/share.h"

/* Bytes 0, 1, 2, ... so that vectors can be written down. */
static void counting_fill(void *self, void *out, size_t len)
{
	uint8_t *next = self, *p = out;

	while (len-- > 0)
		*p++ = (*next)++;
}

/* Known answers, worked out with big integers elsewhere: coefficients are the counting bytes, little endian, 61 bits.
 * Mutations seen to fail here: coefficients from the wrong end, x counted from 0, a coefficient less. */
static void split_gives_known_shares(void **state)
{
	static const struct {
		uint64_t value;
		struct share_scheme scheme;
		uint64_t y[5];
	} cases[] = {
		{ 0, { 2, 3 }, { 0x706050403020100, 0xe0c0a0806040200, 0x15120f0c09060300 } },
		{ 1, { 2, 3 }, { 0x706050403020101, 0xe0c0a0806040201, 0x15120f0c09060301 } },
		{ 12345,
		  { 3, 5 },
		  { 0x161412100e0c3a41, 0xa443e38322c565b, 0x1c9084786c608485, 0xcf8e4d0bca8c4c1,
		    0x1b7d5f412305170d } },
		{ SHARE_P - 1, { 2, 3 }, { 0x7060504030200ff, 0xe0c0a08060401ff, 0x15120f0c090602ff } },
		{ 7, { 1, 2 }, { 7, 7 } },
	};

	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		uint8_t next = 0;
		struct rng rng = { counting_fill, &next };
		uint64_t y[SHARE_MAX] = { 0 };

		assert_int_equal(share_split(cases[k].value, cases[k].scheme, &rng, y, NULL), ERR_OK);
		for (unsigned i = 0; i < cases[k].scheme.n; i++)
			assert_int_equal(y[i], cases[k].y[i]);
	}
}

/* Seen to fail when a product is not reduced to under p. */
static void any_t_shares_give_the_value(void **state)
{
	static const struct share_scheme schemes[] = { { 1, 1 }, { 1, 3 }, { 2, 3 }, { 3, 5 }, { 4, 4 }, { 8, 16 } };
	static const uint64_t values[] = { 0, 1, 5, 1000000, SHARE_P - 1, SHARE_P / 2 };

	for (size_t s = 0; s < sizeof schemes / sizeof schemes[0]; s++) {
		for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
			struct share_scheme sc = schemes[s];
			uint64_t y[SHARE_MAX];

			assert_int_equal(share_split(values[v], sc, &crypto_rng, y, NULL), ERR_OK);
			/* every run of t neighbours on the circle of shares, in both directions */
			for (unsigned from = 0; from < sc.n; from++) {
				struct share_point pt[SHARE_MAX];
				uint64_t x[SHARE_MAX], yy[SHARE_MAX], factor[SHARE_MAX], got = SHARE_P;

				for (unsigned k = 0; k < sc.t; k++) {
					unsigned i = (from + sc.n - k) % sc.n;

					pt[k] = (struct share_point){ i + 1, y[i] };
					x[k] = i + 1;
					yy[k] = y[i];
				}
				assert_int_equal(share_combine(pt, sc.t, &got, NULL), ERR_OK);
				assert_int_equal(got, values[v]);
				assert_int_equal(share_factors(x, sc.t, factor, NULL), ERR_OK);
				assert_int_equal(share_dot(factor, yy, sc.t), values[v]);
			}
		}
	}
}

/* T1: whatever t - 1 shares say, every value is still possible: there is a polynomial through them and any value.
 * With t = 2, f(1) fixed and any v: f(2) = 2 f(1) - v exists. Here: shares of two values with the same draw differ by
 * the difference of the values, so one share is the value behind a one-time pad. Seen to fail with t - 2 draws. */
static void fewer_shares_are_a_one_time_pad(void **state)
{
	static const uint64_t values[] = { 0, 1, 77, SHARE_P - 1 };
	uint64_t first[3], seen[2][3];

	for (size_t v = 0; v < 4; v++) {
		uint8_t next = 9;
		struct rng rng = { counting_fill, &next };
		uint64_t y[3];

		assert_int_equal(share_split(values[v], (struct share_scheme){ 2, 3 }, &rng, y, NULL), ERR_OK);
		for (int k = 0; k < 3; k++) {
			if (v == 0)
				first[k] = y[k];
			assert_int_equal(y[k], share_add(first[k], values[v]));
		}
	}
	/* and the same value twice never gives the same share */
	for (int r = 0; r < 2; r++)
		assert_int_equal(share_split(5, (struct share_scheme){ 2, 3 }, &crypto_rng, seen[r], NULL), ERR_OK);
	for (int k = 0; k < 3; k++)
		assert_int_not_equal(seen[0][k], seen[1][k]);
}

/* A draw whose 61 bits are all ones would be p: it is drawn again, not folded onto 0. Seen to fail without the loop. */
struct script {
	uint64_t word[3];
	size_t at;
};

static void script_fill(void *self, void *out, size_t len)
{
	struct script *s = self;

	assert_int_equal(len, 8);
	assert_true(s->at < 3);
	*(uint64_t *)out = s->word[s->at++];
}

static void a_draw_of_p_is_rejected(void **state)
{
	struct script s = { { UINT64_MAX, SHARE_P, UINT64_C(0xE000000000000003) }, 0 };
	struct rng rng = { script_fill, &s };
	uint64_t y[2];

	assert_int_equal(share_split(10, (struct share_scheme){ 2, 2 }, &rng, y, NULL), ERR_OK);
	assert_int_equal(s.at, 3);
	assert_int_equal(y[0], 13);
	assert_int_equal(y[1], 16);
}

static void sums_of_shares_are_shares_of_sums(void **state)
{
	uint64_t sum[5] = { 0 }, want = 0, got;

	for (uint64_t v = 0; v < 200; v++) {
		uint64_t y[5], value = v % 3 == 0 ? SHARE_P - 1 - v : v * v;

		assert_int_equal(share_split(value, (struct share_scheme){ 3, 5 }, &crypto_rng, y, NULL), ERR_OK);
		for (int k = 0; k < 5; k++)
			sum[k] = share_add(sum[k], y[k]);
		want = share_add(want, value);
	}
	assert_int_equal(
	    share_combine((struct share_point[]){ { 5, sum[4] }, { 1, sum[0] }, { 3, sum[2] } }, 3, &got, NULL),
	    ERR_OK);
	assert_int_equal(got, want);
}

/* Wrong shares: noticed from t + 1 points, named from t + 2e. Seen to fail with > replaced by >= and with / 2 left out.
 */
static void wrong_shares_are_noticed_and_named(void **state)
{
	static const struct {
		struct share_scheme scheme;
		unsigned points;
		uint32_t spoil; /* bit k: point k is wrong */
		enum share_verdict verdict;
		bool named;
	} cases[] = {
		{ { 2, 3 }, 2, 0, SHARE_UNCHECKED, false },   { { 2, 3 }, 2, 1, SHARE_UNCHECKED, false },
		{ { 2, 3 }, 3, 0, SHARE_AGREE, false },       { { 2, 3 }, 3, 2, SHARE_DISAGREE, false },
		{ { 2, 4 }, 4, 0, SHARE_AGREE, false },       { { 2, 4 }, 4, 4, SHARE_NAMED, true },
		{ { 2, 4 }, 4, 5, SHARE_DISAGREE, false },    { { 3, 7 }, 7, 0x41, SHARE_NAMED, true },
		{ { 3, 7 }, 7, 0x49, SHARE_DISAGREE, false }, { { 1, 3 }, 3, 1, SHARE_NAMED, true },
	};

	for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
		uint64_t y[SHARE_MAX];
		struct share_point pt[SHARE_MAX];
		enum share_verdict verdict;
		bool wrong[SHARE_MAX];

		assert_int_equal(share_split(4711, cases[c].scheme, &crypto_rng, y, NULL), ERR_OK);
		for (unsigned k = 0; k < cases[c].points; k++) {
			pt[k] = (struct share_point){ k + 1, y[k] };
			if (cases[c].spoil >> k & 1)
				pt[k].y = share_add(pt[k].y, 1 + (uint64_t)k * k * 1000003);
		}
		assert_int_equal(share_check(pt, cases[c].points, cases[c].scheme.t, &verdict, wrong, NULL), ERR_OK);
		assert_int_equal(verdict, cases[c].verdict);
		for (unsigned k = 0; k < cases[c].points; k++)
			assert_int_equal(wrong[k], cases[c].named && (cases[c].spoil >> k & 1));
	}
}

static void misuse_and_damage_are_refused(void **state)
{
	static const struct {
		uint64_t value;
		struct share_scheme scheme;
	} bad_split[] = { { SHARE_P, { 2, 3 } }, { 1, { 0, 3 } }, { 1, { 4, 3 } }, { 1, { 2, 17 } }, { 1, { 0, 0 } } };
	static const struct {
		struct share_point pt[2];
		size_t count;
		enum err want;
	} bad_points[] = {
		{ { { 1, 5 }, { 1, 5 } }, 2, ERR_USAGE },         { { { 0, 5 }, { 1, 5 } }, 2, ERR_USAGE },
		{ { { 17, 5 }, { 1, 5 } }, 2, ERR_USAGE },        { { { 1, 5 }, { 2, 5 } }, 0, ERR_USAGE },
		{ { { 1, SHARE_P }, { 2, 5 } }, 2, ERR_DAMAGED }, { { { 1, 5 }, { 2, UINT64_MAX } }, 2, ERR_DAMAGED },
	};

	for (size_t k = 0; k < sizeof bad_split / sizeof bad_split[0]; k++) {
		uint64_t y[SHARE_MAX] = { 42 };

		assert_int_equal(share_split(bad_split[k].value, bad_split[k].scheme, &crypto_rng, y, NULL), ERR_USAGE);
		assert_int_equal(y[0], 42);
	}
	for (size_t k = 0; k < sizeof bad_points / sizeof bad_points[0]; k++) {
		struct errctx ec = { 0 };
		uint64_t v = 42;
		enum share_verdict verdict;
		bool wrong[2];

		assert_int_equal(share_combine(bad_points[k].pt, bad_points[k].count, &v, &ec), bad_points[k].want);
		assert_int_equal(v, 42);
		assert_non_null(ec.msg);
		assert_int_equal(share_check(bad_points[k].pt, bad_points[k].count, 1, &verdict, wrong, NULL),
		                 bad_points[k].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_gives_known_shares),
		cmocka_unit_test(any_t_shares_give_the_value),
		cmocka_unit_test(fewer_shares_are_a_one_time_pad),
		cmocka_unit_test(a_draw_of_p_is_rejected),
		cmocka_unit_test(sums_of_shares_are_shares_of_sums),
		cmocka_unit_test(wrong_shares_are_noticed_and_named),
		cmocka_unit_test(misuse_and_damage_are_refused),
	};

	if (crypto_start() != ERR_OK)
		return 1;
	return cmocka_run_group_tests_name("crypto/share", tests, NULL, NULL);
}
