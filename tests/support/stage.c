// SPDX-License-Identifier: EUPL-1.2
// A prepared neighbourhood for tests that break things.
#include "faults/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/contacts.h"

static void fail_with(const struct errctx *ec, const char *what)
{
	char text[512];

	fail_msg("%s: %s", what, ec->code == ERR_OK ? "(no text)" : err_text(ec, NULL, text, sizeof(text)));
}

const char *stage_shell(int *status, const char *format, ...)
{
	static char out[1 << 16];
	char command[4 * PATH_MAX];
	va_list args;
	FILE *pipe = NULL;
	size_t n = 0;
	int rc = 0;

	va_start(args, format);
	n = (size_t)vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	assert_true(n < sizeof(command));
	pipe = popen(command, "r");
	assert_non_null(pipe);
	n = fread(out, 1, sizeof(out) - 1, pipe);
	rc = pclose(pipe);
	while (n > 0 && out[n - 1] == '\n')
		n--;
	out[n] = '\0';
	if (status == NULL && rc != 0)
		fail_msg("%s\n%s", command, out);
	if (status != NULL)
		*status = WIFEXITED(rc) ? WEXITSTATUS(rc) : 128 + WTERMSIG(rc);
	return out;
}

bool stage_full(void)
{
	return getenv("SLB_SOAK") != NULL;
}

static void find_programs(struct stage *s)
{
	char self[PATH_MAX - 32] = "";
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(n > 0);
	*strrchr(self, '/') = '\0';
	snprintf(s->driver, sizeof(s->driver), "%s/driver", self);
	for (int i = 0; i < 2; i++)
		*strrchr(self, '/') = '\0';
	snprintf(s->courier, sizeof(s->courier), "%s/sleutelbos-courier", self);
	assert_int_equal(access(s->driver, X_OK), 0);
	assert_int_equal(access(s->courier, X_OK), 0);
}

void stage_begin(struct stage *s, size_t members)
{
	static const char *const nick[] = { "Coordinator", "Een", "Twee", "Drie", "Vier" };
	struct errctx ec = { 0 };
	struct world *w = &s->w;
	char build[PATH_MAX];

	*s = (struct stage){ .base = "/dev/shm/slb-faults-XXXXXX" };
	find_programs(s);
	snprintf(build, sizeof(build), "%s", s->courier);
	*strrchr(build, '/') = '\0';
	setenv("BUILD", build, 1);
	/* In memory where possible: what is asked here is what was written and in which order. */
	if (access("/dev/shm", W_OK) == 0 && mkdtemp(s->base) != NULL)
		setenv("TMPDIR", s->base, 1);
	/* strace and LeakSanitizer both want to trace. */
	setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	if (system("strace -o /dev/null true 2>/dev/null") != 0) {
		print_message("# strace cannot trace here\n");
		skip();
	}
	world_begin(w);
	for (size_t i = 0; i <= members; i++)
		world_home(w, nick[i]);
	if (app_found_neighbourhood(&ec, w->app[0], "West", w->remote) != ERR_OK)
		fail_with(&ec, "neighbourhood");
	world_sync(w, 0);
	world_invite(w, 0, 1, NULL, NULL);
	if (app_found_circle(&ec, w->app[1], CIRCLE) != ERR_OK)
		fail_with(&ec, "circle");
	world_sync(w, 1);
	for (size_t i = 2; i <= members; i++)
		world_invite(w, 1, i, CIRCLE, NULL);
	for (size_t i = 0; i <= members; i++)
		world_sync(w, i);
}

void stage_end(struct stage *s)
{
	for (size_t i = 0; i < s->w.n; i++)
		stage_close(s, i);
	world_end(&s->w);
	rmdir(s->base);
}

void stage_freeze(struct stage *s)
{
	for (size_t i = 0; i < s->w.n; i++)
		stage_close(s, i);
	stage_shell(NULL, "cd %s && rm -rf clean && mkdir clean && cp -a home* remote.git clean/ 2>&1", s->w.dir);
}

