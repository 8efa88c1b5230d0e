// SPDX-License-Identifier: EUPL-1.2
// Devices that went two ways (S5, M1): every line that is known can be named, one is applied, and both are told.
#include "sync/forks.h"

#include <stdlib.h>
#include <string.h>

#include "model/wire.h"
#include "sync/acts.h"
#include "sync/carry.h"
#include "sync/membership.h"
#include "sync/space.h"

static struct bytes short_hash(const struct vv_entry *e)
{
	return (struct bytes){ e->hash, VV_HASH_LEN };
}

/* ---- Where a batch stands ---- */

void fork_awaits(struct device_id dev, uint64_t seq, const uint8_t hash[static VV_HASH_LEN], struct awaits *out)
{
	*out = (struct awaits){ .what = AWAITS_LINE, .id_len = DEVICE_ID_LEN + VV_HASH_LEN, .seq = seq };
	memcpy(out->id, dev.b, DEVICE_ID_LEN);
	memcpy(out->id + DEVICE_ID_LEN, hash, VV_HASH_LEN);
}

void batch_awaits(struct device_id dev, uint64_t seq, struct awaits *out)
{
	*out = (struct awaits){ .what = AWAITS_BATCH, .id_len = DEVICE_ID_LEN, .seq = seq };
	memcpy(out->id, dev.b, DEVICE_ID_LEN);
}

/* Of the line that is applied here: counter and hash of a batch; number 0 is before the first. */
static enum err applied_entry(struct errctx *ec, struct sync *y, struct device_id dev, uint64_t seq,
                              struct vv_entry *out)
{
	uint8_t hash[HASH_LEN] = { 0 };
	enum err e = ERR_OK;

	*out = (struct vv_entry){ .dev = dev, .seq = seq };
	if (seq > 0)
		e = store_batch_get(ec, y->store, dev, seq, &out->counter, hash);
	memcpy(out->hash, hash, VV_HASH_LEN);
	return e;
}

enum err fork_named(struct errctx *ec, struct sync *y, const struct vv_entry *which, struct named *out,
                    struct awaits *awaits)
{
	struct fork_row row;
	bool here = false;
	uint64_t forked = 0;
	enum err e = applied_entry(ec, y, which->dev, which->seq, &out->own);

	here = e == ERR_OK;
	out->applied = here && memcmp(out->own.hash, which->hash, VV_HASH_LEN) == 0;
	out->counter = out->own.counter;
	if (out->applied || (e != ERR_OK && e != ERR_NOT_FOUND))
		return e;
	e = store_fork_get(ec, y->store, which->dev, which->seq, short_hash(which), &row);
	if (e == ERR_OK) {
		out->counter = row.counter;
		return applied_entry(ec, y, which->dev, row.common, &out->own);
	}
	if (e != ERR_NOT_FOUND)
		return e;
	e = store_forked(ec, y->store, which->dev, &forked);
	if (here || forked > 0) /* what comes of it is kept beside the line */
		fork_awaits(which->dev, which->seq, which->hash, awaits);
	else
		batch_awaits(which->dev, which->seq, awaits);
	return e == ERR_OK ? ERR_NOT_FOUND : e;
}

/* From a batch that is not applied here up its line: the one with this number, if that is not applied either.
 * ERR_NOT_FOUND: it is applied, and *row is the first one that is not. */
static enum err line_up(struct errctx *ec, struct sync *y, const struct vv_entry *of, uint64_t seq,
                        struct fork_row *row)
{
	enum err e = store_fork_get(ec, y->store, of->dev, of->seq, short_hash(of), row);

	if (e == ERR_NOT_FOUND)
		e = ERR_DAMAGED; /* the caller had it */
	while (e == ERR_OK && row->seq > seq) {
		if (row->seq == row->common + 1)
			return ERR_NOT_FOUND;
		e = store_fork_get(ec, y->store, row->dev, row->seq - 1, (struct bytes){ row->prev, sizeof(row->prev) },
		                   row);
		e = e == ERR_NOT_FOUND ? ERR_DAMAGED : e;
	}
	return e;
}

