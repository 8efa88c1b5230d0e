// SPDX-License-Identifier: EUPL-1.2
// Goal: a home that was restored, or copied, goes on as another device (S7): what was typed anywhere is there once, at
// everybody, whatever of it had been sent; and nobody comes back whom a member did not let in.
#include "sync/forge.h"

#include <sys/stat.h>

#include "app/again.h"
#include "app/backup_kit.h"
#include "app/contacts.h"
#include "app/referrals.h"
#include "app/removing.h"
#include "app/undo.h"
#include "base/codec.h"
#include "base/file.h"
#include "support/asserts.h"
#include "sync/acts.h"
#include "sync/box_keys.h"
#include "sync/membership.h"
#include "sync/refold.h"
#include "sync/rejoin.h"

enum { COORDINATOR, ANNA, BRAM, HOMES };

#define CIRCLE "Plein"
#define WEST "West"

#define VECTOR "70bc09a67c27525c08cdd397776d4e07ce0fa98fbd803ad7b2ec4affbcadace7"

/* Bytes 0, 1, 2 and on. */
static uint8_t counted;

static void counting_fill(void *self, void *out, size_t len)
{
	uint8_t *p = out;

	for (size_t i = 0; i < len; i++)
		p[i] = (*(uint8_t *)self)++;
}

static void log_one(struct world *w, size_t i, const char *text, char id[static ID_TEXT_LEN])
{
	struct contact_fields f = { .text = text, .resident = "Roos" };

	assert_err(contact_add(ec, w->app[i], CIRCLE, &f, id), ERR_OK);
}

static void log_text(struct world *w, size_t i, const char *text)
{
	char id[ID_TEXT_LEN];

	log_one(w, i, text, id);
}

/* Coos founds the neighbourhood; Anna and Bram share a circle; both have written and sent. */
static void begin(struct world *w)
{
	static const char *const nick[] = { "Coos", "Anna", "Bram" };

	world_begin(w);
	for (size_t i = 0; i < HOMES; i++) {
		uint8_t master[32];

		world_home(w, nick[i]);
		memset(master, (int)i + 1, sizeof(master));
		assert_int_equal(kit_key_file(w->home[i], master), ERR_OK);
	}
	assert_err(app_found_neighbourhood(ec, w->app[COORDINATOR], WEST, w->remote), ERR_OK);
	world_sync(w, COORDINATOR);
	world_invite(w, COORDINATOR, ANNA, NULL, NULL);
	assert_err(app_found_circle(ec, w->app[ANNA], CIRCLE), ERR_OK);
	world_sync(w, ANNA);
	world_invite(w, ANNA, BRAM, CIRCLE, NULL);
	log_text(w, ANNA, "van Anna");
	log_text(w, BRAM, "van Bram");
	for (int i = 0; i < 2; i++) {
		world_sync(w, ANNA);
		world_sync(w, BRAM);
	}
}

static size_t count_text(struct world *w, size_t i, const char *text)
{
	struct dots list = { 0 };
	size_t n = 0;

	assert_err(store_contacts(ec, w->app[i]->store, 0, INT64_MIN, false, &list), ERR_OK);
	for (size_t k = 0; k < list.n; k++) {
		struct loaded l;
		struct bytes t = { 0 };

		assert_err(store_load(ec, w->app[i]->store, list.d[k], &l), ERR_OK);
		n += record_text(&l.record, F_contact_text, &t) && t.len == strlen(text) &&
		     memcmp(t.data, text, t.len) == 0;
		store_loaded_free(&l);
	}
	dots_free(&list);
	return n;
}

/* Every record is what its edits come to, and the log is as it was written. */
static void is_whole(struct world *w, size_t i)
{
	struct sync y = sync_of_home(w, i);
	struct space_row *list = NULL;
	uint64_t edits = 0;
	uint64_t bad = 0;
	size_t n = 0;

	assert_err(store_verify(ec, w->app[i]->store, &edits, &bad), ERR_OK);
	assert_int_equal(bad, 0);
	assert_err(store_tail_check(ec, w->app[i]->store, 1000), ERR_OK);
	assert_err(store_space_list(ec, w->app[i]->store, &list, &n), ERR_OK);
	for (size_t k = 0; k < n; k++) {
		struct refold *f = NULL;
		struct refolded r;

		assert_err(refold_open(ec, &y, &list[k], &f), ERR_OK);
		assert_err(refold_space(ec, f, false, &r), ERR_OK);
		assert_int_equal(r.differing + r.damaged, 0);
		refold_close(f);
	}
	free(list);
}

static void same(struct world *w, size_t a, size_t b, const char *space)
{
	struct buf x = world_dump(w, a, space);
	struct buf y = world_dump(w, b, space);

	assert_int_equal(bytes_cmp(buf_bytes(&x), buf_bytes(&y)), 0);
	buf_free(&x);
	buf_free(&y);
}

static size_t unsent(struct world *w, size_t i)
{
	struct status_view s;
	size_t n = 0;

	assert_err(app_status(ec, w->app[i], &s), ERR_OK);
	n = s.unsent;
	app_status_free(&s);
	return n;
}

