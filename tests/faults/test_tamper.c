// SPDX-License-Identifier: EUPL-1.2
// Goal (V2, S4): one flipped bit, anywhere in a home or in the repository, is noticed or does no harm. Nothing that
// was not written is ever shown, nothing goes missing without a word, nothing crashes; where it hit one member's
// branch, the batches of the others still arrive; and once the repository is whole again, so is everybody.
//
// 1,000 seeded flips: database, log and mark of a home that was killed; its key file; the repository's objects and
// branches; the courier's cache of it. SLB_SOAK=n makes n times as many. Then whole pieces: pages, logs, marks and
// databases of an earlier day put back, pages swapped, zeroed and cut off (V5). tests/vault/ asks more of the vault
// alone.
//
// Seen to fail when: the vault takes a page whose tag does not match; a damaged frame is taken for a torn tail; a list
// leaves out what it cannot read and says nothing.
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
#include "base/file.h"
#include "crypto/secret.h"
#include "faults/stage.h"
#include "model/random.h"
#include "vault/keyfile.h"

#define A 1
#define B 2
#define C 3
#define SEED 20251109

/* ---- Chance ---- */

static struct random chance = { SEED };

static uint64_t draw(uint64_t below)
{
	return random_below(&chance, below);
}

static size_t flips(size_t ordinary)
{
	return ordinary * random_soak();
}

/* ---- Files and what became of them ---- */

struct held {
	char path[400];
	struct buf content;
};

static struct held hold(const char *path)
{
	struct held h = { 0 };
	struct errctx ec = { 0 };

	snprintf(h.path, sizeof(h.path), "%s", path);
	assert_int_equal(file_read(&ec, path, 1u << 26, &h.content), ERR_OK);
	assert_true(h.content.len > 0);
	return h;
}

/* As it was, in the same inode: a read-only file of git is written all the same. */
static void put_back(const struct held *h)
{
	FILE *f = NULL;

	chmod(h->path, 0600);
	f = fopen(h->path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(h->content.data, 1, h->content.len, f), h->content.len);
	assert_int_equal(fclose(f), 0);
}

/* Where the bit was, for the one who reads a failure. */
static char where[512];

static int say_where(void **state)
{
	(void)state;
	print_message("# seed %d, last flip: %s\n", SEED, where);
	return 0;
}

static void flip(const struct held *h, uint64_t bit)
{
	struct held changed = { .content = { 0 } };

	memcpy(changed.path, h->path, sizeof(changed.path));
	assert_int_equal(buf_put(&changed.content, h->content.data, h->content.len), ERR_OK);
	changed.content.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	put_back(&changed);
	buf_free(&changed.content);
	snprintf(where, sizeof(where), "%s, byte %llu of %zu, bit %llu", h->path, (unsigned long long)(bit / 8),
	         h->content.len, (unsigned long long)(bit % 8));
}

struct counts {
	size_t tried;
	size_t detected;
	size_t harmless;
	size_t repaired;
};

static void say(const char *what, const struct counts *c)
{
	print_message("# %s: %zu flips, %zu detected, %zu harmless, %zu repaired\n", what, c->tried, c->detected,
	              c->harmless, c->repaired);
	assert_int_equal(c->tried, c->detected + c->harmless + c->repaired);
}

/* A failure always comes with a sentence. */
static bool noticed(enum err e, const struct errctx *ec)
{
	if (e == ERR_OK)
		return false;
	if (ec->code == ERR_OK || strlen(ec->msg) < 10)
		fail_msg("an error %d without a sentence", (int)e);
	return true;
}

/* The texts a home shows are all of `all`, none twice. Returns how many; *error when the list could not be had. */
static size_t shown(struct stage *s, size_t home, const struct texts *all, bool *error)
{
	struct contact_query q = { 0 };
	struct contact_list list = { 0 };
	struct errctx ec = { 0 };
	bool seen[TEXTS_MAX] = { false };
	size_t n = 0;

	*error = noticed(contact_list_some(&ec, s->w.app[home], &q, &list), &ec);
	for (size_t i = 0; !*error && i < list.n; i++) {
		size_t k = 0;

		while (k < all->n && strcmp(list.item[i].text, all->text[k]) != 0)
			k++;
		if (k == all->n || seen[k])
			fail_msg("shown and never written: \"%s\"", list.item[i].text);
		seen[k] = true;
		n++;
	}
	contact_list_free(&list);
	/* Less than all of it comes with a word. */
	if (!*error) {
		err_clear(&ec);
		*error = noticed(app_unread(&ec, s->w.app[home]), &ec);
	}
	return n;
}