enum err fork_follows(struct errctx *ec, struct sync *y, const struct vv_entry *earlier, const struct vv_entry *later,
                      bool *out)
{
	struct vv_entry own;
	struct fork_row row;
	enum err e = applied_entry(ec, y, later->dev, later->seq, &own);
	bool applied = e == ERR_OK && memcmp(own.hash, later->hash, VV_HASH_LEN) == 0;

	if (e == ERR_OK || e == ERR_NOT_FOUND)
		e = applied_entry(ec, y, earlier->dev, earlier->seq, &own);
	if (e == ERR_OK && memcmp(own.hash, earlier->hash, VV_HASH_LEN) == 0) {
		if (!applied)
			e = store_fork_get(ec, y->store, later->dev, later->seq, short_hash(later), &row);
		*out = e == ERR_OK && (applied || earlier->seq <= row.common);
		return e;
	}
	*out = false;
	if (applied || (e != ERR_OK && e != ERR_NOT_FOUND))
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	e = line_up(ec, y, later, earlier->seq, &row);
	*out = e == ERR_OK && memcmp(row.hash, earlier->hash, VV_HASH_LEN) == 0;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err fork_counter(struct errctx *ec, struct sync *y, const struct vv_entry *of, uint64_t seq, uint64_t *counter)
{
	struct vv_entry own;
	struct fork_row row;
	enum err e = line_up(ec, y, of, seq, &row);

	*counter = row.counter;
	if (e != ERR_NOT_FOUND)
		return e;
	e = applied_entry(ec, y, of->dev, seq, &own);
	*counter = own.counter;
	return e;
}

enum err fork_seen(struct errctx *ec, struct sync *y, const struct vv_entry *of, struct device_id dev, uint64_t *seq)
{
	struct vv_entry at = *of;
	struct vv context = { 0 };
	struct fork_row row = { .common = 0 };
	bool found = false;
	enum err e = ERR_OK;

	while (e == ERR_OK && !found) {
		e = store_fork_get(ec, y->store, at.dev, at.seq, short_hash(&at), &row);
		if (e == ERR_OK)
			e = store_fork_parts(ec, y->store, &row, NULL, &context);
		found = e == ERR_OK && vv_get(&context, dev) != NULL;
		if (found)
			*seq = vv_get(&context, dev)->seq;
		else if (e == ERR_OK && row.seq == row.common + 1)
			break;
		at.seq--;
		memcpy(at.hash, row.prev, VV_HASH_LEN);
	}
	vv_free(&context);
	if (e != ERR_OK || found)
		return e == ERR_NOT_FOUND ? ERR_DAMAGED : e;
	*seq = 0;
	return row.common == 0 ? ERR_OK : store_seen_at(ec, y->store, of->dev, row.common, dev, seq);
}

/* ---- Keeping one ---- */

static enum err context_says(const struct body *body, struct vv *out)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < body->context_count; i++) {
		struct vv_entry entry = { .dev = body->context[i].dev, .seq = body->context[i].seq };

		memcpy(entry.hash, body->context[i].hash, VV_HASH_LEN);
		e = vv_set(out, entry);
	}
	return e;
}

/* What it follows on: the last batch that is applied here, and the counter before its own. */
static enum err parent_find(struct errctx *ec, struct sync *y, const struct fork_batch *b, struct fork_row *out,
                            uint64_t *counter)
{
	static const uint8_t none[HASH_LEN];
	uint8_t hash[HASH_LEN] = { 0 };
	struct fork_row parent;
	enum err e = ERR_OK;

	*counter = 0;
	out->common = b->seq - 1;
	if (b->seq == 1)
		return memcmp(b->body->prev, none, HASH_LEN) == 0 ? ERR_OK : ERR_NOT_FOUND;
	e = store_batch_get(ec, y->store, b->dev, b->seq - 1, counter, hash);
	if (e == ERR_OK && memcmp(hash, b->body->prev, HASH_LEN) == 0)
		return ERR_OK;
	if (e == ERR_OK || e == ERR_NOT_FOUND)
		e = store_fork_get(ec, y->store, b->dev, b->seq - 1, (struct bytes){ b->body->prev, HASH_LEN },
		                   &parent);
	if (e != ERR_OK)
		return e;
	out->common = parent.common;
	*counter = parent.counter;
	return ERR_OK;
}