static bool restored(struct world *w, size_t i)
{
	struct status_view s;
	bool is = false;

	assert_err(app_status(ec, w->app[i], &s), ERR_OK);
	is = s.restored[0] != '\0';
	app_status_free(&s);
	return is;
}

/* ---- Backups ---- */

static void backup(struct world *w, size_t i, char path[static 300])
{
	struct backup_view v;

	snprintf(path, 300, "%.200s/backup%zu", w->dir, i);
	assert_err(kit_backup(ec, w->app[i], path, &v), ERR_OK);
}

/* One more home of the world, out of the backup that home `i` made. */
static size_t restore(struct world *w, size_t i, const char *path)
{
	size_t n = w->n++;
	struct app_options o = { .home = w->home[n], .courier = w->app[i]->courier, .clock = &w->clock };
	struct restored_view v;
	uint8_t master[32];
	char home[300];

	memset(master, (int)i + 1, sizeof(master));
	snprintf(home, sizeof(home), "%.200s/restored%zu", w->dir, n);
	strcpy(w->home[n], home);
	assert_err(kit_restore(ec, &o, path, master, &v), ERR_OK);
	assert_err(app_open_with_key(ec, &o, master, false, NULL, &w->app[n]), ERR_OK);
	return n;
}

static size_t ask(struct world *w, size_t i, struct rejoin_view **list)
{
	size_t n = 0;

	assert_err(app_rejoin(ec, w->app[i], list, &n), ERR_OK);
	return n;
}

/* Lets in what wants to come back into a space; its six words must be those of the home that asked. */
static void approve(struct world *w, size_t by, const char *space, const struct rejoin_view *asked, size_t n)
{
	struct member_view *list = NULL;
	char name[APP_NAME_MAX];
	size_t count = 0;
	size_t found = 0;

	assert_err(app_members(ec, w->app[by], space, &list, &count), ERR_OK);
	for (size_t i = 0; i < count; i++) {
		bool words = false;

		if (strcmp(list[i].status, "requested") != 0)
			continue;
		assert_string_equal(list[i].space, space);
		assert_int_equal(list[i].backup[0], '2');
		assert_string_equal(list[i].name, "Anna");
		for (size_t k = 0; k < n; k++)
			words = words || (strcmp(asked[k].space, space) == 0 &&
			                  memcmp(asked[k].fingerprint, list[i].fingerprint, FINGERPRINT_LEN) == 0);
		assert_true(words);
		assert_err(app_approve(ec, w->app[by], list[i].id, NULL, name), ERR_OK);
		found++;
	}
	assert_int_equal(found, 1);
	app_members_free(list, count);
}

/* From the letter to the end. */
static void come_back(struct world *w, size_t c)
{
	struct rejoin_view *asked = NULL;
	size_t n = ask(w, c, &asked);

	assert_int_equal(n, 2);
	world_sync(w, c);
	assert_true(restored(w, c));
	world_sync(w, BRAM);
	world_sync(w, COORDINATOR);
	approve(w, BRAM, CIRCLE, asked, n);
	approve(w, COORDINATOR, WEST, asked, n);
	world_sync(w, BRAM);
	world_sync(w, COORDINATOR);
	world_sync(w, c);
	assert_false(restored(w, c));
	free(asked);
}

static void all_sync(struct world *w, size_t c)
{
	for (int k = 0; k < 2; k++) {
		world_sync(w, c);
		world_sync(w, BRAM);
		world_sync(w, COORDINATOR);
	}
	is_whole(w, c);
	is_whole(w, BRAM);
	same(w, c, BRAM, CIRCLE);
	same(w, c, BRAM, WEST);
	same(w, c, COORDINATOR, WEST);
}

/* What was not sealed when the backup was made, and sent after it; what was done after it; what was done since. */
static void a_restored_home_comes_back(void **state)
{
	struct world w;
	char path[300];
	size_t c = 0;
	struct member_view *list = NULL;
	size_t n = 0;
	bool removed = false;

	(void)state;
	begin(&w);
	log_text(&w, ANNA, "nog niet verstuurd");
	backup(&w, ANNA, path);
	world_sync(&w, ANNA);
	log_text(&w, ANNA, "na de reservekopie");
	world_sync(&w, ANNA);
	log_text(&w, BRAM, "Bram gaat door");
	world_sync(&w, BRAM);
	c = restore(&w, ANNA, path);
	log_text(&w, c, "in de teruggezette kluis");
	come_back(&w, c);
	all_sync(&w, c);
	for (size_t i = 0; i < 2; i++) {
		size_t at = i == 0 ? c : BRAM;

		assert_int_equal(count_text(&w, at, "van Anna"), 1);
		assert_int_equal(count_text(&w, at, "van Bram"), 1);
		assert_int_equal(count_text(&w, at, "nog niet verstuurd"), 1);
		assert_int_equal(count_text(&w, at, "na de reservekopie"), 1);
		assert_int_equal(count_text(&w, at, "in de teruggezette kluis"), 1);
		assert_int_equal(count_text(&w, at, "Bram gaat door"), 1);
	}
	assert_int_equal(unsent(&w, c), 0);

	/* it is a device of Anna's, beside which the old one is no more */
	assert_err(app_members(ec, w.app[BRAM], CIRCLE, &list, &n), ERR_OK);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++) {
		removed = removed || strcmp(list[i].name, "Anna") == 0;
		assert_string_equal(list[i].status, "member");
	}
	assert_true(removed);
	app_members_free(list, n);
	log_text(&w, ANNA, "van de oude laptop");
	log_text(&w, c, "gewoon verder");
	world_sync(&w, c);
	world_sync(&w, ANNA);
	world_sync(&w, BRAM);
	assert_int_equal(count_text(&w, BRAM, "gewoon verder"), 1);
	assert_int_equal(count_text(&w, BRAM, "van de oude laptop"), 0);
	assert_int_equal(count_text(&w, ANNA, "gewoon verder"), 0); /* sealed with a key that it does not get (K1) */
	world_end(&w);
}

