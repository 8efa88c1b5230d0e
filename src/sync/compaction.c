// SPDX-License-Identifier: EUPL-1.2
// The steps of a compaction in the order in which a sync takes them (K3): acknowledging, cutting what all agreed on,
// voting or proposing, and the epoch that begins behind it.
#include "sync/compaction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/tr.h"
#include "base/try.h"
#include "model/wire.h"
#include "sync/closing.h"
#include "sync/compaction_inside.h"
#include "sync/epochs.h"
#include "sync/floor.h"
#include "sync/resting.h"

#define KEPT_ASIDE "aside-seen" /* how many lines of what was set aside a person has seen: 8 bytes */

/* ---- Votes ---- */

static enum err vote_add(struct council *v, uint64_t round, const uint8_t hash[static HASH_LEN], const struct vv *upto)
{
	struct buf b = { 0 };
	enum err e = ERR_OK;

	TRY(wire_put_array(&b, 3));
	TRY(wire_put_uint(&b, round));
	TRY(wire_put_bytes(&b, hash, HASH_LEN));
	TRY(wire_put_array(&b, upto->n));
	for (size_t i = 0; i < upto->n; i++) {
		TRY(wire_put_array(&b, 2));
		TRY(wire_put_bytes(&b, upto->e[i].dev.b, DEVICE_ID_LEN));
		TRY(wire_put_uint(&b, upto->e[i].seq));
	}
	TRY(control_add(v->ec, v->y, v->space->n, CONTROL_SNAPSHOT, buf_bytes(&b)));
done:
	buf_free(&b);
	return e;
}

/* What is not what the edits here come to: a sentence, and the proposal as evidence (S4). */
static enum err refuse(struct council *v, const struct vote *x)
{
	char name[64];
	char what[ASIDE_WHAT_MAX + 1];
	char dev[DEVICE_TEXT_LEN];
	struct buf proof = { 0 };
	bool added = false;
	enum err e = ERR_OK;

	council_refused_name(x->hash, name);
	device_text(x->at.author, dev);
	snprintf(what, sizeof(what), "snapshot/%s-%llu %.16s", dev, (unsigned long long)x->at.seq,
	         name + strlen(KEPT_REFUSED));
	TRY(store_batch_signed(v->ec, v->y->store, x->at.author, x->at.seq, &proof));
	TRY(store_aside_put(v->ec, v->y->store, what,
	                    TR("A device wants to compact the log to something that is not what was written. It was "
	                       "refused, and nothing was taken away."),
	                    clock_now(v->y->clock), buf_bytes(&proof), &added));
	TRY(store_kept_put(v->ec, v->y->store, v->space->n, name, (struct bytes){ x->hash, HASH_LEN }));
done:
	buf_free(&proof);
	return e;
}

/* The highest proposal that is not refused here. */
static enum err best_vote(struct council *v, const struct vote **out)
{
	enum err e = ERR_OK;

	*out = NULL;
	for (size_t i = 0; e == ERR_OK && i < v->m.votes; i++) {
		const struct vote *x = &v->m.vote[i];
		bool refused = false;

		if (!council_vote_counts(v, x) ||
		    (*out != NULL && council_vote_cmp(x->round, x->hash, (*out)->round, (*out)->hash) <= 0))
			continue;
		e = council_refused(v, x->hash, &refused);
		if (e == ERR_OK && !refused)
			*out = x;
	}
	return e;
}

static enum err vote_for(struct council *v, const struct vote *x, bool *voted)
{
	struct snapshot s = { 0 };
	bool yes = false;
	bool same = false;
	enum err e = upto_agreed(v, x, &yes);

	if (e != ERR_OK || !yes)
		return e;
	e = council_make_same(v, x, &s, &same);
	if (e == ERR_OK)
		e = same ? vote_add(v, x->round, x->hash, &x->upto) : refuse(v, x);
	*voted = e == ERR_OK && same;
	snapshot_free(&s);
	return e;
}

