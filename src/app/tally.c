// SPDX-License-Identifier: EUPL-1.2
// Planning, contributing, and what everybody may see of a tally. Roles and the one answer per quarter are held here as
// well as by everybody who reads the records (T2, K4).
#include "app/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/dates.h"
#include "app/tally_figures.h"
#include "app/within.h"
#include "crypto/secret.h"

#define FINEST 0 /* the level that a contribution is shown at */

/* --- plan --- */

static enum err number_parse(struct errctx *ec, const char *option, const char *text, uint32_t otherwise, uint32_t *out)
{
	char *end = NULL;
	unsigned long v = 0;

	*out = otherwise;
	if (text == NULL)
		return ERR_OK;
	v = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || v > 10000)
		return err_set(ec, ERR_INPUT, "\"%1\" is not a number for --%2. Type a whole number such as 3.", text,
		               option, NULL);
	*out = (uint32_t)v;
	return ERR_OK;
}

/* The device of a person that has written most here: where a teller's keys will live. */
static bool device_of(struct app *app, int64_t space, struct dot member, struct device_id *out)
{
	struct device_row *list = NULL;
	struct vv vector = { 0 };
	size_t count = 0;
	uint64_t most = 0;
	bool found = false;

	if (store_device_list(NULL, app->store, space, &list, &count) != ERR_OK ||
	    store_vector(NULL, app->store, space, &vector) != ERR_OK)
		count = 0;
	for (size_t i = 0; i < count; i++) {
		const struct vv_entry *e = vv_get(&vector, list[i].id);
		uint64_t written = e == NULL ? 0 : e->counter;

		if (dot_cmp(list[i].member, member) != 0 || list[i].state != DEVICE_ACTIVE ||
		    (found && written <= most))
			continue;
		*out = list[i].id;
		most = written;
		found = true;
	}
	free(list);
	vv_free(&vector);
	return found;
}

struct candidate {
	struct dot member;
	const char *name;
};

static int by_name(const void *a, const void *b)
{
	const struct candidate *x = a;
	const struct candidate *y = b;
	int c = strcmp(x->name, y->name);

	return c != 0 ? c : dot_cmp(x->member, y->member);
}

/* All members of the neighbourhood, by name. */
static enum err members(struct errctx *ec, struct app *app, int64_t space, struct pool *pool, struct candidate **out,
                        size_t *count)
{
	struct dots ids = { 0 };
	enum err e = store_of_kind(ec, app->store, KIND_member, space, &ids);

	*count = 0;
	*out = e == ERR_OK ? pool_take(pool, (ids.n + 1) * sizeof(**out)) : NULL;
	if (e == ERR_OK && *out == NULL)
		e = ERR_NO_MEMORY;
	for (size_t i = 0; e == ERR_OK && i < ids.n; i++) {
		const char *name = tally_member_name(pool, app, ids.d[i]);

		(*out)[(*count)++] = (struct candidate){ ids.d[i], name };
	}
	if (e == ERR_OK)
		qsort(*out, *count, sizeof(**out), by_name);
	dots_free(&ids);
	return e;
}

static enum err teller_add(struct errctx *ec, struct app *app, int64_t space, const struct candidate *who,
                           struct plan *plan)
{
	struct plan_teller *t = &plan->teller[plan->n];
	struct tally_author a;

	if (!device_of(app, space, who->member, &t->device))
		return err_set(ec, ERR_LATER, "%1 has no device in the neighbourhood yet.", who->name, NULL, NULL);
	if (!tally_author(app, space, t->device, &a) || !a.teller)
		return err_set(ec, ERR_REFUSED, "%1 is not a teller. Invite a teller with: invite --role teller.",
		               who->name, NULL, NULL);
	if (a.coordinator)
		return err_set(ec, ERR_REFUSED,
		               "%1 is a coordinator, and a coordinator does not count. Choose another.", who->name,
		               NULL, NULL);
	t->member = who->member;
	plan->n++;
	return ERR_OK;
}

