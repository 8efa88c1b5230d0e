// SPDX-License-Identifier: EUPL-1.2
// Erasing: who may, what goes along, and what is said of it (K3, M2). Nothing here takes bytes away; that is for
// sync/compaction.h, when no active device could need them any more.
#include "app/erase.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/dates.h"
#include "app/services.h"
#include "app/sync_of.h"
#include "app/within.h"
#include "model/draft.h"
#include "model/erasing.h"
#include "sync/compaction.h"
#include "sync/erasing.h"

static const char *kind_name(uint32_t kind)
{
	const struct kind_def *def = schema_kind(kind);

	return def == NULL ? "" : def->name;
}

/* ---- Which record ---- */

static bool may_go(uint32_t kind)
{
	return kind == KIND_resident || kind == KIND_contact || kind == KIND_referral || kind == KIND_service;
}

static enum err record_get_whole(struct errctx *ec, struct app *app, const char *id, struct loaded *l)
{
	struct dot d = { 0 };
	enum err e = ERR_OK;

	*l = (struct loaded){ 0 };
	if (!dot_parse(id, &d))
		return err_set(ec, ERR_USAGE,
		               "To erase something, its whole id is needed. It stands in what show --json prints.",
		               NULL, NULL, NULL);
	e = store_load(ec, app->store, d, l);
	if (e == ERR_OK && !may_go(l->record.kind)) {
		store_loaded_free(l);
		*l = (struct loaded){ 0 };
		return err_set(ec, ERR_REFUSED,
		               "Residents, conversations, referrals and organisations can be erased, nothing else.",
		               NULL, NULL, NULL);
	}
	return e == ERR_NOT_FOUND ? err_set(ec, e, "There is nothing with the id %1.", id, NULL, NULL) : e;
}

/* The same by the start of an id, for what is said about an erase. */
static enum err record_get_any(struct errctx *ec, struct app *app, const char *id, struct loaded *l)
{
	struct dot d = { 0 };
	enum err e = store_find(ec, app->store, id, KIND_none, &d);

	*l = (struct loaded){ 0 };
	return e == ERR_OK ? store_load(ec, app->store, d, l) : e;
}

/* ---- Erasing ---- */

static enum err dots_join(struct dots *to, const struct dots *more)
{
	struct dot *grown = realloc(to->d, (to->n + more->n + 1) * sizeof(*grown));

	if (grown == NULL)
		return ERR_NO_MEMORY;
	to->d = grown;
	for (size_t i = 0; i < more->n; i++)
		to->d[to->n++] = more->d[i];
	to->cap = to->n;
	return ERR_OK;
}

/* What stands in a record's shadow: a resident's conversations, a conversation's referrals. */
static enum err along_list(struct errctx *ec, struct app *app, const struct record *r, struct dots *out)
{
	struct dots contacts = { 0 };
	struct dots one = { (struct dot[]){ r->id }, 1, 1 };
	enum err e = dots_join(out, &one);

	if (e == ERR_OK && r->kind == KIND_resident) {
		e = store_contacts_of(ec, app->store, r->id, &contacts);
		if (e == ERR_OK)
			e = dots_join(out, &contacts);
	}
	if (e == ERR_OK && r->kind == KIND_contact)
		e = dots_join(&contacts, &one);
	for (size_t i = 0; e == ERR_OK && i < contacts.n; i++) {
		struct dots referrals = { 0 };

		e = store_referrals_of(ec, app->store, contacts.d[i], &referrals);
		if (e == ERR_OK)
			e = dots_join(out, &referrals);
		dots_free(&referrals);
	}
	dots_free(&contacts);
	return e;
}

/* `term`: the months of the rule under which it goes; 0: a person chose it. */
static enum err one_erase(struct errctx *ec, struct app *app, int64_t space, struct dot record, int term)
{
	struct draft d = { 0 };
	struct change c = { .space = space, .target = record };
	struct dot written = { 0 };
	enum err e = ERR_OK;

	draft_bool(&d, F_any_erased, true);
	if (term != 0)
		draft_int(&d, F_any_term, term);
	e = draft_writes(&d, &c.writes, &c.write_count);
	if (e == ERR_OK)
		e = store_write(ec, app->store, &c, app_now_ms(app), &written);
	draft_free(&d);
	return e;
}

