// SPDX-License-Identifier: EUPL-1.2
// Gathers what answers a plan, and passes over what its author had no right to write (K4) or changed later.
#include "app/tally_case.h"

#include <stdlib.h>
#include <string.h>

#include "app/within.h"
#include "model/draft.h"
#include "model/wire.h"

static bool has_role(const struct record *member, const char *role)
{
	struct bytes text = { 0 };

	for (size_t n = 0; record_element_text(member, F_member_role, n, &text); n++) {
		if (text.len == strlen(role) && memcmp(text.data, role, text.len) == 0)
			return true;
	}
	return false;
}

bool tally_author(struct app *app, int64_t space, struct device_id device, struct tally_author *out)
{
	struct device_row row = { 0 };
	struct loaded member = { 0 };

	*out = (struct tally_author){ 0 };
	if (store_device_by_id(NULL, app->store, device, &row) != ERR_OK || row.space != space ||
	    !within_peek(app, row.member, KIND_member, &member))
		return false;
	out->member = row.member;
	out->coordinator = has_role(&member.record, "coordinator");
	out->teller = has_role(&member.record, "teller");
	store_loaded_free(&member);
	return true;
}

enum err tally_space(struct errctx *ec, struct app *app, struct space_row *out)
{
	int64_t n = 0;
	enum err e = app_neighbourhood(ec, app, &n);

	return e == ERR_OK ? store_space_get(ec, app->store, n, out) : e;
}

void tally_kept(const char *what, struct quarter period, char out[static TALLY_KEPT_LEN])
{
	char text[QUARTER_TEXT_LEN];
	size_t len = strnlen(what, TALLY_KEPT_LEN - QUARTER_TEXT_LEN - 8);

	quarter_text(period, text);
	memcpy(out, "tally/", 6);
	memcpy(out + 6, what, len);
	out[6 + len] = '/';
	memcpy(out + 7 + len, text, QUARTER_TEXT_LEN);
}

/* The bytes that the creating edit of a record wrote, while nobody wrote over them. */
static bool created_with(const struct record *r, uint32_t tag, struct bytes *out)
{
	const struct field *f = record_field(r, tag);

	for (size_t i = 0; f != NULL && i < f->n; i++) {
		struct wire_in in = wire_in(f->heads[i].value);

		if (dot_cmp(r->stamps[f->heads[i].stamp].dot, r->id) == 0)
			return wire_get_bytes(&in, out) == ERR_OK;
	}
	return false;
}

typedef enum err (*body_fn)(void *arg, struct dot id, struct bytes body);

/* Calls `each` for the body of every record of a kind. */
static enum err each_body(struct errctx *ec, struct app *app, int64_t space, const struct tally_record *kind,
                          body_fn each, void *arg)
{
	struct dots ids = { 0 };
	enum err e = store_of_kind(ec, app->store, kind->kind, space, &ids);

	for (size_t i = 0; e == ERR_OK && i < ids.n; i++) {
		struct loaded l = { 0 };
		struct bytes body = { 0 };

		e = store_load(ec, app->store, ids.d[i], &l);
		if (e == ERR_OK && created_with(&l.record, kind->body_tag, &body))
			e = each(arg, ids.d[i], body);
		store_loaded_free(&l);
	}
	dots_free(&ids);
	return e;
}

/* --- plans --- */

struct gather_plans {
	struct app *app;
	const struct space_row *space;
	struct tally_found *list;
	size_t count;
};

/* Are the tellers who the plan says they are, may they count, and is none of them a coordinator? */
static bool tellers_may(struct app *app, int64_t space, const struct plan *plan)
{
	for (uint32_t k = 0; k < plan->n; k++) {
		struct tally_author a;

		if (!tally_author(app, space, plan->teller[k].device, &a) ||
		    dot_cmp(a.member, plan->teller[k].member) != 0 || !a.teller || a.coordinator)
			return false;
	}
	return true;
}

static enum err plan_found(void *arg, struct dot id, struct bytes body)
{
	struct gather_plans *g = arg;
	struct tally_author author;
	struct tally_found *more = NULL;
	struct plan plan = { 0 };

	if (plan_parse(body, g->space->id, &plan, NULL) != ERR_OK ||
	    !tally_author(g->app, g->space->n, id.dev, &author) || !author.coordinator ||
	    !tellers_may(g->app, g->space->n, &plan))
		return ERR_OK;
	more = reallocarray(g->list, g->count + 1, sizeof(*more));
	if (more == NULL)
		return ERR_NO_MEMORY;
	g->list = more;
	g->list[g->count++] = (struct tally_found){ .id = id, .plan = plan };
	return ERR_OK;
}

