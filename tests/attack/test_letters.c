// SPDX-License-Identifier: EUPL-1.2
// Goal: of forged letters about joining not one lets anybody in, or takes anybody where he did not ask to go (S4, K1).
// 4,000 in each run, more with SLB_SOAK; SLB_SEED=n: another row of them.
//
// Strangers change bytes of true letters. A thief with a copy of the invitation makes a code that fits, but can neither
// ask for a space that it is not for nor show keys that are not his (what he asks for with keys of his own, first, is
// his: see docs/THREATS.md). Another member answers in place of the one who invited. The one who invited lies in the
// answer: then nobody is where he did not ask to be, and no key stands under a name that it does not fit.
//
// Seen red, each made on purpose in src/sync: the code of a request not compared; the signature over the keys shown not
// checked; a used invitation taken again; a space that the invitation is not for; one space twice; bytes behind a
// request taken; the bound on a name doubled; an answer by anybody; an answer's signature not checked; an epoch's id
// not compared with its key; the founder not compared with the space's id; the kind of a space taken from the answer,
// and its tag; the header inside a box not compared; an answer refused half way and kept all the same.
#include "attack/chance.h"
#include "attack/forgeries.h"
#include "sync/invite.h"
#include "sync/letters.h"

#define LETTERS 4000

struct asking {
	struct world w;
	struct random rnd;
	struct invitation invitation;
	struct space_row plein; /* as Drie asks for it */
	struct buf request;
	struct buf request_plain; /* without its code */
	struct buf answer;
	struct buf answer_plain; /* without key and signature */
	size_t nick_at;          /* in the plain request: what anybody may choose */
};

static struct buf letter_of(struct world *w, size_t home, uint8_t type)
{
	struct errctx ec = { 0 };
	struct file_row *list = NULL;
	struct buf out = { 0 };
	size_t n = 0;

	assert_int_equal(store_outgoing_list(&ec, w->app[home]->store, &list, &n), ERR_OK);
	for (size_t i = 0; i < n; i++) {
		if (list[i].file.data[5] == type) {
			buf_reset(&out);
			put(&out, list[i].file.data, list[i].file.len);
		}
	}
	store_files_free(list, n);
	assert_true(out.len > 0);
	return out;
}

/* What lies in an answer, for who holds the keys of `home`. */
static struct buf letter_open(struct world *w, size_t home, const char *space, struct bytes file)
{
	struct sync y = sync_of_home(w, home);
	struct errctx ec = { 0 };
	struct device_keys *keys = NULL;
	struct buf out = { 0 };

	assert_int_equal(device_keys_load(&ec, &y, space_named(w, home, space).n, &keys), ERR_OK);
	assert_int_equal(join_unseal(file, BOX_JOIN_ANSWER, keys->public.box, keys->box_secret, &out), ERR_OK);
	device_keys_free(keys);
	out.len -= SIGN_PUBLIC_LEN + SIGN_LEN;
	return out;
}

/* What lies in a request, for who issued the invitation. */
static struct buf request_open(struct world *w, size_t home, const char *space, struct bytes file)
{
	struct sync y = sync_of_home(w, home);
	struct space_row row = space_named(w, home, space);
	struct errctx ec = { 0 };
	struct buf out = { 0 };

	assert_int_equal(invite_unseal(&ec, &y, &row, file, &out), ERR_OK);
	out.len -= HASH_LEN;
	return out;
}

static void asking_begin(struct asking *k, uint64_t seed)
{
	struct errctx ec = { 0 };
	struct invite_view v;
	struct join_view asked;

	*k = (struct asking){ .rnd = { seed } };
	forge_world(&k->w);
	assert_int_equal(world_home(&k->w, "Drie"), 3);
	assert_int_equal(app_invite(&ec, k->w.app[1], &(struct invite_ask){ .space = "Plein" }, &v), ERR_OK);
	assert_int_equal(invitation_get(&ec, (const char *)v.text.data, v.text.len, &k->invitation), ERR_OK);
	assert_int_equal(app_join(&ec, k->w.app[3], (const char *)v.text.data, v.text.len, false, &asked), ERR_OK);
	buf_free(&v.text);
	k->plein = space_named(&k->w, 3, "Plein");
	k->request = letter_of(&k->w, 3, FILE_JOIN_REQUEST);
	k->request_plain = request_open(&k->w, 1, "Plein", buf_bytes(&k->request));
	k->nick_at = 1 + 1 + 1 + INVITATION_ID_LEN + 1;
	assert_memory_equal(k->request_plain.data + k->nick_at, "Drie", 4);
}

