// SPDX-License-Identifier: EUPL-1.2
// Takes earlier conversations in: everything that could be refused is looked at first, then all is written in one
// transaction, so that a file is in whole or not at all (V3). What is here already is left as it is.
#include "app/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/contacts.h"
#include "app/dates.h"
#include "app/import_talks.h"
#include "app/links.h"
#include "app/referrals.h"
#include "app/residents.h"
#include "app/within.h"
#include "base/tr.h"

/* Conversations between two questions whether to go on. */
#define BETWEEN 64

static bool is(const char *a, const char *b)
{
	return a != NULL && strcmp(a, b) == 0;
}

/* A cell that the parser read as a date. */
static int64_t day_of(const char *iso)
{
	int64_t day = NO_DAY;

	if (iso == NULL || day_parse(NULL, "", iso, 0, &day) != ERR_OK)
		return NO_DAY;
	return day;
}

static bool has_referral(const struct import_row *r)
{
	return r->cell[IMPORT_service_name] != NULL || r->cell[IMPORT_service] != NULL;
}

/* --- what may be refused --- */

struct checking {
	struct errctx *ec;
	struct app *app;
	struct import_log *log;
	int64_t today;
	const struct import_row *row;
};

/* A literal for each sentence stands at its call. */
static enum err bad(struct checking *k, enum import_column c, const char *why, const char *more)
{
	const char *name = k->log->header[c];

	if (import_problem_add(k->log, k->row->number, name == NULL ? import_column_name(c) : name, why, more) !=
	    ERR_OK)
		return within_no_memory(k->ec);
	return ERR_OK;
}

static enum err choose(struct checking *k, enum import_column c, enum list list, const char *why)
{
	size_t count = 0;
	const struct list_item *items = list_items(list, &count);
	char all[ERR_ARG_LEN] = "";
	size_t at = 0;

	for (size_t i = 0; i < count && at < sizeof(all); i++)
		at += (size_t)snprintf(all + at, sizeof(all) - at, "%s%s", at > 0 ? ", " : "", items[i].id);
	return bad(k, c, why, all);
}

#define YET_TO_COME TR("%1, row %2, column %3: this day has yet to come. Look at the day and the year.")

static enum err days_check(struct checking *k)
{
	const char *const *cell = k->row->cell;
	int64_t sent = day_of(cell[IMPORT_referral_date]);
	int64_t status = day_of(cell[IMPORT_status_date]);
	enum err e = ERR_OK;

	if (day_of(cell[IMPORT_date]) > k->today)
		e = bad(k, IMPORT_date, YET_TO_COME, NULL);
	if (e == ERR_OK && sent > k->today && !is(cell[IMPORT_status], "plan"))
		e = bad(k, IMPORT_referral_date, YET_TO_COME, NULL);
	if (e == ERR_OK && status > k->today)
		e = bad(k, IMPORT_status_date, YET_TO_COME, NULL);
	if (sent == NO_DAY)
		sent = day_of(cell[IMPORT_date]);
	if (e == ERR_OK && status != NO_DAY && status < sent && !is(cell[IMPORT_status], "plan"))
		e = bad(k, IMPORT_status_date,
		        TR("%1, row %2, column %3: this day lies before the referral. Look at both days."), NULL);
	return e;
}

static enum err consent_check(struct checking *k)
{
	const char *const *cell = k->row->cell;
	struct errctx why = { 0 };
	const char *kind = cell[IMPORT_kind];
	int64_t until = day_of(cell[IMPORT_consent_until]);
	int64_t sent = day_of(cell[IMPORT_referral_date]);

