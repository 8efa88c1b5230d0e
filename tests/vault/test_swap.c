// SPDX-License-Identifier: EUPL-1.2
// V3, V6: a copy of a vault holds all of it under other keys, and takes the old one's place whole or not at all. Every
// state that a crash between two steps can leave is made by hand and opened.
// Seen to catch: `next` removed where the key opened neither vault; the new vault.mark left unlocked; a swap that was
// ready and not carried out; a link in the place of `next` that is followed, into another home.
#include "kit.h"

#include <sys/file.h>

#include "vault/copy.h"
#include "vault/swap.h"
#include "vault/vault_over.h"

static const uint8_t OTHER[32] = "another master key, of 32 bytes.";

struct scene {
	char *dir;
	char *side; /* dir/next.part */
	struct seed seed;
	struct rng rng;
	char *before; /* what the old vault held */
	char *after;  /* what the new one holds */
};

static struct vault *open_by(const char *dir, const uint8_t *master, const struct rng *rng, enum err *why)
{
	struct vault *v = NULL;

	*why = vault_open(NULL, dir, master, VAULT_OPEN, rng, &v);
	return v;
}

/* An old vault with a log that was not moved, and a copy of it under `master` with one row more. */
static void scene_begin(struct scene *s, const uint8_t *master)
{
	struct vault *v = NULL;
	struct vault *copy = NULL;
	enum err why = ERR_OK;

	*s = (struct scene){ .dir = kit_dir(), .seed = { 77 } };
	s->rng = seed_rng(&s->seed);
	v = kit_open(s->dir, VAULT_CREATE, &s->rng);
	kit_fill(v, 20);
	s->before = kit_dump(v);
	assert_int_equal(swap_begin(NULL, s->dir, &s->side), ERR_OK);
	assert_int_equal(vault_copy(v, NULL, s->side, master), ERR_OK);
	copy = open_by(s->side, master, &s->rng, &why);
	assert_non_null(copy);
	kit_fill(copy, 1);
	s->after = kit_dump(copy);
	vault_close(copy);
	/* the old one ends as a crash leaves it: with its log */
	kit_fill(v, 1);
	free(s->before);
	s->before = kit_dump(v);
	{
		struct buf db = kit_read(s->dir, "vault.db");
		struct buf log = kit_read(s->dir, "vault.db-wal");
		struct buf mark = kit_read(s->dir, "vault.mark");

		vault_close(v);
		kit_write(s->dir, "vault.db", db.data, db.len);
		kit_write(s->dir, "vault.db-wal", log.data, log.len);
		kit_write(s->dir, "vault.mark", mark.data, mark.len);
		assert_true(log.len > 0);
		buf_free(&db);
		buf_free(&log);
		buf_free(&mark);
	}
}

static void scene_end(struct scene *s)
{
	swap_give_up(s->dir);
	kit_dir_free(s->dir);
	free(s->side);
	free(s->before);
	free(s->after);
}

static void move(const struct scene *s, const char *name)
{
	char *from = NULL;
	char *to = file_join(s->dir, name);

	assert_true(asprintf(&from, "%s/%s/%s", s->dir, SWAP_DIR, name) > 0);
	assert_int_equal(rename(from, to), 0);
	free(from);
	free(to);
}

static bool exists(const struct scene *s, const char *name)
{
	char *p = file_join(s->dir, name);
	bool yes = file_exists(p);

	free(p);
	return yes;
}

static void expect(const struct scene *s, const uint8_t *master, const char *content)
{
	enum err why = ERR_OK;
	struct vault *v = open_by(s->dir, master, &s->rng, &why);
	struct vault_report r;
	char *now = NULL;

	assert_non_null(v);
	now = kit_dump(v);
	assert_string_equal(now, content);
	assert_int_equal(vault_verify(v, NULL, &r), ERR_OK);
	assert_true(r.sum_known);
	free(now);
	vault_close(v);
	assert_false(exists(s, SWAP_DIR));
	assert_false(exists(s, SWAP_PART));
}

/* How far the swap had come when it was cut off. */
enum step { PART, READY, LOG_GONE, MARK_MOVED, DB_MOVED, STEPS };

