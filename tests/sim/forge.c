// SPDX-License-Identifier: EUPL-1.2
// Batches that a member with a changed program could sign: with its own keys, under the epoch of its space, following
// on its own last batch, and wrong in one way. Every device must refuse them alike, whatever it knows already (M1, S4).
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "model/draft.h"
#include "model/wire.h"
#include "sim/act.h"
#include "sim/must.h"
#include "sync/epochs.h"
#include "sync/keys.h"

#define CONTEXT_MAX 64

struct forge {
	struct player *p;
	struct sync y;
	struct space_row space;
	struct device_keys *keys;
	struct epoch_secret *secret;
	struct file_header head;
	struct body body;
	struct context_entry context[CONTEXT_MAX];
	struct batch_author author;
	struct draft draft;
	struct edit edit;
	struct control control;
	struct buf payload;
};

static bool forge_space(struct forge *f)
{
	size_t n = 0;
	struct space_row *list = world_spaces(f->p, &n);
	size_t fit = 0;

	for (size_t i = 0; i < n; i++) {
		if (list[i].state == SPACE_MEMBER && list[i].kind != SPACE_OWN &&
		    random_below(&f->p->w->rnd, ++fit) == 0)
			f->space = list[i];
	}
	free(list);
	return fit > 0;
}

/* What an honest program would put round its next edits. */
static bool forge_start(struct forge *f)
{
	struct vv now = { 0 };
	struct vv before = { 0 };
	const struct vv_entry *mine = NULL;
	uint64_t counter = 0;
	enum err e = ERR_OK;

	f->y = (struct sync){ f->p->app->store, f->p->app->zip, f->p->app->rng, f->p->app->clock };
	f->secret = secret_new(sizeof(*f->secret));
	must(f->secret != NULL, "out of memory");
	e = device_keys_load(NULL, &f->y, f->space.n, &f->keys);
	f->head = (struct file_header){ .type = FILE_BATCH, .space = f->space.tag, .device = f->space.my_tag };
	if (e == ERR_OK)
		e = epoch_choose(NULL, &f->y, &f->space, &f->head.epoch);
	if (e == ERR_OK)
		e = epoch_key_load(NULL, &f->y, f->space.n, f->head.epoch, f->secret);
	if (e == ERR_OK)
		e = store_vector(NULL, f->y.store, f->space.n, &now);
	if (e == ERR_OK)
		e = store_context(NULL, f->y.store, f->space.me, &before);
	f->author = (struct batch_author){ f->space.id, f->space.me, 1 };
	mine = vv_get(&now, f->space.me);
	if (e == ERR_OK && mine != NULL) {
		f->author.seq = mine->seq + 1;
		e = store_batch_get(NULL, f->y.store, f->space.me, mine->seq, &counter, f->body.prev);
	}
	f->body.first_counter = counter + 1;
	f->body.context = f->context;
	for (size_t i = 0; e == ERR_OK && i < now.n; i++) {
		const struct vv_entry *was = vv_get(&before, now.e[i].dev);
		struct context_entry *c = &f->context[f->body.context_count];

		if (&now.e[i] == mine || (was != NULL && was->seq == now.e[i].seq) ||
		    f->body.context_count == CONTEXT_MAX - 1)
			continue;
		*c = (struct context_entry){ .dev = now.e[i].dev, .seq = now.e[i].seq };
		memcpy(c->hash, now.e[i].hash, VV_HASH_LEN);
		f->body.context_count++;
	}
	vv_free(&now);
	vv_free(&before);
	return e == ERR_OK;
}

static void one_edit(struct forge *f, struct dot target)
{
	f->edit = (struct edit){ .dot = { f->space.me, f->body.first_counter },
		                 .clock = { (uint64_t)f->p->w->now_ms, 0 },
		                 .target = target };
	if (dot_is_none(target)) {
		f->edit.kind = KIND_contact;
		f->edit.target = f->edit.dot;
	}
	draft_long_text(&f->draft, F_contact_text, NULL, "vals");
	must(draft_writes(&f->draft, &f->edit.writes, &f->edit.write_count) == ERR_OK, "a draft fails");
	f->body.edits = &f->edit;
	f->body.edit_count = 1;
}

static void one_control(struct forge *f, uint32_t type)
{
	must(wire_put_array(&f->payload, 3) == ERR_OK && wire_put_uint(&f->payload, 2) == ERR_OK &&
	         wire_put_bytes(&f->payload, f->keys->public.box, 32) == ERR_OK &&
	         wire_put_bytes(&f->payload, f->keys->public.box, 16) == ERR_OK,
	     "out of memory");
	f->control = (struct control){ type, buf_bytes(&f->payload) };
	f->body.controls = &f->control;
	f->body.control_count = 1;
}

/* Wrong in one way. */
static void forge_bend(struct forge *f)
{
	struct random *rnd = &f->p->w->rnd;
	struct context_entry *c = &f->context[f->body.context_count];
	struct dot nobody = { .counter = 1 + random_below(rnd, 1000) };

	memset(nobody.dev.b, 0xee, DEVICE_ID_LEN);
	one_edit(f, (struct dot){ 0 });
	switch (random_below(rnd, 8)) {
	case 0: /* another chain */
		f->body.prev[random_below(rnd, 32)] ^= 1;
		break;
	case 1: /* counters with a gap */
		f->body.first_counter += 1 + random_below(rnd, 5);
		f->edit.dot.counter = f->body.first_counter;
		f->edit.target = f->edit.dot;
		break;
	case 2: /* another history of somebody */
		if (f->body.context_count > 0)
			c[-1].hash[0] ^= 1;
		else
			f->body.prev[0] ^= 1;
		break;
	case 3: /* a record that is nobody's */
		f->body.edit_count = 0;
		draft_free(&f->draft);
		one_edit(f, nobody);
		break;
	case 4: /* a record of its own that it has not made yet */
		f->body.edit_count = 0;
		draft_free(&f->draft);
		one_edit(f, (struct dot){ f->space.me, f->body.first_counter + 7 });
		break;
	case 5: /* an origin that this space does not have */
		one_control(f, CONTROL_GENESIS);
		break;
	case 6: /* the number of nobody's batch */
		f->author.seq = 0;
		break;
	default: /* somebody else's space */
		f->author.space.b[0] ^= 1;
	}
}

bool act_forge(struct player *p)
{
	struct forge f = { .p = p };
	struct buf cbor = { 0 };
	struct buf part = { 0 };
	struct buf file = { 0 };
	uint8_t hash[HASH_LEN];
	bool done = false;

	/* what is unsealed is in no batch yet, and the counters of the next one are not what the forgery takes */
	if (p->busy || !forge_space(&f))
		return false;
	if (forge_start(&f)) {
		forge_bend(&f);
		f.head.seq = f.author.seq;
		if (body_put(&f.body, f.space.me, &cbor) == ERR_OK &&
		    batch_sign(f.y.zip, &f.author, f.keys->sign_secret, buf_bytes(&cbor), &part, hash) == ERR_OK &&
		    batch_seal(&f.head, f.secret->key, buf_bytes(&part), f.y.rng, &file) == ERR_OK) {
			host_offer(p->w->hosts, buf_bytes(&file));
			/* two batches with one number remove their author, and whoever asks the removed is set aside */
			p->w->refusals = true;
			done = true;
		}
	}
	draft_free(&f.draft);
	buf_free(&f.payload);
	buf_free(&cbor);
	buf_free(&part);
	buf_free(&file);
	device_keys_free(f.keys);
	secret_free(f.secret);
	return done;
}