/* ---- Whom a batch beside the line let in ---- */

typedef enum err (*line_fn)(void *arg, const struct fork_row *row, const struct body *body, bool *done);

/* The batches of this line, from that of `row` back to the first after what all lines share, until `fn` is done. */
static enum err line_back(struct errctx *ec, struct sync *y, struct fork_row row, line_fn fn, void *arg)
{
	bool done = false;
	enum err e = ERR_OK;

	while (e == ERR_OK) {
		struct buf part = { 0 };
		struct buf cbor = { 0 };
		struct body body = { 0 };

		e = store_fork_parts(ec, y->store, &row, &part, NULL);
		if (e == ERR_OK)
			e = batch_peek(y->zip, buf_bytes(&part), &cbor);
		if (e == ERR_OK)
			e = body_parse(buf_bytes(&cbor), row.dev, &body);
		if (e == ERR_OK)
			e = fn(arg, &row, &body, &done);
		body_free(&body);
		buf_free(&cbor);
		buf_free(&part);
		if (e != ERR_OK || done || row.seq == row.common + 1)
			return e;
		e = store_fork_get(ec, y->store, row.dev, row.seq - 1, (struct bytes){ row.prev, sizeof(row.prev) },
		                   &row);
	}
	return e == ERR_NOT_FOUND ? ERR_DAMAGED : e;
}

struct making {
	uint64_t counter;
	uint32_t kind; /* KIND_none: it was not made here */
};

static enum err making_look(void *arg, const struct fork_row *row, const struct body *body, bool *done)
{
	struct making *m = arg;

	(void)row;
	if (m->counter >= body->first_counter && m->counter - body->first_counter < body->edit_count)
		m->kind = body->edits[m->counter - body->first_counter].kind;
	*done = m->kind != KIND_none;
	return ERR_OK;
}

/* The kind of a record that was made on this line, in or before the batch of `row`. KIND_none: it was not. */
static enum err kind_on_line(struct errctx *ec, struct sync *y, struct fork_row row, uint64_t counter, uint32_t *kind)
{
	struct making m = { counter, KIND_none };
	enum err e = line_back(ec, y, row, making_look, &m);

	*kind = m.kind;
	return e;
}

/* The kind of the record that an edit of this batch is about, as it is on its line. */
static enum err line_kind(struct errctx *ec, struct sync *y, const struct fork_row *row, const struct edit *edit,
                          uint32_t *kind)
{
	uint8_t hash[HASH_LEN];
	uint64_t common = 0;
	enum err e = ERR_OK;

	*kind = edit->kind;
	if (edit->kind != KIND_none)
		return ERR_OK;
	if (row->common > 0)
		e = store_batch_get(ec, y->store, row->dev, row->common, &common, hash);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_DAMAGED : e;
	return device_cmp(edit->target.dev, row->dev) == 0 && edit->target.counter > common
	           ? kind_on_line(ec, y, *row, edit->target.counter, kind)
	           : record_kind(ec, y, edit->target, kind);
}

typedef enum err (*let_in_fn)(void *arg, const struct bundle *b);

