// SPDX-License-Identifier: EUPL-1.2
// Where a log may be cut, who agrees, and cutting it (K3). Nothing is taken away before every device that is waited for
// has signed for the same snapshot.
#include "sync/compaction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/tr.h"
#include "base/try.h"
#include "model/wire.h"
#include "sync/box_keys.h"
#include "sync/closing.h"
#include "sync/epochs.h"
#include "sync/floor.h"
#include "sync/refold.h"
#include "sync/resting.h"
#include "sync/snapshot.h"

#define KEPT_REFUSED "refused:" /* a snapshot that is not what the edits here come to */
#define KEPT_TOLD "told-done"   /* hash of the snapshot of which it was said that it is done here */
#define KEPT_ASIDE "aside-seen" /* how many lines of what was set aside a person has seen: 8 bytes */
#define KEPT_CUT_AT "base-at"   /* when the log was cut here: 8 bytes, ms since 1970 */

/* What every step looks at. */
struct view {
	struct errctx *ec;
	struct sync *y;
	const struct space_row *space;
	struct membership m;
	struct base base;
	struct erasure *erasure;
	size_t erasures;
	struct device_id *waited; /* others who are waited for */
	size_t n;
	bool forked; /* batches beside the line of some device of the space are kept */
};

static void view_free(struct view *v)
{
	membership_free(&v->m);
	vv_free(&v->base.at);
	free(v->erasure);
	free(v->waited);
}

/* Are batches beside the line of some device kept? They are whole, and stay when a log is cut. */
static enum err some_forked(struct errctx *ec, struct sync *y, int64_t space, bool *out)
{
	struct fork_row *rows = NULL;
	size_t n = 0;
	enum err e = store_fork_list(ec, y->store, space, &rows, &n);

	*out = n > 0;
	free(rows);
	return e;
}

static enum err view_load(struct view *v)
{
	enum err e = ERR_OK;

	TRY(some_forked(v->ec, v->y, v->space->n, &v->forked));
	TRY(membership_load(v->ec, v->y, v->space, &v->m));
	TRY(store_base(v->ec, v->y->store, v->space->n, &v->base));
	TRY(erasures_list(v->ec, v->y, v->space, &v->erasure, &v->erasures));
	v->waited = calloc(v->m.members.devices + 1, sizeof(*v->waited));
	TRY(v->waited == NULL ? ERR_NO_MEMORY : ERR_OK);
	for (size_t i = 0; i < v->m.members.devices; i++) {
		bool waited = false;

		TRY(device_is_waited_for(v->ec, v->y, v->space, &v->m, &v->m.members.device[i], &waited));
		if (waited)
			v->waited[v->n++] = v->m.members.device[i].device;
	}
done:
	return e;
}

/* ---- Up to where ---- */

/* How far `dev` is known to have seen `of`. */
static enum err acknowledged(const struct view *v, struct device_id dev, const struct vv *context,
                             const struct vv *heads, struct device_id of, uint64_t *seq)
{
	const struct vv_entry *e = vv_get(device_cmp(dev, of) == 0 ? heads : context, of);

	(void)v;
	*seq = e == NULL ? 0 : e->seq;
	return ERR_OK;
}

/* The greatest vector that every device that is waited for has acknowledged. It is closed: contexts are, and so is what
 * several of them share. */
static enum err lowest_seen(struct view *v, struct vv *out)
{
	struct vv heads = { 0 };
	struct vv context = { 0 };
	enum err e = store_vector(v->ec, v->y->store, v->space->n, &heads);

	if (e == ERR_OK)
		e = vv_copy(&heads, out);
	for (size_t i = 0; e == ERR_OK && i < v->n; i++) {
		e = store_context(v->ec, v->y->store, v->waited[i], &context);
		for (size_t k = 0; e == ERR_OK && k < out->n; k++) {
			uint64_t seq = 0;

			e = acknowledged(v, v->waited[i], &context, &heads, out->e[k].dev, &seq);
			out->e[k].seq = seq < out->e[k].seq ? seq : out->e[k].seq;
		}
	}
	vv_free(&heads);
	vv_free(&context);
	return e;
}

/* Lowers the vector below a batch: of each device to the last batch that had not seen it. */
static enum err lower_below(struct view *v, struct device_id dev, uint64_t seq, struct vv *upto)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < upto->n; i++) {
		uint64_t from = 0;
		uint64_t to = upto->e[i].seq;

