// SPDX-License-Identifier: EUPL-1.2
// What tellers do: answer a plan with period keys, agree on a set, give one sum for it, combine. What a teller has done
// once is remembered here and never done a second time, whatever the repository shows later (T2).
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/tally.h"
#include "app/tally_case.h"
#include "app/within.h"
#include "crypto/secret.h"
#include "sync/floor.h"
#include "vault/vault.h"

#define COMBINE_TIME_MS (10 * 60 * 1000)
#define COMBINE_MEMORY_MIB 1024

/* --- keys --- */

static bool kept_has(struct app *app, int64_t space, const char *what, struct quarter period)
{
	char name[TALLY_KEPT_LEN];
	struct buf kept = { 0 };
	bool has = false;

	tally_kept(what, period, name);
	has = store_kept_get(NULL, app->store, space, name, &kept) != ERR_NOT_FOUND;
	buf_free(&kept);
	return has;
}

static enum err kept_put(struct errctx *ec, struct app *app, int64_t space, const char *what, struct quarter period,
                         struct bytes value)
{
	char name[TALLY_KEPT_LEN];

	tally_kept(what, period, name);
	return store_kept_put(ec, app->store, space, name, value);
}

/* Answers a plan: fresh keys, kept; their public halves in a record. For ever the only plan of that quarter. */
static enum err answer_plan(struct errctx *ec, struct app *app, const struct space_row *space,
                            const struct tally_found *found, uint32_t me)
{
	struct tally_case c = { .space = *space, .plan_id = found->id, .plan = found->plan, .me = me };
	struct teller_secret *secret = secret_new(sizeof(*secret));
	struct tally_record record = { KIND_teller_key, F_teller_key_plan, F_teller_key_body, { 0 } };
	struct buf body = { 0 };
	struct dot id = { 0 };
	enum err e = secret == NULL ? ERR_NO_MEMORY : teller_key_make(&c.plan, me, app->rng, secret, &body);

	record.body = buf_bytes(&body);
	if (e == ERR_OK && (e = store_begin(ec, app->store)) == ERR_OK) {
		e = kept_put(ec, app, space->n, "told", c.plan.period, (struct bytes){ c.plan.hash, HASH_LEN });
		if (e == ERR_OK)
			e = kept_put(ec, app, space->n, "secret", c.plan.period,
			             (struct bytes){ (const uint8_t *)secret, sizeof(*secret) });
		if (e == ERR_OK)
			e = tally_write(ec, app, &c, &record, &id);
		e = within_end(ec, app, e);
	}
	buf_free(&body);
	secret_free(secret);
	return e;
}

/* Is there another plan of the same quarter that more tellers have answered? Then that one is waited for. */
static bool better_one(struct app *app, const struct tally_found *found, const struct space_row *space)
{
	struct tally_case c = { 0 };
	char period[QUARTER_TEXT_LEN];
	bool better = true;

	quarter_text(found->plan.period, period);
	if (tally_case_load_in(NULL, app, space, period, &c) == ERR_OK)
		better = dot_cmp(c.plan_id, found->id) != 0;
	tally_case_free(&c);
	return better;
}

static enum err after_sync_in(struct errctx *ec, struct app *app, const struct space_row *space, size_t *written)
{
	struct tally_found *list = NULL;
	size_t count = 0;
	enum err e = tally_plans(ec, app, space, &list, &count);

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		uint32_t me = plan_teller_of(&list[i].plan, space->me);

		if (me == UINT32_MAX || kept_has(app, space->n, "told", list[i].plan.period) ||
		    better_one(app, &list[i], space))
			continue;
		e = answer_plan(ec, app, space, &list[i], me);
		*written += e == ERR_OK;
	}
	free(list);
	return e == ERR_NO_MEMORY ? within_no_memory(ec) : e;
}

enum err app_tally_after_sync(struct errctx *ec, struct app *app, size_t *written)
{
	struct sync y = { app->store, app->zip, app->rng, app->clock };
	struct space_row *list = NULL;
	size_t count = 0;
	enum err e = store_space_list(ec, app->store, &list, &count);

	*written = 0;
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		bool coming_in = false;

