// SPDX-License-Identifier: EUPL-1.2
// Joining, both sides. The joiner's request is authenticated by the invitation's secret or by six words; the answer by
// the signing key that the invitation names. Founders are checked against the space's own id.
#include "sync/join.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/tr.h"
#include "crypto/secret.h"
#include "model/wire.h"
#include "sync/invite.h"
#include "sync/outbox.h"
#include "sync/space.h"

#define KEPT_ASK "ask"
#define KEPT_REQUEST "request:"
#define KEPT_MAILBOX "mailbox"
#define KEPT_FLOOR "floor"
#define KEPT_USED "used:"
#define OPEN_REQUESTS_MAX 100
#define RANK_MAX (1ULL << 32)
#define OPEN_REQUEST_SEQ 1
#define OPEN_REQUEST_LEN (FILE_HEADER_LEN + BUNDLE_LEN + SIGN_LEN)

#define TRY(x)                                                                                                         \
	do {                                                                                                           \
		e = (x);                                                                                               \
		if (e != ERR_OK)                                                                                       \
			goto done;                                                                                     \
	} while (0)
#define MUST_BE(x) TRY((x) ? ERR_OK : ERR_DAMAGED)

/* --- the mailbox: one branch for letters about joining --- */

static enum err mailbox(struct errctx *ec, struct sync *y, int64_t neighbourhood, char ref[static REF_MAX + 1],
                        struct tag *tag)
{
	struct buf b = { 0 };
	char text[TAG_TEXT_LEN];
	enum err e = store_kept_get(ec, y->store, neighbourhood, KEPT_MAILBOX, &b);

	if (e == ERR_NOT_FOUND) {
		rng_fill(y->rng, tag->b, TAG_LEN);
		e = store_kept_put(ec, y->store, neighbourhood, KEPT_MAILBOX, (struct bytes){ tag->b, TAG_LEN });
	} else if (e == ERR_OK) {
		e = b.len == TAG_LEN ? ERR_OK : ERR_DAMAGED;
		if (e == ERR_OK)
			memcpy(tag->b, b.data, TAG_LEN);
	}
	tag_text(*tag, text);
	snprintf(ref, REF_MAX + 1, "refs/heads/join/%s", text);
	buf_free(&b);
	return e;
}

/* A letter goes into the outgoing files under a name that no other has. */
static enum err letter_send(struct errctx *ec, struct sync *y, int64_t neighbourhood, const char *what,
                            struct bytes file)
{
	char ref[REF_MAX + 1];
	char name[FILE_NAME_MAX + 1];
	uint8_t hash[HASH_LEN];
	char hex[17];
	struct tag tag;
	enum err e = mailbox(ec, y, neighbourhood, ref, &tag);

	hash_bytes("slb letter", file, hash);
	hex_put(hash, 8, hex);
	snprintf(name, sizeof(name), "%s-%s", what, hex);
	return e != ERR_OK ? e : store_outgoing_put(ec, y->store, neighbourhood, ref, name, file, 0);
}

/* --- asking --- */

/* What a joiner remembers of whom it asked: [signing key of the inviting device or empty, nick, invitation id]. */
struct asked {
	uint8_t sign[SIGN_PUBLIC_LEN];
	bool known; /* the signing key is known from an invitation */
	char nick[SPACE_NAME_MAX + 1];
	uint8_t id[INVITATION_ID_LEN];
};

static enum err asked_save(struct errctx *ec, struct sync *y, int64_t space, const struct asked *a)
{
	struct buf b = { 0 };
	enum err e = ERR_OK;

	TRY(wire_put_array(&b, 3));
	TRY(wire_put_bytes(&b, a->sign, a->known ? SIGN_PUBLIC_LEN : 0));
	TRY(wire_put_text(&b, a->nick, strlen(a->nick)));
	TRY(wire_put_bytes(&b, a->id, INVITATION_ID_LEN));
	TRY(store_kept_put(ec, y->store, space, KEPT_ASK, buf_bytes(&b)));
done:
	buf_free(&b);
	return e;
}

static enum err asked_load(struct errctx *ec, struct sync *y, int64_t space, struct asked *out)
{
	struct buf b = { 0 };
	struct wire_in in;
	struct bytes sign = { 0 };
	struct bytes nick = { 0 };
	size_t n = 0;
	enum err e = ERR_OK;

	*out = (struct asked){ 0 };
	TRY(store_kept_get(ec, y->store, space, KEPT_ASK, &b));
	in = wire_in(buf_bytes(&b));
	TRY(wire_get_array(&in, &n));
	TRY(wire_get_bytes(&in, &sign));
	TRY(wire_get_text(&in, &nick));
	TRY(wire_get_exact(&in, out->id, INVITATION_ID_LEN));
	MUST_BE(n == 3 && nick.len <= SPACE_NAME_MAX && (sign.len == 0 || sign.len == SIGN_PUBLIC_LEN));
	memcpy(out->nick, nick.data, nick.len);
	out->known = sign.len > 0;
	if (out->known)
		memcpy(out->sign, sign.data, SIGN_PUBLIC_LEN);
done:
	buf_free(&b);
	return e;
}

/* Proof that the joiner holds the secret of each key it shows. */
static void possession_hash(const uint8_t bundle[static BUNDLE_LEN], struct space_id space,
                            const uint8_t id[static INVITATION_ID_LEN], uint8_t out[static HASH_LEN])
{
	const struct bytes parts[] = { { bundle, BUNDLE_LEN }, { space.b, SPACE_ID_LEN }, { id, INVITATION_ID_LEN } };

	hash_parts("slb possession", NULL, parts, 3, out, HASH_LEN);
}

