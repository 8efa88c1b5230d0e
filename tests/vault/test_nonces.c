// SPDX-License-Identifier: EUPL-1.2
// Goal (V1): no nonce is used twice under one key. A year in the life of a vault, 20 conversations a day, with
// checkpoints, days that end without closing, processes that fork in the middle of a session and go on in a copy with
// what they inherited, and copies of the folder that are restored and go on beside the first. Every page, frame, header
// and record that reaches a file of any of them is written down by key and nonce, by a VFS beneath that knows the
// formats and shares no code with the vault; then no pair may stand there twice.
//
// All of it is one vault under one master key, so a key is told by the file alone. The spare of page 1 is a copy of
// what was sealed before, and must be just that.
//
// Seen to fail when: the pool of nonces is not wiped on fork; the source of chance is one that a fork copies; a frame
// is sealed again under its old nonce (frame_change()); the second copy of a sum is sealed under the nonce of the
// first.
//
// 40 days in the ordinary run; SLB_SOAK=n makes n whole years.
#include "vault/disk.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include "vault/vault_over.h"

enum key { KEY_PAGE, KEY_LOG, KEY_MARK, KEY_COUNT, SPARE };

struct entry {
	uint8_t key; /* of enum key; SPARE: a copy of something under KEY_PAGE */
	uint8_t nonce[AEAD_NONCE_LEN];
};

/* Shared with all children. They and the parent take turns. */
struct notes {
	size_t count;
	size_t room;
	unsigned forks;
	unsigned restored;
	unsigned left_open;
	struct entry entry[];
};

struct life {
	struct seed seed; /* of what happens */
	const struct rng *rng;
	struct notes *notes;
	struct disk *disk;
	char *dir;
	char *copy;
	unsigned conversations;
};

/* ---- Writing down ---- */

static struct notes *notes_new(size_t room)
{
	size_t size = sizeof(struct notes) + room * sizeof(struct entry);
	struct notes *n = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_true(n != MAP_FAILED);
	n->room = room;
	return n;
}

static void notes_free(struct notes *n)
{
	munmap(n, sizeof(struct notes) + n->room * sizeof(struct entry));
}

static void note(struct notes *n, int key, const uint8_t *nonce)
{
	if (n->count == n->room)
		fail_msg("more than %zu encryptions", n->room);
	n->entry[n->count].key = (uint8_t)key;
	memcpy(n->entry[n->count++].nonce, nonce, AEAD_NONCE_LEN);
}

static void write_seen(void *self, const char *name, sqlite3_int64 at, const uint8_t *data, size_t len)
{
	static const uint8_t zero[3072];
	struct notes *n = self;
	size_t unit = 0;
	int key = KEY_PAGE;

	if (strcmp(name, "vault.db") == 0 || strcmp(name, "vault.new") == 0) {
		unit = 4096;
	} else if (strcmp(name, "vault.db-wal") == 0) {
		key = KEY_LOG;
		unit = 4120;
		if (at == 0) {
			assert_int_equal(len, 80);
			note(n, key, data + 40);
			return;
		}
		at -= 80;
	} else if (strcmp(name, "vault.mark") == 0) {
		if (at == 0 && len == sizeof(zero) && memcmp(data, zero, len) == 0)
			return;
		if (at < 4096) {
			assert_true(at % 512 == 0 && len < 512);
			note(n, KEY_MARK, data + 16);
			return;
		}
		key = SPARE;
		unit = 4096;
	} else {
		fail_msg("a write to a file named '%s'", name);
	}
	assert_true(at % (sqlite3_int64)unit == 0 && len % unit == 0);
	for (size_t i = unit; i <= len; i += unit)
		note(n, key, data + i - 40);
}

static int entry_compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct entry));
}

static size_t repeats(struct notes *n, size_t counts[static KEY_COUNT])
{
	size_t total = 0;
	size_t out = 0;

	/* The copies last, so that what they are copies of can be looked up. */
	qsort(n->entry, n->count, sizeof(struct entry), entry_compare);
	memset(counts, 0, KEY_COUNT * sizeof(counts[0]));
	for (total = 0; total < n->count && n->entry[total].key < KEY_COUNT; total++) {
		counts[n->entry[total].key]++;
		out += total > 0 && entry_compare(&n->entry[total - 1], &n->entry[total]) == 0;
	}
	for (size_t i = total; i < n->count; i++) {
		struct entry page = n->entry[i];

		page.key = KEY_PAGE;
		assert_non_null(bsearch(&page, n->entry, counts[KEY_PAGE], sizeof(page), entry_compare));
	}
	return out;
}

