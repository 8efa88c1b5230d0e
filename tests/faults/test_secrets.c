// SPDX-License-Identifier: EUPL-1.2
// Goal (V1): after `lock` the memory of the process holds no key and nothing that was typed or read: not in freed
// memory, not in SQLite's page cache, not on the stack, not in a library. No key is outside guarded memory even while
// the vault is open. The process leaves no core and is traced by nobody; `status` says where memory cannot be locked.
//
// A home opened by its passphrase, one opened by its master key and a circle of two that sync go through the real
// commands, in text and JSON, and are closed as the owner closes them. Then the process looks through all its memory
// for every 12 bytes of what was typed (as it was, in small letters, in UTF-16), of the passphrase, and of the keys.
// Then the same from outside, with the real owner process.
//
// Seen to fail when: free() does not wipe; realloc() is the C library's; the page cache is not wiped; the stack is not.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/contacts.h"
#include "base/codec.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/program.h"
#include "crypto/secret.h"
#include "faults/image.h"
#include "faults/stage.h"
#include "vault/keyfile.h"
#include "vault/keyring.h"
#include "vault/vault.h"

/* What is typed, back to front: this program's own text must not be what is found. */
static const char *const typed[] = {
	"tsenlegovtsoortsiM",    /* a resident */
	"reitrawksrepoldnaz",    /* words of a conversation */
	"nraatnaltraatskiwk",    /* more of them */
	"tarnjitseowremehcs",    /* what they were changed to */
	"thculredlekkurdwualb",  /* a service */
	"dapsteifkabtaargninoh", /* searched for, and not there */
	"kolbhcuzreveohlepper",  /* written by somebody else, and fetched */
};
#define THEIRS 6
static const char passphrase_back[] = "peosejdraapkotslemmortgoobneger";
static const char master_back[] = "e7X!qLz0@vRb3#nTk9$wYc5%hJm2^pDs";

/* Turns a text round, in memory that is wiped when freed. */
static char *forwards(const char *back)
{
	char *s = strdup(back);

	assert_non_null(s);
	image_turn((uint8_t *)s, strlen(s));
	return s;
}

static uint8_t *secret_forwards(const char *back, size_t *len)
{
	uint8_t *s = NULL;

	*len = strlen(back);
	s = secret_new(*len);
	assert_non_null(s);
	memcpy(s, back, *len);
	image_turn(s, *len);
	return s;
}

/* ---- Commands, as the owner runs them ---- */

#define ARGS_MAX 24

/* Words are divided by blanks; @2 stands for the third thing typed. */
static void command(struct session *s, const char *line)
{
	char *words = strdup(line);
	char *rest = words;
	char *argv[ARGS_MAX] = { strdup("sleutelbos") };
	int argc = 1;
	struct errctx ec = { 0 };
	struct args a = { 0 };
	struct io io;
	int status = 0;

	for (char *word = NULL; (word = strsep(&rest, " ")) != NULL;) {
		assert_true(argc + 1 < ARGS_MAX);
		argv[argc++] = word[0] == '@' ? forwards(typed[word[1] - '0']) : strdup(word);
	}
	io_direct(&io, "nl");
	io.out = fopen("/dev/null", "w");
	io.err = fopen("/dev/null", "w");
	assert_true(io.out != NULL && io.err != NULL);
	if (args_parse(&ec, commands, argc, argv, &a) != ERR_OK || run_io(&ec, &a, &io) != ERR_OK)
		fail_msg("%s: %s", line, ec.msg);
	status = run_command(s, &a, &io);
	args_clear(&a);
	fclose(io.out);
	fclose(io.err);
	if (status > 1)
		fail_msg("%s: status %d", line, status);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	free(words);
}

static const char *const log_lines[] = {
	"contact add --resident @0 --text @1 --domain geld --did bellen --follow-up +1w",
	"contact add --resident @0 --text @2",
};
static const char *const read_lines[] = {
	"contact list",
	"contact list --json",
	"resident list",
	"resident list --json",
	"search @1",
	"search @2 --json",
	"search @5",
	"today",
	"today --json",
	"referral list --json",
	"status",
	"verify",
	"dump --canonical --space own",
};

static void run_lines_of(struct session *s, const char *const *line, size_t n)
{
	for (size_t i = 0; i < n; i++)
		command(s, line[i]);
}
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* What needs the number of a conversation. */
static void refer_edit_and_undo(struct session *s)
{
	struct contact_query q = { 0 };
	struct contact_list list = { 0 };
	struct errctx ec = { 0 };
	char line[200];

	assert_int_equal(contact_list_some(&ec, s->app, &q, &list), ERR_OK);
	assert_true(list.n > 0);
	snprintf(line, sizeof(line),
	         "referral add --contact %s --service-name @4 --group zorg --kind info --domain geld", list.item[0].id);
	command(s, line);
	snprintf(line, sizeof(line), "contact edit %s --text @3", list.item[0].id);
	command(s, line);
	snprintf(line, sizeof(line), "history %s", list.item[0].id);
	command(s, line);
	command(s, "undo");
	snprintf(line, sizeof(line), "contact show %s --json", list.item[0].id);
	command(s, line);
	contact_list_free(&list);
}