static void asking_end(struct asking *k)
{
	buf_free(&k->request);
	buf_free(&k->request_plain);
	buf_free(&k->answer);
	buf_free(&k->answer_plain);
	world_end(&k->w);
}

/* Any change of bytes that a stranger can make; false: it came out the same. */
static bool bytes_changed(struct asking *k, struct bytes from, struct buf *out)
{
	size_t n = 1 + random_below(&k->rnd, 3);

	buf_reset(out);
	put(out, from.data, from.len);
	switch (random_below(&k->rnd, 5)) {
	case 0:
		out->len = random_below(&k->rnd, out->len);
		break;
	case 1:
		put(out, from.data, 1 + random_below(&k->rnd, from.len - 1));
		break;
	case 2:
		out->data[random_below(&k->rnd, FILE_HEADER_LEN)] ^= (uint8_t)(1 + random_below(&k->rnd, 255));
		break;
	default:
		while (n-- > 0)
			out->data[random_below(&k->rnd, out->len)] ^= (uint8_t)(1u << random_below(&k->rnd, 8));
	}
	return bytes_cmp(buf_bytes(out), from) != 0;
}

struct count {
	uint64_t batches; /* applied anywhere in this home */
	uint64_t devices;
	size_t epochs;
	size_t member; /* spaces that one is in */
};

static struct count count_of(struct world *w, size_t home)
{
	struct errctx ec = { 0 };
	struct space_row *list = NULL;
	struct count c = { 0 };
	size_t n = 0;

	assert_int_equal(store_space_list(&ec, w->app[home]->store, &list, &n), ERR_OK);
	for (size_t i = 0; i < n; i++) {
		struct vv v = { 0 };
		struct device_row *devices = NULL;
		struct epoch_row *epochs = NULL;
		size_t m = 0;

		assert_int_equal(store_vector(&ec, w->app[home]->store, list[i].n, &v), ERR_OK);
		for (size_t d = 0; d < v.n; d++)
			c.batches += v.e[d].seq;
		vv_free(&v);
		assert_int_equal(store_device_list(&ec, w->app[home]->store, list[i].n, &devices, &m), ERR_OK);
		c.devices += m;
		assert_int_equal(store_epoch_list(&ec, w->app[home]->store, list[i].n, &epochs, &m), ERR_OK);
		c.epochs += m;
		c.member += list[i].state == SPACE_MEMBER;
		free(devices);
		free(epochs);
	}
	free(list);
	return c;
}

static void no_effect(struct asking *k, size_t home, struct bytes file, const struct count *was, const char *what,
                      uint64_t n)
{
	struct received r = give(&k->w, home, "letter", file);
	struct count is = count_of(&k->w, home);

	if (r.admitted + r.joined + r.batches > 0 || memcmp(&is, was, sizeof(is)) != 0) {
		print_error("%s, number %llu: let in %d, joined %d\n", what, (unsigned long long)n, (int)r.admitted,
		            (int)r.joined);
		fail();
	}
	if (n % 500 == 0)
		assert_int_equal(sqlite3_exec(vault_db(k->w.app[home]->vault),
		                              "DELETE FROM set_aside; DELETE FROM waiting", NULL, NULL, NULL),
		                 SQLITE_OK);
}

/* ---- Requests ---- */

static void request_seal(struct asking *k, struct bytes plain, const uint8_t *secret, struct buf *out)
{
	struct file_header h = { .type = FILE_JOIN_REQUEST, .space = k->invitation.space[0].tag };
	struct buf all = { 0 };
	uint8_t mac[HASH_LEN];

	request_mac(secret, plain, mac);
	put(&all, plain.data, plain.len);
	put(&all, mac, sizeof(mac));
	buf_reset(out);
	assert_int_equal(join_seal(&h, BOX_JOIN_REQUEST, k->invitation.space[0].box, buf_bytes(&all), out), ERR_OK);
	buf_free(&all);
}

