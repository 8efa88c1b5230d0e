// SPDX-License-Identifier: EUPL-1.2
// Three small sums in one field element (T3: sums are exact, nothing carries over).
#include "tally/pack.h"

#include "crypto/share.h"

#define X_SHIFT 34
#define I_SHIFT 20
#define I_MASK ((UINT64_C(1) << 14) - 1)
#define C_MASK ((UINT64_C(1) << 20) - 1)

_Static_assert(PACK_CIRCLES <= I_MASK, "i does not carry");
_Static_assert((uint64_t)PACK_CIRCLES *PACK_T <= C_MASK, "c does not carry");
_Static_assert((uint64_t)PACK_CIRCLES *PACK_X < (UINT64_C(1) << 26), "x does not carry");
_Static_assert((UINT64_C(1) << 60) < SHARE_P, "a sum is a field element");

enum err pack_put(uint64_t x, uint32_t cap, uint64_t *out, struct errctx *ec)
{
	if (x > PACK_X)
		return err_set(ec, ERR_REFUSED,
		               "A circle can count at most 4096 referrals of one kind in a quarter. Look for an import "
		               "that went wrong.",
		               NULL, NULL, NULL);
	*out = x << X_SHIFT | (uint64_t)(x > 0) << I_SHIFT | (x < cap ? x : cap);
	return ERR_OK;
}

enum err pack_get(uint64_t packed, uint32_t cap, uint64_t circles, struct pack_count *out, struct errctx *ec)
{
	struct pack_count c = { packed >> X_SHIFT, packed >> I_SHIFT & I_MASK, packed & C_MASK };

	if (packed >> 60 != 0 || c.i > circles || c.x > circles * PACK_X || c.c < c.i || c.c > c.i * cap || c.x < c.c ||
	    (c.x > 0 && c.i == 0))
		return err_set(ec, ERR_DAMAGED,
		               "The sums are no sums of counts: a contribution was not made as it should be. Nothing "
		               "is published for this period.",
		               NULL, NULL, NULL);
	*out = c;
	return ERR_OK;
}
