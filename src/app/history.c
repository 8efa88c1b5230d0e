// SPDX-License-Identifier: EUPL-1.2
// What every edit to a record changed, told by folding the record again, one edit at a time.
#include "app/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "app/dates.h"
#include "app/past.h"
#include "app/versions.h"
#include "app/within.h"
#include "model/wire.h"

/* A field's heads before an edit; the values live as long as the record. */
struct heads {
	struct head *head;
	size_t n;
};

static bool has_head(const struct field *f, const struct head *h)
{
	for (size_t i = 0; f != NULL && i < f->n; i++) {
		if (f->heads[i].stamp == h->stamp && bytes_cmp(f->heads[i].value, h->value) == 0)
			return true;
	}
	return false;
}

/* What the edit replaced in a REG or TEXT field, and what it put there. */
static enum err value_change(struct pool *p, const struct field_def *def, const struct field *now,
                             const struct heads *before, const struct write *w, struct history_change *c)
{
	size_t room = 0;
	enum err e = shown_values(p, def, w->tag, w->value, &c->after, &c->afters);

	for (size_t pass = 0; pass < 2 && e == ERR_OK; pass++) {
		if (pass == 1)
			c->before = pool_take(p, room * sizeof(*c->before));
		for (size_t i = 0; i < before->n && e == ERR_OK; i++) {
			const char **value = NULL;
			size_t n = 0;

			if (has_head(now, &before->head[i]))
				continue;
			e = shown_values(p, def, w->tag, before->head[i].value, &value, &n);
			for (size_t k = 0; pass == 1 && k < n && c->before != NULL; k++)
				c->before[c->befores++] = value[k];
			room += pass == 0 ? n : 0;
		}
	}
	c->form = CHANGE_VALUE;
	return e;
}

static bool element_in(const struct heads *h, struct bytes element)
{
	for (size_t i = 0; i < h->n; i++) {
		if (bytes_cmp(h->head[i].value, element) == 0)
			return true;
	}
	return false;
}

/* The elements of one half of a write that changed something: those that are in `now` and were not (or the other way
 * round) before. */
static enum err half_change(struct pool *p, const struct field_def *def, struct wire_in *in, const struct heads *before,
                            const struct heads *now, const char ***out, size_t *count)
{
	struct bytes item = { 0 };
	size_t n = 0;

	if (wire_get_array(in, &n) != ERR_OK)
		return ERR_DAMAGED;
	*out = pool_take(p, n * sizeof(**out));
	for (size_t i = 0; i < n; i++) {
		const char *text = NULL;

		if (wire_get_raw(in, &item) != ERR_OK)
			return ERR_DAMAGED;
		if (element_in(before, item) == element_in(now, item))
			continue;
		text = shown_value(p, def, item);
		if (text != NULL && *out != NULL)
			(*out)[(*count)++] = text;
	}
	return ERR_OK;
}

static enum err set_change(struct pool *p, const struct field_def *def, const struct field *now,
                           const struct heads *before, const struct write *w, struct history_change *c)
{
	struct wire_in in = wire_in(w->value);
	const struct heads after = { now == NULL ? NULL : now->heads, now == NULL ? 0 : now->n };
	size_t two = 0;
	enum err e = wire_get_array(&in, &two);

	if (e == ERR_OK)
		e = half_change(p, def, &in, before, &after, &c->after, &c->afters);
	if (e == ERR_OK)
		e = half_change(p, def, &in, before, &after, &c->before, &c->befores);
	c->form = CHANGE_SET;
	return e;
}

/* Status, date and reason of an event. */
static enum err event_parts(struct pool *p, struct bytes event, const char ***out, size_t *count)
{
	struct wire_in in = wire_in(event);
	struct bytes status = { 0 };
	struct bytes reason = { 0 };
	int64_t date = 0;
	char text[DAY_TEXT_LEN];
	size_t n = 0;

	/* one of a newer version is told without its parts (M3) */
	if (wire_get_array(&in, &n) != ERR_OK || n != 3 || wire_get_text(&in, &status) != ERR_OK ||
	    wire_get_int(&in, &date) != ERR_OK)
		return ERR_OK;
	day_text(date, text);
	*out = pool_take(p, 3 * sizeof(**out));
	if (*out == NULL)
		return ERR_NO_MEMORY;
	(*out)[(*count)++] = pool_text(p, status);
	(*out)[(*count)++] = pool_str(p, text);
	if (wire_get_text(&in, &reason) == ERR_OK)
		(*out)[(*count)++] = pool_text(p, reason);
	return p->failed ? ERR_NO_MEMORY : ERR_OK;
}

static enum err event_change(struct pool *p, const struct record *r, const struct heads *before, const struct write *w,
                             struct history_change *c)
{
	struct dot named = { 0 };

	c->form = CHANGE_EVENT;
	if (!event_retracts(w->value, &named))
		return event_parts(p, w->value, &c->after, &c->afters);
	for (size_t i = 0; i < before->n; i++) {
		if (dot_cmp(r->stamps[before->head[i].stamp].dot, named) == 0)
			return event_parts(p, before->head[i].value, &c->before, &c->befores);
	}
	return ERR_OK;
}

