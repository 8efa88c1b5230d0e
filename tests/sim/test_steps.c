// SPDX-License-Identifier: EUPL-1.2
// Goal: stopped at any step and run again, it ends the same (S3). Three stories: joining; two people who edit apart and
// sync; a host that lost what it had. Each is finished, and finished once more without a change. Then it is told again
// and again: one of the devices dies at its 1st, 2nd, ... step (each write, sync and name on its disk, each step of its
// exchanges), once by a kill and once by a power loss, or the exchange breaks off there; it comes back, goes on, and
// the end is the same: as many edits, members and records, equal bytes, nothing waiting or unsent.
//
// Seen to fail here: the planted bugs 02, 05, 08 and 12 of tests/sim/bugs/.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/contacts.h"
#include "app/shown.h"
#include "sim/act.h"
#include "sim/must.h"

enum what { SYNC, LOG, EDIT, FOUND, FOUND_CIRCLE, INVITE, INVITE_THIRD, REMOVE, GO_BACK, DROP };

struct line {
	enum what what;
	unsigned who;
};

#define LINES 16

struct story {
	const char *name;
	struct line before[LINES]; /* nothing goes wrong */
	size_t befores;
	struct line then[LINES];
	size_t thens;
};

#define TOGETHER                                                                                                       \
	{ FOUND, 0 }, { FOUND_CIRCLE, 0 }, { LOG, 0 }, { SYNC, 0 }, { INVITE, 0 }, { SYNC, 1 }, { SYNC, 0 },           \
	{                                                                                                              \
		SYNC, 1                                                                                                \
	}

static const struct story stories[] = {
	{ "joining",
	  { { FOUND, 0 }, { FOUND_CIRCLE, 0 }, { LOG, 0 }, { SYNC, 0 } },
	  4,
	  { { INVITE, 0 }, { SYNC, 1 }, { LOG, 1 }, { SYNC, 0 }, { SYNC, 1 } },
	  5 },
	{ "editing apart",
	  { TOGETHER },
	  8,
	  { { EDIT, 0 }, { EDIT, 1 }, { LOG, 1 }, { SYNC, 0 }, { EDIT, 1 }, { SYNC, 1 }, { SYNC, 0 } },
	  7 },
	{ "a host that went back",
	  { TOGETHER, { LOG, 0 }, { SYNC, 0 }, { LOG, 1 }, { SYNC, 1 }, { GO_BACK, 0 }, { GO_BACK, 0 }, { DROP, 0 } },
	  15,
	  { { LOG, 0 }, { SYNC, 1 }, { SYNC, 0 }, { SYNC, 1 } },
	  4 },
	{ "a removal",
	  { TOGETHER,
	    { INVITE_THIRD, 0 },
	    { SYNC, 2 },
	    { SYNC, 0 },
	    { SYNC, 2 },
	    { LOG, 2 },
	    { SYNC, 2 },
	    { SYNC, 0 } },
	  15,
	  { { LOG, 1 }, { REMOVE, 0 }, { LOG, 0 }, { SYNC, 1 }, { SYNC, 0 }, { LOG, 2 }, { SYNC, 2 }, { SYNC, 1 } },
	  8 },
};

/* What there is in the end. */
struct end {
	uint64_t rows;
	uint64_t edits;
	uint64_t members;
	uint64_t disk_steps[2]; /* of the part in which things go wrong */
	uint64_t host_steps;
};

static enum err call(struct world *w, const struct line *l)
{
	struct player *p = &w->player[l->who];
	struct errctx ec = { 0 };
	struct contact_fields f = { .channel = "spreekuur", .domains = "geld", .text = "brief" };
	struct dots list = { 0 };
	char id[DOT_TEXT_LEN] = "";
	char out[ID_TEXT_LEN];
	char text[32];
	struct space_row space;
	enum err e = ERR_OK;

