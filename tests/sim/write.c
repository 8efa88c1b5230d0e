// SPDX-License-Identifier: EUPL-1.2
// What devices write: by the use cases of app/, and by hand every class of field, of known and unknown kinds (M3), with
// forms that are saved long after they were opened, and erasures.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/contacts.h"
#include "app/referrals.h"
#include "app/residents.h"
#include "app/services.h"
#include "app/spaces.h"
#include "app/undo.h"
#include "app/versions.h"
#include "model/draft.h"
#include "model/wire.h"
#include "sim/act.h"
#include "sim/must.h"
#include "sync/floor.h"
#include "sync/keys.h"

#define UNKNOWN_KIND 77

static uint64_t below(struct player *p, uint64_t n)
{
	return random_below(&p->w->rnd, n);
}

static bool chance(struct player *p, unsigned percent)
{
	return random_chance(&p->w->rnd, percent);
}

/* A space of the device at random, of a kind (0: any), more often one that others are in too. */
static bool some_space(struct player *p, enum space_kind kind, struct space_row *out)
{
	struct sync y = { p->app->store, p->app->zip, p->app->rng, p->app->clock };
	size_t n = 0;
	struct space_row *list = world_spaces(p, &n);
	size_t fit = 0;

	for (size_t i = 0; i < n; i++) {
		bool coming_in = false;

		if (list[i].state != SPACE_MEMBER || (kind != 0 && list[i].kind != kind))
			continue;
		must(floor_open(NULL, &y, list[i].n, &coming_in) == ERR_OK, "the store fails");
		if (coming_in) /* the program refuses to write there */
			continue;
		fit += list[i].neighbourhood != 0 ? 3 : 1;
		if (below(p, fit) < (list[i].neighbourhood != 0 ? 3 : 1))
			*out = list[i];
	}
	free(list);
	return fit > 0;
}

static bool some_record(struct player *p, uint32_t kind, int64_t space, struct dot *out)
{
	struct dots d = { 0 };
	bool any = false;

	must(store_of_kind(NULL, p->app->store, kind, space, &d) == ERR_OK, "records cannot be listed");
	any = d.n > 0;
	if (any)
		*out = d.d[below(p, d.n)];
	dots_free(&d);
	return any;
}

/* --- by hand --- */

static void text_draw(struct player *p, char out[static 40])
{
	static const char *const words[] = { "brief", "huur", "bellen", "wacht", "taal", "één" };

	snprintf(out, 40, "%s %u", words[below(p, 6)], (unsigned)below(p, 40));
}

static void element_list(struct player *p, struct buf *out, unsigned mask)
{
	must(wire_put_array(out, (size_t)__builtin_popcount(mask)) == ERR_OK, "out of memory");
	for (unsigned i = 0; i < 5; i++) {
		char text[8];

		snprintf(text, sizeof(text), "e%u", i);
		if ((mask >> i & 1) != 0)
			must(wire_put_text(out, text, 2) == ERR_OK, "out of memory");
	}
	(void)p;
}

/* One value of that class. */
static void value_draw(struct player *p, struct draft *d, uint32_t tag, struct dot target)
{
	struct buf b = { 0 };
	char text[40];
	char base[40];

	text_draw(p, text);
	switch (tag_class(tag)) {
	case CLASS_REG:
		if (chance(p, 15)) { /* kept both */
			must(wire_put_array(&b, 2) == ERR_OK && wire_put_text(&b, text, strlen(text)) == ERR_OK &&
			         wire_put_uint(&b, below(p, 3)) == ERR_OK,
			     "out of memory");
			draft_raw(d, tag, buf_bytes(&b));
		} else if (chance(p, 10)) {
			draft_null(d, tag);
		} else {
			draft_text(d, tag, text);
		}
		break;
	case CLASS_TEXT:
		text_draw(p, base);
		draft_long_text(d, tag, chance(p, 50) ? base : NULL, text);
		break;
	case CLASS_SET:
		must(wire_put_array(&b, 2) == ERR_OK, "out of memory");
		element_list(p, &b, (unsigned)(below(p, 32) & below(p, 32)));
		element_list(p, &b, (unsigned)(below(p, 32) & below(p, 32)));
		draft_raw(d, tag, buf_bytes(&b));
		break;
	case CLASS_EVENTS:
		if (target.counter > 0 && chance(p, 35))
			draft_retract(d, tag, chance(p, 70) ? target : (struct dot){ target.dev, 1 + below(p, 30) });
		else
			draft_event(d, tag, chance(p, 50) ? "verstuurd" : "plan", 20000 + (int64_t)below(p, 9), NULL);
		break;
	case CLASS_ERASE:
		draft_bool(d, tag, true);
		break;
	}
	buf_free(&b);
}

