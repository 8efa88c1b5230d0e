/* SPDX-License-Identifier: EUPL-1.2 */
/* What the benches of syncing share: conversations of the yardstick's 297 bytes, and the bytes a repository holds. */
#ifndef SLB_TESTS_BENCH_CONVERSATIONS_H
#define SLB_TESTS_BENCH_CONVERSATIONS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/draft.h"
#include "sync/homes.h"

#define STORY_LEN 297

/* Text number n: words that differ from text to text, about as a person writes; 285 bytes or a few more. */
static inline void story(unsigned n, char out[static STORY_LEN + 1])
{
	static const char *const word[] = { "brief",   "huur",    "gemeente", "afspraak", "kinderen",  "school",
		                            "toeslag", "wachten", "bellen",   "samen",    "formulier", "zorg",
		                            "werk",    "taal",    "buurt",    "maandag" };
	uint32_t x = n * 2654435761U + 12345;
	size_t at = 0;

	while (at < 285) {
		x = x * 1664525U + 1013904223U;
		at += (size_t)snprintf(out + at, STORY_LEN + 1 - at, "%s%u ", word[x >> 28], (x >> 8) & 7);
	}
	out[STORY_LEN] = '\0';
}

/* Bytes of all objects of the bare repository at `path`, as they lie. */
static inline long repository_bytes(const char *path)
{
	char command[500];
	long bytes = 0;
	FILE *f = NULL;

	snprintf(command, sizeof(command),
	         "find '%s/objects' -type f -printf '%%s\\n' | awk '{ n += $1 } END { print n + 0 }'", path);
	f = popen(command, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld", &bytes), 1);
	pclose(f);
	return bytes;
}

/* Home `home` logs texts from..from+count in its first circle, 20 a day; each durable, or all in one transaction. */
static inline void log_conversations(struct world *w, size_t home, unsigned from, unsigned count, bool one_transaction)
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
		char text[STORY_LEN + 1];

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

#endif
