// SPDX-License-Identifier: EUPL-1.2
// M2: texts that were changed apart are put together in a proposal, or not at all. Golden cases, and what must hold for
// random texts: nothing that was added is missing, nothing that nobody touched goes, one text alone comes back as it
// is, and no order of arrival changes the outcome (the caller's order is part of the input).
// Seen to catch: additions at one place taken for a clash; a change beside another that counted as a clash, and a real
// clash that did not; the line end of an unchanged sentence lost; the same change made twice.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/merge3.h"

#define TEXTS 4

static struct bytes of(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

struct golden {
	const char *name;
	const char *base;
	const char *texts[TEXTS];
	const char *merged; /* NULL: no proposal */
};

static const struct golden GOLDEN[] = {
	{ "nothing", "", { "" }, "" },
	{ "nobody changed anything", "Een. Twee.", { "Een. Twee.", "Een. Twee." }, "Een. Twee." },
	{ "one changed", "Een. Twee.", { "Een. Drie.", "Een. Twee." }, "Een. Drie." },
	{ "the other changed", "Een. Twee.", { "Een. Twee.", "Een. Drie." }, "Een. Drie." },
	{ "different sentences of one paragraph",
	  "Omar belde. De brief is van het energiebedrijf. Morgen bellen we.",
	  { "Omar belde om drie uur. De brief is van het energiebedrijf. Morgen bellen we.",
	    "Omar belde. De brief is van het energiebedrijf. Vrijdag bellen we." },
	  "Omar belde om drie uur. De brief is van het energiebedrijf. Vrijdag bellen we." },
	{ "sentences that touch", "Een. Twee. Drie.", { "EEN. Twee. Drie.", "Een. TWEE. Drie." }, "EEN. TWEE. Drie." },
	{ "both add at the end", "Een.", { "Een. Van A.", "Een. Van B." }, "Een. Van A. Van B." },
	{ "three add at the end", "Een.", { "Een. A.", "Een. B.", "Een. C." }, "Een. A. B. C." },
	{ "both add the same", "Een.", { "Een. Twee.", "Een. Twee." }, "Een. Twee." },
	{ "one adds in front, one at the end", "Een.", { "Nul. Een.", "Een. Twee." }, "Nul. Een. Twee." },
	{ "both write where nothing stood", "", { "Van A.", "Van B." }, "Van A. Van B." },
	{ "both change one sentence", "Een. Twee.", { "Een. A.", "Een. B." }, NULL },
	{ "one changes what the other takes out", "Een. Twee.", { "Een.", "Een. Twee en half." }, NULL },
	{ "both take out the same", "Een. Twee. Drie.", { "Een. Drie.", "Een. Drie." }, "Een. Drie." },
	{ "one takes out, one adds beside it",
	  "Een. Twee. Drie.",
	  { "Een. Drie.", "Een. Twee. Drie. Vier." },
	  "Een. Drie. Vier." },
	{ "one takes all away, one adds", "Een. Twee.", { "", "Een. Twee. Drie." }, "Drie." },
	{ "lines", "a\nb\nc\n", { "a\nB\nc\n", "a\nb\nC\n" }, "a\nB\nC\n" },
	{ "a line added to a text without a line end", "Een.", { "Een.\nTwee.", "Een." }, "Een.\nTwee." },
	{ "a new line and a new sentence", "Een.", { "Een.\nTwee.", "Nul. Een." }, "Nul. Een.\nTwee." },
	{ "a sentence that stands there twice",
	  "Ja. Ja. Nee.",
	  { "Ja. Ja. Ja. Nee.", "Ja. Ja. Misschien." },
	  "Ja. Ja. Ja. Misschien." },
	{ "three heads, two of them clash", "Een. Twee.", { "Een. A.", "Nul. Een. Twee.", "Een. B." }, NULL },
	{ "Arabic question marks end sentences too",
	  "هل اتصلت؟ نعم.",
	  { "هل اتصلت أمس؟ نعم.", "هل اتصلت؟ لا." },
	  "هل اتصلت أمس؟ لا." },
	{ "a number is not the end of a sentence",
	  "Kost 3.50 euro. Klaar.",
	  { "Kost 4.50 euro. Klaar.", "Kost 3.50 euro. Af." },
	  "Kost 4.50 euro. Af." },
};

static size_t count_of(const char *const *texts)
{
	size_t n = 0;

	while (n < TEXTS && texts[n] != NULL)
		n++;
	return n;
}

static void golden_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(GOLDEN) / sizeof(GOLDEN[0]); i++) {
		const struct golden *g = &GOLDEN[i];
		struct bytes texts[TEXTS];
		size_t n = count_of(g->texts);
		struct buf out = { 0 };
		bool clean = false;

		for (size_t k = 0; k < n; k++)
			texts[k] = of(g->texts[k]);
		assert_int_equal(buf_put_str(&out, "before|"), ERR_OK);
		assert_int_equal(merge3(of(g->base), texts, n, &out, &clean), ERR_OK);
		assert_int_equal(buf_terminate(&out), ERR_OK);
		if (clean != (g->merged != NULL) ||
		    strcmp((char *)out.data + 7, g->merged == NULL ? "" : g->merged) != 0)
			fail_msg("%s: %s '%s'", g->name, clean ? "merged" : "not merged", (char *)out.data + 7);
		buf_free(&out);
	}
}

