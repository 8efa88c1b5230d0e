// SPDX-License-Identifier: EUPL-1.2
// Goal (V2, V5): whatever happens to one place in the files of a home that has synced, `verify --repair` makes it what
// it was: the canonical dump of every space is the same, byte for byte, and another sync finds nothing to do. What was
// never sent and is gone is counted; everything of it that can be read is kept.
//
// 300 seeded cases over flips, zeroed and swapped pages, cuts, older pages, logs and marks put back, in a home that was
// closed and in one that was killed; SLB_SOAK=n makes n times as many. At least 99 of 100 must be repaired.
//
// Seen to fail when: a spare stays after its row is deleted; an unsent edit claims to have seen what a repair fetched;
// the seals are not looked at before a sync; batches of one's own are refused in a repair; the tables are believed over
// spares that agree with their sum; SQLite opens a vault with an older page 1 before it is looked at; a number of which
// nobody can say whether it was sent is given out again.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "app/contacts.h"
#include "app/referrals.h"
#include "app/watch.h"
#include "base/file.h"
#include "crypto/secret.h"
#include "model/random.h"
#include "sync/homes.h"
#include "vault/pages.h"

#define SEED 20261130
#define PAGE 4096
#define FRAME 4120
#define WAL_HEAD 80
#define MINE 1 /* the home that is damaged */
#define OTHER 2

enum { DB, WAL, MARK, FILES };
static const char *const names[FILES] = { "vault.db", "vault.db-wal", "vault.mark" };

static struct random chance = { SEED };

static uint64_t draw(uint64_t below)
{
	return random_below(&chance, below);
}

/* ---- A home and its files ---- */

/* The files of the vault at one moment. */
struct moment {
	struct buf file[FILES];
};

struct scene {
	struct world w;
	char base[32];
	struct buf dump[3]; /* neighbourhood, circle, own */
	struct moment older[8];
	size_t olders;
	struct moment closed;
	struct moment killed;
	char where[256];
	struct {
		size_t tried;
		size_t harmless;
		size_t repaired;
		size_t failed;
		uint64_t fetched;
	} count[16];
};

static void die(const struct errctx *ec, const char *what)
{
	char text[600];

	fail_msg("%s: %s", what, ec->msg == NULL ? "(no text)" : err_text(ec, NULL, text, sizeof(text)));
}

static void moment_take(struct scene *s, struct moment *m)
{
	for (int i = 0; i < FILES; i++) {
		char path[400];

		buf_reset(&m->file[i]);
		snprintf(path, sizeof(path), "%s/%s", s->w.home[MINE], names[i]);
		if (file_exists(path))
			assert_int_equal(file_read(NULL, path, 1u << 28, &m->file[i]), ERR_OK);
	}
}

static void moment_put(struct scene *s, const struct moment *m)
{
	for (int i = 0; i < FILES; i++) {
		char path[400];
		FILE *f = NULL;

		snprintf(path, sizeof(path), "%s/%s", s->w.home[MINE], names[i]);
		unlink(path); /* what a repair kept may have the old name still */
		if (m->file[i].len == 0)
			continue;
		f = fopen(path, "w");
		assert_non_null(f);
		assert_int_equal(fwrite(m->file[i].data, 1, m->file[i].len, f), m->file[i].len);
		assert_int_equal(fclose(f), 0);
	}
}

static void moment_copy(const struct moment *from, struct moment *to)
{
	for (int i = 0; i < FILES; i++) {
		buf_reset(&to->file[i]);
		assert_int_equal(buf_put(&to->file[i], from->file[i].data, from->file[i].len), ERR_OK);
	}
}

static void moment_free(struct moment *m)
{
	for (int i = 0; i < FILES; i++)
		buf_free(&m->file[i]);
}

static void home_close(struct scene *s)
{
	app_close(s->w.app[MINE]);
	s->w.app[MINE] = NULL;
}

static void home_shell(struct scene *s)
{
	char courier[600];
	struct app_options o = { .home = s->w.home[MINE], .clock = &s->w.clock };

	home_close(s);
	snprintf(courier, sizeof(courier), "%s/sleutelbos-courier",
	         getenv("BUILD") != NULL ? getenv("BUILD") : "build");
	o.courier = courier;
	assert_int_equal(app_shell(&o, &s->w.app[MINE]), ERR_OK);
}

static void master_of(uint8_t out[static 32])
{
	memset(out, MINE + 1, 32);
}

