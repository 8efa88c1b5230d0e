// SPDX-License-Identifier: EUPL-1.2
// Goal: one person with several devices is one person everywhere; whoever becomes a device of somebody was looked at by
// six words that commit to every key of the request; what a person wrote alone on a new computer is on all of them
// after that, with its history (M2); and whose device a device is, all devices of all members say alike (M1). Seen to
// catch: a device let in without a word, words over one space's keys only, a second member record, an own space carried
// over without asking, references that point to the old records, two records of one person after two approvals, met
// that outlives a change of devices.
#include "sync/forge.h"

#include "app/contacts.h"
#include "app/history.h"
#include "app/referrals.h"
#include "app/residents.h"
#include "app/undo.h"
#include "app/verify.h"
#include "base/codec.h"
#include "sync/claims.h"
#include "sync/floor.h"
#include "sync/invite.h"
#include "sync/letters.h"
#include "sync/own.h"

static struct invite_view invitation_of(struct world *w, size_t by, struct invite_ask ask)
{
	struct invite_view v;
	struct errctx ec = { 0 };

	assert_int_equal(app_invite(&ec, w->app[by], &ask, &v), ERR_OK);
	return v;
}

static enum err use(struct world *w, size_t who, const struct invite_view *v, bool bring, struct join_view *out)
{
	struct errctx ec = { 0 };

	return app_join(&ec, w->app[who], (const char *)v->text.data, v->text.len, bring, out);
}

static struct member_view *members(struct world *w, size_t i, const char *space, size_t *n)
{
	struct member_view *list = NULL;
	struct errctx ec = { 0 };

	assert_int_equal(app_members(&ec, w->app[i], space, &list, n), ERR_OK);
	return list;
}

/* The only one who asks at a home. */
static struct member_view asking(struct world *w, size_t i)
{
	struct member_view out = { 0 };
	size_t asks = 0;
	size_t n = 0;
	struct member_view *list = members(w, i, NULL, &n);

	for (size_t k = 0; k < n; k++) {
		if (strcmp(list[k].status, "requested") != 0 || list[k].me)
			continue;
		out = list[k];
		asks++;
	}
	assert_int_equal(asks, 1);
	app_members_free(list, n);
	out.devices = NULL;
	return out;
}

static enum err approve(struct world *w, size_t i, const char *id)
{
	struct errctx ec = { 0 };
	char name[128];

	return app_approve(&ec, w->app[i], id, NULL, name);
}

static struct space_row own_of(struct world *w, size_t i)
{
	struct sync y = sync_of_home(w, i);
	struct errctx ec = { 0 };
	struct space_row own;

	assert_int_equal(own_space(&ec, &y, &own), ERR_OK);
	return own;
}

static void expect_whole(struct world *w, size_t i)
{
	struct verify_view v;
	struct errctx ec = { 0 };

	assert_int_equal(app_verify(&ec, w->app[i], &v), ERR_OK);
	assert_int_equal(v.bad_edits + v.bad_records, 0);
}

/* Neighbourhood "West" and circle "Plein" of home 0; home 1 is a new one. */
static void one_person(struct world *w)
{
	struct errctx ec = { 0 };

	world_begin(w);
	world_home(w, "Noor");
	world_home(w, "Noor laptop");
	assert_int_equal(app_found_neighbourhood(&ec, w->app[0], "West", w->remote), ERR_OK);
	assert_int_equal(app_found_circle(&ec, w->app[0], "Plein"), ERR_OK);
}

/* Home `who` becomes a device of the person of home `by`. */
static void become_device(struct world *w, size_t by, size_t who, bool bring)
{
	struct invite_view v = invitation_of(w, by, (struct invite_ask){ .device = true });
	struct join_view asked;

	assert_int_equal(use(w, who, &v, bring, &asked), ERR_OK);
	buf_free(&v.text);
	assert_int_equal(pump(w, who, by).admitted, 0);
	assert_int_equal(approve(w, by, asking(w, by).id), ERR_OK);
	assert_true(pump(w, by, who).joined >= 2);
	pump(w, who, by);
}

