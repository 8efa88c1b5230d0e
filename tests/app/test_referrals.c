// SPDX-License-Identifier: EUPL-1.2
// Goal: nothing of a resident is shared without the consent that the kind needs; a referral has one domain; its events
// are added and taken back, never overwritten. Seen to fail with: "mondeling" enough for a letter, the contact's first
// domain taken where it has two, `fout` taking back the first event, consent carried over to the next organisation,
// the event of a refused "doorgestuurd" committed.
#include "desk.h"

#include "app/slip.h"
#include "app/today.h"

struct room {
	struct desk d;
	char money[ID_TEXT_LEN]; /* a contact about geld */
	char two[ID_TEXT_LEN];   /* about geld and wonen */
	char none[ID_TEXT_LEN];
};

static int open_room(void **state)
{
	struct room *r = test_calloc(1, sizeof(*r));
	struct desk *d = &r->d;

	desk_open(d);
	desk_space(d, SPACE_CIRCLE, "Tafel", NULL);
	assert_int_equal(contact_add(&d->ec, d->app, NULL,
	                             &(struct contact_fields){ .domains = "geld", .resident = "Omar" }, r->money),
	                 ERR_OK);
	assert_int_equal(contact_add(&d->ec, d->app, NULL, &(struct contact_fields){ .domains = "geld,wonen" }, r->two),
	                 ERR_OK);
	assert_int_equal(contact_add(&d->ec, d->app, NULL, &(struct contact_fields){ 0 }, r->none), ERR_OK);
	*state = r;
	return 0;
}

static int close_room(void **state)
{
	struct room *r = *state;

	desk_close(&r->d);
	test_free(r);
	return 0;
}

static const struct referral_fields plain = { .service_name = "Combi", .group = "welzijn", .kind = "info" };

static void make(struct room *r, const char *contact, const struct referral_fields *f, struct referral_made *out)
{
	assert_int_equal(referral_add(&r->d.ec, r->d.app, contact, f, out), ERR_OK);
}

static void show(struct room *r, const char *id, struct referral_list *out)
{
	assert_int_equal(referral_show(&r->d.ec, r->d.app, id, out), ERR_OK);
	assert_int_equal(out->n, 1);
}

static enum err status(struct room *r, const char *id, const struct status_change *s, struct referral_made *made)
{
	char whole[ID_TEXT_LEN];
	struct referral_made ignored;

	desk_clear(&r->d);
	return referral_status(&r->d.ec, r->d.app, id, s, whole, made == NULL ? &ignored : made);
}

static void consent(void **state)
{
	struct room *r = *state;
	static const struct {
		const char *kind;
		const char *consent;
		const char *until;
		enum err want;
	} cases[] = {
		{ "mee", NULL, NULL, ERR_OK },
		{ "samen_gebeld", NULL, NULL, ERR_OK },
		{ "info", NULL, NULL, ERR_OK },
		{ "info", "niet_nodig", NULL, ERR_OK },
		{ "mee", "ingetrokken", NULL, ERR_OK },
		{ "aangemeld", NULL, NULL, ERR_REFUSED },
		{ "aangemeld", "niet_nodig", NULL, ERR_REFUSED },
		{ "aangemeld", "ingetrokken", NULL, ERR_REFUSED },
		{ "aangemeld", "mondeling", NULL, ERR_OK },
		{ "aangemeld", "schriftelijk", NULL, ERR_OK },
		{ "aangemeld", "mondeling", "2026-11-22", ERR_OK },
		{ "aangemeld", "mondeling", "2026-11-21", ERR_REFUSED },
		{ "brief", NULL, NULL, ERR_REFUSED },
		{ "brief", "niet_nodig", NULL, ERR_REFUSED },
		{ "brief", "mondeling", NULL, ERR_REFUSED },
		{ "brief", "ingetrokken", NULL, ERR_REFUSED },
		{ "brief", "schriftelijk", NULL, ERR_OK },
		{ "brief", "schriftelijk", "+1w", ERR_OK },
		{ "brief", "schriftelijk", "-1w", ERR_REFUSED },
		{ "info", "misschien", NULL, ERR_INPUT },
		{ "duiven", NULL, NULL, ERR_INPUT },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct referral_fields f = plain;
		struct referral_made made;

		f.kind = cases[i].kind;
		f.consent = cases[i].consent;
		f.consent_until = cases[i].until;
		desk_clear(&r->d);
		if (referral_add(&r->d.ec, r->d.app, r->money, &f, &made) != cases[i].want)
			fail_msg("%s with %s", cases[i].kind, cases[i].consent == NULL ? "nothing" : cases[i].consent);
		assert_true((made.id[0] != '\0') == (cases[i].want == ERR_OK));
	}
}

