// SPDX-License-Identifier: EUPL-1.2
// Goal (V3, V5, V6): a change of a home's key never says "done" while the old key still opens it. Wherever the process
// is killed, and whichever call to the disk fails, once or from there on, with ENOSPC or EIO: the home opens, by the
// key that its key file holds and by that one alone, with everything that was in it, and the next attempt succeeds.
// A new recovery sheet is in the key file only when it is on disk, whole, and one of two sheets opens at every instant.
//
// strace counts the calls that change something on disk while the driver changes the key of a home; then each of them
// is the last one of its process, or fails. Set SLB_SOAK to try every point; otherwise they are sampled evenly.
//
// Seen to fail when: done is said after the key file was replaced, before the vault was moved; a failure after that
// moment gives the new vault up; a failed rename of the key file is taken for done; the copy's log is not moved into
// its database before it is closed (with SLB_SOAK); the sheet's file is written after the key file.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/contacts.h"
#include "app/recovery.h"
#include "app/syncing.h"
#include "base/codec.h"
#include "base/file.h"
#include "crypto/secret.h"
#include "crypto/sheet.h"
#include "faults/stage.h"
#include "vault/keychange.h"
#include "vault/vault.h"

#define POINTS_MAX 4096
#define CONTACTS 60

/* Names with a question mark are unknown on some processors. */
#define CALLS                                                                                                          \
	"write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,fsync,fdatasync,sync_file_range,syncfs,"  \
	"?rename,renameat,?renameat2,?unlink,unlinkat,?rmdir,openat,?open,?creat,?mkdir,mkdirat,?link,linkat,"         \
	"?symlink,symlinkat,?chmod,fchmod,fchmodat,sendfile,copy_file_range,msync"

struct point {
	char call[20];
	int nth;
};

struct scene {
	char dir[64];
	char home[96];
	char driver[PATH_MAX];
	char hex[2 * SHEET_SECRET_LEN + 1];
	uint8_t secret[SHEET_SECRET_LEN]; /* of sheet 1 */
	uint8_t master[32];               /* the old one */
	struct buf dump;
	char where[160];
	bool mute; /* no write works any more, so that nothing can be said either */
};

static struct scene scene;

static enum err master_of(const uint8_t *secret, uint8_t master[static 32])
{
	struct keychange *kc = NULL;
	uint32_t replaced = 0;
	char *keys = file_join(scene.home, "keys");
	enum err e = keychange_by_sheet(NULL, keys, secret, &crypto_rng, &replaced, &kc);

	if (e == ERR_OK)
		memcpy(master, keychange_master(kc), 32);
	keychange_free(kc);
	free(keys);
	return e;
}

/* ---- Before ---- */

static void dump_of(struct app *app, struct buf *out)
{
	struct errctx ec = { 0 };
	struct dump_space *list = NULL;
	size_t n = 0;

	assert_int_equal(app_dump(&ec, app, "own", &list, &n), ERR_OK);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_put(out, list[i].state.data, list[i].state.len), ERR_OK);
	app_dump_free(list, n);
}

static void log_one(struct app *app, const char *text)
{
	struct contact_fields f = { .text = text };
	struct errctx ec = { 0 };
	char id[ID_TEXT_LEN];

	assert_int_equal(contact_add(&ec, app, NULL, &f, id), ERR_OK);
}

static enum err no_paper(void *arg, struct errctx *ec, const struct sheet_view *sheet)
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
	struct sheet_text *t = sheet_text_new();
	struct sheet_ask ask = { passphrase, NULL, no_paper, t };
	struct sheet_issued issued;
	struct errctx ec = { 0 };
	struct app *app = NULL;
	char self[PATH_MAX - 32] = "";

	(void)state;
	setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	if (system("strace -o /dev/null true 2>/dev/null") != 0)
		return 0;
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	*strrchr(self, '/') = '\0';
	snprintf(scene.driver, sizeof(scene.driver), "%s/driver", self);
	snprintf(scene.dir, sizeof(scene.dir), "%s", "/dev/shm/slb-keys-XXXXXX");
	assert_non_null(mkdtemp(scene.dir));
	snprintf(scene.home, sizeof(scene.home), "%s/home", scene.dir);
	assert_int_equal(app_init(&ec, &o, passphrase, "Noor", &app), ERR_OK);
	assert_int_equal(app_sheet_issue(&ec, &o, &ask, &issued), ERR_OK);
	assert_int_equal(issued.fate, SHEET_OPENS);
	assert_int_equal(sheet_words_get(&ec, (struct bytes){ (uint8_t *)t->text, t->len }, scene.secret), ERR_OK);
	sheet_text_free(t);
	hex_put(scene.secret, sizeof(scene.secret), scene.hex);
	assert_int_equal(master_of(scene.secret, scene.master), ERR_OK);
	for (int i = 0; i < CONTACTS; i++) {
		char text[80];

		snprintf(text, sizeof(text), "gesprek nummer %d over de huur en de brief van de gemeente", i);
		log_one(app, text);
	}
	dump_of(app, &scene.dump);
	/* As a killed process leaves it: with a log of recent edits. */
	stage_shell(NULL, "cp -a %s %s/frozen && test -s %s/vault.db-wal", scene.home, scene.dir, scene.home);
	app_close(app);
	return 0;
}

