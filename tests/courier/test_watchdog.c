// SPDX-License-Identifier: EUPL-1.2
// Goal: the courier bounds itself before it reads anything, and when a bound is reached it says so in its last line and
// ends with the status for "later" (S3). The bounds are read from the running program; the signals that announce them
// are sent by hand, so that nobody waits a minute.
#include <signal.h>

#include "base/sanitizer.h"
#include "scene.h"

/* Starts the courier on a pipe that says nothing yet, and waits until it listens to it. */
static pid_t start_waiting(const struct scene *s, int *job)
{
	int ends[2] = { -1, -1 };
	pid_t pid = 0;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		char out[256];

		snprintf(out, sizeof(out), "%s/report", s->dir);
		if (dup2(ends[0], 0) == 0 && close(ends[1]) == 0 && freopen(out, "w", stdout) != NULL)
			execl(s->courier, "sleutelbos-courier", (char *)NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	close(ends[0]);
	*job = ends[1];
	/* Core dumps are the last thing it limits. */
	shell("until grep -q 'core file size *0 *0' /proc/%d/limits && grep -qi sleutelbos /proc/%d/comm; do sleep "
	      "0.01; done",
	      (int)pid, (int)pid);
	return pid;
}

static void test_the_bounds_stand_before_the_job_is_read(void **state)
{
	struct scene s;
	int job = -1;
	pid_t pid = 0;

	scene_begin(&s);
	pid = start_waiting(&s, &job);
#ifndef UNDER_SANITIZER
	shell("until grep -q 'Max address space *335544320 *335544320' /proc/%d/limits; do sleep 0.01; done", (int)pid);
#endif
	shell("grep -q 'Max cpu time *60 *65' /proc/%d/limits && grep -q 'Max file size *2147483648' /proc/%d/limits",
	      (int)pid, (int)pid);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(job);
	scene_end(&s);
}

static void test_a_bound_that_is_reached_is_told(void **state)
{
	static const struct {
		int signal;
		const char *said;
	} cases[] = { { SIGALRM, "fail\tlater\ttimeout\t" }, { SIGXCPU, "fail\tlater\tcpu\t" } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene s;
		struct report_line line;
		char text[512];
		int job = -1, status = 0;
		pid_t pid = 0;

		scene_begin(&s);
		pid = start_waiting(&s, &job);
		kill(pid, cases[i].signal);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), grade_exit_status(GRADE_LATER));
		snprintf(text, sizeof(text), "%s", shell("cat %s/report", s.dir));
		assert_int_equal(strncmp(text, cases[i].said, strlen(cases[i].said)), 0);
		/* The launcher can read it. */
		assert_int_equal(report_parse(text, &line), ERR_OK);
		close(job);
		scene_end(&s);
	}
}

static void test_a_bad_job_is_refused(void **state)
{
	struct scene s;

	scene_begin(&s);
	shell("cd %s && { echo hello | %s >report; test $? = 12; } && grep -q '^fail.person.job.' report && "
	      "tail -n 1 report | grep -q '^done$'",
	      s.dir, s.courier);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_bounds_stand_before_the_job_is_read),
		cmocka_unit_test(test_a_bound_that_is_reached_is_told),
		cmocka_unit_test(test_a_bad_job_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