static enum err tellers_named(struct errctx *ec, struct app *app, int64_t space, const char *names, struct pool *pool,
                              struct plan *plan)
{
	struct candidate *all = NULL;
	struct words words = { 0 };
	size_t count = 0;
	enum err e = words_split(pool, names, &words);

	if (e == ERR_OK)
		e = members(ec, app, space, pool, &all, &count);
	for (size_t w = 0; e == ERR_OK && w < words.n; w++) {
		const struct candidate *found = NULL;
		size_t fits = 0;

		for (size_t i = 0; i < count; i++) {
			char id[DOT_TEXT_LEN];

			dot_text(all[i].member, id);
			if (strcmp(all[i].name, words.word[w]) == 0 || strcmp(id, words.word[w]) == 0) {
				found = &all[i];
				fits++;
			}
		}
		if (fits == 0)
			e = err_set(ec, ERR_NOT_FOUND, "There is no member called %1. See: member list.", words.word[w],
			            NULL, NULL);
		else if (fits > 1)
			e = err_set(ec, ERR_USAGE, "Several members are called %1. Type the id that member list shows.",
			            words.word[w], NULL, NULL);
		else if (plan->n == PLAN_TELLERS_MAX)
			e = err_set(ec, ERR_INPUT, "A tally has at most 16 tellers.", NULL, NULL, NULL);
		else
			e = teller_add(ec, app, space, found, plan);
	}
	return e;
}

/* Everybody with the role who is no coordinator, by name. */
static enum err tellers_all(struct errctx *ec, struct app *app, int64_t space, struct pool *pool, struct plan *plan)
{
	struct candidate *all = NULL;
	size_t count = 0;
	enum err e = members(ec, app, space, pool, &all, &count);

	for (size_t i = 0; e == ERR_OK && i < count && plan->n < PLAN_TELLERS_MAX; i++) {
		struct device_id device;
		struct tally_author a;

		if (device_of(app, space, all[i].member, &device) && tally_author(app, space, device, &a) && a.teller &&
		    !a.coordinator)
			e = teller_add(ec, app, space, &all[i], plan);
	}
	if (e == ERR_OK && plan->n < 3)
		e = err_set(
		    ec, ERR_LATER,
		    "A tally needs three tellers who are no coordinators. Invite them with: invite --role teller.",
		    NULL, NULL, NULL);
	return e;
}

/* No plan for this quarter may be there. */
static enum err first_of_quarter(struct errctx *ec, struct app *app, const struct space_row *space, struct quarter q)
{
	struct tally_found *list = NULL;
	char text[QUARTER_TEXT_LEN];
	size_t count = 0;
	enum err e = tally_plans(ec, app, space, &list, &count);

	quarter_text(q, text);
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		if (list[i].plan.period.year == q.year && list[i].plan.period.quarter == q.quarter)
			e = err_set(ec, ERR_REFUSED, "There is a plan for %1 already, and a quarter is counted once.",
			            text, NULL, NULL);
	}
	free(list);
	return e;
}

static enum err planned_fill(struct app *app, const struct tally_case *c, struct tally_planned *out)
{
	char text[QUARTER_TEXT_LEN];

	quarter_text(c->plan.period, text);
	out->period = pool_str(&out->pool, text);
	out->id = shown_id(&out->pool, c->plan_id);
	out->opens = quarter_opens(c->plan.period);
	out->threshold = c->plan.t;
	out->floor = c->plan.floor;
	out->teller = pool_take(&out->pool, c->plan.n * sizeof(*out->teller));
	if (out->teller == NULL)
		return ERR_NO_MEMORY;
	for (uint32_t k = 0; k < c->plan.n; k++)
		out->teller[out->tellers++] = tally_member_name(&out->pool, app, c->plan.teller[k].member);
	return ERR_OK;
}