static int scene_end(void **state)
{
	(void)state;
	if (scene.dir[0] != '\0')
		stage_shell(NULL, "rm -rf %s", scene.dir);
	buf_free(&scene.dump);
	return 0;
}

static void restore(void)
{
	stage_shell(NULL, "rm -rf %s %s/sheet* && cp -a %s/frozen %s", scene.home, scene.dir, scene.dir, scene.home);
}

static int say_where(void **state)
{
	(void)state;
	print_message("# last blow: %s\n", scene.where);
	return 0;
}

/* ---- The driver under strace ---- */

/* Gives its exit status; what it said stands in DIR/out and DIR/err. */
static int run(const char *strace, const char *action)
{
	const char *said = stage_shell(NULL,
	                               "cd %s && { { %s %s %s %s %s >out; echo \"status $?\"; } 2>&1; } | tee err | "
	                               "tail -n 1",
	                               scene.dir, strace, scene.driver, scene.home, scene.hex, action);

	assert_memory_equal(said, "status ", 7);
	return atoi(said + 7);
}

static bool said(const char *word)
{
	return atoi(stage_shell(NULL, "grep -c '^%s' %s/out || true", word, scene.dir)) > 0;
}

static bool said_why(void)
{
	return atoi(stage_shell(NULL, "grep -v '^status\\|Killed' %s/err | grep -c '[a-z] .*[a-z] .*[a-z]' || true",
	                        scene.dir)) > 0;
}

/* Only calls that change something: an openat counts where it creates or empties. */
static size_t list_points(struct point *out)
{
	static char line[1 << 16];
	struct point seen[40] = { 0 };
	char path[100];
	FILE *log = NULL;
	size_t n = 0;

	snprintf(path, sizeof(path), "%s/trace", scene.dir);
	log = fopen(path, "r");
	assert_non_null(log);
	while (fgets(line, sizeof(line), log) != NULL) {
		char *paren = strchr(line, '(');
		size_t k = 0;

		if (paren == NULL || line[0] < 'a' || line[0] > 'z')
			continue;
		*paren++ = '\0';
		while (seen[k].nth > 0 && strcmp(seen[k].call, line) != 0)
			k++;
		assert_true(k + 1 < sizeof(seen) / sizeof(seen[0]));
		snprintf(seen[k].call, sizeof(seen[k].call), "%.19s", line);
		seen[k].nth++;
		if (strncmp(line, "open", 4) == 0 && strstr(paren, "O_CREAT") == NULL &&
		    strstr(paren, "O_TRUNC") == NULL)
			continue;
		/* What is said to a person is no disk. */
		if (strcmp(line, "write") == 0 && (paren[0] == '1' || paren[0] == '2') && paren[1] == '<')
			continue;
		assert_true(n < POINTS_MAX);
		out[n++] = seen[k];
	}
	fclose(log);
	return n;
}

/* ---- After the blow: another key ---- */

static bool there(const char *name)
{
	char *p = file_join(scene.home, name);
	bool yes = file_exists(p);

	free(p);
	return yes;
}

/* Does this key open the vault as it stands? */
static bool vault_opens(const uint8_t *master)
{
	struct vault *v = NULL;
	enum err e = vault_open(NULL, scene.home, master, VAULT_OPEN, &crypto_rng, &v);

	if (e != ERR_OK)
		assert_int_equal(e, ERR_DAMAGED);
	vault_close(v);
	return e == ERR_OK;
}

static void expect_content(struct app *app)
{
	struct verify_view view;
	struct errctx ec = { 0 };
	struct buf dump = { 0 };

	assert_int_equal(app_verify(&ec, app, &view), ERR_OK);
	dump_of(app, &dump);
	assert_int_equal(bytes_cmp(buf_bytes(&dump), buf_bytes(&scene.dump)), 0);
	buf_free(&dump);
}

static void judge_rekey(int status, unsigned *new_key)
{
	struct app_options o = { .home = scene.home };
	struct errctx ec = { 0 };
	struct app *app = NULL;
	uint8_t master[32];
	bool is_new = false;
	bool done = said("DONE");

	assert_int_equal(master_of(scene.secret, master), ERR_OK);
	is_new = memcmp(master, scene.master, 32) != 0;
	*new_key += is_new;
	if (done) {
		/* As it stands, before anybody opened it again. */
		assert_true(is_new);
		assert_false(there("next"));
		assert_false(vault_opens(scene.master));
	}
	if (status == 0)
		assert_true(done);
	else if (status != 137 && !scene.mute && !said_why())
		fail_msg("status %d, and nothing was said", status);
	if (app_open_with_key(&ec, &o, master, false, NULL, &app) != ERR_OK)
		fail_msg("the home does not open: %s", ec.msg == NULL ? "" : ec.msg);
	expect_content(app);
	app_close(app);
	assert_false(there("next"));
	assert_false(there("next.part"));
	if (is_new)
		assert_false(vault_opens(scene.master));

	/* And nothing of it stands in the way of the next attempt. */
	assert_int_equal(run("", "rekey"), 0);
	assert_true(said("DONE"));
	assert_false(vault_opens(master));
	assert_int_equal(master_of(scene.secret, master), ERR_OK);
	assert_int_equal(app_open_with_key(&ec, &o, master, false, NULL, &app), ERR_OK);
	expect_content(app);
	app_close(app);
}

