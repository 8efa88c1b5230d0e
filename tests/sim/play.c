// SPDX-License-Identifier: EUPL-1.2
// The plot of a seed: who there is, what they do and in which order, what goes wrong, and how it ends. After faults
// stop, two exchanges of each device must be enough (liveness).
#include "sim/play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/act.h"
#include "sim/must.h"

#define REMOTE "/host/%u"

struct plot {
	struct world *w;
	size_t devices;
	size_t steps;
	size_t neighbourhoods;
	size_t circles;
	bool crashes;
	bool clocks;
	bool lies;       /* the host lies */
	bool forges;     /* members forge, bytes change */
	bool quarrels;   /* members are removed, and write beyond their role */
	unsigned rogues; /* may still turn against the others */
	bool sheets;     /* recovery sheets are made, and homes lost */
	bool twins;      /* homes are copied, and put back from backups */
	bool compacts;   /* people erase, and logs are cut off */
	bool asks_again; /* known and not healed: only where SLB_SIM_KNOWN names them */
	unsigned depth;
	uint64_t syncs;
};

static uint64_t below(struct plot *t, uint64_t n)
{
	return random_below(&t->w->rnd, n);
}

static bool chance(struct plot *t, unsigned percent)
{
	return random_chance(&t->w->rnd, percent);
}

/* Somebody whose home goes on. */
static struct player *someone(struct plot *t)
{
	size_t i = (size_t)below(t, t->w->players);

	while (world_given_up(&t->w->player[i]))
		i = (i + 1) % t->w->players;
	return &t->w->player[i];
}

/* Now and then the next call is its last for now, or its disk is full. */
static void endanger(struct plot *t, struct player *p, uint64_t steps)
{
	if (!t->crashes)
		return;
	if (chance(t, 12))
		act_arm(p, steps);
	else if (chance(t, 3))
		disk_full_after(p->disk, 1 + below(t, steps));
}

static void sync_one(struct plot *t, struct player *p)
{
	struct sync_view v = { 0 };

	endanger(t, p, 70);
	act_sync(p, &v);
	t->syncs++;
	if (chance(t, 40))
		world_check(p);
}

/* Between the steps of one exchange somebody writes on this device, or another device has a whole exchange. */
static void between(void *arg, unsigned device)
{
	struct plot *t = arg;
	struct player *p = NULL;

	if (t->depth == 0 && below(t, 40) == 0) {
		p = &t->w->player[device];
		world_watch(p);
		p->inner = true;
		act_write(p);
		p->inner = false;
	}
	if (t->depth > 0 || below(t, 60) != 0 || disk_dead(t->w->player[device].disk))
		return;
	p = someone(t);
	if (p->busy || p->number == device)
		return;
	t->depth++;
	world_watch(&t->w->player[device]);
	world_say(t->w, " (meanwhile)");
	sync_one(t, p);
	t->depth--;
}

/* The name of a space that `p` is a member of and may invite to. */
static bool space_to_share(struct plot *t, struct player *p, char out[static SPACE_NAME_MAX + 1])
{
	size_t n = 0;
	struct space_row *list = world_spaces(p, &n);
	size_t fit = 0;

	for (size_t i = 0; i < n; i++) {
		if (list[i].state == SPACE_MEMBER && list[i].kind != SPACE_OWN && list[i].neighbourhood != 0 &&
		    below(t, ++fit) == 0)
			strcpy(out, list[i].name);
	}
	free(list);
	return fit > 0;
}

static bool in_any_neighbourhood(struct player *p)
{
	size_t n = 0;
	struct space_row *list = world_spaces(p, &n);
	bool any = false;

	for (size_t i = 0; i < n; i++)
		any = any || list[i].kind == SPACE_NEIGHBOURHOOD;
	free(list);
	return any;
}

/* Does one of these devices wait for an answer? */
static bool anybody_asks(struct player *from, const struct player *end)
{
	bool asks = false;

	for (struct player *p = from; p < end && !asks; p++) {
		size_t n = 0;
		struct space_row *list = world_spaces(p, &n);

		for (size_t k = 0; k < n; k++)
			asks = asks || list[k].state == SPACE_ASKED;
		free(list);
	}
	return asks;
}

