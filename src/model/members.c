// SPDX-License-Identifier: EUPL-1.2
// Who belongs to a space (K1, K4): rights follow from acts in each act's own past; removals are settled by
// model/cuts.h, over what each of them leaves out.
#include "model/members.h"

#include <stdlib.h>
#include <string.h>

#include "model/cuts.h"

/* ---- What was seen ---- */

bool moment_saw(const struct moment *at, const struct moment *what)
{
	const struct vv_entry *e = NULL;

	if (device_cmp(at->author, what->author) == 0)
		return what->seq != at->seq ? what->seq < at->seq : what->order < at->order;
	e = vv_get(at->seen, what->author);
	return e != NULL && e->seq >= what->seq;
}

/* Batches in its past, itself included: grows along everything that was seen. */
static uint64_t depth_of(const struct moment *at)
{
	uint64_t depth = at->seq;

	for (size_t i = 0; i < at->seen->n; i++)
		if (device_cmp(at->seen->e[i].dev, at->author) != 0)
			depth += at->seen->e[i].seq;
	return depth;
}

static uint64_t keep_of(const struct act *cut)
{
	const struct vv_entry *e = vv_get(cut->at.seen, cut->device);

	if (device_cmp(cut->device, cut->at.author) == 0)
		return cut->at.seq;
	return e == NULL ? 0 : e->seq;
}

static bool removes(const struct act *a)
{
	return a->type == ACT_CUT || a->type == ACT_TAKE;
}

/* ---- Rights ---- */

/* All of these go by `counts` of the acts. While removals are being settled, it says of a removal that it is in force,
 * and of any other act what follows from those. */

static bool left_out(const struct members *m, struct device_id dev, uint64_t seq)
{
	for (size_t k = 0; k < m->acts; k++) {
		const struct act *cut = &m->act[k];

		if (cut->type == ACT_CUT && cut->counts && device_cmp(cut->device, dev) == 0 && seq > keep_of(cut))
			return true;
	}
	return false;
}

/* The admission of a device in the past of `at` that lies deepest; NULL where there is none. */
static const struct act *admission(const struct members *m, struct device_id dev, const struct moment *at)
{
	for (size_t k = 0; k < m->acts; k++) {
		const struct act *a = &m->act[k];

		if (a->type == ACT_ADMIT && a->counts && device_cmp(a->device, dev) == 0 && moment_saw(at, &a->at))
			return a;
	}
	return NULL;
}

/* What is left of a grant at a moment (NULL: now): a role that was taken is gone for all that its taker had not seen.
 */
static unsigned left_of(const struct members *m, const struct act *grant, const struct moment *at)
{
	unsigned roles = grant->roles;

	for (size_t k = 0; k < m->acts; k++) {
		const struct act *t = &m->act[k];

		if (t->type == ACT_TAKE && t->counts && dot_cmp(t->person, grant->person) == 0 &&
		    moment_saw(&t->at, &grant->at) && (at == NULL || !moment_saw(&t->at, at)))
			roles &= ~t->roles;
	}
	return roles;
}

static unsigned roles_of(const struct members *m, struct dot person, const struct moment *at)
{
	unsigned roles = 0;

	for (size_t k = 0; k < m->acts; k++) {
		const struct act *g = &m->act[k];

		if (g->type == ACT_GRANT && g->counts && dot_cmp(g->person, person) == 0 &&
		    (at == NULL || moment_saw(at, &g->at)))
			roles |= left_of(m, g, at);
	}
	return roles;
}

static bool same_person(struct dot a, struct dot b)
{
	return !dot_is_none(a) && dot_cmp(a, b) == 0;
}

static const struct device_id no_device;

/* A device that goes on under another id: is it still one that may, with no removal of it that knew nothing of this? */
static bool may_go_on(const struct members *m, const struct act *a)
{
	for (size_t k = 0; k < m->acts; k++) {
		const struct act *cut = &m->act[k];

		if (cut->type == ACT_CUT && cut->counts && device_cmp(cut->device, a->goes_on) == 0 &&
		    !moment_saw(&cut->at, &a->at))
			return false;
	}
	return device_cmp(a->goes_on, m->founder) == 0 || admission(m, a->goes_on, &a->at) != NULL;
}

static bool entitled(const struct members *m, const struct act *a)
{
	bool founder = device_cmp(a->at.author, m->founder) == 0;
	const struct act *mine = admission(m, a->at.author, &a->at);
	const struct act *other = NULL;
	struct dot me = mine == NULL ? (struct dot){ 0 } : mine->person;

	if (founder && a->at.seq == 1)
		return true;
	if (a->type == ACT_ADMIT && device_cmp(a->goes_on, no_device) != 0)
		return may_go_on(m, a) && (mine != NULL || founder || device_cmp(a->device, a->at.author) == 0);
	if (mine == NULL && !founder)
		return false;
	if (a->type == ACT_ADMIT)
		return a->fresh || same_person(me, a->person);
	if (m->kind != SPACE_NEIGHBOURHOOD || (roles_of(m, me, &a->at) & ROLE_COORDINATOR) != 0)
		return true;
	switch (a->type) {
	case ACT_TAKE:
		return same_person(me, a->person);
	case ACT_CUT:
		other = admission(m, a->device, &a->at);
		return device_cmp(a->device, a->at.author) == 0 || (other != NULL && same_person(me, other->person));
	default:
		return false;
	}
}