	if (sent == NO_DAY || sent > k->today)
		sent = day_of(cell[IMPORT_date]);
	/* it was given once, and taken back since */
	if (is(cell[IMPORT_consent], "ingetrokken"))
		return ERR_OK;
	if (referral_consent_rule(&why, kind, cell[IMPORT_consent]) != ERR_OK)
		return bad(
		    k, IMPORT_consent,
		    TR("%1, row %2, column %3: this kind of referral needs the resident's consent. Choose from: %4."),
		    is(kind, "brief") ? "schriftelijk" : "mondeling, schriftelijk");
	if ((is(kind, "brief") || is(kind, "aangemeld")) && until != NO_DAY && until < sent)
		return bad(k, IMPORT_consent_until,
		           TR("%1, row %2, column %3: this consent ended before the referral. Look at both days."),
		           NULL);
	return ERR_OK;
}

static enum err referral_check(struct checking *k)
{
	const char *const *cell = k->row->cell;
	const char *status = cell[IMPORT_status];
	bool failed = is(status, "niet_gelukt");
	enum err e = ERR_OK;

	if (cell[IMPORT_referral_domain] == NULL &&
	    (cell[IMPORT_domains] == NULL || strchr(cell[IMPORT_domains], ',') != NULL))
		e = choose(k, IMPORT_referral_domain, LIST_domain,
		           TR("%1, row %2, column %3: a referral has exactly one life domain. Choose from: %4."));
	if (e == ERR_OK && failed && cell[IMPORT_reason] == NULL)
		e = choose(k, IMPORT_reason, LIST_reason,
		           TR("%1, row %2, column %3: say why it did not work. Choose from: %4."));
	if (e == ERR_OK && !failed && cell[IMPORT_reason] != NULL)
		e = bad(k, IMPORT_reason,
		        TR("%1, row %2, column %3: a reason goes only with the status niet_gelukt. Empty this cell."),
		        NULL);
	return e == ERR_OK ? consent_check(k) : e;
}

/* Something about a referral, and not to whom. */
static enum err loose_check(struct checking *k)
{
	static const enum import_column of_referral[] = { IMPORT_group,         IMPORT_kind,    IMPORT_referral_domain,
		                                          IMPORT_referral_date, IMPORT_status,  IMPORT_status_date,
		                                          IMPORT_reason,        IMPORT_consent, IMPORT_consent_what,
		                                          IMPORT_consent_until, IMPORT_changed, IMPORT_referral_text };

	for (size_t i = 0; i < sizeof(of_referral) / sizeof(of_referral[0]); i++) {
		if (k->row->cell[of_referral[i]] != NULL)
			return bad(k, IMPORT_service_name,
			           TR("%1, row %2, column %3: this row tells of a referral, but not to which "
			              "organisation. Fill it in here."),
			           NULL);
	}
	return ERR_OK;
}

/* Nobody who asked not to be reached gets a reminder. */
static enum err reach_check(struct checking *k, int64_t space)
{
	const char *const *cell = k->row->cell;
	struct pool pool = { 0 };
	struct dot id = { 0 };
	bool never = false;
	enum err e = ERR_OK;

	if (cell[IMPORT_follow_up] == NULL || cell[IMPORT_resident] == NULL)
		return ERR_OK;
	e = store_resident_by_nick(NULL, k->app->store, space, cell[IMPORT_resident], &id);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	resident_nick(&pool, k->app, id, &never);
	pool_free(&pool);
	if (!never)
		return ERR_OK;
	return bad(k, IMPORT_follow_up,
	           TR("%1, row %2, column %3: this resident asked not to be reached. Empty this cell."), NULL);
}

/* Where a row goes. The one before it mostly went to the same circle. */
static enum err circle_find(struct checking *k, const char *circle, size_t i, int64_t *space)
{
	const char *name = k->row->cell[IMPORT_circle];
	const char *before = i == 0 ? NULL : k->row[-1].cell[IMPORT_circle];
	struct errctx why = { 0 };
	enum err e = ERR_OK;

