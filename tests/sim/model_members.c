// SPDX-License-Identifier: EUPL-1.2
// The reference model: who belongs to a space, and which edits count. A second reading of docs/MERGE.md, "Removals":
// plain definitions over sets of batches, each of which may ask for another one about an earlier batch.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "sim/model_inside.h"
#include "sim/must.h"

#define COORDINATOR 2u
#define TELLER 4u
#define NOBODY (1u << 31)
#define NEIGHBOURHOOD 3
#define CUT_CONTROL 3
#define GENESIS_CONTROL 9
#define REMOVALS_MAX 64

// ---- What batches say ----

static void say(struct space *s, const struct says *what)
{
	if (s->says_n == s->says_cap) {
		s->says_cap = s->says_cap == 0 ? 32 : 2 * s->says_cap;
		s->says = must_realloc(s->says, s->says_cap * sizeof(*s->says));
	}
	s->says[s->says_n++] = *what;
}

static unsigned role_bit(struct bytes role)
{
	struct in in = in_of(role);
	struct bytes id = string(&in, 3);

	if (!in.bad && id.len == 11 && memcmp(id.data, "coordinator", 11) == 0)
		return COORDINATOR;
	return !in.bad && id.len == 6 && memcmp(id.data, "teller", 6) == 0 ? TELLER : 0;
}

/* The kind of the record that an edit is about. */
static uint32_t kind_of(const struct space *s, const struct made *e)
{
	int first = edit_by_name(s, &e->target);

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
	}
}

// ---- Batches ----

int model_batch_find(const struct model *m, size_t space, const uint8_t dev[static 8], uint64_t seq)
{
	const struct space *s = &m->space[space];

	for (size_t i = s->batches; i-- > 0;) {
		if (s->batch[i]->seq == seq && memcmp(s->batch[i]->dev, dev, DEV) == 0)
			return (int)i;
	}
	return MODEL_DAMAGED;
}

/* It had this batch, all that that one had, and what its author sealed before. */
static bool had(const struct model *m, size_t space, struct sealed *b, const uint8_t *dev, uint64_t seq)
{
	int i = model_batch_find(m, space, dev, seq);

	if (i < 0)
		return false;
	set_add(&b->past, (size_t)i);
	set_join(&b->past, &m->space[space].batch[i]->past);
	return true;
}