static void log_one(struct scene *s, size_t home, size_t n)
{
	static const char *const domains[] = { "wonen", "geld", "gezond" };
	static const char *const nicks[] = { "Noor", "Samir", "Fatma", "Mees", "Ayse" };
	char text[2400];
	char id[ID_TEXT_LEN];
	struct errctx ec = { 0 };
	struct contact_fields f = { .text = text, .domains = domains[n % 3], .resident = nicks[n % 5] };
	size_t len = n % 9 == 8 ? 2000 : 40 + n * 7 % 120;

	snprintf(text, sizeof(text), "gesprek %zu ", n);
	while (strlen(text) < len)
		strcat(text, "over een brief van de gemeente ");
	if (contact_add(&ec, s->w.app[home], "Plein", &f, id) != ERR_OK)
		die(&ec, "contact");
	if (n % 4 == 0) {
		struct referral_fields r = {
			.service_name = "Wijkteam", .group = "welzijn", .kind = "info", .domain = "geld"
		};
		struct referral_made made;

		if (referral_add(&ec, s->w.app[home], id, &r, &made) == ERR_OK && n % 8 == 0) {
			struct status_change change = { .status = "aangenomen" };
			struct referral_made next;
			char which[ID_TEXT_LEN];

			if (referral_status(&ec, s->w.app[home], made.id, &change, which, &next) != ERR_OK)
				die(&ec, "status");
		} else if (ec.msg != NULL) {
			die(&ec, "referral");
		}
	}
	if (n % 5 == 3) {
		struct contact_fields change = { .text = "verbeterd" };
		char out[ID_TEXT_LEN];

		if (contact_edit(&ec, s->w.app[home], id, &change, out) != ERR_OK)
			die(&ec, "edit");
	}
}

static struct buf dump_of(struct scene *s, size_t home, int which)
{
	static const char *const spaces[] = { "West", "Plein", "own" };

	return world_dump(&s->w, home, spaces[which]);
}

/* Two people edit the same conversation apart. */
static void two_versions(struct scene *s)
{
	struct contact_list a = { 0 };
	struct contact_query q = { .circle = "Plein" };
	struct errctx ec = { 0 };
	char out[ID_TEXT_LEN];

	assert_int_equal(contact_list_some(&ec, s->w.app[MINE], &q, &a), ERR_OK);
	for (size_t i = 0; i < 3 && i < a.n; i++) {
		struct contact_fields mine = { .text = "zo was het" };
		struct contact_fields theirs = { .text = "nee, zo" };

		assert_int_equal(contact_edit(&ec, s->w.app[MINE], a.item[i].id, &mine, out), ERR_OK);
		assert_int_equal(contact_edit(&ec, s->w.app[OTHER], a.item[i].id, &theirs, out), ERR_OK);
	}
	contact_list_free(&a);
}

static void scene_begin(struct scene *s)
{
	static const char *const nick[] = { "Coordinator", "Een", "Twee" };
	struct errctx ec = { 0 };

	*s = (struct scene){ .base = "/dev/shm/slb-repair-XXXXXX" };
	if (access("/dev/shm", W_OK) == 0 && mkdtemp(s->base) != NULL)
		setenv("TMPDIR", s->base, 1);
	world_begin(&s->w);
	for (size_t i = 0; i < 3; i++)
		world_home(&s->w, nick[i]);
	assert_int_equal(app_found_neighbourhood(&ec, s->w.app[0], "West", s->w.remote), ERR_OK);
	world_sync(&s->w, 0);
	world_invite(&s->w, 0, MINE, NULL, NULL);
	assert_int_equal(app_found_circle(&ec, s->w.app[MINE], "Plein"), ERR_OK);
	world_sync(&s->w, MINE);
	world_invite(&s->w, MINE, OTHER, "Plein", NULL);
	for (size_t i = 0; i < 60; i++) {
		log_one(s, i % 3 == 2 ? OTHER : MINE, i);
		if (i % 15 == 9) {
			world_sync(&s->w, MINE);
			world_sync(&s->w, OTHER);
		}
		if (i % 20 == 15) {
			moment_take(s, &s->older[s->olders++]); /* with a log */
			world_reopen(&s->w, MINE);
			moment_take(s, &s->older[s->olders++]);
		}
		if (i == 30)
			two_versions(s);
	}
	for (int i = 0; i < 2; i++) {
		world_sync(&s->w, MINE);
		world_sync(&s->w, OTHER);
	}
	world_sync(&s->w, MINE);
	for (int i = 0; i < 3; i++)
		s->dump[i] = dump_of(s, MINE, i);
	assert_true(s->dump[1].len > 5000);
	moment_take(s, &s->killed);
	assert_true(s->killed.file[WAL].len > 0);
	home_close(s);
	moment_take(s, &s->closed);
	assert_int_equal(s->closed.file[WAL].len, 0);
}

static void scene_end(struct scene *s)
{
	for (size_t i = 0; i < s->olders; i++)
		moment_free(&s->older[i]);
	for (int i = 0; i < 3; i++)
		buf_free(&s->dump[i]);
	moment_free(&s->closed);
	moment_free(&s->killed);
	world_end(&s->w);
	rmdir(s->base);
}

/* ---- Damage ---- */

