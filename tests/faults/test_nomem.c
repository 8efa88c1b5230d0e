// SPDX-License-Identifier: EUPL-1.2
// Goal (V6): memory that runs out, at whichever allocation, ends in an error that says so, or in what was asked for:
// never in half of it, in "saved" for what is not, in a wrong passphrase or damage that is none. Nothing crashes,
// nothing leaks (under a sanitizer), the home opens afterwards and is whole.
//
// Allocations of our own code are wrapped by the linker; SQLite, zlib, jansson and libsodium's guarded memory ask
// through the same counter. Each flow of use is run once to count, then again with the n-th allocation failing, once
// and from there on. Evenly sampled in the ordinary run, all with SLB_SOAK. Keys are derived by a quick hash here.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include <sodium.h>
#include <sqlite3.h>
#include <zlib.h>

#include "base/file.h"
#include "crypto/secret.h"
#include "faults/acts.h"
#include "faults/flows.h"
#include "model/random.h"
#include "support/nth.h"
#include "support/short_memory.h"
#include "support/short_sqlite.h"
#include "vault/keyfile.h"

/* Present under a sanitizer that looks for leaks. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

/* ---- Memory that runs out ---- */

static struct nth oom;

static bool out_of_memory(void)
{
	if (!nth_fails(&oom))
		return false;
	errno = ENOMEM;
	return true;
}

bool memory_is_short(void)
{
	return out_of_memory();
}

bool keys_are_short(void)
{
	return out_of_memory();
}

/* NAME(ARGS) as the linker knows them: __wrap_NAME is called, __real_NAME is the library's. */
#define WRAP(type, name, parameters, arguments, failure)                                                               \
	type __real_##name parameters;                                                                                 \
	type __wrap_##name parameters;                                                                                 \
	type __wrap_##name parameters                                                                                  \
	{                                                                                                              \
		return out_of_memory() ? failure : __real_##name arguments;                                            \
	}

WRAP(void *, reallocarray, (void *p, size_t n, size_t size), (p, n, size), NULL)
WRAP(char *, realpath, (const char *s, char *out), (s, out), NULL)
WRAP(DIR *, opendir, (const char *s), (s), NULL)
WRAP(FILE *, fdopen, (int fd, const char *mode), (fd, mode), NULL)
WRAP(FILE *, fopen, (const char *s, const char *mode), (s, mode), NULL)
WRAP(FILE *, fopencookie, (void *c, const char *mode, cookie_io_functions_t f), (c, mode, f), NULL)

static void *counted_malloc(size_t n)
{
	return out_of_memory() ? NULL : __real_malloc(n);
}

static void *z_counted(void *self, unsigned n, unsigned size)
{
	(void)self;
	return out_of_memory() ? NULL : __real_calloc(n, size);
}

static void z_free(void *self, void *p)
{
	(void)self;
	free(p);
}

int __real_deflateInit2_(z_stream *z, int level, int method, int bits, int mem, int strategy, const char *version,
                         int size);
int __wrap_deflateInit2_(z_stream *z, int level, int method, int bits, int mem, int strategy, const char *version,
                         int size);
int __wrap_deflateInit2_(z_stream *z, int level, int method, int bits, int mem, int strategy, const char *version,
                         int size)
{
	z->zalloc = z_counted;
	z->zfree = z_free;
	return __real_deflateInit2_(z, level, method, bits, mem, strategy, version, size);
}

int __real_inflateInit2_(z_stream *z, int bits, const char *version, int size);
int __wrap_inflateInit2_(z_stream *z, int bits, const char *version, int size);
int __wrap_inflateInit2_(z_stream *z, int bits, const char *version, int size)
{
	z->zalloc = z_counted;
	z->zfree = z_free;
	return __real_inflateInit2_(z, bits, version, size);
}

/* ---- A home that is put back ---- */

#define FILES_MAX 8

struct frozen {
	struct {
		char name[64];
		struct buf bytes;
	} file[FILES_MAX];
	size_t n;
};

static struct frozen freeze(const char *dir)
{
	struct frozen z = { .n = 0 };
	struct dirent *e = NULL;
	DIR *d = opendir(dir);

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		char path[600];
		struct errctx ec = { 0 };

		if (e->d_type != DT_REG)
			continue;
		assert_true(z.n < FILES_MAX && strlen(e->d_name) < 64);
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		strcpy(z.file[z.n].name, e->d_name);
		assert_int_equal(file_read(&ec, path, 1u << 26, &z.file[z.n++].bytes), ERR_OK);
	}
	closedir(d);
	return z;
}

static void frozen_free(struct frozen *z)
{
	for (size_t i = 0; i < z->n; i++)
		buf_free(&z->file[i].bytes);
}