static void found(struct plot *t)
{
	struct player *p = someone(t);
	char name[16];
	char remote[32];

	if (t->neighbourhoods == 0 || (t->neighbourhoods < 2 && chance(t, 10) && !in_any_neighbourhood(p))) {
		if (in_any_neighbourhood(p))
			return;
		snprintf(name, sizeof(name), "Wijk%zu", t->neighbourhoods);
		snprintf(remote, sizeof(remote), REMOTE, (unsigned)t->neighbourhoods);
		t->neighbourhoods += act_found(p, name, remote);
	} else if (t->circles < 5) {
		snprintf(name, sizeof(name), "Kring%zu", t->circles);
		t->circles += act_found(p, name, NULL);
	}
}

/* Nobody's device but its own person's, who may have written there. */
static bool is_new(struct player *p)
{
	size_t n = 0;
	struct space_row *list = world_spaces(p, &n);

	free(list);
	return n == 1 && !p->twin;
}

/* Another device of one person; as far as it goes, they do at once what the two of them must do. */
static void second_device(struct plot *t, struct player *by, struct player *who)
{
	if (!act_invite_device(by, who))
		return;
	for (int step = 0; step < 5 && chance(t, 85); step++) {
		if (step == 2)
			act_approve(by);
		else
			sync_one(t, step == 0 || step == 4 ? who : by);
	}
}

static void join(struct plot *t)
{
	struct player *by = someone(t);
	struct player *who = someone(t);
	char space[SPACE_NAME_MAX + 1];
	struct space_row row;
	char remote[32];

	if (by == who || world_unsure(by))
		return;
	if (chance(t, 30) && in_any_neighbourhood(by) && !by->away && is_new(who)) {
		second_device(t, by, who);
		return;
	}
	if (t->neighbourhoods > 0 && chance(t, 10) && !in_any_neighbourhood(who)) {
		snprintf(remote, sizeof(remote), REMOTE, (unsigned)below(t, t->neighbourhoods));
		act_request(who, remote);
		return;
	}
	if (!space_to_share(t, by, space) || world_space(who, space, &row))
		return;
	if (anybody_asks(who, who + 1) && !who->in_vain && !t->asks_again)
		return;
	endanger(t, who, 30);
	if (chance(t, 8))
		act_invite_withdrawn(by, who, space);
	else
		act_invite(by, who, space);
}

static void lie(struct plot *t)
{
	struct hosts *h = t->w->hosts;
	static const char *const names[] = { "goes back",    "drops a branch", "shows two worlds", "shows old files",
		                             "swaps a file", "changes a byte", "breaks a branch",  "offers a forgery" };
	uint64_t which = t->forges && chance(t, 30) ? 7 : below(t, t->forges ? 7 : 5);
	bool done = false;

	switch (which) {
	case 0:
		done = host_go_back(h);
		break;
	case 1:
		done = host_drop(h);
		break;
	case 2:
		done = host_two_worlds(h);
		break;
	case 3:
		done = host_show_again(h);
		break;
	case 4:
		done = host_swap(h);
		break;
	case 5:
		t->w->forged = true;
		done = host_flip(h);
		break;
	case 6:
		done = host_break(h);
		break;
	default:
		t->w->forged = true;
		done = act_forge(someone(t));
	}
	if (done)
		world_say(t->w, "the host %s", names[which]);
}

/* Up to three who are in a circle; its name. */
static size_t some_of_circle(struct plot *t, struct player *in[static 3], char space[static SPACE_NAME_MAX + 1])
{
	size_t n = 0;
	size_t from = (size_t)below(t, t->w->players);

	if (!space_to_share(t, someone(t), space))
		return 0;
	for (size_t i = 0; i < t->w->players && n < 3; i++) {
		struct player *p = &t->w->player[(from + i) % t->w->players];
		struct space_row row;

		if (!world_given_up(p) && world_space(p, space, &row) && world_is_in(p, &row))
			in[n++] = p;
	}
	return n;
}

