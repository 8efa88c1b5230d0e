// SPDX-License-Identifier: EUPL-1.2
// Goal: what one device hands over, the others get, once and in order; "sent" is said only of what the remote holds;
// a host that goes back, forks or drops is told and healed; running again changes nothing (S2, S3, S5, S6, S7).
// git's own command line is the witness of what the repositories hold.
#include "model/random.h"
#include "scene.h"

static void test_what_one_hands_over_the_other_gets(void **state)
{
	struct scene s;
	struct job job = { 0 };
	struct heard *h = NULL;
	char tip[64], want[1024];

	scene_begin(&s);
	job = job_of(&s, 'a');
	job_line(&job, JOB_CREATE, NULL, NULL, NULL);
	job_spool(&s, &job, 'a', "b-1", "one");
	job_spool(&s, &job, 'a', "b-2", "two");
	h = run_job(&s, &job);
	strcpy(tip, tip_in(&s, "remote", 'a'));
	snprintf(want, sizeof(want), "sent " OWN "a b-1\nsent " OWN "a b-2\ntip " OWN "a %s\n", tip);
	assert_string_equal(h->text, want);

	job = job_of(&s, 'b');
	h = run_job(&s, &job);
	snprintf(want, sizeof(want),
	         "file " OWN "a %s b-1 %s/b/in/000001-b-1\nfile " OWN "a %s b-2 %s/b/in/000002-b-2\ntip " OWN "a %s\n",
	         shell("git -C %s/remote rev-parse %s~1", s.dir, tip), s.dir, tip, s.dir, tip);
	assert_string_equal(h->text, want);
	assert_string_equal(shell("cat %s/b/in/000001-b-1 %s/b/in/000002-b-2", s.dir, s.dir), "onetwo");

	/* Nothing new: not a line, not an object, not a file. */
	shell("cd %s && find . -type f -printf '%%p %%s %%T@\\n' | sort >before", s.dir);
	job = job_of(&s, 'b');
	job_line(&job, JOB_HAVE, OWN "a", tip, NULL);
	assert_string_equal(run_job(&s, &job)->text, "");
	shell("cd %s && find . -type f -not -name before -not -name after -printf '%%p %%s %%T@\\n' | sort >after; "
	      "grep -v '^./before ' before | cmp - after",
	      s.dir);

	/* The shape of what was pushed: no clock, no person, just the file. */
	assert_string_equal(
	    shell("git -C %s/remote log --format='%%an|%%ae|%%at|%%cn|%%ce|%%ct|%%s|%%b' %s", s.dir, tip),
	    "sleutelbos||0|sleutelbos||0||\nsleutelbos||0|sleutelbos||0||");
	assert_string_equal(shell("git -C %s/remote ls-tree -r --name-only %s", s.dir, tip), "b-2");
	for (int i = 0; i < 3; i++)
		shell("git -C %s/%s fsck --strict --no-dangling 2>&1 | grep -v unborn | cmp - /dev/null", s.dir,
		      ((const char *const[]){ "remote", "a/repo", "b/repo" })[i]);
	scene_end(&s);
}

static void test_a_put_handed_over_twice_is_committed_once(void **state)
{
	struct scene s;
	struct job job = { 0 };
	char one[64], tip[64];

	scene_begin(&s);
	push_one(&s, 'a', "b-1", "one");
	strcpy(one, tip_in(&s, "remote", 'a'));
	push_one(&s, 'a', "b-2", "two");
	strcpy(tip, tip_in(&s, "remote", 'a'));
	push_one(&s, 'a', "b-1", "one");
	push_one(&s, 'a', "b-2", "two");
	assert_string_equal(tip_in(&s, "remote", 'a'), tip);
	/* A lost cache comes out as it was, because ids follow from content. */
	shell("rm -rf %s/a/repo", s.dir);
	job = job_of(&s, 'a');
	job_line(&job, JOB_HAVE, OWN "a", one, NULL);
	job_spool(&s, &job, 'a', "b-2", "two");
	assert_heard(run_job(&s, &job), "sent " OWN "a b-2\n");
	assert_string_equal(tip_in(&s, "remote", 'a'), tip);
	assert_string_equal(tip_in(&s, "a/repo", 'a'), tip);
	scene_end(&s);
}