static void log_a_day(struct app *app, char contact[static ID_TEXT_LEN])
{
	struct errctx ec = { 0 };
	struct contact_fields f = { .text = "Eerst zo.", .resident = "Omar", .domains = "geld", .channel = "straat" };
	struct referral_fields r = { .service_name = "De Brug", .group = "schulden", .kind = "info" };
	struct referral_made made;
	struct referral_made next;
	char id[ID_TEXT_LEN];

	assert_int_equal(contact_add(&ec, app, NULL, &f, contact), ERR_OK);
	f = (struct contact_fields){ .text = "Toen zo." };
	assert_int_equal(contact_edit(&ec, app, contact, &f, id), ERR_OK);
	assert_int_equal(referral_add(&ec, app, contact, &r, &made), ERR_OK);
	assert_int_equal(referral_status(&ec, app, made.id, &(struct status_change){ .status = "geholpen" }, id, &next),
	                 ERR_OK);
	assert_int_equal(referral_status(&ec, app, made.id, &(struct status_change){ .status = "fout" }, id, &next),
	                 ERR_OK);
	f = (struct contact_fields){ .text = "Een tweede.", .follows = contact, .resident = "Omar" };
	assert_int_equal(contact_add(&ec, app, NULL, &f, id), ERR_OK);
}

/* --- another device --- */

static void test_another_device(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct invite_view v;
	struct join_view asked;
	struct asked_view *out = NULL;
	struct member_view one;
	struct member_view *list = NULL;
	char contact[ID_TEXT_LEN];
	size_t n = 0;

	(void)state;
	one_person(&w);
	contact_in(&w, 0, "Plein", (struct dot){ 0 }, "een gesprek");
	v = invitation_of(&w, 0, (struct invite_ask){ .device = true });
	assert_true(v.compare);
	assert_int_equal(v.spaces, 3);
	assert_int_equal(use(&w, 1, &v, false, &asked), ERR_OK);
	assert_string_equal(asked.person, "Noor");
	assert_string_equal(asked.space, "Plein");
	assert_int_equal(app_asked(&ec, w.app[1], &out, &n), ERR_OK);
	assert_int_equal(n, 1);
	assert_true(out[0].device);
	assert_memory_equal(out[0].fingerprint, asked.fingerprint, FINGERPRINT_LEN);
	free(out);
	/* nothing happens without a word; both sides see the same six */
	assert_int_equal(pump(&w, 1, 0).asking, 1);
	assert_int_equal(pump(&w, 0, 1).joined, 0);
	one = asking(&w, 0);
	assert_true(one.device);
	assert_memory_equal(one.fingerprint, asked.fingerprint, FINGERPRINT_LEN);
	list = members(&w, 1, NULL, &n);
	assert_int_equal(n, 1);
	assert_true(list[0].me);
	assert_string_equal(list[0].status, "requested");
	assert_memory_equal(list[0].fingerprint, asked.fingerprint, FINGERPRINT_LEN);
	app_members_free(list, n);
	assert_int_equal(approve(&w, 0, one.id), ERR_OK);
	assert_int_equal(pump(&w, 0, 1).joined, 3);
	pump(&w, 1, 0);
	/* one person, two devices, the same on both */
	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < 2; k++) {
			list = members(&w, i, k == 0 ? "West" : "Plein", &n);
			assert_int_equal(n, 1);
			assert_true(list[0].me);
			assert_int_equal(list[0].device_count, 2);
			assert_string_equal(list[0].name, "Noor");
			app_members_free(list, n);
		}
		expect_whole(&w, i);
	}
	expect_same(&w, 0, 1, "West");
	expect_same(&w, 0, 1, "Plein");
	/* one own space; what is written there on either is on both */
	assert_memory_equal(own_of(&w, 0).id.b, own_of(&w, 1).id.b, SPACE_ID_LEN);
	assert_int_equal(
	    contact_add(&ec, w.app[1], "Plein", &(struct contact_fields){ .text = "in de kring" }, contact), ERR_OK);
	pump(&w, 1, 0);
	expect_same(&w, 0, 1, "Plein");
	expect_same(&w, 0, 1, "own");
	/* the invitation is used, and the host may show everything again */
	assert_int_equal(pump(&w, 1, 0).asking, 0);
	assert_int_equal(use(&w, 1, &v, false, &asked), ERR_REFUSED);
	world_reopen(&w, 1);
	assert_memory_equal(own_of(&w, 0).id.b, own_of(&w, 1).id.b, SPACE_ID_LEN);
	buf_free(&v.text);
	world_end(&w);
}

