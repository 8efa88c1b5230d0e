// SPDX-License-Identifier: EUPL-1.2
// Goal (K1, K4, M1): who belongs to a space, with which rights and up to where, follows from the set of acts and what
// each author had seen. Named scenes as tables, each in every order of its own acts; random histories with liars among
// them, against a second computation that enumerates; any order gives the same; nobody who had seen the own removal
// does anything that counts; everything that counts rests on what counts; what nobody has seen changes nothing.
// Seen to catch: a device of somebody else removed as one of the own; acts decided in no causal order; what a taker had
// seen undone; one batch too many left out; a device added to anybody; takings not asked for an epoch; removals kept
// that rest on nothing; seniority lost; a ring broken by one who knew of the own removal; a late admission that binds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/members.h"
#include "model/random.h"

#define ACTS_MAX 40
#define OWN_MAX 8

/* ---- A small language of acts ---- */

static struct device_id device(char letter)
{
	struct device_id d = { { 0 } };

	d.b[0] = (uint8_t)letter;
	return d;
}

static struct dot person(char letter)
{
	struct dot p = { .counter = 1 };

	p.dev.b[0] = (uint8_t)letter;
	return p;
}

static void seen_read(const char *text, struct vv *seen)
{
	int n = 0;

	*seen = (struct vv){ 0 };
	for (; *text == ' '; text += n) {
		unsigned s = 0;
		char who = 0;

		assert_int_equal(sscanf(text, " %c%u%n", &who, &s, &n), 2);
		assert_int_equal(vv_set(seen, (struct vv_entry){ .dev = device(who), .seq = s }), ERR_OK);
	}
}

/* "B5 -C | A2 D7": in B's batch 5, having seen A up to 2 and D up to 7: +Cb lets in device C of b, one of the author's
 * own, +Cc! one of a new person; *b makes b a coordinator, /b takes that; -C removes C; ^ a first batch. */
static void act_read(const char *text, uint64_t order, struct act *a, struct vv *seen)
{
	const char *bar = strchr(text, '|');
	unsigned seq = 0;
	char author = 0;
	char verb = 0;
	char what[4] = { 0 };
	int parts = sscanf(text, "%c%u %c%3s", &author, &seq, &verb, what);

	*a = (struct act){ .at = { device(author), seq, order, seen }, .counts = order % 2 == 0 };
	assert_true(parts >= 3);
	seen_read(bar == NULL ? "" : bar + 1, seen);
	switch (verb) {
	case '+':
		a->type = ACT_ADMIT;
		a->device = device(what[0]);
		a->person = person(what[1]);
		a->fresh = what[2] == '!';
		break;
	case '*':
	case '/':
		a->type = verb == '*' ? ACT_GRANT : ACT_TAKE;
		a->person = person(what[0]);
		a->roles = ROLE_COORDINATOR;
		break;
	case '-':
		a->type = ACT_CUT;
		a->device = device(what[0]);
		break;
	case '^':
		a->type = ACT_ENTER;
		a->at.order = UINT64_MAX;
		break;
	default:
		fail_msg("no act: %s", text);
	}
}

/* "C5 D0 *ab": C counts up to 5, D not at all; a and b are coordinators. Devices that are in and all count stand not
 * there. */
static void outcome_text(const struct members *m, char *out)
{
	char roles[30] = { 0 };
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < m->devices; i++) {
		const struct standing *s = &m->device[i];

		assert_true(s->in || s->keep == 0);
		assert_true(members_find(m, s->device) == s);
		assert_true(members_void(m, s->device, 1) == (s->keep < 1));
		if (s->keep != UINT64_MAX)
			sprintf(out + strlen(out), "%s%c%u", out[0] == '\0' ? "" : " ", s->device.b[0],
			        (unsigned)s->keep);
	}
	for (char p = 'a'; p <= 'z'; p++)
		if ((members_roles(m, person(p)) & ROLE_COORDINATOR) != 0)
			roles[n++] = p;
	if (n > 0)
		sprintf(out + strlen(out), "%s*%s", out[0] == '\0' ? "" : " ", roles);
}

/* ---- Scenes ---- */

struct scene {
	const char *name;
	enum space_kind kind;
	const char *own[OWN_MAX];
	const char *counts; /* which of them: "1" or "0" each */
	const char *kept;
};

/* The founder lets in b, c and d, in this order. */
static const char *const CAST[] = { "A1 +Aa!", "A1 *a",     "A2 +Bb!",   "A3 +Cc!",
	                            "A4 +Dd!", "B1 ^ | A2", "C1 ^ | A3", "D1 ^ | A4" };
#define CAST_COUNT (sizeof(CAST) / sizeof(CAST[0]))

#define NB SPACE_NEIGHBOURHOOD
#define CI SPACE_CIRCLE

