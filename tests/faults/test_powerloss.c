// SPDX-License-Identifier: EUPL-1.2
// Goal (V3): after a power loss at any moment of what the real program does, with whatever was not synced lost,
// reordered or torn in sectors, a home opens, is whole and holds every acknowledged edit; the key file opens by the old
// passphrase or by the new one.
//
// strace records the calls of the program that changed the disk, once for each flow. faults/crash.h plays them on a
// model of a disk and draws what it may hold between any two calls. Each distinct state (names and content) is opened
// by the program, verified and read; from every eighth it goes on. 5,600 in the ordinary run; SLB_SOAK=n draws n times
// as many.
//
// That it can fail is one of its tests: with a sync left out, which the program cannot notice, states are found that
// lose what was acknowledged.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "crypto/secret.h"
#include "faults/crash.h"
#include "faults/flows.h"
#include "vault/keyfile.h"

#define SEED 20261130

/* ---- States that were seen ---- */

struct states {
	uint64_t *hash; /* 0: free */
	size_t *said;   /* the highest measure that it was judged by */
	size_t room;    /* a power of two */
	size_t n;
};

static struct states seen_new(size_t states)
{
	struct states s = { .room = 1024 };

	while (s.room < 4 * states)
		s.room *= 2;
	s.hash = calloc(s.room, sizeof(*s.hash));
	s.said = calloc(s.room, sizeof(*s.said));
	assert_true(s.hash != NULL && s.said != NULL);
	return s;
}

static void seen_free(struct states *s)
{
	free(s->hash);
	free(s->said);
}

/* True where this state was not judged yet, or only by a lower measure. */
static bool seen_add(struct states *s, uint64_t hash, size_t said)
{
	size_t i = hash & (s->room - 1);

	hash |= hash == 0;
	while (s->hash[i] != 0 && s->hash[i] != hash)
		i = (i + 1) & (s->room - 1);
	if (s->hash[i] == hash && s->said[i] >= said + 1)
		return false;
	s->n += s->hash[i] == 0;
	s->hash[i] = hash;
	s->said[i] = said + 1;
	return true;
}

/* ---- One flow ---- */

/* Judges the state drawn last; `self` is the caller's. */
typedef enum flow_verdict (*judge_fn)(void *self, struct crash *c, char why[static FLOW_WHY]);

struct tally {
	size_t states;
	size_t found[FLOW_VERDICTS];
	char first[FLOW_WHY + 200]; /* the first that was not fine */
};

struct hunt {
	judge_fn judge;
	void *self;
	size_t states;      /* to be judged */
	bool stop_at_first; /* that is not fine */
};

static size_t points_pending(struct crash *c)
{
	size_t n = 1;

	crash_rewind(c);
	while (crash_step(c))
		n += crash_pending(c);
	crash_rewind(c);
	return n;
}

static void judge_state(struct crash *c, const struct hunt *h, enum crash_model model, struct tally *t)
{
	char why[FLOW_WHY];
	enum flow_verdict v = h->judge(h->self, c, why);

	t->found[v]++;
	if (v != FLOW_FINE && t->first[0] == '\0')
		snprintf(t->first, sizeof(t->first), "%s, %s, seed %d: %s", crash_where(c),
		         model == CRASH_ORDERED ? "journal" : "any order", SEED, why);
}

/* Rounds over the whole recording until there are as many states as were asked for, or no more to be had. */
static struct tally hunt(struct crash *c, const struct hunt *h)
{
	struct states seen = seen_new(h->states);
	struct random chance = { SEED };
	struct tally t = { 0 };
	size_t each = h->states / points_pending(c) / 2 + 1;
	size_t before = SIZE_MAX;

	while (seen.n < h->states && seen.n != before) {
		before = seen.n;
		crash_rewind(c);
		do {
			for (size_t i = 0; i < (crash_pending(c) ? each : 1) && seen.n < h->states; i++) {
				enum crash_model model = i % 2 == 0 ? CRASH_ORDERED : CRASH_ANY;

				size_t said = crash_acknowledged(c) + crash_spoke(c);

				if (seen_add(&seen, crash_draw(c, model, &chance), said))
					judge_state(c, h, model, &t);
				if (h->stop_at_first && t.first[0] != '\0')
					goto done;
			}
		} while (crash_step(c));
	}
done:
	t.states = seen.n;
	seen_free(&seen);
	return t;
}

static size_t lost(const struct tally *t)
{
	return t->found[FLOW_LOST] + t->found[FLOW_DOUBLED] + t->found[FLOW_DAMAGED] + t->found[FLOW_UNOPENABLE];
}

static void say(const char *name, const struct crash *c, const struct tally *t)
{
	print_message("# %s: %zu states of %zu syncs; %zu lost, %zu doubled, %zu damaged, %zu unopenable\n", name,
	              t->states, crash_syncs(c), t->found[FLOW_LOST], t->found[FLOW_DOUBLED], t->found[FLOW_DAMAGED],
	              t->found[FLOW_UNOPENABLE]);
	if (lost(t) > 0)
		fail_msg("%s", t->first);
}