/* A circle that is founded later: an invitation for that alone, or once more for everything. */
static void test_a_later_circle(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct invite_view v;
	struct join_view asked;

	(void)state;
	one_person(&w);
	become_device(&w, 0, 1, false);
	assert_int_equal(app_found_circle(&ec, w.app[0], "Markt"), ERR_OK);
	assert_int_equal(app_found_circle(&ec, w.app[0], "Haven"), ERR_OK);
	v = invitation_of(&w, 0, (struct invite_ask){ .device = true, .space = "Markt" });
	assert_int_equal(v.spaces, 2);
	assert_int_equal(use(&w, 1, &v, false, &asked), ERR_OK);
	buf_free(&v.text);
	pump(&w, 1, 0);
	assert_int_equal(approve(&w, 0, asking(&w, 0).id), ERR_OK);
	assert_int_equal(pump(&w, 0, 1).joined, 1);
	pump(&w, 1, 0);
	expect_same(&w, 0, 1, "Markt");
	v = invitation_of(&w, 0, (struct invite_ask){ .device = true });
	assert_int_equal(v.spaces, 5);
	assert_int_equal(use(&w, 1, &v, false, &asked), ERR_OK);
	buf_free(&v.text);
	pump(&w, 1, 0);
	assert_int_equal(approve(&w, 0, asking(&w, 0).id), ERR_OK);
	assert_int_equal(pump(&w, 0, 1).joined, 1);
	expect_same(&w, 0, 1, "Haven");
	world_end(&w);
}

static void test_refused(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct invite_view v;
	struct join_view asked;

	(void)state;
	world_begin(&w);
	world_home(&w, "Noor");
	world_home(&w, "Fatma");
	/* nowhere to meet: it says what to do first */
	assert_int_equal(app_invite(&ec, w.app[0], &(struct invite_ask){ .device = true }, &v), ERR_REFUSED);
	assert_non_null(strstr(ec.msg, "neighbourhood found"));
	err_clear(&ec);
	assert_int_equal(app_found_neighbourhood(&ec, w.app[0], "West", w.remote), ERR_OK);
	assert_int_equal(app_invite(&ec, w.app[0], &(struct invite_ask){ .device = true, .role = "teller" }, &v),
	                 ERR_USAGE);
	err_clear(&ec);
	/* a person of its own does not become a device by mistake */
	invite_by_hand(&w, 0, 1, "West");
	v = invitation_of(&w, 0, (struct invite_ask){ .device = true });
	assert_int_equal(use(&w, 1, &v, true, &asked), ERR_REFUSED);
	buf_free(&v.text);
	/* a device of somebody does not become another's */
	assert_int_equal(world_home(&w, "Noor laptop"), 2);
	become_device(&w, 0, 2, false);
	assert_int_equal(app_found_neighbourhood(&ec, w.app[1], "Oost", w.remote), ERR_OK);
	assert_int_equal(app_choose_neighbourhood(w.app[1], "Oost"), ERR_OK);
	v = invitation_of(&w, 1, (struct invite_ask){ .device = true });
	assert_int_equal(v.spaces, 1); /* the own space syncs with West */
	buf_free(&v.text);
	world_end(&w);
}

/* --- what was written alone --- */

