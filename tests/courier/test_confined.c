// SPDX-License-Identifier: EUPL-1.2
// Goal: each process of the program, confined as the program confines it, really tries what it must not be able to, and
// is refused; the same tries work in a process that is not confined, so that it is the confinement that refuses. On a
// system without Landlock, or without seccomp, the process goes on, says so, and is still refused what the other one
// withholds. (V1: no core file, no looking in; S5: a host that takes the courier over.)
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/sanitizer.h"
#include "cli/hands.h"
#include "confine/landlock.h"
#include "courier/confined.h"
#include "courier/watchdog.h"
#include "scene.h"
#include "support/tries.h"

enum { COULD_NOT_CONFINE = 250 };

struct role {
	const char *name;
	bool keys;
	bool listens;
	const char *remote; /* of a courier; NULL: the folder "remote" */
	bool agent;
	const char *allowed; /* a try that must work all the same; NULL: none */
};

static const struct role roles[] = {
	{ "a command with keys", .keys = true },
	{ "an owner with keys", .keys = true, .listens = true },
	{ .name = "a courier to a folder" },
	{ "a courier over ssh", .remote = "ssh://git@localhost:2222/r" },
	{ "a courier over https", .remote = "https://localhost:8443/r", .allowed = "connect to another port" },
	{ "a courier with an agent", .remote = "ssh://git@localhost:2222/r", .agent = true,
	  .allowed = "connect to a server of this machine" },
};
#define ROLES (sizeof(roles) / sizeof(roles[0]))

static void folder_of(const struct scene *s, const struct role *r, char out[static 200])
{
	snprintf(out, 200, "%.128s/%s", s->dir, r->keys ? "home" : "a");
}

static enum err confine_as(const struct scene *s, const struct role *r, struct confinement *active)
{
	struct job job = { 0 };
	char home[200];
	enum err e = ERR_OK;

	if (r->keys) {
		folder_of(s, r, home);
		return hands_confine(NULL, &(struct hands){ .home = home, .courier = "/none", .listens = r->listens },
		                     NULL, 0, active);
	}
	job = job_of(s, 'a');
	for (size_t i = 0; r->remote != NULL && i < job.count; i++) {
		if (job.item[i].kind != JOB_REMOTE)
			continue;
		free(job.item[i].field[0]);
		job.item[i].field[0] = strdup(r->remote);
	}
	if (r->agent)
		e = job_add(NULL, &job, JOB_LOGIN, "agent", "git", NULL);
	if (e == ERR_OK)
		e = watchdog_start(NULL, active);
	if (e == ERR_OK)
		e = courier_confine(NULL, &job, active);
	job_free(&job);
	return e;
}

/* A kernel that has no such calls. */
static void withhold(int first, int second)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);

	if (f == NULL || seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), first, 0) != 0 ||
	    (second != 0 &&
	     seccomp_rule_add(f, SCMP_ACT_ERRNO(EINVAL), second, 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP, 0)) != 0) ||
	    seccomp_load(f) != 0)
		_exit(COULD_NOT_CONFINE);
	seccomp_release(f);
}

enum system { UNCONFINED, WHOLE, NO_LANDLOCK, NO_SECCOMP };

/* Tries it in a process of its own: 0 where it worked, else the errno. */
static int tried(const struct scene *s, const struct tries *t, const struct role *r, const struct try *what,
                 enum system system)
{
	int status = 0;
	pid_t pid = 0;

	shell("echo x >%s", t->file);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rlimit core = { 1 << 20, 1 << 20 };
		struct confinement active = { 0 };

		(void)!setrlimit(RLIMIT_CORE, &core);
		if (system == NO_LANDLOCK)
			withhold(SCMP_SYS(landlock_create_ruleset), 0);
		if (system == NO_SECCOMP)
			withhold(SCMP_SYS(seccomp), SCMP_SYS(prctl));
		if (system != UNCONFINED && confine_as(s, r, &active) != ERR_OK)
			_exit(COULD_NOT_CONFINE);
		if (system != UNCONFINED && (active.files != 0) != (system != NO_LANDLOCK) && active.files != 0)
			_exit(COULD_NOT_CONFINE);
		if (system != UNCONFINED && active.calls != (system != NO_SECCOMP))
			_exit(COULD_NOT_CONFINE);
		_exit(what->act(t));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) == COULD_NOT_CONFINE)
		fail_msg("%s, %s, system %d: the try itself failed (%d)", r->name, what->what, system, status);
	/* 127: a program was started, and could not load its libraries */
	return WEXITSTATUS(status) == 127 ? 0 : WEXITSTATUS(status);
}