/* What was sealed before the backup was made and went out by the first home alone: nothing of it goes before this home
 * is let in, in one space or the other, and no sync fails on it. */
static void sealed_before_the_backup(void **state)
{
	struct world w;
	char path[300];
	size_t c = 0;

	(void)state;
	begin(&w);
	log_text(&w, ANNA, "verzegeld en nog niet verstuurd");
	seal_home(&w, ANNA);
	backup(&w, ANNA, path);
	world_sync(&w, ANNA);
	log_text(&w, ANNA, "na de reservekopie");
	world_sync(&w, ANNA);
	c = restore(&w, ANNA, path);
	come_back(&w, c);
	all_sync(&w, c);
	assert_int_equal(count_text(&w, BRAM, "verzegeld en nog niet verstuurd"), 1);
	assert_int_equal(count_text(&w, BRAM, "na de reservekopie"), 1);
	assert_int_equal(unsent(&w, c), 0);
	world_end(&w);
}

/* What hangs together stays together: a conversation, its follow-up, a referral with a status, and what was undone. */
static void references_follow(void **state)
{
	struct world w;
	struct contact_fields f = { .text = "vervolg" };
	struct referral_fields r = { .service_name = "Wijkteam", .group = "welzijn", .kind = "info", .domain = "geld" };
	struct status_change change = { .status = "aangenomen" };
	char path[300];
	char old[ID_TEXT_LEN];
	char first[ID_TEXT_LEN];
	char next[ID_TEXT_LEN];
	char id[ID_TEXT_LEN];
	struct referral_made made;
	struct referral_made none;
	struct dots list = { 0 };
	struct loaded l;
	struct dot ref = { 0 };
	struct bytes text = { 0 };
	size_t c = 0;

	(void)state;
	begin(&w);
	log_one(&w, ANNA, "voor", old);
	world_sync(&w, ANNA);
	world_sync(&w, BRAM);
	backup(&w, ANNA, path);
	log_text(&w, ANNA, "op de oude laptop");
	world_sync(&w, ANNA);
	c = restore(&w, ANNA, path);
	log_one(&w, c, "eerste", first);
	f.follows = first;
	assert_err(contact_add(ec, w.app[c], CIRCLE, &f, next), ERR_OK);
	assert_err(referral_add(ec, w.app[c], first, &r, &made), ERR_OK);
	assert_err(referral_status(ec, w.app[c], made.id, &change, id, &none), ERR_OK);
	change.status = "fout";
	assert_err(referral_status(ec, w.app[c], made.id, &change, id, &none), ERR_OK);
	come_back(&w, c);
	all_sync(&w, c);
	assert_int_equal(count_text(&w, BRAM, "op de oude laptop"), 1);
	for (size_t k = 0; k < 2; k++) {
		struct app *app = w.app[k == 0 ? c : BRAM];

		assert_err(store_contacts(ec, app->store, 0, INT64_MIN, false, &list), ERR_OK);
		for (size_t i = 0; i < list.n; i++) {
			assert_err(store_load(ec, app->store, list.d[i], &l), ERR_OK);
			if (record_text(&l.record, F_contact_text, &text) && text.len == 7 &&
			    memcmp(text.data, "vervolg", 7) == 0)
				assert_true(record_ref(&l.record, F_contact_follows, &ref));
			store_loaded_free(&l);
		}
		dots_free(&list);
		list = (struct dots){ 0 };
		assert_err(store_load(ec, app->store, ref, &l), ERR_OK);
		assert_true(record_text(&l.record, F_contact_text, &text));
		assert_int_equal(text.len, 6);
		assert_memory_equal(text.data, "eerste", 6);
		store_loaded_free(&l);
		assert_err(store_referrals_of(ec, app->store, ref, &list), ERR_OK);
		assert_int_equal(list.n, 1);
		{
			struct referral_list shown;

			assert_err(referral_show(ec, app, made.code, &shown), ERR_OK);
			assert_int_equal(shown.n, 1);
			/* what was wrong is taken back */
			assert_int_equal(shown.item[0].events, 1);
			referral_list_free(&shown);
		}
		dots_free(&list);
		list = (struct dots){ 0 };
	}
	world_end(&w);
}