		if (list[i].kind != SPACE_NEIGHBOURHOOD || list[i].state != SPACE_MEMBER)
			continue;
		e = floor_open(ec, &y, list[i].n, &coming_in); /* a plan that is not all here is no plan yet */
		if (e == ERR_OK && !coming_in)
			e = after_sync_in(ec, app, &list[i], written);
	}
	free(list);
	return e;
}

/* --- count --- */

/* A teller at work: its case, its secret, what it has signed. */
struct counting {
	struct app *app;
	struct errctx *ec;
	struct tally_case c;
	struct teller_secret *secret; /* NULL once the sum is given */
	struct manifest signed_one;
	bool has_signed;
	bool summed;
	uint64_t *shares;
};

static void counting_free(struct counting *w)
{
	secret_free(w->secret);
	secret_free(w->shares);
	manifest_free(&w->signed_one);
	tally_case_free(&w->c);
}

static enum err secret_get(struct counting *w)
{
	char name[TALLY_KEPT_LEN];
	struct buf kept = { 0 };
	enum err e = ERR_OK;

	tally_kept("secret", w->c.plan.period, name);
	e = store_kept_get(NULL, w->app->store, w->c.space.n, name, &kept);
	if (e == ERR_OK && kept.len == sizeof(*w->secret)) {
		w->secret = secret_new(sizeof(*w->secret));
		if (w->secret != NULL)
			memcpy(w->secret, kept.data, sizeof(*w->secret));
		else
			e = ERR_NO_MEMORY;
	} else if (e == ERR_OK || e == ERR_NOT_FOUND) {
		e = err_set(
		    w->ec, ERR_REFUSED,
		    "This device no longer has the key of this period, so it cannot count. The other tellers go "
		    "on without it.",
		    NULL, NULL, NULL);
	}
	buf_free(&kept);
	return e;
}

static enum err signed_get(struct counting *w)
{
	char name[TALLY_KEPT_LEN];
	struct buf kept = { 0 };
	enum err e = ERR_OK;

	tally_kept("signed", w->c.plan.period, name);
	e = store_kept_get(NULL, w->app->store, w->c.space.n, name, &kept);
	if (e == ERR_OK) {
		e = manifest_parse(&w->c.plan, w->c.key, buf_bytes(&kept), &w->signed_one, w->ec);
		w->has_signed = e == ERR_OK;
	} else if (e == ERR_NOT_FOUND) {
		e = ERR_OK;
	}
	buf_free(&kept);
	return e;
}

/* Everything that this teller knows, anew: called before each step, so that it sees what it has just written. */
static enum err counting_load(struct counting *w, const char *period)
{
	struct errctx *ec = w->ec;
	struct app *app = w->app;
	char name[TALLY_KEPT_LEN];
	struct buf told = { 0 };
	enum err e = ERR_OK;

	counting_free(w);
	*w = (struct counting){ .app = app, .ec = ec };
	e = tally_case_load(ec, app, period, &w->c);
	if (e != ERR_OK)
		return e;
	if (w->c.me == UINT32_MAX || w->c.mine.coordinator)
		return err_set(ec, ERR_REFUSED, "Only the tellers of this plan can count it.", NULL, NULL, NULL);
	tally_kept("told", w->c.plan.period, name);
	e = store_kept_get(NULL, app->store, w->c.space.n, name, &told);
	if (e == ERR_NOT_FOUND)
		e = err_set(ec, ERR_LATER, "This device has not signed the plan yet. Sync first.", NULL, NULL, NULL);
	else if (e == ERR_OK && (told.len != HASH_LEN || memcmp(told.data, w->c.plan.hash, HASH_LEN) != 0))
		e = err_set(ec, ERR_REFUSED, "This device has answered another plan for this quarter, and answers one.",
		            NULL, NULL, NULL);
	buf_free(&told);
	w->summed = kept_has(app, w->c.space.n, "summed", w->c.plan.period);
	if (e == ERR_OK)
		e = signed_get(w);
	if (e == ERR_OK && !w->summed)
		e = secret_get(w);
	w->shares = e == ERR_OK ? secret_new(w->c.plan.cells * sizeof(*w->shares)) : NULL;
	return e == ERR_OK && w->shares == NULL ? ERR_NO_MEMORY : e;
}

