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

	for (size_t i = 0; i < at->seen->n; i++) {
		uint64_t more = device_cmp(at->seen->e[i].dev, at->author) == 0 ? 0 : at->seen->e[i].seq;

		depth = more > UINT64_MAX - 1 - depth ? UINT64_MAX - 1 : depth + more;
	}
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

#define NONE SIZE_MAX

static size_t place_of(const struct members *m, struct device_id dev)
{
	const struct standing *s = members_find(m, dev);

	return s == NULL ? NONE : (size_t)(s - m->device);
}

static size_t first_about(const struct members *m, size_t device)
{
	return device == NONE ? NONE : m->device[device].first;
}

/* The first grant or taking about a person. */
static size_t first_of(const struct members *m, struct dot person)
{
	size_t low = 0;
	size_t high = m->persons;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = dot_cmp(m->act[m->person[mid]].person, person);

		if (c == 0)
			return m->person[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NONE;
}

static bool left_out(const struct members *m, size_t device, uint64_t seq)
{
	for (size_t k = first_about(m, device); k != NONE; k = m->act[k].next) {
		const struct act *cut = &m->act[k];

		if (cut->type == ACT_CUT && cut->counts && seq > keep_of(cut))
			return true;
	}
	return false;
}

/* The admissions that say whose a device is, in causal order: those that count, and lie in the past of `at` (NULL: at
 * any time). Where some of them bind, only those: whoever admits a device later that was in already changes nothing.
 * NULL: no more. */
static const struct act *admission(const struct members *m, size_t device, const struct moment *at,
                                   const struct act *after)
{
	const struct act *loose = NULL;

	for (size_t k = after == NULL ? first_about(m, device) : after->next; k != NONE; k = m->act[k].next) {
		const struct act *a = &m->act[k];

		if (a->type != ACT_ADMIT || !a->counts || (at != NULL && !moment_saw(at, &a->at)))
			continue;
		if (a->binds)
			return a;
		if (loose == NULL)
			loose = a;
	}
	if (after != NULL && after->binds)
		return NULL;
	return loose;
}

/* What is left of a grant at a moment (NULL: now): a role that was taken is gone for all that its taker had not seen.
 */
static unsigned left_of(const struct members *m, const struct act *grant, const struct moment *at)
{
	unsigned roles = grant->roles;

	for (size_t k = first_of(m, grant->person); k != NONE; k = m->act[k].next) {
		const struct act *t = &m->act[k];

		if (t->type == ACT_TAKE && t->counts && moment_saw(&t->at, &grant->at) &&
		    (at == NULL || !moment_saw(&t->at, at)))
			roles &= ~t->roles;
	}
	return roles;
}

static unsigned roles_of(const struct members *m, struct dot person, const struct moment *at)
{
	unsigned roles = 0;

	for (size_t k = first_of(m, person); k != NONE; k = m->act[k].next) {
		const struct act *g = &m->act[k];

		if (g->type == ACT_GRANT && g->counts && (at == NULL || moment_saw(at, &g->at)))
			roles |= left_of(m, g, at);
	}
	return roles;
}

/* Whoever lets in somebody else's device adds a person to it and takes none away: it keeps the roles that it had. */
static unsigned roles_at(const struct members *m, size_t device, const struct moment *at)
{
	unsigned roles = 0;

	for (const struct act *a = admission(m, device, at, NULL); a != NULL; a = admission(m, device, at, a))
		roles |= roles_of(m, a->person, at);
	return roles;
}

static bool is_person(const struct members *m, size_t device, const struct moment *at, struct dot person)
{
	if (dot_is_none(person))
		return false;
	for (const struct act *a = admission(m, device, at, NULL); a != NULL; a = admission(m, device, at, a))
		if (dot_cmp(a->person, person) == 0)
			return true;
	return false;
}

/* Is the device that is removed one of the author's own person, and of nobody else? Every admission that may bind it is
 * asked, whether the author had seen it or not: else anybody could let in a coordinator's device as one of the own, and
 * remove it as that. */
static bool removes_own(const struct members *m, const struct act *cut)
{
	bool own = false;

	if (cut->device_at == cut->author_at)
		return true;
	for (size_t k = first_about(m, cut->device_at); k != NONE; k = m->act[k].next) {
		const struct act *a = &m->act[k];

		if (a->type != ACT_ADMIT || !a->binds)
			continue;
		if (!is_person(m, cut->author_at, &cut->at, a->person))
			return false;
		own = true;
	}
	return own;
}

static const struct device_id no_device;

static bool goes_on(const struct act *a)
{
	return a->type == ACT_ADMIT && device_cmp(a->goes_on, no_device) != 0;
}

/* A device that goes on under another id: is it still one that may, with no removal of it that knew nothing of this? */
static bool may_go_on(const struct members *m, const struct act *a)
{
	for (size_t k = first_about(m, a->goes_on_at); k != NONE; k = m->act[k].next) {
		const struct act *cut = &m->act[k];

		if (cut->type == ACT_CUT && !cut->proven && cut->counts && !moment_saw(&cut->at, &a->at))
			return false;
	}
	return a->goes_on_at == m->founder_at || admission(m, a->goes_on_at, &a->at, NULL) != NULL;
}

static bool entitled(const struct members *m, const struct act *a)
{
	bool founder = a->author_at == m->founder_at;

	if (founder && a->at.seq == 1)
		return true;
	if (goes_on(a) && !may_go_on(m, a))
		return false;
	if (goes_on(a) && a->device_at == a->author_at) /* it tells so itself, first of all */
		return true;
	if (!founder && admission(m, a->author_at, &a->at, NULL) == NULL)
		return false;
	if (goes_on(a))
		return true;
	if (a->type == ACT_ADMIT)
		return a->fresh || is_person(m, a->author_at, &a->at, a->person);
	if (a->type == ACT_ENTER || a->proven || m->kind != SPACE_NEIGHBOURHOOD ||
	    (roles_at(m, a->author_at, &a->at) & ROLE_COORDINATOR) != 0)
		return true;
	if (a->type == ACT_TAKE)
		return is_person(m, a->author_at, &a->at, a->person);
	return a->type == ACT_CUT && removes_own(m, a);
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
	const struct act *was = admission(m, a->goes_on_at, &a->at, NULL);

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

		s->ok[i] = !left_out(m, a->author_at, a->at.seq) && entitled(m, a);
		if (goes_on(a))
			a->person = person_of(m, a);
		if (!removes(a))
			a->counts = s->ok[i];
	}
}