static enum err space_exists(struct errctx *ec, struct sync *y, struct space_id id, struct space_row *out)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, y->store, &list, &n);

	if (e != ERR_OK)
		return e;
	e = ERR_NOT_FOUND;
	for (size_t i = 0; i < n; i++) {
		if (memcmp(list[i].id.b, id.b, SPACE_ID_LEN) == 0) {
			*out = list[i];
			e = ERR_OK;
		}
	}
	free(list);
	return e;
}

/* Does no other space here have this tag? It is what files are sorted by, and whoever founds a space chooses it. */
static enum err tag_free(struct errctx *ec, struct sync *y, struct tag tag, int64_t but, bool *out)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, y->store, &list, &n);

	*out = true;
	for (size_t i = 0; i < n; i++)
		*out = *out && (list[i].n == but || memcmp(list[i].tag.b, tag.b, TAG_LEN) != 0);
	free(list);
	return e;
}

/* One asked before, with another invitation, and nobody answered: the same keys ask again. */
static enum err asked_again(struct errctx *ec, struct sync *y, const struct invited_space *s, const char *remote,
                            struct space_row *row, struct device_keys **keys)
{
	if (s->kind == SPACE_NEIGHBOURHOOD)
		strcpy(row->remote, remote);
	return device_keys_load(ec, y, row->n, keys);
}

/* A space that one has asked to join: fresh keys, no rights yet. */
static enum err asked_space(struct errctx *ec, struct sync *y, const struct invited_space *s, const char *remote,
                            struct space_row *row, struct device_keys **keys)
{
	bool fresh = false;
	enum err e = ERR_OK;

	e = tag_free(ec, y, s->tag, 0, &fresh);
	if (e != ERR_OK)
		return e;
	if (!fresh)
		return err_set(ec, ERR_REFUSED,
		               "The invitation is for a space that cannot be told from one you are in.", NULL, NULL,
		               NULL);
	*keys = device_keys_make(y->rng);
	if (*keys == NULL)
		return ERR_NO_MEMORY;
	*row = (struct space_row){ .id = s->id, .kind = s->kind, .tag = s->tag, .state = SPACE_ASKED };
	strcpy(row->name, s->name);
	if (s->kind == SPACE_NEIGHBOURHOOD)
		strcpy(row->remote, remote);
	row->me = device_id_make(s->id, (*keys)->public.sign, 0);
	row->my_tag = (*keys)->public.tag;
	e = store_space_add(ec, y->store, row);
	return e != ERR_OK ? e : device_keys_save(ec, y, row->n, *keys);
}

/* [space id, bundle, signature] */
static enum err ask_entry(const struct space_row *row, const struct device_keys *keys,
                          const uint8_t id[static INVITATION_ID_LEN], struct buf *out)
{
	uint8_t bundle[BUNDLE_LEN];
	uint8_t hash[HASH_LEN];
	uint8_t signature[SIGN_LEN];
	enum err e = ERR_OK;

	bundle_put(&keys->public, bundle);
	possession_hash(bundle, row->id, id, hash);
	sign_make(keys->sign_secret, (struct bytes){ hash, sizeof(hash) }, signature);
	TRY(wire_put_array(out, 3));
	TRY(wire_put_bytes(out, row->id.b, SPACE_ID_LEN));
	TRY(wire_put_bytes(out, bundle, BUNDLE_LEN));
	TRY(wire_put_bytes(out, signature, SIGN_LEN));
done:
	return e;
}

static void request_mac(const uint8_t secret[static INVITE_SECRET_LEN], struct bytes request,
                        uint8_t out[static HASH_LEN])
{
	hash_parts("slb join mac", secret, &request, 1, out, HASH_LEN);
}

enum err join_ask(struct errctx *ec, struct sync *y, const struct invitation *i, const char *nick)
{
	struct space_row row[INVITE_SPACES] = { { 0 } };
	struct device_keys *keys[INVITE_SPACES] = { NULL };
	struct asked asked = { .known = true };
	struct asked before;
	bool again = false;
	struct buf entries = { 0 };
	struct buf plain = { 0 };
	struct buf file = { 0 };
	struct file_header h = { .type = FILE_JOIN_REQUEST };
	char ref[REF_MAX + 1];
	uint8_t mac[HASH_LEN];
	size_t fresh = 0;
	int64_t home = 0;
	enum err e = ERR_OK;

