// SPDX-License-Identifier: EUPL-1.2
// What of a space falls under its retention rule, and what stays because something in it is open. How old something is
// told by several witnesses, so that one clock that is years off erases nothing (M4; app/retention.h).
#include <stdlib.h>
#include <string.h>

#include "app/dates.h"
#include "app/loop.h"
#include "app/residents.h"
#include "app/retention.h"
#include "app/sync_of.h"
#include "app/within.h"
#include "base/array.h"
#include "base/tr.h"

#define DAY_MS (24LL * 60 * 60 * 1000)

/* A conversation or a referral, or a resident's card. */
struct unit {
	struct dot id;
	struct dot of;   /* a conversation's resident, a referral's conversation */
	int64_t last;    /* the newest date in it; NO_DAY */
	int64_t written; /* the first day that is known on which something in it was written */
	int64_t touched; /* the last one */
	const char *why; /* why it stays, whatever its age */
	bool goes;
};

struct units {
	struct unit *u;
	size_t n;
};

struct looking {
	struct errctx *ec;
	struct app *app;
	struct device_row *device;
	size_t devices;
	struct dot me; /* the person */
	int64_t today;
	int64_t others; /* the last day on which another person wrote; NO_DAY */
	int64_t *day;   /* on which something was written, ascending; and how much time passed up to each */
	int64_t *passed;
	size_t days;
	struct units contacts;
	struct units referrals;
	struct units residents;
};

static int64_t newer(int64_t a, int64_t b)
{
	return a > b ? a : b; /* NO_DAY is less than any */
}

/* ---- Reading the records ---- */

static enum err day_add(struct looking *k, int64_t day)
{
	enum err e = array_grow(&k->day, k->days, sizeof(*k->day));

	if (e == ERR_OK)
		k->day[k->days++] = day;
	return e;
}

/* Resting ones too: to a clock that runs ahead everybody rests. */
static bool by_another(const struct looking *k, struct device_id dev)
{
	for (size_t i = 0; i < k->devices; i++)
		if (device_cmp(k->device[i].id, dev) == 0)
			return k->device[i].state != DEVICE_REMOVED && k->device[i].state != DEVICE_NAMED &&
			       dot_cmp(k->device[i].member, k->me) != 0;
	return false;
}

/* When it was written, by the clocks of those who wrote. */
static enum err stamps_take(struct looking *k, const struct record *r, struct unit *u)
{
	enum err e = ERR_OK;

	u->written = INT64_MAX;
	u->touched = NO_DAY;
	for (size_t i = 0; e == ERR_OK && i < r->stamp_count; i++) {
		int64_t day = (int64_t)(r->stamps[i].clock.ms / DAY_MS);

		u->written = day < u->written ? day : u->written;
		u->touched = newer(u->touched, day);
		if (by_another(k, r->stamps[i].dot.dev))
			k->others = newer(k->others, day);
		e = day_add(k, day);
	}
	return e;
}

static enum err contact_take(struct looking *k, const struct record *r, struct unit *u)
{
	int64_t date = shown_day(r, F_contact_date);
	int64_t call = shown_day(r, F_contact_follow_up);

	u->of = shown_ref(r, F_contact_resident);
	u->last = newer(date, call);
	if (call != NO_DAY && !shown_bool(r, F_contact_follow_up_done))
		u->why = TR("somebody is still to be called back");
	return date == NO_DAY ? ERR_OK : day_add(k, date);
}

static enum err referral_take(struct looking *k, const struct record *r, struct unit *u)
{
	struct event *events = NULL;
	size_t n = 0;
	enum err e = record_events(r, F_referral_status, &events, &n);

	u->of = shown_ref(r, F_referral_contact);
	u->last = shown_day(r, F_referral_date);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		u->last = newer(u->last, events[i].date);
		e = day_add(k, events[i].date);
	}
	if (e == ERR_OK) {
		char status[32] = "";

		if (n > 0 && events[n - 1].status.len < sizeof(status))
			memcpy(status, events[n - 1].status.data, events[n - 1].status.len);
		if (!loop_ends(status))
			u->why = TR("a referral is not finished");
	}
	free(events);
	return e;
}

static enum err units_read(struct looking *k, int64_t space, uint32_t kind, struct units *out)
{
	struct dots ids = { 0 };
	enum err e = store_of_kind(k->ec, k->app->store, kind, space, &ids);

