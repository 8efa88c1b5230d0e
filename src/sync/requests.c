// SPDX-License-Identifier: EUPL-1.2
// Requests that wait for a person: without an invitation, or by one that asks for six words. Who is let in meanwhile,
// by anybody, is no longer one who asks.
#include "sync/requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/tr.h"
#include "base/try.h"
#include "crypto/secret.h"
#include "model/wire.h"
#include "sync/floor.h"
#include "sync/letters.h"

#define KEPT_REQUEST "request:"
#define KEPT_HELD "held:"
#define KEPT_DECLINED "declined:"
#define OPEN_REQUESTS_MAX 100
#define HELD_MAX 8 /* by one invitation: whoever copied it can ask, too */
#define KEPT_NAME_LEN (sizeof(KEPT_REQUEST) + 2 * INVITATION_ID_LEN)

_Static_assert(sizeof(KEPT_HELD) <= sizeof(KEPT_REQUEST), "one buffer is for the names of both");

/* The name of a request: `prefix` and the hex of the first bytes of its fingerprint. */
static void kept_name(const char *prefix, const uint8_t fingerprint[static HASH_LEN], char out[static KEPT_NAME_LEN])
{
	char hex[2 * INVITATION_ID_LEN + 1];

	hex_put(fingerprint, INVITATION_ID_LEN, hex);
	snprintf(out, KEPT_NAME_LEN, "%s%s", prefix, hex);
}

/* Names of what is kept, to be looked at or taken away after the list was walked. */
struct names {
	char (*name)[KEPT_NAME_LEN];
	size_t n;
};

static enum err name_one(void *arg, const char *name, struct bytes value)
{
	struct names *all = arg;
	char(*list)[KEPT_NAME_LEN] = realloc(all->name, (all->n + 1) * sizeof(*list));

	(void)value;
	if (list == NULL)
		return ERR_NO_MEMORY;
	all->name = list;
	snprintf(all->name[all->n++], KEPT_NAME_LEN, "%s", name);
	return ERR_OK;
}

static enum err names_load(struct errctx *ec, struct sync *y, const char *prefix, struct names *out)
{
	*out = (struct names){ 0 };
	return store_kept_each(ec, y->store, 0, prefix, name_one, out);
}

/* --- turned down --- */

static void declined_name(const char *id, char out[static 32])
{
	snprintf(out, 32, KEPT_DECLINED "%.16s", id);
}

enum err declined_get(struct errctx *ec, struct sync *y, const char *id, bool *out)
{
	struct buf b = { 0 };
	char name[32];
	enum err e = ERR_OK;

	declined_name(id, name);
	e = store_kept_get(ec, y->store, 0, name, &b);
	*out = e == ERR_OK;
	buf_free(&b);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err declined_put(struct errctx *ec, struct sync *y, const char *id)
{
	static const uint8_t yes = 1;
	char name[32];

	declined_name(id, name);
	return store_kept_put(ec, y->store, 0, name, (struct bytes){ &yes, 1 });
}

enum err request_decline(struct errctx *ec, struct sync *y, const struct request_row *request)
{
	char name[KEPT_NAME_LEN];
	enum err e = ERR_OK;

	kept_name(request->invited ? KEPT_HELD : KEPT_REQUEST, request->words, name);
	e = store_kept_delete(ec, y->store, 0, name);
	return e == ERR_OK ? declined_put(ec, y, request->id) : e;
}

/* --- bare requests --- */

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

static enum err open_load(struct errctx *ec, struct sync *y, const char *name, struct bundle *out)
{
	struct buf b = { 0 };
	enum err e = store_kept_get(ec, y->store, 0, name, &b);

	if (e == ERR_OK && b.len != BUNDLE_LEN)
		e = err_set(ec, ERR_DAMAGED, "The vault holds something that cannot be right. Run verify.", NULL, NULL,
		            NULL);
	if (e == ERR_OK)
		bundle_get(b.data, out);
	buf_free(&b);
	return e;
}

/* How many still ask; those who were let in meanwhile are forgotten, so that they take nobody's place. */
static enum err open_count(struct errctx *ec, struct sync *y, size_t *out)
{
	struct names all;
	enum err e = names_load(ec, y, KEPT_REQUEST, &all);

