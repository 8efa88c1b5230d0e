// SPDX-License-Identifier: EUPL-1.2
// In front of SQLite's own speedtest1, whose main() is compiled under the name speedtest_main: loads the library that
// SLB_VFS_LIBRARY names, if any, and goes on. See docs/TESTING.md.
#include <stdio.h>
#include <stdlib.h>

#include <sqlite3.h>

int speedtest_main(int argc, char **argv);

int main(int argc, char **argv)
{
	const char *library = getenv("SLB_VFS_LIBRARY");
	sqlite3 *db = NULL;
	char *message = NULL;

	if (library != NULL && (sqlite3_open(":memory:", &db) != SQLITE_OK ||
	                        sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, NULL) != SQLITE_OK ||
	                        sqlite3_load_extension(db, library, "sqlite3_extension_init", &message) != SQLITE_OK)) {
		fprintf(stderr, "%s: %s\n", library, message == NULL ? "not loaded" : message);
		return 1;
	}
	sqlite3_close(db);
	return speedtest_main(argc, argv);
}
