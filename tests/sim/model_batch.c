// SPDX-License-Identifier: EUPL-1.2
// The reference model: batches, the batches that their authors had, and what they say of who belongs to a space.
#include <stdlib.h>
#include <string.h>

#include "sim/model_inside.h"
#include "sim/must.h"

#define CUT_CONTROL 3
#define GOES_ON_CONTROL 5
#define GENESIS_CONTROL 9
#define FORK_CONTROL 11

// ---- What batches say ----

static void say(struct space *s, const struct says *what)
{
	if (s->says_n == s->says_cap) {
		s->says_cap = s->says_cap == 0 ? 32 : 2 * s->says_cap;
		s->says = must_realloc(s->says, s->says_cap * sizeof(*s->says));
	}
	s->says[s->says_n++] = *what;
}

unsigned role_bit(struct bytes role)
{
	struct in in = in_of(role);
	struct bytes id = string(&in, 3);

	if (!in.bad && id.len == 11 && memcmp(id.data, "coordinator", 11) == 0)
		return COORDINATOR;
	return !in.bad && id.len == 6 && memcmp(id.data, "teller", 6) == 0 ? TELLER : 0;
}

/* The kind of the record that an edit is about. */
uint32_t edit_kind(const struct space *s, const struct made *e)
{
	int first = edit_among(s, &e->target, &e->past);

	return e->kind != 0 ? e->kind : first < 0 ? 0 : s->edit[first]->kind;
}

static void devices_say(struct space *s, struct says what, const struct made *e)
{
	const struct wrote *w = write_of(e, MEMBER_DEVICES);
	struct in in = in_of(w == NULL ? (struct bytes){ 0 } : w->value);

	what.what = ADMITS;
	what.fresh = e->kind != 0;
	count(&in);
	for (uint64_t n = count(&in); n > 0 && !in.bad; n--) {
		struct bytes element = item(&in);
		struct in one = in_of(element);
		struct bytes b = string(&one, 2);

		if (one.bad || b.len != BUNDLE)
			continue;
		device_name(s->id, b.data + 5, b.data + 69, what.device);
		say(s, &what);
	}
}

static void roles_say(struct space *s, struct says what, const struct made *e)
{
	const struct wrote *w = write_of(e, MEMBER_ROLES);
	struct in in = in_of(w == NULL ? (struct bytes){ 0 } : w->value);

	count(&in);
	for (int half = 0; half < 2; half++) {
		what.what = half == 0 ? GRANTS : TAKES;
		what.roles = 0;
		for (uint64_t n = count(&in); n > 0 && !in.bad; n--)
			what.roles |= role_bit(item(&in));
		if (what.roles != 0)
			say(s, &what);
	}
}

static void control_says(struct space *s, struct says what, uint64_t type, struct bytes payload)
{
	static const uint8_t first_incarnation[4] = { 0 };
	struct in in = in_of(payload);
	struct bytes b = { 0 };
	uint64_t kind = 0;

	if (type == GENESIS_CONTROL) {
		count(&in);
		kind = number(&in);
		b = string(&in, 2);
		must(!in.bad && b.len == 32, "a space's origin cannot be read");
		s->kind = (unsigned)kind;
		device_name(s->id, b.data, first_incarnation, s->founder);
	} else if (type == CUT_CONTROL) {
		b = string(&in, 2);
		must(!in.bad && b.len == DEV, "a removal cannot be read");
		what.what = CUTS;
		memcpy(what.device, b.data, DEV);
		say(s, &what);
	} else if (type == FORK_CONTROL) {
		count(&in);
		b = string(&in, 2);
		what.forked = number(&in);
		must(!in.bad && b.len == DEV && what.forked > 0, "a proof cannot be read");
		what.what = CUTS;
		memcpy(what.device, b.data, DEV);
		say(s, &what);
	} else if (type == GOES_ON_CONTROL) {
		count(&in);
		b = string(&in, 2);
		must(!in.bad && b.len == DEV, "who goes on cannot be read");
		what.what = ADMITS;
		what.on = true;
		memcpy(what.was, b.data, DEV);
		b = string(&in, 2);
		must(!in.bad && b.len == BUNDLE, "who goes on cannot be read");
		device_name(s->id, b.data + 5, b.data + 69, what.device);
		say(s, &what);
	}
}

// ---- Batches ----

static bool is_called(const struct sealed *b, const uint8_t *dev, uint64_t seq)
{
	return b->seq == seq && memcmp(b->dev, dev, DEV) == 0;
}

int model_batch_find(const struct model *m, size_t space, const uint8_t dev[static 8], uint64_t seq, struct bytes body)
{
	const struct space *s = &m->space[space];

	for (size_t i = s->batches; i-- > 0;) {
		if (is_called(s->batch[i], dev, seq) && bytes_cmp(buf_bytes(&s->batch[i]->body), body) == 0)
			return (int)i;
	}
	return MODEL_DAMAGED;
}

int model_batch_in(const struct model *m, size_t space, const uint8_t dev[static 8], uint64_t seq,
                   const struct set *among)
{
	const struct space *s = &m->space[space];

	for (size_t i = s->batches; i-- > 0;) {
		if (is_called(s->batch[i], dev, seq) && (among == NULL || set_has(among, i)))
			return (int)i;
	}
	return MODEL_DAMAGED;
}

bool model_batch_twins(const struct model *m, size_t space, size_t batch)
{
	const struct space *s = &m->space[space];
	size_t n = 0;

	for (size_t i = 0; i < s->batches; i++)
		n += is_called(s->batch[i], s->batch[batch]->dev, s->batch[batch]->seq);
	return n > 1;
}