/* ---- Settling ---- */

struct settling {
	struct members *m;
	size_t *index; /* of the removals that are left, into the acts */
	size_t n;
	struct cut *cut;
	bool *answers;
	bool *ok; /* by act: entitled, and left out by no removal in force */
};

static void settling_free(struct settling *s)
{
	free(s->index);
	free(s->cut);
	free(s->answers);
	free(s->ok);
}

/* Whose device goes on under another id. */
static struct dot person_of(const struct members *m, const struct act *a)
{
	const struct act *was = admission(m, a->goes_on, &a->at);

	return was == NULL ? (struct dot){ 0 } : was->person;
}

/* What follows where exactly these removals are in force: those of the list whose cut counts, or the one numbered
 * `only`. Acts stand in causal order, so that each finds its past decided. */
static void follow(struct settling *s, size_t only)
{
	struct members *m = s->m;

	for (size_t i = 0; i < m->acts; i++)
		m->act[i].counts = false;
	for (size_t k = 0; k < s->n; k++)
		m->act[s->index[k]].counts = only == SIZE_MAX ? s->cut[k].counts : k == only;
	for (size_t i = 0; i < m->acts; i++) {
		struct act *a = &m->act[i];

		s->ok[i] = !left_out(m, a->at.author, a->at.seq) && entitled(m, a);
		if (a->type == ACT_ADMIT && device_cmp(a->goes_on, no_device) != 0)
			a->person = person_of(m, a);
		if (!removes(a))
			a->counts = s->ok[i];
	}
}

static uint64_t rank_of(const struct members *m, struct device_id dev)
{
	if (device_cmp(dev, m->founder) == 0)
		return 0;
	for (size_t i = 0; i < m->acts; i++)
		if (m->act[i].type == ACT_ADMIT && m->act[i].counts && device_cmp(m->act[i].device, dev) == 0)
			return m->act[i].depth + 1;
	return UINT64_MAX;
}

/* The removals that were in order when they were made, as if none of them counted. */
static enum err removals_list(struct settling *s)
{
	size_t all = 0;

	for (size_t i = 0; i < s->m->acts; i++)
		all += removes(&s->m->act[i]);
	s->ok = calloc(s->m->acts + 1, sizeof(*s->ok));
	s->index = calloc(all + 1, sizeof(*s->index));
	s->cut = calloc(all + 1, sizeof(*s->cut));
	s->answers = calloc(all * all + 1, sizeof(*s->answers));
	if (s->ok == NULL || s->index == NULL || s->cut == NULL || s->answers == NULL)
		return ERR_NO_MEMORY;
	follow(s, SIZE_MAX);
	for (size_t i = 0; i < s->m->acts; i++) {
		const struct act *a = &s->m->act[i];

		if (!removes(a) || !s->ok[i])
			continue;
		/* a taking removes no device: `answers` alone tells what it leaves out, `keep` only that it is another
		 */
		s->cut[s->n] = (struct cut){ .author = a->at.author,
			                     .seq = a->at.seq,
			                     .target = a->device,
			                     .keep = a->type == ACT_CUT ? keep_of(a) : a->at.order,
			                     .seen = a->at.seen,
			                     .rank = rank_of(s->m, a->at.author) };
		s->index[s->n++] = i;
	}
	return ERR_OK;
}

/* What each of them leaves out of the others when it alone is in force. */
static void answers_find(struct settling *s)
{
	for (size_t k = 0; k < s->n; k++) {
		follow(s, k);
		for (size_t i = 0; i < s->n; i++)
			s->answers[k * s->n + i] = i != k && !s->ok[s->index[i]];
	}
}

/* Drops those that count but that nobody was entitled to with all of them in force. */
static bool removals_drop(struct settling *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->cut[i].counts && !s->ok[s->index[i]])
			continue;
		s->index[kept] = s->index[i];
		s->cut[kept++] = s->cut[i];
	}
	if (kept == s->n)
		return false;
	s->n = kept;
	return true;
}

static enum err removals_settle(struct settling *s)
{
	enum err e = removals_list(s);
	bool again = true;

	while (e == ERR_OK && again) {
		answers_find(s);
		e = cuts_settle(s->cut, s->n, s->answers);
		if (e == ERR_OK)
			follow(s, SIZE_MAX);
		again = e == ERR_OK && removals_drop(s);
	}
	return e;
}

/* ---- What follows for the devices ---- */