static void consent_later(void **state)
{
	struct room *r = *state;
	struct referral_fields f = plain;
	struct referral_made made;
	struct referral_list l;
	char id[ID_TEXT_LEN];

	f.kind = "aangemeld";
	f.consent = "mondeling";
	make(r, r->money, &f, &made);
	/* taking consent back is always possible, and then other fields can still change */
	assert_int_equal(
	    referral_edit(&r->d.ec, r->d.app, made.id, &(struct referral_fields){ .consent = "ingetrokken" }, id),
	    ERR_OK);
	assert_int_equal(referral_edit(&r->d.ec, r->d.app, made.id, &(struct referral_fields){ .text = "gebeld" }, id),
	                 ERR_OK);
	assert_int_equal(referral_edit(&r->d.ec, r->d.app, made.id, &(struct referral_fields){ .kind = "brief" }, id),
	                 ERR_REFUSED);
	desk_clear(&r->d);
	assert_int_equal(referral_edit(&r->d.ec, r->d.app, made.id,
	                               &(struct referral_fields){ .kind = "brief", .consent = "schriftelijk" }, id),
	                 ERR_OK);
	show(r, made.id, &l);
	assert_string_equal(l.item[0].kind, "brief");
	assert_string_equal(l.item[0].consent, "schriftelijk");
	assert_string_equal(l.item[0].text, "gebeld");
	referral_list_free(&l);
}

static void form(void **state)
{
	struct room *r = *state;
	struct referral_made made;
	struct {
		const char *contact;
		struct referral_fields f;
		enum err want;
	} cases[] = {
		{ r->two, plain, ERR_USAGE },
		{ r->none, plain, ERR_USAGE },
		{ r->two, { .service_name = "C", .group = "welzijn", .kind = "info", .domain = "wonen" }, ERR_OK },
		{ r->two, { .service_name = "C", .group = "welzijn", .kind = "info", .domain = "psyche" }, ERR_OK },
		{ r->two,
		  { .service_name = "C", .group = "welzijn", .kind = "info", .domain = "geld,wonen" },
		  ERR_USAGE },
		{ r->two, { .service_name = "C", .group = "welzijn", .kind = "info", .domain = "niets" }, ERR_INPUT },
		{ r->money, { .service_name = "C", .kind = "info" }, ERR_USAGE },
		{ r->money, { .group = "welzijn", .kind = "info" }, ERR_USAGE },
		{ r->money, { .service_name = "C", .group = "niets", .kind = "info" }, ERR_INPUT },
		{ r->money, { .service_name = "C", .group = "welzijn" }, ERR_USAGE },
		{ r->money, { .service_name = " ", .group = "welzijn", .kind = "info" }, ERR_INPUT },
		{ r->money, { .service_name = "123456782", .group = "welzijn", .kind = "info" }, ERR_INPUT },
		{ r->money,
		  { .service_name = "C", .group = "welzijn", .kind = "info", .text = "111222333" },
		  ERR_INPUT },
		{ r->money,
		  { .service_name = "C", .group = "welzijn", .kind = "info", .consent_what = "111222333" },
		  ERR_INPUT },
		{ r->money,
		  { .service_name = "C", .group = "welzijn", .kind = "info", .date = "2026-02-30" },
		  ERR_INPUT },
		{ r->money, { .service = "99999", .kind = "info" }, ERR_NOT_FOUND },
		{ "99999", plain, ERR_NOT_FOUND },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		desk_clear(&r->d);
		if (referral_add(&r->d.ec, r->d.app, cases[i].contact, &cases[i].f, &made) != cases[i].want)
			fail_msg("case %zu", i);
	}
}

