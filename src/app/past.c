// SPDX-License-Identifier: EUPL-1.2
// Folding a record again from the log. It trusts its own contexts only as far as the fold gives the bytes that the
// record has (M1): whoever reads a past knows that it is the whole one.
#include "app/past.h"

#include <stdlib.h>
#include <string.h>

#include "batch/batch.h"
#include "sync/forks.h"

void past_free(struct past *p)
{
	for (size_t i = 0; p->seen != NULL && i < p->log.n; i++)
		vv_free(&p->seen[i]);
	free(p->seen);
	free(p->dev);
	store_log_free(&p->log);
	*p = (struct past){ 0 };
}

enum err past_apply(const struct past *p, size_t i, struct record *r)
{
	const struct logged *l = &p->log.item[i];

	if (l->is_void) { /* what was made stays made while something about it counts, as in sync/refold.h */
		r->kind = l->edit.kind != KIND_none ? l->edit.kind : r->kind;
		return ERR_OK;
	}
	return record_apply(r, &l->edit, (struct context){ &p->seen[i], l->past });
}

/* What one device's batches say about the others: their sequence numbers, index by index with past.dev. */
struct search {
	uint64_t *seq;
	bool *found;
	size_t open; /* not found yet */
};

static void search_note(const struct past *p, struct search *s, struct device_id dev, uint64_t seq)
{
	for (size_t i = 0; i < p->devs; i++) {
		if (!s->found[i] && device_cmp(p->dev[i], dev) == 0) {
			s->found[i] = true;
			s->seq[i] = seq;
			s->open--;
		}
	}
}

/* One batch's body; ERR_NOT_FOUND where it is not here. */
static enum err search_body(struct errctx *ec, struct app *app, const struct past *p, struct batch_author author,
                            const struct device_row *device, struct search *s)
{
	struct buf signed_part = { 0 };
	struct buf bytes = { 0 };
	struct body body = { 0 };
	struct sync y = { app->store, app->zip, app->rng, app->clock };
	uint8_t hash[HASH_LEN];
	enum err e = store_batch_signed(ec, app->store, author.dev, author.seq, &signed_part);

	if (e == ERR_OK)
		e = batch_open(app->zip, &author, device->sign, buf_bytes(&signed_part), &bytes, hash);
	if (e == ERR_OK)
		e = body_parse(buf_bytes(&bytes), author.dev, &body);
	for (size_t i = 0; e == ERR_OK && i < body.context_count; i++) {
		struct vv_entry which = { .dev = body.context[i].dev, .seq = body.context[i].seq };
		struct awaits awaits;
		struct named named = { .own = which };

		memcpy(which.hash, body.context[i].hash, VV_HASH_LEN);
		if (p->forks)
			e = fork_named(ec, &y, &which, &named, &awaits);
		if (e == ERR_OK)
			search_note(p, s, which.dev, named.own.seq);
	}
	body_free(&body);
	buf_free(&bytes);
	buf_free(&signed_part);
	return e;
}

/* What `dev` had applied when it sealed batch `seq` (0: not sealed yet, so what is applied now). */
static enum err search_run(struct errctx *ec, struct app *app, const struct past *p, int64_t space,
                           struct device_id dev, uint64_t seq, struct search *s)
{
	struct batch_author author = { .dev = dev };
	struct device_row device = { 0 };
	struct space_row row = { 0 };
	struct vv last = { 0 };
	const struct vv_entry *own = NULL;
	enum err e = store_vector(ec, app->store, space, &last);

