// SPDX-License-Identifier: EUPL-1.2
// What a batch says of who belongs to its space: control items, and writes to member records (K1, K4).
#include "sync/acts.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/codec.h"
#include "model/wire.h"
#include "sync/forks.h"

void told_free(struct told_list *list)
{
	free(list->item);
	*list = (struct told_list){ 0 };
}

static enum err told_add(struct told_list *list, const struct told *t)
{
	struct told *item = array_grown(list->item, list->n, sizeof(*item));

	if (item == NULL)
		return ERR_NO_MEMORY;
	list->item = item;
	list->item[list->n++] = *t;
	return ERR_OK;
}

/* ---- From a batch ---- */

static bool text_is(struct bytes text, const char *what)
{
	return text.len == strlen(what) && memcmp(text.data, what, text.len) == 0;
}

unsigned role_of(struct bytes id)
{
	if (text_is(id, "coordinator"))
		return ROLE_COORDINATOR;
	return text_is(id, "teller") ? ROLE_TELLER : 0;
}

/* The devices or roles in one of the two lists of a SET write. */
static enum err elements_tell(struct wire_in *in, bool devices, bool add, struct told t, struct told_list *out)
{
	size_t n = 0;
	enum err e = wire_get_array(in, &n);

	t.type = add ? TOLD_GRANT : TOLD_TAKE;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct bytes item = { 0 };
		struct wire_in one;
		struct bytes id = { 0 };
		uint8_t bundle[BUNDLE_LEN];

		e = wire_get_raw(in, &item);
		if (e != ERR_OK)
			break;
		one = wire_in(item);
		if (devices && add && wire_get_exact(&one, bundle, sizeof(bundle)) == ERR_OK) {
			t.type = TOLD_ADMIT;
			bundle_get(bundle, &t.bundle);
			e = told_add(out, &t);
		} else if (!devices && wire_get_text(&one, &id) == ERR_OK) {
			t.roles |= role_of(id);
		}
	}
	return e == ERR_OK && t.roles != 0 ? told_add(out, &t) : e;
}

static enum err member_tells(const struct edit *edit, uint64_t order, struct told_list *out)
{
	struct told t = { .order = order, .person = edit->target };
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < edit->write_count; i++) {
		bool devices = edit->writes[i].tag == F_member_devices;
		struct wire_in in = wire_in(edit->writes[i].value);
		size_t two = 0;

		if (!devices && edit->writes[i].tag != F_member_role)
			continue;
		e = wire_get_array(&in, &two);
		if (e == ERR_OK)
			e = elements_tell(&in, devices, true, t, out);
		if (e == ERR_OK)
			e = elements_tell(&in, devices, false, t, out);
	}
	return e;
}

void goes_on_hash(struct space_id space, struct device_id dev, const uint8_t bundle[static BUNDLE_LEN],
                  uint8_t out[static HASH_LEN])
{
	const struct bytes parts[] = { { space.b, SPACE_ID_LEN }, { dev.b, DEVICE_ID_LEN }, { bundle, BUNDLE_LEN } };

	hash_parts("slb goes on", NULL, parts, 3, out, HASH_LEN);
}

enum err goes_on_put(const struct goes_on *g, struct buf *out)
{
	enum err e = wire_put_array(out, 3);

	if (e == ERR_OK)
		e = wire_put_bytes(out, g->device.b, DEVICE_ID_LEN);
	if (e == ERR_OK)
		e = wire_put_bytes(out, g->bundle, BUNDLE_LEN);
	return e == ERR_OK ? wire_put_bytes(out, g->signature, SIGN_LEN) : e;
}

enum err goes_on_get(struct bytes payload, struct goes_on *out)
{
	struct wire_in in = wire_in(payload);
	size_t n = 0;
	enum err e = wire_get_array(&in, &n);

