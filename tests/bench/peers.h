/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Several builds of SQLite in one process, each behind a table of its own calls: the system's (which the vault uses
 * too), SQLite3MultipleCiphers as npm's better-sqlite3-multiple-ciphers carries it, Debian's SQLCipher. The peers are
 * loaded where they are found; without them a bench says so and goes on.
 */
#ifndef SLB_TESTS_BENCH_PEERS_H
#define SLB_TESTS_BENCH_PEERS_H

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

struct api {
	const char *name;
	int (*open_v2)(const char *, sqlite3 **, int, const char *);
	int (*close)(sqlite3 *);
	int (*exec)(sqlite3 *, const char *, int (*)(void *, int, char **, char **), void *, char **);
	int (*prepare_v2)(sqlite3 *, const char *, int, sqlite3_stmt **, const char **);
	int (*step)(sqlite3_stmt *);
	int (*reset)(sqlite3_stmt *);
	int (*clear_bindings)(sqlite3_stmt *);
	int (*finalize)(sqlite3_stmt *);
	int (*bind_int64)(sqlite3_stmt *, int, sqlite3_int64);
	int (*bind_text)(sqlite3_stmt *, int, const char *, int, void (*)(void *));
	int (*bind_blob)(sqlite3_stmt *, int, const void *, int, void (*)(void *));
	sqlite3_int64 (*column_int64)(sqlite3_stmt *, int);
	int (*wal_checkpoint_v2)(sqlite3 *, const char *, int, int *, int *);
	int (*create_function)(sqlite3 *, const char *, int, int, void *,
	                       void (*)(sqlite3_context *, int, sqlite3_value **),
	                       void (*)(sqlite3_context *, int, sqlite3_value **), void (*)(sqlite3_context *));
	void (*result_int)(sqlite3_context *, int);
	const char *(*errmsg)(sqlite3 *);
	const char *(*libversion)(void);
};

static inline void api_take(void *library, const char *name, void *place)
{
	void *p = dlsym(library, name);

	if (p == NULL) {
		fprintf(stderr, "bench: %s is not there\n", name);
		exit(1);
	}
	memcpy(place, &p, sizeof(p)); /* a pointer to data and one to code are alike in POSIX */
}

static inline void api_fill(struct api *a, void *library)
{
	api_take(library, "sqlite3_open_v2", &a->open_v2);
	api_take(library, "sqlite3_close", &a->close);
	api_take(library, "sqlite3_exec", &a->exec);
	api_take(library, "sqlite3_prepare_v2", &a->prepare_v2);
	api_take(library, "sqlite3_step", &a->step);
	api_take(library, "sqlite3_reset", &a->reset);
	api_take(library, "sqlite3_clear_bindings", &a->clear_bindings);
	api_take(library, "sqlite3_finalize", &a->finalize);
	api_take(library, "sqlite3_bind_int64", &a->bind_int64);
	api_take(library, "sqlite3_bind_text", &a->bind_text);
	api_take(library, "sqlite3_bind_blob", &a->bind_blob);
	api_take(library, "sqlite3_column_int64", &a->column_int64);
	api_take(library, "sqlite3_wal_checkpoint_v2", &a->wal_checkpoint_v2);
	api_take(library, "sqlite3_create_function", &a->create_function);
	api_take(library, "sqlite3_result_int", &a->result_int);
	api_take(library, "sqlite3_errmsg", &a->errmsg);
	api_take(library, "sqlite3_libversion", &a->libversion);
}

static inline struct api *api_of(const char *name, void *library)
{
	struct api *a = calloc(1, sizeof(*a));

	if (a == NULL)
		exit(1);
	a->name = name;
	api_fill(a, library);
	return a;
}

/* The library that the program itself is linked with. */
static inline const struct api *api_system(void)
{
	static const struct api *a;

	if (a == NULL)
		a = api_of("SQLite", dlopen("libsqlite3.so.0", RTLD_NOW));
	return a;
}

/* NULL: not here. Built by scripts/bench-peers; it calls its own functions (-Bsymbolic). */
static inline const struct api *api_mc(void)
{
	const char *build = getenv("BUILD");
	char path[512];
	void *library = NULL;

	snprintf(path, sizeof(path), "%s/bench/libsqlite3mc.so", build != NULL ? build : "build");
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	return library == NULL ? NULL : api_of("SQLite3MC", library);
}

/* NULL: not here. Its own functions come before the system's of the same names. */
static inline const struct api *api_sqlcipher(void)
{
	void *library = dlopen("libsqlcipher.so.0", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);

	return library == NULL ? NULL : api_of("SQLCipher", library);
}

static inline void api_check(const struct api *a, sqlite3 *db, int rc, const char *what)
{
	if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE)
		return;
	fprintf(stderr, "bench: %s: %s: %s\n", a->name, what, a->errmsg(db));
	exit(1);
}

static inline void api_run(const struct api *a, sqlite3 *db, const char *sql)
{
	api_check(a, db, a->exec(db, sql, NULL, NULL, NULL), sql);
}

/* The settings of a vault's connection, as statements for the others: same durability, same caches. */
static inline const char *settings_of(sqlite3 *vault)
{
	static const char *const pragmas[] = { "synchronous",     "temp_store",         "secure_delete",
		                               "foreign_keys",    "cache_spill",        "cache_size",
		                               "cell_size_check", "journal_size_limit", "wal_autocheckpoint" };
	static char out[1024];
	const struct api *a = api_system();
	size_t n = (size_t)snprintf(out, sizeof(out), "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;");

	for (size_t i = 0; i < sizeof(pragmas) / sizeof(pragmas[0]); i++) {
		char sql[64];
		sqlite3_stmt *st = NULL;

		snprintf(sql, sizeof(sql), "PRAGMA %s", pragmas[i]);
		api_check(a, vault, a->prepare_v2(vault, sql, -1, &st, NULL), sql);
		if (a->step(st) == SQLITE_ROW)
			n += (size_t)snprintf(out + n, sizeof(out) - n, "%s=%lld;", sql, a->column_int64(st, 0));
		a->finalize(st);
	}
	return out;
}

/* `key`: statements that give the key, NULL for a plain database. The page size is the vault's. */
static inline sqlite3 *side_open(const struct api *a, const char *path, const char *key, const char *settings)
{
	sqlite3 *db = NULL;

	api_check(a, db, a->open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL), path);
	if (key != NULL)
		api_run(a, db, key);
	api_run(a, db, "PRAGMA page_size=4096");
	api_run(a, db, settings);
	return db;
}

#define MC_CHACHA20 "PRAGMA cipher='chacha20'; PRAGMA key='a passphrase for the bench'"
#define MC_SQLCIPHER4 "PRAGMA cipher='sqlcipher'; PRAGMA legacy=4; PRAGMA key='a passphrase for the bench'"
#define SQLCIPHER3 "PRAGMA key='a passphrase for the bench'; PRAGMA cipher_page_size=4096"

#endif
