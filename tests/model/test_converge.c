// SPDX-License-Identifier: EUPL-1.2
// Goal: five devices that edit the same records apart end equal, byte for byte, whatever the order in which batches
// arrive and however often (M1), and hold exactly the values that nobody has overwritten knowingly (M2).
//
// Each seed plays 5 devices of 200 edits each: every class of field, lists that keep both, forms that save with what
// they had read long before, edits to records that never came by, events taken back (also ones never seen), erasures,
// clocks years apart. Edits travel in encoded batches with delta-coded contexts; a batch whose causes are missing
// waits. Device 0 encodes and decodes its records now and then, as a store does.
//
// What must come out is computed by an oracle that never sees a vector: it keeps for each edit the set of edits that
// its author had read, and knows one sentence a class.
//
// Mutations of src/model/record.c seen to fail here, each at the first seed: `<=` to `<` in seen(); one's own edits
// seen up to and with the edit itself, or not at all; removes passed over; writes that drop what they had not seen, or
// nothing; an add that leaves the older adds; retractions of unseen events kept; an erase that leaves the other fields;
// stamps not renumbered or heads not sorted when encoded, sets not sorted when decoded; kind or past left out.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/edit.h"
#include "model/random.h"
#include "model/record.h"
#include "model/wire.h"

#define DEVICES 5
#define EDITS 200
#define ALL (DEVICES * EDITS)
#define RECORDS 128
#define BATCHES (ALL + DEVICES)
#define SEEDS 500
#define ELEMENTS 8

enum { T_REG, T_UNKNOWN, T_TEXT, T_SET, T_EVENTS, T_ERASE, T_COUNT };
static const uint32_t tags[T_COUNT] = {
	FIELD_TAG(1, CLASS_REG),    FIELD_TAG(2, 6),           FIELD_TAG(3, CLASS_TEXT), FIELD_TAG(4, CLASS_SET),
	FIELD_TAG(5, CLASS_EVENTS), FIELD_TAG(0, CLASS_ERASE),
};

/* A set of edits, by their number in world.edits. */
struct set {
	uint64_t w[(ALL + 63) / 64];
};

static void set_add(struct set *s, size_t i)
{
	s->w[i / 64] |= UINT64_C(1) << (i % 64);
}

static bool set_has(const struct set *s, size_t i)
{
	return (s->w[i / 64] >> (i % 64) & 1) != 0;
}

static void set_join(struct set *s, const struct set *more)
{
	for (size_t i = 0; i < sizeof(s->w) / sizeof(s->w[0]); i++)
		s->w[i] |= more->w[i];
}

static size_t set_size(const struct set *s)
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof(s->w) / sizeof(s->w[0]); i++)
		n += (size_t)__builtin_popcountll(s->w[i]);
	return n;
}

/* What an edit did, as the oracle reads it. */
struct made {
	struct dot dot;
	struct hlc clock;
	size_t record;
	uint32_t kind;
	struct set past;
	bool writes[T_COUNT];
	struct buf value[T_COUNT];
	unsigned adds;    /* elements, one bit each */
	unsigned removes; /* the same */
	int retracts;     /* number of the edit whose event it takes back, or -1 */
};

struct batch {
	size_t dev;
	uint64_t seq;
	uint64_t last_counter;
	uint8_t hash[VV_HASH_LEN];
	struct buf bytes;
	struct body body; /* parsed from the bytes */
	struct set edits; /* for the oracle */
};

struct replica {
	size_t dev;
	struct vv applied; /* of the others; own edits are counted by `counter` */
	struct vv context[DEVICES];
	uint64_t seq;
	uint64_t counter;
	uint64_t last_counter[DEVICES][EDITS + 1]; /* by sequence number */
	struct hlc clock;
	int64_t skew;
	struct edit outbox[EDITS];
	struct write outbox_writes[EDITS][T_COUNT];
	struct seen outbox_seen[EDITS][DEVICES];
	size_t outbox_n;
	struct vv sealed_context; /* of the own last batch */
	uint64_t sealed_hash;
	bool waiting[BATCHES];
	size_t waiting_n;
	struct record records[RECORDS];
	struct buf stored[RECORDS]; /* device 0: what a record was decoded from */
	struct set has;             /* for the oracle */
	struct vv token;
	struct set token_has;
	bool token_taken;
};

