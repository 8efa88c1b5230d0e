// SPDX-License-Identifier: EUPL-1.2
// What bringing conversations from one home to another costs, next to what others reach with the same texts on the same
// machine in the same run (scripts/bench-sync-peers): 1,000 of 297 bytes to the store and from it, nothing new, one
// more, and five devices that wrote 200 each apart, until all five have all. Ours with vaults open, the real courier
// over a path, everything sealed, merged, indexed for search and durable. "floor" is git with gzip and age, a branch a
// device, which merges nothing. Ours and the floor take turns, BENCH_ROUNDS times (5), and the medians count; the
// others play once. BENCH_PEERS names the others to play (a list of words; all by default).
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench/conversations.h"
#include "bench/measure.h"
#include "sync/homes.h"

#define DEVICES 5
#define EACH 200
#define FIRST_OF 1001 /* the text at which device 0 of the five begins: behind the thousand and one */

enum measure { UP, DOWN, NOOP, BYTES, ONE, FIVE, FIVE_BYTES, PLAIN, MEASURES };

static const char *const measure_name[MEASURES] = { "up_ms",     "down_ms", "noop_ms",    "bytes",
	                                            "one_bytes", "five_ms", "five_bytes", "plain" };

static const char *const peer_name[] = { "ours", "floor", "gcrypt", "joplin", "yjs", "automerge", "pouchdb" };

#define PEERS (sizeof(peer_name) / sizeof(peer_name[0]))

static struct turns seen[PEERS][MEASURES];
static char dir[64];

static double ms_since(double start_us)
{
	return (wall_us() - start_us) / 1000;
}

/* One home sends a thousand, another that knows the circle already takes them in. */
static void ours_pair(void)
{
	struct turns *of = seen[0];
	struct world w;
	double t = 0;
	long before = 0;
	long stored = 0;

	world_begin(&w);
	world_home(&w, "Een");
	world_home(&w, "Twee");
	assert_int_equal(app_found_neighbourhood(&(struct errctx){ 0 }, w.app[0], "West", w.remote), ERR_OK);
	assert_int_equal(app_found_circle(&(struct errctx){ 0 }, w.app[0], "Plein"), ERR_OK);
	world_sync(&w, 0);
	world_invite(&w, 0, 1, "Plein", NULL);
	world_sync(&w, 0);

	log_conversations(&w, 0, 0, 1000, true);
	before = repository_bytes(w.remote);
	t = wall_us();
	world_sync(&w, 0);
	turns_add(&of[UP], ms_since(t));
	stored = repository_bytes(w.remote);
	turns_add(&of[BYTES], (double)(stored - before));

	t = wall_us();
	assert_int_equal(world_sync(&w, 1).fresh, 1000);
	turns_add(&of[DOWN], ms_since(t));
	t = wall_us();
	world_sync(&w, 1);
	turns_add(&of[NOOP], ms_since(t));

	stored = repository_bytes(w.remote);
	log_conversations(&w, 0, 1000, 1, true);
	world_sync(&w, 0);
	turns_add(&of[ONE], (double)(repository_bytes(w.remote) - stored));
	world_end(&w);
}

/* Five homes write apart; the clock runs from the first sync until all have all. */
static void ours_five(void)
{
	struct world w;
	double t = 0;
	long before = 0;

	world_begin(&w);
	for (unsigned i = 0; i < DEVICES; i++) {
		char nick[16];

		snprintf(nick, sizeof(nick), "Huis %u", i);
		world_home(&w, nick);
	}
	assert_int_equal(app_found_neighbourhood(&(struct errctx){ 0 }, w.app[0], "West", w.remote), ERR_OK);
	assert_int_equal(app_found_circle(&(struct errctx){ 0 }, w.app[0], "Plein"), ERR_OK);
	world_sync(&w, 0);
	for (size_t i = 1; i < DEVICES; i++)
		world_invite(&w, 0, i, "Plein", NULL);
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < DEVICES; i++)
			world_sync(&w, i);

	for (size_t i = 0; i < DEVICES; i++)
		log_conversations(&w, i, FIRST_OF + EACH * (unsigned)i, EACH, true);
	before = repository_bytes(w.remote);
	t = wall_us();
	for (size_t i = 0; i < DEVICES; i++)
		world_sync(&w, i);
	for (size_t i = 0; i < DEVICES - 1; i++)
		world_sync(&w, i); /* the last has seen all */
	turns_add(&seen[0][FIVE], ms_since(t));
	turns_add(&seen[0][FIVE_BYTES], (double)(repository_bytes(w.remote) - before));
	for (size_t i = 0; i < DEVICES; i++) {
		struct buf first = world_dump(&w, 0, "Plein");
		struct buf dump = world_dump(&w, i, "Plein");

		assert_true(first.len == dump.len && memcmp(first.data, dump.data, dump.len) == 0);
		buf_free(&first);
		buf_free(&dump);
	}
	world_end(&w);
}

