// SPDX-License-Identifier: EUPL-1.2
// Invitations: issuing, listing, and their text. The secret in them only authenticates.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "crypto/secret.h"
#include "model/wire.h"
#include "sync/invite.h"
#include "sync/join.h"

#define PREFIX "sleutelbos-"
#define CHECK_LEN 5
#define TEXT_MAX 8192
#define DAY_MS (24LL * 60 * 60 * 1000)

#define TRY(x)                                                                                                         \
	do {                                                                                                           \
		e = (x);                                                                                               \
		if (e != ERR_OK)                                                                                       \
			goto done;                                                                                     \
	} while (0)

void invitation_id(const uint8_t secret[static INVITE_SECRET_LEN], uint8_t out[static INVITATION_ID_LEN])
{
	uint8_t full[HASH_LEN];

	hash_bytes("slb invitation", (struct bytes){ secret, INVITE_SECRET_LEN }, full);
	memcpy(out, full, INVITATION_ID_LEN);
}

void invite_kept_name(const uint8_t id[static INVITATION_ID_LEN], char out[static INVITE_NAME_LEN])
{
	memcpy(out, KEPT_INVITE, sizeof(KEPT_INVITE) - 1);
	hex_put(id, INVITATION_ID_LEN, out + sizeof(KEPT_INVITE) - 1);
}

/* [secret, expires, used, role, [space n...]] */
enum err issued_save(struct errctx *ec, struct sync *y, const struct issued *i)
{
	struct buf b = { 0 };
	char name[INVITE_NAME_LEN];
	uint8_t id[INVITATION_ID_LEN];
	enum err e = ERR_OK;

	invitation_id(i->secret, id);
	invite_kept_name(id, name);
	TRY(wire_put_array(&b, 5));
	TRY(wire_put_bytes(&b, i->secret, INVITE_SECRET_LEN));
	TRY(wire_put_int(&b, i->expires_ms));
	TRY(wire_put_bool(&b, i->used));
	TRY(wire_put_text(&b, i->role, strlen(i->role)));
	TRY(wire_put_array(&b, i->spaces));
	for (size_t k = 0; k < i->spaces; k++)
		TRY(wire_put_int(&b, i->space[k]));
	TRY(store_kept_put(ec, y->store, 0, name, buf_bytes(&b)));
done:
	buf_free(&b);
	return e;
}

enum err issued_get(struct bytes bytes, struct issued *out)
{
	struct wire_in in = wire_in(bytes);
	struct bytes role = { 0 };
	size_t n = 0;
	enum err e = ERR_OK;

	*out = (struct issued){ 0 };
	TRY(wire_get_array(&in, &n));
	TRY(n == 5 ? ERR_OK : ERR_DAMAGED);
	TRY(wire_get_exact(&in, out->secret, INVITE_SECRET_LEN));
	TRY(wire_get_int(&in, &out->expires_ms));
	TRY(wire_get_bool(&in, &out->used));
	TRY(wire_get_text(&in, &role));
	TRY(role.len < sizeof(out->role) ? ERR_OK : ERR_DAMAGED);
	memcpy(out->role, role.data, role.len);
	TRY(wire_get_array(&in, &n));
	TRY(n >= 1 && n <= INVITE_SPACES ? ERR_OK : ERR_DAMAGED);
	for (size_t k = 0; k < n; k++)
		TRY(wire_get_int(&in, &out->space[k]));
	out->spaces = n;
done:
	return e;
}

static enum err invited_space(struct errctx *ec, struct sync *y, const struct space_row *row, struct invited_space *out)
{
	struct device_keys *keys = NULL;
	enum err e = device_keys_load(ec, y, row->n, &keys);

	if (e != ERR_OK)
		return e;
	*out = (struct invited_space){ .id = row->id, .kind = row->kind, .tag = row->tag };
	strcpy(out->name, row->name);
	memcpy(out->sign, keys->public.sign, SIGN_PUBLIC_LEN);
	memcpy(out->box, keys->public.box, BOX_PUBLIC_LEN);
	device_keys_free(keys);
	return ERR_OK;
}

enum err invite_make(struct errctx *ec, struct sync *y, const struct space_row *space, const char *role,
                     struct invitation *out)
{
	struct issued issued = { .spaces = 1, .space = { space->n } };
	struct space_row neighbourhood = { 0 };
	enum err e = ERR_OK;