/* [1, prev, first counter, clock, [device...], [[index, seq, hash]...], [edit...], [[type, payload]...]] */
static bool batch_read(struct model *m, size_t space, struct sealed *b, size_t at)
{
	struct space *s = &m->space[space];
	struct in in = in_of(buf_bytes(&b->body));
	struct bytes dev[256];
	size_t devs = 0;
	struct says what = { .batch = at };
	struct name first = { .counter = 0 };
	bool good = b->seq == 1 || had(m, space, b, b->dev, b->seq - 1);

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
		good = !in.bad && index >= 1 && index <= devs && had(m, space, b, dev[index - 1].data, seq);
	}
	if (in.bad || !good)
		return false;
	s->batch[s->batches++] = b;
	for (uint64_t n = count(&in); n > 0; n--, first.counter++) {
		int e = edit_by_name(s, &first);

		item(&in);
		must(e >= 0, "a batch holds an edit that its author does not");
		s->edit[e]->batch = (int)at;
		what.order = EDITS_FROM + first.counter;
		what.person = s->edit[e]->target;
		if (kind_of(s, s->edit[e]) == MEMBER) {
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

int model_batch(struct model *m, size_t space, const uint8_t dev[static 8], uint64_t seq, struct bytes body)
{
	struct space *s = &m->space[space];
	int known = model_batch_find(m, space, dev, seq);
	struct sealed *b = NULL;

	if (known >= 0)
		return bytes_cmp(buf_bytes(&s->batch[known]->body), body) == 0 ? known : MODEL_OTHER;
	must(s->batches < MODEL_EDITS, "a space has too many batches");
	if (s->batches == s->batch_cap) {
		s->batch_cap = s->batch_cap == 0 ? 64 : 2 * s->batch_cap;
		s->batch = must_realloc(s->batch, s->batch_cap * sizeof(struct sealed *));
	}
	b = must_calloc(1, sizeof(*b));
	b->seq = seq;
	memcpy(b->dev, dev, DEV);
	must(buf_put(&b->body, body.data, body.len) == ERR_OK, "out of memory");
	if (batch_read(m, space, b, s->batches))
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
	struct name name = { .counter = counter };
	int e = 0;

	memcpy(name.dev, dev, DEV);
	e = edit_by_name(&m->space[space], &name);
	e = e < 0 ? -1 : m->space[space].edit[e]->batch;
	return e >= 0 && set_has(batches, (size_t)e);
}

void model_edits_of(const struct model *m, size_t space, const struct set *batches, struct set *out)
{
	const struct space *s = &m->space[space];

	for (size_t i = 0; i < s->n; i++) {
		if (s->edit[i]->batch >= 0 && set_has(batches, (size_t)s->edit[i]->batch))
			set_add(out, i);
	}
}

// ---- Who had seen what ----

/* A place in a batch. */
struct place {
	size_t batch;
	uint64_t order;
};

struct look {
	const struct space *s;
	const struct set *has;
	bool *in_force;       /* by what is said: removals that leave something out */
	signed char *decided; /* is what is said in order? -1: not worked out */
};

static struct place place_of(const struct says *a)
{
	return (struct place){ a->batch, a->order };
}

static bool saw(const struct space *s, struct place who, struct place what)
{
	return who.batch == what.batch ? what.order < who.order : set_has(&s->batch[who.batch]->past, what.batch);
}

/* The last batch of a device that the author of a removal of it had. Whoever removes itself had that very batch. */
static uint64_t keep_of(const struct space *s, const struct says *cut)
{
	uint64_t last = 0;

	for (size_t i = 0; i < s->batches; i++) {
		if (memcmp(s->batch[i]->dev, cut->device, DEV) == 0 &&
		    (i == cut->batch || set_has(&s->batch[cut->batch]->past, i)) && s->batch[i]->seq > last)
			last = s->batch[i]->seq;
	}
	return last;
}

/* ---- What is in order ---- */

static bool in_order(struct look *v, size_t a);

static bool known(const struct look *v, size_t a)
{
	return set_has(v->has, v->s->says[a].batch);
}

/* Some removal in force names this device and had not seen this batch of it. */
static bool left_out(const struct look *v, size_t batch)
{
	const struct sealed *b = v->s->batch[batch];

	for (size_t k = 0; k < v->s->says_n; k++) {
		const struct says *cut = &v->s->says[k];

		if (cut->what == CUTS && v->in_force[k] && memcmp(cut->device, b->dev, DEV) == 0 &&
		    b->seq > keep_of(v->s, cut))
			return true;
	}
	return false;
}

/* Of two, which was said with fewer batches before it? */
static bool earlier(const struct space *s, const struct says *a, const struct says *b)
{
	size_t x = set_size(&s->batch[a->batch]->past);
	size_t y = set_size(&s->batch[b->batch]->past);
	int c = memcmp(s->batch[a->batch]->dev, s->batch[b->batch]->dev, DEV);

	if (x != y)
		return x < y;
	return c != 0 ? c < 0 : a->order < b->order;
}

/* By which words a device is in, at a place (NULL: now); NULL where it is not. */
static const struct says *let_in(struct look *v, const uint8_t *dev, const struct place *at)
{
	const struct says *first = NULL;

	for (size_t k = 0; k < v->s->says_n; k++) {
		const struct says *a = &v->s->says[k];

		if (a->what == ADMITS && known(v, k) && memcmp(a->device, dev, DEV) == 0 &&
		    (at == NULL || saw(v->s, *at, place_of(a))) && (first == NULL || earlier(v->s, a, first)) &&
		    in_order(v, k))
			first = a;
	}
	return first;
}

/* A role is held by whoever was granted it, unless it was taken by somebody who knew of that grant; and then at no place
 * that the taker had not seen. */
static unsigned roles_at(struct look *v, const struct name *person, struct place at)
{
	unsigned roles = 0;

	for (size_t k = 0; k < v->s->says_n; k++) {
		const struct says *g = &v->s->says[k];
		unsigned left = g->roles;

		if (g->what != GRANTS || !known(v, k) || name_cmp(&g->person, person) != 0 ||
		    !saw(v->s, at, place_of(g)) || !in_order(v, k))
			continue;
		for (size_t t = 0; t < v->s->says_n; t++) {
			const struct says *taken = &v->s->says[t];

			if (taken->what == TAKES && v->in_force[t] && name_cmp(&taken->person, person) == 0 &&
			    saw(v->s, place_of(taken), place_of(g)) && !saw(v->s, place_of(taken), at))
				left &= ~taken->roles;
		}
		roles |= left;
	}
	return roles;
}

static bool entitled(struct look *v, const struct says *a)
{
	const struct space *s = v->s;
	const struct sealed *b = s->batch[a->batch];
	struct place at = place_of(a);
	bool founder = memcmp(b->dev, s->founder, DEV) == 0;
	const struct says *mine = NULL;
	const struct says *theirs = NULL;
	bool own = false;

	if (founder && b->seq == 1)
		return true;
	mine = let_in(v, b->dev, &at);
	if (mine == NULL && !founder)
		return false;
	own = mine != NULL && name_cmp(&mine->person, &a->person) == 0;
	if (a->what == ADMITS)
		return a->fresh || own;
	if (s->kind != NEIGHBOURHOOD || (mine != NULL && (roles_at(v, &mine->person, at) & COORDINATOR) != 0))
		return true;
	if (a->what != CUTS)
		return a->what == TAKES && own;
	theirs = let_in(v, a->device, &at);
	return memcmp(a->device, b->dev, DEV) == 0 ||
	       (mine != NULL && theirs != NULL && name_cmp(&mine->person, &theirs->person) == 0);
}

static bool in_order(struct look *v, size_t a)
{
	if (v->decided[a] < 0)
		v->decided[a] = known(v, a) && !left_out(v, v->s->says[a].batch) && entitled(v, &v->s->says[a]);
	return v->decided[a] == 1;
}

/* Exactly these removals are in force from now on. */
static void enforce(struct look *v, const size_t *which, size_t n)
{
	memset(v->in_force, 0, v->s->says_n * sizeof(*v->in_force));
	memset(v->decided, -1, v->s->says_n * sizeof(*v->decided));
	for (size_t i = 0; i < n; i++)
		v->in_force[which[i]] = true;
}

/* ---- Which removals count ---- */

/* Lists of removals as bits of a number; `answers[k]`: those that k leaves out, `beats[k]`: those that it undoes. */
struct quarrel {
	size_t removal[REMOVALS_MAX];
	uint64_t rank[REMOVALS_MAX];
	uint64_t answers[REMOVALS_MAX];
	uint64_t beats[REMOVALS_MAX];
	size_t n;
};

#define BIT(i) (UINT64_C(1) << (i))

/* How many batches there were when a device joined: the founder before all others. */
static uint64_t joined_after(struct look *v, const uint8_t *dev)
{
	const struct says *a = NULL;

	if (memcmp(dev, v->s->founder, DEV) == 0)
		return 0;
	a = let_in(v, dev, NULL);
	return a == NULL ? UINT64_MAX : 2 + set_size(&v->s->batch[a->batch]->past);
}

static const uint8_t *author_of(const struct look *v, size_t said)
{
	return v->s->batch[v->s->says[said].batch]->dev;
}

static bool joined_first(const struct look *v, const struct quarrel *q, size_t a, size_t b)
{
	if (q->rank[a] != q->rank[b])
		return q->rank[a] < q->rank[b];
	return memcmp(author_of(v, q->removal[a]), author_of(v, q->removal[b]), DEV) < 0;
}

/* Who had seen the own removal removes nobody; of two who remove each other the one who joined first does; any other
 * removal of the remover undoes what it leaves out. */
static void quarrel_weigh(struct look *v, struct quarrel *q)
{
	for (size_t k = 0; k < q->n; k++) {
		enforce(v, &q->removal[k], 1);
		q->answers[k] = 0;
		for (size_t i = 0; i < q->n; i++)
			q->answers[k] |= i != k && !in_order(v, q->removal[i]) ? BIT(i) : 0;
	}
	for (size_t k = 0; k < q->n; k++) {
		q->beats[k] = 0;
		for (size_t i = 0; i < q->n; i++) {
			size_t x = v->s->says[q->removal[k]].batch;
			size_t y = v->s->says[q->removal[i]].batch;
			bool seen = x != y && set_has(&v->s->batch[y]->past, x);

			if ((q->answers[k] & BIT(i)) != 0 &&
			    (seen || (q->answers[i] & BIT(k)) == 0 || joined_first(v, q, k, i)))
				q->beats[k] |= BIT(i);
		}
	}
}

/* The same removal said twice. */
static bool same(const struct look *v, size_t a, size_t b)
{
	const struct says *x = &v->s->says[a];
	const struct says *y = &v->s->says[b];

	return x->what == y->what && x->batch == y->batch && memcmp(x->device, y->device, DEV) == 0 &&
	       (x->what == CUTS || x->order == y->order);
}

static bool before(const struct look *v, const struct quarrel *q, size_t a, size_t b)
{
	const struct says *x = &v->s->says[q->removal[a]];
	const struct says *y = &v->s->says[q->removal[b]];
	int author = memcmp(author_of(v, q->removal[a]), author_of(v, q->removal[b]), DEV);
	int target = memcmp(x->device, y->device, DEV);

	if (q->rank[a] != q->rank[b] || author != 0)
		return joined_first(v, q, a, b);
	if (x->batch != y->batch)
		return v->s->batch[x->batch]->seq < v->s->batch[y->batch]->seq;
	return target != 0 ? target < 0 : x->order < y->order;
}

/* Those that count: what nothing that may still count undoes, does; what one of those undoes, does not. Where that ends,
 * they go round in a circle: the one who joined first wins, and what leaves it out fails. */
static uint64_t quarrel_end(const struct look *v, const struct quarrel *q)
{
	uint64_t all = q->n == 64 ? UINT64_MAX : BIT(q->n) - 1;
	uint64_t yes = 0;
	uint64_t no = 0;

	while ((yes | no) != all) {
		uint64_t threatened = 0;
		uint64_t undone = 0;
		uint64_t open = 0;
		size_t first = q->n;

		for (size_t k = 0; k < q->n; k++) {
			threatened |= (no & BIT(k)) == 0 ? q->beats[k] : 0;
			undone |= (yes & BIT(k)) != 0 ? q->beats[k] : 0;
		}
		open = all & ~yes & ~no;
		if ((open & undone) != 0 || (open & ~threatened) != 0) {
			no |= open & undone;
			yes |= open & ~threatened & ~undone;
			continue;
		}
		for (size_t i = 0; i < q->n; i++) {
			if ((open & BIT(i)) != 0 && (first == q->n || before(v, q, i, first)))
				first = i;
		}
		for (size_t i = 0; i < q->n; i++) {
			if ((open & BIT(i)) == 0)
				continue;
			if (same(v, q->removal[i], q->removal[first]))
				yes |= BIT(i);
			else if ((q->answers[i] & BIT(first)) != 0)
				no |= BIT(i);
		}
	}
	return yes;
}

static void settle(struct look *v)
{
	struct quarrel q = { .n = 0 };
	bool again = true;

	enforce(v, NULL, 0);
	for (size_t k = 0; k < v->s->says_n; k++) {
		const struct says *a = &v->s->says[k];

		if ((a->what != CUTS && a->what != TAKES) || !in_order(v, k))
			continue;
		must(q.n < REMOVALS_MAX, "too many removals");
		q.rank[q.n] = joined_after(v, author_of(v, k));
		q.removal[q.n++] = k;
	}
	while (again) {
		size_t stay[REMOVALS_MAX];
		size_t stays = 0;
		size_t kept = 0;
		uint64_t yes = 0;

		quarrel_weigh(v, &q);
		yes = quarrel_end(v, &q);
		for (size_t i = 0; i < q.n; i++) {
			if ((yes & BIT(i)) != 0)
				stay[stays++] = q.removal[i];
		}
		enforce(v, stay, stays);
		/* what nobody was entitled to with all of them in force is as if it had not been said */
		for (size_t i = 0; i < q.n; i++) {
			if ((yes & BIT(i)) != 0 && !in_order(v, q.removal[i]))
				continue;
			q.removal[kept] = q.removal[i];
			q.rank[kept++] = q.rank[i];
		}
		again = kept < q.n;
		q.n = kept;
	}
}

struct look *look_new(const struct space *s, const struct set *batches)
{
	struct look *v = must_calloc(1, sizeof(*v));

	v->s = s;
	v->has = batches;
	v->in_force = must_calloc(s->says_n + 1, sizeof(*v->in_force));
	v->decided = must_calloc(s->says_n + 1, sizeof(*v->decided));
	settle(v);
	return v;
}

void look_free(struct look *v)
{
	free(v->in_force);
	free(v->decided);
	free(v);
}

/* ---- Which edits count ---- */

static bool adds_any(const struct wrote *w, bool only_roles)
{
	struct in in = in_of(w->value);
	uint64_t n = 0;

	count(&in);
	n = count(&in);
	if (!only_roles)
		return n > 0;
	for (; n > 0 && !in.bad; n--) {
		struct bytes element = item(&in);

		if (element.len > 0 && (element.data[0] >> 5 != 3 || role_bit(element) != 0))
			return true;
	}
	return false;
}

/* A member record: devices are added to a record by its person, or when it is made. In a neighbourhood only
 * coordinators give roles, and write to the records of others, save that somebody was met. */
static unsigned member_right(unsigned where, const struct made *e, bool own)
{
	bool theirs = e->kind == 0 && !own;
	unsigned right = 0;

	for (size_t i = 0; i < e->writes; i++) {
		const struct wrote *w = &e->write[i];

		if (w->tag == MEMBER_DEVICES && theirs && adds_any(w, false))
			return NOBODY;
		if (where == NEIGHBOURHOOD && w->tag != MEMBER_MET &&
		    (theirs || (w->tag == MEMBER_ROLES && adds_any(w, true))))
			right = COORDINATOR;
	}
	return right;
}

/* In a neighbourhood: entries of the directory, plans and settings are the coordinators', but anybody may mark an entry
 * as right or wrong; keys, manifests and sums of a tally are the tellers'; a release is either's. */
static unsigned right_for(unsigned where, uint32_t kind, const struct made *e, bool own)
{
	bool marks = e->kind == 0;

	for (size_t i = 0; i < e->writes; i++)
		marks = marks && (e->write[i].tag == (16u << 3 | REG) || e->write[i].tag == (17u << 3 | REG) ||
		                  e->write[i].tag == (18u << 3 | TEXT));
	if (kind == MEMBER)
		return member_right(where, e, own);
	if (where != NEIGHBOURHOOD)
		return 0;
	if (kind == 5)
		return marks ? 0 : COORDINATOR;
	if (kind == 6 || kind == 12)
		return COORDINATOR;
	if (kind == 7 || kind == 9 || kind == 10)
		return TELLER;
	return kind == 11 ? TELLER | COORDINATOR : 0;
}

bool look_counts(struct look *v, size_t edit)
{
	const struct space *s = v->s;
	const struct made *e = s->edit[edit];
	uint32_t kind = kind_of(s, e);
	const struct sealed *b = NULL;
	const struct says *mine = NULL;
	struct place at;
	bool founder = false;
	unsigned right = 0;

	if (e->batch < 0 || !set_has(v->has, (size_t)e->batch)) /* its author's own, before it is sealed */
		return true;
	at = (struct place){ (size_t)e->batch, EDITS_FROM + e->name.counter };
	b = s->batch[e->batch];
	founder = memcmp(b->dev, s->founder, DEV) == 0;
	if (left_out(v, at.batch) || (!founder && let_in(v, b->dev, NULL) == NULL))
		return false;
	if (s->kind != NEIGHBOURHOOD && kind != MEMBER)
		return true;
	mine = let_in(v, b->dev, &at);
	if (mine == NULL && !founder)
		return false;
	right = right_for(s->kind, kind, e, mine != NULL && name_cmp(&mine->person, &e->target) == 0);
	if (right == 0 || (founder && b->seq == 1) || (s->kind != NEIGHBOURHOOD && right != NOBODY))
		return true;
	return mine != NULL && (roles_at(v, &mine->person, at) & right) != 0;
}

/* ---- Devices ---- */

static int device_cmp_id(const void *a, const void *b)
{
	return memcmp(((const struct model_device *)a)->id, ((const struct model_device *)b)->id, DEV);
}

static void device_add(struct model_devices *out, const uint8_t *id)
{
	for (size_t i = 0; i < out->n; i++) {
		if (memcmp(out->d[i].id, id, DEV) == 0)
			return;
	}
	out->d = must_realloc(out->d, (out->n + 1) * sizeof(*out->d));
	out->d[out->n] = (struct model_device){ .named = true };
	memcpy(out->d[out->n++].id, id, DEV);
}

static void device_fill(struct look *v, struct model_device *d)
{
	const struct says *a = let_in(v, d->id, NULL);

	d->in = a != NULL || memcmp(d->id, v->s->founder, DEV) == 0;
	d->keep = d->in ? UINT64_MAX : 0;
	if (a != NULL) {
		memcpy(d->person, a->person.dev, DEV);
		d->person_counter = a->person.counter;
	}
	for (size_t k = 0; k < v->s->says_n; k++) {
		const struct says *cut = &v->s->says[k];
		uint64_t keep = 0;

		if (cut->what != CUTS || !v->in_force[k] || memcmp(cut->device, d->id, DEV) != 0)
			continue;
		keep = keep_of(v->s, cut);
		d->keep = keep < d->keep ? keep : d->keep;
		d->in = false;
	}
}

void model_members(const struct model *m, size_t space, const struct set *batches, struct model_devices *out)
{
	struct look *v = look_new(&m->space[space], batches);

	*out = (struct model_devices){ 0 };
	if (v->s->kind != 0)
		device_add(out, v->s->founder);
	for (size_t k = 0; k < v->s->says_n; k++) {
		if (v->s->says[k].what == ADMITS && known(v, k))
			device_add(out, v->s->says[k].device);
	}
	for (size_t i = 0; i < out->n; i++)
		device_fill(v, &out->d[i]);
	if (out->n > 0)
		qsort(out->d, out->n, sizeof(*out->d), device_cmp_id);
	look_free(v);
}

bool model_is_in(const struct model *m, size_t space, const struct set *batches, const uint8_t dev[static 8])
{
	struct model_devices all;
	bool in = false;

	model_members(m, space, batches, &all);
	for (size_t i = 0; i < all.n; i++)
		in = in || (memcmp(all.d[i].id, dev, DEV) == 0 && all.d[i].in);
	free(all.d);
	return in;
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

struct model_removals model_removals(const struct model *m, size_t space, const struct set *batches)
{
	struct look *v = look_new(&m->space[space], batches);
	struct model_removals r = { 0 };

	for (size_t k = 0; k < v->s->says_n; k++) {
		const struct says *a = &v->s->says[k];

		if (a->what == CUTS && known(v, k)) {
			r.made++;
			r.count += v->in_force[k];
		}
	}
	look_free(v);
	return r;
}
