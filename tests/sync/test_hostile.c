// SPDX-License-Identifier: EUPL-1.2
// Goal: a host, or a member with a changed program, can neither stop others nor fill their disks nor make them take one
// device for another (S4, S5, K1's registry). Files come straight into the inbox, or lie in the repository.
#include "sync/forge.h"

#include "base/codec.h"
#include "batch/names.h"

/* One more device in the forger's own member record of the circle. */
static void add_device(struct world *w, size_t by, const struct bundle *b)
{
	struct sync y = sync_of_home(w, by);
	struct errctx ec = { 0 };
	struct device_row me;
	struct space_row row = space_named(w, by, "Plein");
	struct admission a = { .space = row.n, .device = b };

	assert_int_equal(store_device_by_id(&ec, y.store, row.me, &me), ERR_OK);
	assert_int_equal(store_begin(&ec, y.store), ERR_OK);
	assert_int_equal(member_write(&ec, &y, &a, &me.member), ERR_OK);
	assert_int_equal(store_commit(&ec, y.store), ERR_OK);
}

static struct bundle bundle_of(struct world *w, size_t i, const char *space)
{
	struct sync y = sync_of_home(w, i);
	struct errctx ec = { 0 };
	struct device_keys *keys = NULL;
	struct bundle b;

	assert_int_equal(device_keys_load(&ec, &y, space_named(w, i, space).n, &keys), ERR_OK);
	b = keys->public;
	device_keys_free(keys);
	return b;
}

/* A member who takes another's tag does not silence the other. */
static void test_tag_taken(void **state)
{
	struct world w;
	struct device_keys *fresh = NULL;
	struct forge f;
	struct draft d = { 0 };
	struct errctx ec = { 0 };
	struct vv seen = { 0 };
	struct buf file = { 0 };
	struct edit edit;
	struct bundle b;

	(void)state;
	forge_world(&w);
	fresh = device_keys_make(&crypto_rng);
	assert_non_null(fresh);
	b = fresh->public;
	b.tag = bundle_of(&w, 1, "Plein").tag;
	add_device(&w, 2, &b);
	invite_third(&w, 1);
	pump(&w, 2, 3);
	contact_in(&w, 1, "Plein", (struct dot){ 0 }, "ik ben er nog");
	assert_int_equal(pump(&w, 1, 3).set_aside, 0);
	pump(&w, 2, 1);
	expect_same(&w, 1, 3, "Plein");
	/* the device that took it is heard as well, as itself */
	forge_start(&f, &w, 2, "Plein");
	device_keys_free(f.keys);
	f.keys = fresh;
	f.head.device = b.tag;
	/* it saw that it was let in, and what was seen there */
	assert_int_equal(store_vector(&ec, w.app[2]->store, f.space.n, &seen), ERR_OK);
	assert_int_equal(seen.n, 2);
	f.body.context_count = seen.n;
	for (size_t i = 0; i < seen.n; i++) {
		f.context[i] = (struct context_entry){ .dev = seen.e[i].dev, .seq = seen.e[i].seq };
		memcpy(f.context[i].hash, seen.e[i].hash, VV_HASH_LEN);
	}
	vv_free(&seen);
	f.author = device_id_make(f.space.id, b.sign, 0);
	f.seq = f.body.first_counter = 1;
	memset(f.body.prev, 0, HASH_LEN);
	edit = forge_edit(&f, &d, (struct dot){ 0 }, "van het andere");
	f.body.edits = &edit;
	f.body.edit_count = 1;
	forge_make(&f, &file);
	assert_int_equal(give(&w, 1, "een", buf_bytes(&file)).batches, 1);
	draft_free(&d);
	buf_free(&file);
	forge_end(&f);
	world_end(&w);
}

