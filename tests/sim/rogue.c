// SPDX-License-Identifier: EUPL-1.2
// A member whose program is changed: its home is given up, and its keys sign what they like. What it makes is well
// formed, so everybody takes it in; what of it counts is another matter (K1, K4). It says that it had less than it had,
// removes whom it likes, lets in people who do not exist and writes in their names, and takes roles.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "model/draft.h"
#include "model/wire.h"
#include "sim/act.h"
#include "sim/must.h"
#include "sync/keys.h"

#define CHAINS 4
#define CONTEXT_MAX 64

/* One device that it signs for. */
struct chain {
	struct device_keys *keys;
	struct device_id dev;
	struct dot person; /* its record, as far as it has one */
	uint64_t seq;      /* of its last batch */
	uint64_t counter;
	uint8_t prev[HASH_LEN];
	struct vv told;     /* what it said it had */
	struct set batches; /* the same for the model, its own among them */
};

struct rogue {
	struct player *p;
	struct sync y;
	struct space_row space;
	size_t model_space;
	struct epoch_id epoch;
	struct epoch_secret *secret;
	struct chain chain[CHAINS];
	size_t chains;
	struct set has; /* batches that its home holds */
};

/* A batch in the making. */
struct scheme {
	struct rogue *r;
	struct chain *c;
	struct body body;
	struct context_entry context[CONTEXT_MAX];
	struct draft draft[3];
	struct edit edit[3];
	struct control control[4];
	struct buf payload[4];
	struct device_keys *puppet;
	size_t puppet_edit;
};

static uint64_t below(struct rogue *r, uint64_t n)
{
	return random_below(&r->p->w->rnd, n);
}

static bool chance(struct rogue *r, unsigned percent)
{
	return random_chance(&r->p->w->rnd, percent);
}

void rogue_free(struct rogue *r)
{
	for (size_t i = 0; r != NULL && i < r->chains; i++) {
		device_keys_free(r->chain[i].keys);
		vv_free(&r->chain[i].told);
	}
	if (r != NULL)
		secret_free(r->secret);
	free(r);
}

/* ---- Turning ---- */

/* A space that others are in too, in which nothing of its own waits to be sealed; a removed one rather. */
static bool rogue_space(struct player *p, struct space_row *out)
{
	size_t n = 0;
	struct space_row *list = world_spaces(p, &n);
	uint64_t fit = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t unsealed = 0;
		uint64_t weight = world_is_in(p, &list[i]) ? 1 : 6;

		if (list[i].state != SPACE_MEMBER || list[i].kind == SPACE_OWN || list[i].neighbourhood == 0 ||
		    store_unsealed_count(NULL, p->app->store, list[i].n, &unsealed) != ERR_OK || unsealed > 0 ||
		    world_holds_control(p, list[i].n))
			continue;
		fit += weight;
		if (random_below(&p->w->rnd, fit) < weight)
			*out = list[i];
	}
	free(list);
	return fit > 0;
}

bool rogue_turn(struct player *p)
{
	struct rogue *r = NULL;
	struct chain *c = NULL;
	struct space_row space;
	struct device_row me;
	struct vv now = { 0 };
	const struct vv_entry *mine = NULL;

	if (p->busy || p->twin || world_given_up(p) || !rogue_space(p, &space) ||
	    store_device_by_id(NULL, p->app->store, space.me, &me) != ERR_OK || me.state == DEVICE_NAMED)
		return false;
	r = must_calloc(1, sizeof(*r));
	r->p = p;
	r->space = space;
	r->y = (struct sync){ p->app->store, p->app->zip, p->app->rng, p->app->clock };
	r->secret = secret_new(sizeof(*r->secret));
	r->model_space = model_space(p->w->model, space.id.b);
	r->has = *world_batches(p, r->model_space);
	c = &r->chain[r->chains++];
	c->dev = space.me;
	c->person = me.member;
	must(r->secret != NULL && device_keys_load(NULL, &r->y, space.n, &c->keys) == ERR_OK, "no keys");
	must(store_vector(NULL, p->app->store, space.n, &now) == ERR_OK &&
	         store_context(NULL, p->app->store, space.me, &c->told) == ERR_OK,
	     "a vector cannot be read");
	mine = vv_get(&now, space.me);
	if (mine != NULL) {
		int last = model_batch_in(p->w->model, r->model_space, space.me.b, mine->seq, NULL);

		c->seq = mine->seq;
		must(last >= 0 &&
		         store_batch_get(NULL, p->app->store, space.me, mine->seq, &c->counter, c->prev) == ERR_OK,
		     "a batch is missing");
		c->batches = *model_batch_past(p->w->model, r->model_space, (size_t)last);
		set_add(&c->batches, (size_t)last);
	}
	vv_free(&now);
	if (!world_newest_epoch(p, space.n, &r->epoch) ||
	    epoch_key_load(NULL, &r->y, space.n, r->epoch, r->secret) != ERR_OK) {
		rogue_free(r);
		return false;
	}
	p->rogue = r;
	world_say(p->w, "device %u turns against the others in %s%s", p->number, space.name,
	          me.state == DEVICE_REMOVED ? ", which it was removed from" : "");
	world_push_all(p, false);
	return true;
}