/* ---- What must not be found ---- */

static void expect_clean(struct image *im, pid_t pid, bool open)
{
	struct image_result r;

	assert_true(image_scan(im, pid, &r));
	print_message("# %.1f MB looked at, found %zu times%s\n", (double)r.bytes / 1e6,
	              open ? r.places - r.outside : r.places, open ? " in guarded memory, the vault open" : "");
	for (size_t i = 0; r.outside > 0 && i < r.places && i < COUNT(r.first); i++)
		print_message("# %s at %llx%s in \"%s\"\n", r.first[i].name, (unsigned long long)r.first[i].at,
		              r.first[i].guarded ? ", guarded," : "", r.first[i].where);
	assert_int_equal(open ? r.outside : r.places, 0);
}

static void look_for_key(struct image *im, const char *name, const uint8_t *key)
{
	uint8_t *back = secret_new(32);

	assert_non_null(back);
	memcpy(back, key, 32);
	image_turn(back, 32);
	image_bytes(im, name, back, 32);
	secret_free(back);
}

/* All keys that a home has: what its passphrase is stretched to, its master key, and those of its pages and log. */
static void look_for_keys(struct image *im, const char *home, const uint8_t *master, bool by_passphrase)
{
	struct keyring *ring = NULL;
	struct errctx ec = { 0 };
	struct buf file = { 0 };
	char path[300];

	snprintf(path, sizeof(path), "%.200s/vault.db", home);
	assert_int_equal(file_read(&ec, path, 1 << 24, &file), ERR_OK);
	ring = keyring_new(master, file.data);
	assert_non_null(ring);
	look_for_key(im, "master key", master);
	look_for_key(im, "page key", ring->page);
	look_for_key(im, "log key", ring->wal);
	look_for_key(im, "mark key", ring->mark);
	look_for_key(im, "sum key", ring->sum);
	keyring_free(ring);
	buf_reset(&file);
	if (by_passphrase) {
		size_t len = 0;
		uint8_t *passphrase = secret_forwards(passphrase_back, &len);
		uint8_t *stretched = secret_new(PWHASH_KEY_LEN);
		struct key_cost cost;

		snprintf(path, sizeof(path), "%.200s/keys", home);
		assert_int_equal(file_read(&ec, path, 1 << 16, &file), ERR_OK);
		/* docs/FORMAT.md: the first slot's body begins at 40 */
		cost = (struct key_cost){ be64_get(file.data + 40), be64_get(file.data + 48) };
		assert_int_equal(pwhash_derive((struct bytes){ passphrase, len }, file.data + 56, cost, stretched),
		                 ERR_OK);
		look_for_key(im, "stretched passphrase", stretched);
		secret_free(stretched);
		secret_free(passphrase);
	}
	buf_free(&file);
}

static struct image *image_of_words(void)
{
	struct image *im = image_new();

	for (size_t i = 0; i < COUNT(typed); i++)
		image_text(im, "something typed", typed[i]);
	image_text(im, "passphrase", passphrase_back);
	image_bytes(im, "master key", (const uint8_t *)master_back, strlen(master_back));
	return im;
}

/* ---- In this process ---- */

struct place {
	char dir[200];
	char home[2][240]; /* by passphrase, by master key */
};

static void place_begin(struct place *p)
{
	const char *base = getenv("TMPDIR");

	snprintf(p->dir, sizeof(p->dir), "%.150s/slb-secrets-XXXXXX", base != NULL ? base : "/tmp");
	assert_non_null(mkdtemp(p->dir));
	for (int i = 0; i < 2; i++) {
		snprintf(p->home[i], sizeof(p->home[i]), "%s/home%d", p->dir, i);
		assert_int_equal(mkdir(p->home[i], 0700), 0);
	}
}

static void place_end(struct place *p)
{
	stage_shell(NULL, "rm -rf '%s'", p->dir);
}

