// SPDX-License-Identifier: EUPL-1.2
// Goal (V2, V5): whatever is flipped, swapped, cut, zeroed, brought from another vault or put back from an older copy
// is noticed, and never read as data; what a power loss may leave is not called damage. Salvage then gets what is
// whole.
//
// Each case takes the files of one vault that was not closed (database, log and mark), changes them, opens them and
// looks. Wrong values without an error fail whatever the case expected.
//
// Seen to fail when: the page number leaves the associated data; the mark is not asked in end_judge(); a later
// transaction is not looked for; a log of an older generation is read; the sum is not compared; claims do not
// look at the length of the log; a slot of vault.mark can be copied; one mark that does not open is not told; it is
// told for ever.
//
// 400 bit flips in the ordinary run; SLB_SOAK=n makes n times as many.
#include "vault/kit.h"

#include "vault/page.h"
#include "vault/vault_over.h"

#define FLIPS 400

static struct seed seed = { 4711 };
static struct rng rng = { seed_fill, &seed };

struct files {
	struct buf db;
	struct buf wal;
	struct buf mark;
};

/* One life: `early` is a copy from before the first checkpoint of the second session, `late` the one that is changed.
 * `other` is another vault under the same master key. */
struct fixture {
	struct files early;
	struct files late;
	struct files stale_mark; /* late, with the mark as it was some commits before */
	struct files closed;     /* after a clean end */
	struct files other;
	char *dump;        /* of late */
	char *closed_dump; /* of closed */
	char *dir;
};

static struct files files_read(const char *dir)
{
	return (struct files){ kit_read(dir, "vault.db"), kit_read(dir, "vault.db-wal"), kit_read(dir, "vault.mark") };
}

static struct buf buf_copy(const struct buf *b)
{
	struct buf out = { 0 };

	assert_int_equal(buf_put(&out, b->data, b->len), ERR_OK);
	return out;
}

static struct files files_copy(const struct files *f)
{
	return (struct files){ buf_copy(&f->db), buf_copy(&f->wal), buf_copy(&f->mark) };
}

static void files_free(struct files *f)
{
	buf_free(&f->db);
	buf_free(&f->wal);
	buf_free(&f->mark);
}

static void file_put(const char *dir, const char *name, const struct buf *b)
{
	kit_write(dir, name, b->len == 0 ? NULL : b->data, b->len);
}

static void files_put(const char *dir, const struct files *f)
{
	file_put(dir, "vault.db", &f->db);
	file_put(dir, "vault.db-wal", &f->wal);
	file_put(dir, "vault.mark", &f->mark);
}

static int fixture_make(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));
	char *dir = kit_dir();
	char *other = kit_dir();
	struct vault *v = kit_open(dir, VAULT_CREATE, &rng);

	kit_fill(v, 60);
	x->early = files_read(dir);
	vault_close(v);
	v = kit_open(dir, VAULT_OPEN, &rng);
	kit_fill(v, 40);
	assert_int_equal(vault_checkpoint(v, NULL, false), ERR_OK);
	kit_fill(v, 6);
	x->stale_mark.mark = kit_read(dir, "vault.mark");
	kit_fill(v, 6);
	kit_sql(v, "UPDATE t SET x = 'touched ' || x WHERE id % 5 = 0");
	x->dump = kit_dump(v);
	x->late = files_read(dir);
	x->stale_mark.db = buf_copy(&x->late.db);
	x->stale_mark.wal = buf_copy(&x->late.wal);
	vault_close(v);
	v = kit_open(dir, VAULT_OPEN, &rng);
	kit_fill(v, 3);
	x->closed_dump = kit_dump(v);
	vault_close(v);
	x->closed = files_read(dir);
	v = kit_open(other, VAULT_CREATE, &rng);
	kit_fill(v, 112);
	assert_int_equal(vault_checkpoint(v, NULL, false), ERR_OK);
	kit_fill(v, 12);
	x->other = files_read(other);
	vault_close(v);
	kit_dir_free(other);
	x->dir = dir;
	*state = x;
	return 0;
}