static void texts_write(void)
{
	char path[96];
	FILE *f = NULL;

	snprintf(path, sizeof(path), "%s/texts", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	for (unsigned i = 0; i < FIRST_OF + DEVICES * EACH; i++) {
		char text[STORY_LEN + 1];

		story(i, text);
		assert_true(fprintf(f, "%s\n", text) > 0);
	}
	assert_int_equal(fclose(f), 0);
}

static bool asked_for(const char *peer)
{
	const char *only = getenv("BENCH_PEERS");

	return only == NULL || strstr(only, peer) != NULL;
}

static void play(const char *peer)
{
	const char *build = getenv("BUILD") != NULL ? getenv("BUILD") : "build";
	char command[300];

	snprintf(command, sizeof(command), "scripts/bench-sync-peers '%s' '%s' %s", build, dir, peer);
	assert_int_equal(system(command), 0);
}

static void results_read(void)
{
	char path[96];
	char peer[32];
	char measure[32];
	double value = 0;
	FILE *f = NULL;

	snprintf(path, sizeof(path), "%s/results", dir);
	f = fopen(path, "r");
	if (f == NULL)
		return;
	while (fscanf(f, "%31s %31s %lf", peer, measure, &value) == 3)
		for (size_t p = 1; p < PEERS; p++)
			for (size_t m = 0; m < MEASURES; m++)
				if (strcmp(peer, peer_name[p]) == 0 && strcmp(measure, measure_name[m]) == 0)
					turns_add(&seen[p][m], value);
	fclose(f);
}

/* A line a peer; "-" where it has no such thing. */
static void show(void)
{
	static const double part[MEASURES] = { 1, 1, 1, 1000, 1, 1, 1, 1 };

	printf("%-10s%10s%10s%10s%12s%12s%12s%14s\n", "", "up ms", "down ms", "no-op ms", "bytes each", "one, bytes",
	       "five, ms", "five, bytes");
	for (size_t p = 0; p < PEERS; p++) {
		static const int wide[MEASURES] = { 10, 10, 10, 12, 12, 12, 14, 0 };

		if (seen[p][UP].n == 0)
			continue;
		printf("%-10s", peer_name[p]);
		for (size_t m = 0; m < PLAIN; m++) {
			if (seen[p][m].n == 0)
				printf("%*s", wide[m], "-");
			else
				printf("%*.*f", wide[m], m == BYTES ? 1 : 0, turns_at(&seen[p][m], 0.5) / part[m]);
		}
		printf("%s\n", seen[p][PLAIN].n > 0 ? "   (the store holds plain words)" : "");
	}
	for (size_t m = UP; m <= FIVE; m++)
		if (m != BYTES && m != ONE && seen[1][m].n > 0)
			printf("%-10s%10.2f x the floor%s\n", measure_name[m],
			       turns_at(&seen[0][m], 0.5) / turns_at(&seen[1][m], 0.5), m == NOOP ? "" : " (goal: 2)");
	printf("%-10s%10.1f bytes a record (goal: 60)\n", "stored", turns_at(&seen[0][BYTES], 0.5) / 1000);
}

static void bench(void **state)
{
	unsigned rounds = getenv("BENCH_ROUNDS") != NULL ? (unsigned)atoi(getenv("BENCH_ROUNDS")) : 5;
	char command[96];

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/slb-peers.XXXXXX");
	assert_non_null(mkdtemp(dir));
	texts_write();
	for (unsigned i = 0; i < rounds; i++) {
		ours_pair();
		ours_five();
		play("floor");
	}
	for (size_t p = 2; p < PEERS; p++)
		if (asked_for(peer_name[p]))
			play(peer_name[p]);
	results_read();
	show();
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(bench) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