static const uint32_t *tags_of(uint32_t kind, size_t *n)
{
	static const uint32_t contact[] = { F_contact_channel, F_contact_domains, F_contact_text, F_contact_did };
	static const uint32_t referral[] = { F_referral_domain, F_referral_status, F_referral_text,
		                             F_referral_service_name };
	static const uint32_t service[] = { F_service_name, F_service_domains, F_service_note, F_service_languages };
	static const uint32_t unknown[] = { FIELD_TAG(1, CLASS_REG),  FIELD_TAG(2, 6),
		                            FIELD_TAG(3, CLASS_SET),  FIELD_TAG(4, CLASS_EVENTS),
		                            FIELD_TAG(5, CLASS_TEXT), FIELD_TAG(40, 7) };

	switch (kind) {
	case KIND_contact:
		*n = 4;
		return contact;
	case KIND_referral:
		*n = 4;
		return referral;
	case KIND_service:
		*n = 4;
		return service;
	default:
		*n = 6;
		return unknown;
	}
}

/* An event of a record that the device knows, for an edit that takes it back. */
static struct dot some_event(struct player *p, struct dot record)
{
	struct record_log log = { 0 };
	struct dot out = { 0 };

	if (dot_is_none(record) || store_log_of(NULL, p->app->store, record, &log) != ERR_OK)
		return out;
	if (log.n > 0)
		out = log.item[below(p, log.n)].edit.dot;
	store_log_free(&log);
	return out;
}

static enum err write_now(struct player *p, const struct change *c)
{
	struct errctx ec = { 0 };
	struct dot id = { 0 };
	enum err e = store_begin(&ec, p->app->store);

	if (e == ERR_OK)
		e = store_write(&ec, p->app->store, c, app_now_ms(p->app), &id);
	if (e == ERR_OK)
		e = store_commit(&ec, p->app->store);
	else
		store_rollback(p->app->store);
	if (e != ERR_OK && e != ERR_REFUSED && e != ERR_LATER && !disk_dead(p->disk) && !disk_was_full(p->disk))
		must_fail("device %u: a write fails with error %d", p->number, (int)e);
	return e;
}

/* A device of somebody who is known already, or of nobody. */
static void some_bundle(struct player *p, int64_t space, uint8_t out[static BUNDLE_LEN])
{
	struct bundle b = { .incarnation = 0 };
	struct device_row *list = NULL;
	size_t n = 0;

	must(store_device_list(NULL, p->app->store, space, &list, &n) == ERR_OK, "devices cannot be listed");
	if (n > 0 && chance(p, 40)) {
		const struct device_row *d = &list[below(p, n)];

		b.tag = d->tag;
		memcpy(b.sign, d->sign, sizeof(b.sign));
		memcpy(b.box, d->box, sizeof(b.box));
	} else {
		struct device_keys *k = device_keys_make(p->app->rng);

		must(k != NULL, "out of memory");
		b = k->public;
		device_keys_free(k);
	}
	bundle_put(&b, out);
	free(list);
}