enum err tally_plans(struct errctx *ec, struct app *app, const struct space_row *space, struct tally_found **out,
                     size_t *count)
{
	const struct tally_record kind = { .kind = KIND_plan, .body_tag = F_plan_body };
	struct gather_plans g = { .app = app, .space = space };
	enum err e = each_body(ec, app, space->n, &kind, plan_found, &g);

	if (e != ERR_OK) {
		free(g.list);
		return e;
	}
	*out = g.list;
	*count = g.count;
	return ERR_OK;
}

/* Has this device, as a teller or for one of its circles, answered this plan? */
static bool answered(struct app *app, const struct space_row *space, const struct plan *plan)
{
	struct space_row *list = NULL;
	size_t count = 0;
	bool found = false;

	if (store_space_list(NULL, app->store, &list, &count) != ERR_OK)
		return false;
	for (size_t i = 0; !found && i < count; i++) {
		char name[TALLY_KEPT_LEN];
		struct buf kept = { 0 };

		tally_kept(list[i].n == space->n ? "told" : "answered", plan->period, name);
		found = store_kept_get(NULL, app->store, list[i].n, name, &kept) == ERR_OK && kept.len == HASH_LEN &&
		        memcmp(kept.data, plan->hash, HASH_LEN) == 0;
		buf_free(&kept);
	}
	free(list);
	return found;
}

/* --- answers --- */

struct gather {
	struct app *app;
	struct tally_case *c;
};

/* A zeroed element more at the end of a list of the case's, whose elements are plain. */
static void *more(struct tally_case *c, void *list, size_t count, size_t size)
{
	void *bigger = list;

	if (count == 0 || (count >= 8 && (count & (count - 1)) == 0)) {
		bigger = pool_take(&c->pool, (count == 0 ? 8 : 2 * count) * size);
		if (bigger != NULL && count > 0)
			memcpy(bigger, list, count * size);
	}
	return bigger;
}

static struct bytes own_copy(struct tally_case *c, struct bytes b)
{
	uint8_t *copy = pool_take(&c->pool, b.len + 1);

	if (copy == NULL)
		return (struct bytes){ 0 };
	memcpy(copy, b.data, b.len);
	return (struct bytes){ copy, b.len };
}

static enum err key_found(void *arg, struct dot id, struct bytes body)
{
	struct gather *g = arg;
	struct teller_key key;

	/* the first one that a teller's device gave; store_of_kind() goes by device and counter */
	if (teller_key_parse(&g->c->plan, body, &key, NULL) == ERR_OK &&
	    plan_teller_of(&g->c->plan, id.dev) == key.teller && !g->c->has_key[key.teller]) {
		g->c->key[key.teller] = key;
		g->c->has_key[key.teller] = true;
	}
	return ERR_OK;
}

static enum err contribution_found(void *arg, struct dot id, struct bytes body)
{
	struct gather *g = arg;
	struct tally_case *c = g->c;
	struct tally_author author;
	struct contribution found;

	if (contribution_parse(&c->plan, body, &found, NULL) != ERR_OK ||
	    !tally_author(g->app, c->space.n, id.dev, &author) || author.coordinator)
		return ERR_OK;
	for (size_t i = 0; i < c->contributions; i++) {
		if (hash_equal(c->contribution[i].hash, found.hash, HASH_LEN))
			return ERR_OK;
	}
	c->contribution = more(c, c->contribution, c->contributions, sizeof(found));
	body = own_copy(c, body);
	if (c->contribution == NULL || body.data == NULL)
		return ERR_NO_MEMORY;
	return contribution_parse(&c->plan, body, &c->contribution[c->contributions++], NULL);
}

static enum err manifest_found(void *arg, struct dot id, struct bytes body)
{
	struct gather *g = arg;
	struct tally_case *c = g->c;
	uint32_t teller = plan_teller_of(&c->plan, id.dev);
	struct view v = { 0 };
	struct manifest m = { 0 };

	if (teller == UINT32_MAX)
		return ERR_OK;
	if (view_parse(&c->plan, c->key, body, &v, NULL) == ERR_OK) {
		if (v.teller != teller) {
			view_free(&v);
			return ERR_OK;
		}
		c->view = more(c, c->view, c->views, sizeof(v));
		if (c->view == NULL) {
			view_free(&v);
			return ERR_NO_MEMORY;
		}
		c->view[c->views++] = v;
	} else if (manifest_parse(&c->plan, c->key, body, &m, NULL) == ERR_OK) {
		if (m.teller != teller) {
			manifest_free(&m);
			return ERR_OK;
		}
		c->manifest = more(c, c->manifest, c->manifests, sizeof(m));
		if (c->manifest == NULL) {
			manifest_free(&m);
			return ERR_NO_MEMORY;
		}
		c->manifest[c->manifests++] = m;
	}
	return ERR_OK;
}

