// SPDX-License-Identifier: EUPL-1.2
// The rule of a space on how long things are kept: reading it, setting it, and erasing by it (K3, K4, M4). What falls
// under it is for retention_look.c.
#include "app/retention.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/dates.h"
#include "app/erase.h"
#include "app/sync_of.h"
#include "app/within.h"
#include "base/array.h"
#include "model/draft.h"
#include "model/wire.h"
#include "sync/erasing.h"

#define NAME "retention"
#define NEVER "never"

/* ---- Reading ---- */

/* Months of one word; false for what this version cannot read. */
static bool months_read(const char *text, size_t len, int *out)
{
	int v = 0;

	*out = RETENTION_NEVER;
	if (len == strlen(NEVER) && memcmp(text, NEVER, len) == 0)
		return true;
	if (len == 0 || len > 3)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		v = 10 * v + (text[i] - '0');
	}
	*out = v;
	return v > 0 && v <= RETENTION_MAX;
}

static int longer(int a, int b)
{
	return a == RETENTION_NEVER || b == RETENTION_NEVER ? RETENTION_NEVER : a > b ? a : b;
}

static void rule_add(struct retention_rule *rule, struct bytes text)
{
	const char *at = (const char *)text.data;
	const char *blank = text.len == 0 ? NULL : memchr(at, ' ', text.len);
	size_t first = blank == NULL ? text.len : (size_t)(blank - at);
	int remind = RETENTION_NEVER;
	int erase = RETENTION_NEVER;

	if (blank == NULL || !months_read(at, first, &remind) ||
	    !months_read(blank + 1, text.len - first - 1, &erase) ||
	    (erase != RETENTION_NEVER && erase < RETENTION_ERASE_MIN))
		remind = erase = RETENTION_NEVER; /* of a newer version, or not as it should be: nothing goes */
	rule->disputed = rule->disputed || (rule->set && (rule->remind != remind || rule->erase != erase));
	rule->remind = rule->set ? longer(rule->remind, remind) : remind;
	rule->erase = rule->set ? longer(rule->erase, erase) : erase;
	rule->set = true;
}

/* Every value that stands in this setting, kept ones included. */
static void rule_take(struct app *app, const struct record *r, struct retention_rule *rule)
{
	struct bytes raw = { 0 };
	const struct stamp *by = NULL;

	for (size_t n = 0; record_version(r, F_setting_value, n, &raw, &by); n++) {
		struct bytes text = { 0 };
		struct wire_in in = wire_in(raw);

		if (wire_get_text(&in, &text) != ERR_OK)
			text = (struct bytes){ 0 };
		rule_add(rule, text);
		if ((int64_t)by->clock.ms >= rule->at_ms) {
			rule->at_ms = (int64_t)by->clock.ms;
			app_author(app, by->dot, rule->by);
		}
	}
}

/* Every setting of that name in a space. */
static enum err settings(struct errctx *ec, struct app *app, int64_t space, struct dots *found,
                         struct retention_rule *rule)
{
	struct dots ids = { 0 };
	enum err e = store_of_kind(ec, app->store, KIND_setting, space, &ids);

	*found = (struct dots){ 0 };
	for (size_t i = 0; e == ERR_OK && i < ids.n; i++) {
		struct bytes name = { 0 };
		struct loaded l = { 0 };

		if (!within_peek(app, ids.d[i], KIND_setting, &l))
			continue;
		if (record_text(&l.record, F_setting_name, &name) && name.len == strlen(NAME) &&
		    memcmp(name.data, NAME, name.len) == 0) {
			e = array_grow(&found->d, found->n, sizeof(*found->d));
			if (e == ERR_OK)
				found->d[found->n++] = ids.d[i];
			rule_take(app, &l.record, rule);
		}
		store_loaded_free(&l);
	}
	dots_free(&ids);
	return e == ERR_OK ? app_unread(ec, app) : e == ERR_NO_MEMORY ? within_no_memory(ec) : e;
}

static enum err rule_read(struct errctx *ec, struct app *app, int64_t space, struct dots *found,
                          struct retention_rule *out)
{
	enum err e = ERR_OK;