static int fixture_free(void **state)
{
	struct fixture *x = *state;

	files_free(&x->early);
	files_free(&x->late);
	files_free(&x->stale_mark);
	files_free(&x->closed);
	files_free(&x->other);
	free(x->dump);
	free(x->closed_dump);
	kit_dir_free(x->dir);
	free(x);
	return 0;
}

/* ---- Looking ---- */

enum seen {
	AT_OPEN,   /* opening says damaged */
	AT_READ,   /* reading or verify says damaged */
	AT_VERIFY, /* only verify says so: what was read was right, or older than the sum allows */
	FEWER,     /* whole, without the last rows: a torn tail */
	WHOLE,     /* all is there and sound */
	WRONG,     /* other values, and no word about it */
};

struct look {
	enum seen seen;
	struct vault_notice notice;
	struct vault_report report;
};

/* `dump` is what must be read; a prefix of its rows is FEWER. */
static struct look look(const struct fixture *x, const struct files *f, const char *dump)
{
	struct look l = { .seen = AT_OPEN };
	struct vault *v = NULL;
	enum err e = ERR_OK;
	char *got = NULL;

	files_put(x->dir, f);
	e = vault_open(NULL, x->dir, KIT_MASTER, VAULT_OPEN, &rng, &v);
	if (e != ERR_OK) {
		assert_int_equal(e, ERR_DAMAGED);
		return l;
	}
	got = kit_dump(v);
	if (got == NULL)
		assert_int_equal(vault_sqlite_error(v, NULL), ERR_DAMAGED);
	e = vault_verify(v, NULL, &l.report);
	assert_true(e == ERR_OK || e == ERR_DAMAGED);
	l.notice = vault_notice(v);
	if (got == NULL)
		l.seen = AT_READ;
	else if (e == ERR_DAMAGED)
		l.seen = AT_VERIFY;
	else if (strcmp(got, dump) == 0)
		l.seen = WHOLE;
	else if (strlen(got) < strlen(dump))
		l.seen = FEWER;
	else
		l.seen = WRONG;
	free(got);
	vault_close(v);
	return l;
}

static uint32_t frames_of(const struct files *f)
{
	return (uint32_t)((f->wal.len - WAL_HEADER_DISK) / (WAL_FRAME_HEADER + VAULT_PAGE_SIZE));
}

static uint8_t *frame_at(struct files *f, uint32_t frame)
{
	return f->wal.data + WAL_HEADER_DISK + (size_t)(frame - 1) * (WAL_FRAME_HEADER + VAULT_PAGE_SIZE);
}

static uint8_t *page_at(struct files *f, uint32_t page)
{
	return f->db.data + (size_t)(page - 1) * VAULT_PAGE_SIZE;
}

#define FRAME (WAL_FRAME_HEADER + VAULT_PAGE_SIZE)
#define MARK_SLOT_USED (16 + 24 + 28 + 16)

static void swap_bytes(uint8_t *a, uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t t = a[i];

		a[i] = b[i];
		b[i] = t;
	}
}

#define BIT(seen) (1u << (seen))
#define DAMAGE (BIT(AT_OPEN) | BIT(AT_READ) | BIT(AT_VERIFY))

/* ---- Single bits ---- */

static unsigned soak(void)
{
	const char *n = getenv("SLB_SOAK");

	return n == NULL ? 1 : (unsigned)strtoul(n, NULL, 10);
}