static enum err may_erase(struct errctx *ec, struct app *app, const struct loaded *l)
{
	enum err e = within_not_restored(ec, app);

	if (e == ERR_OK)
		e = within_arrived(ec, app, l->space);
	if (e == ERR_OK && l->record.kind == KIND_service)
		e = service_may_edit(ec, app, l->space);
	return e;
}

static enum err where_of(struct errctx *ec, struct app *app, const struct loaded *l, struct erased_view *out)
{
	struct sync y = sync_of(app);
	struct space_row space;
	struct device_row me;
	struct device_row maker;
	size_t n = 0;
	enum err e = store_space_get(ec, app->store, l->space, &space);

	if (e == ERR_OK)
		e = persons_in(ec, &y, &space, &n);
	if (e != ERR_OK)
		return e;
	dot_text(l->record.id, out->id);
	out->kind = kind_name(l->record.kind);
	snprintf(out->space, sizeof(out->space), "%s", space.name);
	out->others = n > 1;
	out->may_be_contested = n > 1 && (store_device_by_id(NULL, app->store, space.me, &me) != ERR_OK ||
	                                  store_device_by_id(NULL, app->store, l->record.id.dev, &maker) != ERR_OK ||
	                                  dot_cmp(me.member, maker.member) != 0);
	return ERR_OK;
}

/* What search knew goes at once. */
static enum err search_forget(struct errctx *ec, struct app *app)
{
	enum err e = store_begin(ec, app->store);

	return e == ERR_OK ? within_end(ec, app, store_search_optimize(ec, app->store)) : e;
}

enum err app_erase(struct errctx *ec, struct app *app, const char *id, bool along, struct erased_view *out)
{
	struct loaded l = { 0 };
	struct dots all = { 0 };
	enum err e = record_get_whole(ec, app, id, &l);

	*out = (struct erased_view){ 0 };
	if (e == ERR_OK && record_is_erased(&l.record))
		e = err_set(ec, ERR_NOT_FOUND, "%1 has been erased.", id, NULL, NULL);
	if (e == ERR_OK)
		e = may_erase(ec, app, &l);
	if (e == ERR_OK)
		e = where_of(ec, app, &l, out);
	if (e == ERR_OK)
		e = along ? along_list(ec, app, &l.record, &all)
		          : dots_join(&all, &(struct dots){ (struct dot[]){ l.record.id }, 1, 1 });
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e == ERR_OK) {
		for (size_t i = 0; e == ERR_OK && i < all.n; i++)
			e = one_erase(ec, app, l.space, all.d[i], 0);
		e = within_end(ec, app, e);
	}
	out->records = all.n;
	if (e == ERR_OK)
		e = search_forget(ec, app);
	dots_free(&all);
	store_loaded_free(&l);
	return e == ERR_NO_MEMORY ? within_no_memory(ec) : e;
}

enum err erase_by_term(struct errctx *ec, struct app *app, int64_t space, const struct dots *ids, int term)
{
	enum err e = store_begin(ec, app->store);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; e == ERR_OK && i < ids->n; i++)
		e = one_erase(ec, app, space, ids->d[i], term);
	e = within_end(ec, app, e);
	return e == ERR_OK ? search_forget(ec, app) : e;
}

/* ---- What is said of an erase ---- */

/* Names erasing edits of one record in the set `tag`. */
static enum err word_write(struct errctx *ec, struct app *app, int64_t space, struct dot record, uint32_t tag,
                           const struct dots *named)
{
	struct draft d = { 0 };
	struct change c = { .space = space, .target = record };
	struct dot written = { 0 };
	enum err e = ERR_OK;

	draft_refs_add(&d, tag, named->d, named->n);
	e = draft_writes(&d, &c.writes, &c.write_count);
	if (e == ERR_OK)
		e = store_write(ec, app->store, &c, app_now_ms(app), &written);
	draft_free(&d);
	return e;
}

static enum err list_of(struct errctx *ec, struct app *app, int64_t space, struct erasure **list, size_t *n)
{
	struct sync y = sync_of(app);
	struct space_row row;
	enum err e = store_space_get(ec, app->store, space, &row);

	*list = NULL;
	*n = 0;
	return e == ERR_OK ? erasures_list(ec, &y, &row, list, n) : e;
}

static bool is_open(const struct erasure *e)
{
	return e->state == ERASURE_WAITS || e->state == ERASURE_ASKS || e->state == ERASURE_DUE;
}