/* ---- Living ---- */

static struct vault *session(struct life *l, const char *dir)
{
	struct vault *v = NULL;
	struct errctx ec = { .code = ERR_OK };
	char text[300];

	if (vault_open_over(&ec, dir, KIT_MASTER, VAULT_OPEN, l->rng, &l->disk->base, &v) != ERR_OK)
		fail_msg("%s", err_text(&ec, NULL, text, sizeof(text)));
	return v;
}

static void conversation(struct life *l, struct vault *v)
{
	char text[400];
	unsigned n = l->conversations++;

	snprintf(
	    text, sizeof(text),
	    "BEGIN; INSERT INTO t(x) VALUES('gesprek %u %.*s'); INSERT INTO f(rowid, y) VALUES("
	    "last_insert_rowid(), 'brief woord%u schuld%u');%s COMMIT",
	    n, (int)seed_below(&l->seed, 120),
	    "over een brief van de gemeente die niet begrepen was en over wat er nu gedaan kan worden, samen met de "
	    "buurvrouw die al eerder mee was",
	    n % 97, n % 31,
	    n % 10 == 3
	        ? " UPDATE t SET x = x || ' (vervolg)' WHERE id % 50 = 7 AND id > (SELECT max(id) FROM t) - 1000;"
	        : "");
	kit_sql(v, text);
}

static void folder_copy(const char *from, const char *to)
{
	static const char *const names[] = { "vault.db", "vault.db-wal", "vault.mark" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct buf b = kit_read(from, names[i]);

		kit_write(to, names[i], b.len == 0 ? NULL : b.data, b.len);
		buf_free(&b);
	}
}

