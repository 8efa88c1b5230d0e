// SPDX-License-Identifier: EUPL-1.2
// The owner among people who mean ill or do odd things: other users, nonsense on the socket, fifty commands at once,
// callers that say nothing, homes with long names, copies of homes. None of it stops the next command or runs a wrong
// one.
//
// Seen to fail: with the check of the peer's uid left out at either end; with the bound on the length of a frame left
// out; with the check that the request names this home left out.
#include "cli/owner_demo.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "base/codec.h"
#include "cli/owner_place.h"
#include "cli/wire.h"

#define NOBODY 65534

// A caller's time is longer than any test waits: what is turned away is turned away at once.
static const struct owner_limits limits = { .idle_ms = 60000, .request_ms = 3 * DEMO_WAIT_MS };
static const struct owner_limits hasty = { .idle_ms = 60000, .request_ms = 100 };

static int setup_with(void **state, const struct owner_limits *l)
{
	struct errctx ec = { .code = ERR_OK };
	char *home = demo_dir_new();

	assert_int_equal(demo_unlock(&ec, home, l, DEMO_PASSPHRASE), ERR_OK);
	*state = home;
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, &limits);
}

static int setup_hasty(void **state)
{
	return setup_with(state, &hasty);
}

static int teardown(void **state)
{
	char *home = *state;
	bool was_there = false;

	assert_int_equal(owner_stop(NULL, home, DEMO_WAIT_MS, &was_there), ERR_OK);
	demo_remove(home);
	return 0;
}

static void assert_serves(const char *home)
{
	assert_int_equal(demo_status(home, (const char *[]){ "status", "42", NULL }), 42);
}

static int connect_raw(const char *home)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/owner/socket", home);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

// Waits until the other end has closed; false where something was said before. A reset counts as closed.
static bool closed_in_silence(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte = 0;

	assert_int_equal(poll(&p, 1, DEMO_WAIT_MS), 1);
	return read(fd, &byte, 1) <= 0;
}

static void frame(struct buf *b, uint8_t kind, uint8_t fds, uint32_t len)
{
	uint8_t h[WIRE_HEADER] = { kind, fds, 0, WIRE_VERSION };

	be32_put(h + 4, len);
	assert_int_equal(buf_put(b, h, sizeof(h)), ERR_OK);
}

// A request as a caller sends it, without its descriptor; `home` for the text that names the home.
static void request(struct buf *b, const char *home_id, uint32_t argc, const char *lang)
{
	struct buf body = { 0 };

	assert_int_equal(frame_put_int(&body, 0), ERR_OK);
	assert_int_equal(frame_put_text(&body, lang), ERR_OK);
	assert_int_equal(frame_put_text(&body, home_id), ERR_OK);
	assert_int_equal(frame_put_int(&body, argc), ERR_OK);
	assert_int_equal(frame_put_text(&body, "demo"), ERR_OK);
	assert_int_equal(frame_put_text(&body, "runs"), ERR_OK);
	frame(b, FRAME_RUN, 1, (uint32_t)body.len);
	assert_int_equal(buf_put(b, body.data, body.len), ERR_OK);
	buf_free(&body);
}

// Sends bytes with `n` descriptors; false where the other end has closed already.
static bool send_try(int fd, const struct buf *b, int n)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec v = { b->data, b->len };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	bool sent = false;

	if (n > 0) {
		struct cmsghdr *c = NULL;

		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
		for (int i = 0; i < n; i++)
			memcpy(CMSG_DATA(c) + (size_t)i * sizeof(int), &null, sizeof(int));
	}
	sent = sendmsg(fd, &m, MSG_NOSIGNAL) == (ssize_t)b->len;
	close(null);
	return sent;
}

static void send_with(int fd, const struct buf *b, int n)
{
	assert_true(send_try(fd, b, n));
}

static uint32_t next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

static void test_noise(void **state)
{
	const char *home = *state;
	uint32_t x = 20261122;

	for (int i = 0; i < 200; i++) {
		int fd = connect_raw(home);
		struct buf b = { 0 };
		uint32_t len = 1 + next_random(&x) % 300;

		assert_true(fd >= 0);
		if (i % 2 == 0)
			frame(&b, FRAME_RUN, (uint8_t)(i % 4 == 0), len);
		for (uint32_t k = 0; k < len; k++)
			assert_int_equal(buf_put_byte(&b, (uint8_t)next_random(&x)), ERR_OK);
		send_with(fd, &b, i % 3);
		shutdown(fd, SHUT_WR);
		assert_true(closed_in_silence(fd));
		close(fd);
		buf_free(&b);
	}
	assert_serves(home);
}

