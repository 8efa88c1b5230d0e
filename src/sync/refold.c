// SPDX-License-Identifier: EUPL-1.2
// Folding again (M1, V5). A batch's context is the change against its author's batch before, so for each author and
// each other device the steps are kept, and the context at a batch is the last step up to it.
#include "sync/refold.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "model/erasing.h"
#include "sync/forks.h"
#include "sync/spans.h"

struct step {
	uint64_t at;  /* the author's batch */
	uint64_t seq; /* of the other device, seen from there on */
	struct vv_entry
	    line; /* what it named, where that is on another line of the other device; number 0: it is not */
};

struct steps {
	struct step *step;
	size_t n;
};

struct author {
	struct device_row device;
	uint64_t head;     /* its last batch here */
	uint64_t from;     /* up to this one its batches were compacted: of those the tables tell */
	uint64_t *counter; /* by batch, from 0: its last edit */
	struct steps *of;  /* by other author */
};

struct refold {
	struct sync *y;
	const struct space_row *space;
	struct author *author;
	size_t n;
	bool forks;         /* some device of some space forked */
	struct spans spans; /* of what is not sealed yet, while this device waits to be let in again */
};

/* ---- Reading the batches ---- */

static size_t author_index(const struct refold *f, struct device_id dev)
{
	size_t i = 0;

	while (i < f->n && device_cmp(f->author[i].device.id, dev) != 0)
		i++;
	return i;
}

static enum err step_add(struct steps *s, struct step step)
{
	struct step *grown = array_grown(s->step, s->n, sizeof(*grown));

	if (grown == NULL)
		return ERR_NO_MEMORY;
	s->step = grown;
	s->step[s->n++] = step;
	return ERR_OK;
}

/* What a context names, in terms of the line that is applied here. */
static enum err step_make(struct errctx *ec, const struct refold *f, uint64_t at, const struct context_entry *c,
                          struct step *out)
{
	struct vv_entry which = { .dev = c->dev, .seq = c->seq };
	struct awaits awaits;
	struct named named;
	enum err e = ERR_OK;

	*out = (struct step){ .at = at, .seq = c->seq };
	if (!f->forks)
		return ERR_OK;
	memcpy(which.hash, c->hash, VV_HASH_LEN);
	e = fork_named(ec, f->y, &which, &named, &awaits);
	if (e != ERR_OK || named.applied)
		return e;
	out->seq = named.own.seq;
	out->line = which;
	return ERR_OK;
}

/* ERR_DAMAGED: it is not the batch that the table says. */
static enum err batch_note(struct errctx *ec, struct refold *f, struct author *a, uint64_t seq)
{
	struct batch_author author = { f->space->id, a->device.id, seq };
	struct buf signed_part = { 0 };
	struct buf cbor = { 0 };
	struct body body = { 0 };
	uint8_t hash[HASH_LEN];
	uint8_t kept[HASH_LEN];
	enum err e = store_batch_get(ec, f->y->store, a->device.id, seq, &a->counter[seq], kept);

	if (e == ERR_OK)
		e = store_batch_signed(ec, f->y->store, a->device.id, seq, &signed_part);
	if (e == ERR_OK)
		e = batch_open(f->y->zip, &author, a->device.sign, buf_bytes(&signed_part), &cbor, hash);
	if (e == ERR_OK)
		e = body_parse(buf_bytes(&cbor), a->device.id, &body);
	if (e == ERR_OK && (memcmp(hash, kept, sizeof(hash)) != 0 || body.first_counter != a->counter[seq - 1] + 1 ||
	                    a->counter[seq] != a->counter[seq - 1] + body.edit_count))
		e = ERR_DAMAGED;
	for (size_t i = 0; e == ERR_OK && i < body.context_count; i++) {
		size_t other = author_index(f, body.context[i].dev);
		struct step step;

		e = other == f->n ? ERR_DAMAGED : step_make(ec, f, seq, &body.context[i], &step);
		if (e == ERR_OK)
			e = step_add(&a->of[other], step);
	}
	body_free(&body);
	buf_free(&cbor);
	buf_free(&signed_part);
	return e == ERR_NOT_FOUND ? ERR_DAMAGED : e;
}

