/* SPDX-License-Identifier: EUPL-1.2 */
/* A store as an earlier version of the program left it, made from one of now by taking away what was added since. */
#ifndef SLB_TESTS_OLDER_H
#define SLB_TESTS_OLDER_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>

static inline bool older_sql(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* Triggers came with version 4. */
static inline bool older_no_triggers(sqlite3 *db)
{
	char drop[128] = "";

	for (;;) {
		sqlite3_stmt *st = NULL;
		bool more = sqlite3_prepare_v2(db, "SELECT name FROM sqlite_schema WHERE type = 'trigger'", -1, &st,
		                               NULL) == SQLITE_OK &&
		            sqlite3_step(st) == SQLITE_ROW;

		if (more)
			snprintf(drop, sizeof(drop), "DROP TRIGGER \"%s\"", (const char *)sqlite3_column_text(st, 0));
		sqlite3_finalize(st);
		if (!more)
			return true;
		if (!older_sql(db, drop))
			return false;
	}
}

/* To version 5, 2 or 1. False where SQLite refuses: something was added since that this does not know of. */
static inline bool older_make(sqlite3 *db, int version)
{
	if (version == 5)
		return older_sql(db, "DROP TABLE fork; DROP TABLE claim; DROP TABLE telling; DROP TABLE erasure; DROP "
		                     "TABLE base; DROP TABLE seen; DROP TABLE act; DROP TABLE "
		                     "void; DROP TABLE awaits; PRAGMA user_version = 5;");
	return older_no_triggers(db) &&
	       older_sql(db, "DROP TABLE fork; DROP TABLE claim; DROP TABLE telling; DROP TABLE erasure; DROP TABLE "
	                     "base; DROP TABLE seen; DROP TABLE awaits; DROP TABLE act; "
	                     "DROP TABLE void; DROP TABLE spare; "
	                     "DROP TABLE spare_mark;"
	                     "DROP INDEX record_kind; CREATE INDEX record_kind ON record (space, kind);"
	                     "DROP TABLE search; CREATE VIRTUAL TABLE search USING fts5 (title, body);"
	                     "ALTER TABLE resident DROP COLUMN sound; PRAGMA user_version = 2;") &&
	       (version > 1 || older_sql(db, "DROP TABLE undo; PRAGMA user_version = 1;"));
}

#endif