static void begins(void **state)
{
	struct room *r = *state;
	struct referral_fields f = plain;
	struct referral_made made;
	struct referral_list l;
	struct today t;
	char code[SLIP_LEN + 1];

	make(r, r->money, &f, &made);
	assert_int_equal(slip_read(made.code, code), SLIP_CODE);
	show(r, made.code, &l);
	assert_string_equal(l.item[0].id, made.id);
	assert_string_equal(l.item[0].domain, "geld");
	assert_string_equal(l.item[0].resident, "Omar");
	assert_string_equal(l.item[0].contact, r->money);
	assert_int_equal(l.item[0].events, 1);
	assert_string_equal(l.item[0].event[0].status, "verstuurd");
	assert_string_equal(l.item[0].event[0].author, "Fatma");
	assert_int_equal(l.item[0].event[0].date, DESK_TODAY);
	assert_int_equal(l.item[0].loop.tried, DESK_TODAY);
	assert_string_equal(l.item[0].loop.outcome, "stil");
	referral_list_free(&l);
	/* a day that lies ahead: planned, as of today; when the day has come it stands under today */
	f.date = "+3d";
	make(r, r->money, &f, &made);
	show(r, made.id, &l);
	assert_string_equal(l.item[0].loop.status, "plan");
	assert_int_equal(l.item[0].loop.since, DESK_TODAY);
	assert_int_equal(l.item[0].date, DESK_TODAY + 3);
	assert_int_equal(l.item[0].loop.tried, NO_DAY);
	referral_list_free(&l);
	assert_int_equal(today_read(&r->d.ec, r->d.app, &t), ERR_OK);
	assert_int_equal(t.plans.n, 0);
	today_free(&t);
	r->d.now_ms += 3 * 86400000LL;
	assert_int_equal(today_read(&r->d.ec, r->d.app, &t), ERR_OK);
	assert_int_equal(t.plans.n, 1);
	today_free(&t);
	/* days ago: that is when it was sent */
	f.date = "2026-10-01";
	make(r, r->money, &f, &made);
	show(r, made.id, &l);
	assert_true(l.item[0].loop.silent);
	assert_int_equal(l.item[0].loop.tried, DESK_TODAY - 52);
	referral_list_free(&l);
	assert_int_equal(today_read(&r->d.ec, r->d.app, &t), ERR_OK);
	assert_int_equal(t.silent.n, 1);
	assert_string_equal(t.silent.item[0].id, made.id);
	today_free(&t);
}

static void silence(void **state)
{
	struct room *r = *state;
	struct referral_fields f = plain;
	struct referral_made made;
	struct referral_list l;
	const struct referral_query silent = { .silent = true };
	const struct referral_query open = { .open = true };

	f.date = "-14d";
	make(r, r->money, &f, &made);
	assert_int_equal(referral_list_some(&r->d.ec, r->d.app, &silent, &l), ERR_OK);
	assert_int_equal(l.n, 0);
	referral_list_free(&l);
	r->d.now_ms += 86400000LL;
	assert_int_equal(referral_list_some(&r->d.ec, r->d.app, &silent, &l), ERR_OK);
	assert_int_equal(l.n, 1);
	assert_true(l.item[0].loop.silent);
	referral_list_free(&l);
	assert_int_equal(status(r, made.id, &(struct status_change){ .status = "wachtlijst" }, NULL), ERR_OK);
	assert_int_equal(referral_list_some(&r->d.ec, r->d.app, &silent, &l), ERR_OK);
	assert_int_equal(l.n, 0);
	referral_list_free(&l);
	assert_int_equal(referral_list_some(&r->d.ec, r->d.app, &open, &l), ERR_OK);
	assert_int_equal(l.n, 1);
	referral_list_free(&l);
	assert_int_equal(status(r, made.id, &(struct status_change){ .status = "geholpen" }, NULL), ERR_OK);
	assert_int_equal(referral_list_some(&r->d.ec, r->d.app, &open, &l), ERR_OK);
	assert_int_equal(l.n, 0);
	referral_list_free(&l);
}