static void a_flipped_bit_is_never_data(void **state)
{
	const struct fixture *x = *state;
	unsigned seen[WRONG + 1] = { 0 };

	for (unsigned i = 0; i < FLIPS * soak(); i++) {
		struct files f = files_copy(i % 3 == 0 ? &x->closed : &x->late);
		const char *dump = i % 3 == 0 ? x->closed_dump : x->dump;
		struct buf *b = i % 8 == 7 ? &f.mark : f.wal.len > 0 && i % 2 == 0 ? &f.wal : &f.db;
		size_t bit = (size_t)(seed_next(&seed) % (8 * b->len));
		struct look l;

		b->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		l = look(x, &f, dump);
		seen[l.seen]++;
		/* Without effect only where nothing is read: in vault.mark padding, the spare of page 1, one of two
		 * copies and an older record (a mark that does not open is told all the same); in the log the frames
		 * of the log before it. The database has no such place. */
		if (l.seen == WHOLE && b == &f.wal)
			assert_true((bit / 8 - WAL_HEADER_DISK) / FRAME >= l.report.frames);
		if (b == &f.mark)
			assert_int_equal(l.seen, WHOLE);
		if (b == &f.mark && bit / 8 < 2 * LEDGER_SLOT && bit / 8 % LEDGER_SLOT < MARK_SLOT_USED)
			assert_true(l.notice.mark_missing);
		if (b == &f.db)
			assert_true((BIT(l.seen) & DAMAGE) != 0);
		if (l.seen == WRONG || l.seen == FEWER)
			fail_msg("bit %zu of %s: %d", bit, b == &f.db ? "db" : b == &f.wal ? "wal" : "mark", l.seen);
		files_free(&f);
	}
	print_message("%u flips: %u at opening, %u at reading, %u by verify, %u without effect\n", FLIPS * soak(),
	              seen[AT_OPEN], seen[AT_READ], seen[AT_VERIFY], seen[WHOLE]);
	assert_true(seen[AT_OPEN] > 0 && seen[AT_READ] + seen[AT_VERIFY] > 0);
}

struct case_files {
	const char *name;
	void (*change)(const struct fixture *x, struct files *f);
	const struct files *(*from)(const struct fixture *x);
	unsigned allowed; /* bits of enum seen */
};

/* ---- Whole pages and files ---- */

static const struct files *from_late(const struct fixture *x)
{
	return &x->late;
}

static const struct files *from_closed(const struct fixture *x)
{
	return &x->closed;
}

static const struct files *from_stale(const struct fixture *x)
{
	return &x->stale_mark;
}

static void no_change(const struct fixture *x, struct files *f)
{
	(void)x;
	(void)f;
}

static void pages_swapped(const struct fixture *x, struct files *f)
{
	(void)x;
	swap_bytes(page_at(f, 5), page_at(f, 6), VAULT_PAGE_SIZE);
}

static void page_zeroed(const struct fixture *x, struct files *f)
{
	(void)x;
	memset(page_at(f, 7), 0, VAULT_PAGE_SIZE);
}

static void page_of_another_vault(const struct fixture *x, struct files *f)
{
	memcpy(page_at(f, 6), x->other.db.data + 5 * VAULT_PAGE_SIZE, VAULT_PAGE_SIZE);
}

static void first_page_of_another_vault(const struct fixture *x, struct files *f)
{
	memcpy(page_at(f, 1), x->other.db.data, VAULT_PAGE_SIZE);
}

/* The same page of the same vault, sealed under the same key, as it was some days before: it opens. */
static void older_page(const struct fixture *x, struct files *f)
{
	for (uint32_t page = 2; page <= x->late.db.len / VAULT_PAGE_SIZE; page++) {
		const uint8_t *old = x->late.db.data + (size_t)(page - 1) * VAULT_PAGE_SIZE;

		if (memcmp(old, page_at(f, page), VAULT_PAGE_SIZE) == 0)
			continue;
		memcpy(page_at(f, page), old, VAULT_PAGE_SIZE);
		return;
	}
	fail();
}

static void older_database(const struct fixture *x, struct files *f)
{
	buf_free(&f->db);
	f->db = buf_copy(&x->late.db);
}

static void database_cut(const struct fixture *x, struct files *f)
{
	(void)x;
	f->db.len -= VAULT_PAGE_SIZE;
}

static void database_cut_inside(const struct fixture *x, struct files *f)
{
	(void)x;
	f->db.len -= 100;
}

static void database_longer(const struct fixture *x, struct files *f)
{
	uint8_t more[VAULT_PAGE_SIZE] = { 1 };

	(void)x;
	assert_int_equal(buf_put(&f->db, more, sizeof(more)), ERR_OK);
}

static void database_emptied(const struct fixture *x, struct files *f)
{
	(void)x;
	f->db.len = 100;
}

static void log_deleted(const struct fixture *x, struct files *f)
{
	(void)x;
	f->wal.len = 0;
}

static void log_cut(const struct fixture *x, struct files *f)
{
	(void)x;
	f->wal.len = 80 + 10 * FRAME;
}

static void log_cut_in_header(const struct fixture *x, struct files *f)
{
	(void)x;
	f->wal.len = 40;
}