static const struct scene SCENES[] = {
	{ "nobody does anything", NB, { "B2 ^ | A2" }, "1", "*a" },
	{ "a chain of admissions", CI, { "D2 +Ee! | A4", "E1 ^ | A4 D2", "E2 +Ff! | A4 D2" }, "111", "*a" },
	{ "whatever the letters of the devices",
	  CI,
	  { "D2 +@e! | A4", "@1 ^ | A4 D2", "@2 +Ff! | A4 D2", "F1 -C | A4 C1 D2 @2" },
	  "1111",
	  "C1 *a" },
	{ "a stranger lets itself in", CI, { "E1 +Ee!" }, "0", "E0 *a" },
	{ "strangers let each other in", CI, { "E1 +Ff! | F1", "F1 +Ee! | E1" }, "00", "E0 F0 *a" },
	{ "a member adds a device of its own", NB, { "B2 +Eb | A2" }, "1", "*a" },
	{ "a member adds one to somebody else", CI, { "B2 +Ec | A4" }, "0", "E0 *a" },
	{ "a member lets somebody in before it saw that it is one", CI, { "B1 +Ee!" }, "0", "E0 *a" },

	{ "who is no coordinator makes itself one", NB, { "B2 *b | A4" }, "0", "*a" },
	{ "a coordinator makes another", NB, { "A5 *b", "B2 *c | A5" }, "11", "*abc" },
	{ "a role that was not seen yet gives no right", NB, { "A5 *b", "B2 *c | A4" }, "10", "*ab" },
	{ "a coordinator who is removed later: what was seen of it stands",
	  NB,
	  { "A5 *b", "B2 *c | A5", "A6 -B | B2" },
	  "111",
	  "B2 *abc" },
	{ "a coordinator who was removed: what it did beyond that is gone",
	  NB,
	  { "A5 *b", "B2 *c | A5", "A6 -B | B1" },
	  "101",
	  "B1 *ab" },
	{ "who was made a coordinator beyond a removal takes nobody's role",
	  NB,
	  { "A5 *b", "B2 *c | A5", "C2 /a | A5 B2", "A6 -B | B1" },
	  "1001",
	  "B1 *ab" },
	{ "who was made one by somebody whose role was taken, who pretends not to know",
	  NB,
	  { "A5 *b", "A6 /b", "B2 *c | A5", "C2 -D | A5 B2 D1" },
	  "1100",
	  "*a" },
	{ "what the taker had seen stands", NB, { "A5 *b", "B2 *c | A5", "A6 /b | B2" }, "111", "*ac" },
	{ "two who take each other's role: the one who joined first keeps it",
	  NB,
	  { "A5 *b", "A6 *c", "B2 /c | A6", "C2 /b | A6" },
	  "1110",
	  "*ab" },
	{ "the same, but the second knew: its own role was gone",
	  NB,
	  { "A5 *b", "A6 *c", "C2 /b | A6", "B2 /c | A6 C2" },
	  "1110",
	  "*ac" },
	{ "a role is taken from a coordinator, who removes the taker and pretends not to know",
	  NB,
	  { "A5 *b", "A6 *c", "B2 /c | A6", "C2 -B | A6 B1" },
	  "1110",
	  "*ab" },
	{ "a role that is given again", NB, { "A5 *b", "A6 /b", "A7 *b" }, "111", "*ab" },
	{ "given again by one who had not seen that it was taken",
	  NB,
	  { "A5 *b", "A6 *c", "A7 /c", "B2 *c | A6" },
	  "1111",
	  "*abc" },
	{ "taken by one who had not seen that it was given again: the new one stays",
	  NB,
	  { "A5 *b", "A6 *c", "A7 *c", "B2 /c | A6" },
	  "1111",
	  "*abc" },
	{ "one lays down a role", NB, { "A5 *b", "B2 /b | A5" }, "11", "*a" },
	{ "the last coordinator lays down the role: nobody can give it", NB, { "A5 /a", "B2 *b | A5" }, "10", "" },
	{ "the last coordinator leaves", NB, { "A5 -A", "B2 -C | A5", "B3 +Ee! | A5" }, "101", "A5 *a" },

	{ "in a circle everybody may remove", CI, { "B2 -C | A4 C1" }, "1", "C1 *a" },
	{ "in an own space too", SPACE_OWN, { "B2 -C | A4 C1" }, "1", "C1 *a" },
	{ "in a neighbourhood who is no coordinator may not", NB, { "B2 -C | A4 C1" }, "0", "*a" },
	{ "but a device of the own person", NB, { "B2 +Eb | A4", "E1 ^ | A4 B2", "B3 -E | A4 E1" }, "111", "E1 *a" },
	{ "and itself", NB, { "B2 -B | A4" }, "1", "B2 *a" },
	{ "not by calling it a device of the own person", NB, { "A5 *c", "B2 +Cb | A2", "B3 -C | A2" }, "110", "*ac" },
	{ "nor one that never wrote", NB, { "A5 +Ee!", "B2 +Eb | A2", "B3 -E | A2" }, "110", "*a" },
	{ "who lets in a coordinator's device takes no role from it",
	  NB,
	  { "A5 *c", "B2 +Cb | A2", "C2 *d | A5 B2" },
	  "111",
	  "*acd" },
	{ "a device of the own person goes, whoever lets it in again",
	  NB,
	  { "B2 +Eb | A4", "E1 ^ | A4 B2", "B3 -E | A4 E1", "C2 +Ee! | A4 B2" },
	  "1111",
	  "E1 *a" },

	{ "the founder is removed", CI, { "B2 -A | A4" }, "1", "A4 *a" },
	{ "the founder is removed, knows it and strikes back", CI, { "B2 -A | A4", "A5 -B | B2" }, "10", "A4 *a" },
	{ "the founder is removed and strikes back unknowing", CI, { "B2 -A | A4", "A5 -B | B1" }, "01", "B1 *a" },
	{ "two remove each other: the first to join stays", CI, { "C2 -B | A4 B1", "B2 -C | A4 C1" }, "01", "C1 *a" },
	{ "somebody leaves all of the founder's acts out, and with them itself",
	  CI,
	  { "B1 +Ee! | A2", "E1 -A | B1" },
	  "10",
	  "*a" },
	{ "a device let in beyond a removal is out", CI, { "B2 +Ee! | A4", "C2 -B | A4 B1" }, "01", "B1 E0 *a" },
	{ "one that was let in before it stays", CI, { "B2 +Ee! | A4", "C2 -B | A4 B2" }, "11", "B2 *a" },
	{ "sock puppets let in beyond a removal remove the remover, who joined later",
	  CI,
	  { "D2 +Ee! | A4", "E1 -C | A4 D2 C1", "E2 +Ff! | A4 D2 C1", "F1 -C | A4 D2 E2 C1", "C2 -D | A4 D1" },
	  "00001",
	  "D1 E0 F0 *a" },
	{ "the same, and they had seen it",
	  CI,
	  { "D2 +Ee! | A4", "E1 -C | A4 D2 C2", "C2 -D | A4 D1" },
	  "001",
	  "D1 E0 *a" },
	{ "sock puppets of one who joined first: it wins anyway",
	  CI,
	  { "B2 +Ee! | A4", "E1 -C | A4 B2 C1", "C2 -B | A4 B1" },
	  "001",
	  "B1 E0 *a" },
	{ "let in twice, one of them beyond a removal",
	  CI,
	  { "B2 +Ee! | A4", "C2 +Ee! | A4", "A5 -B | B1 C2" },
	  "011",
	  "B1 *a" },
	{ "let in twice, both beyond removals",
	  CI,
	  { "B2 +Ee! | A4", "C2 +Ee! | A4", "A5 -B | B1 C2", "A6 -C | B1 C1" },
	  "0011",
	  "B1 C1 E0 *a" },
	{ "let in again by somebody after the removal of who let it in",
	  CI,
	  { "B2 +Ee! | A4", "E1 ^ | A4 B2", "A5 -B | B1", "C2 +Ee! | A5", "E2 +Ff! | A4 B2", "E3 +Gg! | A5 B2 C2" },
	  "001101",
	  "B1 F0 *a" },
	{ "removed, and back under new keys",
	  CI,
	  { "A5 -B | B1", "C2 +Fb! | A5", "F1 ^ | A5 C2", "F2 -D | A5 C2 D1" },
	  "1111",
	  "B1 D1 *a" },
	{ "removed, and let in again under the old keys: what it seals stays out",
	  CI,
	  { "A5 -B | B1", "C2 +Bb! | A5", "B2 -D | A5 C2 D1" },
	  "110",
	  "B1 *a" },
	{ "three remove in a ring: the first to join counts",
	  CI,
	  { "B2 -C | A4 C1", "C2 -D | A4 D1", "D2 -B | A4 B1" },
	  "100",
	  "C1 *a" },
	{ "a ring that runs through one who knew of the own removal: it does not count there",
	  CI,
	  { "D2 -A | A4", "D2 -B | A4 B1", "B2 -C | A4 C1", "C2 -D | A4 D1", "A5 -B | B1 D2" },
	  "10100",
	  "A4 C1 *a" },
	{ "a ring of others on which the removal of the first to join hangs: it has no say in it",
	  CI,
	  { "D2 -A | A4", "D2 -B | A4 B1", "B2 -C | A4 C1", "C2 -D | A4 D1", "D3 +Ee! | A4", "A5 -E | D3" },
	  "101010",
	  "A4 C1 *a" },
};