	if (e == ERR_OK && n != 3)
		e = ERR_DAMAGED;
	if (e == ERR_OK)
		e = wire_get_exact(&in, out->device.b, DEVICE_ID_LEN);
	if (e == ERR_OK)
		e = wire_get_exact(&in, out->bundle, BUNDLE_LEN);
	if (e == ERR_OK)
		e = wire_get_exact(&in, out->signature, SIGN_LEN);
	return e == ERR_OK ? wire_at_end(&in) : e;
}

/* The device that goes on is known, or the batch would wait: it lies in the batch's past. */
enum err told_from_goes_on(struct errctx *ec, struct sync *y, const struct space_row *space, const struct control *c,
                           uint64_t order, struct told_list *out)
{
	struct told t = { .type = TOLD_GOES_ON, .order = order };
	struct goes_on g;
	struct device_row row;
	uint8_t hash[HASH_LEN];
	enum err e = goes_on_get(c->payload, &g);

	if (e != ERR_OK)
		return e;
	e = store_device_by_id(ec, y->store, g.device, &row);
	if (e == ERR_NOT_FOUND || (e == ERR_OK && (row.state == DEVICE_NAMED || row.space != space->n)))
		return ERR_DAMAGED;
	if (e != ERR_OK)
		return e;
	goes_on_hash(space->id, g.device, g.bundle, hash);
	if (!sign_check(row.sign, (struct bytes){ hash, sizeof(hash) }, g.signature))
		return ERR_DAMAGED;
	t.device = g.device;
	bundle_get(g.bundle, &t.bundle);
	return told_add(out, &t);
}

void rebox_hash(struct space_id space, const struct rebox *r, uint8_t out[static HASH_LEN])
{
	uint8_t number[8];
	const struct bytes parts[] = { { space.b, SPACE_ID_LEN }, { number, 8 }, { r->bundle, BUNDLE_LEN } };

	be64_put(number, r->number);
	hash_parts("slb new box key", NULL, parts, 3, out, HASH_LEN);
}

enum err rebox_put(const struct rebox *r, struct buf *out)
{
	enum err e = wire_put_array(out, 3);

	if (e == ERR_OK)
		e = wire_put_uint(out, r->number);
	if (e == ERR_OK)
		e = wire_put_bytes(out, r->bundle, BUNDLE_LEN);
	return e == ERR_OK ? wire_put_bytes(out, r->signature, SIGN_LEN) : e;
}

enum err rebox_get(struct space_id space, struct bytes payload, struct rebox *out)
{
	struct wire_in in = wire_in(payload);
	struct bundle b;
	uint8_t hash[HASH_LEN];
	size_t n = 0;
	enum err e = wire_get_array(&in, &n);

	if (e == ERR_OK && n != 3)
		e = ERR_DAMAGED;
	if (e == ERR_OK)
		e = wire_get_uint(&in, &out->number);
	if (e == ERR_OK)
		e = wire_get_exact(&in, out->bundle, BUNDLE_LEN);
	if (e == ERR_OK)
		e = wire_get_exact(&in, out->signature, SIGN_LEN);
	if (e == ERR_OK)
		e = wire_at_end(&in);
	if (e != ERR_OK)
		return e;
	bundle_get(out->bundle, &b);
	rebox_hash(space, out, hash);
	return out->number <= STORE_NUMBER_MAX && sign_check(b.sign, (struct bytes){ hash, HASH_LEN }, out->signature)
	           ? ERR_OK
	           : ERR_DAMAGED;
}

static enum err rebox_tells(const struct space_row *space, const struct control *c, uint64_t order,
                            struct told_list *out)
{
	struct told t = { .type = TOLD_REBOX, .order = order };
	struct rebox r;
	enum err e = rebox_get(space->id, c->payload, &r);

	if (e != ERR_OK)
		return e;
	t.number = r.number;
	bundle_get(r.bundle, &t.bundle);
	return told_add(out, &t);
}

