// SPDX-License-Identifier: EUPL-1.2
// Invitations: issuing, listing, withdrawing. The secret in them only authenticates. What is sent by one is sealed to a
// pair of its own, which outlives no invitation by more than two weeks (K3).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/try.h"
#include "crypto/secret.h"
#include "model/wire.h"
#include "sync/box_keys.h"
#include "sync/invite.h"
#include "sync/join.h"
#include "sync/own.h"
#include "sync/requests.h"

#define DAY_MS (24LL * 60 * 60 * 1000)

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

/* An invitation for a device always asks for six words. */
uint64_t invite_flags(bool device, bool compare)
{
	return (device ? 1 : 0) | (device || compare ? 2 : 0);
}

enum err invite_flags_get(uint64_t flags, bool *device, bool *compare)
{
	*device = flags == 3;
	*compare = flags == 2 || flags == 3;
	return flags == 0 || *compare ? ERR_OK : ERR_DAMAGED;
}

static bool has_box(const struct issued *i)
{
	static const uint8_t none[BOX_PUBLIC_LEN];

	return memcmp(i->box, none, sizeof(none)) != 0;
}

/* [secret, expires, used, role, [space n...], flags, box key, its secret]; earlier versions wrote no box keys, and the
 * first no flags */
enum err issued_save(struct errctx *ec, struct sync *y, const struct issued *i)
{
	struct buf b = { 0 };
	char name[INVITE_NAME_LEN];
	uint8_t id[INVITATION_ID_LEN];
	enum err e = ERR_OK;

	invitation_id(i->secret, id);
	invite_kept_name(id, name);
	TRY(wire_put_array(&b, has_box(i) ? 8 : 6));
	TRY(wire_put_bytes(&b, i->secret, INVITE_SECRET_LEN));
	TRY(wire_put_int(&b, i->expires_ms));
	TRY(wire_put_bool(&b, i->used));
	TRY(wire_put_text(&b, i->role, strlen(i->role)));
	TRY(wire_put_array(&b, i->spaces));
	for (size_t k = 0; k < i->spaces; k++)
		TRY(wire_put_int(&b, i->space[k]));
	TRY(wire_put_uint(&b, invite_flags(i->device, i->compare)));
	if (has_box(i)) {
		TRY(wire_put_bytes(&b, i->box, BOX_PUBLIC_LEN));
		TRY(wire_put_bytes(&b, i->box_secret, BOX_SECRET_LEN));
	}
	TRY(store_kept_put(ec, y->store, 0, name, buf_bytes(&b)));
done:
	buf_free(&b);
	return e;
}

enum err issued_get(struct bytes bytes, struct issued *out)
{
	struct wire_in in = wire_in(bytes);
	struct bytes role = { 0 };
	uint64_t flags = 0;
	size_t parts = 0;
	size_t n = 0;
	enum err e = ERR_OK;

	*out = (struct issued){ 0 };
	TRY(wire_get_array(&in, &parts));
	TRY(parts == 5 || parts == 6 || parts == 8 ? ERR_OK : ERR_DAMAGED);
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
	if (parts >= 6)
		TRY(wire_get_uint(&in, &flags));
	TRY(invite_flags_get(flags, &out->device, &out->compare));
	if (parts == 8) {
		TRY(wire_get_exact(&in, out->box, BOX_PUBLIC_LEN));
		TRY(wire_get_exact(&in, out->box_secret, BOX_SECRET_LEN));
	}
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
	device_keys_free(keys);
	return ERR_OK;
}

/* One more space of an invitation, and of what is remembered of it. */
static enum err invite_add(struct errctx *ec, struct sync *y, const struct space_row *row, struct invitation *out,
                           struct issued *issued)
{
	enum err e = invited_space(ec, y, row, &out->space[out->spaces]);

	if (e != ERR_OK)
		return e;
	issued->space[out->spaces++] = row->n;
	issued->spaces = out->spaces;
	return ERR_OK;
}