/* Nobody is senior to whoever let it in, whatever the author of that says it had seen: a batch that names little of its
 * past lies less deep than it should. */
static uint64_t rank_of(const struct members *m, size_t device)
{
	uint64_t rank = 0;

	for (size_t hops = 0; hops <= m->acts; hops++) {
		const struct act *a = NULL;

		if (device == m->founder_at)
			return hops > rank ? hops : rank;
		a = admission(m, device, NULL, NULL);
		if (a == NULL)
			return UINT64_MAX;
		if (a->depth + 1 + hops > rank)
			rank = a->depth + 1 + hops;
		device = a->author_at == device ? a->goes_on_at : a->author_at;
	}
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
			                     .rank = rank_of(s->m, a->author_at) };
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
	if (a->at.order != b->at.order)
		return a->at.order < b->at.order ? -1 : 1;
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	if (a->proven != b->proven)
		return a->proven ? 1 : -1;
	author = device_cmp(a->device, b->device);
	return author != 0 ? author : dot_cmp(a->person, b->person);
}

static int standing_cmp(const void *x, const void *y)
{
	return device_cmp(((const struct standing *)x)->device, ((const struct standing *)y)->device);
}

static enum err devices_list(struct members *m)
{
	size_t n = 1;
	size_t kept = 0;

	m->device = calloc(3 * m->acts + 1, sizeof(*m->device));
	if (m->device == NULL)
		return ERR_NO_MEMORY;
	m->device[0].device = m->founder;
	for (size_t i = 0; i < m->acts; i++) {
		m->device[n++].device = m->act[i].at.author;
		if (m->act[i].type == ACT_ADMIT || m->act[i].type == ACT_CUT)
			m->device[n++].device = m->act[i].device;
		if (goes_on(&m->act[i]))
			m->device[n++].device = m->act[i].goes_on;
	}
	qsort(m->device, n, sizeof(*m->device), standing_cmp);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || standing_cmp(&m->device[kept - 1], &m->device[i]) != 0)
			m->device[kept++] = m->device[i];
	m->devices = kept;
	return ERR_OK;
}

static int about_cmp(const struct act *a, const struct act *b)
{
	return dot_cmp(a->person, b->person);
}

/* Grants and takings, ascending by person; those of one person in causal order. */
static void persons_sort(struct members *m, size_t *list, size_t n, size_t *spare)
{
	size_t half = n / 2;

	if (n < 2)
		return;
	persons_sort(m, list, half, spare);
	persons_sort(m, list + half, n - half, spare);
	memcpy(spare, list, n * sizeof(*list));
	for (size_t i = 0, a = 0, b = half; i < n; i++) {
		bool left = b == n || (a < half && about_cmp(&m->act[spare[a]], &m->act[spare[b]]) <= 0);

		list[i] = left ? spare[a++] : spare[b++];
	}
}

static enum err persons_list(struct members *m)
{
	size_t *spare = calloc(m->acts + 1, sizeof(*spare));
	size_t n = 0;
	size_t kept = 0;

