// SPDX-License-Identifier: EUPL-1.2
// Goal (S5): whatever a repository does to its branches, it is told, nothing is lost here, and what it took away or put
// in the place of something is put right, by whoever syncs next. A table of lies, told in any order in histories drawn
// by chance; after each, everybody has everything, and in the end somebody who joins gets it all from the repository.
//
// One history in `make test`; SLB_SOAK=n plays n of them. Two worlds: tests/sync/test_bundle.c; an old state for a
// joiner: tests/sync/test_join_floor.c; the same in a simulator, with members that are cut off and killed: tests/sim/.
// Seen to catch: `over` left out (the device whose branch was replaced never sent again); `lost` left out (what both
// lost stayed lost); a tip noted on a fork of an own branch (the next batch followed on the host's commit); notices
// that are never called healed.
#include "app/noticed.h"
#include "model/random.h"
#include "support/asserts.h"
#include "support/shell.h"
#include "sync/forge.h"

#define CIRCLE "Plein"
#define MEMBERS 3 /* of the circle: homes 1 to 3 */

struct history {
	struct world w;
	struct random rnd;
	size_t victim; /* home whose branch it is */
	char ref[REF_MAX + 1];
	char other[REF_MAX + 1]; /* a branch of somebody else */
};

/* The branch of the circle that a home writes on. */
static void branch_of(struct history *h, size_t i, char out[static REF_MAX + 1])
{
	struct sync y = sync_of_home(&h->w, i);
	struct space_row row = space_named(&h->w, i, CIRCLE);
	struct epoch_id epoch;

	assert_ok(epoch_choose(ec, &y, &row, &epoch));
	branch_name(row.tag, epoch, row.my_tag, out);
}

#define SHAPE "author sleutelbos <> 0 +0000\\ncommitter sleutelbos <> 0 +0000\\n\\n"

/* Puts a commit of our shape with this file on top of `parent`, and the branch there. */
static void put_commit(struct history *h, const char *ref, const char *parent, const char *blob, const char *name)
{
	shell("cd %s && t=$(printf '100644 blob %s\\t%s\\n' | git mktree) && c=$(printf \"tree $t\\nparent %s\\n" SHAPE
	      "\" | git hash-object -t commit -w --stdin) && git update-ref %s $c",
	      h->w.remote, blob, name, parent, ref);
}

/* ---- The lies ---- */

static void goes_back(struct history *h)
{
	shell("git -C %s update-ref %s %s~1", h->w.remote, h->ref, h->ref);
}

static void drops(struct history *h)
{
	shell("git -C %s update-ref -d %s", h->w.remote, h->ref);
}

static void drops_and_forgets(struct history *h)
{
	shell("git -C %s update-ref -d %s && git -C %s -c gc.pruneExpire=now gc -q --prune=now", h->w.remote, h->ref,
	      h->w.remote);
}

/* An older copy of the whole repository. */
static void is_put_back(struct history *h)
{
	shell("rm -rf %s && cp -r %s/older %s", h->w.remote, h->w.dir, h->w.remote);
}

static void is_put_back_empty(struct history *h)
{
	shell("rm -rf %s && git init -q --bare %s", h->w.remote, h->w.remote);
}

/* Another newest batch in place of the real one: a byte is changed in it. */
static void changes_a_byte(struct history *h)
{
	char blob[64];

	snprintf(
	    blob, sizeof(blob), "%s",
	    shell("cd %s && git cat-file blob $(git rev-parse %s^{tree}:$(git ls-tree --name-only %s)) >%s/blob && "
	          "printf '\\377\\377' | dd of=%s/blob bs=1 seek=%u conv=notrunc 2>/dev/null && "
	          "git hash-object -w %s/blob",
	          h->w.remote, h->ref, h->ref, h->w.dir, h->w.dir, 200 + (unsigned)random_below(&h->rnd, 1000),
	          h->w.dir));
	put_commit(h, h->ref, shell("git -C %s rev-parse %s~1", h->w.remote, h->ref), blob,
	           shell("git -C %s ls-tree --name-only %s", h->w.remote, h->ref));
}

/* Rubbish in place of all of it. */
static void replaces(struct history *h)
{
	char blob[64];

	snprintf(blob, sizeof(blob), "%s",
	         shell("head -c 3000 /dev/urandom | git -C %s hash-object -w --stdin", h->w.remote));
	shell("cd %s && t=$(printf '100644 blob %s\\trommel-1\\n' | git mktree) && c=$(printf \"tree $t\\n" SHAPE
	      "\" | git hash-object -t commit -w --stdin) && git update-ref %s $c",
	      h->w.remote, blob, h->ref);
}