bool act_overstep(struct player *p)
{
	static const char *const role[] = { "coordinator", "teller", "member" };
	struct draft d = { 0 };
	struct buf element = { 0 };
	struct space_row space = { 0 };
	struct change c = { 0 };
	uint8_t bundle[BUNDLE_LEN];
	const char *const one[] = { role[below(p, 3)] };
	enum err e = ERR_OK;

	/* where a device is alone, an epoch that begins now is for no copy of it (docs/TESTING.md, `twins-apart`) */
	if (world_unsure(p) || !some_space(p, chance(p, 60) ? SPACE_NEIGHBOURHOOD : SPACE_CIRCLE, &space))
		return false;
	c.space = space.n;
	if (chance(p, 15) || !some_record(p, KIND_member, space.n, &c.target))
		c.kind = KIND_member;
	if (c.kind != KIND_none || chance(p, 30))
		draft_text(&d, F_member_name, "Iemand");
	if (chance(p, 60))
		draft_set(&d, F_member_role, one, chance(p, 65), one, chance(p, 35));
	if (c.kind != KIND_none || chance(p, 20)) {
		some_bundle(p, space.n, bundle);
		must(wire_put_bytes(&element, bundle, sizeof(bundle)) == ERR_OK, "out of memory");
		draft_set_add_raw(&d, F_member_devices, buf_bytes(&element));
	}
	if (chance(p, 15))
		draft_set(&d, F_member_met, NULL, 0, NULL, 0);
	must(draft_writes(&d, &c.writes, &c.write_count) == ERR_OK, "a draft fails");
	p->busy = true;
	world_say(p->w, "device %u writes to a member record of %s", p->number, space.name);
	e = write_now(p, &c);
	buf_free(&element);
	draft_free(&d);
	return act_end(p, e) == ERR_OK;
}

static bool write_by_hand(struct player *p)
{
	struct draft d = { 0 };
	struct space_row space = { 0 };
	struct change c = { 0 };
	struct dot event = { 0 };
	const uint32_t *tags = NULL;
	size_t n = 0;
	uint32_t kind = KIND_none;
	enum err e = ERR_OK;

	if (!some_space(p, chance(p, 80) ? SPACE_CIRCLE : SPACE_NEIGHBOURHOOD, &space) && !some_space(p, 0, &space))
		return act_end(p, ERR_NOT_FOUND) == ERR_OK;
	kind = space.kind == SPACE_NEIGHBOURHOOD ? KIND_service : chance(p, 60) ? KIND_contact : KIND_referral;
	kind = chance(p, 15) ? UNKNOWN_KIND : kind;
	c.space = space.n;
	if (chance(p, 70) && some_record(p, kind, space.n, &c.target))
		event = some_event(p, c.target);
	else
		c.kind = kind;
	tags = tags_of(kind, &n);
	for (size_t i = 0; i < n; i++) {
		if (chance(p, 40))
			value_draw(p, &d, tags[i], event);
	}
	if (c.kind == KIND_none && below(p, 60) == 0)
		value_draw(p, &d, FIELD_TAG(0, CLASS_ERASE), event);
	if (p->form.open && p->form.space == space.n && chance(p, 60)) {
		p->saved_form = true;
		c.seen = p->form.seen;
		c.seen_count = p->form.seen_count;
	}
	must(draft_writes(&d, &c.writes, &c.write_count) == ERR_OK, "a draft fails");
	p->busy = true;
	e = write_now(p, &c);
	draft_free(&d);
	return act_end(p, e) == ERR_OK;
}

/* --- as people do --- */

bool act_some_id(struct player *p, uint32_t kind, enum space_kind where, char out[static DOT_TEXT_LEN])
{
	struct space_row space = { 0 };
	struct dot id = { 0 };

	if (!some_space(p, where, &space) || !some_record(p, kind, space.n, &id))
		return false;
	dot_text(id, out);
	return true;
}

