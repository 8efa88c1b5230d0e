/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * How a home comes in at the host of a repository, and by what it knows that host: a login, ssh host keys, an authority
 * for certificates. It is kept by the repository's address, goes along in invitations, and follows the address when a
 * coordinator announces another one; a person who joins never types any of it.
 *
 * A struct access holds a secret: it lives in secret_new() memory or is wiped with secret_wipe().
 */
#ifndef SLB_SYNC_ACCESS_H
#define SLB_SYNC_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "model/wire.h"
#include "store/store.h"

#define ACCESS_USER_MAX 128
#define ACCESS_SECRET_MAX 1024
#define ACCESS_SEED_LEN 32
#define ACCESS_PINS 8
#define ACCESS_PIN_LEN 32
#define ACCESS_CA_MAX 2048

/* The numbers are in files and invitations. */
enum access_method {
	ACCESS_NONE = 0,
	ACCESS_PASSWORD = 1, /* or a token */
	ACCESS_SEED = 2,     /* ssh, ed25519: the 32 bytes that the key is made from */
	ACCESS_KEY = 3,      /* ssh, another key: the text of its file */
	ACCESS_AGENT = 4     /* ssh, by the person's own agent */
};

struct access {
	enum access_method method;
	char user[ACCESS_USER_MAX + 1];
	uint8_t secret[ACCESS_SECRET_MAX];
	size_t secret_len;
	uint8_t pin[ACCESS_PINS][ACCESS_PIN_LEN]; /* SHA-256 of ssh host keys that are trusted */
	size_t pins;
	uint8_t ca[ACCESS_CA_MAX]; /* DER of the one authority that is believed; none: the system's */
	size_t ca_len;
	bool mine; /* the login is this person's own: it goes to nobody, and what others announce leaves it alone */
};

/* `count` empty ones in guarded memory, or NULL; secret_free() them. */
struct access *access_new(size_t count);
/* Nothing is known of the host, and no login is needed. */
bool access_empty(const struct access *a);
/* What may go to others: without the login where it is this person's own. */
void access_shared(const struct access *a, struct access *out);

/* [method, user, secret, [pin...], ca], appended; `mine` is not in it. */
enum err access_put(const struct access *a, struct buf *out) MUST_CHECK;
/* Pure reader of foreign bytes: ERR_DAMAGED for anything access_put() would not write. */
enum err access_get(struct wire_in *in, struct access *out) MUST_CHECK;

/* By address, exactly as it is written; an empty one where nothing is known. In a transaction to save. */
enum err access_load(struct errctx *ec, struct store *store, const char *url, struct access *out) MUST_CHECK;
enum err access_save(struct errctx *ec, struct store *store, const char *url, const struct access *a) MUST_CHECK;

/* Makes a fresh ed25519 key. */
void access_key_make(const struct rng *rng, const char *user, struct access *out);
/* Takes an ssh key from the text of its file. ERR_INPUT or ERR_REFUSED with a sentence for a key that cannot be used:
 * RSA, one with a passphrase, a public key. The rest of `out` stays as it is. */
enum err access_key_read(struct errctx *ec, struct bytes text, const char *user, struct access *out) MUST_CHECK;
/* The private key as OpenSSH writes it (PROTOCOL.key), and the line for the host's authorized_keys; of ACCESS_SEED. */
enum err access_key_text(const struct access *a, struct buf *out) MUST_CHECK;
enum err access_public_text(const struct access *a, struct buf *out) MUST_CHECK;

#endif
