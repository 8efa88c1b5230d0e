// SPDX-License-Identifier: EUPL-1.2
// Goal (V3, S2, S3, V6): wherever a process is killed, and whichever call to the disk fails, no acknowledged edit is
// lost, none is doubled, every home opens and is whole, nothing is called sent that the repository does not hold, and
// the next sync brings both homes to the same state. The key file opens by the old passphrase or by the new one.
//
// strace counts the calls that change something on disk in each flow of faults/flows.h. Then each of them is the last
// one of its process: of the home's, of the courier's with the home going on, and of both. After that, while logging
// and while syncing, each fails with ENOSPC and with EIO, once and from there on; then an error must be said in words,
// and with the right exit status.
//
// Set SLB_SOAK to try every point; otherwise they are sampled evenly.
//
// Seen to fail when: files count as sent when they are handed to the courier; a failed sync of the log is ignored; a
// sync does not clear what a killed one left in the spool.
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
#include "crypto/secret.h"
#include "faults/flows.h"
#include "vault/keyfile.h"

#define A FLOW_A
#define B FLOW_B
#define POINTS_MAX 8192

/* Names with a question mark are unknown on some processors. */
#define CALLS                                                                                                          \
	"write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,fsync,fdatasync,sync_file_range,syncfs,"  \
	"?rename,renameat,?renameat2,?unlink,unlinkat,?rmdir,openat,?open,?creat,?mkdir,mkdirat,?link,linkat,"         \
	"?symlink,symlinkat,?chmod,fchmod,fchmodat,sendfile,copy_file_range,msync"

struct point {
	char call[20];
	int nth;
	bool to_person; /* a write to standard output or error, which is no disk */
	bool essential; /* of the home, before it says its last word, and none of those whose failure may pass: the
	                 * mark (an older one stays valid), a directory's fsync (SQLite ignores it), the removal of
	                 * what is no longer needed (the next sync removes it) */
};

enum who { HOME, COURIER, BOTH };

static const char *const who_text[] = { "home", "courier", "courier and home" };

/* Where the blow fell, for the one who reads a failure. */
static char where[256];

static int say_where(void **state)
{
	(void)state;
	print_message("# last blow: %s\n", where);
	return 0;
}

/* ---- Points ---- */

static void trace_path(const struct stage *s, char *out, size_t size)
{
	snprintf(out, size, "%s/trace", s->w.dir);
}

/* Only calls that change something: an openat counts where it creates or empties. */
static size_t list_points(const struct stage *s, struct point *out)
{
	static char line[1 << 16];
	struct point seen[40] = { 0 };
	char path[300];
	FILE *log = NULL;
	size_t n = 0;
	size_t last_word = 0;

	trace_path(s, path, sizeof(path));
	log = fopen(path, "r");
	assert_non_null(log);
	while (fgets(line, sizeof(line), log) != NULL) {
		char *paren = strchr(line, '(');
		size_t k = 0;

		if (paren == NULL || line[0] < 'a' || line[0] > 'z')
			continue;
		*paren++ = '\0';
		while (seen[k].nth > 0 && strcmp(seen[k].call, line) != 0)
			k++;
		assert_true(k + 1 < sizeof(seen) / sizeof(seen[0]));
		snprintf(seen[k].call, sizeof(seen[k].call), "%.19s", line);
		seen[k].nth++;
		if (strncmp(line, "open", 4) == 0 && strstr(paren, "O_CREAT") == NULL &&
		    strstr(paren, "O_TRUNC") == NULL)
			continue;
		assert_true(n < POINTS_MAX);
		out[n] = seen[k];
		out[n].to_person =
		    strcmp(line, "write") == 0 && (paren[0] == '1' || paren[0] == '2') && paren[1] == '<';
		out[n].essential = strstr(paren, "/vault.mark") == NULL && strstr(paren, "/home1>") == NULL &&
		                   strncmp(line, "unlink", 6) != 0;
		if (out[n].to_person)
			last_word = n;
		n++;
	}
	fclose(log);
	for (size_t i = last_word; i < n; i++)
		out[i].essential = false;
	return n;
}