enum blow {
	FLIP_DB,
	FLIP_WAL,
	FLIP_MARK,
	ZERO,
	SWAP,
	CUT,
	OLD_PAGE,
	CUT_WAL,
	NO_WAL,
	OLD_WAL,
	NO_MARK,
	OLD_MARK,
	KINDS
};
static const char *const kind_names[KINDS] = { "bit flipped in vault.db",
	                                       "bit flipped in the log",
	                                       "bit flipped in vault.mark",
	                                       "page zeroed",
	                                       "two pages swapped",
	                                       "database cut off",
	                                       "older page put back",
	                                       "log cut off",
	                                       "log gone",
	                                       "older log put back",
	                                       "mark gone",
	                                       "older mark put back" };

static void flip(struct buf *b, struct scene *s, const char *name)
{
	uint64_t bit = draw(b->len * 8);

	b->data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	snprintf(s->where, sizeof(s->where), "%s, page %llu, byte %llu", name, (unsigned long long)(bit / 8 / PAGE + 1),
	         (unsigned long long)(bit / 8 % PAGE));
}

/* An older state of one page of the same file, where it had another then. */
static bool old_page(struct scene *s, struct buf *db)
{
	const struct buf *from = &s->older[draw(s->olders)].file[DB];
	uint64_t page = draw(from->len / PAGE);

	if (page >= db->len / PAGE || memcmp(from->data + page * PAGE, db->data + page * PAGE, PAGE) == 0)
		return false;
	memcpy(db->data + page * PAGE, from->data + page * PAGE, PAGE);
	snprintf(s->where, sizeof(s->where), "older page %llu", (unsigned long long)page + 1);
	return true;
}

static bool damage(struct scene *s, enum blow kind, struct moment *m)
{
	struct buf *db = &m->file[DB];
	struct buf *wal = &m->file[WAL];
	uint64_t a = draw(db->len / PAGE);
	uint64_t b = draw(db->len / PAGE);
	uint8_t page[PAGE];

	snprintf(s->where, sizeof(s->where), "%s, page %llu, %llu", kind_names[kind], (unsigned long long)a + 1,
	         (unsigned long long)b + 1);
	switch (kind) {
	case FLIP_DB:
		flip(db, s, names[DB]);
		return true;
	case FLIP_WAL:
		if (wal->len > 0)
			flip(wal, s, names[WAL]);
		return wal->len > 0;
	case FLIP_MARK:
		flip(&m->file[MARK], s, names[MARK]);
		return true;
	case ZERO:
		memset(db->data + a * PAGE, 0, PAGE);
		return true;
	case SWAP:
		memcpy(page, db->data + a * PAGE, PAGE);
		memcpy(db->data + a * PAGE, db->data + b * PAGE, PAGE);
		memcpy(db->data + b * PAGE, page, PAGE);
		return a != b;
	case CUT:
		db->len = draw(db->len - PAGE) + PAGE;
		snprintf(s->where, sizeof(s->where), "cut after %zu bytes", db->len);
		return true;
	case OLD_PAGE:
		return old_page(s, db);
	case CUT_WAL:
		wal->len = wal->len > 0 ? 1 + draw(wal->len - 1) : 0;
		return wal->len > 0;
	case NO_WAL:
		a = wal->len;
		wal->len = 0;
		return a > 0;
	case OLD_WAL:
	case OLD_MARK: {
		struct buf *to = kind == OLD_WAL ? wal : &m->file[MARK];
		const struct buf *from = &s->older[draw(s->olders)].file[kind == OLD_WAL ? WAL : MARK];

		buf_reset(to);
		assert_int_equal(buf_put(to, from->data, from->len), ERR_OK);
		return from->len > 0;
	}
	case NO_MARK:
		m->file[MARK].len = 0;
		return true;
	default:
		return false;
	}
}

static bool dumps_equal(struct scene *s)
{
	bool same = true;

	for (int i = 0; i < 3; i++) {
		struct buf now = dump_of(s, MINE, i);

		same = same && bytes_cmp(buf_bytes(&now), buf_bytes(&s->dump[i])) == 0;
		buf_free(&now);
	}
	return same;
}

static void shell(struct scene *s, const char *what)
{
	char command[600];

	snprintf(command, sizeof(command), "cd %s && %s", s->w.dir, what);
	assert_int_equal(system(command), 0);
}

static void forget_kept(struct scene *s)
{
	shell(s, "rm -rf home1/damaged-* home1/next home1/next.part");
}

