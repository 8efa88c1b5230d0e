// SPDX-License-Identifier: EUPL-1.2
// Goal: devices that push at the same moment all arrive; none is told "sent" of something that is not there (S2, S3).
#include <sys/types.h>

#include "model/random.h"
#include "scene.h"

/* SLB_SOAK=20: a thousand. */
#define ROUNDS (50 * (int)random_soak())

/* Starts the device's courier on DIR/DEVICE/job without waiting for it. */
static pid_t start(const struct scene *s, char device)
{
	pid_t pid = fork();

	if (pid == 0) {
		char in[256], out[256];

		snprintf(in, sizeof(in), "%s/%c/job", s->dir, device);
		snprintf(out, sizeof(out), "%s/%c/report", s->dir, device);
		if (freopen(in, "r", stdin) != NULL && freopen(out, "w", stdout) != NULL)
			execl(s->courier, "sleutelbos-courier", (char *)NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	return pid;
}

static void finish(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void prepare(const struct scene *s, char device, int round)
{
	struct job job = job_of(s, device);
	char name[32], text[64];

	snprintf(name, sizeof(name), "b-%d", round);
	snprintf(text, sizeof(text), "round %d of %c", round, device);
	job_spool(s, &job, device, name, text);
	if (round % 10 == 9)
		job_line(&job, JOB_PACK, NULL, NULL, NULL);
	write_job(s, &job);
	shell("mv %s/job %s/%c/job", s->dir, s->dir, device);
}

static void test_two_that_push_at_once_both_arrive(void **state)
{
	struct scene s;

	scene_begin(&s);
	push_one(&s, 'c', "first", "makes the remote");
	for (int round = 0; round < ROUNDS; round++) {
		pid_t a = 0, b = 0;
		char want[64];

		prepare(&s, 'a', round);
		prepare(&s, 'b', round);
		a = start(&s, 'a');
		b = start(&s, 'b');
		finish(a);
		finish(b);
		snprintf(want, sizeof(want), "%d\n%d", round + 1, round + 1);
		assert_string_equal(
		    shell("cd %s/remote && git rev-list --count " OWN "a && git rev-list --count " OWN "b", s.dir),
		    want);
		shell("grep -q 'sent.*b-%d$' %s/a/report && grep -q 'sent.*b-%d$' %s/b/report", round, s.dir, round,
		      s.dir);
	}
	shell("git -C %s/remote fsck --strict 2>/dev/null", s.dir);
	scene_end(&s);
}

/* Two copies of one device: one of them arrives, the other is told; never both "sent", never one over the other.
 * Seen to fail with bare_set() writing whatever the branch held by then. */
static void test_two_copies_of_one_device(void **state)
{
	struct scene s;
	int both = 0;

	scene_begin(&s);
	push_one(&s, 'a', "first", "makes the remote");
	for (int round = 0; round < ROUNDS; round++) {
		pid_t a = 0, b = 0;
		const char *winner = NULL;

		shell("cd %s && git -C remote update-ref " OWN "a $(git -C remote rev-list --max-parents=0 " OWN
		      "a) && rm -rf "
		      "b a/in/* && { test -d saved || cp -a a saved; } && rm -rf a && cp -a saved a",
		      s.dir);
		shell("mkdir -p %s/b/out", s.dir);
		prepare(&s, 'a', round);
		shell("cd %s && rm -rf b && cp -a a b && echo other >b/out/b-%d && "
		      "sed -i 's,%s/a/,%s/b/,' b/job",
		      s.dir, round, s.dir, s.dir);
		a = start(&s, 'a');
		b = start(&s, 'b');
		finish(a);
		finish(b);
		winner = shell("cd %s && grep -l 'sent.*b-%d$' a/report b/report", s.dir, round);
		assert_true(strcmp(winner, "a/report") == 0 || strcmp(winner, "b/report") == 0);
		both += shell("cd %s && cat a/report b/report | grep -c '^ahead'", s.dir)[0] == '1';
		assert_string_equal(shell("cd %s/remote && git rev-list --count " OWN "a", s.dir), "2");
	}
	assert_int_equal(both, ROUNDS);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_that_push_at_once_both_arrive),
		cmocka_unit_test(test_two_copies_of_one_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