/* A member who writes another's device down again, with keys of its own, changes nothing. */
static void test_keys_swapped(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct device_keys *fresh = NULL;
	struct bundle b;
	struct bundle real;
	struct device_row row;

	(void)state;
	forge_world(&w);
	fresh = device_keys_make(&crypto_rng);
	assert_non_null(fresh);
	real = b = bundle_of(&w, 1, "Plein");
	memcpy(b.box, fresh->public.box, BOX_PUBLIC_LEN);
	b.tag = fresh->public.tag;
	invite_third(&w, 1);
	add_device(&w, 2, &b);
	pump(&w, 2, 3);
	pump(&w, 2, 1);
	for (size_t i = 1; i <= 3; i += 2) {
		assert_int_equal(store_device_by_id(&ec, w.app[i]->store, space_named(&w, 1, "Plein").me, &row),
		                 ERR_OK);
		assert_memory_equal(row.box, real.box, BOX_PUBLIC_LEN);
		assert_memory_equal(row.tag.b, real.tag.b, TAG_LEN);
	}
	contact_in(&w, 1, "Plein", (struct dot){ 0 }, "ik ben er nog");
	assert_int_equal(pump(&w, 1, 3).set_aside, 0);
	expect_same(&w, 1, 3, "Plein");
	device_keys_free(fresh);
	world_end(&w);
}