static void test_carried_over(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct invite_view v;
	struct join_view asked;
	struct contact_list contacts = { 0 };
	struct referral_list referrals = { 0 };
	struct resident_list residents = { 0 };
	struct history history = { 0 };
	struct undone undone = { 0 };
	char old[ID_TEXT_LEN];
	char contact[ID_TEXT_LEN];
	char contact_id[ID_TEXT_LEN] = "";

	(void)state;
	one_person(&w);
	log_a_day(w.app[1], old);
	v = invitation_of(&w, 0, (struct invite_ask){ .device = true });
	/* whoever made the invitation may be anybody: not without a word */
	assert_int_equal(use(&w, 1, &v, false, &asked), ERR_REFUSED);
	assert_int_equal(pump(&w, 1, 0).asking, 0);
	buf_free(&v.text);
	become_device(&w, 0, 1, true);
	expect_same(&w, 0, 1, "own");
	for (size_t i = 0; i < 2; i++) {
		const struct contact *first = NULL;
		const struct contact *second = NULL;

		expect_whole(&w, i);
		assert_int_equal(contact_list_some(&ec, w.app[i], &(struct contact_query){ 0 }, &contacts), ERR_OK);
		assert_int_equal(contacts.n, 2);
		first = strcmp(contacts.item[0].text, "Toen zo.") == 0 ? &contacts.item[0] : &contacts.item[1];
		second = first == &contacts.item[0] ? &contacts.item[1] : &contacts.item[0];
		assert_string_equal(first->text, "Toen zo.");
		assert_string_equal(first->resident, "Omar");
		assert_string_equal(first->channel, "straat");
		assert_int_equal(first->domains.n, 1);
		assert_string_equal(second->text, "Een tweede.");
		assert_string_equal(second->follows, first->id);
		snprintf(contact_id, sizeof(contact_id), "%s", first->id);
		assert_string_equal(second->resident_id, first->resident_id);
		assert_int_equal(history_read(&ec, w.app[i], first->id, &history), ERR_OK);
		assert_true(history.n >= 2);
		assert_true(history.edit[0].made);
		history_free(&history);
		assert_int_equal(referral_list_some(&ec, w.app[i], &(struct referral_query){ 0 }, &referrals), ERR_OK);
		assert_int_equal(referrals.n, 1);
		assert_string_equal(referrals.item[0].contact, first->id);
		assert_string_equal(referrals.item[0].service_name, "De Brug");
		/* "geholpen" was taken back: the reference to it holds */
		assert_int_equal(referrals.item[0].events, 1);
		assert_int_equal(resident_list_all(&ec, w.app[i], NULL, &residents), ERR_OK);
		assert_int_equal(residents.n, 1);
		resident_list_free(&residents);
		referral_list_free(&referrals);
		contact_list_free(&contacts);
	}
	/* undo means what stands, not what was left behind */
	assert_int_equal(
	    contact_edit(&ec, w.app[1], contact_id, &(struct contact_fields){ .text = "Nog eens." }, contact), ERR_OK);
	assert_int_equal(undo_last(&ec, w.app[1], NULL, &undone), ERR_OK);
	undone_free(&undone);
	assert_int_equal(undo_last(&ec, w.app[1], NULL, &undone), ERR_REFUSED); /* of the last: it was made */
	assert_null(strstr(ec.arg[0], old));
	err_clear(&ec);
	undone_free(&undone);
	/* under its old name it is gone, and the old space takes no part */
	assert_int_equal(contact_show(&ec, w.app[1], old, &contacts), ERR_NOT_FOUND);
	contact_list_free(&contacts);
	world_reopen(&w, 1);
	expect_whole(&w, 1);
	world_end(&w);
}

/* --- an invitation that may be sent --- */