/* How people call the record that a value is the id of. */
static const char *ref_name(struct app *app, struct pool *p, const char *const *value, size_t n)
{
	struct loaded l = { 0 };
	struct dot d = { 0 };
	const char *name = NULL;

	if (n != 1 || !dot_parse(value[0], &d) || store_load(NULL, app->store, d, &l) != ERR_OK)
		return NULL;
	if (!record_is_erased(&l.record))
		name = versions_label(app, p, &l.record);
	store_loaded_free(&l);
	return name;
}

/* A copy of a field's heads, the pool's. */
static struct heads heads_of(struct pool *p, const struct record *r, uint32_t tag)
{
	const struct field *f = record_field(r, tag);
	struct heads h = { 0 };

	if (f == NULL || f->n == 0)
		return h;
	h.head = pool_take(p, f->n * sizeof(*h.head));
	for (size_t i = 0; h.head != NULL && i < f->n; i++)
		h.head[h.n++] = f->heads[i];
	return h;
}

static bool ref_gone(struct app *app, const char *const *id, size_t n)
{
	struct dot d = { 0 };

	return n == 1 && dot_parse(id[0], &d) && within_gone(app, d);
}

static enum err change_of(struct app *app, struct pool *p, const struct record *r, const struct heads *before,
                          const struct write *w, struct history_change *c)
{
	const struct field_def *def = schema_field(r->kind, w->tag);
	const struct field *now = record_field(r, w->tag);
	enum err e = ERR_OK;

	*c = (struct history_change){ .field = shown_field(p, def, w->tag), .list = shown_field_list(def) };
	c->yes_no = def != NULL && def->type == TYPE_BOOL;
	switch (tag_class(w->tag)) {
	case CLASS_SET:
		return set_change(p, def, now, before, w, c);
	case CLASS_EVENTS:
		return event_change(p, r, before, w, c);
	default:
		break;
	}
	e = value_change(p, def, now, before, w, c);
	if (def != NULL && def->type == TYPE_REF) {
		c->before_name = ref_name(app, p, c->before, c->befores);
		c->after_name = ref_name(app, p, c->after, c->afters);
		c->before_erased = ref_gone(app, c->before, c->befores);
		c->after_erased = ref_gone(app, c->after, c->afters);
	}
	return e;
}

static void local_time(int64_t ms, char out[static LOCAL_TIME_LEN])
{
	time_t t = (time_t)(ms / 1000);
	struct tm local;

	localtime_r(&t, &local);
	if (strftime(out, LOCAL_TIME_LEN, "%Y-%m-%d %H:%M", &local) == 0)
		out[0] = '\0';
}

/* Applies the i-th edit to `r` and tells what changed. */
static enum err edit_view(struct app *app, const struct past *past, size_t i, struct record *r, struct pool *p,
                          struct history_edit *out)
{
	const struct logged *l = &past->log.item[i];
	struct heads *before = pool_take(p, (l->edit.write_count + 1) * sizeof(*before));
	char author[APP_NAME_MAX];
	enum err e = before == NULL ? ERR_NO_MEMORY : ERR_OK;

	for (size_t w = 0; e == ERR_OK && w < l->edit.write_count; w++)
		before[w] = heads_of(p, r, l->edit.writes[w].tag);
	if (e == ERR_OK)
		e = past_apply(past, i, r);
	if (e != ERR_OK)
		return e;
	app_author(app, l->edit.dot, author);
	*out = (struct history_edit){ .n = i + 1,
		                      .edit = shown_id(p, l->edit.dot),
		                      .author = pool_str(p, author),
		                      .at_ms = (int64_t)l->edit.clock.ms,
		                      .made = l->edit.kind != KIND_none,
		                      .undoes = l->undoes,
		                      .undone = l->undone,
		                      .counts = !l->is_void,
		                      .change = pool_take(p, l->edit.write_count * sizeof(*out->change)) };
	local_time(out->at_ms, out->local);
	for (size_t w = 0; e == ERR_OK && w < l->edit.write_count && out->change != NULL; w++)
		e = change_of(app, p, r, &before[w], &l->edit.writes[w], &out->change[out->changes++]);
	return e;
}

enum err history_read(struct errctx *ec, struct app *app, const char *id, struct history *out)
{
	struct loaded l = { 0 };
	struct past past = { 0 };
	struct record r = { 0 };
	enum err e = within_load(ec, app, id, KIND_none, &l);

	*out = (struct history){ 0 };
	if (e == ERR_OK)
		e = past_read(ec, app, &l, &past);
	if (e == ERR_OK) {
		const struct kind_def *def = schema_kind(l.record.kind);

		out->id = shown_id(&out->pool, l.record.id);
		out->kind = def == NULL ? "" : def->name;
		out->edit = pool_take(&out->pool, (past.log.n + 1) * sizeof(*out->edit));
		e = out->edit == NULL ? ERR_NO_MEMORY : past_begin(&past, l.record.id, &r);
	}
	for (size_t i = 0; e == ERR_OK && i < past.log.n; i++)
		e = edit_view(app, &past, i, &r, &out->pool, &out->edit[out->n++]);
	record_free(&r);
	past_free(&past);
	store_loaded_free(&l);
	return within_pool(ec, &out->pool, e);
}

void history_free(struct history *h)
{
	pool_free(&h->pool);
	*h = (struct history){ 0 };
}