static enum err sum_found(void *arg, struct dot id, struct bytes body)
{
	struct gather *g = arg;
	struct tally_case *c = g->c;
	struct teller_sum s;

	if (sum_parse(&c->plan, c->key, body, &s, NULL) != ERR_OK || plan_teller_of(&c->plan, id.dev) != s.teller)
		return ERR_OK;
	for (size_t i = 0; i < c->sums; i++) {
		if (c->sum[i].teller == s.teller)
			return ERR_OK; /* a teller gives one sum */
	}
	c->sum = more(c, c->sum, c->sums, sizeof(s));
	body = own_copy(c, body);
	if (c->sum == NULL || body.data == NULL)
		return ERR_NO_MEMORY;
	return sum_parse(&c->plan, c->key, body, &c->sum[c->sums++], NULL);
}

static enum err release_found(void *arg, struct dot id, struct bytes body)
{
	struct gather *g = arg;
	struct tally_case *c = g->c;
	struct release r = { .level = RELEASE_NO_LEVEL };

	if (!dot_is_none(c->release_id) || plan_teller_of(&c->plan, id.dev) == UINT32_MAX ||
	    release_parse(body, &r, NULL) != ERR_OK)
		return ERR_OK;
	if (!hash_equal(r.plan, c->plan.hash, HASH_LEN)) {
		release_free(&r);
		return ERR_OK;
	}
	c->release = r;
	c->release_id = id;
	return ERR_OK;
}

static enum err gather_keys(struct errctx *ec, struct app *app, struct tally_case *c)
{
	const struct tally_record kind = { .kind = KIND_teller_key, .body_tag = F_teller_key_body };
	struct gather g = { app, c };

	return each_body(ec, app, c->space.n, &kind, key_found, &g);
}

static enum err gather_rest(struct errctx *ec, struct app *app, struct tally_case *c)
{
	static const struct {
		struct tally_record kind;
		body_fn found;
	} kinds[] = {
		{ { .kind = KIND_contribution, .body_tag = F_contribution_body }, contribution_found },
		{ { .kind = KIND_manifest, .body_tag = F_manifest_body }, manifest_found },
		{ { .kind = KIND_tally_sum, .body_tag = F_tally_sum_body }, sum_found },
		{ { .kind = KIND_release, .body_tag = F_release_body }, release_found },
	};
	struct gather g = { app, c };
	enum err e = ERR_OK;

	for (size_t k = 0; e == ERR_OK && k < sizeof(kinds) / sizeof(kinds[0]); k++)
		e = each_body(ec, app, c->space.n, &kinds[k].kind, kinds[k].found, &g);
	if (e != ERR_OK || c->contributions == 0)
		return e;
	c->held = pool_take(&c->pool, c->contributions * sizeof(*c->held));
	if (c->held == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < c->contributions; i++) {
		memcpy(c->held[i].hash, c->contribution[i].hash, HASH_LEN);
		memcpy(c->held[i].circle, c->contribution[i].circle, SIGN_PUBLIC_LEN);
	}
	c->circles = held_mark_doubles(c->held, c->contributions);
	return ERR_OK;
}

/* Of several plans for one quarter: the one this device answered, else the one that most tellers answered, else the
 * lower hash. Returns the place in the list. */
static enum err choose(struct errctx *ec, struct app *app, struct tally_case *c, const struct tally_found *list,
                       size_t count, struct quarter period, size_t *out)
{
	size_t best = SIZE_MAX;
	uint32_t best_rank = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		uint32_t rank = 0;

		if (list[i].plan.period.year != period.year || list[i].plan.period.quarter != period.quarter)
			continue;
		c->plan = list[i].plan;
		memset(c->has_key, 0, sizeof(c->has_key));
		e = gather_keys(ec, app, c);
		for (uint32_t k = 0; k < c->plan.n; k++)
			rank += c->has_key[k];
		if (answered(app, &c->space, &c->plan))
			rank += PLAN_TELLERS_MAX + 1;
		if (best == SIZE_MAX || rank > best_rank ||
		    (rank == best_rank && memcmp(list[i].plan.hash, list[best].plan.hash, HASH_LEN) < 0)) {
			best = i;
			best_rank = rank;
		}
	}
	*out = best;
	return e;
}