static void crash_at(const struct scene *s, enum step at)
{
	if (at >= READY)
		assert_int_equal(swap_ready(NULL, s->dir), ERR_OK);
	if (at >= LOG_GONE)
		kit_write(s->dir, "vault.db-wal", NULL, 0);
	if (at >= MARK_MOVED)
		move(s, "vault.mark");
	if (at >= DB_MOVED)
		move(s, "vault.db");
}

static void same_key_at_every_step(void **state)
{
	(void)state;
	for (enum step at = PART; at < STEPS; at++) {
		struct scene s;

		scene_begin(&s, KIT_MASTER);
		crash_at(&s, at);
		expect(&s, KIT_MASTER, at >= READY ? s.after : s.before);
		scene_end(&s);
	}
}

static void new_key_at_every_step(void **state)
{
	(void)state;
	for (enum step at = PART; at < STEPS; at++) {
		struct scene s;
		enum err why = ERR_OK;

		scene_begin(&s, OTHER);
		crash_at(&s, at);
		if (at == PART || at == READY) {
			/* the key file was not replaced: the old key opens the old vault and clears the attempt */
			if (at == READY) {
				static const uint8_t stranger[32] = "a key that belongs to neither";

				assert_null(open_by(s.dir, stranger, &s.rng, &why));
				assert_int_equal(why, ERR_DAMAGED);
				assert_true(exists(&s, SWAP_DIR));
			}
			expect(&s, KIT_MASTER, s.before);
		} else {
			expect(&s, OTHER, s.after);
		}
		scene_end(&s);
	}
}

/* Where the key file was replaced, and nothing moved yet. */
static void new_key_after_its_moment(void **state)
{
	struct scene s;
	enum err why = ERR_OK;

	(void)state;
	scene_begin(&s, OTHER);
	crash_at(&s, READY);
	expect(&s, OTHER, s.after);
	assert_null(open_by(s.dir, KIT_MASTER, &s.rng, &why));
	assert_int_equal(why, ERR_DAMAGED);
	scene_end(&s);
}

/* Nobody gets in between while the marks change places. */
static void the_lock_moves_along(void **state)
{
	struct scene s;
	struct vault *v = NULL;
	enum err why = ERR_OK;
	char *mark = NULL;
	int fd = -1;

	(void)state;
	scene_begin(&s, KIT_MASTER);
	crash_at(&s, READY);
	v = open_by(s.dir, KIT_MASTER, &s.rng, &why);
	assert_non_null(v);
	mark = file_join(s.dir, "vault.mark");
	fd = open(mark, O_RDWR);
	assert_int_not_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	close(fd);
	assert_null(open_by(s.dir, KIT_MASTER, &s.rng, &why));
	assert_int_equal(why, ERR_LATER);
	vault_close(v);
	free(mark);
	scene_end(&s);
}

static void a_waiting_swap_is_not_thrown_away(void **state)
{
	struct scene s;
	char *side = NULL;

	(void)state;
	scene_begin(&s, KIT_MASTER);
	crash_at(&s, READY);
	assert_int_equal(swap_begin(NULL, s.dir, &side), ERR_LATER);
	assert_null(side);
	expect(&s, KIT_MASTER, s.after);
	scene_end(&s);
}

/* A rest that is too short to be a vault opens under no key: it goes where the vault does open, and stays where not. */
static void a_rest_that_is_no_vault(void **state)
{
	struct scene s;
	enum err why = ERR_OK;
	char *rest = NULL;
	struct vault *v = NULL;

	(void)state;
	scene_begin(&s, KIT_MASTER);
	crash_at(&s, READY);
	rest = file_join(s.dir, "next");
	kit_write(rest, "vault.db", (const uint8_t *)"half a page", 11);
	assert_null(open_by(s.dir, OTHER, &s.rng, &why));
	assert_int_equal(why, ERR_DAMAGED);
	assert_true(file_exists(rest));
	v = open_by(s.dir, KIT_MASTER, &s.rng, &why);
	assert_non_null(v);
	assert_false(file_exists(rest));
	vault_close(v);
	free(rest);
	scene_end(&s);
}