/* ---- Copies ---- */

static size_t copy_of(struct world *w, size_t i)
{
	size_t n = w->n++;
	char home[300];
	char command[800];
	char courier[512];
	struct app_options o = { .home = w->home[n], .courier = courier, .clock = &w->clock };
	uint8_t master[32];

	snprintf(courier, sizeof(courier), "%s", w->app[i]->courier);
	memset(master, (int)i + 1, sizeof(master));
	snprintf(home, sizeof(home), "%.200s/copy%zu", w->dir, n);
	strcpy(w->home[n], home);
	app_close(w->app[i]);
	snprintf(command, sizeof(command), "cp -r '%s' '%s'", w->home[i], home);
	assert_int_equal(system(command), 0);
	assert_err(app_open_with_key(ec, &o, master, false, NULL, &w->app[n]), ERR_OK);
	o.home = w->home[i];
	assert_err(app_open_with_key(ec, &o, master, false, NULL, &w->app[i]), ERR_OK);
	return n;
}

/* Both write on, one of them sends first; what was not sent when the copy was made is in both. */
static void a_copy_goes_on_beside(void **state)
{
	struct world w;
	struct sync_view v;
	size_t c = 0;

	(void)state;
	begin(&w);
	log_text(&w, ANNA, "in beide");
	c = copy_of(&w, ANNA);
	log_text(&w, ANNA, "van de ene");
	log_text(&w, c, "van de andere");
	log_text(&w, c, "en nog een");
	world_sync(&w, ANNA);
	log_text(&w, BRAM, "Bram gaat door");
	world_sync(&w, BRAM);
	v = world_sync(&w, c);
	assert_true(v.notice[0] != '\0');
	for (int k = 0; k < 2; k++) {
		world_sync(&w, ANNA);
		world_sync(&w, BRAM);
		world_sync(&w, c);
		world_sync(&w, COORDINATOR);
	}
	for (size_t i = 0; i < w.n; i++) {
		is_whole(&w, i);
		if (i == COORDINATOR)
			continue;
		same(&w, i, BRAM, CIRCLE);
		same(&w, i, COORDINATOR, WEST);
		assert_int_equal(count_text(&w, i, "in beide"), 1);
		assert_int_equal(count_text(&w, i, "van de ene"), 1);
		assert_int_equal(count_text(&w, i, "van de andere"), 1);
		assert_int_equal(count_text(&w, i, "en nog een"), 1);
		assert_int_equal(count_text(&w, i, "Bram gaat door"), 1);
		assert_int_equal(unsent(&w, i), 0);
	}
	log_text(&w, c, "later");
	world_sync(&w, c);
	world_sync(&w, ANNA);
	assert_int_equal(count_text(&w, ANNA, "later"), 1);
	world_end(&w);
}

static enum err is_public(void *arg, const uint8_t public[static BOX_PUBLIC_LEN],
                          const uint8_t secret[static BOX_SECRET_LEN])
{
	(void)secret;
	return memcmp(arg, public, BOX_PUBLIC_LEN) == 0 ? ERR_OK : ERR_NOT_FOUND;
}

/* A copy has the box secrets of the home it was taken from: once that home knows that somebody goes on from it, boxes
 * come to another key, so that a copy that is removed opens none of them (K1). Seen to catch: a home that keeps its box
 * key when a copy goes on. Seeds 2638 and 6402 of the simulator had found it. */
static void a_removed_copy_opens_no_box(void **state)
{
	struct world w;
	struct space_row there;
	struct device_row *list = NULL;
	size_t n = 0;
	size_t in = 0;
	size_t c = 0;

	(void)state;
	begin(&w);
	c = copy_of(&w, ANNA);
	log_text(&w, ANNA, "van de ene");
	log_text(&w, c, "van de andere");
	world_sync(&w, ANNA);
	for (int k = 0; k < 2; k++) {
		world_sync(&w, c);
		world_sync(&w, ANNA);
		world_sync(&w, BRAM);
	}
	there = space_named(&w, c, CIRCLE);
	{
		struct sync y = sync_of_home(&w, c);

		assert_err(store_device_list(ec, w.app[BRAM]->store, space_named(&w, BRAM, CIRCLE).n, &list, &n),
		           ERR_OK);
		for (size_t i = 0; i < n; i++) {
			if (list[i].state != DEVICE_ACTIVE || device_cmp(list[i].id, there.me) == 0)
				continue;
			in++;
			assert_err(box_pairs_try(ec, &y, &there, is_public, list[i].box), ERR_NOT_FOUND);
		}
		assert_int_equal(in, 2); /* Anna and Bram */
	}
	free(list);
	world_end(&w);
}

static struct space_row own_row(struct world *w, size_t i)
{
	struct space_row *list = NULL;
	struct space_row row = { 0 };
	size_t n = 0;