/* The devices that a batch beside the line lets in, by a member record or by going on as one. */
static enum err let_in_each(struct errctx *ec, struct sync *y, const struct space_row *space,
                            const struct fork_row *row, const struct body *body, let_in_fn fn, void *arg)
{
	struct told_list told = { 0 };
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < body->control_count; i++)
		if (body->controls[i].type == CONTROL_GOES_ON)
			e = told_from_goes_on(ec, y, space, &body->controls[i], i, &told);
	for (size_t i = 0; e == ERR_OK && i < body->edit_count; i++) {
		uint32_t kind = KIND_none;

		if (!tells_of_members(&body->edits[i]))
			continue;
		e = line_kind(ec, y, row, &body->edits[i], &kind);
		if (e == ERR_OK && kind == KIND_member)
			e = told_from_edit(&body->edits[i], &told);
	}
	for (size_t i = 0; e == ERR_OK && i < told.n; i++)
		if (told.item[i].type == TOLD_ADMIT || told.item[i].type == TOLD_GOES_ON)
			e = fn(arg, &told.item[i].bundle);
	told_free(&told);
	return e == ERR_DAMAGED ? ERR_OK : e; /* whoever applied that line set it aside */
}

struct registering {
	struct errctx *ec;
	struct sync *y;
	const struct space_row *space;
};

static enum err let_in_register(void *arg, const struct bundle *b)
{
	struct registering *r = arg;
	struct device_row row = { .id = device_id_make(r->space->id, b->sign, b->incarnation) };
	enum err e = store_device_by_id(r->ec, r->y->store, row.id, &row);

	if (e == ERR_OK && row.state != DEVICE_NAMED)
		return ERR_OK;
	if (e == ERR_OK || e == ERR_NOT_FOUND)
		e = device_register(r->ec, r->y, r->space, b, (struct dot){ 0 });
	if (e == ERR_OK)
		e = store_device_by_id(r->ec, r->y->store, row.id, &row);
	row.state = DEVICE_REMOVED;
	return e == ERR_OK ? store_device_stand(r->ec, r->y->store, &row) : e;
}

struct looking_for {
	struct errctx *ec;
	struct sync *y;
	const struct space_row *space;
	struct device_id dev;
	bool found;
};

static enum err let_in_look(void *arg, const struct bundle *b)
{
	struct looking_for *l = arg;

	l->found = l->found || device_cmp(device_id_make(l->space->id, b->sign, b->incarnation), l->dev) == 0;
	return ERR_OK;
}

static enum err let_in_there(void *arg, const struct fork_row *row, const struct body *body, bool *done)
{
	struct looking_for *l = arg;
	enum err e = let_in_each(l->ec, l->y, l->space, row, body, let_in_look, l);

	*done = l->found;
	return e;
}

enum err fork_let_in(struct errctx *ec, struct sync *y, const struct space_row *space, const struct vv *line,
                     struct device_id dev, bool *out)
{
	struct looking_for l = { ec, y, space, dev, false };
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < line->n && !l.found; i++) {
		struct fork_row row;

		e = store_fork_get(ec, y->store, line->e[i].dev, line->e[i].seq, short_hash(&line->e[i]), &row);
		e = e == ERR_OK ? line_back(ec, y, row, let_in_there, &l) : e == ERR_NOT_FOUND ? ERR_DAMAGED : e;
	}
	*out = l.found;
	return e;
}

/* ---- Keeping one, on ---- */

enum err fork_keep(struct errctx *ec, struct sync *y, const struct space_row *space, const struct fork_batch *b)
{
	struct registering r = { ec, y, space };
	struct fork_row row = { .dev = b->dev, .seq = b->seq };
	struct vv context = { 0 };
	uint64_t before = 0;
	enum err e = parent_find(ec, y, b, &row, &before);

	if (e == ERR_OK && b->body->first_counter != before + 1)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		e = context_says(b->body, &context);
	row.counter = before + b->body->edit_count;
	memcpy(row.hash, b->hash, sizeof(row.hash));
	memcpy(row.prev, b->body->prev, sizeof(row.prev));
	if (e == ERR_OK)
		e = store_fork_put(ec, y->store, space->n, &row, &context, b->signed_part);
	vv_free(&context);
	return e == ERR_OK ? let_in_each(ec, y, space, &row, b->body, let_in_register, &r) : e;
}