/* One blow and what becomes of it. */
static void one_case(struct scene *s, enum blow kind, const struct moment *from)
{
	struct moment m = { 0 };
	struct repair_view v = { 0 };
	struct errctx ec = { 0 };
	uint8_t master[32];
	enum err e = ERR_OK;

	moment_copy(from, &m);
	if (!damage(s, kind, &m)) {
		moment_free(&m);
		return;
	}
	s->count[kind].tried++;
	home_close(s);
	forget_kept(s);
	moment_put(s, &m);
	home_shell(s);
	master_of(master);
	e = app_repair(&ec, s->w.app[MINE], master, &v);
	if (e == ERR_OK && dumps_equal(s)) {
		s->count[kind].harmless += !v.needed;
		s->count[kind].repaired += v.needed;
		s->count[kind].fetched += v.fetched;
	} else {
		char text[600];

		s->count[kind].failed++;
		print_message("# not repaired (%s): %d %s\n", s->where, (int)e,
		              ec.msg == NULL ? "the dump differs" : err_text(&ec, NULL, text, sizeof(text)));
		if (e == ERR_OK && !v.needed)
			fail_msg("wrong without a word: %s", s->where);
	}
	if (e == ERR_OK) {
		struct sync_view sv;
		struct verify_view vv;

		if (app_sync(&ec, s->w.app[MINE], &sv) != ERR_OK || sv.result != SYNC_DONE)
			fail_msg("the sync after %s: %s %s", s->where, sv.why, sv.notice);
		assert_int_equal(sv.set_aside, 0);
		assert_int_equal(app_verify(&ec, s->w.app[MINE], &vv), ERR_OK);
	}
	moment_free(&m);
}

static void test_every_kind(void **state)
{
	static const unsigned shares[KINDS] = { 70, 50, 20, 40, 40, 12, 80, 10, 2, 8, 2, 6 };
	struct scene s;
	size_t tried = 0;
	size_t failed = 0;

	(void)state;
	scene_begin(&s);
	print_message("# vault of %zu pages, log of %zu frames\n", s.closed.file[DB].len / PAGE,
	              (s.killed.file[WAL].len - WAL_HEAD) / FRAME);
	for (int kind = 0; kind < KINDS; kind++) {
		for (size_t i = 0; i < shares[kind] * random_soak(); i++)
			one_case(&s, kind,
			         draw(2) == 0 && kind != FLIP_WAL && kind != CUT_WAL && kind != NO_WAL ? &s.closed
			                                                                               : &s.killed);
		print_message("# %s: %zu tried, %zu harmless, %zu repaired, %zu not; %llu batches fetched again\n",
		              kind_names[kind], s.count[kind].tried, s.count[kind].harmless, s.count[kind].repaired,
		              s.count[kind].failed, (unsigned long long)s.count[kind].fetched);
		tried += s.count[kind].tried;
		failed += s.count[kind].failed;
	}
	print_message("# seed %d: %zu of %zu are as they were\n", SEED, tried - failed, tried);
	scene_end(&s);
	assert_true(failed * 100 <= tried);
}

/* ---- Before a sync, and in the background ---- */

static enum err home_open(struct scene *s, struct errctx *ec)
{
	char courier[600];
	struct app_options o = { .home = s->w.home[MINE], .clock = &s->w.clock, .courier = courier };
	uint8_t master[32];

	snprintf(courier, sizeof(courier), "%s/sleutelbos-courier",
	         getenv("BUILD") != NULL ? getenv("BUILD") : "build");
	home_close(s);
	master_of(master);
	return app_open_with_key(ec, &o, master, false, NULL, &s->w.app[MINE]);
}

static char *remote_refs(struct scene *s)
{
	char command[600];
	static char out[1 << 14];
	FILE *pipe = NULL;
	size_t n = 0;

	snprintf(command, sizeof(command), "git -C %s for-each-ref", s->w.remote);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	n = fread(out, 1, sizeof(out) - 1, pipe);
	pclose(pipe);
	out[n] = '\0';
	return strdup(out);
}

/* Every page that was another one earlier, put back as it was then, one at a time: found by the background, and nothing
 * leaves the home. */
static void test_old_pages_stay_home(void **state)
{
	struct scene s;
	struct moment m = { 0 };
	char *refs = NULL;
	size_t planted = 0;
	size_t opened = 0;

	(void)state;
	scene_begin(&s);
	moment_put(&s, &s.closed);
	refs = remote_refs(&s);
	for (size_t o = 0; o < s.olders; o++) {
		const struct buf *from = &s.older[o].file[DB];

		for (size_t page = 0; page < from->len / PAGE && page < s.closed.file[DB].len / PAGE; page++) {
			struct errctx ec = { 0 };
			struct sync_view v;
			char *now = NULL;

			if (memcmp(from->data + page * PAGE, s.closed.file[DB].data + page * PAGE, PAGE) == 0)
				continue;
			home_close(&s);
			moment_copy(&s.closed, &m);
			memcpy(m.file[DB].data + page * PAGE, from->data + page * PAGE, PAGE);
			moment_put(&s, &m);
			planted++;
			if (home_open(&s, &ec) != ERR_OK)
				continue;
			opened++;
			if (app_sync(&ec, s.w.app[MINE], &v) != ERR_DAMAGED)
				fail_msg("page %zu of moment %zu went to a sync", page + 1, o);
			now = remote_refs(&s);
			assert_string_equal(now, refs);
			free(now);
			home_close(&s);
			moment_put(&s, &m);
			err_clear(&ec);
			assert_int_equal(home_open(&s, &ec), ERR_OK);
			while (app_watch_step(s.w.app[MINE]))
				;
			assert_int_equal(app_watch(s.w.app[MINE]).state, WATCH_DAMAGED);
			assert_non_null(app_warning(s.w.app[MINE]));
		}
	}
	print_message("# %zu older pages: %zu refused at opening, %zu before the sync\n", planted, planted - opened,
	              opened);
	assert_true(planted > 60);
	/* and a sound home is found so */
	home_close(&s);
	moment_put(&s, &s.closed);
	assert_int_equal(home_open(&s, &(struct errctx){ 0 }), ERR_OK);
	assert_int_equal(app_watch(s.w.app[MINE]).state, WATCH_RUNNING);
	while (app_watch_step(s.w.app[MINE]))
		;
	assert_int_equal(app_watch(s.w.app[MINE]).state, WATCH_WHOLE);
	log_one(&s, MINE, 100);
	assert_false(app_watch_step(s.w.app[MINE]) && app_watch(s.w.app[MINE]).state == WATCH_DAMAGED);
	world_sync(&s.w, MINE);
	moment_free(&m);
	free(refs);
	scene_end(&s);
}

