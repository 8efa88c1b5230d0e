// SPDX-License-Identifier: EUPL-1.2
// The envelope of every answer to a plan. A signature over the whole CBOR, so that no bit of an answer can change; the
// plan's hash inside, so that none can be moved to another plan (T2).
#include "tally/answer.h"

#include "crypto/hash.h"

enum err answer_begin(const struct plan *p, enum answer_type type, size_t items, struct buf *body)
{
	enum err e = ERR_OK;

	buf_reset(body);
	if ((e = wire_put_array(body, items + 2)) != ERR_OK || (e = wire_put_uint(body, type)) != ERR_OK ||
	    (e = wire_put_bytes(body, p->hash, HASH_LEN)) != ERR_OK)
		return e;
	return ERR_OK;
}

static void message(struct bytes cbor, uint8_t out[static HASH_LEN])
{
	hash_bytes("slb tally answer", cbor, out);
}

enum err answer_sign(const uint8_t secret[static SIGN_SECRET_LEN], struct buf *body)
{
	uint8_t hash[HASH_LEN];
	uint8_t signature[SIGN_LEN];

	message(buf_bytes(body), hash);
	sign_make(secret, (struct bytes){ hash, sizeof(hash) }, signature);
	return buf_put(body, signature, sizeof(signature));
}

static struct bytes cbor_of(struct bytes body)
{
	return (struct bytes){ body.data, body.len < SIGN_LEN ? 0 : body.len - SIGN_LEN };
}

bool answer_open(const struct plan *p, enum answer_type type, size_t items, struct bytes body, struct wire_in *in)
{
	uint8_t hash[HASH_LEN];
	uint64_t number = 0;
	size_t count = 0;

	*in = wire_in(cbor_of(body));
	return wire_get_array(in, &count) == ERR_OK && count == items + 2 && wire_get_uint(in, &number) == ERR_OK &&
	       number == (uint64_t)type && wire_get_exact(in, hash, sizeof(hash)) == ERR_OK &&
	       hash_equal(hash, p->hash, HASH_LEN);
}

bool answer_close(struct bytes body, const struct wire_in *in, const uint8_t public[static SIGN_PUBLIC_LEN])
{
	uint8_t hash[HASH_LEN];
	struct bytes cbor = cbor_of(body);

	if (wire_at_end(in) != ERR_OK)
		return false;
	message(cbor, hash);
	return sign_check(public, (struct bytes){ hash, sizeof(hash) }, body.data + cbor.len);
}

uint64_t answer_type(struct bytes body)
{
	struct wire_in in = wire_in(cbor_of(body));
	uint64_t type = 0;
	size_t count = 0;

	if (wire_get_array(&in, &count) != ERR_OK || wire_get_uint(&in, &type) != ERR_OK)
		return 0;
	return type;
}

bool answer_get_teller(const struct plan *p, struct wire_in *in, uint32_t *out)
{
	uint64_t k = 0;

	if (wire_get_uint(in, &k) != ERR_OK || k >= p->n)
		return false;
	*out = (uint32_t)k;
	return true;
}

enum err answer_damaged(struct errctx *ec)
{
	return err_set(ec, ERR_DAMAGED, "A part of the tally is damaged or forged; it is not used.", NULL, NULL, NULL);
}