struct cast {
	struct act act[ACTS_MAX];
	struct vv seen[ACTS_MAX];
	size_t n;
};

static void cast_read(const char *const *own, struct cast *c)
{
	c->n = 0;
	for (; c->n < CAST_COUNT; c->n++)
		act_read(CAST[c->n], c->n, &c->act[c->n], &c->seen[c->n]);
	for (size_t i = 0; i < OWN_MAX && own[i] != NULL; i++, c->n++)
		act_read(own[i], c->n, &c->act[c->n], &c->seen[c->n]);
}

static void cast_free(struct cast *c)
{
	for (size_t i = 0; i < c->n; i++)
		vv_free(&c->seen[i]);
}

/* `act` is settled as it stands there, and may come back in another order. */
static struct members settle(enum space_kind kind, struct act *act, size_t n)
{
	struct members m = { .kind = kind, .founder = device('A'), .act = act, .acts = n };

	assert_int_equal(members_settle(&m), ERR_OK);
	return m;
}

static void scene_try(const struct scene *s, const struct cast *c, const size_t *order)
{
	struct act act[ACTS_MAX];
	char kept[128];
	char counts[OWN_MAX + 1] = { 0 };
	struct members m;

	for (size_t i = 0; i < c->n; i++)
		act[i] = c->act[order[i]];
	m = settle(s->kind, act, c->n);
	outcome_text(&m, kept);
	for (size_t i = 0; i < c->n; i++)
		for (size_t k = CAST_COUNT; k < c->n; k++)
			if (act[i].at.seen == &c->seen[k])
				counts[k - CAST_COUNT] = act[i].counts ? '1' : '0';
	members_free(&m);
	if (strcmp(kept, s->kept) != 0 || strcmp(counts, s->counts) != 0)
		fail_msg("%s: '%s' (%s), not '%s' (%s)", s->name, kept, counts, s->kept, s->counts);
}