struct world {
	struct random rnd;
	struct made edits[ALL];
	size_t edit_n;
	struct dot records[RECORDS];
	size_t record_n;
	size_t record_at[DEVICES][EDITS + 1]; /* by creating dot */
	struct batch batches[BATCHES];
	size_t batch_n;
	struct replica r[DEVICES];
	int64_t now;
};

static struct device_id device(size_t n)
{
	/* not in the order of their numbers */
	return (struct device_id){ { (uint8_t)(0xd0 - 0x11 * n), 0x5a, 0, 1, 2, 3, 4, (uint8_t)n } };
}

static size_t device_number(struct device_id id)
{
	return id.b[7];
}

/* --- making edits --- */

static void element_put(unsigned n, struct buf *out)
{
	if (n < ELEMENTS - 2) {
		assert_int_equal(wire_put_uint(out, n), ERR_OK);
	} else if (n == ELEMENTS - 2) {
		assert_int_equal(wire_put_text(out, "taal", 4), ERR_OK);
	} else {
		assert_int_equal(wire_put_array(out, 1), ERR_OK);
		assert_int_equal(wire_put_null(out), ERR_OK);
	}
}

static void elements_put(unsigned mask, struct buf *out)
{
	assert_int_equal(wire_put_array(out, (size_t)__builtin_popcount(mask)), ERR_OK);
	for (unsigned n = 0; n < ELEMENTS; n++) {
		if (mask >> n & 1)
			element_put(n, out);
	}
}

static void text_put(struct world *w, struct buf *out)
{
	char text[32];

	snprintf(text, sizeof(text), "zin %u", (unsigned)random_below(&w->rnd, 1000));
	assert_int_equal(wire_put_text(out, text, strlen(text)), ERR_OK);
}

static int some_event_edit(struct world *w, size_t record)
{
	size_t start = random_below(&w->rnd, w->edit_n + 1);

	for (size_t k = 0; k < w->edit_n; k++) {
		size_t i = (start + k) % w->edit_n;

		if (w->edits[i].record == record && w->edits[i].writes[T_EVENTS])
			return (int)i;
	}
	return -1;
}

static void value_make(struct world *w, struct made *m, int t)
{
	struct buf *out = &m->value[t];
	uint8_t ref[DOT_REF_MAX];
	size_t n = 1 + random_below(&w->rnd, 2);

	m->writes[t] = true;
	switch (t) {
	case T_REG:
	case T_UNKNOWN:
		if (random_chance(&w->rnd, 15)) {
			assert_int_equal(wire_put_array(out, 2), ERR_OK);
			text_put(w, out);
		}
		assert_int_equal(wire_put_uint(out, random_below(&w->rnd, 5)), ERR_OK);
		break;
	case T_TEXT:
		assert_int_equal(wire_put_array(out, 1 + n), ERR_OK);
		if (random_chance(&w->rnd, 30))
			assert_int_equal(wire_put_null(out), ERR_OK);
		else
			text_put(w, out);
		while (n-- > 0)
			text_put(w, out);
		break;
	case T_SET:
		m->adds = (unsigned)(random_next(&w->rnd) & random_next(&w->rnd)) % (1u << ELEMENTS);
		m->removes = (unsigned)(random_next(&w->rnd) & random_next(&w->rnd)) % (1u << ELEMENTS);
		assert_int_equal(wire_put_array(out, 2), ERR_OK);
		elements_put(m->adds, out);
		elements_put(m->removes, out);
		break;
	case T_EVENTS:
		m->retracts = random_chance(&w->rnd, 30) ? some_event_edit(w, m->record) : -1;
		assert_int_equal(wire_put_array(out, m->retracts >= 0 ? 2 : 3), ERR_OK);
		assert_int_equal(wire_put_text(out, m->retracts >= 0 ? "fout" : "plan", 4), ERR_OK);
		if (m->retracts >= 0) {
			n = dot_ref_put(w->edits[m->retracts].dot, ref);
			assert_int_equal(wire_put_bytes(out, ref, n), ERR_OK);
		} else {
			assert_int_equal(wire_put_int(out, (int64_t)random_below(&w->rnd, 9) - 4), ERR_OK);
			assert_int_equal(wire_put_null(out), ERR_OK);
		}
		break;
	default:
		assert_int_equal(wire_put_bool(out, true), ERR_OK);
	}
}