static void events(void **state)
{
	struct room *r = *state;
	struct referral_made made;
	struct referral_list l;
	struct referral_fields f = plain;

	f.date = "-5d";
	make(r, r->money, &f, &made);
	assert_int_equal(status(r, made.id, &(struct status_change){ .status = "afspraak", .date = "-3d" }, NULL),
	                 ERR_OK);
	assert_int_equal(
	    status(r, made.code,
	           &(struct status_change){ .status = "niet_gelukt", .reason = "niet_gekomen", .date = "-2d" }, NULL),
	    ERR_OK);
	show(r, made.id, &l);
	assert_int_equal(l.item[0].events, 3);
	assert_string_equal(l.item[0].event[2].reason, "niet_gekomen");
	assert_int_equal(l.item[0].event[2].n, 3);
	assert_string_equal(l.item[0].loop.outcome, "niet_bewoner");
	referral_list_free(&l);
	/* an event of an earlier day finds its place, and does not change the state */
	assert_int_equal(status(r, made.id, &(struct status_change){ .status = "aangenomen", .date = "-4d" }, NULL),
	                 ERR_OK);
	show(r, made.id, &l);
	assert_string_equal(l.item[0].event[1].status, "aangenomen");
	assert_string_equal(l.item[0].loop.status, "niet_gelukt");
	assert_int_equal(l.item[0].loop.reached, DESK_TODAY - 4);
	referral_list_free(&l);
	/* fout: the last one, or the one that is named */
	assert_int_equal(status(r, made.id, &(struct status_change){ .status = "fout" }, NULL), ERR_OK);
	show(r, made.id, &l);
	assert_string_equal(l.item[0].loop.status, "afspraak");
	referral_list_free(&l);
	assert_int_equal(status(r, made.id, &(struct status_change){ .status = "fout", .event = "2" }, NULL), ERR_OK);
	show(r, made.id, &l);
	assert_int_equal(l.item[0].events, 2);
	assert_string_equal(l.item[0].event[1].status, "afspraak");
	referral_list_free(&l);
	assert_int_equal(status(r, made.id, &(struct status_change){ .status = "fout", .event = "3" }, NULL),
	                 ERR_NOT_FOUND);
	assert_int_equal(status(r, made.id, &(struct status_change){ .status = "fout", .event = "0" }, NULL),
	                 ERR_NOT_FOUND);
	assert_int_equal(status(r, made.id, &(struct status_change){ .status = "fout", .event = "x" }, NULL),
	                 ERR_NOT_FOUND);
	assert_int_equal(
	    status(r, made.id, &(struct status_change){ .status = "fout", .event = "99999999999999999999" }, NULL),
	    ERR_NOT_FOUND);
	assert_int_equal(
	    status(r, made.id, &(struct status_change){ .status = "geholpen", .changed = "beter", .next.text = "rust" },
	           NULL),
	    ERR_OK);
	show(r, made.id, &l);
	assert_string_equal(l.item[0].changed, "beter");
	assert_string_equal(l.item[0].text, "rust");
	assert_int_equal(l.item[0].loop.helped, DESK_TODAY);
	referral_list_free(&l);
}

static void wrong_use(void **state)
{
	struct room *r = *state;
	struct referral_made made;
	struct referral_list l;
	static const struct {
		struct status_change s;
		enum err want;
	} cases[] = {
		{ { .status = "klaar" }, ERR_INPUT },
		{ { .status = "niet_gelukt" }, ERR_USAGE },
		{ { .status = "niet_gelukt", .reason = "regen" }, ERR_INPUT },
		{ { .status = "geholpen", .reason = "vol" }, ERR_USAGE },
		{ { .status = "geholpen", .event = "1" }, ERR_USAGE },
		{ { .status = "geholpen", .changed = "prima" }, ERR_INPUT },
		{ { .status = "aangenomen", .changed = "beter" }, ERR_USAGE },
		{ { .status = "aangenomen", .date = "later" }, ERR_INPUT },
		{ { .status = "aangenomen", .next = { .kind = "mee" } }, ERR_USAGE },
		{ { .status = "aangenomen", .next = { .service_name = "X", .group = "zorg" } }, ERR_USAGE },
		{ { .status = "geholpen", .next = { .text = "123456782" } }, ERR_INPUT },
		{ { .status = "fout", .date = "today" }, ERR_USAGE },
		{ { .status = "doorgestuurd" }, ERR_USAGE },
		{ { .status = "doorgestuurd", .next = { .service_name = "X" } }, ERR_USAGE },
		{ { .status = "doorgestuurd", .next = { .service_name = "X", .group = "zorg", .kind = "brief" } },
		  ERR_REFUSED },
		{ { .status = "doorgestuurd", .next = { .service_name = "X", .group = "zorg", .text = "123456782" } },
		  ERR_INPUT },
	};

	make(r, r->money, &plain, &made);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (status(r, made.id, &cases[i].s, NULL) != cases[i].want)
			fail_msg("case %zu", i);
		show(r, made.id, &l);
		assert_int_equal(l.item[0].events, 1); /* refused means that nothing happened */
		referral_list_free(&l);
	}
}