/* It had this batch, all that that one had, and what its author sealed before. */
static bool had(const struct model *m, size_t space, const struct model_held *held, struct sealed *b,
                const uint8_t *dev, uint64_t seq)
{
	int i = model_batch_in(m, space, dev, seq, held == NULL ? NULL : held->batches);

	if (i < 0)
		return false;
	set_add(&b->past, (size_t)i);
	set_join(&b->past, &m->space[space].batch[i]->past);
	return true;
}

/* [1, prev, first counter, clock, [device...], [[index, seq, hash]...], [edit...], [[type, payload]...]] */
static bool batch_read(struct model *m, size_t space, const struct model_held *held, struct sealed *b, size_t at)
{
	struct space *s = &m->space[space];
	struct in in = in_of(buf_bytes(&b->body));
	struct bytes dev[256];
	size_t devs = 0;
	struct says what = { .batch = at };
	struct name first = { .counter = 0 };
	bool good = b->seq == 1 || had(m, space, held, b, b->dev, b->seq - 1);

	count(&in);
	number(&in);
	string(&in, 2);
	memcpy(first.dev, b->dev, DEV);
	first.counter = number(&in);
	number(&in);
	for (uint64_t n = count(&in); n > 0 && !in.bad; n--) {
		must(devs < 256, "a batch names too many devices");
		dev[devs++] = string(&in, 2);
	}
	for (uint64_t n = count(&in); n > 0 && !in.bad && good; n--) {
		uint64_t index = 0;
		uint64_t seq = 0;

		count(&in);
		index = number(&in);
		seq = number(&in);
		string(&in, 2);
		good = !in.bad && index >= 1 && index <= devs && had(m, space, held, b, dev[index - 1].data, seq);
	}
	if (in.bad || !good)
		return false;
	s->batch[s->batches++] = b;
	for (uint64_t n = count(&in); n > 0; n--, first.counter++) {
		int e = held == NULL ? edit_by_name(s, &first) : edit_among(s, &first, held->edits);

		item(&in);
		must(e >= 0, "a batch holds an edit that its author does not");
		must(s->edit[e]->batches < TWINS, "an edit is in too many batches");
		s->edit[e]->batch[s->edit[e]->batches++] = (int)at;
		what.order = EDITS_FROM + first.counter;
		what.person = s->edit[e]->target;
		if (edit_kind(s, s->edit[e]) == MEMBER) {
			devices_say(s, what, s->edit[e]);
			roles_say(s, what, s->edit[e]);
		}
	}
	what.order = 0;
	what.person = (struct name){ .counter = 0 };
	for (uint64_t n = count(&in); n > 0 && !in.bad; n--, what.order++) {
		uint64_t type = 0;

		count(&in);
		type = number(&in);
		control_says(s, what, type, item(&in));
	}
	return !in.bad;
}

int model_batch(struct model *m, size_t space, const uint8_t dev[static 8], uint64_t seq, struct bytes body,
                const struct model_held *held)
{
	struct space *s = &m->space[space];
	int known = model_batch_find(m, space, dev, seq, body);
	struct sealed *b = NULL;

	if (known >= 0)
		return known;
	must(s->batches < MODEL_EDITS, "a space has too many batches");
	if (s->batches == s->batch_cap) {
		s->batch_cap = s->batch_cap == 0 ? 64 : 2 * s->batch_cap;
		s->batch = must_realloc(s->batch, s->batch_cap * sizeof(struct sealed *));
	}
	b = must_calloc(1, sizeof(*b));
	b->seq = seq;
	memcpy(b->dev, dev, DEV);
	must(buf_put(&b->body, body.data, body.len) == ERR_OK, "out of memory");
	if (batch_read(m, space, held, b, s->batches))
		return (int)s->batches - 1;
	must(s->batches == 0 || s->batch[s->batches - 1] != b, "the end of a batch cannot be read");
	free(b->body.data);
	free(b);
	return MODEL_DAMAGED;
}

const struct set *model_batch_past(const struct model *m, size_t space, size_t batch)
{
	return &m->space[space].batch[batch]->past;
}

size_t model_batches(const struct model *m, size_t space)
{
	return m->space[space].batches;
}

uint64_t model_batch_by(const struct model *m, size_t space, size_t batch, uint8_t dev[static 8])
{
	memcpy(dev, m->space[space].batch[batch]->dev, DEV);
	return m->space[space].batch[batch]->seq;
}

bool model_had(const struct model *m, size_t space, const struct set *batches, const uint8_t dev[static 8],
               uint64_t counter)
{
	const struct space *s = &m->space[space];
	struct name name = { .counter = counter };
	bool any = false;

	memcpy(name.dev, dev, DEV);
	for (size_t i = 0; i < s->n && !any; i++)
		any = name_cmp(&s->edit[i]->name, &name) == 0 && edit_batch(s->edit[i], batches) >= 0;
	return any;
}

void model_edits_of(const struct model *m, size_t space, const struct set *batches, struct set *out)
{
	const struct space *s = &m->space[space];

	for (size_t i = 0; i < s->n; i++) {
		if (edit_batch(s->edit[i], batches) >= 0)
			set_add(out, i);
	}
}

bool model_removes(const struct model *m, size_t space, const struct set *batches)
{
	const struct space *s = &m->space[space];

	for (size_t k = 0; k < s->says_n; k++) {
		if (s->says[k].what == CUTS && set_has(batches, s->says[k].batch))
			return true;
	}
	return false;
}

bool model_quarrels(const struct model *m)
{
	for (size_t s = 0; s < m->spaces; s++) {
		for (size_t k = 0; k < m->space[s].says_n; k++) {
			if (m->space[s].says[k].what == CUTS)
				return true;
		}
	}
	return false;
}