enum err vote_get(struct bytes payload, struct vote *out)
{
	struct wire_in in = wire_in(payload);
	size_t n = 0;
	size_t two = 0;
	enum err e = wire_get_array(&in, &n);

	if (e == ERR_OK && n != 3)
		e = ERR_DAMAGED;
	if (e == ERR_OK)
		e = wire_get_uint(&in, &out->round);
	if (e == ERR_OK)
		e = wire_get_exact(&in, out->hash, HASH_LEN);
	if (e == ERR_OK)
		e = wire_get_array(&in, &n);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct vv_entry entry = { 0 };

		e = wire_get_array(&in, &two);
		if (e == ERR_OK && two != 2)
			e = ERR_DAMAGED;
		if (e == ERR_OK)
			e = wire_get_exact(&in, entry.dev.b, DEVICE_ID_LEN);
		if (e == ERR_OK)
			e = wire_get_uint(&in, &entry.seq);
		if (e == ERR_OK &&
		    (entry.seq == 0 || entry.seq > STORE_NUMBER_MAX || vv_get(&out->upto, entry.dev) != NULL))
			e = ERR_DAMAGED;
		if (e == ERR_OK)
			e = vv_set(&out->upto, entry);
	}
	return e == ERR_OK ? wire_at_end(&in) : e;
}

static enum err vote_check(struct bytes payload)
{
	struct vote v = { 0 };
	enum err e = vote_get(payload, &v);

	vv_free(&v.upto);
	return e;
}

static enum err control_tells(const struct control *c, uint64_t order, struct told_list *out)
{
	struct told t = { .order = order };
	struct wire_in in = wire_in(c->payload);
	uint8_t hash[HASH_LEN];
	struct fork_proof proof = { 0 };
	size_t n = 0;
	enum err e = ERR_OK;

	switch (c->type) {
	case CONTROL_CUT:
		t.type = TOLD_CUT;
		e = wire_get_exact(&in, t.device.b, DEVICE_ID_LEN);
		break;
	case CONTROL_FORK:
		t.type = TOLD_FORK;
		e = fork_proof_get(c->payload, &proof);
		t.device = proof.dev;
		t.from = proof.seq;
		return e == ERR_OK ? told_add(out, &t) : e;
	case CONTROL_EPOCH:
		t.type = TOLD_EPOCH;
		e = wire_get_array(&in, &n);
		return e != ERR_OK || (e = wire_get_exact(&in, t.epoch.b, EPOCH_ID_LEN)) != ERR_OK ? e
		                                                                                   : told_add(out, &t);
	case CONTROL_BOX_KEY:
		t.type = TOLD_BOX_KEY;
		e = wire_get_exact(&in, t.key, sizeof(t.key));
		break;
	case CONTROL_SNAPSHOT:
		t.type = TOLD_SNAPSHOT;
		t.raw = c->payload;
		return vote_check(c->payload) != ERR_OK ? ERR_DAMAGED : told_add(out, &t);
	case CONTROL_DONE:
		t.type = TOLD_DONE;
		t.raw = c->payload;
		return wire_get_exact(&in, hash, sizeof(hash)) != ERR_OK ? ERR_OK : told_add(out, &t);
	default:
		return ERR_OK;
	}
	if (e == ERR_OK)
		e = wire_at_end(&in);
	return e == ERR_OK ? told_add(out, &t) : e;
}

enum err record_kind(struct errctx *ec, struct sync *y, struct dot record, uint32_t *kind)
{
	struct loaded l;
	enum err e = store_load(ec, y->store, record, &l);