/* The courier that the driver starts: itself, or a script that runs it under strace with these options. */
static void courier_script(const struct stage *s, enum who who, const char *strace, char *out, size_t size)
{
	char path[300];
	FILE *f = NULL;

	if (who == HOME) {
		snprintf(out, size, "%s", s->courier);
		return;
	}
	snprintf(path, sizeof(path), "%s/courier", s->w.dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "#!/bin/sh\nexport ASAN_OPTIONS=detect_leaks=0\n%sstrace %s %s\n%s", who == BOTH ? "" : "exec ",
	        strace, s->courier, who == BOTH ? "kill -9 $PPID\n" : "");
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0700), 0);
	snprintf(out, size, "%s", path);
}

/* Runs the flow with strace on who it is about. Returns its exit status; what it said stands in DIR/out and DIR/err.
 * Whoever holds standard error is waited for: a courier that outlives its home too. */
static int run(const struct stage *s, const struct flow *f, enum who who, const char *strace)
{
	char courier[PATH_MAX];
	const char *said = NULL;

	courier_script(s, who, strace, courier, sizeof(courier));
	said = stage_shell(NULL,
	                   "cd %s && { { %s %s %s %s %d %s 1770000000000 %s >out; echo \"status $?\"; } 2>&1; } | "
	                   "tee err | tail -n 1",
	                   s->w.dir, who == HOME ? "strace" : "", who == HOME ? strace : "", s->driver,
	                   s->w.home[f->home], (int)f->home + 1, courier, f->action);
	assert_memory_equal(said, "status ", 7);
	return atoi(said + 7);
}

static size_t acknowledged(const struct stage *s)
{
	return (size_t)atoi(stage_shell(NULL, "grep -c ^ACK %s/out || true", s->w.dir));
}

/* The sentence that was said, without what the shell says about killed processes. */
static bool said_why(const struct stage *s)
{
	return atoi(stage_shell(NULL, "grep -v '^status\\|Killed' %s/err | grep -c '[a-z] .*[a-z] .*[a-z]' || true",
	                        s->w.dir)) > 0;
}

/* ---- After the blow ---- */

static void add_texts(struct texts *to, const struct texts *from)
{
	for (size_t i = 0; i < from->n; i++)
		memcpy(to->text[to->n++], from->text[i], sizeof(to->text[0]));
}

static size_t missing(struct stage *s, size_t home, const struct texts *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += stage_count(s, home, t->text[i]) == 0;
	return n;
}

static void expect_empty_spool(const struct stage *s, const struct flow *f)
{
	const char *left = stage_shell(NULL, "find %s/spool -type f", s->w.home[f->home]);

	if (left[0] != '\0')
		fail_msg("left in the spool: %s", left);
}

/* What is sent and what is still to be sent are together what is there. */
static void judge_unsent(struct stage *s, const struct flow *f, const struct texts *here)
{
	uint64_t unsent = stage_unsent(s, f->home);

	if (strcmp(f->action, "sync") == 0)
		assert_true(unsent <= f->unsent);
	else if (f->news.n > 0)
		assert_int_equal(unsent, f->unsent + here->n - f->before.n);
	else
		assert_true(unsent >= f->unsent);
	if (f->home != A)
		return;
	/* What is not called unsent can be fetched and opened by somebody else. */
	stage_open(s, B);
	world_sync(&s->w, B);
	if (missing(s, B, here) > unsent)
		fail_msg("%zu texts are missing at the repository where %llu are called unsent", missing(s, B, here),
		         (unsigned long long)unsent);
}

static void judge(struct stage *s, const struct flow *f, size_t acked)
{
	struct texts here;
	struct sync_view v;
	char why[FLOW_WHY];

	if (flow_judge(s, f, acked, &here, why) != FLOW_FINE)
		fail_msg("%s", why);
	judge_unsent(s, f, &here);
	world_sync(&s->w, f->home);
	assert_int_equal(stage_unsent(s, f->home), 0);
	if (f->home == A) {
		world_sync(&s->w, B);
		add_texts(&here, &f->theirs);
		stage_expect(s, A, &here);
		stage_expect(s, B, &here);
		stage_expect_equal(s, A, B);
	}
	stage_verify(s, f->home);
	v = world_sync(&s->w, f->home);
	assert_int_equal(v.sent + v.received + v.fresh + v.changed, 0);
	expect_empty_spool(s, f);
}