	*out = (struct retention_rule){ 0 };
	e = settings(ec, app, space, found, out);
	if (!out->set) {
		out->remind = RETENTION_REMIND;
		out->erase = RETENTION_ERASE;
	}
	return e;
}

enum err retention_rule_of(struct errctx *ec, struct app *app, int64_t space, struct retention_rule *out)
{
	struct dots found = { 0 };
	enum err e = rule_read(ec, app, space, &found, out);

	dots_free(&found);
	return e;
}

static enum err old_ones(struct errctx *ec, struct app *app, int64_t space, int months, size_t *out)
{
	uint64_t n = 0;
	enum err e = ERR_OK;

	if (months != RETENTION_NEVER)
		e = store_contacts_old(ec, app->store, space, day_add_months(app_today(app), -months), &n);
	*out = (size_t)n;
	return e;
}

static enum err row_of(struct errctx *ec, struct app *app, int64_t space, struct pool *p, struct retention_row *out)
{
	enum err e = retention_rule_of(ec, app, space, &out->rule);

	out->circle = within_space_name(p, app, space);
	if (e == ERR_OK)
		e = old_ones(ec, app, space, out->rule.remind, &out->reminded);
	if (e == ERR_OK)
		e = old_ones(ec, app, space, out->rule.erase, &out->due);
	return e;
}

enum err retention_show(struct errctx *ec, struct app *app, const char *circle, struct retention_list *out)
{
	struct space_row *spaces = NULL;
	int64_t one = 0;
	size_t n = 0;
	enum err e = within_circle_filter(ec, app, circle, &one);

	*out = (struct retention_list){ 0 };
	if (e == ERR_OK)
		e = store_space_list(ec, app->store, &spaces, &n);
	if (e == ERR_OK && one == 0) {
		bool any = false;

		for (size_t i = 0; i < n; i++)
			any = any || (spaces[i].kind == SPACE_CIRCLE && spaces[i].state == SPACE_MEMBER);
		if (!any)
			e = app_circle(ec, app, NULL, &one);
	}
	out->item = e == ERR_OK ? pool_take(&out->pool, (n + 1) * sizeof(*out->item)) : NULL;
	for (size_t i = 0; e == ERR_OK && out->item != NULL && i < n; i++)
		if (one == 0 ? spaces[i].kind == SPACE_CIRCLE && spaces[i].state == SPACE_MEMBER : spaces[i].n == one)
			e = row_of(ec, app, spaces[i].n, &out->pool, &out->item[out->n++]);
	free(spaces);
	return within_pool(ec, &out->pool, e);
}

void retention_list_free(struct retention_list *list)
{
	pool_free(&list->pool);
	*list = (struct retention_list){ 0 };
}

/* ---- Setting ---- */

static enum err typed(struct errctx *ec, const char *option, const char *text, int least, int *out)
{
	size_t len = text == NULL ? 0 : strlen(text);
	int times = 1;
	char number[8];

	if (text == NULL)
		return ERR_OK;
	if (len > 1 && (text[len - 1] == 'y' || text[len - 1] == 'm')) {
		times = text[len - 1] == 'y' ? 12 : 1;
		len--;
	}
	if (months_read(text, len, out)) {
		*out *= times;
		if (*out == RETENTION_NEVER || (*out >= least && *out <= RETENTION_MAX))
			return ERR_OK;
	}
	snprintf(number, sizeof(number), "%d", least);
	return err_set(ec, ERR_INPUT,
	               "%1: type a number of months, as 18m, of years, as 2y, or never. The least is %2 months.",
	               option, number, NULL);
}

static enum err value_write(struct errctx *ec, struct app *app, int64_t space, struct dot target, const char *value)
{
	struct draft d = { 0 };
	struct change c = { .space = space, .target = target, .kind = dot_is_none(target) ? KIND_setting : KIND_none };
	struct dot written = { 0 };
	enum err e = ERR_OK;

	if (dot_is_none(target))
		draft_text(&d, F_setting_name, NAME);
	draft_text(&d, F_setting_value, value);
	e = draft_writes(&d, &c.writes, &c.write_count);
	if (e == ERR_OK)
		e = store_write(ec, app->store, &c, app_now_ms(app), &written);
	draft_free(&d);
	return e;
}

