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
#include "bench/conversations.h"
#include "sync/homes.h"

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
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
	before = repository_bytes(w.remote);
	world_sync(&w, 0);
	printf("a day of 20 conversations          %8ld bytes at the remote (goal: 2048 + 400)\n",
	       repository_bytes(w.remote) - before);

	log_conversations(&w, 0, 100, 1, false);
	before = repository_bytes(w.remote);
	t = seconds();
	world_sync(&w, 0);
	printf("one conversation                   %8ld bytes, %.0f ms\n", repository_bytes(w.remote) - before,
	       (seconds() - t) * 1000);

	log_conversations(&w, 0, 1000, 1000, true);
	before = repository_bytes(w.remote);
	t = seconds();
	world_sync(&w, 0);
	printf("1,000 conversations of 297 bytes   %8.1f bytes each stored, %.0f ms to the remote (goal: 60)\n",
	       (double)(repository_bytes(w.remote) - before) / 1000, (seconds() - t) * 1000);
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