/* ---- The blows ---- */

struct blow {
	enum who who;
	const char *kind; /* strace's, behind "inject=CALL:" */
	const char *when; /* "" or "+" */
	bool kill;
	size_t quick;  /* points of an ordinary run */
	size_t failed; /* how many of them were noticed, for the figures */
};

static void expect_word(const struct stage *s, const struct blow *b, const struct point *p, int status)
{
	bool fine = status == 9 || (b->who == COURIER && status == 6);
	/* Then the sentence cannot be written either. */
	bool mute = b->who == HOME && b->when[0] == '+' && strcmp(p->call, "write") == 0;

	if (status == 0 && !(b->who == HOME && p->essential))
		return;
	if (!fine || (!mute && !said_why(s)))
		fail_msg("status %d, and it said: %s", status, stage_shell(NULL, "cat %s/err", s->w.dir));
}

static void strike(struct stage *s, const struct flow *f, struct blow *b)
{
	static struct point point[POINTS_MAX];
	char strace[700];
	size_t points = 0;
	size_t count = 0;
	int status = 0;

	stage_restore(s);
	snprintf(strace, sizeof(strace), "-y -o %s/trace -e trace=" CALLS, s->w.dir);
	assert_int_equal(run(s, f, b->who == BOTH ? COURIER : b->who, strace), 0);
	points = list_points(s, point);
	for (size_t i = 0; i < points && !b->kill;) {
		if (point[i].to_person)
			memmove(&point[i], &point[i + 1], (--points - i) * sizeof(*point));
		else
			i++;
	}
	assert_true(points > 10);
	count = stage_full() || points < b->quick ? points : b->quick;
	for (size_t i = 0; i < count; i++) {
		const struct point *p = &point[i * points / count];

		snprintf(where, sizeof(where), "%s, %s, %s%s at %s %d", f->name, who_text[b->who], b->kind, b->when,
		         p->call, p->nth);
		stage_restore(s);
		snprintf(strace, sizeof(strace), "-o /dev/null -e trace=%s -e inject=%s:%s:when=%d%s", p->call, p->call,
		         b->kind, p->nth, b->when);
		status = run(s, f, b->who, strace);
		if (b->kill && b->who != COURIER)
			assert_int_equal(status, 137);
		else
			expect_word(s, b, p, status);
		b->failed += status != 0;
		judge(s, f, acknowledged(s));
	}
	print_message("# %s, %s, %s%s: %zu of %zu points, %zu noticed; nothing lost, nothing doubled\n", f->name,
	              who_text[b->who], b->kind, b->when, count, points, b->failed);
}

static void strike_all(flow_prepare prepare, struct blow *blows, size_t n)
{
	struct stage s;
	struct flow f;

	stage_begin(&s, FLOW_MEMBERS);
	prepare(&s, &f);
	for (size_t i = 0; i < n; i++)
		strike(&s, &f, &blows[i]);
	stage_restore(&s);
	stage_end(&s);
}

#define KILL "signal=SIGKILL"
#define FULL "error=ENOSPC"
#define BROKEN "error=EIO"
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void killed(flow_prepare prepare, size_t quick)
{
	struct blow blows[] = { { HOME, KILL, "", true, quick, 0 } };

	strike_all(prepare, blows, COUNT(blows));
}

static void test_add_killed(void **state)
{
	(void)state;
	killed(flow_add, 40);
}

static void test_add_again_killed(void **state)
{
	(void)state;
	killed(flow_resume, 10);
}

static void test_edit_killed(void **state)
{
	(void)state;
	killed(flow_edit, 10);
}

static void test_import_killed(void **state)
{
	(void)state;
	killed(flow_import, 10);
}

static void test_take_killed(void **state)
{
	(void)state;
	killed(flow_take, 10);
}

static void test_migrate_killed(void **state)
{
	(void)state;
	killed(flow_migrate, 10);
}

/* ---- The key file, by the released program ---- */

