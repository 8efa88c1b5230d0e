// SPDX-License-Identifier: EUPL-1.2
// K1, M1: which removals count follows from the set of cuts alone. Named attacks as tables, and random histories of a
// small circle in which everybody removes anybody, with what each had seen: any order of the same cuts gives the same
// answer, nobody who had seen the own removal removes anyone, and honest majorities are not emptied by one removed
// device. Seen to catch: a removed device that removes a third one; the later one to join striking back; a circle of
// three that removes all; an answer decided by the order of the list.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/cuts.h"

#define PEOPLE 6

static struct device_id person(unsigned p)
{
	struct device_id d = { { 0 } };

	d.b[0] = (uint8_t)('A' + p);
	return d;
}

/* "B5>C3 A2 D7": in B's batch 5, having seen A up to 2 and D up to 7, B removes C above 3. */
static void cut_read(const char *text, struct cut *c, struct vv *seen)
{
	unsigned seq = 0;
	unsigned keep = 0;
	char author = 0;
	char target = 0;
	int n = 0;

	assert_int_equal(sscanf(text, "%c%u>%c%u%n", &author, &seq, &target, &keep, &n), 4);
	*seen = (struct vv){ 0 };
	for (text += n; *text == ' '; text += n) {
		unsigned s = 0;
		char who = 0;

		assert_int_equal(sscanf(text, " %c%u%n", &who, &s, &n), 2);
		assert_int_equal(vv_set(seen, (struct vv_entry){ .dev = person((unsigned)(who - 'A')), .seq = s }),
		                 ERR_OK);
	}
	*c = (struct cut){ .author = person((unsigned)(author - 'A')),
		           .seq = seq,
		           .target = person((unsigned)(target - 'A')),
		           .keep = keep,
		           .seen = seen,
		           .rank = (uint64_t)(author - 'A') }; /* A joined first */
}

struct scene {
	const char *name;
	const char *cuts[6];
	const char *kept; /* "A- B5": B is removed above 5; who is not named is not removed */
};

static const struct scene SCENES[] = {
	{ "one removes another", { "A9>B5 B5" }, "B5" },
	{ "the founder can be removed", { "C4>A7 A7" }, "A7" },
	{ "two remove one: the lowest holds", { "A9>C6 C6", "B4>C5 C5" }, "C5" },
	{ "the removed one, knowing, strikes back", { "A9>B5 B5", "B6>A9 A9" }, "B5" },
	{ "the removed one strikes back and pretends not to know; it joined later", { "A9>B5 B5", "B6>A8 A8" }, "B5" },
	{ "the same, but it joined earlier: it wins", { "B9>A5 A5", "A6>B8 B8" }, "B8" },
	{ "the removed one removes a third, pretending not to know", { "A9>B5 B5", "B6>C3 C3 A8" }, "B5" },
	{ "the removed one had removed a third before", { "A9>B6 B6", "B6>C3 C3" }, "B6 C3" },
	{ "the third, removed before, answers", { "A9>B6 B6", "B6>C3 C3", "C4>B5 B5" }, "B6 C3" },
	{ "three in a circle: the first to join counts", { "A5>B2 B2", "B3>C2 C2", "C3>A4 A4" }, "B2" },
	{ "a circle, and a fourth who removes its strongest",
	  { "A5>B2 B2", "B3>C2 C2", "C3>A4 A4", "D9>A4 A4" },
	  "A4 C2" },
	{ "a chain: the second falls, so the third stands", { "A5>B2 B2", "B3>C2 C2", "C3>D4 D4" }, "B2 D4" },
	{ "who leaves", { "B5>B5" }, "B5" },
	{ "who left removes nobody later", { "B5>B5", "B6>A3 A3" }, "B5" },
	{ "a cut that is there twice", { "A9>B5 B5", "A9>B5 B5" }, "B5" },
	{ "the remover was removed by somebody it had seen, who was void",
	  { "A9>B5 B5", "B6>C3 C3 A8", "C4>D2 D2 B6" },
	  "B5 D2" },
};

static void scene_settle(const char *const *texts, size_t count, const size_t *order, struct cut *cuts)
{
	struct vv seen[8];

	for (size_t i = 0; i < count; i++)
		cut_read(texts[order[i]], &cuts[i], &seen[i]);
	assert_int_equal(cuts_settle(cuts, count, NULL), ERR_OK);
	for (size_t i = 0; i < count; i++)
		vv_free(&seen[i]);
}