static void log_header_flipped(const struct fixture *x, struct files *f)
{
	(void)x;
	f->wal.data[3] ^= 1;
}

static void log_header_of_another_vault(const struct fixture *x, struct files *f)
{
	memcpy(f->wal.data, x->other.wal.data, WAL_HEADER_DISK);
}

static void frames_swapped(const struct fixture *x, struct files *f)
{
	(void)x;
	swap_bytes(frame_at(f, 3), frame_at(f, 4), FRAME);
}

/* A frame of the log before, in its old place: it bears an older generation. */
static void older_frame(const struct fixture *x, struct files *f)
{
	memcpy(frame_at(f, 2), x->early.wal.data + WAL_HEADER_DISK + FRAME, FRAME);
}

static void older_log(const struct fixture *x, struct files *f)
{
	buf_free(&f->wal);
	f->wal = buf_copy(&x->early.wal);
}

static void older_mark(const struct fixture *x, struct files *f)
{
	buf_free(&f->mark);
	f->mark = buf_copy(&x->early.mark);
}

static void mark_deleted(const struct fixture *x, struct files *f)
{
	(void)x;
	f->mark.len = 0;
}

/* Both copies of the newest record of the sum; the one before it counts then. */
static void newest_sum_lost(const struct fixture *x, struct files *f)
{
	struct vault *v = NULL;

	files_put(x->dir, f);
	v = kit_open(x->dir, VAULT_OPEN, &rng);
	memset(f->mark.data + (2 + 2 * (v->ledger.record.sequence % 2)) * LEDGER_SLOT, 0, 2 * LEDGER_SLOT);
	vault_close(v);
}

static void mark_of_another_vault(const struct fixture *x, struct files *f)
{
	buf_free(&f->mark);
	f->mark = buf_copy(&x->other.mark);
}

/* The last commit frame that the log holds; with the stale mark nothing speaks for it. */
static uint32_t last_frame(const struct fixture *x)
{
	struct vault *v = NULL;
	uint32_t frames = 0;

	files_put(x->dir, &x->late);
	v = kit_open(x->dir, VAULT_OPEN, &rng);
	frames = v->ledger.committed;
	vault_close(v);
	assert_true(frames > 4 && frames <= frames_of(&x->late));
	return frames;
}

static void last_frame_flipped(const struct fixture *x, struct files *f)
{
	frame_at(f, last_frame(x))[100] ^= 4;
}

static void early_frame_flipped(const struct fixture *x, struct files *f)
{
	(void)x;
	frame_at(f, 5)[2000] ^= 4;
}

static void tail_torn(const struct fixture *x, struct files *f)
{
	f->wal.len = WAL_HEADER_DISK + (size_t)(last_frame(x) - 1) * FRAME + 512;
}

/* A frame between the stale mark and the last transaction: only the transaction after it speaks for it. */
static void middle_frame_flipped(const struct fixture *x, struct files *f)
{
	struct vault *v = NULL;
	uint32_t marked = 0;

	files_put(x->dir, &x->stale_mark);
	v = kit_open(x->dir, VAULT_OPEN, &rng);
	marked = v->ledger.mark.frames;
	assert_true(marked > 0 && marked + 20 < v->ledger.committed);
	vault_close(v);
	frame_at(f, marked + 2)[9] ^= 1;
}