/* With the code of somebody who holds the invitation; nothing of the nick is changed, which is free. */
static void request_of_a_thief(struct asking *k, struct buf *out)
{
	struct buf plain = { 0 };
	size_t at = 0;

	put(&plain, k->request_plain.data, k->request_plain.len);
	do
		at = random_below(&k->rnd, plain.len);
	while (at >= k->nick_at && at < k->nick_at + 4);
	switch (random_below(&k->rnd, 4)) {
	case 0:
		plain.data[at] ^= (uint8_t)(1u << random_below(&k->rnd, 8));
		break;
	case 1:
		plain.len = at;
		break;
	case 2:
		put(&plain, k->request_plain.data, 1 + random_below(&k->rnd, 30));
		break;
	default:
		plain.data[at] = (uint8_t)(plain.data[at] + 1 + random_below(&k->rnd, 255));
	}
	request_seal(k, buf_bytes(&plain), k->invitation.secret, out);
	buf_free(&plain);
}

struct entry {
	struct space_id space;
	struct bundle show;
	const struct device_keys *sign; /* whose key signs that one holds the keys shown */
	struct space_id sign_space;
};

static void request_by_hand(struct asking *k, const char *nick, const struct entry *e, size_t n, struct buf *out)
{
	struct buf p = { 0 };
	uint8_t id[INVITATION_ID_LEN];
	uint8_t bundle[BUNDLE_LEN];
	uint8_t hash[HASH_LEN];
	uint8_t signature[SIGN_LEN];

	invitation_id(k->invitation.secret, id);
	assert_int_equal(wire_put_array(&p, 4), ERR_OK);
	assert_int_equal(wire_put_uint(&p, 1), ERR_OK);
	assert_int_equal(wire_put_bytes(&p, id, sizeof(id)), ERR_OK);
	assert_int_equal(wire_put_text(&p, nick, strlen(nick)), ERR_OK);
	assert_int_equal(wire_put_array(&p, n), ERR_OK);
	for (size_t i = 0; i < n; i++) {
		bundle_put(&e[i].show, bundle);
		possession_hash(bundle, e[i].sign_space, id, hash);
		sign_make(e[i].sign->sign_secret, (struct bytes){ hash, sizeof(hash) }, signature);
		assert_int_equal(wire_put_array(&p, 3), ERR_OK);
		assert_int_equal(wire_put_bytes(&p, e[i].space.b, SPACE_ID_LEN), ERR_OK);
		assert_int_equal(wire_put_bytes(&p, bundle, sizeof(bundle)), ERR_OK);
		assert_int_equal(wire_put_bytes(&p, signature, sizeof(signature)), ERR_OK);
	}
	request_seal(k, buf_bytes(&p), k->invitation.secret, out);
	buf_free(&p);
}

/* Keys that are not his, spaces that he was not invited to, one space twice, none. */
static void thief_with_his_own_keys(struct asking *k)
{
	struct device_keys *thief = device_keys_make(&crypto_rng);
	struct sync y = sync_of_home(&k->w, 2);
	struct errctx ec = { 0 };
	struct device_keys *twee = NULL;
	struct space_id plein = k->plein.id;
	struct space_id other = { { 1, 2, 3 } };
	struct space_id own;
	struct count was = count_of(&k->w, 1);
	struct buf file = { 0 };
	struct space_row *list = NULL;
	size_t n = 0;

	assert_non_null(thief);
	assert_int_equal(device_keys_load(&ec, &y, space_named(&k->w, 2, "Plein").n, &twee), ERR_OK);
	assert_int_equal(store_space_list(&ec, k->w.app[1]->store, &list, &n), ERR_OK);
	own = list[0].id;
	assert_int_equal(list[0].kind, SPACE_OWN);
	free(list);
	{
		const struct entry cases[][3] = {
			{ { plein, twee->public, thief, plein } },
			{ { other, thief->public, thief, other } },
			{ { own, thief->public, thief, own } },
			{ { plein, thief->public, thief, other } },
			{ { plein, thief->public, thief, plein }, { plein, thief->public, thief, plein } },
			{ { plein, thief->public, thief, plein }, { own, thief->public, thief, own } },
			{ { plein, thief->public, thief, plein },
			  { plein, twee->public, twee, plein },
			  { own, thief->public, thief, own } },
			{ { plein, thief->public, thief, plein } },
		};
		static const size_t counts[] = { 1, 1, 1, 1, 2, 2, 3, 0 };

		for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
			request_by_hand(k, "Dief", cases[i], counts[i], &file);
			no_effect(k, 1, buf_bytes(&file), &was, "a thief's request", i + 1);
		}
	}
	for (size_t len = SPACE_NAME_MAX + 1; len < 3 * SPACE_NAME_MAX; len += 7) {
		const struct entry e = { plein, thief->public, thief, plein };
		char nick[3 * SPACE_NAME_MAX] = "";

		memset(nick, 'x', len);
		request_by_hand(k, nick, &e, 1, &file);
		no_effect(k, 1, buf_bytes(&file), &was, "a name that is too long", len);
	}
	device_keys_free(thief);
	device_keys_free(twee);
	buf_free(&file);
}

