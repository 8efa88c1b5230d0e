// SPDX-License-Identifier: EUPL-1.2
// ssh keys in the form in which OpenSSH keeps them (openssh-portable, PROTOCOL.key): made from a seed, and read from
// somebody's file. libssh2 1.10 signs with ed25519 and ecdsa keys; its RSA signatures are of a kind (SHA-1) that
// servers of today refuse.
#include <stdbool.h>
#include <string.h>

#include "base/codec.h"
#include "base/try.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "sync/access.h"

#define BEGIN_OPENSSH "-----BEGIN OPENSSH PRIVATE KEY-----"
#define END_OPENSSH "-----END OPENSSH PRIVATE KEY-----"
#define MAGIC "openssh-key-v1" /* with its NUL */
#define LINE 70
#define ED25519 "ssh-ed25519"
#define COMMENT "sleutelbos"

_Static_assert(ACCESS_SEED_LEN == 32, "an ed25519 key is made from 32 bytes");

/* ---- Written ---- */

static enum err put_u32(struct buf *b, uint32_t v)
{
	uint8_t be[4];

	be32_put(be, v);
	return buf_put(b, be, sizeof(be));
}

static enum err put_string(struct buf *b, const void *data, size_t len)
{
	enum err e = put_u32(b, (uint32_t)len);

	return e == ERR_OK ? buf_put(b, data, len) : e;
}

static enum err public_blob(const uint8_t public[static SIGN_PUBLIC_LEN], struct buf *out)
{
	enum err e = put_string(out, ED25519, strlen(ED25519));

	return e == ERR_OK ? put_string(out, public, SIGN_PUBLIC_LEN) : e;
}

static enum err private_blob(const uint8_t public[static SIGN_PUBLIC_LEN], const uint8_t secret[static SIGN_SECRET_LEN],
                             struct buf *out)
{
	enum err e = ERR_OK;

	TRY(put_u32(out, 0)); /* the same number twice: a check for those who decrypt */
	TRY(put_u32(out, 0));
	TRY(public_blob(public, out));
	TRY(put_string(out, secret, SIGN_SECRET_LEN));
	TRY(put_string(out, COMMENT, strlen(COMMENT)));
	for (uint8_t pad = 1; out->len % 8 != 0; pad++)
		TRY(buf_put_byte(out, pad));
done:
	return e;
}

static enum err put_base64(struct bytes in, size_t line, struct buf *out)
{
	size_t len = base64_len(in.len);
	struct buf text = { 0 };
	enum err e = buf_reserve(&text, len + 1);

	if (e == ERR_OK) {
		base64_put(in.data, in.len, (char *)text.data);
		text.len = len;
	}
	for (size_t at = 0; e == ERR_OK && at < len; at += line) {
		e = buf_put(out, text.data + at, len - at < line ? len - at : line);
		if (e == ERR_OK && line < len)
			e = buf_put_byte(out, '\n');
	}
	buf_free(&text);
	return e;
}

enum err access_key_text(const struct access *a, struct buf *out)
{
	uint8_t public[SIGN_PUBLIC_LEN];
	uint8_t *secret = secret_new(SIGN_SECRET_LEN);
	struct buf whole = { 0 };
	struct buf part = { 0 };
	enum err e = secret == NULL ? ERR_NO_MEMORY : ERR_OK;

	TRY(e);
	sign_keypair_from(a->secret, public, secret);
	TRY(buf_put(&whole, MAGIC, sizeof(MAGIC)));
	TRY(put_string(&whole, "none", 4));
	TRY(put_string(&whole, "none", 4));
	TRY(put_string(&whole, "", 0));
	TRY(put_u32(&whole, 1));
	TRY(public_blob(public, &part));
	TRY(put_string(&whole, part.data, part.len));
	buf_reset(&part);
	TRY(private_blob(public, secret, &part));
	TRY(put_string(&whole, part.data, part.len));
	TRY(buf_put_str(out, BEGIN_OPENSSH "\n"));
	TRY(put_base64(buf_bytes(&whole), LINE, out));
	TRY(buf_put_str(out, END_OPENSSH "\n"));
done:
	secret_free(secret);
	buf_free(&whole);
	buf_free(&part);
	return e;
}