/* ---- What it says it had ---- */

/* Nothing new; all that its home holds; or what was known at some batch. A first batch has seen that it was let in. */
static void had_choose(struct scheme *s)
{
	struct rogue *r = s->r;
	struct model *m = r->p->w->model;
	struct set more = { 0 };
	uint64_t dice = below(r, 3);

	if (dice == 0 || set_size(&s->c->batches) == 0) {
		more = r->has;
	} else if (dice == 1) {
		size_t n = model_batches(m, r->model_space);
		size_t pick = (size_t)below(r, n);

		if (set_has(&r->has, pick)) {
			more = *model_batch_past(m, r->model_space, pick);
			set_add(&more, pick);
		}
	}
	set_join(&s->c->batches, &more);
}

/* The hash of a batch in its home, or of one that it made itself. */
static void hash_of(struct rogue *r, struct device_id dev, uint64_t seq, uint8_t out[static HASH_LEN])
{
	struct world *w = r->p->w;
	uint64_t counter = 0;

	for (size_t i = 0; i < w->gifts; i++) {
		if (w->gift[i].space == r->model_space && w->gift[i].seq == seq &&
		    memcmp(w->gift[i].dev, dev.b, DEVICE_ID_LEN) == 0) {
			memcpy(out, w->gift[i].hash, HASH_LEN);
			return;
		}
	}
	must(store_batch_get(NULL, r->y.store, dev, seq, &counter, out) == ERR_OK,
	     "a batch that a forgery builds on is nowhere");
}

/* The change against its batch before. */
static void context_fill(struct scheme *s)
{
	struct rogue *r = s->r;
	struct model *m = r->p->w->model;
	struct vv now = { 0 };

	for (size_t i = 0; i < model_batches(m, r->model_space); i++) {
		struct vv_entry e = { 0 };
		const struct vv_entry *was = NULL;

		if (!set_has(&s->c->batches, i))
			continue;
		e.seq = model_batch_by(m, r->model_space, i, e.dev.b);
		was = vv_get(&now, e.dev);
		if (device_cmp(e.dev, s->c->dev) != 0 && (was == NULL || was->seq < e.seq))
			must(vv_set(&now, e) == ERR_OK, "out of memory");
	}
	for (size_t i = 0; i < now.n; i++) {
		const struct vv_entry *was = vv_get(&s->c->told, now.e[i].dev);
		struct context_entry *c = &s->context[s->body.context_count];
		uint8_t hash[HASH_LEN];

		if (was != NULL && was->seq >= now.e[i].seq)
			continue;
		must(s->body.context_count < CONTEXT_MAX, "a batch has seen too many devices");
		hash_of(r, now.e[i].dev, now.e[i].seq, hash);
		*c = (struct context_entry){ .dev = now.e[i].dev, .seq = now.e[i].seq };
		memcpy(c->hash, hash, VV_HASH_LEN);
		s->body.context_count++;
		must(vv_set(&s->c->told, now.e[i]) == ERR_OK, "out of memory");
	}
	vv_free(&now);
	s->body.context = s->context;
}

/* ---- What it writes ---- */

static void edit_add(struct scheme *s, uint32_t kind, struct dot target)
{
	struct edit *e = &s->edit[s->body.edit_count];

	*e = (struct edit){ .dot = { s->c->dev, s->body.first_counter + s->body.edit_count },
		            .clock = { (uint64_t)s->r->p->w->now_ms, s->body.edit_count },
		            .target = target,
		            .kind = kind };
	if (kind != KIND_none)
		e->target = e->dot;
	must(draft_writes(&s->draft[s->body.edit_count], &e->writes, &e->write_count) == ERR_OK, "a draft fails");
	s->body.edit_count++;
}

/* A member record that it had; none: there is none. */
static struct dot some_person(struct scheme *s)
{
	struct dots d = { 0 };
	struct dot out = { 0 };
	size_t fit = 0;

	must(store_of_kind(NULL, s->r->y.store, KIND_member, s->r->space.n, &d) == ERR_OK, "records cannot be listed");
	for (size_t i = 0; i < d.n; i++) {
		if (model_had(s->r->p->w->model, s->r->model_space, &s->c->batches, d.d[i].dev.b, d.d[i].counter) &&
		    below(s->r, ++fit) == 0)
			out = d.d[i];
	}
	dots_free(&d);
	return out;
}