void stage_restore(struct stage *s)
{
	for (size_t i = 0; i < s->w.n; i++)
		stage_close(s, i);
	stage_shell(NULL, "cd %s && rm -rf home* remote.git && cp -a clean/. . 2>&1", s->w.dir);
}

enum err stage_try_open(struct stage *s, size_t home, struct errctx *ec)
{
	struct app_options o = { .home = s->w.home[home], .courier = s->courier, .clock = &s->w.clock };
	uint8_t master[32];

	stage_close(s, home);
	memset(master, (int)home + 1, sizeof(master));
	return app_open_with_key(ec, &o, master, false, NULL, &s->w.app[home]);
}

void stage_open(struct stage *s, size_t home)
{
	struct errctx ec = { 0 };

	if (stage_try_open(s, home, &ec) != ERR_OK)
		fail_with(&ec, "open");
}

void stage_close(struct stage *s, size_t home)
{
	app_close(s->w.app[home]);
	s->w.app[home] = NULL;
}

void stage_log(struct stage *s, size_t home, const char *text, struct texts *t)
{
	struct contact_fields f = { .text = text };
	struct errctx ec = { 0 };
	char id[ID_TEXT_LEN];

	if (contact_add(&ec, s->w.app[home], NULL, &f, id) != ERR_OK)
		fail_with(&ec, text);
	if (t != NULL) {
		assert_true(t->n < TEXTS_MAX);
		snprintf(t->text[t->n++], sizeof(t->text[0]), "%s", text);
	}
}

static struct contact_list contacts(struct stage *s, size_t home)
{
	struct contact_query q = { 0 };
	struct contact_list list = { 0 };
	struct errctx ec = { 0 };

	if (contact_list_some(&ec, s->w.app[home], &q, &list) != ERR_OK)
		fail_with(&ec, "list");
	return list;
}

size_t stage_count(struct stage *s, size_t home, const char *text)
{
	struct contact_list list = contacts(s, home);
	size_t n = 0;

	for (size_t i = 0; i < list.n; i++)
		n += list.item[i].text != NULL && strcmp(list.item[i].text, text) == 0;
	contact_list_free(&list);
	return n;
}

size_t stage_contacts(struct stage *s, size_t home)
{
	struct contact_list list = contacts(s, home);
	size_t n = list.n;

	contact_list_free(&list);
	return n;
}

uint64_t stage_unsent(struct stage *s, size_t home)
{
	struct status_view v;
	struct errctx ec = { 0 };
	uint64_t n = 0;

	if (app_status(&ec, s->w.app[home], &v) != ERR_OK)
		fail_with(&ec, "status");
	n = v.unsent;
	app_status_free(&v);
	return n;
}

void stage_expect(struct stage *s, size_t home, const struct texts *t)
{
	struct contact_list list = contacts(s, home);

	for (size_t k = 0; k < t->n; k++) {
		size_t n = 0;

		for (size_t i = 0; i < list.n; i++)
			n += list.item[i].text != NULL && strcmp(list.item[i].text, t->text[k]) == 0;
		if (n != 1)
			fail_msg("home %zu holds \"%s\" %zu times", home, t->text[k], n);
	}
	if (list.n != t->n)
		fail_msg("home %zu holds %zu contacts instead of %zu", home, list.n, t->n);
	contact_list_free(&list);
}

void stage_verify(struct stage *s, size_t home)
{
	struct verify_view v;
	struct errctx ec = { 0 };

	if (app_verify(&ec, s->w.app[home], &v) != ERR_OK)
		fail_with(&ec, "verify");
	assert_true(v.vault_whole && v.log_whole && v.bad_pages == 0 && v.bad_edits == 0);
}

void stage_expect_equal(struct stage *s, size_t a, size_t b)
{
	struct buf x = world_dump(&s->w, a, CIRCLE);
	struct buf y = world_dump(&s->w, b, CIRCLE);

	assert_true(x.len > 100);
	if (bytes_cmp(buf_bytes(&x), buf_bytes(&y)) != 0)
		fail_msg("homes %zu and %zu differ", a, b);
	buf_free(&x);
	buf_free(&y);
}
