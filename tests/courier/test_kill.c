// SPDX-License-Identifier: EUPL-1.2
// Goal: the courier can be killed at any moment (S3), and so can the disk fill up or fail. It is killed with SIGKILL at
// every system call that changes something on disk or says something, or that call is refused; then the same job runs
// again: it must report exactly what an undisturbed run reports and leave exactly the same branches; and what the
// disturbed run called sent must be at the remote (S2). A run that was refused something either says so or did it all.
// Set SLB_SOAK to try every point; otherwise they are sampled evenly.
#include "scene.h"

#define QUICK_POINTS 24

#define CALLS "write,pwrite64,openat,rename,renameat,link,unlink,rmdir,mkdir,fsync,syncfs,ftruncate,chmod,fchmod"

struct point {
	char call[16];
	int nth;
};

struct flow {
	const char *name, *fault; /* as strace's inject= takes it */
	void (*prepare)(const struct scene *s);
	void (*job)(const struct scene *s, struct job *job);
};

/* Only calls that change something: an openat counts where it creates. */
static size_t list_points(const struct scene *s, struct point *out, size_t max)
{
	char line[4096], path[256];
	struct point seen[32] = { 0 };
	size_t n = 0;
	FILE *log = NULL;

	snprintf(path, sizeof(path), "%s/trace", s->dir);
	log = fopen(path, "r");
	assert_non_null(log);
	while (fgets(line, sizeof(line), log) != NULL) {
		char *call = strchr(line, ' '), *paren = strchr(line, '(');
		size_t k = 0;

		if (call == NULL || paren == NULL || paren < call)
			continue;
		call += strspn(call, " ");
		*paren = '\0';
		while (seen[k].nth > 0 && strcmp(seen[k].call, call) != 0)
			k++;
		snprintf(seen[k].call, sizeof(seen[k].call), "%.15s", call);
		seen[k].nth++;
		if (strcmp(call, "openat") == 0 && strstr(paren + 1, "O_CREAT") == NULL)
			continue;
		assert_true(n < max);
		out[n++] = seen[k];
	}
	fclose(log);
	return n;
}

static void run_flow(const struct flow *flow)
{
	struct scene s;
	struct job job = { 0 };
	static struct point point[4096];
	char expected[4096], refs[2048], content[16384];
	size_t points = 0, step = 1, tried = 0;

	scene_begin(&s);
	setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	if (system("strace -o /dev/null true 2>/dev/null") != 0) {
		print_message("# strace cannot trace here\n");
		skip();
	}
	flow->prepare(&s);
	job = job_of(&s, 'a');
	flow->job(&s, &job);
	write_job(&s, &job);
	shell("cd %s && mkdir clean && cp -a a b clean/ && { test ! -e remote || cp -a remote clean/; }", s.dir);

	shell("cd %s && strace -f -o trace -e trace=" CALLS " %s <job >report", s.dir, s.courier);
	points = list_points(&s, point, sizeof(point) / sizeof(point[0]));
	assert_true(points > 10);
	snprintf(expected, sizeof(expected), "%s", shell("cat %s/report", s.dir));
	snprintf(refs, sizeof(refs), "%s",
	         shell("cd %s && git -C remote for-each-ref; git -C a/repo for-each-ref", s.dir));
	snprintf(content, sizeof(content), "%s",
	         shell("cd %s && git -C remote cat-file --batch-check --batch-all-objects", s.dir));

	if (getenv("SLB_SOAK") == NULL && points > QUICK_POINTS)
		step = (points + QUICK_POINTS - 1) / QUICK_POINTS;
	for (size_t i = 0; i < points; i += step, tried++) {
		const char *report = NULL;

		const char *said = NULL;

		shell(
		    "cd %s && rm -rf a b remote remote.sleutelbos-new && cp -a clean/. . && "
		    "{ strace -f -o /dev/null -e trace=%s -e inject=%s:%s:when=%d %s <job >killed; echo $? >status; } "
		    "2>/dev/null",
		    s.dir, point[i].call, point[i].call, flow->fault, point[i].nth, s.courier);
		said = shell("cat %s/status", s.dir);
		if (strcmp(said, "0") == 0)
			assert_string_equal(shell("cat %s/killed", s.dir), expected);
		else if (strcmp(said, "137") != 0 && strcmp(said, "12") != 0 && strcmp(said, "11") != 0)
			fail_msg("%s at %s %d ended with status %s", flow->fault, point[i].call, point[i].nth, said);
		if (strstr(shell("cat %s/killed", s.dir), "sent ") != NULL)
			assert_non_null(strstr(refs, tip_in(&s, "remote", 'a')));
		report = shell("cd %s && %s <job", s.dir, s.courier);
		if (strcmp(report, expected) != 0)
			fail_msg("killed at %s %d, then:\n%s\ninstead of:\n%s", point[i].call, point[i].nth, report,
			         expected);
		assert_string_equal(shell("cd %s && git -C remote for-each-ref; git -C a/repo for-each-ref", s.dir),
		                    refs);
		assert_string_equal(shell("cd %s && git -C remote cat-file --batch-check --batch-all-objects", s.dir),
		                    content);
		shell("cd %s && git -C remote fsck --strict 2>/dev/null && git -C a/repo fsck --strict 2>/dev/null",
		      s.dir);
	}
	print_message("# %s: %s at %zu of %zu points, each made good by the next run\n", flow->name, flow->fault, tried,
	              points);
	scene_end(&s);
}