/* ---- What was never sent ---- */

/* One page after the other is damaged in a home with edits that were not sent: what is readable is there afterwards,
 * and what is not is counted. */
static void test_unsent(void **state)
{
	struct scene s;
	struct moment before = { 0 };
	struct moment m = { 0 };
	uint64_t unsent = 0;
	uint64_t kept = 0;
	uint64_t restored = 0;
	uint64_t lost = 0;
	size_t contacts = 0;
	bool sent = false;
	struct buf dump = { 0 };
	struct buf other_now = { 0 };
	struct contact_query q = { .circle = "Plein" };
	struct contact_list list = { 0 };
	struct status_view sv;

	(void)state;
	scene_begin(&s);
	assert_int_equal(home_open(&s, &(struct errctx){ 0 }), ERR_OK);
	for (size_t i = 200; i < 216; i++)
		log_one(&s, MINE, i);
	assert_int_equal(contact_list_some(NULL, s.w.app[MINE], &q, &list), ERR_OK);
	contacts = list.n;
	contact_list_free(&list);
	assert_int_equal(app_status(NULL, s.w.app[MINE], &sv), ERR_OK);
	unsent = sv.unsent;
	app_status_free(&sv);
	dump = dump_of(&s, MINE, 1);
	home_close(&s);
	moment_take(&s, &before);
	for (size_t page = 0; page < before.file[DB].len / PAGE; page++) {
		struct errctx ec = { 0 };
		struct repair_view v = { 0 };
		struct buf now = { 0 };
		uint8_t master[32];

		home_close(&s);
		forget_kept(&s);
		moment_copy(&before, &m);
		m.file[DB].data[page * PAGE + 1000] ^= 4;
		moment_put(&s, &m);
		home_shell(&s);
		master_of(master);
		if (app_repair(&ec, s.w.app[MINE], master, &v) != ERR_OK)
			die(&ec, "repair");
		assert_true(v.repaired);
		assert_int_equal(v.edits_kept + v.edits_restored + v.edits_lost, unsent);
		assert_int_equal(contact_list_some(NULL, s.w.app[MINE], &q, &list), ERR_OK);
		assert_true(list.n + v.edits_lost >= contacts);
		contact_list_free(&list);
		now = dump_of(&s, MINE, 1);
		if (v.edits_lost == 0 && v.edits_restored == 0)
			assert_int_equal(bytes_cmp(buf_bytes(&now), buf_bytes(&dump)), 0);
		buf_free(&now);
		kept += v.edits_kept;
		restored += v.edits_restored;
		lost += v.edits_lost;
		/* it goes out, and the others read it: no gap, no number used twice */
		if (v.edits_restored + v.edits_lost > 0 && !sent) {
			struct sync_view y;

			sent = true;
			shell(&s, "cp -a remote.git remote.before");
			if (app_sync(&ec, s.w.app[MINE], &y) != ERR_OK)
				die(&ec, "sync");
			assert_int_equal(y.result, SYNC_DONE);
			y = world_sync(&s.w, OTHER);
			assert_int_equal(y.set_aside, 0);
			assert_true(y.received > 0);
			other_now = dump_of(&s, OTHER, 1);
			now = dump_of(&s, MINE, 1);
			assert_int_equal(bytes_cmp(buf_bytes(&now), buf_bytes(&other_now)), 0);
			buf_free(&now);
			buf_free(&other_now);
			shell(&s, "rm -rf remote.git && mv remote.before remote.git && rm -rf home1/courier/repo-*");
		}
	}
	assert_true(sent);
	print_message(
	    "# %llu unsent edits, pages damaged one by one: %llu kept, %llu read back from records, %llu lost\n",
	    (unsigned long long)unsent, (unsigned long long)kept, (unsigned long long)restored,
	    (unsigned long long)lost);
	buf_free(&dump);
	moment_free(&before);
	moment_free(&m);
	scene_end(&s);
}

/* ---- What came meanwhile ---- */