	if (clock_now(y->clock) > i->expires_ms)
		return err_set(ec, ERR_LATER, "This invitation is no longer valid. Ask for a new one.", NULL, NULL,
		               NULL);
	if (strlen(nick) > SPACE_NAME_MAX)
		return err_set(ec, ERR_INPUT, "That name is too long. Use at most 120 characters.", NULL, NULL, NULL);
	invitation_id(i->secret, asked.id);
	strcpy(asked.nick, nick);
	for (size_t k = 0; k < i->spaces; k++) {
		e = space_exists(ec, y, i->space[k].id, &row[k]);
		if (e == ERR_OK && k == 0) {
			again = row[k].state == SPACE_ASKED;
			if (again)
				TRY(asked_load(ec, y, row[k].n, &before));
			again = again && memcmp(before.id, asked.id, INVITATION_ID_LEN) != 0;
			if (!again)
				e = err_set(ec, ERR_REFUSED, "You are in %1 already, or have asked to be.", row[k].name,
				            NULL, NULL);
		}
		if (e == ERR_OK && (!again || row[k].state != SPACE_ASKED))
			continue; /* a member of the neighbourhood already, or about to be */
		if (e != ERR_OK && e != ERR_NOT_FOUND)
			goto done;
		TRY(e == ERR_OK ? asked_again(ec, y, &i->space[k], i->remote, &row[k], &keys[k])
		                : asked_space(ec, y, &i->space[k], i->remote, &row[k], &keys[k]));
		TRY(ask_entry(&row[k], keys[k], asked.id, &entries));
		memcpy(asked.sign, i->space[k].sign, SIGN_PUBLIC_LEN);
		TRY(asked_save(ec, y, row[k].n, &asked));
		fresh++;
	}
	home = row[i->spaces - 1].n;
	for (size_t k = 0; k < i->spaces; k++) {
		if (keys[k] == NULL)
			continue;
		row[k].neighbourhood = home;
		TRY(store_space_update(ec, y->store, &row[k]));
	}
	TRY(wire_put_array(&plain, 4));
	TRY(wire_put_uint(&plain, 1));
	TRY(wire_put_bytes(&plain, asked.id, INVITATION_ID_LEN));
	TRY(wire_put_text(&plain, nick, strlen(nick)));
	TRY(wire_put_array(&plain, fresh));
	TRY(buf_put(&plain, entries.data, entries.len));
	request_mac(i->secret, buf_bytes(&plain), mac);
	TRY(buf_put(&plain, mac, sizeof(mac)));
	TRY(mailbox(ec, y, home, ref, &h.device));
	h.space = i->space[0].tag;
	TRY(join_seal(&h, BOX_JOIN_REQUEST, i->space[0].box, buf_bytes(&plain), &file));
	TRY(letter_send(ec, y, home, "ask", buf_bytes(&file)));
done:
	for (size_t k = 0; k < INVITE_SPACES; k++)
		device_keys_free(keys[k]);
	buf_free(&entries);
	buf_free(&plain);
	buf_free(&file);
	return e;
}

/* A bare request: header | bundle | signature over it. Nothing in it is secret. */
enum err join_request(struct errctx *ec, struct sync *y, const char *remote, const char *nick,
                      uint8_t fingerprint[static HASH_LEN])
{
	struct invited_space unknown = { .kind = SPACE_NEIGHBOURHOOD };
	struct file_header h = { .type = FILE_JOIN_REQUEST, .seq = OPEN_REQUEST_SEQ };
	struct asked asked = { .known = false };
	struct device_keys *keys = NULL;
	struct space_row row;
	struct buf file = { 0 };
	uint8_t bytes[OPEN_REQUEST_LEN];
	uint8_t hash[HASH_LEN];
	char ref[REF_MAX + 1];
	enum err e = ERR_OK;

	if (strlen(nick) > SPACE_NAME_MAX || strlen(remote) > REMOTE_MAX)
		return err_set(ec, ERR_INPUT, "That name is too long. Use at most 120 characters.", NULL, NULL, NULL);
	strcpy(asked.nick, nick);
	rng_fill(y->rng, unknown.id.b, SPACE_ID_LEN); /* stands in until the answer names the space */
	rng_fill(y->rng, unknown.tag.b, TAG_LEN);
	TRY(asked_space(ec, y, &unknown, remote, &row, &keys));
	row.neighbourhood = row.n;
	TRY(store_space_update(ec, y->store, &row));
	TRY(mailbox(ec, y, row.n, ref, &h.device));
	bundle_fingerprint(&keys->public, fingerprint);
	memcpy(asked.id, fingerprint, INVITATION_ID_LEN);
	TRY(asked_save(ec, y, row.n, &asked));
	file_header_put(&h, bytes);
	bundle_put(&keys->public, bytes + FILE_HEADER_LEN);
	hash_bytes("slb open request", (struct bytes){ bytes, FILE_HEADER_LEN + BUNDLE_LEN }, hash);
	sign_make(keys->sign_secret, (struct bytes){ hash, sizeof(hash) }, bytes + FILE_HEADER_LEN + BUNDLE_LEN);
	TRY(buf_put(&file, bytes, sizeof(bytes)));
	TRY(letter_send(ec, y, row.n, "ask", buf_bytes(&file)));
done:
	device_keys_free(keys);
	buf_free(&file);
	return e;
}

/* --- admitting --- */

/* A joiner in one space. */
struct joiner {
	struct space_row space;
	uint8_t bundle[BUNDLE_LEN];
};

/* [[epoch id, key, recipients, parents, rank, creator]...] of a space */
static enum err epochs_put(struct errctx *ec, struct sync *y, int64_t space, struct buf *out)
{
	struct epoch_row *list = NULL;
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	size_t n = 0;
	enum err e = secret == NULL ? ERR_NO_MEMORY : store_epoch_list(ec, y->store, space, &list, &n);

	if (e != ERR_OK)
		goto done;
	TRY(wire_put_array(out, n));
	for (size_t i = 0; i < n; i++) {
		TRY(epoch_key_load(ec, y, space, list[i].id, secret));
		TRY(wire_put_array(out, 6));
		TRY(wire_put_bytes(out, list[i].id.b, EPOCH_ID_LEN));
		TRY(wire_put_bytes(out, secret->key, EPOCH_KEY_LEN));
		TRY(wire_put_bytes(out, secret->recipients, 32));
		TRY(wire_put_bytes(out, secret->parents, 32));
		TRY(wire_put_uint(out, list[i].rank));
		TRY(wire_put_bytes(out, list[i].creator.b, DEVICE_ID_LEN));
	}
done:
	secret_free(secret);
	free(list);
	return e;
}