static enum err invite_issue(struct errctx *ec, struct sync *y, struct invitation *out, struct issued *issued)
{
	rng_fill(y->rng, out->secret, INVITE_SECRET_LEN);
	out->expires_ms = clock_now(y->clock) + INVITE_DAYS * DAY_MS;
	out->device = issued->device;
	out->compare = issued->compare;
	memcpy(issued->secret, out->secret, INVITE_SECRET_LEN);
	box_keypair(y->rng, issued->box, issued->box_secret);
	for (size_t k = 0; k < out->spaces; k++)
		memcpy(out->space[k].box, issued->box, BOX_PUBLIC_LEN);
	issued->expires_ms = out->expires_ms;
	return issued_save(ec, y, issued);
}

/* Where the repository is, and how to come in there: nobody who joins types that. */
static enum err invite_remote(struct errctx *ec, struct sync *y, const struct space_row *neighbourhood,
                              struct invitation *out)
{
	struct access *a = access_new(1);
	enum err e = a == NULL ? ERR_NO_MEMORY : access_load(ec, y->store, neighbourhood->remote, a);

	strcpy(out->remote, neighbourhood->remote);
	if (e == ERR_OK)
		access_shared(a, &out->access);
	out->own_login = e == ERR_OK && a->method != ACCESS_NONE && out->access.method == ACCESS_NONE;
	secret_free(a);
	return e;
}

enum err invite_make(struct errctx *ec, struct sync *y, const struct space_row *space, const char *role, bool compare,
                     struct invitation *out)
{
	struct issued issued = { .compare = compare };
	struct space_row neighbourhood = { 0 };
	enum err e = ERR_OK;

	*out = (struct invitation){ 0 };
	if (space->neighbourhood == 0)
		return err_set(ec, ERR_REFUSED,
		               "%1 does not belong to a neighbourhood yet, so nobody can join it. Join one first.",
		               space->name, NULL, NULL);
	TRY(store_space_get(ec, y->store, space->neighbourhood, &neighbourhood));
	TRY(invite_remote(ec, y, &neighbourhood, out));
	TRY(invite_add(ec, y, space, out, &issued));
	if (neighbourhood.n != space->n)
		TRY(invite_add(ec, y, &neighbourhood, out, &issued));
	snprintf(issued.role, sizeof(issued.role), "%s", role);
	TRY(invite_issue(ec, y, out, &issued));
done:
	secret_wipe(&issued, sizeof(issued));
	return e;
}

/* The own space that is in use first, then circles in the order in which they came. */
static enum err device_spaces(struct errctx *ec, struct sync *y, const struct space_row *neighbourhood, int64_t only,
                              struct invitation *out, struct issued *issued)
{
	struct space_row *list = NULL;
	struct space_row own = { 0 };
	size_t n = 0;
	enum err e = own_space(ec, y, &own);

	if (e == ERR_OK && own.neighbourhood == neighbourhood->n && (only == 0 || only == own.n))
		e = invite_add(ec, y, &own, out, issued);
	if (e == ERR_NOT_FOUND) /* it is still coming in */
		e = ERR_OK;
	if (e == ERR_OK)
		e = store_space_list(ec, y->store, &list, &n);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		if (list[i].kind != SPACE_CIRCLE || list[i].state != SPACE_MEMBER ||
		    list[i].neighbourhood != neighbourhood->n || (only != 0 && only != list[i].n))
			continue;
		if (out->spaces == INVITE_SPACES - 1)
			e = err_set(
			    ec, ERR_REFUSED,
			    "You are in more circles than one invitation holds. Make one for each circle: invite "
			    "--device --space NAME",
			    NULL, NULL, NULL);
		else
			e = invite_add(ec, y, &list[i], out, issued);
	}
	free(list);
	return e;
}

enum err invite_device_make(struct errctx *ec, struct sync *y, const struct space_row *neighbourhood, int64_t only,
                            struct invitation *out)
{
	struct issued issued = { .device = true, .compare = true, .role = "member" };
	enum err e = ERR_OK;