static enum err log_contact(struct player *p, struct errctx *ec)
{
	static const char *const nicks[] = { "Ans", "Bep", "Cor", NULL };
	struct space_row space = { 0 };
	char text[40];
	char out[ID_TEXT_LEN];
	struct contact_fields f = { .channel = "spreekuur", .domains = "geld,wonen", .resident = nicks[below(p, 4)] };

	if (!some_space(p, SPACE_CIRCLE, &space))
		return ERR_NOT_FOUND;
	text_draw(p, text);
	f.text = text;
	f.follow_up = chance(p, 30) ? "2026-03-01" : NULL;
	return contact_add(ec, p->app, space.name, &f, out);
}

static enum err edit_contact(struct player *p, struct errctx *ec)
{
	char id[DOT_TEXT_LEN];
	char out[ID_TEXT_LEN];
	char text[40];
	struct contact_fields f = { 0 };

	if (!act_some_id(p, KIND_contact, SPACE_CIRCLE, id))
		return ERR_NOT_FOUND;
	text_draw(p, text);
	f.text = chance(p, 50) ? text : NULL;
	f.domains = chance(p, 40) ? "werk,taal" : NULL;
	f.channel = chance(p, 40) ? "huis" : NULL;
	f.follow_up = chance(p, 30) ? "done" : NULL;
	return contact_edit(ec, p->app, id, &f, out);
}

static enum err refer(struct player *p, struct errctx *ec)
{
	char id[DOT_TEXT_LEN];
	struct referral_fields f = {
		.service_name = "Loket", .group = "gemeente", .kind = "info", .domain = "geld", .consent = "niet_nodig"
	};
	struct referral_made made;

	if (!act_some_id(p, KIND_contact, SPACE_CIRCLE, id))
		return ERR_NOT_FOUND;
	return referral_add(ec, p->app, id, &f, &made);
}

static enum err follow_referral(struct player *p, struct errctx *ec)
{
	static const char *const status[] = { "aangenomen", "geholpen", "fout", "ingetrokken" };
	char id[DOT_TEXT_LEN];
	char out[ID_TEXT_LEN];
	struct status_change s = { .status = status[below(p, 4)] };
	struct referral_made made;

	if (!act_some_id(p, KIND_referral, SPACE_CIRCLE, id))
		return ERR_NOT_FOUND;
	return referral_status(ec, p->app, id, &s, out, &made);
}

static enum err resident(struct player *p, struct errctx *ec)
{
	char id[DOT_TEXT_LEN];
	char out[ID_TEXT_LEN];
	char note[40];
	struct resident_fields f = { .note = note };

	text_draw(p, note);
	if (!act_some_id(p, KIND_resident, SPACE_CIRCLE, id))
		return ERR_NOT_FOUND;
	return resident_edit(ec, p->app, id, &f, out);
}

static enum err service(struct player *p, struct errctx *ec)
{
	char id[DOT_TEXT_LEN];
	char out[ID_TEXT_LEN];
	char name[] = "Loket", formal[] = "formal", group[] = "gemeente";
	struct service_fields f = { .entry = { .name = name, .kind = formal, .group = group } };

	if (chance(p, 40))
		return service_add(ec, p->app, &f, out);
	if (!act_some_id(p, KIND_service, SPACE_NEIGHBOURHOOD, id))
		return ERR_NOT_FOUND;
	return service_check(ec, p->app, id, chance(p, 50) ? "dicht op vrijdag" : NULL, out);
}

static enum err pick(struct player *p, struct errctx *ec)
{
	struct two_versions_list list = { 0 };
	char out[ID_TEXT_LEN];
	enum err e = versions_list(ec, p->app, &list);

	if (e == ERR_OK && list.n == 0)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK) {
		const struct two_versions *v = &list.item[below(p, list.n)];

		e = versions_pick(ec, p->app, v->id, v->field->field, chance(p, 40) ? "both" : "2", out);
	}
	two_versions_free(&list);
	return e;
}