		if (device_cmp(upto->e[i].dev, dev) == 0) {
			upto->e[i].seq = to >= seq ? seq - 1 : to;
			continue;
		}
		while (e == ERR_OK && from < to) { /* contexts never go back */
			uint64_t mid = to - (to - from) / 2;
			uint64_t saw = 0;

			e = store_seen_at(v->ec, v->y->store, upto->e[i].dev, mid, dev, &saw);
			if (saw >= seq)
				to = mid - 1;
			else
				from = mid;
		}
		upto->e[i].seq = from;
	}
	return e;
}

static bool within(const struct vv *upto, struct device_id dev, uint64_t seq)
{
	const struct vv_entry *e = vv_get(upto, dev);

	return seq > 0 && e != NULL && e->seq >= seq;
}

/* Does an edit within the vector contest it? */
static bool contested_within(const struct view *v, const struct word_row *word, size_t words, const struct vv *upto,
                             struct dot edit)
{
	(void)v;
	for (size_t i = 0; i < words; i++)
		if (word[i].contests && dot_cmp(word[i].named, edit) == 0 && within(upto, word[i].by.dev, word[i].seq))
			return true;
	return false;
}

/* May this erase be final where the log is cut at `upto`? */
static bool may_stay(const struct view *v, const struct word_row *word, size_t words, const struct vv *upto,
                     const struct erasure *x)
{
	switch (x->state) {
	case ERASURE_WAITS:
	case ERASURE_ASKS:
		return false;
	case ERASURE_CONTESTED:
		return contested_within(v, word, words, upto, x->row.edit);
	default:
		return true;
	}
}

/* Lowers the vector until no erase lies within that may not be final yet. *held: some erase held it back. */
static enum err below_contests(struct view *v, struct vv *upto, bool *held)
{
	struct word_row *word = NULL;
	size_t words = 0;
	bool again = true;
	enum err e = store_erasure_words(v->ec, v->y->store, v->space->n, &word, &words);

	while (e == ERR_OK && again) {
		again = false;
		for (size_t i = 0; e == ERR_OK && i < v->erasures; i++) {
			const struct erasure_row *row = &v->erasure[i].row;

			if (row->final || !within(upto, row->edit.dev, row->seq) ||
			    may_stay(v, word, words, upto, &v->erasure[i]))
				continue;
			e = lower_below(v, row->edit.dev, row->seq, upto);
			again = true;
			*held = true;
		}
	}
	free(word);
	return e;
}

/* Up to which of these batches a device counts. */
static uint64_t counted(const struct members *m, const struct vv_entry *upto)
{
	const struct standing *s = members_find(m, upto->dev);

	if (s == NULL || !s->in)
		return 0;
	return s->keep < upto->seq ? s->keep : upto->seq;
}

static bool act_same(const struct act *a, const struct act *b)
{
	return a->type == b->type && device_cmp(a->at.author, b->at.author) == 0 && a->at.seq == b->at.seq &&
	       a->at.order == b->at.order;
}

/* Does the same count at the vector as now? A removal that is not within it yet may leave something out that is. */
static enum err counts_alike(struct view *v, const struct vv *upto, bool *alike)
{
	struct membership then = { 0 };
	enum err e = membership_load_upto(v->ec, v->y, v->space, upto, &then);

	*alike = true;
	for (size_t i = 0; e == ERR_OK && i < upto->n; i++)
		*alike = *alike && counted(&then.members, &upto->e[i]) == counted(&v->m.members, &upto->e[i]);
	for (size_t i = 0; e == ERR_OK && *alike && v->m.removals > 0 && i < then.members.acts; i++)
		for (size_t k = 0; k < v->m.members.acts; k++)
			if (act_same(&then.members.act[i], &v->m.members.act[k]))
				*alike = *alike && then.members.act[i].counts == v->m.members.act[k].counts;
	membership_free(&then);
	return e;
}

/* Is anything final at the vector that is not yet? */
static bool takes_away(const struct view *v, const struct vv *upto)
{
	for (size_t i = 0; i < v->erasures; i++)
		if (!v->erasure[i].row.final && v->erasure[i].state == ERASURE_DUE &&
		    within(upto, v->erasure[i].row.edit.dev, v->erasure[i].row.seq))
			return true;
	return false;
}

static void drop_empty(struct vv *upto)
{
	size_t n = 0;

	for (size_t i = 0; i < upto->n; i++)
		if (upto->e[i].seq > 0)
			upto->e[n++] = upto->e[i];
	upto->n = n;
}