/* Those of a circle remove each other in turn, none of them knowing: two, or three in a round. They wrote before. */
static void feud(struct plot *t)
{
	struct player *in[3];
	char space[SPACE_NAME_MAX + 1];
	size_t n = some_of_circle(t, in, space);
	size_t k = n == 3 && chance(t, 50) ? 2 : n;

	for (size_t i = 0; i < k && k > 1 && t->w->removals_left > 0; i++) {
		act_log_in(in[i], space, chance(t, 30));
		act_remove_from(in[i], in[(i + 1) % k], space);
	}
	if (n == 3 && k == 2) { /* a third hears of the one, then of the other */
		act_sync(in[1], NULL);
		act_sync(in[2], NULL);
		act_sync(in[0], NULL);
		act_sync(in[2], NULL);
	}
}

/* Two remove a third, one of them knowing more of what that one wrote, and having gone on with it. */
static void cast_out(struct plot *t)
{
	struct player *in[3];
	char space[SPACE_NAME_MAX + 1];

	if (some_of_circle(t, in, space) < 3 || t->w->removals_left < 2)
		return;
	act_log_in(in[2], space, false);
	act_sync(in[2], NULL);
	act_sync(in[1], NULL);
	act_log_in(in[1], space, true);
	act_remove_from(in[0], in[2], space);
	act_log_in(in[2], space, false);
	if (chance(t, 70))
		act_remove_from(in[1], in[2], space);
}

static void quarrel(struct plot *t)
{
	struct player *p = someone(t);
	uint64_t dice = below(t, 100);

	if (dice < 40) {
		act_overstep(p);
	} else if (dice < 60 && t->w->removals_left > 0) {
		endanger(t, p, 40);
		act_remove(p);
	} else if (dice < 73 && t->w->removals_left > 0) {
		feud(t);
	} else if (dice < 78 && t->w->removals_left > 0) {
		cast_out(t);
	} else if (dice < 82) {
		t->w->now_ms += INT64_C(365) * 24 * 60 * 60 * 1000;
		t->w->refusals = true; /* invitations ended */
		world_say(t->w, "a year goes by");
	} else if (t->rogues > 0 && t->w->players > 2) {
		t->rogues -= rogue_turn(p);
	}
	for (size_t i = 0; i < t->w->players; i++) {
		if (t->w->player[i].rogue != NULL && chance(t, 50))
			rogue_act(&t->w->player[i]);
	}
}

/* A recovery sheet is made, or a home is lost of which there is one. */
static void paper(struct plot *t, struct player *p)
{
	char remote[32];

	if (!p->has_sheet) {
		act_sheet(p);
	} else if (t->w->players < t->devices + 3 && !p->busy && !world_unsure(p) && chance(t, 30)) {
		snprintf(remote, sizeof(remote), REMOTE, (unsigned)below(t, t->neighbourhoods));
		act_comeback(p, &t->w->player[world_join(t->w)], remote);
	}
}

static void clock_jump(struct plot *t)
{
	static const int64_t year = INT64_C(365) * 24 * 60 * 60 * 1000;
	struct player *p = someone(t);

	p->skew = chance(t, 30) ? 0 : ((int64_t)below(t, 21) - 10) * year + (int64_t)below(t, 100000000);
	t->w->refusals = true;
	world_say(t->w, "the clock of device %u is %lld days off", p->number, (long long)(p->skew / 86400000));
}

static void round_of(struct plot *t)
{
	for (size_t i = 0; i < t->w->players; i++) {
		if (!world_given_up(&t->w->player[i]) && in_any_neighbourhood(&t->w->player[i]))
			sync_one(t, &t->w->player[i]);
	}
}

/* The same of those who have a network. */
static void round_here(struct plot *t)
{
	for (size_t i = 0; i < t->w->players; i++) {
		struct player *p = &t->w->player[i];

		if (!world_given_up(p) && !p->away && in_any_neighbourhood(p))
			sync_one(t, p);
	}
}

static void days(struct plot *t, uint64_t n)
{
	t->w->now_ms += (int64_t)n * 24 * 60 * 60 * 1000;
	t->w->refusals = true; /* invitations end */
	world_say(t->w, "%llu days go by", (unsigned long long)n);
}