/* ---- After the blow: another sheet ---- */

static void judge_sheet(int status, unsigned *new_sheet)
{
	struct buf words = { 0 };
	uint8_t second[SHEET_SECRET_LEN] = { 0 };
	uint8_t master[32] = { 0 };
	bool opens = said("OPENS");
	bool first = master_of(scene.secret, master) == ERR_OK;
	bool other = false;
	char path[100];

	snprintf(path, sizeof(path), "%s/sheet", scene.dir);
	if (file_exists(path)) {
		assert_int_equal(file_read(NULL, path, 4096, &words), ERR_OK);
		assert_int_equal(sheet_words_get(NULL, buf_bytes(&words), second), ERR_OK);
		other = master_of(second, master) == ERR_OK;
	}
	assert_true(first != other);
	assert_memory_equal(master, scene.master, 32);
	*new_sheet += other;
	if (opens || status == 0)
		assert_true(opens && other);
	if (status != 0 && status != 137 && !scene.mute && !said_why())
		fail_msg("status %d, and nothing was said", status);
	buf_free(&words);
}

/* ---- The blows ---- */

struct blow {
	const char *kind; /* strace's, behind "inject=CALL:" */
	const char *when; /* "" or "+" */
	size_t quick;     /* points of an ordinary run */
};

struct flow {
	const char *name;
	const char *action;
	void (*judge)(int status, unsigned *replaced);
};

static void strike(const struct flow *f, const struct blow *b)
{
	static struct point point[POINTS_MAX];
	char strace[700];
	size_t points = 0;
	size_t count = 0;
	unsigned replaced = 0;
	unsigned called_done = 0;

	restore();
	snprintf(strace, sizeof(strace), "strace -y -o %s/trace -e trace=" CALLS, scene.dir);
	assert_int_equal(run(strace, f->action), 0);
	points = list_points(point);
	assert_true(points > 6);
	count = stage_full() || points < b->quick ? points : b->quick;
	for (size_t i = 0; i < count; i++) {
		const struct point *p = &point[i * points / count];
		int status = 0;

		snprintf(scene.where, sizeof(scene.where), "%s, %s%s at %s %d", f->name, b->kind, b->when, p->call,
		         p->nth);
		scene.mute = b->when[0] == '+' && strcmp(p->call, "write") == 0;
		restore();
		snprintf(strace, sizeof(strace), "strace -o /dev/null -e trace=%s -e inject=%s:%s:when=%d%s", p->call,
		         p->call, b->kind, p->nth, b->when);
		status = run(strace, f->action);
		called_done += status == 0;
		f->judge(status, &replaced);
	}
	print_message("# %s, %s%s: %zu of %zu points; %u times the new one, called done %u times; never falsely\n",
	              f->name, b->kind, b->when, count, points, replaced, called_done);
}

static const struct flow rekey = { "rekey", "rekey", judge_rekey };
static const struct flow sheet = { "recovery sheet", "sheet sheet", judge_sheet };

static void strike_all(const struct flow *f, const struct blow *blows, size_t n)
{
	if (scene.dir[0] == '\0') {
		print_message("# strace cannot trace here\n");
		skip();
	}
	for (size_t i = 0; i < n; i++)
		strike(f, &blows[i]);
}

static const struct blow killed[] = { { "signal=SIGKILL", "", 40 } };
static const struct blow failing[] = {
	{ "error=ENOSPC", "", 24 },
	{ "error=ENOSPC", "+", 24 },
	{ "error=EIO", "", 24 },
	{ "error=EIO", "+", 24 },
};

static void rekey_killed(void **state)
{
	(void)state;
	strike_all(&rekey, killed, 1);
}

static void rekey_on_a_failing_disk(void **state)
{
	(void)state;
	strike_all(&rekey, failing, 4);
}

static void sheet_killed(void **state)
{
	(void)state;
	strike_all(&sheet, killed, 1);
}

static void sheet_on_a_failing_disk(void **state)
{
	(void)state;
	strike_all(&sheet, failing, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(rekey_killed, say_where),
		cmocka_unit_test_teardown(rekey_on_a_failing_disk, say_where),
		cmocka_unit_test_teardown(sheet_killed, say_where),
		cmocka_unit_test_teardown(sheet_on_a_failing_disk, say_where),
	};

	assert_int_equal(app_start(), ERR_OK);
	return cmocka_run_group_tests_name("keys/faults", tests, scene_begin, scene_end);
}
