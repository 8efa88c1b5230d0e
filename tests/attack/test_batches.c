// SPDX-License-Identifier: EUPL-1.2
// Goal: of forged batches, boxes and letters not one is accepted (S4, S5, K1, M1). 12,000 forgeries in each run, with
// SLB_SOAK=20 more than 200,000; SLB_SEED=n: another row of them.
//
// Accepted means: a batch counted as applied, somebody let in, a space joined, or any row of the receiver's vault other
// than before, but for the shelves of what waits and what was set aside. What a forgery is worth is judged by a second
// reading of docs/FORMAT.md (oracle.h), which knows what the members really made. Three things are accepted by design
// and so are no forgeries: the very batch that its author made, sealed anew under an epoch whose key the reader has (it
// comes out as known); what a member signs himself that follows on his last batch and claims nothing that is not so,
// whatever it says; and a key in a box that fits its own id (nothing is written under it before a signed record names
// it). Two batches with one number, both signed by one device, are no forgeries either: sync/test_hostile.c.
//
// Seen red, each made on purpose: the signature not checked, space, device or number left out of the batch's hash,
// padding not looked at, the header not bound, bytes behind a deflated body taken, the id of boxes not compared
// (src/batch); a batch tried with the keys of every device whatever its tag, the batch before it not compared, the
// first counter not compared, a gap in the numbers taken, a context that goes back, that names its author, another
// space, another history or what is not here, an edit about what its author had not seen, an epoch opened with
// recipients or with parents that its key belies, a genesis not looked at, an unknown control that must be understood
// passed over, a known batch applied again, what was half applied kept (src/sync).
//
// Every receiver gets them: Een, who has everything; Drie, who lacks the last batches and must come out equal in the
// end, with the forgeries still waiting; Nul, who is no member of the circle.
#include "attack/chance.h"
#include "attack/insider.h"

#define FORGERIES 12000
#define PER_ARENA 2000

struct forging {
	const char *name;
	void (*make)(struct arena *a, struct buf *out);
	unsigned weight;
};

static const struct forging kinds[] = {
	{ "one bit", one_bit, 8 },
	{ "one field of the header", header_field, 14 },
	{ "another type", other_type, 3 },
	{ "another's header", other_header, 4 },
	{ "cut", cut_short, 8 },
	{ "longer", made_longer, 4 },
	{ "spliced", spliced, 4 },
	{ "noise", of_noise, 2 },
	{ "replayed", replayed, 3 },
	{ "sealed again", sealed_again, 8 },
	{ "signed part changed", signed_part_changed, 6 },
	{ "signed by another", signed_again, 6 },
	{ "padded otherwise", padded_otherwise, 3 },
	{ "boxes", boxes_forged, 2 },
	{ "a member's own, fields changed", own_changed, 16 },
	{ "a member's own, bytes changed", own_bytes_changed, 9 },
	{ "a member's own, honest", own_honest, 0 }, /* every hundredth */
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static uint64_t tried[KINDS];
static uint64_t worth[WORTH_FITS + 1];
static uint64_t own_taken;
static uint64_t refused;

static size_t kind_choose(struct arena *a, uint64_t n)
{
	uint64_t at = below(a, 100);
	size_t k = 0;

	if (n % 100 == 50)
		return KINDS - 1;
	while (at >= kinds[k].weight)
		at -= kinds[k++].weight;
	return k;
}

static struct received hand_over(struct arena *a, size_t to, struct bytes file)
{
	const struct genuine *g = some(a, false);
	struct sync y = sync_of_home(&a->w, to);
	struct received r = { 0 };
	struct errctx ec = { 0 };
	char name[FILE_NAME_MAX + 1];

	snprintf(name, sizeof(name), "%.40s-%u", some(a, false)->name, (unsigned)below(a, 1000));
	assert_int_equal(
	    inbox_file(&ec, &y, g->ref, random_chance(&a->rnd, 50) ? name : some(a, false)->name, file, &r), ERR_OK);
	assert_int_equal(ec.code, ERR_OK);
	return r;
}

static bool unchanged(struct arena *a, size_t home)
{
	uint8_t now[32];

	held_now(a, home, now);
	return memcmp(now, a->held[home], 32) == 0;
}

/* What waits is tried again, and goes. */
static void settle(struct arena *a, size_t home)
{
	assert_int_equal(retry(&a->w, home).batches, 0);
	assert_true(unchanged(a, home));
	shelves_clear(a, home);
}

/* No batch of the forger tells the truth about an epoch, so none is opened: nobody writes under one of his. */
static size_t epochs_open(struct arena *a, size_t space)
{
	struct errctx ec = { 0 };
	struct epoch_row *list = NULL;
	size_t n = 0;

	assert_int_equal(store_epoch_list(&ec, a->w.app[EEN]->store, a->row[EEN][space].n, &list, &n), ERR_OK);
	free(list);
	return n;
}

static size_t receiver(struct arena *a)
{
	uint64_t at = below(a, 10);

	return at < 7 ? EEN : at < 9 ? DRIE : NUL;
}

static void try_one(struct arena *a, uint64_t seed, uint64_t n)
{
	size_t k = kind_choose(a, n);
	size_t to = k == KINDS - 1 ? EEN : receiver(a);
	struct buf file = { 0 };
	struct judged j;
	struct received r;
	bool same = false;

	kinds[k].make(a, &file);
	oracle_judge(&a->book, buf_bytes(&file), &j);
	if (j.verdict == WORTH_FORK || (to == DRIE && j.verdict == WORTH_KNOWN) ||
	    (to != EEN && j.verdict == WORTH_FITS)) {
		buf_free(&file);
		return;
	}
	tried[k]++;
	worth[j.verdict]++;
	if (j.verdict == WORTH_FITS)
		settle(a, EEN);
	r = hand_over(a, to, buf_bytes(&file));
	same = unchanged(a, to);
	if (j.verdict == WORTH_FITS && r.batches == 1) {
		assert_true(book_add(&a->book, &j));
		held_now(a, EEN, a->held[EEN]);
		own_taken++;
		assert_int_equal(epochs_open(a, PLEIN), 1);
		assert_int_equal(epochs_open(a, WEST), 1);
	} else if (r.batches + r.joined + r.admitted > 0 || !same || k == KINDS - 1) {
		print_error("seed %llu, forgery %llu, %s, to %zu (%s): applied %d, %s\n", (unsigned long long)seed,
		            (unsigned long long)n, kinds[k].name, to, j.why == NULL ? "" : j.why, (int)r.batches,
		            same ? "nothing changed" : "something changed");
		fail();
	} else {
		refused++;
	}
	buf_free(&file);
}

/* Drie gets all that was really made, in an order of its own, and the forgeries that wait go nowhere. */
static void catch_up(struct arena *a, const struct buf *taken, size_t count)
{
	for (size_t i = a->n; i-- > 0;)
		give(&a->w, DRIE, a->genuine[i].name, buf_bytes(&a->genuine[i].file));
	for (size_t i = 0; i < count; i++)
		give(&a->w, DRIE, "taken", buf_bytes(&taken[i]));
	retry(&a->w, DRIE);
	expect_same(&a->w, EEN, DRIE, "Plein");
}

/* All that Een took from the forger, sealed as they lie there. */
static size_t own_of_the_forger(struct arena *a, struct buf *out, size_t room)
{
	struct errctx ec = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < a->book.batches; i++) {
		const struct book_batch *b = &a->book.batch[i];
		struct file_header h = { FILE_BATCH, { { 0 } }, { { 0 } }, { { 0 } }, b->seq };
		struct buf part = { 0 };
		size_t space = a->book.device[b->dev].space;
		size_t epoch = 0;

		if (b->dev != a->device[TWEE][space] || n == room)
			continue;
		while (a->book.epoch[epoch].space != space)
			epoch++;
		h.space = a->row[TWEE][space].tag;
		h.device = a->row[TWEE][space].my_tag;
		assert_int_equal(store_batch_signed(&ec, a->w.app[EEN]->store, id_of(a, b->dev), b->seq, &part),
		                 ERR_OK);
		out[n] = (struct buf){ 0 };
		seal_under(a, epoch, &h, buf_bytes(&part), &out[n++]);
		buf_free(&part);
	}
	return n;
}

