// SPDX-License-Identifier: EUPL-1.2
// Goal (K2, S7, K1): a member who was away so long that no key comes to it any more asks for one, a member compares six
// words and approves, and then all hold the same: it is the device that it was, and what it wrote meanwhile has the id
// that it had. Somebody else's letter, a changed one, an old one shown again and one of who was removed change nothing.
// Seen to catch: the new box key not taken up, or nobody handing on what began before it was told; the answer's closed
// epochs passed over, or what waits for them not woken (no epoch is closed any more); a letter taken though a later
// batch of its device is known; a box key told that is older than the device's own; a control item that its device did
// not sign; the word of a removed member; closing held up by what the one who is away seals alone.
#include "app/again.h"
#include "base/codec.h"
#include "sync/box_keys.h"
#include "sync/closing.h"
#include "sync/forge.h"
#include "sync/membership.h"
#include "sync/rebox.h"
#include "sync/removal.h"

#define CIRCLE "Plein"
#define ANNA 1
#define BRAM 2
#define CEES 3 /* who is away */
#define DIRK 4 /* who is removed */
#define EVA 5  /* who comes while Cees is away */
#define FILES_MAX 2048
#define DAY_MS (24LL * 60 * 60 * 1000)
#define VECTOR "1ba85fa932077b3a675aca45d06831e50e3478ef09a9dc4a5809d3206d7939eb"

struct kept_file {
	char ref[REF_MAX + 1];
	char name[FILE_NAME_MAX + 1];
	struct buf file;
	bool box; /* of an epoch, before Cees asked: it never reaches him */
};

struct scene {
	struct world w;
	struct kept_file *file;
	size_t files;
	size_t given[HOMES_MAX];
	size_t homes;
	bool asked;
};

static void send_all(struct scene *s, size_t i)
{
	struct sync y = sync_of_home(&s->w, i);
	struct space_row space = space_named(&s->w, i, CIRCLE);
	struct file_row *list = NULL;
	struct errctx ec = { 0 };
	size_t closed = 0;
	size_t n = 0;

	assert_int_equal(store_begin(&ec, y.store), ERR_OK);
	assert_int_equal(epochs_tend(&ec, &y, &space, &closed), ERR_OK);
	assert_int_equal(outbox_seal(&ec, &y, &space), ERR_OK);
	assert_int_equal(store_commit(&ec, y.store), ERR_OK);
	assert_int_equal(store_forget(&ec, y.store), ERR_OK);
	assert_int_equal(store_outgoing_list(&ec, y.store, &list, &n), ERR_OK);
	assert_int_equal(store_begin(&ec, y.store), ERR_OK);
	for (size_t k = 0; k < n; k++) {
		struct kept_file *f = &s->file[s->files++];
		struct file_header h;

		assert_true(s->files <= FILES_MAX);
		snprintf(f->ref, sizeof(f->ref), "%s", list[k].ref);
		snprintf(f->name, sizeof(f->name), "%s", list[k].name);
		assert_int_equal(buf_put(&f->file, list[k].file.data, list[k].file.len), ERR_OK);
		assert_int_equal(file_header_get(buf_bytes(&f->file), &h), ERR_OK);
		f->box = h.type == FILE_BOXES && !s->asked;
		assert_int_equal(store_outgoing_sent(&ec, y.store, f->ref, f->name), ERR_OK);
	}
	assert_int_equal(store_commit(&ec, y.store), ERR_OK);
	store_files_free(list, n);
}

static struct received take_all(struct scene *s, size_t i)
{
	struct sync y = sync_of_home(&s->w, i);
	struct received r = { 0 };
	struct errctx ec = { 0 };

	for (; s->given[i] < s->files; s->given[i]++) {
		struct kept_file *f = &s->file[s->given[i]];

		if (i != CEES || !f->box)
			assert_int_equal(inbox_file(&ec, &y, f->ref, f->name, buf_bytes(&f->file), &r), ERR_OK);
	}
	assert_int_equal(inbox_retry(&ec, &y, &r), ERR_OK);
	assert_int_equal(ec.code, ERR_OK);
	return r;
}

