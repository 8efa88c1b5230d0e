// SPDX-License-Identifier: EUPL-1.2
// Joining, the side that asks: the request, and taking in the answer. The answer is authenticated by the signing key
// that the invitation names; founders are checked against the space's own id.
#include "sync/join.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/tr.h"
#include "base/try.h"
#include "crypto/secret.h"
#include "model/wire.h"
#include "sync/floor.h"
#include "sync/invite.h"
#include "sync/letters.h"
#include "sync/space.h"

#define KEPT_ASK "ask" /* as the first version named it; one for each invitation now: "ask:" and its id */
#define KEPT_ASK_LEN (sizeof(KEPT_ASK) + 1 + 2 * INVITATION_ID_LEN)
#define RANK_MAX (1ULL << 32)

/* --- asking --- */

/* What a joiner remembers of whom it asked, for each invitation that it used for a space: whichever answer comes first
 * lets it in. [signing key of the inviting device or empty, nick, invitation id, flags, what six words are made of or
 * empty]; the last two are missing where the first version wrote it. */
struct asked {
	uint8_t sign[SIGN_PUBLIC_LEN];
	bool known; /* the signing key is known from an invitation */
	char nick[SPACE_NAME_MAX + 1];
	uint8_t id[INVITATION_ID_LEN];
	bool device;
	bool compare;
	uint8_t words[HASH_LEN];
};

static void asked_name(const uint8_t id[static INVITATION_ID_LEN], char out[static KEPT_ASK_LEN])
{
	char hex[2 * INVITATION_ID_LEN + 1];

	hex_put(id, INVITATION_ID_LEN, hex);
	snprintf(out, KEPT_ASK_LEN, KEPT_ASK ":%s", hex);
}

static enum err asked_save(struct errctx *ec, struct sync *y, int64_t space, const struct asked *a)
{
	struct buf b = { 0 };
	char name[KEPT_ASK_LEN];
	bool words = a->compare || !a->known;
	enum err e = ERR_OK;

	asked_name(a->id, name);
	TRY(wire_put_array(&b, 5));
	TRY(wire_put_bytes(&b, a->sign, a->known ? SIGN_PUBLIC_LEN : 0));
	TRY(wire_put_text(&b, a->nick, strlen(a->nick)));
	TRY(wire_put_bytes(&b, a->id, INVITATION_ID_LEN));
	TRY(wire_put_uint(&b, invite_flags(a->device, a->compare)));
	TRY(wire_put_bytes(&b, a->words, words ? HASH_LEN : 0));
	TRY(store_kept_put(ec, y->store, space, name, buf_bytes(&b)));
done:
	buf_free(&b);
	return e;
}

static enum err asked_get(struct bytes bytes, struct asked *out)
{
	struct wire_in in = wire_in(bytes);
	struct bytes sign = { 0 };
	struct bytes nick = { 0 };
	struct bytes words = { 0 };
	uint64_t flags = 0;
	size_t n = 0;
	enum err e = ERR_OK;

	*out = (struct asked){ 0 };
	TRY(wire_get_array(&in, &n));
	MUST_BE(n == 3 || n == 5);
	TRY(wire_get_bytes(&in, &sign));
	TRY(wire_get_text(&in, &nick));
	TRY(wire_get_exact(&in, out->id, INVITATION_ID_LEN));
	if (n == 5) {
		TRY(wire_get_uint(&in, &flags));
		TRY(wire_get_bytes(&in, &words));
	}
	TRY(invite_flags_get(flags, &out->device, &out->compare));
	MUST_BE(nick.len <= SPACE_NAME_MAX && (sign.len == 0 || sign.len == SIGN_PUBLIC_LEN) &&
	        (words.len == 0 || words.len == HASH_LEN));
	memcpy(out->nick, nick.data, nick.len);
	out->known = sign.len > 0;
	if (out->known)
		memcpy(out->sign, sign.data, SIGN_PUBLIC_LEN);
	if (words.len > 0)
		memcpy(out->words, words.data, HASH_LEN);
done:
	return e;
}

/* What was asked with this invitation. ERR_NOT_FOUND without text. */
static enum err asked_load(struct errctx *ec, struct sync *y, int64_t space, const uint8_t id[static INVITATION_ID_LEN],
                           struct asked *out)
{
	struct buf b = { 0 };
	char name[KEPT_ASK_LEN];
	enum err e = ERR_OK;

	asked_name(id, name);
	e = store_kept_get(ec, y->store, space, name, &b);
	if (e == ERR_NOT_FOUND)
		e = store_kept_get(ec, y->store, space, KEPT_ASK, &b);
	if (e == ERR_OK)
		e = asked_get(buf_bytes(&b), out);
	if (e == ERR_OK && memcmp(out->id, id, INVITATION_ID_LEN) != 0)
		e = ERR_NOT_FOUND;
	buf_free(&b);
	return e;
}