	assert_err(store_space_list(ec, w->app[i]->store, &list, &n), ERR_OK);
	for (size_t k = 0; k < n; k++)
		if (list[k].kind == SPACE_OWN)
			row = list[k];
	free(list);
	return row;
}

/* Where nobody else is, a restored home comes back by itself: the computer that was lost reads nothing that is written
 * from then on (K1), and whoever is invited afterwards comes in. Seen to catch: an epoch that begins for the old id as
 * well; old epochs whose keys are gone, promised to the one who joins. */
static void alone_without_the_lost_one(void **state)
{
	struct world w;
	struct rejoin_view *asked = NULL;
	struct epoch_row *epochs = NULL;
	struct epoch_secret secret;
	char path[300];
	size_t count = 0;
	size_t open = 0;
	size_t c = 0;
	size_t nel = 0;

	(void)state;
	world_begin(&w);
	world_home(&w, "Coos");
	{
		uint8_t master[32];

		memset(master, 1, sizeof(master));
		assert_int_equal(kit_key_file(w.home[0], master), ERR_OK);
	}
	assert_err(app_found_neighbourhood(ec, w.app[0], WEST, w.remote), ERR_OK);
	world_sync(&w, 0);
	backup(&w, 0, path);
	c = restore(&w, 0, path);
	ask(&w, c, &asked);
	world_sync(&w, c);
	world_sync(&w, 0);
	for (int k = 0; k < 2; k++) {
		struct space_row here = k == 0 ? own_row(&w, c) : space_named(&w, c, WEST);
		struct space_row there = k == 0 ? own_row(&w, 0) : space_named(&w, 0, WEST);
		struct sync lost = sync_of_home(&w, 0);

		assert_err(store_epoch_list(ec, w.app[c]->store, here.n, &epochs, &count), ERR_OK);
		for (size_t i = 0; i < count; i++) {
			if (epochs[i].state != EPOCH_OPEN)
				continue;
			open++;
			assert_err(epoch_key_load(ec, &lost, there.n, epochs[i].id, &secret), ERR_NOT_FOUND);
		}
		free(epochs);
	}
	assert_int_equal(open, 2);
	nel = world_home(&w, "Nel");
	world_invite(&w, c, nel, NULL, NULL);
	same(&w, c, nel, WEST);
	free(asked);
	world_end(&w);
}

/* ---- Who does not come back ---- */

/* The last letter of one sort among a home's outgoing files. */
static struct buf letter_of(struct world *w, size_t i, const char *what, const char *space)
{
	struct space_row row = space_named(w, i, space);
	struct file_row *list = NULL;
	struct buf out = { 0 };
	size_t n = 0;

	assert_err(store_outgoing_list(ec, w->app[i]->store, &list, &n), ERR_OK);
	for (size_t k = 0; k < n; k++) {
		struct file_header h;

		if (strncmp(list[k].name, what, strlen(what)) != 0 ||
		    file_header_get(buf_bytes(&list[k].file), &h) != ERR_OK ||
		    memcmp(h.space.b, row.tag.b, TAG_LEN) != 0)
			continue;
		buf_reset(&out);
		assert_err(buf_put(&out, list[k].file.data, list[k].file.len), ERR_OK);
	}
	store_files_free(list, n);
	assert_true(out.len > 0);
	return out;
}

static size_t requested(struct world *w, size_t i)
{
	struct member_view *list = NULL;
	size_t n = 0;
	size_t found = 0;

	assert_err(app_members(ec, w->app[i], NULL, &list, &n), ERR_OK);
	for (size_t k = 0; k < n; k++)
		found += strcmp(list[k].status, "requested") == 0;
	app_members_free(list, n);
	return found;
}

static void person_id(struct world *w, size_t i, const char *space, const char *name, char out[static 40])
{
	struct member_view *list = NULL;
	size_t n = 0;

	out[0] = '\0';
	assert_err(app_members(ec, w->app[i], space, &list, &n), ERR_OK);
	for (size_t k = 0; k < n; k++)
		if (strcmp(list[k].name, name) == 0 && strcmp(list[k].status, "member") == 0)
			snprintf(out, 40, "%s", list[k].id);
	app_members_free(list, n);
	assert_true(out[0] != '\0');
}

/* Somebody stole an old backup of a person whose devices were removed; the letter is refused by everybody, whether it
 * comes before the removal or after it. */