	out->u = e == ERR_OK ? calloc(ids.n + 1, sizeof(*out->u)) : NULL;
	if (e == ERR_OK && out->u == NULL)
		e = ERR_NO_MEMORY;
	for (size_t i = 0; e == ERR_OK && i < ids.n; i++) {
		struct unit *u = &out->u[out->n];
		struct loaded l = { 0 };

		if (!within_peek(k->app, ids.d[i], kind, &l))
			continue;
		*u = (struct unit){ .id = ids.d[i], .last = NO_DAY };
		e = stamps_take(k, &l.record, u);
		if (e == ERR_OK && kind == KIND_contact)
			e = contact_take(k, &l.record, u);
		if (e == ERR_OK && kind == KIND_referral)
			e = referral_take(k, &l.record, u);
		if (record_two_versions(&l.record) > 0)
			u->why = TR("there are two versions of it");
		out->n += e == ERR_OK;
		store_loaded_free(&l);
	}
	dots_free(&ids);
	return e;
}

/* ---- How old ---- */

static int day_cmp(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int64_t short_gap(int64_t days)
{
	return days < RETENTION_GAP_DAYS ? days : RETENTION_GAP_DAYS;
}

/* Sets today, and leaves of the days those up to today, each once. */
static enum err days_settle(struct looking *k, bool *held_back)
{
	size_t n = 0;

	k->today = app_today(k->app);
	*held_back = k->others != NO_DAY && k->others + RETENTION_AHEAD_DAYS < k->today;
	if (*held_back)
		k->today = k->others + RETENTION_AHEAD_DAYS;
	if (k->days > 0)
		qsort(k->day, k->days, sizeof(*k->day), day_cmp);
	for (size_t i = 0; i < k->days && k->day[i] <= k->today; i++)
		if (n == 0 || k->day[n - 1] != k->day[i])
			k->day[n++] = k->day[i];
	k->days = n;
	k->passed = calloc(n + 1, sizeof(*k->passed));
	if (k->passed == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 1; i < n; i++)
		k->passed[i] = k->passed[i - 1] + short_gap(k->day[i] - k->day[i - 1]);
	return ERR_OK;
}

/* How much time passed up to a day, since the first of them. */
static int64_t passed_at(const struct looking *k, int64_t day)
{
	size_t low = 0;
	size_t high = k->days;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (k->day[mid] <= day)
			low = mid;
		else
			high = mid;
	}
	if (k->days == 0 || day < k->day[low])
		return 0;
	return k->passed[low] + short_gap(day - k->day[low]);
}

static int64_t age_of(const struct looking *k, const struct unit *u)
{
	int64_t written = u->written < k->today ? u->written : k->today;
	int64_t last = u->last == NO_DAY ? written : u->last;
	int64_t age = last < written ? written - last : 0;
	int64_t from = newer(last, written);

	return from < k->today ? age + passed_at(k, k->today) - passed_at(k, from) : age;
}

static bool old_enough(const struct looking *k, const struct unit *u, int months)
{
	return months != RETENTION_NEVER && age_of(k, u) >= (int64_t)months * 365 / 12;
}

/* ---- What goes ---- */