	*out = (struct invitation){ 0 };
	TRY(invite_remote(ec, y, neighbourhood, out));
	TRY(device_spaces(ec, y, neighbourhood, only, out, &issued));
	TRY(invite_add(ec, y, neighbourhood, out, &issued));
	TRY(invite_issue(ec, y, out, &issued));
done:
	secret_wipe(&issued, sizeof(issued));
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
	*row = (struct invite_row){
		.expires_ms = issued.expires_ms, .used = issued.used, .device = issued.device, .compare = issued.compare
	};
	snprintf(row->id, sizeof(row->id), "%s", name + strlen(KEPT_INVITE));
	snprintf(row->role, sizeof(row->role), "%s", issued.role);
	/* one's own space has no name that says more than one's own */
	if (store_space_get(l->ec, l->y->store, issued.space[issued.device && issued.spaces > 1 ? 1 : 0], &space) ==
	    ERR_OK)
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
	if (e == ERR_OK)
		e = requests_drop(ec, y, name + strlen(KEPT_INVITE));
	if (e == ERR_OK)
		e = store_forget_ask(ec, y->store);
	if (e == ERR_USAGE)
		return err_set(ec, e, "More than one invitation starts with %1. Type a few more characters.", id, NULL,
		               NULL);
	if (e == ERR_NOT_FOUND)
		return err_set(ec, e, "There is no invitation %1. See invite list.", id, NULL, NULL);
	return e;
}

/* --- opening requests --- */

struct opening {
	int64_t space;
	struct bytes file;
	struct buf *plain;
	enum err e; /* ERR_NOT_FOUND: nothing opened it so far */
};

static enum err pair_open(void *arg, const uint8_t public[static BOX_PUBLIC_LEN],
                          const uint8_t secret[static BOX_SECRET_LEN])
{
	struct opening *o = arg;
	enum err e = join_unseal(o->file, BOX_JOIN_REQUEST, public, secret, o->plain);

	return e == ERR_DAMAGED ? ERR_NOT_FOUND : e;
}

static enum err issued_open(void *arg, const char *name, struct bytes value)
{
	struct opening *o = arg;
	struct issued issued;
	enum err e = issued_get(value, &issued);

	(void)name;
	if (e == ERR_OK && o->e == ERR_NOT_FOUND && issued.space[0] == o->space && has_box(&issued))
		o->e = pair_open(o, issued.box, issued.box_secret);
	secret_wipe(&issued, sizeof(issued));
	return e;
}

enum err invite_unseal(struct errctx *ec, struct sync *y, const struct space_row *space, struct bytes file,
                       struct buf *plain)
{
	struct opening o = { space->n, file, plain, ERR_NOT_FOUND };
	enum err e = store_kept_each(ec, y->store, 0, KEPT_INVITE, issued_open, &o);

	if (e == ERR_OK && o.e == ERR_NOT_FOUND)
		o.e = box_pairs_try(ec, y, space, pair_open, &o);
	return e == ERR_OK ? o.e : e;
}

struct ended {
	int64_t before_ms;
	struct issued *list;
	size_t n;
};

static enum err ended_one(void *arg, const char *name, struct bytes value)
{
	struct ended *all = arg;
	struct issued *list = NULL;
	struct issued issued;
	enum err e = issued_get(value, &issued);

	(void)name;
	if (e == ERR_OK && issued.expires_ms < all->before_ms && has_box(&issued)) {
		secret_wipe(issued.box_secret, BOX_SECRET_LEN);
		memset(issued.box, 0, BOX_PUBLIC_LEN);
		list = realloc(all->list, (all->n + 1) * sizeof(*list));
		if (list == NULL) {
			e = ERR_NO_MEMORY;
		} else {
			all->list = list;
			list[all->n++] = issued;
		}
	}
	secret_wipe(&issued, sizeof(issued));
	return e;
}

enum err invites_tend(struct errctx *ec, struct sync *y)
{
	struct ended all = { .before_ms = clock_now(y->clock) - INVITE_DAYS * DAY_MS };
	enum err e = store_kept_each(ec, y->store, 0, KEPT_INVITE, ended_one, &all);

	for (size_t i = 0; e == ERR_OK && i < all.n; i++)
		e = issued_save(ec, y, &all.list[i]);
	if (e == ERR_OK && all.n > 0)
		e = store_forget_ask(ec, y->store);
	for (size_t i = 0; i < all.n; i++)
		secret_wipe(&all.list[i], sizeof(all.list[i]));
	free(all.list);
	return e;
}
