// SPDX-License-Identifier: EUPL-1.2
// Goal (V6): running out of memory at any allocation is an error that says so; nothing acknowledged is lost, nothing
// leaks (under a sanitizer), the vault opens again and is whole.
//
// SQLite's allocations and those of the VFS go through one counter; so do the vault's own, where no sanitizer has
// taken their place. Every 11th allocation fails in turn in the ordinary run, every one with SLB_SOAK set; each once,
// and each from then on.
//
// Seen to fail when: page_of_frames() or ledger_frame() do not look at what they were given; a failed main_open()
// does not free its buffer (under a sanitizer).
#include "vault/kit.h"

#include "support/nth.h"
#include "support/short_sqlite.h"
#include "vault/vault_over.h"

static struct seed seed = { 65537 };
static struct rng rng = { seed_fill, &seed };

static struct nth oom;

static bool oom_now(void)
{
	return nth_fails(&oom);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
extern void *__libc_calloc(size_t count, size_t size);
void *calloc(size_t count, size_t size);

void *calloc(size_t count, size_t size)
{
	return oom_now() ? NULL : __libc_calloc(count, size);
}
#endif

struct tally {
	int64_t acked;
	int64_t tried;
	unsigned errors;
};

static void told(enum err e)
{
	if (e != ERR_NO_MEMORY && e != ERR_IO)
		fail_msg("told %d", e);
}

/* Without memory even ROLLBACK may fail; then the transaction is in the way. */
static void checkpoint_told(enum err e)
{
	if (e != ERR_OK && e != ERR_LATER)
		told(e);
}

static void work(struct vault *v, struct tally *t)
{
	for (int i = 0; i < 3; i++) {
		t->tried++;
		if (sqlite3_exec(vault_db(v),
		                 "BEGIN; INSERT INTO t(x) VALUES(printf('%.*c', 5000, 'x'));"
		                 "INSERT INTO f(y) VALUES('een gesprek'); COMMIT",
		                 NULL, NULL, NULL) == SQLITE_OK) {
			t->acked++;
			continue;
		}
		told(vault_sqlite_error(v, NULL));
		t->errors++;
		if (!sqlite3_get_autocommit(vault_db(v)))
			sqlite3_exec(vault_db(v), "ROLLBACK", NULL, NULL, NULL);
		if (i == 1)
			checkpoint_told(vault_checkpoint(v, NULL, true));
	}
	if (!sqlite3_get_autocommit(vault_db(v)))
		sqlite3_exec(vault_db(v), "ROLLBACK", NULL, NULL, NULL);
}

static bool session(const char *dir, unsigned n, bool sticky, struct tally *t)
{
	struct vault *v = NULL;
	enum err e = ERR_OK;
	bool hit = false;

	nth_arm(&oom, n, sticky);
	e = vault_open(NULL, dir, KIT_MASTER, VAULT_OPEN, &rng, &v);
	if (e == ERR_OK) {
		work(v, t);
		e = vault_checkpoint(v, NULL, n % 2 == 0);
		checkpoint_told(e);
	} else {
		told(e);
		t->errors++;
	}
	/* The last of them fail while it is closed. */
	vault_close(v);
	hit = oom.hits > 0;
	oom.armed = false;
	return hit;
}

static void memory_runs_out_at_every_allocation(void **state)
{
	unsigned step = getenv("SLB_SOAK") == NULL ? 11 : 1;
	unsigned points = 0;

	(void)state;
	for (int sticky = 0; sticky < 2; sticky++) {
		char *dir = kit_dir();
		struct vault *v = kit_open(dir, VAULT_CREATE, &rng);
		bool hit = true;

		kit_fill(v, 5);
		vault_close(v);
		for (unsigned n = 0; hit; n += step) {
			struct tally t = { 0, 0, 0 };
			struct vault_report r;
			int64_t rows = 0;

			hit = session(dir, n, sticky != 0, &t);
			v = kit_open(dir, VAULT_OPEN, &rng);
			rows = kit_number(v, "SELECT count(*) FROM t WHERE length(x) = 5000");
			if (rows < t.acked || rows > t.tried)
				fail_msg("allocation %u: %lld rows, %lld acknowledged of %lld", n, (long long)rows,
				         (long long)t.acked, (long long)t.tried);
			if (vault_verify(v, NULL, &r) != ERR_OK)
				fail_msg("allocation %u: bad %llu sum %d %d size %d %s", n,
				         (unsigned long long)r.bad_pages, r.sum_known, r.sum_matches, r.size_matches,
				         r.first);
			kit_sql(v, "DELETE FROM t WHERE length(x) = 5000");
			vault_close(v);
			points += hit;
		}
		kit_dir_free(dir);
	}
	print_message("%u allocations failed in turn\n", points);
	assert_true(points > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_runs_out_at_every_allocation),
	};

	if (sqlite_through(oom_now) != SQLITE_OK || vault_start() != ERR_OK)
		return 1;
	return cmocka_run_group_tests_name("vault/memory", tests, NULL, NULL);
}
