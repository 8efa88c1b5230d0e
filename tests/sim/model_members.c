// SPDX-License-Identifier: EUPL-1.2
// The reference model: who belongs to a space, and which edits count. A second reading of docs/MERGE.md, "Removals":
// plain definitions over sets of batches, each of which may ask for another one about an earlier batch.
#include <stdlib.h>
#include <string.h>

#include "sim/model_inside.h"
#include "sim/must.h"

#define NOBODY (1u << 31)
#define NEIGHBOURHOOD 3
#define REMOVALS_MAX 64

/* ---- Who had seen what ---- */

/* A place in a batch. */
struct place {
	size_t batch;
	uint64_t order;
};

struct look {
	const struct space *s;
	const struct set *has;
	const struct cut *cut;
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

static const struct says *let_in(struct look *v, const uint8_t *dev, const struct place *at);

/* Whose the device is that is let in; where another one goes on under its id, that one's person. */
static struct name person_of(struct look *v, const struct says *a)
{
	struct place at = place_of(a);
	const struct says *was = a->on ? let_in(v, a->was, &at) : a;

	return was == NULL ? (struct name){ .counter = 0 } : was == a ? a->person : person_of(v, was);
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
	if (c != 0 || a->order != b->order)
		return c != 0 ? c < 0 : a->order < b->order;
	return name_cmp(&a->person, &b->person) < 0;
}

#define WAYS_MAX 64

/* The words by which a device is in. */
struct ways {
	const struct says *by[WAYS_MAX];
	size_t n;
};

/* Had the device's first batch seen this admission of it, or does it say so itself, or is there none? */
static bool binds(const struct look *v, const struct says *a)
{
	for (size_t i = 0; i < v->s->batches; i++) {
		const struct sealed *b = v->s->batch[i];

		if (b->seq == 1 && set_has(v->has, i) && memcmp(b->dev, a->device, DEV) == 0)
			return i == a->batch || set_has(&b->past, a->batch);
	}
	return true;
}

/* All admissions that count, at a place (NULL: now); of those that its first batch had seen, if there are any, only
 * those. */
static void ways_in(struct look *v, const uint8_t *dev, const struct place *at, struct ways *out)
{
	struct ways all = { .n = 0 };

	out->n = 0;
	for (size_t k = 0; k < v->s->says_n; k++) {
		const struct says *a = &v->s->says[k];

		if (a->what != ADMITS || !known(v, k) || memcmp(a->device, dev, DEV) != 0 ||
		    (at != NULL && !saw(v->s, *at, place_of(a))) || !in_order(v, k))
			continue;
		must(all.n < WAYS_MAX, "a device is admitted too often");
		all.by[all.n++] = a;
		if (binds(v, a))
			out->by[out->n++] = a;
	}
	if (out->n == 0)
		*out = all;
}

/* The earliest of them; NULL: it is not in. */
static const struct says *let_in(struct look *v, const uint8_t *dev, const struct place *at)
{
	const struct says *first = NULL;
	struct ways w;

	ways_in(v, dev, at, &w);
	for (size_t i = 0; i < w.n; i++) {
		if (first == NULL || earlier(v->s, w.by[i], first))
			first = w.by[i];
	}
	return first;
}

static bool is_of(struct look *v, const uint8_t *dev, const struct place *at, const struct name *person)
{
	struct ways w;
	bool is = false;

	if (person->counter == 0)
		return false;
	ways_in(v, dev, at, &w);
	for (size_t i = 0; i < w.n; i++) {
		struct name whose = person_of(v, w.by[i]);

		is = is || name_cmp(&whose, person) == 0;
	}
	return is;
}

/* A role is held by whoever was granted it, unless it was taken by somebody who knew of that grant; and then at no
 * place that the taker had not seen. */
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

/* A device has the roles of all whose it is. */
static unsigned rights_at(struct look *v, const uint8_t *dev, struct place at)
{
	struct ways w;
	unsigned roles = 0;

	ways_in(v, dev, &at, &w);
	for (size_t i = 0; i < w.n; i++) {
		struct name whose = person_of(v, w.by[i]);

		roles |= roles_at(v, &whose, at);
	}
	return roles;
}

/* A device of the own person, and of nobody else by any admission that binds it. */
static bool removes_own(struct look *v, const struct says *cut)
{
	const uint8_t *me = v->s->batch[cut->batch]->dev;
	struct place at = place_of(cut);
	struct name whose = { .counter = 0 };
	bool own = false;

	if (memcmp(cut->device, me, DEV) == 0)
		return true;
	for (size_t k = 0; k < v->s->says_n; k++) {
		const struct says *a = &v->s->says[k];

		if (a->what != ADMITS || !known(v, k) || memcmp(a->device, cut->device, DEV) != 0 || !binds(v, a))
			continue;
		whose = person_of(v, a);
		if (!is_of(v, me, &at, &whose))
			return false;
		own = true;
	}
	return own;
}

/* A device that is in goes on under another id, unless it was removed by somebody who had not seen that. */
static bool may_go_on(struct look *v, const struct says *a)
{
	struct place at = place_of(a);

	for (size_t k = 0; k < v->s->says_n; k++) {
		const struct says *cut = &v->s->says[k];

		if (cut->what == CUTS && cut->forked == 0 && v->in_force[k] && memcmp(cut->device, a->was, DEV) == 0 &&
		    !saw(v->s, place_of(cut), at))
			return false;
	}
	return memcmp(a->was, v->s->founder, DEV) == 0 || let_in(v, a->was, &at) != NULL;
}

static bool entitled(struct look *v, const struct says *a)
{
	const struct space *s = v->s;
	const struct sealed *b = s->batch[a->batch];
	struct place at = place_of(a);
	bool founder = memcmp(b->dev, s->founder, DEV) == 0;

	if (founder && b->seq == 1)
		return true;
	if (a->on && (!may_go_on(v, a) || memcmp(a->device, b->dev, DEV) == 0)) /* it may tell so itself */
		return may_go_on(v, a);
	if (!founder && let_in(v, b->dev, &at) == NULL)
		return false;
	if (a->on)
		return true;
	if (a->what == ADMITS)
		return a->fresh || is_of(v, b->dev, &at, &a->person);
	if (a->forked > 0 || s->kind != NEIGHBOURHOOD || (rights_at(v, b->dev, at) & COORDINATOR) != 0)
		return true;
	if (a->what == TAKES)
		return is_of(v, b->dev, &at, &a->person);
	return a->what == CUTS && removes_own(v, a);
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

/* Those of a circle that nothing open from outside it undoes. */
static uint64_t circle_of(const struct quarrel *q, uint64_t open)
{
	uint64_t leads[REMOVALS_MAX]; /* to which each leads by undoing, over any number of steps */
	uint64_t best = 0;

	for (size_t k = 0; k < q->n; k++)
		leads[k] = (open & BIT(k)) != 0 ? q->beats[k] & open : 0;
	for (size_t via = 0; via < q->n; via++) {
		for (size_t k = 0; k < q->n; k++)
			leads[k] |= (leads[k] & BIT(via)) != 0 ? leads[via] : 0;
	}
	for (size_t i = 0; i < q->n && best == 0; i++) {
		uint64_t to = 0;

		for (size_t k = 0; k < q->n; k++)
			to |= (leads[k] & BIT(i)) != 0 ? BIT(k) : 0;
		if ((open & BIT(i)) != 0 && to != 0 && (to & ~leads[i]) == 0)
			best = to;
	}
	return best;
}

/* Had its author seen one of the circle that undoes it? */
static bool knew_better(const struct look *v, const struct quarrel *q, uint64_t round, size_t i)
{
	size_t mine = v->s->says[q->removal[i]].batch;

	for (size_t k = 0; k < q->n; k++) {
		size_t other = v->s->says[q->removal[k]].batch;

		if ((round & BIT(k)) != 0 && (q->beats[k] & BIT(i)) != 0 && other != mine &&
		    set_has(&v->s->batch[mine]->past, other))
			return true;
	}
	return false;
}

/* Those that count: what nothing that may still count undoes, does; what one of those undoes, does not. Where that
 * ends, they go round in a circle: the one who joined first wins, and what leaves it out fails. */
static uint64_t quarrel_end(const struct look *v, const struct quarrel *q)
{
	uint64_t all = q->n == 64 ? UINT64_MAX : BIT(q->n) - 1;
	uint64_t yes = 0;
	uint64_t no = 0;

	while ((yes | no) != all) {
		uint64_t threatened = 0;
		uint64_t undone = 0;
		uint64_t open = 0;
		uint64_t round = 0;
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
		round = circle_of(q, open);
		for (size_t i = 0; i < q->n; i++) {
			if ((round & BIT(i)) != 0 && !knew_better(v, q, round, i) &&
			    (first == q->n || before(v, q, i, first)))
				first = i;
		}
		must(first < q->n, "removals that had all seen each other");
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

struct look *look_new(const struct space *s, const struct set *batches, const struct cut *cut)
{
	struct look *v = must_calloc(1, sizeof(*v));

	v->s = s;
	v->has = batches;
	v->cut = cut;
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

/* About a record of a device that was proven to have forked, which it made from there on and which does not count: then
 * what others write about it does not either. */
static bool on_lost_way(const struct look *v, const struct made *e)
{
	int first = edit_by_name(v->s, &e->target);
	int batch = first < 0 ? -1 : edit_batch(v->s->edit[first], v->has);

	if (e->kind != 0 || batch < 0 || memcmp(e->target.dev, e->name.dev, DEV) == 0 || !left_out(v, (size_t)batch))
		return false;
	for (size_t k = 0; k < v->s->says_n; k++) {
		const struct says *cut = &v->s->says[k];

		if (cut->forked > 0 && known(v, k) && memcmp(cut->device, e->target.dev, DEV) == 0 &&
		    v->s->batch[batch]->seq >= cut->forked)
			return true;
	}
	return false;
}

bool look_counts(struct look *v, size_t edit)
{
	const struct space *s = v->s;
	const struct made *e = s->edit[edit];
	uint32_t kind = edit_kind(s, e);
	const struct sealed *b = NULL;
	struct place at;
	bool founder = false;
	unsigned right = 0;

	if (v->cut != NULL && set_has(&v->cut->edits, edit))
		return set_has(&v->cut->counts, edit);
	if (edit_batch(e, v->has) < 0) /* its author's own, before it is sealed */
		return true;
	at = (struct place){ (size_t)edit_batch(e, v->has), EDITS_FROM + e->name.counter };
	b = s->batch[at.batch];
	founder = memcmp(b->dev, s->founder, DEV) == 0;
	if (left_out(v, at.batch) || on_lost_way(v, e) || (!founder && let_in(v, b->dev, NULL) == NULL))
		return false;
	if (s->kind != NEIGHBOURHOOD && kind != MEMBER)
		return true;
	if (!founder && let_in(v, b->dev, &at) == NULL)
		return false;
	right = right_for(s->kind, kind, e, is_of(v, b->dev, &at, &e->target));
	if (right == 0 || (founder && b->seq == 1) || (s->kind != NEIGHBOURHOOD && right != NOBODY))
		return true;
	return (rights_at(v, b->dev, at) & right) != 0;
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
		struct name whose = person_of(v, a);

		memcpy(d->person, whose.dev, DEV);
		d->person_counter = whose.counter;
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
	struct look *v = look_new(&m->space[space], batches, NULL);

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

struct model_removals model_removals(const struct model *m, size_t space, const struct set *batches)
{
	struct look *v = look_new(&m->space[space], batches, NULL);
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