/* ---- The proof ---- */

static enum err proof_put(struct device_id dev, uint64_t seq, const uint8_t *one, const uint8_t *two, struct buf *out)
{
	bool swap = memcmp(one, two, HASH_LEN) > 0;
	enum err e = wire_put_array(out, 4);

	if (e == ERR_OK)
		e = wire_put_bytes(out, dev.b, DEVICE_ID_LEN);
	if (e == ERR_OK)
		e = wire_put_uint(out, seq);
	if (e == ERR_OK)
		e = wire_put_bytes(out, swap ? two : one, HASH_LEN);
	return e == ERR_OK ? wire_put_bytes(out, swap ? one : two, HASH_LEN) : e;
}

/* Is the batch with just this hash here, applied or not? */
static enum err proof_half(struct errctx *ec, struct sync *y, struct device_id dev, uint64_t seq,
                           const uint8_t hash[static HASH_LEN], struct awaits *awaits)
{
	uint8_t own[HASH_LEN];
	uint64_t counter = 0;
	struct fork_row row;
	enum err e = store_batch_get(ec, y->store, dev, seq, &counter, own);

	if (e == ERR_OK && memcmp(own, hash, HASH_LEN) == 0)
		return ERR_OK;
	if (e == ERR_OK || e == ERR_NOT_FOUND)
		e = store_fork_get(ec, y->store, dev, seq, (struct bytes){ hash, HASH_LEN }, &row);
	if (e == ERR_NOT_FOUND)
		fork_awaits(dev, seq, hash, awaits);
	return e;
}

enum err fork_proof_get(struct bytes payload, struct fork_proof *out)
{
	struct wire_in in = wire_in(payload);
	size_t n = 0;
	enum err e = wire_get_array(&in, &n);

	if (e == ERR_OK && n != 4)
		e = ERR_DAMAGED;
	if (e == ERR_OK)
		e = wire_get_exact(&in, out->dev.b, DEVICE_ID_LEN);
	if (e == ERR_OK)
		e = wire_get_uint(&in, &out->seq);
	if (e == ERR_OK)
		e = wire_get_exact(&in, out->one, HASH_LEN);
	if (e == ERR_OK)
		e = wire_get_exact(&in, out->two, HASH_LEN);
	if (e == ERR_OK)
		e = wire_at_end(&in);
	if (e == ERR_OK && (out->seq == 0 || out->seq > STORE_NUMBER_MAX || memcmp(out->one, out->two, HASH_LEN) >= 0))
		e = ERR_DAMAGED;
	return e;
}

enum err fork_proof_here(struct errctx *ec, struct sync *y, const struct fork_proof *p, struct awaits *awaits)
{
	enum err e = proof_half(ec, y, p->dev, p->seq, p->one, awaits);

	return e == ERR_OK ? proof_half(ec, y, p->dev, p->seq, p->two, awaits) : e;
}

/* ---- Telling it ---- */

enum err fork_doubt(struct errctx *ec, struct sync *y, int64_t space, struct device_id dev, uint64_t from)
{
	struct fork_told t;
	enum err e = store_fork_told(ec, y->store, dev, &t);

	if (e != ERR_OK || (t.first > 0 && t.first <= from))
		return e;
	t.first = from;
	return store_fork_tell(ec, y->store, space, dev, &t);
}

/* Two batches with the number `from`: the one that is applied here, if one is, and the first of the others. */
static enum err proof_make(struct errctx *ec, struct sync *y, const struct fork_row *list, size_t n, uint64_t from,
                           struct buf *out)
{
	uint8_t own[HASH_LEN];
	uint64_t counter = 0;
	const uint8_t *half[2] = { NULL, NULL };
	size_t found = 0;
	enum err e = store_batch_get(ec, y->store, list[0].dev, from, &counter, own);

