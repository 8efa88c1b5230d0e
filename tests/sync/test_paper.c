// SPDX-License-Identifier: EUPL-1.2
// Goal: a recovery sheet is a device (V4, K1, K3). What the others wrote after the last letter, under an epoch that one
// of them began, comes back too, for they box its key to the sheet; a fresh device goes on, and not a byte of the
// sheet's secrets stays in the vault. A letter counts only with the word of a home that had the sheet, whoever can seal
// to it. A host that shows less than was promised is noticed, and nothing is written meanwhile. A sheet with no device
// left harms nothing, and is told. Seen to catch: letters taken without their author's word, a sheet whose second use
// is taken for a copy of this device, a sheet that renews its box key, a space that goes on as the sheet, a letter
// without a floor, a device number beyond the last.
#include "sync/forge.h"

#include "app/comeback.h"
#include "app/contacts.h"
#include "sync/floor.h"
#include "sync/paper.h"
#include "sync/removal.h"

struct kit {
	struct world w;
	uint8_t secret[SHEET_SECRET_LEN];
	char words[SHEET_WORDS * (WORD_LEN + 1)];
};

static void sheet_here(struct kit *k, size_t home, uint8_t fill, uint32_t number, uint32_t next)
{
	struct sync y = sync_of_home(&k->w, home);
	struct sheet_words words;
	struct errctx ec = { 0 };
	struct paper *p = NULL;

	memset(k->secret, fill, sizeof(k->secret));
	sheet_words_put(k->secret, &words);
	for (int i = 0; i < SHEET_WORDS; i++) {
		memcpy(k->words + i * (WORD_LEN + 1), words.word[i], WORD_LEN);
		k->words[i * (WORD_LEN + 1) + WORD_LEN] = ' ';
	}
	p = paper_make(k->secret, number, 20000);
	assert_non_null(p);
	p->next = next;
	assert_int_equal(store_begin(&ec, y.store), ERR_OK);
	assert_int_equal(paper_put(&ec, &y, p), ERR_OK);
	assert_int_equal(store_commit(&ec, y.store), ERR_OK);
	paper_free(p);
}

static void setup_kit(struct kit *k)
{
	struct errctx ec = { 0 };

	memset(k, 0, sizeof(*k));
	world_begin(&k->w);
	world_home(&k->w, "noor");
	world_home(&k->w, "omar");
	world_home(&k->w, "els");
	assert_int_equal(app_found_neighbourhood(&ec, k->w.app[0], "Bos", k->w.remote), ERR_OK);
	assert_int_equal(app_found_circle(&ec, k->w.app[0], "Plein"), ERR_OK);
	world_sync(&k->w, 0);
	world_invite(&k->w, 0, 1, "Plein", NULL);
	world_invite(&k->w, 0, 2, "Plein", NULL);
	world_sync(&k->w, 1);
	world_sync(&k->w, 0);
	sheet_here(k, 0, 7, 1, 0);
	for (int i = 0; i < 2; i++)
		world_sync(&k->w, 0);
	world_sync(&k->w, 1);
	world_sync(&k->w, 2);
}

static enum err log_in(struct world *w, size_t i, const char *circle, const char *text, struct errctx *ec)
{
	const struct contact_fields f = { .text = text };
	char id[ID_TEXT_LEN];

	return contact_add(ec, w->app[i], circle, &f, id);
}

static enum err fetch(struct kit *k, size_t home, struct comeback **out)
{
	struct errctx ec = { 0 };
	const char *build = getenv("BUILD");
	char courier[512];
	struct app_options o = { .home = k->w.home[home], .courier = courier, .clock = &k->w.clock };

	snprintf(courier, sizeof(courier), "%s/sleutelbos-courier", build != NULL ? build : "build");
	return comeback_fetch(&ec, &o, (struct bytes){ (const uint8_t *)k->words, sizeof(k->words) }, k->w.remote, out);
}

static void come_back(struct kit *k, size_t home, struct comeback_view *v)
{
	struct comeback *c = NULL;
	struct errctx ec = { 0 };

	assert_int_equal(fetch(k, home, &c), ERR_OK);
	assert_int_equal(comeback_into(&ec, k->w.app[home], c, v), ERR_OK);
	comeback_free(c);
}

/* How many rows that are kept hold a secret of the sheet. */
static size_t rows_with_secrets(struct kit *k, size_t home)
{
	struct errctx ec = { 0 };
	struct kept_row *rows = NULL;
	size_t n = 0;
	size_t found = 0;

	assert_int_equal(store_kept_all(&ec, k->w.app[home]->store, &rows, &n), ERR_OK);
	for (size_t i = 0; i < n; i++) {
		bool here = false;

		for (unsigned d = 0; d < 8; d++) {
			struct sheet_device s;

			sheet_device(k->secret, d, &s);
			here = here || memmem(rows[i].bytes.data, rows[i].bytes.len, s.sign_secret, 32) != NULL ||
			       memmem(rows[i].bytes.data, rows[i].bytes.len, s.box_secret, BOX_SECRET_LEN) != NULL;
		}
		here = here || memmem(rows[i].bytes.data, rows[i].bytes.len, k->secret, SHEET_SECRET_LEN) != NULL;
		found += here;
	}
	store_kept_free(rows, n);
	return found;
}