/* A commit that no program of ours makes. */
static void shows_another_shape(struct history *h)
{
	shell("cd %s && git update-ref %s $(GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=y GIT_COMMITTER_NAME=x "
	      "GIT_COMMITTER_EMAIL=y git commit-tree -m iets -p %s~1 %s^{tree})",
	      h->w.remote, h->ref, h->ref, h->ref);
}

static void swaps_branches(struct history *h)
{
	shell("cd %s && a=$(git rev-parse %s) && b=$(git rev-parse %s) && git update-ref %s $b && git update-ref %s $a",
	      h->w.remote, h->ref, h->other, h->ref, h->other);
}

/* The first file of the branch once more, on top. */
static void replays(struct history *h)
{
	char blob[64];

	snprintf(blob, sizeof(blob), "%s",
	         shell("cd %s && c=$(git rev-list --max-parents=0 %s) && git ls-tree $c | cut -d' ' -f3 | cut -f1",
	               h->w.remote, h->ref));
	put_commit(h, h->ref, shell("git -C %s rev-parse %s", h->w.remote, h->ref), blob, "weer-1");
}

/* A file of the neighbourhood on the branch of a circle, in place of the newest one. */
static void shows_another_spaces(struct history *h)
{
	char ref[REF_MAX + 1];
	struct sync y = sync_of_home(&h->w, 0);
	struct space_row row = space_named(&h->w, 0, "West");
	struct epoch_id epoch;
	char blob[64];

	assert_ok(epoch_choose(ec, &y, &row, &epoch));
	branch_name(row.tag, epoch, row.my_tag, ref);
	snprintf(blob, sizeof(blob), "%s", shell("git -C %s ls-tree %s | cut -d' ' -f3 | cut -f1", h->w.remote, ref));
	put_commit(h, h->ref, shell("git -C %s rev-parse %s~1", h->w.remote, h->ref), blob, "elders-1");
}

/* It lost the branch, and so did the courier's cache of whoever wrote it. */
static void loses_with_the_cache(struct history *h)
{
	drops_and_forgets(h);
	shell("rm -rf %s/courier/repo-*", h->w.home[h->victim]);
}

/* All caches, and all of the repository. */
static void everything_is_lost(struct history *h)
{
	is_put_back_empty(h);
	shell("rm -rf %s/home*/courier/repo-*", h->w.dir);
}

static const struct lie_row {
	const char *name;
	void (*tell)(struct history *h);
	bool harmless; /* nothing is missing by it, so nothing need be said */
} lies[] = {
	{ "goes back", goes_back, false },
	{ "drops a branch", drops, false },
	{ "drops a branch and its objects", drops_and_forgets, false },
	{ "is put back as a whole", is_put_back, false },
	{ "is put back empty", is_put_back_empty, false },
	{ "changes a byte", changes_a_byte, false },
	{ "puts rubbish in its place", replaces, false },
	{ "shows what is of another shape", shows_another_shape, false },
	{ "swaps two branches", swaps_branches, false },
	{ "shows a file again", replays, true },
	{ "shows a file of another space", shows_another_spaces, false },
	{ "lost a branch, and so did its writer's cache", loses_with_the_cache, false },
	{ "lost all, and so did all caches", everything_is_lost, false },
};
#define LIES (sizeof(lies) / sizeof(lies[0]))

/* ---- Histories ---- */

static void write_some(struct history *h)
{
	char text[40];

	for (size_t i = 1; i <= MEMBERS; i++) {
		snprintf(text, sizeof(text), "gesprek %u", (unsigned)random_below(&h->rnd, 1000000));
		contact_in(&h->w, i, CIRCLE, (struct dot){ 0 }, text);
	}
}

static void sync_all(struct history *h)
{
	for (size_t i = 0; i < h->w.n; i++)
		world_sync(&h->w, i);
}

