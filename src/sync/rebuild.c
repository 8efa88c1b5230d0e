// SPDX-License-Identifier: EUPL-1.2
// A store made again (V5). Every batch passes the same checks as when it came (S4, M1), so the records come to what
// they were; a context of one's own never claims more than was here when the edit was written (S1, M2).
#include "sync/rebuild.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/draft.h"
#include "model/wire.h"
#include "sync/apply.h"
#include "sync/outbox.h"
#include "sync/restored.h"

#define NUMBER_BITS 40
#define CHUNK 200
/* More edits in a row than this are not missing: a number is wrong. */
#define GAP_MAX 100000

static enum err end(struct errctx *ec, struct sync *y, enum err e)
{
	if (e == ERR_OK)
		return store_commit(ec, y->store);
	store_rollback(y->store);
	return e;
}

struct people {
	struct space_row *space;
	size_t spaces;
	struct device_row *device; /* of all spaces */
	size_t devices;
};

static void people_free(struct people *p)
{
	free(p->space);
	free(p->device);
	*p = (struct people){ 0 };
}

static enum err people_load(struct errctx *ec, struct sync *y, struct people *out)
{
	enum err e = store_space_list(ec, y->store, &out->space, &out->spaces);

	for (size_t i = 0; e == ERR_OK && i < out->spaces; i++) {
		struct device_row *list = NULL;
		struct device_row *grown = NULL;
		size_t n = 0;

		e = store_device_list(ec, y->store, out->space[i].n, &list, &n);
		grown = e == ERR_OK ? realloc(out->device, (out->devices + n + 1) * sizeof(*grown)) : NULL;
		if (e == ERR_OK && grown == NULL)
			e = ERR_NO_MEMORY;
		if (grown != NULL) {
			out->device = grown;
			if (n > 0)
				memcpy(grown + out->devices, list, n * sizeof(*list));
			out->devices += n;
		}
		free(list);
	}
	return e;
}

static const struct space_row *space_of(const struct people *p, int64_t n)
{
	for (size_t i = 0; i < p->spaces; i++) {
		if (p->space[i].n == n)
			return &p->space[i];
	}
	return NULL;
}

static const struct device_row *device_of(const struct people *p, int64_t n)
{
	for (size_t i = 0; i < p->devices; i++) {
		if (p->device[i].n == n)
			return &p->device[i];
	}
	return NULL;
}

/* ---- What everything stands on ---- */

static enum err base_gone(struct errctx *ec)
{
	err_clear(ec);
	return err_set(
	    ec, ERR_DAMAGED,
	    "The keys of this home were lost with what is damaged, and nothing can bring them back. Nothing was "
	    "changed. Restore a backup, or join again from another device.",
	    NULL, NULL, NULL);
}

static enum err count_one(void *arg, const char *name, struct bytes value)
{
	(void)name;
	(void)value;
	(*(size_t *)arg)++;
	return ERR_OK;
}

/* Keys of one's own in a space, those of its epochs (what else is to be known of an epoch is in a batch), and one's own
 * entry among its devices. A restored home never has keys of epochs: its backup held none. */
static enum err base_space(struct errctx *ec, struct sync *y, const struct people *p, const struct space_row *s,
                           bool restored)
{
	struct device_keys *keys = NULL;
	size_t epochs = 0;
	bool me = false;
	enum err e = device_keys_load(ec, y, s->n, &keys);

	device_keys_free(keys);
	if (e == ERR_OK)
		e = store_kept_each(ec, y->store, s->n, "epoch:", count_one, &epochs);
	for (size_t i = 0; i < p->devices; i++)
		me = me || (p->device[i].space == s->n && device_cmp(p->device[i].id, s->me) == 0 &&
		            p->device[i].state != DEVICE_NAMED);
	if (e == ERR_OK && s->state == SPACE_MEMBER && (!me || (epochs == 0 && !restored)))
		e = ERR_NOT_FOUND;
	return e == ERR_NOT_FOUND || e == ERR_DAMAGED ? base_gone(ec) : e;
}