static void test_branches_nobody_asked_for_are_not_copied(void **state)
{
	struct scene s;
	struct job job = { 0 };

	scene_begin(&s);
	push_one(&s, 'a', "b-1", "one");
	shell("cd %s && git init -q -b main w && cd w && echo secret >f && git add f && "
	      "git -c user.name=x -c user.email=x commit -qm x && git push -q ../remote main:refs/heads/other/e/d "
	      "main:refs/heads/spacetwo/e/d main:refs/tags/t main:refs/heads/space/UPPER/x",
	      s.dir);
	job = job_of(&s, 'b');
	run_job(&s, &job);
	assert_string_equal(shell("git -C %s/b/repo for-each-ref --format='%%(refname)'", s.dir), OWN "a");
	assert_string_equal(shell("git -C %s/b/repo cat-file --batch-check --batch-all-objects | wc -l", s.dir), "3");
	scene_end(&s);
}

static void test_file_urls(void **state)
{
	struct scene s;
	static const struct {
		const char *form, *code; /* code NULL: works */
	} cases[] = {
		{ "file://%s/remote", NULL },
		{ "file://localhost%s/remote", NULL },
		{ "file://%s/%%72emote", NULL },
		{ "file://%s/nowhere", "fail later no-remote" },
		{ "%s/nowhere", "fail later no-remote" },
		{ "file://elsewhere%s/remote", "fail person transport" },
		{ "file://%s/%%00", "fail person transport" },
		{ "git://example.org%s", "fail person transport" },
		{ "http://example.org%s", "fail person transport" },
		{ "ssh:///x%s", "fail person transport" },
		{ "%s/a", "fail person damaged" },
	};

	scene_begin(&s);
	push_one(&s, 'a', "b-1", "one");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct job job = job_of(&s, 'b');
		struct heard *h = NULL;
		char url[256];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(url, sizeof(url), cases[i].form, s.dir);
#pragma GCC diagnostic pop
		free(job.item[1].field[0]);
		job.item[1].field[0] = strdup(url);
		h = run_job(&s, &job);
		assert_heard(h, cases[i].code == NULL ? "file " OWN "a" : cases[i].code);
		assert_int_equal(h->fails, cases[i].code != NULL);
	}
	scene_end(&s);
}

/* The remote goes back to the state after `name` of device a. */
static void roll_back(struct scene *s, const char *to)
{
	shell("git -C %s/remote update-ref " OWN "a %s", s->dir, to);
}

static void test_a_host_that_goes_back_is_told_and_healed(void **state)
{
	struct scene s;
	struct job job = { 0 };
	struct heard *h = NULL;
	char one[64], two[64], line[1024];

	scene_begin(&s);
	push_one(&s, 'a', "b-1", "one");
	strcpy(one, tip_in(&s, "remote", 'a'));
	push_one(&s, 'a', "b-2", "two");
	strcpy(two, tip_in(&s, "remote", 'a'));
	job = job_of(&s, 'b');
	run_job(&s, &job);

	/* Another device notices, and its own record stays. */
	roll_back(&s, one);
	job = job_of(&s, 'b');
	job_line(&job, JOB_HAVE, OWN "a", two, NULL);
	h = run_job(&s, &job);
	snprintf(line, sizeof(line), "rewound " OWN "a %s\n", one);
	assert_string_equal(h->text, line);
	assert_string_equal(tip_in(&s, "b/repo", 'a'), two);

	/* It can push back what it knows; */
	job = job_of(&s, 'b');
	job_line(&job, JOB_HAVE, OWN "a", two, NULL);
	job_line(&job, JOB_RESTORE, OWN "a", NULL, NULL);
	h = run_job(&s, &job);
	snprintf(line, sizeof(line), "restored " OWN "a %s\n", two);
	assert_heard(h, line);
	assert_string_equal(tip_in(&s, "remote", 'a'), two);

	/* and so does the branch's own device, without being asked. */
	roll_back(&s, one);
	job = job_of(&s, 'a');
	job_line(&job, JOB_HAVE, OWN "a", two, NULL);
	h = run_job(&s, &job);
	snprintf(line, sizeof(line), "rewound " OWN "a %s\n", one);
	assert_string_equal(h->text, line);
	assert_string_equal(tip_in(&s, "remote", 'a'), two);
	scene_end(&s);
}