static int act_cmp(const void *x, const void *y)
{
	const struct act *a = x;
	const struct act *b = y;
	int author = device_cmp(a->at.author, b->at.author);

	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	if (author != 0)
		return author;
	if (a->at.seq != b->at.seq)
		return a->at.seq < b->at.seq ? -1 : 1;
	return (a->at.order > b->at.order) - (a->at.order < b->at.order);
}

static int standing_cmp(const void *x, const void *y)
{
	return device_cmp(((const struct standing *)x)->device, ((const struct standing *)y)->device);
}

static enum err devices_list(struct members *m)
{
	size_t n = 1;
	size_t kept = 0;

	m->device = calloc(2 * m->acts + 1, sizeof(*m->device));
	if (m->device == NULL)
		return ERR_NO_MEMORY;
	m->device[0].device = m->founder;
	for (size_t i = 0; i < m->acts; i++) {
		m->device[n++].device = m->act[i].at.author;
		if (m->act[i].type == ACT_ADMIT || m->act[i].type == ACT_CUT)
			m->device[n++].device = m->act[i].device;
	}
	qsort(m->device, n, sizeof(*m->device), standing_cmp);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || standing_cmp(&m->device[kept - 1], &m->device[i]) != 0)
			m->device[kept++] = m->device[i];
	m->devices = kept;
	return ERR_OK;
}

static void devices_fill(struct members *m)
{
	for (size_t d = 0; d < m->devices; d++) {
		struct standing *s = &m->device[d];

		s->in = device_cmp(s->device, m->founder) == 0;
		s->keep = UINT64_MAX;
		s->rank = rank_of(m, s->device);
		for (size_t i = m->acts; i-- > 0;) {
			const struct act *a = &m->act[i];

			if (!a->counts || device_cmp(a->device, s->device) != 0)
				continue;
			if (a->type == ACT_ADMIT) {
				s->in = true;
				s->person = a->person;
			}
			if (a->type == ACT_CUT && keep_of(a) < s->keep)
				s->keep = keep_of(a);
		}
		if (!s->in)
			s->keep = 0;
	}
}

enum err members_settle(struct members *m)
{
	struct settling s = { .m = m };
	enum err e = ERR_OK;

	for (size_t i = 0; i < m->acts; i++) {
		m->act[i].depth = depth_of(&m->act[i].at);
		m->act[i].counts = false;
	}
	if (m->acts > 0)
		qsort(m->act, m->acts, sizeof(*m->act), act_cmp);
	m->device = NULL;
	m->devices = 0;
	e = removals_settle(&s);
	if (e == ERR_OK)
		e = devices_list(m);
	if (e == ERR_OK)
		devices_fill(m);
	settling_free(&s);
	return e;
}

void members_free(struct members *m)
{
	free(m->device);
	m->device = NULL;
	m->devices = 0;
}

/* ---- Questions ---- */

const struct standing *members_find(const struct members *m, struct device_id dev)
{
	struct standing key = { .device = dev };

	return m->devices == 0 ? NULL : bsearch(&key, m->device, m->devices, sizeof(key), standing_cmp);
}

bool members_void(const struct members *m, struct device_id dev, uint64_t seq)
{
	const struct standing *s = members_find(m, dev);

	return s == NULL || seq > s->keep;
}

bool members_let_in(const struct members *m, const struct moment *at)
{
	for (size_t i = 0; i < m->acts; i++)
		if (m->act[i].type == ACT_ADMIT && device_cmp(m->act[i].device, at->author) == 0 &&
		    moment_saw(at, &m->act[i].at))
			return true;
	return false;
}

bool members_knew(const struct members *m, const struct moment *at, struct device_id dev)
{
	return device_cmp(dev, m->founder) == 0 || admission(m, dev, at) != NULL;
}

struct dot members_person(const struct members *m, const struct moment *at)
{
	const struct act *a = admission(m, at->author, at);

	return a == NULL ? (struct dot){ 0 } : a->person;
}

bool members_may(const struct members *m, const struct moment *at, unsigned roles)
{
	bool founder = device_cmp(at->author, m->founder) == 0;
	const struct act *a = admission(m, at->author, at);

	if (members_void(m, at->author, at->seq) || (a == NULL && !founder))
		return false;
	if (roles == 0 || (founder && at->seq == 1) || (m->kind != SPACE_NEIGHBOURHOOD && roles != ROLE_NOBODY))
		return true;
	return a != NULL && (roles_of(m, a->person, at) & roles) != 0;
}

unsigned members_roles(const struct members *m, struct dot person)
{
	return roles_of(m, person, NULL);
}

bool members_knew_removals(const struct members *m, const struct moment *at)
{
	for (size_t i = 0; i < m->acts; i++)
		if (m->act[i].type == ACT_CUT && m->act[i].counts && !moment_saw(at, &m->act[i].at))
			return false;
	return true;
}
