// SPDX-License-Identifier: EUPL-1.2
// How a home comes in at a host: kept by address in the vault, and the bytes in which it travels. Only the courier sees
// it in clear beside this process, through its job.
#include "sync/access.h"

#include <string.h>

#include "base/codec.h"
#include "base/try.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

#define KEPT_ACCESS "access:"
#define NAME_HASH 16 /* bytes of the address's hash in the name of its row */

struct access *access_new(size_t count)
{
	struct access *a = secret_new(count * sizeof(*a));

	if (a != NULL)
		memset(a, 0, count * sizeof(*a));
	return a;
}

bool access_empty(const struct access *a)
{
	return a->method == ACCESS_NONE && a->pins == 0 && a->ca_len == 0;
}

void access_shared(const struct access *a, struct access *out)
{
	*out = *a;
	if (a->mine || a->method == ACCESS_AGENT) {
		out->method = ACCESS_NONE;
		out->user[0] = '\0';
		secret_wipe(out->secret, sizeof(out->secret));
		out->secret_len = 0;
	}
	out->mine = false;
}

static bool user_fits(struct bytes user)
{
	for (size_t i = 0; i < user.len; i++) {
		if (user.data[i] <= ' ' || user.data[i] > '~')
			return false;
	}
	return user.len <= ACCESS_USER_MAX;
}

/* A login without a name is none, and each kind has the secret that belongs to it. */
static bool fits(const struct access *a)
{
	bool named = a->user[0] != '\0';

	switch (a->method) {
	case ACCESS_NONE:
		return !named && a->secret_len == 0;
	case ACCESS_AGENT:
		return named && a->secret_len == 0;
	case ACCESS_SEED:
		return named && a->secret_len == ACCESS_SEED_LEN;
	case ACCESS_PASSWORD:
	case ACCESS_KEY:
		return named && a->secret_len > 0 && memchr(a->secret, '\0', a->secret_len) == NULL;
	}
	return false;
}

enum err access_put(const struct access *a, struct buf *out)
{
	enum err e = ERR_OK;

	TRY(wire_put_array(out, 5));
	TRY(wire_put_uint(out, a->method));
	TRY(wire_put_text(out, a->user, strlen(a->user)));
	TRY(wire_put_bytes(out, a->secret, a->secret_len));
	TRY(wire_put_array(out, a->pins));
	for (size_t i = 0; i < a->pins; i++)
		TRY(wire_put_bytes(out, a->pin[i], ACCESS_PIN_LEN));
	TRY(wire_put_bytes(out, a->ca, a->ca_len));
done:
	return e;
}

static enum err bounded(struct wire_in *in, uint8_t *out, size_t size, size_t *len)
{
	struct bytes b = { 0 };
	enum err e = wire_get_bytes(in, &b);

	if (e != ERR_OK || b.len > size)
		return ERR_DAMAGED;
	if (b.len > 0)
		memcpy(out, b.data, b.len);
	*len = b.len;
	return ERR_OK;
}

enum err access_get(struct wire_in *in, struct access *out)
{
	struct bytes user = { 0 };
	uint64_t method = 0;
	size_t n = 0;
	enum err e = ERR_OK;

	memset(out, 0, sizeof(*out));
	TRY(wire_get_array(in, &n));
	MUST_BE(n == 5);
	TRY(wire_get_uint(in, &method));
	MUST_BE(method <= ACCESS_AGENT);
	out->method = (enum access_method)method;
	TRY(wire_get_text(in, &user));
	MUST_BE(user_fits(user));
	memcpy(out->user, user.data, user.len);
	TRY(bounded(in, out->secret, ACCESS_SECRET_MAX, &out->secret_len));
	TRY(wire_get_array(in, &n));
	MUST_BE(n <= ACCESS_PINS);
	for (size_t i = 0; i < n; i++)
		TRY(wire_get_exact(in, out->pin[i], ACCESS_PIN_LEN));
	out->pins = n;
	TRY(bounded(in, out->ca, ACCESS_CA_MAX, &out->ca_len));
	MUST_BE(fits(out));
done:
	return e;
}

/* ---- Kept by address ---- */

#define NAME_LEN (sizeof(KEPT_ACCESS) + 2 * NAME_HASH)

static void row_name(const char *url, char out[static NAME_LEN])
{
	uint8_t hash[HASH_LEN];

	hash_bytes("slb access", (struct bytes){ (const uint8_t *)url, strlen(url) }, hash);
	memcpy(out, KEPT_ACCESS, sizeof(KEPT_ACCESS) - 1);
	hex_put(hash, NAME_HASH, out + sizeof(KEPT_ACCESS) - 1);
}

/* [1, address, mine, access] */
enum err access_save(struct errctx *ec, struct store *store, const char *url, const struct access *a)
{
	struct buf b = { 0 };
	char name[NAME_LEN];
	enum err e = ERR_OK;

	row_name(url, name);
	TRY(wire_put_array(&b, 4));
	TRY(wire_put_uint(&b, 1));
	TRY(wire_put_text(&b, url, strlen(url)));
	TRY(wire_put_bool(&b, a->mine));
	TRY(access_put(a, &b));
	TRY(store_kept_put(ec, store, 0, name, buf_bytes(&b)));
done:
	buf_free(&b);
	return e;
}

enum err access_load(struct errctx *ec, struct store *store, const char *url, struct access *out)
{
	struct buf b = { 0 };
	struct wire_in in;
	struct bytes address = { 0 };
	char name[NAME_LEN];
	uint64_t version = 0;
	size_t n = 0;
	bool mine = false;
	enum err e = ERR_OK;

	memset(out, 0, sizeof(*out));
	row_name(url, name);
	e = store_kept_get(ec, store, 0, name, &b);
	if (e == ERR_NOT_FOUND) {
		buf_free(&b);
		return ERR_OK;
	}
	TRY(e);
	in = wire_in(buf_bytes(&b));
	TRY(wire_get_array(&in, &n));
	MUST_BE(n == 4);
	TRY(wire_get_uint(&in, &version));
	MUST_BE(version == 1);
	TRY(wire_get_text(&in, &address));
	MUST_BE(address.len == strlen(url) && memcmp(address.data, url, address.len) == 0);
	TRY(wire_get_bool(&in, &mine));
	TRY(access_get(&in, out));
	TRY(wire_at_end(&in));
	out->mine = mine;
done:
	buf_free(&b);
	if (e != ERR_OK)
		secret_wipe(out, sizeof(*out));
	if (e == ERR_DAMAGED)
		return err_set(ec, e, "The vault holds something that cannot be right. Run verify.", NULL, NULL, NULL);
	return e;
}