/* ---- The vault ---- */

/* Opens, reads, verifies. True when damage was noticed; else all is as it was written. Damage is told by whatever meets
 * it (`at_once`), an older piece by verify. */
static bool vault_noticed(struct stage *s, const struct texts *all, const struct buf *dump, bool at_once)
{
	struct dump_space *list = NULL;
	struct verify_view v;
	struct errctx ec = { 0 };
	bool same = false;
	bool error = false;
	size_t spaces = 0;
	size_t n = 0;
	enum err e = stage_try_open(s, A, &ec);

	if (noticed(e, &ec))
		return true;
	n = shown(s, A, all, &error);
	if (!error && n < all->n && at_once)
		fail_msg("%zu of %zu conversations, without a word", n, all->n);
	e = error ? ERR_DAMAGED : app_dump(&ec, s->w.app[A], CIRCLE, &list, &spaces);
	if (!error && e == ERR_OK) {
		assert_int_equal(spaces, 1);
		same = n == all->n && bytes_cmp(buf_bytes(&list[0].state), buf_bytes(dump)) == 0;
	} else if (!error) {
		error = noticed(e, &ec);
	}
	app_dump_free(list, spaces);
	err_clear(&ec);
	if (noticed(app_verify(&ec, s->w.app[A], &v), &ec))
		return true;
	if (app_warning(s->w.app[A]) != NULL)
		return true;
	if (!error && !same)
		fail_msg("%zu of %zu texts, and no word of damage", n, all->n);
	return error;
}

static void flip_vault(struct stage *s, const char *name, size_t count, const struct texts *all, const struct buf *dump)
{
	static const char *const names[] = { "vault.db", "vault.db-wal", "vault.mark" };
	struct held file[3];
	struct counts c = { 0 };

	for (size_t i = 0; i < 3; i++) {
		char path[400];

		snprintf(path, sizeof(path), "%s/killed/%s", s->w.dir, names[i]);
		file[i] = hold(path);
		snprintf(file[i].path, sizeof(file[i].path), "%s/%s", s->w.home[A], names[i]);
	}
	for (; c.tried < count; c.tried++) {
		stage_close(s, A);
		for (size_t i = 0; i < 3; i++) {
			put_back(&file[i]);
			if (strcmp(names[i], name) == 0)
				flip(&file[i], draw(file[i].content.len * 8));
		}
		if (vault_noticed(s, all, dump, true))
			c.detected++;
		else
			c.harmless++;
	}
	stage_close(s, A);
	for (size_t i = 0; i < 3; i++) {
		put_back(&file[i]);
		buf_free(&file[i].content);
	}
	if (vault_noticed(s, all, dump, true))
		fail_msg("the vault is damaged without a flip");
	stage_close(s, A);
	say(name, &c);
	/* Every byte of these two is sealed; the mark holds what is in it twice. */
	if (strcmp(name, "vault.mark") != 0)
		assert_int_equal(c.harmless, 0);
}

static void test_vault(void **state)
{
	struct stage s;
	struct texts all = { 0 };
	struct dump_space *list = NULL;
	struct buf dump = { 0 };
	struct errctx ec = { 0 };
	size_t spaces = 0;

	(void)state;
	stage_begin(&s, 2);
	for (int i = 0; i < 40; i++) {
		char text[80];

		snprintf(text, sizeof(text), "gesprek nummer %d over brieven en schulden", i);
		stage_log(&s, A, text, &all);
		if (i == 19) { /* the second half stays in the log */
			world_sync(&s.w, A);
			stage_close(&s, A);
			stage_open(&s, A);
		}
	}
	assert_int_equal(app_dump(&ec, s.w.app[A], CIRCLE, &list, &spaces), ERR_OK);
	assert_int_equal(buf_put(&dump, list[0].state.data, list[0].state.len), ERR_OK);
	app_dump_free(list, spaces);
	stage_shell(NULL, "cp -a %s %s/killed", s.w.home[A], s.w.dir);
	flip_vault(&s, "vault.db", flips(300), &all, &dump);
	flip_vault(&s, "vault.db-wal", flips(250), &all, &dump);
	flip_vault(&s, "vault.mark", flips(100), &all, &dump);
	buf_free(&dump);
	stage_end(&s);
}

