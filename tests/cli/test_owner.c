// SPDX-License-Identifier: EUPL-1.2
// The owner of the open vault, as the people at two terminals see it: a command gives the same output, files and exit
// status whether it runs in its own process or in the owner; `unlock` and `lock` say the truth; a killed, hung or tired
// owner never leaves anybody locked out, and a caller that goes away takes nobody with it (V6).
//
// Seen to fail: with the relative path resolved in the owner (it lives in "/"); with the frames of standard error
// queued behind those of standard output; with `lock` returning after the signal and not after the end of the process;
// with the check for a caller that is gone left out before a command begins.
#include "cli/owner_demo.h"

#include <sys/resource.h>
#include <time.h>

static const struct owner_limits limits = { .idle_ms = 60000 };

struct place {
	char *dir; // holds home, a (the caller's directory) and b
	char *home;
	char *a;
	char *b;
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->dir = demo_dir_new();
	p->home = file_join(p->dir, "home");
	p->a = file_join(p->dir, "a");
	p->b = file_join(p->dir, "b");
	assert_int_equal(mkdir(p->home, 0700) | mkdir(p->a, 0700) | mkdir(p->b, 0700), 0);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;
	bool was_there = false;

	assert_int_equal(owner_stop(NULL, p->home, DEMO_WAIT_MS, &was_there), ERR_OK);
	free(p->home);
	free(p->a);
	free(p->b);
	demo_remove(p->dir);
	free(p);
	return 0;
}

static void unlock(const struct place *p)
{
	struct errctx ec = { .code = ERR_OK };

	assert_int_equal(demo_unlock(&ec, p->home, &limits, DEMO_PASSPHRASE), ERR_OK);
}