static struct unit *unit_find(const struct units *list, struct dot id)
{
	for (size_t low = 0, high = list->n; low < high;) {
		size_t mid = low + (high - low) / 2;
		int c = dot_cmp(list->u[mid].id, id);

		if (c == 0)
			return &list->u[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static int unit_cmp(const void *a, const void *b)
{
	return dot_cmp(((const struct unit *)a)->id, ((const struct unit *)b)->id);
}

/* What is known of a part counts for the whole. */
static void join_to(struct unit *whole, const struct unit *part)
{
	whole->last = newer(whole->last, part->last);
	if (whole->why == NULL)
		whole->why = part->why;
}

static void decide(struct looking *k, int months)
{
	struct units *c = &k->contacts;
	struct units *f = &k->referrals;
	struct units *p = &k->residents;

	for (size_t i = 0; i < f->n; i++) {
		struct unit *whole = unit_find(c, f->u[i].of);

		if (whole != NULL)
			join_to(whole, &f->u[i]);
	}
	for (size_t i = 0; i < c->n; i++)
		c->u[i].goes = c->u[i].why == NULL && old_enough(k, &c->u[i], months);
	for (size_t i = 0; i < f->n; i++) {
		const struct unit *whole = unit_find(c, f->u[i].of);

		f->u[i].goes = whole != NULL ? whole->goes : f->u[i].why == NULL && old_enough(k, &f->u[i], months);
	}
	/* of whom no conversation is there any more, the card counts */
	for (size_t i = 0; i < p->n; i++) {
		p->u[i].written = p->u[i].touched;
		p->u[i].goes = p->u[i].why == NULL && old_enough(k, &p->u[i], months);
	}
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < c->n; i++) {
			struct unit *whole = unit_find(p, c->u[i].of);

			if (whole == NULL)
				continue;
			if (round == 0) {
				whole->goes = whole->why == NULL;
				whole->last = newer(whole->last, c->u[i].last);
			} else if (!c->u[i].goes) {
				whole->goes = false;
			}
		}
}

static enum err item_add(struct looking *k, struct retention_run *out, const struct unit *u, const char *kind,
                         struct dot resident, struct dots *going)
{
	struct retention_item *to = &out->item[out->n++];
	bool never = false;
	enum err e = ERR_OK;

	*to = (struct retention_item){ .id = shown_id(&out->pool, u->id),
		                       .kind = kind,
		                       .day = u->last,
		                       .resident = resident_nick(&out->pool, k->app, resident, &never),
		                       .why = u->goes ? NULL : u->why };
	if (!u->goes) {
		out->stay++;
		return ERR_OK;
	}
	e = array_grow(&going->d, going->n, sizeof(*going->d));
	if (e == ERR_OK)
		going->d[going->n++] = u->id;
	out->go++;
	return e;
}

/* What goes, and what would go if nothing in it were open. */
static enum err items_fill(struct looking *k, struct retention_run *out, struct dots *going)
{
	size_t all = k->contacts.n + k->referrals.n + k->residents.n;
	int months = out->rule.erase;
	enum err e = ERR_OK;

	out->item = pool_take(&out->pool, (all + 1) * sizeof(*out->item));
	if (out->item == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; e == ERR_OK && i < k->contacts.n; i++) {
		const struct unit *u = &k->contacts.u[i];

		out->contacts += u->goes;
		if (u->goes || (u->why != NULL && old_enough(k, u, months)))
			e = item_add(k, out, u, "contact", u->of, going);
	}
	for (size_t i = 0; e == ERR_OK && i < k->referrals.n; i++) {
		const struct unit *u = &k->referrals.u[i];
		const struct unit *whole = unit_find(&k->contacts, u->of);

		if (u->goes || (whole == NULL && u->why != NULL && old_enough(k, u, months)))
			e = item_add(k, out, u, "referral", whole == NULL ? (struct dot){ 0 } : whole->of, going);
	}
	for (size_t i = 0; e == ERR_OK && i < k->residents.n; i++) {
		const struct unit *u = &k->residents.u[i];

		if (u->goes)
			e = item_add(k, out, u, "resident", u->id, going);
	}
	out->all = k->contacts.n;
	return e;
}

static enum err people(struct looking *k, int64_t space)
{
	struct space_row row;
	struct device_row me;
	enum err e = store_space_get(k->ec, k->app->store, space, &row);

	if (e == ERR_OK)
		e = store_device_by_id(k->ec, k->app->store, row.me, &me);
	if (e == ERR_OK)
		k->me = me.member;
	return e == ERR_OK ? store_device_list(k->ec, k->app->store, space, &k->device, &k->devices) : e;
}

enum err retention_look(struct errctx *ec, struct app *app, int64_t space, struct retention_run *out,
                        struct dots *going)
{
	struct looking k = { .ec = ec, .app = app, .others = NO_DAY };
	enum err e = people(&k, space);

	if (e == ERR_OK)
		e = units_read(&k, space, KIND_contact, &k.contacts);
	if (e == ERR_OK)
		e = units_read(&k, space, KIND_referral, &k.referrals);
	if (e == ERR_OK)
		e = units_read(&k, space, KIND_resident, &k.residents);
	if (e == ERR_OK)
		e = days_settle(&k, &out->held_back);
	if (e == ERR_OK) {
		out->today = k.today;
		if (k.contacts.n > 1)
			qsort(k.contacts.u, k.contacts.n, sizeof(*k.contacts.u), unit_cmp);
		if (k.residents.n > 1)
			qsort(k.residents.u, k.residents.n, sizeof(*k.residents.u), unit_cmp);
		decide(&k, out->rule.erase);
		e = items_fill(&k, out, going);
	}
	if (e == ERR_OK)
		e = app_unread(ec, app);
	free(k.device);
	free(k.day);
	free(k.passed);
	free(k.contacts.u);
	free(k.referrals.u);
	free(k.residents.u);
	return e == ERR_NO_MEMORY ? within_no_memory(ec) : e;
}