static void put_back(const struct frozen *z, const char *dir)
{
	char path[600];

	for (size_t i = 0; i < z->n; i++) {
		int fd = -1;

		snprintf(path, sizeof(path), "%s/%s", dir, z->file[i].name);
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		assert_true(fd >= 0);
		assert_int_equal(z->file[i].bytes.len == 0 ? 0 : write(fd, z->file[i].bytes.data, z->file[i].bytes.len),
		                 z->file[i].bytes.len);
		close(fd);
	}
	snprintf(path, sizeof(path), "%s/vault.db-wal", dir);
	unlink(path);
}

/* ---- One action with memory that runs out ---- */

#define OUT_MAX (1u << 20)

struct attempt {
	struct stage s;
	struct flow f;
	struct frozen home;
	bool whole_stage; /* the action touches more than the home */
	char out[OUT_MAX];
	size_t out_len;
	size_t acknowledged;
	struct errctx ec;
	enum err result;
};

static void note(void *self, const char *what)
{
	struct attempt *a = self;

	(void)what;
	a->acknowledged++;
}

static void run(struct attempt *a, size_t n, bool sticky)
{
	struct app_options o = { .home = a->s.w.home[a->f.home], .courier = a->s.courier, .clock = &a->s.w.clock };
	struct act_ack ack = { note, a, NULL };
	struct app *app = NULL;
	char line[sizeof(a->f.action)];
	char *words[24];
	uint8_t master[32];
	FILE *out = fmemopen(a->out, sizeof(a->out), "w");

	assert_non_null(out);
	ack.out = out;
	memset(master, (int)a->f.home + 1, sizeof(master));
	strcpy(line, a->f.action);
	act_words(line, words, 24);
	a->acknowledged = 0;
	err_clear(&a->ec);
	nth_arm(&oom, n, sticky);
	a->result = app_open_with_key(&a->ec, &o, master, false, NULL, &app);
	if (a->result == ERR_OK)
		a->result = act(&a->ec, app, words, &ack);
	app_close(app);
	oom.armed = false;
	a->out_len = (size_t)ftell(out);
	fclose(out);
}

static void restore(struct attempt *a)
{
	if (a->whole_stage)
		stage_restore(&a->s);
	else
		put_back(&a->home, a->s.w.home[a->f.home]);
}

/* No memory is no damage, no wrong passphrase and no other wrong. */
static void judge_word(const struct attempt *a)
{
	char text[300] = "";

	if (a->result == ERR_OK)
		return;
	if (a->ec.code != ERR_OK)
		err_text(&a->ec, NULL, text, sizeof(text));
	if (a->result != ERR_NO_MEMORY && a->result != ERR_IO && !(a->result == ERR_LATER && a->whole_stage))
		fail_msg("error %d: %s", (int)a->result, text);
	if (a->result != ERR_NO_MEMORY && text[0] == '\0' && strncmp(a->f.action, "cli ", 4) != 0)
		fail_msg("error %d without a sentence", (int)a->result);
}

static void judge_passphrase(const struct attempt *a)
{
	char path[400];
	uint8_t *master = secret_new(MASTER_KEY_LEN);
	struct errctx ec = { 0 };
	bool old = false;
	bool new = false;

	assert_non_null(master);
	snprintf(path, sizeof(path), "%s/keys", a->s.w.home[a->f.home]);
	if (access(path, F_OK) != 0) {
		secret_free(master);
		return;
	}
	old = keyfile_unlock(&ec, path, (struct bytes){ (const uint8_t *)"oud", 3 }, master) == ERR_OK;
	new = keyfile_unlock(&ec, path, (struct bytes){ (const uint8_t *)"nieuw", 5 }, master) == ERR_OK;
	secret_free(master);
	if (old == new || (strncmp(a->f.action, "passphrase", 10) == 0 && new < (a->result == ERR_OK)))
		fail_msg("the key file: old %d, new %d after %d", old, new, (int)a->result);
}

static char where[200];

static int say_where(void **state)
{
	(void)state;
	print_message("# last: %s\n", where);
	return 0;
}

static void judge(struct attempt *a, const char *reference, size_t reference_len)
{
	char why[FLOW_WHY];

	judge_word(a);
	/* Success is the whole of it. */
	if (a->result == ERR_OK && reference_len > 0 &&
	    (a->out_len != reference_len || memcmp(a->out, reference, reference_len) != 0))
		fail_msg("status 0, and other output: %.*s instead of %.*s", (int)a->out_len, a->out,
		         (int)reference_len, reference);
	if (flow_judge(&a->s, &a->f, a->acknowledged, NULL, why) != FLOW_FINE)
		fail_msg("%s (acknowledged %zu, result %d)", why, a->acknowledged, (int)a->result);
	stage_close(&a->s, a->f.home);
	judge_passphrase(a);
}

struct totals {
	size_t points;
	size_t errors;
};

static struct totals total;