	if (i > 0 && (name == NULL ? before == NULL : is(before, name))) {
		space[i] = space[i - 1];
		return ERR_OK;
	}
	e = app_circle(&why, k->app, name == NULL ? circle : name, &space[i]);
	if (e == ERR_OK)
		return ERR_OK;
	if (name == NULL || e != ERR_NOT_FOUND) {
		if (k->ec->code == ERR_OK)
			*k->ec = why;
		return e;
	}
	space[i] = 0;
	return bad(
	    k, IMPORT_circle,
	    TR("%1, row %2, column %3: you are not in a circle with the name %4. Correct it, or empty this cell."),
	    name);
}

static enum err row_check(struct checking *k, size_t i, int64_t space)
{
	enum err e = ERR_OK;

	k->row = &k->log->row[i];
	/* a row whose cells could not be read was told already */
	if (k->row->cell[IMPORT_date] != NULL)
		e = days_check(k);
	if (e == ERR_OK)
		e = has_referral(k->row) ? referral_check(k) : loose_check(k);
	return e == ERR_OK && space != 0 ? reach_check(k, space) : e;
}

static enum err circles_find(struct checking *k, const char *circle, int64_t *space)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < k->log->rows && e == ERR_OK; i++) {
		k->row = &k->log->row[i];
		e = circle_find(k, circle, i, space);
	}
	return e;
}

/* Everything that could be told, where something is wrong already. */
static enum err rows_check(struct checking *k, const int64_t *space)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < k->log->rows && e == ERR_OK; i++)
		e = row_check(k, i, space[i]);
	return e;
}

/* How many rows of a conversation tell of a referral. */
static size_t referrals_in(const struct import_log *log, const struct talks *talks, const struct talk *t)
{
	size_t n = 0;

	for (size_t i = t->row; i != NO_ROW; i = talks->next[i])
		n += has_referral(&log->row[i]);
	return n;
}

/* Only of what will be written: rules may have changed what is here since. */
static enum err talks_check(struct checking *k, const int64_t *space, const struct talks *talks,
                            const struct links *links)
{
	enum err e = ERR_OK;

	for (size_t t = 0; t < talks->n; t++) {
		const struct talk *talk = &talks->item[t];
		size_t have = 0;

		if (talk->known)
			(void)links_of(links, talk->contact, &have);
		if (talk->known && referrals_in(k->log, talks, talk) <= have)
			continue;
		for (size_t i = talk->row; i != NO_ROW && e == ERR_OK; i = talks->next[i])
			e = row_check(k, i, space[i]);
	}
	return e;
}

/* --- writing --- */

struct taking {
	struct errctx *ec;
	struct errctx why; /* of a row that a rule refused while it was written */
	struct app *app;
	const struct import_log *log;
	const int64_t *space; /* of each row */
	struct talks talks;
	struct links links; /* of what is here */
	struct import_made made;
};

/* The id of a record that is here; NULL for anything else. */
static const char *here(struct taking *k, const char *id, uint32_t kind)
{
	struct loaded l = { 0 };
	struct dot d = { 0 };

	if (id == NULL || !dot_parse(id, &d) || !within_peek(k->app, d, kind, &l))
		return NULL;
	store_loaded_free(&l);
	return id;
}

static bool was_withdrawn(const struct import_row *r)
{
	return is(r->cell[IMPORT_consent], "ingetrokken");
}

/* What came after the referral was sent. */
static enum err status_write(struct taking *k, const struct import_row *r, struct dot id, int64_t sent)
{
	const char *const *cell = r->cell;
	const char *status = cell[IMPORT_status];
	bool waits = status == NULL || is(status, "plan") || is(status, "verstuurd");
	int64_t day = day_of(cell[IMPORT_status_date]);
	struct loaded l = { 0 };
	struct editor ed;
	enum err e = ERR_OK;

