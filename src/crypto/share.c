// SPDX-License-Identifier: EUPL-1.2
// Shamir shares over 2^61 - 1 (T1, T3). No branch and no index depends on a value, a share or a coefficient; the one
// exception is the rejection of a random draw, which is thrown away.
#include "crypto/share.h"

#include "crypto/secret.h"

/* v in 0..2p-1 to 0..p-1. */
static uint64_t reduce_once(uint64_t v)
{
	uint64_t d = v - SHARE_P;
	uint64_t keep = UINT64_C(0) - (d >> 63); /* all ones if v < p */

	return (v & keep) | (d & ~keep);
}

uint64_t share_add(uint64_t a, uint64_t b)
{
	return reduce_once(a + b);
}

static uint64_t field_sub(uint64_t a, uint64_t b)
{
	return reduce_once(a + SHARE_P - b);
}

static uint64_t field_mul(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return reduce_once((uint64_t)(m & SHARE_P) + (uint64_t)(m >> 61));
}

/* a^(p-2): the exponent is public, so the ladder may branch on it. */
static uint64_t field_inverse(uint64_t a)
{
	uint64_t r = 1;

	for (uint64_t e = SHARE_P - 2; e > 0; e >>= 1) {
		if (e & 1)
			r = field_mul(r, a);
		a = field_mul(a, a);
	}
	return r;
}

/* Uniform in 0..p-1: 61 bits of a draw, thrown away in the one case of 2^61 that is p itself. */
static uint64_t field_random(const struct rng *rng)
{
	uint64_t v;

	do {
		rng_fill(rng, &v, sizeof v);
		v &= SHARE_P;
	} while (v == SHARE_P);
	return v;
}

enum err share_split(uint64_t value, struct share_scheme scheme, const struct rng *rng, uint64_t *y, struct errctx *ec)
{
	uint64_t coefficient[SHARE_MAX] = { 0 };

	if (scheme.n < 1 || scheme.n > SHARE_MAX || scheme.t < 1 || scheme.t > scheme.n || value >= SHARE_P)
		return err_set(ec, ERR_USAGE, "A value cannot be divided into these shares.", NULL, NULL, NULL);
	coefficient[0] = value;
	for (unsigned k = 1; k < scheme.t; k++)
		coefficient[k] = field_random(rng);
	for (unsigned x = 1; x <= scheme.n; x++) {
		uint64_t sum = 0;

		for (unsigned k = scheme.t; k-- > 0;)
			sum = share_add(field_mul(sum, x), coefficient[k]);
		y[x - 1] = sum;
	}
	secret_wipe(coefficient, sizeof coefficient);
	return ERR_OK;
}

static enum err numbers_check(const uint64_t *x, size_t count, struct errctx *ec)
{
	bool fine = count >= 1 && count <= SHARE_MAX;

	for (size_t k = 0; fine && k < count; k++) {
		fine = x[k] >= 1 && x[k] <= SHARE_MAX;
		for (size_t j = 0; fine && j < k; j++)
			fine = x[j] != x[k];
	}
	if (!fine)
		return err_set(ec, ERR_USAGE, "These share numbers cannot belong together.", NULL, NULL, NULL);
	return ERR_OK;
}

/* Factors so that f(at) = sum of factor[k] * f(x[k]) for every f of degree under t. */
static void lagrange(const uint64_t *x, size_t t, uint64_t at, uint64_t *factor)
{
	for (size_t k = 0; k < t; k++) {
		uint64_t above = 1, below = 1;

		for (size_t j = 0; j < t; j++) {
			if (j == k)
				continue;
			above = field_mul(above, field_sub(at, x[j]));
			below = field_mul(below, field_sub(x[k], x[j]));
		}
		factor[k] = field_mul(above, field_inverse(below));
	}
}

enum err share_factors(const uint64_t *x, size_t t, uint64_t *factor, struct errctx *ec)
{
	enum err e = numbers_check(x, t, ec);

	if (e == ERR_OK)
		lagrange(x, t, 0, factor);
	return e;
}

uint64_t share_dot(const uint64_t *factor, const uint64_t *y, size_t t)
{
	uint64_t sum = 0;

	for (size_t k = 0; k < t; k++)
		sum = share_add(sum, field_mul(factor[k], y[k]));
	return sum;
}

/* Numbers and values apart, both in range. */
static enum err points_take(const struct share_point *points, size_t count, uint64_t *x, uint64_t *y, struct errctx *ec)
{
	for (size_t k = 0; k < count && k < SHARE_MAX; k++) {
		x[k] = points[k].x;
		y[k] = points[k].y;
		if (y[k] >= SHARE_P)
			return err_set(ec, ERR_DAMAGED, "A share is damaged. Ask its teller for the sum again.", NULL,
			               NULL, NULL);
	}
	return numbers_check(x, count, ec);
}

enum err share_combine(const struct share_point *points, size_t t, uint64_t *value, struct errctx *ec)
{
	uint64_t x[SHARE_MAX], y[SHARE_MAX], factor[SHARE_MAX];
	enum err e = points_take(points, t, x, y, ec);

	if (e != ERR_OK)
		return e;
	lagrange(x, t, 0, factor);
	*value = share_dot(factor, y, t);
	secret_wipe(y, sizeof y);
	return ERR_OK;
}

/* Which points lie off the polynomial through the points of `mask` (t of them)? Returns how many. */
static size_t off_polynomial(const uint64_t *x, const uint64_t *y, size_t count, size_t t, uint32_t mask, bool *wrong)
{
	uint64_t bx[SHARE_MAX], by[SHARE_MAX], factor[SHARE_MAX];
	size_t taken = 0, off = 0;

	for (size_t k = 0; k < count; k++) {
		if (mask >> k & 1) {
			bx[taken] = x[k];
			by[taken++] = y[k];
		}
	}
	for (size_t k = 0; k < count; k++) {
		lagrange(bx, t, x[k], factor);
		wrong[k] = share_dot(factor, by, t) != y[k];
		off += wrong[k];
	}
	return off;
}

enum err share_check(const struct share_point *points, size_t count, size_t t, enum share_verdict *verdict, bool *wrong,
                     struct errctx *ec)
{
	uint64_t x[SHARE_MAX], y[SHARE_MAX];
	bool trial[SHARE_MAX];
	enum err e = points_take(points, count, x, y, ec);

	if (e != ERR_OK)
		return e;
	if (t < 1 || t > SHARE_MAX)
		return err_set(ec, ERR_USAGE, "These share numbers cannot belong together.", NULL, NULL, NULL);
	for (size_t k = 0; k < count; k++)
		wrong[k] = false;
	if (count <= t) {
		*verdict = SHARE_UNCHECKED;
		return ERR_OK;
	}
	*verdict = SHARE_DISAGREE;
	/* Two polynomials of degree under t that each miss at most (count - t) / 2 points are the same one. */
	for (uint32_t mask = 0; mask < UINT32_C(1) << count; mask++) {
		size_t off;

		if ((size_t)__builtin_popcount(mask) != t)
			continue;
		off = off_polynomial(x, y, count, t, mask, trial);
		if (off > (count - t) / 2)
			continue;
		for (size_t k = 0; k < count; k++)
			wrong[k] = trial[k];
		*verdict = off == 0 ? SHARE_AGREE : SHARE_NAMED;
		break;
	}
	return ERR_OK;
}