/* ---- Homes ---- */

struct homes {
	struct stage s;
	struct flow f;
	struct crash *c;
	char crashed[300]; /* where states are written */
	size_t judged;
};

/* It goes on from there: one more conversation stays too. */
static enum flow_verdict judge_going_on(struct homes *h, size_t acknowledged, char why[static FLOW_WHY])
{
	struct flow more = h->f;

	stage_log(&h->s, h->f.home, "na de stroomstoring, over brieven", &more.before);
	return flow_judge(&h->s, &more, acknowledged, NULL, why);
}

static enum flow_verdict judge_home(void *self, struct crash *c, char why[static FLOW_WHY])
{
	struct homes *h = self;
	enum flow_verdict v = FLOW_FINE;

	stage_close(&h->s, h->f.home);
	crash_write(c, h->crashed);
	v = flow_judge(&h->s, &h->f, crash_acknowledged(c), NULL, why);
	if (v == FLOW_FINE && h->judged++ % 8 == 0)
		v = judge_going_on(h, crash_acknowledged(c), why);
	stage_close(&h->s, h->f.home);
	return v;
}

/* The flow is run once, under strace, and from then on only its recording is. */
static void record(struct homes *h, flow_prepare prepare)
{
	struct stage *s = &h->s;
	char trace[300];
	char root[300];
	char before[300];

	stage_begin(s, FLOW_MEMBERS);
	prepare(s, &h->f);
	stage_restore(s);
	snprintf(trace, sizeof(trace), "%.200s/trace", s->w.dir);
	snprintf(root, sizeof(root), "%s", s->w.home[h->f.home]);
	snprintf(before, sizeof(before), "%.200s/clean/home%zu", s->w.dir, h->f.home);
	snprintf(h->crashed, sizeof(h->crashed), "%.200s/crashed", s->w.dir);
	/* The courier's cache is written by another program; a home may lose it whole. */
	stage_shell(NULL, "rm -rf %s/repo* && strace " CRASH_STRACE " -o %s %s %s %zu %s 1770000000000 %s >%s/out",
	            before, trace, s->driver, root, h->f.home + 1, s->courier, h->f.action, s->w.dir);
	h->c = crash_new(trace, root, before);
	assert_int_equal(mkdir(h->crashed, 0700), 0);
	snprintf(s->w.home[h->f.home], sizeof(s->w.home[0]), "%s", h->crashed);
}

static void forget(struct homes *h)
{
	crash_free(h->c);
	stage_end(&h->s);
}

static void lose_power(flow_prepare prepare, size_t states)
{
	struct homes h = { 0 };
	struct hunt hunting = { .judge = judge_home, .self = &h, .states = states * random_soak() };
	struct tally t;

	record(&h, prepare);
	t = hunt(h.c, &hunting);
	say(h.f.name, h.c, &t);
	assert_true(t.states * 10 >= states * 9);
	forget(&h);
}

/* ---- The key file, by the released program ---- */

#define OLD "vier losse woorden"
#define NEW "vijf andere losse woorden"

struct keys {
	char dir[200];
	struct buf old_file;
	struct buf new_file;
	size_t states;
	size_t derived;
	bool unopened; /* some state opened by neither */
};