/* Every order of the last n (Heap's algorithm). */
static void every_order(const struct scene *s, const struct cast *c, size_t *order, size_t n)
{
	size_t *last = order + CAST_COUNT;

	if (n <= 1) {
		scene_try(s, c, order);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		size_t other = n % 2 == 0 ? i : 0;
		size_t swap = 0;

		every_order(s, c, order, n - 1);
		swap = last[other];
		last[other] = last[n - 1];
		last[n - 1] = swap;
	}
}

static void shuffle(struct random *r, size_t *order, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = random_below(r, (uint32_t)i);
		size_t swap = order[i - 1];

		order[i - 1] = order[k];
		order[k] = swap;
	}
}

static void scenes(void **state)
{
	struct random r = { 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(SCENES) / sizeof(SCENES[0]); i++) {
		struct cast c;
		size_t order[ACTS_MAX];

		cast_read(SCENES[i].own, &c);
		for (size_t k = 0; k < c.n; k++)
			order[k] = k;
		every_order(&SCENES[i], &c, order, c.n - CAST_COUNT);
		for (size_t k = 0; k < 200; k++) {
			shuffle(&r, order, c.n);
			scene_try(&SCENES[i], &c, order);
		}
		cast_free(&c);
	}
}

/* ---- Questions ---- */

struct question {
	const char *name;
	const char *own[OWN_MAX];
	const char *at; /* an act of no meaning there and then */
	unsigned roles;
	bool may, let_in, knew;
};

static const struct question QUESTIONS[] = {
	{ "a member", { NULL }, "B5 ^ | A4", 0, true, true, true },
	{ "a member, about a role", { NULL }, "B5 ^ | A4", ROLE_COORDINATOR, false, true, true },
	{ "the founder", { NULL }, "A5 ^", ROLE_COORDINATOR | ROLE_TELLER, true, true, true },
	{ "the founder, about what nobody may", { NULL }, "A5 ^", ROLE_NOBODY, false, true, true },
	{ "before it saw that it was let in", { NULL }, "B5 ^", 0, false, false, true },
	{ "a stranger", { NULL }, "E1 ^ | A4", 0, false, false, true },
	{ "let in by one whose removal it had not seen",
	  { "B2 +Ee! | A4", "A5 -B | B1" },
	  "E1 ^ | A4 B2",
	  0,
	  false,
	  true,
	  false },
	{ "removed, below that", { "A5 -B | B4" }, "B4 ^ | A4", 0, true, true, false },
	{ "removed, beyond that", { "A5 -B | B4" }, "B5 ^ | A4", 0, false, true, false },
	{ "who had seen a removal", { "A5 -B | B4" }, "C5 ^ | A5", 0, true, true, true },
	{ "who had not seen that a role was taken",
	  { "A5 *c", "A6 /c" },
	  "C5 ^ | A5",
	  ROLE_COORDINATOR,
	  false,
	  true,
	  false },
	{ "whose taker had seen this", { "A5 *c", "A6 /c | C5" }, "C5 ^ | A5", ROLE_COORDINATOR, true, true, false },
	{ "a coordinator whose device somebody else let in as well",
	  { "A5 *c", "B2 +Cb | A2" },
	  "C5 ^ | A5 B2",
	  ROLE_COORDINATOR,
	  true,
	  true,
	  true },
	{ "who let in a coordinator's device as its own",
	  { "A5 *c", "B2 +Cb | A2" },
	  "B5 ^ | A5",
	  ROLE_COORDINATOR,
	  false,
	  true,
	  true },
};

static void questions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(QUESTIONS) / sizeof(QUESTIONS[0]); i++) {
		const struct question *q = &QUESTIONS[i];
		struct act at;
		struct vv seen;
		struct cast c;
		struct members m;

		cast_read(q->own, &c);
		act_read(q->at, 0, &at, &seen);
		m = settle(NB, c.act, c.n);
		if (members_may(&m, &at.at, q->roles) != q->may || members_let_in(&m, &at.at) != q->let_in ||
		    members_knew_removals(&m, &at.at) != q->knew)
			fail_msg("%s: %d %d %d", q->name, members_may(&m, &at.at, q->roles), members_let_in(&m, &at.at),
			         members_knew_removals(&m, &at.at));
		members_free(&m);
		vv_free(&seen);
		cast_free(&c);
	}
}

/* ---- A second computation: plain lists, and all sets of removals ---- */

