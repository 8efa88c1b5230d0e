/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Shamir secret sharing over the prime field p = 2^61 - 1 (T1, T3).
 *
 * A value v is the constant term of a polynomial f of degree t - 1 whose other coefficients are uniform; share k is
 * f(k), k = 1..n. Any t shares give v back (Lagrange at 0), fewer say nothing. Sharing is linear: the sum of the
 * shares that one teller holds is that teller's share of the sum of the values. A. Shamir, How to Share a Secret,
 * CACM 22 (11), 1979.
 *
 * Arithmetic takes the same time whatever the values; it never branches on one, nor indexes by one. Field elements are
 * plain uint64_t in 0..p-1; a share on the wire at or above p is damage, not a value. Nothing here allocates.
 */
#ifndef SLB_CRYPTO_SHARE_H
#define SLB_CRYPTO_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"

#define SHARE_P ((UINT64_C(1) << 61) - 1)
#define SHARE_MAX 16 /* most shares of one value */

struct share_scheme {
	unsigned t; /* shares that suffice, 1..n */
	unsigned n; /* shares made, 1..SHARE_MAX */
};

/* One point of the polynomial: share number x (1..SHARE_MAX) and its value. */
struct share_point {
	uint64_t x;
	uint64_t y;
};

/* Splits `value` (under p) into scheme.n shares: y[k] is the share with x = k + 1. ERR_USAGE for a scheme or value
 * out of range; nothing is written then. Draws 8 bytes of `rng` for each coefficient, more when one is rejected. */
enum err share_split(uint64_t value, struct share_scheme scheme, const struct rng *rng, uint64_t *y,
                     struct errctx *ec) MUST_CHECK;

/* The value behind exactly t points with distinct x. ERR_USAGE for t out of range, an x out of range or twice;
 * ERR_DAMAGED for a y at or above p. */
enum err share_combine(const struct share_point *points, size_t t, uint64_t *value, struct errctx *ec) MUST_CHECK;

/* The sum in the field; for shares as for values. Both must be under p. */
uint64_t share_add(uint64_t a, uint64_t b);

/* The Lagrange factors at 0 of `t` share numbers, so that value = sum of factor[k] * y[k] (share_dot): worked out once
 * for all cells of a tally. Errors as share_combine. */
enum err share_factors(const uint64_t *x, size_t t, uint64_t *factor, struct errctx *ec) MUST_CHECK;
uint64_t share_dot(const uint64_t *factor, const uint64_t *y, size_t t);

enum share_verdict {
	SHARE_UNCHECKED, /* no more than t points: nothing to compare */
	SHARE_AGREE,     /* all lie on one polynomial of degree under t */
	SHARE_NAMED,     /* all but a few do, and no other few would explain it: they are marked */
	SHARE_DISAGREE   /* they do not, and one cannot say which are wrong */
};

/* Do `count` points (at most SHARE_MAX) lie on one polynomial of degree under t? With e wrong points they can be named
 * when count >= t + 2e, as Reed-Solomon codes do (distance count - t + 1). `wrong[k]` is set for the
 * named ones, false otherwise. Errors as share_combine. */
enum err share_check(const struct share_point *points, size_t count, size_t t, enum share_verdict *verdict, bool *wrong,
                     struct errctx *ec) MUST_CHECK;

#endif