/* [[device, seq, hash8]...]: what the joiner must come to hold before it believes what it sees */
static enum err heads_put(struct errctx *ec, struct sync *y, int64_t space, struct buf *out)
{
	struct vv v = { 0 };
	enum err e = ERR_OK;

	TRY(store_vector(ec, y->store, space, &v));
	TRY(wire_put_array(out, v.n));
	for (size_t i = 0; i < v.n; i++) {
		TRY(wire_put_array(out, 3));
		TRY(wire_put_bytes(out, v.e[i].dev.b, DEVICE_ID_LEN));
		TRY(wire_put_uint(out, v.e[i].seq));
		TRY(wire_put_bytes(out, v.e[i].hash, VV_HASH_LEN));
	}
done:
	vv_free(&v);
	return e;
}

/* The founder's genesis and bundle: the registry of devices starts there. */
static enum err founder_put(struct errctx *ec, struct sync *y, int64_t space, struct buf *out)
{
	struct buf genesis = { 0 };
	struct device_row *list = NULL;
	struct wire_in in;
	uint64_t kind = 0;
	size_t n = 0;
	uint8_t sign[SIGN_PUBLIC_LEN];
	uint8_t bytes[BUNDLE_LEN];
	bool found = false;
	enum err e = ERR_OK;

	TRY(store_kept_get(ec, y->store, space, "genesis", &genesis));
	in = wire_in(buf_bytes(&genesis));
	TRY(wire_get_array(&in, &n));
	TRY(wire_get_uint(&in, &kind));
	TRY(wire_get_exact(&in, sign, sizeof(sign)));
	TRY(store_device_list(ec, y->store, space, &list, &n));
	for (size_t i = 0; i < n && !found; i++) {
		struct bundle b = { .tag = list[i].tag };

		found = list[i].state != DEVICE_NAMED && memcmp(list[i].sign, sign, sizeof(sign)) == 0;
		memcpy(b.sign, list[i].sign, SIGN_PUBLIC_LEN);
		memcpy(b.box, list[i].box, BOX_PUBLIC_LEN);
		bundle_put(&b, bytes);
	}
	MUST_BE(found);
	TRY(buf_put(out, genesis.data, genesis.len));
	TRY(wire_put_bytes(out, bytes, sizeof(bytes)));
done:
	free(list);
	buf_free(&genesis);
	return e;
}

/* [space id, kind, tag, name, genesis, founder's bundle, epochs, heads] */
static enum err answer_entry(struct errctx *ec, struct sync *y, const struct space_row *s, struct buf *out)
{
	enum err e = ERR_OK;

	TRY(wire_put_array(out, 8));
	TRY(wire_put_bytes(out, s->id.b, SPACE_ID_LEN));
	TRY(wire_put_uint(out, s->kind));
	TRY(wire_put_bytes(out, s->tag.b, TAG_LEN));
	TRY(wire_put_text(out, s->name, strlen(s->name)));
	TRY(founder_put(ec, y, s->n, out));
	TRY(epochs_put(ec, y, s->n, out));
	TRY(heads_put(ec, y, s->n, out));
done:
	return e;
}

static void answer_hash(const uint8_t joiner[static BUNDLE_LEN], struct bytes answer, uint8_t out[static HASH_LEN])
{
	const struct bytes parts[] = { { joiner, BUNDLE_LEN }, answer };

	hash_parts("slb join answer", NULL, parts, 2, out, HASH_LEN);
}

/* Writes the memberships, seals them, and answers; signed with the key of the first space. */
static enum err admit(struct errctx *ec, struct sync *y, const uint8_t id[static INVITATION_ID_LEN],
                      const struct joiner *j, size_t n, const char *nick, const char *role)
{
	const char *roles[] = { "member", role };
	struct file_header h = { .type = FILE_JOIN_ANSWER };
	struct device_keys *keys = NULL;
	struct buf plain = { 0 };
	struct buf file = { 0 };
	struct bundle first;
	uint8_t hash[HASH_LEN];
	uint8_t signature[SIGN_LEN];
	char ref[REF_MAX + 1];
	enum err e = ERR_OK;

	for (size_t k = 0; k < n; k++) {
		/* a role such as coordinator belongs to the neighbourhood */
		bool more = strcmp(role, "member") != 0 && j[k].space.kind == SPACE_NEIGHBOURHOOD;
		struct admission a = { j[k].space.n, nick, roles, more ? 2 : 1, NULL };
		struct bundle b;
		struct dot person = { 0 };

		bundle_get(j[k].bundle, &b);
		a.device = &b;
		TRY(member_write(ec, y, &a, &person));
		TRY(devices_register(ec, y, &j[k].space, person));
		TRY(outbox_seal(ec, y, &j[k].space));
	}
	TRY(device_keys_load(ec, y, j[0].space.n, &keys));
	TRY(wire_put_array(&plain, 3));
	TRY(wire_put_uint(&plain, 1));
	TRY(wire_put_bytes(&plain, id, INVITATION_ID_LEN));
	TRY(wire_put_array(&plain, n));
	for (size_t k = 0; k < n; k++)
		TRY(answer_entry(ec, y, &j[k].space, &plain));
	answer_hash(j[0].bundle, buf_bytes(&plain), hash);
	sign_make(keys->sign_secret, (struct bytes){ hash, sizeof(hash) }, signature);
	TRY(buf_put(&plain, keys->public.sign, SIGN_PUBLIC_LEN));
	TRY(buf_put(&plain, signature, sizeof(signature)));
	bundle_get(j[0].bundle, &first);
	TRY(mailbox(ec, y, j[0].space.neighbourhood, ref, &h.device));
	h.space = j[0].space.tag;
	TRY(join_seal(&h, BOX_JOIN_ANSWER, first.box, buf_bytes(&plain), &file));
	TRY(letter_send(ec, y, j[0].space.neighbourhood, "answer", buf_bytes(&file)));
done:
	device_keys_free(keys);
	buf_free(&plain);
	buf_free(&file);
	return e;
}

