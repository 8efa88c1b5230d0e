// SPDX-License-Identifier: EUPL-1.2
// Everything that is here about one resident.
#include "app/resident_page.h"

#include <stdlib.h>
#include <string.h>

#include "app/dates.h"
#include "app/within.h"
#include "base/array.h"

static const char *author(struct pool *p, struct app *app, struct dot edit)
{
	char name[APP_NAME_MAX];

	app_author(app, edit, name);
	return pool_str(p, name);
}

static void note_of(struct pool *p, struct app *app, struct dot id, struct page_note *out)
{
	struct loaded l = { 0 };
	const struct stamp *last = NULL;

	*out = (struct page_note){ .by = author(p, app, id), .last_day = NO_DAY };
	if (store_load(NULL, app->store, id, &l) != ERR_OK)
		return;
	for (size_t i = 0; i < l.record.stamp_count; i++)
		if (last == NULL || l.record.stamps[i].clock.ms > last->clock.ms)
			last = &l.record.stamps[i];
	if (last != NULL) {
		out->last_by = author(p, app, last->dot);
		out->last_day = app_day_of((int64_t)last->clock.ms);
	}
	store_loaded_free(&l);
}

static int talk_cmp(const void *a, const void *b)
{
	const struct contact *x = a;
	const struct contact *y = b;

	return x->date != y->date ? (x->date < y->date ? -1 : 1) : strcmp(x->id, y->id);
}

static int referral_cmp(const void *a, const void *b)
{
	const struct referral *x = a;
	const struct referral *y = b;

	return x->date != y->date ? (x->date < y->date ? -1 : 1) : strcmp(x->id, y->id);
}

static struct page_note *notes_take(struct resident_page *p, size_t n)
{
	return pool_take(&p->pool, (n + 1) * sizeof(struct page_note));
}

static enum err talks_fill(struct errctx *ec, struct app *app, struct dot resident, struct resident_page *out)
{
	struct dots talks = { 0 };
	struct dots all = { 0 };
	enum err e = store_contacts_of(ec, app->store, resident, &talks);

	if (e == ERR_OK)
		e = contact_list_of(ec, app, &talks, &out->talks);
	for (size_t i = 0; e == ERR_OK && i < talks.n; i++) {
		struct dots some = { 0 };

		e = store_referrals_of(ec, app->store, talks.d[i], &some);
		for (size_t k = 0; e == ERR_OK && k < some.n; k++)
			if ((e = array_grow(&all.d, all.n, sizeof(*all.d))) == ERR_OK)
				all.d[all.n++] = some.d[k];
		dots_free(&some);
	}
	if (e == ERR_OK)
		e = referral_list_of(ec, app, &all, &out->referrals);
	dots_free(&talks);
	free(all.d);
	if (out->talks.n > 1)
		qsort(out->talks.item, out->talks.n, sizeof(*out->talks.item), talk_cmp);
	if (out->referrals.n > 1)
		qsort(out->referrals.item, out->referrals.n, sizeof(*out->referrals.item), referral_cmp);
	out->talk_note = notes_take(out, out->talks.n);
	out->referral_note = notes_take(out, out->referrals.n);
	for (size_t i = 0; out->talk_note != NULL && i < out->talks.n; i++) {
		struct dot d = { 0 };

		if (dot_parse(out->talks.item[i].id, &d))
			note_of(&out->pool, app, d, &out->talk_note[i]);
	}
	for (size_t i = 0; out->referral_note != NULL && i < out->referrals.n; i++) {
		struct dot d = { 0 };

		if (dot_parse(out->referrals.item[i].id, &d))
			note_of(&out->pool, app, d, &out->referral_note[i]);
	}
	return e;
}

/* Did the log of this record name the resident, or a conversation that did? What was compacted tells nothing. */
static bool named(struct app *app, struct dot record, struct dot resident, int depth)
{
	struct record_log log = { 0 };
	bool found = false;

	if (store_log_of(NULL, app->store, record, &log) != ERR_OK)
		return false;
	for (size_t i = 0; i < log.n && !found; i++) {
		struct record r;

		record_init(&r, record);
		r.kind = log.item[i].edit.kind;
		if (!log.item[i].is_void && record_apply(&r, &log.item[i].edit, (struct context){ 0 }) == ERR_OK) {
			struct dot contact = shown_ref(&r, F_referral_contact);

			found = dot_cmp(shown_ref(&r, F_contact_resident), resident) == 0;
			if (!found && depth == 0 && !dot_is_none(contact))
				found = named(app, contact, resident, 1);
		}
		record_free(&r);
	}
	store_log_free(&log);
	return found;
}

static bool is_gone(const struct erase_row *r)
{
	return strcmp(r->state, "contested") != 0 && strcmp(r->state, "void") != 0;
}

static enum err gone_fill(struct errctx *ec, struct app *app, struct dot resident, const char *space,
                          struct resident_page *out)
{
	enum err e = app_erase_list(ec, app, &out->erases);

	out->gone = e == ERR_OK ? pool_take(&out->pool, (out->erases.n + 1) * sizeof(*out->gone)) : NULL;
	if (e == ERR_OK && out->gone == NULL)
		e = ERR_NO_MEMORY;
	for (int self = 1; e == ERR_OK && self >= 0; self--)
		for (size_t i = 0; i < out->erases.n; i++) {
			const struct erase_row *r = &out->erases.item[i];
			struct dot d = { 0 };

			if (!is_gone(r) || strcmp(r->space, space) != 0 || !dot_parse(r->id, &d))
				continue;
			if (self == 1 ? dot_cmp(d, resident) == 0
			              : dot_cmp(d, resident) != 0 && named(app, d, resident, 0))
				out->gone[out->gone_n++] = r;
		}
	for (size_t i = 0; e == ERR_OK && i < out->erases.spaces; i++)
		if (strcmp(out->erases.space[i].space, space) == 0)
			out->progress = &out->erases.space[i];
	return e;
}

enum err resident_page(struct errctx *ec, struct app *app, const char *id, struct resident_page *out)
{
	struct loaded l = { 0 };
	struct dot d = { 0 };
	char space[SPACE_NAME_MAX + 1] = "";
	char name[APP_NAME_MAX];
	enum err e = store_find(ec, app->store, id, KIND_resident, &d);

	*out = (struct resident_page){ .today = app_today(app) };
	if (e == ERR_OK)
		e = store_load(ec, app->store, d, &l);
	if (e == ERR_OK)
		e = app_own_name(ec, app, name);
	if (e != ERR_OK)
		goto done;
	app_space_name(app, l.space, space);
	out->id = shown_id(&out->pool, d);
	out->me = pool_str(&out->pool, name);
	out->circle = within_space_name(&out->pool, app, l.space);
	note_of(&out->pool, app, d, &out->who_note);
	if (!record_is_erased(&l.record))
		e = resident_list_of(ec, app, &(struct dots){ &d, 1, 1 }, &out->who);
	if (e == ERR_OK)
		e = talks_fill(ec, app, d, out);
	if (e == ERR_OK)
		e = gone_fill(ec, app, d, space, out);
	if (e == ERR_OK)
		e = app_unread(ec, app);
done:
	store_loaded_free(&l);
	return within_pool(ec, &out->pool, e);
}

void resident_page_free(struct resident_page *page)
{
	resident_list_free(&page->who);
	contact_list_free(&page->talks);
	referral_list_free(&page->referrals);
	erase_list_free(&page->erases);
	pool_free(&page->pool);
	*page = (struct resident_page){ 0 };
}
