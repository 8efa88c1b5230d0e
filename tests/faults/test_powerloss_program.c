// SPDX-License-Identifier: EUPL-1.2
// Goal (V3, V4, V6): after a power loss at any moment of what the released program does to a home as a whole, that home
// opens and is whole: by the old passphrase or key or by the new one, once acknowledged by the new one only; a backup
// is there whole or not at all, and so is a restored home.
//
// As test_powerloss, by recordings of build/sleutelbos itself. Deriving a key takes half a second, so it is done
// before: a state's key file must be, byte for byte, the one from before or the one from after.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/backup_kit.h"
#include "app/contacts.h"
#include "app/verify.h"
#include "crypto/secret.h"
#include "faults/hunt.h"
#include "vault/keyfile.h"

#define OLD "vier losse woorden"
#define NEW "vijf andere losse woorden"
#define TALKS 12

/* The program works in SCENE: home/ is there before, out/ too; DIR stands for SCENE. */
struct case_of {
	const char *name;
	const char *command; /* behind the program and --passphrase-file */
	const char *after;   /* the passphrase of home/ once it is done */
	bool vault;          /* the command touches more than the key file */
	size_t states;
	size_t at_least; /* distinct states that there must be */
};

static const struct case_of passphrase = {
	"passphrase change", "--home SCENE/home passphrase change --new-passphrase-file DIR/new", NEW, false, 60, 4
};
static const struct case_of rekey = { "rekey", "--home SCENE/home rekey", OLD, true, 600, 500 };
static const struct case_of backup = { "backup", "--home SCENE/home backup SCENE/out/file", OLD, true, 300, 200 };
static const struct case_of restore = { "restore", "--home SCENE/other restore SCENE/out/file", OLD, true, 300, 200 };

struct scene {
	struct stage s;
	const struct case_of *what;
	struct crash *c;
	char crashed[300];
	struct buf before; /* key files */
	struct buf after;
	uint8_t *master_before;
	uint8_t *master_after;
	struct clock clock;
};

/* ---- Recording ---- */

static const char *text_of(const struct scene *s, const char *name)
{
	static char path[400];

	snprintf(path, sizeof(path), "%.200s/%s", s->s.w.dir, name);
	return path;
}

static struct buf keys_of(const struct scene *s, const char *home, const char *passphrase_of, uint8_t **master)
{
	struct errctx ec = { 0 };
	struct buf b = { 0 };
	const char *path = text_of(s, home);

	assert_int_equal(file_read(&ec, path, 1 << 16, &b), ERR_OK);
	*master = secret_new(MASTER_KEY_LEN);
	assert_non_null(*master);
	assert_int_equal(
	    keyfile_unlock(&ec, path, (struct bytes){ (const uint8_t *)passphrase_of, strlen(passphrase_of) }, *master),
	    ERR_OK);
	return b;
}

/* A line for the shell with the places filled in. */
static void fill(const struct scene *s, const char *command, char *out, size_t size)
{
	size_t n = 0;

	for (const char *p = command; *p != '\0';) {
		bool scene = strncmp(p, "SCENE", 5) == 0;
		bool dir = !scene && strncmp(p, "DIR", 3) == 0;

		assert_true(n + 300 < size);
		if (scene || dir) {
			n += (size_t)snprintf(out + n, size - n, "%s%s", s->s.w.dir, scene ? "/scene" : "");
			p += scene ? 5 : 3;
		} else {
			out[n++] = *p++;
		}
	}
	out[n] = '\0';
}