/* ---- Pieces of another day ---- */

/* A home as it must be, and what it must show. */
struct day {
	const char *name;
	struct texts all;
	struct buf dump;
};

struct days {
	struct stage s;
	struct day past;   /* closed */
	struct day killed; /* on the same day as past, and later: open, with a log */
	struct day killed_later;
	struct day closed; /* after that */
};

/* Keeps the home as it stands, open or not, and what it shows. */
static void keep_day(struct days *d, struct day *day, const char *name, const struct texts *all)
{
	struct dump_space *list = NULL;
	struct errctx ec = { 0 };
	size_t spaces = 0;

	*day = (struct day){ .name = name, .all = *all };
	assert_int_equal(app_dump(&ec, d->s.w.app[A], CIRCLE, &list, &spaces), ERR_OK);
	assert_int_equal(buf_put(&day->dump, list[0].state.data, list[0].state.len), ERR_OK);
	app_dump_free(list, spaces);
	stage_shell(NULL, "cp -a %s %s/%s", d->s.w.home[A], d->s.w.dir, name);
}

static void talk(struct days *d, int n, struct texts *all)
{
	for (int i = 0; i < n; i++) {
		char text[80];

		snprintf(text, sizeof(text), "gesprek %zu over huur, brieven en de school", all->n);
		stage_log(&d->s, A, text, all);
	}
}

static void days_begin(struct days *d)
{
	struct texts all = { 0 };

	*d = (struct days){ 0 };
	stage_begin(&d->s, 2);
	talk(d, 12, &all);
	stage_close(&d->s, A);
	stage_shell(NULL, "cp -a %s %s/keep", d->s.w.home[A], d->s.w.dir);
	stage_open(&d->s, A);
	keep_day(d, &d->past, "past", &all);
	stage_shell(NULL, "cd %s && rm -rf past && mv keep past", d->s.w.dir);
	talk(d, 6, &all);
	keep_day(d, &d->killed, "killed", &all);
	talk(d, 6, &all);
	keep_day(d, &d->killed_later, "killed-later", &all);
	talk(d, 6, &all);
	stage_close(&d->s, A);
	stage_open(&d->s, A);
	keep_day(d, &d->closed, "closed", &all);
	stage_close(&d->s, A);
	stage_shell(NULL, "cd %s && rm -rf closed && cp -a %s closed", d->s.w.dir, d->s.w.home[A]);
}

static void days_end(struct days *d)
{
	buf_free(&d->past.dump);
	buf_free(&d->killed.dump);
	buf_free(&d->killed_later.dump);
	buf_free(&d->closed.dump);
	stage_end(&d->s);
}

static void put_day(struct days *d, const struct day *day)
{
	stage_close(&d->s, A);
	stage_shell(NULL, "cd %s && rm -rf home1 && cp -a %s home1", d->s.w.dir, day->name);
}

struct replay {
	const char *what;
	const char *file; /* of the home */
	const char *from; /* the day it comes from */
	bool harmless;    /* not a word, and all is as it was */
};

static void replay(struct days *d, const struct day *day, const struct replay *r)
{
	bool said = false;

	snprintf(where, sizeof(where), "%s: %s", day->name, r->what);
	put_day(d, day);
	stage_shell(NULL, "cd %s && cp %s home1/%s", d->s.w.dir, r->from, r->file);
	said = vault_noticed(&d->s, &day->all, &day->dump, false);
	if (said == r->harmless)
		fail_msg("%s: %s", where, said ? "damage where there is none" : "not noticed");
}

/* The database as one piece of memory, changed, and put in its place. */
static struct held database(const struct days *d, const char *day)
{
	char path[400];
	struct held h;

	snprintf(path, sizeof(path), "%s/%s/vault.db", d->s.w.dir, day);
	h = hold(path);
	snprintf(h.path, sizeof(h.path), "%s/home1/vault.db", d->s.w.dir);
	return h;
}