static void by_passphrase(const char *home)
{
	struct app_options o = { .home = home };
	struct session s = { .options = &o, .program = "sleutelbos" };
	struct errctx ec = { 0 };
	size_t len = 0;
	uint8_t *passphrase = secret_forwards(passphrase_back, &len);

	assert_int_equal(app_init(&ec, &o, (struct bytes){ passphrase, len }, "Noor", &s.app), ERR_OK);
	run_lines_of(&s, log_lines, COUNT(log_lines));
	app_close(s.app);
	assert_int_equal(app_open(&ec, &o, (struct bytes){ passphrase, len }, &s.app), ERR_OK);
	secret_free(passphrase);
	refer_edit_and_undo(&s);
	run_lines_of(&s, read_lines, COUNT(read_lines));
	app_close(s.app);
}

static void by_master_key(const char *home, struct image *im)
{
	struct app_options o = { .home = home };
	struct session s = { .options = &o, .program = "sleutelbos" };
	struct errctx ec = { 0 };
	struct image_result r;
	size_t len = 0;
	uint8_t *master = secret_forwards(master_back, &len);

	assert_int_equal(len, MASTER_KEY_LEN);
	assert_int_equal(app_open_with_key(&ec, &o, master, true, "Noor", &s.app), ERR_OK);
	secret_free(master);
	run_lines_of(&s, log_lines, COUNT(log_lines));
	refer_edit_and_undo(&s);
	run_lines_of(&s, read_lines, COUNT(read_lines));
	/* That it can find: the cache of an open vault holds what was typed, guarded memory its key. */
	assert_true(image_scan(im, 0, &r));
	assert_true(r.places > 20 && r.outside < r.places);
	app_close(s.app);
}

static void in_a_circle(void)
{
	struct world w;
	struct errctx ec = { 0 };
	struct session s = { .program = "sleutelbos" };
	struct app_options o = { .home = "" };
	char *text = forwards(typed[THEIRS]);
	struct contact_fields f = { .text = text };
	char id[ID_TEXT_LEN];

	world_begin(&w);
	world_home(&w, "Een");
	world_home(&w, "Twee");
	assert_int_equal(app_found_neighbourhood(&ec, w.app[0], "West", w.remote), ERR_OK);
	world_sync(&w, 0);
	world_invite(&w, 0, 1, NULL, NULL);
	assert_int_equal(app_found_circle(&ec, w.app[0], "Plein"), ERR_OK);
	world_sync(&w, 0);
	world_invite(&w, 0, 1, "Plein", NULL);
	assert_int_equal(contact_add(&ec, w.app[0], "Plein", &f, id), ERR_OK);
	free(text);
	world_sync(&w, 0);
	world_sync(&w, 1);
	s.app = w.app[1];
	s.options = &o;
	command(&s, "contact list --json");
	command(&s, "dump --canonical");
	world_end(&w);
}

static void nothing_is_left_after_closing(void **state)
{
	struct image *im = image_of_words();
	struct place p;
	size_t len = 0;
	uint8_t *master = NULL;

	(void)state;
	if (!secret_heap()) {
		print_message("# a sanitizer has its own memory\n");
		image_free(im);
		skip();
	}
	place_begin(&p);
	by_passphrase(p.home[0]);
	by_master_key(p.home[1], im);
	in_a_circle();
	master = secret_forwards(master_back, &len);
	look_for_keys(im, p.home[1], master, false);
	secret_free(master);
	expect_clean(im, 0, false);
	/* What only the passphrase opens has other keys; deriving them again is itself part of what is looked at. */
	{
		struct errctx ec = { 0 };
		uint8_t *passphrase = secret_forwards(passphrase_back, &len);
		char path[300];

		master = secret_new(MASTER_KEY_LEN);
		snprintf(path, sizeof(path), "%s/keys", p.home[0]);
		assert_int_equal(keyfile_unlock(&ec, path, (struct bytes){ passphrase, len }, master), ERR_OK);
		look_for_keys(im, p.home[0], master, true);
		secret_free(master);
		secret_free(passphrase);
	}
	expect_clean(im, 0, false);
	image_free(im);
	place_end(&p);
}

/* ---- In the owner, looked at from outside ---- */

struct owner_scene {
	struct place p;
	char program[PATH_MAX];
	char home[240];
	size_t len;
	uint8_t *master;
};

static void word_file(const char *dir, const char *name, const char *back)
{
	char path[300];
	size_t len = 0;
	uint8_t *word = secret_forwards(back, &len);
	FILE *f = NULL;

	snprintf(path, sizeof(path), "%.200s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(word, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	secret_free(word);
}

static void owner_scene_begin(struct owner_scene *o)
{
	char *build = NULL;

	*o = (struct owner_scene){ .len = 0 };
	place_begin(&o->p);
	build = realpath(getenv("BUILD") != NULL ? getenv("BUILD") : "build", NULL);
	assert_non_null(build);
	snprintf(o->program, sizeof(o->program), "%.4000s/sleutelbos", build);
	free(build);
	snprintf(o->home, sizeof(o->home), "%s/owned", o->p.dir);
	word_file(o->p.dir, "passphrase", passphrase_back);
	word_file(o->p.dir, "text", typed[1]);
	stage_shell(NULL, "%s --home %s --passphrase-file %s/passphrase init --name Noor 2>&1", o->program, o->home,
	            o->p.dir);
}

static void owner_scene_end(struct owner_scene *o)
{
	secret_free(o->master);
	place_end(&o->p);
}

/* Who listens at the home's socket. */
static pid_t owner_pid(const struct owner_scene *o)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct ucred who = { 0 };
	socklen_t len = sizeof(who);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_true((size_t)snprintf(a.sun_path, sizeof(a.sun_path), "%s/owner/socket", o->home) < sizeof(a.sun_path));
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len), 0);
	close(fd);
	return who.pid;
}