static void begin(struct scene *s, const struct case_of *what)
{
	char program[PATH_MAX];
	char command[2000];
	char trace[400];
	char root[400];

	*s = (struct scene){ .what = what };
	stage_begin(&s->s, 1);
	snprintf(program, sizeof(program), "%s", s->s.courier);
	*strrchr(program, '-') = '\0';
	stage_shell(NULL,
	            "cd %s && printf '" OLD "' >old && printf '" NEW "' >new && mkdir scene scene/out && "
	            "slb() { %s --passphrase-file old \"$@\"; } && slb --home \"$PWD/scene/home\" init --name Noor && "
	            "{ for i in $(seq "
	            "%d"
	            "); do echo \"contact add --text 'gesprek nummer $i over brieven'\"; done; } "
	            ">lines && slb --home \"$PWD/scene/home\" run lines && "
	            "if [ %s = restore ]; then slb --home \"$PWD/scene/home\" backup scene/out/file; fi && "
	            "cp -a scene before 2>&1",
	            s->s.w.dir, program, TALKS, what->name[0] == 'r' && what->name[2] == 's' ? "restore" : "no");
	s->before = keys_of(s, "before/home/keys", OLD, &s->master_before);
	fill(s, what->command, command, sizeof(command));
	snprintf(trace, sizeof(trace), "%s/trace", s->s.w.dir);
	stage_shell(NULL, "cd %s && strace -f " CRASH_STRACE " -o %s %s --passphrase-file old %s 2>&1", s->s.w.dir,
	            trace, program, command);
	s->after = keys_of(s, "scene/home/keys", what->after, &s->master_after);
	snprintf(root, sizeof(root), "%s/scene", s->s.w.dir);
	s->c = crash_new(trace, root, text_of(s, "before"));
	snprintf(s->crashed, sizeof(s->crashed), "%.200s/crashed", s->s.w.dir);
	assert_int_equal(mkdir(s->crashed, 0700), 0);
}

static void end(struct scene *s)
{
	crash_free(s->c);
	buf_free(&s->before);
	buf_free(&s->after);
	secret_free(s->master_before);
	secret_free(s->master_after);
	stage_end(&s->s);
}

/* ---- Judging ---- */

static enum flow_verdict verdict(char why[static FLOW_WHY], enum flow_verdict v, const char *what,
                                 const struct errctx *ec)
{
	char text[200] = "";

	if (ec != NULL && ec->code != ERR_OK)
		err_text(ec, NULL, text, sizeof(text));
	snprintf(why, FLOW_WHY, "%s: %.80s %s", flow_verdict_text(v), what, text);
	return v;
}

/* Opens a home and reads all of it. */
static enum flow_verdict judge_home(const struct scene *s, const char *home, const uint8_t *master,
                                    char why[static FLOW_WHY])
{
	struct app_options o = { .home = home, .courier = s->s.courier, .clock = &s->s.w.clock };
	struct contact_query q = { 0 };
	struct contact_list list = { 0 };
	struct verify_view v;
	struct app *app = NULL;
	struct errctx ec = { 0 };
	enum flow_verdict verdict_of = FLOW_FINE;

	if (app_open_with_key(&ec, &o, master, false, NULL, &app) != ERR_OK)
		return verdict(why, FLOW_UNOPENABLE, home, &ec);
	if (app_verify(&ec, app, &v) != ERR_OK)
		verdict_of = verdict(why, FLOW_DAMAGED, v.first, &ec);
	else if (contact_list_some(&ec, app, &q, &list) != ERR_OK)
		verdict_of = verdict(why, FLOW_DAMAGED, "the list", &ec);
	else if (list.n != TALKS)
		verdict_of = verdict(why, list.n < TALKS ? FLOW_LOST : FLOW_DOUBLED, "conversations", NULL);
	contact_list_free(&list);
	app_close(app);
	return verdict_of;
}

static enum flow_verdict judge_backup(const struct scene *s, char why[static FLOW_WHY])
{
	char file[400];
	char home[400];
	struct app_options o = { .home = home, .clock = &s->s.w.clock };
	struct restored_view v;
	struct errctx ec = { 0 };

	snprintf(file, sizeof(file), "%s/out/file", s->crashed);
	snprintf(home, sizeof(home), "%s/tried", s->crashed);
	if (kit_restore(&ec, &o, file, s->master_before, &v) != ERR_OK)
		return verdict(why, FLOW_DAMAGED, "the backup", &ec);
	return v.holds.contacts == TALKS ? FLOW_FINE : verdict(why, FLOW_LOST, "conversations in the backup", NULL);
}