static bool above_base(const struct view *v, const struct vv *upto)
{
	bool more = !v->base.is && upto->n > 0;

	for (size_t i = 0; i < upto->n; i++)
		more = more || !within(&v->base.at, upto->e[i].dev, upto->e[i].seq);
	for (size_t i = 0; i < v->base.at.n; i++)
		if (!within(upto, v->base.at.e[i].dev, v->base.at.e[i].seq))
			return false;
	return more;
}

static enum compaction_wait why_not(const struct view *v, bool held)
{
	bool open = false;

	for (size_t i = 0; i < v->erasures; i++)
		open = open || v->erasure[i].state == ERASURE_DUE || v->erasure[i].state == ERASURE_WAITS ||
		       v->erasure[i].state == ERASURE_ASKS;
	return !open ? COMPACTION_NOTHING : held ? COMPACTION_CONTEST : COMPACTION_DEVICES;
}

static enum err choose(struct view *v, struct vv *upto, enum compaction_wait *wait)
{
	bool held = false;
	bool alike = true;
	enum err e = lowest_seen(v, upto);

	if (e == ERR_OK)
		e = below_contests(v, upto, &held);
	drop_empty(upto);
	*wait = COMPACTION_GOES_ON;
	if (e == ERR_OK && (!above_base(v, upto) || !takes_away(v, upto)))
		*wait = why_not(v, held);
	if (e == ERR_OK)
		e = counts_alike(v, upto, &alike);
	if (e == ERR_OK && !alike) {
		*wait = COMPACTION_REMOVAL;
		upto->n = 0;
	}
	if (!above_base(v, upto))
		upto->n = 0;
	return e;
}

enum err compaction_choose(struct errctx *ec, struct sync *y, const struct space_row *space, struct vv *out,
                           enum compaction_wait *wait)
{
	struct view v = { .ec = ec, .y = y, .space = space };
	enum err e = view_load(&v);

	out->n = 0;
	if (e == ERR_OK)
		e = choose(&v, out, wait);
	view_free(&v);
	return e;
}

/* ---- Votes ---- */

static int vote_cmp(uint64_t round_a, const uint8_t *a, uint64_t round_b, const uint8_t *b)
{
	if (round_a != round_b)
		return round_a < round_b ? -1 : 1;
	return memcmp(a, b, HASH_LEN);
}

static bool vote_counts(const struct view *v, const struct vote *x)
{
	return (!v->base.is || x->round > v->base.round) && !members_void(&v->m.members, x->at.author, x->at.seq);
}

/* The last vote of a device; NULL: none on the base of now. */
static const struct vote *last_vote(const struct view *v, struct device_id dev)
{
	const struct vote *last = NULL;

	for (size_t i = 0; i < v->m.votes; i++) {
		const struct vote *x = &v->m.vote[i];

		if (device_cmp(x->at.author, dev) == 0 && vote_counts(v, x) &&
		    (last == NULL || x->at.seq > last->at.seq ||
		     (x->at.seq == last->at.seq && x->at.order > last->at.order)))
			last = x;
	}
	return last;
}

static bool voted_for(const struct view *v, struct device_id dev, const struct vote *what)
{
	for (size_t i = 0; i < v->m.votes; i++)
		if (device_cmp(v->m.vote[i].at.author, dev) == 0 && v->m.vote[i].round == what->round &&
		    memcmp(v->m.vote[i].hash, what->hash, HASH_LEN) == 0)
			return true;
	return false;
}

/* Did everybody else who is waited for vote for it? */
static bool others_agree(const struct view *v, const struct vote *what)
{
	bool all = true;

	for (size_t i = 0; i < v->n; i++)
		all = all && voted_for(v, v->waited[i], what);
	return all;
}

/* Does some member stand on it already, with the keys before it destroyed? */
static bool is_settled(const struct view *v, const struct vote *what)
{
	for (size_t i = 0; i < v->m.dones; i++) {
		const struct standing *s = members_find(&v->m.members, v->m.done[i].at.author);

		if (s != NULL && standing_in(s) && device_cmp(s->device, v->space->me) != 0 &&
		    memcmp(v->m.done[i].hash, what->hash, HASH_LEN) == 0)
			return true;
	}
	return false;
}

static void refused_name(const uint8_t hash[static HASH_LEN], char out[static 64])
{
	snprintf(out, 64, KEPT_REFUSED);
	hex_put(hash, 16, out + strlen(KEPT_REFUSED));
}