	if (waits && cell[IMPORT_changed] == NULL && !was_withdrawn(r))
		return ERR_OK;
	e = store_load(k->ec, k->app->store, id, &l);
	if (e != ERR_OK)
		return e;
	editor_of(&ed, k->app, k->ec, &l.record);
	if (!waits)
		editor_event(&ed, F_referral_status, status, day == NO_DAY ? sent : day, cell[IMPORT_reason]);
	if (was_withdrawn(r)) {
		editor_id(&ed, F_referral_kind, "kind", LIST_kind, cell[IMPORT_kind]);
		editor_id(&ed, F_referral_consent, "consent", LIST_consent, cell[IMPORT_consent]);
	}
	editor_id(&ed, F_referral_changed, "changed", LIST_changed, cell[IMPORT_changed]);
	e = editor_write(&ed, l.space, KIND_none, NULL);
	store_loaded_free(&l);
	return e;
}

static enum err referral_write(struct taking *k, size_t row, struct dot contact)
{
	const struct import_row *r = &k->log->row[row];
	const char *const *cell = r->cell;
	const char *service = here(k, cell[IMPORT_service], KIND_service);
	struct referral_fields f = { .service = service,
		                     .group = cell[IMPORT_group],
		                     .kind = cell[IMPORT_kind],
		                     .domain = cell[IMPORT_referral_domain],
		                     .consent = cell[IMPORT_consent],
		                     .consent_what = cell[IMPORT_consent_what],
		                     .consent_until = cell[IMPORT_consent_until],
		                     .text = cell[IMPORT_referral_text] };
	struct loaded l = { 0 };
	struct referral_made made = { 0 };
	struct dot id = { 0 };
	struct referral_origin from = { .contact = &l,
		                        .day = day_of(cell[IMPORT_referral_date]),
		                        .plan = is(cell[IMPORT_status], "plan") };
	enum err e = store_load(k->ec, k->app->store, contact, &l);

	if (e != ERR_OK)
		return e;
	if (service == NULL)
		f.service_name = cell[IMPORT_service_name] != NULL ? cell[IMPORT_service_name] : cell[IMPORT_service];
	if (service == NULL && f.group == NULL)
		f.group = "anders";
	/* the consent of then is not known: how it was done is told after it was made */
	if (f.kind == NULL || was_withdrawn(r))
		f.kind = "info";
	if (was_withdrawn(r))
		f.consent = NULL;
	if (from.day == NO_DAY)
		from.day = day_of(cell[IMPORT_date]);
	from.space = l.space;
	e = referral_make(k->ec, k->app, &from, &f, &made);
	if (e == ERR_OK && !dot_parse(made.id, &id))
		e = ERR_DAMAGED;
	if (e == ERR_OK)
		e = status_write(k, r, id, from.day);
	store_loaded_free(&l);
	k->made.referrals += e == ERR_OK;
	return e;
}

static enum err contact_write(struct taking *k, struct talk *t)
{
	const char *const *cell = k->log->row[t->row].cell;
	const char *service = is(cell[IMPORT_who], "dienst") || cell[IMPORT_who] == NULL
	                          ? here(k, cell[IMPORT_from_service], KIND_service)
	                          : NULL;
	const struct contact_fields f = { .date = cell[IMPORT_date],
		                          .channel = cell[IMPORT_channel],
		                          .who = cell[IMPORT_who],
		                          .from_service = service,
		                          .domains = cell[IMPORT_domains],
		                          .did = cell[IMPORT_did],
		                          .resident = cell[IMPORT_resident],
		                          .text = cell[IMPORT_text],
		                          .follow_up = cell[IMPORT_follow_up] };
	enum err e = contact_make(k->ec, k->app, k->space[t->row], &f, &t->contact);

	k->made.contacts += e == ERR_OK;
	return e;
}

