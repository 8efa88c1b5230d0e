// SPDX-License-Identifier: EUPL-1.2
// Passphrases come from a terminal that does not show them, from a file of one line or from a descriptor; never more of
// it is read than belongs to them; Ctrl-C leaves the terminal as it was. Handed over to the owner, it is the caller's
// terminal that asks.
//
// Seen to fail: with the echo left on; with the second line of the terminal not compared; with the terminal's state not
// put back after a signal; with a descriptor read in blocks.
#include "cli/owner_demo.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>

#include "cli/passphrase.h"

// ---- Files and descriptors ----

static const struct {
	const char *content;
	size_t len;
	enum err e;
	const char *text; // NULL: as content
} files[] = {
	{ "woord", 5, ERR_OK, NULL },
	{ "woord\n", 6, ERR_OK, "woord" },
	{ "woord\r\n", 7, ERR_OK, "woord" },
	{ " een twee \n", 11, ERR_OK, " een twee " },
	{ "\xc3\xa9\xc3\xa9n\n", 6, ERR_OK, "\xc3\xa9\xc3\xa9n" },
	{ "", 0, ERR_INPUT, NULL },
	{ "\n", 1, ERR_INPUT, NULL },
	{ "een\ntwee", 8, ERR_INPUT, NULL },
	{ "een\n\n", 5, ERR_INPUT, NULL },
	{ "een\0twee", 8, ERR_INPUT, NULL },
	{ "\xff\xfe", 2, ERR_INPUT, NULL },
};

static enum err from_file(const char *path, struct secret_text **s)
{
	struct errctx ec = { .code = ERR_OK };
	struct passphrase_ask ask = { .file = path, .prompt = "?" };
	struct io io;

	io_direct(&io, "nl");
	return passphrase_read(&io, &ec, &ask, s);
}

static void test_files(void **state)
{
	char *dir = demo_dir_new();
	char *path = file_join(dir, "p");
	char big[SECRET_TEXT_MAX + 2];
	struct secret_text *s = NULL;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		assert_int_equal(
		    file_replace(NULL, path, (struct bytes){ (const uint8_t *)files[i].content, files[i].len }),
		    ERR_OK);
		if (from_file(path, &s) != files[i].e)
			fail_msg("file %zu", i);
		if (files[i].e == ERR_OK) {
			const char *text = files[i].text != NULL ? files[i].text : files[i].content;

			assert_string_equal(s->text, text);
			assert_int_equal(s->len, strlen(text));
		} else {
			assert_null(s);
		}
		secret_text_free(s);
	}
	memset(big, 'x', sizeof(big));
	big[SECRET_TEXT_MAX] = '\n';
	assert_int_equal(file_replace(NULL, path, (struct bytes){ (uint8_t *)big, SECRET_TEXT_MAX + 1 }), ERR_OK);
	assert_int_equal(from_file(path, &s), ERR_OK);
	assert_int_equal(s->len, SECRET_TEXT_MAX);
	secret_text_free(s);
	big[SECRET_TEXT_MAX] = 'x';
	assert_int_equal(file_replace(NULL, path, (struct bytes){ (uint8_t *)big, SECRET_TEXT_MAX + 1 }), ERR_OK);
	assert_int_equal(from_file(path, &s), ERR_INPUT);
	assert_int_equal(from_file(dir, &s), ERR_INPUT);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(from_file(path, &s), ERR_NOT_FOUND);
	free(path);
	demo_remove(dir);
}