static enum err was_refused(struct view *v, const uint8_t hash[static HASH_LEN], bool *out)
{
	char name[64];
	struct buf b = { 0 };
	enum err e = ERR_OK;

	refused_name(hash, name);
	e = store_kept_get(v->ec, v->y->store, v->space->n, name, &b);
	*out = e == ERR_OK;
	buf_free(&b);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err vote_add(struct view *v, uint64_t round, const uint8_t hash[static HASH_LEN], const struct vv *upto)
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
static enum err refuse(struct view *v, const struct vote *x)
{
	char name[64];
	char what[ASIDE_WHAT_MAX + 1];
	char dev[DEVICE_TEXT_LEN];
	struct buf proof = { 0 };
	bool added = false;
	enum err e = ERR_OK;

	refused_name(x->hash, name);
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

/* Is everything within the vector acknowledged by all, and may be final, as this device sees it? */
static enum err agrees(struct view *v, const struct vote *x, bool *yes)
{
	struct vv mine = { 0 };
	bool held = false;
	bool alike = false;
	enum err e = lowest_seen(v, &mine);

	*yes = true;
	for (size_t i = 0; i < x->upto.n; i++)
		*yes = *yes && within(&mine, x->upto.e[i].dev, x->upto.e[i].seq);
	if (e == ERR_OK && *yes && !(is_settled(v, x) && others_agree(v, x))) {
		e = vv_copy(&x->upto, &mine);
		if (e == ERR_OK)
			e = below_contests(v, &mine, &held);
		*yes = !held;
	}
	if (e == ERR_OK && *yes)
		e = counts_alike(v, &x->upto, &alike);
	*yes = *yes && alike;
	vv_free(&mine);
	return e;
}

/* The highest proposal that is not refused here. */
static enum err best_vote(struct view *v, const struct vote **out)
{
	enum err e = ERR_OK;

	*out = NULL;
	for (size_t i = 0; e == ERR_OK && i < v->m.votes; i++) {
		const struct vote *x = &v->m.vote[i];
		bool refused = false;

		if (!vote_counts(v, x) ||
		    (*out != NULL && vote_cmp(x->round, x->hash, (*out)->round, (*out)->hash) <= 0))
			continue;
		e = was_refused(v, x->hash, &refused);
		if (e == ERR_OK && !refused)
			*out = x;
	}
	return e;
}

/* Makes the snapshot that was proposed. *same: it is that one. */
static enum err make_same(struct view *v, const struct vote *x, struct snapshot *s, bool *same)
{
	enum err e = snapshot_build(v->ec, v->y, v->space, &x->upto, x->round, s);

	*same = e == ERR_OK && memcmp(s->hash, x->hash, HASH_LEN) == 0;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* ---- Cutting ---- */

/* Sealed files of one's own that nobody needs any more, since they lie below: they would hold what was erased until
 * they are sent, and a space of one device may never be. */
static enum err unsent_drop(struct view *v, const struct vv *at)
{
	const struct vv_entry *mine = vv_get(at, v->space->me);
	char tag[TAG_TEXT_LEN];
	uint64_t files = 0;
	uint64_t edits = 0;
	enum err e = store_outgoing_count(v->ec, v->y->store, v->space->n, &files, &edits);

	tag_text(v->space->my_tag, tag);
	for (uint64_t seq = 1; e == ERR_OK && files > 0 && mine != NULL && seq <= mine->seq; seq++) {
		char name[FILE_NAME_MAX + 1];

		snprintf(name, sizeof(name), "%s-%llu", tag, (unsigned long long)seq);
		e = store_outgoing_drop_one(v->ec, v->y->store, v->space->n, name);
	}
	return e;
}

static enum err cut_at(struct view *v, const struct vote *x, const struct snapshot *s)
{
	struct base base = { .is = true, .round = x->round, .at = s->at };
	struct refold *f = NULL;
	struct refolded out = { 0 };
	uint8_t now[8];
	enum err e = ERR_OK;