	if (e == ERR_OK)
		half[found++] = own;
	for (size_t i = 0; i < n && found < 2; i++)
		if (list[i].seq == from)
			half[found++] = list[i].hash;
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	return found < 2 ? ERR_DAMAGED : proof_put(list[0].dev, from, half[0], half[1], out);
}

/* `list` has the rows of one device. */
static enum err device_tell(struct errctx *ec, struct sync *y, const struct space_row *space,
                            const struct fork_row *list, size_t n)
{
	struct device_id dev = list[0].dev;
	struct fork_told t;
	struct buf payload = { 0 };
	uint64_t from = 0;
	enum err e = store_forked(ec, y->store, dev, &from);

	if (e != ERR_OK || from == 0 || device_cmp(dev, space->me) == 0)
		return e;
	e = store_fork_told(ec, y->store, dev, &t);
	if (e != ERR_OK || (t.proven > 0 && t.proven <= from))
		return e;
	e = proof_make(ec, y, list, n, from, &payload);
	if (e == ERR_OK)
		e = control_add(ec, y, space->n, CONTROL_FORK, buf_bytes(&payload));
	t.proven = t.first = from;
	t.handed = t.handed > from ? 0 : t.handed; /* of the other lines nothing went out yet */
	if (e == ERR_OK)
		e = store_fork_tell(ec, y->store, space->n, dev, &t);
	buf_free(&payload);
	return e;
}

enum err forks_tell(struct errctx *ec, struct sync *y, const struct space_row *space, bool *files)
{
	struct fork_row *list = NULL;
	struct device_id *owed = NULL;
	size_t n = 0;
	bool any = false;
	enum err e = store_fork_any(ec, y->store, &any);

	if (e == ERR_OK && any)
		e = store_fork_list(ec, y->store, space->n, &list, &n);
	for (size_t i = 0, k = 0; e == ERR_OK && i < n; i = k) {
		for (k = i; k < n && device_cmp(list[k].dev, list[i].dev) == 0;)
			k++;
		e = device_tell(ec, y, space, list + i, k - i);
	}
	free(list);
	if (e == ERR_OK)
		e = store_fork_owed(ec, y->store, space->n, &owed, &n);
	*files = e == ERR_OK && n > 0;
	free(owed);
	return e;
}

static enum err hand_out(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch,
                         const struct fork_row *list, size_t n, struct device_id dev)
{
	struct forked f = { .dev = dev };
	struct fork_told t;
	struct vv heads = { 0 };
	const struct vv_entry *head = NULL;
	enum err e = store_fork_told(ec, y->store, dev, &t);

	if (e == ERR_OK)
		e = store_vector(ec, y->store, space->n, &heads);
	head = vv_get(&heads, dev);
	f.from = t.first;
	f.to = head == NULL ? 0 : head->seq;
	f.to = t.handed > 0 && t.handed <= f.to ? t.handed - 1 : f.to;
	for (size_t i = 0; i < n; i++) {
		if (device_cmp(list[i].dev, dev) != 0)
			continue;
		f.row = f.rows == 0 ? &list[i] : f.row;
		f.rows++;
	}
	if (e == ERR_OK)
		e = carry_forked(ec, y, space, epoch, &f);
	t.handed = t.first;
	vv_free(&heads);
	return e == ERR_OK ? store_fork_tell(ec, y->store, space->n, dev, &t) : e;
}

enum err forks_hand_out(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch)
{
	struct fork_row *list = NULL;
	struct device_id *owed = NULL;
	size_t rows = 0;
	size_t n = 0;
	enum err e = store_fork_owed(ec, y->store, space->n, &owed, &n);

	if (e == ERR_OK && n > 0)
		e = store_fork_list(ec, y->store, space->n, &list, &rows);
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		e = hand_out(ec, y, space, epoch, list, rows, owed[i]);
	free(owed);
	free(list);
	return e;
}