enum err app_tally_plan(struct errctx *ec, struct app *app, const struct tally_ask *ask, struct tally_planned *out)
{
	struct tally_case c = { .me = UINT32_MAX };
	struct plan *p = &c.plan;
	struct buf body = { 0 };
	struct tally_record record = { KIND_plan, 0, F_plan_body, { 0 } };
	enum err e = within_not_restored(ec, app);

	*out = (struct tally_planned){ 0 };
	if (e != ERR_OK)
		return e;
	if (ask->period == NULL || !quarter_parse(ask->period, &p->period))
		return err_set(ec, ERR_INPUT, "\"%1\" is not a quarter. Type it as 2026Q3.", ask->period, NULL, NULL);
	e = tally_space(ec, app, &c.space);
	if (e == ERR_OK && (!tally_author(app, c.space.n, c.space.me, &c.mine) || !c.mine.coordinator))
		e = err_set(ec, ERR_REFUSED, "Only a coordinator can plan a tally.", NULL, NULL, NULL);
	if (e == ERR_OK)
		e = first_of_quarter(ec, app, &c.space, p->period);
	if (e == ERR_OK)
		e = number_parse(ec, "threshold", ask->threshold, PLAN_THRESHOLD_MIN, &p->t);
	if (e == ERR_OK)
		e = number_parse(ec, "floor", ask->floor, PLAN_FLOOR_DEFAULT, &p->floor);
	p->cap = PLAN_CAP_MIN;
	if (e == ERR_OK)
		e = ask->tellers == NULL ? tellers_all(ec, app, c.space.n, &out->pool, p)
		                         : tellers_named(ec, app, c.space.n, ask->tellers, &out->pool, p);
	if (e == ERR_OK)
		e = plan_make(p, c.space.id, app->rng, &body, ec);
	record.body = buf_bytes(&body);
	if (e == ERR_OK && (e = store_begin(ec, app->store)) == ERR_OK)
		e = within_end(ec, app, tally_write(ec, app, &c, &record, &c.plan_id));
	if (e == ERR_OK)
		e = planned_fill(app, &c, out);
	buf_free(&body);
	return within_pool(ec, &out->pool, e);
}

void app_tally_planned_free(struct tally_planned *p)
{
	pool_free(&p->pool);
}

/* --- a circle's part --- */

static enum err circle_of(struct errctx *ec, struct app *app, const struct tally_case *c, const char *name,
                          struct space_row *out)
{
	int64_t n = 0;
	enum err e = app_circle(ec, app, name, &n);

	if (e == ERR_OK)
		e = store_space_get(ec, app->store, n, out);
	if (e == ERR_OK && (out->kind != SPACE_CIRCLE || out->neighbourhood != c->space.n))
		e = err_set(ec, ERR_NOT_FOUND,
		            "There is no circle of this neighbourhood here. A tally counts circles: circle found NAME.",
		            NULL, NULL, NULL);
	return e;
}

static enum err preview_fill(struct tally_preview *out, const struct tally_case *c, const struct space_row *circle,
                             const uint64_t *x)
{
	struct tally_cell cell[TALLY_CELLS_MAX];
	size_t cells = tally_cells(cell);
	char text[QUARTER_TEXT_LEN];
	enum err e = ERR_OK;

	quarter_text(c->plan.period, text);
	out->period = pool_str(&out->pool, text);
	out->circle = pool_str(&out->pool, circle->name);
	out->opens = quarter_opens(c->plan.period);
	out->cap = c->plan.cap;
	if (x == NULL)
		return ERR_OK;
	e = tally_grids(&out->pool, FINEST, &out->grid, &out->grids);
	for (size_t t = 0; e == ERR_OK && t < out->grids; t++) {
		struct grid *g = &out->grid[t];

		for (size_t k = 0; k < g->dim[0].keys * g->dim[1].keys; k++) {
			struct tally_cell at = tally_grid_cell(t, FINEST, k / g->dim[1].keys, k % g->dim[1].keys);

			g->cell[k].count = x[tally_cell_find(cell, cells, &at)];
			g->cell[k].capped = g->cell[k].count < c->plan.cap ? g->cell[k].count : c->plan.cap;
		}
	}
	return e;
}