/* A repair that fetches brings news in before one's own unsent edit is sealed. That edit had not seen it, so both stand
 * (S1, M2). */
static void test_not_seen(void **state)
{
	struct scene s;
	struct moment m = { 0 };
	struct contact_query q = { .circle = "Plein" };
	struct contact_list list = { 0 };
	struct contact_fields mine = { .text = "wat ik hoorde" };
	struct contact_fields theirs = { .text = "wat de ander hoorde" };
	struct repair_view v = { 0 };
	struct errctx ec = { 0 };
	struct buf a = { 0 };
	struct buf b = { 0 };
	char id[ID_TEXT_LEN];
	char out[ID_TEXT_LEN];
	uint8_t master[32];

	(void)state;
	scene_begin(&s);
	assert_int_equal(home_open(&s, &ec), ERR_OK);
	assert_int_equal(contact_list_some(&ec, s.w.app[MINE], &q, &list), ERR_OK);
	snprintf(id, sizeof(id), "%s", list.item[0].id);
	contact_list_free(&list);
	assert_int_equal(contact_edit(&ec, s.w.app[MINE], id, &mine, out), ERR_OK);
	assert_int_equal(contact_edit(&ec, s.w.app[OTHER], id, &theirs, out), ERR_OK);
	world_sync(&s.w, OTHER);
	home_close(&s);
	shell(&s, "rm -rf home1/courier/repo-*");
	moment_take(&s, &m);
	for (size_t i = 20; i < 40; i++) /* several, so that the repository is asked */
		m.file[DB].data[i * PAGE + 9] ^= 1;
	moment_put(&s, &m);
	home_shell(&s);
	master_of(master);
	if (app_repair(&ec, s.w.app[MINE], master, &v) != ERR_OK)
		die(&ec, "repair");
	assert_true(v.fetched > 0 && v.edits_kept + v.edits_restored == 1);
	assert_int_equal(contact_show(&ec, s.w.app[MINE], id, &list), ERR_OK);
	assert_int_equal(list.item[0].two, 1);
	contact_list_free(&list);
	world_sync(&s.w, MINE);
	world_sync(&s.w, OTHER);
	a = dump_of(&s, MINE, 1);
	b = dump_of(&s, OTHER, 1);
	assert_int_equal(bytes_cmp(buf_bytes(&a), buf_bytes(&b)), 0);
	buf_free(&a);
	buf_free(&b);
	moment_free(&m);
	scene_end(&s);
}

/* ---- Spares ---- */

/* How often some bytes stand on the pages of the closed home. */
static size_t on_pages(struct scene *s, const void *what, size_t len)
{
	struct vault_pages *pages = NULL;
	uint8_t page[PAGES_SIZE];
	uint8_t master[32];
	size_t n = 0;

	master_of(master);
	assert_int_equal(vault_pages_open(NULL, s->w.home[MINE], master, &crypto_rng, &pages), ERR_OK);
	for (uint32_t i = 1; i <= vault_pages_count(pages); i++) {
		const uint8_t *at = page;

		assert_int_equal(vault_pages_get(pages, i, page), ERR_OK);
		while ((at = memmem(at, (size_t)(page + PAGES_USABLE - at), what, len)) != NULL) {
			at += len;
			n++;
		}
	}
	vault_pages_close(pages);
	return n;
}

/* A kept key stands twice, on two pages; destroyed, it is nowhere (K3). */
static void test_spares(void **state)
{
	static const char key[] = "a key of which there must be two, and then none";
	struct scene s;
	struct errctx ec = { 0 };

	(void)state;
	scene_begin(&s);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(home_open(&s, &ec), ERR_OK);
		assert_int_equal(store_begin(&ec, s.w.app[MINE]->store), ERR_OK);
		assert_int_equal(store_kept_put(&ec, s.w.app[MINE]->store, 1, "test",
		                                (struct bytes){ (const uint8_t *)key, sizeof(key) }),
		                 ERR_OK);
		assert_int_equal(store_commit(&ec, s.w.app[MINE]->store), ERR_OK);
		home_close(&s);
		assert_int_equal(on_pages(&s, key, sizeof(key)), 2);
		assert_int_equal(home_open(&s, &ec), ERR_OK);
		assert_int_equal(store_begin(&ec, s.w.app[MINE]->store), ERR_OK);
		if (round == 0) /* written over */
			assert_int_equal(store_kept_put(&ec, s.w.app[MINE]->store, 1, "test",
			                                (struct bytes){ (const uint8_t *)"x", 1 }),
			                 ERR_OK);
		else
			assert_int_equal(store_kept_delete(&ec, s.w.app[MINE]->store, 1, "test"), ERR_OK);
		assert_int_equal(store_commit(&ec, s.w.app[MINE]->store), ERR_OK);
		home_close(&s);
		assert_int_equal(on_pages(&s, key, sizeof(key)), 0);
	}
	scene_end(&s);
}

/* ---- No repository in reach ---- */