	own = vv_get(&last, dev);
	if (e == ERR_OK && seq != 0 && own != NULL && own->seq == seq)
		e = store_context(ec, app->store, dev, &last); /* its last batch: kept whole */
	else if (seq != 0)
		last.n = 0;
	for (size_t i = 0; e == ERR_OK && i < last.n; i++)
		search_note(p, s, last.e[i].dev, last.e[i].seq);
	if (last.n > 0)
		s->open = 0;
	vv_free(&last);
	if (e == ERR_OK && s->open > 0 && seq > 0) {
		e = store_space_get(ec, app->store, space, &row);
		if (e == ERR_OK)
			e = store_device_by_id(ec, app->store, dev, &device);
		author.space = row.id;
	}
	for (author.seq = seq; e == ERR_OK && s->open > 0 && author.seq > 0; author.seq--)
		e = search_body(ec, app, p, author, &device, s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The context of the i-th edit. */
static enum err seen_fill(struct errctx *ec, struct app *app, struct past *p, int64_t space, size_t i)
{
	const struct logged *l = &p->log.item[i];
	struct search s = { calloc(p->devs, sizeof(*s.seq)), calloc(p->devs, sizeof(*s.found)), p->devs };
	enum err e = s.seq == NULL || s.found == NULL ? ERR_NO_MEMORY : ERR_OK;

	if (e == ERR_OK) {
		search_note(p, &s, l->edit.dot.dev, 0); /* one's own edits are always seen */
		if (s.open > 0)
			e = search_run(ec, app, p, space, l->edit.dot.dev, l->seq, &s);
	}
	for (size_t d = 0; e == ERR_OK && d < p->devs; d++) {
		struct vv_entry entry = { .dev = p->dev[d], .seq = s.seq[d] };
		uint8_t hash[HASH_LEN];

		for (size_t k = 0; k < l->edit.seen_count; k++) {
			if (device_cmp(l->edit.seen[k].dev, entry.dev) == 0 && l->edit.seen[k].seq < entry.seq)
				entry.seq = l->edit.seen[k].seq;
		}
		if (entry.seq == 0)
			continue;
		e = store_batch_get(ec, app->store, entry.dev, entry.seq, &entry.counter, hash);
		if (e == ERR_OK)
			e = vv_set(&p->seen[i], entry);
	}
	free(s.seq);
	free(s.found);
	return e;
}

static enum err devices_list(struct past *p)
{
	p->dev = calloc(p->log.n, sizeof(*p->dev));
	p->seen = calloc(p->log.n, sizeof(*p->seen));
	if (p->dev == NULL || p->seen == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < p->log.n; i++) {
		struct device_id dev = p->log.item[i].edit.dot.dev;
		size_t d = 0;

		while (d < p->devs && device_cmp(p->dev[d], dev) != 0)
			d++;
		if (d == p->devs)
			p->dev[p->devs++] = dev;
	}
	return ERR_OK;
}

/* Do all edits together give the record as it stands? */
static enum err whole_check(const struct past *p, const struct loaded *l)
{
	struct record r;
	struct buf now = { 0 };
	struct buf folded = { 0 };
	enum err e = record_put(&l->record, &now);

	record_init(&r, l->record.id);
	for (size_t i = 0; e == ERR_OK && i < p->log.n; i++)
		e = past_apply(p, i, &r);
	if (e == ERR_OK)
		e = record_put(&r, &folded);
	if (e == ERR_OK && bytes_cmp(buf_bytes(&folded), buf_bytes(&now)) != 0)
		e = ERR_DAMAGED;
	record_free(&r);
	buf_free(&now);
	buf_free(&folded);
	return e;
}

enum err past_read(struct errctx *ec, struct app *app, const struct loaded *l, struct past *out)
{
	enum err e = ERR_OK;

	*out = (struct past){ 0 };
	e = store_log_of(ec, app->store, l->record.id, &out->log);
	if (e == ERR_OK && out->log.n == 0)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		e = devices_list(out);
	if (e == ERR_OK)
		e = store_fork_any(ec, app->store, &out->forks);
	for (size_t i = 0; e == ERR_OK && out->devs > 1 && i < out->log.n; i++)
		e = seen_fill(ec, app, out, l->space, i);
	if (e == ERR_OK)
		e = whole_check(out, l);
	if (e == ERR_DAMAGED || e == ERR_NOT_FOUND)
		e = err_set(ec, ERR_DAMAGED, "The earlier versions of this record are not whole here. Run verify.",
		            NULL, NULL, NULL);
	return e;
}
