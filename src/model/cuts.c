// SPDX-License-Identifier: EUPL-1.2
// Which removals count (K1, M1): decided from the set of cuts alone.
#include "model/cuts.h"

#include <stdlib.h>
#include <string.h>

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
	bool *before, *after; /* of a circle that is looked for */
	size_t *queue;
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

/* The open cuts that lead to `from` by undoing one another (`back`), or that it leads to; itself only in a circle. */
static void open_reach(const struct settling *s, size_t from, bool back, bool *set, size_t *queue)
{
	size_t n = 1;

	memset(set, 0, s->count * sizeof(*set));
	queue[0] = from;
	for (size_t at = 0; at < n; at++) {
		for (size_t k = 0; k < s->count; k++) {
			if (s->v[k] != OPEN || set[k] || !(back ? beats(s, k, queue[at]) : beats(s, queue[at], k)))
				continue;
			set[k] = true;
			if (k != from)
				queue[n++] = k;
		}
	}
}

/* A circle that nothing open from outside it undoes: what is decided there does not hang on what is not. Where cuts
 * only follow from a circle, the one who joined first has no say in it. */
static void circle_find(struct settling *s)
{
	size_t at = 0;

	while (s->v[at] != OPEN)
		at++;
	for (size_t next = at;; at = next) {
		open_reach(s, at, true, s->before, s->queue);
		open_reach(s, at, false, s->after, s->queue);
		for (size_t k = 0; k < s->count && next == at; k++)
			if (s->before[k] && !s->after[k])
				next = k;
		if (next == at)
			return;
	}
}

/* Is it undone by one of the circle that its author had seen? Seeing goes round in no circle, so some are not. */
static bool knew_better(const struct settling *s, size_t i)
{
	for (size_t k = 0; k < s->count; k++)
		if (s->before[k] && beats(s, k, i) && had_seen(&s->cut[i], &s->cut[k]))
			return true;
	return false;
}

static void circle_break(struct settling *s)
{
	size_t first = s->count;

	circle_find(s);
	for (size_t i = 0; i < s->count; i++)
		if (s->before[i] && !knew_better(s, i) && (first == s->count || before(&s->cut[i], &s->cut[first])))
			first = i;
	for (size_t i = 0; i < s->count && first == s->count; i++)
		if (s->before[i]) /* each had seen another: no batches are like that, but this ends all the same */
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

static void verdicts_find(struct settling *s)
{
	size_t open = s->count;

	while (open > 0) {
		bool moved = false;

		for (size_t i = 0; i < s->count; i++) {
			if (s->v[i] != OPEN)
				continue;
			s->v[i] = look(s, i);
			moved = moved || s->v[i] != OPEN;
		}
		if (!moved)
			circle_break(s);
		open = 0;
		for (size_t i = 0; i < s->count; i++)
			open += s->v[i] == OPEN;
	}
}

enum err cuts_settle(struct cut *cuts, size_t count, const bool *answers)
{
	struct settling s = { .cut = cuts, .count = count, .answers = answers };
	enum err e = ERR_NO_MEMORY;

	s.v = calloc(count + 1, sizeof(*s.v));
	s.before = calloc(count + 1, sizeof(*s.before));
	s.after = calloc(count + 1, sizeof(*s.after));
	s.queue = calloc(count + 1, sizeof(*s.queue));
	if (s.v == NULL || s.before == NULL || s.after == NULL || s.queue == NULL)
		goto done;
	verdicts_find(&s);
	for (size_t i = 0; i < count; i++)
		cuts[i].counts = s.v[i] == COUNTS;
	e = ERR_OK;
done:
	free(s.v);
	free(s.before);
	free(s.after);
	free(s.queue);
	return e;
}

uint64_t cuts_keep(const struct cut *cuts, size_t count, struct device_id dev)
{
	uint64_t keep = UINT64_MAX;

	for (size_t i = 0; i < count; i++)
		if (cuts[i].counts && device_cmp(cuts[i].target, dev) == 0 && cuts[i].keep < keep)
			keep = cuts[i].keep;
	return keep;
}