static void bundle_add(struct draft *d, const struct bundle *b)
{
	uint8_t bundle[BUNDLE_LEN];
	struct buf element = { 0 };

	bundle_put(b, bundle);
	must(wire_put_bytes(&element, bundle, sizeof(bundle)) == ERR_OK, "out of memory");
	draft_set_add_raw(d, F_member_devices, buf_bytes(&element));
	buf_free(&element);
}

static void write_one(struct scheme *s)
{
	struct rogue *r = s->r;
	struct draft *d = &s->draft[s->body.edit_count];
	const char *const roles[] = { chance(r, 70) ? "coordinator" : "teller" };
	struct dot person = chance(r, 50) ? s->c->person : some_person(s);

	switch (below(r, 6)) {
	case 0: /* a role for somebody, or taken from somebody */
		if (dot_is_none(person))
			return;
		draft_set(d, F_member_role, roles, chance(r, 60), roles, chance(r, 40));
		edit_add(s, KIND_none, person);
		break;
	case 1: /* somebody who does not exist */
		if (r->chains == CHAINS || s->puppet != NULL)
			return;
		s->puppet = device_keys_make(r->y.rng);
		must(s->puppet != NULL, "out of memory");
		s->puppet_edit = s->body.edit_count;
		draft_text(d, F_member_name, "Pop");
		draft_set(d, F_member_role, roles, 1, NULL, 0);
		bundle_add(d, &s->puppet->public);
		edit_add(s, KIND_member, (struct dot){ 0 });
		break;
	case 2: /* a device for somebody */
		if (dot_is_none(person) || r->chains == CHAINS || s->puppet != NULL)
			return;
		s->puppet = device_keys_make(r->y.rng);
		must(s->puppet != NULL, "out of memory");
		s->puppet_edit = s->body.edit_count;
		bundle_add(d, &s->puppet->public);
		edit_add(s, KIND_none, person);
		break;
	default:
		draft_text(d, r->space.kind == SPACE_NEIGHBOURHOOD ? F_service_name : F_contact_channel, "vals");
		edit_add(s, r->space.kind == SPACE_NEIGHBOURHOOD ? KIND_service : KIND_contact, (struct dot){ 0 });
	}
}

static void remove_one(struct scheme *s)
{
	struct device_row *list = NULL;
	size_t n = 0;
	size_t at = s->body.control_count;
	size_t pick = 0;

	must(store_device_list(NULL, s->r->y.store, s->r->space.n, &list, &n) == ERR_OK, "devices cannot be listed");
	pick = (size_t)below(s->r, n);
	must(wire_put_bytes(&s->payload[at], list[pick].id.b, DEVICE_ID_LEN) == ERR_OK, "out of memory");
	s->control[at] = (struct control){ CONTROL_CUT, buf_bytes(&s->payload[at]) };
	s->body.control_count++;
	s->r->p->w->refusals = true; /* whoever asks the removed to let it in is set aside there */
	free(list);
}

/* ---- Out with it ---- */

static void edits_note(struct scheme *s)
{
	struct rogue *r = s->r;
	struct set past = { 0 };

	model_edits_of(r->p->w->model, r->model_space, &s->c->batches, &past);
	for (size_t i = 0; i < s->body.edit_count; i++) {
		struct buf bytes = { 0 };
		int e = 0;

		must(edit_put(&s->edit[i], &bytes) == ERR_OK, "a forged edit cannot be written");
		e = model_add(r->p->w->model, r->model_space, buf_bytes(&bytes), &past, false);
		must(e >= 0, "a forged edit cannot be taken up");
		set_add(&past, (size_t)e);
		if (r->p->w->trace)
			model_tell(r->p->w->model, r->model_space, (size_t)e);
		buf_free(&bytes);
	}
}

static void puppet_take(struct scheme *s, int batch)
{
	struct rogue *r = s->r;
	struct chain *c = &r->chain[r->chains++];

	*c = (struct chain){ .keys = s->puppet,
		             .dev = device_id_make(r->space.id, s->puppet->public.sign, 0),
		             .person = s->edit[s->puppet_edit].target };
	s->puppet = NULL;
	/* its first batch has seen that it was let in */
	c->batches = *model_batch_past(r->p->w->model, r->model_space, (size_t)batch);
	set_add(&c->batches, (size_t)batch);
}

