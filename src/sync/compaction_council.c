// SPDX-License-Identifier: EUPL-1.2
// What a compaction is decided by, and what others ask about it: who is waited for, and who voted for what (K3).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "sync/closing.h"
#include "sync/compaction_inside.h"

void council_free(struct council *v)
{
	membership_free(&v->m);
	vv_free(&v->base.at);
	free(v->erasure);
	free(v->waited);
}

/* Are batches beside the line of some device kept? They are whole, and stay when a log is cut. */
enum err council_forked(struct errctx *ec, struct sync *y, int64_t space, bool *out)
{
	struct fork_row *rows = NULL;
	size_t n = 0;
	enum err e = store_fork_list(ec, y->store, space, &rows, &n);

	*out = n > 0;
	free(rows);
	return e;
}

enum err council_load(struct council *v)
{
	enum err e = ERR_OK;

	TRY(council_forked(v->ec, v->y, v->space->n, &v->forked));
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

bool upto_holds(const struct vv *upto, struct device_id dev, uint64_t seq)
{
	const struct vv_entry *e = vv_get(upto, dev);

	return seq > 0 && e != NULL && e->seq >= seq;
}

/* Of those who are waited for, the one that joined first. */
bool council_is_first(const struct council *v)
{
	const struct standing *me = members_find(&v->m.members, v->space->me);

	for (size_t i = 0; i < v->n && me != NULL; i++) {
		const struct standing *s = members_find(&v->m.members, v->waited[i]);

		if (s != NULL && (s->rank < me->rank || (s->rank == me->rank && device_cmp(s->device, me->device) < 0)))
			return false;
	}
	return me != NULL;
}

bool council_told_done(const struct membership *m, struct device_id dev, const uint8_t hash[static HASH_LEN])
{
	for (size_t i = 0; i < m->dones; i++)
		if (device_cmp(m->done[i].at.author, dev) == 0 && memcmp(m->done[i].hash, hash, HASH_LEN) == 0)
			return true;
	return false;
}

/* ---- Votes ---- */

int council_vote_cmp(uint64_t round_a, const uint8_t *a, uint64_t round_b, const uint8_t *b)
{
	if (round_a != round_b)
		return round_a < round_b ? -1 : 1;
	return memcmp(a, b, HASH_LEN);
}

bool council_vote_counts(const struct council *v, const struct vote *x)
{
	return (!v->base.is || x->round > v->base.round) && !members_void(&v->m.members, x->at.author, x->at.seq);
}

/* The last vote of a device; NULL: none on the base of now. */
const struct vote *council_last_vote(const struct council *v, struct device_id dev)
{
	const struct vote *last = NULL;

	for (size_t i = 0; i < v->m.votes; i++) {
		const struct vote *x = &v->m.vote[i];

		if (device_cmp(x->at.author, dev) == 0 && council_vote_counts(v, x) &&
		    (last == NULL || x->at.seq > last->at.seq ||
		     (x->at.seq == last->at.seq && x->at.order > last->at.order)))
			last = x;
	}
	return last;
}

static bool voted_for(const struct council *v, struct device_id dev, const struct vote *what)
{
	for (size_t i = 0; i < v->m.votes; i++)
		if (device_cmp(v->m.vote[i].at.author, dev) == 0 && v->m.vote[i].round == what->round &&
		    memcmp(v->m.vote[i].hash, what->hash, HASH_LEN) == 0)
			return true;
	return false;
}

/* Did everybody else who is waited for vote for it? */
bool council_others_agree(const struct council *v, const struct vote *what)
{
	bool all = true;

	for (size_t i = 0; i < v->n; i++)
		all = all && voted_for(v, v->waited[i], what);
	return all;
}

/* Makes the snapshot that was proposed. *same: it is that one. */
enum err council_make_same(struct council *v, const struct vote *x, struct snapshot *s, bool *same)
{
	enum err e = snapshot_build(v->ec, v->y, v->space, &x->upto, x->round, s);

	*same = e == ERR_OK && memcmp(s->hash, x->hash, HASH_LEN) == 0;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

void council_refused_name(const uint8_t hash[static HASH_LEN], char out[static 64])
{
	snprintf(out, 64, KEPT_REFUSED);
	hex_put(hash, 16, out + strlen(KEPT_REFUSED));
}

enum err council_refused(struct council *v, const uint8_t hash[static HASH_LEN], bool *out)
{
	char name[64];
	struct buf b = { 0 };
	enum err e = ERR_OK;