	m->person = calloc(m->acts + 1, sizeof(*m->person));
	if (m->person == NULL || spare == NULL) {
		free(spare);
		return ERR_NO_MEMORY;
	}
	for (size_t i = 0; i < m->acts; i++)
		if (m->act[i].type == ACT_GRANT || m->act[i].type == ACT_TAKE)
			m->person[n++] = i;
	persons_sort(m, m->person, n, spare);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && about_cmp(&m->act[m->person[kept - 1]], &m->act[m->person[i]]) == 0)
			m->act[spare[kept - 1]].next = m->person[i];
		else
			m->person[kept++] = m->person[i];
		spare[kept - 1] = m->person[i]; /* the last of that person so far */
	}
	m->persons = kept;
	free(spare);
	return ERR_OK;
}

/* Which acts are about which device, in causal order, and which admissions bind it. */
static void acts_link(struct members *m)
{
	for (size_t d = 0; d < m->devices; d++) {
		m->device[d].first = NONE;
		m->device[d].enter = NONE;
	}
	m->founder_at = place_of(m, m->founder);
	for (size_t i = m->acts; i-- > 0;) {
		struct act *a = &m->act[i];

		a->author_at = place_of(m, a->at.author);
		a->device_at = NONE;
		a->goes_on_at = goes_on(a) ? place_of(m, a->goes_on) : NONE;
		a->next = NONE;
		if (a->type == ACT_ENTER)
			m->device[a->author_at].enter = i;
		if (a->type != ACT_ADMIT && a->type != ACT_CUT)
			continue;
		a->device_at = place_of(m, a->device);
		a->next = m->device[a->device_at].first;
		m->device[a->device_at].first = i;
	}
	for (size_t i = 0; i < m->acts; i++) {
		struct act *a = &m->act[i];
		size_t enter = a->type == ACT_ADMIT ? m->device[a->device_at].enter : NONE;

		a->binds = a->type == ACT_ADMIT && (enter == NONE || moment_saw(&m->act[enter].at, &a->at) ||
		                                    (goes_on(a) && a->device_at == a->author_at));
	}
}

static void devices_fill(struct members *m)
{
	for (size_t d = 0; d < m->devices; d++) {
		struct standing *s = &m->device[d];
		const struct act *in = admission(m, d, NULL, NULL);

		s->in = d == m->founder_at || in != NULL;
		s->keep = s->in ? UINT64_MAX : 0;
		s->rank = rank_of(m, d);
		if (in != NULL)
			s->person = in->person;
		for (size_t k = s->first; k != NONE; k = m->act[k].next) {
			const struct act *a = &m->act[k];

			if (a->type == ACT_CUT && a->counts && keep_of(a) < s->keep)
				s->keep = keep_of(a);
		}
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
	m->person = NULL;
	m->persons = 0;
	e = devices_list(m);
	if (e == ERR_OK) {
		acts_link(m);
		e = persons_list(m);
	}
	if (e == ERR_OK)
		e = removals_settle(&s);
	if (e == ERR_OK)
		devices_fill(m);
	settling_free(&s);
	return e;
}

void members_free(struct members *m)
{
	free(m->device);
	free(m->person);
	m->device = NULL;
	m->devices = 0;
	m->person = NULL;
	m->persons = 0;
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
	for (size_t k = first_about(m, place_of(m, at->author)); k != NONE; k = m->act[k].next)
		if (m->act[k].type == ACT_ADMIT && moment_saw(at, &m->act[k].at))
			return true;
	return false;
}

bool members_knew(const struct members *m, const struct moment *at, struct device_id dev)
{
	return device_cmp(dev, m->founder) == 0 || admission(m, place_of(m, dev), at, NULL) != NULL;
}

bool members_is(const struct members *m, const struct moment *at, struct dot person)
{
	return is_person(m, place_of(m, at->author), at, person);
}

bool members_may(const struct members *m, const struct moment *at, unsigned roles)
{
	size_t device = place_of(m, at->author);
	bool founder = device == m->founder_at;

	if (members_void(m, at->author, at->seq) || (!founder && admission(m, device, at, NULL) == NULL))
		return false;
	if (roles == 0 || (founder && at->seq == 1) || (m->kind != SPACE_NEIGHBOURHOOD && roles != ROLE_NOBODY))
		return true;
	return (roles_at(m, device, at) & roles) != 0;
}

unsigned members_roles(const struct members *m, struct dot person)
{
	return roles_of(m, person, NULL);
}

bool members_knew_removals(const struct members *m, const struct moment *at)
{
	for (size_t i = 0; i < m->acts; i++)
		if (removes(&m->act[i]) && m->act[i].counts && !moment_saw(at, &m->act[i].at))
			return false;
	return true;
}
