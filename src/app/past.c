// SPDX-License-Identifier: EUPL-1.2
// Folding a record again from the log. It trusts its own contexts only as far as the fold gives the bytes that the
// record has (M1): whoever reads a past knows that it is the whole one.
#include "app/past.h"

#include <stdlib.h>
#include <string.h>

void past_free(struct past *p)
{
	for (size_t i = 0; p->seen != NULL && i < p->log.n; i++)
		vv_free(&p->seen[i]);
	free(p->seen);
	free(p->dev);
	contests_free(&p->contests);
	buf_free(&p->base);
	store_log_free(&p->log);
	*p = (struct past){ 0 };
}

enum err past_apply(const struct past *p, size_t i, struct record *r)
{
	const struct logged *l = &p->log.item[i];

	if (contests_stop(&p->contests, &l->edit))
		return ERR_OK;
	if (l->is_void) { /* what was made stays made while something about it counts, as in sync/refold.h */
		r->kind = l->edit.kind != KIND_none ? l->edit.kind : r->kind;
		return ERR_OK;
	}
	return record_apply(r, &l->edit, (struct context){ &p->seen[i], l->past });
}

/* The context of the i-th edit, of the devices in this log. */
static enum err seen_fill(struct errctx *ec, struct app *app, struct past *p, int64_t space, size_t i)
{
	struct vv all = { 0 };
	enum err e = store_logged_context(ec, app->store, space, &p->log.item[i], &all);

	for (size_t d = 0; e == ERR_OK && d < p->devs; d++) {
		const struct vv_entry *entry = vv_get(&all, p->dev[d]);

		if (entry != NULL)
			e = vv_set(&p->seen[i], *entry);
	}
	vv_free(&all);
	return e;
}

/* Where the log was cut off, a record begins with what it came to there; and an erase that is contested counts for
 * nothing. */
static enum err beginning_read(struct errctx *ec, struct app *app, struct dot record, struct past *p)
{
	enum err e = store_base_state(ec, app->store, record, &p->base);

	e = e == ERR_NOT_FOUND ? ERR_OK : e;
	for (size_t i = 0; e == ERR_OK && i < p->log.n; i++)
		if (!p->log.item[i].is_void)
			e = contests_note(&p->contests, &p->log.item[i].edit,
			                  (struct context){ &p->seen[i], p->log.item[i].past });
	return e;
}

enum err past_begin(const struct past *p, struct dot id, struct record *r)
{
	record_init(r, id);
	return p->base.len == 0 ? ERR_OK : record_get(buf_bytes(&p->base), r);
}

static enum err devices_list(struct past *p)
{
	p->dev = calloc(p->log.n + 1, sizeof(*p->dev));
	p->seen = calloc(p->log.n + 1, sizeof(*p->seen));
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
	struct record r = { 0 };
	struct buf now = { 0 };
	struct buf folded = { 0 };
	enum err e = record_put(&l->record, &now);

	if (e == ERR_OK)
		e = past_begin(p, l->record.id, &r);
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
	if (e == ERR_OK)
		e = devices_list(out);
	for (size_t i = 0; e == ERR_OK && out->devs > 1 && i < out->log.n; i++)
		e = seen_fill(ec, app, out, l->space, i);
	if (e == ERR_OK)
		e = beginning_read(ec, app, l->record.id, out);
	if (e == ERR_OK && out->log.n == 0 && out->base.len == 0)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		e = whole_check(out, l);
	if (e == ERR_DAMAGED || e == ERR_NOT_FOUND)
		e = err_set(ec, ERR_DAMAGED, "The earlier versions of this record are not whole here. Run verify.",
		            NULL, NULL, NULL);
	return e;
}