static void test_a_branch_that_vanished_is_told_and_healed(void **state)
{
	struct scene s;
	struct job job = { 0 };
	char two[64], want[1024];

	scene_begin(&s);
	push_one(&s, 'a', "b-1", "one");
	push_one(&s, 'a', "b-2", "two");
	strcpy(two, tip_in(&s, "remote", 'a'));
	job = job_of(&s, 'b');
	run_job(&s, &job);

	shell("git -C %s/remote update-ref -d " OWN "a && git -C %s/remote -c gc.pruneExpire=now gc -q", s.dir, s.dir);
	job = job_of(&s, 'b');
	job_line(&job, JOB_HAVE, OWN "a", two, NULL);
	assert_string_equal(run_job(&s, &job)->text, "gone " OWN "a\n");
	job = job_of(&s, 'b');
	job_line(&job, JOB_HAVE, OWN "a", two, NULL);
	job_line(&job, JOB_RESTORE, OWN "a", NULL, NULL);
	snprintf(want, sizeof(want), "gone " OWN "a\nrestored " OWN "a %s\n", two);
	assert_string_equal(run_job(&s, &job)->text, want);
	shell("git -C %s/remote fsck --strict 2>/dev/null", s.dir);

	shell("git -C %s/remote update-ref -d " OWN "a", s.dir);
	job = job_of(&s, 'a');
	job_line(&job, JOB_HAVE, OWN "a", two, NULL);
	assert_string_equal(run_job(&s, &job)->text, "gone " OWN "a\n");
	assert_string_equal(tip_in(&s, "remote", 'a'), two);

	/* The whole repository put back empty. */
	shell("rm -rf %s/remote && git init -q --bare %s/remote", s.dir, s.dir);
	job = job_of(&s, 'a');
	job_line(&job, JOB_HAVE, OWN "a", two, NULL);
	assert_string_equal(run_job(&s, &job)->text, "gone " OWN "a\n");
	assert_string_equal(tip_in(&s, "remote", 'a'), two);
	scene_end(&s);
}

static void test_a_fork_is_told_and_both_sides_are_handed_over(void **state)
{
	struct scene s;
	struct job job = { 0 };
	struct heard *h = NULL;
	char two[64], fork[64], line[1024];

	scene_begin(&s);
	push_one(&s, 'a', "b-1", "one");
	shell("cp -r %s/remote %s/other && cp -r %s/a/repo %s/saved", s.dir, s.dir, s.dir, s.dir);
	push_one(&s, 'a', "b-2", "two");
	strcpy(two, tip_in(&s, "remote", 'a'));
	job = job_of(&s, 'b');
	run_job(&s, &job);

	/* The same device from an older copy writes something else on an older copy of the host. */
	shell("mv %s/remote %s/true && mv %s/other %s/remote && rm -rf %s/a/repo && mv %s/saved %s/a/repo", s.dir,
	      s.dir, s.dir, s.dir, s.dir, s.dir, s.dir);
	push_one(&s, 'a', "b-2x", "other two");
	strcpy(fork, tip_in(&s, "remote", 'a'));
	job = job_of(&s, 'b');
	job_line(&job, JOB_HAVE, OWN "a", two, NULL);
	job_line(&job, JOB_RESTORE, OWN "a", NULL, NULL);
	h = run_job(&s, &job);
	snprintf(line, sizeof(line),
	         "rewound " OWN "a %s\nfile " OWN "a %s b-2x %s/b/in/000001-b-2x\ntip " OWN "a %s\n", fork, fork, s.dir,
	         fork);
	assert_string_equal(h->text, line);
	/* A fork is not overwritten, and our record of the first line stays. */
	assert_string_equal(tip_in(&s, "remote", 'a'), fork);
	assert_string_equal(tip_in(&s, "b/repo", 'a'), two);
	/* Once taken note of, it is quiet. */
	job = job_of(&s, 'b');
	job_line(&job, JOB_HAVE, OWN "a", fork, NULL);
	assert_string_equal(run_job(&s, &job)->text, "");
	scene_end(&s);
}

/* Seen to fail with settle() pushing whenever the remote's commit is unknown to the plan: the clone's branch was
 * refused by the compare-and-swap, round after round, and "race" was reported. */