	*kind = KIND_none;
	if (e == ERR_OK) {
		*kind = l.record.kind;
		store_loaded_free(&l);
	}
	if (e == ERR_NOT_FOUND)
		e = store_kind_made(ec, y->store, record, kind);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err target_kind(struct errctx *ec, struct sync *y, const struct batch_told *batch, const struct edit *edit,
                     uint32_t *kind)
{
	uint64_t first = batch->body->first_counter;

	*kind = edit->kind;
	if (edit->kind != KIND_none)
		return ERR_OK;
	if (device_cmp(edit->target.dev, batch->author) == 0 && edit->target.counter >= first) {
		if (edit->target.counter - first < batch->body->edit_count)
			*kind = batch->body->edits[edit->target.counter - first].kind;
		return ERR_OK;
	}
	return record_kind(ec, y, edit->target, kind);
}

/* Most edits are about no member: only these two fields are looked for. */
bool tells_of_members(const struct edit *edit)
{
	bool may = edit->kind == KIND_member;

	for (size_t k = 0; edit->kind == KIND_none && !may && k < edit->write_count; k++)
		may = edit->writes[k].tag == F_member_role || edit->writes[k].tag == F_member_devices;
	return may;
}

enum err told_from_edit(const struct edit *edit, struct told_list *out)
{
	return member_tells(edit, TOLD_EDITS_FROM + edit->dot.counter, out);
}

enum err told_from_batch(struct errctx *ec, struct sync *y, const struct batch_told *batch, struct told_list *out)
{
	const struct body *body = batch->body;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < body->control_count; i++) {
		const struct control *c = &body->controls[i];

		e = c->type == CONTROL_GOES_ON ? told_from_goes_on(ec, y, batch->space, c, i, out)
		    : c->type == CONTROL_REBOX ? rebox_tells(batch->space, c, i, out)
		                               : control_tells(c, i, out);
	}
	for (size_t i = 0; e == ERR_OK && i < body->edit_count; i++) {
		const struct edit *edit = &body->edits[i];
		uint32_t kind = edit->kind;
		bool may = tells_of_members(edit);

		if (may)
			e = target_kind(ec, y, batch, edit, &kind);
		if (e == ERR_OK && may && kind == KIND_member)
			e = told_from_edit(edit, out);
	}
	return e;
}

/* ---- As it is kept: [[type, order, ...]...] ---- */

static enum err person_put(struct dot person, struct buf *out)
{
	enum err e = wire_put_bytes(out, person.dev.b, DEVICE_ID_LEN);

	return e == ERR_OK ? wire_put_uint(out, person.counter) : e;
}

static enum err person_get(struct wire_in *in, struct dot *person)
{
	enum err e = wire_get_exact(in, person->dev.b, DEVICE_ID_LEN);

	return e == ERR_OK ? wire_get_uint(in, &person->counter) : e;
}

static enum err one_put(const struct told *t, struct buf *out)
{
	static const uint8_t fields[] = { [TOLD_ADMIT] = 5, [TOLD_GRANT] = 5,    [TOLD_TAKE] = 5,    [TOLD_CUT] = 3,
		                          [TOLD_EPOCH] = 3, [TOLD_BOX_KEY] = 3,  [TOLD_GOES_ON] = 4, [TOLD_REBOX] = 4,
		                          [TOLD_FORK] = 4,  [TOLD_SNAPSHOT] = 3, [TOLD_DONE] = 3 };
	uint8_t bundle[BUNDLE_LEN];
	enum err e = wire_put_array(out, fields[t->type]);