/* --- folding --- */

static void apply(struct world *w, struct replica *r, const struct edit *edit, const struct vv *seen)
{
	size_t i = w->record_at[device_number(edit->target.dev)][edit->target.counter];
	struct record *rec = NULL;
	struct context ctx = { seen, 0 };
	struct buf again = { 0 };

	for (size_t k = 0; k < seen->n; k++) {
		if (device_cmp(seen->e[k].dev, edit->dot.dev) != 0)
			ctx.past += seen->e[k].counter;
	}
	ctx.past += edit->dot.counter - 1;
	rec = &r->records[i];
	if (rec->id.counter == 0)
		record_init(rec, edit->target);
	if (r->dev == 0 && random_chance(&w->rnd, 25)) {
		assert_int_equal(record_put(rec, &again), ERR_OK);
		record_free(rec);
		buf_free(&r->stored[i]);
		r->stored[i] = again;
		assert_int_equal(record_get(buf_bytes(&again), rec), ERR_OK);
	}
	assert_int_equal(record_apply(rec, edit, ctx), ERR_OK);
}

static void vv_put(struct vv *v, struct device_id dev, uint64_t seq, uint64_t counter, const uint8_t *hash)
{
	struct vv_entry e = { .dev = dev, .seq = seq, .counter = counter };

	if (hash != NULL)
		memcpy(e.hash, hash, VV_HASH_LEN);
	assert_int_equal(vv_set(v, e), ERR_OK);
}

static void make_edit(struct world *w, struct replica *r)
{
	size_t number = w->edit_n;
	struct made *m = &w->edits[number];
	struct edit *e = &r->outbox[r->outbox_n];
	struct write *writes = r->outbox_writes[r->outbox_n];
	struct seen *seen = r->outbox_seen[r->outbox_n];
	bool form = r->token_taken && random_chance(&w->rnd, 20);
	size_t record = 0;

	*m = (struct made){ .retracts = -1 };
	*e = (struct edit){ .dot = { device(r->dev), ++r->counter }, .writes = writes };
	e->clock = m->clock = hlc_tick(&r->clock, w->now + r->skew);
	m->dot = e->dot;
	/* the set the oracle goes by: everything here, or what the form had read, and one's own */
	m->past = form ? r->token_has : r->has;
	for (size_t i = 0; form && i < number; i++) {
		if (device_number(w->edits[i].dot.dev) == r->dev)
			set_add(&m->past, i);
	}
	for (size_t tries = 0; tries < 20; tries++) {
		record = w->record_n == 0 ? 0 : random_below(&w->rnd, w->record_n);
		/* now and then one that never came by here */
		if (record < w->record_n && (r->records[record].id.counter > 0 || random_chance(&w->rnd, 2)))
			break;
		record = w->record_n;
	}
	if (record == w->record_n || (w->record_n < RECORDS && random_chance(&w->rnd, 6))) {
		assert_true(w->record_n < RECORDS);
		record = w->record_n++;
		w->records[record] = e->dot;
		w->record_at[r->dev][e->dot.counter] = record;
		e->kind = m->kind = 1 + (uint32_t)random_below(&w->rnd, 40);
	}
	e->target = w->records[record];
	m->record = record;
	for (int t = 0; t < T_COUNT; t++) {
		if (t == T_ERASE ? random_below(&w->rnd, 400) == 0 : random_chance(&w->rnd, 35))
			value_make(w, m, t);
	}
	static const int by_tag[T_COUNT] = { T_ERASE, T_REG, T_UNKNOWN, T_TEXT, T_SET, T_EVENTS };
	for (int k = 0; k < T_COUNT; k++) {
		if (m->writes[by_tag[k]])
			writes[e->write_count++] = (struct write){ tags[by_tag[k]], buf_bytes(&m->value[by_tag[k]]) };
	}
	if (form) {
		e->seen = seen;
		for (size_t i = 0; i < r->applied.n; i++) {
			const struct vv_entry *now = &r->applied.e[i];
			const struct vv_entry *then = vv_get(&r->token, now->dev);

			if (then == NULL || then->seq < now->seq)
				seen[e->seen_count++] = (struct seen){ now->dev, then == NULL ? 0 : then->seq };
		}
	}
	r->outbox_n++;
	apply(w, r, e, form ? &r->token : &r->applied);
	set_add(&r->has, number);
	w->edit_n++;
}