struct noting_seen {
	struct refold *f;
	struct author *a;
};

static enum err seen_below(void *arg, struct dot batch, struct dot names)
{
	struct noting_seen *n = arg;
	size_t other = author_index(n->f, names.dev);

	return other == n->f->n
	           ? ERR_DAMAGED
	           : step_add(&n->a->of[other], (struct step){ .at = batch.counter, .seq = names.counter });
}

/* The batches at or below the base: their signed parts are gone. */
static enum err author_below(struct errctx *ec, struct refold *f, struct author *a)
{
	struct noting_seen n = { f, a };
	uint8_t hash[HASH_LEN];
	enum err e = ERR_OK;

	for (uint64_t seq = 1; e == ERR_OK && seq <= a->from; seq++)
		e = store_batch_get(ec, f->y->store, a->device.id, seq, &a->counter[seq], hash);
	if (e == ERR_OK && a->from > 0)
		e = store_seen_each(ec, f->y->store, a->device.id, a->from, seen_below, &n);
	return e == ERR_NOT_FOUND ? ERR_DAMAGED : e;
}

static enum err author_read(struct errctx *ec, struct refold *f, struct author *a)
{
	enum err e = ERR_OK;

	a->counter = calloc((size_t)a->head + 1, sizeof(*a->counter));
	a->of = calloc(f->n, sizeof(*a->of));
	if (a->counter == NULL || a->of == NULL)
		return ERR_NO_MEMORY;
	e = author_below(ec, f, a);
	for (uint64_t seq = a->from + 1; e == ERR_OK && seq <= a->head; seq++)
		e = batch_note(ec, f, a, seq);
	return e;
}

static enum err authors_list(struct errctx *ec, struct refold *f)
{
	struct device_row *list = NULL;
	struct vv heads = { 0 };
	struct base base = { 0 };
	size_t n = 0;
	enum err e = store_device_list(ec, f->y->store, f->space->n, &list, &n);

	if (e == ERR_OK)
		e = store_vector(ec, f->y->store, f->space->n, &heads);
	if (e == ERR_OK)
		e = store_base(ec, f->y->store, f->space->n, &base);
	f->author = calloc(n + 1, sizeof(*f->author));
	if (e == ERR_OK && f->author == NULL)
		e = ERR_NO_MEMORY;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		const struct vv_entry *head = vv_get(&heads, list[i].id);
		const struct vv_entry *from = vv_get(&base.at, list[i].id);

		f->author[f->n].device = list[i];
		f->author[f->n].from = from == NULL ? 0 : from->seq;
		f->author[f->n++].head = head == NULL ? 0 : head->seq;
		if (head != NULL && head->seq > 0 && list[i].state == DEVICE_NAMED)
			e = ERR_DAMAGED;
	}
	vv_free(&base.at);
	vv_free(&heads);
	free(list);
	return e;
}

enum err refold_open(struct errctx *ec, struct sync *y, const struct space_row *space, struct refold **out)
{
	struct refold *f = calloc(1, sizeof(*f));
	enum err e = f == NULL ? ERR_NO_MEMORY : ERR_OK;

	*out = NULL;
	if (e != ERR_OK)
		return e;
	f->y = y;
	f->space = space;
	e = authors_list(ec, f);
	if (e == ERR_OK)
		e = spans_load(ec, y, space->n, &f->spans);
	if (e == ERR_OK)
		e = store_fork_any(ec, y->store, &f->forks);
	for (size_t i = 0; e == ERR_OK && i < f->n; i++)
		e = author_read(ec, f, &f->author[i]);
	if (e == ERR_OK)
		*out = f;
	else
		refold_close(f);
	if (e == ERR_DAMAGED)
		return err_set(ec, e, "Batches that were applied to %1 are damaged or missing in the vault.",
		               space->name, NULL, NULL);
	return e;
}