static enum flow_verdict judge(void *self, struct crash *c, char why[static FLOW_WHY])
{
	struct scene *s = self;
	struct bytes keys = { NULL, 0 };
	const uint8_t *data = NULL;
	size_t len = 0;
	char home[400];
	bool is_new = false;
	enum flow_verdict v = FLOW_FINE;

	if (!crash_file(c, "home/keys", &keys.data, &keys.len))
		return verdict(why, FLOW_UNOPENABLE, "there is no key file", NULL);
	is_new = bytes_cmp(keys, buf_bytes(&s->after)) == 0;
	if (!is_new && bytes_cmp(keys, buf_bytes(&s->before)) != 0)
		return verdict(why, FLOW_UNOPENABLE, "the key file is neither the old one nor the new one", NULL);
	if (!is_new && crash_spoke(c))
		return verdict(why, FLOW_LOST, "the old key after the new one was acknowledged", NULL);
	if (!s->what->vault)
		return FLOW_FINE;
	crash_write(c, s->crashed);
	snprintf(home, sizeof(home), "%s/home", s->crashed);
	v = judge_home(s, home, is_new ? s->master_after : s->master_before, why);
	if (s->what == &backup && v == FLOW_FINE) {
		if (crash_file(c, "out/file", &data, &len))
			v = judge_backup(s, why);
		else if (crash_spoke(c))
			v = verdict(why, FLOW_LOST, "the backup", NULL);
	}
	if (s->what == &restore && v == FLOW_FINE) {
		snprintf(home, sizeof(home), "%s/other", s->crashed);
		if (crash_file(c, "other", &data, &len))
			v = judge_home(s, home, s->master_before, why);
		else if (crash_spoke(c))
			v = verdict(why, FLOW_LOST, "the restored home", NULL);
	}
	return v;
}

/* ---- Tests ---- */

static void lose_power(const struct case_of *what)
{
	struct scene s;
	struct hunt hunting = { .judge = judge, .self = &s, .states = what->states * random_soak() };
	struct tally t;

	begin(&s, what);
	t = hunt_run(s.c, &hunting);
	hunt_say(what->name, s.c, &t);
	assert_true(t.states >= what->at_least);
	end(&s);
}

static void test_passphrase(void **state)
{
	(void)state;
	lose_power(&passphrase);
}

static void test_rekey(void **state)
{
	(void)state;
	lose_power(&rekey);
}

static void test_backup(void **state)
{
	(void)state;
	lose_power(&backup);
}

/* The starter puts the file under its name: it syncs the file before, and the folder after. The process with the keys
 * has synced the file once already, so only without both is anything lost. */
static void test_a_sync_of_the_starter_left_out_is_found(void **state)
{
	struct scene s;
	struct hunt hunting = { .judge = judge, .self = &s, .states = 300, .stop_at_first = true };
	size_t syncs = 0;

	(void)state;
	begin(&s, &backup);
	for (size_t i = 0; i < crash_syncs(s.c); i++) {
		struct tally t;

		if (!crash_sync_of_child(s.c, i))
			continue;
		syncs++;
		crash_leave_out_all_of(s.c, i);
		t = hunt_run(s.c, &hunting);
		print_message("# backup without sync %zu of %zu: %s\n", i + 1, crash_syncs(s.c), t.first);
		assert_true(hunt_lost(&t) > 0);
	}
	assert_int_equal(syncs, 2);
	end(&s);
}

static void test_restore(void **state)
{
	(void)state;
	lose_power(&restore);
}

static void test_a_sync_left_out_is_found(void **state)
{
	struct scene s;
	struct hunt hunting = { .judge = judge, .self = &s, .states = 60, .stop_at_first = true };

	(void)state;
	begin(&s, &passphrase);
	assert_int_equal(hunt_leave_out_each(s.c, &hunting, passphrase.name), 2);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passphrase),
		cmocka_unit_test(test_rekey),
		cmocka_unit_test(test_backup),
		cmocka_unit_test(test_restore),
		cmocka_unit_test(test_a_sync_left_out_is_found),
		cmocka_unit_test(test_a_sync_of_the_starter_left_out_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