/* How many referrals hang on a contact that was here, and does one of them say the same as this row? */
static bool is_there(struct taking *k, const struct import_row *r, const struct link *link, size_t n, bool *claimed)
{
	struct pool pool = { 0 };
	bool found = false;

	for (size_t i = 0; i < n && !found; i++) {
		struct loaded l = { 0 };
		const char *name = NULL;
		const char *domain = NULL;

		if (claimed[i] || !within_peek(k->app, link[i].referral, KIND_referral, &l))
			continue;
		name = shown_text(&pool, &l.record, F_referral_service_name);
		domain = shown_text(&pool, &l.record, F_referral_domain);
		found = name != NULL && domain != NULL && r->cell[IMPORT_service_name] != NULL &&
		        strcasecmp(name, r->cell[IMPORT_service_name]) == 0 &&
		        is(r->cell[IMPORT_referral_domain] != NULL ? r->cell[IMPORT_referral_domain]
		                                                   : r->cell[IMPORT_domains],
		           domain);
		claimed[i] = found;
		store_loaded_free(&l);
	}
	pool_free(&pool);
	return found;
}

/* The rows of a known conversation: those that say something new are written, as far as there are more of them. */
static enum err known_write(struct taking *k, const struct talk *t)
{
	size_t have = 0;
	size_t want = referrals_in(k->log, &k->talks, t);
	const struct link *link = links_of(&k->links, t->contact, &have);
	bool *claimed = calloc(have + 1, sizeof(*claimed));
	size_t room = 0;
	enum err e = claimed == NULL ? within_no_memory(k->ec) : ERR_OK;

	room = want > have ? want - have : 0;
	for (size_t i = t->row; i != NO_ROW && e == ERR_OK; i = k->talks.next[i]) {
		if (room == 0 || !has_referral(&k->log->row[i]) || is_there(k, &k->log->row[i], link, have, claimed)) {
			k->made.known++;
			continue;
		}
		room--;
		e = referral_write(k, i, t->contact);
	}
	free(claimed);
	return e;
}

/* A row that says of a referral what an earlier one of the same conversation said. */
static bool said_before(const struct taking *k, const struct talk *t, size_t row)
{
	const struct import_row *r = &k->log->row[row];

	if (r->cell[IMPORT_id] != NULL)
		return false;
	for (size_t i = t->row; i != row; i = k->talks.next[i]) {
		bool same = has_referral(&k->log->row[i]);

		for (int c = IMPORT_service; c < IMPORT_COLUMN_COUNT && same; c++) {
			const char *a = r->cell[c];
			const char *b = k->log->row[i].cell[c];

			same = a == NULL ? b == NULL : is(b, a);
		}
		if (same)
			return true;
	}
	return false;
}

static enum err new_write(struct taking *k, struct talk *t)
{
	enum err e = contact_write(k, t);

	for (size_t i = t->row; i != NO_ROW && e == ERR_OK; i = k->talks.next[i]) {
		if (has_referral(&k->log->row[i]) && !said_before(k, t, i))
			e = referral_write(k, i, t->contact);
		else
			k->made.known += i != t->row;
	}
	return e;
}

/* What can only be said once everything is here: that it was called back, and which conversation it follows. */
static enum err rest_write(struct taking *k, const struct talk *t)
{
	const char *const *cell = k->log->row[t->row].cell;
	bool done = is(cell[IMPORT_follow_up_done], "true") && cell[IMPORT_follow_up] != NULL;
	struct dot follows = { 0 };
	struct loaded l = { 0 };
	struct loaded earlier = { 0 };
	struct editor ed;
	enum err e = ERR_OK;

	if (cell[IMPORT_follows] != NULL && !talks_find(&k->talks, k->log, cell[IMPORT_follows], &follows) &&
	    here(k, cell[IMPORT_follows], KIND_contact) != NULL && !dot_parse(cell[IMPORT_follows], &follows))
		follows = (struct dot){ 0 };
	if (!done && dot_is_none(follows))
		return ERR_OK;
	e = store_load(k->ec, k->app->store, t->contact, &l);
	if (e != ERR_OK)
		return e;
	editor_of(&ed, k->app, k->ec, &l.record);
	if (done)
		editor_bool(&ed, F_contact_follow_up_done, true);
	if (dot_cmp(follows, t->contact) != 0 && within_peek(k->app, follows, KIND_contact, &earlier) &&
	    earlier.space == l.space)
		editor_ref(&ed, F_contact_follows, follows);
	e = editor_write(&ed, l.space, KIND_none, NULL);
	store_loaded_free(&earlier);
	store_loaded_free(&l);
	return e;
}

