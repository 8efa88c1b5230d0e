// SPDX-License-Identifier: EUPL-1.2
// Contributions: counts leave the device only as shares, each sealed to one teller (T1).
#include "tally/contribution.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "crypto/secret.h"
#include "tally/pack.h"

#define BOX_FORMAT 1
#define BOX_HEAD (1 + HASH_LEN + SIGN_PUBLIC_LEN + 1)

static void seed_fill(void *self, void *out, size_t len)
{
	memcpy(out, self, len);
}

void circle_key_make(const struct plan *p, struct space_id circle, struct circle_key *out)
{
	const struct bytes parts[] = { { circle.b, sizeof(circle.b) }, { p->hash, HASH_LEN } };
	uint8_t seed[64];
	const struct rng rng = { seed_fill, seed };

	hash_parts("slb tally circle", NULL, parts, 2, seed, sizeof(seed));
	sign_keypair(&rng, out->public, out->secret);
	secret_wipe(seed, sizeof(seed));
}

enum err contribution_split(const struct plan *p, const uint64_t *packed, const struct rng *rng, uint64_t *shares,
                            struct errctx *ec)
{
	const struct share_scheme scheme = { .t = p->t, .n = p->n };
	uint64_t y[PLAN_TELLERS_MAX];
	enum err e = ERR_OK;

	for (uint32_t cell = 0; e == ERR_OK && cell < p->cells; cell++) {
		e = share_split(packed[cell], scheme, rng, y, ec);
		for (uint32_t k = 0; e == ERR_OK && k < p->n; k++)
			shares[(size_t)k * p->cells + cell] = y[k];
	}
	secret_wipe(y, sizeof(y));
	return e;
}

static enum err box_put(const struct plan *p, const struct contribution_in *c, uint32_t teller, const uint64_t *shares,
                        struct buf *body)
{
	struct buf plain = { 0 };
	struct buf box = { 0 };
	uint8_t number[8];
	enum err e = buf_put_byte(&plain, BOX_FORMAT);

	if (e == ERR_OK)
		e = buf_put(&plain, p->hash, HASH_LEN);
	if (e == ERR_OK)
		e = buf_put(&plain, c->circle->public, SIGN_PUBLIC_LEN);
	if (e == ERR_OK)
		e = buf_put_byte(&plain, (uint8_t)teller);
	for (uint32_t cell = 0; e == ERR_OK && cell < p->cells; cell++) {
		be64_put(number, shares[cell]);
		e = buf_put(&plain, number, sizeof(number));
	}
	if (e == ERR_OK)
		e = box_seal(BOX_SHARE, c->key[teller].box, buf_bytes(&plain), &box);
	if (e == ERR_OK)
		e = wire_put_bytes(body, box.data, box.len);
	secret_wipe(number, sizeof(number));
	buf_free(&plain);
	buf_free(&box);
	return e;
}

enum err contribution_make(const struct plan *p, const struct contribution_in *c, const struct rng *rng,
                           struct buf *body, struct errctx *ec)
{
	uint64_t *packed = secret_new(p->cells * sizeof(*packed));
	uint64_t *shares = secret_new((size_t)p->n * p->cells * sizeof(*shares));
	enum err e = packed == NULL || shares == NULL ? ERR_NO_MEMORY : ERR_OK;

	for (uint32_t cell = 0; e == ERR_OK && cell < p->cells; cell++)
		e = pack_put(c->x[cell], p->cap, &packed[cell], ec);
	if (e == ERR_OK)
		e = contribution_split(p, packed, rng, shares, ec);
	if (e == ERR_OK && ((e = answer_begin(p, ANSWER_CONTRIBUTION, 3, body)) != ERR_OK ||
	                    (e = wire_put_bytes(body, c->circle->public, SIGN_PUBLIC_LEN)) != ERR_OK ||
	                    (e = wire_put_text(body, c->name, strnlen(c->name, CIRCLE_NAME_MAX))) != ERR_OK ||
	                    (e = wire_put_array(body, p->n)) != ERR_OK))
		goto done;
	for (uint32_t k = 0; e == ERR_OK && k < p->n; k++)
		e = box_put(p, c, k, shares + (size_t)k * p->cells, body);
	if (e == ERR_OK)
		e = answer_sign(c->circle->secret, body);
done:
	secret_free(packed);
	secret_free(shares);
	return e;
}

enum err contribution_parse(const struct plan *p, struct bytes body, struct contribution *out, struct errctx *ec)
{
	const size_t box_len = BOX_HEAD + (size_t)p->cells * 8 + 4 + BOX_OVERHEAD;
	struct contribution c = { 0 };
	struct wire_in in;
	size_t boxes = 0;

	if (!answer_open(p, ANSWER_CONTRIBUTION, 3, body, &in) ||
	    wire_get_exact(&in, c.circle, SIGN_PUBLIC_LEN) != ERR_OK || wire_get_text(&in, &c.name) != ERR_OK ||
	    c.name.len > CIRCLE_NAME_MAX || wire_get_array(&in, &boxes) != ERR_OK || boxes != p->n)
		return answer_damaged(ec);
	for (uint32_t k = 0; k < p->n; k++) {
		if (wire_get_bytes(&in, &c.box[k]) != ERR_OK || c.box[k].len != box_len)
			return answer_damaged(ec);
	}
	if (!answer_close(body, &in, c.circle))
		return answer_damaged(ec);
	hash_bytes("slb tally contribution", body, c.hash);
	*out = c;
	return ERR_OK;
}

enum err contribution_open(const struct plan *p, const struct contribution *c, uint32_t teller,
                           const struct teller_secret *secret, uint64_t *shares, struct errctx *ec)
{
	struct buf plain = { 0 };
	enum err e = box_unseal(BOX_SHARE, secret->box_public, secret->box, c->box[teller], &plain);
	const uint8_t *at = plain.data;

	if (e != ERR_OK) {
		buf_free(&plain);
		return e == ERR_DAMAGED ? answer_damaged(ec) : e;
	}
	if (plain.len != BOX_HEAD + (size_t)p->cells * 8 || at[0] != BOX_FORMAT ||
	    !hash_equal(at + 1, p->hash, HASH_LEN) || !hash_equal(at + 1 + HASH_LEN, c->circle, SIGN_PUBLIC_LEN) ||
	    at[BOX_HEAD - 1] != teller)
		e = answer_damaged(ec);
	at += BOX_HEAD;
	for (uint32_t cell = 0; e == ERR_OK && cell < p->cells; cell++, at += 8) {
		shares[cell] = be64_get(at);
		if (shares[cell] >= SHARE_P)
			e = answer_damaged(ec);
	}
	buf_free(&plain);
	return e;
}