struct plain {
	enum space_kind kind;
	const struct act *act; /* in causal order */
	size_t n;
	size_t removal[8];
	size_t removals;
	bool counts[ACTS_MAX]; /* of the set that was tried last */
	bool ok[ACTS_MAX];
};

static bool same(struct device_id a, struct device_id b)
{
	return device_cmp(a, b) == 0;
}

static bool plain_saw(const struct act *a, const struct act *b)
{
	const struct vv_entry *e = vv_get(a->at.seen, b->at.author);

	if (same(a->at.author, b->at.author))
		return b->at.seq < a->at.seq || (b->at.seq == a->at.seq && b->at.order < a->at.order);
	return e != NULL && e->seq >= b->at.seq;
}

static uint64_t plain_keep(const struct act *cut)
{
	const struct vv_entry *e = vv_get(cut->at.seen, cut->device);

	return same(cut->device, cut->at.author) ? cut->at.seq : e == NULL ? 0 : e->seq;
}

static bool plain_binds(const struct plain *p, const struct act *admit)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->act[i].type == ACT_ENTER && same(p->act[i].at.author, admit->device))
			return plain_saw(&p->act[i], admit);
	return true;
}

/* Is a device of this person then (or of anybody, for a person of none)? */
static bool plain_is(const struct plain *p, struct device_id dev, const struct act *then, struct dot who)
{
	bool bound = false;

	for (size_t i = 0; i < p->n; i++) {
		const struct act *a = &p->act[i];

		bound = bound || (a->type == ACT_ADMIT && p->counts[i] && same(a->device, dev) && plain_saw(then, a) &&
		                  plain_binds(p, a));
	}
	for (size_t i = 0; i < p->n; i++) {
		const struct act *a = &p->act[i];

		if (a->type == ACT_ADMIT && p->counts[i] && same(a->device, dev) && plain_saw(then, a) &&
		    (!bound || plain_binds(p, a)) && (dot_is_none(who) || dot_cmp(who, a->person) == 0))
			return true;
	}
	return false;
}

static bool plain_coordinator(const struct plain *p, const struct act *then)
{
	for (size_t g = 0; g < p->n; g++) {
		const struct act *grant = &p->act[g];
		bool taken = false;

		if (grant->type != ACT_GRANT || !p->counts[g] || !plain_saw(then, grant) ||
		    !plain_is(p, then->at.author, then, grant->person))
			continue;
		for (size_t t = 0; t < p->n; t++)
			taken = taken || (p->act[t].type == ACT_TAKE && p->counts[t] &&
			                  dot_cmp(p->act[t].person, grant->person) == 0 &&
			                  plain_saw(&p->act[t], grant) && !plain_saw(&p->act[t], then));
		if (!taken)
			return true;
	}
	return false;
}

static bool plain_entitled(const struct plain *p, const struct act *a)
{
	bool founder = same(a->at.author, device('A'));
	bool own = false;

	if (founder && a->at.seq == 1)
		return true;
	if (!founder && !plain_is(p, a->at.author, a, (struct dot){ 0 }))
		return false;
	if (a->type == ACT_ADMIT)
		return a->fresh || plain_is(p, a->at.author, a, a->person);
	if (a->type == ACT_ENTER || p->kind != NB || plain_coordinator(p, a))
		return true;
	if (a->type != ACT_CUT)
		return a->type == ACT_TAKE && plain_is(p, a->at.author, a, a->person);
	for (size_t i = 0; i < p->n; i++) {
		if (p->act[i].type != ACT_ADMIT || !same(p->act[i].device, a->device) || !plain_binds(p, &p->act[i]))
			continue;
		own = plain_is(p, a->at.author, a, p->act[i].person);
		if (!own)
			break;
	}
	return own || same(a->device, a->at.author);
}

/* What follows where this set of removals is in force, bit k for the k-th. */
static void plain_follow(struct plain *p, unsigned set)
{
	for (size_t i = 0; i < p->n; i++) {
		p->counts[i] = false;
		for (size_t k = 0; k < p->removals; k++)
			p->counts[i] = p->counts[i] || (p->removal[k] == i && (set >> k & 1) != 0);
	}
	for (size_t i = 0; i < p->n; i++) {
		const struct act *a = &p->act[i];
		bool out = false;

		for (size_t k = 0; k < p->n; k++)
			out = out || (p->act[k].type == ACT_CUT && p->counts[k] &&
			              same(p->act[k].device, a->at.author) && a->at.seq > plain_keep(&p->act[k]));
		p->ok[i] = !out && plain_entitled(p, a);
		if (a->type != ACT_CUT && a->type != ACT_TAKE)
			p->counts[i] = p->ok[i];
	}
}

/* When somebody joined, but never before whoever let it in. */
static uint64_t plain_rank(const struct plain *p, struct device_id dev)
{
	const struct act *first = NULL;
	uint64_t above = 0;

	if (same(dev, device('A')))
		return 0;
	for (size_t i = p->n; i-- > 0;)
		if (p->act[i].type == ACT_ADMIT && p->counts[i] && same(p->act[i].device, dev) &&
		    plain_binds(p, &p->act[i]))
			first = &p->act[i];
	if (first == NULL)
		return UINT64_MAX;
	above = same(first->at.author, dev) ? UINT64_MAX : plain_rank(p, first->at.author);
	if (above == UINT64_MAX)
		return UINT64_MAX;
	return above > first->depth ? above + 1 : first->depth + 1;
}