enum err app_tally_preview(struct errctx *ec, struct app *app, const char *period, const char *circle,
                           struct tally_preview *out)
{
	struct tally_case c = { 0 };
	struct space_row row = { 0 };
	uint64_t x[TALLY_CELLS_MAX];
	enum err e = tally_case_load(ec, app, period, &c);

	*out = (struct tally_preview){ 0 };
	if (e == ERR_OK)
		e = circle_of(ec, app, &c, circle, &row);
	if (e == ERR_OK)
		e = tally_figures(ec, app, row.n, &c.plan, x, &out->referrals);
	if (e == ERR_OK)
		e = preview_fill(out, &c, &row, x);
	secret_wipe(x, sizeof(x));
	tally_case_free(&c);
	return within_pool(ec, &out->pool, e);
}

void app_tally_preview_free(struct tally_preview *p)
{
	pool_free(&p->pool);
}

/* The name of the circle's own note that it takes no part, which all its members read. */
static void skip_name(const struct tally_case *c, char out[static TALLY_KEPT_LEN])
{
	tally_kept("skip", c->plan.period, out);
}

static enum err skipped(struct errctx *ec, struct app *app, const struct tally_case *c, int64_t circle, bool *out)
{
	char name[TALLY_KEPT_LEN];
	struct dots ids = { 0 };
	enum err e = store_of_kind(ec, app->store, KIND_setting, circle, &ids);

	skip_name(c, name);
	*out = false;
	for (size_t i = 0; e == ERR_OK && !*out && i < ids.n; i++) {
		struct loaded l = { 0 };
		struct bytes text = { 0 };

		e = store_load(ec, app->store, ids.d[i], &l);
		*out = e == ERR_OK && record_text(&l.record, F_setting_name, &text) && text.len == strlen(name) &&
		       memcmp(text.data, name, text.len) == 0;
		store_loaded_free(&l);
	}
	dots_free(&ids);
	return e;
}

/* One answer per circle and quarter, for ever, and none from a coordinator or after the counting began. */
static enum err may_answer(struct errctx *ec, struct app *app, const struct tally_case *c,
                           const struct space_row *circle, const struct circle_key *key)
{
	char name[TALLY_KEPT_LEN];
	char text[QUARTER_TEXT_LEN];
	struct buf kept = { 0 };
	bool skip = false;
	enum err e = ERR_OK;

	quarter_text(c->plan.period, text);
	if (c->mine.coordinator)
		return err_set(ec, ERR_REFUSED, "You are a coordinator, and a coordinator's circle is never counted.",
		               NULL, NULL, NULL);
	tally_kept("answered", c->plan.period, name);
	e = store_kept_get(NULL, app->store, circle->n, name, &kept);
	buf_free(&kept);
	if (e == ERR_OK)
		return err_set(ec, ERR_REFUSED, "%1 has answered for %2 already, and a circle answers once.",
		               circle->name, text, NULL);
	if (e != ERR_NOT_FOUND)
		return e;
	for (size_t i = 0; i < c->contributions; i++) {
		if (memcmp(c->contribution[i].circle, key->public, SIGN_PUBLIC_LEN) == 0)
			return err_set(ec, ERR_REFUSED, "%1 has answered for %2 already, and a circle answers once.",
			               circle->name, text, NULL);
	}
	e = skipped(ec, app, c, circle->n, &skip);
	if (e == ERR_OK && skip)
		return err_set(ec, ERR_REFUSED, "A member of %1 has said that the circle skips %2.", circle->name, text,
		               NULL);
	if (e == ERR_OK && (c->views > 0 || c->manifests > 0))
		return err_set(ec, ERR_REFUSED, "The tellers are counting %1 already; it is too late to take part.",
		               text, NULL, NULL);
	return e;
}