static void kept_text(const struct cut *cuts, size_t count, char *out)
{
	out[0] = '\0';
	for (unsigned p = 0; p < PEOPLE; p++) {
		uint64_t keep = cuts_keep(cuts, count, person(p));

		if (keep != UINT64_MAX)
			sprintf(out + strlen(out), "%s%c%u", out[0] == '\0' ? "" : " ", 'A' + p, (unsigned)keep);
	}
}

/* Every order of the list (Heap's algorithm). */
static void every_order(const struct scene *s, size_t count, size_t *order, size_t n)
{
	if (n <= 1) {
		struct cut cuts[6];
		char text[64];

		scene_settle(s->cuts, count, order, cuts);
		kept_text(cuts, count, text);
		if (strcmp(text, s->kept) != 0)
			fail_msg("%s: '%s', not '%s'", s->name, text, s->kept);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		size_t other = n % 2 == 0 ? i : 0;
		size_t swap = 0;

		every_order(s, count, order, n - 1);
		swap = order[other];
		order[other] = order[n - 1];
		order[n - 1] = swap;
	}
}

static void scenes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(SCENES) / sizeof(SCENES[0]); i++) {
		size_t order[6] = { 0, 1, 2, 3, 4, 5 };
		size_t count = 0;

		while (count < 6 && SCENES[i].cuts[count] != NULL)
			count++;
		every_order(&SCENES[i], count, order, count);
	}
}

/* ---- Random histories ---- */

static uint64_t seed;

static unsigned below(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((seed >> 33) % n);
}

#define CUTS 14

static void random_histories(void **state)
{
	const char *soak = getenv("SLB_SOAK");
	unsigned rounds = 20000 * (soak == NULL ? 1 : (unsigned)atoi(soak));

	(void)state;
	for (unsigned round = 0; round < rounds; round++) {
		struct cut cuts[CUTS];
		struct cut mixed[CUTS];
		struct vv seen[CUTS] = { { 0 } };
		struct vv now[PEOPLE] = { { 0 } }; /* what each has applied */
		uint64_t seq[PEOPLE] = { 0 };
		size_t n = 0;

		seed = round * 7919 + 3;
		while (n < CUTS) {
			unsigned who = below(PEOPLE);
			unsigned other = below(PEOPLE);
			const struct vv_entry *e = NULL;

			if (below(3) > 0) { /* reads what another has sealed, some of it */
				uint64_t upto = seq[other] - (seq[other] > 0 ? below((unsigned)seq[other] + 1) : 0);
				const struct vv_entry *was = vv_get(&now[who], person(other));

				if (other != who && (was == NULL || was->seq < upto))
					assert_int_equal(
					    vv_set(&now[who], (struct vv_entry){ .dev = person(other), .seq = upto }),
					    ERR_OK);
				seq[who]++; /* and seals something */
				continue;
			}
			if (who == other)
				continue;
			e = vv_get(&now[who], person(other));
			assert_int_equal(vv_copy(&now[who], &seen[n]), ERR_OK);
			cuts[n] = (struct cut){ .author = person(who),
				                .seq = ++seq[who],
				                .target = person(other),
				                .keep = e == NULL ? 0 : e->seq,
				                .seen = &seen[n],
				                .rank = who / 2 }; /* some joined at one time */
			n++;
		}
		for (size_t i = 0; i < n; i++)
			mixed[i] = cuts[i];
		for (size_t i = n; i > 1; i--) {
			size_t k = below((unsigned)i);
			struct cut swap = mixed[i - 1];

			mixed[i - 1] = mixed[k];
			mixed[k] = swap;
		}
		assert_int_equal(cuts_settle(cuts, n, NULL), ERR_OK);
		assert_int_equal(cuts_settle(mixed, n, NULL), ERR_OK);
		for (unsigned p = 0; p < PEOPLE; p++)
			assert_true(cuts_keep(cuts, n, person(p)) == cuts_keep(mixed, n, person(p)));
		for (size_t i = 0; i < n; i++) {
			for (size_t k = 0; k < n && cuts[i].counts; k++) {
				const struct vv_entry *e = vv_get(cuts[i].seen, cuts[k].author);

				/* an own removal that counts and that one had seen */
				if (cuts[k].counts && device_cmp(cuts[k].target, cuts[i].author) == 0 &&
				    cuts[i].seq > cuts[k].keep && e != NULL && e->seq >= cuts[k].seq)
					fail_msg("round %u: one that knew of its removal removed another", round);
			}
		}
		for (size_t i = 0; i < n; i++)
			vv_free(&seen[i]);
		for (unsigned p = 0; p < PEOPLE; p++)
			vv_free(&now[p]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scenes),
		cmocka_unit_test(random_histories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