static void sent_on(void **state)
{
	struct room *r = *state;
	struct referral_made first;
	struct referral_made next;
	struct referral_list l;
	struct referral_fields f = plain;

	f.kind = "aangemeld";
	f.consent = "mondeling";
	make(r, r->money, &f, &first);
	assert_int_equal(
	    status(r, first.code,
	           &(struct status_change){ .status = "doorgestuurd",
	                                    .next = { .service_name = "Buurtteam", .group = "buurtteam" } },
	           &next),
	    ERR_OK);
	show(r, first.id, &l);
	assert_string_equal(l.item[0].loop.status, "doorgestuurd");
	assert_string_equal(l.item[0].loop.outcome, "niet_dienst");
	referral_list_free(&l);
	show(r, next.code, &l);
	assert_string_equal(l.item[0].id, next.id);
	assert_string_equal(l.item[0].follows, first.id);
	assert_string_equal(l.item[0].contact, r->money);
	assert_string_equal(l.item[0].domain, "geld");
	assert_string_equal(l.item[0].kind, "info");
	assert_null(l.item[0].consent); /* it was given for the first organisation */
	assert_string_equal(l.item[0].loop.status, "verstuurd");
	assert_string_not_equal(first.code, next.code);
	referral_list_free(&l);
}

static void codes(void **state)
{
	struct room *r = *state;
	struct referral_made made;
	struct referral_list l;
	char typed[16];

	make(r, r->money, &plain, &made);
	snprintf(typed, sizeof(typed), "%.3s %s", made.code, made.code + 3);
	show(r, typed, &l);
	referral_list_free(&l);
	/* one letter wrong is a typing error, not another referral */
	memcpy(typed, made.code, sizeof(made.code));
	typed[2] = typed[2] == 'K' ? 'M' : 'K';
	assert_int_equal(referral_show(&r->d.ec, r->d.app, typed, &l), ERR_INPUT);
	desk_clear(&r->d);
	assert_int_equal(referral_show(&r->d.ec, r->d.app, "2222222", &l), ERR_NOT_FOUND);
	desk_clear(&r->d);
	/* a contact's id is no referral's */
	assert_int_equal(referral_show(&r->d.ec, r->d.app, r->money, &l), ERR_NOT_FOUND);
}

static void edited(void **state)
{
	struct room *r = *state;
	struct referral_made made;
	struct referral_list l;
	char id[ID_TEXT_LEN];

	make(r, r->money, &plain, &made);
	assert_int_equal(referral_edit(&r->d.ec, r->d.app, made.code,
	                               &(struct referral_fields){
	                                   .service_name = "Ander", .group = "zorg", .domain = "lijf", .date = "-3d" },
	                               id),
	                 ERR_OK);
	assert_string_equal(id, made.id);
	show(r, made.id, &l);
	assert_string_equal(l.item[0].service_name, "Ander");
	assert_string_equal(l.item[0].group, "zorg");
	assert_string_equal(l.item[0].domain, "lijf");
	assert_int_equal(l.item[0].date, DESK_TODAY - 3);
	/* the day that is counted moves along */
	assert_int_equal(l.item[0].events, 1);
	assert_int_equal(l.item[0].loop.tried, DESK_TODAY - 3);
	referral_list_free(&l);
	assert_int_equal(referral_edit(&r->d.ec, r->d.app, made.id, &(struct referral_fields){ .domain = "" }, id),
	                 ERR_USAGE);
	desk_clear(&r->d);
	assert_int_equal(referral_edit(&r->d.ec, r->d.app, made.id, &(struct referral_fields){ .kind = "" }, id),
	                 ERR_USAGE);
}

#define ROOM_TEST(f) cmocka_unit_test_setup_teardown(f, open_room, close_room)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM_TEST(consent), ROOM_TEST(consent_later), ROOM_TEST(form),    ROOM_TEST(begins), ROOM_TEST(silence),
		ROOM_TEST(events),  ROOM_TEST(wrong_use),     ROOM_TEST(sent_on), ROOM_TEST(codes),  ROOM_TEST(edited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