static enum err remember_answer(struct errctx *ec, struct app *app, const struct tally_case *c, int64_t circle)
{
	char name[TALLY_KEPT_LEN];

	tally_kept("answered", c->plan.period, name);
	return store_kept_put(ec, app->store, circle, name, (struct bytes){ c->plan.hash, HASH_LEN });
}

static enum err ready(struct errctx *ec, struct app *app, struct pool *pool, const struct tally_case *c)
{
	bool missing[PLAN_TELLERS_MAX] = { false };
	const char *names = NULL;
	char day[DAY_TEXT_LEN];

	if (app_today(app) < quarter_opens(c->plan.period)) {
		day_text(quarter_opens(c->plan.period), day);
		return err_set(ec, ERR_LATER, "The tally opens on %1. Until then answers can still come in.", day, NULL,
		               NULL);
	}
	for (uint32_t k = 0; k < c->plan.n; k++)
		missing[k] = !c->has_key[k];
	names = tally_names(pool, app, &c->plan, missing);
	if (names != NULL)
		return err_set(ec, ERR_LATER, "These tellers have not signed the plan yet: %1. They must sync first.",
		               names, NULL, NULL);
	return ERR_OK;
}

static enum err contribution_write(struct errctx *ec, struct app *app, const struct tally_case *c,
                                   const struct space_row *circle, const struct contribution_in *in)
{
	struct tally_record record = { KIND_contribution, F_contribution_plan, F_contribution_body, { 0 } };
	struct buf body = { 0 };
	struct dot id = { 0 };
	enum err e = contribution_make(&c->plan, in, app->rng, &body, ec);

	record.body = buf_bytes(&body);
	if (e == ERR_OK && (e = store_begin(ec, app->store)) == ERR_OK) {
		e = remember_answer(ec, app, c, circle->n);
		if (e == ERR_OK)
			e = tally_write(ec, app, c, &record, &id);
		e = within_end(ec, app, e);
	}
	buf_free(&body);
	return e;
}

enum err app_tally_contribute(struct errctx *ec, struct app *app, const char *period, const char *circle,
                              struct tally_preview *out)
{
	struct tally_case c = { 0 };
	struct space_row row = { 0 };
	struct circle_key key = { 0 };
	uint64_t x[TALLY_CELLS_MAX];
	enum err e = within_not_restored(ec, app);

	*out = (struct tally_preview){ 0 };
	if (e == ERR_OK)
		e = tally_case_load(ec, app, period, &c);
	if (e == ERR_OK)
		e = circle_of(ec, app, &c, circle, &row);
	if (e == ERR_OK) {
		circle_key_make(&c.plan, row.id, &key);
		e = may_answer(ec, app, &c, &row, &key);
	}
	if (e == ERR_OK)
		e = ready(ec, app, &out->pool, &c);
	if (e == ERR_OK)
		e = tally_figures(ec, app, row.n, &c.plan, x, &out->referrals);
	if (e == ERR_OK)
		e = preview_fill(out, &c, &row, x);
	if (e == ERR_OK)
		e = contribution_write(ec, app, &c, &row, &(struct contribution_in){ &key, row.name, c.key, x });
	secret_wipe(&key, sizeof(key));
	secret_wipe(x, sizeof(x));
	tally_case_free(&c);
	return within_pool(ec, &out->pool, e);
}

enum err app_tally_skip(struct errctx *ec, struct app *app, const char *period, const char *circle,
                        struct tally_preview *out)
{
	struct tally_case c = { 0 };
	struct space_row row = { 0 };
	struct circle_key key = { 0 };
	struct draft d = { 0 };
	struct change change = { .kind = KIND_setting };
	struct dot id = { 0 };
	char name[TALLY_KEPT_LEN];
	enum err e = tally_case_load(ec, app, period, &c);