static void value_text(const struct retention_rule *rule, char out[static 24])
{
	char remind[10] = NEVER;
	char erase[10] = NEVER;

	if (rule->remind != RETENTION_NEVER)
		snprintf(remind, sizeof(remind), "%d", rule->remind);
	if (rule->erase != RETENTION_NEVER)
		snprintf(erase, sizeof(erase), "%d", rule->erase);
	snprintf(out, 24, "%s %s", remind, erase);
}

enum err retention_set(struct errctx *ec, struct app *app, const char *circle, const char *remind, const char *erase,
                       struct retention_rule *out)
{
	struct dots found = { 0 };
	char value[24];
	int64_t space = 0;
	enum err e = app_circle(ec, app, circle, &space);

	if (e == ERR_OK)
		e = within_not_restored(ec, app);
	if (e == ERR_OK)
		e = within_arrived(ec, app, space);
	if (e == ERR_OK)
		e = rule_read(ec, app, space, &found, out);
	if (e == ERR_OK)
		e = typed(ec, "--remind", remind, RETENTION_REMIND_MIN, &out->remind);
	if (e == ERR_OK)
		e = typed(ec, "--erase", erase, RETENTION_ERASE_MIN, &out->erase);
	if (e == ERR_OK && out->remind != RETENTION_NEVER && out->erase != RETENTION_NEVER && out->remind > out->erase)
		e = err_set(ec, ERR_REFUSED,
		            "People are reminded before anything is erased: give --remind less than --erase.", NULL,
		            NULL, NULL);
	value_text(out, value);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e == ERR_OK) {
		/* each of them: none that was set apart from this may count on */
		for (size_t i = 0; e == ERR_OK && i < found.n; i++)
			e = value_write(ec, app, space, found.d[i], value);
		if (found.n == 0)
			e = value_write(ec, app, space, (struct dot){ 0 }, value);
		e = within_end(ec, app, e);
	}
	dots_free(&found);
	return e == ERR_OK ? retention_rule_of(ec, app, space, out) : e == ERR_NO_MEMORY ? within_no_memory(ec) : e;
}

/* ---- Erasing by it ---- */

/* More than half of a circle at once is a rule or a date that is not as it should be, or a person who looked. */
static enum err looked(struct errctx *ec, const struct retention_how *how, const struct retention_run *r)
{
	char n[24];

	if (r->contacts <= ERASE_MANY || 2 * r->contacts <= r->all || how->count == r->go)
		return ERR_OK;
	snprintf(n, sizeof(n), "%zu", r->go);
	return err_set(ec, ERR_USAGE,
	               "That is more than half of all conversations. Look at the list and at the date first. To do it "
	               "all the same, type: sleutelbos retention run --yes --count %1",
	               n, NULL, NULL);
}

enum err retention_run(struct errctx *ec, struct app *app, const struct retention_how *how, struct retention_run *out)
{
	struct sync y = sync_of(app);
	struct space_row row;
	struct dots going = { 0 };
	int64_t space = 0;
	size_t persons = 0;
	enum err e = app_circle(ec, app, how->circle, &space);

	*out = (struct retention_run){ 0 };
	if (e == ERR_OK && how->yes)
		e = within_not_restored(ec, app);
	if (e == ERR_OK && how->yes)
		e = within_arrived(ec, app, space);
	if (e == ERR_OK)
		e = store_space_get(ec, app->store, space, &row);
	if (e == ERR_OK)
		e = persons_in(ec, &y, &row, &persons);
	if (e == ERR_OK)
		e = retention_rule_of(ec, app, space, &out->rule);
	out->circle = within_space_name(&out->pool, app, space);
	out->others = persons > 1;
	if (e == ERR_OK)
		e = retention_look(ec, app, space, out, &going);
	if (e == ERR_OK && how->yes)
		e = looked(ec, how, out);
	if (e == ERR_OK && how->yes && going.n > 0) {
		e = erase_by_term(ec, app, space, &going, out->rule.erase);
		out->erased = e == ERR_OK;
	}
	dots_free(&going);
	return within_pool(ec, &out->pool, e);
}

void retention_run_free(struct retention_run *r)
{
	pool_free(&r->pool);
	*r = (struct retention_run){ 0 };
}