static void file_put(const char *dir, const char *name, const char *text)
{
	char *path = file_join(dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	free(path);
}

// Everything under `dir` in one text, for comparing what two runs left behind.
static void listing(const char *dir, struct buf *out)
{
	char command[512];
	char piece[4096];
	size_t n = 0;
	FILE *f = NULL;

	snprintf(command, sizeof(command),
	         "cd %s && find . -printf '%%P %%y %%m\\n' | sort && find . -type f | sort | xargs -r cat", dir);
	f = popen(command, "r");
	assert_non_null(f);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		assert_int_equal(buf_put(out, piece, n), ERR_OK);
	assert_int_equal(pclose(f), 0);
	assert_int_equal(buf_terminate(out), ERR_OK);
}

static const struct {
	const char *words[8];
	const char *input;
	const char *lang;
	bool json;
} same[] = {
	{ { "echo", "een", "twee drie", "", "vier\nvijf", NULL }, NULL, NULL, false },
	{ { "bytes", "0", NULL }, NULL, NULL, false },
	{ { "bytes", "300000", NULL }, NULL, NULL, false },
	{ { "mix", "500", NULL }, NULL, NULL, false },
	{ { "status", "0", NULL }, NULL, NULL, false },
	{ { "status", "1", NULL }, NULL, NULL, false },
	{ { "status", "9", NULL }, NULL, NULL, false },
	{ { "status", "255", NULL }, NULL, NULL, false },
	{ { "nonsense", NULL }, NULL, NULL, false },
	{ { "io", NULL }, NULL, "tr", true },
	{ { "io", NULL }, NULL, "en", false },
	{ { "cat", "here.txt", NULL }, NULL, NULL, false },
	{ { "cat", "./sub/../here.txt", NULL }, NULL, NULL, false },
	{ { "cat", "-", NULL }, "from standard input\n", NULL, false },
	{ { "cat", "missing.txt", NULL }, NULL, NULL, false },
	{ { "cat", "sub", NULL }, NULL, NULL, false },
	{ { "cat", "here.txt/under", NULL }, NULL, NULL, false },
	{ { "cat", "", NULL }, NULL, NULL, false },
	{ { "put", "out.txt", "text of the new file", NULL }, NULL, NULL, false },
	{ { "put", "here.txt", "replaced", NULL }, NULL, NULL, false },
	{ { "put", "link.txt", "through a link", NULL }, NULL, NULL, false },
	{ { "put", "sub/deep.txt", "deep", NULL }, NULL, NULL, false },
	{ { "put", "none/deep.txt", "deep", NULL }, NULL, NULL, false },
	{ { "put", "sub", "text", NULL }, NULL, NULL, false },
	{ { "put", "-", "to standard output", NULL }, NULL, NULL, false },
	{ { "put", "/dev/full", "too much", NULL }, NULL, NULL, false },
	{ { "put", "/dev/null", "nothing", NULL }, NULL, NULL, false },
	{ { "new", "fresh.txt", "fresh", NULL }, NULL, NULL, false },
	{ { "new", "here.txt", "never", NULL }, NULL, NULL, false },
	{ { "drop", "dropped.txt", "never", NULL }, NULL, NULL, false },
	{ { "drop", "here.txt", "never", NULL }, NULL, NULL, false },
	{ { "kind", "sub", NULL }, NULL, NULL, false },
	{ { "kind", "here.txt", NULL }, NULL, NULL, false },
	{ { "dir", "made", NULL }, NULL, NULL, false },
	{ { "dir", "sub", NULL }, NULL, NULL, false },
	{ { "dir", "here.txt", NULL }, NULL, NULL, false },
	{ { "dir", "none/made", NULL }, NULL, NULL, false },
	{ { "lines", NULL }, "een\ntwee\r\n\nvier zonder einde", NULL, false },
	{ { "lines", NULL }, "", NULL, false },
	{ { "lines", NULL }, "goed\nniet \xff goed\n", NULL, false },
	{ { "ask", "file", "word.txt", NULL }, NULL, NULL, false },
	{ { "ask", "file", "two.txt", NULL }, NULL, NULL, false },
	{ { "ask", "file", "missing.txt", NULL }, NULL, NULL, false },
	{ { "ask", "file", "sub", NULL }, NULL, NULL, false },
	{ { "ask", "fd", "0", NULL }, "open\nnot this", NULL, false },
	{ { "ask", "fd", "zero", NULL }, NULL, NULL, false },
	{ { "ask", "fd", "0", NULL }, "\n", NULL, false },
};

static void fill(const char *dir)
{
	char *sub = file_join(dir, "sub");
	char *link = file_join(dir, "link.txt");

	assert_int_equal(mkdir(sub, 0755), 0);
	file_put(dir, "here.txt", "what stands here\n");
	file_put(dir, "there.txt", "what the link points at\n");
	assert_int_equal(symlink("there.txt", link), 0);
	file_put(dir, "word.txt", "wachtzin met spaties\n");
	file_put(dir, "two.txt", "een\ntwee\n");
	free(sub);
	free(link);
}

static void check_same(const char *what, struct buf *a, struct buf *b)
{
	if (a->len != b->len || (a->len > 0 && memcmp(a->data, b->data, a->len) != 0))
		fail_msg("%s differs:\n--- direct (%zu bytes)\n%.500s\n--- in the owner (%zu bytes)\n%.500s", what,
		         a->len, (char *)a->data, b->len, (char *)b->data);
}

static char *numbered(const char *dir, size_t n)
{
	char name[24];

	snprintf(name, sizeof(name), "%zu", n);
	return file_join(dir, name);
}

static void test_same_as_direct(void **state)
{
	struct place *p = *state;

	unlock(p);
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		char *here = numbered(p->a, i);
		char *there = numbered(p->b, i);
		struct demo_process dp = {
			.cwd = here, .input = same[i].input, .lang = same[i].lang, .json = same[i].json
		};
		struct buf left_direct = { 0 };
		struct buf left_owner = { 0 };
		struct demo_result direct;
		struct demo_result owner;

		assert_int_equal(mkdir(here, 0700) | mkdir(there, 0700), 0);
		fill(here);
		fill(there);
		direct = demo(&dp, same[i].words);
		dp.home = p->home;
		dp.cwd = there;
		owner = demo(&dp, same[i].words);
		print_message("%zu %s %s: exit %d\n", i, same[i].words[0],
		              same[i].words[1] == NULL ? "" : same[i].words[1], direct.status);
		assert_int_equal(direct.status, owner.status);
		check_same("standard output", &direct.out, &owner.out);
		check_same("standard error", &direct.err, &owner.err);
		listing(here, &left_direct);
		listing(there, &left_owner);
		check_same("what was left", &left_direct, &left_owner);
		buf_free(&left_direct);
		buf_free(&left_owner);
		demo_free(&direct);
		demo_free(&owner);
		free(here);
		free(there);
	}
}