static void child_wait(pid_t child)
{
	int status = 0;

	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void more(struct life *l, struct vault *v, unsigned count)
{
	while (count-- > 0)
		conversation(l, v);
	if (seed_below(&l->seed, 2) == 0)
		assert_int_equal(vault_checkpoint(v, NULL, seed_below(&l->seed, 2) == 0), ERR_OK);
}

/* In the middle of a session, after any call: the child has all that its parent had, stock of nonces included, and goes
 * on with it in a copy of the files. */
static void fork_goes_on(struct life *l, struct vault *v)
{
	pid_t child = 0;

	folder_copy(l->dir, l->copy);
	l->notes->forks++;
	child = fork();
	if (child == 0) {
		disk_move(l->disk, l->copy);
		more(l, v, 1 + seed_below(&l->seed, 12));
		if (seed_below(&l->seed, 2) == 0)
			vault_close(v);
		_exit(0);
	}
	child_wait(child);
}

/* The folder as it lies there now, in use or not, is put somewhere else, and somebody works there too. */
static void copy_goes_on(struct life *l)
{
	struct vault *v = NULL;

	folder_copy(l->dir, l->copy);
	l->notes->restored++;
	v = session(l, l->copy);
	more(l, v, 1 + seed_below(&l->seed, 12));
	vault_close(v);
}

static void day(struct life *l)
{
	struct vault *v = session(l, l->dir);
	unsigned fork_at = seed_below(&l->seed, 60);
	unsigned copy_at = seed_below(&l->seed, 100);

	for (unsigned i = 0; i < 20; i++) {
		conversation(l, v);
		if (i == fork_at)
			fork_goes_on(l, v);
		if (i == copy_at)
			copy_goes_on(l);
		if (i == 12 && seed_below(&l->seed, 4) == 0)
			assert_int_equal(vault_checkpoint(v, NULL, false), ERR_OK);
	}
	/* A transaction larger than what memory holds: frames that were written before are sealed anew. */
	if (l->conversations / 20 % 25 == 9)
		kit_sql(
		    v, "PRAGMA cache_size=10; PRAGMA cache_spill=5; BEGIN; CREATE TABLE big(id INTEGER PRIMARY KEY, x);"
		       "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
		       "INSERT INTO big(x) SELECT printf('%d %.*c', i, 900, 'g') FROM n;"
		       "UPDATE big SET x = x || 'more'; UPDATE big SET x = substr(x, 4); DROP TABLE big; COMMIT;"
		       "PRAGMA cache_spill=OFF; PRAGMA cache_size=-8192");
	vault_close(v);
	if (seed_below(&l->seed, 20) == 0)
		copy_goes_on(l);
}

/* In a process of its own that ends without closing: the next day finds a log. */
static void day_left_open(struct life *l)
{
	pid_t child = 0;

	l->notes->left_open++;
	l->conversations += 20;
	child = fork();
	if (child == 0) {
		struct vault *v = session(l, l->dir);

		for (unsigned i = 0; i < 20; i++)
			conversation(l, v);
		_exit(0);
	}
	child_wait(child);
}

static void live(struct life *l, unsigned days)
{
	struct vault *v = NULL;

	l->disk = disk_new();
	l->disk->on_write = write_seen;
	l->disk->on_write_self = l->notes;
	l->dir = kit_dir();
	l->copy = kit_dir();
	assert_int_equal(vault_open_over(NULL, l->dir, KIT_MASTER, VAULT_CREATE, l->rng, &l->disk->base, &v), ERR_OK);
	kit_sql(v, "CREATE TABLE t(id INTEGER PRIMARY KEY, x); CREATE VIRTUAL TABLE f USING fts5(y)");
	vault_close(v);
	for (unsigned i = 0; i < days; i++) {
		if (seed_below(&l->seed, 10) == 0)
			day_left_open(l);
		else
			day(l);
	}
	v = session(l, l->dir);
	assert_int_equal(kit_number(v, "SELECT count(*) FROM t"), 20 * (int64_t)days);
	vault_close(v);
	kit_dir_free(l->dir);
	kit_dir_free(l->copy);
	disk_free(l->disk);
}

static unsigned days_of(void)
{
	const char *n = getenv("SLB_SOAK");

	return n == NULL ? 40 : 365 * (unsigned)strtoul(n, NULL, 10);
}

static void no_nonce_is_used_twice_under_one_key(void **state)
{
	unsigned days = days_of();
	struct life l = { .seed = { 20260801 }, .rng = &crypto_rng, .notes = notes_new(days * 4000 + 100000) };
	size_t n[KEY_COUNT];
	size_t twice = 0;

	(void)state;
	live(&l, days);
	twice = repeats(l.notes, n);
	print_message(
	    "%u days, %u forks, %u copies that went on, %u days left open: %zu encryptions (%zu pages, %zu of "
	    "the log, %zu marks and sums), %zu repeats\n",
	    days, l.notes->forks, l.notes->restored, l.notes->left_open, n[KEY_PAGE] + n[KEY_LOG] + n[KEY_MARK],
	    n[KEY_PAGE], n[KEY_LOG], n[KEY_MARK], twice);
	assert_true(l.notes->forks > days / 6 && l.notes->restored > days / 8 && l.notes->left_open > 0);
	assert_true(n[KEY_PAGE] > days && n[KEY_LOG] > 100 * days && n[KEY_MARK] > 20 * days);
	assert_int_equal(twice, 0);
	notes_free(l.notes);
}

/* With a source of chance that a fork copies, parent and child draw the same: the notes show it. */
static void the_notes_show_a_repeat(void **state)
{
	struct seed source = { 1 };
	struct rng copied = seed_rng(&source);
	struct life l = { .seed = { 3 }, .rng = &copied, .notes = notes_new(100000) };
	size_t n[KEY_COUNT];

	(void)state;
	live(&l, 12);
	assert_true(l.notes->forks > 0);
	assert_true(repeats(l.notes, n) > 10);
	notes_free(l.notes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_nonce_is_used_twice_under_one_key),
		cmocka_unit_test(the_notes_show_a_repeat),
	};

	return vault_start() != ERR_OK ? 1 : cmocka_run_group_tests_name("vault/nonces", tests, NULL, NULL);
}
