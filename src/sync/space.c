// SPDX-License-Identifier: EUPL-1.2
// Founding spaces; who is a device of whom follows from the member records alone.
#include "sync/space.h"
#include "sync/box_keys.h"
#include "sync/epochs.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "model/draft.h"
#include "model/wire.h"

static enum err write_draft(struct errctx *ec, struct sync *y, int64_t space, uint32_t kind, struct dot target,
                            struct draft *d, struct dot *out)
{
	struct change c = { .space = space, .kind = kind, .target = target };
	enum err e = draft_writes(d, &c.writes, &c.write_count);

	return e != ERR_OK ? e : store_write(ec, y->store, &c, clock_now(y->clock), out);
}

enum err member_write(struct errctx *ec, struct sync *y, const struct admission *a, struct dot *person)
{
	struct draft d = { 0 };
	struct buf element = { 0 };
	uint8_t bundle[BUNDLE_LEN];
	struct dot written = { 0 };
	enum err e = ERR_OK;

	if (a->name != NULL)
		draft_text(&d, F_member_name, a->name);
	if (a->role_count > 0)
		draft_set(&d, F_member_role, a->roles, a->role_count, NULL, 0);
	if (a->device != NULL) {
		bundle_put(a->device, bundle);
		e = wire_put_bytes(&element, bundle, sizeof(bundle));
		draft_set_add_raw(&d, F_member_devices, buf_bytes(&element));
	}
	if (e == ERR_OK)
		e = write_draft(ec, y, a->space, dot_is_none(*person) ? KIND_member : KIND_none, *person, &d, &written);
	if (e == ERR_OK && dot_is_none(*person))
		*person = written;
	buf_free(&element);
	draft_free(&d);
	return e;
}

enum err device_register(struct errctx *ec, struct sync *y, const struct space_row *space, const struct bundle *b,
                         struct dot member)
{
	struct device_row row = { .space = space->n, .tag = b->tag, .state = DEVICE_ACTIVE, .member = member };

	row.id = device_id_make(space->id, b->sign, b->incarnation);
	memcpy(row.sign, b->sign, SIGN_PUBLIC_LEN);
	memcpy(row.box, b->box, BOX_PUBLIC_LEN);
	return store_device_put(ec, y->store, &row);
}

enum err devices_register(struct errctx *ec, struct sync *y, const struct space_row *space, struct dot member)
{
	struct loaded l;
	struct bytes item = { 0 };
	enum err e = store_load(ec, y->store, member, &l);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; e == ERR_OK && record_element(&l.record, F_member_devices, i, &item); i++) {
		struct wire_in in = wire_in(item);
		uint8_t bytes[BUNDLE_LEN];
		struct bundle b;

		if (wire_get_exact(&in, bytes, sizeof(bytes)) != ERR_OK)
			continue; /* of a newer version: kept, not understood */
		bundle_get(bytes, &b);
		e = device_register(ec, y, space, &b, member);
	}
	store_loaded_free(&l);
	return e;
}

/* [space kind, founder's signing key, nonce] */
static enum err genesis_add(struct errctx *ec, struct sync *y, const struct space_row *space,
                            const struct device_keys *keys, const uint8_t nonce[static SPACE_NONCE_LEN])
{
	struct buf b = { 0 };
	enum err e = wire_put_array(&b, 3);

	if (e == ERR_OK)
		e = wire_put_uint(&b, space->kind);
	if (e == ERR_OK)
		e = wire_put_bytes(&b, keys->public.sign, SIGN_PUBLIC_LEN);
	if (e == ERR_OK)
		e = wire_put_bytes(&b, nonce, SPACE_NONCE_LEN);
	if (e == ERR_OK)
		e = control_add(ec, y, space->n, CONTROL_GENESIS, buf_bytes(&b));
	if (e == ERR_OK)
		e = store_kept_put(ec, y->store, space->n, "genesis", buf_bytes(&b));
	buf_free(&b);
	return e;
}

static enum err name_write(struct errctx *ec, struct sync *y, const struct space_row *space)
{
	struct draft d = { 0 };
	struct dot id = { 0 };
	enum err e = ERR_OK;

	draft_text(&d, F_setting_name, "name");
	draft_text(&d, F_setting_value, space->name);
	e = write_draft(ec, y, space->n, KIND_setting, (struct dot){ 0 }, &d, &id);
	draft_free(&d);
	return e;
}

