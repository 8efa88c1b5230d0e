// SPDX-License-Identifier: EUPL-1.2
// Which removals count (K1, M1): decided from the set of cuts alone.
#include "model/cuts.h"

#include <stdlib.h>

enum verdict { OPEN, COUNTS, FAILS };

static bool same_cut(const struct cut *a, const struct cut *b)
{
	return a->seq == b->seq && a->keep == b->keep && device_cmp(a->author, b->author) == 0 &&
	       device_cmp(a->target, b->target) == 0;
}

struct settling {
	const struct cut *cut;
	size_t count;
	const bool *answers;
	enum verdict *v;
};

/* Does cut k leave out cut i? */
static bool answers(const struct settling *s, size_t k, size_t i)
{
	const struct cut *by = &s->cut[k];
	const struct cut *c = &s->cut[i];

	if (s->answers != NULL)
		return s->answers[k * s->count + i];
	return device_cmp(by->target, c->author) == 0 && c->seq > by->keep;
}

/* Had the author of `c` seen `by`? */
static bool had_seen(const struct cut *c, const struct cut *by)
{
	const struct vv_entry *e = NULL;

	if (device_cmp(c->author, by->author) == 0)
		return by->seq < c->seq;
	e = vv_get(c->seen, by->author);
	return e != NULL && by->seq <= e->seq;
}

static bool senior(const struct cut *a, const struct cut *b)
{
	return a->rank != b->rank ? a->rank < b->rank : device_cmp(a->author, b->author) < 0;
}

/* Would k, if it counts, undo i? */
static bool beats(const struct settling *s, size_t k, size_t i)
{
	if (!answers(s, k, i))
		return false;
	return had_seen(&s->cut[i], &s->cut[k]) || !answers(s, i, k) || senior(&s->cut[k], &s->cut[i]);
}

/* What follows for one cut from those that are decided. */
static enum verdict look(const struct settling *s, size_t i)
{
	bool waits = false;

	for (size_t k = 0; k < s->count; k++) {
		if (s->v[k] == FAILS || !beats(s, k, i))
			continue;
		if (s->v[k] == COUNTS)
			return FAILS;
		waits = true;
	}
	return waits ? OPEN : COUNTS;
}

/* In what order a circle is broken: seniority, then the cut itself, so that there is one answer. */
static bool before(const struct cut *a, const struct cut *b)
{
	int target = device_cmp(a->target, b->target);

	if (a->rank != b->rank || device_cmp(a->author, b->author) != 0)
		return senior(a, b);
	if (a->seq != b->seq)
		return a->seq < b->seq;
	return target != 0 ? target < 0 : a->keep < b->keep;
}

static void circle_break(struct settling *s)
{
	size_t first = s->count;

	for (size_t i = 0; i < s->count; i++)
		if (s->v[i] == OPEN && (first == s->count || before(&s->cut[i], &s->cut[first])))
			first = i;
	for (size_t i = 0; i < s->count; i++) {
		if (s->v[i] != OPEN)
			continue;
		if (same_cut(&s->cut[i], &s->cut[first]))
			s->v[i] = COUNTS;
		else if (answers(s, i, first))
			s->v[i] = FAILS;
	}
}

enum err cuts_settle(struct cut *cuts, size_t count, const bool *answers)
{
	struct settling s = { cuts, count, answers, calloc(count + 1, sizeof(*s.v)) };
	size_t open = count;

	if (s.v == NULL)
		return ERR_NO_MEMORY;
	while (open > 0) {
		bool moved = false;

		for (size_t i = 0; i < count; i++) {
			if (s.v[i] != OPEN)
				continue;
			s.v[i] = look(&s, i);
			moved = moved || s.v[i] != OPEN;
		}
		if (!moved)
			circle_break(&s);
		open = 0;
		for (size_t i = 0; i < count; i++)
			open += s.v[i] == OPEN;
	}
	for (size_t i = 0; i < count; i++)
		cuts[i].counts = s.v[i] == COUNTS;
	free(s.v);
	return ERR_OK;
}

uint64_t cuts_keep(const struct cut *cuts, size_t count, struct device_id dev)
{
	uint64_t keep = UINT64_MAX;

	for (size_t i = 0; i < count; i++)
		if (cuts[i].counts && device_cmp(cuts[i].target, dev) == 0 && cuts[i].keep < keep)
			keep = cuts[i].keep;
	return keep;
}