/* A member announces an epoch that is not his: its maker stays. */
static void test_epoch_again(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct forge f;
	struct draft d = { 0 };
	struct buf file = { 0 };
	struct buf payload = { 0 };
	struct epoch_row *list = NULL;
	struct edit edit;
	struct control c;
	struct bundle founder;
	struct space_row row;
	size_t n = 0;

	(void)state;
	forge_world(&w);
	row = space_named(&w, 1, "Plein");
	founder = bundle_of(&w, 1, "Plein");
	forge_start(&f, &w, 2, "Plein");
	edit = forge_edit(&f, &d, (struct dot){ 0 }, "x");
	assert_int_equal(wire_put_array(&payload, 3), ERR_OK);
	assert_int_equal(wire_put_bytes(&payload, f.head.epoch.b, EPOCH_ID_LEN), ERR_OK);
	assert_int_equal(wire_put_array(&payload, 1), ERR_OK);
	assert_int_equal(wire_put_array(&payload, 2), ERR_OK);
	assert_int_equal(wire_put_bytes(&payload, row.me.b, DEVICE_ID_LEN), ERR_OK);
	assert_int_equal(wire_put_bytes(&payload, founder.box, BOX_PUBLIC_LEN), ERR_OK);
	assert_int_equal(wire_put_array(&payload, 0), ERR_OK);
	c = (struct control){ CONTROL_EPOCH, buf_bytes(&payload) };
	f.body.controls = &c;
	f.body.control_count = 1;
	f.body.edits = &edit;
	f.body.edit_count = 1;
	forge_make(&f, &file);
	assert_int_equal(give(&w, 1, "epoch", buf_bytes(&file)).batches, 1);
	assert_int_equal(store_epoch_list(&ec, w.app[1]->store, row.n, &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	assert_memory_equal(list[0].creator.b, row.me.b, DEVICE_ID_LEN);
	free(list);
	buf_free(&file);
	buf_free(&payload);
	draft_free(&d);
	forge_end(&f);
	world_end(&w);
}

/* A member announces an epoch whose key only one other holds, with recipients that are not the key's. Who holds the key
 * sees the lie and who does not cannot: both must take the batch alike, or the circle would fall apart (M1). */
static void test_epoch_lie(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct forge f;
	struct draft d = { 0 };
	struct buf boxes = { 0 };
	struct buf file = { 0 };
	struct buf payload = { 0 };
	struct file_header h = { .type = FILE_BOXES };
	struct epoch_secret secret = { { 9 }, { 0 }, { 0 } };
	struct recipient to;
	struct bundle een;
	struct edit edit;
	struct control c;

	(void)state;
	forge_world(&w);
	invite_third(&w, 1);
	pump(&w, 2, 3);
	een = bundle_of(&w, 1, "Plein");
	to.dev = space_named(&w, 1, "Plein").me;
	memcpy(to.box_public, een.box, BOX_PUBLIC_LEN);
	recipients_hash(&to, 1, secret.recipients);
	parents_hash(NULL, 0, secret.parents);
	forge_start(&f, &w, 2, "Plein");
	h.space = f.head.space;
	h.device = f.head.device;
	h.epoch = epoch_id_make(secret.key, f.space.id, secret.recipients, secret.parents);
	assert_int_equal(boxes_seal(&h, f.space.id, &secret, &to, 1, &boxes), ERR_OK);
	edit = forge_edit(&f, &d, (struct dot){ 0 }, "x");
	assert_int_equal(wire_put_array(&payload, 3), ERR_OK);
	assert_int_equal(wire_put_bytes(&payload, h.epoch.b, EPOCH_ID_LEN), ERR_OK);
	assert_int_equal(wire_put_array(&payload, 0), ERR_OK); /* for nobody, it says */
	assert_int_equal(wire_put_array(&payload, 0), ERR_OK);
	c = (struct control){ CONTROL_EPOCH, buf_bytes(&payload) };
	f.body.controls = &c;
	f.body.control_count = 1;
	f.body.edits = &edit;
	f.body.edit_count = 1;
	forge_make(&f, &file);
	for (size_t i = 1; i <= 3; i += 2) {
		struct epoch_row *list = NULL;
		size_t n = 0;

		give(&w, i, "boxes", buf_bytes(&boxes));
		assert_int_equal(give(&w, i, "batch", buf_bytes(&file)).batches, 1);
		assert_int_equal(store_epoch_list(&ec, w.app[i]->store, space_named(&w, i, "Plein").n, &list, &n),
		                 ERR_OK);
		assert_int_equal(n, 1); /* nobody writes under it */
		free(list);
	}
	expect_same(&w, 1, 3, "Plein");
	buf_free(&boxes);
	buf_free(&file);
	buf_free(&payload);
	draft_free(&d);
	forge_end(&f);
	world_end(&w);
}

/* Two batches with one number: the first stands, the second is shown; both homes that had the first stay equal. */
static void test_two_batches_one_number(void **state)
{
	struct world w;
	struct forge f;
	struct draft d = { 0 };
	struct draft d2 = { 0 };
	struct buf first = { 0 };
	struct buf second = { 0 };
	struct edit edit;

	(void)state;
	forge_world(&w);
	invite_third(&w, 1);
	pump(&w, 2, 3);
	forge_start(&f, &w, 2, "Plein");
	f.body.edits = &edit;
	f.body.edit_count = 1;
	edit = forge_edit(&f, &d, (struct dot){ 0 }, "tegen de een");
	forge_make(&f, &first);
	edit = forge_edit(&f, &d2, (struct dot){ 0 }, "tegen de ander");
	forge_make(&f, &second);
	for (size_t i = 1; i <= 3; i += 2) {
		assert_int_equal(give(&w, i, "een", buf_bytes(&first)).batches, 1);
		assert_int_equal(give(&w, i, "een", buf_bytes(&second)).set_aside, 1);
		assert_int_equal(give(&w, i, "een", buf_bytes(&first)).set_aside, 0);
	}
	contact_in(&w, 1, "Plein", (struct dot){ 0 }, "verder");
	contact_in(&w, 3, "Plein", (struct dot){ 0 }, "verder");
	pump(&w, 1, 3);
	pump(&w, 3, 1);
	expect_same(&w, 1, 3, "Plein");
	draft_free(&d);
	draft_free(&d2);
	buf_free(&first);
	buf_free(&second);
	forge_end(&f);
	world_end(&w);
}

/* A copy of a home seals two batches, the host gets the second alone, and the copy gives both up when it meets the
 * other: nobody ever has what that one follows on. It is told as what it is, whichever came first. */
static void test_follows_on_nothing(void **state)
{
	static const char *const why = "A device sent two different batches with the same number.";
	struct world w;
	struct forge f;
	struct draft d = { 0 };
	struct buf file[2] = { { 0 }, { 0 } };
	struct edit edit;

	(void)state;
	forge_world(&w);
	invite_third(&w, 1);
	pump(&w, 2, 3);
	forge_start(&f, &w, 2, "Plein");
	f.body.edits = &edit;
	f.body.edit_count = 1;
	edit = forge_edit(&f, &d, (struct dot){ 0 }, "opgegeven");
	for (size_t k = 0; k < 2; k++) {
		forge_make(&f, &file[k]);
		forge_next(&f);
	}
	for (int k = 0; k < 2; k++) {
		contact_in(&w, 2, "Plein", (struct dot){ 0 }, "wel verstuurd");
		seal_home(&w, 2);
	}
	pump(&w, 2, 1);
	for (size_t i = 1; i <= 3; i += 2) { /* home 3 has only what they both follow on */
		struct aside_row *list = NULL;
		struct errctx ec = { 0 };
		size_t n = 0;

		if (i == 3) {
			struct file_row *sent = NULL;

			assert_int_equal(store_outgoing_list(&ec, w.app[2]->store, &sent, &n), ERR_OK);
			give(&w, 3, sent[n - 2].name, buf_bytes(&sent[n - 2].file));
			store_files_free(sent, n);
		}
		assert_int_equal(give(&w, i, "twee", buf_bytes(&file[1])).set_aside, 1);
		assert_int_equal(store_aside_list(&ec, w.app[i]->store, &list, &n), ERR_OK);
		assert_int_equal(n, 1);
		assert_string_equal(list[0].why, why);
		free(list);
	}
	draft_free(&d);
	buf_free(&file[0]);
	buf_free(&file[1]);
	forge_end(&f);
	world_end(&w);
}

/* A host puts junk under the name of a batch that must wait; the batch is kept all the same. */
static void test_name_taken(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct file_row *list = NULL;
	struct file_header h = { .type = FILE_BATCH, .seq = 7 };
	uint8_t junk[FILE_HEADER_LEN + 100] = { 0 };
	struct sync y;
	struct received r = { 0 };
	size_t n = 0;
	int given = 0;

	(void)state;
	forge_world(&w);
	for (int i = 0; i < 3; i++) {
		contact_in(&w, 2, "Plein", (struct dot){ 0 }, "los");
		seal_home(&w, 2);
	}
	y = sync_of_home(&w, 1);
	h.space = space_named(&w, 1, "Plein").tag;
	file_header_put(&h, junk);
	assert_int_equal(store_outgoing_list(&ec, w.app[2]->store, &list, &n), ERR_OK);
	for (size_t i = n; i-- > n - 3;) { /* the last first, so that it waits */
		assert_int_equal(
		    inbox_file(&ec, &y, list[i].ref, list[i].name, (struct bytes){ junk, sizeof(junk) }, &r), ERR_OK);
		for (int twice = 0; twice < 2; twice++)
			assert_int_equal(inbox_file(&ec, &y, list[i].ref, list[i].name, buf_bytes(&list[i].file), &r),
			                 ERR_OK);
		given++;
	}
	assert_int_equal(given, 3);
	assert_int_equal(stock_of(&w, 1).waiting, 3); /* the junk: the batches followed on the first of them */
	assert_int_equal(r.batches, 3);
	assert_int_equal(retry(&w, 1).batches, 0);
	assert_int_equal(stock_of(&w, 1).waiting, 3);
	expect_same(&w, 1, 2, "Plein");
	store_files_free(list, n);
	world_end(&w);
}

/* Junk without end: what is kept has a bound, and honest work goes on. */
static void test_flood(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct file_header h = { .type = FILE_BATCH, .seq = 1 };
	struct buf junk = { 0 };
	struct aside_row *aside = NULL;
	struct received r = { 0 };
	struct received told = { 0 };
	uint64_t files = 0;
	uint64_t bytes = 0;
	size_t n = 0;
	struct sync y;
	bool rest = false;

	(void)state;
	forge_world(&w);
	y = sync_of_home(&w, 1);
	h.space = space_named(&w, 1, "Plein").tag;
	assert_int_equal(buf_reserve(&junk, 1 << 20), ERR_OK);
	memset(junk.data, 0, 1 << 20);
	for (uint32_t i = 0; i < 80; i++) {
		char name[32];

		snprintf(name, sizeof(name), "w-%u", i);
		file_header_put(&h, junk.data);
		be32_put(junk.data + FILE_HEADER_LEN, i);
		junk.len = 1 << 20;
		assert_int_equal(inbox_file(&ec, &y, FORGE_REF, name, buf_bytes(&junk), &r), ERR_OK);
	}
	assert_int_equal(store_waiting_size(&ec, y.store, &files, &bytes), ERR_OK);
	assert_true(bytes <= WAITING_BYTES_MAX);
	assert_int_equal(r.refused, 80 - 64);
	/* as if there were many already */
	assert_int_equal(store_begin(&ec, y.store), ERR_OK);
	for (uint32_t i = 0; i < ASIDE_FILES_MAX - 10; i++) {
		char name[32];

		snprintf(name, sizeof(name), "a-%u", i);
		assert_int_equal(store_aside_put(&ec, y.store, name, "x", 0, (struct bytes){ NULL, 0 }, &rest), ERR_OK);
	}
	rest = false;
	assert_int_equal(store_commit(&ec, y.store), ERR_OK);
	for (uint32_t i = 0; i < 20; i++) {
		memset(junk.data, 0x33, FILE_HEADER_LEN);
		be32_put(junk.data + FILE_HEADER_LEN, i);
		junk.len = i % 2 == 0 ? 1 << 20 : 100;
		assert_int_equal(inbox_file(&ec, &y, FORGE_REF, "junk", buf_bytes(&junk), &told), ERR_OK);
	}
	assert_int_equal(told.set_aside, 10 + 1);
	assert_int_equal(store_aside_list(&ec, y.store, &aside, &n), ERR_OK);
	assert_int_equal(n, ASIDE_FILES_MAX + 1);
	for (size_t i = 0; i < n; i++)
		rest = rest || strcmp(aside[i].what, "*") == 0;
	assert_true(rest);
	free(aside);
	contact_in(&w, 2, "Plein", (struct dot){ 0 }, "ondanks alles");
	pump(&w, 2, 1);
	expect_same(&w, 1, 2, "Plein");
	buf_free(&junk);
	world_end(&w);
}

/* A branch with a name longer than any of ours, put there by the host. */
static void test_long_branch(void **state)
{
	struct world w;
	char command[1200];
	char tag[53] = "";

	(void)state;
	forge_world(&w);
	for (size_t i = 0; i < 3; i++)
		world_sync(&w, i);
	memset(tag, 'a', sizeof(tag) - 1);
	snprintf(
	    command, sizeof(command),
	    "cd '%s' && git update-ref refs/heads/join/%s/%s $(git for-each-ref --count=1 --format='%%(objectname)')",
	    w.remote, tag, tag);
	assert_int_equal(system(command), 0);
	for (int round = 0; round < 2; round++) {
		contact_in(&w, 1, "Plein", (struct dot){ 0 }, "tekst");
		for (size_t i = 1; i < 3; i++)
			world_sync(&w, i);
	}
	expect_same(&w, 1, 2, "Plein");
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tag_taken),
		cmocka_unit_test(test_keys_swapped),
		cmocka_unit_test(test_epoch_again),
		cmocka_unit_test(test_epoch_lie),
		cmocka_unit_test(test_two_batches_one_number),
		cmocka_unit_test(test_follows_on_nothing),
		cmocka_unit_test(test_name_taken),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_long_branch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