enum err space_found(struct errctx *ec, struct sync *y, const struct founding *f, struct space_row *out)
{
	struct device_keys *keys = device_keys_make(y->rng);
	uint8_t nonce[SPACE_NONCE_LEN];
	const char *roles[] = { "member", f->role };
	struct admission me = { .name = f->nick, .roles = roles, .role_count = f->role == NULL ? 1 : 2 };
	struct dot person = { 0 };
	struct epoch_id epoch;
	enum err e = keys == NULL ? ERR_NO_MEMORY : ERR_OK;

	*out = (struct space_row){ .kind = f->kind, .neighbourhood = f->neighbourhood, .state = SPACE_MEMBER };
	if (e != ERR_OK)
		return e;
	if (strlen(f->name) > SPACE_NAME_MAX || strlen(f->remote) > REMOTE_MAX) {
		e = err_set(ec, ERR_INPUT, "That name is too long. Use at most 120 characters.", NULL, NULL, NULL);
		goto done;
	}
	strcpy(out->name, f->name);
	strcpy(out->remote, f->remote);
	rng_fill(y->rng, nonce, sizeof(nonce));
	rng_fill(y->rng, out->tag.b, TAG_LEN);
	out->id = space_id_make(f->kind, keys->public.sign, nonce);
	out->me = device_id_make(out->id, keys->public.sign, 0);
	out->my_tag = keys->public.tag;
	e = store_space_add(ec, y->store, out);
	if (e == ERR_OK && f->kind == SPACE_NEIGHBOURHOOD) {
		out->neighbourhood = out->n;
		e = store_space_update(ec, y->store, out);
	}
	if (e == ERR_OK)
		e = device_keys_save(ec, y, out->n, keys);
	if (e == ERR_OK)
		e = genesis_add(ec, y, out, keys, nonce);
	me.space = out->n;
	me.device = &keys->public;
	if (e == ERR_OK)
		e = member_write(ec, y, &me, &person);
	if (e == ERR_OK)
		e = devices_register(ec, y, out, person);
	if (e == ERR_OK)
		e = epoch_begin(ec, y, out, keys, &epoch);
	if (e == ERR_OK)
		e = box_key_named(ec, y, out, epoch);
	if (e == ERR_OK)
		e = name_write(ec, y, out);
done:
	device_keys_free(keys);
	return e;
}

/* The one with this tag; NULL: with this id. */
static enum err space_find(struct errctx *ec, struct sync *y, const struct tag *tag, struct space_id id,
                           struct space_row *out)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, y->store, &list, &n);

	if (e != ERR_OK)
		return e;
	e = ERR_NOT_FOUND;
	for (size_t i = 0; i < n; i++) {
		if (tag != NULL ? memcmp(list[i].tag.b, tag->b, TAG_LEN) == 0
		                : memcmp(list[i].id.b, id.b, SPACE_ID_LEN) == 0) {
			*out = list[i];
			e = ERR_OK;
		}
	}
	free(list);
	return e;
}

enum err space_by_id(struct errctx *ec, struct sync *y, struct space_id id, struct space_row *out)
{
	return space_find(ec, y, NULL, id, out);
}

enum err space_by_tag(struct errctx *ec, struct sync *y, struct tag tag, struct space_row *out)
{
	return space_find(ec, y, &tag, (struct space_id){ { 0 } }, out);
}

enum err space_by_branch(struct errctx *ec, struct sync *y, const char *ref, struct space_row *out)
{
	static const char heads[] = "refs/heads/";
	char text[TAG_TEXT_LEN];
	struct tag tag;

	if (strncmp(ref, heads, sizeof(heads) - 1) != 0)
		return ERR_NOT_FOUND;
	ref += sizeof(heads) - 1;
	if (strcspn(ref, "/") != TAG_TEXT_LEN - 1 || ref[TAG_TEXT_LEN - 1] != '/')
		return ERR_NOT_FOUND;
	memcpy(text, ref, TAG_TEXT_LEN - 1);
	text[TAG_TEXT_LEN - 1] = '\0';
	return tag_parse(text, &tag) ? space_by_tag(ec, y, tag, out) : ERR_NOT_FOUND;
}

bool branch_is_of(const char *ref, struct tag device)
{
	char tag[TAG_TEXT_LEN];
	const char *last = strrchr(ref, '/');

	tag_text(device, tag);
	return last != NULL && strcmp(last + 1, tag) == 0;
}

enum err spaces_adopt(struct errctx *ec, struct sync *y, int64_t neighbourhood)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, y->store, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		if (list[i].neighbourhood != 0 || list[i].state == SPACE_GONE)
			continue;
		list[i].neighbourhood = neighbourhood;
		e = store_space_update(ec, y->store, &list[i]);
	}
	free(list);
	return e;
}