static uint64_t hash_of(struct bytes b)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < b.len; i++)
		h = (h ^ b.data[i]) * UINT64_C(0x100000001b3);
	return h;
}

static void seal(struct world *w, struct replica *r)
{
	struct batch *b = &w->batches[w->batch_n];
	struct context_entry delta[DEVICES];
	struct body body = { .first_counter = r->counter - r->outbox_n + 1,
		             .context = delta,
		             .edits = r->outbox,
		             .edit_count = r->outbox_n };
	uint64_t h = 0;

	if (r->outbox_n == 0)
		return;
	*b = (struct batch){ .dev = r->dev, .seq = ++r->seq, .last_counter = r->counter };
	for (size_t i = 0; i < r->applied.n; i++) {
		const struct vv_entry *now = &r->applied.e[i];
		const struct vv_entry *last = vv_get(&r->sealed_context, now->dev);

		if (last != NULL && last->seq == now->seq)
			continue;
		delta[body.context_count] = (struct context_entry){ .dev = now->dev, .seq = now->seq };
		memcpy(delta[body.context_count++].hash, now->hash, VV_HASH_LEN);
	}
	memcpy(body.prev, &r->sealed_hash, sizeof(r->sealed_hash));
	assert_int_equal(body_put(&body, device(r->dev), &b->bytes), ERR_OK);
	assert_int_equal(body_parse(buf_bytes(&b->bytes), device(r->dev), &b->body), ERR_OK);
	h = hash_of(buf_bytes(&b->bytes));
	memcpy(b->hash, &h, VV_HASH_LEN);
	r->sealed_hash = h;
	assert_int_equal(vv_copy(&r->applied, &r->sealed_context), ERR_OK);
	for (size_t i = 0; i < w->edit_n; i++) {
		if (device_number(w->edits[i].dot.dev) == r->dev && w->edits[i].dot.counter >= body.first_counter)
			set_add(&b->edits, i);
	}
	r->outbox_n = 0;
	w->batch_n++;
}

/* --- receiving --- */

static bool causes_here(const struct replica *r, const struct batch *b)
{
	const struct body *body = &b->body;
	const struct vv_entry *own = vv_get(&r->applied, device(b->dev));

	if ((own == NULL ? 0 : own->seq) + 1 != b->seq)
		return false;
	for (size_t i = 0; i < body->context_count; i++) {
		const struct vv_entry *v = vv_get(&r->applied, body->context[i].dev);
		uint64_t here = device_number(body->context[i].dev) == r->dev ? r->seq : v == NULL ? 0 : v->seq;

		if (here < body->context[i].seq)
			return false;
	}
	return true;
}

/* The batch's context, lowered where the author of the edit had read less. */
static void lowered(const struct replica *r, const struct vv *context, const struct edit *e, struct vv *out)
{
	assert_int_equal(vv_copy(context, out), ERR_OK);
	for (size_t i = 0; i < e->seen_count; i++) {
		size_t dev = device_number(e->seen[i].dev);

		vv_put(out, e->seen[i].dev, e->seen[i].seq, r->last_counter[dev][e->seen[i].seq], NULL);
	}
}

static bool receive(struct world *w, struct replica *r, size_t number)
{
	struct batch *b = &w->batches[number];
	const struct vv_entry *own = vv_get(&r->applied, device(b->dev));
	struct vv *context = &r->context[b->dev];
	const struct body *body = &b->body;

	if (b->dev == r->dev || (own != NULL && own->seq >= b->seq))
		return true; /* came before */
	if (!causes_here(r, b))
		return false;
	seal(w, r); /* S1 */
	for (size_t i = 0; i < body->context_count; i++) {
		const struct context_entry *c = &body->context[i];

		vv_put(context, c->dev, c->seq, r->last_counter[device_number(c->dev)][c->seq], c->hash);
	}
	for (size_t i = 0; i < body->edit_count; i++) {
		struct vv seen = { 0 };

		lowered(r, context, &body->edits[i], &seen);
		apply(w, r, &body->edits[i], &seen);
		vv_free(&seen);
	}
	vv_put(&r->applied, device(b->dev), b->seq, b->last_counter, b->hash);
	r->last_counter[b->dev][b->seq] = b->last_counter;
	set_join(&r->has, &b->edits);
	return true;
}