/* After somebody came in by it, an invitation lets in nobody else, whatever is sent. */
static void used_invitation(struct asking *k)
{
	struct device_keys *thief = device_keys_make(&crypto_rng);
	struct entry e = { k->plein.id, { .incarnation = 0 }, thief, k->plein.id };
	struct count was = count_of(&k->w, 1);
	struct buf file = { 0 };

	assert_non_null(thief);
	e.show = thief->public;
	request_by_hand(k, "Dief", &e, 1, &file);
	no_effect(k, 1, buf_bytes(&file), &was, "a used invitation", 1);
	no_effect(k, 1, buf_bytes(&k->request), &was, "the same request", 2);
	for (uint64_t i = 3; i < 40; i++) {
		request_of_a_thief(k, &file);
		no_effect(k, 1, buf_bytes(&file), &was, "a used invitation", i);
	}
	device_keys_free(thief);
	buf_free(&file);
}

static void requests(struct asking *k, uint64_t count)
{
	static const uint8_t other_secret[INVITE_SECRET_LEN] = { 5 };
	struct count was = count_of(&k->w, 1);
	struct buf file = { 0 };

	for (uint64_t n = 1; n <= count; n++) {
		if (n % 2 == 0) {
			if (!bytes_changed(k, buf_bytes(&k->request), &file))
				continue;
			no_effect(k, 1, buf_bytes(&file), &was, "a request with changed bytes", n);
		} else if (n % 10 == 1) {
			request_seal(k, buf_bytes(&k->request_plain), other_secret, &file);
			no_effect(k, 1, buf_bytes(&file), &was, "a request with another code", n);
		} else {
			request_of_a_thief(k, &file);
			no_effect(k, 1, buf_bytes(&file), &was, "a thief's request", n);
		}
	}
	thief_with_his_own_keys(k);
	assert_int_equal(give(&k->w, 1, "letter", buf_bytes(&k->request)).admitted, 1);
	used_invitation(k);
	buf_free(&file);
}

/* ---- Answers ---- */

/* Signed with the key of `by`, shown as the key of `as`. */
static void answer_seal(struct asking *k, struct bytes plain, size_t by, size_t as, struct buf *out)
{
	struct sync y = sync_of_home(&k->w, by);
	struct sync asker = sync_of_home(&k->w, 3);
	struct errctx ec = { 0 };
	struct file_header h = { .type = FILE_JOIN_ANSWER, .space = k->plein.tag };
	struct sync shown = sync_of_home(&k->w, as);
	struct device_keys *keys = NULL;
	struct device_keys *show = NULL;
	struct device_keys *to = NULL;
	struct buf all = { 0 };
	uint8_t bundle[BUNDLE_LEN];
	uint8_t hash[HASH_LEN];
	uint8_t signature[SIGN_LEN];

	assert_int_equal(device_keys_load(&ec, &y, space_named(&k->w, by, "Plein").n, &keys), ERR_OK);
	assert_int_equal(device_keys_load(&ec, &shown, space_named(&k->w, as, "Plein").n, &show), ERR_OK);
	assert_int_equal(device_keys_load(&ec, &asker, k->plein.n, &to), ERR_OK);
	bundle_put(&to->public, bundle);
	answer_hash(bundle, plain, hash);
	sign_make(keys->sign_secret, (struct bytes){ hash, sizeof(hash) }, signature);
	put(&all, plain.data, plain.len);
	put(&all, show->public.sign, SIGN_PUBLIC_LEN);
	put(&all, signature, sizeof(signature));
	buf_reset(out);
	assert_int_equal(join_seal(&h, BOX_JOIN_ANSWER, to->public.box, buf_bytes(&all), out), ERR_OK);
	device_keys_free(keys);
	device_keys_free(show);
	device_keys_free(to);
	buf_free(&all);
}