	switch (l->what) {
	case SYNC:
		return act_sync(p, NULL);
	case LOG:
		/* who is in no circle yet logs in his own space */
		e = contact_add(&ec, p->app, world_space(p, "Kring", &space) ? "Kring" : NULL, &f, out);
		return act_end(p, e);
	case EDIT:
		must(world_space(p, "Kring", &space), "the circle is not there");
		must(store_of_kind(NULL, p->app->store, KIND_contact, space.n, &list) == ERR_OK && list.n > 0,
		     "the contact is not there");
		dot_text(list.d[0], id);
		dots_free(&list);
		snprintf(text, sizeof(text), "van %u, %zu", l->who, p->rows);
		f = (struct contact_fields){ .text = text, .domains = l->who == 0 ? "werk" : "geld,taal" };
		e = contact_edit(&ec, p->app, id, &f, out);
		return act_end(p, e);
	case FOUND:
		return act_found(p, "Wijk", "/host/0") ? ERR_OK : ERR_IO;
	case FOUND_CIRCLE:
		return act_found(p, "Kring", NULL) ? ERR_OK : ERR_IO;
	case INVITE:
		return act_invite(p, &w->player[1], "Kring") ? ERR_OK : ERR_IO;
	case INVITE_THIRD:
		return act_invite(p, &w->player[2], "Kring") ? ERR_OK : ERR_IO;
	case REMOVE:
		return act_remove_from(p, &w->player[1], "Kring") ? ERR_OK : ERR_IO;
	case GO_BACK:
		return host_go_back(w->hosts) ? ERR_OK : ERR_IO;
	case DROP:
		return host_drop(w->hosts) ? ERR_OK : ERR_IO;
	}
	return ERR_OK;
}

static bool has_asked(struct player *p)
{
	size_t n = 0;
	struct space_row *list = world_spaces(p, &n);
	bool asked = false;

	for (size_t i = 0; i < n; i++)
		asked = asked || list[i].kind == SPACE_CIRCLE;
	free(list);
	return asked;
}

/* Is device 1 in the circle, as this one knows it? */
static bool is_among(struct world *w, struct player *p)
{
	struct space_row theirs;
	struct device_row row;

	return world_space(&w->player[1], "Kring", &theirs) &&
	       store_device_by_id(NULL, p->app->store, theirs.me, &row) == ERR_OK && row.state == DEVICE_ACTIVE;
}

/* As a person does: what did not come through is done again, unless it turns out that it did. */
static void tell(struct world *w, const struct line *line, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct player *p = &w->player[line[i].who];
		size_t rows = p->rows;
		bool done = false;

		for (int tries = 0; tries < 3 && !done; tries++) {
			enum err e = call(w, &line[i]);

			w->now_ms += 1000;
			done = e == ERR_OK || ((line[i].what == LOG || line[i].what == EDIT) && p->rows > rows) ||
			       (line[i].what == INVITE && has_asked(&w->player[1])) ||
			       (line[i].what == INVITE_THIRD && has_asked(&w->player[2])) ||
			       (line[i].what == REMOVE && !is_among(w, p)) ||
			       (line[i].what == LOG && e == ERR_REFUSED); /* removed meanwhile */
			must(done || line[i].what == SYNC || w->crashes > 0, "a call fails and nothing was wrong");
		}
	}
}

static struct end sum_up(struct world *w)
{
	struct end end = { 0 };

	for (size_t i = 0; i < w->players; i++) {
		end.rows += w->player[i].rows;
		end.members += w->player[i].holds;
		for (size_t k = 0; k < w->player[i].holds; k++)
			end.edits += model_count(w->model, w->player[i].hold[k].space);
	}
	return end;
}

struct blow {
	int victim; /* -1: nobody, 2: the exchange breaks off */
	uint64_t step;
	int loss; /* as world.loss */
};

static void sync_if_any(struct world *w, size_t i)
{
	if (w->player[i].holds > 1 || has_asked(&w->player[i]))
		act_sync(&w->player[i], NULL);
}

static struct end play(const struct story *s, struct blow blow)
{
	struct host_faults none = { 0 };
	struct world *w = world_new(5, getenv("SLB_SIM_SEED") != NULL);
	uint64_t from[3] = { 0 };
	struct end end;
	struct end again;
	uint64_t pushes = 0;