#define OLD "vier losse woorden"
#define NEW "vijf andere losse woorden"

static bool opens_by(const char *path, const char *passphrase)
{
	uint8_t *master = secret_new(MASTER_KEY_LEN);
	struct errctx ec = { 0 };
	bool yes = false;

	assert_non_null(master);
	yes = keyfile_unlock(&ec, path, (struct bytes){ (const uint8_t *)passphrase, strlen(passphrase) }, master) ==
	      ERR_OK;
	secret_free(master);
	return yes;
}

/* Changes the passphrase of a fresh copy of the home. */
static int change_passphrase(const struct stage *s, const char *program, const char *strace)
{
	int status = 0;

	stage_shell(&status,
	            "cd %s && rm -rf h && cp -a before h && strace %s %s --home \"$PWD/h\" passphrase change "
	            "--passphrase-file old --new-passphrase-file new >out 2>err",
	            s->w.dir, strace, program);
	return status;
}

static void test_passphrase_killed(void **state)
{
	static struct point point[POINTS_MAX];
	struct stage s;
	char program[PATH_MAX];
	char strace[700];
	char path[300];
	size_t points = 0;
	size_t count = 0;

	(void)state;
	stage_begin(&s, 1);
	snprintf(program, sizeof(program), "%s", s.courier);
	*strrchr(program, '-') = '\0';
	snprintf(path, sizeof(path), "%s/h/keys", s.w.dir);
	stage_shell(NULL,
	            "cd %s && printf '" OLD "' >old && printf '" NEW "' >new && "
	            "%s --home \"$PWD/before\" init --name Noor --passphrase-file old",
	            s.w.dir, program);
	snprintf(strace, sizeof(strace), "-y -o trace -e trace=" CALLS);
	assert_int_equal(change_passphrase(&s, program, strace), 0);
	points = list_points(&s, point);
	assert_true(points >= 5);
	count = stage_full() ? points : 4;
	for (size_t i = 0; i < count; i++) {
		const struct point *p = &point[i * points / count];
		bool said = false;

		snprintf(where, sizeof(where), "passphrase change, %s %d", p->call, p->nth);
		snprintf(strace, sizeof(strace), "-o /dev/null -e trace=%s -e inject=%s:" KILL ":when=%d", p->call,
		         p->call, p->nth);
		assert_int_equal(change_passphrase(&s, program, strace), 137);
		said = atoi(stage_shell(NULL, "wc -c <%s/out", s.w.dir)) > 0;
		if (!opens_by(path, NEW) && (said || !opens_by(path, OLD)))
			fail_msg("%s: the key file does not open", where);
	}
	print_message("# passphrase change, home, " KILL ": %zu of %zu points; it opened each time\n", count, points);
	stage_end(&s);
}

static void test_sync_killed(void **state)
{
	struct blow blows[] = {
		{ HOME, KILL, "", true, 40, 0 },
		{ COURIER, KILL, "", true, 20, 0 },
		{ BOTH, KILL, "", true, 20, 0 },
	};

	(void)state;
	strike_all(flow_sync, blows, COUNT(blows));
}

static void test_add_on_a_failing_disk(void **state)
{
	struct blow blows[] = {
		{ HOME, FULL, "", false, 10, 0 },
		{ HOME, FULL, "+", false, 10, 0 },
		{ HOME, BROKEN, "", false, 10, 0 },
		{ HOME, BROKEN, "+", false, 10, 0 },
	};

	(void)state;
	strike_all(flow_add, blows, COUNT(blows));
}

static void test_sync_on_a_failing_disk(void **state)
{
	struct blow blows[] = {
		{ HOME, FULL, "", false, 8, 0 },      { HOME, FULL, "+", false, 8, 0 },
		{ HOME, BROKEN, "", false, 8, 0 },    { HOME, BROKEN, "+", false, 8, 0 },
		{ COURIER, FULL, "", false, 8, 0 },   { COURIER, FULL, "+", false, 8, 0 },
		{ COURIER, BROKEN, "", false, 8, 0 }, { COURIER, BROKEN, "+", false, 8, 0 },
	};

	(void)state;
	strike_all(flow_sync, blows, COUNT(blows));
}