/* ---- Proposing ---- */

static enum err propose(struct council *v, const struct vv *upto, uint64_t round)
{
	struct snapshot s = { 0 };
	enum err e = snapshot_build(v->ec, v->y, v->space, upto, round, &s);

	if (e == ERR_OK)
		e = vote_add(v, round, s.hash, upto);
	snapshot_free(&s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static bool vv_same(const struct vv *a, const struct vv *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (device_cmp(a->e[i].dev, b->e[i].dev) != 0 || a->e[i].seq != b->e[i].seq)
			return false;
	return true;
}

/* Does the own vote stand in the way of what may be final now: a contest came, or a removal? */
static enum err vote_is_stale(struct council *v, const struct vote *mine, bool *stale)
{
	bool yes = false;
	enum err e = upto_agreed(v, mine, &yes);

	*stale = e == ERR_OK && !yes;
	return e;
}

static enum err maybe_propose(struct council *v, const struct compacting *how, const struct vote *best,
                              const struct vote *mine, enum compaction_wait *wait)
{
	struct vv upto = { 0 };
	bool stale = mine == NULL;
	uint64_t round = best == NULL ? v->base.round + 1 : best->round + 1;
	enum err e = upto_choose(v, &upto, wait);

	if (e == ERR_OK && mine != NULL)
		e = vote_is_stale(v, mine, &stale);
	if (e == ERR_OK && how->asked && mine != NULL && !stale)
		stale = !vv_same(&upto, &mine->upto) && mine != best;
	for (size_t i = 0; i < v->m.votes; i++) /* refused ones count too */
		round = v->m.vote[i].round >= round ? v->m.vote[i].round + 1 : round;
	if (e == ERR_OK && upto.n > 0 && stale && *wait == COMPACTION_GOES_ON && (how->asked || council_is_first(v)))
		e = propose(v, &upto, round);
	vv_free(&upto);
	return e;
}

static enum err vote_or_propose(struct council *v, const struct compacting *how, enum compaction_wait *wait)
{
	const struct vote *mine = council_last_vote(v, v->space->me);
	const struct vote *best = NULL;
	bool voted = false;
	enum err e = best_vote(v, &best);

	*wait = v->forked ? COMPACTION_FORK : COMPACTION_GOES_ON;
	if (v->forked) /* those who voted before they knew of it may all be agreed; nobody joins them */
		return e;
	if (e == ERR_OK && best != NULL &&
	    (mine == NULL || council_vote_cmp(best->round, best->hash, mine->round, mine->hash) > 0))
		e = vote_for(v, best, &voted);
	return e == ERR_OK && !voted ? maybe_propose(v, how, best, mine, wait) : e;
}

/* ---- Once in each sync ---- */

static enum err aside_lines(struct errctx *ec, struct sync *y, const struct space_row *space, uint64_t *n)
{
	struct aside_row *list = NULL;
	char prefix[40];
	char tag[TAG_TEXT_LEN];
	size_t count = 0;
	enum err e = store_aside_list(ec, y->store, &list, &count);

	tag_text(space->tag, tag);
	snprintf(prefix, sizeof(prefix), "refs/heads/%s/", tag);
	*n = 0;
	for (size_t i = 0; e == ERR_OK && i < count; i++)
		*n += strncmp(list[i].what, prefix, strlen(prefix)) == 0;
	free(list);
	return e;
}

enum err compaction_aside_seen(struct errctx *ec, struct sync *y, const struct space_row *space)
{
	uint64_t lines = 0;
	uint8_t b[8];
	enum err e = aside_lines(ec, y, space, &lines);

	be64_put(b, lines);
	return e == ERR_OK ? store_kept_put(ec, y->store, space->n, KEPT_ASIDE, (struct bytes){ b, sizeof(b) }) : e;
}

/* Does something of the space wait, or was it set aside without a person's word? */
static enum err is_troubled(const struct council *v, bool *out)
{
	uint64_t lines = 0;
	bool waits = false;
	struct buf seen = { 0 };
	enum err e = space_awaits(v->ec, v->y, v->space, &v->m, &waits);

	if (e == ERR_OK)
		e = aside_lines(v->ec, v->y, v->space, &lines);
	if (e == ERR_OK)
		e = store_kept_get(v->ec, v->y->store, v->space->n, KEPT_ASIDE, &seen);
	*out = waits || lines > (seen.len == 8 ? be64_get(seen.data) : 0);
	buf_free(&seen);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The next epoch begins knowing that everybody agreed: by the one that joined first. */
static enum err next_epoch(struct council *v)
{
	struct device_keys *keys = NULL;
	struct epoch_id id;
	bool after = true;
	enum err e =
	    v->base.is && council_is_first(v) ? epoch_choose_in(v->ec, v->y, v->space, &v->m, &id) : ERR_NOT_FOUND;

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	e = compaction_epoch_after(v->ec, v->y, v->space, &v->m, id, &after);
	if (e == ERR_OK && !after)
		e = device_keys_load(v->ec, v->y, v->space->n, &keys);
	if (e == ERR_OK && !after)
		e = epoch_begin(v->ec, v->y, v->space, keys, &id);
	device_keys_free(keys);
	return e;
}

/* Of those who are waited for and never wrote: from now on they have as long as others who are silent. */
static enum err note_silent(struct council *v)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && (v->erasures > 0 || v->base.is) && i < v->n; i++)
		e = device_was_named(v->ec, v->y, v->waited[i]);
	return e;
}

static enum err tend(struct council *v, const struct compacting *how, bool *cut, enum compaction_wait *wait)
{
	bool troubled = false;
	enum err e = council_load(v);

