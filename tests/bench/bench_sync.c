// SPDX-License-Identifier: EUPL-1.2
// What syncing costs: bytes at the remote for a day and for a thousand conversations, and how fast edits of another
// device are applied, search index included. The conversations are made up; their length is the yardstick's 297 bytes.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <zlib.h>

#include "batch/batch.h"
#include "model/draft.h"
#include "sync/homes.h"

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Bytes of all objects at the remote, packed as they lie. */
static long remote_bytes(const struct world *w)
{
	char command[500];
	long bytes = 0;
	FILE *f = NULL;

	snprintf(command, sizeof(command),
	         "find '%s/objects' -type f -printf '%%s\\n' | awk '{ n += $1 } END { print n + 0 }'", w->remote);
	f = popen(command, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld", &bytes), 1);
	pclose(f);
	return bytes;
}

/* Words that differ from record to record, about as a person writes. */
static void story(unsigned n, char out[static 298])
{
	static const char *const word[] = { "brief",   "huur",    "gemeente", "afspraak", "kinderen",  "school",
		                            "toeslag", "wachten", "bellen",   "samen",    "formulier", "zorg",
		                            "werk",    "taal",    "buurt",    "maandag" };
	uint32_t x = n * 2654435761U + 12345;
	size_t at = 0;

	while (at < 285) {
		x = x * 1664525U + 1013904223U;
		at += (size_t)snprintf(out + at, 298 - at, "%s%u ", word[x >> 28], (x >> 8) & 7);
	}
	out[297] = '\0';
}

static void log_conversations(struct world *w, size_t home, unsigned from, unsigned count, bool one_transaction)
{
	struct app *app = w->app[home];
	struct errctx ec = { 0 };
	int64_t space = 0;

	assert_int_equal(app_circle(&ec, app, NULL, &space), ERR_OK);
	if (one_transaction)
		assert_int_equal(store_begin(&ec, app->store), ERR_OK);
	for (unsigned i = from; i < from + count; i++) {
		const char *domain[] = { "geld" };
		struct draft d = { 0 };
		struct change c = { .space = space, .kind = KIND_contact };
		struct dot id;
		char text[298];

		story(i, text);
		draft_int(&d, F_contact_date, 20000 + i / 20);
		draft_text(&d, F_contact_channel, "spreekuur");
		draft_set(&d, F_contact_domains, domain, 1, NULL, 0);
		draft_long_text(&d, F_contact_text, NULL, text);
		assert_int_equal(draft_writes(&d, &c.writes, &c.write_count), ERR_OK);
		if (!one_transaction)
			assert_int_equal(store_begin(&ec, app->store), ERR_OK);
		assert_int_equal(store_write(&ec, app->store, &c, clock_now(&w->clock), &id), ERR_OK);
		if (!one_transaction)
			assert_int_equal(store_commit(&ec, app->store), ERR_OK);
		draft_free(&d);
	}
	if (one_transaction)
		assert_int_equal(store_commit(&ec, app->store), ERR_OK);
}

/* The floor: the same texts as one compressed file, with nothing around them. */
static double gzip_each(unsigned from, unsigned count)
{
	uLong len = count * 298UL;
	uLong out_len = compressBound(len);
	char *in = malloc(len);
	Bytef *out = malloc(out_len);
	double each = 0;

	assert_non_null(in);
	assert_non_null(out);
	for (unsigned i = 0; i < count; i++)
		story(from + i, in + i * 298UL);
	assert_int_equal(compress2(out, &out_len, (Bytef *)in, len, 9), Z_OK);
	each = (double)out_len / count;
	free(in);
	free(out);
	return each;
}

static void bench(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct sync_view v;
	long before = 0;
	double t = 0;

	(void)state;
	world_begin(&w);
	world_home(&w, "Een");
	world_home(&w, "Twee");
	assert_int_equal(app_found_neighbourhood(&ec, w.app[0], "West", w.remote), ERR_OK);
	assert_int_equal(app_found_circle(&ec, w.app[0], "Plein"), ERR_OK);
	world_sync(&w, 0);
	world_invite(&w, 0, 1, "Plein", NULL);

	log_conversations(&w, 0, 0, 20, false);
	before = remote_bytes(&w);
	world_sync(&w, 0);
	printf("a day of 20 conversations          %8ld bytes at the remote (goal: 2048 + 400)\n",
	       remote_bytes(&w) - before);

	log_conversations(&w, 0, 100, 1, false);
	before = remote_bytes(&w);
	t = seconds();
	world_sync(&w, 0);
	printf("one conversation                   %8ld bytes, %.0f ms\n", remote_bytes(&w) - before,
	       (seconds() - t) * 1000);

	log_conversations(&w, 0, 1000, 1000, true);
	before = remote_bytes(&w);
	t = seconds();
	world_sync(&w, 0);
	printf("1,000 conversations of 297 bytes   %8.1f bytes each stored, %.0f ms to the remote (goal: 60)\n",
	       (double)(remote_bytes(&w) - before) / 1000, (seconds() - t) * 1000);
	printf("... the same texts, gzip -9        %8.1f bytes each\n", gzip_each(1000, 1000));
	t = seconds();
	v = world_sync(&w, 1);
	printf("... from the remote                %8.0f ms for %llu new records\n", (seconds() - t) * 1000,
	       (unsigned long long)v.fresh);

	t = seconds();
	world_sync(&w, 1);
	printf("nothing new                        %8.1f ms\n", (seconds() - t) * 1000);

	log_conversations(&w, 0, 10000, 20000, true);
	world_sync(&w, 0);
	t = seconds();
	v = world_sync(&w, 1);
	printf("apply                              %8.0f edits a second, search index included (%llu edits)\n",
	       (double)v.fresh / (seconds() - t), (unsigned long long)v.fresh);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(bench) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