	*out = 0;
	for (size_t i = 0; e == ERR_OK && i < all.n; i++) {
		struct bundle b;
		bool known = false;

		e = open_load(ec, y, all.name[i], &b);
		if (e == ERR_OK)
			e = key_is_known(ec, y, b.sign, &known);
		if (e == ERR_OK && known)
			e = store_kept_delete(ec, y->store, 0, all.name[i]);
		*out += !known;
	}
	free(all.name);
	return e;
}

static enum err is_kept(struct errctx *ec, struct sync *y, const char *name, bool *out)
{
	struct buf b = { 0 };
	enum err e = store_kept_get(ec, y->store, 0, name, &b);

	*out = e == ERR_OK;
	buf_free(&b);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err open_request_receive(struct errctx *ec, struct sync *y, struct bytes file, struct received *r, enum fate *fate,
                              const char **why)
{
	struct bundle b;
	uint8_t hash[HASH_LEN];
	uint8_t fingerprint[HASH_LEN];
	char name[KEPT_NAME_LEN];
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
	kept_name(KEPT_REQUEST, fingerprint, name);
	e = is_kept(ec, y, name, &known);
	if (e == ERR_OK && !known)
		e = declined_get(ec, y, name + strlen(KEPT_REQUEST), &known);
	if (e == ERR_OK && !known)
		e = key_is_known(ec, y, b.sign, &known);
	if (e != ERR_OK || known) {
		*fate = FATE_KNOWN;
		return e;
	}
	e = open_count(ec, y, &open);
	if (e == ERR_OK && open >= OPEN_REQUESTS_MAX) {
		*why = TR("There are too many requests to join. Approve those that you know.");
		return ERR_OK;
	}
	*fate = FATE_DONE;
	if (e == ERR_OK)
		e = store_kept_put(ec, y->store, 0, name, (struct bytes){ file.data + FILE_HEADER_LEN, BUNDLE_LEN });
	r->asking += e == ERR_OK;
	return e;
}

/* --- by an invitation --- */

/* [invitation's id, mac, words, nick, [[space n, bundle]...]] */
static enum err held_put(const struct held *h, struct buf *out)
{
	enum err e = ERR_OK;

	TRY(wire_put_array(out, 5));
	TRY(wire_put_bytes(out, h->id, INVITATION_ID_LEN));
	TRY(wire_put_bytes(out, h->mac, HASH_LEN));
	TRY(wire_put_bytes(out, h->words, HASH_LEN));
	TRY(wire_put_text(out, h->nick, strlen(h->nick)));
	TRY(wire_put_array(out, h->spaces));
	for (size_t i = 0; i < h->spaces; i++) {
		TRY(wire_put_array(out, 2));
		TRY(wire_put_int(out, h->joiner[i].space.n));
		TRY(wire_put_bytes(out, h->joiner[i].bundle, BUNDLE_LEN));
	}
done:
	return e;
}

static enum err held_get(struct bytes bytes, struct held *out)
{
	struct wire_in in = wire_in(bytes);
	struct bytes nick = { 0 };
	size_t n = 0;
	enum err e = ERR_OK;

	*out = (struct held){ 0 };
	TRY(wire_get_array(&in, &n));
	MUST_BE(n == 5);
	TRY(wire_get_exact(&in, out->id, INVITATION_ID_LEN));
	TRY(wire_get_exact(&in, out->mac, HASH_LEN));
	TRY(wire_get_exact(&in, out->words, HASH_LEN));
	TRY(wire_get_text(&in, &nick));
	MUST_BE(nick.len <= SPACE_NAME_MAX);
	memcpy(out->nick, nick.data, nick.len);
	TRY(wire_get_array(&in, &n));
	MUST_BE(n >= 1 && n <= INVITE_SPACES);
	for (out->spaces = 0; out->spaces < n; out->spaces++) {
		struct joiner *j = &out->joiner[out->spaces];
		size_t two = 0;

		TRY(wire_get_array(&in, &two));
		MUST_BE(two == 2);
		TRY(wire_get_int(&in, &j->space.n));
		TRY(wire_get_exact(&in, j->bundle, BUNDLE_LEN));
	}
	TRY(wire_at_end(&in));
done:
	return e;
}

/* free() it. */
static enum err held_load(struct errctx *ec, struct sync *y, const char *name, struct held **out)
{
	struct buf b = { 0 };
	struct held *h = calloc(1, sizeof(*h));
	enum err e = h == NULL ? ERR_NO_MEMORY : store_kept_get(ec, y->store, 0, name, &b);