/* Which contributions open for this teller? */
static enum err open_all(struct counting *w)
{
	for (size_t i = 0; w->secret != NULL && i < w->c.contributions; i++) {
		enum err e = contribution_open(&w->c.plan, &w->c.contribution[i], w->c.me, w->secret, w->shares, NULL);

		if (e != ERR_OK && e != ERR_DAMAGED)
			return e;
		w->c.held[i].opens = e == ERR_OK;
	}
	return ERR_OK;
}

static enum err write_now(struct counting *w, const struct tally_record *record, const char *keep, struct bytes kept)
{
	struct dot id = { 0 };
	enum err e = store_begin(w->ec, w->app->store);

	if (e != ERR_OK)
		return e;
	if (keep != NULL)
		e = kept_put(w->ec, w->app, w->c.space.n, keep, w->c.plan.period, kept);
	if (e == ERR_OK)
		e = tally_write(w->ec, w->app, &w->c, record, &id);
	return within_end(w->ec, w->app, e);
}

static enum err give_view(struct counting *w, const struct teller_decision *d)
{
	const struct view v = { w->c.me, d->set, d->spoiled };
	struct tally_record record = { KIND_manifest, F_manifest_plan, F_manifest_body, { 0 } };
	struct buf body = { 0 };
	enum err e = view_make(&w->c.plan, &v, w->secret, &body);

	record.body = buf_bytes(&body);
	if (e == ERR_OK)
		e = write_now(w, &record, NULL, (struct bytes){ 0 });
	buf_free(&body);
	return e;
}

static enum err sign_manifest(struct counting *w, const struct teller_decision *d)
{
	const struct manifest m = { w->c.me, d->set };
	struct tally_record record = { KIND_manifest, F_manifest_plan, F_manifest_body, { 0 } };
	struct buf body = { 0 };
	enum err e = manifest_make(&w->c.plan, &m, w->secret, &body);

	record.body = buf_bytes(&body);
	if (e == ERR_OK)
		e = write_now(w, &record, "signed", record.body);
	buf_free(&body);
	return e;
}

static enum err add_up(struct counting *w, const struct hash_set *set, uint64_t *sum)
{
	for (size_t i = 0; i < w->c.contributions; i++) {
		enum err e = ERR_OK;

		if (!hash_set_has(set, w->c.contribution[i].hash))
			continue;
		e = contribution_open(&w->c.plan, &w->c.contribution[i], w->c.me, w->secret, w->shares, w->ec);
		if (e != ERR_OK)
			return e;
		sum_add(sum, w->shares, w->c.plan.cells);
	}
	return ERR_OK;
}

/* The sum goes out, that it did is remembered and the key is destroyed in one transaction; then the log is folded in,
 * so that the key's bytes leave the disk. */
static enum err give_sum(struct counting *w, const struct teller_decision *d)
{
	struct tally_record record = { KIND_tally_sum, F_tally_sum_plan, F_tally_sum_body, { 0 } };
	uint64_t *sum = secret_new(w->c.plan.cells * sizeof(*sum));
	uint8_t hash[HASH_LEN];
	char name[TALLY_KEPT_LEN];
	struct buf body = { 0 };
	struct dot id = { 0 };
	enum err e = sum == NULL ? ERR_NO_MEMORY : ERR_OK;

	if (e == ERR_OK) {
		memset(sum, 0, w->c.plan.cells * sizeof(*sum));
		e = add_up(w, &d->set, sum);
	}
	manifest_hash(&w->c.plan, &d->set, hash);
	if (e == ERR_OK)
		e = sum_make(&w->c.plan, w->c.me, w->secret, hash, sum, &body);
	record.body = buf_bytes(&body);
	if (e == ERR_OK && (e = store_begin(w->ec, w->app->store)) == ERR_OK) {
		e = kept_put(w->ec, w->app, w->c.space.n, "summed", w->c.plan.period, (struct bytes){ hash, HASH_LEN });
		tally_kept("secret", w->c.plan.period, name);
		if (e == ERR_OK)
			e = store_kept_delete(w->ec, w->app->store, w->c.space.n, name);
		if (e == ERR_OK)
			e = tally_write(w->ec, w->app, &w->c, &record, &id);
		e = within_end(w->ec, w->app, e);
	}
	if (e == ERR_OK)
		e = vault_checkpoint(w->app->vault, w->ec, true);
	buf_free(&body);
	secret_free(sum);
	return e;
}