static void deliver(struct world *w, struct replica *r, size_t number)
{
	bool more = receive(w, r, number);

	if (!more && !r->waiting[number]) {
		r->waiting[number] = true;
		r->waiting_n++;
	}
	while (more && r->waiting_n > 0) {
		more = false;
		for (size_t i = 0; i < w->batch_n; i++) {
			if (r->waiting[i] && receive(w, r, i)) {
				r->waiting[i] = false;
				r->waiting_n--;
				more = true;
			}
		}
	}
}

/* One's own batches count too when others name them. */
static void learn_own(struct world *w, size_t from)
{
	for (size_t i = from; i < w->batch_n; i++)
		w->r[w->batches[i].dev].last_counter[w->batches[i].dev][w->batches[i].seq] = w->batches[i].last_counter;
}

static void play(struct world *w, uint64_t seed)
{
	size_t order[DEVICES * BATCHES];
	size_t n = 0;

	w->rnd.state = seed;
	w->now = INT64_C(1780000000000);
	for (size_t d = 0; d < DEVICES; d++) {
		w->r[d].dev = d;
		w->r[d].skew = ((int64_t)random_below(&w->rnd, 7) - 3) * INT64_C(86400000) * 365;
	}
	while (w->edit_n < ALL) {
		struct replica *r = &w->r[random_below(&w->rnd, DEVICES)];
		size_t from = w->batch_n;

		w->now += (int64_t)random_below(&w->rnd, 3);
		if (random_chance(&w->rnd, 60)) {
			if (r->counter < EDITS)
				make_edit(w, r);
		} else if (random_chance(&w->rnd, 30)) {
			seal(w, r);
		} else if (random_chance(&w->rnd, 20)) {
			assert_int_equal(vv_copy(&r->applied, &r->token), ERR_OK);
			r->token_has = r->has;
			r->token_taken = true;
		} else if (w->batch_n > 0) {
			size_t recent = w->batch_n < 30 ? w->batch_n : 30;

			deliver(w, r, w->batch_n - 1 - random_below(&w->rnd, recent));
		}
		learn_own(w, from);
	}
	for (size_t d = 0; d < DEVICES; d++)
		seal(w, &w->r[d]);
	learn_own(w, 0);
	for (size_t i = 0; i < DEVICES * w->batch_n; i++)
		order[n++] = i;
	for (size_t i = n; i > 1; i--) {
		size_t k = random_below(&w->rnd, i);
		size_t t = order[i - 1];

		order[i - 1] = order[k];
		order[k] = t;
	}
	for (size_t i = 0; i < n; i++)
		deliver(w, &w->r[order[i] % DEVICES], order[i] / DEVICES);
}

/* --- the oracle --- */

struct expected {
	size_t edit;
	uint32_t tag;
	struct bytes value;
};

/* The edits of one record. */
struct history {
	size_t edit[ALL];
	size_t n;
};

/* Has an edit that had read edit `i` spoken about the same thing again? */
static bool overtaken(const struct world *w, const struct history *h, size_t i, int t, unsigned element)
{
	for (size_t k = 0; k < h->n; k++) {
		const struct made *m = &w->edits[h->edit[k]];

		if (m->writes[t] && set_has(&m->past, i) &&
		    (t != T_SET || ((m->adds | m->removes) >> element & 1) != 0))
			return true;
	}
	return false;
}

static bool lives(const struct world *w, const struct history *h, size_t i, int t)
{
	const struct made *m = &w->edits[i];

	if (!m->writes[t])
		return false;
	if (t == T_EVENTS)
		return m->retracts < 0 || set_has(&m->past, (size_t)m->retracts);
	return t == T_ERASE || !overtaken(w, h, i, t, 0);
}

static size_t expect(const struct world *w, size_t record, const struct buf *elements, struct expected *out)
{
	struct history h = { .n = 0 };
	bool erased = false;
	size_t n = 0;

	for (size_t i = 0; i < w->edit_n; i++) {
		if (w->edits[i].record == record)
			h.edit[h.n++] = i;
	}
	for (size_t k = 0; k < h.n; k++)
		erased = erased || w->edits[h.edit[k]].writes[T_ERASE];
	for (size_t k = 0; k < h.n; k++) {
		size_t i = h.edit[k];
		const struct made *m = &w->edits[i];

		for (int t = 0; t < T_COUNT; t++) {
			if (erased && t != T_ERASE)
				continue;
			for (unsigned el = 0; t == T_SET && m->writes[t] && el < ELEMENTS; el++) {
				if ((m->adds >> el & 1) != 0 && !overtaken(w, &h, i, t, el))
					out[n++] = (struct expected){ i, tags[t], buf_bytes(&elements[el]) };
			}
			if (t != T_SET && lives(w, &h, i, t))
				out[n++] = (struct expected){ i, tags[t], buf_bytes(&m->value[t]) };
		}
	}
	return n;
}