/* A rule that was not foreseen above said no: at least the row is told. */
static enum err row_refused(struct errctx *ec, const struct import_log *log, const struct talk *t, enum err e,
                            const struct errctx *why)
{
	char row[24];

	if (e == ERR_INPUT || e == ERR_USAGE || e == ERR_REFUSED) {
		snprintf(row, sizeof(row), "%zu", log->row[t->row].number);
		return err_set(ec, ERR_INPUT, "%1, row %2 cannot be used, so nothing was changed.", log->file, row,
		               NULL);
	}
	if (ec->code == ERR_OK)
		*ec = *why;
	return e;
}

static enum err write_all(struct errctx *ec, struct taking *k, import_step_fn step, void *ctx)
{
	enum err e = ERR_OK;

	k->ec = &k->why;
	for (size_t i = 0; i < k->talks.n; i++) {
		struct talk *t = &k->talks.item[i];

		if (step != NULL && i % BETWEEN == 0 && !step(ctx, i, k->talks.n))
			return err_set(ec, ERR_LATER, "The import was stopped halfway. Nothing was changed.", NULL,
			               NULL, NULL);
		e = t->known ? known_write(k, t) : new_write(k, t);
		if (e != ERR_OK)
			return row_refused(ec, k->log, t, e, &k->why);
	}
	for (size_t i = 0; i < k->talks.n; i++) {
		if (!k->talks.item[i].known && (e = rest_write(k, &k->talks.item[i])) != ERR_OK)
			return row_refused(ec, k->log, &k->talks.item[i], e, &k->why);
	}
	return ERR_OK;
}

static enum err residents_count(struct errctx *ec, struct app *app, size_t *out)
{
	struct dots ids = { 0 };
	enum err e = store_of_kind(ec, app->store, KIND_resident, 0, &ids);

	*out = ids.n;
	dots_free(&ids);
	return e;
}

static enum err take_in(struct errctx *ec, struct taking *k, import_step_fn step, void *ctx)
{
	size_t before = 0;
	size_t after = 0;
	enum err e = residents_count(ec, k->app, &before);

	if (e == ERR_OK)
		e = store_begin(ec, k->app->store);
	if (e == ERR_OK)
		e = within_end(ec, k->app, write_all(ec, k, step, ctx));
	if (e == ERR_OK)
		e = residents_count(ec, k->app, &after);
	k->made.residents = after - before;
	return e;
}

enum err import_run(struct errctx *ec, struct app *app, struct import_log *log, const char *circle, import_step_fn step,
                    void *ctx, struct import_made *out)
{
	int64_t *space = calloc(log->rows + 1, sizeof(*space));
	struct checking checking = { .ec = ec, .app = app, .log = log, .today = app_today(app) };
	struct taking k = { .app = app, .log = log, .space = space };
	enum err e = space == NULL ? within_no_memory(ec) : circles_find(&checking, circle, space);

	*out = (struct import_made){ 0 };
	if (e == ERR_OK && log->unusable > 0)
		e = rows_check(&checking, space);
	if (e == ERR_OK && log->unusable > 0)
		e = import_problems_error(ec, log);
	if (e == ERR_OK)
		e = links_read(ec, app, 0, &k.links);
	if (e == ERR_OK)
		e = talks_read(ec, app, log, space, &k.talks);
	if (e == ERR_OK)
		e = talks_check(&checking, space, &k.talks, &k.links);
	if (e == ERR_OK && log->unusable > 0)
		e = import_problems_error(ec, log);
	if (e == ERR_OK)
		e = take_in(ec, &k, step, ctx);
	if (e == ERR_OK) {
		*out = k.made;
		out->rows = log->rows;
	}
	links_free(&k.links);
	talks_free(&k.talks);
	free(space);
	return e;
}