/* Takes the step that was decided on. *again: there may be another one at once. */
static enum err take_step(struct counting *w, const struct teller_decision *d, struct tally_counted *out, bool *again)
{
	enum err e = ERR_OK;

	*again = false;
	switch (d->step) {
	case STEP_VIEW:
		e = give_view(w, d);
		*again = out->viewed = e == ERR_OK;
		break;
	case STEP_SIGN:
		e = sign_manifest(w, d);
		*again = out->signed_it = e == ERR_OK;
		break;
	case STEP_SUM:
		e = give_sum(w, d);
		out->done = out->summed = e == ERR_OK;
		break;
	case STEP_DONE:
		out->done = true;
		break;
	case STEP_WAIT_VIEWS:
	case STEP_WAIT_MANIFEST:
		out->waits = tally_names(&out->pool, w->app, &w->c.plan, d->waits);
		break;
	case STEP_BELOW_FLOOR:
	case STEP_CANNOT:
		break;
	}
	return e;
}

static enum err below_floor(struct errctx *ec, uint64_t circles, uint32_t floor)
{
	char have[24];
	char need[24];

	snprintf(have, sizeof(have), "%" PRIu64, circles);
	snprintf(need, sizeof(need), "%" PRIu32, floor);
	return err_set(
	    ec, ERR_REFUSED,
	    "%1 circles have taken part, and at least %2 are counted together. More circles must contribute.", have,
	    need, NULL);
}

/* Nothing could be done in this call: why not. */
static enum err nothing_done(struct errctx *ec, const struct counting *w, const struct teller_decision *d,
                             const char *waits)
{
	switch (d->step) {
	case STEP_BELOW_FLOOR:
		return below_floor(ec, d->set.n, w->c.plan.floor);
	case STEP_CANNOT:
		return err_set(ec, ERR_REFUSED,
		               "The tellers have signed different lists and can no longer agree. This period is not "
		               "counted.",
		               NULL, NULL, NULL);
	default:
		return err_set(ec, ERR_LATER, "These tellers must sync and count first: %1.", waits, NULL, NULL);
	}
}

enum err app_tally_count(struct errctx *ec, struct app *app, const char *period, struct tally_counted *out)
{
	struct counting w = { .app = app, .ec = ec };
	struct teller_decision d = { 0 };
	char text[QUARTER_TEXT_LEN];
	bool again = true;
	enum err e = within_not_restored(ec, app);

	*out = (struct tally_counted){ 0 };
	while (e == ERR_OK && again) {
		teller_decision_free(&d);
		e = counting_load(&w, period);
		if (e == ERR_OK)
			e = open_all(&w);
		if (e == ERR_OK)
			e = teller_decide(&(struct teller_knows){ .plan = &w.c.plan,
			                                          .me = w.c.me,
			                                          .held = w.c.held,
			                                          .held_count = w.c.contributions,
			                                          .views = w.c.view,
			                                          .view_count = w.c.views,
			                                          .manifests = w.c.manifest,
			                                          .manifest_count = w.c.manifests,
			                                          .signed_set = w.has_signed ? &w.signed_one.set : NULL,
			                                          .summed = w.summed },
			                  &d);
		if (e == ERR_OK)
			e = take_step(&w, &d, out, &again);
	}
	if (e == ERR_OK && !out->viewed && !out->signed_it && !out->done)
		e = nothing_done(ec, &w, &d, out->waits);
	if (e == ERR_OK) {
		quarter_text(w.c.plan.period, text);
		out->period = pool_str(&out->pool, text);
		out->circles = w.c.circles;
		out->doubled = w.c.contributions - w.c.circles;
		for (size_t i = 0; i < w.c.contributions && !w.summed; i++)
			out->spoiled += !w.c.held[i].opens;
	}
	teller_decision_free(&d);
	counting_free(&w);
	return within_pool(ec, &out->pool, e);
}

void app_tally_counted_free(struct tally_counted *c)
{
	pool_free(&c->pool);
}

/* --- combine --- */

/* The sums over the manifest that q tellers signed. */
static enum err agreed_sums(struct errctx *ec, const struct tally_case *c, const struct hash_set **set,
                            struct teller_sum *sums, size_t *count)
{
	uint8_t hash[HASH_LEN];

