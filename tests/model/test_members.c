// SPDX-License-Identifier: EUPL-1.2
// Goal (K1, K4, M1): who belongs to a space, with which rights and up to where, follows from the set of acts and what
// each author had seen. Named scenes as tables, each in every order of its own acts; random histories with liars among
// them, against a second computation that enumerates; any order gives the same; nobody who had seen the own removal
// does anything that counts; everything that counts rests on what counts; what nobody could tell apart changes nothing.
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scenes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