/* What is only derived is made again without it; what must be fetched is asked for, and nothing changes. */
static void test_without_remote(void **state)
{
	struct scene s;
	struct moment m = { 0 };
	struct moment after = { 0 };
	size_t alone = 0;
	size_t later = 0;

	(void)state;
	scene_begin(&s);
	shell(&s, "mv remote.git away.git && rm -rf home1/courier/repo-*");
	for (size_t page = 0; page < s.closed.file[DB].len / PAGE; page++) {
		struct errctx ec = { 0 };
		struct repair_view v = { 0 };
		uint8_t master[32];
		enum err e = ERR_OK;

		home_close(&s);
		forget_kept(&s);
		moment_copy(&s.closed, &m);
		m.file[DB].data[page * PAGE + 77] ^= 1;
		moment_put(&s, &m);
		home_shell(&s);
		master_of(master);
		e = app_repair(&ec, s.w.app[MINE], master, &v);
		if (e == ERR_OK) {
			assert_true(dumps_equal(&s));
			alone++;
			continue;
		}
		assert_int_equal(e, ERR_LATER);
		home_close(&s);
		moment_take(&s, &after);
		for (int i = 0; i < 2; i++)
			assert_int_equal(bytes_cmp(buf_bytes(&after.file[i]), buf_bytes(&m.file[i])), 0);
		later++;
	}
	print_message("# without a repository: %zu pages made again, %zu must wait for it\n", alone, later);
	assert_true(alone > later && later > 0);
	moment_free(&m);
	moment_free(&after);
	scene_end(&s);
}

/* Log and record of the same edits both gone: they are lost, and said to be; what comes after them is kept, goes out,
 * and reads the same at the others. */
static void test_lost(void **state)
{
	struct scene s;
	struct moment before = { 0 };
	struct moment m = { 0 };
	size_t pages = 0;
	size_t with_loss = 0;
	uint64_t lost = 0;
	bool sent = false;

	(void)state;
	scene_begin(&s);
	assert_int_equal(home_open(&s, &(struct errctx){ 0 }), ERR_OK);
	for (size_t i = 300; i < 330; i++)
		log_one(&s, MINE, i);
	home_close(&s);
	moment_take(&s, &before);
	pages = before.file[DB].len / PAGE;
	for (size_t i = 0; i < 60 * random_soak(); i++) {
		struct errctx ec = { 0 };
		struct repair_view v = { 0 };
		struct sync_view y;
		struct buf mine = { 0 };
		struct buf theirs = { 0 };
		uint8_t master[32];
		enum err e = ERR_OK;

		home_close(&s);
		forget_kept(&s);
		moment_copy(&before, &m);
		for (int k = 0; k < 12; k++)
			m.file[DB].data[(20 + draw(pages - 20)) * PAGE + 500] ^= 16;
		moment_put(&s, &m);
		home_shell(&s);
		master_of(master);
		e = app_repair(&ec, s.w.app[MINE], master, &v);
		if (e != ERR_OK)
			continue; /* keys as well: nothing was changed */
		with_loss += v.edits_lost > 0;
		lost += v.edits_lost;
		if (v.edits_lost == 0 || sent)
			continue;
		sent = true;
		if (app_sync(&ec, s.w.app[MINE], &y) != ERR_OK)
			die(&ec, "sync");
		assert_int_equal(y.result, SYNC_DONE);
		y = world_sync(&s.w, OTHER);
		assert_int_equal(y.set_aside, 0);
		mine = dump_of(&s, MINE, 1);
		theirs = dump_of(&s, OTHER, 1);
		assert_int_equal(bytes_cmp(buf_bytes(&mine), buf_bytes(&theirs)), 0);
		buf_free(&mine);
		buf_free(&theirs);
		break;
	}
	print_message("# twelve pages at a time: %zu repairs with a loss, %llu edits named\n", with_loss,
	              (unsigned long long)lost);
	assert_true(sent);
	moment_free(&before);
	moment_free(&m);
	scene_end(&s);
}

/* ---- A number that may have been used ---- */

/* The bytes that one row holds in the circle's newest batch of one's own: its name on the way out, its hash. */
static struct buf newest(struct scene *s, const char *sql)
{
	sqlite3_stmt *st = NULL;
	struct buf out = { 0 };

	assert_int_equal(sqlite3_prepare_v2(vault_db(s->w.app[MINE]->vault), sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_int_equal(buf_put(&out, sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0)), ERR_OK);
	assert_true(out.len > 8);
	sqlite3_finalize(st);
	return out;
}

/* Damages every page of the closed home on which these bytes stand. */
static void damage_where(struct scene *s, struct moment *m, const struct buf *what)
{
	struct vault_pages *pages = NULL;
	uint8_t page[PAGES_SIZE];
	uint8_t master[32];
	size_t hit = 0;

	master_of(master);
	assert_int_equal(vault_pages_open(NULL, s->w.home[MINE], master, &crypto_rng, &pages), ERR_OK);
	for (uint32_t i = 1; i <= vault_pages_count(pages); i++) {
		assert_int_equal(vault_pages_get(pages, i, page), ERR_OK);
		if (memmem(page, PAGES_USABLE, what->data, what->len) == NULL)
			continue;
		m->file[DB].data[(size_t)(i - 1) * PAGE + 500] ^= 1;
		hit++;
	}
	vault_pages_close(pages);
	assert_true(hit > 0);
}

static enum err repair_of(struct scene *s, const struct moment *m, struct errctx *ec)
{
	struct repair_view v = { 0 };
	uint8_t master[32];