/* Names and newest of what was asked for one space. */
struct asked_all {
	char (*name)[KEPT_ASK_LEN];
	size_t n;
	struct asked last;
};

static enum err asked_one(void *arg, const char *name, struct bytes value)
{
	struct asked_all *all = arg;
	char(*list)[KEPT_ASK_LEN] = realloc(all->name, (all->n + 1) * sizeof(*list));

	if (list == NULL)
		return ERR_NO_MEMORY;
	all->name = list;
	snprintf(all->name[all->n++], KEPT_ASK_LEN, "%s", name);
	return asked_get(value, &all->last);
}

/* One is in: nothing is asked any more. */
static enum err asked_drop(struct errctx *ec, struct sync *y, int64_t space)
{
	struct asked_all all = { 0 };
	enum err e = store_kept_each(ec, y->store, space, KEPT_ASK, asked_one, &all);

	for (size_t i = 0; e == ERR_OK && i < all.n; i++)
		e = store_kept_delete(ec, y->store, space, all.name[i]);
	free(all.name);
	return e;
}

enum err asked_list(struct errctx *ec, struct sync *y, struct asked_row **out, size_t *count)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, y->store, &list, &n);

	*count = 0;
	*out = calloc(n + 1, sizeof(**out));
	if (e == ERR_OK && *out == NULL)
		e = ERR_NO_MEMORY;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct asked_all all = { 0 };
		struct asked_row *row = &(*out)[*count];

		if (list[i].state != SPACE_ASKED)
			continue;
		e = store_kept_each(ec, y->store, list[i].n, KEPT_ASK, asked_one, &all);
		*row = (struct asked_row){ .space = list[i].n,
			                   .device = all.last.device,
			                   .compare = all.last.compare || (all.n > 0 && !all.last.known) };
		memcpy(row->id, all.last.id, INVITATION_ID_LEN);
		memcpy(row->words, all.last.words, HASH_LEN);
		*count += e == ERR_OK && all.n > 0;
		free(all.name);
	}
	free(list);
	if (e != ERR_OK) {
		free(*out);
		*out = NULL;
		*count = 0;
	}
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

/* A request in the making. */
struct asking {
	const struct invitation *i;
	struct asked asked;
	struct space_row row[INVITE_SPACES];
	struct device_keys *keys[INVITE_SPACES]; /* NULL: nothing is asked there */
	uint8_t bundle[INVITE_SPACES][BUNDLE_LEN];
	struct words_part words[INVITE_SPACES];
	struct buf entries;
	size_t fresh;
};

static void asking_free(struct asking *a)
{
	for (size_t k = 0; a != NULL && k < INVITE_SPACES; k++)
		device_keys_free(a->keys[k]);
	if (a != NULL)
		buf_free(&a->entries);
	free(a);
}

/* May this invitation ask anything of this home? Where one is a member already, nothing is asked; with an invitation
 * that was used before, nothing either. */
static enum err may_ask(struct errctx *ec, struct sync *y, struct asking *a)
{
	const struct invitation *i = a->i;
	struct asked before;
	size_t member = 0;
	enum err e = ERR_OK;

	for (size_t k = 0; k < i->spaces; k++) {
		e = space_by_id(ec, y, i->space[k].id, &a->row[k]);
		if (e == ERR_NOT_FOUND)
			continue;
		if (e == ERR_OK && a->row[k].state == SPACE_ASKED)
			e = asked_load(ec, y, a->row[k].n, a->asked.id, &before);
		else if (e == ERR_OK && i->device)
			e = ERR_NOT_FOUND;
		if (e == ERR_OK && (k == 0 || a->row[k].state == SPACE_ASKED))
			return err_set(ec, ERR_REFUSED, "You are in %1 already, or have asked to be.", a->row[k].name,
			               NULL, NULL);
		if (e != ERR_OK && e != ERR_NOT_FOUND)
			return e;
		member += a->row[k].state != SPACE_ASKED;
	}
	if (i->device && member == i->spaces)
		return err_set(ec, ERR_REFUSED, "This home has everything already that the invitation is for.", NULL,
		               NULL, NULL);
	/* with another person's membership one cannot be a device of this one */
	if (i->device && member > 0 && i->space[0].kind == SPACE_OWN && a->row[0].n == 0)
		return err_set(
		    ec, ERR_REFUSED,
		    "This home takes part as a person of its own, and cannot become a device of %1 as well. Make a new "
		    "home for that: sleutelbos --home DIR init --name NAME",
		    i->space[0].name, NULL, NULL);
	return ERR_OK;
}

