// SPDX-License-Identifier: EUPL-1.2
// Homes that there are twice: a copy goes on beside the first, and an earlier state of a disk is put back, as the program
// restores a backup or with everything that was on it (S7).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/backup_kept.h"
#include "sim/act.h"
#include "sim/must.h"
#include "sim/world_inside.h"
#include "sync/rejoin.h"
#include "sync/restored.h"
#include "vault/vault.h"

#define SHELF 40 /* where disks and caches lie that belong to no device */

/* A disk as it was, and what had been seen of it. */
struct backup {
	struct disk *disk;
	unsigned shelf;
	struct player was; /* without a home */
	int64_t made_ms;
	bool restored; /* once is enough: two homes that come back alone part for good (`back-twice`) */
};

/* What the simulator knows of a home goes with the copy. */
static void seen_copy(struct player *to, const struct player *from)
{
	to->skew = from->skew;
	to->latest = from->latest;
	memcpy(to->nick, from->nick, sizeof(to->nick));
	memcpy(to->hold, from->hold, sizeof(to->hold));
	to->holds = from->holds;
	memcpy(to->read, from->read, sizeof(to->read));
	to->reads = from->reads;
	to->row = must_calloc(from->row_cap + 1, sizeof(*to->row));
	if (from->rows > 0)
		memcpy(to->row, from->row, from->rows * sizeof(*from->row));
	to->rows = from->rows;
	to->row_cap = from->row_cap;
	to->again = from->again;
	to->in_vain = from->in_vain;
	to->twin = true;
}

size_t world_clone(struct player *p)
{
	struct player *copy = world_player(p->w);

	app_close(p->app);
	p->app = NULL;
	disk_copy(copy->disk, p->disk);
	host_cache_copy(p->w->hosts, p->number, copy->number);
	seen_copy(copy, p);
	p->twin = true;
	world_open_or_fail(p, false);
	world_open_or_fail(copy, false);
	return copy->number;
}

bool world_backup(struct player *p)
{
	struct world *w = p->w;
	struct backup *b = NULL;

	if (w->backups == WORLD_BACKUPS)
		return false;
	world_watch(p);
	b = must_calloc(1, sizeof(*b));
	b->shelf = SHELF + (unsigned)w->backups;
	b->disk = disk_new(b->shelf);
	disk_copy(b->disk, p->disk);
	host_cache_copy(w->hosts, p->number, b->shelf);
	seen_copy(&b->was, p);
	b->was.number = p->number;
	b->made_ms = app_now_ms(p->app);
	w->backup[w->backups++] = b;
	return true;
}

void world_backups_free(struct world *w)
{
	for (size_t i = 0; i < w->backups; i++) {
		disk_free(w->backup[i]->disk);
		free(w->backup[i]->was.row);
		free(w->backup[i]);
	}
	w->backups = 0;
}

/* What a backup does not hold goes, and it is marked: app/backup.c, app/restore.c. */
static void restored(struct player *p, int64_t made_ms)
{
	struct sync y = { p->app->store, p->app->zip, p->app->rng, p->app->clock };

	must(backup_kept_strip(NULL, p->app->store) == ERR_OK && store_begin(NULL, p->app->store) == ERR_OK &&
	         restored_mark(NULL, &y, made_ms) == ERR_OK && store_commit(NULL, p->app->store) == ERR_OK &&
	         vault_checkpoint(p->app->vault, NULL, true) == ERR_OK,
	     "a backup cannot be restored");
	host_cache_lose(p->w->hosts, p->number);
}

/* Is there a circle or neighbourhood in which it is alone, as far as it knows? There it comes back by itself, and if the
 * first goes on the two part for good: neither has a key of the other's (`back-twice`). */
static bool alone_somewhere(struct player *p)
{
	struct sync y = { p->app->store, p->app->zip, p->app->rng, p->app->clock };
	size_t n = 0;
	struct space_row *list = world_spaces(p, &n);
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		bool alone = false;

		must(rejoin_alone(NULL, &y, &list[i], &alone) == ERR_OK, "the store fails");
		any = any || (alone && list[i].kind != SPACE_OWN && list[i].state == SPACE_MEMBER);
	}
	free(list);
	return any;
}

