// SPDX-License-Identifier: EUPL-1.2
// What was written on this device and never sealed, once more into a store made again (V5): from the log, else from the
// record that it made or changed, else as an edit that writes nothing, since numbers have no gaps. A context of one's
// own never claims more than was here when the edit was written (S1, M2).
#include "sync/unsealed.h"

#include <stdlib.h>

#include "model/draft.h"
#include "model/wire.h"

#define NUMBER_BITS 40
/* More edits in a row than this are not missing: a number is wrong. */
#define GAP_MAX 100000
/* How many numbers on a time is looked for. */
#define LOOK_AHEAD 200

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
	const struct device_row *me;
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
	int64_t dot = (u->me->n << NUMBER_BITS) | (int64_t)counter;
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
		const struct device_row *d = people_device(u->people, t[i].device);

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

		if (device_cmp(now->dev, u->me->id) == 0)
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
	for (uint64_t next = counter + 1; next < counter + LOOK_AHEAD; next++) {
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
		e = edit_write(u, &edit, others_in(r, u->me->id));
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
		if (device_cmp(r.id.dev, u->me->id) == 0 && r.id.counter > head && r.kind != KIND_none)
			e = told_add(u, r.id.counter, i);
		for (size_t k = 0; e == ERR_OK && k < r.stamp_count; k++) {
			if (device_cmp(r.stamps[k].dot.dev, u->me->id) == 0 && r.stamps[k].dot.counter > head)
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
	struct edit edit = { .dot = dot, .target = u->me->member, .clock = clock_between(u, dot.counter) };

	if (dot_is_none(u->me->member) || dot.counter == 1)
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

		if (i < u->old->edit.n && (edit[i].dot >> NUMBER_BITS != u->me->n || edit[i].space != u->space->n)) {
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
	struct dot dot = { u->me->id, counter };
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

enum err unsealed_again(struct errctx *ec, struct sync *y, const struct unsealed_job *job, struct rebuilt *out)
{
	struct unsealed u = {
		.ec = ec, .y = y, .old = job->old, .people = job->people, .space = job->space, .me = job->me, .out = out
	};
	uint64_t last = job->head;
	enum err e = store_vector(ec, y->store, job->space->n, &u.vector);

	if (e == ERR_OK)
		e = told_list(&u, job->head);
	if (e == ERR_OK)
		last = last_written(&u, job->head);
	for (uint64_t counter = job->head + 1; e == ERR_OK && counter <= last; counter++)
		e = one_again(&u, counter);
	vv_free(&u.vector);
	free(u.told);
	return e;
}
