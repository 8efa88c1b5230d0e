/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A small world for the courier's tests: a folder with a remote and devices, each with its cache, its spool and its
 * inbox; the real program run through the real launcher; and git's own command line as an independent witness.
 * A scene that is not left with scene_end() (a failed test) keeps its folder and says where it is.
 */
#ifndef SLB_TESTS_COURIER_SCENE_H
#define SLB_TESTS_COURIER_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/courier_run.h"
#include "base/file.h"
#include "support/shell.h"

#define OWN "refs/heads/space/epoch/" /* + device: the branch of a device */

struct scene {
	char dir[128];
	char courier[PATH_MAX];
};

/* What one run reported: "kind field field ...", one line each, in order. */
struct heard {
	char text[1 << 16];
	size_t len;
	int fails;
};

static inline void scene_begin(struct scene *s)
{
	char self[PATH_MAX] = "";
	const char *base = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(n > 0);
	/* BUILD/tests/courier/test_x: the courier stands in BUILD. */
	for (int i = 0; i < 3; i++)
		*strrchr(self, '/') = '\0';
	snprintf(s->courier, sizeof(s->courier), "%.4000s/sleutelbos-courier", self);
	/* In memory where possible: these tests ask what was written and in which order, not whether a disk is quick.
	 */
	if (access("/dev/shm", W_OK) == 0)
		base = "/dev/shm";
	snprintf(s->dir, sizeof(s->dir), "%.100s/slb-courier-XXXXXX", base);
	assert_non_null(mkdtemp(s->dir));
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	setenv("HOME", s->dir, 1);
	for (const char *d = "abcd"; *d != '\0'; d++)
		shell("mkdir -p %s/%c/in %s/%c/out", s->dir, *d, s->dir, *d);
	print_message("# in %s\n", s->dir);
}

static inline void scene_end(struct scene *s)
{
	shell("rm -rf %s", s->dir);
}

/* A job of that device: its cache, the remote, its inbox, the whole space wanted, its branch its own. */
static inline struct job job_of(const struct scene *s, char device)
{
	struct job job = { 0 };
	char path[256], ref[64];

	snprintf(path, sizeof(path), "%s/%c/repo", s->dir, device);
	assert_int_equal(job_add(NULL, &job, JOB_REPO, path, NULL, NULL), ERR_OK);
	snprintf(path, sizeof(path), "%s/remote", s->dir);
	assert_int_equal(job_add(NULL, &job, JOB_REMOTE, path, NULL, NULL), ERR_OK);
	snprintf(path, sizeof(path), "%s/%c/in", s->dir, device);
	assert_int_equal(job_add(NULL, &job, JOB_IN, path, NULL, NULL), ERR_OK);
	assert_int_equal(job_add(NULL, &job, JOB_WANT, "refs/heads/space/", NULL, NULL), ERR_OK);
	snprintf(ref, sizeof(ref), OWN "%c", device);
	assert_int_equal(job_add(NULL, &job, JOB_OWN, ref, NULL, NULL), ERR_OK);
	return job;
}

static inline void job_line(struct job *job, enum job_kind kind, const char *a, const char *b, const char *c)
{
	assert_int_equal(job_add(NULL, job, kind, a, b, c), ERR_OK);
}

/* Writes the job to DIR/job, for runs without the launcher, and frees it. */
static inline void write_job(const struct scene *s, struct job *job)
{
	struct buf text = { 0 };
	char path[256];

	snprintf(path, sizeof(path), "%s/job", s->dir);
	assert_int_equal(job_write(NULL, job, &text), ERR_OK);
	assert_int_equal(file_replace(NULL, path, buf_bytes(&text)), ERR_OK);
	buf_free(&text);
	job_free(job);
}

/* Puts a spool file with that content on the device's branch. */
static inline void job_spool(const struct scene *s, struct job *job, char device, const char *name, const char *content)
{
	char path[256], ref[64];
	FILE *f = NULL;

	snprintf(path, sizeof(path), "%s/%c/out/%s", s->dir, device, name);
	snprintf(ref, sizeof(ref), OWN "%c", device);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(content, f) >= 0 && fclose(f) == 0);
	job_line(job, JOB_PUT, ref, name, path);
}

static inline enum err hear(void *arg, const struct report_line *line)
{
	struct heard *h = arg;
	struct buf text = { 0 };

	assert_int_equal(report_write(line, &text), ERR_OK);
	assert_true(h->len + text.len < sizeof(h->text));
	memcpy(h->text + h->len, text.data, text.len);
	h->len += text.len;
	h->text[h->len] = '\0';
	h->fails += line->kind == REPORT_FAIL;
	for (char *p = h->text; *p != '\0'; p++)
		*p = *p == '\t' ? ' ' : *p;
	/* What is reported as a file is there, whole and closed. */
	if (line->kind == REPORT_FILE)
		assert_true(file_exists(line->field[3]));
	buf_free(&text);
	return ERR_OK;
}

/* Runs and frees the job. */
static inline struct heard *run_job(const struct scene *s, struct job *job)
{
	static struct heard h;
	struct errctx ec = { 0 };
	char text[512];

	h = (struct heard){ 0 };
	if (courier_run(&ec, s->courier, job, hear, &h) != ERR_OK)
		fail_msg("%s", err_text(&ec, NULL, text, sizeof(text)));
	job_free(job);
	return &h;
}

static inline bool heard(const struct heard *h, const char *text)
{
	return strstr(h->text, text) != NULL;
}

static inline void assert_heard(const struct heard *h, const char *text)
{
	if (!heard(h, text))
		fail_msg("not heard: %s\nbut:\n%s", text, h->text);
}

static inline void assert_not_heard(const struct heard *h, const char *text)
{
	if (heard(h, text))
		fail_msg("heard all the same: %s\nin:\n%s", text, h->text);
}

/* One device pushes one file; nothing may fail. */
static inline void push_one(const struct scene *s, char device, const char *name, const char *content)
{
	struct job job = job_of(s, device);
	struct heard *h = NULL;
	char sent[128];

	job_line(&job, JOB_CREATE, NULL, NULL, NULL);
	job_spool(s, &job, device, name, content);
	h = run_job(s, &job);
	snprintf(sent, sizeof(sent), "sent " OWN "%c %s\n", device, name);
	assert_heard(h, sent);
	assert_int_equal(h->fails, 0);
}

/* Tip of the device's branch in a repository ("remote", "a/repo"), "" where there is none. */
static inline const char *tip_in(const struct scene *s, const char *repo, char device)
{
	static char tips[4][64];
	static unsigned turn;
	char *tip = tips[turn++ % 4];

	snprintf(tip, 64, "%s",
	         shell("git -C %s/%s for-each-ref --format='%%(objectname)' " OWN "%c", s->dir, repo, device));
	return tip;
}

#endif
