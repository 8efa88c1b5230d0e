// SPDX-License-Identifier: EUPL-1.2
// Goal: what a member with a changed program could do once and must not be able to (docs/THREATS.md): write under
// another's name (K4), silence a newcomer, leave somebody out of what is written, claim not to have heard of what he
// must have (M1). Each was seen to fail while the hole was there.
#include "sync/epochs.h"
#include "sync/forge.h"

#include "support/older.h"
#include "vault/vault.h"

/* A member puts a device of his own under another's name: what it writes then shows as hers (K4). */
static void test_device_under_anothers_name(void **state)
{
	struct world w;
	struct sync y;
	struct errctx ec = { 0 };
	struct device_keys *fresh = NULL;
	struct device_row een;
	struct device_row row;
	struct space_row plein;
	struct admission a = { 0 };
	enum err e = ERR_OK;

	(void)state;
	forge_world(&w);
	fresh = device_keys_make(&crypto_rng);
	assert_non_null(fresh);
	y = sync_of_home(&w, 2);
	plein = space_named(&w, 2, "Plein");
	assert_int_equal(store_device_by_id(&ec, y.store, space_named(&w, 1, "Plein").me, &een), ERR_OK);
	a = (struct admission){ .space = plein.n, .device = &fresh->public };
	assert_int_equal(store_begin(&ec, y.store), ERR_OK);
	assert_int_equal(member_write(&ec, &y, &a, &een.member), ERR_OK);
	assert_int_equal(store_commit(&ec, y.store), ERR_OK);
	pump(&w, 2, 1);
	e = store_device_by_id(&ec, w.app[1]->store, device_id_make(plein.id, fresh->public.sign, 0), &row);
	assert_false(e == ERR_OK && row.state == DEVICE_ACTIVE && dot_cmp(row.member, een.member) == 0);
	device_keys_free(fresh);
	world_end(&w);
}

/* A newcomer's tag stands in clear in the header of her first file. A member gives it to a device of his own: who hears
 * of that one first, and gets her file before she was let in there, sets it aside for good (M1: arrival decides). */
static void test_tag_of_a_newcomer(void **state)
{
	struct world w;
	struct sync y;
	struct errctx ec = { 0 };
	struct device_keys *fresh = NULL;
	struct device_keys *hers = NULL;
	struct device_row me;
	struct admission a = { 0 };
	struct buf x;
	struct buf z;

	(void)state;
	forge_world(&w);
	invite_third(&w, 1);
	pump(&w, 2, 3);
	assert_int_equal(world_home(&w, "Vier"), 4);
	invite_by_hand(&w, 1, 4, "Plein");
	fresh = device_keys_make(&crypto_rng);
	assert_non_null(fresh);
	y = sync_of_home(&w, 4);
	assert_int_equal(device_keys_load(&ec, &y, space_named(&w, 4, "Plein").n, &hers), ERR_OK);
	fresh->public.tag = hers->public.tag;
	y = sync_of_home(&w, 2);
	a = (struct admission){ .space = space_named(&w, 2, "Plein").n, .device = &fresh->public };
	assert_int_equal(store_device_by_id(&ec, y.store, space_named(&w, 2, "Plein").me, &me), ERR_OK);
	assert_int_equal(store_begin(&ec, y.store), ERR_OK);
	assert_int_equal(member_write(&ec, &y, &a, &me.member), ERR_OK);
	assert_int_equal(store_commit(&ec, y.store), ERR_OK);
	pump(&w, 2, 3);
	pump(&w, 2, 1);
	contact_in(&w, 4, "Plein", (struct dot){ 0 }, "van de nieuwe");
	pump(&w, 4, 3);
	pump(&w, 4, 1);
	pump(&w, 1, 3);
	retry(&w, 3);
	x = world_dump(&w, 1, "Plein");
	z = world_dump(&w, 3, "Plein");
	assert_int_equal(bytes_cmp(buf_bytes(&x), buf_bytes(&z)), 0);
	buf_free(&x);
	buf_free(&z);
	device_keys_free(fresh);
	device_keys_free(hers);
	world_end(&w);
}