enum piece { OLDER, SWAPPED, ZEROED, CUT, PIECES };
static const char *const piece_text[PIECES] = { "older pages put back", "pages swapped", "pages zeroed", "cut off" };

/* One page of `now` is changed; false where that changes nothing. */
static bool change_page(struct held *now, const struct held *past, enum piece piece, size_t page)
{
	uint8_t *at = now->content.data + page * 4096;
	uint8_t other[4096];

	switch (piece) {
	case OLDER:
		if ((page + 1) * 4096 > past->content.len || memcmp(at, past->content.data + page * 4096, 4096) == 0)
			return false;
		memcpy(at, past->content.data + page * 4096, 4096);
		break;
	case SWAPPED:
		if ((page + 2) * 4096 > now->content.len)
			return false;
		memcpy(other, at, 4096);
		memcpy(at, at + 4096, 4096);
		memcpy(at + 4096, other, 4096);
		break;
	case ZEROED:
		memset(at, 0, 4096);
		break;
	case CUT: /* at a page, and within one */
		now->content.len = page * 4096 + (page % 2 == 0 ? 0 : 1000);
		break;
	case PIECES:
		break;
	}
	return true;
}

static void test_pieces(void **state)
{
	struct days d;
	struct held past;
	struct held whole;
	size_t pages = 0;

	(void)state;
	days_begin(&d);
	past = database(&d, "past");
	whole = database(&d, "closed");
	pages = whole.content.len / 4096;
	buf_free(&whole.content);
	for (enum piece piece = OLDER; piece < PIECES; piece++) {
		size_t tried = 0;

		for (size_t page = 0; page < pages; page++) {
			struct held now = database(&d, "closed");

			snprintf(where, sizeof(where), "%s, page %zu", piece_text[piece], page + 1);
			put_day(&d, &d.closed);
			if (change_page(&now, &past, piece, page)) {
				tried++;
				put_back(&now);
				if (!vault_noticed(&d.s, &d.closed.all, &d.closed.dump, piece == ZEROED))
					fail_msg("%s: not noticed", where);
			}
			buf_free(&now.content);
		}
		assert_true(tried > 5);
		print_message("# %s: %zu, all noticed\n", piece_text[piece], tried);
	}
	buf_free(&past.content);
	days_end(&d);
}

static void test_files_of_another_day(void **state)
{
	static const struct replay on_closed[] = {
		{ "nothing", "vault.db", "closed/vault.db", true },
		{ "an older database", "vault.db", "past/vault.db", false },
		{ "an older mark", "vault.mark", "past/vault.mark", false },
		{ "an older mark, later than that", "vault.mark", "killed-later/vault.mark", false },
		/* Its content is in the database, as after a kill before it was removed: it is not read. */
		{ "an old log beside it", "vault.db-wal", "killed/vault.db-wal", true },
		{ "a journal, to be played back", "vault.db-journal", "past/vault.db", true },
		{ "a journal of another kind", "vault.db-journal", "killed/vault.db-wal", true },
		{ "an empty log", "vault.db-wal", "nothing", true },
	};
	static const struct replay on_killed[] = {
		{ "nothing", "vault.db", "killed-later/vault.db", true },
		{ "an older log", "vault.db-wal", "killed/vault.db-wal", false },
		{ "no log", "vault.db-wal", "nothing", false },
		{ "a later database", "vault.db", "closed/vault.db", false },
		{ "a mark of before the log", "vault.mark", "past/vault.mark", true },
		{ "a journal", "vault.db-journal", "past/vault.db", true },
	};
	struct days d;

	(void)state;
	days_begin(&d);
	stage_shell(NULL, ": >%s/nothing", d.s.w.dir);
	for (size_t i = 0; i < sizeof(on_closed) / sizeof(on_closed[0]); i++)
		replay(&d, &d.closed, &on_closed[i]);
	for (size_t i = 0; i < sizeof(on_killed) / sizeof(on_killed[0]); i++)
		replay(&d, &d.killed_later, &on_killed[i]);
	days_end(&d);
}

