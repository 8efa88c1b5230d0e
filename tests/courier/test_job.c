// SPDX-License-Identifier: EUPL-1.2
// Goal: the two texts between key process and courier are read exactly as written and nothing else is read at all, so
// that no name in them can ever be taken for a path or an option.
#include "scene.h"

#define PIN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char good[] = "sleutelbos-job 1\n"
                           "repo\t/x/r\nremote\tfile:///y\nin\t/x/in\ncreate\npack\n"
                           "login\tpassword\tbuurt\nsecret\t6e6565\nca\t3000\nagent\t/x/agent\n"
                           "trust\t" PIN "\n"
                           "want\trefs/heads/abcdefgh/\n"
                           "have\trefs/heads/abcdefgh/e2/d\t0123456789abcdef0123456789abcdef01234567\n"
                           "own\trefs/heads/abcdefgh/e2/me\n"
                           "put\trefs/heads/abcdefgh/e2/me\tb-000001\t/x/out/1\n"
                           "restore\trefs/heads/abcdefgh/e2/d\n"
                           "over\trefs/heads/abcdefgh/e2/me\t0123456789abcdef0123456789abcdef01234567\n"
                           "end\n";

static struct bytes text_of(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

static void test_a_job_reads_back_as_written(void **state)
{
	struct job job = { 0 };
	struct buf out = { 0 };

	assert_int_equal(job_parse(NULL, text_of(good), &job), ERR_OK);
	assert_int_equal(job.count, 16);
	assert_string_equal(job_get(&job, JOB_REMOTE), "file:///y");
	assert_string_equal(job_get(&job, JOB_CREATE), "");
	assert_int_equal(job_write(NULL, &job, &out), ERR_OK);
	assert_int_equal(out.len, sizeof(good) - 1);
	assert_memory_equal(out.data, good, out.len);
	buf_free(&out);
	job_free(&job);
}

/* Seen to fail with the check for the "end" line taken out: every cut at a line's end was read. */
static void test_a_cut_job_is_refused(void **state)
{
	for (size_t len = 0; len < sizeof(good) - 1; len++) {
		struct job job = { 0 };

		assert_int_equal(job_parse(NULL, (struct bytes){ (const uint8_t *)good, len }, &job), ERR_INPUT);
		job_free(&job);
	}
}

#define WHOLE "repo\t/r\nremote\t/y\nin\t/i\n"

static void test_jobs_of_another_form_are_refused(void **state)
{
	static const char *const bad[] = {
		"sleutelbos-job 2\n" WHOLE "end\n",
		"sleutelbos-job 1\n" WHOLE "end\nend\n",
		"sleutelbos-job 1\n" WHOLE "create\t\nend\n",
		"sleutelbos-job 1\n" WHOLE "repo\t/other\nend\n",
		"sleutelbos-job 1\nrepo\t/r\nin\t/i\nend\n",
		"sleutelbos-job 1\n" WHOLE "delete\trefs/heads/a/b\nend\n",
		"sleutelbos-job 1\n" WHOLE "want\trefs/heads/\nend\n",
		"sleutelbos-job 1\n" WHOLE "want\trefs/heads/a\nend\n",
		"sleutelbos-job 1\n" WHOLE "want\trefs/tags/a/\nend\n",
		"sleutelbos-job 1\n" WHOLE "want\trefs/heads/a*/\nend\n",
		"sleutelbos-job 1\n" WHOLE "own\trefs/heads/a\nend\n",
		"sleutelbos-job 1\n" WHOLE "own\trefs/heads/a/../b\nend\n",
		"sleutelbos-job 1\n" WHOLE "own\trefs/heads/a//b\nend\n",
		"sleutelbos-job 1\n" WHOLE "own\trefs/heads/A/b\nend\n",
		"sleutelbos-job 1\n" WHOLE "own\trefs/heads/a/b.lock\nend\n",
		"sleutelbos-job 1\n" WHOLE "own\trefs/heads/a/b/c/d/e\nend\n",
		"sleutelbos-job 1\n" WHOLE "have\trefs/heads/a/b\t0123\nend\n",
		"sleutelbos-job 1\n" WHOLE "put\trefs/heads/a/b\t../x\t/p\nend\n",
		"sleutelbos-job 1\n" WHOLE "put\trefs/heads/a/b\tX\t/p\nend\n",
		"sleutelbos-job 1\n" WHOLE "put\trefs/heads/a/b\tx\t/p\tmore\nend\n",
		"sleutelbos-job 1\n" WHOLE "put\trefs/heads/a/b\tx\nend\n",
		"sleutelbos-job 1\n" WHOLE "login\tguess\tbuurt\nend\n",
		"sleutelbos-job 1\n" WHOLE "login\tkey\tbu urt\nend\n",
		"sleutelbos-job 1\n" WHOLE "login\tkey\tb\nlogin\tkey\tc\nend\n",
		"sleutelbos-job 1\n" WHOLE "secret\tgeheim\nend\n",
		"sleutelbos-job 1\n" WHOLE "secret\t6e6\nend\n",
		"sleutelbos-job 1\n" WHOLE "secret\t6e\nsecret\t6f\nend\n",
		"sleutelbos-job 1\n" WHOLE "trust\t6e\nend\n",
		"sleutelbos-job 1\n" WHOLE "trust\tSHA256:abc\nend\n",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct job job = { 0 };

		if (job_parse(NULL, text_of(bad[i]), &job) != ERR_INPUT)
			fail_msg("read all the same: %s", bad[i]);
		job_free(&job);
	}
}

static void test_a_field_with_a_tab_or_line_feed_is_never_written(void **state)
{
	struct job job = { 0 };

	assert_int_equal(job_add(NULL, &job, JOB_REPO, "/a\tb", NULL, NULL), ERR_INPUT);
	assert_int_equal(job_add(NULL, &job, JOB_IN, "/a\nend", NULL, NULL), ERR_INPUT);
	assert_int_equal(job_add(NULL, &job, JOB_REMOTE, "", NULL, NULL), ERR_INPUT);
	assert_int_equal(job_add(NULL, &job, JOB_CREATE, "x", NULL, NULL), ERR_INPUT);
	assert_int_equal(job.count, 0);
	job_free(&job);
}

static void test_report_lines(void **state)
{
	static const struct {
		const char *line;
		int kind; /* -1: refused */
	} cases[] = {
		{ "file\trefs/heads/a/b\t0123456789abcdef0123456789abcdef01234567\tn\t/p", REPORT_FILE },
		{ "tip\trefs/heads/a/b\t0123456789abcdef0123456789abcdef01234567", REPORT_TIP },
		{ "gone\trefs/heads/a/b", REPORT_GONE },
		{ "sent\trefs/heads/a/b\tn", REPORT_SENT },
		{ "fail\tlater\tno-remote\tIt was not found.", REPORT_FAIL },
		{ "host\tecdsa\t" PIN, REPORT_HOST },
		{ "host\tecdsa\t0123", -1 },
		{ "busy", REPORT_BUSY },
		{ "done", REPORT_DONE },
		{ "", -1 },
		{ "done\t", -1 },
		{ "fail\tnever\tx\ty", -1 },
		{ "fail\tlater\tx", -1 },
		{ "sent\trefs/heads/a/b\t../n", -1 },
		{ "file\trefs/heads/a/b\t0123456789abcdef0123456789abcdef0123456X\tn\t/p", -1 },
		{ "tip\trefs/heads/a/b\t0123456789abcdef0123456789abcdef01234567\tmore\tand\tmore", -1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[256];
		struct report_line out;
		struct buf again = { 0 };
		enum err e = ERR_OK;

		strcpy(line, cases[i].line);
		e = report_parse(line, &out);
		assert_int_equal(e, cases[i].kind < 0 ? ERR_DAMAGED : ERR_OK);
		if (e != ERR_OK)
			continue;
		assert_int_equal(out.kind, cases[i].kind);
		assert_int_equal(report_write(&out, &again), ERR_OK);
		assert_int_equal(again.len, strlen(cases[i].line) + 1);
		assert_memory_equal(again.data, cases[i].line, again.len - 1);
		buf_free(&again);
	}
}

static void test_a_text_from_elsewhere_cannot_make_a_second_line(void **state)
{
	struct report_line line = { REPORT_FAIL, { "later", "io", "bad\n\tdone\r\x1b[2J", NULL } };
	struct buf out = { 0 };

	assert_int_equal(report_write(&line, &out), ERR_OK);
	assert_int_equal(buf_terminate(&out), ERR_OK);
	assert_string_equal((char *)out.data, "fail\tlater\tio\tbad  done  [2J\n");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_job_reads_back_as_written),
		cmocka_unit_test(test_a_cut_job_is_refused),
		cmocka_unit_test(test_jobs_of_another_form_are_refused),
		cmocka_unit_test(test_a_field_with_a_tab_or_line_feed_is_never_written),
		cmocka_unit_test(test_report_lines),
		cmocka_unit_test(test_a_text_from_elsewhere_cannot_make_a_second_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