enum answer { DECIDED, CIRCLE };

/* Do removals undo one another in a ring? `beaten`: by which. */
static bool ring(const unsigned *beaten, unsigned alive, size_t n)
{
	for (bool moved = true; moved;) { /* takes away whatever nothing that is left undoes */
		moved = false;
		for (size_t i = 0; i < n; i++) {
			if ((alive >> i & 1) != 0 && (beaten[i] & alive) == 0) {
				alive &= ~(1u << i);
				moved = true;
			}
		}
	}
	return alive != 0;
}

/* The one set of removals that undoes exactly the others. CIRCLE: some go round; model/cuts.h says what holds then. */
static enum answer plain_settle(struct plain *p, unsigned *set)
{
	uint64_t rank[8] = { 0 };
	bool out[8][8] = { { false } };
	unsigned beaten[8] = { 0 }; /* by which */
	unsigned alive = 0;
	unsigned dropped = 0;

	plain_follow(p, 0);
	for (size_t k = 0; k < p->removals; k++) {
		alive |= (unsigned)p->ok[p->removal[k]] << k;
		rank[k] = plain_rank(p, p->act[p->removal[k]].at.author);
	}
	for (size_t k = 0; k < p->removals; k++) {
		plain_follow(p, 1u << k);
		for (size_t i = 0; i < p->removals; i++)
			out[k][i] = i != k && !p->ok[p->removal[i]];
	}
	for (size_t k = 0; k < p->removals; k++) {
		for (size_t i = 0; i < p->removals; i++) {
			const struct act *by = &p->act[p->removal[k]];
			const struct act *of = &p->act[p->removal[i]];
			bool first =
			    rank[k] != rank[i] ? rank[k] < rank[i] : device_cmp(by->at.author, of->at.author) < 0;
			bool knew =
			    plain_saw(of, by) && (by->at.seq != of->at.seq || !same(by->at.author, of->at.author));

			if (out[k][i] && (knew || !out[i][k] || first))
				beaten[i] |= 1u << k;
		}
	}
	do {
		size_t found = 0;

		alive &= ~dropped;
		if (ring(beaten, alive, p->removals))
			return CIRCLE;
		for (unsigned s = 0; s < 1u << p->removals; s++) {
			bool fits = (s & ~alive) == 0;

			for (size_t i = 0; fits && i < p->removals; i++)
				if ((alive >> i & 1) != 0)
					fits = ((s >> i & 1) != 0) == ((beaten[i] & s) == 0);
			if (fits && found++ == 0)
				*set = s;
		}
		assert_int_equal(found, 1);
		plain_follow(p, *set);
		dropped = 0;
		for (size_t i = 0; i < p->removals; i++)
			dropped |= (unsigned)((*set >> i & 1) != 0 && !p->ok[p->removal[i]]) << i;
	} while (dropped != 0);
	return DECIDED;
}

/* ---- Random histories ---- */

#define DEVICES 6
#define REMOVALS 7
#define BATCHES 60

struct history {
	struct random r;
	enum space_kind kind;
	struct act act[ACTS_MAX];
	size_t n;
	size_t removals;
	uint64_t seq[DEVICES];
	struct vv now[DEVICES]; /* what each says it had seen, of what it sealed last */
	struct vv *seen[DEVICES][BATCHES];
	bool known[DEVICES]; /* somebody let it in: */
	size_t by[DEVICES];
	uint64_t in[DEVICES];
	bool liar[DEVICES];
};

static char letter(size_t d)
{
	return (char)('A' + d);
}

static size_t any(struct history *h)
{
	return (size_t)random_below(&h->r, DEVICES);
}

/* Seals a batch and says what was seen of it from then on. */
static const struct vv *seal(struct history *h, size_t who)
{
	struct vv *v = calloc(1, sizeof(*v));

	assert_non_null(v);
	assert_int_equal(vv_copy(&h->now[who], v), ERR_OK);
	assert_true(h->seq[who] + 1 < BATCHES);
	h->seen[who][++h->seq[who]] = v;
	return v;
}

/* An honest reader has what the author of a batch had; a liar names the one batch. */
static void read_batch(struct history *h, size_t who, size_t other, uint64_t upto)
{
	const struct vv *had = h->seen[other][upto];
	const struct vv_entry *was = vv_get(&h->now[who], device(letter(other)));

	if (was == NULL || was->seq < upto)
		assert_int_equal(vv_set(&h->now[who], (struct vv_entry){ .dev = device(letter(other)), .seq = upto }),
		                 ERR_OK);
	for (size_t i = 0; !h->liar[who] && i < had->n; i++) {
		was = vv_get(&h->now[who], had->e[i].dev);
		if (!same(had->e[i].dev, device(letter(who))) && (was == NULL || was->seq < had->e[i].seq))
			assert_int_equal(vv_set(&h->now[who], had->e[i]), ERR_OK);
	}
}