static void the_others_keep_it_up_to_date(void **state)
{
	struct kit k;
	struct comeback_view v;
	struct errctx ec = { 0 };
	struct sync y;
	struct space_row plein;
	struct device_row els;
	struct buf theirs = { 0 };
	struct buf ours = { 0 };
	size_t devices = 0;
	size_t home = 0;

	(void)state;
	setup_kit(&k);
	/* Omar removes Els: an epoch of which Noor's home never hears */
	y = sync_of_home(&k.w, 1);
	plein = space_named(&k.w, 1, "Plein");
	assert_int_equal(store_device_by_id(&ec, y.store, space_named(&k.w, 2, "Plein").me, &els), ERR_OK);
	assert_int_equal(store_begin(&ec, y.store), ERR_OK);
	assert_int_equal(member_remove(&ec, &y, &plein, els.member, &devices), ERR_OK);
	assert_int_equal(store_commit(&ec, y.store), ERR_OK);
	assert_int_equal(devices, 1);
	assert_int_equal(log_in(&k.w, 1, "Plein", "na het verlies", &ec), ERR_OK);
	world_sync(&k.w, 1);

	home = world_home(&k.w, "noor");
	come_back(&k, home, &v);
	assert_int_equal(v.sync.result, SYNC_DONE);
	assert_int_equal(v.count, 3);
	for (size_t i = 0; i < v.count; i++)
		assert_false(v.spaces[i].coming_in || v.spaces[i].removed);
	comeback_view_free(&v);
	world_sync(&k.w, 1);
	world_sync(&k.w, home);
	world_sync(&k.w, 1);
	ours = world_dump(&k.w, home, "Plein");
	theirs = world_dump(&k.w, 1, "Plein");
	assert_int_equal(ours.len, theirs.len);
	assert_memory_equal(ours.data, theirs.data, ours.len);
	assert_non_null(memmem(ours.data, ours.len, "na het verlies", 14));
	assert_int_equal(rows_with_secrets(&k, home), 0);
	/* and it is a device like any other */
	assert_int_equal(log_in(&k.w, home, "Plein", "weer hier", &ec), ERR_OK);
	world_sync(&k.w, home);
	world_sync(&k.w, 1);
	buf_free(&theirs);
	theirs = world_dump(&k.w, 1, "Plein");
	assert_non_null(memmem(theirs.data, theirs.len, "weer hier", 9));
	buf_free(&ours);
	buf_free(&theirs);
	world_end(&k.w);
}

/* The one letter that Noor's home left, as the host has it: made again by a home that forgets that it was sent. */
static struct buf a_letter(struct kit *k)
{
	struct sync y = sync_of_home(&k->w, 0);
	struct errctx ec = { 0 };
	struct file_row *list = NULL;
	struct buf out = { 0 };
	int64_t bos = space_named(&k->w, 0, "Bos").n;
	size_t n = 0;

	assert_int_equal(store_begin(&ec, y.store), ERR_OK);
	assert_int_equal(store_kept_delete(&ec, y.store, bos, "paper-letter"), ERR_OK);
	assert_int_equal(paper_letter(&ec, &y, bos), ERR_OK);
	assert_int_equal(store_commit(&ec, y.store), ERR_OK);
	assert_int_equal(store_outgoing_list(&ec, y.store, &list, &n), ERR_OK);
	for (size_t i = 0; i < n; i++)
		if (strncmp(list[i].name, "paper-", 6) == 0 && out.len == 0)
			assert_int_equal(buf_put(&out, list[i].file.data, list[i].file.len), ERR_OK);
	store_files_free(list, n);
	assert_true(out.len > 0);
	return out;
}

static void a_letter_needs_its_author(void **state)
{
	struct kit k;
	struct buf letter = { 0 };
	struct buf plain = { 0 };
	struct buf forged = { 0 };
	struct paper_reader *r = NULL;
	struct paper_text t;
	struct file_header h;
	uint8_t other[SHEET_SECRET_LEN] = { 9 };

	(void)state;
	setup_kit(&k);
	letter = a_letter(&k);
	r = paper_reader_new(k.secret);
	assert_int_equal(paper_open(r, buf_bytes(&letter), &t), ERR_OK);
	assert_int_equal(t.number, 1);
	assert_int_equal(t.day, 20000);
	assert_string_equal(t.own, "noor");
	buf_free(&t.plain);
	/* whoever knows the public key can seal to it: the same text, one bit of it or of the author's word changed */
	assert_int_equal(join_unseal(buf_bytes(&letter), BOX_PAPER, r->letter, r->letter_secret, &plain), ERR_OK);
	assert_int_equal(file_header_get(buf_bytes(&letter), &h), ERR_OK);
	for (size_t i = 0; i < plain.len; i += 97) {
		plain.data[i] ^= 1;
		buf_reset(&forged);
		assert_int_equal(join_seal(&h, BOX_PAPER, r->letter, buf_bytes(&plain), &forged), ERR_OK);
		assert_int_equal(paper_open(r, buf_bytes(&forged), &t), ERR_NOT_FOUND);
		plain.data[i] ^= 1;
	}
	plain.data[plain.len - 1] ^= 1;
	buf_reset(&forged);
	assert_int_equal(join_seal(&h, BOX_PAPER, r->letter, buf_bytes(&plain), &forged), ERR_OK);
	assert_int_equal(paper_open(r, buf_bytes(&forged), &t), ERR_NOT_FOUND);
	secret_free(r);
	r = paper_reader_new(other);
	assert_int_equal(paper_open(r, buf_bytes(&letter), &t), ERR_NOT_FOUND);
	secret_free(r);
	/* to everybody else it is nothing at all */
	assert_int_equal(give(&k.w, 1, "paper-0", buf_bytes(&letter)).set_aside, 0);
	buf_free(&letter);
	buf_free(&plain);
	buf_free(&forged);
	world_end(&k.w);
}