/* Of a home that lost its keys nothing can be made; better none than one that looks whole and is empty. */
static enum err base_check(struct errctx *ec, struct sync *y, const struct salvage *old)
{
	const struct salvaged_trace *t = old->trace.item;
	struct people people = { 0 };
	struct restored restored = { 0 };
	bool own = false;
	enum err e = people_load(ec, y, &people);

	if (e == ERR_OK)
		e = restored_get(ec, y, &restored);
	for (size_t i = 0; e == ERR_OK && i < people.spaces; i++) {
		own = own || people.space[i].kind == SPACE_OWN;
		e = base_space(ec, y, &people, &people.space[i], restored.is);
	}
	if (e == ERR_OK && !own)
		e = base_gone(ec);
	for (size_t i = 0; e == ERR_OK && i < old->trace.n; i++) {
		if (device_of(&people, t[i].device) == NULL)
			e = base_gone(ec);
	}
	people_free(&people);
	return e;
}

enum err rebuild_begin(struct errctx *ec, struct sync *y, const struct salvage *old)
{
	enum err e = store_begin(ec, y->store);

	if (e != ERR_OK)
		return e;
	e = salvage_restore(ec, y->store, old);
	if (e == ERR_OK)
		e = base_check(ec, y, old);
	return end(ec, y, e);
}

/* ---- Batches that were kept ---- */

enum again { AGAIN_OPEN, AGAIN_DONE, AGAIN_BAD };

struct replay {
	const struct salvage *old;
	struct people people;
	enum again *state; /* of each batch */
	struct received *received;
	struct rebuilt *out;
};

/* One batch, in the caller's transaction. */
static enum err replay_one(struct errctx *ec, struct sync *y, struct replay *r, size_t i, enum fate *fate)
{
	const struct salvaged_batch *b = (const struct salvaged_batch *)r->old->batch.item + i;
	const struct space_row *space = space_of(&r->people, b->space);
	struct signed_batch batch = { device_of(&r->people, b->b >> NUMBER_BITS), (uint64_t)b->b & STORE_NUMBER_MAX,
		                      buf_bytes(&b->signed_part) };
	const char *why = NULL;

	*fate = FATE_WAITS;
	if (space == NULL || batch.author == NULL || batch.author->state == DEVICE_NAMED)
		return ERR_OK; /* its device may become known yet */
	if (batch.author->space != space->n) {
		*fate = FATE_ASIDE;
		return ERR_OK;
	}
	return batch_again(ec, y, space, &batch, r->received, fate, &why);
}

/* Some batches from `from` on in one transaction. One that does not fit takes the others back with it: then it is
 * marked, and they are tried without it. */
static enum err replay_chunk(struct errctx *ec, struct sync *y, struct replay *r, size_t from, size_t to, bool *moved)
{
	struct received before = *r->received;
	size_t bad = SIZE_MAX;
	uint64_t done = 0;
	enum err e = store_begin(ec, y->store);

	if (e != ERR_OK)
		return e;
	for (size_t i = from; e == ERR_OK && bad == SIZE_MAX && i < to; i++) {
		enum fate fate = FATE_WAITS;

		if (r->state[i] != AGAIN_OPEN)
			continue;
		e = replay_one(ec, y, r, i, &fate);
		if (fate == FATE_ASIDE)
			bad = i;
		else if (fate == FATE_DONE || fate == FATE_KNOWN)
			r->state[i] = AGAIN_DONE;
		done += fate == FATE_DONE;
	}
	if (e != ERR_OK || bad == SIZE_MAX) {
		r->out->batches += e == ERR_OK ? done : 0;
		*moved = *moved || done > 0;
		return end(ec, y, e);
	}
	store_rollback(y->store);
	err_clear(ec);
	*r->received = before;
	for (size_t i = from; i < to; i++)
		r->state[i] = r->state[i] == AGAIN_BAD ? AGAIN_BAD : AGAIN_OPEN;
	r->state[bad] = AGAIN_BAD;
	return replay_chunk(ec, y, r, from, to, moved);
}

static enum err replay_all(struct errctx *ec, struct sync *y, struct replay *r)
{
	bool moved = true;
	enum err e = ERR_OK;