static void scheme_send(struct scheme *s)
{
	struct rogue *r = s->r;
	struct chain *c = s->c;
	struct file_header h = { FILE_BATCH, r->space.tag, c->keys->public.tag, r->epoch, c->seq + 1 };
	struct batch_author author = { r->space.id, c->dev, c->seq + 1 };
	struct gift g = { .space = r->model_space, .seq = c->seq + 1 };
	struct buf cbor = { 0 };
	struct buf part = { 0 };
	char tag[TAG_TEXT_LEN];
	int batch = 0;

	must(body_put(&s->body, c->dev, &cbor) == ERR_OK &&
	         batch_sign(r->y.zip, &author, c->keys->sign_secret, buf_bytes(&cbor), &part, c->prev) == ERR_OK &&
	         batch_seal(&h, r->secret->key, buf_bytes(&part), r->y.rng, &g.file) == ERR_OK,
	     "a forged batch cannot be made");
	edits_note(s);
	batch = model_batch(r->p->w->model, r->model_space, c->dev.b, author.seq, buf_bytes(&cbor), NULL);
	must(batch >= 0, "a forged batch cannot be taken up");
	model_batch_hash(r->p->w->model, r->model_space, (size_t)batch, c->prev);
	memcpy(g.dev, c->dev.b, DEVICE_ID_LEN);
	memcpy(g.hash, c->prev, HASH_LEN);
	tag_text(c->keys->public.tag, tag);
	snprintf(g.name, sizeof(g.name), "%s-%llu", tag, (unsigned long long)author.seq);
	branch_name(r->space.tag, r->epoch, c->keys->public.tag, g.ref);
	world_push(r->p, &r->space, &g);
	c->seq++;
	c->counter += s->body.edit_count;
	set_add(&c->batches, (size_t)batch);
	set_add(&r->has, (size_t)batch);
	if (s->puppet != NULL)
		puppet_take(s, batch);
	world_say(r->p->w, "device %u forges batch %llu of %02x%02x: %zu edits, %zu removals", r->p->number,
	          (unsigned long long)author.seq, c->dev.b[0], c->dev.b[1], s->body.edit_count, s->body.control_count);
	buf_free(&cbor);
	buf_free(&part);
}

/* The first batch of somebody who does not exist, which has not seen that it was let in: nobody takes that. */
static void too_early(struct rogue *r, const struct chain *c)
{
	struct chain nothing = { .keys = c->keys, .dev = c->dev };
	struct scheme s = { .r = r, .c = &nothing };
	struct file_header h = { FILE_BATCH, r->space.tag, c->keys->public.tag, r->epoch, 1 };
	struct batch_author author = { r->space.id, c->dev, 1 };
	struct buf cbor = { 0 };
	struct buf part = { 0 };
	struct buf file = { 0 };
	uint8_t hash[HASH_LEN];

	s.body.first_counter = 1;
	draft_text(&s.draft[0], F_contact_channel, "vals");
	edit_add(&s, KIND_contact, (struct dot){ 0 });
	s.body.edits = s.edit;
	must(body_put(&s.body, c->dev, &cbor) == ERR_OK &&
	         batch_sign(r->y.zip, &author, c->keys->sign_secret, buf_bytes(&cbor), &part, hash) == ERR_OK &&
	         batch_seal(&h, r->secret->key, buf_bytes(&part), r->y.rng, &file) == ERR_OK,
	     "a forged batch cannot be made");
	r->p->w->forged = true;
	host_offer(r->p->w->hosts, buf_bytes(&file));
	world_say(r->p->w, "device %u forges a batch of somebody who is not let in", r->p->number);
	draft_free(&s.draft[0]);
	buf_free(&cbor);
	buf_free(&part);
	buf_free(&file);
}

void rogue_act(struct player *p)
{
	struct scheme s = { .r = p->rogue };
	struct rogue *r = p->rogue;

	s.c = &r->chain[chance(r, 50) ? 0 : below(r, r->chains)];
	if (s.c != r->chain && s.c->seq == 0 && chance(r, 30)) {
		too_early(r, s.c);
		return;
	}
	s.body.first_counter = s.c->counter + 1;
	memcpy(s.body.prev, s.c->prev, HASH_LEN);
	had_choose(&s);
	context_fill(&s);
	s.body.edits = s.edit;
	s.body.controls = s.control;
	for (uint64_t n = 1 + below(r, 2); n > 0; n--)
		write_one(&s);
	for (uint64_t n = below(r, 3); n > 0 && p->w->removals_left > 0; n--, p->w->removals_left--)
		remove_one(&s);
	scheme_send(&s);
	for (size_t i = 0; i < 3; i++)
		draft_free(&s.draft[i]);
	for (size_t i = 0; i < 4; i++)
		buf_free(&s.payload[i]);
	device_keys_free(s.puppet);
}