static void test_bad_requests(void **state)
{
	static const struct {
		const char *what;
		uint32_t argc;
		const char *lang;
		int fds;
		int cut; // bytes left out at the end
		bool other_home;
		bool answered; // it is a good one
	} cases[] = {
		{ "a good one", 2, "nl", 1, 0, false, true },
		{ "no words", 0, "nl", 1, 0, false, false },
		{ "more words than there are", 3, "nl", 1, 0, false, false },
		{ "more words than memory", 0xFFFFFFFF, "nl", 1, 0, false, false },
		{ "fewer words than there are", 1, "nl", 1, 0, false, false },
		{ "an unknown language", 2, "xx", 1, 0, false, false },
		{ "no descriptor", 2, "nl", 0, 0, false, false },
		{ "too many descriptors", 2, "nl", 8, 0, false, false },
		{ "cut short", 2, "nl", 1, 1, false, false },
		{ "another home", 2, "nl", 1, 0, true, false },
	};
	const char *home = *state;
	char id[OWNER_HOME_ID_LEN];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = connect_raw(home);
		struct buf b = { 0 };

		print_message("%s\n", cases[i].what);
		assert_int_equal(owner_home_id(NULL, cases[i].other_home ? "/" : home, id), ERR_OK);
		request(&b, id, cases[i].argc, cases[i].lang);
		b.len -= (size_t)cases[i].cut;
		send_with(fd, &b, cases[i].fds);
		if (cases[i].cut > 0)
			shutdown(fd, SHUT_WR);
		assert_int_equal(closed_in_silence(fd), !cases[i].answered);
		close(fd);
		buf_free(&b);
	}
	assert_serves(home);
}

static void test_bad_frames(void **state)
{
	static const struct {
		uint8_t kind;
		uint8_t fds;
		uint32_t len;
	} cases[] = {
		{ 0, 0, 0 },
		{ FRAME_KINDS, 0, 0 },
		{ 255, 0, 0 },
		{ FRAME_RUN, 2, 0 },
		{ FRAME_RUN, 0, WIRE_BODY_MAX + 1 },
		{ FRAME_RUN, 0, 0xFFFFFFFF },
		{ FRAME_RUN, 0, 0 },
		{ FRAME_ANSWER, 0, 0 },
		{ FRAME_OPEN, 0, 0 },
	};
	const char *home = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = connect_raw(home);
		struct buf b = { 0 };

		frame(&b, cases[i].kind, cases[i].fds, cases[i].len);
		send_with(fd, &b, 0);
		assert_true(closed_in_silence(fd));
		close(fd);
		buf_free(&b);
	}
	assert_serves(home);
}

// A program of another version is told so, in words.
static void test_other_version(void **state)
{
	const char *home = *state;
	int fd = connect_raw(home);
	struct buf b = { 0 };
	uint8_t answer[WIRE_HEADER];
	struct pollfd p = { .fd = fd, .events = POLLIN };

	frame(&b, FRAME_RUN, 0, 0);
	b.data[3] = WIRE_VERSION + 1;
	send_with(fd, &b, 0);
	assert_int_equal(poll(&p, 1, DEMO_WAIT_MS), 1);
	assert_int_equal(read(fd, answer, sizeof(answer)), sizeof(answer));
	assert_int_equal(answer[0], FRAME_REFUSED);
	assert_true(closed_in_silence(fd));
	close(fd);
	buf_free(&b);
	assert_serves(home);
}

// More callers that say nothing than the owner looks at: they are shown the door, the next command is served.
static void test_silent_callers(void **state)
{
	const char *home = *state;
	int fd[80];

	for (int i = 0; i < 80; i++) {
		fd[i] = connect_raw(home);
		assert_true(fd[i] >= 0);
	}
	assert_serves(home);
	for (int i = 0; i < 80; i++) {
		assert_true(closed_in_silence(fd[i]));
		close(fd[i]);
	}
}

static void test_fifty_at_once(void **state)
{
	const char *home = *state;
	struct demo_started s[50];
	struct demo_process p = { .home = home };
	struct demo_result r;
	char word[50][16];
	char expected[64];

	for (int i = 0; i < 50; i++) {
		snprintf(word[i], sizeof(word[i]), "caller-%d", i);
		s[i] = demo_start(&p, (const char *[]){ "echo", word[i], NULL });
	}
	for (int i = 0; i < 50; i++) {
		r = demo_end(s[i]);
		snprintf(expected, sizeof(expected), "<caller-%d>", i);
		assert_int_equal(r.status, 0);
		assert_string_equal((char *)r.out.data, expected);
		demo_free(&r);
	}
	r = demo(&p, (const char *[]){ "runs", NULL });
	assert_string_equal((char *)r.out.data, "51\n");
	demo_free(&r);
}