	*out = (struct invitation){ .spaces = 1 };
	if (space->neighbourhood == 0)
		return err_set(ec, ERR_REFUSED,
		               "%1 does not belong to a neighbourhood yet, so nobody can join it. Join one first.",
		               space->name, NULL, NULL);
	TRY(store_space_get(ec, y->store, space->neighbourhood, &neighbourhood));
	rng_fill(y->rng, out->secret, INVITE_SECRET_LEN);
	out->expires_ms = clock_now(y->clock) + INVITE_DAYS * DAY_MS;
	strcpy(out->remote, neighbourhood.remote);
	TRY(invited_space(ec, y, space, &out->space[0]));
	if (neighbourhood.n != space->n) {
		TRY(invited_space(ec, y, &neighbourhood, &out->space[1]));
		issued.space[1] = neighbourhood.n;
		out->spaces = issued.spaces = 2;
	}
	memcpy(issued.secret, out->secret, INVITE_SECRET_LEN);
	issued.expires_ms = out->expires_ms;
	snprintf(issued.role, sizeof(issued.role), "%s", role);
	TRY(issued_save(ec, y, &issued));
done:
	secret_wipe(&issued, sizeof(issued));
	return e;
}

/* [1, secret, expires s, remote, [[id, kind, tag, name, sign, box]...]] */
static enum err invitation_cbor(const struct invitation *i, struct buf *out)
{
	enum err e = ERR_OK;

	TRY(wire_put_array(out, 5));
	TRY(wire_put_uint(out, 1));
	TRY(wire_put_bytes(out, i->secret, INVITE_SECRET_LEN));
	TRY(wire_put_int(out, i->expires_ms / 1000));
	TRY(wire_put_text(out, i->remote, strlen(i->remote)));
	TRY(wire_put_array(out, i->spaces));
	for (size_t k = 0; k < i->spaces; k++) {
		const struct invited_space *s = &i->space[k];

		TRY(wire_put_array(out, 6));
		TRY(wire_put_bytes(out, s->id.b, SPACE_ID_LEN));
		TRY(wire_put_uint(out, s->kind));
		TRY(wire_put_bytes(out, s->tag.b, TAG_LEN));
		TRY(wire_put_text(out, s->name, strlen(s->name)));
		TRY(wire_put_bytes(out, s->sign, SIGN_PUBLIC_LEN));
		TRY(wire_put_bytes(out, s->box, BOX_PUBLIC_LEN));
	}
done:
	return e;
}

enum err invitation_put(const struct invitation *i, struct buf *out)
{
	struct buf b = { 0 };
	uint8_t check[HASH_LEN];
	enum err e = ERR_OK;

	TRY(invitation_cbor(i, &b));
	hash_bytes("slb invitation text", buf_bytes(&b), check);
	TRY(buf_put(&b, check, CHECK_LEN));
	TRY(buf_put_str(out, PREFIX));
	TRY(buf_reserve(out, base32_len(b.len) + 1));
	base32_put(b.data, b.len, (char *)out->data + out->len);
	out->len += base32_len(b.len);
	TRY(buf_terminate(out));
done:
	buf_free(&b);
	return e;
}

static enum err text_copy(struct wire_in *in, char *out, size_t size)
{
	struct bytes t = { 0 };

	if (wire_get_text(in, &t) != ERR_OK || t.len >= size)
		return ERR_DAMAGED;
	memcpy(out, t.data, t.len);
	out[t.len] = '\0';
	return ERR_OK;
}

static enum err invited_space_get(struct wire_in *in, struct invited_space *s)
{
	uint64_t kind = 0;
	size_t n = 0;
	enum err e = ERR_OK;

	TRY(wire_get_array(in, &n));
	TRY(n == 6 ? ERR_OK : ERR_DAMAGED);
	TRY(wire_get_exact(in, s->id.b, SPACE_ID_LEN));
	TRY(wire_get_uint(in, &kind));
	TRY(kind >= SPACE_OWN && kind <= SPACE_NEIGHBOURHOOD ? ERR_OK : ERR_DAMAGED);
	s->kind = (enum space_kind)kind;
	TRY(wire_get_exact(in, s->tag.b, TAG_LEN));
	TRY(text_copy(in, s->name, sizeof(s->name)));
	TRY(wire_get_exact(in, s->sign, SIGN_PUBLIC_LEN));
	TRY(wire_get_exact(in, s->box, BOX_PUBLIC_LEN));
done:
	return e;
}

static enum err invitation_parse(struct bytes bytes, struct invitation *out)
{
	struct wire_in in = wire_in(bytes);
	uint64_t version = 0;
	int64_t seconds = 0;
	size_t n = 0;
	enum err e = ERR_OK;

	TRY(wire_get_array(&in, &n));
	TRY(wire_get_uint(&in, &version));
	TRY(n == 5 && version == 1 ? ERR_OK : ERR_DAMAGED);
	TRY(wire_get_exact(&in, out->secret, INVITE_SECRET_LEN));
	TRY(wire_get_int(&in, &seconds));
	TRY(seconds > 0 && seconds < INT64_MAX / 1000 ? ERR_OK : ERR_DAMAGED);
	out->expires_ms = seconds * 1000;
	TRY(text_copy(&in, out->remote, sizeof(out->remote)));
	TRY(wire_get_array(&in, &n));
	TRY(n >= 1 && n <= INVITE_SPACES ? ERR_OK : ERR_DAMAGED);
	for (size_t k = 0; k < n; k++)
		TRY(invited_space_get(&in, &out->space[k]));
	out->spaces = n;
	TRY(wire_at_end(&in));
done:
	return e;
}