static void what_the_host_holds_back(void **state)
{
	struct kit k;
	struct buf letter = { 0 };
	struct paper_reader *r = NULL;
	struct paper_text t;
	struct errctx ec = { 0 };
	struct sync y;
	struct comeback_view v;
	bool open = false;
	size_t taken = 0;
	size_t home = 0;

	(void)state;
	setup_kit(&k);
	letter = a_letter(&k);
	home = world_home(&k.w, "noor");
	y = sync_of_home(&k.w, home);
	r = paper_reader_new(k.secret);
	assert_int_equal(paper_open(r, buf_bytes(&letter), &t), ERR_OK);
	assert_int_equal(store_begin(&ec, y.store), ERR_OK);
	assert_int_equal(paper_take(&ec, &y, r, &t, 1, k.w.remote, &taken), ERR_OK);
	assert_int_equal(store_commit(&ec, y.store), ERR_OK);
	assert_int_equal(taken, 3);
	/* nothing of it was shown yet: nothing may be written, and the sheet's keys are still needed */
	assert_int_equal(floor_open(&ec, &y, space_named(&k.w, home, "Plein").n, &open), ERR_OK);
	assert_true(open);
	assert_int_equal(log_in(&k.w, home, "Plein", "te vroeg", &ec), ERR_LATER);
	assert_int_equal(rows_with_secrets(&k, home), 3);
	/* a second time there is nothing to take */
	assert_int_equal(store_begin(&ec, y.store), ERR_OK);
	assert_int_equal(paper_take(&ec, &y, r, &t, 1, k.w.remote, &taken), ERR_OK);
	assert_int_equal(store_commit(&ec, y.store), ERR_OK);
	assert_int_equal(taken, 0);
	world_sync(&k.w, home);
	assert_int_equal(floor_open(&ec, &y, space_named(&k.w, home, "Plein").n, &open), ERR_OK);
	assert_false(open);
	assert_int_equal(rows_with_secrets(&k, home), 0);
	buf_free(&t.plain);
	buf_free(&letter);
	secret_free(r);
	/* twice with one sheet: its chain goes on where it ended */
	home = world_home(&k.w, "noor");
	come_back(&k, home, &v);
	assert_int_equal(v.count, 3);
	for (size_t i = 0; i < v.count; i++)
		assert_false(v.spaces[i].coming_in || v.spaces[i].removed);
	comeback_view_free(&v);
	assert_int_equal(world_sync(&k.w, 1).set_aside, 0);
	world_end(&k.w);
}

static bool on_sheet(struct world *w, size_t i, const char *space)
{
	struct sync y = sync_of_home(w, i);
	struct space_row row = space_named(w, i, space);
	struct errctx ec = { 0 };
	bool out = false;

	assert_int_equal(paper_reaches(&ec, &y, &row, &out), ERR_OK);
	return out;
}

static void a_sheet_that_is_full(void **state)
{
	struct kit k;
	struct errctx ec = { 0 };
	struct comeback *c = NULL;
	char old[sizeof(k.words)];

	(void)state;
	setup_kit(&k);
	assert_true(on_sheet(&k.w, 0, "Plein"));
	memcpy(old, k.words, sizeof(old));
	/* a new one with one device left: it goes to one space, and the earlier one stays in the others */
	sheet_here(&k, 0, 8, 2, SHEET_DEVICES - 1);
	world_sync(&k.w, 0);
	world_sync(&k.w, 0);
	assert_int_equal(on_sheet(&k.w, 0, "noor") + on_sheet(&k.w, 0, "Bos") + on_sheet(&k.w, 0, "Plein"), 1);
	assert_int_equal(app_found_circle(&ec, k.w.app[0], "Tafel"), ERR_OK);
	world_sync(&k.w, 0);
	assert_false(on_sheet(&k.w, 0, "Tafel"));
	assert_int_equal(fetch(&k, 1, &c), ERR_OK);
	comeback_free(c);
	world_end(&k.w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_others_keep_it_up_to_date),
		cmocka_unit_test(a_letter_needs_its_author),
		cmocka_unit_test(what_the_host_holds_back),
		cmocka_unit_test(a_sheet_that_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