/* Does the sync of anybody say something? All succeed, and lose nothing. */
static bool somebody_tells(struct history *h, const char *lie)
{
	bool told = false;
	size_t from = (size_t)random_below(&h->rnd, h->w.n);

	for (size_t k = 0; k < h->w.n; k++) {
		size_t i = (from + k) % h->w.n;
		struct noticed_view *list = NULL;
		struct sync_view v;
		size_t n = 0;

		assert_ok(app_sync(ec, h->w.app[i], &v));
		assert_ok(app_noticed(ec, h->w.app[i], v.began_ms, &list, &n));
		/* which branch, and evidence */
		for (size_t j = 0; j < n; j++)
			assert_true(list[j].n.ref[0] != '\0' && list[j].n.had[0] != '\0' && list[j].since[0] != '\0');
		free(list);
		told = told || n > 0 || v.set_aside > 0;
		if (v.result == SYNC_PERSON)
			print_message("# %s: home %zu: %s %s\n", lie, i, v.why, v.notice);
	}
	return told;
}

static void is_well(struct history *h, const char *lie)
{
	for (size_t i = 0; i < h->w.n; i++) {
		struct noticed_view *list = NULL;
		struct status_view s;
		size_t n = 0;

		assert_ok(app_noticed(ec, h->w.app[i], INT64_MAX, &list, &n));
		if (n > 0)
			fail_msg("the host %s: home %zu still says %s of %s (%s, %s)", lie, i,
			         noticed_word(list[0].n.what), list[0].n.ref, list[0].n.had, list[0].n.shown);
		free(list);
		assert_ok(app_status(ec, h->w.app[i], &s));
		if (s.unsent > 0)
			fail_msg("the host %s: home %zu has not sent %u", lie, i, (unsigned)s.unsent);
		app_status_free(&s);
	}
	for (size_t i = 2; i <= MEMBERS; i++)
		expect_same(&h->w, 1, i, CIRCLE);
}

static void one_lie(struct history *h, const struct lie_row *lie)
{
	bool told = false;

	write_some(h);
	sync_all(h);
	shell("rm -rf %s/older && cp -r %s %s/older", h->w.dir, h->w.remote, h->w.dir);
	for (uint64_t more = 1 + random_below(&h->rnd, 2); more > 0; more--) {
		write_some(h);
		sync_all(h);
	}
	sync_all(h);
	h->victim = 1 + (size_t)random_below(&h->rnd, MEMBERS);
	branch_of(h, h->victim, h->ref);
	branch_of(h, h->victim % MEMBERS + 1, h->other);
	lie->tell(h);
	if (random_chance(&h->rnd, 50))
		write_some(h);
	told = somebody_tells(h, lie->name);
	if (!told && !lie->harmless)
		fail_msg("the host %s, and nobody says so", lie->name);
	sync_all(h);
	sync_all(h);
	sync_all(h);
	is_well(h, lie->name);
}

static void play(uint64_t seed)
{
	struct history h = { .rnd = { seed } };
	struct world *w = &h.w;
	size_t order[LIES];

	print_message("# history %llu\n", (unsigned long long)seed);
	world_begin(w);
	world_home(w, "Nul");
	for (size_t i = 1; i <= MEMBERS; i++)
		world_home(w, i == 1 ? "Een" : i == 2 ? "Twee" : "Drie");
	assert_ok(app_found_neighbourhood(ec, w->app[0], "West", w->remote));
	world_sync(w, 0);
	world_invite(w, 0, 1, NULL, NULL);
	assert_ok(app_found_circle(ec, w->app[1], CIRCLE));
	world_sync(w, 1);
	for (size_t i = 2; i <= MEMBERS; i++)
		world_invite(w, 1, i, CIRCLE, NULL);
	sync_all(&h);
	for (size_t i = 0; i < LIES; i++)
		order[i] = i;
	for (size_t i = LIES; i-- > 1;) {
		size_t k = (size_t)random_below(&h.rnd, i + 1);
		size_t was = order[i];

		order[i] = order[k];
		order[k] = was;
	}
	for (size_t i = 0; i < LIES; i++)
		one_lie(&h, &lies[order[i]]);
	/* all of it is at the repository */
	world_home(w, "Nieuw");
	world_invite(w, 1, w->n - 1, CIRCLE, NULL);
	for (int i = 0; i < 3; i++)
		sync_all(&h);
	expect_same(w, 1, w->n - 1, CIRCLE);
	world_end(w);
}

static void test_every_lie_in_any_history(void **state)
{
	const char *one = getenv("SLB_LIES_SEED");
	uint64_t seeds = random_soak();

	(void)state;
	if (one != NULL) {
		play(strtoull(one, NULL, 10));
		return;
	}
	for (uint64_t seed = 1; seed <= seeds; seed++)
		play(seed);
	print_message("# %llu histories of %zu lies, all told, all put right\n", (unsigned long long)seeds, LIES);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_lie_in_any_history) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
