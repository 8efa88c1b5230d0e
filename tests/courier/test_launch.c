// SPDX-License-Identifier: EUPL-1.2
// Goal: whatever the courier does (dies, hangs, babbles, is missing), the program that started it goes on with a clear
// error and nothing of its own leaks into it. The couriers here are shell scripts.
#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include "scene.h"

static enum err run_script(struct scene *s, const char *script, struct heard *h, int silent_ms)
{
	struct job job = job_of(s, 'a');
	struct courier_call call = { .program = s->courier, .job = &job, .fn = hear, .arg = h };
	struct errctx ec = { 0 };
	FILE *f = NULL;
	enum err e = ERR_OK;

	snprintf(s->courier, sizeof(s->courier), "%s/fake", s->dir);
	f = fopen(s->courier, "w");
	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", script);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(s->courier, 0700), 0);
	call.silent_ms = silent_ms;
	call.total_ms = 2 * silent_ms;
	*h = (struct heard){ 0 };
	e = courier_call(&ec, &call);
	/* An error has its sentence. */
	assert_int_equal(ec.code, e);
	job_free(&job);
	return e;
}

static void test_how_couriers_end(void **state)
{
	static const struct {
		const char *script;
		enum err err;
		const char *heard;
	} cases[] = {
		{ "cat >/dev/null; echo done", ERR_OK, "" },
		{ "echo busy; echo done", ERR_OK, "" },
		{ "echo done; echo busy", ERR_OK, "" }, /* seen with 500 files on a busy machine */
		{ "printf 'fail\\tlater\\tno-remote\\tNot there.\\n'; echo done; exit 11", ERR_OK,
		  "fail later no-remote Not there.\n" },
		{ "printf 'sent\\trefs/heads/a/b\\tn\\n'; kill -9 $$", ERR_LATER, "sent refs/heads/a/b n\n" },
		{ "exit 0", ERR_LATER, "" },
		{ "echo done; exit 1", ERR_LATER, "" },
		{ "echo done; kill -9 $$", ERR_LATER, "" },
		{ "printf done", ERR_LATER, "" },
		{ "echo done; echo done", ERR_LATER, "" },
		{ "echo hello", ERR_LATER, "" },
		{ "printf 'sent\\trefs/heads/a/b\\t../n\\n'; echo done", ERR_LATER, "" },
		{ "printf 'done\\000\\n'", ERR_LATER, "" },
		{ "yes | tr -d '\\n'", ERR_LATER, "" },
		{ "yes", ERR_LATER, "" },
	};
	struct scene s;
	struct heard h;

	scene_begin(&s);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (run_script(&s, cases[i].script, &h, 20000) != cases[i].err)
			fail_msg("%s", cases[i].script);
		assert_string_equal(h.text, cases[i].heard);
	}
	scene_end(&s);
}

static void test_a_silent_or_endless_courier_is_ended(void **state)
{
	static const char *const scripts[] = { "echo $$ >$0.pid; exec sleep 1000",
		                               "echo $$ >$0.pid; exec >&-; exec sleep 1000" };
	struct scene s;
	struct heard h;

	scene_begin(&s);
	assert_int_equal(run_script(&s, scripts[0], &h, 200), ERR_LATER);
	shell("! kill -0 $(cat %s/fake.pid) 2>/dev/null", s.dir);
	/* Not silent, but for too long in all. */
	assert_int_equal(run_script(&s, "while sleep 0.05; do echo busy; done", &h, 300), ERR_LATER);
	/* It closed its report and stays: an early end, and it is ended too. */
	assert_int_equal(run_script(&s, scripts[1], &h, 200), ERR_LATER);
	shell("! kill -0 $(cat %s/fake.pid) 2>/dev/null", s.dir);
	scene_end(&s);
}

static void test_a_missing_courier(void **state)
{
	struct scene s;
	struct job job = { 0 };
	struct heard h = { 0 };
	struct errctx ec = { 0 };

	scene_begin(&s);
	job = job_of(&s, 'a');
	assert_int_equal(courier_run(&ec, "/nowhere/courier", &job, hear, &h), ERR_NOT_FOUND);
	assert_non_null(strstr(ec.arg[0], "/nowhere/courier"));
	job_free(&job);
	scene_end(&s);
}

static void test_nothing_of_ours_leaks_into_it(void **state)
{
	struct scene s;
	struct heard h;
	int fd = -1;

	scene_begin(&s);
	setenv("SLB_SECRET", "x", 1);
	fd = open("/dev/null", O_RDONLY); /* without CLOEXEC, as a library might */
	assert_true(fd > 2);
	assert_int_equal(signal(SIGPIPE, SIG_IGN) == SIG_ERR, 0);
	assert_int_equal(
	    run_script(&s,
	               "tr '\\000' '\\n' </proc/$$/environ | grep -v '^PWD=\\|^_=\\|^SHLVL=' >$0.env; "
	               "ls /proc/$$/fd >$0.fds; grep SigIgn /proc/$$/status >$0.sig; cat >$0.job; echo done",
	               &h, 20000),
	    ERR_OK);
	assert_string_equal(shell("sort %s/fake.env", s.dir), "LANG=C\nPATH=/usr/bin:/bin");
	/* 10 or above is the shell's own hold on its script. */
	assert_string_equal(shell("grep -v '^[12][0-9]' %s/fake.fds", s.dir), "0\n1\n2");
	assert_string_equal(shell("echo $((0x$(cut -f2 %s/fake.sig) & 1 << 12))", s.dir), "0"); /* SIGPIPE */
	assert_string_equal(shell("head -n 1 %s/fake.job; tail -n 1 %s/fake.job", s.dir, s.dir),
	                    "sleutelbos-job 1\nend");
	signal(SIGPIPE, SIG_DFL);
	close(fd);
	scene_end(&s);
}

static enum err stop(void *arg, const struct report_line *line)
{
	++*(int *)arg;
	return ERR_IO;
}

static void test_the_listener_can_stop_it(void **state)
{
	struct scene s;
	struct job job = { 0 };
	int lines = 0;
	struct heard h;

	scene_begin(&s);
	assert_int_equal(
	    run_script(&s, "printf 'gone\\trefs/heads/a/b\\n'; printf 'gone\\trefs/heads/a/c\\n'; exec sleep 1000", &h,
	               100),
	    ERR_LATER);
	job = job_of(&s, 'a');
	assert_int_equal(courier_run(NULL, s.courier, &job, stop, &lines), ERR_IO);
	assert_int_equal(lines, 1);
	job_free(&job);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_how_couriers_end),
		cmocka_unit_test(test_a_silent_or_endless_courier_is_ended),
		cmocka_unit_test(test_a_missing_courier),
		cmocka_unit_test(test_nothing_of_ours_leaks_into_it),
		cmocka_unit_test(test_the_listener_can_stop_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