static const struct case_files cases[] = {
	{ "nothing", no_change, from_late, BIT(WHOLE) },
	{ "nothing, after a clean end", no_change, from_closed, BIT(WHOLE) },
	{ "nothing, with an older mark of this log", no_change, from_stale, BIT(WHOLE) },
	{ "two pages swapped", pages_swapped, from_closed, DAMAGE },
	{ "a page of zeros", page_zeroed, from_closed, DAMAGE },
	{ "a page of another vault under the same key", page_of_another_vault, from_closed, DAMAGE },
	{ "page 1 of another vault", first_page_of_another_vault, from_closed, DAMAGE },
	{ "an older page put back", older_page, from_closed, DAMAGE },
	{ "an older database put back", older_database, from_closed, DAMAGE },
	{ "the database cut by a page", database_cut, from_closed, DAMAGE },
	{ "the database cut inside a page", database_cut_inside, from_closed, DAMAGE },
	{ "a page added", database_longer, from_closed, DAMAGE },
	{ "the database emptied", database_emptied, from_late, DAMAGE },
	{ "the log deleted", log_deleted, from_late, BIT(AT_OPEN) },
	{ "the log deleted, older mark", log_deleted, from_stale, BIT(AT_OPEN) },
	{ "the log cut", log_cut, from_late, BIT(AT_OPEN) },
	{ "the log cut inside its header", log_cut_in_header, from_late, BIT(AT_OPEN) },
	{ "the log's header flipped", log_header_flipped, from_late, BIT(AT_OPEN) },
	{ "the log's header of another vault", log_header_of_another_vault, from_late, BIT(AT_OPEN) },
	{ "two frames swapped", frames_swapped, from_late, BIT(AT_OPEN) },
	{ "a frame of an older log", older_frame, from_late, BIT(AT_OPEN) },
	{ "an older log put back over a live one", older_log, from_late, BIT(AT_OPEN) },
	{ "an older log put back after a clean end", older_log, from_closed, BIT(WHOLE) },
	{ "an older mark put back", older_mark, from_late, BIT(AT_OPEN) },
	{ "an older mark put back after a clean end", older_mark, from_closed, DAMAGE },
	{ "the newest sum lost", newest_sum_lost, from_late, BIT(AT_OPEN) },
	{ "the newest sum lost after a clean end", newest_sum_lost, from_closed, BIT(AT_OPEN) },
	{ "the mark of another vault", mark_of_another_vault, from_closed, DAMAGE },
	{ "the mark deleted", mark_deleted, from_closed, DAMAGE },
	{ "an early frame flipped", early_frame_flipped, from_late, BIT(AT_OPEN) },
	{ "the last frame flipped, below the mark", last_frame_flipped, from_late, BIT(AT_OPEN) },
	{ "the last frame flipped, above an older mark", last_frame_flipped, from_stale, BIT(FEWER) },
	{ "the tail torn, below the mark", tail_torn, from_late, BIT(AT_OPEN) },
	{ "the tail torn, above an older mark", tail_torn, from_stale, BIT(FEWER) },
	{ "a frame flipped, above an older mark, a transaction after it", middle_frame_flipped, from_stale,
	  BIT(AT_OPEN) },
};

static void what_is_moved_cut_or_put_back_is_noticed(void **state)
{
	const struct fixture *x = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct files *from = cases[i].from(x);
		struct files f = files_copy(from);
		struct look l;

		cases[i].change(x, &f);
		l = look(x, &f, from == &x->closed ? x->closed_dump : x->dump);
		if ((BIT(l.seen) & cases[i].allowed) == 0)
			fail_msg("%s: seen %d, allowed %x", cases[i].name, l.seen, cases[i].allowed);
		if (cases[i].change == pages_swapped || cases[i].change == page_zeroed ||
		    cases[i].change == page_of_another_vault)
			assert_true(l.seen == AT_OPEN || l.report.bad_pages > 0); /* not by the sum alone */
		if (cases[i].change == older_log && l.seen == WHOLE)
			assert_true(l.notice.old_wal_ignored);
		if (cases[i].change == mark_deleted)
			assert_true(l.notice.mark_missing && !l.report.sum_known && l.report.bad_pages == 0);
		if (cases[i].change == older_page)
			assert_true(l.report.sum_known && !l.report.sum_matches && l.report.bad_pages == 0);
		files_free(&f);
	}
}

/* Every single older page of the same vault, one at a time: found each time. */
static void any_older_page_is_noticed(void **state)
{
	const struct fixture *x = *state;
	unsigned tried = 0;

	for (uint32_t page = 1; page <= x->late.db.len / VAULT_PAGE_SIZE; page++) {
		struct files f = files_copy(&x->closed);
		const uint8_t *old = x->late.db.data + (size_t)(page - 1) * VAULT_PAGE_SIZE;

		if (memcmp(old, page_at(&f, page), VAULT_PAGE_SIZE) != 0) {
			memcpy(page_at(&f, page), old, VAULT_PAGE_SIZE);
			assert_true((BIT(look(x, &f, x->closed_dump).seen) & DAMAGE) != 0);
			tried++;
		}
		files_free(&f);
	}
	print_message("%u older pages put back, one at a time\n", tried);
	assert_true(tried > 5);
}