static void test_a_copy_of_this_device_is_noticed_and_left_alone(void **state)
{
	struct scene s;
	struct job job = { 0 };
	struct heard *h = NULL;
	char clone[64], line[1024];

	scene_begin(&s);
	push_one(&s, 'a', "b-1", "one");
	shell("cp -r %s/a/repo %s/saved", s.dir, s.dir);
	push_one(&s, 'a', "b-2", "two");
	strcpy(clone, tip_in(&s, "remote", 'a'));
	shell("rm -rf %s/a/repo && mv %s/saved %s/a/repo", s.dir, s.dir, s.dir);

	job = job_of(&s, 'a');
	job_spool(&s, &job, 'a', "b-2", "another two");
	h = run_job(&s, &job);
	snprintf(line, sizeof(line), "ahead " OWN "a %s\nfile " OWN "a", clone);
	assert_heard(h, line);
	assert_heard(h, " b-2 ");
	assert_not_heard(h, "sent");
	assert_not_heard(h, "fail");
	assert_string_equal(tip_in(&s, "remote", 'a'), clone);
	scene_end(&s);
}

/* A host that shows another second commit of branch a than the one whose id is put into `two`; the id of the lie. */
static void replace_second(struct scene *s, char *two, char *lie)
{
	char one[64];

	push_one(s, 'a', "b-1", "one");
	strcpy(one, tip_in(s, "remote", 'a'));
	shell("cp -r %s/a/repo %s/older", s->dir, s->dir);
	push_one(s, 'a', "b-2", "two");
	strcpy(two, tip_in(s, "remote", 'a'));
	shell("mv %s/a/repo %s/saved && mv %s/older %s/a/repo", s->dir, s->dir, s->dir, s->dir);
	roll_back(s, one);
	push_one(s, 'a', "b-2", "a lie");
	strcpy(lie, tip_in(s, "remote", 'a'));
	assert_string_not_equal(lie, two);
	shell("rm -rf %s/a/repo && mv %s/saved %s/a/repo", s->dir, s->dir, s->dir);
}

/* Seen to fail without the comparison of `over` with what the remote shows: what came in between was pushed over
 * unseen; and without branch_is_over() in settle(): "ahead" again. */
static void test_what_is_not_this_devices_is_pushed_over(void **state)
{
	struct scene s;
	struct job job = { 0 };
	struct heard *h = NULL;
	char two[64], lie[64], line[512];

	(void)state;
	scene_begin(&s);
	replace_second(&s, two, lie);
	/* Another one than was looked at stays. */
	job = job_of(&s, 'a');
	job_line(&job, JOB_HAVE, OWN "a", two, NULL);
	job_line(&job, JOB_OVER, OWN "a", two, NULL);
	h = run_job(&s, &job);
	snprintf(line, sizeof(line), "ahead " OWN "a %s\nrewound " OWN "a %s\nfile " OWN "a %s b-2 ", lie, lie, lie);
	assert_heard(h, line);
	assert_string_equal(tip_in(&s, "remote", 'a'), lie);

	job = job_of(&s, 'a');
	job_line(&job, JOB_HAVE, OWN "a", two, NULL);
	job_line(&job, JOB_OVER, OWN "a", lie, NULL);
	job_spool(&s, &job, 'a', "b-3", "three");
	h = run_job(&s, &job);
	assert_not_heard(h, "ahead");
	assert_not_heard(h, "fail");
	assert_heard(h, "sent " OWN "a b-3");
	assert_string_equal(tip_in(&s, "a/repo", 'a'), tip_in(&s, "remote", 'a'));
	assert_string_equal(shell("git -C %s/remote rev-parse " OWN "a~1", s.dir), two);
	scene_end(&s);
}

/* Another device's branch of which the host shows something useless: whoever has the real line pushes it back when told
 * to, and else goes along with what its key process took in. */