static void add(struct history *h, struct act a, size_t who, const struct vv *seen)
{
	a.at = (struct moment){ device(letter(who)), h->seq[who], h->n, seen };
	if (a.type == ACT_ENTER)
		a.at.order = UINT64_MAX;
	assert_true(h->n < ACTS_MAX);
	h->act[h->n++] = a;
	h->removals += a.type == ACT_CUT || a.type == ACT_TAKE;
}

static void admit(struct history *h, size_t who, size_t dev, const struct vv *seen)
{
	bool fresh = random_chance(&h->r, 70);
	struct act a = { .type = ACT_ADMIT, .device = device(letter(dev)), .fresh = fresh };

	a.person = fresh && !h->known[dev] ? person((char)('a' + dev)) : person((char)('a' + who));
	if (fresh && h->known[dev])
		a.person = person((char)('g' + who));
	if (!h->known[dev]) {
		h->by[dev] = who;
		h->in[dev] = h->seq[who];
	}
	h->known[dev] = true;
	add(h, a, who, seen);
}

static void begin(struct history *h, uint64_t round)
{
	*h = (struct history){ .r = { round }, .kind = round % 3 == 0 ? CI : NB };
	h->known[0] = true;
	add(h, (struct act){ .type = ACT_ADMIT }, 0, seal(h, 0));
	h->act[0].device = device('A');
	h->act[0].person = person('a');
	h->act[0].fresh = true;
	add(h, (struct act){ .type = ACT_GRANT, .person = person('a'), .roles = ROLE_COORDINATOR }, 0, h->seen[0][1]);
	for (size_t d = 1; d < DEVICES; d++)
		h->liar[d] = random_chance(&h->r, 25);
}

static void step(struct history *h)
{
	size_t who = any(h);
	size_t other = any(h);
	struct dot p = person((char)('a' + other));
	const struct vv *seen = NULL;

	if (!h->known[who])
		return;
	if (other != who && h->seq[other] > 0 && random_chance(&h->r, 70)) {
		read_batch(h, who, other, 1 + random_below(&h->r, h->seq[other]));
		return;
	}
	if (h->seq[who] + 2 >= BATCHES)
		return;
	if (h->seq[who] == 0)
		read_batch(h, who, h->by[who], h->in[who]);
	seen = seal(h, who);
	if (h->seq[who] == 1)
		add(h, (struct act){ .type = ACT_ENTER }, who, seen);
	if (h->n >= 26)
		return;
	switch (random_below(&h->r, 8)) {
	case 0:
	case 1:
	case 2:
		if (!h->known[other] || random_chance(&h->r, 20))
			admit(h, who, other, seen);
		break;
	case 3:
	case 4:
		add(h, (struct act){ .type = ACT_GRANT, .person = p, .roles = ROLE_COORDINATOR }, who, seen);
		break;
	case 5:
		if (h->removals < REMOVALS)
			add(h, (struct act){ .type = ACT_TAKE, .person = p, .roles = ROLE_COORDINATOR }, who, seen);
		break;
	default:
		if (h->removals < REMOVALS && h->n > 6)
			add(h, (struct act){ .type = ACT_CUT, .device = device(letter(other)) }, who, seen);
	}
}

static void end(struct history *h)
{
	for (size_t d = 0; d < DEVICES; d++) {
		vv_free(&h->now[d]);
		for (size_t i = 0; i < BATCHES; i++) {
			if (h->seen[d][i] != NULL)
				vv_free(h->seen[d][i]);
			free(h->seen[d][i]);
		}
	}
}

static void show(const struct members *m)
{
	for (size_t i = 0; i < m->acts; i++) {
		const struct act *a = &m->act[i];

		print_message(
		    "%c %c%u.%u %c %c%c%s depth %u |", a->counts ? '+' : ' ', a->at.author.b[0], (unsigned)a->at.seq,
		    (unsigned)a->at.order, " +*/-^"[a->type], a -> device.b[0] == 0 ? '.' : a->device.b[0],
		    a->person.dev.b[0] == 0 ? '.' : a->person.dev.b[0], a->fresh ? "!" : "", (unsigned)a->depth);
		for (size_t k = 0; k < a->at.seen->n; k++)
			print_message(" %c%u", a->at.seen->e[k].dev.b[0], (unsigned)a->at.seen->e[k].seq);
		print_message("\n");
	}
}

/* What holds of every outcome. */
static void outcome_holds(const struct members *m, struct plain *p, uint64_t round)
{
	unsigned set = 0;

	for (size_t k = 0; k < p->removals; k++)
		set |= (unsigned)m->act[p->removal[k]].counts << k;
	plain_follow(p, set);
	for (size_t i = 0; i < m->acts; i++) {
		const struct act *a = &m->act[i];

		if (p->counts[i] != a->counts) {
			show(m);
			fail_msg("round %u: act %u does not follow from the removals", (unsigned)round, (unsigned)i);
		}
		if (!a->counts)
			continue;
		if (!p->ok[i] || members_void(m, a->at.author, a->at.seq)) {
			show(m);
			fail_msg("round %u: act %u counts and rests on nothing", (unsigned)round, (unsigned)i);
		}
		for (size_t k = 0; k < m->acts; k++) {
			const struct act *cut = &m->act[k];

			if (cut->type == ACT_CUT && cut->counts && same(cut->device, a->at.author) &&
			    plain_saw(a, cut) && a->at.seq != cut->at.seq) {
				show(m);
				fail_msg("round %u: act %u counts, and its author knew of the own removal",
				         (unsigned)round, (unsigned)i);
			}
		}
	}
}

