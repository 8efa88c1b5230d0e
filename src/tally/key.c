// SPDX-License-Identifier: EUPL-1.2
// Period keys of tellers: fresh for each plan, so that destroying them closes the period for good (T2).
#include "tally/key.h"

enum err teller_key_make(const struct plan *p, uint32_t teller, const struct rng *rng, struct teller_secret *secret,
                         struct buf *body)
{
	uint8_t sign[SIGN_PUBLIC_LEN];
	enum err e = ERR_OK;

	box_keypair(rng, secret->box_public, secret->box);
	sign_keypair(rng, sign, secret->sign);
	if ((e = answer_begin(p, ANSWER_KEY, 3, body)) != ERR_OK || (e = wire_put_uint(body, teller)) != ERR_OK ||
	    (e = wire_put_bytes(body, secret->box_public, BOX_PUBLIC_LEN)) != ERR_OK ||
	    (e = wire_put_bytes(body, sign, SIGN_PUBLIC_LEN)) != ERR_OK)
		return e;
	return answer_sign(secret->sign, body);
}

enum err teller_key_parse(const struct plan *p, struct bytes body, struct teller_key *out, struct errctx *ec)
{
	struct teller_key k = { 0 };
	struct wire_in in;

	if (!answer_open(p, ANSWER_KEY, 3, body, &in) || !answer_get_teller(p, &in, &k.teller) ||
	    wire_get_exact(&in, k.box, BOX_PUBLIC_LEN) != ERR_OK ||
	    wire_get_exact(&in, k.sign, SIGN_PUBLIC_LEN) != ERR_OK || !answer_close(body, &in, k.sign))
		return answer_damaged(ec);
	*out = k;
	return ERR_OK;
}