enum err access_public_text(const struct access *a, struct buf *out)
{
	uint8_t public[SIGN_PUBLIC_LEN];
	uint8_t *secret = secret_new(SIGN_SECRET_LEN);
	struct buf blob = { 0 };
	enum err e = secret == NULL ? ERR_NO_MEMORY : ERR_OK;

	TRY(e);
	sign_keypair_from(a->secret, public, secret);
	TRY(public_blob(public, &blob));
	TRY(buf_put_str(out, ED25519 " "));
	TRY(put_base64(buf_bytes(&blob), SIZE_MAX / 2, out));
	TRY(buf_put_str(out, " " COMMENT));
done:
	secret_free(secret);
	buf_free(&blob);
	return e;
}

static void set_login(struct access *a, enum access_method method, const char *user)
{
	a->method = method;
	secret_wipe(a->secret, sizeof(a->secret));
	a->secret_len = 0;
	memset(a->user, 0, sizeof(a->user));
	memcpy(a->user, user, strnlen(user, ACCESS_USER_MAX));
}

void access_key_make(const struct rng *rng, const char *user, struct access *out)
{
	set_login(out, ACCESS_SEED, user);
	rng_fill(rng, out->secret, ACCESS_SEED_LEN);
	out->secret_len = ACCESS_SEED_LEN;
}

/* ---- Read ---- */

static bool take_u32(struct bytes *in, uint32_t *v)
{
	if (in->len < 4)
		return false;
	*v = be32_get(in->data);
	in->data += 4;
	in->len -= 4;
	return true;
}

static bool take_string(struct bytes *in, struct bytes *out)
{
	uint32_t len = 0;

	if (!take_u32(in, &len) || len > in->len)
		return false;
	*out = (struct bytes){ in->data, len };
	in->data += len;
	in->len -= len;
	return true;
}

static bool is(struct bytes b, const char *text)
{
	return b.len == strlen(text) && memcmp(b.data, text, b.len) == 0;
}

static bool holds(struct bytes text, const char *words)
{
	return text.len > 0 && memmem(text.data, text.len, words, strlen(words)) != NULL;
}

static enum err no_rsa(struct errctx *ec)
{
	return err_set(ec, ERR_REFUSED,
	               "This is an RSA key, and hosts of today do not take it from this program. Make a key for this "
	               "repository with: remote login --make-key",
	               NULL, NULL, NULL);
}

static enum err has_passphrase(struct errctx *ec)
{
	return err_set(ec, ERR_REFUSED,
	               "This key has a passphrase of its own. Make a key for this repository with: remote login "
	               "--make-key",
	               NULL, NULL, NULL);
}

static enum err no_key(struct errctx *ec)
{
	return err_set(ec, ERR_INPUT,
	               "This is not an ssh key that can be used. Make a key for this repository with: remote login "
	               "--make-key",
	               NULL, NULL, NULL);
}

static enum err keep_text(struct errctx *ec, struct bytes text, const char *user, struct access *out)
{
	if (text.len > ACCESS_SECRET_MAX || memchr(text.data, '\0', text.len) != NULL)
		return no_key(ec);
	set_login(out, ACCESS_KEY, user);
	memcpy(out->secret, text.data, text.len);
	out->secret_len = text.len;
	return ERR_OK;
}

/* What is behind the magic of a file of OpenSSH's. */
static enum err openssh_read(struct errctx *ec, struct bytes in, struct bytes text, const char *user,
                             struct access *out)
{
	struct bytes cipher, kdf, options, public, private, type, secret;
	struct bytes inner;
	uint32_t n = 0, check = 0, again = 1;