static void run_out(struct attempt *a, size_t quick)
{
	size_t failed = 0;
	size_t tried = 0;
	size_t calls = 0;
	size_t reference_len = 0;
	char *reference = NULL;

	for (int warm = 0; warm < 2; warm++) { /* what is loaded once only is loaded now */
		restore(a);
		run(a, SIZE_MAX, false);
		if (a->result != ERR_OK)
			fail_msg("%s: %s", a->f.action, a->ec.msg == NULL ? "" : a->ec.msg);
	}
	calls = oom.calls;
	/* How far the check in the background has come, which `status` tells, may differ. */
	if (strncmp(a->f.action, "cli ", 4) == 0 && strstr(a->f.action, "status") == NULL)
		reference_len = a->out_len;
	reference = malloc(reference_len + 1);
	assert_non_null(reference);
	memcpy(reference, a->out, reference_len);
	for (int sticky = 0; sticky < 2; sticky++) {
		size_t count = quick * random_soak() > calls ? calls : quick * random_soak();

		for (size_t i = 0; i < count; i++) {
			size_t n = i * calls / count;

			snprintf(where, sizeof(where), "%.120s, allocation %zu of %zu%s", a->f.action, n, calls,
			         sticky ? " and on" : "");
			restore(a);
			run(a, n, sticky != 0);
			failed += a->result != ERR_OK;
			tried += oom.hits > 0;
			judge(a, reference, reference_len);
		}
	}
	print_message("# %s: %zu of %zu allocations, once and from there on; %zu times an error\n", a->f.action,
	              tried / 2, calls, failed);
	free(reference);
	total.points += tried;
	total.errors += failed;
	if (__lsan_do_recoverable_leak_check != NULL && __lsan_do_recoverable_leak_check() != 0)
		fail_msg("%s leaks", a->f.action);
}

/* A prepared home and what is done to it. */
static void with_little_memory(flow_prepare prepare, const char *const *actions, size_t quick)
{
	static struct attempt a;

	memset(&a, 0, sizeof(a));
	stage_begin(&a.s, FLOW_MEMBERS);
	prepare(&a.s, &a.f);
	stage_restore(&a.s);
	a.whole_stage = strcmp(a.f.name, "sync") == 0;
	a.home = freeze(a.s.w.home[a.f.home]);
	for (size_t i = 0; actions == NULL ? i < 1 : actions[i] != NULL; i++) {
		if (actions != NULL) {
			a.f.news.n = 0;
			snprintf(a.f.action, sizeof(a.f.action), "%s", actions[i]);
		}
		run_out(&a, quick);
	}
	frozen_free(&a.home);
	stage_restore(&a.s);
	stage_end(&a.s);
}

static void test_add(void **state)
{
	(void)state;
	with_little_memory(flow_add, NULL, 80);
}

static void test_edit(void **state)
{
	(void)state;
	with_little_memory(flow_edit, NULL, 60);
}

static void test_import(void **state)
{
	(void)state;
	with_little_memory(flow_import, NULL, 60);
}

static void test_take(void **state)
{
	(void)state;
	with_little_memory(flow_take, NULL, 60);
}

static void test_migrate(void **state)
{
	(void)state;
	with_little_memory(flow_migrate, NULL, 60);
}

static void test_sync(void **state)
{
	(void)state;
	with_little_memory(flow_sync, NULL, 40);
}

static void test_reading(void **state)
{
	static const char *const actions[] = {
		"verify",    "cli contact list --json", "cli contact list",     "cli search nieuw --json",
		"cli today", "cli status --json",       "cli dump --canonical", NULL,
	};

	(void)state;
	with_little_memory(flow_add, actions, 25);
}

/* Chance has its own passphrase here; what the home is opened by is another matter. */
static void with_key_file(struct stage *s, struct flow *f)
{
	static const struct bytes old = { (const uint8_t *)"oud", 3 };
	uint8_t *master = secret_new(MASTER_KEY_LEN);
	struct errctx ec = { 0 };
	char path[400];

	assert_non_null(master);
	snprintf(path, sizeof(path), "%s/keys", s->w.home[FLOW_A]);
	assert_int_equal(keyfile_create(&ec, path, old, &s->w.clock, &crypto_rng, master), ERR_OK);
	secret_free(master);
	flow_add(s, f);
}

static void test_passphrase(void **state)
{
	static const char *const actions[] = { "passphrase oud nieuw", NULL };

	(void)state;
	with_little_memory(with_key_file, actions, 60);
}

static void say_total(void)
{
	print_message("# %zu allocations failed, %zu times it was told as an error\n", total.points, total.errors);
}

static int group_end(void **state)
{
	(void)state;
	say_total();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_add, say_where),
		cmocka_unit_test_teardown(test_edit, say_where),
		cmocka_unit_test_teardown(test_import, say_where),
		cmocka_unit_test_teardown(test_take, say_where),
		cmocka_unit_test_teardown(test_migrate, say_where),
		cmocka_unit_test_teardown(test_sync, say_where),
		cmocka_unit_test_teardown(test_reading, say_where),
		cmocka_unit_test_teardown(test_passphrase, say_where),
	};

	json_set_alloc_funcs(counted_malloc, free);
	if (sqlite_through(out_of_memory) != SQLITE_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, group_end);
}