	*out = NULL;
	if (e == ERR_OK)
		e = held_get(buf_bytes(&b), h);
	for (size_t i = 0; e == ERR_OK && i < h->spaces; i++)
		e = store_space_get(ec, y->store, h->joiner[i].space.n, &h->joiner[i].space);
	if (e == ERR_DAMAGED)
		e = err_set(ec, e, "The vault holds something that cannot be right. Run verify.", NULL, NULL, NULL);
	buf_free(&b);
	if (e == ERR_OK)
		*out = h;
	else
		free(h);
	return e;
}

/* Calls itself one of an invitation: how many are, and are they to go? */
static enum err held_of(struct errctx *ec, struct sync *y, const char *invitation, bool drop, size_t *count)
{
	struct names all;
	enum err e = names_load(ec, y, KEPT_HELD, &all);

	*count = 0;
	for (size_t i = 0; e == ERR_OK && i < all.n; i++) {
		struct held *h = NULL;
		char hex[2 * INVITATION_ID_LEN + 1] = "";

		e = held_load(ec, y, all.name[i], &h);
		if (e == ERR_OK)
			hex_put(h->id, INVITATION_ID_LEN, hex);
		free(h);
		if (e != ERR_OK || strcmp(hex, invitation) != 0)
			continue;
		(*count)++;
		if (drop)
			e = store_kept_delete(ec, y->store, 0, all.name[i]);
	}
	free(all.name);
	return e;
}

enum err requests_drop(struct errctx *ec, struct sync *y, const char *invitation)
{
	size_t n = 0;

	return held_of(ec, y, invitation, true, &n);
}

enum err request_hold(struct errctx *ec, struct sync *y, const struct held *h, struct received *r, enum fate *fate,
                      const char **why)
{
	struct buf b = { 0 };
	char name[KEPT_NAME_LEN];
	char hex[2 * INVITATION_ID_LEN + 1];
	size_t n = 0;
	bool known = false;
	enum err e = ERR_OK;

	kept_name(KEPT_HELD, h->words, name);
	hex_put(h->id, INVITATION_ID_LEN, hex);
	*fate = FATE_KNOWN;
	TRY(is_kept(ec, y, name, &known));
	if (!known)
		TRY(declined_get(ec, y, name + strlen(KEPT_HELD), &known));
	if (known)
		goto done;
	TRY(held_of(ec, y, hex, false, &n));
	if (n >= HELD_MAX) {
		*fate = FATE_ASIDE;
		*why = TR("Too many ask with one and the same invitation. Withdraw it, and make a new one.");
		goto done;
	}
	TRY(held_put(h, &b));
	TRY(store_kept_put(ec, y->store, 0, name, buf_bytes(&b)));
	r->asking++;
	*fate = FATE_DONE;
done:
	buf_free(&b);
	return e;
}

/* --- for those who approve --- */

struct requests {
	struct request_row *list;
	size_t n;
};

static enum err request_add(struct requests *all, const char *id, struct request_row **out)
{
	struct request_row *list = realloc(all->list, (all->n + 1) * sizeof(*list));

	if (list == NULL)
		return ERR_NO_MEMORY;
	all->list = list;
	*out = &list[all->n++];
	**out = (struct request_row){ 0 };
	snprintf((*out)->id, sizeof((*out)->id), "%s", id);
	return ERR_OK;
}

static enum err list_open(struct errctx *ec, struct sync *y, struct requests *all)
{
	struct names names;
	enum err e = names_load(ec, y, KEPT_REQUEST, &names);

	for (size_t i = 0; e == ERR_OK && i < names.n; i++) {
		struct request_row *row = NULL;
		struct bundle b;
		bool known = false;

		e = open_load(ec, y, names.name[i], &b);
		if (e == ERR_OK)
			e = key_is_known(ec, y, b.sign, &known);
		if (e != ERR_OK || known)
			continue;
		e = request_add(all, names.name[i] + strlen(KEPT_REQUEST), &row);
		if (e == ERR_OK) {
			row->bundle = b;
			bundle_fingerprint(&b, row->words);
		}
	}
	free(names.name);
	return e;
}

static enum err issued_of(struct errctx *ec, struct sync *y, const uint8_t id[static INVITATION_ID_LEN],
                          struct issued *out)
{
	struct buf b = { 0 };
	char name[INVITE_NAME_LEN];
	enum err e = ERR_OK;