static bool later(struct quarter a, struct quarter b)
{
	return a.year != b.year ? a.year > b.year : a.quarter > b.quarter;
}

enum err tally_case_load_in(struct errctx *ec, struct app *app, const struct space_row *space, const char *period,
                            struct tally_case *out)
{
	struct tally_case c = { .release = { .level = RELEASE_NO_LEVEL }, .me = UINT32_MAX, .space = *space };
	struct tally_found *list = NULL;
	struct quarter q = { 0 };
	size_t count = 0;
	size_t at = SIZE_MAX;
	enum err e = ERR_OK;

	*out = c;
	if (period != NULL && !quarter_parse(period, &q))
		return err_set(ec, ERR_INPUT, "\"%1\" is not a quarter. Type it as 2026Q3.", period, NULL, NULL);
	e = tally_plans(ec, app, &c.space, &list, &count);
	for (size_t i = 0; e == ERR_OK && period == NULL && i < count; i++) {
		if (i == 0 || later(list[i].plan.period, q))
			q = list[i].plan.period;
	}
	if (e == ERR_OK)
		e = choose(ec, app, &c, list, count, q, &at);
	if (e == ERR_OK && at == SIZE_MAX)
		e = err_set(ec, ERR_NOT_FOUND, "There is no plan for a tally yet. A coordinator makes one: tally plan.",
		            NULL, NULL, NULL);
	if (e == ERR_OK) {
		c.plan = list[at].plan;
		c.plan_id = list[at].id;
		c.me = plan_teller_of(&c.plan, c.space.me);
		tally_author(app, c.space.n, c.space.me, &c.mine);
		memset(c.has_key, 0, sizeof(c.has_key));
		memset(c.key, 0, sizeof(c.key));
		e = gather_keys(ec, app, &c);
	}
	if (e == ERR_OK)
		e = gather_rest(ec, app, &c);
	free(list);
	if (e != ERR_OK)
		tally_case_free(&c);
	*out = c;
	return e == ERR_NO_MEMORY ? within_no_memory(ec) : e;
}

enum err tally_case_load(struct errctx *ec, struct app *app, const char *period, struct tally_case *out)
{
	struct space_row space = { 0 };
	enum err e = tally_space(ec, app, &space);

	*out = (struct tally_case){ .release = { .level = RELEASE_NO_LEVEL }, .me = UINT32_MAX };
	return e == ERR_OK ? tally_case_load_in(ec, app, &space, period, out) : e;
}

void tally_case_free(struct tally_case *c)
{
	for (size_t i = 0; i < c->views; i++)
		view_free(&c->view[i]);
	for (size_t i = 0; i < c->manifests; i++)
		manifest_free(&c->manifest[i]);
	release_free(&c->release);
	pool_free(&c->pool);
	*c = (struct tally_case){ .release = { .level = RELEASE_NO_LEVEL }, .me = UINT32_MAX };
}

enum err tally_write(struct errctx *ec, struct app *app, const struct tally_case *c, const struct tally_record *r,
                     struct dot *id)
{
	struct draft d = { 0 };
	struct change change = { .space = c->space.n, .kind = r->kind };
	enum err e = ERR_OK;

	if (r->plan_tag != 0)
		draft_ref(&d, r->plan_tag, c->plan_id);
	draft_bytes(&d, r->body_tag, r->body);
	e = within_arrived(ec, app, c->space.n);
	if (e == ERR_OK)
		e = draft_writes(&d, &change.writes, &change.write_count);
	if (e == ERR_OK)
		e = store_write(ec, app->store, &change, app_now_ms(app), id);
	draft_free(&d);
	return e;
}

const char *tally_member_name(struct pool *pool, struct app *app, struct dot member)
{
	struct loaded l = { 0 };
	const char *name = NULL;

	if (within_peek(app, member, KIND_member, &l))
		name = shown_text(pool, &l.record, F_member_name);
	store_loaded_free(&l);
	return name == NULL ? "?" : name;
}

const char *tally_names(struct pool *pool, struct app *app, const struct plan *plan, const bool *marked)
{
	struct buf text = { 0 };
	const char *out = NULL;
	enum err e = ERR_OK;

	for (uint32_t k = 0; e == ERR_OK && k < plan->n; k++) {
		if (!marked[k])
			continue;
		e = text.len == 0 ? ERR_OK : buf_put_str(&text, ", ");
		if (e == ERR_OK)
			e = buf_put_str(&text, tally_member_name(pool, app, plan->teller[k].member));
	}
	if (e == ERR_OK && text.len > 0)
		out = pool_text(pool, buf_bytes(&text));
	buf_free(&text);
	return out;
}
