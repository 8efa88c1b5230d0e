// SPDX-License-Identifier: EUPL-1.2
// Up to where a log may be cut (K3): what everybody who is waited for has acknowledged, below every erase that may
// still be contested, and where nothing within is judged otherwise later.
#include <stdlib.h>
#include <string.h>

#include "sync/compaction_inside.h"

/* How far a device is known to have seen another one, or itself. */
static uint64_t acknowledged(struct device_id dev, const struct vv *context, const struct vv *heads,
                             struct device_id of)
{
	const struct vv_entry *e = vv_get(device_cmp(dev, of) == 0 ? heads : context, of);

	return e == NULL ? 0 : e->seq;
}

/* The greatest vector that every device that is waited for has acknowledged. It is closed: contexts are, and so is what
 * several of them share. */
static enum err lowest_seen(struct council *v, struct vv *out)
{
	struct vv heads = { 0 };
	struct vv context = { 0 };
	enum err e = store_vector(v->ec, v->y->store, v->space->n, &heads);

	if (e == ERR_OK)
		e = vv_copy(&heads, out);
	for (size_t i = 0; e == ERR_OK && i < v->n; i++) {
		e = store_context(v->ec, v->y->store, v->waited[i], &context);
		for (size_t k = 0; e == ERR_OK && k < out->n; k++) {
			uint64_t seq = acknowledged(v->waited[i], &context, &heads, out->e[k].dev);

			out->e[k].seq = seq < out->e[k].seq ? seq : out->e[k].seq;
		}
	}
	vv_free(&heads);
	vv_free(&context);
	return e;
}

/* Lowers the vector below a batch: of each device to the last batch that had not seen it. */
static enum err lower_below(struct council *v, struct device_id dev, uint64_t seq, struct vv *upto)
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

/* Does an edit within the vector contest it? */
static bool contested_within(const struct word_row *word, size_t words, const struct vv *upto, struct dot edit)
{
	for (size_t i = 0; i < words; i++)
		if (word[i].contests && dot_cmp(word[i].named, edit) == 0 &&
		    upto_holds(upto, word[i].by.dev, word[i].seq))
			return true;
	return false;
}

/* May this erase be final where the log is cut at `upto`? */
static bool may_stay(const struct word_row *word, size_t words, const struct vv *upto, const struct erasure *x)
{
	switch (x->state) {
	case ERASURE_WAITS:
	case ERASURE_ASKS:
		return false;
	case ERASURE_CONTESTED:
		return contested_within(word, words, upto, x->row.edit);
	default:
		return true;
	}
}

/* Lowers the vector until no erase lies within that may not be final yet. *held: some erase held it back. */
static enum err below_contests(struct council *v, struct vv *upto, bool *held)
{
	struct word_row *word = NULL;
	size_t words = 0;
	bool again = true;
	enum err e = store_erasure_words(v->ec, v->y->store, v->space->n, &word, &words);

	while (e == ERR_OK && again) {
		again = false;
		for (size_t i = 0; e == ERR_OK && i < v->erasures; i++) {
			const struct erasure_row *row = &v->erasure[i].row;

			if (row->final || !upto_holds(upto, row->edit.dev, row->seq) ||
			    may_stay(word, words, upto, &v->erasure[i]))
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
static enum err counts_alike(struct council *v, const struct vv *upto, bool *alike)
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
static bool takes_away(const struct council *v, const struct vv *upto)
{
	for (size_t i = 0; i < v->erasures; i++)
		if (!v->erasure[i].row.final && v->erasure[i].state == ERASURE_DUE &&
		    upto_holds(upto, v->erasure[i].row.edit.dev, v->erasure[i].row.seq))
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

static bool above_base(const struct council *v, const struct vv *upto)
{
	bool more = !v->base.is && upto->n > 0;

	for (size_t i = 0; i < upto->n; i++)
		more = more || !upto_holds(&v->base.at, upto->e[i].dev, upto->e[i].seq);
	for (size_t i = 0; i < v->base.at.n; i++)
		if (!upto_holds(upto, v->base.at.e[i].dev, v->base.at.e[i].seq))
			return false;
	return more;
}

static enum compaction_wait why_not(const struct council *v, bool held)
{
	bool open = false;

	for (size_t i = 0; i < v->erasures; i++)
		open = open || v->erasure[i].state == ERASURE_DUE || v->erasure[i].state == ERASURE_WAITS ||
		       v->erasure[i].state == ERASURE_ASKS;
	return !open ? COMPACTION_NOTHING : held ? COMPACTION_CONTEST : COMPACTION_DEVICES;
}

enum err upto_choose(struct council *v, struct vv *upto, enum compaction_wait *wait)
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
	struct council v = { .ec = ec, .y = y, .space = space };
	enum err e = council_load(&v);

	out->n = 0;
	if (e == ERR_OK)
		e = upto_choose(&v, out, wait);
	council_free(&v);
	return e;
}

/* Does some member stand on it already, with the keys before it destroyed? */
static bool is_settled(const struct council *v, const struct vote *what)
{
	for (size_t i = 0; i < v->m.dones; i++) {
		const struct standing *s = members_find(&v->m.members, v->m.done[i].at.author);

		if (s != NULL && standing_in(s) && device_cmp(s->device, v->space->me) != 0 &&
		    memcmp(v->m.done[i].hash, what->hash, HASH_LEN) == 0)
			return true;
	}
	return false;
}

/* Is everything within the vector acknowledged by all, and may be final, as this device sees it? */
enum err upto_agreed(struct council *v, const struct vote *x, bool *yes)
{
	struct vv mine = { 0 };
	bool held = false;
	bool alike = false;
	enum err e = lowest_seen(v, &mine);

	*yes = true;
	for (size_t i = 0; i < x->upto.n; i++)
		*yes = *yes && upto_holds(&mine, x->upto.e[i].dev, x->upto.e[i].seq);
	if (e == ERR_OK && *yes && !(is_settled(v, x) && council_others_agree(v, x))) {
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