// A pager that nobody scrolls: its command is over, and the others are served meanwhile.
static void test_slow_reader(void **state)
{
	const char *home = *state;
	struct demo_process p = { .home = home };
	struct demo_started s;
	struct demo_result r;
	struct buf text = { 0 };
	int fd[2];

	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	p.out_fd = fd[1];
	s = demo_start(&p, (const char *[]){ "bytes", "4000000", NULL });
	close(fd[1]);
	assert_int_equal(poll(&(struct pollfd){ .fd = fd[0], .events = POLLIN }, 1, DEMO_WAIT_MS), 1);
	assert_serves(home);
	assert_int_equal(file_read_fd(NULL, fd[0], "pipe", 1 << 23, &text), ERR_OK);
	assert_int_equal(text.len, 4000000);
	for (unsigned i = 0; i < 4000000; i++)
		if (text.data[i] != (uint8_t)((i * 7 + i / 251) & 0xFF))
			fail_msg("byte %u is wrong", i);
	r = demo_end(s);
	assert_int_equal(r.status, 0);
	demo_free(&r);
	buf_free(&text);
	close(fd[0]);
}

static void test_too_long(void **state)
{
	const char *home = *state;
	char *big = malloc(OWNER_REQUEST_MAX + 1);
	struct demo_process p = { .home = home };
	struct demo_result r;

	assert_non_null(big);
	memset(big, 'x', OWNER_REQUEST_MAX);
	big[OWNER_REQUEST_MAX - 8] = '\0';
	r = demo(&p, (const char *[]){ "echo", big, NULL });
	assert_int_equal(r.status, 0);
	assert_int_equal(r.out.len, OWNER_REQUEST_MAX - 8 + 2);
	demo_free(&r);
	big[OWNER_REQUEST_MAX - 8] = 'x';
	big[OWNER_REQUEST_MAX] = '\0';
	r = demo(&p, (const char *[]){ "echo", big, NULL });
	assert_int_equal(r.status, 5);
	demo_free(&r);
	assert_serves(home);
	free(big);
}

// ---- Other users ----

static void open_to_all(const char *home)
{
	char *owner = file_join(home, "owner");
	char *sock = file_join(home, "owner/socket");

	assert_int_equal(chmod(home, 0755) | chmod(owner, 0755) | chmod(sock, 0777), 0);
	free(owner);
	free(sock);
}

// Runs as another user; the child's answer is its exit status.
static int as_nobody(int (*what)(const char *home), const char *home)
{
	pid_t pid = 0;
	int status = 0;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0 ? what(home)
		                                                                                       : 99);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

static int call_status(const char *home)
{
	struct demo_process p = { .home = home };
	char word[] = "status";
	char zero[] = "0";
	char *argv[] = { word, word, zero, NULL };

	return demo_child(&p, 3, argv);
}

// A good request, sent without looking who is there: 0 where it was turned away.
static int raw_request(const char *home)
{
	char id[OWNER_HOME_ID_LEN];
	struct buf b = { 0 };
	int fd = connect_raw(home);

	if (fd < 0 || owner_home_id(NULL, home, id) != ERR_OK)
		return 2;
	request(&b, id, 2, "nl");
	return !send_try(fd, &b, 1) || closed_in_silence(fd) ? 0 : 1;
}

static void test_other_user(void **state)
{
	const char *home = *state;

	if (geteuid() != 0) {
		print_message("skipped: only root can act as another user\n");
		skip();
	}
	// The directory alone keeps others out; where it is forced open, each end turns the other away.
	assert_int_equal(chmod(home, 0755), 0);
	assert_int_equal(as_nobody(call_status, home), 8);
	open_to_all(home);
	assert_int_equal(as_nobody(call_status, home), 8);
	assert_int_equal(as_nobody(raw_request, home), 0);
	assert_serves(home);
}

static int serve_as(const char *home)
{
	struct demo d = { 0 };
	struct owner_job job = { .run = demo_run, .ctx = &d };
	struct owner_limits brief = { .idle_ms = DEMO_WAIT_MS };

	return owner_serve(NULL, home, &brief, &job) == ERR_OK ? 0 : 1;
}