static void a_removed_device_does_not(void **state)
{
	struct world w;
	struct removed_view v;
	struct rejoin_view *asked = NULL;
	char path[300];
	char anna[40];
	struct buf letter = { 0 };
	struct received r;
	size_t c = 0;

	(void)state;
	begin(&w);
	backup(&w, ANNA, path);
	c = restore(&w, ANNA, path);
	ask(&w, c, &asked);
	letter = letter_of(&w, c, "rejoin", CIRCLE);
	r = give(&w, BRAM, "early", buf_bytes(&letter));
	assert_int_equal(r.set_aside, 0);
	assert_int_equal(requested(&w, BRAM), 1);
	person_id(&w, BRAM, CIRCLE, "Anna", anna);
	assert_err(app_member_remove(ec, w.app[BRAM], anna, &v), ERR_OK);
	assert_int_equal(requested(&w, BRAM), 0);
	{
		struct sync y = sync_of_home(&w, BRAM);
		struct rejoin_row *list = NULL;
		size_t n = 0;

		assert_err(rejoin_list(ec, &y, &list, &n), ERR_OK);
		assert_int_equal(n, 0);
		free(list);
	}
	r = give(&w, BRAM, "late", buf_bytes(&letter));
	assert_int_equal(r.set_aside, 1);
	buf_free(&letter);
	free(asked);
	world_end(&w);
}

/* A member approves while another removes: the device that goes on is out too. */
static void a_removal_beside_it_wins(void **state)
{
	struct world w;
	struct removed_view v;
	struct rejoin_view *asked = NULL;
	struct sync_view s;
	char path[300];
	char anna[40];
	size_t n = 0;
	size_t c = 0;

	(void)state;
	begin(&w);
	backup(&w, ANNA, path);
	c = restore(&w, ANNA, path);
	n = ask(&w, c, &asked);
	world_sync(&w, c);
	world_sync(&w, COORDINATOR);
	world_sync(&w, BRAM);
	person_id(&w, COORDINATOR, WEST, "Anna", anna);
	approve(&w, BRAM, WEST, asked, n);
	assert_err(app_member_remove(ec, w.app[COORDINATOR], anna, &v), ERR_OK);
	world_sync(&w, BRAM);
	world_sync(&w, COORDINATOR);
	world_sync(&w, BRAM);
	assert_err(app_sync(ec, w.app[c], &s), ERR_OK);
	log_text(&w, BRAM, "alleen voor wie er nog is");
	for (int k = 0; k < 2; k++) {
		world_sync(&w, COORDINATOR);
		world_sync(&w, BRAM);
		assert_err(app_sync(ec, w.app[c], &s), ERR_OK);
	}
	same(&w, BRAM, COORDINATOR, WEST);
	for (size_t i = COORDINATOR; i <= BRAM; i += 2) {
		struct space_row row = space_named(&w, i, WEST);
		struct device_row *list = NULL;
		size_t count = 0;
		size_t in = 0;

		assert_err(store_device_list(ec, w.app[i]->store, row.n, &list, &count), ERR_OK);
		for (size_t k = 0; k < count; k++)
			in += list[k].state == DEVICE_ACTIVE;
		assert_int_equal(in, 2); /* Coos and Bram */
		free(list);
	}
	free(asked);
	world_end(&w);
}

/* docs/FORMAT.md, "Join files": keys of fixed bytes; the whole letter by its hash. */
static void the_letter_of_the_format(void **state)
{
	const struct rng rng = { counting_fill, &counted };
	struct device_keys *old = NULL;
	struct device_keys *new = NULL;
	struct again a = { .made_ms = 20000LL * 24 * 60 * 60 * 1000 };
	struct file_header h = { .type = FILE_JOIN_REQUEST, .seq = REJOIN_SEQ };
	struct space_id space;
	uint8_t letter[REJOIN_LEN];
	uint8_t hash[HASH_LEN];
	char hex[2 * HASH_LEN + 1];

	(void)state;
	counted = 0;
	old = device_keys_make(&rng);
	new = device_keys_make(&rng);
	memset(space.b, 0x33, sizeof(space.b));
	memset(h.space.b, 0x11, TAG_LEN);
	memset(h.device.b, 0x22, TAG_LEN);
	a.old = device_id_make(space, old->public.sign, 0);
	bundle_put(&new->public, a.bundle);
	goes_on_hash(space, a.old, a.bundle, hash);
	sign_make(old->sign_secret, (struct bytes){ hash, sizeof(hash) }, a.signature);
	rejoin_letter(&h, &a, new, letter);
	hash_bytes("vector", (struct bytes){ letter, sizeof(letter) }, hash);
	hex_put(hash, HASH_LEN, hex);
	assert_int_equal(sizeof(letter), 277);
	assert_string_equal(hex, VECTOR);
	device_keys_free(old);
	device_keys_free(new);
}