/* The whole home of an earlier day is whole in itself. The next sync finds its own branch ahead of it (S7). */
static void test_a_home_of_another_day(void **state)
{
	struct texts all = { 0 };
	struct stage s;
	struct sync_view v;
	struct errctx ec = { 0 };

	(void)state;
	stage_begin(&s, 2);
	stage_log(&s, A, "van eergisteren", &all);
	world_sync(&s.w, A);
	stage_close(&s, A);
	stage_shell(NULL, "cp -a %s %s/earlier", s.w.home[A], s.w.dir);
	stage_open(&s, A);
	stage_log(&s, A, "van gisteren", NULL);
	world_sync(&s.w, A);
	stage_close(&s, A);
	stage_shell(NULL, "cd %s && rm -rf home1 && mv earlier home1", s.w.dir);
	stage_open(&s, A);
	stage_verify(&s, A);
	if (!noticed(app_sync(&ec, s.w.app[A], &v), &ec))
		assert_true(v.result != SYNC_DONE || v.notice[0] != '\0' || v.set_aside > 0);
	stage_end(&s);
}

/* ---- The key file ---- */

/* Each derivation seems to take long enough, so that the least cost is chosen. */
static int64_t second_by_second(void *self)
{
	static int64_t now;

	(void)self;
	return now += 1000;
}

static void test_key_file(void **state)
{
	struct clock clock = { second_by_second, NULL };
	struct stage s;
	struct counts single = { 0 };
	struct counts both = { 0 };
	struct bytes passphrase = { (const uint8_t *)"vier losse woorden", 18 };
	uint8_t *master = NULL;
	uint8_t *got = NULL;
	struct errctx ec = { 0 };
	struct held h;
	char path[400];

	(void)state;
	stage_begin(&s, 1);
	master = secret_new(MASTER_KEY_LEN);
	got = secret_new(MASTER_KEY_LEN);
	snprintf(path, sizeof(path), "%s/keys", s.w.dir);
	assert_int_equal(keyfile_create(&ec, path, passphrase, &clock, &crypto_rng, master), ERR_OK);
	h = hold(path);
	/* A derivation each where the whole half stands in, hence so few; spread over all fields of both halves. */
	for (size_t count = flips(20); single.tried < count; single.tried++) {
		uint64_t step = h.content.len * 8 / count;
		enum err e = ERR_OK;

		put_back(&h);
		flip(&h, single.tried * step + draw(step));
		err_clear(&ec);
		e = keyfile_unlock(&ec, path, passphrase, got);
		if (e == ERR_OK) {
			struct held after = hold(path);

			assert_memory_equal(got, master, MASTER_KEY_LEN);
			if (bytes_cmp(buf_bytes(&after.content), buf_bytes(&h.content)) == 0)
				single.repaired++;
			else
				single.harmless++;
			buf_free(&after.content);
		} else {
			single.detected += noticed(e, &ec);
		}
	}
	/* The same bit in both halves: nothing is left to repair from. */
	for (size_t count = flips(200); both.tried < count; both.tried++) {
		uint64_t bit = draw(h.content.len * 4);
		struct held once = h;
		enum err e = ERR_OK;

		put_back(&h);
		flip(&h, bit);
		once = hold(path);
		flip(&once, bit + h.content.len * 4);
		buf_free(&once.content);
		err_clear(&ec);
		e = keyfile_unlock(&ec, path, passphrase, got);
		if (e == ERR_LOCKED || e == ERR_OK)
			fail_msg("both halves changed, and the answer is %d", (int)e);
		both.detected += noticed(e, &ec);
	}
	buf_free(&h.content);
	secret_free(master);
	secret_free(got);
	stage_end(&s);
	say("keys", &single);
	say("keys, both halves", &both);
}

/* ---- The repository ---- */

struct scene {
	struct stage s;
	struct texts all;  /* what C must come to have */
	struct texts of_a; /* what is news to C, by author */
	struct texts of_b;
	size_t unseeing; /* of B's: written before B had seen A's. What has seen a batch waits for it */
	char *names_a;   /* branches and objects that only they need, a line each */
	char *names_b;
};

/* Names of what lies on the branches that changed since `before`, and of those branches. */
static char *changed_names(struct stage *s, const char *before)
{
	const char *out = stage_shell(
	    NULL,
	    "cd %s && git -C remote.git for-each-ref --format='%%(refname) %%(objectname)' >now && "
	    "printf '%%s' '%s' >then && grep -vxFf then now >changed && cut -d' ' -f1 changed && "
	    "git -C remote.git rev-list --objects $(cut -d' ' -f2 changed) --not $(cut -d' ' -f2 then) | cut -c 1-40",
	    s->w.dir, before);

	assert_true(strlen(out) > 100);
	return strdup(out);
}