// A stranger's process that waits where one's own owner should be gets no command.
static void test_owner_of_another_user(void **state)
{
	char *home = demo_dir_new();
	char *owner = file_join(home, "owner");
	char *sock = file_join(home, "owner/socket");
	pid_t pid = 0;
	int status = 0;

	if (geteuid() != 0) {
		free(sock);
		free(owner);
		demo_remove(home);
		print_message("skipped: only root can act as another user\n");
		skip();
	}
	assert_int_equal(mkdir(owner, 0700), 0);
	assert_int_equal(chmod(home, 0755) | chown(owner, NOBODY, NOBODY), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(setresuid(NOBODY, NOBODY, NOBODY) == 0 ? serve_as(home) : 99);
	for (int fd = -1; fd < 0;) {
		assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
		fd = connect_raw(home);
		if (fd >= 0)
			close(fd);
	}
	assert_int_equal(demo_status(home, (const char *[]){ "status", "0", NULL }), 8);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_false(file_exists(sock));
	free(sock);
	free(owner);
	demo_remove(home);
}

// ---- Odd homes ----

static char *long_home(const char *dir)
{
	char name[121];

	memset(name, 'h', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	return file_join(dir, name);
}

static char *where_text(const char *home)
{
	char *where = file_join(home, "owner/where");
	struct buf b = { 0 };
	char *text = NULL;

	if (file_read(NULL, where, 4096, &b) == ERR_OK && buf_terminate(&b) == ERR_OK)
		text = strdup((const char *)b.data);
	buf_free(&b);
	free(where);
	return text;
}

// A name too long for a socket: it stands elsewhere, in a private directory that is gone afterwards, also after a kill.
static void test_long_home(void **state)
{
	struct errctx ec = { .code = ERR_OK };
	char *dir = demo_dir_new();
	char *home = long_home(dir);
	char *left = NULL;
	struct stat st;
	bool was_there = false;

	assert_int_equal(mkdir(home, 0700), 0);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", dir, 1), 0);
	for (int i = 0; i < 2; i++) {
		char *at = NULL;

		assert_int_equal(demo_unlock(&ec, home, &limits, DEMO_PASSPHRASE), ERR_OK);
		assert_serves(home);
		at = where_text(home);
		assert_non_null(at);
		assert_int_equal(strncmp(at, dir, strlen(dir)), 0);
		assert_non_null(strstr(at, "/socket\n"));
		*strstr(at, "/socket\n") = '\0';
		assert_int_equal(stat(at, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0700);
		if (i == 0) {
			demo_kill(home);
			assert_int_equal(demo_status(home, (const char *[]){ "status", "0", NULL }), DEMO_NOBODY);
			left = at;
			continue;
		}
		assert_false(file_exists(left));
		assert_int_equal(owner_stop(&ec, home, DEMO_WAIT_MS, &was_there), ERR_OK);
		assert_true(was_there);
		assert_false(file_exists(at));
		free(at);
	}
	assert_int_equal(unsetenv("XDG_RUNTIME_DIR"), 0);
	free(left);
	free(home);
	demo_remove(dir);
}

// A copy of a home (a backup made with cp) leads to no owner but its own.
static void test_copied_home(void **state)
{
	struct errctx ec = { .code = ERR_OK };
	char *dir = demo_dir_new();
	char *home = long_home(dir);
	char *copy = file_join(dir, "copy");
	char *owner = file_join(dir, "copy/owner");
	char *where = file_join(dir, "copy/owner/where");
	char *at = NULL;
	bool was_there = false;

	assert_int_equal(mkdir(home, 0700) | mkdir(copy, 0700) | mkdir(owner, 0700), 0);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", dir, 1), 0);
	assert_int_equal(demo_unlock(&ec, home, &limits, DEMO_PASSPHRASE), ERR_OK);
	at = where_text(home);
	assert_non_null(at);
	assert_int_equal(file_replace(NULL, where, (struct bytes){ (uint8_t *)at, strlen(at) }), ERR_OK);
	assert_int_equal(demo_status(copy, (const char *[]){ "status", "0", NULL }), DEMO_NOBODY);
	assert_int_equal(owner_stop(&ec, copy, DEMO_WAIT_MS, &was_there), ERR_OK);
	assert_false(was_there);
	assert_int_equal(demo_unlock(&ec, copy, &limits, DEMO_PASSPHRASE), ERR_OK);
	demo_lock(copy);
	assert_serves(home);
	assert_int_equal(owner_stop(&ec, home, DEMO_WAIT_MS, &was_there), ERR_OK);
	assert_int_equal(unsetenv("XDG_RUNTIME_DIR"), 0);
	free(at);
	free(where);
	free(owner);
	free(copy);
	free(home);
	demo_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_noise, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_frames, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_version, setup, teardown),
		cmocka_unit_test_setup_teardown(test_silent_callers, setup_hasty, teardown),
		cmocka_unit_test_setup_teardown(test_fifty_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_reader, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_user, setup, teardown),
		cmocka_unit_test(test_owner_of_another_user),
		cmocka_unit_test(test_long_home),
		cmocka_unit_test(test_copied_home),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
