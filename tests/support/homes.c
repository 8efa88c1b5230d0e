// SPDX-License-Identifier: EUPL-1.2
// Homes and a repository for tests that sync for real.
#include "sync/homes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

static int64_t world_now(void *self)
{
	struct world *w = self;

	return w->now_ms++;
}

static void fail_with(const struct errctx *ec, const char *what)
{
	char text[512];

	print_error("%s: %s\n", what, ec->code == ERR_OK ? "(no text)" : err_text(ec, NULL, text, sizeof(text)));
	fail();
}

void world_begin(struct world *w)
{
	const char *base = getenv("TMPDIR");

	*w = (struct world){ .now_ms = 1760000000000 };
	w->clock = (struct clock){ world_now, w };
	snprintf(w->dir, sizeof(w->dir), "%.200s/slb-test-XXXXXX", base != NULL ? base : "/tmp");
	assert_non_null(mkdtemp(w->dir));
	memcpy(w->remote, w->dir, strlen(w->dir) + 1);
	strcat(w->remote, "/remote.git");
	assert_int_equal(app_start(), ERR_OK);
}

void world_end(struct world *w)
{
	char command[400];

	for (size_t i = 0; i < w->n; i++)
		app_close(w->app[i]);
	snprintf(command, sizeof(command), "rm -rf '%s'", w->dir);
	assert_int_equal(system(command), 0);
}

/* As run-tests hands it over; else where a plain make puts it. */
static const char *courier_path(void)
{
	static char path[512];
	const char *build = getenv("BUILD");

	snprintf(path, sizeof(path), "%s/sleutelbos-courier", build != NULL ? build : "build");
	return path;
}

static void master_key(size_t i, uint8_t out[static 32])
{
	memset(out, (int)(i + 1), 32);
}

static void open_home(struct world *w, size_t i, bool create, const char *nick)
{
	struct app_options o = { .home = w->home[i], .courier = courier_path(), .clock = &w->clock };
	struct errctx ec = { 0 };
	uint8_t master[32];

	master_key(i, master);
	if (app_open_with_key(&ec, &o, master, create, nick, &w->app[i]) != ERR_OK)
		fail_with(&ec, "open");
}

size_t world_home(struct world *w, const char *nick)
{
	size_t i = w->n++;
	char path[300];

	assert_true(i < HOMES_MAX);
	snprintf(path, sizeof(path), "%s/home%zu", w->dir, i);
	strcpy(w->home[i], path);
	assert_int_equal(mkdir(w->home[i], 0700), 0);
	open_home(w, i, true, nick);
	return i;
}

void world_reopen(struct world *w, size_t i)
{
	app_close(w->app[i]);
	open_home(w, i, false, NULL);
}

struct sync_view world_sync(struct world *w, size_t i)
{
	struct sync_view v;
	struct errctx ec = { 0 };

	if (app_sync(&ec, w->app[i], &v) != ERR_OK)
		fail_with(&ec, "sync");
	if (v.result != SYNC_DONE)
		print_error("sync of %zu: %s %s\n", i, v.why, v.notice);
	assert_int_equal(v.result, SYNC_DONE);
	return v;
}

void world_invite(struct world *w, size_t a, size_t b, const char *space, const char *role)
{
	struct invite_view v;
	struct errctx ec = { 0 };
	struct sync_view s;
	struct join_view asked;

	if (app_invite(&ec, w->app[a], &(struct invite_ask){ .space = space, .role = role }, &v) != ERR_OK)
		fail_with(&ec, "invite");
	if (app_join(&ec, w->app[b], (const char *)v.text.data, v.text.len, false, &asked) != ERR_OK)
		fail_with(&ec, "join");
	buf_free(&v.text);
	world_sync(w, b);
	s = world_sync(w, a);
	assert_int_equal(s.admitted, 1);
	s = world_sync(w, b);
	assert_true(s.joined >= 1);
}

struct buf world_dump(struct world *w, size_t i, const char *space)
{
	struct dump_space *list = NULL;
	struct errctx ec = { 0 };
	struct buf out = { 0 };
	size_t n = 0;

	if (app_dump(&ec, w->app[i], space, &list, &n) != ERR_OK)
		fail_with(&ec, "dump");
	for (size_t k = 0; k < n; k++) {
		assert_int_equal(buf_put_str(&out, list[k].id), ERR_OK);
		assert_int_equal(buf_put(&out, list[k].state.data, list[k].state.len), ERR_OK);
	}
	app_dump_free(list, n);
	return out;
}