/* Keys for one space: fresh ones, or those that asked before with another invitation. */
static enum err ask_one(struct errctx *ec, struct sync *y, struct asking *a, size_t k)
{
	const struct invited_space *s = &a->i->space[k];
	enum err e = ERR_OK;

	if (a->row[k].n != 0 && a->row[k].state != SPACE_ASKED)
		return ERR_OK;
	e = a->row[k].n != 0 ? asked_again(ec, y, s, a->i->remote, &a->row[k], &a->keys[k])
	                     : asked_space(ec, y, s, a->i->remote, &a->row[k], &a->keys[k]);
	if (e == ERR_OK)
		e = ask_entry(&a->row[k], a->keys[k], a->asked.id, &a->entries);
	if (e != ERR_OK)
		return e;
	bundle_put(&a->keys[k]->public, a->bundle[k]);
	a->words[a->fresh++] = (struct words_part){ s->id, s->sign, a->bundle[k] };
	return ERR_OK;
}

/* The letter: [1, invitation id, nick, [entry...]] and a MAC under the invitation's secret. */
static enum err ask_letter(struct errctx *ec, struct sync *y, const struct asking *a, int64_t home)
{
	struct file_header h = { .type = FILE_JOIN_REQUEST, .space = a->i->space[0].tag };
	struct buf plain = { 0 };
	struct buf file = { 0 };
	char ref[REF_MAX + 1];
	uint8_t mac[HASH_LEN];
	enum err e = ERR_OK;

	TRY(wire_put_array(&plain, 4));
	TRY(wire_put_uint(&plain, 1));
	TRY(wire_put_bytes(&plain, a->asked.id, INVITATION_ID_LEN));
	TRY(wire_put_text(&plain, a->asked.nick, strlen(a->asked.nick)));
	TRY(wire_put_array(&plain, a->fresh));
	TRY(buf_put(&plain, a->entries.data, a->entries.len));
	request_mac(a->i->secret, buf_bytes(&plain), mac);
	TRY(buf_put(&plain, mac, sizeof(mac)));
	TRY(mailbox(ec, y, home, ref, &h.device));
	TRY(join_seal(&h, BOX_JOIN_REQUEST, a->i->space[0].box, buf_bytes(&plain), &file));
	TRY(letter_send(ec, y, home, "ask", buf_bytes(&file)));
done:
	buf_free(&plain);
	buf_free(&file);
	return e;
}

/* How to come in at the host. An invitation decides that only for an address that is not in use here: else a stranger's
 * could put another host, or another login, in the place of the right one. */
static enum err ask_access(struct errctx *ec, struct sync *y, const struct invitation *i)
{
	struct access *known = access_new(1);
	struct space_row *list = NULL;
	bool in_use = false;
	size_t n = 0;
	enum err e = known == NULL ? ERR_NO_MEMORY : access_load(ec, y->store, i->remote, known);

	if (e == ERR_OK)
		e = store_space_list(ec, y->store, &list, &n);
	for (size_t k = 0; e == ERR_OK && k < n; k++)
		in_use = in_use || (list[k].state == SPACE_MEMBER && strcmp(list[k].remote, i->remote) == 0);
	if (e == ERR_OK && !access_empty(&i->access) && (!in_use || access_empty(known)))
		e = access_save(ec, y->store, i->remote, &i->access);
	free(list);
	secret_free(known);
	return e;
}