void refold_close(struct refold *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n; i++) {
		for (size_t k = 0; f->author[i].of != NULL && k < f->n; k++)
			free(f->author[i].of[k].step);
		free(f->author[i].of);
		free(f->author[i].counter);
	}
	free(f->author);
	spans_free(&f->spans);
	free(f);
}

/* ---- What an author had seen ---- */

/* The last step up to a batch; NULL: none. */
static const struct step *step_at(const struct steps *s, uint64_t seq)
{
	size_t from = 0;
	size_t to = s->n;

	while (from < to) { /* the first step beyond `seq` */
		size_t mid = (from + to) / 2;

		if (s->step[mid].at <= seq)
			from = mid + 1;
		else
			to = mid;
	}
	return from == 0 ? NULL : &s->step[from - 1];
}

/* Up to which batch of the other one; `seq` 0: not sealed yet, so all that is here. */
static uint64_t seen_at(const struct refold *f, const struct author *a, uint64_t seq, size_t other)
{
	const struct step *step = seq == 0 ? NULL : step_at(&a->of[other], seq);

	if (seq == 0)
		return f->author[other].head;
	return step == NULL ? 0 : step->seq;
}

/* How many edits of the other one the author of this edit had seen, where it followed another line of it. */
static enum err line_counter(const struct refold *f, const struct author *a, const struct logged *l, size_t other,
                             uint64_t *counter)
{
	const struct step *step = l->seq == 0 ? NULL : step_at(&a->of[other], l->seq);
	uint64_t up_to = 0;

	if (step == NULL || step->line.seq == 0)
		return ERR_OK;
	up_to = step->line.seq;
	for (size_t k = 0; k < l->edit.seen_count; k++)
		if (device_cmp(l->edit.seen[k].dev, step->line.dev) == 0 && l->edit.seen[k].seq < up_to)
			up_to = l->edit.seen[k].seq;
	return fork_counter(NULL, f->y, &step->line, up_to, counter);
}

static enum err context_of(const struct refold *f, const struct author *a, const struct logged *l, struct vv *seen,
                           uint64_t *past)
{
	const struct vv *span = l->seq == 0 ? spans_at(&f->spans, l->edit.dot.counter) : NULL;
	enum err e = ERR_OK;

	*past = l->edit.dot.counter - 1;
	for (size_t i = 0; e == ERR_OK && i < f->n; i++) {
		const struct author *other = &f->author[i];
		struct vv_entry entry = { .dev = other->device.id };
		uint64_t counter = 0;

		if (other == a)
			continue;
		entry.seq = seen_at(f, a, l->seq, i);
		if (span != NULL)
			entry.seq = vv_get(span, entry.dev) == NULL ? 0 : vv_get(span, entry.dev)->seq;
		for (size_t k = 0; k < l->edit.seen_count; k++) {
			if (device_cmp(l->edit.seen[k].dev, entry.dev) == 0 && l->edit.seen[k].seq < entry.seq)
				entry.seq = l->edit.seen[k].seq;
		}
		if (entry.seq > other->head)
			return ERR_DAMAGED;
		entry.counter = counter = other->counter[entry.seq];
		if (f->forks)
			e = line_counter(f, a, l, i, &counter);
		*past += counter;
		if (e == ERR_OK && entry.seq > 0)
			e = vv_set(seen, entry);
	}
	return e;
}

/* Does the edit lie in the batch that the log says? */
static bool in_its_batch(const struct refold *f, const struct author *a, const struct logged *l)
{
	uint64_t counter = l->edit.dot.counter;

	if (l->seq == 0)
		return device_cmp(a->device.id, f->space->me) == 0 && counter > a->counter[a->head];
	return l->seq <= a->head && counter > a->counter[l->seq - 1] && counter <= a->counter[l->seq];
}