/* This device agreed to compacting it: others may have taken it away already. */
static enum err going_away(struct errctx *ec, struct app *app, int64_t space, const struct erasure *x, bool *going)
{
	struct sync y = sync_of(app);
	struct space_row row;
	enum err e = store_space_get(ec, app->store, space, &row);

	if (e == ERR_OK && is_open(x) && x->row.seq > 0)
		e = compaction_signed(ec, &y, &row, x->row.edit, x->row.seq, going);
	if (e == ERR_OK && *going)
		e = err_set(ec, ERR_REFUSED, "It is too late to contest that: all devices agreed that it goes.", NULL,
		            NULL, NULL);
	return e;
}

enum err app_erase_contest(struct errctx *ec, struct app *app, const char *id, struct erased_view *out)
{
	struct loaded l = { 0 };
	struct erasure *list = NULL;
	struct dots named = { 0 };
	size_t n = 0;
	bool final = false;
	enum err e = record_get_any(ec, app, id, &l);

	*out = (struct erased_view){ 0 };
	if (e == ERR_OK)
		e = may_erase(ec, app, &l);
	if (e == ERR_OK)
		e = where_of(ec, app, &l, out);
	if (e == ERR_OK)
		e = list_of(ec, app, l.space, &list, &n);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		bool going = false;

		if (dot_cmp(list[i].row.record, l.record.id) != 0)
			continue;
		e = going_away(ec, app, l.space, &list[i], &going);
		if (e != ERR_OK || going)
			break;
		final = final || list[i].state == ERASURE_FINAL;
		if (is_open(&list[i]))
			e = dots_join(&named, &(struct dots){ &list[i].row.edit, 1, 1 });
	}
	if (e == ERR_OK && (final || (named.n == 0 && record_is_erased(&l.record))))
		e = err_set(ec, ERR_REFUSED, "%1 is gone for good: what it held is no longer here.", out->id, NULL,
		            NULL);
	if (e == ERR_OK && named.n == 0)
		e = err_set(ec, ERR_REFUSED, "%1 is not erased.", out->id, NULL, NULL);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e == ERR_OK)
		e = within_end(ec, app, word_write(ec, app, l.space, l.record.id, F_any_contests, &named));
	dots_free(&named);
	free(list);
	store_loaded_free(&l);
	return e == ERR_NO_MEMORY ? within_no_memory(ec) : e;
}

/* In one space: every erase that asks and was in the batch of `with`; none: all of them. */
static enum err confirm_in(struct errctx *ec, struct app *app, int64_t space, const struct erasure *with,
                           size_t *records)
{
	struct erasure *list = NULL;
	size_t n = 0;
	enum err e = list_of(ec, app, space, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		const struct erasure *x = &list[i];

		if (x->state != ERASURE_ASKS ||
		    (with != NULL &&
		     (device_cmp(x->row.edit.dev, with->row.edit.dev) != 0 || x->row.seq != with->row.seq)))
			continue;
		e = word_write(ec, app, space, x->row.record, F_any_agrees,
		               &(struct dots){ (struct dot[]){ x->row.edit }, 1, 1 });
		(*records)++;
	}
	free(list);
	return e;
}

static enum err confirm_one(struct errctx *ec, struct app *app, const char *id, size_t *records)
{
	struct loaded l = { 0 };
	struct erasure *list = NULL;
	size_t n = 0;
	bool found = false;
	enum err e = record_get_any(ec, app, id, &l);

	if (e == ERR_OK)
		e = list_of(ec, app, l.space, &list, &n);
	for (size_t i = 0; e == ERR_OK && i < n && !found; i++) {
		found = dot_cmp(list[i].row.record, l.record.id) == 0 && list[i].state == ERASURE_ASKS;
		if (found)
			e = confirm_in(ec, app, l.space, &list[i], records);
	}
	free(list);
	store_loaded_free(&l);
	return e;
}

enum err app_erase_confirm(struct errctx *ec, struct app *app, const char *id, size_t *records)
{
	struct space_row *spaces = NULL;
	size_t n = 0;
	enum err e = within_not_restored(ec, app);