	while (e == ERR_OK && moved) {
		moved = false;
		people_free(&r->people);
		e = people_load(ec, y, &r->people);
		for (size_t i = 0; e == ERR_OK && i < r->old->batch.n; i += CHUNK)
			e = replay_chunk(ec, y, r, i, i + CHUNK < r->old->batch.n ? i + CHUNK : r->old->batch.n,
			                 &moved);
	}
	return e;
}

/* Sealed files that lay here: those on their way out as well, in case the batch itself could not be read. */
static enum err files_again(struct errctx *ec, struct sync *y, const struct salvaged_list *list, struct received *r)
{
	const struct salvaged_file *f = list->item;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < list->n; i++) {
		if (!f[i].sent && f[i].file.len > 0)
			e = inbox_file(ec, y, f[i].ref, f[i].name, buf_bytes(&f[i].file), r);
	}
	return e;
}

enum err rebuild_local(struct errctx *ec, struct sync *y, const struct salvage *old, struct received *r,
                       struct rebuilt *out)
{
	struct replay replay = { .old = old, .received = r, .out = out };
	enum err e = ERR_OK;

	r->rebuilding = true;
	replay.state = calloc(old->batch.n + 1, sizeof(*replay.state));
	e = replay.state == NULL ? ERR_NO_MEMORY : replay_all(ec, y, &replay);
	if (e == ERR_OK)
		e = files_again(ec, y, &old->outgoing, r);
	if (e == ERR_OK)
		e = files_again(ec, y, &old->waiting, r);
	if (e == ERR_OK)
		e = inbox_retry(ec, y, r);
	people_free(&replay.people);
	free(replay.state);
	return e;
}

/* ---- What misses ---- */

/* How far a device's batches are applied here now. */
static enum err head_of(struct errctx *ec, struct sync *y, const struct device_row *d, struct vv_entry *out)
{
	struct vv v = { 0 };
	const struct vv_entry *entry = NULL;
	enum err e = store_vector(ec, y->store, d->space, &v);

	*out = (struct vv_entry){ .dev = d->id };
	if (e == ERR_OK)
		entry = vv_get(&v, d->id);
	if (entry != NULL)
		*out = *entry;
	vv_free(&v);
	return e;
}

enum err rebuild_gaps(struct errctx *ec, struct sync *y, const struct salvage *old, uint64_t *missing)
{
	const struct salvaged_trace *t = old->trace.item;
	struct people people = { 0 };
	enum err e = people_load(ec, y, &people);

	*missing = 0;
	for (size_t i = 0; e == ERR_OK && i < old->trace.n; i++) {
		const struct device_row *d = device_of(&people, t[i].device);
		struct vv_entry head = { 0 };

		if (d != NULL)
			e = head_of(ec, y, d, &head);
		if (e == ERR_OK && t[i].seq > head.seq)
			*missing += t[i].seq - head.seq;
	}
	people_free(&people);
	return e;
}

/* ---- What was written here and never sealed ---- */

/* Which of the states that could be read tells of which edit of one's own. */
struct told {
	uint64_t counter;
	size_t state;
};

struct unsealed {
	struct errctx *ec;
	struct sync *y;
	const struct salvage *old;
	const struct people *people;
	const struct space_row *space;
	struct device_row me;
	struct vv vector;  /* as it is now */
	struct hlc clock;  /* of the edit before */
	struct told *told; /* ascending by counter */
	size_t told_n;
	size_t told_cap;
	struct rebuilt *out;
};

/* The row of the log with this number of one's own; NULL where it could not be read. */
static const struct salvaged_edit *logged_at(const struct unsealed *u, uint64_t counter)
{
	const struct salvaged_edit *list = u->old->edit.item;
	int64_t dot = (u->me.n << NUMBER_BITS) | (int64_t)counter;
	size_t from = 0;
	size_t to = u->old->edit.n;

	while (from < to) {
		size_t mid = (from + to) / 2;

		if (list[mid].dot < dot)
			from = mid + 1;
		else
			to = mid;
	}
	return from < u->old->edit.n && list[from].dot == dot && list[from].space == u->space->n ? &list[from] : NULL;
}

