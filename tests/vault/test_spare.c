// SPDX-License-Identifier: EUPL-1.2
// Goal (V2): page 1, which holds the roots of everything, is not a single point of total loss. A spare of its sealed
// bytes follows it into vault.mark; salvage alone reads it, and also reads what is left of a file that is cut off.
//
// Seen to fail when: the spare is not written by a checkpoint, or with bytes that do not open; an opening that is not
// salvage takes it; salvage is not told of; page 1 of another vault decides which vault this is; the size is not taken
// from the record.
#include "vault/kit.h"

#include "vault/page.h"
#include "vault/vault_over.h"

static struct seed seed = { 1917 };
static struct rng rng = { seed_fill, &seed };

struct files {
	struct buf db;
	struct buf wal;
	struct buf mark;
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

/* An empty log is no log; an empty database is a file of no bytes. */
static void files_put(const char *dir, const struct files *f)
{
	kit_write(dir, "vault.db", f->db.data, f->db.len);
	kit_write(dir, "vault.db-wal", f->wal.len == 0 ? NULL : f->wal.data, f->wal.len);
	kit_write(dir, "vault.mark", f->mark.data, f->mark.len);
}

struct fixture {
	struct files open;   /* not closed: much of it is in the log only */
	struct files closed; /* after a clean end */
	struct files other;  /* another vault under the same master key */
	char *dump;          /* of closed */
	char *dir;
};

static int fixture_make(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));
	struct vault *v = NULL;

	x->dir = kit_dir();
	v = kit_open(x->dir, VAULT_CREATE, &rng);
	kit_fill(v, 60);
	assert_int_equal(vault_checkpoint(v, NULL, false), ERR_OK);
	kit_fill(v, 60);
	x->open = files_read(x->dir);
	x->dump = kit_dump(v);
	vault_close(v);
	x->closed = files_read(x->dir);
	for (size_t i = 0; i < KIT_FILE_COUNT; i++)
		kit_write(x->dir, KIT_FILES[i], NULL, 0);
	v = kit_open(x->dir, VAULT_CREATE, &rng);
	kit_fill(v, 3);
	vault_close(v);
	x->other = files_read(x->dir);
	*state = x;
	return 0;
}

static int fixture_free(void **state)
{
	struct fixture *x = *state;

	files_free(&x->open);
	files_free(&x->closed);
	files_free(&x->other);
	free(x->dump);
	kit_dir_free(x->dir);
	free(x);
	return 0;
}

static const uint8_t *spare_of(const struct files *f)
{
	assert_int_equal(f->mark.len, LEDGER_SPARE_AT + VAULT_PAGE_SIZE);
	return f->mark.data + LEDGER_SPARE_AT;
}

static void byte_flip(const char *dir, const char *name, off_t at)
{
	char *path = file_join(dir, name);
	int fd = open(path, O_RDWR);
	uint8_t byte = 0;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
	free(path);
}

static void the_spare_is_page_one_as_it_was_moved(void **state)
{
	const struct fixture *x = *state;
	char *dir = kit_dir();
	struct vault *v = kit_open(dir, VAULT_CREATE, &rng);
	struct files f = files_read(dir);
	struct buf before = { 0 };

	assert_memory_equal(spare_of(&f), f.db.data, VAULT_PAGE_SIZE); /* from the first opening on */
	before = buf_copy(&f.db);
	kit_fill(v, 5);
	files_free(&f);
	f = files_read(dir);
	assert_memory_equal(spare_of(&f), before.data, VAULT_PAGE_SIZE); /* only a checkpoint moves it */
	assert_int_equal(vault_checkpoint(v, NULL, false), ERR_OK);
	files_free(&f);
	f = files_read(dir);
	assert_memory_not_equal(f.db.data, before.data, VAULT_PAGE_SIZE);
	assert_memory_equal(spare_of(&f), f.db.data, VAULT_PAGE_SIZE);
	/* Damaged between its sync and the end of the checkpoint: it does not take the place of a spare that opens. */
	buf_free(&before);
	before = buf_copy(&f.mark);
	kit_sql(v, "CREATE TABLE more(x)");
	assert_int_equal(sqlite3_wal_checkpoint_v2(vault_db(v), "main", SQLITE_CHECKPOINT_FULL, NULL, NULL), SQLITE_OK);
	byte_flip(dir, "vault.db", 2000);
	assert_int_equal(vault_checkpoint(v, NULL, false), ERR_OK);
	files_free(&f);
	f = files_read(dir);
	assert_memory_equal(spare_of(&f), before.data + LEDGER_SPARE_AT, VAULT_PAGE_SIZE);
	vault_close(v);
	kit_dir_free(dir);
	buf_free(&before);
	files_free(&f);

	/* One that was damaged is replaced at opening; one that opens is not. */
	f = files_copy(&x->closed);
	f.mark.data[LEDGER_SPARE_AT + 77] ^= 1;
	files_put(x->dir, &f);
	vault_close(kit_open(x->dir, VAULT_OPEN, &rng));
	files_free(&f);
	f = files_read(x->dir);
	assert_memory_equal(spare_of(&f), f.db.data, VAULT_PAGE_SIZE);
	files_free(&f);
}