	if (!take_string(&in, &cipher) || !take_string(&in, &kdf) || !take_string(&in, &options) ||
	    !take_u32(&in, &n) || n != 1 || !take_string(&in, &public))
		return no_key(ec);
	inner = public;
	if (!take_string(&inner, &type))
		return no_key(ec);
	if (is(type, "ssh-rsa"))
		return no_rsa(ec);
	if (!is(cipher, "none"))
		return has_passphrase(ec);
	if (type.len > 5 && memcmp(type.data, "ecdsa", 5) == 0)
		return keep_text(ec, text, user, out);
	if (!is(type, ED25519) || !take_string(&in, &private) || !take_u32(&private, &check) ||
	    !take_u32(&private, &again) || check != again || !take_string(&private, &type) || !is(type, ED25519) ||
	    !take_string(&private, &public) || public.len != SIGN_PUBLIC_LEN || !take_string(&private, &secret) ||
	    secret.len != SIGN_SECRET_LEN)
		return no_key(ec);
	set_login(out, ACCESS_SEED, user);
	memcpy(out->secret, secret.data, ACCESS_SEED_LEN);
	out->secret_len = ACCESS_SEED_LEN;
	return ERR_OK;
}

static enum err openssh_text(struct errctx *ec, struct bytes text, const char *user, struct access *out)
{
	const uint8_t *start =
	    (const uint8_t *)memmem(text.data, text.len, BEGIN_OPENSSH, strlen(BEGIN_OPENSSH)) + strlen(BEGIN_OPENSSH);
	const uint8_t *end = memmem(start, text.len - (size_t)(start - text.data), END_OPENSSH, strlen(END_OPENSSH));
	struct buf bytes = { 0 };
	size_t len = 0;
	enum err e = end == NULL ? no_key(ec) : buf_reserve(&bytes, text.len);

	if (e == ERR_OK && !base64_get((const char *)start, (size_t)(end - start), bytes.data, bytes.cap, &len))
		e = no_key(ec);
	bytes.len = len;
	if (e == ERR_OK && (len < sizeof(MAGIC) || memcmp(bytes.data, MAGIC, sizeof(MAGIC)) != 0))
		e = no_key(ec);
	if (e == ERR_OK)
		e = openssh_read(ec, (struct bytes){ bytes.data + sizeof(MAGIC), len - sizeof(MAGIC) }, text, user,
		                 out);
	buf_free(&bytes);
	return e;
}

/* The object identifier of rsaEncryption, in the DER of a key file of the other kind. */
static bool is_rsa_pem(struct bytes text)
{
	static const uint8_t oid[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };
	const char *start = memmem(text.data, text.len, "PRIVATE KEY-----", 16);
	const char *end =
	    start == NULL ? NULL : memmem(start, text.len - (size_t)(start - (const char *)text.data), "-----END", 8);
	struct buf der = { 0 };
	size_t len = 0;
	bool rsa = false;

	if (end != NULL && buf_reserve(&der, text.len) == ERR_OK &&
	    base64_get(start + 16, (size_t)(end - start - 16), der.data, der.cap, &len))
		rsa = memmem(der.data, len, oid, sizeof(oid)) != NULL;
	der.len = len;
	buf_free(&der);
	return rsa;
}

enum err access_key_read(struct errctx *ec, struct bytes text, const char *user, struct access *out)
{
	if (holds(text, BEGIN_OPENSSH))
		return openssh_text(ec, text, user, out);
	if (holds(text, "BEGIN RSA PRIVATE KEY"))
		return no_rsa(ec);
	if (holds(text, "ENCRYPTED"))
		return has_passphrase(ec);
	if (holds(text, "BEGIN EC PRIVATE KEY") || holds(text, "BEGIN PRIVATE KEY"))
		return is_rsa_pem(text) ? no_rsa(ec) : keep_text(ec, text, user, out);
	if (holds(text, "ssh-") || holds(text, "ecdsa-sha2"))
		return err_set(
		    ec, ERR_INPUT,
		    "This is the public half of an ssh key. The other half is needed: the file without .pub.", NULL,
		    NULL, NULL);
	return no_key(ec);
}