static void test_descriptors(void **state)
{
	struct errctx ec = { .code = ERR_OK };
	struct passphrase_ask ask = { .prompt = "?" };
	struct secret_text *s = NULL;
	char number[16];
	char rest[16] = "";
	struct io io;
	int fd = demo_file("een\ntwee\nrest");

	io_direct(&io, "nl");
	snprintf(number, sizeof(number), "%d", fd);
	ask.fd = number;
	assert_int_equal(passphrase_read(&io, &ec, &ask, &s), ERR_OK);
	assert_string_equal(s->text, "een");
	secret_text_free(s);
	assert_int_equal(passphrase_read(&io, &ec, &ask, &s), ERR_OK);
	assert_string_equal(s->text, "twee");
	secret_text_free(s);
	assert_int_equal(read(fd, rest, sizeof(rest)), 4);
	assert_string_equal(rest, "rest");
	close(fd);
	assert_int_equal(passphrase_read(&io, &ec, &ask, &s), ERR_IO);
	err_clear(&ec);
	for (size_t i = 0; i < 5; i++) {
		static const char *const odd[] = { "", "-1", "3x", "99999999", " 3" };

		ask.fd = odd[i];
		assert_int_equal(passphrase_read(&io, &ec, &ask, &s), ERR_USAGE);
		assert_null(s);
	}
	ask.file = "x";
	assert_int_equal(passphrase_read(&io, &ec, &ask, &s), ERR_USAGE);
}

// ---- A terminal ----

struct terminal {
	int master;
	int slave; // kept open, so that its state can be looked at
	struct buf seen;
};

static void terminal_open(struct terminal *t)
{
	char name[64];

	*t = (struct terminal){ .master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC) };
	assert_true(t->master >= 0);
	assert_int_equal(grantpt(t->master) | unlockpt(t->master), 0);
	assert_int_equal(ptsname_r(t->master, name, sizeof(name)), 0);
	t->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(t->slave >= 0);
}

static void terminal_close(struct terminal *t)
{
	close(t->master);
	close(t->slave);
	buf_free(&t->seen);
}

static bool echoes(const struct terminal *t)
{
	struct termios s;

	assert_int_equal(tcgetattr(t->slave, &s), 0);
	return (s.c_lflag & ECHO) != 0;
}

// Reads what the screen shows until `text` stands in it.
static void await_text(struct terminal *t, const char *text)
{
	for (;;) {
		struct pollfd p = { .fd = t->master, .events = POLLIN };
		char piece[256];
		ssize_t n = 0;

		assert_int_equal(buf_terminate(&t->seen), ERR_OK);
		if (strstr((char *)t->seen.data, text) != NULL)
			return;
		if (poll(&p, 1, DEMO_WAIT_MS) != 1)
			fail_msg("\"%s\" did not come, only \"%s\"", text, (char *)t->seen.data);
		n = read(t->master, piece, sizeof(piece));
		assert_true(n > 0);
		assert_int_equal(buf_put(&t->seen, piece, (size_t)n), ERR_OK);
	}
}

static void type(struct terminal *t, const char *text)
{
	assert_int_equal(write(t->master, text, strlen(text)), strlen(text));
}

// `ask terminal` of the demo in a session of its own with this terminal; home as in demo_process.
static struct demo_started ask_on(const struct terminal *t, const char *home, const char *again)
{
	struct demo_process p = { .home = home };
	struct demo_started s = { .out = demo_file(NULL), .err = demo_file(NULL) };

	fflush(NULL);
	s.pid = fork();
	if (s.pid == 0) {
		char *argv[] = { (char *)(uintptr_t) "demo", (char *)(uintptr_t) "ask", (char *)(uintptr_t) "terminal",
			         (char *)(uintptr_t) "-",    (char *)(uintptr_t)again,  NULL };

		if (setsid() < 0 || ioctl(t->slave, TIOCSCTTY, 0) != 0 || dup2(t->slave, 0) < 0 || dup2(s.out, 1) < 0 ||
		    dup2(s.err, 2) < 0)
			_exit(95);
		_exit(demo_child(&p, again == NULL ? 4 : 5, argv));
	}
	return s;
}