/* The founder that was noted is the one that the space's id commits to, and is known as a device. */
static void founder_fits(struct asking *k, const struct space_row *space)
{
	struct sync y = sync_of_home(&k->w, 3);
	struct errctx ec = { 0 };
	struct buf genesis = { 0 };
	struct device_row *list = NULL;
	struct space_id id;
	size_t n = 0;
	bool found = false;

	assert_int_equal(store_kept_get(&ec, y.store, space->n, "genesis", &genesis), ERR_OK);
	assert_int_equal(genesis.len, 1 + 1 + 2 + SIGN_PUBLIC_LEN + 1 + SPACE_NONCE_LEN);
	id = space_id_make((enum space_kind)genesis.data[1], genesis.data + 4, genesis.data + 5 + SIGN_PUBLIC_LEN);
	assert_memory_equal(id.b, space->id.b, SPACE_ID_LEN);
	assert_int_equal(store_device_list(&ec, y.store, space->n, &list, &n), ERR_OK);
	for (size_t i = 0; i < n; i++)
		found = found || memcmp(list[i].sign, genesis.data + 4, SIGN_PUBLIC_LEN) == 0;
	assert_true(found);
	free(list);
	buf_free(&genesis);
}

/* Within the transaction in which an answer was taken: where is Drie now, and what does it hold? */
static void nothing_but_what_was_asked(struct asking *k, const struct space_row *before, size_t count)
{
	struct sync y = sync_of_home(&k->w, 3);
	struct errctx ec = { 0 };
	struct epoch_secret *s = secret_new(sizeof(*s));

	assert_non_null(s);
	for (size_t i = 0; i < count; i++) {
		struct space_row now;
		struct epoch_row *list = NULL;
		size_t n = 0;

		assert_int_equal(store_space_get(&ec, y.store, before[i].n, &now), ERR_OK);
		assert_memory_equal(now.id.b, before[i].id.b, SPACE_ID_LEN);
		assert_memory_equal(now.me.b, before[i].me.b, DEVICE_ID_LEN);
		assert_memory_equal(now.tag.b, before[i].tag.b, TAG_LEN);
		assert_int_equal(now.kind, before[i].kind);
		assert_string_equal(now.remote, before[i].remote);
		assert_true(now.neighbourhood == before[i].neighbourhood ||
		            now.neighbourhood == k->plein.neighbourhood);
		if (before[i].state == SPACE_MEMBER)
			continue;
		if (now.state != SPACE_MEMBER)
			continue;
		founder_fits(k, &now);
		assert_int_equal(store_epoch_list(&ec, y.store, now.n, &list, &n), ERR_OK);
		for (size_t e = 0; e < n; e++) {
			const struct bytes parts[] = { { now.id.b, SPACE_ID_LEN },
				                       { s->recipients, 32 },
				                       { s->parents, 32 } };
			uint8_t id[32];

			assert_int_equal(epoch_key_load(&ec, &y, now.n, list[e].id, s), ERR_OK);
			oracle_hash("slb epoch", s->key, parts, 3, id);
			assert_memory_equal(id, list[e].id.b, 32);
		}
		free(list);
	}
	secret_free(s);
}

/* The entries of the answer doubled, turned, or left out. */
static void entries_otherwise(struct asking *k, struct buf *plain)
{
	struct wire_in in = wire_in(buf_bytes(&k->answer_plain));
	struct bytes entry[2];
	uint8_t id[INVITATION_ID_LEN];
	uint64_t version = 0;
	size_t n = 0;
	size_t count = 1 + random_below(&k->rnd, 3);

	assert_int_equal(wire_get_array(&in, &n), ERR_OK);
	assert_int_equal(wire_get_uint(&in, &version), ERR_OK);
	assert_int_equal(wire_get_exact(&in, id, sizeof(id)), ERR_OK);
	assert_int_equal(wire_get_array(&in, &n), ERR_OK);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(wire_get_raw(&in, &entry[i]), ERR_OK);
	put(plain, k->answer_plain.data, 1 + 1 + 1 + INVITATION_ID_LEN);
	assert_int_equal(wire_put_array(plain, count), ERR_OK);
	for (size_t i = 0; i < count; i++) {
		const struct bytes *e = &entry[random_below(&k->rnd, 2)];

		put(plain, e->data, e->len);
	}
}