static char *refs_now(struct stage *s)
{
	return strdup(stage_shell(NULL, "git -C %s for-each-ref --format='%%(refname) %%(objectname)'", s->w.remote));
}

static void log_and_sync(struct scene *x, size_t home, const char *who, struct texts *mine)
{
	for (int i = 0; i < 6; i++) {
		char text[80];

		snprintf(text, sizeof(text), "gesprek %d van %s", i, who);
		stage_log(&x->s, home, text, mine);
		memcpy(x->all.text[x->all.n++], text, sizeof(text));
		if (i % 2 == 1)
			world_sync(&x->s.w, home);
	}
}

static void scene_begin(struct scene *x)
{
	char *refs = NULL;

	*x = (struct scene){ 0 };
	stage_begin(&x->s, 3);
	stage_log(&x->s, A, "van vroeger", &x->all);
	world_sync(&x->s.w, A);
	world_sync(&x->s.w, B);
	world_sync(&x->s.w, C);
	refs = refs_now(&x->s);
	log_and_sync(x, A, "Een", &x->of_a);
	x->names_a = changed_names(&x->s, refs);
	free(refs);
	refs = refs_now(&x->s);
	log_and_sync(x, B, "Twee", &x->of_b);
	x->unseeing = 2;
	x->names_b = changed_names(&x->s, refs);
	free(refs);
	world_sync(&x->s.w, A);
	stage_freeze(&x->s);
}

static void scene_end(struct scene *x)
{
	stage_restore(&x->s);
	stage_end(&x->s);
	free(x->names_a);
	free(x->names_b);
}

/* Is this file of the repository a branch of those, one of their objects, or a pack of nothing else? */
static bool belongs(const struct stage *s, const char *path, const char *names)
{
	const char *refs = strstr(path, "/refs/heads/");
	const char *objects = strstr(path, "/objects/");
	const char *pack = strstr(path, "/pack-");
	char *list = NULL;
	char *rest = NULL;
	char loose[41];
	bool all = true;

	if (refs != NULL)
		return strstr(names, refs + 1) != NULL;
	if (objects != NULL && strlen(objects) == strlen("/objects/xx/") + 38) {
		snprintf(loose, sizeof(loose), "%.2s%.38s", objects + 9, objects + 12);
		return strstr(names, loose) != NULL;
	}
	if (pack == NULL)
		return false;
	list = strdup(stage_shell(NULL, "git show-index <%s/clean/remote.git/objects/pack/%.45s.idx | cut -d' ' -f2",
	                          s->w.dir, pack + 1));
	rest = list;
	for (char *name = NULL; all && (name = strsep(&rest, "\n")) != NULL;)
		all = strstr(names, name) != NULL;
	free(list);
	return all;
}

static size_t arrived(struct stage *s, size_t home, const struct texts *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += stage_count(s, home, t->text[i]) == 1;
	return n;
}

/* Syncs C. True when something was said; what is shown is right in any case. */
static bool sync_noticed(struct scene *x, bool *all_there)
{
	struct sync_view v;
	struct errctx ec = { 0 };
	bool error = false;
	enum err e = app_sync(&ec, x->s.w.app[C], &v);

	*all_there = shown(&x->s, C, &x->all, &error) == x->all.n;
	assert_false(error);
	stage_verify(&x->s, C);
	return noticed(e, &ec) || v.result != SYNC_DONE || v.notice[0] != '\0' || v.set_aside > 0;
}

/* All files below a folder, weighed by their size: a bit anywhere is as likely as any other. */
static struct held draw_file(const char *dir)
{
	static struct {
		size_t size;
		char path[400];
	} file[2048];
	size_t n = 0;
	uint64_t total = 0;
	uint64_t at = 0;
	char *list = strdup(stage_shell(NULL, "find %s -type f -size +0 -printf '%%s %%p\\n' | sort -k 2", dir));
	char *rest = list;