/* A member begins an epoch for himself and one other: what she writes from then on, the third cannot read. */
static void test_epoch_for_some(void **state)
{
	struct world w;
	struct errctx ec = { 0 };
	struct sync y;
	struct forge f;
	struct draft d = { 0 };
	struct buf boxes = { 0 };
	struct buf file = { 0 };
	struct buf payload = { 0 };
	struct file_header h = { .type = FILE_BOXES };
	struct epoch_secret secret = { { 9 }, { 0 }, { 0 } };
	struct recipient to;
	struct epoch_id parent;
	struct space_row plein;
	struct epoch_id chosen;
	struct device_row een;
	struct edit edit;
	struct control c;

	(void)state;
	forge_world(&w);
	invite_third(&w, 1);
	pump(&w, 2, 3);
	y = sync_of_home(&w, 1);
	assert_int_equal(store_device_by_id(&ec, y.store, space_named(&w, 1, "Plein").me, &een), ERR_OK);
	to.dev = een.id;
	memcpy(to.box_public, een.box, BOX_PUBLIC_LEN);
	forge_start(&f, &w, 2, "Plein");
	parent = f.head.epoch;
	recipients_hash(&to, 1, secret.recipients);
	parents_hash(&parent, 1, secret.parents);
	h.space = f.head.space;
	h.device = f.head.device;
	h.epoch = epoch_id_make(secret.key, f.space.id, secret.recipients, secret.parents);
	assert_int_equal(boxes_seal(&h, f.space.id, &secret, &to, 1, &boxes), ERR_OK);
	edit = forge_edit(&f, &d, (struct dot){ 0 }, "x");
	assert_int_equal(wire_put_array(&payload, 3), ERR_OK);
	assert_int_equal(wire_put_bytes(&payload, h.epoch.b, EPOCH_ID_LEN), ERR_OK);
	assert_int_equal(wire_put_array(&payload, 1), ERR_OK);
	assert_int_equal(wire_put_array(&payload, 2), ERR_OK);
	assert_int_equal(wire_put_bytes(&payload, to.dev.b, DEVICE_ID_LEN), ERR_OK);
	assert_int_equal(wire_put_bytes(&payload, to.box_public, BOX_PUBLIC_LEN), ERR_OK);
	assert_int_equal(wire_put_array(&payload, 1), ERR_OK);
	assert_int_equal(wire_put_bytes(&payload, parent.b, EPOCH_ID_LEN), ERR_OK);
	c = (struct control){ CONTROL_EPOCH, buf_bytes(&payload) };
	f.body.controls = &c;
	f.body.control_count = 1;
	f.body.edits = &edit;
	f.body.edit_count = 1;
	forge_make(&f, &file);
	give(&w, 1, "boxes", buf_bytes(&boxes));
	give(&w, 1, "batch", buf_bytes(&file));
	plein = space_named(&w, 1, "Plein");
	assert_int_equal(epoch_choose(&ec, &y, &plein, &chosen), ERR_OK);
	assert_memory_not_equal(chosen.b, h.epoch.b, EPOCH_ID_LEN);
	buf_free(&boxes);
	buf_free(&file);
	buf_free(&payload);
	draft_free(&d);
	forge_end(&f);
	world_end(&w);
}

/* Een and Drie know each other's; Drie wrote before she had read Een's and after. */
static void gap_world(struct world *w)
{
	forge_world(w);
	invite_third(w, 1);
	pump(w, 2, 3);
	pump(w, 1, 2);
	contact_in(w, 2, "Plein", (struct dot){ 0 }, "eerst dit");
	pump(w, 2, 1);
	pump(w, 2, 3);
	contact_in(w, 3, "Plein", (struct dot){ 0 }, "van drie, voor een");
	seal_home(w, 3);
	contact_in(w, 1, "Plein", (struct dot){ 0 }, "van een");
	pump(w, 1, 3);
	contact_in(w, 3, "Plein", (struct dot){ 0 }, "van drie, na een");
	pump(w, 3, 1);
	pump(w, 1, 2);
	pump(w, 3, 2);
}

/* A member says that he has seen what Drie wrote, and not what Drie had seen when she wrote it: so he could claim not
 * to have heard of what he must have. What she wrote before she had seen it is no reason to refuse him. `older`: Een's
 * home took her batches in with an earlier version. */
static void context_with_a_gap(bool older)
{
	struct world w;
	struct forge f;
	struct draft d = { 0 };
	struct errctx ec = { 0 };
	struct buf file = { 0 };
	struct edit edit;
	struct device_id drie;
	struct received got;
	uint8_t hash[HASH_LEN];
	size_t kept = 0;

	gap_world(&w);
	if (older) {
		assert_true(older_make(vault_db(w.app[1]->vault), 5));
		world_reopen(&w, 1);
	}
	drie = space_named(&w, 3, "Plein").me;
	forge_start(&f, &w, 2, "Plein");
	assert_int_equal(f.body.context_count, 2);
	for (size_t i = 0; i < f.body.context_count; i++) {
		if (device_cmp(f.context[i].dev, drie) == 0)
			f.context[kept++] = f.context[i];
	}
	assert_int_equal(kept, 1);
	f.body.context_count = kept;
	edit = forge_edit(&f, &d, (struct dot){ 0 }, "x");
	f.body.edits = &edit;
	f.body.edit_count = 1;
	forge_make(&f, &file);
	got = give(&w, 1, "after", buf_bytes(&file));
	assert_int_equal(got.batches, 0);
	assert_int_equal(got.set_aside, 1);
	f.context[0].seq--;
	assert_int_equal(store_batch_get(&ec, w.app[2]->store, drie, f.context[0].seq, &(uint64_t){ 0 }, hash), ERR_OK);
	memcpy(f.context[0].hash, hash, VV_HASH_LEN);
	buf_reset(&file);
	forge_make(&f, &file);
	assert_int_equal(give(&w, 1, "before", buf_bytes(&file)).batches, 1);
	buf_free(&file);
	draft_free(&d);
	forge_end(&f);
	world_end(&w);
}

static void test_context_with_a_gap(void **state)
{
	(void)state;
	context_with_a_gap(false);
	context_with_a_gap(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_device_under_anothers_name),
		cmocka_unit_test(test_tag_of_a_newcomer),
		cmocka_unit_test(test_epoch_for_some),
		cmocka_unit_test(test_context_with_a_gap),
	};

	return cmocka_run_group_tests_name("attack/holes", tests, NULL, NULL);
}