	memcpy(base.hash, s->hash, HASH_LEN);
	be64_put(now, (uint64_t)clock_now(v->y->clock));
	TRY(store_kept_put(v->ec, v->y->store, v->space->n, KEPT_PARENT, (struct bytes){ v->base.hash, HASH_LEN }));
	TRY(store_kept_put(v->ec, v->y->store, v->space->n, KEPT_CUT_AT, (struct bytes){ now, sizeof(now) }));
	TRY(store_compact(v->ec, v->y->store, v->space->n, &base, s->item, s->n));
	TRY(unsent_drop(v, &s->at));
	/* a contest of something that is final now counts no more, wherever it came from */
	TRY(refold_open(v->ec, v->y, v->space, &f));
	TRY(refold_space(v->ec, f, true, &out));
	if (out.damaged > 0)
		e = err_set(v->ec, ERR_DAMAGED, "The vault holds something that cannot be right. Run verify.", NULL,
		            NULL, NULL);
done:
	refold_close(f);
	return e;
}

/* Everybody voted for what this device voted for last: the log is cut there. */
static enum err cut_agreed(struct view *v, bool *cut)
{
	const struct vote *mine = last_vote(v, v->space->me);
	struct snapshot s = { 0 };
	bool same = false;
	enum err e = ERR_OK;

	if (mine == NULL || !others_agree(v, mine))
		return ERR_OK;
	e = make_same(v, mine, &s, &same);
	if (e == ERR_OK && same)
		e = cut_at(v, mine, &s);
	*cut = e == ERR_OK && same;
	snapshot_free(&s);
	return e;
}

/* ---- Proposing and voting ---- */

/* Of those who are waited for, the one that joined first. */
static bool is_first(const struct view *v)
{
	const struct standing *me = members_find(&v->m.members, v->space->me);

	for (size_t i = 0; i < v->n && me != NULL; i++) {
		const struct standing *s = members_find(&v->m.members, v->waited[i]);

		if (s != NULL && (s->rank < me->rank || (s->rank == me->rank && device_cmp(s->device, me->device) < 0)))
			return false;
	}
	return me != NULL;
}

static enum err vote_for(struct view *v, const struct vote *x, bool *voted)
{
	struct snapshot s = { 0 };
	bool yes = false;
	bool same = false;
	enum err e = agrees(v, x, &yes);

	if (e != ERR_OK || !yes)
		return e;
	e = make_same(v, x, &s, &same);
	if (e == ERR_OK)
		e = same ? vote_add(v, x->round, x->hash, &x->upto) : refuse(v, x);
	*voted = e == ERR_OK && same;
	snapshot_free(&s);
	return e;
}

static enum err propose(struct view *v, const struct vv *upto, uint64_t round)
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
static enum err vote_is_stale(struct view *v, const struct vote *mine, bool *stale)
{
	bool yes = false;
	enum err e = agrees(v, mine, &yes);

	*stale = e == ERR_OK && !yes;
	return e;
}

static enum err maybe_propose(struct view *v, const struct compacting *how, const struct vote *best,
                              const struct vote *mine, enum compaction_wait *wait)
{
	struct vv upto = { 0 };
	bool stale = mine == NULL;
	uint64_t round = best == NULL ? v->base.round + 1 : best->round + 1;
	enum err e = choose(v, &upto, wait);

	if (e == ERR_OK && mine != NULL)
		e = vote_is_stale(v, mine, &stale);
	if (e == ERR_OK && how->asked && mine != NULL && !stale)
		stale = !vv_same(&upto, &mine->upto) && mine != best;
	for (size_t i = 0; i < v->m.votes; i++) /* refused ones count too */
		round = v->m.vote[i].round >= round ? v->m.vote[i].round + 1 : round;
	if (e == ERR_OK && upto.n > 0 && stale && *wait == COMPACTION_GOES_ON && (how->asked || is_first(v)))
		e = propose(v, &upto, round);
	vv_free(&upto);
	return e;
}

static enum err vote_or_propose(struct view *v, const struct compacting *how, enum compaction_wait *wait)
{
	const struct vote *mine = last_vote(v, v->space->me);
	const struct vote *best = NULL;
	bool voted = false;
	enum err e = best_vote(v, &best);

	*wait = v->forked ? COMPACTION_FORK : COMPACTION_GOES_ON;
	if (v->forked) /* those who voted before they knew of it may all be agreed; nobody joins them */
		return e;
	if (e == ERR_OK && best != NULL &&
	    (mine == NULL || vote_cmp(best->round, best->hash, mine->round, mine->hash) > 0))
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
static enum err is_troubled(struct errctx *ec, struct sync *y, const struct space_row *space, bool *out)
{
	uint64_t waiting = 0;
	uint64_t lines = 0;
	struct buf seen = { 0 };
	enum err e = store_waiting_of(ec, y->store, space->n, &waiting);

