// SPDX-License-Identifier: EUPL-1.2
// Plans: written once, read strictly, named by their hash. Floors are checked where a plan is read, not only where it
// is made, so a plan that asks for less counts for nobody (T1, T2).
#include "tally/plan.h"

#include <stdbool.h>
#include <string.h>

#include "model/wire.h"
#include "tally/get.h"
#include "tally/pack.h"
#include "tally/tables.h"

#define PLAN_FORMAT 1

_Static_assert(PLAN_CAP_MAX <= PACK_T, "c fits in its part of a field element");

static void hash_it(struct plan *p, struct space_id space, struct bytes body)
{
	const struct bytes parts[] = { { space.b, sizeof(space.b) }, body };

	hash_parts("slb tally plan", NULL, parts, 2, p->hash, HASH_LEN);
}

/* The same person or device twice would hold two shares. */
static bool tellers_differ(const struct plan *p)
{
	for (uint32_t a = 0; a < p->n; a++) {
		for (uint32_t b = 0; b < a; b++) {
			if (dot_cmp(p->teller[a].member, p->teller[b].member) == 0 ||
			    device_cmp(p->teller[a].device, p->teller[b].device) == 0)
				return false;
		}
	}
	return true;
}

static bool minimums_kept(const struct plan *p)
{
	return p->t >= PLAN_THRESHOLD_MIN && p->floor >= PLAN_FLOOR_MIN && p->floor <= PACK_CIRCLES &&
	       p->cap >= PLAN_CAP_MIN && p->cap <= PLAN_CAP_MAX;
}

static bool tellers_fit(const struct plan *p)
{
	return p->n >= p->t && p->n <= PLAN_TELLERS_MAX && tellers_differ(p);
}

static enum err body_put(const struct plan *p, struct buf *out)
{
	char period[QUARTER_TEXT_LEN];
	enum err e = ERR_OK;

	quarter_text(p->period, period);
	if ((e = wire_put_array(out, 8)) != ERR_OK || (e = wire_put_uint(out, PLAN_FORMAT)) != ERR_OK ||
	    (e = wire_put_text(out, period, strlen(period))) != ERR_OK ||
	    (e = wire_put_uint(out, TALLY_TABLES_VERSION)) != ERR_OK || (e = wire_put_array(out, p->n)) != ERR_OK)
		return e;
	for (uint32_t k = 0; k < p->n; k++) {
		const struct plan_teller *t = &p->teller[k];

		if ((e = wire_put_array(out, 3)) != ERR_OK ||
		    (e = wire_put_bytes(out, t->member.dev.b, DEVICE_ID_LEN)) != ERR_OK ||
		    (e = wire_put_uint(out, t->member.counter)) != ERR_OK ||
		    (e = wire_put_bytes(out, t->device.b, DEVICE_ID_LEN)) != ERR_OK)
			return e;
	}
	if ((e = wire_put_uint(out, p->t)) != ERR_OK || (e = wire_put_uint(out, p->floor)) != ERR_OK ||
	    (e = wire_put_uint(out, p->cap)) != ERR_OK || (e = wire_put_bytes(out, p->nonce, PLAN_NONCE_LEN)) != ERR_OK)
		return e;
	return ERR_OK;
}

enum err plan_make(struct plan *p, struct space_id space, const struct rng *rng, struct buf *body, struct errctx *ec)
{
	enum err e = ERR_OK;

	if (!minimums_kept(p))
		return err_set(ec, ERR_REFUSED,
		               "A tally needs at least 2 tellers who agree, 3 circles and a threshold of 5.", NULL,
		               NULL, NULL);
	if (!tellers_fit(p))
		return err_set(ec, ERR_INPUT,
		               "These tellers cannot count together. Name at most 16 different members, and at least "
		               "as many as the threshold.",
		               NULL, NULL, NULL);
	rng_fill(rng, p->nonce, sizeof(p->nonce));
	p->cells = (uint32_t)tally_cells(NULL);
	buf_reset(body);
	e = body_put(p, body);
	if (e == ERR_OK)
		hash_it(p, space, buf_bytes(body));
	return e;
}

static bool get_tellers(struct wire_in *in, struct plan *p)
{
	size_t n = 0;

	if (wire_get_array(in, &n) != ERR_OK || n > PLAN_TELLERS_MAX)
		return false;
	for (p->n = 0; p->n < n; p->n++) {
		struct plan_teller *t = &p->teller[p->n];
		size_t three = 0;

		if (wire_get_array(in, &three) != ERR_OK || three != 3 ||
		    wire_get_exact(in, t->member.dev.b, DEVICE_ID_LEN) != ERR_OK ||
		    wire_get_uint(in, &t->member.counter) != ERR_OK || dot_is_none(t->member) ||
		    wire_get_exact(in, t->device.b, DEVICE_ID_LEN) != ERR_OK)
			return false;
	}
	return true;
}

enum err plan_parse(struct bytes body, struct space_id space, struct plan *out, struct errctx *ec)
{
	struct wire_in in = wire_in(body);
	struct plan p = { 0 };
	uint32_t format = 0;
	uint32_t tables = 0;
	size_t eight = 0;

	if (wire_get_array(&in, &eight) != ERR_OK || eight != 8 || !get_small(&in, UINT32_MAX, &format) ||
	    format != PLAN_FORMAT || !get_quarter(&in, &p.period) || !get_small(&in, UINT32_MAX, &tables) ||
	    !get_tellers(&in, &p) || !get_small(&in, UINT32_MAX, &p.t) || !get_small(&in, UINT32_MAX, &p.floor) ||
	    !get_small(&in, UINT32_MAX, &p.cap) || wire_get_exact(&in, p.nonce, PLAN_NONCE_LEN) != ERR_OK ||
	    wire_at_end(&in) != ERR_OK || !minimums_kept(&p) || !tellers_fit(&p))
		return err_set(ec, ERR_DAMAGED,
		               "The plan of a tally is damaged or breaks the rules; it counts for nobody.", NULL, NULL,
		               NULL);
	if (tables != TALLY_TABLES_VERSION)
		return err_set(ec, ERR_LATER,
		               "The plan asks for tables that this version does not know. Install the newer version.",
		               NULL, NULL, NULL);
	p.cells = (uint32_t)tally_cells(NULL);
	hash_it(&p, space, body);
	*out = p;
	return ERR_OK;
}

uint32_t plan_teller_of(const struct plan *p, struct device_id device)
{
	for (uint32_t k = 0; k < p->n; k++) {
		if (device_cmp(p->teller[k].device, device) == 0)
			return k;
	}
	return UINT32_MAX;
}

uint32_t plan_quorum(const struct plan *p)
{
	return (p->n + p->t + 1) / 2;
}
