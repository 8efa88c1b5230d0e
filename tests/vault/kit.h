/* SPDX-License-Identifier: EUPL-1.2 */
/* What the vault's tests share: a seeded source of chance, a directory of its own per test, small SQL helpers. */
#ifndef SLB_TESTS_VAULT_KIT_H
#define SLB_TESTS_VAULT_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/file.h"
#include "crypto/secret.h"
#include "vault/vault.h"

/* xorshift64*: enough to be different each time and the same in each run. */
struct seed {
	uint64_t state;
};

static inline uint64_t seed_next(struct seed *s)
{
	s->state ^= s->state >> 12;
	s->state ^= s->state << 25;
	s->state ^= s->state >> 27;
	return s->state * 0x2545F4914F6CDD1DULL;
}

static inline unsigned seed_below(struct seed *s, unsigned n)
{
	return (unsigned)((seed_next(s) >> 11) % n);
}

static inline void seed_fill(void *self, void *out, size_t len)
{
	uint8_t *p = out;

	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(seed_next(self) >> 33);
}

static inline struct rng seed_rng(struct seed *s)
{
	return (struct rng){ seed_fill, s };
}

static const uint8_t KIT_MASTER[32] = "a master key for tests, 32 byte";

/* A fresh directory, in memory where that can be had: what a sync means is not asked of the machine here, and there are
 * tens of thousands of them. Kept when a test fails, for a look. */
static inline char *kit_dir(void)
{
	const char *tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : getenv("TMPDIR");
	char *dir = NULL;

	if (tmp == NULL)
		tmp = "/tmp";
	assert_true(asprintf(&dir, "%s/slb-vault-XXXXXX", tmp) > 0);
	assert_non_null(mkdtemp(dir));
	return dir;
}

static const char *const KIT_FILES[] = { "vault.db",      "vault.db-wal", "vault.mark", "vault.new",
	                                 "vault.new-wal", "keys",         "keys.new" };
#define KIT_FILE_COUNT (sizeof(KIT_FILES) / sizeof(KIT_FILES[0]))

static inline void kit_dir_free(char *dir)
{
	for (size_t i = 0; i < KIT_FILE_COUNT; i++) {
		char *p = file_join(dir, KIT_FILES[i]);

		unlink(p);
		free(p);
	}
	assert_int_equal(rmdir(dir), 0);
	free(dir);
}

/* A file's bytes; an empty buffer where it does not exist. */
static inline struct buf kit_read(const char *dir, const char *name)
{
	struct buf b = { 0 };
	char *p = file_join(dir, name);

	if (file_exists(p))
		assert_int_equal(file_read(NULL, p, 1u << 30, &b), ERR_OK);
	free(p);
	return b;
}

/* Writes a file as it is given, or removes it (`data` NULL). */
static inline void kit_write(const char *dir, const char *name, const uint8_t *data, size_t len)
{
	char *p = file_join(dir, name);
	int fd = -1;

	unlink(p);
	if (data != NULL) {
		fd = open(p, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		assert_true(fd >= 0);
		assert_int_equal(file_write_fd(NULL, fd, p, data, len), ERR_OK);
		close(fd);
	}
	free(p);
}

static inline void kit_sql(struct vault *v, const char *sql)
{
	char *msg = NULL;

	if (sqlite3_exec(vault_db(v), sql, NULL, NULL, &msg) != SQLITE_OK)
		fail_msg("%s: %s", sql, msg);
}

static inline int64_t kit_number(struct vault *v, const char *sql)
{
	sqlite3_stmt *s = NULL;
	int64_t out = 0;

	assert_int_equal(sqlite3_prepare_v2(vault_db(v), sql, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	out = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return out;
}

static inline struct vault *kit_open(const char *dir, enum vault_mode mode, const struct rng *rng)
{
	struct vault *v = NULL;
	struct errctx ec = { .code = ERR_OK };
	char text[512];

	if (vault_open(&ec, dir, KIT_MASTER, mode, rng, &v) != ERR_OK)
		fail_msg("%s", err_text(&ec, NULL, text, sizeof(text)));
	return v;
}

/* All that a vault holds, as one line of text (free() it); NULL when it cannot be read. The tables are those of
 * kit_fill(). */
static inline char *kit_dump(struct vault *v)
{
	static const char sql[] =
	    "SELECT (SELECT group_concat(id || ':' || x) FROM (SELECT id, x FROM t ORDER BY id)) || '|' || "
	    "(SELECT count(*) FROM f) || '|' || (SELECT count(*) FROM f WHERE f MATCH 'gesprek')";
	sqlite3_stmt *s = NULL;
	char *out = NULL;

	if (sqlite3_prepare_v2(vault_db(v), sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
		out = strdup((const char *)sqlite3_column_text(s, 0));
	sqlite3_finalize(s);
	return out;
}

/* Adds `count` rows, each in a transaction of its own. */
static inline void kit_fill(struct vault *v, int count)
{
	kit_sql(v, "CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, x);"
	           "CREATE VIRTUAL TABLE IF NOT EXISTS f USING fts5(y)");
	for (int i = 0; i < count; i++)
		kit_sql(v, "BEGIN; INSERT INTO t(x) SELECT printf('%d %.*c', count(*), 200 + count(*) * 7 % 900, 'x') "
		           "FROM t; INSERT INTO f(y) SELECT 'gesprek ' || max(id) FROM t; COMMIT");
}

#endif