static void test_anothers_line_is_pushed_back_over_a_useless_one(void **state)
{
	struct scene s;
	struct job job = { 0 };
	char two[64], lie[64], want[256];

	(void)state;
	scene_begin(&s);
	push_one(&s, 'b', "c-1", "of b");
	replace_second(&s, two, lie);
	shell("git -C %s/remote update-ref " OWN "a %s", s.dir, two);
	job = job_of(&s, 'b');
	run_job(&s, &job);
	assert_string_equal(tip_in(&s, "b/repo", 'a'), two);
	shell("git -C %s/remote update-ref " OWN "a %s", s.dir, lie);

	job = job_of(&s, 'b');
	job_line(&job, JOB_HAVE, OWN "a", two, NULL);
	job_line(&job, JOB_RESTORE, OWN "a", NULL, NULL);
	job_line(&job, JOB_OVER, OWN "a", lie, NULL);
	snprintf(want, sizeof(want), "restored " OWN "a %s\n", two);
	assert_heard(run_job(&s, &job), want);
	assert_string_equal(tip_in(&s, "remote", 'a'), two);

	/* Not told to: taken in, and from the next time on that line is the one that is kept. */
	shell("git -C %s/remote update-ref " OWN "a %s", s.dir, lie);
	for (int i = 0; i < 2; i++) {
		job = job_of(&s, 'b');
		job_line(&job, JOB_HAVE, OWN "a", i == 0 ? two : lie, NULL);
		job_line(&job, JOB_RESTORE, OWN "a", NULL, NULL);
		assert_not_heard(run_job(&s, &job), "restored");
		assert_string_equal(tip_in(&s, "b/repo", 'a'), i == 0 ? two : lie);
	}
	scene_end(&s);
}

/* What is not even of our shape, in place of an own branch. */
static void test_an_own_branch_of_another_shape_is_pushed_over(void **state)
{
	struct scene s;
	struct job job = { 0 };
	struct heard *h = NULL;
	char one[64], odd[64], want[256];

	(void)state;
	scene_begin(&s);
	push_one(&s, 'a', "b-1", "one");
	strcpy(one, tip_in(&s, "remote", 'a'));
	strcpy(odd, shell("cd %s/remote && git -c user.name=x -c user.email=y commit-tree -m odd -p %s %s^{tree}",
	                  s.dir, one, one));
	shell("git -C %s/remote update-ref " OWN "a %s", s.dir, odd);
	job = job_of(&s, 'a');
	job_line(&job, JOB_HAVE, OWN "a", one, NULL);
	job_spool(&s, &job, 'a', "b-2", "two");
	h = run_job(&s, &job);
	snprintf(want, sizeof(want), "ahead " OWN "a %s\n", odd);
	assert_string_equal(h->text, want);

	job = job_of(&s, 'a');
	job_line(&job, JOB_HAVE, OWN "a", one, NULL);
	job_line(&job, JOB_OVER, OWN "a", odd, NULL);
	job_spool(&s, &job, 'a', "b-2", "two");
	h = run_job(&s, &job);
	assert_heard(h, "sent " OWN "a b-2");
	assert_int_equal(h->fails, 0);
	assert_string_equal(shell("git -C %s/remote rev-parse " OWN "a~1", s.dir), one);
	scene_end(&s);
}

static void test_what_neither_side_holds_any_more_is_asked_for_again(void **state)
{
	struct scene s;
	struct job job = { 0 };
	char one[64], two[64], line[1024];

	scene_begin(&s);
	push_one(&s, 'a', "b-1", "one");
	strcpy(one, tip_in(&s, "remote", 'a'));
	push_one(&s, 'a', "b-2", "two");
	strcpy(two, tip_in(&s, "remote", 'a'));
	roll_back(&s, one);
	shell("rm -rf %s/a/repo; git -C %s/remote -c gc.pruneExpire=now gc -q --prune=now", s.dir, s.dir);
	job = job_of(&s, 'a');
	job_line(&job, JOB_HAVE, OWN "a", two, NULL);
	job_spool(&s, &job, 'a', "b-3", "three");
	snprintf(line, sizeof(line), "rewound " OWN "a %s\nfile " OWN "a %s b-1 %s/a/in/000001-b-1\nlost " OWN "a %s\n",
	         one, one, s.dir, one);
	assert_string_equal(run_job(&s, &job)->text, line);

	/* The key process goes back to what the host holds and hands the rest over again. */
	job = job_of(&s, 'a');
	job_line(&job, JOB_HAVE, OWN "a", one, NULL);
	job_spool(&s, &job, 'a', "b-2", "two");
	job_spool(&s, &job, 'a', "b-3", "three");
	assert_heard(run_job(&s, &job), "sent " OWN "a b-2\nsent " OWN "a b-3\n");
	assert_string_equal(shell("git -C %s/remote rev-parse " OWN "a~1", s.dir), two);

	/* Nothing at all is shown. */
	shell("rm -rf %s/a/repo; git -C %s/remote update-ref -d " OWN "a; git -C %s/remote -c gc.pruneExpire=now gc -q "
	      "--prune=now",
	      s.dir, s.dir, s.dir);
	job = job_of(&s, 'a');
	job_line(&job, JOB_HAVE, OWN "a", two, NULL);
	assert_string_equal(run_job(&s, &job)->text,
	                    "gone " OWN "a\nlost " OWN "a 0000000000000000000000000000000000000000\n");
	scene_end(&s);
}