#define KILL "signal=SIGKILL"

static void prepare_nothing(const struct scene *s)
{
}

static void prepare_both(const struct scene *s)
{
	struct job job = { 0 };

	push_one(s, 'a', "b-1", "one of a");
	job = job_of(s, 'b');
	run_job(s, &job);
	push_one(s, 'b', "b-1", "one of b");
	push_one(s, 'b', "b-2", "two of b");
}

/* As many packs as the joining waits for, each of one object. */
static void prepare_packs(const struct scene *s)
{
	prepare_both(s);
	shell("cd %s/remote && for i in $(seq 60); do echo $i >../x && git hash-object -w ../x | "
	      "git pack-objects -q objects/pack/pack >/dev/null; done; git prune-packed",
	      s->dir);
}

static void job_first(const struct scene *s, struct job *job)
{
	job_line(job, JOB_CREATE, NULL, NULL, NULL);
	job_spool(s, job, 'a', "b-1", "one");
}

static void job_both(const struct scene *s, struct job *job)
{
	job_spool(s, job, 'a', "b-2", "two of a");
	job_spool(s, job, 'a', "b-3", "three of a");
}

static void job_pack(const struct scene *s, struct job *job)
{
	job_spool(s, job, 'a', "b-2", "two of a");
	job_line(job, JOB_PACK, NULL, NULL, NULL);
}

/* Seen to fail with bare_create() making the repository under its own name: after a kill between its folders the next
 * run called it no repository. */
static void test_killed_while_it_makes_the_remote(void **state)
{
	const struct flow flow = { "first", KILL, prepare_nothing, job_first };

	run_flow(&flow);
}

/* Seen to fail with the lock that a killed run leaves on a branch not cleared. */
static void test_killed_while_it_fetches_and_pushes(void **state)
{
	const struct flow flow = { "both", KILL, prepare_both, job_both };

	run_flow(&flow);
}

/* Seen to fail with pack_run() removing the old packs before it writes the new one. */
static void test_killed_while_it_packs(void **state)
{
	const struct flow flow = { "pack", KILL, prepare_packs, job_pack };

	run_flow(&flow);
}

static void test_a_full_disk(void **state)
{
	const struct flow flow = { "both", "error=ENOSPC", prepare_both, job_both };

	run_flow(&flow);
}

/* A failed fsync is a failed write: nothing is called sent after it. */
static void test_a_failing_disk(void **state)
{
	const struct flow flow = { "both", "error=EIO", prepare_both, job_both };

	run_flow(&flow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed_while_it_makes_the_remote),
		cmocka_unit_test(test_killed_while_it_fetches_and_pushes),
		cmocka_unit_test(test_killed_while_it_packs),
		cmocka_unit_test(test_a_full_disk),
		cmocka_unit_test(test_a_failing_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
