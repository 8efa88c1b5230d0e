// SPDX-License-Identifier: EUPL-1.2
// Draws states after a power loss and has each distinct one judged.
#include "faults/hunt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEED 20261130

/* ---- States that were seen ---- */

struct states {
	uint64_t *hash; /* 0: free */
	size_t *said;   /* the highest measure that it was judged by */
	size_t room;    /* a power of two */
	size_t n;
};

static struct states seen_new(size_t states)
{
	struct states s = { .room = 1024 };

	while (s.room < 4 * states)
		s.room *= 2;
	s.hash = calloc(s.room, sizeof(*s.hash));
	s.said = calloc(s.room, sizeof(*s.said));
	assert_true(s.hash != NULL && s.said != NULL);
	return s;
}

static void seen_free(struct states *s)
{
	free(s->hash);
	free(s->said);
}

/* True where this state was not judged yet, or only by a lower measure. */
static bool seen_add(struct states *s, uint64_t hash, size_t said)
{
	size_t i = hash & (s->room - 1);

	hash |= hash == 0;
	while (s->hash[i] != 0 && s->hash[i] != hash)
		i = (i + 1) & (s->room - 1);
	if (s->hash[i] == hash && s->said[i] >= said + 1)
		return false;
	s->n += s->hash[i] == 0;
	s->hash[i] = hash;
	s->said[i] = said + 1;
	return true;
}

/* ---- One flow ---- */

static size_t points_pending(struct crash *c)
{
	size_t n = 1;

	crash_rewind(c);
	while (crash_step(c))
		n += crash_pending(c);
	crash_rewind(c);
	return n;
}

static void judge_state(struct crash *c, const struct hunt *h, enum crash_model model, struct tally *t)
{
	char why[FLOW_WHY];
	enum flow_verdict v = h->judge(h->self, c, why);

	t->found[v]++;
	if (v != FLOW_FINE && t->first[0] == '\0')
		snprintf(t->first, sizeof(t->first), "%s, %s, seed %d: %s", crash_where(c),
		         model == CRASH_ORDERED ? "journal" : "any order", SEED, why);
}

struct tally hunt_run(struct crash *c, const struct hunt *h)
{
	struct states seen = seen_new(h->states);
	struct random chance = { SEED };
	struct tally t = { 0 };
	size_t each = h->states / points_pending(c) / 2 + 1;
	size_t before = SIZE_MAX;

	while (seen.n < h->states && seen.n != before) {
		before = seen.n;
		crash_rewind(c);
		do {
			for (size_t i = 0; i < (crash_pending(c) ? each : 1) && seen.n < h->states; i++) {
				enum crash_model model = i % 2 == 0 ? CRASH_ORDERED : CRASH_ANY;

				size_t said = crash_acknowledged(c) + crash_spoke(c);

				if (seen_add(&seen, crash_draw(c, model, &chance), said))
					judge_state(c, h, model, &t);
				if (h->stop_at_first && t.first[0] != '\0')
					goto done;
			}
		} while (crash_step(c));
	}
done:
	t.states = seen.n;
	seen_free(&seen);
	return t;
}

size_t hunt_lost(const struct tally *t)
{
	return t->found[FLOW_LOST] + t->found[FLOW_DOUBLED] + t->found[FLOW_DAMAGED] + t->found[FLOW_UNOPENABLE];
}

void hunt_say(const char *name, const struct crash *c, const struct tally *t)
{
	print_message("# %s: %zu states of %zu syncs; %zu lost, %zu doubled, %zu damaged, %zu unopenable\n", name,
	              t->states, crash_syncs(c), t->found[FLOW_LOST], t->found[FLOW_DOUBLED], t->found[FLOW_DAMAGED],
	              t->found[FLOW_UNOPENABLE]);
	if (hunt_lost(t) > 0)
		fail_msg("%s", t->first);
}

size_t hunt_leave_out_each(struct crash *c, const struct hunt *h, const char *name)
{
	size_t missed = 0;

	for (size_t i = 0; i < crash_syncs(c); i++) {
		struct tally t;

		crash_leave_out(c, i);
		t = hunt_run(c, h);
		missed += hunt_lost(&t) > 0;
		print_message("# %s without sync %zu of %zu: %s\n", name, i + 1, crash_syncs(c),
		              hunt_lost(&t) > 0 ? t.first : "nothing found");
	}
	crash_leave_out(c, SIZE_MAX);
	return missed;
}