static void test_compared(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct invite_view v;
	struct join_view fatma;
	struct join_view thief;
	struct member_view *list = NULL;
	struct open_invite *invites = NULL;
	char id[40] = "";
	char other[40] = "";
	size_t n = 0;

	(void)state;
	forge_world(&w);
	assert_int_equal(world_home(&w, "Fatma"), 3);
	assert_int_equal(world_home(&w, "Fatma"), 4); /* so it says */
	v = invitation_of(&w, 1, (struct invite_ask){ .space = "Plein", .compare = true });
	assert_int_equal(use(&w, 3, &v, false, &fatma), ERR_OK);
	assert_int_equal(use(&w, 4, &v, false, &thief), ERR_OK);
	assert_true(fatma.compare);
	assert_string_equal(fatma.person, "");
	assert_memory_not_equal(fatma.fingerprint, thief.fingerprint, 9);
	assert_int_equal(pump(&w, 4, 1).asking, 1);
	assert_int_equal(pump(&w, 3, 1).asking, 1);
	list = members(&w, 1, "Plein", &n);
	for (size_t k = 0; k < n; k++) {
		if (strcmp(list[k].status, "requested") != 0)
			continue;
		strcpy(memcmp(list[k].fingerprint, fatma.fingerprint, FINGERPRINT_LEN) == 0 ? id : other, list[k].id);
	}
	app_members_free(list, n);
	assert_int_equal(strlen(id), 16);
	assert_int_equal(strlen(other), 16);
	assert_int_equal(approve(&w, 1, id), ERR_OK);
	assert_int_equal(approve(&w, 1, other), ERR_NOT_FOUND); /* it was for one */
	assert_int_equal(pump(&w, 1, 4).joined, 0);
	assert_int_equal(pump(&w, 1, 3).joined, 2);
	pump(&w, 3, 1);
	expect_same(&w, 1, 3, "Plein");
	assert_int_equal(pump(&w, 4, 1).asking, 0);
	buf_free(&v.text);
	/* withdrawn while somebody asks: nobody asks any more */
	v = invitation_of(&w, 1, (struct invite_ask){ .space = "Plein", .compare = true });
	assert_int_equal(use(&w, 4, &v, false, &thief), ERR_OK);
	assert_int_equal(pump(&w, 4, 1).asking, 1);
	assert_int_equal(app_invite_withdraw(&ec, w.app[1], v.id), ERR_OK);
	assert_int_equal(app_invites(&ec, w.app[1], &invites, &n), ERR_OK);
	free(invites);
	list = members(&w, 1, NULL, &n);
	for (size_t k = 0; k < n; k++)
		assert_string_not_equal(list[k].status, "requested");
	app_members_free(list, n);
	buf_free(&v.text);
	world_end(&w);
}

/* Words commit to every key of every space that is asked for, and to who invited. */
static void test_words(void **state)
{
	uint8_t id[INVITATION_ID_LEN] = { 1 };
	uint8_t sign[2][SIGN_PUBLIC_LEN] = { { 2 }, { 3 } };
	uint8_t bundle[2][BUNDLE_LEN] = { { 4 }, { 5 } };
	struct words_part parts[2] = { { { { 6 } }, sign[0], bundle[0] }, { { { 7 } }, sign[1], bundle[1] } };
	uint8_t *bits[] = { id, sign[0], sign[1], bundle[0], bundle[1], parts[0].space.b, parts[1].space.b };
	const size_t len[] = { INVITATION_ID_LEN, SIGN_PUBLIC_LEN, SIGN_PUBLIC_LEN, BUNDLE_LEN,
		               BUNDLE_LEN,        SPACE_ID_LEN,    SPACE_ID_LEN };
	uint8_t words[HASH_LEN];
	uint8_t changed[HASH_LEN];

	(void)state;
	request_words(id, parts, 2, words);
	for (size_t i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
		for (size_t k = 0; k < len[i]; k++) {
			bits[i][k] ^= 1;
			request_words(id, parts, 2, changed);
			assert_memory_not_equal(words, changed, 9); /* 66 bits are read out */
			bits[i][k] ^= 1;
		}
	}
	request_words(id, parts, 1, changed);
	assert_memory_not_equal(words, changed, 9);
}

/* --- one person, once --- */

static void expect_once(struct world *w, size_t i, const char *space, const char *name, char id[static 40])
{
	size_t n = 0;
	size_t times = 0;
	struct member_view *list = members(w, i, space, &n);

	for (size_t k = 0; k < n; k++) {
		if (strcmp(list[k].status, "requested") == 0)
			print_error("home %zu: %s still asks\n", i, list[k].id);
		assert_string_not_equal(list[k].status, "requested");
		if (strcmp(list[k].name, name) != 0)
			continue;
		times++;
		assert_true(id[0] == '\0' || strcmp(id, list[k].id) == 0);
		snprintf(id, 40, "%s", list[k].id);
	}
	assert_int_equal(times, 1);
	app_members_free(list, n);
}