/* Reads a request's entries; each must be for a space of the invitation and signed by its own key. */
static enum err joiners_get(struct errctx *ec, struct sync *y, struct wire_in *in, const struct issued *issued,
                            const uint8_t id[static INVITATION_ID_LEN], struct joiner *j, size_t *count)
{
	size_t n = 0;
	enum err e = ERR_OK;

	TRY(wire_get_array(in, &n));
	MUST_BE(n >= 1 && n <= issued->spaces);
	for (size_t k = 0; k < n; k++) {
		struct space_id space;
		struct bundle b;
		uint8_t signature[SIGN_LEN];
		uint8_t hash[HASH_LEN];
		size_t three = 0;
		bool invited = false;

		TRY(wire_get_array(in, &three));
		MUST_BE(three == 3);
		TRY(wire_get_exact(in, space.b, SPACE_ID_LEN));
		TRY(wire_get_exact(in, j[k].bundle, BUNDLE_LEN));
		TRY(wire_get_exact(in, signature, SIGN_LEN));
		for (size_t i = 0; i < issued->spaces && !invited; i++) {
			TRY(store_space_get(ec, y->store, issued->space[i], &j[k].space));
			invited = memcmp(j[k].space.id.b, space.b, SPACE_ID_LEN) == 0;
		}
		MUST_BE(invited);
		for (size_t i = 0; i < k; i++)
			MUST_BE(j[i].space.n != j[k].space.n);
		bundle_get(j[k].bundle, &b);
		possession_hash(j[k].bundle, space, id, hash);
		MUST_BE(sign_check(b.sign, (struct bytes){ hash, sizeof(hash) }, signature));
	}
	*count = n;
done:
	return e;
}

/* Which request an invitation was used by: a host may show the same one again, and then nothing is wrong. */
static void used_name(const uint8_t id[static INVITATION_ID_LEN],
                      char out[static sizeof(KEPT_USED) + 2 * INVITATION_ID_LEN])
{
	memcpy(out, KEPT_USED, sizeof(KEPT_USED) - 1);
	hex_put(id, INVITATION_ID_LEN, out + sizeof(KEPT_USED) - 1);
}

static enum err used_by(struct errctx *ec, struct sync *y, const uint8_t id[static INVITATION_ID_LEN],
                        const uint8_t mac[static HASH_LEN], bool *same)
{
	char name[sizeof(KEPT_USED) + 2 * INVITATION_ID_LEN];
	struct buf kept = { 0 };
	enum err e = ERR_OK;

	used_name(id, name);
	e = store_kept_get(ec, y->store, 0, name, &kept);
	*same = e == ERR_OK && kept.len == HASH_LEN && memcmp(kept.data, mac, HASH_LEN) == 0;
	buf_free(&kept);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The plaintext of a request that is for one of this device's invitations. */
static enum err request_admit(struct errctx *ec, struct sync *y, struct bytes plain, struct received *r,
                              enum fate *fate, const char **why)
{
	struct wire_in in;
	struct issued issued = { 0 };
	struct joiner j[INVITE_SPACES];
	struct buf kept = { 0 };
	struct bytes nick = { 0 };
	uint8_t id[INVITATION_ID_LEN];
	uint8_t mac[HASH_LEN];
	char name[INVITE_NAME_LEN];
	char used[sizeof(KEPT_USED) + 2 * INVITATION_ID_LEN];
	char nick_text[SPACE_NAME_MAX + 1] = "";
	uint64_t version = 0;
	size_t n = 0;
	enum err e = ERR_OK;

	*fate = FATE_ASIDE;
	*why = TR("A request to join does not fit an invitation of this device.");
	if (plain.len < HASH_LEN)
		return ERR_OK;
	in = wire_in((struct bytes){ plain.data, plain.len - HASH_LEN });
	TRY(wire_get_array(&in, &n));
	TRY(wire_get_uint(&in, &version));
	MUST_BE(n == 4 && version == 1);
	TRY(wire_get_exact(&in, id, sizeof(id)));
	TRY(wire_get_text(&in, &nick));
	MUST_BE(nick.len <= SPACE_NAME_MAX);
	memcpy(nick_text, nick.data, nick.len);
	invite_kept_name(id, name);
	e = store_kept_get(ec, y->store, 0, name, &kept);
	if (e == ERR_NOT_FOUND) { /* withdrawn, or another device's */
		e = ERR_OK;
		*why = TR("A request to join uses an invitation that was withdrawn.");
		goto done;
	}
	TRY(e);
	TRY(issued_get(buf_bytes(&kept), &issued));
	request_mac(issued.secret, (struct bytes){ plain.data, plain.len - HASH_LEN }, mac);
	MUST_BE(hash_equal(mac, plain.data + plain.len - HASH_LEN, HASH_LEN));
	if (issued.used) {
		bool same = false;

		TRY(used_by(ec, y, id, mac, &same));
		*fate = same ? FATE_KNOWN : FATE_ASIDE;
		*why = TR("A request to join uses an invitation that was used before.");
		goto done;
	}
	if (clock_now(y->clock) > issued.expires_ms) {
		*why = TR("A request to join came after the invitation had ended.");
		goto done;
	}
	TRY(joiners_get(ec, y, &in, &issued, id, j, &n));
	TRY(wire_at_end(&in));
	issued.used = true;
	TRY(issued_save(ec, y, &issued));
	used_name(id, used);
	TRY(store_kept_put(ec, y->store, 0, used, (struct bytes){ mac, HASH_LEN }));
	TRY(admit(ec, y, id, j, n, nick_text, issued.role));
	r->admitted++;
	*fate = FATE_DONE;
done:
	secret_wipe(&issued, sizeof(issued));
	buf_free(&kept);
	return e == ERR_DAMAGED && (ec == NULL || ec->code == ERR_OK) ? ERR_OK : e;
}

/* Is there a device with this key in one of the spaces here? Then the request was approved, or is one's own. */
static enum err key_is_known(struct errctx *ec, struct sync *y, const uint8_t sign[static SIGN_PUBLIC_LEN], bool *known)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, y->store, &list, &n);

	*known = false;
	for (size_t i = 0; e == ERR_OK && i < n && !*known; i++) {
		struct device_id dev = device_id_make(list[i].id, sign, 0);
		struct device_row row;

		*known = device_cmp(dev, list[i].me) == 0;
		if (*known)
			break;
		e = store_device_by_id(ec, y->store, dev, &row);
		*known = e == ERR_OK && row.state != DEVICE_NAMED;
		e = e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	free(list);
	return e;
}

