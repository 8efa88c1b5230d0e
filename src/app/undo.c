// SPDX-License-Identifier: EUPL-1.2
// Undo. Two folds of the record tell what to put back: one of all edits but those that were undone before (and their
// undos), one without the undone edit as well. Only where the undone edit stands alone is anything written, so an undo
// never drops what somebody else wrote (M2).
#include "app/undo.h"

#include <stdlib.h>
#include <string.h>

#include "app/past.h"
#include "app/referrals.h"
#include "app/residents.h"
#include "app/versions.h"
#include "app/within.h"
#include "model/wire.h"

struct undoing {
	const struct past *past;
	const struct logged *undone;
	const struct record *now;
	struct record with;    /* without earlier undos and what they took back */
	struct record without; /* without the undone edit as well */
	struct draft draft;
};

static enum err fold(const struct past *p, const struct logged *without, struct record *r)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < p->log.n; i++) {
		const struct logged *l = &p->log.item[i];

		if (!l->undoes && !l->undone && l != without)
			e = past_apply(p, i, r);
	}
	return e;
}

/* Is it the undone edit, or an undo that put its value back? */
static bool is_ours(const struct undoing *u, struct dot d)
{
	for (size_t i = 0; i < u->past->log.n; i++) {
		const struct logged *l = &u->past->log.item[i];

		if (dot_cmp(l->edit.dot, d) == 0)
			return l == u->undone || l->undoes;
	}
	return false;
}

static bool is_undone(const struct undoing *u, struct dot d)
{
	return dot_cmp(u->undone->edit.dot, d) == 0;
}

static struct dot head_dot(const struct record *r, const struct field *f, size_t i)
{
	return r->stamps[f->heads[i].stamp].dot;
}

/* Does nothing else stand in this field? */
static bool stands_alone(const struct undoing *u, uint32_t tag)
{
	const struct field *with = record_field(&u->with, tag);
	const struct field *now = record_field(u->now, tag);

	return with != NULL && with->n == 1 && is_undone(u, head_dot(&u->with, with, 0)) && now != NULL &&
	       now->n == 1 && is_ours(u, head_dot(u->now, now, 0));
}

static enum err value_back(struct undoing *u, uint32_t tag, bool *back)
{
	struct buf value = { 0 };
	struct buf base = { 0 };
	struct bytes text = { 0 };
	enum err e = ERR_OK;

	*back = stands_alone(u, tag);
	if (!*back)
		return ERR_OK;
	if (tag_class(tag) == CLASS_TEXT && record_text(u->now, tag, &text))
		e = wire_put_text(&base, (const char *)text.data, text.len);
	if (e == ERR_OK)
		e = versions_write(&u->without, tag, 0, record_versions(&u->without, tag), buf_bytes(&base), &value);
	if (e == ERR_OK)
		draft_raw(&u->draft, tag, buf_bytes(&value));
	buf_free(&base);
	buf_free(&value);
	return e;
}

/* How many heads an element has; *ours: none of them is somebody else's. */
static size_t element_heads(const struct undoing *u, const struct record *r, uint32_t tag, struct bytes element,
                            bool *ours)
{
	const struct field *f = record_field(r, tag);
	size_t n = 0;

	*ours = true;
	for (size_t i = 0; f != NULL && i < f->n; i++) {
		if (bytes_cmp(f->heads[i].value, element) != 0)
			continue;
		n++;
		*ours = *ours && is_ours(u, head_dot(r, f, i));
	}
	return n;
}

/* An element that the undone edit added (or took out): does it go (come back)? */
static bool element_back(const struct undoing *u, uint32_t tag, struct bytes element, bool added)
{
	bool ours[3] = { true, true, true };
	size_t with = element_heads(u, &u->with, tag, element, &ours[0]);
	size_t without = element_heads(u, &u->without, tag, element, &ours[1]);
	size_t now = element_heads(u, u->now, tag, element, &ours[2]);

	if (added)
		return with > 0 && ours[0] && without == 0 && now > 0 && ours[2];
	return with == 0 && without > 0 && now == 0;
}

/* Appends an array of the elements of one half of a SET write that are to be reversed; *all: none was left out. */
static enum err half_back(const struct undoing *u, uint32_t tag, struct bytes half, bool added, struct buf *out,
                          size_t *count, bool *all)
{
	struct wire_in in = wire_in(half);
	struct buf kept = { 0 };
	struct bytes item = { 0 };
	size_t n = 0;
	size_t back = 0;
	enum err e = wire_get_array(&in, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		e = wire_get_raw(&in, &item);
		if (e == ERR_OK && element_back(u, tag, item, added)) {
			e = buf_put(&kept, item.data, item.len);
			back++;
		}
	}
	*all = *all && back == n;
	*count += back;
	if (e == ERR_OK)
		e = wire_put_array(out, back);
	if (e == ERR_OK)
		e = buf_put(out, kept.data, kept.len);
	buf_free(&kept);
	return e;
}