	hosts_faults(w->hosts, &none);
	hosts_use(w->hosts, NULL, NULL);
	world_join(w);
	world_join(w);
	world_join(w);
	tell(w, s->before, s->befores);
	from[0] = disk_steps(w->player[0].disk);
	from[1] = disk_steps(w->player[1].disk);
	from[2] = hosts_steps(w->hosts);
	if (blow.victim == 0 || blow.victim == 1)
		disk_die_after(w->player[blow.victim].disk, blow.step);
	else if (blow.victim == 2)
		hosts_cut_after(w->hosts, blow.step);
	w->steady = true;
	w->loss = blow.loss;
	tell(w, s->then, s->thens);
	w->steady = false;
	from[0] = disk_steps(w->player[0].disk) - from[0];
	from[1] = disk_steps(w->player[1].disk) - from[1];
	from[2] = hosts_steps(w->hosts) - from[2];
	hosts_cut_after(w->hosts, 0);
	/* the rest of a join may need two more exchanges each; naming keys, closing an epoch and carrying over what was
	 * written under it a few more, until nothing is pushed any more */
	for (int round = 0; round < 2 || (round < 12 && pushes != host_counts(w->hosts).pushes); round++) {
		pushes = host_counts(w->hosts).pushes;
		for (size_t i = 0; i < w->players; i++)
			sync_if_any(w, i);
	}
	world_settled(w);
	end = sum_up(w);
	pushes = host_counts(w->hosts).pushes;
	for (size_t i = 0; i < w->players; i++) {
		struct sync_view v = { 0 };

		if (w->player[i].holds < 2)
			continue;
		assert_int_equal(act_sync(&w->player[i], &v), ERR_OK);
		assert_int_equal(v.result, SYNC_DONE);
		assert_int_equal(v.sent + v.received + v.fresh + v.changed + v.set_aside, 0);
	}
	world_settled(w);
	again = sum_up(w);
	assert_int_equal(again.rows, end.rows);
	assert_int_equal(host_counts(w->hosts).pushes, pushes);
	end.disk_steps[0] = from[0];
	end.disk_steps[1] = from[1];
	end.host_steps = from[2];
	world_free(w);
	return end;
}

static void same_end(const struct story *s, const struct end *should, struct blow blow)
{
	struct end is = play(s, blow);

	if (is.rows != should->rows || is.edits != should->edits || is.members != should->members)
		must_fail(
		    "%s, stopped at step %llu of %d: %llu lines, %llu edits, %llu places, and not %llu, %llu, %llu",
		    s->name, (unsigned long long)blow.step, blow.victim, (unsigned long long)is.rows,
		    (unsigned long long)is.edits, (unsigned long long)is.members, (unsigned long long)should->rows,
		    (unsigned long long)should->edits, (unsigned long long)should->members);
}

static void every_step(const struct story *s)
{
	struct end calm = play(s, (struct blow){ .victim = -1 });
	uint64_t n[3] = { calm.disk_steps[0], calm.disk_steps[1], calm.host_steps };

	for (int victim = 0; victim < 3; victim++) {
		for (uint64_t step = 1; step <= n[victim]; step++) {
			same_end(s, &calm, (struct blow){ victim, step, 1 });
			if (victim < 2)
				same_end(s, &calm, (struct blow){ victim, step, 2 });
		}
	}
	printf("# %s: %llu and %llu steps of the devices, %llu of exchanges\n", s->name, (unsigned long long)n[0],
	       (unsigned long long)n[1], (unsigned long long)n[2]);
}

static void joining_survives_any_step(void **state)
{
	(void)state;
	every_step(&stories[0]);
}

static void editing_apart_survives_any_step(void **state)
{
	(void)state;
	every_step(&stories[1]);
}

static void healing_a_host_survives_any_step(void **state)
{
	(void)state;
	every_step(&stories[2]);
}

static void a_removal_survives_any_step(void **state)
{
	(void)state;
	every_step(&stories[3]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(joining_survives_any_step),
		                            cmocka_unit_test(editing_apart_survives_any_step),
		                            cmocka_unit_test(healing_a_host_survives_any_step),
		                            cmocka_unit_test(a_removal_survives_any_step) };

	world_start();
	return cmocka_run_group_tests_name("sim/steps", tests, NULL, NULL);
}