/* ---- Random texts: each sentence has a number of its own, so that one can tell what became of it ---- */

static uint64_t seed;

static unsigned below(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((seed >> 33) % n);
}

#define SENTENCES 12

struct draft {
	int id[4 * SENTENCES];
	size_t n;
	bool touched[SENTENCES]; /* of the base: changed or taken out here */
};

static int next_id;

static void draft_text(const struct draft *d, char *out)
{
	out[0] = '\0';
	for (size_t i = 0; i < d->n; i++)
		sprintf(out + strlen(out), "%sZin %d.", i == 0 ? "" : d->id[i] % 5 == 0 ? "\n" : " ", d->id[i]);
}

static void draft_change(struct draft *d, const struct draft *base)
{
	d->n = 0;
	for (size_t i = 0; i <= base->n; i++) {
		if (below(8) == 0)
			d->id[d->n++] = next_id++; /* added */
		if (i == base->n)
			break;
		switch (below(8)) {
		case 0: /* taken out */
			d->touched[i] = true;
			break;
		case 1: /* changed */
			d->touched[i] = true;
			d->id[d->n++] = next_id++;
			break;
		default:
			d->id[d->n++] = base->id[i];
		}
	}
}

static bool holds(const char *text, int id)
{
	char sentence[32];
	const char *at = text;
	size_t len = (size_t)sprintf(sentence, "Zin %d.", id);

	at = strstr(text, sentence);
	return at != NULL && (at[len] == '\0' || at[len] == ' ' || at[len] == '\n');
}

static void random_texts(void **state)
{
	unsigned merged = 0;
	unsigned refused = 0;
	const char *soak = getenv("SLB_SOAK");
	unsigned rounds = 20000 * (soak == NULL ? 1 : (unsigned)atoi(soak));

	(void)state;
	for (unsigned round = 0; round < rounds; round++) {
		struct draft base = { .n = 0 };
		struct draft d[3] = { { .n = 0 } };
		char text[4][2048];
		struct bytes texts[3];
		struct buf out = { 0 };
		bool clean = false;

		seed = round * 977 + 5;
		next_id = 0;
		base.n = below(SENTENCES);
		for (size_t i = 0; i < base.n; i++)
			base.id[i] = next_id++;
		draft_text(&base, text[3]);
		for (int k = 0; k < 3; k++) {
			draft_change(&d[k], &base);
			draft_text(&d[k], text[k]);
			texts[k] = of(text[k]);
		}
		assert_int_equal(merge3(of(text[3]), texts, 1 + round % 3, &out, &clean), ERR_OK);
		assert_int_equal(buf_terminate(&out), ERR_OK);
		merged += clean;
		refused += !clean;
		if (round % 3 == 0) /* one text alone comes back byte for byte */
			assert_string_equal((char *)out.data, text[0]);
		for (unsigned k = 0; clean && k < 1 + round % 3; k++)
			for (size_t i = 0; i < d[k].n; i++) {
				bool of_base = d[k].id[i] < (int)base.n;
				bool gone = false;

				for (unsigned o = 0; o < 1 + round % 3; o++)
					gone = gone || (of_base && d[o].touched[d[k].id[i]]);
				if (!gone && !holds((char *)out.data, d[k].id[i]))
					fail_msg("round %u: sentence %d is lost in '%s'", round, d[k].id[i],
					         (char *)out.data);
				if (gone && holds((char *)out.data, d[k].id[i]))
					fail_msg("round %u: sentence %d came back in '%s'", round, d[k].id[i],
					         (char *)out.data);
			}
		buf_free(&out);
	}
	print_message("%u put together, %u left to a person\n", merged, refused);
	assert_true(merged > rounds / 2 && refused > rounds / 20);
}

static void too_long_is_left_alone(void **state)
{
	struct buf text = { 0 };
	struct buf out = { 0 };
	struct bytes one;
	bool clean = true;

	(void)state;
	for (int i = 0; i <= MERGE3_PARTS_MAX; i++)
		assert_int_equal(buf_put_str(&text, "a\n"), ERR_OK);
	one = buf_bytes(&text);
	assert_int_equal(merge3(of(""), &one, 1, &out, &clean), ERR_OK);
	assert_false(clean);
	assert_int_equal(out.len, 0);
	buf_free(&text);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_cases),
		cmocka_unit_test(random_texts),
		cmocka_unit_test(too_long_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
