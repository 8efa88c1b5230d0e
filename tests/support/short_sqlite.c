// SPDX-License-Identifier: EUPL-1.2
#include "support/short_sqlite.h"

#include <stddef.h>

#include <sqlite3.h>

static sqlite3_mem_methods real;
static bool (*asked)(void);

static void *short_malloc(int n)
{
	return asked() ? NULL : real.xMalloc(n);
}

static void *short_realloc(void *p, int n)
{
	return asked() ? NULL : real.xRealloc(p, n);
}

int sqlite_through(bool (*is_short)(void))
{
	sqlite3_mem_methods mine;
	int rc = sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real);

	if (rc != SQLITE_OK)
		return rc;
	asked = is_short;
	mine = real;
	mine.xMalloc = short_malloc;
	mine.xRealloc = short_realloc;
	return sqlite3_config(SQLITE_CONFIG_MALLOC, &mine);
}
