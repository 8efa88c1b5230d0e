// SPDX-License-Identifier: EUPL-1.2
// Goal: on a terminal the words of a sheet are typed a row at a time, seen while they are typed and cleared afterwards;
// a slip costs one row; the new passphrase is not shown. After a change of the passphrase the question is asked whether
// somebody may know the old one, and anything but a no leads to the key.
//
// Seen to fail when: a row with a slip is kept; the echo is left on for the new passphrase; the words stay on the
// screen; a "yes" is taken for a "no".
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "app/recovery.h"
#include "app/session.h"
#include "base/buf.h"

#define WAIT_MS 60000

struct terminal {
	int master;
	pid_t pid;
	struct buf seen;
};

struct scene {
	char dir[64];
	char home[96];
	char program[PATH_MAX];
	struct sheet_text *words; /* "word word ... " */
};

static struct scene scene;

static enum err keep_words(void *arg, struct errctx *ec, const struct sheet_view *sheet)
{
	struct sheet_text *t = arg;

	(void)ec;
	for (int i = 0; i < SHEET_WORD_COUNT; i++)
		t->len += (size_t)snprintf(t->text + t->len, sizeof(t->text) - t->len, "%s ", sheet->word[i]);
	return ERR_OK;
}

static int scene_begin(void **state)
{
	struct app_options o = { .home = scene.home };
	struct bytes passphrase = { (const uint8_t *)"drie fietsen", 12 };
	struct sheet_ask ask = { passphrase, NULL, keep_words, NULL };
	struct sheet_issued issued;
	struct errctx ec = { 0 };
	struct app *app = NULL;
	const char *tmp = getenv("TMPDIR");
	char self[PATH_MAX - 32] = "";

	(void)state;
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	for (int i = 0; i < 3; i++)
		*strrchr(self, '/') = '\0';
	snprintf(scene.program, sizeof(scene.program), "%s/sleutelbos", self);
	snprintf(scene.dir, sizeof(scene.dir), "%s/keys-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	assert_non_null(mkdtemp(scene.dir));
	snprintf(scene.home, sizeof(scene.home), "%s/home", scene.dir);
	scene.words = sheet_text_new();
	ask.arg = scene.words;
	assert_int_equal(app_init(&ec, &o, passphrase, "Noor", &app), ERR_OK);
	app_close(app);
	assert_int_equal(app_sheet_issue(&ec, &o, &ask, &issued), ERR_OK);
	return 0;
}

static int scene_end(void **state)
{
	char command[200];

	(void)state;
	sheet_text_free(scene.words);
	snprintf(command, sizeof(command), "rm -rf %s", scene.dir);
	return system(command);
}

/* ---- A terminal with the program on it ---- */

static void begin(struct terminal *t, char *const *words)
{
	char *argv[12] = { scene.program, (char[]){ "--home" }, scene.home, (char[]){ "--lang" }, (char[]){ "en" } };
	char name[64];
	size_t n = 5;

	while (*words != NULL)
		argv[n++] = *words++;
	*t = (struct terminal){ .master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC) };
	assert_true(t->master >= 0);
	assert_int_equal(grantpt(t->master) | unlockpt(t->master), 0);
	assert_int_equal(ptsname_r(t->master, name, sizeof(name)), 0);
	t->pid = fork();
	assert_true(t->pid >= 0);
	if (t->pid == 0) {
		int slave = -1;

		setsid();
		slave = open(name, O_RDWR);
		for (int fd = 0; fd < 3; fd++)
			dup2(slave, fd);
		setenv("TERM", "xterm", 1);
		execv(scene.program, argv);
		_exit(127);
	}
}

/* Reads until `text` was seen after what was seen before; what came with it stays in `seen`. */
static void expect(struct terminal *t, const char *text)
{
	for (;;) {
		struct pollfd p = { .fd = t->master, .events = POLLIN };
		char part[512];
		ssize_t n = 0;

		assert_int_equal(buf_terminate(&t->seen), ERR_OK);
		if (strstr((const char *)t->seen.data, text) != NULL)
			return;
		if (poll(&p, 1, WAIT_MS) != 1)
			fail_msg("\"%s\" did not come; seen: %s", text, (const char *)t->seen.data);
		n = read(t->master, part, sizeof(part));
		if (n <= 0)
			fail_msg("\"%s\" did not come before the end; seen: %s", text, (const char *)t->seen.data);
		assert_int_equal(buf_put(&t->seen, part, (size_t)n), ERR_OK);
	}
}

