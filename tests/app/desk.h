/* SPDX-License-Identifier: EUPL-1.2 */
/* An open home in a fresh folder for the tests of app/: fixed clock (Sunday 22 November 2026, 10:00 UTC), chance that
 * repeats itself, no key derivation. */
#ifndef SLB_TESTS_APP_DESK_H
#define SLB_TESTS_APP_DESK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/contacts.h"
#include "app/dates.h"
#include "app/referrals.h"
#include "app/residents.h"
#include "app/session.h"
#include "app/within.h"
#include "crypto/secret.h"
#include "sync/space.h"

#define DESK_TODAY 20779 /* 2026-11-22 */

struct desk {
	char home[64];
	struct app *app;
	struct errctx ec;
	int64_t now_ms;
	uint64_t chance;
	struct clock clock;
	struct rng rng;
	int64_t neighbourhood; /* 0: none */
};

static inline int64_t desk_now(void *self)
{
	struct desk *d = self;

	return d->now_ms++;
}

/* splitmix64 */
static inline void desk_fill(void *self, void *out, size_t len)
{
	struct desk *d = self;
	uint8_t *p = out;

	for (size_t i = 0; i < len; i++) {
		uint64_t z = d->chance += 0x9E3779B97F4A7C15u;

		z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
		z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
		p[i] = (uint8_t)(z ^ (z >> 31));
	}
}

/* Starts over: a test that provokes an error reads it in between. */
static inline void desk_clear(struct desk *d)
{
	err_clear(&d->ec);
}

static inline void desk_open(struct desk *d)
{
	static const uint8_t master[32] = { 7 };
	struct app_options o = { 0 };

	*d = (struct desk){ .now_ms = (int64_t)DESK_TODAY * 86400000 + 10 * 3600000, .chance = 1 };
	setenv("TZ", "UTC", 1);
	d->clock = (struct clock){ desk_now, d };
	d->rng = (struct rng){ desk_fill, d };
	snprintf(d->home, sizeof(d->home), "%s/desk-XXXXXX", getenv("TMPDIR") == NULL ? "/tmp" : getenv("TMPDIR"));
	assert_non_null(mkdtemp(d->home));
	assert_int_equal(app_start(), ERR_OK);
	o = (struct app_options){ .home = d->home, .clock = &d->clock, .rng = &d->rng };
	assert_int_equal(app_open_with_key(&d->ec, &o, master, true, "Fatma", &d->app), ERR_OK);
}

static inline void desk_close(struct desk *d)
{
	char command[128];

	app_close(d->app);
	snprintf(command, sizeof(command), "rm -rf '%s'", d->home);
	assert_int_equal(system(command), 0);
}

/* A space without a repository. `role` NULL: member only. */
static inline int64_t desk_space(struct desk *d, enum space_kind kind, const char *name, const char *role)
{
	struct sync y = { d->app->store, d->app->zip, &d->rng, &d->clock };
	struct founding f = { .kind = kind, .name = name, .nick = "Fatma", .role = role, .remote = "" };
	struct space_row row;

	assert_int_equal(store_begin(&d->ec, d->app->store), ERR_OK);
	assert_int_equal(space_found(&d->ec, &y, &f, &row), ERR_OK);
	assert_int_equal(store_commit(&d->ec, d->app->store), ERR_OK);
	return row.n;
}

/* Somebody else's edit of a record, made when they had seen no more of ours than its creation. */
static inline void desk_other(struct desk *d, const char *id, uint8_t who, uint64_t counter, struct draft *draft)
{
	struct dot dot = { 0 };
	struct loaded l;
	struct vv seen = { 0 };
	uint8_t hash[32] = { who };
	struct edit edit = { .clock = { (uint64_t)d->now_ms + counter, 0 } };

	memset(edit.dot.dev.b, who, DEVICE_ID_LEN);
	edit.dot.counter = counter;
	assert_true(dot_parse(id, &dot));
	edit.target = dot;
	assert_int_equal(store_load(&d->ec, d->app->store, dot, &l), ERR_OK);
	assert_int_equal(vv_set(&seen, (struct vv_entry){ .dev = dot.dev, .seq = 1, .counter = dot.counter }), ERR_OK);
	assert_int_equal(draft_writes(draft, &edit.writes, &edit.write_count), ERR_OK);
	assert_int_equal(store_begin(&d->ec, d->app->store), ERR_OK);
	assert_int_equal(store_apply(&d->ec, d->app->store, l.space, &edit,
	                             (struct context){ .seen = &seen, .past = vv_past(&seen) }, counter, d->now_ms),
	                 ERR_OK);
	/* from here on it is applied, so that our next edits have seen it */
	assert_int_equal(store_batch_applied(&d->ec, d->app->store,
	                                     &(struct applied_batch){ .space = l.space,
	                                                              .dev = edit.dot.dev,
	                                                              .seq = counter,
	                                                              .counter = counter,
	                                                              .hash = hash,
	                                                              .context = &seen }),
	                 ERR_OK);
	assert_int_equal(store_commit(&d->ec, d->app->store), ERR_OK);
	vv_free(&seen);
	store_loaded_free(&l);
	draft_free(draft);
}

/* For cmocka: a desk with one circle, as the state of each test. */
static inline int open_desk(void **state)
{
	struct desk *d = test_calloc(1, sizeof(*d));

	desk_open(d);
	desk_space(d, SPACE_CIRCLE, "Tafel", NULL);
	*state = d;
	return 0;
}

static inline int close_desk(void **state)
{
	struct desk *d = *state;

	desk_close(d);
	test_free(d);
	return 0;
}

#endif