/* What a letter may be that is not one: a bit of it changed, for another space, shown again after it was answered. */
static void letters_that_are_none(void **state)
{
	struct world w;
	struct rejoin_view *asked = NULL;
	char path[300];
	struct buf letter = { 0 };
	struct received r;
	size_t n = 0;
	size_t c = 0;

	(void)state;
	begin(&w);
	backup(&w, ANNA, path);
	c = restore(&w, ANNA, path);
	n = ask(&w, c, &asked);
	letter = letter_of(&w, c, "rejoin", CIRCLE);
	assert_int_equal(letter.len, REJOIN_LEN);
	for (size_t at = FILE_HEADER_LEN; at < letter.len; at += 5) {
		char name[32];

		snprintf(name, sizeof(name), "bit%zu", at);
		letter.data[at] ^= 1;
		r = give(&w, BRAM, name, buf_bytes(&letter));
		letter.data[at] ^= 1;
		assert_int_equal(r.set_aside, 1);
	}
	{ /* signed by the new key anew, so that only what the old one signed can tell: it is for the other space */
		struct sync y = sync_of_home(&w, c);
		struct space_row west = space_named(&w, BRAM, WEST);
		struct device_keys *keys = NULL;
		struct again a;
		struct buf kept = { 0 };
		uint8_t hash[HASH_LEN];

		assert_err(again_load(ec, &y, space_named(&w, c, CIRCLE).n, &a), ERR_OK);
		assert_err(store_kept_get(ec, w.app[c]->store, space_named(&w, c, CIRCLE).n, "again:keys", &kept),
		           ERR_OK);
		keys = secret_new(sizeof(*keys));
		memcpy(keys->sign_secret, kept.data, SIGN_SECRET_LEN);
		memcpy(letter.data + 8, west.tag.b, TAG_LEN);
		hash_bytes("slb rejoin", (struct bytes){ letter.data, REJOIN_LEN - SIGN_LEN }, hash);
		sign_make(keys->sign_secret, (struct bytes){ hash, sizeof(hash) }, letter.data + REJOIN_LEN - SIGN_LEN);
		r = give(&w, BRAM, "elsewhere", buf_bytes(&letter));
		assert_int_equal(requested(&w, BRAM), 0); /* the device is of no such space: it waits for ever */
		buf_free(&kept);
		device_keys_free(keys);
	}
	buf_free(&letter);
	letter = letter_of(&w, c, "rejoin", CIRCLE);
	world_sync(&w, c);
	world_sync(&w, BRAM);
	world_sync(&w, COORDINATOR);
	approve(&w, BRAM, CIRCLE, asked, n);
	approve(&w, COORDINATOR, WEST, asked, n);
	r = give(&w, BRAM, "again", buf_bytes(&letter));
	assert_int_equal(r.set_aside, 0);
	assert_int_equal(requested(&w, BRAM), 1); /* that of the neighbourhood, which Bram has not heard the end of */
	world_sync(&w, COORDINATOR);
	world_sync(&w, BRAM);
	assert_int_equal(requested(&w, BRAM), 0);
	world_sync(&w, c);
	assert_false(restored(&w, c));
	buf_free(&letter);
	free(asked);
	world_end(&w);
}

/* Whoever holds the repository answers the letter: nothing of that is believed. */
static void an_answer_of_a_stranger(void **state)
{
	struct world w;
	struct rejoin_view *asked = NULL;
	char path[300];
	struct buf answer = { 0 };
	struct buf letter = { 0 };
	struct received r;
	size_t other = 0;
	size_t c = 0;

	(void)state;
	begin(&w);
	backup(&w, ANNA, path);
	c = restore(&w, ANNA, path);
	ask(&w, c, &asked);
	letter = letter_of(&w, c, "rejoin", WEST);
	other = world_home(&w, "Dief");
	world_invite(&w, COORDINATOR, other, NULL, NULL); /* a member since the backup: unknown to it */
	give(&w, other, "letter", buf_bytes(&letter));
	{
		struct sync y = sync_of_home(&w, other);
		struct rejoin_row *list = NULL;
		size_t n = 0;

		assert_err(rejoin_list(ec, &y, &list, &n), ERR_OK);
		assert_int_equal(n, 1);
		assert_err(store_begin(ec, w.app[other]->store), ERR_OK);
		assert_err(rejoin_approve(ec, &y, &list[0]), ERR_OK);
		assert_err(store_commit(ec, w.app[other]->store), ERR_OK);
		free(list);
	}
	answer = letter_of(&w, other, "answer", WEST);
	r = give(&w, c, "answer", buf_bytes(&answer));
	assert_int_equal(r.set_aside, 1);
	assert_true(restored(&w, c));
	buf_free(&answer);
	buf_free(&letter);
	free(asked);
	world_end(&w);
}

/* ---- Broken off ---- */

/* Closed and opened again, with a courier of which only `lines` lines of the report arrive; 0: all. */
static void reopened(struct world *w, size_t i, const char *real, int lines)
{
	char path[400];
	char script[1200];
	struct app_options o = { .home = w->home[i], .courier = lines > 0 ? path : real, .clock = &w->clock };
	uint8_t master[32];

	memset(master, ANNA + 1, sizeof(master));
	snprintf(path, sizeof(path), "%s/courier-%d", w->dir, lines);
	snprintf(script, sizeof(script), "#!/bin/sh\n'%s' \"$@\" | head -n %d\n", real, lines);
	assert_err(file_replace(ec, path, (struct bytes){ (uint8_t *)script, strlen(script) }), ERR_OK);
	assert_int_equal(chmod(path, 0700), 0);
	app_close(w->app[i]);
	assert_err(app_open_with_key(ec, &o, master, false, NULL, &w->app[i]), ERR_OK);
}