/* The checkpoint was cut off, and then an older page is put back among those it did not touch: the sum of the rest
 * tells. */
static void replay_into_a_cut_checkpoint_is_noticed(void **state)
{
	const struct fixture *x = *state;
	struct files f = files_copy(&x->closed);
	struct vault *v = NULL;
	struct vault_report r;

	files_put(x->dir, &f);
	v = kit_open(x->dir, VAULT_OPEN, &rng);
	kit_sql(v, "UPDATE t SET x = 'once more' WHERE id = 1");
	/* The first page of a checkpoint is on its way when the power goes: its record is durable. */
	assert_int_equal(ledger_cut(&v->ledger), SQLITE_OK);
	files_free(&f);
	f = files_read(x->dir);
	vault_close(v);

	files_put(x->dir, &f);
	v = kit_open(x->dir, VAULT_OPEN, &rng);
	assert_int_equal(vault_verify(v, NULL, &r), ERR_OK);
	assert_true(r.sum_known && r.sum_matches);
	vault_close(v);

	older_page(x, &f);
	files_put(x->dir, &f);
	v = kit_open(x->dir, VAULT_OPEN, &rng);
	assert_int_equal(vault_verify(v, NULL, &r), ERR_DAMAGED);
	assert_true(r.sum_known && !r.sum_matches && r.bad_pages == 0);
	/* And a checkpoint does not wash it away. */
	assert_int_equal(vault_checkpoint(v, NULL, false), ERR_OK);
	assert_int_equal(vault_verify(v, NULL, &r), ERR_DAMAGED);
	vault_close(v);
	files_free(&f);
}

/* Whoever has one image of the disk of a vault that was not closed cuts the last transaction off and does what can be
 * done about the mark that speaks for it. It looks like a power cut only with the older mark where a power cut would
 * have left one: in the newest one's slot, and no slot takes a copy of another. */
static void a_cut_tail_is_told_unless_it_may_be_a_power_cut(void **state)
{
	enum { ZEROED, GARBAGE, OTHER_SLOT, SUM_SLOT, COUNT };
	const struct fixture *x = *state;

	for (int how = ZEROED; how < COUNT; how++) {
		struct files f = files_copy(&x->late);
		struct vault *v = NULL;
		struct look l;
		uint8_t *newest = NULL;
		uint32_t older = 0;

		files_put(x->dir, &f);
		v = kit_open(x->dir, VAULT_OPEN, &rng);
		newest = f.mark.data + v->ledger.mark.sequence % 2 * LEDGER_SLOT;
		vault_close(v);
		if (how == ZEROED)
			memset(newest, 0, LEDGER_SLOT);
		else if (how == GARBAGE)
			newest[50] ^= 1;
		else
			memcpy(newest,
			       how == SUM_SLOT         ? f.mark.data + 2 * LEDGER_SLOT
			       : newest == f.mark.data ? f.mark.data + LEDGER_SLOT
			                               : f.mark.data,
			       LEDGER_SLOT);
		files_put(x->dir, &f);
		v = kit_open(x->dir, VAULT_OPEN, &rng);
		older = v->ledger.mark.frames;
		assert_true(older > 0 && older < v->ledger.committed);
		vault_close(v);
		f.wal.len = WAL_HEADER_DISK + (size_t)older * FRAME;
		l = look(x, &f, x->dump);
		assert_int_equal(l.seen, FEWER);
		assert_true(l.notice.mark_missing);
		files_free(&f);
	}
}

/* After that the two slots are written again, and nothing is told any more. */
static void a_lost_mark_is_told_until_the_next_commit(void **state)
{
	const struct fixture *x = *state;
	struct files f = files_copy(&x->late);
	struct vault *v = NULL;

	memset(f.mark.data, 0, 2 * LEDGER_SLOT);
	files_put(x->dir, &f);
	for (int session = 0; session < 3; session++) {
		v = kit_open(x->dir, VAULT_OPEN, &rng);
		assert_int_equal(vault_notice(v).mark_missing, session < 2);
		if (session == 1)
			kit_fill(v, 1);
		vault_close(v);
	}
	files_free(&f);
}