static bool seen(const struct terminal *t, const char *text)
{
	return strstr((const char *)t->seen.data, text) != NULL;
}

static void type(struct terminal *t, const char *text)
{
	buf_reset(&t->seen);
	assert_int_equal(write(t->master, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(write(t->master, "\n", 1), 1);
}

/* Reads to the end; gives the exit status. */
static int end(struct terminal *t)
{
	char part[512];
	ssize_t n = 0;
	int status = 0;

	while ((n = read(t->master, part, sizeof(part))) > 0)
		assert_int_equal(buf_put(&t->seen, part, (size_t)n), ERR_OK);
	assert_int_equal(buf_terminate(&t->seen), ERR_OK);
	assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
	close(t->master);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void words_from(int first, int count, char out[static 100])
{
	snprintf(out, 100, "%.*s", count * 5 - 1, scene.words->text + 5 * first);
}

/* ---- The promises ---- */

#define CLEARED "\033[1A\r\033[K"

static void words_are_typed_by_rows(void **state)
{
	char *recover[] = { (char[]){ "recover" }, NULL };
	struct terminal t;
	char row[100];

	(void)state;
	begin(&t, recover);
	expect(&t, "from number 1: ");
	words_from(0, 4, row);
	type(&t, row);
	expect(&t, "from number 5: ");
	assert_true(seen(&t, row));     /* shown while it was typed, */
	assert_true(seen(&t, CLEARED)); /* cleared after that */
	words_from(4, 4, row);
	row[5] = 'x';
	type(&t, row);
	expect(&t, "Word 6 is not a word");
	expect(&t, "from number 5: ");
	words_from(4, 4, row);
	type(&t, row);
	expect(&t, "from number 9: ");
	words_from(8, 8, row);
	type(&t, row);
	expect(&t, "Choose a long passphrase");
	type(&t, "vier blauwe bussen");
	expect(&t, "once more: ");
	assert_false(seen(&t, "bussen"));
	type(&t, "vier blauwe bussen");
	assert_int_equal(end(&t), 0);
	assert_false(seen(&t, "bussen"));
	assert_true(seen(&t, "Your new passphrase opens this home"));
	buf_free(&t.seen);
}

static void who_may_know_the_old_one(void **state)
{
	char *change[] = { (char[]){ "passphrase" }, (char[]){ "change" }, NULL };
	static const struct {
		const char *before, *after, *answer;
		bool advised;
	} cases[] = {
		{ "vier blauwe bussen", "vijf rode boten", "no", false },
		{ "vijf rode boten", "zes gele treinen", "yes", true },
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct terminal t;

		begin(&t, change);
		expect(&t, "Passphrase: ");
		type(&t, cases[i].before);
		expect(&t, "Choose a long passphrase");
		type(&t, cases[i].after);
		expect(&t, "once more: ");
		type(&t, cases[i].after);
		expect(&t, "May somebody else know the old passphrase?");
		type(&t, cases[i].answer);
		assert_int_equal(end(&t), 0);
		assert_int_equal(seen(&t, "sleutelbos rekey"), cases[i].advised);
		buf_free(&t.seen);
	}
}

/* An app of which the vault was closed for good can be asked about that, and closed. */
static void a_lost_home_is_only_closed(void **state)
{
	struct app_options o = { .home = scene.home };
	struct bytes passphrase = { (const uint8_t *)"zes gele treinen", 16 };
	struct errctx ec = { 0 };
	struct app *app = NULL;

	(void)state;
	assert_int_equal(app_open(&ec, &o, passphrase, &app), ERR_OK);
	assert_true(app_is_open(app));
	app_vault_close(app);
	assert_false(app_is_open(app));
	assert_null(app_warning(app));
	app_close(app);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_typed_by_rows),
		cmocka_unit_test(who_may_know_the_old_one),
		cmocka_unit_test(a_lost_home_is_only_closed),
	};

	assert_int_equal(app_start(), ERR_OK);
	return cmocka_run_group_tests_name("keys/prompts", tests, scene_begin, scene_end);
}