static size_t open_epochs(struct scene *s, size_t i)
{
	struct sync y = sync_of_home(&s->w, i);
	struct space_row space = space_named(&s->w, i, CIRCLE);
	struct epoch_row *list = NULL;
	struct errctx ec = { 0 };
	size_t n = 0;
	size_t open = 0;

	assert_int_equal(store_epoch_list(&ec, y.store, space.n, &list, &n), ERR_OK);
	for (size_t k = 0; k < n; k++)
		open += list[k].state != EPOCH_CLOSED;
	free(list);
	return open;
}

static uint64_t lacks(struct scene *s, size_t i)
{
	struct sync y = sync_of_home(&s->w, i);
	struct space_row space = space_named(&s->w, i, CIRCLE);
	struct errctx ec = { 0 };
	uint64_t files = 0;

	assert_int_equal(rebox_lacks(&ec, &y, &space, &files), ERR_OK);
	return files;
}

/* Is it told to ask? */
static bool shut_out(struct scene *s, size_t i)
{
	struct sync y = sync_of_home(&s->w, i);
	struct space_row space = space_named(&s->w, i, CIRCLE);
	struct errctx ec = { 0 };
	uint64_t files = 0;

	assert_int_equal(rebox_shut_out(&ec, &y, &space, &files), ERR_OK);
	return files > 0;
}

/* Everybody but those writes, and all exchange. */
static void rounds(struct scene *s, int n, size_t but, size_t nor)
{
	for (int round = 0; round < n; round++) {
		for (size_t i = ANNA; i < s->homes; i++) {
			if (i == but || i == nor)
				continue;
			take_all(s, i);
			contact_in(&s->w, i, CIRCLE, (struct dot){ 0 }, "gewoon");
			send_all(s, i);
		}
	}
	for (size_t i = ANNA; i < s->homes; i++)
		if (i != but && i != nor)
			take_all(s, i);
}

static void removes(struct scene *s, size_t by, size_t who)
{
	struct sync y = sync_of_home(&s->w, by);
	struct space_row space = space_named(&s->w, by, CIRCLE);
	struct device_row row;
	struct errctx ec = { 0 };
	size_t devices = 0;

	assert_int_equal(store_device_by_id(&ec, y.store, space_named(&s->w, who, CIRCLE).me, &row), ERR_OK);
	assert_int_equal(store_begin(&ec, y.store), ERR_OK);
	assert_int_equal(member_remove(&ec, &y, &space, row.member, &devices), ERR_OK);
	assert_int_equal(store_commit(&ec, y.store), ERR_OK);
	assert_int_equal(devices, 1);
}

/* Cees was away for three months; Dirk was removed meanwhile, and what all four had written under is closed for good.
 */
static void begin(struct scene *s, bool eva)
{
	*s = (struct scene){ .file = calloc(FILES_MAX, sizeof(struct kept_file)), .homes = 5 };
	assert_non_null(s->file);
	forge_world(&s->w);
	invite_third(&s->w, ANNA);
	assert_int_equal(world_home(&s->w, "Dirk"), DIRK);
	invite_by_hand(&s->w, ANNA, DIRK, CIRCLE);
	rounds(s, 2, 0, 0);
	s->w.now_ms += 90 * DAY_MS;
	removes(s, ANNA, DIRK);
	rounds(s, 4, CEES, DIRK);
	assert_int_equal(open_epochs(s, ANNA), 1);
	assert_int_equal(open_epochs(s, BRAM), 1);
	if (eva) {
		assert_int_equal(world_home(&s->w, "Eva"), EVA);
		invite_by_hand(&s->w, BRAM, EVA, CIRCLE);
		s->homes = 6;
		rounds(s, 3, CEES, DIRK);
	}
}

static void end(struct scene *s)
{
	for (size_t k = 0; k < s->files; k++)
		buf_free(&s->file[k].file);
	free(s->file);
	world_end(&s->w);
}