static uint64_t trace_of(const struct unsealed *u, struct device_id dev)
{
	const struct salvaged_trace *t = u->old->trace.item;

	for (size_t i = 0; i < u->old->trace.n; i++) {
		const struct device_row *d = device_of(u->people, t[i].device);

		if (d != NULL && device_cmp(d->id, dev) == 0)
			return t[i].seq;
	}
	return 0;
}

/* What came only now, its author cannot have seen: `seen` says so (S1). Takes what the edit said before into account;
 * free() the list. `blind`: nothing is known of what it had seen, so nothing is claimed. */
static enum err seen_lower(const struct unsealed *u, struct edit *edit, bool blind, struct seen **list)
{
	size_t n = 0;

	*list = calloc(u->vector.n + 1, sizeof(**list));
	if (*list == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < u->vector.n; i++) {
		const struct vv_entry *now = &u->vector.e[i];
		uint64_t seq = blind ? 0 : trace_of(u, now->dev);

		if (device_cmp(now->dev, u->me.id) == 0)
			continue;
		for (size_t k = 0; k < edit->seen_count; k++) {
			if (device_cmp(edit->seen[k].dev, now->dev) == 0 && edit->seen[k].seq < seq)
				seq = edit->seen[k].seq;
		}
		if (seq < now->seq)
			(*list)[n++] = (struct seen){ now->dev, seq };
	}
	edit->seen = n > 0 ? *list : NULL;
	edit->seen_count = n;
	return ERR_OK;
}

/* ERR_NOT_FOUND: it is about a record that is not here. */
static enum err edit_write(struct unsealed *u, struct edit *edit, bool blind)
{
	struct seen *seen = NULL;
	struct loaded l = { 0 };
	enum err e = ERR_OK;

	if (edit->kind == KIND_none) {
		e = store_load(u->ec, u->y->store, edit->target, &l);
		if (e == ERR_OK && l.space != u->space->n)
			e = ERR_NOT_FOUND;
		store_loaded_free(&l);
	}
	if (e == ERR_OK)
		e = seen_lower(u, edit, blind, &seen);
	if (e == ERR_OK)
		e = store_write_again(u->ec, u->y->store, u->space->n, edit);
	if (e == ERR_OK)
		u->clock = edit->clock;
	free(seen);
	return e;
}

/* ERR_NOT_FOUND, also where the bytes make no sense. */
static enum err from_log(struct unsealed *u, const struct salvaged_edit *row, struct dot dot)
{
	struct edit edit;
	struct body pool;
	enum err e = edit_parse(buf_bytes(&row->bytes), &edit, &pool);

	if (e == ERR_DAMAGED)
		return ERR_NOT_FOUND;
	if (e != ERR_OK)
		return e;
	e = dot_cmp(edit.dot, dot) == 0 ? edit_write(u, &edit, false) : ERR_NOT_FOUND;
	body_free(&pool);
	return e;
}

/* The elements of a set that one stamp added, as the write that added them. */
static enum err set_write(const struct field *f, uint32_t stamp, struct draft *d)
{
	struct buf value = { 0 };
	size_t n = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; i < f->n; i++)
		n += f->heads[i].stamp == stamp;
	if (n == 0)
		return ERR_OK;
	if ((e = wire_put_array(&value, 2)) == ERR_OK)
		e = wire_put_array(&value, n);
	for (size_t i = 0; e == ERR_OK && i < f->n; i++) {
		if (f->heads[i].stamp == stamp)
			e = buf_put(&value, f->heads[i].value.data, f->heads[i].value.len);
	}
	if (e == ERR_OK)
		e = wire_put_array(&value, 0);
	if (e == ERR_OK)
		draft_raw(d, f->tag, buf_bytes(&value));
	buf_free(&value);
	return e;
}

/* What is left in a record of the edit with this stamp. */
static enum err writes_of(const struct record *r, uint32_t stamp, struct draft *d)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < r->field_count; i++) {
		const struct field *f = &r->fields[i];

		if (tag_class(f->tag) == CLASS_SET) {
			e = set_write(f, stamp, d);
			continue;
		}
		for (size_t k = 0; k < f->n; k++) {
			if (f->heads[k].stamp == stamp)
				draft_raw(d, f->tag, f->heads[k].value);
		}
	}
	return e;
}