static void page_one_flipped(const struct fixture *x, struct files *f)
{
	(void)x;
	f->db.data[2000] ^= 8;
}

static void page_one_id_flipped(const struct fixture *x, struct files *f)
{
	(void)x;
	f->db.data[3] ^= 8;
}

static void page_one_zeroed(const struct fixture *x, struct files *f)
{
	(void)x;
	memset(f->db.data, 0, VAULT_PAGE_SIZE);
}

static void page_one_of_another_vault(const struct fixture *x, struct files *f)
{
	memcpy(f->db.data, x->other.db.data, VAULT_PAGE_SIZE);
}

/* Normal opening names the damage and never takes the spare; salvage does, and all rows are there. */
static void a_lost_first_page_is_stood_in_for_by_salvage_alone(void **state)
{
	static void (*const change[])(const struct fixture *, struct files *) = { page_one_flipped, page_one_id_flipped,
		                                                                  page_one_zeroed,
		                                                                  page_one_of_another_vault };
	const struct fixture *x = *state;

	for (size_t i = 0; i < sizeof(change) / sizeof(change[0]); i++) {
		struct files f = files_copy(&x->closed);
		struct vault *v = NULL;
		struct vault_report r;
		struct errctx ec = { .code = ERR_OK };
		char text[200];
		char *got = NULL;

		change[i](x, &f);
		files_put(x->dir, &f);
		for (int again = 0; again < 2; again++) {
			assert_int_equal(vault_open(&ec, x->dir, KIT_MASTER, VAULT_OPEN, &rng, &v), ERR_DAMAGED);
			assert_non_null(strstr(err_text(&ec, NULL, text, sizeof(text)), "Page 1 "));
			err_clear(&ec);
			v = kit_open(x->dir, VAULT_SALVAGE, &rng);
			assert_true(vault_notice(v).salvaged);
			got = kit_dump(v);
			assert_string_equal(got, x->dump);
			free(got);
			assert_int_equal(vault_verify(v, NULL, &r), ERR_DAMAGED);
			assert_true(!r.sum_known && r.consistent && r.bad_pages == 1 && r.bad_page[0] == 1);
			assert_int_equal(vault_accept(v, NULL), ERR_DAMAGED);
			vault_close(v);
		}
		/* Without the spare there is nothing to stand in. */
		f.mark.data[LEDGER_SPARE_AT + 100] ^= 1;
		files_put(x->dir, &f);
		assert_int_equal(vault_open(NULL, x->dir, KIT_MASTER, VAULT_SALVAGE, &rng, &v), ERR_DAMAGED);
		files_free(&f);
	}
}

/* Of a file that is cut off, salvage reads the rest: all of it where the log holds what is missing. */
static void salvage_reads_a_file_that_is_cut_off(void **state)
{
	const struct fixture *x = *state;
	static const struct {
		size_t left; /* bytes of vault.db */
		bool log;
	} cases[] = {
		{ 12 * VAULT_PAGE_SIZE, false }, { 8 * VAULT_PAGE_SIZE + 100, true }, { 100, true }, { 0, true }
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct files f = files_copy(cases[i].log ? &x->open : &x->closed);
		struct vault *v = NULL;
		struct vault_report r;

		assert_true(cases[i].left < f.db.len);
		f.db.len = cases[i].left;
		files_put(x->dir, &f);
		if (vault_open(NULL, x->dir, KIT_MASTER, VAULT_OPEN, &rng, &v) == ERR_OK) {
			/* The log says how long it should be: it opens, and verify tells. */
			assert_true(cases[i].log && cases[i].left >= VAULT_PAGE_SIZE);
			assert_int_equal(vault_verify(v, NULL, &r), ERR_DAMAGED);
			vault_close(v);
			files_put(x->dir, &f);
		}
		for (int again = 0; again < 2; again++) {
			v = kit_open(x->dir, VAULT_SALVAGE, &rng);
			/* Moving the log makes the file as long as it should be. */
			assert_int_equal(vault_notice(v).salvaged, again == 0 || !cases[i].log);
			assert_true(kit_number(v, "SELECT count(*) FROM sqlite_schema") >= 6);
			assert_int_equal(vault_verify(v, NULL, &r), ERR_DAMAGED);
			assert_true(r.bad_pages > 0 && !r.sum_known);
			vault_close(v);
		}
		files_free(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_spare_is_page_one_as_it_was_moved),
		cmocka_unit_test(a_lost_first_page_is_stood_in_for_by_salvage_alone),
		cmocka_unit_test(salvage_reads_a_file_that_is_cut_off),
	};

	return vault_start() != ERR_OK ? 1
	                               : cmocka_run_group_tests_name("vault/spare", tests, fixture_make, fixture_free);
}