static bool holds(const struct world *w, const struct record *r, const struct expected *x)
{
	const struct field *f = record_field(r, x->tag);
	const struct made *m = &w->edits[x->edit];

	for (size_t i = 0; f != NULL && i < f->n; i++) {
		const struct stamp *s = &r->stamps[f->heads[i].stamp];

		if (dot_cmp(s->dot, m->dot) == 0 && bytes_cmp(f->heads[i].value, x->value) == 0)
			return hlc_cmp(s->clock, m->clock) == 0 && s->past == set_size(&m->past);
	}
	return false;
}

static void check(struct world *w)
{
	static struct expected want[ALL * ELEMENTS];
	struct buf elements[ELEMENTS] = { 0 };

	for (unsigned n = 0; n < ELEMENTS; n++)
		element_put(n, &elements[n]);
	for (size_t d = 0; d < DEVICES; d++) {
		assert_int_equal(w->r[d].waiting_n, 0);
		assert_int_equal(set_size(&w->r[d].has), ALL);
	}
	for (size_t i = 0; i < w->record_n; i++) {
		struct record r;
		size_t n = expect(w, i, elements, want);
		size_t held = 0;
		struct buf state[DEVICES] = { 0 };

		for (size_t d = 0; d < DEVICES; d++) {
			assert_int_equal(record_put(&w->r[d].records[i], &state[d]), ERR_OK);
			assert_int_equal(state[d].len, state[0].len);
			assert_memory_equal(state[d].data, state[0].data, state[0].len);
		}
		assert_int_equal(record_get(buf_bytes(&state[0]), &r), ERR_OK);
		for (size_t k = 0; k < r.field_count; k++)
			held += r.fields[k].n;
		assert_int_equal(held, n);
		for (size_t k = 0; k < n; k++)
			assert_true(holds(w, &r, &want[k]));
		assert_int_not_equal(r.kind, KIND_none);
		record_free(&r);
		for (size_t d = 0; d < DEVICES; d++)
			buf_free(&state[d]);
	}
	for (unsigned n = 0; n < ELEMENTS; n++)
		buf_free(&elements[n]);
}

static void world_free(struct world *w)
{
	for (size_t i = 0; i < w->edit_n; i++) {
		for (int t = 0; t < T_COUNT; t++)
			buf_free(&w->edits[i].value[t]);
	}
	for (size_t i = 0; i < w->batch_n; i++) {
		buf_free(&w->batches[i].bytes);
		body_free(&w->batches[i].body);
	}
	for (size_t d = 0; d < DEVICES; d++) {
		struct replica *r = &w->r[d];

		vv_free(&r->applied);
		vv_free(&r->token);
		vv_free(&r->sealed_context);
		for (size_t k = 0; k < DEVICES; k++)
			vv_free(&r->context[k]);
		for (size_t i = 0; i < RECORDS; i++) {
			record_free(&r->records[i]);
			buf_free(&r->stored[i]);
		}
	}
	free(w);
}

static uint64_t seed;

static void devices_end_equal_and_lose_nothing(void **state)
{
	const char *only = getenv("SLB_SEED");
	uint64_t last = SEEDS * random_soak();

	seed = 1;
	if (only != NULL)
		seed = last = strtoull(only, NULL, 10);
	for (; seed <= last; seed++) {
		struct world *w = calloc(1, sizeof(*w));

		assert_non_null(w);
		play(w, seed);
		check(w);
		world_free(w);
	}
}

static int tell_seed(void **state)
{
	print_message("# last seed: %llu (SLB_SEED=n replays one)\n", (unsigned long long)seed);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(devices_end_equal_and_lose_nothing, tell_seed),
	};

	return cmocka_run_group_tests_name("model/converge", tests, NULL, NULL);
}