static bool stamp_find(const struct record *r, struct dot dot, uint32_t *out)
{
	for (size_t i = 0; i < r->stamp_count; i++) {
		if (dot_cmp(r->stamps[i].dot, dot) == 0) {
			*out = (uint32_t)i;
			return true;
		}
	}
	return false;
}

/* Others wrote to it as well: then nothing may be claimed about what was seen. */
static bool others_in(const struct record *r, struct device_id me)
{
	for (size_t i = 0; i < r->stamp_count; i++) {
		if (device_cmp(r->stamps[i].dot.dev, me) != 0)
			return true;
	}
	return false;
}

static struct hlc clock_after(struct hlc c)
{
	c.count++;
	return c;
}

/* A time for an edit of which nothing is known: just after the one before it, else that of the next one that can be
 * read, else now. Clocks ascend within a batch. */
static struct hlc clock_between(const struct unsealed *u, uint64_t counter)
{
	struct hlc out = { (uint64_t)clock_now(u->y->clock), 0 };

	if (u->clock.ms > 0)
		return clock_after(u->clock);
	for (uint64_t next = counter + 1; next < counter + CHUNK; next++) {
		const struct salvaged_edit *row = logged_at(u, next);
		struct edit edit;
		struct body pool;

		if (row == NULL || edit_parse(buf_bytes(&row->bytes), &edit, &pool) != ERR_OK)
			continue;
		out = edit.clock;
		body_free(&pool);
		break;
	}
	return out;
}

static enum err from_record(struct unsealed *u, const struct record *r, struct dot dot)
{
	struct draft d = { 0 };
	struct edit edit = { .dot = dot, .target = r->id };
	uint32_t stamp = 0;
	enum err e = ERR_OK;

	if (dot_cmp(r->id, dot) == 0)
		edit.kind = r->kind;
	if (!stamp_find(r, dot, &stamp)) {
		edit.clock = clock_between(u, dot.counter);
	} else {
		edit.clock = hlc_cmp(r->stamps[stamp].clock, u->clock) > 0 ? r->stamps[stamp].clock : u->clock;
		e = writes_of(r, stamp, &d);
	}
	if (e == ERR_OK)
		e = draft_writes(&d, &edit.writes, &edit.write_count);
	if (e == ERR_OK)
		e = edit_write(u, &edit, others_in(r, u->me.id));
	draft_free(&d);
	return e;
}

static int told_cmp(const void *a, const void *b)
{
	uint64_t x = ((const struct told *)a)->counter;
	uint64_t y = ((const struct told *)b)->counter;

	return (x > y) - (x < y);
}

static enum err told_add(struct unsealed *u, uint64_t counter, size_t state)
{
	if (u->told_n == u->told_cap) {
		size_t cap = u->told_cap == 0 ? 64 : 2 * u->told_cap;
		struct told *grown = realloc(u->told, cap * sizeof(*grown));

		if (grown == NULL)
			return ERR_NO_MEMORY;
		u->told = grown;
		u->told_cap = cap;
	}
	u->told[u->told_n++] = (struct told){ counter, state };
	return ERR_OK;
}

/* One pass over the records: what they hold of edits of one's own beyond `head`. */
static enum err told_list(struct unsealed *u, uint64_t head)
{
	const struct salvaged_state *list = u->old->state.item;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < u->old->state.n; i++) {
		struct record r;

		if (list[i].space != u->space->n || record_get(buf_bytes(&list[i].bytes), &r) != ERR_OK)
			continue;
		if (device_cmp(r.id.dev, u->me.id) == 0 && r.id.counter > head && r.kind != KIND_none)
			e = told_add(u, r.id.counter, i);
		for (size_t k = 0; e == ERR_OK && k < r.stamp_count; k++) {
			if (device_cmp(r.stamps[k].dot.dev, u->me.id) == 0 && r.stamps[k].dot.counter > head)
				e = told_add(u, r.stamps[k].dot.counter, i);
		}
		record_free(&r);
	}
	if (u->told_n > 1)
		qsort(u->told, u->told_n, sizeof(*u->told), told_cmp);
	return e;
}