	council_refused_name(hash, name);
	e = store_kept_get(v->ec, v->y->store, v->space->n, name, &b);
	*out = e == ERR_OK;
	buf_free(&b);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* A vote that may be in force somewhere: an epoch began by somebody who knew it, and it is not refused here. */
static enum err stands_elsewhere(struct council *v, const struct vote *x, bool *out)
{
	bool refused = false;
	enum err e = ERR_OK;

	*out = false;
	for (size_t i = 0; i < v->m.epochs; i++)
		*out = *out || (moment_saw(&v->m.epoch[i].at, &x->at) &&
		                !members_void(&v->m.members, v->m.epoch[i].at.author, v->m.epoch[i].at.seq));
	*out = *out && council_vote_counts(v, x);
	if (*out)
		e = council_refused(v, x->hash, &refused);
	*out = *out && !refused;
	return e;
}

/* ---- What others ask ---- */

/* Loads the council, and this device's last vote in it; NULL: it has not voted. */
static enum err own_vote(struct council *v, const struct vote **mine)
{
	enum err e = council_load(v);

	*mine = e == ERR_OK ? council_last_vote(v, v->space->me) : NULL;
	return e;
}

enum err compaction_signed(struct errctx *ec, struct sync *y, const struct space_row *space, struct dot edit,
                           uint64_t seq, bool *out)
{
	struct council v = { .ec = ec, .y = y, .space = space };
	const struct vote *mine = NULL;
	enum err e = own_vote(&v, &mine);

	*out = mine != NULL && upto_holds(&mine->upto, edit.dev, seq);
	council_free(&v);
	return e;
}

enum err compaction_named(struct errctx *ec, struct sync *y, int64_t n, struct snapshot_named out[static 2],
                          size_t *count)
{
	struct space_row space;
	struct council v = { .ec = ec, .y = y, .space = &space };
	const struct vote *mine = NULL;
	enum err e = store_space_get(ec, y->store, n, &space);

	*count = 0;
	if (e == ERR_OK)
		e = council_load(&v);
	if (e == ERR_OK && v.base.is) {
		out[*count].round = v.base.round;
		memcpy(out[(*count)++].hash, v.base.hash, HASH_LEN);
	}
	if (e == ERR_OK)
		mine = council_last_vote(&v, space.me);
	if (mine != NULL) {
		out[*count].round = mine->round;
		memcpy(out[(*count)++].hash, mine->hash, HASH_LEN);
	}
	council_free(&v);
	return e;
}

enum err compaction_pending(struct errctx *ec, struct sync *y, const struct space_row *space, bool *pending)
{
	struct council v = { .ec = ec, .y = y, .space = space };
	const struct vote *mine = NULL;
	enum err e = own_vote(&v, &mine);

	*pending = mine != NULL && council_others_agree(&v, mine);
	for (size_t i = 0; e == ERR_OK && !*pending && i < v.m.votes; i++)
		e = stands_elsewhere(&v, &v.m.vote[i], pending);
	council_free(&v);
	return e;
}

static void floor_lift(const struct vv *upto, struct device_id dev, uint64_t *seq)
{
	const struct vv_entry *e = vv_get(upto, dev);

	if (e != NULL && e->seq > *seq)
		*seq = e->seq;
}

enum err compaction_floor(struct errctx *ec, struct sync *y, const struct space_row *space, struct device_id dev,
                          uint64_t *seq)
{
	struct council v = { .ec = ec, .y = y, .space = space };
	const struct vote *mine = NULL;
	enum err e = own_vote(&v, &mine);

	*seq = 0;
	floor_lift(&v.base.at, dev, seq);
	if (mine != NULL)
		floor_lift(&mine->upto, dev, seq);
	for (size_t i = 0; e == ERR_OK && i < v.m.votes; i++) {
		bool stands = false;

		e = stands_elsewhere(&v, &v.m.vote[i], &stands);
		if (stands)
			floor_lift(&v.m.vote[i].upto, dev, seq);
	}
	council_free(&v);
	return e;
}