static enum err count_one(void *arg, const char *name, struct bytes value)
{
	(void)name;
	(void)value;
	(*(size_t *)arg)++;
	return ERR_OK;
}

/* A bare request waits until a member approves it. */
static enum err open_request(struct errctx *ec, struct sync *y, struct bytes file, enum fate *fate, const char **why)
{
	struct bundle b;
	uint8_t hash[HASH_LEN];
	uint8_t fingerprint[HASH_LEN];
	char name[sizeof(KEPT_REQUEST) + 2 * INVITATION_ID_LEN];
	size_t open = 0;
	bool known = false;
	enum err e = ERR_OK;

	*fate = FATE_ASIDE;
	*why = TR("A request to join is damaged.");
	if (file.len != OPEN_REQUEST_LEN)
		return ERR_OK;
	bundle_get(file.data + FILE_HEADER_LEN, &b);
	hash_bytes("slb open request", (struct bytes){ file.data, FILE_HEADER_LEN + BUNDLE_LEN }, hash);
	if (!sign_check(b.sign, (struct bytes){ hash, sizeof(hash) }, file.data + FILE_HEADER_LEN + BUNDLE_LEN))
		return ERR_OK;
	bundle_fingerprint(&b, fingerprint);
	memcpy(name, KEPT_REQUEST, sizeof(KEPT_REQUEST) - 1);
	hex_put(fingerprint, INVITATION_ID_LEN, name + sizeof(KEPT_REQUEST) - 1);
	e = key_is_known(ec, y, b.sign, &known);
	if (e != ERR_OK || known) {
		*fate = FATE_KNOWN;
		return e;
	}
	e = store_kept_each(ec, y->store, 0, KEPT_REQUEST, count_one, &open);
	if (e == ERR_OK && open >= OPEN_REQUESTS_MAX) {
		*why = TR("There are too many requests to join. Approve those that you know.");
		return ERR_OK;
	}
	*fate = FATE_DONE;
	return e != ERR_OK
	           ? e
	           : store_kept_put(ec, y->store, 0, name, (struct bytes){ file.data + FILE_HEADER_LEN, BUNDLE_LEN });
}

enum err join_request_receive(struct errctx *ec, struct sync *y, const struct file_header *h, struct bytes file,
                              struct received *r, enum fate *fate, const char **why)
{
	struct space_row *list = NULL;
	struct buf plain = { 0 };
	size_t n = 0;
	enum err e = ERR_OK;

	*fate = FATE_OTHER;
	if (h->seq == OPEN_REQUEST_SEQ)
		return open_request(ec, y, file, fate, why);
	TRY(store_space_list(ec, y->store, &list, &n));
	for (size_t i = 0; i < n && *fate == FATE_OTHER; i++) {
		struct device_keys *keys = NULL;

		if (list[i].state != SPACE_MEMBER || memcmp(list[i].tag.b, h->space.b, TAG_LEN) != 0)
			continue;
		TRY(device_keys_load(ec, y, list[i].n, &keys));
		e = join_unseal(file, BOX_JOIN_REQUEST, keys->public.box, keys->box_secret, &plain);
		device_keys_free(keys);
		if (e == ERR_OK)
			e = request_admit(ec, y, buf_bytes(&plain), r, fate, why);
		else if (e == ERR_DAMAGED)
			e = ERR_OK; /* for another device of the space */
		TRY(e);
	}
done:
	free(list);
	buf_free(&plain);
	return e;
}