/* What the author of a logged edit had seen; ERR_DAMAGED: the log does not say what its batch does. */
static enum err logged_context(const struct refold *f, const struct logged *l, struct dot record, struct vv *seen,
                               uint64_t *past)
{
	size_t author = author_index(f, l->edit.dot.dev);
	enum err e = ERR_OK;

	if (author == f->n || dot_cmp(l->edit.target, record) != 0 || !in_its_batch(f, &f->author[author], l))
		return ERR_DAMAGED;
	e = context_of(f, &f->author[author], l, seen, past);
	return e == ERR_OK && *past != l->past ? ERR_DAMAGED : e;
}

static enum err fold_one(const struct refold *f, const struct logged *l, struct record *r)
{
	struct vv seen = { 0 };
	uint64_t past = 0;
	enum err e = logged_context(f, l, r->id, &seen, &past);

	if (e == ERR_OK)
		e = record_apply(r, &l->edit, (struct context){ &seen, past });
	vv_free(&seen);
	return e;
}

/* Is the edit within what is folded? NULL: everything is. */
static bool is_within(const struct refold_part *part, const struct logged *l)
{
	const struct vv_entry *upto = part == NULL ? NULL : vv_get(part->upto, l->edit.dot.dev);

	return part == NULL || (l->seq > 0 && upto != NULL && l->seq <= upto->seq);
}

static enum err is_void(const struct refold_part *part, const struct logged *l, bool *out)
{
	*out = l->is_void;
	return part == NULL || part->judge == NULL ? ERR_OK : part->judge(part->arg, l, out);
}

/* The erases that count for nothing because somebody contests them. */
static enum err contested(const struct refold *f, const struct record_log *log, const struct refold_part *part,
                          struct dot record, struct contests *out)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < log->n; i++) {
		const struct logged *l = &log->item[i];
		struct vv seen = { 0 };
		uint64_t past = 0;
		bool out_of_it = false;

		if (!edit_writes(&l->edit, F_any_contests) || !is_within(part, l))
			continue;
		e = is_void(part, l, &out_of_it);
		if (e == ERR_OK && !out_of_it)
			e = logged_context(f, l, record, &seen, &past);
		if (e == ERR_OK && !out_of_it)
			e = contests_note(out, &l->edit, (struct context){ &seen, past });
		vv_free(&seen);
	}
	return e;
}

/* What the record came to where the log was cut off. */
static enum err base_load(struct errctx *ec, struct refold *f, struct dot id, struct record *out, size_t *counted)
{
	struct buf state = { 0 };
	enum err e = store_base_state(ec, f->y->store, id, &state);

	record_init(out, id);
	if (e == ERR_OK)
		e = record_get(buf_bytes(&state), out);
	if (e == ERR_OK) {
		*counted += !out->uncounted;
		e = record_own(out, &state);
	}
	buf_free(&state);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err refold_context(struct refold *f, struct device_id dev, uint64_t seq, struct vv *out)
{
	size_t author = author_index(f, dev);
	enum err e = author == f->n || seq > f->author[author].head ? ERR_NOT_FOUND : ERR_OK;

	out->n = 0;
	for (size_t i = 0; e == ERR_OK && i < f->n; i++) {
		struct vv_entry entry = { .dev = f->author[i].device.id };

		entry.seq = i == author ? 0 : seen_at(f, &f->author[author], seq, i);
		if (entry.seq > f->author[i].head)
			return ERR_DAMAGED;
		entry.counter = f->author[i].counter[entry.seq];
		if (entry.seq > 0)
			e = vv_set(out, entry);
	}
	return e;
}

enum err refold_part(struct errctx *ec, struct refold *f, struct dot id, const struct refold_part *part,
                     struct record *out)
{
	struct record_log log = { 0 };
	struct contests stops = { 0 };
	size_t counted = 0;
	enum err e = base_load(ec, f, id, out, &counted);