static void test_the_remote_is_made_only_when_told_to(void **state)
{
	struct scene s;
	struct job job = { 0 };
	char path[256];

	scene_begin(&s);
	job = job_of(&s, 'a');
	job_spool(&s, &job, 'a', "b-1", "one");
	assert_heard(run_job(&s, &job), "fail later no-remote");
	snprintf(path, sizeof(path), "%s/remote", s.dir);
	assert_false(file_exists(path));

	/* Its parent must exist. */
	job = job_of(&s, 'a');
	free(job.item[1].field[0]);
	snprintf(path, sizeof(path), "%s/no/remote", s.dir);
	job.item[1].field[0] = strdup(path);
	job_line(&job, JOB_CREATE, NULL, NULL, NULL);
	assert_heard(run_job(&s, &job), "fail later no-remote");

	/* An empty folder is as good as none; a full one is somebody's. */
	shell("mkdir %s/remote", s.dir);
	push_one(&s, 'a', "b-1", "one");
	shell("mkdir -p %s/no/remote && touch %s/no/remote/x", s.dir, s.dir);
	job = job_of(&s, 'a');
	free(job.item[1].field[0]);
	job.item[1].field[0] = strdup(path);
	job_line(&job, JOB_CREATE, NULL, NULL, NULL);
	assert_heard(run_job(&s, &job), "fail person damaged");
	assert_string_equal(shell("ls %s/no/remote", s.dir), "x");
	scene_end(&s);
}

static void test_configuration_of_the_user_is_not_read(void **state)
{
	struct scene s;
	struct job job = { 0 };

	scene_begin(&s);
	push_one(&s, 'a', "b-1", "one");
	shell("git init -q --bare %s/evil", s.dir);
	shell("git config --file %s/.gitconfig url.%s/evil.insteadOf %s/remote", s.dir, s.dir, s.dir);
	shell("mkdir -p %s/.config/git && cp %s/.gitconfig %s/.config/git/config", s.dir, s.dir, s.dir);
	/* Nor the remote's own: this one would have git itself stop. */
	shell("git config --file %s/remote/config include.path /dev/full", s.dir);
	job = job_of(&s, 'b');
	assert_heard(run_job(&s, &job), "file " OWN "a ");
	push_one(&s, 'b', "b-1", "from b");
	assert_string_equal(shell("git -C %s/evil for-each-ref", s.dir), "");
	scene_end(&s);
}

static void test_a_damaged_cache_is_moved_aside_and_made_again(void **state)
{
	/* Old objects that nothing needs today are not looked at today. */
	static const struct {
		const char *command;
		bool aside;
	} damage[] = {
		{ "rm HEAD", true },
		{ "rm -rf objects", true },
		{ "find objects -type f | xargs rm", true },
		{ "find objects -type f | xargs truncate -s 7", false },
		{ "find refs -type f | xargs sh -c 'for f; do echo x >$f; done' x", true },
		{ "cd .. && rm -rf repo && echo x >repo", true },
	};

	for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
		struct scene s;
		struct job job = { 0 };
		struct heard *h = NULL;
		char one[64];

		scene_begin(&s);
		push_one(&s, 'a', "b-1", "one");
		strcpy(one, tip_in(&s, "remote", 'a'));
		push_one(&s, 'b', "b-1", "from b");
		shell("cd %s/a/repo && chmod -R u+w . && %s", s.dir, damage[i].command);
		job = job_of(&s, 'a');
		job_line(&job, JOB_HAVE, OWN "a", one, NULL);
		job_spool(&s, &job, 'a', "b-2", "two");
		h = run_job(&s, &job);
		assert_heard(h, "sent " OWN "a b-2\n");
		assert_heard(h, "file " OWN "b ");
		assert_int_equal(h->fails, 0);
		if ((strcmp(shell("ls %s/a | grep damaged || true", s.dir), "repo.damaged-1") == 0) != damage[i].aside)
			fail_msg("moved aside or not, after: %s", damage[i].command);
		if (damage[i].aside)
			shell("git -C %s/a/repo fsck --strict 2>/dev/null", s.dir);
		shell("git -C %s/remote fsck --strict 2>/dev/null", s.dir);
		scene_end(&s);
	}
}