/* Somebody writes without a network, and rests; the others go on, erase and compact meanwhile. */
static void stay_away(struct plot *t, struct player *p)
{
	p->away = true;
	world_say(t->w, "device %u stays away", p->number);
	for (uint64_t n = below(t, 4); n > 0; n--)
		act_write(p);
	for (int i = 0; i < 3; i++) {
		days(t, 10 + below(t, 30));
		if (chance(t, 60))
			act_erase(someone(t));
		round_here(t);
	}
	if (chance(t, 50))
		act_write(p);
}

/* What must go (K3). */
static void tidy(struct plot *t)
{
	struct player *p = someone(t);
	uint64_t dice = below(t, 100);

	if (dice < 58)
		endanger(t, p, 30);
	if (dice < 40)
		act_erase(p);
	else if (dice < 48)
		act_contest(p);
	else if (dice < 51)
		act_confirm(p);
	else if (dice < 58)
		act_compact(p);
	else if (dice < 73)
		days(t, 1 + below(t, 20));
	else if (dice < 78)
		stay_away(t, p);
	else
		round_here(t);
}

static void act(struct plot *t)
{
	uint64_t dice = below(t, 100);
	struct player *p = someone(t);

	t->w->now_ms += (int64_t)below(t, 3600000);
	if (t->quarrels && t->neighbourhoods > 0 && chance(t, 8)) {
		quarrel(t);
		return;
	}
	if (t->compacts && t->neighbourhoods > 0 && chance(t, 12)) {
		tidy(t);
		return;
	}
	if (t->twins && t->neighbourhoods > 0 && t->w->players < t->devices + 3 && chance(t, 6) && act_twin(p))
		return;
	if (t->sheets && t->neighbourhoods > 0 && chance(t, 6)) {
		paper(t, p);
		return;
	}
	if (t->w->players < t->devices && (dice < 8 || t->w->players < 2)) {
		size_t i = world_join(t->w);

		world_say(t->w, "device %zu is there", i);
	} else if (t->neighbourhoods == 0 || (t->circles == 0 && dice < 50) || dice < 10) {
		found(t);
	} else if (dice < 22) {
		join(t);
	} else if (dice < 24) {
		if (!world_unsure(p))
			act_approve(p);
	} else if (dice < 58) {
		endanger(t, p, 12);
		act_write(p);
	} else if (dice < 88) {
		if (!p->away)
			sync_one(t, p);
	} else if (dice < 91) {
		p->away = !p->away && chance(t, 60);
	} else if (dice < 93) {
		endanger(t, p, 20);
		act_reopen(p);
	} else if (dice < 95) {
		if (t->clocks)
			clock_jump(t);
		else
			host_cache_lose(t->w->hosts, p->number);
	} else if (t->lies) {
		lie(t);
	}
}

static bool known(const char *class)
{
	const char *list = getenv("SLB_SIM_KNOWN");

	return list != NULL && strstr(list, class) != NULL;
}

static void plot_draw(struct plot *t)
{
	struct host_faults f = { 0 };

	t->compacts = t->w->compacts = t->w->seed % 3 == 2;
	t->w->early = known("twins-early");
	t->asks_again = known("asks-again");

	t->devices = chance(t, 2) ? 10 + below(t, 21) : chance(t, 20) ? 5 + below(t, 6) : 2 + below(t, 5);
	t->steps = 60 + below(t, 80) + 4 * t->devices;
	t->crashes = chance(t, 70);
	t->clocks = chance(t, 40);
	t->lies = chance(t, 60);
	t->twins = !t->lies && chance(t, 60);
	t->sheets = chance(t, 30);
	t->forges = t->lies && chance(t, 50);
	if (chance(t, 75))
		f = (struct host_faults){ .unreachable = 5, .broken_off = 12, .stale = 6, .twice = 10, .late = 30 };
	t->quarrels = chance(t, 60);
	t->rogues = chance(t, 40) ? 1 + (unsigned)below(t, 2) : 0;
	t->w->removals_left = 1 + below(t, 5);
	hosts_faults(t->w->hosts, &f);
	world_say(t->w, "seed %llu: %zu devices, %zu steps%s%s%s%s%s%s%s%s", (unsigned long long)t->w->seed, t->devices,
	          t->steps, t->twins ? ", twins" : "", t->sheets ? ", sheets" : "", t->crashes ? ", crashes" : "",
	          t->clocks ? ", clocks" : "", t->lies ? ", lies" : "", t->forges ? ", forgeries" : "",
	          t->quarrels ? ", quarrels" : "", t->compacts ? ", compactions" : "");
}