	if (e == ERR_OK)
		e = store_log_of(ec, f->y->store, id, &log);
	if (e == ERR_OK)
		e = contested(f, &log, part, id, &stops);
	for (size_t i = 0; e == ERR_OK && i < log.n; i++) {
		const struct logged *l = &log.item[i];
		bool out_of_it = false;

		if (!is_within(part, l))
			continue;
		e = is_void(part, l, &out_of_it);
		if (l->edit.kind != KIND_none)
			out->kind = l->edit.kind; /* what was made stays made while something about it counts */
		if (e != ERR_OK || out_of_it || contests_stop(&stops, &l->edit))
			continue;
		e = fold_one(f, l, out);
		counted++;
	}
	if (e == ERR_OK && counted == 0 && (part == NULL || out->kind == KIND_none))
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		out->uncounted = counted == 0;
	contests_free(&stops);
	store_log_free(&log);
	if (e != ERR_OK)
		record_free(out);
	return e;
}

enum err refold_record(struct errctx *ec, struct refold *f, struct dot id, struct record *out)
{
	return refold_part(ec, f, id, NULL, out);
}

enum err refold_write(struct errctx *ec, struct refold *f, struct dot id)
{
	struct record r = { 0 };
	enum err e = refold_record(ec, f, id, &r);

	if (e == ERR_NOT_FOUND) {
		e = store_record_delete(ec, f->y->store, id);
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	if (e == ERR_OK)
		e = store_record_put(ec, f->y->store, f->space->n, &r);
	record_free(&r);
	return e;
}

/* ---- All of a space ---- */

static enum err record_differs(struct errctx *ec, struct refold *f, const struct record *should, bool *differs)
{
	struct buf state = { 0 };
	struct buf kept = { 0 };
	enum err e = record_put(should, &state);

	if (e == ERR_OK)
		e = store_state(ec, f->y->store, should->id, &kept);
	*differs = e == ERR_NOT_FOUND || (e == ERR_OK && bytes_cmp(buf_bytes(&state), buf_bytes(&kept)) != 0);
	buf_free(&state);
	buf_free(&kept);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err one_of_space(struct errctx *ec, struct refold *f, struct dot id, bool mend, struct refolded *out)
{
	struct record r = { 0 };
	bool differs = false;
	enum err e = refold_record(ec, f, id, &r);

	out->records++;
	if (e == ERR_NOT_FOUND) { /* nothing that counts: then there is to be no record */
		struct loaded l = { 0 };

		e = store_load(ec, f->y->store, id, &l);
		store_loaded_free(&l);
		out->differing += e == ERR_OK || e == ERR_DAMAGED;
		if (e == ERR_NOT_FOUND)
			return ERR_OK;
		return mend && (e == ERR_OK || e == ERR_DAMAGED) ? store_record_delete(ec, f->y->store, id)
		       : e == ERR_DAMAGED                        ? ERR_OK
		                                                 : e;
	}
	if (e == ERR_DAMAGED) {
		out->damaged++;
		return ERR_OK;
	}
	if (e == ERR_OK)
		e = record_differs(ec, f, &r, &differs);
	out->differing += differs;
	if (e == ERR_OK && differs && mend)
		e = store_record_put(ec, f->y->store, f->space->n, &r);
	record_free(&r);
	return e;
}

enum err refold_space(struct errctx *ec, struct refold *f, bool mend, struct refolded *out)
{
	struct dots ids = { 0 };
	enum err e = store_records_known(ec, f->y->store, f->space->n, &ids);

	*out = (struct refolded){ 0 };
	for (size_t i = 0; e == ERR_OK && i < ids.n; i++)
		e = one_of_space(ec, f, ids.d[i], mend, out);
	dots_free(&ids);
	return e;
}