	*records = 0;
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e != ERR_OK)
		return e;
	if (id != NULL)
		e = confirm_one(ec, app, id, records);
	else
		e = store_space_list(ec, app->store, &spaces, &n);
	for (size_t i = 0; id == NULL && e == ERR_OK && i < n; i++)
		if (spaces[i].state == SPACE_MEMBER)
			e = confirm_in(ec, app, spaces[i].n, NULL, records);
	free(spaces);
	e = within_end(ec, app, e);
	if (e == ERR_OK && *records == 0)
		e = err_set(ec, ERR_REFUSED, "Nothing waits for a yes. See: sleutelbos erase list", NULL, NULL, NULL);
	return e;
}

/* ---- How far it has come ---- */

static const char *state_name(enum erasure_state s)
{
	static const char *const names[] = {
		[ERASURE_WAITS] = "waits",         [ERASURE_ASKS] = "asks",   [ERASURE_DUE] = "due",
		[ERASURE_CONTESTED] = "contested", [ERASURE_FINAL] = "final", [ERASURE_VOID] = "void",
	};

	return names[s];
}

static enum err row_fill(struct app *app, const struct space_row *space, const struct erasure *x, struct pool *p,
                         struct erase_row *out)
{
	struct loaded l = { 0 };
	char by[APP_NAME_MAX];
	enum err e = store_load(NULL, app->store, x->row.record, &l);

	app_author(app, x->row.edit, by);
	*out = (struct erase_row){ .id = shown_id(p, x->row.record),
		                   .kind = e == ERR_OK ? kind_name(l.record.kind) : "",
		                   .space = pool_str(p, space->name),
		                   .by = pool_str(p, by),
		                   .at_ms = x->row.at_ms,
		                   .state = state_name(x->state),
		                   .by_term = x->row.by_term,
		                   .until_day = x->state == ERASURE_WAITS ? app_day_of(x->due_ms) : NO_DAY };
	store_loaded_free(&l);
	return e == ERR_NO_MEMORY ? e : ERR_OK;
}

static enum err space_rows(struct errctx *ec, struct app *app, const struct space_row *space, struct erase_list *out)
{
	struct sync y = sync_of(app);
	struct erasure *list = NULL;
	struct erase_row *item = NULL;
	size_t n = 0;
	enum err e = erasures_list(ec, &y, space, &list, &n);

	if (e == ERR_OK && n > 0) {
		item = pool_take(&out->pool, (out->n + n) * sizeof(*item));
		e = item == NULL ? ERR_NO_MEMORY : ERR_OK;
	}
	for (size_t i = 0; item != NULL && i < out->n; i++)
		item[i] = out->item[i];
	if (item != NULL)
		out->item = item;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		e = row_fill(app, space, &list[i], &out->pool, &out->item[out->n]);
		out->asks += list[i].state == ERASURE_ASKS;
		out->n++;
	}
	free(list);
	return e;
}

/* How far the newest compaction has come; nothing of a space where there is nothing to tell. */
static enum err progress_row(struct errctx *ec, struct app *app, const struct space_row *space, struct erase_list *out)
{
	struct sync y = sync_of(app);
	struct compaction_progress p;
	struct erase_space *all = NULL;
	enum err e = compaction_progress(ec, &y, space, &p);

	if (e != ERR_OK || !p.any)
		return e;
	all = pool_take(&out->pool, (out->spaces + 1) * sizeof(*all));
	if (all == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < out->spaces; i++)
		all[i] = out->space[i];
	out->space = all;
	out->space[out->spaces++] = (struct erase_space){ .space = pool_str(&out->pool, space->name),
		                                          .done = p.done,
		                                          .active = p.active,
		                                          .resting = p.resting,
		                                          .removed = p.removed,
		                                          .sheet = p.paper,
		                                          .at_ms = p.at_ms };
	return ERR_OK;
}

enum err app_erase_list(struct errctx *ec, struct app *app, struct erase_list *out)
{
	struct space_row *spaces = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, app->store, &spaces, &n);

	*out = (struct erase_list){ 0 };
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		if (spaces[i].state == SPACE_MEMBER) {
			e = space_rows(ec, app, &spaces[i], out);
			if (e == ERR_OK)
				e = progress_row(ec, app, &spaces[i], out);
		}
	free(spaces);
	return within_pool(ec, &out->pool, e);
}

void erase_list_free(struct erase_list *list)
{
	pool_free(&list->pool);
	*list = (struct erase_list){ 0 };
}