/* The bytes behind the prefix, without white space; their checksum is checked and taken off. */
static enum err invitation_bytes(const char *text, size_t len, struct buf *out)
{
	struct buf letters = { 0 };
	uint8_t check[HASH_LEN];
	size_t bytes = 0;
	enum err e = ERR_OK;

	TRY(len <= TEXT_MAX ? ERR_OK : ERR_DAMAGED);
	for (size_t i = 0; i < len; i++) {
		if (!isspace((unsigned char)text[i]))
			TRY(buf_put_byte(&letters, (uint8_t)text[i]));
	}
	TRY(buf_terminate(&letters));
	TRY(letters.len > strlen(PREFIX) && strncasecmp((char *)letters.data, PREFIX, strlen(PREFIX)) == 0
	        ? ERR_OK
	        : ERR_DAMAGED);
	bytes = (letters.len - strlen(PREFIX)) * 5 / 8;
	TRY(buf_reserve(out, bytes));
	TRY(base32_get((char *)letters.data + strlen(PREFIX), letters.len - strlen(PREFIX), out->data, bytes) &&
	            bytes > CHECK_LEN
	        ? ERR_OK
	        : ERR_DAMAGED);
	out->len = bytes - CHECK_LEN;
	hash_bytes("slb invitation text", buf_bytes(out), check);
	TRY(memcmp(check, out->data + out->len, CHECK_LEN) == 0 ? ERR_OK : ERR_DAMAGED);
done:
	buf_free(&letters);
	return e;
}

enum err invitation_get(struct errctx *ec, const char *text, size_t len, struct invitation *out)
{
	struct buf b = { 0 };
	enum err e = invitation_bytes(text, len, &b);

	*out = (struct invitation){ 0 };
	if (e == ERR_OK)
		e = invitation_parse(buf_bytes(&b), out);
	buf_free(&b);
	if (e == ERR_DAMAGED)
		return err_set(ec, ERR_DAMAGED,
		               "This invitation is not complete, or a character is wrong. Copy it again as a whole.",
		               NULL, NULL, NULL);
	return e;
}

/* --- one's own list --- */

struct listing {
	struct errctx *ec;
	struct sync *y;
	struct invite_row *list;
	size_t n;
};

static enum err list_one(void *arg, const char *name, struct bytes value)
{
	struct listing *l = arg;
	struct issued issued;
	struct space_row space;
	struct invite_row *row = NULL;
	struct invite_row *list = NULL;
	enum err e = issued_get(value, &issued);

	if (e != ERR_OK)
		return err_set(l->ec, e, "The vault holds something that cannot be right. Run verify.", NULL, NULL,
		               NULL);
	list = realloc(l->list, (l->n + 1) * sizeof(*list));
	if (list == NULL)
		return ERR_NO_MEMORY;
	l->list = list;
	row = &list[l->n++];
	*row = (struct invite_row){ .expires_ms = issued.expires_ms, .used = issued.used };
	snprintf(row->id, sizeof(row->id), "%s", name + strlen(KEPT_INVITE));
	snprintf(row->role, sizeof(row->role), "%s", issued.role);
	if (store_space_get(l->ec, l->y->store, issued.space[0], &space) == ERR_OK)
		snprintf(row->space, sizeof(row->space), "%s", space.name);
	secret_wipe(&issued, sizeof(issued));
	return ERR_OK;
}

enum err invite_list(struct errctx *ec, struct sync *y, struct invite_row **out, size_t *count)
{
	struct listing l = { ec, y, NULL, 0 };
	enum err e = store_kept_each(ec, y->store, 0, KEPT_INVITE, list_one, &l);

	if (e != ERR_OK) {
		free(l.list);
		l = (struct listing){ 0 };
	}
	*out = l.list;
	*count = l.n;
	return e;
}

enum err invite_withdraw(struct errctx *ec, struct sync *y, const char *id)
{
	struct invite_row *list = NULL;
	size_t n = 0;
	size_t found = 0;
	char name[INVITE_NAME_LEN];
	enum err e = invite_list(ec, y, &list, &n);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < n; i++) {
		if (id[0] == '\0' || strncmp(list[i].id, id, strlen(id)) != 0)
			continue;
		snprintf(name, sizeof(name), KEPT_INVITE "%s", list[i].id);
		found++;
	}
	free(list);
	e = found == 1 ? store_kept_delete(ec, y->store, 0, name) : found == 0 ? ERR_NOT_FOUND : ERR_USAGE;
	if (e == ERR_USAGE)
		return err_set(ec, e, "More than one invitation starts with %1. Type a few more characters.", id, NULL,
		               NULL);
	if (e == ERR_NOT_FOUND)
		return err_set(ec, e, "There is no invitation %1. See invite list.", id, NULL, NULL);
	return e;
}