	if (e == ERR_OK)
		e = aside_lines(ec, y, space, &lines);
	if (e == ERR_OK)
		e = store_kept_get(ec, y->store, space->n, KEPT_ASIDE, &seen);
	*out = waiting > 0 || lines > (seen.len == 8 ? be64_get(seen.data) : 0);
	buf_free(&seen);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static bool told_done(const struct membership *m, struct device_id dev, const uint8_t hash[static HASH_LEN])
{
	for (size_t i = 0; i < m->dones; i++)
		if (device_cmp(m->done[i].at.author, dev) == 0 && memcmp(m->done[i].hash, hash, HASH_LEN) == 0)
			return true;
	return false;
}

/* Is every device that is waited for done with the compaction before? */
static bool all_done(const struct view *v)
{
	bool all = !v->base.is || told_done(&v->m, v->space->me, v->base.hash);

	for (size_t i = 0; i < v->n; i++)
		all = all && (!v->base.is || told_done(&v->m, v->waited[i], v->base.hash));
	return all;
}

/* As long as a compaction goes on: has somebody named a box key under the epoch of now that one's last batch had not
 * seen? Old keys are destroyed when all have seen it, and people may not write for long. */
static enum err box_unseen(struct view *v, const struct vv *seen, bool *out)
{
	const struct epoch_begun *begun = NULL;
	struct epoch_id id;
	enum err e = all_done(v) ? ERR_NOT_FOUND : epoch_choose_in(v->ec, v->y, v->space, &v->m, &id);