static enum err undo(struct player *p, struct errctx *ec)
{
	struct undone u = { 0 };
	enum err e = undo_last(ec, p->app, NULL, &u);

	undone_free(&u);
	return e;
}

static enum err met(struct player *p, struct errctx *ec)
{
	char id[DOT_TEXT_LEN];
	char name[128];

	if (!act_some_id(p, KIND_member, SPACE_NEIGHBOURHOOD, id))
		return ERR_NOT_FOUND;
	return app_met(ec, p->app, id, name);
}

static bool write_as_people_do(struct player *p)
{
	static const struct {
		const char *name;
		enum err (*fn)(struct player *p, struct errctx *ec);
	} all[] = { { "contact add", log_contact },
		    { "contact add", log_contact },
		    { "contact edit", edit_contact },
		    { "referral add", refer },
		    { "status", follow_referral },
		    { "resident edit", resident },
		    { "service", service },
		    { "versions pick", pick },
		    { "undo", undo },
		    { "met", met } };
	size_t i = below(p, sizeof(all) / sizeof(all[0]));
	struct errctx ec = { 0 };
	char text[512];
	size_t before = p->rows;
	enum err e = ERR_OK;

	p->busy = true;
	e = all[i].fn(p, &ec);
	world_say(p->w, "device %u: %s: %d %s", p->number, all[i].name, (int)e,
	          ec.code == ERR_OK ? "" : err_text(&ec, NULL, text, sizeof(text)));
	if ((e == ERR_DAMAGED || e == ERR_IO || e == ERR_NO_MEMORY || e == ERR_NO_SPACE) && !disk_dead(p->disk) &&
	    !disk_was_full(p->disk))
		must_fail("device %u: %s fails with error %d: %s", p->number, all[i].name, (int)e,
		          ec.code == ERR_OK ? "" : err_text(&ec, NULL, text, sizeof(text)));
	if (e != ERR_OK && !disk_dead(p->disk) && !disk_was_full(p->disk)) {
		act_end(p, e);
		if (p->rows != before)
			must_fail("device %u: %s was refused and wrote all the same (V6)", p->number, all[i].name);
		return false;
	}
	return act_end(p, e) == ERR_OK;
}

bool act_log_in(struct player *p, const char *circle, bool change)
{
	struct errctx ec = { 0 };
	struct contact_fields f = { .channel = "spreekuur", .domains = "geld" };
	struct space_row space;
	struct dot id = { 0 };
	char text[80];
	char of[DOT_TEXT_LEN];
	char out[ID_TEXT_LEN];
	enum err e = ERR_NOT_FOUND;

	/* never the same twice: two copies of one device that log the same words in one millisecond would have made one
	 * edit, and not two */
	snprintf(text, sizeof(text), "ruzie van %u: ", p->number);
	text_draw(p, text + strlen(text));
	p->busy = true;
	f.text = text;
	if (!change) {
		e = contact_add(&ec, p->app, circle, &f, out);
	} else if (world_space(p, circle, &space) && some_record(p, KIND_contact, space.n, &id)) {
		dot_text(id, of);
		f = (struct contact_fields){ .text = text };
		e = contact_edit(&ec, p->app, of, &f, out);
	}
	world_say(p->w, "device %u %s a contact in %s: %d", p->number, change ? "changes" : "logs", circle, (int)e);
	return act_end(p, e) == ERR_OK;
}

bool act_write(struct player *p)
{
	struct space_row space = { 0 };

	if (chance(p, 12) && some_space(p, chance(p, 70) ? SPACE_CIRCLE : 0, &space)) {
		world_say(p->w, "device %u opens a form in %s", p->number, space.name);
		world_form(p, &space);
		return act_end(p, ERR_OK) == ERR_OK;
	}
	return chance(p, 55) ? write_by_hand(p) : write_as_people_do(p);
}