static void approve_all(struct plot *t)
{
	for (size_t i = 0; i < t->w->players; i++) {
		if (!world_given_up(&t->w->player[i]))
			while (!world_unsure(&t->w->player[i]) && act_approve(&t->w->player[i]))
				act_sync(&t->w->player[i], NULL);
	}
}

/* Restored homes come back: they ask, somebody lets them in, and they take in what there is. */
static void come_back(struct plot *t)
{
	struct world *w = t->w;

	for (size_t i = 0; i < w->players; i++) {
		if (!world_given_up(&w->player[i]))
			act_rejoin(&w->player[i]);
	}
	round_of(t);
	round_of(t);
	for (size_t i = 0; i < w->players; i++)
		w->player[i].put_back = false;
	approve_all(t);
	round_of(t);
	round_of(t);
}

/* Is there a space that is not compacted as far as it may be? `tell`: then the seed fails. */
static bool is_uncompacted(struct plot *t, bool tell)
{
	char text[256];
	bool is = false;

	for (size_t i = 0; i < t->w->players && !is; i++) {
		struct player *p = &t->w->player[i];
		struct space_row *list = NULL;
		size_t n = 0;

		if (world_given_up(p))
			continue;
		list = world_spaces(p, &n);
		for (size_t k = 0; k < n && !is; k++)
			is = list[k].state == SPACE_MEMBER && list[k].neighbourhood != 0 && world_is_in(p, &list[k]) &&
			     world_uncompacted(p, &list[k], text) != NULL;
		free(list);
	}
	if (is && tell)
		must_fail("%s (K3, liveness)", text);
	return is;
}

/* Contests end, who is lost rests: what was erased goes, in so many exchanges as that takes, and keys with it. */
static void compacted(struct plot *t, struct play_counts *counts)
{
	struct world *w = t->w;
	bool plain = !w->forged && !w->copies && !model_quarrels(w->model);

	for (int k = 0; k < 16 && is_uncompacted(t, false); k++) {
		days(t, 5);
		round_of(t);
	}
	for (int more = 0; more < 4 && !world_is_settled(w, true); more++)
		round_of(t); /* the last words about it */
	world_settled(w);
	world_erased(w);
	if (plain)
		(void)is_uncompacted(t, true);
	counts->compacted += !is_uncompacted(t, false);
	counts->cuts += w->cuts;
	counts->gone += w->gone;
	counts->tried += w->tried;
}

/* Faults stop; who asked to join may get an answer first (asking, answering and hearing of it are three exchanges). */
static void settle(struct plot *t, struct play_counts *counts)
{
	struct host_faults none = { 0 };
	struct world *w = t->w;
	bool longer = false;

	world_say(w, "faults stop");
	hosts_faults(w->hosts, &none);
	host_honest(w->hosts);
	world_push_again(w);
	t->crashes = false;
	t->depth = 1;
	if (anybody_asks(w->player, w->player + w->players)) {
		round_of(t);
		round_of(t);
		approve_all(t);
		round_of(t);
		round_of(t);
	}
	if (t->twins)
		come_back(t);
	for (size_t i = 0; i < w->players; i++) {
		w->player[i].away = false;
		if (!world_given_up(&w->player[i]))
			act_write(&w->player[i]);
	}
	world_say(w, "two rounds");
	round_of(t);
	if (!world_is_settled(w, true))
		round_of(t);
	else
		counts->two_rounds++;
	/* whoever just came in names a new box key, and keys of an answered removal are handed on: that takes rounds of
	 * its own, in which people write nothing. So does a copy that is found out in the second round: then it goes on
	 * under another id, and the others have not heard of that */
	longer = t->compacts || model_quarrels(w->model); /* votes and acknowledgements are batches as well */
	for (int more = 0; more < (longer ? 4 : 2) && !world_is_settled(w, true); more++) {
		if (more == 0 && !t->twins && !longer && !world_is_settled(w, false))
			break;
		round_of(t);
	}
	world_settled(w);
	if (t->compacts)
		compacted(t, counts);
}