/* A page of the copy does not open in the place of the same page of the original, also under the same master key. */
static void pages_cannot_change_places(void **state)
{
	struct scene s;
	struct buf old;
	struct buf copy;
	struct vault *v = NULL;
	struct vault_report r;
	enum err why = ERR_OK;

	(void)state;
	scene_begin(&s, KIT_MASTER);
	old = kit_read(s.dir, "vault.db");
	copy = kit_read(s.side, "vault.db");
	assert_true(copy.len > 3 * 4096u);
	assert_true(old.len >= 4096u);
	memcpy(copy.data + 2 * 4096, old.data + (old.len >= 3 * 4096u ? 2 * 4096 : 0), 4096);
	kit_write(s.side, "vault.db", copy.data, copy.len);
	v = open_by(s.side, KIT_MASTER, &s.rng, &why);
	if (v != NULL)
		assert_int_equal(vault_verify(v, NULL, &r), ERR_DAMAGED);
	else
		assert_int_equal(why, ERR_DAMAGED);
	vault_close(v);
	buf_free(&old);
	buf_free(&copy);
	scene_end(&s);
}

/* What does not open is not laundered into a copy that does. */
static void damage_is_not_copied(void **state)
{
	char *dir = kit_dir();
	char *side = NULL;
	struct seed seed = { 78 };
	struct rng rng = seed_rng(&seed);
	struct vault *v = kit_open(dir, VAULT_CREATE, &rng);
	struct buf db;
	enum err why = ERR_OK;
	char *copied = NULL;

	(void)state;
	kit_fill(v, 60);
	vault_close(v);
	db = kit_read(dir, "vault.db");
	db.data[db.len - 4096 + 100] ^= 1;
	kit_write(dir, "vault.db", db.data, db.len);
	v = open_by(dir, KIT_MASTER, &rng, &why);
	assert_non_null(v);
	assert_int_equal(swap_begin(NULL, dir, &side), ERR_OK);
	assert_int_equal(vault_copy(v, NULL, side, KIT_MASTER), ERR_DAMAGED);
	copied = file_join(side, "vault.db");
	assert_false(file_exists(copied));
	vault_close(v);
	swap_give_up(dir);
	kit_dir_free(dir);
	buf_free(&db);
	free(copied);
	free(side);
}

/* A home that somebody handed over may have links in it, to a home that is somebody's own. */
static void a_link_leads_nowhere(void **state)
{
	static const char *const names[] = { "next", "next.part" };
	struct scene s;
	char *own = kit_dir();
	struct buf db = { 0 };

	(void)state;
	scene_begin(&s, OTHER);
	swap_give_up(s.dir);
	db = kit_read(s.dir, "vault.db");
	for (int i = 0; i < 2; i++) {
		char *link = file_join(s.dir, names[i]);
		char *theirs = file_join(own, "vault.db");
		struct buf now = { 0 };

		assert_int_equal(file_replace(NULL, theirs, buf_bytes(&db)), ERR_OK);
		assert_int_equal(symlink(own, link), 0);
		expect(&s, KIT_MASTER, s.before);
		assert_int_equal(file_read(NULL, theirs, 1u << 28, &now), ERR_OK);
		assert_int_equal(bytes_cmp(buf_bytes(&now), buf_bytes(&db)), 0);
		assert_int_not_equal(access(link, F_OK), 0);
		buf_free(&now);
		free(link);
		free(theirs);
	}
	buf_free(&db);
	kit_dir_free(own);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_key_at_every_step),
		cmocka_unit_test(new_key_at_every_step),
		cmocka_unit_test(new_key_after_its_moment),
		cmocka_unit_test(the_lock_moves_along),
		cmocka_unit_test(a_waiting_swap_is_not_thrown_away),
		cmocka_unit_test(a_rest_that_is_no_vault),
		cmocka_unit_test(a_link_leads_nowhere),
		cmocka_unit_test(pages_cannot_change_places),
		cmocka_unit_test(damage_is_not_copied),
	};

	assert_int_equal(vault_start(), ERR_OK);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