	*set = manifest_agreed(&c->plan, c->manifest, c->manifests);
	*count = 0;
	if (*set == NULL)
		return err_set(ec, ERR_LATER,
		               "The tellers have not agreed on what they count yet. They must sync and count.", NULL,
		               NULL, NULL);
	if ((*set)->n < c->plan.floor)
		return below_floor(ec, (*set)->n, c->plan.floor);
	manifest_hash(&c->plan, *set, hash);
	for (size_t i = 0; i < c->sums; i++) {
		if (hash_equal(c->sum[i].manifest, hash, HASH_LEN))
			sums[(*count)++] = c->sum[i];
	}
	return ERR_OK;
}

static enum err release_write(struct errctx *ec, struct app *app, const struct tally_case *c, const struct release *r,
                              struct dot *id)
{
	struct draft d = { 0 };
	struct change change = { .space = c->space.n, .kind = KIND_release };
	struct buf body = { 0 };
	char period[QUARTER_TEXT_LEN];
	enum err e = release_put(r, &body);

	quarter_text(r->period, period);
	draft_ref(&d, F_release_plan, c->plan_id);
	draft_text(&d, F_release_period, period);
	draft_bytes(&d, F_release_body, buf_bytes(&body));
	if (e == ERR_OK)
		e = draft_writes(&d, &change.writes, &change.write_count);
	if (e == ERR_OK)
		e = within_arrived(ec, app, c->space.n);
	if (e == ERR_OK && (e = store_begin(ec, app->store)) == ERR_OK)
		e = within_end(ec, app, store_write(ec, app->store, &change, app_now_ms(app), id));
	draft_free(&d);
	buf_free(&body);
	return e;
}

static enum err combine(struct errctx *ec, struct app *app, const struct tally_case *c, struct tally_combined *out)
{
	struct teller_sum sums[PLAN_TELLERS_MAX];
	struct totals totals = { 0 };
	struct release release = { .level = RELEASE_NO_LEVEL };
	const struct hash_set *set = NULL;
	struct dot id = { 0 };
	uint8_t hash[HASH_LEN];
	size_t count = 0;
	size_t levels = 0;
	enum err e = agreed_sums(ec, c, &set, sums, &count);

	if (e == ERR_OK)
		e = sum_combine(&c->plan, sums, count, set->n, &totals, ec);
	if (e == ERR_OK) {
		struct release_in in = {
			.totals = &totals,
			.manifest = hash,
			.circles = set->n,
			.limits = { .clock = app->clock, .time_ms = COMBINE_TIME_MS, .memory_mib = COMBINE_MEMORY_MIB },
		};

		manifest_hash(&c->plan, set, hash);
		e = release_make(&c->plan, &in, &release, ec);
	}
	if (e == ERR_OK)
		e = release_write(ec, app, c, &release, &id);
	if (e == ERR_OK) {
		out->id = shown_id(&out->pool, id);
		out->level = release.level == RELEASE_NO_LEVEL ? NULL : tally_levels(&levels)[release.level].name;
		out->checked = release.checked;
		out->wrong = tally_names(&out->pool, app, &c->plan, totals.wrong);
	}
	totals_free(&totals);
	release_free(&release);
	return e;
}

enum err app_tally_combine(struct errctx *ec, struct app *app, const char *period, struct tally_combined *out)
{
	struct tally_case c = { 0 };
	char text[QUARTER_TEXT_LEN];
	enum err e = within_not_restored(ec, app);

	*out = (struct tally_combined){ 0 };
	if (e == ERR_OK)
		e = tally_case_load(ec, app, period, &c);
	if (e == ERR_OK) {
		quarter_text(c.plan.period, text);
		out->period = pool_str(&out->pool, text);
	}
	if (e == ERR_OK && (c.me == UINT32_MAX || c.mine.coordinator))
		e = err_set(ec, ERR_REFUSED, "Only the tellers of this plan can combine its sums.", NULL, NULL, NULL);
	if (e == ERR_OK && !dot_is_none(c.release_id))
		e = err_set(ec, ERR_REFUSED, "The summary of %1 is out already, and it is never issued again.", text,
		            NULL, NULL);
	if (e == ERR_OK)
		e = combine(ec, app, &c, out);
	tally_case_free(&c);
	return within_pool(ec, &out->pool, e);
}

void app_tally_combined_free(struct tally_combined *c)
{
	pool_free(&c->pool);
}