/* --- the answer --- */

static enum err answer_epochs(struct errctx *ec, struct sync *y, const struct space_row *space, struct wire_in *in)
{
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	size_t n = 0;
	size_t six = 0;
	enum err e = secret == NULL ? ERR_NO_MEMORY : wire_get_array(in, &n);

	if (e == ERR_OK && n == 0)
		e = ERR_DAMAGED;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct epoch_row row = { .space = space->n, .state = EPOCH_OPEN };
		struct epoch_id id;

		TRY(wire_get_array(in, &six));
		MUST_BE(six == 6);
		TRY(wire_get_exact(in, row.id.b, EPOCH_ID_LEN));
		TRY(wire_get_exact(in, secret->key, EPOCH_KEY_LEN));
		TRY(wire_get_exact(in, secret->recipients, 32));
		TRY(wire_get_exact(in, secret->parents, 32));
		TRY(wire_get_uint(in, &row.rank));
		TRY(wire_get_exact(in, row.creator.b, DEVICE_ID_LEN));
		id = epoch_id_make(secret->key, space->id, secret->recipients, secret->parents);
		MUST_BE(memcmp(id.b, row.id.b, EPOCH_ID_LEN) == 0 && row.rank < RANK_MAX);
		TRY(epoch_key_save(ec, y, space->n, row.id, secret));
		TRY(store_epoch_put(ec, y->store, &row));
	}
done:
	secret_free(secret);
	return e;
}

/* The space's id commits to its founder: the registry of devices starts with that key. */
static enum err answer_founder(struct errctx *ec, struct sync *y, const struct space_row *space, struct wire_in *in)
{
	struct bytes genesis = { 0 };
	struct wire_in g;
	struct bundle b;
	struct space_id id;
	uint64_t kind = 0;
	size_t n = 0;
	uint8_t sign[SIGN_PUBLIC_LEN];
	uint8_t nonce[SPACE_NONCE_LEN];
	uint8_t bytes[BUNDLE_LEN];
	enum err e = ERR_OK;

	TRY(wire_get_raw(in, &genesis));
	g = wire_in(genesis);
	TRY(wire_get_array(&g, &n));
	TRY(wire_get_uint(&g, &kind));
	TRY(wire_get_exact(&g, sign, sizeof(sign)));
	TRY(wire_get_exact(&g, nonce, sizeof(nonce)));
	TRY(wire_get_exact(in, bytes, sizeof(bytes)));
	bundle_get(bytes, &b);
	id = space_id_make((enum space_kind)kind, sign, nonce);
	MUST_BE(n == 3 && memcmp(id.b, space->id.b, SPACE_ID_LEN) == 0 && memcmp(b.sign, sign, sizeof(sign)) == 0);
	TRY(device_register(ec, y, space, &b, (struct dot){ 0 }));
	TRY(store_kept_put(ec, y->store, space->n, "genesis", genesis));
done:
	return e;
}

/* One space of an answer becomes one's own. */
static enum err answer_space(struct errctx *ec, struct sync *y, struct wire_in *in, const struct space_row *main_space,
                             const struct asked *asked, bool first, struct received *r)
{
	struct asked other;
	struct space_row space = { 0 };
	struct device_keys *keys = NULL;
	struct space_id id;
	struct tag tag;
	struct bytes name = { 0 };
	struct bytes heads = { 0 };
	uint64_t kind = 0;
	size_t n = 0;
	bool fresh_tag = false;
	enum err e = ERR_OK;

	TRY(wire_get_array(in, &n));
	MUST_BE(n == 8);
	TRY(wire_get_exact(in, id.b, SPACE_ID_LEN));
	TRY(wire_get_uint(in, &kind));
	TRY(wire_get_exact(in, tag.b, TAG_LEN));
	TRY(wire_get_text(in, &name));
	MUST_BE(name.len <= SPACE_NAME_MAX && kind >= SPACE_OWN && kind <= SPACE_NEIGHBOURHOOD);
	e = space_exists(ec, y, id, &space);
	if (e == ERR_NOT_FOUND && first && !asked->known) { /* asked without an invitation: now it has its name */
		space = *main_space;
		space.id = id;
		space.tag = tag;
		TRY(device_keys_load(ec, y, space.n, &keys));
		space.me = device_id_make(id, keys->public.sign, keys->public.incarnation);
		e = ERR_OK;
	}
	TRY(e == ERR_NOT_FOUND ? ERR_DAMAGED : e);
	MUST_BE(space.state == SPACE_ASKED && space.kind == (enum space_kind)kind);
	/* whoever answers may speak for what was asked of it, and for no other space */
	MUST_BE(!first || space.n == main_space->n);
	TRY(asked_load(ec, y, space.n, &other));
	MUST_BE(memcmp(other.id, asked->id, INVITATION_ID_LEN) == 0);
	TRY(tag_free(ec, y, space.tag, space.n, &fresh_tag));
	MUST_BE(fresh_tag);
	memcpy(space.name, name.data, name.len);
	space.name[name.len] = '\0';
	space.state = SPACE_MEMBER;
	TRY(store_space_update(ec, y->store, &space));
	TRY(answer_founder(ec, y, &space, in));
	TRY(answer_epochs(ec, y, &space, in));
	TRY(wire_get_raw(in, &heads));
	TRY(store_kept_put(ec, y->store, space.n, KEPT_FLOOR, heads));
	TRY(store_kept_delete(ec, y->store, space.n, KEPT_ASK));
	if (space.kind == SPACE_NEIGHBOURHOOD)
		TRY(spaces_adopt(ec, y, space.n));
	r->joined++;
done:
	device_keys_free(keys);
	return e;
}