static enum err set_back(struct undoing *u, const struct write *w, bool *back, bool *stays)
{
	struct wire_in in = wire_in(w->value);
	struct bytes adds = { 0 };
	struct bytes removes = { 0 };
	struct buf value = { 0 };
	size_t count = 0;
	bool all = true;
	size_t two = 0;
	enum err e = wire_get_array(&in, &two);

	if (e == ERR_OK)
		e = wire_get_raw(&in, &adds);
	if (e == ERR_OK)
		e = wire_get_raw(&in, &removes);
	if (e == ERR_OK)
		e = wire_put_array(&value, 2);
	if (e == ERR_OK)
		e = half_back(u, w->tag, removes, false, &value, &count, &all);
	if (e == ERR_OK)
		e = half_back(u, w->tag, adds, true, &value, &count, &all);
	if (e == ERR_OK && count > 0)
		draft_raw(&u->draft, w->tag, buf_bytes(&value));
	*back = count > 0;
	*stays = !all;
	buf_free(&value);
	return e;
}

static bool event_stands(const struct event *list, size_t n, struct dot d)
{
	for (size_t i = 0; i < n; i++) {
		if (dot_cmp(list[i].dot, d) == 0)
			return true;
	}
	return false;
}

/* The event as it was written. */
static bool event_value(const struct record *r, uint32_t tag, struct dot d, struct bytes *out)
{
	const struct field *f = record_field(r, tag);

	for (size_t i = 0; f != NULL && i < f->n; i++) {
		if (dot_cmp(head_dot(r, f, i), d) == 0) {
			*out = f->heads[i].value;
			return true;
		}
	}
	return false;
}

/* The event that the undone edit added goes: its own, or the one that an undo wrote again in its place. */
static bool event_takes_back(struct undoing *u, const struct write *w, const struct event *now, size_t n)
{
	struct bytes value = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (is_ours(u, now[i].dot) && event_value(u->now, w->tag, now[i].dot, &value) &&
		    bytes_cmp(value, w->value) == 0) {
			draft_retract(&u->draft, w->tag, now[i].dot);
			return true;
		}
	}
	return false;
}

static enum err event_back(struct undoing *u, const struct write *w, bool *back)
{
	struct event *list[3] = { NULL, NULL, NULL };
	const struct record *of[3] = { u->now, &u->with, &u->without };
	size_t n[3] = { 0, 0, 0 };
	struct dot named = { 0 };
	struct bytes value = { 0 };
	enum err e = ERR_OK;

	for (int i = 0; e == ERR_OK && i < 3; i++)
		e = record_events(of[i], w->tag, &list[i], &n[i]);
	if (e == ERR_OK && !event_retracts(w->value, &named)) {
		*back = event_takes_back(u, w, list[0], n[0]);
	} else if (e == ERR_OK) {
		*back = !event_stands(list[1], n[1], named) && event_stands(list[2], n[2], named) &&
		        event_value(&u->without, w->tag, named, &value);
		if (*back)
			draft_raw(&u->draft, w->tag, value);
	}
	for (int i = 0; i < 3; i++)
		free(list[i]);
	return e;
}

/* Every field of the undone edit goes back or stays. */
static enum err fields_back(struct undoing *u, struct undone *out)
{
	const struct edit *edit = &u->undone->edit;
	enum err e = ERR_OK;

	out->back = pool_take(&out->pool, edit->write_count * sizeof(*out->back));
	out->stays = pool_take(&out->pool, edit->write_count * sizeof(*out->stays));
	for (size_t i = 0; e == ERR_OK && i < edit->write_count && !out->pool.failed; i++) {
		const struct write *w = &edit->writes[i];
		const char *name = shown_field(&out->pool, schema_field(u->now->kind, w->tag), w->tag);
		bool back = false;
		bool stays = false;

		if (tag_class(w->tag) == CLASS_SET) {
			e = set_back(u, w, &back, &stays);
		} else {
			if (tag_class(w->tag) == CLASS_EVENTS)
				e = event_back(u, w, &back);
			else if (tag_class(w->tag) != CLASS_ERASE)
				e = value_back(u, w->tag, &back);
			stays = !back;
		}
		if (back)
			out->back[out->backs++] = name;
		if (stays)
			out->stays[out->stay_count++] = name;
	}
	return e;
}

static bool went_back(const struct undone *u, const char *field)
{
	for (size_t i = 0; i < u->backs; i++) {
		if (strcmp(u->back[i], field) == 0)
			return true;
	}
	return false;
}

/* May the record stand like this? What somebody else changed meanwhile can make an old value wrong. */
static enum err rules_check(struct errctx *ec, struct app *app, const struct undone *u, struct dot id)
{
	struct pool p = { 0 };
	struct loaded l = { 0 };
	bool never = false;
	enum err e = store_load(ec, app->store, id, &l);

