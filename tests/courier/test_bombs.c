// SPDX-License-Identifier: EUPL-1.2
// Goal: a host that sends what is made to break whoever reads it (a file of a megabyte that becomes 400, folders in
// folders, a million branches) ends in a failure with a grade, within a minute and 256 MB, and what the
// home had stays as it was (S4, S5). Over the network, where libgit2 takes packs in before anybody has looked at them;
// the same on a disk is in test_hostile. A host that drips: test_watchdog, and test_launch for one that never ends.
#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>

#include "base/sanitizer.h"
#include "hosts.h"

#define MEMORY_KIB (256 * 1024)
#define LINES "author sleutelbos <> 0 +0000\\ncommitter sleutelbos <> 0 +0000\\n\\n"
#define COMMIT_X                                                                                                       \
	"printf \"tree $t\\n" LINES                                                                                    \
	"\" | git hash-object -t commit -w --stdin >id && mkdir -p refs/heads/space/epoch && "                         \
	"cp id refs/heads/space/epoch/x"
#define ZEROS "head -c 400M /dev/zero | git -c core.compression=1 -c core.bigFileThreshold=1g hash-object"

struct bomb {
	const char *what;
	const char *make; /* run in the host's repository; branch x, or more */
};

static const struct bomb bombs[] = {
	{ "a file", "b=$(" ZEROS " -w --stdin) && t=$(printf \"100644 blob $b\\tbom\\n\" | git mktree) && " COMMIT_X },
	{ "folders in folders",
	  "{ printf 'commit refs/heads/deep\\ncommitter a <a> 0 +0000\\ndata 1\\nx\\nM 100644 inline '; "
	  "head -c 4000 /dev/zero | sed 's,\\x00\\x00,d/,g'; printf 'f\\ndata 1\\nx\\n\\n'; } | git fast-import "
	  "--quiet && "
	  "t=$(git rev-parse refs/heads/deep^{tree}) && " COMMIT_X },
	{ "a million branches",
	  "id=$(git rev-parse refs/heads/space/epoch/a) && { echo '# pack-refs with: peeled fully-peeled sorted ' && "
	  "awk -v id=$id 'BEGIN { for (i = 0; i < 1000000; i++) { n = sprintf(\"%07d\", i); gsub(/0/, \"a\", n); "
	  "gsub(/1/, "
	  "\"b\", n); gsub(/8/, \"c\", n); gsub(/9/, \"d\", n); print id, \"refs/heads/space/p/\" n } }' | LC_ALL=C "
	  "sort -k2; } "
	  ">packed-refs" },
};

struct ended {
	int status;
	long memory_kib;
	long seconds;
};

/* The courier by itself, so that its memory is known. */
static struct ended run_alone(const struct scene *s, struct job *job)
{
	struct buf text = { 0 };
	struct rusage used;
	struct ended e = { .seconds = (long)time(NULL) };
	char path[256];
	int status = 0;
	pid_t pid = 0;

	assert_int_equal(job_write(NULL, job, &text), ERR_OK);
	snprintf(path, sizeof(path), "%s/job", s->dir);
	assert_int_equal(file_replace(NULL, path, buf_bytes(&text)), ERR_OK);
	buf_free(&text);
	job_free(job);
	pid = fork();
	if (pid == 0) {
		char report[256];
		int in = open(path, O_RDONLY), out = -1;

		snprintf(report, sizeof(report), "%s/report", s->dir);
		out = open(report, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (in >= 0 && out >= 0 && dup2(in, 0) == 0 && dup2(out, 1) == 1)
			execl(s->courier, "sleutelbos-courier", (char *)NULL);
		_exit(127);
	}
	assert_int_equal(wait4(pid, &status, 0, &used), pid);
	e.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	e.memory_kib = used.ru_maxrss;
	e.seconds = (long)time(NULL) - e.seconds;
	return e;
}

static void one_bomb(const struct bomb *b, enum host_kind kind)
{
	struct scene s;
	struct host h;
	struct job job;
	struct ended e;
	char before[64];

	scene_begin(&s);
	host_begin(&s, kind, &h);
	job = job_at(&s, &h, h.port, 'a');
	job_spool(&s, &job, 'a', "b-1", "one");
	assert_int_equal(run_job(&s, &job)->fails, 0);
	job = job_at(&s, &h, h.port, 'b');
	assert_int_equal(run_job(&s, &job)->fails, 0);
	snprintf(before, sizeof(before), "%s", tip_in(&s, "b/repo", 'a'));
	assert_int_equal(strlen(before), 40);

	shell("cd %s/git/remote.git && { %s; } >/dev/null", h.dir, b->make);
	job = job_at(&s, &h, h.port, 'b');
	job_line(&job, JOB_HAVE, OWN "a", before, NULL);
	e = run_alone(&s, &job);
	print_message("# %s over %s: %ld MiB, %ld s: %s\n", b->what, kind == HOST_SSH ? "ssh" : "https",
	              e.memory_kib / 1024, e.seconds, shell("grep ^fail %s/report | cut -c1-100 | head -n 1", s.dir));
	if (e.status < grade_exit_status(GRADE_NOW) || e.status > grade_exit_status(GRADE_PERSON))
		fail_msg("%s: status %d", b->what, e.status);
	shell("grep -Eq '^fail.(now|later|person)' %s/report && tail -n 1 %s/report | grep -qx done", s.dir, s.dir);
#ifndef UNDER_SANITIZER
	assert_true(e.memory_kib <= MEMORY_KIB);
#endif
	assert_true(e.seconds <= 120); /* itself it stops after a minute of work, or of waiting */
	assert_string_equal(tip_in(&s, "b/repo", 'a'), before);
	assert_string_equal(tip_in(&s, "b/repo", 'x'), "");
	assert_string_equal(shell("git -C %s/b/repo fsck --no-progress 2>&1 | grep -v notice || true", s.dir), "");
	assert_string_equal(shell("find %s/b/in -name '*x*' -type f", s.dir), "");
	host_end(&h);
	scene_end(&s);
}

static void test_over_https(void **state)
{
	for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++)
		one_bomb(&bombs[i], HOST_HTTPS);
}

static void test_over_ssh(void **state)
{
	if (getenv("SLB_SOAK") == NULL)
		skip(); /* the same packs and lists by another wire */
	for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++)
		one_bomb(&bombs[i], HOST_SSH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_over_https),
		cmocka_unit_test(test_over_ssh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