/* ---- No memory in the courier ---- */

/* Crashes of the courier are counted, whatever the home made of it. */
static int sync_with_courier(const struct stage *s, const struct flow *f, const char *environment)
{
	char path[300];
	char library[PATH_MAX];
	FILE *script = NULL;
	int status = 0;

	snprintf(library, sizeof(library), "%s", s->driver);
	strcpy(strrchr(library, '/'), "/nomem.so");
	snprintf(path, sizeof(path), "%s/courier", s->w.dir);
	script = fopen(path, "w");
	assert_non_null(script);
	fprintf(script, "#!/bin/sh\nSLB_NOMEM_CRASHED=%s/crashed LD_PRELOAD=%s %s exec %s\n", s->w.dir, library,
	        environment, s->courier);
	assert_int_equal(fclose(script), 0);
	assert_int_equal(chmod(path, 0700), 0);
	stage_shell(&status, "cd %s && %s %s %d %s 1770000000000 %s >out 2>err", s->w.dir, s->driver,
	            s->w.home[f->home], (int)f->home + 1, path, f->action);
	return status;
}

static void test_no_memory_in_the_courier(void **state)
{
	struct stage s;
	struct flow f;
	char environment[400];
	size_t calls = 0;
	size_t told = 0;
	size_t points = 0;

	(void)state;
	if (!secret_heap()) {
		print_message("# a sanitizer has its own memory\n");
		skip();
	}
	stage_begin(&s, FLOW_MEMBERS);
	flow_sync(&s, &f);
	stage_restore(&s);
	snprintf(environment, sizeof(environment), "SLB_NOMEM_COUNT=%s/calls", s.w.dir);
	assert_int_equal(sync_with_courier(&s, &f, environment), 0);
	calls = (size_t)atoi(stage_shell(NULL, "cat %s/calls", s.w.dir));
	assert_true(calls > 500);
	stage_shell(NULL, ": >%s/crashed", s.w.dir);
	for (int sticky = 0; sticky < 2; sticky++) {
		size_t count = stage_full() ? calls : 12;

		for (size_t i = 0; i < count; i++, points++) {
			int status = 0;

			snprintf(where, sizeof(where), "sync, the courier without memory at allocation %zu%s",
			         i * calls / count + 1, sticky ? " and on" : "");
			snprintf(environment, sizeof(environment), "SLB_NOMEM_AT=%zu%s", i * calls / count + 1,
			         sticky ? "+" : "");
			stage_restore(&s);
			status = sync_with_courier(&s, &f, environment);
			if (status != 0 && (!said_why(&s) || (status != 6 && status != 9)))
				fail_msg("status %d, and it said: %s", status,
				         stage_shell(NULL, "cat %s/err", s.w.dir));
			told += status != 0;
			judge(&s, &f, acknowledged(&s));
		}
	}
	print_message(
	    "# sync, courier, no memory: %zu of %zu points, %zu noticed, %s crashed in libgit2; nothing lost, "
	    "nothing doubled\n",
	    points, 2 * calls, told, stage_shell(NULL, "grep -c libgit2 %s/crashed || true", s.w.dir));
	/* libgit2 1.5 does not look at every allocation of its own; that ends the courier and nothing else. */
	assert_string_equal(stage_shell(NULL, "grep -v libgit2 %s/crashed || true", s.w.dir), "");
	stage_restore(&s);
	stage_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_add_killed, say_where),
		cmocka_unit_test_teardown(test_add_again_killed, say_where),
		cmocka_unit_test_teardown(test_edit_killed, say_where),
		cmocka_unit_test_teardown(test_import_killed, say_where),
		cmocka_unit_test_teardown(test_take_killed, say_where),
		cmocka_unit_test_teardown(test_migrate_killed, say_where),
		cmocka_unit_test_teardown(test_passphrase_killed, say_where),
		cmocka_unit_test_teardown(test_sync_killed, say_where),
		cmocka_unit_test_teardown(test_add_on_a_failing_disk, say_where),
		cmocka_unit_test_teardown(test_sync_on_a_failing_disk, say_where),
		cmocka_unit_test_teardown(test_no_memory_in_the_courier, say_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