/* What this kernel knows, asked without the code under test. */
static struct confinement kernel_of(void)
{
	int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LL_CREATE_RULESET_VERSION);

	return (struct confinement){ .files = version < 2 ? 0u : (unsigned)version,
		                     .ports = version >= 4,
		                     .scoped = version >= 6,
		                     .calls = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0 };
}

static void begin(struct scene *s, struct tries *t)
{
	char dir[200];

	scene_begin(s);
	shell("mkdir -p %s/home %s/a %s/a/in && git init -q --bare %s/remote", s->dir, s->dir, s->dir, s->dir);
	snprintf(dir, sizeof(dir), "%.128s", s->dir);
	tries_begin(t, dir, dir);
}

static void end(struct scene *s, struct tries *t)
{
	tries_end(t);
	scene_end(s);
}

static void test_every_try_works_unconfined(void **state)
{
	struct scene s;
	struct tries t;

	begin(&s, &t);
	folder_of(&s, &roles[0], t.inside);
	for (size_t i = 0; i < tries_count; i++) {
		int e = 0;

		if ((tries[i].of & TRY_ROOT) != 0)
			continue;
		e = tried(&s, &t, &roles[0], &tries[i], UNCONFINED);
		if (e != 0)
			fail_msg("%s: %s", tries[i].what, strerror(e));
	}
	end(&s, &t);
}

static bool withheld(const struct confinement *c, unsigned of)
{
	return (of & TRY_ALWAYS) != 0 || ((of & TRY_FILES) != 0 && c->files != 0) ||
	       ((of & TRY_PORTS) != 0 && c->ports) || ((of & TRY_SCOPE) != 0 && c->scoped) ||
	       ((of & TRY_CALLS) != 0 && c->calls);
}

static void test_every_try_is_refused(void **state)
{
	struct confinement kernel = { 0 };
	struct scene s;
	struct tries t;

	begin(&s, &t);
	kernel = kernel_of();
	if (!kernel.calls)
		skip();
	for (size_t r = 0; r < ROLES; r++) {
		folder_of(&s, &roles[r], t.inside);
		for (size_t i = 0; i < tries_count; i++) {
			bool allowed = roles[r].allowed != NULL && strcmp(roles[r].allowed, tries[i].what) == 0;
			int e = 0;

			if (!withheld(&kernel, tries[i].of))
				continue;
			e = tried(&s, &t, &roles[r], &tries[i], WHOLE);
			if ((e == 0) != allowed)
				fail_msg("%s: %s: %s", roles[r].name, tries[i].what, e == 0 ? "done" : strerror(e));
		}
	}
	end(&s, &t);
}

static void test_systems_that_know_less(void **state)
{
	static const struct {
		enum system system;
		struct confinement left;
	} systems[] = {
		{ NO_LANDLOCK, { .calls = true } },
		{ NO_SECCOMP, { .files = 2 } },
	};
	struct confinement kernel = { 0 };
	struct scene s;
	struct tries t;

	begin(&s, &t);
	kernel = kernel_of();
	if (!kernel.calls || kernel.files == 0)
		skip();
	for (size_t k = 0; k < sizeof(systems) / sizeof(systems[0]); k++) {
		for (size_t r = 0; r < 3; r++) {
			folder_of(&s, &roles[r], t.inside);
			for (size_t i = 0; i < tries_count; i++) {
				int e = tried(&s, &t, &roles[r], &tries[i], systems[k].system);

				if (withheld(&systems[k].left, tries[i].of) && e == 0)
					fail_msg("%s, system %d: %s", roles[r].name, (int)systems[k].system,
					         tries[i].what);
			}
		}
	}
	/* and it is the one withheld that refused the rest before */
	assert_int_equal(tried(&s, &t, &roles[0], &tries[0], NO_LANDLOCK), 0);
	end(&s, &t);
}