static void look_for_owner_keys(struct owner_scene *o, struct image *im)
{
	struct errctx ec = { 0 };
	char path[300];
	uint8_t *passphrase = secret_forwards(passphrase_back, &o->len);

	o->master = secret_new(MASTER_KEY_LEN);
	snprintf(path, sizeof(path), "%s/keys", o->home);
	assert_int_equal(keyfile_unlock(&ec, path, (struct bytes){ passphrase, o->len }, o->master), ERR_OK);
	secret_free(passphrase);
	image_text(im, "passphrase", passphrase_back);
	look_for_keys(im, o->home, o->master, true);
}

static void the_owner_keeps_keys_to_itself(void **state)
{
	struct image *im = image_new();
	struct owner_scene o;
	struct image_result r;
	char path[300];
	pid_t pid = 0;

	(void)state;
	if (geteuid() != 0) {
		print_message("# only root may look into the owner\n");
		image_free(im);
		skip();
	}
	owner_scene_begin(&o);
	stage_shell(
	    NULL,
	    "cd %s && slb() { %s --home %s \"$@\"; } && { slb --passphrase-file passphrase unlock --minutes 5 && "
	    "slb contact add --resident Noor --text-file text && slb contact list --json && slb search brief && "
	    "slb status && slb verify; } 2>&1",
	    o.p.dir, o.program, o.home);
	pid = owner_pid(&o);
	look_for_owner_keys(&o, im);
	if (secret_heap())
		expect_clean(im, pid, true);
	stage_shell(NULL, "grep -q '^Max core file size *0 *0 ' /proc/%d/limits", (int)pid);
	stage_shell(NULL, "%s --home %s lock 2>&1", o.program, o.home);
	/* Ended; where nobody asked for its status yet, it has no memory any more. */
	assert_false(image_scan(im, pid, &r));
	snprintf(path, sizeof(path), "%s/owner/socket", o.home);
	assert_int_equal(access(path, F_OK), -1);
	owner_scene_end(&o);
	image_free(im);
}

/* ---- What the system does not give ---- */

static void unlocked_memory_is_told(void **state)
{
	struct owner_scene o;
	const char *said = NULL;

	(void)state;
	if (!secret_heap()) {
		print_message("# a sanitizer locks no memory and says that it did\n");
		skip();
	}
	owner_scene_begin(&o);
	/* Root may lock all it likes unless that right is taken away. */
	said = stage_shell(NULL,
	                   "cd %s && for json in '' --json; do %s prlimit --memlock=0 %s --home %s --lang en "
	                   "--passphrase-file passphrase status $json 2>&1; done",
	                   o.p.dir, geteuid() == 0 ? "setpriv --bounding-set=-ipc_lock" : "", o.program, o.home);
	if (strstr(said, "Keys could not be kept out of swap on this computer.") == NULL ||
	    strstr(said, "\"keys_locked\":false") == NULL || strstr(said, "\"cache_locked\":0") == NULL)
		fail_msg("status says: %s", said);
	said = stage_shell(NULL, "cd %s && %s --home %s --passphrase-file passphrase status --json", o.p.dir, o.program,
	                   o.home);
	if (strstr(said, "\"keys_locked\":true") == NULL)
		fail_msg("status says: %s", said);
	owner_scene_end(&o);
}

static void no_core_and_no_tracing(void **state)
{
	struct rlimit core;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
	assert_int_equal(core.rlim_cur, 0);
	assert_int_equal(core.rlim_max, 0);
	assert_true(vault_memory().no_core);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_core_and_no_tracing),
		cmocka_unit_test(nothing_is_left_after_closing),
		cmocka_unit_test(the_owner_keeps_keys_to_itself),
		cmocka_unit_test(unlocked_memory_is_told),
	};

	if (app_start() != ERR_OK || prctl(PR_GET_DUMPABLE) != 0)
		return 1;
	/* From here on it may look at itself, also where it is not root. */
	prctl(PR_SET_DUMPABLE, 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