/* What a lying answer says: bits anywhere, small numbers (kinds, ranks, counts), entries otherwise, or cut. */
static void lie(struct asking *k, uint64_t n, struct buf *plain)
{
	buf_reset(plain);
	if (n % 10 == 9) {
		entries_otherwise(k, plain);
		return;
	}
	put(plain, k->answer_plain.data, k->answer_plain.len);
	for (uint64_t i = 0; i < 1 + n % 3; i++) {
		size_t at = random_below(&k->rnd, plain->len);

		while (n % 2 == 0 && plain->data[at] > 3)
			at = random_below(&k->rnd, plain->len);
		plain->data[at] ^= (uint8_t)(1u << random_below(&k->rnd, n % 2 == 0 ? 2 : 8));
	}
	if (n % 16 == 1)
		plain->len = random_below(&k->rnd, plain->len);
}

/* The one who invited signs what he likes. */
static uint64_t answers_of_a_liar(struct asking *k, uint64_t count)
{
	struct sync y = sync_of_home(&k->w, 3);
	struct errctx ec = { 0 };
	struct space_row *before = NULL;
	struct buf plain = { 0 };
	struct buf file = { 0 };
	struct count was = count_of(&k->w, 3);
	uint64_t taken = 0;
	size_t spaces = 0;

	assert_int_equal(store_space_list(&ec, y.store, &before, &spaces), ERR_OK);
	for (uint64_t n = 0; n < count; n++) {
		struct received r = { 0 };
		struct count is;
		enum fate fate = FATE_DONE;
		const char *why = NULL;

		lie(k, n, &plain);
		answer_seal(k, buf_bytes(&plain), 1, 1, &file);
		assert_int_equal(store_begin(&ec, y.store), ERR_OK);
		assert_int_equal(join_answer_receive(&ec, &y, buf_bytes(&file), &r, &fate, &why), ERR_OK);
		assert_int_equal(ec.code, ERR_OK);
		assert_int_equal(fate == FATE_DONE, r.joined > 0);
		if (fate == FATE_DONE) {
			nothing_but_what_was_asked(k, before, spaces);
			taken++;
		}
		store_rollback(y.store);
		is = count_of(&k->w, 3);
		assert_memory_equal(&is, &was, sizeof(is));
	}
	free(before);
	buf_free(&plain);
	buf_free(&file);
	return taken;
}

static void answers(struct asking *k, uint64_t count)
{
	struct count was = count_of(&k->w, 3);
	struct buf file = { 0 };
	uint64_t taken = 0;

	k->answer = letter_of(&k->w, 1, FILE_JOIN_ANSWER);
	k->answer_plain = letter_open(&k->w, 3, "Plein", buf_bytes(&k->answer));
	for (uint64_t n = 1; n <= count; n++) {
		if (n % 10 != 0) {
			if (!bytes_changed(k, buf_bytes(&k->answer), &file))
				continue;
			no_effect(k, 3, buf_bytes(&file), &was, "an answer with changed bytes", n);
		} else {
			answer_seal(k, buf_bytes(&k->answer_plain), 2, n % 20 == 0 ? 1 : 2, &file);
			no_effect(k, 3, buf_bytes(&file), &was, "an answer of another member", n);
		}
	}
	taken = answers_of_a_liar(k, count);
	print_message("# of %llu lies of the one who invited %llu were taken\n", (unsigned long long)count,
	              (unsigned long long)taken);
	assert_int_equal(give(&k->w, 3, "letter", buf_bytes(&k->answer)).joined, 2);
	was = count_of(&k->w, 3);
	no_effect(k, 3, buf_bytes(&k->answer), &was, "the same answer", 1);
	buf_free(&file);
}

static void no_letter_is_accepted(void **state)
{
	uint64_t seed = chance_first_seed();
	uint64_t rounds = random_soak();

	(void)state;
	print_message("# seeds %llu to %llu\n", (unsigned long long)seed, (unsigned long long)(seed + rounds - 1));
	for (uint64_t i = 0; i < rounds; i++) {
		static struct asking k;

		chance_seed(seed + i);
		asking_begin(&k, seed + i);
		requests(&k, LETTERS / 2);
		answers(&k, LETTERS / 4);
		asking_end(&k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_letter_is_accepted),
	};

	if (!chance_start())
		return 1;
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 1);
	return cmocka_run_group_tests_name("attack/letters", tests, NULL, NULL);
}