/* Asks in one space and no other; the id of the request at others. */
static void asks(struct scene *s, char id[static 17])
{
	struct rejoin_view *list = NULL;
	struct rejoin_view *again = NULL;
	struct errctx ec = { 0 };
	size_t n = 0;

	assert_int_equal(app_rejoin(&ec, s->w.app[CEES], &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	assert_true(list[0].keys && !list[0].alone);
	assert_string_equal(list[0].space, CIRCLE);
	assert_int_equal(app_rejoin(&ec, s->w.app[CEES], &again, &n), ERR_OK);
	assert_memory_equal(list[0].fingerprint, again[0].fingerprint, FINGERPRINT_LEN);
	hex_put(list[0].fingerprint, 8, id);
	free(list);
	free(again);
	s->asked = true;
}

static size_t asking(struct scene *s, size_t at, const char *id)
{
	struct member_view *list = NULL;
	struct errctx ec = { 0 };
	size_t n = 0;
	size_t found = 0;

	assert_int_equal(app_members(&ec, s->w.app[at], CIRCLE, &list, &n), ERR_OK);
	for (size_t i = 0; i < n; i++) {
		if (!list[i].keys)
			continue;
		assert_string_equal(list[i].status, "requested");
		assert_string_equal(list[i].name, "Drie");
		assert_string_equal(list[i].id, id);
		found++;
	}
	app_members_free(list, n);
	return found;
}

static void approves(struct scene *s, size_t by, const char *id)
{
	struct errctx ec = { 0 };
	char name[128];

	assert_int_equal(app_approve(&ec, s->w.app[by], id, NULL, name), ERR_OK);
	assert_string_equal(name, "Drie");
}

static const struct kept_file *letter_of(struct scene *s)
{
	for (size_t k = s->files; k-- > 0;)
		if (s->file[k].file.len == REBOX_LEN)
			return &s->file[k];
	fail();
	return NULL;
}

static void text_of(struct scene *s, size_t i, struct dot id, const char *text)
{
	struct loaded l;
	struct bytes t = { 0 };
	struct errctx ec = { 0 };

	assert_int_equal(store_load(&ec, s->w.app[i]->store, id, &l), ERR_OK);
	assert_true(record_text(&l.record, F_contact_text, &t));
	assert_int_equal(t.len, strlen(text));
	assert_memory_equal(t.data, text, t.len);
	store_loaded_free(&l);
}

static void the_box_key(struct scene *s, size_t at, uint8_t out[static BOX_PUBLIC_LEN])
{
	struct sync y = sync_of_home(&s->w, at);
	struct device_row row;
	struct errctx ec = { 0 };

	assert_int_equal(store_device_by_id(&ec, y.store, space_named(&s->w, CEES, CIRCLE).me, &row), ERR_OK);
	memcpy(out, row.box, BOX_PUBLIC_LEN);
}

/* ---- Coming back ---- */

/* Eva is removed too: another epoch begins, and the one of her time is closed. */
static void eva_goes(struct scene *s)
{
	removes(s, ANNA, EVA);
	s->homes = 5;
	rounds(s, 4, CEES, DIRK);
	assert_int_equal(open_epochs(s, BRAM), 1);
}

enum when { NEVER, BEFORE, AFTER };

/* `by`: who approves; `goes`: when Eva goes, if she was there: before Cees asks, or when he was approved of and has no
 * answer yet. */
static void back(size_t by, bool eva, enum when goes)
{
	struct scene s;
	struct device_id me;
	struct dot sealed = { 0 };
	struct dot unsealed = { 0 };
	char id[17];

	begin(&s, eva);
	if (goes == BEFORE)
		eva_goes(&s);
	me = space_named(&s.w, CEES, CIRCLE).me;
	sealed = contact_in(&s.w, CEES, CIRCLE, (struct dot){ 0 }, "onderweg");
	send_all(&s, CEES);
	unsealed = contact_in(&s.w, CEES, CIRCLE, (struct dot){ 0 }, "nog hier");
	assert_int_equal(lacks(&s, CEES), 0);
	take_all(&s, CEES);
	assert_true(lacks(&s, CEES) > 0 && shut_out(&s, CEES));
	asks(&s, id);
	send_all(&s, CEES);
	rounds(&s, 1, CEES, DIRK);
	assert_int_equal(asking(&s, by, id), 1);
	approves(&s, by, id);
	assert_int_equal(asking(&s, by, id), 0);
	rounds(&s, 1, CEES, DIRK);
	assert_int_equal(asking(&s, ANNA, id), 0);
	assert_false(shut_out(&s, ANNA)); /* what Cees sealed alone waits there, but she reads Bram */
	if (goes == AFTER)
		eva_goes(&s);
	assert_true(take_all(&s, CEES).batches > 0);
	send_all(&s, CEES);
	rounds(&s, 4, 0, DIRK);
	assert_int_equal(lacks(&s, CEES), 0);
	assert_int_equal(stock_of(&s.w, CEES).aside, 0);
	expect_same(&s.w, ANNA, BRAM, CIRCLE);
	expect_same(&s.w, ANNA, CEES, CIRCLE);
	assert_int_equal(device_cmp(me, space_named(&s.w, CEES, CIRCLE).me), 0);
	text_of(&s, ANNA, sealed, "onderweg");
	text_of(&s, BRAM, unsealed, "nog hier");
	assert_int_equal(open_epochs(&s, CEES), 1);
	end(&s);
}

static void a_member_lets_it_in(void **state)
{
	(void)state;
	back(BRAM, false, NEVER);
}

/* Whom Cees has never heard of. */
static void one_who_came_since(void **state)
{
	(void)state;
	back(EVA, true, NEVER);
}

static void another_epoch_meanwhile(void **state)
{
	(void)state;
	back(BRAM, true, AFTER);
}

/* What was written in between is under a key that nobody has any more: it comes under another. */
static void epochs_that_are_over(void **state)
{
	(void)state;
	back(BRAM, true, BEFORE);
}

/* ---- What changes nothing ---- */

/* Given to Anna, it is no request, and is set aside or waits or is passed over. */
static void no_request(struct scene *s, const uint8_t letter[static REBOX_LEN], const char *name, size_t aside,
                       uint64_t waits)
{
	struct stock before = stock_of(&s->w, ANNA);
	struct stock after;
	struct sync y = sync_of_home(&s->w, ANNA);
	struct rebox_row *list = NULL;
	struct errctx ec = { 0 };
	size_t n = 0;

	(void)give(&s->w, ANNA, name, (struct bytes){ letter, REBOX_LEN });
	after = stock_of(&s->w, ANNA);
	assert_int_equal(after.aside - before.aside, aside);
	assert_int_equal(after.waiting - before.waiting, waits);
	assert_int_equal(rebox_list(&ec, &y, &list, &n), ERR_OK);
	assert_int_equal(n, 0);
	free(list);
}

static void forged(void **state)
{
	struct scene s;
	struct sync y;
	struct file_header h;
	struct device_keys *stranger = NULL;
	struct rebox said = { 0 };
	struct space_row space;
	uint8_t letter[REBOX_LEN];
	uint8_t hash[HASH_LEN];
	char name[24];
	char id[17];

	(void)state;
	begin(&s, false);
	take_all(&s, CEES);
	asks(&s, id);
	send_all(&s, CEES);
	for (size_t at = FILE_HEADER_LEN; at < REBOX_LEN; at++) {
		memcpy(letter, letter_of(&s)->file.data, REBOX_LEN);
		letter[at] ^= (uint8_t)(1u << at % 8);
		snprintf(name, sizeof(name), "changed-%zu", at);
		no_request(&s, letter, name, 1, 0);
	}
	/* for another space */
	memcpy(letter, letter_of(&s)->file.data, REBOX_LEN);
	memcpy(letter + 8, space_named(&s.w, ANNA, "West").tag.b, TAG_LEN);
	no_request(&s, letter, "elsewhere", 1, 0);
	/* of somebody who is no device of the circle */
	y = sync_of_home(&s.w, 0);
	space = space_named(&s.w, ANNA, CIRCLE);
	stranger = device_keys_make(y.rng);
	assert_non_null(stranger);
	assert_int_equal(file_header_get(buf_bytes(&letter_of(&s)->file), &h), ERR_OK);
	bundle_put(&stranger->public, said.bundle);
	rebox_hash(space.id, &said, hash);
	sign_make(stranger->sign_secret, (struct bytes){ hash, sizeof(hash) }, said.signature);
	rebox_letter(&h, &said, letter);
	no_request(&s, letter, "stranger", 0, 1);
	device_keys_free(stranger);
	end(&s);
}

/* Shown again when all is done, and as a control item: nothing of it counts any more. */
static void shown_again(void **state)
{
	struct scene s;
	struct sync y;
	struct space_row space;
	struct device_keys *keys = NULL;
	struct forge f;
	struct errctx ec = { 0 };
	struct buf file = { 0 };
	struct buf payload = { 0 };
	struct rebox said;
	struct control control;
	uint8_t before[BOX_PUBLIC_LEN];
	uint8_t after[BOX_PUBLIC_LEN];
	uint8_t letter[REBOX_LEN];
	char id[17];

	(void)state;
	begin(&s, false);
	take_all(&s, CEES);
	asks(&s, id);
	send_all(&s, CEES);
	memcpy(letter, letter_of(&s)->file.data, REBOX_LEN);
	rounds(&s, 1, CEES, DIRK);
	assert_int_equal(give(&s.w, ANNA, "twice", (struct bytes){ letter, REBOX_LEN }).asking, 0);
	assert_int_equal(asking(&s, ANNA, id), 1);
	approves(&s, BRAM, id);
	rounds(&s, 4, 0, DIRK);
	assert_int_equal(lacks(&s, CEES), 0);
	no_request(&s, letter, "again", 0, 0);
	the_box_key(&s, ANNA, before);
	y = sync_of_home(&s.w, CEES);
	space = space_named(&s.w, CEES, CIRCLE);
	assert_int_equal(device_keys_load(&ec, &y, space.n, &keys), ERR_OK);
	assert_memory_equal(before, keys->public.box, BOX_PUBLIC_LEN); /* it has named others since */
	device_keys_free(keys);
	memcpy(said.bundle, letter + FILE_HEADER_LEN + 8, BUNDLE_LEN);
	memcpy(said.signature, letter + FILE_HEADER_LEN + 8 + BUNDLE_LEN, SIGN_LEN);
	for (int signed_by_cees = 0; signed_by_cees <= 1; signed_by_cees++) {
		struct received r;

		forge_start(&f, &s.w, BRAM, CIRCLE);
		said.number = be64_get(letter + FILE_HEADER_LEN) + (signed_by_cees ? 0 : 1000);
		buf_reset(&payload);
		assert_int_equal(rebox_put(&said, &payload), ERR_OK);
		control = (struct control){ CONTROL_REBOX, buf_bytes(&payload) };
		f.body.controls = &control;
		f.body.control_count = 1;
		forge_make(&f, &file);
		r = give(&s.w, ANNA, signed_by_cees ? "old" : "forged", buf_bytes(&file));
		assert_int_equal(r.batches, signed_by_cees);
		assert_int_equal(r.set_aside, !signed_by_cees);
		the_box_key(&s, ANNA, after);
		assert_memory_equal(before, after, BOX_PUBLIC_LEN);
		forge_end(&f);
	}
	buf_free(&file);
	buf_free(&payload);
	end(&s);
}

/* Who was removed and was told so does not ask; who was not told is refused by everybody. */
static void removed(void **state)
{
	struct scene s;
	struct rejoin_view *list = NULL;
	struct errctx ec = { 0 };
	size_t n = 0;
	char id[17];

	(void)state;
	begin(&s, false);
	take_all(&s, DIRK);
	assert_int_equal(app_rejoin(&ec, s.w.app[DIRK], &list, &n), ERR_REFUSED);
	assert_string_equal(ec.msg,
	                    "You were removed from %1, and get nothing new of it. A member can invite you anew.");
	take_all(&s, CEES);
	removes(&s, BRAM, CEES);
	rounds(&s, 1, CEES, DIRK);
	asks(&s, id);
	send_all(&s, CEES);
	no_request(&s, letter_of(&s)->file.data, "removed", 1, 0);
	end(&s);
}

/* Somebody stole the laptop of Cees and conspires with a member who was removed: that one's word for its letter does
 * not count, so no key comes to it. */
static void word_of_the_removed(void **state)
{
	struct scene s;
	struct forge f;
	struct buf file = { 0 };
	struct buf payload = { 0 };
	struct rebox said;
	struct control control;
	uint8_t before[BOX_PUBLIC_LEN];
	uint8_t after[BOX_PUBLIC_LEN];
	const uint8_t *letter = NULL;
	char id[17];

	(void)state;
	begin(&s, false);
	take_all(&s, CEES);
	asks(&s, id);
	send_all(&s, CEES);
	letter = letter_of(&s)->file.data + FILE_HEADER_LEN;
	said.number = be64_get(letter);
	memcpy(said.bundle, letter + 8, BUNDLE_LEN);
	memcpy(said.signature, letter + 8 + BUNDLE_LEN, SIGN_LEN);
	assert_int_equal(rebox_put(&said, &payload), ERR_OK);
	/* the epoch of Dirk's time is closed: Bram takes his part, and is removed */
	forge_start(&f, &s.w, BRAM, CIRCLE);
	control = (struct control){ CONTROL_REBOX, buf_bytes(&payload) };
	f.body.controls = &control;
	f.body.control_count = 1;
	forge_make(&f, &file);
	forge_end(&f);
	the_box_key(&s, ANNA, before);
	removes(&s, ANNA, BRAM);
	assert_int_equal(give(&s.w, ANNA, "void", buf_bytes(&file)).batches, 1);
	the_box_key(&s, ANNA, after);
	assert_memory_equal(before, after, BOX_PUBLIC_LEN);
	buf_free(&file);
	buf_free(&payload);
	end(&s);
}

/* ---- The format ---- */

static void counting_fill(void *self, void *out, size_t len)
{
	uint8_t *p = out;

	for (size_t i = 0; i < len; i++)
		p[i] = (*(uint8_t *)self)++;
}

/* docs/FORMAT.md, "Join files": keys of fixed bytes; the whole letter by its hash. */
static void the_letter_of_the_format(void **state)
{
	uint8_t counted = 0;
	const struct rng rng = { counting_fill, &counted };
	struct file_header h = { .type = FILE_JOIN_REQUEST, .seq = REBOX_SEQ };
	struct rebox said = { .number = 7 };
	struct device_keys *keys = device_keys_make(&rng);
	struct space_id space;
	uint8_t letter[REBOX_LEN];
	uint8_t hash[HASH_LEN];
	char hex[2 * HASH_LEN + 1];

	(void)state;
	assert_non_null(keys);
	memset(space.b, 0x33, sizeof(space.b));
	memset(h.space.b, 0x11, TAG_LEN);
	memset(h.device.b, 0x22, TAG_LEN);
	bundle_put(&keys->public, said.bundle);
	rebox_hash(space, &said, hash);
	sign_make(keys->sign_secret, (struct bytes){ hash, sizeof(hash) }, said.signature);
	rebox_letter(&h, &said, letter);
	hash_bytes("vector", (struct bytes){ letter, sizeof(letter) }, hash);
	hex_put(hash, HASH_LEN, hex);
	assert_int_equal(sizeof(letter), 209);
	assert_string_equal(hex, VECTOR);
	device_keys_free(keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_member_lets_it_in),
		cmocka_unit_test(one_who_came_since),
		cmocka_unit_test(another_epoch_meanwhile),
		cmocka_unit_test(epochs_that_are_over),
		cmocka_unit_test(forged),
		cmocka_unit_test(shown_again),
		cmocka_unit_test(removed),
		cmocka_unit_test(word_of_the_removed),
		cmocka_unit_test(the_letter_of_the_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