	if (e == ERR_OK)
		e = wire_put_uint(out, t->type);
	if (e == ERR_OK)
		e = wire_put_uint(out, t->order);
	if (e != ERR_OK)
		return e;
	switch (t->type) {
	case TOLD_ADMIT:
		bundle_put(&t->bundle, bundle);
		e = wire_put_bytes(out, bundle, sizeof(bundle));
		return e == ERR_OK ? person_put(t->person, out) : e;
	case TOLD_GRANT:
	case TOLD_TAKE:
		e = wire_put_uint(out, t->roles);
		return e == ERR_OK ? person_put(t->person, out) : e;
	case TOLD_GOES_ON:
		bundle_put(&t->bundle, bundle);
		e = wire_put_bytes(out, bundle, sizeof(bundle));
		return e == ERR_OK ? wire_put_bytes(out, t->device.b, DEVICE_ID_LEN) : e;
	case TOLD_REBOX:
		bundle_put(&t->bundle, bundle);
		e = wire_put_bytes(out, bundle, sizeof(bundle));
		return e == ERR_OK ? wire_put_uint(out, t->number) : e;
	case TOLD_CUT:
		return wire_put_bytes(out, t->device.b, DEVICE_ID_LEN);
	case TOLD_FORK:
		e = wire_put_bytes(out, t->device.b, DEVICE_ID_LEN);
		return e == ERR_OK ? wire_put_uint(out, t->from) : e;
	case TOLD_EPOCH:
		return wire_put_bytes(out, t->epoch.b, EPOCH_ID_LEN);
	case TOLD_SNAPSHOT:
	case TOLD_DONE:
		return buf_put(out, t->raw.data, t->raw.len);
	default:
		return wire_put_bytes(out, t->key, sizeof(t->key));
	}
}

enum err told_put(const struct told_list *list, struct buf *out)
{
	enum err e = wire_put_array(out, list->n);

	for (size_t i = 0; e == ERR_OK && i < list->n; i++)
		e = one_put(&list->item[i], out);
	return e;
}

static enum err one_get(struct wire_in *in, struct told *t)
{
	uint8_t bundle[BUNDLE_LEN];
	uint64_t type = 0;
	uint64_t roles = 0;
	size_t n = 0;
	enum err e = wire_get_array(in, &n);

	*t = (struct told){ 0 };
	if (e == ERR_OK)
		e = wire_get_uint(in, &type);
	if (e == ERR_OK)
		e = wire_get_uint(in, &t->order);
	if (e != ERR_OK)
		return e;
	t->type = (enum told_type)type;
	switch (type) {
	case TOLD_ADMIT:
		e = wire_get_exact(in, bundle, sizeof(bundle));
		if (e == ERR_OK)
			bundle_get(bundle, &t->bundle);
		return e == ERR_OK ? person_get(in, &t->person) : e;
	case TOLD_GRANT:
	case TOLD_TAKE:
		e = wire_get_uint(in, &roles);
		t->roles = (unsigned)roles;
		return e == ERR_OK ? person_get(in, &t->person) : e;
	case TOLD_GOES_ON:
		e = wire_get_exact(in, bundle, sizeof(bundle));
		if (e == ERR_OK)
			bundle_get(bundle, &t->bundle);
		return e == ERR_OK ? wire_get_exact(in, t->device.b, DEVICE_ID_LEN) : e;
	case TOLD_REBOX:
		e = wire_get_exact(in, bundle, sizeof(bundle));
		if (e == ERR_OK)
			bundle_get(bundle, &t->bundle);
		return e == ERR_OK ? wire_get_uint(in, &t->number) : e;
	case TOLD_CUT:
		return wire_get_exact(in, t->device.b, DEVICE_ID_LEN);
	case TOLD_FORK:
		e = wire_get_exact(in, t->device.b, DEVICE_ID_LEN);
		return e == ERR_OK ? wire_get_uint(in, &t->from) : e;
	case TOLD_EPOCH:
		return wire_get_exact(in, t->epoch.b, EPOCH_ID_LEN);
	case TOLD_BOX_KEY:
		return wire_get_exact(in, t->key, sizeof(t->key));
	case TOLD_SNAPSHOT:
	case TOLD_DONE:
		return wire_get_raw(in, &t->raw);
	default:
		return ERR_DAMAGED;
	}
}

enum err told_get(struct bytes in, struct told_list *out)
{
	struct wire_in w = wire_in(in);
	size_t n = 0;
	enum err e = wire_get_array(&w, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct told t;

		e = one_get(&w, &t);
		if (e == ERR_OK)
			e = told_add(out, &t);
	}
	return e == ERR_OK ? wire_at_end(&w) : e;
}