/* The log does not hold it; perhaps the record does, that it made or changed. ERR_NOT_FOUND otherwise. */
static enum err from_states(struct unsealed *u, struct dot dot)
{
	const struct salvaged_state *list = u->old->state.item;
	struct told key = { .counter = dot.counter };
	const struct told *t = u->told_n == 0 ? NULL : bsearch(&key, u->told, u->told_n, sizeof(key), told_cmp);
	struct record r;
	enum err e = ERR_NOT_FOUND;

	if (t == NULL || record_get(buf_bytes(&list[t->state].bytes), &r) != ERR_OK)
		return ERR_NOT_FOUND;
	e = from_record(u, &r, dot);
	record_free(&r);
	return e;
}

/* Numbers run on without a gap, so an edit that is gone leaves one that writes nothing, to one's own entry. */
static enum err stand_in(struct unsealed *u, struct dot dot)
{
	struct edit edit = { .dot = dot, .target = u->me.member, .clock = clock_between(u, dot.counter) };

	if (dot_is_none(u->me.member) || dot.counter == 1)
		return err_set(
		    u->ec, ERR_DAMAGED,
		    "What this device wrote first in %1 is gone, and everything else builds on it. Join again "
		    "from another device.",
		    u->space->name, NULL, NULL);
	return edit_write(u, &edit, false);
}

/* The highest number of one's own that anything readable names, without a step in which a number must be wrong. How
 * many there are is no matter: a home without a neighbourhood never seals any. */
static uint64_t last_written(const struct unsealed *u, uint64_t head)
{
	const struct salvaged_edit *edit = u->old->edit.item;
	uint64_t last = head;
	size_t k = 0;

	/* both lists ascend */
	for (size_t i = 0; i < u->old->edit.n || k < u->told_n;) {
		uint64_t next = k < u->told_n ? u->told[k].counter : UINT64_MAX;
		uint64_t counter = i < u->old->edit.n ? (uint64_t)edit[i].dot & STORE_NUMBER_MAX : UINT64_MAX;

		if (i < u->old->edit.n && (edit[i].dot >> NUMBER_BITS != u->me.n || edit[i].space != u->space->n)) {
			i++;
			continue;
		}
		if (counter <= next)
			i++;
		if (next <= counter)
			k++;
		next = counter < next ? counter : next;
		if (next > last && next - last > GAP_MAX)
			break;
		last = next > last ? next : last;
	}
	return last;
}

static enum err one_again(struct unsealed *u, uint64_t counter)
{
	const struct salvaged_edit *row = logged_at(u, counter);
	struct dot dot = { u->me.id, counter };
	enum err e = row == NULL ? ERR_NOT_FOUND : from_log(u, row, dot);

	if (e == ERR_OK) {
		u->out->edits++;
		return e;
	}
	if (e == ERR_NOT_FOUND)
		e = from_states(u, dot);
	if (e == ERR_OK) {
		u->out->restored++;
		return e;
	}
	if (e == ERR_NOT_FOUND) {
		u->out->lost_edits++;
		e = stand_in(u, dot);
	}
	return e;
}

static enum err unsealed_again(struct unsealed *u, uint64_t head)
{
	uint64_t last = head;
	enum err e = store_vector(u->ec, u->y->store, u->space->n, &u->vector);

	if (e == ERR_OK)
		e = told_list(u, head);
	if (e == ERR_OK)
		last = last_written(u, head);
	for (uint64_t counter = head + 1; e == ERR_OK && counter <= last; counter++)
		e = one_again(u, counter);
	vv_free(&u->vector);
	free(u->told);
	return e;
}

/* ---- What is to be sent ---- */

static const struct salvaged_file *outgoing_named(const struct salvage *old, const char *name)
{
	const struct salvaged_file *f = old->outgoing.item;

	for (size_t i = 0; i < old->outgoing.n; i++) {
		if (strcmp(f[i].name, name) == 0)
			return &f[i];
	}
	return NULL;
}

static const struct shown_file *shown_named(const struct shown_files *shown, const char *name)
{
	for (size_t i = 0; shown != NULL && i < shown->n; i++) {
		if (strcmp(shown->file[i].name, name) == 0)
			return &shown->file[i];
	}
	return NULL;
}