	for (char *line = NULL; (line = strsep(&rest, "\n")) != NULL;) {
		assert_true(n < sizeof(file) / sizeof(file[0]));
		assert_int_equal(sscanf(line, "%zu %399s", &file[n].size, file[n].path), 2);
		total += file[n++].size;
	}
	free(list);
	at = draw(total);
	for (size_t i = 0;; i++) {
		if (at < file[i].size)
			return hold(file[i].path);
		at -= file[i].size;
	}
}

static void flip_repository(struct scene *x, bool packed, size_t count)
{
	struct counts c = { 0 };
	size_t others = 0;
	size_t by_authors = 0;

	for (; c.tried < count; c.tried++) {
		struct held h;
		bool said = false;
		bool there = false;

		stage_restore(&x->s);
		if (packed)
			stage_shell(NULL, "git -C %s repack -adq && git -C %s pack-refs --all", x->s.w.remote,
			            x->s.w.remote);
		stage_open(&x->s, C);
		h = draw_file(x->s.w.remote);
		flip(&h, draw(h.content.len * 8));
		said = sync_noticed(x, &there);
		if (!said && !there)
			fail_msg("work of others is missing, and nothing was said");
		if (!packed && belongs(&x->s, h.path, x->names_a)) {
			struct texts free_of_a = x->of_b;

			free_of_a.n = x->unseeing;
			assert_int_equal(arrived(&x->s, C, &free_of_a), x->unseeing);
			others++;
		}
		if (!packed && belongs(&x->s, h.path, x->names_b)) {
			assert_int_equal(arrived(&x->s, C, &x->of_a), x->of_a.n);
			others++;
		}
		if (said)
			c.detected++;
		else
			c.harmless++;
		/* What was damaged was not taken for good: with the bit as it was, all arrives. Where C took a branch
		 * for gone and put back what it knew of it, its author brings it up to date (S5). */
		put_back(&h);
		buf_free(&h.content);
		world_sync(&x->s.w, C);
		stage_open(&x->s, A);
		if (arrived(&x->s, C, &x->all) < x->all.n) {
			stage_open(&x->s, B);
			world_sync(&x->s.w, A);
			world_sync(&x->s.w, B);
			world_sync(&x->s.w, C);
			by_authors++;
		}
		stage_expect(&x->s, C, &x->all);
		stage_expect_equal(&x->s, A, C);
	}
	say(packed ? "repository, packed" : "repository", &c);
	print_message("# after %zu of them it took the next sync of the authors\n", by_authors);
	if (packed)
		return;
	print_message("# %zu of them hit one member's branch; the batches of the other arrived\n", others);
	assert_true(others * 10 > c.tried);
}

static void flip_cache(struct scene *x, size_t count)
{
	struct counts c = { 0 };

	for (; c.tried < count; c.tried++) {
		struct held h;
		bool said = false;
		bool there = false;
		bool by_itself = false;
		char dir[400];

		stage_restore(&x->s);
		stage_open(&x->s, C);
		snprintf(dir, sizeof(dir), "%s/courier/repo*", x->s.w.home[C]);
		h = draw_file(dir);
		flip(&h, draw(h.content.len * 8));
		buf_free(&h.content);
		said = sync_noticed(x, &there);
		if (!said && !there)
			fail_msg("work of others is missing, and nothing was said");
		by_itself = !said || (!sync_noticed(x, &there) && there);
		if (!said)
			c.harmless++;
		else if (by_itself)
			c.repaired++;
		else
			c.detected++;
		/* It is only a cache. */
		if (!by_itself)
			stage_shell(NULL, "rm -rf %s", dir);
		world_sync(&x->s.w, C);
		stage_expect(&x->s, C, &x->all);
		stage_open(&x->s, A);
		stage_expect_equal(&x->s, A, C);
	}
	say("courier's cache", &c);
}

static void test_repository(void **state)
{
	struct scene x;

	(void)state;
	scene_begin(&x);
	flip_repository(&x, false, flips(170));
	flip_repository(&x, true, flips(80));
	flip_cache(&x, flips(80));
	scene_end(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_vault, say_where),
		cmocka_unit_test_teardown(test_pieces, say_where),
		cmocka_unit_test_teardown(test_files_of_another_day, say_where),
		cmocka_unit_test_teardown(test_a_home_of_another_day, say_where),
		cmocka_unit_test_teardown(test_key_file, say_where),
		cmocka_unit_test_teardown(test_repository, say_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