/* Two who do not know of each other approve the same request. */
static void test_two_approve(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	uint8_t fingerprint[FINGERPRINT_LEN];
	char name[128];
	char id[40] = "";
	struct sync y;
	struct claims people[3];

	(void)state;
	forge_world(&w);
	assert_int_equal(world_home(&w, "Drie"), 3);
	assert_int_equal(app_join_request(&ec, w.app[3], w.remote, fingerprint), ERR_OK);
	assert_int_equal(pump(&w, 3, 0).asking, 1);
	assert_int_equal(pump(&w, 3, 1).asking, 1);
	assert_int_equal(pump(&w, 3, 2).asking, 1);
	assert_int_equal(app_approve(&ec, w.app[0], asking(&w, 0).id, "Drie", name), ERR_OK);
	assert_int_equal(app_approve(&ec, w.app[1], asking(&w, 1).id, "Drie", name), ERR_OK);
	assert_int_equal(pump(&w, 1, 3).joined, 1);
	assert_int_equal(pump(&w, 0, 3).joined, 0);
	/* to each in another order */
	pump(&w, 0, 1);
	pump(&w, 1, 0);
	pump(&w, 1, 2);
	pump(&w, 0, 2);
	for (size_t k = 0; k < 2; k++) {
		for (size_t i = 0; i < 3; i++) {
			pump(&w, 3, i);
			pump(&w, i, 3);
		}
	}
	for (size_t i = 0; i < 4; i++) {
		expect_once(&w, i, "West", "Drie", id);
		if (i > 0)
			expect_same(&w, 0, i, "West");
	}
	for (size_t i = 0; i < 3; i++) {
		struct space_row west = space_named(&w, i, "West");

		y = sync_of_home(&w, i);
		assert_int_equal(claims_load(&ec, &y, &west, &people[i]), ERR_OK);
		assert_int_equal(people[i].n, people[0].n);
		for (size_t k = 0; k < people[i].n; k++)
			assert_int_equal(dot_cmp(people[i].device[k].person, people[0].device[k].person), 0);
	}
	for (size_t i = 0; i < 3; i++)
		claims_free(&people[i]);
	/* a second device goes to the record that stands, whoever made it */
	assert_int_equal(world_home(&w, "Drie laptop"), 4);
	become_device(&w, 3, 4, false);
	for (size_t i = 0; i < 2; i++) {
		pump(&w, 3, i);
		pump(&w, i, 4);
	}
	pump(&w, 2, 4);
	for (size_t i = 0; i < 5; i++) {
		if (i != 2)
			expect_once(&w, i, "West", "Drie", id);
	}
	world_end(&w);
}

/* Whom another let in no longer asks here. */
static void test_approved_elsewhere(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	uint8_t fingerprint[FINGERPRINT_LEN];
	char name[128];
	char id[40];
	char none[40] = "";

	(void)state;
	forge_world(&w);
	assert_int_equal(world_home(&w, "Drie"), 3);
	assert_int_equal(app_join_request(&ec, w.app[3], w.remote, fingerprint), ERR_OK);
	pump(&w, 3, 0);
	pump(&w, 3, 1);
	strcpy(id, asking(&w, 1).id);
	assert_int_equal(app_approve(&ec, w.app[0], id, "Drie", name), ERR_OK);
	pump(&w, 0, 1);
	assert_int_equal(approve(&w, 1, id), ERR_NOT_FOUND);
	assert_int_equal(pump(&w, 0, 3).joined, 1);
	pump(&w, 3, 1);
	expect_once(&w, 1, "West", "Drie", none);
	world_end(&w);
}

