// SPDX-License-Identifier: EUPL-1.2
// Goal: a USB stick is a repository like any other. Its file system knows no links, no modes and no owners (FAT); it is
// full, or pulled out at any moment; what a torn rename leaves is mended by the next exchange. Nothing is lost on the
// laptop, and "sent" is never said of what the stick does not hold (S2, S3). The refusals are injected with strace.
//
// A mistake it was seen to catch: a cache whose mode cannot be set ended the exchange.
#include "scene.h"

#define NO_FAT "link,linkat,symlink,symlinkat,chmod,fchmod,fchmodat,fchown,chown,fchownat:error=EPERM"

/* Runs the job under strace with that fault; returns what it reported, TABs as blanks. */
static const char *faulty(const struct scene *s, struct job *job, const char *fault)
{
	write_job(s, job);
	/* what is not traced is not refused either */
	return shell("strace -f -qq -o %s/trace -e trace=%.*s -e inject=%s %s <%s/job | tr '\\t' ' ' || true", s->dir,
	             (int)strcspn(fault, ":"), fault, fault, s->courier, s->dir);
}

static void spool_many(const struct scene *s, struct job *job, char device, int from, int count)
{
	for (int i = from; i < from + count; i++) {
		char name[16];

		snprintf(name, sizeof(name), "b-%d", i);
		job_spool(s, job, device, name, name);
	}
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

static void test_no_links_no_modes(void **state)
{
	struct scene s;
	struct job job;
	const char *said = NULL;

	scene_begin(&s);
	job = job_of(&s, 'a');
	job_line(&job, JOB_CREATE, NULL, NULL, NULL);
	spool_many(&s, &job, 'a', 0, 2);
	said = faulty(&s, &job, NO_FAT);
	assert_int_equal(count(said, "sent " OWN "a "), 2);
	assert_int_equal(count(said, "fail "), 0);
	/* a pack, and packing of what lies about */
	for (int round = 0; round < 2; round++) {
		job = job_of(&s, 'a');
		job_line(&job, JOB_PACK, NULL, NULL, NULL);
		spool_many(&s, &job, 'a', 2 + 100 * round, 100);
		said = faulty(&s, &job, NO_FAT);
		assert_int_equal(count(said, "sent " OWN "a "), 100);
		assert_int_equal(count(said, "fail "), 0);
	}
	job = job_of(&s, 'b');
	said = faulty(&s, &job, NO_FAT);
	assert_int_equal(count(said, "file " OWN "a "), 202);
	assert_int_equal(count(said, "fail "), 0);
	assert_string_equal(shell("git -C %s/remote fsck --no-progress 2>&1 | grep -v notice || true", s.dir), "");
	scene_end(&s);
}

/* From one call on, nothing that changes the stick works any more. */
static void test_pulled_out(void **state)
{
	static const char *const fault[] = { "write,pwrite64:error=EIO:when=%d+", "fsync,syncfs:error=EIO:when=%d+",
		                             "rename,renameat,link:error=EIO:when=%d+", "mkdir:error=ENOSPC:when=%d+",
		                             "write,pwrite64:error=ENOSPC:when=%d+" };
	struct scene s;
	struct job job;
	struct heard *all = NULL;
	int told = 0;

	scene_begin(&s);
	push_one(&s, 'a', "b-0", "zero");
	for (int i = 1; i <= 25; i++) {
		char how[64], sent[64];
		const char *said = NULL;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(how, sizeof(how), fault[i % 5], 1 + (i - 1) / 5);
#pragma GCC diagnostic pop
		job = job_of(&s, 'a');
		spool_many(&s, &job, 'a', i, 1);
		said = faulty(&s, &job, how);
		snprintf(sent, sizeof(sent), "sent " OWN "a b-%d", i);
		if (strstr(said, sent) != NULL)
			shell("git -C %s/remote log --format= --name-only --diff-filter=A " OWN "a | grep -qx b-%d",
			      s.dir, i);
		else
			told++;
		job = job_of(&s, 'a');
		spool_many(&s, &job, 'a', i, 1);
		all = run_job(&s, &job);
		strcat(sent, "\n");
		assert_heard(all, sent);
		assert_int_equal(all->fails, 0);
	}
	print_message("# %d of 25 were not sent the first time\n", told);
	assert_true(told > 5);
	assert_int_equal(
	    atoi(shell("git -C %s/remote log --format= --name-only --diff-filter=A " OWN "a | sort -u | wc -l", s.dir)),
	    26);
	assert_string_equal(shell("git -C %s/remote fsck --no-progress 2>&1 | grep -v notice || true", s.dir), "");
	scene_end(&s);
}

/* A rename on FAT takes the old name away before the new one is there, or leaves both. */
static void test_torn_rename(void **state)
{
	static const char *const torn[] = {
		"rm %s/remote/refs/heads/space/epoch/a",
		"mv %s/remote/refs/heads/space/epoch/a %s/remote/refs/heads/space/epoch/a.lock",
		"cp %s/remote/refs/heads/space/epoch/a %s/remote/refs/heads/space/epoch/a.lock",
		"rm %s/remote/config",
		"rm -r %s/remote/refs/heads/space",
	};

	for (size_t i = 0; i < sizeof(torn) / sizeof(torn[0]); i++) {
		struct scene s;
		struct job job;
		struct heard *all = NULL;
		char have[64];

		scene_begin(&s);
		push_one(&s, 'a', "b-0", "zero");
		snprintf(have, sizeof(have), "%s", tip_in(&s, "remote", 'a'));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		shell(torn[i], s.dir, s.dir);
#pragma GCC diagnostic pop
		job = job_of(&s, 'a');
		job_line(&job, JOB_HAVE, OWN "a", have, NULL);
		spool_many(&s, &job, 'a', 1, 1);
		all = run_job(&s, &job);
		assert_heard(all, "sent " OWN "a b-1\n");
		assert_int_equal(all->fails, 0);
		job = job_of(&s, 'b');
		all = run_job(&s, &job);
		assert_int_equal(count(all->text, "file " OWN "a "), 2);
		scene_end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_links_no_modes),
		cmocka_unit_test(test_pulled_out),
		cmocka_unit_test(test_torn_rename),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