static void one_arena(uint64_t seed, uint64_t count)
{
	static struct arena a;
	static struct buf taken[1000];
	size_t n = 0;

	chance_seed(seed);
	arena_begin(&a, seed);
	for (uint64_t i = 0; i < count; i++) {
		try_one(&a, seed, i);
		if (i % 200 == 199) {
			settle(&a, EEN);
			settle(&a, NUL);
		}
		if (i % 40 == 39)
			life_goes_on(&a);
	}
	settle(&a, EEN);
	shelves_clear(&a, DRIE);
	n = own_of_the_forger(&a, taken, sizeof(taken) / sizeof(taken[0]));
	catch_up(&a, taken, n);
	for (size_t i = 0; i < n; i++)
		buf_free(&taken[i]);
	arena_end(&a);
}

static void no_forgery_is_accepted(void **state)
{
	uint64_t all = FORGERIES * random_soak();
	uint64_t seed = chance_first_seed();

	(void)state;
	print_message("# seeds %llu to %llu\n", (unsigned long long)seed,
	              (unsigned long long)(seed + all / PER_ARENA - 1));
	for (uint64_t done = 0; done < all; done += PER_ARENA)
		one_arena(seed++, PER_ARENA);
	for (size_t k = 0; k < KINDS; k++) {
		print_message("# %6llu %s\n", (unsigned long long)tried[k], kinds[k].name);
		assert_true(tried[k] > 0);
	}
	print_message("# worth nothing %llu, known %llu, broken %llu, early %llu, fits %llu\n",
	              (unsigned long long)worth[WORTH_NOTHING], (unsigned long long)worth[WORTH_KNOWN],
	              (unsigned long long)worth[WORTH_BROKEN], (unsigned long long)worth[WORTH_EARLY],
	              (unsigned long long)worth[WORTH_FITS]);
	print_message("# %llu refused; of what fits, %llu taken\n", (unsigned long long)refused,
	              (unsigned long long)own_taken);
	assert_true(refused > all * 8 / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_forgery_is_accepted),
	};

	if (!chance_start())
		return 1;
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 1);
	return cmocka_run_group_tests_name("attack/batches", tests, NULL, NULL);
}