// ---- What must still work ----

static int write_inside(const struct tries *t)
{
	char path[300], other[300];
	int fd = -1;

	snprintf(path, sizeof(path), "%s/here", t->inside);
	snprintf(other, sizeof(other), "%s/there", t->inside);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, "x", 1) != 1 || fsync(fd) != 0 || close(fd) != 0 || rename(path, other) != 0 ||
	    unlink(other) != 0)
		return errno;
	return 0;
}

static int fork_inside(const struct tries *t)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	if (pid < 0 || kill(pid, SIGKILL) != 0 || waitpid(pid, &status, 0) != pid)
		return errno;
	return 0;
}

static int look_up(const struct tries *t)
{
	struct addrinfo *list = NULL;
	int rc = getaddrinfo("localhost", "80", NULL, &list);

	if (rc == 0)
		freeaddrinfo(list);
	return rc == 0 ? 0 : ENOENT;
}

static void test_what_is_needed_works(void **state)
{
	static const struct try needed[] = { { "write", 0, write_inside },
		                             { "fork", 0, fork_inside },
		                             { "look up", 0, look_up } };
	struct scene s;
	struct tries t;

	begin(&s, &t);
	for (size_t r = 0; r < ROLES; r++) {
		folder_of(&s, &roles[r], t.inside);
		assert_int_equal(tried(&s, &t, &roles[r], &needed[0], WHOLE), 0);
		/* a courier has no children, and one to a folder asks no name service */
		assert_int_equal(tried(&s, &t, &roles[r], &needed[1], WHOLE) == 0, roles[r].keys);
		if (roles[r].remote != NULL)
			assert_int_equal(tried(&s, &t, &roles[r], &needed[2], WHOLE), 0);
	}
	end(&s, &t);
}

static int take_much(const struct tries *t)
{
	void *p = mmap(NULL, (size_t)400 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

static void test_the_courier_has_so_much_memory(void **state)
{
	const struct try much = { "much memory", 0, take_much };
	struct scene s;
	struct tries t;

#ifdef UNDER_SANITIZER
	skip(); /* the one thing that a sanitizer build leaves out */
#endif
	begin(&s, &t);
	assert_int_equal(tried(&s, &t, &roles[2], &much, UNCONFINED), 0);
	assert_int_equal(tried(&s, &t, &roles[2], &much, WHOLE), ENOMEM);
	end(&s, &t);
}

// ---- As words ----

static void test_words(void **state)
{
	static const struct {
		const char *words;
		struct confinement c;
	} cases[] = {
		{ "none", { 0 } },
		{ "privileges,unseen,files:7,ports,scoped,calls,memory:320",
		  { true, true, 7, true, true, true, 320ull << 20 } },
		{ "unseen,memory:1", { .unseen = true, .memory = 1 << 20 } },
	};
	static const char *const bad[] = { "", "files", "files:", "files:-1", "files:7,", ",calls", "calls,none", "x" };
	struct confinement c;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char words[CONFINE_WORDS];

		confinement_put(&cases[i].c, words);
		assert_string_equal(words, cases[i].words);
		assert_true(confinement_parse(cases[i].words, &c));
		assert_int_equal(c.privileges, cases[i].c.privileges);
		assert_int_equal(c.unseen, cases[i].c.unseen);
		assert_int_equal(c.files, cases[i].c.files);
		assert_int_equal(c.ports, cases[i].c.ports);
		assert_int_equal(c.scoped, cases[i].c.scoped);
		assert_int_equal(c.calls, cases[i].c.calls);
		assert_int_equal(c.memory, cases[i].c.memory);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(confinement_parse(bad[i], &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_try_works_unconfined),     cmocka_unit_test(test_every_try_is_refused),
		cmocka_unit_test(test_systems_that_know_less),         cmocka_unit_test(test_what_is_needed_works),
		cmocka_unit_test(test_the_courier_has_so_much_memory), cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
