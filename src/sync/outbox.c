// SPDX-License-Identifier: EUPL-1.2
// Own edits become signed, sealed batches (S1). A batch's context is what is applied here at this moment, which is
// also what was applied when its edits were written, because nothing comes in before the outbox is sealed. A restored
// home seals nothing (S7).
#include "sync/outbox.h"
#include "sync/box_keys.h"
#include "sync/epochs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "model/wire.h"
#include "sync/again.h"
#include "sync/floor.h"
#include "sync/forks.h"
#include "sync/membership.h"

#define EDITS_MAX 4096
#define BYTES_MAX (2u << 20)

struct collect {
	struct edit *edits;
	struct body *pools;
	struct buf *bytes;
	size_t n;
	size_t total;
	bool more; /* the batch is full */
};

static void collect_free(struct collect *c)
{
	for (size_t i = 0; i < c->n; i++) {
		body_free(&c->pools[i]);
		buf_free(&c->bytes[i]);
	}
	free(c->edits);
	free(c->pools);
	free(c->bytes);
	*c = (struct collect){ 0 };
}

static enum err collect_edit(void *arg, struct bytes edit)
{
	struct collect *c = arg;
	enum err e = ERR_OK;

	if (c->n == EDITS_MAX || (c->n > 0 && c->total + edit.len > BYTES_MAX)) {
		c->more = true;
		return ERR_LATER; /* stops the walk */
	}
	c->bytes[c->n] = (struct buf){ 0 };
	e = buf_put(&c->bytes[c->n], edit.data, edit.len);
	if (e == ERR_OK)
		e = edit_parse(buf_bytes(&c->bytes[c->n]), &c->edits[c->n], &c->pools[c->n]);
	if (e != ERR_OK) {
		buf_free(&c->bytes[c->n]);
		return e;
	}
	c->total += edit.len;
	c->n++;
	return ERR_OK;
}

static enum err collect_edits(struct errctx *ec, struct sync *y, int64_t space, struct collect *c)
{
	uint64_t unsealed = 0;
	enum err e = store_unsealed_count(ec, y->store, space, &unsealed);

	*c = (struct collect){ 0 };
	if (e != ERR_OK || unsealed == 0) /* before each batch that comes in: almost always */
		return e;
	c->edits = calloc(EDITS_MAX, sizeof(*c->edits));
	c->pools = calloc(EDITS_MAX, sizeof(*c->pools));
	c->bytes = calloc(EDITS_MAX, sizeof(*c->bytes));
	if (c->edits == NULL || c->pools == NULL || c->bytes == NULL)
		return ERR_NO_MEMORY;
	e = store_unsealed_each(ec, y->store, space, collect_edit, c);
	return e == ERR_LATER && c->more ? ERR_OK : e;
}

struct controls {
	struct control *list;
	struct buf *bytes;
	char (*names)[64];
	size_t n;
	size_t cap;
};

static void controls_free(struct controls *c)
{
	for (size_t i = 0; i < c->n; i++)
		buf_free(&c->bytes[i]);
	free(c->list);
	free(c->bytes);
	free(c->names);
	*c = (struct controls){ 0 };
}

static enum err collect_control(void *arg, const char *name, struct bytes value)
{
	struct controls *c = arg;
	struct wire_in in;
	uint64_t type = 0;
	enum err e = ERR_OK;

	if (c->n == c->cap) {
		size_t cap = c->cap == 0 ? 4 : 2 * c->cap;
		struct control *list = realloc(c->list, cap * sizeof(*list));
		struct buf *bytes = list == NULL ? NULL : realloc(c->bytes, cap * sizeof(*bytes));
		char(*names)[64] = bytes == NULL ? NULL : realloc(c->names, cap * sizeof(*names));

		c->list = list != NULL ? list : c->list;
		c->bytes = bytes != NULL ? bytes : c->bytes;
		if (names == NULL)
			return ERR_NO_MEMORY;
		c->names = names;
		c->cap = cap;
	}
	c->bytes[c->n] = (struct buf){ 0 };
	e = buf_put(&c->bytes[c->n], value.data, value.len);
	if (e != ERR_OK)
		return e;
	in = wire_in(buf_bytes(&c->bytes[c->n]));
	e = wire_get_uint(&in, &type);
	c->list[c->n] = (struct control){ (uint32_t)type, { in.p, (size_t)(in.end - in.p) } };
	snprintf(c->names[c->n], sizeof(c->names[c->n]), "%s", name);
	c->n++;
	return e;
}