static struct bytes text(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

static bool opens_by(const char *path, const char *passphrase)
{
	uint8_t *master = secret_new(MASTER_KEY_LEN);
	struct errctx ec = { 0 };
	bool yes = false;

	assert_non_null(master);
	yes = keyfile_unlock(&ec, path, text(passphrase), master) == ERR_OK;
	secret_free(master);
	return yes;
}

/* Opening costs half a second, so it is done once for the file as it was and as it became, and for any other. */
static enum flow_verdict judge_keys(void *self, struct crash *c, char why[static FLOW_WHY])
{
	struct keys *k = self;
	struct bytes now = { NULL, 0 };
	char path[300];

	k->states++;
	if (!crash_file(c, "keys", &now.data, &now.len)) {
		snprintf(why, FLOW_WHY, "there is no key file");
		return FLOW_UNOPENABLE;
	}
	if (bytes_cmp(now, buf_bytes(&k->new_file)) == 0)
		return FLOW_FINE;
	if (bytes_cmp(now, buf_bytes(&k->old_file)) == 0) {
		snprintf(why, FLOW_WHY, "the old passphrase after the new one was acknowledged");
		return crash_spoke(c) ? FLOW_LOST : FLOW_FINE;
	}
	k->derived++;
	crash_write(c, k->dir);
	snprintf(path, sizeof(path), "%s/keys", k->dir);
	if (opens_by(path, NEW) || (!crash_spoke(c) && opens_by(path, OLD)))
		return FLOW_FINE;
	snprintf(why, FLOW_WHY, "the key file opens by neither passphrase");
	return FLOW_UNOPENABLE;
}

static struct crash *record_keys(struct stage *s, struct keys *k)
{
	char program[PATH_MAX];
	struct errctx ec = { 0 };
	char path[300];
	char trace[300];
	char before[300];

	*k = (struct keys){ 0 };
	snprintf(program, sizeof(program), "%s", s->courier);
	*strrchr(program, '-') = '\0';
	snprintf(k->dir, sizeof(k->dir), "%.150s/crashed-keys", s->w.dir);
	stage_shell(NULL,
	            "cd %s && mkdir crashed-keys && printf '" OLD "' >old && printf '" NEW "' >new && "
	            "%s --home \"$PWD/h\" init --name Noor --passphrase-file old && cp -a h before && "
	            "strace " CRASH_STRACE
	            " -o keys.trace %s --home \"$PWD/h\" passphrase change --passphrase-file old "
	            "--new-passphrase-file new 2>&1",
	            s->w.dir, program, program);
	snprintf(path, sizeof(path), "%s/before/keys", s->w.dir);
	assert_int_equal(file_read(&ec, path, 1 << 16, &k->old_file), ERR_OK);
	assert_true(opens_by(path, OLD) && !opens_by(path, NEW));
	snprintf(path, sizeof(path), "%s/h/keys", s->w.dir);
	assert_int_equal(file_read(&ec, path, 1 << 16, &k->new_file), ERR_OK);
	assert_true(opens_by(path, NEW) && !opens_by(path, OLD));
	snprintf(path, sizeof(path), "%s/h", s->w.dir);
	snprintf(trace, sizeof(trace), "%s/keys.trace", s->w.dir);
	snprintf(before, sizeof(before), "%s/before", s->w.dir);
	return crash_new(trace, path, before);
}

static void forget_keys(struct stage *s, struct keys *k, struct crash *c)
{
	crash_free(c);
	buf_free(&k->old_file);
	buf_free(&k->new_file);
	stage_end(s);
}

static void test_passphrase(void **state)
{
	struct stage s;
	struct keys k;
	struct hunt hunting = { .judge = judge_keys, .self = &k, .states = 60 };
	struct crash *c = NULL;
	struct tally t;

	(void)state;
	stage_begin(&s, 1);
	c = record_keys(&s, &k);
	t = hunt(c, &hunting);
	say("passphrase change", c, &t);
	assert_true(t.states >= 4); /* 416 bytes are one sector */
	forget_keys(&s, &k, c);
}

/* ---- That it can fail ---- */

/* Leaves out one sync after the other. Returns how many of them were missed. */
static size_t leave_out_each(struct crash *c, const struct hunt *h, const char *name)
{
	size_t missed = 0;

	for (size_t i = 0; i < crash_syncs(c); i++) {
		struct tally t;

		crash_leave_out(c, i);
		t = hunt(c, h);
		missed += lost(&t) > 0;
		print_message("# %s without sync %zu of %zu: %s\n", name, i + 1, crash_syncs(c),
		              lost(&t) > 0 ? t.first : "nothing found");
	}
	crash_leave_out(c, SIZE_MAX);
	return missed;
}

/* Each of the three conversations has one sync that it rests on; moving them into the database has its own. */
static void test_a_sync_left_out_is_found(void **state)
{
	struct homes h = { 0 };
	struct hunt hunting = { .judge = judge_home, .self = &h, .states = 300, .stop_at_first = true };

	(void)state;
	record(&h, flow_add);
	assert_true(leave_out_each(h.c, &hunting, h.f.name) >= 3);
	forget(&h);
}

static void test_a_sync_of_the_key_file_left_out_is_found(void **state)
{
	struct stage s;
	struct keys k;
	struct hunt hunting = { .judge = judge_keys, .self = &k, .states = 60, .stop_at_first = true };
	struct crash *c = NULL;

	(void)state;
	stage_begin(&s, 1);
	c = record_keys(&s, &k);
	assert_int_equal(leave_out_each(c, &hunting, "passphrase change"), 2);
	forget_keys(&s, &k, c);
}

/* ---- The flows ---- */

static void test_add(void **state)
{
	(void)state;
	lose_power(flow_add, 1400);
}

static void test_add_after_a_kill(void **state)
{
	(void)state;
	lose_power(flow_resume, 1000);
}

static void test_edit(void **state)
{
	(void)state;
	lose_power(flow_edit, 800);
}

static void test_import(void **state)
{
	(void)state;
	lose_power(flow_import, 800);
}

static void test_sync(void **state)
{
	(void)state;
	lose_power(flow_sync, 800);
}

static void test_migrate(void **state)
{
	(void)state;
	lose_power(flow_migrate, 800);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_add_after_a_kill),
		cmocka_unit_test(test_edit),
		cmocka_unit_test(test_import),
		cmocka_unit_test(test_sync),
		cmocka_unit_test(test_migrate),
		cmocka_unit_test(test_passphrase),
		cmocka_unit_test(test_a_sync_left_out_is_found),
		cmocka_unit_test(test_a_sync_of_the_key_file_left_out_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