struct player *world_restore(struct world *w, bool as_it_was, bool lost)
{
	struct backup *b = w->backup[random_below(&w->rnd, w->backups)];
	struct player *first = &w->player[b->was.number];
	struct player *p = NULL;

	if (first->rogue != NULL || first->busy || (!as_it_was && b->restored))
		return NULL;
	b->restored = b->restored || !as_it_was;
	p = world_player(w);
	disk_copy(p->disk, b->disk);
	host_cache_copy(w->hosts, b->shelf, p->number);
	seen_copy(p, &b->was);
	first->twin = true;
	world_open_or_fail(p, false);
	if ((lost || (!as_it_was && alone_somewhere(p))) && !first->lost) {
		world_push_all(first, true);
		first->lost = true;
	}
	world_log_again(p);
	p->put_back = as_it_was;
	if (!as_it_was)
		restored(p, b->made_ms);
	world_watch(p);
	return p;
}

bool world_unsure(struct player *p)
{
	size_t n = 0;
	struct space_row *list = world_spaces(p, &n);
	bool unsure = p->put_back;

	for (size_t i = 0; i < p->w->players && !unsure; i++) {
		struct player *q = &p->w->player[i];

		for (size_t k = 0; k < n && q != p && !world_given_up(q) && !unsure; k++) {
			struct space_row row;

			unsure = list[k].state == SPACE_MEMBER &&
			         world_space_of(q, model_space(p->w->model, list[k].id.b), &row) &&
			         device_cmp(row.me, list[k].me) == 0;
		}
	}
	free(list);
	return unsure;
}

bool world_away(struct player *p, const struct space_row *space)
{
	struct sync y = { p->app->store, p->app->zip, p->app->rng, p->app->clock };
	bool away = false;

	must(restored_away(NULL, &y, space->n, &away) == ERR_OK, "the store fails");
	return away;
}

/* Did it seal something in each of its spaces? In one in which it did not, both copies begin epochs of which the other
 * has no key, and a restored home keeps its id (docs/TESTING.md, `twins-early`). */
static bool sealed_everywhere(struct player *p)
{
	size_t n = 0;
	struct space_row *list = world_spaces(p, &n);
	bool all = true;

	for (size_t i = 0; i < n; i++) {
		struct set batches = *world_batches(p, model_space(p->w->model, list[i].id.b));

		all = all && (list[i].state != SPACE_MEMBER ||
		              model_batch_in(p->w->model, model_space(p->w->model, list[i].id.b), list[i].me.b, 1,
		                             &batches) >= 0);
	}
	free(list);
	return all;
}

/* Everything in this home syncs, so that two of it can learn of each other; and none of it is on its way in. Nor is it
 * one of two already: what was written in one of them and copied before the two met is written again by both copies, for
 * the same reason, under two names (`twins-of-twins`). */
static bool can_be_twice(struct player *p)
{
	size_t n = 0;
	struct space_row *list = world_spaces(p, &n);
	bool shared = false;
	bool can = !p->busy && !world_given_up(p) && !act_invites_open(p) && !world_unsure(p);

	for (size_t i = 0; i < n; i++) {
		shared = shared || list[i].kind == SPACE_NEIGHBOURHOOD;
		can = can && (list[i].state == SPACE_GONE ||
		              (list[i].state == SPACE_MEMBER && list[i].neighbourhood != 0));
	}
	free(list);
	return can && shared;
}

bool act_twin(struct player *p)
{
	struct world *w = p->w;
	struct player *back = NULL;
	bool as_it_was = random_chance(&w->rnd, 40);
	bool lost = random_chance(&w->rnd, 60);

	if (w->backups > 0 && random_chance(&w->rnd, 35)) {
		back = world_restore(w, as_it_was, lost);
		if (back == NULL)
			return false;
		world_say(w, "device %u is a backup that was put back%s%s", back->number, as_it_was ? ", as it was" : "",
		          lost ? "; the first is lost" : "");
		if (!as_it_was && random_chance(&w->rnd, 70))
			act_rejoin(back);
		return true;
	}
	if (!can_be_twice(p) || (!w->early && !sealed_everywhere(p)))
		return false;
	if (random_chance(&w->rnd, 60)) {
		world_say(w, "a backup is made of device %u", p->number);
		return world_backup(p);
	}
	world_say(w, "device %zu is a copy of device %u", world_clone(p), p->number);
	return true;
}