/* What changed in the context since one's last batch; free() it. */
static enum err context_delta(const struct vv *now, const struct vv *before, struct device_id me,
                              struct context_entry **out, size_t *count)
{
	*out = calloc(now->n + 1, sizeof(**out));
	*count = 0;
	if (*out == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < now->n; i++) {
		const struct vv_entry *was = vv_get(before, now->e[i].dev);

		if (device_cmp(now->e[i].dev, me) == 0 || (was != NULL && was->seq == now->e[i].seq))
			continue;
		(*out)[*count] = (struct context_entry){ now->e[i].dev, now->e[i].seq, { 0 } };
		memcpy((*out)[(*count)++].hash, now->e[i].hash, VV_HASH_LEN);
	}
	return ERR_OK;
}

struct sealing {
	const struct space_row *space;
	const struct device_keys *keys;
	struct epoch_id epoch;
	struct epoch_secret *secret;
};

/* The sealed file goes into the outgoing files. */
static enum err batch_publish(struct errctx *ec, struct sync *y, const struct sealing *s, uint64_t seq,
                              struct bytes signed_part, size_t edits)
{
	struct file_header h = { FILE_BATCH, s->space->tag, s->keys->public.tag, s->epoch, seq };
	struct buf file = { 0 };
	char ref[REF_MAX + 1];
	char name[FILE_NAME_MAX + 1];
	char tag[TAG_TEXT_LEN];
	enum err e = batch_seal(&h, s->secret->key, signed_part, y->rng, &file);

	tag_text(s->keys->public.tag, tag);
	snprintf(name, sizeof(name), "%s-%llu", tag, (unsigned long long)seq);
	branch_name(s->space->tag, s->epoch, s->keys->public.tag, ref);
	if (e == ERR_OK)
		e = store_outgoing_put(ec, y->store, s->space->n, ref, name, buf_bytes(&file), edits);
	buf_free(&file);
	return e;
}

/* One batch of what was collected. */
static enum err seal_one(struct errctx *ec, struct sync *y, const struct sealing *s, const struct collect *edits,
                         const struct controls *controls)
{
	struct body body = {
		.edits = edits->edits, .edit_count = edits->n, .controls = controls->list, .control_count = controls->n
	};
	struct applied_batch applied = { .space = s->space->n, .dev = s->space->me };
	struct batch_author author = { .space = s->space->id, .dev = s->space->me };
	struct vv now = { 0 };
	struct vv before = { 0 };
	struct buf cbor = { 0 };
	struct buf signed_part = { 0 };
	uint8_t hash[HASH_LEN];
	const struct vv_entry *mine = NULL;
	uint64_t counter = 0;
	enum err e = store_vector(ec, y->store, s->space->n, &now);

	if (e == ERR_OK)
		e = store_context(ec, y->store, s->space->me, &before);
	if (e != ERR_OK)
		goto done;
	mine = vv_get(&now, s->space->me);
	author.seq = mine == NULL ? 1 : mine->seq + 1;
	if (mine != NULL)
		e = store_batch_get(ec, y->store, s->space->me, mine->seq, &counter, body.prev);
	body.first_counter = counter + 1;
	if (e == ERR_OK)
		e = context_delta(&now, &before, s->space->me, &body.context, &body.context_count);
	if (e == ERR_OK)
		e = body_put(&body, s->space->me, &cbor);
	if (e == ERR_OK)
		e = batch_sign(y->zip, &author, s->keys->sign_secret, buf_bytes(&cbor), &signed_part, hash);
	if (e != ERR_OK)
		goto done;
	applied.seq = author.seq;
	applied.counter = counter + edits->n;
	applied.hash = hash;
	applied.signed_part = buf_bytes(&signed_part);
	applied.context = &now;
	e = store_batch_applied(ec, y->store, &applied);
	if (e == ERR_OK && edits->n > 0)
		e = store_mark_sealed(ec, y->store, s->space->n, edits->edits[edits->n - 1].dot, author.seq);
	for (size_t i = 0; e == ERR_OK && i < controls->n; i++)
		e = store_kept_delete(ec, y->store, s->space->n, controls->names[i]);
	if (e == ERR_OK)
		e = membership_sealed(ec, y, &(struct batch_told){ s->space, s->space->me, author.seq, &now, &body });
	if (e == ERR_OK)
		e = batch_publish(ec, y, s, author.seq, buf_bytes(&signed_part), edits->n);
done:
	free(body.context);
	vv_free(&now);
	vv_free(&before);
	buf_free(&cbor);
	buf_free(&signed_part);
	return e;
}