enum err join_ask(struct errctx *ec, struct sync *y, const struct invitation *i, const char *nick,
                  uint8_t words[static HASH_LEN])
{
	struct asking *a = calloc(1, sizeof(*a));
	int64_t home = 0;
	enum err e = a == NULL ? ERR_NO_MEMORY : ERR_OK;

	if (e != ERR_OK)
		return e;
	if (clock_now(y->clock) > i->expires_ms)
		TRY(err_set(ec, ERR_LATER, "This invitation is no longer valid. Ask for a new one.", NULL, NULL, NULL));
	if (strlen(nick) > SPACE_NAME_MAX)
		TRY(err_set(ec, ERR_INPUT, "That name is too long. Use at most 120 characters.", NULL, NULL, NULL));
	a->i = i;
	a->asked = (struct asked){ .known = true, .device = i->device, .compare = i->compare };
	invitation_id(i->secret, a->asked.id);
	strcpy(a->asked.nick, nick);
	TRY(may_ask(ec, y, a));
	TRY(ask_access(ec, y, i));
	for (size_t k = 0; k < i->spaces; k++)
		TRY(ask_one(ec, y, a, k));
	request_words(a->asked.id, a->words, a->fresh, a->asked.words);
	memcpy(words, a->asked.words, HASH_LEN);
	home = a->row[i->spaces - 1].n;
	for (size_t k = 0; k < i->spaces; k++) {
		if (a->keys[k] == NULL)
			continue;
		memcpy(a->asked.sign, i->space[k].sign, SIGN_PUBLIC_LEN);
		TRY(asked_save(ec, y, a->row[k].n, &a->asked));
		a->row[k].neighbourhood = home;
		TRY(store_space_update(ec, y->store, &a->row[k]));
	}
	TRY(ask_letter(ec, y, a, home));
done:
	asking_free(a);
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
	memcpy(asked.words, fingerprint, HASH_LEN);
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

/* --- the answer --- */

enum err answer_epochs(struct errctx *ec, struct sync *y, const struct space_row *space, struct wire_in *in)
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
		MUST_BE(six == 6 || six == 2);
		TRY(wire_get_exact(in, row.id.b, EPOCH_ID_LEN));
		if (six == 2) {
			row.state = EPOCH_CLOSED;
			TRY(wire_get_exact(in, row.creator.b, DEVICE_ID_LEN));
			TRY(store_epoch_put(ec, y->store, &row));
			continue;
		}
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

enum err letter_space_take(struct errctx *ec, struct sync *y, const struct space_row *s, struct wire_in *in)
{
	struct bytes heads = { 0 };
	enum err e = answer_founder(ec, y, s, in);

	if (e == ERR_OK)
		e = answer_epochs(ec, y, s, in);
	if (e == ERR_OK)
		e = wire_get_raw(in, &heads);
	return e == ERR_OK ? floor_put(ec, y, s->n, heads) : e;
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
	e = space_by_id(ec, y, id, &space);
	if (e == ERR_NOT_FOUND && first && !asked->known) { /* asked without an invitation: now it has its name */
		space = *main_space;
		space.id = id;
		space.tag = tag;
		TRY(device_keys_load(ec, y, space.n, &keys));
		space.me = device_id_make(id, keys->public.sign, keys->public.incarnation);
		e = ERR_OK;
	}
	TRY(e == ERR_NOT_FOUND ? ERR_DAMAGED : e);
	if (first && !asked->known && space.n != main_space->n &&
	    (space.state == SPACE_MEMBER || space.state == SPACE_ASKED) && space.kind == SPACE_NEIGHBOURHOOD) {
		/* one came in by an invitation meanwhile, or asks by one, which tells who answers: nothing is asked
		 * without any more */
		struct space_row gone = *main_space;

		gone.state = SPACE_GONE;
		gone.remote[0] = '\0';
		TRY(store_space_update(ec, y->store, &gone));
		TRY(asked_drop(ec, y, gone.n));
		for (int i = 0; i < 4; i++)
			TRY(wire_get_raw(in, &heads));
		goto done;
	}
	MUST_BE(space.kind == (enum space_kind)kind && (!first || space.n == main_space->n));
	if (space.state != SPACE_ASKED) { /* another answer was here before */
		for (int i = 0; i < 4; i++)
			TRY(wire_get_raw(in, &heads));
		goto done;
	}
	/* whoever answers may speak for what was asked of it, and for no other space */
	e = asked_load(ec, y, space.n, asked->id, &other);
	TRY(e == ERR_NOT_FOUND ? ERR_DAMAGED : e);
	TRY(tag_free(ec, y, space.tag, space.n, &fresh_tag));
	MUST_BE(fresh_tag);
	memcpy(space.name, name.data, name.len);
	space.name[name.len] = '\0';
	space.state = SPACE_MEMBER;
	TRY(store_space_update(ec, y->store, &space));
	TRY(letter_space_take(ec, y, &space, in));
	TRY(asked_drop(ec, y, space.n));
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
	MUST_BE(plain.len > tail);
	bundle_put(&keys->public, bundle);
	answer_hash(bundle, (struct bytes){ plain.data, plain.len - tail }, hash);
	MUST_BE(sign_check(plain.data + plain.len - tail, (struct bytes){ hash, sizeof(hash) },
	                   plain.data + plain.len - SIGN_LEN));
	in = wire_in((struct bytes){ plain.data, plain.len - tail });
	TRY(wire_get_array(&in, &n));
	TRY(wire_get_uint(&in, &version));
	TRY(wire_get_exact(&in, id, sizeof(id)));
	MUST_BE(n == 3 && version == 1);
	e = asked_load(ec, y, space->n, id, &asked);
	TRY(e == ERR_NOT_FOUND ? ERR_DAMAGED : e);
	MUST_BE(!asked.known || memcmp(asked.sign, plain.data + plain.len - tail, SIGN_PUBLIC_LEN) == 0);
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