	invite_kept_name(id, name);
	e = store_kept_get(ec, y->store, 0, name, &b);
	if (e == ERR_OK)
		e = issued_get(buf_bytes(&b), out);
	buf_free(&b);
	return e;
}

static enum err list_held(struct errctx *ec, struct sync *y, struct requests *all)
{
	struct names names;
	enum err e = names_load(ec, y, KEPT_HELD, &names);

	for (size_t i = 0; e == ERR_OK && i < names.n; i++) {
		struct request_row *row = NULL;
		struct issued issued = { 0 };
		struct held *h = NULL;
		size_t first = 0;

		e = held_load(ec, y, names.name[i], &h);
		if (e == ERR_OK)
			e = issued_of(ec, y, h->id, &issued);
		if (e == ERR_OK)
			e = request_add(all, names.name[i] + strlen(KEPT_HELD), &row);
		if (e == ERR_OK) {
			first = h->spaces > 1 && h->joiner[0].space.kind == SPACE_OWN ? 1 : 0;
			row->invited = true;
			row->device = issued.device;
			memcpy(row->words, h->words, HASH_LEN);
			memcpy(row->nick, h->nick, sizeof(row->nick));
			memcpy(row->space, h->joiner[first].space.name, sizeof(row->space));
		}
		e = e == ERR_NOT_FOUND ? ERR_OK : e; /* its invitation is gone */
		secret_wipe(&issued, sizeof(issued));
		free(h);
	}
	free(names.name);
	return e;
}

enum err request_list(struct errctx *ec, struct sync *y, struct request_row **out, size_t *count)
{
	struct requests all = { 0 };
	enum err e = list_held(ec, y, &all);

	if (e == ERR_OK)
		e = list_open(ec, y, &all);
	if (e != ERR_OK) {
		free(all.list);
		all = (struct requests){ 0 };
	}
	*out = all.list;
	*count = all.n;
	return e;
}

static enum err approve_open(struct errctx *ec, struct sync *y, const struct space_row *neighbourhood,
                             const struct request_row *request, const char *name)
{
	struct joiner j = { .space = *neighbourhood };
	struct letting_in who = { request->words, &j, 1, name == NULL ? "?" : name, "member", false };
	char kept[KEPT_NAME_LEN];
	enum err e = ERR_OK;

	bundle_put(&request->bundle, j.bundle);
	kept_name(KEPT_REQUEST, request->words, kept);
	e = floor_refuse(ec, y, neighbourhood->n);
	if (e == ERR_OK)
		e = let_in(ec, y, &who);
	return e != ERR_OK ? e : store_kept_delete(ec, y->store, 0, kept);
}

static enum err approve_held(struct errctx *ec, struct sync *y, const struct request_row *request, const char *name)
{
	struct issued issued = { 0 };
	struct letting_in who = { 0 };
	struct held *h = NULL;
	char kept[KEPT_NAME_LEN];
	char hex[2 * INVITATION_ID_LEN + 1];
	enum err e = ERR_OK;

	kept_name(KEPT_HELD, request->words, kept);
	TRY(held_load(ec, y, kept, &h));
	TRY(issued_of(ec, y, h->id, &issued));
	for (size_t i = 0; i < h->spaces; i++)
		TRY(floor_refuse(ec, y, h->joiner[i].space.n));
	who = (struct letting_in){ h->id,       h->joiner,    h->spaces, name != NULL ? name : h->nick,
		                   issued.role, issued.device };
	TRY(let_in(ec, y, &who));
	TRY(invite_used(ec, y, &issued, h->mac));
	hex_put(h->id, INVITATION_ID_LEN, hex);
	TRY(requests_drop(ec, y, hex));
done:
	secret_wipe(&issued, sizeof(issued));
	free(h);
	return e;
}

enum err request_approve(struct errctx *ec, struct sync *y, const struct space_row *neighbourhood,
                         const struct request_row *request, const char *name)
{
	enum err e =
	    request->invited ? approve_held(ec, y, request, name) : approve_open(ec, y, neighbourhood, request, name);

	if (e == ERR_DAMAGED && (ec == NULL || ec->code == ERR_OK))
		return err_set(
		    ec, ERR_REFUSED,
		    "Whoever asks here was removed, or is not the one it says. Ask that person to join anew.", NULL,
		    NULL, NULL);
	return e;
}
