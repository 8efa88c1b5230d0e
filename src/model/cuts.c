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

/* Does `by` remove the author of `c` below the batch that holds `c`? */
static bool answers(const struct cut *by, const struct cut *c)
{
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

/* Would `by`, if it counts, undo `c`? */
static bool beats(const struct cut *by, const struct cut *c)
{
	if (!answers(by, c))
		return false;
	return had_seen(c, by) || !answers(c, by) || senior(by, c);
}

/* What follows for one cut from those that are decided. */
static enum verdict look(const struct cut *cuts, const enum verdict *v, size_t count, size_t i)
{
	bool waits = false;

	for (size_t k = 0; k < count; k++) {
		if (v[k] == FAILS || !beats(&cuts[k], &cuts[i]))
			continue;
		if (v[k] == COUNTS)
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

static void circle_break(const struct cut *cuts, enum verdict *v, size_t count)
{
	size_t first = count;

	for (size_t i = 0; i < count; i++)
		if (v[i] == OPEN && (first == count || before(&cuts[i], &cuts[first])))
			first = i;
	for (size_t i = 0; i < count; i++) {
		if (v[i] != OPEN)
			continue;
		if (same_cut(&cuts[i], &cuts[first]))
			v[i] = COUNTS;
		else if (answers(&cuts[i], &cuts[first]))
			v[i] = FAILS;
	}
}

enum err cuts_settle(struct cut *cuts, size_t count)
{
	enum verdict *v = calloc(count + 1, sizeof(*v));
	size_t open = count;

	if (v == NULL)
		return ERR_NO_MEMORY;
	while (open > 0) {
		bool moved = false;

		for (size_t i = 0; i < count; i++) {
			if (v[i] != OPEN)
				continue;
			v[i] = look(cuts, v, count, i);
			moved = moved || v[i] != OPEN;
		}
		if (!moved)
			circle_break(cuts, v, count);
		open = 0;
		for (size_t i = 0; i < count; i++)
			open += v[i] == OPEN;
	}
	for (size_t i = 0; i < count; i++)
		cuts[i].counts = v[i] == COUNTS;
	free(v);
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