static void own_name(const struct space_row *space, uint64_t seq, char out[static FILE_NAME_MAX])
{
	char tag[TAG_TEXT_LEN];

	tag_text(space->my_tag, tag);
	snprintf(out, FILE_NAME_MAX, "%s-%" PRIu64, tag, seq);
}

/* Every batch of one's own is in the list of files, as one that was sent or one that waits for it. */
static enum err outgoing_again(struct errctx *ec, struct sync *y, const struct salvage *old,
                               const struct shown_files *shown, const struct space_row *space, uint64_t head)
{
	enum err e = ERR_OK;

	for (uint64_t seq = 1; e == ERR_OK && seq <= head; seq++) {
		char name[FILE_NAME_MAX];
		const struct salvaged_file *was = NULL;
		const struct shown_file *there = NULL;

		own_name(space, seq, name);
		was = outgoing_named(old, name);
		there = shown_named(shown, name);
		if (there != NULL) {
			struct salvaged_file sent = { .space = space->n, .sent = true };

			memcpy(sent.ref, there->ref, sizeof(sent.ref));
			memcpy(sent.name, there->name, sizeof(sent.name));
			e = salvage_outgoing(ec, y->store, &sent);
		} else if (was != NULL && (was->sent || was->file.len > 0)) {
			e = salvage_outgoing(ec, y->store, was);
		} else {
			e = outbox_again(ec, y, space, seq);
		}
	}
	return e;
}

/* Did this device send batches beyond `head`, as far as can be seen here? */
static bool sent_beyond(const struct salvage *old, const struct space_row *space, uint64_t head)
{
	const struct salvaged_file *f = old->outgoing.item;
	char tag[TAG_TEXT_LEN];

	tag_text(space->my_tag, tag);
	for (size_t i = 0; i < old->outgoing.n; i++) {
		size_t len = strlen(tag);

		if (f[i].sent && strncmp(f[i].name, tag, len) == 0 && f[i].name[len] == '-' &&
		    strtoull(f[i].name + len + 1, NULL, 10) > head)
			return true;
	}
	return false;
}

static enum err space_end(struct errctx *ec, struct sync *y, const struct salvage *old, const struct shown_files *shown,
                          const struct people *people, const struct space_row *space, struct rebuilt *out)
{
	struct unsealed u = { .ec = ec, .y = y, .old = old, .people = people, .space = space, .out = out };
	struct vv_entry head = { 0 };
	struct restored restored = { 0 };
	char tag[TAG_TEXT_LEN];
	enum err e = store_device_by_id(ec, y->store, space->me, &u.me);

	if (e == ERR_NOT_FOUND) /* asked to join, nothing written yet */
		return ERR_OK;
	if (e == ERR_OK)
		e = head_of(ec, y, &u.me, &head);
	if (e == ERR_OK)
		e = restored_get(ec, y, &restored);
	/* which sends nothing any more (S7) */
	if (e == ERR_OK && !restored.is && sent_beyond(old, space, head.seq))
		e = err_set(
		    ec, ERR_LATER,
		    "The repository does not show what this device sent to %1, and it is gone here. Somebody who "
		    "fetched it must sync first; then try again. Nothing was changed.",
		    space->name, NULL, NULL);
	if (e == ERR_OK && !restored.is)
		e = outgoing_again(ec, y, old, shown, space, head.seq);
	if (e == ERR_OK)
		e = unsealed_again(&u, head.counter);
	tag_text(space->my_tag, tag);
	return e == ERR_OK && shown == NULL ? salvage_branches(ec, y->store, old, tag) : e;
}

enum err rebuild_end(struct errctx *ec, struct sync *y, const struct salvage *old, const struct shown_files *shown,
                     struct rebuilt *out)
{
	struct people people = { 0 };
	enum err e = rebuild_gaps(ec, y, old, &out->lost_batches);

	if (e == ERR_OK)
		e = people_load(ec, y, &people);
	if (e == ERR_OK)
		e = store_begin(ec, y->store);
	if (e == ERR_OK) {
		for (size_t i = 0; e == ERR_OK && i < people.spaces; i++)
			e = space_end(ec, y, old, shown, &people, &people.space[i], out);
		e = end(ec, y, e);
	}
	people_free(&people);
	return e;
}
