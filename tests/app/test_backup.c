// SPDX-License-Identifier: EUPL-1.2
// Goal: a backup holds everything that can be read and no key that opens what others write; a restored home is whole,
// goes on writing, and never passes for the device it was (S7): not one batch, not one letter, nothing at the host.
// Seen to catch: an epoch key or a box secret that stays; kinds that nobody listed and that stay; deleted rows whose
// bytes stay in free pages (secure_delete off) or in the gaps of pages that are in use (rows taken out one by one); a
// restored home without its mark, or whose outbox seals; a restored home under the file id of its backup; a trailer
// that is not compared; a folder with somebody else's file that is taken over.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "app/backup_kept.h"
#include "app/backup_kit.h"
#include "app/contacts.h"
#include "app/tally.h"
#include "app/verify.h"
#include "batch/batch.h"
#include "crypto/secret.h"
#include "support/asserts.h"
#include "support/older.h"
#include "sync/homes.h"
#include "sync/outbox.h"
#include "sync/restored.h"
#include "vault/backup_pack.h"
#include "vault/keyring.h"
#include "vault/page.h"
#include "vault/vault.h"

enum { COORDINATOR, ANNA, BRAM, HOMES };

#define CIRCLE "Plein"

struct scene {
	struct world w;
	char file[300];
	uint8_t master[HOMES][32];
};

static void path_in(const struct scene *s, const char *name, char out[static 300])
{
	snprintf(out, 300, "%.200s/%.80s", s->w.dir, name);
}

static void log_one(struct scene *s, size_t i, const char *text)
{
	struct contact_fields f = { .text = text, .resident = "Roos" };
	char id[ID_TEXT_LEN];

	assert_err(contact_add(ec, s->w.app[i], CIRCLE, &f, id), ERR_OK);
}

/* Anna and Bram share a circle; both have written and sent. */
static void begin(struct scene *s)
{
	static const char *const nick[] = { "Coos", "Anna", "Bram" };

	memset(s, 0, sizeof(*s));
	world_begin(&s->w);
	for (size_t i = 0; i < HOMES; i++) {
		world_home(&s->w, nick[i]);
		memset(s->master[i], (int)i + 1, 32);
		assert_int_equal(kit_key_file(s->w.home[i], s->master[i]), ERR_OK);
	}
	path_in(s, "backup", s->file);
	assert_err(app_found_neighbourhood(ec, s->w.app[COORDINATOR], "West", s->w.remote), ERR_OK);
	world_sync(&s->w, COORDINATOR);
	world_invite(&s->w, COORDINATOR, ANNA, NULL, NULL);
	assert_err(app_found_circle(ec, s->w.app[ANNA], CIRCLE), ERR_OK);
	world_sync(&s->w, ANNA);
	world_invite(&s->w, ANNA, BRAM, CIRCLE, NULL);
	log_one(s, ANNA, "van Anna");
	log_one(s, BRAM, "van Bram");
	for (int i = 0; i < 2; i++) {
		world_sync(&s->w, ANNA);
		world_sync(&s->w, BRAM);
	}
}

static struct app_options options(struct scene *s, const char *home)
{
	return (struct app_options){ .home = home, .clock = &s->w.clock };
}

static void make_backup(struct scene *s, size_t i, struct backup_view *v)
{
	assert_err(kit_backup(ec, s->w.app[i], s->file, v), ERR_OK);
}

static enum err restore(struct scene *s, const char *home, size_t i, struct restored_view *v)
{
	struct app_options o = options(s, home);

	return kit_restore(NULL, &o, s->file, s->master[i], v);
}

/* A home that came out of Anna's backup. */
static void reopen(struct scene *s, size_t i)
{
	struct app_options o = options(s, s->w.home[i]);
	char *courier = s->w.app[i] == NULL ? NULL : strdup(s->w.app[i]->courier);

	o.courier = courier != NULL ? courier : s->w.app[ANNA]->courier;
	app_close(s->w.app[i]);
	assert_err(app_open_with_key(ec, &o, s->master[ANNA], false, NULL, &s->w.app[i]), ERR_OK);
	free(courier);
}