/* A sync that breaks off after one line more each time, until one comes to its end; in between the person writes. */
static size_t broken_syncs(struct world *w, size_t i, const char *real)
{
	struct sync_view v;
	size_t written = 0;
	bool whole = false;

	for (int lines = 1; lines < 60 && !whole; lines++) {
		char text[40];
		struct errctx ec = { 0 };

		reopened(w, i, real, lines);
		whole = app_sync(&ec, w->app[i], &v) == ERR_OK && v.result == SYNC_DONE;
		snprintf(text, sizeof(text), "regel %d", lines);
		log_text(w, i, text);
		written++;
		is_whole(w, i);
	}
	assert_true(whole);
	reopened(w, i, real, 0);
	return written;
}

static void regels_are_once(struct world *w, size_t i, size_t n)
{
	for (size_t k = 1; k <= n; k++) {
		char text[40];

		snprintf(text, sizeof(text), "regel %zu", k);
		assert_int_equal(count_text(w, i, text), 1);
	}
}

static void broken_off_anywhere(void **state)
{
	(void)state;
	for (int copy = 0; copy < 2; copy++) {
		struct world w;
		struct rejoin_view *asked = NULL;
		char path[300];
		char *real = NULL;
		size_t n = 0;
		size_t written = 0;
		size_t c = 0;

		begin(&w);
		real = realpath(w.app[ANNA]->courier, NULL);
		log_text(&w, ANNA, "in beide");
		if (copy == 0)
			backup(&w, ANNA, path);
		else
			c = copy_of(&w, ANNA);
		log_text(&w, ANNA, "van de oude");
		world_sync(&w, ANNA);
		log_text(&w, BRAM, "van Bram erbij");
		world_sync(&w, BRAM);
		if (copy == 0)
			c = restore(&w, ANNA, path);
		log_text(&w, c, "van de nieuwe");
		if (copy == 0) {
			n = ask(&w, c, &asked);
			world_sync(&w, c);
			world_sync(&w, BRAM);
			world_sync(&w, COORDINATOR);
			approve(&w, BRAM, CIRCLE, asked, n);
			approve(&w, COORDINATOR, WEST, asked, n);
			world_sync(&w, BRAM);
			world_sync(&w, COORDINATOR);
		}
		written = broken_syncs(&w, c, real);
		world_sync(&w, c);
		assert_false(restored(&w, c));
		all_sync(&w, c);
		for (size_t k = 0; k < 2; k++) {
			size_t at = k == 0 ? c : BRAM;

			assert_int_equal(count_text(&w, at, "in beide"), 1);
			assert_int_equal(count_text(&w, at, "van de oude"), 1);
			assert_int_equal(count_text(&w, at, "van de nieuwe"), 1);
			assert_int_equal(count_text(&w, at, "van Bram erbij"), 1);
			regels_are_once(&w, at, written);
		}
		print_message("# %s: broken off %zu times\n", copy == 0 ? "restored" : "a copy", written - 1);
		free(real);
		free(asked);
		world_end(&w);
	}
}

/* ---- Resting ---- */

static const char *status_of(struct world *w, size_t i, const char *name)
{
	static char out[12];
	struct member_view *list = NULL;
	size_t n = 0;

	out[0] = '\0';
	assert_err(app_members(ec, w->app[i], CIRCLE, &list, &n), ERR_OK);
	for (size_t k = 0; k < n; k++)
		if (strcmp(list[k].name, name) == 0)
			snprintf(out, sizeof(out), "%s", list[k].status);
	app_members_free(list, n);
	return out;
}

/* Not heard of for 60 days; back with the first word, and never oneself. */
static void who_is_away_rests(void **state)
{
	const int64_t day = 24LL * 60 * 60 * 1000;
	struct world w;

	(void)state;
	begin(&w);
	assert_string_equal(status_of(&w, ANNA, "Bram"), "member");
	w.now_ms += 59 * day;
	assert_string_equal(status_of(&w, ANNA, "Bram"), "member");
	w.now_ms += 2 * day;
	assert_string_equal(status_of(&w, ANNA, "Bram"), "resting");
	assert_string_equal(status_of(&w, ANNA, "Anna"), "member");
	log_text(&w, BRAM, "weer terug");
	world_sync(&w, BRAM);
	world_sync(&w, ANNA);
	assert_string_equal(status_of(&w, ANNA, "Bram"), "member");
	assert_int_equal(count_text(&w, ANNA, "weer terug"), 1);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_restored_home_comes_back),  cmocka_unit_test(sealed_before_the_backup),
		cmocka_unit_test(references_follow),           cmocka_unit_test(a_copy_goes_on_beside),
		cmocka_unit_test(a_removed_copy_opens_no_box), cmocka_unit_test(the_letter_of_the_format),
		cmocka_unit_test(a_removed_device_does_not),   cmocka_unit_test(a_removal_beside_it_wins),
		cmocka_unit_test(letters_that_are_none),       cmocka_unit_test(an_answer_of_a_stranger),
		cmocka_unit_test(alone_without_the_lost_one),  cmocka_unit_test(who_is_away_rests),
		cmocka_unit_test(broken_off_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