static void test_objects_are_packed_and_nothing_is_lost(void **state)
{
	struct scene s;
	struct job job = { 0 };
	char before[1 << 14], name[16];

	scene_begin(&s);
	for (int i = 0; i < 85; i++) {
		snprintf(name, sizeof(name), "b-%d", i);
		push_one(&s, 'a', name, name);
	}
	snprintf(before, sizeof(before), "%s",
	         shell("git -C %s/remote cat-file --batch-check --batch-all-objects", s.dir));
	assert_string_equal(shell("find %s/remote/objects/?? -type f | wc -l", s.dir), "255");
	job = job_of(&s, 'a');
	job_line(&job, JOB_PACK, NULL, NULL, NULL);
	assert_int_equal(run_job(&s, &job)->fails, 0);
	assert_string_equal(shell("ls %s/remote/objects/pack/*.pack | wc -l", s.dir), "1");
	assert_string_equal(shell("find %s/remote/objects/?? -type f 2>/dev/null | wc -l", s.dir), "0");
	assert_string_equal(shell("git -C %s/remote cat-file --batch-check --batch-all-objects", s.dir), before);
	shell("git -C %s/remote fsck --strict 2>/dev/null", s.dir);
	job = job_of(&s, 'b');
	assert_heard(run_job(&s, &job), "000085-b-84\n");
	scene_end(&s);
}

/* However often is pushed: the files of both repositories stay few, and every commit is there. SLB_SOAK=25: 2,500
 * times. */
static void test_growth_is_bounded(void **state)
{
	struct scene s;
	int pushes = 100 * (int)random_soak();
	int worst = 0;

	(void)state;
	scene_begin(&s);
	for (int i = 0; i < pushes; i++) {
		struct job job = job_of(&s, 'a');
		char name[24];
		int files = 0;

		snprintf(name, sizeof(name), "b-%d", i);
		job_spool(&s, &job, 'a', name, name);
		job_line(&job, JOB_PACK, NULL, NULL, NULL);
		if (i == 0)
			job_line(&job, JOB_CREATE, NULL, NULL, NULL);
		assert_int_equal(run_job(&s, &job)->fails, 0);
		if (i % 10 != 9)
			continue;
		files = atoi(shell("find %s/remote/objects -type f | wc -l", s.dir));
		worst = files > worst ? files : worst;
		files = atoi(shell("find %s/a/repo/objects -type f | wc -l", s.dir));
		worst = files > worst ? files : worst;
	}
	print_message("# %d pushes: at most %d files in a repository\n", pushes, worst);
	assert_true(worst <= 2 * 51 + 250);
	assert_int_equal(atoi(shell("git -C %s/remote rev-list --count " OWN "a", s.dir)), pushes);
	shell("git -C %s/remote fsck --strict 2>/dev/null && git -C %s/a/repo fsck --strict 2>/dev/null", s.dir, s.dir);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_one_hands_over_the_other_gets),
		cmocka_unit_test(test_a_put_handed_over_twice_is_committed_once),
		cmocka_unit_test(test_branches_nobody_asked_for_are_not_copied),
		cmocka_unit_test(test_file_urls),
		cmocka_unit_test(test_a_host_that_goes_back_is_told_and_healed),
		cmocka_unit_test(test_a_branch_that_vanished_is_told_and_healed),
		cmocka_unit_test(test_a_fork_is_told_and_both_sides_are_handed_over),
		cmocka_unit_test(test_a_copy_of_this_device_is_noticed_and_left_alone),
		cmocka_unit_test(test_what_is_not_this_devices_is_pushed_over),
		cmocka_unit_test(test_anothers_line_is_pushed_back_over_a_useless_one),
		cmocka_unit_test(test_an_own_branch_of_another_shape_is_pushed_over),
		cmocka_unit_test(test_what_neither_side_holds_any_more_is_asked_for_again),
		cmocka_unit_test(test_the_remote_is_made_only_when_told_to),
		cmocka_unit_test(test_configuration_of_the_user_is_not_read),
		cmocka_unit_test(test_a_damaged_cache_is_moved_aside_and_made_again),
		cmocka_unit_test(test_objects_are_packed_and_nothing_is_lost),
		cmocka_unit_test(test_growth_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