// Standard output and error into one pipe: the order is that of a direct run.
static void test_same_order(void **state)
{
	struct place *p = *state;
	struct buf text[2] = { { 0 }, { 0 } };

	unlock(p);
	for (int i = 0; i < 2; i++) {
		int pipe_fd[2];
		struct demo_process dp = { .home = i == 0 ? NULL : p->home };
		pid_t pid = 0;
		int status = 0;

		assert_int_equal(pipe(pipe_fd), 0);
		fflush(NULL);
		pid = fork();
		if (pid == 0) {
			char *argv[] = { (char *)(uintptr_t) "demo", (char *)(uintptr_t) "mix",
				         (char *)(uintptr_t) "400", NULL };

			dup2(pipe_fd[1], 1);
			dup2(pipe_fd[1], 2);
			_exit(demo_child(&dp, 3, argv));
		}
		close(pipe_fd[1]);
		assert_int_equal(file_read_fd(NULL, pipe_fd[0], "pipe", 1 << 20, &text[i]), ERR_OK);
		close(pipe_fd[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_int_equal(buf_terminate(&text[i]), ERR_OK);
	}
	check_same("both streams", &text[0], &text[1]);
	buf_free(&text[0]);
	buf_free(&text[1]);
}

// A reader that goes away and a disk that is full end a handed-over command as they end a direct one.
static void test_same_when_output_fails(void **state)
{
	struct place *p = *state;
	int status[2][2];

	unlock(p);
	for (int i = 0; i < 2; i++) {
		struct demo_process dp = { .home = i == 0 ? NULL : p->home };
		int pipe_fd[2];
		struct demo_result r;

		assert_int_equal(pipe(pipe_fd), 0);
		close(pipe_fd[0]);
		dp.out_fd = pipe_fd[1];
		r = demo(&dp, (const char *[]){ "bytes", "100000", NULL });
		close(pipe_fd[1]);
		status[i][0] = r.status;
		demo_free(&r);
		dp.out_fd = open("/dev/full", O_WRONLY);
		r = demo(&dp, (const char *[]){ "bytes", "100000", NULL });
		close(dp.out_fd);
		status[i][1] = r.status;
		assert_non_null(strstr((char *)r.err.data, "Is the disk full?"));
		demo_free(&r);
	}
	assert_int_equal(status[0][0], 1000 + SIGPIPE);
	assert_int_equal(status[1][0], status[0][0]);
	assert_int_equal(status[0][1], 9);
	assert_int_equal(status[1][1], status[0][1]);
	assert_int_equal(demo_status(p->home, (const char *[]){ "status", "7", NULL }), 7);
}

static void test_unlock_says_what_is_wrong(void **state)
{
	struct place *p = *state;
	struct errctx ec = { .code = ERR_OK };
	char *missing = file_join(p->dir, "nowhere");
	char text[512];

	assert_int_equal(demo_unlock(&ec, p->home, &limits, "fout"), ERR_LOCKED);
	assert_string_equal(err_text(&ec, NULL, text, sizeof(text)), "That is not the passphrase of demo.");
	assert_int_equal(demo_status(p->home, (const char *[]){ "status", "0", NULL }), DEMO_NOBODY);
	err_clear(&ec);
	assert_int_equal(demo_unlock(&ec, missing, &limits, DEMO_PASSPHRASE), ERR_NOT_FOUND);
	err_clear(&ec);
	unlock(p);
	assert_int_equal(demo_unlock(&ec, p->home, &limits, DEMO_PASSPHRASE), ERR_REFUSED);
	assert_non_null(strstr(err_text(&ec, NULL, text, sizeof(text)), "open already"));
	assert_int_equal(demo_status(p->home, (const char *[]){ "status", "3", NULL }), 3);
	free(missing);
}

// The question comes after the new process has taken the home: no memory of this one can have held a key before.
static enum err ask_nobody(void *ctx, struct errctx *ec, struct secret_text **out)
{
	const char *home = ctx;
	int claim = -1;

	assert_int_equal(owner_claim(NULL, home, 0, &claim), ERR_LATER);
	return err_set(ec, ERR_LOCKED, "Nobody typed anything.", NULL, NULL, NULL);
}

// A command that has the vault open just now, and a person who types no passphrase.
static void test_unlock_gives_way(void **state)
{
	struct place *p = *state;
	struct errctx ec = { .code = ERR_OK };
	struct demo d = { 0 };
	struct owner_job job = { .run = demo_run, .open = demo_open, .ctx = &d };
	struct owner_asker asker = { ask_nobody, p->home };
	int claim = -1;
	int second = -1;

	assert_int_equal(owner_spawn(&ec, p->home, &limits, &job, &asker), ERR_LOCKED);
	err_clear(&ec);
	// The process that waited for the passphrase ends and gives the home back.
	assert_int_equal(owner_claim(&ec, p->home, DEMO_WAIT_MS, &claim), ERR_OK);
	assert_int_equal(owner_claim(&ec, p->home, 0, &second), ERR_LATER);
	assert_int_equal(second, -1);
	close(claim);
	unlock(p);
	err_clear(&ec);
	assert_int_equal(owner_claim(&ec, p->home, 0, &claim), ERR_LATER);
}

// What the owner's process is: no core, no terminal, its own session, nothing inherited, in "/".
static void test_owner_is_alone(void **state)
{
	struct place *p = *state;
	char path[64];
	char target[256] = "";
	pid_t pid = 0;
	int inherited = open("/dev/null", O_RDONLY);
	int pidfd = -1;
	struct rlimit core;

	unlock(p);
	pidfd = demo_owner(p->home, &pid);
	assert_int_not_equal(getsid(pid), getsid(0));
	assert_int_equal(prlimit(pid, RLIMIT_CORE, NULL, &core), 0);
	assert_int_equal(core.rlim_cur, 0);
	assert_int_equal(core.rlim_max, 0);
	snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
	if (readlink(path, target, sizeof(target) - 1) > 0)
		assert_string_equal(target, "/");
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, inherited);
	memset(target, 0, sizeof(target));
	if (readlink(path, target, sizeof(target) - 1) > 0)
		assert_string_not_equal(target, "/dev/null");
	close(inherited);
	close(pidfd);
}

static void test_killed_owner_is_followed(void **state)
{
	struct place *p = *state;
	char *sock = file_join(p->home, "owner/socket");

	for (int i = 0; i < 3; i++) {
		unlock(p);
		assert_true(file_exists(sock));
		demo_kill(p->home);
		assert_true(file_exists(sock));
		assert_int_equal(demo_status(p->home, (const char *[]){ "status", "0", NULL }), DEMO_NOBODY);
	}
	unlock(p);
	assert_int_equal(demo_status(p->home, (const char *[]){ "status", "4", NULL }), 4);
	demo_lock(p->home);
	assert_false(file_exists(sock));
	free(sock);
}

static struct demo_started hold(const struct place *p, int *out, int *release)
{
	char *fifo = file_join(p->dir, "fifo");
	char *mark = file_join(p->dir, "mark");
	struct demo_process dp = { .home = p->home };
	struct demo_started s;
	char text[6];
	int pipe_fd[2];

	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(pipe2(pipe_fd, O_CLOEXEC), 0);
	dp.out_fd = pipe_fd[1];
	s = demo_start(&dp, (const char *[]){ "hold", fifo, mark, NULL });
	close(pipe_fd[1]);
	assert_int_equal(read(pipe_fd[0], text, 6), 6);
	assert_memory_equal(text, "begun\n", 6);
	*out = pipe_fd[0];
	*release = open(fifo, O_WRONLY | O_CLOEXEC);
	assert_true(*release >= 0);
	free(fifo);
	free(mark);
	return s;
}

static bool marked(const struct place *p)
{
	char *mark = file_join(p->dir, "mark");
	bool there = file_exists(mark);

	free(mark);
	return there;
}

// `lock` during a command: the command ends first, then the process, then `lock`.
static void test_lock_waits_for_the_end(void **state)
{
	struct place *p = *state;
	struct demo_started holding;
	struct demo_result r;
	struct buf text = { 0 };
	int out = -1;
	int release = -1;
	int status = 0;
	pid_t pid = 0;
	pid_t locker = 0;
	int owner = -1;

	unlock(p);
	owner = demo_owner(p->home, &pid);
	holding = hold(p, &out, &release);
	fflush(NULL);
	locker = fork();
	if (locker == 0) {
		bool was_there = false;
		enum err e = owner_stop(NULL, p->home, DEMO_WAIT_MS, &was_there);

		_exit(e == ERR_OK && was_there && demo_ended(owner, 0) && marked(p) ? 0 : 1);
	}
	assert_false(demo_ended(owner, 30));
	assert_int_equal(waitpid(locker, &status, WNOHANG), 0);
	assert_int_equal(write(release, "x", 1), 1);
	close(release);
	assert_int_equal(waitpid(locker, &status, 0), locker);
	assert_int_equal(status, 0);
	assert_int_equal(file_read_fd(NULL, out, "output", 100, &text), ERR_OK);
	assert_int_equal(text.len, 7);
	r = demo_end(holding);
	assert_int_equal(r.status, 0);
	demo_free(&r);
	buf_free(&text);
	close(out);
	close(owner);
}

static void test_lock_without_owner(void **state)
{
	struct place *p = *state;
	struct errctx ec = { .code = ERR_OK };
	bool was_there = true;

	assert_int_equal(owner_stop(&ec, p->home, DEMO_WAIT_MS, &was_there), ERR_OK);
	assert_false(was_there);
}

// The terminal is closed in the middle of a command: it finishes, the others go on.
static void test_caller_disappears(void **state)
{
	struct place *p = *state;
	struct demo_started holding;
	struct demo_result r;
	int out = -1;
	int release = -1;

	unlock(p);
	holding = hold(p, &out, &release);
	assert_int_equal(kill(holding.pid, SIGKILL), 0);
	r = demo_end(holding);
	assert_int_equal(r.status, 1000 + SIGKILL);
	demo_free(&r);
	assert_false(marked(p));
	assert_int_equal(write(release, "x", 1), 1);
	close(release);
	close(out);
	assert_int_equal(demo_status(p->home, (const char *[]){ "status", "5", NULL }), 5);
	assert_true(marked(p));
}

// Ctrl-C at a command that reads lines: the owner is free again though the pipe stays open.
static void test_caller_leaves_its_input(void **state)
{
	struct place *p = *state;
	struct demo_process dp = { .home = p->home };
	struct demo_started s;
	struct demo_result r;
	char text[6] = "";
	int in[2];
	int out[2];

	unlock(p);
	assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
	dp.in_fd = in[0];
	dp.out_fd = out[1];
	s = demo_start(&dp, (const char *[]){ "lines", NULL });
	assert_int_equal(write(in[1], "een\n", 4), 4);
	assert_int_equal(read(out[0], text, 6), 6);
	assert_memory_equal(text, "1:een\n", 6);
	assert_int_equal(kill(s.pid, SIGINT), 0);
	r = demo_end(s);
	assert_int_equal(r.status, 1000 + SIGINT);
	demo_free(&r);
	assert_int_equal(demo_status(p->home, (const char *[]){ "status", "5", NULL }), 5);
	for (int i = 0; i < 2; i++) {
		close(in[i]);
		close(out[i]);
	}
}

static void test_owner_killed_halfway(void **state)
{
	struct place *p = *state;
	struct demo_started holding;
	struct demo_result r;
	int out = -1;
	int release = -1;
	bool was_there = false;
	pid_t pid = 0;
	int owner = -1;

	unlock(p);
	owner = demo_owner(p->home, &pid);
	holding = hold(p, &out, &release);
	assert_int_equal(kill(pid, SIGKILL), 0);
	r = demo_end(holding);
	assert_int_equal(r.status, 9);
	assert_non_null(strstr((char *)r.err.data, "ended before it answered"));
	assert_int_equal(owner_stop(NULL, p->home, DEMO_WAIT_MS, &was_there), ERR_OK);
	assert_false(was_there);
	demo_free(&r);
	close(out);
	close(release);
	close(owner);
}

// A hung owner: the caller is told in time, and what it asked for is not done afterwards behind its back.
static void test_hung_owner(void **state)
{
	struct place *p = *state;
	struct demo_process dp = { .home = p->home, .cwd = p->a, .wait_ms = 100 };
	struct errctx ec = { .code = ERR_OK };
	char *out = file_join(p->a, "late.txt");
	struct demo_result r;
	bool was_there = false;
	pid_t pid = 0;
	int owner = -1;

	unlock(p);
	owner = demo_owner(p->home, &pid);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	r = demo(&dp, (const char *[]){ "put", "late.txt", "late", NULL });
	assert_int_equal(r.status, 6);
	assert_non_null(strstr((char *)r.err.data, "does not answer"));
	demo_free(&r);
	assert_int_equal(owner_stop(&ec, p->home, 100, &was_there), ERR_LATER);
	assert_int_equal(kill(pid, SIGCONT), 0);
	// The signal of owner_stop() was kept for it.
	assert_true(demo_ended(owner, DEMO_WAIT_MS));
	assert_false(file_exists(out));
	unlock(p);
	close(owner);
	owner = demo_owner(p->home, &pid);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	r = demo(&dp, (const char *[]){ "put", "late.txt", "late", NULL });
	assert_int_equal(r.status, 6);
	demo_free(&r);
	assert_int_equal(kill(pid, SIGCONT), 0);
	r = demo(&(struct demo_process){ .home = p->home }, (const char *[]){ "runs", NULL });
	// `pid` and `runs`; not `put`.
	assert_string_equal((char *)r.out.data, "2\n");
	demo_free(&r);
	assert_false(file_exists(out));
	close(owner);
	free(out);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

// Commands keep it awake; without one for its time it ends. On a busy machine a gap between two commands may be long
// enough by itself, which is right too.
static void test_idle_owner_ends(void **state)
{
	struct place *p = *state;
	struct errctx ec = { .code = ERR_OK };
	struct owner_limits brief = { .idle_ms = 400 };
	int64_t begin = 0;
	int64_t last = 0;
	pid_t pid = 0;
	int owner = -1;
	int status = 0;

	assert_int_equal(demo_unlock(&ec, p->home, &brief, DEMO_PASSPHRASE), ERR_OK);
	owner = demo_owner(p->home, &pid);
	begin = last = now_ms();
	while (status == 0 && now_ms() - begin < 2 * brief.idle_ms) {
		int64_t before = now_ms();

		status = demo_status(p->home, (const char *[]){ "status", "0", NULL });
		if (status == 0)
			last = before;
		else
			assert_true(now_ms() - last >= brief.idle_ms);
	}
	assert_true(demo_ended(owner, DEMO_WAIT_MS));
	assert_true(now_ms() - last >= brief.idle_ms);
	assert_int_equal(demo_status(p->home, (const char *[]){ "status", "0", NULL }), DEMO_NOBODY);
	close(owner);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_same_as_direct, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_when_output_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unlock_says_what_is_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unlock_gives_way, setup, teardown),
		cmocka_unit_test_setup_teardown(test_owner_is_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed_owner_is_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lock_waits_for_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lock_without_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(test_caller_disappears, setup, teardown),
		cmocka_unit_test_setup_teardown(test_caller_leaves_its_input, setup, teardown),
		cmocka_unit_test_setup_teardown(test_owner_killed_halfway, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hung_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(test_idle_owner_ends, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