static enum err sealing_start(struct errctx *ec, struct sync *y, const struct space_row *space, struct sealing *s,
                              struct device_keys **keys)
{
	enum err e = device_keys_load(ec, y, space->n, keys);

	*s = (struct sealing){ .space = space, .keys = *keys, .secret = secret_new(sizeof(struct epoch_secret)) };
	if (e == ERR_OK && s->secret == NULL)
		e = ERR_NO_MEMORY;
	if (e != ERR_OK)
		return e;
	e = epoch_choose(ec, y, space, &s->epoch);
	if (e == ERR_NOT_FOUND) /* somebody was removed who has the keys of all that there are */
		e = epoch_begin(ec, y, space, *keys, &s->epoch);
	if (e == ERR_OK)
		e = epoch_key_load(ec, y, space->n, s->epoch, s->secret);
	return e;
}

/* Is the own device a member, as far as is known here? What it writes before it knows that, or when it was removed, is
 * not sealed. */
static enum err may_seal(struct errctx *ec, struct sync *y, const struct space_row *space, bool *may)
{
	struct device_row me;
	enum err e = store_device_by_id(ec, y->store, space->me, &me);

	*may = e == ERR_OK && me.state == DEVICE_ACTIVE;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err something_told(void *arg, const char *name, struct bytes value)
{
	(void)name;
	(void)value;
	*(bool *)arg = true;
	return ERR_OK;
}

enum err outbox_seal(struct errctx *ec, struct sync *y, const struct space_row *space)
{
	struct collect edits = { 0 };
	struct controls controls = { 0 };
	struct device_keys *keys = NULL;
	struct sealing s = { 0 };
	bool more = true;
	bool holds = false;
	bool coming_in = false;
	bool files = false;
	enum err e = again_holds(ec, y, space, &holds);

	if (e == ERR_OK && !holds)
		e = may_seal(ec, y, space, &more);
	if (e == ERR_OK)
		e = floor_open(ec, y, space->n, &coming_in);
	more = more && !holds && !coming_in; /* one's first batch has seen one's own admission */
	if (e == ERR_OK && more)
		e = forks_tell(ec, y, space, &files);
	if (e == ERR_OK && files)
		e = sealing_start(ec, y, space, &s, &keys); /* may begin an epoch, which is told too */
	if (e == ERR_OK && files)
		e = forks_hand_out(ec, y, space, s.epoch);
	while (e == ERR_OK && more) {
		bool told = false;

		e = collect_edits(ec, y, space->n, &edits);
		if (e == ERR_OK)
			e = store_kept_each(ec, y->store, space->n, "control:", something_told, &told);
		more = edits.more;
		told = told || edits.n > 0;
		if (e == ERR_OK && told && keys == NULL)
			e = sealing_start(ec, y, space, &s, &keys);
		if (e == ERR_OK && told)
			e = box_key_renew(ec, y, space, s.epoch);
		if (e == ERR_OK && told)
			e = store_kept_each(ec, y->store, space->n, "control:", collect_control, &controls);
		if (e == ERR_OK && told)
			e = seal_one(ec, y, &s, &edits, &controls);
		collect_free(&edits);
		controls_free(&controls);
	}
	secret_free(s.secret);
	device_keys_free(keys);
	return e;
}

enum err outbox_again(struct errctx *ec, struct sync *y, const struct space_row *space, uint64_t seq)
{
	struct device_keys *keys = NULL;
	struct sealing s = { 0 };
	struct buf signed_part = { 0 };
	uint8_t hash[HASH_LEN];
	uint64_t before = 0;
	uint64_t counter = 0;
	enum err e = sealing_start(ec, y, space, &s, &keys);

	if (e == ERR_OK && seq > 1)
		e = store_batch_get(ec, y->store, space->me, seq - 1, &before, hash);
	if (e == ERR_OK)
		e = store_batch_get(ec, y->store, space->me, seq, &counter, hash);
	if (e == ERR_OK)
		e = store_batch_signed(ec, y->store, space->me, seq, &signed_part);
	if (e == ERR_OK)
		e = batch_publish(ec, y, &s, seq, buf_bytes(&signed_part), (size_t)(counter - before));
	buf_free(&signed_part);
	secret_free(s.secret);
	device_keys_free(keys);
	return e;
}