	if (e == ERR_OK && l.record.kind == KIND_referral && (went_back(u, "kind") || went_back(u, "consent"))) {
		const char *consent = shown_text(&p, &l.record, F_referral_consent);

		if (consent == NULL || strcmp(consent, "ingetrokken") != 0)
			e = referral_consent_rule(ec, shown_text(&p, &l.record, F_referral_kind), consent);
	}
	if (e == ERR_OK && l.record.kind == KIND_contact && shown_day(&l.record, F_contact_follow_up) != INT64_MIN &&
	    !shown_bool(&l.record, F_contact_follow_up_done)) {
		resident_nick(&p, app, shown_ref(&l.record, F_contact_resident), &never);
		if (never)
			e = err_set(ec, ERR_REFUSED,
			            "This resident asked not to be reached, so no reminder is kept. Change how they "
			            "may be reached first.",
			            NULL, NULL, NULL);
	}
	e = within_pool(ec, &p, e);
	pool_free(&p);
	store_loaded_free(&l);
	return e;
}

static enum err undo_write(struct errctx *ec, struct app *app, struct undoing *u, const struct loaded *l,
                           struct undone *out)
{
	struct change change = { .space = l->space, .target = l->record.id };
	struct dot dot = { 0 };
	enum err e = ERR_OK;

	if (u->undone->edit.kind != KIND_none)
		return err_set(
		    ec, ERR_REFUSED,
		    "Your last change to %1 is that you made it, and making cannot be undone. To take it away "
		    "altogether: sleutelbos erase %1 --yes",
		    out->id, NULL, NULL);
	if (edit_erases(&u->undone->edit) || edit_writes(&u->undone->edit, F_any_contests) ||
	    edit_writes(&u->undone->edit, F_any_agrees))
		return err_set(
		    ec, ERR_REFUSED,
		    "Your last change is about erasing %1. That is taken back with: sleutelbos erase contest %1",
		    out->id, NULL, NULL);
	e = past_begin(u->past, l->record.id, &u->with);
	if (e == ERR_OK)
		e = past_begin(u->past, l->record.id, &u->without);
	if (e == ERR_OK)
		e = fold(u->past, NULL, &u->with);
	if (e == ERR_OK)
		e = fold(u->past, u->undone, &u->without);
	if (e == ERR_OK)
		e = fields_back(u, out);
	if (e == ERR_OK && out->backs == 0)
		return err_set(ec, ERR_REFUSED, "What you changed in %1 was changed again since, so it stays as it is.",
		               out->id, NULL, NULL);
	if (e == ERR_OK && u->now->kind == KIND_resident && went_back(out, "nick"))
		e = resident_nick_free(ec, app, l->space, shown_text(&out->pool, &u->without, F_resident_nick),
		                       l->record.id);
	if (e == ERR_OK)
		e = draft_writes(&u->draft, &change.writes, &change.write_count);
	if (e == ERR_OK)
		e = within_arrived(ec, app, l->space);
	if (e == ERR_OK)
		e = store_write(ec, app->store, &change, app_now_ms(app), &dot);
	if (e == ERR_OK)
		e = store_undo_put(ec, app->store, dot, u->undone->edit.dot);
	out->edit = shown_id(&out->pool, dot);
	return e == ERR_OK ? rules_check(ec, app, out, l->record.id) : e;
}

/* Inside a transaction, so that what stands alone still does when it is replaced. */
static enum err undo_record(struct errctx *ec, struct app *app, struct dot edit, struct dot id, struct undone *out)
{
	struct loaded l = { 0 };
	struct past past = { 0 };
	struct undoing u = { 0 };
	const struct kind_def *def = NULL;
	enum err e = store_load(ec, app->store, id, &l);

	if (e == ERR_OK)
		e = past_read(ec, app, &l, &past);
	for (size_t i = 0; e == ERR_OK && i < past.log.n; i++) {
		if (dot_cmp(past.log.item[i].edit.dot, edit) == 0)
			u.undone = &past.log.item[i];
	}
	if (e == ERR_OK) {
		u.past = &past;
		u.now = &l.record;
		def = schema_kind(l.record.kind);
		out->id = shown_id(&out->pool, id);
		out->kind = def == NULL ? "" : def->name;
		out->undone = shown_id(&out->pool, edit);
		e = undo_write(ec, app, &u, &l, out);
	}
	draft_free(&u.draft);
	record_free(&u.with);
	record_free(&u.without);
	past_free(&past);
	store_loaded_free(&l);
	return e;
}

enum err undo_last(struct errctx *ec, struct app *app, const char *id, struct undone *out)
{
	struct loaded l = { 0 };
	struct dot record = { 0 };
	struct dot edit = { 0 };
	enum err e = id == NULL ? ERR_OK : within_load(ec, app, id, KIND_none, &l);

	*out = (struct undone){ 0 };
	if (id != NULL)
		record = l.record.id;
	store_loaded_free(&l);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e != ERR_OK)
		return e;
	e = store_own_last(ec, app->store, record, &edit, &record);
	if (e == ERR_OK)
		e = undo_record(ec, app, edit, record, out);
	else if (e == ERR_NOT_FOUND)
		e = err_set(ec, e, "There is nothing of yours here that can be undone.", NULL, NULL, NULL);
	return within_end(ec, app, within_pool(ec, &out->pool, e));
}

void undone_free(struct undone *u)
{
	pool_free(&u->pool);
	*u = (struct undone){ 0 };
}
