// SPDX-License-Identifier: EUPL-1.2
// The floor under a joiner (S5): what one was promised must be here before one takes part.
#include "sync/floor.h"

#include <stdlib.h>
#include <string.h>

#include "model/vv.h"
#include "model/wire.h"
#include "sync/own.h"
#include "sync/paper.h"

#define KEPT_FLOOR "floor"

struct promised {
	struct device_id dev;
	uint64_t seq;
	uint8_t hash[VV_HASH_LEN];
};

/* The next entry of a floor; ERR_DAMAGED when it is none. */
static enum err promised_get(struct wire_in *in, struct promised *out)
{
	size_t three = 0;
	enum err e = wire_get_array(in, &three);

	if (e == ERR_OK && three != 3)
		e = ERR_DAMAGED;
	if (e == ERR_OK)
		e = wire_get_exact(in, out->dev.b, DEVICE_ID_LEN);
	if (e == ERR_OK)
		e = wire_get_uint(in, &out->seq);
	if (e == ERR_OK && (out->seq == 0 || out->seq > STORE_NUMBER_MAX))
		e = ERR_DAMAGED;
	return e == ERR_OK ? wire_get_exact(in, out->hash, VV_HASH_LEN) : e;
}

enum err floor_put(struct errctx *ec, struct sync *y, int64_t space, struct bytes heads)
{
	struct wire_in in = wire_in(heads);
	struct promised p;
	size_t n = 0;
	enum err e = wire_get_array(&in, &n);

	if (e == ERR_OK && n == 0) /* whoever lets one in has sealed that at least */
		e = ERR_DAMAGED;
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		e = promised_get(&in, &p);
	if (e == ERR_OK)
		e = wire_at_end(&in);
	return e == ERR_OK ? store_kept_put(ec, y->store, space, KEPT_FLOOR, heads) : e;
}

/* Calls `each` for every entry of a space's floor until it says false; nothing where there is none. */
typedef enum err (*promised_fn)(void *arg, const struct promised *p, bool *more);

static enum err floor_each(struct errctx *ec, struct sync *y, int64_t space, promised_fn each, void *arg)
{
	struct buf b = { 0 };
	struct wire_in in;
	struct promised p;
	bool more = true;
	size_t n = 0;
	enum err e = store_kept_get(ec, y->store, space, KEPT_FLOOR, &b);

	if (e != ERR_OK) {
		buf_free(&b);
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	in = wire_in(buf_bytes(&b));
	e = wire_get_array(&in, &n);
	for (size_t i = 0; e == ERR_OK && more && i < n; i++) {
		e = promised_get(&in, &p);
		if (e == ERR_OK)
			e = each(arg, &p, &more);
	}
	buf_free(&b);
	if (e == ERR_DAMAGED)
		e = err_set(ec, e, "The vault holds something that cannot be right. Run verify.", NULL, NULL, NULL);
	return e;
}

/* An entry of no device names a snapshot. */
static bool is_snapshot(const struct promised *p)
{
	static const struct device_id none = { { 0 } };

	return device_cmp(p->dev, none) == 0;
}

struct looking {
	struct errctx *ec;
	struct sync *y;
	bool any;
	bool misses;
};

static enum err look_for(void *arg, const struct promised *p, bool *more)
{
	struct looking *l = arg;
	uint8_t hash[32];
	uint64_t counter = 0;
	enum err e = ERR_OK;

	l->any = true;
	if (is_snapshot(p))
		return ERR_OK;
	e = store_batch_get(l->ec, l->y->store, p->dev, p->seq, &counter, hash);

	l->misses = e == ERR_NOT_FOUND || (e == ERR_OK && memcmp(hash, p->hash, VV_HASH_LEN) != 0);
	*more = !l->misses;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Is one's own device among those that the member records of the space name? */
static enum err admission_open(struct errctx *ec, struct sync *y, int64_t space, bool *out)
{
	struct space_row row;
	struct device_row me;
	enum err e = store_space_get(ec, y->store, space, &row);