/* ---- After damage ---- */

static void salvage_takes_what_is_whole(void **state)
{
	static void (*const change[])(const struct fixture *, struct files *) = {
		log_deleted, log_cut, log_header_flipped, early_frame_flipped, older_mark, older_log, no_change,
	};
	const struct fixture *x = *state;

	for (size_t i = 0; i < sizeof(change) / sizeof(change[0]); i++) {
		struct files f = files_copy(&x->late);
		struct vault *v = NULL;
		struct vault_report r;
		int64_t rows = 0;

		change[i](x, &f);
		files_put(x->dir, &f);
		v = kit_open(x->dir, VAULT_SALVAGE, &rng);
		assert_int_equal(vault_notice(v).salvaged, change[i] != no_change);
		rows = kit_number(v, "SELECT count(*) FROM t");
		assert_true(rows >= 100 && rows <= 112);
		if (change[i] != no_change) {
			assert_int_equal(vault_verify(v, NULL, &r), ERR_DAMAGED);
			assert_true(!r.sum_known && r.consistent && r.bad_pages == 0);
		}
		assert_int_equal(vault_accept(v, NULL), ERR_OK);
		assert_int_equal(vault_verify(v, NULL, &r), ERR_OK);
		kit_fill(v, 2);
		vault_close(v);
		/* From here on it is an ordinary vault again. */
		v = kit_open(x->dir, VAULT_OPEN, &rng);
		assert_int_equal(kit_number(v, "SELECT count(*) FROM t"), rows + 2);
		assert_int_equal(vault_verify(v, NULL, &r), ERR_OK);
		assert_false(vault_notice(v).salvaged || vault_notice(v).mark_missing);
		vault_close(v);
		files_free(&f);
	}
}

static void accepting_needs_every_page_to_open(void **state)
{
	const struct fixture *x = *state;
	struct files f = files_copy(&x->closed);
	struct vault *v = NULL;
	struct errctx ec = { .code = ERR_OK };
	char text[200];

	page_at(&f, 9)[40] ^= 1;
	files_put(x->dir, &f);
	v = kit_open(x->dir, VAULT_OPEN, &rng);
	assert_int_equal(vault_accept(v, &ec), ERR_DAMAGED);
	assert_non_null(strstr(err_text(&ec, NULL, text, sizeof(text)), "Page 9"));
	vault_close(v);
	files_free(&f);
}

/* The file id stands in vault.db and in every record of vault.mark: a torn page 1 opens from the log. */
static void a_torn_first_page_opens_from_the_log(void **state)
{
	const struct fixture *x = *state;
	struct files f = { { 0 }, { 0 }, { 0 } };
	struct vault *v = NULL;
	char *dump = NULL;

	files_put(x->dir, &x->closed);
	v = kit_open(x->dir, VAULT_OPEN, &rng);
	kit_sql(v, "CREATE TABLE more(x)"); /* changes page 1 */
	dump = kit_dump(v);
	assert_int_equal(ledger_cut(&v->ledger), SQLITE_OK); /* as a checkpoint does before it writes */
	f = files_read(x->dir);
	vault_close(v);
	memset(f.db.data, 0x55, 512);
	assert_int_equal(look(x, &f, dump).seen, WHOLE);
	free(dump);
	files_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_moved_cut_or_put_back_is_noticed),
		cmocka_unit_test(a_flipped_bit_is_never_data),
		cmocka_unit_test(any_older_page_is_noticed),
		cmocka_unit_test(a_cut_tail_is_told_unless_it_may_be_a_power_cut),
		cmocka_unit_test(a_lost_mark_is_told_until_the_next_commit),
		cmocka_unit_test(replay_into_a_cut_checkpoint_is_noticed),
		cmocka_unit_test(salvage_takes_what_is_whole),
		cmocka_unit_test(accepting_needs_every_page_to_open),
		cmocka_unit_test(a_torn_first_page_opens_from_the_log),
	};

	return vault_start() != ERR_OK ? 1
	                               : cmocka_run_group_tests_name("vault/damage", tests, fixture_make, fixture_free);
}