static const struct {
	const char *first;
	const char *second; // NULL: asked once
	int status;
	const char *out;
} typed[] = {
	{ "geheim woord\n", NULL, 0, "[geheim woord] 12\n" },
	{ "\xc3\xa9\xc3\xa9n\n", "\xc3\xa9\xc3\xa9n\n", 0, "[\xc3\xa9\xc3\xa9n] 5\n" },
	{ "nieuw\n", "nieuws\n", 5, "" },
	{ "nieuws\n", "nieuw\n", 5, "" },
	{ "\n", NULL, 5, "" },
	{ "\x04", NULL, 5, "" },
};

static void type_on_terminal(const char *home)
{
	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
		struct terminal t;
		struct demo_started s;
		struct demo_result r;

		terminal_open(&t);
		s = ask_on(&t, home, typed[i].second != NULL ? "Again: " : NULL);
		await_text(&t, "Say: ");
		assert_false(echoes(&t));
		type(&t, typed[i].first);
		if (typed[i].second != NULL) {
			await_text(&t, "Again: ");
			assert_false(echoes(&t));
			type(&t, typed[i].second);
		}
		r = demo_end(s);
		if (r.status != typed[i].status || strcmp((char *)r.out.data, typed[i].out) != 0)
			fail_msg("case %zu: exit %d, %s%s", i, r.status, (char *)r.out.data, (char *)r.err.data);
		assert_true(echoes(&t));
		// Nothing of what was typed has been on the screen.
		await_text(&t, "\n");
		assert_null(strstr((char *)t.seen.data, "geheim"));
		assert_null(strstr((char *)t.seen.data, "nieuw"));
		demo_free(&r);
		terminal_close(&t);
	}
}

static void test_terminal(void **state)
{
	type_on_terminal(NULL);
}

static void test_terminal_of_the_caller(void **state)
{
	struct errctx ec = { .code = ERR_OK };
	char *home = demo_dir_new();

	assert_int_equal(demo_unlock(&ec, home, NULL, DEMO_PASSPHRASE), ERR_OK);
	type_on_terminal(home);
	demo_lock(home);
	demo_remove(home);
}

static void test_interrupted(void **state)
{
	struct terminal t;
	struct demo_started s;
	struct demo_result r;

	terminal_open(&t);
	s = ask_on(&t, NULL, NULL);
	await_text(&t, "Say: ");
	assert_false(echoes(&t));
	type(&t, "half\x03");
	r = demo_end(s);
	assert_int_equal(r.status, 1000 + SIGINT);
	assert_true(echoes(&t));
	demo_free(&r);
	terminal_close(&t);
}

// `lock` from another window while somebody is asked for a passphrase does not wait for that person.
static void test_lock_does_not_wait_for_a_person(void **state)
{
	struct errctx ec = { .code = ERR_OK };
	char *home = demo_dir_new();
	struct terminal t;
	struct demo_started s;
	struct demo_result r;

	assert_int_equal(demo_unlock(&ec, home, NULL, DEMO_PASSPHRASE), ERR_OK);
	terminal_open(&t);
	s = ask_on(&t, home, NULL);
	await_text(&t, "Say: ");
	demo_lock(home);
	type(&t, "too late\n");
	r = demo_end(s);
	assert_int_not_equal(r.status, 0);
	assert_int_equal(r.out.len, 0);
	assert_true(echoes(&t));
	demo_free(&r);
	terminal_close(&t);
	demo_remove(home);
}

static void test_no_terminal(void **state)
{
	struct demo_result r;
	struct demo_process p = { .input = "not from here\n" };
	pid_t pid = 0;
	int status = 0;

	fflush(NULL);
	// A session without a terminal: standard input is no place to ask.
	pid = fork();
	if (pid == 0) {
		if (setsid() < 0)
			_exit(1);
		r = demo(&p, (const char *[]){ "ask", "terminal", NULL });
		_exit(r.status == 3 && strstr((char *)r.err.data, "no terminal") != NULL ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),       cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_terminal),    cmocka_unit_test(test_terminal_of_the_caller),
		cmocka_unit_test(test_interrupted), cmocka_unit_test(test_lock_does_not_wait_for_a_person),
		cmocka_unit_test(test_no_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