	if (e == ERR_OK)
		e = note_silent(v);
	if (e == ERR_OK)
		e = done_acknowledge(v);
	if (e == ERR_OK)
		e = is_troubled(v, &troubled);
	*wait = COMPACTION_ASIDE;
	if (e != ERR_OK || troubled)
		return e;
	*wait = COMPACTION_GOES_ON;
	if (!how->fetched && v->n > 0)
		return ERR_OK;
	e = cut_agreed(v, cut);
	if (e == ERR_OK && *cut) {
		council_free(v);
		*v = (struct council){ .ec = v->ec, .y = v->y, .space = v->space };
		e = council_load(v);
	} else if (e == ERR_OK) {
		e = vote_or_propose(v, how, wait);
	}
	return e == ERR_OK ? next_epoch(v) : e;
}

/* Is it an own space that may be about to give way to another one? What was written in it is carried over then, so it
 * is kept whole (M2). */
static enum err may_give_way(struct errctx *ec, struct sync *y, const struct space_row *space, bool *out)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = space->kind == SPACE_OWN ? store_space_list(ec, y->store, &list, &n) : ERR_OK;

	*out = false;
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		*out = *out || (list[i].kind == SPACE_OWN && list[i].n != space->n && list[i].state != SPACE_GONE);
	free(list);
	return e;
}

enum err compaction_tend(struct errctx *ec, struct sync *y, const struct space_row *space, const struct compacting *how,
                         bool *cut, enum compaction_wait *wait)
{
	struct council v = { .ec = ec, .y = y, .space = space };
	struct device_row me;
	bool paper = false;
	bool coming_in = false;
	bool gives_way = false;
	enum err e = store_device_by_id(ec, y->store, space->me, &me);

	*cut = false;
	*wait = COMPACTION_DEVICES;
	if (e != ERR_OK || me.state != DEVICE_ACTIVE)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	e = device_is_paper(ec, y, space->n, &paper);
	if (e == ERR_OK)
		e = floor_open(ec, y, space->n, &coming_in);
	if (e == ERR_OK)
		e = may_give_way(ec, y, space, &gives_way);
	if (e == ERR_OK && !paper && !coming_in && !gives_way)
		e = tend(&v, how, cut, wait);
	council_free(&v);
	return e;
}