	home_close(s);
	forget_kept(s);
	moment_put(s, m);
	home_shell(s);
	master_of(master);
	err_clear(ec);
	return app_repair(ec, s->w.app[MINE], master, &v);
}

/* The newest batch of this device and what is known of its sending are both gone, the host does not have it, and only
 * its number is known. It is never given out a second time (S5, S7): nothing is changed until the batch is there again.
 * `sent`: somebody has it, since it had been sent before the host lost it. */
static void number_in_doubt(bool sent)
{
	struct scene s;
	struct moment whole = { 0 };
	struct moment m = { 0 };
	struct moment after = { 0 };
	struct errctx ec = { 0 };
	struct sync_view y;
	struct buf name = { 0 };
	struct buf hash = { 0 };
	struct buf dump = { 0 };
	struct buf now = { 0 };
	char text[600];

	scene_begin(&s);
	assert_int_equal(home_open(&s, &ec), ERR_OK);
	log_one(&s, MINE, 403);
	shell(&s, sent ? "cp -a remote.git remote.before" : "mv remote.git remote.before");
	(void)!app_sync(&ec, s.w.app[MINE], &y);
	assert_true(y.result == (sent ? SYNC_DONE : SYNC_LATER));
	if (sent)
		world_sync(&s.w, OTHER);
	shell(&s, "rm -rf remote.git && mv remote.before remote.git");
	/* the circle's newest batch of one's own */
	name = newest(&s, "SELECT name FROM outgoing ORDER BY n DESC LIMIT 1");
	hash =
	    newest(&s, "SELECT hash FROM batch WHERE b >> 40 = (SELECT max(b >> 40) FROM batch WHERE space = "
	               "(SELECT space FROM outgoing ORDER BY n DESC LIMIT 1) AND b >> 40 IN (SELECT d.n FROM device d, "
	               "space s WHERE d.space = s.n AND d.id = s.me)) ORDER BY b DESC LIMIT 1");
	dump = dump_of(&s, MINE, 1);
	home_close(&s);
	shell(&s, "rm -rf home1/courier/repo-*");
	moment_take(&s, &whole);
	moment_copy(&whole, &m);
	damage_where(&s, &m, &name);
	damage_where(&s, &m, &hash);
	assert_int_equal(repair_of(&s, &m, &ec), ERR_LATER);
	err_text(&ec, NULL, text, sizeof(text));
	if (strstr(text, "nothing tells whether it was sent") == NULL)
		fail_msg("%s", text);
	home_close(&s);
	moment_take(&s, &after);
	for (int i = 0; i < 2; i++)
		assert_int_equal(bytes_cmp(buf_bytes(&after.file[i]), buf_bytes(&m.file[i])), 0);
	if (sent) {
		/* whoever fetched it brings it back, and then all is as it was */
		world_sync(&s.w, OTHER);
		if (repair_of(&s, &m, &ec) != ERR_OK)
			die(&ec, "repair");
		now = dump_of(&s, MINE, 1);
		assert_int_equal(bytes_cmp(buf_bytes(&now), buf_bytes(&dump)), 0);
		assert_int_equal(app_sync(&ec, s.w.app[MINE], &y), ERR_OK);
		assert_int_equal(y.set_aside, 0);
	} else {
		/* where it can be read that the file waits still, it goes out, and the number with it */
		moment_put(&s, &whole);
		moment_copy(&whole, &m);
		damage_where(&s, &m, &hash);
		if (repair_of(&s, &m, &ec) != ERR_OK)
			die(&ec, "repair");
		world_sync(&s.w, MINE);
		y = world_sync(&s.w, OTHER);
		assert_int_equal(y.set_aside, 0);
		assert_true(y.received > 0);
	}
	buf_free(&name);
	buf_free(&hash);
	buf_free(&dump);
	buf_free(&now);
	moment_free(&whole);
	moment_free(&m);
	moment_free(&after);
	scene_end(&s);
}

static void test_number_in_doubt(void **state)
{
	(void)state;
	number_in_doubt(true);
	number_in_doubt(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number_in_doubt), cmocka_unit_test(test_spares),
		cmocka_unit_test(test_not_seen),        cmocka_unit_test(test_without_remote),
		cmocka_unit_test(test_every_kind),      cmocka_unit_test(test_old_pages_stay_home),
		cmocka_unit_test(test_unsent),          cmocka_unit_test(test_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