/* Restores Anna's backup as one more home of the world, and opens it. */
static size_t restored_home(struct scene *s)
{
	struct restored_view v;
	size_t n = s->w.n;
	char home[300];

	path_in(s, "restored", home);
	strcpy(s->w.home[n], home);
	assert_err(restore(s, s->w.home[n], ANNA, &v), ERR_OK);
	reopen(s, n);
	s->w.n++;
	return n;
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Everything under a path, by content, as one number. */
static uint64_t state_of(const char *path)
{
	char command[700];
	char out[80] = "";
	FILE *p = NULL;

	snprintf(command, sizeof(command),
	         "cd '%s' && find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum", path);
	p = popen(command, "r");
	assert_non_null(p);
	assert_non_null(fgets(out, sizeof(out), p));
	assert_int_equal(pclose(p), 0);
	out[16] = '\0';
	return strtoull(out, NULL, 16);
}

/* ---- What travels ---- */

/* Every page of the vault in a backup, opened. */
static struct buf pages_of(struct scene *s, size_t i)
{
	struct backup_keys *keys = backup_keys_new(s->master[i]);
	struct backup_list list;
	struct buf head = { 0 };
	struct buf db = { 0 };
	struct keyring *ring = NULL;
	char dir[300];
	char path[320];
	int fd = open(s->file, O_RDONLY);

	path_in(s, "pages", dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_err(backup_begin(ec, fd, s->file, &head), ERR_OK);
	assert_err(backup_unpack(ec, fd, s->file, keys, buf_bytes(&head), dir, &list), ERR_OK);
	close(fd);
	snprintf(path, sizeof(path), "%s/vault.db", dir);
	assert_err(file_read(ec, path, 1u << 30, &db), ERR_OK);
	ring = keyring_new(s->master[i], db.data);
	assert_non_null(ring);
	for (size_t at = 0; at < db.len; at += VAULT_PAGE_SIZE)
		assert_int_equal(page_unseal(ring, (uint32_t)(at / VAULT_PAGE_SIZE + 1), db.data + at, VAULT_PAGE_SIZE),
		                 ERR_OK);
	keyring_free(ring);
	backup_keys_free(keys);
	buf_free(&head);
	return db;
}

static bool holds(const struct buf *pages, const void *what, size_t len)
{
	return memmem(pages->data, pages->len, what, len) != NULL;
}

static void kept_put(struct scene *s, size_t i, const char *name, const void *bytes, size_t len)
{
	struct store *store = s->w.app[i]->store;

	assert_err(store_begin(ec, store), ERR_OK);
	assert_err(store_kept_put(ec, store, 1, name, (struct bytes){ bytes, len }), ERR_OK);
	assert_err(store_commit(ec, store), ERR_OK);
}

/* Secrets that came, were written over and went, in no order, in rows of many sizes beside such as stay: pages of the
 * table and of its spare are split and joined over and over. Each begins with a mark of its own. */
static void churn(struct scene *s, size_t i, unsigned steps)
{
	static const size_t lengths[] = { 32, 32, 69, 209, 709 };
	struct store *store = s->w.app[i]->store;
	uint32_t random = 1;
	const uint8_t letter[900] = { 1 };
	uint8_t secret[900];
	char name[40] = "";

	assert_err(store_begin(ec, store), ERR_OK);
	for (unsigned k = 0; k < steps; k++) {
		uint32_t which = 0;

		random = random * 1664525u + 1013904223u;
		which = (random >> 8) % (k + 1) * 2654435761u;
		for (size_t at = 0; at < sizeof(secret); at++)
			secret[at] = (uint8_t)((k * 2654435761u + (uint32_t)at * 40503u) >> 8);
		snprintf((char *)secret, sizeof(secret), "gone secret %04u", k);
		snprintf(name, sizeof(name), "invite:%08x", k * 2654435761u);
		assert_err(store_kept_put(ec, store, 1, name, (struct bytes){ secret, lengths[(random >> 20) % 5] }),
		           ERR_OK);
		snprintf(name, sizeof(name), "used:%08x", which);
		if (random >> 9 & 1)
			assert_err(store_kept_put(ec, store, 1, name, (struct bytes){ (uint8_t *)name, 32 }), ERR_OK);
		if (random >> 10 & 1)
			assert_err(store_outgoing_put(ec, store, 1, "refs/heads/letters", name,
			                              (struct bytes){ letter, lengths[(random >> 16) % 5] }, 0),
			           ERR_OK);
		if ((random >> 11 & 3) == 0) {
			snprintf(name, sizeof(name), "used:%08x", (random >> 8) % (k + 1) * 7 % (k + 1) * 2654435761u);
			assert_err(store_outgoing_sent(ec, store, "refs/heads/letters", name), ERR_OK);
		}
		snprintf(name, sizeof(name), "invite:%08x", which);
		if (random >> 28 == 0)
			assert_err(store_kept_delete(ec, store, 1, name), ERR_OK);
		else if (random >> 28 < 6)
			assert_err(
			    store_kept_put(ec, store, 1, name, (struct bytes){ secret, lengths[(random >> 12) % 5] }),
			    ERR_OK);
	}
	assert_err(store_commit(ec, store), ERR_OK);
}

static void keys_do_not_travel(void **state)
{
	static const char teller[] = "the secret of a teller for one period, 96 bytes or so";
	static const char unknown[] = "a kind of secret that nobody thought of when this was written";
	static const char told[] = "what this device answered, of 32";
	struct scene s;
	struct invite_view invite;
	struct backup_view v;
	struct kept_row *rows = NULL;
	struct device_keys *mine = NULL;
	struct buf pages = { 0 };
	size_t n = 0;
	size_t secrets = 0;

	(void)state;
	begin(&s);
	assert_err(app_invite(ec, s.w.app[ANNA], &(struct invite_ask){ .space = CIRCLE }, &invite), ERR_OK);
	buf_free(&invite.text);
	kept_put(&s, ANNA, "tally/secret/2026Q3", teller, sizeof(teller));
	kept_put(&s, ANNA, "tally/told/2026Q3", told, sizeof(told));
	kept_put(&s, ANNA, "another/kind", unknown, sizeof(unknown));
	kept_put(&s, ANNA, "~sorts after all", unknown, sizeof(unknown));
	churn(&s, ANNA, 400);
	make_backup(&s, ANNA, &v);
	pages = pages_of(&s, ANNA);

	/* the search finds what is there */
	assert_true(holds(&pages, "van Anna", 8) && holds(&pages, "van Bram", 8));
	assert_true(holds(&pages, told, sizeof(told) - 1));
	assert_err(store_kept_all(ec, s.w.app[ANNA]->store, &rows, &n), ERR_OK);
	for (size_t i = 0; i < n; i++) {
		const struct bytes b = buf_bytes(&rows[i].bytes);
		const struct sync y = { s.w.app[ANNA]->store, NULL, NULL, NULL };
		struct sync copy = y;

		switch (backup_class_of(rows[i].name)) {
		case BACKUP_GOES: /* not a piece of it */
			for (size_t at = 0; at + 16 <= b.len && at + 16 <= 96; at += 16)
				if (holds(&pages, b.data + at, 16))
					fail_msg("%s is in the backup", rows[i].name);
			secrets++;
			break;
		case BACKUP_SIGN_ONLY:
			assert_err(device_keys_load(ec, &copy, rows[i].space, &mine), ERR_OK);
			assert_true(holds(&pages, mine->sign_secret, 32));
			assert_false(holds(&pages, mine->box_secret, 16) || holds(&pages, mine->box_secret + 16, 16));
			device_keys_free(mine);
			secrets++;
			break;
		default:
			assert_true(b.len == 0 || holds(&pages, b.data, b.len < 200 ? b.len : 200));
			break;
		}
	}
	assert_true(secrets >= 3 + 3 + 3 + 60); /* devices, epochs, our own, churned */
	/* what was deleted before is gone as well */
	assert_false(holds(&pages, "gone secret", 11));
	assert_false(holds(&pages, unknown, 16));
	store_kept_free(rows, n);
	buf_free(&pages);
	world_end(&s.w);
}

/* One bit, anywhere: a restored home is mended as any other, and is still no device (S7). */
static void it_can_be_repaired(void **state)
{
	struct scene s;
	struct backup_view v;
	size_t home = 0;
	size_t mended = 0;
	size_t pages = 0;

	(void)state;
	begin(&s);
	make_backup(&s, ANNA, &v);
	home = restored_home(&s);
	for (size_t page = 2; page < 200; page += 9) {
		struct app_options o = { .home = s.w.home[home],
			                 .clock = &s.w.clock,
			                 .courier = s.w.app[ANNA]->courier };
		struct errctx error = { 0 };
		struct repair_view r = { 0 };
		struct restored is = { 0 };
		struct sync y = { 0 };
		char path[320];
		struct buf db = { 0 };
		FILE *f = NULL;

		app_close(s.w.app[home]);
		snprintf(path, sizeof(path), "%s/vault.db", s.w.home[home]);
		assert_err(file_read(ec, path, 1u << 30, &db), ERR_OK);
		if (page * VAULT_PAGE_SIZE < db.len) {
			db.data[page * VAULT_PAGE_SIZE + 99] ^= 1;
			f = fopen(path, "r+");
			assert_int_equal(fwrite(db.data, 1, db.len, f), db.len);
			assert_int_equal(fclose(f), 0);
			pages++;
		}
		buf_free(&db);
		assert_err(app_shell(&o, &s.w.app[home]), ERR_OK);
		if (app_repair(&error, s.w.app[home], s.master[ANNA], &r) != ERR_OK)
			break; /* what tells that it was restored may have been there */
		mended += r.needed;
		y.store = s.w.app[home]->store;
		assert_err(restored_get(ec, &y, &is), ERR_OK);
		assert_true(is.is);
		assert_true(r.edits_lost == 0 && r.batches_lost == 0);
	}
	print_message("# a restored home mended %zu times of %zu\n", mended, pages);
	assert_true(mended > 3);
	world_end(&s.w);
}

/* What real use keeps falls under a kind that somebody thought about. */
static void no_kind_is_forgotten(void **state)
{
	static const char *const known_to_go[] = { "epoch:", "box:", "invite:", "tally/secret/" };
	struct scene s;
	struct invite_view invite;

	(void)state;
	begin(&s);
	assert_err(app_invite(ec, s.w.app[ANNA], &(struct invite_ask){ .space = CIRCLE }, &invite), ERR_OK);
	buf_free(&invite.text);
	for (size_t i = 0; i < HOMES; i++) {
		struct kept_row *rows = NULL;
		size_t n = 0;

		assert_err(store_kept_all(ec, s.w.app[i]->store, &rows, &n), ERR_OK);
		assert_true(n > 3);
		for (size_t k = 0; k < n; k++) {
			bool known = backup_class_of(rows[k].name) != BACKUP_GOES;

			for (size_t j = 0; j < sizeof(known_to_go) / sizeof(known_to_go[0]); j++)
				known = known || strncmp(rows[k].name, known_to_go[j], strlen(known_to_go[j])) == 0;
			if (!known)
				fail_msg("%s is kept and not listed in backup_kept.c", rows[k].name);
		}
		store_kept_free(rows, n);
	}
	/* a name that only begins like one that stays is not that one */
	assert_int_equal(backup_class_of("genesis2"), BACKUP_GOES);
	assert_int_equal(backup_class_of("tally/signed"), BACKUP_GOES);
	assert_int_equal(backup_class_of(""), BACKUP_GOES);
	world_end(&s.w);
}

/* ---- What comes back ---- */

static size_t contacts(struct scene *s, size_t i, const char *text)
{
	struct contact_query q = { 0 };
	struct contact_list list = { 0 };
	size_t n = 0;

	assert_err(contact_list_some(ec, s->w.app[i], &q, &list), ERR_OK);
	for (size_t k = 0; k < list.n; k++)
		n += text == NULL || (list.item[k].text != NULL && strcmp(list.item[k].text, text) == 0);
	contact_list_free(&list);
	return n;
}

static uint64_t count_of(struct scene *s, size_t i, const char *sql)
{
	sqlite3_stmt *st = NULL;
	uint64_t n = 0;

	assert_int_equal(sqlite3_prepare_v2(vault_db(s->w.app[i]->vault), sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

static void everything_comes_back(void **state)
{
	struct scene s;
	struct backup_view v;
	struct buf before = { 0 };
	struct buf after = { 0 };
	struct status_view st;
	struct hit *hits = NULL;
	size_t found = 0;
	size_t c = 0;
	uint64_t unsent = 0;

	(void)state;
	begin(&s);
	log_one(&s, ANNA, "nog niet verstuurd");
	before = world_dump(&s.w, ANNA, CIRCLE);
	make_backup(&s, ANNA, &v);
	assert_int_equal(v.holds.contacts, 3);
	assert_int_equal(v.holds.edits, count_of(&s, ANNA, "SELECT count(*) FROM edit"));
	assert_true(v.bytes > 65536 && v.at[0] == '2');
	c = restored_home(&s);
	after = world_dump(&s.w, c, CIRCLE);
	assert_int_equal(bytes_cmp(buf_bytes(&before), buf_bytes(&after)), 0);
	assert_int_equal(contacts(&s, c, "nog niet verstuurd"), 1);
	assert_err(app_status(ec, s.w.app[c], &st), ERR_OK);
	assert_string_equal(st.restored, v.at);
	unsent = st.unsent;
	assert_true(unsent >= 1);
	app_status_free(&st);
	assert_err(app_status(ec, s.w.app[ANNA], &st), ERR_OK);
	assert_string_equal(st.restored, "");
	assert_int_equal(st.unsent, unsent);
	app_status_free(&st);
	log_one(&s, c, "hier verder");
	reopen(&s, c);
	assert_int_equal(contacts(&s, c, NULL), 4);
	assert_err(store_search(ec, s.w.app[c]->store, "verstuurd", 0, 10, &hits, &found), ERR_OK);
	assert_int_equal(found, 1);
	store_hits_free(hits, found);
	buf_free(&before);
	buf_free(&after);
	world_end(&s.w);
}

/* The others go on as if it were not there; the host never sees it. */
static void it_is_not_the_device_it_was(void **state)
{
	struct scene s;
	struct backup_view v;
	struct sync_view sync;
	struct invite_view invite;
	struct tally_planned planned;
	struct tally_preview preview;
	struct tally_counted counted;
	struct tally_combined combined;
	const struct tally_ask ask = { .period = "2025Q2" };
	struct space_row *list = NULL;
	uint8_t fingerprint[FINGERPRINT_LEN];
	char who[128];
	struct join_view asked;
	struct buf a = { 0 };
	struct buf b = { 0 };
	uint64_t host = 0;
	uint64_t batches = 0;
	uint64_t outgoing = 0;
	size_t spaces = 0;
	size_t c = 0;

	(void)state;
	begin(&s);
	log_one(&s, ANNA, "voor de reservekopie, nog niet verstuurd");
	make_backup(&s, ANNA, &v);
	log_one(&s, ANNA, "na de reservekopie");
	world_sync(&s.w, ANNA);
	assert_err(app_invite(ec, s.w.app[COORDINATOR], &(struct invite_ask){ 0 }, &invite), ERR_OK);
	host = state_of(s.w.remote);
	c = restored_home(&s);
	log_one(&s, c, "in de teruggezette kluis");
	batches = count_of(&s, c, "SELECT count(*) FROM batch");
	outgoing = count_of(&s, c, "SELECT count(*) FROM outgoing");

	assert_err(app_sync(ec, s.w.app[c], &sync), ERR_LATER);
	assert_int_equal(sync.sent + sync.received, 0);
	{
		struct app *app = s.w.app[c];
		struct sync y = { app->store, app->zip, app->rng, app->clock };

		assert_err(store_space_list(ec, app->store, &list, &spaces), ERR_OK);
		assert_int_equal(spaces, 3);
		for (size_t i = 0; i < spaces; i++) {
			assert_err(store_begin(ec, app->store), ERR_OK);
			assert_err(outbox_seal(ec, &y, &list[i]), ERR_LATER);
			store_rollback(app->store);
		}
		free(list);
		assert_err(app_found_neighbourhood(ec, app, "Oost", s.w.remote), ERR_LATER);
		assert_err(app_found_circle(ec, app, "Nieuw"), ERR_LATER);
		assert_err(app_join(ec, app, (const char *)invite.text.data, invite.text.len, false, &asked),
		           ERR_LATER);
		assert_err(app_join_request(ec, app, s.w.remote, fingerprint), ERR_LATER);
		assert_err(app_approve(ec, app, "00", NULL, who), ERR_LATER);
		buf_free(&invite.text);
		assert_err(app_invite(ec, app, &(struct invite_ask){ .space = CIRCLE }, &invite), ERR_LATER);
		assert_err(app_tally_plan(ec, app, &ask, &planned), ERR_LATER);
		assert_err(app_tally_contribute(ec, app, "2025Q2", CIRCLE, &preview), ERR_LATER);
		assert_err(app_tally_count(ec, app, "2025Q2", &counted), ERR_LATER);
		assert_err(app_tally_combine(ec, app, "2025Q2", &combined), ERR_LATER);
	}
	reopen(&s, c); /* nor after it was closed */
	assert_err(app_sync(ec, s.w.app[c], &sync), ERR_LATER);
	assert_int_equal(count_of(&s, c, "SELECT count(*) FROM batch"), batches);
	assert_int_equal(count_of(&s, c, "SELECT count(*) FROM outgoing"), outgoing);
	assert_true(state_of(s.w.remote) == host);

	/* a backup of it is one of a restored home too */
	{
		struct restored_view r;
		struct status_view st;
		struct app_options o;
		char again[300];
		struct app *app = NULL;

		path_in(&s, "backup2", s.file);
		assert_int_equal(kit_key_file(s.w.home[c], s.master[ANNA]), ERR_OK);
		make_backup(&s, c, &v);
		path_in(&s, "again", again);
		assert_err(restore(&s, again, ANNA, &r), ERR_OK);
		o = options(&s, again);
		assert_err(app_open_with_key(ec, &o, s.master[ANNA], false, NULL, &app), ERR_OK);
		assert_err(app_status(ec, app, &st), ERR_OK);
		assert_true(st.restored[0] != '\0');
		app_status_free(&st);
		assert_err(app_sync(ec, app, &sync), ERR_LATER);
		app_close(app);
	}
	world_sync(&s.w, BRAM);
	log_one(&s, BRAM, "Bram gaat door");
	world_sync(&s.w, BRAM);
	world_sync(&s.w, ANNA);
	a = world_dump(&s.w, ANNA, CIRCLE);
	b = world_dump(&s.w, BRAM, CIRCLE);
	assert_int_equal(bytes_cmp(buf_bytes(&a), buf_bytes(&b)), 0);
	assert_int_equal(contacts(&s, BRAM, "na de reservekopie"), 1);
	assert_int_equal(contacts(&s, BRAM, "in de teruggezette kluis"), 0);
	buf_free(&a);
	buf_free(&b);
	world_end(&s.w);
}

static void file_id_of(const char *home, uint8_t out[static FILE_ID_LEN])
{
	char path[320];
	int fd = -1;

	snprintf(path, sizeof(path), "%s/vault.db", home);
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, out, FILE_ID_LEN), FILE_ID_LEN);
	close(fd);
}

/* Home, backup, and two homes that come of it: no page of one opens as a page of another. */
static void every_copy_has_its_own_file_id(void **state)
{
	struct scene s;
	struct backup_view v;
	struct restored_view r;
	struct buf pages = { 0 };
	uint8_t id[4][FILE_ID_LEN];
	char one[300];
	char two[300];
	char in_file[300];

	(void)state;
	begin(&s);
	make_backup(&s, ANNA, &v);
	pages = pages_of(&s, ANNA);
	path_in(&s, "one", one);
	path_in(&s, "two", two);
	path_in(&s, "pages", in_file);
	assert_err(restore(&s, one, ANNA, &r), ERR_OK);
	assert_err(restore(&s, two, ANNA, &r), ERR_OK);
	file_id_of(s.w.home[ANNA], id[0]);
	file_id_of(in_file, id[1]);
	file_id_of(one, id[2]);
	file_id_of(two, id[3]);
	for (int i = 0; i < 4; i++)
		for (int k = 0; k < i; k++)
			assert_memory_not_equal(id[i], id[k], FILE_ID_LEN);
	buf_free(&pages);
	world_end(&s.w);
}

/* ---- The place ---- */

static void expect_nothing_left(const struct scene *s, const char *home)
{
	char part[320];

	(void)s;
	snprintf(part, sizeof(part), "%s.part", home);
	assert_false(exists(home));
	assert_false(exists(part));
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[400];
	FILE *f = NULL;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void the_place(void **state)
{
	struct scene s;
	struct backup_view v;
	struct restored_view r;
	uint64_t before = 0;
	char home[300];
	char other[300];
	char part[320];

	(void)state;
	begin(&s);
	make_backup(&s, ANNA, &v);
	app_close(s.w.app[BRAM]);
	s.w.app[BRAM] = NULL;
	before = state_of(s.w.home[BRAM]);
	assert_err(restore(&s, s.w.home[BRAM], ANNA, &r), ERR_REFUSED);
	assert_true(state_of(s.w.home[BRAM]) == before);

	path_in(&s, "papers", home);
	assert_int_equal(mkdir(home, 0755), 0);
	write_file(home, "letter.txt", "of somebody");
	assert_err(restore(&s, home, ANNA, &r), ERR_REFUSED);

	path_in(&s, "empty", home);
	assert_int_equal(mkdir(home, 0755), 0);
	assert_err(restore(&s, home, ANNA, &r), ERR_OK);
	{
		struct stat st;

		assert_int_equal(stat(home, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0700);
	}
	path_in(&s, "linked", home);
	path_in(&s, "target", other);
	assert_int_equal(mkdir(other, 0700), 0);
	assert_int_equal(symlink(other, home), 0);
	assert_err(restore(&s, home, ANNA, &r), ERR_OK);
	snprintf(part, sizeof(part), "%s/keys", other);
	assert_true(exists(part));

	path_in(&s, "deep/er/place//", home);
	assert_err(restore(&s, home, ANNA, &r), ERR_OK);
	path_in(&s, "deep/er/place.part", home);
	assert_false(exists(home));

	/* what a killed attempt left is taken over; what somebody else put there is not */
	path_in(&s, "again", home);
	snprintf(part, sizeof(part), "%s.part", home);
	assert_int_equal(mkdir(part, 0755), 0);
	write_file(part, "vault.db", "half of something");
	assert_err(restore(&s, home, ANNA, &r), ERR_OK);
	assert_false(exists(part));
	path_in(&s, "mine", home);
	snprintf(part, sizeof(part), "%s.part", home);
	assert_int_equal(mkdir(part, 0700), 0);
	write_file(part, "chapter one.txt", "a book in parts");
	assert_err(restore(&s, home, ANNA, &r), ERR_REFUSED);
	assert_false(exists(home));
	strcat(part, "/chapter one.txt");
	assert_true(exists(part));
	world_end(&s.w);
}

static void refused_leaves_nothing(void **state)
{
	struct scene s;
	struct backup_view v;
	struct restored_view r;
	struct buf good = { 0 };
	struct seed {
		uint64_t x;
	} seed = { 20261130 };
	char home[300];

	(void)state;
	begin(&s);
	make_backup(&s, ANNA, &v);
	path_in(&s, "home", home);
	assert_err(restore(&s, home, BRAM, &r), ERR_DAMAGED); /* another master key */
	expect_nothing_left(&s, home);
	assert_err(file_read(ec, s.file, 1u << 30, &good), ERR_OK);
	for (int i = 0; i < 40; i++) {
		size_t bit = (seed.x = seed.x * 6364136223846793005u + 1442695040888963407u) % (8 * good.len);

		good.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_err(file_replace(ec, s.file, buf_bytes(&good)), ERR_OK);
		assert_err(restore(&s, home, ANNA, &r), ERR_DAMAGED);
		expect_nothing_left(&s, home);
		good.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t cut = 1; cut < good.len; cut *= 3) {
		assert_err(file_replace(ec, s.file, (struct bytes){ good.data, good.len - cut }), ERR_OK);
		assert_err(restore(&s, home, ANNA, &r), ERR_DAMAGED);
		expect_nothing_left(&s, home);
	}
	buf_free(&good);
	world_end(&s.w);
}

/* ---- Making it ---- */

static void a_strange_key_file(void **state)
{
	struct scene s;
	struct backup_view v;

	(void)state;
	begin(&s);
	assert_int_equal(kit_key_file(s.w.home[ANNA], s.master[BRAM]), ERR_OK);
	assert_err(kit_backup(ec, s.w.app[ANNA], s.file, &v), ERR_DAMAGED);
	assert_false(exists(s.file));
	world_end(&s.w);
}

/* Nothing of it is left in the home, the home goes on, and what an earlier one left is cleared. */
static void the_home_stays_as_it_was(void **state)
{
	struct scene s;
	struct backup_view v;
	struct buf before = { 0 };
	struct buf after = { 0 };
	char part[320];

	(void)state;
	begin(&s);
	snprintf(part, sizeof(part), "%s/%s", s.w.home[ANNA], BACKUP_PART);
	assert_int_equal(mkdir(part, 0700), 0);
	write_file(part, "vault.db", "the rest of an attempt");
	before = world_dump(&s.w, ANNA, CIRCLE);
	make_backup(&s, ANNA, &v);
	after = world_dump(&s.w, ANNA, CIRCLE);
	assert_int_equal(bytes_cmp(buf_bytes(&before), buf_bytes(&after)), 0);
	assert_false(exists(part));
	assert_int_equal(mkdir(part, 0700), 0); /* so does opening */
	write_file(part, "vault.db", "the rest of an attempt");
	world_reopen(&s.w, ANNA);
	assert_false(exists(part));
	log_one(&s, ANNA, "en door");
	world_sync(&s.w, ANNA);
	world_sync(&s.w, BRAM);
	assert_int_equal(contacts(&s, BRAM, "en door"), 1);
	buf_free(&before);
	buf_free(&after);
	world_end(&s.w);
}

/* A page that does not open is not made to look whole by a backup. */
static void damage_is_told(void **state)
{
	struct scene s;
	struct backup_view v;
	char db[320];
	uint8_t byte = 0;
	int fd = -1;

	(void)state;
	begin(&s);
	snprintf(db, sizeof(db), "%s/vault.db", s.w.home[ANNA]);
	world_reopen(&s.w, ANNA);
	fd = open(db, O_RDWR);
	assert_int_equal(pread(fd, &byte, 1, 20 * 4096 + 99), 1);
	byte ^= 4;
	assert_int_equal(pwrite(fd, &byte, 1, 20 * 4096 + 99), 1);
	close(fd);
	assert_err(kit_backup(ec, s.w.app[ANNA], s.file, &v), ERR_DAMAGED);
	assert_false(exists(s.file));
	world_end(&s.w);
}

/* ---- Other versions ---- */

/* A backup of the vault as its tables are, without bringing them up to date first. */
static void pack_as_it_is(struct scene *s, size_t i)
{
	struct backup_keys *keys = backup_keys_of(s->w.app[i]->vault);
	struct backup_parts parts = { { (const uint8_t *)"keys", 4 }, NULL, 1700000000000 };
	char dir[300];
	uint64_t bytes = 0;
	int fd = open(s->file, O_RDWR | O_CREAT | O_TRUNC, 0600);

	path_in(s, "packed", dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_err(backup_copy(s->w.app[i]->vault, ec, dir), ERR_OK);
	parts.dir = dir;
	assert_err(backup_pack(ec, fd, s->file, keys, &parts, &crypto_rng, &bytes), ERR_OK);
	close(fd);
	backup_keys_free(keys);
}

static void version_now(struct scene *s, size_t i, const char *sql)
{
	char *why = NULL;

	if (sqlite3_exec(vault_db(s->w.app[i]->vault), sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
}

static void an_older_version_is_brought_up_to_date(void **state)
{
	(void)state;
	for (int version = 1; version <= 2; version++) {
		struct scene s;
		struct hit *hits = NULL;
		size_t found = 0;
		size_t c = 0;

		begin(&s);
		assert_true(older_make(vault_db(s.w.app[ANNA]->vault), version));
		pack_as_it_is(&s, ANNA);
		c = restored_home(&s);
		assert_int_equal(contacts(&s, c, NULL), 2);
		assert_err(store_search(ec, s.w.app[c]->store, "Bram", 0, 10, &hits, &found), ERR_OK);
		assert_true(found >= 1);
		store_hits_free(hits, found);
		log_one(&s, c, "en verder");
		world_end(&s.w);
	}
}

static void a_newer_version_is_left_alone(void **state)
{
	struct scene s;
	struct restored_view r;
	char home[300];

	(void)state;
	begin(&s);
	version_now(&s, ANNA, "PRAGMA user_version = 4000");
	pack_as_it_is(&s, ANNA);
	path_in(&s, "home", home);
	assert_err(restore(&s, home, ANNA, &r), ERR_REFUSED);
	expect_nothing_left(&s, home);
	world_end(&s.w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_do_not_travel),
		cmocka_unit_test(it_can_be_repaired),
		cmocka_unit_test(no_kind_is_forgotten),
		cmocka_unit_test(everything_comes_back),
		cmocka_unit_test(it_is_not_the_device_it_was),
		cmocka_unit_test(every_copy_has_its_own_file_id),
		cmocka_unit_test(the_place),
		cmocka_unit_test(refused_leaves_nothing),
		cmocka_unit_test(a_strange_key_file),
		cmocka_unit_test(the_home_stays_as_it_was),
		cmocka_unit_test(damage_is_told),
		cmocka_unit_test(an_older_version_is_brought_up_to_date),
		cmocka_unit_test(a_newer_version_is_left_alone),
	};
	char base[] = "/dev/shm/slb-backup-XXXXXX";
	int failed = 0;

	/* In memory where possible: what the disk does is not asked here. */
	if (access("/dev/shm", W_OK) != 0 || mkdtemp(base) == NULL)
		return cmocka_run_group_tests(tests, NULL, NULL);
	setenv("TMPDIR", base, 1);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(base);
	return failed;
}