static void add_up(const struct plot *t, struct play_counts *counts)
{
	const struct host_counts h = host_counts(t->w->hosts);
	const uint64_t *from = (const uint64_t *)&h;
	uint64_t *to = (uint64_t *)&counts->host;

	for (size_t i = 0; i < sizeof(h) / sizeof(*from); i++)
		to[i] += from[i];
	counts->seeds++;
	counts->devices += t->w->players;
	counts->syncs += t->syncs;
	counts->crashes += t->w->crashes;
	counts->losses += t->w->losses;
	counts->checks += t->w->checks;
	for (size_t i = 0; i < t->w->players; i++) {
		counts->members += t->w->player[i].holds > 1;
		counts->edits += t->w->player[i].rows;
	}
}

uint64_t play_seed(uint64_t seed, bool trace, struct play_counts *counts)
{
	struct plot t = { .w = world_new(seed, trace) };
	uint64_t digest = 0;

	plot_draw(&t);
	hosts_use(t.w->hosts, between, &t);
	world_join(t.w);
	for (size_t i = 0; i < t.steps; i++)
		act(&t);
	settle(&t, counts);
	add_up(&t, counts);
	digest = host_digest(t.w->hosts);
	world_free(t.w);
	return digest;
}

/* Seeds that are red today, each for a fault of the program that docs/TESTING.md describes; SLB_SIM_KNOWN=seeds plays
 * them too. */
static bool left_out(uint64_t seed)
{
	static const uint64_t red[] = { 20, 161, 389, 598, 782, 890 };
	bool is = false;

	for (size_t i = 0; i < sizeof(red) / sizeof(red[0]); i++)
		is = is || red[i] == seed;
	if (is && !known("seeds"))
		printf("# seed %llu is left out: docs/TESTING.md, \"Known and not healed\"\n",
		       (unsigned long long)seed);
	return is && !known("seeds");
}

void play_seeds(uint64_t first, uint64_t every, uint64_t end)
{
	const char *only = getenv("SLB_SIM_SEED");
	struct play_counts c = { 0 };

	if (only != NULL) {
		play_seed(strtoull(only, NULL, 10), true, &c);
	} else {
		for (uint64_t seed = first; seed < end; seed += every)
			if (!left_out(seed))
				play_seed(seed, false, &c);
	}
	printf("# %llu seeds: %llu devices, %llu in a shared space; %llu edits held, %llu exchanges, %llu crashes, "
	       "%llu of "
	       "them power losses, %llu looks at whole devices\n",
	       (unsigned long long)c.seeds, (unsigned long long)c.devices, (unsigned long long)c.members,
	       (unsigned long long)c.edits, (unsigned long long)c.syncs, (unsigned long long)c.crashes,
	       (unsigned long long)c.losses, (unsigned long long)c.checks);
	printf("# %llu logs cut off, %llu records erased for good; %llu homes that said so were tried with every key, "
	       "%llu worlds compacted to the end\n",
	       (unsigned long long)c.cuts, (unsigned long long)c.gone, (unsigned long long)c.tried,
	       (unsigned long long)c.compacted);
	printf(
	    "# hosts: %llu sessions, %llu cut off, %llu pushes, %llu races lost; stale %llu, gone back %llu, dropped "
	    "%llu, "
	    "two worlds %llu, old files %llu, swapped %llu, flipped %llu, broken %llu, forged %llu; told: ahead %llu, "
	    "restored %llu, rewound %llu, gone %llu\n",
	    (unsigned long long)c.host.sessions, (unsigned long long)c.host.cut_off, (unsigned long long)c.host.pushes,
	    (unsigned long long)c.host.lost_races, (unsigned long long)c.host.stale,
	    (unsigned long long)c.host.went_back, (unsigned long long)c.host.dropped, (unsigned long long)c.host.worlds,
	    (unsigned long long)c.host.again, (unsigned long long)c.host.swapped, (unsigned long long)c.host.flipped,
	    (unsigned long long)c.host.broken, (unsigned long long)c.host.forged, (unsigned long long)c.host.ahead,
	    (unsigned long long)c.host.restored, (unsigned long long)c.host.rewound, (unsigned long long)c.host.gone);
}