	for (size_t i = 0; e == ERR_OK && i < v->m.epochs; i++)
		if (memcmp(v->m.epoch[i].id.b, id.b, EPOCH_ID_LEN) == 0)
			begun = &v->m.epoch[i];
	for (size_t i = 0; begun != NULL && i < v->m.boxes; i++) {
		const struct moment *at = &v->m.box[i].at;
		bool under = moment_saw(at, &begun->at) ||
		             (device_cmp(at->author, begun->at.author) == 0 && at->seq == begun->at.seq);

		*out =
		    *out || (under && device_cmp(at->author, v->space->me) != 0 && !within(seen, at->author, at->seq));
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Is there an erase that one's own last batch had not seen? Then one says so. */
static enum err unacknowledged(struct view *v, bool *out)
{
	struct vv seen = { 0 };
	enum err e = store_context(v->ec, v->y->store, v->space->me, &seen);

	*out = false;
	for (size_t i = 0; e == ERR_OK && i < v->erasures; i++) {
		const struct erasure_row *row = &v->erasure[i].row;

		*out = *out || (!row->final && row->seq > 0 && device_cmp(row->edit.dev, v->space->me) != 0 &&
		                !within(&seen, row->edit.dev, row->seq));
	}
	if (e == ERR_OK)
		e = box_unseen(v, &seen, out);
	vv_free(&seen);
	return e;
}

static enum err acknowledge(struct view *v)
{
	struct buf b = { 0 };
	bool due = false;
	enum err e = unacknowledged(v, &due);

	if (e == ERR_OK && due)
		e = wire_put_bytes(&b, "", 0);
	if (e == ERR_OK && due)
		e = control_add(v->ec, v->y, v->space->n, CONTROL_DONE, buf_bytes(&b));
	buf_free(&b);
	return e;
}

/* The next epoch begins knowing that everybody agreed: by the one that joined first. */
static enum err next_epoch(struct view *v)
{
	struct device_keys *keys = NULL;
	struct epoch_id id;
	bool after = true;
	enum err e = v->base.is && is_first(v) ? epoch_choose_in(v->ec, v->y, v->space, &v->m, &id) : ERR_NOT_FOUND;

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

static enum err tend(struct view *v, const struct compacting *how, bool *cut, enum compaction_wait *wait)
{
	bool troubled = false;
	enum err e = view_load(v);

	if (e == ERR_OK)
		e = acknowledge(v);
	if (e == ERR_OK)
		e = is_troubled(v->ec, v->y, v->space, &troubled);
	*wait = COMPACTION_ASIDE;
	if (e != ERR_OK || troubled)
		return e;
	*wait = COMPACTION_GOES_ON;
	if (!how->fetched && v->n > 0)
		return ERR_OK;
	e = cut_agreed(v, cut);
	if (e == ERR_OK && *cut) {
		view_free(v);
		*v = (struct view){ .ec = v->ec, .y = v->y, .space = v->space };
		e = view_load(v);
	} else if (e == ERR_OK) {
		e = vote_or_propose(v, how, wait);
	}
	return e == ERR_OK ? next_epoch(v) : e;
}

enum err compaction_tend(struct errctx *ec, struct sync *y, const struct space_row *space, const struct compacting *how,
                         bool *cut, enum compaction_wait *wait)
{
	struct view v = { .ec = ec, .y = y, .space = space };
	struct device_row me;
	bool paper = false;
	bool coming_in = false;
	enum err e = store_device_by_id(ec, y->store, space->me, &me);

	*cut = false;
	*wait = COMPACTION_DEVICES;
	if (e != ERR_OK || me.state != DEVICE_ACTIVE)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	e = device_is_paper(ec, y, space->n, &paper);
	if (e == ERR_OK)
		e = floor_open(ec, y, space->n, &coming_in);
	if (e == ERR_OK && !paper && !coming_in)
		e = tend(&v, how, cut, wait);
	view_free(&v);
	return e;
}

/* Loads the view, and this device's last vote in it; NULL: it has not voted. */
static enum err own_vote(struct view *v, const struct vote **mine)
{
	enum err e = view_load(v);

	*mine = e == ERR_OK ? last_vote(v, v->space->me) : NULL;
	return e;
}

enum err compaction_signed(struct errctx *ec, struct sync *y, const struct space_row *space, struct dot edit,
                           uint64_t seq, bool *out)
{
	struct view v = { .ec = ec, .y = y, .space = space };
	const struct vote *mine = NULL;
	enum err e = own_vote(&v, &mine);

	*out = mine != NULL && within(&mine->upto, edit.dev, seq);
	view_free(&v);
	return e;
}

enum err compaction_named(struct errctx *ec, struct sync *y, int64_t n, struct snapshot_named out[static 2],
                          size_t *count)
{
	struct space_row space;
	struct view v = { .ec = ec, .y = y, .space = &space };
	const struct vote *mine = NULL;
	enum err e = store_space_get(ec, y->store, n, &space);

	*count = 0;
	if (e == ERR_OK)
		e = view_load(&v);
	if (e == ERR_OK && v.base.is) {
		out[*count].round = v.base.round;
		memcpy(out[(*count)++].hash, v.base.hash, HASH_LEN);
	}
	if (e == ERR_OK)
		mine = last_vote(&v, space.me);
	if (mine != NULL) {
		out[*count].round = mine->round;
		memcpy(out[(*count)++].hash, mine->hash, HASH_LEN);
	}
	view_free(&v);
	return e;
}

enum err compaction_pending(struct errctx *ec, struct sync *y, const struct space_row *space, bool *pending)
{
	struct view v = { .ec = ec, .y = y, .space = space };
	const struct vote *mine = NULL;
	enum err e = own_vote(&v, &mine);

	*pending = mine != NULL && others_agree(&v, mine);
	view_free(&v);
	return e;
}

enum err compaction_floor(struct errctx *ec, struct sync *y, const struct space_row *space, struct device_id dev,
                          uint64_t *seq)
{
	struct view v = { .ec = ec, .y = y, .space = space };
	const struct vote *mine = NULL;
	const struct vv_entry *base = NULL;
	const struct vv_entry *voted = NULL;
	enum err e = own_vote(&v, &mine);

	base = vv_get(&v.base.at, dev);
	voted = mine == NULL ? NULL : vv_get(&mine->upto, dev);
	*seq = base == NULL ? 0 : base->seq;
	if (voted != NULL && voted->seq > *seq)
		*seq = voted->seq;
	view_free(&v);
	return e;
}

/* ---- How far it has come ---- */

enum err compaction_epoch_after(struct errctx *ec, struct sync *y, const struct space_row *space,
                                const struct membership *m, struct epoch_id epoch, bool *after)
{
	struct base base = { 0 };
	const struct epoch_begun *begun = NULL;
	enum err e = store_base(ec, y->store, space->n, &base);

	for (size_t i = 0; i < m->epochs; i++)
		if (memcmp(m->epoch[i].id.b, epoch.b, EPOCH_ID_LEN) == 0 &&
		    !members_void(&m->members, m->epoch[i].at.author, m->epoch[i].at.seq))
			begun = &m->epoch[i];
	*after = !base.is;
	/* of one whose record is not sealed yet nothing is known: it is one's own, of just now */
	if (e == ERR_OK && base.is) {
		*after = true;
		for (size_t i = 0; begun != NULL && i < m->votes; i++)
			if (m->vote[i].round == base.round && memcmp(m->vote[i].hash, base.hash, HASH_LEN) == 0)
				*after = *after && moment_saw(&begun->at, &m->vote[i].at);
	}
	vv_free(&base.at);
	return e;
}

/* Are all keys gone that are older than the snapshot in force, and every trace of what it took away? */
static enum err is_done(struct errctx *ec, struct sync *y, const struct space_row *space, const struct membership *m,
                        bool *done)
{
	struct epoch_row *list = NULL;
	size_t n = 0;
	bool old = false;
	enum err e = store_forget_due(ec, y->store, &old);

	*done = !old;
	if (e == ERR_OK) /* such a batch may hold what was erased */
		e = some_forked(ec, y, space->n, &old);
	*done = *done && !old;
	if (e == ERR_OK)
		e = old_boxes_any(ec, y, space, &old);
	*done = *done && !old;
	if (e == ERR_OK)
		e = store_epoch_list(ec, y->store, space->n, &list, &n);
	for (size_t i = 0; e == ERR_OK && *done && i < n; i++)
		if (list[i].state != EPOCH_CLOSED)
			e = compaction_epoch_after(ec, y, space, m, list[i].id, done);
	free(list);
	return e;
}

enum err compaction_tell(struct errctx *ec, struct sync *y, const struct space_row *space)
{
	struct membership m = { 0 };
	struct base base = { 0 };
	struct buf told = { 0 };
	struct buf b = { 0 };
	bool done = false;
	enum err e = store_base(ec, y->store, space->n, &base);

	if (e == ERR_OK && base.is) {
		e = store_kept_get(ec, y->store, space->n, KEPT_TOLD, &told);
		done = told.len == HASH_LEN && memcmp(told.data, base.hash, HASH_LEN) == 0;
		e = e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	if (e != ERR_OK || !base.is || done)
		goto end;
	e = membership_load(ec, y, space, &m);
	if (e == ERR_OK)
		e = is_done(ec, y, space, &m, &done);
	if (e == ERR_OK && done)
		e = wire_put_bytes(&b, base.hash, HASH_LEN);
	if (e == ERR_OK && done)
		e = control_add(ec, y, space->n, CONTROL_DONE, buf_bytes(&b));
	if (e == ERR_OK && done)
		e = store_kept_put(ec, y->store, space->n, KEPT_TOLD, (struct bytes){ base.hash, HASH_LEN });
end:
	membership_free(&m);
	vv_free(&base.at);
	buf_free(&told);
	buf_free(&b);
	return e;
}

static enum err count_device(struct errctx *ec, struct sync *y, const struct membership *m, const struct base *base,
                             const struct standing *s, struct compaction_progress *out)
{
	struct device_row row;
	bool rests = false;
	enum err e = ERR_OK;

	if (membership_is_paper(m, s->device)) {
		out->paper = out->paper || standing_in(s);
		return ERR_OK;
	}
	if (!standing_in(s)) {
		out->removed += s->in;
		return ERR_OK;
	}
	if (base->is && told_done(m, s->device, base->hash)) {
		out->done++;
		return ERR_OK;
	}
	e = store_device_by_id(ec, y->store, s->device, &row);
	if (e == ERR_OK)
		e = device_is_resting(ec, y, &row, &rests);
	out->resting += rests;
	out->active += !rests;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err compaction_progress(struct errctx *ec, struct sync *y, const struct space_row *space,
                             struct compaction_progress *out)
{
	struct membership m = { 0 };
	struct base base = { 0 };
	struct buf at = { 0 };
	enum err e = store_base(ec, y->store, space->n, &base);

	*out = (struct compaction_progress){ .any = base.is };
	if (e == ERR_OK)
		e = membership_load(ec, y, space, &m);
	if (e == ERR_OK) {
		e = store_kept_get(ec, y->store, space->n, KEPT_CUT_AT, &at);
		out->at_ms = at.len == 8 ? (int64_t)be64_get(at.data) : 0;
		e = e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	for (size_t i = 0; e == ERR_OK && i < m.members.devices; i++)
		e = count_device(ec, y, &m, &base, &m.members.device[i], out);
	membership_free(&m);
	vv_free(&base.at);
	buf_free(&at);
	return e;
}