/* Asking with a second invitation while the first is being answered: whichever answers come, in whatever order. */
static void test_second_invitation(void **state)
{
	static const struct {
		const char *what;
		size_t first; /* who invites */
		size_t second;
		size_t answers[2]; /* in which order they come; SIZE_MAX: never */
	} cases[] = {
		{ "the same one invites, both answered at once", 1, 1, { 1, 1 } },
		{ "two invite, the first answers first", 1, 2, { 1, 2 } },
		{ "two invite, the second answers first", 1, 2, { 2, 1 } },
		{ "only the first answers", 1, 2, { 1, SIZE_MAX } },
		{ "only the second answers", 1, 2, { 2, SIZE_MAX } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w;
		struct join_view asked;
		struct invite_view a;
		struct invite_view b;
		uint64_t joined = 0;
		char id[40] = "";

		print_message("# %s\n", cases[i].what);
		forge_world(&w);
		assert_int_equal(world_home(&w, "Drie"), 3);
		a = invitation_of(&w, cases[i].first, (struct invite_ask){ .space = "Plein" });
		b = invitation_of(&w, cases[i].second, (struct invite_ask){ .space = "Plein" });
		assert_int_equal(use(&w, 3, &a, false, &asked), ERR_OK);
		assert_int_equal(use(&w, 3, &b, false, &asked), ERR_OK);
		pump(&w, 3, 1);
		pump(&w, 3, 2);
		for (size_t k = 0; k < 2; k++) {
			struct received got = { 0 };

			if (cases[i].answers[k] != SIZE_MAX)
				got = pump(&w, cases[i].answers[k], 3);
			assert_int_equal(got.set_aside, 0);
			joined += got.joined;
		}
		assert_int_equal(joined, 2);
		for (size_t k = 0; k < 3; k++) {
			pump(&w, 1, 2);
			pump(&w, 2, 1);
			pump(&w, 1, 3);
			pump(&w, 2, 3);
			pump(&w, 3, 1);
			pump(&w, 3, 2);
		}
		for (size_t k = 1; k < 4; k++) {
			id[0] = '\0';
			expect_once(&w, k, "Plein", "Drie", id);
			if (k > 1)
				expect_same(&w, 1, k, "Plein");
		}
		if (cases[i].first == cases[i].second) { /* and not only shown once */
			struct errctx ec = { 0 };
			struct dots records = { 0 };

			assert_int_equal(
			    store_of_kind(&ec, w.app[1]->store, KIND_member, space_named(&w, 1, "Plein").n, &records),
			    ERR_OK);
			assert_int_equal(records.n, 3);
			dots_free(&records);
		}
		assert_int_equal(use(&w, 3, &b, false, &asked), ERR_REFUSED);
		buf_free(&a.text);
		buf_free(&b.text);
		world_end(&w);
	}
}

/* Drie asked without an invitation, and then came one. */
static void asked_both_ways(struct world *w)
{
	struct errctx ec = { 0 };
	struct invite_view v;
	struct join_view asked;
	uint8_t fingerprint[FINGERPRINT_LEN];

	forge_world(w);
	assert_int_equal(world_home(w, "Drie"), 3);
	assert_int_equal(app_join_request(&ec, w->app[3], w->remote, fingerprint), ERR_OK);
	v = invitation_of(w, 1, (struct invite_ask){ .space = "West" });
	assert_int_equal(use(w, 3, &v, false, &asked), ERR_OK);
	buf_free(&v.text);
}

/* Asked without an invitation, and then came one: the late approval changes nothing, and nothing stays asked. */
static void test_asked_both_ways(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct asked_view *out = NULL;
	struct received got;
	size_t n = 0;

	(void)state;
	asked_both_ways(&w);
	assert_int_equal(pump(&w, 3, 1).admitted, 1);
	assert_int_equal(approve(&w, 1, asking(&w, 1).id), ERR_OK);
	got = pump(&w, 1, 3);
	pump(&w, 0, 3);
	pump(&w, 2, 3);
	assert_int_equal(got.joined, 1);
	assert_int_equal(got.set_aside, 0);
	assert_int_equal(app_asked(&ec, w.app[3], &out, &n), ERR_OK);
	assert_int_equal(n, 0);
	free(out);
	expect_same(&w, 1, 3, "West");
	world_end(&w);
}

/* The same, and somebody else approves before the invitation is answered: that is no word of who invited. */
static void test_asked_both_ways_early(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct asked_view *out = NULL;
	struct received got;
	size_t n = 0;

	(void)state;
	asked_both_ways(&w);
	pump(&w, 3, 0);
	assert_int_equal(approve(&w, 0, asking(&w, 0).id), ERR_OK);
	got = pump(&w, 0, 3);
	assert_int_equal(got.joined, 0);
	assert_int_equal(got.set_aside, 0);
	assert_int_equal(app_asked(&ec, w.app[3], &out, &n), ERR_OK);
	assert_int_equal(n, 1); /* by the invitation */
	free(out);
	assert_int_equal(pump(&w, 3, 1).admitted, 1);
	assert_int_equal(pump(&w, 1, 3).joined, 1);
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < 3; i++) {
			pump(&w, i, 3);
			pump(&w, i, 1);
			pump(&w, 3, i);
		}
	expect_same(&w, 1, 3, "West");
	world_end(&w);
}