/* A removal that was in order when it was made does not count only where one that counts undoes it, or where those that
 * count leave no right to it. */
static void outcome_has_reasons(const struct members *m, struct plain *p, uint64_t round)
{
	unsigned set = 0;
	bool valid[8];
	bool left[8];

	plain_follow(p, 0);
	for (size_t k = 0; k < p->removals; k++) {
		valid[k] = p->ok[p->removal[k]];
		set |= (unsigned)m->act[p->removal[k]].counts << k;
	}
	plain_follow(p, set);
	for (size_t k = 0; k < p->removals; k++)
		left[k] = !p->ok[p->removal[k]];
	for (size_t k = 0; k < p->removals; k++) {
		if (!valid[k] || (set >> k & 1) != 0 || left[k])
			continue;
		plain_follow(p, set | 1u << k); /* or it leaves out what it rests on itself */
		if (!p->ok[p->removal[k]])
			continue;
		show(m);
		fail_msg("round %u: removal %u does not count for no reason", (unsigned)round, (unsigned)k);
	}
}

/* One more that nobody has seen, and that removes nothing, changes nothing for the others. */
static void stranger_changes_nothing(const struct history *h, const struct members *m, uint64_t round)
{
	struct act more[ACTS_MAX + 1];
	struct vv seen = { 0 };
	struct members with;

	memcpy(more, h->act, h->n * sizeof(*more));
	more[h->n] = (struct act){ .type = ACT_ADMIT,
		                   .at = { device('A'), h->seq[0] + 1, 0, &h->now[0] },
		                   .device = device('Z'),
		                   .person = person('z'),
		                   .fresh = true };
	with = settle(h->kind, more, h->n + 1);
	for (size_t i = 0; i < m->devices; i++) {
		const struct standing *s = members_find(&with, m->device[i].device);

		if (s == NULL || s->keep != m->device[i].keep || s->in != m->device[i].in ||
		    s->rank != m->device[i].rank)
			fail_msg("round %u: a stranger changed something", (unsigned)round);
	}
	members_free(&with);
	vv_free(&seen);
}

static uint64_t tried[2]; /* removals; those that count */

static bool round_try(uint64_t round)
{
	struct history h;
	struct act mixed[ACTS_MAX];
	struct plain p = { 0 };
	struct members m;
	struct members other;
	unsigned set = 0;
	bool decided = false;

	begin(&h, round);
	for (size_t i = 0; i < 160; i++)
		step(&h);
	memcpy(mixed, h.act, sizeof(mixed));
	for (size_t i = h.n; i > 1; i--) {
		size_t k = (size_t)random_below(&h.r, i);
		struct act swap = mixed[i - 1];

		mixed[i - 1] = mixed[k];
		mixed[k] = swap;
	}
	other = settle(h.kind, mixed, h.n);
	m = settle(h.kind, h.act, h.n);
	for (size_t i = 0; i < h.n; i++)
		if (h.act[i].at.order != mixed[i].at.order || h.act[i].counts != mixed[i].counts)
			fail_msg("round %u: decided by the order of the list", (unsigned)round);
	p = (struct plain){ .kind = h.kind, .act = h.act, .n = h.n };
	for (size_t i = 0; i < h.n; i++)
		if (h.act[i].type == ACT_CUT || h.act[i].type == ACT_TAKE)
			p.removal[p.removals++] = i;
	outcome_holds(&m, &p, round);
	tried[0] += p.removals;
	for (size_t k = 0; k < p.removals; k++)
		tried[1] += m.act[p.removal[k]].counts;
	decided = plain_settle(&p, &set) == DECIDED;
	if (decided)
		outcome_has_reasons(&m, &p, round);
	for (size_t k = 0; decided && k < p.removals; k++) {
		if (m.act[p.removal[k]].counts != ((set >> k & 1) != 0)) {
			show(&m);
			fail_msg("round %u: removal %u is decided otherwise", (unsigned)round, (unsigned)k);
		}
	}
	stranger_changes_nothing(&h, &m, round);
	members_free(&m);
	members_free(&other);
	end(&h);
	return decided;
}

static void random_histories(void **state)
{
	uint64_t rounds = 2000 * random_soak();
	uint64_t circles = 0;

	(void)state;
	for (uint64_t round = 1; round <= rounds; round++)
		circles += !round_try(round);
	print_message("seeds 1 to %u, %u of them with circles; of %u removals %u count\n", (unsigned)rounds,
	              (unsigned)circles, (unsigned)tried[0], (unsigned)tried[1]);
	assert_true(circles > 0 && circles < rounds / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scenes),
		cmocka_unit_test(questions),
		cmocka_unit_test(random_histories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