	*out = (struct tally_preview){ 0 };
	if (e == ERR_OK)
		e = circle_of(ec, app, &c, circle, &row);
	if (e == ERR_OK) {
		circle_key_make(&c.plan, row.id, &key);
		e = may_answer(ec, app, &c, &row, &key);
	}
	if (e == ERR_OK) {
		skip_name(&c, name);
		draft_text(&d, F_setting_name, name);
		draft_text(&d, F_setting_value, "skip");
		change.space = row.n;
		e = draft_writes(&d, &change.writes, &change.write_count);
	}
	if (e == ERR_OK)
		e = within_arrived(ec, app, row.n);
	if (e == ERR_OK && (e = store_begin(ec, app->store)) == ERR_OK) {
		e = remember_answer(ec, app, &c, row.n);
		if (e == ERR_OK)
			e = store_write(ec, app->store, &change, app_now_ms(app), &id);
		e = within_end(ec, app, e);
	}
	if (e == ERR_OK)
		e = preview_fill(out, &c, &row, NULL);
	draft_free(&d);
	secret_wipe(&key, sizeof(key));
	tally_case_free(&c);
	return within_pool(ec, &out->pool, e);
}

/* --- what everybody sees --- */

static const char *step_of(struct app *app, const struct tally_case *c)
{
	for (uint32_t k = 0; k < c->plan.n; k++) {
		if (!c->has_key[k])
			return "keys";
	}
	if (!dot_is_none(c->release_id))
		return "released";
	if (c->sums >= c->plan.t)
		return "combining";
	if (c->sums > 0 || c->views > 0 || c->manifests > 0)
		return "counting";
	return app_today(app) < quarter_opens(c->plan.period) ? "waiting" : "open";
}

static enum err status_fill(struct app *app, const struct tally_case *c, struct tally_status *out)
{
	char text[QUARTER_TEXT_LEN];

	quarter_text(c->plan.period, text);
	out->period = pool_str(&out->pool, text);
	out->step = step_of(app, c);
	out->opens = quarter_opens(c->plan.period);
	out->circles = c->circles;
	out->doubled = c->contributions - c->circles;
	out->threshold = c->plan.t;
	out->floor = c->plan.floor;
	out->teller = pool_take(&out->pool, c->plan.n * sizeof(*out->teller));
	if (out->teller == NULL)
		return ERR_NO_MEMORY;
	for (uint32_t k = 0; k < c->plan.n; k++) {
		struct tally_teller_status *t = &out->teller[out->tellers++];

		t->name = tally_member_name(&out->pool, app, c->plan.teller[k].member);
		t->key = c->has_key[k];
		for (size_t i = 0; i < c->manifests; i++)
			t->manifest = t->manifest || c->manifest[i].teller == k;
		for (size_t i = 0; i < c->sums; i++)
			t->sum = t->sum || c->sum[i].teller == k;
	}
	if (!c->mine.coordinator)
		return ERR_OK;
	out->circle = pool_take(&out->pool, (c->contributions + 1) * sizeof(*out->circle));
	if (out->circle == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0, n = 0; i < c->contributions; i++) {
		if (!c->held[i].doubled)
			out->circle[n++] = pool_text(&out->pool, c->contribution[i].name);
	}
	return ERR_OK;
}

enum err app_tally_status(struct errctx *ec, struct app *app, const char *period, struct tally_status *out)
{
	struct tally_case c = { 0 };
	enum err e = tally_case_load(ec, app, period, &c);

	*out = (struct tally_status){ 0 };
	if (e == ERR_OK)
		e = status_fill(app, &c, out);
	tally_case_free(&c);
	return within_pool(ec, &out->pool, e);
}

void app_tally_status_free(struct tally_status *s)
{
	pool_free(&s->pool);
}