static enum err answer_take(struct errctx *ec, struct sync *y, struct bytes plain, const struct space_row *space,
                            const struct device_keys *keys, struct received *r, bool *mine)
{
	size_t tail = SIGN_PUBLIC_LEN + SIGN_LEN;
	struct asked asked;
	struct wire_in in;
	uint8_t bundle[BUNDLE_LEN];
	uint8_t hash[HASH_LEN];
	uint8_t id[INVITATION_ID_LEN];
	uint64_t version = 0;
	size_t n = 0;
	enum err e = ERR_OK;

	*mine = false;
	TRY(asked_load(ec, y, space->n, &asked));
	MUST_BE(plain.len > tail);
	bundle_put(&keys->public, bundle);
	answer_hash(bundle, (struct bytes){ plain.data, plain.len - tail }, hash);
	MUST_BE(!asked.known || memcmp(asked.sign, plain.data + plain.len - tail, SIGN_PUBLIC_LEN) == 0);
	MUST_BE(sign_check(plain.data + plain.len - tail, (struct bytes){ hash, sizeof(hash) },
	                   plain.data + plain.len - SIGN_LEN));
	in = wire_in((struct bytes){ plain.data, plain.len - tail });
	TRY(wire_get_array(&in, &n));
	TRY(wire_get_uint(&in, &version));
	TRY(wire_get_exact(&in, id, sizeof(id)));
	MUST_BE(n == 3 && version == 1 && memcmp(id, asked.id, sizeof(id)) == 0);
	TRY(wire_get_array(&in, &n));
	MUST_BE(n >= 1 && n <= (asked.known ? INVITE_SPACES : 1));
	for (size_t i = 0; i < n; i++)
		TRY(answer_space(ec, y, &in, space, &asked, i == 0, r));
	TRY(wire_at_end(&in));
	*mine = true;
done:
	return e;
}

enum err join_answer_receive(struct errctx *ec, struct sync *y, struct bytes file, struct received *r, enum fate *fate,
                             const char **why)
{
	struct space_row *list = NULL;
	struct buf plain = { 0 };
	size_t n = 0;
	enum err e = ERR_OK;

	*fate = FATE_OTHER;
	TRY(store_space_list(ec, y->store, &list, &n));
	for (size_t i = 0; i < n && *fate == FATE_OTHER; i++) {
		struct device_keys *keys = NULL;
		bool mine = false;

		if (list[i].state != SPACE_ASKED)
			continue;
		TRY(device_keys_load(ec, y, list[i].n, &keys));
		buf_reset(&plain);
		e = join_unseal(file, BOX_JOIN_ANSWER, keys->public.box, keys->box_secret, &plain);
		if (e == ERR_OK) {
			struct received counted = *r;

			e = answer_take(ec, y, buf_bytes(&plain), &list[i], keys, &counted, &mine);
			*fate = mine ? FATE_DONE : FATE_ASIDE;
			*why = TR("The answer to your request to join is damaged or not from the one who invited you.");
			if (mine)
				*r = counted;
		}
		device_keys_free(keys);
		if (e == ERR_DAMAGED || e == ERR_NOT_FOUND)
			e = ERR_OK; /* not for this space, or set aside */
		TRY(e);
	}
done:
	free(list);
	buf_free(&plain);
	return e;
}

/* --- bare requests, for those who approve --- */

struct requests {
	struct request_row *list;
	size_t n;
};

static enum err request_one(void *arg, const char *name, struct bytes value)
{
	struct requests *all = arg;
	struct request_row *list = realloc(all->list, (all->n + 1) * sizeof(*list));

	if (list == NULL)
		return ERR_NO_MEMORY;
	all->list = list;
	if (value.len != BUNDLE_LEN)
		return ERR_DAMAGED;
	snprintf(list[all->n].id, sizeof(list[all->n].id), "%s", name + strlen(KEPT_REQUEST));
	bundle_get(value.data, &list[all->n].bundle);
	all->n++;
	return ERR_OK;
}

enum err request_list(struct errctx *ec, struct sync *y, struct request_row **out, size_t *count)
{
	struct requests all = { 0 };
	enum err e = store_kept_each(ec, y->store, 0, KEPT_REQUEST, request_one, &all);

	if (e != ERR_OK) {
		free(all.list);
		all = (struct requests){ 0 };
	}
	*out = all.list;
	*count = all.n;
	return e;
}

enum err request_approve(struct errctx *ec, struct sync *y, const struct space_row *neighbourhood,
                         const struct request_row *request, const char *name)
{
	struct joiner j = { .space = *neighbourhood };
	uint8_t fingerprint[HASH_LEN];
	char kept[sizeof(KEPT_REQUEST) + 2 * INVITATION_ID_LEN];
	enum err e = ERR_OK;

	bundle_put(&request->bundle, j.bundle);
	bundle_fingerprint(&request->bundle, fingerprint);
	snprintf(kept, sizeof(kept), KEPT_REQUEST "%s", request->id);
	TRY(admit(ec, y, fingerprint, &j, 1, name, "member"));
	TRY(store_kept_delete(ec, y->store, 0, kept));
done:
	return e;
}
