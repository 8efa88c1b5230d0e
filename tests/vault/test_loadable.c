// SPDX-License-Identifier: EUPL-1.2
// Goal: BUILD/libsleutelbos-vfs.so makes the sealing VFS the default of the SQLite that loads it, with several
// connections in WAL mode, so that SQLite's own tests and speedtest1 can be run over it. (Loading lasts for the
// process, so this is a program of its own.)
//
// Seen to fail when: the extension does not become the default; the reserve is not set, or not for attached databases;
// it is loaded a second time and does not become the default again.
#include "vault/kit.h"

static sqlite3 *opened(const char *path)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	return db;
}

static int number(sqlite3 *db, const char *query)
{
	sqlite3_stmt *s = NULL;
	int out = 0;

	assert_int_equal(sqlite3_prepare_v2(db, query, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	out = sqlite3_column_int(s, 0);
	sqlite3_finalize(s);
	return out;
}

static void any_sqlite_can_load_it(void **state)
{
	const char *build = getenv("BUILD");
	char *library = file_join(build == NULL ? "build" : build, "libsleutelbos-vfs.so");
	char *dir = kit_dir();
	char *path = file_join(dir, "vault.db");
	char *key = file_join(dir, "keys");
	sqlite3 *loader = opened(":memory:");
	sqlite3 *a = NULL;
	sqlite3 *b = NULL;
	char *other = NULL;
	char *attach = NULL;
	struct buf file = { 0 };

	(void)state;
	if (!file_exists(library)) {
		print_message("%s is not there\n", library);
		skip();
	}
	assert_int_equal(sqlite3_db_config(loader, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, NULL), SQLITE_OK);
	assert_int_equal(unsetenv("SLB_VFS_KEY"), 0);
	assert_int_equal(sqlite3_load_extension(loader, library, "sqlite3_extension_init", NULL), SQLITE_ERROR);
	kit_write(dir, "keys", KIT_MASTER, sizeof(KIT_MASTER));
	assert_int_equal(setenv("SLB_VFS_KEY", key, 1), 0);
	assert_int_equal(sqlite3_load_extension(loader, library, "sqlite3_extension_init", NULL), SQLITE_OK);
	/* Whatever forgot it (a shutdown of SQLite in its own tests), loading it once more brings it back. */
	assert_int_equal(sqlite3_vfs_register(sqlite3_vfs_find("unix"), 1), SQLITE_OK);
	sqlite3_reset_auto_extension();
	assert_int_equal(sqlite3_load_extension(loader, library, "sqlite3_extension_init", NULL), SQLITE_OK);
	assert_string_equal(sqlite3_vfs_find(NULL)->zName, "sleutelbos");
	a = opened(path);
	b = opened(path);
	assert_int_equal(sqlite3_exec(a, "PRAGMA journal_mode=WAL; CREATE TABLE t(x)", NULL, NULL, NULL), SQLITE_OK);
	for (int i = 0; i < 40; i++) {
		assert_int_equal(
		    sqlite3_exec(i % 2 ? a : b, "INSERT INTO t VALUES(hex(randomblob(3000)))", NULL, NULL, NULL),
		    SQLITE_OK);
		assert_int_equal(number(i % 2 ? b : a, "SELECT count(*) FROM t"), i + 1);
	}
	other = file_join(dir, "vault.db-shm");
	assert_false(file_exists(other)); /* the index of the log, with checksums of plain content, is in memory */
	free(other);
	sqlite3_close(b);
	/* An attached database has its reserve too, or its pages would be refused. */
	other = file_join(dir, "vault.new");
	attach = sqlite3_mprintf("ATTACH %Q AS o; CREATE TABLE o.u(x); INSERT INTO o.u SELECT x FROM t", other);
	assert_int_equal(sqlite3_exec(a, attach, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(number(a, "SELECT count(*) FROM o.u"), 40);
	sqlite3_free(attach);
	free(other);
	assert_int_equal(
	    sqlite3_exec(a, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(number(a, "SELECT count(*) FROM t"), 40);
	sqlite3_close(a);
	sqlite3_close(loader);
	file = kit_read(dir, "vault.db");
	assert_true(file.len > 40 * 6000);
	assert_memory_not_equal(file.data, "SQLite format 3", 16);
	buf_free(&file);
	free(library);
	free(path);
	free(key);
	kit_dir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_sqlite_can_load_it),
	};

	return crypto_start() != ERR_OK ? 1 : cmocka_run_group_tests_name("vault/loadable", tests, NULL, NULL);
}