	*out = false;
	if (e == ERR_OK) {
		e = store_device_by_id(ec, y->store, row.me, &me);
		*out = e == ERR_NOT_FOUND || (e == ERR_OK && me.state == DEVICE_NAMED);
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err floor_open(struct errctx *ec, struct sync *y, int64_t space, bool *out)
{
	struct looking l = { .ec = ec, .y = y };
	enum err e = floor_each(ec, y, space, look_for, &l);

	*out = l.misses;
	return e != ERR_OK || l.misses || !l.any ? e : admission_open(ec, y, space, out);
}

struct comparing {
	struct device_id dev;
	uint64_t seq;
	const uint8_t *hash;
	bool differs;
	bool wanted;
};

static enum err compare(void *arg, const struct promised *p, bool *more)
{
	struct comparing *c = arg;

	if (!is_snapshot(p) && device_cmp(p->dev, c->dev) == 0 &&
	    p->seq == c->seq) { /* of one that forked there are two */
		c->differs = memcmp(p->hash, c->hash, VV_HASH_LEN) != 0;
		*more = false;
	}
	return ERR_OK;
}

enum err floor_differs(struct errctx *ec, struct sync *y, int64_t space, struct device_id dev, uint64_t seq,
                       const uint8_t hash[static 32], bool *out)
{
	struct comparing c = { .dev = dev, .seq = seq, .hash = hash };
	enum err e = floor_each(ec, y, space, compare, &c);

	*out = c.differs;
	return e;
}

struct naming {
	uint64_t round;
	const uint8_t *hash;
	bool found;
};

static enum err name_one(void *arg, const struct promised *p, bool *more)
{
	struct naming *n = arg;

	n->found = n->found || (is_snapshot(p) && p->seq == n->round && memcmp(p->hash, n->hash, VV_HASH_LEN) == 0);
	*more = !n->found;
	return ERR_OK;
}

enum err floor_names(struct errctx *ec, struct sync *y, int64_t space, uint64_t round, const uint8_t hash[static 32],
                     bool *out)
{
	struct naming n = { round, hash, false };
	enum err e = floor_each(ec, y, space, name_one, &n);

	*out = n.found;
	return e;
}

static enum err want(void *arg, const struct promised *p, bool *more)
{
	struct comparing *c = arg;

	c->wanted = !is_snapshot(p) && device_cmp(p->dev, c->dev) == 0 && p->seq >= c->seq;
	*more = !c->wanted;
	return ERR_OK;
}

enum err floor_wants(struct errctx *ec, struct sync *y, int64_t space, struct device_id dev, uint64_t seq, bool *out)
{
	struct comparing c = { .dev = dev, .seq = seq };
	enum err e = floor_each(ec, y, space, want, &c);

	*out = c.wanted;
	return e;
}

enum err floor_refuse(struct errctx *ec, struct sync *y, int64_t space)
{
	struct space_row row;
	bool open = false;
	enum err e = floor_open(ec, y, space, &open);

	if (e != ERR_OK || !open)
		return e;
	e = store_space_get(ec, y->store, space, &row);
	if (e != ERR_OK)
		return e;
	return err_set(
	    ec, ERR_LATER,
	    "%1 is still coming in, so nothing can be written there yet. Nothing was changed. Sync, and then "
	    "do this again.",
	    row.name, NULL, NULL);
}

/* A floor that is reached goes, in one transaction with what follows from it. */
static enum err settle_one(struct errctx *ec, struct sync *y, const struct space_row *space, uint64_t *carried)
{
	enum err e = store_begin(ec, y->store);

	if (e != ERR_OK)
		return e;
	e = store_kept_delete(ec, y->store, space->n, KEPT_FLOOR);
	if (e == ERR_OK)
		e = paper_give_way(ec, y, space);
	if (e == ERR_OK && space->kind == SPACE_OWN)
		e = own_give_way(ec, y, space, carried);
	if (e == ERR_OK)
		return store_commit(ec, y->store);
	store_rollback(y->store);
	return e;
}

enum err floor_settle(struct errctx *ec, struct sync *y, struct received *r)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, y->store, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct buf b = { 0 };
		bool open = false;

		if (list[i].state != SPACE_MEMBER)
			continue;
		e = store_kept_get(ec, y->store, list[i].n, KEPT_FLOOR, &b);
		buf_free(&b);
		if (e == ERR_NOT_FOUND) {
			e = ERR_OK;
			continue;
		}
		if (e == ERR_OK)
			e = floor_open(ec, y, list[i].n, &open);
		if (e == ERR_OK && !open) {
			uint64_t carried = 0;

			e = settle_one(ec, y, &list[i], &carried);
			r->arrived += e == ERR_OK;
			r->carried += e == ERR_OK ? carried : 0;
		}
	}
	free(list);
	return e;
}
