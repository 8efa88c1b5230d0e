// SPDX-License-Identifier: EUPL-1.2
// Homes that there are twice: a copy goes on beside the first, and an earlier state of a disk is put back, as the
// program restores a backup or with everything that was on it (S7).
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
	bool alone[WORLD_SPACES]; /* by holding */
	bool restored;            /* once is enough */
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
	from->w->copies = true;
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

/* The spaces in which it is alone, as far as it knows: there it comes back by itself. */
static void alone_in(struct player *p, bool *alone)
{
	struct sync y = { p->app->store, p->app->zip, p->app->rng, p->app->clock };
	size_t n = 0;
	struct space_row *list = world_spaces(p, &n);

	for (size_t i = 0; i < n; i++)
		must(rejoin_alone(NULL, &y, &list[i],
		                  &alone[world_holding(p, model_space(p->w->model, list[i].id.b)) - p->hold]) == ERR_OK,
		     "the store fails");
	free(list);
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
	b->was.w = w;
	alone_in(p, b->alone);
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

void world_lose(struct player *p)
{
	world_push_all(p, true);
	p->lost = true;
}

/* Is somebody in one of those by now? Then the two would part for good: neither has a key of the other's
 * (`back-alone`). */
static bool joined_since(const struct backup *b)
{
	struct world *w = b->was.w;

	for (size_t i = 0; i < w->players; i++) {
		for (size_t k = 0; k < b->was.holds; k++) {
			struct space_row row;

			if (b->alone[k] && i != b->was.number && !world_given_up(&w->player[i]) &&
			    world_space_of(&w->player[i], b->was.hold[k].space, &row))
				return true;
		}
	}
	return false;
}

/* Would it leave the first, which goes on, in a circle or neighbourhood that it believes to be alone in? */
static bool leaves_first(const struct backup *b)
{
	bool leaves = false;
	struct space_row row;

	for (size_t k = 0; k < b->was.holds; k++)
		leaves = leaves ||
		         (b->alone[k] && world_space_of(&b->was.w->player[b->was.number], b->was.hold[k].space, &row) &&
		          row.kind != SPACE_OWN);
	return leaves;
}

struct player *world_restore(struct world *w, bool as_it_was, bool lost)
{
	struct backup *b = w->backup[random_below(&w->rnd, w->backups)];
	struct player *first = &w->player[b->was.number];
	struct player *p = NULL;

	if (first->rogue != NULL || first->busy || (!as_it_was && (b->restored || joined_since(b))))
		return NULL;
	b->restored = b->restored || !as_it_was;
	p = world_player(w);
	disk_copy(p->disk, b->disk);
	host_cache_copy(w->hosts, b->shelf, p->number);
	seen_copy(p, &b->was);
	first->twin = true;
	first->w->copies = true;
	world_open_or_fail(p, false);
	if ((lost || (!as_it_was && leaves_first(b))) && !first->lost)
		world_lose(first);
	world_log_again(p);
	w->refusals = true; /* who comes back removes the id that it had: another one of that asks in vain */
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
 * one of two already: what was written in one of them and copied before the two met is written again by both copies,
 * for the same reason, under two names (`twins-of-twins`). */
static bool can_be_twice(struct player *p)
{
	size_t n = 0;
	struct space_row *list = world_spaces(p, &n);
	bool shared = false;
	bool can = !p->busy && !world_given_up(p) && !act_invites_open(p) && !world_unsure(p);

	for (size_t i = 0; i < n; i++) {
		shared = shared || list[i].kind == SPACE_NEIGHBOURHOOD;
		can = can &&
		      (list[i].state == SPACE_GONE || (list[i].state == SPACE_MEMBER && list[i].neighbourhood != 0));
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
		world_say(w, "device %u is a backup that was put back%s%s", back->number,
		          as_it_was ? ", as it was" : "", lost ? "; the first is lost" : "");
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