/* --- met --- */

static struct member_view member_named(struct world *w, size_t i, const char *space, const char *name)
{
	struct member_view out = { 0 };
	size_t n = 0;
	struct member_view *list = members(w, i, space, &n);

	for (size_t k = 0; k < n; k++) {
		if (strcmp(list[k].name, name) == 0)
			out = list[k];
	}
	app_members_free(list, n);
	assert_int_not_equal(out.id[0], '\0');
	out.devices = NULL;
	return out;
}

static void test_met(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	char name[128];
	uint64_t before = 0;
	uint64_t after = 0;

	(void)state;
	forge_world(&w);
	pump(&w, 2, 1);
	seal_home(&w, 1);
	assert_int_equal(store_unsealed_count(&ec, w.app[1]->store, space_named(&w, 1, "Plein").n, &before), ERR_OK);
	assert_int_equal(app_met(&ec, w.app[1], member_named(&w, 1, "Plein", "Een").id, name), ERR_REFUSED);
	err_clear(&ec);
	assert_int_equal(app_met(&ec, w.app[1], member_named(&w, 1, "Plein", "Twee").id, name), ERR_OK);
	assert_string_equal(name, "Twee");
	assert_true(member_named(&w, 1, "Plein", "Twee").met);
	/* it is nobody else's business: nothing was written in the circle */
	assert_int_equal(store_unsealed_count(&ec, w.app[1]->store, space_named(&w, 1, "Plein").n, &after), ERR_OK);
	assert_int_equal(after, before);
	assert_false(member_named(&w, 1, "West", "Twee").met); /* other keys, other words */
	/* one's own other device knows it, too */
	assert_int_equal(world_home(&w, "Een laptop"), 3);
	become_device(&w, 1, 3, false);
	assert_true(member_named(&w, 3, "Plein", "Twee").met);
	pump(&w, 1, 2);
	assert_false(member_named(&w, 2, "Plein", "Een").met);
	/* another device of that person: other words, and that is said */
	assert_int_equal(world_home(&w, "Twee laptop"), 4);
	become_device(&w, 2, 4, false);
	pump(&w, 2, 1);
	assert_false(member_named(&w, 1, "Plein", "Twee").met);
	assert_true(member_named(&w, 1, "Plein", "Twee").words_changed);
	assert_int_equal(app_met(&ec, w.app[1], member_named(&w, 1, "Plein", "Twee").id, name), ERR_OK);
	assert_true(member_named(&w, 1, "Plein", "Twee").met);
	assert_false(member_named(&w, 1, "Plein", "Twee").words_changed);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_another_device),
		cmocka_unit_test(test_a_later_circle),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_carried_over),
		cmocka_unit_test(test_compared),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_two_approve),
		cmocka_unit_test(test_approved_elsewhere),
		cmocka_unit_test(test_second_invitation),
		cmocka_unit_test(test_asked_both_ways),
		cmocka_unit_test(test_asked_both_ways_early),
		cmocka_unit_test(test_met),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
